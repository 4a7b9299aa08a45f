/*
 * Reads a tree in order: by place, by row, by key, with subtrees left out that a filter
 * rules out.
 *
 *     struct armi_tree_cursor *cursor = NULL;
 *     ok = armi_tree_cursor_new(&tree, &root, &cursor, err)
 *     for (st = armi_tree_cursor_seek_first(cursor, err); st == ARMI_OK &&
 * armi_tree_cursor_valid(cursor); st = armi_tree_cursor_next(cursor, err)) …
 * armi_tree_cursor_entry(cursor) … armi_tree_cursor_free(cursor);
 *
 * It keeps one decoded node a level; seeking to a neighbour reads only what differs. One
 * thread at a time. After a failure the cursor is not valid, and may be sought again.
 */
#ifndef ARMI_TREE_TREE_CURSOR_H
#define ARMI_TREE_TREE_CURSOR_H

#include "tree/tree.h"

struct armi_tree_cursor;

/*
 * Whether rows with these statistics may hold what is looked for; false leaves them out
 * unread. Asked of inner nodes' entries and of leaf entries alike.
 */
struct armi_tree_filter {
    bool (*may_match)(void *ctx, const struct armi_tree_stats *stats, size_t stats_count,
                      uint64_t rows);
    void *ctx;
};

/* Copies what it needs of `tree` and `root`. Not valid until sought. *out is owned by the
 * caller. */
enum armi_status armi_tree_cursor_new(const struct armi_tree *tree,
                                      const struct armi_tree_root *root,
                                      struct armi_tree_cursor **out,
                                      struct armi_error *err);
void armi_tree_cursor_free(struct armi_tree_cursor *cursor);
/* For seeks and steps from here on; NULL = none. Copied. */
void armi_tree_cursor_set_filter(struct armi_tree_cursor *cursor,
                                 const struct armi_tree_filter *filter);

/* Each lands on the first entry at or behind the place that the filter lets through; beyond
 * the last one the cursor is not valid, which is no failure. */
enum armi_status armi_tree_cursor_seek_first(struct armi_tree_cursor *cursor,
                                             struct armi_error *err);
/* The entry with so many entries before it. */
enum armi_status armi_tree_cursor_seek_ordinal(struct armi_tree_cursor *cursor,
                                               uint64_t ordinal, struct armi_error *err);
/* The entry that holds row `row` of the whole: its place in the entry is row -
 * cursor_row(). */
enum armi_status armi_tree_cursor_seek_row(struct armi_tree_cursor *cursor, uint64_t row,
                                           struct armi_error *err);
/* Keyed trees: the first entry with a key >= `key`. *found (nullable): it is equal. */
enum armi_status armi_tree_cursor_seek_key(struct armi_tree_cursor *cursor,
                                           struct armi_slice key, bool *found,
                                           struct armi_error *err);
enum armi_status armi_tree_cursor_next(struct armi_tree_cursor *cursor,
                                       struct armi_error *err);

bool armi_tree_cursor_valid(const struct armi_tree_cursor *cursor);
/* Borrowed until the cursor moves. The cursor must be valid here and below. */
const struct armi_tree_entry *armi_tree_cursor_entry(const struct armi_tree_cursor *cursor);
/* Entries, and rows, before the current entry. */
uint64_t armi_tree_cursor_ordinal(const struct armi_tree_cursor *cursor);
uint64_t armi_tree_cursor_row(const struct armi_tree_cursor *cursor);
/* Nodes read from the store so far: what a filter or a seek saved can be tested and shown.
 */
uint64_t armi_tree_cursor_nodes_read(const struct armi_tree_cursor *cursor);

#endif
