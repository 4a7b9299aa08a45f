/*
 * snappy, by its C interface. Stateless.
 */
#include "codec/codec_internal.h"

#include <snappy-c.h>
#include <string.h>

static size_t bound(size_t size)
{
    return snappy_max_compressed_length(size);
}

/* libsnappy checks nothing but the capacity against its bound, so a smaller one needs a
 * detour. */
static enum armi_status compress(void **state, int level, struct armi_slice in,
                                 uint8_t *out, size_t capacity, size_t *out_size,
                                 struct armi_error *err)
{
    (void)state;
    (void)level;
    size_t need = bound(in.size), size = need;
    struct armi_buf scratch = {0};
    uint8_t *target = out;
    if (capacity < need) {
        enum armi_status status = armi_buf_extend(&scratch, need, &target, err);
        if (status != ARMI_OK)
            return status;
    }
    if (snappy_compress((const char *)in.data, in.size, (char *)target, &size) != SNAPPY_OK)
        size = 0;
    *out_size = size <= capacity ? size : 0;
    if (target != out && *out_size > 0)
        memcpy(out, target, size);
    armi_buf_release(&scratch);
    return ARMI_OK;
}

static enum armi_status decompress(void **state, struct armi_slice in, uint8_t *out,
                                   size_t size, bool *out_ok, struct armi_error *err)
{
    (void)state;
    (void)err;
    size_t claimed = 0;
    uint8_t nothing;
    if (snappy_uncompressed_length((const char *)in.data, in.size, &claimed) == SNAPPY_OK &&
        claimed == size)
        *out_ok = snappy_uncompress((const char *)in.data, in.size,
                                    (char *)(size != 0 ? out : &nothing),
                                    &claimed) == SNAPPY_OK &&
                  claimed == size;
    return ARMI_OK;
}

static void state_free(void *state)
{
    (void)state;
}

const struct armi_codec_ops armi_codec_snappy = {
    .name = "snappy",
    .ratio_max = 22, /* 64 bytes out of three */
    .bound = bound,
    .compress = compress,
    .decompress = decompress,
    .state_free = state_free,
};
