/*
 * The cursor's inside, for the edit, which walks the items of one level instead of the leaf
 * entries.
 */
#ifndef ARMI_TREE_TREE_CURSOR_INTERNAL_H
#define ARMI_TREE_TREE_CURSOR_INTERNAL_H

#include "tree/tree_cursor.h"
#include "tree/tree_internal.h"

struct tree_frame {
    struct tree_node node;
    struct armi_hash hash; /* of the node, where loaded */
    bool loaded;
    size_t index;          /* of the current item */
    uint64_t ordinal, row; /* leaf entries and rows before it */
};

struct armi_tree_cursor {
    struct armi_tree tree;
    struct armi_tree_root root;
    /* The level whose items it walks: 0 but for the edit, which seeks after a change. */
    unsigned floor;
    bool valid;
    struct armi_tree_filter filter;
    uint64_t nodes_read;
    struct tree_frame frames[ARMI_TREE_LEVEL_MAX + 1];
};

/* Back to the first item of the node that the current item is in. */
void armi_tree_cursor_rewind_node(struct armi_tree_cursor *cursor);
/* Whether that is the current item, or there is none. */
bool armi_tree_cursor_between_nodes(const struct armi_tree_cursor *cursor);
/* Whether the current item, there being one, is the last of its node. */
bool armi_tree_cursor_ends_node(const struct armi_tree_cursor *cursor);
/* Leaf entries before the current item; all, where there is none. */
uint64_t armi_tree_cursor_place(const struct armi_tree_cursor *cursor);
/* The current item, where valid. */
const struct tree_item *armi_tree_cursor_item(const struct armi_tree_cursor *cursor);

#endif
