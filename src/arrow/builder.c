/*
 * Building arrays value by value. Every append first makes room for all that it will
 * write, then writes: so a failed append of a flat value leaves nothing behind.
 *
 * A dictionary keeps a map from a value's bytes to its index; a run-end array gets a run
 * a row: plain and right, and nobody builds large ones here.
 */
#include "arrow/builder.h"

#include <string.h>

#include "arrow/array_internal.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"

struct armi_builder {
    const struct armi_field *field;
    enum armi_layout layout;
    int32_t width; /* of FIXED and of a dictionary's index */
    int64_t length;
    int64_t null_count;
    struct armi_buf validity;
    struct armi_buf values;
    struct armi_buf offsets;
    struct armi_buf sizes; /* list views */
    struct armi_buf data;  /* VIEW: the bytes of long values */
    int64_t item_end;      /* LIST*: child rows that closed rows have taken */
    size_t child_count;
    struct armi_builder *children; /* a dictionary's one child are its values */
    struct armi_map indices;       /* DICTIONARY of flat values */
};

/* ---- life ---- */

static void builder_release(struct armi_builder *b)
{
    for (size_t i = 0; i < b->child_count; i++)
        builder_release(&b->children[i]);
    armi_free(b->children);
    armi_buf_release(&b->validity);
    armi_buf_release(&b->values);
    armi_buf_release(&b->offsets);
    armi_buf_release(&b->sizes);
    armi_buf_release(&b->data);
    armi_map_release(&b->indices);
}

/* On failure *b may be partly made: the outermost caller releases. */
static enum armi_status builder_init(struct armi_builder *b, const struct armi_field *field,
                                     struct armi_error *err)
{
    *b = (struct armi_builder){.field = field, .layout = armi_type_layout(field->type)};
    armi_map_init(&b->indices, (uint64_t)(uintptr_t)b);
    if (b->layout == ARMI_LAYOUT_UNION)
        return armi_error_object(err, ARMI_UNSUPPORTED, "column", field->name,
                                 "column '%s': type %s is not supported", field->name,
                                 armi_type_name(field->type));
    b->width = b->layout == ARMI_LAYOUT_VIEW ? 16 : armi_field_byte_width(field);
    bool is_dictionary = b->layout == ARMI_LAYOUT_DICTIONARY;
    size_t count = is_dictionary ? 1 : field->child_count;
    if (count == 0)
        return ARMI_OK;
    b->children = armi_alloc_zero(count, sizeof *b->children);
    if (b->children == NULL)
        return armi_error_no_memory(err);
    b->child_count = count;
    for (size_t i = 0; i < count; i++)
        ARMI_TRY(
            builder_init(&b->children[i], &field->children[is_dictionary ? 1 : i], err));
    return ARMI_OK;
}

enum armi_status armi_builder_new(const struct armi_field *field, struct armi_builder **out,
                                  struct armi_error *err)
{
    struct armi_builder *b = armi_alloc_zero(1, sizeof *b);
    if (b == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = builder_init(b, field, err);
    if (status != ARMI_OK) {
        armi_builder_free(b);
        return status;
    }
    *out = b;
    return ARMI_OK;
}

void armi_builder_free(struct armi_builder *builder)
{
    if (builder == NULL)
        return;
    builder_release(builder);
    armi_free(builder);
}

int64_t armi_builder_length(const struct armi_builder *builder)
{
    return builder->length;
}

const struct armi_field *armi_builder_field(const struct armi_builder *builder)
{
    return builder->field;
}

struct armi_builder *armi_builder_child(struct armi_builder *builder, size_t c)
{
    assert(c < builder->child_count);
    return &builder->children[c];
}

/* ---- room ---- */

static size_t offset_width(const struct armi_builder *b)
{
    return armi_layout_is_wide(b->layout) ? 8 : 4;
}

static bool has_offsets(enum armi_layout layout)
{
    return layout == ARMI_LAYOUT_BINARY32 || layout == ARMI_LAYOUT_BINARY64 ||
           layout == ARMI_LAYOUT_LIST32 || layout == ARMI_LAYOUT_LIST64 ||
           armi_layout_is_list_view(layout);
}

/* Room for `rows` rows in all buffers of this node, but for the bytes of strings and the
 * children. */
static enum armi_status make_room(struct armi_builder *b, size_t rows,
                                  struct armi_error *err)
{
    if (b->layout == ARMI_LAYOUT_NULL || b->layout == ARMI_LAYOUT_RUN_END)
        return ARMI_OK;
    ARMI_TRY(armi_buf_reserve(&b->validity, rows / 8 + 1, err));
    if (b->layout == ARMI_LAYOUT_BITS)
        return armi_buf_reserve(&b->values, rows / 8 + 1, err);
    if (b->layout == ARMI_LAYOUT_FIXED || b->layout == ARMI_LAYOUT_DICTIONARY ||
        b->layout == ARMI_LAYOUT_VIEW)
        return armi_buf_reserve(&b->values, rows * (size_t)b->width, err);
    if (!has_offsets(b->layout))
        return ARMI_OK;
    ARMI_TRY(armi_buf_reserve(&b->offsets, (rows + 1) * offset_width(b), err));
    if (armi_layout_is_list_view(b->layout))
        return armi_buf_reserve(&b->sizes, rows * offset_width(b), err);
    return ARMI_OK;
}

enum armi_status armi_builder_reserve(struct armi_builder *builder, int64_t rows,
                                      struct armi_error *err)
{
    assert(rows >= 0);
    /* Wide enough for the products above; a larger hint is no hint. */
    if (rows > INT32_MAX)
        return ARMI_OK;
    ARMI_TRY(make_room(builder, (size_t)rows, err));
    for (size_t i = 0; builder->layout == ARMI_LAYOUT_STRUCT && i < builder->child_count;
         i++)
        ARMI_TRY(armi_builder_reserve(&builder->children[i], rows, err));
    return ARMI_OK;
}

/* ---- writing into room that was made: these cannot fail ---- */

static void put_bytes(struct armi_buf *buf, const void *data, size_t size)
{
    assert(buf->capacity - buf->size >= size);
    if (size > 0)
        memcpy(buf->data + buf->size, data, size);
    buf->size += size;
}

static void put_bit(struct armi_buf *buf, int64_t i, bool v)
{
    if (i % 8 == 0)
        put_bytes(buf, &(uint8_t){0}, 1);
    armi_bit_put(buf->data, (size_t)i, v);
}

static void put_number(struct armi_buf *buf, int64_t v, size_t width)
{
    put_bytes(buf, &v, width); /* little-endian, so the low bytes come first */
}

/* Offsets start with a 0 that belongs to no row; list views' do not. */
static void put_offset(struct armi_builder *b, int64_t v)
{
    if (b->offsets.size == 0 && !armi_layout_is_list_view(b->layout))
        put_number(&b->offsets, 0, offset_width(b));
    put_number(&b->offsets, v, offset_width(b));
}

/* Ends the row. Last of all, so that a row is there entirely or not at all. */
static void end_row(struct armi_builder *b, bool valid)
{
    if (b->layout != ARMI_LAYOUT_NULL && b->layout != ARMI_LAYOUT_RUN_END)
        put_bit(&b->validity, b->length, valid);
    b->null_count += !valid;
    b->length++;
}

static enum armi_status too_much(const struct armi_builder *b, const char *what,
                                 struct armi_error *err)
{
    return armi_error_object(err, ARMI_LIMIT, "column", b->field->name, "column '%s': %s",
                             b->field->name, what);
}

static enum armi_status does_not_fit(const struct armi_builder *b, const char *what,
                                     struct armi_error *err)
{
    return armi_error_object(err, ARMI_INVALID, "column", b->field->name,
                             "column '%s': %s does not fit its type %s", b->field->name,
                             what, armi_type_name(b->field->type));
}

/* ---- dictionaries and runs ---- */

static enum armi_status check_index_room(const struct armi_builder *b, int64_t index,
                                         struct armi_error *err)
{
    if (index > armi_type_integer_max(b->field->children[0].type))
        return too_much(
            b, "more distinct values than its dictionary's index type can number", err);
    return ARMI_OK;
}

static enum armi_status dictionary_append_bytes(struct armi_builder *b,
                                                struct armi_slice bytes,
                                                struct armi_error *err)
{
    ARMI_TRY(make_room(b, 1, err));
    const uint64_t *found = armi_map_find(&b->indices, bytes);
    uint64_t index = found != NULL ? *found : (uint64_t)b->children[0].length;
    if (found == NULL) {
        ARMI_TRY(check_index_room(b, (int64_t)index, err));
        ARMI_TRY(armi_builder_append_bytes(&b->children[0], bytes.data, bytes.size, err));
        /* Should this fail, the value stays in the dictionary, unused. */
        uint64_t *place;
        ARMI_TRY(armi_map_insert(&b->indices, bytes, &place, NULL, err));
        *place = index;
    }
    put_number(&b->values, (int64_t)index, (size_t)b->width);
    end_row(b, true);
    return ARMI_OK;
}

/* Room for a run, before its value goes to children[1]. */
static enum armi_status begin_run(struct armi_builder *b, struct armi_error *err)
{
    if (b->length >= armi_type_integer_max(b->field->children[0].type))
        return too_much(b, "more rows than its run ends can number", err);
    return make_room(&b->children[0], 1, err);
}

static void end_run(struct armi_builder *b)
{
    struct armi_builder *ends = &b->children[0];
    put_number(&ends->values, b->length + 1, (size_t)ends->width);
    end_row(ends, true);
    end_row(b, true);
    b->null_count = 0;
}

/* ---- null ---- */

static enum armi_status append_null_children(struct armi_builder *b, struct armi_error *err)
{
    int64_t count = 0;
    if (b->layout == ARMI_LAYOUT_STRUCT)
        count = 1;
    else if (b->layout == ARMI_LAYOUT_FIXED_LIST)
        count = b->field->width;
    for (size_t c = 0; count > 0 && c < b->child_count; c++) {
        for (int64_t i = 0; i < count; i++)
            ARMI_TRY(armi_builder_append_null(&b->children[c], err));
    }
    return ARMI_OK;
}

static enum armi_status append_null_run(struct armi_builder *b, struct armi_error *err)
{
    ARMI_TRY(begin_run(b, err));
    ARMI_TRY(armi_builder_append_null(&b->children[1], err));
    end_run(b);
    return ARMI_OK;
}

enum armi_status armi_builder_append_null(struct armi_builder *builder,
                                          struct armi_error *err)
{
    struct armi_builder *b = builder;
    if (b->layout == ARMI_LAYOUT_RUN_END)
        return append_null_run(b, err);
    ARMI_TRY(make_room(b, 1, err));
    ARMI_TRY(append_null_children(b, err));
    switch (b->layout) {
    case ARMI_LAYOUT_BITS:
        put_bit(&b->values, b->length, false);
        break;
    case ARMI_LAYOUT_FIXED:
    case ARMI_LAYOUT_DICTIONARY:
    case ARMI_LAYOUT_VIEW:
        memset(b->values.data + b->values.size, 0, (size_t)b->width);
        b->values.size += (size_t)b->width;
        break;
    case ARMI_LAYOUT_BINARY32:
    case ARMI_LAYOUT_BINARY64:
        put_offset(b, (int64_t)b->values.size);
        break;
    case ARMI_LAYOUT_LIST32:
    case ARMI_LAYOUT_LIST64:
        put_offset(b, b->item_end);
        break;
    case ARMI_LAYOUT_LIST_VIEW32:
    case ARMI_LAYOUT_LIST_VIEW64:
        put_offset(b, b->item_end);
        put_number(&b->sizes, 0, offset_width(b));
        break;
    default:
        break;
    }
    end_row(b, false);
    return ARMI_OK;
}

/* ---- flat values, all through their bytes ---- */

static enum armi_status append_string(struct armi_builder *b, const void *data, size_t size,
                                      struct armi_error *err)
{
    int64_t max = b->layout == ARMI_LAYOUT_BINARY32 ? INT32_MAX : INT64_MAX;
    if (size > ARMI_VALUE_SIZE_MAX)
        return too_much(b, "a value is over 1 GiB", err);
    if ((int64_t)b->values.size > max - (int64_t)size)
        return too_much(b, "over 2 GiB of text in one batch", err);
    ARMI_TRY(make_room(b, 1, err));
    ARMI_TRY(armi_buf_reserve(&b->values, size, err));
    put_bytes(&b->values, data, size);
    put_offset(b, (int64_t)b->values.size);
    end_row(b, true);
    return ARMI_OK;
}

static enum armi_status append_view(struct armi_builder *b, const void *data, size_t size,
                                    struct armi_error *err)
{
    uint8_t view[16] = {0};
    if (size > ARMI_VALUE_SIZE_MAX)
        return too_much(b, "a value is over 1 GiB", err);
    ARMI_TRY(make_room(b, 1, err));
    armi_store32(view, (uint32_t)size);
    if (size <= ARMI_VIEW_INLINE_MAX) {
        if (size > 0)
            memcpy(view + 4, data, size);
    } else {
        if (b->data.size > (size_t)INT32_MAX - size)
            return too_much(b, "over 2 GiB of text in one batch", err);
        ARMI_TRY(armi_buf_reserve(&b->data, size, err));
        memcpy(view + 4, data, 4);
        armi_store32(view + 12, (uint32_t)b->data.size);
        put_bytes(&b->data, data, size);
    }
    put_bytes(&b->values, view, sizeof view);
    end_row(b, true);
    return ARMI_OK;
}

static enum armi_status append_fixed(struct armi_builder *b, const void *data, size_t size,
                                     struct armi_error *err)
{
    if (size != (size_t)b->width)
        return does_not_fit(b, "a value of another width", err);
    ARMI_TRY(make_room(b, 1, err));
    put_bytes(&b->values, data, size);
    end_row(b, true);
    return ARMI_OK;
}

enum armi_status armi_builder_append_bytes(struct armi_builder *builder, const void *data,
                                           size_t size, struct armi_error *err)
{
    struct armi_builder *b = builder;
    switch (b->layout) {
    case ARMI_LAYOUT_FIXED:
        return append_fixed(b, data, size, err);
    case ARMI_LAYOUT_BITS:
        if (size != 1)
            return does_not_fit(b, "a value of another width", err);
        ARMI_TRY(make_room(b, 1, err));
        put_bit(&b->values, b->length, *(const uint8_t *)data != 0);
        end_row(b, true);
        return ARMI_OK;
    case ARMI_LAYOUT_BINARY32:
    case ARMI_LAYOUT_BINARY64:
        return append_string(b, data, size, err);
    case ARMI_LAYOUT_VIEW:
        return append_view(b, data, size, err);
    case ARMI_LAYOUT_DICTIONARY:
        return dictionary_append_bytes(b, (struct armi_slice){data, size}, err);
    case ARMI_LAYOUT_RUN_END:
        ARMI_TRY(begin_run(b, err));
        ARMI_TRY(armi_builder_append_bytes(&b->children[1], data, size, err));
        end_run(b);
        return ARMI_OK;
    default:
        return does_not_fit(b, "a plain value", err);
    }
}

enum armi_status armi_builder_append_text(struct armi_builder *builder, const char *text,
                                          struct armi_error *err)
{
    return armi_builder_append_bytes(builder, text, strlen(text), err);
}

/* ---- nested ---- */

static enum armi_status close_list(struct armi_builder *b, struct armi_error *err)
{
    int64_t end = b->children[0].length;
    if (!armi_layout_is_wide(b->layout) && end > INT32_MAX)
        return too_much(b, "over 2^31 list items in one batch", err);
    ARMI_TRY(make_room(b, 1, err));
    if (armi_layout_is_list_view(b->layout)) {
        put_offset(b, b->item_end);
        put_number(&b->sizes, end - b->item_end, offset_width(b));
    } else {
        put_offset(b, end);
    }
    b->item_end = end;
    end_row(b, true);
    return ARMI_OK;
}

enum armi_status armi_builder_close(struct armi_builder *builder, struct armi_error *err)
{
    struct armi_builder *b = builder;
    int64_t want = b->length + 1;
    switch (b->layout) {
    case ARMI_LAYOUT_LIST32:
    case ARMI_LAYOUT_LIST64:
    case ARMI_LAYOUT_LIST_VIEW32:
    case ARMI_LAYOUT_LIST_VIEW64:
        return close_list(b, err);
    case ARMI_LAYOUT_FIXED_LIST:
        want *= b->field->width;
        break;
    default:
        assert(b->layout == ARMI_LAYOUT_STRUCT);
    }
    for (size_t i = 0; i < b->child_count; i++) {
        if (b->children[i].length != want)
            return does_not_fit(b, "a row with another number of values", err);
    }
    ARMI_TRY(make_room(b, 1, err));
    end_row(b, true);
    return ARMI_OK;
}

/* ---- values from views ---- */

static enum armi_status append_nested(struct armi_builder *b,
                                      const struct armi_array *array, int64_t i,
                                      struct armi_error *err)
{
    if (b->layout == ARMI_LAYOUT_STRUCT) {
        if (array->layout != ARMI_LAYOUT_STRUCT || array->child_count != b->child_count)
            return does_not_fit(b, "a value of another type", err);
        for (size_t c = 0; c < b->child_count; c++)
            ARMI_TRY(armi_builder_append_value(&b->children[c], &array->children[c],
                                               array->offset + i, err));
        return armi_builder_close(b, err);
    }
    if (!armi_type_is_nested(array->field->type) || array->layout == ARMI_LAYOUT_STRUCT)
        return does_not_fit(b, "a value of another type", err);
    int64_t from, count;
    armi_array_list(array, i, &from, &count);
    for (int64_t k = from; k < from + count; k++)
        ARMI_TRY(armi_builder_append_value(&b->children[0], &array->children[0], k, err));
    return armi_builder_close(b, err);
}

/* A nested value in a dictionary: entries are not looked for, so each is a new one. */
static enum armi_status append_nested_entry(struct armi_builder *b,
                                            const struct armi_array *array, int64_t i,
                                            struct armi_error *err)
{
    int64_t index = b->children[0].length;
    ARMI_TRY(check_index_room(b, index, err));
    ARMI_TRY(make_room(b, 1, err));
    ARMI_TRY(armi_builder_append_value(&b->children[0], array, i, err));
    put_number(&b->values, index, (size_t)b->width);
    end_row(b, true);
    return ARMI_OK;
}

enum armi_status armi_builder_append_value(struct armi_builder *builder,
                                           const struct armi_array *array, int64_t i,
                                           struct armi_error *err)
{
    struct armi_builder *b = builder;
    if (!armi_array_resolve(&array, &i) || armi_array_is_null(array, i))
        return armi_builder_append_null(b, err);
    bool is_nested = armi_type_is_nested(array->field->type);
    if (b->layout == ARMI_LAYOUT_RUN_END) {
        ARMI_TRY(begin_run(b, err));
        ARMI_TRY(armi_builder_append_value(&b->children[1], array, i, err));
        end_run(b);
        return ARMI_OK;
    }
    if (b->layout == ARMI_LAYOUT_DICTIONARY && is_nested)
        return append_nested_entry(b, array, i, err);
    if (armi_type_is_nested(b->field->type))
        return append_nested(b, array, i, err);
    if (is_nested)
        return does_not_fit(b, "a nested value", err);
    struct armi_slice bytes = armi_array_bytes(array, i);
    return armi_builder_append_bytes(b, bytes.data, bytes.size, err);
}

/* ---- finish ---- */

/* The node's buffers in Arrow's order; at most four. */
static size_t take_buffers(struct armi_builder *b, struct armi_part parts[4])
{
    size_t count = 0;
    if (b->layout == ARMI_LAYOUT_NULL || b->layout == ARMI_LAYOUT_RUN_END)
        return 0;
    if (b->null_count == 0)
        armi_buf_release(&b->validity);
    parts[count++] = armi_part_buf(&b->validity);
    if (has_offsets(b->layout))
        parts[count++] = armi_part_buf(&b->offsets);
    if (armi_layout_is_list_view(b->layout))
        parts[count++] = armi_part_buf(&b->sizes);
    bool is_nested = armi_type_is_nested(b->field->type);
    if (!is_nested)
        parts[count++] = armi_part_buf(&b->values);
    if (b->layout == ARMI_LAYOUT_VIEW && b->data.size > 0)
        parts[count++] = armi_part_buf(&b->data);
    return count;
}

static void forget_rows(struct armi_builder *b)
{
    b->length = 0;
    b->null_count = 0;
    b->item_end = 0;
    armi_map_release(&b->indices);
    armi_map_init(&b->indices, (uint64_t)(uintptr_t)b);
}

enum armi_status armi_builder_finish(struct armi_builder *builder, struct ArrowArray *out,
                                     struct armi_error *err)
{
    struct armi_builder *b = builder;
    bool is_dictionary = b->layout == ARMI_LAYOUT_DICTIONARY;
    struct ArrowArray *children = armi_alloc_zero(b->child_count, sizeof *children);
    if (children == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = ARMI_OK;
    for (size_t i = 0; status == ARMI_OK && i < b->child_count; i++)
        status = armi_builder_finish(&b->children[i], &children[i], err);
    struct armi_part buffers[4] = {{0}};
    struct armi_array_parts parts = {
        .buffer_count = take_buffers(b, buffers),
        .buffers = buffers,
        .child_count = is_dictionary ? 0 : b->child_count,
        .children = children,
        .dictionary = is_dictionary ? children : NULL,
    };
    if (status == ARMI_OK)
        status =
            armi_arrow_array_make(b->field, b->length, b->null_count, &parts, out, err);
    armi_array_parts_release(&parts);
    armi_free(children);
    forget_rows(b);
    return status;
}
