#include "parquet/dec_column.h"

#include <string.h>

#include "base/bits.h"
#include "base/limits.h"
#include "parquet/dec_convert.h"
#include "parquet/dec_levels.h"
#include "parquet/dec_rle.h"
#include "parquet/parquet_dispatch.h"

/* A page may have so many levels, or so many for each of its bytes: they become bytes all at once. */
#define ENTRIES_MAX      ((size_t)64 << 20)
#define ENTRIES_PER_BYTE 64

void armi_pq_leaf_data_release(struct armi_pq_leaf_data *data)
{
    armi_pq_sink_release(&data->sink);
    armi_pq_sink_release(&data->dictionary);
    armi_pq_structures_release(&data->structures);
}

/* ---- values into the sink ---- */

struct reader {
    struct armi_pq_chunk *chunk;
    const struct armi_pq_leaf_shape *shape;
    struct armi_pq_worker *worker;
    struct armi_pq_leaf_data *out;
    int64_t row_from, row_end;
    bool zero_copy;
    bool done;
};

/* Appends the chunk's dictionary to the result's, which may hold others' values already. */
static enum armi_status dictionary_append(struct armi_pq_sink *to,
                                          const struct armi_pq_sink *from,
                                          struct armi_error *err)
{
    ARMI_TRY(armi_pq_sink_reserve(to, from->length, from->length, err));
    if (from->kind == ARMI_PQ_SINK_FIXED) {
        if (from->length > 0 && from->width > 0)
            memcpy(to->values + to->length * to->width, from->values,
                   from->length * from->width);
    } else {
        ARMI_TRY(armi_pq_sink_reserve_data(to, from->data_size, from->length, err));
        if (to->kind == ARMI_PQ_SINK_BYTES32 && to->data_size + from->data_size > INT32_MAX)
            return armi_error_set(err, ARMI_LIMIT, "a dictionary of over 2 GiB of text");
        if (from->data_size > 0)
            memcpy(to->data + to->data_size, from->data, from->data_size);
        for (size_t i = 1; i <= from->length; i++) {
            uint64_t at = to->data_size + armi_load32(from->values + 4 * i);
            if (to->kind == ARMI_PQ_SINK_BYTES32)
                armi_store32(to->values + 4 * (to->length + i), (uint32_t)at);
            else
                armi_store64(to->values + 8 * (to->length + i), at);
        }
        to->data_size += from->data_size;
    }
    armi_pq_sink_close_page(to, from->length, from->length);
    return ARMI_OK;
}

/* A dictionary array: indices where the page has them, else its values join the dictionary. */
static enum armi_status put_indices(const struct reader *r, int encoding,
                                    const struct armi_pq_span *span, struct armi_error *err)
{
    struct armi_pq_chunk *chunk = r->chunk;
    struct armi_pq_sink *dictionary = &r->out->dictionary, *sink = &r->out->sink;
    if (encoding == ARMI_PQ_RLE_DICTIONARY || encoding == ARMI_PQ_PLAIN_DICTIONARY) {
        if (span->count > 0 && !chunk->dictionary.is_set)
            return armi_error_set(err, ARMI_CORRUPTION, "indices without a dictionary");
        return armi_pq_indices_read(span, chunk->dictionary.values.length, 0, sink, err);
    }
    size_t base = dictionary->length;
    if (base > UINT32_MAX || span->count > UINT32_MAX - base)
        return armi_error_set(err, ARMI_LIMIT, "a dictionary of over 2^32 values");
    ARMI_TRY(armi_pq_sink_reserve(dictionary, span->count, span->count, err));
    ARMI_TRY(armi_pq_values_read(chunk->leaf, encoding, span, NULL, !chunk->no_utf8_check,
                                 dictionary, &r->worker->scratch, err));
    armi_pq_sink_close_page(dictionary, span->count, span->count);
    r->out->has_repeats |= dictionary->length > 1;
    for (size_t i = 0; i < span->count; i++)
        armi_store32(sink->values + 4 * (sink->length + i), (uint32_t)(base + i));
    return ARMI_OK;
}

static enum armi_status put_values(const struct reader *r, int encoding,
                                   const struct armi_pq_span *span, struct armi_error *err)
{
    if (r->shape->is_dictionary)
        return put_indices(r, encoding, span, err);
    return armi_pq_values_read(r->chunk->leaf, encoding, span, &r->chunk->dictionary,
                               !r->chunk->no_utf8_check, &r->out->sink, &r->worker->scratch,
                               err);
}

/* The span's share of the levels that the footer says the chunk has. */
static uint64_t span_values(const struct reader *r)
{
    const struct armi_pq_chunk *chunk = r->chunk;
    uint64_t rows = (uint64_t)(r->row_end - r->row_from);
    double values = (double)chunk->meta->meta.value_count, all = (double)chunk->row_count;
    if (chunk->leaf->max_rep == 0 || rows == 0)
        return rows;
    if ((int64_t)rows == chunk->row_count)
        return (uint64_t)chunk->meta->meta.value_count;
    double share = 1.02 * values * ((double)rows / (all > 0 ? all : 1));
    return share < (double)UINT32_MAX ? (uint64_t)share : UINT32_MAX;
}

/* How many may still come, `count` of them now and `done` before: a wish, not a need. */
static size_t expected_more(const struct reader *r, size_t done, size_t count)
{
    uint64_t all = span_values(r), left = all > done ? all - done : 0;
    return left > count && left <= SIZE_MAX ? (size_t)left : count;
}

/* `share`: where padding makes more slots than the footer has levels, how many may come in all for each
 * of these; else 0. */
static size_t expected_slots(const struct reader *r, size_t slots, double share)
{
    uint64_t a_row = r->shape->slots_a_row, rows = (uint64_t)(r->row_end - r->row_from);
    size_t length = r->out->sink.length;
    if (a_row == 0 && share > 0 && (double)slots * share < (double)UINT32_MAX)
        return (size_t)((double)slots * share);
    if (a_row == 0)
        return expected_more(r, length, slots); /* levels are slots, but for empty lists */
    uint64_t all = rows <= SIZE_MAX / a_row ? rows * a_row : 0;
    return all > length && all - length > slots ? (size_t)(all - length) : slots;
}

/* ---- a page without lists or optional structs above the leaf ---- */

/* Whether the page's values can be handed out where they lie. */
static bool can_borrow(const struct reader *r, const struct armi_pq_page_parts *parts,
                       const struct armi_slice *bytes, size_t at, size_t count)
{
    const struct armi_pq_chunk *chunk = r->chunk;
    size_t width = r->out->sink.width;
    if (!r->zero_copy || !chunk->is_mapped || parts->encoding != ARMI_PQ_PLAIN ||
        r->out->sink.kind != ARMI_PQ_SINK_FIXED || r->shape->is_dictionary || width == 0 ||
        !armi_pq_convert_is_copy(chunk->leaf) || r->out->sink.length != 0 ||
        (int64_t)count != r->row_end - r->row_from)
        return false;
    const uint8_t *mapped = chunk->bytes.data;
    if (bytes->data < mapped || bytes->data > mapped + chunk->bytes.size)
        return false; /* decompressed into scratch */
    size_t align = width % 8 == 0 ? 8 : width % 4 == 0 ? 4 : width % 2 == 0 ? 2 : 1;
    return (uintptr_t)(parts->values.data + at * width) % align == 0;
}

/*
 * Definition levels of entries [at, at + count) to validity bits behind the sink's last slot.
 * *out_span: which of the page's values they are. Of a page read in part all levels are counted,
 * since only they tell how many values it has; a run of any length costs one step.
 */
static enum armi_status flat_validity(const struct reader *r,
                                      const struct armi_pq_page_parts *parts, size_t at,
                                      size_t count, struct armi_pq_span *out_span,
                                      struct armi_error *err)
{
    struct armi_pq_sink *sink = &r->out->sink;
    struct armi_pq_rle rle;
    ARMI_TRY(armi_pq_rle_init(&rle, parts->def, 1, err));
    ARMI_TRY(armi_pq_rle_next(&rle, err));
    if (!rle.is_packed && rle.value == 1 && rle.left >= parts->count) {
        *out_span = (struct armi_pq_span){parts->values, parts->count, at, count};
        return ARMI_OK;
    }
    ARMI_TRY(armi_pq_sink_need_validity(sink, err));
    if (count == parts->count) {
        ARMI_TRY(armi_pq_rle_read_bits(&rle, sink->validity, sink->length, count,
                                       &out_span->total, err));
        *out_span =
            (struct armi_pq_span){parts->values, out_span->total, 0, out_span->total};
        return ARMI_OK;
    }
    size_t before, within, after;
    ARMI_TRY(armi_pq_rle_read_bits(&rle, NULL, 0, at, &before, err));
    ARMI_TRY(
        armi_pq_rle_read_bits(&rle, sink->validity, sink->length, count, &within, err));
    ARMI_TRY(armi_pq_rle_read_bits(&rle, NULL, 0, parts->count - at - count, &after, err));
    *out_span =
        (struct armi_pq_span){parts->values, before + within + after, before, within};
    return ARMI_OK;
}

/* Whether the levels are one run that says: no nulls. */
static bool is_all_valid(const struct armi_pq_page_parts *parts)
{
    struct armi_pq_rle rle;
    return parts->def_encoding == ARMI_PQ_RLE &&
           armi_pq_rle_init(&rle, parts->def, 1, NULL) == ARMI_OK &&
           armi_pq_rle_next(&rle, NULL) == ARMI_OK && !rle.is_packed && rle.value == 1 &&
           rle.left >= parts->count;
}

static enum armi_status flat_page(const struct reader *r,
                                  const struct armi_pq_page_parts *parts,
                                  const struct armi_slice *bytes, size_t at, size_t count,
                                  struct armi_error *err)
{
    const struct armi_pq_leaf *leaf = r->chunk->leaf;
    struct armi_pq_sink *sink = &r->out->sink;
    struct armi_pq_span span = {parts->values, parts->count, at, count};
    bool bit_packed = parts->def_encoding == ARMI_PQ_BIT_PACKED;
    uint8_t *levels = NULL;
    if (count == 0)
        return ARMI_OK;
    if (sink->kind != ARMI_PQ_SINK_NONE && can_borrow(r, parts, bytes, at, count) &&
        (leaf->max_def == 0 || is_all_valid(parts)) &&
        parts->count <= parts->values.size / sink->width) {
        r->out->borrowed = parts->values.data + at * sink->width;
        sink->length = count;
        return ARMI_OK;
    }
    ARMI_TRY(armi_pq_sink_reserve(sink, count, expected_slots(r, count, 0), err));
    if (leaf->max_def == 1 && !bit_packed) {
        ARMI_TRY(flat_validity(r, parts, at, count, &span, err));
    } else if (leaf->max_def == 1) {
        ARMI_TRY(armi_pq_sink_need_validity(sink, err));
        ARMI_TRY(
            armi_pq_scratch_need(&r->worker->scratch.levels, parts->count, &levels, err));
        ARMI_TRY(armi_pq_levels_read(parts->def, parts->def_encoding, 1, levels,
                                     parts->count, err));
        armi_pq_levels_at_least(levels + at, count, 1, sink->validity, sink->length);
        span.total = armi_pq_levels_count_equal(levels, parts->count, 1);
        span.skip = armi_pq_levels_count_equal(levels, at, 1);
        span.count = armi_pq_levels_count_equal(levels + at, count, 1);
    }
    ARMI_TRY(put_values(r, parts->encoding, &span, err));
    armi_pq_sink_close_page(sink, count, span.count);
    return ARMI_OK;
}

/* ---- a page whose levels are looked at ---- */

/* The entries' values, which `span` is, and what their levels say of what stands above the leaf. */
static enum armi_status nested_values(const struct reader *r,
                                      const struct armi_pq_page_parts *parts,
                                      const struct armi_pq_entries *entries,
                                      const struct armi_pq_span *span,
                                      struct armi_error *err)
{
    struct armi_pq_leaf_data *out = r->out;
    struct armi_pq_sink *sink = &out->sink;
    struct armi_pq_padding padding;
    struct armi_pq_entries block;
    size_t slots = 0;
    double share =
        (double)expected_more(r, out->entries, entries->count) / (double)entries->count;
    ARMI_TRY(armi_pq_padding_init(r->shape, entries, out->budget, &padding, err));
    uint64_t left = padding.entries; /* of the blocks to come */
    while (armi_pq_padding_next(&padding, &block)) {
        double blocks = (double)left / (double)block.count;
        ARMI_TRY(armi_pq_structures_add(&out->structures, &block, share * blocks, err));
        slots += armi_pq_leaf_slots(r->shape, &block, NULL, 0);
        left -= block.count;
    }
    ARMI_TRY(armi_pq_sink_reserve(
        sink, slots, expected_slots(r, slots, padding.slots > 0 ? share : 0), err));
    if (span->count != slots && sink->kind != ARMI_PQ_SINK_NONE) {
        size_t at = sink->length;
        ARMI_TRY(armi_pq_sink_need_validity(sink, err));
        armi_pq_padding_rewind(&padding);
        while (armi_pq_padding_next(&padding, &block))
            at += armi_pq_leaf_slots(r->shape, &block, sink->validity, at);
    }
    ARMI_TRY(put_values(r, parts->encoding, span, err));
    armi_pq_sink_close_page(sink, slots, span->count);
    out->entries += entries->count;
    return ARMI_OK;
}

/* Which entries of the page belong to the span: [*out_at, *out_end). */
static enum armi_status nested_range(struct reader *r, const uint8_t *rep, size_t count,
                                     size_t *out_at, size_t *out_end,
                                     struct armi_error *err)
{
    const struct armi_pq_chunk *chunk = r->chunk;
    bool is_first = chunk->rows == 0;
    *out_at = 0;
    if (count > 0 && rep[0] != 0 && is_first)
        return armi_error_set(err, ARMI_CORRUPTION, "the first row begins inside a list");
    if (r->row_from >= chunk->rows)
        *out_at =
            armi_pq_levels_find_zero(rep, count, (uint64_t)(r->row_from - chunk->rows));
    *out_end = armi_pq_levels_find_zero(rep, count, (uint64_t)(r->row_end - chunk->rows));
    return ARMI_OK;
}

/* `told_rows`: by the page's header; -1: it does not say. */
static enum armi_status nested_page(struct reader *r,
                                    const struct armi_pq_page_parts *parts,
                                    int64_t told_rows, int64_t *out_rows, bool *out_all,
                                    struct armi_error *err)
{
    const struct armi_pq_leaf *leaf = r->chunk->leaf;
    size_t n = parts->count, at = 0, end = n;
    uint8_t *rep, *def;
    if (r->out->budget != NULL && n > r->out->budget->max / 2)
        return armi_error_set(err, ARMI_LIMIT, "a page of %zu values is beyond max_bytes",
                              n);
    size_t stored = parts->rep.size + parts->def.size + parts->values.size;
    if (n > ENTRIES_MAX && n / ENTRIES_PER_BYTE > stored)
        return armi_error_set(err, ARMI_LIMIT, "a page of %zu levels in %zu bytes", n,
                              stored);
    ARMI_TRY(armi_pq_scratch_need(&r->worker->scratch.levels, 2 * n, &rep, err));
    def = rep + n;
    memset(def + n, 0, ARMI_PQ_SLACK); /* what kernels read behind them */
    if (leaf->max_def > 0)
        ARMI_TRY(armi_pq_levels_read(parts->def, parts->def_encoding, leaf->max_def, def, n,
                                     err));
    else
        memset(def, 0, n);
    if (leaf->max_rep > 0) {
        ARMI_TRY(armi_pq_levels_read(parts->rep, parts->rep_encoding, leaf->max_rep, rep, n,
                                     err));
        *out_rows = (int64_t)armi_pq_levels_count_equal(rep, n, 0);
        ARMI_TRY(nested_range(r, rep, n, &at, &end, err));
    } else {
        *out_rows = (int64_t)n;
        if (r->row_from > r->chunk->rows)
            at = (size_t)(r->row_from - r->chunk->rows);
        if (r->row_end < r->chunk->rows + (int64_t)n)
            end = (size_t)(r->row_end - r->chunk->rows);
    }
    *out_all = end == n;
    if (told_rows >= 0 && told_rows != *out_rows)
        return armi_error_set(err, ARMI_CORRUPTION, "%lld rows where the header says %lld",
                              (long long)*out_rows, (long long)told_rows);
    if (at >= end)
        return ARMI_OK;
    struct armi_pq_span span = {
        parts->values, armi_pq_levels_count_equal(def, n, leaf->max_def),
        armi_pq_levels_count_equal(def, at, leaf->max_def),
        armi_pq_levels_count_equal(def + at, end - at, leaf->max_def)};
    struct armi_pq_entries entries = {leaf->max_rep > 0 ? rep + at : NULL, def + at,
                                      def + at, end - at};
    return nested_values(r, parts, &entries, &span, err);
}

/* ---- the loop over pages ---- */

static int32_t page_values(const struct armi_pq_page_header *h)
{
    return h->type == ARMI_PQ_DATA_PAGE_V2 ? h->data_v2.value_count : h->data.value_count;
}

static enum armi_status check_page(const struct reader *r, const struct armi_pq_page *page,
                                   struct armi_error *err)
{
    const struct armi_pq_chunk *chunk = r->chunk;
    bool is_v2 = page->header.type == ARMI_PQ_DATA_PAGE_V2;
    int64_t count = page_values(&page->header);
    if (!ARMI_PQ_HAS(&page->header, is_v2 ? 8 : 5))
        return armi_error_set(err, ARMI_CORRUPTION,
                              "the page's header is not that of its type");
    int64_t left = chunk->values >= 0 ? chunk->meta->meta.value_count - chunk->values
                                      : chunk->meta->meta.value_count;
    if (count < 0 || count > left)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "the page has %lld values where the chunk has %lld left",
                              (long long)count, (long long)left);
    return ARMI_OK;
}

/* A page is taken apart whole, also for one row: so it counts against the limit, if a small limit does
 * not make all pages too large. */
static enum armi_status check_page_size(const struct reader *r,
                                        const struct armi_pq_page *page,
                                        struct armi_error *err)
{
    struct armi_pq_budget *budget = r->out->budget;
    uint64_t size = (uint64_t)page->header.uncompressed_size;
    if (budget == NULL || size <= ARMI_BATCH_BYTES || size <= budget->max)
        return ARMI_OK;
    atomic_store(&budget->was_hit, true);
    return armi_error_set(err, ARMI_LIMIT, "a page of %llu bytes is beyond max_bytes",
                          (unsigned long long)size);
}

/* Of V2 pages the header tells it; -1: it does not. */
static int64_t page_rows(const struct armi_pq_page_header *h)
{
    bool is_told = h->type == ARMI_PQ_DATA_PAGE_V2 && h->data_v2.row_count > 0;
    return is_told ? h->data_v2.row_count : -1;
}

/* Flat pages before the span need not be looked into; of V2 the header tells the rows. */
static bool is_before(const struct reader *r, const struct armi_pq_page *page,
                      int64_t *out_rows)
{
    const struct armi_pq_chunk *chunk = r->chunk;
    *out_rows =
        chunk->leaf->max_rep == 0 ? page_values(&page->header) : page_rows(&page->header);
    return *out_rows >= 0 && chunk->rows + *out_rows <= r->row_from;
}

static enum armi_status read_page(struct reader *r, const struct armi_pq_page *page,
                                  struct armi_error *err)
{
    struct armi_pq_chunk *chunk = r->chunk;
    struct armi_slice bytes;
    struct armi_pq_page_parts parts;
    int64_t rows = 0;
    bool all = true;
    ARMI_TRY(check_page(r, page, err));
    if (!is_before(r, page, &rows)) {
        ARMI_TRY(check_page_size(r, page, err));
        ARMI_TRY(armi_pq_chunk_inflate(chunk, page, r->worker, &bytes, err));
        ARMI_TRY(armi_pq_page_split(&page->header, chunk->leaf, bytes, &parts, err));
        if (r->shape->is_nested) {
            ARMI_TRY(nested_page(r, &parts, page_rows(&page->header), &rows, &all, err));
        } else {
            rows = (int64_t)parts.count;
            int64_t at = r->row_from > chunk->rows ? r->row_from - chunk->rows : 0;
            int64_t end = r->row_end - chunk->rows < rows ? r->row_end - chunk->rows : rows;
            all = end == rows;
            ARMI_TRY(flat_page(r, &parts, &bytes, (size_t)at, (size_t)(end - at), err));
        }
    }
    if (!all && r->row_end >= chunk->row_count)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "more rows than the %lld of the row group",
                              (long long)chunk->row_count);
    if (!all) { /* the next span begins in this page */
        r->done = true;
        return ARMI_OK;
    }
    chunk->at = page->next;
    chunk->page++;
    chunk->rows += rows;
    if (chunk->values >= 0)
        chunk->values += page_values(&page->header);
    return ARMI_OK;
}

/* Whether the span is complete. In lists a V1 page may go on with the last page's last row. */
static bool is_complete(const struct reader *r)
{
    const struct armi_pq_chunk *chunk = r->chunk;
    if (r->done)
        return true;
    if (chunk->rows < r->row_end)
        return false;
    return chunk->leaf->max_rep == 0 || chunk->values == chunk->meta->meta.value_count;
}

static enum armi_status read_pages(struct reader *r, struct armi_error *err)
{
    struct armi_pq_chunk *chunk = r->chunk;
    while (!is_complete(r)) {
        struct armi_pq_page page;
        bool found;
        ARMI_TRY(armi_pq_chunk_page(chunk, &page, &found, err));
        if (found) {
            ARMI_TRY(read_page(r, &page, err));
        } else if (chunk->rows >= r->row_end) {
            break; /* pages that the offset index named end with a row */
        } else {
            return armi_error_set(err, ARMI_CORRUPTION,
                                  "the column ends after %lld of %lld rows",
                                  (long long)chunk->rows, (long long)r->row_end);
        }
    }
    if (chunk->rows > chunk->row_count)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "%lld rows where the row group has %lld",
                              (long long)chunk->rows, (long long)chunk->row_count);
    return ARMI_OK;
}

enum armi_status armi_pq_column_read(struct armi_pq_chunk *chunk,
                                     const struct armi_pq_leaf_shape *shape, uint32_t top,
                                     int64_t row_from, int64_t row_count, bool is_partial,
                                     bool zero_copy, struct armi_pq_budget *budget,
                                     struct armi_pq_worker *worker,
                                     struct armi_pq_leaf_data *out, struct armi_error *err)
{
    struct reader r = {.chunk = chunk,
                       .shape = shape,
                       .worker = worker,
                       .out = out,
                       .row_from = row_from,
                       .row_end = row_from + row_count,
                       .zero_copy = zero_copy};
    out->budget = budget;
    armi_pq_values_sink(chunk->leaf, budget, &out->sink);
    if (shape->is_dictionary) {
        out->dictionary = out->sink;
        armi_pq_sink_init(&out->sink, ARMI_PQ_SINK_FIXED, 4, budget);
    }
    enum armi_status status =
        armi_pq_chunk_seek(chunk, row_from, row_count, is_partial, budget, worker, err);
    if (status == ARMI_OK && shape->is_dictionary && chunk->dictionary.is_set &&
        row_count > 0)
        status = dictionary_append(&out->dictionary, &chunk->dictionary.values, err);
    if (status == ARMI_OK)
        status = armi_pq_sink_reserve(&out->sink, 0, 0, err);
    if (status == ARMI_OK && shape->is_nested)
        status = armi_pq_structures_init(shape, top, (size_t)row_count, budget,
                                         &out->structures, err);
    if (status == ARMI_OK && row_count > 0)
        status = read_pages(&r, err);
    if (status == ARMI_OK && shape->is_nested)
        status = armi_pq_structures_close(&out->structures, err);
    armi_pq_chunk_drop(chunk);
    if (status != ARMI_OK && chunk->page >= 0 && chunk->is_open)
        status = armi_error_prefix(err, status, "page %lld", (long long)chunk->page);
    return status;
}
