/*
 * Commits: the unit of atomicity. A commit is a node; docs/format/commit.md has its bytes,
 * encode and decode stand side by side in commit.c. This layer knows neither tables nor
 * schemas: the tables map and the nodes that an operation names are opaque here.
 *
 * Depth counts first parents (0 = the first commit). The skip pointer leads far back along
 * them, to the depth that armi_commit_skip_depth() computes, so that any earlier commit is
 * O(log n) reads away (catalog/history.h).
 */
#ifndef ARMI_CATALOG_COMMIT_H
#define ARMI_CATALOG_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <armillaria/hash.h>

#include "base/buf.h"
#include "base/error.h"
#include "catalog/node.h"

#define ARMI_TXID_SIZE 16
#define ARMI_TABLES_INLINE_MAX                                                             \
    512 /* a tables map up to this size is in the commit itself */

/* Bits of armi_commit.flags. */
enum {
    ARMI_COMMIT_LAYOUT_ONLY = 1 << 0, /* a compaction: it changed no content */
};

struct armi_commit_pair {
    struct armi_slice key;
    struct armi_slice value;
};

/* What one commit did to one table: the change feed. Against the first parent. */
struct armi_commit_op {
    uint8_t kind;               /* enum armi_op */
    struct armi_slice table;    /* its name after the commit (before it, if dropped) */
    struct armi_slice old_name; /* its name before, of a rename; else empty */
    uint64_t old_version;       /* 0 = it was not there; old_node is not used then */
    uint64_t new_version;       /* 0 = it is gone */
    struct armi_hash old_node, new_node; /* table version nodes */
    uint64_t old_rows, new_rows;
    uint64_t rows_added, rows_removed,
        rows_changed; /* as far as the operation knows them */
};

/* The map from table name to table version: encoded by the tree layer. */
struct armi_commit_tables {
    bool is_inline;
    struct armi_slice bytes; /* inline: up to ARMI_TABLES_INLINE_MAX bytes, 0 = no tables */
    struct armi_hash root;   /* else: the name of the map's root node */
    bool root_is_leaf;       /* ARMI_NODE_TABLES_LEAF, else ARMI_NODE_TABLES_INNER */
};

/*
 * Slices and arrays are borrowed from whoever fills the struct; after a decode they belong
 * to the struct, until its release.
 */
struct armi_commit {
    uint32_t flags;
    size_t parents_count; /* up to ARMI_PARENTS_MAX; the first is the one that history
                             follows */
    const struct armi_hash *parents;
    uint64_t depth;        /* set by publish */
    struct armi_hash skip; /* set by publish; not used at depth 0 */
    int64_t time_us;       /* set by publish: > every parent's */
    int64_t clock_us;      /* set by publish: what the clock said */
    uint8_t txid[ARMI_TXID_SIZE];
    struct armi_slice author;
    struct armi_slice message;
    size_t metadata_count;
    const struct armi_commit_pair *metadata; /* keys ascending (memcmp), no two equal */
    struct armi_commit_tables tables;
    size_t ops_count;
    const struct armi_commit_op *ops; /* table names ascending, no two equal */
    void *owned;                      /* memory behind a decoded commit */
};

/* Replaces `out` with the framed node. ARMI_INVALID or ARMI_LIMIT says what the commit
 * breaks. */
enum armi_status armi_commit_encode(const struct armi_commit *commit, struct armi_buf *out,
                                    struct armi_error *err);
/*
 * Proves `bytes` against `name`, decodes. *out is owned by the caller:
 * armi_commit_release(). It borrows nothing from `bytes`.
 */
enum armi_status armi_commit_decode(const struct armi_hash *name, struct armi_slice bytes,
                                    struct armi_commit *out, struct armi_error *err);
void armi_commit_release(struct armi_commit *commit);

/* Depth of the commit that the skip pointer of a commit at `depth` names; depth > 0. */
uint64_t armi_commit_skip_depth(uint64_t depth);

#endif
