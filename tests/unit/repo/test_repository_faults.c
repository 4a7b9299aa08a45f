/*
 * Every system call, every call of SQLite's and every allocation of a commit fails once: the
 * repository is then what it was before, or what it should become, and sound.
 */
#include "test.h"

#include <errno.h>

#include "arrow/stream.h"
#include "fault_alloc.h"
#include "os_fault.h"
#include "repo/repo_open.h"
#include "repo_kit.h"
#include "sqlite_shim.h"

#define OLD_ROWS 3000
#define NEW_ROWS 40000

/* Commits a large and a small table at once, over `os`. Streams are made before, so that only the
 * library's own calls fail. */
static enum armi_status commit_both(const struct armi_os *os, const char *path,
                                    struct ArrowArrayStream *large,
                                    struct ArrowArrayStream *small, struct armi_error *err)
{
    struct armi_repository *repo = NULL;
    struct armi_transaction *tx = NULL;
    struct armi_open_options options = {.size = sizeof options, .threads = 1};
    enum armi_status st = armi_repository_open_os(os, path, &options, &repo, err);
    if (st == ARMI_OK)
        st = armi_transaction_begin(repo, NULL, &tx, err);
    if (st == ARMI_OK)
        st = armi_transaction_write(tx, "large", large, NULL, NULL, err);
    if (st == ARMI_OK)
        st = armi_transaction_write(tx, "small", small, NULL, NULL, err);
    if (st == ARMI_OK)
        st = armi_transaction_commit(tx, NULL, err);
    armi_transaction_free(tx);
    armi_repository_close(repo);
    armi_stream_release(large);
    armi_stream_release(small);
    return st;
}

static uint64_t rows_of(struct repo_kit *kit, const char *table)
{
    struct armi_error err = ARMI_ERROR_INIT;
    uint64_t rows = 0;
    ok(armi_table_count(kit->repo, table, NULL, &rows, &err));
    return rows;
}

static void kit_begin(struct repo_kit *kit, struct ArrowArrayStream *large,
                      struct ArrowArrayStream *small)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream data;
    repo_kit_open(kit);
    repo_kit_rows(0, OLD_ROWS, -1, 0, &data);
    ok(repo_kit_write(kit, NULL, "large", &data, ARMI_WRITE_OVERWRITE, NULL, &err));
    repo_kit_rows(0, 3, -1, 0, &data);
    ok(repo_kit_write(kit, NULL, "small", &data, ARMI_WRITE_OVERWRITE, NULL, &err));
    armi_repository_close(kit->repo);
    kit->repo = NULL;
    repo_kit_rows(0, NEW_ROWS, -1, 0, large);
    repo_kit_rows(0, 4, -1, 0, small);
}

/* Both old, or both new; new if the commit said so. */
static void kit_judge(struct repo_kit *kit, enum armi_status st)
{
    repo_kit_reopen(kit);
    bool is_new = rows_of(kit, "large") == NEW_ROWS;
    if (st == ARMI_OK)
        assert_true(is_new);
    else if (st != ARMI_COMMIT_UNKNOWN)
        assert_false(is_new);
    repo_kit_expect(kit, "large", NULL, 0, is_new ? NEW_ROWS : OLD_ROWS, -1);
    repo_kit_expect(kit, "small", NULL, 0, is_new ? 4 : 3, -1);
    repo_kit_verify(kit);
    repo_kit_close(kit);
}

static void fail_system_calls(int errnum, bool persistent)
{
    for (uint64_t n = 1;; n++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct ArrowArrayStream large, small;
        struct repo_kit kit;
        kit_begin(&kit, &large, &small);
        struct os_fault *fault = os_fault_new(armi_os_posix());
        os_fault_arm(fault, n, OS_FAULT_ANY, errnum, persistent);
        enum armi_status st =
            commit_both(os_fault_table(fault), kit.path, &large, &small, &err);
        bool fired = os_fault_fired(fault);
        os_fault_free(fault);
        kit_judge(&kit, st);
        if (!fired) {
            assert_int_equal(st, ARMI_OK);
            assert_true(n > 20);
            break;
        }
    }
}

static void each_system_call_may_fail(void **state)
{
    (void)state;
    fail_system_calls(EIO, false);
}

static void the_disk_may_fill_up_at_any_call(void **state)
{
    (void)state;
    fail_system_calls(ENOSPC, true);
}

static void each_call_of_sqlite_may_fail(void **state)
{
    (void)state;
    static const enum shim_failure failures[] = {SHIM_FAIL_IO, SHIM_FAIL_FULL,
                                                 SHIM_FAIL_LATE};
    for (size_t f = 0; f < sizeof failures / sizeof failures[0]; f++) {
        for (uint64_t n = 1;; n++) {
            struct armi_error err = ARMI_ERROR_INIT;
            struct ArrowArrayStream large, small;
            struct repo_kit kit;
            kit_begin(&kit, &large, &small);
            sqlite_shim_set_failure(failures[f]);
            sqlite_shim_arm(n, SHIM_CHANGES, false);
            enum armi_status st =
                commit_both(armi_os_posix(), kit.path, &large, &small, &err);
            bool fired = sqlite_shim_disarm();
            kit_judge(&kit, st);
            if (!fired)
                break;
        }
    }
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    /* There are thousands: the first hundred one by one, then a sample that grows. */
    for (uint64_t n = 1;; n += n < 100 ? 1 : n / 40) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct ArrowArrayStream large, small;
        struct repo_kit kit;
        fault_alloc_begin(0, false); /* what is made here is freed in there */
        kit_begin(&kit, &large, &small);
        fault_alloc_arm(n);
        enum armi_status st = commit_both(armi_os_posix(), kit.path, &large, &small, &err);
        bool fired = fault_alloc_end();
        if (fired && st != ARMI_OK && st != ARMI_COMMIT_UNKNOWN)
            assert_int_equal(st, ARMI_NO_MEMORY);
        kit_judge(&kit, st);
        if (!fired) {
            assert_int_equal(st, ARMI_OK);
            break;
        }
    }
}

int main(void)
{
    sqlite_shim_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_system_call_may_fail),
        cmocka_unit_test(the_disk_may_fill_up_at_any_call),
        cmocka_unit_test(each_call_of_sqlite_may_fail),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
