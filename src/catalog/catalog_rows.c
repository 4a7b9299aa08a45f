/*
 * The rows that are neither nodes nor chunks, and so have no hash for a name: each carries a check
 * value over all its columns, written and tested here (I7). It tells damage, not malice: whoever can
 * write the file can write a right check value, and a row that is gone leaves no trace but in the reflog.
 */
#include <string.h>

#include "catalog/catalog_internal.h"

void row_check_begin(struct row_check *check, const char *context)
{
    armi_blake3_init_derive_key(&check->state, context);
}

void row_check_int(struct row_check *check, int64_t v)
{
    armi_blake3_update(&check->state, &v, sizeof v);
}

/* The length goes first, so that no two rows run together to the same bytes; null is no length. */
void row_check_bytes(struct row_check *check, const void *data, size_t size)
{
    row_check_int(check, data != NULL ? (int64_t)size : -1);
    if (data != NULL && size != 0)
        armi_blake3_update(&check->state, data, size);
}

void row_check_end(struct row_check *check, uint8_t out[ROW_CHECK_SIZE])
{
    struct armi_hash hash;
    armi_blake3_finalize(&check->state, &hash);
    memcpy(out, hash.bytes, ROW_CHECK_SIZE);
}

bool row_check_matches(struct row_check *check, sqlite3_stmt *stmt, int column)
{
    uint8_t want[ROW_CHECK_SIZE];
    row_check_end(check, want);
    return armi_slice_equal(column_slice(stmt, column),
                            (struct armi_slice){want, sizeof want});
}

static void check_text(struct row_check *check, const char *text)
{
    row_check_bytes(check, text, strlen(text));
}

static void check_target(struct row_check *check, bool has, const struct armi_hash *target)
{
    row_check_bytes(check, has ? target->bytes : NULL, sizeof target->bytes);
}

static void bind_target(sqlite3_stmt *stmt, int index, bool has,
                        const struct armi_hash *target)
{
    if (has)
        bind_hash(stmt, index, target);
}

/* A name or the like into a caller's array; false if it does not fit or holds a zero byte. */
static bool take_text(sqlite3_stmt *stmt, int column, char out[ARMI_NAME_SIZE_MAX + 1])
{
    struct armi_slice text = column_slice(stmt, column);
    if (text.size > ARMI_NAME_SIZE_MAX || sqlite3_column_type(stmt, column) != SQLITE_TEXT)
        return false;
    if (text.size != 0)
        memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return strlen(out) == text.size;
}

static bool take_target(sqlite3_stmt *stmt, int column, bool *has, struct armi_hash *out)
{
    *has = sqlite3_column_type(stmt, column) != SQLITE_NULL;
    return !*has || column_hash(stmt, column, out);
}

static bool take_kind(sqlite3_stmt *stmt, int column, enum armi_ref_kind *out)
{
    int64_t kind = sqlite3_column_int64(stmt, column);
    *out = kind == ARMI_REF_TAG ? ARMI_REF_TAG : ARMI_REF_BRANCH;
    return kind == ARMI_REF_TAG || kind == ARMI_REF_BRANCH;
}

static void ref_check(struct row_check *check, const struct armi_catalog_ref *ref)
{
    row_check_begin(check, "armillaria 1 row ref");
    row_check_int(check, ref->kind);
    check_text(check, ref->name);
    check_target(check, ref->has_commit, &ref->commit);
    row_check_int(check, (int64_t)ref->moves);
    row_check_int(check, ref->time_us);
}

enum armi_status ref_decode(sqlite3_stmt *stmt, struct armi_catalog_ref *out,
                            struct armi_error *err)
{
    struct armi_catalog_ref ref;
    struct row_check check;

    memset(&ref, 0, sizeof ref);
    bool good = take_kind(stmt, 0, &ref.kind) && take_text(stmt, 1, ref.name) &&
                take_target(stmt, 2, &ref.has_commit, &ref.commit);
    if (good) {
        ref.moves = (uint64_t)sqlite3_column_int64(stmt, 3);
        ref.time_us = sqlite3_column_int64(stmt, 4);
        ref_check(&check, &ref);
        good = row_check_matches(&check, stmt, 5);
    }
    if (!good)
        return armi_error_object(err, ARMI_CORRUPTION, ref_kind_word(ref.kind), ref.name,
                                 "catalog.db: the row of %s \"%s\" is damaged",
                                 ref_kind_word(ref.kind), ref.name);
    *out = ref;
    return ARMI_OK;
}

enum armi_status ref_read(struct catalog_conn *conn, enum armi_ref_kind kind,
                          const char *name, bool *found, struct armi_catalog_ref *out,
                          struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    ARMI_TRY(conn_stmt(conn, STMT_REF_GET, &stmt, err));
    sqlite3_bind_int64(stmt, 1, kind);
    sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC);
    ARMI_TRY(conn_step(conn, stmt, found, err));
    if (!*found)
        return ARMI_OK;
    enum armi_status status = ref_decode(stmt, out, err);
    sqlite3_reset(stmt);
    return status;
}

enum armi_status ref_write(struct catalog_conn *conn, const struct armi_catalog_ref *ref,
                           struct armi_error *err)
{
    struct row_check check;
    uint8_t sum[ROW_CHECK_SIZE];
    sqlite3_stmt *stmt = NULL;

    ARMI_TRY(conn_stmt(conn, STMT_REF_PUT, &stmt, err));
    ref_check(&check, ref);
    row_check_end(&check, sum);
    sqlite3_bind_int64(stmt, 1, ref->kind);
    sqlite3_bind_text(stmt, 2, ref->name, -1, SQLITE_STATIC);
    bind_target(stmt, 3, ref->has_commit, &ref->commit);
    sqlite3_bind_int64(stmt, 4, (int64_t)ref->moves);
    sqlite3_bind_int64(stmt, 5, ref->time_us);
    sqlite3_bind_blob(stmt, 6, sum, sizeof sum, SQLITE_STATIC);
    return conn_step(conn, stmt, NULL, err);
}

enum armi_status ref_remove(struct catalog_conn *conn, enum armi_ref_kind kind,
                            const char *name, struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    ARMI_TRY(conn_stmt(conn, STMT_REF_DELETE, &stmt, err));
    sqlite3_bind_int64(stmt, 1, kind);
    sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC);
    return conn_step(conn, stmt, NULL, err);
}

static void reflog_check(struct row_check *check, const struct armi_catalog_reflog *e)
{
    row_check_begin(check, "armillaria 1 row reflog");
    row_check_int(check, (int64_t)e->id);
    row_check_int(check, e->kind);
    check_text(check, e->name);
    check_target(check, e->has_old, &e->old_commit);
    check_target(check, e->has_new, &e->new_commit);
    row_check_int(check, e->time_us);
    check_text(check, e->author);
    check_text(check, e->reason);
}

enum armi_status reflog_decode(sqlite3_stmt *stmt, struct armi_catalog_reflog *out,
                               struct armi_error *err)
{
    struct armi_catalog_reflog e;
    struct row_check check;

    memset(&e, 0, sizeof e);
    e.id = (uint64_t)sqlite3_column_int64(stmt, 0);
    bool good = take_kind(stmt, 1, &e.kind) && take_text(stmt, 2, e.name) &&
                take_target(stmt, 3, &e.has_old, &e.old_commit) &&
                take_target(stmt, 4, &e.has_new, &e.new_commit) &&
                take_text(stmt, 6, e.author) && take_text(stmt, 7, e.reason);
    if (good) {
        e.time_us = sqlite3_column_int64(stmt, 5);
        reflog_check(&check, &e);
        good = row_check_matches(&check, stmt, 8);
    }
    if (!good)
        return armi_error_object(err, ARMI_CORRUPTION, "reflog", e.name,
                                 "catalog.db: entry %llu of the reflog is damaged",
                                 (unsigned long long)e.id);
    *out = e;
    return ARMI_OK;
}

static enum armi_status reflog_next_id(struct catalog_conn *conn, int64_t *out,
                                       struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    bool row;
    ARMI_TRY(conn_stmt(conn, STMT_REFLOG_LIST, &stmt, err));
    sqlite3_bind_int64(stmt, 1, INT64_MAX);
    sqlite3_bind_int64(stmt, 2, 1);
    ARMI_TRY(conn_step(conn, stmt, &row, err));
    *out = row ? sqlite3_column_int64(stmt, 0) + 1 : 1;
    sqlite3_reset(stmt);
    return ARMI_OK;
}

enum armi_status reflog_write(struct catalog_conn *conn,
                              const struct armi_catalog_reflog *entry,
                              struct armi_error *err)
{
    struct armi_catalog_reflog e = *entry;
    struct row_check check;
    uint8_t sum[ROW_CHECK_SIZE];
    sqlite3_stmt *stmt = NULL;
    int64_t id;

    ARMI_TRY(reflog_next_id(conn, &id, err));
    e.id = (uint64_t)id;
    ARMI_TRY(conn_stmt(conn, STMT_REFLOG_PUT, &stmt, err));
    reflog_check(&check, &e);
    row_check_end(&check, sum);
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, e.kind);
    sqlite3_bind_text(stmt, 3, e.name, -1, SQLITE_STATIC);
    bind_target(stmt, 4, e.has_old, &e.old_commit);
    bind_target(stmt, 5, e.has_new, &e.new_commit);
    sqlite3_bind_int64(stmt, 6, e.time_us);
    sqlite3_bind_text(stmt, 7, e.author, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 8, e.reason, -1, SQLITE_STATIC);
    sqlite3_bind_blob(stmt, 9, sum, sizeof sum, SQLITE_STATIC);
    return conn_step(conn, stmt, NULL, err);
}

static void txid_check(struct row_check *check, const uint8_t txid[ARMI_TXID_SIZE],
                       const struct armi_hash *commit)
{
    row_check_begin(check, "armillaria 1 row txid");
    row_check_bytes(check, txid, ARMI_TXID_SIZE);
    row_check_bytes(check, commit->bytes, sizeof commit->bytes);
}

enum armi_status txid_decode(sqlite3_stmt *stmt, uint8_t txid[ARMI_TXID_SIZE],
                             struct armi_hash *commit, struct armi_error *err)
{
    struct armi_slice id = column_slice(stmt, 0);
    struct armi_hash target;
    struct row_check check;

    bool good = id.size == ARMI_TXID_SIZE && column_hash(stmt, 1, &target);
    if (good) {
        txid_check(&check, id.data, &target);
        good = row_check_matches(&check, stmt, 2);
    }
    if (!good)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "catalog.db: the row of a transaction id is damaged");
    memcpy(txid, id.data, ARMI_TXID_SIZE);
    *commit = target;
    return ARMI_OK;
}

enum armi_status txid_read(struct catalog_conn *conn, const uint8_t txid[ARMI_TXID_SIZE],
                           bool *found, struct armi_hash *commit, struct armi_error *err)
{
    uint8_t same[ARMI_TXID_SIZE];
    sqlite3_stmt *stmt = NULL;

    ARMI_TRY(conn_stmt(conn, STMT_TXID_GET, &stmt, err));
    sqlite3_bind_blob(stmt, 1, txid, ARMI_TXID_SIZE, SQLITE_STATIC);
    ARMI_TRY(conn_step(conn, stmt, found, err));
    if (!*found)
        return ARMI_OK;
    enum armi_status status = txid_decode(stmt, same, commit, err);
    sqlite3_reset(stmt);
    return status;
}

enum armi_status txid_write(struct catalog_conn *conn, const uint8_t txid[ARMI_TXID_SIZE],
                            const struct armi_hash *commit, struct armi_error *err)
{
    struct row_check check;
    uint8_t sum[ROW_CHECK_SIZE];
    sqlite3_stmt *stmt = NULL;

    ARMI_TRY(conn_stmt(conn, STMT_TXID_PUT, &stmt, err));
    txid_check(&check, txid, commit);
    row_check_end(&check, sum);
    sqlite3_bind_blob(stmt, 1, txid, ARMI_TXID_SIZE, SQLITE_STATIC);
    bind_hash(stmt, 2, commit);
    sqlite3_bind_blob(stmt, 3, sum, sizeof sum, SQLITE_STATIC);
    return conn_step(conn, stmt, NULL, err);
}

static void mark_check(struct row_check *check, enum armi_mark mark,
                       const struct armi_catalog_mark *row)
{
    row_check_begin(check, "armillaria 1 row mark");
    row_check_int(check, mark);
    row_check_int(check, row->is_node ? 1 : 0);
    row_check_bytes(check, row->name.bytes, sizeof row->name.bytes);
    row_check_int(check, row->time_us);
}

enum armi_status mark_decode(sqlite3_stmt *stmt, enum armi_mark mark,
                             struct armi_catalog_mark *out, struct armi_error *err)
{
    struct armi_catalog_mark row = {0};
    struct row_check check;

    row.is_node = sqlite3_column_int64(stmt, 1) != 0;
    bool good = column_hash(stmt, 2, &row.name);
    if (good) {
        row.time_us = sqlite3_column_int64(stmt, 3);
        mark_check(&check, mark, &row);
        good = row_check_matches(&check, stmt, 4);
    }
    if (!good)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "catalog.db: a row of the %s list is damaged",
                              mark == ARMI_MARK_DOOMED ? "doomed" : "damaged");
    *out = row;
    return ARMI_OK;
}

enum armi_status mark_write(struct catalog_conn *conn, enum armi_mark mark,
                            const struct armi_catalog_mark *row, struct armi_error *err)
{
    struct row_check check;
    uint8_t sum[ROW_CHECK_SIZE];
    sqlite3_stmt *stmt = NULL;

    ARMI_TRY(conn_stmt(conn, STMT_MARK_PUT, &stmt, err));
    mark_check(&check, mark, row);
    row_check_end(&check, sum);
    sqlite3_bind_int64(stmt, 1, mark);
    sqlite3_bind_int64(stmt, 2, row->is_node ? 1 : 0);
    bind_hash(stmt, 3, &row->name);
    sqlite3_bind_int64(stmt, 4, row->time_us);
    sqlite3_bind_blob(stmt, 5, sum, sizeof sum, SQLITE_STATIC);
    return conn_step(conn, stmt, NULL, err);
}
