/*
 * Files as Arrow streams.
 */
#ifndef ARMILLARIA_IO_H
#define ARMILLARIA_IO_H

#include <armillaria/arrow_abi.h>
#include <armillaria/call.h>
#include <armillaria/error.h>
#include <armillaria/export.h>

#ifdef __cplusplus
extern "C" {
#endif

struct armi_csv_read_options {
    size_t size;
    char delimiter;        /* 0 = comma */
    const char *null_text; /* also null when a field is exactly this, unquoted; NULL = only
                              the empty unquoted field is null */
    bool no_header;        /* columns are then called column_1, column_2… */
    uint64_t batch_bytes;  /* 0 = 64 MiB */
    /* What columns of these names are read as, where their text allows it: the schema of the
     * table that the rows are for. NULL = inferred. Borrowed for the call. */
    const struct ArrowSchema *schema;
    struct armi_callbacks callbacks;
};

/*
 * Reads CSV (RFC 4180, UTF-8, a byte order mark is skipped) with types inferred over the
 * whole file: int64, float64, boolean (true/false), date, timestamp, else utf8. A column
 * whose every field is null is utf8. `path` "-" is standard input (spooled to a temporary
 * file, since the file is read twice). With `schema` a column of a name that it has is text
 * where that is text, float64 where all its numbers are doubles, an integer of that width, a
 * time of that unit; a value that does not fit is ARMI_INVALID with its row, while reading.
 *
 * Errors: ARMI_NOT_FOUND · ARMI_STORAGE · ARMI_LIMIT · ARMI_INVALID with the row, 1-based
 * and counting the header, and what is wrong
 * ("flights.csv: row 70000 has 20 fields, the header has 19"; a quote that never closes;
 * bad UTF-8). All of these are found before the first batch: inference reads everything.
 * The stream asks `interrupted` as well, so `callbacks.ctx` lives as long as the stream;
 * `progress` is told the rows of the first reading.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_csv_read(const char *path, const struct armi_csv_read_options *options,
              struct ArrowArrayStream *out, struct armi_error *err);

struct armi_csv_write_options {
    size_t size;
    char delimiter; /* 0 = comma */
    const char
        *null_text; /* NULL = the empty field; an empty string is then written as "" */
    bool no_header;
    struct armi_callbacks callbacks;
};

/*
 * Writes a stream as CSV to `path` ("-" = standard output): to a temporary file beside it
 * that is renamed when complete. The stream is moved. Numbers are printed so that reading
 * gives the same value; times in ISO 8601, UTC. Nested columns are written as JSON. A
 * pipe, a device or a link is written in place.
 * *out_rows may be NULL.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_csv_write(struct ArrowArrayStream *data, const char *path,
               const struct armi_csv_write_options *options, uint64_t *out_rows,
               struct armi_error *err);

enum armi_file_format {
    ARMI_FORMAT_CSV = 0, /* text */
    ARMI_FORMAT_PARQUET = 1,
    ARMI_FORMAT_ARROW = 2, /* Arrow IPC: recognised, so that it can be refused by name */
    ARMI_FORMAT_EMPTY = 3,
    ARMI_FORMAT_BINARY = 4, /* bytes that are neither text nor a format known here */
};

/* Looks at the content of a file, never at its name. */
ARMI_API ARMI_MUST_USE enum armi_status
armi_file_probe(const char *path, enum armi_file_format *out, struct armi_error *err);

/*
 * One value of an array as text, the way CSV writes it; for terminals. Appends at most
 * `capacity` - 1 bytes and a zero byte to `text`; returns the length that the whole would
 * have. A null is the empty text.
 */
ARMI_API size_t armi_value_format(const struct ArrowSchema *schema,
                                  const struct ArrowArray *array, int64_t index, char *text,
                                  size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
