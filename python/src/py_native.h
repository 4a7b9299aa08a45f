/*
 * What the files of the extension share: the module's state, the frame of a native call, and
 * the conversions between C and Python values. One file per noun; module.c puts them
 * together.
 *
 * Every type is a heap type that lives in the module's state, so that the extension can be
 * loaded by several interpreters. None of them holds a reference to anything that could
 * refer back to it, so none takes part in cyclic garbage collection. The limited API of
 * CPython 3.11 is all that is used.
 */
#ifndef ARMILLARIA_PY_NATIVE_H
#define ARMILLARIA_PY_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <armillaria/armillaria.h>

struct native_state {
    PyObject *make_error; /* armillaria.errors.make_error */
    PyTypeObject *repository_type;
    PyTypeObject *transaction_type;
    PyTypeObject *changes_type;
    PyTypeObject *chunk_store_type;
    PyTypeObject *chunk_iterator_type;
    PyTypeObject *buffer_type;
    PyTypeObject *stream_type;
    PyTypeObject *batches_type;
    PyTypeObject *schema_type;
    PyTypeObject *parquet_file_type;
};

/* The state of the module that `self`'s type belongs to; types are final. */
struct native_state *native_state_of(PyObject *self);

/* ---- calls (py_call.c) ---- */

/*
 * The frame of one call into the library: the interpreter lock is released between begin and
 * end. `interrupted` of native_callbacks() looks for signals on the thread of the innermost
 * frame; what a signal handler raised waits in the frame.
 */
struct native_call {
    struct armi_error err;
    enum armi_status status;
    PyThreadState *thread;
    struct native_call *outer;
    int64_t looked_ns;
    PyObject *raised_type, *raised_value, *raised_traceback;
};

void native_call_begin(struct native_call *call);
void native_call_end(struct native_call *call);

/* 0, or -1 with an exception set: the status as an exception, or what a handler raised. */
int native_call_check(struct native_state *state, struct native_call *call);

/* Runs one expression that gives a status, without the interpreter lock; gives what
 * native_call_check() does. `call.err` is there for the expression. */
#define NATIVE_RUN(state, call, expression)                                                \
    (native_call_begin(&(call)), (call).status = (expression), native_call_end(&(call)),   \
     native_call_check((state), &(call)))

struct armi_callbacks native_callbacks(void);
/* `allocate` of options, called within a frame: *(PyObject **)ctx becomes a bytes object. */
void *native_allocate_bytes(void *ctx, size_t size);

/* ---- errors (py_error.c) ---- */

/* Sets the exception that stands for an error of the library. */
void native_raise(struct native_state *state, enum armi_status status,
                  const struct armi_error *err);
void native_raise_message(struct native_state *state, enum armi_status status,
                          const char *message);

/* ---- values (py_value.c) ---- */

PyObject *native_hash(const struct armi_hash *hash);
PyObject *native_hash_or_none(const struct armi_hash *hash); /* None for all zero */
PyObject *native_number_or_none(uint64_t number);            /* None for 0 */
PyObject *native_names(const char *const *names, size_t count);
PyObject *native_bool(bool value);

/* A list of names borrowed from a sequence of str. The texts live as long as `owner`. */
struct native_name_array {
    PyObject *owner;
    const char **names; /* NULL when the argument was None */
    size_t count;
};
int native_name_array_init(struct native_name_array *array, PyObject *sequence);
void native_name_array_release(struct native_name_array *array);

/* Adds an item to a list and gives up the reference; false (and a pending exception) when
 * either is missing. */
bool native_list_add(PyObject *list, PyObject *item);

/* Memory that is taken and given back without the interpreter lock (the interpreter's own raw
 * allocator is not in the limited API of 3.11). native_release(NULL) is allowed. */
void *native_malloc(size_t size);
void *native_calloc(size_t count, size_t size);
void *native_realloc(void *memory, size_t size);
void native_release(void *memory);

/* A heap type's instance; the allocation is zeroed. */
void *native_new(PyTypeObject *type);
void native_free(PyObject *self);

/* ---- Arrow (py_stream.c, py_batches.c, py_schema.c) ---- */

PyObject *native_stream_new(struct native_state *state, struct ArrowArrayStream *moved);
/* Takes the stream out of a capsule. */
int native_stream_take(PyObject *capsule, struct ArrowArrayStream *out);
PyObject *native_stream_capsule(struct ArrowArrayStream *moved);

PyObject *native_schema_new(struct native_state *state, struct ArrowSchema *moved);
int native_schema_copy(const struct ArrowSchema *from,
                       struct ArrowSchema *to); /* -1: memory */

/* `arrays` is moved: native_malloc'ed, each array in it owned. */
PyObject *native_batches_new(struct native_state *state, struct ArrowSchema *moved,
                             struct ArrowArray *arrays, size_t count);

/* The first rows of a struct array as lists of str or None (py_texts.c). */
PyObject *native_texts(const struct ArrowSchema *schema, const struct ArrowArray *array,
                       int64_t max_rows);

/* ---- nouns ---- */

struct armi_repository *native_repository(PyObject *self);
/* The transaction inside a Transaction, NULL for None; -1 with an exception when it is busy
 * or ended. Held until native_transaction_leave(). */
int native_transaction_enter(struct native_state *state, PyObject *object,
                             struct armi_transaction **out);
void native_transaction_leave(PyObject *object);
PyObject *native_transaction_new(struct native_state *state, PyObject *repository,
                                 const char *branch);
PyObject *native_changes_new(struct native_state *state, PyObject *repository,
                             const struct armi_changes_options *options);
PyObject *native_chunk_store_new(struct native_state *state, PyObject *repository,
                                 struct armi_chunk_store *store);
PyObject *native_buffer_new(struct native_state *state, struct armi_bytes *moved);
PyObject *native_bytes_new(size_t size);          /* to be filled before anyone sees it */
PyObject *native_bytes(struct armi_bytes *moved); /* a copy as bytes; releases */
PyObject *native_write_result(const struct armi_write_result *result);
/* Bytes that keep a Python buffer alive. */
int native_bytes_of(PyObject *object, struct armi_bytes *out);

/* Where to look, parsed from (ref, version, as_of, transaction). */
struct native_at {
    struct armi_at at;
    PyObject *transaction;
};
int native_at_enter(struct native_state *state, const char *ref, PyObject *version,
                    PyObject *as_of, PyObject *transaction, struct native_at *out);
void native_at_leave(struct native_at *at);

/* ---- methods of Repository, by noun ---- */

PyObject *repository_tables(PyObject *self, PyObject *args);
PyObject *repository_table_info(PyObject *self, PyObject *args);
PyObject *repository_schema(PyObject *self, PyObject *args);
PyObject *repository_count(PyObject *self, PyObject *args);
PyObject *repository_versions(PyObject *self, PyObject *args);
PyObject *repository_scan(PyObject *self, PyObject *args);
PyObject *repository_branches(PyObject *self, PyObject *args);
PyObject *repository_tags(PyObject *self, PyObject *args);
PyObject *repository_branch_create(PyObject *self, PyObject *args);
PyObject *repository_branch_delete(PyObject *self, PyObject *args);
PyObject *repository_tag_create(PyObject *self, PyObject *args);
PyObject *repository_tag_delete(PyObject *self, PyObject *args);
PyObject *repository_resolve(PyObject *self, PyObject *args);
PyObject *repository_log(PyObject *self, PyObject *args);
PyObject *repository_show(PyObject *self, PyObject *args);
PyObject *repository_diff(PyObject *self, PyObject *args);
PyObject *repository_diff_rows(PyObject *self, PyObject *args);
PyObject *repository_merge(PyObject *self, PyObject *args);
PyObject *repository_changes(PyObject *self, PyObject *args);

/* ---- functions of the module ---- */

PyObject *module_open_repository(PyObject *module, PyObject *args);
PyObject *module_open_chunk_store(PyObject *module, PyObject *args);
PyObject *module_parquet_open(PyObject *module, PyObject *args);
PyObject *module_parquet_open_path(PyObject *module, PyObject *args);
PyObject *module_parquet_encode(PyObject *module, PyObject *args);
PyObject *module_parquet_write(PyObject *module, PyObject *args);
PyObject *module_schema(PyObject *module, PyObject *capsule);
PyObject *module_stream(PyObject *module, PyObject *capsule);
PyObject *module_batch(PyObject *module, PyObject *args);
PyObject *module_columns(PyObject *module, PyObject *args);

extern PyType_Spec native_repository_spec, native_transaction_spec, native_changes_spec,
    native_chunk_store_spec, native_chunk_iterator_spec, native_buffer_spec,
    native_stream_spec, native_batches_spec, native_schema_spec, native_parquet_file_spec;

#endif
