#include "parquet/dec_values.h"

#include <string.h>

#include "arrow/field.h"
#include "base/alloc.h"
#include "base/bits.h"
#include "base/checked.h"
#include "base/text.h"
#include "parquet/dec_convert.h"
#include "parquet/dec_delta.h"
#include "parquet/dec_rle.h"
#include "parquet/parquet_dispatch.h"

#define BLOCK 1024 /* indices at a time */

void armi_pq_values_sink(const struct armi_pq_leaf *leaf, struct armi_pq_budget *budget,
                         struct armi_pq_sink *sink)
{
    const struct armi_field *field = armi_field_value(leaf->field);
    enum armi_pq_sink_kind kind = ARMI_PQ_SINK_FIXED;
    if (leaf->convert == ARMI_PQ_NULL)
        kind = ARMI_PQ_SINK_NONE;
    else if (leaf->convert == ARMI_PQ_BOOL)
        kind = ARMI_PQ_SINK_BITS;
    else if (leaf->convert == ARMI_PQ_BYTES && field->type != ARMI_TYPE_FIXED_BINARY)
        kind = armi_type_layout(field->type) == ARMI_LAYOUT_BINARY32 ? ARMI_PQ_SINK_BYTES32
                                                                     : ARMI_PQ_SINK_BYTES64;
    armi_pq_sink_init(sink, kind, kind == ARMI_PQ_SINK_FIXED ? leaf->arrow_width : 0,
                      budget);
}

static enum armi_status cut_off(const struct armi_pq_span *span, size_t width,
                                struct armi_error *err)
{
    return armi_error_set(err, ARMI_CORRUPTION,
                          "%zu values of %zu bytes do not lie in %zu bytes", span->total,
                          width, span->bytes.size);
}

static enum armi_status bad_encoding(const struct armi_pq_leaf *leaf, int encoding,
                                     struct armi_error *err)
{
    return armi_error_set(
        err, encoding >= ARMI_PQ_ENCODING_COUNT ? ARMI_UNSUPPORTED : ARMI_CORRUPTION,
        "encoding %s (%d) of %s is not read", armi_pq_encoding_name(encoding), encoding,
        armi_pq_type_name(leaf->physical));
}

/* Where a page's values go: to `dst` as they are stored where they have a fixed width, else behind
 * what is in the sink. */
struct target {
    const struct armi_pq_leaf *leaf;
    uint8_t *dst;
    struct armi_pq_sink *sink;
    struct armi_pq_scratch *scratch;
};

/* ---- fixed width ---- */

static enum armi_status fixed_plain(const struct armi_pq_span *span, const struct target *t,
                                    struct armi_error *err)
{
    size_t need, width = armi_pq_physical_width(t->leaf);
    if (!armi_size_mul(span->total, width, &need) || need > span->bytes.size)
        return cut_off(span, width, err);
    if (span->count > 0 && width > 0)
        memcpy(t->dst, span->bytes.data + span->skip * width, span->count * width);
    return ARMI_OK;
}

static void split_join32(const uint8_t *src, size_t stride, size_t count, uint8_t *dst)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t v = 0;
        for (unsigned b = 0; b < 4; b++)
            v |= (uint32_t)src[b * stride + i] << (8 * b);
        armi_store32(dst + 4 * i, v);
    }
}

static void split_join64(const uint8_t *src, size_t stride, size_t count, uint8_t *dst)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t v = 0;
        for (unsigned b = 0; b < 8; b++)
            v |= (uint64_t)src[b * stride + i] << (8 * b);
        armi_store64(dst + 8 * i, v);
    }
}

/* BYTE_STREAM_SPLIT: first all first bytes, then all second ones, and so on. */
static enum armi_status fixed_split(const struct armi_pq_span *span, const struct target *t,
                                    struct armi_error *err)
{
    size_t need, width = armi_pq_physical_width(t->leaf);
    uint8_t *dst = t->dst;
    if (!armi_size_mul(span->total, width, &need) || need != span->bytes.size)
        return cut_off(span, width, err);
    const uint8_t *src = span->bytes.data + span->skip;
    if (span->count == 0)
        return ARMI_OK;
    if (width == 4)
        split_join32(src, span->total, span->count, dst);
    else if (width == 8)
        split_join64(src, span->total, span->count, dst);
    else
        for (size_t b = 0; b < width; b++)
            for (size_t i = 0; i < span->count; i++)
                dst[i * width + b] = src[b * span->total + i];
    return ARMI_OK;
}

/* A page read in part is decoded whole beside, since every value leans on those before it. */
static enum armi_status fixed_delta(const struct armi_pq_span *span, const struct target *t,
                                    struct armi_error *err)
{
    size_t width = armi_pq_physical_width(t->leaf);
    const struct armi_pq_budget *budget = t->sink->budget;
    struct armi_pq_delta header;
    ARMI_TRY(armi_pq_delta_init(&header, span->bytes, err));
    if (header.total != span->total)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "%llu delta values where the page has %zu",
                              (unsigned long long)header.total, span->total);
    bool whole = span->count == span->total;
    uint8_t *all = t->dst;
    if (!whole) {
        if (budget != NULL && span->total > budget->max / width)
            return armi_error_set(err, ARMI_LIMIT,
                                  "a page of %zu values is beyond max_bytes", span->total);
        ARMI_TRY(
            armi_pq_scratch_need(&t->scratch->lengths, span->total * width, &all, err));
    }
    void *values = all;
    if (width == 4)
        ARMI_TRY(armi_pq_delta_read32(span->bytes, values, span->total, NULL, err));
    else
        ARMI_TRY(armi_pq_delta_read64(span->bytes, values, span->total, NULL, err));
    if (!whole && span->count > 0)
        memcpy(t->dst, all + span->skip * width, span->count * width);
    return ARMI_OK;
}

/* Byte arrays that must all have one length: DELTA_BYTE_ARRAY of a fixed-length type. */
static enum armi_status fixed_from_bytes(const struct armi_pq_span *span,
                                         const struct target *t, struct armi_error *err)
{
    size_t width = armi_pq_physical_width(t->leaf);
    struct armi_pq_sink bytes;
    armi_pq_sink_init(&bytes, ARMI_PQ_SINK_BYTES32, 0, t->sink->budget);
    enum armi_status status = armi_pq_sink_reserve(&bytes, span->count, span->count, err);
    if (status == ARMI_OK)
        status = armi_pq_bytes_delta(span, &bytes, t->scratch, err);
    for (size_t i = 0; status == ARMI_OK && i < span->count; i++) {
        uint32_t from = armi_load32(bytes.values + 4 * i),
                 to = armi_load32(bytes.values + 4 * i + 4);
        if (to - from != width)
            status = armi_error_set(err, ARMI_CORRUPTION,
                                    "a value of %u bytes where the type has %zu", to - from,
                                    width);
        else if (width > 0)
            memcpy(t->dst + i * width, bytes.data + from, width);
    }
    armi_pq_sink_release(&bytes);
    return status;
}

/* ---- booleans ---- */

static enum armi_status bits_plain(const struct armi_pq_span *span, const struct target *t,
                                   struct armi_error *err)
{
    if (armi_bitmap_size(span->total) > span->bytes.size)
        return armi_error_set(err, ARMI_CORRUPTION, "%zu booleans do not lie in %zu bytes",
                              span->total, span->bytes.size);
    armi_pq_bits_append(t->sink->values, t->sink->length, span->bytes.data, span->skip,
                        span->count);
    return ARMI_OK;
}

static enum armi_status bits_rle(const struct armi_pq_span *span, const struct target *t,
                                 struct armi_error *err)
{
    size_t ones;
    if (span->total == 0)
        return ARMI_OK;
    struct armi_reader in = armi_reader_init(span->bytes);
    uint32_t size;
    struct armi_pq_rle rle;
    if (!armi_read_u32(&in, &size) || size > armi_reader_left(&in))
        return armi_error_set(err, ARMI_CORRUPTION, "the booleans' runs are cut off");
    ARMI_TRY(armi_pq_rle_init(&rle, (struct armi_slice){in.pos, size}, 1, err));
    ARMI_TRY(armi_pq_rle_skip(&rle, span->skip, err));
    return armi_pq_rle_read_bits(&rle, t->sink->values, t->sink->length, span->count, &ones,
                                 err);
}

/* ---- byte arrays ---- */

static enum armi_status bytes_plain(const struct armi_pq_span *span, const struct target *t,
                                    struct armi_error *err)
{
    return armi_pq_bytes_plain(span, t->sink, t->scratch, err);
}

static enum armi_status bytes_delta_length(const struct armi_pq_span *span,
                                           const struct target *t, struct armi_error *err)
{
    return armi_pq_bytes_delta_length(span, t->sink, t->scratch, err);
}

static enum armi_status bytes_delta(const struct armi_pq_span *span, const struct target *t,
                                    struct armi_error *err)
{
    return armi_pq_bytes_delta(span, t->sink, t->scratch, err);
}

/* ---- which encoding a physical type may have, dictionaries apart ---- */

#define TYPE(physical) (1u << (physical))
#define NUMBERS        (TYPE(ARMI_PQ_INT32) | TYPE(ARMI_PQ_INT64))
#define SPLIT          (NUMBERS | TYPE(ARMI_PQ_FLOAT) | TYPE(ARMI_PQ_DOUBLE) | TYPE(ARMI_PQ_FIXED))

static const struct decoding {
    int encoding;
    unsigned types;
    enum armi_status (*read)(const struct armi_pq_span *span, const struct target *t,
                             struct armi_error *err);
} decodings[] = {
    {ARMI_PQ_PLAIN, SPLIT | TYPE(ARMI_PQ_INT96), fixed_plain},
    {ARMI_PQ_PLAIN, TYPE(ARMI_PQ_BOOLEAN), bits_plain},
    {ARMI_PQ_PLAIN, TYPE(ARMI_PQ_BYTE_ARRAY), bytes_plain},
    {ARMI_PQ_RLE, TYPE(ARMI_PQ_BOOLEAN), bits_rle},
    {ARMI_PQ_DELTA_BINARY_PACKED, NUMBERS, fixed_delta},
    {ARMI_PQ_DELTA_LENGTH_BYTE_ARRAY, TYPE(ARMI_PQ_BYTE_ARRAY), bytes_delta_length},
    {ARMI_PQ_DELTA_BYTE_ARRAY, TYPE(ARMI_PQ_BYTE_ARRAY), bytes_delta},
    {ARMI_PQ_DELTA_BYTE_ARRAY, TYPE(ARMI_PQ_FIXED), fixed_from_bytes},
    {ARMI_PQ_BYTE_STREAM_SPLIT, SPLIT, fixed_split},
};

static enum armi_status decode(int encoding, const struct armi_pq_span *span,
                               const struct target *t, struct armi_error *err)
{
    for (size_t i = 0; i < sizeof decodings / sizeof decodings[0]; i++)
        if (decodings[i].encoding == encoding &&
            (decodings[i].types & TYPE(t->leaf->physical)) != 0)
            return decodings[i].read(span, t, err);
    return bad_encoding(t->leaf, encoding, err);
}

/* ---- stored values to Arrow's ---- */

static enum armi_status read_fixed(const struct armi_pq_leaf *leaf, int encoding,
                                   const struct armi_pq_span *span,
                                   struct armi_pq_sink *sink,
                                   struct armi_pq_scratch *scratch, struct armi_error *err)
{
    size_t width = armi_pq_physical_width(leaf);
    uint8_t *dst = sink->values + sink->length * sink->width;
    if (armi_pq_convert_is_copy(leaf) && width == sink->width)
        return decode(encoding, span, &(struct target){leaf, dst, sink, scratch}, err);
    uint8_t *raw;
    size_t size;
    if (!armi_size_mul(span->count, width, &size) ||
        (sink->budget != NULL && size > sink->budget->max))
        return armi_error_set(err, ARMI_LIMIT, "a page of %zu values is beyond max_bytes",
                              span->count);
    ARMI_TRY(armi_pq_scratch_need(&scratch->values, size, &raw, err));
    ARMI_TRY(decode(encoding, span, &(struct target){leaf, raw, sink, scratch}, err));
    return armi_pq_convert_fixed(leaf, raw, span->count, dst, err);
}

bool armi_pq_utf8_check(const uint8_t *data, const void *offsets, bool is_64, size_t count)
{
    const uint32_t *o32 = offsets;
    const uint64_t *o64 = offsets;
    uint64_t from = is_64 ? o64[0] : o32[0], to = is_64 ? o64[count] : o32[count];
    if (from == to || armi_pq_kernels()->is_ascii(data + from, (size_t)(to - from)))
        return true;
    if (!armi_utf8_valid(data + from, (size_t)(to - from)))
        return false;
    /* All of it is: each value is, if none begins inside a character. */
    for (size_t i = 1; i < count; i++) {
        uint64_t at = is_64 ? o64[i] : o32[i];
        if (at < to && (data[at] & 0xc0) == 0x80)
            return false;
    }
    return true;
}

/* Byte arrays that become values of a fixed width. */
static enum armi_status read_bytes_fixed(const struct armi_pq_leaf *leaf, int encoding,
                                         const struct armi_pq_span *span,
                                         struct armi_pq_sink *sink,
                                         struct armi_pq_scratch *scratch,
                                         struct armi_error *err)
{
    struct armi_pq_sink bytes;
    armi_pq_sink_init(&bytes, ARMI_PQ_SINK_BYTES32, 0, sink->budget);
    uint8_t *dst = sink->values + sink->length * sink->width;
    enum armi_status status = armi_pq_sink_reserve(&bytes, span->count, span->count, err);
    if (status == ARMI_OK)
        status = decode(encoding, span, &(struct target){leaf, NULL, &bytes, scratch}, err);
    for (size_t i = 0; status == ARMI_OK && i < span->count; i++) {
        uint32_t from = armi_load32(bytes.values + 4 * i),
                 to = armi_load32(bytes.values + 4 * i + 4);
        bool fits = leaf->convert == ARMI_PQ_DECIMAL_BYTES
                        ? armi_pq_decimal_from_bytes(bytes.data + from, to - from,
                                                     dst + i * sink->width, sink->width)
                        : to == from; /* fixed-size binary of no bytes */
        if (!fits)
            status = armi_error_set(
                err, ARMI_CORRUPTION,
                "value %zu of the page, which has %u bytes, does not fit", i, to - from);
    }
    armi_pq_sink_release(&bytes);
    if (status == ARMI_OK && leaf->convert == ARMI_PQ_DECIMAL_BYTES)
        status = armi_pq_check_digits(leaf, dst, span->count, err);
    return status;
}

static enum armi_status text_error(const struct armi_pq_sink *sink, size_t count,
                                   struct armi_error *err)
{
    size_t i = 0;
    for (; i + 1 < count; i++) {
        size_t at = sink->length + i;
        bool is_64 = sink->kind == ARMI_PQ_SINK_BYTES64;
        const void *offsets = sink->values + at * (is_64 ? 8 : 4);
        uint64_t from = is_64 ? armi_load64(offsets) : armi_load32(offsets);
        const uint8_t *next = (const uint8_t *)offsets + (is_64 ? 8 : 4);
        uint64_t to = is_64 ? armi_load64(next) : armi_load32(next);
        if (!armi_utf8_valid(sink->data + from, (size_t)(to - from)))
            break;
    }
    return armi_error_set(err, ARMI_CORRUPTION, "value %zu of the page is not UTF-8", i);
}

static enum armi_status check_text(const struct armi_pq_sink *sink, size_t count,
                                   struct armi_error *err)
{
    bool is_64 = sink->kind == ARMI_PQ_SINK_BYTES64;
    const void *offsets = sink->values + sink->length * (is_64 ? 8 : 4);
    if (count == 0 || armi_pq_utf8_check(sink->data, offsets, is_64, count))
        return ARMI_OK;
    return text_error(sink, count, err);
}

/* ---- dictionaries ---- */

enum armi_status armi_pq_dictionary_read(const struct armi_pq_leaf *leaf,
                                         struct armi_slice bytes, size_t count,
                                         bool check_utf8, struct armi_pq_budget *budget,
                                         struct armi_pq_dictionary *out,
                                         struct armi_pq_scratch *scratch,
                                         struct armi_error *err)
{
    struct armi_pq_dictionary d = {.is_set = true};
    struct armi_pq_span span = {bytes, count, 0, count};
    if (leaf->physical == ARMI_PQ_BOOLEAN)
        return bad_encoding(leaf, ARMI_PQ_RLE_DICTIONARY, err);
    armi_pq_values_sink(leaf, budget, &d.values);
    if (d.values.kind == ARMI_PQ_SINK_BYTES64)
        d.values.kind = ARMI_PQ_SINK_BYTES32;
    size_t least = leaf->physical == ARMI_PQ_BYTE_ARRAY ? 4 : armi_pq_physical_width(leaf);
    if (least > 0 && count > bytes.size / least)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "%zu dictionary values do not lie in %zu bytes", count,
                              bytes.size);
    if (count > UINT32_MAX)
        return armi_error_set(err, ARMI_CORRUPTION, "a dictionary of %zu values", count);
    enum armi_status status = armi_pq_sink_reserve(&d.values, count, count, err);
    if (status == ARMI_OK)
        status = armi_pq_values_read(leaf, ARMI_PQ_PLAIN, &span, NULL, check_utf8,
                                     &d.values, scratch, err);
    if (status != ARMI_OK) {
        armi_pq_sink_release(&d.values);
        return status;
    }
    armi_pq_sink_close_page(&d.values, count, count);
    for (size_t i = 0; d.values.kind == ARMI_PQ_SINK_BYTES32 && i < count; i++) {
        const uint8_t *at = d.values.values + 4 * i;
        uint32_t length = armi_load32(at + 4) - armi_load32(at);
        d.longest = length > d.longest ? length : d.longest;
    }
    *out = d;
    return ARMI_OK;
}

void armi_pq_dictionary_release(struct armi_pq_dictionary *dictionary)
{
    armi_pq_sink_release(&dictionary->values);
    dictionary->is_set = false;
}

static void fill_fixed(uint8_t *dst, const uint8_t *value, size_t width, size_t count)
{
    if (width == 4) {
        uint32_t v = armi_load32(value);
        for (size_t i = 0; i < count; i++)
            armi_store32(dst + 4 * i, v);
    } else if (width == 8) {
        uint64_t v = armi_load64(value);
        for (size_t i = 0; i < count; i++)
            armi_store64(dst + 8 * i, v);
    } else {
        for (size_t i = 0; i < count; i++)
            memcpy(dst + i * width, value, width);
    }
}

static void gather_fixed(const uint8_t *values, size_t width, const uint32_t *indices,
                         size_t count, uint8_t *out)
{
    const void *dictionary = values;
    void *dst = out;
    switch (width) {
    case 1:
        for (size_t i = 0; i < count; i++)
            out[i] = values[indices[i]];
        return;
    case 2:
        for (size_t i = 0; i < count; i++)
            memcpy(out + 2 * i, values + 2 * (size_t)indices[i], 2);
        return;
    case 4:
        armi_pq_kernels()->gather32(dictionary, indices, dst, count);
        return;
    case 8:
        armi_pq_kernels()->gather64(dictionary, indices, dst, count);
        return;
    case 16:
        for (size_t i = 0; i < count; i++)
            memcpy(out + 16 * i, values + 16 * (size_t)indices[i], 16);
        return;
    default:
        for (size_t i = 0; i < count; i++)
            memcpy(out + i * width, values + (size_t)indices[i] * width, width);
    }
}

static enum armi_status indices_begin(const struct armi_pq_span *span,
                                      struct armi_pq_rle *rle, struct armi_error *err)
{
    if (span->bytes.size < 1)
        return armi_error_set(err, ARMI_CORRUPTION, "the indices have no bit width");
    struct armi_slice runs = {span->bytes.data + 1, span->bytes.size - 1};
    ARMI_TRY(armi_pq_rle_init(rle, runs, span->bytes.data[0], err));
    return armi_pq_rle_skip(rle, span->skip, err);
}

static enum armi_status bad_index(uint32_t index, size_t count, struct armi_error *err)
{
    return armi_error_set(err, ARMI_CORRUPTION, "index %u into a dictionary of %zu values",
                          index, count);
}

/* Runs are filled, packed groups unpacked to a block in cache, checked once by their maximum and
 * gathered from there. */
static enum armi_status read_gather(const struct armi_pq_span *span,
                                    const struct armi_pq_dictionary *dictionary,
                                    struct armi_pq_sink *sink, struct armi_error *err)
{
    struct armi_pq_rle rle;
    uint32_t block[BLOCK];
    size_t limit = dictionary->values.length, width = sink->width;
    uint8_t *dst = sink->values + sink->length * width;
    if (span->count == 0)
        return ARMI_OK;
    ARMI_TRY(indices_begin(span, &rle, err));
    for (size_t left = span->count; left > 0;) {
        ARMI_TRY(armi_pq_rle_next(&rle, err));
        size_t n = left < rle.left ? left : rle.left;
        if (rle.is_packed) {
            n = n < BLOCK ? n : BLOCK;
            armi_pq_rle_unpack(&rle, block, n);
            uint32_t top = armi_pq_kernels()->max32(block, n);
            if (top >= limit)
                return bad_index(top, limit, err);
            gather_fixed(dictionary->values.values, width, block, n, dst);
        } else {
            if (rle.value >= limit)
                return bad_index(rle.value, limit, err);
            fill_fixed(dst, dictionary->values.values + rle.value * width, width, n);
            rle.left -= n;
        }
        dst += n * width;
        left -= n;
    }
    return ARMI_OK;
}

enum armi_status armi_pq_indices_read(const struct armi_pq_span *span, size_t limit,
                                      uint32_t base, struct armi_pq_sink *sink,
                                      struct armi_error *err)
{
    struct armi_pq_rle rle;
    void *values = sink->values + 4 * sink->length;
    uint32_t *dst = values;
    if (span->count == 0)
        return ARMI_OK;
    ARMI_TRY(indices_begin(span, &rle, err));
    ARMI_TRY(armi_pq_rle_read(&rle, dst, span->count, err));
    uint32_t top = armi_pq_kernels()->max32(dst, span->count);
    if (top >= limit)
        return bad_index(top, limit, err);
    for (size_t i = 0; base > 0 && i < span->count; i++)
        dst[i] += base;
    return ARMI_OK;
}

static enum armi_status
read_dictionary(const struct armi_pq_leaf *leaf, const struct armi_pq_span *span,
                const struct armi_pq_dictionary *dictionary, struct armi_pq_sink *sink,
                struct armi_pq_scratch *scratch, struct armi_error *err)
{
    if (span->count == 0)
        return ARMI_OK;
    if (leaf->physical == ARMI_PQ_BOOLEAN)
        return bad_encoding(leaf, ARMI_PQ_RLE_DICTIONARY, err);
    if (dictionary == NULL || !dictionary->is_set)
        return armi_error_set(err, ARMI_CORRUPTION, "indices without a dictionary");
    if (sink->kind == ARMI_PQ_SINK_FIXED)
        return read_gather(span, dictionary, sink, err);
    const void *offsets = dictionary->values.values;
    struct armi_pq_bytes_dictionary bytes = {
        dictionary->values.data, offsets, dictionary->values.length, dictionary->longest};
    return armi_pq_bytes_gather(span, &bytes, sink, scratch, err);
}

enum armi_status armi_pq_values_read(const struct armi_pq_leaf *leaf, int encoding,
                                     const struct armi_pq_span *span,
                                     const struct armi_pq_dictionary *dictionary,
                                     bool check_utf8, struct armi_pq_sink *sink,
                                     struct armi_pq_scratch *scratch,
                                     struct armi_error *err)
{
    if (sink->kind == ARMI_PQ_SINK_NONE)
        return span->total == 0 ? ARMI_OK
                                : armi_error_set(err, ARMI_CORRUPTION,
                                                 "a value in a column of type null");
    if (encoding == ARMI_PQ_RLE_DICTIONARY || encoding == ARMI_PQ_PLAIN_DICTIONARY)
        return read_dictionary(leaf, span, dictionary, sink, scratch, err);
    if (leaf->physical == ARMI_PQ_BOOLEAN)
        return decode(encoding, span, &(struct target){leaf, NULL, sink, scratch}, err);
    if (leaf->physical != ARMI_PQ_BYTE_ARRAY)
        return read_fixed(leaf, encoding, span, sink, scratch, err);
    if (sink->kind == ARMI_PQ_SINK_FIXED)
        return read_bytes_fixed(leaf, encoding, span, sink, scratch, err);
    ARMI_TRY(decode(encoding, span, &(struct target){leaf, NULL, sink, scratch}, err));
    if (check_utf8 && armi_type_is_utf8(armi_field_value(leaf->field)->type))
        return check_text(sink, span->count, err);
    return ARMI_OK;
}
