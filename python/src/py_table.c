/*
 * Tables: lists, schemas, counts, versions, and scans.
 */
#include "py_native.h"

#include <string.h>

/* ---- where to look ---- */

int native_at_enter(struct native_state *state, const char *ref, PyObject *version,
                    PyObject *as_of, PyObject *transaction, struct native_at *out)
{
    *out = (struct native_at){.at = {.size = sizeof out->at, .ref = ref}};
    if (version != Py_None) {
        out->at.version = PyLong_AsUnsignedLongLong(version);
        if (PyErr_Occurred())
            return -1;
    }
    if (as_of != Py_None) {
        out->at.has_as_of = true;
        out->at.as_of_us = PyLong_AsLongLong(as_of);
        if (PyErr_Occurred())
            return -1;
    }
    if (transaction == Py_None)
        return 0;
    if (native_transaction_enter(state, transaction, &out->at.transaction) != 0)
        return -1;
    out->transaction = transaction;
    return 0;
}

void native_at_leave(struct native_at *at)
{
    if (at->transaction != NULL)
        native_transaction_leave(at->transaction);
}

/* (table, ref, version, as_of, transaction), the arguments of most methods here. */
static int table_at_parse(PyObject *self, PyObject *args, const char **table,
                          struct native_at *at)
{
    const char *ref;
    PyObject *version, *as_of, *transaction;
    if (!PyArg_ParseTuple(args, "szOOO", table, &ref, &version, &as_of, &transaction))
        return -1;
    return native_at_enter(native_state_of(self), ref, version, as_of, transaction, at);
}

/* ---- one table ---- */

PyObject *repository_tables(PyObject *self, PyObject *args)
{
    struct native_state *state = native_state_of(self);
    struct armi_name_list list = {.size = sizeof list};
    struct native_at at;
    const char *ref;
    PyObject *as_of, *transaction;
    if (!PyArg_ParseTuple(args, "zOO:tables", &ref, &as_of, &transaction) ||
        native_at_enter(state, ref, Py_None, as_of, transaction, &at) != 0)
        return NULL;
    struct native_call call;
    int failed = NATIVE_RUN(
        state, call, armi_table_list(native_repository(self), &at.at, &list, &call.err));
    native_at_leave(&at);
    PyObject *names = failed ? NULL : native_names(list.names, list.count);
    armi_name_list_release(&list);
    return names;
}

static PyObject *hash_list(const struct armi_hash *hashes, size_t count)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; i < count && list != NULL; i++)
        if (!native_list_add(list, native_hash(&hashes[i])))
            Py_CLEAR(list);
    return list;
}

static PyObject *info_tuple(const struct armi_table_info *info)
{
    typedef unsigned long long number;
    PyObject *commit = native_hash_or_none(&info->commit);
    PyObject *version = native_number_or_none(info->version);
    PyObject *root = native_hash(&info->root);
    PyObject *key = native_names(info->key, info->key_count);
    PyObject *chunks = hash_list(info->chunks, info->chunk_count);
    PyObject *tuple = NULL;
    if (commit != NULL && version != NULL && root != NULL && key != NULL && chunks != NULL)
        tuple = Py_BuildValue("(OOLKKKKKOOO)", version, commit, (long long)info->time_us,
                              (number)info->rows, (number)info->logical_bytes,
                              (number)info->stored_bytes, (number)info->ranges,
                              (number)info->column_count, root, key, chunks);
    Py_XDECREF(commit);
    Py_XDECREF(version);
    Py_XDECREF(root);
    Py_XDECREF(key);
    Py_XDECREF(chunks);
    return tuple;
}

PyObject *repository_table_info(PyObject *self, PyObject *args)
{
    struct armi_table_info info = {.size = sizeof info};
    struct native_at at;
    const char *table;
    if (table_at_parse(self, args, &table, &at) != 0)
        return NULL;
    struct native_call call;
    int failed = NATIVE_RUN(
        native_state_of(self), call,
        armi_table_info(native_repository(self), table, &at.at, &info, &call.err));
    native_at_leave(&at);
    PyObject *tuple = failed ? NULL : info_tuple(&info);
    armi_table_info_release(&info);
    return tuple;
}

PyObject *repository_schema(PyObject *self, PyObject *args)
{
    struct native_state *state = native_state_of(self);
    struct ArrowSchema schema = {0};
    struct native_at at;
    const char *table;
    if (table_at_parse(self, args, &table, &at) != 0)
        return NULL;
    struct native_call call;
    int failed = NATIVE_RUN(
        state, call,
        armi_table_schema(native_repository(self), table, &at.at, &schema, &call.err));
    native_at_leave(&at);
    if (failed) {
        if (schema.release != NULL)
            schema.release(&schema);
        return NULL;
    }
    return native_schema_new(state, &schema);
}

PyObject *repository_count(PyObject *self, PyObject *args)
{
    uint64_t rows = 0;
    struct native_at at;
    const char *table;
    if (table_at_parse(self, args, &table, &at) != 0)
        return NULL;
    struct native_call call;
    int failed = NATIVE_RUN(
        native_state_of(self), call,
        armi_table_count(native_repository(self), table, &at.at, &rows, &call.err));
    native_at_leave(&at);
    return failed ? NULL : PyLong_FromUnsignedLongLong(rows);
}

PyObject *repository_versions(PyObject *self, PyObject *args)
{
    struct armi_table_version_list list = {.size = sizeof list};
    const char *table, *ref;
    if (!PyArg_ParseTuple(args, "sz:versions", &table, &ref))
        return NULL;
    struct native_call call;
    int failed = NATIVE_RUN(
        native_state_of(self), call,
        armi_table_versions(native_repository(self), table, ref, &list, &call.err));
    PyObject *versions = failed ? NULL : PyList_New(0);
    for (size_t i = 0; i < list.count && versions != NULL; i++) {
        PyObject *commit = native_hash(&list.items[i].commit);
        if (commit == NULL ||
            !native_list_add(versions,
                             Py_BuildValue("(KNLssKK)",
                                           (unsigned long long)list.items[i].version,
                                           commit, (long long)list.items[i].time_us,
                                           list.items[i].author, list.items[i].message,
                                           (unsigned long long)list.items[i].rows,
                                           (unsigned long long)list.items[i].stored_bytes)))
            Py_CLEAR(versions);
    }
    armi_table_version_list_release(&list);
    return versions;
}

/* ---- scans ---- */

static int scan_parse(PyObject *self, PyObject *args, struct armi_scan_options *options,
                      struct native_at *at, struct native_name_array *columns)
{
    const char *ref;
    PyObject *version, *as_of, *transaction, *names, *limit;
    unsigned long long offset, batch_bytes;
    int ranges_apart, no_verify;
    if (!PyArg_ParseTuple(args, "szOOOOzOKKpp:scan", &options->table, &ref, &version,
                          &as_of, &transaction, &names, &options->where, &limit, &offset,
                          &batch_bytes, &ranges_apart, &no_verify))
        return -1;
    options->offset = offset;
    options->batch_bytes = batch_bytes;
    options->ranges_apart = ranges_apart;
    options->no_verify = no_verify;
    options->has_limit = limit != Py_None;
    if (options->has_limit)
        options->limit = PyLong_AsUnsignedLongLong(limit);
    if (PyErr_Occurred() || native_name_array_init(columns, names) != 0)
        return -1;
    options->columns = columns->names;
    options->column_count = columns->count;
    if (native_at_enter(native_state_of(self), ref, version, as_of, transaction, at) != 0) {
        native_name_array_release(columns);
        return -1;
    }
    options->at = at->at;
    return 0;
}

PyObject *repository_scan(PyObject *self, PyObject *args)
{
    struct native_state *state = native_state_of(self);
    struct armi_scan_options options = {.size = sizeof options,
                                        .callbacks = native_callbacks()};
    struct ArrowArrayStream stream = {0};
    struct native_at at = {0};
    struct native_name_array columns;
    if (scan_parse(self, args, &options, &at, &columns) != 0)
        return NULL;
    struct native_call call;
    int failed = NATIVE_RUN(
        state, call, armi_scan_open(native_repository(self), &options, &stream, &call.err));
    native_at_leave(&at);
    native_name_array_release(&columns);
    if (failed) {
        if (stream.release != NULL)
            stream.release(&stream);
        return NULL;
    }
    return native_stream_new(state, &stream);
}
