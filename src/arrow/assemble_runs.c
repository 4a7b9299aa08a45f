/*
 * Runs of rows into one array, buffer by buffer. Each layout is one function that fills the
 * parts of the new array; children are runs again, so nesting is recursion over the type, whose
 * depth the import has bounded.
 */
#include "arrow/assemble_internal.h"

#include "arrow/column_internal.h"
#include "arrow/compare.h"
#include "base/alloc.h"
#include "base/checked.h"
#include "base/limits.h"

struct assembly {
    const struct armi_field *field;
    const struct armi_run *runs;
    size_t run_count;
    const char *column;
    int64_t length;
    int64_t null_count;
    struct armi_part buffers[3];
    struct armi_array_parts parts;
    struct ArrowArray child; /* of lists */
};

enum armi_status armi_assemble_too_large(const char *column, const struct armi_field *field,
                                         struct armi_error *err)
{
    return armi_error_object(err, ARMI_LIMIT, "column", column,
                             "column \"%s\": more data than one %s array can hold", column,
                             armi_type_name(field->type));
}

/* A buffer of the assembly's, one byte at least, so that an empty one is no NULL; NULL: no memory. */
static uint8_t *buffer_new(struct assembly *self, size_t index, size_t size)
{
    uint8_t *data = armi_alloc(size == 0 ? 1 : size);
    if (data != NULL)
        self->buffers[index] = armi_part_owned(data, (int64_t)size);
    return data;
}

static enum armi_status sum_lengths(struct assembly *self, struct armi_error *err)
{
    int64_t total = 0;
    for (size_t r = 0; r < self->run_count; r++) {
        assert(self->runs[r].count >= 0);
        if (!armi_i64_add(total, self->runs[r].count, &total))
            return armi_assemble_too_large(self->column, self->field, err);
    }
    self->length = total;
    return ARMI_OK;
}

static enum armi_status add_validity(struct assembly *self, struct armi_error *err)
{
    int64_t nulls = 0;
    for (size_t r = 0; r < self->run_count; r++) {
        const struct armi_run *run = &self->runs[r];
        nulls += run->array == NULL ? run->count
                                    : validity_nulls(run->array, run->from, run->count);
    }
    self->null_count = nulls;
    if (nulls == 0)
        return ARMI_OK;
    size_t size = armi_bitmap_size((size_t)self->length), at = 0;
    uint8_t *bits = buffer_new(self, 0, size);
    if (bits == NULL)
        return armi_error_no_memory(err);
    memset(bits, 0, size);
    for (size_t r = 0; r < self->run_count; r++) {
        const struct armi_run *run = &self->runs[r];
        if (run->array != NULL && run->array->validity != NULL)
            bits_or(bits, at, run->array->validity,
                    (size_t)(run->array->offset + run->from), (size_t)run->count);
        else if (run->array != NULL)
            armi_bitmap_fill(bits, at, (size_t)run->count, true);
        at += (size_t)run->count;
    }
    return ARMI_OK;
}

static enum armi_status add_bits(struct assembly *self, struct armi_error *err)
{
    size_t size = armi_bitmap_size((size_t)self->length), at = 0;
    uint8_t *bits = buffer_new(self, 1, size);
    if (bits == NULL)
        return armi_error_no_memory(err);
    memset(bits, 0, size);
    for (size_t r = 0; r < self->run_count; r++) {
        const struct armi_run *run = &self->runs[r];
        if (run->array != NULL && run->count != 0)
            bits_or(bits, at, run->array->values, (size_t)(run->array->offset + run->from),
                    (size_t)run->count);
        at += (size_t)run->count;
    }
    return ARMI_OK;
}

static enum armi_status add_fixed(struct assembly *self, struct armi_error *err)
{
    size_t width = (size_t)armi_field_byte_width(self->field), size;
    if (!armi_size_mul((size_t)self->length, width, &size))
        return armi_assemble_too_large(self->column, self->field, err);
    uint8_t *p = buffer_new(self, 1, size);
    if (p == NULL)
        return armi_error_no_memory(err);
    for (size_t r = 0; r < self->run_count && width != 0; r++) {
        const struct armi_run *run = &self->runs[r];
        size_t bytes = (size_t)run->count * width;
        if (bytes == 0)
            continue;
        if (run->array == NULL)
            memset(p, 0, bytes);
        else
            memcpy(p, run->array->values + (size_t)(run->array->offset + run->from) * width,
                   bytes);
        p += bytes;
    }
    return ARMI_OK;
}

/* ---- offsets: strings and lists ---- */

static int64_t run_start(const struct armi_run *run)
{
    return armi_array_offset_at(run->array, run->array->offset + run->from);
}

static int64_t run_end(const struct armi_run *run)
{
    return armi_array_offset_at(run->array, run->array->offset + run->from + run->count);
}

static bool run_has_rows(const struct armi_run *run)
{
    return run->array != NULL && run->count != 0;
}

/* Offsets of all rows into buffer 1, counted from 0 on; *out_total is the last. */
static enum armi_status add_offsets(struct assembly *self, bool is_wide, int64_t *out_total,
                                    struct armi_error *err)
{
    int64_t total = 0;
    for (size_t r = 0; r < self->run_count; r++) {
        const struct armi_run *run = &self->runs[r];
        if (run_has_rows(run) &&
            !armi_i64_add(total, run_end(run) - run_start(run), &total))
            return armi_assemble_too_large(self->column, self->field, err);
    }
    if (!is_wide && total > INT32_MAX)
        return armi_assemble_too_large(self->column, self->field, err);
    size_t width = is_wide ? 8 : 4, size;
    if (!armi_size_mul((size_t)self->length + 1, width, &size))
        return armi_assemble_too_large(self->column, self->field, err);
    uint8_t *p = buffer_new(self, 1, size);
    if (p == NULL)
        return armi_error_no_memory(err);
    int64_t base = 0;
    memset(p, 0, width);
    p += width;
    for (size_t r = 0; r < self->run_count; r++) {
        const struct armi_run *run = &self->runs[r];
        int64_t start = run_has_rows(run) ? run_start(run) : 0;
        const uint8_t *src = NULL;
        if (run_has_rows(run))
            src =
                run->array->offsets + width * (size_t)(run->array->offset + run->from + 1);
        for (int64_t i = 0; i < run->count; i++, p += width) {
            if (is_wide) {
                int64_t v =
                    src == NULL ? base : base + (int64_t)armi_load64(src + 8 * i) - start;
                armi_store64(p, (uint64_t)v);
            } else {
                int64_t v =
                    src == NULL ? base : base + (int32_t)armi_load32(src + 4 * i) - start;
                armi_store32(p, (uint32_t)v);
            }
        }
        if (run_has_rows(run))
            base += run_end(run) - start;
    }
    *out_total = total;
    return ARMI_OK;
}

static enum armi_status add_binary(struct assembly *self, struct armi_error *err)
{
    int64_t total;
    ARMI_TRY(add_offsets(self, armi_type_layout(self->field->type) == ARMI_LAYOUT_BINARY64,
                         &total, err));
    uint8_t *p = buffer_new(self, 2, (size_t)total);
    if (p == NULL)
        return armi_error_no_memory(err);
    for (size_t r = 0; r < self->run_count; r++) {
        const struct armi_run *run = &self->runs[r];
        if (!run_has_rows(run))
            continue;
        int64_t start = run_start(run), bytes = run_end(run) - start;
        if (bytes != 0)
            memcpy(p, run->array->values + start, (size_t)bytes);
        p += bytes;
    }
    return ARMI_OK;
}

/* ---- children ---- */

static enum armi_status runs_new(size_t count, struct armi_run **out,
                                 struct armi_error *err)
{
    *out = armi_alloc_array(count == 0 ? 1 : count, sizeof **out);
    return *out == NULL ? armi_error_no_memory(err) : ARMI_OK;
}

/* The runs of the elements of a list with offsets. */
static enum armi_status add_list(struct assembly *self, struct armi_error *err)
{
    struct armi_run *runs = NULL;
    int64_t total;
    ARMI_TRY(add_offsets(self, armi_type_layout(self->field->type) == ARMI_LAYOUT_LIST64,
                         &total, err));
    ARMI_TRY(runs_new(self->run_count, &runs, err));
    size_t count = 0;
    for (size_t r = 0; r < self->run_count; r++) {
        const struct armi_run *run = &self->runs[r];
        if (!run_has_rows(run))
            continue;
        int64_t start = run_start(run);
        runs[count++] =
            (struct armi_run){&run->array->children[0], start, run_end(run) - start};
    }
    enum armi_status status = armi_assemble_runs(&self->field->children[0], runs, count,
                                                 self->column, &self->child, err);
    armi_free(runs);
    return status;
}

/* Elements of list views, row by row: in the result they lie in order, without gaps. */
static enum armi_status add_list_view(struct assembly *self, struct armi_error *err)
{
    bool is_wide = armi_type_layout(self->field->type) == ARMI_LAYOUT_LIST_VIEW64;
    size_t width = is_wide ? 8 : 4, count = 0, row = 0;
    struct armi_run *runs = NULL;
    uint8_t *offsets = buffer_new(self, 1, (size_t)self->length * width);
    if (offsets == NULL)
        return armi_error_no_memory(err);
    uint8_t *sizes = buffer_new(self, 2, (size_t)self->length * width);
    if (sizes == NULL)
        return armi_error_no_memory(err);
    ARMI_TRY(runs_new((size_t)self->length, &runs, err));
    int64_t total = 0;
    enum armi_status status = ARMI_OK;
    for (size_t r = 0; r < self->run_count; r++) {
        const struct armi_run *run = &self->runs[r];
        for (int64_t i = 0; i < run->count; i++, row++) {
            int64_t from = 0, size = 0;
            if (run->array != NULL)
                armi_array_list(run->array, run->from + i, &from, &size);
            memcpy(offsets + width * row, &total, width); /* little-endian: the low half */
            memcpy(sizes + width * row, &size, width);
            if (size != 0)
                runs[count++] = (struct armi_run){&run->array->children[0], from, size};
            if (!armi_i64_add(total, size, &total) || (!is_wide && total > INT32_MAX)) {
                status = armi_assemble_too_large(self->column, self->field, err);
                goto done;
            }
        }
    }
    status = armi_assemble_runs(&self->field->children[0], runs, count, self->column,
                                &self->child, err);
done:
    armi_free(runs);
    return status;
}

/* Children in step with their parent, `step` rows a row; `shifted` by the parent's position. */
static enum armi_status child_in_step(struct assembly *self, size_t c, int64_t step,
                                      struct ArrowArray *out, struct armi_error *err)
{
    struct armi_run *runs = NULL;
    ARMI_TRY(runs_new(self->run_count, &runs, err));
    for (size_t r = 0; r < self->run_count; r++) {
        const struct armi_run *run = &self->runs[r];
        runs[r] = (struct armi_run){NULL, 0, run->count * step};
        if (run->array != NULL) {
            runs[r].array = &run->array->children[c];
            runs[r].from = (run->array->offset + run->from) * step;
        }
    }
    const struct armi_field *field = &self->field->children[c];
    const char *column = self->column[0] != '\0' ? self->column : field->name;
    enum armi_status status =
        armi_assemble_runs(field, runs, self->run_count, column, out, err);
    armi_free(runs);
    return status;
}

static enum armi_status add_struct(struct assembly *self, struct armi_error *err)
{
    size_t count = self->field->child_count;
    if (count == 0)
        return ARMI_OK;
    self->parts.children = armi_alloc_zero(count, sizeof *self->parts.children);
    if (self->parts.children == NULL)
        return armi_error_no_memory(err);
    self->parts.child_count = count;
    for (size_t c = 0; c < count; c++)
        ARMI_TRY(child_in_step(self, c, 1, &self->parts.children[c], err));
    return ARMI_OK;
}

/* ---- views, dictionaries, run ends ---- */

static enum armi_status make_views(struct assembly *self, struct ArrowArray *out,
                                   struct armi_error *err)
{
    struct armi_slice *values = armi_alloc_array((size_t)self->length + 1, sizeof *values);
    if (values == NULL)
        return armi_error_no_memory(err);
    struct armi_slice *p = values;
    for (size_t r = 0; r < self->run_count; r++) {
        const struct armi_run *run = &self->runs[r];
        for (int64_t i = run->from; i < run->from + run->count; i++) {
            *p = (struct armi_slice){NULL, 0};
            if (run->array != NULL && armi_array_is_valid_bit(run->array, i))
                *p = binary_at(run->array, i);
            p++;
        }
    }
    enum armi_status status = armi_assemble_views(
        self->field, values, self->length, self->null_count, &self->buffers[0], out, err);
    armi_free(values);
    return status;
}

/* The distinct dictionaries of the runs, and for each run which of them it has. */
static size_t list_sources(const struct assembly *self, const struct armi_array **sources,
                           uint32_t *run_sources)
{
    size_t count = 0;
    for (size_t r = 0; r < self->run_count; r++) {
        const struct armi_run *run = &self->runs[r];
        run_sources[r] = 0;
        if (run->array == NULL)
            continue;
        const struct armi_array *dictionary = run->array->dictionary;
        /* The last few are looked at: pieces of one batch stand together. */
        size_t s = count;
        while (s > 0 && s + 4 > count && sources[s - 1] != dictionary)
            s--;
        if (s == 0 || sources[s - 1] != dictionary) {
            sources[count++] = dictionary;
            s = count;
        }
        run_sources[r] = (uint32_t)(s - 1);
    }
    return count;
}

static enum armi_status make_dictionary(struct assembly *self, struct ArrowArray *out,
                                        struct armi_error *err)
{
    size_t rows = (size_t)self->length + 1, runs = self->run_count + 1;
    int64_t *indices = armi_alloc_array(rows, sizeof *indices);
    uint32_t *row_sources = armi_alloc_array(rows, sizeof *row_sources);
    uint32_t *run_sources = armi_alloc_array(runs, sizeof *run_sources);
    const struct armi_array **sources = armi_alloc_array(runs, sizeof *sources);
    enum armi_status status = ARMI_OK;
    if (indices == NULL || row_sources == NULL || run_sources == NULL || sources == NULL) {
        status = armi_error_no_memory(err);
        goto done;
    }
    size_t source_count = list_sources(self, sources, run_sources);
    int64_t row = 0;
    for (size_t r = 0; r < self->run_count; r++) {
        const struct armi_run *run = &self->runs[r];
        if (run->array != NULL && run->count != 0)
            armi_column_indices(run->array, run->from, run->count, indices + row);
        for (int64_t i = 0; i < run->count; i++, row++) {
            row_sources[row] = run_sources[r];
            if (run->array == NULL || !armi_array_is_valid_bit(run->array, run->from + i))
                indices[row] = -1;
        }
    }
    struct armi_dictionary_rows all = {sources,      source_count,
                                       indices,      source_count > 1 ? row_sources : NULL,
                                       self->length, false};
    status = armi_assemble_dictionary(self->field, &all, self->column, out, err);
done:
    armi_free(sources);
    armi_free(run_sources);
    armi_free(row_sources);
    armi_free(indices);
    return status;
}

/* Runs of the values, one row each, and where each ends in the result. */
static size_t list_run_ends(const struct assembly *self, struct armi_run *runs,
                            int64_t *ends)
{
    size_t count = 0;
    int64_t row = 0;
    for (size_t r = 0; r < self->run_count; r++) {
        const struct armi_run *run = &self->runs[r];
        for (int64_t i = run->from; i < run->from + run->count;) {
            struct armi_run value = {NULL, 0, 1};
            int64_t stop = run->from + run->count;
            if (run->array != NULL) {
                value.array = &run->array->children[1];
                value.from = armi_array_run(run->array, i);
                int64_t end = armi_array_int(&run->array->children[0], value.from);
                stop = rows_min(stop, end - run->array->offset);
            }
            row += stop - i;
            i = stop;
            if (count == 0 || runs[count - 1].array != value.array ||
                runs[count - 1].from != value.from)
                runs[count++] = value;
            ends[count - 1] = row;
        }
    }
    return count;
}

/* A run-end array from runs of one row each and the rows up to each run's end. ends[0 .. count) is
 * narrowed in place and taken (moved, also on failure). */
static enum armi_status run_end_make(const struct armi_field *field,
                                     const struct armi_run *runs, int64_t *ends,
                                     size_t count, int64_t length, const char *column,
                                     struct ArrowArray *out, struct armi_error *err)
{
    const struct armi_field *ends_field = &field->children[0];
    size_t width = (size_t)armi_field_byte_width(ends_field);
    struct ArrowArray children[2] = {{.release = NULL}, {.release = NULL}};
    struct armi_part buffers[2] = {{NULL, 0, NULL, NULL}, {NULL, 0, NULL, NULL}};
    struct armi_array_parts end_parts = {2, buffers, 0, NULL, NULL};
    struct armi_array_parts parts = {0, NULL, 2, children, NULL};
    uint8_t *packed = (uint8_t *)ends;
    for (size_t i = 0; i < count && width != 8; i++) {
        int64_t end = ends[i];
        memcpy(packed + i * width, &end, width); /* little-endian: the low bytes */
    }
    buffers[1] = armi_part_owned(ends, (int64_t)(count * width));
    enum armi_status status =
        armi_arrow_array_make(ends_field, (int64_t)count, 0, &end_parts, &children[0], err);
    if (status == ARMI_OK)
        status =
            armi_assemble_runs(&field->children[1], runs, count, column, &children[1], err);
    if (status == ARMI_OK)
        status = armi_arrow_array_make(field, length, 0, &parts, out, err);
    armi_array_parts_release(&end_parts);
    armi_array_parts_release(&parts);
    return status;
}

static bool run_end_fits(const struct armi_field *field, int64_t length)
{
    int32_t width = armi_field_byte_width(&field->children[0]);
    return length <= (width == 2 ? INT16_MAX : width == 4 ? INT32_MAX : INT64_MAX);
}

/* Room for as many runs as there are rows. */
static enum armi_status run_end_room(int64_t rows, struct armi_run **runs, int64_t **ends,
                                     struct armi_error *err)
{
    ARMI_TRY(runs_new((size_t)rows, runs, err));
    *ends = armi_alloc_array((size_t)rows + 1, sizeof **ends);
    if (*ends != NULL)
        return ARMI_OK;
    armi_free(*runs);
    return armi_error_no_memory(err);
}

static enum armi_status make_run_end(struct assembly *self, struct ArrowArray *out,
                                     struct armi_error *err)
{
    struct armi_run *runs;
    int64_t *ends;
    if (!run_end_fits(self->field, self->length))
        return armi_assemble_too_large(self->column, self->field, err);
    ARMI_TRY(run_end_room(self->length, &runs, &ends, err));
    size_t count = list_run_ends(self, runs, ends);
    enum armi_status status =
        run_end_make(self->field, runs, ends, count, self->length, self->column, out, err);
    armi_free(runs);
    return status;
}

enum armi_status armi_assemble_run_end(const struct armi_field *field,
                                       const struct armi_array *values, const char *column,
                                       struct ArrowArray *out, struct armi_error *err)
{
    struct armi_run *runs;
    int64_t *ends;
    if (!run_end_fits(field, values->length))
        return armi_assemble_too_large(column, field, err);
    ARMI_TRY(run_end_room(values->length, &runs, &ends, err));
    size_t count = 0;
    for (int64_t i = 0; i < values->length; i++) {
        if (count == 0 || !armi_compare_same(values, i, values, runs[count - 1].from))
            runs[count++] = (struct armi_run){values, i, 1};
        ends[count - 1] = i + 1;
    }
    enum armi_status status =
        run_end_make(field, runs, ends, count, values->length, column, out, err);
    armi_free(runs);
    return status;
}

/* ---- all ---- */

static enum armi_status add_values(struct assembly *self, struct armi_error *err)
{
    switch (armi_type_layout(self->field->type)) {
    case ARMI_LAYOUT_BITS:
        self->parts.buffer_count = 2;
        return add_bits(self, err);
    case ARMI_LAYOUT_FIXED:
        self->parts.buffer_count = 2;
        return add_fixed(self, err);
    case ARMI_LAYOUT_BINARY32:
    case ARMI_LAYOUT_BINARY64:
        self->parts.buffer_count = 3;
        return add_binary(self, err);
    case ARMI_LAYOUT_LIST32:
    case ARMI_LAYOUT_LIST64:
        self->parts.buffer_count = 2;
        return add_list(self, err);
    case ARMI_LAYOUT_LIST_VIEW32:
    case ARMI_LAYOUT_LIST_VIEW64:
        self->parts.buffer_count = 3;
        return add_list_view(self, err);
    case ARMI_LAYOUT_FIXED_LIST:
        self->parts.buffer_count = 1;
        return child_in_step(self, 0, self->field->width, &self->child, err);
    case ARMI_LAYOUT_STRUCT:
        self->parts.buffer_count = 1;
        return add_struct(self, err);
    case ARMI_LAYOUT_NULL:
        self->parts.buffer_count = 0;
        self->null_count = self->length;
        return ARMI_OK;
    default:
        return armi_column_unsupported(self->field, err);
    }
}

static enum armi_status assemble(struct assembly *self, struct ArrowArray *out,
                                 struct armi_error *err)
{
    enum armi_layout layout = armi_type_layout(self->field->type);
    ARMI_TRY(sum_lengths(self, err));
    if (layout == ARMI_LAYOUT_RUN_END)
        return make_run_end(self, out, err);
    if (layout == ARMI_LAYOUT_DICTIONARY)
        return make_dictionary(self, out, err);
    if (layout != ARMI_LAYOUT_NULL)
        ARMI_TRY(add_validity(self, err));
    if (layout == ARMI_LAYOUT_VIEW)
        return make_views(self, out, err);
    ARMI_TRY(add_values(self, err));
    bool has_child = self->child.release != NULL;
    if (has_child) {
        self->parts.children = &self->child;
        self->parts.child_count = 1;
    }
    enum armi_status status = armi_arrow_array_make(
        self->field, self->length, self->null_count, &self->parts, out, err);
    if (has_child) {
        self->parts.children = NULL;
        self->parts.child_count = 0;
    }
    return status;
}

enum armi_status armi_assemble_runs(const struct armi_field *field,
                                    const struct armi_run *runs, size_t run_count,
                                    const char *column, struct ArrowArray *out,
                                    struct armi_error *err)
{
    struct assembly self = {
        .field = field, .runs = runs, .run_count = run_count, .column = column};
    self.parts.buffers = self.buffers;
    self.parts.buffer_count = 1; /* the validity, until the layout is known */
    enum armi_status status = assemble(&self, out, err);
    self.parts.buffer_count = sizeof self.buffers / sizeof self.buffers[0];
    armi_array_parts_release(&self.parts);
    armi_arrow_array_release(&self.child);
    armi_free(self.parts.children);
    return status;
}
