/*
 * Walks of a whole tree: to visit, and to prove the invariants.
 */
#include <string.h>

#include "base/alloc.h"
#include "tree/tree_internal.h"

struct walk {
    const struct armi_tree *tree;
    const struct armi_tree_visitor *visitor;
    bool proves;
    struct tree_node nodes[ARMI_TREE_LEVEL_MAX + 1];
    struct tree_chunk *chunks[ARMI_TREE_LEVEL_MAX + 2]; /* scratch of summaries, by level */
    struct armi_buf key;                                /* of the leaf entry before */
    struct armi_buf told, found;                        /* scratch: two items as bytes */
};

static enum armi_status damaged(const struct tree_item *item, struct armi_error *err,
                                const char *what)
{
    enum armi_status st = armi_error_set(err, ARMI_CORRUPTION, "%s", what);
    return armi_tree_node_blame(&item->hash, st, err);
}

static enum armi_status visit_entry(struct walk *walk, const struct armi_tree_entry *entry,
                                    struct armi_error *err)
{
    if (walk->visitor != NULL && walk->visitor->entry != NULL)
        return walk->visitor->entry(walk->visitor->ctx, entry, err);
    return ARMI_OK;
}

/*
 * Nodes end where the rule says: inside none it says so, at the end of each but a level's
 * last.
 */
static enum armi_status check_rule(const struct tree_node *node,
                                   const struct tree_item *self, bool is_last,
                                   struct armi_error *err)
{
    unsigned weight = 0;
    for (size_t i = 0; i < node->count; i++) {
        const struct tree_item *item = &node->items[i];
        bool ends = armi_tree_chunk_rule(node->level, item->entry.anchor,
                                         item->encoded.size, &weight);
        bool at_end = i + 1 == node->count;
        if (ends && !at_end)
            return damaged(self, err, "the node goes on where it must end");
        if (!ends && at_end && !is_last)
            return damaged(self, err, "the node ends where it must go on");
    }
    return ARMI_OK;
}

/* What the parent tells of a node is what the node is, to the byte. */
static enum armi_status check_summary(struct walk *walk, const struct tree_node *node,
                                      const struct tree_item *self, struct armi_error *err)
{
    unsigned level = node->level;
    bool keyed = node->keyed;
    struct tree_item summary;
    if (walk->chunks[level] == NULL)
        ARMI_TRY(armi_tree_chunk_new(level, keyed, &walk->chunks[level], err));
    armi_tree_chunk_clear(walk->chunks[level]);
    enum armi_status st =
        armi_tree_chunk_summarise(walk->chunks[level], node, &summary, err);
    if (st != ARMI_OK)
        return armi_tree_node_blame(&self->hash, st, err);
    summary.hash = self->hash;
    armi_buf_clear(&walk->told);
    armi_buf_clear(&walk->found);
    ARMI_TRY(armi_tree_item_encode(self, level + 1, keyed, &walk->told, err));
    ARMI_TRY(armi_tree_item_encode(&summary, level + 1, keyed, &walk->found, err));
    if (!armi_slice_equal(armi_buf_slice(&walk->told), armi_buf_slice(&walk->found)))
        return damaged(
            self, err,
            "totals, statistics, last key, anchor or logical hash are not those that "
            "its parent tells");
    return ARMI_OK;
}

static enum armi_status check_keys(struct walk *walk, const struct tree_node *node,
                                   const struct tree_item *self, struct armi_error *err)
{
    for (size_t i = 0; i < node->count; i++) {
        struct armi_slice key = node->items[i].entry.key;
        if (walk->key.size > 0 && armi_slice_compare(armi_buf_slice(&walk->key), key) >= 0)
            return damaged(self, err, "the keys do not rise");
        armi_buf_clear(&walk->key);
        ARMI_TRY(armi_buf_append(&walk->key, key.data, key.size, err));
    }
    return ARMI_OK;
}

/* `self` is what the parent, or the root, tells of the node. */
static enum armi_status check_node(struct walk *walk, const struct tree_node *node,
                                   const struct tree_item *self, bool is_last,
                                   struct armi_error *err)
{
    ARMI_TRY(check_rule(node, self, is_last, err));
    if (node->keyed && node->level == 0)
        ARMI_TRY(check_keys(walk, node, self, err));
    return check_summary(walk, node, self, err);
}

static enum armi_status walk_items(struct walk *walk, const struct tree_node *node,
                                   bool is_last, struct armi_error *err);

/* Tells the visitor of a node; whether to go below it. */
static enum armi_status visit_node(struct walk *walk, unsigned level,
                                   const struct armi_hash *hash, bool *descend,
                                   struct armi_error *err)
{
    const struct armi_tree_visitor *visitor = walk->visitor;
    *descend = true;
    if (visitor == NULL || visitor->node == NULL)
        return ARMI_OK;
    unsigned type = level == 0 ? walk->tree->leaf_type : walk->tree->inner_type;
    return visitor->node(visitor->ctx, hash, type, descend, err);
}

static enum armi_status read_node(struct walk *walk, unsigned level,
                                  const struct tree_item *self, bool is_last,
                                  struct armi_error *err)
{
    ARMI_TRY(armi_tree_node_read(walk->tree, level, self, &walk->nodes[level], err));
    return walk->proves ? check_node(walk, &walk->nodes[level], self, is_last, err)
                        : ARMI_OK;
}

/*
 * A subtree that was proved before, but not in this place: its first leaf shows that its
 * keys are above the ones before it.
 */
static enum armi_status skim(struct walk *walk, unsigned level,
                             const struct tree_item *self, struct armi_error *err)
{
    for (unsigned i = level; i-- > 0;)
        ARMI_TRY(read_node(walk, i, &walk->nodes[i + 1].items[0], true, err));
    armi_buf_clear(&walk->key);
    return armi_buf_append(&walk->key, self->entry.key.data, self->entry.key.size, err);
}

/* Recursion: as deep as the tree, at most ARMI_TREE_LEVEL_MAX. */
static enum armi_status walk_child(struct walk *walk, unsigned level,
                                   const struct tree_item *self, bool is_last,
                                   struct armi_error *err)
{
    bool descend;
    ARMI_TRY(visit_node(walk, level, &self->hash, &descend, err));
    if (!walk->proves) {
        /* Without somebody to show the entries to, leaves need not be read. */
        bool shows = walk->visitor != NULL && walk->visitor->entry != NULL;
        if (!descend || (level == 0 && !shows))
            return ARMI_OK;
    }
    ARMI_TRY(read_node(walk, level, self, is_last, err));
    if (descend)
        return walk_items(walk, &walk->nodes[level], is_last, err);
    return walk->tree->keyed ? skim(walk, level, self, err) : ARMI_OK;
}

static enum armi_status walk_items(struct walk *walk, const struct tree_node *node,
                                   bool is_last, struct armi_error *err)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct tree_item *item = &node->items[i];
        bool last = is_last && i + 1 == node->count;
        if (node->level == 0)
            ARMI_TRY(visit_entry(walk, &item->entry, err));
        else
            ARMI_TRY(walk_child(walk, node->level - 1, item, last, err));
    }
    return ARMI_OK;
}

/*
 * The root has the lowest level that is one node, and its entries inside where they are
 * small.
 */
static enum armi_status check_root_form(const struct armi_tree_root *root,
                                        const struct tree_node *node,
                                        const struct tree_item *self,
                                        struct armi_error *err)
{
    if (root->level > 0 && node->count < 2)
        return damaged(self, err, "a root with a single entry");
    if (root->level == 0 && node->bytes.size < ARMI_TREE_INLINE_MAX)
        return damaged(self, err, "a root that must be inside its parent");
    return ARMI_OK;
}

static enum armi_status walk_root(struct walk *walk, const struct armi_tree_root *root,
                                  struct armi_error *err)
{
    struct tree_item self;
    struct tree_node *node = &walk->nodes[root->level];
    if (root->entries == 0)
        return ARMI_OK;
    armi_tree_root_item(root, &self);
    if (!root->is_inline) {
        ARMI_TRY(walk_child(walk, root->level, &self, true, err));
        return walk->proves ? check_root_form(root, node, &self, err) : ARMI_OK;
    }
    ARMI_TRY(armi_tree_root_read(walk->tree, root, node, err));
    if (walk->proves)
        ARMI_TRY(check_node(walk, node, &self, true, err));
    return walk_items(walk, node, true, err);
}

static enum armi_status run(const struct armi_tree *tree, const struct armi_tree_root *root,
                            const struct armi_tree_visitor *visitor, bool proves,
                            struct armi_error *err)
{
    struct walk *walk = armi_alloc_zero(1, sizeof *walk);
    if (walk == NULL)
        return armi_error_no_memory(err);
    walk->tree = tree;
    walk->visitor = visitor;
    walk->proves = proves;
    for (size_t i = 0; i <= ARMI_TREE_LEVEL_MAX; i++)
        armi_tree_node_init(&walk->nodes[i]);
    enum armi_status st = walk_root(walk, root, err);
    for (size_t i = 0; i <= ARMI_TREE_LEVEL_MAX; i++) {
        armi_tree_node_release(&walk->nodes[i]);
        armi_tree_chunk_free(walk->chunks[i]);
    }
    armi_buf_release(&walk->key);
    armi_buf_release(&walk->told);
    armi_buf_release(&walk->found);
    armi_free(walk);
    return st;
}

enum armi_status armi_tree_walk(const struct armi_tree *tree,
                                const struct armi_tree_root *root,
                                const struct armi_tree_visitor *visitor,
                                struct armi_error *err)
{
    return run(tree, root, visitor, false, err);
}

enum armi_status armi_tree_verify(const struct armi_tree *tree,
                                  const struct armi_tree_root *root,
                                  const struct armi_tree_visitor *visitor,
                                  struct armi_error *err)
{
    return run(tree, root, visitor, true, err);
}
