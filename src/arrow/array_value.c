/*
 * The values that a view shows, one at a time, whatever their layout.
 */
#include "arrow/array.h"

#include <math.h>
#include <string.h>

#include "arrow/array_internal.h"

int64_t armi_array_run(const struct armi_array *array, int64_t i)
{
    assert(array->layout == ARMI_LAYOUT_RUN_END && i >= 0 && i < array->length);
    const struct armi_array *ends = &array->children[0];
    int64_t position = array->offset + i;
    int64_t low = 0, high = ends->length;
    /* The first run that ends behind the position. */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (armi_array_int(ends, middle) > position)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool armi_array_is_null(const struct armi_array *array, int64_t i)
{
    if (!armi_array_is_valid_bit(array, i))
        return true;
    switch (array->layout) {
    case ARMI_LAYOUT_NULL:
        return true;
    case ARMI_LAYOUT_DICTIONARY:
        return armi_array_may_have_nulls(array->dictionary) &&
               armi_array_is_null(array->dictionary, armi_array_index(array, i));
    case ARMI_LAYOUT_RUN_END:
        return armi_array_is_null(&array->children[1], armi_array_run(array, i));
    default:
        return false;
    }
}

bool armi_array_may_have_nulls(const struct armi_array *array)
{
    if (array->length == 0)
        return false;
    if (array->layout == ARMI_LAYOUT_NULL)
        return true;
    if (array->validity != NULL && array->null_count != 0)
        return true;
    if (array->layout == ARMI_LAYOUT_DICTIONARY)
        return armi_array_may_have_nulls(array->dictionary);
    return array->layout == ARMI_LAYOUT_RUN_END &&
           armi_array_may_have_nulls(&array->children[1]);
}

int64_t armi_array_null_count(const struct armi_array *array)
{
    if (!armi_array_may_have_nulls(array))
        return 0;
    bool indirect = array->layout == ARMI_LAYOUT_RUN_END ||
                    (array->layout == ARMI_LAYOUT_DICTIONARY &&
                     armi_array_may_have_nulls(array->dictionary));
    if (indirect) {
        int64_t count = 0;
        for (int64_t i = 0; i < array->length; i++)
            count += armi_array_is_null(array, i);
        return count;
    }
    if (array->null_count >= 0)
        return array->null_count;
    return array->length - (int64_t)armi_bitmap_count(array->validity,
                                                      (size_t)array->offset,
                                                      (size_t)array->length);
}

int64_t armi_array_index(const struct armi_array *array, int64_t i)
{
    assert(array->layout == ARMI_LAYOUT_DICTIONARY);
    const uint8_t *p = armi_array_at(array, i);
    switch (array->field->children[0].type) {
    case ARMI_TYPE_INT8:
        return (int8_t)*p;
    case ARMI_TYPE_UINT8:
        return *p;
    case ARMI_TYPE_INT16:
        return (int16_t)armi_load16(p);
    case ARMI_TYPE_UINT16:
        return armi_load16(p);
    case ARMI_TYPE_INT32:
        return (int32_t)armi_load32(p);
    case ARMI_TYPE_UINT32:
        return armi_load32(p);
    default:
        return (int64_t)armi_load64(p);
    }
}

bool armi_array_resolve(const struct armi_array **array, int64_t *i)
{
    const struct armi_array *a = *array;
    int64_t row = *i;
    for (;;) {
        if (a->layout != ARMI_LAYOUT_DICTIONARY && a->layout != ARMI_LAYOUT_RUN_END)
            break;
        if (!armi_array_is_valid_bit(a, row))
            return false;
        if (a->layout == ARMI_LAYOUT_DICTIONARY) {
            row = armi_array_index(a, row);
            a = a->dictionary;
        } else {
            row = armi_array_run(a, row);
            a = &a->children[1];
        }
    }
    *array = a;
    *i = row;
    return true;
}

static struct armi_slice view_bytes(const struct armi_array *array, int64_t i)
{
    struct armi_view view = armi_array_view(array, i);
    if (view.size <= ARMI_VIEW_INLINE_MAX)
        return (struct armi_slice){view.inlined, (size_t)view.size};
    return (struct armi_slice){array->variadic[view.buffer] + view.offset,
                               (size_t)view.size};
}

struct armi_slice armi_array_bytes(const struct armi_array *array, int64_t i)
{
    static const uint8_t bools[2] = {0, 1};
    struct armi_slice null = {NULL, 0};
    if (!armi_array_resolve(&array, &i) || !armi_array_is_valid_bit(array, i))
        return null;
    int64_t position = array->offset + i;
    switch (array->layout) {
    case ARMI_LAYOUT_BITS:
        return (struct armi_slice){&bools[armi_array_bool(array, i)], 1};
    case ARMI_LAYOUT_FIXED:
        return (struct armi_slice){armi_array_at(array, i), (size_t)array->width};
    case ARMI_LAYOUT_BINARY32:
    case ARMI_LAYOUT_BINARY64: {
        int64_t from = armi_array_offset_at(array, position);
        int64_t to = armi_array_offset_at(array, position + 1);
        return (struct armi_slice){array->values + from, (size_t)(to - from)};
    }
    case ARMI_LAYOUT_VIEW:
        return view_bytes(array, i);
    default:
        assert(array->layout == ARMI_LAYOUT_NULL);
        return null;
    }
}

int64_t armi_array_int(const struct armi_array *array, int64_t i)
{
    if (array->layout == ARMI_LAYOUT_BITS)
        return armi_array_bool(array, i);
    assert(array->layout == ARMI_LAYOUT_FIXED && array->width <= 8);
    const uint8_t *p = armi_array_at(array, i);
    switch (array->field->type) {
    case ARMI_TYPE_UINT8:
        return *p;
    case ARMI_TYPE_UINT16:
        return armi_load16(p);
    case ARMI_TYPE_UINT32:
        return armi_load32(p);
    default:
        break;
    }
    switch (array->width) {
    case 1:
        return (int8_t)*p;
    case 2:
        return (int16_t)armi_load16(p);
    case 4:
        return (int32_t)armi_load32(p);
    default:
        return (int64_t)armi_load64(p);
    }
}

static double half_to_double(uint16_t half)
{
    int exponent = (half >> 10) & 31;
    int mantissa = half & 1023;
    double v;
    if (exponent == 31)
        v = mantissa != 0 ? (double)NAN : (double)INFINITY;
    else if (exponent == 0)
        v = ldexp(mantissa, -24);
    else
        v = ldexp(mantissa + 1024, exponent - 25);
    return half & 0x8000 ? -v : v;
}

double armi_array_double(const struct armi_array *array, int64_t i)
{
    if (array->field->type == ARMI_TYPE_FLOAT64) {
        double v;
        memcpy(&v, armi_array_at(array, i), sizeof v);
        return v;
    }
    if (array->field->type == ARMI_TYPE_FLOAT32) {
        float v;
        memcpy(&v, armi_array_at(array, i), sizeof v);
        return (double)v;
    }
    if (array->field->type == ARMI_TYPE_FLOAT16)
        return half_to_double(armi_load16(armi_array_at(array, i)));
    if (array->field->type == ARMI_TYPE_UINT64)
        return (double)armi_load64(armi_array_at(array, i));
    return (double)armi_array_int(array, i);
}

void armi_array_list(const struct armi_array *array, int64_t i, int64_t *from,
                     int64_t *count)
{
    *from = 0;
    *count = 0;
    if (!armi_array_is_valid_bit(array, i))
        return;
    int64_t position = array->offset + i;
    if (array->layout == ARMI_LAYOUT_FIXED_LIST) {
        *from = position * array->field->width;
        *count = array->field->width;
        return;
    }
    *from = armi_array_offset_at(array, position);
    if (armi_layout_is_list_view(array->layout))
        *count = armi_array_list_view_size(array, i);
    else
        *count = armi_array_offset_at(array, position + 1) - *from;
}

/* ---- size ---- */

/* `alone`: of the rows by themselves, see armi_array_rows_size. */
static int64_t size_of(const struct armi_array *array, bool alone);

static int64_t slice_size(const struct armi_array *array, int64_t from, int64_t count,
                          bool alone)
{
    struct armi_array slice = armi_array_slice(array, from, count);
    return size_of(&slice, alone);
}

static int64_t view_data_size(const struct armi_array *array)
{
    int64_t size = 16 * array->length;
    for (int64_t i = 0; i < array->length; i++) {
        struct armi_view view = armi_array_view(array, i);
        if (armi_array_is_valid_bit(array, i) && view.size > ARMI_VIEW_INLINE_MAX)
            size += view.size;
    }
    return size;
}

static int64_t list_data_size(const struct armi_array *array, bool alone)
{
    int64_t width = armi_layout_is_wide(array->layout) ? 8 : 4;
    const struct armi_array *child = &array->children[0];
    if (!armi_layout_is_list_view(array->layout)) {
        int64_t from = armi_array_offset_at(array, array->offset);
        int64_t to = armi_array_offset_at(array, array->offset + array->length);
        return width * array->length + slice_size(child, from, to - from, alone);
    }
    int64_t size = 2 * width * array->length;
    for (int64_t i = 0; i < array->length; i++) {
        int64_t from, count;
        armi_array_list(array, i, &from, &count);
        if (count > 0)
            size += slice_size(child, from, count, alone);
    }
    return size;
}

static int64_t nested_data_size(const struct armi_array *array, bool alone)
{
    int64_t size = 0;
    if (array->length == 0)
        return 0;
    if (array->layout == ARMI_LAYOUT_FIXED_LIST) {
        int64_t width = array->field->width;
        return slice_size(&array->children[0], array->offset * width, array->length * width,
                          alone);
    }
    if (array->layout == ARMI_LAYOUT_RUN_END) {
        int64_t first = armi_array_run(array, 0);
        int64_t runs = armi_array_run(array, array->length - 1) - first + 1;
        return slice_size(&array->children[0], first, runs, alone) +
               slice_size(&array->children[1], first, runs, alone);
    }
    for (size_t c = 0; c < array->child_count; c++)
        size += slice_size(&array->children[c], array->offset, array->length, alone);
    return size;
}

static int64_t dictionary_size(const struct armi_array *array, bool alone)
{
    int64_t size = size_of(array->dictionary, alone), entries = array->dictionary->length;
    if (!alone || array->length >= entries)
        return size;
    return (int64_t)((double)size / (double)entries * (double)array->length);
}

static int64_t size_of(const struct armi_array *array, bool alone)
{
    int64_t size = 0;
    bool has_validity =
        array->layout != ARMI_LAYOUT_RUN_END && (alone || array->validity != NULL);
    if (has_validity)
        size = (int64_t)armi_bitmap_size((size_t)array->length);
    switch (array->layout) {
    case ARMI_LAYOUT_NULL:
    case ARMI_LAYOUT_UNION:
        return 0;
    case ARMI_LAYOUT_BITS:
        return size + (int64_t)armi_bitmap_size((size_t)array->length);
    case ARMI_LAYOUT_FIXED:
        return size + array->width * array->length;
    case ARMI_LAYOUT_DICTIONARY:
        return size + array->width * array->length + dictionary_size(array, alone);
    case ARMI_LAYOUT_BINARY32:
    case ARMI_LAYOUT_BINARY64:
        size += (array->layout == ARMI_LAYOUT_BINARY64 ? 8 : 4) * array->length;
        size += armi_array_offset_at(array, array->offset + array->length);
        return size - armi_array_offset_at(array, array->offset);
    case ARMI_LAYOUT_VIEW:
        return size + view_data_size(array);
    case ARMI_LAYOUT_LIST32:
    case ARMI_LAYOUT_LIST64:
    case ARMI_LAYOUT_LIST_VIEW32:
    case ARMI_LAYOUT_LIST_VIEW64:
        return size + list_data_size(array, alone);
    default:
        return size + nested_data_size(array, alone);
    }
}

int64_t armi_array_data_size(const struct armi_array *array)
{
    return size_of(array, false);
}

int64_t armi_array_rows_size(const struct armi_array *array)
{
    return size_of(array, true);
}
