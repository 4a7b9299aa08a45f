/*
 * Opening a stand-alone chunk store: what a folder must look like, and making one.
 *
 *     chunks/   the chunks; made last, so that a folder that has it has the rest
 *     tmp/      files on their way
 *     lock      for programs that lock the folder; a stand-alone store takes no lock on it
 *     scratch   only in a store that was made with durability none: its files may be torn
 *               after a power cut, so it must never be taken for a durable one
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "os/lockfile.h"
#include "store/front.h"
#include "store/front_internal.h"

#define SCRATCH_NAME "scratch"

/* What a folder holds, as far as it matters here. */
struct contents {
    bool chunks, scratch, repository, other;
    char first_other[64];
};

static int look(void *ctx, const char *name, enum armi_entry_kind kind)
{
    (void)kind;
    struct contents *c = ctx;
    if (strcmp(name, ARMI_STORE_CHUNKS_DIR) == 0) {
        c->chunks = true;
    } else if (strcmp(name, SCRATCH_NAME) == 0) {
        c->scratch = true;
    } else if (strcmp(name, "FORMAT") == 0 || strncmp(name, "catalog.db", 10) == 0) {
        c->repository = true;
    } else if (strcmp(name, ARMI_STORE_TMP_DIR) != 0 &&
               strcmp(name, ARMI_LOCKFILE_NAME) != 0) {
        c->other = true;
        snprintf(c->first_other, sizeof c->first_other, "%s", name);
    }
    return 0;
}

/* So that a new folder's own name is durable. A file system root has nothing to sync. */
static int sync_parent(const struct armi_os *os, const char *path)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    while (size > 0 && path[size - 1] != '/')
        size--;
    char *parent = size == 0 ? armi_strdup(".") : armi_strndup(path, size);
    if (parent == NULL)
        return -ENOMEM;
    unsigned flags = ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY | ARMI_OPEN_FOLLOW;
    int fd = os->open(os, ARMI_OS_CWD, parent, flags, 0);
    armi_free(parent);
    if (fd < 0)
        return fd;
    int error = os->fsync(os, fd);
    os->close(os, fd);
    return error;
}

static enum armi_status open_root(const struct armi_os *os, const char *path, bool create,
                                  bool durable, int *out, struct armi_error *err)
{
    unsigned flags = ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY | ARMI_OPEN_FOLLOW;
    int fd = os->open(os, ARMI_OS_CWD, path, flags, 0);
    if (fd == -ENOENT && create) {
        int error = os->mkdir(os, ARMI_OS_CWD, path);
        if (error < 0 && error != -EEXIST)
            return armi_error_errno(err, -error, "cannot make the folder '%s'", path);
        fd = os->open(os, ARMI_OS_CWD, path, flags, 0);
        error = fd >= 0 && durable ? sync_parent(os, path) : 0;
        if (error < 0) {
            os->close(os, fd);
            return armi_error_errno(err, -error, "cannot sync the folder that holds '%s'",
                                    path);
        }
    }
    if (fd == -ENOENT)
        return armi_error_object(err, ARMI_NOT_FOUND, "chunk store", path,
                                 "There is no chunk store at '%s'", path);
    if (fd == -ENOTDIR)
        return armi_error_set(err, ARMI_INVALID, "'%s' is not a folder", path);
    if (fd < 0)
        return armi_error_errno(err, -fd, "cannot open the folder '%s'", path);
    *out = fd;
    return ARMI_OK;
}

static enum armi_status make(const struct armi_os *os, int root, const char *path,
                             enum armi_durability durability, struct armi_error *err)
{
    if (durability == ARMI_DURABILITY_NONE) {
        unsigned flags = ARMI_OPEN_WRITE | ARMI_OPEN_CREATE;
        int fd = os->open(os, root, SCRATCH_NAME, flags, ARMI_OS_MODE_FILE);
        if (fd < 0)
            return armi_error_errno(err, -fd, "cannot make '%s/" SCRATCH_NAME "'", path);
        os->close(os, fd);
    }
    enum armi_status status = armi_store_create(os, root, durability, err);
    return status == ARMI_OK ? ARMI_OK : armi_error_prefix(err, status, "'%s'", path);
}

/* Settles *durability by what the folder was made with. */
static enum armi_status durability_check(const struct contents *c, const char *path,
                                         enum armi_durability *durability,
                                         struct armi_error *err)
{
    if (*durability > ARMI_DURABILITY_NONE)
        return armi_error_set(err, ARMI_INVALID, "unknown durability %u",
                              (unsigned)*durability);
    bool none = *durability == ARMI_DURABILITY_NONE;
    if (c->scratch && *durability == ARMI_DURABILITY_DEFAULT)
        *durability = ARMI_DURABILITY_NONE;
    else if (c->scratch && !none)
        return armi_error_set(
            err, ARMI_INVALID,
            "'%s' was made with durability none, and its chunks may be torn "
            "after a power cut: make a new store for durable ones",
            path);
    else if (c->chunks && !c->scratch && none)
        return armi_error_set(
            err, ARMI_INVALID,
            "'%s' was made to be durable; durability none is for new stores", path);
    return ARMI_OK;
}

static enum armi_status root_check(const struct armi_os *os, int root, const char *path,
                                   bool create, enum armi_durability *durability,
                                   struct armi_error *err)
{
    struct contents c = {0};
    int error = os->list(os, root, look, &c);
    if (error < 0)
        return armi_error_errno(err, -error, "cannot list the folder '%s'", path);
    if (c.repository)
        return armi_error_set(
            err, ARMI_INVALID,
            "'%s' is a repository, not a chunk store: open it as one, its chunks "
            "are part of it",
            path);
    if (!c.chunks && c.other)
        return armi_error_set(
            err, ARMI_INVALID,
            "'%s' is not a chunk store: it holds '%s' and no folder 'chunks'", path,
            c.first_other);
    if (!c.chunks && !create)
        return armi_error_object(err, ARMI_NOT_FOUND, "chunk store", path,
                                 "There is no chunk store at '%s'", path);
    ARMI_TRY(durability_check(&c, path, durability, err));
    return c.chunks ? ARMI_OK : make(os, root, path, *durability, err);
}

static enum armi_status open_in(const struct armi_os *os, int root, const char *path,
                                const struct armi_chunk_store_options *o,
                                struct armi_chunk_store **out, struct armi_error *err)
{
    struct armi_store *store = NULL;
    struct armi_store_options options = {
        .os = os, .durability = o->durability, .no_verify = o->no_verify};
    bool network = os->fs_kind(os, root) == ARMI_FS_NETWORK && !o->unsafe_network;
    options.read_only = o->read_only || network || os->writable(os, root) == -EROFS;
    ARMI_TRY(root_check(os, root, path, !o->no_create && !options.read_only,
                        &options.durability, err));
    ARMI_TRY(armi_store_open(root, path, &options, &store, err));
    enum armi_status status = armi_chunk_store_wrap(store, path, NULL, o, out, err);
    armi_store_release(store);
    return status;
}

enum armi_status armi_chunk_store_open_os(const struct armi_os *os, const char *path,
                                          const struct armi_chunk_store_options *options,
                                          struct armi_chunk_store **out,
                                          struct armi_error *err)
{
    struct armi_chunk_store_options o = armi_chunk_store_options_read(options);
    bool create = !o.no_create && !o.read_only;
    int root = -1;
    ARMI_TRY(open_root(os, path, create, o.durability != ARMI_DURABILITY_NONE, &root, err));
    enum armi_status status = open_in(os, root, path, &o, out, err);
    os->close(os, root);
    return status;
}

enum armi_status armi_chunk_store_open(const char *path,
                                       const struct armi_chunk_store_options *options,
                                       struct armi_chunk_store **out,
                                       struct armi_error *err)
{
    return armi_chunk_store_open_os(armi_os_posix(), path, options, out, err);
}
