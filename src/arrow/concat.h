/*
 * One array out of several of one type. Dictionaries that differ are unified (entries in
 * order of first piece, by value); equal ones are kept as they are.
 */
#ifndef ARMI_ARROW_CONCAT_H
#define ARMI_ARROW_CONCAT_H

#include "arrow/array_make.h"

/*
 * The rows of the pieces (slices are fine), in order, as one array of the type `field`,
 * which all pieces have (asserted); *out owns its memory. No pieces give an empty array.
 * ARMI_LIMIT naming the column: strings over 2 GiB or list elements over 2^31 in a 32-bit
 * layout, or more dictionary entries than the index type can number; the caller splits, or
 * casts to a larger layout. ARMI_NO_MEMORY; ARMI_UNSUPPORTED for a union.
 */
enum armi_status armi_concat(const struct armi_field *field,
                             const struct armi_array *pieces, size_t count,
                             struct ArrowArray *out, struct armi_error *err);

#endif
