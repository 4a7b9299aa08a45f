/*
 * A 64-bit hash of each row over some columns, the input of content-defined range
 * boundaries. Not an identity: boundaries only decide what is shared. It is frozen for
 * ever, since every range boundary of every table hangs on it (docs/format/row_hash.md, a
 * golden test).
 *
 * The hash of a row depends on its values alone: not on slicing, layout (utf8, large, view;
 * dictionary, run-end, plain) nor integer width (an int64 5 is an int8 5), so that a
 * widened column keeps its boundaries. Floats go by their bits.
 */
#ifndef ARMI_ARROW_ROW_HASH_H
#define ARMI_ARROW_ROW_HASH_H

#include "arrow/array.h"

/*
 * out[i] = the hash of row from + i over `column_count` (>= 1) views, in that order. Use
 * armi_array_column to take a batch's columns. Nested columns are allowed, and slow.
 * ARMI_NO_MEMORY; ARMI_UNSUPPORTED for a union.
 */
enum armi_status armi_row_hash(const struct armi_array *columns, size_t column_count,
                               int64_t from, int64_t count, uint64_t *out,
                               struct armi_error *err);

/* The hash of a string of bytes as one column's value; what the row hash is made of. */
uint64_t armi_row_hash_bytes(const void *data, size_t size);

#endif
