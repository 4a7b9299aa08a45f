/*
 * SQLite over the shim: every n-th write, sync, read and allocation fails during a publish, and the
 * power goes after every single change. Afterwards the catalog opens, verifies, and is old or new.
 */
#include "test.h"

#include <stdlib.h>

#include "catalog/history.h"
#include "catalog_kit.h"
#include "fault_alloc.h"
#include "os_memory.h"
#include "sqlite_shim.h"

static enum armi_status on_problem(void *ctx, const char *kind, const char *name,
                                   const char *message, struct armi_error *err)
{
    (void)ctx;
    (void)err;
    fail_msg("verify found %s %s: %s", kind, name, message);
    return ARMI_OK;
}

/* Opens what is there; main must be at a commit `number` of [low, high] with its whole history. */
static uint64_t check_folder(const char *dir, uint64_t low, uint64_t high)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_catalog *catalog;
    struct armi_catalog_ref ref;
    struct armi_history_iter it;
    bool has;

    ok(armi_catalog_open(dir, NULL, &catalog, &err));
    ok(armi_catalog_verify(catalog, on_problem, NULL, &err));
    ok(armi_catalog_get_ref(catalog, ARMI_REF_BRANCH, "main", &ref, &err));
    armi_history_begin(&it, catalog, ref.has_commit ? &ref.commit : NULL);
    ok(armi_history_next(&it, &has, &err));
    uint64_t number = has ? it.commit.depth + 1 : 0;
    assert_true(number >= low && number <= high);
    assert_int_equal(ref.moves, number);
    for (uint64_t i = number; has; i--) {
        struct armi_hash name;
        struct armi_buf bytes = {0}, stored = {0};
        bool landed;
        struct armi_hash as;
        ok(catalog_kit_node(i, &bytes, &name, &err));
        ok(armi_catalog_get_node(catalog, ARMI_NODE_PENDING, &name, &stored, &err));
        ok(armi_catalog_find_txid(catalog, it.commit.txid, &landed, &as, &err));
        assert_true(landed);
        assert_memory_equal(&as, &it.id, sizeof as);
        armi_buf_release(&bytes);
        armi_buf_release(&stored);
        ok(armi_history_next(&it, &has, &err));
    }
    armi_history_end(&it);
    /* And it can be written. */
    ok(catalog_kit_commit(catalog, "main", number + 1, NULL, &err));
    armi_catalog_close(catalog);
    return number;
}

static void copy_file(const char *from_dir, const char *to_dir, const char *name)
{
    char path[TEMP_DIR_SIZE + 32], buffer[65536];
    size_t n;

    snprintf(path, sizeof path, "%s/%s", from_dir, name);
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return;
    snprintf(path, sizeof path, "%s/%s", to_dir, name);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    while ((n = fread(buffer, 1, sizeof buffer, in)) > 0)
        assert_int_equal(fwrite(buffer, 1, n, out), n);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

/* As if every process were killed now: shared memory is gone, and the WAL is read from its start. */
static void check_killed(const char *dir, uint64_t low, uint64_t high)
{
    char copy[TEMP_DIR_SIZE];
    temp_dir_make(copy);
    copy_file(dir, copy, "catalog.db");
    copy_file(dir, copy, "catalog.db-wal");
    copy_file(dir, copy, "lock");
    check_folder(copy, low, high);
    temp_dir_remove(copy);
}

struct fault_case {
    unsigned kinds;
    bool persistent;
    enum shim_failure failure;
};

/* One commit on an open catalog, with its n-th file call failing; returns whether one did. */
static bool commit_with_fault(const struct fault_case *c, uint64_t n, uint64_t *unknowns)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash first, second;
    struct armi_publish_result result;

    catalog_kit_open(&kit, NULL);
    ok(catalog_kit_commit(kit.catalog, "main", 1, &first, &err));
    sqlite_shim_set_failure(c->failure);
    sqlite_shim_arm(n, c->kinds, c->persistent);
    enum armi_status status =
        catalog_kit_publish(kit.catalog, "main", &first, 1, 2, &result, &err);
    bool fired = sqlite_shim_disarm();
    if (status == ARMI_COMMIT_UNKNOWN) {
        assert_memory_equal(&err.commit, &result.commit, sizeof err.commit);
        assert_int_equal(result.outcome, ARMI_PUBLISH_UNKNOWN);
        fails(ARMI_STORAGE, catalog_kit_commit(kit.catalog, "main", 2, &second, &err));
        assert_non_null(strstr(err.message, "open '"));
        ++*unknowns;
    } else if (status != ARMI_OK) {
        assert_int_equal(status, ARMI_STORAGE);
        assert_true(fired);
    }
    uint64_t low = status == ARMI_OK ? 2 : 1;
    uint64_t high = status == ARMI_OK || status == ARMI_COMMIT_UNKNOWN ? 2 : 1;
    check_killed(kit.dir, low, high);
    armi_catalog_close(kit.catalog);
    kit.catalog = NULL;
    check_folder(kit.dir, low, high);
    catalog_kit_close(&kit);
    return fired;
}

static void every_failing_file_call_leaves_old_or_new(void **state)
{
    (void)state;
    static const struct fault_case cases[] = {
        {SHIM_CHANGES, false, SHIM_FAIL_IO},   {SHIM_CHANGES, true, SHIM_FAIL_IO},
        {SHIM_CHANGES, false, SHIM_FAIL_TORN}, {SHIM_WRITE, false, SHIM_FAIL_FULL},
        {SHIM_WRITE, false, SHIM_FAIL_LATE},   {SHIM_WRITE, true, SHIM_FAIL_FULL},
        {SHIM_READ, false, SHIM_FAIL_IO},      {SHIM_SYNC, false, SHIM_FAIL_IO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t n = 1, unknowns = 0;
        while (commit_with_fault(&cases[i], n, &unknowns))
            n++;
        assert_true(n > 1 || cases[i].kinds == SHIM_READ);
        /* A flush that fails, or a disk that is gone, leaves the outcome open; a full disk does not. */
        if (cases[i].kinds == SHIM_SYNC || cases[i].persistent)
            assert_true(unknowns > 0);
        if (cases[i].kinds == SHIM_WRITE && !cases[i].persistent)
            assert_int_equal(unknowns, 0);
    }
}

static void a_full_disk_is_told_as_such_and_the_handle_goes_on(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash id;

    catalog_kit_open(&kit, NULL);
    sqlite_shim_set_failure(SHIM_FAIL_FULL);
    sqlite_shim_arm(2, SHIM_WRITE, false);
    fails(ARMI_STORAGE, catalog_kit_commit(kit.catalog, "main", 1, &id, &err));
    assert_true(sqlite_shim_disarm());
    assert_non_null(strstr(err.message, "No space left on device"));
    ok(catalog_kit_commit(kit.catalog, "main", 1, &id, &err));
    catalog_kit_close(&kit);
}

static void a_commit_costs_one_flush(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;

    catalog_kit_open(&kit, NULL);
    ok(catalog_kit_commit(kit.catalog, "main", 1, NULL, &err));
    uint64_t before = sqlite_shim_syncs();
    for (uint64_t i = 2; i <= 11; i++)
        ok(catalog_kit_commit(kit.catalog, "main", i, NULL, &err));
    assert_int_equal(sqlite_shim_syncs() - before, 10);
    catalog_kit_close(&kit);
}

static bool open_with_fault(uint64_t n, unsigned kinds)
{
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t id[ARMI_REPO_ID_SIZE];
    char dir[TEMP_DIR_SIZE];

    temp_dir_make(dir);
    sqlite_shim_set_failure(SHIM_FAIL_IO);
    sqlite_shim_arm(n, kinds, false);
    enum armi_status status = armi_catalog_create(dir, NULL, id, &err);
    bool fired = sqlite_shim_disarm();
    assert_true(status == ARMI_OK || (fired && status == ARMI_STORAGE));
    /* What is half made is completed by the next try. */
    ok(armi_catalog_create(dir, NULL, id, &err));
    check_folder(dir, 0, 0);
    temp_dir_remove(dir);
    return fired;
}

static void a_creation_that_fails_anywhere_can_be_repeated(void **state)
{
    (void)state;
    for (uint64_t n = 1; open_with_fault(n, SHIM_ANY); n++)
        ;
}

/* Open, commit, read, close: with the n-th allocation failing, ours or SQLite's. */
static bool use_with_failing_allocation(const char *dir, size_t n, bool persistent,
                                        uint64_t *number)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_catalog *catalog = NULL;
    struct armi_catalog_ref ref;
    struct armi_commit commit;
    struct armi_hash id;
    bool committed = false;

    fault_alloc_begin(n, persistent);
    enum armi_status status = armi_catalog_open(dir, NULL, &catalog, &err);
    if (status == ARMI_OK)
        status = catalog_kit_commit(catalog, "main", *number + 1, &id, &err);
    committed = status == ARMI_OK;
    if (status == ARMI_OK)
        status = armi_catalog_get_ref(catalog, ARMI_REF_BRANCH, "main", &ref, &err);
    if (status == ARMI_OK)
        status = armi_catalog_get_commit(catalog, &ref.commit, &commit, &err);
    if (status == ARMI_OK)
        armi_commit_release(&commit);
    armi_catalog_close(catalog);
    bool was_fired = fault_alloc_end();
    /* SQLite lives without some of its memory; whatever is told must be true. */
    if (status != ARMI_OK && !(was_fired && status == ARMI_NO_MEMORY))
        fail_msg("allocation %zu failed (%d): status %d: %s", (size_t)n, was_fired,
                 (int)status, err.message);
    *number =
        check_folder(dir, *number + (committed ? 1 : 0), *number + (committed ? 1 : 0)) + 1;
    return was_fired;
}

static void every_failing_allocation_leaves_old_or_new(void **state)
{
    (void)state;
    for (int persistent = 0; persistent < 2; persistent++) {
        struct catalog_kit kit;
        uint64_t number = 0;
        catalog_kit_open(&kit, NULL);
        armi_catalog_close(kit.catalog);
        kit.catalog = NULL;
        for (size_t n = 1; use_with_failing_allocation(kit.dir, n, persistent, &number);)
            n += 1 + n / 64;
        catalog_kit_close(&kit);
    }
}

#define CRASH_COMMITS 12

static void check_crash_points(enum armi_durability durability, size_t step)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_catalog_options options = {.durability = durability};
    struct catalog_kit kit;
    size_t acked[CRASH_COMMITS + 1];
    char dir[TEMP_DIR_SIZE];

    sqlite_shim_record_begin();
    catalog_kit_open(&kit, &options);
    acked[0] = sqlite_shim_record_events();
    for (uint64_t i = 1; i <= CRASH_COMMITS; i++) {
        ok(catalog_kit_commit(kit.catalog, "main", i, NULL, &err));
        acked[i] = sqlite_shim_record_events();
        if (i == CRASH_COMMITS / 2) /* a close writes the WAL back and deletes it */
            catalog_kit_reopen(&kit, &options);
    }
    catalog_kit_close(&kit);
    size_t end = sqlite_shim_record_events();
    sqlite_shim_record_end();
    assert_true(end > 100);
    for (size_t cut = acked[0]; cut <= end; cut += step) {
        uint64_t low = 0, high = 0;
        while (low < CRASH_COMMITS && acked[low + 1] <= cut)
            low++;
        high = low < CRASH_COMMITS ? low + 1 : low;
        for (uint64_t seed = 0; seed < os_crash_seeds(4); seed++) {
            temp_dir_make(dir);
            sqlite_shim_replay(cut, seed, dir);
            char lock[TEMP_DIR_SIZE + 8];
            snprintf(lock, sizeof lock, "%s/lock", dir);
            fclose(fopen(lock, "w"));
            check_folder(dir, durability == ARMI_DURABILITY_FULL || seed == 0 ? low : 0,
                         high);
            temp_dir_remove(dir);
        }
    }
    sqlite_shim_record_free();
}

static void what_returned_survives_a_power_cut_at_every_point(void **state)
{
    (void)state;
    check_crash_points(ARMI_DURABILITY_FULL, 1);
}

static void normal_durability_loses_commits_but_never_a_part(void **state)
{
    (void)state;
    check_crash_points(ARMI_DURABILITY_NORMAL, 2);
}

int main(void)
{
    sqlite_shim_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failing_file_call_leaves_old_or_new),
        cmocka_unit_test(a_full_disk_is_told_as_such_and_the_handle_goes_on),
        cmocka_unit_test(a_commit_costs_one_flush),
        cmocka_unit_test(a_creation_that_fails_anywhere_can_be_repeated),
        cmocka_unit_test(every_failing_allocation_leaves_old_or_new),
        cmocka_unit_test(what_returned_survives_a_power_cut_at_every_point),
        cmocka_unit_test(normal_durability_loses_commits_but_never_a_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
