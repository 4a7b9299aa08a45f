/*
 * Transactions. The library's object is for one thread at a time; since the interpreter lock
 * is released in its calls, a second thread (or a data stream that calls back) is refused here.
 */
#include "py_native.h"

#include <string.h>

struct py_transaction {
    PyObject_HEAD
    PyObject *repository; /* keeps the handle open */
    struct armi_transaction *tx;
    bool busy;
};

/* ---- life ---- */

PyObject *native_transaction_new(struct native_state *state, PyObject *repository,
                                 const char *branch)
{
    struct py_transaction *self = native_new(state->transaction_type);
    struct native_call call;
    if (self == NULL)
        return NULL;
    self->repository = Py_NewRef(repository);
    if (NATIVE_RUN(state, call,
                   armi_transaction_begin(native_repository(repository), branch, &self->tx,
                                          &call.err)) != 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void transaction_dealloc(PyObject *self)
{
    struct py_transaction *transaction = (struct py_transaction *)self;
    if (transaction->tx != NULL) {
        Py_BEGIN_ALLOW_THREADS armi_transaction_free(transaction->tx);
        Py_END_ALLOW_THREADS
    }
    Py_XDECREF(transaction->repository);
    native_free(self);
}

static int transaction_enter(PyObject *self)
{
    struct py_transaction *transaction = (struct py_transaction *)self;
    if (!transaction->busy) {
        transaction->busy = true;
        return 0;
    }
    native_raise_message(native_state_of(self), ARMI_MISUSE,
                         "the transaction is in use by another call");
    return -1;
}

int native_transaction_enter(struct native_state *state, PyObject *object,
                             struct armi_transaction **out)
{
    if (Py_TYPE(object) != state->transaction_type) {
        PyErr_SetString(PyExc_TypeError, "a transaction is needed");
        return -1;
    }
    if (transaction_enter(object) != 0)
        return -1;
    *out = ((struct py_transaction *)object)->tx;
    return 0;
}

void native_transaction_leave(PyObject *object)
{
    ((struct py_transaction *)object)->busy = false;
}

/* Runs one call on the transaction and turns its answer into None or an exception. */
#define TRANSACTION_RUN(self, call, expression)                                            \
    (transaction_enter(self) != 0                                                          \
         ? -1                                                                              \
         : (native_call_begin(&(call)), (call).status = (expression),                      \
            native_call_end(&(call)), native_transaction_leave(self),                      \
            native_call_check(native_state_of(self), &(call))))

static struct armi_transaction *tx_of(PyObject *self)
{
    return ((struct py_transaction *)self)->tx;
}

/* ---- what the commit will say ---- */

static PyObject *transaction_set_message(PyObject *self, PyObject *args)
{
    const char *text;
    struct native_call call;
    if (!PyArg_ParseTuple(args, "s:set_message", &text) ||
        TRANSACTION_RUN(self, call,
                        armi_transaction_set_message(tx_of(self), text, &call.err)) != 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *transaction_set_author(PyObject *self, PyObject *args)
{
    const char *text;
    struct native_call call;
    if (!PyArg_ParseTuple(args, "s:set_author", &text) ||
        TRANSACTION_RUN(self, call,
                        armi_transaction_set_author(tx_of(self), text, &call.err)) != 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *transaction_set_metadata(PyObject *self, PyObject *args)
{
    const char *key, *value;
    struct native_call call;
    if (!PyArg_ParseTuple(args, "ss:set_metadata", &key, &value) ||
        TRANSACTION_RUN(
            self, call,
            armi_transaction_set_metadata(tx_of(self), key, value, &call.err)) != 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *transaction_set_txid(PyObject *self, PyObject *args)
{
    const char *bytes;
    Py_ssize_t size;
    struct native_call call;
    if (!PyArg_ParseTuple(args, "y#:set_txid", &bytes, &size))
        return NULL;
    if (size != 16) {
        PyErr_SetString(PyExc_ValueError, "a transaction id has 16 bytes");
        return NULL;
    }
    if (TRANSACTION_RUN(
            self, call,
            armi_transaction_set_txid(tx_of(self), (const uint8_t *)bytes, &call.err)) != 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *transaction_set_expected(PyObject *self, PyObject *args)
{
    struct armi_hash commit;
    const char *text;
    Py_ssize_t size;
    struct native_call call;
    if (!PyArg_ParseTuple(args, "s#:set_expected", &text, &size))
        return NULL;
    if (!armi_hash_parse(text, (size_t)size, &commit)) {
        PyErr_SetString(PyExc_ValueError, "a commit id has 64 hex digits");
        return NULL;
    }
    if (TRANSACTION_RUN(self, call,
                        armi_transaction_set_expected(tx_of(self), &commit, &call.err)) !=
        0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- operations ---- */

PyObject *native_write_result(const struct armi_write_result *result)
{
    typedef unsigned long long number;
    PyObject *version = native_number_or_none(result->version);
    PyObject *commit = native_hash_or_none(&result->commit);
    PyObject *tuple = NULL;
    if (version != NULL && commit != NULL)
        tuple = Py_BuildValue("(sOOOKKKKKKKKKd)", result->table, version, commit,
                              result->changed ? Py_True : Py_False, (number)result->rows,
                              (number)result->rows_total, (number)result->ranges,
                              (number)result->chunks_written, (number)result->chunks_reused,
                              (number)result->bytes_written, (number)result->bytes_reused,
                              (number)result->columns_encoded,
                              (number)result->columns_shared, result->seconds);
    Py_XDECREF(version);
    Py_XDECREF(commit);
    return tuple;
}

/* (table, stream capsule, mode, schema_mode, key, chunk_rows, blind) */
static PyObject *transaction_write(PyObject *self, PyObject *args)
{
    struct armi_write_options options = {.size = sizeof options,
                                         .callbacks = native_callbacks()};
    struct armi_write_result result = {.size = sizeof result};
    struct ArrowArrayStream data;
    struct native_name_array key;
    const char *table;
    PyObject *capsule, *names;
    int mode, schema_mode, blind;
    unsigned long long chunk_rows;
    if (!PyArg_ParseTuple(args, "sOiiOKp:write", &table, &capsule, &mode, &schema_mode,
                          &names, &chunk_rows, &blind) ||
        native_name_array_init(&key, names) != 0)
        return NULL;
    options.mode = (enum armi_write_mode)mode;
    options.schema_mode = (enum armi_schema_mode)schema_mode;
    options.key = key.names;
    options.key_count = key.count;
    options.chunk_rows = chunk_rows;
    options.blind = blind;
    struct native_call call;
    int failed = -1;
    if (transaction_enter(self) == 0) {
        if (native_stream_take(capsule, &data) == 0)
            failed = NATIVE_RUN(native_state_of(self), call,
                                armi_transaction_write(tx_of(self), table, &data, &options,
                                                       &result, &call.err));
        native_transaction_leave(self);
    }
    native_name_array_release(&key);
    return failed ? NULL : native_write_result(&result);
}

static PyObject *transaction_drop(PyObject *self, PyObject *args)
{
    const char *table;
    struct native_call call;
    if (!PyArg_ParseTuple(args, "s:drop", &table) ||
        TRANSACTION_RUN(self, call, armi_transaction_drop(tx_of(self), table, &call.err)) !=
            0)
        return NULL;
    Py_RETURN_NONE;
}

/* ---- the end ---- */

static PyObject *transaction_commit(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct armi_hash commit = {{0}};
    struct native_call call;
    if (TRANSACTION_RUN(self, call,
                        armi_transaction_commit(tx_of(self), &commit, &call.err)) != 0)
        return NULL;
    return native_hash_or_none(&commit);
}

static PyObject *transaction_abort(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct native_call call;
    if (TRANSACTION_RUN(self, call, (armi_transaction_abort(tx_of(self)), ARMI_OK)) != 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *transaction_active(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return native_bool(armi_transaction_is_active(tx_of(self)));
}

static PyObject *transaction_branch(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return PyUnicode_FromString(armi_transaction_branch(tx_of(self)));
}

static PyObject *transaction_snapshot(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    const struct armi_hash snapshot = armi_transaction_snapshot(tx_of(self));
    return native_hash_or_none(&snapshot);
}

static PyObject *transaction_results(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    PyObject *list = PyList_New(0);
    size_t count = armi_transaction_result_count(tx_of(self));
    for (size_t i = 0; i < count && list != NULL; i++) {
        struct armi_write_result result = {.size = sizeof result};
        struct native_call call;
        if (TRANSACTION_RUN(self, call,
                            armi_transaction_result(tx_of(self), i, &result, &call.err)) !=
                0 ||
            !native_list_add(list, native_write_result(&result)))
            Py_CLEAR(list);
    }
    return list;
}

static PyMethodDef transaction_methods[] = {
    {"set_message", transaction_set_message, METH_VARARGS, NULL},
    {"set_author", transaction_set_author, METH_VARARGS, NULL},
    {"set_metadata", transaction_set_metadata, METH_VARARGS, NULL},
    {"set_txid", transaction_set_txid, METH_VARARGS, NULL},
    {"set_expected", transaction_set_expected, METH_VARARGS, NULL},
    {"write", transaction_write, METH_VARARGS, NULL},
    {"drop", transaction_drop, METH_VARARGS, NULL},
    {"commit", transaction_commit, METH_NOARGS, NULL},
    {"abort", transaction_abort, METH_NOARGS, NULL},
    {"active", transaction_active, METH_NOARGS, NULL},
    {"branch", transaction_branch, METH_NOARGS, NULL},
    {"snapshot", transaction_snapshot, METH_NOARGS, NULL},
    {"results", transaction_results, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot transaction_slots[] = {
    {Py_tp_dealloc, transaction_dealloc},
    {Py_tp_methods, transaction_methods},
    {0, NULL},
};

PyType_Spec native_transaction_spec = {
    .name = "armillaria._native.Transaction",
    .basicsize = sizeof(struct py_transaction),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = transaction_slots,
};
