#include "os_fault.h"

#include <stdatomic.h>
#include <stdlib.h>

struct os_fault {
    struct armi_os table;
    const struct armi_os *under;
    _Atomic uint64_t calls;
    uint64_t fail_at;
    unsigned kinds;
    int errnum;
    bool persistent;
    atomic_bool fired;
    size_t io_max;
    bool skips_files, skips_folders;
};

/* 0 to go on, or what the call shall answer. */
static int fault_check(const struct armi_os *os, unsigned kind)
{
    struct os_fault *f = os->ctx;
    if (f->persistent && atomic_load(&f->fired))
        return -f->errnum;
    if ((f->kinds & kind) == 0)
        return 0;
    uint64_t n = atomic_fetch_add(&f->calls, 1) + 1;
    if (f->fail_at == 0 || n != f->fail_at)
        return 0;
    atomic_store(&f->fired, true);
    return -f->errnum;
}

static const struct armi_os *below(const struct armi_os *os)
{
    return ((struct os_fault *)os->ctx)->under;
}

static size_t io_size(const struct armi_os *os, size_t size)
{
    size_t max = ((struct os_fault *)os->ctx)->io_max;
    return max != 0 && size > max ? max : size;
}

#define FAULT(kind)                                                                        \
    do {                                                                                   \
        int fault_ = fault_check(os, kind);                                                \
        if (fault_ != 0)                                                                   \
            return fault_;                                                                 \
    } while (0)

static int fault_open(const struct armi_os *os, int dir, const char *path, unsigned flags,
                      unsigned mode)
{
    FAULT(OS_FAULT_OPEN);
    return below(os)->open(below(os), dir, path, flags, mode);
}

static int fault_close(const struct armi_os *os, int fd)
{
    int fault = fault_check(os, OS_FAULT_CLOSE);
    int result = below(os)->close(below(os), fd);
    return fault != 0 ? fault : result;
}

static int64_t fault_pread(const struct armi_os *os, int fd, void *out, size_t size,
                           uint64_t offset)
{
    FAULT(OS_FAULT_READ);
    return below(os)->pread(below(os), fd, out, io_size(os, size), offset);
}

static int64_t fault_pwrite(const struct armi_os *os, int fd, const void *data, size_t size,
                            uint64_t offset)
{
    FAULT(OS_FAULT_WRITE);
    return below(os)->pwrite(below(os), fd, data, io_size(os, size), offset);
}

static int64_t fault_read(const struct armi_os *os, int fd, void *out, size_t size)
{
    FAULT(OS_FAULT_READ);
    return below(os)->read(below(os), fd, out, io_size(os, size));
}

static int64_t fault_write(const struct armi_os *os, int fd, const void *data, size_t size)
{
    FAULT(OS_FAULT_WRITE);
    return below(os)->write(below(os), fd, data, io_size(os, size));
}

/* A limited list moves a part of its first buffer that is not empty. */
static struct armi_slice first_part(const struct armi_os *os,
                                    const struct armi_slice *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (parts[i].size > 0)
            return (struct armi_slice){parts[i].data, io_size(os, parts[i].size)};
    return (struct armi_slice){NULL, 0};
}

static int64_t fault_preadv(const struct armi_os *os, int fd,
                            const struct armi_slice *parts, size_t count, uint64_t offset)
{
    FAULT(OS_FAULT_READ);
    struct armi_slice one = first_part(os, parts, count);
    bool limited = ((struct os_fault *)os->ctx)->io_max != 0;
    return below(os)->preadv(below(os), fd, limited ? &one : parts, limited ? 1 : count,
                             offset);
}

static int64_t fault_pwritev(const struct armi_os *os, int fd,
                             const struct armi_slice *parts, size_t count, uint64_t offset)
{
    FAULT(OS_FAULT_WRITE);
    struct armi_slice one = first_part(os, parts, count);
    bool limited = ((struct os_fault *)os->ctx)->io_max != 0;
    return below(os)->pwritev(below(os), fd, limited ? &one : parts, limited ? 1 : count,
                              offset);
}

static bool is_skipped(const struct armi_os *os, int fd)
{
    const struct os_fault *f = os->ctx;
    struct armi_file_stat st;
    if ((!f->skips_files && !f->skips_folders) || below(os)->fstat(below(os), fd, &st) < 0)
        return false;
    return st.kind == ARMI_ENTRY_DIRECTORY ? f->skips_folders : f->skips_files;
}

static int fault_fsync(const struct armi_os *os, int fd)
{
    FAULT(OS_FAULT_SYNC);
    if (is_skipped(os, fd))
        return 0;
    return below(os)->fsync(below(os), fd);
}

static int fault_fdatasync(const struct armi_os *os, int fd)
{
    FAULT(OS_FAULT_SYNC);
    if (is_skipped(os, fd))
        return 0;
    return below(os)->fdatasync(below(os), fd);
}

static int fault_start_writeback(const struct armi_os *os, int fd, uint64_t offset,
                                 uint64_t size)
{
    FAULT(OS_FAULT_OTHER);
    return below(os)->start_writeback(below(os), fd, offset, size);
}

static int fault_ftruncate(const struct armi_os *os, int fd, uint64_t size)
{
    FAULT(OS_FAULT_WRITE);
    return below(os)->ftruncate(below(os), fd, size);
}

static int fault_fstat(const struct armi_os *os, int fd, struct armi_file_stat *out)
{
    FAULT(OS_FAULT_STAT);
    return below(os)->fstat(below(os), fd, out);
}

static int fault_stat_at(const struct armi_os *os, int dir, const char *name,
                         struct armi_file_stat *out)
{
    FAULT(OS_FAULT_STAT);
    return below(os)->stat_at(below(os), dir, name, out);
}

static int fault_rename_new(const struct armi_os *os, int from_dir, const char *from,
                            int to_dir, const char *to)
{
    FAULT(OS_FAULT_NAMES);
    return below(os)->rename_new(below(os), from_dir, from, to_dir, to);
}

static int fault_rename(const struct armi_os *os, int from_dir, const char *from,
                        int to_dir, const char *to)
{
    FAULT(OS_FAULT_NAMES);
    return below(os)->rename(below(os), from_dir, from, to_dir, to);
}

static int fault_unlink(const struct armi_os *os, int dir, const char *name)
{
    FAULT(OS_FAULT_NAMES);
    return below(os)->unlink(below(os), dir, name);
}

static int fault_mkdir(const struct armi_os *os, int dir, const char *name)
{
    FAULT(OS_FAULT_NAMES);
    return below(os)->mkdir(below(os), dir, name);
}

static int fault_rmdir(const struct armi_os *os, int dir, const char *name)
{
    FAULT(OS_FAULT_NAMES);
    return below(os)->rmdir(below(os), dir, name);
}

static int fault_list(const struct armi_os *os, int dir, armi_list_fn fn, void *ctx)
{
    FAULT(OS_FAULT_LIST);
    return below(os)->list(below(os), dir, fn, ctx);
}

static int fault_lock(const struct armi_os *os, int fd, uint64_t offset, uint64_t size,
                      enum armi_lock_kind kind)
{
    FAULT(OS_FAULT_LOCK);
    return below(os)->lock(below(os), fd, offset, size, kind);
}

static int fault_unlock(const struct armi_os *os, int fd, uint64_t offset, uint64_t size)
{
    int fault = fault_check(os, OS_FAULT_LOCK);
    int result = below(os)->unlock(below(os), fd, offset, size);
    return fault != 0 ? fault : result;
}

static int fault_lock_probe(const struct armi_os *os, int fd, uint64_t offset,
                            uint64_t size, enum armi_lock_kind kind)
{
    FAULT(OS_FAULT_LOCK);
    return below(os)->lock_probe(below(os), fd, offset, size, kind);
}

static int fault_map(const struct armi_os *os, int fd, uint64_t offset, size_t size,
                     void **out)
{
    FAULT(OS_FAULT_MAP);
    return below(os)->map(below(os), fd, offset, size, out);
}

static int fault_unmap(const struct armi_os *os, void *at, size_t size)
{
    int fault = fault_check(os, OS_FAULT_MAP);
    int result = below(os)->unmap(below(os), at, size);
    return fault != 0 ? fault : result;
}

static int fault_advise(const struct armi_os *os, void *at, size_t size,
                        enum armi_map_advice advice)
{
    FAULT(OS_FAULT_OTHER);
    return below(os)->advise(below(os), at, size, advice);
}

static int fault_fs_kind(const struct armi_os *os, int fd)
{
    FAULT(OS_FAULT_OTHER);
    return below(os)->fs_kind(below(os), fd);
}

static int fault_writable(const struct armi_os *os, int dir)
{
    FAULT(OS_FAULT_OTHER);
    return below(os)->writable(below(os), dir);
}

static int64_t fault_realtime_us(const struct armi_os *os)
{
    return below(os)->realtime_us(below(os));
}

static int64_t fault_monotonic_ns(const struct armi_os *os)
{
    return below(os)->monotonic_ns(below(os));
}

static int fault_sleep_ns(const struct armi_os *os, int64_t ns)
{
    return below(os)->sleep_ns(below(os), ns);
}

static int fault_random(const struct armi_os *os, void *out, size_t size)
{
    FAULT(OS_FAULT_OTHER);
    return below(os)->random(below(os), out, size);
}

static int64_t fault_process_id(const struct armi_os *os)
{
    return below(os)->process_id(below(os));
}

static const struct armi_os fault_table = {
    .open = fault_open,
    .close = fault_close,
    .pread = fault_pread,
    .preadv = fault_preadv,
    .pwrite = fault_pwrite,
    .pwritev = fault_pwritev,
    .read = fault_read,
    .write = fault_write,
    .fsync = fault_fsync,
    .fdatasync = fault_fdatasync,
    .start_writeback = fault_start_writeback,
    .ftruncate = fault_ftruncate,
    .fstat = fault_fstat,
    .stat_at = fault_stat_at,
    .rename_new = fault_rename_new,
    .rename = fault_rename,
    .unlink = fault_unlink,
    .mkdir = fault_mkdir,
    .rmdir = fault_rmdir,
    .list = fault_list,
    .lock = fault_lock,
    .unlock = fault_unlock,
    .lock_probe = fault_lock_probe,
    .map = fault_map,
    .unmap = fault_unmap,
    .advise = fault_advise,
    .fs_kind = fault_fs_kind,
    .writable = fault_writable,
    .realtime_us = fault_realtime_us,
    .monotonic_ns = fault_monotonic_ns,
    .sleep_ns = fault_sleep_ns,
    .random = fault_random,
    .process_id = fault_process_id,
};

struct os_fault *os_fault_new(const struct armi_os *under)
{
    struct os_fault *fault = calloc(1, sizeof *fault);
    if (fault == NULL)
        abort();
    fault->table = fault_table;
    fault->table.ctx = fault;
    fault->under = under;
    fault->kinds = OS_FAULT_ANY;
    return fault;
}

void os_fault_free(struct os_fault *fault)
{
    free(fault);
}

const struct armi_os *os_fault_table(struct os_fault *fault)
{
    return &fault->table;
}

void os_fault_arm(struct os_fault *fault, uint64_t n, unsigned kinds, int errnum,
                  bool persistent)
{
    fault->fail_at = n;
    fault->kinds = kinds;
    fault->errnum = errnum;
    fault->persistent = persistent;
    atomic_store(&fault->fired, false);
    atomic_store(&fault->calls, 0);
}

bool os_fault_fired(const struct os_fault *fault)
{
    return atomic_load(&fault->fired);
}

uint64_t os_fault_calls(const struct os_fault *fault)
{
    return atomic_load(&fault->calls);
}

void os_fault_skip_syncs(struct os_fault *fault, bool of_files, bool of_folders)
{
    fault->skips_files = of_files;
    fault->skips_folders = of_folders;
}

void os_fault_limit_io(struct os_fault *fault, size_t size)
{
    fault->io_max = size;
}
