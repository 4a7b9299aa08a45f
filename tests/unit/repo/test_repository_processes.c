/* Many at once: threads that share a handle, processes that share a folder, children that inherit a
 * handle, and processes that are killed while they commit. */
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arrow/stream.h"
#include "os/lockfile.h"
#include "repo_kit.h"

#define WRITERS 4
#define APPENDS 12

/* ---- appends ---- */

/* One row with that id, as a commit of its own. In children: no assertion. */
static enum armi_status append_one(struct armi_repository *repo, const char *table,
                                   int64_t id, struct armi_error *err)
{
    struct repo_kit kit = {.repo = repo};
    struct ArrowArrayStream data;
    repo_kit_rows(id, 1, -1, 0, &data);
    return repo_kit_write(&kit, NULL, table, &data, ARMI_WRITE_APPEND, NULL, err);
}

/* Every id of [0, total) once, in whatever order. */
static void expect_ids(struct armi_repository *repo, const char *table, size_t total)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_scan_options options = {.size = sizeof options, .table = table};
    struct ArrowArrayStream stream;
    struct armi_field schema = ARMI_FIELD_INIT;
    struct armi_array_list list = ARMI_ARRAY_LIST_INIT;
    uint8_t *seen = calloc(total + 1, 1);
    size_t count = 0;
    ok(armi_scan_open(repo, &options, &stream, &err));
    ok(armi_stream_schema(&stream, &schema, &err));
    ok(armi_stream_collect(&stream, &list, &err));
    for (size_t i = 0; i < list.count; i++) {
        struct armi_array view;
        ok(armi_array_init_batch(&schema, &list.arrays[i], ARMI_VALIDATE_FULL, &view,
                                 &err));
        struct armi_array ids = armi_array_column(&view, 0);
        for (int64_t r = 0; r < view.length; r++, count++) {
            int64_t id = armi_array_int(&ids, r);
            assert_true(id >= 0 && (size_t)id < total && !seen[id]);
            seen[id] = 1;
        }
        armi_array_release(&view);
    }
    assert_int_equal(count, total);
    free(seen);
    armi_array_list_release(&list);
    armi_field_release(&schema);
    armi_stream_release(&stream);
}

/* Each version adds one row to the one before it. */
static void expect_versions(struct armi_repository *repo, const char *table, size_t total)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_table_version_list list = {.size = sizeof list};
    ok(armi_table_versions(repo, table, NULL, &list, &err));
    assert_int_equal(list.count, total);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.items[i].version, i + 1);
        assert_int_equal(list.items[i].rows, i + 1);
        if (i > 0)
            assert_true(list.items[i].time_us > list.items[i - 1].time_us);
    }
    armi_table_version_list_release(&list);
}

struct writer {
    struct armi_repository *repo;
    int64_t first;
    enum armi_status status;
    struct armi_error err;
};

static void *writer_run(void *arg)
{
    struct writer *w = arg;
    for (int64_t i = 0; i < APPENDS && w->status == ARMI_OK; i++)
        w->status = append_one(w->repo, "t", w->first + i, &w->err);
    return NULL;
}

static void threads_on_one_handle_lose_no_append(void **state)
{
    (void)state;
    struct repo_kit kit;
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];
    repo_kit_open(&kit);
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] =
            (struct writer){kit.repo, (int64_t)i * APPENDS, ARMI_OK, ARMI_ERROR_INIT};
        assert_int_equal(pthread_create(&threads[i], NULL, writer_run, &writers[i]), 0);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        struct armi_error err = writers[i].err;
        ok(writers[i].status);
    }
    expect_ids(kit.repo, "t", WRITERS * APPENDS);
    expect_versions(kit.repo, "t", WRITERS * APPENDS);
    repo_kit_verify(&kit);
    repo_kit_close(&kit);
}

static pid_t child_appends(const char *path, int64_t first)
{
    pid_t child = fork();
    if (child == 0) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_repository *repo;
        enum armi_status st = armi_repository_open(path, NULL, &repo, &err);
        for (int64_t i = 0; i < APPENDS && st == ARMI_OK; i++)
            st = append_one(repo, "t", first + i, &err);
        if (st != ARMI_OK)
            fprintf(stderr, "child: %s\n", err.message);
        _exit(st == ARMI_OK ? 0 : 1);
    }
    return child;
}

static void join(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* They also all find the folder empty, and make the repository. */
static void processes_lose_no_append(void **state)
{
    (void)state;
    struct repo_kit kit = {.repo = NULL};
    pid_t children[WRITERS];
    temp_dir_make(kit.path);
    for (size_t i = 0; i < WRITERS; i++)
        children[i] = child_appends(kit.path, (int64_t)i * APPENDS);
    for (size_t i = 0; i < WRITERS; i++)
        join(children[i]);
    repo_kit_reopen(&kit);
    expect_ids(kit.repo, "t", WRITERS * APPENDS);
    expect_versions(kit.repo, "t", WRITERS * APPENDS);
    repo_kit_verify(&kit);
    repo_kit_close(&kit);
}

/* ---- readers beside writers ---- */

struct reader {
    struct armi_repository *repo;
    atomic_bool *stop;
    bool sound;
};

static void *reader_run(void *arg)
{
    struct reader *r = arg;
    uint64_t last = 0;
    r->sound = true;
    while (!atomic_load(r->stop) && r->sound) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_scan_options options = {.size = sizeof options, .table = "t"};
        struct ArrowArrayStream stream = {0};
        uint64_t rows = 0;
        struct ArrowArray batch = {0};
        enum armi_status st = armi_scan_open(r->repo, &options, &stream, &err);
        do {
            if (st == ARMI_OK)
                st = armi_stream_next(&stream, &batch, &err);
            if (st == ARMI_OK && batch.release != NULL)
                rows += (uint64_t)batch.length;
            bool more = st == ARMI_OK && batch.release != NULL;
            armi_arrow_array_release(&batch);
            if (!more)
                break;
        } while (true);
        armi_stream_release(&stream);
        r->sound = st == ARMI_OK && rows >= last;
        last = rows;
    }
    return NULL;
}

static void readers_see_whole_versions_while_others_write(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct repo_kit kit;
    struct reader readers[2];
    pthread_t threads[2];
    atomic_bool stop = false;
    repo_kit_open(&kit);
    ok(append_one(kit.repo, "t", 0, &err));
    for (size_t i = 0; i < 2; i++) {
        readers[i] = (struct reader){kit.repo, &stop, false};
        assert_int_equal(pthread_create(&threads[i], NULL, reader_run, &readers[i]), 0);
    }
    for (int64_t i = 1; i < 40; i++)
        ok(append_one(kit.repo, "t", i, &err));
    atomic_store(&stop, true);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_true(readers[i].sound);
    }
    expect_ids(kit.repo, "t", 40);
    repo_kit_close(&kit);
}

/* ---- killed ---- */

/* Appends to two tables at once, for ever; a byte in the pipe for each commit. */
static void commit_for_ever(const char *path, int pipe_end)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_repository *repo;
    if (armi_repository_open(path, NULL, &repo, &err) != ARMI_OK)
        _exit(1);
    for (int64_t i = 0;; i++) {
        struct armi_transaction *tx;
        struct armi_write_options options = {.size = sizeof options,
                                             .mode = ARMI_WRITE_APPEND};
        struct ArrowArrayStream a, b;
        /* Every third commit has files of its own. */
        int64_t rows = i % 3 == 2 ? 20000 : 10;
        repo_kit_rows(i * 100000, rows, -1, 0, &a);
        repo_kit_rows(i * 100000, rows, -1, 0, &b);
        if (armi_transaction_begin(repo, NULL, &tx, &err) != ARMI_OK ||
            armi_transaction_write(tx, "a", &a, &options, NULL, &err) != ARMI_OK ||
            armi_transaction_write(tx, "b", &b, &options, NULL, &err) != ARMI_OK ||
            armi_transaction_commit(tx, NULL, &err) != ARMI_OK ||
            write(pipe_end, "x", 1) != 1)
            _exit(1);
        armi_transaction_free(tx);
    }
}

static void a_killed_writer_leaves_whole_commits(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct repo_kit kit;
    uint64_t committed = 0;
    repo_kit_open(&kit);
    for (int round = 0; round < 6; round++) {
        int ends[2];
        uint64_t a, b;
        char bytes[16];
        struct armi_table_version_list list = {.size = sizeof list};
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0)
            commit_for_ever(kit.path, ends[1]);
        close(ends[1]);
        for (int i = 0; i <= round; i++) {
            assert_int_equal(read(ends[0], bytes, 1), 1);
            committed++;
        }
        kill(child, SIGKILL); /* in the middle of the next one, wherever that is */
        waitpid(child, NULL, 0);
        for (ssize_t n; (n = read(ends[0], bytes, sizeof bytes)) > 0;)
            committed += (uint64_t)n;
        close(ends[0]);
        repo_kit_reopen(&kit);
        ok(armi_table_count(kit.repo, "a", NULL, &a, &err));
        ok(armi_table_count(kit.repo, "b", NULL, &b, &err));
        assert_int_equal(a, b);
        ok(armi_table_versions(kit.repo, "a", NULL, &list, &err));
        /* What was told is there; the last one may be there untold. */
        assert_true(list.count == committed || list.count == committed + 1);
        committed = list.count;
        armi_table_version_list_release(&list);
        repo_kit_verify(&kit);
    }
    ok(append_one(kit.repo, "t", 0, &err));
    repo_kit_close(&kit);
}

/* ---- fork (I9) ---- */

static int child_uses(struct armi_repository *repo, struct ArrowArrayStream *scan,
                      struct armi_transaction *tx)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArray batch = {0};
    struct ArrowArrayStream data;
    uint64_t rows;
    if (armi_stream_next(scan, &batch, &err) != ARMI_MISUSE)
        return 2;
    armi_stream_release(scan);
    repo_kit_rows(0, 1, -1, 0, &data);
    if (armi_transaction_write(tx, "t", &data, NULL, NULL, &err) != ARMI_MISUSE ||
        armi_transaction_commit(tx, NULL, &err) != ARMI_MISUSE)
        return 3;
    armi_transaction_free(tx);
    if (append_one(repo, "t", 1, &err) != ARMI_OK)
        return 4;
    if (armi_table_count(repo, "t", NULL, &rows, &err) != ARMI_OK || rows != 2)
        return 5;
    armi_repository_close(repo);
    return 0;
}

static void a_child_may_use_the_handle_and_nothing_that_was_begun(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_scan_options options = {.size = sizeof options, .table = "t"};
    struct armi_write_options append = {.size = sizeof append, .mode = ARMI_WRITE_APPEND};
    struct ArrowArrayStream scan, large;
    struct ArrowArray batch = {0};
    struct armi_transaction *tx;
    struct repo_kit kit;
    repo_kit_open(&kit);
    ok(append_one(kit.repo, "t", 0, &err));
    ok(armi_scan_open(kit.repo, &options, &scan, &err));
    ok(armi_transaction_begin(kit.repo, NULL, &tx, &err));
    repo_kit_rows(0, 50000, -1, 0, &large);
    ok(armi_transaction_write(tx, "large", &large, &append, NULL, &err));
    pid_t child = fork();
    if (child == 0)
        _exit(child_uses(kit.repo, &scan, tx));
    join(child);
    /* The parent's go on, as if nothing had been. */
    ok(armi_stream_next(&scan, &batch, &err));
    assert_int_equal(batch.length, 1);
    armi_arrow_array_release(&batch);
    armi_stream_release(&scan);
    ok(armi_transaction_commit(tx, NULL, &err));
    armi_transaction_free(tx);
    repo_kit_expect(&kit, "t", NULL, 0, 2, -1);
    repo_kit_expect(&kit, "large", NULL, 0, 50000, -1);
    repo_kit_verify(&kit);
    repo_kit_close(&kit);
}

static void a_child_is_born_among_busy_threads(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct repo_kit kit;
    struct reader readers[2];
    pthread_t threads[2];
    atomic_bool stop = false;
    repo_kit_open(&kit);
    for (int64_t i = 0; i < 5; i++)
        ok(append_one(kit.repo, "t", i, &err));
    for (size_t i = 0; i < 2; i++) {
        readers[i] = (struct reader){kit.repo, &stop, false};
        assert_int_equal(pthread_create(&threads[i], NULL, reader_run, &readers[i]), 0);
    }
    for (int i = 0; i < 10; i++) {
        pid_t child = fork();
        if (child == 0) {
            atomic_bool once = false;
            struct reader own = {kit.repo, &once, false};
            uint64_t rows = 0;
            if (armi_table_count(kit.repo, "t", NULL, &rows, &err) != ARMI_OK)
                _exit(1);
            alarm(100); /* a lock that is never let go ends here */
            atomic_store(&once, true);
            reader_run(&own);
            struct armi_scan_options options = {.size = sizeof options, .table = "t"};
            struct ArrowArrayStream stream;
            struct ArrowArray batch = {0};
            if (armi_scan_open(kit.repo, &options, &stream, &err) != ARMI_OK ||
                armi_stream_next(&stream, &batch, &err) != ARMI_OK)
                _exit(2);
            armi_arrow_array_release(&batch);
            armi_stream_release(&stream);
            _exit(rows == 5 ? 0 : 3);
        }
        join(child);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_true(readers[i].sound);
    }
    repo_kit_close(&kit);
}

/* A writer holds the gc lock; its child lives on when it is killed, and holds nothing. */
static void a_killed_parent_leaves_no_lock_to_its_child(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_lock lock = ARMI_LOCK_INIT;
    const struct armi_os *os = armi_os_posix();
    struct repo_kit kit;
    int up[2], down[2];
    char byte;
    repo_kit_open(&kit);
    ok(append_one(kit.repo, "t", 0, &err));
    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    pid_t parent = fork();
    if (parent == 0) {
        /* A child of a sanitizer had better start no threads. */
        struct armi_open_options alone = {.size = sizeof alone, .threads = 1};
        struct armi_repository *repo;
        struct armi_transaction *tx;
        struct ArrowArrayStream data;
        repo_kit_rows(0, 50000, -1, 0, &data);
        if (armi_repository_open(kit.path, &alone, &repo, &err) != ARMI_OK ||
            armi_transaction_begin(repo, NULL, &tx, &err) != ARMI_OK ||
            armi_transaction_write(tx, "large", &data, NULL, NULL, &err) != ARMI_OK)
            _exit(1);
        if (fork() == 0) { /* lives until the test closes the pipe */
            close(down[1]);
            _exit(write(up[1], "x", 1) == 1 && read(down[0], &byte, 1) == 0 ? 0 : 1);
        }
        pause();
    }
    close(up[1]);
    close(down[0]);
    assert_int_equal(read(up[0], &byte, 1), 1);
    int dir = os->open(os, ARMI_OS_CWD, kit.path, ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0);
    assert_true(dir >= 0);
    fails(ARMI_BUSY, armi_lock_acquire(os, dir, ARMI_LOCK_BYTE_GC, ARMI_LOCK_EXCLUSIVE,
                                       10000000, NULL, "gc", &lock, &err));
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    ok(armi_lock_acquire(os, dir, ARMI_LOCK_BYTE_GC, ARMI_LOCK_EXCLUSIVE, 10000000000, NULL,
                         "gc", &lock, &err));
    armi_lock_release(&lock);
    os->close(os, dir);
    close(down[1]);
    close(up[0]);
    repo_kit_verify(&kit);
    repo_kit_close(&kit);
}

/* ---- stopped ---- */

static void a_stopped_holder_of_the_write_lock_stops_no_reader(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    const struct armi_os *os = armi_os_posix();
    struct armi_lock lock = ARMI_LOCK_INIT;
    struct armi_open_options options = {.size = sizeof options, .lock_timeout_ms = 50};
    struct armi_repository *repo;
    struct repo_kit kit;
    uint64_t rows;
    repo_kit_open(&kit);
    ok(append_one(kit.repo, "t", 0, &err));
    int dir = os->open(os, ARMI_OS_CWD, kit.path, ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0);
    ok(armi_lock_acquire(os, dir, ARMI_LOCK_BYTE_WRITE, ARMI_LOCK_EXCLUSIVE, 1000000000,
                         NULL, "it", &lock, &err));
    ok(armi_repository_open(kit.path, &options, &repo, &err));
    ok(armi_table_count(repo, "t", NULL, &rows, &err));
    assert_int_equal(rows, 1);
    fails(ARMI_BUSY, append_one(repo, "t", 1, &err));
    armi_lock_release(&lock);
    ok(append_one(repo, "t", 1, &err));
    armi_repository_close(repo);
    os->close(os, dir);
    expect_ids(kit.repo, "t", 2);
    repo_kit_close(&kit);
}

/* ---- retries ---- */

static enum armi_status retry(struct armi_repository *repo, enum armi_write_mode mode,
                              const uint8_t *txid, int64_t id,
                              struct armi_write_result *out, struct armi_error *err)
{
    struct armi_transaction *tx = NULL;
    struct armi_write_options options = {.size = sizeof options, .mode = mode};
    struct ArrowArrayStream data;
    repo_kit_rows(id, 1, -1, 0, &data);
    enum armi_status st = armi_transaction_begin(repo, NULL, &tx, err);
    if (st == ARMI_OK)
        st = armi_transaction_set_txid(tx, txid, err);
    if (st == ARMI_OK)
        st = armi_transaction_write(tx, "t", &data, &options, NULL, err);
    if (st == ARMI_OK)
        st = armi_transaction_commit(tx, NULL, err);
    if (st == ARMI_OK)
        st = armi_transaction_result(tx, 0, out, err);
    armi_transaction_free(tx);
    armi_stream_release(&data);
    return st;
}

static void a_retry_lands_once_and_tells_what_the_first_did(void **state)
{
    (void)state;
    static const uint8_t first[16] = {1}, second[16] = {2}, third[16] = {3};
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_write_result a = {.size = sizeof a}, b = {.size = sizeof b};
    struct repo_kit kit;
    repo_kit_open(&kit);
    /* "It must not exist" is about what was there before the first try. */
    ok(retry(kit.repo, ARMI_WRITE_ERROR, first, 0, &a, &err));
    ok(retry(kit.repo, ARMI_WRITE_ERROR, first, 0, &b, &err));
    assert_true(b.changed);
    assert_int_equal(b.version, 1);
    assert_memory_equal(&a.commit, &b.commit, sizeof a.commit);
    fails(ARMI_ALREADY_EXISTS, retry(kit.repo, ARMI_WRITE_ERROR, second, 0, &b, &err));
    ok(retry(kit.repo, ARMI_WRITE_APPEND, second, 1, &a, &err));
    ok(append_one(kit.repo, "t", 2, &err));
    pid_t child = fork();
    if (child == 0) {
        struct armi_repository *repo;
        if (armi_repository_open(kit.path, NULL, &repo, &err) != ARMI_OK ||
            retry(repo, ARMI_WRITE_APPEND, second, 1, &b, &err) != ARMI_OK)
            _exit(1);
        _exit(memcmp(&a.commit, &b.commit, sizeof a.commit) == 0 && b.version == 2 &&
                      b.rows_total == 2
                  ? 0
                  : 2);
    }
    join(child);
    /* Two that try at once, with an overwrite that nothing may stand between. */
    pid_t children[3];
    for (size_t i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(retry(kit.repo, ARMI_WRITE_OVERWRITE, third, 7, &b, &err) == ARMI_OK &&
                          b.version == 4
                      ? 0
                      : 1);
    }
    for (size_t i = 0; i < 3; i++)
        join(children[i]);
    repo_kit_expect(&kit, "t", NULL, 7, 1, -1);
    /* A drop is told again, too. */
    for (int i = 0; i < 2; i++) {
        static const uint8_t fourth[16] = {4};
        struct armi_transaction *tx;
        ok(armi_transaction_begin(kit.repo, NULL, &tx, &err));
        ok(armi_transaction_set_txid(tx, fourth, &err));
        ok(armi_transaction_drop(tx, "t", &err));
        ok(armi_transaction_commit(tx, NULL, &err));
        armi_transaction_free(tx);
    }
    repo_kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] =
    { cmocka_unit_test(threads_on_one_handle_lose_no_append),
      cmocka_unit_test(processes_lose_no_append),
      cmocka_unit_test(readers_see_whole_versions_while_others_write),
      cmocka_unit_test(a_killed_writer_leaves_whole_commits),
      cmocka_unit_test(a_child_may_use_the_handle_and_nothing_that_was_begun),
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
      /* Sanitizers do not bear that a child of many threads starts threads of its own: a lock of
         * theirs may be held for ever there. */
      cmocka_unit_test(a_child_is_born_among_busy_threads),
#endif
      cmocka_unit_test(a_killed_parent_leaves_no_lock_to_its_child),
      cmocka_unit_test(a_stopped_holder_of_the_write_lock_stops_no_reader),
      cmocka_unit_test(a_retry_lands_once_and_tells_what_the_first_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
