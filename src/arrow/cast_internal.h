/*
 * What the files of cast.h share. cast.c decides and dispatches, cast_values.c converts buffers of
 * numbers, cast_layout.c lays strings, lists and dictionaries out anew.
 */
#ifndef ARMI_ARROW_CAST_INTERNAL_H
#define ARMI_ARROW_CAST_INTERNAL_H

#include "arrow/array_make.h"
#include "arrow/cast.h"

struct casting {
    const char *column;           /* the top-level column's name, for errors */
    const struct armi_array *top; /* rows are told where the array at work is this one */
};

/* One level: *array's rows as type `to`; the cast is known to be possible. */
enum armi_status armi_cast_array(const struct casting *casting,
                                 const struct armi_array *array,
                                 const struct armi_field *to, struct armi_holder *holder,
                                 struct ArrowArray *out, struct armi_error *err);
/* The same for an array of our own (moved, also on failure), whose buffers *out may keep. */
enum armi_status armi_cast_owned(const struct casting *casting,
                                 const struct armi_field *from, struct ArrowArray *array,
                                 const struct armi_field *to, struct ArrowArray *out,
                                 struct armi_error *err);

/* Validity repacked from bit 0, or nothing if there are no nulls among the rows. */
enum armi_status armi_cast_validity(const struct armi_array *array, struct armi_part *out,
                                    int64_t *null_count, struct armi_error *err);

enum armi_status armi_cast_numbers(const struct casting *casting,
                                   const struct armi_array *array,
                                   const struct armi_field *to, struct ArrowArray *out,
                                   struct armi_error *err);

enum armi_status armi_cast_binary(const struct casting *casting,
                                  const struct armi_array *array,
                                  const struct armi_field *to, struct armi_holder *holder,
                                  struct ArrowArray *out, struct armi_error *err);
enum armi_status armi_cast_list(const struct casting *casting,
                                const struct armi_array *array, const struct armi_field *to,
                                struct armi_holder *holder, struct ArrowArray *out,
                                struct armi_error *err);
/* Structs and fixed-size lists. */
enum armi_status armi_cast_members(const struct casting *casting,
                                   const struct armi_array *array,
                                   const struct armi_field *to, struct armi_holder *holder,
                                   struct ArrowArray *out, struct armi_error *err);
/* From a dictionary to a plain type, to a dictionary from any, to run ends from any. */
enum armi_status armi_cast_decode(const struct casting *casting,
                                  const struct armi_array *array,
                                  const struct armi_field *to, struct armi_holder *holder,
                                  struct ArrowArray *out, struct armi_error *err);
enum armi_status armi_cast_encode(const struct casting *casting,
                                  const struct armi_array *array,
                                  const struct armi_field *to, struct armi_holder *holder,
                                  struct ArrowArray *out, struct armi_error *err);
enum armi_status armi_cast_run_ends(const struct casting *casting,
                                    const struct armi_array *array,
                                    const struct armi_field *to, struct armi_holder *holder,
                                    struct ArrowArray *out, struct armi_error *err);

#endif
