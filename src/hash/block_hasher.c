/*
 * The writer's side of block values: hashes a file block by block as it is made, no byte twice.
 */
#include "hash/block_values.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#define LEAVES (ARMI_BLOCK_SIZE / ARMI_BLAKE3_LEAF_SIZE)

void armi_block_hasher_init(struct armi_block_hasher *self)
{
    armi_blake3_init(&self->block);
    armi_buf_init(&self->values, 0);
    self->held = 0;
    self->size = 0;
}

void armi_block_hasher_release(struct armi_block_hasher *self)
{
    armi_buf_release(&self->values);
}

/* Files the full block that is held back; one more byte has come. The room is there. */
static void block_close(struct armi_block_hasher *self)
{
    struct armi_hash value;
    armi_blake3_subtree_finalize(&self->block, &value);
    memcpy(self->values.data + self->values.size, &value, sizeof value);
    self->values.size += sizeof value;
    armi_blake3_subtree_init(&self->block, self->size / ARMI_BLAKE3_LEAF_SIZE);
    self->held = 0;
}

/* A cursor over pieces. */
struct cursor {
    const struct armi_slice *piece;
    size_t offset;
};

/* Hashes the next `size` bytes at the cursor, which moves behind them. */
static void cursor_hash(struct cursor *at, size_t size, struct armi_blake3 *into)
{
    enum { MANY = 64 };
    struct armi_slice span[MANY];
    size_t count = 0;
    while (size > 0) {
        size_t left = at->piece->size - at->offset, take = left < size ? left : size;
        if (take != 0)
            span[count++] = (struct armi_slice){at->piece->data + at->offset, take};
        at->offset += take;
        size -= take;
        if (at->offset == at->piece->size) {
            at->piece++;
            at->offset = 0;
        }
        if (count == MANY || size == 0) {
            armi_blake3_update_pieces(into, span, count);
            count = 0;
        }
    }
}

static void cursor_skip(struct cursor *at, size_t size)
{
    while (size > 0) {
        size_t left = at->piece->size - at->offset, take = left < size ? left : size;
        at->offset += take;
        size -= take;
        if (at->offset == at->piece->size) {
            at->piece++;
            at->offset = 0;
        }
    }
}

static size_t pieces_size(const struct armi_slice *pieces, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].size;
    return size;
}

/* Room for the value of every block that `size` more bytes can close, and the last one's. */
static enum armi_status values_reserve(struct armi_block_hasher *self, size_t size,
                                       struct armi_error *err)
{
    return armi_buf_reserve(&self->values, (size / ARMI_BLOCK_SIZE + 2) * ARMI_HASH_SIZE,
                            err);
}

/* The next `size` bytes, one after the other. */
static void hash_serial(struct armi_block_hasher *self, struct cursor *at, size_t size)
{
    while (size > 0) {
        if (self->held == ARMI_BLOCK_SIZE)
            block_close(self);
        size_t room = ARMI_BLOCK_SIZE - self->held, take = room < size ? room : size;
        cursor_hash(at, take, &self->block);
        self->held += take;
        self->size += take;
        size -= take;
    }
}

enum armi_status armi_block_hasher_update(struct armi_block_hasher *self,
                                          const struct armi_slice *pieces, size_t count,
                                          struct armi_error *err)
{
    struct cursor at = {pieces, 0};
    size_t size = pieces_size(pieces, count);
    ARMI_TRY(values_reserve(self, size, err));
    hash_serial(self, &at, size);
    return ARMI_OK;
}

struct blocks {
    const struct cursor *starts;
    uint64_t first_leaf;
    uint8_t *values;
};

static enum armi_status block_hash(void *ctx, size_t index, unsigned worker,
                                   struct armi_error *err)
{
    const struct blocks *blocks = ctx;
    struct cursor at = blocks->starts[index];
    struct armi_blake3 block;
    struct armi_hash value;
    (void)worker;
    (void)err;
    armi_blake3_subtree_init(&block, blocks->first_leaf + index * LEAVES);
    cursor_hash(&at, ARMI_BLOCK_SIZE, &block);
    armi_blake3_subtree_finalize(&block, &value);
    memcpy(blocks->values + index * ARMI_HASH_SIZE, &value, sizeof value);
    return ARMI_OK;
}

/* `count` whole blocks at the cursor, none of them the file's last. */
static enum armi_status hash_blocks(struct armi_block_hasher *self,
                                    const struct armi_parallel *parallel, struct cursor *at,
                                    size_t count, struct armi_error *err)
{
    if (self->held == ARMI_BLOCK_SIZE)
        block_close(self);
    struct cursor *starts = armi_alloc_array(count, sizeof *starts);
    if (starts == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        starts[i] = *at;
        cursor_skip(at, ARMI_BLOCK_SIZE);
    }
    struct blocks blocks = {starts, self->size / ARMI_BLAKE3_LEAF_SIZE,
                            self->values.data + self->values.size};
    enum armi_status status = armi_pool_run(parallel, count, block_hash, &blocks, err);
    armi_free(starts);
    if (status != ARMI_OK)
        return status;
    self->values.size += count * ARMI_HASH_SIZE;
    self->size += (uint64_t)count * ARMI_BLOCK_SIZE;
    armi_blake3_subtree_init(&self->block, self->size / ARMI_BLAKE3_LEAF_SIZE);
    return ARMI_OK;
}

enum armi_status armi_block_hasher_update_parallel(struct armi_block_hasher *self,
                                                   const struct armi_parallel *parallel,
                                                   const struct armi_slice *pieces,
                                                   size_t count, struct armi_error *err)
{
    struct cursor at = {pieces, 0};
    size_t size = pieces_size(pieces, count);
    size_t fill = (ARMI_BLOCK_SIZE - self->held) % ARMI_BLOCK_SIZE;
    ARMI_TRY(values_reserve(self, size, err));
    if (size > fill + 2 * ARMI_BLOCK_SIZE) {
        hash_serial(self, &at, fill);
        size -= fill;
        size_t whole = (size - 1) / ARMI_BLOCK_SIZE; /* at least a byte stays behind them */
        ARMI_TRY(hash_blocks(self, parallel, &at, whole, err));
        size -= whole * ARMI_BLOCK_SIZE;
    }
    hash_serial(self, &at, size);
    return ARMI_OK;
}

enum armi_status armi_block_hasher_text(const struct armi_block_hasher *self,
                                        struct armi_buf *text, struct armi_error *err)
{
    static const char head[] = {
        'b', '3', '-', '0' + ARMI_BLOCK_LOG2 / 10, '0' + ARMI_BLOCK_LOG2 % 10, ':'};
    size_t count = (size_t)(self->size / ARMI_BLOCK_SIZE), size = count * ARMI_HASH_SIZE;
    if (count == 0)
        return ARMI_OK;
    uint8_t *values = armi_alloc(size), *at;
    if (values == NULL)
        return armi_error_no_memory(err);
    memcpy(values, self->values.data, self->values.size);
    if (self->values.size < size) { /* the footer starts where a block ends */
        struct armi_hash value;
        armi_blake3_subtree_finalize(&self->block, &value);
        memcpy(values + self->values.size, &value, sizeof value);
    }
    enum armi_status status =
        armi_buf_extend(text, sizeof head + armi_base64_size(size), &at, err);
    if (status == ARMI_OK) {
        memcpy(at, head, sizeof head);
        armi_base64_encode(values, size, (char *)at + sizeof head);
    }
    armi_free(values);
    return status;
}

void armi_block_hasher_finalize(struct armi_block_hasher *self, struct armi_hash *name)
{
    if (self->values.size == 0) { /* one block: the root is inside it */
        armi_blake3_finalize(&self->block, name);
        return;
    }
    block_close(self);
    armi_blake3_combine((struct armi_hash *)(void *)self->values.data,
                        self->values.size / ARMI_HASH_SIZE, name);
    self->values.size = 0;
}
