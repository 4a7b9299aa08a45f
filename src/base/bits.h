/*
 * Little-endian loads and stores, and Arrow bitmaps (LSB first).
 */
#ifndef ARMI_BASE_BITS_H
#define ARMI_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Armillaria runs on little-endian machines only"
#endif

static inline uint16_t armi_load16(const void *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t armi_load32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t armi_load64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void armi_store16(void *p, uint16_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void armi_store32(void *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline void armi_store64(void *p, uint64_t v)
{
    memcpy(p, &v, sizeof v);
}

static inline size_t armi_bitmap_size(size_t bits)
{
    return bits / 8 + (bits % 8 != 0);
}

static inline bool armi_bit_get(const uint8_t *bits, size_t i)
{
    return (bits[i >> 3] >> (i & 7)) & 1;
}

static inline void armi_bit_set(uint8_t *bits, size_t i)
{
    bits[i >> 3] = (uint8_t)(bits[i >> 3] | (1u << (i & 7)));
}

static inline void armi_bit_clear(uint8_t *bits, size_t i)
{
    bits[i >> 3] = (uint8_t)(bits[i >> 3] & ~(1u << (i & 7)));
}

static inline void armi_bit_put(uint8_t *bits, size_t i, bool v)
{
    if (v)
        armi_bit_set(bits, i);
    else
        armi_bit_clear(bits, i);
}

/*
 * Copies `count` bits from bit `from` of src to bit 0 of dst, which gets whole bytes; bits past the
 * end in the last byte are zero. Reads no byte of src outside the span.
 */
static inline void armi_bitmap_copy(uint8_t *dst, const uint8_t *src, size_t from,
                                    size_t count)
{
    size_t bytes = armi_bitmap_size(count);
    if (bytes == 0)
        return;
    src += from >> 3;
    unsigned shift = from & 7;
    if (shift == 0) {
        memcpy(dst, src, bytes);
    } else {
        size_t src_bytes = armi_bitmap_size(count + shift);
        size_t i = 0;
        for (; i + 9 <= src_bytes && i + 8 <= bytes; i += 8) {
            uint64_t lo = armi_load64(src + i) >> shift;
            uint64_t hi = (uint64_t)src[i + 8] << (64 - shift);
            armi_store64(dst + i, lo | hi);
        }
        for (; i < bytes; i++) {
            unsigned v = (unsigned)src[i] >> shift;
            if (i + 1 < src_bytes)
                v |= (unsigned)src[i + 1] << (8 - shift);
            dst[i] = (uint8_t)v;
        }
    }
    if (count & 7)
        dst[bytes - 1] &= (uint8_t)((1u << (count & 7)) - 1);
}

/* Set bits of a word; inline also where the processor asked for has no instruction for it, which the
 * builtin would call a function for. */
static inline unsigned armi_popcount64(uint64_t v)
{
#if defined(__x86_64__) && !defined(__POPCNT__)
    v -= v >> 1 & UINT64_C(0x5555555555555555);
    v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
    v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(v * UINT64_C(0x0101010101010101) >> 56);
#else
    return (unsigned)__builtin_popcountll(v);
#endif
}

/* Set bits among `count` bits that start at bit `from`. */
static inline size_t armi_bitmap_count(const uint8_t *bits, size_t from, size_t count)
{
    size_t total = 0, i = from, end = from + count;
    for (; i < end && (i & 7); i++)
        total += armi_bit_get(bits, i);
    for (; i + 64 <= end; i += 64)
        total += armi_popcount64(armi_load64(bits + (i >> 3)));
    for (; i + 8 <= end; i += 8)
        total += (size_t)__builtin_popcount(bits[i >> 3]);
    for (; i < end; i++)
        total += armi_bit_get(bits, i);
    return total;
}

/* How many of `count` bits from bit `from` on are as the first of them; `count` is 1 or more. */
static inline size_t armi_bitmap_run(const uint8_t *bits, size_t from, size_t count)
{
    uint64_t flip = armi_bit_get(bits, from) ? 0 : UINT64_MAX;
    size_t i = from, end = from + count;
    while (i < end) {
        uint64_t w;
        size_t n = 8 - (i & 7);
        if (n == 8 && end - i >= 64) {
            w = armi_load64(bits + (i >> 3));
            n = 64;
        } else {
            w = (uint64_t)bits[i >> 3] >> (i & 7);
        }
        w = ~(w ^ flip); /* set where a bit differs */
        if (n < 64)
            w |= UINT64_C(1) << n;
        size_t same = w == 0 ? 64 : (size_t)__builtin_ctzll(w);
        i += same < n ? same : n;
        if (same < n)
            break;
    }
    return (i < end ? i : end) - from;
}

/* Sets `count` bits from bit `from` on to `v`. */
static inline void armi_bitmap_fill(uint8_t *bits, size_t from, size_t count, bool v)
{
    size_t i = from, end = from + count;
    for (; i < end && (i & 7); i++)
        armi_bit_put(bits, i, v);
    if (end - i >= 8) {
        memset(bits + (i >> 3), v ? 0xff : 0, (end - i) >> 3);
        i += (end - i) & ~(size_t)7;
    }
    for (; i < end; i++)
        armi_bit_put(bits, i, v);
}

/* Bits needed to hold v: 0 for 0, 64 at most. */
static inline unsigned armi_bit_width(uint64_t v)
{
    return v == 0 ? 0 : 64u - (unsigned)__builtin_clzll(v);
}

#endif
