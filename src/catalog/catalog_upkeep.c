/*
 * For gc, verify and stats: marks, a walk over every row, sizes.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "catalog/catalog_internal.h"

struct mark_job {
    struct write_job job;
    enum armi_mark mark;
    const struct armi_catalog_mark *marks;
    size_t count;
    bool clear;
};

static enum armi_status mark_remove(struct catalog_conn *conn, enum armi_mark mark,
                                    const struct armi_catalog_mark *row,
                                    struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    ARMI_TRY(conn_stmt(conn, STMT_MARK_DELETE, &stmt, err));
    sqlite3_bind_int64(stmt, 1, mark);
    sqlite3_bind_int64(stmt, 2, row->is_node ? 1 : 0);
    bind_hash(stmt, 3, &row->name);
    return conn_step(conn, stmt, NULL, err);
}

static enum armi_status mark_run(struct write_job *job, struct catalog_conn *conn,
                                 struct armi_error *err)
{
    struct mark_job *m = job->ctx;
    for (size_t i = 0; i < m->count; i++)
        ARMI_TRY(m->clear ? mark_remove(conn, m->mark, &m->marks[i], err)
                          : mark_write(conn, m->mark, &m->marks[i], err));
    job->changed = m->count != 0;
    return ARMI_OK;
}

static enum armi_status mark_change(struct armi_catalog *catalog, enum armi_mark mark,
                                    const struct armi_catalog_mark *marks, size_t count,
                                    bool clear, struct armi_error *err)
{
    struct mark_job m = {.mark = mark, .marks = marks, .count = count, .clear = clear};
    m.job = (struct write_job){.fn = mark_run, .ctx = &m, .err = err};
    return write_run(catalog, &m.job);
}

enum armi_status armi_catalog_set_marks(struct armi_catalog *catalog, enum armi_mark mark,
                                        const struct armi_catalog_mark *marks, size_t count,
                                        struct armi_error *err)
{
    return mark_change(catalog, mark, marks, count, false, err);
}

enum armi_status armi_catalog_clear_marks(struct armi_catalog *catalog, enum armi_mark mark,
                                          const struct armi_catalog_mark *marks,
                                          size_t count, struct armi_error *err)
{
    return mark_change(catalog, mark, marks, count, true, err);
}

enum armi_status armi_catalog_has_mark(struct armi_catalog *catalog, enum armi_mark mark,
                                       bool is_node, const struct armi_hash *name,
                                       bool *out, struct armi_error *err)
{
    struct catalog_conn *conn;
    sqlite3_stmt *stmt = NULL;

    ARMI_TRY(read_begin(catalog, &conn, err));
    enum armi_status status = conn_stmt(conn, STMT_MARK_HAS, &stmt, err);
    if (status == ARMI_OK) {
        sqlite3_bind_int64(stmt, 1, mark);
        sqlite3_bind_int64(stmt, 2, is_node ? 1 : 0);
        bind_hash(stmt, 3, name);
        status = conn_step(conn, stmt, out, err);
        sqlite3_reset(stmt);
    }
    read_end(catalog, conn, status);
    return status;
}

static enum armi_status marks_read(struct catalog_conn *conn, enum armi_mark mark,
                                   void **out, size_t *count, struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    bool row;
    size_t n = 0, capacity = 0;
    enum armi_status status;

    ARMI_TRY(conn_stmt(conn, STMT_MARK_LIST, &stmt, err));
    sqlite3_bind_int64(stmt, 1, mark);
    while ((status = conn_step(conn, stmt, &row, err)) == ARMI_OK && row) {
        status = room_for_one(out, n, &capacity, sizeof(struct armi_catalog_mark), err);
        if (status == ARMI_OK)
            status = mark_decode(stmt, mark, (struct armi_catalog_mark *)*out + n, err);
        if (status != ARMI_OK)
            break;
        n++;
    }
    sqlite3_reset(stmt);
    *count = n;
    return status;
}

enum armi_status armi_catalog_list_marks(struct armi_catalog *catalog, enum armi_mark mark,
                                         struct armi_catalog_mark **out, size_t *count,
                                         struct armi_error *err)
{
    struct catalog_conn *conn;
    void *marks = NULL;
    size_t n = 0;

    ARMI_TRY(read_begin(catalog, &conn, err));
    enum armi_status status = marks_read(conn, mark, &marks, &n, err);
    read_end(catalog, conn, status);
    if (status != ARMI_OK) {
        armi_free(marks);
        return status;
    }
    *out = marks;
    *count = n;
    return ARMI_OK;
}

/*
 * Verify. The walk uses the reading calls above, page by page, so that nothing is held while the caller
 * is told.
 */
#define VERIFY_PAGE     64
#define INTEGRITY_LINES 20
#define INTEGRITY_SIZE  256

struct verify {
    struct armi_catalog *catalog;
    armi_catalog_problem_fn fn;
    void *ctx;
};

/* What was found is told; what kept us from looking is passed on. */
static enum armi_status tell(const struct verify *v, enum armi_status status,
                             const struct armi_error *found, struct armi_error *err)
{
    if (status == ARMI_OK)
        return ARMI_OK;
    if (status != ARMI_CORRUPTION && status != ARMI_UNSUPPORTED) {
        if (err != NULL)
            *err = *found;
        return status;
    }
    return v->fn(v->ctx, found->kind[0] != '\0' ? found->kind : "catalog", found->name,
                 found->message, err);
}

static enum armi_status integrity_lines(struct catalog_conn *conn,
                                        char lines[INTEGRITY_LINES][INTEGRITY_SIZE],
                                        size_t *count, struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    bool row;

    *count = 0;
    ARMI_TRY(conn_stmt(conn, STMT_INTEGRITY, &stmt, err));
    for (;;) {
        ARMI_TRY(conn_step(conn, stmt, &row, err));
        if (!row)
            return ARMI_OK;
        struct armi_slice text = column_slice(stmt, 0);
        bool fine = text.size == 2 && memcmp(text.data, "ok", 2) == 0;
        if (!fine && *count < INTEGRITY_LINES)
            snprintf(lines[(*count)++], INTEGRITY_SIZE, "catalog.db: %.*s",
                     (int)(text.size < INTEGRITY_SIZE ? text.size : INTEGRITY_SIZE),
                     text.size != 0 ? (const char *)text.data : "");
    }
}

static enum armi_status verify_database(const struct verify *v, struct armi_error *err)
{
    struct armi_error found = ARMI_ERROR_INIT;
    char lines[INTEGRITY_LINES][INTEGRITY_SIZE];
    struct catalog_conn *conn;
    size_t count = 0;
    uint8_t id[ARMI_REPO_ID_SIZE], settled[8];
    bool row;

    ARMI_TRY(read_begin(v->catalog, &conn, err));
    enum armi_status status = integrity_lines(conn, lines, &count, &found);
    if (status == ARMI_OK)
        status = meta_get(conn, "settled", settled, sizeof settled, &row, &found);
    read_end(v->catalog, conn, status);
    ARMI_TRY(tell(v, status, &found, err));
    for (size_t i = 0; i < count; i++)
        ARMI_TRY(v->fn(v->ctx, "catalog", "", lines[i], err));
    status = armi_catalog_id(v->catalog, id, &found);
    return tell(v, status, &found, err);
}

static enum armi_status verify_object(const struct verify *v, bool is_node,
                                      const struct armi_catalog_entry *e,
                                      struct armi_buf *bytes, struct armi_error *err)
{
    struct armi_error found = ARMI_ERROR_INIT;
    enum armi_status status;

    if (!is_node) {
        status = armi_catalog_get_chunk(v->catalog, &e->name, bytes, &found);
    } else if (e->type == 0 || armi_node_type_name((enum armi_node_type)e->type) == NULL) {
        char hex[ARMI_HASH_HEX_SIZE];
        armi_hash_format(&e->name, hex);
        status = armi_error_object(&found, ARMI_CORRUPTION, "node", hex,
                                   "node %s has the unknown type %u", hex, e->type);
    } else {
        status = armi_catalog_get_node(v->catalog, (enum armi_node_type)e->type, &e->name,
                                       bytes, &found);
    }
    /* Between the list and the look gc may have taken it. */
    return status == ARMI_NOT_FOUND ? ARMI_OK : tell(v, status, &found, err);
}

static enum armi_status verify_objects(const struct verify *v, bool is_node,
                                       struct armi_error *err)
{
    struct armi_error found = ARMI_ERROR_INIT;
    struct armi_catalog_entry page[VERIFY_PAGE];
    struct armi_buf bytes = {0};
    uint64_t cursor = 0;
    size_t count = VERIFY_PAGE;
    enum armi_status status = ARMI_OK;

    while (status == ARMI_OK && count == VERIFY_PAGE) {
        enum armi_status listed =
            is_node ? armi_catalog_list_nodes(v->catalog, &cursor, page, VERIFY_PAGE,
                                              &count, &found)
                    : armi_catalog_list_chunks(v->catalog, &cursor, page, VERIFY_PAGE,
                                               &count, &found);
        if (listed != ARMI_OK) {
            status = tell(v, listed, &found, err);
            break;
        }
        for (size_t i = 0; i < count && status == ARMI_OK; i++)
            status = verify_object(v, is_node, &page[i], &bytes, err);
    }
    armi_buf_release(&bytes);
    return status;
}

static enum armi_status verify_refs(const struct verify *v, struct armi_error *err)
{
    static const enum armi_ref_kind kinds[] = {ARMI_REF_BRANCH, ARMI_REF_TAG};
    struct armi_error found = ARMI_ERROR_INIT;
    struct armi_catalog_reflog entry;
    uint64_t before = 0;
    size_t count = 1;

    for (size_t k = 0; k < 2; k++) {
        struct armi_catalog_ref *refs = NULL;
        enum armi_status status =
            armi_catalog_list_refs(v->catalog, kinds[k], &refs, &count, &found);
        ARMI_TRY(tell(v, status, &found, err));
        armi_free(refs);
    }
    for (count = 1; count == 1; before = entry.id) {
        enum armi_status status = armi_catalog_list_reflog(
            v->catalog, ARMI_REF_BRANCH, NULL, before, &entry, 1, &count, &found);
        if (status != ARMI_OK)
            return tell(v, status, &found, err);
    }
    return ARMI_OK;
}

/* The page behind `after`, of which the first starts before any id, the empty one too. */
struct txid_cursor {
    uint8_t after[ARMI_TXID_SIZE];
    int size;
};

static enum armi_status txid_page(struct catalog_conn *conn, struct txid_cursor *cursor,
                                  size_t *count, struct armi_error *err)
{
    struct txid_cursor next = *cursor;
    struct armi_hash commit;
    sqlite3_stmt *stmt = NULL;
    bool row;

    ARMI_TRY(conn_stmt(conn, STMT_TXID_LIST, &stmt, err));
    sqlite3_bind_blob(stmt, 1, cursor->size >= 0 ? (const void *)cursor->after : NULL,
                      cursor->size >= 0 ? cursor->size : 0, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, VERIFY_PAGE);
    for (*count = 0;; ++*count) {
        ARMI_TRY(conn_step(conn, stmt, &row, err));
        if (!row)
            break;
        ARMI_TRY(txid_decode(stmt, next.after, &commit, err));
        next.size = ARMI_TXID_SIZE;
    }
    *cursor = next;
    return ARMI_OK;
}

static enum armi_status verify_rest(const struct verify *v, struct armi_error *err)
{
    static const enum armi_mark marks[] = {ARMI_MARK_DOOMED, ARMI_MARK_DAMAGED};
    struct armi_error found = ARMI_ERROR_INIT;
    struct txid_cursor cursor = {{0}, -1};
    size_t count = VERIFY_PAGE;

    while (count == VERIFY_PAGE) {
        struct catalog_conn *conn;
        ARMI_TRY(read_begin(v->catalog, &conn, err));
        enum armi_status status = txid_page(conn, &cursor, &count, &found);
        read_end(v->catalog, conn, status);
        if (status != ARMI_OK) {
            ARMI_TRY(tell(v, status, &found, err));
            break;
        }
    }
    for (size_t i = 0; i < 2; i++) {
        struct armi_catalog_mark *list = NULL;
        enum armi_status status =
            armi_catalog_list_marks(v->catalog, marks[i], &list, &count, &found);
        ARMI_TRY(tell(v, status, &found, err));
        armi_free(list);
    }
    return ARMI_OK;
}

enum armi_status armi_catalog_verify(struct armi_catalog *catalog,
                                     armi_catalog_problem_fn fn, void *ctx,
                                     struct armi_error *err)
{
    const struct verify v = {catalog, fn, ctx};
    ARMI_TRY(verify_database(&v, err));
    ARMI_TRY(verify_objects(&v, true, err));
    ARMI_TRY(verify_objects(&v, false, err));
    ARMI_TRY(verify_refs(&v, err));
    return verify_rest(&v, err);
}

static enum armi_status count_and_bytes(struct catalog_conn *conn, enum catalog_stmt id,
                                        uint64_t *count, uint64_t *bytes,
                                        struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    bool row;
    ARMI_TRY(conn_stmt(conn, id, &stmt, err));
    ARMI_TRY(conn_step(conn, stmt, &row, err));
    if (row) {
        *count = (uint64_t)sqlite3_column_int64(stmt, 0);
        *bytes = (uint64_t)sqlite3_column_int64(stmt, 1);
    }
    sqlite3_reset(stmt);
    return ARMI_OK;
}

static uint64_t file_size(const struct armi_catalog *catalog, const char *name)
{
    struct armi_file_stat stat;
    return catalog->os->stat_at(catalog->os, catalog->dir_fd, name, &stat) == 0 ? stat.size
                                                                                : 0;
}

enum armi_status armi_catalog_stats(struct armi_catalog *catalog,
                                    struct armi_catalog_stats *out, struct armi_error *err)
{
    struct armi_catalog_stats stats = {0};
    struct catalog_conn *conn;

    ARMI_TRY(read_begin(catalog, &conn, err));
    enum armi_status status =
        count_and_bytes(conn, STMT_NODE_STATS, &stats.nodes, &stats.node_bytes, err);
    if (status == ARMI_OK)
        status =
            count_and_bytes(conn, STMT_CHUNK_STATS, &stats.chunks, &stats.chunk_bytes, err);
    read_end(catalog, conn, status);
    ARMI_TRY(status);
    stats.file_bytes = file_size(catalog, ARMI_CATALOG_FILE) +
                       file_size(catalog, ARMI_CATALOG_FILE "-wal");
    stats.flushes = atomic_load(&catalog->flushes);
    *out = stats;
    return ARMI_OK;
}
