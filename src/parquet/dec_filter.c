#include "parquet/dec_filter.h"

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

bool armi_pq_filter_may_match(const struct armi_pq_filter *filter, uint32_t row_group)
{
    return armi_pq_prune_may_match(filter->file, filter->predicate, row_group);
}

enum armi_status armi_pq_filter_ranges(const struct armi_pq_filter *filter,
                                       uint32_t row_group, struct armi_pq_row_ranges *out,
                                       struct armi_error *err)
{
    return armi_pq_prune_ranges(filter->file, filter->predicate, filter->columns,
                                filter->column_count, row_group, out, err);
}

enum armi_status armi_parquet_file_prune(const struct armi_parquet_file *file,
                                         const char *where, int64_t *total, int64_t *pruned,
                                         int64_t *kept, struct armi_error *err)
{
    struct armi_pq_filter *filter;
    int64_t out = 0;
    enum armi_status status = armi_pq_filter_new(file, where, &filter, err);
    if (status != ARMI_OK)
        return status;
    for (uint32_t g = 0; status == ARMI_OK && g < file->meta.row_groups.count; g++) {
        struct armi_pq_row_ranges ranges = {0};
        bool may = armi_pq_filter_may_match(filter, g);
        if (may)
            status = armi_pq_filter_ranges(filter, g, &ranges, err);
        out += !may || ranges.count == 0;
        armi_pq_row_ranges_release(&ranges);
    }
    armi_pq_filter_free(filter);
    if (status != ARMI_OK)
        return status;
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
