/*
 * A table version: schema, settings and the ranges of its rows, as the node that a tables
 * map points to. docs/format/table_version.md has the bytes.
 *
 * The ranges are the entries of a tree, and behind them the *pending* ones: young tail
 * entries, at most sixteen, each a small node of its own, so that a tiny append rewrites no
 * tree node.
 */
#ifndef ARMI_TABLE_TABLE_VERSION_H
#define ARMI_TABLE_TABLE_VERSION_H

#include "arrow/field.h"
#include "catalog/node.h"
#include "table/range.h"
#include "tree/tree.h"

#define ARMI_TABLE_ID_SIZE 16
#define ARMI_ANCHORS_MAX   2
#define ARMI_PENDING_MAX   16

/* What is chosen once for a table and kept over its versions. A node of its own. */
struct armi_table_settings {
    int32_t next_id; /* the next column id to give */
    uint64_t
        target_rows; /* of a range, on average; 0 = not chosen yet: the table is small */
    size_t anchor_count; /* columns that decide boundaries; 0 with target_rows 0 */
    int32_t anchors[ARMI_ANCHORS_MAX];
    size_t key_count; /* primary key: column ids in key order */
    int32_t *key;     /* owned by the version */
};

struct armi_table_version {
    uint8_t table_id[ARMI_TABLE_ID_SIZE];
    struct armi_field schema; /* top-level columns have ids 1 … next_id - 1 */
    struct armi_table_settings settings;
    struct armi_tree_root root;
    size_t pending_count;
    struct armi_range pending[ARMI_PENDING_MAX];
    uint64_t rows, bytes; /* bytes of Arrow */
    uint64_t ranges;
    /* Content id: the logical hash of schema and rows. Equal means equal; unequal means compare. */
    uint8_t content[32];
};

/* An empty table of no columns: what may be released. */
void armi_table_version_init(struct armi_table_version *version);
void armi_table_version_release(struct armi_table_version *version);
enum armi_status armi_table_version_copy(const struct armi_table_version *version,
                                         struct armi_table_version *out,
                                         struct armi_error *err);

/* Reads the node and those it names. *out is owned by the caller. */
enum armi_status armi_table_version_load(const struct armi_node_source *source,
                                         const struct armi_hash *name,
                                         struct armi_table_version *out,
                                         struct armi_error *err);
/* Puts the version's nodes (its tree's are there already) and names it. */
enum armi_status armi_table_version_save(const struct armi_table_version *version,
                                         struct armi_node_set *set, struct armi_hash *name,
                                         struct armi_error *err);

/* Sets rows, bytes, ranges and content from schema, root and pending. */
enum armi_status armi_table_version_total(struct armi_table_version *version,
                                          struct armi_error *err);

/* All ranges in row order; *out and its ranges are owned by the caller. */
enum armi_status armi_table_version_ranges(const struct armi_node_source *source,
                                           const struct armi_table_version *version,
                                           struct armi_range **out, size_t *count,
                                           struct armi_error *err);
void armi_range_array_release(struct armi_range *ranges, size_t count);

/* The column with that id, or NULL. */
const struct armi_field *armi_table_column(const struct armi_table_version *version,
                                           int32_t id);

/* Node names that a version node refers to, for marking and verifying: schema and settings,
 * then pending nodes. */
struct armi_table_version_nodes {
    struct armi_hash schema, settings;
    size_t pending_count;
    struct armi_hash pending[ARMI_PENDING_MAX];
};
enum armi_status armi_table_version_nodes(const struct armi_node_source *source,
                                          const struct armi_hash *name,
                                          struct armi_table_version_nodes *out,
                                          struct armi_error *err);

#endif
