/*
 * Writing: a stream becomes a table version.
 */
#ifndef ARMI_TABLE_TABLE_WRITE_H
#define ARMI_TABLE_TABLE_WRITE_H

#include <armillaria/arrow_abi.h>
#include <armillaria/call.h>

#include "table/schema_fit.h"
#include "table/table_io.h"
#include "table/table_version.h"

/* What decides where input is cut; 0 = as it should be. Set by tests, which have small data. */
struct armi_table_limits {
    uint64_t segment_bytes; /* Arrow bytes that are planned together */
    uint64_t settle_bytes;  /* Arrow bytes from which a table has boundaries */
    uint64_t target_rows;   /* rows of a range on average, when it gets them */
    uint64_t range_bytes;   /* Arrow bytes of a range, at most */
};

struct armi_table_write {
    const char *name; /* of the table, for messages */
    bool append;      /* behind the parent's rows; else in their place */
    enum armi_fit_mode fit;
    uint64_t chunk_rows; /* rows in a chunk file, at most; 0 = by bytes */
    struct armi_table_limits limits;
    struct armi_callbacks callbacks;
};

struct armi_table_written {
    bool changed;  /* false: the parent holds this very content; `out` is a copy of it */
    uint64_t rows; /* that came in */
    uint64_t chunks_written, chunks_reused;
    uint64_t bytes_written, bytes_reused;
    uint64_t columns_encoded, columns_shared; /* (range, column) pairs */
};

/*
 * `parent` NULL: a new table, with id `table_id`. The stream is moved. Chunks and tree nodes
 * go to the sink as they are made; the version node is the caller's to save. *out is owned.
 */
enum armi_status
armi_table_write(const struct armi_table_io *io, struct armi_table_sink *sink,
                 const struct armi_table_version *parent,
                 const uint8_t table_id[ARMI_TABLE_ID_SIZE], struct ArrowArrayStream *data,
                 const struct armi_table_write *options, struct armi_table_version *out,
                 struct armi_table_written *written, struct armi_error *err);

#endif
