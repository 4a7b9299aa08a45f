/*
 * brotli, one shot both ways. Its window is at most 16 MiB, and the one-shot reader needs
 * none.
 */
#include "codec/codec_internal.h"

#include <brotli/decode.h>
#include <brotli/encode.h>

static size_t bound(size_t size)
{
    return BrotliEncoderMaxCompressedSize(size);
}

static enum armi_status compress(void **state, int level, struct armi_slice in,
                                 uint8_t *out, size_t capacity, size_t *out_size,
                                 struct armi_error *err)
{
    (void)state;
    (void)err;
    size_t size = capacity;
    if (BrotliEncoderCompress(level, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, in.size,
                              in.data, &size, out))
        *out_size = size;
    return ARMI_OK;
}

static enum armi_status decompress(void **state, struct armi_slice in, uint8_t *out,
                                   size_t size, bool *out_ok, struct armi_error *err)
{
    (void)state;
    (void)err;
    size_t got = size;
    uint8_t nothing;
    *out_ok = BrotliDecoderDecompress(in.size, in.data, &got, size != 0 ? out : &nothing) ==
                  BROTLI_DECODER_RESULT_SUCCESS &&
              got == size;
    return ARMI_OK;
}

static void state_free(void *state)
{
    (void)state;
}

const struct armi_codec_ops armi_codec_brotli = {
    .name = "brotli",
    .ratio_max = 1 << 24, /* a meta-block of 16 MiB may be a few bytes */
    .level_default = 1,
    .level_min = 1,
    .level_max = 11,
    .bound = bound,
    .compress = compress,
    .decompress = decompress,
    .state_free = state_free,
};
