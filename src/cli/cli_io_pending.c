/*
 * Stands in for CSV until the io layer has it: refused by name.
 */
#include <stdio.h>

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
