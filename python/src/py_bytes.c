/*
 * Bytes in both directions: those of the library as bytes objects and as read-only buffers,
 * those of Python as armi_bytes that keep their exporter alive.
 */
#include "py_native.h"

#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

struct py_buffer {
    PyObject_HEAD
    struct armi_bytes bytes;
};

PyObject *native_buffer_new(struct native_state *state, struct armi_bytes *moved)
{
    struct py_buffer *self = native_new(state->buffer_type);
    if (self == NULL) {
        armi_bytes_release(moved);
        return NULL;
    }
    self->bytes = *moved;
    *moved = (struct armi_bytes)ARMI_BYTES_INIT;
    return (PyObject *)self;
}

/* Large objects are fresh memory, and a fault every 4 KiB costs more than filling them. */
static void advise_huge(char *data, size_t size)
{
#ifdef MADV_HUGEPAGE
    char *end = data + size - (uintptr_t)(data + size) % HUGE_PAGE;
    data += (HUGE_PAGE - (uintptr_t)data % HUGE_PAGE) % HUGE_PAGE;
    if (data < end)
        (void)madvise(data, (size_t)(end - data), MADV_HUGEPAGE);
#else
    (void)data;
    (void)size;
#endif
}

PyObject *native_bytes_new(size_t size)
{
    if (size > PY_SSIZE_T_MAX)
        return PyErr_NoMemory();
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (bytes != NULL && size >= 2 * HUGE_PAGE)
        advise_huge(PyBytes_AsString(bytes), size);
    return bytes;
}

PyObject *native_bytes(struct armi_bytes *moved)
{
    PyObject *bytes = native_bytes_new(moved->size);
    if (bytes != NULL && moved->size > 0) {
        char *to = PyBytes_AsString(bytes);
        Py_BEGIN_ALLOW_THREADS /* nobody else has the object yet */
            memcpy(to, moved->data, moved->size);
        Py_END_ALLOW_THREADS
    }
    armi_bytes_release(moved);
    return bytes;
}

static int buffer_get(PyObject *self, Py_buffer *view, int flags)
{
    struct armi_bytes *bytes = &((struct py_buffer *)self)->bytes;
    return PyBuffer_FillInfo(view, self, (void *)(uintptr_t)bytes->data,
                             (Py_ssize_t)bytes->size, 1, flags);
}

static Py_ssize_t buffer_length(PyObject *self)
{
    return (Py_ssize_t)((struct py_buffer *)self)->bytes.size;
}

static void buffer_dealloc(PyObject *self)
{
    armi_bytes_release(&((struct py_buffer *)self)->bytes);
    native_free(self);
}

static PyType_Slot buffer_slots[] = {
    {Py_tp_dealloc, buffer_dealloc},
    {Py_bf_getbuffer, buffer_get},
    {Py_sq_length, buffer_length},
    {Py_tp_doc, (void *)(uintptr_t) "A read-only buffer; memoryview() gives its bytes."},
    {0, NULL},
};

PyType_Spec native_buffer_spec = {
    .name = "armillaria._native.Buffer",
    .basicsize = sizeof(struct py_buffer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = buffer_slots,
};

/* ---- Python's bytes for the library ---- */

/* May run on any thread, with or without the interpreter lock. When the interpreter is gone
 * already there is nothing left to release. */
static void exporter_release(struct armi_bytes *bytes)
{
    Py_buffer *view = bytes->private_data;
    if (!Py_IsInitialized())
        return;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyBuffer_Release(view);
    native_release(view);
    PyGILState_Release(gil);
}

/* Bytes that nobody lent: the promise of armi_bytes is a pointer that is never NULL. */
static const uint8_t nothing[64];

int native_bytes_of(PyObject *object, struct armi_bytes *out)
{
    Py_buffer *view = native_malloc(sizeof *view);
    if (view == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (PyObject_GetBuffer(object, view, PyBUF_SIMPLE) != 0) {
        native_release(view);
        return -1;
    }
    out->data = view->len > 0 ? view->buf : nothing;
    out->size = (size_t)view->len;
    out->release = exporter_release;
    out->private_data = view;
    return 0;
}
