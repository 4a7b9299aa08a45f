/*
 * Rows into the canonical streams of a fingerprint. Each function below takes one kind of node;
 * all of them see rows as positions of the array's own buffers. Recursion follows the type,
 * whose depth the import has bounded.
 */
#include "arrow/column_internal.h"
#include "arrow/compare.h"
#include "arrow/fingerprint_internal.h"
#include "base/alloc.h"

static enum armi_status node_update(struct armi_fingerprint_node *node,
                                    const struct armi_array *array, int64_t from,
                                    int64_t count, struct armi_error *err);

/*
 * Adds the rows' validity, given as bits from bit `at` on (NULL: all valid). The stream is begun
 * at the first null only, with ones for the rows before it: a column without nulls has none.
 */
static enum armi_status validity_add(struct armi_fingerprint_node *node,
                                     const uint8_t *bits, size_t at, int64_t count,
                                     int64_t nulls, struct armi_error *err)
{
    if (nulls > 0 && node->nulls == 0) {
        if (node->validity == NULL) {
            node->validity = armi_alloc(sizeof *node->validity);
            if (node->validity == NULL)
                return armi_error_no_memory(err);
        }
        armi_fp_stream_reset(node->validity);
        armi_fp_stream_bit_run(node->validity, true, (size_t)node->rows);
    }
    node->rows += (uint64_t)count;
    node->nulls += (uint64_t)nulls;
    if (node->nulls == 0)
        return ARMI_OK;
    if (nulls == 0)
        armi_fp_stream_bit_run(node->validity, true, (size_t)count);
    else
        armi_fp_stream_bits(node->validity, bits, at, (size_t)count);
    return ARMI_OK;
}

static void bits_add(struct armi_fingerprint_node *node, const struct armi_array *array,
                     int64_t from, int64_t count, int64_t nulls)
{
    size_t at = (size_t)(array->offset + from);
    if (nulls == 0) {
        armi_fp_stream_bits(node->first, array->values, at, (size_t)count);
        return;
    }
    uint8_t bits[COLUMN_BLOCK / 8], valid[COLUMN_BLOCK / 8];
    for (int64_t done = 0; done < count;) {
        size_t take = (size_t)rows_min(count - done, COLUMN_BLOCK);
        armi_bitmap_copy(bits, array->values, at + (size_t)done, take);
        armi_bitmap_copy(valid, array->validity, at + (size_t)done, take);
        for (size_t i = 0; i < armi_bitmap_size(take); i++)
            bits[i] &= valid[i];
        armi_fp_stream_bits(node->first, bits, 0, take);
        done += (int64_t)take;
    }
}

/* out[i] = the value where its bit is set, else zero; for i < count <= 64. */
#define MASK_VALUES(name, type)                                                            \
    static void name(type *out, const uint8_t *values, uint64_t valid, size_t count)       \
    {                                                                                      \
        for (size_t i = 0; i < count; i++) {                                               \
            type v;                                                                        \
            memcpy(&v, values + i * sizeof v, sizeof v);                                   \
            out[i] = (type)(v & (type)(0 - (type)((valid >> i) & 1)));                     \
        }                                                                                  \
    }
MASK_VALUES(mask_values8, uint8_t)
MASK_VALUES(mask_values16, uint16_t)
MASK_VALUES(mask_values32, uint32_t)
MASK_VALUES(mask_values64, uint64_t)

static void mask_values(uint8_t *out, const uint8_t *values, size_t width, uint64_t valid,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((valid >> i) & 1)
            memcpy(out + i * width, values + i * width, width);
        else
            memset(out + i * width, 0, width);
    }
}

/* Values wider than the scratch are written one by one. */
static void wide_add(struct armi_fingerprint_node *node, const struct armi_array *array,
                     int64_t from, int64_t count)
{
    size_t width = (size_t)node->width;
    for (int64_t i = from; i < from + count; i++) {
        if (armi_array_is_valid_bit(array, i))
            armi_fp_stream_write(node->first, armi_array_at(array, i), width);
        else
            armi_fp_stream_zeros(node->first, width);
    }
}

static void fixed_add(struct armi_fingerprint_node *node, const struct armi_array *array,
                      int64_t from, int64_t count, int64_t nulls)
{
    size_t width = (size_t)node->width;
    if (width == 0)
        return;
    const uint8_t *values = array->values + (size_t)(array->offset + from) * width;
    if (nulls == 0 || nulls == count) {
        if (nulls == 0)
            armi_fp_stream_write(node->first, values, (size_t)count * width);
        else
            armi_fp_stream_zeros(node->first, (size_t)count * width);
        return;
    }
    if (width > 32) {
        wide_add(node, array, from, count);
        return;
    }
    union {
        uint8_t bytes[64 * 32];
        uint16_t u16[64];
        uint32_t u32[64];
        uint64_t u64[64];
    } out;
    size_t at = (size_t)(array->offset + from), end = at + (size_t)count;
    for (; at < end; at += 64) {
        size_t take = end - at < 64 ? end - at : 64;
        uint64_t valid = bits_load64(array->validity, at, end);
        if (take == 64 && valid == UINT64_MAX) {
            armi_fp_stream_write(node->first, values, 64 * width);
            values += 64 * width;
            continue;
        }
        if (width == 8)
            mask_values64(out.u64, values, valid, take);
        else if (width == 4)
            mask_values32(out.u32, values, valid, take);
        else if (width == 2)
            mask_values16(out.u16, values, valid, take);
        else if (width == 1)
            mask_values8(out.bytes, values, valid, take);
        else
            mask_values(out.bytes, values, width, valid, take);
        armi_fp_stream_write(node->first, out.bytes, take * width);
        values += take * width;
    }
}

static enum armi_status refuse_length(const struct armi_array *array, int64_t length,
                                      struct armi_error *err)
{
    return armi_error_object(err, ARMI_LIMIT, "column", array->field->name,
                             "column \"%s\": a value of %lld bytes or elements is too long",
                             array->field->name, (long long)length);
}

/*
 * Lengths of the rows, zero for nulls, into the first stream. *garbage is set to the sum of
 * lengths that nulls have, which canonical form leaves out: mostly 0, and then the bytes or
 * elements of all rows are one run.
 */
static enum armi_status lengths_add(struct armi_fingerprint_node *node,
                                    const struct armi_array *array, int64_t from,
                                    int64_t count, int64_t nulls, int64_t *garbage,
                                    struct armi_error *err)
{
    uint32_t lengths[COLUMN_BLOCK];
    bool is_wide = armi_layout_is_wide(array->layout);
    int64_t dead = 0;
    for (int64_t done = 0; done < count;) {
        int64_t take = rows_min(count - done, COLUMN_BLOCK);
        size_t at = (size_t)(array->offset + from + done);
        if (is_wide) {
            const uint8_t *p = array->offsets + 8 * at;
            uint64_t high = 0;
            for (int64_t i = 0; i < take; i++) {
                uint64_t length = armi_load64(p + 8 * i + 8) - armi_load64(p + 8 * i);
                lengths[i] = (uint32_t)length;
                high |= length;
            }
            if (high > UINT32_MAX)
                return refuse_length(array, (int64_t)high, err);
        } else {
            const uint8_t *p = array->offsets + 4 * at;
            for (int64_t i = 0; i < take; i++)
                lengths[i] = armi_load32(p + 4 * i + 4) - armi_load32(p + 4 * i);
        }
        for (int64_t i = 0; nulls != 0 && i < take; i++) {
            uint32_t keep = 0u - (uint32_t)armi_bit_get(array->validity, at + (size_t)i);
            dead += lengths[i] & ~keep;
            lengths[i] &= keep;
        }
        armi_fp_stream_write(node->first, lengths, (size_t)take * sizeof lengths[0]);
        done += take;
    }
    *garbage = dead;
    return ARMI_OK;
}

static enum armi_status binary_add(struct armi_fingerprint_node *node,
                                   const struct armi_array *array, int64_t from,
                                   int64_t count, int64_t nulls, struct armi_error *err)
{
    int64_t garbage;
    ARMI_TRY(lengths_add(node, array, from, count, nulls, &garbage, err));
    size_t at = (size_t)(array->offset + from), end = at + (size_t)count;
    if (garbage == 0) {
        int64_t lo = armi_array_offset_at(array, (int64_t)at);
        int64_t hi = armi_array_offset_at(array, (int64_t)end);
        if (hi > lo)
            armi_fp_stream_write(node->second, array->values + lo, (size_t)(hi - lo));
        return ARMI_OK;
    }
    for (size_t run; bits_next_run(array->validity, true, end, &at, &run); at += run) {
        int64_t lo = armi_array_offset_at(array, (int64_t)at);
        int64_t hi = armi_array_offset_at(array, (int64_t)(at + run));
        if (hi > lo)
            armi_fp_stream_write(node->second, array->values + lo, (size_t)(hi - lo));
    }
    return ARMI_OK;
}

static void view_add(struct armi_fingerprint_node *node, const struct armi_array *array,
                     int64_t from, int64_t count)
{
    uint32_t lengths[COLUMN_BLOCK];
    for (int64_t done = 0; done < count;) {
        int64_t take = rows_min(count - done, COLUMN_BLOCK);
        for (int64_t i = 0; i < take; i++) {
            int64_t row = from + done + i;
            struct armi_slice bytes = {NULL, 0};
            if (armi_array_is_valid_bit(array, row))
                bytes = binary_at(array, row);
            lengths[i] = (uint32_t)bytes.size;
            armi_fp_stream_write(node->second, bytes.data, bytes.size);
        }
        armi_fp_stream_write(node->first, lengths, (size_t)take * sizeof lengths[0]);
        done += take;
    }
}

static enum armi_status list_add(struct armi_fingerprint_node *node,
                                 const struct armi_array *array, int64_t from,
                                 int64_t count, int64_t nulls, struct armi_error *err)
{
    const struct armi_array *items = &array->children[0];
    int64_t garbage;
    ARMI_TRY(lengths_add(node, array, from, count, nulls, &garbage, err));
    size_t at = (size_t)(array->offset + from), end = at + (size_t)count;
    if (garbage == 0) {
        int64_t lo = armi_array_offset_at(array, (int64_t)at);
        int64_t hi = armi_array_offset_at(array, (int64_t)end);
        return node_update(&node->children[0], items, lo, hi - lo, err);
    }
    for (size_t run; bits_next_run(array->validity, true, end, &at, &run); at += run) {
        int64_t lo = armi_array_offset_at(array, (int64_t)at);
        int64_t hi = armi_array_offset_at(array, (int64_t)(at + run));
        ARMI_TRY(node_update(&node->children[0], items, lo, hi - lo, err));
    }
    return ARMI_OK;
}

static enum armi_status list_view_add(struct armi_fingerprint_node *node,
                                      const struct armi_array *array, int64_t from,
                                      int64_t count, struct armi_error *err)
{
    for (int64_t i = from; i < from + count; i++) {
        int64_t lo, size;
        armi_array_list(array, i, &lo, &size);
        if (size > UINT32_MAX)
            return refuse_length(array, size, err);
        uint32_t length = (uint32_t)size;
        armi_fp_stream_write(node->first, &length, sizeof length);
        ARMI_TRY(node_update(&node->children[0], &array->children[0], lo, size, err));
    }
    return ARMI_OK;
}

/* The children's rows under valid rows: `step` of them a row, from position 0 on. */
static enum armi_status children_add(struct armi_fingerprint_node *node,
                                     const struct armi_array *array, int64_t from,
                                     int64_t count, int64_t nulls, int64_t step,
                                     struct armi_error *err)
{
    size_t at = (size_t)(array->offset + from), end = at + (size_t)count;
    for (size_t c = 0; c < node->child_count; c++) {
        const struct armi_array *child = &array->children[c];
        if (nulls == 0) {
            ARMI_TRY(node_update(&node->children[c], child, (int64_t)at * step,
                                 count * step, err));
            continue;
        }
        size_t run = 0;
        for (size_t p = at; bits_next_run(array->validity, true, end, &p, &run); p += run)
            ARMI_TRY(node_update(&node->children[c], child, (int64_t)p * step,
                                 (int64_t)run * step, err));
    }
    return ARMI_OK;
}

/* ---- dictionaries ---- */

enum {
    CODE_UNSEEN = -1,
    CODE_NULL = -2, /* the entry is null, so the row is */
};

/* As many entries as rows of this type could refer to in one array. */
static size_t codes_max(const struct armi_field *field)
{
    const struct armi_field *index = &field->children[0];
    int32_t bits = 8 * armi_field_byte_width(index) - armi_type_is_signed(index->type);
    return bits < 31 ? (size_t)1 << bits : INT32_MAX;
}

/* The code of an entry, by its value: a new value gets the next number and joins the entries. */
static enum armi_status code_of(struct armi_fingerprint_node *node,
                                const struct armi_array *array, int64_t index, int32_t *out,
                                struct armi_error *err)
{
    const struct armi_array *values = array->dictionary;
    if (armi_array_is_null(values, index)) {
        *out = CODE_NULL;
        return ARMI_OK;
    }
    struct armi_slice key;
    if (layout_is_binary(values->layout)) {
        key = binary_at(values, index);
    } else {
        armi_buf_clear(&node->key);
        ARMI_TRY(armi_compare_key(values, 1, index, &node->key, err));
        key = armi_buf_slice(&node->key);
    }
    uint64_t *code;
    bool is_new;
    ARMI_TRY(armi_map_insert(&node->entries, key, &code, &is_new, err));
    if (is_new) {
        if (node->entries.count > codes_max(array->field))
            return armi_error_object(
                err, ARMI_LIMIT, "column", array->field->name,
                "column \"%s\": more distinct values in one range than "
                "its dictionary's %s indices can number; take wider ones",
                array->field->name, armi_type_name(array->field->children[0].type));
        *code = node->entries.count - 1;
        ARMI_TRY(node_update(&node->children[0], values, index, 1, err));
    }
    *out = (int32_t)*code;
    return ARMI_OK;
}

/* Room for a code an entry; false where the dictionary is so much larger than the rows that each
 * row had better ask the map. */
static enum armi_status codes_prepare(struct armi_fingerprint_node *node, int64_t entries,
                                      int64_t count, bool *out, struct armi_error *err)
{
    *out = entries <= 4096 || entries / 4 <= count;
    if (!*out)
        return ARMI_OK;
    if ((size_t)entries > node->codes_capacity) {
        int32_t *codes = armi_alloc_array((size_t)entries, sizeof *codes);
        if (codes == NULL)
            return armi_error_no_memory(err);
        armi_free(node->codes);
        node->codes = codes;
        node->codes_capacity = (size_t)entries;
    }
    if (entries > 0)
        memset(node->codes, 0xff, (size_t)entries * sizeof *node->codes); /* CODE_UNSEEN */
    return ARMI_OK;
}

/* Codes of one block; clears the bits of rows whose entry is null and counts them. */
static enum armi_status codes_block(struct armi_fingerprint_node *node,
                                    const struct armi_array *array, const int64_t *indices,
                                    int64_t count, bool has_table, uint8_t *valid,
                                    uint32_t *codes, int64_t *nulls, struct armi_error *err)
{
    for (int64_t i = 0; i < count; i++) {
        codes[i] = 0;
        if (*nulls != 0 && !armi_bit_get(valid, (size_t)i))
            continue;
        int32_t code = has_table ? node->codes[indices[i]] : CODE_UNSEEN;
        if (code == CODE_UNSEEN) {
            ARMI_TRY(code_of(node, array, indices[i], &code, err));
            if (has_table)
                node->codes[indices[i]] = code;
        }
        if (code == CODE_NULL) {
            armi_bit_clear(valid, (size_t)i);
            ++*nulls;
            continue;
        }
        codes[i] = (uint32_t)code;
    }
    return ARMI_OK;
}

static enum armi_status dictionary_add(struct armi_fingerprint_node *node,
                                       const struct armi_array *array, int64_t from,
                                       int64_t count, struct armi_error *err)
{
    int64_t indices[COLUMN_BLOCK];
    uint32_t codes[COLUMN_BLOCK];
    uint8_t valid[COLUMN_BLOCK / 8];
    bool has_table;
    ARMI_TRY(codes_prepare(node, array->dictionary->length, count, &has_table, err));
    for (int64_t done = 0; done < count;) {
        int64_t take = rows_min(count - done, COLUMN_BLOCK);
        armi_column_indices(array, from + done, take, indices);
        int64_t nulls = armi_column_validity(array, from + done, take, valid);
        ARMI_TRY(
            codes_block(node, array, indices, take, has_table, valid, codes, &nulls, err));
        ARMI_TRY(validity_add(node, valid, 0, take, nulls, err));
        armi_fp_stream_write(node->first, codes, (size_t)take * sizeof codes[0]);
        done += take;
    }
    return ARMI_OK;
}

/* ---- any node ---- */

static enum armi_status run_end_add(struct armi_fingerprint_node *node,
                                    const struct armi_array *array, int64_t from,
                                    int64_t count, struct armi_error *err)
{
    for (int64_t done = 0; done < count;) {
        int64_t take = rows_min(count - done, 64 * COLUMN_BLOCK);
        struct armi_plain plain;
        ARMI_TRY(armi_plain_init(array, from + done, take, &plain, err));
        enum armi_status status = node_update(node, &plain.view, 0, take, err);
        armi_plain_release(&plain);
        ARMI_TRY(status);
        done += take;
    }
    return ARMI_OK;
}

static enum armi_status node_update(struct armi_fingerprint_node *node,
                                    const struct armi_array *array, int64_t from,
                                    int64_t count, struct armi_error *err)
{
    if (count == 0)
        return ARMI_OK;
    if (array->layout == ARMI_LAYOUT_RUN_END)
        return run_end_add(node, array, from, count, err);
    if (node->kind == FP_DICTIONARY)
        return dictionary_add(node, array, from, count, err);
    if (node->kind == FP_NULL) {
        node->rows += (uint64_t)count;
        node->nulls += (uint64_t)count;
        return ARMI_OK;
    }
    int64_t nulls = validity_nulls(array, from, count);
    ARMI_TRY(validity_add(node, array->validity, (size_t)(array->offset + from), count,
                          nulls, err));
    switch (node->kind) {
    case FP_BITS:
        bits_add(node, array, from, count, nulls);
        return ARMI_OK;
    case FP_FIXED:
        fixed_add(node, array, from, count, nulls);
        return ARMI_OK;
    case FP_BINARY:
        if (array->layout != ARMI_LAYOUT_VIEW)
            return binary_add(node, array, from, count, nulls, err);
        view_add(node, array, from, count);
        return ARMI_OK;
    case FP_LIST:
        if (array->layout == ARMI_LAYOUT_LIST32 || array->layout == ARMI_LAYOUT_LIST64)
            return list_add(node, array, from, count, nulls, err);
        return list_view_add(node, array, from, count, err);
    case FP_FIXED_LIST:
        return children_add(node, array, from, count, nulls, node->width, err);
    case FP_STRUCT:
        return children_add(node, array, from, count, nulls, 1, err);
    default:
        assert(false);
        return ARMI_OK;
    }
}

enum armi_status armi_fingerprint_node_update(struct armi_fingerprint_node *node,
                                              const struct armi_array *array, int64_t from,
                                              int64_t count, struct armi_error *err)
{
    return node_update(node, array, from, count, err);
}
