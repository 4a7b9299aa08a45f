/*
 * The frozen row hash (docs/format/row_hash.md). A value becomes a 64-bit hash by itself, so that
 * a dictionary's entries are hashed once; a row folds the hashes of its columns. fold() is one
 * widening multiplication: good spread for the gear hash behind it at a cycle or two a row.
 *
 * Nothing below may change the hash of any value, ever: boundaries of stored ranges hang on it.
 */
#include "arrow/row_hash.h"

#include "arrow/column_internal.h"
#include "base/alloc.h"

#define K0 UINT64_C(0x9e3779b97f4a7c15)
#define K1 UINT64_C(0xd1b54a32d192ed03)

#define HASH_NULL K0

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t hash_word(uint64_t v)
{
    return fold(v ^ K0, K1);
}

static inline uint64_t hash_bytes(const uint8_t *p, size_t size)
{
    uint64_t s = fold(size ^ K1, K0), a = 0, b = 0;
    if (size > 16) {
        size_t left = size;
        for (; left > 16; left -= 16, p += 16)
            s = fold(armi_load64(p) ^ K0 ^ s, armi_load64(p + 8) ^ K1);
        a = armi_load64(p + left - 16);
        b = armi_load64(p + left - 8);
    } else if (size >= 8) {
        a = armi_load64(p);
        b = armi_load64(p + size - 8);
    } else if (size >= 4) {
        a = armi_load32(p);
        b = armi_load32(p + size - 4);
    } else if (size > 0) {
        a = ((uint64_t)p[0] << 16) | ((uint64_t)p[size / 2] << 8) | p[size - 1];
    }
    return fold(a ^ K0 ^ s, b ^ K1);
}

uint64_t armi_row_hash_bytes(const void *data, size_t size)
{
    return hash_bytes(data, size);
}

/* `words` 64-bit words of two's complement, sign-extended: 2, or 4 if it needs them. */
static uint64_t hash_decimal(const uint8_t *p, size_t width)
{
    uint64_t w[4];
    for (size_t i = 0; i < 4; i++) {
        if (8 * i + 8 <= width)
            w[i] = armi_load64(p + 8 * i);
        else if (i == 0)
            w[i] = (uint64_t)(int64_t)(int32_t)armi_load32(p);
        else
            w[i] = (uint64_t)0 - (w[i - 1] >> 63);
    }
    uint64_t s = fold(w[0] ^ K0, w[1] ^ K1), sign = (uint64_t)0 - (w[1] >> 63);
    return w[2] == sign && w[3] == sign ? s : fold(w[2] ^ K0 ^ s, w[3] ^ K1);
}

static enum armi_status hash_column(const struct armi_array *array, int64_t from,
                                    int64_t count, uint64_t *out, struct armi_error *err);

/* Whether a value of the type is hashed as the sign-extended number rather than its bits. */
static bool is_signed_number(enum armi_type type)
{
    switch (type) {
    case ARMI_TYPE_DATE32:
    case ARMI_TYPE_DATE64:
    case ARMI_TYPE_TIME32:
    case ARMI_TYPE_TIME64:
    case ARMI_TYPE_TIMESTAMP:
    case ARMI_TYPE_DURATION:
    case ARMI_TYPE_INTERVAL_MONTHS:
        return true;
    default:
        return armi_type_is_integer(type) && armi_type_is_signed(type);
    }
}

static void hash_fixed(const struct armi_array *array, int64_t from, int64_t count,
                       uint64_t *out)
{
    enum armi_type type = array->field->type;
    size_t width = (size_t)array->width;
    const uint8_t *p = array->values + (size_t)(array->offset + from) * width;
    bool is_signed = is_signed_number(type);
    bool is_word = is_signed || armi_type_is_integer(type) || armi_type_is_float(type);
    if (armi_type_is_decimal(type)) {
        for (int64_t i = 0; i < count; i++)
            out[i] = hash_decimal(p + (size_t)i * width, width);
    } else if (!is_word) {
        for (int64_t i = 0; i < count; i++)
            out[i] = hash_bytes(p + (size_t)i * width, width);
    } else if (width == 8) {
        for (int64_t i = 0; i < count; i++)
            out[i] = hash_word(armi_load64(p + 8 * i));
    } else if (width == 4) {
        for (int64_t i = 0; i < count; i++) {
            uint32_t v = armi_load32(p + 4 * i);
            out[i] = hash_word(is_signed ? (uint64_t)(int64_t)(int32_t)v : v);
        }
    } else if (width == 2) {
        for (int64_t i = 0; i < count; i++) {
            uint16_t v = armi_load16(p + 2 * i);
            out[i] = hash_word(is_signed ? (uint64_t)(int64_t)(int16_t)v : v);
        }
    } else {
        for (int64_t i = 0; i < count; i++)
            out[i] = hash_word(is_signed ? (uint64_t)(int64_t)(int8_t)p[i] : p[i]);
    }
}

static void hash_binary(const struct armi_array *array, int64_t from, int64_t count,
                        uint64_t *out)
{
    for (int64_t i = 0; i < count; i++) {
        struct armi_slice bytes = {NULL, 0};
        if (armi_array_is_valid_bit(array, from + i))
            bytes = binary_at(array, from + i);
        out[i] = hash_bytes(bytes.data, bytes.size);
    }
}

/* Elements of one row, in their order, folded into *s. */
static enum armi_status hash_elements(const struct armi_array *items, int64_t from,
                                      int64_t count, uint64_t *s, struct armi_error *err)
{
    uint64_t block[64];
    for (int64_t done = 0; done < count;) {
        int64_t take = rows_min(count - done, 64);
        ARMI_TRY(hash_column(items, from + done, take, block, err));
        for (int64_t i = 0; i < take; i++)
            *s = fold(*s ^ block[i], K0);
        done += take;
    }
    return ARMI_OK;
}

static enum armi_status hash_list(const struct armi_array *array, int64_t from,
                                  int64_t count, uint64_t *out, struct armi_error *err)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t at = (array->offset + from + i) * array->field->width;
        int64_t size = array->field->width;
        if (!armi_array_is_valid_bit(array, from + i))
            size = 0;
        else if (array->layout != ARMI_LAYOUT_FIXED_LIST)
            armi_array_list(array, from + i, &at, &size);
        out[i] = hash_word((uint64_t)size);
        ARMI_TRY(hash_elements(&array->children[0], at, size, &out[i], err));
    }
    return ARMI_OK;
}

static enum armi_status hash_struct(const struct armi_array *array, int64_t from,
                                    int64_t count, uint64_t *out, struct armi_error *err)
{
    uint64_t block[64];
    for (int64_t done = 0; done < count;) {
        int64_t take = rows_min(count - done, 64);
        for (int64_t i = 0; i < take; i++)
            out[done + i] = K1;
        for (size_t c = 0; c < array->child_count; c++) {
            ARMI_TRY(hash_column(&array->children[c], array->offset + from + done, take,
                                 block, err));
            for (int64_t i = 0; i < take; i++)
                out[done + i] = fold(out[done + i] ^ block[i], K0);
        }
        done += take;
    }
    return ARMI_OK;
}

/* Hashes of a dictionary's entries, so that rows look theirs up; NULL where there are many more
 * entries than rows. Owned by the caller. */
static enum armi_status hash_entries(const struct armi_array *array, int64_t count,
                                     uint64_t **out, struct armi_error *err)
{
    const struct armi_array *values = array->dictionary;
    *out = NULL;
    if (values->length == 0 || values->length / 2 > count)
        return ARMI_OK;
    uint64_t *entries = armi_alloc_array((size_t)values->length, sizeof *entries);
    if (entries == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = hash_column(values, 0, values->length, entries, err);
    if (status == ARMI_OK)
        *out = entries;
    else
        armi_free(entries);
    return status;
}

static void put_nulls(const struct armi_array *array, int64_t from, int64_t count,
                      uint64_t *out);

/* `entries` as hash_entries gave them; count <= COLUMN_BLOCK. */
static enum armi_status hash_indices(const struct armi_array *array,
                                     const uint64_t *entries, int64_t from, int64_t count,
                                     uint64_t *out, struct armi_error *err)
{
    int64_t indices[COLUMN_BLOCK];
    armi_column_indices(array, from, count, indices);
    for (int64_t i = 0; i < count; i++) {
        if (entries != NULL)
            out[i] = entries[indices[i]];
        else if (armi_array_is_valid_bit(array, from + i))
            ARMI_TRY(hash_column(array->dictionary, indices[i], 1, &out[i], err));
        else
            out[i] = HASH_NULL;
    }
    put_nulls(array, from, count, out);
    return ARMI_OK;
}

static enum armi_status hash_dictionary(const struct armi_array *array, int64_t from,
                                        int64_t count, uint64_t *out,
                                        struct armi_error *err)
{
    uint64_t *entries;
    ARMI_TRY(hash_entries(array, count, &entries, err));
    enum armi_status status = ARMI_OK;
    for (int64_t done = 0; done < count && status == ARMI_OK; done += COLUMN_BLOCK) {
        int64_t take = rows_min(count - done, COLUMN_BLOCK);
        status = hash_indices(array, entries, from + done, take, out + done, err);
    }
    armi_free(entries);
    return status;
}

static enum armi_status hash_run_end(const struct armi_array *array, int64_t from,
                                     int64_t count, uint64_t *out, struct armi_error *err)
{
    for (int64_t i = 0; i < count;) {
        int64_t run = armi_array_run(array, from + i);
        uint64_t v;
        ARMI_TRY(hash_column(&array->children[1], run, 1, &v, err));
        do
            out[i++] = v;
        while (i < count && armi_array_run(array, from + i) == run);
    }
    return ARMI_OK;
}

static void put_nulls(const struct armi_array *array, int64_t from, int64_t count,
                      uint64_t *out)
{
    if (array->validity == NULL)
        return;
    size_t at = (size_t)(array->offset + from), end = at + (size_t)count;
    for (; at < end; at += 64, out += 64) {
        size_t take = end - at < 64 ? end - at : 64;
        uint64_t valid = bits_load64(array->validity, at, end);
        if (valid == UINT64_MAX)
            continue;
        for (size_t i = 0; i < take; i++) {
            uint64_t keep = (uint64_t)0 - ((valid >> i) & 1);
            out[i] = (out[i] & keep) | (HASH_NULL & ~keep);
        }
    }
}

/* out[i] = the hash of the value in row from + i. */
static enum armi_status hash_column(const struct armi_array *array, int64_t from,
                                    int64_t count, uint64_t *out, struct armi_error *err)
{
    if (count == 0)
        return ARMI_OK;
    switch (array->layout) {
    case ARMI_LAYOUT_NULL:
        for (int64_t i = 0; i < count; i++)
            out[i] = HASH_NULL;
        return ARMI_OK;
    case ARMI_LAYOUT_BITS:
        for (int64_t i = 0; i < count; i++)
            out[i] = hash_word(armi_array_bool(array, from + i));
        break;
    case ARMI_LAYOUT_FIXED:
        hash_fixed(array, from, count, out);
        break;
    case ARMI_LAYOUT_BINARY32:
    case ARMI_LAYOUT_BINARY64:
    case ARMI_LAYOUT_VIEW:
        hash_binary(array, from, count, out);
        break;
    case ARMI_LAYOUT_LIST32:
    case ARMI_LAYOUT_LIST64:
    case ARMI_LAYOUT_LIST_VIEW32:
    case ARMI_LAYOUT_LIST_VIEW64:
    case ARMI_LAYOUT_FIXED_LIST:
        ARMI_TRY(hash_list(array, from, count, out, err));
        break;
    case ARMI_LAYOUT_STRUCT:
        ARMI_TRY(hash_struct(array, from, count, out, err));
        break;
    case ARMI_LAYOUT_DICTIONARY:
        return hash_dictionary(array, from, count, out, err);
    case ARMI_LAYOUT_RUN_END:
        return hash_run_end(array, from, count, out, err);
    case ARMI_LAYOUT_UNION:
        return armi_column_unsupported(array->field, err);
    }
    put_nulls(array, from, count, out);
    return ARMI_OK;
}

/* Folds one column's hashes into the rows', by blocks that stay in L1. */
static enum armi_status fold_column(const struct armi_array *column, int64_t from,
                                    int64_t count, uint64_t *out, struct armi_error *err)
{
    bool is_dictionary = column->layout == ARMI_LAYOUT_DICTIONARY;
    uint64_t block[COLUMN_BLOCK], *entries = NULL;
    enum armi_status status = ARMI_OK;
    if (is_dictionary)
        status = hash_entries(column, count, &entries, err);
    for (int64_t done = 0; done < count && status == ARMI_OK; done += COLUMN_BLOCK) {
        int64_t take = rows_min(count - done, COLUMN_BLOCK);
        if (is_dictionary)
            status = hash_indices(column, entries, from + done, take, block, err);
        else
            status = hash_column(column, from + done, take, block, err);
        for (int64_t i = 0; i < take && status == ARMI_OK; i++)
            out[done + i] = fold(out[done + i] ^ block[i], K0);
    }
    armi_free(entries);
    return status;
}

enum armi_status armi_row_hash(const struct armi_array *columns, size_t column_count,
                               int64_t from, int64_t count, uint64_t *out,
                               struct armi_error *err)
{
    memset(out, 0, (size_t)count * sizeof *out);
    for (size_t c = 0; c < column_count; c++) {
        assert(from >= 0 && count <= columns[c].length - from);
        ARMI_TRY(fold_column(&columns[c], from, count, out, err));
    }
    return ARMI_OK;
}
