/*
 * Reading rows.
 */
#ifndef ARMILLARIA_SCAN_H
#define ARMILLARIA_SCAN_H

#include <armillaria/table.h>

#ifdef __cplusplus
extern "C" {
#endif

struct armi_scan_options {
    size_t size;
    const char *table;
    struct armi_at at;
    const char *const *columns; /* names in the order wanted; NULL = all */
    size_t column_count; /* 0 with non-NULL `columns`: no column, only the number of rows */
    const char *where;   /* see predicate.h; NULL = every row */
    uint64_t limit;      /* at most so many rows; 0 with has_limit = none */
    bool has_limit;
    uint64_t offset;      /* rows to skip, after `where` */
    uint64_t batch_bytes; /* Arrow bytes in a batch, at most; 0 = 64 MiB */
    bool ranges_apart;    /* one batch for each range of the table, of whatever size */
    bool no_verify;       /* trust chunk bytes for this scan */
    struct armi_callbacks callbacks;
};

/*
 * Opens a stream over the rows, in table order.
 *
 * The snapshot is fixed, and every name and `where` is checked, in this call; what fails
 * later is I/O and corruption. The stream is owned by the caller (out->release), keeps what
 * it needs alive by itself (the repository handle may be closed), and is for one thread at
 * a time. Batches are at most batch_bytes, or one row. Its get_next returns an errno, and
 * get_last_error a message of the same form as struct armi_error's: EIO for I/O and
 * corruption, ENOMEM, ECANCELED when interrupted; armi_scan_last_error() gives the whole
 * error.
 *
 * Errors: those of armi_table_info() · ARMI_NOT_FOUND (`No column "x" in table "t"
 * (columns: …)`) · ARMI_INVALID (`where` does not parse or compares what cannot be
 * compared).
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_scan_open(struct armi_repository *repo, const struct armi_scan_options *options,
               struct ArrowArrayStream *out, struct armi_error *err);

/*
 * The error behind the last failed call on a stream that came from this library, copied to
 * *out. ARMI_INVALID for a stream of somebody else's.
 */
ARMI_API enum armi_status armi_scan_last_error(struct ArrowArrayStream *stream,
                                               struct armi_error *out);

#ifdef __cplusplus
}
#endif

#endif
