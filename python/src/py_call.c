/*
 * Calls into the library: the interpreter lock is released for the length of each, and
 * Ctrl-C is looked for on the calling thread.
 *
 * The frame of the call that a thread is in is found through a thread-local pointer rather
 * than through the callback's context, because a handle's callbacks are fixed when it is
 * opened, long before the calls that they serve. A stream that a foreign library pulls on a
 * thread of its own has no frame, and is not interrupted by us.
 */
#include "py_native.h"

#include <string.h>
#include <time.h>

static _Thread_local struct native_call *current_call;

#define LOOK_EVERY_NS 50000000 /* the lock is taken at most twenty times a second */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void native_call_begin(struct native_call *call)
{
    memset(call, 0, sizeof *call);
    call->err.size = sizeof call->err;
    call->looked_ns = now_ns();
    call->outer = current_call;
    current_call = call;
    call->thread = PyEval_SaveThread();
}

void native_call_end(struct native_call *call)
{
    PyEval_RestoreThread(call->thread);
    current_call = call->outer;
}

static bool call_interrupted(void *ctx)
{
    (void)ctx;
    struct native_call *call = current_call;
    if (call == NULL)
        return false;
    if (call->raised_type != NULL)
        return true;
    int64_t now = now_ns();
    if (now - call->looked_ns < LOOK_EVERY_NS)
        return false;
    call->looked_ns = now;
    PyEval_RestoreThread(call->thread);
    if (PyErr_CheckSignals() != 0)
        PyErr_Fetch(&call->raised_type, &call->raised_value, &call->raised_traceback);
    call->thread = PyEval_SaveThread();
    return call->raised_type != NULL;
}

struct armi_callbacks native_callbacks(void)
{
    return (struct armi_callbacks){.interrupted = call_interrupted};
}

void *native_allocate_bytes(void *ctx, size_t size)
{
    struct native_call *call = current_call;
    PyObject *bytes;
    PyEval_RestoreThread(call->thread);
    bytes = native_bytes_new(size);
    if (bytes == NULL)
        PyErr_Fetch(&call->raised_type, &call->raised_value, &call->raised_traceback);
    void *data = bytes != NULL ? PyBytes_AsString(bytes) : NULL;
    *(PyObject **)ctx = bytes;
    call->thread = PyEval_SaveThread();
    return data;
}

int native_call_check(struct native_state *state, struct native_call *call)
{
    if (call->raised_type != NULL) {
        PyErr_Restore(call->raised_type, call->raised_value, call->raised_traceback);
        call->raised_type = call->raised_value = call->raised_traceback = NULL;
        return -1;
    }
    if (call->status == ARMI_OK)
        return 0;
    native_raise(state, call->status, &call->err);
    return -1;
}
