/*
 * Streams that can be taken once: what the library opened, on its way to a consumer. Pulled
 * here (collect, next, count) the interpreter lock is released, Ctrl-C works, and errors
 * keep their class; a foreign consumer gets the stream itself as a capsule.
 */
#include "py_native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct py_stream {
    PyObject_HEAD
    struct ArrowArrayStream stream; /* release NULL: taken */
    bool busy;                      /* a thread is pulling */
};

/* ---- capsules ---- */

static void capsule_free(PyObject *capsule)
{
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    if (stream->release != NULL)
        stream->release(stream);
    native_release(stream);
}

PyObject *native_stream_capsule(struct ArrowArrayStream *moved)
{
    struct ArrowArrayStream *stream = native_malloc(sizeof *stream);
    PyObject *capsule = NULL;
    if (stream != NULL) {
        *stream = *moved;
        capsule = PyCapsule_New(stream, "arrow_array_stream", capsule_free);
    } else {
        PyErr_NoMemory();
    }
    if (capsule == NULL) {
        native_release(stream);
        moved->release(moved);
    }
    moved->release = NULL;
    return capsule;
}

int native_stream_take(PyObject *capsule, struct ArrowArrayStream *out)
{
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    if (stream == NULL)
        return -1;
    if (stream->release == NULL) {
        PyErr_SetString(PyExc_ValueError, "the Arrow stream was already consumed");
        return -1;
    }
    *out = *stream;
    stream->release = NULL;
    return 0;
}

/* ---- pulling ---- */

/* Turns the answer of a stream's function into a status with its whole error. */
static enum armi_status stream_status(struct ArrowArrayStream *stream, int code,
                                      struct armi_error *err)
{
    if (code == 0)
        return ARMI_OK;
    struct armi_error last = ARMI_ERROR_INIT;
    if (armi_scan_last_error(stream, &last) == ARMI_OK && last.status != ARMI_OK) {
        *err = last;
        return last.status;
    }
    const char *message = stream->get_last_error(stream);
    err->status = code == ENOMEM ? ARMI_NO_MEMORY : ARMI_INVALID;
    PyOS_snprintf(err->message, sizeof err->message, "%s",
                  message != NULL ? message : strerror(code));
    return err->status;
}

static int stream_enter(PyObject *self)
{
    struct py_stream *stream = (struct py_stream *)self;
    if (stream->stream.release != NULL && !stream->busy) {
        stream->busy = true;
        return 0;
    }
    native_raise_message(native_state_of(self), ARMI_MISUSE,
                         stream->busy ? "the stream is in use by another thread"
                                      : "the stream was already consumed");
    return -1;
}

struct pulled {
    struct ArrowSchema schema;
    struct ArrowArray *arrays;
    size_t count, capacity;
};

static void pulled_release(struct pulled *pulled)
{
    for (size_t i = 0; i < pulled->count; i++)
        pulled->arrays[i].release(&pulled->arrays[i]);
    native_release(pulled->arrays);
    if (pulled->schema.release != NULL)
        pulled->schema.release(&pulled->schema);
}

static enum armi_status pulled_add(struct pulled *pulled, const struct ArrowArray *array)
{
    if (pulled->count == pulled->capacity) {
        size_t capacity = pulled->capacity != 0 ? pulled->capacity * 2 : 4;
        void *arrays = native_realloc(pulled->arrays, capacity * sizeof *pulled->arrays);
        if (arrays == NULL)
            return ARMI_NO_MEMORY;
        pulled->arrays = arrays;
        pulled->capacity = capacity;
    }
    pulled->arrays[pulled->count++] = *array;
    return ARMI_OK;
}

/* At most `max` batches, or all for 0. */
static enum armi_status pull(struct ArrowArrayStream *stream, size_t max,
                             struct pulled *pulled, struct armi_error *err)
{
    enum armi_status st =
        stream_status(stream, stream->get_schema(stream, &pulled->schema), err);
    while (st == ARMI_OK && (max == 0 || pulled->count < max)) {
        struct ArrowArray array = {0};
        st = stream_status(stream, stream->get_next(stream, &array), err);
        if (st != ARMI_OK || array.release == NULL)
            break;
        st = pulled_add(pulled, &array);
        if (st != ARMI_OK)
            array.release(&array);
    }
    return st;
}

static enum armi_status count_rows(struct ArrowArrayStream *stream, int64_t *rows,
                                   struct armi_error *err)
{
    for (*rows = 0;;) {
        struct ArrowArray array = {0};
        enum armi_status st = stream_status(stream, stream->get_next(stream, &array), err);
        if (st != ARMI_OK || array.release == NULL)
            return st;
        *rows += array.length;
        array.release(&array);
    }
}

static PyObject *stream_pull(PyObject *self, size_t max)
{
    struct py_stream *stream = (struct py_stream *)self;
    struct native_state *state = native_state_of(self);
    struct pulled pulled = {0};
    struct native_call call;
    if (stream_enter(self) != 0)
        return NULL;
    int failed = NATIVE_RUN(state, call, pull(&stream->stream, max, &pulled, &call.err));
    stream->busy = false;
    if (failed || (max != 0 && pulled.count == 0)) {
        pulled_release(&pulled);
        return failed ? NULL : Py_NewRef(Py_None);
    }
    return native_batches_new(state, &pulled.schema, pulled.arrays, pulled.count);
}

static PyObject *stream_collect(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return stream_pull(self, 0);
}

static PyObject *stream_next(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return stream_pull(self, 1);
}

static PyObject *stream_count(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct py_stream *stream = (struct py_stream *)self;
    int64_t rows = 0;
    struct native_call call;
    if (stream_enter(self) != 0)
        return NULL;
    int failed = NATIVE_RUN(native_state_of(self), call,
                            count_rows(&stream->stream, &rows, &call.err));
    stream->busy = false;
    return failed ? NULL : PyLong_FromLongLong(rows);
}

static PyObject *stream_schema(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct py_stream *stream = (struct py_stream *)self;
    struct native_state *state = native_state_of(self);
    struct ArrowSchema schema = {0};
    struct native_call call;
    if (stream_enter(self) != 0)
        return NULL;
    int failed = NATIVE_RUN(
        state, call,
        stream_status(&stream->stream, stream->stream.get_schema(&stream->stream, &schema),
                      &call.err));
    stream->busy = false;
    if (failed) {
        if (schema.release != NULL)
            schema.release(&schema);
        return NULL;
    }
    return native_schema_new(state, &schema);
}

static PyObject *stream_capsule(PyObject *self, PyObject *args)
{
    struct py_stream *stream = (struct py_stream *)self;
    PyObject *requested = Py_None;
    if (!PyArg_ParseTuple(args, "|O:__arrow_c_stream__", &requested) ||
        stream_enter(self) != 0)
        return NULL;
    stream->busy = false;
    return native_stream_capsule(&stream->stream);
}

/* ---- the type ---- */

PyObject *native_stream_new(struct native_state *state, struct ArrowArrayStream *moved)
{
    struct py_stream *self = native_new(state->stream_type);
    if (self == NULL) {
        moved->release(moved);
        return NULL;
    }
    self->stream = *moved;
    moved->release = NULL;
    return (PyObject *)self;
}

/* A stream of somebody else's, out of its capsule. */
PyObject *module_stream(PyObject *module, PyObject *capsule)
{
    struct ArrowArrayStream stream;
    if (native_stream_take(capsule, &stream) != 0)
        return NULL;
    return native_stream_new(PyModule_GetState(module), &stream);
}

static void stream_dealloc(PyObject *self)
{
    struct ArrowArrayStream *stream = &((struct py_stream *)self)->stream;
    if (stream->release != NULL)
        stream->release(stream);
    native_free(self);
}

static PyMethodDef stream_methods[] = {
    {"__arrow_c_stream__", stream_capsule, METH_VARARGS, NULL},
    {"collect", stream_collect, METH_NOARGS, "All batches, in memory."},
    {"next", stream_next, METH_NOARGS, "The next batch, or None at the end."},
    {"count", stream_count, METH_NOARGS,
     "The number of rows that are left; consumes them."},
    {"schema", stream_schema, METH_NOARGS, "The schema."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot stream_slots[] = {
    {Py_tp_dealloc, stream_dealloc},
    {Py_tp_methods, stream_methods},
    {0, NULL},
};

PyType_Spec native_stream_spec = {
    .name = "armillaria._native.Stream",
    .basicsize = sizeof(struct py_stream),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = stream_slots,
};
