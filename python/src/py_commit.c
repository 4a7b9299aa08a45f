/*
 * Commits: the log, and one of them.
 */
#include "py_native.h"

static PyObject *parents_list(const struct armi_commit_info *info)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; i < info->parent_count && list != NULL; i++)
        if (!native_list_add(list, native_hash(&info->parents[i])))
            Py_CLEAR(list);
    return list;
}

static PyObject *metadata_list(const struct armi_commit_info *info)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; i < info->metadata_count && list != NULL; i++)
        if (!native_list_add(list, Py_BuildValue("(ss)", info->metadata[i].key,
                                                 info->metadata[i].value)))
            Py_CLEAR(list);
    return list;
}

static PyObject *change_tuple(const struct armi_table_change *change)
{
    PyObject *old_version = native_number_or_none(change->old_version);
    PyObject *new_version = native_number_or_none(change->new_version);
    PyObject *tuple = NULL;
    if (old_version != NULL && new_version != NULL)
        tuple = Py_BuildValue(
            "(ssOOKK)", change->table, armi_op_name(change->op), old_version, new_version,
            (unsigned long long)change->old_rows, (unsigned long long)change->new_rows);
    Py_XDECREF(old_version);
    Py_XDECREF(new_version);
    return tuple;
}

static PyObject *changes_list(const struct armi_commit_info *info)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; i < info->table_count && list != NULL; i++)
        if (!native_list_add(list, change_tuple(&info->tables[i])))
            Py_CLEAR(list);
    return list;
}

static PyObject *commit_tuple(const struct armi_commit_info *info)
{
    PyObject *commit = native_hash(&info->commit);
    PyObject *parents = parents_list(info);
    PyObject *metadata = metadata_list(info);
    PyObject *tables = changes_list(info);
    PyObject *tuple = NULL;
    if (commit != NULL && parents != NULL && metadata != NULL && tables != NULL)
        tuple = Py_BuildValue("(OOsLsOOO)", commit, parents, info->author,
                              (long long)info->time_us, info->message, metadata, tables,
                              info->layout_only ? Py_True : Py_False);
    Py_XDECREF(commit);
    Py_XDECREF(parents);
    Py_XDECREF(metadata);
    Py_XDECREF(tables);
    return tuple;
}

static PyObject *commits_list(const struct armi_commit_list *commits)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; i < commits->count && list != NULL; i++)
        if (!native_list_add(list, commit_tuple(&commits->items[i])))
            Py_CLEAR(list);
    return list;
}

PyObject *repository_log(PyObject *self, PyObject *args)
{
    struct armi_log_options options = {.size = sizeof options};
    struct armi_commit_list commits = {.size = sizeof commits};
    unsigned long long limit;
    if (!PyArg_ParseTuple(args, "zzK:log", &options.ref, &options.table, &limit))
        return NULL;
    options.limit = limit;
    struct native_call call;
    int failed =
        NATIVE_RUN(native_state_of(self), call,
                   armi_commit_log(native_repository(self), &options, &commits, &call.err));
    PyObject *list = failed ? NULL : commits_list(&commits);
    armi_commit_list_release(&commits);
    return list;
}

PyObject *repository_show(PyObject *self, PyObject *args)
{
    struct armi_commit_list commits = {.size = sizeof commits};
    const char *ref;
    if (!PyArg_ParseTuple(args, "s:show", &ref))
        return NULL;
    struct native_call call;
    int failed =
        NATIVE_RUN(native_state_of(self), call,
                   armi_commit_get(native_repository(self), ref, &commits, &call.err));
    PyObject *commit = failed ? NULL : commit_tuple(&commits.items[0]);
    armi_commit_list_release(&commits);
    return commit;
}
