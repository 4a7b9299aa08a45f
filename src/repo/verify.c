/*
 * verify: everything that a ref reaches is there, and is what its name says.
 */
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
};

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
    return problem_add(v, "table", entry->name, what.message, err);
}

/* ---- chunks ---- */

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
        ARMI_TRY(armi_catalog_set_marks(v->core->catalog, ARMI_MARK_DAMAGED, &mark, 1, err));
    }
    return problem_add(v, "chunk", hex, what.message, err);
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
    v.walk.problem = walk_problem;
    v.walk.version = version_check;
    v.walk.ctx = &v;
    v.walk.interrupt = (struct armi_interrupt){own.callbacks.interrupted, own.callbacks.ctx};
    enum armi_status st = verify_all(&v, err);
    armi_walk_release(&v.walk);
    if (st != ARMI_OK) {
        armi_arena_free(v.arena);
        return st;
    }
    result.private_data = v.arena;
    *out = result;
    return ARMI_OK;
}
