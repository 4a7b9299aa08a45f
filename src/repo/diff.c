/*
 * Differences for readers: between refs, or between versions of one table.
 */
#include <armillaria/diff.h>

#include <string.h>

#include "base/alloc.h"
#include "repo/repo_internal.h"
#include "table/row_diff.h"

const char *armi_diff_kind_name(enum armi_diff_kind kind)
{
    static const char *const names[] = {"unchanged", "added", "dropped", "changed",
                                        "renamed"};
    return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : "unknown";
}

/* ---- pairs ---- */

static bool is_live(bool has, const struct armi_table_entry *entry)
{
    return has && entry->is_live;
}

/* Tombstones count as absent; a pair with nothing on either side is none. */
static bool pair_trim(struct armi_table_pair *pair)
{
    pair->has_old = is_live(pair->has_old, &pair->old_entry);
    pair->has_new = is_live(pair->has_new, &pair->new_entry);
    return pair->has_old || pair->has_new;
}

static enum armi_status place_entry(struct armi_core *core, const char *ref,
                                    const struct armi_at *at, const char *table, bool *has,
                                    struct armi_table_entry *entry, struct armi_error *err)
{
    struct armi_place place = {0};
    struct armi_error missing = ARMI_ERROR_INIT;
    ARMI_TRY(armi_place_resolve(core, ref, &place, NULL, err));
    enum armi_status st = armi_place_table(core, &place, table, at, entry, NULL,
                                           at->version != 0 ? err : &missing);
    armi_place_release(&place);
    *has = st == ARMI_OK;
    if (st == ARMI_NOT_FOUND && at->version == 0)
        return ARMI_OK;
    if (st != ARMI_OK && at->version == 0 && err != NULL) {
        size_t size = err->size;
        *err = missing;
        err->size = size;
    }
    return st;
}

/* The one table that was asked for, on either side. */
static enum armi_status one_pair(struct armi_core *core,
                                 const struct armi_diff_options *options,
                                 struct armi_table_pair *pair, struct armi_error *err)
{
    bool by_version = options->old_version != 0 || options->new_version != 0;
    const struct armi_at old_at = {.size = sizeof old_at, .version = options->old_version};
    const struct armi_at new_at = {.size = sizeof new_at, .version = options->new_version};
    memset(pair, 0, sizeof *pair);
    if (!by_version || options->old_version != 0)
        ARMI_TRY(place_entry(core, by_version ? options->to : options->from, &old_at,
                             options->table, &pair->has_old, &pair->old_entry, err));
    if (!by_version || options->new_version != 0)
        ARMI_TRY(place_entry(core, options->to, &new_at, options->table, &pair->has_new,
                             &pair->new_entry, err));
    return pair_trim(pair) ? ARMI_OK : armi_table_not_found(options->table, 0, err);
}

static enum armi_status all_pairs(struct armi_core *core,
                                  const struct armi_diff_options *options,
                                  struct armi_table_pair **pairs, size_t *count,
                                  struct armi_error *err)
{
    struct armi_place from = {0}, to = {0};
    struct armi_tree_root a, b;
    armi_tree_root_init(&a, true);
    armi_tree_root_init(&b, true);
    enum armi_status st = armi_place_resolve(core, options->from, &from, NULL, err);
    if (st == ARMI_OK)
        st = armi_place_resolve(core, options->to, &to, NULL, err);
    if (st == ARMI_OK)
        st = armi_tables_open(&core->nodes, from.has_commit ? &from.commit : NULL, &a, err);
    if (st == ARMI_OK)
        st = armi_tables_open(&core->nodes, to.has_commit ? &to.commit : NULL, &b, err);
    if (st == ARMI_OK)
        st = armi_tables_compare(&core->nodes, &a, &b, pairs, count, err);
    armi_tree_root_release(&a);
    armi_tree_root_release(&b);
    armi_place_release(&from);
    armi_place_release(&to);
    return st;
}

/* ---- one table ---- */

struct versions {
    struct armi_table_version old_version, new_version;
    bool has_old, has_new;
};

static void versions_release(struct versions *v)
{
    armi_table_version_release(&v->old_version);
    armi_table_version_release(&v->new_version);
}

static enum armi_status versions_load(struct armi_core *core,
                                      const struct armi_table_pair *pair,
                                      struct versions *v, struct armi_error *err)
{
    armi_table_version_init(&v->old_version);
    armi_table_version_init(&v->new_version);
    v->has_old = pair->has_old;
    v->has_new = pair->has_new;
    enum armi_status st = ARMI_OK;
    if (v->has_old)
        st = armi_table_version_load(&core->nodes, &pair->old_entry.node, &v->old_version,
                                     err);
    if (st == ARMI_OK && v->has_new)
        st = armi_table_version_load(&core->nodes, &pair->new_entry.node, &v->new_version,
                                     err);
    if (st != ARMI_OK)
        versions_release(v);
    return st;
}

static enum armi_status pair_rows(struct armi_repository *repo,
                                  const struct armi_diff_options *options,
                                  const char *table, const struct armi_table_pair *pair,
                                  struct armi_row_diff_counts *counts,
                                  struct ArrowArrayStream *out, struct armi_error *err)
{
    const struct armi_table_io io = armi_core_io(repo->core);
    const struct armi_row_diff_options how = {
        .name = table,
        .key = options->key,
        .key_count = options->key_count,
        .callbacks = armi_repo_callbacks(repo, &options->callbacks),
        .cache = repo->core->cache,
    };
    struct versions v;
    ARMI_TRY(versions_load(repo->core, pair, &v, err));
    enum armi_status st =
        armi_row_diff(&io, v.has_old ? &v.old_version : NULL,
                      v.has_new ? &v.new_version : NULL, &how, counts, out, err);
    versions_release(&v);
    return st;
}

/* Counts without a look at any row, where one side has nothing. */
static enum armi_status pair_counts(struct armi_repository *repo,
                                    const struct armi_diff_options *options,
                                    const struct armi_table_pair *pair,
                                    struct armi_row_diff_counts *counts,
                                    struct armi_error *err)
{
    *counts = (struct armi_row_diff_counts){0};
    if (!pair->has_old)
        counts->added = pair->new_entry.rows;
    else if (!pair->has_new)
        counts->removed = pair->old_entry.rows;
    else if (!options->no_counts &&
             memcmp(&pair->old_entry.node, &pair->new_entry.node, ARMI_HASH_SIZE) != 0)
        return pair_rows(repo, options, pair->new_entry.name, pair, counts, NULL, err);
    return ARMI_OK;
}

static enum armi_status diff_fill(struct armi_repository *repo,
                                  const struct armi_diff_options *options,
                                  const struct armi_table_pair *pair,
                                  struct armi_arena *arena, struct armi_table_diff *out,
                                  struct armi_error *err)
{
    struct armi_row_diff_counts counts;
    ARMI_TRY(pair_counts(repo, options, pair, &counts, err));
    bool same = pair->has_old && pair->has_new &&
                memcmp(&pair->old_entry.node, &pair->new_entry.node, ARMI_HASH_SIZE) == 0;
    *out = (struct armi_table_diff){
        .table = armi_arena_string(arena, pair->has_new ? pair->new_entry.name
                                                        : pair->old_entry.name),
        .kind = same             ? ARMI_DIFF_UNCHANGED
                : !pair->has_old ? ARMI_DIFF_ADDED
                : !pair->has_new ? ARMI_DIFF_DROPPED
                                 : ARMI_DIFF_CHANGED,
        .old_version = pair->has_old ? pair->old_entry.version : 0,
        .new_version = pair->has_new ? pair->new_entry.version : 0,
        .rows_added = counts.added,
        .rows_removed = counts.removed,
        .rows_changed = counts.changed,
        .schema_changed = counts.schema_changed,
        .reordered = counts.reordered,
    };
    out->old_table = out->table;
    return out->table != NULL ? ARMI_OK : armi_error_no_memory(err);
}

/* ---- the interface ---- */

enum armi_status armi_diff_open(struct armi_repository *repo,
                                const struct armi_diff_options *options,
                                struct armi_diff *out, struct armi_error *err)
{
    struct armi_table_pair single, *pairs = &single, *list = NULL;
    struct armi_arena *arena = NULL;
    size_t count = 1, n = 0;
    if (options->table != NULL) {
        ARMI_TRY(one_pair(repo->core, options, &single, err));
    } else {
        ARMI_TRY(all_pairs(repo->core, options, &list, &count, err));
        pairs = list;
    }
    enum armi_status st = armi_arena_new(&arena, err);
    struct armi_table_diff *items =
        st == ARMI_OK ? armi_arena_alloc(arena, count, sizeof *items) : NULL;
    if (st == ARMI_OK && items == NULL)
        st = armi_error_no_memory(err);
    for (size_t i = 0; i < count && st == ARMI_OK; i++)
        if (pair_trim(&pairs[i]))
            st = diff_fill(repo, options, &pairs[i], arena, &items[n++], err);
    armi_free(list);
    if (st != ARMI_OK) {
        armi_arena_free(arena);
        return st;
    }
    out->count = n;
    out->items = items;
    out->private_data = arena;
    return ARMI_OK;
}

enum armi_status armi_diff_rows(struct armi_repository *repo,
                                const struct armi_diff_options *options,
                                struct ArrowArrayStream *out, struct armi_error *err)
{
    struct armi_table_pair pair;
    struct armi_row_diff_counts counts;
    if (options->table == NULL)
        return armi_error_set(err, ARMI_INVALID,
                              "the rows of a diff are those of one table");
    ARMI_TRY(one_pair(repo->core, options, &pair, err));
    return pair_rows(repo, options, options->table, &pair, &counts, out, err);
}
