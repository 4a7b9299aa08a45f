/*
 * A stack of decoded nodes, one a level. Every move is the same two steps: descend towards
 * a place as far as the filter lets, then settle: go on from an item of some level to the
 * first one of the floor that may be shown.
 */
#include "tree/tree_cursor.h"

#include <string.h>

#include "base/alloc.h"
#include "tree/tree_cursor_internal.h"

enum armi_status armi_tree_cursor_new(const struct armi_tree *tree,
                                      const struct armi_tree_root *root,
                                      struct armi_tree_cursor **out, struct armi_error *err)
{
    struct armi_tree_cursor *cursor = armi_alloc_zero(1, sizeof *cursor);
    if (cursor == NULL)
        return armi_error_no_memory(err);
    cursor->tree = *tree;
    for (size_t i = 0; i <= ARMI_TREE_LEVEL_MAX; i++)
        armi_tree_node_init(&cursor->frames[i].node);
    armi_tree_root_init(&cursor->root, tree->keyed);
    enum armi_status st = armi_tree_root_copy(root, &cursor->root, err);
    if (st != ARMI_OK) {
        armi_tree_cursor_free(cursor);
        return st;
    }
    *out = cursor;
    return ARMI_OK;
}

void armi_tree_cursor_free(struct armi_tree_cursor *cursor)
{
    if (cursor == NULL)
        return;
    for (size_t i = 0; i <= ARMI_TREE_LEVEL_MAX; i++)
        armi_tree_node_release(&cursor->frames[i].node);
    armi_tree_root_release(&cursor->root);
    armi_free(cursor);
}

void armi_tree_cursor_set_filter(struct armi_tree_cursor *cursor,
                                 const struct armi_tree_filter *filter)
{
    cursor->filter = filter != NULL ? *filter : (struct armi_tree_filter){0};
}

static struct tree_item *current(struct tree_frame *frame)
{
    return &frame->node.items[frame->index];
}

static void step(struct tree_frame *frame)
{
    frame->ordinal += current(frame)->entries;
    frame->row += current(frame)->entry.rows;
    frame->index++;
}

static bool passes(const struct armi_tree_cursor *cursor, const struct tree_item *item)
{
    const struct armi_tree_entry *entry = &item->entry;
    return cursor->filter.may_match == NULL ||
           cursor->filter.may_match(cursor->filter.ctx, entry->stats, entry->stats_count,
                                    entry->rows);
}

/* The root's node; kept once read. */
static enum armi_status enter_root(struct armi_tree_cursor *cursor, struct armi_error *err)
{
    struct tree_frame *frame = &cursor->frames[cursor->root.level];
    if (!frame->loaded ||
        memcmp(&frame->hash, &cursor->root.hash, sizeof frame->hash) != 0) {
        frame->loaded = false;
        ARMI_TRY(armi_tree_root_read(&cursor->tree, &cursor->root, &frame->node, err));
        cursor->nodes_read += !cursor->root.is_inline;
        frame->hash = cursor->root.hash;
        frame->loaded = true;
    }
    frame->index = 0;
    frame->ordinal = frame->row = 0;
    return ARMI_OK;
}

/*
 * The node below the current item of `level`, at its first item; kept while the same is
 * asked for.
 */
static enum armi_status enter_child(struct armi_tree_cursor *cursor, unsigned level,
                                    struct armi_error *err)
{
    struct tree_frame *parent = &cursor->frames[level], *frame = &cursor->frames[level - 1];
    const struct tree_item *item = current(parent);
    if (frame->loaded && memcmp(&frame->hash, &item->hash, sizeof frame->hash) == 0) {
        ARMI_TRY(armi_tree_node_check(&frame->node, item, err));
    } else {
        frame->loaded = false;
        ARMI_TRY(armi_tree_node_read(&cursor->tree, level - 1, item, &frame->node, err));
        cursor->nodes_read++;
        frame->hash = item->hash;
        frame->loaded = true;
    }
    frame->index = 0;
    frame->ordinal = parent->ordinal;
    frame->row = parent->row;
    return ARMI_OK;
}

/*
 * From the current place of `level`, which may be behind its last item, to the next item to
 * show.
 */
static enum armi_status settle(struct armi_tree_cursor *cursor, unsigned level,
                               struct armi_error *err)
{
    for (;;) {
        struct tree_frame *frame = &cursor->frames[level];
        if (frame->index == frame->node.count) {
            if (level == cursor->root.level)
                return ARMI_OK;
            level++;
            step(&cursor->frames[level]);
        } else if (!passes(cursor, current(frame))) {
            step(frame);
        } else if (level == cursor->floor) {
            cursor->valid = true;
            return ARMI_OK;
        } else {
            ARMI_TRY(enter_child(cursor, level, err));
            level--;
        }
    }
}

/* Where to: the first item for which the part that fits is beyond the place. */
enum seek_mode { SEEK_FIRST, SEEK_ORDINAL, SEEK_ROW, SEEK_KEY };

struct seek {
    enum seek_mode mode;
    uint64_t place;
    struct armi_slice key;
};

static bool is_before(const struct tree_frame *frame, const struct tree_item *item,
                      const struct seek *seek)
{
    switch (seek->mode) {
    case SEEK_ORDINAL:
        return seek->place - frame->ordinal >= item->entries;
    case SEEK_ROW:
        return seek->place - frame->row >= item->entry.rows;
    case SEEK_KEY:
        return armi_slice_compare(item->entry.key, seek->key) < 0;
    default:
        return false;
    }
}

static enum armi_status seek_to(struct armi_tree_cursor *cursor, const struct seek *seek,
                                struct armi_error *err)
{
    cursor->valid = false;
    if (cursor->root.entries == 0)
        return ARMI_OK;
    unsigned level = cursor->root.level;
    ARMI_TRY(enter_root(cursor, err));
    for (;;) {
        struct tree_frame *frame = &cursor->frames[level];
        while (frame->index < frame->node.count && is_before(frame, current(frame), seek))
            step(frame);
        if (frame->index == frame->node.count || level == cursor->floor ||
            !passes(cursor, current(frame)))
            return settle(cursor, level, err);
        ARMI_TRY(enter_child(cursor, level, err));
        level--;
    }
}

enum armi_status armi_tree_cursor_seek_first(struct armi_tree_cursor *cursor,
                                             struct armi_error *err)
{
    return seek_to(cursor, &(struct seek){.mode = SEEK_FIRST}, err);
}

enum armi_status armi_tree_cursor_seek_ordinal(struct armi_tree_cursor *cursor,
                                               uint64_t ordinal, struct armi_error *err)
{
    return seek_to(cursor, &(struct seek){.mode = SEEK_ORDINAL, .place = ordinal}, err);
}

enum armi_status armi_tree_cursor_seek_row(struct armi_tree_cursor *cursor, uint64_t row,
                                           struct armi_error *err)
{
    return seek_to(cursor, &(struct seek){.mode = SEEK_ROW, .place = row}, err);
}

enum armi_status armi_tree_cursor_seek_key(struct armi_tree_cursor *cursor,
                                           struct armi_slice key, bool *found,
                                           struct armi_error *err)
{
    if (!cursor->tree.keyed)
        return armi_error_set(err, ARMI_INVALID, "a row-ordered tree has no keys to seek");
    ARMI_TRY(seek_to(cursor, &(struct seek){.mode = SEEK_KEY, .key = key}, err));
    if (found != NULL)
        *found =
            cursor->valid && armi_slice_equal(armi_tree_cursor_entry(cursor)->key, key);
    return ARMI_OK;
}

enum armi_status armi_tree_cursor_next(struct armi_tree_cursor *cursor,
                                       struct armi_error *err)
{
    if (!cursor->valid)
        return ARMI_OK;
    cursor->valid = false;
    step(&cursor->frames[cursor->floor]);
    return settle(cursor, cursor->floor, err);
}

bool armi_tree_cursor_valid(const struct armi_tree_cursor *cursor)
{
    return cursor->valid;
}

const struct tree_item *armi_tree_cursor_item(const struct armi_tree_cursor *cursor)
{
    const struct tree_frame *frame = &cursor->frames[cursor->floor];
    return &frame->node.items[frame->index];
}

void armi_tree_cursor_rewind_node(struct armi_tree_cursor *cursor)
{
    struct tree_frame *frame = &cursor->frames[cursor->floor];
    bool is_root = cursor->floor == cursor->root.level;
    frame->index = 0;
    frame->ordinal = is_root ? 0 : frame[1].ordinal;
    frame->row = is_root ? 0 : frame[1].row;
}

bool armi_tree_cursor_between_nodes(const struct armi_tree_cursor *cursor)
{
    return !cursor->valid || cursor->frames[cursor->floor].index == 0;
}

bool armi_tree_cursor_ends_node(const struct armi_tree_cursor *cursor)
{
    const struct tree_frame *frame = &cursor->frames[cursor->floor];
    return frame->index + 1 == frame->node.count;
}

uint64_t armi_tree_cursor_place(const struct armi_tree_cursor *cursor)
{
    return cursor->valid ? armi_tree_cursor_ordinal(cursor) : cursor->root.entries;
}

const struct armi_tree_entry *armi_tree_cursor_entry(const struct armi_tree_cursor *cursor)
{
    return &armi_tree_cursor_item(cursor)->entry;
}

uint64_t armi_tree_cursor_ordinal(const struct armi_tree_cursor *cursor)
{
    return cursor->frames[cursor->floor].ordinal;
}

uint64_t armi_tree_cursor_row(const struct armi_tree_cursor *cursor)
{
    return cursor->frames[cursor->floor].row;
}

uint64_t armi_tree_cursor_nodes_read(const struct armi_tree_cursor *cursor)
{
    return cursor->nodes_read;
}
