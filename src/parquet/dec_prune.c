#include "parquet/dec_prune.h"

#include <string.h>

#include "base/alloc.h"
#include "parquet/bloom.h"
#include "parquet/dec_bounds.h"
#include "predicate/predicate.h"

#define DICTIONARY_MOST (1 << 20) /* stored bytes of a dictionary that is read to prune */
#define BLOOM_HEAD      64        /* bytes that a filter's header may take */

/* ---- pieces of the file beside the pages ---- */

/* Bytes [offset, offset + size), owned by the caller; false where they do not lie in the file. */
static bool read_piece(const struct armi_parquet_file *file, int64_t offset, int64_t size,
                       uint8_t **out)
{
    const struct armi_source *source = &file->source;
    if (offset <= 0 || size <= 0 || (uint64_t)offset > source->size ||
        (uint64_t)size > source->size - (uint64_t)offset)
        return false;
    uint8_t *data = armi_alloc((size_t)size);
    if (data == NULL)
        return false;
    if (source->read(source->ctx, (uint64_t)offset, (size_t)size, data, NULL) != ARMI_OK) {
        armi_free(data);
        return false;
    }
    *out = data;
    return true;
}

static const struct armi_pq_column_chunk *chunk_of(const struct armi_parquet_file *file,
                                                   uint32_t row_group,
                                                   const struct armi_pq_leaf *leaf)
{
    return &file->meta.row_groups.items[row_group].columns.items[leaf->index];
}

static bool is_foreign(const struct armi_pq_column_chunk *chunk)
{
    return ARMI_PQ_HAS(chunk, 1) || (chunk->present >> 8 & 3) != 0;
}

/* ---- Bloom filters ---- */

struct group {
    const struct armi_parquet_file *file;
    uint32_t row_group;
    struct armi_pq_worker worker;
    /* What was read for the predicate's columns, by column; kept while it is asked. */
    struct group_column *columns;
};

struct group_column {
    bool has_dictionary, asked_dictionary;
    struct armi_pq_chunk chunk;
    struct armi_field field; /* borrows all */
    bool asked_bloom;
    uint8_t *bloom_bytes;
    struct armi_slice bloom;
};

/* The filter's blocks, if its header is one that is understood. */
static struct armi_slice bloom_of(const struct armi_parquet_file *file,
                                  const struct armi_pq_column_meta *meta,
                                  uint8_t **out_bytes)
{
    const struct armi_slice none = {0};
    struct armi_pq_bloom_header header;
    size_t used = 0;
    uint64_t left = file->source.size;
    if (!ARMI_PQ_HAS(meta, 14) || meta->bloom_filter_offset <= 0 ||
        (uint64_t)meta->bloom_filter_offset >= left)
        return none;
    left -= (uint64_t)meta->bloom_filter_offset;
    int64_t head = left < BLOOM_HEAD ? (int64_t)left : BLOOM_HEAD;
    uint8_t *bytes = NULL;
    if (!read_piece(file, meta->bloom_filter_offset, head, &bytes))
        return none;
    enum armi_status status = armi_pq_bloom_header_read(
        (struct armi_slice){bytes, (size_t)head}, &header, &used, NULL);
    armi_free(bytes);
    if (status != ARMI_OK || header.size < ARMI_BLOOM_BLOCK ||
        header.size % ARMI_BLOOM_BLOCK != 0 || (size_t)header.size > ARMI_BLOOM_SIZE_MAX ||
        header.algorithm != 1u << 1 || header.hash != 1u << 1 || header.codec != 1u << 1 ||
        !read_piece(file, meta->bloom_filter_offset + (int64_t)used, header.size,
                    out_bytes))
        return none;
    return (struct armi_slice){*out_bytes, (size_t)header.size};
}

/* The stored bytes of an integer: whether the value was stored as it is. */
static bool int_is_stored(const struct armi_pq_leaf *leaf)
{
    return (leaf->physical == ARMI_PQ_INT32 || leaf->physical == ARMI_PQ_INT64) &&
           (leaf->convert == ARMI_PQ_COPY || leaf->convert == ARMI_PQ_NARROW);
}

static bool group_may_hold(void *ctx, size_t column, struct armi_slice value, bool is_int)
{
    struct group *g = ctx;
    const struct armi_pq_leaf *leaf = armi_pq_bounds_leaf(g->file, column);
    if (leaf == NULL)
        return true;
    const struct armi_pq_column_chunk *chunk = chunk_of(g->file, g->row_group, leaf);
    struct group_column *c = &g->columns[column];
    if (!c->asked_bloom && !is_foreign(chunk))
        c->bloom = bloom_of(g->file, &chunk->meta, &c->bloom_bytes);
    c->asked_bloom = true;
    if (c->bloom.size == 0)
        return true;
    if (is_int && !int_is_stored(leaf))
        return true;
    if (is_int && leaf->physical == ARMI_PQ_INT32)
        value.size = 4;
    else if (!is_int && leaf->convert != ARMI_PQ_BYTES &&
             !(leaf->physical == ARMI_PQ_FIXED && leaf->convert == ARMI_PQ_COPY))
        return true;
    return armi_bloom_may_contain(c->bloom.data, c->bloom.size,
                                  armi_bloom_hash(value.data, value.size));
}

/* ---- dictionaries ---- */

static bool is_data_page(int32_t type)
{
    return type == ARMI_PQ_DATA_PAGE || type == ARMI_PQ_DATA_PAGE_V2;
}

/* Whether the chunk tells that all its pages use its dictionary, and that this is small. */
static bool has_only_dictionary(const struct armi_pq_column_meta *meta)
{
    bool any = false;
    if (!ARMI_PQ_HAS(meta, 11) || !ARMI_PQ_HAS(meta, 13) ||
        meta->data_page_offset <= meta->dictionary_page_offset ||
        meta->data_page_offset - meta->dictionary_page_offset > DICTIONARY_MOST)
        return false;
    for (uint32_t i = 0; i < meta->encoding_stats.count; i++) {
        const struct armi_pq_encoding_stats *s = &meta->encoding_stats.items[i];
        if (!is_data_page(s->page_type))
            continue;
        if (s->encoding != ARMI_PQ_PLAIN_DICTIONARY &&
            s->encoding != ARMI_PQ_RLE_DICTIONARY)
            return false;
        any = true;
    }
    return any;
}

static bool read_dictionary(struct group *g, const struct armi_pq_leaf *leaf,
                            struct group_column *c)
{
    const struct armi_pq_column_chunk *chunk = chunk_of(g->file, g->row_group, leaf);
    int64_t rows = g->file->meta.row_groups.items[g->row_group].row_count;
    struct armi_pq_budget budget = {.max = (uint64_t)DICTIONARY_MOST * 64};
    if (is_foreign(chunk) || !has_only_dictionary(&chunk->meta))
        return false;
    armi_pq_chunk_init(&c->chunk, &g->file->source, leaf, chunk, rows);
    bool is_read =
        armi_pq_chunk_seek(&c->chunk, 0, 1, true, &budget, &g->worker, NULL) == ARMI_OK;
    armi_pq_chunk_drop(&c->chunk);
    c->chunk.dictionary.values.budget = NULL;
    return is_read && c->chunk.dictionary.is_set;
}

static bool group_values(void *ctx, size_t column, struct armi_array *out)
{
    struct group *g = ctx;
    const struct armi_pq_leaf *leaf = armi_pq_bounds_leaf(g->file, column);
    if (leaf == NULL || leaf->convert == ARMI_PQ_NULL)
        return false;
    struct group_column *c = &g->columns[column];
    enum armi_layout layout = armi_type_layout(leaf->field->type);
    if (layout != ARMI_LAYOUT_FIXED && layout != ARMI_LAYOUT_BINARY32)
        return false;
    if (!c->asked_dictionary)
        c->has_dictionary = read_dictionary(g, leaf, c);
    c->asked_dictionary = true;
    if (!c->has_dictionary)
        return false;
    const struct armi_pq_sink *values = &c->chunk.dictionary.values;
    bool is_bytes = values->kind == ARMI_PQ_SINK_BYTES32;
    if (is_bytes != (layout == ARMI_LAYOUT_BINARY32))
        return false;
    *out = (struct armi_array){
        .field = leaf->field,
        .layout = layout,
        .width = is_bytes ? 0 : (int32_t)values->width,
        .length = (int64_t)values->length,
        .values = is_bytes ? values->data : values->values,
        .offsets = is_bytes ? values->values : NULL,
    };
    return true;
}

/* ---- row groups ---- */

static bool group_stats(void *ctx, size_t column, struct armi_stats *out)
{
    const struct group *g = ctx;
    return armi_pq_bounds_of_group(g->file, g->row_group, column, out);
}

bool armi_pq_prune_may_match(const struct armi_parquet_file *file,
                             const struct armi_predicate *predicate, uint32_t row_group)
{
    size_t columns = file->schema.root->child_count;
    struct group g = {.file = file, .row_group = row_group};
    struct armi_predicate_bounds bounds = {
        group_stats, &g, (uint64_t)file->meta.row_groups.items[row_group].row_count};
    struct armi_predicate_values values = {group_values, &g, group_may_hold};
    if (bounds.rows == 0 || !armi_predicate_may_match(predicate, &bounds))
        return false;
    g.columns = armi_alloc_zero(columns + 1, sizeof *g.columns);
    if (g.columns == NULL)
        return true;
    bool may = armi_predicate_may_match_values(predicate, &bounds, &values);
    for (size_t i = 0; i < columns; i++) {
        if (g.columns[i].asked_dictionary)
            armi_pq_chunk_release(&g.columns[i].chunk);
        armi_free(g.columns[i].bloom_bytes);
    }
    armi_free(g.columns);
    armi_pq_worker_release(&g.worker);
    return may;
}

/* ---- pages ---- */

/* A predicate's column, page by page. */
struct page_column {
    size_t column;
    const struct armi_pq_leaf *leaf;
    uint8_t *bytes[2];
    struct armi_pq_arena arena;
    struct armi_pq_column_index stats;
    struct armi_pq_offset_index places;
    uint32_t page; /* the one that holds the row in question */
    bool is_known;
};

struct pages {
    const struct armi_parquet_file *file;
    struct page_column *columns;
    size_t count;
    int64_t rows; /* of the row group */
};

static int64_t page_end(const struct pages *p, const struct page_column *c)
{
    return c->page + 1 < c->places.pages.count
               ? c->places.pages.items[c->page + 1].first_row
               : p->rows;
}

/* Lists of one length, rows that rise from 0. */
static bool indexes_agree(const struct page_column *c, int64_t rows)
{
    uint32_t count = c->places.pages.count;
    if (count == 0 || c->stats.null_pages.count != count ||
        c->stats.min_values.count != count || c->stats.max_values.count != count ||
        (ARMI_PQ_HAS(&c->stats, 5) && c->stats.null_counts.count != count) ||
        (ARMI_PQ_HAS(&c->stats, 8) && c->stats.nan_counts.count != count))
        return false;
    int64_t last = -1;
    for (uint32_t i = 0; i < count; i++) {
        int64_t row = c->places.pages.items[i].first_row;
        if (i == 0 ? row != 0 : row <= last)
            return false;
        last = row;
    }
    return last < rows;
}

static bool read_indexes(const struct pages *p, uint32_t row_group, struct page_column *c)
{
    c->leaf = armi_pq_bounds_leaf(p->file, c->column);
    if (c->leaf == NULL)
        return false;
    const struct armi_pq_column_chunk *chunk = chunk_of(p->file, row_group, c->leaf);
    const uint32_t all = 0xfu << 4;
    if ((chunk->present & all) != all || is_foreign(chunk) ||
        !read_piece(p->file, chunk->column_index_offset, chunk->column_index_length,
                    &c->bytes[0]) ||
        !read_piece(p->file, chunk->offset_index_offset, chunk->offset_index_length,
                    &c->bytes[1]))
        return false;
    struct armi_slice stats = {c->bytes[0], (size_t)chunk->column_index_length};
    struct armi_slice places = {c->bytes[1], (size_t)chunk->offset_index_length};
    return armi_pq_column_index_read(stats, &c->arena, &c->stats, NULL) == ARMI_OK &&
           armi_pq_offset_index_read(places, &c->arena, &c->places, NULL) == ARMI_OK &&
           indexes_agree(c, p->rows);
}

static bool page_stats(void *ctx, size_t column, struct armi_stats *out)
{
    const struct pages *p = ctx;
    const struct page_column *c = NULL;
    for (size_t i = 0; i < p->count && c == NULL; i++)
        c = p->columns[i].column == column ? &p->columns[i] : NULL;
    if (c == NULL || !c->is_known)
        return false;
    bool is_null = c->stats.null_pages.items[c->page];
    struct armi_pq_told told = {
        .rows = (uint64_t)(page_end(p, c) - c->places.pages.items[c->page].first_row),
        .nulls = -1,
        .is_all_null = is_null,
        .has_no_nan = ARMI_PQ_HAS(&c->stats, 8) && c->stats.nan_counts.items[c->page] == 0,
    };
    if (ARMI_PQ_HAS(&c->stats, 5))
        told.nulls = c->stats.null_counts.items[c->page];
    if (!is_null) {
        told.min = c->stats.min_values.items[c->page];
        told.max = c->stats.max_values.items[c->page];
    }
    armi_pq_bounds(p->file, c->leaf, &told, true, out);
    return true;
}

static enum armi_status add_range(struct armi_pq_row_ranges *ranges, size_t *capacity,
                                  int64_t from, int64_t to, struct armi_error *err)
{
    if (ranges->count > 0 && ranges->items[ranges->count - 1].to == from) {
        ranges->items[ranges->count - 1].to = to;
        return ARMI_OK;
    }
    if (ranges->count == *capacity) {
        size_t more = *capacity == 0 ? 8 : *capacity * 2;
        struct armi_pq_row_range *items = armi_alloc_array(more, sizeof *items);
        if (items == NULL)
            return armi_error_no_memory(err);
        if (ranges->count > 0)
            memcpy(items, ranges->items, ranges->count * sizeof *items);
        armi_free(ranges->items);
        ranges->items = items;
        *capacity = more;
    }
    ranges->items[ranges->count++] = (struct armi_pq_row_range){from, to};
    return ARMI_OK;
}

/* Steps from page end to page end of whatever column; the bounds told may be those of more rows than
 * the step has, never of fewer. */
static enum armi_status walk_pages(struct pages *p, const struct armi_predicate *predicate,
                                   struct armi_pq_row_ranges *out, struct armi_error *err)
{
    size_t capacity = 0;
    for (int64_t at = 0; at < p->rows;) {
        int64_t end = p->rows;
        for (size_t i = 0; i < p->count; i++) {
            struct page_column *c = &p->columns[i];
            while (c->is_known && page_end(p, c) <= at)
                c->page++;
            if (c->is_known && page_end(p, c) < end)
                end = page_end(p, c);
        }
        /* Rows 0: a count of nulls is that of its own page, and says nothing of the step. */
        struct armi_predicate_bounds bounds = {page_stats, p, 0};
        if (armi_predicate_may_match(predicate, &bounds))
            ARMI_TRY(add_range(out, &capacity, at, end, err));
        at = end;
    }
    return ARMI_OK;
}

enum armi_status armi_pq_prune_ranges(const struct armi_parquet_file *file,
                                      const struct armi_predicate *predicate,
                                      const uint32_t *columns, size_t column_count,
                                      uint32_t row_group, struct armi_pq_row_ranges *out,
                                      struct armi_error *err)
{
    struct pages p = {.file = file,
                      .count = column_count,
                      .rows = file->meta.row_groups.items[row_group].row_count};
    struct armi_pq_row_ranges ranges = {0};
    size_t capacity = 0;
    bool any = false;
    p.columns = armi_alloc_zero(column_count + 1, sizeof *p.columns);
    if (p.columns == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < column_count; i++) {
        p.columns[i].column = columns[i];
        p.columns[i].is_known = read_indexes(&p, row_group, &p.columns[i]);
        any |= p.columns[i].is_known;
    }
    enum armi_status status = ARMI_OK;
    if (any)
        status = walk_pages(&p, predicate, &ranges, err);
    else if (p.rows > 0)
        status = add_range(&ranges, &capacity, 0, p.rows, err);
    for (size_t i = 0; i < column_count; i++) {
        armi_free(p.columns[i].bytes[0]);
        armi_free(p.columns[i].bytes[1]);
        armi_pq_arena_release(&p.columns[i].arena);
    }
    armi_free(p.columns);
    if (status == ARMI_OK)
        *out = ranges;
    else
        armi_pq_row_ranges_release(&ranges);
    return status;
}

void armi_pq_row_ranges_release(struct armi_pq_row_ranges *ranges)
{
    armi_free(ranges->items);
    *ranges = (struct armi_pq_row_ranges){0};
}
