/*
 * `where`, compiled: parsed once, typed against a schema, then evaluated on rows and held
 * against bounds. The language and its rules are in <armillaria/predicate.h>.
 *
 * A compiled predicate is immutable and may be used from many threads.
 */
#ifndef ARMI_PREDICATE_PREDICATE_H
#define ARMI_PREDICATE_PREDICATE_H

#include <armillaria/predicate.h>

#include "arrow/array.h"
#include "arrow/stats.h"

struct armi_predicate;

/*
 * `schema` (a struct field) is borrowed for the predicate's life. *out is owned:
 * armi_predicate_free(). ARMI_INVALID with the place in the text ("where: column 14: …"), or
 * naming the column and both types of a comparison that cannot be made; ARMI_NOT_FOUND for a
 * column, naming those that exist; ARMI_LIMIT for a text that nests or repeats too deep.
 */
enum armi_status armi_predicate_compile(const char *where, const struct armi_field *schema,
                                        struct armi_predicate **out,
                                        struct armi_error *err);
void armi_predicate_free(struct armi_predicate *predicate);

/* Indices of the top-level columns that it reads, rising, each once. Borrowed. */
const size_t *armi_predicate_columns(const struct armi_predicate *predicate, size_t *count);

/*
 * Bit i of `keep` (whole bytes are written; bits past the end are zero) = the predicate is
 * true for row i. `columns` has one view for each column of the schema, in its order; only
 * those of armi_predicate_columns need to be set. All have `rows` rows.
 */
enum armi_status armi_predicate_match(const struct armi_predicate *predicate,
                                      const struct armi_array *columns, int64_t rows,
                                      uint8_t *keep, struct armi_error *err);

/*
 * What is known of a run of rows, column by column: false when nothing is. Asked only for
 * columns of armi_predicate_columns. Whatever the source (a range, a row group, a page), it is
 * told in the form of arrow/stats.h, where each part may be missing: a bound that is not
 * known has no flag, a null count that is not known is `rows` without NULLS_EXACT, and
 * NAN is set unless it is certain that there is none.
 */
struct armi_predicate_bounds {
    bool (*get)(void *ctx, size_t column, struct armi_stats *out);
    void *ctx;
    uint64_t rows;
};

/* False only if the predicate is certainly true for no row with these statistics. */
bool armi_predicate_may_match(const struct armi_predicate *predicate,
                              const struct armi_predicate_bounds *bounds);

/*
 * All the values that a column has in the run of rows, nulls aside, as an array of the
 * column's type (a Parquet dictionary, once every page is known to use it); false when they
 * are not known. More values than are there are allowed. *out is released by the caller of
 * may_match_values, once it has returned.
 */
struct armi_predicate_values {
    bool (*get)(void *ctx, size_t column, struct armi_array *out);
    void *ctx;
    /*
     * Optional, asked first: false only if the column certainly does not have the value (a Bloom
     * filter). Text and bytes as they are; an integer, date or time (`is_int`) as 8 bytes,
     * little-endian.
     */
    bool (*may_hold)(void *ctx, size_t column, struct armi_slice value, bool is_int);
};

/* The same with values where there are some. Memory that is missing is answered with true. */
bool armi_predicate_may_match_values(const struct armi_predicate *predicate,
                                     const struct armi_predicate_bounds *bounds,
                                     const struct armi_predicate_values *values);

#endif
