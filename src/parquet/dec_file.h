/*
 * An open file: footer, schema and shapes of the leaves, all immutable.
 */
#ifndef ARMI_DEC_FILE_H
#define ARMI_DEC_FILE_H

#include <stdatomic.h>

#include "parquet/dec_column.h"
#include "parquet/parquet_decode.h"

struct armi_parquet_file {
    atomic_uint references;
    struct armi_source source;
    uint8_t *footer; /* what the metadata's strings point into */
    char *created_by;
    struct armi_pq_arena arena;
    struct armi_pq_file_meta meta;
    struct armi_pq_schema schema;
    struct armi_pq_leaf_shape *shapes; /* by leaf */
    char **paths;                      /* by leaf: "a.list.element" */
    int64_t rows;
};

/* Bytes that a leaf's values may take in Arrow, by the footer (dec_cursor.c). */
double armi_pq_leaf_bytes(const struct armi_pq_leaf *leaf,
                          const struct armi_pq_column_meta *meta);

#endif
