/*
 * Parquet: encoding streams, and files that are open for reading.
 */
#include "py_native.h"
struct py_parquet_file {
    PyObject_HEAD
    struct armi_parquet_file *file;
};

static struct armi_parquet_file *file_of(PyObject *self)
{
    return ((struct py_parquet_file *)self)->file;
}

/* ---- encoding ---- */

/* Both encoders take (stream capsule, …, compression, profile, threads, row group rows, Bloom columns).
 */
static struct armi_parquet_encode_options
encode_options(const char *compression, int profile, unsigned threads, long long rows,
               const struct native_name_array *bloom)
{
    return (struct armi_parquet_encode_options){
        .size = sizeof(struct armi_parquet_encode_options),
        .compression = compression,
        .profile = (enum armi_parquet_profile)profile,
        .threads = threads,
        .row_group_rows = rows,
        .bloom_columns = bloom->names,
        .bloom_column_count = bloom->count,
        .callbacks = native_callbacks(),
    };
}

PyObject *module_parquet_encode(PyObject *module, PyObject *args)
{
    struct ArrowArrayStream data;
    struct armi_bytes bytes = ARMI_BYTES_INIT;
    struct native_name_array bloom;
    PyObject *capsule, *names, *result = NULL;
    const char *compression;
    int profile;
    unsigned threads;
    long long rows;
    if (!PyArg_ParseTuple(args, "OziILO:parquet_encode", &capsule, &compression, &profile,
                          &threads, &rows, &names) ||
        native_name_array_init(&bloom, names) != 0)
        return NULL;
    struct armi_parquet_encode_options options =
        encode_options(compression, profile, threads, rows, &bloom);
    options.allocate = native_allocate_bytes;
    options.allocate_ctx = &result;
    struct native_call call;
    int failed = native_stream_take(capsule, &data);
    if (!failed)
        failed = NATIVE_RUN(PyModule_GetState(module), call,
                            armi_parquet_encode(&data, &options, &bytes, &call.err));
    native_name_array_release(&bloom);
    if (failed)
        Py_CLEAR(result);
    return result;
}

PyObject *module_parquet_write(PyObject *module, PyObject *args)
{
    struct ArrowArrayStream data;
    struct armi_parquet_write_result result = {.size = sizeof result};
    struct native_name_array bloom = {0};
    PyObject *capsule, *names, *path = NULL;
    const char *compression;
    int profile;
    unsigned threads;
    long long rows;
    if (!PyArg_ParseTuple(args, "OO&ziILO:parquet_write", &capsule, PyUnicode_FSConverter,
                          &path, &compression, &profile, &threads, &rows, &names))
        return NULL;
    int failed = native_name_array_init(&bloom, names) != 0 ||
                 native_stream_take(capsule, &data) != 0;
    const struct armi_parquet_encode_options options =
        encode_options(compression, profile, threads, rows, &bloom);
    struct native_call call;
    if (!failed)
        failed = NATIVE_RUN(PyModule_GetState(module), call,
                            armi_parquet_write(&data, PyBytes_AsString(path), &options,
                                               &result, &call.err));
    native_name_array_release(&bloom);
    Py_DECREF(path);
    return failed ? NULL
                  : Py_BuildValue("(LLL)", (long long)result.rows,
                                  (long long)result.row_groups, (long long)result.bytes);
}

/* ---- opening ---- */

PyObject *module_parquet_open(PyObject *module, PyObject *args)
{
    struct native_state *state = PyModule_GetState(module);
    struct armi_bytes bytes;
    PyObject *data;
    if (!PyArg_ParseTuple(args, "O:parquet_open", &data) ||
        native_bytes_of(data, &bytes) != 0)
        return NULL;
    struct py_parquet_file *self = native_new(state->parquet_file_type);
    struct native_call call;
    if (self == NULL)
        armi_bytes_release(&bytes);
    else if (NATIVE_RUN(state, call,
                        armi_parquet_file_open(&bytes, &self->file, &call.err)) != 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

PyObject *module_parquet_open_path(PyObject *module, PyObject *args)
{
    struct native_state *state = PyModule_GetState(module);
    PyObject *path = NULL;
    if (!PyArg_ParseTuple(args, "O&:parquet_open_path", PyUnicode_FSConverter, &path))
        return NULL;
    struct py_parquet_file *self = native_new(state->parquet_file_type);
    struct native_call call;
    if (self != NULL &&
        NATIVE_RUN(state, call,
                   armi_parquet_file_open_path(PyBytes_AsString(path), &self->file,
                                               &call.err)) != 0)
        Py_CLEAR(self);
    Py_DECREF(path);
    return (PyObject *)self;
}

static void file_dealloc(PyObject *self)
{
    if (file_of(self) != NULL) {
        Py_BEGIN_ALLOW_THREADS armi_parquet_file_close(file_of(self));
        Py_END_ALLOW_THREADS
    }
    native_free(self);
}

/* ---- reading ---- */

/* Column numbers from a sequence of int; PyMem_Free. NULL without an exception for None. */
static int32_t *indexes_of(PyObject *sequence, size_t *count)
{
    PyObject *items = sequence != Py_None ? PySequence_Tuple(sequence) : NULL;
    if (items == NULL)
        return NULL;
    *count = (size_t)PyTuple_Size(items);
    int32_t *indexes = PyMem_Calloc(*count + 1, sizeof *indexes);
    if (indexes == NULL)
        PyErr_NoMemory();
    for (size_t i = 0; i < *count && indexes != NULL; i++) {
        long value = PyLong_AsLong(PyTuple_GetItem(items, (Py_ssize_t)i));
        indexes[i] = value >= 0 && value <= INT32_MAX ? (int32_t)value : -1;
    }
    Py_DECREF(items);
    if (!PyErr_Occurred())
        return indexes;
    PyMem_Free(indexes);
    return NULL;
}

/* (columns, column numbers, where, max_bytes, threads) */
static PyObject *file_read(PyObject *self, PyObject *args)
{
    struct native_state *state = native_state_of(self);
    struct armi_parquet_decode_options options = {.size = sizeof options,
                                                  .callbacks = native_callbacks()};
    struct ArrowArrayStream stream = {0};
    struct native_name_array columns;
    PyObject *names, *numbers;
    unsigned long long max_bytes;
    size_t number_count = 0;
    if (!PyArg_ParseTuple(args, "OOzKI:read", &names, &numbers, &options.where, &max_bytes,
                          &options.threads) ||
        native_name_array_init(&columns, names) != 0)
        return NULL;
    int32_t *indexes = indexes_of(numbers, &number_count);
    options.columns = columns.names;
    options.column_indexes = indexes;
    options.column_count = indexes != NULL ? number_count : columns.count;
    options.max_bytes = max_bytes;
    struct native_call call;
    int failed = PyErr_Occurred() != NULL ||
                 NATIVE_RUN(state, call,
                            armi_parquet_file_read(file_of(self), &options, &stream,
                                                   &call.err)) != 0;
    PyMem_Free(indexes);
    native_name_array_release(&columns);
    if (!failed)
        return native_stream_new(state, &stream);
    if (stream.release != NULL)
        stream.release(&stream);
    return NULL;
}

static PyObject *file_prune(PyObject *self, PyObject *args)
{
    int64_t total = 0, pruned = 0, kept = 0;
    const char *where;
    struct native_call call;
    if (!PyArg_ParseTuple(args, "s:prune", &where) ||
        NATIVE_RUN(native_state_of(self), call,
                   armi_parquet_file_prune(file_of(self), where, &total, &pruned, &kept,
                                           &call.err)) != 0)
        return NULL;
    return Py_BuildValue("(LLL)", (long long)total, (long long)pruned, (long long)kept);
}

/* ---- what it is ---- */

static PyObject *file_schema(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct native_state *state = native_state_of(self);
    struct ArrowSchema schema = {0};
    struct native_call call;
    if (NATIVE_RUN(state, call,
                   armi_parquet_file_schema(file_of(self), &schema, &call.err)) == 0)
        return native_schema_new(state, &schema);
    if (schema.release != NULL)
        schema.release(&schema);
    return NULL;
}

/* (rows, row groups, leaf columns, created_by) */
static PyObject *file_info(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    const struct armi_parquet_file *file = file_of(self);
    return Py_BuildValue("(Liis)", (long long)armi_parquet_file_rows(file),
                         (int)armi_parquet_file_row_groups(file),
                         (int)armi_parquet_file_leaves(file),
                         armi_parquet_file_created_by(file));
}

/* (row group, leaf) */
static PyObject *file_chunk(PyObject *self, PyObject *args)
{
    struct armi_parquet_chunk_info info = {.size = sizeof info};
    int row_group, leaf;
    struct native_call call;
    if (!PyArg_ParseTuple(args, "ii:chunk", &row_group, &leaf) ||
        NATIVE_RUN(
            native_state_of(self), call,
            armi_parquet_file_chunk(file_of(self), row_group, leaf, &info, &call.err)) != 0)
        return NULL;
    return Py_BuildValue(
        "(ssssLLLLLOOOO)", info.path, info.physical_type, info.compression, info.encodings,
        (long long)info.rows, (long long)info.values, (long long)info.nulls,
        (long long)info.compressed_bytes, (long long)info.uncompressed_bytes,
        info.has_min_max ? Py_True : Py_False, info.has_dictionary ? Py_True : Py_False,
        info.has_page_index ? Py_True : Py_False,
        info.has_bloom_filter ? Py_True : Py_False);
}

static PyMethodDef file_methods[] = {
    {"read", file_read, METH_VARARGS, NULL},    {"prune", file_prune, METH_VARARGS, NULL},
    {"schema", file_schema, METH_NOARGS, NULL}, {"info", file_info, METH_NOARGS, NULL},
    {"chunk", file_chunk, METH_VARARGS, NULL},  {NULL, NULL, 0, NULL},
};

static PyType_Slot file_slots[] = {
    {Py_tp_dealloc, file_dealloc},
    {Py_tp_methods, file_methods},
    {0, NULL},
};

PyType_Spec native_parquet_file_spec = {
    .name = "armillaria._native.ParquetFile",
    .basicsize = sizeof(struct py_parquet_file),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = file_slots,
};
