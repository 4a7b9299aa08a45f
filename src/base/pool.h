/*
 * The thread pool: one for the process, started at the first parallel call, restarted in a forked
 * child. Work is a counted loop; the calling thread takes part, so a pool of one thread, or a machine
 * that refuses threads, still finishes. Tasks must not start another parallel loop that waits on the
 * same pool from a worker: such a nested loop runs on its worker alone.
 */
#ifndef ARMI_BASE_POOL_H
#define ARMI_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Polled on the calling thread only, at least ten times a second; true ends the call. */
struct armi_interrupt {
    bool (*interrupted)(void *ctx);
    void *ctx;
};

struct armi_parallel {
    unsigned threads; /* at most so many at once, the caller included; 0 = all cores */
    struct armi_interrupt interrupt; /* .interrupted may be NULL */
};

/* What a task does with item `index`. `worker` is below armi_pool_width(): for scratch space. */
typedef enum armi_status (*armi_task_fn)(void *ctx, size_t index, unsigned worker,
                                         struct armi_error *err);

/* Upper bound of `worker` + 1 for these options. */
unsigned armi_pool_width(const struct armi_parallel *options);

/*
 * Runs fn for 0 .. count - 1. Items start in order. After a failure no further item starts; the
 * failure of the lowest failed index is returned (ARMI_INTERRUPTED if the caller's callback said so).
 * `options` NULL = all cores, no interrupt.
 */
enum armi_status armi_pool_run(const struct armi_parallel *options, size_t count,
                               armi_task_fn fn, void *ctx, struct armi_error *err);

/* For a loop of the caller's own: ARMI_INTERRUPTED when asked to stop. */
enum armi_status armi_interrupt_check(const struct armi_interrupt *interrupt,
                                      struct armi_error *err);

#endif
