/*
 * Arrow streams, as the program prints them.
 */
#ifndef ARMI_CLI_CLI_ARROW_H
#define ARMI_CLI_CLI_ARROW_H

#include "cli.h"
#include "cli_json.h"

/* A type as pyarrow prints it: "int64", "timestamp[us, tz=UTC]", "list<item: string>". */
void cli_type_print(const struct ArrowSchema *schema, struct cli_text *out);
bool cli_type_is_number(const struct ArrowSchema *schema);

/* A stream being read, batch after batch. Zero-initialised it holds nothing. */
struct cli_rows {
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    uint64_t rows; /* read so far */
    int64_t at;    /* in the batch */
};

/* Moves `stream` in and reads its schema. CLI_DONE, or what the command returns. */
int cli_rows_open(struct cli_rows *rows, struct ArrowArrayStream *stream);
/* To the next row, *has false at the end. */
int cli_rows_next(struct cli_rows *rows, bool *has);
void cli_rows_close(struct cli_rows *rows);

bool cli_rows_is_null(const struct cli_rows *rows, size_t column);
/* Replaces what `out` held. */
void cli_rows_text(const struct cli_rows *rows, size_t column, struct cli_text *out);
/* Members of a JSON object, one for each column from `first` on. */
void cli_rows_json(const struct cli_rows *rows, size_t first, struct cli_json *json);

/* The error behind a failed call on a stream. */
int cli_stream_fail(struct ArrowArrayStream *stream, int code);

#endif
