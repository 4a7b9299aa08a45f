/*
 * Inside the catalog: SQLite connections, their statements, and the queue of writers. Nothing outside
 * this folder sees SQLite.
 *
 *   catalog_gate.c    who may be inside SQLite: many threads, or one fork
 *   catalog_conn.c    a connection: opening, statements, errors; the pool of readers
 *   catalog_schema.c  the tables: making them, comparing them
 *   catalog_rows.c    check values; rows of ref, reflog, txid, mark
 *   catalog_write.c   the queue: threads that wait share one transaction
 */
#ifndef ARMI_CATALOG_INTERNAL_H
#define ARMI_CATALOG_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <sqlite3.h>

#include "catalog/catalog.h"
#include "hash/blake3.h"

/* Every statement there is: the text is in catalog_conn.c. */
enum catalog_stmt {
    STMT_BEGIN_WRITE,
    STMT_COMMIT,
    STMT_ROLLBACK,
    STMT_SAVEPOINT,
    STMT_SAVEPOINT_KEEP,
    STMT_SAVEPOINT_UNDO,
    STMT_META_GET,
    STMT_META_PUT,
    STMT_NODE_GET,
    STMT_NODE_HAS,
    STMT_NODE_PUT,
    STMT_NODE_SPAN,
    STMT_NODE_LIST,
    STMT_NODE_STATS,
    STMT_CHUNK_GET,
    STMT_CHUNK_HAS,
    STMT_CHUNK_PUT,
    STMT_CHUNK_LIST,
    STMT_CHUNK_STATS,
    STMT_REF_GET,
    STMT_REF_PUT,
    STMT_REF_DELETE,
    STMT_REF_LIST,
    STMT_REFLOG_PUT,
    STMT_REFLOG_LIST,
    STMT_REFLOG_LIST_REF,
    STMT_TXID_GET,
    STMT_TXID_PUT,
    STMT_TXID_LIST,
    STMT_MARK_PUT,
    STMT_MARK_DELETE,
    STMT_MARK_HAS,
    STMT_MARK_LIST,
    STMT_INTEGRITY,
    STMT_COUNT,
};

struct catalog_conn {
    sqlite3 *db;
    sqlite3_stmt *stmts[STMT_COUNT];
    struct catalog_conn *next;
    int wal_pages;   /* in the WAL after the last commit of this connection */
    int synchronous; /* as the pragma stands */
};

struct write_job;

struct armi_catalog {
    char *dir;  /* as given, for messages */
    char *path; /* of catalog.db, absolute */
    const struct armi_os *os;
    int dir_fd;
    enum armi_durability durability;
    bool read_only;
    bool immutable; /* nobody can write: SQLite needs neither locks nor shared memory */
    uint32_t lock_timeout_ms;

    /* Taken inside the gate only, so that no thread holds it at a fork. */
    pthread_mutex_t pool_mutex;
    struct catalog_conn *idle;
    size_t idle_count;
    struct catalog_conn *writer; /* the leader's, used inside the gate */

    /* The writers' queue; never held while waiting for a lock or for SQLite. */
    pthread_mutex_t queue_mutex;
    pthread_cond_t queue_changed;
    struct write_job *queue_first, *queue_last;
    bool has_leader;
    atomic_bool poisoned;         /* a flush failed: this handle writes no more (I5) */
    atomic_uint_fast64_t flushes; /* of the database and its WAL, by this handle */

    struct armi_catalog *registry_next, **registry_link;
};

/* catalog_gate.c */
void gate_enter(void);
void gate_leave(void);
void gate_register(struct armi_catalog *catalog);
void gate_unregister(struct armi_catalog *catalog);

/* catalog_conn.c */
enum conn_mode { CONN_READ, CONN_WRITE, CONN_CREATE };
enum armi_status conn_open(struct armi_catalog *catalog, enum conn_mode mode,
                           struct catalog_conn **out, struct armi_error *err);
void conn_close(struct catalog_conn *conn);
void conn_close_list(struct catalog_conn *conn);
/* Without a checkpoint: in front of a fork, where a flush would be a surprise. */
void conn_close_quietly(struct catalog_conn *conn);
/* Runs SQL text that gives no rows. */
enum armi_status conn_exec(struct catalog_conn *conn, const char *sql,
                           struct armi_error *err);
/* The prepared statement, borrowed; reset and cleared. */
enum armi_status conn_stmt(struct catalog_conn *conn, enum catalog_stmt id,
                           sqlite3_stmt **out, struct armi_error *err);
/* One step; *row (nullable) tells whether a row is there. */
enum armi_status conn_step(struct catalog_conn *conn, sqlite3_stmt *stmt, bool *row,
                           struct armi_error *err);
/* A statement without parameters and rows, from start to end. */
enum armi_status conn_run(struct catalog_conn *conn, enum catalog_stmt id,
                          struct armi_error *err);
/* What an answer of SQLite means in ours. rc is an extended code. */
enum armi_status conn_error(struct catalog_conn *conn, int rc, struct armi_error *err);
/* Enters the gate and lends a connection for reading; end gives it back, or closes it after a failure. */
enum armi_status read_begin(struct armi_catalog *catalog, struct catalog_conn **out,
                            struct armi_error *err);
void read_end(struct armi_catalog *catalog, struct catalog_conn *conn,
              enum armi_status status);

static inline int bind_hash(sqlite3_stmt *stmt, int index, const struct armi_hash *hash)
{
    return sqlite3_bind_blob(stmt, index, hash->bytes, sizeof hash->bytes, SQLITE_STATIC);
}
/*
 * The bytes of a blob or text, without the conversion or terminator that would need memory (the
 * database is UTF-8, schema_check() sees to it); empty for anything else. Borrowed until the next step.
 */
struct armi_slice column_slice(sqlite3_stmt *stmt, int column);
/* false: the column is not a blob of 32 bytes. */
bool column_hash(sqlite3_stmt *stmt, int column, struct armi_hash *out);

/* catalog_schema.c */
enum armi_status schema_create(struct armi_catalog *catalog, struct catalog_conn *conn,
                               struct armi_error *err);
enum armi_status schema_check(struct catalog_conn *conn, struct armi_error *err);
/* WAL is a property of the file, which any program may have changed: back to it. */
enum armi_status schema_use_wal(struct catalog_conn *conn, struct armi_error *err);
enum armi_status meta_get(struct catalog_conn *conn, const char *key, uint8_t *value,
                          size_t size, bool *found, struct armi_error *err);
enum armi_status meta_put(struct catalog_conn *conn, const char *key, const uint8_t *value,
                          size_t size, struct armi_error *err);

/* catalog_rows.c */
#define ROW_CHECK_SIZE 16
/* A check value over the columns of a row, in their order. */
struct row_check {
    struct armi_blake3 state;
};
void row_check_begin(struct row_check *check, const char *context);
void row_check_int(struct row_check *check, int64_t v);
void row_check_bytes(struct row_check *check, const void *data,
                     size_t size); /* data NULL: null */
void row_check_end(struct row_check *check, uint8_t out[ROW_CHECK_SIZE]);
bool row_check_matches(struct row_check *check, sqlite3_stmt *stmt, int column);

enum armi_status ref_read(struct catalog_conn *conn, enum armi_ref_kind kind,
                          const char *name, bool *found, struct armi_catalog_ref *out,
                          struct armi_error *err);
enum armi_status ref_write(struct catalog_conn *conn, const struct armi_catalog_ref *ref,
                           struct armi_error *err);
enum armi_status ref_remove(struct catalog_conn *conn, enum armi_ref_kind kind,
                            const char *name, struct armi_error *err);
enum armi_status ref_decode(sqlite3_stmt *stmt, struct armi_catalog_ref *out,
                            struct armi_error *err);
enum armi_status reflog_write(struct catalog_conn *conn,
                              const struct armi_catalog_reflog *entry,
                              struct armi_error *err);
enum armi_status reflog_decode(sqlite3_stmt *stmt, struct armi_catalog_reflog *out,
                               struct armi_error *err);
enum armi_status txid_read(struct catalog_conn *conn, const uint8_t txid[ARMI_TXID_SIZE],
                           bool *found, struct armi_hash *commit, struct armi_error *err);
enum armi_status txid_write(struct catalog_conn *conn, const uint8_t txid[ARMI_TXID_SIZE],
                            const struct armi_hash *commit, struct armi_error *err);
enum armi_status txid_decode(sqlite3_stmt *stmt, uint8_t txid[ARMI_TXID_SIZE],
                             struct armi_hash *commit, struct armi_error *err);
enum armi_status mark_write(struct catalog_conn *conn, enum armi_mark mark,
                            const struct armi_catalog_mark *row, struct armi_error *err);
enum armi_status mark_decode(sqlite3_stmt *stmt, enum armi_mark mark,
                             struct armi_catalog_mark *out, struct armi_error *err);
static inline const char *ref_kind_word(enum armi_ref_kind kind)
{
    return kind == ARMI_REF_TAG ? "tag" : "branch";
}

/* catalog_refs.c: makes room for an item more in an array that holds `count` of `size` bytes. */
enum armi_status room_for_one(void **items, size_t count, size_t *capacity, size_t size,
                              struct armi_error *err);

/* catalog_objects.c */
enum armi_status node_write(struct catalog_conn *conn, enum armi_node_type type,
                            const struct armi_hash *name, struct armi_slice bytes,
                            struct armi_error *err);
enum armi_status node_read(struct catalog_conn *conn, enum armi_node_type type,
                           const struct armi_hash *name, struct armi_buf *out,
                           struct armi_error *err);
enum armi_status node_exists(struct catalog_conn *conn, const struct armi_hash *name,
                             bool *out, struct armi_error *err);
enum armi_status chunk_write(struct catalog_conn *conn,
                             const struct armi_catalog_chunk *chunk,
                             struct armi_error *err);
/* Puts nodes and chunks ahead of a publish: their flush is the publish's. */
enum armi_status objects_put(struct armi_catalog *catalog,
                             const struct armi_node_set *nodes,
                             const struct armi_catalog_chunk *chunks, size_t chunks_count,
                             bool flush, const struct armi_interrupt *interrupt,
                             struct armi_error *err);

/* catalog_write.c */
/*
 * What a writer wants done under the write lock, inside a transaction: fn runs on the leader's thread
 * while the owner waits. Its effect lands whole or not at all.
 */
struct write_job {
    enum armi_status (*fn)(struct write_job *job, struct catalog_conn *conn,
                           struct armi_error *err);
    void *ctx;
    struct armi_error *err;
    const struct armi_interrupt
        *interrupt; /* the owner's, asked on its thread; may be NULL */
    bool no_flush;  /* durability comes with a later job of the same owner */
    bool changed;   /* set by fn: there is something to commit */
    bool unknown;   /* out: the commit failed in a way that may or may not have landed */
    enum armi_status status;
    bool taken; /* by a leader: it cannot be called back */
    bool done;
    int64_t deadline_ns;
    struct write_job *next;
};
enum armi_status write_run(struct armi_catalog *catalog, struct write_job *job);

#endif
