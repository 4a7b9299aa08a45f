/*
 * A span of rows of one leaf: pages to values, and to what their levels say of the lists and structs
 * above. Columns without such need no levels at all: bit-packed, they are the validity bitmap.
 */
#ifndef ARMI_DEC_COLUMN_H
#define ARMI_DEC_COLUMN_H

#include "parquet/dec_chunk.h"
#include "parquet/dec_structure.h"

struct armi_pq_leaf_data {
    struct armi_pq_sink sink;       /* values, or 4-byte indices */
    struct armi_pq_sink dictionary; /* of a dictionary array: its values */
    bool has_repeats; /* values of pages were added to it as they came, maybe repeatedly */
    struct armi_pq_structures structures;
    size_t entries;          /* of levels, so far */
    const uint8_t *borrowed; /* values in place of sink.values, in the source's mapping */
    struct armi_pq_budget *budget;
};

void armi_pq_leaf_data_release(struct armi_pq_leaf_data *data);

/*
 * Reads rows [row_from, row_from + row_count), which lie in the row group, into *out, a zeroed struct
 * whose release is the caller's, also on failure. `top`: the node that is asked for, the leaf's or one
 * above it. `is_partial`: use the offset index rather than reading the whole chunk.
 */
enum armi_status armi_pq_column_read(struct armi_pq_chunk *chunk,
                                     const struct armi_pq_leaf_shape *shape, uint32_t top,
                                     int64_t row_from, int64_t row_count, bool is_partial,
                                     bool zero_copy, struct armi_pq_budget *budget,
                                     struct armi_pq_worker *worker,
                                     struct armi_pq_leaf_data *out, struct armi_error *err);

#endif
