/*
 * Columns of runs of rows out of chunks: opens each chunk once, decodes, casts what was
 * stored under an older type, gives nulls where a range lacks the column.
 *
 * Open files are kept for the reader's life, at most a few dozen. One reader may be used
 * from many threads.
 */
#ifndef ARMI_TABLE_COLUMN_READER_H
#define ARMI_TABLE_COLUMN_READER_H

#include "table/column_cache.h"
#include "table/table_io.h"
#include "table/table_version.h"

struct armi_column_reader;

/* Consecutive rows of one chunk file that hold a column, or (no chunk) rows of nulls. */
struct armi_column_run {
    const struct armi_chunk_ref *chunk; /* NULL: the rows lack the column */
    uint64_t row, rows;                 /* of the file */
};

/*
 * `schema` (borrowed) has the types that come out, by column id; NULL for a reader of what is
 * stored (below). `cache` may be NULL. *out is
 * owned: armi_column_reader_free().
 */
enum armi_status armi_column_reader_new(const struct armi_table_io *io,
                                        struct armi_column_cache *cache,
                                        const struct armi_field *schema,
                                        struct armi_column_reader **out,
                                        struct armi_error *err);
void armi_column_reader_free(struct armi_column_reader *reader);

/* The run as an array of type `field`, a column of the schema; owned by the caller. */
enum armi_status armi_column_reader_read(struct armi_column_reader *reader,
                                         const struct armi_field *field,
                                         const struct armi_column_run *run,
                                         struct ArrowArray *out, struct armi_error *err);

/*
 * The run as it lies in the chunk, past the cache: *stored becomes its type, as the chunk itself
 * tells it where the reader has no schema. Both are owned by the caller.
 */
enum armi_status armi_column_reader_stored(struct armi_column_reader *reader, int32_t id,
                                           const struct armi_column_run *run,
                                           struct armi_field *stored,
                                           struct ArrowArray *out, struct armi_error *err);

/* Where the rows of a range's column lie. */
struct armi_column_run armi_range_run(const struct armi_range *range, int32_t id);

#endif
