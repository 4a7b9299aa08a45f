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

static void pack_u32(const uint32_t *values, size_t count, unsigned width, uint8_t *out)
{
    enc_pack32(values, count, width, out);
}

/* Eight levels a word: neighbours are pushed together, then pairs, then fours. Writes up to seven bytes
 * more than it packs; enc_rle_bound has room for them. */
static void pack_u8(const uint8_t *values, size_t count, unsigned width, uint8_t *out)
{
    const unsigned gap = 8 - width;
    for (size_t at = 0; at < count; at += 8) {
        uint64_t w = 0;
        if (count - at >= 8)
            w = armi_load64(values + at);
        else
            memcpy(&w, values + at, count - at);
        w = (w & UINT64_C(0x00ff00ff00ff00ff)) | (w & UINT64_C(0xff00ff00ff00ff00)) >> gap;
        w = (w & UINT64_C(0x0000ffff0000ffff)) |
            (w & UINT64_C(0xffff0000ffff0000)) >> 2 * gap;
        w = (w & UINT32_MAX) | w >> 32 << 4 * width;
        armi_store64(out, w);
        out += width;
    }
}

/*
 * The next run of at least `least` equal values that begins at `from` or later, and its length; `count`
 * if there is none. `least` is 15 or more: what is looked at are single values that such a run holds.
 */
static size_t run32_next(const uint32_t *values, size_t from, size_t count, size_t least,
                         size_t *run)
{
    for (size_t i = from; i + least <= count;) {
        /* Wherever a run began within the next eight, it would hold both of these. */
        if (values[i + 7] != values[i + least - 1]) {
            i += 8;
            continue;
        }
        /* Necessary for a run to begin here, and cheap to see. */
        if (values[i] != values[i + least - 1] || values[i] != values[i + least / 2]) {
            i++;
            continue;
        }
        size_t end = i + 1;
        while (end < count && values[end] == values[i])
            end++;
        *run = end - i;
        if (*run >= least)
            return i;
        i = end;
    }
    return count;
}

/* Such a run holds eight equal levels that are one word of every eighth. */
static size_t run8_next(const uint8_t *values, size_t from, size_t count, size_t least,
                        size_t *run)
{
    for (size_t at = from; at + 8 <= count;) {
        uint64_t w = armi_load64(values + at);
        if (w != (w & 0xff) * UINT64_C(0x0101010101010101)) {
            at += 8;
            continue;
        }
        size_t begin = at, end = at + 8;
        while (begin > from && values[begin - 1] == values[at])
            begin--;
        while (end + 8 <= count && armi_load64(values + end) == w)
            end += 8;
        while (end < count && values[end] == values[at])
            end++;
        *run = end - begin;
        if (*run >= least)
            return begin;
        at = end;
    }
    return count;
}

/*
 * A run that is long enough ends the packed stretch before it, after giving up as many values as fill
 * that to a multiple of eight. Only the last stretch of all may be filled with zeros instead.
 */
#define HYBRID(T, packed_write, pack, run_next, hybrid)                                    \
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
    uint8_t *hybrid(const T *values, size_t count, unsigned width, uint8_t *out)           \
    {                                                                                      \
        size_t least = run_min(width), start = 0, i = 0, run = 0;                          \
        while ((i = run_next(values, i, count, least, &run)) < count) {                    \
            size_t fill = (8 - (i - start) % 8) % 8;                                       \
            if (run >= least + fill) {                                                     \
                out = packed_write(values + start, i + fill - start, width, out);          \
                out = enc_rle_run(values[i], run - fill, width, out);                      \
                start = i + run;                                                           \
            }                                                                              \
            i += run;                                                                      \
        }                                                                                  \
        return packed_write(values + start, count - start, width, out);                    \
    }

HYBRID(uint32_t, packed32_write, pack_u32, run32_next, enc_rle_indices)
HYBRID(uint8_t, packed8_write, pack_u8, run8_next, enc_rle_bytes)

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
