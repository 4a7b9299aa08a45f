/*
 * What the files of the tree share: items (an entry of any level), decoded nodes, the chunk
 * (a node in the making) and the rule that ends it. docs/format/tree.md has the bytes and
 * the rule.
 *
 * A level is the distance to the leaves. An item of level 0 is a leaf entry; an item of
 * level n > 0 stands for a node of level n - 1. A node of level n holds items of level n.
 */
#ifndef ARMI_TREE_TREE_INTERNAL_H
#define ARMI_TREE_TREE_INTERNAL_H

#include "tree/tree.h"

struct tree_item {
    struct armi_tree_entry entry; /* key: the last below; payload: leaf entries only */
    uint64_t entries;             /* leaf entries below; 1 for a leaf entry */
    struct armi_hash hash;        /* of the node it stands for; unused at level 0 */
    struct armi_slice encoded;    /* its bytes, where it was decoded from */
};

/* Items, their statistics and their slices belong to the node, until it is decoded anew. */
struct tree_node {
    struct armi_buf bytes;
    unsigned level;
    bool keyed;
    size_t count;
    struct tree_item *items;
    size_t items_capacity;
    struct armi_tree_stats *stats;
    size_t stats_capacity;
    uint64_t rows, total_bytes, entries;
};

/* A node in the making, and what its parent will say of it. */
struct tree_chunk {
    unsigned level;
    bool keyed;
    size_t count;
    unsigned weight;
    struct armi_buf items;   /* encoded */
    struct armi_buf logical; /* what the logical hash is of */
    struct armi_buf key;
    uint64_t rows, bytes, entries, anchor;
    size_t stats_count;
    struct armi_tree_stats stats[ARMI_TREE_STATS_MAX];
};

/* tree_node.c: items and nodes as bytes. */
enum armi_status armi_tree_entry_check(const struct armi_tree_entry *entry, bool keyed,
                                       struct armi_error *err);
enum armi_status armi_tree_item_encode(const struct tree_item *item, unsigned level,
                                       bool keyed, struct armi_buf *out,
                                       struct armi_error *err);
/*
 * Statistics go to `stats`, which has room for ARMI_TREE_STATS_MAX; the rest is borrowed
 * from the reader's bytes. The reader is moved behind the item.
 */
enum armi_status armi_tree_item_decode(struct armi_reader *reader, unsigned level,
                                       bool keyed, struct armi_tree_stats *stats,
                                       struct tree_item *item, struct armi_error *err);
void armi_tree_node_init(struct tree_node *node);
void armi_tree_node_release(struct tree_node *node);
/*
 * Takes the content of `bytes` in any case, and gives the old one back in it. `keyed` and
 * `level` are what must be.
 */
enum armi_status armi_tree_node_decode(struct armi_buf *bytes, unsigned level, bool keyed,
                                       struct tree_node *node, struct armi_error *err);
enum armi_status armi_tree_node_encode(unsigned level, bool keyed, size_t count,
                                       struct armi_slice items, struct armi_buf *out,
                                       struct armi_error *err);
/*
 * The node that an item of level + 1 stands for: read, decoded, its totals held against the
 * item.
 */
enum armi_status armi_tree_node_read(const struct armi_tree *tree, unsigned level,
                                     const struct tree_item *parent, struct tree_node *node,
                                     struct armi_error *err);
/*
 * Whether a node has the totals that the item which stands for it tells: two items may name
 * one node and tell differently, so this is asked of each.
 */
enum armi_status armi_tree_node_check(const struct tree_node *node,
                                      const struct tree_item *parent,
                                      struct armi_error *err);
/* Puts "tree node <hash>" before a message about a node. */
enum armi_status armi_tree_node_blame(const struct armi_hash *hash, enum armi_status status,
                                      struct armi_error *err);

/* tree_stats.c */
bool armi_tree_stats_valid(const struct armi_tree_stats *stats, size_t count);
enum armi_status armi_tree_stats_encode(const struct armi_tree_stats *stats, size_t count,
                                        struct armi_buf *out, struct armi_error *err);
enum armi_status armi_tree_stats_decode(struct armi_reader *reader,
                                        struct armi_tree_stats *stats, size_t *count,
                                        struct armi_error *err);

/* tree_chunk.c */
/* The most items that the rule lets into a node. */
size_t armi_tree_chunk_count_max(unsigned level);
/*
 * Whether a node that holds `count` items of this weight in all, the last one with this
 * anchor and size, ends here. *weight is what came before and is brought up to date.
 */
bool armi_tree_chunk_rule(unsigned level, uint64_t anchor, size_t size, unsigned *weight);
enum armi_status armi_tree_chunk_new(unsigned level, bool keyed, struct tree_chunk **out,
                                     struct armi_error *err);
void armi_tree_chunk_free(struct tree_chunk *chunk);
/* Forgets the items, and the key that the next one must exceed. */
void armi_tree_chunk_clear(struct tree_chunk *chunk);
/* `item` with its encoded bytes. *cut says that the node ends with it: close it. */
enum armi_status armi_tree_chunk_add(struct tree_chunk *chunk, const struct tree_item *item,
                                     bool *cut, struct armi_error *err);
/*
 * What the parent says of the node, but for its hash; borrowed from the chunk until the
 * next add.
 */
void armi_tree_chunk_summary(const struct tree_chunk *chunk, struct tree_item *out);
/*
 * The summary of a node that was read; `chunk` is empty and of its level. ARMI_CORRUPTION.
 */
enum armi_status armi_tree_chunk_summarise(struct tree_chunk *chunk,
                                           const struct tree_node *node,
                                           struct tree_item *out, struct armi_error *err);
/* Puts the node; *out as in summary, with the hash. The chunk is empty afterwards. */
enum armi_status armi_tree_chunk_close(struct tree_chunk *chunk,
                                       const struct armi_tree *tree, struct tree_item *out,
                                       struct armi_error *err);

/* tree_root.c */
/* A root that stands for the node of `item`, at `level`. */
enum armi_status armi_tree_root_from_item(const struct tree_item *item, unsigned level,
                                          bool keyed, struct armi_tree_root *out,
                                          struct armi_error *err);
/* Inline if the chunk of level 0 is small enough; *fits says so, else nothing happens. */
enum armi_status armi_tree_root_from_chunk(const struct tree_chunk *chunk, bool *fits,
                                           struct armi_tree_root *out,
                                           struct armi_error *err);
/* The root as an item of level + 1, borrowed from it. Its hash is zero where inline. */
void armi_tree_root_item(const struct armi_tree_root *root, struct tree_item *out);
/* The root node, from the root itself where inline. For a root with entries. */
enum armi_status armi_tree_root_read(const struct armi_tree *tree,
                                     const struct armi_tree_root *root,
                                     struct tree_node *node, struct armi_error *err);

/* tree_build.c: levels on top of each other, each filled by the nodes of the one below. */
struct tree_builder {
    const struct armi_tree *tree;
    unsigned base; /* the level that is fed */
    struct tree_chunk *chunks[ARMI_TREE_LEVEL_MAX + 1];
    size_t closed[ARMI_TREE_LEVEL_MAX + 1]; /* nodes of each level so far */
};
void armi_tree_builder_init(struct tree_builder *builder, const struct armi_tree *tree,
                            unsigned base);
void armi_tree_builder_release(struct tree_builder *builder);
/* `item` of the base level, with its encoded bytes. */
enum armi_status armi_tree_builder_add(struct tree_builder *builder,
                                       const struct tree_item *item,
                                       struct armi_error *err);
/*
 * The root over all that was added; one that stands for a node of base - 1 if that was one
 * item.
 */
enum armi_status armi_tree_builder_finish(struct tree_builder *builder,
                                          struct armi_tree_root *out,
                                          struct armi_error *err);

#endif
