/*
 * Rows by index into a new array: a loop a layout, and runs of one row for what is nested.
 */
#include "arrow/assemble_internal.h"

#include "arrow/column_internal.h"
#include "base/alloc.h"
#include "base/checked.h"

struct taking {
    const struct armi_array *array;
    const int64_t *indices;
    int64_t shift;
    int64_t count;
    int64_t null_count;
    const char *column;
    struct armi_part buffers[3];
};

/* NULL: no memory, or no such size, which is the same here. */
static uint8_t *buffer_new(struct taking *self, size_t index, size_t count, size_t width)
{
    size_t size;
    if (!armi_size_mul(count, width, &size))
        return NULL;
    uint8_t *data = armi_alloc(size == 0 ? 1 : size);
    if (data != NULL)
        self->buffers[index] = armi_part_owned(data, (int64_t)size);
    return data;
}

static bool has_absent(const int64_t *indices, int64_t count)
{
    int64_t all = 0;
    for (int64_t i = 0; i < count; i++)
        all |= indices[i];
    return all < 0;
}

static enum armi_status take_validity(struct taking *self, struct armi_error *err)
{
    const struct armi_array *a = self->array;
    if (a->validity == NULL && !has_absent(self->indices, self->count))
        return ARMI_OK;
    size_t count = (size_t)self->count;
    uint8_t *bits = buffer_new(self, 0, armi_bitmap_size(count), 1);
    if (bits == NULL)
        return armi_error_no_memory(err);
    int64_t valid = 0;
    for (size_t i = 0; i < count;) {
        unsigned byte = 0;
        size_t start = i;
        for (; i < count && i - start < 8; i++) {
            int64_t index = self->indices[i];
            bool bit = index >= 0 && armi_array_is_valid_bit(a, self->shift + index);
            byte |= (unsigned)bit << (i - start);
            valid += bit;
        }
        bits[start / 8] = (uint8_t)byte;
    }
    self->null_count = self->count - valid;
    return ARMI_OK;
}

static enum armi_status take_bits(struct taking *self, struct armi_error *err)
{
    size_t count = (size_t)self->count;
    uint8_t *bits = buffer_new(self, 1, armi_bitmap_size(count), 1);
    if (bits == NULL)
        return armi_error_no_memory(err);
    memset(bits, 0, armi_bitmap_size(count));
    for (size_t i = 0; i < count; i++) {
        int64_t index = self->indices[i];
        if (index >= 0 && armi_array_bool(self->array, self->shift + index))
            armi_bit_set(bits, i);
    }
    return ARMI_OK;
}

#define TAKE_VALUES(name, type)                                                            \
    static void name(type *out, const uint8_t *values, const int64_t *indices,             \
                     int64_t count)                                                        \
    {                                                                                      \
        for (int64_t i = 0; i < count; i++) {                                              \
            type v = 0;                                                                    \
            if (indices[i] >= 0)                                                           \
                memcpy(&v, values + (size_t)indices[i] * sizeof v, sizeof v);              \
            out[i] = v;                                                                    \
        }                                                                                  \
    }
TAKE_VALUES(take_values8, uint8_t)
TAKE_VALUES(take_values16, uint16_t)
TAKE_VALUES(take_values32, uint32_t)
TAKE_VALUES(take_values64, uint64_t)

static enum armi_status take_fixed(struct taking *self, struct armi_error *err)
{
    size_t width = (size_t)self->array->width;
    uint8_t *out = buffer_new(self, 1, (size_t)self->count, width);
    if (out == NULL)
        return armi_error_no_memory(err);
    if (width == 0 || self->count == 0)
        return ARMI_OK;
    const uint8_t *values = self->array->values;
    if (values != NULL)
        values += (size_t)(self->array->offset + self->shift) * width;
    switch (width) {
    case 1:
        take_values8(out, values, self->indices, self->count);
        return ARMI_OK;
    case 2:
        take_values16((uint16_t *)out, values, self->indices, self->count);
        return ARMI_OK;
    case 4:
        take_values32((uint32_t *)out, values, self->indices, self->count);
        return ARMI_OK;
    case 8:
        take_values64((uint64_t *)out, values, self->indices, self->count);
        return ARMI_OK;
    default:
        for (int64_t i = 0; i < self->count; i++, out += width) {
            if (self->indices[i] >= 0)
                memcpy(out, values + (size_t)self->indices[i] * width, width);
            else
                memset(out, 0, width);
        }
        return ARMI_OK;
    }
}

static struct armi_slice value_or_nothing(const struct taking *self, int64_t i)
{
    int64_t row = self->shift + self->indices[i];
    if (self->indices[i] < 0 || !armi_array_is_valid_bit(self->array, row))
        return (struct armi_slice){NULL, 0};
    return binary_at(self->array, row);
}

static enum armi_status take_binary(struct taking *self, struct armi_error *err)
{
    bool is_wide = self->array->layout == ARMI_LAYOUT_BINARY64;
    size_t width = is_wide ? 8 : 4, total = 0;
    uint8_t *offsets = buffer_new(self, 1, (size_t)self->count + 1, width);
    if (offsets == NULL)
        return armi_error_no_memory(err);
    memset(offsets, 0, width);
    for (int64_t i = 0; i < self->count; i++) {
        total += value_or_nothing(self, i).size;
        memcpy(offsets + width * (size_t)(i + 1), &total, width);
    }
    if (total > (is_wide ? (size_t)INT64_MAX : (size_t)INT32_MAX))
        return armi_assemble_too_large(self->column, self->array->field, err);
    uint8_t *bytes = buffer_new(self, 2, total, 1);
    if (bytes == NULL)
        return armi_error_no_memory(err);
    for (int64_t i = 0; i < self->count; i++) {
        struct armi_slice value = value_or_nothing(self, i);
        if (value.size != 0)
            memcpy(bytes, value.data, value.size);
        bytes += value.size;
    }
    return ARMI_OK;
}

static enum armi_status take_views(struct taking *self, struct ArrowArray *out,
                                   struct armi_error *err)
{
    struct armi_slice *values = armi_alloc_array((size_t)self->count + 1, sizeof *values);
    if (values == NULL)
        return armi_error_no_memory(err);
    for (int64_t i = 0; i < self->count; i++)
        values[i] = value_or_nothing(self, i);
    enum armi_status status =
        armi_assemble_views(self->array->field, values, self->count, self->null_count,
                            &self->buffers[0], out, err);
    armi_free(values);
    return status;
}

static enum armi_status take_dictionary(struct taking *self, struct ArrowArray *out,
                                        struct armi_error *err)
{
    const struct armi_array *source = self->array->dictionary;
    int64_t *indices = armi_alloc_array((size_t)self->count + 1, sizeof *indices);
    if (indices == NULL)
        return armi_error_no_memory(err);
    for (int64_t i = 0; i < self->count; i++) {
        int64_t row = self->shift + self->indices[i];
        bool valid = self->indices[i] >= 0 && armi_array_is_valid_bit(self->array, row);
        indices[i] = valid ? armi_array_index(self->array, row) : -1;
    }
    struct armi_dictionary_rows rows = {&source, 1, indices, NULL, self->count, false};
    enum armi_status status =
        armi_assemble_dictionary(self->array->field, &rows, self->column, out, err);
    armi_free(indices);
    return status;
}

static enum armi_status take_struct(struct taking *self, struct ArrowArray *out,
                                    struct armi_error *err)
{
    const struct armi_array *a = self->array;
    struct armi_array_parts parts = {1, self->buffers, a->child_count, NULL, NULL};
    enum armi_status status = ARMI_OK;
    parts.children = armi_alloc_zero(a->child_count + 1, sizeof *parts.children);
    if (parts.children == NULL)
        return armi_error_no_memory(err);
    for (size_t c = 0; c < a->child_count && status == ARMI_OK; c++) {
        const char *column =
            self->column[0] != '\0' ? self->column : a->children[c].field->name;
        status = armi_assemble_take(&a->children[c], a->offset + self->shift, self->indices,
                                    self->count, column, &parts.children[c], err);
    }
    if (status == ARMI_OK)
        status = armi_arrow_array_make(a->field, self->count, self->null_count, &parts, out,
                                       err);
    for (size_t c = 0; c < a->child_count; c++)
        armi_arrow_array_release(&parts.children[c]);
    armi_free(parts.children);
    return status;
}

/* What is left: runs of consecutive indices. */
static enum armi_status take_runs(struct taking *self, struct ArrowArray *out,
                                  struct armi_error *err)
{
    struct armi_run *runs = armi_alloc_array((size_t)self->count + 1, sizeof *runs);
    if (runs == NULL)
        return armi_error_no_memory(err);
    size_t count = 0;
    for (int64_t i = 0; i < self->count;) {
        int64_t first = self->indices[i], from = i++;
        if (first < 0) {
            runs[count++] = (struct armi_run){NULL, 0, 1};
            continue;
        }
        while (i < self->count && self->indices[i] == first + (i - from))
            i++;
        runs[count++] = (struct armi_run){self->array, self->shift + first, i - from};
    }
    enum armi_status status =
        armi_assemble_runs(self->array->field, runs, count, self->column, out, err);
    armi_free(runs);
    return status;
}

static enum armi_status take(struct taking *self, struct ArrowArray *out,
                             struct armi_error *err)
{
    struct armi_array_parts parts = {2, self->buffers, 0, NULL, NULL};
    switch (self->array->layout) {
    case ARMI_LAYOUT_DICTIONARY:
        return take_dictionary(self, out, err);
    case ARMI_LAYOUT_VIEW:
        ARMI_TRY(take_validity(self, err));
        return take_views(self, out, err);
    case ARMI_LAYOUT_STRUCT:
        ARMI_TRY(take_validity(self, err));
        return take_struct(self, out, err);
    case ARMI_LAYOUT_BITS:
        ARMI_TRY(take_validity(self, err));
        ARMI_TRY(take_bits(self, err));
        break;
    case ARMI_LAYOUT_FIXED:
        ARMI_TRY(take_validity(self, err));
        ARMI_TRY(take_fixed(self, err));
        break;
    case ARMI_LAYOUT_BINARY32:
    case ARMI_LAYOUT_BINARY64:
        ARMI_TRY(take_validity(self, err));
        ARMI_TRY(take_binary(self, err));
        parts.buffer_count = 3;
        break;
    default:
        return take_runs(self, out, err);
    }
    return armi_arrow_array_make(self->array->field, self->count, self->null_count, &parts,
                                 out, err);
}

enum armi_status armi_assemble_take(const struct armi_array *array, int64_t shift,
                                    const int64_t *indices, int64_t count,
                                    const char *column, struct ArrowArray *out,
                                    struct armi_error *err)
{
    struct taking self = {.array = array,
                          .indices = indices,
                          .shift = shift,
                          .count = count,
                          .column = column};
    enum armi_status status = take(&self, out, err);
    struct armi_array_parts left = {3, self.buffers, 0, NULL, NULL};
    armi_array_parts_release(&left);
    return status;
}
