/*
 * A table over another one that makes the n-th call fail: the loop for n = 1, 2, 3… until
 * nothing fires visits every place where an operation can break.
 *
 *     for (uint64_t n = 1;; n++) {
 *         struct os_fault *fault = os_fault_new(under);
 *         os_fault_arm(fault, n, OS_FAULT_ANY, EIO, false);
 *         … operation over os_fault_table(fault) …
 *         bool fired = os_fault_fired(fault);
 *         os_fault_free(fault);
 *         … whatever happened: right status, nothing torn …
 *         if (!fired)
 *             break;
 *     }
 *
 * close, unmap and unlock do their work also when they are told to fail, as the system's
 * do.
 */
#ifndef ARMI_OS_FAULT_H
#define ARMI_OS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "os/os.h"

enum os_fault_kind {
    OS_FAULT_OPEN = 1 << 0,
    OS_FAULT_CLOSE = 1 << 1,
    OS_FAULT_READ = 1 << 2,  /* pread, preadv */
    OS_FAULT_WRITE = 1 << 3, /* pwrite, pwritev, ftruncate */
    OS_FAULT_SYNC = 1 << 4,  /* fsync, fdatasync */
    OS_FAULT_STAT = 1 << 5,
    OS_FAULT_NAMES = 1 << 6, /* rename, rename_new, unlink, mkdir, rmdir */
    OS_FAULT_LIST = 1 << 7,
    OS_FAULT_LOCK = 1 << 8,
    OS_FAULT_MAP = 1 << 9,
    OS_FAULT_OTHER = 1 << 10, /* hints, random, fs_kind, writable */
    OS_FAULT_ANY = (1 << 11) - 1,
    OS_FAULT_CHANGES = OS_FAULT_WRITE | OS_FAULT_SYNC | OS_FAULT_NAMES | OS_FAULT_OPEN,
};

struct os_fault;

struct os_fault *os_fault_new(const struct armi_os *under);
void os_fault_free(struct os_fault *fault);
const struct armi_os *os_fault_table(struct os_fault *fault);

/*
 * The n-th call of these kinds from now on (1 = the next) answers -errnum without
 * reaching the table below; with `persistent` every later one too, of any kind: the
 * machine is gone. n = 0 disarms.
 */
void os_fault_arm(struct os_fault *fault, uint64_t n, unsigned kinds, int errnum,
                  bool persistent);
bool os_fault_fired(const struct os_fault *fault);
/* Calls of these kinds since the last arm, or since the start. */
uint64_t os_fault_calls(const struct os_fault *fault);
/*
 * Lies that a test must find out: fsync of files, or of folders, answers 0 and does
 * nothing. What stays green with such a table proves nothing about durability.
 */
void os_fault_skip_syncs(struct os_fault *fault, bool of_files, bool of_folders);
/* Every read and write moves at most so many bytes: short counts. 0 = no limit. */
void os_fault_limit_io(struct os_fault *fault, size_t size);

#endif
