/*
 * Views made from ArrowArrays: the shape of each node is held against its field here, so
 * that every accessor may rely on it; what the values say is array_validate.c's.
 */
#include "arrow/array.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arrow/array_internal.h"
#include "arrow/array_make.h"
#include "base/alloc.h"
#include "base/checked.h"
#include "base/limits.h"

const uint8_t armi_array_nothing[ARMI_NOTHING_SIZE];

/* ---- errors ---- */

static void path_format(const struct armi_path *path, char *out, size_t size)
{
    if (path->parent != NULL) {
        path_format(path->parent, out, size);
        size_t used = strlen(out);
        const char *dot = used > 0 ? "." : "";
        snprintf(out + used, size - used, "%s%s", dot, path->name);
    } else {
        snprintf(out, size, "%s", path->name);
    }
}

enum armi_status armi_path_error(const struct armi_path *path, struct armi_error *err,
                                 enum armi_status status, const char *format, ...)
{
    char name[256], text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    path_format(path, name, sizeof name);
    return armi_error_object(err, status, "column", name, "column '%s': %s", name, text);
}

const char *armi_path_row(const struct armi_path *path, int64_t i, char out[32])
{
    bool is_row = path->first_row >= 0;
    snprintf(out, 32, "%s %lld", is_row ? "row" : "item",
             (long long)(i + 1 + (is_row ? path->first_row : 0)));
    return out;
}

/* ---- making a view ---- */

struct maker {
    enum armi_validation level;
    struct armi_error *err;
};

static enum armi_status make_node(const struct maker *m, const struct armi_path *path,
                                  const struct armi_field *field,
                                  const struct ArrowArray *array, struct armi_array *out);

static enum armi_status refuse(const struct maker *m, const struct armi_path *path,
                               const char *what)
{
    return armi_path_error(path, m->err, ARMI_INVALID, "malformed Arrow data: %s", what);
}

/* Lengths such that no later position, bit or byte computation overflows. */
static enum armi_status check_lengths(const struct maker *m, const struct armi_path *path,
                                      const struct armi_field *field,
                                      const struct ArrowArray *array)
{
    int64_t end, bytes;
    int64_t width = armi_field_byte_width(field);
    if (field->type == ARMI_TYPE_FIXED_LIST)
        width = field->width;
    if (width < 16)
        width = 16;
    if (array->length < 0 || array->offset < 0 || array->null_count < -1 ||
        !armi_i64_add(array->length, array->offset, &end) || !armi_i64_add(end, 1, &end) ||
        !armi_i64_mul(end, width, &bytes))
        return refuse(m, path, "impossible length, offset or null_count");
    if (array->null_count > array->length)
        return refuse(m, path, "more nulls than rows");
    return ARMI_OK;
}

static enum armi_status check_counts(const struct maker *m, const struct armi_path *path,
                                     const struct armi_field *field,
                                     const struct ArrowArray *array)
{
    int64_t buffers = armi_type_buffer_count(field->type);
    bool is_view = armi_type_layout(field->type) == ARMI_LAYOUT_VIEW;
    /* The type null has none; arrays of older rules, as Polars hands them out, one that is empty. */
    if (field->type == ARMI_TYPE_NULL && array->n_buffers == 1)
        buffers = 1;
    if (is_view ? array->n_buffers < buffers + 1 : array->n_buffers != buffers)
        return refuse(m, path, "wrong number of buffers for its type");
    if (array->n_buffers > 0 && array->buffers == NULL)
        return refuse(m, path, "buffers are missing");
    bool is_dictionary = field->type == ARMI_TYPE_DICTIONARY;
    int64_t children = is_dictionary ? 0 : (int64_t)field->child_count;
    if (array->n_children != children)
        return refuse(m, path, "wrong number of children for its type");
    if (children > 0 && array->children == NULL)
        return refuse(m, path, "children are missing");
    if (is_dictionary != (array->dictionary != NULL))
        return refuse(m, path,
                      is_dictionary ? "its dictionary is missing"
                                    : "a dictionary for a plain type");
    return ARMI_OK;
}

static enum armi_status make_validity(const struct maker *m, const struct armi_path *path,
                                      const struct ArrowArray *array,
                                      struct armi_array *out)
{
    out->null_count = array->null_count;
    if (out->layout == ARMI_LAYOUT_NULL) {
        out->null_count = out->length;
        return ARMI_OK;
    }
    const uint8_t *validity = array->n_buffers > 0 ? array->buffers[0] : NULL;
    if (validity == NULL) {
        if (array->null_count > 0 && out->layout != ARMI_LAYOUT_RUN_END)
            return refuse(m, path, "nulls without a validity buffer");
        out->null_count = 0;
        return ARMI_OK;
    }
    if (m->level == ARMI_VALIDATE_FULL && array->null_count >= 0) {
        size_t valid =
            armi_bitmap_count(validity, (size_t)out->offset, (size_t)out->length);
        if (out->length - (int64_t)valid != array->null_count)
            return refuse(m, path, "null_count contradicts the validity buffer");
    }
    /* Whoever asks for validity then sees at once that there are no nulls. */
    out->validity = array->null_count == 0 ? NULL : validity;
    return ARMI_OK;
}

/* A buffer that may be NULL only when nothing is in it. */
static enum armi_status take_buffer(const struct maker *m, const struct armi_path *path,
                                    const void *buffer, bool needed, const uint8_t **out)
{
    if (buffer == NULL && needed)
        return refuse(m, path, "a buffer is missing");
    *out = buffer != NULL ? buffer : armi_array_nothing;
    return ARMI_OK;
}

/* Offsets and, for a binary type, whether they allow the data to be absent. */
static enum armi_status make_offsets(const struct maker *m, const struct armi_path *path,
                                     const struct ArrowArray *array, struct armi_array *out)
{
    bool is_binary =
        out->layout == ARMI_LAYOUT_BINARY32 || out->layout == ARMI_LAYOUT_BINARY64;
    if (array->buffers[1] == NULL)
        out->offset =
            0; /* without rows any position is as good, and 0 is in armi_array_nothing */
    ARMI_TRY(take_buffer(m, path, array->buffers[1], out->length > 0, &out->offsets));
    if (armi_layout_is_list_view(out->layout))
        return take_buffer(m, path, array->buffers[2], out->length > 0, &out->sizes);
    if (!is_binary)
        return ARMI_OK;
    bool has_bytes = armi_array_offset_at(out, out->offset) !=
                     armi_array_offset_at(out, out->offset + out->length);
    return take_buffer(m, path, array->buffers[2], has_bytes, &out->values);
}

static enum armi_status make_views(const struct maker *m, const struct armi_path *path,
                                   const struct ArrowArray *array, struct armi_array *out)
{
    ARMI_TRY(take_buffer(m, path, array->buffers[1], out->length > 0, &out->values));
    out->variadic_count = (size_t)(array->n_buffers - 3);
    out->variadic = (const uint8_t *const *)(const void *)(array->buffers + 2);
    return take_buffer(m, path, array->buffers[array->n_buffers - 1],
                       out->variadic_count > 0, &out->variadic_sizes);
}

static enum armi_status make_buffers(const struct maker *m, const struct armi_path *path,
                                     const struct ArrowArray *array, struct armi_array *out)
{
    switch (out->layout) {
    case ARMI_LAYOUT_BITS:
        return take_buffer(m, path, array->buffers[1], out->length > 0, &out->values);
    case ARMI_LAYOUT_FIXED:
    case ARMI_LAYOUT_DICTIONARY:
        return take_buffer(m, path, array->buffers[1], out->length > 0 && out->width > 0,
                           &out->values);
    case ARMI_LAYOUT_BINARY32:
    case ARMI_LAYOUT_BINARY64:
    case ARMI_LAYOUT_LIST32:
    case ARMI_LAYOUT_LIST64:
    case ARMI_LAYOUT_LIST_VIEW32:
    case ARMI_LAYOUT_LIST_VIEW64:
        return make_offsets(m, path, array, out);
    case ARMI_LAYOUT_VIEW:
        return make_views(m, path, array, out);
    default:
        return ARMI_OK;
    }
}

static enum armi_status make_children(const struct maker *m, const struct armi_path *path,
                                      const struct ArrowArray *array,
                                      struct armi_array *out)
{
    const struct armi_field *field = out->field;
    if (out->layout == ARMI_LAYOUT_DICTIONARY) {
        out->dictionary = armi_alloc_zero(1, sizeof *out->dictionary);
        if (out->dictionary == NULL)
            return armi_error_no_memory(m->err);
        struct armi_path inner = {path, "dictionary", -1};
        return make_node(m, &inner, &field->children[1], array->dictionary,
                         out->dictionary);
    }
    if (field->child_count == 0)
        return ARMI_OK;
    out->children = armi_alloc_zero(field->child_count, sizeof *out->children);
    if (out->children == NULL)
        return armi_error_no_memory(m->err);
    out->child_count = field->child_count;
    for (size_t i = 0; i < field->child_count; i++) {
        struct armi_path inner = {path, field->children[i].name, -1};
        ARMI_TRY(make_node(m, &inner, &field->children[i], array->children[i],
                           &out->children[i]));
    }
    return ARMI_OK;
}

/* Children that are walked in step with the parent must be as long as it. */
static enum armi_status check_child_lengths(const struct maker *m,
                                            const struct armi_path *path,
                                            const struct armi_array *view)
{
    int64_t need = view->offset + view->length;
    if (view->layout == ARMI_LAYOUT_FIXED_LIST)
        need *= view->field->width;
    else if (view->layout != ARMI_LAYOUT_STRUCT)
        return ARMI_OK;
    for (size_t i = 0; view->length > 0 && i < view->child_count; i++) {
        if (view->children[i].length < need) {
            struct armi_path inner = {path, view->children[i].field->name, -1};
            return refuse(m, &inner, "shorter than the array that it belongs to");
        }
    }
    return ARMI_OK;
}

/* On failure *out may own children: the outermost caller releases. */
static enum armi_status make_node(const struct maker *m, const struct armi_path *path,
                                  const struct armi_field *field,
                                  const struct ArrowArray *array, struct armi_array *out)
{
    enum armi_layout layout = armi_type_layout(field->type);
    if (layout == ARMI_LAYOUT_UNION)
        return armi_path_error(path, m->err, ARMI_UNSUPPORTED, "type %s is not supported",
                               armi_type_name(field->type));
    if (array == NULL || array->release == NULL)
        return refuse(m, path, "missing or already released");
    ARMI_TRY(check_lengths(m, path, field, array));
    ARMI_TRY(check_counts(m, path, field, array));
    *out = (struct armi_array){.field = field,
                               .layout = layout,
                               .owned = true,
                               .length = array->length,
                               .offset = array->offset};
    if (layout == ARMI_LAYOUT_FIXED || layout == ARMI_LAYOUT_DICTIONARY ||
        layout == ARMI_LAYOUT_VIEW)
        out->width = armi_field_byte_width(field);
    ARMI_TRY(make_validity(m, path, array, out));
    ARMI_TRY(make_buffers(m, path, array, out));
    ARMI_TRY(make_children(m, path, array, out));
    return check_child_lengths(m, path, out);
}

enum armi_status armi_array_init(const struct armi_field *field,
                                 const struct ArrowArray *array, enum armi_validation level,
                                 struct armi_array *out, struct armi_error *err)
{
    struct maker m = {level, err};
    struct armi_path path = {NULL, field->name, 0};
    struct armi_array view = ARMI_ARRAY_INIT;
    enum armi_status status = make_node(&m, &path, field, array, &view);
    if (status == ARMI_OK)
        status = armi_array_validate(&view, level, err);
    if (status != ARMI_OK) {
        armi_array_release(&view);
        return status;
    }
    *out = view;
    return ARMI_OK;
}

enum armi_status armi_array_init_rows(const struct armi_field *schema,
                                      const struct ArrowArray *array,
                                      enum armi_validation level, int64_t first_row,
                                      const struct armi_parallel *parallel,
                                      struct armi_array *out, struct armi_error *err)
{
    assert(schema->type == ARMI_TYPE_STRUCT);
    struct maker m = {level, err};
    struct armi_path path = {NULL, schema->name, first_row};
    struct armi_array view = ARMI_ARRAY_INIT;
    enum armi_status status = make_node(&m, &path, schema, array, &view);
    if (status == ARMI_OK && armi_array_null_count(&view) > 0)
        status =
            armi_error_set(err, ARMI_INVALID,
                           "malformed Arrow data: a batch with rows that are null as a "
                           "whole");
    view.validity = NULL;
    view.null_count = 0;
    if (status == ARMI_OK)
        status = armi_array_validate_rows(&view, level, first_row, parallel, err);
    if (status != ARMI_OK) {
        armi_array_release(&view);
        return status;
    }
    *out = view;
    return ARMI_OK;
}

enum armi_status armi_array_init_batch(const struct armi_field *schema,
                                       const struct ArrowArray *array,
                                       enum armi_validation level, struct armi_array *out,
                                       struct armi_error *err)
{
    const struct armi_parallel alone = {.threads = 1};
    return armi_array_init_rows(schema, array, level, 0, &alone, out, err);
}

void armi_array_release(struct armi_array *array)
{
    if (array->owned) {
        for (size_t i = 0; i < array->child_count; i++)
            armi_array_release(&array->children[i]);
        armi_free(array->children);
        if (array->dictionary != NULL)
            armi_array_release(array->dictionary);
        armi_free(array->dictionary);
    }
    *array = (struct armi_array)ARMI_ARRAY_INIT;
}

struct armi_array armi_array_slice(const struct armi_array *array, int64_t from,
                                   int64_t count)
{
    assert(from >= 0 && count >= 0 && from <= array->length &&
           count <= array->length - from);
    struct armi_array slice = *array;
    slice.owned = false;
    slice.offset += from;
    slice.length = count;
    if (array->layout == ARMI_LAYOUT_NULL)
        slice.null_count = count;
    else if (count != array->length && array->null_count > 0)
        slice.null_count = count == 0 ? 0 : -1;
    return slice;
}

struct armi_array armi_array_column(const struct armi_array *array, size_t c)
{
    assert(array->layout == ARMI_LAYOUT_STRUCT && c < array->child_count);
    /* A struct without rows may have come without the rows before its offset, too. */
    int64_t from = array->length > 0 ? array->offset : 0;
    return armi_array_slice(&array->children[c], from, array->length);
}
