/*
 * The change feed: the commit log, read as a stream. It needs no opt-in, and misses
 * nothing.
 */
#ifndef ARMILLARIA_CHANGES_H
#define ARMILLARIA_CHANGES_H

#include <armillaria/commit.h>
#include <armillaria/table.h>

#ifdef __cplusplus
extern "C" {
#endif

struct armi_changes;

struct armi_changes_options {
    size_t size;
    const char *ref; /* NULL = main */
    const char
        *since; /* a commit: what came after it, without it; NULL = from the beginning */
    bool since_now;            /* what comes after the tip of this moment */
    const char *const *tables; /* only these; NULL = all */
    size_t table_count;
};

struct armi_change {
    struct armi_hash commit;
    const char *table;
    enum armi_op op;
    uint64_t old_version; /* 0 = a new table */
    uint64_t new_version; /* 0 = a dropped one */
    int64_t time_us;
    const char *author;
    const char *message;
};

/*
 * Opens the feed at a point. *out is owned: armi_changes_close(). ARMI_INVALID if `since`
 * is not on the first-parent chain of `ref`: the message names a commit to restart from.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_changes_open(struct armi_repository *repo, const struct armi_changes_options *options,
                  struct armi_changes **out, struct armi_error *err);

/*
 * The next change, commits in order, tables of one commit by name. *out_has is false when
 * there is none (yet): calling again later goes on from there. What *out points to is
 * borrowed until the next call.
 */
ARMI_API ARMI_MUST_USE enum armi_status armi_changes_next(struct armi_changes *changes,
                                                          struct armi_change *out,
                                                          bool *out_has,
                                                          struct armi_error *err);

/* Where to go on: the last commit that was delivered whole, or `since`. false: none yet. */
ARMI_API bool armi_changes_since(const struct armi_changes *changes, struct armi_hash *out);
ARMI_API void armi_changes_close(struct armi_changes *changes);

#ifdef __cplusplus
}
#endif

#endif
