/*
 * Writing chunks (I1). Adding writes a file in tmp/ and starts its way to the disk;
 * nothing is named. Syncing then makes all of it durable, in this order: fsync each file,
 * rename each to its name without replacing, fsync the folder once. A crash at any moment
 * leaves whole files under names, and rubbish in tmp/ only.
 *
 * A chunk that is already there is not written: its file is hashed whole once for each
 * state of it, and the sync makes its name durable (I2). If it turns out damaged, ours
 * replaces it.
 */
#ifndef ARMI_STORE_BATCH_H
#define ARMI_STORE_BATCH_H

#include "store/chunk.h"
#include "store/store.h"

struct armi_store_batch;

/* *out is owned: armi_store_batch_free(), which drops whatever was not synced. */
enum armi_status armi_store_batch_begin(struct armi_store *store,
                                        struct armi_store_batch **out,
                                        struct armi_error *err);
void armi_store_batch_free(struct armi_store_batch *batch);

enum armi_chunk_put {
    ARMI_CHUNK_NEW,      /* written */
    ARMI_CHUNK_PRESENT,  /* there already, here or earlier in the batch */
    ARMI_CHUNK_REPAIRED, /* written, and will replace a damaged file */
};

/*
 * Adds one chunk: `parts` in order are its bytes, borrowed for the call and never
 * concatenated, and `hash` is their BLAKE3, which the caller computed over them. From
 * many threads at once. *what may be NULL. After a failure the batch can only be freed.
 */
enum armi_status armi_store_batch_add(struct armi_store_batch *batch,
                                      const struct armi_hash *hash,
                                      const struct armi_slice *parts, size_t count,
                                      enum armi_chunk_put *what, struct armi_error *err);

/*
 * Takes a chunk that the caller has no bytes of, found by its hash elsewhere (another
 * branch, a remote's list): *present says whether a sound file is there, after hashing it
 * whole as above.
 */
enum armi_status armi_store_batch_adopt(struct armi_store_batch *batch,
                                        const struct armi_hash *hash, bool *present,
                                        struct armi_error *err);

/* A chunk that was added, readable before it has a name; else as armi_chunk_open. */
enum armi_status armi_store_batch_open_chunk(struct armi_store_batch *batch,
                                             const struct armi_hash *hash,
                                             const struct armi_chunk_options *options,
                                             struct armi_chunk **out,
                                             struct armi_error *err);

/*
 * Makes durable and visible what was added since the last sync. May be called again after
 * more was added. After a failure the batch can only be freed; chunks that got their name
 * keep it, whole.
 */
enum armi_status armi_store_batch_sync(struct armi_store_batch *batch,
                                       struct armi_error *err);

/* Asked between files by a sync, on the calling thread. NULL = none; borrowed for the
 * batch's life. */
void armi_store_batch_set_interrupt(struct armi_store_batch *batch,
                                    const struct armi_interrupt *interrupt);

struct armi_store_batch_stats {
    uint64_t chunks_written, bytes_written;
    uint64_t chunks_reused, bytes_reused;
};

void armi_store_batch_stats(struct armi_store_batch *batch,
                            struct armi_store_batch_stats *out);

#endif
