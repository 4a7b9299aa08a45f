/*
 * Files that commands read and write. A file is what its content says; its name is only
 * asked where content cannot tell, and where the two contradict each other the file is
 * refused, so that an error page saved as flights.parquet does not become a table.
 */
#include "cli_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_memory.h"
#include "cli_text.h"

/* ---- names ---- */

static bool has_suffix(const char *path, const char *suffix)
{
    size_t size = strlen(path), wanted = strlen(suffix);
    return size > wanted && strcasecmp(path + size - wanted, suffix) == 0;
}

static bool is_parquet_name(const char *path)
{
    return has_suffix(path, ".parquet") || has_suffix(path, ".pq");
}

static int format_read(const char *text, enum armi_file_format *out)
{
    if (strcmp(text, "csv") == 0)
        *out = ARMI_FORMAT_CSV;
    else if (strcmp(text, "parquet") == 0)
        *out = ARMI_FORMAT_PARQUET;
    else
        return cli_failf("--format is csv or parquet, not '%s'", text);
    return CLI_DONE;
}

int cli_format_choose(const struct cli_args *args, const char *path,
                      enum armi_file_format *out)
{
    const char *format = cli_args_value(args, "format");
    if (format != NULL)
        return format_read(format, out);
    if (is_parquet_name(path))
        *out = ARMI_FORMAT_PARQUET;
    else if (strcmp(path, "-") == 0 || has_suffix(path, ".csv") ||
             has_suffix(path, ".tsv") || has_suffix(path, ".txt"))
        *out = ARMI_FORMAT_CSV;
    else
        return cli_failf("%s: the suffix does not say what to write; name it .parquet or "
                         ".csv, or give --format",
                         path);
    return CLI_DONE;
}

int cli_delimiter_read(const struct cli_args *args, const char *path, char *out)
{
    const char *text = cli_args_value(args, "delimiter");
    *out = has_suffix(path, ".tsv") ? '\t' : '\0';
    if (text == NULL)
        return CLI_DONE;
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
        *out = '\t';
    else if (strlen(text) == 1 && strchr("\"\r\n", text[0]) == NULL &&
             (unsigned char)text[0] < 0x80)
        *out = text[0];
    else
        return cli_failf("--delimiter is one character, or tab, not '%s'", text);
    return CLI_DONE;
}

/* ---- standard input, pipes ---- */

static int bytes_copy(int from, int to, const char *name)
{
    static char block[1 << 16];
    for (;;) {
        ssize_t size = read(from, block, sizeof block);
        if (size == 0)
            return CLI_DONE;
        if (cli_interrupted() != 0)
            return cli_failf("interrupted");
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return cli_failf("%s: %s", name, strerror(errno));
        for (ssize_t at = 0; at < size;) {
            ssize_t written = write(to, block + at, (size_t)(size - at));
            if (written < 0)
                return cli_failf("the copy of %s: %s", name, strerror(errno));
            at += written;
        }
    }
}

/*
 * Both formats need to go back and forth, so what can be read only once is copied to a file
 * that has no name and is gone when the program ends.
 */
static int spool(struct cli_source *source, int from)
{
    const char *folder = getenv("TMPDIR");
    struct cli_text path = {NULL, 0, 0};
    cli_text_addf(&path, "%s/armi-input-XXXXXX", folder != NULL ? folder : "/tmp");
    int fd = mkstemp(path.data);
    int st = CLI_DONE;
    if (fd < 0) {
        st = cli_failf("%s: %s", path.data, strerror(errno));
    } else {
        char place[64];
        unlink(path.data);
        int size = snprintf(place, sizeof place, "/proc/self/fd/%d", fd);
        source->place = cli_keep_text(place, (size_t)size);
        st = bytes_copy(from, fd, source->name);
    }
    cli_text_release(&path);
    return st;
}

/* Sets the place where the source's bytes can be read as often as needed. */
static int source_place(struct cli_source *source)
{
    static bool input_was_read;
    struct stat info;
    if (strcmp(source->path, "-") == 0) {
        source->name = "standard input";
        if (input_was_read)
            return cli_failf("standard input can be read only once");
        input_was_read = true;
        return spool(source, STDIN_FILENO);
    }
    if (stat(source->path, &info) != 0)
        return cli_failf("%s: %s", source->path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return cli_failf("%s is a folder: name the files in it", source->path);
    if (S_ISREG(info.st_mode))
        return CLI_DONE;
    int fd = open(source->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cli_failf("%s: %s", source->path, strerror(errno));
    int st = spool(source, fd);
    close(fd);
    return st;
}

int cli_source_fail(const struct cli_source *source, const struct armi_error *err)
{
    struct armi_error told = *err;
    const char *place = strstr(err->message, source->place);
    if (source->place != source->path && place != NULL)
        snprintf(told.message, sizeof told.message, "%.*s%s%s", (int)(place - err->message),
                 err->message, source->name, place + strlen(source->place));
    return cli_fail_about(source->name, &told);
}

/* ---- opening ---- */

static int format_check(const struct cli_args *args, struct cli_source *source)
{
    const char *forced = cli_args_value(args, "format");
    const char *name = source->name;
    if (source->format == ARMI_FORMAT_EMPTY)
        return cli_failf("%s is empty", name);
    if (forced != NULL)
        return format_read(forced, &source->format);
    if (source->format == ARMI_FORMAT_ARROW)
        return cli_failf("%s is an Arrow IPC file, which cannot be imported yet; write it "
                         "as Parquet",
                         name);
    if (source->format == ARMI_FORMAT_BINARY)
        return cli_failf("%s is neither Parquet nor CSV", name);
    if (source->format == ARMI_FORMAT_CSV && is_parquet_name(source->path))
        return cli_failf("%s is not a Parquet file: its content is text (--format csv "
                         "imports it all the same)",
                         name);
    return CLI_DONE;
}

static int csv_open(struct cli *cli, const struct cli_args *args,
                    const struct ArrowSchema *schema, struct cli_source *source)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_csv_read_options options = {
        .size = sizeof options,
        .null_text = cli_args_value(args, "null"),
        .no_header = cli_args_has(args, "no-header"),
        .schema = schema,
        .callbacks = cli_callbacks(cli, source->name),
    };
    int st = cli_delimiter_read(args, source->path, &options.delimiter);
    if (st != CLI_DONE)
        return st;
    if (armi_csv_read(source->place, &options, &source->stream, &err) != ARMI_OK)
        return cli_source_fail(source, &err);
    return CLI_DONE;
}

static int parquet_open(struct cli_source *source)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_parquet_file *file;
    struct armi_parquet_decode_options options = ARMI_PARQUET_DECODE_OPTIONS_INIT;
    options.max_bytes = UINT64_MAX; /* it is streamed, never held whole */
    if (armi_parquet_file_open_path(source->place, &file, &err) != ARMI_OK)
        return cli_source_fail(source, &err);
    int st = CLI_DONE;
    if (armi_parquet_file_read(file, &options, &source->stream, &err) != ARMI_OK)
        st = cli_source_fail(source, &err);
    source->rows = (uint64_t)armi_parquet_file_rows(file);
    armi_parquet_file_close(file);
    return st;
}

int cli_source_open(struct cli *cli, const struct cli_args *args, const char *path,
                    const struct ArrowSchema *schema, struct cli_source *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    *out = (struct cli_source){.path = path, .name = path, .place = path};
    int st = source_place(out);
    if (st != CLI_DONE)
        return st;
    if (armi_file_probe(out->place, &out->format, &err) != ARMI_OK)
        return cli_source_fail(out, &err);
    st = format_check(args, out);
    if (st != CLI_DONE)
        return st;
    return out->format == ARMI_FORMAT_PARQUET ? parquet_open(out)
                                              : csv_open(cli, args, schema, out);
}

void cli_source_close(struct cli_source *source)
{
    if (source->stream.release != NULL)
        source->stream.release(&source->stream);
    source->stream.release = NULL;
}

/* ---- many files as one stream ---- */

struct chain {
    size_t count, at;
    struct ArrowArrayStream *streams;
};

static int chain_schema(struct ArrowArrayStream *self, struct ArrowSchema *out)
{
    struct chain *chain = self->private_data;
    return chain->streams[0].get_schema(&chain->streams[0], out);
}

static int chain_next(struct ArrowArrayStream *self, struct ArrowArray *out)
{
    struct chain *chain = self->private_data;
    for (;; chain->at++) {
        struct ArrowArrayStream *stream = &chain->streams[chain->at];
        int code = stream->get_next(stream, out);
        if (code != 0 || out->release != NULL || chain->at + 1 == chain->count)
            return code;
    }
}

static const char *chain_error(struct ArrowArrayStream *self)
{
    struct chain *chain = self->private_data;
    struct ArrowArrayStream *stream = &chain->streams[chain->at];
    return stream->get_last_error(stream);
}

static void chain_release(struct ArrowArrayStream *self)
{
    struct chain *chain = self->private_data;
    for (size_t i = 0; i < chain->count; i++)
        chain->streams[i].release(&chain->streams[i]);
    self->release = NULL;
}

void cli_sources_chain(struct cli_source *sources, size_t count,
                       struct ArrowArrayStream *out)
{
    if (count == 1) {
        *out = sources[0].stream;
        sources[0].stream.release = NULL;
        return;
    }
    struct chain *chain = cli_keep(1, sizeof *chain);
    chain->count = count;
    chain->streams = cli_keep(count, sizeof *chain->streams);
    for (size_t i = 0; i < count; i++) {
        chain->streams[i] = sources[i].stream;
        sources[i].stream.release = NULL;
    }
    *out = (struct ArrowArrayStream){chain_schema, chain_next, chain_error, chain_release,
                                     chain};
}

/* Names of children of lists say nothing, but comparing them costs nothing either. */
static bool schema_equal(const struct ArrowSchema *a, const struct ArrowSchema *b,
                         size_t depth)
{
    const char *a_name = a->name != NULL ? a->name : "";
    const char *b_name = b->name != NULL ? b->name : "";
    if (depth > 64 || strcmp(a->format, b->format) != 0 || a->flags != b->flags ||
        a->n_children != b->n_children || (depth > 0 && strcmp(a_name, b_name) != 0) ||
        (a->dictionary == NULL) != (b->dictionary == NULL))
        return false;
    for (int64_t i = 0; i < a->n_children; i++)
        if (!schema_equal(a->children[i], b->children[i], depth + 1))
            return false;
    return a->dictionary == NULL || schema_equal(a->dictionary, b->dictionary, depth + 1);
}

bool cli_sources_alike(struct cli_source *sources, size_t count)
{
    struct ArrowSchema first = {.release = NULL};
    bool alike = sources[0].stream.get_schema(&sources[0].stream, &first) == 0;
    for (size_t i = 1; alike && i < count; i++) {
        struct ArrowSchema other = {.release = NULL};
        alike = sources[i].stream.get_schema(&sources[i].stream, &other) == 0 &&
                schema_equal(&first, &other, 0);
        if (other.release != NULL)
            other.release(&other);
    }
    if (first.release != NULL)
        first.release(&first);
    return alike;
}
