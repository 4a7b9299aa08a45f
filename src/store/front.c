/*
 * The public chunk store. Batches go over the pool, one item a task; a single large chunk
 * is hashed in parallel itself.
 */
#include "store/front.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/pool.h"
#include "hash/blake3.h"
#include "store/front_internal.h"

#define PARALLEL_MIN ((size_t)1 << 20) /* below, more threads do not hash a chunk faster */

struct armi_chunk_store {
    struct armi_store *store;
    char *path;
    struct armi_chunk_extra extra;
    struct armi_parallel parallel;
};

struct armi_chunk_store_options
armi_chunk_store_options_read(const struct armi_chunk_store_options *options)
{
    struct armi_chunk_store_options o = {.size = sizeof o};
    if (options != NULL)
        memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    return o;
}

enum armi_status armi_chunk_store_wrap(struct armi_store *store, const char *path,
                                       const struct armi_chunk_extra *extra,
                                       const struct armi_chunk_store_options *options,
                                       struct armi_chunk_store **out,
                                       struct armi_error *err)
{
    struct armi_chunk_store_options o = armi_chunk_store_options_read(options);
    struct armi_chunk_store *front = armi_alloc_zero(1, sizeof *front);
    char *copy = armi_strdup(path);
    if (front == NULL || copy == NULL) {
        armi_free(front);
        armi_free(copy);
        return armi_error_no_memory(err);
    }
    armi_store_retain(store);
    front->store = store;
    front->path = copy;
    if (extra != NULL)
        front->extra = *extra;
    front->parallel.threads = o.threads;
    front->parallel.interrupt.interrupted = o.callbacks.interrupted;
    front->parallel.interrupt.ctx = o.callbacks.ctx;
    *out = front;
    return ARMI_OK;
}

void armi_chunk_store_close(struct armi_chunk_store *front)
{
    if (front == NULL)
        return;
    armi_store_release(front->store);
    armi_free(front->path);
    armi_free(front);
}

const char *armi_chunk_store_path(const struct armi_chunk_store *front)
{
    return front->path;
}

struct armi_store *armi_chunk_store_inner(struct armi_chunk_store *front)
{
    return front->store;
}

enum armi_status armi_chunk_hash_parse(const char *text, size_t length,
                                       struct armi_hash *out, struct armi_error *err)
{
    if (armi_hash_parse(text, length, out))
        return ARMI_OK;
    int shown = length > 80 ? 80 : (int)length;
    return armi_error_set(err, ARMI_INVALID,
                          "Invalid hash: '%.*s'%s (64 lower-case hex digits are wanted)",
                          shown, text, length > 80 ? "…" : "");
}

struct put_call {
    struct armi_chunk_store *front;
    struct armi_store_batch *batch;
    const struct armi_chunk_data *items;
    struct armi_hash *hashes;
    size_t count;
};

static enum armi_status put_one(void *ctx, size_t index, unsigned worker,
                                struct armi_error *err)
{
    (void)worker;
    struct put_call *call = ctx;
    const struct armi_chunk_data *item = &call->items[index];
    struct armi_slice bytes = {item->data, item->size};
    if (item->size > ARMI_CHUNK_FILE_MAX)
        return armi_error_set(err, ARMI_LIMIT, "a chunk holds at most %llu bytes",
                              (unsigned long long)ARMI_CHUNK_FILE_MAX);
    if (item->size >= PARALLEL_MIN)
        ARMI_TRY(armi_blake3_hash_parallel(&call->front->parallel, item->data, item->size,
                                           &call->hashes[index], err));
    else
        armi_blake3_hash(item->data, item->size, &call->hashes[index]);
    return armi_store_batch_add(call->batch, &call->hashes[index], &bytes, 1, NULL, err);
}

static enum armi_status put_all(struct put_call *call, struct armi_error *err)
{
    const struct armi_parallel *parallel = &call->front->parallel;
    ARMI_TRY(armi_interrupt_check(&parallel->interrupt, err));
    ARMI_TRY(armi_store_batch_begin(call->front->store, &call->batch, err));
    armi_store_batch_set_interrupt(call->batch, &parallel->interrupt);
    /* One item alone stays on the calling thread, so that its own hashing may use the
     * pool. */
    enum armi_status status =
        call->count == 1 ? put_one(call, 0, 0, err)
                         : armi_pool_run(parallel, call->count, put_one, call, err);
    if (status == ARMI_OK)
        status = armi_store_batch_sync(call->batch, err);
    armi_store_batch_free(call->batch);
    return status;
}

enum armi_status armi_chunk_store_put_batch(struct armi_chunk_store *front,
                                            const struct armi_chunk_data *items,
                                            size_t count, struct armi_hash *out_hashes,
                                            struct armi_error *err)
{
    if (count == 0)
        return ARMI_OK;
    const struct armi_chunk_extra *extra = &front->extra;
    void *token = NULL;
    struct put_call call = {.front = front, .items = items, .count = count};
    call.hashes = armi_alloc_array(count, sizeof *call.hashes);
    if (call.hashes == NULL)
        return armi_error_no_memory(err);
    enum armi_status status =
        extra->begin != NULL ? extra->begin(extra->ctx, &token, err) : ARMI_OK;
    if (status == ARMI_OK) {
        status = put_all(&call, err);
        if (extra->end != NULL)
            extra->end(extra->ctx, token, call.hashes, status == ARMI_OK ? count : 0);
    }
    if (status == ARMI_OK)
        memcpy(out_hashes, call.hashes, count * sizeof *out_hashes);
    armi_free(call.hashes);
    return status;
}

enum armi_status armi_chunk_store_put(struct armi_chunk_store *front, const void *data,
                                      size_t size, struct armi_hash *out,
                                      struct armi_error *err)
{
    struct armi_chunk_data item = {data, size};
    return armi_chunk_store_put_batch(front, &item, 1, out, err);
}

struct get_call {
    struct armi_chunk_store *front;
    const struct armi_hash *hashes;
    struct armi_bytes *out;
    enum armi_verify verify;
    bool mapped;
};

static enum armi_status get_one(void *ctx, size_t index, unsigned worker,
                                struct armi_error *err)
{
    (void)worker;
    struct get_call *call = ctx;
    struct armi_chunk_store *front = call->front;
    const struct armi_hash *hash = &call->hashes[index];
    struct armi_bytes *out = &call->out[index];
    enum armi_status status =
        call->mapped
            ? armi_store_map(front->store, hash, call->verify, &front->parallel, out, err)
            : armi_store_get(front->store, hash, call->verify, &front->parallel, out, err);
    if (status != ARMI_NOT_FOUND || front->extra.find == NULL)
        return status;
    bool found;
    ARMI_TRY(front->extra.find(front->extra.ctx, hash, &found, out, err));
    return found ? ARMI_OK : armi_chunk_not_found(hash, err);
}

static enum armi_status get_all(struct get_call *call, size_t count, struct armi_error *err)
{
    const struct armi_parallel *parallel = &call->front->parallel;
    ARMI_TRY(armi_interrupt_check(&parallel->interrupt, err));
    if (count == 1)
        return get_one(call, 0, 0, err);
    return armi_pool_run(parallel, count, get_one, call, err);
}

static enum armi_status get_any(struct armi_chunk_store *front,
                                const struct armi_hash *hashes, size_t count,
                                enum armi_verify verify, bool mapped,
                                struct armi_bytes *out, struct armi_error *err)
{
    if (count == 0)
        return ARMI_OK;
    struct get_call call = {front, hashes, NULL, verify, mapped};
    call.out = armi_alloc_zero(count, sizeof *call.out);
    if (call.out == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = get_all(&call, count, err);
    for (size_t i = 0; status != ARMI_OK && i < count; i++)
        armi_bytes_release(&call.out[i]);
    if (status == ARMI_OK)
        memcpy(out, call.out, count * sizeof *out);
    armi_free(call.out);
    return status;
}

enum armi_status armi_chunk_store_get(struct armi_chunk_store *front,
                                      const struct armi_hash *hash, struct armi_bytes *out,
                                      struct armi_error *err)
{
    return get_any(front, hash, 1, ARMI_VERIFY_ONCE, false, out, err);
}

enum armi_status armi_chunk_store_get_verified(struct armi_chunk_store *front,
                                               const struct armi_hash *hash,
                                               struct armi_bytes *out,
                                               struct armi_error *err)
{
    return get_any(front, hash, 1, ARMI_VERIFY_ALWAYS, false, out, err);
}

enum armi_status armi_chunk_store_get_batch(struct armi_chunk_store *front,
                                            const struct armi_hash *hashes, size_t count,
                                            struct armi_bytes *out, struct armi_error *err)
{
    return get_any(front, hashes, count, ARMI_VERIFY_ONCE, false, out, err);
}

enum armi_status armi_chunk_store_get_batch_verified(struct armi_chunk_store *front,
                                                     const struct armi_hash *hashes,
                                                     size_t count, struct armi_bytes *out,
                                                     struct armi_error *err)
{
    return get_any(front, hashes, count, ARMI_VERIFY_ALWAYS, false, out, err);
}

enum armi_status armi_chunk_store_get_mmap(struct armi_chunk_store *front,
                                           const struct armi_hash *hash,
                                           struct armi_bytes *out, struct armi_error *err)
{
    return get_any(front, hash, 1, ARMI_VERIFY_ONCE, true, out, err);
}

enum armi_status armi_chunk_store_get_mmap_batch(struct armi_chunk_store *front,
                                                 const struct armi_hash *hashes,
                                                 size_t count, struct armi_bytes *out,
                                                 struct armi_error *err)
{
    return get_any(front, hashes, count, ARMI_VERIFY_ONCE, true, out, err);
}

enum armi_status armi_chunk_store_exists(struct armi_chunk_store *front,
                                         const struct armi_hash *hash, bool *out,
                                         struct armi_error *err)
{
    bool found;
    ARMI_TRY(armi_interrupt_check(&front->parallel.interrupt, err));
    ARMI_TRY(armi_store_exists(front->store, hash, &found, err));
    if (!found && front->extra.has != NULL)
        ARMI_TRY(front->extra.has(front->extra.ctx, hash, &found, err));
    *out = found;
    return ARMI_OK;
}

enum armi_status armi_chunk_store_delete(struct armi_chunk_store *front,
                                         const struct armi_hash *hash,
                                         struct armi_error *err)
{
    if (front->extra.refuse_delete != NULL)
        return armi_error_set(err, ARMI_MISUSE, "%s", front->extra.refuse_delete);
    ARMI_TRY(armi_interrupt_check(&front->parallel.interrupt, err));
    ARMI_TRY(armi_store_delete(front->store, hash, err));
    return armi_store_sync_names(front->store, err);
}

struct armi_chunk_iterator {
    struct armi_buf hashes; /* ascending, each once */
    size_t at;
};

static enum armi_status collect(void *ctx, const struct armi_hash *hash,
                                struct armi_error *err)
{
    return armi_buf_append(ctx, hash, sizeof *hash, err);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct armi_hash));
}

static void sort_unique(struct armi_buf *hashes)
{
    const size_t size = sizeof(struct armi_hash);
    size_t kept = 0;
    if (hashes->size != 0)
        qsort(hashes->data, hashes->size / size, size, compare);
    for (size_t at = 0; at < hashes->size; at += size) {
        if (kept != 0 && memcmp(hashes->data + kept - size, hashes->data + at, size) == 0)
            continue;
        memmove(hashes->data + kept, hashes->data + at, size);
        kept += size;
    }
    hashes->size = kept;
}

static enum armi_status collect_all(struct armi_chunk_store *front, struct armi_buf *hashes,
                                    struct armi_error *err)
{
    ARMI_TRY(armi_interrupt_check(&front->parallel.interrupt, err));
    ARMI_TRY(armi_store_list(front->store, collect, hashes, err));
    if (front->extra.list != NULL)
        ARMI_TRY(front->extra.list(front->extra.ctx, collect, hashes, err));
    sort_unique(hashes);
    return ARMI_OK;
}

enum armi_status armi_chunk_store_iterate(struct armi_chunk_store *front,
                                          struct armi_chunk_iterator **out,
                                          struct armi_error *err)
{
    struct armi_chunk_iterator *iterator = armi_alloc_zero(1, sizeof *iterator);
    if (iterator == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = collect_all(front, &iterator->hashes, err);
    if (status != ARMI_OK)
        armi_chunk_iterator_free(iterator);
    else
        *out = iterator;
    return status;
}

bool armi_chunk_iterator_next(struct armi_chunk_iterator *iterator, struct armi_hash *out)
{
    if (iterator->at == iterator->hashes.size)
        return false;
    memcpy(out, iterator->hashes.data + iterator->at, sizeof *out);
    iterator->at += sizeof *out;
    return true;
}

void armi_chunk_iterator_free(struct armi_chunk_iterator *iterator)
{
    if (iterator == NULL)
        return;
    armi_buf_release(&iterator->hashes);
    armi_free(iterator);
}

enum armi_status armi_chunk_store_count(struct armi_chunk_store *front, uint64_t *out,
                                        struct armi_error *err)
{
    struct armi_buf hashes = {0};
    enum armi_status status = collect_all(front, &hashes, err);
    if (status == ARMI_OK)
        *out = hashes.size / sizeof(struct armi_hash);
    armi_buf_release(&hashes);
    return status;
}
