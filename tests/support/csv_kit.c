#include "csv_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/schema_text.h"
#include "arrow/stream.h"
#include "base/alloc.h"
#include "io/csv_read.h"
#include "io/value_text.h"

static void must(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "csv_kit: %s\n", what);
    abort();
}

void csv_kit_put(const struct armi_os *os, const void *data, size_t size)
{
    int fd = os->open(os, ARMI_OS_CWD, CSV_KIT_PATH,
                      ARMI_OPEN_WRITE | ARMI_OPEN_CREATE | ARMI_OPEN_TRUNCATE, 0666);
    must(fd >= 0, "open");
    must(armi_os_write_full(os, fd, data, size, 0) == 0, "write");
    os->close(os, fd);
}

char *csv_kit_get(const struct armi_os *os, size_t *size)
{
    struct armi_file_stat stat;
    int fd = os->open(os, ARMI_OS_CWD, CSV_KIT_PATH, ARMI_OPEN_READ, 0);
    must(fd >= 0 && os->fstat(os, fd, &stat) == 0, "open");
    char *data = malloc(stat.size + 1);
    must(data != NULL, "memory");
    must(armi_os_read_full(os, fd, data, stat.size, 0) == (int64_t)stat.size, "read");
    os->close(os, fd);
    data[stat.size] = '\0';
    if (size != NULL)
        *size = stat.size;
    return data;
}

/* ---- dumps ---- */

static enum armi_status dump_schema(const struct armi_field *schema, struct armi_buf *out,
                                    struct armi_error *err)
{
    for (size_t c = 0; c < schema->child_count; c++) {
        const struct armi_field *field = &schema->children[c];
        if (c > 0)
            ARMI_TRY(armi_buf_append_u8(out, ',', err));
        ARMI_TRY(armi_buf_append(out, field->name, strlen(field->name), err));
        ARMI_TRY(armi_buf_append_u8(out, ':', err));
        ARMI_TRY(armi_type_format(field, out, err));
    }
    return armi_buf_append_u8(out, '\n', err);
}

static enum armi_status dump_value(const struct armi_array *column, int64_t i,
                                   struct armi_buf *out, struct armi_error *err)
{
    size_t from = out->size;
    if (armi_array_is_null(column, i))
        return armi_buf_append_u8(out, '~', err);
    ARMI_TRY(armi_value_append(column, i, out, err));
    for (size_t k = from; k < out->size; k++)
        if (out->data[k] == '\n') {
            out->data[k] = '\\';
            ARMI_TRY(armi_buf_append_u8(out, 0, err));
            memmove(out->data + k + 2, out->data + k + 1, out->size - k - 2);
            out->data[k + 1] = 'n';
        }
    return ARMI_OK;
}

static enum armi_status dump_batch(const struct armi_field *schema,
                                   const struct ArrowArray *array, struct armi_buf *out,
                                   struct armi_error *err)
{
    struct armi_array batch;
    ARMI_TRY(armi_array_init_batch(schema, array, ARMI_VALIDATE_FULL, &batch, err));
    enum armi_status st = ARMI_OK;
    for (int64_t i = 0; i < batch.length && st == ARMI_OK; i++) {
        for (size_t c = 0; c < batch.child_count && st == ARMI_OK; c++) {
            struct armi_array column = armi_array_column(&batch, c);
            if (c > 0)
                st = armi_buf_append_u8(out, '|', err);
            if (st == ARMI_OK)
                st = dump_value(&column, i, out, err);
        }
        if (st == ARMI_OK)
            st = armi_buf_append_u8(out, '\n', err);
    }
    armi_array_release(&batch);
    return st;
}

enum armi_status csv_kit_dump(struct ArrowArrayStream *stream, char **out,
                              struct armi_error *err)
{
    struct armi_field schema = ARMI_FIELD_INIT;
    struct armi_buf text;
    armi_buf_init(&text, 0);
    enum armi_status st = armi_stream_schema(stream, &schema, err);
    if (st == ARMI_OK)
        st = dump_schema(&schema, &text, err);
    while (st == ARMI_OK) {
        struct ArrowArray array = {.release = NULL};
        st = armi_stream_next(stream, &array, err);
        if (st != ARMI_OK || array.release == NULL)
            break;
        st = dump_batch(&schema, &array, &text, err);
        array.release(&array);
    }
    if (st == ARMI_OK) {
        *out = malloc(text.size + 1);
        must(*out != NULL, "memory");
        memcpy(*out, text.data, text.size);
        (*out)[text.size] = '\0';
    }
    armi_buf_release(&text);
    armi_field_release(&schema);
    armi_stream_release(stream);
    return st;
}

char *csv_kit_read(const void *data, size_t size,
                   const struct armi_csv_read_options *options,
                   const struct armi_csv_sizes *sizes)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct os_memory *disk = os_memory_new();
    const struct armi_os *os = os_memory_table(disk);
    struct ArrowArrayStream stream;
    char *text = NULL;
    csv_kit_put(os, data, size);
    enum armi_status st =
        armi_csv_read_from(os, CSV_KIT_PATH, options, sizes, &stream, &err);
    if (st == ARMI_OK)
        st = csv_kit_dump(&stream, &text, &err);
    if (st != ARMI_OK) {
        text = malloc(sizeof err.message + 64);
        must(text != NULL, "memory");
        snprintf(text, sizeof err.message + 64, "error %s: %s", armi_status_name(st),
                 err.message);
    }
    must(os_memory_open_files(disk) == 0, "a file was left open");
    os_memory_free(disk);
    return text;
}

void csv_kit_stream(const struct armi_field *schema, struct ArrowArray *array,
                    struct ArrowArrayStream *out)
{
    must(armi_stream_from_arrays(schema, array, 1, out, NULL) == ARMI_OK, "stream");
}
