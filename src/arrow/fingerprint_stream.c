/*
 * Bytes and bits on their way into BLAKE3, in whole aligned blocks.
 */
#include "arrow/fingerprint_stream_internal.h"

#include "base/bits.h"

void armi_fp_stream_reset(struct armi_fp_stream *self)
{
    self->fill = 0;
    self->bit_count = 0;
    self->bit_byte = 0;
    self->is_hashing = false;
}

static void stream_hash(struct armi_fp_stream *self, const void *data, size_t size)
{
    if (!self->is_hashing) {
        armi_blake3_init(&self->hash);
        self->is_hashing = true;
    }
    armi_blake3_update(&self->hash, data, size);
}

void armi_fp_stream_spill(struct armi_fp_stream *self, const uint8_t *data, size_t size)
{
    if (self->fill != 0) {
        size_t room = STREAM_BUFFER - self->fill;
        memcpy(self->buffer + self->fill, data, room);
        stream_hash(self, self->buffer, STREAM_BUFFER);
        self->fill = 0;
        data += room;
        size -= room;
    }
    size_t whole = size & ~(STREAM_BUFFER - 1);
    if (whole != 0)
        stream_hash(self, data, whole);
    self->fill = size - whole;
    if (self->fill != 0)
        memcpy(self->buffer, data + whole, self->fill);
}

void armi_fp_stream_zeros(struct armi_fp_stream *self, size_t size)
{
    while (size != 0) {
        if (self->fill == STREAM_BUFFER) {
            stream_hash(self, self->buffer, STREAM_BUFFER);
            self->fill = 0;
        }
        size_t room = STREAM_BUFFER - self->fill, take = size < room ? size : room;
        memset(self->buffer + self->fill, 0, take);
        self->fill += take;
        size -= take;
    }
}

/* Bits of one byte at most, low bits first; those above `count` are zero. */
static void stream_few_bits(struct armi_fp_stream *self, unsigned bits, unsigned count)
{
    unsigned v = self->bit_byte | (bits << self->bit_count);
    self->bit_count += count;
    if (self->bit_count >= 8) {
        uint8_t whole = (uint8_t)v;
        armi_fp_stream_write(self, &whole, 1);
        v >>= 8;
        self->bit_count -= 8;
    }
    self->bit_byte = (uint8_t)v;
}

void armi_fp_stream_bits(struct armi_fp_stream *self, const uint8_t *bits, size_t from,
                         size_t count)
{
    uint8_t block[2048];
    if (self->bit_count != 0) {
        size_t take = 8 - self->bit_count < count ? 8 - self->bit_count : count;
        armi_bitmap_copy(block, bits, from, take);
        if (take != 0)
            stream_few_bits(self, block[0], (unsigned)take);
        from += take;
        count -= take;
    }
    while (count >= 8) {
        size_t take = count & ~(size_t)7;
        if (take > 8 * sizeof block)
            take = 8 * sizeof block;
        if ((from & 7) == 0) {
            armi_fp_stream_write(self, bits + from / 8, take / 8);
        } else {
            armi_bitmap_copy(block, bits, from, take);
            armi_fp_stream_write(self, block, take / 8);
        }
        from += take;
        count -= take;
    }
    if (count != 0) {
        armi_bitmap_copy(block, bits, from, count);
        stream_few_bits(self, block[0], (unsigned)count);
    }
}

void armi_fp_stream_bit_run(struct armi_fp_stream *self, bool value, size_t count)
{
    uint8_t block[512];
    memset(block, value ? 0xff : 0, sizeof block);
    while (count != 0) {
        size_t take = count < 8 * sizeof block ? count : 8 * sizeof block;
        armi_fp_stream_bits(self, block, 0, take);
        count -= take;
    }
}

void armi_fp_stream_finish(struct armi_fp_stream *self, struct armi_hash *out)
{
    if (self->bit_count != 0) {
        armi_fp_stream_write(self, &self->bit_byte, 1);
        self->bit_count = 0;
        self->bit_byte = 0;
    }
    if (!self->is_hashing) {
        armi_blake3_hash(self->buffer, self->fill, out);
        return;
    }
    armi_blake3_update(&self->hash, self->buffer, self->fill);
    armi_blake3_finalize(&self->hash, out);
}
