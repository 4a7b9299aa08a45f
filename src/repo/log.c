/*
 * Commits for readers: log and show.
 */
#include <armillaria/commit.h>

#include <string.h>

#include "base/alloc.h"
#include "repo/repo_internal.h"

const char *armi_op_name(enum armi_op op)
{
    static const char *const names[] = {
        "create", "append", "delete", "update",  "upsert", "overwrite", "replace",
        "alter",  "drop",   "rename", "restore", "revert", "merge",
    };
    return (size_t)op < sizeof names / sizeof names[0] ? names[op] : "unknown";
}

static bool touches(const struct armi_commit *commit, const char *table)
{
    size_t size = strlen(table);
    for (size_t i = 0; i < commit->ops_count; i++)
        if (commit->ops[i].table.size == size &&
            memcmp(commit->ops[i].table.data, table, size) == 0)
            return true;
    return false;
}

/* ---- one commit ---- */

static bool info_tables(struct armi_arena *arena, const struct armi_commit *commit,
                        struct armi_commit_info *out)
{
    struct armi_table_change *tables =
        armi_arena_alloc(arena, commit->ops_count, sizeof *tables);
    if (tables == NULL)
        return false;
    for (size_t i = 0; i < commit->ops_count; i++) {
        const struct armi_commit_op *op = &commit->ops[i];
        tables[i] = (struct armi_table_change){
            .table = armi_arena_text(arena, op->table.data, op->table.size),
            .op = (enum armi_op)op->kind,
            .old_version = op->old_version,
            .new_version = op->new_version,
            .old_rows = op->old_rows,
            .new_rows = op->new_rows,
        };
        if (tables[i].table == NULL)
            return false;
    }
    out->tables = tables;
    out->table_count = commit->ops_count;
    return true;
}

static bool info_metadata(struct armi_arena *arena, const struct armi_commit *commit,
                          struct armi_commit_info *out)
{
    struct armi_pair *pairs =
        armi_arena_alloc(arena, commit->metadata_count, sizeof *pairs);
    if (pairs == NULL)
        return false;
    for (size_t i = 0; i < commit->metadata_count; i++) {
        const struct armi_commit_pair *pair = &commit->metadata[i];
        pairs[i].key = armi_arena_text(arena, pair->key.data, pair->key.size);
        pairs[i].value = armi_arena_text(arena, pair->value.data, pair->value.size);
        if (pairs[i].key == NULL || pairs[i].value == NULL)
            return false;
    }
    out->metadata = pairs;
    out->metadata_count = commit->metadata_count;
    return true;
}

static enum armi_status info_fill(struct armi_arena *arena, const struct armi_hash *id,
                                  const struct armi_commit *commit,
                                  struct armi_commit_info *out, struct armi_error *err)
{
    struct armi_hash *parents =
        armi_arena_alloc(arena, commit->parents_count, sizeof *parents);
    *out = (struct armi_commit_info){
        .commit = *id,
        .parent_count = commit->parents_count,
        .parents = parents,
        .author = armi_arena_text(arena, commit->author.data, commit->author.size),
        .time_us = commit->time_us,
        .clock_us = commit->clock_us,
        .message = armi_arena_text(arena, commit->message.data, commit->message.size),
        .layout_only = (commit->flags & ARMI_COMMIT_LAYOUT_ONLY) != 0,
    };
    if (parents == NULL || out->author == NULL || out->message == NULL ||
        !info_tables(arena, commit, out) || !info_metadata(arena, commit, out))
        return armi_error_no_memory(err);
    if (commit->parents_count != 0)
        memcpy(parents, commit->parents, commit->parents_count * sizeof *parents);
    return ARMI_OK;
}

/* ---- lists ---- */

struct log_list {
    struct armi_arena *arena;
    struct armi_commit_info
        *items; /* grown with armi_realloc, copied to the arena at the end */
    size_t count, capacity;
};

static enum armi_status log_add(struct log_list *list, const struct armi_hash *id,
                                const struct armi_commit *commit, struct armi_error *err)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity != 0 ? list->capacity * 2 : 32;
        void *items = armi_realloc(list->items, list->count * sizeof *list->items,
                                   capacity * sizeof *list->items);
        if (items == NULL)
            return armi_error_no_memory(err);
        list->items = items;
        list->capacity = capacity;
    }
    return info_fill(list->arena, id, commit, &list->items[list->count++], err);
}

static enum armi_status log_finish(struct log_list *list, struct armi_commit_list *out,
                                   struct armi_error *err)
{
    struct armi_commit_info *items =
        armi_arena_alloc(list->arena, list->count, sizeof *items);
    if (items == NULL)
        return armi_error_no_memory(err);
    if (list->count != 0)
        memcpy(items, list->items, list->count * sizeof *items);
    armi_free(list->items);
    out->count = list->count;
    out->items = items;
    out->private_data = list->arena;
    return ARMI_OK;
}

static enum armi_status log_walk(struct armi_core *core, const struct armi_place *place,
                                 const struct armi_log_options *options,
                                 struct log_list *list, struct armi_error *err)
{
    struct armi_history_iter it;
    bool has = true;
    enum armi_status st = ARMI_OK;
    armi_history_begin(&it, core->catalog, place->has_commit ? &place->id : NULL);
    while (st == ARMI_OK && (options->limit == 0 || list->count < options->limit)) {
        st = armi_history_next(&it, &has, err);
        if (st != ARMI_OK || !has)
            break;
        if (options->table == NULL || touches(&it.commit, options->table))
            st = log_add(list, &it.id, &it.commit, err);
    }
    armi_history_end(&it);
    if (st == ARMI_OK && options->table != NULL && list->count == 0)
        st = armi_table_not_found(options->table, 0, err);
    return st;
}

enum armi_status armi_commit_log(struct armi_repository *repo,
                                 const struct armi_log_options *options,
                                 struct armi_commit_list *out, struct armi_error *err)
{
    static const struct armi_log_options defaults = {.size = sizeof defaults};
    struct armi_place place = {0};
    struct log_list list = {0};
    if (options == NULL)
        options = &defaults;
    ARMI_TRY(armi_place_resolve(repo->core, options->ref, &place, NULL, err));
    enum armi_status st = armi_arena_new(&list.arena, err);
    if (st == ARMI_OK)
        st = log_walk(repo->core, &place, options, &list, err);
    if (st == ARMI_OK)
        st = log_finish(&list, out, err);
    armi_place_release(&place);
    if (st != ARMI_OK) {
        armi_free(list.items);
        armi_arena_free(list.arena);
    }
    return st;
}

enum armi_status armi_commit_get(struct armi_repository *repo, const char *ref,
                                 struct armi_commit_list *out, struct armi_error *err)
{
    struct armi_place place = {0};
    struct log_list list = {0};
    ARMI_TRY(armi_place_resolve(repo->core, ref, &place, NULL, err));
    enum armi_status st = armi_arena_new(&list.arena, err);
    if (st == ARMI_OK && !place.has_commit)
        st = armi_error_object(err, ARMI_NOT_FOUND, "commit", ref != NULL ? ref : "main",
                               "Commit not found: branch %s has no commit yet",
                               ref != NULL ? ref : "main");
    if (st == ARMI_OK)
        st = log_add(&list, &place.id, &place.commit, err);
    if (st == ARMI_OK)
        st = log_finish(&list, out, err);
    armi_place_release(&place);
    if (st != ARMI_OK) {
        armi_free(list.items);
        armi_arena_free(list.arena);
    }
    return st;
}
