/*
 * An open chunk: pieces of it are read and proved without reading the rest (I4).
 *
 * The footer's last key holds the hashes of the blocks before it. Opening proves the tail
 * and these values against the chunk's name; a read hashes the blocks that it touches, in
 * the very buffer that it hands on, and compares. What was proved is remembered in the
 * store by (device, inode, size, mtime, ctime) and block, for all who open the same file
 * later. Without the key, or when it does not lead to the name, the file is hashed whole
 * once, and the name decides.
 *
 * A chunk may be used from many threads, and lives as long as one owner does. In a forked
 * child reads go on: only locks and mutexes are left behind.
 */
#ifndef ARMI_STORE_CHUNK_H
#define ARMI_STORE_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

#include <armillaria/bytes.h>
#include <armillaria/hash.h>

#include "base/error.h"
#include "base/source.h"

struct armi_chunk;
struct armi_store;

/* What a chunk reference knows; NULL or zeros where nothing is known. */
struct armi_chunk_options {
    uint64_t file_size;   /* a file of another size is ARMI_CORRUPTION */
    uint64_t footer_size; /* of the Parquet footer: saves a second read at open */
    bool no_verify;       /* hand out what the file holds */
};

/*
 * Opens and proves the tail. *out is owned: armi_chunk_release(). ARMI_NOT_FOUND,
 * ARMI_CORRUPTION, ARMI_STORAGE, ARMI_LIMIT (over ARMI_CHUNK_FILE_MAX), ARMI_NO_MEMORY.
 */
enum armi_status armi_chunk_open(struct armi_store *store, const struct armi_hash *hash,
                                 const struct armi_chunk_options *options,
                                 struct armi_chunk **out, struct armi_error *err);
/*
 * A chunk that lies elsewhere (in the catalog), so that readers see one type. The bytes
 * are moved, and hashed here unless options say no_verify.
 */
enum armi_status armi_chunk_from_bytes(const struct armi_hash *hash,
                                       struct armi_bytes *bytes,
                                       const struct armi_chunk_options *options,
                                       struct armi_chunk **out, struct armi_error *err);
void armi_chunk_retain(struct armi_chunk *chunk);
void armi_chunk_release(struct armi_chunk *chunk);

uint64_t armi_chunk_size(const struct armi_chunk *chunk);
const struct armi_hash *armi_chunk_hash(const struct armi_chunk *chunk);

/* Bytes [offset, offset + size), proved. ARMI_INVALID if they do not lie within the
 * chunk. */
enum armi_status armi_chunk_read(struct armi_chunk *chunk, uint64_t offset, size_t size,
                                 uint8_t *out, struct armi_error *err);
/*
 * The same in place, in a mapping of the whole file, borrowed until the chunk is
 * released. *out is NULL where no mapping is to be had (too many, or the system refuses):
 * read then.
 */
enum armi_status armi_chunk_map(struct armi_chunk *chunk, uint64_t offset, size_t size,
                                const uint8_t **out, struct armi_error *err);

/* The chunk as the decoder wants it. Borrows the chunk; retain and release count its
 * owners. */
void armi_chunk_source(struct armi_chunk *chunk, struct armi_source *out);

#endif
