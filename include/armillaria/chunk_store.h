/*
 * A chunk store: immutable byte strings, named by the BLAKE3-256 of their content, so
 * that equal bytes are stored once and every byte read can be proved. A repository keeps
 * its Parquet files in one (armi_repository_chunks()); a stand-alone store is a folder
 * with chunks/, tmp/ and lock.
 *
 * Promises. A chunk gets its name only when its bytes are durable, so a name never stands
 * over a torn file, whatever is killed or loses power. What put returned for is durable
 * (unless the store was made with durability `none`). What get hands out matches the
 * name, or the call fails with ARMI_CORRUPTION. Putting a chunk again repairs it if its
 * file was damaged.
 *
 * A handle may be used from many threads, and a folder may be open in many processes.
 * After fork() a child may go on using the handle: it opens what it needs anew.
 *
 * Calls on an item that is not there fail with ARMI_NOT_FOUND "Chunk not found: <hash>";
 * err->kind is "chunk" and err->name the 64 hex digits. A call on a batch runs in
 * parallel, keeps the order, accepts repeated items and none at all; when it fails, the
 * error is that of the first item, in the order of the batch, that failed.
 *
 * Read in this order: armi_chunk_store_open, armi_chunk_store_put_batch,
 * armi_chunk_store_get, armi_chunk_store_get_mmap, armi_chunk_store_iterate.
 */
#ifndef ARMILLARIA_CHUNK_STORE_H
#define ARMILLARIA_CHUNK_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <armillaria/bytes.h>
#include <armillaria/call.h>
#include <armillaria/error.h>
#include <armillaria/export.h>
#include <armillaria/hash.h>

#ifdef __cplusplus
extern "C" {
#endif

struct armi_chunk_store;

/* What a power cut may take. Values are pinned. */
enum armi_durability {
    ARMI_DURABILITY_DEFAULT = 0, /* full, or what the folder was made with */
    ARMI_DURABILITY_FULL = 1,    /* nothing that returned */
    ARMI_DURABILITY_NORMAL =
        2, /* the last commits, never a part of one; chunks as with full */
    ARMI_DURABILITY_NONE =
        3, /* anything: for scratch data; fixed when the folder is made */
};

struct armi_chunk_store_options {
    size_t size; /* sizeof(struct armi_chunk_store_options) */
    enum armi_durability
        durability;      /* a store made with none refuses full and normal, and back */
    bool no_create;      /* a folder that is absent or empty is ARMI_NOT_FOUND */
    bool no_verify;      /* get and get_mmap trust the files without hashing them */
    bool read_only;      /* refuse put and delete; implied on a read-only mount */
    bool unsafe_network; /* write on a network file system, against advice */
    unsigned threads;    /* at most so many for a batch; 0 = all cores */
    struct armi_callbacks
        callbacks; /* interrupted is asked in every call; progress never */
};

/*
 * Opens the store at `path`, and makes it when the folder is absent or empty. Sweeps what
 * dead processes left in tmp/. *out is owned: armi_chunk_store_close(). `options` may be
 * NULL.
 *
 * Errors: ARMI_NOT_FOUND (no_create and nothing there) · ARMI_INVALID (the folder holds
 * something else, a repository for one: the message says what; or a durability that the
 * store was not made for) · ARMI_STORAGE · ARMI_NO_MEMORY.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_chunk_store_open(const char *path, const struct armi_chunk_store_options *options,
                      struct armi_chunk_store **out, struct armi_error *err);

/*
 * Frees the handle. Bytes that it handed out stay valid. NULL is allowed. Not for the
 * store of a repository, which closes with it.
 */
ARMI_API void armi_chunk_store_close(struct armi_chunk_store *store);

/* The path as it was given. Borrowed until the handle is closed. */
ARMI_API const char *armi_chunk_store_path(const struct armi_chunk_store *store);

/*
 * Reads a hash from text: 64 lower-case hex digits. Anything else is ARMI_INVALID
 * "Invalid hash: …".
 */
ARMI_API ARMI_MUST_USE enum armi_status armi_chunk_hash_parse(const char *text,
                                                              size_t length,
                                                              struct armi_hash *out,
                                                              struct armi_error *err);

/*
 * Stores the bytes and returns when they are durable: their own fsync and one of the
 * folder. A chunk that is already there is not written again: its file is hashed once by
 * this handle for each state of the file, and replaced if it turns out damaged.
 *
 * Errors: ARMI_LIMIT (over 4 GiB) · ARMI_STORAGE (no space, a read-only folder, a failed
 * fsync: nothing torn is left under a name) · ARMI_CORRUPTION (something that is no file
 * stands under the name and cannot be replaced) · ARMI_INTERRUPTED · ARMI_NO_MEMORY.
 */
ARMI_API ARMI_MUST_USE enum armi_status armi_chunk_store_put(struct armi_chunk_store *store,
                                                             const void *data, size_t size,
                                                             struct armi_hash *out,
                                                             struct armi_error *err);

/* One byte string of a batch, borrowed for the call. */
struct armi_chunk_data {
    const void *data;
    size_t size;
};

/*
 * Stores `count` chunks with one flush of the folder, and returns when all are durable.
 * out_hashes has room for `count`, and is written on success only. On failure some of the
 * chunks may have been stored: whole, and harmless.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_chunk_store_put_batch(struct armi_chunk_store *store,
                           const struct armi_chunk_data *items, size_t count,
                           struct armi_hash *out_hashes, struct armi_error *err);

/*
 * The bytes of a chunk in memory of their own. Verified against the name, once for each
 * state of the file; get_verified reads and verifies every time, whatever no_verify says.
 *
 * Errors: ARMI_NOT_FOUND · ARMI_CORRUPTION (the bytes do not have this hash, or the name
 * stands over a symbolic link or a folder) · ARMI_LIMIT (over 4 GiB) · ARMI_STORAGE ·
 * ARMI_NO_MEMORY.
 */
ARMI_API ARMI_MUST_USE enum armi_status armi_chunk_store_get(struct armi_chunk_store *store,
                                                             const struct armi_hash *hash,
                                                             struct armi_bytes *out,
                                                             struct armi_error *err);
ARMI_API ARMI_MUST_USE enum armi_status
armi_chunk_store_get_verified(struct armi_chunk_store *store, const struct armi_hash *hash,
                              struct armi_bytes *out, struct armi_error *err);

/* `out` has room for `count`, each released on its own; on failure none is filled. */
ARMI_API ARMI_MUST_USE enum armi_status
armi_chunk_store_get_batch(struct armi_chunk_store *store, const struct armi_hash *hashes,
                           size_t count, struct armi_bytes *out, struct armi_error *err);
ARMI_API ARMI_MUST_USE enum armi_status
armi_chunk_store_get_batch_verified(struct armi_chunk_store *store,
                                    const struct armi_hash *hashes, size_t count,
                                    struct armi_bytes *out, struct armi_error *err);

/*
 * The bytes in a read-only mapping of the file, no copy made; verified as
 * armi_chunk_store_get() does. The mapping lives until the bytes are released, also
 * beyond a delete and the handle. With more than 16,384 mappings alive in the process,
 * and for a chunk that a repository keeps in its catalog, the bytes are a copy. A file
 * that others cut short under a mapping is outside the model: touching the lost part
 * raises SIGBUS.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_chunk_store_get_mmap(struct armi_chunk_store *store, const struct armi_hash *hash,
                          struct armi_bytes *out, struct armi_error *err);
ARMI_API ARMI_MUST_USE enum armi_status
armi_chunk_store_get_mmap_batch(struct armi_chunk_store *store,
                                const struct armi_hash *hashes, size_t count,
                                struct armi_bytes *out, struct armi_error *err);

/*
 * Whether the chunk is there; its bytes are not read. One that is known to be damaged is
 * not there.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_chunk_store_exists(struct armi_chunk_store *store, const struct armi_hash *hash,
                        bool *out, struct armi_error *err);

/*
 * Deletes a chunk; silently if it is absent. On the store of a repository: ARMI_MISUSE,
 * gc frees chunks there.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_chunk_store_delete(struct armi_chunk_store *store, const struct armi_hash *hash,
                        struct armi_error *err);

/* The number of chunks: reads the folder. */
ARMI_API ARMI_MUST_USE enum armi_status
armi_chunk_store_count(struct armi_chunk_store *store, uint64_t *out,
                       struct armi_error *err);

/* A walk over the chunks that were there when it began, each once, in the order of their
 * hashes. */
struct armi_chunk_iterator;

ARMI_API ARMI_MUST_USE enum armi_status
armi_chunk_store_iterate(struct armi_chunk_store *store, struct armi_chunk_iterator **out,
                         struct armi_error *err);
/* false at the end. `out` is then untouched. Cannot fail. */
ARMI_API bool armi_chunk_iterator_next(struct armi_chunk_iterator *iterator,
                                       struct armi_hash *out);
ARMI_API void armi_chunk_iterator_free(struct armi_chunk_iterator *iterator);

#ifdef __cplusplus
}
#endif

#endif
