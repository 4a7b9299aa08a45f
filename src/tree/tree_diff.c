/*
 * The difference of two trees. Both are held against each other level by level: the items
 * of one level in a stretch are aligned by hash, what remains between equal ones are gaps,
 * and only the nodes in a gap are read and aligned one level further down. Equal nodes are
 * never read, and since nodes end where their content says, an insert leaves a gap of a
 * node or two, not everything behind it.
 */
#include "tree/tree_diff.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "hash/blake3.h"
#include "tree/tree_align.h"
#include "tree/tree_internal.h"

/*
 * One level of the descent: the items of a stretch of both trees, and the gaps between
 * equal ones.
 */
struct diff_frame {
    struct tree_side sides[2];
    struct tree_gaps gaps;
    size_t next;
};

struct armi_tree_diff {
    struct armi_tree tree;
    struct armi_tree_root roots[2];
    enum armi_tree_diff_kind kind;
    bool started;
    unsigned level; /* of the items in the newest frame */
    unsigned top;   /* of those in the first */
    uint64_t nodes_read;
    struct tree_node node; /* the one being read */
    struct diff_frame frames[ARMI_TREE_LEVEL_MAX + 1];
};

enum armi_status armi_tree_diff_new(const struct armi_tree *tree,
                                    const struct armi_tree_root *a,
                                    const struct armi_tree_root *b,
                                    enum armi_tree_diff_kind kind,
                                    struct armi_tree_diff **out, struct armi_error *err)
{
    struct armi_tree_diff *diff = armi_alloc_zero(1, sizeof *diff);
    if (diff == NULL)
        return armi_error_no_memory(err);
    diff->tree = *tree;
    diff->kind = kind;
    armi_tree_node_init(&diff->node);
    for (size_t i = 0; i < 2; i++)
        armi_tree_root_init(&diff->roots[i], tree->keyed);
    enum armi_status st = armi_tree_root_copy(a, &diff->roots[0], err);
    if (st == ARMI_OK)
        st = armi_tree_root_copy(b, &diff->roots[1], err);
    if (st != ARMI_OK) {
        armi_tree_diff_free(diff);
        return st;
    }
    *out = diff;
    return ARMI_OK;
}

void armi_tree_diff_free(struct armi_tree_diff *diff)
{
    if (diff == NULL)
        return;
    for (size_t i = 0; i <= ARMI_TREE_LEVEL_MAX; i++) {
        armi_tree_side_release(&diff->frames[i].sides[0]);
        armi_tree_side_release(&diff->frames[i].sides[1]);
        armi_tree_gaps_release(&diff->frames[i].gaps);
    }
    armi_tree_node_release(&diff->node);
    armi_tree_root_release(&diff->roots[0]);
    armi_tree_root_release(&diff->roots[1]);
    armi_free(diff);
}

uint64_t armi_tree_diff_nodes_read(const struct armi_tree_diff *diff)
{
    return diff->nodes_read;
}

/* What equal items have in common: 32 bytes. */
static void identify(const struct armi_tree_diff *diff, unsigned level,
                     const struct tree_item *item, uint8_t id[ARMI_TREE_ID_SIZE])
{
    if (diff->kind == ARMI_TREE_DIFF_LOGICAL) {
        memset(id, 0, ARMI_TREE_ID_SIZE);
        memcpy(id, item->entry.logical, ARMI_TREE_LOGICAL_SIZE);
        armi_store64(id + ARMI_TREE_LOGICAL_SIZE, item->entry.rows);
    } else if (level > 0) {
        memcpy(id, item->hash.bytes, ARMI_TREE_ID_SIZE);
    } else {
        struct armi_hash hash;
        armi_blake3_hash(item->encoded.data, item->encoded.size, &hash);
        memcpy(id, hash.bytes, ARMI_TREE_ID_SIZE);
    }
}

/* Appends the items of the node in diff->node, which begins at entry and row of `at`. */
static enum armi_status add_children(struct armi_tree_diff *diff,
                                     const struct tree_spot *at, struct tree_side *side,
                                     struct armi_error *err)
{
    const struct tree_node *node = &diff->node;
    uint64_t ordinal = at->ordinal, row = at->row;
    for (size_t i = 0; i < node->count; i++) {
        const struct tree_item *item = &node->items[i];
        struct tree_spot spot = {
            .entries = item->entries,
            .rows = item->entry.rows,
            .bytes = item->entry.bytes,
            .ordinal = ordinal,
            .row = row,
            .hash = item->hash,
        };
        identify(diff, node->level, item, spot.id);
        bool wants_key = node->keyed && node->level == 0;
        ARMI_TRY(armi_tree_side_add(
            side, &spot, wants_key ? item->entry.key : (struct armi_slice){0}, err));
        ordinal += item->entries;
        row += item->entry.rows;
    }
    return ARMI_OK;
}

/* The children of items [from, to), which are of `level` > 0, become the items of `out`. */
static enum armi_status expand(struct armi_tree_diff *diff, const struct tree_side *side,
                               size_t from, size_t to, unsigned level,
                               struct tree_side *out, struct armi_error *err)
{
    armi_tree_side_clear(out);
    for (size_t i = from; i < to; i++) {
        const struct tree_spot *spot = &side->spots[i];
        struct tree_item item = {
            .entry = {.rows = spot->rows, .bytes = spot->bytes},
            .entries = spot->entries,
            .hash = spot->hash,
        };
        ARMI_TRY(armi_tree_node_read(&diff->tree, level - 1, &item, &diff->node, err));
        diff->nodes_read++;
        ARMI_TRY(add_children(diff, spot, out, err));
    }
    return ARMI_OK;
}

/* A root as a list of one item; of what its node holds, where that is inline. */
static enum armi_status add_root(struct armi_tree_diff *diff, size_t which,
                                 struct tree_side *out, struct armi_error *err)
{
    const struct armi_tree_root *root = &diff->roots[which];
    struct tree_spot spot = {0};
    struct tree_item item;
    if (root->entries == 0)
        return ARMI_OK;
    if (root->is_inline) {
        ARMI_TRY(armi_tree_root_read(&diff->tree, root, &diff->node, err));
        return add_children(diff, &spot, out, err);
    }
    armi_tree_root_item(root, &item);
    spot = (struct tree_spot){.entries = root->entries,
                              .rows = root->rows,
                              .bytes = root->bytes,
                              .hash = root->hash};
    identify(diff, root->level + 1u, &item, spot.id);
    return armi_tree_side_add(out, &spot, (struct armi_slice){0}, err);
}

/* The level of the items that add_root gives. */
static unsigned level_of(const struct armi_tree_root *root)
{
    return root->is_inline ? 0 : root->level + 1u;
}

static enum armi_status align(struct armi_tree_diff *diff, struct diff_frame *frame,
                              struct armi_error *err)
{
    frame->next = 0;
    if (diff->tree.keyed && diff->level == 0)
        return armi_tree_align_keys(&frame->sides[0], &frame->sides[1], &frame->gaps, err);
    return armi_tree_align(&frame->sides[0], &frame->sides[1], &frame->gaps, err);
}

/*
 * Only items of one level can be compared: the higher tree is opened down to the other's
 * level.
 */
static enum armi_status start(struct armi_tree_diff *diff, struct armi_error *err)
{
    unsigned levels[2] = {level_of(&diff->roots[0]), level_of(&diff->roots[1])};
    for (size_t i = 0; i < 2; i++) {
        if (diff->roots[i].entries == 0)
            levels[i] = levels[1 - i]; /* nothing to compare with: nothing to open */
    }
    unsigned low = levels[0] < levels[1] ? levels[0] : levels[1];
    struct diff_frame *frame = &diff->frames[low];
    struct tree_side spare = {0};
    enum armi_status st = ARMI_OK;
    for (size_t i = 0; st == ARMI_OK && i < 2; i++) {
        struct tree_side *side = &frame->sides[i];
        st = add_root(diff, i, side, err);
        for (unsigned level = levels[i]; st == ARMI_OK && level > low; level--) {
            st = expand(diff, side, 0, side->count, level, &spare, err);
            armi_tree_side_swap(side, &spare);
        }
    }
    armi_tree_side_release(&spare);
    diff->started = true;
    diff->level = diff->top = low;
    return st == ARMI_OK ? align(diff, frame, err) : st;
}

/* Where item i begins, or the stretch ends. */
static void place_of(const struct tree_side *side, size_t i, uint64_t *ordinal,
                     uint64_t *row)
{
    if (i < side->count) {
        *ordinal = side->spots[i].ordinal;
        *row = side->spots[i].row;
    } else if (side->count > 0) {
        const struct tree_spot *last = &side->spots[side->count - 1];
        *ordinal = last->ordinal + last->entries;
        *row = last->row + last->rows;
    } else {
        *ordinal = side->start_ordinal;
        *row = side->start_row;
    }
}

static void make_run(const struct diff_frame *frame, const struct tree_gap *gap,
                     struct armi_tree_run *run)
{
    place_of(&frame->sides[0], gap->from[0], &run->a_from, &run->a_row_from);
    place_of(&frame->sides[0], gap->to[0], &run->a_to, &run->a_row_to);
    place_of(&frame->sides[1], gap->from[1], &run->b_from, &run->b_row_from);
    place_of(&frame->sides[1], gap->to[1], &run->b_to, &run->b_row_to);
}

/* The gap's nodes on both sides become the next frame. */
static enum armi_status descend(struct armi_tree_diff *diff, const struct diff_frame *frame,
                                const struct tree_gap *gap, struct armi_error *err)
{
    struct diff_frame *below = &diff->frames[diff->level - 1];
    for (size_t i = 0; i < 2; i++) {
        ARMI_TRY(expand(diff, &frame->sides[i], gap->from[i], gap->to[i], diff->level,
                        &below->sides[i], err));
        place_of(&frame->sides[i], gap->from[i], &below->sides[i].start_ordinal,
                 &below->sides[i].start_row);
    }
    diff->level--;
    return align(diff, below, err);
}

enum armi_status armi_tree_diff_next(struct armi_tree_diff *diff, struct armi_tree_run *run,
                                     bool *has, struct armi_error *err)
{
    if (!diff->started)
        ARMI_TRY(start(diff, err));
    for (;;) {
        struct diff_frame *frame = &diff->frames[diff->level];
        if (frame->next == frame->gaps.count) {
            if (diff->level == diff->top) {
                *has = false;
                return ARMI_OK;
            }
            diff->level++;
            continue;
        }
        const struct tree_gap *gap = &frame->gaps.list[frame->next++];
        bool one_sided = gap->from[0] == gap->to[0] || gap->from[1] == gap->to[1];
        if (diff->level == 0 || (one_sided && !diff->tree.keyed)) {
            make_run(frame, gap, run);
            *has = true;
            return ARMI_OK;
        }
        ARMI_TRY(descend(diff, frame, gap, err));
    }
}
