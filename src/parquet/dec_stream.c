/*
 * A file as a stream of batches: the row groups in order, each cut into spans that stay under a batch's
 * bytes by the footer's word, and halved where the data turn out to need it.
 */
#include <stdio.h>
#include <string.h>

#include "arrow/array_make.h"
#include "arrow/field.h"
#include "arrow/select.h"
#include "arrow/stream.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "parquet/dec_file.h"
#include "parquet/dec_filter.h"

#define FILTER_ROWS 131072 /* of a span that a predicate may leave out */
#define ROWS_STEP   65536  /* larger batches are whole numbers of it: pages are cut there */

struct stream {
    struct armi_parquet_file *file;
    struct armi_field schema;
    uint32_t *columns; /* nodes of the file's schema */
    size_t column_count;
    struct armi_pq_read_options options;
    struct armi_callbacks callbacks;
    int64_t batch_rows; /* 0: by size */
    uint64_t bytes_left;
    int64_t skip;      /* rows before the first */
    int64_t rows_left; /* of the whole result */
    int64_t rows_done, rows_total;
    uint32_t row_group;
    int64_t row; /* next row within it */
    struct armi_pq_cursor *cursor;
    /* With a predicate: its columns are read first, the others only where rows are kept. */
    struct armi_pq_filter *filter;
    struct armi_pq_cursor *filter_cursor;
    struct armi_pq_row_ranges ranges; /* of this row group, what pages may hold a row */
    size_t range;                     /* the one that `row` is in or before */
    bool has_ranges;
    size_t other_count;
    uint32_t *tested; /* the predicate's columns, as nodes */
    uint32_t *others; /* columns that the predicate does not read, each once */
    uint32_t
        *places; /* of each column of the result: below other_count one of those, else the
                         predicate's */
};

static void stream_free(void *ctx)
{
    struct stream *s = ctx;
    armi_pq_cursor_free(s->cursor);
    armi_pq_cursor_free(s->filter_cursor);
    armi_pq_filter_free(s->filter);
    armi_pq_row_ranges_release(&s->ranges);
    armi_field_release(&s->schema);
    armi_free(s->columns);
    armi_free(s->tested);
    armi_free(s->others);
    armi_free(s->places);
    armi_pq_file_unref(s->file);
    armi_free(s);
}

static int64_t divide_up(int64_t a, int64_t b)
{
    return a / b + (a % b != 0);
}

static int64_t min_rows(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t span_rows(const struct stream *s)
{
    const struct armi_pq_row_group *group = &s->file->meta.row_groups.items[s->row_group];
    int64_t left = min_rows(group->row_count - s->row, s->rows_left);
    if (s->filter != NULL)
        left = min_rows(left, s->ranges.items[s->range].to - s->row);
    if (s->batch_rows > 0)
        return min_rows(left, s->batch_rows);
    double bytes = 0;
    for (size_t i = 0; i < s->column_count; i++) {
        const struct armi_pq_schema *schema = &s->file->schema;
        const struct armi_pq_node *node = &schema->nodes[s->columns[i]];
        for (uint32_t k = 0; k < node->leaf_count; k++) {
            const struct armi_pq_leaf *leaf = &schema->leaves[node->leaf_first + k];
            bytes += armi_pq_leaf_bytes(leaf, &group->columns.items[leaf->index].meta);
        }
    }
    if ((bytes <= (double)ARMI_BATCH_BYTES && s->filter == NULL) || left == 0)
        return left;
    bytes = bytes < 1 ? 1 : bytes;
    double rows = (double)group->row_count * ((double)ARMI_BATCH_BYTES / bytes);
    int64_t fit = rows < 1 ? 1 : (int64_t)rows;
    if (fit > ROWS_STEP)
        fit -= fit % ROWS_STEP;
    if (s->filter != NULL)
        return min_rows(left, min_rows(fit, FILTER_ROWS));
    /* Spans of one size: before the last one most of the result is there, and all dictionaries. */
    int64_t even = divide_up(left, divide_up(left, fit));
    if (fit > ROWS_STEP)
        even = divide_up(even, ROWS_STEP) * ROWS_STEP;
    return min_rows(left, even);
}

static uint64_t array_bytes(const struct stream *s, const struct ArrowArray *columns)
{
    uint64_t total = 0;
    for (size_t i = 0; i < s->column_count; i++) {
        struct armi_array view = ARMI_ARRAY_INIT;
        if (armi_array_init(&s->schema.children[i], &columns[i], ARMI_VALIDATE_NONE, &view,
                            NULL) == ARMI_OK)
            total += (uint64_t)armi_array_data_size(&view);
        armi_array_release(&view);
    }
    return total;
}

/* The span from row `from` of the row group on, halved while it is too large for 32-bit offsets. */
static enum armi_status read_span(struct stream *s, struct armi_pq_cursor *cursor,
                                  int64_t from, int64_t *rows, struct ArrowArray *columns,
                                  struct armi_error *err)
{
    armi_pq_cursor_set_max(cursor, s->bytes_left);
    for (;;) {
        enum armi_status status = armi_pq_cursor_read(cursor, from, *rows, columns, err);
        if (status != ARMI_LIMIT || *rows <= 1 || armi_pq_cursor_hit_budget(cursor))
            return status;
        *rows /= 2;
    }
}

/* Whether so few of the row group's pages are wanted that each span should fetch its own. */
static bool reads_little(const struct stream *s)
{
    int64_t wanted = 0;
    for (size_t i = 0; i < s->ranges.count; i++)
        wanted += s->ranges.items[i].to - s->ranges.items[i].from;
    return wanted < s->file->meta.row_groups.items[s->row_group].row_count / 2;
}

/* Whether all that is wanted of the row group is a part of it, and comes in one span. */
static bool is_one_span(const struct stream *s)
{
    int64_t left = s->file->meta.row_groups.items[s->row_group].row_count - s->row;
    int64_t wanted = left < s->rows_left ? left : s->rows_left;
    return (s->row > 0 || wanted < left) && span_rows(s) == wanted;
}

static enum armi_status cursor_need(struct stream *s, const uint32_t *columns, size_t count,
                                    struct armi_pq_cursor **cursor, struct armi_error *err)
{
    if (*cursor != NULL)
        return ARMI_OK;
    s->options.max_bytes = s->bytes_left;
    ARMI_TRY(armi_pq_cursor_new_of_nodes(s->file, s->row_group, columns, count, &s->options,
                                         cursor, err));
    armi_pq_cursor_set_partial(*cursor,
                               s->filter != NULL ? reads_little(s) : is_one_span(s));
    return ARMI_OK;
}

static void step(struct stream *s, int64_t rows)
{
    s->row += rows;
    s->rows_left -= rows;
    s->rows_done += rows;
    if (s->callbacks.progress != NULL)
        s->callbacks.progress(s->callbacks.ctx, (uint64_t)s->rows_done,
                              (uint64_t)s->rows_total);
}

static void arrays_release(struct ArrowArray *arrays, size_t count)
{
    for (size_t i = 0; arrays != NULL && i < count; i++)
        armi_arrow_array_release(&arrays[i]);
    armi_free(arrays);
}

static enum armi_status next_batch(struct stream *s, int64_t rows, struct ArrowArray *out,
                                   struct armi_error *err)
{
    struct ArrowArray *columns = armi_alloc_zero(s->column_count + 1, sizeof *columns);
    if (columns == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = cursor_need(s, s->columns, s->column_count, &s->cursor, err);
    if (status == ARMI_OK)
        status = read_span(s, s->cursor, s->row, &rows, columns, err);
    if (status == ARMI_OK) {
        bool is_counted = rows < s->rows_left && s->bytes_left != UINT64_MAX;
        uint64_t used = is_counted ? array_bytes(s, columns) : 0;
        s->bytes_left = used < s->bytes_left ? s->bytes_left - used : 1;
        status = armi_arrow_array_batch(&s->schema, rows, columns, out, err);
    }
    arrays_release(columns, s->column_count);
    if (status == ARMI_OK)
        step(s, rows);
    return status;
}

/* The rows that are kept, of each column of the result; `others` begin with row `skip`. */
static enum armi_status select_rows(struct stream *s, const struct ArrowArray *others,
                                    const struct ArrowArray *tested, const uint8_t *keep,
                                    int64_t skip, struct ArrowArray *columns,
                                    struct armi_error *err)
{
    for (size_t i = 0; i < s->column_count; i++) {
        uint32_t place = s->places[i];
        bool is_other = place < s->other_count;
        const struct ArrowArray *from =
            is_other ? &others[place] : &tested[place - s->other_count];
        struct armi_array view = ARMI_ARRAY_INIT;
        ARMI_TRY(
            armi_array_init(&s->schema.children[i], from, ARMI_VALIDATE_NONE, &view, err));
        enum armi_status status =
            armi_select_filter(&view, keep, is_other ? (size_t)skip : 0, &columns[i], err);
        armi_array_release(&view);
        ARMI_TRY(status);
    }
    return ARMI_OK;
}

/* What one span of a filtered stream has on its way. */
struct filtered {
    size_t tested_count;
    struct ArrowArray *tested; /* the predicate's columns */
    struct ArrowArray *others;
    struct ArrowArray *columns; /* of the result */
    uint8_t *keep;
    int64_t kept;
};

static void filtered_release(const struct stream *s, struct filtered *f)
{
    arrays_release(f->tested, f->tested_count);
    arrays_release(f->others, s->other_count);
    arrays_release(f->columns, s->column_count);
    armi_free(f->keep);
}

/* Which of the rows are kept. *rows falls where not so many could be read at once. */
static enum armi_status test_rows(struct stream *s, struct filtered *f, int64_t *rows,
                                  struct armi_error *err)
{
    armi_pq_filter_columns(s->filter, &f->tested_count);
    f->tested = armi_alloc_zero(f->tested_count + 1, sizeof *f->tested);
    f->others = armi_alloc_zero(s->other_count + 1, sizeof *f->others);
    f->columns = armi_alloc_zero(s->column_count + 1, sizeof *f->columns);
    f->keep = armi_alloc_zero(armi_bitmap_size((size_t)*rows) + 8, 1);
    if (f->tested == NULL || f->others == NULL || f->columns == NULL || f->keep == NULL)
        return armi_error_no_memory(err);
    ARMI_TRY(cursor_need(s, s->tested, f->tested_count, &s->filter_cursor, err));
    ARMI_TRY(read_span(s, s->filter_cursor, s->row, rows, f->tested, err));
    ARMI_TRY(armi_pq_filter_match(s->filter, f->tested, *rows, f->keep, err));
    f->kept = (int64_t)armi_bitmap_count(f->keep, 0, (size_t)*rows);
    return ARMI_OK;
}

/* The first kept row, and the one behind the last. */
static void kept_span(const uint8_t *keep, int64_t rows, int64_t *out_from, int64_t *out_to)
{
    int64_t from = 0, to = rows;
    while (from < to && !armi_bit_get(keep, (size_t)from))
        from = from % 8 == 0 && keep[from / 8] == 0 ? from + 8 : from + 1;
    while (to > from && !armi_bit_get(keep, (size_t)to - 1))
        to = to % 8 == 0 && keep[to / 8 - 1] == 0 ? to - 8 : to - 1;
    *out_from = from;
    *out_to = to;
}

/* What the predicate reads, then, from the first kept row to the last, the rest. No batch where it
 * keeps none. */
static enum armi_status next_filtered(struct stream *s, int64_t rows,
                                      struct ArrowArray *out, struct armi_error *err)
{
    struct filtered f = {0};
    int64_t skip = 0, end = 0;
    enum armi_status status = test_rows(s, &f, &rows, err);
    if (status == ARMI_OK && f.kept > 0) {
        kept_span(f.keep, rows, &skip, &end);
        int64_t wanted = end - skip;
        status = cursor_need(s, s->others, s->other_count, &s->cursor, err);
        if (status == ARMI_OK)
            status = read_span(s, s->cursor, s->row + skip, &wanted, f.others, err);
        if (status == ARMI_OK && wanted < end - skip) {
            filtered_release(s, &f); /* the others had to be read in smaller spans */
            return next_filtered(s, skip + wanted, out, err);
        }
        if (status == ARMI_OK)
            status = select_rows(s, f.others, f.tested, f.keep, skip, f.columns, err);
        if (status == ARMI_OK) {
            uint64_t used = s->bytes_left == UINT64_MAX ? 0 : array_bytes(s, f.columns);
            s->bytes_left = used < s->bytes_left ? s->bytes_left - used : 1;
            status = armi_arrow_array_batch(&s->schema, f.kept, f.columns, out, err);
        }
    }
    if (status == ARMI_OK)
        step(s, rows);
    filtered_release(s, &f);
    return status;
}

static void end_group(struct stream *s)
{
    armi_pq_cursor_free(s->cursor);
    armi_pq_cursor_free(s->filter_cursor);
    s->cursor = s->filter_cursor = NULL;
    armi_pq_row_ranges_release(&s->ranges);
    s->has_ranges = false;
    s->range = 0;
    s->row_group++;
    s->row = 0;
}

/* Moves to the next row that a page may hold; false: none is left in this row group. */
static bool skip_pages(struct stream *s)
{
    while (s->range < s->ranges.count && s->ranges.items[s->range].to <= s->row)
        s->range++;
    int64_t left = s->file->meta.row_groups.items[s->row_group].row_count - s->row;
    bool any = s->range < s->ranges.count;
    if (any)
        left = s->ranges.items[s->range].from > s->row
                   ? s->ranges.items[s->range].from - s->row
                   : 0;
    if (left > s->rows_left)
        left = s->rows_left;
    if (left > 0)
        step(s, left);
    return any && s->rows_left > 0;
}

/* The row group's statistics and page indexes, once. */
static enum armi_status need_ranges(struct stream *s, struct armi_error *err)
{
    if (s->has_ranges)
        return ARMI_OK;
    if (armi_pq_filter_may_match(s->filter, s->row_group))
        ARMI_TRY(armi_pq_filter_ranges(s->filter, s->row_group, &s->ranges, err));
    s->has_ranges = true;
    return ARMI_OK;
}

static enum armi_status stream_next(void *ctx, struct ArrowArray *out,
                                    struct armi_error *err)
{
    struct stream *s = ctx;
    while (s->rows_left > 0 && s->row_group < s->file->meta.row_groups.count) {
        int64_t group_rows = s->file->meta.row_groups.items[s->row_group].row_count;
        if (s->row == 0 && s->skip >= group_rows) {
            s->skip -= group_rows;
            s->row_group++;
            continue;
        }
        s->row += s->skip;
        s->skip = 0;
        if (s->row >= group_rows) {
            end_group(s);
            continue;
        }
        if (s->filter == NULL)
            return next_batch(s, span_rows(s), out, err);
        ARMI_TRY(need_ranges(s, err));
        if (!skip_pages(s)) {
            end_group(s);
            continue;
        }
        ARMI_TRY(armi_interrupt_check(&s->options.parallel.interrupt, err));
        ARMI_TRY(next_filtered(s, span_rows(s), out, err));
        if (out->release != NULL)
            return ARMI_OK;
    }
    return ARMI_OK;
}

/* ---- options ---- */

static enum armi_status no_column(const struct armi_field *root, const char *name,
                                  struct armi_error *err)
{
    char names[512];
    size_t at = 0;
    names[0] = '\0';
    for (size_t i = 0; i < root->child_count && at + 8 < sizeof names; i++) {
        int n = snprintf(names + at, sizeof names - at, "%s%s", i > 0 ? ", " : "",
                         root->children[i].name);
        at += n > 0 ? (size_t)n : 0;
    }
    if (at >= sizeof names - 8)
        memcpy(names + sizeof names - 4, "...", 4);
    return armi_error_object(err, ARMI_NOT_FOUND, "column", name,
                             "No column \"%s\" in the Parquet file (columns: %s)", name,
                             names);
}

/* "a.b.c" among the members of structs; a name may have dots itself. 0: there is none. */
static uint32_t find_member(const struct armi_pq_schema *schema, uint32_t node,
                            const char *name)
{
    const struct armi_pq_node *n = &schema->nodes[node];
    uint32_t found = 0;
    for (uint32_t i = 0; i < n->child_count && found == 0; i++)
        if (strcmp(schema->nodes[n->children[i]].field->name, name) == 0)
            found = n->children[i];
    for (uint32_t i = 0; i < n->child_count && found == 0; i++) {
        const struct armi_pq_node *child = &schema->nodes[n->children[i]];
        size_t length = strlen(child->field->name);
        if (child->shape == ARMI_PQ_SHAPE_STRUCT && name[0] != '\0' &&
            strncmp(name, child->field->name, length) == 0 && name[length] == '.')
            found = find_member(schema, n->children[i], name + length + 1);
    }
    return found;
}

static enum armi_status choose_columns(struct stream *s,
                                       const struct armi_parquet_decode_options *o,
                                       struct armi_error *err)
{
    const struct armi_pq_schema *schema = &s->file->schema;
    const struct armi_field *root = schema->root;
    bool chosen = o->columns != NULL || o->column_indexes != NULL;
    s->column_count = chosen ? o->column_count : root->child_count;
    s->columns = armi_alloc_array(s->column_count + 1, sizeof *s->columns);
    if (s->columns == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < s->column_count; i++) {
        int64_t c = (int64_t)i;
        if (o->columns != NULL) {
            s->columns[i] = find_member(schema, 0, o->columns[i]);
            if (s->columns[i] == 0)
                return no_column(root, o->columns[i], err);
            continue;
        }
        if (o->column_indexes != NULL) {
            c = o->column_indexes[i];
            if (c < 0 || (size_t)c >= root->child_count)
                return armi_error_set(err, ARMI_NOT_FOUND,
                                      "No column %lld in the Parquet file, which has %zu",
                                      (long long)c, root->child_count);
        }
        s->columns[i] = schema->nodes[0].children[c];
    }
    return ARMI_OK;
}

/* Where each column of the result is read: with the predicate, or beside it. */
static enum armi_status place_columns(struct stream *s, struct armi_error *err)
{
    size_t tested_count;
    const uint32_t *tested = armi_pq_filter_columns(s->filter, &tested_count);
    const struct armi_pq_schema *schema = &s->file->schema;
    /* By node; 0: not yet; n + 1 */
    uint32_t *place = armi_alloc_zero(schema->node_count + 1, sizeof *place);
    s->tested = armi_alloc_array(tested_count + 1, sizeof *s->tested);
    s->others = armi_alloc_array(s->column_count + 1, sizeof *s->others);
    s->places = armi_alloc_array(s->column_count + 1, sizeof *s->places);
    if (place == NULL || s->tested == NULL || s->others == NULL || s->places == NULL) {
        armi_free(place);
        return armi_error_no_memory(err);
    }
    for (size_t i = 0; i < tested_count; i++) {
        s->tested[i] = schema->nodes[0].children[tested[i]];
        place[s->tested[i]] = UINT32_MAX - (uint32_t)i;
    }
    for (size_t i = 0; i < s->column_count; i++) {
        uint32_t *p = &place[s->columns[i]];
        if (*p == 0) {
            s->others[s->other_count] = s->columns[i];
            *p = (uint32_t)++s->other_count;
        }
    }
    for (size_t i = 0; i < s->column_count; i++) {
        uint32_t p = place[s->columns[i]];
        s->places[i] =
            p <= s->other_count ? p - 1 : (uint32_t)s->other_count + (UINT32_MAX - p);
    }
    armi_free(place);
    return ARMI_OK;
}

/* The top-level column that a node is or lies in. */
static uint32_t top_of(const struct armi_pq_schema *schema, uint32_t node)
{
    uint32_t c = 0;
    if (schema->nodes[node].leaf_count > 0)
        return schema->leaves[schema->nodes[node].leaf_first].top;
    while (schema->nodes[node].parent != 0)
        node = schema->nodes[node].parent;
    while (schema->nodes[0].children[c] != node)
        c++;
    return c;
}

/* A member of a struct as a column: by its path, null where a struct above it is. */
static enum armi_status member_field(const struct armi_pq_schema *schema, uint32_t node,
                                     struct armi_field *field, struct armi_error *err)
{
    struct armi_field member = ARMI_FIELD_INIT;
    struct armi_buf path = {0};
    enum armi_status status = armi_field_copy(schema->nodes[node].field, &member, err);
    uint32_t chain[ARMI_NESTING_MAX + 1];
    size_t depth = 0;
    for (uint32_t n = node; n != 0 && depth <= ARMI_NESTING_MAX;
         n = schema->nodes[n].parent)
        chain[depth++] = n;
    while (status == ARMI_OK && depth-- > 0) {
        const struct armi_field *step = schema->nodes[chain[depth]].field;
        member.nullable |= step->nullable;
        status = armi_buf_append(&path, step->name, strlen(step->name), err);
        if (status == ARMI_OK)
            status = armi_buf_append(&path, depth > 0 ? "." : "", 1, err);
    }
    if (status == ARMI_OK)
        status = armi_field_set_name(&member, (const char *)path.data, err);
    armi_buf_release(&path);
    if (status != ARMI_OK) {
        armi_field_release(&member);
        return status;
    }
    armi_field_release(field);
    *field = member;
    return ARMI_OK;
}

static enum armi_status make_schema(struct stream *s, struct armi_error *err)
{
    const struct armi_pq_schema *schema = &s->file->schema;
    size_t *tops = armi_alloc_array(s->column_count + 1, sizeof *tops);
    if (tops == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < s->column_count; i++)
        tops[i] = top_of(schema, s->columns[i]);
    enum armi_status status =
        armi_field_project(schema->root, tops, s->column_count, &s->schema, err);
    armi_free(tops);
    for (size_t i = 0; status == ARMI_OK && i < s->column_count; i++)
        if (schema->nodes[s->columns[i]].parent != 0)
            status = member_field(schema, s->columns[i], &s->schema.children[i], err);
    return status;
}

static enum armi_status stream_fill(struct stream *s,
                                    const struct armi_parquet_decode_options *o,
                                    struct armi_error *err)
{
    if (o->first_row < 0 || o->row_count < 0 || o->batch_rows < 0)
        return armi_error_set(err, ARMI_INVALID,
                              "first_row, row_count and batch_rows must be >= 0");
    ARMI_TRY(choose_columns(s, o, err));
    if (o->where != NULL && o->where[0] != '\0') {
        ARMI_TRY(armi_pq_filter_new(s->file, o->where, &s->filter, err));
        ARMI_TRY(place_columns(s, err));
    }
    ARMI_TRY(make_schema(s, err));
    s->options.parallel.threads = o->threads;
    s->options.parallel.interrupt.interrupted = o->callbacks.interrupted;
    s->options.parallel.interrupt.ctx = o->callbacks.ctx;
    s->options.no_checksum = o->no_checksum;
    s->callbacks = o->callbacks;
    s->batch_rows = o->batch_rows;
    s->bytes_left = o->max_bytes != 0 ? o->max_bytes : ARMI_RESULT_BYTES;
    int64_t after = s->file->rows > o->first_row ? s->file->rows - o->first_row : 0;
    s->skip = o->first_row;
    s->rows_left = o->row_count > 0 && o->row_count < after ? o->row_count : after;
    s->rows_total = s->rows_left;
    return ARMI_OK;
}

enum armi_status armi_parquet_file_read(struct armi_parquet_file *file,
                                        const struct armi_parquet_decode_options *options,
                                        struct ArrowArrayStream *out,
                                        struct armi_error *err)
{
    struct armi_parquet_decode_options o = ARMI_PARQUET_DECODE_OPTIONS_INIT;
    if (options != NULL)
        memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    struct stream *s = armi_alloc_zero(1, sizeof *s);
    if (s == NULL)
        return armi_error_no_memory(err);
    s->schema = (struct armi_field)ARMI_FIELD_INIT;
    s->file = armi_pq_file_ref(file);
    enum armi_status status = stream_fill(s, &o, err);
    struct armi_stream_callbacks callbacks = {stream_next, stream_free, s};
    if (status == ARMI_OK)
        status = armi_stream_make(&s->schema, ARMI_EXPORT_IDS, &callbacks, out, err);
    if (status != ARMI_OK)
        stream_free(s);
    return status;
}
