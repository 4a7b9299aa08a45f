/*
 * The store's life, its names, and what is known about them without reading chunks.
 */
#include "store/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "os/handles.h"
#include "os/lockfile.h"
#include "store/store_internal.h"

#define MAPS_MAX 16384

static pthread_mutex_t store_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic unsigned maps_count;

/* The child's only thread is a copy of the one that took the mutex, and may not unlock
 * it. */
static void fork_child(void)
{
    pthread_mutex_init(&store_lock, NULL);
}

/* A fork takes the last hook's mutex first: ours is registered after that of os/handles,
 * whose mutex we take while we hold our own. */
static void fork_hook(void)
{
    armi_handles_generation();
    pthread_atfork(armi_store_lock, armi_store_unlock, fork_child);
}

void armi_store_lock(void)
{
    pthread_mutex_lock(&store_lock);
}

void armi_store_unlock(void)
{
    pthread_mutex_unlock(&store_lock);
}

bool armi_map_count_up(void)
{
    if (atomic_fetch_add(&maps_count, 1) < MAPS_MAX)
        return true;
    armi_map_count_down();
    return false;
}

void armi_map_count_down(void)
{
    atomic_fetch_sub(&maps_count, 1);
}

void armi_chunk_name(const struct armi_hash *hash, char name[ARMI_CHUNK_NAME_SIZE])
{
    armi_hash_format(hash, name);
    memcpy(name + ARMI_HASH_HEX_SIZE - 1, ARMI_CHUNK_SUFFIX, sizeof ARMI_CHUNK_SUFFIX);
}

static bool name_parse(const char *name, struct armi_hash *out)
{
    size_t size = strlen(name);
    return size == ARMI_CHUNK_NAME_SIZE - 1 &&
           strcmp(name + ARMI_HASH_HEX_SIZE - 1, ARMI_CHUNK_SUFFIX) == 0 &&
           armi_hash_parse(name, ARMI_HASH_HEX_SIZE - 1, out);
}

enum armi_status armi_chunk_not_found(const struct armi_hash *hash, struct armi_error *err)
{
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(hash, hex);
    return armi_error_object(err, ARMI_NOT_FOUND, "chunk", hex, "Chunk not found: %s", hex);
}

enum armi_status armi_chunk_damaged(const struct armi_hash *hash, struct armi_error *err,
                                    const char *format, ...)
{
    char hex[ARMI_HASH_HEX_SIZE], text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    armi_hash_format(hash, hex);
    return armi_error_object(err, ARMI_CORRUPTION, "chunk", hex, "Chunk %s is damaged: %s",
                             hex, text);
}

static int make_dir(const struct armi_os *os, int root, const char *name)
{
    int error = os->mkdir(os, root, name);
    return error == -EEXIST ? 0 : error;
}

static enum armi_status sync_new(const struct armi_os *os, int root,
                                 enum armi_durability durability, struct armi_error *err)
{
    int error = durability != ARMI_DURABILITY_NONE ? os->fsync(os, root) : 0;
    return error == 0 ? ARMI_OK : armi_error_errno(err, -error, "cannot sync a new folder");
}

/* chunks/ comes last, when the rest is durable: a folder that has it has everything, also after a
 * power cut, where the names of one folder may come back in any selection. */
enum armi_status armi_store_create(const struct armi_os *os, int root,
                                   enum armi_durability durability, struct armi_error *err)
{
    int error = make_dir(os, root, ARMI_STORE_TMP_DIR);
    if (error < 0)
        return armi_error_errno(err, -error, "cannot make the folder 'tmp'");
    ARMI_TRY(armi_lockfile_create(os, root, err));
    ARMI_TRY(sync_new(os, root, durability, err));
    error = make_dir(os, root, ARMI_STORE_CHUNKS_DIR);
    if (error < 0)
        return armi_error_errno(err, -error, "cannot make the folder 'chunks'");
    return sync_new(os, root, durability, err);
}

static enum armi_status open_dir(const struct armi_store *store, int root, const char *name,
                                 int *out, struct armi_error *err)
{
    int fd =
        store->os->open(store->os, root, name, ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0);
    if (fd == -ENOENT)
        return armi_error_set(err, ARMI_NOT_FOUND, "'%s' has no folder '%s'", store->path,
                              name);
    if (fd == -ENOTDIR || fd == -ELOOP)
        return armi_error_set(err, ARMI_INVALID, "'%s/%s' is not a folder", store->path,
                              name);
    if (fd < 0)
        return armi_error_errno(err, -fd, "cannot open '%s/%s'", store->path, name);
    *out = fd;
    return ARMI_OK;
}

static enum armi_status store_init(struct armi_store *store, int root, const char *path,
                                   const struct armi_store_options *options,
                                   struct armi_error *err)
{
    static const struct armi_store_options defaults;
    const struct armi_store_options *o = options != NULL ? options : &defaults;
    store->os = o->os != NULL ? o->os : armi_os_posix();
    store->refs = 1;
    store->chunks = store->tmp_root = -1;
    store->durability = o->durability != 0 ? o->durability : ARMI_DURABILITY_FULL;
    store->no_verify = o->no_verify;
    store->read_only = o->read_only;
    armi_map_init(&store->marked, 0);
    store->path = armi_strdup(path);
    if (store->path == NULL)
        return armi_error_no_memory(err);
    ARMI_TRY(open_dir(store, root, ARMI_STORE_CHUNKS_DIR, &store->chunks, err));
    return open_dir(store, root, ARMI_STORE_TMP_DIR, &store->tmp_root, err);
}

static void store_free(struct armi_store *store)
{
    if (store->tmp.is_made)
        armi_store_tmp_release(store);
    if (store->chunks >= 0)
        store->os->close(store->os, store->chunks);
    if (store->tmp_root >= 0)
        store->os->close(store->os, store->tmp_root);
    armi_store_lock();
    armi_proof_table_release(&store->proofs);
    armi_store_unlock();
    armi_map_release(&store->marked);
    armi_free(store->path);
    armi_free(store);
}

enum armi_status armi_store_open(int root, const char *path,
                                 const struct armi_store_options *options,
                                 struct armi_store **out, struct armi_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fork_hook);
    struct armi_store *store = armi_alloc_zero(1, sizeof *store);
    if (store == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = store_init(store, root, path, options, err);
    if (status != ARMI_OK) {
        store_free(store);
        return status;
    }
    if (!store->read_only)
        armi_store_tmp_sweep(store);
    *out = store;
    return ARMI_OK;
}

void armi_store_retain(struct armi_store *store)
{
    atomic_fetch_add(&store->refs, 1);
}

void armi_store_release(struct armi_store *store)
{
    if (store != NULL && atomic_fetch_sub(&store->refs, 1) == 1)
        store_free(store);
}

const char *armi_store_path(const struct armi_store *store)
{
    return store->path;
}

enum armi_status armi_store_check_writable(const struct armi_store *store,
                                           struct armi_error *err)
{
    if (store->read_only)
        return armi_error_errno(err, EROFS, "'%s' is open for reading only", store->path);
    if (atomic_load(&store->is_poisoned))
        return armi_error_errno(
            err, EIO,
            "an earlier sync of '%s/chunks' failed, so nothing more is written "
            "through this handle: check the disk, then open it anew",
            store->path);
    return ARMI_OK;
}

enum armi_status armi_store_sync_names(struct armi_store *store, struct armi_error *err)
{
    if (store->durability == ARMI_DURABILITY_NONE)
        return ARMI_OK;
    ARMI_TRY(armi_store_check_writable(store, err));
    int error = store->os->fsync(store->os, store->chunks);
    if (error == 0)
        return ARMI_OK;
    atomic_store(&store->is_poisoned, true); /* I5: the next one could succeed, and lie */
    return armi_error_errno(err, -error, "cannot sync '%s/chunks'", store->path);
}

static enum armi_status kind_check(const struct armi_hash *hash, enum armi_entry_kind kind,
                                   struct armi_error *err)
{
    if (kind == ARMI_ENTRY_REGULAR)
        return ARMI_OK;
    return armi_chunk_damaged(hash, err, "%s stands in the place of its file",
                              kind == ARMI_ENTRY_DIRECTORY ? "a folder"
                              : kind == ARMI_ENTRY_SYMLINK
                                  ? "a symbolic link, not followed,"
                                  : "a special file");
}

enum armi_status armi_store_stat(struct armi_store *store, const struct armi_hash *hash,
                                 struct armi_file_stat *out, struct armi_error *err)
{
    char name[ARMI_CHUNK_NAME_SIZE];
    struct armi_file_stat st;
    armi_chunk_name(hash, name);
    int error = store->os->stat_at(store->os, store->chunks, name, &st);
    if (error == -ENOENT)
        return armi_chunk_not_found(hash, err);
    if (error < 0)
        return armi_error_errno(err, -error, "cannot look at '%s/chunks/%s'", store->path,
                                name);
    ARMI_TRY(kind_check(hash, st.kind, err));
    *out = st;
    return ARMI_OK;
}

enum armi_status armi_store_open_file(struct armi_store *store,
                                      const struct armi_hash *hash, int *fd,
                                      struct armi_file_stat *state, struct armi_error *err)
{
    const struct armi_os *os = store->os;
    char name[ARMI_CHUNK_NAME_SIZE];
    armi_chunk_name(hash, name);
    int file = os->open(os, store->chunks, name, ARMI_OPEN_READ, 0);
    if (file == -ENOENT)
        return armi_chunk_not_found(hash, err);
    if (file == -ELOOP)
        return kind_check(hash, ARMI_ENTRY_SYMLINK, err);
    if (file < 0)
        return armi_error_errno(err, -file, "cannot open '%s/chunks/%s'", store->path,
                                name);
    enum armi_status status = ARMI_OK;
    int error = os->fstat(os, file, state);
    if (error < 0)
        status = armi_error_errno(err, -error, "cannot look at '%s/chunks/%s'", store->path,
                                  name);
    else if (state->kind != ARMI_ENTRY_REGULAR)
        status = kind_check(hash, state->kind, err);
    else if (state->size > ARMI_CHUNK_FILE_MAX)
        status = armi_error_set(err, ARMI_LIMIT,
                                "Chunk %.64s has %llu bytes, more than the limit", name,
                                (unsigned long long)state->size);
    if (status != ARMI_OK)
        os->close(os, file);
    else
        *fd = file;
    return status;
}

static bool is_marked(struct armi_store *store, const struct armi_hash *hash)
{
    armi_store_lock();
    const uint64_t *mark =
        armi_map_find(&store->marked, (struct armi_slice){hash->bytes, 32});
    bool marked = mark != NULL && *mark != 0;
    armi_store_unlock();
    return marked;
}

enum armi_status armi_store_mark_damaged(struct armi_store *store,
                                         const struct armi_hash *hash, bool damaged,
                                         struct armi_error *err)
{
    uint64_t *mark;
    armi_store_lock();
    enum armi_status status = armi_map_insert(
        &store->marked, (struct armi_slice){hash->bytes, 32}, &mark, NULL, err);
    if (status == ARMI_OK)
        *mark = damaged;
    armi_store_unlock();
    return status;
}

enum armi_status armi_store_exists(struct armi_store *store, const struct armi_hash *hash,
                                   bool *out, struct armi_error *err)
{
    struct armi_file_stat st;
    enum armi_status status = armi_store_stat(store, hash, &st, err);
    if (status == ARMI_NOT_FOUND || status == ARMI_CORRUPTION) {
        *out = false;
        return ARMI_OK;
    }
    ARMI_TRY(status);
    if (is_marked(store, hash)) {
        enum armi_present present;
        ARMI_TRY(armi_store_check_present(store, hash, UINT64_MAX, &present, NULL, err));
        *out = present == ARMI_PRESENT_SOUND;
        return ARMI_OK;
    }
    struct armi_proof *proof = armi_proof_find(store, hash, &st);
    *out = proof == NULL || !atomic_load(&proof->damaged);
    armi_proof_release(proof);
    return ARMI_OK;
}

enum armi_status armi_store_delete(struct armi_store *store, const struct armi_hash *hash,
                                   struct armi_error *err)
{
    char name[ARMI_CHUNK_NAME_SIZE];
    ARMI_TRY(armi_store_check_writable(store, err));
    armi_chunk_name(hash, name);
    int error = store->os->unlink(store->os, store->chunks, name);
    if (error < 0 && error != -ENOENT)
        return armi_error_errno(err, -error, "cannot delete '%s/chunks/%s'", store->path,
                                name);
    return ARMI_OK;
}

struct list_call {
    armi_store_list_fn fn;
    void *ctx;
    struct armi_error *err;
    enum armi_status status;
};

static int list_one(void *ctx, const char *name, enum armi_entry_kind kind)
{
    struct list_call *call = ctx;
    struct armi_hash hash;
    if ((kind != ARMI_ENTRY_REGULAR && kind != ARMI_ENTRY_UNKNOWN) ||
        !name_parse(name, &hash))
        return 0;
    call->status = call->fn(call->ctx, &hash, call->err);
    return call->status == ARMI_OK ? 0 : 1;
}

enum armi_status armi_store_list(struct armi_store *store, armi_store_list_fn fn, void *ctx,
                                 struct armi_error *err)
{
    struct list_call call = {fn, ctx, err, ARMI_OK};
    int error = store->os->list(store->os, store->chunks, list_one, &call);
    if (error < 0)
        return armi_error_errno(err, -error, "cannot list '%s/chunks'", store->path);
    return call.status;
}
