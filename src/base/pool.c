/*
 * One queue of jobs; a job is a counted loop with an atomic cursor. Workers pick the oldest job that
 * still wants hands. The caller works on its own job and then waits for stragglers, waking now and
 * then to poll its interrupt callback.
 */
#include "base/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POOL_THREADS_MAX 256
#define POLL_NS          50000000 /* 50 ms: twice as often as is promised */

struct job {
    struct job *next;
    armi_task_fn fn;
    void *ctx;
    size_t count;
    atomic_size_t cursor;
    atomic_bool stop;
    unsigned wanted;  /* workers that may still join, under the lock */
    unsigned working; /* workers inside, under the lock */
    unsigned joined;  /* next worker number, under the lock; the caller is 0 */
    size_t failed;    /* lowest failed index, under the lock; SIZE_MAX = none */
    struct armi_error error;
    pthread_cond_t done;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct job *head;
    unsigned threads;
    pid_t pid;
} pool = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0, 0};

static _Thread_local bool in_task;

static unsigned core_count(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > POOL_THREADS_MAX ? POOL_THREADS_MAX : (unsigned)n;
}

unsigned armi_pool_width(const struct armi_parallel *options)
{
    unsigned wanted =
        options != NULL && options->threads != 0 ? options->threads : core_count();
    return wanted > POOL_THREADS_MAX ? POOL_THREADS_MAX : wanted;
}

static void job_fail(struct job *job, size_t index, const struct armi_error *error)
{
    atomic_store(&job->stop, true);
    pthread_mutex_lock(&pool.lock);
    if (index < job->failed) {
        job->failed = index;
        job->error = *error;
    }
    pthread_mutex_unlock(&pool.lock);
}

static void job_work(struct job *job, unsigned worker,
                     const struct armi_interrupt *interrupt)
{
    struct armi_error error = ARMI_ERROR_INIT;
    while (!atomic_load(&job->stop)) {
        size_t index = atomic_fetch_add(&job->cursor, 1);
        if (index >= job->count)
            return;
        enum armi_status status =
            interrupt != NULL ? armi_interrupt_check(interrupt, &error) : ARMI_OK;
        if (status == ARMI_OK)
            status = job->fn(job->ctx, index, worker, &error);
        if (status != ARMI_OK) {
            error.status = status;
            job_fail(job, index, &error);
        }
    }
}

static struct job *job_take(void)
{
    for (struct job *job = pool.head; job != NULL; job = job->next)
        if (job->wanted > 0)
            return job;
    return NULL;
}

static void *worker_main(void *arg)
{
    (void)arg;
    in_task = true;
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        struct job *job = job_take();
        if (job == NULL) {
            pthread_cond_wait(&pool.work, &pool.lock);
            continue;
        }
        job->wanted--;
        job->working++;
        unsigned worker = ++job->joined;
        pthread_mutex_unlock(&pool.lock);
        job_work(job, worker, NULL);
        pthread_mutex_lock(&pool.lock);
        if (--job->working == 0)
            pthread_cond_signal(&job->done);
    }
    return NULL;
}

/* A forked child has none of the threads; what they held is its parent's. */
static void pool_child(void)
{
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.work, NULL);
    pool.head = NULL;
    pool.threads = 0;
}

static void pool_prepare(void)
{
    pthread_mutex_lock(&pool.lock);
}

static void pool_parent(void)
{
    pthread_mutex_unlock(&pool.lock);
}

static void pool_at_fork(void)
{
    pthread_atfork(pool_prepare, pool_parent, pool_child);
}

/* Signals belong to the program's own threads, so workers block them all. Under the lock. */
static void pool_grow(unsigned threads)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, pool_at_fork);
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (pool.threads < threads) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker_main, NULL) != 0)
            break; /* fewer hands; the caller does the rest */
        pthread_detach(thread);
        pool.threads++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void job_submit(struct job *job)
{
    pthread_mutex_lock(&pool.lock);
    pool_grow(job->wanted);
    struct job **tail = &pool.head;
    while (*tail != NULL)
        tail = &(*tail)->next;
    *tail = job;
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.lock);
}

static void job_wait(struct job *job, const struct armi_interrupt *interrupt)
{
    pthread_mutex_lock(&pool.lock);
    for (struct job **at = &pool.head; *at != NULL; at = &(*at)->next) {
        if (*at == job) {
            *at = job->next;
            break;
        }
    }
    while (job->working > 0) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += POLL_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&job->done, &pool.lock, &until);
        if (job->working > 0 && interrupt != NULL && job->failed != 0) {
            struct armi_error error = ARMI_ERROR_INIT;
            pthread_mutex_unlock(&pool.lock);
            if (armi_interrupt_check(interrupt, &error) != ARMI_OK)
                job_fail(job, 0, &error);
            pthread_mutex_lock(&pool.lock);
        }
    }
    pthread_mutex_unlock(&pool.lock);
}

enum armi_status armi_interrupt_check(const struct armi_interrupt *interrupt,
                                      struct armi_error *err)
{
    if (interrupt == NULL || interrupt->interrupted == NULL ||
        !interrupt->interrupted(interrupt->ctx))
        return ARMI_OK;
    return armi_error_set(err, ARMI_INTERRUPTED, "interrupted");
}

enum armi_status armi_pool_run(const struct armi_parallel *options, size_t count,
                               armi_task_fn fn, void *ctx, struct armi_error *err)
{
    const struct armi_interrupt *interrupt = options != NULL ? &options->interrupt : NULL;
    ARMI_TRY(armi_interrupt_check(interrupt, err));
    struct job job = {.fn = fn, .ctx = ctx, .count = count, .failed = SIZE_MAX};
    unsigned width = armi_pool_width(options);
    if (count < width)
        width = (unsigned)count;
    bool alone = in_task || width <= 1;
    if (!alone) {
        pthread_condattr_t attr;
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&job.done, &attr);
        pthread_condattr_destroy(&attr);
        job.wanted = width - 1;
        job_submit(&job);
    }
    bool outer = in_task;
    in_task = true;
    job_work(&job, 0, interrupt);
    in_task = outer;
    if (!alone) {
        job_wait(&job, interrupt);
        pthread_cond_destroy(&job.done);
    }
    if (job.failed == SIZE_MAX)
        return ARMI_OK;
    if (err != NULL) {
        size_t size = err->size;
        *err = job.error;
        err->size = size;
    }
    return job.error.status;
}
