/*
 * Stands in for the io layer until it is linked: Parquet is known by its magic, CSV is refused
 * by name, values are numbers and text. Built only while src/io has no sources.
 */
#include <inttypes.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <armillaria/io.h>

static enum armi_status refuse(struct armi_error *err, const char *what)
{
    if (err != NULL) {
        err->status = ARMI_UNSUPPORTED;
        snprintf(err->message, sizeof err->message, "%s: CSV is not built in", what);
    }
    return ARMI_UNSUPPORTED;
}

enum armi_status armi_csv_read(const char *path,
                               const struct armi_csv_read_options *options,
                               struct ArrowArrayStream *out, struct armi_error *err)
{
    (void)options;
    (void)out;
    return refuse(err, path);
}

enum armi_status armi_csv_write(struct ArrowArrayStream *data, const char *path,
                                const struct armi_csv_write_options *options,
                                uint64_t *out_rows, struct armi_error *err)
{
    (void)options;
    (void)out_rows;
    data->release(data);
    return refuse(err, path);
}

enum armi_status armi_file_probe(const char *path, enum armi_file_format *out,
                                 struct armi_error *err)
{
    char magic[4] = "";
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        if (err != NULL) {
            err->status = ARMI_STORAGE;
            snprintf(err->message, sizeof err->message, "%s: %s", path, strerror(errno));
        }
        return ARMI_STORAGE;
    }
    size_t size = fread(magic, 1, sizeof magic, file);
    fclose(file);
    *out = size == 4 && memcmp(magic, "PAR1", 4) == 0 ? ARMI_FORMAT_PARQUET
           : size == 0                                ? ARMI_FORMAT_EMPTY
                                                      : ARMI_FORMAT_CSV;
    return ARMI_OK;
}

static int number_format(char format, const void *values, int64_t i, char *text,
                         size_t size)
{
    switch (format) {
    case 'i':
        return snprintf(text, size, "%" PRId32, ((const int32_t *)values)[i]);
    case 'l':
        return snprintf(text, size, "%" PRId64, ((const int64_t *)values)[i]);
    case 'g':
        return snprintf(text, size, "%.17g", ((const double *)values)[i]);
    default:
        return snprintf(text, size, "?");
    }
}

size_t armi_value_format(const struct ArrowSchema *schema, const struct ArrowArray *array,
                         int64_t index, char *text, size_t capacity)
{
    int64_t i = index + array->offset;
    if (strcmp(schema->format, "u") == 0) {
        const int32_t *offsets = array->buffers[1];
        int size = offsets[i + 1] - offsets[i];
        return (size_t)snprintf(text, capacity, "%.*s", size,
                                (const char *)array->buffers[2] + offsets[i]);
    }
    return (size_t)number_format(schema->format[0], array->buffers[1], i, text, capacity);
}
