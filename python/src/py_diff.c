/*
 * Differences between refs or versions, and merges.
 */
#include "py_native.h"

/* ---- diff ---- */

/* (from, to, table, old_version, new_version, key, no_counts) */
static int diff_parse(PyObject *args, struct armi_diff_options *options,
                      struct native_name_array *key)
{
    PyObject *names;
    unsigned long long old_version, new_version;
    int no_counts;
    if (!PyArg_ParseTuple(args, "zzzKKOp:diff", &options->from, &options->to,
                          &options->table, &old_version, &new_version, &names,
                          &no_counts) ||
        native_name_array_init(key, names) != 0)
        return -1;
    options->old_version = old_version;
    options->new_version = new_version;
    options->no_counts = no_counts;
    options->key = key->names;
    options->key_count = key->count;
    options->callbacks = native_callbacks();
    return 0;
}

static PyObject *table_diff(const struct armi_table_diff *diff)
{
    typedef unsigned long long number;
    PyObject *old_version = native_number_or_none(diff->old_version);
    PyObject *new_version = native_number_or_none(diff->new_version);
    PyObject *tuple = NULL;
    if (old_version != NULL && new_version != NULL)
        tuple = Py_BuildValue(
            "(sssOOKKKOO)", diff->table, diff->old_table, armi_diff_kind_name(diff->kind),
            old_version, new_version, (number)diff->rows_added, (number)diff->rows_removed,
            (number)diff->rows_changed, diff->schema_changed ? Py_True : Py_False,
            diff->reordered ? Py_True : Py_False);
    Py_XDECREF(old_version);
    Py_XDECREF(new_version);
    return tuple;
}

PyObject *repository_diff(PyObject *self, PyObject *args)
{
    struct armi_diff_options options = {.size = sizeof options};
    struct armi_diff diff = {.size = sizeof diff};
    struct native_name_array key;
    if (diff_parse(args, &options, &key) != 0)
        return NULL;
    struct native_call call;
    int failed =
        NATIVE_RUN(native_state_of(self), call,
                   armi_diff_open(native_repository(self), &options, &diff, &call.err));
    native_name_array_release(&key);
    PyObject *list = failed ? NULL : PyList_New(0);
    for (size_t i = 0; i < diff.count && list != NULL; i++)
        if (!native_list_add(list, table_diff(&diff.items[i])))
            Py_CLEAR(list);
    armi_diff_release(&diff);
    return list;
}

PyObject *repository_diff_rows(PyObject *self, PyObject *args)
{
    struct native_state *state = native_state_of(self);
    struct armi_diff_options options = {.size = sizeof options};
    struct ArrowArrayStream stream = {0};
    struct native_name_array key;
    if (diff_parse(args, &options, &key) != 0)
        return NULL;
    struct native_call call;
    int failed = NATIVE_RUN(
        state, call, armi_diff_rows(native_repository(self), &options, &stream, &call.err));
    native_name_array_release(&key);
    if (failed) {
        if (stream.release != NULL)
            stream.release(&stream);
        return NULL;
    }
    return native_stream_new(state, &stream);
}

/* ---- merge ---- */

static PyObject *merge_tuple(const struct armi_merge_result *result)
{
    static const struct armi_hash none = {{0}};
    PyObject *commit = native_hash_or_none(&result->commit);
    PyObject *base = native_hash_or_none(result->has_base ? &result->base : &none);
    PyObject *tables = native_names(result->tables, result->table_count);
    PyObject *conflicts = native_names(result->conflicts, result->conflict_count);
    PyObject *tuple = NULL;
    if (commit != NULL && base != NULL && tables != NULL && conflicts != NULL)
        tuple = Py_BuildValue("(sOOOO)", armi_merge_kind_name(result->kind), commit, base,
                              tables, conflicts);
    Py_XDECREF(commit);
    Py_XDECREF(base);
    Py_XDECREF(tables);
    Py_XDECREF(conflicts);
    return tuple;
}

/* Both sides changed the same tables: the exception carries what the result says. */
static void raise_conflict(struct native_state *state, struct native_call *call,
                           const struct armi_merge_result *result)
{
    native_raise(state, call->status, &call->err);
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *tuple = merge_tuple(result);
    if (tuple == NULL || value == NULL ||
        PyObject_SetAttrString(value, "_result", tuple) != 0)
        PyErr_Clear();
    Py_XDECREF(tuple);
    PyErr_Restore(type, value, traceback);
}

PyObject *repository_merge(PyObject *self, PyObject *args)
{
    struct native_state *state = native_state_of(self);
    struct armi_merge_options options = {.size = sizeof options,
                                         .callbacks = native_callbacks()};
    struct armi_merge_result result = {.size = sizeof result};
    int prefer, dry_run;
    if (!PyArg_ParseTuple(args, "szzzip:merge", &options.from, &options.into,
                          &options.message, &options.author, &prefer, &dry_run))
        return NULL;
    options.prefer = (enum armi_merge_prefer)prefer;
    options.dry_run = dry_run;
    struct native_call call;
    native_call_begin(&call);
    call.status = armi_merge(native_repository(self), &options, &result, &call.err);
    native_call_end(&call);
    PyObject *tuple = NULL;
    if (call.status == ARMI_MERGE_CONFLICT && call.raised_type == NULL)
        raise_conflict(state, &call, &result);
    else if (native_call_check(state, &call) == 0)
        tuple = merge_tuple(&result);
    if (call.status == ARMI_OK || call.status == ARMI_MERGE_CONFLICT)
        armi_merge_result_release(&result);
    return tuple;
}
