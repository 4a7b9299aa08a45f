/*
 * Reading spans of rows: one task a leaf, and the last of a column's leaves assembles it, so that
 * levels live no longer than their column takes. The cursor keeps each leaf's chunk between spans.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/field.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "parquet/dec_assemble.h"
#include "parquet/dec_file.h"

struct cursor_column {
    uint32_t node;
    uint32_t leaf_first; /* the file's */
    uint32_t first;      /* the cursor's */
    uint32_t leaf_count;
    atomic_uint
        left; /* leaves that are not decoded yet, of this span; not counted where there is one */
};

struct armi_pq_cursor {
    struct armi_parquet_file *file;
    uint32_t row_group;
    struct armi_pq_read_options options;
    size_t column_count;
    struct cursor_column *columns;
    size_t leaf_count; /* leaves of the columns, those of a column in a row */
    struct armi_pq_chunk *chunks;
    struct armi_pq_leaf_data *data;
    uint32_t *owner; /* by leaf: its column */
    uint32_t *
        order; /* leaves by falling cost, so that none is left for the end that takes long */
    unsigned worker_count;
    struct armi_pq_worker *workers;
    bool is_partial;
    bool hit_budget; /* by the last read */
};

/* What one span's tasks share. */
struct span_read {
    struct armi_pq_cursor *cursor;
    int64_t row_from, row_count;
    struct armi_holder *holder;
    struct ArrowArray *out;
    /* All write to it, and none should wait for what stands beside it. */
    _Alignas(ARMI_ALIGNMENT) struct armi_pq_budget budget;
};

static enum armi_status cursor_alloc(struct armi_pq_cursor *c, struct armi_error *err)
{
    c->columns = armi_alloc_zero(c->column_count + 1, sizeof *c->columns);
    c->chunks = armi_alloc_zero(c->leaf_count + 1, sizeof *c->chunks);
    c->data = armi_alloc_zero(c->leaf_count + 1, sizeof *c->data);
    c->owner = armi_alloc_zero(c->leaf_count + 1, sizeof *c->owner);
    c->order = armi_alloc_zero(c->leaf_count + 1, sizeof *c->order);
    c->worker_count = armi_pool_width(&c->options.parallel);
    c->workers = armi_alloc_zero(c->worker_count, sizeof *c->workers);
    if (c->columns == NULL || c->chunks == NULL || c->data == NULL || c->owner == NULL ||
        c->order == NULL || c->workers == NULL)
        return armi_error_no_memory(err);
    return ARMI_OK;
}

static void cursor_columns(struct armi_pq_cursor *c, const uint32_t *nodes)
{
    const struct armi_pq_schema *schema = &c->file->schema;
    const struct armi_pq_row_group *group = &c->file->meta.row_groups.items[c->row_group];
    uint32_t next = 0;
    for (size_t i = 0; i < c->column_count; i++) {
        uint32_t node = nodes[i];
        const struct armi_pq_node *n = &schema->nodes[node];
        c->columns[i].node = node;
        c->columns[i].leaf_first = n->leaf_first;
        c->columns[i].first = next;
        c->columns[i].leaf_count = n->leaf_count;
        for (uint32_t k = 0; k < n->leaf_count; k++, next++) {
            const struct armi_pq_leaf *leaf = &schema->leaves[n->leaf_first + k];
            armi_pq_chunk_init(&c->chunks[next], &c->file->source, leaf,
                               &group->columns.items[leaf->index], group->row_count);
            c->chunks[next].no_checksum = c->options.no_checksum;
            c->chunks[next].no_utf8_check = c->options.no_utf8_check;
            c->owner[next] = (uint32_t)i;
            c->order[next] = next;
        }
    }
}

double armi_pq_leaf_bytes(const struct armi_pq_leaf *leaf,
                          const struct armi_pq_column_meta *meta)
{
    double values = meta->value_count > 0 ? (double)meta->value_count : 0;
    double size = values * (leaf->arrow_width > 0 ? leaf->arrow_width : 4);
    if (leaf->physical == ARMI_PQ_BYTE_ARRAY && leaf->arrow_width == 0) {
        double stored = meta->uncompressed_size > 0 ? (double)meta->uncompressed_size : 0;
        double text = ARMI_PQ_HAS(&meta->sizes, 1) && meta->sizes.unencoded_bytes > 0
                          ? (double)meta->sizes.unencoded_bytes
                          : stored;
        size += text > stored ? text : stored;
    }
    return size + values / 8;
}

/* In bytes that come out: each value costs some, below lists more, and a codec what it gives, twice. */
static double leaf_cost(const struct armi_pq_chunk *chunk)
{
    const struct armi_pq_column_meta *meta = &chunk->meta->meta;
    double packed = meta->codec != ARMI_CODEC_NONE ? (double)meta->uncompressed_size : 0;
    return armi_pq_leaf_bytes(chunk->leaf, meta) + 2 * packed +
           (double)meta->value_count * (chunk->leaf->max_rep > 0 ? 16 : 4);
}

struct leaf_place {
    double cost;
    uint32_t leaf;
};

static int leaf_compare(const void *a, const void *b)
{
    const struct leaf_place *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost > y->cost ? -1 : 1;
    return x->leaf < y->leaf ? -1 : x->leaf > y->leaf;
}

static enum armi_status order_by_cost(struct armi_pq_cursor *c, struct armi_error *err)
{
    if (c->worker_count < 2)
        return ARMI_OK;
    struct leaf_place *places = armi_alloc_array(c->leaf_count + 1, sizeof *places);
    if (places == NULL)
        return armi_error_no_memory(err);
    for (uint32_t i = 0; i < c->leaf_count; i++)
        places[i] = (struct leaf_place){leaf_cost(&c->chunks[i]), i};
    qsort(places, c->leaf_count, sizeof *places, leaf_compare);
    for (size_t i = 0; i < c->leaf_count; i++)
        c->order[i] = places[i].leaf;
    armi_free(places);
    return ARMI_OK;
}

enum armi_status armi_pq_cursor_new_of_nodes(struct armi_parquet_file *file,
                                             uint32_t row_group, const uint32_t *nodes,
                                             size_t node_count,
                                             const struct armi_pq_read_options *options,
                                             struct armi_pq_cursor **out,
                                             struct armi_error *err)
{
    assert(row_group < file->meta.row_groups.count);
    struct armi_pq_cursor *c = armi_alloc_zero(1, sizeof *c);
    if (c == NULL)
        return armi_error_no_memory(err);
    c->file = armi_pq_file_ref(file);
    c->row_group = row_group;
    if (options != NULL)
        c->options = *options;
    if (c->options.max_bytes == 0)
        c->options.max_bytes = ARMI_RESULT_BYTES;
    c->column_count = node_count;
    for (size_t i = 0; i < node_count; i++) {
        assert(nodes[i] > 0 && nodes[i] < file->schema.node_count);
        c->leaf_count += file->schema.nodes[nodes[i]].leaf_count;
    }
    enum armi_status status = cursor_alloc(c, err);
    if (status == ARMI_OK) {
        cursor_columns(c, nodes);
        status = order_by_cost(c, err);
    }
    if (status != ARMI_OK) {
        armi_pq_cursor_free(c);
        return status;
    }
    *out = c;
    return ARMI_OK;
}

enum armi_status armi_pq_cursor_new(struct armi_parquet_file *file, uint32_t row_group,
                                    const uint32_t *columns, size_t column_count,
                                    const struct armi_pq_read_options *options,
                                    struct armi_pq_cursor **out, struct armi_error *err)
{
    const struct armi_pq_node *root = &file->schema.nodes[0];
    uint32_t *nodes = armi_alloc_array(column_count + 1, sizeof *nodes);
    if (nodes == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < column_count; i++) {
        assert(columns[i] < root->child_count);
        nodes[i] = root->children[columns[i]];
    }
    enum armi_status status = armi_pq_cursor_new_of_nodes(file, row_group, nodes,
                                                          column_count, options, out, err);
    armi_free(nodes);
    return status;
}

void armi_pq_cursor_free(struct armi_pq_cursor *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; c->chunks != NULL && i < c->leaf_count; i++)
        armi_pq_chunk_release(&c->chunks[i]);
    for (size_t i = 0; c->workers != NULL && i < c->worker_count; i++)
        armi_pq_worker_release(&c->workers[i]);
    armi_free(c->columns);
    armi_free(c->chunks);
    armi_free(c->data);
    armi_free(c->owner);
    armi_free(c->order);
    armi_free(c->workers);
    armi_pq_file_unref(c->file);
    armi_free(c);
}

static enum armi_status column_assemble(struct span_read *s, size_t index,
                                        struct armi_error *err)
{
    struct armi_pq_cursor *c = s->cursor;
    const struct cursor_column *column = &c->columns[index];
    struct armi_pq_assembly assembly = {
        .schema = &c->file->schema,
        .leaf_base = column->leaf_first,
        .leaves = c->data + column->first,
        .budget = &s->budget,
        .holder = s->holder,
        .row_count = s->row_count,
        .top = column->node,
    };
    enum armi_status status =
        armi_pq_assemble(&assembly, column->node, &s->out[index], err);
    for (uint32_t i = 0; i < column->leaf_count; i++)
        armi_pq_leaf_data_release(&c->data[column->first + i]);
    if (status == ARMI_OK)
        return ARMI_OK;
    return armi_error_prefix(err, status, "row group %u", c->row_group);
}

static enum armi_status decode_task(void *ctx, size_t index, unsigned worker,
                                    struct armi_error *err)
{
    struct span_read *s = ctx;
    struct armi_pq_cursor *c = s->cursor;
    uint32_t leaf = c->order[index], column = c->owner[leaf];
    struct armi_pq_chunk *chunk = &c->chunks[leaf];
    const struct armi_pq_leaf_shape *shape =
        &c->file->shapes[chunk->leaf - c->file->schema.leaves];
    enum armi_status status = armi_pq_column_read(
        chunk, shape, c->columns[column].node, s->row_from, s->row_count, c->is_partial,
        !c->options.no_zero_copy, &s->budget, &c->workers[worker], &c->data[leaf], err);
    if (status != ARMI_OK) {
        char path[256];
        return armi_error_prefix(err, status, "column \"%s\", row group %u",
                                 armi_pq_leaf_path(chunk->leaf, path, sizeof path),
                                 c->row_group);
    }
    if (s->row_from + s->row_count == chunk->row_count)
        armi_pq_dictionary_release(&chunk->dictionary); /* while others still decode */
    if (c->columns[column].leaf_count > 1 &&
        atomic_fetch_sub(&c->columns[column].left, 1) > 1)
        return ARMI_OK;
    return column_assemble(s, column, err);
}

static void file_holder_free(void *ctx)
{
    armi_pq_file_unref(ctx);
}

/* For columns that are handed out where they lie, which only a source that maps allows. */
static enum armi_status hold_file(struct span_read *s, struct armi_error *err)
{
    if (s->cursor->file->source.map == NULL)
        return ARMI_OK;
    ARMI_TRY(armi_holder_new(file_holder_free, s->cursor->file, &s->holder, err));
    armi_pq_file_ref(s->cursor->file);
    return ARMI_OK;
}

enum armi_status armi_pq_cursor_read(struct armi_pq_cursor *c, int64_t row_from,
                                     int64_t row_count, struct ArrowArray *out,
                                     struct armi_error *err)
{
    struct span_read s = {.cursor = c, .row_from = row_from, .row_count = row_count};
    assert(row_from >= 0 && row_count >= 0);
    atomic_init(&s.budget.used, 0);
    s.budget.max = c->options.max_bytes;
    s.out = armi_alloc_zero(c->column_count + 1, sizeof *s.out);
    if (s.out == NULL)
        return armi_error_no_memory(err);
    memset(c->data, 0, c->leaf_count * sizeof *c->data);
    for (size_t i = 0; i < c->column_count; i++)
        atomic_store(&c->columns[i].left, c->columns[i].leaf_count);
    enum armi_status status = hold_file(&s, err);
    if (status == ARMI_OK)
        status = armi_pool_run(&c->options.parallel, c->leaf_count, decode_task, &s, err);
    for (size_t i = 0; status == ARMI_OK && i < c->column_count; i++)
        if (c->columns[i].leaf_count == 0)
            status = column_assemble(&s, i, err);
    for (size_t i = 0; i < c->leaf_count; i++)
        armi_pq_leaf_data_release(&c->data[i]);
    for (size_t i = 0; i < c->column_count; i++) {
        if (status == ARMI_OK)
            out[i] = s.out[i];
        else
            armi_arrow_array_release(&s.out[i]);
    }
    armi_holder_unref(s.holder);
    armi_free(s.out);
    c->hit_budget = status == ARMI_LIMIT && atomic_load(&s.budget.was_hit);
    return status;
}

void armi_pq_cursor_set_partial(struct armi_pq_cursor *cursor, bool is_partial)
{
    cursor->is_partial = is_partial;
}

void armi_pq_cursor_set_max(struct armi_pq_cursor *cursor, uint64_t max_bytes)
{
    cursor->options.max_bytes = max_bytes;
}

bool armi_pq_cursor_hit_budget(const struct armi_pq_cursor *cursor)
{
    return cursor->hit_budget;
}

enum armi_status armi_pq_file_read(struct armi_parquet_file *file, uint32_t row_group,
                                   int64_t row_from, int64_t row_count,
                                   const uint32_t *columns, size_t column_count,
                                   const struct armi_pq_read_options *options,
                                   struct ArrowArray *out, struct armi_error *err)
{
    struct armi_pq_cursor *cursor;
    ARMI_TRY(
        armi_pq_cursor_new(file, row_group, columns, column_count, options, &cursor, err));
    cursor->is_partial =
        row_from != 0 || row_count != file->meta.row_groups.items[row_group].row_count;
    enum armi_status status = armi_pq_cursor_read(cursor, row_from, row_count, out, err);
    armi_pq_cursor_free(cursor);
    return status;
}
