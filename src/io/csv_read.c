/*
 * A CSV file as an Arrow stream. Pass one reads all of the file, finds the columns' types
 * and everything that is wrong; pass two makes batches. Between the two the file must not
 * change: its state is compared at the end of each, and a field that does not fit its
 * column's type any more is the same error.
 */
#include "io/csv_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arrow/stream.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "io/csv_column.h"
#include "io/csv_fit.h"
#include "io/io_file.h"

const struct armi_csv_sizes armi_csv_sizes_default = {
    .block = (size_t)1 << 20,
    .window = (size_t)32 << 10,
    .row_max = 2 * ARMI_GIB,
    .value_max = ARMI_VALUE_SIZE_MAX,
};

struct reader {
    struct armi_csv_scan scan;
    struct armi_file_stat stat;
    struct armi_callbacks callbacks;
    char *name;
    char *null_text;
    struct armi_csv_nulls nulls;
    uint64_t batch_bits;
    struct armi_field schema;
    struct armi_field wanted; /* the caller's schema; no children where there is none */
    struct armi_field
        *decoded;        /* by column: what is decoded before it is fitted; NULL = as is */
    const char **titles; /* the names in `schema`; NULL until they are known */
    struct armi_csv_column *columns;
    uint64_t rows; /* of the file, without the header */

    /* Pass two. */
    uint64_t rows_done;
    struct armi_csv_window window;
    size_t window_at; /* rows of it that are done */
};

static void reader_free(void *ctx)
{
    struct reader *r = ctx;
    for (size_t c = 0; r->columns != NULL && c < r->scan.columns; c++)
        armi_csv_column_release(&r->columns[c]);
    if (r->scan.os != NULL && r->scan.fd >= 0)
        r->scan.os->close(r->scan.os, r->scan.fd);
    armi_csv_scan_release(&r->scan);
    for (size_t c = 0; r->decoded != NULL && c < r->scan.columns; c++)
        armi_field_release(&r->decoded[c]);
    armi_free(r->decoded);
    armi_field_release(&r->wanted);
    armi_field_release(&r->schema);
    armi_free(r->titles);
    armi_free(r->columns);
    armi_free(r->name);
    armi_free(r->null_text);
    armi_free(r);
}

static enum armi_status changed_error(const struct reader *r, struct armi_error *err)
{
    return armi_error_object(err, ARMI_INVALID, "file", r->name,
                             "%s was changed while it was read", r->name);
}

/* ---- options ---- */

enum armi_status armi_csv_delimiter_check(char delimiter, uint8_t *out,
                                          struct armi_error *err)
{
    uint8_t d = delimiter == 0 ? ',' : (uint8_t)delimiter;
    if (d == '"' || d == '\n' || d == '\r' || d >= 0x80)
        return armi_error_set(err, ARMI_INVALID,
                              "The delimiter of a CSV file is one ASCII character, not a "
                              "quote or a line end");
    *out = d;
    return ARMI_OK;
}

enum armi_status armi_csv_null_check(const char *text, uint8_t delimiter,
                                     struct armi_error *err)
{
    const char special[] = {(char)delimiter, '"', '\n', '\r', '\0'};
    if (text != NULL && text[strcspn(text, special)] != '\0')
        return armi_error_set(err, ARMI_INVALID,
                              "The text of a null cannot hold the delimiter, a quote or a "
                              "line end: '%s'",
                              text);
    return ARMI_OK;
}

static enum armi_status options_take(struct reader *r,
                                     const struct armi_csv_read_options *options,
                                     struct armi_error *err)
{
    static const struct armi_csv_read_options defaults = {.size = sizeof defaults};
    const struct armi_csv_read_options *o = options != NULL ? options : &defaults;
    uint64_t bytes = o->batch_bytes == 0 ? ARMI_BATCH_BYTES : o->batch_bytes;
    if (bytes > ARMI_GIB)
        bytes = ARMI_GIB; /* offsets of text are of 32 bits */
    r->batch_bits = bytes * 8;
    r->callbacks = o->callbacks;
    r->scan.has_header = !o->no_header;
    r->scan.interrupt = (struct armi_interrupt){o->callbacks.interrupted, o->callbacks.ctx};
    ARMI_TRY(armi_csv_delimiter_check(o->delimiter, &r->scan.delimiter, err));
    ARMI_TRY(armi_csv_null_check(o->null_text, r->scan.delimiter, err));
    if (o->schema != NULL)
        ARMI_TRY(armi_field_import_schema(o->schema, &r->wanted, err));
    if (o->null_text == NULL)
        return ARMI_OK;
    r->null_text = armi_strdup(o->null_text);
    if (r->null_text == NULL)
        return armi_error_no_memory(err);
    r->nulls.text = (const uint8_t *)r->null_text;
    r->nulls.size = strlen(r->null_text);
    return ARMI_OK;
}

/* ---- the header ---- */

/* The name in the header, unquoted; column_N for an empty one and where there is no header. */
static enum armi_status column_name(const struct reader *r, const struct armi_csv_window *w,
                                    size_t c, struct armi_buf *out, struct armi_error *err)
{
    char made[32];
    size_t size = 0;
    const uint8_t *p = armi_csv_field(w, 0, c, &size);
    bool is_quoted = size > 0 && p[0] == '"';
    armi_buf_clear(out);
    if (!r->scan.has_header || size == 0 || (is_quoted && size == 2)) {
        int n = snprintf(made, sizeof made, "column_%zu", c + 1);
        return armi_buf_append(out, made, (size_t)n + 1, err);
    }
    for (size_t i = is_quoted; i < size - is_quoted; i++) {
        ARMI_TRY(armi_buf_append_u8(out, p[i], err));
        i += is_quoted && p[i] == '"';
    }
    return armi_buf_append_u8(out, 0, err);
}

static enum armi_status names_take(struct reader *r, const struct armi_csv_window *w,
                                   struct armi_map *seen, struct armi_buf *name,
                                   struct armi_error *err)
{
    for (size_t c = 0; c < w->columns; c++) {
        struct armi_field *field = &r->schema.children[c];
        uint64_t *first;
        bool is_new;
        ARMI_TRY(column_name(r, w, c, name, err));
        ARMI_TRY(armi_field_init(field, (const char *)name->data, ARMI_TYPE_UTF8, err));
        ARMI_TRY(armi_map_insert(seen, armi_buf_slice(name), &first, &is_new, err));
        if (!is_new)
            return armi_error_object(err, ARMI_INVALID, "column", field->name,
                                     "%s: columns %" PRIu64
                                     " and %zu are both called \"%s\"",
                                     r->name, *first, c + 1, field->name);
        *first = c + 1;
        r->titles[c] = field->name;
    }
    return ARMI_OK;
}

/* The first row: how many columns, and what they are called. */
static enum armi_status header_read(struct reader *r, struct armi_error *err)
{
    struct armi_csv_window w;
    struct armi_map seen;
    struct armi_buf name;
    ARMI_TRY(armi_csv_scan_first(&r->scan, &w, err));
    if (w.columns > ARMI_COLUMNS_MAX)
        return armi_error_object(err, ARMI_LIMIT, "file", r->name,
                                 "%s has %zu columns; a table has at most %d", r->name,
                                 w.columns, ARMI_COLUMNS_MAX);
    ARMI_TRY(armi_csv_scan_check(&r->scan, &w, err));
    r->columns = armi_alloc_zero(w.columns, sizeof *r->columns);
    r->titles = armi_alloc_zero(w.columns, sizeof *r->titles);
    if (r->columns == NULL || r->titles == NULL)
        return armi_error_no_memory(err);
    ARMI_TRY(armi_field_init_schema(&r->schema, err));
    ARMI_TRY(armi_field_alloc_children(&r->schema, w.columns, err));
    armi_map_init(&seen, 0x9e3779b97f4a7c15u);
    armi_buf_init(&name, 0);
    enum armi_status st = names_take(r, &w, &seen, &name, err);
    armi_map_release(&seen);
    armi_buf_release(&name);
    if (st == ARMI_OK)
        r->scan.titles = r->titles;
    return st;
}

/* At the front of the data; the header was understood before. */
static enum armi_status data_begin(struct reader *r, struct armi_error *err)
{
    struct armi_csv_window w;
    size_t columns = r->scan.columns;
    ARMI_TRY(armi_csv_scan_begin(&r->scan, err));
    if (!r->scan.has_header)
        return ARMI_OK;
    ARMI_TRY(armi_csv_scan_first(&r->scan, &w, err));
    r->scan.columns = columns;
    return w.columns == columns ? ARMI_OK : changed_error(r, err);
}

/* ---- pass one ---- */

/* ARMI_OK if the file is what it was when it was opened. */
static enum armi_status unchanged(struct reader *r, struct armi_error *err)
{
    struct armi_file_stat now;
    int error = r->scan.os->fstat(r->scan.os, r->scan.fd, &now);
    if (error < 0)
        return armi_error_errno(err, -error, "stat %s", r->name);
    return armi_file_same(&now, &r->stat) ? ARMI_OK : changed_error(r, err);
}

static enum armi_status infer(struct reader *r, struct armi_error *err)
{
    struct armi_csv_window w;
    bool ends_blank = false;
    uint64_t told = 0;
    for (;;) {
        ARMI_TRY(armi_csv_scan_next(&r->scan, &w, err));
        if (w.rows == 0)
            break;
        ARMI_TRY(armi_csv_scan_check(&r->scan, &w, err));
        for (size_t c = 0; c < w.columns; c++)
            if (r->columns[c].type.kind != ARMI_CSV_TEXT)
                armi_csv_column_infer(&r->columns[c], &w, c, &r->nulls);
        r->rows += w.rows;
        size_t size;
        armi_csv_field(&w, w.rows - 1, 0, &size);
        ends_blank = w.columns == 1 && size == 0;
        if (r->callbacks.progress != NULL && r->scan.offset != told) {
            r->callbacks.progress(r->callbacks.ctx, r->rows, 0);
            told = r->scan.offset;
        }
    }
    /* An empty line is a row of a single column, but the last one only ends the file. */
    r->rows -= ends_blank;
    return unchanged(r, err);
}

/* The column's type in the caller's schema, or NULL. */
static const struct armi_field *wanted(const struct reader *r, size_t c)
{
    int64_t at = armi_field_find(&r->wanted, r->schema.children[c].name);
    return at < 0 ? NULL : &r->wanted.children[at];
}

/* `field` is what is decoded; it becomes what is handed out where that differs. */
static enum armi_status type_fit(struct reader *r, size_t c, const struct armi_field *want,
                                 struct armi_field *field, struct armi_error *err)
{
    struct armi_field fitted = ARMI_FIELD_INIT;
    if (!armi_csv_fit_converts(&r->columns[c].type, field, want))
        return ARMI_OK;
    ARMI_TRY(armi_field_copy(want, &fitted, err));
    fitted.nullable = true; /* the table says what may not be null, with the row */
    armi_field_move(field, &r->decoded[c]);
    armi_field_move(&fitted, field);
    return ARMI_OK;
}

static enum armi_status types_take(struct reader *r, struct armi_error *err)
{
    r->decoded = armi_alloc_zero(r->scan.columns, sizeof *r->decoded);
    if (r->decoded == NULL)
        return armi_error_no_memory(err);
    for (size_t c = 0; c < r->scan.columns; c++) {
        struct armi_field field;
        const struct armi_field *want = wanted(r, c);
        if (want != NULL)
            armi_csv_fit_type(&r->columns[c].type, want);
        ARMI_TRY(
            armi_csv_column_field(&r->columns[c], r->schema.children[c].name, &field, err));
        enum armi_status st = want != NULL ? type_fit(r, c, want, &field, err) : ARMI_OK;
        if (st != ARMI_OK) {
            armi_field_release(&field);
            return st;
        }
        armi_field_release(&r->schema.children[c]);
        armi_field_move(&field, &r->schema.children[c]);
        r->titles[c] = r->schema.children[c].name;
    }
    return ARMI_OK;
}

/* ---- pass two ---- */

static size_t row_bits(const struct reader *r)
{
    size_t bits = 0;
    for (size_t c = 0; c < r->scan.columns; c++)
        bits += armi_csv_column_row_bits(&r->columns[c]);
    return bits;
}

static uint64_t text_bits(const struct reader *r)
{
    uint64_t size = 0;
    for (size_t c = 0; c < r->scan.columns; c++)
        size += r->columns[c].text.size;
    return size * 8;
}

/* How many of the next rows of the window fit into `room` bits, if all their text counts. */
static size_t rows_that_fit(const struct reader *r, uint64_t room, size_t most)
{
    const struct armi_csv_window *w = &r->window;
    size_t columns = w->columns, bits = row_bits(r), low = 0, high = w->rows - r->window_at;
    uint32_t from = w->tokens[r->window_at * columns];
    high = high < most ? high : most;
    while (low < high) {
        size_t n = low + (high - low + 1) / 2;
        uint64_t text = w->tokens[(r->window_at + n) * columns] - from;
        if (n * (uint64_t)bits + 8 * text <= room)
            low = n;
        else
            high = n - 1;
    }
    return low;
}

static enum armi_status rows_decode(struct reader *r, size_t count, size_t at,
                                    struct armi_error *err)
{
    for (size_t c = 0; c < r->scan.columns; c++) {
        enum armi_status st = armi_csv_column_decode(
            &r->columns[c], &r->window, c, &r->nulls, r->window_at, count, at, err);
        if (st == ARMI_INVALID)
            return changed_error(r, err);
        if (st != ARMI_OK)
            return st;
    }
    r->window_at += count;
    return ARMI_OK;
}

/* Fills the columns with up to `capacity` rows; *rows = how many. */
static enum armi_status batch_fill(struct reader *r, size_t capacity, size_t *rows,
                                   struct armi_error *err)
{
    size_t at = 0;
    while (at < capacity) {
        if (r->window_at == r->window.rows) {
            ARMI_TRY(armi_csv_scan_next(&r->scan, &r->window, err));
            r->window_at = 0;
            if (r->window.rows == 0)
                return changed_error(r, err);
        }
        uint64_t used = at * (uint64_t)row_bits(r) + text_bits(r);
        uint64_t room = used < r->batch_bits ? r->batch_bits - used : 0;
        size_t n = rows_that_fit(r, room, capacity - at);
        if (n == 0 && at > 0)
            break;
        n = n > 0 ? n : 1;
        ARMI_TRY(rows_decode(r, n, at, err));
        at += n;
    }
    *rows = at;
    return ARMI_OK;
}

static enum armi_status batch_finish(struct reader *r, size_t rows, struct ArrowArray *out,
                                     struct armi_error *err)
{
    struct ArrowArray *arrays = armi_alloc_zero(r->scan.columns, sizeof *arrays);
    enum armi_status st = ARMI_OK;
    if (arrays == NULL)
        return armi_error_no_memory(err);
    for (size_t c = 0; c < r->scan.columns && st == ARMI_OK; c++) {
        const struct armi_field *field = &r->schema.children[c], *decoded = &r->decoded[c];
        bool fits = decoded->name == NULL;
        st = armi_csv_column_finish(&r->columns[c], fits ? field : decoded, (int64_t)rows,
                                    &arrays[c], err);
        if (st == ARMI_OK && !fits)
            st = armi_csv_fit_array(r->name, r->rows_done + 1 + r->scan.has_header, decoded,
                                    field, &arrays[c], err);
    }
    if (st == ARMI_OK)
        st = armi_arrow_array_batch(&r->schema, (int64_t)rows, arrays, out, err);
    for (size_t c = 0; c < r->scan.columns; c++)
        armi_arrow_array_release(&arrays[c]);
    armi_free(arrays);
    return st;
}

static enum armi_status reader_next(void *ctx, struct ArrowArray *out,
                                    struct armi_error *err)
{
    struct reader *r = ctx;
    uint64_t left = r->rows - r->rows_done, fit = r->batch_bits / row_bits(r);
    size_t rows = 0;
    if (left == 0)
        return ARMI_OK;
    size_t capacity = (size_t)(fit < left ? fit : left);
    capacity = capacity > 0 ? capacity : 1;
    for (size_t c = 0; c < r->scan.columns; c++)
        ARMI_TRY(armi_csv_column_begin(&r->columns[c], capacity, err));
    ARMI_TRY(batch_fill(r, capacity, &rows, err));
    if (r->rows_done + rows == r->rows)
        ARMI_TRY(unchanged(r, err));
    ARMI_TRY(batch_finish(r, rows, out, err));
    r->rows_done += rows;
    return ARMI_OK;
}

/* ---- opening ---- */

static enum armi_status reader_open(struct reader *r, const struct armi_os *os,
                                    const char *path,
                                    const struct armi_csv_read_options *options,
                                    struct armi_error *err)
{
    r->scan.fd = -1;
    r->scan.os = os;
    r->name = armi_strdup(armi_io_name(path));
    if (r->name == NULL)
        return armi_error_no_memory(err);
    r->scan.name = r->name;
    ARMI_TRY(options_take(r, options, err));
    ARMI_TRY(armi_io_open_twice(os, path, &r->scan.interrupt, &r->scan.fd, &r->stat, err));
    ARMI_TRY(armi_csv_scan_begin(&r->scan, err));
    ARMI_TRY(header_read(r, err));
    ARMI_TRY(data_begin(r, err));
    ARMI_TRY(infer(r, err));
    ARMI_TRY(types_take(r, err));
    return data_begin(r, err);
}

enum armi_status armi_csv_read_from(const struct armi_os *os, const char *path,
                                    const struct armi_csv_read_options *options,
                                    const struct armi_csv_sizes *sizes,
                                    struct ArrowArrayStream *out, struct armi_error *err)
{
    struct reader *r = armi_alloc_zero(1, sizeof *r);
    if (r == NULL)
        return armi_error_no_memory(err);
    r->schema = (struct armi_field)ARMI_FIELD_INIT;
    r->wanted = (struct armi_field)ARMI_FIELD_INIT;
    r->scan.sizes = sizes != NULL ? *sizes : armi_csv_sizes_default;
    enum armi_status st = reader_open(r, os, path, options, err);
    if (st == ARMI_OK) {
        struct armi_stream_callbacks callbacks = {reader_next, reader_free, r};
        st = armi_stream_make(&r->schema, 0, &callbacks, out, err);
    }
    if (st != ARMI_OK)
        reader_free(r);
    return st;
}

enum armi_status armi_csv_read(const char *path,
                               const struct armi_csv_read_options *options,
                               struct ArrowArrayStream *out, struct armi_error *err)
{
    return armi_csv_read_from(armi_os_posix(), path, options, NULL, out, err);
}
