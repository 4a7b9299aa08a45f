/*
 * Three-way merge, table by table: what one side changed is taken, what both changed alike is
 * no conflict, what both changed differently is one.
 */
#include <armillaria/merge.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <armillaria/commit.h>
#include <armillaria/ref.h>

#include "base/alloc.h"
#include "repo/repo_internal.h"
#include "table/row_diff.h"

const char *armi_merge_kind_name(enum armi_merge_kind kind)
{
    static const char *const names[] = {"up-to-date", "fast-forward", "merge"};
    return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : "unknown";
}

struct merge {
    struct armi_repository *repo;
    struct armi_core *core;
    const struct armi_merge_options *options;
    struct armi_interrupt interrupt;
    const char *into;
    struct armi_place base, ours, theirs;
    struct armi_tree_root base_tables, ours_tables;
    struct armi_table_pair *pairs; /* base against theirs */
    size_t pair_count;
    struct armi_table_entry *entries; /* to be put on ours */
    struct armi_commit_op *ops;
    size_t count;
    const char **conflicts; /* names, in pairs */
    size_t conflict_count;
    bool fast_forward;
};

static void merge_release(struct merge *m)
{
    armi_place_release(&m->base);
    armi_place_release(&m->ours);
    armi_place_release(&m->theirs);
    armi_tree_root_release(&m->base_tables);
    armi_tree_root_release(&m->ours_tables);
    armi_free(m->pairs);
    armi_free(m->entries);
    armi_free(m->ops);
    armi_free(m->conflicts);
}

/* ---- base ---- */

static enum armi_status criss_cross(const struct merge *m,
                                    const struct armi_merge_bases *bases,
                                    struct armi_error *err)
{
    char a[ARMI_HASH_HEX_SIZE], b[ARMI_HASH_HEX_SIZE];
    armi_hash_format(&bases->ids[0], a);
    armi_hash_format(&bases->ids[1], b);
    return armi_error_object(
        err, ARMI_INVALID, "branch", m->into,
        "%s and %s have %zu best common ancestors (%.12s, %.12s…): merge "
        "one of them first",
        m->options->from, m->into, bases->count, a, b);
}

static enum armi_status places_open(struct merge *m, struct armi_error *err)
{
    struct armi_merge_bases bases = {0};
    struct armi_catalog_ref target;
    ARMI_TRY(
        armi_catalog_get_ref(m->core->catalog, ARMI_REF_BRANCH, m->into, &target, err));
    ARMI_TRY(armi_place_resolve(m->core, m->options->from, &m->theirs, NULL, err));
    if (target.has_commit)
        ARMI_TRY(armi_place_load(m->core, &target.commit, &m->ours, err));
    if (m->ours.has_commit && m->theirs.has_commit) {
        ARMI_TRY(armi_history_merge_bases(m->core->catalog, &m->ours.id, &m->theirs.id,
                                          &bases, err));
        if (bases.count > 1)
            return criss_cross(m, &bases, err);
        if (bases.count == 1)
            ARMI_TRY(armi_place_load(m->core, &bases.ids[0], &m->base, err));
        ARMI_TRY(armi_history_is_first_parent(m->core->catalog, &m->ours.id, &m->theirs.id,
                                              &m->fast_forward, err));
    } else {
        m->fast_forward = m->theirs.has_commit;
    }
    ARMI_TRY(armi_tables_open(&m->core->nodes, m->base.has_commit ? &m->base.commit : NULL,
                              &m->base_tables, err));
    return armi_tables_open(&m->core->nodes, m->ours.has_commit ? &m->ours.commit : NULL,
                            &m->ours_tables, err);
}

static bool up_to_date(const struct merge *m)
{
    if (!m->theirs.has_commit)
        return true;
    return m->base.has_commit && memcmp(&m->base.id, &m->theirs.id, ARMI_HASH_SIZE) == 0;
}

/* ---- tables ---- */

static enum armi_status pairs_open(struct merge *m, struct armi_error *err)
{
    struct armi_tree_root theirs;
    ARMI_TRY(armi_tables_open(&m->core->nodes, &m->theirs.commit, &theirs, err));
    enum armi_status st = armi_tables_compare(&m->core->nodes, &m->base_tables, &theirs,
                                              &m->pairs, &m->pair_count, err);
    armi_tree_root_release(&theirs);
    ARMI_TRY(st);
    m->entries = armi_alloc_zero(m->pair_count, sizeof *m->entries);
    m->ops = armi_alloc_zero(m->pair_count, sizeof *m->ops);
    m->conflicts = armi_alloc_zero(m->pair_count, sizeof *m->conflicts);
    if (m->entries == NULL || m->ops == NULL || m->conflicts == NULL)
        return armi_error_no_memory(err);
    return ARMI_OK;
}

/* The same state of the table, whatever its number and however it is stored. */
static enum armi_status same_content(const struct merge *m, bool has_a,
                                     const struct armi_table_entry *a, bool has_b,
                                     const struct armi_table_entry *b, bool *same,
                                     struct armi_error *err)
{
    bool live_a = has_a && a->is_live, live_b = has_b && b->is_live;
    *same = live_a == live_b;
    if (!live_a || !live_b || memcmp(&a->node, &b->node, sizeof a->node) == 0)
        return ARMI_OK;
    struct armi_table_version x, y;
    ARMI_TRY(armi_table_version_load(&m->core->nodes, &a->node, &x, err));
    enum armi_status st = armi_table_version_load(&m->core->nodes, &b->node, &y, err);
    if (st == ARMI_OK) {
        const struct armi_table_io io = armi_core_io(m->core);
        st = armi_table_same(&io, &x, &y, m->core->cache, same, err);
        armi_table_version_release(&y);
    }
    armi_table_version_release(&x);
    return st;
}

/* Theirs, under the next number of ours. */
static void table_take(struct merge *m, const struct armi_table_pair *pair, bool has_ours,
                       const struct armi_table_entry *ours)
{
    struct armi_table_entry *entry = &m->entries[m->count];
    struct armi_commit_op *op = &m->ops[m->count++];
    bool live = has_ours && ours->is_live;
    *entry = pair->new_entry;
    if (!pair->has_new || !pair->new_entry.is_live) {
        *entry = *ours;
        entry->is_live = false;
    } else {
        entry->version = (has_ours ? ours->version : 0) + 1;
    }
    *op = (struct armi_commit_op){
        .kind = ARMI_OP_MERGE,
        .table = {(const uint8_t *)entry->name, strlen(entry->name)},
        .old_version = live ? ours->version : 0,
        .new_version = entry->is_live ? entry->version : 0,
        .old_rows = live ? ours->rows : 0,
        .new_rows = entry->is_live ? entry->rows : 0,
    };
    if (live)
        op->old_node = ours->node;
    if (entry->is_live)
        op->new_node = entry->node;
}

static enum armi_status table_merge(struct merge *m, const struct armi_table_pair *pair,
                                    struct armi_error *err)
{
    struct armi_table_entry ours;
    bool has_ours;
    const char *name = pair->has_new ? pair->new_entry.name : pair->old_entry.name;
    ARMI_TRY(
        armi_tables_find(&m->core->nodes, &m->ours_tables, name, &has_ours, &ours, err));
    bool theirs_same, alike, ours_same;
    ARMI_TRY(same_content(m, pair->has_old, &pair->old_entry, pair->has_new,
                          &pair->new_entry, &theirs_same, err));
    ARMI_TRY(
        same_content(m, has_ours, &ours, pair->has_new, &pair->new_entry, &alike, err));
    ARMI_TRY(
        same_content(m, has_ours, &ours, pair->has_old, &pair->old_entry, &ours_same, err));
    if (theirs_same || alike)
        return ARMI_OK; /* theirs did not change it, or both changed it alike */
    if (!ours_same && m->options->prefer == ARMI_PREFER_NONE)
        m->conflicts[m->conflict_count++] = name;
    else if (ours_same || m->options->prefer == ARMI_PREFER_THEIRS)
        table_take(m, pair, has_ours, &ours);
    return ARMI_OK;
}

/* ---- publishing ---- */

static enum armi_status publish_commit(struct merge *m, const char *author,
                                       const char *message,
                                       struct armi_publish_result *result,
                                       struct armi_error *err)
{
    struct armi_node_set nodes;
    struct armi_tree_root root;
    struct armi_buf inline_tables = {0};
    const struct armi_hash parents[2] = {m->ours.id, m->theirs.id};
    struct armi_commit commit = {
        .parents_count = 2,
        .parents = parents,
        .author = {(const uint8_t *)author, strlen(author)},
        .message = {(const uint8_t *)message, strlen(message)},
        .ops_count = m->count,
        .ops = m->ops,
    };
    const struct armi_ref_change move = {
        .action = ARMI_REF_MOVE,
        .kind = ARMI_REF_BRANCH,
        .name = m->into,
        .expect = ARMI_REF_AT,
        .expected = m->ours.id,
        .to_published = true,
        .reason = "merge",
    };
    armi_tree_root_init(&root, true);
    armi_node_set_init(&nodes, &m->core->nodes);
    enum armi_status st = ARMI_OK;
    if (m->core->os->random(m->core->os, commit.txid, sizeof commit.txid) < 0)
        st = armi_error_set(err, ARMI_STORAGE, "the system gives no random numbers");
    if (st == ARMI_OK)
        st = armi_tables_edit(&nodes, &m->ours_tables, m->entries, m->count, &root, err);
    if (st == ARMI_OK)
        st = armi_tables_save(&root, &inline_tables, &commit.tables, err);
    const struct armi_publish publish = {
        .commit = &commit,
        .nodes = &nodes,
        .refs = &move,
        .refs_count = 1,
        .author = commit.author,
        .interrupt = m->interrupt,
    };
    if (st == ARMI_OK)
        st = armi_catalog_publish(m->core->catalog, &publish, result, err);
    armi_tree_root_release(&root);
    armi_buf_release(&inline_tables);
    armi_node_set_release(&nodes);
    return st;
}

static enum armi_status publish_forward(struct merge *m, const char *author,
                                        struct armi_publish_result *result,
                                        struct armi_error *err)
{
    const struct armi_ref_change move = {
        .action = ARMI_REF_MOVE,
        .kind = ARMI_REF_BRANCH,
        .name = m->into,
        .expect = m->ours.has_commit ? ARMI_REF_AT : ARMI_REF_UNBORN,
        .expected = m->ours.id,
        .has_target = true,
        .target = m->theirs.id,
        .reason = "fast-forward",
    };
    const struct armi_publish publish = {
        .refs = &move,
        .refs_count = 1,
        .author = {(const uint8_t *)author, strlen(author)},
        .interrupt = m->interrupt,
    };
    enum armi_status st = armi_catalog_publish(m->core->catalog, &publish, result, err);
    result->commit = m->theirs.id;
    return st;
}

/* ---- the answer ---- */

static enum armi_status result_names(struct armi_arena *arena, const char *const *names,
                                     size_t count, const char ***out,
                                     struct armi_error *err)
{
    const char **copy = armi_arena_alloc(arena, count, sizeof *copy);
    if (copy == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        copy[i] = armi_arena_string(arena, names[i]);
        if (copy[i] == NULL)
            return armi_error_no_memory(err);
    }
    *out = copy;
    return ARMI_OK;
}

static enum armi_status result_fill(const struct merge *m, enum armi_merge_kind kind,
                                    const struct armi_hash *tip,
                                    struct armi_merge_result *out, struct armi_error *err)
{
    struct armi_arena *arena;
    struct armi_merge_result result = {
        .size = out->size,
        .kind = kind,
        .commit = *tip,
        .has_base = m->base.has_commit,
        .base = m->base.id,
        .table_count = m->count,
        .conflict_count = m->conflict_count,
    };
    ARMI_TRY(armi_arena_new(&arena, err));
    result.private_data = arena;
    const char **changed = armi_arena_alloc(arena, m->count, sizeof *changed);
    enum armi_status st = changed != NULL ? ARMI_OK : armi_error_no_memory(err);
    for (size_t i = 0; i < m->count && st == ARMI_OK; i++)
        changed[i] = m->entries[i].name;
    if (st == ARMI_OK)
        st = result_names(arena, changed, m->count, &result.tables, err);
    if (st == ARMI_OK)
        st = result_names(arena, m->conflicts, m->conflict_count, &result.conflicts, err);
    if (st != ARMI_OK) {
        armi_arena_free(arena);
        return st;
    }
    *out = result;
    return ARMI_OK;
}

static enum armi_status conflict_tell(const struct merge *m, struct armi_error *err)
{
    char names[256] = "";
    size_t at = 0;
    for (size_t i = 0; i < m->conflict_count && at < sizeof names; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i != 0 ? ", " : "",
                               m->conflicts[i]);
    enum armi_status st = armi_error_object(
        err, ARMI_MERGE_CONFLICT, "table", names,
        "cannot merge %s into %s: both sides changed %s; nothing was moved",
        m->options->from, m->into, names);
    if (err != NULL) {
        snprintf(err->branch, sizeof err->branch, "%s", m->into);
        err->commit = m->theirs.id;
    }
    return st;
}

/* One try on the target's tip; *moved: it was not the tip any more. */
static enum armi_status merge_try(struct merge *m, struct armi_merge_result *out,
                                  bool *moved, struct armi_error *err)
{
    const struct armi_merge_options *o = m->options;
    const char *author = o->author != NULL ? o->author : m->repo->author;
    struct armi_publish_result result = {0};
    char message[600];
    *moved = false;
    ARMI_TRY(places_open(m, err));
    if (up_to_date(m))
        return result_fill(m, ARMI_MERGE_UP_TO_DATE, &m->ours.id, out, err);
    ARMI_TRY(pairs_open(m, err));
    for (size_t i = 0; i < m->pair_count; i++)
        ARMI_TRY(table_merge(m, &m->pairs[i], err));
    enum armi_merge_kind kind =
        m->fast_forward ? ARMI_MERGE_FAST_FORWARD : ARMI_MERGE_COMMIT;
    if (o->dry_run)
        return result_fill(m, kind, m->fast_forward ? &m->theirs.id : &m->ours.id, out,
                           err);
    if (m->conflict_count != 0) {
        ARMI_TRY(result_fill(m, kind, &m->ours.id, out, err));
        return conflict_tell(m, err);
    }
    snprintf(message, sizeof message, "merge %s into %s", o->from, m->into);
    /* The answer is made first: nothing may fail once the branch has moved. */
    struct armi_merge_result done = {.size = out->size};
    ARMI_TRY(result_fill(m, kind, &m->theirs.id, &done, err));
    enum armi_status st =
        m->fast_forward
            ? publish_forward(m, author, &result, err)
            : publish_commit(m, author, o->message != NULL ? o->message : message, &result,
                             err);
    *moved = st == ARMI_OK && result.outcome == ARMI_PUBLISH_MOVED;
    if (st != ARMI_OK || *moved) {
        armi_merge_result_release(&done);
        return st;
    }
    done.commit = result.commit;
    *out = done;
    return ARMI_OK;
}

static enum armi_status text_check(const char *text, size_t size_max, const char *what,
                                   struct armi_error *err)
{
    if (text == NULL || strlen(text) <= size_max)
        return ARMI_OK;
    return armi_error_set(err, ARMI_LIMIT, "the %s is longer than %zu bytes", what,
                          size_max);
}

enum armi_status armi_merge(struct armi_repository *repo,
                            const struct armi_merge_options *options,
                            struct armi_merge_result *out, struct armi_error *err)
{
    bool moved = true;
    enum armi_status st = ARMI_OK;
    const struct armi_callbacks callbacks = armi_repo_callbacks(repo, &options->callbacks);
    const struct armi_interrupt interrupt = {callbacks.interrupted, callbacks.ctx};
    if (!options->dry_run)
        ARMI_TRY(armi_core_check_writable(repo->core, err));
    ARMI_TRY(text_check(options->message, ARMI_MESSAGE_SIZE_MAX, "message", err));
    ARMI_TRY(text_check(options->author, ARMI_NAME_SIZE_MAX, "author", err));
    while (st == ARMI_OK && moved) {
        ARMI_TRY(armi_interrupt_check(&interrupt, err));
        struct merge m = {
            .repo = repo,
            .core = repo->core,
            .options = options,
            .interrupt = interrupt,
            .into = options->into != NULL ? options->into : "main",
        };
        armi_tree_root_init(&m.base_tables, true);
        armi_tree_root_init(&m.ours_tables, true);
        st = merge_try(&m, out, &moved, err);
        merge_release(&m);
    }
    return st;
}
