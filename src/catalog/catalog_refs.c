/*
 * Reading refs, the reflog and transaction ids. Writing them is publish's alone.
 */
#include <string.h>

#include "base/alloc.h"
#include "catalog/catalog_internal.h"

enum armi_status armi_catalog_get_ref(struct armi_catalog *catalog, enum armi_ref_kind kind,
                                      const char *name, struct armi_catalog_ref *out,
                                      struct armi_error *err)
{
    struct catalog_conn *conn;
    bool found = false;

    ARMI_TRY(read_begin(catalog, &conn, err));
    enum armi_status status = ref_read(conn, kind, name, &found, out, err);
    read_end(catalog, conn, status);
    if (status == ARMI_OK && !found)
        return armi_error_object(err, ARMI_NOT_FOUND, ref_kind_word(kind), name,
                                 "%s not found: %s",
                                 kind == ARMI_REF_TAG ? "Tag" : "Branch", name);
    return status;
}

enum armi_status room_for_one(void **items, size_t count, size_t *capacity, size_t size,
                              struct armi_error *err)
{
    if (count < *capacity)
        return ARMI_OK;
    size_t more = *capacity != 0 ? 2 * *capacity : 16;
    void *grown = armi_realloc(*items, count * size, more * size);
    if (grown == NULL)
        return armi_error_no_memory(err);
    *items = grown;
    *capacity = more;
    return ARMI_OK;
}

enum armi_status armi_catalog_list_refs(struct armi_catalog *catalog,
                                        enum armi_ref_kind kind,
                                        struct armi_catalog_ref **out, size_t *count,
                                        struct armi_error *err)
{
    struct catalog_conn *conn;
    sqlite3_stmt *stmt = NULL;
    void *refs = NULL;
    size_t n = 0, capacity = 0;
    bool row = true;

    ARMI_TRY(read_begin(catalog, &conn, err));
    enum armi_status status = conn_stmt(conn, STMT_REF_LIST, &stmt, err);
    if (status == ARMI_OK) {
        sqlite3_bind_int64(stmt, 1, kind);
        while (status == ARMI_OK) {
            status = conn_step(conn, stmt, &row, err);
            if (status != ARMI_OK || !row)
                break;
            status =
                room_for_one(&refs, n, &capacity, sizeof(struct armi_catalog_ref), err);
            if (status == ARMI_OK)
                status = ref_decode(stmt, (struct armi_catalog_ref *)refs + n++, err);
        }
        sqlite3_reset(stmt);
    }
    read_end(catalog, conn, status);
    if (status != ARMI_OK) {
        armi_free(refs);
        return status;
    }
    *out = refs;
    *count = n;
    return ARMI_OK;
}

enum armi_status armi_catalog_list_reflog(struct armi_catalog *catalog,
                                          enum armi_ref_kind kind, const char *name,
                                          uint64_t before, struct armi_catalog_reflog *out,
                                          size_t max, size_t *count, struct armi_error *err)
{
    struct catalog_conn *conn;
    sqlite3_stmt *stmt = NULL;
    size_t n = 0;
    bool row = true;

    ARMI_TRY(read_begin(catalog, &conn, err));
    enum armi_status status =
        conn_stmt(conn, name != NULL ? STMT_REFLOG_LIST_REF : STMT_REFLOG_LIST, &stmt, err);
    if (status == ARMI_OK) {
        sqlite3_bind_int64(stmt, 1, before != 0 ? (int64_t)before : INT64_MAX);
        sqlite3_bind_int64(stmt, 2, max < INT32_MAX ? (int64_t)max : INT32_MAX);
        if (name != NULL) {
            sqlite3_bind_int64(stmt, 3, kind);
            sqlite3_bind_text(stmt, 4, name, -1, SQLITE_STATIC);
        }
        while (status == ARMI_OK && n < max) {
            status = conn_step(conn, stmt, &row, err);
            if (status != ARMI_OK || !row)
                break;
            status = reflog_decode(stmt, &out[n++], err);
        }
        sqlite3_reset(stmt);
    }
    read_end(catalog, conn, status);
    if (status == ARMI_OK)
        *count = n;
    return status;
}

enum armi_status armi_catalog_find_txid(struct armi_catalog *catalog,
                                        const uint8_t txid[ARMI_TXID_SIZE], bool *found,
                                        struct armi_hash *commit, struct armi_error *err)
{
    struct catalog_conn *conn;
    ARMI_TRY(read_begin(catalog, &conn, err));
    enum armi_status status = txid_read(conn, txid, found, commit, err);
    read_end(catalog, conn, status);
    return status;
}
