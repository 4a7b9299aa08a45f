/*
 * An Arrow stream as CSV. A value is written as text first and looked at then: what could
 * be read as something else is quoted where it lies. So quoting depends on nothing but the
 * text, and no type can forget it.
 */
#include "io/csv_write.h"

#include <string.h>

#include "arrow/stream.h"
#include "base/alloc.h"
#include "base/pool.h"
#include "io/csv_read.h"
#include "io/io_file.h"
#include "io/value_text.h"

#define FLUSH_SIZE ((size_t)256 << 10)

struct writer {
    struct armi_io_output output;
    struct armi_field schema;
    struct armi_callbacks callbacks;
    struct armi_interrupt interrupt;
    uint8_t delimiter;
    bool has_header;
    const char *null_text;
    size_t null_size;
    bool special[256]; /* bytes that make a field quoted */
    struct armi_buf buf;
    uint64_t rows;
    bool ends_blank; /* the last row is an empty line */
};

static enum armi_status options_take(struct writer *w,
                                     const struct armi_csv_write_options *options,
                                     struct armi_error *err)
{
    static const struct armi_csv_write_options defaults = {.size = sizeof defaults};
    const struct armi_csv_write_options *o = options != NULL ? options : &defaults;
    ARMI_TRY(armi_csv_delimiter_check(o->delimiter, &w->delimiter, err));
    ARMI_TRY(armi_csv_null_check(o->null_text, w->delimiter, err));
    w->has_header = !o->no_header;
    w->null_text = o->null_text != NULL ? o->null_text : "";
    w->null_size = strlen(w->null_text);
    w->callbacks = o->callbacks;
    w->interrupt = (struct armi_interrupt){o->callbacks.interrupted, o->callbacks.ctx};
    w->special[w->delimiter] = w->special['"'] = true;
    w->special['\n'] = w->special['\r'] = true;
    return ARMI_OK;
}

/* ---- quoting ---- */

static bool needs_quotes(const struct writer *w, const uint8_t *p, size_t size)
{
    if (size == 0 || p[0] == ' ' || p[size - 1] == ' ')
        return true;
    if (size == w->null_size && memcmp(p, w->null_text, size) == 0)
        return true;
    /* At the front of the file it would pass for a byte order mark. */
    if (size >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        return true;
    for (size_t i = 0; i < size; i++)
        if (w->special[p[i]])
            return true;
    return false;
}

/* Quotes the bytes of the buffer from `from` on, from the last one forward. */
static enum armi_status quote(struct armi_buf *buf, size_t from, struct armi_error *err)
{
    size_t size = buf->size - from, quotes = 0;
    uint8_t *room;
    for (size_t i = from; i < buf->size; i++)
        quotes += buf->data[i] == '"';
    ARMI_TRY(armi_buf_extend(buf, quotes + 2, &room, err));
    uint8_t *to = buf->data + buf->size, *p = buf->data + from + size;
    *--to = '"';
    while (p > buf->data + from) {
        *--to = *--p;
        if (*to == '"')
            *--to = '"';
    }
    *--to = '"';
    return ARMI_OK;
}

static enum armi_status text_quote(struct writer *w, size_t from, struct armi_error *err)
{
    struct armi_buf *buf = &w->buf;
    if (buf->size > from && !needs_quotes(w, buf->data + from, buf->size - from))
        return ARMI_OK;
    return quote(buf, from, err);
}

/* ---- rows ---- */

static enum armi_status flush(struct writer *w, struct armi_error *err)
{
    ARMI_TRY(armi_interrupt_check(&w->interrupt, err));
    if (w->buf.size > 0)
        ARMI_TRY(armi_io_output_write(&w->output, w->buf.data, w->buf.size, err));
    armi_buf_clear(&w->buf);
    if (w->callbacks.progress != NULL)
        w->callbacks.progress(w->callbacks.ctx, w->rows, 0);
    return ARMI_OK;
}

static enum armi_status header_write(struct writer *w, struct armi_error *err)
{
    for (size_t c = 0; c < w->schema.child_count; c++) {
        const char *name = w->schema.children[c].name;
        if (c > 0)
            ARMI_TRY(armi_buf_append_u8(&w->buf, w->delimiter, err));
        size_t from = w->buf.size;
        ARMI_TRY(armi_buf_append(&w->buf, name, strlen(name), err));
        ARMI_TRY(text_quote(w, from, err));
    }
    return armi_buf_append_u8(&w->buf, '\n', err);
}

static enum armi_status value_write(struct writer *w, const struct armi_array *column,
                                    int64_t i, struct armi_error *err)
{
    size_t from = w->buf.size;
    if (armi_array_is_null(column, i))
        return armi_buf_append(&w->buf, w->null_text, w->null_size, err);
    ARMI_TRY(armi_value_append(column, i, &w->buf, err));
    return text_quote(w, from, err);
}

static enum armi_status rows_write(struct writer *w, const struct armi_array *columns,
                                   int64_t rows, struct armi_error *err)
{
    size_t count = w->schema.child_count;
    for (int64_t i = 0; i < rows; i++) {
        size_t from = w->buf.size;
        for (size_t c = 0; c < count; c++) {
            if (c > 0)
                ARMI_TRY(armi_buf_append_u8(&w->buf, w->delimiter, err));
            ARMI_TRY(value_write(w, &columns[c], i, err));
        }
        w->ends_blank = w->buf.size == from;
        ARMI_TRY(armi_buf_append_u8(&w->buf, '\n', err));
        w->rows++;
        if (w->buf.size >= FLUSH_SIZE)
            ARMI_TRY(flush(w, err));
    }
    return ARMI_OK;
}

static enum armi_status batch_write(struct writer *w, const struct ArrowArray *array,
                                    struct armi_error *err)
{
    struct armi_array batch = ARMI_ARRAY_INIT;
    size_t count = w->schema.child_count;
    struct armi_array *columns = armi_alloc_array(count, sizeof *columns);
    if (columns == NULL)
        return armi_error_no_memory(err);
    enum armi_status st =
        armi_array_init_batch(&w->schema, array, ARMI_VALIDATE_FULL, &batch, err);
    if (st == ARMI_OK) {
        for (size_t c = 0; c < count; c++)
            columns[c] = armi_array_column(&batch, c);
        st = rows_write(w, columns, batch.length, err);
    }
    armi_array_release(&batch);
    armi_free(columns);
    return st;
}

static enum armi_status stream_write(struct writer *w, struct ArrowArrayStream *data,
                                     struct armi_error *err)
{
    if (w->has_header)
        ARMI_TRY(header_write(w, err));
    for (;;) {
        struct ArrowArray array = {.release = NULL};
        ARMI_TRY(armi_stream_next(data, &array, err));
        if (array.release == NULL)
            break;
        enum armi_status st = batch_write(w, &array, err);
        armi_arrow_array_release(&array);
        if (st != ARMI_OK)
            return st;
    }
    /* Readers take an empty line at the end for the end. */
    if (w->ends_blank)
        ARMI_TRY(armi_buf_append_u8(&w->buf, '\n', err));
    return flush(w, err);
}

static enum armi_status schema_take(struct writer *w, struct ArrowArrayStream *data,
                                    struct armi_error *err)
{
    ARMI_TRY(armi_stream_schema(data, &w->schema, err));
    ARMI_TRY(armi_field_check_carried(&w->schema, err));
    if (w->schema.child_count == 0)
        return armi_error_set(err, ARMI_INVALID,
                              "Rows without columns cannot be written as CSV");
    return ARMI_OK;
}

enum armi_status armi_csv_write_to(const struct armi_os *os, struct ArrowArrayStream *data,
                                   const char *path,
                                   const struct armi_csv_write_options *options,
                                   uint64_t *out_rows, struct armi_error *err)
{
    struct writer *w = armi_alloc_zero(1, sizeof *w);
    enum armi_status st = w != NULL ? ARMI_OK : armi_error_no_memory(err);
    if (st != ARMI_OK)
        goto done;
    w->schema = (struct armi_field)ARMI_FIELD_INIT;
    w->output = (struct armi_io_output)ARMI_IO_OUTPUT_INIT;
    st = options_take(w, options, err);
    if (st == ARMI_OK)
        st = schema_take(w, data, err);
    if (st == ARMI_OK)
        st = armi_io_output_open(&w->output, os, path, err);
    if (st == ARMI_OK)
        st = stream_write(w, data, err);
    if (st == ARMI_OK)
        st = armi_io_output_commit(&w->output, err);
    armi_io_output_release(&w->output);
    armi_field_release(&w->schema);
    armi_buf_release(&w->buf);
    if (st == ARMI_OK && out_rows != NULL)
        *out_rows = w->rows;
done:
    armi_stream_release(data);
    armi_free(w);
    return st;
}

enum armi_status armi_csv_write(struct ArrowArrayStream *data, const char *path,
                                const struct armi_csv_write_options *options,
                                uint64_t *out_rows, struct armi_error *err)
{
    return armi_csv_write_to(armi_os_posix(), data, path, options, out_rows, err);
}
