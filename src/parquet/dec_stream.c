/*
 * A file as a stream of batches: the row groups in order, each cut into spans that stay under a batch's
 * bytes by the footer's word, and halved where the data turn out to need it.
 */
#include <stdio.h>
#include <string.h>

#include "arrow/array_make.h"
#include "arrow/field.h"
#include "arrow/stream.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "parquet/dec_file.h"

#define ROWS_STEP 65536 /* larger batches are whole numbers of it: pages are cut there */

struct stream {
    struct armi_parquet_file *file;
    struct armi_field schema;
    uint32_t *columns;
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
};

static void stream_free(void *ctx)
{
    struct stream *s = ctx;
    armi_pq_cursor_free(s->cursor);
    armi_field_release(&s->schema);
    armi_free(s->columns);
    armi_pq_file_unref(s->file);
    armi_free(s);
}

/* Bytes that a leaf's values may take in Arrow, by the footer. */
static double leaf_bytes(const struct armi_pq_leaf *leaf,
                         const struct armi_pq_column_meta *meta)
{
    double values = meta->value_count > 0 ? (double)meta->value_count : 0;
    double size = values * (leaf->arrow_width > 0 ? leaf->arrow_width : 4);
    if (leaf->physical == ARMI_PQ_BYTE_ARRAY && leaf->arrow_width == 0) {
        double stored = meta->uncompressed_size > 0 ? (double)meta->uncompressed_size : 0;
        double text = ARMI_PQ_HAS(&meta->sizes, 1) && meta->sizes.unencoded_bytes > 0
                          ? (double)meta->sizes.unencoded_bytes
                          : stored;
        size += text > stored ? text : stored;
    }
    return size + values / 8;
}

static int64_t span_rows(const struct stream *s)
{
    const struct armi_pq_row_group *group = &s->file->meta.row_groups.items[s->row_group];
    int64_t left = group->row_count - s->row;
    if (left > s->rows_left)
        left = s->rows_left;
    if (s->batch_rows > 0)
        return left < s->batch_rows ? left : s->batch_rows;
    double bytes = 0;
    for (size_t i = 0; i < s->column_count; i++) {
        const struct armi_pq_schema *schema = &s->file->schema;
        const struct armi_pq_node *node =
            &schema->nodes[schema->nodes[0].children[s->columns[i]]];
        for (uint32_t k = 0; k < node->leaf_count; k++) {
            const struct armi_pq_leaf *leaf = &schema->leaves[node->leaf_first + k];
            bytes += leaf_bytes(leaf, &group->columns.items[leaf->index].meta);
        }
    }
    if (bytes <= (double)ARMI_BATCH_BYTES)
        return left;
    double rows = (double)group->row_count * ((double)ARMI_BATCH_BYTES / bytes);
    int64_t fit = rows < 1 ? 1 : (int64_t)rows;
    if (fit > ROWS_STEP)
        fit -= fit % ROWS_STEP;
    return left < fit ? left : fit;
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

/* The span, halved while it is too large for 32-bit offsets. */
static enum armi_status read_span(struct stream *s, int64_t *rows,
                                  struct ArrowArray *columns, struct armi_error *err)
{
    for (;;) {
        enum armi_status status =
            armi_pq_cursor_read(s->cursor, s->row, *rows, columns, err);
        if (status != ARMI_LIMIT || *rows <= 1 || armi_pq_cursor_hit_budget(s->cursor))
            return status;
        *rows /= 2;
    }
}

static enum armi_status next_batch(struct stream *s, int64_t rows, struct ArrowArray *out,
                                   struct armi_error *err)
{
    struct ArrowArray *columns = armi_alloc_zero(s->column_count + 1, sizeof *columns);
    if (columns == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = ARMI_OK;
    if (s->cursor == NULL) {
        s->options.max_bytes = s->bytes_left;
        status = armi_pq_cursor_new(s->file, s->row_group, s->columns, s->column_count,
                                    &s->options, &s->cursor, err);
    }
    if (status == ARMI_OK) {
        armi_pq_cursor_set_max(s->cursor, s->bytes_left);
        status = read_span(s, &rows, columns, err);
    }
    if (status == ARMI_OK) {
        uint64_t used = s->bytes_left == UINT64_MAX ? 0 : array_bytes(s, columns);
        s->bytes_left = used < s->bytes_left ? s->bytes_left - used : 1;
        status = armi_arrow_array_batch(&s->schema, rows, columns, out, err);
    }
    for (size_t i = 0; i < s->column_count; i++)
        armi_arrow_array_release(&columns[i]);
    armi_free(columns);
    if (status == ARMI_OK) {
        s->row += rows;
        s->rows_left -= rows;
        s->rows_done += rows;
        if (s->callbacks.progress != NULL)
            s->callbacks.progress(s->callbacks.ctx, (uint64_t)s->rows_done,
                                  (uint64_t)s->rows_total);
    }
    return status;
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
        if (s->row < group_rows)
            return next_batch(s, span_rows(s), out, err);
        armi_pq_cursor_free(s->cursor);
        s->cursor = NULL;
        s->row_group++;
        s->row = 0;
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

static enum armi_status choose_columns(struct stream *s,
                                       const struct armi_parquet_decode_options *o,
                                       struct armi_error *err)
{
    const struct armi_field *root = s->file->schema.root;
    bool chosen = o->columns != NULL || o->column_indexes != NULL;
    s->column_count = chosen ? o->column_count : root->child_count;
    s->columns = armi_alloc_array(s->column_count + 1, sizeof *s->columns);
    if (s->columns == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < s->column_count; i++) {
        int64_t c = (int64_t)i;
        if (o->columns != NULL) {
            c = armi_field_find(root, o->columns[i]);
            if (c < 0)
                return no_column(root, o->columns[i], err);
        } else if (o->column_indexes != NULL) {
            c = o->column_indexes[i];
            if (c < 0 || (size_t)c >= root->child_count)
                return armi_error_set(err, ARMI_NOT_FOUND,
                                      "No column %lld in the Parquet file, which has %zu",
                                      (long long)c, root->child_count);
        }
        s->columns[i] = (uint32_t)c;
    }
    return ARMI_OK;
}

static enum armi_status stream_fill(struct stream *s,
                                    const struct armi_parquet_decode_options *o,
                                    struct armi_error *err)
{
    if (o->where != NULL && o->where[0] != '\0')
        return armi_error_set(err, ARMI_UNSUPPORTED,
                              "where is not evaluated by this reader");
    if (o->first_row < 0 || o->row_count < 0 || o->batch_rows < 0)
        return armi_error_set(err, ARMI_INVALID,
                              "first_row, row_count and batch_rows must be >= 0");
    ARMI_TRY(choose_columns(s, o, err));
    size_t *indexes = armi_alloc_array(s->column_count + 1, sizeof *indexes);
    if (indexes == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < s->column_count; i++)
        indexes[i] = s->columns[i];
    enum armi_status status =
        armi_field_project(s->file->schema.root, indexes, s->column_count, &s->schema, err);
    armi_free(indexes);
    if (status != ARMI_OK)
        return status;
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
