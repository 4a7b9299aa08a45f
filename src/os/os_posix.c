/*
 * The table over the operating system's own calls. Linux first: open-file-description
 * locks, renameat2 and sync_file_range are its; where an older kernel or another file
 * system lacks one, the nearest equivalent is used.
 *
 * Every call that makes something durable, or costs a read or a write, is counted, so
 * that benchmarks can say how many flushes a step took instead of guessing from seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "os/handles.h"
#include "os/os.h"
#include "os/os_posix_internal.h"

#define PARTS_MAX 64 /* buffers a call; more go in the next */

static struct {
    _Atomic uint64_t fsyncs, fdatasyncs, reads, bytes_read, writes, bytes_written;
    _Atomic uint64_t opens, renames, unlinks, maps;
} counted;

static void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

void armi_posix_count_map(void)
{
    count(&counted.maps, 1);
}

void armi_os_counters(struct armi_os_counters *out)
{
    *out = (struct armi_os_counters){
        .fsyncs = counted.fsyncs,
        .fdatasyncs = counted.fdatasyncs,
        .reads = counted.reads,
        .bytes_read = counted.bytes_read,
        .writes = counted.writes,
        .bytes_written = counted.bytes_written,
        .opens = counted.opens,
        .renames = counted.renames,
        .unlinks = counted.unlinks,
        .maps = counted.maps,
    };
}

static int dir_fd(int dir)
{
    return dir == ARMI_OS_CWD ? AT_FDCWD : dir;
}

static int open_flags(unsigned flags)
{
    int f = O_CLOEXEC | O_NOCTTY;
    if ((flags & ARMI_OPEN_READ) && (flags & ARMI_OPEN_WRITE))
        f |= O_RDWR;
    else
        f |= flags & ARMI_OPEN_WRITE ? O_WRONLY : O_RDONLY;
    f |= flags & ARMI_OPEN_CREATE ? O_CREAT : 0;
    f |= flags & ARMI_OPEN_EXCLUSIVE ? O_EXCL : 0;
    f |= flags & ARMI_OPEN_TRUNCATE ? O_TRUNC : 0;
    f |= flags & ARMI_OPEN_DIRECTORY ? O_DIRECTORY : 0;
    /* Within a repository a pipe that poses as a chunk must not make open() wait for its
     * writer. */
    f |= flags & ARMI_OPEN_FOLLOW ? 0 : O_NOFOLLOW | O_NONBLOCK;
    return f;
}

static int open_retry(int dir, const char *path, int flags, unsigned mode)
{
    for (;;) {
        int fd = openat(dir_fd(dir), path, flags, (mode_t)mode);
        if (fd >= 0)
            return fd;
        if (errno != EINTR)
            return -errno;
    }
}

static int posix_open(const struct armi_os *os, int dir, const char *path, unsigned flags,
                      unsigned mode)
{
    (void)os;
    count(&counted.opens, 1);
    if (!(flags & ARMI_OPEN_LOCKS))
        return open_retry(dir, path, open_flags(flags), mode);
    armi_handles_hold();
    int fd = open_retry(dir, path, open_flags(flags), mode);
    int result = fd >= 0 ? armi_handles_register(fd) : fd;
    if (fd >= 0 && result < 0)
        close(fd);
    armi_handles_unhold();
    return result < 0 ? result : fd;
}

/* Linux has closed it also when it says EINTR: a second close could hit another's. */
static int close_once(int fd)
{
    return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

static int posix_close(const struct armi_os *os, int fd)
{
    (void)os;
    if (!armi_handles_is_registered(fd))
        return close_once(fd);
    armi_handles_hold();
    armi_handles_unregister(fd);
    int error = close_once(fd);
    armi_handles_unhold();
    return error;
}

static int64_t posix_pread(const struct armi_os *os, int fd, void *out, size_t size,
                           uint64_t offset)
{
    (void)os;
    count(&counted.reads, 1);
    for (;;) {
        ssize_t n = pread(fd, out, size, (off_t)offset);
        if (n >= 0) {
            count(&counted.bytes_read, (uint64_t)n);
            return n;
        }
        if (errno != EINTR)
            return -errno;
    }
}

static size_t to_iovec(const struct armi_slice *parts, size_t count_in, struct iovec *out)
{
    size_t n = count_in < PARTS_MAX ? count_in : PARTS_MAX;
    for (size_t i = 0; i < n; i++) {
        /* iovec serves both directions and knows no const. */
        memcpy(&out[i].iov_base, &parts[i].data, sizeof out[i].iov_base);
        out[i].iov_len = parts[i].size;
    }
    return n;
}

static int64_t posix_preadv(const struct armi_os *os, int fd,
                            const struct armi_slice *parts, size_t parts_count,
                            uint64_t offset)
{
    (void)os;
    struct iovec iov[PARTS_MAX];
    size_t n_parts = to_iovec(parts, parts_count, iov);
    count(&counted.reads, 1);
    for (;;) {
        ssize_t n = preadv(fd, iov, (int)n_parts, (off_t)offset);
        if (n >= 0) {
            count(&counted.bytes_read, (uint64_t)n);
            return n;
        }
        if (errno != EINTR)
            return -errno;
    }
}

static int64_t posix_pwrite(const struct armi_os *os, int fd, const void *data, size_t size,
                            uint64_t offset)
{
    (void)os;
    count(&counted.writes, 1);
    for (;;) {
        ssize_t n = pwrite(fd, data, size, (off_t)offset);
        if (n >= 0) {
            count(&counted.bytes_written, (uint64_t)n);
            return n;
        }
        if (errno != EINTR)
            return -errno;
    }
}

static int64_t posix_pwritev(const struct armi_os *os, int fd,
                             const struct armi_slice *parts, size_t parts_count,
                             uint64_t offset)
{
    (void)os;
    struct iovec iov[PARTS_MAX];
    size_t n_parts = to_iovec(parts, parts_count, iov);
    count(&counted.writes, 1);
    for (;;) {
        ssize_t n = pwritev(fd, iov, (int)n_parts, (off_t)offset);
        if (n >= 0) {
            count(&counted.bytes_written, (uint64_t)n);
            return n;
        }
        if (errno != EINTR)
            return -errno;
    }
}

static int64_t posix_read(const struct armi_os *os, int fd, void *out, size_t size)
{
    (void)os;
    count(&counted.reads, 1);
    for (;;) {
        ssize_t n = read(fd, out, size);
        if (n >= 0) {
            count(&counted.bytes_read, (uint64_t)n);
            return n;
        }
        if (errno != EINTR)
            return -errno;
    }
}

static ssize_t write_retry(int fd, const void *data, size_t size)
{
    for (;;) {
        ssize_t n = write(fd, data, size);
        if (n >= 0)
            return n;
        if (errno != EINTR)
            return -errno;
    }
}

/*
 * SIGPIPE would end the embedder's process, and its disposition is not ours to change: it
 * is blocked in this thread for the call, and one that our write made is taken away.
 */
static int64_t posix_write(const struct armi_os *os, int fd, const void *data, size_t size)
{
    (void)os;
    sigset_t pipe_only, before, pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    count(&counted.writes, 1);
    ssize_t n = write_retry(fd, data, size);
    if (n == -EPIPE && !was_pending) {
        struct timespec now = {0, 0};
        while (sigtimedwait(&pipe_only, NULL, &now) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (n > 0)
        count(&counted.bytes_written, (uint64_t)n);
    return n;
}

/* EINTR means that the wait was cut short, not that a write failed: asking again is
 * sound. */
static int posix_fsync(const struct armi_os *os, int fd)
{
    (void)os;
    count(&counted.fsyncs, 1);
    while (fsync(fd) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static int posix_fdatasync(const struct armi_os *os, int fd)
{
    (void)os;
    count(&counted.fdatasyncs, 1);
    while (fdatasync(fd) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static int posix_start_writeback(const struct armi_os *os, int fd, uint64_t offset,
                                 uint64_t size)
{
    (void)os;
#ifdef SYNC_FILE_RANGE_WRITE
    if (sync_file_range(fd, (off_t)offset, (off_t)size, SYNC_FILE_RANGE_WRITE) < 0)
        return -errno;
#else
    (void)fd, (void)offset, (void)size;
#endif
    return 0;
}

static int posix_ftruncate(const struct armi_os *os, int fd, uint64_t size)
{
    (void)os;
    while (ftruncate(fd, (off_t)size) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static int posix_rename_new(const struct armi_os *os, int from_dir, const char *from,
                            int to_dir, const char *to)
{
    (void)os;
    count(&counted.renames, 1);
#ifdef RENAME_NOREPLACE
    if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
#endif
    /* A link refuses a taken name as well; then the file has two names for a moment. */
    if (linkat(from_dir, from, to_dir, to, 0) < 0)
        return -errno;
    return unlinkat(from_dir, from, 0) < 0 ? -errno : 0;
}

static int posix_rename(const struct armi_os *os, int from_dir, const char *from,
                        int to_dir, const char *to)
{
    (void)os;
    count(&counted.renames, 1);
    return renameat(dir_fd(from_dir), from, dir_fd(to_dir), to) < 0 ? -errno : 0;
}

static int posix_unlink(const struct armi_os *os, int dir, const char *name)
{
    (void)os;
    count(&counted.unlinks, 1);
    return unlinkat(dir_fd(dir), name, 0) < 0 ? -errno : 0;
}

static int posix_mkdir(const struct armi_os *os, int dir, const char *name)
{
    (void)os;
    return mkdirat(dir_fd(dir), name, 0777) < 0 ? -errno : 0;
}

static int posix_rmdir(const struct armi_os *os, int dir, const char *name)
{
    (void)os;
    return unlinkat(dir_fd(dir), name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

const struct armi_os *armi_os_posix(void)
{
    static const struct armi_os table = {
        .open = posix_open,
        .close = posix_close,
        .pread = posix_pread,
        .preadv = posix_preadv,
        .pwrite = posix_pwrite,
        .pwritev = posix_pwritev,
        .read = posix_read,
        .write = posix_write,
        .fsync = posix_fsync,
        .fdatasync = posix_fdatasync,
        .start_writeback = posix_start_writeback,
        .ftruncate = posix_ftruncate,
        .fstat = armi_posix_fstat,
        .stat_at = armi_posix_stat_at,
        .rename_new = posix_rename_new,
        .rename = posix_rename,
        .unlink = posix_unlink,
        .mkdir = posix_mkdir,
        .rmdir = posix_rmdir,
        .list = armi_posix_list,
        .lock = armi_posix_lock,
        .unlock = armi_posix_unlock,
        .lock_probe = armi_posix_lock_probe,
        .map = armi_posix_map,
        .unmap = armi_posix_unmap,
        .advise = armi_posix_advise,
        .fs_kind = armi_posix_fs_kind,
        .writable = armi_posix_writable,
        .realtime_us = armi_posix_realtime_us,
        .monotonic_ns = armi_posix_monotonic_ns,
        .sleep_ns = armi_posix_sleep_ns,
        .random = armi_posix_random,
        .process_id = armi_posix_process_id,
    };
    return &table;
}
