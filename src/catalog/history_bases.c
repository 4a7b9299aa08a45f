/*
 * Questions over all parents. Commits are visited newest first, by a heap on their times. A child's time
 * is later than its parents', so when a commit is visited, everything that could still say something
 * about it (its descendants in the walk) has been visited before: its marks are final.
 */
#include "catalog/history.h"

#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

enum {
    FROM_A = 1,
    FROM_B = 2,
    STALE = 4, /* an ancestor of a base that was found */
};

struct walk_item {
    int64_t time_us;
    struct armi_hash id;
};

struct walk {
    struct armi_catalog *catalog;
    struct walk_item *heap; /* the latest time on top */
    size_t count, capacity;
    size_t fresh;          /* items in the heap that are not stale */
    struct armi_map marks; /* id -> marks */
};

static void walk_init(struct walk *w, struct armi_catalog *catalog)
{
    memset(w, 0, sizeof *w);
    w->catalog = catalog;
    armi_map_init(&w->marks, 0);
}

static void walk_release(struct walk *w)
{
    armi_free(w->heap);
    armi_map_release(&w->marks);
}

/* By time, then by id, so that the order does not hang on how the walk came there. */
static bool comes_before(const struct walk_item *a, const struct walk_item *b)
{
    if (a->time_us != b->time_us)
        return a->time_us > b->time_us;
    return memcmp(&a->id, &b->id, sizeof a->id) > 0;
}

static void heap_up(struct walk *w, size_t i)
{
    while (i > 0 && comes_before(&w->heap[i], &w->heap[(i - 1) / 2])) {
        struct walk_item t = w->heap[i];
        w->heap[i] = w->heap[(i - 1) / 2];
        w->heap[(i - 1) / 2] = t;
        i = (i - 1) / 2;
    }
}

static void heap_down(struct walk *w)
{
    for (size_t i = 0;;) {
        size_t best = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < w->count; child++)
            if (comes_before(&w->heap[child], &w->heap[best]))
                best = child;
        if (best == i)
            return;
        struct walk_item t = w->heap[i];
        w->heap[i] = w->heap[best];
        w->heap[best] = t;
        i = best;
    }
}

static enum armi_status heap_push(struct walk *w, const struct walk_item *item,
                                  struct armi_error *err)
{
    if (w->count == w->capacity) {
        size_t capacity = w->capacity != 0 ? 2 * w->capacity : 32;
        struct walk_item *heap =
            armi_realloc(w->heap, w->count * sizeof *heap, capacity * sizeof *heap);
        if (heap == NULL)
            return armi_error_no_memory(err);
        w->heap = heap;
        w->capacity = capacity;
    }
    w->heap[w->count] = *item;
    heap_up(w, w->count++);
    return ARMI_OK;
}

/* Adds marks to a commit, and the commit to the heap if it is new to the walk. */
static enum armi_status walk_mark(struct walk *w, const struct armi_hash *id,
                                  uint64_t marks, int64_t before_us, struct armi_error *err)
{
    uint64_t *value;
    bool is_new;

    ARMI_TRY(armi_map_insert(&w->marks, (struct armi_slice){id->bytes, sizeof id->bytes},
                             &value, &is_new, err));
    if (!is_new) {
        if ((*value & STALE) == 0 && (marks & STALE) != 0)
            w->fresh--;
        *value |= marks;
        return ARMI_OK;
    }
    *value = marks;
    struct armi_commit commit;
    ARMI_TRY(armi_catalog_get_commit(w->catalog, id, &commit, err));
    struct walk_item item = {commit.time_us, *id};
    armi_commit_release(&commit);
    if (item.time_us >= before_us) {
        char hex[ARMI_HASH_HEX_SIZE];
        armi_hash_format(id, hex);
        return armi_error_object(err, ARMI_CORRUPTION, "commit", hex,
                                 "commit %s is not older than its child", hex);
    }
    ARMI_TRY(heap_push(w, &item, err));
    w->fresh += (marks & STALE) == 0;
    return ARMI_OK;
}

/* Takes the newest commit off the heap; its marks are final. */
static enum armi_status walk_pop(struct walk *w, struct walk_item *item, uint64_t *marks,
                                 struct armi_commit *commit, struct armi_error *err)
{
    *item = w->heap[0];
    w->heap[0] = w->heap[--w->count];
    heap_down(w);
    const uint64_t *value = armi_map_find(
        &w->marks, (struct armi_slice){item->id.bytes, sizeof item->id.bytes});
    *marks = *value;
    w->fresh -= (*marks & STALE) == 0;
    return armi_catalog_get_commit(w->catalog, &item->id, commit, err);
}

static enum armi_status mark_parents(struct walk *w, const struct armi_commit *commit,
                                     uint64_t marks, struct armi_error *err)
{
    for (size_t i = 0; i < commit->parents_count; i++)
        ARMI_TRY(walk_mark(w, &commit->parents[i], marks, commit->time_us, err));
    return ARMI_OK;
}

static enum armi_status find_bases(struct walk *w, const struct armi_hash *a,
                                   const struct armi_hash *b, struct armi_merge_bases *out,
                                   struct armi_error *err)
{
    ARMI_TRY(walk_mark(w, a, FROM_A, INT64_MAX, err));
    ARMI_TRY(walk_mark(w, b, FROM_B, INT64_MAX, err));
    while (w->fresh != 0) {
        struct walk_item item;
        struct armi_commit commit;
        uint64_t marks;
        ARMI_TRY(walk_pop(w, &item, &marks, &commit, err));
        if (marks == (FROM_A | FROM_B)) {
            if (out->count < ARMI_MERGE_BASES_MAX)
                out->ids[out->count] = item.id;
            out->count++;
            marks |= STALE;
        }
        enum armi_status status = mark_parents(w, &commit, marks, err);
        armi_commit_release(&commit);
        ARMI_TRY(status);
    }
    return ARMI_OK;
}

enum armi_status armi_history_merge_bases(struct armi_catalog *catalog,
                                          const struct armi_hash *a,
                                          const struct armi_hash *b,
                                          struct armi_merge_bases *out,
                                          struct armi_error *err)
{
    struct armi_merge_bases bases = {0};
    struct walk w;

    walk_init(&w, catalog);
    enum armi_status status = find_bases(&w, a, b, &bases, err);
    walk_release(&w);
    if (status == ARMI_OK)
        *out = bases;
    return status;
}

static enum armi_status reach(struct walk *w, const struct armi_hash *ancestor,
                              const struct armi_hash *start, bool *answer,
                              struct armi_error *err)
{
    struct armi_commit commit;

    ARMI_TRY(armi_catalog_get_commit(w->catalog, ancestor, &commit, err));
    int64_t time_us = commit.time_us;
    armi_commit_release(&commit);
    *answer = false;
    ARMI_TRY(walk_mark(w, start, FROM_A, INT64_MAX, err));
    /* Nothing older than the ancestor can lead to it. */
    while (!*answer && w->count != 0 && w->heap[0].time_us >= time_us) {
        struct walk_item item;
        uint64_t marks;
        ARMI_TRY(walk_pop(w, &item, &marks, &commit, err));
        *answer = memcmp(&item.id, ancestor, sizeof item.id) == 0;
        enum armi_status status = *answer ? ARMI_OK : mark_parents(w, &commit, marks, err);
        armi_commit_release(&commit);
        ARMI_TRY(status);
    }
    return ARMI_OK;
}

enum armi_status armi_history_is_ancestor(struct armi_catalog *catalog,
                                          const struct armi_hash *ancestor,
                                          const struct armi_hash *start, bool *answer,
                                          struct armi_error *err)
{
    struct walk w;
    bool on_chain;

    /* The usual case costs O(log n). */
    ARMI_TRY(armi_history_is_first_parent(catalog, ancestor, start, &on_chain, err));
    if (on_chain) {
        *answer = true;
        return ARMI_OK;
    }
    walk_init(&w, catalog);
    enum armi_status status = reach(&w, ancestor, start, answer, err);
    walk_release(&w);
    return status;
}
