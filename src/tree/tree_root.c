/*
 * The root as its parent object keeps it.
 *
 *     form 1: bit 0: by node, else inline; bit 1: keyed; other bits must be zero
 *     inline: a leaf's bytes; nothing more where the tree is empty
 *     by node: level 1, then an item of level + 1
 */
#include "tree/tree_internal.h"

#include <string.h>

#include "base/alloc.h"

#define FORM_BY_NODE 0x01
#define FORM_KEYED   0x02

void armi_tree_root_init(struct armi_tree_root *root, bool keyed)
{
    *root = (struct armi_tree_root){.keyed = keyed, .is_inline = true};
}

void armi_tree_root_release(struct armi_tree_root *root)
{
    armi_buf_release(&root->key);
    armi_buf_release(&root->body);
    armi_free(root->stats);
    armi_tree_root_init(root, root->keyed);
}

void armi_tree_root_swap(struct armi_tree_root *a, struct armi_tree_root *b)
{
    struct armi_tree_root t = *a;
    *a = *b;
    *b = t;
}

void armi_tree_root_item(const struct armi_tree_root *root, struct tree_item *out)
{
    *out = (struct tree_item){
        .entry = {.key = armi_buf_slice(&root->key),
                  .rows = root->rows,
                  .bytes = root->bytes,
                  .anchor = root->anchor,
                  .stats = root->stats,
                  .stats_count = root->stats_count},
        .entries = root->entries,
        .hash = root->hash,
    };
    memcpy(out->entry.logical, root->logical, ARMI_TREE_LOGICAL_SIZE);
}

/* All but the form: `root` is fresh. */
static enum armi_status set_totals(struct armi_tree_root *root,
                                   const struct tree_item *item, struct armi_error *err)
{
    const struct armi_tree_entry *entry = &item->entry;
    memcpy(root->logical, entry->logical, ARMI_TREE_LOGICAL_SIZE);
    root->rows = entry->rows;
    root->bytes = entry->bytes;
    root->entries = item->entries;
    root->anchor = entry->anchor;
    ARMI_TRY(armi_buf_append(&root->key, entry->key.data, entry->key.size, err));
    if (entry->stats_count == 0)
        return ARMI_OK;
    root->stats = armi_alloc_array(entry->stats_count, sizeof *root->stats);
    if (root->stats == NULL)
        return armi_error_no_memory(err);
    memcpy(root->stats, entry->stats, entry->stats_count * sizeof *root->stats);
    root->stats_count = entry->stats_count;
    return ARMI_OK;
}

static void move_out(enum armi_status st, struct armi_tree_root *made,
                     struct armi_tree_root *out)
{
    if (st == ARMI_OK)
        armi_tree_root_swap(made, out);
    armi_tree_root_release(made);
}

enum armi_status armi_tree_root_from_item(const struct tree_item *item, unsigned level,
                                          bool keyed, struct armi_tree_root *out,
                                          struct armi_error *err)
{
    struct armi_tree_root made;
    armi_tree_root_init(&made, keyed);
    made.is_inline = false;
    made.level = (uint8_t)level;
    made.hash = item->hash;
    enum armi_status st = set_totals(&made, item, err);
    move_out(st, &made, out);
    return st;
}

enum armi_status armi_tree_root_from_chunk(const struct tree_chunk *chunk, bool *fits,
                                           struct armi_tree_root *out,
                                           struct armi_error *err)
{
    struct armi_tree_root made;
    struct tree_item summary;
    *fits = false;
    if (chunk->items.size > ARMI_TREE_INLINE_MAX)
        return ARMI_OK;
    armi_tree_root_init(&made, chunk->keyed);
    enum armi_status st = armi_tree_node_encode(
        0, chunk->keyed, chunk->count, armi_buf_slice(&chunk->items), &made.body, err);
    if (st != ARMI_OK)
        goto done;
    *fits = made.body.size + 1 <= ARMI_TREE_INLINE_MAX;
    if (!*fits) {
        armi_tree_root_release(&made);
        return ARMI_OK;
    }
    armi_tree_chunk_summary(chunk, &summary);
    st = set_totals(&made, &summary, err);
done:
    move_out(st, &made, out);
    return st;
}

enum armi_status armi_tree_root_copy(const struct armi_tree_root *root,
                                     struct armi_tree_root *out, struct armi_error *err)
{
    struct armi_tree_root made;
    struct tree_item item;
    armi_tree_root_init(&made, root->keyed);
    made.is_inline = root->is_inline || root->entries == 0;
    made.level = root->level;
    made.hash = root->hash;
    armi_tree_root_item(root, &item);
    enum armi_status st = set_totals(&made, &item, err);
    if (st == ARMI_OK)
        st = armi_buf_append(&made.body, root->body.data, root->body.size, err);
    move_out(st, &made, out);
    return st;
}

enum armi_status armi_tree_root_encode(const struct armi_tree_root *root,
                                       struct armi_buf *out, struct armi_error *err)
{
    unsigned form = root->keyed ? FORM_KEYED : 0;
    struct tree_item item;
    if (root->entries == 0)
        return armi_buf_append_u8(out, (uint8_t)form, err);
    if (root->is_inline) {
        ARMI_TRY(armi_buf_append_u8(out, (uint8_t)form, err));
        return armi_buf_append(out, root->body.data, root->body.size, err);
    }
    armi_tree_root_item(root, &item);
    ARMI_TRY(armi_buf_append_u8(out, (uint8_t)(form | FORM_BY_NODE), err));
    ARMI_TRY(armi_buf_append_u8(out, root->level, err));
    return armi_tree_item_encode(&item, root->level + 1u, root->keyed, out, err);
}

static enum armi_status decode_inline(struct armi_slice bytes, bool keyed,
                                      struct armi_tree_root *out, struct armi_error *err)
{
    struct armi_tree_root made;
    struct tree_node node;
    struct tree_item summary;
    struct armi_buf body;
    struct tree_chunk *chunk = NULL;
    armi_tree_root_init(&made, keyed);
    armi_tree_node_init(&node);
    armi_buf_init(&body, 0);
    enum armi_status st = armi_buf_append(&body, bytes.data, bytes.size, err);
    if (st == ARMI_OK)
        st = armi_buf_append(&made.body, bytes.data, bytes.size, err);
    if (st == ARMI_OK)
        st = armi_tree_node_decode(&body, 0, keyed, &node, err);
    if (st == ARMI_OK)
        st = armi_tree_chunk_new(0, keyed, &chunk, err);
    if (st == ARMI_OK)
        st = armi_tree_chunk_summarise(chunk, &node, &summary, err);
    if (st == ARMI_OK)
        st = set_totals(&made, &summary, err);
    armi_tree_chunk_free(chunk);
    armi_buf_release(&body);
    armi_tree_node_release(&node);
    move_out(st, &made, out);
    return st;
}

static enum armi_status decode_by_node(struct armi_reader *reader, bool keyed,
                                       struct armi_tree_root *out, struct armi_error *err)
{
    struct tree_item item;
    uint8_t level;
    struct armi_tree_stats *stats = armi_alloc_array(ARMI_TREE_STATS_MAX, sizeof *stats);
    enum armi_status st;
    if (stats == NULL)
        return armi_error_no_memory(err);
    if (!armi_read_u8(reader, &level) || level >= ARMI_TREE_LEVEL_MAX) {
        st = armi_error_set(err, ARMI_CORRUPTION, "the level is damaged");
        goto done;
    }
    st = armi_tree_item_decode(reader, level + 1u, keyed, stats, &item, err);
    if (st != ARMI_OK)
        goto done;
    if (armi_reader_left(reader) != 0)
        st = armi_error_set(err, ARMI_CORRUPTION, "%zu bytes too many",
                            armi_reader_left(reader));
    else
        st = armi_tree_root_from_item(&item, level, keyed, out, err);
done:
    armi_free(stats);
    return st;
}

static enum armi_status decode_form(struct armi_slice bytes, bool keyed,
                                    struct armi_tree_root *out, struct armi_error *err)
{
    struct armi_reader reader = armi_reader_init(bytes);
    uint8_t form;
    if (!armi_read_u8(&reader, &form))
        return armi_error_set(err, ARMI_CORRUPTION, "it has no bytes");
    if (form & ~(unsigned)(FORM_BY_NODE | FORM_KEYED))
        return armi_error_set(err, ARMI_UNSUPPORTED, "form %u is of a newer version", form);
    if (((form & FORM_KEYED) != 0) != keyed)
        return armi_error_set(err, ARMI_CORRUPTION, "it is of another kind of tree");
    if (form & FORM_BY_NODE)
        return decode_by_node(&reader, keyed, out, err);
    if (bytes.size > ARMI_TREE_INLINE_MAX)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "%zu bytes inside the parent, more than %d", bytes.size,
                              ARMI_TREE_INLINE_MAX);
    if (bytes.size == 1) {
        armi_tree_root_release(out);
        armi_tree_root_init(out, keyed);
        return ARMI_OK;
    }
    return decode_inline((struct armi_slice){reader.pos, armi_reader_left(&reader)}, keyed,
                         out, err);
}

enum armi_status armi_tree_root_decode(struct armi_slice bytes, bool keyed,
                                       struct armi_tree_root *out, struct armi_error *err)
{
    enum armi_status st = decode_form(bytes, keyed, out, err);
    if (st != ARMI_OK && st != ARMI_NO_MEMORY)
        st = armi_error_prefix(err, st, "root of a tree");
    return st;
}

enum armi_status armi_tree_root_read(const struct armi_tree *tree,
                                     const struct armi_tree_root *root,
                                     struct tree_node *node, struct armi_error *err)
{
    struct tree_item item;
    struct armi_buf body;
    if (!root->is_inline) {
        armi_tree_root_item(root, &item);
        return armi_tree_node_read(tree, root->level, &item, node, err);
    }
    armi_buf_init(&body, 0);
    enum armi_status st = armi_buf_append(&body, root->body.data, root->body.size, err);
    if (st == ARMI_OK)
        st = armi_tree_node_decode(&body, 0, tree->keyed, node, err);
    armi_buf_release(&body);
    return st;
}

bool armi_tree_root_equal(const struct armi_tree_root *a, const struct armi_tree_root *b)
{
    if (a->keyed != b->keyed || a->entries != b->entries)
        return false;
    if (a->entries == 0)
        return true;
    if (a->is_inline != b->is_inline || a->level != b->level)
        return false;
    if (a->is_inline)
        return armi_slice_equal(armi_buf_slice(&a->body), armi_buf_slice(&b->body));
    return memcmp(a->hash.bytes, b->hash.bytes, ARMI_HASH_SIZE) == 0;
}

/* Reads the node whose level only its own header tells. */
static enum armi_status open_node(const struct armi_tree *tree,
                                  const struct armi_hash *hash, bool is_leaf,
                                  struct armi_buf *bytes, struct tree_node *node,
                                  struct armi_error *err)
{
    unsigned type = is_leaf ? tree->leaf_type : tree->inner_type;
    ARMI_TRY(tree->store.get(tree->store.ctx, type, hash, bytes, err));
    unsigned level = bytes->size > 0 ? bytes->data[0] : 0;
    enum armi_status st;
    if (bytes->size == 0 || is_leaf != (level == 0) || level >= ARMI_TREE_LEVEL_MAX)
        st = armi_error_set(err, ARMI_CORRUPTION, "the level is damaged");
    else
        st = armi_tree_node_decode(bytes, level, tree->keyed, node, err);
    return st == ARMI_OK ? st : armi_tree_node_blame(hash, st, err);
}

enum armi_status armi_tree_root_open(const struct armi_tree *tree,
                                     const struct armi_hash *hash, bool is_leaf,
                                     struct armi_tree_root *out, struct armi_error *err)
{
    struct armi_buf bytes;
    struct tree_node node;
    struct tree_item summary;
    struct tree_chunk *chunk = NULL;
    armi_buf_init(&bytes, 0);
    armi_tree_node_init(&node);
    enum armi_status st = open_node(tree, hash, is_leaf, &bytes, &node, err);
    if (st == ARMI_OK)
        st = armi_tree_chunk_new(node.level, tree->keyed, &chunk, err);
    if (st == ARMI_OK)
        st = armi_tree_chunk_summarise(chunk, &node, &summary, err);
    if (st == ARMI_OK) {
        summary.hash = *hash;
        st = armi_tree_root_from_item(&summary, node.level, tree->keyed, out, err);
    }
    armi_tree_chunk_free(chunk);
    armi_buf_release(&bytes);
    armi_tree_node_release(&node);
    return st;
}
