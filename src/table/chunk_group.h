/*
 * Ranges are not files: dirty columns of many ranges go into one chunk.
 *
 * Ranges whose dirty columns are the same share a group; a group is written as one chunk when
 * it holds about 64 MiB of Arrow data (or chunk_rows), or when the input ends. Pages are cut
 * where ranges end, so that each can be read alone.
 */
#ifndef ARMI_TABLE_CHUNK_GROUP_H
#define ARMI_TABLE_CHUNK_GROUP_H

#include "table/plan.h"
#include "table/table_io.h"
#include "table/table_write.h"

/* A range whose dirty columns wait for a chunk; `range` gets a reference when it is written. */
struct armi_group_member {
    uint64_t row, rows; /* in the rowset */
    size_t range;       /* index into the caller's array of ranges */
};

struct armi_chunk_group {
    bool *dirty; /* by column */
    size_t dirty_count;
    uint64_t rows, bytes;
    struct armi_group_member *members;
    size_t count, capacity;
};

struct armi_chunk_groups {
    const struct armi_field *schema;
    struct armi_table_sink *sink;
    struct armi_table_written *written;
    uint64_t rows_max; /* of a chunk */
    struct armi_chunk_group *groups;
    size_t count, capacity;
};

void armi_chunk_groups_init(struct armi_chunk_groups *groups,
                            const struct armi_field *schema, struct armi_table_sink *sink,
                            uint64_t chunk_rows, struct armi_table_written *written);
void armi_chunk_groups_release(struct armi_chunk_groups *groups);

/*
 * Adds a planned range with dirty columns; writes its group first if it is full. `ranges` is
 * the array that members index: it may have grown since the last call.
 */
enum armi_status armi_chunk_groups_add(struct armi_chunk_groups *groups,
                                       const struct armi_rowset *set,
                                       const struct armi_planned *planned, size_t range,
                                       struct armi_range *ranges, struct armi_error *err);
/* Writes all groups: before rows of the set are dropped, and at the end. */
enum armi_status armi_chunk_groups_flush(struct armi_chunk_groups *groups,
                                         const struct armi_rowset *set,
                                         struct armi_range *ranges, struct armi_error *err);

#endif
