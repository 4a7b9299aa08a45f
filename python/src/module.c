/*
 * The extension module armillaria._native: thin handles over the public C interface. What
 * users see is written in Python on top of it (python/armillaria/).
 */
#include "py_native.h"

struct type_entry {
    PyType_Spec *spec;
    size_t offset; /* of the pointer in the state */
};

#define TYPE(noun)                                                                         \
    {                                                                                      \
        &native_##noun##_spec, offsetof(struct native_state, noun##_type)                  \
    }

static const struct type_entry types[] = {
    TYPE(repository),     TYPE(transaction),  TYPE(changes), TYPE(chunk_store),
    TYPE(chunk_iterator), TYPE(buffer),       TYPE(stream),  TYPE(batches),
    TYPE(schema),         TYPE(parquet_file),
};

#define TYPE_COUNT (sizeof types / sizeof types[0])

static PyTypeObject **type_slot(struct native_state *state, size_t index)
{
    return (PyTypeObject **)((char *)state + types[index].offset);
}

static int module_exec(PyObject *module)
{
    struct native_state *state = PyModule_GetState(module);
    PyObject *errors = PyImport_ImportModule("armillaria.errors");
    if (errors == NULL)
        return -1;
    state->make_error = PyObject_GetAttrString(errors, "make_error");
    Py_DECREF(errors);
    if (state->make_error == NULL)
        return -1;
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        PyObject *type = PyType_FromModuleAndSpec(module, types[i].spec, NULL);
        if (type == NULL)
            return -1;
        *type_slot(state, i) = (PyTypeObject *)type;
        if (PyModule_AddType(module, (PyTypeObject *)type) != 0)
            return -1;
    }
    return PyModule_AddStringConstant(module, "version", armi_version());
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct native_state *state = PyModule_GetState(module);
    Py_VISIT(state->make_error);
    for (size_t i = 0; i < TYPE_COUNT; i++)
        Py_VISIT(*type_slot(state, i));
    return 0;
}

static int module_clear(PyObject *module)
{
    struct native_state *state = PyModule_GetState(module);
    Py_CLEAR(state->make_error);
    for (size_t i = 0; i < TYPE_COUNT; i++)
        Py_CLEAR(*type_slot(state, i));
    return 0;
}

static void module_free(void *module)
{
    module_clear(module);
}

static PyMethodDef module_methods[] = {
    {"open_repository", module_open_repository, METH_VARARGS, NULL},
    {"open_chunk_store", module_open_chunk_store, METH_VARARGS, NULL},
    {"parquet_open", module_parquet_open, METH_VARARGS, NULL},
    {"parquet_open_path", module_parquet_open_path, METH_VARARGS, NULL},
    {"parquet_encode", module_parquet_encode, METH_VARARGS, NULL},
    {"parquet_write", module_parquet_write, METH_VARARGS, NULL},
    {"schema", module_schema, METH_O, NULL},
    {"stream", module_stream, METH_O, NULL},
    {"batch", module_batch, METH_VARARGS, NULL},
    {"columns", module_columns, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "armillaria._native",
    .m_doc = "Handles over the C library. Use the package armillaria.",
    .m_size = sizeof(struct native_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__native(void);

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&module_def);
}
