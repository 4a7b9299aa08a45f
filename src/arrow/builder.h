/*
 * Building an array value by value, for results that are small or come in odd order: CSV,
 * diffs, conflicts, logs. Not for hot paths; decoders use array_make.h.
 *
 * Every type is built: a list by filling builder child 0 and then armi_builder_close, a
 * struct by giving each child one value and then armi_builder_close; a map likewise through
 * its entries; a dictionary and a run-end array by appending the plain value, which is
 * encoded here.
 */
#ifndef ARMI_ARROW_BUILDER_H
#define ARMI_ARROW_BUILDER_H

#include "arrow/array.h"
#include "arrow/array_make.h"

struct armi_builder;

/* `field` is borrowed until free. */
enum armi_status armi_builder_new(const struct armi_field *field, struct armi_builder **out,
                                  struct armi_error *err);
void armi_builder_free(struct armi_builder *builder);

/* What it builds, borrowed. */
const struct armi_field *armi_builder_field(const struct armi_builder *builder);
int64_t armi_builder_length(const struct armi_builder *builder);
/* Room for `rows` more rows; a hint that makes later appends cheap. */
enum armi_status armi_builder_reserve(struct armi_builder *builder, int64_t rows,
                                      struct armi_error *err);

/* After a failed append the row is not there and the builder may be used on; of a struct or
 * list, however, whose child failed, only free is left. */

enum armi_status armi_builder_append_null(struct armi_builder *builder,
                                          struct armi_error *err);
enum armi_status armi_builder_append_bool(struct armi_builder *builder, bool v,
                                          struct armi_error *err);
/* Integers, bool, dates, times, timestamps, durations, interval months, decimals, floats
 * (converted). ARMI_INVALID if the value does not fit. */
enum armi_status armi_builder_append_int(struct armi_builder *builder, int64_t v,
                                         struct armi_error *err);
enum armi_status armi_builder_append_uint(struct armi_builder *builder, uint64_t v,
                                          struct armi_error *err);
/* float16 (rounded to nearest even), float32, float64. */
enum armi_status armi_builder_append_double(struct armi_builder *builder, double v,
                                            struct armi_error *err);
/* utf8 and binary of any layout; for fixed-width types exactly byte_width bytes as they lie
 * in memory. */
enum armi_status armi_builder_append_bytes(struct armi_builder *builder, const void *data,
                                           size_t size, struct armi_error *err);
/* A zero-terminated string. */
enum armi_status armi_builder_append_text(struct armi_builder *builder, const char *text,
                                          struct armi_error *err);
/* Row i of a view of the same logical type; layouts (utf8, large, view; dictionary,
 * run-end, plain) may differ. */
enum armi_status armi_builder_append_value(struct armi_builder *builder,
                                           const struct armi_array *array, int64_t i,
                                           struct armi_error *err);

/* The builder of child c of a list, map (0 = the entries struct) or struct. Borrowed. */
struct armi_builder *armi_builder_child(struct armi_builder *builder, size_t c);
/* Ends a row of a list, map, fixed-size list (which must have got its width of values) or
 * struct. */
enum armi_status armi_builder_close(struct armi_builder *builder, struct armi_error *err);

/* Moves what was built to *out (owned by the caller) and leaves the builder empty, ready
 * for more; a failure loses the rows. */
enum armi_status armi_builder_finish(struct armi_builder *builder, struct ArrowArray *out,
                                     struct armi_error *err);

#endif
