/*
 * New arrays out of some rows of an array: by bitmap, by runs of rows, by indices. Every
 * type, nested to any depth; the result has the type of array->field, owns all its memory
 * and has no offset. Hand in a batch's struct view to select rows of all its columns at
 * once.
 *
 * Nothing is kept that was not selected: strings, lists and views come out compact; a
 * dictionary with more entries than rows selected is cut to those used, in their old order.
 * To take all rows, or one run of them, without copying: armi_array_export_slice.
 *
 * ARMI_NO_MEMORY; ARMI_LIMIT naming the column where 32-bit offsets do not suffice (take of
 * repeated rows); ARMI_UNSUPPORTED for a union.
 */
#ifndef ARMI_ARROW_SELECT_H
#define ARMI_ARROW_SELECT_H

#include "arrow/array_make.h"

struct armi_rows {
    int64_t from;
    int64_t count;
};

/* Row i where bit (bit_offset + i) is set, for all rows of the view. */
enum armi_status armi_select_filter(const struct armi_array *array, const uint8_t *bits,
                                    size_t bit_offset, struct ArrowArray *out,
                                    struct armi_error *err);
/* The runs, one after another; they may overlap and come in any order. */
enum armi_status armi_select_ranges(const struct armi_array *array,
                                    const struct armi_rows *ranges, size_t count,
                                    struct ArrowArray *out, struct armi_error *err);
/* Row indices[i] for each i; -1 gives a null, also where the field is not nullable. Others
 * are asserted to lie inside. */
enum armi_status armi_select_take(const struct armi_array *array, const int64_t *indices,
                                  int64_t count, struct ArrowArray *out,
                                  struct armi_error *err);

#endif
