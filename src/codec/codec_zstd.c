/*
 * zstd with reused contexts: making one costs more than a small page. The one-shot forms
 * need no window buffer, so a frame's header cannot ask for memory.
 */
#include "codec/codec_internal.h"

#include <zstd.h>
#include <zstd_errors.h>

#include "base/alloc.h"

struct zstd_state {
    ZSTD_CCtx *compress;
    ZSTD_DCtx *decompress;
};

static struct zstd_state *state_get(void **state)
{
    if (*state == NULL)
        *state = armi_alloc_zero(1, sizeof(struct zstd_state));
    return *state;
}

static void state_free(void *opaque)
{
    struct zstd_state *state = opaque;
    ZSTD_freeCCtx(state->compress);
    ZSTD_freeDCtx(state->decompress);
    armi_free(state);
}

static size_t bound(size_t size)
{
    return ZSTD_compressBound(size);
}

static enum armi_status compress(void **opaque, int level, struct armi_slice in,
                                 uint8_t *out, size_t capacity, size_t *out_size,
                                 struct armi_error *err)
{
    struct zstd_state *state = state_get(opaque);
    if (state == NULL)
        return armi_error_no_memory(err);
    if (state->compress == NULL)
        state->compress = ZSTD_createCCtx();
    if (state->compress == NULL)
        return armi_error_no_memory(err);
    size_t size =
        ZSTD_compressCCtx(state->compress, out, capacity, in.data, in.size, level);
    if (ZSTD_isError(size) && ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation)
        return armi_error_no_memory(err);
    *out_size = ZSTD_isError(size) ? 0 : size;
    return ARMI_OK;
}

static enum armi_status decompress(void **opaque, struct armi_slice in, uint8_t *out,
                                   size_t size, bool *out_ok, struct armi_error *err)
{
    struct zstd_state *state = state_get(opaque);
    if (state == NULL)
        return armi_error_no_memory(err);
    if (state->decompress == NULL)
        state->decompress = ZSTD_createDCtx();
    if (state->decompress == NULL)
        return armi_error_no_memory(err);
    uint8_t nothing;
    size_t got = ZSTD_decompressDCtx(state->decompress, size != 0 ? out : &nothing, size,
                                     in.data, in.size);
    *out_ok = !ZSTD_isError(got) && got == size;
    return ARMI_OK;
}

const struct armi_codec_ops armi_codec_zstd = {
    .name = "zstd",
    .ratio_max = 1 << 17, /* a block of 128 KiB may be four bytes */
    .level_default = 1,
    .level_min = 1,
    .level_max = 22,
    .bound = bound,
    .compress = compress,
    .decompress = decompress,
    .state_free = state_free,
};
