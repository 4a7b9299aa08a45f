#include "table/row_diff.h"

#include <stdlib.h>
#include <string.h>

#include "arrow/cast.h"
#include "arrow/compare.h"
#include "arrow/concat.h"
#include "arrow/select.h"
#include "arrow/stream.h"
#include "base/alloc.h"
#include "base/bits.h"
#include "base/map.h"
#include "table/column_reader.h"

/* ---- which ranges ---- */

struct side {
    struct armi_range *ranges; /* of the version */
    size_t count;
    bool *differs;             /* by range: not cancelled by one of the other side */
    struct ArrowArray *arrays; /* by differing range and column: decoded */
    struct armi_array *views;
    size_t *rows_from; /* by differing range: number of its first row on this side */
    size_t *which;     /* by differing range: index into ranges */
    size_t differing;
    uint64_t rows; /* of the differing ranges */
    struct armi_column_reader *reader;
    const struct armi_field *
        *from; /* by column of the result: the side's own, NULL = none */
};

struct differ {
    const struct armi_table_io *io;
    const struct armi_row_diff_options *options;
    const struct armi_table_version *newer;
    const struct armi_field *schema; /* of the newer version: both sides are read as it */
    struct side old_side, new_side;
    size_t *key; /* column indices to join by; all of them without a key */
    size_t key_count;
    bool has_key;
};

static void side_release(struct side *side, size_t columns)
{
    for (size_t i = 0; i < side->differing * columns; i++) {
        if (side->views != NULL)
            armi_array_release(&side->views[i]);
        if (side->arrays != NULL)
            armi_arrow_array_release(&side->arrays[i]);
    }
    armi_column_reader_free(side->reader);
    armi_free(side->from);
    armi_free(side->arrays);
    armi_free(side->views);
    armi_free(side->rows_from);
    armi_free(side->which);
    armi_free(side->differs);
    armi_range_array_release(side->ranges, side->count);
}

/*
 * The column of a side that a column of the result shows: the one of its name; or, in the same table,
 * the one of its id, which had another name then. None, if its values are of another kind.
 */
static const struct armi_field *own_column(const struct differ *d,
                                           const struct armi_table_version *version,
                                           const struct armi_field *field)
{
    const struct armi_field *schema = &version->schema;
    int64_t at = armi_field_find(schema, field->name);
    bool is_one = memcmp(version->table_id, d->newer->table_id, ARMI_TABLE_ID_SIZE) == 0;
    if (at < 0 && is_one) {
        at = armi_field_find_id(schema, field->id);
        if (at >= 0 && armi_field_find(d->schema, schema->children[at].name) >= 0)
            at = -1; /* that name is another column's now */
    }
    bool fits =
        at >= 0 && armi_cast_possible(&schema->children[at], field, NULL) != ARMI_CAST_NONE;
    return fits ? &schema->children[at] : NULL;
}

static enum armi_status side_open(const struct differ *d,
                                  const struct armi_table_version *version,
                                  struct side *side, struct armi_error *err)
{
    size_t columns = d->schema->child_count;
    side->from = armi_alloc_zero(columns, sizeof *side->from);
    if (side->from == NULL)
        return armi_error_no_memory(err);
    if (version != NULL) {
        ARMI_TRY(armi_table_version_ranges(&d->io->nodes, version, &side->ranges,
                                           &side->count, err));
        ARMI_TRY(armi_column_reader_new(d->io, d->options->cache, &version->schema,
                                        &side->reader, err));
        for (size_t c = 0; c < columns; c++)
            side->from[c] = own_column(d, version, &d->schema->children[c]);
    }
    side->differs = armi_alloc_array(side->count, sizeof *side->differs);
    if (side->differs == NULL)
        return armi_error_no_memory(err);
    memset(side->differs, 1, side->count);
    return ARMI_OK;
}

/* Equal logical hashes cancel, occurrence by occurrence. */
static enum armi_status ranges_cancel(struct side *a, struct side *b,
                                      struct armi_error *err)
{
    struct armi_map left;
    enum armi_status st = ARMI_OK;
    armi_map_init(&left, 0);
    for (size_t i = 0; i < a->count && st == ARMI_OK; i++) {
        uint8_t logical[20];
        uint64_t *count;
        armi_range_logical(&a->ranges[i], logical);
        st = armi_map_insert(&left, (struct armi_slice){logical, 20}, &count, NULL, err);
        if (st == ARMI_OK)
            ++*count;
    }
    for (size_t i = 0; i < b->count && st == ARMI_OK; i++) {
        uint8_t logical[20];
        armi_range_logical(&b->ranges[i], logical);
        uint64_t *count = armi_map_find(&left, (struct armi_slice){logical, 20});
        b->differs[i] = count == NULL || *count == 0;
        if (!b->differs[i])
            --*count;
    }
    /* From the end, so that the last of equal ones stay: any choice is right. */
    for (size_t i = a->count; i-- > 0 && st == ARMI_OK;) {
        uint8_t logical[20];
        armi_range_logical(&a->ranges[i], logical);
        uint64_t *count = armi_map_find(&left, (struct armi_slice){logical, 20});
        a->differs[i] = *count != 0;
        if (a->differs[i])
            --*count;
    }
    armi_map_release(&left);
    return st;
}

/* ---- decoding ---- */

struct decode_job {
    struct differ *d;
    struct side *side;
};

static enum armi_status decode_task(void *ctx, size_t index, unsigned worker,
                                    struct armi_error *err)
{
    struct decode_job *job = ctx;
    (void)worker;
    size_t columns = job->d->schema->child_count;
    const struct armi_range *range = &job->side->ranges[job->side->which[index / columns]];
    const struct armi_field *field = &job->d->schema->children[index % columns];
    const struct armi_field *own = job->side->from[index % columns];
    struct armi_column_run run = {NULL, 0, range->live};
    struct armi_field column = *field; /* the result's type, the side's id */
    if (own != NULL) {
        run = armi_range_run(range, own->id);
        column.id = own->id;
    }
    ARMI_TRY(armi_column_reader_read(job->side->reader, &column, &run,
                                     &job->side->arrays[index], err));
    return armi_array_init(field, &job->side->arrays[index], ARMI_VALIDATE_NONE,
                           &job->side->views[index], err);
}

static enum armi_status side_decode(struct differ *d, struct side *side,
                                    struct armi_error *err)
{
    size_t columns = d->schema->child_count, n = 0;
    for (size_t i = 0; i < side->count; i++)
        n += side->differs[i];
    side->arrays = armi_alloc_zero(n * columns, sizeof *side->arrays);
    side->views = armi_alloc_zero(n * columns, sizeof *side->views);
    side->rows_from = armi_alloc_array(n, sizeof *side->rows_from);
    side->which = armi_alloc_array(n, sizeof *side->which);
    if (side->arrays == NULL || side->views == NULL || side->rows_from == NULL ||
        side->which == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < side->count; i++) {
        if (!side->differs[i])
            continue;
        side->which[side->differing] = i;
        side->rows_from[side->differing++] = (size_t)side->rows;
        side->rows += side->ranges[i].live;
    }
    struct decode_job job = {d, side};
    struct armi_parallel parallel = d->io->parallel;
    parallel.interrupt = (struct armi_interrupt){d->options->callbacks.interrupted,
                                                 d->options->callbacks.ctx};
    return armi_pool_run(&parallel, n * columns, decode_task, &job, err);
}

/* ---- keys ---- */

static enum armi_status key_resolve(struct differ *d,
                                    const struct armi_table_version *version,
                                    struct armi_error *err)
{
    size_t declared = version->settings.key_count;
    size_t columns = d->schema->child_count;
    d->has_key = d->options->key_count != 0 || declared != 0;
    d->key_count = d->options->key_count != 0 ? d->options->key_count
                   : declared != 0            ? declared
                                              : columns;
    d->key = armi_alloc_array(d->key_count, sizeof *d->key);
    if (d->key == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < d->key_count; i++) {
        int64_t at = (int64_t)i;
        if (d->options->key_count != 0)
            at = armi_field_find(d->schema, d->options->key[i]);
        else if (declared != 0)
            at = armi_field_find_id(d->schema, version->settings.key[i]);
        if (at < 0 && d->options->key_count == 0)
            return armi_error_set(err, ARMI_CORRUPTION,
                                  "table %s has a key column that its schema lacks",
                                  d->options->name);
        if (at < 0)
            return armi_error_object(err, ARMI_NOT_FOUND, "column", d->options->key[i],
                                     "No column \"%s\" in table \"%s\"", d->options->key[i],
                                     d->options->name);
        d->key[i] = (size_t)at;
    }
    return ARMI_OK;
}

/* Keys of all rows of a differing range. *ends is owned by the caller. */
static enum armi_status range_keys(const struct differ *d, const struct side *side,
                                   size_t r, struct armi_buf *keys, size_t **ends,
                                   struct armi_error *err)
{
    size_t columns = d->schema->child_count;
    int64_t rows = (int64_t)side->ranges[side->which[r]].live;
    struct armi_array *views = armi_alloc_array(d->key_count, sizeof *views);
    *ends = armi_alloc_array((size_t)rows, sizeof **ends);
    armi_buf_clear(keys);
    if (views == NULL || *ends == NULL) {
        armi_free(views);
        return armi_error_no_memory(err);
    }
    for (size_t i = 0; i < d->key_count; i++)
        views[i] = side->views[r * columns + d->key[i]];
    enum armi_status st = armi_compare_keys(views, d->key_count, 0, rows, keys, *ends, err);
    armi_free(views);
    return st;
}

typedef enum armi_status (*key_fn)(void *ctx, size_t row, struct armi_slice key,
                                   struct armi_error *err);

static enum armi_status keys_walk(const struct differ *d, const struct side *side,
                                  key_fn fn, void *ctx, struct armi_error *err)
{
    struct armi_buf keys = {0};
    enum armi_status st = ARMI_OK;
    for (size_t r = 0; r < side->differing && st == ARMI_OK; r++) {
        size_t *ends = NULL, from = 0;
        st = range_keys(d, side, r, &keys, &ends, err);
        uint64_t rows = side->ranges[side->which[r]].live;
        for (uint64_t i = 0; i < rows && st == ARMI_OK; i++) {
            struct armi_slice key = {keys.data + from, ends[i] - from};
            st = fn(ctx, side->rows_from[r] + (size_t)i, key, err);
            from = ends[i];
        }
        armi_free(ends);
    }
    armi_buf_release(&keys);
    return st;
}

/* ---- the join ---- */

#define NO_ROW SIZE_MAX

struct join {
    struct differ *d;
    struct armi_map old_rows; /* key -> first unmatched old row + 1, 0 = none left */
    size_t *next;             /* by old row: the next one of its key */
    size_t *match;            /* by old row: the new row, or NO_ROW */
    size_t *new_match;        /* by new row: the old row, or NO_ROW */
};

static enum armi_status old_row_add(void *ctx, size_t row, struct armi_slice key,
                                    struct armi_error *err)
{
    struct join *join = ctx;
    uint64_t *first;
    bool is_new;
    ARMI_TRY(armi_map_insert(&join->old_rows, key, &first, &is_new, err));
    if (!is_new && join->d->has_key)
        return armi_error_set(err, ARMI_INVALID,
                              "the key does not tell the rows of table %s apart",
                              join->d->options->name);
    join->next[row] = is_new ? NO_ROW : (size_t)*first - 1;
    join->match[row] = NO_ROW;
    *first = row + 1;
    return ARMI_OK;
}

static enum armi_status new_row_match(void *ctx, size_t row, struct armi_slice key,
                                      struct armi_error *err)
{
    struct join *join = ctx;
    uint64_t *first = armi_map_find(&join->old_rows, key);
    join->new_match[row] = NO_ROW;
    if (first == NULL)
        return ARMI_OK;
    if (*first == 0) {
        if (!join->d->has_key)
            return ARMI_OK;
        return armi_error_set(err, ARMI_INVALID,
                              "the key does not tell the rows of table %s apart",
                              join->d->options->name);
    }
    size_t old_row = (size_t)*first - 1;
    *first = join->next[old_row] == NO_ROW ? 0 : join->next[old_row] + 1;
    join->match[old_row] = row;
    join->new_match[row] = old_row;
    return ARMI_OK;
}

/* The differing range that holds the row, and the row in it. */
static size_t range_of(const struct side *side, size_t row, int64_t *in_range)
{
    size_t low = 0, high = side->differing;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (side->rows_from[mid] <= row)
            low = mid;
        else
            high = mid;
    }
    *in_range = (int64_t)(row - side->rows_from[low]);
    return low;
}

static bool rows_same(const struct differ *d, size_t old_row, size_t new_row)
{
    size_t columns = d->schema->child_count;
    int64_t i, k;
    size_t a = range_of(&d->old_side, old_row, &i), b = range_of(&d->new_side, new_row, &k);
    for (size_t c = 0; c < columns; c++)
        if (!armi_compare_same(&d->old_side.views[a * columns + c], i,
                               &d->new_side.views[b * columns + c], k))
            return false;
    return true;
}

/* ---- the answer ---- */

enum change {
    CHANGE_INSERT,
    CHANGE_DELETE,
    CHANGE_PREIMAGE,
    CHANGE_POSTIMAGE,
};

/* A row of the result: which side's, and what it is. */
struct change_row {
    size_t row;
    enum change change;
};

struct changes {
    struct change_row *rows;
    size_t count, capacity;
};

static enum armi_status changes_add(struct changes *list, size_t row, enum change change,
                                    struct armi_error *err)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity != 0 ? list->capacity * 2 : 256;
        void *rows = armi_realloc(list->rows, list->count * sizeof *list->rows,
                                  capacity * sizeof *list->rows);
        if (rows == NULL)
            return armi_error_no_memory(err);
        list->rows = rows;
        list->capacity = capacity;
    }
    list->rows[list->count++] = (struct change_row){row, change};
    return ARMI_OK;
}

static enum armi_status changes_judge(const struct join *join,
                                      struct armi_row_diff_counts *counts,
                                      struct changes *list, struct armi_error *err)
{
    const struct differ *d = join->d;
    for (size_t row = 0; row < d->old_side.rows; row++) {
        size_t match = join->match[row];
        if (match == NO_ROW) {
            counts->removed++;
            ARMI_TRY(changes_add(list, row, CHANGE_DELETE, err));
            continue;
        }
        if (d->has_key && !rows_same(d, row, match)) {
            counts->changed++;
            ARMI_TRY(changes_add(list, row, CHANGE_PREIMAGE, err));
            ARMI_TRY(changes_add(list, match, CHANGE_POSTIMAGE, err));
        }
    }
    for (size_t row = 0; row < d->new_side.rows; row++) {
        if (join->new_match[row] != NO_ROW)
            continue;
        counts->added++;
        ARMI_TRY(changes_add(list, row, CHANGE_INSERT, err));
    }
    return ARMI_OK;
}

static const struct side *change_side(const struct differ *d, enum change change)
{
    return change == CHANGE_DELETE || change == CHANGE_PREIMAGE ? &d->old_side
                                                                : &d->new_side;
}

/* One column of the result: all differing ranges of both sides put together, then taken. */
static enum armi_status column_take(const struct differ *d, size_t c,
                                    const struct changes *list, int64_t *indices,
                                    struct ArrowArray *out, struct armi_error *err)
{
    size_t columns = d->schema->child_count;
    size_t old_pieces = d->old_side.differing, total = old_pieces + d->new_side.differing;
    struct armi_array *pieces = armi_alloc_array(total, sizeof *pieces);
    struct ArrowArray whole = {0};
    struct armi_array view = ARMI_ARRAY_INIT;
    if (pieces == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < total; i++)
        pieces[i] = i < old_pieces ? d->old_side.views[i * columns + c]
                                   : d->new_side.views[(i - old_pieces) * columns + c];
    for (size_t i = 0; i < list->count; i++) {
        bool is_old = change_side(d, list->rows[i].change) == &d->old_side;
        indices[i] = (int64_t)(list->rows[i].row + (is_old ? 0 : d->old_side.rows));
    }
    const struct armi_field *field = &d->schema->children[c];
    enum armi_status st = armi_concat(field, pieces, total, &whole, err);
    if (st == ARMI_OK)
        st = armi_array_init(field, &whole, ARMI_VALIDATE_NONE, &view, err);
    if (st == ARMI_OK)
        st = armi_select_take(&view, indices, (int64_t)list->count, out, err);
    armi_array_release(&view);
    armi_arrow_array_release(&whole);
    armi_free(pieces);
    return st;
}

static enum armi_status change_types(const struct armi_field *field,
                                     const struct changes *list, struct ArrowArray *out,
                                     struct armi_error *err)
{
    static const char *const names[] = {"insert", "delete", "update_preimage",
                                        "update_postimage"};
    struct armi_buf text = {0}, offsets = {0};
    struct armi_part parts[3];
    struct armi_array_parts whole = {.buffer_count = 3, .buffers = parts};
    enum armi_status st = armi_buf_append_u32(&offsets, 0, err);
    for (size_t i = 0; i < list->count && st == ARMI_OK; i++) {
        const char *name = names[list->rows[i].change];
        st = armi_buf_append(&text, name, strlen(name), err);
        if (st == ARMI_OK)
            st = armi_buf_append_u32(&offsets, (uint32_t)text.size, err);
    }
    parts[0] = armi_part_static(NULL, 0);
    parts[1] = armi_part_buf(&offsets);
    parts[2] = armi_part_buf(&text);
    if (st == ARMI_OK)
        st = armi_arrow_array_make(field, (int64_t)list->count, 0, &whole, out, err);
    armi_array_parts_release(&whole);
    return st;
}

static enum armi_status result_schema(const struct differ *d, struct armi_field *out,
                                      struct armi_error *err)
{
    struct armi_field type = ARMI_FIELD_INIT;
    ARMI_TRY(armi_field_init_schema(out, err));
    ARMI_TRY(armi_field_alloc_children(out, d->schema->child_count + 1, err));
    ARMI_TRY(armi_field_init(&type, "_change_type", ARMI_TYPE_UTF8, err));
    type.nullable = false;
    armi_field_move(&type, &out->children[0]);
    for (size_t c = 0; c < d->schema->child_count; c++) {
        ARMI_TRY(armi_field_copy(&d->schema->children[c], &out->children[c + 1], err));
        out->children[c + 1].nullable = true; /* a column that the old rows lacked */
    }
    return ARMI_OK;
}

static enum armi_status result_stream(const struct differ *d, const struct changes *list,
                                      struct ArrowArrayStream *out, struct armi_error *err)
{
    struct armi_field schema = ARMI_FIELD_INIT;
    size_t count = d->schema->child_count + 1;
    struct ArrowArray batch = {0};
    struct ArrowArray *columns = armi_alloc_zero(count, sizeof *columns);
    int64_t *indices = armi_alloc_array(list->count, sizeof *indices);
    enum armi_status st = ARMI_OK;
    if (columns == NULL || indices == NULL)
        st = armi_error_no_memory(err);
    if (st == ARMI_OK)
        st = result_schema(d, &schema, err);
    if (st == ARMI_OK)
        st = change_types(&schema.children[0], list, &columns[0], err);
    for (size_t c = 1; c < count && st == ARMI_OK; c++)
        st = column_take(d, c - 1, list, indices, &columns[c], err);
    if (st == ARMI_OK)
        st = armi_arrow_array_batch(&schema, (int64_t)list->count, columns, &batch, err);
    if (st == ARMI_OK)
        st = armi_stream_from_arrays(&schema, &batch, list->count != 0, out, err);
    armi_arrow_array_release(&batch);
    for (size_t c = 0; columns != NULL && c < count; c++)
        armi_arrow_array_release(&columns[c]);
    armi_free(columns);
    armi_free(indices);
    armi_field_release(&schema);
    return st;
}

static enum armi_status differ_join(struct differ *d, struct armi_row_diff_counts *counts,
                                    struct ArrowArrayStream *out, struct armi_error *err)
{
    struct join join = {.d = d};
    struct changes list = {0};
    enum armi_status st = ARMI_OK;
    armi_map_init(&join.old_rows, 0x41524d49);
    join.next = armi_alloc_array((size_t)d->old_side.rows, sizeof *join.next);
    join.match = armi_alloc_array((size_t)d->old_side.rows, sizeof *join.match);
    join.new_match = armi_alloc_array((size_t)d->new_side.rows, sizeof *join.new_match);
    if (join.next == NULL || join.match == NULL || join.new_match == NULL)
        st = armi_error_no_memory(err);
    if (st == ARMI_OK)
        st = keys_walk(d, &d->old_side, old_row_add, &join, err);
    if (st == ARMI_OK)
        st = keys_walk(d, &d->new_side, new_row_match, &join, err);
    if (st == ARMI_OK)
        st = changes_judge(&join, counts, &list, err);
    if (st == ARMI_OK && out != NULL)
        st = result_stream(d, &list, out, err);
    armi_free(list.rows);
    armi_free(join.next);
    armi_free(join.match);
    armi_free(join.new_match);
    armi_map_release(&join.old_rows);
    return st;
}

/* ---- order ---- */

/* Ranges that stand on both sides at the front, or at the back, are in order whatever they hold. */
static void ends_cancel(struct side *a, struct side *b)
{
    size_t front = 0, back = 0, most = a->count < b->count ? a->count : b->count;
    uint8_t x[20], y[20];
    for (; front < most; front++) {
        armi_range_logical(&a->ranges[front], x);
        armi_range_logical(&b->ranges[front], y);
        if (memcmp(x, y, sizeof x) != 0)
            break;
        a->differs[front] = b->differs[front] = false;
    }
    for (; back < most - front; back++) {
        armi_range_logical(&a->ranges[a->count - 1 - back], x);
        armi_range_logical(&b->ranges[b->count - 1 - back], y);
        if (memcmp(x, y, sizeof x) != 0)
            break;
        a->differs[a->count - 1 - back] = b->differs[b->count - 1 - back] = false;
    }
}

/*
 * Leaves the first ranges that did not cancel, where they hold as many rows: after an edit they
 * differ, which spares the decoding of all the others. False where there are none such.
 */
static bool first_pair_keep(struct side *a, struct side *b)
{
    size_t i = 0, most = a->count < b->count ? a->count : b->count;
    while (i < most && !a->differs[i] && !b->differs[i])
        i++;
    if (i == most || !a->differs[i] || !b->differs[i] ||
        a->ranges[i].live != b->ranges[i].live)
        return false;
    for (size_t k = i + 1; k < a->count; k++)
        a->differs[k] = false;
    for (size_t k = i + 1; k < b->count; k++)
        b->differs[k] = false;
    return true;
}

static bool in_order(const struct differ *d, const struct side *a, const struct side *b)
{
    size_t columns = d->schema->child_count;
    if (a->rows != b->rows)
        return false;
    for (size_t row = 0; row < a->rows;) {
        int64_t i, k;
        size_t p = range_of(a, row, &i), q = range_of(b, row, &k);
        int64_t n = (int64_t)a->ranges[a->which[p]].live - i;
        int64_t m = (int64_t)b->ranges[b->which[q]].live - k;
        n = n < m ? n : m;
        for (size_t c = 0; c < columns; c++)
            if (armi_compare_same_run(&a->views[p * columns + c], i,
                                      &b->views[q * columns + c], k, n) != n)
                return false;
        row += (size_t)n;
    }
    return true;
}

enum order_extent { ORDER_WHOLE, ORDER_BY_HASH, ORDER_FIRST_PAIR };

/*
 * The same rows: in the same order? What cancelled by hash may have changed places. Of the first
 * pair alone, "in order" proves nothing about the rest.
 */
static enum armi_status order_judge(struct differ *d,
                                    const struct armi_table_version *before,
                                    const struct armi_table_version *after,
                                    enum order_extent extent, bool *reordered,
                                    struct armi_error *err)
{
    struct side a = {0}, b = {0};
    bool is_wanted = true;
    enum armi_status st = side_open(d, before, &a, err);
    if (st == ARMI_OK)
        st = side_open(d, after, &b, err);
    if (st == ARMI_OK && extent != ORDER_WHOLE)
        ends_cancel(&a, &b);
    if (st == ARMI_OK && extent == ORDER_FIRST_PAIR)
        is_wanted = first_pair_keep(&a, &b);
    if (st == ARMI_OK && is_wanted)
        st = side_decode(d, &a, err);
    if (st == ARMI_OK && is_wanted)
        st = side_decode(d, &b, err);
    if (st == ARMI_OK)
        *reordered = is_wanted && !in_order(d, &a, &b);
    side_release(&a, d->schema->child_count);
    side_release(&b, d->schema->child_count);
    return st;
}

enum armi_status armi_row_diff(const struct armi_table_io *io,
                               const struct armi_table_version *old_version,
                               const struct armi_table_version *new_version,
                               const struct armi_row_diff_options *options,
                               struct armi_row_diff_counts *counts,
                               struct ArrowArrayStream *out, struct armi_error *err)
{
    const struct armi_table_version *newer =
        new_version != NULL ? new_version : old_version;
    struct differ d = {
        .io = io, .options = options, .newer = newer, .schema = &newer->schema};
    struct armi_row_diff_counts found = {0};
    found.schema_changed =
        old_version != NULL && new_version != NULL &&
        !armi_field_equal(&old_version->schema, &new_version->schema, ARMI_EQUAL_ALL);
    enum armi_status st = key_resolve(&d, newer, err);
    if (st == ARMI_OK)
        st = side_open(&d, old_version, &d.old_side, err);
    if (st == ARMI_OK)
        st = side_open(&d, new_version, &d.new_side, err);
    /* With another schema nothing is equal by hash: rows are compared after the cast. */
    if (st == ARMI_OK && !found.schema_changed)
        st = ranges_cancel(&d.old_side, &d.new_side, err);
    if (st == ARMI_OK)
        st = side_decode(&d, &d.old_side, err);
    if (st == ARMI_OK)
        st = side_decode(&d, &d.new_side, err);
    if (st == ARMI_OK)
        st = differ_join(&d, &found, out, err);
    if (st == ARMI_OK && found.added + found.removed + found.changed == 0 &&
        old_version != NULL && new_version != NULL) {
        st = order_judge(&d, old_version, new_version,
                         found.schema_changed ? ORDER_WHOLE : ORDER_BY_HASH,
                         &found.reordered, err);
        if (st != ARMI_OK && out != NULL)
            armi_stream_release(out);
    }
    side_release(&d.old_side, d.schema->child_count);
    side_release(&d.new_side, d.schema->child_count);
    armi_free(d.key);
    if (st == ARMI_OK)
        *counts = found;
    return st;
}

enum armi_status armi_table_same(const struct armi_table_io *io,
                                 const struct armi_table_version *a,
                                 const struct armi_table_version *b,
                                 struct armi_column_cache *cache, bool *same,
                                 struct armi_error *err)
{
    const struct armi_row_diff_options options = {.name = "", .cache = cache};
    struct differ d = {.io = io, .options = &options, .newer = b, .schema = &b->schema};
    bool reordered = false;
    *same = memcmp(a->content, b->content, sizeof a->content) == 0;
    if (*same || a->rows != b->rows ||
        !armi_field_equal(&a->schema, &b->schema, ARMI_EQUAL_ALL))
        return ARMI_OK;
    ARMI_TRY(order_judge(&d, a, b, ORDER_FIRST_PAIR, &reordered, err));
    if (!reordered)
        ARMI_TRY(order_judge(&d, a, b, ORDER_BY_HASH, &reordered, err));
    *same = !reordered;
    return ARMI_OK;
}
