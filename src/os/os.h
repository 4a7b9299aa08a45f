/*
 * The system-call seam: every byte that reaches a disk, every lock, clock and random
 * number passes this table of functions. The real one is armi_os_posix(); tests put an
 * in-memory file system with crashes (tests/support/os_memory.h) or a fault injector
 * (tests/support/os_fault.h) in its place.
 *
 * Every function returns 0 or a count (>= 0), or -errno. None retries what failed; EINTR
 * is handled below the seam. Files are named relative to an open folder, symbolic links
 * are never followed (except by ARMI_OPEN_FOLLOW, for the path that the user typed),
 * descriptors are close-on-exec. All functions may be called from many threads.
 */
#ifndef ARMI_OS_OS_H
#define ARMI_OS_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct armi_interrupt;

/* `dir` of a path that is taken from the working directory or is absolute. */
#define ARMI_OS_CWD (-100)

/* Longest file name that `list` hands out, and that callers compose, with its zero byte. */
#define ARMI_OS_NAME_SIZE 256

enum armi_open_flags {
    ARMI_OPEN_READ = 1,
    ARMI_OPEN_WRITE = 2,
    ARMI_OPEN_CREATE = 4,
    ARMI_OPEN_EXCLUSIVE = 8, /* with CREATE: -EEXIST if the name is taken */
    ARMI_OPEN_TRUNCATE = 16,
    ARMI_OPEN_DIRECTORY = 32, /* a folder, else -ENOTDIR */
    ARMI_OPEN_FOLLOW = 64,    /* follow a symbolic link at the end of the path */
    /*
     * The descriptor carries locks: it is closed in a forked child (I9), so that a lock
     * dies with the process that took it. The child's copy of the number is void, see
     * os/handles.h.
     */
    ARMI_OPEN_LOCKS = 128,
};

#define ARMI_OS_MODE_FILE 0666 /* less the umask */
#define ARMI_OS_MODE_CHUNK                                                                 \
    0444 /* immutable: the creator's own descriptor may still write */

enum armi_entry_kind {
    ARMI_ENTRY_REGULAR,
    ARMI_ENTRY_DIRECTORY,
    ARMI_ENTRY_SYMLINK,
    ARMI_ENTRY_OTHER,
    ARMI_ENTRY_UNKNOWN, /* only from `list`: the file system does not tell; ask stat_at */
};

/* What tells one state of one file from every other: see armi_file_same. */
struct armi_file_stat {
    uint64_t size;
    uint64_t device;
    uint64_t inode;
    int64_t mtime_ns;
    int64_t ctime_ns; /* cannot be set back, unlike mtime */
    uint64_t links;
    uint32_t mode; /* permission bits */
    uint32_t owner;
    enum armi_entry_kind kind;
};

enum armi_lock_kind {
    ARMI_LOCK_SHARED,    /* the descriptor must be open for reading */
    ARMI_LOCK_EXCLUSIVE, /* … for writing */
};

enum armi_fs_kind {
    ARMI_FS_LOCAL,
    ARMI_FS_NETWORK, /* locks and mappings cannot be trusted: NFS, SMB, 9p, Ceph, FUSE… */
};

enum armi_map_advice {
    ARMI_ADVICE_SEQUENTIAL,
    ARMI_ADVICE_RANDOM,
    ARMI_ADVICE_WILLNEED,
    ARMI_ADVICE_DONTNEED,
};

/* A non-zero answer ends the listing and becomes its result. */
typedef int (*armi_list_fn)(void *ctx, const char *name, enum armi_entry_kind kind);

struct armi_os {
    void *ctx; /* the implementation's own */

    /* A descriptor (>= 0). `flags` of enum armi_open_flags; `mode` counts with CREATE. */
    int (*open)(const struct armi_os *os, int dir, const char *path, unsigned flags,
                unsigned mode);
    int (*close)(const struct armi_os *os, int fd);

    /* Bytes read: short at the end of the file, or where the system says so. */
    int64_t (*pread)(const struct armi_os *os, int fd, void *out, size_t size,
                     uint64_t offset);
    /* The same into several buffers. `parts[i].data` is written to. */
    int64_t (*preadv)(const struct armi_os *os, int fd, const struct armi_slice *parts,
                      size_t count, uint64_t offset);
    /* Bytes written, maybe fewer than asked. */
    int64_t (*pwrite)(const struct armi_os *os, int fd, const void *data, size_t size,
                      uint64_t offset);
    int64_t (*pwritev)(const struct armi_os *os, int fd, const struct armi_slice *parts,
                       size_t count, uint64_t offset);

    /* At the descriptor's own place, for what cannot be addressed: pipes, terminals,
     * standard input and output. 0 bytes read is the end. A pipe whose reader is gone
     * answers -EPIPE and raises no signal. */
    int64_t (*read)(const struct armi_os *os, int fd, void *out, size_t size);
    int64_t (*write)(const struct armi_os *os, int fd, const void *data, size_t size);

    /* A failure is final for that file: never called again on it (I5). Also for folders. */
    int (*fsync)(const struct armi_os *os, int fd);
    int (*fdatasync)(const struct armi_os *os, int fd);
    /* A hint that the bytes will be synced soon. Says nothing about durability. */
    int (*start_writeback)(const struct armi_os *os, int fd, uint64_t offset,
                           uint64_t size);
    int (*ftruncate)(const struct armi_os *os, int fd, uint64_t size);

    int (*fstat)(const struct armi_os *os, int fd, struct armi_file_stat *out);
    /* Of the name itself: a symbolic link is reported, not followed. */
    int (*stat_at)(const struct armi_os *os, int dir, const char *name,
                   struct armi_file_stat *out);

    /* -EEXIST if the new name is taken, and then nothing changed. */
    int (*rename_new)(const struct armi_os *os, int from_dir, const char *from, int to_dir,
                      const char *to);
    /* Replaces. */
    int (*rename)(const struct armi_os *os, int from_dir, const char *from, int to_dir,
                  const char *to);
    int (*unlink)(const struct armi_os *os, int dir, const char *name);
    int (*mkdir)(const struct armi_os *os, int dir, const char *name);
    int (*rmdir)(const struct armi_os *os, int dir, const char *name);
    /* Each name once, in no order, without "." and "..". `dir` is an open folder. */
    int (*list)(const struct armi_os *os, int dir, armi_list_fn fn, void *ctx);

    /*
     * Open-file-description locks on bytes, which need not exist. They belong to the
     * descriptor's open(): two threads that share a descriptor do not exclude each other,
     * two opens do. Taking a lock again changes its kind. lock never waits: -EAGAIN when
     * another open holds it.
     */
    int (*lock)(const struct armi_os *os, int fd, uint64_t offset, uint64_t size,
                enum armi_lock_kind kind);
    int (*unlock)(const struct armi_os *os, int fd, uint64_t offset, uint64_t size);
    /* 1 if another open's lock stands in the way of `kind`, 0 if none does. Takes
     * nothing. */
    int (*lock_probe)(const struct armi_os *os, int fd, uint64_t offset, uint64_t size,
                      enum armi_lock_kind kind);

    /* Read-only and shared. `offset` is a multiple of 64 KiB, size > 0. */
    int (*map)(const struct armi_os *os, int fd, uint64_t offset, size_t size, void **out);
    int (*unmap)(const struct armi_os *os, void *at, size_t size);
    int (*advise)(const struct armi_os *os, void *at, size_t size,
                  enum armi_map_advice advice);

    /* An enum armi_fs_kind: what kind of file system an open file or folder lies on. */
    int (*fs_kind)(const struct armi_os *os, int fd);
    /* 0 if names can be made in the folder, else -EROFS or -EACCES. */
    int (*writable)(const struct armi_os *os, int dir);

    int64_t (*realtime_us)(const struct armi_os *os);  /* since 1970, UTC */
    int64_t (*monotonic_ns)(const struct armi_os *os); /* since some moment */
    int (*sleep_ns)(const struct armi_os *os, int64_t ns);
    int (*random)(const struct armi_os *os, void *out, size_t size);
    int64_t (*process_id)(const struct armi_os *os);
};

/* The operating system's own. Static, never freed. */
const struct armi_os *armi_os_posix(void);

/*
 * What the posix table was asked for since the process started: benchmarks and tests
 * report flushes per step by differences. SQLite's own calls are not in it.
 */
struct armi_os_counters {
    uint64_t fsyncs; /* of files and folders */
    uint64_t fdatasyncs;
    uint64_t reads; /* calls */
    uint64_t bytes_read;
    uint64_t writes; /* calls */
    uint64_t bytes_written;
    uint64_t opens;
    uint64_t renames;
    uint64_t unlinks;
    uint64_t maps;
};

void armi_os_counters(struct armi_os_counters *out);

/*
 * Whole reads and writes over any table: loops over short counts. read_full returns the
 * bytes read, fewer than asked only at the end of the file; write_full and writev_full
 * return 0 or -errno
 * (-EIO if the system accepts nothing).
 */
int64_t armi_os_read_full(const struct armi_os *os, int fd, void *out, size_t size,
                          uint64_t offset);
int64_t armi_os_readv_full(const struct armi_os *os, int fd, const struct armi_slice *parts,
                           size_t count, uint64_t offset);
int armi_os_write_full(const struct armi_os *os, int fd, const void *data, size_t size,
                       uint64_t offset);
int armi_os_writev_full(const struct armi_os *os, int fd, const struct armi_slice *parts,
                        size_t count, uint64_t offset);

/* Opens a file and reads it whole into an empty buf with its own size_max (ARMI_LIMIT
 * beyond it). ARMI_NOT_FOUND if it is absent. `what` names it in messages. */
enum armi_status armi_os_read_file(const struct armi_os *os, int dir, const char *name,
                                   const char *what, struct armi_buf *out,
                                   struct armi_error *err);

/* Device, inode, size, mtime and ctime are equal: the bytes have not been changed in
 * between. */
bool armi_file_same(const struct armi_file_stat *a, const struct armi_file_stat *b);

/*
 * Takes a lock, waiting up to timeout_ns (0 = try once) and asking `interrupt` (may be
 * NULL) as it waits. ARMI_BUSY when the time is over, ARMI_INTERRUPTED, ARMI_STORAGE.
 * `what` names the lock in the message: "the write lock of 'mydata'".
 */
enum armi_status armi_os_lock_wait(const struct armi_os *os, int fd, uint64_t offset,
                                   uint64_t size, enum armi_lock_kind kind,
                                   int64_t timeout_ns,
                                   const struct armi_interrupt *interrupt, const char *what,
                                   struct armi_error *err);

#endif
