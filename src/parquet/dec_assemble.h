/*
 * Leaves become Arrow arrays: the leaves under a column to one array of its type, each struct and list
 * as its leaves' levels told it. All leaves under a node must tell the same; where they do not the file
 * is damaged.
 */
#ifndef ARMI_DEC_ASSEMBLE_H
#define ARMI_DEC_ASSEMBLE_H

#include "arrow/array_make.h"
#include "parquet/dec_column.h"

struct armi_pq_assembly {
    const struct armi_pq_schema *schema;
    /* Of the leaves from number `leaf_base` on: a column's own. Buffers are moved out. */
    uint32_t leaf_base;
    struct armi_pq_leaf_data *leaves;
    struct armi_pq_budget *budget;
    struct armi_holder
        *holder; /* keeps the source's mapping; NULL where nothing is borrowed */
    int64_t row_count;
    uint32_t top; /* the node that is asked for */
};

/* The array of `node`: a child of the root, or one that only structs stand above, whose nulls are then
 * the node's. */
enum armi_status armi_pq_assemble(const struct armi_pq_assembly *assembly, uint32_t node,
                                  struct ArrowArray *out, struct armi_error *err);

#endif
