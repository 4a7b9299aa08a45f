/*
 * Making, opening and closing the catalog.
 */
#include "catalog/catalog.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "catalog/catalog_internal.h"
#include "os/lockfile.h"

#define WAL_FILE ARMI_CATALOG_FILE "-wal"

/*
 * SQLite takes a path, not an open folder: an absolute one, so that a later chdir changes nothing, and a
 * resolved one, so that it can refuse a catalog.db that is a symbolic link.
 */
static enum armi_status resolve_path(const char *dir, char **out, struct armi_error *err)
{
    char resolved[PATH_MAX];
    if (realpath(dir, resolved) == NULL)
        return armi_error_errno(err, errno, "cannot open folder '%s'", dir);
    size_t size = strlen(resolved);
    char *path = armi_alloc(size + sizeof "/" ARMI_CATALOG_FILE);
    if (path == NULL)
        return armi_error_no_memory(err);
    memcpy(path, resolved, size);
    memcpy(path + size, "/" ARMI_CATALOG_FILE, sizeof "/" ARMI_CATALOG_FILE);
    *out = path;
    return ARMI_OK;
}

static void catalog_free(struct armi_catalog *catalog)
{
    if (catalog->dir_fd >= 0)
        catalog->os->close(catalog->os, catalog->dir_fd);
    pthread_cond_destroy(&catalog->queue_changed);
    pthread_mutex_destroy(&catalog->queue_mutex);
    pthread_mutex_destroy(&catalog->pool_mutex);
    armi_free(catalog->dir);
    armi_free(catalog->path);
    armi_free(catalog);
}

static enum armi_status catalog_new(const char *dir,
                                    const struct armi_catalog_options *options,
                                    struct armi_catalog **out, struct armi_error *err)
{
    static const struct armi_catalog_options defaults;
    enum armi_status status = ARMI_OK;
    struct armi_catalog *catalog = armi_alloc_zero(1, sizeof *catalog);

    if (catalog == NULL)
        return armi_error_no_memory(err);
    if (options == NULL)
        options = &defaults;
    catalog->os = options->os != NULL ? options->os : armi_os_posix();
    catalog->durability = options->durability;
    catalog->read_only = options->read_only;
    catalog->lock_timeout_ms = options->lock_timeout_ms != 0 ? options->lock_timeout_ms
                                                             : ARMI_LOCK_TIMEOUT_S * 1000;
    pthread_mutex_init(&catalog->pool_mutex, NULL);
    pthread_mutex_init(&catalog->queue_mutex, NULL);
    pthread_cond_init(&catalog->queue_changed, NULL);
    catalog->dir_fd =
        catalog->os->open(catalog->os, ARMI_OS_CWD, dir,
                          ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY | ARMI_OPEN_FOLLOW, 0);
    if (catalog->dir_fd < 0)
        status = armi_error_errno(err, -catalog->dir_fd, "cannot open folder '%s'", dir);
    if (status == ARMI_OK) {
        catalog->dir = armi_strdup(dir);
        status = catalog->dir != NULL ? resolve_path(dir, &catalog->path, err)
                                      : armi_error_no_memory(err);
    }
    if (status != ARMI_OK) {
        catalog_free(catalog);
        return status;
    }
    *out = catalog;
    return ARMI_OK;
}

/* A folder that cannot be written (a read-only mount) still opens, if it was closed cleanly. */
static enum armi_status settle_access(struct armi_catalog *catalog, struct armi_error *err)
{
    struct armi_file_stat stat;

    if (catalog->os->writable(catalog->os, catalog->dir_fd) == 0)
        return ARMI_OK;
    catalog->read_only = true;
    int rc = catalog->os->stat_at(catalog->os, catalog->dir_fd, WAL_FILE, &stat);
    if (rc == 0 && stat.size > 0)
        return armi_error_errno(
            err, EROFS,
            "'%s' was not closed cleanly (catalog.db-wal holds commits) and "
            "its folder cannot be written: open it once where it can be",
            catalog->dir);
    catalog->immutable = true;
    return ARMI_OK;
}

static enum armi_status check_file(struct armi_catalog *catalog, struct armi_error *err)
{
    struct armi_file_stat stat;
    int rc = catalog->os->stat_at(catalog->os, catalog->dir_fd, ARMI_CATALOG_FILE, &stat);
    if (rc == -ENOENT)
        return armi_error_object(err, ARMI_NOT_FOUND, "catalog", catalog->dir,
                                 "'%s' has no catalog.db", catalog->dir);
    if (rc < 0)
        return armi_error_errno(err, -rc, "cannot look at catalog.db in '%s'",
                                catalog->dir);
    if (stat.kind != ARMI_ENTRY_REGULAR)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "catalog.db in '%s' is not a regular file", catalog->dir);
    return ARMI_OK;
}

/* Reads the schema and one row: whatever is wrong with the file is said now. */
static enum armi_status first_look(struct armi_catalog *catalog, struct armi_error *err)
{
    uint8_t id[ARMI_REPO_ID_SIZE];
    enum armi_status status = armi_catalog_id(catalog, id, err);
    if (status == ARMI_STORAGE || status == ARMI_CORRUPTION || status == ARMI_UNSUPPORTED)
        return armi_error_prefix(err, status, "%s", catalog->dir);
    return status;
}

enum armi_status armi_catalog_open(const char *dir,
                                   const struct armi_catalog_options *options,
                                   struct armi_catalog **out, struct armi_error *err)
{
    struct armi_catalog *catalog;

    ARMI_TRY(catalog_new(dir, options, &catalog, err));
    gate_register(catalog);
    enum armi_status status = check_file(catalog, err);
    if (status == ARMI_OK)
        status = settle_access(catalog, err);
    if (status == ARMI_OK)
        status = first_look(catalog, err);
    if (status != ARMI_OK) {
        armi_catalog_close(catalog);
        return status;
    }
    *out = catalog;
    return ARMI_OK;
}

void armi_catalog_close(struct armi_catalog *catalog)
{
    if (catalog == NULL)
        return;
    /* The writer goes last: the last connection to close writes the WAL back. */
    gate_enter();
    gate_unregister(catalog);
    conn_close_list(catalog->idle);
    if (catalog->writer != NULL)
        conn_close(catalog->writer);
    gate_leave();
    catalog_free(catalog);
}

bool armi_catalog_is_read_only(const struct armi_catalog *catalog)
{
    return catalog->read_only;
}

enum armi_status armi_catalog_id(struct armi_catalog *catalog,
                                 uint8_t id[ARMI_REPO_ID_SIZE], struct armi_error *err)
{
    struct catalog_conn *conn;
    bool found = false;

    ARMI_TRY(read_begin(catalog, &conn, err));
    enum armi_status status = meta_get(conn, "id", id, ARMI_REPO_ID_SIZE, &found, err);
    read_end(catalog, conn, status);
    if (status == ARMI_OK && !found)
        return armi_error_set(err, ARMI_CORRUPTION, "catalog.db has no repository id");
    return status;
}

static enum armi_status create_locked(struct armi_catalog *catalog,
                                      uint8_t id[ARMI_REPO_ID_SIZE], struct armi_error *err)
{
    struct catalog_conn *conn;
    bool found = false;

    gate_enter();
    enum armi_status status = conn_open(catalog, CONN_CREATE, &conn, err);
    if (status == ARMI_OK) {
        status = meta_get(conn, "id", id, ARMI_REPO_ID_SIZE, &found, err);
        if (status == ARMI_OK && !found)
            status =
                armi_error_set(err, ARMI_CORRUPTION, "catalog.db has no repository id");
        conn_close(conn);
    }
    gate_leave();
    return status;
}

enum armi_status armi_catalog_create(const char *dir,
                                     const struct armi_catalog_options *options,
                                     uint8_t id[ARMI_REPO_ID_SIZE], struct armi_error *err)
{
    struct armi_catalog *catalog;
    struct armi_lock lock = ARMI_LOCK_INIT;

    ARMI_TRY(catalog_new(dir, options, &catalog, err));
    enum armi_status status = armi_lockfile_create(catalog->os, catalog->dir_fd, err);
    if (status == ARMI_OK)
        status = armi_lock_acquire(catalog->os, catalog->dir_fd, ARMI_LOCK_BYTE_WRITE,
                                   ARMI_LOCK_EXCLUSIVE,
                                   catalog->lock_timeout_ms * INT64_C(1000000), NULL,
                                   "the repository's write lock", &lock, err);
    if (status == ARMI_OK)
        status = create_locked(catalog, id, err);
    armi_lock_release(&lock);
    catalog_free(catalog);
    return status;
}
