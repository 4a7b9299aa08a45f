/*
 * Three-way merge.
 */
#ifndef ARMILLARIA_MERGE_H
#define ARMILLARIA_MERGE_H

#include <armillaria/table.h>

#ifdef __cplusplus
extern "C" {
#endif

enum armi_merge_kind {
    ARMI_MERGE_UP_TO_DATE = 0,
    ARMI_MERGE_FAST_FORWARD = 1,
    ARMI_MERGE_COMMIT = 2,
};

/* "up-to-date", "fast-forward", "merge"; static. */
ARMI_API const char *armi_merge_kind_name(enum armi_merge_kind kind);

enum armi_merge_prefer {
    ARMI_PREFER_NONE = 0,
    ARMI_PREFER_OURS = 1, /* a table that both sides changed stays as it is on the target */
    ARMI_PREFER_THEIRS = 2, /* … becomes what it is on the source */
};

struct armi_merge_options {
    size_t size;
    const char *from;    /* any ref */
    const char *into;    /* a branch; NULL = main */
    const char *message; /* NULL = "merge FROM into INTO" */
    const char *author;  /* NULL = the handle's */
    enum armi_merge_prefer prefer;
    bool dry_run; /* tell what would happen; move nothing, raise no conflict */
    struct armi_callbacks callbacks;
};

struct armi_merge_result {
    size_t size;
    enum armi_merge_kind kind;
    struct armi_hash
        commit; /* the target's tip afterwards; before, for a dry run of a merge */
    bool has_base;
    struct armi_hash base; /* best common ancestor */
    size_t table_count;
    const char **tables; /* changed on the target */
    size_t conflict_count;
    const char *
        *conflicts; /* tables that both sides changed (dry run, or ARMI_MERGE_CONFLICT) */
    void *private_data;
};

/*
 * Merges `from` into the branch `into`. A fast-forward is made only if the target's tip is
 * on the source's first-parent chain. On ARMI_MERGE_CONFLICT no ref moves and *out is
 * filled too: release it with armi_merge_result_release() after that status as after
 * ARMI_OK.
 *
 * Errors: ARMI_MERGE_CONFLICT (err->branch, err->name = the tables) · ARMI_NOT_FOUND ·
 * ARMI_INVALID (several best common ancestors, named) · those of armi_transaction_commit().
 */
ARMI_API ARMI_MUST_USE enum armi_status armi_merge(struct armi_repository *repo,
                                                   const struct armi_merge_options *options,
                                                   struct armi_merge_result *out,
                                                   struct armi_error *err);
ARMI_API void armi_merge_result_release(struct armi_merge_result *result);

#ifdef __cplusplus
}
#endif

#endif
