/*
 * Branches, tags, and what a text means.
 */
#include "py_native.h"

static PyObject *ref_pairs(const struct armi_ref_list *list)
{
    static const struct armi_hash none = {{0}};
    PyObject *pairs = PyList_New(0);
    for (size_t i = 0; i < list->count && pairs != NULL; i++) {
        const struct armi_ref *ref = &list->items[i];
        PyObject *commit = native_hash_or_none(ref->has_commit ? &ref->commit : &none);
        if (commit == NULL ||
            !native_list_add(pairs, Py_BuildValue("(sN)", ref->name, commit)))
            Py_CLEAR(pairs);
    }
    return pairs;
}

PyObject *repository_branches(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct armi_ref_list list = {.size = sizeof list};
    struct native_call call;
    int failed = NATIVE_RUN(native_state_of(self), call,
                            armi_branch_list(native_repository(self), &list, &call.err));
    PyObject *pairs = failed ? NULL : ref_pairs(&list);
    armi_ref_list_release(&list);
    return pairs;
}

PyObject *repository_tags(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct armi_ref_list list = {.size = sizeof list};
    struct native_call call;
    int failed = NATIVE_RUN(native_state_of(self), call,
                            armi_tag_list(native_repository(self), &list, &call.err));
    PyObject *pairs = failed ? NULL : ref_pairs(&list);
    armi_ref_list_release(&list);
    return pairs;
}

typedef enum armi_status (*ref_create_fn)(struct armi_repository *, const char *,
                                          const char *, struct armi_error *);
typedef enum armi_status (*ref_delete_fn)(struct armi_repository *, const char *,
                                          struct armi_error *);

static PyObject *ref_create(PyObject *self, PyObject *args, ref_create_fn create)
{
    const char *name, *at;
    struct native_call call;
    if (!PyArg_ParseTuple(args, "sz", &name, &at) ||
        NATIVE_RUN(native_state_of(self), call,
                   create(native_repository(self), name, at, &call.err)) != 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *ref_delete(PyObject *self, PyObject *args, ref_delete_fn delete)
{
    const char *name;
    struct native_call call;
    if (!PyArg_ParseTuple(args, "s", &name) ||
        NATIVE_RUN(native_state_of(self), call,
                   delete (native_repository(self), name, &call.err)) != 0)
        return NULL;
    Py_RETURN_NONE;
}

PyObject *repository_branch_create(PyObject *self, PyObject *args)
{
    return ref_create(self, args, armi_branch_create);
}

PyObject *repository_branch_delete(PyObject *self, PyObject *args)
{
    return ref_delete(self, args, armi_branch_delete);
}

PyObject *repository_tag_create(PyObject *self, PyObject *args)
{
    return ref_create(self, args, armi_tag_create);
}

PyObject *repository_tag_delete(PyObject *self, PyObject *args)
{
    return ref_delete(self, args, armi_tag_delete);
}

/* (kind, commit or None): kind is "branch", "tag" or "commit". */
PyObject *repository_resolve(PyObject *self, PyObject *args)
{
    static const char *const kinds[] = {"branch", "tag", "commit"};
    struct armi_hash hash = {{0}};
    enum armi_ref_kind kind = ARMI_REF_COMMIT;
    bool has_commit = false;
    const char *text;
    struct native_call call;
    if (!PyArg_ParseTuple(args, "s:resolve", &text) ||
        NATIVE_RUN(native_state_of(self), call,
                   armi_ref_resolve(native_repository(self), text, &hash, &kind,
                                    &has_commit, &call.err)) != 0)
        return NULL;
    static const struct armi_hash none = {{0}};
    PyObject *commit = native_hash_or_none(has_commit ? &hash : &none);
    return commit != NULL ? Py_BuildValue("(sN)", kinds[kind], commit) : NULL;
}
