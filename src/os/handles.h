/*
 * Descriptors that carry locks, known to the whole process, so that a forked child can
 * let go of them (I9). An open-file-description lock lives until the last descriptor of
 * its open() is closed: without this, a child would keep the locks of a parent that was
 * killed. Closing the child's copies never releases the parent's locks.
 *
 * The posix table registers what is opened with ARMI_OPEN_LOCKS. A holder of such a
 * descriptor, and of anything else that must not be shared with a parent (a tmp/ folder,
 * a database connection), remembers armi_handles_generation() at open and compares it
 * before each use: when it differs, the process is a child of the one that opened, the
 * descriptor number is void (do not close it) and a fresh one must be opened.
 */
#ifndef ARMI_OS_HANDLES_H
#define ARMI_OS_HANDLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* 0 in the first process, one more in each forked child. Cheap. */
uint64_t armi_handles_generation(void);

/*
 * Open (or close) and register (or unregister) stand between hold and unhold: a fork in
 * another thread waits so long. register answers 0, or -EMFILE for a number over 65,535.
 */
void armi_handles_hold(void);
void armi_handles_unhold(void);
int armi_handles_register(int fd);
void armi_handles_unregister(int fd);
bool armi_handles_is_registered(int fd);

#endif
