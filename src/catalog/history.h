/*
 * Walks over commits. All of it reads one commit at a time; nothing here takes a lock.
 * Commit times rise strictly from parent to child (publish sees to it), which is what
 * orders the walks over more than one parent.
 */
#ifndef ARMI_CATALOG_HISTORY_H
#define ARMI_CATALOG_HISTORY_H

#include "catalog/catalog.h"
#include "catalog/commit.h"

/*
 * Answers for one commit, and must be monotone along first parents: once true, true for all
 * older ones. A failure ends the search.
 */
typedef enum armi_status (*armi_history_fn)(void *ctx, const struct armi_hash *id,
                                            const struct armi_commit *commit, bool *answer,
                                            struct armi_error *err);

/*
 * The newest commit on the first-parent chain of `start` (itself included) for which `fn`
 * is true, in O(log n) reads. *found is false where there is none. *commit (nullable) is
 * owned by the caller then.
 */
enum armi_status armi_history_find(struct armi_catalog *catalog,
                                   const struct armi_hash *start, armi_history_fn fn,
                                   void *ctx, bool *found, struct armi_hash *id,
                                   struct armi_commit *commit, struct armi_error *err);
/* The `n`-th first parent, 0 = `start` itself. ARMI_NOT_FOUND: the history is shorter. */
enum armi_status armi_history_nth(struct armi_catalog *catalog,
                                  const struct armi_hash *start, uint64_t n,
                                  struct armi_hash *id, struct armi_error *err);
/* The newest commit with time <= time_us. ARMI_NOT_FOUND names the first commit's time. */
enum armi_status armi_history_at_time(struct armi_catalog *catalog,
                                      const struct armi_hash *start, int64_t time_us,
                                      struct armi_hash *id, struct armi_error *err);
/* Whether `ancestor` is on the first-parent chain of `start`; O(log n). */
enum armi_status armi_history_is_first_parent(struct armi_catalog *catalog,
                                              const struct armi_hash *ancestor,
                                              const struct armi_hash *start, bool *answer,
                                              struct armi_error *err);
/* Whether `ancestor` is reachable from `start` over any parents (a commit is its own
 * ancestor). */
enum armi_status armi_history_is_ancestor(struct armi_catalog *catalog,
                                          const struct armi_hash *ancestor,
                                          const struct armi_hash *start, bool *answer,
                                          struct armi_error *err);

#define ARMI_MERGE_BASES_MAX 8
/*
 * The best common ancestors of two commits: those that are no ancestor of another common
 * one, newest first. None: unrelated. Several: a criss-cross; beyond ARMI_MERGE_BASES_MAX
 * only the count goes on.
 */
struct armi_merge_bases {
    size_t count;
    struct armi_hash ids[ARMI_MERGE_BASES_MAX];
};
enum armi_status armi_history_merge_bases(struct armi_catalog *catalog,
                                          const struct armi_hash *a,
                                          const struct armi_hash *b,
                                          struct armi_merge_bases *out,
                                          struct armi_error *err);

/*
 * Commits along first parents, newest first:
 *
 *     struct armi_history_iter it;
 *     armi_history_begin(&it, catalog, &tip);
 *     while ((st = armi_history_next(&it, &has, err)) == ARMI_OK && has)
 *         … it.id, it.commit, borrowed until the next call …
 *     armi_history_end(&it);
 */
struct armi_history_iter {
    struct armi_catalog *catalog;
    struct armi_hash next;
    bool has_next;
    struct armi_hash id;
    struct armi_commit commit;
};
/* `start` NULL: a branch without commits. */
void armi_history_begin(struct armi_history_iter *it, struct armi_catalog *catalog,
                        const struct armi_hash *start);
enum armi_status armi_history_next(struct armi_history_iter *it, bool *has,
                                   struct armi_error *err);
void armi_history_end(struct armi_history_iter *it);

#endif
