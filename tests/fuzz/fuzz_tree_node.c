/*
 * Any bytes as a tree: byte 0 says whether it is keyed, then come pieces, each a length of
 * two bytes and so many bytes. The first piece is the encoded root, the others are nodes,
 * found by the first byte of the hash that is asked for. All that reads a tree is run over
 * it, and then an edit: refused or done, but never wrong in memory. A node that decodes has
 * the bytes that its content encodes to.
 */
#include "fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "hash/blake3.h"
#include "tree/tree_cursor.h"
#include "tree/tree_diff.h"
#include "tree/tree_internal.h"

#define PIECES_MAX 16
#define GETS_MAX   400 /* a small input can be a tree of any size: nodes may repeat */

struct pieces {
    struct armi_slice list[PIECES_MAX];
    size_t count;
    size_t gets;
};

static void cut_pieces(const uint8_t *data, size_t size, struct pieces *out)
{
    struct armi_reader reader = armi_reader_init((struct armi_slice){data, size});
    while (out->count < PIECES_MAX && armi_reader_left(&reader) > 2) {
        const uint8_t *length, *bytes;
        if (!armi_read_span(&reader, 2, &length))
            return;
        size_t want = armi_load16(length), left = armi_reader_left(&reader);
        want = want < left ? want : left;
        if (!armi_read_span(&reader, want, &bytes))
            return;
        out->list[out->count++] = (struct armi_slice){bytes, want};
    }
}

static enum armi_status get_piece(void *ctx, unsigned type, const struct armi_hash *hash,
                                  struct armi_buf *out, struct armi_error *err)
{
    struct pieces *pieces = ctx;
    (void)type;
    if (pieces->count < 2 || ++pieces->gets > GETS_MAX)
        return armi_error_set(err, ARMI_NOT_FOUND, "no such node");
    struct armi_slice bytes = pieces->list[1 + hash->bytes[0] % (pieces->count - 1)];
    armi_buf_clear(out);
    return armi_buf_append(out, bytes.data, bytes.size, err);
}

static enum armi_status put_nowhere(void *ctx, unsigned type, struct armi_slice bytes,
                                    struct armi_hash *hash, struct armi_error *err)
{
    (void)ctx;
    (void)type;
    (void)err;
    armi_blake3_hash(bytes.data, bytes.size, hash);
    return ARMI_OK;
}

static void check_encoding(const struct tree_node *node)
{
    struct armi_buf items, bytes;
    armi_buf_init(&items, 0);
    armi_buf_init(&bytes, 0);
    for (size_t i = 0; i < node->count; i++) {
        FUZZ_CHECK(armi_tree_item_encode(&node->items[i], node->level, node->keyed, &items,
                                         NULL) == ARMI_OK);
        FUZZ_CHECK(armi_tree_stats_valid(node->items[i].entry.stats,
                                         node->items[i].entry.stats_count));
    }
    FUZZ_CHECK(armi_tree_node_encode(node->level, node->keyed, node->count,
                                     armi_buf_slice(&items), &bytes, NULL) == ARMI_OK);
    FUZZ_CHECK(armi_slice_equal(armi_buf_slice(&bytes), armi_buf_slice(&node->bytes)));
    armi_buf_release(&items);
    armi_buf_release(&bytes);
}

static void decode_nodes(const struct pieces *pieces, bool keyed)
{
    struct tree_node node;
    struct armi_buf copy;
    armi_tree_node_init(&node);
    armi_buf_init(&copy, 0);
    for (size_t i = 1; i < pieces->count; i++) {
        struct armi_slice bytes = pieces->list[i];
        armi_buf_clear(&copy);
        FUZZ_CHECK(armi_buf_append(&copy, bytes.data, bytes.size, NULL) == ARMI_OK);
        unsigned level = bytes.size > 0 ? bytes.data[0] : 0;
        if (level < ARMI_TREE_LEVEL_MAX &&
            armi_tree_node_decode(&copy, level, keyed, &node, NULL) == ARMI_OK)
            check_encoding(&node);
    }
    armi_buf_release(&copy);
    armi_tree_node_release(&node);
}

static void walk(const struct armi_tree *tree, const struct armi_tree_root *root)
{
    struct armi_tree_cursor *cursor = NULL;
    FUZZ_CHECK(armi_tree_cursor_new(tree, root, &cursor, NULL) == ARMI_OK);
    enum armi_status st = armi_tree_cursor_seek_first(cursor, NULL);
    for (size_t i = 0; i < 2000 && st == ARMI_OK && armi_tree_cursor_valid(cursor); i++)
        st = armi_tree_cursor_next(cursor, NULL);
    const uint64_t places[] = {0, 1, root->rows / 2, root->rows - 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (armi_tree_cursor_seek_row(cursor, places[i], NULL) == ARMI_OK &&
            armi_tree_cursor_valid(cursor)) {
            uint64_t first = armi_tree_cursor_row(cursor);
            FUZZ_CHECK(places[i] - first < armi_tree_cursor_entry(cursor)->rows);
        }
        if (armi_tree_cursor_seek_ordinal(cursor, places[i], NULL) == ARMI_OK)
            FUZZ_CHECK(armi_tree_cursor_valid(cursor) == (places[i] < root->entries));
    }
    if (tree->keyed)
        (void)armi_tree_cursor_seek_key(
            cursor, (struct armi_slice){(const uint8_t *)"m", 1}, NULL, NULL);
    armi_tree_cursor_free(cursor);
}

static void compare(const struct armi_tree *tree, const struct armi_tree_root *a,
                    const struct armi_tree_root *b)
{
    struct armi_tree_diff *diff = NULL;
    struct armi_tree_run run;
    bool has = true;
    FUZZ_CHECK(armi_tree_diff_new(tree, a, b, ARMI_TREE_DIFF_PHYSICAL, &diff, NULL) ==
               ARMI_OK);
    while (has && armi_tree_diff_next(diff, &run, &has, NULL) == ARMI_OK)
        ;
    armi_tree_diff_free(diff);
}

static void edit(const struct armi_tree *tree, const struct armi_tree_root *root)
{
    struct armi_tree_root out = {0};
    struct armi_tree_entry entry = {.rows = 1};
    enum armi_status st;
    if (tree->keyed) {
        entry.key = (struct armi_slice){(const uint8_t *)"m", 1};
        struct armi_tree_change change = {entry.key, &entry};
        st = armi_tree_edit_keys(tree, root, &change, 1, &out, NULL);
    } else {
        uint64_t middle = root->entries / 2;
        struct armi_tree_splice splice = {middle, middle, &entry, 1};
        st = armi_tree_edit(tree, root, &splice, 1, &out, NULL);
        FUZZ_CHECK(st != ARMI_OK || out.entries == root->entries + 1);
    }
    if (st == ARMI_OK)
        compare(tree, root, &out);
    armi_tree_root_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pieces pieces = {0};
    struct armi_tree_root root = {0};
    if (size < 4)
        return 0;
    struct armi_tree tree = {.store = {get_piece, put_nowhere, &pieces},
                             .leaf_type = 1,
                             .inner_type = 2,
                             .keyed = (data[0] & 1) != 0};
    cut_pieces(data + 1, size - 1, &pieces);
    decode_nodes(&pieces, tree.keyed);
    if (pieces.count == 0 ||
        armi_tree_root_decode(pieces.list[0], tree.keyed, &root, NULL) != ARMI_OK)
        return 0;
    struct armi_buf again;
    armi_buf_init(&again, 0);
    FUZZ_CHECK(armi_tree_root_encode(&root, &again, NULL) == ARMI_OK);
    FUZZ_CHECK(armi_slice_equal(armi_buf_slice(&again), pieces.list[0]));
    armi_buf_release(&again);
    walk(&tree, &root);
    pieces.gets = 0;
    (void)armi_tree_verify(&tree, &root, NULL, NULL);
    pieces.gets = 0;
    edit(&tree, &root);
    armi_tree_root_release(&root);
    return 0;
}
