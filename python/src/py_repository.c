/*
 * A repository: opening, what it is, verify and stats. The methods that belong to other nouns
 * stand in their own files. There is no close: the handle is freed with its last reference,
 * so that scans outlive the object that the user closed.
 */
#include "py_native.h"

struct py_repository {
    PyObject_HEAD
    struct armi_repository *repo;
};

struct armi_repository *native_repository(PyObject *self)
{
    return ((struct py_repository *)self)->repo;
}

/* ---- opening ---- */

/* (path, durability 0..3, no_create, no_verify, read_only, unsafe_network, threads,
 * memory_bytes, cache_bytes, lock_timeout_ms, author) */
PyObject *module_open_repository(PyObject *module, PyObject *args)
{
    struct native_state *state = PyModule_GetState(module);
    struct armi_open_options options = {.size = sizeof options,
                                        .callbacks = native_callbacks()};
    PyObject *path_bytes = NULL;
    int durability, no_create, no_verify, read_only, unsafe_network;
    unsigned long long memory, cache;
    unsigned int threads, lock_timeout_ms;
    if (!PyArg_ParseTuple(args, "O&ippppIKKIz:open_repository", PyUnicode_FSConverter,
                          &path_bytes, &durability, &no_create, &no_verify, &read_only,
                          &unsafe_network, &threads, &memory, &cache, &lock_timeout_ms,
                          &options.author))
        return NULL;
    options.no_create = no_create;
    options.no_verify = no_verify;
    options.read_only = read_only;
    options.unsafe_network = unsafe_network;
    options.threads = threads;
    options.memory_bytes = memory;
    options.cache_bytes = cache;
    options.lock_timeout_ms = lock_timeout_ms;
    options.durability = (enum armi_durability)durability;
    struct py_repository *self = native_new(state->repository_type);
    struct native_call call;
    const char *path = PyBytes_AsString(path_bytes);
    if (self != NULL &&
        NATIVE_RUN(state, call,
                   armi_repository_open(path, &options, &self->repo, &call.err)) != 0)
        Py_CLEAR(self);
    Py_DECREF(path_bytes);
    return (PyObject *)self;
}

static void repository_dealloc(PyObject *self)
{
    struct armi_repository *repo = native_repository(self);
    if (repo != NULL) {
        Py_BEGIN_ALLOW_THREADS armi_repository_close(repo);
        Py_END_ALLOW_THREADS
    }
    native_free(self);
}

/* ---- what it is ---- */

static PyObject *repository_path(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return PyUnicode_DecodeFSDefault(armi_repository_path(native_repository(self)));
}

static PyObject *repository_read_only(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return native_bool(armi_repository_is_read_only(native_repository(self)));
}

static PyObject *repository_chunks(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return native_chunk_store_new(native_state_of(self), self,
                                  armi_repository_chunks(native_repository(self)));
}

static PyObject *repository_begin(PyObject *self, PyObject *args)
{
    const char *branch;
    if (!PyArg_ParseTuple(args, "z:begin", &branch))
        return NULL;
    return native_transaction_new(native_state_of(self), self, branch);
}

/* ---- verify ---- */

static PyObject *problems_list(const struct armi_verify_result *result)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; i < result->problem_count && list != NULL; i++) {
        const struct armi_problem *problem = &result->problems[i];
        if (!native_list_add(list, Py_BuildValue("(sss)", problem->kind, problem->name,
                                                 problem->message)))
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *repository_verify(PyObject *self, PyObject *args)
{
    struct armi_verify_options options = {.size = sizeof options,
                                          .callbacks = native_callbacks()};
    struct armi_verify_result result = {.size = sizeof result};
    int deep;
    if (!PyArg_ParseTuple(args, "p:verify", &deep))
        return NULL;
    options.deep = deep;
    struct native_call call;
    int failed = NATIVE_RUN(
        native_state_of(self), call,
        armi_repository_verify(native_repository(self), &options, &result, &call.err));
    PyObject *answer = NULL;
    PyObject *problems = failed ? NULL : problems_list(&result);
    if (problems != NULL)
        answer = Py_BuildValue("(ONKK)", result.ok ? Py_True : Py_False, problems,
                               (unsigned long long)result.objects,
                               (unsigned long long)result.bytes);
    armi_verify_result_release(&result);
    return answer;
}

/* ---- stats ---- */

static bool put_number(PyObject *dict, const char *key, uint64_t value)
{
    PyObject *number = PyLong_FromUnsignedLongLong(value);
    bool done = number != NULL && PyDict_SetItemString(dict, key, number) == 0;
    Py_XDECREF(number);
    return done;
}

static PyObject *cache_dict(const struct armi_cache_stats *cache)
{
    PyObject *dict = PyDict_New();
    if (dict != NULL && put_number(dict, "hits", cache->hits) &&
        put_number(dict, "misses", cache->misses) &&
        put_number(dict, "evictions", cache->evictions) &&
        put_number(dict, "entries", cache->entries) &&
        put_number(dict, "bytes", cache->bytes) &&
        put_number(dict, "capacity", cache->capacity))
        return dict;
    Py_XDECREF(dict);
    return NULL;
}

static PyObject *stats_dict(const struct armi_repository_stats *s)
{
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"tables", s->tables},
        {"branches", s->branches},
        {"tags", s->tags},
        {"commits", s->commits},
        {"versions", s->versions},
        {"rows", s->rows},
        {"logical_bytes", s->logical_bytes},
        {"version_bytes", s->version_bytes},
        {"chunks", s->chunks},
        {"chunk_bytes", s->chunk_bytes},
        {"tiny_chunks", s->tiny_chunks},
        {"tiny_chunk_bytes", s->tiny_chunk_bytes},
        {"nodes", s->nodes},
        {"node_bytes", s->node_bytes},
        {"catalog_bytes", s->catalog_bytes},
        {"reclaimable_chunks", s->reclaimable_chunks},
        {"reclaimable_bytes", s->reclaimable_bytes},
        {"flushes", s->flushes},
        {"bytes_written", s->bytes_written},
    };
    PyObject *dict = PyDict_New(), *cache = cache_dict(&s->cache);
    bool whole = dict != NULL && cache != NULL;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && whole; i++)
        whole = put_number(dict, numbers[i].key, numbers[i].value);
    whole = whole && PyDict_SetItemString(dict, "cache", cache) == 0;
    Py_XDECREF(cache);
    if (!whole)
        Py_CLEAR(dict);
    return dict;
}

static PyObject *repository_stats(PyObject *self, PyObject *args)
{
    struct armi_repository_stats stats = {.size = sizeof stats};
    const char *ref;
    if (!PyArg_ParseTuple(args, "z:stats", &ref))
        return NULL;
    struct native_call call;
    if (NATIVE_RUN(
            native_state_of(self), call,
            armi_repository_stats(native_repository(self), ref, &stats, &call.err)) != 0)
        return NULL;
    return stats_dict(&stats);
}

/* ---- the type ---- */

static PyMethodDef repository_methods[] = {
    {"path", repository_path, METH_NOARGS, NULL},
    {"read_only", repository_read_only, METH_NOARGS, NULL},
    {"chunks", repository_chunks, METH_NOARGS, NULL},
    {"begin", repository_begin, METH_VARARGS, NULL},
    {"verify", repository_verify, METH_VARARGS, NULL},
    {"stats", repository_stats, METH_VARARGS, NULL},
    {"tables", repository_tables, METH_VARARGS, NULL},
    {"table_info", repository_table_info, METH_VARARGS, NULL},
    {"schema", repository_schema, METH_VARARGS, NULL},
    {"count", repository_count, METH_VARARGS, NULL},
    {"versions", repository_versions, METH_VARARGS, NULL},
    {"scan", repository_scan, METH_VARARGS, NULL},
    {"branches", repository_branches, METH_NOARGS, NULL},
    {"tags", repository_tags, METH_NOARGS, NULL},
    {"branch_create", repository_branch_create, METH_VARARGS, NULL},
    {"branch_delete", repository_branch_delete, METH_VARARGS, NULL},
    {"tag_create", repository_tag_create, METH_VARARGS, NULL},
    {"tag_delete", repository_tag_delete, METH_VARARGS, NULL},
    {"resolve", repository_resolve, METH_VARARGS, NULL},
    {"log", repository_log, METH_VARARGS, NULL},
    {"show", repository_show, METH_VARARGS, NULL},
    {"diff", repository_diff, METH_VARARGS, NULL},
    {"diff_rows", repository_diff_rows, METH_VARARGS, NULL},
    {"merge", repository_merge, METH_VARARGS, NULL},
    {"changes", repository_changes, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot repository_slots[] = {
    {Py_tp_dealloc, repository_dealloc},
    {Py_tp_methods, repository_methods},
    {0, NULL},
};

PyType_Spec native_repository_spec = {
    .name = "armillaria._native.Repository",
    .basicsize = sizeof(struct py_repository),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = repository_slots,
};
