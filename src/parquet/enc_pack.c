/*
 * Bit packing: one function a width, with the width a constant of the compiler's, so that shifts are
 * constants and the loops come out straight. 32 values at a time end on a 32-bit border for every
 * width; what is left over goes one by one.
 */
#include "parquet/enc_internal.h"

#include <string.h>

typedef void pack_fn(const void *values, uint8_t *out);

/* 32 values of W bits into 4 * W bytes. */
#define PACK32(W)                                                                          \
    static void pack32_##W(const void *in, uint8_t *out)                                   \
    {                                                                                      \
        const uint32_t *v = in;                                                            \
        uint64_t word = 0;                                                                 \
        unsigned have = 0;                                                                 \
        _Pragma("GCC unroll 32") for (unsigned i = 0; i < 32; i++)                         \
        {                                                                                  \
            word |= (uint64_t)v[i] << have;                                                \
            have += W;                                                                     \
            if (have >= 32) {                                                              \
                armi_store32(out, (uint32_t)word);                                         \
                out += 4;                                                                  \
                word >>= 32;                                                               \
                have -= 32;                                                                \
            }                                                                              \
        }                                                                                  \
    }

/* 32 values of W bits, W up to 64, likewise; full words as soon as 64 bits are there. */
#define PACK64(W)                                                                          \
    static void pack64_##W(const void *in, uint8_t *out)                                   \
    {                                                                                      \
        const uint64_t *v = in;                                                            \
        uint64_t word = 0;                                                                 \
        unsigned have = 0;                                                                 \
        _Pragma("GCC unroll 32") for (unsigned i = 0; i < 32; i++)                         \
        {                                                                                  \
            word |= v[i] << have;                                                          \
            have += W;                                                                     \
            if (have >= 64) {                                                              \
                armi_store64(out, word);                                                   \
                out += 8;                                                                  \
                have -= 64;                                                                \
                word = have > 0 ? v[i] >> ((W - have) & 63) : 0;                           \
            }                                                                              \
        }                                                                                  \
        if (have > 0)                                                                      \
            armi_store32(out, (uint32_t)word);                                             \
    }

/* clang-format off */
#define WIDTHS_32(X) \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) \
    X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) \
    X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) \
    X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32)
#define WIDTHS_64(X) \
    X(33) X(34) X(35) X(36) X(37) X(38) X(39) X(40) \
    X(41) X(42) X(43) X(44) X(45) X(46) X(47) X(48) \
    X(49) X(50) X(51) X(52) X(53) X(54) X(55) X(56) \
    X(57) X(58) X(59) X(60) X(61) X(62) X(63) X(64)
/* clang-format on */

WIDTHS_32(PACK32)
WIDTHS_32(PACK64)
WIDTHS_64(PACK64)

#define ENTRY32(W) pack32_##W,
#define ENTRY64(W) pack64_##W,

static pack_fn *const packers32[33] = {NULL, WIDTHS_32(ENTRY32)};
static pack_fn *const packers64[65] = {NULL, WIDTHS_32(ENTRY64) WIDTHS_64(ENTRY64)};

/* The last group is padded with zeros to 32 values and its bytes are cut. */
static void pack(pack_fn *packer, const uint8_t *values, size_t value_size, size_t count,
                 unsigned width, uint8_t *out)
{
    if (width == 0)
        return;
    size_t group = 32 * value_size;
    for (; count >= 32; count -= 32, values += group, out += 4 * (size_t)width)
        packer(values, out);
    if (count > 0) {
        uint64_t last[32] = {0};
        uint8_t bytes[256];
        memcpy(last, values, count * value_size);
        packer(last, bytes);
        memcpy(out, bytes, enc_pack_size(count, width));
    }
}

void enc_pack32(const uint32_t *values, size_t count, unsigned width, uint8_t *out)
{
    pack(packers32[width], (const uint8_t *)values, sizeof *values, count, width, out);
}

void enc_pack64(const uint64_t *values, size_t count, unsigned width, uint8_t *out)
{
    pack(packers64[width], (const uint8_t *)values, sizeof *values, count, width, out);
}
