/*
 * The same values laid out otherwise: strings and lists with other offsets, dictionaries and run
 * ends made or undone. Bytes that need not move are shared.
 */
#include <string.h>

#include "arrow/assemble_internal.h"
#include "arrow/cast_internal.h"
#include "arrow/column_internal.h"
#include "arrow/compare.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"

/* ---- strings ---- */

/* Data buffers of a view array are windows of the one buffer, at every 2^30th byte: an offset
 * within a window and the longest value together stay below 2^31. */
#define WINDOW_BITS 30

static void view_store(uint8_t *view, struct armi_slice value, int64_t at)
{
    armi_store32(view, (uint32_t)value.size);
    if (value.size <= 12) {
        if (value.size != 0)
            memcpy(view + 4, value.data, value.size);
        return;
    }
    memcpy(view + 4, value.data, 4);
    armi_store32(view + 8, (uint32_t)(at >> WINDOW_BITS));
    armi_store32(view + 12, (uint32_t)(at & (((int64_t)1 << WINDOW_BITS) - 1)));
}

/* Offsets to views; the bytes are shared. */
static enum armi_status views_of_offsets(const struct armi_array *array,
                                         const struct armi_field *to,
                                         struct armi_holder *holder, struct ArrowArray *out,
                                         struct armi_error *err)
{
    int64_t first = armi_array_offset_at(array, array->offset);
    int64_t last = armi_array_offset_at(array, array->offset + array->length);
    const uint8_t *base = last > first ? array->values + first : NULL;
    size_t windows = (size_t)((last - first) >> WINDOW_BITS) + 1;
    struct armi_array_parts parts = {2 + windows, NULL, 0, NULL, NULL};
    int64_t null_count = 0;
    enum armi_status status = ARMI_OK;
    parts.buffers = armi_alloc_zero(2 + windows, sizeof *parts.buffers);
    if (parts.buffers == NULL)
        return armi_error_no_memory(err);
    status = armi_cast_validity(array, &parts.buffers[0], &null_count, err);
    if (status != ARMI_OK)
        goto done;
    uint8_t *views = armi_alloc_array((size_t)array->length + 1, 16);
    if (views == NULL) {
        status = armi_error_no_memory(err);
        goto done;
    }
    memset(views, 0, 16 * ((size_t)array->length + 1));
    parts.buffers[1] = armi_part_owned(views, 16 * array->length);
    for (int64_t i = 0; i < array->length; i++) {
        if (armi_array_is_valid_bit(array, i))
            view_store(views + 16 * i, binary_at(array, i),
                       armi_array_offset_at(array, array->offset + i) - first);
    }
    for (size_t w = 0; w < windows && base != NULL; w++) {
        int64_t from = (int64_t)w << WINDOW_BITS;
        int64_t size = rows_min(last - first - from, INT32_MAX);
        if (holder != NULL)
            parts.buffers[2 + w] = armi_part_held(base + from, size, holder);
        else
            parts.buffers[2 + w] = armi_part_static(base + from, size);
    }
    status = armi_arrow_array_make(to, array->length, null_count, &parts, out, err);
done:
    armi_array_parts_release(&parts);
    armi_free(parts.buffers);
    return status;
}

/* Offsets of the other width; the bytes are shared. `buffers` has validity, offsets, values. */
static enum armi_status resize_offsets(const struct casting *casting,
                                       const struct armi_array *array,
                                       const struct armi_field *to,
                                       struct armi_holder *holder,
                                       struct armi_part *buffers, struct armi_error *err)
{
    bool is_wide = armi_type_layout(to->type) == ARMI_LAYOUT_BINARY64;
    size_t width = is_wide ? 8 : 4;
    int64_t first = armi_array_offset_at(array, array->offset);
    int64_t last = armi_array_offset_at(array, array->offset + array->length);
    if (!is_wide && last - first > INT32_MAX)
        return armi_assemble_too_large(casting->column, to, err);
    uint8_t *offsets = armi_alloc_array((size_t)array->length + 1, width);
    if (offsets == NULL)
        return armi_error_no_memory(err);
    buffers[1] = armi_part_owned(offsets, (array->length + 1) * (int64_t)width);
    for (int64_t i = 0; i <= array->length; i++) {
        int64_t v = armi_array_offset_at(array, array->offset + i) - first;
        memcpy(offsets + (size_t)i * width, &v, width); /* little-endian: the low half */
    }
    if (last == first)
        return ARMI_OK;
    const uint8_t *base = array->values + first;
    buffers[2] = holder != NULL ? armi_part_held(base, last - first, holder)
                                : armi_part_static(base, last - first);
    return ARMI_OK;
}

/* Views to offsets: the bytes are put together. */
static enum armi_status offsets_of_views(const struct casting *casting,
                                         const struct armi_array *array,
                                         const struct armi_field *to,
                                         struct armi_part *buffers, struct armi_error *err)
{
    bool is_wide = armi_type_layout(to->type) == ARMI_LAYOUT_BINARY64;
    size_t width = is_wide ? 8 : 4, total = 0;
    uint8_t *offsets = armi_alloc_array((size_t)array->length + 1, width);
    if (offsets == NULL)
        return armi_error_no_memory(err);
    buffers[1] = armi_part_owned(offsets, (array->length + 1) * (int64_t)width);
    memset(offsets, 0, width);
    for (int64_t i = 0; i < array->length; i++) {
        if (armi_array_is_valid_bit(array, i))
            total += binary_at(array, i).size;
        memcpy(offsets + (size_t)(i + 1) * width, &total, width);
    }
    if (!is_wide && total > INT32_MAX)
        return armi_assemble_too_large(casting->column, to, err);
    uint8_t *bytes = armi_alloc(total == 0 ? 1 : total);
    if (bytes == NULL)
        return armi_error_no_memory(err);
    buffers[2] = armi_part_owned(bytes, (int64_t)total);
    for (int64_t i = 0; i < array->length; i++) {
        struct armi_slice value = {NULL, 0};
        if (armi_array_is_valid_bit(array, i))
            value = binary_at(array, i);
        if (value.size != 0)
            memcpy(bytes, value.data, value.size);
        bytes += value.size;
    }
    return ARMI_OK;
}

enum armi_status armi_cast_binary(const struct casting *casting,
                                  const struct armi_array *array,
                                  const struct armi_field *to, struct armi_holder *holder,
                                  struct ArrowArray *out, struct armi_error *err)
{
    if (armi_type_layout(to->type) == ARMI_LAYOUT_VIEW)
        return views_of_offsets(array, to, holder, out, err);
    struct armi_part buffers[3] = {{NULL, 0, NULL, NULL}};
    struct armi_array_parts parts = {3, buffers, 0, NULL, NULL};
    int64_t null_count = 0;
    enum armi_status status = armi_cast_validity(array, &buffers[0], &null_count, err);
    if (status == ARMI_OK && array->layout == ARMI_LAYOUT_VIEW)
        status = offsets_of_views(casting, array, to, buffers, err);
    else if (status == ARMI_OK)
        status = resize_offsets(casting, array, to, holder, buffers, err);
    if (status == ARMI_OK)
        status = armi_arrow_array_make(to, array->length, null_count, &parts, out, err);
    armi_array_parts_release(&parts);
    return status;
}

/* ---- lists ---- */

/* The elements of all rows, put together in order. */
static enum armi_status gather_elements(const struct casting *casting,
                                        const struct armi_array *array,
                                        struct ArrowArray *out, struct armi_error *err)
{
    const struct armi_array *items = &array->children[0];
    struct armi_run *runs = armi_alloc_array((size_t)array->length + 1, sizeof *runs);
    if (runs == NULL)
        return armi_error_no_memory(err);
    size_t count = 0;
    for (int64_t i = 0; i < array->length; i++) {
        int64_t from, size;
        armi_array_list(array, i, &from, &size);
        if (size != 0)
            runs[count++] = (struct armi_run){items, from, size};
    }
    enum armi_status status =
        armi_assemble_runs(items->field, runs, count, casting->column, out, err);
    armi_free(runs);
    return status;
}

/* Offsets, and sizes of a view, as `to` wants them; elements are taken to lie in order. Null rows
 * are empty. */
static enum armi_status list_offsets(const struct casting *casting,
                                     const struct armi_array *array,
                                     const struct armi_field *to, struct armi_part *buffers,
                                     struct armi_error *err)
{
    enum armi_layout layout = armi_type_layout(to->type);
    bool is_wide = armi_layout_is_wide(layout), is_view = armi_layout_is_list_view(layout);
    size_t width = is_wide ? 8 : 4;
    int64_t total = 0, bytes = (array->length + 1) * (int64_t)width;
    uint8_t *offsets = armi_alloc((size_t)bytes), *sizes = NULL;
    if (offsets == NULL)
        return armi_error_no_memory(err);
    buffers[1] = armi_part_owned(offsets, bytes);
    if (is_view) {
        sizes = armi_alloc((size_t)bytes);
        if (sizes == NULL)
            return armi_error_no_memory(err);
        buffers[2] = armi_part_owned(sizes, bytes);
    }
    for (int64_t i = 0; i < array->length; i++) {
        int64_t from, size;
        armi_array_list(array, i, &from, &size);
        memcpy(offsets + (size_t)i * width, &total, width);
        if (is_view)
            memcpy(sizes + (size_t)i * width, &size, width);
        total += size; /* no overflow: the elements were put together before */
        if (!is_wide && total > INT32_MAX)
            return armi_assemble_too_large(casting->column, to, err);
    }
    memcpy(offsets + (size_t)array->length * width, &total, width);
    return ARMI_OK;
}

enum armi_status armi_cast_list(const struct casting *casting,
                                const struct armi_array *array, const struct armi_field *to,
                                struct armi_holder *holder, struct ArrowArray *out,
                                struct armi_error *err)
{
    (void)holder; /* elements are put together, so nothing of the old ones is kept */
    struct armi_part buffers[3] = {{NULL, 0, NULL, NULL}};
    struct ArrowArray items = {.release = NULL}, child = {.release = NULL};
    struct armi_array_parts parts = {(size_t)armi_type_buffer_count(to->type), buffers, 1,
                                     &child, NULL};
    int64_t null_count = 0;
    enum armi_status status = gather_elements(casting, array, &items, err);
    if (status == ARMI_OK)
        status = armi_cast_owned(casting, &array->field->children[0], &items,
                                 &to->children[0], &child, err);
    if (status == ARMI_OK)
        status = armi_cast_validity(array, &buffers[0], &null_count, err);
    if (status == ARMI_OK)
        status = list_offsets(casting, array, to, buffers, err);
    if (status == ARMI_OK)
        status = armi_arrow_array_make(to, array->length, null_count, &parts, out, err);
    armi_array_parts_release(&parts);
    return status;
}

enum armi_status armi_cast_members(const struct casting *casting,
                                   const struct armi_array *array,
                                   const struct armi_field *to, struct armi_holder *holder,
                                   struct ArrowArray *out, struct armi_error *err)
{
    int64_t step = array->layout == ARMI_LAYOUT_FIXED_LIST ? to->width : 1;
    struct armi_part validity = {NULL, 0, NULL, NULL};
    struct armi_array_parts parts = {1, &validity, to->child_count, NULL, NULL};
    int64_t null_count = 0;
    parts.children = armi_alloc_zero(to->child_count + 1, sizeof *parts.children);
    if (parts.children == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = armi_cast_validity(array, &validity, &null_count, err);
    for (size_t c = 0; c < to->child_count && status == ARMI_OK; c++) {
        struct armi_array child = armi_array_slice(
            &array->children[c], array->offset * step, array->length * step);
        status = armi_cast_array(casting, &child, &to->children[c], holder,
                                 &parts.children[c], err);
    }
    if (status == ARMI_OK)
        status = armi_arrow_array_make(to, array->length, null_count, &parts, out, err);
    armi_array_parts_release(&parts);
    armi_free(parts.children);
    return status;
}

/* ---- dictionaries ---- */

/* The entry of each row, -1 for a null. Owned by the caller. */
static enum armi_status row_entries(const struct armi_array *array, int64_t **out,
                                    struct armi_error *err)
{
    int64_t *entries = armi_alloc_array((size_t)array->length + 1, sizeof *entries);
    if (entries == NULL)
        return armi_error_no_memory(err);
    if (array->length != 0)
        armi_column_indices(array, 0, array->length, entries);
    for (int64_t i = 0; i < array->length; i++) {
        if (!armi_array_is_valid_bit(array, i))
            entries[i] = -1;
    }
    *out = entries;
    return ARMI_OK;
}

/* The dictionary cast to the type `to`, as an array of our own and its view. */
struct cast_values {
    struct ArrowArray array;
    struct armi_array view;
};

static enum armi_status cast_values_init(const struct casting *casting,
                                         const struct armi_array *array,
                                         const struct armi_field *to,
                                         struct armi_holder *holder,
                                         struct cast_values *out, struct armi_error *err)
{
    ARMI_TRY(armi_cast_array(casting, array, to, holder, &out->array, err));
    enum armi_status status =
        armi_array_init(to, &out->array, ARMI_VALIDATE_NONE, &out->view, err);
    if (status != ARMI_OK)
        armi_arrow_array_release(&out->array);
    return status;
}

static void cast_values_release(struct cast_values *values)
{
    armi_array_release(&values->view);
    armi_arrow_array_release(&values->array);
}

enum armi_status armi_cast_decode(const struct casting *casting,
                                  const struct armi_array *array,
                                  const struct armi_field *to, struct armi_holder *holder,
                                  struct ArrowArray *out, struct armi_error *err)
{
    struct cast_values values;
    int64_t *entries = NULL;
    ARMI_TRY(cast_values_init(casting, array->dictionary, to, holder, &values, err));
    enum armi_status status = row_entries(array, &entries, err);
    if (status == ARMI_OK)
        status = armi_assemble_take(&values.view, 0, entries, array->length,
                                    casting->column, out, err);
    armi_free(entries);
    cast_values_release(&values);
    return status;
}

/* The first row that holds each row's value, -1 for nulls: the rows themselves are the dictionary
 * that armi_assemble_dictionary then cuts to the entries used. */
static enum armi_status first_rows(const struct armi_array *values, int64_t **out,
                                   struct armi_error *err)
{
    struct armi_map map;
    struct armi_buf key = {0};
    enum armi_status status = ARMI_OK;
    int64_t *rows = armi_alloc_array((size_t)values->length + 1, sizeof *rows);
    if (rows == NULL)
        return armi_error_no_memory(err);
    armi_map_init(&map, 0);
    for (int64_t i = 0; i < values->length && status == ARMI_OK; i++) {
        uint64_t *first;
        bool is_new;
        rows[i] = -1;
        if (armi_array_is_null(values, i))
            continue;
        armi_buf_clear(&key);
        status = armi_compare_key(values, 1, i, &key, err);
        if (status == ARMI_OK)
            status = armi_map_insert(&map, armi_buf_slice(&key), &first, &is_new, err);
        if (status == ARMI_OK) {
            *first = is_new ? (uint64_t)i : *first;
            rows[i] = (int64_t)*first;
        }
    }
    armi_map_release(&map);
    armi_buf_release(&key);
    if (status == ARMI_OK)
        *out = rows;
    else
        armi_free(rows);
    return status;
}

enum armi_status armi_cast_encode(const struct casting *casting,
                                  const struct armi_array *array,
                                  const struct armi_field *to, struct armi_holder *holder,
                                  struct ArrowArray *out, struct armi_error *err)
{
    const struct armi_field *value = &to->children[1];
    bool is_dictionary = array->layout == ARMI_LAYOUT_DICTIONARY;
    struct cast_values values;
    int64_t *entries = NULL;
    ARMI_TRY(cast_values_init(casting, is_dictionary ? array->dictionary : array, value,
                              holder, &values, err));
    enum armi_status status = is_dictionary ? row_entries(array, &entries, err)
                                            : first_rows(&values.view, &entries, err);
    if (status == ARMI_OK) {
        const struct armi_array *source = &values.view;
        struct armi_dictionary_rows rows = {&source,       1, entries, NULL, array->length,
                                            !is_dictionary};
        status = armi_assemble_dictionary(to, &rows, casting->column, out, err);
    }
    armi_free(entries);
    cast_values_release(&values);
    return status;
}

/* ---- run ends ---- */

enum armi_status armi_cast_run_ends(const struct casting *casting,
                                    const struct armi_array *array,
                                    const struct armi_field *to, struct armi_holder *holder,
                                    struct ArrowArray *out, struct armi_error *err)
{
    struct cast_values values;
    ARMI_TRY(cast_values_init(casting, array, &to->children[1], holder, &values, err));
    enum armi_status status =
        armi_assemble_run_end(to, &values.view, casting->column, out, err);
    cast_values_release(&values);
    return status;
}
