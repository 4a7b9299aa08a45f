/*
 * Two lists of items aligned: which stretches differ. The diff's inner part, kept apart
 * from where the items come from.
 */
#ifndef ARMI_TREE_TREE_ALIGN_H
#define ARMI_TREE_TREE_ALIGN_H

#include "tree/tree.h"

#define ARMI_TREE_ID_SIZE 32

/* An item of a list: what identifies it, where it begins, and what it takes to open it. */
struct tree_spot {
    uint8_t id[ARMI_TREE_ID_SIZE];
    uint64_t entries, rows, bytes;
    uint64_t ordinal, row;
    struct armi_hash hash;
    size_t key_offset, key_size; /* in tree_side.keys; leaf entries of keyed trees */
};

struct tree_side {
    struct tree_spot *spots;
    size_t count, capacity;
    struct armi_buf keys;
    uint64_t start_ordinal, start_row; /* where an empty list is */
};

/* Items [from, to) of both lists; side 0 is the old. */
struct tree_gap {
    size_t from[2], to[2];
};

struct tree_gaps {
    struct tree_gap *list;
    size_t count, capacity;
};

/* All three structs start zeroed. */
void armi_tree_side_release(struct tree_side *side);
void armi_tree_side_clear(struct tree_side *side);
void armi_tree_side_swap(struct tree_side *a, struct tree_side *b);
enum armi_status armi_tree_side_add(struct tree_side *side, const struct tree_spot *spot,
                                    struct armi_slice key, struct armi_error *err);
void armi_tree_gaps_release(struct tree_gaps *gaps);

/*
 * Replaces `gaps` with the stretches between equal items, in order, never touching. Equal
 * ends are taken off; in what is left, items that occur once on each side are matched as
 * long as they keep their order (a longest increasing subsequence), and equal neighbours
 * join them.
 */
enum armi_status armi_tree_align(const struct tree_side *a, const struct tree_side *b,
                                 struct tree_gaps *gaps, struct armi_error *err);
/* For items in key order: one gap a key that is not the same on both sides. */
enum armi_status armi_tree_align_keys(const struct tree_side *a, const struct tree_side *b,
                                      struct tree_gaps *gaps, struct armi_error *err);

#endif
