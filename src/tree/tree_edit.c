/*
 * Editing, level by level from the leaves. On each level the change is a list of patches:
 * items of that level that give way to others, told in places of leaf entries of the old
 * tree. The builder's chunk is run again from the start of the node in which a patch begins
 * (what is before a node has no say in where it ends), through the patch, until it ends a
 * node where the old tree ended one: from there on all is as it was. The nodes it made are
 * the patch of the level above. On the root's level everything is in one node, so the rest
 * is a build.
 */
#include "tree/tree_internal.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "tree/tree_cursor_internal.h"

/* Items that stand where the old [from, to) was. */
struct tree_patch {
    uint64_t from, to;
    size_t offset, size; /* of their bytes in tree_patches.items */
};

struct tree_patches {
    struct tree_patch *list;
    size_t count, capacity;
    struct armi_buf items; /* encoded */
};

static void patches_init(struct tree_patches *patches)
{
    *patches = (struct tree_patches){0};
    armi_buf_init(&patches->items, 0);
}

static void patches_release(struct tree_patches *patches)
{
    armi_free(patches->list);
    armi_buf_release(&patches->items);
}

static enum armi_status patches_add(struct tree_patches *patches, uint64_t from,
                                    uint64_t to, struct armi_error *err)
{
    if (patches->count == patches->capacity) {
        size_t capacity = 2 * patches->capacity + 16;
        struct tree_patch *list = armi_realloc(patches->list, patches->count * sizeof *list,
                                               capacity * sizeof *list);
        if (list == NULL)
            return armi_error_no_memory(err);
        patches->list = list;
        patches->capacity = capacity;
    }
    patches->list[patches->count++] =
        (struct tree_patch){.from = from, .to = to, .offset = patches->items.size};
    return ARMI_OK;
}

/* Items belong to the newest patch. */
static enum armi_status patches_add_item(struct tree_patches *patches,
                                         const struct tree_item *item, unsigned level,
                                         bool keyed, struct armi_error *err)
{
    struct tree_patch *patch = &patches->list[patches->count - 1];
    ARMI_TRY(armi_tree_item_encode(item, level, keyed, &patches->items, err));
    patch->size = patches->items.size - patch->offset;
    return ARMI_OK;
}

/* One level being run again. */
struct tree_redo {
    const struct armi_tree *tree;
    unsigned level;
    struct armi_tree_cursor *cursor; /* the old items of the level */
    const struct tree_patches *in;   /* what changes on it */
    size_t next;                     /* patch of `in` */
    struct tree_chunk *chunk;     /* below the root's level: where new nodes are made … */
    struct tree_patches *out;     /* … and go */
    struct tree_builder *builder; /* on the root's level: instead of both */
};

static enum armi_status close_node(struct tree_redo *redo, struct armi_error *err)
{
    struct tree_item item;
    ARMI_TRY(armi_tree_chunk_close(redo->chunk, redo->tree, &item, err));
    return patches_add_item(redo->out, &item, redo->level + 1, redo->tree->keyed, err);
}

static enum armi_status feed(struct tree_redo *redo, const struct tree_item *item,
                             struct armi_error *err)
{
    bool cut;
    if (redo->builder != NULL)
        return armi_tree_builder_add(redo->builder, item, err);
    ARMI_TRY(armi_tree_chunk_add(redo->chunk, item, &cut, err));
    return cut ? close_node(redo, err) : ARMI_OK;
}

/* Patches that begin here: their items are fed, what they replace is skipped. */
static enum armi_status feed_patches(struct tree_redo *redo, struct armi_error *err)
{
    struct armi_tree_stats stats[ARMI_TREE_STATS_MAX];
    const struct tree_patches *in = redo->in;
    while (redo->next < in->count &&
           in->list[redo->next].from == armi_tree_cursor_place(redo->cursor)) {
        const struct tree_patch *patch = &in->list[redo->next++];
        struct armi_reader reader = {NULL, NULL};
        if (patch->size > 0)
            reader = armi_reader_init(
                (struct armi_slice){in->items.data + patch->offset, patch->size});
        while (armi_reader_left(&reader) > 0) {
            struct tree_item item;
            ARMI_TRY(armi_tree_item_decode(&reader, redo->level, redo->tree->keyed, stats,
                                           &item, err));
            ARMI_TRY(feed(redo, &item, err));
        }
        if (patch->to > patch->from)
            ARMI_TRY(armi_tree_cursor_seek_ordinal(redo->cursor, patch->to, err));
    }
    return ARMI_OK;
}

/*
 * To the start of the node where the next patch begins; one behind the end begins in the
 * last node, which ended for want of items, not by the rule.
 */
static enum armi_status go_to_patch(struct tree_redo *redo, struct armi_error *err)
{
    uint64_t from = redo->in->list[redo->next].from, entries = redo->cursor->root.entries;
    ARMI_TRY(armi_tree_cursor_seek_ordinal(redo->cursor,
                                           from < entries ? from : entries - 1, err));
    armi_tree_cursor_rewind_node(redo->cursor);
    return ARMI_OK;
}

/*
 * Feeds the current item. *done: the chunk ended a node with it where the old tree ended
 * one, so that the node behind it need not even be read. Not at the very end, where patches
 * may follow that would begin in this node.
 */
static enum armi_status feed_current(struct tree_redo *redo, uint64_t *behind, bool *done,
                                     struct armi_error *err)
{
    const struct tree_item *item = armi_tree_cursor_item(redo->cursor);
    *behind = armi_tree_cursor_place(redo->cursor) + item->entries;
    ARMI_TRY(feed(redo, item, err));
    *done = redo->chunk->count == 0 && *behind < redo->cursor->root.entries &&
            armi_tree_cursor_ends_node(redo->cursor);
    return *done ? ARMI_OK : armi_tree_cursor_next(redo->cursor, err);
}

/* From one patch to where old and new are in step again. */
static enum armi_status redo_stretch(struct tree_redo *redo, struct armi_error *err)
{
    struct armi_tree_cursor *cursor = redo->cursor;
    size_t first = redo->next;
    uint64_t behind = 0;
    bool done = false;
    ARMI_TRY(go_to_patch(redo, err));
    armi_tree_chunk_clear(redo->chunk);
    ARMI_TRY(patches_add(redo->out, armi_tree_cursor_place(cursor), 0, err));
    while (!done) {
        ARMI_TRY(feed_patches(redo, err));
        if (redo->next > first && redo->chunk->count == 0 &&
            armi_tree_cursor_between_nodes(cursor)) {
            behind = armi_tree_cursor_place(cursor);
            done = true;
        } else if (!armi_tree_cursor_valid(cursor)) {
            ARMI_TRY(close_node(redo, err));
            behind = armi_tree_cursor_place(cursor);
            done = true;
        } else {
            ARMI_TRY(feed_current(redo, &behind, &done, err));
        }
    }
    redo->out->list[redo->out->count - 1].to = behind;
    return ARMI_OK;
}

static enum armi_status redo_level(struct tree_redo *redo, struct armi_error *err)
{
    enum armi_status st =
        armi_tree_chunk_new(redo->level, redo->tree->keyed, &redo->chunk, err);
    while (st == ARMI_OK && redo->next < redo->in->count)
        st = redo_stretch(redo, err);
    armi_tree_chunk_free(redo->chunk);
    return st;
}

/*
 * If all that is left hangs on one node from below the level where the build began, that
 * node was not made as a root: it may have a single item, or be small enough to be inline.
 */
static enum armi_status shrink_root(const struct armi_tree *tree,
                                    struct armi_tree_root *root, struct armi_error *err)
{
    struct tree_node node;
    struct tree_chunk *chunk = NULL;
    bool cut, fits;
    armi_tree_node_init(&node);
    enum armi_status st = armi_tree_root_read(tree, root, &node, err);
    while (st == ARMI_OK && root->level > 0 && node.count == 1) {
        st = armi_tree_root_from_item(&node.items[0], root->level - 1u, tree->keyed, root,
                                      err);
        if (st == ARMI_OK)
            st = armi_tree_root_read(tree, root, &node, err);
    }
    if (st != ARMI_OK || root->level > 0 || node.bytes.size >= ARMI_TREE_INLINE_MAX)
        goto done;
    st = armi_tree_chunk_new(0, tree->keyed, &chunk, err);
    for (size_t i = 0; st == ARMI_OK && i < node.count; i++)
        st = armi_tree_chunk_add(chunk, &node.items[i], &cut, err);
    if (st == ARMI_OK)
        st = armi_tree_root_from_chunk(chunk, &fits, root, err);
done:
    armi_tree_chunk_free(chunk);
    armi_tree_node_release(&node);
    return st;
}

static enum armi_status redo_root(struct tree_redo *redo, struct armi_tree_root *out,
                                  struct armi_error *err)
{
    struct tree_builder builder;
    unsigned base = redo->level;
    armi_tree_builder_init(&builder, redo->tree, base);
    redo->builder = &builder;
    enum armi_status st = armi_tree_cursor_seek_first(redo->cursor, err);
    while (st == ARMI_OK) {
        st = feed_patches(redo, err);
        if (st != ARMI_OK || !armi_tree_cursor_valid(redo->cursor))
            break;
        st = feed(redo, armi_tree_cursor_item(redo->cursor), err);
        if (st == ARMI_OK)
            st = armi_tree_cursor_next(redo->cursor, err);
    }
    if (st == ARMI_OK)
        st = armi_tree_builder_finish(&builder, out, err);
    if (st == ARMI_OK && out->entries > 0 && out->level < base)
        st = shrink_root(redo->tree, out, err);
    armi_tree_builder_release(&builder);
    return st;
}

/*
 * `patches` are those of the leaf level; they are used up. One cursor goes up with the
 * levels, so that the nodes near the root are read once.
 */
static enum armi_status apply(const struct armi_tree *tree,
                              const struct armi_tree_root *root,
                              struct tree_patches *patches, struct armi_tree_root *out,
                              struct armi_error *err)
{
    struct armi_tree_root made;
    struct armi_tree_cursor *cursor = NULL;
    unsigned top = root->entries > 0 ? root->level : 0;
    ARMI_TRY(armi_tree_cursor_new(tree, root, &cursor, err));
    armi_tree_root_init(&made, tree->keyed);
    enum armi_status st = ARMI_OK;
    for (unsigned level = 0; st == ARMI_OK && level <= top; level++) {
        struct tree_patches above;
        struct tree_redo redo = {
            .tree = tree, .level = level, .cursor = cursor, .in = patches, .out = &above};
        patches_init(&above);
        cursor->floor = level;
        st = level < top ? redo_level(&redo, err) : redo_root(&redo, &made, err);
        patches_release(patches);
        *patches = above;
    }
    if (st == ARMI_OK)
        armi_tree_root_swap(&made, out);
    armi_tree_root_release(&made);
    armi_tree_cursor_free(cursor);
    return st;
}

static enum armi_status add_entry(struct tree_patches *patches,
                                  const struct armi_tree_entry *entry, bool keyed,
                                  struct armi_error *err)
{
    struct tree_item item = {.entry = *entry, .entries = 1};
    ARMI_TRY(armi_tree_entry_check(entry, keyed, err));
    return patches_add_item(patches, &item, 0, keyed, err);
}

static enum armi_status add_splice(struct tree_patches *patches,
                                   const struct armi_tree_splice *splice, uint64_t least,
                                   uint64_t entries, struct armi_error *err)
{
    if (splice->from < least || splice->to < splice->from || splice->to > entries)
        return armi_error_set(
            err, ARMI_INVALID,
            "entries %llu to %llu are out of order or beyond the %llu there are",
            (unsigned long long)splice->from, (unsigned long long)splice->to,
            (unsigned long long)entries);
    ARMI_TRY(patches_add(patches, splice->from, splice->to, err));
    for (size_t i = 0; i < splice->count; i++) {
        enum armi_status st = add_entry(patches, &splice->entries[i], false, err);
        if (st == ARMI_INVALID || st == ARMI_LIMIT)
            armi_error_prefix(err, st, "new entry %zu", i);
        ARMI_TRY(st);
    }
    return ARMI_OK;
}

enum armi_status armi_tree_edit(const struct armi_tree *tree,
                                const struct armi_tree_root *root,
                                const struct armi_tree_splice *splices, size_t count,
                                struct armi_tree_root *out, struct armi_error *err)
{
    struct tree_patches patches;
    enum armi_status st = ARMI_OK;
    if (tree->keyed)
        return armi_error_set(err, ARMI_INVALID,
                              "a keyed tree is edited by key, not by place");
    if (count == 0)
        return out == root ? ARMI_OK : armi_tree_root_copy(root, out, err);
    patches_init(&patches);
    for (size_t i = 0; st == ARMI_OK && i < count; i++) {
        st = add_splice(&patches, &splices[i], i > 0 ? splices[i - 1].to : 0, root->entries,
                        err);
        if (st == ARMI_INVALID || st == ARMI_LIMIT)
            armi_error_prefix(err, st, "splice %zu", i);
    }
    if (st == ARMI_OK)
        st = apply(tree, root, &patches, out, err);
    patches_release(&patches);
    return st;
}

static enum armi_status add_change(struct tree_patches *patches,
                                   struct armi_tree_cursor *cursor,
                                   const struct armi_tree_change *change,
                                   struct armi_error *err)
{
    bool found;
    if (change->entry != NULL && !armi_slice_equal(change->entry->key, change->key))
        return armi_error_set(err, ARMI_INVALID, "the entry has another key");
    ARMI_TRY(armi_tree_cursor_seek_key(cursor, change->key, &found, err));
    if (!found && change->entry == NULL)
        return ARMI_OK;
    uint64_t place = armi_tree_cursor_place(cursor);
    ARMI_TRY(patches_add(patches, place, place + found, err));
    return change->entry != NULL ? add_entry(patches, change->entry, true, err) : ARMI_OK;
}

static enum armi_status add_changes(const struct armi_tree_change *changes, size_t count,
                                    struct armi_tree_cursor *cursor,
                                    struct tree_patches *patches, struct armi_error *err)
{
    for (size_t i = 0; i < count; i++) {
        enum armi_status st;
        if (i > 0 && armi_slice_compare(changes[i - 1].key, changes[i].key) >= 0)
            st = armi_error_set(err, ARMI_INVALID, "the keys must rise");
        else
            st = add_change(patches, cursor, &changes[i], err);
        if (st == ARMI_INVALID || st == ARMI_LIMIT)
            armi_error_prefix(err, st, "change %zu", i);
        ARMI_TRY(st);
    }
    return ARMI_OK;
}

enum armi_status armi_tree_edit_keys(const struct armi_tree *tree,
                                     const struct armi_tree_root *root,
                                     const struct armi_tree_change *changes, size_t count,
                                     struct armi_tree_root *out, struct armi_error *err)
{
    struct tree_patches patches;
    struct armi_tree_cursor *cursor = NULL;
    if (!tree->keyed)
        return armi_error_set(err, ARMI_INVALID,
                              "a row-ordered tree is edited by place, not by key");
    ARMI_TRY(armi_tree_cursor_new(tree, root, &cursor, err));
    patches_init(&patches);
    enum armi_status st = add_changes(changes, count, cursor, &patches, err);
    armi_tree_cursor_free(cursor);
    if (st == ARMI_OK && patches.count == 0)
        st = out == root ? ARMI_OK : armi_tree_root_copy(root, out, err);
    else if (st == ARMI_OK)
        st = apply(tree, root, &patches, out, err);
    patches_release(&patches);
    return st;
}
