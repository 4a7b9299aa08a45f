/*
 * PLAIN: fixed-width values as they are, strings with their length (u32) before them, bools as bits.
 */
#include "parquet/enc_bytes.h"

#include <string.h>

static size_t plain_bound(const struct enc_values *v)
{
    if (v->strings != NULL)
        return v->count * 4 + (size_t)v->bytes;
    return v->width > 0 ? v->count * v->width : armi_bitmap_size(v->count);
}

static uint8_t *plain_strings(const struct enc_values *v, uint8_t *out)
{
    for (size_t i = 0; i < v->count; i++) {
        struct armi_slice s = v->strings[i];
        armi_store32(out, (uint32_t)s.size);
        out += 4;
        out = enc_bytes_copy(out, s.data, s.size, enc_values_until(v));
    }
    return out;
}

static enum armi_status plain_encode(struct enc_column *c, const struct enc_values *v,
                                     uint8_t *out, size_t *size)
{
    (void)c;
    size_t bound = plain_bound(v);
    *size = bound;
    if (v->strings != NULL)
        plain_strings(v, out);
    else if (bound > 0)
        memcpy(out, v->fixed, bound);
    return ARMI_OK;
}

const struct enc_encoding enc_plain = {ARMI_PQ_PLAIN, plain_bound, plain_encode};
