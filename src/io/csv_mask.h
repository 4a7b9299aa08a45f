/*
 * Kernels over bytes in plain C: vectors of the compiler's own, which it lowers to what
 * the machine has.
 */
#ifndef ARMI_IO_CSV_MASK_H
#define ARMI_IO_CSV_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t armi_csv_vector __attribute__((vector_size(16)));

/* Of 64 bytes, bit i for byte i. */
struct armi_csv_masks {
    uint64_t structural; /* delimiters and line feeds */
    uint64_t lines;      /* line feeds */
    uint64_t quotes;
};

/* Bytes that are all ones or zero to bits. Each of eight bytes gets a bit of its own, and
 * the multiplication gathers them in the top byte. */
static inline uint64_t armi_csv_gather(armi_csv_vector v)
{
    uint64_t half[2];
    memcpy(half, &v, sizeof half);
    uint64_t low = (half[0] & UINT64_C(0x8040201008040201)) * UINT64_C(0x0101010101010101);
    uint64_t high = (half[1] & UINT64_C(0x8040201008040201)) * UINT64_C(0x0101010101010101);
    return low >> 56 | high >> 56 << 8;
}

static inline armi_csv_vector armi_csv_equal(armi_csv_vector v, uint8_t c)
{
    armi_csv_vector all = {c, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c};
    return (armi_csv_vector)(v == all);
}

static inline struct armi_csv_masks armi_csv_masks_find(const uint8_t *p, uint8_t delimiter)
{
    struct armi_csv_masks m = {0, 0, 0};
    armi_csv_vector v[4], quotes = {0};
    for (int i = 0; i < 4; i++) {
        memcpy(&v[i], p + 16 * i, 16);
        armi_csv_vector lines = armi_csv_equal(v[i], '\n');
        m.lines |= armi_csv_gather(lines) << (16 * i);
        m.structural |= armi_csv_gather(lines | armi_csv_equal(v[i], delimiter))
                        << (16 * i);
        quotes |= armi_csv_equal(v[i], '"');
    }
    uint64_t any[2];
    memcpy(any, &quotes, sizeof any);
    if ((any[0] | any[1]) != 0)
        for (int i = 0; i < 4; i++)
            m.quotes |= armi_csv_gather(armi_csv_equal(v[i], '"')) << (16 * i);
    return m;
}

/* Bit i = the exclusive or of bits 0 .. i. */
static inline uint64_t armi_csv_running_xor(uint64_t v)
{
    v ^= v << 1;
    v ^= v << 2;
    v ^= v << 4;
    v ^= v << 8;
    v ^= v << 16;
    return v ^ v << 32;
}

struct armi_csv_bytes {
    size_t zeros;
    size_t returns; /* carriage returns */
    bool has_high;  /* a byte that is not ASCII */
};

/* Bytes are counted in vectors of bytes, which overflow after 255: so in steps. */
static inline struct armi_csv_bytes armi_csv_bytes_count(const uint8_t *p, size_t size)
{
    struct armi_csv_bytes seen = {0, 0, false};
    uint8_t high = 0;
    while (size > 0) {
        size_t n = size < 240 ? size : 240;
        uint8_t zeros = 0, returns = 0;
        for (size_t i = 0; i < n; i++) {
            high |= p[i];
            zeros = (uint8_t)(zeros + (p[i] == 0));
            returns = (uint8_t)(returns + (p[i] == '\r'));
        }
        seen.zeros += zeros;
        seen.returns += returns;
        p += n;
        size -= n;
    }
    seen.has_high = high >= 0x80;
    return seen;
}

#endif
