/*
 * The reader's side of block values. What comes in is not trusted: the sizes are arithmetic on the
 * file's last eight bytes, the text's length follows from them, and whatever is found is believed only
 * if values and tail combine to the name.
 */
#include "hash/block_values.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/text.h"

#define TRAILER  8  /* footer length and magic */
#define FILE_MIN 12 /* magic and trailer */
/* Compact Thrift: field 1, string of 11 bytes; field 2, string of a length that follows. */
#define KEY_HEAD       "\x18\x0b" ARMI_BLOCK_KEY "\x18"
#define KEY_SIZE       (sizeof KEY_HEAD - 1)
#define TEXT_HEAD_SIZE 6 /* "b3-17:" */

void armi_block_values_release(struct armi_block_values *self)
{
    armi_free(self->values);
    self->values = NULL;
    self->count = 0;
}

uint64_t armi_block_tail_offset(uint64_t file_size, uint64_t footer_size)
{
    if (file_size < FILE_MIN || footer_size > file_size - FILE_MIN)
        return 0;
    return (file_size - TRAILER - footer_size) >> ARMI_BLOCK_LOG2 << ARMI_BLOCK_LOG2;
}

struct found {
    unsigned log2;
    size_t count;
    const char *base64;
};

/* Reads what follows KEY_HEAD: varint(length) "b3-" two digits ":" base64, in bounds, the length being
 * that of f >> log2 values. Base64 itself is checked when it is decoded. */
static bool key_parse(struct armi_reader at, uint64_t footer_start, struct found *out)
{
    uint64_t length;
    const uint8_t *text;
    if (!armi_read_varint(&at, &length) || length > armi_reader_left(&at) ||
        length <= TEXT_HEAD_SIZE || !armi_read_span(&at, (size_t)length, &text))
        return false;
    if (memcmp(text, "b3-", 3) != 0 || text[5] != ':' || text[3] < '1' || text[3] > '2' ||
        text[4] < '0' || text[4] > '9')
        return false;
    unsigned log2 = (unsigned)(text[3] - '0') * 10 + (unsigned)(text[4] - '0');
    if (log2 < ARMI_BLOCK_LOG2_MIN || log2 > ARMI_BLOCK_LOG2_MAX)
        return false;
    uint64_t count = footer_start >> log2;
    if (count == 0 || count > length || /* the second bounds the product */
        length != TEXT_HEAD_SIZE + armi_base64_size((size_t)count * ARMI_HASH_SIZE))
        return false;
    *out = (struct found){log2, (size_t)count, (const char *)text + TEXT_HEAD_SIZE};
    return true;
}

/* The last key of the writers' block size in the footer, else the last of another one. */
static bool key_find(struct armi_slice footer, uint64_t footer_start, struct found *out)
{
    bool has_other = false;
    for (size_t size = footer.size; size >= KEY_SIZE; size--) {
        const uint8_t *end = footer.data + size; /* behind a head, if there is one */
        struct found found;
        if (end[-1] != 0x18 || memcmp(end - KEY_SIZE, KEY_HEAD, KEY_SIZE) != 0)
            continue;
        struct armi_reader at = {end, footer.data + footer.size};
        if (!key_parse(at, footer_start, &found))
            continue;
        if (found.log2 == ARMI_BLOCK_LOG2) {
            *out = found;
            return true;
        }
        if (!has_other)
            *out = found;
        has_other = true;
    }
    return has_other;
}

/* Values of the blocks of the tail, behind those that were stored. */
static void tail_hash(struct armi_slice tail, unsigned log2, size_t first,
                      struct armi_hash *values)
{
    size_t block = (size_t)1 << log2;
    for (size_t i = 0, at = 0; at < tail.size; i++, at += block) {
        struct armi_blake3 self;
        armi_blake3_subtree_init(&self, (uint64_t)(first + i) << (log2 - 10));
        armi_blake3_update(&self, tail.data + at,
                           tail.size - at < block ? tail.size - at : block);
        armi_blake3_subtree_finalize(&self, &values[i]);
    }
}

/* Whether stored values and tail combine to the name; then *out is filled. */
static enum armi_status prove(const struct found *found, struct armi_slice tail,
                              uint64_t file_size, const struct armi_hash *name,
                              struct armi_block_values *out, bool *proved,
                              struct armi_error *err)
{
    size_t count = found->count, size = count * ARMI_HASH_SIZE;
    size_t all =
        count + (tail.size >> found->log2) + 1; /* at least all blocks of the file */
    struct armi_hash *values = armi_alloc(size),
                     *scratch = armi_alloc_array(all, sizeof *scratch);
    struct armi_hash root;
    enum armi_status status = ARMI_OK;
    *proved = false;
    if (values == NULL || scratch == NULL) {
        status = armi_error_no_memory(err);
        goto done;
    }
    if (!armi_base64_decode(found->base64, armi_base64_size(size), (uint8_t *)values, size))
        goto done;
    memcpy(scratch, values, size);
    tail_hash(tail, found->log2, count, scratch + count);
    size_t blocks = (size_t)((file_size - 1) >> found->log2) + 1;
    armi_blake3_combine(scratch, blocks,
                        &root); /* at least two: one stored, one of the tail */
    if (memcmp(&root, name, sizeof root) != 0)
        goto done;
    *out = (struct armi_block_values){values, count, found->log2, file_size,
                                      (uint64_t)count << found->log2};
    values = NULL;
    *proved = true;
done:
    armi_free(values);
    armi_free(scratch);
    return status;
}

enum armi_status armi_block_values_open(struct armi_slice end, uint64_t file_size,
                                        const struct armi_hash *name,
                                        struct armi_block_values *out,
                                        enum armi_block_answer *answer,
                                        uint64_t *tail_offset, struct armi_error *err)
{
    struct found found;
    bool proved;
    assert(end.size <= file_size);
    *answer = ARMI_BLOCK_WHOLE;
    if (file_size < FILE_MIN || end.size < TRAILER ||
        memcmp(end.data + end.size - 4, "PAR1", 4) != 0)
        return ARMI_OK;
    uint64_t footer_size = armi_load32(end.data + end.size - TRAILER);
    if (footer_size > file_size - FILE_MIN)
        return ARMI_OK;
    uint64_t footer_start = file_size - TRAILER - footer_size, start = file_size - end.size;
    if (start > footer_start) { /* the key is not all here */
        uint64_t tail = armi_block_tail_offset(file_size, footer_size);
        *answer = tail != 0 ? ARMI_BLOCK_MORE : ARMI_BLOCK_WHOLE;
        *tail_offset = tail;
        return ARMI_OK;
    }
    struct armi_slice footer = {end.data + (footer_start - start), (size_t)footer_size};
    if (!key_find(footer, footer_start, &found))
        return ARMI_OK;
    uint64_t tail_start = (uint64_t)found.count << found.log2;
    if (start > tail_start) {
        *answer = ARMI_BLOCK_MORE;
        *tail_offset = tail_start;
        return ARMI_OK;
    }
    struct armi_slice tail = {end.data + (tail_start - start),
                              (size_t)(file_size - tail_start)};
    ARMI_TRY(prove(&found, tail, file_size, name, out, &proved, err));
    *answer = proved ? ARMI_BLOCK_PROVED : ARMI_BLOCK_WHOLE;
    return ARMI_OK;
}

bool armi_block_values_verify(const struct armi_block_values *self, size_t index,
                              const uint8_t *block)
{
    struct armi_blake3 hasher;
    struct armi_hash value;
    assert(index < self->count);
    armi_blake3_subtree_init(&hasher, (uint64_t)index << (self->log2 - 10));
    armi_blake3_update(&hasher, block, (size_t)1 << self->log2);
    armi_blake3_subtree_finalize(&hasher, &value);
    return memcmp(&value, &self->values[index], sizeof value) == 0;
}
