/*
 * One of the byte streams that a fingerprint is made of, on its way into BLAKE3. The buffer
 * hands the hasher whole, aligned blocks, whatever pieces come in: BLAKE3 hashes sixteen
 * kilobytes side by side in SIMD lanes, but only where they start on a power of two of its tree.
 * Large pieces are hashed where they lie.
 */
#ifndef ARMI_ARROW_FINGERPRINT_STREAM_INTERNAL_H
#define ARMI_ARROW_FINGERPRINT_STREAM_INTERNAL_H

#include <string.h>

#include "hash/blake3.h"

/* A power of two. Not part of the format. */
#define STREAM_BUFFER ((size_t)16 << 10)

struct armi_fp_stream {
    size_t fill;
    unsigned bit_count; /* 0..7 bits wait in `bit_byte` */
    uint8_t bit_byte;
    bool is_hashing; /* `hash` has begun: earlier bytes are in it */
    struct armi_blake3 hash;
    uint8_t buffer[STREAM_BUFFER];
};

void armi_fp_stream_reset(struct armi_fp_stream *self);
void armi_fp_stream_zeros(struct armi_fp_stream *self, size_t size);
/* `count` bits from bit `from` on, behind the bits written before. Bits and bytes do not mix. */
void armi_fp_stream_bits(struct armi_fp_stream *self, const uint8_t *bits, size_t from,
                         size_t count);
void armi_fp_stream_bit_run(struct armi_fp_stream *self, bool value, size_t count);
/* The hash of all; the last byte of bits is filled up with zeros. Only reset is left. */
void armi_fp_stream_finish(struct armi_fp_stream *self, struct armi_hash *out);

/* For armi_fp_stream_write: what does not fit into the buffer. */
void armi_fp_stream_spill(struct armi_fp_stream *self, const uint8_t *data, size_t size);

static inline void armi_fp_stream_write(struct armi_fp_stream *self, const void *data,
                                        size_t size)
{
    if (size > STREAM_BUFFER - self->fill) {
        armi_fp_stream_spill(self, data, size);
    } else if (size != 0) {
        memcpy(self->buffer + self->fill, data, size);
        self->fill += size;
    }
}

#endif
