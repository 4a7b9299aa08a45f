/*
 * Reading a table version as a stream.
 */
#ifndef ARMI_TABLE_TABLE_SCAN_H
#define ARMI_TABLE_TABLE_SCAN_H

#include <armillaria/arrow_abi.h>
#include <armillaria/call.h>

#include "table/column_cache.h"
#include "table/table_io.h"
#include "table/table_version.h"

struct armi_table_scan {
    const char *name;           /* of the table, for messages */
    const char *const *columns; /* NULL = all */
    size_t column_count;
    const char *where; /* NULL = every row */
    bool has_limit;
    uint64_t limit;
    uint64_t offset;      /* rows that match and are left out */
    uint64_t batch_bytes; /* 0 = ARMI_BATCH_BYTES */
    bool ranges_apart;
    struct armi_callbacks callbacks;
    struct armi_column_cache *cache; /* NULL = none; outlives the stream (kept by io) */
};

/*
 * Everything that can be refused is refused here: columns, `where`. *version is moved on
 * ARMI_OK. io is retained until the stream's release. *out is owned.
 */
enum armi_status armi_table_scan_open(const struct armi_table_io *io,
                                      struct armi_table_version *version,
                                      const struct armi_table_scan *options,
                                      struct ArrowArrayStream *out, struct armi_error *err);

#endif
