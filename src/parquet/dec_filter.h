/*
 * A row predicate over a file: which row groups and pages it can rule out, and which rows of a span
 * it keeps.
 */
#ifndef ARMI_DEC_FILTER_H
#define ARMI_DEC_FILTER_H

#include "parquet/dec_prune.h"
#include "parquet/parquet_decode.h"

struct armi_pq_filter;

/* `where` against the file's columns; the file is borrowed for the filter's life. */
enum armi_status armi_pq_filter_new(const struct armi_parquet_file *file, const char *where,
                                    struct armi_pq_filter **out, struct armi_error *err);
void armi_pq_filter_free(struct armi_pq_filter *filter);

/* The columns that it reads, rising. Borrowed. */
const uint32_t *armi_pq_filter_columns(const struct armi_pq_filter *filter, size_t *count);

/* False only if no row of the row group can be kept. */
bool armi_pq_filter_may_match(const struct armi_pq_filter *filter, uint32_t row_group);

/* The runs of rows of a row group whose pages may hold a row that is kept, by the column indexes. */
enum armi_status armi_pq_filter_ranges(const struct armi_pq_filter *filter,
                                       uint32_t row_group, struct armi_pq_row_ranges *out,
                                       struct armi_error *err);

/* Bit i of `keep` = row i is kept; `columns` are those of armi_pq_filter_columns, in that order. */
enum armi_status armi_pq_filter_match(const struct armi_pq_filter *filter,
                                      const struct ArrowArray *columns, int64_t rows,
                                      uint8_t *keep, struct armi_error *err);

#endif
