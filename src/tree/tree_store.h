/*
 * The tree's nodes among the nodes of the catalog: read through a source, written into a
 * set that waits for its publish. This is where the tree's bytes get the frame and the name
 * of catalog/node.h.
 */
#ifndef ARMI_TREE_TREE_STORE_H
#define ARMI_TREE_TREE_STORE_H

#include "catalog/node.h"
#include "tree/tree.h"

/* Must stay where it is while a tree made of it is used. Nothing to release. */
struct armi_tree_store {
    struct armi_node_source source;
    struct armi_node_set *set;
};

/* Reading only. `source` is copied. */
void armi_tree_store_init(struct armi_tree_store *self,
                          const struct armi_node_source *source);
/* New nodes go into `set` (borrowed); reads see them, and what is below the set. */
void armi_tree_store_init_set(struct armi_tree_store *self, struct armi_node_set *set);

/* The tree of a table's ranges, row-ordered. Borrows `self`. */
struct armi_tree armi_tree_store_ranges(struct armi_tree_store *self);
/* The tables map of a commit, keyed by name. Borrows `self`. */
struct armi_tree armi_tree_store_tables(struct armi_tree_store *self);

#endif
