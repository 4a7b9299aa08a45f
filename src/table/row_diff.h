/*
 * The rows by which two versions of a table differ, by brute force over the ranges that are
 * not shared: equal ranges cancel by logical hash, what is left is decoded and joined by key,
 * or by whole rows where there is none.
 *
 * Right whatever the layout: a row outside the shared ranges cannot match one inside them
 * when keys are unique, and without keys shared ranges cancel as multisets do.
 */
#ifndef ARMI_TABLE_ROW_DIFF_H
#define ARMI_TABLE_ROW_DIFF_H

#include <armillaria/arrow_abi.h>
#include <armillaria/call.h>

#include "table/column_cache.h"
#include "table/table_io.h"
#include "table/table_version.h"

struct armi_row_diff_options {
    const char *name; /* of the table, for messages */
    const char *const
        *key; /* columns to join by; NULL: the declared key, else whole rows */
    size_t key_count;
    struct armi_callbacks callbacks;
    struct armi_column_cache *cache; /* may be NULL */
};

struct armi_row_diff_counts {
    uint64_t added, removed, changed;
    bool schema_changed;
    bool reordered; /* the same rows in another order */
};

/*
 * `out` (nullable) becomes a stream of `_change_type` and the columns of the newer schema:
 * deletes and update pairs in old order, then inserts in new order. Either version may be
 * NULL: everything was added, or removed. ARMI_NOT_FOUND: a key column; ARMI_INVALID: keys
 * that are not unique.
 */
enum armi_status armi_row_diff(const struct armi_table_io *io,
                               const struct armi_table_version *old_version,
                               const struct armi_table_version *new_version,
                               const struct armi_row_diff_options *options,
                               struct armi_row_diff_counts *counts,
                               struct ArrowArrayStream *out, struct armi_error *err);

/* Whether two versions hold the same rows in the same order under the same schema, however they are
 * cut into ranges. Ranges at either end that are equal by hash are not read. */
enum armi_status armi_table_same(const struct armi_table_io *io,
                                 const struct armi_table_version *a,
                                 const struct armi_table_version *b,
                                 struct armi_column_cache *cache, bool *same,
                                 struct armi_error *err);

#endif
