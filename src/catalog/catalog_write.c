/*
 * All writes pass here. Threads put their job into the handle's queue; the first becomes the leader,
 * takes the folder's write lock, and runs every job that waits in one SQLite transaction, so that they
 * share its flush (I8):
 *
 *     queue -> write lock -> BEGIN IMMEDIATE -> job, job, … -> COMMIT -> unlock -> checkpoint if due
 *
 * What a failed COMMIT means (I5). If a flush failed, the transaction may or may not survive a crash:
 * unknown, and the handle writes no more, because a second flush of the same file may succeed without
 * having written anything. If something else failed (no space, a failed write), the frames of the
 * transaction may stand whole in the WAL although SQLite took it back; so a settling transaction is
 * written over them. If that lands, the first is certainly gone, and the failure is an ordinary one.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/bits.h"
#include "catalog/catalog_internal.h"
#include "os/lockfile.h"

#define BATCH_MAX         64
#define CHECKPOINT_PAGES  1000
#define NS_PER_MS         INT64_C(1000000)
#define INTERRUPT_POLL_NS 50000000

struct write_batch {
    struct armi_catalog *catalog;
    struct write_job *jobs[BATCH_MAX];
    size_t count;
    bool changed;
    bool no_flush;
};

static int64_t now_ns(const struct armi_catalog *catalog)
{
    return catalog->os->monotonic_ns(catalog->os);
}

static void job_fail(struct write_job *job, enum armi_status status,
                     const struct armi_error *why)
{
    job->status = status;
    if (job->err != NULL && why != NULL && job->err != why) {
        size_t size = job->err->size;
        *job->err = *why;
        job->err->size = size;
    }
}

static void batch_fail(struct write_batch *batch, enum armi_status status,
                       const struct armi_error *why)
{
    for (size_t i = 0; i < batch->count; i++)
        job_fail(batch->jobs[i], status, why);
}

static enum armi_status set_synchronous(struct armi_catalog *catalog,
                                        struct catalog_conn *conn, bool no_flush,
                                        struct armi_error *err)
{
    static const char *const pragmas[] = {
        "PRAGMA synchronous = OFF",
        "PRAGMA synchronous = NORMAL",
        "PRAGMA synchronous = FULL",
    };
    int level = catalog->durability == ARMI_DURABILITY_NONE     ? 0
                : catalog->durability == ARMI_DURABILITY_NORMAL ? 1
                                                                : 2;
    /* Frames that go ahead of a publish are flushed with it: they lie before it in the same file. */
    if (no_flush && level == 2)
        level = 1;
    if (conn->synchronous == level)
        return ARMI_OK;
    ARMI_TRY(conn_exec(conn, pragmas[level], err));
    conn->synchronous = level;
    return ARMI_OK;
}

static void roll_back(struct catalog_conn *conn)
{
    if (sqlite3_get_autocommit(conn->db) == 0)
        (void)conn_run(conn, STMT_ROLLBACK, NULL);
}

/* One job of several runs in a savepoint: its failure is its own. */
static enum armi_status run_job(struct write_batch *batch, struct write_job *job,
                                struct catalog_conn *conn, struct armi_error *err)
{
    bool alone = batch->count == 1;

    if (!alone)
        ARMI_TRY(conn_run(conn, STMT_SAVEPOINT, err));
    job->changed = false;
    job->status = job->fn(job, conn, job->err);
    bool undo = job->status != ARMI_OK;
    batch->changed |= job->changed && !undo;
    if (sqlite3_get_autocommit(conn->db) != 0) {
        /* SQLite gave the whole transaction up: for all of them. */
        if (undo && job->err != NULL)
            *err = *job->err;
        return undo ? job->status
                    : armi_error_set(err, ARMI_STORAGE,
                                     "catalog.db: the transaction was lost");
    }
    if (alone)
        return ARMI_OK;
    if (undo)
        ARMI_TRY(conn_run(conn, STMT_SAVEPOINT_UNDO, err));
    return conn_run(conn, STMT_SAVEPOINT_KEEP, err);
}

/* Writes over what a failed COMMIT may have left. ARMI_OK: it is gone. */
static enum armi_status settle(struct catalog_conn *conn)
{
    uint8_t value[8];
    bool found;

    if (conn_run(conn, STMT_BEGIN_WRITE, NULL) != ARMI_OK)
        return ARMI_STORAGE;
    enum armi_status status = meta_get(conn, "settled", value, sizeof value, &found, NULL);
    if (status == ARMI_OK) {
        armi_store64(value, found ? armi_load64(value) + 1 : 1);
        status = meta_put(conn, "settled", value, sizeof value, NULL);
    }
    if (status == ARMI_OK)
        status = conn_run(conn, STMT_COMMIT, NULL);
    if (status != ARMI_OK)
        roll_back(conn);
    return status;
}

static void commit_failed(struct write_batch *batch, struct catalog_conn *conn,
                          enum armi_status status, const struct armi_error *why)
{
    int rc = sqlite3_extended_errcode(conn->db);
    bool flush_failed = rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC;

    roll_back(conn);
    if (!flush_failed && settle(conn) == ARMI_OK) {
        batch_fail(batch, status, why);
        return;
    }
    atomic_store(&batch->catalog->poisoned, true);
    batch_fail(batch, status, why);
    for (size_t i = 0; i < batch->count; i++)
        batch->jobs[i]->unknown = true;
}

/* Whether the writer connection may be used again. */
static bool run_batch(struct write_batch *batch, struct catalog_conn *conn)
{
    struct armi_error why = ARMI_ERROR_INIT;
    enum armi_status status = ARMI_OK;

    batch->changed = false;
    for (size_t i = 0; i < batch->count && status == ARMI_OK; i++)
        status = run_job(batch, batch->jobs[i], conn, &why);
    if (status != ARMI_OK) {
        roll_back(conn);
        batch_fail(batch, status, &why);
        return false;
    }
    if (!batch->changed) {
        roll_back(conn);
        return true;
    }
    status = conn_run(conn, STMT_COMMIT, &why);
    if (status != ARMI_OK)
        commit_failed(batch, conn, status, &why);
    else if (conn->synchronous == 2) /* FULL: the WAL was flushed once */
        atomic_fetch_add(&batch->catalog->flushes, 1);
    return status == ARMI_OK;
}

/*
 * Writes the WAL back when it is long, after the write lock is gone and the jobs are told: a passive
 * checkpoint waits for nobody, and others may commit meanwhile. What fails here loses nothing, except a flush (I5).
 */
static void checkpoint_if_due(struct armi_catalog *catalog)
{
    gate_enter();
    struct catalog_conn *conn = catalog->writer;
    if (conn != NULL && conn->wal_pages >= CHECKPOINT_PAGES) {
        conn->wal_pages = 0;
        int rc = sqlite3_wal_checkpoint_v2(conn->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
                                           NULL);
        if (rc == SQLITE_IOERR_FSYNC)
            atomic_store(&catalog->poisoned, true);
        else if (conn->synchronous > 0)
            atomic_fetch_add(&catalog->flushes, 2); /* of the WAL, then of the database */
    }
    gate_leave();
}

static enum armi_status check_poisoned(struct armi_catalog *catalog, struct armi_error *err)
{
    if (!atomic_load(&catalog->poisoned))
        return ARMI_OK;
    return armi_error_errno(
        err, EIO,
        "a flush of catalog.db failed before, nothing more is written through "
        "this handle: open '%s' again",
        catalog->dir);
}

/* BEGIN IMMEDIATE inside the gate; ARMI_BUSY if another program holds SQLite's own lock. */
static enum armi_status begin(struct armi_catalog *catalog, bool no_flush,
                              struct armi_error *err)
{
    if (catalog->writer == NULL)
        ARMI_TRY(conn_open(catalog, CONN_WRITE, &catalog->writer, err));
    ARMI_TRY(set_synchronous(catalog, catalog->writer, no_flush, err));
    return conn_run(catalog->writer, STMT_BEGIN_WRITE, err);
}

static void drop_writer(struct armi_catalog *catalog)
{
    if (catalog->writer != NULL)
        conn_close(catalog->writer);
    catalog->writer = NULL;
}

static void lead_locked(struct write_batch *batch, int64_t deadline, struct armi_lock *lock)
{
    struct armi_catalog *catalog = batch->catalog;
    struct armi_error why = ARMI_ERROR_INIT;
    enum armi_status status;

    /* A foreign program may hold SQLite's lock: a fork must not have to wait for it. */
    for (;;) {
        gate_enter();
        status = check_poisoned(catalog, &why);
        if (status == ARMI_OK)
            status = begin(catalog, batch->no_flush, &why);
        if (status != ARMI_BUSY || now_ns(catalog) >= deadline)
            break;
        gate_leave();
    }
    if (status != ARMI_OK) {
        batch_fail(batch, status, &why);
        drop_writer(catalog);
    } else if (!run_batch(batch, catalog->writer)) {
        drop_writer(catalog);
    }
    gate_leave();
    armi_lock_release(lock);
}

/* What waits now, in order; a flush that is asked for is given to all of them. */
static void batch_take(struct armi_catalog *catalog, struct write_batch *batch)
{
    *batch = (struct write_batch){.catalog = catalog, .no_flush = true};
    pthread_mutex_lock(&catalog->queue_mutex);
    while (catalog->queue_first != NULL && batch->count < BATCH_MAX) {
        struct write_job *job = catalog->queue_first;
        catalog->queue_first = job->next;
        batch->no_flush &= job->no_flush;
        job->taken = true;
        batch->jobs[batch->count++] = job;
    }
    if (catalog->queue_first == NULL)
        catalog->queue_last = NULL;
    pthread_mutex_unlock(&catalog->queue_mutex);
}

/* Of what waits, those whose time is over: the lock was not to be had for them either. */
static void fail_overdue(struct armi_catalog *catalog, struct write_job *self,
                         enum armi_status status, const struct armi_error *why)
{
    int64_t now = now_ns(catalog);
    struct write_job *kept_first = NULL, *kept_last = NULL, *next;

    pthread_mutex_lock(&catalog->queue_mutex);
    for (struct write_job *job = catalog->queue_first; job != NULL; job = next) {
        next = job->next;
        job->next = NULL;
        if (job == self || (status == ARMI_BUSY && job->deadline_ns <= now)) {
            job_fail(job, status, why);
            job->done = true;
        } else if (kept_last == NULL) {
            kept_first = kept_last = job;
        } else {
            kept_last = kept_last->next = job;
        }
    }
    catalog->queue_first = kept_first;
    catalog->queue_last = kept_last;
    pthread_mutex_unlock(&catalog->queue_mutex);
}

/* The leader's turn: until its own job is done. Others' jobs may be done on the way. */
static void lead(struct armi_catalog *catalog, struct write_job *self)
{
    struct armi_lock lock = ARMI_LOCK_INIT;
    struct armi_error why = ARMI_ERROR_INIT;
    struct write_batch batch;
    int64_t wait = self->deadline_ns - now_ns(catalog);

    enum armi_status status = armi_lock_acquire(
        catalog->os, catalog->dir_fd, ARMI_LOCK_BYTE_WRITE, ARMI_LOCK_EXCLUSIVE,
        wait > 0 ? wait : 0, self->interrupt, "the repository's write lock", &lock, &why);
    if (status != ARMI_OK) {
        fail_overdue(catalog, self, status, &why);
        return;
    }
    batch_take(catalog, &batch);
    lead_locked(&batch, self->deadline_ns, &lock);
    pthread_mutex_lock(&catalog->queue_mutex);
    for (size_t i = 0; i < batch.count; i++)
        batch.jobs[i]->done = true;
    pthread_cond_broadcast(&catalog->queue_changed);
    pthread_mutex_unlock(&catalog->queue_mutex);
    checkpoint_if_due(catalog);
}

/* Takes a job that no leader has taken out of the queue again. */
static void call_back(struct armi_catalog *catalog, struct write_job *job)
{
    struct write_job *before = NULL;
    for (struct write_job *j = catalog->queue_first; j != job; j = j->next)
        before = j;
    if (before != NULL)
        before->next = job->next;
    else
        catalog->queue_first = job->next;
    if (catalog->queue_last == job)
        catalog->queue_last = before;
    job->done = true;
}

/* Waits for the leader; now and then asks whether to go on. Called, and returns, with the queue locked. */
static void follow(struct armi_catalog *catalog, struct write_job *job)
{
    struct timespec until;

    if (job->interrupt == NULL || job->interrupt->interrupted == NULL || job->taken) {
        pthread_cond_wait(&catalog->queue_changed, &catalog->queue_mutex);
        return;
    }
    clock_gettime(CLOCK_REALTIME,
                  &until); /* the clock of condition variables, whatever os says */
    until.tv_nsec += INTERRUPT_POLL_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    if (pthread_cond_timedwait(&catalog->queue_changed, &catalog->queue_mutex, &until) == 0)
        return;
    pthread_mutex_unlock(&catalog->queue_mutex);
    struct armi_error why = ARMI_ERROR_INIT;
    enum armi_status status = armi_interrupt_check(job->interrupt, &why);
    pthread_mutex_lock(&catalog->queue_mutex);
    if (status != ARMI_OK && !job->taken && !job->done) {
        job_fail(job, status, &why);
        call_back(catalog, job);
    }
}

static enum armi_status check_writable(struct armi_catalog *catalog, struct armi_error *err)
{
    if (catalog->read_only)
        return armi_error_set(err, ARMI_INVALID, "repository '%s' is open for reading only",
                              catalog->dir);
    return ARMI_OK;
}

enum armi_status write_run(struct armi_catalog *catalog, struct write_job *job)
{
    ARMI_TRY(check_writable(catalog, job->err));
    job->done = job->taken = job->unknown = false;
    job->next = NULL;
    job->status = ARMI_OK;
    job->deadline_ns = now_ns(catalog) + catalog->lock_timeout_ms * NS_PER_MS;

    pthread_mutex_lock(&catalog->queue_mutex);
    if (catalog->queue_last != NULL)
        catalog->queue_last->next = job;
    else
        catalog->queue_first = job;
    catalog->queue_last = job;
    while (!job->done) {
        if (catalog->has_leader) {
            follow(catalog, job);
            continue;
        }
        catalog->has_leader = true;
        pthread_mutex_unlock(&catalog->queue_mutex);
        lead(catalog, job);
        pthread_mutex_lock(&catalog->queue_mutex);
        catalog->has_leader = false;
        pthread_cond_broadcast(&catalog->queue_changed);
    }
    pthread_mutex_unlock(&catalog->queue_mutex);
    return job->status;
}
