/*
 * The bridge between an Arrow schema and a Parquet schema, in both directions. An Arrow
 * field tree becomes a tree of nodes and a row of leaves; the same nodes are made from a
 * file's schema elements (and its ARROW:schema, which is a hint that must fit). Encoder and
 * decoder work on nodes and leaves only, so that a type is mapped in one place: one row of
 * the tables in parquet_schema.c (write) and parquet_types.c (read).
 *
 * Levels. A value's definition level counts the optional and repeated steps on its path
 * that are there; its repetition level says at which list the row goes on. For a node:
 *   def_present   the definition level from which the node itself is not null (that of its
 * parent, plus one if the node is optional); def_item      lists and maps: the level from
 * which the list holds an item (def_present + 1; an empty list has def_present); rep the
 * repetition level of the node's values; a list's items have rep + 1.
 */
#ifndef ARMI_PARQUET_SCHEMA_H
#define ARMI_PARQUET_SCHEMA_H

#include <stdbool.h>

#include "parquet/parquet_meta.h"

struct armi_field; /* arrow/field.h */

enum armi_pq_shape {
    ARMI_PQ_SHAPE_LEAF,
    ARMI_PQ_SHAPE_STRUCT,
    ARMI_PQ_SHAPE_LIST, /* list, large list, list view, fixed-size list: the Arrow field
                           says which */
    ARMI_PQ_SHAPE_MAP,  /* its one child is the struct of key and value */
};

/* How a leaf's stored value turns into the Arrow value, and back. */
enum armi_pq_convert {
    ARMI_PQ_COPY,   /* same width, same bits: int32/64, uint, float, date32, time, fixed
                       binary… */
    ARMI_PQ_BOOL,   /* bits */
    ARMI_PQ_NARROW, /* INT32 holding (u)int8 or (u)int16 */
    ARMI_PQ_BYTES,  /* BYTE_ARRAY to utf8, binary, their large and view forms */
    ARMI_PQ_SCALE,  /* integer times or divided by `factor` (seconds, date64: see below) */
    ARMI_PQ_DECIMAL_INT,   /* INT32/INT64 to decimal32/64/128/256, sign extended */
    ARMI_PQ_DECIMAL_BYTES, /* FIXED or BYTE_ARRAY, big-endian, to decimal32/64/128/256 */
    ARMI_PQ_CONVERT_INT96, /* Julian day and nanoseconds to timestamp */
    ARMI_PQ_NULL,          /* no value at all */
    ARMI_PQ_INTERVAL,      /* FIXED(12), handed out as fixed binary */
};

struct armi_pq_leaf {
    uint32_t index; /* which column chunk of a row group */
    uint32_t node;  /* its node */
    uint32_t top;   /* number of the top-level column it belongs to */
    enum armi_pq_type physical;
    int32_t type_length; /* FIXED: bytes of a value */
    enum armi_pq_convert convert;
    int64_t factor;       /* SCALE: Arrow value * factor = stored value; negative: stored *
                           * -factor       = Arrow value. INT96: nanoseconds in one Arrow unit */
    uint32_t arrow_width; /* bytes of an Arrow value; 0: bits, variable or none */
    uint16_t max_def;
    uint16_t max_rep;
    bool is_unsigned;        /* order of statistics: unsigned */
    bool has_order;          /* statistics have a defined order at all */
    int32_t field_id;        /* -1: none */
    struct armi_slice *path; /* names from below the root down; owned by the schema */
    uint32_t path_count;
    uint32_t element; /* index in the list of schema elements */
    struct armi_pq_logical logical;
    int32_t converted; /* -1: none */
    /* Borrowed from the schema's Arrow tree. Dictionary arrays: the field of the whole; the
     * leaf holds what the dictionary's values hold. */
    const struct armi_field *field;
};

struct armi_pq_node {
    enum armi_pq_shape shape;
    bool is_optional;
    uint16_t def_present;
    uint16_t def_item;
    uint16_t rep;
    uint32_t parent; /* index; the root's is its own */
    uint32_t leaf_first;
    uint32_t leaf_count; /* consecutive */
    uint32_t *children;  /* indexes of nodes */
    uint32_t child_count;
    const struct armi_field *field; /* borrowed from the schema's Arrow tree */
};

struct armi_pq_schema {
    struct armi_field
        *root; /* a struct: the Arrow schema; owned if `owns_root`, else borrowed */
    bool owns_root;
    struct armi_pq_node
        *nodes; /* nodes[0] is the root; nodes[0].children are the top columns */
    uint32_t node_count;
    struct armi_pq_leaf *leaves;
    uint32_t leaf_count;
    struct armi_pq_schema_element *elements; /* as stored, depth first, the root first */
    uint32_t element_count;
    struct armi_pq_arena arena;
};

/*
 * For writing: the Arrow schema `root` (a struct field; borrowed while `out` lives) as
 * Parquet. ARMI_UNSUPPORTED names the column whose type has no place in Parquet.
 */
enum armi_status armi_pq_schema_from_arrow(const struct armi_field *root,
                                           struct armi_pq_schema *out,
                                           struct armi_error *err);

/*
 * For reading: a file's schema elements as Arrow. `use_hint`: the file's ARROW:schema
 * restores what Parquet cannot say; a hint that does not fit is ignored, column by column.
 * Strings of `meta` must outlive `out`. ARMI_CORRUPTION: the elements are no tree, a leaf
 * without type and the like.
 */
enum armi_status armi_pq_schema_from_parquet(const struct armi_pq_file_meta *meta,
                                             bool use_hint, struct armi_pq_schema *out,
                                             struct armi_error *err);

void armi_pq_schema_release(struct armi_pq_schema *schema);

/* "a.b.list.element", cut to fit: for messages. Returns `out`. */
const char *armi_pq_leaf_path(const struct armi_pq_leaf *leaf, char *out, size_t size);

/* "INT32" and the like. Static. */
const char *armi_pq_type_name(int type);
const char *armi_pq_encoding_name(int encoding);

#endif
