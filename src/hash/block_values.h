/*
 * Verified projection (I4): the values of a chunk file's blocks, which its footer carries so that a
 * reader can prove the blocks it touches without reading the others.
 *
 * A block is 2^17 bytes of the file. Its value is the chaining value of its subtree of the BLAKE3 tree
 * of the file, never marked as root. The key/value metadata of the footer holds, under the key
 * ARMI_BLOCK_KEY, the values of the k = f / 2^17 blocks that lie wholly before the footer's start f, as
 * text "b3-17:" and base64. The rest of the file, from the end of the k-th block on, is the tail: every
 * reader hashes it, and it holds the values, so that values and tail together give the file's name or
 * are not believed.
 */
#ifndef ARMI_HASH_BLOCK_VALUES_H
#define ARMI_HASH_BLOCK_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <armillaria/hash.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/pool.h"
#include "hash/blake3.h"

#define ARMI_BLOCK_KEY      "armi.blake3"
#define ARMI_BLOCK_LOG2     17 /* what writers use */
#define ARMI_BLOCK_LOG2_MIN 14 /* what readers accept */
#define ARMI_BLOCK_LOG2_MAX 24
#define ARMI_BLOCK_SIZE     ((size_t)1 << ARMI_BLOCK_LOG2)

/*
 * The writer's side. All bytes of the file are given once, in order. When those before the footer
 * have been given, armi_block_hasher_text gives what the footer must carry; then the footer, its
 * length and the magic are given, and armi_block_hasher_finalize gives the file's name. After a
 * failure only release is allowed.
 */
struct armi_block_hasher {
    struct armi_blake3
        block; /* the newest block, held back even when it is full: it may be the last */
    struct armi_buf values; /* of the blocks before it, with room for one more */
    size_t held;            /* bytes in block, ARMI_BLOCK_SIZE at most */
    uint64_t size;          /* bytes so far */
};

void armi_block_hasher_init(struct armi_block_hasher *self);
void armi_block_hasher_release(struct armi_block_hasher *self);
/* ARMI_NO_MEMORY. */
enum armi_status armi_block_hasher_update(struct armi_block_hasher *self,
                                          const struct armi_slice *pieces, size_t count,
                                          struct armi_error *err);
/* The same, one block a task of the pool. ARMI_NO_MEMORY, ARMI_INTERRUPTED. */
enum armi_status armi_block_hasher_update_parallel(struct armi_block_hasher *self,
                                                   const struct armi_parallel *parallel,
                                                   const struct armi_slice *pieces,
                                                   size_t count, struct armi_error *err);
/* Appends the text for a footer that starts here; nothing while no block is complete. */
enum armi_status armi_block_hasher_text(const struct armi_block_hasher *self,
                                        struct armi_buf *text, struct armi_error *err);
/* Once, at the end: the values are used up. */
void armi_block_hasher_finalize(struct armi_block_hasher *self, struct armi_hash *name);

/* Where the tail of a file starts, which is how far a reader's first read must reach back; 0 when
 * the sizes make no sense, or no block lies before the footer: then the tail is the file. */
uint64_t armi_block_tail_offset(uint64_t file_size, uint64_t footer_size);

enum armi_block_answer {
    ARMI_BLOCK_PROVED, /* the tail and the values belong to the name */
    ARMI_BLOCK_WHOLE, /* no values, or none that can be believed: hash the whole file, and the name
                          decides */
    ARMI_BLOCK_MORE, /* the tail starts at *tail_offset, before the bytes that were given */
};

/* Proved values. A proved open says nothing of blocks that were not verified. */
struct armi_block_values {
    struct armi_hash *values;
    size_t count;  /* k */
    unsigned log2; /* of the block size */
    uint64_t file_size;
    uint64_t tail_offset; /* count << log2: bytes from here on are proved */
};

void armi_block_values_release(struct armi_block_values *self);
/*
 * `end` holds the last bytes of a file of file_size bytes. Nothing of it is decoded but the values,
 * which are looked for by pattern. On ARMI_BLOCK_PROVED *out is filled (release it), on
 * ARMI_BLOCK_MORE *tail_offset. ARMI_NO_MEMORY.
 */
enum armi_status armi_block_values_open(struct armi_slice end, uint64_t file_size,
                                        const struct armi_hash *name,
                                        struct armi_block_values *out,
                                        enum armi_block_answer *answer,
                                        uint64_t *tail_offset, struct armi_error *err);
/* Whether `block`, 2^log2 bytes, is block `index` of the file, index < count. Decode from the same
 * buffer: a second read may give other bytes. */
bool armi_block_values_verify(const struct armi_block_values *self, size_t index,
                              const uint8_t *block);

#endif
