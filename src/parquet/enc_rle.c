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

static uint8_t *packed_write(const uint32_t *values, size_t count, unsigned width,
                             uint8_t *out)
{
    if (count == 0)
        return out;
    size_t groups = (count + 7) / 8;
    out = enc_varint(out, (uint64_t)groups << 1 | 1);
    enc_pack32(values, count, width, out);
    size_t size = enc_pack_size(count, width), whole = groups * width;
    memset(out + size, 0, whole - size);
    return out + whole;
}

static size_t run_length(const uint32_t *values, size_t from, size_t count)
{
    size_t i = from + 1;
    uint32_t v = values[from];
    while (i < count && values[i] == v)
        i++;
    return i - from;
}

uint8_t *enc_rle_indices(const uint32_t *values, size_t count, unsigned width, uint8_t *out)
{
    size_t least = run_min(width), start = 0, i = 0;
    while (i < count) {
        /* Equal to the value `least` - 1 ahead is necessary for a run to begin here: a cheap test. */
        if (i + least > count)
            break;
        if (values[i] != values[i + least - 1] || values[i] != values[i + least / 2]) {
            i++;
            continue;
        }
        size_t run = run_length(values, i, count);
        size_t fill = (8 - (i - start) % 8) % 8;
        if (run < least + fill) {
            i += run;
            continue;
        }
        out = packed_write(values + start, i + fill - start, width, out);
        out = enc_rle_run(values[i], run - fill, width, out);
        i += run;
        start = i;
    }
    return packed_write(values + start, count - start, width, out);
}

uint8_t *enc_rle_bytes(const uint8_t *values, size_t count, unsigned width, uint8_t *out)
{
    /* Levels: through a small window, so that the runs' logic exists once. Whole windows of one value
     * are the usual case and are merged into one run. */
    uint32_t window[4096];
    size_t done = 0;
    while (done < count) {
        size_t run = 1;
        while (done + run < count && values[done + run] == values[done])
            run++;
        if (run >= sizeof window / sizeof window[0] || done + run == count) {
            out = enc_rle_run(values[done], run, width, out);
            done += run;
            continue;
        }
        size_t n = count - done < 4096 ? count - done : 4096;
        for (size_t i = 0; i < n; i++)
            window[i] = values[done + i];
        out = enc_rle_indices(window, n, width, out);
        done += n;
    }
    return out;
}

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
