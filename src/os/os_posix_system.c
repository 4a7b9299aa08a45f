/*
 * The posix table, second half: the state of files, folders' names, locks, maps, clocks.
 */
#include "os/os_posix_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

static enum armi_entry_kind kind_of_mode(mode_t mode)
{
    if (S_ISREG(mode))
        return ARMI_ENTRY_REGULAR;
    if (S_ISDIR(mode))
        return ARMI_ENTRY_DIRECTORY;
    return S_ISLNK(mode) ? ARMI_ENTRY_SYMLINK : ARMI_ENTRY_OTHER;
}

static void stat_copy(const struct stat *st, struct armi_file_stat *out)
{
    *out = (struct armi_file_stat){
        .size = (uint64_t)st->st_size,
        .device = (uint64_t)st->st_dev,
        .inode = (uint64_t)st->st_ino,
        .mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
        .ctime_ns = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec,
        .links = (uint64_t)st->st_nlink,
        .mode = (uint32_t)(st->st_mode & 07777),
        .owner = (uint32_t)st->st_uid,
        .kind = kind_of_mode(st->st_mode),
    };
}

int armi_posix_fstat(const struct armi_os *os, int fd, struct armi_file_stat *out)
{
    (void)os;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    stat_copy(&st, out);
    return 0;
}

int armi_posix_stat_at(const struct armi_os *os, int dir, const char *name,
                       struct armi_file_stat *out)
{
    (void)os;
    struct stat st;
    if (fstatat(dir == ARMI_OS_CWD ? AT_FDCWD : dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    stat_copy(&st, out);
    return 0;
}

static enum armi_entry_kind kind_of_entry(unsigned char type)
{
    switch (type) {
    case DT_REG:
        return ARMI_ENTRY_REGULAR;
    case DT_DIR:
        return ARMI_ENTRY_DIRECTORY;
    case DT_LNK:
        return ARMI_ENTRY_SYMLINK;
    case DT_UNKNOWN:
        return ARMI_ENTRY_UNKNOWN;
    default:
        return ARMI_ENTRY_OTHER;
    }
}

int armi_posix_list(const struct armi_os *os, int dir, armi_list_fn fn, void *ctx)
{
    (void)os;
    /* An open() of its own: a duplicate would share the position with other walks. */
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    DIR *stream = fdopendir(fd);
    if (stream == NULL) {
        int error = -errno;
        close(fd);
        return error;
    }
    int result = 0;
    while (result == 0) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (entry == NULL) {
            result = -errno;
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = fn(ctx, entry->d_name, kind_of_entry(entry->d_type));
    }
    closedir(stream);
    return result;
}

static int lock_call(int fd, int command, short type, uint64_t offset, uint64_t size,
                     struct flock *lock)
{
    *lock = (struct flock){.l_type = type,
                           .l_whence = SEEK_SET,
                           .l_start = (off_t)offset,
                           .l_len = (off_t)size};
    while (fcntl(fd, command, lock) < 0)
        if (errno != EINTR)
            return errno == EACCES ? -EAGAIN : -errno;
    return 0;
}

static short lock_type(enum armi_lock_kind kind)
{
    return kind == ARMI_LOCK_EXCLUSIVE ? F_WRLCK : F_RDLCK;
}

int armi_posix_lock(const struct armi_os *os, int fd, uint64_t offset, uint64_t size,
                    enum armi_lock_kind kind)
{
    (void)os;
    struct flock lock;
    return lock_call(fd, F_OFD_SETLK, lock_type(kind), offset, size, &lock);
}

int armi_posix_unlock(const struct armi_os *os, int fd, uint64_t offset, uint64_t size)
{
    (void)os;
    struct flock lock;
    return lock_call(fd, F_OFD_SETLK, F_UNLCK, offset, size, &lock);
}

int armi_posix_lock_probe(const struct armi_os *os, int fd, uint64_t offset, uint64_t size,
                          enum armi_lock_kind kind)
{
    (void)os;
    struct flock lock;
    int error = lock_call(fd, F_OFD_GETLK, lock_type(kind), offset, size, &lock);
    return error < 0 ? error : lock.l_type != F_UNLCK;
}

int armi_posix_map(const struct armi_os *os, int fd, uint64_t offset, size_t size,
                   void **out)
{
    (void)os;
    armi_posix_count_map();
    void *at = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)offset);
    if (at == MAP_FAILED)
        return -errno;
    *out = at;
    return 0;
}

int armi_posix_unmap(const struct armi_os *os, void *at, size_t size)
{
    (void)os;
    return munmap(at, size) < 0 ? -errno : 0;
}

int armi_posix_advise(const struct armi_os *os, void *at, size_t size,
                      enum armi_map_advice advice)
{
    (void)os;
    static const int native[] = {
        [ARMI_ADVICE_SEQUENTIAL] = MADV_SEQUENTIAL,
        [ARMI_ADVICE_RANDOM] = MADV_RANDOM,
        [ARMI_ADVICE_WILLNEED] = MADV_WILLNEED,
        [ARMI_ADVICE_DONTNEED] = MADV_DONTNEED,
    };
    return madvise(at, size, native[advice]) < 0 ? -errno : 0;
}

/* The numbers are the kernel's (linux/magic.h, and each file system's own source). FUSE
 * counts as a network: what lies behind it cannot be known, and sshfs locks on one host
 * only. */
int armi_posix_fs_kind(const struct armi_os *os, int fd)
{
    (void)os;
    static const uint32_t network[] = {
        0x6969,     /* NFS */
        0x517b,     /* SMB */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB2 */
        0x01021997, /* 9P */
        0x00c36400, /* Ceph */
        0x65735546, /* FUSE */
        0x5346414f, /* AFS */
        0x73757245, /* Coda */
        0x564c,     /* NCP */
        0x01161970, /* GFS2 */
        0x7461636f, /* OCFS2 */
        0x0bd00bd0, /* Lustre */
    };
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof network / sizeof network[0]; i++)
        if ((uint32_t)fs.f_type == network[i])
            return ARMI_FS_NETWORK;
    return ARMI_FS_LOCAL;
}

int armi_posix_writable(const struct armi_os *os, int dir)
{
    (void)os;
    return faccessat(dir, ".", W_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int64_t armi_posix_realtime_us(const struct armi_os *os)
{
    (void)os;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t armi_posix_monotonic_ns(const struct armi_os *os)
{
    (void)os;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int armi_posix_sleep_ns(const struct armi_os *os, int64_t ns)
{
    (void)os;
    struct timespec left = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    /* A signal ends the sleep early: callers poll anyway, and may want to look at their
     * flag. */
    return nanosleep(&left, NULL) < 0 && errno != EINTR ? -errno : 0;
}

int armi_posix_random(const struct armi_os *os, void *out, size_t size)
{
    (void)os;
    uint8_t *at = out;
    while (size > 0) {
        ssize_t n = getrandom(at, size, 0);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

int64_t armi_posix_process_id(const struct armi_os *os)
{
    (void)os;
    return getpid();
}
