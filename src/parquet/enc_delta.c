/*
 * DELTA_BINARY_PACKED: blocks of 128 differences in four parts of 32. A block holds its smallest
 * difference, four bit widths, and what the differences are above the smallest, packed. All arithmetic
 * wraps at the width of the type, as the format wants it.
 */
#include "parquet/enc_internal.h"

#include <string.h>

#define BLOCK 128
#define PART  32

static uint8_t *varint_zigzag(uint8_t *out, int64_t v)
{
    return enc_varint(out, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}

static uint8_t *header(uint8_t *out, size_t count, int64_t first)
{
    out = enc_varint(out, BLOCK);
    out = enc_varint(out, BLOCK / PART);
    out = enc_varint(out, count);
    return varint_zigzag(out, first);
}

/*
 * One function a type: U unsigned, S signed, `load` of element i of the input. A last block that is
 * not full gets differences equal to its smallest, and parts that hold nothing are left out.
 */
#define DELTA(name, U, S, LOAD, PACK)                                                      \
    static uint8_t *name(const uint8_t *in, size_t count, uint8_t *out)                    \
    {                                                                                      \
        out = header(out, count, count > 0 ? (S)LOAD(in) : 0);                             \
        for (size_t at = 1; at < count; at += BLOCK) {                                     \
            U d[BLOCK], used[BLOCK / PART];                                                \
            size_t n = count - at < BLOCK ? count - at : BLOCK;                            \
            const uint8_t *p = in + at * sizeof(U);                                        \
            S least = (S)((U)LOAD(p) - (U)LOAD(p - sizeof(U)));                            \
            for (size_t i = 0; i < n; i++) {                                               \
                d[i] =                                                                     \
                    (U)LOAD(p + i * sizeof(U)) - (U)LOAD(p + i * sizeof(U) - sizeof(U));   \
                least = (S)d[i] < least ? (S)d[i] : least;                                 \
            }                                                                              \
            for (size_t i = n; i < BLOCK; i++)                                             \
                d[i] = (U)least;                                                           \
            out = varint_zigzag(out, least);                                               \
            for (size_t part = 0; part < BLOCK / PART; part++) {                           \
                U all = 0;                                                                 \
                for (size_t i = 0; i < PART; i++) {                                        \
                    d[part * PART + i] -= (U)least;                                        \
                    all |= d[part * PART + i];                                             \
                }                                                                          \
                used[part] = all;                                                          \
                *out++ = (uint8_t)armi_bit_width(all);                                     \
            }                                                                              \
            for (size_t part = 0; part * PART < n; part++) {                               \
                unsigned width = armi_bit_width(used[part]);                               \
                PACK(d + part * PART, PART, width, out);                                   \
                out += 4 * (size_t)width;                                                  \
            }                                                                              \
        }                                                                                  \
        return out;                                                                        \
    }

DELTA(delta32, uint32_t, int32_t, armi_load32, enc_pack32)
DELTA(delta64, uint64_t, int64_t, armi_load64, enc_pack64)

size_t enc_delta_bound(size_t count, unsigned width)
{
    size_t blocks = count / BLOCK + 1;
    return 40 + blocks * (10 + BLOCK / PART + BLOCK * (size_t)width);
}

uint8_t *enc_delta_i32(const int32_t *values, size_t count, uint8_t *out)
{
    return delta32((const uint8_t *)values, count, out);
}

static size_t delta_bound(const struct enc_values *v)
{
    return enc_delta_bound(v->count, v->width);
}

static enum armi_status delta_encode(struct enc_column *c, const struct enc_values *v,
                                     uint8_t *out, size_t *size)
{
    (void)c;
    uint8_t *end =
        v->width == 4 ? delta32(v->fixed, v->count, out) : delta64(v->fixed, v->count, out);
    *size = (size_t)(end - out);
    return ARMI_OK;
}

const struct enc_encoding enc_delta_binary = {ARMI_PQ_DELTA_BINARY_PACKED, delta_bound,
                                              delta_encode};
