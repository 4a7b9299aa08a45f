/*
 * The kernels of the codec that exist once an instruction set, behind one table. A rung is a set of
 * kernels; the highest one that the processor can run is taken at first use. Each rung gives the
 * same bytes as the portable one (tests/unit/parquet compare them), so nothing but speed hangs on it.
 */
#ifndef ARMI_PARQUET_DISPATCH_H
#define ARMI_PARQUET_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct armi_pq_kernels {
    const char *name;
    /*
     * Unpacks `count` values of `width` bits, least significant bit first. `size` is what may be read
     * at src and is at least count * width / 8, rounded up; more of it lets the fast path go on to
     * the last value. Widths: 0..32 and 0..64.
     */
    void (*unpack32)(const uint8_t *src, size_t size, unsigned width, uint32_t *out,
                     size_t count);
    void (*unpack64)(const uint8_t *src, size_t size, unsigned width, uint64_t *out,
                     size_t count);
    /* Unpacks deltas and sums them up: out[i] = *last += delta[i] + least, modulo the type. */
    void (*delta32)(const uint8_t *src, size_t size, unsigned width, uint32_t least,
                    uint32_t *last, uint32_t *out, size_t count);
    void (*delta64)(const uint8_t *src, size_t size, unsigned width, uint64_t least,
                    uint64_t *last, uint64_t *out, size_t count);
    /* Unpacks to bytes, for widths 0..8: levels. */
    void (*unpack8)(const uint8_t *src, size_t size, unsigned width, uint8_t *out,
                    size_t count);
    /* The largest of `count` bytes, 0 for none. */
    uint8_t (*max8)(const uint8_t *values, size_t count);
    /* How many of `count` bytes are `value`. */
    size_t (*count8)(const uint8_t *values, size_t count, uint8_t value);
    /* Bit i = (bytes[i] & 0x7f) >= least, least < 0x80; 64 bytes are read. */
    uint64_t (*at_least64)(const uint8_t *bytes, unsigned least);
    /* The bits of `bits` that `mask` selects, packed to the low end. */
    uint64_t (*compact64)(uint64_t bits, uint64_t mask);
    /* The largest of `count` values, 0 for none. */
    uint32_t (*max32)(const uint32_t *values, size_t count);
    /* out[i] = dictionary[indices[i]]; every index was checked by the caller. */
    void (*gather32)(const uint32_t *dictionary, const uint32_t *indices, uint32_t *out,
                     size_t count);
    void (*gather64)(const uint64_t *dictionary, const uint32_t *indices, uint64_t *out,
                     size_t count);
    /* The smallest and the largest of `count` > 0 values in the order of signed numbers after `turn`
     * was applied to both (xor); what comes out is as it was. */
    void (*bounds32)(const uint8_t *values, size_t count, uint32_t turn, uint32_t out[2]);
    void (*bounds64)(const uint8_t *values, size_t count, uint64_t turn, uint64_t out[2]);
    /* The same of floats, NaN left out: returns how many those are. The sign of a zero is undefined,
     * and so is all if every value is NaN. */
    size_t (*bounds_f32)(const uint8_t *values, size_t count, float out[2]);
    size_t (*bounds_f64)(const uint8_t *values, size_t count, double out[2]);
    /* Whether all bytes are below 0x80. */
    bool (*is_ascii)(const uint8_t *data, size_t size);
};

/* The best rung for this processor. */
const struct armi_pq_kernels *armi_pq_kernels(void);

/* Rung `index` of those that this processor can run, 0 = portable, NULL beyond the last. */
const struct armi_pq_kernels *armi_pq_kernels_rung(size_t index);

/* For tests: the rung to use from here on; NULL restores the best. Not while others decode. */
void armi_pq_kernels_force(const struct armi_pq_kernels *rung);

#endif
