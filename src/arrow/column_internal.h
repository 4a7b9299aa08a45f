/*
 * What the kernels of this folder share: walking runs of valid rows, loading dictionary
 * indices and binary values without a call a row, naming a column in an error, and seeing a
 * run-end array as a plain one.
 */
#ifndef ARMI_ARROW_COLUMN_INTERNAL_H
#define ARMI_ARROW_COLUMN_INTERNAL_H

#include "arrow/array_make.h"

/* Rows that kernels take at once, so that their scratch lives on the stack and in L1. */
#define COLUMN_BLOCK 1024

/* The smaller of two row counts. */
static inline int64_t rows_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* 64 bits from bit `at` on; bits from `end` on are zero and their bytes are not touched. */
static inline uint64_t bits_load64(const uint8_t *bits, size_t at, size_t end)
{
    size_t left = end - at, shift = at & 7;
    const uint8_t *p = bits + (at >> 3);
    if (left >= 64) {
        uint64_t v = armi_load64(p) >> shift;
        return shift == 0 ? v : v | ((uint64_t)p[8] << (64 - shift));
    }
    uint64_t v = 0;
    size_t bytes = armi_bitmap_size(left + shift);
    for (size_t i = 0; i < bytes && i < 8; i++)
        v |= (uint64_t)p[i] << (8 * i);
    v >>= shift;
    if (bytes == 9)
        v |= (uint64_t)p[8] << (64 - shift);
    return v & (((uint64_t)1 << left) - 1);
}

/*
 * The next run of bits equal to `value` in [*at, end): whether there is one; then *at is where it
 * starts and *count its length. Goes on from *at + *count.
 */
static inline bool bits_next_run(const uint8_t *bits, bool value, size_t end, size_t *at,
                                 size_t *count)
{
    uint64_t turn = value ? 0 : UINT64_MAX;
    size_t i = *at;
    while (i < end) {
        size_t left = end - i < 64 ? end - i : 64;
        uint64_t v = bits_load64(bits, i, end) ^ turn;
        if (left < 64)
            v &= ((uint64_t)1 << left) - 1;
        if (v != 0) {
            i += (size_t)__builtin_ctzll(v);
            break;
        }
        i += left;
    }
    if (i >= end)
        return false;
    size_t start = i;
    while (i < end) {
        size_t left = end - i < 64 ? end - i : 64;
        uint64_t v = ~(bits_load64(bits, i, end) ^ turn);
        if (left < 64)
            v &= ((uint64_t)1 << left) - 1;
        if (v != 0) {
            i += (size_t)__builtin_ctzll(v);
            break;
        }
        i += left;
    }
    *at = start;
    *count = i - start;
    return true;
}

/* ORs `count` bits from bit `from` of src to bit `at` of dst, where they are zero so far. */
static inline void bits_or(uint8_t *dst, size_t at, const uint8_t *src, size_t from,
                           size_t count)
{
    size_t end = from + count;
    while (from < end) {
        size_t take =
            end - from < 56 ? end - from : 56; /* with the shift, a word at most */
        uint64_t v = bits_load64(src, from, from + take) << (at & 7);
        uint8_t *p = dst + (at >> 3);
        for (size_t i = 0, bytes = armi_bitmap_size(take + (at & 7)); i < bytes; i++)
            p[i] |= (uint8_t)(v >> (8 * i));
        from += take;
        at += take;
    }
}

/* Nulls by validity alone among the rows. */
static inline int64_t validity_nulls(const struct armi_array *a, int64_t from,
                                     int64_t count)
{
    if (a->validity == NULL || count == 0)
        return 0;
    return count - (int64_t)armi_bitmap_count(a->validity, (size_t)(a->offset + from),
                                              (size_t)count);
}

/* A binary or utf8 value of any layout, null or not: of a null row whatever lies there. */
static inline struct armi_slice binary_at(const struct armi_array *a, int64_t i)
{
    size_t p = (size_t)(a->offset + i);
    if (a->layout == ARMI_LAYOUT_BINARY32) {
        int32_t lo = (int32_t)armi_load32(a->offsets + 4 * p);
        int32_t hi = (int32_t)armi_load32(a->offsets + 4 * p + 4);
        return (struct armi_slice){hi > lo ? a->values + lo : NULL, (size_t)(hi - lo)};
    }
    if (a->layout == ARMI_LAYOUT_BINARY64) {
        int64_t lo = (int64_t)armi_load64(a->offsets + 8 * p);
        int64_t hi = (int64_t)armi_load64(a->offsets + 8 * p + 8);
        return (struct armi_slice){hi > lo ? a->values + lo : NULL, (size_t)(hi - lo)};
    }
    const uint8_t *view = a->values + 16 * p;
    uint32_t size = armi_load32(view);
    if (size <= 12)
        return (struct armi_slice){view + 4, size};
    return (struct armi_slice){a->variadic[armi_load32(view + 8)] + armi_load32(view + 12),
                               size};
}

/* Order of two decimals: little-endian two's complement of the same width, 4 to 32 bytes. */
static inline int decimal_order(const uint8_t *a, const uint8_t *b, size_t width)
{
    size_t at = width - 4;
    int32_t a_top = (int32_t)armi_load32(a + at), b_top = (int32_t)armi_load32(b + at);
    if (a_top != b_top)
        return a_top < b_top ? -1 : 1;
    while (at > 0) {
        at -= 4;
        uint32_t v = armi_load32(a + at), w = armi_load32(b + at);
        if (v != w)
            return v < w ? -1 : 1;
    }
    return 0;
}

static inline bool layout_is_binary(enum armi_layout layout)
{
    return layout == ARMI_LAYOUT_BINARY32 || layout == ARMI_LAYOUT_BINARY64 ||
           layout == ARMI_LAYOUT_VIEW;
}

static inline bool layout_is_list(enum armi_layout layout)
{
    return layout == ARMI_LAYOUT_LIST32 || layout == ARMI_LAYOUT_LIST64 ||
           layout == ARMI_LAYOUT_LIST_VIEW32 || layout == ARMI_LAYOUT_LIST_VIEW64;
}

/* Indices of rows [from, from + count) of a dictionary array; of a null row 0. */
void armi_column_indices(const struct armi_array *array, int64_t from, int64_t count,
                         int64_t *out);

/*
 * Validity of rows [from, from + count), repacked from bit 0; ones where there is no validity.
 * Returns the number of nulls. By validity alone.
 */
int64_t armi_column_validity(const struct armi_array *array, int64_t from, int64_t count,
                             uint8_t *bits);

/* The same by logical nulls, through dictionaries and run ends. */
int64_t armi_column_logical_validity(const struct armi_array *array, int64_t from,
                                     int64_t count, uint8_t *bits);

/* A run-end array's rows as a plain array of its value type. `view` borrows from `array`. */
struct armi_plain {
    struct ArrowArray array;
    struct armi_array view;
};
enum armi_status armi_plain_init(const struct armi_array *array, int64_t from,
                                 int64_t count, struct armi_plain *out,
                                 struct armi_error *err);
void armi_plain_release(struct armi_plain *self);

/* The type without its layout: large and view variants become the plain one, a run-end field
 * its value field. What a fingerprint, a comparison and a lossless cast go by. */
const struct armi_field *armi_field_logical(const struct armi_field *field);
enum armi_type armi_type_logical(enum armi_type type);

/* ARMI_UNSUPPORTED, naming the column. */
enum armi_status armi_column_unsupported(const struct armi_field *field,
                                         struct armi_error *err);

#endif
