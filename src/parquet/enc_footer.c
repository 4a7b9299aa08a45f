/*
 * From encoded columns to the file: page headers are made here, where each page's place is known, then
 * the indexes, then the footer. Everything is a struct of parquet_meta.h filled in and written.
 */
#include "parquet/enc_internal.h"

#include <string.h>

#include "arrow/field.h"
#include "base/alloc.h"
#include "base/text.h"
#include "parquet/arrow_ipc_schema.h"

enum armi_status enc_out_add(struct enc_out *out, struct armi_slice bytes,
                             struct armi_error *err)
{
    if (bytes.size == 0)
        return ARMI_OK;
    ARMI_TRY(armi_buf_append(&out->slices, &bytes, sizeof bytes, err));
    out->size += bytes.size;
    return ARMI_OK;
}

enum armi_status enc_out_copy(struct enc_out *out, struct armi_slice bytes,
                              struct armi_error *err)
{
    uint8_t *at;
    ARMI_TRY(enc_sink_reserve(&out->memory, bytes.size, &at, err));
    memcpy(at, bytes.data, bytes.size);
    enc_sink_commit(&out->memory, at, bytes.size);
    return enc_out_add(out, (struct armi_slice){at, bytes.size}, err);
}

/* ---- page headers ---- */

static struct armi_pq_page_header header_of(const struct enc_page *page, bool has_crc)
{
    struct armi_pq_page_header h = {
        .present = 1u << 1 | 1u << 2 | 1u << 3,
        .type = page->is_dictionary ? ARMI_PQ_DICTIONARY_PAGE : ARMI_PQ_DATA_PAGE,
        .uncompressed_size = page->uncompressed_size,
        .compressed_size = page->compressed_size,
    };
    if (has_crc) {
        memcpy(&h.crc, &page->crc, sizeof h.crc);
        ARMI_PQ_MARK(&h, 4);
    }
    if (page->is_dictionary) {
        ARMI_PQ_MARK(&h, 7);
        h.dictionary = (struct armi_pq_dictionary_page_header){
            .present = 1u << 1 | 1u << 2,
            .value_count = page->value_count,
            .encoding = ARMI_PQ_PLAIN,
        };
    } else {
        ARMI_PQ_MARK(&h, 5);
        h.data = (struct armi_pq_data_page_header){
            .present = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4,
            .value_count = page->value_count,
            .encoding = page->encoding,
            .def_encoding = ARMI_PQ_RLE,
            .rep_encoding = ARMI_PQ_RLE,
        };
    }
    return h;
}

/* Bytes to add to a header so that the values behind it begin at a multiple of 64. */
static size_t padding_for(uint64_t offset, size_t header, const struct enc_page *page)
{
    if (!page->align)
        return 0;
    size_t padding = (size_t)(64 - (offset + header + page->levels_size) % 64) % 64;
    return padding == 0 || padding >= 4 ? padding : padding + 64;
}

static enum armi_status page_place(const struct enc_page *page, bool has_crc,
                                   struct enc_out *out, struct armi_buf *scratch,
                                   uint32_t *size, struct armi_error *err)
{
    struct armi_pq_page_header header = header_of(page, has_crc);
    uint64_t begin = out->size;
    armi_buf_clear(scratch);
    ARMI_TRY(armi_pq_page_header_write(&header, 0, scratch, err));
    size_t padding = padding_for(begin, scratch->size, page);
    if (padding > 0) {
        armi_buf_clear(scratch);
        ARMI_TRY(armi_pq_page_header_write(&header, padding, scratch, err));
    }
    ARMI_TRY(enc_out_copy(out, armi_buf_slice(scratch), err));
    for (uint32_t i = 0; i < page->part_count; i++)
        ARMI_TRY(enc_out_add(out, page->parts[i], err));
    *size = (uint32_t)(out->size - begin);
    return ARMI_OK;
}

static enum armi_status column_place(const struct enc_column *c, bool has_crc,
                                     struct enc_out *out, struct enc_place *place,
                                     struct armi_pq_arena *arena, struct armi_buf *scratch,
                                     struct armi_error *err)
{
    const struct enc_page *pages = enc_column_pages(c);
    size_t count = enc_column_page_count(c);
    place->page_offsets = armi_pq_arena_alloc(arena, count, sizeof *place->page_offsets);
    place->page_sizes = armi_pq_arena_alloc(arena, count, sizeof *place->page_sizes);
    if (count > 0 && (place->page_offsets == NULL || place->page_sizes == NULL))
        return armi_error_no_memory(err);
    place->data_offset = out->size;
    for (size_t i = 0; i < count; i++) {
        uint64_t begin = out->size;
        place->page_offsets[i] = begin;
        ARMI_TRY(page_place(&pages[i], has_crc, out, scratch, &place->page_sizes[i], err));
        uint64_t stored = (uint64_t)pages[i].compressed_size;
        place->compressed += out->size - begin;
        place->uncompressed +=
            out->size - begin - stored + (uint64_t)pages[i].uncompressed_size;
        if (pages[i].is_dictionary) {
            place->dictionary_offset = begin;
            place->data_offset = out->size;
        }
    }
    return ARMI_OK;
}

enum armi_status enc_group_place(struct enc_group *group,
                                 const struct armi_pq_encode_settings *settings,
                                 struct enc_out *out, struct enc_place *places,
                                 struct armi_pq_arena *arena, struct armi_error *err)
{
    struct armi_buf scratch = {0};
    enum armi_status status = ARMI_OK;
    group->offset = out->size;
    for (uint32_t i = 0; i < group->column_count && status == ARMI_OK; i++) {
        status = column_place(&group->columns[i], !settings->no_checksum, out, &places[i],
                              arena, &scratch, err);
        group->uncompressed += places[i].uncompressed;
    }
    group->size = out->size - group->offset;
    armi_buf_release(&scratch);
    return status;
}

/* ---- indexes ---- */

static size_t first_data_page(const struct enc_column *c)
{
    size_t count = enc_column_page_count(c);
    return count > 0 && enc_column_pages(c)[0].is_dictionary ? 1 : 0;
}

/* Bounds of every page with values are needed, else the index would say too much. */
static bool has_column_index(const struct enc_column *c)
{
    if (c->order == ENC_ORDER_NONE)
        return false;
    const struct enc_page *pages = enc_column_pages(c);
    for (size_t i = first_data_page(c); i < enc_column_page_count(c); i++) {
        const struct enc_stats *s = &pages[i].stats;
        if (s->null_count < pages[i].value_count && !(s->has_min && s->has_max))
            return false;
    }
    return true;
}

static bool is_null_page(const struct enc_page *page)
{
    return page->stats.null_count == page->value_count;
}

static int32_t boundary_order(const struct enc_column *c)
{
    const struct enc_page *pages = enc_column_pages(c);
    const struct enc_stats *last = NULL;
    bool up = true, down = true;
    for (size_t i = first_data_page(c); i < enc_column_page_count(c); i++) {
        if (is_null_page(&pages[i]))
            continue;
        const struct enc_stats *s = &pages[i].stats;
        if (last != NULL) {
            int min =
                enc_order_compare(c->order, s->min, s->min_size, last->min, last->min_size);
            int max =
                enc_order_compare(c->order, s->max, s->max_size, last->max, last->max_size);
            up &= min >= 0 && max >= 0;
            down &= min <= 0 && max <= 0;
        }
        last = s;
    }
    return up ? ARMI_PQ_ASCENDING : down ? ARMI_PQ_DESCENDING : ARMI_PQ_UNORDERED;
}

static enum armi_status column_index_write(const struct enc_column *c, struct armi_buf *buf,
                                           struct armi_error *err)
{
    const struct enc_page *pages = enc_column_pages(c);
    size_t first = first_data_page(c), count = enc_column_page_count(c) - first;
    struct armi_pq_arena arena = {0};
    struct armi_pq_column_index index = {.present = 0x3e};
    bool *nulls = armi_pq_arena_alloc(&arena, count, sizeof *nulls);
    struct armi_slice *mins = armi_pq_arena_alloc(&arena, count, sizeof *mins);
    struct armi_slice *maxs = armi_pq_arena_alloc(&arena, count, sizeof *maxs);
    int64_t *null_counts = armi_pq_arena_alloc(&arena, count, sizeof *null_counts);
    int64_t *nan_counts = armi_pq_arena_alloc(&arena, count, sizeof *nan_counts);
    enum armi_status status = ARMI_OK;
    if (nulls == NULL || mins == NULL || maxs == NULL || null_counts == NULL ||
        nan_counts == NULL) {
        status = armi_error_no_memory(err);
        goto done;
    }
    for (size_t i = 0; i < count; i++) {
        const struct enc_stats *s = &pages[first + i].stats;
        nulls[i] = is_null_page(&pages[first + i]);
        if (!nulls[i]) {
            mins[i] = (struct armi_slice){s->min, s->min_size};
            maxs[i] = (struct armi_slice){s->max, s->max_size};
        }
        null_counts[i] = s->null_count;
        nan_counts[i] = s->nan_count;
    }
    uint32_t n = (uint32_t)count;
    index.null_pages.items = nulls;
    index.min_values.items = mins;
    index.max_values.items = maxs;
    index.null_counts.items = null_counts;
    index.null_pages.count = index.min_values.count = index.max_values.count = n;
    index.null_counts.count = n;
    index.boundary_order = boundary_order(c);
    if (enc_order_is_float(c->order)) {
        index.nan_counts.items = nan_counts;
        index.nan_counts.count = n;
        ARMI_PQ_MARK(&index, 8);
    }
    status = armi_pq_column_index_write(&index, buf, err);
done:
    armi_pq_arena_release(&arena);
    return status;
}

static enum armi_status offset_index_write(const struct enc_column *c,
                                           const struct enc_place *place,
                                           struct armi_buf *buf, struct armi_error *err)
{
    const struct enc_page *pages = enc_column_pages(c);
    size_t first = first_data_page(c), count = enc_column_page_count(c) - first;
    struct armi_pq_arena arena = {0};
    struct armi_pq_offset_index index = {.present = 1u << 1};
    index.pages.items = armi_pq_arena_alloc(&arena, count, sizeof *index.pages.items);
    index.unencoded_bytes.items = armi_pq_arena_alloc(&arena, count, sizeof(int64_t));
    enum armi_status status = ARMI_OK;
    if (index.pages.items == NULL || index.unencoded_bytes.items == NULL) {
        status = armi_error_no_memory(err);
        goto done;
    }
    index.pages.count = index.unencoded_bytes.count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        index.pages.items[i] = (struct armi_pq_page_location){
            .present = 0xe,
            .offset = (int64_t)place->page_offsets[first + i],
            .size = (int32_t)place->page_sizes[first + i],
            .first_row = pages[first + i].first_row,
        };
        index.unencoded_bytes.items[i] = pages[first + i].unencoded_bytes;
    }
    if (c->leaf->physical == ARMI_PQ_BYTE_ARRAY)
        ARMI_PQ_MARK(&index, 2);
    status = armi_pq_offset_index_write(&index, buf, err);
done:
    armi_pq_arena_release(&arena);
    return status;
}

enum index_kind { INDEX_BLOOM, INDEX_COLUMN, INDEX_OFFSET };

static enum armi_status index_write(enum index_kind kind, const struct enc_column *c,
                                    struct enc_place *place, struct enc_out *out,
                                    struct armi_buf *scratch, struct armi_error *err)
{
    armi_buf_clear(scratch);
    uint64_t at = out->size;
    if (kind == INDEX_BLOOM) {
        if (c->bloom.size == 0)
            return ARMI_OK;
        place->bloom_offset = at;
        place->bloom_size = (uint32_t)c->bloom.size;
        return enc_out_copy(out, c->bloom, err);
    }
    if (kind == INDEX_COLUMN) {
        if (!has_column_index(c))
            return ARMI_OK;
        ARMI_TRY(column_index_write(c, scratch, err));
        place->column_index_offset = at;
        place->column_index_size = (uint32_t)scratch->size;
    } else {
        ARMI_TRY(offset_index_write(c, place, scratch, err));
        place->offset_index_offset = at;
        place->offset_index_size = (uint32_t)scratch->size;
    }
    return enc_out_copy(out, armi_buf_slice(scratch), err);
}

enum armi_status enc_indexes_write(const struct enc_footer_input *in, struct enc_out *out,
                                   struct armi_error *err)
{
    struct armi_buf scratch = {0};
    enum armi_status status = ARMI_OK;
    bool none = in->settings->slim || in->settings->no_page_index;
    for (int kind = INDEX_BLOOM; kind <= INDEX_OFFSET; kind++) {
        if (kind != INDEX_BLOOM && none)
            break;
        for (size_t g = 0; g < in->group_count; g++) {
            for (uint32_t i = 0; i < in->groups[g].column_count && status == ARMI_OK; i++)
                status = index_write((enum index_kind)kind, &in->groups[g].columns[i],
                                     &in->places[g][i], out, &scratch, err);
        }
    }
    armi_buf_release(&scratch);
    return status;
}

/* ---- footer ---- */

static void statistics_fill(const struct enc_column *c, struct armi_pq_statistics *s)
{
    s->null_count = c->stats.null_count;
    ARMI_PQ_MARK(s, 3);
    if (c->order == ENC_ORDER_NONE)
        return;
    if (c->stats.has_max) {
        s->max_value = (struct armi_slice){c->stats.max, c->stats.max_size};
        s->is_max_value_exact = c->stats.max_exact;
        s->present |= 1u << 5 | 1u << 7;
    }
    if (c->stats.has_min) {
        s->min_value = (struct armi_slice){c->stats.min, c->stats.min_size};
        s->is_min_value_exact = c->stats.min_exact;
        s->present |= 1u << 6 | 1u << 8;
    }
    if (c->distinct > 0) {
        s->distinct_count = (int64_t)c->distinct;
        ARMI_PQ_MARK(s, 4);
    }
    if (enc_order_is_float(c->order)) {
        s->nan_count = c->stats.nan_count;
        ARMI_PQ_MARK(s, 9);
    }
}

static void sizes_fill(const struct enc_column *c, struct armi_pq_size_statistics *s)
{
    if (c->leaf->physical == ARMI_PQ_BYTE_ARRAY) {
        s->unencoded_bytes = c->unencoded_bytes;
        ARMI_PQ_MARK(s, 1);
    }
    if (c->leaf->max_rep > 0 && c->rep_histogram != NULL) {
        s->rep_levels.items = c->rep_histogram;
        s->rep_levels.count = c->leaf->max_rep + 1u;
        ARMI_PQ_MARK(s, 2);
    }
    if (c->leaf->max_def > 0 && c->def_histogram != NULL) {
        s->def_levels.items = c->def_histogram;
        s->def_levels.count = c->leaf->max_def + 1u;
        ARMI_PQ_MARK(s, 3);
    }
}

/* Which encodings, and how many pages of each. */
static enum armi_status encodings_fill(const struct enc_column *c,
                                       struct armi_pq_arena *arena,
                                       struct armi_pq_column_meta *m,
                                       struct armi_error *err)
{
    struct armi_pq_encoding_stats *stats = armi_pq_arena_alloc(arena, 8, sizeof *stats);
    int32_t *list = armi_pq_arena_alloc(arena, 10, sizeof *list);
    if (stats == NULL || list == NULL)
        return armi_error_no_memory(err);
    const struct enc_page *pages = enc_column_pages(c);
    uint32_t count = 0, used = 0;
    for (size_t i = 0; i < enc_column_page_count(c); i++) {
        int32_t type = pages[i].is_dictionary ? ARMI_PQ_DICTIONARY_PAGE : ARMI_PQ_DATA_PAGE;
        uint32_t k = 0;
        while (k < count &&
               (stats[k].page_type != type || stats[k].encoding != pages[i].encoding))
            k++;
        if (k == count)
            stats[count++] =
                (struct armi_pq_encoding_stats){0xe, type, pages[i].encoding, 0};
        stats[k].count++;
    }
    for (uint32_t k = 0; k < count; k++) {
        uint32_t i = 0;
        while (i < used && list[i] != stats[k].encoding)
            i++;
        if (i == used)
            list[used++] = stats[k].encoding;
    }
    if ((c->leaf->max_def > 0 || c->leaf->max_rep > 0) &&
        (used == 0 || list[0] != ARMI_PQ_RLE))
        list[used++] = ARMI_PQ_RLE;
    m->encodings.items = list;
    m->encodings.count = used;
    m->encoding_stats.items = stats;
    m->encoding_stats.count = count;
    ARMI_PQ_MARK(m, 13);
    return ARMI_OK;
}

static enum armi_status
chunk_fill(const struct enc_footer_input *in, const struct enc_column *c,
           const struct enc_place *place, struct armi_pq_arena *arena,
           struct armi_pq_column_chunk *chunk, struct armi_error *err)
{
    struct armi_pq_column_meta *m = &chunk->meta;
    chunk->present = 1u << 2 | 1u << 3;
    m->present = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 |
                 1u << 9 | 1u << 12;
    m->type = (int32_t)c->leaf->physical;
    m->path.items = c->leaf->path;
    m->path.count = c->leaf->path_count;
    m->codec = c->codec_state == ENC_CODEC_ON ? (int32_t)c->codec.id : ARMI_CODEC_NONE;
    m->value_count = c->value_count;
    m->uncompressed_size = (int64_t)place->uncompressed;
    m->compressed_size = (int64_t)place->compressed;
    m->data_page_offset = (int64_t)place->data_offset;
    if (place->dictionary_offset > 0) {
        m->dictionary_page_offset = (int64_t)place->dictionary_offset;
        ARMI_PQ_MARK(m, 11);
    }
    ARMI_TRY(encodings_fill(c, arena, m, err));
    statistics_fill(c, &m->statistics);
    if (!in->settings->slim) {
        sizes_fill(c, &m->sizes);
        if (m->sizes.present != 0)
            ARMI_PQ_MARK(m, 16);
    }
    if (place->bloom_size > 0) {
        m->bloom_filter_offset = (int64_t)place->bloom_offset;
        m->bloom_filter_length = (int32_t)place->bloom_size;
        m->present |= 1u << 14 | 1u << 15;
    }
    if (place->offset_index_size > 0) {
        chunk->offset_index_offset = (int64_t)place->offset_index_offset;
        chunk->offset_index_length = (int32_t)place->offset_index_size;
        chunk->present |= 1u << 4 | 1u << 5;
    }
    if (place->column_index_size > 0) {
        chunk->column_index_offset = (int64_t)place->column_index_offset;
        chunk->column_index_length = (int32_t)place->column_index_size;
        chunk->present |= 1u << 6 | 1u << 7;
    }
    return ARMI_OK;
}

static enum armi_status group_fill(const struct enc_footer_input *in, size_t index,
                                   struct armi_pq_arena *arena,
                                   struct armi_pq_row_group *out, struct armi_error *err)
{
    const struct enc_group *group = &in->groups[index];
    out->present = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 5 | 1u << 6;
    out->columns.items =
        armi_pq_arena_alloc(arena, group->column_count, sizeof *out->columns.items);
    if (out->columns.items == NULL)
        return armi_error_no_memory(err);
    out->columns.count = group->column_count;
    out->total_byte_size = (int64_t)group->uncompressed;
    out->compressed_size = (int64_t)group->size;
    out->row_count = group->rows;
    out->file_offset = (int64_t)group->offset;
    if (index <= INT16_MAX) {
        out->ordinal = (int16_t)index;
        ARMI_PQ_MARK(out, 7);
    }
    for (uint32_t i = 0; i < group->column_count; i++)
        ARMI_TRY(chunk_fill(in, &group->columns[i], &in->places[index][i], arena,
                            &out->columns.items[i], err));
    return ARMI_OK;
}

static struct armi_slice text_slice(const char *text)
{
    return (struct armi_slice){(const uint8_t *)text, strlen(text)};
}

static void pair_add(struct armi_pq_key_value_list *list, struct armi_slice key,
                     struct armi_slice value)
{
    list->items[list->count++] = (struct armi_pq_key_value){1u << 1 | 1u << 2, key, value};
}

/* Reserved, or to be written by us. */
static bool key_is_ours(struct armi_slice key)
{
    return (key.size >= 5 && memcmp(key.data, "armi.", 5) == 0) ||
           armi_slice_equal(key, text_slice("ARROW:schema"));
}

static bool is_text(struct armi_slice s)
{
    return armi_utf8_valid(s.data, s.size);
}

static enum armi_status pairs_fill(const struct enc_footer_input *in,
                                   struct armi_slice arrow_schema,
                                   struct armi_pq_arena *arena,
                                   struct armi_pq_file_meta *meta, struct armi_error *err)
{
    const struct armi_metadata *own = &in->root->metadata;
    meta->pairs.items =
        armi_pq_arena_alloc(arena, own->count + 2, sizeof *meta->pairs.items);
    if (meta->pairs.items == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < own->count; i++) {
        const struct armi_metadata_pair *pair = &own->pairs[i];
        if (!key_is_ours(pair->key) && is_text(pair->key) && is_text(pair->value))
            pair_add(&meta->pairs, pair->key, pair->value);
    }
    if (arrow_schema.size > 0)
        pair_add(&meta->pairs, text_slice("ARROW:schema"), arrow_schema);
    if (in->block_text.size > 0)
        pair_add(&meta->pairs, text_slice(ARMI_BLOCK_KEY), in->block_text);
    if (meta->pairs.count > 0)
        ARMI_PQ_MARK(meta, 5);
    return ARMI_OK;
}

static enum armi_status meta_fill(const struct enc_footer_input *in,
                                  struct armi_slice arrow_schema,
                                  struct armi_pq_arena *arena,
                                  struct armi_pq_file_meta *meta, struct armi_error *err)
{
    const struct armi_pq_schema *schema = in->schema;
    meta->present = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 6;
    meta->version = 1;
    meta->schema.items = schema->elements;
    meta->schema.count = schema->element_count;
    meta->created_by = text_slice(ARMI_PARQUET_CREATED_BY);
    meta->row_groups.items =
        armi_pq_arena_alloc(arena, in->group_count, sizeof *meta->row_groups.items);
    meta->column_orders.items =
        armi_pq_arena_alloc(arena, schema->leaf_count, sizeof *meta->column_orders.items);
    if (meta->row_groups.items == NULL || meta->column_orders.items == NULL)
        return armi_error_no_memory(err);
    meta->row_groups.count = (uint32_t)in->group_count;
    for (size_t g = 0; g < in->group_count; g++) {
        ARMI_TRY(group_fill(in, g, arena, &meta->row_groups.items[g], err));
        meta->row_count += in->groups[g].rows;
    }
    meta->column_orders.count = schema->leaf_count;
    for (uint32_t i = 0; i < schema->leaf_count; i++)
        meta->column_orders.items[i].present = 1u << 1;
    if (schema->leaf_count > 0)
        ARMI_PQ_MARK(meta, 7);
    return pairs_fill(in, arrow_schema, arena, meta, err);
}

/* ARROW:schema: the IPC message in base64, with padding, as its other readers want it. */
static enum armi_status arrow_schema_text(const struct armi_field *root,
                                          struct armi_buf *out, struct armi_error *err)
{
    struct armi_buf message = {0};
    enum armi_status status = armi_ipc_schema_encode(root, &message, err);
    uint8_t *text;
    if (status == ARMI_OK) {
        size_t size = armi_base64_size(message.size), padded = (size + 3) / 4 * 4;
        status = armi_buf_extend(out, padded, &text, err);
        if (status == ARMI_OK) {
            armi_base64_encode(message.data, message.size, (char *)text);
            memset(text + size, '=', padded - size);
        }
    }
    armi_buf_release(&message);
    return status;
}

enum armi_status enc_footer_write(const struct enc_footer_input *in, struct armi_buf *buf,
                                  struct armi_error *err)
{
    struct armi_pq_arena arena = {0};
    struct armi_buf text = {0};
    struct armi_pq_file_meta meta = {0};
    enum armi_status status = ARMI_OK;
    if (!in->settings->slim && !in->settings->no_arrow_schema)
        status = arrow_schema_text(in->root, &text, err);
    if (status == ARMI_OK)
        status = meta_fill(in, armi_buf_slice(&text), &arena, &meta, err);
    if (status == ARMI_OK)
        status = armi_pq_file_meta_write(&meta, buf, err);
    armi_buf_release(&text);
    armi_pq_arena_release(&arena);
    return status;
}
