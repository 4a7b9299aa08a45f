/*
 * The tables map of a commit: a keyed tree from table name to table version. A dropped table
 * leaves a tombstone, so that its number goes on when the name is used again.
 *
 *     payload: format (1), state (0 live, 1 dropped), table id (16), version node (32),
 *              varint version
 */
#include "repo/repo_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "hash/blake3.h"
#include "tree/tree_store.h"

#define ENTRY_FORMAT 1

bool armi_table_entry_same(const struct armi_table_entry *a,
                           const struct armi_table_entry *b)
{
    return a->is_live == b->is_live && a->version == b->version &&
           memcmp(a->table_id, b->table_id, sizeof a->table_id) == 0 &&
           memcmp(&a->node, &b->node, sizeof a->node) == 0;
}

/* ---- entries ---- */

static enum armi_status entry_encode(const struct armi_table_entry *entry,
                                     struct armi_buf *payload, struct armi_tree_entry *out,
                                     struct armi_error *err)
{
    struct armi_hash hash;
    ARMI_TRY(armi_buf_append_u8(payload, ENTRY_FORMAT, err));
    ARMI_TRY(armi_buf_append_u8(payload, !entry->is_live, err));
    ARMI_TRY(armi_buf_append(payload, entry->table_id, sizeof entry->table_id, err));
    ARMI_TRY(armi_buf_append(payload, entry->node.bytes, ARMI_HASH_SIZE, err));
    ARMI_TRY(armi_buf_append_varint(payload, entry->version, err));
    *out = (struct armi_tree_entry){
        .key = {(const uint8_t *)entry->name, strlen(entry->name)},
        .payload = armi_buf_slice(payload),
        .rows = entry->is_live ? entry->rows : 0,
        .bytes = entry->is_live ? entry->bytes : 0,
    };
    armi_blake3_derive("armillaria 1 tables entry", payload->data, payload->size, &hash);
    memcpy(out->logical, hash.bytes, sizeof out->logical);
    armi_blake3_derive("armillaria 1 tables anchor", entry->name, strlen(entry->name),
                       &hash);
    out->anchor = armi_load64(hash.bytes);
    return ARMI_OK;
}

static enum armi_status entry_decode(const struct armi_tree_entry *from,
                                     struct armi_table_entry *out, struct armi_error *err)
{
    struct armi_reader r = armi_reader_init(from->payload);
    struct armi_table_entry entry = {.rows = from->rows, .bytes = from->bytes};
    uint8_t format, state;
    const uint8_t *id, *node;
    if (!armi_read_u8(&r, &format))
        return armi_error_set(err, ARMI_CORRUPTION, "a tables map has an empty entry");
    if (format != ENTRY_FORMAT)
        return armi_error_set(err, ARMI_UNSUPPORTED,
                              "a tables map of format %u needs a newer version", format);
    if (!armi_read_u8(&r, &state) || state > 1 ||
        !armi_read_span(&r, ARMI_TABLE_ID_SIZE, &id) ||
        !armi_read_span(&r, ARMI_HASH_SIZE, &node) ||
        !armi_read_varint(&r, &entry.version) || armi_reader_left(&r) != 0 ||
        from->key.size == 0 || from->key.size > ARMI_NAME_SIZE_MAX ||
        memchr(from->key.data, '\0', from->key.size) != NULL)
        return armi_error_set(err, ARMI_CORRUPTION, "a tables map has a malformed entry");
    memcpy(entry.name, from->key.data, from->key.size);
    entry.is_live = state == 0;
    memcpy(entry.table_id, id, sizeof entry.table_id);
    memcpy(entry.node.bytes, node, ARMI_HASH_SIZE);
    *out = entry;
    return ARMI_OK;
}

/* ---- the map ---- */

enum armi_status armi_tables_open(const struct armi_node_source *source,
                                  const struct armi_commit *commit,
                                  struct armi_tree_root *out, struct armi_error *err)
{
    struct armi_tree_root root;
    armi_tree_root_init(&root, true);
    enum armi_status st = ARMI_OK;
    if (commit != NULL && commit->tables.is_inline && commit->tables.bytes.size != 0) {
        st = armi_tree_root_decode(commit->tables.bytes, true, &root, err);
    } else if (commit != NULL && !commit->tables.is_inline) {
        struct armi_tree_store store;
        armi_tree_store_init(&store, source);
        struct armi_tree tree = armi_tree_store_tables(&store);
        st = armi_tree_root_open(&tree, &commit->tables.root, commit->tables.root_is_leaf,
                                 &root, err);
    }
    if (st == ARMI_OK)
        *out = root;
    else
        armi_tree_root_release(&root);
    return st;
}

enum armi_status armi_tables_save(const struct armi_tree_root *root, struct armi_buf *bytes,
                                  struct armi_commit_tables *out, struct armi_error *err)
{
    *out = (struct armi_commit_tables){.is_inline = root->is_inline};
    if (!root->is_inline) {
        out->root = root->hash;
        out->root_is_leaf = root->level == 0;
        return ARMI_OK;
    }
    armi_buf_clear(bytes);
    ARMI_TRY(armi_tree_root_encode(root, bytes, err));
    out->bytes = armi_buf_slice(bytes);
    return ARMI_OK;
}

enum armi_status armi_tables_find(const struct armi_node_source *source,
                                  const struct armi_tree_root *root, const char *name,
                                  bool *found, struct armi_table_entry *out,
                                  struct armi_error *err)
{
    struct armi_tree_store store;
    armi_tree_store_init(&store, source);
    struct armi_tree tree = armi_tree_store_tables(&store);
    struct armi_tree_cursor *cursor = NULL;
    struct armi_slice key = {(const uint8_t *)name, strlen(name)};
    *found = false;
    ARMI_TRY(armi_tree_cursor_new(&tree, root, &cursor, err));
    enum armi_status st = armi_tree_cursor_seek_key(cursor, key, found, err);
    if (st == ARMI_OK && *found)
        st = entry_decode(armi_tree_cursor_entry(cursor), out, err);
    armi_tree_cursor_free(cursor);
    return st;
}

enum armi_status armi_tables_list(const struct armi_node_source *source,
                                  const struct armi_tree_root *root,
                                  struct armi_table_entry **out, size_t *count,
                                  struct armi_error *err)
{
    struct armi_tree_store store;
    armi_tree_store_init(&store, source);
    struct armi_tree tree = armi_tree_store_tables(&store);
    struct armi_tree_cursor *cursor = NULL;
    struct armi_table_entry *entries = armi_alloc_array(root->entries, sizeof *entries);
    size_t n = 0;
    if (entries == NULL)
        return armi_error_no_memory(err);
    enum armi_status st = armi_tree_cursor_new(&tree, root, &cursor, err);
    if (st == ARMI_OK)
        st = armi_tree_cursor_seek_first(cursor, err);
    while (st == ARMI_OK && armi_tree_cursor_valid(cursor) && n < root->entries) {
        st = entry_decode(armi_tree_cursor_entry(cursor), &entries[n++], err);
        if (st == ARMI_OK)
            st = armi_tree_cursor_next(cursor, err);
    }
    armi_tree_cursor_free(cursor);
    if (st != ARMI_OK) {
        armi_free(entries);
        return st;
    }
    *out = entries;
    *count = n;
    return ARMI_OK;
}

/* ---- editing ---- */

struct edit {
    struct armi_buf payload;
    struct armi_tree_entry entry;
    struct armi_tree_change change;
};

static int edit_order(const void *a, const void *b)
{
    const struct armi_tree_change *x = a, *y = b;
    return armi_slice_compare(x->key, y->key);
}

enum armi_status armi_tables_edit(struct armi_node_set *set,
                                  const struct armi_tree_root *root,
                                  const struct armi_table_entry *entries, size_t count,
                                  struct armi_tree_root *out, struct armi_error *err)
{
    struct armi_tree_store store;
    armi_tree_store_init_set(&store, set);
    struct armi_tree tree = armi_tree_store_tables(&store);
    struct edit *edits = armi_alloc_zero(count, sizeof *edits);
    struct armi_tree_change *changes = armi_alloc_zero(count, sizeof *changes);
    enum armi_status st = ARMI_OK;
    if (edits == NULL || changes == NULL)
        st = armi_error_no_memory(err);
    for (size_t i = 0; i < count && st == ARMI_OK; i++) {
        st = entry_encode(&entries[i], &edits[i].payload, &edits[i].entry, err);
        changes[i] = (struct armi_tree_change){edits[i].entry.key, &edits[i].entry};
    }
    if (st == ARMI_OK) {
        qsort(changes, count, sizeof *changes, edit_order);
        st = armi_tree_edit_keys(&tree, root, changes, count, out, err);
    }
    for (size_t i = 0; edits != NULL && i < count; i++)
        armi_buf_release(&edits[i].payload);
    armi_free(edits);
    armi_free(changes);
    return st;
}

/* ---- comparing ---- */

static enum armi_status pair_fill(struct armi_tree_cursor *old_cursor,
                                  struct armi_tree_cursor *new_cursor,
                                  const struct armi_tree_run *run,
                                  struct armi_table_pair *pair, struct armi_error *err)
{
    memset(pair, 0, sizeof *pair);
    pair->has_old = run->a_to > run->a_from;
    pair->has_new = run->b_to > run->b_from;
    if (pair->has_old) {
        ARMI_TRY(armi_tree_cursor_seek_ordinal(old_cursor, run->a_from, err));
        ARMI_TRY(entry_decode(armi_tree_cursor_entry(old_cursor), &pair->old_entry, err));
    }
    if (pair->has_new) {
        ARMI_TRY(armi_tree_cursor_seek_ordinal(new_cursor, run->b_from, err));
        ARMI_TRY(entry_decode(armi_tree_cursor_entry(new_cursor), &pair->new_entry, err));
    }
    return ARMI_OK;
}

static enum armi_status pairs_collect(struct armi_tree_diff *diff,
                                      struct armi_tree_cursor *old_cursor,
                                      struct armi_tree_cursor *new_cursor,
                                      struct armi_table_pair **pairs, size_t *count,
                                      struct armi_error *err)
{
    size_t capacity = 0;
    for (;;) {
        struct armi_tree_run run;
        bool has;
        ARMI_TRY(armi_tree_diff_next(diff, &run, &has, err));
        if (!has)
            return ARMI_OK;
        if (*count == capacity) {
            size_t grown = capacity != 0 ? capacity * 2 : 8;
            void *memory =
                armi_realloc(*pairs, *count * sizeof **pairs, grown * sizeof **pairs);
            if (memory == NULL)
                return armi_error_no_memory(err);
            *pairs = memory;
            capacity = grown;
        }
        ARMI_TRY(pair_fill(old_cursor, new_cursor, &run, &(*pairs)[*count], err));
        ++*count;
    }
}

enum armi_status armi_tables_compare(const struct armi_node_source *source,
                                     const struct armi_tree_root *a,
                                     const struct armi_tree_root *b,
                                     struct armi_table_pair **out, size_t *count,
                                     struct armi_error *err)
{
    struct armi_tree_store store;
    armi_tree_store_init(&store, source);
    struct armi_tree tree = armi_tree_store_tables(&store);
    struct armi_tree_diff *diff = NULL;
    struct armi_tree_cursor *old_cursor = NULL, *new_cursor = NULL;
    struct armi_table_pair *pairs = NULL;
    size_t n = 0;
    enum armi_status st =
        armi_tree_diff_new(&tree, a, b, ARMI_TREE_DIFF_PHYSICAL, &diff, err);
    if (st == ARMI_OK)
        st = armi_tree_cursor_new(&tree, a, &old_cursor, err);
    if (st == ARMI_OK)
        st = armi_tree_cursor_new(&tree, b, &new_cursor, err);
    if (st == ARMI_OK)
        st = pairs_collect(diff, old_cursor, new_cursor, &pairs, &n, err);
    armi_tree_diff_free(diff);
    armi_tree_cursor_free(old_cursor);
    armi_tree_cursor_free(new_cursor);
    if (st != ARMI_OK) {
        armi_free(pairs);
        return st;
    }
    *out = pairs;
    *count = n;
    return ARMI_OK;
}
