/*
 * Chunks read whole, into memory or mapped, and proved by hashing all of it: what `get`
 * and `verify` do, and what adoption by dedup asks (I4).
 *
 * A large file is read and hashed in pieces side by side. Each piece is a subtree of the
 * BLAKE3 tree, so it is hashed right after it was read, while it is in the cache, and the
 * values are combined.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/slab.h"
#include "hash/blake3.h"
#include "store/store_internal.h"

#define PIECE_SIZE ((size_t)1 << 20) /* a power of two of leaves */
#define SLAB_MIN   ((size_t)256 << 10)

struct whole {
    struct armi_store *store;
    const struct armi_hash *hash;
    int fd;
    uint64_t size;
    uint8_t *out;             /* NULL: into scratch */
    uint8_t **scratch;        /* one a worker */
    struct armi_hash *values; /* one a piece; NULL: do not hash */
};

static enum armi_status read_exactly(struct armi_store *store, const struct armi_hash *hash,
                                     int fd, uint64_t offset, size_t size, uint8_t *out,
                                     struct armi_error *err)
{
    int64_t n = armi_os_read_full(store->os, fd, out, size, offset);
    if (n < 0) {
        char hex[ARMI_HASH_HEX_SIZE];
        armi_hash_format(hash, hex);
        return armi_error_errno(err, (int)-n, "cannot read chunk %s in '%s'", hex,
                                store->path);
    }
    if ((size_t)n < size)
        return armi_chunk_damaged(hash, err, "its file was cut short while it was read");
    return ARMI_OK;
}

static enum armi_status whole_piece(void *ctx, size_t index, unsigned worker,
                                    struct armi_error *err)
{
    struct whole *w = ctx;
    uint64_t offset = (uint64_t)index * PIECE_SIZE;
    size_t size = w->size - offset < PIECE_SIZE ? (size_t)(w->size - offset) : PIECE_SIZE;
    uint8_t *to = w->out != NULL ? w->out + offset : w->scratch[worker];
    if (to == NULL) {
        to = w->scratch[worker] = armi_alloc(PIECE_SIZE);
        if (to == NULL)
            return armi_error_no_memory(err);
    }
    ARMI_TRY(read_exactly(w->store, w->hash, w->fd, offset, size, to, err));
    if (w->values != NULL) {
        struct armi_blake3 hasher;
        armi_blake3_subtree_init(&hasher, offset / ARMI_BLAKE3_LEAF_SIZE);
        armi_blake3_update(&hasher, to, size);
        armi_blake3_subtree_finalize(&hasher, &w->values[index]);
    }
    return ARMI_OK;
}

static enum armi_status read_in_pieces(struct whole *w,
                                       const struct armi_parallel *parallel,
                                       struct armi_hash *name, struct armi_error *err)
{
    size_t count = (size_t)((w->size + PIECE_SIZE - 1) / PIECE_SIZE);
    unsigned width = armi_pool_width(parallel);
    enum armi_status status = ARMI_OK;
    if (name != NULL)
        w->values = armi_alloc_array(count, sizeof *w->values);
    if (w->out == NULL)
        w->scratch = armi_alloc_zero(width, sizeof *w->scratch);
    if ((name != NULL && w->values == NULL) || (w->out == NULL && w->scratch == NULL))
        status = armi_error_no_memory(err);
    if (status == ARMI_OK)
        status = armi_pool_run(parallel, count, whole_piece, w, err);
    if (status == ARMI_OK && name != NULL)
        armi_blake3_combine(w->values, count, name);
    for (unsigned i = 0; w->scratch != NULL && i < width; i++)
        armi_free(w->scratch[i]);
    armi_free(w->scratch);
    armi_free(w->values);
    return status;
}

enum armi_status armi_store_read_whole(struct armi_store *store,
                                       const struct armi_hash *hash, int fd, uint64_t size,
                                       const struct armi_parallel *parallel, uint8_t *out,
                                       struct armi_hash *name, struct armi_error *err)
{
    if (size > PIECE_SIZE) {
        struct whole w = {.store = store, .hash = hash, .fd = fd, .size = size, .out = out};
        return read_in_pieces(&w, parallel, name, err);
    }
    uint8_t *to = out != NULL ? out : armi_alloc((size_t)size);
    if (to == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = read_exactly(store, hash, fd, 0, (size_t)size, to, err);
    if (status == ARMI_OK && name != NULL)
        armi_blake3_hash(to, (size_t)size, name);
    if (out == NULL)
        armi_free(to);
    return status;
}

enum armi_status armi_store_judge(struct armi_store *store, const struct armi_hash *hash,
                                  int fd, const struct armi_file_stat *state,
                                  const struct armi_hash *found, struct armi_error *err)
{
    bool sound = memcmp(hash, found, sizeof *hash) == 0;
    struct armi_file_stat now;
    bool same = store->os->fstat(store->os, fd, &now) == 0 && armi_file_same(state, &now);
    struct armi_proof *proof = same ? armi_proof_get(store, hash, state) : NULL;
    if (proof != NULL) /* no memory to remember it in: it is found again */
        atomic_store(sound ? &proof->sound : &proof->damaged, true);
    armi_proof_release(proof);
    if (sound)
        return ARMI_OK;
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(found, hex);
    return armi_chunk_damaged(hash, err,
                              "its %llu bytes hash to %s; put it again to repair it",
                              (unsigned long long)state->size, hex);
}

static bool must_hash(struct armi_store *store, const struct armi_hash *hash,
                      const struct armi_file_stat *state, enum armi_verify verify)
{
    if (verify == ARMI_VERIFY_ALWAYS)
        return true;
    if (verify == ARMI_VERIFY_NEVER || store->no_verify)
        return false;
    struct armi_proof *proof = armi_proof_find(store, hash, state);
    bool sound = proof != NULL && atomic_load(&proof->sound);
    armi_proof_release(proof);
    return !sound;
}

static void release_memory(struct armi_bytes *bytes)
{
    armi_free(bytes->private_data);
}

static void release_slab(struct armi_bytes *bytes)
{
    armi_slab_give(bytes->private_data);
}

/* Room for `size` bytes; large ones in memory that is used again. */
static enum armi_status bytes_new(size_t size, struct armi_bytes *out, uint8_t **data,
                                  struct armi_error *err)
{
    struct armi_bytes bytes = {NULL, size, release_memory, NULL};
    if (size >= SLAB_MIN) {
        struct armi_slab *slab;
        ARMI_TRY(armi_slab_take(size, &slab, err));
        bytes.private_data = slab;
        bytes.release = release_slab;
        *data = slab->data;
    } else {
        bytes.private_data = *data = armi_alloc(size);
        if (bytes.private_data == NULL)
            return armi_error_no_memory(err);
    }
    bytes.data = *data;
    *out = bytes;
    return ARMI_OK;
}

static enum armi_status get_from(struct armi_store *store, const struct armi_hash *hash,
                                 int fd, const struct armi_file_stat *state,
                                 enum armi_verify verify,
                                 const struct armi_parallel *parallel,
                                 struct armi_bytes *out, struct armi_error *err)
{
    struct armi_bytes bytes = ARMI_BYTES_INIT;
    struct armi_hash found;
    uint8_t *data;
    bool hashing = must_hash(store, hash, state, verify);
    ARMI_TRY(bytes_new((size_t)state->size, &bytes, &data, err));
    enum armi_status status = armi_store_read_whole(store, hash, fd, state->size, parallel,
                                                    data, hashing ? &found : NULL, err);
    if (status == ARMI_OK && hashing)
        status = armi_store_judge(store, hash, fd, state, &found, err);
    if (status != ARMI_OK)
        armi_bytes_release(&bytes);
    else
        *out = bytes;
    return status;
}

enum armi_status armi_store_get(struct armi_store *store, const struct armi_hash *hash,
                                enum armi_verify verify,
                                const struct armi_parallel *parallel,
                                struct armi_bytes *out, struct armi_error *err)
{
    int fd;
    struct armi_file_stat state;
    ARMI_TRY(armi_store_open_file(store, hash, &fd, &state, err));
    enum armi_status status = get_from(store, hash, fd, &state, verify, parallel, out, err);
    store->os->close(store->os, fd);
    return status;
}

struct mapping {
    const struct armi_os *os;
    void *at;
    size_t size;
};

static void release_mapping(struct armi_bytes *bytes)
{
    struct mapping *m = bytes->private_data;
    m->os->unmap(m->os, m->at, m->size);
    armi_map_count_down();
    armi_free(m);
}

/* NULL where no mapping is to be had, and a copy must do. */
static struct mapping *mapping_new(const struct armi_os *os, int fd, size_t size)
{
    if (size == 0 || !armi_map_count_up())
        return NULL;
    struct mapping *m = armi_alloc(sizeof *m);
    void *at = NULL;
    if (m == NULL || os->map(os, fd, 0, size, &at) < 0) {
        armi_free(m);
        armi_map_count_down();
        return NULL;
    }
    *m = (struct mapping){os, at, size};
    return m;
}

static enum armi_status map_from(struct armi_store *store, const struct armi_hash *hash,
                                 int fd, const struct armi_file_stat *state,
                                 enum armi_verify verify,
                                 const struct armi_parallel *parallel,
                                 struct armi_bytes *out, struct armi_error *err)
{
    struct mapping *m = mapping_new(store->os, fd, (size_t)state->size);
    if (m == NULL)
        return get_from(store, hash, fd, state, verify, parallel, out, err);
    struct armi_bytes bytes = {m->at, m->size, release_mapping, m};
    enum armi_status status = ARMI_OK;
    if (must_hash(store, hash, state, verify)) {
        struct armi_hash found;
        status = armi_blake3_hash_parallel(parallel, m->at, m->size, &found, err);
        if (status == ARMI_OK)
            status = armi_store_judge(store, hash, fd, state, &found, err);
    }
    if (status != ARMI_OK)
        armi_bytes_release(&bytes);
    else
        *out = bytes;
    return status;
}

enum armi_status armi_store_map(struct armi_store *store, const struct armi_hash *hash,
                                enum armi_verify verify,
                                const struct armi_parallel *parallel,
                                struct armi_bytes *out, struct armi_error *err)
{
    int fd;
    struct armi_file_stat state;
    ARMI_TRY(armi_store_open_file(store, hash, &fd, &state, err));
    enum armi_status status = map_from(store, hash, fd, &state, verify, parallel, out, err);
    store->os->close(store->os, fd);
    return status;
}

static enum armi_status hash_file(struct armi_store *store, const struct armi_hash *hash,
                                  int fd, const struct armi_file_stat *state,
                                  const struct armi_parallel *parallel,
                                  struct armi_error *err)
{
    struct armi_hash found;
    ARMI_TRY(
        armi_store_read_whole(store, hash, fd, state->size, parallel, NULL, &found, err));
    return armi_store_judge(store, hash, fd, state, &found, err);
}

enum armi_status armi_store_verify(struct armi_store *store, const struct armi_hash *hash,
                                   const struct armi_parallel *parallel,
                                   struct armi_error *err)
{
    int fd;
    struct armi_file_stat state;
    ARMI_TRY(armi_store_open_file(store, hash, &fd, &state, err));
    enum armi_status status = hash_file(store, hash, fd, &state, parallel, err);
    store->os->close(store->os, fd);
    return status;
}

enum armi_status armi_store_check_present(struct armi_store *store,
                                          const struct armi_hash *hash, uint64_t size,
                                          enum armi_present *out, bool *durable,
                                          struct armi_error *err)
{
    int fd;
    struct armi_file_stat state;
    enum armi_status status = armi_store_open_file(store, hash, &fd, &state, err);
    if (status == ARMI_OK) {
        struct armi_proof *proof = armi_proof_find(store, hash, &state);
        bool sound = proof != NULL && atomic_load(&proof->sound);
        if (durable != NULL)
            *durable = proof != NULL && atomic_load(&proof->name_durable);
        armi_proof_release(proof);
        if (size != UINT64_MAX && state.size != size)
            status = armi_chunk_damaged(hash, err, "its file has another length");
        else if (!sound)
            status = hash_file(store, hash, fd, &state, NULL, err);
        store->os->close(store->os, fd);
    }
    if (status == ARMI_NOT_FOUND)
        *out = ARMI_PRESENT_ABSENT;
    else if (status == ARMI_CORRUPTION || status == ARMI_LIMIT)
        *out = ARMI_PRESENT_DAMAGED;
    else if (status == ARMI_OK)
        *out = ARMI_PRESENT_SOUND;
    else
        return status;
    return ARMI_OK;
}
