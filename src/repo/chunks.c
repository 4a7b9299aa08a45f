/*
 * The repository's chunks as a chunk store: files, and tiny ones in the catalog.
 */
#include "repo/repo_internal.h"

#include <stdio.h>

#include "base/alloc.h"
#include "os/lockfile.h"
#include "store/front.h"

#define LIST_PAGE 256

static enum armi_status chunk_has(void *ctx, const struct armi_hash *hash, bool *found,
                                  struct armi_error *err)
{
    struct armi_core *core = ctx;
    return armi_catalog_has_chunk(core->catalog, hash, found, err);
}

static enum armi_status chunk_find(void *ctx, const struct armi_hash *hash, bool *found,
                                   struct armi_bytes *out, struct armi_error *err)
{
    struct armi_core *core = ctx;
    struct armi_buf buf = {0};
    ARMI_TRY(armi_catalog_has_chunk(core->catalog, hash, found, err));
    if (!*found)
        return ARMI_OK;
    ARMI_TRY(armi_catalog_get_chunk(core->catalog, hash, &buf, err));
    armi_buf_to_bytes(&buf, out);
    return ARMI_OK;
}

static enum armi_status chunk_list(void *ctx, armi_store_list_fn fn, void *fn_ctx,
                                   struct armi_error *err)
{
    struct armi_core *core = ctx;
    struct armi_catalog_entry page[LIST_PAGE];
    uint64_t cursor = 0;
    size_t count = LIST_PAGE;
    while (count == LIST_PAGE) {
        ARMI_TRY(
            armi_catalog_list_chunks(core->catalog, &cursor, page, LIST_PAGE, &count, err));
        for (size_t i = 0; i < count; i++)
            ARMI_TRY(fn(fn_ctx, &page[i].name, err));
    }
    return ARMI_OK;
}

/* A put must not run into a gc: it holds the shared side of its lock. */
static enum armi_status put_begin(void *ctx, void **token, struct armi_error *err)
{
    struct armi_core *core = ctx;
    struct armi_lock *lock = armi_alloc(sizeof *lock);
    char what[512];
    if (lock == NULL)
        return armi_error_no_memory(err);
    *lock = (struct armi_lock)ARMI_LOCK_INIT;
    snprintf(what, sizeof what, "the gc lock of %s", core->path);
    enum armi_status st =
        armi_lock_acquire(core->os, core->dir, ARMI_LOCK_BYTE_GC, ARMI_LOCK_SHARED,
                          (int64_t)core->lock_timeout_ms * 1000000, NULL, what, lock, err);
    if (st != ARMI_OK) {
        armi_free(lock);
        return st;
    }
    *token = lock;
    return ARMI_OK;
}

static void put_end(void *ctx, void *token, const struct armi_hash *hashes, size_t count)
{
    (void)ctx;
    (void)hashes;
    (void)count;
    armi_lock_release(token);
    armi_free(token);
}

enum armi_status armi_core_chunks(struct armi_core *core, struct armi_chunk_store **out,
                                  struct armi_error *err)
{
    const struct armi_chunk_extra extra = {
        .ctx = core,
        .find = chunk_find,
        .has = chunk_has,
        .list = chunk_list,
        .begin = put_begin,
        .end = put_end,
        .refuse_delete = "chunks of a repository are freed by gc",
    };
    const struct armi_chunk_store_options options = {.size = sizeof options,
                                                     .threads = core->threads};
    return armi_chunk_store_wrap(core->store, core->path, &extra, &options, out, err);
}
