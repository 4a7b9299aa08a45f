/*
 * Small values: hashes as hex, names, lists.
 */
#include "py_native.h"

#include <stdlib.h>
#include <string.h>

struct native_state *native_state_of(PyObject *self)
{
    return PyType_GetModuleState(Py_TYPE(self));
}

PyObject *native_hash(const struct armi_hash *hash)
{
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(hash, hex);
    return PyUnicode_FromStringAndSize(hex, ARMI_HASH_HEX_SIZE - 1);
}

PyObject *native_hash_or_none(const struct armi_hash *hash)
{
    static const struct armi_hash zero = {{0}};
    if (memcmp(hash, &zero, sizeof zero) == 0)
        Py_RETURN_NONE;
    return native_hash(hash);
}

PyObject *native_number_or_none(uint64_t number)
{
    if (number == 0)
        Py_RETURN_NONE;
    return PyLong_FromUnsignedLongLong(number);
}

PyObject *native_bool(bool value)
{
    return PyBool_FromLong(value);
}

PyObject *native_names(const char *const *names, size_t count)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; i < count && list != NULL; i++)
        if (!native_list_add(list, PyUnicode_FromString(names[i])))
            Py_CLEAR(list);
    return list;
}

int native_name_array_init(struct native_name_array *array, PyObject *sequence)
{
    memset(array, 0, sizeof *array);
    if (sequence == Py_None)
        return 0;
    array->owner = PySequence_Tuple(sequence);
    if (array->owner == NULL)
        return -1;
    Py_ssize_t count = PyTuple_Size(array->owner);
    array->names = PyMem_Calloc(count > 0 ? (size_t)count : 1, sizeof *array->names);
    if (array->names == NULL) {
        PyErr_NoMemory();
        goto failed;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GetItem(array->owner, i);
        array->names[i] = item != NULL ? PyUnicode_AsUTF8AndSize(item, NULL) : NULL;
        if (array->names[i] == NULL)
            goto failed;
    }
    array->count = (size_t)count;
    return 0;
failed:
    native_name_array_release(array);
    return -1;
}

void native_name_array_release(struct native_name_array *array)
{
    PyMem_Free(array->names);
    Py_CLEAR(array->owner);
    array->names = NULL;
}

bool native_list_add(PyObject *list, PyObject *item)
{
    if (item == NULL)
        return false;
    int failed = PyList_Append(list, item);
    Py_DECREF(item);
    return failed == 0;
}

void *native_malloc(size_t size)
{
    return realloc(NULL, size > 0 ? size : 1);
}

void *native_calloc(size_t count, size_t size)
{
    return calloc(count > 0 ? count : 1, size);
}

void *native_realloc(void *memory, size_t size)
{
    return realloc(memory, size > 0 ? size : 1);
}

void native_release(void *memory)
{
    free(memory);
}

void *native_new(PyTypeObject *type)
{
    allocfunc alloc = PyType_GetSlot(type, Py_tp_alloc);
    return alloc(type, 0);
}

void native_free(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}
