/*
 * The order-statistic prolly tree: a long list of opaque entries kept as small immutable
 * nodes, so that a version shares all but O(log n) nodes with the one before it. It serves
 * as the tree of a table's ranges (row-ordered: entries have a place and no key) and as the
 * tables map of a commit (keyed by name). It knows neither types nor chunks: what an entry
 * means is its payload, what may be pruned is told by bounds that compare by memcmp.
 *
 * One list of entries has exactly one tree, however it came about: `tree ==
 * build(entries)`. Where a node ends is decided by the entries' anchors alone
 * (docs/format/tree.md), so that an insert moves only the boundaries beside it. Beside its
 * name every node has a logical hash, over the logical hashes of its entries: equal means
 * equal content, unequal means compare.
 *
 * Reading: tree_cursor.h. Comparing: tree_diff.h. Nodes of the catalog: tree_store.h.
 */
#ifndef ARMI_TREE_TREE_H
#define ARMI_TREE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <armillaria/hash.h>

#include "base/buf.h"
#include "base/error.h"

#define ARMI_TREE_LOGICAL_SIZE 20                 /* bytes of a logical hash */
#define ARMI_TREE_BOUND_MAX    16                 /* bytes of a bound */
#define ARMI_TREE_STATS_MAX    128                /* columns with statistics in one entry */
#define ARMI_TREE_KEY_MAX      1024               /* bytes of a key */
#define ARMI_TREE_PAYLOAD_MAX  ((size_t)16 << 20) /* bytes of an entry's payload */
#define ARMI_TREE_INLINE_MAX   512 /* bytes of a root that holds its entries itself */
#define ARMI_TREE_LEVEL_MAX    24  /* leaves are level 0 */
#define ARMI_TREE_VERSION      1   /* of the node encoding, for the node's frame */

/* Bits of armi_tree_stats.flags. Without a bit the thing is not known: no answer may rest
 * on it. */
enum {
    ARMI_TREE_HAS_MIN = 1 << 0,   /* no value is below min */
    ARMI_TREE_HAS_MAX = 1 << 1,   /* no value is above max */
    ARMI_TREE_MIN_EXACT = 1 << 2, /* and min is one of the values */
    ARMI_TREE_MAX_EXACT = 1 << 3, /* and max is one of the values */
    ARMI_TREE_NULLS_EXACT =
        1 << 4, /* null_count is the number of nulls, else an upper bound of it */
    ARMI_TREE_HAS_NAN = 1 << 5, /* there may be NaN; bounds are of the other values */
    ARMI_TREE_NO_VALUES =
        1 << 6, /* nothing but null and NaN: there are no bounds, none are needed */
};

/*
 * What is known of one column in an entry, or in all entries below a node. Bounds are byte
 * strings whose memcmp order is the order of the values (a prefix sorts first). A column
 * that is absent from the array is one of which nothing is known.
 */
struct armi_tree_stats {
    int32_t column; /* its id, >= 0 */
    uint8_t flags;
    uint8_t min_size;
    uint8_t max_size;
    uint8_t min[ARMI_TREE_BOUND_MAX];
    uint8_t max[ARMI_TREE_BOUND_MAX];
    uint64_t null_count;
};

/*
 * An entry. What it points to is borrowed: by the tree for the call it is handed to; from a
 * cursor until the cursor moves.
 */
struct armi_tree_entry {
    struct armi_slice key;     /* keyed trees: 1 to ARMI_TREE_KEY_MAX bytes; else empty */
    struct armi_slice payload; /* opaque */
    uint64_t rows;
    uint64_t bytes;
    uint8_t logical[ARMI_TREE_LOGICAL_SIZE];
    /*
     * Decides where nodes end. Anything that is well spread over entries and stays when an
     * entry is laid out anew: a hash of the content of the anchor columns, or of the key.
     * With equal anchors all through, nodes end by count, and an insert rewrites what
     * follows.
     */
    uint64_t anchor;
    const struct armi_tree_stats *stats; /* by rising column */
    size_t stats_count;
};

/*
 * Where nodes lie. `type` is the tree's leaf_type or inner_type. `get` replaces *out with
 * the bytes that `put` was given, proved against the hash; ARMI_NOT_FOUND and the like say
 * what is missing. Putting bytes that are there already is no error and the same hash. put
 * may be NULL for reading.
 */
struct armi_node_store {
    enum armi_status (*get)(void *ctx, unsigned type, const struct armi_hash *hash,
                            struct armi_buf *out, struct armi_error *err);
    enum armi_status (*put)(void *ctx, unsigned type, struct armi_slice bytes,
                            struct armi_hash *hash, struct armi_error *err);
    void *ctx;
};

/* What kind of tree, and where its nodes lie. Plain data: copied freely, nothing to
 * release. */
struct armi_tree {
    struct armi_node_store store;
    unsigned leaf_type;
    unsigned inner_type;
    bool keyed;
};

/*
 * A whole tree as its parent object keeps it: the entries themselves while they are small,
 * else the name of the root node, with totals. Treat as read-only; release it.
 * Zero-initialised, it is an empty tree that owns nothing.
 */
struct armi_tree_root {
    bool keyed;
    bool is_inline;        /* no root node: the entries are in `body` (also when empty) */
    uint8_t level;         /* of the root node, 0 where inline */
    struct armi_hash hash; /* of the root node, zero where inline */
    uint8_t logical[ARMI_TREE_LOGICAL_SIZE]; /* of all entries; zero where empty */
    uint64_t rows, bytes, entries;
    uint64_t anchor;               /* the last entry's */
    struct armi_buf key;           /* the last entry's, of a keyed tree */
    struct armi_buf body;          /* where inline: a leaf's bytes */
    struct armi_tree_stats *stats; /* over all entries, owned */
    size_t stats_count;
};

void armi_tree_root_init(struct armi_tree_root *root, bool keyed);
void armi_tree_root_release(struct armi_tree_root *root);
void armi_tree_root_swap(struct armi_tree_root *a, struct armi_tree_root *b);
/* *out is owned by the caller, who releases what was in it before. */
enum armi_status armi_tree_root_copy(const struct armi_tree_root *root,
                                     struct armi_tree_root *out, struct armi_error *err);
/*
 * The bytes that a parent object keeps (it must know their length): up to
 * ARMI_TREE_INLINE_MAX with the entries inside; else some 80 bytes and the statistics.
 * Equal trees have equal bytes. Appended to `out`.
 */
enum armi_status armi_tree_root_encode(const struct armi_tree_root *root,
                                       struct armi_buf *out, struct armi_error *err);
/* ARMI_CORRUPTION; ARMI_UNSUPPORTED for a form that is newer than this program. *out as in
 * copy. */
enum armi_status armi_tree_root_decode(struct armi_slice bytes, bool keyed,
                                       struct armi_tree_root *out, struct armi_error *err);
/* The root of a tree of which only the name of the root node was kept: reads that node. */
enum armi_status armi_tree_root_open(const struct armi_tree *tree,
                                     const struct armi_hash *hash, bool is_leaf,
                                     struct armi_tree_root *out, struct armi_error *err);
/* Same entries byte for byte, by name. */
bool armi_tree_root_equal(const struct armi_tree_root *a, const struct armi_tree_root *b);

/* Entries in order. next sets *end when there are no more; *out then means nothing. */
struct armi_tree_source {
    enum armi_status (*next)(void *ctx, struct armi_tree_entry *out, bool *end,
                             struct armi_error *err);
    void *ctx;
};

/*
 * Builds a tree: one pass, memory for one node a level. Keys must rise strictly. *out is
 * replaced, what was in it released. ARMI_INVALID: an entry that breaks a rule, named by
 * its place; ARMI_LIMIT. Nodes that were put before a failure are nobody's.
 */
enum armi_status armi_tree_build(const struct armi_tree *tree,
                                 struct armi_tree_source source, struct armi_tree_root *out,
                                 struct armi_error *err);
enum armi_status armi_tree_build_array(const struct armi_tree *tree,
                                       const struct armi_tree_entry *entries, size_t count,
                                       struct armi_tree_root *out, struct armi_error *err);

/* Entries [from, to) of the old tree give way to `entries`. from == to inserts before
 * `from`. */
struct armi_tree_splice {
    uint64_t from, to;
    const struct armi_tree_entry *entries;
    size_t count;
};

/*
 * A new tree in which all splices have happened; the old one stays. Places are those of the
 * old tree, splices in order and disjoint: from >= the one before's to. Reads and writes
 * O(log n) nodes a splice. Row-ordered trees only. *out as in build; it may be `root`
 * itself.
 */
enum armi_status armi_tree_edit(const struct armi_tree *tree,
                                const struct armi_tree_root *root,
                                const struct armi_tree_splice *splices, size_t count,
                                struct armi_tree_root *out, struct armi_error *err);

/* Keyed trees: `entry` (with this key) is put in or takes the place of the one there; NULL
 * deletes. */
struct armi_tree_change {
    struct armi_slice key;
    const struct armi_tree_entry *entry;
};

/* The same by key. Keys must rise strictly; deleting what is not there does nothing. */
enum armi_status armi_tree_edit_keys(const struct armi_tree *tree,
                                     const struct armi_tree_root *root,
                                     const struct armi_tree_change *changes, size_t count,
                                     struct armi_tree_root *out, struct armi_error *err);

/*
 * Visits the tree in order, parents before children: for gc, push and listings. `node` says
 * in *descend whether to go below that node (false: seen before; it is then not read);
 * `entry` gets the leaf entries. Either may be NULL. A failure ends the walk and is
 * returned.
 */
struct armi_tree_visitor {
    enum armi_status (*node)(void *ctx, const struct armi_hash *hash, unsigned type,
                             bool *descend, struct armi_error *err);
    enum armi_status (*entry)(void *ctx, const struct armi_tree_entry *entry,
                              struct armi_error *err);
    void *ctx;
};
enum armi_status armi_tree_walk(const struct armi_tree *tree,
                                const struct armi_tree_root *root,
                                const struct armi_tree_visitor *visitor,
                                struct armi_error *err);

/*
 * Proves the invariants of the whole tree: every node decodes and is canonical; counts,
 * statistics, last keys, anchors and logical hashes of a parent are those of its children;
 * keys rise; nodes end where the rule says; the root has the form it must have.
 * ARMI_CORRUPTION names the node and the invariant. The visitor (nullable) is as in a walk;
 * a node below which it does not descend is still held against what its parent tells, so
 * that what was proved in one version need not be in the next.
 */
enum armi_status armi_tree_verify(const struct armi_tree *tree,
                                  const struct armi_tree_root *root,
                                  const struct armi_tree_visitor *visitor,
                                  struct armi_error *err);

/*
 * The statistics of two sets of rows together, as inner nodes hold them: a column must be
 * in both. `sum` gets at most ARMI_TREE_STATS_MAX and may be `a`. False: null counts
 * overflow.
 */
bool armi_tree_stats_union(const struct armi_tree_stats *a, size_t a_count,
                           const struct armi_tree_stats *b, size_t b_count,
                           struct armi_tree_stats *sum, size_t *sum_count);
/* By binary search; NULL: nothing is known of the column. */
const struct armi_tree_stats *armi_tree_stats_find(const struct armi_tree_stats *stats,
                                                   size_t count, int32_t column);

#endif
