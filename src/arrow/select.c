/*
 * Selections become runs of rows or indices, whichever is cheaper, and go to the engine:
 * assemble_runs.c copies runs, assemble_take.c gathers single rows.
 */
#include "arrow/select.h"

#include "arrow/assemble_internal.h"
#include "arrow/column_internal.h"
#include "base/alloc.h"

/* Runs shorter than this on average are cheaper as indices. */
#define RUN_ROWS_MIN 8

enum armi_status armi_select_take(const struct armi_array *array, const int64_t *indices,
                                  int64_t count, struct ArrowArray *out,
                                  struct armi_error *err)
{
    return armi_assemble_take(array, 0, indices, count, array->field->name, out, err);
}

enum armi_status armi_select_ranges(const struct armi_array *array,
                                    const struct armi_rows *ranges, size_t count,
                                    struct ArrowArray *out, struct armi_error *err)
{
    struct armi_run *runs = armi_alloc_array(count + 1, sizeof *runs);
    if (runs == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        assert(ranges[i].from >= 0 && ranges[i].count >= 0 &&
               ranges[i].count <= array->length - ranges[i].from);
        runs[i] = (struct armi_run){array, ranges[i].from, ranges[i].count};
    }
    enum armi_status status =
        armi_assemble_runs(array->field, runs, count, array->field->name, out, err);
    armi_free(runs);
    return status;
}

/* Set bits, and how many runs they form. */
static void measure(const uint8_t *bits, size_t from, size_t end, size_t *out_rows,
                    size_t *out_runs)
{
    size_t rows = 0, runs = 0;
    uint64_t before = 0;
    for (; from < end; from += 64) {
        uint64_t v = bits_load64(bits, from, end);
        rows += (size_t)__builtin_popcountll(v);
        runs += (size_t)__builtin_popcountll(v & ~((v << 1) | before));
        before = v >> 63;
    }
    *out_rows = rows;
    *out_runs = runs;
}

static enum armi_status filter_by_indices(const struct armi_array *array,
                                          const uint8_t *bits, size_t at, size_t rows,
                                          struct ArrowArray *out, struct armi_error *err)
{
    int64_t *indices = armi_alloc_array(rows + 1, sizeof *indices);
    if (indices == NULL)
        return armi_error_no_memory(err);
    size_t end = at + (size_t)array->length, count = 0;
    for (size_t from = at; from < end; from += 64) {
        uint64_t v = bits_load64(bits, from, end);
        for (; v != 0; v &= v - 1)
            indices[count++] = (int64_t)(from - at) + __builtin_ctzll(v);
    }
    enum armi_status status = armi_select_take(array, indices, (int64_t)rows, out, err);
    armi_free(indices);
    return status;
}

enum armi_status armi_select_filter(const struct armi_array *array, const uint8_t *bits,
                                    size_t bit_offset, struct ArrowArray *out,
                                    struct armi_error *err)
{
    size_t end = bit_offset + (size_t)array->length, rows, run_count;
    measure(bits, bit_offset, end, &rows, &run_count);
    if (rows / RUN_ROWS_MIN < run_count)
        return filter_by_indices(array, bits, bit_offset, rows, out, err);
    struct armi_run *runs = armi_alloc_array(run_count + 1, sizeof *runs);
    if (runs == NULL)
        return armi_error_no_memory(err);
    size_t at = bit_offset, count = 0, length = 0;
    for (; bits_next_run(bits, true, end, &at, &length); at += length)
        runs[count++] =
            (struct armi_run){array, (int64_t)(at - bit_offset), (int64_t)length};
    enum armi_status status =
        armi_assemble_runs(array->field, runs, count, array->field->name, out, err);
    armi_free(runs);
    return status;
}
