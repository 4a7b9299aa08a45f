/*
 * Content-addressed chunks on a file system: chunks/<hash>.parquet, each named by the
 * BLAKE3 of its bytes. Bytes go in by a batch (store/batch.h) and come out whole (here)
 * or in verified pieces (store/chunk.h). The store knows nothing of Parquet but where a
 * footer says what blocks hash to (I4), and nothing of refs: what is garbage, and which
 * chunks live in the catalog instead, is decided above.
 *
 * Kept here: a chunk has its final name only when its bytes are durable (I1); who finds a
 * name makes it durable before relying on it (I2); a failed fsync is final (I5); no
 * symbolic link is followed (I7); nothing waits for a writer (I8); a forked child starts
 * anew (I9).
 *
 * A store may be used from many threads. It is reference-counted, since what was read
 * from it (open chunks, mappings) outlives the handle.
 */
#ifndef ARMI_STORE_STORE_H
#define ARMI_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <armillaria/chunk_store.h>

#include "base/error.h"
#include "base/pool.h"
#include "os/os.h"

#define ARMI_STORE_CHUNKS_DIR "chunks"
#define ARMI_STORE_TMP_DIR    "tmp"
#define ARMI_CHUNK_SUFFIX     ".parquet"
/* 64 digits, the suffix and a zero byte. */
#define ARMI_CHUNK_NAME_SIZE (ARMI_HASH_HEX_SIZE - 1 + sizeof ARMI_CHUNK_SUFFIX)

struct armi_store;

struct armi_store_options {
    const struct armi_os *os;        /* NULL = armi_os_posix(); outlives the store */
    enum armi_durability durability; /* DEFAULT is FULL; NONE issues no fsync at all */
    bool no_verify; /* reads trust the files, but for those that say "verified" */
    bool read_only;
};

/*
 * Makes chunks/, tmp/ and lock in an open folder, and the names durable. What is there
 * already is left alone. The name of the folder itself is the caller's to make durable.
 */
enum armi_status armi_store_create(const struct armi_os *os, int root,
                                   enum armi_durability durability, struct armi_error *err);

/*
 * Opens the store in `root`, an open folder that the caller may close afterwards; `path`
 * names it in messages. Sweeps tmp/ unless it is read-only. *out is owned:
 * armi_store_release(). ARMI_NOT_FOUND: there is no chunks/ in it.
 */
enum armi_status armi_store_open(int root, const char *path,
                                 const struct armi_store_options *options,
                                 struct armi_store **out, struct armi_error *err);
void armi_store_retain(struct armi_store *store);
/* The last one closes. NULL is allowed. */
void armi_store_release(struct armi_store *store);

const char *armi_store_path(const struct armi_store *store);

/* How a read is proved. */
enum armi_verify {
    ARMI_VERIFY_ONCE,   /* hashed unless this file state was hashed before; not at all with
                           no_verify */
    ARMI_VERIFY_ALWAYS, /* hashed in any case */
    ARMI_VERIFY_NEVER,
};

/*
 * A whole chunk in memory of its own, or mapped (a copy beyond the process's limit of
 * maps). ARMI_ NOT_FOUND "Chunk not found: <hex>", ARMI_CORRUPTION, ARMI_LIMIT,
 * ARMI_STORAGE, ARMI_NO_MEMORY. Large chunks are hashed on the pool; `parallel` may be
 * NULL.
 */
enum armi_status armi_store_get(struct armi_store *store, const struct armi_hash *hash,
                                enum armi_verify verify,
                                const struct armi_parallel *parallel,
                                struct armi_bytes *out, struct armi_error *err);
enum armi_status armi_store_map(struct armi_store *store, const struct armi_hash *hash,
                                enum armi_verify verify,
                                const struct armi_parallel *parallel,
                                struct armi_bytes *out, struct armi_error *err);

/*
 * Whether a regular file stands under the name that is not known to be damaged (by this
 * handle, or by armi_store_mark_damaged). Reads no bytes, unless it was marked: then it
 * is hashed once for each state of its file.
 */
enum armi_status armi_store_exists(struct armi_store *store, const struct armi_hash *hash,
                                   bool *out, struct armi_error *err);
/* Size and times of the file. ARMI_NOT_FOUND, ARMI_CORRUPTION (no regular file). */
enum armi_status armi_store_stat(struct armi_store *store, const struct armi_hash *hash,
                                 struct armi_file_stat *out, struct armi_error *err);
/* Reads and hashes the file now, in pieces; remembers the answer. For `verify`. */
enum armi_status armi_store_verify(struct armi_store *store, const struct armi_hash *hash,
                                   const struct armi_parallel *parallel,
                                   struct armi_error *err);
/* What the catalog recorded as damaged (or as repaired, false) counts as absent until it
 * hashes right. */
enum armi_status armi_store_mark_damaged(struct armi_store *store,
                                         const struct armi_hash *hash, bool damaged,
                                         struct armi_error *err);

/*
 * Unlinks; silently if it is absent. Who may, and when, is the caller's to know (I6).
 * Durable after armi_store_sync_names().
 */
enum armi_status armi_store_delete(struct armi_store *store, const struct armi_hash *hash,
                                   struct armi_error *err);
/* fsync of the chunks folder; nothing with durability none. A failure is final: the
 * handle then refuses to write. */
enum armi_status armi_store_sync_names(struct armi_store *store, struct armi_error *err);

/* Every chunk file's name, in no order; other files are passed over. A failure of fn ends
 * the walk. */
typedef enum armi_status (*armi_store_list_fn)(void *ctx, const struct armi_hash *hash,
                                               struct armi_error *err);
enum armi_status armi_store_list(struct armi_store *store, armi_store_list_fn fn, void *ctx,
                                 struct armi_error *err);

/*
 * A scratch file without a name in tmp/, for spilling: gone when closed (store's
 * os->close), and with the process.
 */
enum armi_status armi_store_spill_open(struct armi_store *store, int *out_fd,
                                       struct armi_error *err);

/* "Chunk not found: <hex>", with kind and name set. Also for those who keep chunks
 * elsewhere. */
enum armi_status armi_chunk_not_found(const struct armi_hash *hash, struct armi_error *err);
/* "Chunk <hex> is damaged: <text>", ARMI_CORRUPTION, with kind and name set. */
ARMI_PRINTF(3, 4)
enum armi_status armi_chunk_damaged(const struct armi_hash *hash, struct armi_error *err,
                                    const char *format, ...);

#endif
