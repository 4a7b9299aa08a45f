#include "test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "repo_kit.h"

static void a_table_comes_back_as_it_was_written(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_write_result result = {.size = sizeof result};
    struct ArrowArrayStream data;
    struct repo_kit kit;
    repo_kit_open(&kit);
    repo_kit_rows(0, 200000, -1, 7001, &data);
    ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_OVERWRITE, &result, &err));
    assert_true(result.changed);
    assert_int_equal(result.version, 1);
    assert_int_equal(result.rows, 200000);
    assert_true(result.ranges > 1);
    repo_kit_expect(&kit, "t", NULL, 0, 200000, -1);
    repo_kit_reopen(&kit);
    repo_kit_expect(&kit, "t", NULL, 0, 200000, -1);
    repo_kit_verify(&kit);
    repo_kit_close(&kit);
}

static void the_same_content_again_changes_nothing(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_write_result first = {.size = sizeof first}, again = {.size = sizeof again};
    struct ArrowArrayStream data;
    struct repo_kit kit;
    repo_kit_open(&kit);
    repo_kit_rows(0, 150000, -1, 0, &data);
    ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_OVERWRITE, &first, &err));
    repo_kit_rows(0, 150000, -1, 999, &data); /* cut into other batches */
    ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_OVERWRITE, &again, &err));
    assert_false(again.changed);
    assert_int_equal(again.version, 1);
    assert_int_equal(again.chunks_written, 0);
    assert_int_equal(again.bytes_written, 0);
    assert_memory_equal(&again.commit, &first.commit, sizeof first.commit);
    struct armi_commit_list log = {.size = sizeof log};
    ok(armi_commit_log(kit.repo, NULL, &log, &err));
    assert_int_equal(log.count, 1);
    armi_commit_list_release(&log);
    repo_kit_close(&kit);
}

static void a_changed_cell_costs_its_column_of_its_range(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_write_result first = {.size = sizeof first}, edit = {.size = sizeof edit};
    struct ArrowArrayStream data;
    struct repo_kit kit;
    repo_kit_open(&kit);
    repo_kit_rows(0, 200000, -1, 0, &data);
    ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_OVERWRITE, &first, &err));
    repo_kit_rows(0, 200000, 100000, 0, &data);
    ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_OVERWRITE, &edit, &err));
    assert_true(edit.changed);
    assert_int_equal(edit.version, 2);
    assert_int_equal(edit.columns_encoded, 1);
    assert_int_equal(edit.columns_shared, 3 * edit.ranges - 1);
    assert_true(edit.bytes_written < first.bytes_written / first.ranges);
    repo_kit_expect(&kit, "t", NULL, 0, 200000, 100000);
    struct armi_at old = {.size = sizeof old, .version = 1};
    repo_kit_expect(&kit, "t", &old, 0, 200000, -1);
    repo_kit_verify(&kit);
    repo_kit_close(&kit);
}

/* Rows taken off the front move no boundary behind it: the rest is shared. */
static void rows_cut_off_the_front_cost_what_they_touch(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_write_result cut = {.size = sizeof cut};
    struct ArrowArrayStream data;
    struct repo_kit kit;
    repo_kit_open(&kit);
    repo_kit_rows(0, 300000, -1, 0, &data);
    ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_OVERWRITE, NULL, &err));
    repo_kit_rows(5, 299995, -1, 0, &data);
    ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_OVERWRITE, &cut, &err));
    assert_true(cut.columns_encoded <= 6);
    repo_kit_expect(&kit, "t", NULL, 5, 299995, -1);
    repo_kit_verify(&kit);
    repo_kit_close(&kit);
}

static void appends_of_any_size_are_read_in_order(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct repo_kit kit;
    static const int64_t sizes[] = {10, 1, 5, 100000, 3, 1, 1, 1, 1, 1, 1, 1,
                                    1,  1, 1, 1,      1, 1, 1, 1, 1, 1, 1, 40000};
    int64_t rows = 0;
    repo_kit_open(&kit);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct armi_write_result result = {.size = sizeof result};
        struct ArrowArrayStream data;
        repo_kit_rows(rows, sizes[i], -1, 0, &data);
        ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_APPEND, &result, &err));
        rows += sizes[i];
        assert_int_equal(result.version, i + 1);
        assert_int_equal(result.rows_total, rows);
    }
    repo_kit_expect(&kit, "t", NULL, 0, rows, -1);
    struct armi_at old = {.size = sizeof old, .version = 3};
    repo_kit_expect(&kit, "t", &old, 0, 16, -1);
    repo_kit_verify(&kit);
    repo_kit_close(&kit);
}

static void a_transaction_lands_whole_or_not_at_all(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_transaction *tx;
    struct ArrowArrayStream data;
    struct armi_name_list names = {.size = sizeof names};
    struct repo_kit kit;
    repo_kit_open(&kit);
    ok(armi_transaction_begin(kit.repo, NULL, &tx, &err));
    repo_kit_rows(0, 10, -1, 0, &data);
    ok(armi_transaction_write(tx, "a", &data, NULL, NULL, &err));
    repo_kit_rows(0, 50000, -1, 0, &data);
    ok(armi_transaction_write(tx, "b", &data, NULL, NULL, &err));
    ok(armi_table_list(kit.repo, NULL, &names, &err));
    assert_int_equal(names.count, 0); /* nobody else sees it */
    armi_name_list_release(&names);
    struct armi_at own = {.size = sizeof own, .transaction = tx};
    repo_kit_expect(&kit, "b", &own, 0, 50000, -1); /* it does */
    armi_transaction_abort(tx);
    fails(ARMI_MISUSE, armi_transaction_commit(tx, NULL, &err));
    assert_string_equal(err.message, "transaction was aborted");
    armi_transaction_free(tx);

    ok(armi_transaction_begin(kit.repo, NULL, &tx, &err));
    repo_kit_rows(0, 10, -1, 0, &data);
    ok(armi_transaction_write(tx, "a", &data, NULL, NULL, &err));
    repo_kit_rows(0, 50000, -1, 0, &data);
    ok(armi_transaction_write(tx, "b", &data, NULL, NULL, &err));
    ok(armi_transaction_commit(tx, NULL, &err));
    fails(ARMI_MISUSE, armi_transaction_commit(tx, NULL, &err));
    assert_string_equal(err.message, "transaction already committed");
    assert_int_equal(armi_transaction_result_count(tx), 2);
    armi_transaction_free(tx);
    repo_kit_expect(&kit, "a", NULL, 0, 10, -1);
    repo_kit_expect(&kit, "b", NULL, 0, 50000, -1);
    repo_kit_close(&kit);
}

static void racing_writers_conflict_only_where_they_must(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_transaction *one, *two, *three;
    struct armi_write_options append = {.size = sizeof append, .mode = ARMI_WRITE_APPEND};
    struct ArrowArrayStream data;
    struct repo_kit kit;
    repo_kit_open(&kit);
    repo_kit_rows(0, 10, -1, 0, &data);
    ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_OVERWRITE, NULL, &err));
    ok(armi_transaction_begin(kit.repo, NULL, &one, &err));
    ok(armi_transaction_begin(kit.repo, NULL, &two, &err));
    ok(armi_transaction_begin(kit.repo, NULL, &three, &err));
    repo_kit_rows(10, 10, -1, 0, &data);
    ok(armi_transaction_write(one, "t", &data, &append, NULL, &err));
    repo_kit_rows(20, 70000, -1, 0, &data);
    ok(armi_transaction_write(two, "t", &data, &append, NULL, &err));
    repo_kit_rows(0, 5, -1, 0, &data);
    ok(armi_transaction_write(three, "t", &data, NULL, NULL, &err)); /* not blind */
    ok(armi_transaction_commit(one, NULL, &err));
    ok(armi_transaction_commit(two, NULL, &err)); /* rebased behind one */
    fails(ARMI_CONFLICT, armi_transaction_commit(three, NULL, &err));
    assert_string_equal(err.branch, "main");
    assert_string_equal(err.name, "t");
    armi_transaction_free(one);
    armi_transaction_free(two);
    armi_transaction_free(three);
    repo_kit_expect(&kit, "t", NULL, 0, 70020, -1);
    repo_kit_verify(&kit);
    repo_kit_close(&kit);
}

static void branches_diff_and_merge(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream data;
    struct repo_kit kit;
    repo_kit_open(&kit);
    repo_kit_rows(0, 30000, -1, 0, &data);
    ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_OVERWRITE, NULL, &err));
    repo_kit_rows(0, 10, -1, 0, &data);
    ok(repo_kit_write(&kit, NULL, "u", &data, ARMI_WRITE_OVERWRITE, NULL, &err));
    ok(armi_branch_create(kit.repo, "dev", NULL, &err));
    fails(ARMI_ALREADY_EXISTS, armi_branch_create(kit.repo, "dev", NULL, &err));
    assert_string_equal(err.message, "Branch already exists: dev");
    fails(ARMI_INVALID, armi_branch_create(kit.repo, "a..b", NULL, &err));
    repo_kit_rows(0, 30000, 77, 0, &data);
    ok(repo_kit_write(&kit, "dev", "t", &data, ARMI_WRITE_OVERWRITE, NULL, &err));
    repo_kit_rows(0, 20, -1, 0, &data);
    ok(repo_kit_write(&kit, NULL, "u", &data, ARMI_WRITE_OVERWRITE, NULL, &err));

    static const char *const key[] = {"id"};
    struct armi_diff_options options = {.size = sizeof options, .to = "dev", .table = "t"};
    struct armi_diff diff = {.size = sizeof diff};
    ok(armi_diff_open(kit.repo, &options, &diff, &err));
    assert_int_equal(diff.count, 1);
    assert_int_equal(diff.items[0].rows_added, 1);
    assert_int_equal(diff.items[0].rows_removed, 1);
    armi_diff_release(&diff);
    options.key = key;
    options.key_count = 1;
    ok(armi_diff_open(kit.repo, &options, &diff, &err));
    assert_int_equal(diff.items[0].rows_changed, 1);
    assert_int_equal(diff.items[0].rows_added, 0);
    armi_diff_release(&diff);

    struct armi_merge_options merge = {.size = sizeof merge, .from = "dev"};
    struct armi_merge_result result = {.size = sizeof result};
    ok(armi_merge(kit.repo, &merge, &result, &err));
    assert_int_equal(result.kind, ARMI_MERGE_COMMIT);
    assert_int_equal(result.table_count, 1);
    assert_string_equal(result.tables[0], "t");
    armi_merge_result_release(&result);
    repo_kit_expect(&kit, "t", NULL, 0, 30000, 77);
    repo_kit_expect(&kit, "u", NULL, 0, 20, -1);
    ok(armi_merge(kit.repo, &merge, &result, &err));
    assert_int_equal(result.kind, ARMI_MERGE_UP_TO_DATE);
    armi_merge_result_release(&result);

    repo_kit_rows(0, 3, -1, 0, &data);
    ok(repo_kit_write(&kit, "dev", "t", &data, ARMI_WRITE_OVERWRITE, NULL, &err));
    repo_kit_rows(0, 4, -1, 0, &data);
    ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_OVERWRITE, NULL, &err));
    fails(ARMI_MERGE_CONFLICT, armi_merge(kit.repo, &merge, &result, &err));
    assert_int_equal(result.conflict_count, 1);
    armi_merge_result_release(&result);
    repo_kit_expect(&kit, "t", NULL, 0, 4, -1); /* nothing moved */
    repo_kit_verify(&kit);
    repo_kit_close(&kit);
}

static void the_feed_misses_nothing_and_repeats_nothing(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream data;
    struct armi_changes *changes;
    struct armi_change change;
    struct repo_kit kit;
    bool has;
    repo_kit_open(&kit);
    ok(armi_changes_open(kit.repo, NULL, &changes, &err));
    ok(armi_changes_next(changes, &change, &has, &err));
    assert_false(has);
    for (int64_t i = 0; i < 3; i++) {
        repo_kit_rows(i, 1, -1, 0, &data);
        ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_APPEND, NULL, &err));
    }
    for (uint64_t i = 1; i <= 3; i++) {
        ok(armi_changes_next(changes, &change, &has, &err));
        assert_true(has);
        assert_int_equal(change.new_version, i);
        assert_int_equal(change.old_version, i - 1);
        assert_int_equal(change.op, i == 1 ? ARMI_OP_CREATE : ARMI_OP_APPEND);
    }
    ok(armi_changes_next(changes, &change, &has, &err));
    assert_false(has);
    armi_changes_close(changes);
    repo_kit_close(&kit);
}

static void a_dropped_table_keeps_its_past_and_its_numbers(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream data;
    struct armi_transaction *tx;
    struct armi_write_result result = {.size = sizeof result};
    struct repo_kit kit;
    uint64_t rows;
    repo_kit_open(&kit);
    repo_kit_rows(0, 5, -1, 0, &data);
    ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_OVERWRITE, NULL, &err));
    ok(armi_transaction_begin(kit.repo, NULL, &tx, &err));
    ok(armi_transaction_drop(tx, "t", &err));
    ok(armi_transaction_commit(tx, NULL, &err));
    armi_transaction_free(tx);
    fails(ARMI_NOT_FOUND, armi_table_count(kit.repo, "t", NULL, &rows, &err));
    assert_string_equal(err.message, "Table not found: t");
    struct armi_at old = {.size = sizeof old, .version = 1};
    repo_kit_expect(&kit, "t", &old, 0, 5, -1);
    repo_kit_rows(0, 6, -1, 0, &data);
    ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_OVERWRITE, &result, &err));
    assert_int_equal(result.version, 2);
    repo_kit_expect(&kit, "t", &old, 0, 5, -1);
    fails(ARMI_NOT_FOUND,
          armi_table_count(kit.repo, "t",
                           &(struct armi_at){.size = sizeof old, .version = 9}, &rows,
                           &err));
    assert_string_equal(err.message, "Version not found: t version 9");
    repo_kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_comes_back_as_it_was_written),
        cmocka_unit_test(the_same_content_again_changes_nothing),
        cmocka_unit_test(a_changed_cell_costs_its_column_of_its_range),
        cmocka_unit_test(rows_cut_off_the_front_cost_what_they_touch),
        cmocka_unit_test(appends_of_any_size_are_read_in_order),
        cmocka_unit_test(a_transaction_lands_whole_or_not_at_all),
        cmocka_unit_test(racing_writers_conflict_only_where_they_must),
        cmocka_unit_test(branches_diff_and_merge),
        cmocka_unit_test(the_feed_misses_nothing_and_repeats_nothing),
        cmocka_unit_test(a_dropped_table_keeps_its_past_and_its_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
