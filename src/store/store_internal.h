/*
 * What the files of this folder share: the store itself, and its memory of which files
 * were proved.
 *
 * One process-wide mutex (armi_store_lock) guards every store's memory, tables and
 * folders in tmp/; it is never held over the reading of a chunk. A fork takes it first,
 * so that a child finds everything whole, and needs no repair but a folder of its own in
 * tmp/ (I9).
 */
#ifndef ARMI_STORE_STORE_INTERNAL_H
#define ARMI_STORE_STORE_INTERNAL_H

#include <stdatomic.h>

#include "base/map.h"
#include "hash/block_values.h"
#include "store/chunk.h"
#include "store/store.h"

void armi_store_lock(void);
void armi_store_unlock(void);

/*
 * What is known of one state of one chunk's file. Flags only ever go from false to true;
 * a file that changes is another state, and gets another proof.
 */
struct armi_proof {
    struct armi_proof *next;          /* in its bucket */
    struct armi_proof *newer, *older; /* by last use */
    struct armi_hash hash;
    struct armi_file_stat state;
    _Atomic unsigned refs;
    bool is_listed;           /* in the table; under the lock */
    atomic_bool sound;        /* the whole file was hashed, and has its name */
    atomic_bool damaged;      /* some of it was hashed, and has not */
    atomic_bool name_durable; /* this process saw its name synced */
    atomic_bool has_values;   /* `values` and `blocks` are set, for good */
    struct armi_block_values values;
    _Atomic uint8_t *blocks; /* a bit a block: hashed and found right */
};

#define ARMI_PROOF_BUCKETS 4096

struct armi_proof_table {
    struct armi_proof *buckets[ARMI_PROOF_BUCKETS];
    struct armi_proof *newest, *oldest;
    size_t bytes;
};

/*
 * The proof of this state of the file, made if there is none; owned:
 * armi_proof_release(). Where the state is too young to be told from the next, it is the
 * caller's alone. NULL when there is no memory.
 */
struct armi_proof *armi_proof_get(struct armi_store *store, const struct armi_hash *hash,
                                  const struct armi_file_stat *state);
/* What is known of the state, or NULL. For looking only. */
struct armi_proof *armi_proof_find(struct armi_store *store, const struct armi_hash *hash,
                                   const struct armi_file_stat *state);
/* Remembers that the name of this file was synced, if there is memory. */
void armi_proof_note_name(struct armi_store *store, const struct armi_hash *hash,
                          const struct armi_file_stat *state);
void armi_proof_retain(struct armi_proof *proof);
void armi_proof_release(struct armi_proof *proof);
/* Moves the values in, unless it has some; false when there is no memory for the bits. */
bool armi_proof_set_values(struct armi_store *store, struct armi_proof *proof,
                           struct armi_block_values *values);
bool armi_proof_block_get(const struct armi_proof *proof, size_t block);
void armi_proof_block_set(struct armi_proof *proof, size_t block);
void armi_proof_table_release(struct armi_proof_table *table);

#define ARMI_TMP_NAME_SIZE 33 /* 32 hex digits and a zero byte */

/* This handle's folder in tmp/, and the lock that keeps it. */
struct armi_tmp {
    bool is_made;
    uint64_t generation;
    int dir;
    int lock;
    char name[ARMI_TMP_NAME_SIZE];
};

struct armi_store {
    const struct armi_os *os;
    _Atomic unsigned refs;
    char *path;
    int chunks;
    int tmp_root;
    enum armi_durability durability;
    bool no_verify;
    bool read_only;
    atomic_bool is_poisoned; /* an fsync of chunks/ failed: nothing more is written */
    struct armi_tmp tmp;
    _Atomic uint64_t next_temp;
    struct armi_map marked; /* hash -> 1 while the catalog says that it is damaged */
    struct armi_proof_table proofs;
};

/* The folder to write temporary files in, made at the first call; *dir is borrowed. */
enum armi_status armi_store_tmp(struct armi_store *store, int *dir, uint64_t *generation,
                                struct armi_error *err);
void armi_store_tmp_release(struct armi_store *store);
/* Removes what dead processes left. Whatever cannot be removed stays. */
void armi_store_tmp_sweep(struct armi_store *store);
/* A name for a file in the handle's own folder. */
void armi_store_temp_name(uint64_t number, char name[ARMI_TMP_NAME_SIZE]);

/* ARMI_OK, or why this handle does not write. */
enum armi_status armi_store_check_writable(const struct armi_store *store,
                                           struct armi_error *err);

void armi_chunk_name(const struct armi_hash *hash, char name[ARMI_CHUNK_NAME_SIZE]);

/*
 * Opens a chunk's file for reading and looks at it: ARMI_NOT_FOUND, ARMI_CORRUPTION (no
 * regular file), ARMI_LIMIT, ARMI_STORAGE.
 */
enum armi_status armi_store_open_file(struct armi_store *store,
                                      const struct armi_hash *hash, int *fd,
                                      struct armi_file_stat *state, struct armi_error *err);

/*
 * Reads [0, size) of a file, into `out` unless it is NULL, and hashes it unless `name` is
 * NULL; large files in parallel, each piece hashed while it is in the cache. A file that
 * ends early is ARMI_CORRUPTION.
 */
enum armi_status armi_store_read_whole(struct armi_store *store,
                                       const struct armi_hash *hash, int fd, uint64_t size,
                                       const struct armi_parallel *parallel, uint8_t *out,
                                       struct armi_hash *name, struct armi_error *err);

/*
 * Compares what a whole file hashed to with its name, and remembers the answer if the
 * file is still in `state`. ARMI_CORRUPTION.
 */
enum armi_status armi_store_judge(struct armi_store *store, const struct armi_hash *hash,
                                  int fd, const struct armi_file_stat *state,
                                  const struct armi_hash *found, struct armi_error *err);

enum armi_present {
    ARMI_PRESENT_ABSENT,
    ARMI_PRESENT_SOUND,
    ARMI_PRESENT_DAMAGED, /* something stands there that ours may replace */
};

/*
 * Whether a sound file stands under the name, hashing it whole once for each state (I2,
 * I4). A size of UINT64_MAX means that the caller does not know how large it ought to be.
 * *durable (nullable): this process has seen the name synced.
 */
enum armi_status armi_store_check_present(struct armi_store *store,
                                          const struct armi_hash *hash, uint64_t size,
                                          enum armi_present *out, bool *durable,
                                          struct armi_error *err);

/* At most so many maps at once in the process; false = make a copy instead. */
bool armi_map_count_up(void);
void armi_map_count_down(void);

/* An open file as a chunk: takes fd (closes it on failure too). For chunks that have no
 * name yet. */
enum armi_status armi_chunk_open_file(struct armi_store *store,
                                      const struct armi_hash *hash, int fd,
                                      const struct armi_file_stat *state,
                                      const struct armi_chunk_options *options,
                                      struct armi_chunk **out, struct armi_error *err);

#endif
