/*
 * The decoder as the layers above use it: a file opened over a source of bytes, and spans of its rows
 * read column by column into Arrow arrays. Nothing that the bytes say is believed before it is
 * checked; what is wrong is ARMI_CORRUPTION and names column, row group and page.
 *
 * A file is immutable after it was opened and may be used from many threads. It is the public
 * armi_parquet_file, counted: arrays that point into a mapping hold it.
 */
#ifndef ARMI_PARQUET_DECODE_H
#define ARMI_PARQUET_DECODE_H

#include <armillaria/parquet.h>

#include "arrow/array.h"
#include "base/pool.h"
#include "base/source.h"
#include "parquet/parquet_schema.h"

struct armi_pq_open_options {
    uint32_t
        footer_size; /* of the metadata alone, where it is known; 0: read from the tail */
    bool no_arrow_schema; /* ignore ARROW:schema */
    /* Exact types by column name (a struct field), which go before ARROW:schema; NULL: none. A type
     * that does not fit what is stored is ignored. Borrowed for the call. */
    const struct armi_field *target;
};

/* `source` is copied; one reference of it is taken (retain) and given back (release) with the file.
 * `options` NULL: defaults. ARMI_CORRUPTION: no Parquet file, or a damaged one; ARMI_UNSUPPORTED:
 * encrypted. */
enum armi_status armi_pq_file_open(const struct armi_source *source,
                                   const struct armi_pq_open_options *options,
                                   struct armi_parquet_file **out, struct armi_error *err);
struct armi_parquet_file *armi_pq_file_ref(struct armi_parquet_file *file);
/* NULL is allowed. armi_parquet_file_close is the same. */
void armi_pq_file_unref(struct armi_parquet_file *file);

/* Borrowed from the file. root->children are the columns. */
const struct armi_field *armi_pq_file_root(const struct armi_parquet_file *file);
const struct armi_pq_schema *armi_pq_file_schema(const struct armi_parquet_file *file);
const struct armi_pq_file_meta *armi_pq_file_meta(const struct armi_parquet_file *file);
/* Rows of all row groups. */
int64_t armi_pq_file_rows(const struct armi_parquet_file *file);

struct armi_pq_read_options {
    struct armi_parallel parallel;
    uint64_t max_bytes; /* of the result's buffers; 0: ARMI_RESULT_BYTES */
    bool no_checksum;   /* do not compare the pages' CRC-32 */
    bool no_utf8_check;
    bool no_zero_copy; /* results must not hold the source */
};

/*
 * Rows [row_from, row_from + row_count) of a row group (asserted to lie in it), the top-level columns
 * `columns[0 .. column_count)` in that order, each once or more: out[i] becomes owned by the caller,
 * typed as armi_pq_file_root()->children[columns[i]]. Only the pages that hold those rows are read
 * where the file has an offset index. Columns are decoded in parallel. On failure no array is left.
 * ARMI_LIMIT: the result would be beyond max_bytes, or a column's text beyond 2 GiB where its
 * offsets have 32 bits: fewer rows at a time then do.
 */
enum armi_status armi_pq_file_read(struct armi_parquet_file *file, uint32_t row_group,
                                   int64_t row_from, int64_t row_count,
                                   const uint32_t *columns, size_t column_count,
                                   const struct armi_pq_read_options *options,
                                   struct ArrowArray *out, struct armi_error *err);

/*
 * The same for spans that follow each other: keeps what one row group's columns have read (bytes,
 * dictionaries, the place) between calls. One thread at a time.
 */
struct armi_pq_cursor;
enum armi_status armi_pq_cursor_new(struct armi_parquet_file *file, uint32_t row_group,
                                    const uint32_t *columns, size_t column_count,
                                    const struct armi_pq_read_options *options,
                                    struct armi_pq_cursor **out, struct armi_error *err);
/* The same of nodes of the file's schema: columns, or members of structs (of structs) that are columns,
 * which are null where one of these is. */
enum armi_status armi_pq_cursor_new_of_nodes(struct armi_parquet_file *file,
                                             uint32_t row_group, const uint32_t *nodes,
                                             size_t node_count,
                                             const struct armi_pq_read_options *options,
                                             struct armi_pq_cursor **out,
                                             struct armi_error *err);
void armi_pq_cursor_free(struct armi_pq_cursor *cursor);
/* Any span; those that begin where the last one ended are cheapest. After a failure the cursor may be
 * used on. */
enum armi_status armi_pq_cursor_read(struct armi_pq_cursor *cursor, int64_t row_from,
                                     int64_t row_count, struct ArrowArray *out,
                                     struct armi_error *err);

/* Whether each read fetches only the pages of its span (where there is an offset index), not the
 * whole column chunk once. */
void armi_pq_cursor_set_partial(struct armi_pq_cursor *cursor, bool is_partial);
/* From here on max_bytes is this. */
void armi_pq_cursor_set_max(struct armi_pq_cursor *cursor, uint64_t max_bytes);
/* Whether the last read's ARMI_LIMIT was max_bytes, which fewer rows at a time do not help. */
bool armi_pq_cursor_hit_budget(const struct armi_pq_cursor *cursor);

#endif
