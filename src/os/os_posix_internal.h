/*
 * The two halves of the posix table: os_posix.c (files and names) and os_posix_system.c
 * (what is asked of the system about them: state, locks, maps, clocks).
 */
#ifndef ARMI_OS_OS_POSIX_INTERNAL_H
#define ARMI_OS_OS_POSIX_INTERNAL_H

#include "os/os.h"

void armi_posix_count_map(void);

int armi_posix_fstat(const struct armi_os *os, int fd, struct armi_file_stat *out);
int armi_posix_stat_at(const struct armi_os *os, int dir, const char *name,
                       struct armi_file_stat *out);
int armi_posix_list(const struct armi_os *os, int dir, armi_list_fn fn, void *ctx);
int armi_posix_lock(const struct armi_os *os, int fd, uint64_t offset, uint64_t size,
                    enum armi_lock_kind kind);
int armi_posix_unlock(const struct armi_os *os, int fd, uint64_t offset, uint64_t size);
int armi_posix_lock_probe(const struct armi_os *os, int fd, uint64_t offset, uint64_t size,
                          enum armi_lock_kind kind);
int armi_posix_map(const struct armi_os *os, int fd, uint64_t offset, size_t size,
                   void **out);
int armi_posix_unmap(const struct armi_os *os, void *at, size_t size);
int armi_posix_advise(const struct armi_os *os, void *at, size_t size,
                      enum armi_map_advice advice);
int armi_posix_fs_kind(const struct armi_os *os, int fd);
int armi_posix_writable(const struct armi_os *os, int dir);
int64_t armi_posix_realtime_us(const struct armi_os *os);
int64_t armi_posix_monotonic_ns(const struct armi_os *os);
int armi_posix_sleep_ns(const struct armi_os *os, int64_t ns);
int armi_posix_random(const struct armi_os *os, void *out, size_t size);
int64_t armi_posix_process_id(const struct armi_os *os);

#endif
