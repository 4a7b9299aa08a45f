/*
 * Tables for readers: lists, schema, counts, versions, scans.
 */
#include <armillaria/table.h>

#include <string.h>

#include <armillaria/scan.h>

#include "arrow/stream.h"
#include "base/alloc.h"
#include "base/map.h"
#include "repo/repo_internal.h"
#include "repo/transaction_internal.h"
#include "table/table_scan.h"

/* ---- names ---- */

static enum armi_status names_fill(const struct armi_table_entry *entries, size_t count,
                                   struct armi_name_list *out, struct armi_error *err)
{
    struct armi_arena *arena;
    ARMI_TRY(armi_arena_new(&arena, err));
    const char **names = armi_arena_alloc(arena, count, sizeof *names);
    size_t n = 0;
    bool whole = names != NULL;
    for (size_t i = 0; i < count && whole; i++) {
        if (!entries[i].is_live)
            continue;
        names[n] = armi_arena_string(arena, entries[i].name);
        whole = names[n++] != NULL;
    }
    if (!whole) {
        armi_arena_free(arena);
        return armi_error_no_memory(err);
    }
    out->count = n;
    out->names = names;
    out->private_data = arena;
    return ARMI_OK;
}

/* The snapshot's entries with the transaction's own writes laid over them. */
static enum armi_status entries_in_transaction(struct armi_transaction *tx,
                                               struct armi_table_entry **entries,
                                               size_t *count, struct armi_error *err)
{
    struct armi_error ignored = ARMI_ERROR_INIT;
    const struct armi_node_source source = armi_node_set_source(&tx->nodes);
    struct armi_table_entry *own = armi_alloc_zero(tx->write_count, sizeof *own);
    struct armi_tree_root root;
    size_t nodes = tx->nodes.count;
    armi_tree_root_init(&root, true);
    if (own == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < tx->write_count; i++) {
        own[i] = tx->writes[i].base;
        memcpy(own[i].name, tx->writes[i].name, sizeof own[i].name);
        own[i].is_live = !tx->writes[i].dropped;
    }
    enum armi_status st =
        armi_tables_edit(&tx->nodes, &tx->tables, own, tx->write_count, &root, err);
    if (st == ARMI_OK)
        st = armi_tables_list(&source, &root, entries, count, err);
    if (armi_node_set_truncate(&tx->nodes, nodes, &ignored) != ARMI_OK && st == ARMI_OK)
        st = armi_error_no_memory(err);
    armi_tree_root_release(&root);
    armi_free(own);
    return st;
}

static enum armi_status entries_at(struct armi_core *core, const struct armi_at *at,
                                   struct armi_table_entry **entries, size_t *count,
                                   struct armi_error *err)
{
    struct armi_place place = {0};
    struct armi_tree_root root;
    armi_tree_root_init(&root, true);
    ARMI_TRY(armi_place_resolve(core, at != NULL ? at->ref : NULL, &place, NULL, err));
    enum armi_status st = ARMI_OK;
    if (at != NULL && at->has_as_of && place.has_commit) {
        struct armi_hash then;
        st = armi_history_at_time(core->catalog, &place.id, at->as_of_us, &then, err);
        armi_place_release(&place);
        if (st == ARMI_OK)
            st = armi_place_load(core, &then, &place, err);
    }
    if (st == ARMI_OK)
        st = armi_tables_open(&core->nodes, place.has_commit ? &place.commit : NULL, &root,
                              err);
    if (st == ARMI_OK)
        st = armi_tables_list(&core->nodes, &root, entries, count, err);
    armi_tree_root_release(&root);
    armi_place_release(&place);
    return st;
}

enum armi_status armi_table_list(struct armi_repository *repo, const struct armi_at *at,
                                 struct armi_name_list *out, struct armi_error *err)
{
    struct armi_table_entry *entries = NULL;
    size_t count = 0;
    if (at != NULL && at->transaction != NULL) {
        ARMI_TRY(armi_transaction_check(at->transaction, err));
        ARMI_TRY(entries_in_transaction(at->transaction, &entries, &count, err));
    } else {
        ARMI_TRY(entries_at(repo->core, at, &entries, &count, err));
    }
    enum armi_status st = names_fill(entries, count, out, err);
    armi_free(entries);
    return st;
}

/* ---- what a version is ---- */

/* Chunks in row order without repeats, and their bytes. */
static enum armi_status info_chunks(const struct armi_table_io *io,
                                    const struct armi_table_version *version,
                                    struct armi_arena *arena, struct armi_table_info *out,
                                    struct armi_error *err)
{
    struct armi_range *ranges;
    struct armi_map seen;
    size_t count;
    ARMI_TRY(armi_table_version_ranges(&io->nodes, version, &ranges, &count, err));
    enum armi_status st = ARMI_OK;
    armi_map_init(&seen, 0);
    for (size_t r = 0; r < count && st == ARMI_OK; r++) {
        for (size_t k = 0; k < ranges[r].chunk_count && st == ARMI_OK; k++) {
            const struct armi_chunk_ref *chunk = &ranges[r].chunks[k];
            uint64_t *value;
            bool is_new = false;
            st = armi_map_insert(&seen,
                                 (struct armi_slice){chunk->hash.bytes, ARMI_HASH_SIZE},
                                 &value, &is_new, err);
            out->stored_bytes += is_new ? chunk->file_size : 0;
        }
    }
    armi_range_array_release(ranges, count);
    out->chunk_count = seen.count;
    out->chunks = armi_arena_alloc(arena, seen.count, sizeof *out->chunks);
    if (st == ARMI_OK && out->chunks == NULL)
        st = armi_error_no_memory(err);
    for (size_t i = 0; i < seen.count && st == ARMI_OK; i++)
        memcpy(out->chunks[i].bytes, armi_map_key(&seen, i).data, ARMI_HASH_SIZE);
    armi_map_release(&seen);
    return st;
}

static enum armi_status info_key(const struct armi_table_version *version,
                                 struct armi_arena *arena, struct armi_table_info *out,
                                 struct armi_error *err)
{
    const struct armi_table_settings *settings = &version->settings;
    out->key = armi_arena_alloc(arena, settings->key_count, sizeof *out->key);
    if (out->key == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < settings->key_count; i++) {
        const struct armi_field *column = armi_table_column(version, settings->key[i]);
        out->key[i] = armi_arena_string(arena, column != NULL ? column->name : "");
        if (out->key[i] == NULL)
            return armi_error_no_memory(err);
    }
    out->key_count = settings->key_count;
    return ARMI_OK;
}

enum armi_status armi_table_info(struct armi_repository *repo, const char *table,
                                 const struct armi_at *at, struct armi_table_info *out,
                                 struct armi_error *err)
{
    struct armi_table_version version;
    struct armi_table_io io;
    struct armi_table_entry entry;
    struct armi_hash where;
    struct armi_place made = {0};
    struct armi_arena *arena = NULL;
    struct armi_table_info info = {.size = out->size};
    armi_table_version_init(&version);
    ARMI_TRY(armi_table_at(repo, table, at, &version, &io, &entry, &where, err));
    enum armi_status st = armi_arena_new(&arena, err);
    if (st == ARMI_OK && entry.version != 0)
        st = armi_place_made(repo->core, &where, table, entry.version, &made, err);
    info.version = entry.version;
    info.commit = made.id;
    info.time_us = made.commit.time_us;
    info.rows = version.rows;
    info.logical_bytes = version.bytes;
    info.ranges = version.ranges;
    info.column_count = version.schema.child_count;
    memcpy(info.root.bytes, version.content, sizeof version.content);
    info.private_data = arena;
    if (st == ARMI_OK)
        st = info_key(&version, arena, &info, err);
    if (st == ARMI_OK)
        st = info_chunks(&io, &version, arena, &info, err);
    armi_place_release(&made);
    armi_table_version_release(&version);
    if (st != ARMI_OK) {
        armi_arena_free(arena);
        return st;
    }
    *out = info;
    return ARMI_OK;
}

enum armi_status armi_table_schema(struct armi_repository *repo, const char *table,
                                   const struct armi_at *at, struct ArrowSchema *out,
                                   struct armi_error *err)
{
    struct armi_table_version version;
    struct armi_table_io io;
    armi_table_version_init(&version);
    ARMI_TRY(armi_table_at(repo, table, at, &version, &io, NULL, NULL, err));
    enum armi_status st = armi_field_export(&version.schema, 0, out, err);
    armi_table_version_release(&version);
    return st;
}

enum armi_status armi_table_count(struct armi_repository *repo, const char *table,
                                  const struct armi_at *at, uint64_t *out,
                                  struct armi_error *err)
{
    struct armi_table_version version;
    struct armi_table_io io;
    armi_table_version_init(&version);
    ARMI_TRY(armi_table_at(repo, table, at, &version, &io, NULL, NULL, err));
    *out = version.rows;
    armi_table_version_release(&version);
    return ARMI_OK;
}

/* ---- versions ---- */

struct version_walk {
    struct armi_core *core;
    struct armi_arena *arena;
    struct armi_table_version_list *out;
    size_t capacity;
};

static enum armi_status version_add(struct version_walk *w, const struct armi_hash *id,
                                    const struct armi_commit *commit,
                                    const struct armi_commit_op *op, struct armi_error *err)
{
    struct armi_table_version version;
    struct armi_table_info info = {.size = sizeof info};
    const struct armi_table_io io = armi_core_io(w->core);
    if (w->out->count == w->capacity) {
        size_t capacity = w->capacity != 0 ? w->capacity * 2 : 16;
        struct armi_table_version_item *items =
            armi_arena_alloc(w->arena, capacity, sizeof *w->out->items);
        if (items == NULL)
            return armi_error_no_memory(err);
        if (w->out->count != 0)
            memcpy(items, w->out->items, w->out->count * sizeof *w->out->items);
        w->out->items = items;
        w->capacity = capacity;
    }
    armi_table_version_init(&version);
    ARMI_TRY(armi_table_version_load(&w->core->nodes, &op->new_node, &version, err));
    enum armi_status st = info_chunks(&io, &version, w->arena, &info, err);
    armi_table_version_release(&version);
    ARMI_TRY(st);
    struct armi_table_version_item *item = &w->out->items[w->out->count++];
    *item = (struct armi_table_version_item){
        .version = op->new_version,
        .commit = *id,
        .time_us = commit->time_us,
        .author = armi_arena_text(w->arena, commit->author.data, commit->author.size),
        .message = armi_arena_text(w->arena, commit->message.data, commit->message.size),
        .rows = op->new_rows,
        .stored_bytes = info.stored_bytes,
    };
    return item->author != NULL && item->message != NULL ? ARMI_OK
                                                         : armi_error_no_memory(err);
}

static enum armi_status versions_walk(struct version_walk *w, const char *table,
                                      const struct armi_place *place,
                                      struct armi_error *err)
{
    struct armi_history_iter it;
    bool has = true;
    size_t size = strlen(table);
    enum armi_status st = ARMI_OK;
    armi_history_begin(&it, w->core->catalog, place->has_commit ? &place->id : NULL);
    while (st == ARMI_OK) {
        st = armi_history_next(&it, &has, err);
        if (st != ARMI_OK || !has)
            break;
        for (size_t i = 0; i < it.commit.ops_count && st == ARMI_OK; i++) {
            const struct armi_commit_op *op = &it.commit.ops[i];
            if (op->new_version != 0 && op->table.size == size &&
                memcmp(op->table.data, table, size) == 0)
                st = version_add(w, &it.id, &it.commit, op, err);
        }
    }
    armi_history_end(&it);
    return st;
}

enum armi_status armi_table_versions(struct armi_repository *repo, const char *table,
                                     const char *ref, struct armi_table_version_list *out,
                                     struct armi_error *err)
{
    struct armi_place place = {0};
    struct armi_table_version_list list = {.size = out->size};
    struct version_walk walk = {.core = repo->core, .out = &list};
    ARMI_TRY(armi_place_resolve(repo->core, ref, &place, NULL, err));
    enum armi_status st = armi_arena_new(&walk.arena, err);
    if (st == ARMI_OK)
        st = versions_walk(&walk, table, &place, err);
    if (st == ARMI_OK && list.count == 0)
        st = armi_table_not_found(table, 0, err);
    armi_place_release(&place);
    if (st != ARMI_OK) {
        armi_arena_free(walk.arena);
        return st;
    }
    for (size_t i = 0, k = list.count; i + 1 < k; i++) { /* oldest first */
        struct armi_table_version_item t = list.items[i];
        list.items[i] = list.items[--k];
        list.items[k] = t;
    }
    list.private_data = walk.arena;
    *out = list;
    return ARMI_OK;
}

/* ---- scans ---- */

enum armi_status armi_scan_open(struct armi_repository *repo,
                                const struct armi_scan_options *options,
                                struct ArrowArrayStream *out, struct armi_error *err)
{
    struct armi_table_version version;
    struct armi_table_io io;
    armi_table_version_init(&version);
    ARMI_TRY(
        armi_table_at(repo, options->table, &options->at, &version, &io, NULL, NULL, err));
    const struct armi_table_scan scan = {
        .name = options->table,
        .columns = options->columns,
        .column_count = options->column_count,
        .where = options->where,
        .has_limit = options->has_limit,
        .limit = options->limit,
        .offset = options->offset,
        .batch_bytes = options->batch_bytes,
        .ranges_apart = options->ranges_apart,
        .callbacks = armi_repo_callbacks(repo, &options->callbacks),
        .cache = repo->core->cache,
    };
    enum armi_status st = armi_table_scan_open(&io, &version, &scan, out, err);
    armi_table_version_release(&version);
    return st;
}

enum armi_status armi_scan_last_error(struct ArrowArrayStream *stream,
                                      struct armi_error *out)
{
    return armi_stream_last_error(stream, out);
}
