/*
 * A range: a run of consecutive rows of a table version, as its tree entry describes it.
 * The columns of its rows lie in one to eight chunks; each column carries the fingerprint of
 * its logical content, so that what is already there is recognised without a look at any
 * chunk. docs/format/range.md is the specification.
 *
 * A range names a *row space*, physical rows 0 … n - 1, by a random-looking id of 16 bytes;
 * its window [first, first + rows) says which of them belong to it. In this version windows
 * are whole and nothing is dead: first = 0, live = rows (room for merge-on-read).
 */
#ifndef ARMI_TABLE_RANGE_H
#define ARMI_TABLE_RANGE_H

#include <armillaria/hash.h>

#include "arrow/fingerprint.h"
#include "base/buf.h"
#include "tree/tree.h"

#define ARMI_RANGE_ID_SIZE 16

#define ARMI_RANGE_CHUNKS_MAX 8

/* Where a chunk's bytes are. Other kinds are refused, by name of the table. */
enum armi_chunk_kind {
    ARMI_CHUNK_FILE = 0,    /* a file of the chunk store */
    ARMI_CHUNK_CATALOG = 1, /* a tiny chunk, in the catalog */
};

struct armi_chunk_ref {
    enum armi_chunk_kind kind;
    struct armi_hash hash;
    uint64_t file_size;   /* bytes */
    uint32_t footer_size; /* bytes of the Parquet footer, so that one read finds it */
    uint64_t file_row;    /* row of the file that holds physical row `first` */
    uint64_t first;       /* physical rows [first, first + rows) of the range are there */
    uint64_t rows;
    size_t column_count;
    int32_t *columns; /* ids that this chunk serves, ascending */
};

struct armi_range_column {
    int32_t id;
    uint8_t fingerprint[ARMI_FINGERPRINT_SIZE];
};

struct armi_range {
    uint8_t id[ARMI_RANGE_ID_SIZE];
    uint64_t first, rows, live;
    uint64_t
        bytes; /* Arrow bytes of its rows: kept beside the payload, in the tree entry */
    size_t column_count;
    struct armi_range_column *columns; /* by id, ascending */
    size_t chunk_count;
    struct armi_chunk_ref chunks[ARMI_RANGE_CHUNKS_MAX];
    size_t stats_count;
    struct armi_tree_stats *stats; /* kept in the tree entry */
};

#define ARMI_RANGE_INIT                                                                    \
    {                                                                                      \
        0                                                                                  \
    }

/* Room for the columns (zeroed). The range was ARMI_RANGE_INIT. */
enum armi_status armi_range_alloc(struct armi_range *range, size_t column_count,
                                  struct armi_error *err);
enum armi_status armi_range_copy(const struct armi_range *range, struct armi_range *out,
                                 struct armi_error *err);
void armi_range_release(struct armi_range *range);

/* The column with that id, or NULL. */
const struct armi_range_column *armi_range_find(const struct armi_range *range, int32_t id);
/* The chunk that serves the column, or NULL. */
const struct armi_chunk_ref *armi_range_chunk(const struct armi_range *range, int32_t id);
/* Takes a column away from the chunk that serves it; an emptied reference is removed. */
void armi_range_drop_column(struct armi_range *range, int32_t id);
/* Appends a reference; `columns` (ascending) are copied. The caller keeps the count below
 * the maximum. */
enum armi_status armi_range_add_chunk(struct armi_range *range,
                                      const struct armi_chunk_ref *chunk,
                                      const int32_t *columns, size_t column_count,
                                      struct armi_error *err);

/* The logical hash: what the rows are, however they are stored. */
void armi_range_logical(const struct armi_range *range, uint8_t out[20]);

/*
 * As a tree entry. `payload` gets the bytes that out->payload borrows; stats are borrowed
 * from the range. `anchor_ids` choose the fingerprints that decide node boundaries.
 */
enum armi_status armi_range_entry(const struct armi_range *range, const int32_t *anchor_ids,
                                  size_t anchor_count, struct armi_buf *payload,
                                  struct armi_tree_entry *out, struct armi_error *err);
/* Untrusted. ARMI_CORRUPTION; ARMI_UNSUPPORTED for what must be understood and is not. */
enum armi_status armi_range_decode(const struct armi_tree_entry *entry,
                                   struct armi_range *out, struct armi_error *err);

#endif
