/*
 * The casts that lose nothing, which a write makes silently to fit the table's type
 * (MEANING.md "Schema"); whatever could lose a bit is refused by name.
 *
 *   null -> anything
 *   int -> wider int, uint -> wider uint, uint -> wider int; float16 -> 32 -> 64
 *   decimal -> decimal with as many or more digits on either side of the point
 *   utf8, large_utf8, utf8_view among each other; so binary
 *   timestamp, duration, time -> a finer unit, the zone staying as it is
 *   dictionary, run-end and plain among each other, with a cast of the values
 *   list, large_list and list views among each other, with a cast of the elements; fixed-size
 *   lists, maps and structs (same members in the same order) with a cast of the children
 *   the same type: no work
 */
#ifndef ARMI_ARROW_CAST_H
#define ARMI_ARROW_CAST_H

#include "arrow/array_make.h"

enum armi_cast_kind {
    ARMI_CAST_NONE = 0, /* refused */
    ARMI_CAST_SAME,    /* the same type: nothing to do (names and nullability may differ) */
    ARMI_CAST_LAYOUT,  /* the same values laid out otherwise: utf8 -> large_utf8 */
    ARMI_CAST_WIDEN,   /* every value fits: int32 -> int64 */
    ARMI_CAST_CHECKED, /* values may not fit, the cast says which: timestamp[s] -> [ns] */
};

/*
 * What a cast between the types would be. For ARMI_CAST_NONE *reason (nullable) becomes a
 * static text that ends the sentence "cannot cast X to Y: ...".
 */
enum armi_cast_kind armi_cast_possible(const struct armi_field *from,
                                       const struct armi_field *to, const char **reason);

/*
 * The rows of *array as type `to`, into *out. Buffers that stay as they are are shared and kept
 * alive by references on `holder`, which must hold what *array borrows from (NULL: it outlives
 * *out). Nullability is not checked here.
 * ARMI_SCHEMA_MISMATCH naming the column and both types for a cast that is not possible;
 * ARMI_INVALID naming column, row (of *array) and value for a value that does not fit; ARMI_LIMIT
 * for more than a 32-bit layout can hold, or too many dictionary entries; ARMI_NO_MEMORY.
 */
enum armi_status armi_cast(const struct armi_array *array, const struct armi_field *to,
                           struct armi_holder *holder, struct ArrowArray *out,
                           struct armi_error *err);

#endif
