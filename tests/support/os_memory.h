/*
 * A file system in memory that can lose power. It keeps, beside what programs see, what a
 * disk would hold:
 *
 *   - bytes of a file are on the disk after fsync or fdatasync of the file;
 *   - a name, its removal and a rename are on the disk after fsync of the folder of it.
 *
 * os_memory_crash() forgets the rest, or keeps some of it, as disks do: each unsynced
 * write may be lost, kept, torn at a multiple of 512 bytes, or leave zeros of its length;
 * each unsynced change of a name may be lost or kept, alone. What was synced always
 * survives. The clock moves one microsecond a call; sleeping moves it on. Locks, maps and
 * many threads work. Single calls never fail but for what a real one would (ENOENT…): put
 * os_fault.h above it for more.
 *
 *     struct os_memory *disk = os_memory_new();
 *     const struct armi_os *os = os_memory_table(disk);
 *     int root = os->open(os, ARMI_OS_CWD, "/", ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0);
 *     …
 *     os_memory_crash(disk, OS_CRASH_RANDOM, seed); // every descriptor is void
 *     os_memory_free(disk);
 *
 * Its memory is malloc's, so that it does not count in fault_alloc.h.
 */
#ifndef ARMI_OS_MEMORY_H
#define ARMI_OS_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "os/os.h"

struct os_memory;

/* Holds a root folder, "/", which is on the disk. */
struct os_memory *os_memory_new(void);
void os_memory_free(struct os_memory *disk);
const struct armi_os *os_memory_table(struct os_memory *disk);

enum os_crash {
    OS_CRASH_DROP,   /* nothing that was not synced */
    OS_CRASH_KEEP,   /* everything: a killed process, not a power cut */
    OS_CRASH_RANDOM, /* some of it, torn here and there, by the seed */
};

/* The power goes off and on. Every descriptor and lock is void; maps stay readable until
 * unmapped. */
void os_memory_crash(struct os_memory *disk, enum os_crash how, uint64_t seed);

/* How many ways each point is crashed in: `everyday`, or $ARMI_CRASH_SEEDS where that is more. */
uint64_t os_crash_seeds(uint64_t everyday);

/* A second disk with the same content and state, to crash one point in several ways. */
struct os_memory *os_memory_clone(const struct os_memory *disk);

/* Flips bits behind everybody's back: the file's times do not change. 0 or -errno. `path`
 * from "/". */
int os_memory_damage(struct os_memory *disk, const char *path, uint64_t offset,
                     uint8_t mask);

/* fsync and fdatasync calls so far. */
uint64_t os_memory_syncs(const struct os_memory *disk);
/* Descriptors that are open: a leak check. */
size_t os_memory_open_files(const struct os_memory *disk);
/* -EROFS for whatever changes something. */
void os_memory_set_read_only(struct os_memory *disk, bool read_only);
/* Writes beyond so many bytes in all are short, then -ENOSPC. 0 = no limit. */
void os_memory_set_capacity(struct os_memory *disk, uint64_t bytes);

#endif
