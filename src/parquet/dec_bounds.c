#include "parquet/dec_bounds.h"

#include <math.h>

#include "parquet/dec_convert.h"

/* A statistic's value as a page of one plain value, decoded like any other. */
static bool decode_one(const struct armi_pq_leaf *leaf, struct armi_slice value,
                       struct armi_pq_dictionary *out)
{
    struct armi_pq_scratch scratch = {0};
    struct armi_buf page = {0};
    enum armi_status status = ARMI_OK;
    if (leaf->physical == ARMI_PQ_BYTE_ARRAY)
        status = armi_buf_append_u32(&page, (uint32_t)value.size, NULL);
    if (status == ARMI_OK)
        status = armi_buf_append(&page, value.data, value.size, NULL);
    if (status == ARMI_OK)
        status = armi_pq_dictionary_read(leaf, armi_buf_slice(&page), 1, false, NULL, out,
                                         &scratch, NULL);
    armi_buf_release(&page);
    armi_pq_scratch_release(&scratch);
    return status == ARMI_OK;
}

static bool is_nan(const struct armi_array *view)
{
    return armi_type_is_float(view->field->type) && isnan(armi_array_double(view, 0));
}

/* The bound of one side; false: not known. */
static bool bound_of(const struct armi_pq_leaf *leaf, struct armi_slice value, bool upper,
                     uint8_t out[ARMI_STATS_BOUND_MAX], uint8_t *out_size)
{
    struct armi_pq_dictionary one = {0};
    const struct armi_field *type = armi_field_value(leaf->field);
    if (value.data == NULL || value.size > INT32_MAX)
        return false;
    if (leaf->physical == ARMI_PQ_BOOLEAN) {
        out[0] = value.size == 1 ? value.data[0] : 2;
        *out_size = 1;
        return out[0] < 2;
    }
    if (leaf->physical != ARMI_PQ_BYTE_ARRAY && value.size != armi_pq_physical_width(leaf))
        return false;
    if (!decode_one(leaf, value, &one))
        return false;
    bool is_bytes = one.values.kind == ARMI_PQ_SINK_BYTES32;
    struct armi_field text = *type; /* seen only: its layout is that of the decoded value */
    if (is_bytes)
        text.type = armi_type_is_utf8(type->type) ? ARMI_TYPE_UTF8 : ARMI_TYPE_BINARY;
    struct armi_array view = {
        .field = &text,
        .layout = is_bytes ? ARMI_LAYOUT_BINARY32 : ARMI_LAYOUT_FIXED,
        .width = is_bytes ? 0 : (int32_t)one.values.width,
        .length = 1,
        .values = is_bytes ? one.values.data : one.values.values,
        .offsets = is_bytes ? one.values.values : NULL,
    };
    int size = -1;
    if (!is_nan(&view))
        size = armi_stats_bound(&view, 0, upper, out, NULL);
    armi_pq_dictionary_release(&one);
    *out_size = size >= 0 ? (uint8_t)size : 0;
    return size >= 0;
}

/* Bounds in the order of the type: the new fields where the file says so, the old ones only where
 * all writers meant the same by them. */
static bool has_type_order(const struct armi_parquet_file *file,
                           const struct armi_pq_leaf *leaf)
{
    return leaf->index < file->meta.column_orders.count &&
           ARMI_PQ_HAS(&file->meta.column_orders.items[leaf->index], 1);
}

static bool old_order_is_safe(const struct armi_pq_leaf *leaf)
{
    return (leaf->physical == ARMI_PQ_INT32 || leaf->physical == ARMI_PQ_INT64 ||
            leaf->physical == ARMI_PQ_FLOAT || leaf->physical == ARMI_PQ_DOUBLE) &&
           !leaf->is_unsigned;
}

const struct armi_pq_leaf *armi_pq_bounds_leaf(const struct armi_parquet_file *file,
                                               size_t column)
{
    const struct armi_pq_schema *schema = &file->schema;
    const struct armi_pq_node *node = &schema->nodes[schema->nodes[0].children[column]];
    return node->shape == ARMI_PQ_SHAPE_LEAF ? &schema->leaves[node->leaf_first] : NULL;
}

void armi_pq_bounds(const struct armi_parquet_file *file, const struct armi_pq_leaf *leaf,
                    const struct armi_pq_told *told, bool is_new, struct armi_stats *out)
{
    armi_stats_init(out);
    out->flags = 0;
    out->rows = out->null_count = told->rows;
    if (told->nulls >= 0 && (uint64_t)told->nulls <= told->rows) {
        out->null_count = (uint64_t)told->nulls;
        out->flags |= ARMI_STATS_NULLS_EXACT;
    }
    if (told->is_all_null ||
        ((out->flags & ARMI_STATS_NULLS_EXACT) != 0 && out->null_count == told->rows))
        out->flags |= ARMI_STATS_NONE;
    if (armi_type_is_float(armi_field_value(leaf->field)->type) && !told->has_no_nan &&
        !told->is_all_null)
        out->flags |= ARMI_STATS_NAN;
    bool has_order = is_new ? has_type_order(file, leaf) : old_order_is_safe(leaf);
    if (leaf->convert == ARMI_PQ_NULL || leaf->physical == ARMI_PQ_INT96 || !has_order)
        return;
    if (bound_of(leaf, told->min, false, out->min, &out->min_size))
        out->flags |= ARMI_STATS_MIN;
    if (bound_of(leaf, told->max, true, out->max, &out->max_size))
        out->flags |= ARMI_STATS_MAX;
}

bool armi_pq_bounds_of_group(const struct armi_parquet_file *file, uint32_t row_group,
                             size_t column, struct armi_stats *out)
{
    const struct armi_pq_leaf *leaf = armi_pq_bounds_leaf(file, column);
    if (leaf == NULL)
        return false;
    const struct armi_pq_row_group *group = &file->meta.row_groups.items[row_group];
    const struct armi_pq_statistics *s = &group->columns.items[leaf->index].meta.statistics;
    bool is_new = has_type_order(file, leaf) && (ARMI_PQ_HAS(s, 5) || ARMI_PQ_HAS(s, 6));
    struct armi_pq_told told = {.rows = (uint64_t)group->row_count,
                                .nulls = ARMI_PQ_HAS(s, 3) ? s->null_count : -1,
                                .has_no_nan = ARMI_PQ_HAS(s, 9) && s->nan_count == 0};
    if (ARMI_PQ_HAS(s, is_new ? 6 : 2))
        told.min = is_new ? s->min_value : s->min;
    if (ARMI_PQ_HAS(s, is_new ? 5 : 1))
        told.max = is_new ? s->max_value : s->max;
    armi_pq_bounds(file, leaf, &told, is_new, out);
    return true;
}
