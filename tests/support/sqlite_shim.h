/*
 * Faults and power cuts under SQLite: a VFS over the system's own in which every call that changes a
 * disk first asks a counter and may fail; locks and shared memory are delegated. And SQLite's memory
 * through the library's allocator, so that fault_alloc.h reaches it.
 *
 *     sqlite_shim_install();                     once, before SQLite is used
 *     sqlite_shim_arm(n, SHIM_CHANGES, false);   the n-th such call fails (1 = the next)
 *     … operation …
 *     fired = sqlite_shim_disarm();
 *
 * Power cuts: between record_begin and record_end every change is written into a log. replay builds in
 * another folder what the disk could hold had the power gone after the first `events` of them: what was
 * synced is there, every later write is there, lost, or torn, as the seed says.
 */
#ifndef ARMI_SQLITE_SHIM_H
#define ARMI_SQLITE_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum shim_kind {
    SHIM_WRITE = 1 << 0,
    SHIM_SYNC = 1 << 1,
    SHIM_TRUNCATE = 1 << 2,
    SHIM_DELETE = 1 << 3,
    SHIM_READ = 1 << 4,
    SHIM_OPEN = 1 << 5,
    SHIM_CHANGES = SHIM_WRITE | SHIM_SYNC | SHIM_TRUNCATE | SHIM_DELETE,
    SHIM_ANY = SHIM_CHANGES | SHIM_READ | SHIM_OPEN,
};

/* How a write fails. */
enum shim_failure {
    SHIM_FAIL_IO,   /* nothing was written */
    SHIM_FAIL_TORN, /* half of it was */
    SHIM_FAIL_FULL, /* the disk is full */
    SHIM_FAIL_LATE, /* all of it was, and the answer is an error all the same */
};

/* Becomes the default VFS, and base/alloc.h SQLite's allocator. */
void sqlite_shim_install(void);

/* The n-th call of these kinds fails; with `persistent` all later ones too. n = 0: none. */
void sqlite_shim_arm(uint64_t n, unsigned kinds, bool persistent);
void sqlite_shim_set_failure(enum shim_failure failure);
/* Whether a fault fired since the arm. */
bool sqlite_shim_disarm(void);
/* Syncs asked for since the start. */
uint64_t sqlite_shim_syncs(void);

void sqlite_shim_record_begin(void);
/* Events so far: a place in the log to cut at. */
size_t sqlite_shim_record_events(void);
void sqlite_shim_record_end(void);
/* Files are made in `dir` under their last names, shared memory never. */
void sqlite_shim_replay(size_t events, uint64_t seed, const char *dir);
void sqlite_shim_record_free(void);

#endif
