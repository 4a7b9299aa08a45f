/*
 * Opening and making repositories.
 *
 * A repository is made in an order that a crash may cut anywhere: folders, catalog, and FORMAT
 * last. A folder without FORMAT but with nothing foreign in it is one that was cut, and is
 * completed; whatever else is there is refused by name.
 */
#include "repo/repo_open.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <armillaria/version.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "os/lockfile.h"
#include "repo/repo_internal.h"

#define CACHE_BYTES (256 * ARMI_MIB)

const char *armi_version(void)
{
    return ARMI_VERSION;
}

/* ---- the core ---- */

struct armi_core *armi_core_ref(struct armi_core *core)
{
    atomic_fetch_add(&core->owners, 1);
    return core;
}

void armi_core_unref(struct armi_core *core)
{
    if (core == NULL || atomic_fetch_sub(&core->owners, 1) != 1)
        return;
    armi_column_cache_free(core->cache);
    armi_catalog_close(core->catalog);
    armi_store_release(core->store);
    if (core->dir >= 0)
        core->os->close(core->os, core->dir);
    armi_free(core->path);
    armi_free(core);
}

static void core_retain(void *ctx)
{
    armi_core_ref(ctx);
}

static void core_release(void *ctx)
{
    armi_core_unref(ctx);
}

enum armi_status armi_core_open_tiny(struct armi_core *core, const struct armi_hash *hash,
                                     struct armi_chunk **out, struct armi_error *err)
{
    struct armi_buf buf = {0};
    struct armi_bytes bytes = {0};
    struct armi_chunk_options options = {.no_verify = true}; /* the catalog proved it */
    ARMI_TRY(armi_catalog_get_chunk(core->catalog, hash, &buf, err));
    armi_buf_to_bytes(&buf, &bytes);
    return armi_chunk_from_bytes(hash, &bytes, &options, out, err);
}

static enum armi_status core_open_chunk(void *ctx, const struct armi_chunk_ref *ref,
                                        struct armi_chunk **out, struct armi_error *err)
{
    struct armi_core *core = ctx;
    if (ref->kind == ARMI_CHUNK_CATALOG)
        return armi_core_open_tiny(core, &ref->hash, out, err);
    struct armi_chunk_options options = {
        .file_size = ref->file_size,
        .footer_size = ref->footer_size,
        .no_verify = core->no_verify,
    };
    return armi_chunk_open(core->store, &ref->hash, &options, out, err);
}

struct armi_table_io armi_core_io(struct armi_core *core)
{
    return (struct armi_table_io){
        .nodes = core->nodes,
        .open_chunk = core_open_chunk,
        .retain = core_retain,
        .release = core_release,
        .ctx = core,
        .parallel = {.threads = core->threads},
    };
}

enum armi_status armi_core_check_writable(const struct armi_core *core,
                                          struct armi_error *err)
{
    if (!core->read_only)
        return ARMI_OK;
    if (core->format.write_unsupported)
        return armi_error_object(
            err, ARMI_INVALID, "repository", core->path,
            "%s is open for reading only: writing needs a newer version", core->path);
    return armi_error_object(err, ARMI_INVALID, "repository", core->path,
                             "%s is open for reading only", core->path);
}

struct armi_callbacks armi_repo_callbacks(const struct armi_repository *repo,
                                          const struct armi_callbacks *own)
{
    bool given = own != NULL && (own->interrupted != NULL || own->progress != NULL);
    return given ? *own : repo->callbacks;
}

/* ---- what is in the folder ---- */

struct inventory {
    bool format, foreign;
    char foreign_name[ARMI_OS_NAME_SIZE];
};

static int inventory_add(void *ctx, const char *name, enum armi_entry_kind kind)
{
    static const char *const ours[] = {
        ARMI_CATALOG_FILE,
        ARMI_CATALOG_FILE "-wal",
        ARMI_CATALOG_FILE "-shm",
        ARMI_CATALOG_FILE "-journal",
        ARMI_STORE_CHUNKS_DIR,
        ARMI_STORE_TMP_DIR,
        ARMI_LOCKFILE_NAME,
        "FORMAT.tmp",
        "lost+found",
    };
    struct inventory *inventory = ctx;
    (void)kind;
    if (strcmp(name, ARMI_FORMAT_FILE) == 0) {
        inventory->format = true;
        return 0;
    }
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (strcmp(name, ours[i]) == 0)
            return 0;
    inventory->foreign = true;
    snprintf(inventory->foreign_name, sizeof inventory->foreign_name, "%s", name);
    return 0;
}

static enum armi_status folder_open(struct armi_core *core, bool create,
                                    struct armi_error *err)
{
    const struct armi_os *os = core->os;
    const unsigned flags = ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY | ARMI_OPEN_FOLLOW;
    core->dir = os->open(os, ARMI_OS_CWD, core->path, flags, 0);
    if (core->dir == -ENOENT && create) {
        int made = os->mkdir(os, ARMI_OS_CWD, core->path);
        if (made < 0 && made != -EEXIST)
            return armi_error_errno(err, -made, "cannot make folder %s", core->path);
        core->dir = os->open(os, ARMI_OS_CWD, core->path, flags, 0);
    }
    if (core->dir == -ENOENT)
        return armi_error_object(err, ARMI_NOT_FOUND, "repository", core->path,
                                 "no repository at %s; make one with `armi init`",
                                 core->path);
    if (core->dir == -ENOTDIR)
        return armi_error_object(err, ARMI_INVALID, "repository", core->path,
                                 "%s is a file, not a repository folder", core->path);
    if (core->dir < 0)
        return armi_error_errno(err, -core->dir, "cannot open folder %s", core->path);
    return ARMI_OK;
}

/* ---- making ---- */

static struct armi_catalog_options catalog_options(struct armi_core *core)
{
    return (struct armi_catalog_options){
        .os = core->os,
        .durability = core->durability,
        .read_only = core->read_only,
        .lock_timeout_ms = core->lock_timeout_ms,
    };
}

static enum armi_status format_write(struct armi_core *core,
                                     const struct armi_format *format,
                                     struct armi_error *err)
{
    const struct armi_os *os = core->os;
    struct armi_buf text = {0};
    ARMI_TRY(armi_format_encode(format, &text, err));
    int fd = os->open(os, core->dir, "FORMAT.tmp",
                      ARMI_OPEN_WRITE | ARMI_OPEN_CREATE | ARMI_OPEN_TRUNCATE,
                      ARMI_OS_MODE_FILE);
    int failed = fd < 0 ? fd : armi_os_write_full(os, fd, text.data, text.size, 0);
    if (failed == 0 && core->durability != ARMI_DURABILITY_NONE)
        failed = os->fsync(os, fd);
    if (fd >= 0)
        os->close(os, fd);
    if (failed == 0)
        failed = os->rename(os, core->dir, "FORMAT.tmp", core->dir, ARMI_FORMAT_FILE);
    if (failed == 0 && core->durability != ARMI_DURABILITY_NONE)
        failed = os->fsync(os, core->dir);
    armi_buf_release(&text);
    return failed < 0 ? armi_error_errno(err, -failed, "cannot write %s/FORMAT", core->path)
                      : ARMI_OK;
}

/* The folder's own name is durable when its parent is flushed. */
static enum armi_status parent_sync(struct armi_core *core, struct armi_error *err)
{
    const struct armi_os *os = core->os;
    if (core->durability == ARMI_DURABILITY_NONE)
        return ARMI_OK;
    int up = os->open(os, core->dir, "..", ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0);
    int failed = up < 0 ? up : os->fsync(os, up);
    if (up >= 0)
        os->close(os, up);
    /* A parent that we may pass through but not open: the name is up to who made it. */
    if (failed < 0 && failed != -EACCES && failed != -EINVAL)
        return armi_error_errno(err, -failed, "cannot flush the folder of %s", core->path);
    return ARMI_OK;
}

static enum armi_status repository_make(struct armi_core *core, struct armi_error *err)
{
    struct armi_format format = {.durability_none =
                                     core->durability == ARMI_DURABILITY_NONE};
    struct armi_catalog_options options = catalog_options(core);
    int writable = core->os->writable(core->os, core->dir);
    if (writable < 0)
        return armi_error_errno(err, -writable, "cannot make a repository in %s",
                                core->path);
    struct armi_lock lock = ARMI_LOCK_INIT;
    struct inventory inventory = {0};
    ARMI_TRY(armi_store_create(core->os, core->dir, core->durability, err));
    /* One at a time; who was not the first finds it made. */
    ARMI_TRY(armi_lock_acquire(core->os, core->dir, ARMI_LOCK_BYTE_QUEUE,
                               ARMI_LOCK_EXCLUSIVE,
                               (int64_t)core->lock_timeout_ms * 1000000, NULL,
                               "the lock of a repository that is being made", &lock, err));
    enum armi_status st = ARMI_OK;
    int failed = core->os->list(core->os, core->dir, inventory_add, &inventory);
    if (failed < 0)
        st = armi_error_errno(err, -failed, "cannot list %s", core->path);
    if (st == ARMI_OK && !inventory.format) {
        st = armi_catalog_create(core->path, &options, format.id, err);
        if (st == ARMI_OK)
            st = format_write(core, &format, err);
        if (st == ARMI_OK)
            st = parent_sync(core, err);
    }
    armi_lock_release(&lock);
    return st;
}

/* ---- opening ---- */

static enum armi_status format_read(struct armi_core *core, struct armi_error *err)
{
    struct armi_buf text;
    armi_buf_init(&text, 64 * ARMI_KIB);
    enum armi_status st = armi_os_read_file(core->os, core->dir, ARMI_FORMAT_FILE,
                                            "the repository's FORMAT file", &text, err);
    if (st == ARMI_OK)
        st = armi_format_decode(armi_buf_slice(&text), &core->format, err);
    armi_buf_release(&text);
    if (st != ARMI_OK)
        return armi_error_prefix(err, st, "%s", core->path);
    return ARMI_OK;
}

/* What was asked for against what the repository was made with. */
static enum armi_status durability_settle(struct armi_core *core,
                                          enum armi_durability wanted,
                                          struct armi_error *err)
{
    bool none = core->format.durability_none;
    if (none && (wanted == ARMI_DURABILITY_FULL || wanted == ARMI_DURABILITY_NORMAL))
        return armi_error_object(
            err, ARMI_INVALID, "repository", core->path,
            "%s was made with durability \"none\", and cannot be opened "
            "with another",
            core->path);
    if (!none && wanted == ARMI_DURABILITY_NONE)
        return armi_error_object(err, ARMI_INVALID, "repository", core->path,
                                 "durability \"none\" is chosen when a repository is made; "
                                 "%s was not made so",
                                 core->path);
    core->durability = none                               ? ARMI_DURABILITY_NONE
                       : wanted == ARMI_DURABILITY_NORMAL ? ARMI_DURABILITY_NORMAL
                                                          : ARMI_DURABILITY_FULL;
    return ARMI_OK;
}

static enum armi_status parts_open(struct armi_core *core, struct armi_error *err)
{
    uint8_t id[ARMI_REPO_ID_SIZE];
    struct armi_store_options store = {
        .os = core->os,
        .durability = core->durability,
        .no_verify = core->no_verify,
        .read_only = core->read_only,
    };
    struct armi_catalog_options options = catalog_options(core);
    ARMI_TRY(armi_catalog_open(core->path, &options, &core->catalog, err));
    ARMI_TRY(armi_catalog_id(core->catalog, id, err));
    if (memcmp(id, core->format.id, sizeof id) != 0)
        return armi_error_object(err, ARMI_CORRUPTION, "repository", core->path,
                                 "%s/catalog.db belongs to another repository than FORMAT",
                                 core->path);
    core->nodes = armi_catalog_source(core->catalog);
    return armi_store_open(core->dir, core->path, &store, &core->store, err);
}

/* A folder that is there: a repository, an empty place for one, or something else. */
static enum armi_status folder_settle(struct armi_core *core,
                                      const struct armi_open_options *options,
                                      struct armi_error *err)
{
    struct inventory inventory = {0};
    int failed = core->os->list(core->os, core->dir, inventory_add, &inventory);
    if (failed < 0)
        return armi_error_errno(err, -failed, "cannot list %s", core->path);
    if (!inventory.format && inventory.foreign)
        return armi_error_object(
            err, ARMI_INVALID, "repository", core->path,
            "%s is not a repository: it holds \"%s\" and no FORMAT file", core->path,
            inventory.foreign_name);
    if (!inventory.format) {
        if (options->no_create || options->read_only)
            return armi_error_object(err, ARMI_NOT_FOUND, "repository", core->path,
                                     "no repository at %s; make one with `armi init`",
                                     core->path);
        core->durability = options->durability == ARMI_DURABILITY_DEFAULT
                               ? ARMI_DURABILITY_FULL
                               : options->durability;
        ARMI_TRY(repository_make(core, err));
    }
    ARMI_TRY(format_read(core, err));
    return durability_settle(core, options->durability, err);
}

static enum armi_status access_settle(struct armi_core *core,
                                      const struct armi_open_options *options,
                                      struct armi_error *err)
{
    int kind = core->os->fs_kind(core->os, core->dir);
    core->read_only = options->read_only || core->format.write_unsupported ||
                      core->os->writable(core->os, core->dir) < 0;
    if (kind == ARMI_FS_NETWORK && !options->unsafe_network)
        core->read_only = true;
    (void)err;
    return ARMI_OK;
}

static enum armi_status core_open(const struct armi_os *os, const char *path,
                                  const struct armi_open_options *options,
                                  struct armi_core **out, struct armi_error *err)
{
    struct armi_core *core = armi_alloc_zero(1, sizeof *core);
    if (core == NULL)
        return armi_error_no_memory(err);
    atomic_init(&core->owners, 1);
    core->os = os;
    core->dir = -1;
    core->no_verify = options->no_verify;
    core->lock_timeout_ms = options->lock_timeout_ms != 0 ? options->lock_timeout_ms
                                                          : ARMI_LOCK_TIMEOUT_S * 1000;
    core->threads = options->threads;
    core->path = armi_strdup(path);
    enum armi_status st = core->path != NULL ? ARMI_OK : armi_error_no_memory(err);
    if (st == ARMI_OK)
        st = folder_open(core, !options->no_create && !options->read_only, err);
    if (st == ARMI_OK)
        st = folder_settle(core, options, err);
    if (st == ARMI_OK)
        st = access_settle(core, options, err);
    if (st == ARMI_OK)
        st = parts_open(core, err);
    if (st == ARMI_OK && options->cache_bytes != UINT64_MAX)
        st = armi_column_cache_new(options->cache_bytes != 0 ? options->cache_bytes
                                                             : CACHE_BYTES,
                                   &core->cache, err);
    if (st != ARMI_OK) {
        armi_core_unref(core);
        return st;
    }
    *out = core;
    return ARMI_OK;
}

/* ---- the handle ---- */

static char *author_default(void)
{
    const char *author = getenv("ARMI_AUTHOR");
    if (author != NULL && author[0] != '\0')
        return armi_strdup(author);
    char memory[4096];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(geteuid(), &entry, memory, sizeof memory, &found) == 0 && found != NULL)
        return armi_strdup(found->pw_name);
    char number[32];
    snprintf(number, sizeof number, "uid %lu", (unsigned long)geteuid());
    return armi_strdup(number);
}

enum armi_status armi_repository_open(const char *path,
                                      const struct armi_open_options *options,
                                      struct armi_repository **out, struct armi_error *err)
{
    return armi_repository_open_os(armi_os_posix(), path, options, out, err);
}

enum armi_status armi_repository_open_os(const struct armi_os *os, const char *path,
                                         const struct armi_open_options *options,
                                         struct armi_repository **out,
                                         struct armi_error *err)
{
    static const struct armi_open_options defaults = {.size = sizeof defaults};
    if (options == NULL)
        options = &defaults;
    struct armi_repository *repo = armi_alloc_zero(1, sizeof *repo);
    if (repo == NULL)
        return armi_error_no_memory(err);
    repo->callbacks = options->callbacks;
    enum armi_status st = core_open(os, path, options, &repo->core, err);
    if (st == ARMI_OK) {
        repo->author =
            options->author != NULL ? armi_strdup(options->author) : author_default();
        if (repo->author == NULL)
            st = armi_error_no_memory(err);
    }
    if (st == ARMI_OK)
        st = armi_core_chunks(repo->core, &repo->chunks, err);
    if (st != ARMI_OK) {
        armi_repository_close(repo);
        return st;
    }
    *out = repo;
    return ARMI_OK;
}

void armi_repository_close(struct armi_repository *repo)
{
    if (repo == NULL)
        return;
    armi_chunk_store_close(repo->chunks);
    armi_core_unref(repo->core);
    armi_free(repo->author);
    armi_free(repo);
}

const char *armi_repository_path(const struct armi_repository *repo)
{
    return repo->core->path;
}

bool armi_repository_is_read_only(const struct armi_repository *repo)
{
    return repo->core->read_only;
}

struct armi_chunk_store *armi_repository_chunks(struct armi_repository *repo)
{
    return repo->chunks;
}
