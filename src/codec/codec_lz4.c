/*
 * lz4: the raw block that is today's LZ4_RAW, and the older number 5, under which three
 * things were written: Hadoop's framing (big-endian sizes before each block), a raw block,
 * an lz4 frame. They are tried in that order; each must fill the page exactly to count.
 */
#include "codec/codec_internal.h"

#include <limits.h>
#include <lz4.h>
#include <lz4frame.h>

static size_t bound(size_t size)
{
    return size <= LZ4_MAX_INPUT_SIZE ? (size_t)LZ4_compressBound((int)size) : SIZE_MAX / 2;
}

static enum armi_status compress(void **state, int level, struct armi_slice in,
                                 uint8_t *out, size_t capacity, size_t *out_size,
                                 struct armi_error *err)
{
    (void)state;
    (void)level;
    (void)err;
    if (in.size > LZ4_MAX_INPUT_SIZE)
        return ARMI_OK;
    int room = capacity < INT_MAX ? (int)capacity : INT_MAX;
    int size = LZ4_compress_default((const char *)in.data, (char *)out, (int)in.size, room);
    *out_size = size > 0 ? (size_t)size : 0;
    return ARMI_OK;
}

static bool block_read(struct armi_slice in, uint8_t *out, size_t size)
{
    if (in.size > INT_MAX || size > INT_MAX)
        return false;
    uint8_t nothing;
    int got =
        LZ4_decompress_safe((const char *)in.data, (char *)(size != 0 ? out : &nothing),
                            (int)in.size, (int)size);
    return got >= 0 && (size_t)got == size;
}

static enum armi_status decompress(void **state, struct armi_slice in, uint8_t *out,
                                   size_t size, bool *out_ok, struct armi_error *err)
{
    (void)state;
    (void)err;
    *out_ok = block_read(in, out, size);
    return ARMI_OK;
}

static size_t load_be32(const uint8_t *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* A frame: the size of what comes out (u32 BE), then blocks of (size u32 BE, bytes) that
 * give it. */
static bool hadoop_read(struct armi_slice in, uint8_t *out, size_t size)
{
    size_t read = 0, written = 0;
    while (read < in.size) {
        if (in.size - read < 8)
            return false;
        size_t out_part = load_be32(in.data + read);
        size_t in_part = load_be32(in.data + read + 4);
        read += 8;
        if (in_part > in.size - read || out_part > size - written)
            return false;
        if (!block_read((struct armi_slice){in.data + read, in_part}, out + written,
                        out_part))
            return false;
        read += in_part;
        written += out_part;
    }
    return written == size;
}

static bool frame_read(struct armi_slice in, uint8_t *out, size_t size)
{
    LZ4F_dctx *context = NULL;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return false;
    size_t read = 0, written = 0, more = 1;
    while (read < in.size && more != 0) {
        size_t in_part = in.size - read, out_part = size - written;
        more = LZ4F_decompress(context, out + written, &out_part, in.data + read, &in_part,
                               NULL);
        if (LZ4F_isError(more) || (in_part == 0 && out_part == 0))
            break;
        read += in_part;
        written += out_part;
    }
    LZ4F_freeDecompressionContext(context);
    return more == 0 && read == in.size && written == size;
}

static enum armi_status old_decompress(void **state, struct armi_slice in, uint8_t *out,
                                       size_t size, bool *out_ok, struct armi_error *err)
{
    (void)state;
    (void)err;
    uint8_t nothing;
    if (size == 0)
        out = &nothing;
    *out_ok = hadoop_read(in, out, size) || block_read(in, out, size) ||
              frame_read(in, out, size);
    return ARMI_OK;
}

static void state_free(void *state)
{
    (void)state;
}

const struct armi_codec_ops armi_codec_lz4_raw = {
    .name = "lz4_raw",
    .ratio_max = 256, /* 255 bytes out of one */
    .bound = bound,
    .compress = compress,
    .decompress = decompress,
    .state_free = state_free,
};

const struct armi_codec_ops armi_codec_lz4_hadoop = {
    .name = "lz4",
    .ratio_max = 256, /* 255 bytes out of one */
    .decompress = old_decompress,
    .state_free = state_free,
};
