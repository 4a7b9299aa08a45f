#include "parquet/dec_rle.h"

#include "base/bits.h"
#include "parquet/parquet_dispatch.h"

enum armi_status armi_pq_rle_init(struct armi_pq_rle *rle, struct armi_slice bytes,
                                  unsigned width, struct armi_error *err)
{
    if (width > 32)
        return armi_error_set(err, ARMI_CORRUPTION, "a bit width of %u is over 32", width);
    struct armi_reader r = armi_reader_init(bytes);
    *rle = (struct armi_pq_rle){.pos = r.pos, .end = r.end, .width = width};
    return ARMI_OK;
}

/* Not armi_read_varint: other writers need not use the shortest form. */
static bool run_header(struct armi_pq_rle *rle, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 63 && rle->pos != rle->end; shift += 7) {
        uint8_t b = *rle->pos++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            *out = v;
            return true;
        }
    }
    return false;
}

/* A last group may be cut off: what is there can be used, what is not cannot. */
static void begin_packed(struct armi_pq_rle *rle, uint64_t groups)
{
    uint64_t bytes = (uint64_t)(rle->end - rle->pos);
    uint64_t count = groups > SIZE_MAX / 16 ? SIZE_MAX / 2 : groups * 8;
    rle->is_packed = true;
    rle->packed = rle->pos;
    rle->packed_index = 0;
    if (rle->width > 0 && count > bytes * 8 / rle->width) {
        count = bytes * 8 / rle->width;
        rle->pos = rle->end;
    } else {
        rle->pos += groups * rle->width;
    }
    rle->left = (size_t)count;
}

static bool begin_repeated(struct armi_pq_rle *rle, uint64_t count)
{
    size_t size = (rle->width + 7) / 8;
    if ((size_t)(rle->end - rle->pos) < size)
        return false;
    uint32_t v = 0;
    for (size_t i = 0; i < size; i++)
        v |= (uint32_t)rle->pos[i] << (8 * i);
    rle->pos += size;
    rle->is_packed = false;
    rle->value = v;
    rle->left = count > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)count;
    return true;
}

enum armi_status armi_pq_rle_next(struct armi_pq_rle *rle, struct armi_error *err)
{
    while (rle->left == 0) { /* every turn takes a byte at least */
        uint64_t header;
        if (!run_header(rle, &header))
            return armi_error_set(err, ARMI_CORRUPTION,
                                  "the runs end before the values do");
        if (header & 1)
            begin_packed(rle, header >> 1);
        else if (!begin_repeated(rle, header >> 1))
            return armi_error_set(err, ARMI_CORRUPTION, "a run's value is cut off");
    }
    return ARMI_OK;
}

/* A start inside a byte happens only after a skip or an odd batch: brought back to a group there. */
#define RLE_UNPACK(NAME, TYPE, KERNEL)                                                     \
    static void NAME(struct armi_pq_rle *rle, TYPE *out, size_t count)                     \
    {                                                                                      \
        const struct armi_pq_kernels *kernels = armi_pq_kernels();                         \
        size_t odd = rle->packed_index % 8;                                                \
        if (odd != 0) {                                                                    \
            TYPE group[8];                                                                 \
            size_t n = count < 8 - odd ? count : 8 - odd;                                  \
            const uint8_t *p = packed_group(rle, rle->packed_index / 8);                   \
            kernels->KERNEL(p, (size_t)(rle->end - p), rle->width, group, odd + n);        \
            memcpy(out, group + odd, n * sizeof *out);                                     \
            rle->packed_index += n;                                                        \
            rle->left -= n;                                                                \
            out += n;                                                                      \
            count -= n;                                                                    \
        }                                                                                  \
        if (count == 0)                                                                    \
            return;                                                                        \
        const uint8_t *p = packed_group(rle, rle->packed_index / 8);                       \
        kernels->KERNEL(p, (size_t)(rle->end - p), rle->width, out, count);                \
        rle->packed_index += count;                                                        \
        rle->left -= count;                                                                \
    }

static const uint8_t *packed_group(const struct armi_pq_rle *rle, size_t group)
{
    return rle->packed + group * rle->width;
}

RLE_UNPACK(unpack_indices, uint32_t, unpack32)
RLE_UNPACK(unpack_levels, uint8_t, unpack8)

void armi_pq_rle_unpack(struct armi_pq_rle *rle, uint32_t *out, size_t count)
{
    unpack_indices(rle, out, count);
}

static size_t take(const struct armi_pq_rle *rle, size_t count)
{
    return count < rle->left ? count : rle->left;
}

enum armi_status armi_pq_rle_read(struct armi_pq_rle *rle, uint32_t *out, size_t count,
                                  struct armi_error *err)
{
    while (count > 0) {
        ARMI_TRY(armi_pq_rle_next(rle, err));
        size_t n = take(rle, count);
        if (rle->is_packed) {
            armi_pq_rle_unpack(rle, out, n);
        } else {
            for (size_t i = 0; i < n; i++)
                out[i] = rle->value;
            rle->left -= n;
        }
        out += n;
        count -= n;
    }
    return ARMI_OK;
}

enum armi_status armi_pq_rle_read_levels(struct armi_pq_rle *rle, uint8_t *out,
                                         size_t count, unsigned max, struct armi_error *err)
{
    while (count > 0) {
        ARMI_TRY(armi_pq_rle_next(rle, err));
        size_t n = take(rle, count);
        uint32_t top = rle->value;
        if (rle->is_packed && rle->width <= 8) {
            unpack_levels(rle, out, n);
            top = armi_pq_kernels()->max8(out, n);
        } else if (rle->is_packed) {
            top = UINT32_MAX; /* no level is that wide */
        } else {
            memset(out, (int)(rle->value & 0xff), n);
            rle->left -= n;
        }
        if (top > max)
            return armi_error_set(err, ARMI_CORRUPTION,
                                  "a level of %u is over the schema's %u", top, max);
        out += n;
        count -= n;
    }
    return ARMI_OK;
}

enum armi_status armi_pq_rle_skip(struct armi_pq_rle *rle, size_t count,
                                  struct armi_error *err)
{
    while (count > 0) {
        ARMI_TRY(armi_pq_rle_next(rle, err));
        size_t n = take(rle, count);
        rle->packed_index += n;
        rle->left -= n;
        count -= n;
    }
    return ARMI_OK;
}

enum armi_status armi_pq_rle_read_bits(struct armi_pq_rle *rle, uint8_t *bits, size_t at,
                                       size_t count, size_t *out_ones,
                                       struct armi_error *err)
{
    size_t ones = 0;
    while (count > 0) {
        ARMI_TRY(armi_pq_rle_next(rle, err));
        size_t n = take(rle, count);
        if (rle->is_packed) {
            if (bits != NULL)
                armi_pq_bits_append(bits, at, rle->packed, rle->packed_index, n);
            ones += armi_bitmap_count(rle->packed, rle->packed_index, n);
            rle->packed_index += n;
        } else if (rle->value == 1) {
            if (bits != NULL)
                armi_bitmap_fill(bits, at, n, true);
            ones += n;
        } else if (rle->value != 0) {
            return armi_error_set(err, ARMI_CORRUPTION,
                                  "a level of %u is over the schema's 1", rle->value);
        }
        rle->left -= n;
        at += n;
        count -= n;
    }
    *out_ones = ones;
    return ARMI_OK;
}

void armi_pq_bits_append(uint8_t *dst, size_t at, const uint8_t *src, size_t from,
                         size_t count)
{
    size_t head = (8 - (at & 7)) & 7;
    if (head > count)
        head = count;
    for (size_t i = 0; i < head; i++)
        if (armi_bit_get(src, from + i))
            armi_bit_set(dst, at + i);
    if (count > head)
        armi_bitmap_copy(dst + ((at + head) >> 3), src, from + head, count - head);
}

enum armi_status armi_pq_bit_packed_read(struct armi_slice bytes, unsigned width,
                                         unsigned max, uint8_t *out, size_t count,
                                         struct armi_error *err)
{
    if (width > 8 || (width > 0 && count > bytes.size * 8 / width))
        return armi_error_set(err, ARMI_CORRUPTION, "bit-packed levels are cut off");
    size_t bit = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned v = 0;
        for (unsigned k = 0; k < width; k++, bit++)
            v = v << 1 | ((bytes.data[bit >> 3] >> (7 - (bit & 7))) & 1u);
        if (v > max)
            return armi_error_set(err, ARMI_CORRUPTION,
                                  "a level of %u is over the schema's %u", v, max);
        out[i] = (uint8_t)v;
    }
    return ARMI_OK;
}
