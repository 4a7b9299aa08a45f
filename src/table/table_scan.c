/*
 * The read path: tree -> ranges -> units -> columns -> filter -> batches.
 *
 * A *unit* is a run of ranges whose wanted columns each lie in one unbroken run of rows of
 * one chunk: it is decoded in one go and becomes one batch. Several units are decoded at a
 * time, in parallel over (unit, column): first the columns that `where` reads, then, for
 * units in which a row matched, the others.
 */
#include "table/table_scan.h"

#include <string.h>

#include "arrow/select.h"
#include "arrow/stream.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "os/handles.h"
#include "predicate/predicate.h"
#include "table/column_reader.h"
#include "table/prune.h"
#include "tree/tree_cursor.h"
#include "tree/tree_store.h"

/* Arrow bytes, and units, that are decoded ahead of the consumer. */
#define WINDOW_BYTES ARMI_BATCH_BYTES
#define WINDOW_UNITS 64

struct unit {
    uint64_t rows, bytes;
    uint64_t skip, take;       /* rows of it that are wanted, where there is no predicate */
    struct armi_range *ranges; /* whose chunks the runs point to */
    size_t range_count, range_capacity;
    struct armi_column_run *runs; /* by wanted column */
    struct ArrowArray *arrays;    /* likewise */
    uint8_t *keep; /* bitmap of the rows that match; NULL without a predicate */
    uint64_t kept;
};

struct scan {
    struct armi_table_io io;
    struct armi_table_version version;
    struct armi_column_reader *reader;
    struct armi_predicate *where; /* NULL: every row */
    struct armi_field out_schema;
    size_t *out_columns; /* by column of the output: index into `wanted` */
    size_t out_count;
    size_t *wanted; /* columns of the version's schema: those of `where` first */
    size_t wanted_count, where_count;
    struct armi_tree_store store;
    struct armi_tree_cursor *cursor;
    size_t pending;               /* next pending range */
    bool end;                     /* no range is left */
    struct armi_range next_range; /* read, and belongs to the next unit */
    bool has_next;
    uint64_t batch_bytes;
    bool ranges_apart, has_limit;
    bool one_range;         /* in a unit, since a column asks for it */
    uint64_t limit, offset; /* left */
    uint64_t rows_done;
    struct unit units[WINDOW_UNITS];
    size_t unit_count, unit_at;
    struct armi_holder *whole; /* a batch that is handed out in parts, NULL = none */
    struct armi_array whole_view;
    int64_t whole_at;    /* its rows before were handed out */
    uint64_t generation; /* of the process: see os/handles.h */
    struct armi_callbacks callbacks;
};

/* ---- life ---- */

static void unit_release(struct unit *unit, size_t columns)
{
    armi_range_array_release(unit->ranges, unit->range_count);
    for (size_t i = 0; unit->arrays != NULL && i < columns; i++)
        armi_arrow_array_release(&unit->arrays[i]);
    armi_free(unit->runs);
    armi_free(unit->arrays);
    armi_free(unit->keep);
    *unit = (struct unit){0};
}

static void whole_release(struct scan *scan)
{
    armi_array_release(&scan->whole_view);
    armi_holder_unref(scan->whole);
    scan->whole = NULL;
    scan->whole_at = 0;
}

static void scan_free(void *ctx)
{
    struct scan *scan = ctx;
    for (size_t i = 0; i < WINDOW_UNITS; i++)
        unit_release(&scan->units[i], scan->wanted_count);
    whole_release(scan);
    armi_range_release(&scan->next_range);
    armi_tree_cursor_free(scan->cursor);
    armi_column_reader_free(scan->reader);
    armi_predicate_free(scan->where);
    armi_field_release(&scan->out_schema);
    armi_free(scan->out_columns);
    armi_free(scan->wanted);
    armi_table_version_release(&scan->version);
    if (scan->io.release != NULL)
        scan->io.release(scan->io.ctx);
    armi_free(scan);
}

/* ---- ranges ---- */

static bool range_may_match(void *ctx, const struct armi_tree_stats *stats, size_t count,
                            uint64_t rows)
{
    const struct scan *scan = ctx;
    return armi_prune_may_match(scan->where, &scan->version.schema, stats, count, rows);
}

/* The next range that may hold rows that match, into next_range. */
static enum armi_status range_next(struct scan *scan, struct armi_error *err)
{
    while (!scan->has_next && !scan->end) {
        if (armi_tree_cursor_valid(scan->cursor)) {
            ARMI_TRY(armi_range_decode(armi_tree_cursor_entry(scan->cursor),
                                       &scan->next_range, err));
            scan->has_next = true;
            ARMI_TRY(armi_tree_cursor_next(scan->cursor, err));
        } else if (scan->pending < scan->version.pending_count) {
            const struct armi_range *range = &scan->version.pending[scan->pending++];
            if (scan->where != NULL &&
                !range_may_match(scan, range->stats, range->stats_count, range->live))
                continue;
            ARMI_TRY(armi_range_copy(range, &scan->next_range, err));
            scan->has_next = true;
        } else {
            scan->end = true;
        }
        if (scan->has_next && scan->next_range.live == 0) {
            armi_range_release(&scan->next_range);
            scan->has_next = false;
        }
    }
    return ARMI_OK;
}

/* ---- units ---- */

static int32_t wanted_id(const struct scan *scan, size_t i)
{
    return scan->version.schema.children[scan->wanted[i]].id;
}

static bool run_continues(const struct armi_column_run *run,
                          const struct armi_column_run *next)
{
    if (run->chunk == NULL || next->chunk == NULL)
        return run->chunk == next->chunk;
    return memcmp(&run->chunk->hash, &next->chunk->hash, ARMI_HASH_SIZE) == 0 &&
           run->row + run->rows == next->row;
}

/* Several ranges may have more distinct values than one array of the type can number. */
static bool has_narrow_indices(const struct armi_field *field)
{
    if (field->type == ARMI_TYPE_DICTIONARY &&
        armi_field_byte_width(&field->children[0]) < 4)
        return true;
    for (size_t i = 0; i < field->child_count; i++)
        if (has_narrow_indices(&field->children[i]))
            return true;
    return false;
}

static bool unit_takes(const struct scan *scan, const struct unit *unit)
{
    const struct armi_range *range = &scan->next_range;
    if (unit->rows == 0)
        return true;
    if (scan->ranges_apart || scan->one_range || unit->bytes > scan->batch_bytes ||
        range->bytes > scan->batch_bytes - unit->bytes)
        return false;
    for (size_t i = 0; i < scan->wanted_count; i++) {
        struct armi_column_run next = armi_range_run(range, wanted_id(scan, i));
        if (!run_continues(&unit->runs[i], &next))
            return false;
    }
    return true;
}

static enum armi_status unit_add(struct scan *scan, struct unit *unit,
                                 struct armi_error *err)
{
    if (unit->range_count == unit->range_capacity) {
        size_t capacity = unit->range_capacity != 0 ? unit->range_capacity * 2 : 8;
        void *ranges = armi_realloc(unit->ranges, unit->range_count * sizeof *unit->ranges,
                                    capacity * sizeof *unit->ranges);
        if (ranges == NULL)
            return armi_error_no_memory(err);
        unit->ranges = ranges;
        unit->range_capacity = capacity;
    }
    struct armi_range *range = &unit->ranges[unit->range_count++];
    *range = scan->next_range;
    scan->next_range = (struct armi_range)ARMI_RANGE_INIT;
    scan->has_next = false;
    unit->rows += range->live;
    unit->bytes += range->bytes;
    for (size_t i = 0; i < scan->wanted_count; i++) {
        /* The array may have moved: a run keeps its first range's reference. */
        struct armi_column_run next = armi_range_run(range, wanted_id(scan, i));
        struct armi_column_run first = armi_range_run(&unit->ranges[0], wanted_id(scan, i));
        if (unit->range_count == 1)
            unit->runs[i] = next;
        else
            unit->runs[i].rows += next.rows;
        unit->runs[i].chunk = first.chunk;
    }
    return ARMI_OK;
}

/* Fills one unit; its rows are 0 when there are no more ranges. */
static enum armi_status unit_fill(struct scan *scan, struct unit *unit,
                                  struct armi_error *err)
{
    unit->runs = armi_alloc_zero(scan->wanted_count, sizeof *unit->runs);
    unit->arrays = armi_alloc_zero(scan->wanted_count, sizeof *unit->arrays);
    if (unit->runs == NULL || unit->arrays == NULL)
        return armi_error_no_memory(err);
    for (;;) {
        ARMI_TRY(range_next(scan, err));
        if (!scan->has_next || !unit_takes(scan, unit))
            return ARMI_OK;
        ARMI_TRY(unit_add(scan, unit, err));
    }
}

/* Without a predicate the rows that are wanted are known before anything is decoded. */
static void unit_trim(struct scan *scan, struct unit *unit)
{
    unit->skip = scan->offset < unit->rows ? scan->offset : unit->rows;
    unit->take = unit->rows - unit->skip;
    scan->offset -= unit->skip;
    if (scan->has_limit) {
        if (unit->take > scan->limit)
            unit->take = scan->limit;
        scan->limit -= unit->take;
        scan->end = scan->end || scan->limit == 0;
    }
    for (size_t i = 0; i < scan->wanted_count; i++) {
        unit->runs[i].row += unit->skip;
        unit->runs[i].rows = unit->take;
    }
    unit->kept = unit->take;
}

static enum armi_status window_fill(struct scan *scan, struct armi_error *err)
{
    const struct armi_interrupt interrupt = {scan->callbacks.interrupted,
                                             scan->callbacks.ctx};
    uint64_t bytes = 0;
    scan->unit_count = scan->unit_at = 0;
    ARMI_TRY(armi_interrupt_check(&interrupt, err));
    if (scan->has_limit && scan->limit == 0)
        return ARMI_OK;
    while (scan->unit_count < WINDOW_UNITS && bytes < WINDOW_BYTES) {
        struct unit *unit = &scan->units[scan->unit_count];
        ARMI_TRY(unit_fill(scan, unit, err));
        if (unit->rows == 0) {
            unit_release(unit, scan->wanted_count);
            return ARMI_OK;
        }
        bytes += unit->bytes;
        scan->unit_count++;
        if (scan->where != NULL)
            continue;
        unit_trim(scan, unit);
        if (scan->has_limit && scan->limit == 0) {
            armi_range_release(&scan->next_range);
            scan->has_next = false;
            return ARMI_OK;
        }
    }
    return ARMI_OK;
}

/* ---- decoding ---- */

struct decode_job {
    struct scan *scan;
    size_t first, count; /* of the wanted columns */
};

static enum armi_status decode_task(void *ctx, size_t index, unsigned worker,
                                    struct armi_error *err)
{
    struct decode_job *job = ctx;
    (void)worker;
    struct scan *scan = job->scan;
    struct unit *unit = &scan->units[index / job->count];
    size_t i = job->first + index % job->count;
    if (unit->kept == 0)
        return ARMI_OK;
    return armi_column_reader_read(scan->reader,
                                   &scan->version.schema.children[scan->wanted[i]],
                                   &unit->runs[i], &unit->arrays[i], err);
}

static enum armi_status window_decode(struct scan *scan, size_t first, size_t count,
                                      struct armi_error *err)
{
    struct decode_job job = {scan, first, count};
    struct armi_parallel parallel = scan->io.parallel;
    parallel.interrupt =
        (struct armi_interrupt){scan->callbacks.interrupted, scan->callbacks.ctx};
    return armi_pool_run(&parallel, scan->unit_count * count, decode_task, &job, err);
}

/* Which rows of a unit match; the limit is applied to them in order. */
static enum armi_status unit_match(struct scan *scan, struct unit *unit,
                                   struct armi_error *err)
{
    size_t columns = scan->version.schema.child_count;
    struct armi_array *views = armi_alloc_zero(columns, sizeof *views);
    unit->keep = armi_alloc_zero(armi_bitmap_size(unit->rows) + 8, 1);
    enum armi_status st = ARMI_OK;
    if (views == NULL || unit->keep == NULL)
        st = armi_error_no_memory(err);
    for (size_t i = 0; i < scan->where_count && st == ARMI_OK; i++) {
        size_t c = scan->wanted[i];
        st = armi_array_init(&scan->version.schema.children[c], &unit->arrays[i],
                             ARMI_VALIDATE_NONE, &views[c], err);
    }
    if (st == ARMI_OK)
        st = armi_predicate_match(scan->where, views, (int64_t)unit->rows, unit->keep, err);
    for (size_t c = 0; views != NULL && c < columns; c++)
        armi_array_release(&views[c]);
    armi_free(views);
    if (st != ARMI_OK)
        return st;
    unit->kept = armi_bitmap_count(unit->keep, 0, unit->rows);
    if (scan->offset == 0 && (!scan->has_limit || unit->kept <= scan->limit)) {
        scan->limit -= scan->has_limit ? unit->kept : 0;
        return ARMI_OK;
    }
    unit->kept = 0;
    for (uint64_t r = 0; r < unit->rows; r++) {
        if (!armi_bit_get(unit->keep, r))
            continue;
        bool wanted = scan->offset == 0 && (!scan->has_limit || scan->limit > 0);
        if (scan->offset > 0)
            scan->offset--;
        else if (wanted && scan->has_limit)
            scan->limit--;
        unit->kept += wanted;
        armi_bit_put(unit->keep, r, wanted);
    }
    return ARMI_OK;
}

static enum armi_status window_read(struct scan *scan, struct armi_error *err)
{
    if (scan->where == NULL) {
        return window_decode(scan, 0, scan->wanted_count, err);
    }
    for (size_t u = 0; u < scan->unit_count; u++)
        scan->units[u].kept = scan->units[u].rows;
    ARMI_TRY(window_decode(scan, 0, scan->where_count, err));
    for (size_t u = 0; u < scan->unit_count; u++)
        ARMI_TRY(unit_match(scan, &scan->units[u], err));
    return window_decode(scan, scan->where_count, scan->wanted_count - scan->where_count,
                         err);
}

/* ---- batches ---- */

/* A wanted column of the unit as the output has it. A column that is asked for twice is
 * shared; one that `where` alone needs is left behind. */
static enum armi_status column_out(struct scan *scan, struct unit *unit, size_t i,
                                   struct ArrowArray *out, struct armi_error *err)
{
    const struct armi_field *field = &scan->version.schema.children[scan->wanted[i]];
    struct armi_array view = ARMI_ARRAY_INIT;
    if (unit->keep == NULL || unit->kept == unit->rows) {
        armi_arrow_array_move(&unit->arrays[i], out);
        return ARMI_OK;
    }
    ARMI_TRY(armi_array_init(field, &unit->arrays[i], ARMI_VALIDATE_NONE, &view, err));
    enum armi_status st = armi_select_filter(&view, unit->keep, 0, out, err);
    armi_array_release(&view);
    return st;
}

static enum armi_status unit_batch(struct scan *scan, struct unit *unit,
                                   struct ArrowArray *out, struct armi_error *err)
{
    struct ArrowArray *columns = armi_alloc_zero(scan->out_count, sizeof *columns);
    if (columns == NULL)
        return armi_error_no_memory(err);
    enum armi_status st = ARMI_OK;
    for (size_t i = 0; i < scan->out_count && st == ARMI_OK; i++)
        st = column_out(scan, unit, scan->out_columns[i], &columns[i], err);
    if (st == ARMI_OK)
        st = armi_arrow_array_batch(&scan->out_schema, (int64_t)unit->kept, columns, out,
                                    err);
    for (size_t i = 0; i < scan->out_count; i++)
        armi_arrow_array_release(&columns[i]);
    armi_free(columns);
    return st;
}

/* The longest run of rows of the whole batch that keeps to the limit: one at least. */
static int64_t part_rows(const struct scan *scan)
{
    int64_t fits = 1, over = scan->whole_view.length - scan->whole_at + 1;
    while (over - fits > 1) {
        int64_t mid = fits + (over - fits) / 2;
        struct armi_array slice = armi_array_slice(&scan->whole_view, scan->whole_at, mid);
        if ((uint64_t)armi_array_rows_size(&slice) <= scan->batch_bytes)
            fits = mid;
        else
            over = mid;
    }
    return fits;
}

static enum armi_status part_next(struct scan *scan, struct ArrowArray *out,
                                  struct armi_error *err)
{
    int64_t rows = part_rows(scan);
    ARMI_TRY(armi_array_export_slice(&scan->whole_view, scan->whole_at, rows, scan->whole,
                                     out, err));
    scan->whole_at += rows;
    if (scan->whole_at == scan->whole_view.length)
        whole_release(scan);
    return ARMI_OK;
}

/*
 * Cuts what is more than a batch is to be: a unit is a range at least, and rows that were written
 * before a column was widened are larger than their range says.
 */
static enum armi_status batch_limit(struct scan *scan, struct ArrowArray *batch,
                                    struct armi_error *err)
{
    struct armi_array view = ARMI_ARRAY_INIT;
    ARMI_TRY(armi_array_init(&scan->out_schema, batch, ARMI_VALIDATE_NONE, &view, err));
    bool fits = (uint64_t)armi_array_rows_size(&view) <= scan->batch_bytes;
    armi_array_release(&view);
    if (fits)
        return ARMI_OK;
    enum armi_status st = armi_array_hold(batch, &scan->whole, err);
    if (st == ARMI_OK)
        st = armi_array_init(&scan->out_schema, armi_holder_array(scan->whole),
                             ARMI_VALIDATE_NONE, &scan->whole_view, err);
    if (st == ARMI_OK)
        st = part_next(scan, batch, err);
    if (st != ARMI_OK) {
        whole_release(scan);
        armi_arrow_array_release(batch);
    }
    return st;
}

static enum armi_status scan_next(void *ctx, struct ArrowArray *out, struct armi_error *err)
{
    struct scan *scan = ctx;
    if (scan->generation != armi_handles_generation())
        return armi_error_set(err, ARMI_MISUSE,
                              "a scan that was begun before fork() was read in the child");
    for (;;) {
        if (scan->whole != NULL)
            return part_next(scan, out, err);
        if (scan->unit_at == scan->unit_count) {
            ARMI_TRY(window_fill(scan, err));
            if (scan->unit_count == 0)
                return ARMI_OK;
            ARMI_TRY(window_read(scan, err));
        }
        struct unit *unit = &scan->units[scan->unit_at++];
        enum armi_status st = unit->kept != 0 ? unit_batch(scan, unit, out, err) : ARMI_OK;
        bool has_batch = unit->kept != 0;
        if (st == ARMI_OK && has_batch && !scan->ranges_apart)
            st = batch_limit(scan, out, err);
        scan->rows_done += unit->rows;
        unit_release(unit, scan->wanted_count);
        if (scan->callbacks.progress != NULL)
            scan->callbacks.progress(scan->callbacks.ctx, scan->rows_done,
                                     scan->version.rows);
        if (st != ARMI_OK || has_batch)
            return st;
    }
}

/* ---- opening ---- */

static enum armi_status no_column(const struct scan *scan, const char *table,
                                  const char *name, struct armi_error *err)
{
    struct armi_buf list = {0};
    const struct armi_field *schema = &scan->version.schema;
    enum armi_status st = ARMI_OK;
    for (size_t c = 0; c < schema->child_count && list.size < 600 && st == ARMI_OK; c++) {
        if (c != 0)
            st = armi_buf_append(&list, ", ", 2, err);
        if (st == ARMI_OK)
            st = armi_buf_append(&list, schema->children[c].name,
                                 strlen(schema->children[c].name), err);
    }
    if (st == ARMI_OK)
        st = armi_buf_append_u8(&list, '\0', err);
    if (st == ARMI_OK)
        st = armi_error_object(err, ARMI_NOT_FOUND, "column", name,
                               "No column \"%s\" in table \"%s\" (columns: %s)", name,
                               table, (const char *)list.data);
    armi_buf_release(&list);
    return st;
}

/* The place of a column in `wanted`; it is added if it is not there. */
static size_t want(struct scan *scan, size_t column)
{
    for (size_t i = 0; i < scan->wanted_count; i++)
        if (scan->wanted[i] == column)
            return i;
    scan->wanted[scan->wanted_count] = column;
    return scan->wanted_count++;
}

static enum armi_status columns_resolve(struct scan *scan,
                                        const struct armi_table_scan *options,
                                        struct armi_error *err)
{
    const struct armi_field *schema = &scan->version.schema;
    size_t count = options->columns != NULL ? options->column_count : schema->child_count;
    size_t *indices = armi_alloc_array(count, sizeof *indices);
    scan->wanted = armi_alloc_array(schema->child_count, sizeof *scan->wanted);
    scan->out_columns = armi_alloc_array(count, sizeof *scan->out_columns);
    enum armi_status st = ARMI_OK;
    if (indices == NULL || scan->wanted == NULL || scan->out_columns == NULL)
        st = armi_error_no_memory(err);
    if (st == ARMI_OK && scan->where != NULL) {
        size_t used;
        const size_t *columns = armi_predicate_columns(scan->where, &used);
        for (size_t i = 0; i < used; i++)
            want(scan, columns[i]);
        scan->where_count = scan->wanted_count;
    }
    for (size_t i = 0; i < count && st == ARMI_OK; i++) {
        int64_t at = (int64_t)i;
        if (options->columns != NULL)
            at = armi_field_find(schema, options->columns[i]);
        for (size_t k = 0; k < i && at >= 0; k++)
            if (indices[k] == (size_t)at)
                st = armi_error_object(err, ARMI_INVALID, "column", options->columns[i],
                                       "column \"%s\" is asked for twice",
                                       options->columns[i]);
        if (at < 0)
            st = no_column(scan, options->name, options->columns[i], err);
        else
            indices[i] = (size_t)at;
    }
    for (size_t i = 0; i < count && st == ARMI_OK; i++)
        scan->out_columns[i] = want(scan, indices[i]);
    for (size_t i = 0; i < scan->wanted_count && st == ARMI_OK; i++)
        scan->one_range =
            scan->one_range || has_narrow_indices(&schema->children[scan->wanted[i]]);
    scan->out_count = count;
    if (st == ARMI_OK)
        st = armi_field_project(schema, indices, count, &scan->out_schema, err);
    armi_free(indices);
    return st;
}

/* The predicate knows no table: an unknown column is told again, with it. */
static enum armi_status where_compile(struct scan *scan,
                                      const struct armi_table_scan *options,
                                      struct armi_error *err)
{
    struct armi_error own = ARMI_ERROR_INIT;
    enum armi_status st =
        armi_predicate_compile(options->where, &scan->version.schema, &scan->where, &own);
    if (st == ARMI_NOT_FOUND)
        return no_column(scan, options->name, own.name, err);
    if (st != ARMI_OK && err != NULL) {
        own.size = err->size;
        *err = own;
    }
    return st;
}

static enum armi_status scan_begin(struct scan *scan, const struct armi_table_scan *options,
                                   struct armi_error *err)
{
    armi_tree_store_init(&scan->store, &scan->io.nodes);
    struct armi_tree tree = armi_tree_store_ranges(&scan->store);
    if (options->where != NULL)
        ARMI_TRY(where_compile(scan, options, err));
    ARMI_TRY(columns_resolve(scan, options, err));
    ARMI_TRY(armi_column_reader_new(&scan->io, options->cache, &scan->version.schema,
                                    &scan->reader, err));
    ARMI_TRY(armi_tree_cursor_new(&tree, &scan->version.root, &scan->cursor, err));
    if (scan->where != NULL) {
        struct armi_tree_filter filter = {range_may_match, scan};
        armi_tree_cursor_set_filter(scan->cursor, &filter);
    }
    if (scan->where == NULL && scan->offset < scan->version.root.rows &&
        scan->offset != 0) {
        /* Whole ranges before the offset are not even looked at. */
        ARMI_TRY(armi_tree_cursor_seek_row(scan->cursor, scan->offset, err));
        scan->offset -= armi_tree_cursor_row(scan->cursor);
        return ARMI_OK;
    }
    return armi_tree_cursor_seek_first(scan->cursor, err);
}

enum armi_status armi_table_scan_open(const struct armi_table_io *io,
                                      struct armi_table_version *version,
                                      const struct armi_table_scan *options,
                                      struct ArrowArrayStream *out, struct armi_error *err)
{
    struct scan *scan = armi_alloc_zero(1, sizeof *scan);
    if (scan == NULL)
        return armi_error_no_memory(err);
    scan->io = *io;
    scan->io.retain(scan->io.ctx);
    scan->version = *version;
    armi_table_version_init(version);
    scan->out_schema = (struct armi_field)ARMI_FIELD_INIT;
    scan->batch_bytes = options->batch_bytes != 0 ? options->batch_bytes : ARMI_BATCH_BYTES;
    scan->ranges_apart = options->ranges_apart;
    scan->has_limit = options->has_limit;
    scan->limit = options->limit;
    scan->offset = options->offset;
    scan->callbacks = options->callbacks;
    scan->generation = armi_handles_generation();
    enum armi_status st = scan_begin(scan, options, err);
    if (st == ARMI_OK) {
        struct armi_stream_callbacks callbacks = {scan_next, scan_free, scan};
        st = armi_stream_make(&scan->out_schema, 0, &callbacks, out, err);
    }
    if (st != ARMI_OK) {
        *version = scan->version; /* moved on success only */
        armi_table_version_init(&scan->version);
        scan_free(scan);
    }
    return st;
}
