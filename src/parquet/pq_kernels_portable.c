/*
 * The portable rung: plain C that every processor runs and every other rung is compared with.
 *
 * Unpacking is one function a width, each a block of 32 values unrolled with constant shifts. A block
 * is read by 8-byte loads that may look past its own bytes, so the last blocks of a run go through a
 * padded copy.
 */
#include <math.h>
#include <string.h>

#include "base/bits.h"
#include "parquet/pq_kernels_internal.h"

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

#define BLOCK      32 /* values */
#define BLOCK_OVER 16 /* bytes a block's loads may touch behind its own */

/* clang-format off */
#define WIDTHS_32 \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) \
    X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) \
    X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) \
    X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32)
#define WIDTHS_64 \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) \
    X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) \
    X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) \
    X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32) \
    X(33) X(34) X(35) X(36) X(37) X(38) X(39) X(40) \
    X(41) X(42) X(43) X(44) X(45) X(46) X(47) X(48) \
    X(49) X(50) X(51) X(52) X(53) X(54) X(55) X(56) \
    X(57) X(58) X(59) X(60) X(61) X(62) X(63) X(64)
/* clang-format on */

#define X(W)                                                                               \
    static void unpack32_w##W(const uint8_t *restrict src, uint32_t *restrict out)         \
    {                                                                                      \
        UNROLL                                                                             \
        for (unsigned i = 0; i < BLOCK; i++) {                                             \
            uint64_t v = armi_load64(src + i * W / 8) >> (i * W % 8);                      \
            out[i] = (uint32_t)(v & (UINT64_MAX >> (64 - W)));                             \
        }                                                                                  \
    }
WIDTHS_32
#undef X

/* A value over 57 bits may lie in nine bytes. */
static inline uint64_t load_bits(const uint8_t *src, unsigned bit, unsigned width)
{
    unsigned shift = bit % 8;
    uint64_t v = armi_load64(src + bit / 8) >> shift;
    if (width > 57 && shift + width > 64)
        v |= (uint64_t)src[bit / 8 + 8] << (64 - shift);
    return v & (UINT64_MAX >> (64 - width));
}

#define X(W)                                                                               \
    static void unpack64_w##W(const uint8_t *restrict src, uint64_t *restrict out)         \
    {                                                                                      \
        UNROLL                                                                             \
        for (unsigned i = 0; i < BLOCK; i++)                                               \
            out[i] = load_bits(src, i * W, W);                                             \
    }
WIDTHS_64
#undef X

#define X(W) unpack32_w##W,
static void (*const unpack32_block[])(const uint8_t *, uint32_t *) = {NULL, WIDTHS_32};
#undef X
#define X(W) unpack64_w##W,
static void (*const unpack64_block[])(const uint8_t *, uint64_t *) = {NULL, WIDTHS_64};
#undef X

/* The bytes of `count` values, count being a block at most: no overflow. */
static inline size_t packed_size(size_t count, unsigned width)
{
    return (count * width + 7) / 8;
}

void armi_pq_unpack32_portable(const uint8_t *src, size_t size, unsigned width,
                               uint32_t *out, size_t count)
{
    if (width == 0) {
        memset(out, 0, count * sizeof *out);
        return;
    }
    size_t block = 4 * (size_t)width;
    for (; count >= BLOCK && size >= block + BLOCK_OVER; count -= BLOCK) {
        unpack32_block[width](src, out);
        src += block;
        size -= block;
        out += BLOCK;
    }
    while (count > 0) {
        uint8_t bytes[4 * 32 + BLOCK_OVER] = {0};
        uint32_t values[BLOCK];
        size_t n = count < BLOCK ? count : BLOCK;
        size_t used = packed_size(n, width);
        memcpy(bytes, src, used);
        unpack32_block[width](bytes, values);
        memcpy(out, values, n * sizeof *out);
        src += used;
        out += n;
        count -= n;
    }
}

void armi_pq_unpack64_portable(const uint8_t *src, size_t size, unsigned width,
                               uint64_t *out, size_t count)
{
    if (width == 0) {
        memset(out, 0, count * sizeof *out);
        return;
    }
    size_t block = 4 * (size_t)width;
    for (; count >= BLOCK && size >= block + BLOCK_OVER; count -= BLOCK) {
        unpack64_block[width](src, out);
        src += block;
        size -= block;
        out += BLOCK;
    }
    while (count > 0) {
        uint8_t bytes[4 * 64 + BLOCK_OVER] = {0};
        uint64_t values[BLOCK];
        size_t n = count < BLOCK ? count : BLOCK;
        size_t used = packed_size(n, width);
        memcpy(bytes, src, used);
        unpack64_block[width](bytes, values);
        memcpy(out, values, n * sizeof *out);
        src += used;
        out += n;
        count -= n;
    }
}

void armi_pq_delta32_portable(const uint8_t *src, size_t size, unsigned width,
                              uint32_t least, uint32_t *last, uint32_t *out, size_t count)
{
    uint32_t v = *last;
    armi_pq_unpack32_portable(src, size, width, out, count);
    for (size_t i = 0; i < count; i++)
        out[i] = v += out[i] + least;
    *last = v;
}

void armi_pq_delta64_portable(const uint8_t *src, size_t size, unsigned width,
                              uint64_t least, uint64_t *last, uint64_t *out, size_t count)
{
    uint64_t v = *last;
    armi_pq_unpack64_portable(src, size, width, out, count);
    for (size_t i = 0; i < count; i++)
        out[i] = v += out[i] + least;
    *last = v;
}

/* Eight values are `width` bytes: one load, shifted out value by value. */
void armi_pq_unpack8_portable(const uint8_t *src, size_t size, unsigned width, uint8_t *out,
                              size_t count)
{
    const uint8_t mask = (uint8_t)((1u << width) - 1);
    for (; count > 0; src += width, size -= width, out += 8) {
        uint8_t bytes[8] = {0};
        size_t n = count < 8 ? count : 8;
        memcpy(bytes, src, packed_size(n, width));
        uint64_t v = armi_load64(bytes);
        for (size_t i = 0; i < n; i++)
            out[i] = (uint8_t)(v >> (i * width)) & mask;
        count -= n;
        if (count == 0)
            return;
    }
}

size_t armi_pq_count8_portable(const uint8_t *values, size_t count, uint8_t value)
{
    size_t total = 0;
    for (size_t i = 0; i < count;) {
        uint8_t part = 0; /* a byte a lane, so that the compiler can count in vectors */
        size_t end = count - i < 255 ? count : i + 255;
        for (; i < end; i++)
            part = (uint8_t)(part + (values[i] == value));
        total += part;
    }
    return total;
}

uint8_t armi_pq_max8_portable(const uint8_t *values, size_t count)
{
    uint8_t max = 0;
    for (size_t i = 0; i < count; i++)
        max = values[i] > max ? values[i] : max;
    return max;
}

/* A byte's top bit tells the comparison, a multiplication gathers the bits of eight. */
uint64_t armi_pq_at_least64_portable(const uint8_t *bytes, unsigned least)
{
    const uint64_t ones = 0x0101010101010101u, tops = ones << 7;
    uint64_t bits = 0;
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t v = (armi_load64(bytes + i) | tops) - ones * least;
        bits |= (((v & tops) >> 7) * 0x0102040810204080u) >> 56 << i;
    }
    return bits;
}

uint64_t armi_pq_compact64_portable(uint64_t bits, uint64_t mask)
{
    uint64_t out = 0;
    unsigned n = 0;
    if (mask == UINT64_MAX)
        return bits;
    for (; mask != 0; mask &= mask - 1, n++)
        out |= (bits >> __builtin_ctzll(mask) & 1) << n;
    return out;
}

uint32_t armi_pq_max32_portable(const uint32_t *values, size_t count)
{
    uint32_t max = 0;
    for (size_t i = 0; i < count; i++)
        max = values[i] > max ? values[i] : max;
    return max;
}

void armi_pq_gather32_portable(const uint32_t *dictionary, const uint32_t *indices,
                               uint32_t *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = dictionary[indices[i]];
}

void armi_pq_gather64_portable(const uint64_t *dictionary, const uint32_t *indices,
                               uint64_t *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = dictionary[indices[i]];
}

/* Four running bounds, so that the loop is not one long chain. */
#define BOUNDS_INT(name, U, S, LOAD)                                                       \
    void name(const uint8_t *values, size_t count, U turn, U out[2])                       \
    {                                                                                      \
        S first = (S)(LOAD(values) ^ turn);                                                \
        S lo[4] = {first, first, first, first}, hi[4] = {first, first, first, first};      \
        size_t i = 0;                                                                      \
        for (; i + 4 <= count; i += 4) {                                                   \
            for (size_t k = 0; k < 4; k++) {                                               \
                S x = (S)(LOAD(values + (i + k) * sizeof(U)) ^ turn);                      \
                lo[k] = x < lo[k] ? x : lo[k];                                             \
                hi[k] = x > hi[k] ? x : hi[k];                                             \
            }                                                                              \
        }                                                                                  \
        for (; i < count; i++) {                                                           \
            S x = (S)(LOAD(values + i * sizeof(U)) ^ turn);                                \
            lo[0] = x < lo[0] ? x : lo[0];                                                 \
            hi[0] = x > hi[0] ? x : hi[0];                                                 \
        }                                                                                  \
        for (size_t k = 1; k < 4; k++) {                                                   \
            lo[0] = lo[k] < lo[0] ? lo[k] : lo[0];                                         \
            hi[0] = hi[k] > hi[0] ? hi[k] : hi[0];                                         \
        }                                                                                  \
        out[0] = (U)lo[0] ^ turn;                                                          \
        out[1] = (U)hi[0] ^ turn;                                                          \
    }
BOUNDS_INT(armi_pq_bounds32_portable, uint32_t, int32_t, armi_load32)
BOUNDS_INT(armi_pq_bounds64_portable, uint64_t, int64_t, armi_load64)

/* A comparison with NaN is false, so NaN never becomes a bound; it is counted on the way. */
#define BOUNDS_FLOAT(name, T)                                                              \
    size_t name(const uint8_t *values, size_t count, T out[2])                             \
    {                                                                                      \
        T lo[4], hi[4], x;                                                                 \
        size_t nan[4] = {0}, i = 0;                                                        \
        for (size_t k = 0; k < 4; k++) {                                                   \
            lo[k] = (T)INFINITY;                                                           \
            hi[k] = -(T)INFINITY;                                                          \
        }                                                                                  \
        for (; i + 4 <= count; i += 4) {                                                   \
            for (size_t k = 0; k < 4; k++) {                                               \
                memcpy(&x, values + (i + k) * sizeof x, sizeof x);                         \
                lo[k] = x < lo[k] ? x : lo[k];                                             \
                hi[k] = x > hi[k] ? x : hi[k];                                             \
                nan[k] += x != x;                                                          \
            }                                                                              \
        }                                                                                  \
        for (; i < count; i++) {                                                           \
            memcpy(&x, values + i * sizeof x, sizeof x);                                   \
            lo[0] = x < lo[0] ? x : lo[0];                                                 \
            hi[0] = x > hi[0] ? x : hi[0];                                                 \
            nan[0] += x != x;                                                              \
        }                                                                                  \
        for (size_t k = 1; k < 4; k++) {                                                   \
            lo[0] = lo[k] < lo[0] ? lo[k] : lo[0];                                         \
            hi[0] = hi[k] > hi[0] ? hi[k] : hi[0];                                         \
        }                                                                                  \
        out[0] = lo[0];                                                                    \
        out[1] = hi[0];                                                                    \
        return nan[0] + nan[1] + nan[2] + nan[3];                                          \
    }
BOUNDS_FLOAT(armi_pq_bounds_f32_portable, float)
BOUNDS_FLOAT(armi_pq_bounds_f64_portable, double)
