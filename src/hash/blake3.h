/*
 * BLAKE3: names of chunks and nodes, fingerprints, and the values of subtrees that let a reader prove
 * a part of a file (I4). The struct is the caller's; nothing here allocates or fails, but for the
 * parallel form. A struct may be copied at any moment; both copies go on alone. One struct is for one
 * thread at a time.
 *
 * Terms: a leaf is 1,024 bytes of input (the paper calls it a chunk, a word that means something else
 * in this project), a block is 64 bytes of it. A chaining value is what a node of the tree hands to
 * its parent: 32 bytes, without the flag that marks the root.
 */
#ifndef ARMI_HASH_BLAKE3_H
#define ARMI_HASH_BLAKE3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <armillaria/hash.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/pool.h"

#define ARMI_BLAKE3_LEAF_SIZE  1024
#define ARMI_BLAKE3_BLOCK_SIZE 64
/* 2^64 bytes are 2^54 leaves; the two newest subtrees wait unmerged. */
#define ARMI_BLAKE3_STACK_MAX 56

struct armi_blake3 {
    uint32_t key[8];
    uint32_t cv[8];      /* of the leaf in progress, after block_count blocks */
    uint64_t first_leaf; /* number of the subtree's first leaf, 0 for a whole input */
    uint64_t leaf;       /* number of the leaf in progress */
    uint32_t flags;
    uint8_t stack_count;
    uint8_t block_count; /* blocks of the leaf that are in cv */
    uint8_t block_size;  /* bytes that wait in block */
    uint8_t block[ARMI_BLAKE3_BLOCK_SIZE];
    struct armi_hash stack[ARMI_BLAKE3_STACK_MAX]; /* finished subtrees, largest first */
};

void armi_blake3_init(struct armi_blake3 *self);
void armi_blake3_init_keyed(struct armi_blake3 *self, const uint8_t key[32]);
/* The context says what the hash is for: fixed text of the program, never data. */
void armi_blake3_init_derive_key(struct armi_blake3 *self, const char *context);
void armi_blake3_update(struct armi_blake3 *self, const void *data, size_t size);
/* The same as one update a piece, but small pieces are gathered and hashed side by side. */
void armi_blake3_update_pieces(struct armi_blake3 *self, const struct armi_slice *pieces,
                               size_t count);
/* Both leave the struct as it is: more may be added, and asked again. */
void armi_blake3_finalize(const struct armi_blake3 *self, struct armi_hash *out);
/* `size` bytes of the endless output from byte `seek` on; its first 32 are the hash. */
void armi_blake3_finalize_seek(const struct armi_blake3 *self, uint64_t seek, uint8_t *out,
                               size_t size);

/* One call. */
void armi_blake3_hash(const void *data, size_t size, struct armi_hash *out);
/* Derive-key mode in one call: names of nodes, the node's type being the context. */
void armi_blake3_derive(const char *context, const void *data, size_t size,
                        struct armi_hash *out);
/*
 * Hash i of input i, `count` of them. Inputs of up to 1 KiB go side by side through the lanes of one
 * kernel call: for many small things, several times faster than one by one.
 */
void armi_blake3_hash_many(const struct armi_slice *inputs, size_t count,
                           struct armi_hash *out);
/*
 * Over the thread pool; worth it from about 1 MiB on, the same as armi_blake3_hash below.
 * ARMI_NO_MEMORY, ARMI_INTERRUPTED.
 */
enum armi_status armi_blake3_hash_parallel(const struct armi_parallel *parallel,
                                           const void *data, size_t size,
                                           struct armi_hash *out, struct armi_error *err);

/*
 * A subtree of plain hashing (no key): its input starts at leaf `first_leaf` of the whole, and is the
 * whole's last or has a power of two of leaves that divides first_leaf.
 */
void armi_blake3_subtree_init(struct armi_blake3 *self, uint64_t first_leaf);
/* The chaining value, never marked as root. At least one byte must have been added. */
void armi_blake3_subtree_finalize(const struct armi_blake3 *self, struct armi_hash *cv);
void armi_blake3_parent(const struct armi_hash *left, const struct armi_hash *right,
                        bool root, struct armi_hash *out);
/*
 * The hash of the whole from the chaining values of its subtrees, all of one power-of-two size but
 * the last, which may be smaller. count >= 2. Works in `values`, whose content is lost.
 */
void armi_blake3_combine(struct armi_hash *values, size_t count, struct armi_hash *root);

#endif
