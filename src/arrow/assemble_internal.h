/*
 * The engine under select.h, concat.h and cast.h: one new array out of rows of others. It takes
 * either runs of rows, perhaps of many arrays (concat, long selections), or indices into one
 * array (take, scattered selections).
 */
#ifndef ARMI_ARROW_ASSEMBLE_INTERNAL_H
#define ARMI_ARROW_ASSEMBLE_INTERNAL_H

#include "arrow/array_make.h"

/* Rows [from, from + count) of *array; of NULL, `count` nulls. */
struct armi_run {
    const struct armi_array *array;
    int64_t from;
    int64_t count;
};

/*
 * The rows of the runs, in order, as an array of the type `field`, which every array has to the
 * letter (layout included). `column` names the top-level column in errors.
 */
enum armi_status armi_assemble_runs(const struct armi_field *field,
                                    const struct armi_run *runs, size_t run_count,
                                    const char *column, struct ArrowArray *out,
                                    struct armi_error *err);

/*
 * Row shift + indices[i] of *array, for each i; a null for -1. `shift` lets a struct's indices
 * serve its children.
 */
enum armi_status armi_assemble_take(const struct armi_array *array, int64_t shift,
                                    const int64_t *indices, int64_t count,
                                    const char *column, struct ArrowArray *out,
                                    struct armi_error *err);

/*
 * A dictionary array of the type `field` from what each row refers to: entry indices[i] of
 * dictionary sources[row_sources == NULL ? 0 : row_sources[i]], or a null for -1. Entries are
 * cut to those used where there are more than rows, and unified by value where sources differ;
 * those of an ordered dictionary are all kept, in their order.
 */
struct armi_dictionary_rows {
    const struct armi_array *const *sources;
    size_t source_count;
    const int64_t *indices;
    const uint32_t *row_sources;
    int64_t count;
    bool cut; /* always cut to the entries used */
};
enum armi_status armi_assemble_dictionary(const struct armi_field *field,
                                          const struct armi_dictionary_rows *rows,
                                          const char *column, struct ArrowArray *out,
                                          struct armi_error *err);

/*
 * A view array of `length` values, copied; {NULL, 0} for a null. *validity is moved on ARMI_OK
 * only; nothing behind it, that is no nulls.
 */
enum armi_status armi_assemble_views(const struct armi_field *field,
                                     const struct armi_slice *values, int64_t length,
                                     int64_t null_count, struct armi_part *validity,
                                     struct ArrowArray *out, struct armi_error *err);

/* A run-end array of the type `field` whose rows are those of *values, which has the value type:
 * equal neighbours (to the bit) share a run. */
enum armi_status armi_assemble_run_end(const struct armi_field *field,
                                       const struct armi_array *values, const char *column,
                                       struct ArrowArray *out, struct armi_error *err);

/* ARMI_LIMIT: the rows do not fit 32-bit offsets. */
enum armi_status armi_assemble_too_large(const char *column, const struct armi_field *field,
                                         struct armi_error *err);

#endif
