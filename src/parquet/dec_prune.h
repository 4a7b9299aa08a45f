/*
 * What of a row group a predicate can leave unread, without looking at a row: the whole of it by its
 * statistics, its Bloom filters and the dictionaries of columns that have no other values; pages by
 * the column indexes. Cheap things are asked first, and only about what is still in question. An
 * index or a filter that is missing, damaged or does not add up rules nothing out.
 */
#ifndef ARMI_DEC_PRUNE_H
#define ARMI_DEC_PRUNE_H

#include "parquet/parquet_decode.h"

struct armi_predicate;

struct armi_pq_row_range {
    int64_t from, to;
};

/* Rising, apart. Zero is none. */
struct armi_pq_row_ranges {
    struct armi_pq_row_range *items;
    size_t count;
};

void armi_pq_row_ranges_release(struct armi_pq_row_ranges *ranges);

/* False only if no row of the row group can be kept. */
bool armi_pq_prune_may_match(const struct armi_parquet_file *file,
                             const struct armi_predicate *predicate, uint32_t row_group);

/* The rows that pages may hold which the predicate, over those columns, keeps. */
enum armi_status armi_pq_prune_ranges(const struct armi_parquet_file *file,
                                      const struct armi_predicate *predicate,
                                      const uint32_t *columns, size_t column_count,
                                      uint32_t row_group, struct armi_pq_row_ranges *out,
                                      struct armi_error *err);

#endif
