/*
 * verify: everything that a ref reaches is there, and is what its name says.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "repo/walk.h"
#include "table/table_verify.h"
#include "tree/tree_store.h"

struct verifier {
    struct armi_core *core;
    const struct armi_verify_options *options;
    struct armi_arena *arena;
    struct armi_verify_result *result;
    size_t capacity;
    struct armi_walk walk;
    struct armi_map damaged; /* chunk -> index into its wounds */
    struct wound *wounds;
    size_t wound_capacity;
};

/* A damaged chunk, and whom it hurts. */
struct wound {
    struct armi_buf message;
    size_t versions; /* that need it */
};

/* Versions that a message names; the others are counted. */
#define WOUND_VERSIONS_NAMED 8

/* ---- problems ---- */

static enum armi_status problem_add(struct verifier *v, const char *kind, const char *name,
                                    const char *message, struct armi_error *err)
{
    struct armi_verify_result *r = v->result;
    if (r->problem_count == v->capacity) {
        size_t capacity = v->capacity != 0 ? v->capacity * 2 : 16;
        struct armi_problem *problems =
            armi_arena_alloc(v->arena, capacity, sizeof *problems);
        if (problems == NULL)
            return armi_error_no_memory(err);
        if (r->problem_count != 0)
            memcpy(problems, r->problems, r->problem_count * sizeof *problems);
        r->problems = problems;
        v->capacity = capacity;
    }
    struct armi_problem *problem = &r->problems[r->problem_count];
    problem->kind = armi_arena_string(v->arena, kind);
    problem->name = armi_arena_string(v->arena, name);
    problem->message = armi_arena_string(v->arena, message);
    if (problem->kind == NULL || problem->name == NULL || problem->message == NULL)
        return armi_error_no_memory(err);
    r->problem_count++;
    r->ok = false;
    return ARMI_OK;
}

static enum armi_status walk_problem(void *ctx, const char *kind, const char *name,
                                     const struct armi_error *what, struct armi_error *err)
{
    return problem_add(ctx, kind, name, what->message, err);
}

static enum armi_status catalog_problem(void *ctx, const char *kind, const char *name,
                                        const char *message, struct armi_error *err)
{
    return problem_add(ctx, kind, name, message, err);
}

/* ---- versions ---- */

static enum armi_status version_check(void *ctx, const struct armi_table_entry *entry,
                                      const struct armi_table_version *version,
                                      struct armi_error *err)
{
    struct verifier *v = ctx;
    struct armi_error what = ARMI_ERROR_INIT;
    struct armi_tree_store store;
    armi_tree_store_init(&store, &v->core->nodes);
    struct armi_tree tree = armi_tree_store_ranges(&store);
    enum armi_status st = armi_tree_verify(&tree, &version->root, NULL, &what);
    if (st == ARMI_OK)
        st = armi_table_verify_totals(version, &what);
    if (st == ARMI_OK && v->options->deep) {
        const struct armi_table_io io = armi_core_io(v->core);
        st = armi_table_verify_deep(&io, version, &what);
    }
    if (st == ARMI_OK)
        return ARMI_OK;
    if (st == ARMI_NO_MEMORY || st == ARMI_INTERRUPTED)
        return armi_error_set(err, st, "%s", what.message);
    char message[sizeof what.message + 40];
    snprintf(message, sizeof message, "version %llu: %s",
             (unsigned long long)entry->version, what.message);
    return problem_add(v, "table", entry->name, message, err);
}

/* ---- chunks ---- */

static enum armi_status wound_add(struct verifier *v, const struct armi_hash *hash,
                                  const char *message, struct armi_error *err)
{
    uint64_t *index;
    if (v->damaged.count == v->wound_capacity) {
        size_t capacity = v->wound_capacity != 0 ? v->wound_capacity * 2 : 8;
        void *wounds = armi_realloc(v->wounds, v->damaged.count * sizeof *v->wounds,
                                    capacity * sizeof *v->wounds);
        if (wounds == NULL)
            return armi_error_no_memory(err);
        v->wounds = wounds;
        v->wound_capacity = capacity;
    }
    struct wound wound = {.versions = 0};
    ARMI_TRY(armi_buf_append(&wound.message, message, strlen(message), err));
    size_t at = v->damaged.count;
    enum armi_status st = armi_map_insert(
        &v->damaged, (struct armi_slice){hash->bytes, ARMI_HASH_SIZE}, &index, NULL, err);
    if (st != ARMI_OK) {
        armi_buf_release(&wound.message);
        return st;
    }
    *index = at;
    v->wounds[at] = wound;
    return ARMI_OK;
}

static enum armi_status wound_tell(struct wound *wound,
                                   const struct armi_table_entry *entry,
                                   struct armi_error *err)
{
    char text[ARMI_NAME_SIZE_MAX + 64];
    if (wound->versions++ >= WOUND_VERSIONS_NAMED)
        return ARMI_OK;
    int size = snprintf(text, sizeof text, "%s table %s version %llu",
                        wound->versions == 1 ? "; it is needed by" : ",", entry->name,
                        (unsigned long long)entry->version);
    return armi_buf_append(&wound->message, text, (size_t)size, err);
}

/* Which of the damaged chunks the version needs. */
static enum armi_status version_wounds(void *ctx, const struct armi_table_entry *entry,
                                       const struct armi_table_version *version,
                                       struct armi_error *err)
{
    struct verifier *v = ctx;
    struct armi_range *ranges;
    struct armi_map told;
    size_t count;
    ARMI_TRY(armi_table_version_ranges(&v->core->nodes, version, &ranges, &count, err));
    enum armi_status st = ARMI_OK;
    armi_map_init(&told, 0);
    for (size_t r = 0; r < count; r++) {
        for (size_t k = 0; k < ranges[r].chunk_count && st == ARMI_OK; k++) {
            const struct armi_slice key = {ranges[r].chunks[k].hash.bytes, ARMI_HASH_SIZE};
            uint64_t *index = armi_map_find(&v->damaged, key), *value;
            bool is_new = false;
            if (index == NULL)
                continue;
            st = armi_map_insert(&told, key, &value, &is_new, err);
            if (st == ARMI_OK && is_new)
                st = wound_tell(&v->wounds[*index], entry, err);
        }
    }
    armi_map_release(&told);
    armi_range_array_release(ranges, count);
    return st;
}

static enum armi_status known_problem(void *ctx, const char *kind, const char *name,
                                      const struct armi_error *what, struct armi_error *err)
{
    (void)ctx, (void)kind, (void)name, (void)what, (void)err;
    return ARMI_OK; /* told by the first walk */
}

/* All refs are walked once more for those that need what is damaged. */
static enum armi_status wounds_report(struct verifier *v, struct armi_error *err)
{
    struct armi_walk walk;
    if (v->damaged.count == 0)
        return ARMI_OK;
    armi_walk_init(&walk, v->core);
    walk.problem = known_problem;
    walk.version = version_wounds;
    walk.ctx = v;
    walk.interrupt = v->walk.interrupt;
    enum armi_status st = armi_walk_refs(&walk, err);
    armi_walk_release(&walk);
    for (size_t i = 0; i < v->damaged.count && st == ARMI_OK; i++) {
        struct wound *wound = &v->wounds[i];
        struct armi_hash hash;
        char hex[ARMI_HASH_HEX_SIZE], more[48] = "";
        memcpy(hash.bytes, armi_map_key(&v->damaged, i).data, ARMI_HASH_SIZE);
        armi_hash_format(&hash, hex);
        if (wound->versions > WOUND_VERSIONS_NAMED)
            snprintf(more, sizeof more, " and %zu more",
                     wound->versions - WOUND_VERSIONS_NAMED);
        st = armi_buf_append(&wound->message, more, strlen(more) + 1, err);
        if (st == ARMI_OK)
            st = problem_add(v, "chunk", hex, (const char *)wound->message.data, err);
    }
    return st;
}

static enum armi_status chunk_check(struct verifier *v, size_t i, struct armi_error *err)
{
    struct armi_hash hash;
    struct armi_error what = ARMI_ERROR_INIT;
    struct armi_file_stat state = {0};
    struct armi_buf tiny = {0};
    char hex[ARMI_HASH_HEX_SIZE];
    uint64_t value = v->walk.chunks.entries[i].value;
    enum armi_status st;
    memcpy(hash.bytes, armi_map_key(&v->walk.chunks, i).data, ARMI_HASH_SIZE);
    armi_hash_format(&hash, hex);
    if (value & 1) {
        st = armi_catalog_get_chunk(v->core->catalog, &hash, &tiny, &what);
        armi_buf_release(&tiny);
    } else {
        const struct armi_parallel parallel = {.threads = v->core->threads};
        st = armi_store_verify(v->core->store, &hash, &parallel, &what);
        if (st == ARMI_OK)
            st = armi_store_stat(v->core->store, &hash, &state, &what);
        if (st == ARMI_OK && state.size != value / 2)
            st = armi_chunk_damaged(&hash, &what, "it is %llu bytes, a range says %llu",
                                    (unsigned long long)state.size,
                                    (unsigned long long)(value / 2));
    }
    v->result->objects++;
    v->result->bytes += value / 2;
    if (st == ARMI_OK)
        return ARMI_OK;
    if (st == ARMI_NO_MEMORY)
        return armi_error_no_memory(err);
    if (!(value & 1) && !v->core->read_only) {
        /* A recorded hash never counts as present: the next write of the same data repairs it. */
        const struct armi_catalog_mark mark = {.name = hash};
        ARMI_TRY(armi_store_mark_damaged(v->core->store, &hash, true, err));
        ARMI_TRY(
            armi_catalog_set_marks(v->core->catalog, ARMI_MARK_DAMAGED, &mark, 1, err));
    }
    return wound_add(v, &hash, what.message, err);
}

/* ---- the whole ---- */

static enum armi_status verify_all(struct verifier *v, struct armi_error *err)
{
    const struct armi_callbacks *callbacks = &v->options->callbacks;
    struct armi_catalog_stats stats;
    ARMI_TRY(armi_catalog_verify(v->core->catalog, catalog_problem, v, err));
    ARMI_TRY(armi_walk_refs(&v->walk, err));
    for (size_t i = 0; i < v->walk.chunks.count; i++) {
        ARMI_TRY(armi_interrupt_check(&v->walk.interrupt, err));
        ARMI_TRY(chunk_check(v, i, err));
        if (callbacks->progress != NULL)
            callbacks->progress(callbacks->ctx, i + 1, v->walk.chunks.count);
    }
    ARMI_TRY(wounds_report(v, err));
    ARMI_TRY(armi_catalog_stats(v->core->catalog, &stats, err));
    v->result->objects += v->walk.nodes.count;
    v->result->bytes += stats.node_bytes;
    return ARMI_OK;
}

enum armi_status armi_repository_verify(struct armi_repository *repo,
                                        const struct armi_verify_options *options,
                                        struct armi_verify_result *out,
                                        struct armi_error *err)
{
    static const struct armi_verify_options defaults = {.size = sizeof defaults};
    struct armi_verify_result result = {.size = out->size, .ok = true};
    struct armi_verify_options own = options != NULL ? *options : defaults;
    struct verifier v = {.core = repo->core, .options = &own, .result = &result};
    own.callbacks = armi_repo_callbacks(repo, &own.callbacks);
    ARMI_TRY(armi_arena_new(&v.arena, err));
    armi_walk_init(&v.walk, repo->core);
    armi_map_init(&v.damaged, 0);
    v.walk.problem = walk_problem;
    v.walk.version = version_check;
    v.walk.ctx = &v;
    v.walk.interrupt =
        (struct armi_interrupt){own.callbacks.interrupted, own.callbacks.ctx};
    enum armi_status st = verify_all(&v, err);
    armi_walk_release(&v.walk);
    for (size_t i = 0; i < v.damaged.count; i++)
        armi_buf_release(&v.wounds[i].message);
    armi_free(v.wounds);
    armi_map_release(&v.damaged);
    if (st != ARMI_OK) {
        armi_arena_free(v.arena);
        return st;
    }
    result.private_data = v.arena;
    *out = result;
    return ARMI_OK;
}
