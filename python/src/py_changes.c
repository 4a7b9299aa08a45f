/*
 * The change feed.
 */
#include "py_native.h"

struct py_changes {
    PyObject_HEAD
    struct armi_changes *changes;
    bool busy; /* a thread is in next() */
};

PyObject *native_changes_new(struct native_state *state, PyObject *repository,
                             const struct armi_changes_options *options)
{
    struct py_changes *self = native_new(state->changes_type);
    struct native_call call;
    if (self != NULL && NATIVE_RUN(state, call,
                                   armi_changes_open(native_repository(repository), options,
                                                     &self->changes, &call.err)) != 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* (ref, since, since_now, tables) */
PyObject *repository_changes(PyObject *self, PyObject *args)
{
    struct armi_changes_options options = {.size = sizeof options};
    struct native_name_array tables;
    PyObject *names;
    int since_now;
    if (!PyArg_ParseTuple(args, "zzpO:changes", &options.ref, &options.since, &since_now,
                          &names) ||
        native_name_array_init(&tables, names) != 0)
        return NULL;
    options.since_now = since_now;
    options.tables = tables.names;
    options.table_count = tables.count;
    PyObject *changes = native_changes_new(native_state_of(self), self, &options);
    native_name_array_release(&tables);
    return changes;
}

static PyObject *change_tuple(const struct armi_change *change)
{
    PyObject *commit = native_hash(&change->commit);
    PyObject *old_version = native_number_or_none(change->old_version);
    PyObject *new_version = native_number_or_none(change->new_version);
    PyObject *tuple = NULL;
    if (commit != NULL && old_version != NULL && new_version != NULL)
        tuple = Py_BuildValue("(OssOOLss)", commit, change->table, armi_op_name(change->op),
                              old_version, new_version, (long long)change->time_us,
                              change->author, change->message);
    Py_XDECREF(commit);
    Py_XDECREF(old_version);
    Py_XDECREF(new_version);
    return tuple;
}

static PyObject *changes_next(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct py_changes *changes = (struct py_changes *)self;
    struct native_state *state = native_state_of(self);
    struct armi_change change;
    bool has = false;
    if (changes->busy) {
        native_raise_message(state, ARMI_MISUSE, "the feed is in use by another thread");
        return NULL;
    }
    changes->busy = true;
    struct native_call call;
    int failed = NATIVE_RUN(state, call,
                            armi_changes_next(changes->changes, &change, &has, &call.err));
    PyObject *tuple = NULL;
    if (!failed)
        tuple = has ? change_tuple(&change) : Py_NewRef(Py_None);
    changes->busy = false;
    return tuple;
}

static PyObject *changes_since(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct armi_hash hash = {{0}};
    if (!armi_changes_since(((struct py_changes *)self)->changes, &hash))
        Py_RETURN_NONE;
    return native_hash(&hash);
}

static void changes_dealloc(PyObject *self)
{
    struct armi_changes *changes = ((struct py_changes *)self)->changes;
    if (changes != NULL) {
        Py_BEGIN_ALLOW_THREADS armi_changes_close(changes);
        Py_END_ALLOW_THREADS
    }
    native_free(self);
}

static PyMethodDef changes_methods[] = {
    {"next", changes_next, METH_NOARGS, "The next change, or None when there is none yet."},
    {"since", changes_since, METH_NOARGS, "The last commit that was delivered whole."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot changes_slots[] = {
    {Py_tp_dealloc, changes_dealloc},
    {Py_tp_methods, changes_methods},
    {0, NULL},
};

PyType_Spec native_changes_spec = {
    .name = "armillaria._native.Changes",
    .basicsize = sizeof(struct py_changes),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = changes_slots,
};
