#include "table/rowset.h"

#include <string.h>

#include "arrow/cast.h"
#include "base/alloc.h"

struct armi_rowset_batch {
    uint64_t row; /* number of its first row */
    uint64_t rows;
    struct armi_holder *holder; /* the batch as it came */
    struct armi_array view;     /* of it */
    struct armi_array *columns; /* by column of the table */
    struct ArrowArray *cast;    /* by column; released ones were not cast */
    size_t column_count;
};

void armi_rowset_init(struct armi_rowset *set, const struct armi_field *schema,
                      const struct armi_field *incoming, const int64_t *from)
{
    *set = (struct armi_rowset){.schema = schema, .incoming = incoming, .from = from};
}

static void batch_release(struct armi_rowset_batch *batch)
{
    for (size_t c = 0; c < batch->column_count; c++) {
        armi_array_release(&batch->columns[c]);
        armi_arrow_array_release(&batch->cast[c]);
    }
    armi_free(batch->columns);
    armi_free(batch->cast);
    armi_array_release(&batch->view);
    armi_holder_unref(batch->holder);
}

void armi_rowset_release(struct armi_rowset *set)
{
    for (size_t i = 0; i < set->batch_count; i++)
        batch_release(&set->batches[i]);
    armi_free(set->batches);
    armi_rowset_init(set, set->schema, set->incoming, set->from);
}

/* ---- adding ---- */

/* An array of type null has no buffers: nothing to give back. */
static void nulls_release(struct ArrowArray *array)
{
    array->release = NULL;
}

/* A column that the input lacks: nulls, cast to its type. */
static enum armi_status column_of_nulls(struct armi_rowset_batch *batch, size_t c,
                                        const struct armi_field *field,
                                        struct armi_error *err)
{
    struct armi_field null_field = ARMI_FIELD_INIT;
    struct ArrowArray nulls = {.length = (int64_t)batch->rows,
                               .null_count = (int64_t)batch->rows,
                               .release = nulls_release};
    struct armi_array view = ARMI_ARRAY_INIT;
    enum armi_status st = armi_field_init(&null_field, field->name, ARMI_TYPE_NULL, err);
    if (st == ARMI_OK)
        st = armi_array_init(&null_field, &nulls, ARMI_VALIDATE_NONE, &view, err);
    if (st == ARMI_OK)
        st = armi_cast(&view, field, NULL, &batch->cast[c], err);
    armi_array_release(&view);
    armi_field_release(&null_field);
    return st;
}

static enum armi_status column_take(struct armi_rowset_batch *batch, size_t c, int64_t from,
                                    const struct armi_field *field, struct armi_error *err)
{
    if (from < 0) {
        ARMI_TRY(column_of_nulls(batch, c, field, err));
    } else {
        struct armi_array column = armi_array_column(&batch->view, (size_t)from);
        if (armi_cast_possible(column.field, field, NULL) == ARMI_CAST_SAME) {
            batch->columns[c] = column;
            batch->columns[c].field = field;
            return ARMI_OK;
        }
        ARMI_TRY(armi_cast(&column, field, batch->holder, &batch->cast[c], err));
    }
    return armi_array_init(field, &batch->cast[c], ARMI_VALIDATE_NONE, &batch->columns[c],
                           err);
}

static enum armi_status check_not_null(const struct armi_rowset *set,
                                       const struct armi_array *column,
                                       struct armi_error *err)
{
    if (column->field->nullable || !armi_array_may_have_nulls(column) ||
        armi_array_null_count(column) == 0)
        return ARMI_OK;
    int64_t i = 0;
    while (!armi_array_is_null(column, i))
        i++;
    return armi_error_object(
        err, ARMI_CONSTRAINT, "column", column->field->name,
        "column \"%s\" is not nullable, and row %llu is null", column->field->name,
        (unsigned long long)(set->rows_before + set->rows + (uint64_t)i + 1));
}

static enum armi_status batch_fill(const struct armi_rowset *set,
                                   struct armi_rowset_batch *batch,
                                   struct ArrowArray *array,
                                   const struct armi_parallel *parallel,
                                   struct armi_error *err)
{
    size_t count = set->schema->child_count;
    ARMI_TRY(armi_array_hold(array, &batch->holder, err));
    ARMI_TRY(armi_array_init_rows(
        set->incoming, armi_holder_array(batch->holder), ARMI_VALIDATE_FULL,
        (int64_t)(set->rows_before + set->rows), parallel, &batch->view, err));
    batch->rows = (uint64_t)batch->view.length;
    batch->columns = armi_alloc_zero(count, sizeof *batch->columns);
    batch->cast = armi_alloc_zero(count, sizeof *batch->cast);
    if (batch->columns == NULL || batch->cast == NULL)
        return armi_error_no_memory(err);
    batch->column_count = count;
    for (size_t c = 0; c < count; c++) {
        ARMI_TRY(column_take(batch, c, set->from[c], &set->schema->children[c], err));
        ARMI_TRY(check_not_null(set, &batch->columns[c], err));
    }
    return ARMI_OK;
}

static enum armi_status rowset_grow(struct armi_rowset *set, struct armi_error *err)
{
    if (set->batch_count < set->batch_capacity)
        return ARMI_OK;
    size_t capacity = set->batch_capacity != 0 ? set->batch_capacity * 2 : 16;
    void *batches = armi_realloc(set->batches, set->batch_count * sizeof *set->batches,
                                 capacity * sizeof *set->batches);
    if (batches == NULL)
        return armi_error_no_memory(err);
    set->batches = batches;
    set->batch_capacity = capacity;
    return ARMI_OK;
}

enum armi_status armi_rowset_add(struct armi_rowset *set, struct ArrowArray *array,
                                 const struct armi_parallel *parallel,
                                 struct armi_error *err)
{
    struct armi_rowset_batch batch = {.row = set->rows};
    enum armi_status st = rowset_grow(set, err);
    if (st == ARMI_OK)
        st = batch_fill(set, &batch, array, parallel, err);
    armi_arrow_array_release(array);
    if (st != ARMI_OK || batch.rows == 0) {
        batch_release(&batch);
        return st;
    }
    for (size_t c = 0; c < batch.column_count; c++)
        set->bytes += (uint64_t)armi_array_rows_size(&batch.columns[c]);
    set->rows += batch.rows;
    set->batches[set->batch_count++] = batch;
    return ARMI_OK;
}

/* ---- reading ---- */

/* The batch that holds the row. */
static size_t batch_of(const struct armi_rowset *set, uint64_t row)
{
    size_t low = 0, high = set->batch_count;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (set->batches[mid].row <= row)
            low = mid;
        else
            high = mid;
    }
    return low;
}

size_t armi_rowset_piece_count(const struct armi_rowset *set, uint64_t from, uint64_t count)
{
    return count == 0 ? 0 : batch_of(set, from + count - 1) - batch_of(set, from) + 1;
}

uint64_t armi_rowset_piece_rows(const struct armi_rowset *set, uint64_t from,
                                uint64_t count)
{
    const struct armi_rowset_batch *batch = &set->batches[batch_of(set, from)];
    uint64_t left = batch->row + batch->rows - from;
    return left < count ? left : count;
}

void armi_rowset_pieces(const struct armi_rowset *set, size_t c, uint64_t from,
                        uint64_t count, struct armi_array *out)
{
    for (size_t b = count != 0 ? batch_of(set, from) : 0; count != 0; b++) {
        const struct armi_rowset_batch *batch = &set->batches[b];
        uint64_t skip = from - batch->row, take = batch->rows - skip;
        if (take > count)
            take = count;
        *out++ = armi_array_slice(&batch->columns[c], (int64_t)skip, (int64_t)take);
        from += take;
        count -= take;
    }
}

void armi_rowset_drop(struct armi_rowset *set, uint64_t rows)
{
    size_t gone = 0;
    uint64_t bytes = 0;
    while (gone < set->batch_count &&
           set->batches[gone].row + set->batches[gone].rows <= rows)
        batch_release(&set->batches[gone++]);
    memmove(set->batches, set->batches + gone,
            (set->batch_count - gone) * sizeof *set->batches);
    set->batch_count -= gone;
    for (size_t i = 0; i < set->batch_count; i++) {
        struct armi_rowset_batch *batch = &set->batches[i];
        uint64_t skip = batch->row < rows ? rows - batch->row : 0;
        for (size_t c = 0; c < batch->column_count; c++) {
            if (skip != 0) {
                /* A slice borrows its children from the view, which the batch still owns:
                 * only the two numbers move. */
                batch->columns[c].offset += (int64_t)skip;
                batch->columns[c].length -= (int64_t)skip;
                batch->columns[c].null_count = -1;
            }
            bytes += (uint64_t)armi_array_rows_size(&batch->columns[c]);
        }
        batch->rows -= skip;
        batch->row = batch->row + skip - rows;
    }
    set->rows -= rows;
    set->rows_before += rows;
    set->bytes = bytes;
}
