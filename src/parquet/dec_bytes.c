#include "parquet/dec_bytes.h"

#include "base/bits.h"
#include "base/checked.h"
#include "parquet/dec_delta.h"
#include "parquet/dec_rle.h"
#include "parquet/parquet_dispatch.h"

#define BLOCK 1024 /* indices at a time */

void armi_pq_scratch_release(struct armi_pq_scratch *scratch)
{
    armi_buf_release(&scratch->page);
    armi_buf_release(&scratch->values);
    armi_buf_release(&scratch->lengths);
    armi_buf_release(&scratch->prefix);
    armi_buf_release(&scratch->offsets);
    armi_buf_release(&scratch->levels);
}

enum armi_status armi_pq_scratch_need(struct armi_buf *buf, size_t size, uint8_t **out,
                                      struct armi_error *err)
{
    size_t need;
    if (!armi_size_add(size, ARMI_PQ_SLACK, &need))
        return armi_error_set(err, ARMI_LIMIT, "a page of %zu bytes is too large", size);
    armi_buf_clear(buf);
    if (need > buf->capacity) /* nothing to keep: not a copy, a new block */
        armi_buf_release(buf);
    ARMI_TRY(armi_buf_reserve(buf, need, err));
    *out = buf->data;
    return ARMI_OK;
}

struct vector {
    uint8_t bytes[16];
};

/* Copies up to 32 bytes by whole vectors; both sides have room for them. The spans of vectors may
 * overlap (the wanted bytes do not), hence the way over a register. */
static inline void copy_short(uint8_t *dst, const uint8_t *src, size_t size)
{
    struct vector v;
    memcpy(&v, src, 16);
    memcpy(dst, &v, 16);
    if (size > 16) {
        memcpy(&v, src + 16, 16);
        memcpy(dst + 16, &v, 16);
    }
}

enum armi_status armi_pq_bytes_begin(struct armi_pq_sink *sink,
                                     struct armi_pq_scratch *scratch, size_t count,
                                     uint64_t size, uint32_t **out_offsets,
                                     struct armi_error *err)
{
    uint64_t base = sink->kind == ARMI_PQ_SINK_BYTES32 ? sink->data_size : 0;
    if (base > INT32_MAX || size > INT32_MAX - base)
        return armi_error_set(
            err, ARMI_LIMIT,
            "over 2 GiB of text or binary in one array: read fewer rows at a time");
    ARMI_TRY(armi_pq_sink_reserve_data(sink, (size_t)size, count, err));
    void *offsets;
    if (sink->kind == ARMI_PQ_SINK_BYTES32) {
        offsets = sink->values + 4 * sink->length;
    } else {
        uint8_t *bytes = NULL;
        ARMI_TRY(armi_pq_scratch_need(&scratch->offsets, 4 * (count + 1), &bytes, err));
        offsets = bytes;
    }
    *out_offsets = offsets;
    (*out_offsets)[0] = (uint32_t)base;
    return ARMI_OK;
}

void armi_pq_bytes_end(struct armi_pq_sink *sink, const uint32_t *offsets, size_t count,
                       size_t size)
{
    if (sink->kind == ARMI_PQ_SINK_BYTES64) {
        void *values = sink->values + 8 * sink->length;
        uint64_t *wide = values;
        for (size_t i = 0; i < count; i++)
            wide[i + 1] = sink->data_size + offsets[i + 1];
    }
    sink->data_size += size;
}

static enum armi_status plain_cut_off(size_t index, size_t left, struct armi_error *err)
{
    return armi_error_set(
        err, ARMI_CORRUPTION,
        "value %zu of the page is longer than the %zu bytes that are left", index, left);
}

/* Walks over `count` values; *out_size gets the bytes of the values alone. */
static enum armi_status plain_walk(struct armi_reader *in, size_t first, size_t count,
                                   uint64_t *out_size, struct armi_error *err)
{
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size_t left = armi_reader_left(in);
        uint32_t n = left >= 4 ? armi_load32(in->pos) : UINT32_MAX;
        if (left < 4 || n > left - 4)
            return plain_cut_off(first + i, left, err);
        in->pos += 4 + (size_t)n;
        size += n;
    }
    *out_size = size;
    return ARMI_OK;
}

/* The data bytes of `count` values from `in` on: an upper bound where that is enough, else exact. */
static enum armi_status plain_size(const struct armi_reader *in,
                                   const struct armi_pq_span *span,
                                   const struct armi_pq_sink *sink, uint64_t *out,
                                   struct armi_error *err)
{
    uint64_t left = armi_reader_left(in);
    if (span->count > left / 4)
        return plain_cut_off(span->skip + (size_t)(left / 4), (size_t)(left % 4), err);
    *out = left - 4 * (uint64_t)span->count;
    uint64_t base = sink->kind == ARMI_PQ_SINK_BYTES32 ? sink->data_size : 0;
    if (span->skip + span->count == span->total && base + *out <= INT32_MAX)
        return ARMI_OK;
    struct armi_reader walk = *in;
    return plain_walk(&walk, span->skip, span->count, out, err);
}

enum armi_status armi_pq_bytes_plain(const struct armi_pq_span *span,
                                     struct armi_pq_sink *sink,
                                     struct armi_pq_scratch *scratch,
                                     struct armi_error *err)
{
    struct armi_reader in = armi_reader_init(span->bytes);
    uint64_t size = 0;
    uint32_t *offsets;
    ARMI_TRY(plain_walk(&in, 0, span->skip, &size, err));
    ARMI_TRY(plain_size(&in, span, sink, &size, err));
    ARMI_TRY(armi_pq_bytes_begin(sink, scratch, span->count, size, &offsets, err));
    uint8_t *dst = sink->data + sink->data_size;
    const uint8_t *start = dst, *dst_end = dst + size, *p = in.pos, *end = in.end;
    uint32_t base = offsets[0];
    size_t i = 0;
    /*
     * Short values far from the end are copied without asking how long they are. `size` counts the
     * prefixes of all values, so a page that lacks some can hold more data than that.
     */
    for (; i < span->count && end - p >= 4 + 32; i++) {
        uint32_t n = armi_load32(p);
        p += 4;
        if (n <= 32) {
            copy_short(dst, p, n);
        } else {
            if (n > (size_t)(end - p) || n > (size_t)(dst_end - dst))
                return plain_cut_off(span->skip + i, (size_t)(end - p), err);
            memcpy(dst, p, n);
        }
        p += n;
        dst += n;
        if (dst > dst_end)
            return plain_cut_off(span->skip + i, (size_t)(end - p), err);
        offsets[i + 1] = base + (uint32_t)(dst - start);
    }
    for (; i < span->count; i++) {
        size_t left = (size_t)(end - p);
        uint32_t n = left >= 4 ? armi_load32(p) : UINT32_MAX;
        if (left < 4 || n > left - 4 || n > (size_t)(dst_end - dst))
            return plain_cut_off(span->skip + i, left, err);
        if (n > 0)
            memcpy(dst, p + 4, n);
        p += 4 + (size_t)n;
        dst += n;
        offsets[i + 1] = base + (uint32_t)(dst - start);
    }
    armi_pq_bytes_end(sink, offsets, span->count, (size_t)(dst - start));
    return ARMI_OK;
}

/* Decodes `total` u32 lengths, none negative; *out_used is what they took. */
static enum armi_status read_lengths(struct armi_slice bytes, size_t total,
                                     struct armi_buf *buf, struct armi_pq_budget *budget,
                                     uint32_t **out, size_t *out_used,
                                     struct armi_error *err)
{
    uint8_t *room = NULL;
    void *lengths;
    struct armi_pq_delta header;
    ARMI_TRY(armi_pq_delta_init(&header, bytes, err));
    if (header.total != total)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "%llu lengths where the page has %zu values",
                              (unsigned long long)header.total, total);
    if (budget != NULL && total > budget->max / 4)
        return armi_error_set(err, ARMI_LIMIT, "a page of %zu values is beyond max_bytes",
                              total);
    ARMI_TRY(armi_pq_scratch_need(buf, 4 * total, &room, err));
    lengths = room;
    *out = lengths;
    ARMI_TRY(armi_pq_delta_read32(bytes, *out, total, out_used, err));
    uint32_t any = 0;
    for (size_t i = 0; i < total; i++)
        any |= (*out)[i];
    if (any > INT32_MAX)
        return armi_error_set(err, ARMI_CORRUPTION, "a length is negative");
    return ARMI_OK;
}

static uint64_t sum32(const uint32_t *values, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return sum;
}

enum armi_status armi_pq_bytes_delta_length(const struct armi_pq_span *span,
                                            struct armi_pq_sink *sink,
                                            struct armi_pq_scratch *scratch,
                                            struct armi_error *err)
{
    uint32_t *lengths, *offsets;
    size_t used;
    ARMI_TRY(read_lengths(span->bytes, span->total, &scratch->lengths, sink->budget,
                          &lengths, &used, err));
    uint64_t before = sum32(lengths, span->skip);
    uint64_t size = sum32(lengths + span->skip, span->count);
    size_t left = span->bytes.size - used;
    if (before > left || size > left - before)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "the lengths add up to more than the %zu bytes that are left",
                              left);
    ARMI_TRY(armi_pq_bytes_begin(sink, scratch, span->count, size, &offsets, err));
    if (size > 0)
        memcpy(sink->data + sink->data_size, span->bytes.data + used + before,
               (size_t)size);
    uint32_t at = offsets[0];
    lengths += span->skip;
    for (size_t i = 0; i < span->count; i++)
        offsets[i + 1] = at += lengths[i];
    armi_pq_bytes_end(sink, offsets, span->count, (size_t)size);
    return ARMI_OK;
}

/* Checks the prefixes against the lengths before them; the size of the values from `skip` on, and
 * of those before it where they must be built too. */
static enum armi_status delta_sizes(const struct armi_pq_span *span, const uint32_t *prefix,
                                    const uint32_t *suffix, size_t left,
                                    uint64_t *out_before, uint64_t *out_size,
                                    struct armi_error *err)
{
    uint64_t all = 0, suffixes = 0, last = 0;
    *out_before = 0;
    for (size_t i = 0; i < span->skip + span->count; i++) {
        if (i == span->skip)
            *out_before = all;
        if (prefix[i] > last)
            return armi_error_set(err, ARMI_CORRUPTION,
                                  "value %zu of the page shares %u bytes with one of %llu",
                                  i, prefix[i], (unsigned long long)last);
        last = (uint64_t)prefix[i] + suffix[i];
        suffixes += suffix[i];
        all += last;
    }
    if (suffixes > left)
        return armi_error_set(
            err, ARMI_CORRUPTION,
            "the suffixes add up to more than the %zu bytes that are left", left);
    if (span->count == 0)
        *out_before = all;
    *out_size = all - *out_before;
    return ARMI_OK;
}

/* Values that are left out are built as well, since those after them lean on them. */
enum armi_status armi_pq_bytes_delta(const struct armi_pq_span *span,
                                     struct armi_pq_sink *sink,
                                     struct armi_pq_scratch *scratch,
                                     struct armi_error *err)
{
    uint32_t *prefix, *suffix, *offsets;
    size_t used, more;
    uint64_t before = 0, size = 0;
    ARMI_TRY(read_lengths(span->bytes, span->total, &scratch->prefix, sink->budget, &prefix,
                          &used, err));
    struct armi_slice rest = {span->bytes.data + used, span->bytes.size - used};
    ARMI_TRY(read_lengths(rest, span->total, &scratch->lengths, sink->budget, &suffix,
                          &more, err));
    const uint8_t *src = rest.data + more, *src_end = rest.data + rest.size;
    ARMI_TRY(delta_sizes(span, prefix, suffix, rest.size - more, &before, &size, err));
    uint64_t all;
    if (__builtin_add_overflow(before, size, &all) || all > INT32_MAX)
        return armi_error_set(err, ARMI_LIMIT, "over 2 GiB of text or binary in one page");
    ARMI_TRY(armi_pq_bytes_begin(sink, scratch, span->count, all, &offsets, err));
    uint8_t *start = sink->data + sink->data_size, *dst = start;
    const uint8_t *last = dst;
    uint32_t base = offsets[0];
    for (size_t i = 0; i < span->skip + span->count; i++) {
        uint32_t p = prefix[i], s = suffix[i];
        if (p <= 32 && s <= 32 && src_end - src >= 32) {
            copy_short(dst, last, p);
            copy_short(dst + p, src, s);
        } else {
            memcpy(dst, last, p);
            memcpy(dst + p, src, s);
        }
        last = dst;
        dst += (size_t)p + s;
        src += s;
        if (i >= span->skip)
            offsets[i - span->skip + 1] =
                base + (uint32_t)((size_t)(dst - start) - (size_t)before);
    }
    if (before > 0)
        memmove(start, start + before, (size_t)size);
    armi_pq_bytes_end(sink, offsets, span->count, (size_t)size);
    return ARMI_OK;
}

static enum armi_status bad_index(uint32_t index, size_t count, struct armi_error *err)
{
    return armi_error_set(err, ARMI_CORRUPTION, "index %u into a dictionary of %zu values",
                          index, count);
}

/* The next block of indices, each checked; a repeated run comes as one value and its count. */
static enum armi_status next_indices(struct armi_pq_rle *rle, size_t limit,
                                     size_t dictionary_count, uint32_t *block,
                                     size_t *out_count, bool *out_repeated,
                                     struct armi_error *err)
{
    ARMI_TRY(armi_pq_rle_next(rle, err));
    size_t n = limit < rle->left ? limit : rle->left;
    uint32_t top;
    if (rle->is_packed) {
        n = n < BLOCK ? n : BLOCK;
        armi_pq_rle_unpack(rle, block, n);
        top = armi_pq_kernels()->max32(block, n);
    } else {
        top = block[0] = rle->value;
        rle->left -= n;
    }
    if (top >= dictionary_count)
        return bad_index(top, dictionary_count, err);
    *out_repeated = !rle->is_packed;
    *out_count = n;
    return ARMI_OK;
}

/* One value `n` times: doubled up until it fills its place. */
static void fill_bytes(uint8_t *dst, const uint8_t *src, size_t length, size_t n)
{
    size_t total = length * n, done = length;
    if (total == 0)
        return;
    memcpy(dst, src, length);
    while (done < total) {
        size_t step = done < total - done ? done : total - done;
        memcpy(dst + done, dst, step);
        done += step;
    }
}

static void gather_block(const struct armi_pq_bytes_dictionary *d, const uint32_t *indices,
                         size_t n, uint8_t *dst, uint32_t at, uint32_t *offsets)
{
    const uint8_t *data = d->data;
    const uint32_t *from = d->offsets;
    if (d->longest <= 16) {
        for (size_t i = 0; i < n; i++) {
            uint32_t k = indices[i], o = from[k], length = from[k + 1] - o;
            memcpy(dst, data + o, 16);
            dst += length;
            offsets[i] = at += length;
        }
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t k = indices[i], o = from[k], length = from[k + 1] - o;
        if (length <= 32)
            copy_short(dst, data + o, length);
        else
            memcpy(dst, data + o, length);
        dst += length;
        offsets[i] = at += length;
    }
}

static uint64_t block_size(const struct armi_pq_bytes_dictionary *d,
                           const uint32_t *indices, size_t n)
{
    uint64_t size = 0;
    for (size_t i = 0; i < n; i++)
        size += d->offsets[indices[i] + 1] - d->offsets[indices[i]];
    return size;
}

enum armi_status armi_pq_bytes_gather(const struct armi_pq_span *span,
                                      const struct armi_pq_bytes_dictionary *d,
                                      struct armi_pq_sink *sink,
                                      struct armi_pq_scratch *scratch,
                                      struct armi_error *err)
{
    struct armi_pq_rle rle;
    uint32_t block[BLOCK], *offsets;
    if (span->count == 0)
        return ARMI_OK;
    if (span->bytes.size < 1)
        return armi_error_set(err, ARMI_CORRUPTION, "the indices have no bit width");
    struct armi_slice runs = {span->bytes.data + 1, span->bytes.size - 1};
    ARMI_TRY(armi_pq_rle_init(&rle, runs, span->bytes.data[0], err));
    ARMI_TRY(armi_pq_rle_skip(&rle, span->skip, err));
    ARMI_TRY(armi_pq_bytes_begin(sink, scratch, span->count, 0, &offsets, err));
    uint64_t base = sink->data_size - offsets[0], limit = INT32_MAX;
    size_t start = sink->data_size;
    for (size_t done = 0; done < span->count;) {
        size_t n = 0;
        bool repeated = false;
        ARMI_TRY(
            next_indices(&rle, span->count - done, d->count, block, &n, &repeated, err));
        uint32_t length = d->offsets[block[0] + 1] - d->offsets[block[0]];
        uint64_t size = repeated ? (uint64_t)length * n : block_size(d, block, n);
        uint64_t at = sink->data_size - base;
        if (size > limit || at > limit - size) {
            sink->data_size = start;
            return armi_error_set(
                err, ARMI_LIMIT,
                "over 2 GiB of text or binary in one array: read fewer rows at a time");
        }
        ARMI_TRY(armi_pq_sink_reserve_data(sink, (size_t)size, done + n, err));
        uint8_t *dst = sink->data + sink->data_size;
        if (repeated) {
            fill_bytes(dst, d->data + d->offsets[block[0]], length, n);
            for (size_t i = 0; i < n; i++)
                offsets[done + i + 1] = (uint32_t)at + length * (uint32_t)(i + 1);
        } else {
            gather_block(d, block, n, dst, (uint32_t)at, offsets + done + 1);
        }
        sink->data_size += (size_t)size;
        done += n;
    }
    size_t size = sink->data_size - start;
    sink->data_size = start;
    armi_pq_bytes_end(sink, offsets, span->count, size);
    return ARMI_OK;
}
