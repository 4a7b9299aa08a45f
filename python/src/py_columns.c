/*
 * Small tables made of Python values: what the package itself reports as rows (conflicts, the
 * change log) without needing an Arrow library. Three types are enough: text, whole numbers,
 * times.
 */
#include "py_native.h"

#include <limits.h>
#include <string.h>

/* ---- schemas ---- */

static void schema_release(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (schema->children[i]->release != NULL)
            schema->children[i]->release(schema->children[i]);
        native_release(schema->children[i]);
    }
    native_release(schema->children);
    native_release(schema->private_data); /* the name */
    memset(schema, 0, sizeof *schema);
}

static int schema_make(const char *format, const char *name, size_t children,
                       struct ArrowSchema *out)
{
    size_t size = strlen(name) + 1;
    memset(out, 0, sizeof *out);
    char *copy = native_malloc(size);
    out->children = native_calloc(children + 1, sizeof *out->children);
    if (copy == NULL || out->children == NULL) {
        native_release(copy);
        native_release(out->children);
        return -1;
    }
    memcpy(copy, name, size);
    out->format = format;
    out->name = copy;
    out->flags = ARROW_FLAG_NULLABLE;
    out->private_data = copy;
    out->release = schema_release;
    return 0;
}

/* ---- arrays ---- */

static void array_release(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release != NULL)
            array->children[i]->release(array->children[i]);
        native_release(array->children[i]);
    }
    for (int64_t i = 0; i < array->n_buffers; i++)
        native_release((void *)(uintptr_t)array->buffers[i]);
    native_release(array->children);
    native_release(array->buffers);
    memset(array, 0, sizeof *array);
}

/* Buffers of the sizes given, zeroed; a size of 0 leaves the buffer out. */
static int array_make(size_t length, const size_t *sizes, size_t buffers, size_t children,
                      struct ArrowArray *out)
{
    memset(out, 0, sizeof *out);
    out->length = (int64_t)length;
    out->release = array_release;
    out->buffers = native_calloc(buffers, sizeof *out->buffers);
    out->children = native_calloc(children + 1, sizeof *out->children);
    bool whole = out->buffers != NULL && out->children != NULL;
    for (size_t i = 0; i < buffers && whole; i++) {
        out->buffers[i] = sizes[i] != 0 ? native_calloc(1, sizes[i]) : NULL;
        out->n_buffers++;
        whole = out->buffers[i] != NULL || sizes[i] == 0;
    }
    if (whole)
        return 0;
    array_release(out);
    PyErr_NoMemory();
    return -1;
}

static uint8_t *buffer_of(struct ArrowArray *array, int index)
{
    return (uint8_t *)(uintptr_t)array->buffers[index];
}

static void valid_set(struct ArrowArray *array, size_t row)
{
    buffer_of(array, 0)[row / 8] |= (uint8_t)(1u << (row % 8));
}

static int numbers_fill(PyObject *values, size_t rows, struct ArrowArray *array)
{
    for (size_t i = 0; i < rows; i++) {
        PyObject *value = PyTuple_GetItem(values, (Py_ssize_t)i);
        if (value == Py_None) {
            array->null_count++;
            continue;
        }
        int64_t number = value != NULL ? PyLong_AsLongLong(value) : 0;
        if (PyErr_Occurred())
            return -1;
        memcpy(buffer_of(array, 1) + i * sizeof number, &number, sizeof number);
        valid_set(array, i);
    }
    return 0;
}

static int texts_size(PyObject *values, size_t rows, size_t *out)
{
    *out = 0;
    for (size_t i = 0; i < rows; i++) {
        PyObject *value = PyTuple_GetItem(values, (Py_ssize_t)i);
        Py_ssize_t size = 0;
        if (value != Py_None && PyUnicode_AsUTF8AndSize(value, &size) == NULL)
            return -1;
        *out += (size_t)size;
    }
    if (*out <= INT32_MAX)
        return 0;
    PyErr_SetString(PyExc_OverflowError, "a column of texts is larger than 2 GiB");
    return -1;
}

static void texts_fill(PyObject *values, size_t rows, struct ArrowArray *array)
{
    int32_t end = 0;
    for (size_t i = 0; i < rows; i++) {
        PyObject *value = PyTuple_GetItem(values, (Py_ssize_t)i);
        Py_ssize_t size = 0;
        if (value != Py_None) {
            const char *text = PyUnicode_AsUTF8AndSize(value, &size);
            memcpy(buffer_of(array, 2) + end, text, (size_t)size);
            valid_set(array, i);
        } else {
            array->null_count++;
        }
        end += (int32_t)size;
        memcpy(buffer_of(array, 1) + (i + 1) * sizeof end, &end, sizeof end);
    }
}

static int column_make(const char *format, PyObject *values, size_t rows,
                       struct ArrowArray *out)
{
    size_t bits = rows / 8 + 1, text = 0;
    if (format[0] != 'u') {
        if (array_make(rows, (size_t[]){bits, rows * 8 + 8}, 2, 0, out) != 0)
            return -1;
        if (numbers_fill(values, rows, out) == 0)
            return 0;
        array_release(out);
        return -1;
    }
    if (texts_size(values, rows, &text) != 0 ||
        array_make(rows, (size_t[]){bits, (rows + 1) * 4, text + 1}, 3, 0, out) != 0)
        return -1;
    texts_fill(values, rows, out);
    return 0;
}

/* ---- a table ---- */

/* Only these formats are known; the pointer lives as long as the program. */
static const char *format_known(const char *format)
{
    static const char *const known[] = {"u", "l", "tsu:UTC"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(format, known[i]) == 0)
            return known[i];
    PyErr_Format(PyExc_ValueError, "unknown format %s", format);
    return NULL;
}

static int column_add(PyObject *column, size_t rows, struct ArrowSchema *schema,
                      struct ArrowArray *array)
{
    const char *name, *format;
    PyObject *values;
    if (!PyArg_ParseTuple(column, "ssO!", &name, &format, &PyTuple_Type, &values))
        return -1;
    format = format_known(format);
    if (format == NULL)
        return -1;
    if ((size_t)PyTuple_Size(values) != rows) {
        PyErr_SetString(PyExc_ValueError, "columns of different lengths");
        return -1;
    }
    struct ArrowSchema *field = native_calloc(1, sizeof *field);
    struct ArrowArray *child = native_calloc(1, sizeof *child);
    if (field == NULL || child == NULL || schema_make(format, name, 0, field) != 0) {
        native_release(field);
        native_release(child);
        PyErr_NoMemory();
        return -1;
    }
    schema->children[schema->n_children++] = field;
    if (column_make(format, values, rows, child) != 0) {
        native_release(child);
        return -1;
    }
    array->children[array->n_children++] = child;
    return 0;
}

/* (rows, [(name, format, values)…]) as Batches of one batch. */
PyObject *module_columns(PyObject *module, PyObject *args)
{
    struct ArrowSchema schema;
    Py_ssize_t rows;
    PyObject *columns;
    if (!PyArg_ParseTuple(args, "nO!:columns", &rows, &PyTuple_Type, &columns))
        return NULL;
    size_t count = (size_t)PyTuple_Size(columns);
    struct ArrowArray *array = native_calloc(1, sizeof *array);
    if (array == NULL || schema_make("+s", "", count, &schema) != 0) {
        native_release(array);
        return PyErr_NoMemory();
    }
    int failed = array_make((size_t)rows, (size_t[]){0}, 1, count, array);
    for (size_t i = 0; i < count && !failed; i++)
        failed = column_add(PyTuple_GetItem(columns, (Py_ssize_t)i), (size_t)rows, &schema,
                            array);
    if (!failed)
        return native_batches_new(PyModule_GetState(module), &schema, array, 1);
    if (array->release != NULL)
        array->release(array);
    native_release(array);
    schema.release(&schema);
    return NULL;
}
