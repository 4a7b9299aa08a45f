/*
 * BYTE_STREAM_SPLIT: byte k of every value, then byte k + 1 of every value: codecs find more in it.
 */
#include "parquet/enc_internal.h"

static size_t split_bound(const struct enc_values *v)
{
    return v->count * v->width;
}

/* Of a constant width the inner loop is unrolled; reads go forward, writes in so many streams. */
#define SPLIT(W)                                                                           \
    for (size_t i = 0; i < v->count; i++)                                                  \
        for (size_t k = 0; k < (W); k++)                                                   \
    out[k * v->count + i] = v->fixed[i * (W) + k]

static enum armi_status split_encode(struct enc_column *c, const struct enc_values *v,
                                     uint8_t *out, size_t *size)
{
    (void)c;
    if (v->width == 8)
        SPLIT(8);
    else if (v->width == 4)
        SPLIT(4);
    else if (v->width == 2)
        SPLIT(2);
    else
        SPLIT(v->width);
    *size = v->count * v->width;
    return ARMI_OK;
}

const struct enc_encoding enc_byte_split = {ARMI_PQ_BYTE_STREAM_SPLIT, split_bound,
                                            split_encode};
