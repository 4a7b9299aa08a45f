/*
 * Rows as text, the way CSV writes values: for the terminal, without an Arrow library.
 */
#include "py_native.h"

#include <string.h>

/* Unions and run ends have no bitmap of their own: their nulls are written as nothing. */
static bool is_null(const struct ArrowSchema *schema, const struct ArrowArray *array,
                    int64_t index)
{
    if (strcmp(schema->format, "n") == 0)
        return true;
    if (array->n_buffers == 0 || strncmp(schema->format, "+u", 2) == 0)
        return false;
    const uint8_t *bits = array->buffers[0];
    const int64_t bit = array->offset + index;
    return bits != NULL && (bits[bit / 8] >> (bit % 8) & 1) == 0;
}

static PyObject *value_text(const struct ArrowSchema *schema,
                            const struct ArrowArray *array, int64_t index)
{
    char few[256];
    if (is_null(schema, array, index))
        Py_RETURN_NONE;
    size_t size = armi_value_format(schema, array, index, few, sizeof few);
    if (size < sizeof few)
        return PyUnicode_DecodeUTF8(few, (Py_ssize_t)size, "replace");
    char *many = native_malloc(size + 1);
    if (many == NULL)
        return PyErr_NoMemory();
    armi_value_format(schema, array, index, many, size + 1);
    PyObject *text = PyUnicode_DecodeUTF8(many, (Py_ssize_t)size, "replace");
    native_release(many);
    return text;
}

static PyObject *row_texts(const struct ArrowSchema *schema, const struct ArrowArray *array,
                           int64_t row)
{
    PyObject *list = PyList_New(0);
    for (int64_t c = 0; c < schema->n_children && list != NULL; c++)
        if (!native_list_add(list, value_text(schema->children[c], array->children[c],
                                              array->offset + row)))
            Py_CLEAR(list);
    return list;
}

PyObject *native_texts(const struct ArrowSchema *schema, const struct ArrowArray *array,
                       int64_t max_rows)
{
    int64_t rows = array->length < max_rows ? array->length : max_rows;
    PyObject *list = PyList_New(0);
    for (int64_t row = 0; row < rows && list != NULL; row++)
        if (!native_list_add(list, row_texts(schema, array, row)))
            Py_CLEAR(list);
    return list;
}
