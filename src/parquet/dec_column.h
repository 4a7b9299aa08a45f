/*
 * A span of rows of one leaf: pages to levels and values. Columns without lists and with one
 * optional step at most keep no levels at all: their definition levels are the validity bitmap.
 */
#ifndef ARMI_DEC_COLUMN_H
#define ARMI_DEC_COLUMN_H

#include "parquet/dec_chunk.h"

/* Set in the definition level of an entry that stands for a slot which the file does not have: what a
 * null fixed-size list must still hold in Arrow. The bits below it are the null list's own level. */
#define ARMI_PQ_LEVEL_PAD 0x80

/* Definition levels, and in lists repetition levels, of the span's entries. */
struct armi_pq_levels {
    uint8_t *def;
    uint8_t *rep; /* NULL: all are 0 */
    size_t count;
    size_t capacity;
};

/* A list between the root and a leaf. */
struct armi_pq_step {
    uint8_t def_item;    /* the list has an item from this level on */
    int32_t fixed_width; /* of a fixed-size list; -1: any length */
};

/* What a leaf's levels mean, worked out once a leaf. */
struct armi_pq_leaf_shape {
    bool keeps_levels;
    bool has_fixed_list;
    bool is_dictionary; /* the Arrow array is a dictionary: the sink holds indices */
    uint8_t slot_def;   /* entries from this level on are slots of the leaf's array */
    uint8_t step_count;
    /* By kept level: up to where the entry's slots exist. The level itself, except for padding. */
    uint8_t exists[256];
    struct armi_pq_step steps[64];
};

struct armi_pq_leaf_data {
    struct armi_pq_sink sink;       /* values, or 4-byte indices */
    struct armi_pq_sink dictionary; /* of a dictionary array: its values */
    bool has_repeats; /* values of pages were added to it as they came, maybe repeatedly */
    struct armi_pq_levels levels;
    const uint8_t *borrowed; /* values in place of sink.values, in the source's mapping */
    struct armi_pq_budget *budget;
};

void armi_pq_leaf_data_release(struct armi_pq_leaf_data *data);

enum armi_status armi_pq_leaf_shape_init(const struct armi_pq_schema *schema, uint32_t leaf,
                                         struct armi_pq_leaf_shape *out,
                                         struct armi_error *err);

/*
 * Reads rows [row_from, row_from + row_count), which lie in the row group, into *out, a zeroed struct
 * whose release is the caller's, also on failure. `is_partial`: use the offset index rather than
 * reading the whole chunk.
 */
enum armi_status armi_pq_column_read(struct armi_pq_chunk *chunk,
                                     const struct armi_pq_leaf_shape *shape,
                                     int64_t row_from, int64_t row_count, bool is_partial,
                                     bool zero_copy, struct armi_pq_budget *budget,
                                     struct armi_pq_worker *worker,
                                     struct armi_pq_leaf_data *out, struct armi_error *err);

#endif
