/*
 * A column chunk: batch after batch becomes a page, with the encoding that the policy chose. Where a
 * dictionary turns out to be no gain after all, the chunk is begun again without one.
 */
#include "parquet/enc_dict.h"

#include <string.h>

#include "base/alloc.h"
#include "parquet/parquet_dispatch.h"

#define SHARED_FROM ((size_t)16 << 20) /* output from which on columns share slabs */

/* The same for all columns of up to 16 bytes a value, and a multiple of 8, so that bitmaps of later
 * pages begin at whole bytes. */
size_t enc_page_rows_max(const struct enc_column *c)
{
    uint32_t width =
        c->leaf->physical == ARMI_PQ_FIXED ? (uint32_t)c->leaf->type_length : 8;
    if (width <= ENC_PAGE_BYTES / ENC_PAGE_ROWS)
        return ENC_PAGE_ROWS;
    size_t rows = ENC_PAGE_BYTES / width & ~(size_t)7;
    return rows < 8 ? 8 : rows;
}

/* The next row at which a page must end. */
static int64_t cut_next(const struct enc_column *c, size_t *cut, int64_t position)
{
    const struct armi_pq_encode_settings *s = c->settings;
    while (*cut < s->range_count && s->range_ends[*cut] <= position)
        (*cut)++;
    int64_t end = *cut < s->range_count ? s->range_ends[*cut] : c->to;
    return end < c->to ? end : c->to;
}

bool enc_column_is_flat(const struct enc_column *c)
{
    return c->schema->nodes[c->leaf->node].parent == 0;
}

void enc_cursor_seek(const struct enc_column *c, int64_t row, struct enc_cursor *cursor)
{
    while (row - cursor->position >=
           c->pieces->pieces[cursor->piece].length - cursor->row) {
        cursor->position += c->pieces->pieces[cursor->piece].length - cursor->row;
        cursor->piece++;
        cursor->row = 0;
    }
    cursor->row += row - cursor->position;
    cursor->position = row;
}

enum armi_status enc_column_batch(struct enc_column *c, struct enc_cursor *cursor,
                                  int64_t end, struct enc_batch *b)
{
    size_t rows = enc_page_rows_max(c);
    uint64_t bytes = c->encoding == ARMI_PQ_RLE_DICTIONARY ? UINT64_MAX : ENC_PAGE_BYTES;
    return enc_column_is_flat(c) ? enc_batch_flat(c, cursor, end, rows, bytes, b)
                                 : enc_batch_nested(c, cursor, end, rows, bytes, b);
}

/* ---- histograms ---- */

#define FEW_LEVELS 4

static void levels_count(const uint8_t *levels, size_t count, unsigned max,
                         int64_t *histogram)
{
    int64_t part[4][256];
    if (max <= FEW_LEVELS) {
        size_t left = count;
        for (unsigned v = 0; v < max; v++) {
            size_t n = armi_pq_kernels()->count8(levels, count, (uint8_t)v);
            histogram[v] += (int64_t)n;
            left -= n;
        }
        histogram[max] += (int64_t)left;
        return;
    }
    memset(part, 0, sizeof part);
    size_t i = 0;
    for (; i + 4 <= count; i += 4)
        for (size_t k = 0; k < 4; k++)
            part[k][levels[i + k]]++;
    for (; i < count; i++)
        part[0][levels[i]]++;
    for (size_t v = 0; v < 256; v++)
        histogram[v] += part[0][v] + part[1][v] + part[2][v] + part[3][v];
}

static void batch_count(struct enc_column *c, const struct enc_batch *b)
{
    if (b->def != NULL) {
        levels_count(b->def, (size_t)b->value_count, c->leaf->max_def, c->def_histogram);
        levels_count(b->rep, (size_t)b->value_count, c->leaf->max_rep, c->rep_histogram);
        return;
    }
    c->def_histogram[c->leaf->max_def] += b->value_count - b->null_count;
    if (c->leaf->max_def > 0)
        c->def_histogram[0] += b->null_count;
    c->rep_histogram[0] += b->value_count;
}

/* ---- the loop ---- */

static enum armi_status batch_stats(struct enc_column *c, const struct enc_dict *dict,
                                    const struct enc_batch *b, const uint32_t *indices,
                                    struct enc_stats *stats)
{
    /* Strings of a dictionary are compared once an entry, if that is less work. */
    if (indices != NULL && b->values.strings != NULL && dict->count < b->values.count / 2)
        ARMI_TRY(enc_dict_stats(c, dict, indices, b->values.count, stats));
    else
        enc_stats_values(c->order, &b->values, stats);
    stats->null_count = b->null_count;
    return ARMI_OK;
}

static enum armi_status batch_encode(struct enc_column *c, struct enc_dict *dict,
                                     const struct enc_batch *b, int64_t first)
{
    uint32_t *indices = NULL;
    struct enc_page page = {
        .value_count = (int32_t)b->value_count,
        .encoding = (int32_t)c->encoding,
        .first_row = first,
        .row_count = b->rows,
        .unencoded_bytes = (int64_t)b->values.bytes,
    };
    if (b->value_count > INT32_MAX)
        return enc_error(c, ARMI_LIMIT, first, "a row of more than 2^31 - 1 values");
    if (c->encoding == ARMI_PQ_RLE_DICTIONARY) {
        ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_INDICES,
                              (b->values.count + 1) * sizeof *indices, &indices, c->err));
        ARMI_TRY(enc_dict_add(c, dict, &b->values, indices));
        if (dict->given_up)
            return ARMI_OK;
    }
    ARMI_TRY(batch_stats(c, dict, b, indices, &page.stats));
    ARMI_TRY(
        enc_page_data(c, b, indices, indices != NULL ? enc_dict_width(dict) : 0, &page));
    enc_stats_merge(c->order, &c->stats, &page.stats);
    c->value_count += b->value_count;
    c->unencoded_bytes += (int64_t)b->values.bytes;
    batch_count(c, b);
    return c->encoding != ARMI_PQ_RLE_DICTIONARY && enc_bloom_wanted(c)
               ? enc_bloom_add(c, &b->values)
               : ARMI_OK;
}

static enum armi_status pages_encode(struct enc_column *c, struct enc_dict *dict)
{
    struct enc_cursor cursor = {0, 0, 0};
    size_t cut = 0;
    enc_cursor_seek(c, c->from, &cursor);
    while (cursor.position < c->to && !dict->given_up) {
        struct enc_batch b;
        int64_t first = cursor.position;
        ARMI_TRY(enc_column_batch(c, &cursor, cut_next(c, &cut, first), &b));
        ARMI_TRY(batch_encode(c, dict, &b, first));
    }
    return ARMI_OK;
}

/* As if nothing had been encoded. */
static void column_reset(struct enc_column *c)
{
    enc_sink_clear(&c->worker->sink);
    enc_sink_clear(&c->worker->entries);
    armi_buf_clear(&c->pages);
    c->stats = (struct enc_stats){0};
    c->value_count = c->unencoded_bytes = 0;
    c->probe_next = 0;
    c->bloom_count = 0;
    memset(c->def_histogram, 0, 512 * sizeof *c->def_histogram);
}

/* Moves what lies in the slab, if anything, to the worker's output. */
static enum armi_status slice_move(struct enc_column *c, const struct armi_slab *slab,
                                   struct armi_slice *slice)
{
    uintptr_t at = (uintptr_t)slice->data, from = (uintptr_t)slab->data;
    uint8_t *to;
    if (slice->size == 0 || at < from || at - from >= slab->size)
        return ARMI_OK;
    ARMI_TRY(enc_sink_reserve(&c->worker->out, slice->size, &to, c->err));
    memcpy(to, slice->data, slice->size);
    enc_sink_commit(&c->worker->out, to, slice->size);
    slice->data = to;
    return ARMI_OK;
}

/*
 * Slabs go as they are, but the last if much of it is free, which would add up over many columns: its pages
 * then go to where there is room.
 */
enum armi_status enc_column_settle(struct enc_column *c)
{
    struct enc_sink *sink = &c->worker->sink, *out = &c->worker->out;
    struct armi_slab *last = sink->slabs;
    if (last == NULL)
        return ARMI_OK;
    while (last->next != NULL) {
        struct armi_slab *slab = last->next;
        last->next = slab->next;
        enc_sink_join(out, slab, slab->size);
    }
    size_t little = last->size / 8, room = enc_sink_room(out);
    if (out->size < SHARED_FROM || room < little || last->size - sink->used < little) {
        enc_sink_join(out, last, sink->used);
        *sink = (struct enc_sink){0};
        return ARMI_OK;
    }
    for (size_t i = 0; i < enc_column_page_count(c); i++)
        for (size_t k = 0; k < enc_column_pages(c)[i].part_count; k++)
            ARMI_TRY(slice_move(c, last, &enc_column_pages(c)[i].parts[k]));
    enc_sink_clear(sink);
    return ARMI_OK;
}

static enum armi_status column_run(struct enc_column *c)
{
    struct enc_dict dict = {0};
    enum enc_codec_state codec_state = c->codec_state;
    if (c->encoding == ARMI_PQ_RLE_DICTIONARY)
        ARMI_TRY(enc_dict_init(c, &dict, c->dict_bytes_max));
    if (c->is_ordered)
        ARMI_TRY(enc_ordered_add(c, &dict));
    ARMI_TRY(pages_encode(c, &dict));
    if (dict.given_up) {
        column_reset(c);
        c->encoding = c->fallback;
        c->codec_state = codec_state;
        dict = (struct enc_dict){0};
        ARMI_TRY(pages_encode(c, &dict));
    }
    if (c->encoding != ARMI_PQ_RLE_DICTIONARY)
        return enc_bloom_finish(c);
    struct enc_values entries;
    ARMI_TRY(enc_dict_values(c, &dict, &entries));
    c->distinct = c->is_ordered ? 0 : dict.count; /* entries may be unused */
    if (enc_bloom_wanted(c))
        ARMI_TRY(enc_bloom_add(c, &entries));
    ARMI_TRY(enc_bloom_finish(c));
    return enc_page_dictionary(c, &entries);
}

bool enc_column_is_cut(const struct enc_column *c)
{
    return c->rows > ENC_CUT_FROM && c->part_rows > 0 && c->part_rows < c->rows &&
           c->encoding != ARMI_PQ_RLE_DICTIONARY && !enc_bloom_wanted(c);
}

enum armi_status enc_column_begin(struct enc_column *c)
{
    ARMI_TRY(enc_policy_choose(c));
    c->is_ordered = enc_ordered_wanted(c);
    if (c->is_ordered) {
        c->encoding = ARMI_PQ_RLE_DICTIONARY;
        c->dict_bytes_max = UINT64_MAX;
        c->has_sample_range = false;
    }
    bool is_text = c->leaf->physical == ARMI_PQ_BYTE_ARRAY;
    if (is_text && enc_column_is_cut(c) && c->codec_state == ENC_CODEC_PROBING)
        return enc_codec_sample(c);
    return ARMI_OK;
}

enum armi_status enc_column_encode(struct enc_column *c)
{
    /* Levels are below 256: nesting is bounded. One block, the repetition levels' half behind. */
    c->def_histogram = armi_alloc_zero(512, sizeof *c->def_histogram);
    if (c->def_histogram == NULL)
        return armi_error_no_memory(c->err);
    c->rep_histogram = c->def_histogram + 256;
    enc_sink_clear(&c->worker->sink); /* what another column left when it failed */
    enc_sink_clear(&c->worker->entries);
    ARMI_TRY(column_run(c));
    return enc_column_settle(c);
}

void enc_column_release(struct enc_column *c)
{
    armi_buf_release(&c->pages);
    armi_free(c->def_histogram);
    c->def_histogram = NULL;
}
