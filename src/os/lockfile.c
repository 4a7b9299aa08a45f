/*
 * Locks on bytes of the lock file, each by an open() of its own.
 */
#include "os/lockfile.h"

#include <errno.h>

#include <armillaria/hash.h>

#include "os/handles.h"

uint64_t armi_lock_pin_offset(const struct armi_hash *commit)
{
    const uint8_t *b = commit->bytes;
    uint32_t first =
        (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    return ARMI_LOCK_PIN_BASE + (first >> 2);
}

enum armi_status armi_lockfile_create(const struct armi_os *os, int dir,
                                      struct armi_error *err)
{
    int fd =
        os->open(os, dir, ARMI_LOCKFILE_NAME,
                 ARMI_OPEN_READ | ARMI_OPEN_WRITE | ARMI_OPEN_CREATE, ARMI_OS_MODE_FILE);
    if (fd < 0)
        return armi_error_errno(err, -fd, "cannot make the lock file");
    os->close(os, fd);
    return ARMI_OK;
}

enum armi_status armi_lock_acquire(const struct armi_os *os, int dir, uint64_t offset,
                                   enum armi_lock_kind kind, int64_t timeout_ns,
                                   const struct armi_interrupt *interrupt, const char *what,
                                   struct armi_lock *lock, struct armi_error *err)
{
    unsigned flags = ARMI_OPEN_READ | ARMI_OPEN_LOCKS;
    flags |= kind == ARMI_LOCK_EXCLUSIVE ? ARMI_OPEN_WRITE : 0;
    uint64_t generation = armi_handles_generation();
    int fd = os->open(os, dir, ARMI_LOCKFILE_NAME, flags, 0);
    if (fd < 0)
        return armi_error_errno(err, -fd, "cannot open the lock file for %s", what);
    enum armi_status status =
        armi_os_lock_wait(os, fd, offset, 1, kind, timeout_ns, interrupt, what, err);
    if (status != ARMI_OK) {
        os->close(os, fd);
        return status;
    }
    *lock = (struct armi_lock){os, fd, offset, generation};
    return ARMI_OK;
}

bool armi_lock_is_held(const struct armi_lock *lock)
{
    return lock->os != NULL && lock->generation == armi_handles_generation();
}

void armi_lock_release(struct armi_lock *lock)
{
    /* Closing ends the lock. In a child the number was closed at fork, and may be
     * another's now. */
    if (armi_lock_is_held(lock))
        lock->os->close(lock->os, lock->fd);
    *lock = (struct armi_lock)ARMI_LOCK_INIT;
}
