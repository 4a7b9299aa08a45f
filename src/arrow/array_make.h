/*
 * ArrowArrays that we hand out: built from buffers that may each have another owner, or cut
 * zero-copy from an array that somebody gave us and that a holder keeps alive. Every array
 * made here is released by one function, on any thread, and its children may be moved out
 * and live on as the C Data Interface allows.
 */
#ifndef ARMI_ARROW_ARRAY_MAKE_H
#define ARMI_ARROW_ARRAY_MAKE_H

#include "arrow/array.h"

/* ---- keep-alive: a reference count (atomic) in front of anything that can be freed ----
 */

struct armi_holder;

/* Takes *array (moved: its release becomes NULL, on ARMI_OK only) and releases it with the
 * last reference. The caller has one reference. */
enum armi_status armi_array_hold(struct ArrowArray *array, struct armi_holder **out,
                                 struct armi_error *err);
/* The same for anything: free_fn(ctx) is called with the last reference (a mapping, a
 * pooled buffer). */
enum armi_status armi_holder_new(void (*free_fn)(void *ctx), void *ctx,
                                 struct armi_holder **out, struct armi_error *err);
struct armi_holder *armi_holder_ref(struct armi_holder *holder);
/* NULL is allowed. void *, so that it can be a part's free_fn. */
void armi_holder_unref(void *holder);
/* What armi_array_hold took; NULL for another kind of holder. Borrowed. */
const struct ArrowArray *armi_holder_array(const struct armi_holder *holder);

/*
 * Exports rows [from, from + count) of the view without copying any data. The view's
 * buffers must stay valid as long as *holder lives; each exported node takes a reference of
 * its own, so the caller keeps his. holder may be NULL when the data outlives everything. A
 * struct without validity comes out with offset 0 and its children cut instead, because
 * some consumers refuse a record batch with an offset.
 */
enum armi_status armi_array_export_slice(const struct armi_array *array, int64_t from,
                                         int64_t count, struct armi_holder *holder,
                                         struct ArrowArray *out, struct armi_error *err);

/* ---- from parts ---- */

/* One buffer and how it is freed. data may be NULL (absent validity, nothing stored). */
struct armi_part {
    const void *data;
    int64_t size;            /* bytes; needed for variadic buffers, else for information */
    void (*free_fn)(void *); /* NULL: nobody frees it */
    void *ctx;
};

/* Memory of armi_alloc, freed with the array. */
struct armi_part armi_part_owned(void *data, int64_t size);
/* The bytes of *buf (moved: *buf becomes empty). */
struct armi_part armi_part_buf(struct armi_buf *buf);
/* Kept alive by the holder: takes a new reference. */
struct armi_part armi_part_held(const void *data, int64_t size, struct armi_holder *holder);
/* Lives for ever. */
struct armi_part armi_part_static(const void *data, int64_t size);

/*
 * Buffers in Arrow's order for the layout: validity first (not for null, run-end); then
 * values | offsets, values | views, variadic… | offsets | offsets, sizes. The int64 buffer
 * of variadic sizes is added here, from part.size. Offsets of a zero-length array may be
 * absent: a static zero is put in.
 */
struct armi_array_parts {
    size_t buffer_count;
    struct armi_part *buffers;     /* the array itself is borrowed */
    size_t child_count;            /* as many as the field's; 0 for a dictionary */
    struct ArrowArray *children;   /* moved */
    struct ArrowArray *dictionary; /* moved; NULL unless the field is a dictionary */
};

/*
 * On ARMI_OK all parts are moved into *out (the part structs and children are zeroed); on
 * failure nothing is taken, and armi_array_parts_release is the caller's clean-up in both
 * cases. The counts are asserted against the field.
 */
enum armi_status armi_arrow_array_make(const struct armi_field *field, int64_t length,
                                       int64_t null_count, struct armi_array_parts *parts,
                                       struct ArrowArray *out, struct armi_error *err);
/* Frees what the parts own (not the arrays `buffers`, `children`, `dictionary` themselves).
 */
void armi_array_parts_release(struct armi_array_parts *parts);

/* An array of the type with no rows. */
enum armi_status armi_arrow_array_empty(const struct armi_field *field,
                                        struct ArrowArray *out, struct armi_error *err);
/* A struct array (record batch) of `count` columns of equal length, moved on ARMI_OK only.
 */
enum armi_status armi_arrow_array_batch(const struct armi_field *schema, int64_t length,
                                        struct ArrowArray *columns, struct ArrowArray *out,
                                        struct armi_error *err);

/* Buffers that Arrow's specification gives an array of that type, without variadic data and
 * their sizes. */
int64_t armi_type_buffer_count(enum armi_type type);

/* Calls release if there is one. */
void armi_arrow_array_release(struct ArrowArray *array);
void armi_arrow_schema_release(struct ArrowSchema *schema);
/* *out = *array; array->release = NULL. */
void armi_arrow_array_move(struct ArrowArray *array, struct ArrowArray *out);

#endif
