/*
 * Nodes and tiny chunks: rows of a name and bytes, proved on every get.
 */
#include <string.h>

#include "base/alloc.h"
#include "catalog/catalog_internal.h"

/* Transactions that put ahead of a publish are kept short, for the sake of other writers. */
#define PUT_BYTES_MAX ARMI_MIB

static enum armi_status node_missing(enum armi_node_type type, const struct armi_hash *name,
                                     struct armi_error *err)
{
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(name, hex);
    if (type == ARMI_NODE_COMMIT)
        return armi_error_object(err, ARMI_NOT_FOUND, "commit", hex, "Commit not found: %s",
                                 hex);
    return armi_error_object(err, ARMI_NOT_FOUND, "node", hex, "%s node not found: %s",
                             armi_node_type_name(type), hex);
}

enum armi_status node_write(struct catalog_conn *conn, enum armi_node_type type,
                            const struct armi_hash *name, struct armi_slice bytes,
                            struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    ARMI_TRY(conn_stmt(conn, STMT_NODE_PUT, &stmt, err));
    bind_hash(stmt, 1, name);
    sqlite3_bind_int64(stmt, 2, type);
    sqlite3_bind_blob64(stmt, 3, bytes.data, bytes.size, SQLITE_STATIC);
    return conn_step(conn, stmt, NULL, err);
}

enum armi_status node_exists(struct catalog_conn *conn, const struct armi_hash *name,
                             bool *out, struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    ARMI_TRY(conn_stmt(conn, STMT_NODE_HAS, &stmt, err));
    bind_hash(stmt, 1, name);
    ARMI_TRY(conn_step(conn, stmt, out, err));
    sqlite3_reset(stmt);
    return ARMI_OK;
}

enum armi_status node_read(struct catalog_conn *conn, enum armi_node_type type,
                           const struct armi_hash *name, struct armi_buf *out,
                           struct armi_error *err)
{
    struct armi_buf bytes = {0};
    struct armi_slice payload;
    sqlite3_stmt *stmt = NULL;
    bool row;

    ARMI_TRY(conn_stmt(conn, STMT_NODE_GET, &stmt, err));
    bind_hash(stmt, 1, name);
    ARMI_TRY(conn_step(conn, stmt, &row, err));
    if (!row)
        return node_missing(type, name, err);
    struct armi_slice stored = column_slice(stmt, 0);
    /* The hash is over the type too: a row that calls itself something else is not proved by it. */
    enum armi_status status =
        armi_node_unwrap(name, type, UINT8_MAX, stored, &payload, NULL, err);
    if (status == ARMI_OK)
        status = armi_buf_append(&bytes, stored.data, stored.size, err);
    sqlite3_reset(stmt);
    if (status == ARMI_OK)
        armi_buf_swap(out, &bytes);
    armi_buf_release(&bytes);
    return status;
}

enum armi_status armi_catalog_get_node(struct armi_catalog *catalog,
                                       enum armi_node_type type,
                                       const struct armi_hash *name, struct armi_buf *out,
                                       struct armi_error *err)
{
    struct catalog_conn *conn;
    ARMI_TRY(read_begin(catalog, &conn, err));
    enum armi_status status = node_read(conn, type, name, out, err);
    read_end(catalog, conn, status);
    return status;
}

static enum armi_status source_get(void *ctx, enum armi_node_type type,
                                   const struct armi_hash *name, struct armi_buf *out,
                                   struct armi_error *err)
{
    return armi_catalog_get_node(ctx, type, name, out, err);
}

struct armi_node_source armi_catalog_source(struct armi_catalog *catalog)
{
    return (struct armi_node_source){source_get, catalog};
}

enum armi_status armi_catalog_get_commit(struct armi_catalog *catalog,
                                         const struct armi_hash *id,
                                         struct armi_commit *out, struct armi_error *err)
{
    struct armi_buf bytes = {0};
    enum armi_status status =
        armi_catalog_get_node(catalog, ARMI_NODE_COMMIT, id, &bytes, err);
    if (status == ARMI_OK)
        status = armi_commit_decode(id, armi_buf_slice(&bytes), out, err);
    armi_buf_release(&bytes);
    return status;
}

enum armi_status armi_catalog_has_node(struct armi_catalog *catalog,
                                       const struct armi_hash *name, bool *out,
                                       struct armi_error *err)
{
    struct catalog_conn *conn;
    ARMI_TRY(read_begin(catalog, &conn, err));
    enum armi_status status = node_exists(conn, name, out, err);
    read_end(catalog, conn, status);
    return status;
}

/* A prefix of hex digits as the least and the greatest name that start with it. */
static bool prefix_span(const char *digits, size_t count, struct armi_hash *low,
                        struct armi_hash *high)
{
    if (count < ARMI_PREFIX_HEX_MIN || count > 2 * ARMI_HASH_SIZE)
        return false;
    memset(low, 0, sizeof *low);
    memset(high, 0xff, sizeof *high);
    for (size_t i = 0; i < count; i++) {
        char c = digits[i];
        int digit =
            c >= '0' && c <= '9' ? c - '0' : (c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1);
        if (digit < 0)
            return false;
        unsigned shift = i % 2 == 0 ? 4 : 0;
        low->bytes[i / 2] = (uint8_t)(low->bytes[i / 2] | digit << shift);
        high->bytes[i / 2] =
            (uint8_t)((high->bytes[i / 2] & ~(0xf << shift)) | digit << shift);
    }
    return true;
}

static enum armi_status find_in_span(struct catalog_conn *conn,
                                     const struct armi_hash span[2],
                                     struct armi_hash found[2], size_t *count,
                                     struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    bool row;

    ARMI_TRY(conn_stmt(conn, STMT_NODE_SPAN, &stmt, err));
    bind_hash(stmt, 1, &span[0]);
    bind_hash(stmt, 2, &span[1]);
    sqlite3_bind_int64(stmt, 3, ARMI_NODE_COMMIT);
    *count = 0;
    for (;;) {
        ARMI_TRY(conn_step(conn, stmt, &row, err));
        if (!row)
            return ARMI_OK;
        if (*count < 2 && column_hash(stmt, 0, &found[*count]))
            ++*count;
    }
}

enum armi_status armi_catalog_find_commit(struct armi_catalog *catalog, const char *digits,
                                          size_t digits_size, struct armi_hash *out,
                                          struct armi_error *err)
{
    struct armi_hash span[2], found[2];
    struct catalog_conn *conn;
    size_t count;
    char a[ARMI_HASH_HEX_SIZE], b[ARMI_HASH_HEX_SIZE], name[ARMI_HASH_HEX_SIZE];

    if (!prefix_span(digits, digits_size, &span[0], &span[1]))
        return armi_error_set(
            err, ARMI_INVALID,
            "Invalid commit: \"%.*s\" is not 8 to 64 lower-case hex digits",
            digits_size < 80 ? (int)digits_size : 80, digits);
    ARMI_TRY(read_begin(catalog, &conn, err));
    enum armi_status status = find_in_span(conn, span, found, &count, err);
    read_end(catalog, conn, status);
    ARMI_TRY(status);
    memcpy(name, digits, digits_size);
    name[digits_size] = '\0';
    if (count == 0)
        return armi_error_object(err, ARMI_NOT_FOUND, "commit", name,
                                 "Commit not found: %s", name);
    if (count == 1) {
        *out = found[0];
        return ARMI_OK;
    }
    armi_hash_format(&found[0], a);
    armi_hash_format(&found[1], b);
    return armi_error_object(err, ARMI_INVALID, "commit", name,
                             "Commit prefix %s is ambiguous: %s, %s…; give more digits",
                             name, a, b);
}

static enum armi_status chunk_read(struct catalog_conn *conn, const struct armi_hash *hash,
                                   struct armi_buf *out, struct armi_error *err)
{
    struct armi_buf bytes = {0};
    struct armi_hash found;
    char hex[ARMI_HASH_HEX_SIZE];
    sqlite3_stmt *stmt = NULL;
    bool row;

    armi_hash_format(hash, hex);
    ARMI_TRY(conn_stmt(conn, STMT_CHUNK_GET, &stmt, err));
    bind_hash(stmt, 1, hash);
    ARMI_TRY(conn_step(conn, stmt, &row, err));
    if (!row)
        return armi_error_object(err, ARMI_NOT_FOUND, "chunk", hex, "Chunk not found: %s",
                                 hex);
    struct armi_slice stored = column_slice(stmt, 0);
    enum armi_status status = armi_buf_append(&bytes, stored.data, stored.size, err);
    sqlite3_reset(stmt);
    if (status == ARMI_OK) {
        armi_blake3_hash(bytes.data, bytes.size, &found);
        if (memcmp(&found, hash, sizeof found) != 0)
            status = armi_error_object(
                err, ARMI_CORRUPTION, "chunk", hex,
                "chunk %s: its bytes in catalog.db do not match its name", hex);
    }
    if (status == ARMI_OK)
        armi_buf_swap(out, &bytes);
    armi_buf_release(&bytes);
    return status;
}

enum armi_status armi_catalog_get_chunk(struct armi_catalog *catalog,
                                        const struct armi_hash *hash, struct armi_buf *out,
                                        struct armi_error *err)
{
    struct catalog_conn *conn;
    ARMI_TRY(read_begin(catalog, &conn, err));
    enum armi_status status = chunk_read(conn, hash, out, err);
    read_end(catalog, conn, status);
    return status;
}

enum armi_status armi_catalog_has_chunk(struct armi_catalog *catalog,
                                        const struct armi_hash *hash, bool *out,
                                        struct armi_error *err)
{
    struct catalog_conn *conn;
    sqlite3_stmt *stmt = NULL;

    ARMI_TRY(read_begin(catalog, &conn, err));
    enum armi_status status = conn_stmt(conn, STMT_CHUNK_HAS, &stmt, err);
    if (status == ARMI_OK) {
        bind_hash(stmt, 1, hash);
        status = conn_step(conn, stmt, out, err);
        sqlite3_reset(stmt);
    }
    read_end(catalog, conn, status);
    return status;
}

enum armi_status chunk_write(struct catalog_conn *conn,
                             const struct armi_catalog_chunk *chunk, struct armi_error *err)
{
    sqlite3_stmt *stmt = NULL;
    if (chunk->bytes.size >= ARMI_CHUNK_TINY_MAX)
        return armi_error_set(err, ARMI_LIMIT,
                              "a chunk of %zu bytes does not go into the catalog",
                              chunk->bytes.size);
    ARMI_TRY(conn_stmt(conn, STMT_CHUNK_PUT, &stmt, err));
    bind_hash(stmt, 1, &chunk->hash);
    /* An empty blob is not null. */
    sqlite3_bind_blob64(stmt, 2,
                        chunk->bytes.size != 0 ? (const void *)chunk->bytes.data : "",
                        chunk->bytes.size, SQLITE_STATIC);
    return conn_step(conn, stmt, NULL, err);
}

struct put_job {
    struct write_job job;
    const struct armi_node_set *nodes;
    const struct armi_catalog_chunk *chunks;
    size_t nodes_first, nodes_end;
    size_t chunks_first, chunks_end;
};

static enum armi_status put_run(struct write_job *job, struct catalog_conn *conn,
                                struct armi_error *err)
{
    struct put_job *put = job->ctx;
    for (size_t i = put->nodes_first; i < put->nodes_end; i++) {
        const struct armi_node_set_entry *e = &put->nodes->entries[i];
        ARMI_TRY(
            node_write(conn, e->type, &e->name, armi_node_set_bytes(put->nodes, i), err));
    }
    for (size_t i = put->chunks_first; i < put->chunks_end; i++)
        ARMI_TRY(chunk_write(conn, &put->chunks[i], err));
    job->changed = true;
    return ARMI_OK;
}

enum armi_status objects_put(struct armi_catalog *catalog,
                             const struct armi_node_set *nodes,
                             const struct armi_catalog_chunk *chunks, size_t chunks_count,
                             bool flush, const struct armi_interrupt *interrupt,
                             struct armi_error *err)
{
    size_t nodes_count = nodes != NULL ? nodes->count : 0;
    struct put_job put = {.nodes = nodes, .chunks = chunks};

    put.job = (struct write_job){
        .fn = put_run, .ctx = &put, .err = err, .interrupt = interrupt, .no_flush = !flush};
    while (put.nodes_end < nodes_count || put.chunks_end < chunks_count) {
        uint64_t bytes = 0;
        put.nodes_first = put.nodes_end;
        put.chunks_first = put.chunks_end;
        while (put.nodes_end < nodes_count && (bytes == 0 || bytes < PUT_BYTES_MAX))
            bytes += nodes->entries[put.nodes_end++].size;
        while (put.chunks_end < chunks_count && (bytes == 0 || bytes < PUT_BYTES_MAX))
            bytes += chunks[put.chunks_end++].bytes.size + 1;
        ARMI_TRY(write_run(catalog, &put.job));
    }
    return ARMI_OK;
}

enum armi_status armi_catalog_put_nodes(struct armi_catalog *catalog,
                                        const struct armi_node_set *nodes,
                                        struct armi_error *err)
{
    return objects_put(catalog, nodes, NULL, 0, false, NULL, err);
}

enum armi_status armi_catalog_put_chunks(struct armi_catalog *catalog,
                                         const struct armi_catalog_chunk *chunks,
                                         size_t count, struct armi_error *err)
{
    return objects_put(catalog, NULL, chunks, count, true, NULL, err);
}

static enum armi_status list_page(struct armi_catalog *catalog, enum catalog_stmt id,
                                  uint64_t *cursor, struct armi_catalog_entry *out,
                                  size_t max, size_t *count, struct armi_error *err)
{
    struct catalog_conn *conn;
    sqlite3_stmt *stmt = NULL;
    uint64_t at = *cursor;
    size_t n = 0;
    bool row = true;

    ARMI_TRY(read_begin(catalog, &conn, err));
    enum armi_status status = conn_stmt(conn, id, &stmt, err);
    if (status == ARMI_OK) {
        sqlite3_bind_int64(stmt, 1, (int64_t)at);
        sqlite3_bind_int64(stmt, 2, max < INT32_MAX ? (int64_t)max : INT32_MAX);
        while (status == ARMI_OK && row && n < max) {
            status = conn_step(conn, stmt, &row, err);
            if (status != ARMI_OK || !row)
                break;
            at = (uint64_t)sqlite3_column_int64(stmt, 0);
            out[n].type = (unsigned)sqlite3_column_int64(stmt, 2);
            out[n].size = (uint64_t)sqlite3_column_int64(stmt, 3);
            if (column_hash(stmt, 1, &out[n].name))
                n++;
            else
                status = armi_error_set(err, ARMI_CORRUPTION,
                                        "catalog.db: the row %llu of an object is damaged",
                                        (unsigned long long)at);
        }
        sqlite3_reset(stmt);
    }
    read_end(catalog, conn, status);
    if (status == ARMI_OK) {
        *cursor = at;
        *count = n;
    }
    return status;
}

enum armi_status armi_catalog_list_nodes(struct armi_catalog *catalog, uint64_t *cursor,
                                         struct armi_catalog_entry *out, size_t max,
                                         size_t *count, struct armi_error *err)
{
    return list_page(catalog, STMT_NODE_LIST, cursor, out, max, count, err);
}

enum armi_status armi_catalog_list_chunks(struct armi_catalog *catalog, uint64_t *cursor,
                                          struct armi_catalog_entry *out, size_t max,
                                          size_t *count, struct armi_error *err)
{
    return list_page(catalog, STMT_CHUNK_LIST, cursor, out, max, count, err);
}
