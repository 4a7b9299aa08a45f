/*
 * The repository's `lock` file. It is never written and never renamed: locks live on its
 * bytes, which need not exist.
 *
 *     byte 0                          write lock: held to validate and publish
 *     byte 1                          gc lock: writers shared, gc exclusive
 *     byte 2                          queue: those who lost three rebases, one at a time
 *     byte 3                          gc's gate: exclusive while gc waits, so that no new
 * writer passes bytes 2^32 + [0, 2^30)          scan pins: shared, by the first 30 bits
 * of a commit id
 *
 * Each armi_lock is an open() of its own, so threads of one process exclude each other as
 * processes do, and letting one go never touches another. A lock dies with its process,
 * and not with a child.
 */
#ifndef ARMI_OS_LOCKFILE_H
#define ARMI_OS_LOCKFILE_H

#include "os/os.h"

#define ARMI_LOCKFILE_NAME "lock"

#define ARMI_LOCK_BYTE_WRITE 0
#define ARMI_LOCK_BYTE_GC    1
#define ARMI_LOCK_BYTE_QUEUE 2
#define ARMI_LOCK_BYTE_GATE  3
#define ARMI_LOCK_PIN_BASE   ((uint64_t)1 << 32)

/* The byte that pins a commit: the first 30 bits of its id, big-endian. */
uint64_t armi_lock_pin_offset(const struct armi_hash *commit);

struct armi_lock {
    const struct armi_os *os; /* NULL = nothing is held */
    int fd;
    uint64_t offset;
    uint64_t generation;
};

#define ARMI_LOCK_INIT                                                                     \
    {                                                                                      \
        NULL, -1, 0, 0                                                                     \
    }

/* Makes the lock file in `dir` if it is absent. */
enum armi_status armi_lockfile_create(const struct armi_os *os, int dir,
                                      struct armi_error *err);

/*
 * Takes the lock on one byte of `dir`/lock, waiting as armi_os_lock_wait does. `lock` is
 * filled only on success; `what` names it in messages.
 */
enum armi_status armi_lock_acquire(const struct armi_os *os, int dir, uint64_t offset,
                                   enum armi_lock_kind kind, int64_t timeout_ns,
                                   const struct armi_interrupt *interrupt, const char *what,
                                   struct armi_lock *lock, struct armi_error *err);

/* Lets go. Harmless when nothing is held, and in a forked child, which never held it. */
void armi_lock_release(struct armi_lock *lock);

/* Whether this process holds it: false in a forked child of the one that took it. */
bool armi_lock_is_held(const struct armi_lock *lock);

#endif
