/*
 * ArrowArrays that we hand out. Every node owns one block, which holds its arrays of
 * pointers and the owners of its buffers, so that a consumer may move any node out of the
 * tree and release it alone.
 */
#include "arrow/array_make.h"

#include <stdatomic.h>
#include <string.h>

#include "arrow/array_internal.h"
#include "base/alloc.h"

/* ---- holders ---- */

struct armi_holder {
    atomic_size_t refs;
    void (*free_fn)(void *ctx);
    void *ctx;
    struct ArrowArray array; /* of armi_array_hold, else zero */
};

enum armi_status armi_holder_new(void (*free_fn)(void *ctx), void *ctx,
                                 struct armi_holder **out, struct armi_error *err)
{
    struct armi_holder *holder = armi_alloc_zero(1, sizeof *holder);
    if (holder == NULL)
        return armi_error_no_memory(err);
    atomic_init(&holder->refs, 1);
    holder->free_fn = free_fn;
    holder->ctx = ctx;
    *out = holder;
    return ARMI_OK;
}

static void array_free(void *ctx)
{
    armi_arrow_array_release(ctx);
}

enum armi_status armi_array_hold(struct ArrowArray *array, struct armi_holder **out,
                                 struct armi_error *err)
{
    struct armi_holder *holder = NULL;
    ARMI_TRY(armi_holder_new(array_free, NULL, &holder, err));
    armi_arrow_array_move(array, &holder->array);
    holder->ctx = &holder->array;
    *out = holder;
    return ARMI_OK;
}

struct armi_holder *armi_holder_ref(struct armi_holder *holder)
{
    atomic_fetch_add_explicit(&holder->refs, 1, memory_order_relaxed);
    return holder;
}

void armi_holder_unref(void *ptr)
{
    struct armi_holder *holder = ptr;
    /* Release what this thread did to the data, acquire what others did, before it is
     * freed. */
    if (holder == NULL ||
        atomic_fetch_sub_explicit(&holder->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (holder->free_fn != NULL)
        holder->free_fn(holder->ctx);
    armi_free(holder);
}

const struct ArrowArray *armi_holder_array(const struct armi_holder *holder)
{
    return holder->free_fn == array_free ? &holder->array : NULL;
}

/* ---- nodes ---- */

struct owner {
    void (*free_fn)(void *ctx);
    void *ctx;
};

/* One block: the struct, then the arrays that it points to. */
struct array_private {
    size_t owner_count;
    struct owner *owners;
    size_t node_count;
    struct ArrowArray *nodes; /* children, then the dictionary */
    struct ArrowArray **pointers;
    const void **buffers;
    int64_t *sizes; /* of variadic buffers */
};

struct shape {
    size_t buffers;
    size_t owners;
    size_t children;
    size_t dictionaries; /* 0 or 1 */
    size_t variadic;
};

static void node_release(struct ArrowArray *array)
{
    struct array_private *p = array->private_data;
    for (size_t i = 0; i < p->node_count; i++)
        armi_arrow_array_release(&p->nodes[i]);
    for (size_t i = 0; i < p->owner_count; i++) {
        if (p->owners[i].free_fn != NULL)
            p->owners[i].free_fn(p->owners[i].ctx);
    }
    armi_free(p);
    array->release = NULL;
}

/* An array of that shape with nothing in it yet; releasing it is safe at any time from
 * here on. */
static enum armi_status node_new(const struct shape *shape, struct ArrowArray *out,
                                 struct armi_error *err)
{
    size_t nodes = shape->children + shape->dictionaries;
    /* Counts come from arrays that exist in memory, so that the sum cannot overflow. */
    size_t size = sizeof(struct array_private) + shape->owners * sizeof(struct owner) +
                  nodes * (sizeof(struct ArrowArray) + sizeof(struct ArrowArray *)) +
                  shape->buffers * sizeof(const void *) + shape->variadic * sizeof(int64_t);
    struct array_private *p = armi_alloc_zero(1, size);
    if (p == NULL)
        return armi_error_no_memory(err);
    p->owner_count = shape->owners;
    p->owners = (struct owner *)(p + 1);
    p->node_count = nodes;
    p->nodes = (struct ArrowArray *)(p->owners + shape->owners);
    p->pointers = (struct ArrowArray **)(p->nodes + nodes);
    p->buffers = (const void **)(void *)(p->pointers + nodes);
    p->sizes = (int64_t *)(p->buffers + shape->buffers);
    for (size_t i = 0; i < nodes; i++)
        p->pointers[i] = &p->nodes[i];
    *out = (struct ArrowArray){
        .n_buffers = (int64_t)shape->buffers,
        .n_children = (int64_t)shape->children,
        .buffers = p->buffers,
        .children = shape->children > 0 ? p->pointers : NULL,
        .dictionary = shape->dictionaries > 0 ? &p->nodes[shape->children] : NULL,
        .release = node_release,
        .private_data = p,
    };
    return ARMI_OK;
}

/* ---- zero-copy slices ---- */

static void export_buffers(const struct armi_array *view, struct ArrowArray *out)
{
    struct array_private *p = out->private_data;
    if (out->n_buffers > 0)
        p->buffers[0] = view->validity;
    switch (view->layout) {
    case ARMI_LAYOUT_BITS:
    case ARMI_LAYOUT_FIXED:
    case ARMI_LAYOUT_DICTIONARY:
        p->buffers[1] = view->values;
        break;
    case ARMI_LAYOUT_BINARY32:
    case ARMI_LAYOUT_BINARY64:
        p->buffers[1] = view->offsets;
        p->buffers[2] = view->values;
        break;
    case ARMI_LAYOUT_LIST32:
    case ARMI_LAYOUT_LIST64:
        p->buffers[1] = view->offsets;
        break;
    case ARMI_LAYOUT_LIST_VIEW32:
    case ARMI_LAYOUT_LIST_VIEW64:
        p->buffers[1] = view->offsets;
        p->buffers[2] = view->sizes;
        break;
    case ARMI_LAYOUT_VIEW:
        p->buffers[1] = view->values;
        for (size_t i = 0; i < view->variadic_count; i++)
            p->buffers[2 + i] = view->variadic[i];
        p->buffers[2 + view->variadic_count] = view->variadic_sizes;
        break;
    default:
        break;
    }
}

/*
 * Children in step with their parent (struct, fixed-size list) can be cut instead of
 * giving the parent an offset, unless the validity bitmap stands in the way: it can only
 * be moved by whole bytes. Tells the rows of each child in *from and *count.
 */
static void cut_in_step(const struct armi_array *view, struct ArrowArray *out,
                        int64_t *from, int64_t *count)
{
    struct array_private *p = out->private_data;
    int64_t width = view->layout == ARMI_LAYOUT_FIXED_LIST ? view->field->width : 1;
    if (view->length == 0) {
        out->offset = 0;
        *from = 0;
        *count = 0;
    } else if (view->validity == NULL || view->offset % 8 == 0) {
        if (view->validity != NULL)
            p->buffers[0] = view->validity + view->offset / 8;
        out->offset = 0;
        *from = view->offset * width;
        *count = view->length * width;
    } else {
        *from = 0;
        *count = (view->offset + view->length) * width;
    }
}

static enum armi_status export_nodes(const struct armi_array *view,
                                     struct armi_holder *holder, struct ArrowArray *out,
                                     struct armi_error *err)
{
    struct array_private *p = out->private_data;
    bool in_step =
        view->layout == ARMI_LAYOUT_STRUCT || view->layout == ARMI_LAYOUT_FIXED_LIST;
    int64_t from = 0, count = 0;
    if (in_step)
        cut_in_step(view, out, &from, &count);
    for (size_t i = 0; i < view->child_count; i++) {
        const struct armi_array *child = &view->children[i];
        ARMI_TRY(armi_array_export_slice(child, from, in_step ? count : child->length,
                                         holder, &p->nodes[i], err));
    }
    if (view->dictionary == NULL)
        return ARMI_OK;
    return armi_array_export_slice(view->dictionary, 0, view->dictionary->length, holder,
                                   &p->nodes[view->child_count], err);
}

enum armi_status armi_array_export_slice(const struct armi_array *array, int64_t from,
                                         int64_t count, struct armi_holder *holder,
                                         struct ArrowArray *out, struct armi_error *err)
{
    struct armi_array view = armi_array_slice(array, from, count);
    if (count == 0)
        view.offset = 0; /* consumers take the buffers of no rows to be empty */
    bool is_view = view.layout == ARMI_LAYOUT_VIEW;
    struct shape shape = {
        .buffers = (size_t)armi_type_buffer_count(view.field->type),
        .owners = holder != NULL ? 1 : 0,
        .children = view.child_count,
        .dictionaries = view.dictionary != NULL ? 1 : 0,
    };
    if (is_view)
        shape.buffers += view.variadic_count + 1;
    struct ArrowArray result;
    ARMI_TRY(node_new(&shape, &result, err));
    struct array_private *p = result.private_data;
    if (holder != NULL)
        p->owners[0] = (struct owner){armi_holder_unref, armi_holder_ref(holder)};
    result.length = view.length;
    result.offset = view.offset;
    result.null_count = view.null_count;
    export_buffers(&view, &result);
    enum armi_status status = export_nodes(&view, holder, &result, err);
    if (status != ARMI_OK) {
        node_release(&result);
        return status;
    }
    *out = result;
    return ARMI_OK;
}

/* ---- from parts ---- */

struct armi_part armi_part_owned(void *data, int64_t size)
{
    return (struct armi_part){data, size, armi_free, data};
}

struct armi_part armi_part_buf(struct armi_buf *buf)
{
    struct armi_part part = armi_part_owned(buf->data, (int64_t)buf->size);
    *buf = (struct armi_buf){NULL, 0, 0, buf->size_max};
    return part;
}

struct armi_part armi_part_held(const void *data, int64_t size, struct armi_holder *holder)
{
    return (struct armi_part){data, size, armi_holder_unref, armi_holder_ref(holder)};
}

struct armi_part armi_part_static(const void *data, int64_t size)
{
    return (struct armi_part){data, size, NULL, NULL};
}

void armi_array_parts_release(struct armi_array_parts *parts)
{
    for (size_t i = 0; i < parts->buffer_count; i++) {
        struct armi_part *part = &parts->buffers[i];
        if (part->free_fn != NULL)
            part->free_fn(part->ctx);
        *part = (struct armi_part){0};
    }
    for (size_t i = 0; i < parts->child_count; i++)
        armi_arrow_array_release(&parts->children[i]);
    if (parts->dictionary != NULL)
        armi_arrow_array_release(parts->dictionary);
}

/* Moves the parts into an array of their shape; cannot fail. */
static void take_parts(struct armi_array_parts *parts, size_t variadic,
                       struct ArrowArray *out)
{
    struct array_private *p = out->private_data;
    for (size_t i = 0; i < parts->buffer_count; i++) {
        struct armi_part *part = &parts->buffers[i];
        p->buffers[i] = part->data;
        if (part->data == NULL && i > 0)
            p->buffers[i] = armi_array_nothing;
        p->owners[i] = (struct owner){part->free_fn, part->ctx};
        if (i >= 2 && i - 2 < variadic)
            p->sizes[i - 2] = part->size;
        *part = (struct armi_part){0};
    }
    for (size_t i = 0; i < parts->child_count; i++)
        armi_arrow_array_move(&parts->children[i], &p->nodes[i]);
    if (parts->dictionary != NULL)
        armi_arrow_array_move(parts->dictionary, &p->nodes[parts->child_count]);
}

enum armi_status armi_arrow_array_make(const struct armi_field *field, int64_t length,
                                       int64_t null_count, struct armi_array_parts *parts,
                                       struct ArrowArray *out, struct armi_error *err)
{
    bool is_view = armi_type_layout(field->type) == ARMI_LAYOUT_VIEW;
    bool is_dictionary = field->type == ARMI_TYPE_DICTIONARY;
    size_t fixed = (size_t)armi_type_buffer_count(field->type);
    assert(is_view ? parts->buffer_count >= fixed : parts->buffer_count == fixed);
    assert(parts->child_count == (is_dictionary ? 0 : field->child_count));
    assert(is_dictionary == (parts->dictionary != NULL));
    /* Only the bytes of strings, and values of no width, may be nothing when there are rows. */
    assert(length == 0 || fixed < 2 || parts->buffers[1].data != NULL ||
           (field->type == ARMI_TYPE_FIXED_BINARY && field->width == 0));
    size_t variadic = parts->buffer_count - fixed;
    struct shape shape = {
        .buffers = parts->buffer_count + (is_view ? 1 : 0),
        .owners = parts->buffer_count,
        .children = parts->child_count,
        .dictionaries = is_dictionary ? 1 : 0,
        .variadic = variadic,
    };
    struct ArrowArray result;
    ARMI_TRY(node_new(&shape, &result, err));
    struct array_private *p = result.private_data;
    bool has_validity = parts->buffer_count > 0 && parts->buffers[0].data != NULL;
    take_parts(parts, variadic, &result);
    if (is_view)
        p->buffers[shape.buffers - 1] =
            variadic > 0 ? (const void *)p->sizes : (const void *)armi_array_nothing;
    result.length = length;
    result.null_count = has_validity ? null_count : 0;
    if (field->type == ARMI_TYPE_NULL)
        result.null_count = length;
    *out = result;
    return ARMI_OK;
}

enum armi_status armi_arrow_array_empty(const struct armi_field *field,
                                        struct ArrowArray *out, struct armi_error *err)
{
    bool is_dictionary = field->type == ARMI_TYPE_DICTIONARY;
    struct shape shape = {
        .buffers = (size_t)armi_type_buffer_count(field->type),
        .children = is_dictionary ? 0 : field->child_count,
        .dictionaries = is_dictionary ? 1 : 0,
    };
    if (armi_type_layout(field->type) == ARMI_LAYOUT_VIEW)
        shape.buffers++;
    struct ArrowArray result;
    ARMI_TRY(node_new(&shape, &result, err));
    struct array_private *p = result.private_data;
    for (size_t i = 1; i < shape.buffers; i++)
        p->buffers[i] = armi_array_nothing;
    enum armi_status status = ARMI_OK;
    const struct armi_field *first = is_dictionary ? &field->children[1] : field->children;
    for (size_t i = 0; status == ARMI_OK && i < p->node_count; i++)
        status = armi_arrow_array_empty(&first[i], &p->nodes[i], err);
    if (status != ARMI_OK) {
        node_release(&result);
        return status;
    }
    *out = result;
    return ARMI_OK;
}

enum armi_status armi_arrow_array_batch(const struct armi_field *schema, int64_t length,
                                        struct ArrowArray *columns, struct ArrowArray *out,
                                        struct armi_error *err)
{
    struct armi_part validity = {0};
    struct armi_array_parts parts = {.buffer_count = 1,
                                     .buffers = &validity,
                                     .child_count = schema->child_count,
                                     .children = columns};
    return armi_arrow_array_make(schema, length, 0, &parts, out, err);
}

/* ---- small ---- */

int64_t armi_type_buffer_count(enum armi_type type)
{
    switch (armi_type_layout(type)) {
    case ARMI_LAYOUT_NULL:
    case ARMI_LAYOUT_RUN_END:
    case ARMI_LAYOUT_UNION:
        return 0;
    case ARMI_LAYOUT_FIXED_LIST:
    case ARMI_LAYOUT_STRUCT:
        return 1;
    case ARMI_LAYOUT_BINARY32:
    case ARMI_LAYOUT_BINARY64:
    case ARMI_LAYOUT_LIST_VIEW32:
    case ARMI_LAYOUT_LIST_VIEW64:
        return 3;
    default:
        return 2; /* validity and values, views or offsets */
    }
}

void armi_arrow_array_release(struct ArrowArray *array)
{
    if (array->release != NULL)
        array->release(array);
}

void armi_arrow_schema_release(struct ArrowSchema *schema)
{
    if (schema->release != NULL)
        schema->release(schema);
}

void armi_arrow_array_move(struct ArrowArray *array, struct ArrowArray *out)
{
    *out = *array;
    array->release = NULL;
}
