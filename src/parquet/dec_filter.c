#include "parquet/dec_filter.h"

#include <math.h>

#include "arrow/stats.h"
#include "base/alloc.h"
#include "parquet/dec_file.h"
#include "predicate/predicate.h"

struct armi_pq_filter {
    const struct armi_parquet_file *file;
    struct armi_predicate *predicate;
    uint32_t *columns;
    size_t column_count;
};

enum armi_status armi_pq_filter_new(const struct armi_parquet_file *file, const char *where,
                                    struct armi_pq_filter **out, struct armi_error *err)
{
    struct armi_pq_filter *f = armi_alloc_zero(1, sizeof *f);
    if (f == NULL)
        return armi_error_no_memory(err);
    f->file = file;
    enum armi_status status =
        armi_predicate_compile(where, file->schema.root, &f->predicate, err);
    if (status == ARMI_OK) {
        const size_t *columns = armi_predicate_columns(f->predicate, &f->column_count);
        f->columns = armi_alloc_array(f->column_count + 1, sizeof *f->columns);
        if (f->columns == NULL)
            status = armi_error_no_memory(err);
        for (size_t i = 0; status == ARMI_OK && i < f->column_count; i++)
            f->columns[i] = (uint32_t)columns[i];
    }
    if (status != ARMI_OK) {
        armi_pq_filter_free(f);
        return status;
    }
    *out = f;
    return ARMI_OK;
}

void armi_pq_filter_free(struct armi_pq_filter *filter)
{
    if (filter == NULL)
        return;
    armi_predicate_free(filter->predicate);
    armi_free(filter->columns);
    armi_free(filter);
}

const uint32_t *armi_pq_filter_columns(const struct armi_pq_filter *filter, size_t *count)
{
    *count = filter->column_count;
    return filter->columns;
}

/* ---- row groups ---- */

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
    if (value.data == NULL || value.size > INT32_MAX || !decode_one(leaf, value, &one))
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

struct group_bounds {
    const struct armi_parquet_file *file;
    uint32_t row_group;
};

static bool group_stats(void *ctx, size_t column, struct armi_stats *out)
{
    const struct group_bounds *b = ctx;
    const struct armi_pq_schema *schema = &b->file->schema;
    const struct armi_pq_node *node = &schema->nodes[schema->nodes[0].children[column]];
    if (node->shape != ARMI_PQ_SHAPE_LEAF)
        return false;
    const struct armi_pq_leaf *leaf = &schema->leaves[node->leaf_first];
    const struct armi_pq_row_group *group = &b->file->meta.row_groups.items[b->row_group];
    const struct armi_pq_statistics *s = &group->columns.items[leaf->index].meta.statistics;
    armi_stats_init(out);
    out->flags = 0;
    out->rows = out->null_count = (uint64_t)group->row_count;
    if (ARMI_PQ_HAS(s, 3) && s->null_count >= 0 && s->null_count <= group->row_count) {
        out->null_count = (uint64_t)s->null_count;
        out->flags |= ARMI_STATS_NULLS_EXACT;
        if (s->null_count == group->row_count)
            out->flags |= ARMI_STATS_NONE;
    }
    bool is_float = armi_type_is_float(armi_field_value(leaf->field)->type);
    if (is_float && !(ARMI_PQ_HAS(s, 9) && s->nan_count == 0))
        out->flags |= ARMI_STATS_NAN;
    if (leaf->convert == ARMI_PQ_NULL || leaf->physical == ARMI_PQ_BOOLEAN ||
        leaf->physical == ARMI_PQ_INT96)
        return true;
    bool is_new = has_type_order(b->file, leaf) && (ARMI_PQ_HAS(s, 5) || ARMI_PQ_HAS(s, 6));
    if (!is_new && !old_order_is_safe(leaf))
        return true;
    struct armi_slice min = is_new ? s->min_value : s->min,
                      max = is_new ? s->max_value : s->max;
    if (ARMI_PQ_HAS(s, is_new ? 6 : 2) &&
        bound_of(leaf, min, false, out->min, &out->min_size))
        out->flags |= ARMI_STATS_MIN;
    if (ARMI_PQ_HAS(s, is_new ? 5 : 1) &&
        bound_of(leaf, max, true, out->max, &out->max_size))
        out->flags |= ARMI_STATS_MAX;
    return true;
}

bool armi_pq_filter_may_match(const struct armi_pq_filter *filter, uint32_t row_group)
{
    struct group_bounds ctx = {filter->file, row_group};
    struct armi_predicate_bounds bounds = {
        group_stats, &ctx,
        (uint64_t)filter->file->meta.row_groups.items[row_group].row_count};
    return bounds.rows > 0 && armi_predicate_may_match(filter->predicate, &bounds);
}

enum armi_status armi_parquet_file_prune(const struct armi_parquet_file *file,
                                         const char *where, int64_t *total, int64_t *pruned,
                                         int64_t *kept, struct armi_error *err)
{
    struct armi_pq_filter *filter;
    int64_t out = 0;
    ARMI_TRY(armi_pq_filter_new(file, where, &filter, err));
    for (uint32_t g = 0; g < file->meta.row_groups.count; g++)
        out += !armi_pq_filter_may_match(filter, g);
    armi_pq_filter_free(filter);
    *total = file->meta.row_groups.count;
    *pruned = out;
    *kept = *total - out;
    return ARMI_OK;
}

/* ---- rows ---- */

enum armi_status armi_pq_filter_match(const struct armi_pq_filter *filter,
                                      const struct ArrowArray *columns, int64_t rows,
                                      uint8_t *keep, struct armi_error *err)
{
    const struct armi_field *root = filter->file->schema.root;
    struct armi_array *views = armi_alloc_zero(root->child_count + 1, sizeof *views);
    enum armi_status status = ARMI_OK;
    if (views == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; status == ARMI_OK && i < filter->column_count; i++)
        status = armi_array_init(&root->children[filter->columns[i]], &columns[i],
                                 ARMI_VALIDATE_NONE, &views[filter->columns[i]], err);
    if (status == ARMI_OK)
        status = armi_predicate_match(filter->predicate, views, rows, keep, err);
    for (size_t i = 0; i < filter->column_count; i++)
        armi_array_release(&views[filter->columns[i]]);
    armi_free(views);
    return status;
}
