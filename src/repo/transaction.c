/*
 * Transactions: what happens between begin and commit. Chunks go to disk as they are made
 * (unnamed), nodes wait in memory; landing is in landing.c.
 */
#include "repo/transaction_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <armillaria/ref.h>

#include "arrow/stream.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "os/handles.h"
#include "table/row_diff.h"

static void sink_init(struct armi_transaction *tx);

/* ---- life ---- */

enum armi_status armi_transaction_check(const struct armi_transaction *tx,
                                        struct armi_error *err)
{
    if (tx->generation != armi_handles_generation())
        return armi_error_set(
            err, ARMI_MISUSE,
            "a transaction that was begun before fork() was used in the child");
    if (tx->state == TX_ACTIVE)
        return ARMI_OK;
    return armi_error_set(err, ARMI_MISUSE,
                          tx->state == TX_COMMITTED ? "transaction already committed"
                                                    : "transaction was aborted");
}

/* The branch's tip; refuses what is no branch. */
static enum armi_status branch_open(struct armi_transaction *tx, const char *branch,
                                    struct armi_error *err)
{
    struct armi_catalog_ref ref;
    struct armi_error ignored = ARMI_ERROR_INIT;
    enum armi_status st =
        armi_catalog_get_ref(tx->core->catalog, ARMI_REF_BRANCH, branch, &ref, err);
    if (st == ARMI_NOT_FOUND && armi_ref_resolve(tx->repo, branch, &tx->snapshot.id, NULL,
                                                 NULL, &ignored) == ARMI_OK)
        return armi_error_object(err, ARMI_INVALID, "branch", branch,
                                 "%s is a tag or a commit: only a branch can be written to",
                                 branch);
    ARMI_TRY(st);
    snprintf(tx->branch, sizeof tx->branch, "%s", branch);
    if (!ref.has_commit)
        return ARMI_OK;
    return armi_place_load(tx->core, &ref.commit, &tx->snapshot, err);
}

enum armi_status armi_transaction_begin(struct armi_repository *repo, const char *branch,
                                        struct armi_transaction **out,
                                        struct armi_error *err)
{
    ARMI_TRY(armi_core_check_writable(repo->core, err));
    struct armi_transaction *tx = armi_alloc_zero(1, sizeof *tx);
    if (tx == NULL)
        return armi_error_no_memory(err);
    atomic_init(&tx->owners, 1);
    tx->core = armi_core_ref(repo->core);
    tx->repo = repo;
    tx->generation = armi_handles_generation();
    tx->gc_lock = (struct armi_lock)ARMI_LOCK_INIT;
    tx->callbacks = repo->callbacks;
    armi_tree_root_init(&tx->tables, true);
    armi_node_set_init(&tx->nodes, &tx->core->nodes);
    enum armi_status st = branch_open(tx, branch != NULL ? branch : "main", err);
    if (st == ARMI_OK)
        st = armi_tables_open(&tx->core->nodes,
                              tx->snapshot.has_commit ? &tx->snapshot.commit : NULL,
                              &tx->tables, err);
    tx->author = armi_strdup(repo->author);
    tx->message = armi_strdup("");
    if (st == ARMI_OK && (tx->author == NULL || tx->message == NULL))
        st = armi_error_no_memory(err);
    if (st == ARMI_OK && tx->core->os->random(tx->core->os, tx->txid, sizeof tx->txid) < 0)
        st = armi_error_set(err, ARMI_STORAGE, "the system gives no random numbers");
    if (st != ARMI_OK) {
        armi_transaction_free(tx);
        return st;
    }
    sink_init(tx);
    *out = tx;
    return ARMI_OK;
}

void armi_transaction_abort(struct armi_transaction *tx)
{
    if (tx->state != TX_ACTIVE)
        return;
    tx->state = TX_OVER;
    armi_store_batch_free(tx->batch);
    tx->batch = NULL;
    armi_lock_release(&tx->gc_lock);
}

static void tx_release(void *ctx)
{
    struct armi_transaction *tx = ctx;
    if (atomic_fetch_sub(&tx->owners, 1) != 1)
        return;
    armi_store_batch_free(tx->batch);
    armi_lock_release(&tx->gc_lock);
    for (size_t i = 0; i < tx->write_count; i++)
        armi_table_version_release(&tx->writes[i].version);
    for (size_t i = 0; i < tx->tiny_count; i++)
        armi_buf_release(&tx->tiny[i].bytes);
    armi_free(tx->writes);
    armi_free(tx->tiny);
    armi_node_set_release(&tx->nodes);
    armi_tree_root_release(&tx->tables);
    armi_place_release(&tx->snapshot);
    armi_buf_release(&tx->metadata);
    armi_free(tx->message);
    armi_free(tx->author);
    armi_core_unref(tx->core);
    armi_free(tx);
}

static void tx_retain(void *ctx)
{
    struct armi_transaction *tx = ctx;
    atomic_fetch_add(&tx->owners, 1);
}

void armi_transaction_free(struct armi_transaction *tx)
{
    if (tx == NULL)
        return;
    armi_transaction_abort(tx);
    tx_release(tx);
}

bool armi_transaction_is_active(const struct armi_transaction *tx)
{
    return tx->state == TX_ACTIVE;
}

const char *armi_transaction_branch(const struct armi_transaction *tx)
{
    return tx->branch;
}

struct armi_hash armi_transaction_snapshot(const struct armi_transaction *tx)
{
    return tx->snapshot.id;
}

/* ---- what the commit will say ---- */

static enum armi_status text_set(struct armi_transaction *tx, char **slot, const char *text,
                                 size_t size_max, const char *what, struct armi_error *err)
{
    ARMI_TRY(armi_transaction_check(tx, err));
    if (strlen(text) > size_max)
        return armi_error_set(err, ARMI_LIMIT, "the %s is longer than %zu bytes", what,
                              size_max);
    char *copy = armi_strdup(text);
    if (copy == NULL)
        return armi_error_no_memory(err);
    armi_free(*slot);
    *slot = copy;
    return ARMI_OK;
}

enum armi_status armi_transaction_set_message(struct armi_transaction *tx,
                                              const char *message, struct armi_error *err)
{
    return text_set(tx, &tx->message, message, ARMI_MESSAGE_SIZE_MAX, "message", err);
}

enum armi_status armi_transaction_set_author(struct armi_transaction *tx,
                                             const char *author, struct armi_error *err)
{
    return text_set(tx, &tx->author, author, ARMI_NAME_SIZE_MAX, "author", err);
}

enum armi_status armi_transaction_set_metadata(struct armi_transaction *tx, const char *key,
                                               const char *value, struct armi_error *err)
{
    ARMI_TRY(armi_transaction_check(tx, err));
    if (tx->metadata.size + strlen(key) + strlen(value) > ARMI_METADATA_SIZE_MAX)
        return armi_error_set(err, ARMI_LIMIT,
                              "the commit's metadata is larger than %llu bytes",
                              (unsigned long long)ARMI_METADATA_SIZE_MAX);
    size_t before = tx->metadata.size;
    enum armi_status st = armi_buf_append_bytes(&tx->metadata, key, strlen(key), err);
    if (st == ARMI_OK)
        st = armi_buf_append_bytes(&tx->metadata, value, strlen(value), err);
    if (st == ARMI_OK)
        tx->metadata_count++;
    else
        tx->metadata.size = before;
    return st;
}

enum armi_status armi_transaction_set_txid(struct armi_transaction *tx,
                                           const uint8_t txid[16], struct armi_error *err)
{
    ARMI_TRY(armi_transaction_check(tx, err));
    memcpy(tx->txid, txid, sizeof tx->txid);
    memcpy(tx->sink.txid, txid, sizeof tx->sink.txid);
    return ARMI_OK;
}

enum armi_status armi_transaction_set_expected(struct armi_transaction *tx,
                                               const struct armi_hash *commit,
                                               struct armi_error *err)
{
    ARMI_TRY(armi_transaction_check(tx, err));
    tx->has_expected = true;
    tx->expected = *commit;
    return ARMI_OK;
}

/* ---- chunks ---- */

static struct tx_tiny_chunk *tiny_find(const struct armi_transaction *tx,
                                       const struct armi_hash *hash)
{
    for (size_t i = 0; i < tx->tiny_count; i++)
        if (memcmp(&tx->tiny[i].hash, hash, sizeof *hash) == 0)
            return &tx->tiny[i];
    return NULL;
}

static enum armi_status tiny_put(struct armi_transaction *tx, const struct armi_hash *hash,
                                 const struct armi_slice *parts, size_t count, bool *reused,
                                 struct armi_error *err)
{
    ARMI_TRY(armi_catalog_has_chunk(tx->core->catalog, hash, reused, err));
    *reused = *reused || tiny_find(tx, hash) != NULL;
    if (*reused)
        return ARMI_OK;
    if (tx->tiny_count == tx->tiny_capacity) {
        size_t capacity = tx->tiny_capacity != 0 ? tx->tiny_capacity * 2 : 8;
        void *tiny = armi_realloc(tx->tiny, tx->tiny_count * sizeof *tx->tiny,
                                  capacity * sizeof *tx->tiny);
        if (tiny == NULL)
            return armi_error_no_memory(err);
        tx->tiny = tiny;
        tx->tiny_capacity = capacity;
    }
    struct tx_tiny_chunk *chunk = &tx->tiny[tx->tiny_count];
    *chunk = (struct tx_tiny_chunk){.hash = *hash};
    enum armi_status st = ARMI_OK;
    for (size_t i = 0; i < count && st == ARMI_OK; i++)
        st = armi_buf_append(&chunk->bytes, parts[i].data, parts[i].size, err);
    if (st == ARMI_OK)
        tx->tiny_count++;
    else
        armi_buf_release(&chunk->bytes);
    return st;
}

/* gc must not run between our first chunk and our publish. */
static enum armi_status gc_lock_take(struct armi_transaction *tx, struct armi_error *err)
{
    if (armi_lock_is_held(&tx->gc_lock))
        return ARMI_OK;
    char what[512];
    snprintf(what, sizeof what, "the gc lock of %s", tx->core->path);
    const struct armi_interrupt interrupt = {tx->callbacks.interrupted, tx->callbacks.ctx};
    return armi_lock_acquire(tx->core->os, tx->core->dir, ARMI_LOCK_BYTE_GC,
                             ARMI_LOCK_SHARED, (int64_t)tx->core->lock_timeout_ms * 1000000,
                             &interrupt, what, &tx->gc_lock, err);
}

enum armi_status tx_check_batch(const struct armi_transaction *tx, struct armi_error *err)
{
    if (tx->failed != ARMI_OK && err != NULL) {
        size_t size = err->size;
        *err = tx->failure;
        err->size = size;
    }
    return tx->failed;
}

static enum armi_status tx_put_chunk(void *ctx, const struct armi_hash *hash,
                                     const struct armi_slice *parts, size_t count,
                                     enum armi_chunk_kind *kind, bool *reused,
                                     struct armi_error *err)
{
    struct armi_transaction *tx = ctx;
    enum armi_chunk_put what = ARMI_CHUNK_NEW;
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    ARMI_TRY(gc_lock_take(tx, err));
    if (size < ARMI_CHUNK_TINY_MAX) {
        *kind = ARMI_CHUNK_CATALOG;
        return tiny_put(tx, hash, parts, count, reused, err);
    }
    ARMI_TRY(tx_check_batch(tx, err));
    if (tx->batch == NULL)
        ARMI_TRY(armi_store_batch_begin(tx->core->store, &tx->batch, err));
    *kind = ARMI_CHUNK_FILE;
    tx->failure = (struct armi_error)ARMI_ERROR_INIT;
    tx->failed = armi_store_batch_add(tx->batch, hash, parts, count, &what, &tx->failure);
    ARMI_TRY(tx_check_batch(tx, err));
    *reused = what == ARMI_CHUNK_PRESENT;
    return ARMI_OK;
}

static void sink_init(struct armi_transaction *tx)
{
    tx->sink = (struct armi_table_sink){
        .nodes = &tx->nodes,
        .put_chunk = tx_put_chunk,
        .ctx = tx,
        .parallel = {.threads = tx->core->threads},
    };
    memcpy(tx->sink.txid, tx->txid, sizeof tx->sink.txid);
}

/* ---- reading ---- */

static enum armi_status tx_open_chunk(void *ctx, const struct armi_chunk_ref *ref,
                                      struct armi_chunk **out, struct armi_error *err)
{
    struct armi_transaction *tx = ctx;
    const struct armi_chunk_options options = {
        .file_size = ref->file_size,
        .footer_size = ref->footer_size,
        .no_verify = tx->core->no_verify,
    };
    if (ref->kind == ARMI_CHUNK_FILE) {
        if (tx->batch != NULL)
            return armi_store_batch_open_chunk(tx->batch, &ref->hash, &options, out, err);
        return armi_chunk_open(tx->core->store, &ref->hash, &options, out, err);
    }
    const struct tx_tiny_chunk *tiny = tiny_find(tx, &ref->hash);
    if (tiny == NULL)
        return armi_core_open_tiny(tx->core, &ref->hash, out, err);
    struct armi_buf copy = {0};
    struct armi_bytes bytes = {0};
    ARMI_TRY(armi_buf_append(&copy, tiny->bytes.data, tiny->bytes.size, err));
    armi_buf_to_bytes(&copy, &bytes);
    return armi_chunk_from_bytes(&ref->hash, &bytes, &options, out, err);
}

struct armi_table_io armi_transaction_io(struct armi_transaction *tx)
{
    return (struct armi_table_io){
        .nodes = armi_node_set_source(&tx->nodes),
        .open_chunk = tx_open_chunk,
        .retain = tx_retain,
        .release = tx_release,
        .ctx = tx,
        .parallel = {.threads = tx->core->threads},
    };
}

const struct armi_place *armi_transaction_place(const struct armi_transaction *tx)
{
    return &tx->snapshot;
}

struct tx_write *tx_find(const struct armi_transaction *tx, const char *table)
{
    for (size_t i = 0; i < tx->write_count; i++)
        if (strcmp(tx->writes[i].name, table) == 0)
            return &tx->writes[i];
    return NULL;
}

enum armi_status armi_transaction_table(struct armi_transaction *tx, const char *table,
                                        bool *own, bool *dropped,
                                        struct armi_table_version *version,
                                        struct armi_error *err)
{
    const struct tx_write *write = tx_find(tx, table);
    *own = write != NULL;
    *dropped = write != NULL && write->dropped;
    if (write == NULL || write->dropped)
        return ARMI_OK;
    return armi_table_version_copy(&write->version, version, err);
}

/* ---- writing ---- */

/* The record of the table, with what the snapshot has of it. *fresh: it was made now. */
static enum armi_status write_open(struct armi_transaction *tx, const char *table,
                                   struct tx_write *out, struct armi_error *err)
{
    struct tx_write write = {.only_appends = true, .blind = true};
    bool found;
    armi_table_version_init(&write.version);
    snprintf(write.name, sizeof write.name, "%s", table);
    ARMI_TRY(
        armi_tables_find(&tx->core->nodes, &tx->tables, table, &found, &write.base, err));
    write.has_base = found && write.base.is_live;
    write.has_tombstone = found && !write.base.is_live;
    *out = write;
    return ARMI_OK;
}

static enum armi_status writes_grow(struct armi_transaction *tx, struct armi_error *err)
{
    if (tx->write_count < tx->write_capacity)
        return ARMI_OK;
    size_t capacity = tx->write_capacity != 0 ? tx->write_capacity * 2 : 4;
    void *writes = armi_realloc(tx->writes, tx->write_count * sizeof *tx->writes,
                                capacity * sizeof *tx->writes);
    if (writes == NULL)
        return armi_error_no_memory(err);
    tx->writes = writes;
    tx->write_capacity = capacity;
    return ARMI_OK;
}

/* What the transaction sees of the table now: *has, and then *version (owned). */
static enum armi_status table_now(struct armi_transaction *tx, const struct tx_write *write,
                                  bool is_own, bool *has,
                                  struct armi_table_version *version,
                                  struct armi_error *err)
{
    *has = is_own ? !write->dropped : write->has_base;
    if (!*has)
        return ARMI_OK;
    if (is_own)
        return armi_table_version_copy(&write->version, version, err);
    return armi_table_version_load(&tx->core->nodes, &write->base.node, version, err);
}

static enum armi_status name_check(const char *table, struct armi_error *err)
{
    const char *problem = armi_table_name_problem(table);
    if (problem == NULL)
        return ARMI_OK;
    return armi_error_object(err, ARMI_INVALID, "table", table,
                             "Invalid table name: \"%s\": %s", table, problem);
}

static enum armi_status options_check(struct armi_transaction *tx, const char *table,
                                      const struct armi_write_options *options, bool exists,
                                      struct armi_error *err)
{
    struct armi_hash commit;
    bool is_retry = false;
    if (options->mode == ARMI_WRITE_ERROR && exists)
        ARMI_TRY(tx_landed_before(tx, &is_retry, &commit, err));
    if (options->mode == ARMI_WRITE_ERROR && exists && !is_retry)
        return armi_error_object(err, ARMI_ALREADY_EXISTS, "table", table,
                                 "Table already exists: %s", table);
    if (options->mode == ARMI_WRITE_APPEND && options->schema_mode == ARMI_SCHEMA_OVERWRITE)
        return armi_error_set(err, ARMI_INVALID,
                              "an append to table %s cannot overwrite its schema", table);
    if (options->key_count != 0)
        return armi_error_set(err, ARMI_UNSUPPORTED,
                              "a key for table %s: this version has no keys", table);
    return ARMI_OK;
}

static enum armi_status table_id_make(struct armi_transaction *tx,
                                      uint8_t id[ARMI_TABLE_ID_SIZE],
                                      struct armi_error *err)
{
    if (tx->core->os->random(tx->core->os, id, ARMI_TABLE_ID_SIZE) < 0)
        return armi_error_set(err, ARMI_STORAGE, "the system gives no random numbers");
    return ARMI_OK;
}

static void result_fill(struct tx_write *write, const struct armi_table_written *written,
                        double seconds)
{
    struct armi_write_result *result = &write->result;
    snprintf(result->table, sizeof result->table, "%s", write->name);
    result->changed = write->changed;
    result->rows += written->rows;
    result->rows_total = write->version.rows;
    result->ranges = write->version.ranges;
    result->chunks_written += written->chunks_written;
    result->chunks_reused = written->chunks_reused;
    result->bytes_written += written->bytes_written;
    result->bytes_reused = written->bytes_reused;
    result->columns_encoded += written->columns_encoded;
    result->columns_shared += written->columns_shared;
    result->seconds += seconds;
}

/* The table against the snapshot, and what the feed will call it. */
static enum armi_status write_judge(struct armi_transaction *tx, struct tx_write *write,
                                    enum armi_op op, struct armi_error *err)
{
    write->op = !write->has_base                                 ? ARMI_OP_CREATE
                : write->only_appends || op == ARMI_OP_OVERWRITE ? op
                                                                 : ARMI_OP_OVERWRITE;
    write->changed = true;
    if (!write->has_base)
        return ARMI_OK;
    struct armi_table_version base;
    ARMI_TRY(armi_table_version_load(&tx->core->nodes, &write->base.node, &base, err));
    /* Several operations may have come back to the same rows, cut otherwise. */
    const struct armi_table_io io = armi_transaction_io(tx);
    bool same = false;
    enum armi_status st =
        armi_table_same(&io, &base, &write->version, tx->core->cache, &same, err);
    write->changed = !same;
    armi_table_version_release(&base);
    return st;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Encodes; *write is a working copy that the caller keeps on success. */
static enum armi_status write_run(struct armi_transaction *tx, struct tx_write *write,
                                  const struct armi_table_version *parent,
                                  struct ArrowArrayStream *data,
                                  const struct armi_write_options *options,
                                  struct armi_error *err)
{
    struct armi_table_io io = armi_transaction_io(tx);
    struct armi_table_version version;
    struct armi_table_written written;
    uint8_t table_id[ARMI_TABLE_ID_SIZE];
    double start = seconds_now();
    bool append = options->mode == ARMI_WRITE_APPEND;
    struct armi_table_write how = {
        .name = write->name,
        .append = append && parent != NULL,
        .fit = options->schema_mode == ARMI_SCHEMA_MERGE       ? ARMI_FIT_MERGE
               : options->schema_mode == ARMI_SCHEMA_OVERWRITE ? ARMI_FIT_OVERWRITE
                                                               : ARMI_FIT_STRICT,
        .chunk_rows = options->chunk_rows,
        .callbacks = armi_repo_callbacks(tx->repo, &options->callbacks),
    };
    tx->sink.parallel.interrupt =
        (struct armi_interrupt){how.callbacks.interrupted, how.callbacks.ctx};
    ARMI_TRY(table_id_make(tx, table_id, err));
    ARMI_TRY(armi_table_write(&io, &tx->sink, parent, table_id, data, &how, &version,
                              &written, err));
    armi_table_version_release(&write->version);
    write->version = version;
    write->dropped = false;
    write->only_appends = write->only_appends && append;
    write->blind = write->blind && options->blind && options->mode == ARMI_WRITE_OVERWRITE;
    enum armi_status st =
        write_judge(tx, write, append ? ARMI_OP_APPEND : ARMI_OP_OVERWRITE, err);
    result_fill(write, &written, seconds_now() - start);
    return st;
}

/* A working copy of the table's record and what the transaction sees of it now. */
struct attempt {
    struct tx_write write;
    struct armi_table_version parent;
    bool exists; /* `parent` is set */
};

static void attempt_release(struct attempt *a)
{
    armi_table_version_release(&a->write.version);
    armi_table_version_release(&a->parent);
}

static enum armi_status attempt_open(struct armi_transaction *tx, const char *table,
                                     struct attempt *a, struct armi_error *err)
{
    const struct tx_write *own = tx_find(tx, table);
    ARMI_TRY(write_open(tx, table, &a->write, err));
    if (own != NULL) {
        struct armi_table_version copy;
        ARMI_TRY(armi_table_version_copy(&own->version, &copy, err));
        a->write = *own;
        a->write.version = copy;
    }
    return table_now(tx, &a->write, own != NULL, &a->exists, &a->parent, err);
}

/* The attempt becomes the record. */
static void attempt_keep(struct armi_transaction *tx, struct attempt *a,
                         struct armi_write_result *out)
{
    struct tx_write *own = tx_find(tx, a->write.name);
    if (own == NULL)
        own = &tx->writes[tx->write_count++];
    else
        armi_table_version_release(&own->version);
    *own = a->write;
    armi_table_version_init(&a->write.version);
    if (out != NULL) {
        size_t size = out->size;
        *out = own->result;
        out->size = size;
    }
}

static enum armi_status attempt_run(struct armi_transaction *tx, struct attempt *a,
                                    struct ArrowArrayStream *data,
                                    const struct armi_write_options *options,
                                    struct armi_error *err)
{
    struct armi_error ignored = ARMI_ERROR_INIT;
    size_t nodes = tx->nodes.count;
    if (options->mode == ARMI_WRITE_IGNORE && a->exists) {
        const struct armi_table_written nothing = {0};
        armi_table_version_release(&a->write.version);
        a->write.version = a->parent;
        a->write.blind = false;
        armi_table_version_init(&a->parent);
        result_fill(&a->write, &nothing, 0);
        return ARMI_OK;
    }
    enum armi_status st =
        write_run(tx, &a->write, a->exists ? &a->parent : NULL, data, options, err);
    if (st != ARMI_OK && armi_node_set_truncate(&tx->nodes, nodes, &ignored) != ARMI_OK)
        armi_transaction_abort(tx);
    if (tx->failed != ARMI_OK && tx->write_count == 0) {
        /* Nobody's chunks are in the batch that failed: the next write begins another. */
        armi_store_batch_free(tx->batch);
        tx->batch = NULL;
        tx->failed = ARMI_OK;
    }
    return st;
}

enum armi_status armi_transaction_write(struct armi_transaction *tx, const char *table,
                                        struct ArrowArrayStream *data,
                                        const struct armi_write_options *options,
                                        struct armi_write_result *out,
                                        struct armi_error *err)
{
    static const struct armi_write_options defaults = {.size = sizeof defaults};
    struct attempt a = {0};
    if (options == NULL)
        options = &defaults;
    armi_table_version_init(&a.write.version);
    armi_table_version_init(&a.parent);
    enum armi_status st = armi_transaction_check(tx, err);
    if (st == ARMI_OK)
        st = name_check(table, err);
    if (st == ARMI_OK)
        st = writes_grow(tx, err);
    if (st == ARMI_OK)
        st = attempt_open(tx, table, &a, err);
    if (st == ARMI_OK)
        st = options_check(tx, table, options, a.exists, err);
    if (st == ARMI_OK)
        st = attempt_run(tx, &a, data, options, err);
    if (st == ARMI_OK)
        attempt_keep(tx, &a, out);
    attempt_release(&a);
    armi_stream_release(data);
    return st;
}

/* Its commit is there, so what it is to do is done. */
static bool is_retry(struct armi_transaction *tx)
{
    struct armi_error ignored = ARMI_ERROR_INIT;
    struct armi_hash commit;
    bool landed = false;
    return tx_landed_before(tx, &landed, &commit, &ignored) == ARMI_OK && landed;
}

enum armi_status armi_transaction_drop(struct armi_transaction *tx, const char *table,
                                       struct armi_error *err)
{
    struct tx_write write;
    ARMI_TRY(armi_transaction_check(tx, err));
    ARMI_TRY(writes_grow(tx, err));
    struct tx_write *own = tx_find(tx, table);
    if (own == NULL) {
        ARMI_TRY(write_open(tx, table, &write, err));
        if (!write.has_base && !is_retry(tx))
            return armi_table_not_found(table, 0, err);
        own = &tx->writes[tx->write_count++];
        *own = write;
    } else if (own->dropped) {
        return armi_table_not_found(table, 0, err);
    }
    armi_table_version_release(&own->version);
    own->dropped = true;
    own->only_appends = false;
    own->op = ARMI_OP_DROP;
    own->changed = own->has_base;
    memset(&own->result, 0, sizeof own->result);
    snprintf(own->result.table, sizeof own->result.table, "%s", table);
    own->result.changed = own->changed;
    return ARMI_OK;
}

/* ---- the end ---- */

enum armi_status armi_transaction_commit(struct armi_transaction *tx,
                                         struct armi_hash *commit, struct armi_error *err)
{
    struct armi_hash landed = {{0}};
    ARMI_TRY(armi_transaction_check(tx, err));
    enum armi_status st = tx_land(tx, &landed, err);
    armi_store_batch_free(tx->batch);
    tx->batch = NULL;
    armi_lock_release(&tx->gc_lock);
    tx->state = st == ARMI_OK ? TX_COMMITTED : TX_OVER;
    if (st == ARMI_OK && commit != NULL)
        *commit = landed;
    return st;
}

size_t armi_transaction_result_count(const struct armi_transaction *tx)
{
    return tx->state == TX_COMMITTED ? tx->write_count : 0;
}

enum armi_status armi_transaction_result(const struct armi_transaction *tx, size_t index,
                                         struct armi_write_result *out,
                                         struct armi_error *err)
{
    if (tx->state != TX_COMMITTED)
        return armi_error_set(err, ARMI_MISUSE, "results come after the commit");
    if (index >= tx->write_count)
        return armi_error_set(err, ARMI_NOT_FOUND, "the transaction has %zu results",
                              tx->write_count);
    size_t size = out->size;
    *out = tx->writes[index].result;
    out->size = size;
    return ARMI_OK;
}
