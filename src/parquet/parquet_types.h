/*
 * Parquet to Arrow: a file's schema elements, and a hint of exact types, to fields, nodes and leaves.
 */
#ifndef ARMI_PARQUET_TYPES_H
#define ARMI_PARQUET_TYPES_H

#include "arrow/field.h"
#include "parquet/parquet_schema.h"

/*
 * As armi_pq_schema_from_parquet, with the hint given: a struct field whose children are matched with
 * the columns by name; NULL: types as Parquet says them. What does not fit is ignored, column by
 * column and leaf by leaf. `hint` is borrowed for the call.
 */
enum armi_status armi_pq_schema_from_elements(const struct armi_pq_file_meta *meta,
                                              const struct armi_field *hint,
                                              struct armi_pq_schema *out,
                                              struct armi_error *err);

/*
 * Whether the leaf's stored values can be handed out as `field` (or what its dictionary or runs hold):
 * then its convert, factor and arrow_width are set.
 */
bool armi_pq_leaf_bind(struct armi_pq_leaf *leaf, const struct armi_pq_schema_element *e,
                       const struct armi_field *field);

#endif
