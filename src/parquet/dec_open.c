/*
 * The public ways to open a file, as sources: bytes in memory, which are handed out in place, and a
 * file on disk, which is read by pread alone: it is not ours, and a mapping of a file that somebody
 * cuts short kills the process.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "os/os.h"
#include "parquet/dec_file.h"

struct memory_source {
    atomic_uint references;
    struct armi_bytes bytes;
};

static enum armi_status memory_map(void *ctx, uint64_t offset, size_t size,
                                   const uint8_t **out, struct armi_error *err)
{
    struct memory_source *m = ctx;
    (void)size;
    (void)err;
    *out = m->bytes.data + offset;
    return ARMI_OK;
}

static enum armi_status memory_read(void *ctx, uint64_t offset, size_t size, uint8_t *out,
                                    struct armi_error *err)
{
    struct memory_source *m = ctx;
    (void)err;
    if (size > 0)
        memcpy(out, m->bytes.data + offset, size);
    return ARMI_OK;
}

static void memory_retain(void *ctx)
{
    struct memory_source *m = ctx;
    atomic_fetch_add(&m->references, 1);
}

static void memory_release(void *ctx)
{
    struct memory_source *m = ctx;
    if (atomic_fetch_sub(&m->references, 1) != 1)
        return;
    armi_bytes_release(&m->bytes);
    armi_free(m);
}

enum armi_status armi_parquet_file_open(struct armi_bytes *bytes,
                                        struct armi_parquet_file **out,
                                        struct armi_error *err)
{
    struct memory_source *m = armi_alloc_zero(1, sizeof *m);
    if (m == NULL) {
        armi_bytes_release(bytes);
        return armi_error_no_memory(err);
    }
    atomic_init(&m->references, 1);
    m->bytes = *bytes;
    *bytes = (struct armi_bytes)ARMI_BYTES_INIT;
    struct armi_source source = {.size = m->bytes.size,
                                 .ctx = m,
                                 .read = memory_read,
                                 .map = memory_map,
                                 .retain = memory_retain,
                                 .release = memory_release};
    enum armi_status status = armi_pq_file_open(&source, NULL, out, err);
    memory_release(m);
    return status;
}

struct disk_source {
    atomic_uint references;
    const struct armi_os *os;
    int fd;
    char *path;
};

static enum armi_status disk_read(void *ctx, uint64_t offset, size_t size, uint8_t *out,
                                  struct armi_error *err)
{
    struct disk_source *d = ctx;
    int64_t n = armi_os_read_full(d->os, d->fd, out, size, offset);
    if (n < 0)
        return armi_error_errno(err, (int)-n, "read '%s'", d->path);
    if ((uint64_t)n != size)
        return armi_error_set(err, ARMI_CORRUPTION, "'%s' became shorter while it was read",
                              d->path);
    return ARMI_OK;
}

static void disk_retain(void *ctx)
{
    struct disk_source *d = ctx;
    atomic_fetch_add(&d->references, 1);
}

static void disk_release(void *ctx)
{
    struct disk_source *d = ctx;
    if (atomic_fetch_sub(&d->references, 1) != 1)
        return;
    if (d->fd >= 0)
        d->os->close(d->os, d->fd);
    armi_free(d->path);
    armi_free(d);
}

static enum armi_status disk_open(struct disk_source *d, const char *path,
                                  uint64_t *out_size, struct armi_error *err)
{
    struct armi_file_stat stat;
    d->fd = d->os->open(d->os, ARMI_OS_CWD, path, ARMI_OPEN_READ | ARMI_OPEN_FOLLOW, 0);
    if (d->fd == -ENOENT)
        return armi_error_object(err, ARMI_NOT_FOUND, "file", path, "File not found: %s",
                                 path);
    if (d->fd < 0)
        return armi_error_errno(err, -d->fd, "open '%s'", path);
    int n = d->os->fstat(d->os, d->fd, &stat);
    if (n < 0)
        return armi_error_errno(err, -n, "stat '%s'", path);
    if (stat.kind != ARMI_ENTRY_REGULAR)
        return armi_error_set(err, ARMI_INVALID, "'%s' is not a regular file", path);
    *out_size = stat.size;
    d->path = armi_strdup(path);
    return d->path != NULL ? ARMI_OK : armi_error_no_memory(err);
}

enum armi_status armi_parquet_file_open_path(const char *path,
                                             struct armi_parquet_file **out,
                                             struct armi_error *err)
{
    struct disk_source *d = armi_alloc_zero(1, sizeof *d);
    if (d == NULL)
        return armi_error_no_memory(err);
    atomic_init(&d->references, 1);
    d->os = armi_os_posix();
    d->fd = -1;
    struct armi_source source = {
        .ctx = d, .read = disk_read, .retain = disk_retain, .release = disk_release};
    enum armi_status status = disk_open(d, path, &source.size, err);
    if (status == ARMI_OK) {
        status = armi_pq_file_open(&source, NULL, out, err);
        if (status != ARMI_OK)
            status = armi_error_prefix(err, status, "'%s'", path);
    }
    disk_release(d);
    return status;
}

void armi_parquet_file_close(struct armi_parquet_file *file)
{
    armi_pq_file_unref(file);
}
