#include "parquet/dec_assemble.h"

#include <string.h>

#include "arrow/builder.h"
#include "arrow/field.h"
#include "base/alloc.h"
#include "base/bits.h"
#include "base/checked.h"
#include "base/limits.h"
#include "base/slab.h"
#include "parquet/dec_dictionary.h"

/* ---- what all leaves under a node say of it ---- */

static struct armi_pq_structure *told_by(const struct armi_pq_assembly *a, uint32_t node,
                                         uint32_t leaf)
{
    return armi_pq_structures_find(&a->leaves[leaf - a->leaf_base].structures, node);
}

/* As the node's first leaf has it: NULL for a struct that is null nowhere. */
static enum armi_status structure_agreed(const struct armi_pq_assembly *a, uint32_t node,
                                         struct armi_pq_structure **out,
                                         struct armi_error *err)
{
    const struct armi_pq_node *n = &a->schema->nodes[node];
    struct armi_pq_structure *first = told_by(a, node, n->leaf_first);
    for (uint32_t i = 1; first != NULL && i < n->leaf_count; i++) {
        const struct armi_pq_structure *other = told_by(a, node, n->leaf_first + i);
        if (first->sink.length != other->sink.length || first->items != other->items ||
            first->sink.null_count != other->sink.null_count ||
            first->digest != other->digest)
            return armi_error_set(
                err, ARMI_CORRUPTION,
                "column \"%s\": its parts have different nulls or lengths", n->field->name);
    }
    *out = first;
    return ARMI_OK;
}

/* ---- parts ---- */

#define PARTS_MAX 3

struct making {
    struct armi_part buffers[PARTS_MAX];
    struct armi_array_parts parts;
    struct ArrowArray dictionary;
};

static void making_init(struct making *m, size_t buffer_count)
{
    memset(m, 0, sizeof *m);
    m->parts.buffer_count = buffer_count;
    m->parts.buffers = m->buffers;
}

static void give_slab(void *slab)
{
    armi_slab_give(slab);
}

/* Moves a sink's buffer into a part. */
static struct armi_part take_block(uint8_t **data, struct armi_slab **slab, size_t size)
{
    struct armi_part part = armi_part_owned(*data, (int64_t)size);
    if (*slab != NULL) {
        part.free_fn = give_slab;
        part.ctx = *slab;
    }
    *data = NULL;
    *slab = NULL;
    return part;
}

/* Moves an allocated buffer into a part. */
static struct armi_part take_part(uint8_t **data, size_t size)
{
    struct armi_part part = armi_part_owned(*data, (int64_t)size);
    *data = NULL;
    return part;
}

static size_t sink_values_size(const struct armi_pq_sink *sink)
{
    switch (sink->kind) {
    case ARMI_PQ_SINK_BITS:
        return armi_bitmap_size(sink->length);
    case ARMI_PQ_SINK_FIXED:
        return sink->length * sink->width;
    case ARMI_PQ_SINK_BYTES32:
        return 4 * (sink->length + 1);
    case ARMI_PQ_SINK_BYTES64:
        return 8 * (sink->length + 1);
    default:
        return 0;
    }
}

/* ---- views ---- */

#define VIEW_INLINE 12
#define VIEWED_MAX  ((uint64_t)INT32_MAX)

/* Where each variadic buffer begins, so that all offsets fit 31 bits: at most one begins a value. */
static size_t view_buffers(const struct armi_pq_sink *sink, uint64_t *starts, size_t limit)
{
    size_t count = 0;
    uint64_t start = 0;
    for (size_t i = 0; i < sink->length; i++) {
        uint64_t from = armi_load64(sink->values + 8 * i),
                 to = armi_load64(sink->values + 8 * i + 8);
        if (count > 0 && to - start <= VIEWED_MAX)
            continue;
        start = from;
        if (count < limit)
            starts[count] = start;
        count++;
    }
    return count;
}

static void views_fill(const struct armi_pq_sink *sink, const uint64_t *starts,
                       size_t buffers, uint8_t *views)
{
    size_t b = 0;
    for (size_t i = 0; i < sink->length; i++, views += 16) {
        uint64_t from = armi_load64(sink->values + 8 * i),
                 to = armi_load64(sink->values + 8 * i + 8);
        uint32_t size = (uint32_t)(to - from);
        while (b + 1 < buffers && from >= starts[b + 1])
            b++;
        armi_store32(views, size);
        if (size <= VIEW_INLINE) {
            memset(views + 4, 0, VIEW_INLINE);
            if (size > 0)
                memcpy(views + 4, sink->data + from, size);
        } else {
            memcpy(views + 4, sink->data + from, 4);
            armi_store32(views + 8, (uint32_t)b);
            armi_store32(views + 12, (uint32_t)(from - starts[b]));
        }
    }
}

/* Several buffers point into one block: the first owns it. */
static enum armi_status view_make(const struct armi_pq_assembly *a,
                                  const struct armi_field *field, struct armi_pq_sink *sink,
                                  struct armi_part validity, struct ArrowArray *out,
                                  struct armi_error *err)
{
    uint64_t starts[64];
    struct armi_part buffers[66] = {{0}};
    struct armi_array_parts parts = {.buffers = buffers};
    size_t count = view_buffers(sink, starts, 64), size = 0;
    buffers[0] = validity;
    parts.buffer_count = 1;
    enum armi_status status = ARMI_OK;
    if (count > 64 || !armi_size_mul(sink->length, 16, &size))
        status = armi_error_set(err, ARMI_LIMIT, "over 128 GiB of text in one array");
    if (status == ARMI_OK)
        status = armi_pq_budget_take(a->budget, size, err);
    uint8_t *views = status == ARMI_OK ? armi_alloc(size) : NULL;
    if (status == ARMI_OK && views == NULL)
        status = armi_error_no_memory(err);
    if (status != ARMI_OK)
        goto done;
    views_fill(sink, starts, count, views);
    buffers[1] = take_part(&views, size);
    for (size_t b = 0; b < count; b++) {
        uint64_t end = b + 1 < count ? starts[b + 1] : sink->data_size;
        buffers[2 + b] =
            armi_part_static(sink->data + starts[b], (int64_t)(end - starts[b]));
    }
    if (count > 0) { /* starts[0] is 0 */
        buffers[2] = take_block(&sink->data, &sink->data_slab, (size_t)buffers[2].size);
    }
    parts.buffer_count = 2 + count;
    status = armi_arrow_array_make(field, (int64_t)sink->length, (int64_t)sink->null_count,
                                   &parts, out, err);
done:
    armi_array_parts_release(&parts);
    return status;
}

/* ---- leaves ---- */

static enum armi_status plain_make(const struct armi_pq_assembly *a,
                                   const struct armi_field *field,
                                   struct armi_pq_sink *sink, const uint8_t *borrowed,
                                   struct ArrowArray *out, struct armi_error *err)
{
    struct making m;
    making_init(&m, 2);
    enum armi_layout layout = armi_type_layout(field->type);
    struct armi_part validity = {0};
    if (sink->null_count > 0 && layout != ARMI_LAYOUT_NULL)
        validity = take_block(&sink->validity, &sink->validity_slab,
                              armi_bitmap_size(sink->length));
    if (layout == ARMI_LAYOUT_VIEW)
        return view_make(a, field, sink, validity, out, err);
    m.buffers[0] = validity;
    size_t size = sink_values_size(sink);
    if (borrowed != NULL)
        m.buffers[1] = armi_part_held(borrowed, (int64_t)size, a->holder);
    else
        m.buffers[1] = take_block(&sink->values, &sink->values_slab, size);
    if (layout == ARMI_LAYOUT_BINARY32 || layout == ARMI_LAYOUT_BINARY64) {
        m.buffers[2] = take_block(&sink->data, &sink->data_slab, sink->data_size);
        m.parts.buffer_count = 3;
    } else if (layout == ARMI_LAYOUT_NULL) {
        armi_array_parts_release(&m.parts);
        making_init(&m, 0);
    }
    int64_t null_count =
        layout == ARMI_LAYOUT_NULL ? (int64_t)sink->length : (int64_t)sink->null_count;
    enum armi_status status =
        armi_arrow_array_make(field, (int64_t)sink->length, null_count, &m.parts, out, err);
    armi_array_parts_release(&m.parts);
    return status;
}

static bool indices_fit(const struct armi_field *index, size_t dictionary_size)
{
    uint64_t max = UINT64_MAX;
    size_t width = (size_t)armi_field_byte_width(index);
    if (width < 8)
        max = (UINT64_C(1) << (8 * width - (armi_type_is_signed(index->type) ? 1 : 0))) - 1;
    return dictionary_size == 0 || dictionary_size - 1 <= max;
}

/* 4-byte indices, in place, to the dictionary's index type, which they fit. */
static enum armi_status indices_cast(const struct armi_field *index,
                                     struct armi_pq_sink *sink, struct armi_error *err)
{
    size_t width = (size_t)armi_field_byte_width(index);
    if (width == 4)
        return ARMI_OK;
    uint8_t *values = armi_alloc_array(sink->length + ARMI_PQ_SLACK, width);
    if (values == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < sink->length; i++) {
        uint64_t v = armi_load32(sink->values + 4 * i);
        memcpy(values + i * width, &v, width);
    }
    if (sink->values_slab != NULL)
        armi_slab_give(sink->values_slab);
    else
        armi_free(sink->values);
    sink->values = values;
    sink->values_slab = NULL;
    sink->width = (uint32_t)width;
    return ARMI_OK;
}

static enum armi_status dictionary_make(const struct armi_pq_assembly *a,
                                        const struct armi_field *field,
                                        struct armi_pq_leaf_data *data,
                                        struct ArrowArray *out, struct armi_error *err)
{
    struct making m;
    making_init(&m, 2);
    struct armi_pq_sink *sink = &data->sink;
    const struct armi_field *index = &field->children[0];
    if (data->has_repeats || !indices_fit(index, data->dictionary.length))
        ARMI_TRY(armi_pq_dictionary_compact(data, err));
    if (!indices_fit(index, data->dictionary.length))
        return armi_error_set(err, ARMI_LIMIT,
                              "%zu values do not fit a dictionary with %s indices",
                              data->dictionary.length, armi_type_name(index->type));
    /* Without an entry that indices could name, slots under nulls are null even where required. */
    if (data->dictionary.length == 0 && sink->validity != NULL)
        sink->null_count = sink->length;
    ARMI_TRY(indices_cast(index, sink, err));
    ARMI_TRY(armi_pq_sink_reserve(&data->dictionary, 0, 0, err));
    ARMI_TRY(
        plain_make(a, &field->children[1], &data->dictionary, NULL, &m.dictionary, err));
    m.parts.dictionary = &m.dictionary;
    if (sink->null_count > 0)
        m.buffers[0] = take_block(&sink->validity, &sink->validity_slab,
                                  armi_bitmap_size(sink->length));
    m.buffers[1] =
        take_block(&sink->values, &sink->values_slab, sink->length * sink->width);
    enum armi_status status = armi_arrow_array_make(
        field, (int64_t)sink->length, (int64_t)sink->null_count, &m.parts, out, err);
    armi_array_parts_release(&m.parts);
    armi_arrow_array_release(&m.dictionary);
    return status;
}

/* Decoded plain, then encoded again value by value: rare, and not a hot path. */
static enum armi_status run_end_make(const struct armi_pq_assembly *a,
                                     const struct armi_field *field,
                                     struct armi_pq_leaf_data *data, struct ArrowArray *out,
                                     struct armi_error *err)
{
    const struct armi_field *value = armi_field_value(field);
    struct ArrowArray plain = {0};
    struct armi_array view = ARMI_ARRAY_INIT;
    struct armi_builder *builder = NULL;
    enum armi_status status =
        plain_make(a, value, &data->sink, data->borrowed, &plain, err);
    if (status == ARMI_OK)
        status = armi_array_init(value, &plain, ARMI_VALIDATE_NONE, &view, err);
    if (status == ARMI_OK)
        status = armi_builder_new(field, &builder, err);
    for (int64_t i = 0; status == ARMI_OK && i < view.length; i++)
        status = armi_array_is_null(&view, i)
                     ? armi_builder_append_null(builder, err)
                     : armi_builder_append_value(builder, &view, i, err);
    if (status == ARMI_OK)
        status = armi_builder_finish(builder, out, err);
    armi_builder_free(builder);
    armi_array_release(&view);
    armi_arrow_array_release(&plain);
    return status;
}

static enum armi_status leaf_make(const struct armi_pq_assembly *a,
                                  const struct armi_pq_node *node, struct ArrowArray *out,
                                  struct armi_error *err)
{
    struct armi_pq_leaf_data *data = &a->leaves[node->leaf_first - a->leaf_base];
    /* A leaf that is required is null only where something above it is, which says so itself. */
    if (!node->is_optional && node->field->type != ARMI_TYPE_NULL &&
        node != &a->schema->nodes[a->top])
        data->sink.null_count = 0;
    const struct armi_pq_node *parent = &a->schema->nodes[node->parent];
    bool is_key = parent->shape == ARMI_PQ_SHAPE_STRUCT && !node->field->nullable &&
                  a->schema->nodes[parent->parent].shape == ARMI_PQ_SHAPE_MAP;
    if (is_key && data->sink.null_count > 0)
        return armi_error_set(err, ARMI_CORRUPTION, "column \"%s\": a map has a null key",
                              node->field->name);
    if (node->field->type == ARMI_TYPE_DICTIONARY)
        return dictionary_make(a, node->field, data, out, err);
    if (node->field->type == ARMI_TYPE_RUN_END)
        return run_end_make(a, node->field, data, out, err);
    return plain_make(a, node->field, &data->sink, data->borrowed, out, err);
}

/* ---- nodes with children ---- */

/* An array of `slots` slots, as what stands above it says. */
static enum armi_status node_make(const struct armi_pq_assembly *a, uint32_t node,
                                  size_t slots, struct ArrowArray *out,
                                  struct armi_error *err);

static struct armi_part take_validity(struct armi_pq_sink *sink)
{
    if (sink->null_count == 0)
        return (struct armi_part){0};
    return take_block(&sink->validity, &sink->validity_slab,
                      armi_bitmap_size(sink->length));
}

/* Sizes of a list view, from the offsets. */
static enum armi_status sizes_part(const struct armi_pq_sink *sink, bool is_64,
                                   struct armi_part *out, struct armi_error *err)
{
    size_t width = is_64 ? 8 : 4;
    uint8_t *sizes = armi_alloc_array(sink->length + 1, width);
    if (sizes == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < sink->length; i++) {
        if (is_64)
            armi_store64(sizes + 8 * i, armi_load64(sink->values + 8 * i + 8) -
                                            armi_load64(sink->values + 8 * i));
        else
            armi_store32(sizes + 4 * i, armi_load32(sink->values + 4 * i + 4) -
                                            armi_load32(sink->values + 4 * i));
    }
    *out = take_part(&sizes, width * sink->length);
    return ARMI_OK;
}

/* The buffers of a list behind its validity. */
static enum armi_status list_buffers(const struct armi_field *field,
                                     struct armi_pq_sink *sink, struct making *m,
                                     struct armi_error *err)
{
    enum armi_layout layout = armi_type_layout(field->type);
    bool is_64 = armi_layout_is_wide(layout);
    if (layout == ARMI_LAYOUT_FIXED_LIST) {
        m->parts.buffer_count = 1;
        return ARMI_OK;
    }
    size_t size = sink_values_size(sink);
    if (layout == ARMI_LAYOUT_LIST_VIEW32 || layout == ARMI_LAYOUT_LIST_VIEW64) {
        m->parts.buffer_count = 3;
        ARMI_TRY(sizes_part(sink, is_64, &m->buffers[2], err));
        size -= is_64 ? 8 : 4; /* a list view has no last offset */
    }
    m->buffers[1] = take_block(&sink->values, &sink->values_slab, size);
    return ARMI_OK;
}

static enum armi_status list_make(const struct armi_pq_assembly *a,
                                  const struct armi_pq_node *node,
                                  struct armi_pq_structure *s, struct ArrowArray *out,
                                  struct armi_error *err)
{
    struct making m;
    struct ArrowArray child = {0};
    making_init(&m, 2);
    m.buffers[0] = take_validity(&s->sink);
    enum armi_status status = list_buffers(node->field, &s->sink, &m, err);
    if (status == ARMI_OK)
        status = node_make(a, node->children[0], s->items, &child, err);
    if (status == ARMI_OK) {
        m.parts.child_count = 1;
        m.parts.children = &child;
        status = armi_arrow_array_make(node->field, (int64_t)s->sink.length,
                                       (int64_t)s->sink.null_count, &m.parts, out, err);
    }
    armi_array_parts_release(&m.parts);
    armi_arrow_array_release(&child);
    return status;
}

/* `s` NULL: no nulls. */
static enum armi_status struct_make(const struct armi_pq_assembly *a,
                                    const struct armi_pq_node *node, size_t slots,
                                    struct armi_pq_structure *s, struct ArrowArray *out,
                                    struct armi_error *err)
{
    struct making m;
    making_init(&m, 1);
    enum armi_status status = ARMI_OK;
    struct ArrowArray *children = armi_alloc_zero(node->child_count + 1, sizeof *children);
    if (children == NULL)
        return armi_error_no_memory(err);
    for (uint32_t i = 0; status == ARMI_OK && i < node->child_count; i++)
        status = node_make(a, node->children[i], slots, &children[i], err);
    if (s != NULL)
        m.buffers[0] = take_validity(&s->sink);
    m.parts.child_count = node->child_count;
    m.parts.children = children;
    if (status == ARMI_OK)
        status = armi_arrow_array_make(node->field, (int64_t)slots,
                                       s != NULL ? (int64_t)s->sink.null_count : 0,
                                       &m.parts, out, err);
    armi_array_parts_release(&m.parts);
    for (uint32_t i = 0; i < node->child_count; i++)
        armi_arrow_array_release(&children[i]);
    armi_free(children);
    return status;
}

static enum armi_status check_length(const struct armi_pq_node *node, size_t length,
                                     size_t slots, struct armi_error *err)
{
    if (length == slots)
        return ARMI_OK;
    return armi_error_set(err, ARMI_CORRUPTION, "column \"%s\": %zu values for %zu slots",
                          node->field->name, length, slots);
}

/* The schema's depth was bounded when it was made. */
static enum armi_status node_make(const struct armi_pq_assembly *a, uint32_t node,
                                  size_t slots, struct ArrowArray *out,
                                  struct armi_error *err)
{
    const struct armi_pq_node *n = &a->schema->nodes[node];
    struct armi_pq_structure *s = NULL;
    if (n->shape == ARMI_PQ_SHAPE_LEAF) {
        ARMI_TRY(check_length(n, a->leaves[n->leaf_first - a->leaf_base].sink.length, slots,
                              err));
        return leaf_make(a, n, out, err);
    }
    if (n->leaf_count == 0 &&
        (n->rep > 0 || n->is_optional || n->shape != ARMI_PQ_SHAPE_STRUCT))
        return armi_error_set(err, ARMI_UNSUPPORTED,
                              "column \"%s\": a struct without members", n->field->name);
    if (n->leaf_count > 0)
        ARMI_TRY(structure_agreed(a, node, &s, err));
    if (s != NULL)
        ARMI_TRY(check_length(n, s->sink.length, slots, err));
    return n->shape == ARMI_PQ_SHAPE_STRUCT ? struct_make(a, n, slots, s, out, err)
                                            : list_make(a, n, s, out, err);
}

enum armi_status armi_pq_assemble(const struct armi_pq_assembly *assembly, uint32_t node,
                                  struct ArrowArray *out, struct armi_error *err)
{
    return node_make(assembly, node, (size_t)assembly->row_count, out, err);
}
