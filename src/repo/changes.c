/*
 * The change feed. The commits after `since` are collected along first parents when they are
 * asked for, then handed out oldest first, table by table.
 */
#include <armillaria/changes.h>

#include <string.h>

#include <armillaria/ref.h>

#include "base/alloc.h"
#include "repo/repo_internal.h"

struct armi_changes {
    struct armi_core *core;
    char *ref;
    char **tables;
    size_t table_count;
    bool has_since;
    struct armi_hash since;  /* the last commit delivered whole, or where to begin */
    struct armi_hash *queue; /* commits to come, newest first */
    size_t queued;
    struct armi_place current; /* the commit that is being delivered */
    struct armi_arena *texts;  /* of the change that was delivered last */
    size_t next_op;
};

void armi_changes_close(struct armi_changes *changes)
{
    if (changes == NULL)
        return;
    for (size_t i = 0; i < changes->table_count; i++)
        armi_free(changes->tables[i]);
    armi_free(changes->tables);
    armi_free(changes->ref);
    armi_free(changes->queue);
    armi_place_release(&changes->current);
    armi_arena_free(changes->texts);
    armi_core_unref(changes->core);
    armi_free(changes);
}

static enum armi_status copy_options(struct armi_changes *changes,
                                     const struct armi_changes_options *options,
                                     struct armi_error *err)
{
    changes->ref = armi_strdup(options->ref != NULL ? options->ref : "main");
    changes->tables = armi_alloc_zero(options->table_count, sizeof *changes->tables);
    if (changes->ref == NULL || changes->tables == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < options->table_count; i++) {
        changes->tables[i] = armi_strdup(options->tables[i]);
        if (changes->tables[i] == NULL)
            return armi_error_no_memory(err);
        changes->table_count = i + 1;
    }
    return ARMI_OK;
}

/* `since` must be on the chain; if not, the message names the newest common commit. */
static enum armi_status since_check(struct armi_changes *changes,
                                    const struct armi_place *tip, const char *text,
                                    struct armi_error *err)
{
    struct armi_merge_bases bases = {0};
    char hex[ARMI_HASH_HEX_SIZE] = "";
    bool on_chain = false;
    if (tip->has_commit)
        ARMI_TRY(armi_history_is_first_parent(changes->core->catalog, &changes->since,
                                              &tip->id, &on_chain, err));
    if (on_chain)
        return ARMI_OK;
    if (tip->has_commit)
        ARMI_TRY(armi_history_merge_bases(changes->core->catalog, &changes->since, &tip->id,
                                          &bases, err));
    if (bases.count != 0)
        armi_hash_format(&bases.ids[0], hex);
    return armi_error_object(err, ARMI_INVALID, "commit", text,
                             "commit %s is not in the history of %s; restart from %s", text,
                             changes->ref, bases.count != 0 ? hex : "the beginning");
}

enum armi_status armi_changes_open(struct armi_repository *repo,
                                   const struct armi_changes_options *options,
                                   struct armi_changes **out, struct armi_error *err)
{
    static const struct armi_changes_options defaults = {.size = sizeof defaults};
    struct armi_place tip = {0};
    if (options == NULL)
        options = &defaults;
    struct armi_changes *changes = armi_alloc_zero(1, sizeof *changes);
    if (changes == NULL)
        return armi_error_no_memory(err);
    changes->core = armi_core_ref(repo->core);
    enum armi_status st = copy_options(changes, options, err);
    if (st == ARMI_OK)
        st = armi_place_resolve(changes->core, changes->ref, &tip, NULL, err);
    if (st == ARMI_OK && options->since != NULL) {
        st = armi_ref_resolve(repo, options->since, &changes->since, NULL, NULL, err);
        changes->has_since = true;
        if (st == ARMI_OK)
            st = since_check(changes, &tip, options->since, err);
    } else if (st == ARMI_OK && options->since_now) {
        changes->has_since = tip.has_commit;
        changes->since = tip.id;
    }
    armi_place_release(&tip);
    if (st != ARMI_OK) {
        armi_changes_close(changes);
        return st;
    }
    *out = changes;
    return ARMI_OK;
}

/* ---- delivering ---- */

static enum armi_status queue_add(struct armi_changes *changes, const struct armi_hash *id,
                                  size_t *capacity, struct armi_error *err)
{
    if (changes->queued == *capacity) {
        size_t grown = *capacity != 0 ? *capacity * 2 : 16;
        void *queue = armi_realloc(changes->queue, changes->queued * sizeof *changes->queue,
                                   grown * sizeof *changes->queue);
        if (queue == NULL)
            return armi_error_no_memory(err);
        changes->queue = queue;
        *capacity = grown;
    }
    changes->queue[changes->queued++] = *id;
    return ARMI_OK;
}

/* What came after `since`, newest first. */
static enum armi_status queue_fill(struct armi_changes *changes, struct armi_error *err)
{
    struct armi_place tip = {0};
    struct armi_history_iter it;
    bool has = true, reached = false;
    size_t capacity = 0;
    armi_free(changes->queue);
    changes->queue = NULL;
    ARMI_TRY(armi_place_resolve(changes->core, changes->ref, &tip, NULL, err));
    enum armi_status st = ARMI_OK;
    armi_history_begin(&it, changes->core->catalog, tip.has_commit ? &tip.id : NULL);
    while (st == ARMI_OK && !reached) {
        st = armi_history_next(&it, &has, err);
        if (st != ARMI_OK || !has)
            break;
        reached = changes->has_since && memcmp(&it.id, &changes->since, sizeof it.id) == 0;
        if (!reached)
            st = queue_add(changes, &it.id, &capacity, err);
    }
    armi_history_end(&it);
    armi_place_release(&tip);
    if (st == ARMI_OK && changes->has_since && !reached)
        st = armi_error_object(
            err, ARMI_INVALID, "branch", changes->ref,
            "branch %s was moved off the commit that this feed had reached; "
            "restart it",
            changes->ref);
    if (st != ARMI_OK)
        changes->queued = 0;
    return st;
}

static bool is_wanted(const struct armi_changes *changes, const struct armi_commit_op *op)
{
    if (changes->table_count == 0)
        return true;
    for (size_t i = 0; i < changes->table_count; i++)
        if (strlen(changes->tables[i]) == op->table.size &&
            memcmp(changes->tables[i], op->table.data, op->table.size) == 0)
            return true;
    return false;
}

/* The next op of the current commit that is wanted, or NULL when the commit is done. */
static const struct armi_commit_op *next_op(struct armi_changes *changes)
{
    if (!changes->current.has_commit)
        return NULL;
    const struct armi_commit *commit = &changes->current.commit;
    bool content = (commit->flags & ARMI_COMMIT_LAYOUT_ONLY) == 0;
    while (content && changes->next_op < commit->ops_count) {
        const struct armi_commit_op *op = &commit->ops[changes->next_op++];
        if (is_wanted(changes, op))
            return op;
    }
    return NULL;
}

static void commit_done(struct armi_changes *changes)
{
    if (!changes->current.has_commit)
        return;
    changes->since = changes->current.id;
    changes->has_since = true;
    armi_place_release(&changes->current);
}

enum armi_status armi_changes_next(struct armi_changes *changes, struct armi_change *out,
                                   bool *out_has, struct armi_error *err)
{
    const struct armi_commit_op *op;
    while ((op = next_op(changes)) == NULL) {
        commit_done(changes);
        if (changes->queued == 0)
            ARMI_TRY(queue_fill(changes, err));
        if (changes->queued == 0) {
            *out_has = false;
            return ARMI_OK;
        }
        ARMI_TRY(armi_place_load(changes->core, &changes->queue[changes->queued - 1],
                                 &changes->current, err));
        changes->queued--;
        changes->next_op = 0;
    }
    const struct armi_commit *commit = &changes->current.commit;
    armi_arena_free(changes->texts);
    changes->texts = NULL;
    ARMI_TRY(armi_arena_new(&changes->texts, err));
    struct armi_change change = {
        .commit = changes->current.id,
        .table = armi_arena_text(changes->texts, op->table.data, op->table.size),
        .op = (enum armi_op)op->kind,
        .old_version = op->old_version,
        .new_version = op->new_version,
        .time_us = commit->time_us,
        .author = armi_arena_text(changes->texts, commit->author.data, commit->author.size),
        .message =
            armi_arena_text(changes->texts, commit->message.data, commit->message.size),
    };
    if (change.table == NULL || change.author == NULL || change.message == NULL)
        return armi_error_no_memory(err);
    size_t next = changes->next_op;
    if (next_op(changes) == NULL)
        commit_done(changes); /* that was its last change: `since` is this commit now */
    else
        changes->next_op = next;
    *out = change;
    *out_has = true;
    return ARMI_OK;
}

bool armi_changes_since(const struct armi_changes *changes, struct armi_hash *out)
{
    if (!changes->has_since)
        return false;
    *out = changes->since;
    return true;
}
