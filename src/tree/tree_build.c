/*
 * Building: levels on top of each other. An item goes into the chunk of its level; a chunk
 * that the rule ends becomes a node, and an item of the level above.
 */
#include "tree/tree_internal.h"

#include "base/limits.h"

void armi_tree_builder_init(struct tree_builder *builder, const struct armi_tree *tree,
                            unsigned base)
{
    *builder = (struct tree_builder){.tree = tree, .base = base};
}

void armi_tree_builder_release(struct tree_builder *builder)
{
    for (size_t i = 0; i <= ARMI_TREE_LEVEL_MAX; i++)
        armi_tree_chunk_free(builder->chunks[i]);
    armi_tree_builder_init(builder, builder->tree, builder->base);
}

static enum armi_status add_item(struct tree_builder *builder, unsigned level,
                                 const struct tree_item *item, struct armi_error *err);

/* The node goes up as an item with bytes of its own. */
static enum armi_status close_chunk(struct tree_builder *builder, unsigned level,
                                    struct armi_error *err)
{
    struct tree_item item;
    struct armi_buf encoded;
    ARMI_TRY(armi_tree_chunk_close(builder->chunks[level], builder->tree, &item, err));
    builder->closed[level]++;
    armi_buf_init(&encoded, 0);
    enum armi_status st =
        armi_tree_item_encode(&item, level + 1, builder->tree->keyed, &encoded, err);
    if (st == ARMI_OK) {
        item.encoded = armi_buf_slice(&encoded);
        st = add_item(builder, level + 1, &item, err);
    }
    armi_buf_release(&encoded);
    return st;
}

/* Recursion: as deep as the tree, at most ARMI_TREE_LEVEL_MAX. */
static enum armi_status add_item(struct tree_builder *builder, unsigned level,
                                 const struct tree_item *item, struct armi_error *err)
{
    bool cut;
    if (level >= ARMI_TREE_LEVEL_MAX)
        return armi_error_set(err, ARMI_LIMIT, "a tree of more than %d levels",
                              ARMI_TREE_LEVEL_MAX);
    if (builder->chunks[level] == NULL)
        ARMI_TRY(
            armi_tree_chunk_new(level, builder->tree->keyed, &builder->chunks[level], err));
    ARMI_TRY(armi_tree_chunk_add(builder->chunks[level], item, &cut, err));
    return cut ? close_chunk(builder, level, err) : ARMI_OK;
}

enum armi_status armi_tree_builder_add(struct tree_builder *builder,
                                       const struct tree_item *item, struct armi_error *err)
{
    return add_item(builder, builder->base, item, err);
}

/* The only item of a level stands for the root node. */
static enum armi_status root_from_single(const struct tree_chunk *chunk,
                                         struct armi_tree_root *out, struct armi_error *err)
{
    struct tree_item item;
    struct armi_tree_stats stats[ARMI_TREE_STATS_MAX];
    struct armi_reader reader = armi_reader_init(armi_buf_slice(&chunk->items));
    ARMI_TRY(armi_tree_item_decode(&reader, chunk->level, chunk->keyed, stats, &item, err));
    return armi_tree_root_from_item(&item, chunk->level - 1, chunk->keyed, out, err);
}

/*
 * From the bottom: what is left of a level becomes its last node, until a level has one
 * item in all. That level is not needed: the item is the root. A node that the rule ended
 * is never small enough to be inline (16 units of weight are more than 512 bytes), so only
 * the remainder is asked.
 */
enum armi_status armi_tree_builder_finish(struct tree_builder *builder,
                                          struct armi_tree_root *out,
                                          struct armi_error *err)
{
    for (unsigned level = builder->base;; level++) {
        struct tree_chunk *chunk = builder->chunks[level];
        bool first = builder->closed[level] == 0;
        if (chunk == NULL) {
            armi_tree_root_release(out);
            armi_tree_root_init(out, builder->tree->keyed);
            return ARMI_OK;
        }
        if (first && level > 0 && chunk->count == 1)
            return root_from_single(chunk, out, err);
        if (first && level == 0) {
            bool fits;
            ARMI_TRY(armi_tree_root_from_chunk(chunk, &fits, out, err));
            if (fits)
                return ARMI_OK;
        }
        if (chunk->count > 0)
            ARMI_TRY(close_chunk(builder, level, err));
    }
}

/* An entry of the caller's: checked, encoded. */
static enum armi_status add_entry(struct tree_builder *builder,
                                  const struct armi_tree_entry *entry,
                                  struct armi_buf *scratch, struct armi_error *err)
{
    struct tree_item item = {.entry = *entry, .entries = 1};
    ARMI_TRY(armi_tree_entry_check(entry, builder->tree->keyed, err));
    armi_buf_clear(scratch);
    ARMI_TRY(armi_tree_item_encode(&item, 0, builder->tree->keyed, scratch, err));
    item.encoded = armi_buf_slice(scratch);
    return armi_tree_builder_add(builder, &item, err);
}

enum armi_status armi_tree_build(const struct armi_tree *tree,
                                 struct armi_tree_source source, struct armi_tree_root *out,
                                 struct armi_error *err)
{
    struct tree_builder builder;
    struct armi_tree_entry entry;
    struct armi_buf scratch;
    uint64_t place = 0;
    bool end = false;
    enum armi_status st = ARMI_OK;
    armi_tree_builder_init(&builder, tree, 0);
    armi_buf_init(&scratch, ARMI_NODE_SIZE_MAX);
    while (st == ARMI_OK) {
        st = source.next(source.ctx, &entry, &end, err);
        if (st != ARMI_OK || end)
            break;
        st = add_entry(&builder, &entry, &scratch, err);
        if (st == ARMI_INVALID || st == ARMI_LIMIT)
            armi_error_prefix(err, st, "entry %llu", (unsigned long long)place);
        place++;
    }
    if (st == ARMI_OK)
        st = armi_tree_builder_finish(&builder, out, err);
    armi_buf_release(&scratch);
    armi_tree_builder_release(&builder);
    return st;
}

struct array_source {
    const struct armi_tree_entry *entries;
    size_t left;
};

static enum armi_status next_of_array(void *ctx, struct armi_tree_entry *out, bool *end,
                                      struct armi_error *err)
{
    struct array_source *array = ctx;
    (void)err;
    *end = array->left == 0;
    if (!*end) {
        *out = *array->entries++;
        array->left--;
    }
    return ARMI_OK;
}

enum armi_status armi_tree_build_array(const struct armi_tree *tree,
                                       const struct armi_tree_entry *entries, size_t count,
                                       struct armi_tree_root *out, struct armi_error *err)
{
    struct array_source array = {entries, count};
    return armi_tree_build(tree, (struct armi_tree_source){next_of_array, &array}, out,
                           err);
}
