/*
 * Arrow schemas: kept, handed out as often as asked, and read as plain Python values.
 *
 * A consumer owns the schema that it gets, and may take children out of it, so each gets a
 * deep copy.
 */
#include "py_native.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 128

struct py_schema {
    PyObject_HEAD
    struct ArrowSchema schema;
};

/* ---- copying ---- */

static void copy_release(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children && schema->children != NULL; i++) {
        struct ArrowSchema *child = schema->children[i];
        if (child != NULL && child->release != NULL)
            child->release(child);
        native_release(child);
    }
    if (schema->dictionary != NULL && schema->dictionary->release != NULL)
        schema->dictionary->release(schema->dictionary);
    native_release(schema->dictionary);
    native_release(schema->children);
    native_release((void *)(uintptr_t)schema->format);
    native_release((void *)(uintptr_t)schema->name);
    native_release((void *)(uintptr_t)schema->metadata);
    memset(schema, 0, sizeof *schema);
}

static char *bytes_copy(const char *from, size_t size)
{
    char *to = from != NULL ? native_malloc(size > 0 ? size : 1) : NULL;
    if (to != NULL)
        memcpy(to, from, size);
    return to;
}

static int32_t load_i32(const char *at)
{
    int32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* Bytes of an encoded metadata block: a count, then pairs of sized keys and values. The C
 * data interface gives no length; what is here came from this library or passed through a
 * producer that the caller trusts with pointers anyway. */
static size_t metadata_size(const char *metadata)
{
    if (metadata == NULL)
        return 0;
    int32_t count = load_i32(metadata);
    size_t size = sizeof count;
    for (int32_t i = 0; i < count; i++)
        for (int part = 0; part < 2; part++) {
            int32_t length = load_i32(metadata + size);
            size += sizeof length + (length > 0 ? (size_t)length : 0);
        }
    return size;
}

static bool copy_texts(const struct ArrowSchema *from, struct ArrowSchema *to)
{
    to->format = bytes_copy(from->format, strlen(from->format) + 1);
    to->name = from->name != NULL ? bytes_copy(from->name, strlen(from->name) + 1) : NULL;
    to->metadata = bytes_copy(from->metadata, metadata_size(from->metadata));
    return to->format != NULL && (from->name == NULL || to->name != NULL) &&
           (from->metadata == NULL || to->metadata != NULL);
}

static bool copy_node(const struct ArrowSchema *from, struct ArrowSchema *to, int depth)
{
    memset(to, 0, sizeof *to);
    to->release = copy_release;
    to->flags = from->flags;
    if (depth > DEPTH_MAX || !copy_texts(from, to))
        return false;
    size_t count = (size_t)from->n_children;
    to->children = count > 0 ? native_calloc(count, sizeof *to->children) : NULL;
    if (count > 0 && to->children == NULL)
        return false;
    to->n_children = from->n_children;
    for (size_t i = 0; i < count; i++) {
        to->children[i] = native_calloc(1, sizeof **to->children);
        if (to->children[i] == NULL ||
            !copy_node(from->children[i], to->children[i], depth + 1))
            return false;
    }
    if (from->dictionary == NULL)
        return true;
    to->dictionary = native_calloc(1, sizeof *to->dictionary);
    return to->dictionary != NULL && copy_node(from->dictionary, to->dictionary, depth + 1);
}

int native_schema_copy(const struct ArrowSchema *from, struct ArrowSchema *to)
{
    struct ArrowSchema copy;
    if (!copy_node(from, &copy, 0)) {
        copy_release(&copy);
        return -1;
    }
    *to = copy;
    return 0;
}

/* ---- as a capsule ---- */

static void capsule_free(PyObject *capsule)
{
    struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");
    if (schema->release != NULL)
        schema->release(schema);
    native_release(schema);
}

static PyObject *schema_capsule(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct ArrowSchema *copy = native_calloc(1, sizeof *copy);
    if (copy == NULL ||
        native_schema_copy(&((struct py_schema *)self)->schema, copy) != 0) {
        native_release(copy);
        return PyErr_NoMemory();
    }
    PyObject *capsule = PyCapsule_New(copy, "arrow_schema", capsule_free);
    if (capsule == NULL) {
        copy->release(copy);
        native_release(copy);
    }
    return capsule;
}

/* ---- as values ---- */

static PyObject *metadata_pairs(const char *metadata)
{
    PyObject *list = PyList_New(0);
    int32_t count = metadata != NULL ? load_i32(metadata) : 0;
    size_t at = sizeof count;
    for (int32_t i = 0; i < count && list != NULL; i++) {
        int32_t key = load_i32(metadata + at);
        const char *key_at = metadata + at + sizeof key;
        int32_t value = load_i32(key_at + key);
        const char *value_at = key_at + key + sizeof value;
        at += 2 * sizeof key + (size_t)key + (size_t)value;
        if (!native_list_add(list, Py_BuildValue("(y#y#)", key_at, (Py_ssize_t)key,
                                                 value_at, (Py_ssize_t)value)))
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *node_tree(const struct ArrowSchema *schema, int depth)
{
    if (depth > DEPTH_MAX) {
        PyErr_SetString(PyExc_RecursionError, "a schema that is nested too deeply");
        return NULL;
    }
    PyObject *children = PyList_New(0);
    for (int64_t i = 0; i < schema->n_children && children != NULL; i++)
        if (!native_list_add(children, node_tree(schema->children[i], depth + 1)))
            Py_CLEAR(children);
    PyObject *dictionary = schema->dictionary != NULL
                               ? node_tree(schema->dictionary, depth + 1)
                               : Py_NewRef(Py_None);
    PyObject *metadata = metadata_pairs(schema->metadata);
    PyObject *tree = NULL;
    if (children != NULL && dictionary != NULL && metadata != NULL)
        tree = Py_BuildValue("(ssLOOO)", schema->format,
                             schema->name != NULL ? schema->name : "",
                             (long long)schema->flags, metadata, children, dictionary);
    Py_XDECREF(children);
    Py_XDECREF(dictionary);
    Py_XDECREF(metadata);
    return tree;
}

static PyObject *schema_tree(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return node_tree(&((struct py_schema *)self)->schema, 0);
}

/* ---- the type ---- */

PyObject *native_schema_new(struct native_state *state, struct ArrowSchema *moved)
{
    struct py_schema *self = native_new(state->schema_type);
    if (self == NULL) {
        moved->release(moved);
        return NULL;
    }
    self->schema = *moved;
    moved->release = NULL;
    return (PyObject *)self;
}

static void schema_dealloc(PyObject *self)
{
    struct ArrowSchema *schema = &((struct py_schema *)self)->schema;
    if (schema->release != NULL)
        schema->release(schema);
    native_free(self);
}

PyObject *module_schema(PyObject *module, PyObject *capsule)
{
    struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema"), copy;
    if (schema == NULL)
        return NULL;
    if (schema->release == NULL) {
        PyErr_SetString(PyExc_ValueError, "the schema was released");
        return NULL;
    }
    if (native_schema_copy(schema, &copy) != 0)
        return PyErr_NoMemory();
    return native_schema_new(PyModule_GetState(module), &copy);
}

static PyMethodDef schema_methods[] = {
    {"__arrow_c_schema__", schema_capsule, METH_NOARGS, NULL},
    {"tree", schema_tree, METH_NOARGS,
     "(format, name, flags, metadata pairs, children, dictionary), nested."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot schema_slots[] = {
    {Py_tp_dealloc, schema_dealloc},
    {Py_tp_methods, schema_methods},
    {0, NULL},
};

PyType_Spec native_schema_spec = {
    .name = "armillaria._native.Schema",
    .basicsize = sizeof(struct py_schema),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = schema_slots,
};
