#include "parquet/dec_delta.h"

#include "base/bits.h"
#include "parquet/parquet_dispatch.h"

static bool read_varint(struct armi_reader *in, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && in->pos != in->end; shift += 7) {
        uint8_t b = *in->pos++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            *out = v;
            return true;
        }
    }
    return false;
}

static uint64_t zigzag(uint64_t v)
{
    return (v >> 1) ^ (0 - (v & 1));
}

enum armi_status armi_pq_delta_init(struct armi_pq_delta *delta, struct armi_slice bytes,
                                    struct armi_error *err)
{
    struct armi_pq_delta d = {.in = armi_reader_init(bytes)};
    uint64_t first;
    if (!read_varint(&d.in, &d.block_size) || !read_varint(&d.in, &d.miniblocks) ||
        !read_varint(&d.in, &d.total) || !read_varint(&d.in, &first))
        return armi_error_set(err, ARMI_CORRUPTION, "a delta header is cut off");
    if (d.miniblocks == 0 || d.block_size == 0 || d.block_size > INT32_MAX ||
        d.block_size % d.miniblocks != 0 || d.block_size / d.miniblocks % 8 != 0)
        return armi_error_set(
            err, ARMI_CORRUPTION,
            "delta blocks of %llu values in %llu miniblocks are not legal",
            (unsigned long long)d.block_size, (unsigned long long)d.miniblocks);
    d.miniblock_size = d.block_size / d.miniblocks;
    d.miniblock = d.miniblocks;
    d.left = d.total;
    d.last = zigzag(first);
    d.is_first = true;
    *delta = d;
    return ARMI_OK;
}

static enum armi_status begin_block(struct armi_pq_delta *d, struct armi_error *err)
{
    uint64_t least;
    if (!read_varint(&d->in, &least) ||
        !armi_read_span(&d->in, (size_t)d->miniblocks, &d->widths))
        return armi_error_set(err, ARMI_CORRUPTION, "a delta block is cut off");
    d->least = zigzag(least);
    d->miniblock = 0;
    return ARMI_OK;
}

/*
 * The next miniblock: its width, its bytes (at *out_bytes, of which *out_readable may be read) and
 * how many of its values count. The last one may lack what pads it.
 */
static enum armi_status next_miniblock(struct armi_pq_delta *d, unsigned *out_width,
                                       const uint8_t **out_bytes, size_t *out_readable,
                                       size_t *out_count, struct armi_error *err)
{
    if (d->miniblock == d->miniblocks)
        ARMI_TRY(begin_block(d, err));
    unsigned width = d->widths[d->miniblock++];
    if (width > 64)
        return armi_error_set(err, ARMI_CORRUPTION, "a delta of %u bits is over 64", width);
    uint64_t count = d->left < d->miniblock_size ? d->left : d->miniblock_size;
    uint64_t need = (count * width + 7) / 8; /* counts are below 2^31 */
    uint64_t whole = d->miniblock_size * width / 8;
    size_t left = armi_reader_left(&d->in);
    if (need > left)
        return armi_error_set(err, ARMI_CORRUPTION, "a delta miniblock is cut off");
    *out_width = width;
    *out_bytes = d->in.pos;
    *out_readable = left;
    *out_count = (size_t)count;
    d->in.pos += whole < left ? (size_t)whole : left;
    d->left -= count;
    return ARMI_OK;
}

static enum armi_status begin(struct armi_pq_delta *d, struct armi_slice bytes,
                              size_t count, struct armi_error *err)
{
    ARMI_TRY(armi_pq_delta_init(d, bytes, err));
    if (d->total != count)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "%llu delta values where the page has %zu",
                              (unsigned long long)d->total, count);
    return ARMI_OK;
}

enum armi_status armi_pq_delta_read64(struct armi_slice bytes, uint64_t *out, size_t count,
                                      size_t *out_used, struct armi_error *err)
{
    const struct armi_pq_kernels *kernels = armi_pq_kernels();
    struct armi_pq_delta d;
    ARMI_TRY(begin(&d, bytes, count, err));
    uint64_t v = d.last;
    if (count > 0) {
        *out++ = v;
        d.left--;
    }
    while (d.left > 0) {
        unsigned width = 0;
        const uint8_t *packed = NULL;
        size_t readable = 0, n = 0;
        ARMI_TRY(next_miniblock(&d, &width, &packed, &readable, &n, err));
        uint64_t least = d.least;
        if (width == 0) {
            for (size_t i = 0; i < n; i++)
                out[i] = v + least * (i + 1);
            v += least * n;
        } else {
            kernels->delta64(packed, readable, width, least, &v, out, n);
        }
        out += n;
    }
    if (out_used != NULL)
        *out_used = (size_t)(d.in.pos - bytes.data);
    return ARMI_OK;
}

/* Some writers do not wrap INT32 deltas and so need over 32 bits: their low halves sum up the same. */
static void unpack_wide(const uint8_t *src, size_t readable, unsigned width, uint32_t *out,
                        size_t n)
{
    uint64_t block[64];
    for (size_t i = 0; i < n; i += 64) {
        size_t m = n - i < 64 ? n - i : 64;
        armi_pq_kernels()->unpack64(src, readable, width, block, m);
        for (size_t k = 0; k < m; k++)
            out[i + k] = (uint32_t)block[k];
        src += 8 * width;
        readable = readable > 8 * (size_t)width ? readable - 8 * (size_t)width : 0;
    }
}

enum armi_status armi_pq_delta_read32(struct armi_slice bytes, uint32_t *out, size_t count,
                                      size_t *out_used, struct armi_error *err)
{
    const struct armi_pq_kernels *kernels = armi_pq_kernels();
    struct armi_pq_delta d;
    ARMI_TRY(begin(&d, bytes, count, err));
    uint32_t v = (uint32_t)d.last;
    if (count > 0) {
        *out++ = v;
        d.left--;
    }
    while (d.left > 0) {
        unsigned width = 0;
        const uint8_t *packed = NULL;
        size_t readable = 0, n = 0;
        ARMI_TRY(next_miniblock(&d, &width, &packed, &readable, &n, err));
        uint32_t least = (uint32_t)d.least;
        if (width == 0) {
            for (size_t i = 0; i < n; i++)
                out[i] = v + least * (uint32_t)(i + 1);
            v += least * (uint32_t)n;
        } else if (width <= 32) {
            kernels->delta32(packed, readable, width, least, &v, out, n);
        } else {
            unpack_wide(packed, readable, width, out, n);
            for (size_t i = 0; i < n; i++)
                out[i] = v += out[i] + least;
        }
        out += n;
    }
    if (out_used != NULL)
        *out_used = (size_t)(d.in.pos - bytes.data);
    return ARMI_OK;
}
