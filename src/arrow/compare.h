/*
 * Rows compared. Two kinds, not to be mixed up:
 *
 *   bits   what diff, merge and dedup mean by "the same": -0.0 is not 0.0, NaNs are the
 * same only with the same payload; two nulls are the same. order  what sorting and keys
 * mean: -0.0 equals 0.0, NaN equals NaN and sorts last.
 *
 * In both, layouts (utf8, large, view; dictionary, run-end, plain; large lists) may differ
 * on the two sides, logical types must not. Arrays must have been validated.
 */
#ifndef ARMI_ARROW_COMPARE_H
#define ARMI_ARROW_COMPARE_H

#include "arrow/array.h"

/* ---- bits ---- */

/* Row i of *a is row k of *b, to the bit. */
bool armi_compare_same(const struct armi_array *a, int64_t i, const struct armi_array *b,
                       int64_t k);

/*
 * Bit r of `bits` = row a_from + r of *a is row b_from + r of *b, for `count` rows; whole
 * bytes are written, bits past the end are zero. Returns how many are the same.
 */
int64_t armi_compare_same_bits(const struct armi_array *a, int64_t a_from,
                               const struct armi_array *b, int64_t b_from, int64_t count,
                               uint8_t *bits);

/* Rows from a_from and b_from on that are the same without a break, `count` at most. */
int64_t armi_compare_same_run(const struct armi_array *a, int64_t a_from,
                              const struct armi_array *b, int64_t b_from, int64_t count);

/* ---- order ---- */

enum {
    ARMI_COMPARE_NULLS_FIRST = 1, /* else last, behind NaN */
    ARMI_COMPARE_DESCENDING = 2,  /* turns the values, not where nulls go */
};

/* <0, 0, >0. Numbers by value, strings by bytes, false before true; lists and structs
 * member by member, the shorter list first; intervals in some fixed order. */
int armi_compare_order(const struct armi_array *a, int64_t i, const struct armi_array *b,
                       int64_t k, unsigned flags);

/* ---- keys: rows as byte strings, for joins and sets ---- */

/*
 * Appends the key of `row` over `column_count` views: equal strings exactly for rows that
 * are the same to the bit, in any layout; no key is a prefix of another of the same
 * columns. In memory only, not a format. ARMI_NO_MEMORY, ARMI_LIMIT (of the buffer).
 */
enum armi_status armi_compare_key(const struct armi_array *columns, size_t column_count,
                                  int64_t row, struct armi_buf *out,
                                  struct armi_error *err);

/* Keys of rows [from, from + count) behind each other in *out; ends[r] = out->size behind
 * row from + r's key. Column by column inside, so much faster than one by one. */
enum armi_status armi_compare_keys(const struct armi_array *columns, size_t column_count,
                                   int64_t from, int64_t count, struct armi_buf *out,
                                   size_t *ends, struct armi_error *err);

#endif
