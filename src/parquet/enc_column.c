/*
 * A column chunk: batch after batch becomes a page. Levels and values are written side by side; the
 * codec takes them from scratch memory, so that only what is kept ever lies in the output.
 *
 * V1 pages have one codec a chunk. So that a codec that never pays costs no bytes, pages stay as they
 * are until the first one gets smaller; then those before it are compressed after all.
 */
#include "parquet/enc_internal.h"

#include <libdeflate.h>
#include <string.h>

static enum armi_status page_add(struct enc_column *c, const struct enc_page *page)
{
    return armi_buf_append(&c->pages, page, sizeof *page, c->err);
}

static uint32_t page_crc(const struct enc_page *page)
{
    uint32_t crc = 0;
    for (uint32_t i = 0; i < page->part_count; i++)
        if (page->parts[i].size > 0)
            crc = libdeflate_crc32(crc, page->parts[i].data, page->parts[i].size);
    return crc;
}

static void page_seal(struct enc_column *c, struct enc_page *page)
{
    size_t size = 0;
    for (uint32_t i = 0; i < page->part_count; i++)
        size += page->parts[i].size;
    page->compressed_size = (int32_t)size;
    page->crc = c->settings->no_checksum ? 0 : page_crc(page);
}

/* ---- codec ---- */

/* Compresses `raw` into the sink; *out is empty when it does not get smaller than `limit`. */
static enum armi_status compress_into(struct enc_column *c, struct armi_slice raw,
                                      size_t limit, struct armi_slice *out)
{
    uint8_t *at;
    size_t size;
    ARMI_TRY(enc_sink_reserve(&c->worker->sink, limit, &at, c->err));
    ARMI_TRY(
        armi_codec_compress(c->worker->codecs, c->codec, raw, at, limit, &size, c->err));
    enc_sink_commit(&c->worker->sink, at, size);
    *out = (struct armi_slice){at, size};
    return ARMI_OK;
}

/* One contiguous piece of a page that was kept as it is. */
static enum armi_status page_join(struct enc_column *c, const struct enc_page *page,
                                  struct armi_slice *out)
{
    *out = page->parts[0];
    if (page->part_count == 1)
        return ARMI_OK;
    uint8_t *at;
    size_t first = page->parts[0].size;
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_PAGE, (size_t)page->uncompressed_size, &at,
                          c->err));
    memcpy(at, page->parts[0].data, first);
    memcpy(at + first, page->parts[1].data, page->parts[1].size);
    *out = (struct armi_slice){at, (size_t)page->uncompressed_size};
    return ARMI_OK;
}

/* The codec pays: all pages so far get it too. */
static enum armi_status codec_turn_on(struct enc_column *c)
{
    struct enc_page *pages = enc_column_pages(c);
    for (size_t i = 0; i < enc_column_page_count(c); i++) {
        struct armi_slice raw;
        ARMI_TRY(page_join(c, &pages[i], &raw));
        ARMI_TRY(compress_into(c, raw, armi_codec_bound(c->codec, raw.size),
                               &pages[i].parts[0]));
        pages[i].part_count = 1;
        pages[i].align = false;
        page_seal(c, &pages[i]);
    }
    c->codec_state = ENC_CODEC_ON;
    return ARMI_OK;
}

/* A page whose bytes lie in scratch memory goes out: compressed, or as it is. */
static enum armi_status page_emit_packed(struct enc_column *c, struct enc_page *page,
                                         struct armi_slice raw)
{
    struct armi_slice packed = {NULL, 0};
    page->part_count = 1;
    if (c->codec_state == ENC_CODEC_TRYING && raw.size > 0) {
        ARMI_TRY(compress_into(c, raw, raw.size - 1, &packed));
        if (packed.size > 0) {
            page->parts[0] = packed;
            /* Earlier pages are joined in the slot that holds this one, which is done with. */
            ARMI_TRY(codec_turn_on(c));
        }
    } else if (c->codec_state == ENC_CODEC_ON) {
        ARMI_TRY(compress_into(c, raw, armi_codec_bound(c->codec, raw.size), &packed));
        page->parts[0] = packed;
    }
    if (packed.size == 0 && c->codec_state != ENC_CODEC_ON) {
        uint8_t *at;
        ARMI_TRY(enc_sink_reserve(&c->worker->sink, raw.size, &at, c->err));
        memcpy(at, raw.data, raw.size);
        enc_sink_commit(&c->worker->sink, at, raw.size);
        page->parts[0] = (struct armi_slice){at, raw.size};
    }
    page_seal(c, page);
    return page_add(c, page);
}

/* ---- levels ---- */

static size_t levels_bound(const struct enc_column *c, const struct enc_batch *b)
{
    size_t n = (size_t)b->value_count, size = 0;
    if (c->leaf->max_rep > 0)
        size += 4 + enc_rle_bound(n, armi_bit_width(c->leaf->max_rep));
    if (c->leaf->max_def > 0)
        size += 4 + enc_rle_bound(n, armi_bit_width(c->leaf->max_def));
    return size;
}

static uint8_t *level_size(uint8_t *begin, uint8_t *end)
{
    armi_store32(begin, (uint32_t)(end - begin - 4));
    return end;
}

static uint8_t *levels_write(const struct enc_column *c, const struct enc_batch *b,
                             uint8_t *out)
{
    size_t n = (size_t)b->value_count;
    if (c->leaf->max_rep > 0)
        out = level_size(
            out, enc_rle_bytes(b->rep, n, armi_bit_width(c->leaf->max_rep), out + 4));
    if (c->leaf->max_def == 0)
        return out;
    unsigned width = armi_bit_width(c->leaf->max_def);
    if (b->def != NULL)
        return level_size(out, enc_rle_bytes(b->def, n, width, out + 4));
    if (b->valid == NULL || b->null_count == b->value_count)
        return level_size(out, enc_rle_run(b->valid == NULL ? 1 : 0, n, width, out + 4));
    return level_size(out, enc_rle_bits(b->valid, n, out + 4));
}

/* ---- data pages ---- */

static bool is_zero_copy(const struct enc_column *c, const struct enc_batch *b,
                         enum armi_pq_encoding encoding)
{
    return c->codec_state == ENC_CODEC_OFF && encoding == ARMI_PQ_PLAIN &&
           b->values.is_borrowed && b->values.width > 0 &&
           b->values.count * b->values.width >= 4096;
}

static enum armi_status values_write(struct enc_column *c, const struct enc_batch *b,
                                     const struct enc_encoding *encoding, uint8_t *out,
                                     size_t *size)
{
    return encoding->encode(c, &b->values, out, size);
}

static enum armi_status page_size_check(struct enc_column *c, const struct enc_page *page,
                                        size_t size)
{
    if (size > INT32_MAX)
        return enc_error(c, ARMI_LIMIT, page->first_row,
                         "a page of %zu bytes; at most 2^31 - 1 fit", size);
    return ARMI_OK;
}

static enum armi_status page_encode(struct enc_column *c, const struct enc_batch *b,
                                    struct enc_page *page)
{
    const struct enc_encoding *encoding = enc_encoding_find(page->encoding);
    size_t levels = levels_bound(c, b), values = encoding->bound(&b->values);
    bool zero_copy = is_zero_copy(c, b, page->encoding);
    bool direct = c->codec_state == ENC_CODEC_OFF;
    uint8_t *at, *end;
    size_t room = levels + (zero_copy ? 0 : values) + 128;
    if (direct)
        ARMI_TRY(enc_sink_reserve(&c->worker->sink, room, &at, c->err));
    else
        ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_PAGE, room, &at, c->err));
    end = levels_write(c, b, at);
    page->levels_size = (uint32_t)(end - at);
    size_t size = 0;
    if (zero_copy)
        page->parts[1] =
            (struct armi_slice){b->values.fixed, b->values.count * b->values.width};
    else
        ARMI_TRY(values_write(c, b, encoding, end, &size));
    size += page->levels_size;
    page->part_count = zero_copy ? 2 : 1;
    size_t all = size + (zero_copy ? page->parts[1].size : 0);
    ARMI_TRY(page_size_check(c, page, all));
    page->uncompressed_size = (int32_t)all;
    if (!direct)
        return page_emit_packed(c, page, (struct armi_slice){at, size});
    page->align = c->settings->align && page->encoding == ARMI_PQ_PLAIN &&
                  b->values.width > 0 && b->values.count * b->values.width >= 4096;
    page->parts[0] = (struct armi_slice){at, size};
    enc_sink_commit(&c->worker->sink, at, size);
    page_seal(c, page);
    return page_add(c, page);
}

static size_t page_rows_max(const struct enc_column *c, uint32_t width)
{
    if (width <= ENC_PAGE_BYTES / ENC_PAGE_ROWS)
        return ENC_PAGE_ROWS;
    size_t rows = ENC_PAGE_BYTES / width & ~(size_t)7;
    (void)c;
    return rows < 8 ? 8 : rows;
}

/* The next row at which a page must end. */
static int64_t cut_next(const struct enc_column *c, size_t *cut, int64_t position)
{
    const struct armi_pq_encode_settings *s = c->settings;
    while (*cut < s->range_count && s->range_ends[*cut] <= position)
        (*cut)++;
    int64_t end = *cut < s->range_count ? s->range_ends[*cut] : c->rows;
    return end < c->rows ? end : c->rows;
}

static enum armi_status batch_next(struct enc_column *c, struct enc_cursor *cursor,
                                   int64_t end, struct enc_batch *b)
{
    uint32_t width =
        c->leaf->physical == ARMI_PQ_FIXED ? (uint32_t)c->leaf->type_length : 8;
    size_t rows = page_rows_max(c, width);
    uint64_t bytes = c->encoding == ARMI_PQ_RLE_DICTIONARY ? UINT64_MAX : ENC_PAGE_BYTES;
    return enc_batch_flat(c, cursor, end, rows, bytes, b);
}

enum armi_status enc_column_encode(struct enc_column *c)
{
    ARMI_TRY(enc_policy_choose(c));
    struct enc_cursor cursor = {0, 0, 0};
    size_t cut = 0;
    while (cursor.position < c->rows) {
        struct enc_batch b;
        int64_t first = cursor.position;
        ARMI_TRY(batch_next(c, &cursor, cut_next(c, &cut, first), &b));
        struct enc_page page = {
            .value_count = (int32_t)b.value_count,
            .encoding = (int32_t)c->encoding,
            .first_row = first,
            .row_count = b.rows,
            .unencoded_bytes = (int64_t)b.values.bytes,
        };
        enc_stats_values(c->order, &b.values, &page.stats);
        page.stats.null_count = b.null_count;
        ARMI_TRY(page_encode(c, &b, &page));
        enc_stats_merge(c->order, &c->stats, &page.stats);
        c->value_count += b.value_count;
        c->unencoded_bytes += (int64_t)b.values.bytes;
    }
    return ARMI_OK;
}
