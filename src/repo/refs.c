/*
 * Branches and tags: rows of the catalog, moved by publish.
 */
#include <armillaria/ref.h>

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "repo/repo_internal.h"

static const char *kind_word(unsigned kind)
{
    return kind == ARMI_REF_BRANCH ? "branch" : "tag";
}

static const char *kind_title(unsigned kind)
{
    return kind == ARMI_REF_BRANCH ? "Branch" : "Tag";
}

/* ---- lists ---- */

static enum armi_status refs_list(struct armi_repository *repo, unsigned kind,
                                  struct armi_ref_list *out, struct armi_error *err)
{
    struct armi_catalog_ref *refs = NULL;
    struct armi_arena *arena = NULL;
    size_t count = 0;
    ARMI_TRY(
        armi_catalog_list_refs(repo->core->catalog, (uint8_t)kind, &refs, &count, err));
    enum armi_status st = armi_arena_new(&arena, err);
    struct armi_ref *items =
        st == ARMI_OK ? armi_arena_alloc(arena, count, sizeof *items) : NULL;
    if (st == ARMI_OK && items == NULL)
        st = armi_error_no_memory(err);
    for (size_t i = 0; i < count && st == ARMI_OK; i++) {
        items[i] = (struct armi_ref){armi_arena_string(arena, refs[i].name),
                                     refs[i].has_commit, refs[i].commit};
        if (items[i].name == NULL)
            st = armi_error_no_memory(err);
    }
    armi_free(refs);
    if (st != ARMI_OK) {
        armi_arena_free(arena);
        return st;
    }
    out->count = count;
    out->items = items;
    out->private_data = arena;
    return ARMI_OK;
}

enum armi_status armi_branch_list(struct armi_repository *repo, struct armi_ref_list *out,
                                  struct armi_error *err)
{
    return refs_list(repo, ARMI_REF_BRANCH, out, err);
}

enum armi_status armi_tag_list(struct armi_repository *repo, struct armi_ref_list *out,
                               struct armi_error *err)
{
    return refs_list(repo, ARMI_REF_TAG, out, err);
}

/* ---- making and deleting ---- */

static enum armi_status ref_publish(struct armi_repository *repo,
                                    const struct armi_ref_change *change,
                                    struct armi_publish_result *result,
                                    struct armi_error *err)
{
    const struct armi_publish publish = {
        .refs = change,
        .refs_count = 1,
        .author = {(const uint8_t *)repo->author, strlen(repo->author)},
    };
    return armi_catalog_publish(repo->core->catalog, &publish, result, err);
}

static enum armi_status name_valid(unsigned kind, const char *name, struct armi_error *err)
{
    const char *problem = armi_ref_name_problem(name);
    if (problem == NULL)
        return ARMI_OK;
    return armi_error_object(err, ARMI_INVALID, kind_word(kind), name,
                             "Invalid %s name: %s: %s", kind_word(kind), name, problem);
}

/* A branch and a tag may not share a name. */
static enum armi_status name_free(struct armi_repository *repo, const char *name,
                                  struct armi_error *err)
{
    for (unsigned k = ARMI_REF_BRANCH; k <= ARMI_REF_TAG; k++) {
        struct armi_catalog_ref ref;
        struct armi_error ignored = ARMI_ERROR_INIT;
        enum armi_status st =
            armi_catalog_get_ref(repo->core->catalog, (uint8_t)k, name, &ref, &ignored);
        if (st == ARMI_OK)
            return armi_error_object(err, ARMI_ALREADY_EXISTS, kind_word(k), name,
                                     "%s already exists: %s", kind_title(k), name);
        if (st != ARMI_NOT_FOUND)
            return armi_catalog_get_ref(repo->core->catalog, (uint8_t)k, name, &ref, err);
    }
    return ARMI_OK;
}

static enum armi_status ref_create(struct armi_repository *repo, unsigned kind,
                                   const char *name, const char *at, struct armi_error *err)
{
    struct armi_publish_result result;
    struct armi_hash target = {{0}};
    bool has = false;
    ARMI_TRY(armi_core_check_writable(repo->core, err));
    ARMI_TRY(name_valid(kind, name, err));
    ARMI_TRY(name_free(repo, name, err));
    ARMI_TRY(armi_ref_resolve(repo, at, &target, NULL, &has, err));
    if (!has && kind == ARMI_REF_TAG)
        return armi_error_object(err, ARMI_NOT_FOUND, "commit", at != NULL ? at : "main",
                                 "Commit not found: %s has no commit for a tag to point at",
                                 at != NULL ? at : "main");
    const struct armi_ref_change change = {
        .action = ARMI_REF_CREATE,
        .kind = (uint8_t)kind,
        .name = name,
        .has_target = has,
        .target = target,
        .reason = kind_word(kind),
    };
    return ref_publish(repo, &change, &result, err);
}

static enum armi_status ref_delete(struct armi_repository *repo, unsigned kind,
                                   const char *name, struct armi_error *err)
{
    struct armi_publish_result result;
    struct armi_catalog_ref ref;
    ARMI_TRY(armi_core_check_writable(repo->core, err));
    if (kind == ARMI_REF_BRANCH && strcmp(name, "main") == 0)
        return armi_error_object(err, ARMI_INVALID, "branch", name,
                                 "branch main cannot be deleted");
    ARMI_TRY(armi_catalog_get_ref(repo->core->catalog, (uint8_t)kind, name, &ref, err));
    const struct armi_ref_change change = {
        .action = ARMI_REF_DELETE,
        .kind = (uint8_t)kind,
        .name = name,
        .expect = ARMI_REF_ANY,
        .reason = "delete",
    };
    return ref_publish(repo, &change, &result, err);
}

enum armi_status armi_branch_create(struct armi_repository *repo, const char *name,
                                    const char *at, struct armi_error *err)
{
    return ref_create(repo, ARMI_REF_BRANCH, name, at, err);
}

enum armi_status armi_branch_delete(struct armi_repository *repo, const char *name,
                                    struct armi_error *err)
{
    return ref_delete(repo, ARMI_REF_BRANCH, name, err);
}

enum armi_status armi_tag_create(struct armi_repository *repo, const char *name,
                                 const char *at, struct armi_error *err)
{
    return ref_create(repo, ARMI_REF_TAG, name, at, err);
}

enum armi_status armi_tag_delete(struct armi_repository *repo, const char *name,
                                 struct armi_error *err)
{
    return ref_delete(repo, ARMI_REF_TAG, name, err);
}
