/*
 * Files that commands read and write: what they are, standard input and output.
 */
#ifndef ARMI_CLI_CLI_FILES_H
#define ARMI_CLI_CLI_FILES_H

#include "cli.h"

/* A file to import. */
struct cli_source {
    const char *path;  /* as it was written, "-" for standard input */
    const char *name;  /* what messages call it */
    const char *place; /* where it can be opened */
    enum armi_file_format format;
    uint64_t rows;                  /* 0 = not known before it is read */
    struct ArrowArrayStream stream; /* owned; release NULL once moved */
};

/*
 * Looks at a file and opens it as a stream, by its content; --format, --null, --delimiter
 * and --no-header of `args` say otherwise. `schema` (may be NULL) is that of the table which
 * the rows are for: CSV is read as its types.
 */
int cli_source_open(struct cli *cli, const struct cli_args *args, const char *path,
                    const struct ArrowSchema *schema, struct cli_source *out);
void cli_source_close(struct cli_source *source);
/* cli_fail_about() for a source: messages speak of standard input, not of where it lies. */
int cli_source_fail(const struct cli_source *source, const struct armi_error *err);

/*
 * One stream out of many: moves the sources' streams in. They must be of one schema
 * (cli_sources_alike).
 */
void cli_sources_chain(struct cli_source *sources, size_t count,
                       struct ArrowArrayStream *out);
bool cli_sources_alike(struct cli_source *sources, size_t count);

/* --format, else the suffix of `path`; "-" and none are CSV. */
int cli_format_choose(const struct cli_args *args, const char *path,
                      enum armi_file_format *out);
/* --delimiter: one character, or "tab"; .tsv means tab. */
int cli_delimiter_read(const struct cli_args *args, const char *path, char *out);

#endif
