/*
 * The tables of catalog.db. The statements below are the schema, to the letter: at each open what the
 * file holds is compared with them, and anything more, less or else refuses the file (I7): a trigger, a
 * view or an index on an expression would be code that a stranger's repository runs in our process.
 */
#include <stdio.h>
#include <string.h>

#include "catalog/catalog_internal.h"

#define APPLICATION_ID 0x41524d49 /* "ARMI" */
#define SCHEMA_VERSION 1

/* In order of name, as sqlite_schema is read. */
static const struct {
    const char *name;
    const char *sql;
} schema[] = {
    {"chunk", "CREATE TABLE chunk (id INTEGER PRIMARY KEY, name BLOB NOT NULL, "
              "bytes BLOB NOT NULL)"},
    {"chunk_name", "CREATE UNIQUE INDEX chunk_name ON chunk (name)"},
    {"mark", "CREATE TABLE mark (mark INTEGER NOT NULL, is_node INTEGER NOT NULL, "
             "name BLOB NOT NULL, time_us INTEGER NOT NULL, check_value BLOB NOT NULL, "
             "PRIMARY KEY (mark, is_node, name)) WITHOUT ROWID"},
    {"meta", "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL, "
             "check_value BLOB NOT NULL) WITHOUT ROWID"},
    {"node", "CREATE TABLE node (id INTEGER PRIMARY KEY, name BLOB NOT NULL, "
             "type INTEGER NOT NULL, bytes BLOB NOT NULL)"},
    {"node_name", "CREATE UNIQUE INDEX node_name ON node (name)"},
    {"ref", "CREATE TABLE ref (kind INTEGER NOT NULL, name TEXT NOT NULL, target BLOB, "
            "moves INTEGER NOT NULL, time_us INTEGER NOT NULL, check_value BLOB NOT NULL, "
            "PRIMARY KEY (kind, name)) WITHOUT ROWID"},
    {"reflog",
     "CREATE TABLE reflog (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, "
     "name TEXT NOT NULL, old_target BLOB, new_target BLOB, time_us INTEGER NOT NULL, "
     "author TEXT NOT NULL, reason TEXT NOT NULL, check_value BLOB NOT NULL)"},
    {"txid", "CREATE TABLE txid (id BLOB NOT NULL PRIMARY KEY, target BLOB NOT NULL, "
             "check_value BLOB NOT NULL) WITHOUT ROWID"},
};
#define SCHEMA_COUNT (sizeof schema / sizeof schema[0])

static enum armi_status conn_int(struct catalog_conn *conn, const char *sql, int64_t *out,
                                 struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(conn->db, sql, -1, &stmt, NULL);
    if (rc != SQLITE_OK)
        return conn_error(conn, rc, err);
    bool row;
    enum armi_status status = conn_step(conn, stmt, &row, err);
    if (status == ARMI_OK)
        *out = row ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    return status;
}

static enum armi_status not_ours(struct armi_error *err, const char *what,
                                 struct armi_slice name)
{
    return armi_error_set(err, ARMI_CORRUPTION,
                          "catalog.db is not an Armillaria catalog: %s %.*s", what,
                          (int)name.size, name.size != 0 ? (const char *)name.data : "");
}

static struct armi_slice text_slice(const char *text)
{
    return (struct armi_slice){(const uint8_t *)text, strlen(text)};
}

static enum armi_status compare_schema(struct catalog_conn *conn, sqlite3_stmt *stmt,
                                       struct armi_error *err)
{
    bool row;
    for (size_t i = 0;; i++) {
        ARMI_TRY(conn_step(conn, stmt, &row, err));
        if (!row && i == SCHEMA_COUNT)
            return ARMI_OK;
        struct armi_slice name = row ? column_slice(stmt, 0) : (struct armi_slice){NULL, 0};
        int order = -1;
        if (i < SCHEMA_COUNT)
            order = row ? armi_slice_compare(name, text_slice(schema[i].name)) : 1;
        if (order > 0)
            return not_ours(err, "it lacks", text_slice(schema[i].name));
        if (order < 0) {
            char what[64];
            struct armi_slice type = column_slice(stmt, 2);
            snprintf(what, sizeof what, "it has an unknown %.*s",
                     type.size < 16 ? (int)type.size : 16,
                     type.size != 0 ? (const char *)type.data : "");
            return not_ours(err, what, name);
        }
        if (!armi_slice_equal(column_slice(stmt, 1), text_slice(schema[i].sql)))
            return not_ours(err, "it has another definition of", name);
    }
}

enum armi_status schema_check(struct catalog_conn *conn, struct armi_error *err)
{
    int64_t id = 0, version = 0, is_utf8 = 0;
    sqlite3_stmt *stmt = NULL;

    ARMI_TRY(conn_int(conn, "PRAGMA application_id", &id, err));
    ARMI_TRY(conn_int(conn, "PRAGMA user_version", &version, err));
    ARMI_TRY(
        conn_int(conn, "SELECT encoding = 'UTF-8' FROM pragma_encoding", &is_utf8, err));
    if (id != APPLICATION_ID || !is_utf8)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "catalog.db is not an Armillaria catalog");
    if (version > SCHEMA_VERSION)
        return armi_error_set(
            err, ARMI_UNSUPPORTED,
            "catalog.db was made by a newer version of Armillaria (schema %lld)",
            (long long)version);
    if (version < SCHEMA_VERSION)
        return not_ours(err, "bad", text_slice("schema version"));
    int rc = sqlite3_prepare_v2(conn->db,
                                "SELECT name, sql, type FROM sqlite_schema "
                                "WHERE name NOT LIKE 'sqlite_autoindex_%' ORDER BY name",
                                -1, &stmt, NULL);
    if (rc != SQLITE_OK)
        return conn_error(conn, rc, err);
    enum armi_status status = compare_schema(conn, stmt, err);
    sqlite3_finalize(stmt);
    return status;
}

static enum armi_status fill_new(struct armi_catalog *catalog, struct catalog_conn *conn,
                                 struct armi_error *err)
{
    char sql[128];
    uint8_t id[ARMI_REPO_ID_SIZE];
    static const uint8_t zero[8];

    for (size_t i = 0; i < SCHEMA_COUNT; i++)
        ARMI_TRY(conn_exec(conn, schema[i].sql, err));
    snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, SCHEMA_VERSION);
    ARMI_TRY(conn_exec(conn, sql, err));
    int rc = catalog->os->random(catalog->os, id, sizeof id);
    if (rc < 0)
        return armi_error_errno(err, -rc, "cannot get random bytes");
    ARMI_TRY(meta_put(conn, "id", id, sizeof id, err));
    ARMI_TRY(meta_put(conn, "settled", zero, sizeof zero, err));
    struct armi_catalog_ref main_branch = {.kind = ARMI_REF_BRANCH, .name = "main"};
    main_branch.time_us = catalog->os->realtime_us(catalog->os);
    return ref_write(conn, &main_branch, err);
}

enum armi_status schema_use_wal(struct catalog_conn *conn, struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    bool row;

    /* The answer is the mode that holds now; in WAL already, nothing is written. */
    int rc = sqlite3_prepare_v2(conn->db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
    if (rc != SQLITE_OK)
        return conn_error(conn, rc, err);
    enum armi_status status = conn_step(conn, stmt, &row, err);
    if (status == ARMI_OK &&
        !(row && armi_slice_equal(column_slice(stmt, 0), text_slice("wal"))))
        status = armi_error_set(
            err, ARMI_BUSY,
            "catalog.db cannot be used in WAL mode: another program holds it");
    sqlite3_finalize(stmt);
    return status;
}

static enum armi_status create_in(struct armi_catalog *catalog, struct catalog_conn *conn,
                                  struct armi_error *err)
{
    int64_t tables = 0;

    /* auto_vacuum takes effect only while the file is empty. */
    ARMI_TRY(conn_exec(conn, "PRAGMA auto_vacuum = INCREMENTAL", err));
    ARMI_TRY(conn_exec(conn,
                       catalog->durability == ARMI_DURABILITY_NONE
                           ? "PRAGMA synchronous = OFF"
                           : "PRAGMA synchronous = FULL",
                       err));
    ARMI_TRY(schema_use_wal(conn, err));
    ARMI_TRY(conn_run(conn, STMT_BEGIN_WRITE, err));
    ARMI_TRY(conn_int(conn, "SELECT count(*) FROM sqlite_schema", &tables, err));
    if (tables == 0)
        ARMI_TRY(fill_new(catalog, conn, err));
    return conn_run(conn, STMT_COMMIT, err);
}

enum armi_status schema_create(struct armi_catalog *catalog, struct catalog_conn *conn,
                               struct armi_error *err)
{
    int64_t tables = 0;

    /* What has tables is either whole or not ours: schema_check() tells, and nothing is touched. */
    ARMI_TRY(conn_int(conn, "SELECT count(*) FROM sqlite_schema", &tables, err));
    if (tables != 0)
        return ARMI_OK;
    enum armi_status status = create_in(catalog, conn, err);
    if (status != ARMI_OK && sqlite3_get_autocommit(conn->db) == 0)
        (void)conn_run(conn, STMT_ROLLBACK, NULL);
    return status;
}

/* Order of columns in the check value: key, value. */
static void meta_check(struct row_check *check, const char *key, const void *value,
                       size_t size)
{
    row_check_begin(check, "armillaria 1 row meta");
    row_check_bytes(check, key, strlen(key));
    row_check_bytes(check, value, size);
}

enum armi_status meta_put(struct catalog_conn *conn, const char *key, const uint8_t *value,
                          size_t size, struct armi_error *err)
{
    struct row_check check;
    uint8_t sum[ROW_CHECK_SIZE];
    sqlite3_stmt *stmt = NULL;

    ARMI_TRY(conn_stmt(conn, STMT_META_PUT, &stmt, err));
    meta_check(&check, key, value, size);
    row_check_end(&check, sum);
    sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_blob(stmt, 2, value, (int)size, SQLITE_STATIC);
    sqlite3_bind_blob(stmt, 3, sum, sizeof sum, SQLITE_STATIC);
    return conn_step(conn, stmt, NULL, err);
}

enum armi_status meta_get(struct catalog_conn *conn, const char *key, uint8_t *value,
                          size_t size, bool *found, struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    struct row_check check;

    ARMI_TRY(conn_stmt(conn, STMT_META_GET, &stmt, err));
    sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    ARMI_TRY(conn_step(conn, stmt, found, err));
    if (!*found)
        return ARMI_OK;
    struct armi_slice bytes = column_slice(stmt, 0);
    meta_check(&check, key, bytes.data, bytes.size);
    bool good = row_check_matches(&check, stmt, 1) && bytes.size == size;
    if (good)
        memcpy(value, bytes.data, size);
    sqlite3_reset(stmt);
    return good ? ARMI_OK
                : armi_error_set(err, ARMI_CORRUPTION,
                                 "catalog.db: the row \"%s\" of meta is damaged", key);
}
