/*
 * One column of Arrow data, seen: a checked view that borrows the buffers of an ArrowArray,
 * with typed pointers and accessors that respect offsets, absent validity and every layout.
 *
 * Positions. Row i of a view (0 <= i < length) stands at position offset + i of its own
 * buffers. children[c] is the whole child with an offset and a length of its own: row i of
 * a struct is row (offset + i) of each child, list element positions are rows of
 * children[0], a dictionary index is a row of *dictionary. So slicing changes two numbers,
 * never allocates, and nested views are shared.
 *
 * Life. A view made by armi_array_init owns its children's views (not the data) and is
 * released with armi_array_release; it borrows `field` and the ArrowArray. A slice or a
 * child taken from it borrows from it and needs no release (releasing does nothing). Views
 * are read-only and may be used from many threads.
 */
#ifndef ARMI_ARROW_ARRAY_H
#define ARMI_ARROW_ARRAY_H

#include <assert.h>

#include "arrow/field.h"
#include "base/bits.h"
#include "base/pool.h"

/* How much is checked. The C Data Interface tells no buffer sizes, so no level can prove
 * that the buffers are as long as they should be; what can be contradicted is. Each level
 * includes the ones before it. */
enum armi_validation {
    /* The shape: counts of buffers and children, lengths, no buffer missing. */
    ARMI_VALIDATE_NONE,
    /* O(1) a node: first and last offsets, children long enough. */
    ARMI_VALIDATE_BOUNDS,
    /* Every value: offsets monotone, UTF-8, dictionary indices, run ends rising, views inside
     * their buffers, decimals fit their precision, null_count. A null where the field is not
     * nullable is ARMI_CONSTRAINT, a value over ARMI_VALUE_SIZE_MAX is ARMI_LIMIT. */
    ARMI_VALIDATE_FULL,
};

/* Buffer pointers that the layout has are never NULL: where a producer sent NULL for
 * nothing, they point to a block of zeros. They may be unaligned: load with memcpy
 * (base/bits.h). */
struct armi_array {
    const struct armi_field *field; /* borrowed */
    enum armi_layout layout;
    bool owned;     /* children and dictionary views are freed by release */
    int32_t width;  /* FIXED, DICTIONARY (its index), VIEW: bytes of a value in `values` */
    int64_t length; /* rows */
    int64_t offset; /* position of row 0 */
    /* By validity over the rows; -1 = not counted, ask armi_array_null_count. */
    int64_t null_count;
    /* LSB-first bits by position. NULL = no nulls by validity: also where a bitmap came
     * with a null_count of 0. */
    const uint8_t *validity;
    const uint8_t *values;  /* BITS, FIXED, BINARY*, VIEW, DICTIONARY */
    const uint8_t *offsets; /* BINARY*, LIST*, LIST_VIEW*: int32 or int64 each */
    const uint8_t *sizes;   /* LIST_VIEW*: likewise */
    size_t variadic_count;  /* VIEW: data buffers */
    const uint8_t *const *variadic;
    const uint8_t *variadic_sizes; /* VIEW: an int64 each */
    size_t child_count;            /* of array children: a dictionary has none */
    struct armi_array *children;
    struct armi_array *dictionary; /* DICTIONARY: the values */
};

#define ARMI_ARRAY_INIT                                                                    \
    {                                                                                      \
        0                                                                                  \
    }

/* ---- life ---- */

/*
 * *out sees `array`, whose type is `field`; both are borrowed until the view's release.
 * ARMI_INVALID names the column (by path, "a.item") and the row, from 1 on. Buffers that are NULL
 * for nothing are fine, as some producers send them. ARMI_UNSUPPORTED for a union.
 */
enum armi_status armi_array_init(const struct armi_field *field,
                                 const struct ArrowArray *array, enum armi_validation level,
                                 struct armi_array *out, struct armi_error *err);
/* The same for a record batch: the root is a struct, which must not have nulls of its own.
 */
enum armi_status armi_array_init_batch(const struct armi_field *schema,
                                       const struct ArrowArray *array,
                                       enum armi_validation level, struct armi_array *out,
                                       struct armi_error *err);
/* The same for a batch behind `first_row` others of a stream: errors number rows on from there. Columns
 * are validated side by side, with `parallel` as armi_pool_run takes it. */
enum armi_status armi_array_init_rows(const struct armi_field *schema,
                                      const struct ArrowArray *array,
                                      enum armi_validation level, int64_t first_row,
                                      const struct armi_parallel *parallel,
                                      struct armi_array *out, struct armi_error *err);
void armi_array_release(struct armi_array *array);

/* The checks alone, on a view that was made with a lower level. */
enum armi_status armi_array_validate(const struct armi_array *array,
                                     enum armi_validation level, struct armi_error *err);

/* Rows [from, from + count) (asserted to lie inside), borrowed from *array. */
struct armi_array armi_array_slice(const struct armi_array *array, int64_t from,
                                   int64_t count);
/* Of a struct, column c, cut to the struct's rows, so that its row i is the struct's row i.
 * The struct's own validity is not applied. Borrowed. */
struct armi_array armi_array_column(const struct armi_array *array, size_t c);

/* ---- values. Row i is asserted to be inside; types are the caller's business ---- */

static inline bool armi_array_is_valid_bit(const struct armi_array *a, int64_t i)
{
    assert(i >= 0 && i < a->length);
    return a->validity == NULL || armi_bit_get(a->validity, (size_t)(a->offset + i));
}

/* Logical nulls: by validity, and for a dictionary or run-end array also by its value; all
 * of type null. */
bool armi_array_is_null(const struct armi_array *array, int64_t i);
/* Rows that armi_array_is_null. O(rows / 64) unless known, O(rows) for a dictionary with
 * nulls among its values. Computes, does not cache. */
int64_t armi_array_null_count(const struct armi_array *array);
/* Whether a null is possible at all, in O(1): false is certain. */
bool armi_array_may_have_nulls(const struct armi_array *array);

/* FIXED and DICTIONARY: the address of row i's value. Load with memcpy. */
static inline const uint8_t *armi_array_at(const struct armi_array *a, int64_t i)
{
    assert(i >= 0 && i < a->length);
    return a->values + (size_t)(a->offset + i) * (size_t)a->width;
}

static inline bool armi_array_bool(const struct armi_array *a, int64_t i)
{
    assert(a->layout == ARMI_LAYOUT_BITS && i >= 0 && i < a->length);
    return armi_bit_get(a->values, (size_t)(a->offset + i));
}

/* 32- or 64-bit offsets? Of layouts that have offsets. */
static inline bool armi_layout_is_wide(enum armi_layout layout)
{
    return layout == ARMI_LAYOUT_BINARY64 || layout == ARMI_LAYOUT_LIST64 ||
           layout == ARMI_LAYOUT_LIST_VIEW64;
}

static inline bool armi_layout_is_list_view(enum armi_layout layout)
{
    return layout == ARMI_LAYOUT_LIST_VIEW32 || layout == ARMI_LAYOUT_LIST_VIEW64;
}

/* Offset number p (position, 0 .. offset + length) of BINARY*, LIST*, LIST_VIEW*. */
static inline int64_t armi_array_offset_at(const struct armi_array *a, int64_t p)
{
    if (armi_layout_is_wide(a->layout))
        return (int64_t)armi_load64(a->offsets + 8 * (size_t)p);
    return (int32_t)armi_load32(a->offsets + 4 * (size_t)p);
}

/*
 * The bytes of row i, for every binary and utf8 layout, fixed-width values (as they lie in
 * memory, little-endian), and dictionaries and run-end arrays of these. {NULL, 0} for a
 * null. Borrowed from the data.
 */
struct armi_slice armi_array_bytes(const struct armi_array *array, int64_t i);

/* Row i as a number: every integer type, bool, date, time, timestamp, duration, interval
 * months, decimals up to 64 bits; a uint64 over INT64_MAX comes back as its two's
 * complement. Not resolved through a dictionary. */
int64_t armi_array_int(const struct armi_array *array, int64_t i);
/* float16, float32, float64 and all that armi_array_int takes (exactly as C converts). */
double armi_array_double(const struct armi_array *array, int64_t i);
/* Index of a dictionary array's row i, as int64 (a uint64 index was checked to fit). */
int64_t armi_array_index(const struct armi_array *array, int64_t i);

/* Follows dictionaries and run ends down to where the value of row *i lies: afterwards
 * *array is neither. False (and nothing moved) when a null was met on the way; the final
 * value may still be null by validity. */
bool armi_array_resolve(const struct armi_array **array, int64_t *i);

/* Row i of a list of any kind or a map: rows [*from, *from + *count) of children[0]. For a
 * null: 0, 0. */
void armi_array_list(const struct armi_array *array, int64_t i, int64_t *from,
                     int64_t *count);

/* Of a run-end array: the physical row of `values` that holds row i. */
int64_t armi_array_run(const struct armi_array *array, int64_t i);

/* Bytes that the rows take as Arrow data: validity, values, offsets, children; a dictionary
 * counts in full. Used to size ranges and budgets, so it is exact for the rows, not for
 * what the buffers hold beside them. */
int64_t armi_array_data_size(const struct armi_array *array);

/* The same for rows that stand alone: validity counts also where it is absent, and a dictionary for
 * as many of its entries as there are rows, at most. So the sum over the pieces of a column
 * hardly depends on how it is cut. */
int64_t armi_array_rows_size(const struct armi_array *array);

#endif
