/*
 * What differs between two trees, at the cost of the nodes that are not shared: equal
 * subtrees are recognised by hash and never read, also after inserts, since boundaries are
 * content-defined.
 *
 *     struct armi_tree_diff *diff = NULL;
 *     st = armi_tree_diff_new(&tree, &old_root, &new_root, ARMI_TREE_DIFF_LOGICAL, &diff,
 * err); while (st == ARMI_OK && (st = armi_tree_diff_next(diff, &run, &has, err)) ==
 * ARMI_OK && has) … entries [run.a_from, run.a_to) of the old became [run.b_from, run.b_to)
 * of the new … armi_tree_diff_free(diff);
 *
 * The entries of a run are read with two cursors (tree_cursor.h): a run may be as long as
 * the tree.
 */
#ifndef ARMI_TREE_TREE_DIFF_H
#define ARMI_TREE_TREE_DIFF_H

#include "tree/tree.h"

enum armi_tree_diff_kind {
    ARMI_TREE_DIFF_LOGICAL,  /* entries are equal if key, rows and logical hash are: what
                                users see */
    ARMI_TREE_DIFF_PHYSICAL, /* only if all their bytes are: also what was laid out anew */
};

/*
 * Row-ordered trees: a maximal run without equal entries in the middle, as far as was
 * found; what lies between two runs is equal on both sides, so that replacing each run's A
 * entries by its B entries makes B of A. A run may hold equal entries where entries repeat
 * or moved: never fewer than differ.
 *
 * Keyed trees: exactly one key a run, in key order: both sides one entry = changed, only A
 * = removed, only B = added. Exact.
 */
struct armi_tree_run {
    uint64_t a_from, a_to; /* entries */
    uint64_t b_from, b_to;
    uint64_t a_row_from, a_row_to; /* the same in rows */
    uint64_t b_row_from, b_row_to;
};

struct armi_tree_diff;

/* Copies what it needs of the tree and of both roots. *out is owned by the caller. */
enum armi_status armi_tree_diff_new(const struct armi_tree *tree,
                                    const struct armi_tree_root *a,
                                    const struct armi_tree_root *b,
                                    enum armi_tree_diff_kind kind,
                                    struct armi_tree_diff **out, struct armi_error *err);
void armi_tree_diff_free(struct armi_tree_diff *diff);
/* *has is false after the last run. After a failure only free is allowed. */
enum armi_status armi_tree_diff_next(struct armi_tree_diff *diff, struct armi_tree_run *run,
                                     bool *has, struct armi_error *err);
/* Nodes read from the store so far. */
uint64_t armi_tree_diff_nodes_read(const struct armi_tree_diff *diff);

#endif
