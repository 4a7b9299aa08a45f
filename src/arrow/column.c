/*
 * What the kernels share and is no hot loop of one of them.
 */
#include "arrow/column_internal.h"

#include "arrow/select.h"
#include "base/alloc.h"

void armi_column_indices(const struct armi_array *array, int64_t from, int64_t count,
                         int64_t *out)
{
    const struct armi_field *index = &array->field->children[0];
    size_t width = (size_t)array->width;
    const uint8_t *p = array->values + (size_t)(array->offset + from) * width;
    bool is_signed = armi_type_is_signed(index->type);
    switch (width) {
    case 1:
        for (int64_t i = 0; i < count; i++)
            out[i] = is_signed ? (int64_t)(int8_t)p[i] : (int64_t)p[i];
        break;
    case 2:
        for (int64_t i = 0; i < count; i++) {
            uint16_t v = armi_load16(p + 2 * i);
            out[i] = is_signed ? (int64_t)(int16_t)v : (int64_t)v;
        }
        break;
    case 4:
        for (int64_t i = 0; i < count; i++) {
            uint32_t v = armi_load32(p + 4 * i);
            out[i] = is_signed ? (int64_t)(int32_t)v : (int64_t)v;
        }
        break;
    default:
        for (int64_t i = 0; i < count; i++)
            out[i] = (int64_t)armi_load64(p + 8 * i);
        break;
    }
    if (array->validity == NULL)
        return;
    for (int64_t i = 0; i < count; i++) {
        if (!armi_bit_get(array->validity, (size_t)(array->offset + from + i)))
            out[i] = 0;
    }
}

int64_t armi_column_validity(const struct armi_array *array, int64_t from, int64_t count,
                             uint8_t *bits)
{
    if (array->layout == ARMI_LAYOUT_NULL) {
        memset(bits, 0, armi_bitmap_size((size_t)count));
        return count;
    }
    if (array->validity == NULL) {
        memset(bits, 0, armi_bitmap_size((size_t)count));
        armi_bitmap_fill(bits, 0, (size_t)count, true);
        return 0;
    }
    armi_bitmap_copy(bits, array->validity, (size_t)(array->offset + from), (size_t)count);
    return count - (int64_t)armi_bitmap_count(bits, 0, (size_t)count);
}

int64_t armi_column_logical_validity(const struct armi_array *array, int64_t from,
                                     int64_t count, uint8_t *bits)
{
    if (array->layout == ARMI_LAYOUT_RUN_END) {
        int64_t nulls = 0;
        memset(bits, 0, armi_bitmap_size((size_t)count));
        for (int64_t i = 0; i < count; i++) {
            bool valid = !armi_array_is_null(array, from + i);
            armi_bit_put(bits, (size_t)i, valid);
            nulls += !valid;
        }
        return nulls;
    }
    int64_t nulls = armi_column_validity(array, from, count, bits);
    if (array->layout != ARMI_LAYOUT_DICTIONARY || nulls == count ||
        !armi_array_may_have_nulls(array->dictionary))
        return nulls;
    for (int64_t i = 0; i < count; i++) {
        if (armi_bit_get(bits, (size_t)i) && armi_array_is_null(array, from + i)) {
            armi_bit_clear(bits, (size_t)i);
            nulls++;
        }
    }
    return nulls;
}

enum armi_status armi_plain_init(const struct armi_array *array, int64_t from,
                                 int64_t count, struct armi_plain *out,
                                 struct armi_error *err)
{
    struct armi_plain plain = {.array = {.release = NULL}};
    const struct armi_array *values = &array->children[1];
    int64_t *indices = armi_alloc_array((size_t)count, sizeof *indices);
    if (indices == NULL)
        return armi_error_no_memory(err);
    for (int64_t i = 0; i < count;) {
        int64_t run = armi_array_run(array, from + i);
        indices[i++] = run;
        while (i < count && armi_array_run(array, from + i) == run)
            indices[i++] = run;
    }
    enum armi_status status = armi_select_take(values, indices, count, &plain.array, err);
    if (status != ARMI_OK)
        goto done;
    status =
        armi_array_init(values->field, &plain.array, ARMI_VALIDATE_NONE, &plain.view, err);
    if (status != ARMI_OK)
        goto done;
    *out = plain;
    plain.array.release = NULL;
done:
    armi_arrow_array_release(&plain.array);
    armi_free(indices);
    return status;
}

void armi_plain_release(struct armi_plain *self)
{
    armi_array_release(&self->view);
    armi_arrow_array_release(&self->array);
}

enum armi_type armi_type_logical(enum armi_type type)
{
    switch (type) {
    case ARMI_TYPE_LARGE_BINARY:
    case ARMI_TYPE_BINARY_VIEW:
        return ARMI_TYPE_BINARY;
    case ARMI_TYPE_LARGE_UTF8:
    case ARMI_TYPE_UTF8_VIEW:
        return ARMI_TYPE_UTF8;
    case ARMI_TYPE_LARGE_LIST:
    case ARMI_TYPE_LIST_VIEW:
    case ARMI_TYPE_LARGE_LIST_VIEW:
        return ARMI_TYPE_LIST;
    default:
        return type;
    }
}

const struct armi_field *armi_field_logical(const struct armi_field *field)
{
    while (field->type == ARMI_TYPE_RUN_END)
        field = &field->children[1];
    return field;
}

enum armi_status armi_column_unsupported(const struct armi_field *field,
                                         struct armi_error *err)
{
    return armi_error_object(err, ARMI_UNSUPPORTED, "column", field->name,
                             "column \"%s\": type %s is not carried", field->name,
                             armi_type_name(field->type));
}
