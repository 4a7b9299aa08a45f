/*
 * Walks over commits: along first parents by skip pointers, over all parents by time.
 */
#include "catalog/history.h"

#include <stdio.h>
#include <string.h>

static enum armi_status history_damaged(const struct armi_hash *id, const char *what,
                                        struct armi_error *err)
{
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(id, hex);
    return armi_error_object(err, ARMI_CORRUPTION, "commit", hex, "commit %s: %s", hex,
                             what);
}

/* A commit on the way back: `depth` is what the pointer promised. */
static enum armi_status load_at(struct armi_catalog *catalog, const struct armi_hash *id,
                                uint64_t depth, struct armi_commit *out,
                                struct armi_error *err)
{
    struct armi_commit commit;
    ARMI_TRY(armi_catalog_get_commit(catalog, id, &commit, err));
    if (commit.depth != depth) {
        armi_commit_release(&commit);
        return history_damaged(id, "its depth does not fit its descendant's", err);
    }
    *out = commit;
    return ARMI_OK;
}

/* The cursor of a search: a commit for which the answer is still no. */
struct cursor {
    struct armi_hash id;
    struct armi_commit commit;
};

/* Moves to the skip pointer's commit if the answer there is still no, else to the first parent. */
static enum armi_status step_back(struct armi_catalog *catalog, struct cursor *at,
                                  armi_history_fn fn, void *ctx, bool *answer,
                                  struct armi_error *err)
{
    uint64_t skip_depth = armi_commit_skip_depth(at->commit.depth);
    struct cursor next;

    for (int turn = skip_depth != at->commit.depth - 1 ? 0 : 1; turn < 2; turn++) {
        next.id = turn == 0 ? at->commit.skip : at->commit.parents[0];
        ARMI_TRY(load_at(catalog, &next.id, turn == 0 ? skip_depth : at->commit.depth - 1,
                         &next.commit, err));
        enum armi_status status = fn(ctx, &next.id, &next.commit, answer, err);
        if (status != ARMI_OK || (turn == 0 && *answer)) {
            armi_commit_release(&next.commit);
            ARMI_TRY(status);
            continue;
        }
        armi_commit_release(&at->commit);
        *at = next;
        return ARMI_OK;
    }
    return ARMI_OK;
}

enum armi_status armi_history_find(struct armi_catalog *catalog,
                                   const struct armi_hash *start, armi_history_fn fn,
                                   void *ctx, bool *found, struct armi_hash *id,
                                   struct armi_commit *commit, struct armi_error *err)
{
    struct cursor at = {.id = *start};
    bool answer = false;

    ARMI_TRY(armi_catalog_get_commit(catalog, start, &at.commit, err));
    enum armi_status status = fn(ctx, &at.id, &at.commit, &answer, err);
    while (status == ARMI_OK && !answer && at.commit.depth != 0)
        status = step_back(catalog, &at, fn, ctx, &answer, err);
    if (status == ARMI_OK) {
        *found = answer;
        if (answer)
            *id = at.id;
    }
    if (status == ARMI_OK && answer && commit != NULL)
        *commit = at.commit;
    else
        armi_commit_release(&at.commit);
    return status;
}

static enum armi_status is_at_depth(void *ctx, const struct armi_hash *id,
                                    const struct armi_commit *commit, bool *answer,
                                    struct armi_error *err)
{
    (void)id;
    (void)err;
    *answer = commit->depth <= *(const uint64_t *)ctx;
    return ARMI_OK;
}

enum armi_status armi_history_nth(struct armi_catalog *catalog,
                                  const struct armi_hash *start, uint64_t n,
                                  struct armi_hash *id, struct armi_error *err)
{
    struct armi_commit commit;
    bool found;

    ARMI_TRY(armi_catalog_get_commit(catalog, start, &commit, err));
    uint64_t depth = commit.depth;
    armi_commit_release(&commit);
    if (n > depth) {
        char hex[ARMI_HASH_HEX_SIZE];
        armi_hash_format(start, hex);
        return armi_error_object(
            err, ARMI_NOT_FOUND, "commit", hex,
            "Commit not found: %s~%llu (its history has %llu commits before it)", hex,
            (unsigned long long)n, (unsigned long long)depth);
    }
    depth -= n;
    return armi_history_find(catalog, start, is_at_depth, &depth, &found, id, NULL, err);
}

struct time_search {
    int64_t time_us;
    int64_t first_us; /* of the oldest commit that was looked at */
};

static enum armi_status is_at_time(void *ctx, const struct armi_hash *id,
                                   const struct armi_commit *commit, bool *answer,
                                   struct armi_error *err)
{
    struct time_search *search = ctx;
    (void)id;
    (void)err;
    search->first_us = commit->time_us;
    *answer = commit->time_us <= search->time_us;
    return ARMI_OK;
}

/* "2026-11-24 05:48:00.000001 UTC"; days to date by the rule of 400-year eras that begin in March. */
static void format_time(int64_t time_us, char *out, size_t size)
{
    int64_t day_us = INT64_C(86400000000);
    int64_t days = time_us / day_us - (time_us % day_us < 0);
    int64_t us = time_us - days * day_us;
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;
    snprintf(out, size, "%04lld-%02d-%02d %02d:%02d:%02d.%06d UTC",
             (long long)(yoe + era * 400 + (month <= 2)), (int)month,
             (int)(doy - (153 * mp + 2) / 5 + 1), (int)(us / 3600000000),
             (int)(us / 60000000 % 60), (int)(us / 1000000 % 60), (int)(us % 1000000));
}

enum armi_status armi_history_at_time(struct armi_catalog *catalog,
                                      const struct armi_hash *start, int64_t time_us,
                                      struct armi_hash *id, struct armi_error *err)
{
    struct time_search search = {.time_us = time_us};
    bool found;

    ARMI_TRY(armi_history_find(catalog, start, is_at_time, &search, &found, id, NULL, err));
    if (found)
        return ARMI_OK;
    char text[64];
    format_time(search.first_us, text, sizeof text);
    return armi_error_object(err, ARMI_NOT_FOUND, "commit", text,
                             "No commit that early: the first one is of %s", text);
}

enum armi_status armi_history_is_first_parent(struct armi_catalog *catalog,
                                              const struct armi_hash *ancestor,
                                              const struct armi_hash *start, bool *answer,
                                              struct armi_error *err)
{
    struct armi_commit commit;
    struct armi_hash id;
    bool found;

    ARMI_TRY(armi_catalog_get_commit(catalog, ancestor, &commit, err));
    uint64_t depth = commit.depth;
    armi_commit_release(&commit);
    ARMI_TRY(
        armi_history_find(catalog, start, is_at_depth, &depth, &found, &id, NULL, err));
    *answer = found && memcmp(&id, ancestor, sizeof id) == 0;
    return ARMI_OK;
}

void armi_history_begin(struct armi_history_iter *it, struct armi_catalog *catalog,
                        const struct armi_hash *start)
{
    memset(it, 0, sizeof *it);
    it->catalog = catalog;
    it->has_next = start != NULL;
    if (start != NULL)
        it->next = *start;
}

enum armi_status armi_history_next(struct armi_history_iter *it, bool *has,
                                   struct armi_error *err)
{
    struct armi_commit commit;

    if (!it->has_next) {
        *has = false;
        return ARMI_OK;
    }
    ARMI_TRY(armi_catalog_get_commit(it->catalog, &it->next, &commit, err));
    if (it->commit.parents_count != 0 && commit.depth != it->commit.depth - 1) {
        armi_commit_release(&commit);
        return history_damaged(&it->next, "its depth does not fit its child's", err);
    }
    armi_commit_release(&it->commit);
    it->commit = commit;
    it->id = it->next;
    it->has_next = commit.parents_count != 0;
    if (it->has_next)
        it->next = commit.parents[0];
    *has = true;
    return ARMI_OK;
}

void armi_history_end(struct armi_history_iter *it)
{
    armi_commit_release(&it->commit);
}
