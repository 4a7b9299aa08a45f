/*
 * Dictionary and view arrays put together: what needs a look at all rows before a buffer can be
 * written.
 */
#include "arrow/assemble_internal.h"

#include <string.h>

#include "arrow/column_internal.h"
#include "arrow/compare.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"

/* ---- dictionaries ---- */

static bool same_dictionary(const struct armi_array *a, const struct armi_array *b)
{
    if (a == b)
        return true;
    if (a->length != b->length)
        return false;
    if (a->values == b->values && a->offsets == b->offsets && a->offset == b->offset &&
        a->validity == b->validity && a->child_count == 0 && a->dictionary == NULL)
        return true;
    return armi_compare_same_run(a, 0, b, 0, a->length) == a->length;
}

struct unifying {
    const struct armi_field *field;
    const struct armi_dictionary_rows *rows;
    const char *column;
    int64_t *codes;        /* of each row; -1 = null */
    struct armi_run *runs; /* of the entries of the result */
    size_t run_count;
};

static int64_t code_max(const struct armi_field *index)
{
    static const int64_t max_signed[] = {INT8_MAX, INT16_MAX, INT32_MAX, INT64_MAX};
    static const int64_t max_unsigned[] = {UINT8_MAX, UINT16_MAX, UINT32_MAX, INT64_MAX};
    int at = __builtin_ctz((unsigned)armi_field_byte_width(index));
    return armi_type_is_signed(index->type) ? max_signed[at] : max_unsigned[at];
}

static enum armi_status runs_new(struct unifying *self, size_t count,
                                 struct armi_error *err)
{
    self->runs = armi_alloc_array(count + 1, sizeof *self->runs);
    return self->runs == NULL ? armi_error_no_memory(err) : ARMI_OK;
}

/* One dictionary that is not much larger than the rows: kept as it is. */
static enum armi_status keep_entries(struct unifying *self, const struct armi_array *source,
                                     struct armi_error *err)
{
    ARMI_TRY(runs_new(self, 1, err));
    self->runs[self->run_count++] = (struct armi_run){source, 0, source->length};
    memcpy(self->codes, self->rows->indices,
           (size_t)self->rows->count * sizeof *self->codes);
    return ARMI_OK;
}

/* One dictionary of which few entries are used: those, in their order. */
static enum armi_status cut_entries(struct unifying *self, const struct armi_array *source,
                                    struct armi_error *err)
{
    const struct armi_dictionary_rows *rows = self->rows;
    size_t entries = (size_t)source->length;
    ARMI_TRY(runs_new(self, (size_t)rows->count, err));
    uint8_t *used = armi_alloc_zero(armi_bitmap_size(entries) + 1, 1);
    int64_t *codes = armi_alloc_array(entries, sizeof *codes);
    enum armi_status status = ARMI_OK;
    if (used == NULL || codes == NULL) {
        status = armi_error_no_memory(err);
        goto done;
    }
    for (int64_t i = 0; i < rows->count; i++) {
        if (rows->indices[i] >= 0)
            armi_bit_set(used, (size_t)rows->indices[i]);
    }
    int64_t next = 0;
    size_t at = 0, run = 0;
    for (; bits_next_run(used, true, entries, &at, &run); at += run) {
        self->runs[self->run_count++] =
            (struct armi_run){source, (int64_t)at, (int64_t)run};
        for (size_t e = at; e < at + run; e++)
            codes[e] = next++;
    }
    for (int64_t i = 0; i < rows->count; i++)
        self->codes[i] = rows->indices[i] < 0 ? -1 : codes[rows->indices[i]];
done:
    armi_free(codes);
    armi_free(used);
    return status;
}

/* The code of an entry by its value, over all sources. */
static enum armi_status unify_entry(struct unifying *self, struct armi_map *map,
                                    struct armi_buf *key, const struct armi_array *source,
                                    int64_t entry, int64_t *out, struct armi_error *err)
{
    uint64_t *code;
    bool is_new;
    armi_buf_clear(key);
    ARMI_TRY(armi_compare_key(source, 1, entry, key, err));
    ARMI_TRY(armi_map_insert(map, armi_buf_slice(key), &code, &is_new, err));
    if (is_new) {
        *code = map->count - 1;
        self->runs[self->run_count++] = (struct armi_run){source, entry, 1};
    }
    *out = (int64_t)*code;
    return ARMI_OK;
}

static enum armi_status unify_rows(struct unifying *self, int64_t **tables,
                                   struct armi_map *map, struct armi_buf *key,
                                   struct armi_error *err)
{
    const struct armi_dictionary_rows *rows = self->rows;
    for (int64_t i = 0; i < rows->count; i++) {
        int64_t entry = rows->indices[i], code = -1;
        uint32_t s = rows->row_sources == NULL ? 0 : rows->row_sources[i];
        if (entry >= 0) {
            code = tables[s][entry];
            if (code < 0)
                ARMI_TRY(unify_entry(self, map, key, rows->sources[s], entry, &code, err));
            tables[s][entry] = code;
        }
        self->codes[i] = code;
    }
    return ARMI_OK;
}

/* All entries of all sources, in their order, before any row asks for one. */
static enum armi_status unify_sources(struct unifying *self, int64_t **tables,
                                      struct armi_map *map, struct armi_buf *key,
                                      struct armi_error *err)
{
    const struct armi_dictionary_rows *rows = self->rows;
    for (size_t s = 0; s < rows->source_count; s++)
        for (int64_t i = 0; i < rows->sources[s]->length; i++)
            if (!armi_array_is_null(rows->sources[s], i))
                ARMI_TRY(
                    unify_entry(self, map, key, rows->sources[s], i, &tables[s][i], err));
    return ARMI_OK;
}

/* Different dictionaries: the entries used, each value once, in order of first use; or all. */
static enum armi_status unify_entries(struct unifying *self, bool all,
                                      struct armi_error *err)
{
    const struct armi_dictionary_rows *rows = self->rows;
    size_t room = (size_t)rows->count;
    struct armi_map map;
    struct armi_buf key = {0};
    int64_t **tables = armi_alloc_zero(rows->source_count, sizeof *tables);
    armi_map_init(&map, 0);
    enum armi_status status = tables == NULL ? armi_error_no_memory(err) : ARMI_OK;
    for (size_t s = 0; s < rows->source_count && status == ARMI_OK; s++) {
        size_t entries = (size_t)rows->sources[s]->length;
        room += all ? entries : 0;
        tables[s] = armi_alloc_array(entries + 1, sizeof **tables);
        if (tables[s] == NULL)
            status = armi_error_no_memory(err);
        else
            memset(tables[s], 0xff, entries * sizeof **tables);
    }
    if (status == ARMI_OK)
        status = runs_new(self, room, err);
    if (status == ARMI_OK && all)
        status = unify_sources(self, tables, &map, &key, err);
    if (status == ARMI_OK)
        status = unify_rows(self, tables, &map, &key, err);
    for (size_t s = 0; tables != NULL && s < rows->source_count; s++)
        armi_free(tables[s]);
    armi_free(tables);
    armi_map_release(&map);
    armi_buf_release(&key);
    return status;
}

static enum armi_status choose_entries(struct unifying *self, struct armi_error *err)
{
    const struct armi_dictionary_rows *rows = self->rows;
    if (rows->source_count == 0) {
        memset(self->codes, 0xff, (size_t)rows->count * sizeof *self->codes);
        return runs_new(self, 0, err);
    }
    int64_t entries = rows->sources[0]->length;
    bool is_same = true;
    for (size_t s = 1; s < rows->source_count; s++) {
        is_same = is_same && same_dictionary(rows->sources[0], rows->sources[s]);
        entries += rows->sources[s]->length;
    }
    /* An ordered one is all there, as long as its indices can number it for sure. */
    bool all = self->field->ordered && !rows->cut &&
               entries - 1 <= code_max(&self->field->children[0]);
    if (!is_same)
        return unify_entries(self, all, err);
    const struct armi_array *source = rows->sources[0];
    bool is_cut = rows->cut || (source->length > rows->count && !self->field->ordered);
    return is_cut ? cut_entries(self, source, err) : keep_entries(self, source, err);
}

/* The index buffer, and validity where there are nulls. */
static enum armi_status pack_codes(struct unifying *self, struct armi_part *parts,
                                   int64_t *null_count, struct armi_error *err)
{
    size_t count = (size_t)self->rows->count;
    size_t width = (size_t)armi_field_byte_width(self->field), nulls = 0;
    uint8_t *packed = armi_alloc(count * width + 1);
    if (packed == NULL)
        return armi_error_no_memory(err);
    parts[1] = armi_part_owned(packed, (int64_t)(count * width));
    for (size_t i = 0; i < count; i++) {
        int64_t code = self->codes[i];
        nulls += code < 0;
        code = code < 0 ? 0 : code;
        memcpy(packed + i * width, &code, width); /* little-endian: the low bytes */
    }
    *null_count = (int64_t)nulls;
    if (nulls == 0)
        return ARMI_OK;
    uint8_t *bits = armi_alloc(armi_bitmap_size(count));
    if (bits == NULL)
        return armi_error_no_memory(err);
    memset(bits, 0, armi_bitmap_size(count));
    parts[0] = armi_part_owned(bits, (int64_t)armi_bitmap_size(count));
    for (size_t i = 0; i < count; i++)
        armi_bit_put(bits, i, self->codes[i] >= 0);
    return ARMI_OK;
}

enum armi_status armi_assemble_dictionary(const struct armi_field *field,
                                          const struct armi_dictionary_rows *rows,
                                          const char *column, struct ArrowArray *out,
                                          struct armi_error *err)
{
    struct unifying self = {.field = field, .rows = rows, .column = column};
    struct armi_part buffers[2] = {{NULL, 0, NULL, NULL}, {NULL, 0, NULL, NULL}};
    struct ArrowArray dictionary = {.release = NULL};
    struct armi_array_parts parts = {2, buffers, 0, NULL, &dictionary};
    int64_t null_count = 0;
    self.codes = armi_alloc_array((size_t)rows->count + 1, sizeof *self.codes);
    enum armi_status status = self.codes == NULL ? armi_error_no_memory(err) : ARMI_OK;
    if (status == ARMI_OK)
        status = choose_entries(&self, err);
    if (status == ARMI_OK)
        status = armi_assemble_runs(&field->children[1], self.runs, self.run_count, column,
                                    &dictionary, err);
    if (status == ARMI_OK && dictionary.length - 1 > code_max(&field->children[0]))
        status = armi_error_object(
            err, ARMI_LIMIT, "column", column,
            "column \"%s\": %lld dictionary entries are more than its %s "
            "indices can number",
            column, (long long)dictionary.length, armi_type_name(field->children[0].type));
    if (status == ARMI_OK)
        status = pack_codes(&self, buffers, &null_count, err);
    if (status == ARMI_OK)
        status = armi_arrow_array_make(field, rows->count, null_count, &parts, out, err);
    armi_array_parts_release(&parts);
    armi_free(self.runs);
    armi_free(self.codes);
    return status;
}

/* ---- views ---- */

#define VIEW_INLINE     12
#define VIEW_BUFFER_MAX ((size_t)ARMI_GIB)

/* How the long values spread over data buffers of at most VIEW_BUFFER_MAX, or one value. */
static size_t view_buffer_count(const struct armi_slice *values, int64_t length)
{
    size_t count = 0, fill = 0;
    for (int64_t i = 0; i < length; i++) {
        size_t size = values[i].size;
        if (size <= VIEW_INLINE)
            continue;
        if (count == 0 || size > VIEW_BUFFER_MAX - fill) {
            count++;
            fill = 0;
        }
        fill += size < VIEW_BUFFER_MAX ? size : VIEW_BUFFER_MAX;
    }
    return count;
}

/* Fills data buffer `at` from value *next on; *next becomes the first value it has no room for.
 * The same walk as view_buffer_count. */
static enum armi_status view_buffer_fill(const struct armi_slice *values, int64_t length,
                                         int64_t *next, uint32_t at, uint8_t *views,
                                         struct armi_part *out, struct armi_error *err)
{
    size_t total = 0, fill = 0;
    int64_t stop = *next;
    for (; stop < length; stop++) {
        size_t size = values[stop].size;
        if (size > VIEW_INLINE && total != 0 && size > VIEW_BUFFER_MAX - fill)
            break;
        if (size > VIEW_INLINE) {
            total += size;
            fill += size < VIEW_BUFFER_MAX ? size : VIEW_BUFFER_MAX;
        }
    }
    uint8_t *data = armi_alloc(total == 0 ? 1 : total);
    if (data == NULL)
        return armi_error_no_memory(err);
    *out = armi_part_owned(data, (int64_t)total);
    size_t offset = 0;
    for (int64_t i = *next; i < stop; i++) {
        uint8_t *view = views + 16 * (size_t)i;
        struct armi_slice value = values[i];
        if (value.size <= VIEW_INLINE)
            continue;
        memcpy(data + offset, value.data, value.size);
        armi_store32(view, (uint32_t)value.size);
        memcpy(view + 4, value.data, 4);
        armi_store32(view + 8, at);
        armi_store32(view + 12, (uint32_t)offset);
        offset += value.size;
    }
    *next = stop;
    return ARMI_OK;
}

enum armi_status armi_assemble_views(const struct armi_field *field,
                                     const struct armi_slice *values, int64_t length,
                                     int64_t null_count, struct armi_part *validity,
                                     struct ArrowArray *out, struct armi_error *err)
{
    size_t count = view_buffer_count(values, length);
    struct armi_array_parts parts = {2 + count, NULL, 0, NULL, NULL};
    enum armi_status status = ARMI_OK;
    parts.buffers = armi_alloc_zero(2 + count, sizeof *parts.buffers);
    if (parts.buffers == NULL)
        return armi_error_no_memory(err);
    uint8_t *views = armi_alloc_array((size_t)length + 1, 16);
    if (views == NULL) {
        status = armi_error_no_memory(err);
        goto done;
    }
    memset(views, 0, 16 * ((size_t)length + 1));
    parts.buffers[1] = armi_part_owned(views, 16 * length);
    for (int64_t i = 0; i < length; i++) {
        if (values[i].size == 0 || values[i].size > VIEW_INLINE)
            continue;
        armi_store32(views + 16 * (size_t)i, (uint32_t)values[i].size);
        memcpy(views + 16 * (size_t)i + 4, values[i].data, values[i].size);
    }
    int64_t next = 0;
    for (size_t b = 0; b < count && status == ARMI_OK; b++)
        status = view_buffer_fill(values, length, &next, (uint32_t)b, views,
                                  &parts.buffers[2 + b], err);
    if (status != ARMI_OK)
        goto done;
    parts.buffers[0] = *validity;
    status = armi_arrow_array_make(field, length, null_count, &parts, out, err);
    if (status == ARMI_OK)
        *validity = (struct armi_part){NULL, 0, NULL, NULL};
    else
        parts.buffers[0] = (struct armi_part){NULL, 0, NULL, NULL};
done:
    armi_array_parts_release(&parts);
    armi_free(parts.buffers);
    return status;
}
