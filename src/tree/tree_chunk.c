/*
 * A node in the making, and the rule that ends it. The rule looks at the anchors and,
 * coarsely, at the sizes of the node's own items, at nothing before or behind the node: so
 * a builder may start at any node, and is back in step as soon as it ends one where the old
 * tree did.
 */
#include "tree/tree_internal.h"

#include <string.h>

#include "base/alloc.h"
#include "hash/blake3.h"

#define LOGICAL_CONTEXT "armillaria tree logical hash v1"

/*
 * Weights: an item up to `unit` bytes weighs 1, up to twice that 2, and so on to
 * `weight_max`. Sizes count in such steps only, so that a chunk reference more or less
 * moves no boundary, and yet a wide table's nodes stay small. A node ends at the first item
 * where the sum is at least `min` and the item's draw (what `shift` leaves of 64 bits) is
 * below its weight, or where the sum reaches `max`. Means: 32 and 128 light items. `min` is
 * twice the weight_max of inner items: they are never alone, levels always shrink.
 */
static const struct {
    unsigned unit, weight_max, min, max, shift;
} rules[2] = {
    {768, 16, 16, 128, 60},
    {192, 32, 64, 512, 58},
};

size_t armi_tree_chunk_count_max(unsigned level)
{
    return rules[level > 0].max;
}

static unsigned weight_of(unsigned level, size_t size)
{
    unsigned weight = 1;
    size_t fits = rules[level > 0].unit;
    while (size > fits && weight < rules[level > 0].weight_max) {
        weight *= 2;
        fits *= 2;
    }
    return weight;
}

/* An independent draw a level from one anchor (the finaliser of splitmix64). */
static uint64_t draw_of(unsigned level, uint64_t anchor)
{
    uint64_t x = anchor + (level + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

bool armi_tree_chunk_rule(unsigned level, uint64_t anchor, size_t size, unsigned *weight)
{
    unsigned w = weight_of(level, size), min = rules[level > 0].min;
    *weight += w;
    if (*weight >= rules[level > 0].max)
        return true;
    return *weight >= min && draw_of(level, anchor) >> rules[level > 0].shift < w;
}

enum armi_status armi_tree_chunk_new(unsigned level, bool keyed, struct tree_chunk **out,
                                     struct armi_error *err)
{
    struct tree_chunk *chunk = armi_alloc(sizeof *chunk);
    if (chunk == NULL)
        return armi_error_no_memory(err);
    chunk->level = level;
    chunk->keyed = keyed;
    armi_buf_init(&chunk->items, 0);
    armi_buf_init(&chunk->logical, 0);
    armi_buf_init(&chunk->key, 0);
    armi_tree_chunk_clear(chunk);
    *out = chunk;
    return ARMI_OK;
}

void armi_tree_chunk_free(struct tree_chunk *chunk)
{
    if (chunk == NULL)
        return;
    armi_buf_release(&chunk->items);
    armi_buf_release(&chunk->logical);
    armi_buf_release(&chunk->key);
    armi_free(chunk);
}

void armi_tree_chunk_clear(struct tree_chunk *chunk)
{
    armi_buf_clear(&chunk->items);
    armi_buf_clear(&chunk->logical);
    armi_buf_clear(&chunk->key);
    chunk->count = 0;
    chunk->weight = 0;
    chunk->rows = chunk->bytes = chunk->entries = chunk->anchor = 0;
    chunk->stats_count = 0;
}

/*
 * Key order is checked here, where all of a level's items pass: the key stays when a node
 * is closed.
 */
static enum armi_status add_key(struct tree_chunk *chunk, struct armi_slice key,
                                struct armi_error *err)
{
    if (!chunk->keyed)
        return ARMI_OK;
    if (chunk->key.size > 0 && armi_slice_compare(armi_buf_slice(&chunk->key), key) >= 0)
        return armi_error_set(err, ARMI_INVALID, "the keys of a tree must rise");
    armi_buf_clear(&chunk->key);
    return armi_buf_append(&chunk->key, key.data, key.size, err);
}

static enum armi_status add_logical(struct tree_chunk *chunk, const struct tree_item *item,
                                    struct armi_error *err)
{
    struct armi_buf *out = &chunk->logical;
    if (out->size == 0)
        ARMI_TRY(armi_buf_append_u8(out, (uint8_t)chunk->level, err));
    ARMI_TRY(armi_buf_append_u64(out, item->entry.rows, err));
    ARMI_TRY(armi_buf_append(out, item->entry.logical, ARMI_TREE_LOGICAL_SIZE, err));
    if (!chunk->keyed || chunk->level > 0)
        return ARMI_OK;
    return armi_buf_append_bytes(out, item->entry.key.data, item->entry.key.size, err);
}

static enum armi_status add_totals(struct tree_chunk *chunk, const struct tree_item *item,
                                   struct armi_error *err)
{
    const struct armi_tree_entry *entry = &item->entry;
    if (__builtin_add_overflow(chunk->rows, entry->rows, &chunk->rows) ||
        __builtin_add_overflow(chunk->bytes, entry->bytes, &chunk->bytes) ||
        __builtin_add_overflow(chunk->entries, item->entries, &chunk->entries))
        return armi_error_set(err, ARMI_LIMIT,
                              "the rows or bytes of a tree exceed 64 bits");
    chunk->anchor = entry->anchor;
    if (chunk->count == 0) {
        if (entry->stats_count > 0)
            memcpy(chunk->stats, entry->stats, entry->stats_count * sizeof *entry->stats);
        chunk->stats_count = entry->stats_count;
        return ARMI_OK;
    }
    if (!armi_tree_stats_union(chunk->stats, chunk->stats_count, entry->stats,
                               entry->stats_count, chunk->stats, &chunk->stats_count))
        return armi_error_set(err, ARMI_LIMIT, "the null counts of a tree exceed 64 bits");
    return ARMI_OK;
}

enum armi_status armi_tree_chunk_add(struct tree_chunk *chunk, const struct tree_item *item,
                                     bool *cut, struct armi_error *err)
{
    if (chunk->count == 0) {
        armi_buf_clear(&chunk->items);
        armi_buf_clear(&chunk->logical);
        chunk->rows = chunk->bytes = chunk->entries = 0;
        chunk->weight = 0;
    }
    ARMI_TRY(add_key(chunk, item->entry.key, err));
    ARMI_TRY(add_logical(chunk, item, err));
    ARMI_TRY(armi_buf_append(&chunk->items, item->encoded.data, item->encoded.size, err));
    ARMI_TRY(add_totals(chunk, item, err));
    chunk->count++;
    *cut = armi_tree_chunk_rule(chunk->level, item->entry.anchor, item->encoded.size,
                                &chunk->weight);
    return ARMI_OK;
}

void armi_tree_chunk_summary(const struct tree_chunk *chunk, struct tree_item *out)
{
    struct armi_hash logical;
    armi_blake3_derive(LOGICAL_CONTEXT, chunk->logical.data, chunk->logical.size, &logical);
    *out = (struct tree_item){
        .entry = {.key = armi_buf_slice(&chunk->key),
                  .rows = chunk->rows,
                  .bytes = chunk->bytes,
                  .anchor = chunk->anchor,
                  .stats = chunk->stats,
                  .stats_count = chunk->stats_count},
        .entries = chunk->entries,
    };
    memcpy(out->entry.logical, logical.bytes, ARMI_TREE_LOGICAL_SIZE);
}

enum armi_status armi_tree_chunk_summarise(struct tree_chunk *chunk,
                                           const struct tree_node *node,
                                           struct tree_item *out, struct armi_error *err)
{
    bool cut;
    for (size_t i = 0; i < node->count; i++) {
        enum armi_status st = armi_tree_chunk_add(chunk, &node->items[i], &cut, err);
        if (st == ARMI_NO_MEMORY)
            return st;
        if (st != ARMI_OK)
            return armi_error_set(err, ARMI_CORRUPTION, "the null counts overflow");
    }
    armi_tree_chunk_summary(chunk, out);
    return ARMI_OK;
}

enum armi_status armi_tree_chunk_close(struct tree_chunk *chunk,
                                       const struct armi_tree *tree, struct tree_item *out,
                                       struct armi_error *err)
{
    struct armi_buf node;
    struct tree_item summary;
    armi_buf_init(&node, 0);
    enum armi_status st = armi_tree_node_encode(chunk->level, chunk->keyed, chunk->count,
                                                armi_buf_slice(&chunk->items), &node, err);
    if (st != ARMI_OK)
        goto done;
    armi_tree_chunk_summary(chunk, &summary);
    st = tree->store.put(tree->store.ctx,
                         chunk->level == 0 ? tree->leaf_type : tree->inner_type,
                         armi_buf_slice(&node), &summary.hash, err);
    if (st != ARMI_OK)
        goto done;
    chunk->count = 0;
    *out = summary;
done:
    armi_buf_release(&node);
    return st;
}
