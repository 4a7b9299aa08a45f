/*
 * Finding a place in history: ref texts, version numbers, times.
 */
#include "repo/repo_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <armillaria/ref.h>

#include "base/alloc.h"

void armi_place_release(struct armi_place *place)
{
    armi_commit_release(&place->commit);
    memset(place, 0, sizeof *place);
}

enum armi_status armi_place_load(struct armi_core *core, const struct armi_hash *id,
                                 struct armi_place *out, struct armi_error *err)
{
    struct armi_place place = {.has_commit = true, .id = *id};
    ARMI_TRY(armi_catalog_get_commit(core->catalog, id, &place.commit, err));
    *out = place;
    return ARMI_OK;
}

/* ---- ref texts ---- */

static bool looks_like_commit(const char *text, size_t size)
{
    if (size < ARMI_PREFIX_HEX_MIN || size > 2 * ARMI_HASH_SIZE)
        return false;
    return strspn(text, "0123456789abcdef") >= size;
}

/* Branch, tag, then commit prefix. A branch without commits has no id. */
static enum armi_status name_resolve(struct armi_core *core, const char *name, size_t size,
                                     bool *has, struct armi_hash *id, unsigned *kind,
                                     struct armi_error *err)
{
    char text[ARMI_NAME_SIZE_MAX + 1];
    if (size > ARMI_NAME_SIZE_MAX || size == 0)
        return armi_error_object(err, ARMI_NOT_FOUND, "branch", name,
                                 "Branch not found: %s", name);
    memcpy(text, name, size);
    text[size] = '\0';
    for (unsigned k = ARMI_REF_BRANCH; k <= ARMI_REF_TAG; k++) {
        struct armi_catalog_ref ref;
        struct armi_error ignored = ARMI_ERROR_INIT;
        enum armi_status st =
            armi_catalog_get_ref(core->catalog, (uint8_t)k, text, &ref, &ignored);
        if (st == ARMI_OK) {
            *has = ref.has_commit;
            *id = ref.commit;
            *kind = k;
            return ARMI_OK;
        }
        if (st != ARMI_NOT_FOUND)
            return armi_catalog_get_ref(core->catalog, (uint8_t)k, text, &ref, err);
    }
    if (!looks_like_commit(text, size))
        return armi_error_object(err, ARMI_NOT_FOUND, "branch", text,
                                 "Branch not found: %s", text);
    *has = true;
    *kind = ARMI_REF_COMMIT;
    return armi_catalog_find_commit(core->catalog, text, size, id, err);
}

static enum armi_status ref_resolve(struct armi_core *core, const char *ref, bool *has,
                                    struct armi_hash *id, unsigned *kind,
                                    struct armi_error *err)
{
    const char *text = ref != NULL ? ref : "main";
    const char *tilde = strchr(text, '~');
    size_t size = tilde != NULL ? (size_t)(tilde - text) : strlen(text);
    ARMI_TRY(name_resolve(core, text, size, has, id, kind, err));
    while (tilde != NULL) {
        char *end;
        unsigned long long steps = 1;
        if (tilde[1] >= '0' && tilde[1] <= '9')
            steps = strtoull(tilde + 1, &end, 10);
        else
            end = (char *)(uintptr_t)(tilde + 1);
        if (*end != '\0' && *end != '~')
            return armi_error_object(err, ARMI_INVALID, "branch", text,
                                     "Invalid ref: %s (a number goes behind ~)", text);
        if (!*has)
            return armi_error_object(err, ARMI_NOT_FOUND, "commit", text,
                                     "Commit not found: %s (the branch has no commit)",
                                     text);
        *kind = ARMI_REF_COMMIT;
        struct armi_hash start = *id;
        ARMI_TRY(armi_history_nth(core->catalog, &start, steps, id, err));
        tilde = *end == '~' ? end : NULL;
    }
    return ARMI_OK;
}

enum armi_status armi_place_resolve(struct armi_core *core, const char *ref,
                                    struct armi_place *out, unsigned *kind,
                                    struct armi_error *err)
{
    struct armi_hash id;
    unsigned found_kind;
    bool has;
    ARMI_TRY(ref_resolve(core, ref, &has, &id, &found_kind, err));
    if (kind != NULL)
        *kind = found_kind;
    if (has)
        return armi_place_load(core, &id, out, err);
    *out = (struct armi_place){.has_commit = false};
    return ARMI_OK;
}

enum armi_status armi_ref_resolve(struct armi_repository *repo, const char *text,
                                  struct armi_hash *out, enum armi_ref_kind *out_kind,
                                  bool *out_has_commit, struct armi_error *err)
{
    unsigned kind;
    bool has;
    struct armi_hash id;
    ARMI_TRY(ref_resolve(repo->core, text, &has, &id, &kind, err));
    if (has)
        *out = id;
    if (out_kind != NULL)
        *out_kind = (enum armi_ref_kind)kind;
    if (out_has_commit != NULL)
        *out_has_commit = has;
    else if (!has)
        return armi_error_object(
            err, ARMI_NOT_FOUND, "commit", text != NULL ? text : "main",
            "Commit not found: branch %s has no commit yet", text != NULL ? text : "main");
    return ARMI_OK;
}

/* ---- tables at a place ---- */

enum armi_status armi_table_not_found(const char *table, uint64_t version,
                                      struct armi_error *err)
{
    if (version == 0)
        return armi_error_object(err, ARMI_NOT_FOUND, "table", table, "Table not found: %s",
                                 table);
    return armi_error_object(err, ARMI_NOT_FOUND, "version", table,
                             "Version not found: %s version %llu", table,
                             (unsigned long long)version);
}

static enum armi_status commit_table(struct armi_core *core,
                                     const struct armi_commit *commit, const char *table,
                                     bool *found, struct armi_table_entry *out,
                                     struct armi_error *err)
{
    struct armi_tree_root root;
    ARMI_TRY(armi_tables_open(&core->nodes, commit, &root, err));
    enum armi_status st = armi_tables_find(&core->nodes, &root, table, found, out, err);
    armi_tree_root_release(&root);
    return st;
}

struct version_search {
    struct armi_core *core;
    const char *table;
    uint64_t version;
};

/* Alive with that number or less. A tombstone keeps its number, and is younger than the
 * version that it buries: so the answer stays true once it is. */
static enum armi_status has_version(void *ctx, const struct armi_hash *id,
                                    const struct armi_commit *commit, bool *answer,
                                    struct armi_error *err)
{
    struct version_search *search = ctx;
    struct armi_table_entry entry;
    bool found;
    (void)id;
    ARMI_TRY(commit_table(search->core, commit, search->table, &found, &entry, err));
    *answer = !found || entry.version < search->version ||
              (entry.version == search->version && entry.is_live);
    return ARMI_OK;
}

static enum armi_status table_by_version(struct armi_core *core,
                                         const struct armi_place *place, const char *table,
                                         uint64_t version, struct armi_table_entry *out,
                                         struct armi_hash *at_commit,
                                         struct armi_error *err)
{
    struct version_search search = {core, table, version};
    struct armi_place at = {0};
    struct armi_table_entry now;
    bool found = false, known = false;
    if (place->has_commit)
        ARMI_TRY(commit_table(core, &place->commit, table, &known, &now, err));
    if (!known)
        return armi_table_not_found(table, 0, err);
    ARMI_TRY(armi_history_find(core->catalog, &place->id, has_version, &search, &found,
                               &at.id, &at.commit, err));
    if (!found)
        return armi_table_not_found(table, version, err);
    enum armi_status st = commit_table(core, &at.commit, table, &known, out, err);
    if (st == ARMI_OK && (!known || !out->is_live || out->version != version))
        st = armi_table_not_found(table, version, err);
    if (st == ARMI_OK && at_commit != NULL)
        *at_commit = at.id;
    armi_place_release(&at);
    return st;
}

enum armi_status armi_place_table(struct armi_core *core, const struct armi_place *place,
                                  const char *table, const struct armi_at *at,
                                  struct armi_table_entry *out, struct armi_hash *at_commit,
                                  struct armi_error *err)
{
    struct armi_place then = {0};
    const struct armi_commit *commit = place->has_commit ? &place->commit : NULL;
    struct armi_hash id = place->id;
    bool found = false;
    if (at != NULL && at->version != 0 && at->has_as_of)
        return armi_error_set(err, ARMI_INVALID,
                              "give a version or a time for table %s, not both", table);
    if (at != NULL && at->version != 0)
        return table_by_version(core, place, table, at->version, out, at_commit, err);
    if (at != NULL && at->has_as_of) {
        if (!place->has_commit)
            return armi_table_not_found(table, 0, err);
        ARMI_TRY(armi_history_at_time(core->catalog, &place->id, at->as_of_us, &id, err));
        ARMI_TRY(armi_place_load(core, &id, &then, err));
        commit = &then.commit;
    }
    enum armi_status st = ARMI_OK;
    if (commit != NULL)
        st = commit_table(core, commit, table, &found, out, err);
    armi_place_release(&then);
    if (st == ARMI_OK && (!found || !out->is_live))
        st = armi_table_not_found(table, 0, err);
    if (st == ARMI_OK && at_commit != NULL)
        *at_commit = id;
    return st;
}

/* The table had not reached the number yet. */
static enum armi_status is_older(void *ctx, const struct armi_hash *id,
                                 const struct armi_commit *commit, bool *answer,
                                 struct armi_error *err)
{
    struct version_search *search = ctx;
    struct armi_table_entry entry;
    bool found;
    (void)id;
    ARMI_TRY(commit_table(search->core, commit, search->table, &found, &entry, err));
    *answer = !found || entry.version < search->version;
    return ARMI_OK;
}

enum armi_status armi_place_made(struct armi_core *core, const struct armi_hash *start,
                                 const char *table, uint64_t version,
                                 struct armi_place *out, struct armi_error *err)
{
    struct version_search search = {core, table, version};
    struct armi_place first = {0};
    struct armi_hash older;
    bool found;
    ARMI_TRY(armi_place_load(core, start, &first, err));
    uint64_t depth = first.commit.depth;
    armi_place_release(&first);
    ARMI_TRY(armi_history_find(core->catalog, start, is_older, &search, &found, &older,
                               &first.commit, err));
    /* The commit behind the newest older one made it; the first commit if there is none. */
    uint64_t steps = found ? depth - first.commit.depth - 1 : depth;
    armi_place_release(&first);
    struct armi_hash id;
    ARMI_TRY(armi_history_nth(core->catalog, start, steps, &id, err));
    return armi_place_load(core, &id, out, err);
}

/* ---- what `at` shows ---- */

static enum armi_status table_in_transaction(const char *table, const struct armi_at *at,
                                             struct armi_table_version *version, bool *own,
                                             struct armi_error *err)
{
    bool dropped;
    if (at->ref != NULL || at->version != 0 || at->has_as_of)
        return armi_error_set(
            err, ARMI_INVALID,
            "a transaction reads its own snapshot: no ref, version or time");
    ARMI_TRY(armi_transaction_check(at->transaction, err));
    ARMI_TRY(armi_transaction_table(at->transaction, table, own, &dropped, version, err));
    return *own && dropped ? armi_table_not_found(table, 0, err) : ARMI_OK;
}

enum armi_status armi_table_at(struct armi_repository *repo, const char *table,
                               const struct armi_at *at, struct armi_table_version *version,
                               struct armi_table_io *io, struct armi_table_entry *entry,
                               struct armi_hash *commit, struct armi_error *err)
{
    struct armi_core *core = repo->core;
    struct armi_table_entry found = {0};
    struct armi_hash where = {{0}};
    struct armi_place place = {0};
    bool own = false;
    if (at != NULL && at->transaction != NULL) {
        ARMI_TRY(table_in_transaction(table, at, version, &own, err));
        *io = armi_transaction_io(at->transaction);
    } else {
        *io = armi_core_io(core);
    }
    if (own) {
        found.rows = version->rows;
        found.bytes = version->bytes;
    } else {
        const struct armi_place *from = &place;
        if (at != NULL && at->transaction != NULL)
            from = armi_transaction_place(at->transaction);
        else
            ARMI_TRY(
                armi_place_resolve(core, at != NULL ? at->ref : NULL, &place, NULL, err));
        enum armi_status st = armi_place_table(core, from, table, at, &found, &where, err);
        armi_place_release(&place);
        ARMI_TRY(st);
        ARMI_TRY(armi_table_version_load(&core->nodes, &found.node, version, err));
    }
    if (entry != NULL)
        *entry = found;
    if (commit != NULL)
        *commit = where;
    return ARMI_OK;
}
