/*
 * Many writers: threads that share a handle, processes that share a folder, children that inherit a
 * handle, and processes that are killed while they commit.
 */
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catalog/history.h"
#include "catalog_kit.h"
#include "os/lockfile.h"

/* What is tested here does not hang on flushes: only a power cut does. */
static const struct armi_catalog_options scratch = {.durability = ARMI_DURABILITY_NONE};

/* Follows main back: every number of [1, count * writers] once. */
static void check_numbers(const char *dir, uint64_t total)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_catalog *catalog;
    struct armi_catalog_ref ref;
    struct armi_history_iter it;
    uint8_t *seen = calloc(total + 1, 1);
    uint64_t count = 0;
    bool has;

    ok(armi_catalog_open(dir, NULL, &catalog, &err));
    ok(armi_catalog_get_ref(catalog, ARMI_REF_BRANCH, "main", &ref, &err));
    assert_int_equal(ref.moves, total);
    armi_history_begin(&it, catalog, &ref.commit);
    for (;;) {
        char message[64];
        ok(armi_history_next(&it, &has, &err));
        if (!has)
            break;
        snprintf(message, sizeof message, "%.*s", (int)it.commit.message.size,
                 (const char *)it.commit.message.data);
        uint64_t number = strtoull(message + sizeof "number", NULL, 10);
        assert_true(number >= 1 && number <= total && !seen[number]);
        seen[number] = 1;
        count++;
    }
    assert_int_equal(count, total);
    armi_history_end(&it);
    armi_catalog_close(catalog);
    free(seen);
}

struct writer {
    struct armi_catalog *catalog;
    const char *branch;
    uint64_t first, count;
    enum armi_status status;
    struct armi_error err;
};

static void *write_some(void *ctx)
{
    struct writer *w = ctx;
    w->err = (struct armi_error)ARMI_ERROR_INIT;
    for (uint64_t i = 0; i < w->count && w->status == ARMI_OK; i++)
        w->status = catalog_kit_commit(w->catalog, w->branch, w->first + i, NULL, &w->err);
    return NULL;
}

#define THREADS 6
#define EACH    25

static void threads_that_race_for_a_branch_lose_nothing(void **state)
{
    (void)state;
    struct catalog_kit kit;
    struct writer writers[THREADS] = {{0}};
    pthread_t threads[THREADS];

    catalog_kit_open(&kit, &scratch);
    for (size_t i = 0; i < THREADS; i++) {
        writers[i] = (struct writer){
            .catalog = kit.catalog, .branch = "main", .first = i * EACH + 1, .count = EACH};
        assert_int_equal(pthread_create(&threads[i], NULL, write_some, &writers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        if (writers[i].status != ARMI_OK)
            fail_msg("%s", writers[i].err.message);
    }
    check_numbers(kit.dir, THREADS * EACH);
    catalog_kit_close(&kit);
}

static void threads_on_branches_of_their_own_share_transactions(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct writer writers[THREADS] = {{0}};
    struct armi_ref_change changes[THREADS];
    struct armi_publish publish = {.refs = changes, .refs_count = THREADS};
    struct armi_publish_result result;
    pthread_t threads[THREADS];
    char names[THREADS][8];

    catalog_kit_open(&kit, &scratch);
    for (size_t i = 0; i < THREADS; i++) {
        snprintf(names[i], sizeof names[i], "b%zu", i);
        changes[i] = (struct armi_ref_change){
            .action = ARMI_REF_CREATE, .kind = ARMI_REF_BRANCH, .name = names[i]};
    }
    ok(armi_catalog_publish(kit.catalog, &publish, &result, &err));
    for (size_t i = 0; i < THREADS; i++) {
        writers[i] = (struct writer){.catalog = kit.catalog,
                                     .branch = names[i],
                                     .first = i * EACH + 1,
                                     .count = EACH};
        assert_int_equal(pthread_create(&threads[i], NULL, write_some, &writers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        struct armi_catalog_ref ref;
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(writers[i].status, ARMI_OK);
        ok(armi_catalog_get_ref(kit.catalog, ARMI_REF_BRANCH, names[i], &ref, &err));
        assert_int_equal(ref.moves, EACH);
    }
    catalog_kit_close(&kit);
}

static atomic_bool stop_reading;

static void *read_on(void *ctx)
{
    struct writer *w = ctx;
    struct armi_error err = ARMI_ERROR_INIT;
    uint64_t last = 0;

    while (!atomic_load(&stop_reading) && w->status == ARMI_OK) {
        struct armi_catalog_ref ref;
        struct armi_commit commit;
        w->status = armi_catalog_get_ref(w->catalog, ARMI_REF_BRANCH, "main", &ref, &err);
        if (w->status != ARMI_OK || !ref.has_commit)
            continue;
        if (ref.moves < last)
            w->status = ARMI_CORRUPTION;
        last = ref.moves;
        /* A ref never names a commit that is not there (I2). */
        if (w->status == ARMI_OK)
            w->status = armi_catalog_get_commit(w->catalog, &ref.commit, &commit, &err);
        if (w->status == ARMI_OK)
            armi_commit_release(&commit);
    }
    w->count = last;
    return NULL;
}

static void readers_see_whole_commits_in_order_while_others_write(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct writer readers[3] = {{0}};
    pthread_t threads[3];

    catalog_kit_open(&kit, &scratch);
    atomic_store(&stop_reading, false);
    for (size_t i = 0; i < 3; i++) {
        readers[i].catalog = kit.catalog;
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &readers[i]), 0);
    }
    for (uint64_t i = 1; i <= 150; i++)
        ok(catalog_kit_commit(kit.catalog, "main", i, NULL, &err));
    atomic_store(&stop_reading, true);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(readers[i].status, ARMI_OK);
    }
    catalog_kit_close(&kit);
}

/* One thread waits for the lock, the other behind it: each is called back by its own callback. */
struct waiter {
    struct armi_catalog *catalog;
    atomic_int asked;
    enum armi_status status;
};

static bool give_up_after_some(void *ctx)
{
    struct waiter *w = ctx;
    return atomic_fetch_add(&w->asked, 1) >= 3;
}

static void *publish_and_give_up(void *ctx)
{
    struct waiter *w = ctx;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_ref_change change = {
        .action = ARMI_REF_CREATE, .kind = ARMI_REF_BRANCH, .name = "never"};
    struct armi_publish publish = {
        .refs = &change, .refs_count = 1, .interrupt = {give_up_after_some, w}};
    struct armi_publish_result result;
    w->status = armi_catalog_publish(w->catalog, &publish, &result, &err);
    return NULL;
}

static void threads_that_wait_in_the_queue_can_be_interrupted(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    const struct armi_os *os = armi_os_posix();
    struct armi_lock lock = ARMI_LOCK_INIT;
    struct catalog_kit kit;
    struct waiter waiters[3];
    pthread_t threads[3];

    catalog_kit_open(&kit, &scratch);
    int dir = os->open(os, ARMI_OS_CWD, kit.dir, ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0);
    ok(armi_lock_acquire(os, dir, ARMI_LOCK_BYTE_WRITE, ARMI_LOCK_EXCLUSIVE, 0, NULL,
                         "test", &lock, &err));
    for (size_t i = 0; i < 3; i++) {
        waiters[i].catalog = kit.catalog;
        waiters[i].status = ARMI_OK;
        atomic_init(&waiters[i].asked, 0);
        assert_int_equal(
            pthread_create(&threads[i], NULL, publish_and_give_up, &waiters[i]), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(waiters[i].status, ARMI_INTERRUPTED);
    }
    armi_lock_release(&lock);
    ok(catalog_kit_commit(kit.catalog, "main", 1, NULL, &err));
    os->close(os, dir);
    catalog_kit_close(&kit);
}

/* The child's work; it must leave without running the parent's exit handlers. */
static void child_commits(struct armi_catalog *catalog, uint64_t first, uint64_t count)
{
    struct writer w = {
        .catalog = catalog, .branch = "main", .first = first, .count = count};
    write_some(&w);
    if (w.status != ARMI_OK)
        fprintf(stderr, "child: %s\n", w.err.message);
    _exit(w.status == ARMI_OK ? 0 : 1);
}

static void wait_for(pid_t *children, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

#define PROCESSES 4

static void processes_that_race_for_a_branch_lose_nothing(void **state)
{
    (void)state;
    struct catalog_kit kit;
    pid_t children[PROCESSES];

    catalog_kit_open(&kit, &scratch);
    for (size_t i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            struct armi_error err = ARMI_ERROR_INIT;
            struct armi_catalog *own;
            if (armi_catalog_open(kit.dir, &scratch, &own, &err) != ARMI_OK)
                _exit(2);
            child_commits(own, i * EACH + 1, EACH);
        }
    }
    wait_for(children, PROCESSES);
    check_numbers(kit.dir, PROCESSES * EACH);
    catalog_kit_close(&kit);
}

static void an_inherited_handle_works_in_parent_and_child_alike(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    pid_t children[PROCESSES];

    catalog_kit_open(&kit, &scratch);
    ok(catalog_kit_commit(kit.catalog, "main", 1, NULL, &err));
    for (size_t i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            child_commits(kit.catalog, 2 + i * EACH, EACH);
        /* The parent goes on writing with the same handle. */
        ok(catalog_kit_commit(kit.catalog, "main", 2 + PROCESSES * EACH + i, NULL, &err));
    }
    wait_for(children, PROCESSES);
    check_numbers(kit.dir, 1 + PROCESSES * EACH + PROCESSES);
    catalog_kit_close(&kit);
}

static void a_fork_among_busy_threads_leaves_both_sides_working(void **state)
{
    (void)state;
    struct catalog_kit kit;
    struct writer writers[3] = {{0}};
    pthread_t threads[3];
    pid_t children[12];

    catalog_kit_open(&kit, &scratch);
    for (size_t i = 0; i < 3; i++) {
        writers[i] = (struct writer){
            .catalog = kit.catalog, .branch = "main", .first = 1 + i * 60, .count = 60};
        assert_int_equal(pthread_create(&threads[i], NULL, write_some, &writers[i]), 0);
    }
    for (size_t i = 0; i < 12; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            child_commits(kit.catalog, 181 + i, 1);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(writers[i].status, ARMI_OK);
    }
    wait_for(children, 12);
    check_numbers(kit.dir, 192);
    catalog_kit_close(&kit);
}

/* Commits on and on, and says so in the pipe after each. */
static void commit_until_killed(const char *dir, int pipe_fd)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_catalog *catalog;
    struct armi_catalog_ref ref;

    if (armi_catalog_open(dir, NULL, &catalog, &err) != ARMI_OK ||
        armi_catalog_get_ref(catalog, ARMI_REF_BRANCH, "main", &ref, &err) != ARMI_OK)
        _exit(2);
    for (uint64_t number = ref.moves + 1;; number++) {
        if (catalog_kit_commit(catalog, "main", number, NULL, &err) != ARMI_OK)
            _exit(3);
        if (write(pipe_fd, &number, sizeof number) != sizeof number)
            _exit(4);
    }
}

static void what_returned_before_a_kill_is_there(void **state)
{
    (void)state;
    struct catalog_kit kit;
    uint64_t acked = 0, total;

    catalog_kit_open(&kit, &scratch);
    armi_catalog_close(kit.catalog);
    kit.catalog = NULL;
    for (int round = 0; round < 40; round++) {
        int fds[2], status;
        assert_int_equal(pipe(fds), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(fds[0]);
            commit_until_killed(kit.dir, fds[1]);
        }
        close(fds[1]);
        /* Killed at some moment after a number of commits; what it is doing then is chance. */
        uint64_t number, wanted = 1 + (uint64_t)round % 7;
        for (uint64_t i = 0; i < wanted; i++) {
            assert_int_equal(read(fds[0], &number, sizeof number), sizeof number);
            acked = number;
        }
        kill(child, SIGKILL);
        while (read(fds[0], &number, sizeof number) == sizeof number)
            acked = number;
        close(fds[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));

        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_catalog_ref ref;
        ok(armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
        ok(armi_catalog_get_ref(kit.catalog, ARMI_REF_BRANCH, "main", &ref, &err));
        total = ref.moves;
        assert_true(total == acked || total == acked + 1);
        armi_catalog_close(kit.catalog);
        kit.catalog = NULL;
    }
    check_numbers(kit.dir, total);
    catalog_kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_that_race_for_a_branch_lose_nothing),
        cmocka_unit_test(threads_on_branches_of_their_own_share_transactions),
        cmocka_unit_test(readers_see_whole_commits_in_order_while_others_write),
        cmocka_unit_test(threads_that_wait_in_the_queue_can_be_interrupted),
        cmocka_unit_test(processes_that_race_for_a_branch_lose_nothing),
        cmocka_unit_test(an_inherited_handle_works_in_parent_and_child_alike),
        cmocka_unit_test(a_fork_among_busy_threads_leaves_both_sides_working),
        cmocka_unit_test(what_returned_before_a_kill_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
