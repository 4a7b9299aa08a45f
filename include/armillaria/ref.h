/*
 * Branches (they move) and tags (they do not).
 *
 * Names follow git's rules for ref names, at most 255 bytes; a branch and a tag may not
 * share one, and names that are 8 or more hex digits and nothing else are refused. `main`
 * always exists.
 */
#ifndef ARMILLARIA_REF_H
#define ARMILLARIA_REF_H

#include <armillaria/repository.h>

#ifdef __cplusplus
extern "C" {
#endif

enum armi_ref_kind {
    ARMI_REF_BRANCH = 0,
    ARMI_REF_TAG = 1,
    ARMI_REF_COMMIT = 2,
};

struct armi_ref {
    const char *name;
    bool has_commit; /* false: a branch that has no commit yet */
    struct armi_hash commit;
};

struct armi_ref_list {
    size_t size;
    size_t count;
    struct armi_ref *items; /* in name order */
    void *private_data;
};

ARMI_API ARMI_MUST_USE enum armi_status armi_branch_list(struct armi_repository *repo,
                                                         struct armi_ref_list *out,
                                                         struct armi_error *err);
ARMI_API ARMI_MUST_USE enum armi_status armi_tag_list(struct armi_repository *repo,
                                                      struct armi_ref_list *out,
                                                      struct armi_error *err);
ARMI_API void armi_ref_list_release(struct armi_ref_list *list);

/*
 * Makes a branch at `at` (any ref; NULL = main). On a repository without commits the branch
 * has none either. Costs one row. Errors: ARMI_ALREADY_EXISTS ("Branch already exists: b")
 * · ARMI_INVALID
 * ("Invalid branch name: …") · ARMI_NOT_FOUND (`at`).
 */
ARMI_API ARMI_MUST_USE enum armi_status armi_branch_create(struct armi_repository *repo,
                                                           const char *name, const char *at,
                                                           struct armi_error *err);
/* `main` is refused (ARMI_INVALID). The reflog keeps the tip. */
ARMI_API ARMI_MUST_USE enum armi_status
armi_branch_delete(struct armi_repository *repo, const char *name, struct armi_error *err);
/* As for branches; a tag needs a commit to point at (ARMI_NOT_FOUND otherwise). */
ARMI_API ARMI_MUST_USE enum armi_status armi_tag_create(struct armi_repository *repo,
                                                        const char *name, const char *at,
                                                        struct armi_error *err);
ARMI_API ARMI_MUST_USE enum armi_status
armi_tag_delete(struct armi_repository *repo, const char *name, struct armi_error *err);

/*
 * What a text means: a branch, then a tag, then a commit prefix of at least 8 hex digits;
 * then ~N steps along first parents. *out_kind and *out_has_commit may be NULL. Errors:
 * ARMI_NOT_FOUND, naming kind "branch" unless the text looks like a commit · ARMI_INVALID
 * (a prefix of several commits).
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_ref_resolve(struct armi_repository *repo, const char *text, struct armi_hash *out,
                 enum armi_ref_kind *out_kind, bool *out_has_commit,
                 struct armi_error *err);

/* NULL if `name` may name a table, a branch or a tag; else a static text that says why not.
 */
ARMI_API const char *armi_table_name_problem(const char *name);
ARMI_API const char *armi_ref_name_problem(const char *name);

#ifdef __cplusplus
}
#endif

#endif
