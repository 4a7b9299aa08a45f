/*
 * Batches: rows in memory, a schema and any number of struct arrays, handed out as streams as
 * often as asked. No value is copied: an array that is handed out is a fresh skeleton over the
 * same buffers, which holds a reference on the owner (a consumer may take children out, so
 * every node of the skeleton holds its own).
 */
#include "py_native.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

/* What the skeletons keep alive. Released by whoever lets go last, on any thread. */
struct owner {
    atomic_size_t count;
    struct ArrowSchema schema;
    struct ArrowArray *arrays;
    size_t array_count;
};

struct py_batches {
    PyObject_HEAD
    struct owner *owner;
    size_t from, to; /* the arrays of this view */
};

static void owner_unref(struct owner *owner)
{
    if (atomic_fetch_sub(&owner->count, 1) != 1)
        return;
    for (size_t i = 0; i < owner->array_count; i++)
        if (owner->arrays[i].release != NULL)
            owner->arrays[i].release(&owner->arrays[i]);
    native_release(owner->arrays);
    if (owner->schema.release != NULL)
        owner->schema.release(&owner->schema);
    native_release(owner);
}

static struct owner *owner_ref(struct owner *owner)
{
    atomic_fetch_add(&owner->count, 1);
    return owner;
}

/* ---- skeletons ---- */

static void skeleton_release(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children && array->children != NULL; i++) {
        struct ArrowArray *child = array->children[i];
        if (child != NULL && child->release != NULL)
            child->release(child);
        native_release(child);
    }
    if (array->dictionary != NULL && array->dictionary->release != NULL)
        array->dictionary->release(array->dictionary);
    native_release(array->dictionary);
    native_release(array->children);
    struct owner *owner = array->private_data;
    memset(array, 0, sizeof *array);
    owner_unref(owner);
}

/* On failure what was made is released. */
static bool skeleton_make(struct owner *owner, const struct ArrowArray *from,
                          struct ArrowArray *to)
{
    *to = *from;
    to->children = NULL;
    to->dictionary = NULL;
    to->private_data = owner_ref(owner);
    to->release = skeleton_release;
    size_t count = (size_t)from->n_children;
    to->children = count > 0 ? native_calloc(count, sizeof *to->children) : NULL;
    bool whole = count == 0 || to->children != NULL;
    for (size_t i = 0; i < count && whole; i++) {
        to->children[i] = native_calloc(1, sizeof **to->children);
        whole = to->children[i] != NULL &&
                skeleton_make(owner, from->children[i], to->children[i]);
    }
    if (whole && from->dictionary != NULL) {
        to->dictionary = native_calloc(1, sizeof *to->dictionary);
        whole = to->dictionary != NULL &&
                skeleton_make(owner, from->dictionary, to->dictionary);
    }
    if (!whole)
        skeleton_release(to);
    return whole;
}

/* ---- streams over them ---- */

struct walk {
    struct owner *owner;
    size_t next, to;
};

static int walk_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    const struct walk *walk = stream->private_data;
    return native_schema_copy(&walk->owner->schema, out) == 0 ? 0 : ENOMEM;
}

static int walk_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct walk *walk = stream->private_data;
    if (walk->next == walk->to) {
        memset(out, 0, sizeof *out);
        return 0;
    }
    struct ArrowArray array;
    if (!skeleton_make(walk->owner, &walk->owner->arrays[walk->next], &array))
        return ENOMEM;
    walk->next++;
    *out = array;
    return 0;
}

static const char *walk_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "out of memory";
}

static void walk_release(struct ArrowArrayStream *stream)
{
    struct walk *walk = stream->private_data;
    owner_unref(walk->owner);
    native_release(walk);
    memset(stream, 0, sizeof *stream);
}

static PyObject *batches_stream(PyObject *self, PyObject *args)
{
    struct py_batches *batches = (struct py_batches *)self;
    PyObject *requested = Py_None;
    if (!PyArg_ParseTuple(args, "|O:__arrow_c_stream__", &requested))
        return NULL;
    struct walk *walk = native_calloc(1, sizeof *walk);
    if (walk == NULL)
        return PyErr_NoMemory();
    *walk = (struct walk){owner_ref(batches->owner), batches->from, batches->to};
    struct ArrowArrayStream stream = {walk_schema, walk_next, walk_error, walk_release,
                                      walk};
    return native_stream_capsule(&stream);
}

/* ---- the type ---- */

static PyObject *view_new(struct native_state *state, struct owner *moved, size_t from,
                          size_t to)
{
    struct py_batches *self = native_new(state->batches_type);
    if (self == NULL) {
        owner_unref(moved);
        return NULL;
    }
    self->owner = moved;
    self->from = from;
    self->to = to;
    return (PyObject *)self;
}

PyObject *native_batches_new(struct native_state *state, struct ArrowSchema *moved,
                             struct ArrowArray *arrays, size_t count)
{
    struct owner *owner = native_calloc(1, sizeof *owner);
    if (owner == NULL) {
        for (size_t i = 0; i < count; i++)
            arrays[i].release(&arrays[i]);
        native_release(arrays);
        moved->release(moved);
        return PyErr_NoMemory();
    }
    atomic_init(&owner->count, 1);
    owner->schema = *moved;
    moved->release = NULL;
    owner->arrays = arrays;
    owner->array_count = count;
    return view_new(state, owner, 0, count);
}

static void batches_dealloc(PyObject *self)
{
    owner_unref(((struct py_batches *)self)->owner);
    native_free(self);
}

static Py_ssize_t batches_length(PyObject *self)
{
    const struct py_batches *batches = (struct py_batches *)self;
    return (Py_ssize_t)(batches->to - batches->from);
}

static PyObject *batches_item(PyObject *self, Py_ssize_t index)
{
    struct py_batches *batches = (struct py_batches *)self;
    if (index < 0 || index >= batches_length(self)) {
        PyErr_SetString(PyExc_IndexError, "batch index out of range");
        return NULL;
    }
    size_t at = batches->from + (size_t)index;
    return view_new(native_state_of(self), owner_ref(batches->owner), at, at + 1);
}

static PyObject *batches_rows(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    const struct py_batches *batches = (struct py_batches *)self;
    int64_t rows = 0;
    for (size_t i = batches->from; i < batches->to; i++)
        rows += batches->owner->arrays[i].length;
    return PyLong_FromLongLong(rows);
}

/* Of the first batch of the view: callers walk batch by batch. */
static PyObject *batches_texts(PyObject *self, PyObject *args)
{
    const struct py_batches *batches = (struct py_batches *)self;
    long long max_rows;
    if (!PyArg_ParseTuple(args, "L:texts", &max_rows))
        return NULL;
    if (batches->from == batches->to)
        return PyList_New(0);
    return native_texts(&batches->owner->schema, &batches->owner->arrays[batches->from],
                        max_rows);
}

static PyMethodDef batches_methods[] = {
    {"__arrow_c_stream__", batches_stream, METH_VARARGS, NULL},
    {"rows", batches_rows, METH_NOARGS, "The number of rows."},
    {"texts", batches_texts, METH_VARARGS, "Rows of the first batch, as texts."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot batches_slots[] = {
    {Py_tp_dealloc, batches_dealloc},
    {Py_tp_methods, batches_methods},
    {Py_sq_length, batches_length},
    {Py_sq_item, batches_item},
    {0, NULL},
};

PyType_Spec native_batches_spec = {
    .name = "armillaria._native.Batches",
    .basicsize = sizeof(struct py_batches),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = batches_slots,
};

/* One batch from the two capsules of __arrow_c_array__. */
PyObject *module_batch(PyObject *module, PyObject *args)
{
    PyObject *schema_capsule, *array_capsule;
    if (!PyArg_ParseTuple(args, "OO:batch", &schema_capsule, &array_capsule))
        return NULL;
    struct ArrowSchema *schema = PyCapsule_GetPointer(schema_capsule, "arrow_schema");
    struct ArrowArray *array =
        schema != NULL ? PyCapsule_GetPointer(array_capsule, "arrow_array") : NULL;
    if (array == NULL)
        return NULL;
    if (schema->release == NULL || array->release == NULL) {
        PyErr_SetString(PyExc_ValueError, "the array was released");
        return NULL;
    }
    struct ArrowArray *arrays = native_malloc(sizeof *arrays);
    if (arrays == NULL)
        return PyErr_NoMemory();
    struct ArrowSchema taken = *schema;
    schema->release = NULL;
    arrays[0] = *array;
    array->release = NULL;
    return native_batches_new(PyModule_GetState(module), &taken, arrays, 1);
}
