/*
 * One queue of jobs; a job is a counted loop with an atomic cursor. Workers pick the oldest job that
 * still wants hands. The caller works on its own job and then waits for stragglers, waking now and
 * then to poll its interrupt callback.
 */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POOL_THREADS_MAX 256
#define POLL_NS          50000000 /* 50 ms: twice as often as is promised */
#define SPIN_NS          50000    /* about what it costs to sleep and to be woken */

struct job {
    struct job *next;
    armi_task_fn fn;
    void *ctx;
    size_t count;
    atomic_size_t cursor;
    atomic_bool stop;
    unsigned wanted;     /* workers that may still join, under the lock */
    atomic_uint working; /* workers inside, changed under the lock */
    unsigned joined;     /* next worker number, under the lock; the caller is 0 */
    size_t failed;       /* lowest failed index, under the lock; SIZE_MAX = none */
    struct armi_error error;
    pthread_cond_t done;
};

/* All under the lock. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct job *head;
    atomic_uint submitted; /* jobs so far, wraps */
    unsigned running;      /* jobs whose callers are in them */
    unsigned threads;
    struct worker {
        pid_t id; /* of the thread; 0: it has not begun yet */
#ifdef __linux__
        cpu_set_t places; /* where it was last told to run; none: nothing was said yet */
#endif
    } workers[POOL_THREADS_MAX];
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER};

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

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Waits without sleeping, and not for long, while *value is `same`: calls come in bursts. */
static void spin_while(const atomic_uint *value, unsigned same)
{
    int64_t until = now_ns() + SPIN_NS;
    while (atomic_load(value) == same && now_ns() < until)
        ;
}

static struct job *job_take(void)
{
    for (struct job *job = pool.head; job != NULL; job = job->next)
        if (job->wanted > 0)
            return job;
    return NULL;
}

/*
 * Workers keep away from the processor that the caller is on, which works as well. Where processors are
 * virtual, Linux takes one that has slept for a while for one that is not there, wakes a worker on the
 * waker's and moves it only ticks later, when a short job is done (0.1 ms without that, 3 ms with it).
 * Where there are more workers than other processors, they may run wherever the caller may. While there
 * is another caller they stay where they are: they work for both.
 */
static void workers_keep_away(void)
{
#ifdef __linux__
    cpu_set_t places;
    int cpu = sched_getcpu();
    if (pool.running > 0 || cpu < 0 || cpu >= CPU_SETSIZE ||
        sched_getaffinity(0, sizeof places, &places) != 0)
        return;
    if ((unsigned)CPU_COUNT(&places) > pool.threads)
        CPU_CLR(cpu, &places);
    for (unsigned i = 0; i < pool.threads; i++) {
        struct worker *w = &pool.workers[i];
        if (w->id != 0 && !CPU_EQUAL(&w->places, &places) &&
            sched_setaffinity(w->id, sizeof places, &places) == 0)
            w->places = places;
    }
#endif
}

static void *worker_main(void *arg)
{
    struct worker *self = arg;
    in_task = true;
    pthread_mutex_lock(&pool.lock);
#ifdef __linux__
    self->id = gettid();
#else
    (void)self;
#endif
    for (;;) {
        struct job *job = job_take();
        if (job == NULL) {
            pthread_cond_wait(&pool.work, &pool.lock);
            continue;
        }
        job->wanted--;
        atomic_fetch_add(&job->working, 1);
        unsigned worker = ++job->joined, submitted = atomic_load(&pool.submitted);
        pthread_mutex_unlock(&pool.lock);
        job_work(job, worker, NULL);
        pthread_mutex_lock(&pool.lock);
        if (atomic_fetch_sub(&job->working, 1) == 1)
            pthread_cond_signal(&job->done);
        pthread_mutex_unlock(&pool.lock);
        spin_while(&pool.submitted, submitted);
        pthread_mutex_lock(&pool.lock);
    }
    return NULL;
}

/* A forked child has none of the threads; what they held is its parent's. */
static void pool_child(void)
{
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.work, NULL);
    pool.head = NULL;
    pool.running = pool.threads = 0;
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
        struct worker *worker = &pool.workers[pool.threads];
        *worker = (struct worker){0};
        if (pthread_create(&thread, NULL, worker_main, worker) != 0)
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
    workers_keep_away();
    struct job **tail = &pool.head;
    while (*tail != NULL)
        tail = &(*tail)->next;
    *tail = job;
    pool.running++;
    atomic_fetch_add(&pool.submitted, 1);
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
    unsigned working = atomic_load(&job->working);
    if (working > 0) {
        pthread_mutex_unlock(&pool.lock);
        spin_while(&job->working, working);
        pthread_mutex_lock(&pool.lock);
    }
    while (atomic_load(&job->working) > 0) {
        int64_t wake = now_ns() + POLL_NS;
        struct timespec until = {wake / 1000000000, wake % 1000000000};
        pthread_cond_timedwait(&job->done, &pool.lock, &until);
        if (atomic_load(&job->working) > 0 && interrupt != NULL && job->failed != 0) {
            struct armi_error error = ARMI_ERROR_INIT;
            pthread_mutex_unlock(&pool.lock);
            if (armi_interrupt_check(interrupt, &error) != ARMI_OK)
                job_fail(job, 0, &error);
            pthread_mutex_lock(&pool.lock);
        }
    }
    pool.running--;
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
