/*
 * Rows on their way in: the batches of a stream, held without a copy, as columns of the
 * table's own types. Row numbers count from the first row that is still held.
 */
#ifndef ARMI_TABLE_ROWSET_H
#define ARMI_TABLE_ROWSET_H

#include "arrow/array.h"
#include "arrow/array_make.h"

struct armi_rowset_batch; /* in rowset.c */

struct armi_rowset {
    const struct armi_field *schema;   /* the table's; borrowed */
    const struct armi_field *incoming; /* what comes in; borrowed */
    const int64_t *from; /* schema column -> column that comes in, -1 = nulls; borrowed */
    struct armi_rowset_batch *batches;
    size_t batch_count, batch_capacity;
    uint64_t rows;
    uint64_t bytes;       /* of Arrow */
    uint64_t rows_before; /* that were dropped: for messages */
};

void armi_rowset_init(struct armi_rowset *set, const struct armi_field *schema,
                      const struct armi_field *incoming, const int64_t *from);
void armi_rowset_release(struct armi_rowset *set);

/*
 * Takes a record batch of the incoming type (moved, always), casts what needs it and counts
 * nulls where there may be none. ARMI_INVALID (malformed array, value that does not fit),
 * ARMI_CONSTRAINT naming column and row, ARMI_SCHEMA_MISMATCH, ARMI_NO_MEMORY.
 */
enum armi_status armi_rowset_add(struct armi_rowset *set, struct ArrowArray *array,
                                 const struct armi_parallel *parallel,
                                 struct armi_error *err);

/* Gives up the first `rows` rows. */
void armi_rowset_drop(struct armi_rowset *set, uint64_t rows);

/* How many pieces rows [from, from + count) lie in. */
size_t armi_rowset_piece_count(const struct armi_rowset *set, uint64_t from,
                               uint64_t count);
/* How many of the rows, from the first on, lie in one piece. */
uint64_t armi_rowset_piece_rows(const struct armi_rowset *set, uint64_t from,
                                uint64_t count);
/* Column c of the rows, as that many slices; borrowed from the set. */
void armi_rowset_pieces(const struct armi_rowset *set, size_t c, uint64_t from,
                        uint64_t count, struct armi_array *out);

#endif
