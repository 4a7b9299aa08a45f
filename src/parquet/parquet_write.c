/*
 * The public encoder: pulls a stream, cuts it into row groups, and gives bytes or a file.
 */
#include <armillaria/parquet.h>

#include <string.h>

#include "arrow/array_make.h"
#include "arrow/stream.h"
#include "base/alloc.h"
#include "base/checked.h"
#include "base/slab.h"
#include "base/text.h"
#include "os/os.h"
#include "parquet/parquet_encode.h"

#define GROUP_ROWS  ((int64_t)1 << 20)
#define GROUP_BYTES ((int64_t)128 << 20)
#define KEPT_BYTES  ((int64_t)64 << 20) /* of input that pages may point into */

/* Batches that wait to become a row group. All arrays and views live until `release`. */
struct group_input {
    struct armi_array_list batches; /* every batch so far: pages may point into them */
    struct armi_buf views;          /* of struct armi_array *, one root a batch */
    size_t kept;                    /* batches at the front that pages point into */
    size_t first;                   /* batch and row where the next row group begins */
    int64_t first_row;
    int64_t rows; /* waiting */
    int64_t bytes;
};

struct write_job {
    struct armi_field schema;
    struct armi_pq_encode_settings settings;
    int64_t group_rows;
    int64_t group_bytes;
    struct group_input input;
    struct armi_pq_encoder *encoder;
    uint32_t *bloom_columns;
    int64_t rows;
    int64_t groups;
    bool is_plain_file; /* no chunk: carries no block values */
    bool keeps_batches; /* no sink yet: the output points into the batches */
    int64_t kept_bytes; /* in them: when it gets much, they are kept no longer */
};

static struct armi_array *view_at(const struct write_job *job, size_t i)
{
    struct armi_array *view;
    memcpy(&view, job->input.views.data + i * sizeof view, sizeof view);
    return view;
}

static size_t view_count(const struct write_job *job)
{
    return job->input.views.size / sizeof(struct armi_array *);
}

/* Forgets batches [from, to). */
static void batches_drop(struct write_job *job, size_t from, size_t to)
{
    size_t size = sizeof(struct armi_array *);
    for (size_t i = from; i < to; i++) {
        struct armi_array *view = view_at(job, i);
        armi_array_release(view);
        armi_free(view);
        armi_arrow_array_release(&job->input.batches.arrays[i]);
    }
    size_t behind = view_count(job) - to;
    if (to > from && behind > 0) {
        memmove(job->input.views.data + from * size, job->input.views.data + to * size,
                behind * size);
        memmove(job->input.batches.arrays + from, job->input.batches.arrays + to,
                behind * sizeof *job->input.batches.arrays);
    }
    job->input.views.size = (from + behind) * size;
    job->input.batches.count = from + behind;
}

static void job_release(struct write_job *job)
{
    armi_pq_encoder_free(job->encoder);
    batches_drop(job, 0, view_count(job));
    armi_array_list_release(&job->input.batches);
    armi_buf_release(&job->input.views);
    armi_field_release(&job->schema);
    armi_free(job->bloom_columns);
    armi_free(job);
}

/* The columns' pieces for the next `rows` rows; *columns is one block to free. */
static enum armi_status pieces_make(struct write_job *job, int64_t rows,
                                    struct armi_pq_column_pieces **out,
                                    struct armi_error *err)
{
    size_t batches = view_count(job) - job->input.first, width = job->schema.child_count;
    size_t cells, cell_bytes, head, size;
    if (!armi_size_mul(batches, width, &cells) ||
        !armi_size_mul(cells, sizeof(struct armi_array), &cell_bytes) ||
        !armi_size_mul(width + 1, sizeof **out, &head) ||
        !armi_size_add(head, cell_bytes, &size))
        return armi_error_no_memory(err);
    struct armi_pq_column_pieces *columns = armi_alloc_zero(1, size + 64);
    if (columns == NULL)
        return armi_error_no_memory(err);
    struct armi_array *cell =
        (struct armi_array *)(void *)((uint8_t *)columns + ((head + 63) & ~(size_t)63));
    for (size_t c = 0; c < width; c++) {
        int64_t skip = job->input.first_row, left = rows;
        columns[c].pieces = cell;
        for (size_t b = 0; b < batches && left > 0; b++) {
            struct armi_array column =
                armi_array_column(view_at(job, job->input.first + b), c);
            int64_t n = column.length - skip < left ? column.length - skip : left;
            *cell++ = armi_array_slice(&column, skip, n);
            columns[c].count++;
            left -= n;
            skip = 0;
        }
    }
    *out = columns;
    return ARMI_OK;
}

static void input_advance(struct write_job *job, int64_t rows)
{
    struct group_input *in = &job->input;
    in->rows -= rows;
    while (rows > 0) {
        int64_t left = view_at(job, in->first)->length - in->first_row;
        if (rows < left) {
            in->first_row += rows;
            break;
        }
        rows -= left;
        in->first++;
        in->first_row = 0;
    }
}

/* What pages point into is kept up to a limit; plain pages of later rows are copied. */
static void input_release(struct write_job *job, int64_t bytes)
{
    struct group_input *in = &job->input;
    if (!job->keeps_batches) {
        if (in->first > in->kept) {
            batches_drop(job, in->kept, in->first);
            in->first = in->kept;
        }
        return;
    }
    job->kept_bytes += bytes;
    if (job->kept_bytes < KEPT_BYTES)
        return;
    job->keeps_batches = false;
    in->kept = in->first_row > 0 ? in->first + 1 : in->first;
    armi_pq_encoder_set_no_borrow(job->encoder);
}

static enum armi_status group_flush(struct write_job *job, int64_t rows,
                                    struct armi_error *err)
{
    struct armi_pq_column_pieces *columns = NULL;
    int64_t share = (int64_t)((double)job->input.bytes * (double)rows /
                              (double)(job->input.rows > 0 ? job->input.rows : 1));
    ARMI_TRY(pieces_make(job, rows, &columns, err));
    enum armi_status status = armi_pq_encoder_add(job->encoder, columns, rows, err);
    armi_free(columns);
    if (status != ARMI_OK)
        return status;
    input_advance(job, rows);
    job->rows += rows;
    job->groups++;
    input_release(job, share);
    return ARMI_OK;
}

static enum armi_status batch_add(struct write_job *job, struct ArrowArray *batch,
                                  struct armi_error *err)
{
    if (batch->length == 0)
        return ARMI_OK;
    struct armi_array *view = armi_alloc(sizeof *view);
    if (view == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = armi_array_init_rows(&job->schema, batch, ARMI_VALIDATE_FULL,
                                                   job->rows + job->input.rows,
                                                   &job->settings.parallel, view, err);
    if (status != ARMI_OK) {
        armi_free(view);
        return status;
    }
    status = armi_buf_reserve(&job->input.views, sizeof view, err);
    if (status == ARMI_OK)
        status = armi_array_list_add(&job->input.batches, batch, err);
    if (status != ARMI_OK) {
        armi_array_release(view);
        armi_free(view);
        return status;
    }
    ARMI_TRY(armi_buf_append(&job->input.views, &view, sizeof view, err));
    job->input.rows += view->length;
    job->input.bytes += armi_array_rows_size(view); /* what batches share counts in none */
    return ARMI_OK;
}

/* Rows for one row group, given how wide the rows are on average. */
static int64_t group_rows(const struct write_job *job)
{
    int64_t rows = job->group_rows;
    if (job->input.rows > 0 && job->input.bytes > job->group_bytes) {
        double share = (double)job->group_bytes / (double)job->input.bytes;
        int64_t fit = (int64_t)((double)job->input.rows * share);
        rows = fit < 1 ? 1 : fit < rows ? fit : rows;
    }
    return rows;
}

static enum armi_status groups_flush(struct write_job *job, bool all,
                                     struct armi_error *err)
{
    while (job->input.rows > 0) {
        int64_t rows = group_rows(job);
        if (rows > job->input.rows || (rows == job->input.rows && !all))
            rows = job->input.rows;
        bool full =
            job->input.rows >= job->group_rows || job->input.bytes >= job->group_bytes;
        if (!all && !full)
            return ARMI_OK;
        int64_t before = job->input.rows, bytes = job->input.bytes;
        ARMI_TRY(group_flush(job, rows, err));
        job->input.bytes =
            job->input.rows == 0
                ? 0
                : (int64_t)((double)bytes * (double)job->input.rows / (double)before);
    }
    return ARMI_OK;
}

static enum armi_status bloom_resolve(struct write_job *job,
                                      const struct armi_parquet_encode_options *options,
                                      struct armi_error *err)
{
    if (options == NULL || options->bloom_column_count == 0)
        return ARMI_OK;
    size_t count = options->bloom_column_count;
    job->bloom_columns = armi_alloc_array(count, sizeof *job->bloom_columns);
    if (job->bloom_columns == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        int64_t found = armi_field_find(&job->schema, options->bloom_columns[i]);
        if (found < 0)
            return armi_error_object(err, ARMI_NOT_FOUND, "column",
                                     options->bloom_columns[i], "No column \"%s\"",
                                     options->bloom_columns[i]);
        job->bloom_columns[i] = (uint32_t)found;
    }
    job->settings.bloom_columns = job->bloom_columns;
    job->settings.bloom_count = count;
    return ARMI_OK;
}

static enum armi_status job_begin(struct write_job *job, struct ArrowArrayStream *data,
                                  const struct armi_parquet_encode_options *options,
                                  const struct armi_pq_sink *sink, struct armi_error *err)
{
    ARMI_TRY(armi_pq_encode_settings_from(options, &job->settings, err));
    job->settings.no_block_values = job->is_plain_file;
    job->keeps_batches = sink == NULL;
    job->group_rows = options != NULL && options->row_group_rows > 0
                          ? options->row_group_rows
                          : GROUP_ROWS;
    job->group_bytes = options != NULL && options->row_group_bytes > 0
                           ? options->row_group_bytes
                           : GROUP_BYTES;
    ARMI_TRY(armi_stream_schema(data, &job->schema, err));
    if (job->schema.type != ARMI_TYPE_STRUCT)
        return armi_error_set(err, ARMI_INVALID, "not tabular data: a stream of %s",
                              armi_type_name(job->schema.type));
    armi_field_strip_reserved(&job->schema);
    armi_field_take_ids(&job->schema);
    ARMI_TRY(armi_field_check_carried(&job->schema, err));
    ARMI_TRY(bloom_resolve(job, options, err));
    return armi_pq_encoder_new(&job->settings, &job->schema, sink, &job->encoder, err);
}

/* Pulls everything through; `out` is what the encoder's finish gives. */
static enum armi_status job_run(struct write_job *job, struct ArrowArrayStream *data,
                                struct armi_pq_output *out, struct armi_error *err)
{
    for (;;) {
        struct ArrowArray batch = {0};
        ARMI_TRY(armi_interrupt_check(&job->settings.parallel.interrupt, err));
        ARMI_TRY(armi_stream_next(data, &batch, err));
        if (batch.release == NULL)
            break;
        enum armi_status status = batch_add(job, &batch, err);
        armi_arrow_array_release(&batch);
        ARMI_TRY(status);
        ARMI_TRY(groups_flush(job, false, err));
    }
    ARMI_TRY(groups_flush(job, true, err));
    return armi_pq_encoder_finish(job->encoder, out, err);
}

static void bytes_release(struct armi_bytes *bytes)
{
    armi_slab_give(bytes->private_data);
    *bytes = (struct armi_bytes){0};
}

/* The file in one piece, where the options say. */
static enum armi_status output_join(const struct armi_pq_output *output,
                                    const struct armi_parquet_encode_options *options,
                                    const struct armi_parallel *parallel,
                                    struct armi_bytes *out, struct armi_error *err)
{
    struct armi_bytes bytes = {.size = output->size};
    struct armi_slab *slab;
    if (options != NULL && options->allocate != NULL) {
        bytes.data = options->allocate(options->allocate_ctx, output->size);
        if (bytes.data == NULL)
            return armi_error_no_memory(err);
    } else {
        ARMI_TRY(armi_slab_take_buffer(output->size, &slab, err));
        bytes = (struct armi_bytes){slab->data, output->size, bytes_release, slab};
    }
    enum armi_status status =
        armi_pq_output_copy(output, parallel, (uint8_t *)(uintptr_t)bytes.data, err);
    if (status != ARMI_OK)
        armi_bytes_release(&bytes);
    else
        *out = bytes;
    return status;
}

enum armi_status armi_parquet_encode(struct ArrowArrayStream *data,
                                     const struct armi_parquet_encode_options *options,
                                     struct armi_bytes *out, struct armi_error *err)
{
    struct armi_pq_output output = {0};
    struct write_job *job = armi_alloc_zero(1, sizeof *job);
    enum armi_status status =
        job != NULL ? job_begin(job, data, options, NULL, err) : armi_error_no_memory(err);
    if (status == ARMI_OK)
        status = job_run(job, data, &output, err);
    if (status == ARMI_OK)
        status = output_join(&output, options, &job->settings.parallel, out, err);
    armi_pq_output_release(&output);
    if (job != NULL)
        job_release(job);
    armi_stream_release(data);
    return status;
}

/* ---- to a file ---- */

struct file_sink {
    const struct armi_os *os;
    int fd;
    uint64_t offset;
    const char *path;
};

static enum armi_status file_write(void *ctx, const struct armi_slice *slices, size_t count,
                                   struct armi_error *err)
{
    struct file_sink *sink = ctx;
    int rc = count > 0
                 ? armi_os_writev_full(sink->os, sink->fd, slices, count, sink->offset)
                 : 0;
    if (rc < 0)
        return armi_error_errno(err, -rc, "write %s", sink->path);
    for (size_t i = 0; i < count; i++)
        sink->offset += slices[i].size;
    return ARMI_OK;
}

/* "<path>.<16 random digits>.tmp", beside the file that it becomes. */
static char *temporary_name(const struct armi_os *os, const char *path)
{
    uint8_t noise[8];
    size_t size = strlen(path);
    char *name = armi_alloc(size + 2 * sizeof noise + 6);
    if (name == NULL || os->random(os, noise, sizeof noise) < 0) {
        armi_free(name);
        return NULL;
    }
    memcpy(name, path, size);
    name[size] = '.';
    armi_hex_encode(noise, sizeof noise, name + size + 1);
    memcpy(name + size + 1 + 2 * sizeof noise, ".tmp", 5);
    return name;
}

/* A folder is told before anything is encoded. */
static enum armi_status target_check(const struct armi_os *os, const char *path,
                                     struct armi_error *err)
{
    struct armi_file_stat stat;
    int rc = os->stat_at(os, ARMI_OS_CWD, path, &stat);
    if (rc == 0 && stat.kind == ARMI_ENTRY_DIRECTORY)
        return armi_error_object(err, ARMI_INVALID, "file", path, "%s is a folder", path);
    return ARMI_OK;
}

static enum armi_status file_encode(struct ArrowArrayStream *data, struct file_sink *file,
                                    const struct armi_parquet_encode_options *options,
                                    struct armi_parquet_write_result *result,
                                    struct armi_error *err)
{
    struct armi_pq_sink sink = {file_write, file};
    struct armi_pq_output output = {0};
    struct write_job *job = armi_alloc_zero(1, sizeof *job);
    if (job == NULL)
        return armi_error_no_memory(err);
    job->is_plain_file = true;
    enum armi_status status = job_begin(job, data, options, &sink, err);
    if (status == ARMI_OK)
        status = job_run(job, data, &output, err);
    if (status == ARMI_OK && result != NULL)
        *result = (struct armi_parquet_write_result){
            .size = result->size,
            .rows = job->rows,
            .row_groups = job->groups,
            .bytes = (int64_t)output.size,
        };
    armi_pq_output_release(&output);
    job_release(job);
    return status;
}

enum armi_status armi_parquet_write(struct ArrowArrayStream *data, const char *path,
                                    const struct armi_parquet_encode_options *options,
                                    struct armi_parquet_write_result *result,
                                    struct armi_error *err)
{
    const struct armi_os *os = armi_os_posix();
    struct file_sink file = {.os = os, .fd = -1, .path = path};
    char *temporary = NULL;
    enum armi_status status = target_check(os, path, err);
    if (status != ARMI_OK)
        goto done;
    temporary = temporary_name(os, path);
    if (temporary == NULL) {
        status = armi_error_no_memory(err);
        goto done;
    }
    file.fd = os->open(os, ARMI_OS_CWD, temporary,
                       ARMI_OPEN_WRITE | ARMI_OPEN_CREATE | ARMI_OPEN_EXCLUSIVE,
                       ARMI_OS_MODE_FILE);
    if (file.fd < 0) {
        status = armi_error_errno(err, -file.fd, "create %s", path);
        goto done;
    }
    status = file_encode(data, &file, options, result, err);
    int rc = os->close(os, file.fd);
    if (status == ARMI_OK && rc < 0)
        status = armi_error_errno(err, -rc, "close %s", path);
    if (status == ARMI_OK) {
        rc = os->rename(os, ARMI_OS_CWD, temporary, ARMI_OS_CWD, path);
        if (rc < 0)
            status = armi_error_errno(err, -rc, "rename %s", path);
    }
    if (status != ARMI_OK)
        (void)os->unlink(os, ARMI_OS_CWD, temporary);
done:
    armi_free(temporary);
    armi_stream_release(data);
    return status;
}
