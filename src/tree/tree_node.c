/*
 * Items and nodes as bytes. A node is the payload of a frame that has magic, type and
 * version (catalog/node.h); the bytes are canonical, one node has one encoding.
 *
 *     node: level 1, flags 1, count varint, items
 *     item: flags 1, rows varint, bytes varint, anchor 8, logical hash 20,
 *           [keyed: key, varint + bytes], level 0: payload, varint + bytes
 *                                         others: hash of the node 32, entries varint,
 *           statistics (tree_stats.c)
 */
#include "tree/tree_internal.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

#define NODE_FLAG_KEYED 0x01
#define ITEM_SIZE_MIN   32 /* for a first look at a count */

enum armi_status armi_tree_entry_check(const struct armi_tree_entry *entry, bool keyed,
                                       struct armi_error *err)
{
    if (keyed && (entry->key.size == 0 || entry->key.size > ARMI_TREE_KEY_MAX))
        return armi_error_set(err, ARMI_INVALID, "a key has 1 to %d bytes, not %zu",
                              ARMI_TREE_KEY_MAX, entry->key.size);
    if (!keyed && entry->key.size != 0)
        return armi_error_set(err, ARMI_INVALID,
                              "an entry of a row-ordered tree has no key");
    if (entry->payload.size > ARMI_TREE_PAYLOAD_MAX)
        return armi_error_set(err, ARMI_LIMIT, "the payload has %zu bytes, more than %zu",
                              entry->payload.size, ARMI_TREE_PAYLOAD_MAX);
    if (entry->stats_count > ARMI_TREE_STATS_MAX)
        return armi_error_set(err, ARMI_LIMIT, "statistics of %zu columns, more than %d",
                              entry->stats_count, ARMI_TREE_STATS_MAX);
    if (!armi_tree_stats_valid(entry->stats, entry->stats_count))
        return armi_error_set(err, ARMI_INVALID,
                              "statistics are out of order or contradict themselves");
    return ARMI_OK;
}

enum armi_status armi_tree_item_encode(const struct tree_item *item, unsigned level,
                                       bool keyed, struct armi_buf *out,
                                       struct armi_error *err)
{
    const struct armi_tree_entry *entry = &item->entry;
    ARMI_TRY(armi_buf_append_u8(out, 0, err));
    ARMI_TRY(armi_buf_append_varint(out, entry->rows, err));
    ARMI_TRY(armi_buf_append_varint(out, entry->bytes, err));
    ARMI_TRY(armi_buf_append_u64(out, entry->anchor, err));
    ARMI_TRY(armi_buf_append(out, entry->logical, ARMI_TREE_LOGICAL_SIZE, err));
    if (keyed)
        ARMI_TRY(armi_buf_append_bytes(out, entry->key.data, entry->key.size, err));
    if (level == 0) {
        ARMI_TRY(armi_buf_append_bytes(out, entry->payload.data, entry->payload.size, err));
    } else {
        ARMI_TRY(armi_buf_append(out, item->hash.bytes, ARMI_HASH_SIZE, err));
        ARMI_TRY(armi_buf_append_varint(out, item->entries, err));
    }
    return armi_tree_stats_encode(entry->stats, entry->stats_count, out, err);
}

static bool decode_totals(struct armi_reader *reader, struct armi_tree_entry *entry)
{
    const uint8_t *logical;
    if (!armi_read_varint(reader, &entry->rows) ||
        !armi_read_varint(reader, &entry->bytes) ||
        !armi_read_u64(reader, &entry->anchor) ||
        !armi_read_span(reader, ARMI_TREE_LOGICAL_SIZE, &logical))
        return false;
    memcpy(entry->logical, logical, ARMI_TREE_LOGICAL_SIZE);
    return true;
}

static bool decode_child(struct armi_reader *reader, struct tree_item *item)
{
    const uint8_t *hash;
    if (!armi_read_span(reader, ARMI_HASH_SIZE, &hash))
        return false;
    memcpy(item->hash.bytes, hash, ARMI_HASH_SIZE);
    return armi_read_varint(reader, &item->entries) && item->entries > 0;
}

enum armi_status armi_tree_item_decode(struct armi_reader *reader, unsigned level,
                                       bool keyed, struct armi_tree_stats *stats,
                                       struct tree_item *item, struct armi_error *err)
{
    struct tree_item got = {.entries = 1};
    struct armi_tree_entry *entry = &got.entry;
    const uint8_t *start = reader->pos;
    uint8_t flags;
    if (!armi_read_u8(reader, &flags))
        return armi_error_set(err, ARMI_CORRUPTION, "bytes are missing");
    if (flags != 0)
        return armi_error_set(err, ARMI_UNSUPPORTED, "flags %u are of a newer version",
                              flags);
    if (!decode_totals(reader, entry))
        return armi_error_set(err, ARMI_CORRUPTION, "the totals are damaged");
    if (keyed && (!armi_read_bytes(reader, &entry->key) || entry->key.size == 0 ||
                  entry->key.size > ARMI_TREE_KEY_MAX))
        return armi_error_set(err, ARMI_CORRUPTION, "the key is damaged");
    if (level == 0 && (!armi_read_bytes(reader, &entry->payload) ||
                       entry->payload.size > ARMI_TREE_PAYLOAD_MAX))
        return armi_error_set(err, ARMI_CORRUPTION, "the payload is cut off");
    if (level > 0 && !decode_child(reader, &got))
        return armi_error_set(err, ARMI_CORRUPTION, "the reference to a node is damaged");
    ARMI_TRY(armi_tree_stats_decode(reader, stats, &entry->stats_count, err));
    entry->stats = stats;
    got.encoded = (struct armi_slice){start, (size_t)(reader->pos - start)};
    *item = got;
    return ARMI_OK;
}

void armi_tree_node_init(struct tree_node *node)
{
    *node = (struct tree_node){0};
    armi_buf_init(&node->bytes, ARMI_NODE_SIZE_MAX);
}

void armi_tree_node_release(struct tree_node *node)
{
    armi_buf_release(&node->bytes);
    armi_free(node->items);
    armi_free(node->stats);
    armi_tree_node_init(node);
}

enum armi_status armi_tree_node_encode(unsigned level, bool keyed, size_t count,
                                       struct armi_slice items, struct armi_buf *out,
                                       struct armi_error *err)
{
    ARMI_TRY(armi_buf_append_u8(out, (uint8_t)level, err));
    ARMI_TRY(armi_buf_append_u8(out, keyed ? NODE_FLAG_KEYED : 0, err));
    ARMI_TRY(armi_buf_append_varint(out, count, err));
    return armi_buf_append(out, items.data, items.size, err);
}

static enum armi_status decode_header(struct armi_reader *reader, unsigned level,
                                      bool keyed, size_t *count, struct armi_error *err)
{
    uint8_t level_found, flags;
    uint64_t n;
    if (!armi_read_u8(reader, &level_found) || !armi_read_u8(reader, &flags) ||
        !armi_read_varint(reader, &n))
        return armi_error_set(err, ARMI_CORRUPTION, "the header is cut off");
    if (flags & ~(unsigned)NODE_FLAG_KEYED)
        return armi_error_set(err, ARMI_UNSUPPORTED, "flags %u are of a newer version",
                              flags);
    if (level_found != level)
        return armi_error_set(err, ARMI_CORRUPTION, "level %u where %u must be",
                              level_found, level);
    if (((flags & NODE_FLAG_KEYED) != 0) != keyed)
        return armi_error_set(err, ARMI_CORRUPTION, "a node of %s tree where %s must be",
                              keyed ? "a row-ordered" : "a keyed",
                              keyed ? "a keyed" : "another");
    if (n > armi_tree_chunk_count_max(level) ||
        n > armi_reader_left(reader) / ITEM_SIZE_MIN || n == 0)
        return armi_error_set(err, ARMI_CORRUPTION, "the number of entries is damaged");
    *count = (size_t)n;
    return ARMI_OK;
}

/* The old content is not kept: a node is decoded anew. */
static enum armi_status reserve_items(struct tree_node *node, size_t count,
                                      struct armi_error *err)
{
    if (count <= node->items_capacity)
        return ARMI_OK;
    struct tree_item *items = armi_alloc_array(count, sizeof *items);
    if (items == NULL)
        return armi_error_no_memory(err);
    armi_free(node->items);
    node->items = items;
    node->items_capacity = count;
    return ARMI_OK;
}

static enum armi_status reserve_stats(struct tree_node *node, size_t used,
                                      struct armi_error *err)
{
    if (used + ARMI_TREE_STATS_MAX <= node->stats_capacity)
        return ARMI_OK;
    size_t capacity = 2 * node->stats_capacity + ARMI_TREE_STATS_MAX;
    struct armi_tree_stats *stats =
        armi_realloc(node->stats, used * sizeof *stats, capacity * sizeof *stats);
    if (stats == NULL)
        return armi_error_no_memory(err);
    node->stats = stats;
    node->stats_capacity = capacity;
    return ARMI_OK;
}

/* Pointers into a growing pool come last. */
static void place_stats(struct tree_node *node)
{
    size_t used = 0;
    for (size_t i = 0; i < node->count; i++) {
        node->items[i].entry.stats = node->stats != NULL ? node->stats + used : NULL;
        used += node->items[i].entry.stats_count;
    }
}

static enum armi_status add_totals(struct tree_node *node, const struct tree_item *item,
                                   struct armi_error *err)
{
    if (__builtin_add_overflow(node->rows, item->entry.rows, &node->rows) ||
        __builtin_add_overflow(node->total_bytes, item->entry.bytes, &node->total_bytes) ||
        __builtin_add_overflow(node->entries, item->entries, &node->entries))
        return armi_error_set(err, ARMI_CORRUPTION, "the totals overflow");
    return ARMI_OK;
}

static enum armi_status decode_items(struct armi_reader *reader, size_t count,
                                     struct tree_node *node, struct armi_error *err)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        struct tree_item *item = &node->items[i];
        ARMI_TRY(reserve_stats(node, used, err));
        enum armi_status st = armi_tree_item_decode(reader, node->level, node->keyed,
                                                    node->stats + used, item, err);
        if (st != ARMI_OK)
            return armi_error_prefix(err, st, "entry %zu", i);
        if (node->keyed && i > 0 &&
            armi_slice_compare(item[-1].entry.key, item->entry.key) >= 0)
            return armi_error_set(err, ARMI_CORRUPTION, "entry %zu: the key does not rise",
                                  i);
        ARMI_TRY(add_totals(node, item, err));
        used += item->entry.stats_count;
    }
    return ARMI_OK;
}

enum armi_status armi_tree_node_decode(struct armi_buf *bytes, unsigned level, bool keyed,
                                       struct tree_node *node, struct armi_error *err)
{
    size_t count = 0;
    armi_buf_clear(&node->bytes);
    armi_buf_swap(&node->bytes, bytes);
    node->count = 0;
    node->level = level;
    node->keyed = keyed;
    node->rows = node->total_bytes = node->entries = 0;
    struct armi_reader reader = armi_reader_init(armi_buf_slice(&node->bytes));
    ARMI_TRY(decode_header(&reader, level, keyed, &count, err));
    ARMI_TRY(reserve_items(node, count, err));
    ARMI_TRY(decode_items(&reader, count, node, err));
    if (armi_reader_left(&reader) != 0)
        return armi_error_set(err, ARMI_CORRUPTION, "%zu bytes too many",
                              armi_reader_left(&reader));
    node->count = count;
    place_stats(node);
    return ARMI_OK;
}

enum armi_status armi_tree_node_blame(const struct armi_hash *hash, enum armi_status status,
                                      struct armi_error *err)
{
    char hex[ARMI_HASH_HEX_SIZE];
    if (status == ARMI_NO_MEMORY)
        return status;
    armi_hash_format(hash, hex);
    return armi_error_prefix(err, status, "tree node %s", hex);
}

enum armi_status armi_tree_node_check(const struct tree_node *node,
                                      const struct tree_item *parent,
                                      struct armi_error *err)
{
    if (node->rows == parent->entry.rows && node->entries == parent->entries &&
        node->total_bytes == parent->entry.bytes)
        return ARMI_OK;
    enum armi_status st = armi_error_set(err, ARMI_CORRUPTION,
                                         "the totals are not those that its parent tells");
    return armi_tree_node_blame(&parent->hash, st, err);
}

enum armi_status armi_tree_node_read(const struct armi_tree *tree, unsigned level,
                                     const struct tree_item *parent, struct tree_node *node,
                                     struct armi_error *err)
{
    struct armi_buf bytes;
    unsigned type = level == 0 ? tree->leaf_type : tree->inner_type;
    armi_buf_init(&bytes, ARMI_NODE_SIZE_MAX);
    enum armi_status st =
        tree->store.get(tree->store.ctx, type, &parent->hash, &bytes, err);
    if (st != ARMI_OK)
        goto done;
    st = armi_tree_node_decode(&bytes, level, tree->keyed, node, err);
    if (st != ARMI_OK)
        st = armi_tree_node_blame(&parent->hash, st, err);
    else
        st = armi_tree_node_check(node, parent, err);
done:
    armi_buf_release(&bytes);
    return st;
}
