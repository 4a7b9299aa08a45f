/*
 * Statistics of tree entries, as the predicate wants them.
 */
#ifndef ARMI_TABLE_PRUNE_H
#define ARMI_TABLE_PRUNE_H

#include "predicate/predicate.h"
#include "tree/tree.h"

/* The same facts in the other layer's words. */
struct armi_tree_stats armi_stats_to_tree(int32_t column, const struct armi_stats *stats);
struct armi_stats armi_stats_from_tree(const struct armi_tree_stats *stats, uint64_t rows);

/* False only if no row below an entry with these statistics can match. */
bool armi_prune_may_match(const struct armi_predicate *where,
                          const struct armi_field *schema,
                          const struct armi_tree_stats *stats, size_t count, uint64_t rows);

#endif
