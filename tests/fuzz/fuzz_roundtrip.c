/*
 * Arrow to Parquet to Arrow: the first bytes choose a type, the settings and how the rows are cut, the
 * rest are the values of simple types and the seed of all others. What can be encoded must come back
 * as equal rows of the same type, whole and in spans, and the same input must give the same bytes.
 */
#include "fuzz.h"

#include <string.h>

#include <armillaria/parquet.h>

#include "arrow/schema_text.h"
#include "arrow/stream.h"
#include "arrow_model.h"
#include "base/bits.h"
#include "parquet/parquet_decode.h"

#define HEAD 12

static const char *const codecs[] = {"auto",     "none", "snappy", "gzip:1",
                                     "brotli:1", "zstd", "lz4_raw"};

struct input {
    const uint8_t *data;
    size_t size, at;
};

/* Up to `size` bytes of the input, the rest zeros. */
static void take(struct input *in, uint8_t *out, size_t size)
{
    size_t n = in->size - in->at < size ? in->size - in->at : size;
    memset(out, 0, size);
    if (n > 0)
        memcpy(out, in->data + in->at, n);
    in->at += n;
}

static bool takes_any_bits(enum armi_type type)
{
    return armi_type_is_integer(type) || armi_type_is_float(type) ||
           type == ARMI_TYPE_TIMESTAMP || type == ARMI_TYPE_DATE32;
}

static size_t type_count(void)
{
    size_t n = 0;
    while (model_types[n] != NULL)
        n++;
    return n;
}

/* A value of the input's own bytes where the type allows any; text stays below 0x80. */
static struct model_value make_value(struct model *model, const struct armi_field *field,
                                     struct input *in, struct model_random *random,
                                     unsigned nulls)
{
    const struct armi_field *value = armi_field_value(field);
    struct model_value v = model_random_value(model, field, random, nulls);
    if (v.is_null || in->at >= in->size)
        return v;
    if (takes_any_bits(value->type)) {
        take(in, v.bytes, v.size);
    } else if (armi_type_is_binary(value->type) && value->type != ARMI_TYPE_FIXED_BINARY) {
        uint8_t length;
        take(in, &length, 1);
        v.size = v.size < length ? v.size : length;
        take(in, v.bytes, v.size);
        for (size_t i = 0; i < v.size && armi_type_is_utf8(value->type); i++)
            v.bytes[i] &= 0x7f;
    }
    return v;
}

/* The rows as a stream of batches of `step`; two calls give other layouts of equal rows. */
static void make_stream(struct model *model, const struct armi_field *schema,
                        const struct model_value *rows, size_t count, size_t step,
                        struct model_random *random, struct ArrowArrayStream *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArray batches[64];
    size_t n = 0;
    if (step == 0 || (count + step - 1) / step > 64)
        step = count / 32 + 1;
    for (size_t at = 0; at < count || n == 0; at += step, n++) {
        size_t length = count - at < step ? count - at : step;
        struct ArrowArray column = {0};
        model_build(model, &schema->children[0], rows + at, length,
                    n % 2 == 0 ? MODEL_NOISE : MODEL_PLAIN, random, &column);
        FUZZ_CHECK(armi_arrow_array_batch(schema, (int64_t)length, &column, &batches[n],
                                          &err) == ARMI_OK);
    }
    FUZZ_CHECK(armi_stream_from_arrays(schema, batches, n, out, &err) == ARMI_OK);
}

static void check_rows(struct model *model, struct armi_parquet_file *file,
                       const struct model_value *rows, size_t count, int64_t first,
                       int64_t batch_rows)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_parquet_decode_options o = ARMI_PARQUET_DECODE_OPTIONS_INIT;
    struct ArrowArrayStream stream = {0};
    size_t at = (size_t)first;
    o.threads = 1;
    o.first_row = first;
    o.batch_rows = batch_rows;
    FUZZ_CHECK(armi_parquet_file_read(file, &o, &stream, &err) == ARMI_OK);
    for (;;) {
        struct ArrowArray batch = {0};
        struct armi_array view;
        enum armi_status status = armi_stream_next(&stream, &batch, &err);
        if (status != ARMI_OK)
            fprintf(stderr, "not read back: %s\n", err.message);
        FUZZ_CHECK(status == ARMI_OK);
        if (batch.release == NULL)
            break;
        status = armi_array_init_batch(armi_pq_file_root(file), &batch, ARMI_VALIDATE_FULL,
                                       &view, &err);
        if (status != ARMI_OK)
            fprintf(stderr, "unsound: %s\n", err.message);
        FUZZ_CHECK(status == ARMI_OK);
        size_t n = (size_t)view.length;
        FUZZ_CHECK(n <= count - at);
        model_assert(model, &view.children[0], 0, rows + at, n, "read back");
        at += n;
        armi_array_release(&view);
        batch.release(&batch);
    }
    FUZZ_CHECK(at == count);
    armi_stream_release(&stream);
}

static enum armi_status encode(struct model *model, const struct armi_field *schema,
                               const struct model_value *rows, size_t count, size_t step,
                               uint64_t seed,
                               const struct armi_parquet_encode_options *options,
                               struct armi_bytes *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct model_random random = {seed};
    struct ArrowArrayStream stream = {0};
    make_stream(model, schema, rows, count, step, &random, &stream);
    enum armi_status status = armi_parquet_encode(&stream, options, out, &err);
    FUZZ_CHECK(status == ARMI_OK || err.message[0] != '\0');
    return status;
}

/* Indices of one byte tell no more than 128 kinds apart. */
static bool has_narrow_keys(const struct armi_field *field)
{
    bool any = field->type == ARMI_TYPE_DICTIONARY && armi_field_byte_width(field) == 1;
    for (size_t i = 0; i < field->child_count && !any; i++)
        any = has_narrow_keys(&field->children[i]);
    return any;
}

/* Run-end arrays are read back as their values. */
static bool has_runs(const struct armi_field *field)
{
    bool any = field->type == ARMI_TYPE_RUN_END;
    for (size_t i = 0; i < field->child_count && !any; i++)
        any = has_runs(&field->children[i]);
    return any;
}

/* As many rows as are null, or are not, by a predicate: whole columns of any type are selected from. */
static void check_filter(struct armi_parquet_file *file, const struct model_value *rows,
                         size_t count, bool nulls)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_parquet_decode_options o = ARMI_PARQUET_DECODE_OPTIONS_INIT;
    struct ArrowArrayStream stream = {0};
    size_t want = 0, got = 0;
    for (size_t i = 0; i < count; i++)
        want += rows[i].is_null == nulls;
    o.threads = 1;
    o.where = nulls ? "c is null" : "c is not null";
    FUZZ_CHECK(armi_parquet_file_read(file, &o, &stream, &err) == ARMI_OK);
    for (;;) {
        struct ArrowArray batch = {0};
        struct armi_array view;
        FUZZ_CHECK(armi_stream_next(&stream, &batch, &err) == ARMI_OK);
        if (batch.release == NULL)
            break;
        FUZZ_CHECK(armi_array_init_batch(armi_pq_file_root(file), &batch,
                                         ARMI_VALIDATE_FULL, &view, &err) == ARMI_OK);
        got += (size_t)view.length;
        armi_array_release(&view);
        batch.release(&batch);
    }
    FUZZ_CHECK(got == want);
    armi_stream_release(&stream);
}

static void round_trip(struct model *model, const struct armi_field *schema,
                       const struct model_value *rows, size_t count, const uint8_t *head,
                       const struct armi_parquet_encode_options *options)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_bytes bytes = {0}, again = {0};
    struct armi_parquet_file *file = NULL;
    if (encode(model, schema, rows, count, head[6], head[7], options, &bytes) != ARMI_OK)
        return;
    /* Not always, so that more inputs are seen: the other layout is the same data, so the same bytes. */
    if (head[7] % 4 == 0) {
        FUZZ_CHECK(encode(model, schema, rows, count, head[6], (uint64_t)head[7] + 256,
                          options, &again) == ARMI_OK);
        FUZZ_CHECK(bytes.size == again.size &&
                   memcmp(bytes.data, again.data, bytes.size) == 0);
        again.release(&again);
    }
    FUZZ_CHECK(armi_parquet_file_open(&bytes, &file, &err) == ARMI_OK);
    FUZZ_CHECK(has_runs(&schema->children[0]) ||
               armi_field_equal(&armi_pq_file_root(file)->children[0], &schema->children[0],
                                ARMI_EQUAL_NAMES));
    FUZZ_CHECK(armi_parquet_file_rows(file) == (int64_t)count);
    check_rows(model, file, rows, count, 0, 0);
    if (count > 0 && head[9] > 0)
        check_rows(model, file, rows, count, (int64_t)(head[8] % count), head[9]);
    if (head[8] % 4 == 0)
        check_filter(file, rows, count, (head[8] & 4) != 0);
    armi_parquet_file_close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct armi_error err = ARMI_ERROR_INIT;
    if (size < HEAD)
        return 0;
    struct input in = {data, size, HEAD};
    struct model model = {0};
    struct model_random random = {armi_load16(data + 10)};
    struct armi_field schema, field;
    /* Few rows mostly: an input costs what its rows do, and most of what can go wrong needs few. */
    bool is_large = data[5] >= 0xe0;
    size_t count = is_large ? armi_load16(data + 4) % 1200 : data[4] % 72;
    static const char *const bloom[] = {"c"};
    struct armi_parquet_encode_options options = ARMI_PARQUET_ENCODE_OPTIONS_INIT;
    options.compression = codecs[data[1] % (sizeof codecs / sizeof codecs[0])];
    options.profile = data[2] % 3;
    options.no_dictionary = (data[2] & 0x10) != 0;
    options.no_page_index = (data[2] & 0x20) != 0;
    options.no_checksum = (data[2] & 0x80) != 0;
    options.bloom_columns = bloom;
    options.bloom_column_count = (data[2] & 8) != 0;
    options.threads = 1;
    FUZZ_CHECK(armi_type_parse(model_types[data[0] % type_count()], &field, &err) ==
               ARMI_OK);
    FUZZ_CHECK(armi_field_set_name(&field, "c", &err) == ARMI_OK);
    FUZZ_CHECK(armi_field_init_schema(&schema, &err) == ARMI_OK);
    FUZZ_CHECK(armi_field_add_child(&schema, &field, &err) == ARMI_OK);
    if (has_narrow_keys(&schema))
        count %= 60;
    options.row_group_rows = (data[2] & 0x40) != 0 ? 1 + count / 3 : 0;
    struct model_value *rows = calloc(count + 1, sizeof *rows);
    FUZZ_CHECK(rows != NULL);
    for (size_t i = 0; i < count; i++)
        rows[i] = data[3] & 0x80 && i > 0 && model_below(&random, 4) != 0
                      ? rows[i - 1 - model_below(&random, i < 9 ? i : 9)]
                      : make_value(&model, &schema.children[0], &in, &random, data[3] % 17);
    round_trip(&model, &schema, rows, count, data, &options);
    free(rows);
    model_release(&model);
    armi_field_release(&schema);
    return 0;
}
