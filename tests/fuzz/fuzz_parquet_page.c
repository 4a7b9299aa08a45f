/*
 * The values of one page: physical type, Arrow type, encoding, counts from the first bytes, the page
 * from the rest. Refused, or as many values as were asked for.
 */
#include "fuzz.h"

#include <string.h>

#include "arrow/field.h"
#include "base/bits.h"
#include "parquet/dec_levels.h"
#include "parquet/dec_values.h"

#define HEAD 8

static const struct {
    enum armi_pq_type physical;
    int32_t length;
    enum armi_pq_convert convert;
    enum armi_type type;
    uint32_t width;
} kinds[] = {
    {ARMI_PQ_BOOLEAN, 0, ARMI_PQ_BOOL, ARMI_TYPE_BOOL, 0},
    {ARMI_PQ_INT32, 0, ARMI_PQ_COPY, ARMI_TYPE_INT32, 4},
    {ARMI_PQ_INT32, 0, ARMI_PQ_NARROW, ARMI_TYPE_INT8, 1},
    {ARMI_PQ_INT64, 0, ARMI_PQ_COPY, ARMI_TYPE_INT64, 8},
    {ARMI_PQ_INT64, 0, ARMI_PQ_DECIMAL_INT, ARMI_TYPE_DECIMAL128, 16},
    {ARMI_PQ_INT96, 0, ARMI_PQ_CONVERT_INT96, ARMI_TYPE_TIMESTAMP, 8},
    {ARMI_PQ_FLOAT, 0, ARMI_PQ_COPY, ARMI_TYPE_FLOAT32, 4},
    {ARMI_PQ_DOUBLE, 0, ARMI_PQ_COPY, ARMI_TYPE_FLOAT64, 8},
    {ARMI_PQ_BYTE_ARRAY, 0, ARMI_PQ_BYTES, ARMI_TYPE_UTF8, 0},
    {ARMI_PQ_BYTE_ARRAY, 0, ARMI_PQ_BYTES, ARMI_TYPE_LARGE_BINARY, 0},
    {ARMI_PQ_BYTE_ARRAY, 0, ARMI_PQ_DECIMAL_BYTES, ARMI_TYPE_DECIMAL256, 32},
    {ARMI_PQ_FIXED, 5, ARMI_PQ_COPY, ARMI_TYPE_FIXED_BINARY, 5},
    {ARMI_PQ_FIXED, 16, ARMI_PQ_DECIMAL_BYTES, ARMI_TYPE_DECIMAL128, 16},
};

static void read_page(const struct armi_pq_leaf *leaf, int encoding,
                      const struct armi_pq_span *span,
                      const struct armi_pq_dictionary *dictionary)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_pq_budget budget = {.max = 4 << 20};
    struct armi_pq_scratch scratch = {0};
    struct armi_pq_sink sink;
    armi_pq_values_sink(leaf, &budget, &sink);
    if (armi_pq_sink_reserve(&sink, span->count, span->count, &err) == ARMI_OK) {
        enum armi_status status = armi_pq_values_read(leaf, encoding, span, dictionary,
                                                      true, &sink, &scratch, &err);
        FUZZ_CHECK(status == ARMI_OK || err.message[0] != '\0');
        if (status == ARMI_OK)
            armi_pq_sink_close_page(&sink, span->count, span->count);
    }
    armi_pq_sink_release(&sink);
    armi_pq_scratch_release(&scratch);
}

static void read_levels(struct armi_slice bytes, unsigned max, size_t count)
{
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t levels[4096];
    for (int encoding = ARMI_PQ_RLE; encoding <= ARMI_PQ_BIT_PACKED; encoding++)
        if (armi_pq_levels_read(bytes, encoding, max, levels, count % sizeof levels,
                                &err) == ARMI_OK)
            for (size_t i = 0; i < count % sizeof levels; i++)
                FUZZ_CHECK(levels[i] <= max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct armi_error err = ARMI_ERROR_INIT;
    if (size < HEAD)
        return 0;
    size_t k = data[0] % (sizeof kinds / sizeof kinds[0]);
    int encoding = data[1] % (ARMI_PQ_ENCODING_COUNT + 1);
    struct armi_field field = ARMI_FIELD_INIT;
    FUZZ_CHECK(armi_field_init(&field, "x", kinds[k].type, &err) == ARMI_OK);
    field.width = kinds[k].type == ARMI_TYPE_FIXED_BINARY ? kinds[k].length : 0;
    field.precision = 38;
    field.unit = ARMI_UNIT_MICRO;
    struct armi_pq_leaf leaf = {.physical = kinds[k].physical,
                                .type_length = kinds[k].length,
                                .convert = kinds[k].convert,
                                .arrow_width = kinds[k].width,
                                .factor = 1000,
                                .field = &field};
    size_t total = armi_load16(data + 2), dictionary_count = armi_load16(data + 4) % 64;
    struct armi_slice rest = {data + HEAD, size - HEAD};
    size_t split = rest.size < data[6] ? rest.size : data[6];
    struct armi_pq_dictionary dictionary = {0};
    struct armi_pq_scratch scratch = {0};
    struct armi_slice first = {rest.data, split};
    struct armi_pq_span span = {{rest.data + split, rest.size - split}, total, 0, total};
    if (data[7] & 1) {
        span.skip = total / 3;
        span.count = total / 2;
    }
    if (armi_pq_dictionary_read(&leaf, first, dictionary_count, true, NULL, &dictionary,
                                &scratch, &err) == ARMI_OK &&
        leaf.physical != ARMI_PQ_BOOLEAN) {
        read_page(&leaf, encoding, &span, &dictionary);
        armi_pq_dictionary_release(&dictionary);
    } else {
        read_page(&leaf, encoding, &span, NULL);
    }
    read_levels(span.bytes, data[6] % 8, total);
    armi_pq_scratch_release(&scratch);
    armi_field_release(&field);
    return 0;
}
