/*
 * BYTE_STREAM_SPLIT: byte k of every value, then byte k + 1 of every value: codecs find more in it.
 * Eight values are eight words, whose bytes are turned over in registers.
 */
#include "parquet/enc_internal.h"

static size_t split_bound(const struct enc_values *v)
{
    return v->count * v->width;
}

/* Swaps the upper `shift` bits of every 2 * shift of *a with the lower ones of *b. */
static inline void exchange(uint64_t *a, uint64_t *b, unsigned shift, uint64_t mask)
{
    uint64_t t = ((*a >> shift) ^ *b) & mask;
    *b ^= t;
    *a ^= t << shift;
}

/* Byte j of word i becomes byte i of word j. */
static inline void transpose(uint64_t x[8])
{
    for (size_t i = 0; i < 4; i++)
        exchange(&x[i], &x[i + 4], 32, 0x00000000ffffffff);
    for (size_t i = 0; i < 8; i += i % 4 == 1 ? 3 : 1)
        exchange(&x[i], &x[i + 2], 16, 0x0000ffff0000ffff);
    for (size_t i = 0; i < 8; i += 2)
        exchange(&x[i], &x[i + 1], 8, 0x00ff00ff00ff00ff);
}

static void split_any(const uint8_t *in, size_t from, size_t count, size_t width,
                      uint8_t *out)
{
    for (size_t i = from; i < count; i++)
        for (size_t k = 0; k < width; k++)
            out[k * count + i] = in[i * width + k];
}

/* Eight values a step, each a word whose upper bytes are zero where it is narrower. */
static void split8(const uint8_t *in, size_t count, uint8_t *out)
{
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t x[8];
        for (size_t k = 0; k < 8; k++)
            x[k] = armi_load64(in + 8 * (i + k));
        transpose(x);
        for (size_t k = 0; k < 8; k++)
            armi_store64(out + k * count + i, x[k]);
    }
    split_any(in, i, count, 8, out);
}

static void split4(const uint8_t *in, size_t count, uint8_t *out)
{
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        uint64_t x[8];
        for (size_t k = 0; k < 8; k++)
            x[k] = armi_load32(in + 4 * (i + k));
        transpose(x);
        for (size_t k = 0; k < 4; k++)
            armi_store64(out + k * count + i, x[k]);
    }
    split_any(in, i, count, 4, out);
}

static enum armi_status split_encode(struct enc_column *c, const struct enc_values *v,
                                     uint8_t *out, size_t *size)
{
    (void)c;
    if (v->width == 8)
        split8(v->fixed, v->count, out);
    else if (v->width == 4)
        split4(v->fixed, v->count, out);
    else
        split_any(v->fixed, 0, v->count, v->width, out);
    *size = v->count * v->width;
    return ARMI_OK;
}

const struct enc_encoding enc_byte_split = {ARMI_PQ_BYTE_STREAM_SPLIT, split_bound,
                                            split_encode};
