/*
 * armi export: a table, or a part of one, as a file.
 */
#include "cli.h"
#include "cli_files.h"
#include "cli_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_memory.h"
#include "cli_text.h"

struct export
{
    struct cli *cli;
    const struct cli_args *args;
    struct armi_scan_options scan;
    struct cli_names columns;
    const char *path;
    enum armi_file_format format;
    char delimiter;
    uint64_t rows, bytes;
};

static int options_read(struct export *export)
{
    const struct cli_args *args = export->args;
    const char *names = cli_args_value(args, "columns");
    const char *limit = cli_args_value(args, "limit");
    struct cli_target target = cli_parse_target(args->words[0]);
    export->path = args->word_count > 1 ? args->words[1] : "-";
    if (target.table == NULL)
        return cli_usage(args->command, "which table? write TABLE%s", args->words[0]);
    export->scan = (struct armi_scan_options){
        .size = sizeof export->scan,
        .table = target.table,
        .where = cli_args_value(args, "where"),
        .has_limit = limit != NULL,
    };
    int st = cli_at(export->cli, args, target.ref, &export->scan.at);
    if (st == CLI_DONE && limit != NULL)
        st = cli_parse_count("--limit", limit, &export->scan.limit);
    if (st == CLI_DONE && names != NULL)
        st = cli_parse_names("--columns", names, &export->columns);
    if (st == CLI_DONE)
        st = cli_format_choose(args, export->path, &export->format);
    if (st == CLI_DONE)
        st = cli_delimiter_read(args, export->path, &export->delimiter);
    export->scan.columns = export->columns.items;
    export->scan.column_count = export->columns.count;
    return st;
}

/* ---- a stream that counts its rows ---- */

struct counted {
    struct ArrowArrayStream stream; /* what is handed on */
    struct ArrowArrayStream inner;
    uint64_t *rows;
};

static int counted_schema(struct ArrowArrayStream *self, struct ArrowSchema *out)
{
    struct counted *counted = self->private_data;
    return counted->inner.get_schema(&counted->inner, out);
}

static int counted_next(struct ArrowArrayStream *self, struct ArrowArray *out)
{
    struct counted *counted = self->private_data;
    int code = counted->inner.get_next(&counted->inner, out);
    if (code == 0 && out->release != NULL)
        *counted->rows += (uint64_t)out->length;
    return code;
}

static const char *counted_error(struct ArrowArrayStream *self)
{
    struct counted *counted = self->private_data;
    return counted->inner.get_last_error(&counted->inner);
}

static void counted_release(struct ArrowArrayStream *self)
{
    struct counted *counted = self->private_data;
    counted->inner.release(&counted->inner);
    self->release = NULL;
}

/* Moves `inner`; *out must stay where it is until its stream is released. */
static void counted_wrap(struct counted *out, struct ArrowArrayStream *inner,
                         uint64_t *rows)
{
    *out = (struct counted){.inner = *inner, .rows = rows};
    inner->release = NULL;
    out->stream = (struct ArrowArrayStream){counted_schema, counted_next, counted_error,
                                            counted_release, out};
}

/* ---- writing ---- */

static int write_csv(struct export *export, struct ArrowArrayStream *stream)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_csv_write_options options = {
        .size = sizeof options,
        .delimiter = export->delimiter,
        .null_text = cli_args_value(export->args, "null"),
        .no_header = cli_args_has(export->args, "no-header"),
        .callbacks = cli_callbacks(export->cli, NULL),
    };
    if (armi_csv_write(stream, export->path, &options, &export->rows, &err) != ARMI_OK)
        return cli_fail_about(
            strcmp(export->path, "-") == 0 ? "standard output" : export->path, &err);
    return CLI_DONE;
}

/* Beside `path`, then renamed over it, so that what has the name is complete. */
static int file_write(const char *path, const struct armi_bytes *bytes)
{
    struct cli_text beside = {NULL, 0, 0};
    cli_text_addf(&beside, "%s.armi-%ld", path, (long)getpid());
    FILE *file = fopen(beside.data, "wbx");
    bool good = file != NULL && fwrite(bytes->data, 1, bytes->size, file) == bytes->size;
    if (file != NULL && fclose(file) != 0)
        good = false;
    good = good && rename(beside.data, path) == 0;
    int code = errno;
    if (!good && file != NULL)
        unlink(beside.data);
    cli_text_release(&beside);
    return good ? CLI_DONE : cli_failf("%s: %s", path, strerror(code));
}

static int write_parquet(struct export *export, struct ArrowArrayStream *stream,
                         bool to_stdout)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_bytes bytes = ARMI_BYTES_INIT;
    struct armi_parquet_encode_options options = ARMI_PARQUET_ENCODE_OPTIONS_INIT;
    struct counted counted;
    int st = CLI_DONE;
    options.compression = cli_args_value(export->args, "compression");
    options.callbacks = cli_callbacks(export->cli, NULL);
    counted_wrap(&counted, stream, &export->rows);
    if (armi_parquet_encode(&counted.stream, &options, &bytes, &err) != ARMI_OK)
        return cli_fail_about(to_stdout ? "standard output" : export->path, &err);
    if (to_stdout)
        fwrite(bytes.data, 1, bytes.size, stdout); /* failures are told at the end */
    else
        st = file_write(export->path, &bytes);
    armi_bytes_release(&bytes);
    return st;
}

static void tell(const struct export *export)
{
    struct cli_small rows, size;
    if (export->cli->json) {
        struct cli_json json = {.out = stdout};
        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "table", export->scan.table);
        cli_json_text(&json, "path", export->path);
        cli_json_text(&json, "format",
                      export->format == ARMI_FORMAT_PARQUET ? "parquet" : "csv");
        cli_json_uint(&json, "rows", export->rows);
        cli_json_uint(&json, "bytes", export->bytes);
        cli_json_close(&json, '}');
        return;
    }
    printf("%s: %s rows to %s, %s\n", cli_escaped(export->scan.table),
           cli_count(export->rows, &rows), cli_escaped(export->path),
           cli_size(export->bytes, &size));
}

int cmd_export(struct cli *cli, const struct cli_args *args)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct export export = {.cli = cli, .args = args};
    struct ArrowArrayStream stream = {.release = NULL};
    struct stat info;
    int st = options_read(&export);
    bool to_stdout = strcmp(export.path, "-") == 0;
    if (st == CLI_DONE && to_stdout && export.format == ARMI_FORMAT_PARQUET &&
        isatty(STDOUT_FILENO))
        st = cli_failf("standard output is a terminal: name a file for Parquet");
    if (st == CLI_DONE)
        st = cli_open(cli);
    if (st != CLI_DONE)
        return st;
    export.scan.callbacks = cli_callbacks(cli, export.scan.table);
    if (armi_scan_open(cli->repo, &export.scan, &stream, &err) != ARMI_OK)
        return cli_fail(&err);
    st = export.format == ARMI_FORMAT_CSV ? write_csv(&export, &stream)
                                          : write_parquet(&export, &stream, to_stdout);
    if (st != CLI_DONE || to_stdout)
        return st;
    cli_progress_clear();
    if (stat(export.path, &info) == 0)
        export.bytes = (uint64_t)info.st_size;
    tell(&export);
    return CLI_DONE;
}
