/*
 * Reads of pieces of a chunk, proved block by block (I4).
 *
 * An open chunk has a proof: either the whole file is known to be sound, or the values of
 * its blocks are known and the blocks are proved one by one, the first time that any
 * reader in the process touches them. The tail, which the opener read to find the values,
 * is kept: footers and page indexes are handed out from there.
 *
 * A piece seldom starts and ends with a block. The rest of its first and last block is
 * read into scratch by the same call that fills the caller's buffer, so that each block
 * is hashed from two or three pieces and nothing is copied. Blocks that were proved
 * before need no rest.
 *
 * Why look at the file's state at each read? A remembered proof is of one state; when the
 * file has another, everything is proved anew.
 */
#include "store/chunk.h"

#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/limits.h"
#include "store/store_internal.h"

#define GUESSED_FOOTER (16 * (uint64_t)ARMI_KIB)

/* Proofs of earlier states of the file: readers may still be looking at them. */
struct retired {
    struct retired *next;
    struct armi_proof *proof;
};

struct armi_chunk {
    _Atomic unsigned refs;
    struct armi_store *store; /* NULL: lies in memory alone */
    struct armi_hash hash;
    uint64_t size;
    int fd;
    bool no_verify;
    _Atomic(struct armi_proof *) proof; /* NULL with no_verify and in memory */
    struct retired *retired;            /* under the lock */
    struct armi_bytes kept; /* proved bytes from kept_offset to the end; or none */
    uint64_t kept_offset;
    _Atomic(void *) map; /* of the whole file, made when first asked for */
};

static void release_alloc(struct armi_bytes *bytes)
{
    armi_free(bytes->private_data);
}

static enum armi_status chunk_new(const struct armi_hash *hash, uint64_t size,
                                  struct armi_chunk **out, struct armi_error *err)
{
    struct armi_chunk *chunk = armi_alloc_zero(1, sizeof *chunk);
    if (chunk == NULL)
        return armi_error_no_memory(err);
    chunk->refs = 1;
    chunk->hash = *hash;
    chunk->size = size;
    chunk->fd = -1;
    chunk->kept_offset = size;
    *out = chunk;
    return ARMI_OK;
}

void armi_chunk_retain(struct armi_chunk *chunk)
{
    atomic_fetch_add(&chunk->refs, 1);
}

void armi_chunk_release(struct armi_chunk *chunk)
{
    if (chunk == NULL || atomic_fetch_sub(&chunk->refs, 1) != 1)
        return;
    void *map = atomic_load(&chunk->map);
    if (map != NULL) {
        chunk->store->os->unmap(chunk->store->os, map, (size_t)chunk->size);
        armi_map_count_down();
    }
    if (chunk->fd >= 0)
        chunk->store->os->close(chunk->store->os, chunk->fd);
    armi_proof_release(atomic_load(&chunk->proof));
    while (chunk->retired != NULL) {
        struct retired *r = chunk->retired;
        chunk->retired = r->next;
        armi_proof_release(r->proof);
        armi_free(r);
    }
    armi_bytes_release(&chunk->kept);
    armi_store_release(chunk->store);
    armi_free(chunk);
}

uint64_t armi_chunk_size(const struct armi_chunk *chunk)
{
    return chunk->size;
}

const struct armi_hash *armi_chunk_hash(const struct armi_chunk *chunk)
{
    return &chunk->hash;
}

static enum armi_status size_check(const struct armi_hash *hash, uint64_t size,
                                   const struct armi_chunk_options *options,
                                   struct armi_error *err)
{
    if (options == NULL || options->file_size == 0 || options->file_size == size)
        return ARMI_OK;
    return armi_chunk_damaged(hash, err, "its file has %llu bytes, it should have %llu",
                              (unsigned long long)size,
                              (unsigned long long)options->file_size);
}

enum armi_status armi_chunk_from_bytes(const struct armi_hash *hash,
                                       struct armi_bytes *bytes,
                                       const struct armi_chunk_options *options,
                                       struct armi_chunk **out, struct armi_error *err)
{
    struct armi_bytes moved = *bytes;
    *bytes = (struct armi_bytes)ARMI_BYTES_INIT;
    struct armi_chunk *chunk = NULL;
    struct armi_hash found;
    enum armi_status status = size_check(hash, moved.size, options, err);
    if (status == ARMI_OK && (options == NULL || !options->no_verify)) {
        armi_blake3_hash(moved.data, moved.size, &found);
        if (memcmp(&found, hash, sizeof found) != 0)
            status = armi_chunk_damaged(hash, err, "its bytes do not have this hash");
    }
    if (status == ARMI_OK)
        status = chunk_new(hash, moved.size, &chunk, err);
    if (status != ARMI_OK) {
        armi_bytes_release(&moved);
        return status;
    }
    chunk->kept = moved;
    chunk->kept_offset = 0;
    *out = chunk;
    return ARMI_OK;
}

static enum armi_status read_failed(const struct armi_chunk *chunk, int64_t n,
                                    struct armi_error *err)
{
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(&chunk->hash, hex);
    if (n < 0)
        return armi_error_errno(err, (int)-n, "cannot read chunk %s in '%s'", hex,
                                chunk->store->path);
    return armi_chunk_damaged(&chunk->hash, err,
                              "its file was cut short while it was open");
}

static enum armi_status read_plain(const struct armi_chunk *chunk, uint64_t offset,
                                   size_t size, uint8_t *out, struct armi_error *err)
{
    int64_t n = armi_os_read_full(chunk->store->os, chunk->fd, out, size, offset);
    return n >= 0 && (size_t)n == size ? ARMI_OK : read_failed(chunk, n, err);
}

/* The file's bytes from `from` on, in memory of their own. */
static enum armi_status read_end(const struct armi_chunk *chunk, uint64_t from,
                                 struct armi_bytes *out, struct armi_error *err)
{
    size_t size = (size_t)(chunk->size - from);
    uint8_t *data = armi_alloc(size);
    if (data == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = read_plain(chunk, from, size, data, err);
    if (status != ARMI_OK)
        armi_free(data);
    else
        *out = (struct armi_bytes){data, size, release_alloc, data};
    return status;
}

/*
 * Reads the tail from `start` on, or from where the footer says (hash/block_values.h),
 * and looks for values that lead to the name. On ARMI_BLOCK_PROVED *values is owned. *end
 * holds what was read last.
 */
static enum armi_status find_values(const struct armi_chunk *chunk, uint64_t start,
                                    struct armi_bytes *end,
                                    struct armi_block_values *values,
                                    enum armi_block_answer *answer, struct armi_error *err)
{
    for (;;) {
        uint64_t more = 0;
        armi_bytes_release(end);
        ARMI_TRY(read_end(chunk, start, end, err));
        ARMI_TRY(armi_block_values_open((struct armi_slice){end->data, end->size},
                                        chunk->size, &chunk->hash, values, answer, &more,
                                        err));
        if (*answer != ARMI_BLOCK_MORE)
            return ARMI_OK;
        if (more >= start) { /* cannot be: it only ever asks for earlier bytes */
            *answer = ARMI_BLOCK_WHOLE;
            return ARMI_OK;
        }
        start = more;
    }
}

/* No values: the name decides over the whole file, which may be in `end` already. */
static enum armi_status prove_whole(const struct armi_chunk *chunk,
                                    struct armi_proof *proof, const struct armi_bytes *end,
                                    struct armi_error *err)
{
    struct armi_hash found;
    if (end->size == chunk->size)
        armi_blake3_hash(end->data, end->size, &found);
    else
        ARMI_TRY(armi_store_read_whole(chunk->store, &chunk->hash, chunk->fd, chunk->size,
                                       NULL, NULL, &found, err));
    ARMI_TRY(armi_store_judge(chunk->store, &chunk->hash, chunk->fd, &proof->state, &found,
                              err));
    atomic_store(&proof->sound, true);
    return ARMI_OK;
}

/*
 * Fills the proof of the file's state. What was read for it stays in *end if it is
 * proved: the values' tail, or the whole file.
 */
static enum armi_status prove(const struct armi_chunk *chunk, struct armi_proof *proof,
                              uint64_t footer_size, struct armi_bytes *end,
                              uint64_t *end_offset, struct armi_error *err)
{
    struct armi_block_values values = {0};
    enum armi_block_answer answer = ARMI_BLOCK_WHOLE;
    uint64_t footer = footer_size != 0 ? footer_size : GUESSED_FOOTER;
    uint64_t start = armi_block_tail_offset(chunk->size, footer);
    ARMI_TRY(find_values(chunk, start, end, &values, &answer, err));
    *end_offset = chunk->size - end->size;
    if (answer == ARMI_BLOCK_PROVED) {
        uint64_t proved_from = values.tail_offset;
        bool kept = armi_proof_set_values(chunk->store, proof, &values);
        armi_block_values_release(&values);
        if (*end_offset < proved_from) { /* bytes before it were read, and are not proved */
            end->data += proved_from - *end_offset;
            end->size -= (size_t)(proved_from - *end_offset);
            *end_offset = proved_from;
        }
        return kept ? ARMI_OK : armi_error_no_memory(err);
    }
    ARMI_TRY(prove_whole(chunk, proof, end, err));
    if (*end_offset != 0)
        armi_bytes_release(end); /* the bytes that were hashed were other ones */
    return ARMI_OK;
}

static bool is_proved(const struct armi_proof *proof)
{
    return atomic_load(&proof->sound) || atomic_load(&proof->has_values);
}

static enum armi_status chunk_prove(struct armi_chunk *chunk,
                                    const struct armi_file_stat *state,
                                    uint64_t footer_size, struct armi_error *err)
{
    struct armi_proof *proof = armi_proof_get(chunk->store, &chunk->hash, state);
    if (proof == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = ARMI_OK;
    struct armi_bytes end = ARMI_BYTES_INIT;
    uint64_t end_offset = chunk->size;
    if (!is_proved(proof))
        status = prove(chunk, proof, footer_size, &end, &end_offset, err);
    if (status != ARMI_OK) {
        armi_bytes_release(&end);
        armi_proof_release(proof);
        return status;
    }
    chunk->proof = proof;
    if (end.release != NULL) {
        chunk->kept = end;
        chunk->kept_offset = end_offset;
    }
    return ARMI_OK;
}

enum armi_status armi_chunk_open_file(struct armi_store *store,
                                      const struct armi_hash *hash, int fd,
                                      const struct armi_file_stat *state,
                                      const struct armi_chunk_options *options,
                                      struct armi_chunk **out, struct armi_error *err)
{
    struct armi_chunk *chunk = NULL;
    enum armi_status status = size_check(hash, state->size, options, err);
    if (status == ARMI_OK)
        status = chunk_new(hash, state->size, &chunk, err);
    if (status != ARMI_OK) {
        store->os->close(store->os, fd);
        return status;
    }
    armi_store_retain(store);
    chunk->store = store;
    chunk->fd = fd;
    chunk->no_verify = store->no_verify || (options != NULL && options->no_verify);
    if (!chunk->no_verify)
        status = chunk_prove(chunk, state, options != NULL ? options->footer_size : 0, err);
    if (status != ARMI_OK)
        armi_chunk_release(chunk);
    else
        *out = chunk;
    return status;
}

enum armi_status armi_chunk_open(struct armi_store *store, const struct armi_hash *hash,
                                 const struct armi_chunk_options *options,
                                 struct armi_chunk **out, struct armi_error *err)
{
    int fd;
    struct armi_file_stat state;
    ARMI_TRY(armi_store_open_file(store, hash, &fd, &state, err));
    return armi_chunk_open_file(store, hash, fd, &state, options, out, err);
}

/* Puts a proof of the file's new state in the place of the old one, which readers may
 * still hold. */
static enum armi_status proof_renew(struct armi_chunk *chunk,
                                    const struct armi_file_stat *state,
                                    struct armi_error *err)
{
    struct armi_bytes end = ARMI_BYTES_INIT;
    uint64_t end_offset;
    struct armi_proof *proof = armi_proof_get(chunk->store, &chunk->hash, state);
    struct retired *r = armi_alloc(sizeof *r);
    enum armi_status status =
        proof != NULL && r != NULL ? ARMI_OK : armi_error_no_memory(err);
    if (status == ARMI_OK && !is_proved(proof))
        status = prove(chunk, proof, 0, &end, &end_offset, err);
    armi_bytes_release(&end);
    if (status != ARMI_OK) {
        armi_proof_release(proof);
        armi_free(r);
        return status;
    }
    armi_store_lock();
    r->proof = atomic_exchange(&chunk->proof, proof);
    r->next = chunk->retired;
    chunk->retired = r;
    armi_store_unlock();
    return ARMI_OK;
}

/* The proof of the file as it is now. */
static enum armi_status current_proof(struct armi_chunk *chunk, struct armi_proof **out,
                                      struct armi_error *err)
{
    struct armi_file_stat now;
    int error = chunk->store->os->fstat(chunk->store->os, chunk->fd, &now);
    if (error < 0)
        return read_failed(chunk, error, err);
    if (now.size != chunk->size)
        return armi_chunk_damaged(&chunk->hash, err,
                                  "its file changed its length while it was open");
    if (!armi_file_same(&now, &atomic_load(&chunk->proof)->state))
        ARMI_TRY(proof_renew(chunk, &now, err));
    *out = atomic_load(&chunk->proof);
    return ARMI_OK;
}

static enum armi_status block_damaged(const struct armi_chunk *chunk,
                                      struct armi_proof *proof, size_t block,
                                      struct armi_error *err)
{
    atomic_store(&proof->damaged, true);
    return armi_chunk_damaged(
        &chunk->hash, err, "block %zu of %zu, from byte %llu on, does not have its hash",
        block, proof->values.count + 1, (unsigned long long)block << proof->values.log2);
}

/* Compares one block, given in up to three pieces, and remembers it. */
static enum armi_status block_check(const struct armi_chunk *chunk,
                                    struct armi_proof *proof, size_t block,
                                    const struct armi_slice *pieces, size_t count,
                                    struct armi_error *err)
{
    struct armi_blake3 hasher;
    struct armi_hash value;
    armi_blake3_subtree_init(&hasher, (uint64_t)block << (proof->values.log2 - 10));
    for (size_t i = 0; i < count; i++)
        armi_blake3_update(&hasher, pieces[i].data, pieces[i].size);
    armi_blake3_subtree_finalize(&hasher, &value);
    if (memcmp(&value, &proof->values.values[block], sizeof value) != 0)
        return block_damaged(chunk, proof, block, err);
    armi_proof_block_set(proof, block);
    return ARMI_OK;
}

/* A run of bytes that one call reads: the rest of its first block, what was asked, the
 * rest of its last. */
struct run {
    uint64_t offset; /* of what was asked */
    struct armi_slice before, asked, after;
};

/* The part of block [start, end) in `piece`, which lies at `offset` of the file. */
static struct armi_slice part_in(struct armi_slice piece, uint64_t offset, uint64_t start,
                                 uint64_t end)
{
    uint64_t from = start > offset ? start : offset;
    uint64_t to = end < offset + piece.size ? end : offset + piece.size;
    if (from >= to)
        return (struct armi_slice){piece.data, 0};
    return (struct armi_slice){piece.data + (from - offset), (size_t)(to - from)};
}

static enum armi_status run_check(const struct armi_chunk *chunk, struct armi_proof *proof,
                                  const struct run *run, struct armi_error *err)
{
    unsigned log2 = proof->values.log2;
    uint64_t end = run->offset + run->asked.size;
    for (size_t block = (size_t)(run->offset >> log2); (uint64_t)block << log2 < end;
         block++) {
        if (armi_proof_block_get(proof, block))
            continue;
        uint64_t from = (uint64_t)block << log2, to = from + ((uint64_t)1 << log2);
        struct armi_slice pieces[] = {
            part_in(run->before, run->offset - run->before.size, from, to),
            part_in(run->asked, run->offset, from, to),
            part_in(run->after, end, from, to),
        };
        /* Another thread may have set the bit since the rests were measured, never taken
         * it back. */
        if (pieces[0].size + pieces[1].size + pieces[2].size == to - from)
            ARMI_TRY(block_check(chunk, proof, block, pieces, 3, err));
    }
    return ARMI_OK;
}

/* Bytes before the tail, proved by the values. */
static enum armi_status read_blocks(const struct armi_chunk *chunk,
                                    struct armi_proof *proof, uint64_t offset, size_t size,
                                    uint8_t *out, struct armi_error *err)
{
    unsigned log2 = proof->values.log2;
    uint64_t mask = ((uint64_t)1 << log2) - 1, end = offset + size;
    size_t first = (size_t)(offset >> log2), last = (size_t)((end - 1) >> log2);
    size_t before = armi_proof_block_get(proof, first) ? 0 : (size_t)(offset & mask);
    size_t after = armi_proof_block_get(proof, last) ? 0 : (size_t)(-end & mask);
    uint8_t *scratch = NULL;
    if (before + after > 0) {
        scratch = armi_alloc(before + after);
        if (scratch == NULL)
            return armi_error_no_memory(err);
    }
    const uint8_t *none = out;
    struct run run = {
        offset,
        {before > 0 ? scratch : none, before},
        {out, size},
        {after > 0 ? scratch + before : none, after},
    };
    struct armi_slice parts[] = {run.before, run.asked, run.after};
    enum armi_status status = ARMI_OK;
    int64_t n = armi_os_readv_full(chunk->store->os, chunk->fd, parts, 3, offset - before);
    if (n < 0 || (size_t)n != before + size + after)
        status = read_failed(chunk, n, err);
    if (status == ARMI_OK)
        status = run_check(chunk, proof, &run, err);
    armi_free(scratch);
    return status;
}

enum armi_status armi_chunk_read(struct armi_chunk *chunk, uint64_t offset, size_t size,
                                 uint8_t *out, struct armi_error *err)
{
    if (!armi_span_fits(offset, size, chunk->size))
        return armi_error_set(err, ARMI_INVALID, "a read beyond the end of a chunk");
    if (size > 0 && offset + size > chunk->kept_offset) {
        uint64_t from = offset > chunk->kept_offset ? offset : chunk->kept_offset;
        size_t n = (size_t)(offset + size - from);
        memcpy(out + (from - offset), chunk->kept.data + (from - chunk->kept_offset), n);
        size -= n;
    }
    if (size == 0)
        return ARMI_OK;
    if (chunk->no_verify)
        return read_plain(chunk, offset, size, out, err);
    struct armi_proof *proof;
    ARMI_TRY(current_proof(chunk, &proof, err));
    if (atomic_load(&proof->sound))
        return read_plain(chunk, offset, size, out, err);
    uint64_t tail = proof->values.tail_offset;
    size_t blocks =
        offset >= tail ? 0 : (size_t)(tail - offset < size ? tail - offset : size);
    if (blocks > 0)
        ARMI_TRY(read_blocks(chunk, proof, offset, blocks, out, err));
    if (blocks < size) /* of the tail, which was proved in this state of the file */
        return read_plain(chunk, offset + blocks, size - blocks, out + blocks, err);
    return ARMI_OK;
}

/* The mapping of the whole file, or NULL where none is to be had. */
static const uint8_t *chunk_mapping(struct armi_chunk *chunk)
{
    void *map = atomic_load(&chunk->map);
    if (map != NULL || chunk->store == NULL)
        return map;
    const struct armi_os *os = chunk->store->os;
    void *fresh = NULL;
    if (!armi_map_count_up())
        return NULL;
    if (os->map(os, chunk->fd, 0, (size_t)chunk->size, &fresh) < 0) {
        armi_map_count_down();
        return NULL;
    }
    if (atomic_compare_exchange_strong(&chunk->map, &map, fresh))
        return fresh;
    os->unmap(os, fresh, (size_t)chunk->size); /* another thread was faster */
    armi_map_count_down();
    return map;
}

static enum armi_status map_check(struct armi_chunk *chunk, const uint8_t *map,
                                  uint64_t offset, size_t size, struct armi_error *err)
{
    struct armi_proof *proof;
    ARMI_TRY(current_proof(chunk, &proof, err));
    if (atomic_load(&proof->sound))
        return ARMI_OK;
    unsigned log2 = proof->values.log2;
    uint64_t end = offset + size < proof->values.tail_offset ? offset + size
                                                             : proof->values.tail_offset;
    for (uint64_t block = offset >> log2; block << log2 < end; block++) {
        struct armi_slice bytes = {map + (block << log2), (size_t)1 << log2};
        if (!armi_proof_block_get(proof, (size_t)block))
            ARMI_TRY(block_check(chunk, proof, (size_t)block, &bytes, 1, err));
    }
    return ARMI_OK;
}

enum armi_status armi_chunk_map(struct armi_chunk *chunk, uint64_t offset, size_t size,
                                const uint8_t **out, struct armi_error *err)
{
    if (!armi_span_fits(offset, size, chunk->size))
        return armi_error_set(err, ARMI_INVALID, "a read beyond the end of a chunk");
    if (size == 0 || offset >= chunk->kept_offset) {
        *out = chunk->kept.data != NULL && offset >= chunk->kept_offset
                   ? chunk->kept.data + (offset - chunk->kept_offset)
                   : (const uint8_t *)"";
        return ARMI_OK;
    }
    const uint8_t *map = chunk_mapping(chunk);
    if (map != NULL && !chunk->no_verify)
        ARMI_TRY(map_check(chunk, map, offset, size, err));
    *out = map != NULL ? map + offset : NULL;
    return ARMI_OK;
}

static enum armi_status source_read(void *ctx, uint64_t offset, size_t size, uint8_t *out,
                                    struct armi_error *err)
{
    return armi_chunk_read(ctx, offset, size, out, err);
}

static enum armi_status source_map(void *ctx, uint64_t offset, size_t size,
                                   const uint8_t **out, struct armi_error *err)
{
    return armi_chunk_map(ctx, offset, size, out, err);
}

static void source_retain(void *ctx)
{
    armi_chunk_retain(ctx);
}

static void source_release(void *ctx)
{
    armi_chunk_release(ctx);
}

void armi_chunk_source(struct armi_chunk *chunk, struct armi_source *out)
{
    *out = (struct armi_source){
        .size = chunk->size,
        .ctx = chunk,
        .read = source_read,
        .map = source_map,
        .retain = source_retain,
        .release = source_release,
    };
}
