/*
 * RLE of booleans: the hybrid with width 1 behind its length (u32). Bits lie as in Arrow.
 */
#include "parquet/enc_internal.h"

static size_t bool_bound(const struct enc_values *v)
{
    return 4 + enc_rle_bound(v->count, 1);
}

static enum armi_status bool_encode(struct enc_column *c, const struct enc_values *v,
                                    uint8_t *out, size_t *size)
{
    (void)c;
    uint8_t *end = enc_rle_bits(v->fixed, v->count, out + 4);
    armi_store32(out, (uint32_t)(end - out - 4));
    *size = (size_t)(end - out);
    return ARMI_OK;
}

const struct enc_encoding enc_bool_rle = {ARMI_PQ_RLE, bool_bound, bool_encode};
