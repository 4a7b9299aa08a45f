/*
 * Ranges of one version put behind the rows of another: how an append is rebased without
 * touching a chunk.
 */
#ifndef ARMI_TABLE_TABLE_APPEND_H
#define ARMI_TABLE_TABLE_APPEND_H

#include "table/table_version.h"

/*
 * Puts `ranges` behind the rows of *version. Small ones wait as pending; when there are too
 * many, or one is not small, all pending ones and these go into the tree. The ranges are
 * copied. Totals are the caller's to set.
 */
enum armi_status armi_table_append(struct armi_node_set *set,
                                   struct armi_table_version *version,
                                   const struct armi_range *ranges, size_t count,
                                   struct armi_error *err);

/* *out = `onto` with the ranges of `from` from number `first` on behind it. Both have the
 * same schema. Nodes go to the set. *out is owned. */
enum armi_status armi_table_append_ranges(struct armi_node_set *set,
                                          const struct armi_table_version *onto,
                                          const struct armi_table_version *from,
                                          uint64_t first, struct armi_table_version *out,
                                          struct armi_error *err);

#endif
