/*
 * What every user of the table needs and no table has to bring: whole reads and writes, a
 * file in one piece, waiting for a lock.
 */
#include "os/os.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"

int64_t armi_os_read_full(const struct armi_os *os, int fd, void *out, size_t size,
                          uint64_t offset)
{
    uint8_t *at = out;
    size_t done = 0;
    while (done < size) {
        int64_t n = os->pread(os, fd, at + done, size - done, offset + done);
        if (n < 0)
            return n;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (int64_t)done;
}

int armi_os_write_full(const struct armi_os *os, int fd, const void *data, size_t size,
                       uint64_t offset)
{
    const uint8_t *at = data;
    size_t done = 0;
    while (done < size) {
        int64_t n = os->pwrite(os, fd, at + done, size - done, offset + done);
        if (n <= 0)
            return n < 0 ? (int)n : -EIO;
        done += (size_t)n;
    }
    return 0;
}

/* Where a list of buffers stands after some of its bytes were moved. */
struct parts_cursor {
    const struct armi_slice *parts;
    size_t count;
    size_t skip; /* bytes of parts[0] that are done */
};

static void cursor_advance(struct parts_cursor *c, size_t n)
{
    while (c->count > 0 && n >= c->parts[0].size - c->skip) {
        n -= c->parts[0].size - c->skip;
        c->parts++;
        c->count--;
        c->skip = 0;
    }
    if (c->count > 0)
        c->skip += n;
}

/* One step: the rest of a half-done buffer alone, else as many whole ones as the table
 * takes. */
static int64_t cursor_step(const struct armi_os *os, int fd, const struct parts_cursor *c,
                           uint64_t offset, bool write)
{
    if (c->skip == 0)
        return write ? os->pwritev(os, fd, c->parts, c->count, offset)
                     : os->preadv(os, fd, c->parts, c->count, offset);
    struct armi_slice rest = {c->parts[0].data + c->skip, c->parts[0].size - c->skip};
    return write ? os->pwritev(os, fd, &rest, 1, offset)
                 : os->preadv(os, fd, &rest, 1, offset);
}

int64_t armi_os_readv_full(const struct armi_os *os, int fd, const struct armi_slice *parts,
                           size_t count, uint64_t offset)
{
    struct parts_cursor c = {parts, count, 0};
    int64_t done = 0;
    for (cursor_advance(&c, 0); c.count > 0;) {
        int64_t n = cursor_step(os, fd, &c, offset + (uint64_t)done, false);
        if (n < 0)
            return n;
        if (n == 0)
            break;
        done += n;
        cursor_advance(&c, (size_t)n);
    }
    return done;
}

int armi_os_writev_full(const struct armi_os *os, int fd, const struct armi_slice *parts,
                        size_t count, uint64_t offset)
{
    struct parts_cursor c = {parts, count, 0};
    uint64_t done = 0;
    for (cursor_advance(&c, 0); c.count > 0;) {
        int64_t n = cursor_step(os, fd, &c, offset + done, true);
        if (n <= 0)
            return n < 0 ? (int)n : -EIO;
        done += (uint64_t)n;
        cursor_advance(&c, (size_t)n);
    }
    return 0;
}

static enum armi_status read_whole(const struct armi_os *os, int fd, const char *what,
                                   struct armi_buf *out, struct armi_error *err)
{
    struct armi_file_stat st;
    int error = os->fstat(os, fd, &st);
    if (error < 0)
        return armi_error_errno(err, -error, "cannot look at %s", what);
    if (st.kind != ARMI_ENTRY_REGULAR)
        return armi_error_set(err, ARMI_CORRUPTION, "%s is not a regular file", what);
    if (st.size > SIZE_MAX / 2)
        return armi_error_set(err, ARMI_LIMIT, "%s is too large", what);
    uint8_t *at;
    ARMI_TRY(armi_buf_extend(out, (size_t)st.size, &at, err));
    int64_t n = armi_os_read_full(os, fd, at, (size_t)st.size, 0);
    if (n < 0)
        return armi_error_errno(err, (int)-n, "cannot read %s", what);
    out->size -= (size_t)st.size - (size_t)n;
    return ARMI_OK;
}

enum armi_status armi_os_read_file(const struct armi_os *os, int dir, const char *name,
                                   const char *what, struct armi_buf *out,
                                   struct armi_error *err)
{
    int fd = os->open(os, dir, name, ARMI_OPEN_READ, 0);
    if (fd == -ENOENT)
        return armi_error_set(err, ARMI_NOT_FOUND, "%s is not there", what);
    if (fd == -ELOOP)
        return armi_error_set(err, ARMI_CORRUPTION, "%s is a symbolic link, not followed",
                              what);
    if (fd < 0)
        return armi_error_errno(err, -fd, "cannot open %s", what);
    struct armi_buf bytes;
    armi_buf_init(&bytes, out->size_max);
    enum armi_status status = read_whole(os, fd, what, &bytes, err);
    os->close(os, fd);
    if (status == ARMI_OK)
        armi_buf_swap(out, &bytes);
    armi_buf_release(&bytes);
    return status;
}

bool armi_file_same(const struct armi_file_stat *a, const struct armi_file_stat *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

#define LOCK_SLEEP_MIN_NS 20000
#define LOCK_SLEEP_MAX_NS 500000

/*
 * Why not the system's own waiting form: it has no time limit, and only a signal ends it,
 * which a library must not send. Short, bounded sleeps hand a contended lock on within
 * some 100 µs, since each of the waiting looks on its own; they never back off far, which
 * would starve the unlucky.
 */
enum armi_status armi_os_lock_wait(const struct armi_os *os, int fd, uint64_t offset,
                                   uint64_t size, enum armi_lock_kind kind,
                                   int64_t timeout_ns,
                                   const struct armi_interrupt *interrupt, const char *what,
                                   struct armi_error *err)
{
    int64_t start = timeout_ns > 0 ? os->monotonic_ns(os) : 0;
    int64_t sleep = LOCK_SLEEP_MIN_NS;
    for (;;) {
        int error = os->lock(os, fd, offset, size, kind);
        if (error == 0)
            return ARMI_OK;
        if (error != -EAGAIN)
            return armi_error_errno(err, -error, "cannot take %s", what);
        if (timeout_ns <= 0)
            return armi_error_set(err, ARMI_BUSY, "%s is held by another writer", what);
        ARMI_TRY(armi_interrupt_check(interrupt, err));
        if (os->monotonic_ns(os) - start >= timeout_ns)
            return armi_error_set(
                err, ARMI_BUSY,
                "%s was held by another writer for %.1f s: is a process stopped? "
                "Try again, or raise the lock timeout",
                what, (double)timeout_ns / 1e9);
        error = os->sleep_ns(os, sleep);
        if (error < 0)
            return armi_error_errno(err, -error, "cannot wait for %s", what);
        if (sleep < LOCK_SLEEP_MAX_NS)
            sleep += sleep / 2;
    }
}
