/*
 * Errors of the library as exceptions. The classes are written in Python
 * (armillaria/errors.py), which makes the instance from the parts of the error.
 */
#include "py_native.h"

#include <string.h>

/* Text of the library is UTF-8, save where it quotes bytes that never were. */
static PyObject *text_of(const char *text)
{
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

static PyObject *error_make(struct native_state *state, enum armi_status status,
                            const struct armi_error *err)
{
    PyObject *message = text_of(err->message);
    PyObject *kind = text_of(err->kind);
    PyObject *name = text_of(err->name);
    PyObject *branch = text_of(err->branch);
    PyObject *commit = native_hash_or_none(&err->commit);
    PyObject *error = NULL;
    if (message != NULL && kind != NULL && name != NULL && branch != NULL && commit != NULL)
        error =
            PyObject_CallFunction(state->make_error, "siOOOOO", armi_status_name(status),
                                  err->sys_errno, message, kind, name, branch, commit);
    Py_XDECREF(message);
    Py_XDECREF(kind);
    Py_XDECREF(name);
    Py_XDECREF(branch);
    Py_XDECREF(commit);
    return error;
}

void native_raise(struct native_state *state, enum armi_status status,
                  const struct armi_error *err)
{
    if (status == ARMI_NO_MEMORY) {
        PyErr_NoMemory();
        return;
    }
    PyObject *error = error_make(state, status, err);
    if (error == NULL)
        return;
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_DECREF(error);
}

void native_raise_message(struct native_state *state, enum armi_status status,
                          const char *message)
{
    struct armi_error err = ARMI_ERROR_INIT;
    PyOS_snprintf(err.message, sizeof err.message, "%s", message);
    native_raise(state, status, &err);
}
