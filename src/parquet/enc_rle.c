/*
 * The RLE / bit-packed hybrid: runs of one value (varint count << 1, then the value in whole bytes)
 * and groups of eight values packed (varint groups << 1 | 1, then the bits). A run pays from about
 * eight values on; a bit-packed stretch can only be left at a multiple of eight, so runs give the
 * values that fill it up.
 */
#include "parquet/enc_internal.h"

#include <string.h>

uint8_t *enc_varint(uint8_t *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *out++ = (uint8_t)(v | 0x80);
    *out++ = (uint8_t)v;
    return out;
}

/* Every value in packed groups, each group with a header of its own and more: never reached. */
size_t enc_rle_bound(size_t count, unsigned width)
{
    return enc_pack_size(count + 8, width) + count / 8 * 2 + 64;
}

uint8_t *enc_rle_run(uint32_t value, size_t count, unsigned width, uint8_t *out)
{
    out = enc_varint(out, (uint64_t)count << 1);
    for (unsigned shift = 0; shift < width; shift += 8)
        *out++ = (uint8_t)(value >> shift);
    return out;
}

/* Values that a run needs to be worth leaving a packed stretch, which costs a header each way. */
static size_t run_min(unsigned width)
{
    return width <= 1 ? 64 : width <= 4 ? 24 : 16;
}

/* Packed values of either type; levels, which are bytes, are widened a group at a time. */
static void pack_u32(const uint32_t *values, size_t count, unsigned width, uint8_t *out)
{
    enc_pack32(values, count, width, out);
}

static void pack_u8(const uint8_t *values, size_t count, unsigned width, uint8_t *out)
{
    uint32_t wide[256];
    for (size_t at = 0; at < count; at += 256) {
        size_t n = count - at < 256 ? count - at : 256;
        for (size_t i = 0; i < n; i++)
            wide[i] = values[at + i];
        enc_pack32(wide, n, width, out);
        out += enc_pack_size(n, width);
    }
}

/*
 * A run that is long enough ends the packed stretch before it, after giving up as many values as fill
 * that to a multiple of eight. Only the last stretch of all may be filled with zeros instead.
 */
#define HYBRID(T, packed_write, pack, run_length, hybrid)                                  \
    static uint8_t *packed_write(const T *values, size_t count, unsigned width,            \
                                 uint8_t *out)                                             \
    {                                                                                      \
        if (count == 0)                                                                    \
            return out;                                                                    \
        size_t groups = (count + 7) / 8;                                                   \
        out = enc_varint(out, (uint64_t)groups << 1 | 1);                                  \
        pack(values, count, width, out);                                                   \
        size_t size = enc_pack_size(count, width), whole = groups * width;                 \
        memset(out + size, 0, whole - size);                                               \
        return out + whole;                                                                \
    }                                                                                      \
                                                                                           \
    static size_t run_length(const T *values, size_t from, size_t count)                   \
    {                                                                                      \
        size_t i = from + 1;                                                               \
        T v = values[from];                                                                \
        while (i < count && values[i] == v)                                                \
            i++;                                                                           \
        return i - from;                                                                   \
    }                                                                                      \
                                                                                           \
    uint8_t *hybrid(const T *values, size_t count, unsigned width, uint8_t *out)           \
    {                                                                                      \
        size_t least = run_min(width), start = 0, i = 0;                                   \
        while (i + least <= count) {                                                       \
            /* Wherever a run began within the next eight, it would hold both of these. */ \
            if (values[i + 7] != values[i + least - 1]) {                                  \
                i += 8;                                                                    \
                continue;                                                                  \
            }                                                                              \
            /* Necessary for a run to begin here, and cheap to see. */                     \
            if (values[i] != values[i + least - 1] ||                                      \
                values[i] != values[i + least / 2]) {                                      \
                i++;                                                                       \
                continue;                                                                  \
            }                                                                              \
            size_t run = run_length(values, i, count);                                     \
            size_t fill = (8 - (i - start) % 8) % 8;                                       \
            if (run < least + fill) {                                                      \
                i += run;                                                                  \
                continue;                                                                  \
            }                                                                              \
            out = packed_write(values + start, i + fill - start, width, out);              \
            out = enc_rle_run(values[i], run - fill, width, out);                          \
            i += run;                                                                      \
            start = i;                                                                     \
        }                                                                                  \
        return packed_write(values + start, count - start, width, out);                    \
    }

HYBRID(uint32_t, packed32_write, pack_u32, run32_length, enc_rle_indices)
HYBRID(uint8_t, packed8_write, pack_u8, run8_length, enc_rle_bytes)

/* Words of 64 equal bits from word `at` on. */
static size_t bits_run(const uint8_t *bits, size_t at, size_t words)
{
    uint64_t first = armi_load64(bits + 8 * at);
    if (first != 0 && first != UINT64_MAX)
        return 0;
    size_t n = 1;
    while (at + n < words && armi_load64(bits + 8 * (at + n)) == first)
        n++;
    return n;
}

static uint8_t *bits_packed(const uint8_t *bits, size_t count, uint8_t *out)
{
    if (count == 0)
        return out;
    size_t bytes = armi_bitmap_size(count);
    out = enc_varint(out, (uint64_t)bytes << 1 | 1);
    memcpy(out, bits, bytes);
    if (count % 8 != 0) /* what lies behind the last bit is not the file's business */
        out[bytes - 1] &= (uint8_t)((1u << count % 8) - 1);
    return out + bytes;
}

/* Bits of a bitmap lie in the order in which a packed run of width 1 wants them, so they are copied. */
uint8_t *enc_rle_bits(const uint8_t *bits, size_t count, uint8_t *out)
{
    size_t words = count / 64, start = 0, at = 0;
    while (at < words) {
        size_t run = bits_run(bits, at, words);
        if (run < 2) {
            at++;
            continue;
        }
        out = bits_packed(bits + 8 * start, (at - start) * 64, out);
        out = enc_rle_run(bits[8 * at] & 1, run * 64, 1, out);
        at += run;
        start = at;
    }
    return bits_packed(bits + 8 * start, count - start * 64, out);
}
