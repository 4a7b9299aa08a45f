/*
 * gzip by libdeflate, which is some times faster than zlib both ways. A page may hold
 * several members, one after the other; all are read.
 */
#include "codec/codec_internal.h"

#include <libdeflate.h>

#include "base/alloc.h"

struct gzip_state {
    struct libdeflate_compressor *compress;
    struct libdeflate_decompressor *decompress;
    int level; /* of `compress` */
};

static struct gzip_state *state_get(void **state)
{
    if (*state == NULL)
        *state = armi_alloc_zero(1, sizeof(struct gzip_state));
    return *state;
}

static void state_free(void *opaque)
{
    struct gzip_state *state = opaque;
    libdeflate_free_compressor(state->compress);
    libdeflate_free_decompressor(state->decompress);
    armi_free(state);
}

static size_t bound(size_t size)
{
    return libdeflate_gzip_compress_bound(NULL, size);
}

static enum armi_status compress(void **opaque, int level, struct armi_slice in,
                                 uint8_t *out, size_t capacity, size_t *out_size,
                                 struct armi_error *err)
{
    struct gzip_state *state = state_get(opaque);
    if (state == NULL)
        return armi_error_no_memory(err);
    if (state->compress == NULL || state->level != level) {
        libdeflate_free_compressor(state->compress);
        state->compress = libdeflate_alloc_compressor(level);
        state->level = level;
    }
    if (state->compress == NULL)
        return armi_error_no_memory(err);
    *out_size = libdeflate_gzip_compress(state->compress, in.data, in.size, out, capacity);
    return ARMI_OK;
}

static enum armi_status decompress(void **opaque, struct armi_slice in, uint8_t *out,
                                   size_t size, bool *out_ok, struct armi_error *err)
{
    struct gzip_state *state = state_get(opaque);
    if (state == NULL)
        return armi_error_no_memory(err);
    if (state->decompress == NULL)
        state->decompress = libdeflate_alloc_decompressor();
    if (state->decompress == NULL)
        return armi_error_no_memory(err);
    uint8_t nothing;
    if (size == 0)
        out = &nothing;
    size_t read = 0, written = 0;
    while (read < in.size) {
        size_t in_part = 0, out_part = 0;
        if (libdeflate_gzip_decompress_ex(state->decompress, in.data + read, in.size - read,
                                          out + written, size - written, &in_part,
                                          &out_part) != LIBDEFLATE_SUCCESS)
            return ARMI_OK;
        read += in_part;
        written += out_part;
    }
    *out_ok = written == size;
    return ARMI_OK;
}

const struct armi_codec_ops armi_codec_gzip = {
    .name = "gzip",
    .ratio_max = 1032, /* 258 bytes out of two bits */
    .level_default = 1,
    .level_min = 1,
    .level_max = 12,
    .bound = bound,
    .compress = compress,
    .decompress = decompress,
    .state_free = state_free,
};
