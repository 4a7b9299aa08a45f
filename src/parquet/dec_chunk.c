#include "parquet/dec_chunk.h"

#include <libdeflate.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

/* Old writers forgot the dictionary's header in the chunk's size. */
#define CHUNK_TOLERANCE 128
/* Read at once of a chunk that is not mapped, unless a page is larger: so that decoding needs a page's
 * memory beside the result, not a row group's. */
#define WINDOW     ((size_t)2 << 20)
#define HEADER     ((size_t)16 << 10) /* of a page, in most files far smaller */
#define HEADER_MAX ((size_t)64 << 20) /* with bounds that somebody did not cut */

void armi_pq_worker_release(struct armi_pq_worker *worker)
{
    armi_pq_scratch_release(&worker->scratch);
    armi_codec_context_free(worker->codec);
    armi_free(worker->window);
    worker->codec = NULL;
    worker->window = NULL;
    worker->window_size = 0;
}

void armi_pq_chunk_init(struct armi_pq_chunk *chunk, const struct armi_source *source,
                        const struct armi_pq_leaf *leaf,
                        const struct armi_pq_column_chunk *meta, int64_t row_count)
{
    *chunk = (struct armi_pq_chunk){
        .source = source, .leaf = leaf, .meta = meta, .row_count = row_count};
}

void armi_pq_chunk_drop(struct armi_pq_chunk *chunk)
{
    struct armi_pq_worker *w = chunk->worker;
    chunk->worker = NULL;
    if (chunk->is_mapped)
        return;
    if (w != NULL && chunk->bytes.data != NULL && chunk->bytes.size - chunk->at > WINDOW) {
        chunk->held = w->window;
        chunk->held_size = w->window_size;
        w->window = NULL;
        w->window_size = 0;
        return;
    }
    chunk->base += chunk->at;
    chunk->at = 0;
    chunk->bytes = (struct armi_slice){NULL, 0};
}

/* What was held is the worker's window again. */
static void worker_set(struct armi_pq_chunk *chunk, struct armi_pq_worker *worker)
{
    chunk->worker = worker;
    if (chunk->held == NULL)
        return;
    armi_free(worker->window);
    worker->window = chunk->held;
    worker->window_size = chunk->held_size;
    chunk->held = NULL;
}

void armi_pq_chunk_release(struct armi_pq_chunk *chunk)
{
    armi_free(chunk->held);
    armi_pq_dictionary_release(&chunk->dictionary);
    armi_pq_arena_release(&chunk->arena);
}

/* The chunk's place in the file. Whichever page comes first begins it: some writers point
 * data_page_offset at the dictionary, some dictionary_page_offset at 0. */
static enum armi_status chunk_place(struct armi_pq_chunk *chunk, struct armi_error *err)
{
    const struct armi_pq_column_meta *m = &chunk->meta->meta;
    int64_t start = m->data_page_offset, size = m->compressed_size;
    if (ARMI_PQ_HAS(m, 11) && m->dictionary_page_offset > 0 &&
        (m->dictionary_page_offset < start || start <= 0))
        start = m->dictionary_page_offset;
    if (size < 0 || start < 0 || (uint64_t)start > chunk->source->size ||
        (uint64_t)size > chunk->source->size - (uint64_t)start)
        return armi_error_set(
            err, ARMI_CORRUPTION,
            "the chunk at %lld of %lld bytes lies outside the file of %llu bytes",
            (long long)start, (long long)size, (unsigned long long)chunk->source->size);
    if (m->value_count < 0)
        return armi_error_set(err, ARMI_CORRUPTION, "the chunk has %lld values",
                              (long long)m->value_count);
    if (chunk->leaf->max_rep == 0 && m->value_count != chunk->row_count)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "%lld values where the row group has %lld rows",
                              (long long)m->value_count, (long long)chunk->row_count);
    chunk->start = (uint64_t)start;
    chunk->end = chunk->start + (uint64_t)size;
    uint64_t more = chunk->source->size - chunk->end;
    chunk->end += more < CHUNK_TOLERANCE ? more : CHUNK_TOLERANCE;
    return ARMI_OK;
}

/* Makes at least `need` bytes from `at` on be here, or all up to `stop`; `at` is then the first. */
static enum armi_status window_move(struct armi_pq_chunk *chunk, size_t at, size_t need,
                                    struct armi_error *err)
{
    struct armi_pq_worker *w = chunk->worker;
    size_t kept = chunk->bytes.size - at;
    uint64_t from = chunk->base + at, left = chunk->stop - from;
    size_t size = need > WINDOW ? need : WINDOW;
    size = size < left ? size : (size_t)left;
    uint8_t *data = w->window;
    if (size > w->window_size || data == NULL) {
        data = armi_alloc(size + ARMI_PQ_SLACK);
        if (data == NULL)
            return armi_error_no_memory(err);
    }
    if (kept > 0)
        memmove(data, chunk->bytes.data + at, kept);
    if (data != w->window) {
        armi_free(w->window);
        w->window = data;
        w->window_size = size;
    }
    /* True at any time, also when reading fails: what was kept. */
    chunk->base = from;
    chunk->bytes = (struct armi_slice){data, kept};
    chunk->at = 0;
    ARMI_TRY(chunk->source->read(chunk->source->ctx, from + kept, size - kept, data + kept,
                                 err));
    memset(data + size, 0, ARMI_PQ_SLACK);
    chunk->bytes.size = size;
    return ARMI_OK;
}

/* Bytes [from, from + size) of the file: all of them where they are mapped, else the first. */
static enum armi_status load(struct armi_pq_chunk *chunk, uint64_t from, uint64_t size,
                             struct armi_error *err)
{
    const uint8_t *mapped = NULL;
    if (size > SIZE_MAX / 2)
        return armi_error_set(err, ARMI_LIMIT, "a chunk of %llu bytes is too large",
                              (unsigned long long)size);
    chunk->bytes = (struct armi_slice){NULL, 0};
    chunk->is_mapped = false;
    chunk->is_whole = false;
    chunk->base = from;
    chunk->stop = from + size;
    chunk->at = 0;
    if (chunk->source->map != NULL)
        ARMI_TRY(chunk->source->map(chunk->source->ctx, from, (size_t)size, &mapped, err));
    if (mapped == NULL)
        return window_move(chunk, 0, 0, err);
    chunk->is_mapped = true;
    chunk->bytes = (struct armi_slice){mapped, (size_t)size};
    return ARMI_OK;
}

/* Whether bytes from `at` on are still to come, which are then read: at least `need` of them. */
static enum armi_status window_need(struct armi_pq_chunk *chunk, size_t *at, size_t need,
                                    bool *out_more, struct armi_error *err)
{
    size_t here = chunk->bytes.size - *at;
    *out_more = here < need && chunk->base + chunk->bytes.size < chunk->stop;
    if (!*out_more)
        return ARMI_OK;
    ARMI_TRY(window_move(chunk, *at, need, err));
    *at = 0;
    return ARMI_OK;
}

/* ---- pages ---- */

static enum armi_status check_crc(const struct armi_pq_page *page, struct armi_error *err)
{
    uint32_t crc = libdeflate_crc32(0, page->stored.data, page->stored.size);
    if (crc == (uint32_t)page->header.crc)
        return ARMI_OK;
    return armi_error_set(err, ARMI_CORRUPTION, "CRC-32 is %08x, the header says %08x", crc,
                          (uint32_t)page->header.crc);
}

/* The header of the page at *at; where it goes on behind the window, that grows. */
static enum armi_status header_at(struct armi_pq_chunk *chunk, size_t *at,
                                  struct armi_pq_page_header *out, size_t *out_used,
                                  struct armi_error *err)
{
    bool more;
    ARMI_TRY(window_need(chunk, at, HEADER, &more, err));
    for (;;) {
        struct armi_slice rest = {chunk->bytes.data + *at, chunk->bytes.size - *at};
        enum armi_status status = armi_pq_page_header_read(rest, out, out_used, err);
        if (status != ARMI_CORRUPTION || rest.size > HEADER_MAX)
            return status;
        enum armi_status moved = window_need(chunk, at, 2 * rest.size, &more, err);
        if (moved != ARMI_OK || !more)
            return moved != ARMI_OK ? moved : status;
    }
}

/* The page at `at`, its header checked as far as that goes without its bytes. */
static enum armi_status page_at(struct armi_pq_chunk *chunk, size_t at,
                                struct armi_pq_page *out, struct armi_error *err)
{
    size_t used;
    bool more;
    memset(out, 0, sizeof *out);
    ARMI_TRY(header_at(chunk, &at, &out->header, &used, err));
    int64_t stored = out->header.compressed_size, size = out->header.uncompressed_size;
    uint64_t left = chunk->stop - chunk->base - at - used;
    if (stored < 0 || size < 0 || (uint64_t)stored > left)
        return armi_error_set(
            err, ARMI_CORRUPTION,
            "a page of %lld (%lld) bytes where %llu are left of the chunk",
            (long long)stored, (long long)size, (unsigned long long)left);
    if (chunk->meta->meta.codec == ARMI_CODEC_NONE && stored != size)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "a page that is not compressed has two sizes, %lld and %lld",
                              (long long)stored, (long long)size);
    /* Before memory is asked for; what V2 stores beside the compressed bytes only adds to them. */
    if ((uint64_t)size > armi_codec_most(chunk->meta->meta.codec, (size_t)stored) &&
        size > stored)
        return armi_error_set(
            err, ARMI_CORRUPTION, "a page of %lld bytes out of %lld, which no %s gives",
            (long long)size, (long long)stored, armi_codec_name(chunk->meta->meta.codec));
    ARMI_TRY(window_need(chunk, &at, used + (size_t)stored, &more, err));
    out->stored = (struct armi_slice){chunk->bytes.data + at + used, (size_t)stored};
    out->next = at + used + (size_t)stored;
    if (ARMI_PQ_HAS(&out->header, 4) && !chunk->no_checksum)
        return check_crc(out, err);
    return ARMI_OK;
}

enum armi_status armi_pq_chunk_page(struct armi_pq_chunk *chunk, struct armi_pq_page *out,
                                    bool *out_found, struct armi_error *err)
{
    *out_found = false;
    while (chunk->base + chunk->at < chunk->stop) {
        ARMI_TRY(page_at(chunk, chunk->at, out, err));
        if (out->header.type == ARMI_PQ_DATA_PAGE ||
            out->header.type == ARMI_PQ_DATA_PAGE_V2) {
            *out_found = true;
            return ARMI_OK;
        }
        if (out->header.type == ARMI_PQ_DICTIONARY_PAGE)
            return armi_error_set(err, ARMI_CORRUPTION, "a second dictionary page");
        chunk->at = out->next;
    }
    return ARMI_OK;
}

static enum armi_status inflate(struct armi_pq_chunk *chunk, struct armi_slice in,
                                uint8_t *out, size_t size, struct armi_pq_worker *worker,
                                struct armi_error *err)
{
    if (worker->codec == NULL)
        ARMI_TRY(armi_codec_context_new(&worker->codec, err));
    return armi_codec_decompress(worker->codec, chunk->meta->meta.codec, in, out, size,
                                 err);
}

/* V2: levels are not compressed, and the rest only if the page says so and has any. */
static enum armi_status inflate_v2(struct armi_pq_chunk *chunk,
                                   const struct armi_pq_page *page,
                                   struct armi_pq_worker *worker, struct armi_slice *out,
                                   struct armi_error *err)
{
    const struct armi_pq_data_page_header_v2 *v2 = &page->header.data_v2;
    size_t size = (size_t)page->header.uncompressed_size;
    int64_t levels = (int64_t)v2->rep_size + v2->def_size;
    if (v2->rep_size < 0 || v2->def_size < 0 || (uint64_t)levels > page->stored.size ||
        (uint64_t)levels > size)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "levels of %d and %d bytes in a page of %zu bytes",
                              v2->rep_size, v2->def_size, page->stored.size);
    *out = page->stored;
    if (chunk->meta->meta.codec == ARMI_CODEC_NONE || !v2->is_compressed)
        return ARMI_OK;
    struct armi_slice in = {page->stored.data + levels, page->stored.size - (size_t)levels};
    uint8_t *bytes;
    ARMI_TRY(armi_pq_scratch_need(&worker->scratch.page, size, &bytes, err));
    if (levels > 0)
        memcpy(bytes, page->stored.data, (size_t)levels);
    *out = (struct armi_slice){bytes, size};
    if (size == (size_t)levels)
        return ARMI_OK; /* whatever is stored behind them says nothing */
    return inflate(chunk, in, bytes + levels, size - (size_t)levels, worker, err);
}

enum armi_status armi_pq_chunk_inflate(struct armi_pq_chunk *chunk,
                                       const struct armi_pq_page *page,
                                       struct armi_pq_worker *worker,
                                       struct armi_slice *out, struct armi_error *err)
{
    if (page->header.type == ARMI_PQ_DATA_PAGE_V2)
        return inflate_v2(chunk, page, worker, out, err);
    if (chunk->meta->meta.codec == ARMI_CODEC_NONE) {
        *out = page->stored;
        return ARMI_OK;
    }
    uint8_t *bytes;
    size_t size = (size_t)page->header.uncompressed_size;
    ARMI_TRY(armi_pq_scratch_need(&worker->scratch.page, size, &bytes, err));
    *out = (struct armi_slice){bytes, size};
    if (size == 0)
        return ARMI_OK;
    return inflate(chunk, page->stored, bytes, size, worker, err);
}

/* ---- the dictionary ---- */

static enum armi_status read_dictionary(struct armi_pq_chunk *chunk,
                                        const struct armi_pq_page *page,
                                        struct armi_pq_budget *budget,
                                        struct armi_pq_worker *worker,
                                        struct armi_error *err)
{
    const struct armi_pq_dictionary_page_header *h = &page->header.dictionary;
    struct armi_slice bytes;
    if (!ARMI_PQ_HAS(&page->header, 7) || h->value_count < 0)
        return armi_error_set(err, ARMI_CORRUPTION, "the dictionary page has %d values",
                              h->value_count);
    if (h->encoding != ARMI_PQ_PLAIN && h->encoding != ARMI_PQ_PLAIN_DICTIONARY)
        return armi_error_set(err, ARMI_UNSUPPORTED,
                              "a dictionary in encoding %s (%d) is not read",
                              armi_pq_encoding_name(h->encoding), h->encoding);
    ARMI_TRY(armi_pq_chunk_inflate(chunk, page, worker, &bytes, err));
    enum armi_status status = armi_pq_dictionary_read(
        chunk->leaf, bytes, (size_t)h->value_count, !chunk->no_utf8_check, budget,
        &chunk->dictionary, &worker->scratch, err);
    if (worker->scratch.page.capacity > WINDOW)
        armi_buf_release(&worker->scratch.page); /* far more than data pages need */
    return status;
}

/* A dictionary page, if the chunk has one, is its first. */
static enum armi_status take_dictionary(struct armi_pq_chunk *chunk,
                                        struct armi_pq_budget *budget,
                                        struct armi_pq_worker *worker,
                                        struct armi_error *err)
{
    struct armi_pq_page page;
    chunk->at = 0;
    if (chunk->bytes.size == 0 || chunk->row_count == 0)
        return ARMI_OK;
    ARMI_TRY(page_at(chunk, 0, &page, err));
    if (page.header.type != ARMI_PQ_DICTIONARY_PAGE)
        return ARMI_OK;
    chunk->at = page.next;
    if (chunk->dictionary.is_set || chunk->leaf->convert == ARMI_PQ_NULL)
        return ARMI_OK;
    enum armi_status status = read_dictionary(chunk, &page, budget, worker, err);
    return status == ARMI_OK ? status : armi_error_prefix(err, status, "dictionary page");
}

/* ---- the offset index ---- */

static bool index_is_sound(const struct armi_pq_chunk *chunk)
{
    const struct armi_pq_offset_index *index = &chunk->index;
    uint64_t offset = chunk->start;
    int64_t row = 0;
    for (uint32_t i = 0; i < index->pages.count; i++) {
        const struct armi_pq_page_location *p = &index->pages.items[i];
        if (p->offset < 0 || p->size <= 0 || (uint64_t)p->offset < offset ||
            (uint64_t)p->offset > chunk->end ||
            (uint64_t)p->size > chunk->end - (uint64_t)p->offset)
            return false;
        if (i == 0 ? p->first_row != 0 : p->first_row < row)
            return false;
        offset = (uint64_t)p->offset + (uint64_t)p->size;
        row = p->first_row;
    }
    return row <= chunk->row_count;
}

/* An index that is not there, or not to be trusted, leaves no pages: then they are walked. */
static enum armi_status read_index(struct armi_pq_chunk *chunk, struct armi_error *err)
{
    const struct armi_pq_column_chunk *m = chunk->meta;
    chunk->has_index = true;
    if (!ARMI_PQ_HAS(m, 4) || !ARMI_PQ_HAS(m, 5) || m->offset_index_offset <= 0 ||
        m->offset_index_length <= 0 ||
        (uint64_t)m->offset_index_offset > chunk->source->size ||
        (uint64_t)m->offset_index_length >
            chunk->source->size - (uint64_t)m->offset_index_offset)
        return ARMI_OK;
    size_t size = (size_t)m->offset_index_length;
    uint8_t *data = armi_alloc(size);
    if (data == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = chunk->source->read(
        chunk->source->ctx, (uint64_t)m->offset_index_offset, size, data, err);
    if (status == ARMI_OK) {
        status = armi_pq_offset_index_read((struct armi_slice){data, size}, &chunk->arena,
                                           &chunk->index, NULL);
        if (status == ARMI_NO_MEMORY)
            status = armi_error_no_memory(err);
        else if (status != ARMI_OK || !index_is_sound(chunk))
            chunk->index.pages.count = 0;
        if (status == ARMI_CORRUPTION)
            status = ARMI_OK;
    }
    armi_free(data);
    return status;
}

/* The last page that begins at or before the row. */
static uint32_t page_of_row(const struct armi_pq_chunk *chunk, int64_t row)
{
    uint32_t low = 0, high = chunk->index.pages.count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (chunk->index.pages.items[middle].first_row <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static enum armi_status seek_by_index(struct armi_pq_chunk *chunk, int64_t row_from,
                                      int64_t row_count, struct armi_pq_budget *budget,
                                      struct armi_pq_worker *worker, struct armi_error *err)
{
    const struct armi_pq_page_location *pages = chunk->index.pages.items;
    uint32_t first = page_of_row(chunk, row_from);
    uint32_t last = page_of_row(chunk, row_from + row_count - 1);
    uint64_t data = (uint64_t)pages[0].offset;
    if (!chunk->dictionary.is_set && data > chunk->start) {
        ARMI_TRY(load(chunk, chunk->start, data - chunk->start, err));
        ARMI_TRY(take_dictionary(chunk, budget, worker, err));
    }
    uint64_t from = (uint64_t)pages[first].offset; /* the dictionary lies before it */
    ARMI_TRY(load(chunk, from,
                  (uint64_t)pages[last].offset + (uint64_t)pages[last].size - from, err));
    chunk->at = 0;
    chunk->page = first;
    chunk->rows = pages[first].first_row;
    chunk->values = chunk->leaf->max_rep == 0 ? chunk->rows : -1;
    return ARMI_OK;
}

enum armi_status armi_pq_chunk_seek(struct armi_pq_chunk *chunk, int64_t row_from,
                                    int64_t row_count, bool is_partial,
                                    struct armi_pq_budget *budget,
                                    struct armi_pq_worker *worker, struct armi_error *err)
{
    if (!chunk->is_open) {
        if (chunk->meta->present >> 8 & 3)
            return armi_error_set(err, ARMI_UNSUPPORTED, "the column is encrypted");
        if (ARMI_PQ_HAS(chunk->meta, 1) && chunk->meta->file_path.size > 0)
            return armi_error_set(err, ARMI_UNSUPPORTED, "the column lies in another file");
        if (chunk->meta->meta.type != (int32_t)chunk->leaf->physical)
            return armi_error_set(err, ARMI_CORRUPTION,
                                  "the chunk says %s where the schema has %s",
                                  armi_pq_type_name(chunk->meta->meta.type),
                                  armi_pq_type_name(chunk->leaf->physical));
        ARMI_TRY(chunk_place(chunk, err));
        chunk->is_open = true;
    }
    bool whole = chunk->is_whole;
    worker_set(chunk, worker);
    if (is_partial && !whole && row_count > 0) {
        if (!chunk->has_index)
            ARMI_TRY(read_index(chunk, err));
        if (chunk->index.pages.count > 0)
            return seek_by_index(chunk, row_from, row_count, budget, worker, err);
    }
    if (whole && row_from >= chunk->rows)
        return ARMI_OK; /* go on from there */
    if (!whole || !chunk->is_mapped)
        ARMI_TRY(load(chunk, chunk->start, chunk->end - chunk->start, err));
    ARMI_TRY(take_dictionary(chunk, budget, worker, err));
    chunk->is_whole = true;
    chunk->page = 0;
    chunk->rows = 0;
    chunk->values = 0;
    return ARMI_OK;
}
