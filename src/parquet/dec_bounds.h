/*
 * Statistics as a file has them, of a row group or of a page, in the form that predicates are held
 * against (arrow/stats.h). What a file does not tell, or tells in an order that not all writers meant
 * alike, is left open: a bound is never wrong.
 */
#ifndef ARMI_DEC_BOUNDS_H
#define ARMI_DEC_BOUNDS_H

#include "arrow/stats.h"
#include "parquet/dec_file.h"

/* What is told of a run of rows. */
struct armi_pq_told {
    uint64_t rows;
    int64_t nulls; /* -1: not told */
    bool is_all_null;
    bool has_no_nan;       /* certainly */
    struct armi_slice min; /* plain values; data NULL: not told */
    struct armi_slice max;
};

/* `is_new`: the bounds come from fields that follow the file's column orders. */
void armi_pq_bounds(const struct armi_parquet_file *file, const struct armi_pq_leaf *leaf,
                    const struct armi_pq_told *told, bool is_new, struct armi_stats *out);

/* The same from a row group's statistics; false for a column that is no plain leaf. */
bool armi_pq_bounds_of_group(const struct armi_parquet_file *file, uint32_t row_group,
                             size_t column, struct armi_stats *out);

/* The leaf of a top-level column that is one; NULL: a nested column. */
const struct armi_pq_leaf *armi_pq_bounds_leaf(const struct armi_parquet_file *file,
                                               size_t column);

#endif
