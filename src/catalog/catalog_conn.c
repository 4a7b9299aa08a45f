/*
 * One SQLite connection: how it is opened (nothing in the file is trusted, I7), the text of every
 * statement, and what SQLite's answers mean; and the pool of connections for readers. A reader runs one
 * short statement at a time and leaves no read transaction open, so that the WAL can be written back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "catalog/catalog_internal.h"

#define IDLE_MAX        8
#define BUSY_TIMEOUT_MS 1000
/* A row is a node and its name. */
#define ROW_SIZE_MAX (ARMI_NODE_SIZE_MAX + 1024)

static const char *const stmt_texts[STMT_COUNT] = {
    [STMT_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [STMT_COMMIT] = "COMMIT",
    [STMT_ROLLBACK] = "ROLLBACK",
    [STMT_SAVEPOINT] = "SAVEPOINT job",
    [STMT_SAVEPOINT_KEEP] = "RELEASE job",
    [STMT_SAVEPOINT_UNDO] = "ROLLBACK TO job",
    [STMT_META_GET] = "SELECT value, check_value FROM meta WHERE key = ?1",
    [STMT_META_PUT] =
        "INSERT OR REPLACE INTO meta (key, value, check_value) VALUES (?1, ?2, ?3)",
    [STMT_NODE_GET] = "SELECT bytes, type FROM node WHERE name = ?1",
    [STMT_NODE_HAS] = "SELECT 1 FROM node WHERE name = ?1",
    /* A row that was damaged is put right by the same content. */
    [STMT_NODE_PUT] =
        "INSERT INTO node (name, type, bytes) VALUES (?1, ?2, ?3) ON CONFLICT (name) "
        "DO UPDATE SET type = excluded.type, bytes = excluded.bytes "
        "WHERE type <> excluded.type OR bytes <> excluded.bytes",
    [STMT_NODE_SPAN] = "SELECT name FROM node WHERE name BETWEEN ?1 AND ?2 AND type = ?3 "
                       "ORDER BY name LIMIT 2",
    [STMT_NODE_LIST] = "SELECT id, name, type, length(bytes) FROM node WHERE id > ?1 "
                       "ORDER BY id LIMIT ?2",
    [STMT_NODE_STATS] = "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM node",
    [STMT_CHUNK_GET] = "SELECT bytes FROM chunk WHERE name = ?1",
    [STMT_CHUNK_HAS] = "SELECT 1 FROM chunk WHERE name = ?1",
    [STMT_CHUNK_PUT] = "INSERT INTO chunk (name, bytes) VALUES (?1, ?2) ON CONFLICT (name) "
                       "DO UPDATE SET bytes = excluded.bytes WHERE bytes <> excluded.bytes",
    [STMT_CHUNK_LIST] = "SELECT id, name, 0, length(bytes) FROM chunk WHERE id > ?1 "
                        "ORDER BY id LIMIT ?2",
    [STMT_CHUNK_STATS] = "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM chunk",
    [STMT_REF_GET] = "SELECT kind, name, target, moves, time_us, check_value FROM ref "
                     "WHERE kind = ?1 AND name = ?2",
    [STMT_REF_PUT] =
        "INSERT OR REPLACE INTO ref (kind, name, target, moves, time_us, check_value) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [STMT_REF_DELETE] = "DELETE FROM ref WHERE kind = ?1 AND name = ?2",
    [STMT_REF_LIST] = "SELECT kind, name, target, moves, time_us, check_value FROM ref "
                      "WHERE kind = ?1 ORDER BY name",
    [STMT_REFLOG_PUT] =
        "INSERT INTO reflog (id, kind, name, old_target, new_target, time_us, "
        "author, reason, check_value) VALUES "
        "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [STMT_REFLOG_LIST] =
        "SELECT id, kind, name, old_target, new_target, time_us, author, reason, "
        "check_value FROM reflog WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
    [STMT_REFLOG_LIST_REF] =
        "SELECT id, kind, name, old_target, new_target, time_us, author, "
        "reason, check_value FROM reflog WHERE id < ?1 AND kind = ?3 AND "
        "name = ?4 ORDER BY id DESC LIMIT ?2",
    [STMT_TXID_GET] = "SELECT id, target, check_value FROM txid WHERE id = ?1",
    [STMT_TXID_PUT] = "INSERT INTO txid (id, target, check_value) VALUES (?1, ?2, ?3)",
    [STMT_TXID_LIST] = "SELECT id, target, check_value FROM txid WHERE ?1 IS NULL OR id > "
                       "?1 ORDER BY id LIMIT ?2",
    [STMT_MARK_PUT] =
        "INSERT OR IGNORE INTO mark (mark, is_node, name, time_us, check_value) "
        "VALUES (?1, ?2, ?3, ?4, ?5)",
    [STMT_MARK_DELETE] = "DELETE FROM mark WHERE mark = ?1 AND is_node = ?2 AND name = ?3",
    [STMT_MARK_HAS] = "SELECT 1 FROM mark WHERE mark = ?1 AND is_node = ?2 AND name = ?3",
    [STMT_MARK_LIST] =
        "SELECT mark, is_node, name, time_us, check_value FROM mark WHERE mark = ?1 "
        "ORDER BY is_node, name",
    [STMT_INTEGRITY] = "PRAGMA integrity_check(20)",
};

enum armi_status conn_error(struct catalog_conn *conn, int rc, struct armi_error *err)
{
    const char *text =
        conn != NULL && conn->db != NULL ? sqlite3_errmsg(conn->db) : sqlite3_errstr(rc);
    int sys = conn != NULL && conn->db != NULL ? sqlite3_system_errno(conn->db) : 0;

    if (rc == SQLITE_IOERR_NOMEM)
        return armi_error_no_memory(err);
    if (rc == SQLITE_IOERR_SHORT_READ)
        return armi_error_set(err, ARMI_CORRUPTION, "catalog.db is cut off");
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return armi_error_no_memory(err);
    case SQLITE_FULL:
        return armi_error_errno(err, ENOSPC, "cannot write catalog.db");
    case SQLITE_NOTADB:
        return armi_error_set(err, ARMI_CORRUPTION, "catalog.db is not a SQLite database");
    case SQLITE_CORRUPT:
        return armi_error_set(err, ARMI_CORRUPTION, "catalog.db is damaged (%s)", text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return armi_error_set(err, ARMI_BUSY, "catalog.db is locked by another program");
    case SQLITE_READONLY:
        return armi_error_errno(err, EROFS, "cannot write catalog.db");
    case SQLITE_CANTOPEN:
        return armi_error_errno(err, sys != 0 ? sys : EIO, "cannot open catalog.db");
    case SQLITE_TOOBIG:
        return armi_error_set(err, ARMI_LIMIT,
                              "a row of catalog.db is larger than the limit");
    case SQLITE_IOERR:
        return armi_error_errno(err, sys != 0 ? sys : EIO, "catalog.db");
    default:
        return armi_error_errno(err, sys != 0 ? sys : EIO, "catalog.db: %s", text);
    }
}

enum armi_status conn_exec(struct catalog_conn *conn, const char *sql,
                           struct armi_error *err)
{
    int rc = sqlite3_exec(conn->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? ARMI_OK : conn_error(conn, rc, err);
}

enum armi_status conn_stmt(struct catalog_conn *conn, enum catalog_stmt id,
                           sqlite3_stmt **out, struct armi_error *err)
{
    if (conn->stmts[id] == NULL) {
        int rc = sqlite3_prepare_v3(conn->db, stmt_texts[id], -1, SQLITE_PREPARE_PERSISTENT,
                                    &conn->stmts[id], NULL);
        if (rc != SQLITE_OK)
            return conn_error(conn, rc, err);
    }
    *out = conn->stmts[id];
    sqlite3_reset(*out);
    sqlite3_clear_bindings(*out);
    return ARMI_OK;
}

enum armi_status conn_step(struct catalog_conn *conn, sqlite3_stmt *stmt, bool *row,
                           struct armi_error *err)
{
    int rc = sqlite3_step(stmt);
    if (row != NULL)
        *row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW)
        return ARMI_OK;
    enum armi_status status = rc == SQLITE_DONE ? ARMI_OK : conn_error(conn, rc, err);
    sqlite3_reset(stmt);
    return status;
}

enum armi_status conn_run(struct catalog_conn *conn, enum catalog_stmt id,
                          struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    ARMI_TRY(conn_stmt(conn, id, &stmt, err));
    return conn_step(conn, stmt, NULL, err);
}

struct armi_slice column_slice(sqlite3_stmt *stmt, int column)
{
    int type = sqlite3_column_type(stmt, column);
    if (type != SQLITE_BLOB && type != SQLITE_TEXT)
        return (struct armi_slice){NULL, 0};
    const uint8_t *data = sqlite3_column_blob(stmt, column);
    return (struct armi_slice){
        data, data != NULL ? (size_t)sqlite3_column_bytes(stmt, column) : 0};
}

bool column_hash(sqlite3_stmt *stmt, int column, struct armi_hash *out)
{
    struct armi_slice bytes = column_slice(stmt, column);
    if (bytes.size != sizeof out->bytes)
        return false;
    memcpy(out->bytes, bytes.data, sizeof out->bytes);
    return true;
}

static int remember_wal_pages(void *ctx, sqlite3 *db, const char *name, int pages)
{
    struct catalog_conn *conn = ctx;
    (void)db;
    (void)name;
    conn->wal_pages = pages;
    return SQLITE_OK;
}

/* Before the first statement, which reads the schema: from here on the file cannot make us run things. */
static void conn_harden(struct catalog_conn *conn)
{
    static const struct {
        int op, value;
    } config[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
    };
    static const struct {
        int id, value;
    } limits[] = {
        {SQLITE_LIMIT_LENGTH, (int)ROW_SIZE_MAX},
        {SQLITE_LIMIT_SQL_LENGTH, 16384},
        {SQLITE_LIMIT_COLUMN, 32},
        {SQLITE_LIMIT_EXPR_DEPTH, 64},
        {SQLITE_LIMIT_ATTACHED, 0},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (size_t i = 0; i < sizeof config / sizeof config[0]; i++)
        sqlite3_db_config(conn->db, config[i].op, config[i].value, NULL);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        sqlite3_limit(conn->db, limits[i].id, limits[i].value);
    sqlite3_busy_timeout(conn->db, BUSY_TIMEOUT_MS);
}

/* "file:<path>?immutable=1", every byte of the path that could mean something written as %xx. */
static char *immutable_uri(const char *path)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/";
    static const char tail[] = "?immutable=1";
    char *uri = armi_alloc(strlen("file:") + 3 * strlen(path) + sizeof tail);
    if (uri == NULL)
        return NULL;
    char *to = stpcpy(uri, "file:");
    for (const char *p = path; *p != '\0'; p++) {
        if (strchr(plain, *p) != NULL)
            *to++ = *p;
        else
            to += snprintf(to, 4, "%%%02x", (unsigned char)*p);
    }
    memcpy(to, tail, sizeof tail);
    return uri;
}

static enum armi_status open_database(struct armi_catalog *catalog, enum conn_mode mode,
                                      struct catalog_conn *conn, struct armi_error *err)
{
    /* NOFOLLOW: catalog.db itself must be no symbolic link; path is resolved up to there. */
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW |
                SQLITE_OPEN_EXRESCODE;
    char *uri = NULL;

    flags |= catalog->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (mode == CONN_CREATE)
        flags |= SQLITE_OPEN_CREATE;
    if (catalog->immutable) {
        flags |= SQLITE_OPEN_URI;
        uri = immutable_uri(catalog->path);
        if (uri == NULL)
            return armi_error_no_memory(err);
    }
    int rc = sqlite3_open_v2(uri != NULL ? uri : catalog->path, &conn->db, flags, NULL);
    armi_free(uri);
    return rc == SQLITE_OK ? ARMI_OK : conn_error(conn, rc, err);
}

static enum armi_status conn_set_up(struct armi_catalog *catalog, enum conn_mode mode,
                                    struct catalog_conn *conn, struct armi_error *err)
{
    conn_harden(conn);
    ARMI_TRY(conn_exec(conn, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0", err));
    if (mode == CONN_CREATE)
        ARMI_TRY(schema_create(catalog, conn, err));
    ARMI_TRY(schema_check(conn, err));
    if (mode == CONN_READ)
        return conn_exec(conn, "PRAGMA query_only = ON", err);
    ARMI_TRY(schema_use_wal(conn, err));
    /* A checkpoint is ours to start, for SQLite's own forgets a failed flush of the database. */
    ARMI_TRY(conn_exec(
        conn, "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864", err));
    sqlite3_wal_hook(conn->db, remember_wal_pages, conn);
    conn->synchronous = -1;
    return ARMI_OK;
}

enum armi_status conn_open(struct armi_catalog *catalog, enum conn_mode mode,
                           struct catalog_conn **out, struct armi_error *err)
{
    struct catalog_conn *conn = armi_alloc_zero(1, sizeof *conn);
    if (conn == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = open_database(catalog, mode, conn, err);
    if (status == ARMI_OK)
        status = conn_set_up(catalog, mode, conn, err);
    if (status != ARMI_OK) {
        conn_close(conn);
        return status;
    }
    *out = conn;
    return ARMI_OK;
}

void conn_close(struct catalog_conn *conn)
{
    for (size_t i = 0; i < STMT_COUNT; i++)
        sqlite3_finalize(conn->stmts[i]);
    sqlite3_close(conn->db);
    armi_free(conn);
}

void conn_close_list(struct catalog_conn *conn)
{
    while (conn != NULL) {
        struct catalog_conn *next = conn->next;
        conn_close(conn);
        conn = next;
    }
}

void conn_close_quietly(struct catalog_conn *conn)
{
    sqlite3_db_config(conn->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    conn_close(conn);
}

enum armi_status read_begin(struct armi_catalog *catalog, struct catalog_conn **out,
                            struct armi_error *err)
{
    gate_enter();
    pthread_mutex_lock(&catalog->pool_mutex);
    struct catalog_conn *conn = catalog->idle;
    if (conn != NULL) {
        catalog->idle = conn->next;
        catalog->idle_count--;
    }
    pthread_mutex_unlock(&catalog->pool_mutex);
    if (conn == NULL) {
        enum armi_status status = conn_open(catalog, CONN_READ, &conn, err);
        if (status != ARMI_OK) {
            gate_leave();
            return status;
        }
    }
    *out = conn;
    return ARMI_OK;
}

void read_end(struct armi_catalog *catalog, struct catalog_conn *conn,
              enum armi_status status)
{
    bool keep = status == ARMI_OK || status == ARMI_NOT_FOUND;

    if (keep) {
        pthread_mutex_lock(&catalog->pool_mutex);
        keep = catalog->idle_count < IDLE_MAX;
        if (keep) {
            conn->next = catalog->idle;
            catalog->idle = conn;
            catalog->idle_count++;
        }
        pthread_mutex_unlock(&catalog->pool_mutex);
    }
    if (!keep)
        conn_close(conn);
    gate_leave();
}
