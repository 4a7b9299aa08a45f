/*
 * A page: levels and values side by side, then the codec, then the CRC. The codec takes its input from
 * scratch memory, so that only what is kept ever lies in the output.
 *
 * V1 pages have one codec a chunk. So that a codec that never pays costs no bytes, pages stay as they
 * are until one gets smaller: by any amount where the codec was asked for, by some percent of a
 * sample where it is ours to choose. Then those before it are compressed after all.
 */
#include "parquet/enc_dict.h"

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

static enum armi_status pages_compress(struct enc_column *c)
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
    return ARMI_OK;
}

enum armi_status enc_codec_turn_on(struct enc_column *c)
{
    struct enc_sink before = c->worker->sink;
    c->worker->sink = (struct enc_sink){0};
    c->codec_state = ENC_CODEC_ON;
    enum armi_status status = pages_compress(c);
    armi_slab_give(before.slabs);
    return status;
}

/* A page whose bytes lie in scratch memory goes out: compressed, or as it is. */
static enum armi_status page_emit_packed(struct enc_column *c, struct enc_page *page,
                                         struct armi_slice raw)
{
    struct armi_slice packed = {NULL, 0};
    page->part_count = 1;
    if (c->codec_state == ENC_CODEC_TRYING && raw.size > 0) {
        ARMI_TRY(compress_into(c, raw, raw.size - 1, &packed));
        if (packed.size > 0 && enc_column_page_count(c) > 0) {
            ARMI_TRY(enc_codec_turn_on(c)); /* drops this one's as well */
            packed.size = 0;
        } else if (packed.size > 0) {
            c->codec_state = ENC_CODEC_ON;
        }
    }
    if (c->codec_state == ENC_CODEC_ON) {
        if (packed.size == 0)
            ARMI_TRY(compress_into(c, raw, armi_codec_bound(c->codec, raw.size), &packed));
        page->parts[0] = packed;
    } else {
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

/* ---- sampling the codec ---- */

#define PROBE_BYTES_LATER 16384 /* in parts behind the first, which may be one page each */
#define PROBE_MIN         64

/* What it must come down to, in percent. Plain numbers have more to lose: without a codec they are
 * used where they lie. docs/design/encoder-policy.md has the figures. */
#define PERCENT_PLAIN  92
#define PERCENT_PACKED 97

static bool is_later_part(const struct enc_column *c)
{
    return c->from > 0;
}

/* What the codec makes of the middle of a page; *out_size is 0 if that is more than `percent` of it, *out_of
 * what the middle has. */
static enum armi_status probe(struct enc_column *c, struct armi_slice all, unsigned percent,
                              size_t *out_of, size_t *out_size)
{
    size_t most = is_later_part(c) ? PROBE_BYTES_LATER : ENC_PROBE_BYTES;
    *out_of = all.size;
    *out_size = 0;
    if (all.size < PROBE_MIN)
        return ARMI_OK;
    /* Split bytes lie in as many stretches of different nature: no part stands for the page. */
    if (all.size > most && c->encoding != ARMI_PQ_BYTE_STREAM_SPLIT)
        all = (struct armi_slice){all.data + (all.size - most) / 2, most};
    size_t limit = all.size * percent / 100;
    uint8_t *at;
    *out_of = all.size;
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_PROBE, limit, &at, c->err));
    return armi_codec_compress(c->worker->codecs, c->codec, all, at, limit, out_size,
                               c->err);
}

static struct armi_slice last_payload(const struct enc_column *c)
{
    const struct enc_page *page = &enc_column_pages(c)[enc_column_page_count(c) - 1];
    return page->parts[page->part_count - 1];
}

/* Looks at pages 0, 1, 3, 7, …: a column that changes its nature is seen, and it costs little. Of a
 * later part at its first. */
static enum armi_status page_probe(struct enc_column *c)
{
    if (c->codec_state != ENC_CODEC_PROBING || enc_column_page_count(c) <= c->probe_next)
        return ARMI_OK;
    c->probe_next = is_later_part(c) ? SIZE_MAX : 2 * c->probe_next + 1;
    bool is_plain = c->encoding == ARMI_PQ_PLAIN && c->leaf->physical != ARMI_PQ_BYTE_ARRAY;
    size_t of, size;
    ARMI_TRY(
        probe(c, last_payload(c), is_plain ? PERCENT_PLAIN : PERCENT_PACKED, &of, &size));
    return size > 0 ? enc_codec_turn_on(c) : ARMI_OK;
}

enum armi_status enc_codec_sample(struct enc_column *c)
{
    struct enc_cursor cursor = {0, 0, 0};
    struct enc_batch b;
    uint8_t *at;
    size_t of, size;
    enc_cursor_seek(c, c->rows / 2, &cursor);
    int64_t some = c->part_rows * (int64_t)ENC_PROBE_BYTES / (int64_t)ENC_PART_TEXT;
    int64_t end = cursor.position + 1 + some;
    ARMI_TRY(enc_column_batch(c, &cursor, end < c->rows ? end : c->rows, &b));
    const struct enc_encoding *encoding = enc_encoding_find(c->encoding);
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_PAGE,
                          encoding->bound(&b.values) + ENC_PAGE_SLACK, &at, c->err));
    ARMI_TRY(encoding->encode(c, &b.values, at, &size));
    ARMI_TRY(probe(c, (struct armi_slice){at, size}, PERCENT_PACKED, &of, &size));
    if (size > 0)
        c->codec_state = ENC_CODEC_ON;
    return ARMI_OK;
}

/* ---- pages ---- */

/* Written where they stay, and looked at afterwards. */
static bool is_direct(const struct enc_column *c)
{
    return c->codec_state == ENC_CODEC_OFF || c->codec_state == ENC_CODEC_PROBING;
}

static bool is_large_plain(const struct enc_batch *b, const struct enc_page *page)
{
    return page->encoding == ARMI_PQ_PLAIN && b->values.width > 0 &&
           b->values.count * b->values.width >= 4096;
}

static enum armi_status size_check(struct enc_column *c, const struct enc_page *page,
                                   size_t size)
{
    if (size > INT32_MAX)
        return enc_error(c, ARMI_LIMIT, page->first_row,
                         "a page of %zu bytes; at most 2^31 - 1 fit", size);
    return ARMI_OK;
}

/* The page is complete at `at`; what follows depends on the codec. */
static enum armi_status page_finish(struct enc_column *c, struct enc_page *page,
                                    uint8_t *at, size_t size, struct armi_slice borrowed)
{
    ARMI_TRY(size_check(c, page, size + borrowed.size));
    page->uncompressed_size = (int32_t)(size + borrowed.size);
    if (!is_direct(c))
        return page_emit_packed(c, page, (struct armi_slice){at, size});
    enc_sink_commit(&c->worker->sink, at, size);
    page->parts[0] = (struct armi_slice){at, size};
    page->parts[1] = borrowed;
    page->part_count = borrowed.size > 0 ? 2 : 1;
    page_seal(c, page);
    ARMI_TRY(page_add(c, page));
    return page_probe(c);
}

static enum armi_status page_room(struct enc_column *c, size_t size, uint8_t **at)
{
    if (is_direct(c))
        return enc_sink_reserve(&c->worker->sink, size + ENC_PAGE_SLACK, at, c->err);
    return enc_slot_get(c->worker, ENC_SLOT_PAGE, size + ENC_PAGE_SLACK, at, c->err);
}

/* Values that are the page's bytes as they lie in the input; copied, but apart from the levels all
 * the same, where the input goes away. */
static enum armi_status values_borrow(struct enc_column *c, const struct enc_values *v,
                                      struct armi_slice *out)
{
    *out = (struct armi_slice){v->fixed, v->count * v->width};
    if (!c->settings->no_borrow)
        return ARMI_OK;
    uint8_t *at;
    ARMI_TRY(enc_sink_reserve(&c->worker->sink, out->size, &at, c->err));
    memcpy(at, out->data, out->size);
    enc_sink_commit(&c->worker->sink, at, out->size);
    out->data = at;
    return ARMI_OK;
}

enum armi_status enc_page_data(struct enc_column *c, const struct enc_batch *b,
                               const uint32_t *indices, unsigned width,
                               struct enc_page *page)
{
    const struct enc_encoding *encoding =
        indices == NULL ? enc_encoding_find(page->encoding) : NULL;
    struct armi_slice borrowed = {NULL, 0};
    size_t room = levels_bound(c, b), size = 0;
    if (is_direct(c) && indices == NULL && b->values.is_borrowed && is_large_plain(b, page))
        ARMI_TRY(values_borrow(c, &b->values, &borrowed));
    else
        room += indices != NULL ? enc_dict_page_bound(b->values.count, width)
                                : encoding->bound(&b->values);
    uint8_t *at;
    ARMI_TRY(page_room(c, room, &at));
    uint8_t *end = levels_write(c, b, at);
    page->levels_size = (uint32_t)(end - at);
    if (indices != NULL)
        size = enc_dict_page(indices, b->values.count, width, end);
    else if (borrowed.size == 0)
        ARMI_TRY(encoding->encode(c, &b->values, end, &size));
    page->align =
        c->settings->align && is_direct(c) && indices == NULL && is_large_plain(b, page);
    return page_finish(c, page, at, page->levels_size + size, borrowed);
}

static uint64_t pages_size(const struct enc_column *c)
{
    uint64_t size = 0;
    for (size_t i = 0; i < enc_column_page_count(c); i++)
        size += (uint64_t)enc_column_pages(c)[i].compressed_size;
    return size;
}

/* A dictionary is the page that a codec does most for: it decides by what the chunk gains. */
static enum armi_status dictionary_probe(struct enc_column *c)
{
    size_t of, packed;
    if (c->codec_state != ENC_CODEC_PROBING)
        return ARMI_OK;
    ARMI_TRY(probe(c, last_payload(c), PERCENT_PACKED, &of, &packed));
    if (packed == 0)
        return ARMI_OK;
    uint64_t saved = (uint64_t)last_payload(c).size * (of - packed) / of;
    return saved * 100 >= pages_size(c) * (100 - PERCENT_PACKED) ? enc_codec_turn_on(c)
                                                                 : ARMI_OK;
}

enum armi_status enc_page_dictionary(struct enc_column *c, const struct enc_values *entries)
{
    struct enc_page page = {
        .value_count = (int32_t)entries->count,
        .encoding = ARMI_PQ_PLAIN,
        .is_dictionary = true,
    };
    uint8_t *at;
    size_t size;
    ARMI_TRY(page_room(c, enc_plain.bound(entries), &at));
    ARMI_TRY(enc_plain.encode(c, entries, at, &size));
    c->probe_next = SIZE_MAX; /* it is looked at otherwise */
    ARMI_TRY(page_finish(c, &page, at, size, (struct armi_slice){NULL, 0}));
    ARMI_TRY(dictionary_probe(c));
    /* It was encoded last, but stands first. */
    struct enc_page *pages = enc_column_pages(c);
    size_t count = enc_column_page_count(c);
    struct enc_page last = pages[count - 1];
    memmove(pages + 1, pages, (count - 1) * sizeof *pages);
    pages[0] = last;
    return ARMI_OK;
}
