#include "test.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pool.h"

static enum armi_status count_up(void *ctx, size_t index, unsigned worker,
                                 struct armi_error *err)
{
    (void)err;
    (void)worker;
    atomic_size_t *sums = ctx;
    atomic_fetch_add(&sums[index], 1);
    return ARMI_OK;
}

static void every_item_runs_exactly_once(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static atomic_size_t sums[10000];
    for (unsigned threads = 0; threads <= 8; threads++) {
        struct armi_parallel options = {.threads = threads};
        ok(armi_pool_run(&options, 10000, count_up, sums, &err));
    }
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(sums[i], 9);
    ok(armi_pool_run(NULL, 0, count_up, sums, &err));
}

static enum armi_status fail_on_odd(void *ctx, size_t index, unsigned worker,
                                    struct armi_error *err)
{
    (void)ctx;
    (void)worker;
    return index % 2 ? armi_error_set(err, ARMI_INVALID, "item %zu", index) : ARMI_OK;
}

static void the_lowest_failure_is_told(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_parallel options = {.threads = 4};
    for (int i = 0; i < 200; i++) {
        fails(ARMI_INVALID, armi_pool_run(&options, 1000, fail_on_odd, NULL, &err));
        assert_string_equal(err.message, "item 1");
    }
}

static bool always(void *ctx)
{
    (void)ctx;
    return true;
}

static void an_interrupt_ends_the_loop(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static atomic_size_t sums[100];
    struct armi_parallel options = {.threads = 2, .interrupt = {always, NULL}};
    fails(ARMI_INTERRUPTED, armi_pool_run(&options, 100, count_up, sums, &err));
}

static enum armi_status nested(void *ctx, size_t index, unsigned worker,
                               struct armi_error *err)
{
    (void)index;
    (void)worker;
    return armi_pool_run(NULL, 100, count_up, ctx, err);
}

static void a_nested_loop_finishes(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static atomic_size_t sums[100];
    struct armi_parallel options = {.threads = 4};
    ok(armi_pool_run(&options, 50, nested, sums, &err));
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(sums[i], 50);
}

static void a_forked_child_has_a_pool_of_its_own(void **state)
{
    (void)state;
    static atomic_size_t sums[1000];
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_parallel options = {.threads = 4};
    ok(armi_pool_run(&options, 1000, count_up, sums, &err));
    pid_t pid = fork();
    if (pid == 0)
        _exit(armi_pool_run(&options, 1000, count_up, sums, &err) == ARMI_OK ? 0 : 1);
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#if defined(__linux__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define LOOK_WHERE
#define WORKERS_MAX 256

/* By worker: on how many processors it may run. */
struct places {
    unsigned wanted;
    atomic_int count[WORKERS_MAX];
    atomic_uint begun;
};

static enum armi_status look_where(void *ctx, size_t index, unsigned worker,
                                   struct armi_error *err)
{
    struct places *places = ctx;
    cpu_set_t set;
    (void)index;
    (void)err;
    atomic_fetch_add(&places->begun, 1);
    while (atomic_load(&places->begun) < places->wanted) /* until all are at work */
        sched_yield();
    sched_getaffinity(0, sizeof set, &set);
    atomic_store(&places->count[worker], CPU_COUNT(&set));
    return ARMI_OK;
}

/* Whether the caller may run on so many processors, and each of the others on so many. */
static bool may_run_on(unsigned threads, int caller, int others)
{
    struct armi_parallel options = {.threads = threads};
    struct places places = {.wanted = threads};
    if (armi_pool_run(&options, threads, look_where, &places, NULL) != ARMI_OK)
        return false;
    bool is_so = places.count[0] == caller;
    for (unsigned i = 1; i < threads; i++)
        is_so &= others == 0 || places.count[i] == others;
    return is_so;
}

/* In a process of its own, whose pool has no workers yet. 0: as it should be. */
static int look_at_workers(void)
{
    cpu_set_t all, one;
    sched_getaffinity(0, sizeof all, &all);
    int cpus = CPU_COUNT(&all);
    unsigned many = cpus + 2 < WORKERS_MAX ? (unsigned)cpus + 2 : WORKERS_MAX;
    if (!may_run_on(2, cpus, 0)) /* the worker is there */
        return 1;
    if (!may_run_on(2, cpus, cpus > 1 ? cpus - 1 : 1)) /* the caller's are as they were */
        return 2;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &all))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        sched_setaffinity(0, sizeof one, &one);
        if (!may_run_on(2, 1, 1)) /* they go where the caller may */
            return 3;
    }
    sched_setaffinity(0, sizeof all, &all);
    if (!may_run_on(many, cpus, 0)) /* more than there are others: anywhere again */
        return 4;
    return may_run_on(many, cpus, cpus) ? 0 : 5;
}

static void workers_keep_away_from_the_processor_of_the_caller(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(look_at_workers());
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_runs_exactly_once),
        cmocka_unit_test(the_lowest_failure_is_told),
        cmocka_unit_test(an_interrupt_ends_the_loop),
        cmocka_unit_test(a_nested_loop_finishes),
        cmocka_unit_test(a_forked_child_has_a_pool_of_its_own),
#ifdef LOOK_WHERE
        cmocka_unit_test(workers_keep_away_from_the_processor_of_the_caller),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
