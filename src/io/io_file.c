/*
 * Opening what a user names, and writing where a user points. Two rules: what is read
 * twice must be a file, so pipes are copied; what was there before stays until what
 * replaces it is complete.
 */
#include "io/io_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"

#define COPY_SIZE ((size_t)256 << 10)
#define TRIES     100 /* of random names */

const char *armi_io_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

enum armi_status armi_io_open(const struct armi_os *os, const char *path, int *out_fd,
                              struct armi_file_stat *out_stat, struct armi_error *err)
{
    int fd = os->open(os, ARMI_OS_CWD, path, ARMI_OPEN_READ | ARMI_OPEN_FOLLOW, 0);
    if (fd == -ENOENT)
        return armi_error_object(err, ARMI_NOT_FOUND, "file", path, "File not found: %s",
                                 path);
    if (fd < 0)
        return armi_error_errno(err, -fd, "open %s", path);
    int error = os->fstat(os, fd, out_stat);
    if (error == 0 && out_stat->kind != ARMI_ENTRY_DIRECTORY) {
        *out_fd = fd;
        return ARMI_OK;
    }
    os->close(os, fd);
    if (error < 0)
        return armi_error_errno(err, -error, "stat %s", path);
    return armi_error_set(err, ARMI_INVALID, "%s is a folder, not a file", path);
}

/* ---- copies of what cannot be read twice ---- */

static enum armi_status random_name(const struct armi_os *os, const char *prefix,
                                    const char *suffix, char out[ARMI_IO_PATH_SIZE],
                                    struct armi_error *err)
{
    uint64_t number;
    int error = os->random(os, &number, sizeof number);
    if (error < 0)
        return armi_error_errno(err, -error, "random numbers");
    int n = snprintf(out, ARMI_IO_PATH_SIZE, "%s%016" PRIx64 "%s", prefix, number, suffix);
    if (n < 0 || n >= ARMI_IO_PATH_SIZE)
        return armi_error_set(err, ARMI_LIMIT, "%s: the path is too long", prefix);
    return ARMI_OK;
}

/* A new file with a random name between prefix and suffix. */
static enum armi_status create(const struct armi_os *os, const char *prefix,
                               const char *suffix, unsigned mode,
                               char out_path[ARMI_IO_PATH_SIZE], int *out_fd,
                               struct armi_error *err)
{
    int fd = -EEXIST;
    for (int i = 0; i < TRIES && fd == -EEXIST; i++) {
        ARMI_TRY(random_name(os, prefix, suffix, out_path, err));
        fd = os->open(os, ARMI_OS_CWD, out_path,
                      ARMI_OPEN_READ | ARMI_OPEN_WRITE | ARMI_OPEN_CREATE |
                          ARMI_OPEN_EXCLUSIVE,
                      mode);
    }
    if (fd < 0)
        return armi_error_errno(err, -fd, "create %s", out_path);
    *out_fd = fd;
    return ARMI_OK;
}

static enum armi_status copy_stream(const struct armi_os *os, int from, int to,
                                    const char *name,
                                    const struct armi_interrupt *interrupt,
                                    struct armi_error *err)
{
    uint64_t offset = 0;
    uint8_t *block = armi_alloc(COPY_SIZE);
    enum armi_status st = ARMI_OK;
    if (block == NULL)
        return armi_error_no_memory(err);
    for (;;) {
        st = armi_interrupt_check(interrupt, err);
        if (st != ARMI_OK)
            break;
        int64_t n = os->read(os, from, block, COPY_SIZE);
        if (n <= 0) {
            st = n < 0 ? armi_error_errno(err, (int)-n, "read %s", name) : ARMI_OK;
            break;
        }
        int error = armi_os_write_full(os, to, block, (size_t)n, offset);
        if (error < 0) {
            st = armi_error_errno(err, -error, "write a temporary copy of %s", name);
            break;
        }
        offset += (uint64_t)n;
    }
    armi_free(block);
    return st;
}

static enum armi_status spool(const struct armi_os *os, int from, const char *name,
                              const struct armi_interrupt *interrupt, int *out_fd,
                              struct armi_file_stat *out_stat, struct armi_error *err)
{
    char prefix[ARMI_IO_PATH_SIZE], path[ARMI_IO_PATH_SIZE];
    const char *folder = getenv("TMPDIR");
    int fd = -1;
    int n = snprintf(prefix, sizeof prefix, "%s/armillaria-",
                     folder != NULL && folder[0] != '\0' ? folder : "/tmp");
    if (n < 0 || (size_t)n >= sizeof prefix)
        return armi_error_set(err, ARMI_LIMIT, "TMPDIR is too long");
    ARMI_TRY(create(os, prefix, "", 0600, path, &fd, err));
    enum armi_status st = ARMI_OK;
    int error = os->unlink(os, ARMI_OS_CWD, path);
    if (error < 0)
        st = armi_error_errno(err, -error, "unlink %s", path);
    if (st == ARMI_OK)
        st = copy_stream(os, from, fd, name, interrupt, err);
    error = st == ARMI_OK ? os->fstat(os, fd, out_stat) : 0;
    if (error < 0)
        st = armi_error_errno(err, -error, "stat the copy of %s", name);
    if (st == ARMI_OK)
        *out_fd = fd;
    else
        os->close(os, fd);
    return st;
}

enum armi_status armi_io_open_twice(const struct armi_os *os, const char *path,
                                    const struct armi_interrupt *interrupt, int *out_fd,
                                    struct armi_file_stat *out_stat, struct armi_error *err)
{
    if (strcmp(path, "-") == 0)
        return spool(os, 0, armi_io_name(path), interrupt, out_fd, out_stat, err);
    int fd;
    ARMI_TRY(armi_io_open(os, path, &fd, out_stat, err));
    if (out_stat->kind == ARMI_ENTRY_REGULAR) {
        *out_fd = fd;
        return ARMI_OK;
    }
    enum armi_status st = spool(os, fd, path, interrupt, out_fd, out_stat, err);
    os->close(os, fd);
    return st;
}

/* ---- output ---- */

static enum armi_status open_in_place(struct armi_io_output *output, struct armi_error *err)
{
    struct armi_file_stat stat;
    int fd = output->os->open(output->os, ARMI_OS_CWD, output->path,
                              ARMI_OPEN_WRITE | ARMI_OPEN_CREATE | ARMI_OPEN_TRUNCATE |
                                  ARMI_OPEN_FOLLOW,
                              ARMI_OS_MODE_FILE);
    if (fd < 0)
        return armi_error_errno(err, -fd, "open %s", output->path);
    output->fd = fd;
    output->is_ours = true;
    int error = output->os->fstat(output->os, fd, &stat);
    if (error < 0)
        return armi_error_errno(err, -error, "stat %s", output->path);
    output->is_stream = stat.kind != ARMI_ENTRY_REGULAR;
    return ARMI_OK;
}

static enum armi_status open_beside(struct armi_io_output *output, struct armi_error *err)
{
    char prefix[ARMI_IO_PATH_SIZE];
    int n = snprintf(prefix, sizeof prefix, "%s.", output->path);
    if (n < 0 || (size_t)n >= sizeof prefix)
        return armi_error_set(err, ARMI_LIMIT, "%s: the path is too long", output->path);
    ARMI_TRY(create(output->os, prefix, ".tmp", ARMI_OS_MODE_FILE, output->temporary,
                    &output->fd, err));
    output->is_ours = true;
    return ARMI_OK;
}

enum armi_status armi_io_output_open(struct armi_io_output *output,
                                     const struct armi_os *os, const char *path,
                                     struct armi_error *err)
{
    *output = (struct armi_io_output)ARMI_IO_OUTPUT_INIT;
    output->os = os;
    output->path = path;
    if (strcmp(path, "-") == 0) {
        output->fd = 1;
        output->is_stream = true;
        output->path = "standard output";
        return ARMI_OK;
    }
    struct armi_file_stat stat;
    int error = os->stat_at(os, ARMI_OS_CWD, path, &stat);
    if (error < 0 && error != -ENOENT)
        return armi_error_errno(err, -error, "stat %s", path);
    if (error == 0 && stat.kind == ARMI_ENTRY_DIRECTORY)
        return armi_error_set(err, ARMI_INVALID, "%s is a folder, not a file", path);
    output->replaces = error == 0 && stat.kind == ARMI_ENTRY_REGULAR;
    enum armi_status st = ARMI_OK;
    if (error == 0 && !output->replaces)
        st = open_in_place(output, err);
    else
        st = open_beside(output, err);
    if (st != ARMI_OK)
        armi_io_output_release(output);
    return st;
}

enum armi_status armi_io_output_write(struct armi_io_output *output, const void *data,
                                      size_t size, struct armi_error *err)
{
    const struct armi_os *os = output->os;
    const uint8_t *at = data;
    int error = 0;
    if (!output->is_stream) {
        error = armi_os_write_full(os, output->fd, data, size, output->offset);
        output->offset += size;
    }
    while (output->is_stream && size > 0 && error == 0) {
        int64_t n = os->write(os, output->fd, at, size);
        if (n > 0) {
            at += n;
            size -= (size_t)n;
        } else {
            error = n < 0 ? (int)n : -EIO;
        }
    }
    if (error < 0)
        return armi_error_errno(err, -error, "write %s", output->path);
    return ARMI_OK;
}

enum armi_status armi_io_output_commit(struct armi_io_output *output,
                                       struct armi_error *err)
{
    const struct armi_os *os = output->os;
    int fd = output->fd;
    /* A power cut must not find the old file gone and the new one not yet there. */
    int error = output->replaces ? os->fsync(os, fd) : 0;
    if (error < 0)
        return armi_error_errno(err, -error, "write %s", output->path);
    output->fd = -1;
    /* The last that a network file system may have to say about what was written. */
    error = output->is_ours ? os->close(os, fd) : 0;
    if (error < 0)
        return armi_error_errno(err, -error, "write %s", output->path);
    if (output->temporary[0] == '\0')
        return ARMI_OK;
    error = os->rename(os, ARMI_OS_CWD, output->temporary, ARMI_OS_CWD, output->path);
    if (error < 0)
        return armi_error_errno(err, -error, "rename %s to %s", output->temporary,
                                output->path);
    output->temporary[0] = '\0';
    return ARMI_OK;
}

void armi_io_output_release(struct armi_io_output *output)
{
    if (output->fd >= 0 && output->is_ours)
        output->os->close(output->os, output->fd);
    output->fd = -1;
    if (output->temporary[0] != '\0')
        output->os->unlink(output->os, ARMI_OS_CWD, output->temporary);
    output->temporary[0] = '\0';
}
