/*
 * Chunk stores: one that was opened by itself, or that of a repository (borrowed: the object
 * keeps the repository open).
 */
#include "py_native.h"

#include <string.h>

struct py_chunk_store {
    PyObject_HEAD
    struct armi_chunk_store *store;
    PyObject *repository; /* NULL: the store is our own */
};

static struct armi_chunk_store *store_of(PyObject *self)
{
    return ((struct py_chunk_store *)self)->store;
}

/* ---- life ---- */

PyObject *native_chunk_store_new(struct native_state *state, PyObject *repository,
                                 struct armi_chunk_store *store)
{
    struct py_chunk_store *self = native_new(state->chunk_store_type);
    if (self == NULL)
        return NULL;
    self->store = store;
    self->repository = Py_NewRef(repository);
    return (PyObject *)self;
}

/* (path, durability 0..3, no_create, no_verify, read_only, unsafe_network, threads) */
PyObject *module_open_chunk_store(PyObject *module, PyObject *args)
{
    struct native_state *state = PyModule_GetState(module);
    struct armi_chunk_store_options options = {.size = sizeof options,
                                               .callbacks = native_callbacks()};
    PyObject *path = NULL;
    int durability, no_create, no_verify, read_only, unsafe_network;
    if (!PyArg_ParseTuple(args, "O&ippppI:open_chunk_store", PyUnicode_FSConverter, &path,
                          &durability, &no_create, &no_verify, &read_only, &unsafe_network,
                          &options.threads))
        return NULL;
    options.durability = (enum armi_durability)durability;
    options.no_create = no_create;
    options.no_verify = no_verify;
    options.read_only = read_only;
    options.unsafe_network = unsafe_network;
    struct py_chunk_store *self = native_new(state->chunk_store_type);
    struct native_call call;
    if (self != NULL && NATIVE_RUN(state, call,
                                   armi_chunk_store_open(PyBytes_AsString(path), &options,
                                                         &self->store, &call.err)) != 0)
        Py_CLEAR(self);
    Py_DECREF(path);
    return (PyObject *)self;
}

static void chunk_store_dealloc(PyObject *self)
{
    struct py_chunk_store *store = (struct py_chunk_store *)self;
    if (store->repository == NULL && store->store != NULL) {
        Py_BEGIN_ALLOW_THREADS armi_chunk_store_close(store->store);
        Py_END_ALLOW_THREADS
    }
    Py_XDECREF(store->repository);
    native_free(self);
}

/* ---- arguments ---- */

static int hash_of(PyObject *self, PyObject *text, struct armi_hash *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    Py_ssize_t size;
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "a hash is a str of 64 hex digits, not %R",
                     (PyObject *)Py_TYPE(text));
        return -1;
    }
    const char *hex = PyUnicode_AsUTF8AndSize(text, &size);
    if (hex == NULL) { /* lone surrogates: certainly no hash */
        PyErr_Clear();
        native_raise_message(native_state_of(self), ARMI_INVALID,
                             "Invalid hash: not a text");
        return -1;
    }
    enum armi_status st = armi_chunk_hash_parse(hex, (size_t)size, out, &err);
    if (st == ARMI_OK)
        return 0;
    native_raise(native_state_of(self), st, &err);
    return -1;
}

/* An array of hashes from a sequence of str; PyMem_Free. */
static struct armi_hash *hashes_of(PyObject *self, PyObject *sequence, size_t *count)
{
    PyObject *items = PySequence_Tuple(sequence);
    if (items == NULL)
        return NULL;
    *count = (size_t)PyTuple_Size(items);
    struct armi_hash *hashes = PyMem_Calloc(*count + 1, sizeof *hashes);
    if (hashes == NULL)
        PyErr_NoMemory();
    for (size_t i = 0; i < *count && hashes != NULL; i++)
        if (hash_of(self, PyTuple_GetItem(items, (Py_ssize_t)i), &hashes[i]) != 0) {
            PyMem_Free(hashes);
            hashes = NULL;
        }
    Py_DECREF(items);
    return hashes;
}

/* ---- put ---- */

static PyObject *store_put(PyObject *self, PyObject *data)
{
    Py_buffer view;
    struct armi_hash hash;
    struct native_call call;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) != 0)
        return NULL;
    int failed = NATIVE_RUN(
        native_state_of(self), call,
        armi_chunk_store_put(store_of(self), view.buf, (size_t)view.len, &hash, &call.err));
    PyBuffer_Release(&view);
    return failed ? NULL : native_hash(&hash);
}

struct put_items {
    Py_buffer *views;
    struct armi_chunk_data *data;
    struct armi_hash *hashes;
    size_t count, held;
};

static void put_items_release(struct put_items *items)
{
    for (size_t i = 0; i < items->held; i++)
        PyBuffer_Release(&items->views[i]);
    PyMem_Free(items->views);
    PyMem_Free(items->data);
    PyMem_Free(items->hashes);
}

static int put_items_init(struct put_items *items, PyObject *tuple)
{
    *items = (struct put_items){.count = (size_t)PyTuple_Size(tuple)};
    items->views = PyMem_Calloc(items->count + 1, sizeof *items->views);
    items->data = PyMem_Calloc(items->count + 1, sizeof *items->data);
    items->hashes = PyMem_Calloc(items->count + 1, sizeof *items->hashes);
    if (items->views == NULL || items->data == NULL || items->hashes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < items->count; i++) {
        PyObject *item = PyTuple_GetItem(tuple, (Py_ssize_t)i);
        if (item == NULL || PyObject_GetBuffer(item, &items->views[i], PyBUF_SIMPLE) != 0)
            return -1;
        items->held++;
        items->data[i] =
            (struct armi_chunk_data){items->views[i].buf, (size_t)items->views[i].len};
    }
    return 0;
}

static PyObject *store_put_batch(PyObject *self, PyObject *sequence)
{
    struct put_items items;
    struct native_call call;
    PyObject *list = NULL;
    PyObject *tuple = PySequence_Tuple(sequence);
    if (tuple == NULL)
        return NULL;
    if (put_items_init(&items, tuple) == 0 &&
        NATIVE_RUN(native_state_of(self), call,
                   armi_chunk_store_put_batch(store_of(self), items.data, items.count,
                                              items.hashes, &call.err)) == 0)
        list = PyList_New(0);
    for (size_t i = 0; i < items.count && list != NULL; i++)
        if (!native_list_add(list, native_hash(&items.hashes[i])))
            Py_CLEAR(list);
    put_items_release(&items);
    Py_DECREF(tuple);
    return list;
}

/* ---- get ---- */

typedef enum armi_status (*get_fn)(struct armi_chunk_store *, const struct armi_hash *,
                                   struct armi_bytes *, struct armi_error *);
typedef enum armi_status (*get_batch_fn)(struct armi_chunk_store *,
                                         const struct armi_hash *, size_t,
                                         struct armi_bytes *, struct armi_error *);

/* How bytes are handed out: copied into a bytes object, or as a buffer onto them. */
static PyObject *bytes_out(PyObject *self, struct armi_bytes *bytes, bool copy)
{
    return copy ? native_bytes(bytes) : native_buffer_new(native_state_of(self), bytes);
}

static PyObject *store_get_one(PyObject *self, PyObject *text, get_fn get, bool copy)
{
    struct armi_bytes bytes = ARMI_BYTES_INIT;
    struct armi_hash hash;
    struct native_call call;
    if (hash_of(self, text, &hash) != 0)
        return NULL;
    if (NATIVE_RUN(native_state_of(self), call,
                   get(store_of(self), &hash, &bytes, &call.err)) == 0)
        return bytes_out(self, &bytes, copy);
    armi_bytes_release(&bytes);
    return NULL;
}

static PyObject *store_get_many(PyObject *self, PyObject *sequence, get_batch_fn get,
                                bool copy)
{
    struct native_call call;
    size_t count;
    struct armi_hash *hashes = hashes_of(self, sequence, &count);
    if (hashes == NULL)
        return NULL;
    struct armi_bytes *bytes = PyMem_Calloc(count + 1, sizeof *bytes);
    PyObject *list = NULL;
    if (bytes == NULL)
        PyErr_NoMemory();
    else if (NATIVE_RUN(native_state_of(self), call,
                        get(store_of(self), hashes, count, bytes, &call.err)) == 0)
        list = PyList_New(0);
    for (size_t i = 0; i < count && list != NULL; i++)
        if (!native_list_add(list, bytes_out(self, &bytes[i], copy)))
            Py_CLEAR(list);
    for (size_t i = 0; i < count && bytes != NULL; i++)
        armi_bytes_release(&bytes[i]);
    PyMem_Free(bytes);
    PyMem_Free(hashes);
    return list;
}

static PyObject *store_get(PyObject *self, PyObject *hash)
{
    return store_get_one(self, hash, armi_chunk_store_get, true);
}

static PyObject *store_get_verified(PyObject *self, PyObject *hash)
{
    return store_get_one(self, hash, armi_chunk_store_get_verified, true);
}

static PyObject *store_get_mmap(PyObject *self, PyObject *hash)
{
    return store_get_one(self, hash, armi_chunk_store_get_mmap, false);
}

static PyObject *store_get_batch(PyObject *self, PyObject *hashes)
{
    return store_get_many(self, hashes, armi_chunk_store_get_batch, true);
}

static PyObject *store_get_batch_verified(PyObject *self, PyObject *hashes)
{
    return store_get_many(self, hashes, armi_chunk_store_get_batch_verified, true);
}

static PyObject *store_get_mmap_batch(PyObject *self, PyObject *hashes)
{
    return store_get_many(self, hashes, armi_chunk_store_get_mmap_batch, false);
}

/* ---- the rest ---- */

static PyObject *store_exists(PyObject *self, PyObject *text)
{
    struct armi_hash hash;
    bool exists = false;
    struct native_call call;
    if (hash_of(self, text, &hash) != 0 ||
        NATIVE_RUN(native_state_of(self), call,
                   armi_chunk_store_exists(store_of(self), &hash, &exists, &call.err)) != 0)
        return NULL;
    return native_bool(exists);
}

static PyObject *store_delete(PyObject *self, PyObject *text)
{
    struct armi_hash hash;
    struct native_call call;
    if (hash_of(self, text, &hash) != 0 ||
        NATIVE_RUN(native_state_of(self), call,
                   armi_chunk_store_delete(store_of(self), &hash, &call.err)) != 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *store_count(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    uint64_t count = 0;
    struct native_call call;
    if (NATIVE_RUN(native_state_of(self), call,
                   armi_chunk_store_count(store_of(self), &count, &call.err)) != 0)
        return NULL;
    return PyLong_FromUnsignedLongLong(count);
}

static PyObject *store_path(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return PyUnicode_DecodeFSDefault(armi_chunk_store_path(store_of(self)));
}

/* ---- iteration ---- */

struct py_chunk_iterator {
    PyObject_HEAD
    struct armi_chunk_iterator *iterator;
    PyObject *store; /* keeps the store open */
};

static PyObject *store_iterate(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct native_state *state = native_state_of(self);
    struct py_chunk_iterator *it = native_new(state->chunk_iterator_type);
    struct native_call call;
    if (it == NULL)
        return NULL;
    it->store = Py_NewRef(self);
    if (NATIVE_RUN(state, call,
                   armi_chunk_store_iterate(store_of(self), &it->iterator, &call.err)) != 0)
        Py_CLEAR(it);
    return (PyObject *)it;
}

static PyObject *iterator_next(PyObject *self)
{
    struct armi_hash hash;
    if (!armi_chunk_iterator_next(((struct py_chunk_iterator *)self)->iterator, &hash))
        return NULL;
    return native_hash(&hash);
}

static void iterator_dealloc(PyObject *self)
{
    struct py_chunk_iterator *it = (struct py_chunk_iterator *)self;
    if (it->iterator != NULL)
        armi_chunk_iterator_free(it->iterator);
    Py_XDECREF(it->store);
    native_free(self);
}

static PyType_Slot iterator_slots[] = {
    {Py_tp_dealloc, iterator_dealloc},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, iterator_next},
    {0, NULL},
};

PyType_Spec native_chunk_iterator_spec = {
    .name = "armillaria._native.ChunkIterator",
    .basicsize = sizeof(struct py_chunk_iterator),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = iterator_slots,
};

/* ---- the type ---- */

static PyMethodDef store_methods[] = {
    {"put", store_put, METH_O, NULL},
    {"put_batch", store_put_batch, METH_O, NULL},
    {"get", store_get, METH_O, NULL},
    {"get_batch", store_get_batch, METH_O, NULL},
    {"get_verified", store_get_verified, METH_O, NULL},
    {"get_batch_verified", store_get_batch_verified, METH_O, NULL},
    {"get_mmap", store_get_mmap, METH_O, NULL},
    {"get_mmap_batch", store_get_mmap_batch, METH_O, NULL},
    {"exists", store_exists, METH_O, NULL},
    {"delete", store_delete, METH_O, NULL},
    {"count", store_count, METH_NOARGS, NULL},
    {"iterate", store_iterate, METH_NOARGS, NULL},
    {"path", store_path, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot store_slots[] = {
    {Py_tp_dealloc, chunk_store_dealloc},
    {Py_tp_methods, store_methods},
    {0, NULL},
};

PyType_Spec native_chunk_store_spec = {
    .name = "armillaria._native.ChunkStore",
    .basicsize = sizeof(struct py_chunk_store),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = store_slots,
};
