#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "base/alloc.h"
#include "catalog/history.h"
#include "catalog_kit.h"
#include "hash/blake3.h"
#include "os/lockfile.h"

static struct armi_slice text(const char *s)
{
    return (struct armi_slice){(const uint8_t *)s, strlen(s)};
}

static struct armi_ref_change ref_change(enum armi_ref_action action,
                                         enum armi_ref_kind kind, const char *name,
                                         const struct armi_hash *target)
{
    struct armi_ref_change change = {
        .action = action, .kind = kind, .name = name, .reason = "test"};
    change.has_target = target != NULL;
    if (target != NULL)
        change.target = *target;
    return change;
}

static enum armi_status change_refs(struct armi_catalog *catalog,
                                    const struct armi_ref_change *changes, size_t count,
                                    struct armi_publish_result *result,
                                    struct armi_error *err)
{
    struct armi_publish publish = {
        .refs = changes, .refs_count = count, .author = text("ada")};
    return armi_catalog_publish(catalog, &publish, result, err);
}

static void a_new_catalog_has_main_without_a_commit(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_catalog_ref ref, *refs;
    size_t count;
    uint8_t id[ARMI_REPO_ID_SIZE], again[ARMI_REPO_ID_SIZE];

    catalog_kit_open(&kit, NULL);
    ok(armi_catalog_get_ref(kit.catalog, ARMI_REF_BRANCH, "main", &ref, &err));
    assert_false(ref.has_commit);
    ok(armi_catalog_list_refs(kit.catalog, ARMI_REF_BRANCH, &refs, &count, &err));
    assert_int_equal(count, 1);
    armi_free(refs);
    ok(armi_catalog_list_refs(kit.catalog, ARMI_REF_TAG, &refs, &count, &err));
    assert_int_equal(count, 0);
    armi_free(refs);
    fails(ARMI_NOT_FOUND,
          armi_catalog_get_ref(kit.catalog, ARMI_REF_TAG, "main", &ref, &err));
    assert_string_equal(err.message, "Tag not found: main");
    /* Making it again changes nothing. */
    ok(armi_catalog_id(kit.catalog, id, &err));
    ok(armi_catalog_create(kit.dir, NULL, again, &err));
    assert_memory_equal(id, again, sizeof id);
    catalog_kit_close(&kit);
}

static void a_commit_is_there_after_a_reopen(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash first, second, node;
    struct armi_commit commit;
    struct armi_catalog_ref ref;
    struct armi_buf bytes = {0}, stored = {0};

    catalog_kit_open(&kit, NULL);
    ok(catalog_kit_commit(kit.catalog, "main", 1, &first, &err));
    ok(catalog_kit_commit(kit.catalog, "main", 2, &second, &err));
    catalog_kit_reopen(&kit, NULL);
    ok(armi_catalog_get_ref(kit.catalog, ARMI_REF_BRANCH, "main", &ref, &err));
    assert_true(ref.has_commit);
    assert_memory_equal(&ref.commit, &second, sizeof second);
    assert_int_equal(ref.moves, 2);
    ok(armi_catalog_get_commit(kit.catalog, &second, &commit, &err));
    assert_int_equal(commit.depth, 1);
    assert_memory_equal(commit.parents, &first, sizeof first);
    assert_memory_equal(&commit.skip, &first, sizeof first);
    assert_true(armi_slice_equal(commit.message, text("number 2")));
    armi_commit_release(&commit);
    ok(catalog_kit_node(2, &bytes, &node, &err));
    ok(armi_catalog_get_node(kit.catalog, ARMI_NODE_PENDING, &node, &stored, &err));
    assert_true(armi_slice_equal(armi_buf_slice(&bytes), armi_buf_slice(&stored)));
    ok(catalog_kit_node(3, &bytes, &node, &err));
    fails(ARMI_NOT_FOUND,
          armi_catalog_get_node(kit.catalog, ARMI_NODE_PENDING, &node, &stored, &err));
    armi_buf_release(&bytes);
    armi_buf_release(&stored);
    catalog_kit_close(&kit);
}

static void a_ref_that_moved_changes_nothing_and_says_where_it_is(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash first, second, node;
    struct armi_publish_result result;
    struct armi_buf bytes = {0};
    bool there;

    catalog_kit_open(&kit, NULL);
    ok(catalog_kit_commit(kit.catalog, "main", 1, &first, &err));
    ok(catalog_kit_commit(kit.catalog, "main", 2, &second, &err));
    ok(catalog_kit_publish(kit.catalog, "main", &first, 1, 3, &result, &err));
    assert_int_equal(result.outcome, ARMI_PUBLISH_MOVED);
    assert_true(result.moved_exists);
    assert_memory_equal(&result.moved.commit, &second, sizeof second);
    ok(catalog_kit_publish(kit.catalog, "main", NULL, 0, 3, &result, &err));
    assert_int_equal(result.outcome, ARMI_PUBLISH_MOVED);
    ok(catalog_kit_node(3, &bytes, &node, &err));
    ok(armi_catalog_has_node(kit.catalog, &node, &there, &err));
    assert_false(there);
    ok(catalog_kit_publish(kit.catalog, "gone", &first, 1, 3, &result, &err));
    assert_int_equal(result.outcome, ARMI_PUBLISH_MOVED);
    assert_false(result.moved_exists);
    armi_buf_release(&bytes);
    catalog_kit_close(&kit);
}

static void refs_are_made_moved_and_deleted_and_the_reflog_tells(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash first, second, nowhere;
    struct armi_publish_result result;
    struct armi_catalog_ref *refs;
    struct armi_catalog_reflog log[16];
    size_t count;

    catalog_kit_open(&kit, NULL);
    ok(catalog_kit_commit(kit.catalog, "main", 1, &first, &err));
    ok(catalog_kit_commit(kit.catalog, "main", 2, &second, &err));
    memset(&nowhere, 9, sizeof nowhere);
    struct armi_ref_change made[3] = {
        ref_change(ARMI_REF_CREATE, ARMI_REF_BRANCH, "dev", &first),
        ref_change(ARMI_REF_CREATE, ARMI_REF_TAG, "v1", &second),
        ref_change(ARMI_REF_CREATE, ARMI_REF_BRANCH, "a/b", NULL),
    };
    ok(change_refs(kit.catalog, made, 3, &result, &err));
    assert_int_equal(result.outcome, ARMI_PUBLISH_OK);
    fails(ARMI_ALREADY_EXISTS, change_refs(kit.catalog, made, 1, &result, &err));
    assert_string_equal(err.message, "Branch already exists: dev");
    made[0] = ref_change(ARMI_REF_CREATE, ARMI_REF_BRANCH, "v1", &first);
    fails(ARMI_ALREADY_EXISTS, change_refs(kit.catalog, made, 1, &result, &err));
    assert_string_equal(err.message, "Tag already exists: v1");
    made[0] = ref_change(ARMI_REF_CREATE, ARMI_REF_BRANCH, "lost", &nowhere);
    fails(ARMI_NOT_FOUND, change_refs(kit.catalog, made, 1, &result, &err));
    made[0] = ref_change(ARMI_REF_DELETE, ARMI_REF_BRANCH, "nope", NULL);
    fails(ARMI_NOT_FOUND, change_refs(kit.catalog, made, 1, &result, &err));
    assert_string_equal(err.message, "Branch not found: nope");
    ok(armi_catalog_list_refs(kit.catalog, ARMI_REF_BRANCH, &refs, &count, &err));
    assert_int_equal(count, 3);
    assert_string_equal(refs[0].name, "a/b");
    assert_string_equal(refs[1].name, "dev");
    assert_string_equal(refs[2].name, "main");
    armi_free(refs);

    /* All or nothing: the second change fails, the first is not made. */
    struct armi_ref_change mixed[2] = {
        ref_change(ARMI_REF_MOVE, ARMI_REF_BRANCH, "dev", &second),
        ref_change(ARMI_REF_DELETE, ARMI_REF_TAG, "v2", NULL)};
    fails(ARMI_NOT_FOUND, change_refs(kit.catalog, mixed, 2, &result, &err));
    mixed[1].name = "v1";
    ok(change_refs(kit.catalog, mixed, 2, &result, &err));
    ok(armi_catalog_list_reflog(kit.catalog, ARMI_REF_BRANCH, "dev", 0, log, 16, &count,
                                &err));
    assert_int_equal(count, 2);
    assert_true(log[0].has_old && log[0].has_new && !log[1].has_old);
    assert_memory_equal(&log[0].old_commit, &first, sizeof first);
    assert_memory_equal(&log[0].new_commit, &second, sizeof second);
    assert_string_equal(log[0].author, "ada");
    assert_string_equal(log[0].reason, "test");
    ok(armi_catalog_list_reflog(kit.catalog, ARMI_REF_BRANCH, NULL, 0, log, 16, &count,
                                &err));
    assert_int_equal(count, 7);
    assert_true(log[0].kind == ARMI_REF_TAG && !log[0].has_new);
    ok(armi_catalog_list_reflog(kit.catalog, ARMI_REF_BRANCH, NULL, log[4].id, log, 16,
                                &count, &err));
    assert_int_equal(count, 2);
    catalog_kit_close(&kit);
}

static void a_transaction_id_lands_once(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash first, landed;
    struct armi_publish_result result;
    bool found;
    struct armi_ref_change ref = {.action = ARMI_REF_MOVE,
                                  .kind = ARMI_REF_BRANCH,
                                  .name = "main",
                                  .to_published = true};
    struct armi_commit commit = {.message = text("once")};
    struct armi_publish publish = {.commit = &commit, .refs = &ref, .refs_count = 1};

    catalog_kit_open(&kit, NULL);
    commit.tables.is_inline = true;
    memset(commit.txid, 0x42, sizeof commit.txid);
    ok(armi_catalog_find_txid(kit.catalog, commit.txid, &found, &landed, &err));
    assert_false(found);
    ok(armi_catalog_publish(kit.catalog, &publish, &result, &err));
    assert_int_equal(result.outcome, ARMI_PUBLISH_OK);
    first = result.commit;
    commit.message = text("twice");
    ok(armi_catalog_publish(kit.catalog, &publish, &result, &err));
    assert_int_equal(result.outcome, ARMI_PUBLISH_REPEATED);
    assert_memory_equal(&result.commit, &first, sizeof first);
    ok(armi_catalog_find_txid(kit.catalog, commit.txid, &found, &landed, &err));
    assert_true(found);
    assert_memory_equal(&landed, &first, sizeof first);
    catalog_kit_close(&kit);
}

static int64_t clock_now;

static int64_t fixed_clock(const struct armi_os *os)
{
    (void)os;
    return clock_now;
}

static void time_rises_along_history_whatever_the_clock_does(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_os os = *armi_os_posix();
    struct armi_catalog_options options = {.os = &os};
    struct catalog_kit kit;
    struct armi_hash ids[4];
    static const int64_t clocks[] = {1000, 1000, 500, 2000};
    static const int64_t times[] = {1000, 1001, 1002, 2000};

    os.realtime_us = fixed_clock;
    catalog_kit_open(&kit, &options);
    for (size_t i = 0; i < 4; i++) {
        struct armi_commit commit;
        clock_now = clocks[i];
        ok(catalog_kit_commit(kit.catalog, "main", i, &ids[i], &err));
        ok(armi_catalog_get_commit(kit.catalog, &ids[i], &commit, &err));
        assert_int_equal(commit.time_us, times[i]);
        assert_int_equal(commit.clock_us, clocks[i]);
        armi_commit_release(&commit);
    }
    struct armi_hash id;
    ok(armi_history_at_time(kit.catalog, &ids[3], 1999, &id, &err));
    assert_memory_equal(&id, &ids[2], sizeof id);
    ok(armi_history_at_time(kit.catalog, &ids[3], 1000, &id, &err));
    assert_memory_equal(&id, &ids[0], sizeof id);
    fails(ARMI_NOT_FOUND, armi_history_at_time(kit.catalog, &ids[3], 999, &id, &err));
    assert_string_equal(
        err.message,
        "No commit that early: the first one is of 1970-01-01 00:00:00.001000 UTC");
    catalog_kit_close(&kit);
}

static void a_commit_is_found_by_a_prefix_that_fits_one(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash id, found, twin;
    char hex[ARMI_HASH_HEX_SIZE], path[TEMP_DIR_SIZE + 16];
    sqlite3 *db;
    sqlite3_stmt *stmt;

    catalog_kit_open(&kit, NULL);
    ok(catalog_kit_commit(kit.catalog, "main", 1, &id, &err));
    armi_hash_format(&id, hex);
    for (size_t size = 8; size <= 64; size++) {
        ok(armi_catalog_find_commit(kit.catalog, hex, size, &found, &err));
        assert_memory_equal(&found, &id, sizeof id);
    }
    fails(ARMI_INVALID, armi_catalog_find_commit(kit.catalog, hex, 7, &found, &err));
    fails(ARMI_INVALID,
          armi_catalog_find_commit(kit.catalog, "ABCDEF0123", 10, &found, &err));
    hex[9] = hex[9] == '0' ? '1' : '0';
    fails(ARMI_NOT_FOUND, armi_catalog_find_commit(kit.catalog, hex, 10, &found, &err));
    assert_string_equal(err.kind, "commit");
    armi_hash_format(&id, hex);

    /* A second commit that shares eleven digits, put there by hand. */
    twin = id;
    twin.bytes[5] ^= 0x01;
    snprintf(path, sizeof path, "%s/catalog.db", kit.dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_prepare_v2(db, "INSERT INTO node (name, type, bytes) VALUES (?1, ?2, x'00')",
                       -1, &stmt, NULL);
    sqlite3_bind_blob(stmt, 1, &twin, sizeof twin, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 2, ARMI_NODE_COMMIT);
    assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    fails(ARMI_INVALID, armi_catalog_find_commit(kit.catalog, hex, 11, &found, &err));
    assert_non_null(strstr(err.message, "ambiguous"));
    ok(armi_catalog_find_commit(kit.catalog, hex, 12, &found, &err));
    catalog_kit_close(&kit);
}

static void tiny_chunks_are_kept_once_and_proved(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_catalog_chunk chunks[4] = {{.bytes = text("one")},
                                           {.bytes = text("two")},
                                           {.bytes = text("one")},
                                           {.bytes = {(const uint8_t *)"", 0}}};
    struct armi_catalog_entry page[8];
    struct armi_buf out = {0};
    uint64_t cursor = 0;
    size_t count;
    bool there;

    catalog_kit_open(&kit, NULL);
    for (size_t i = 0; i < 4; i++)
        armi_blake3_hash(chunks[i].bytes.data, chunks[i].bytes.size, &chunks[i].hash);
    ok(armi_catalog_put_chunks(kit.catalog, chunks, 4, &err));
    for (size_t i = 0; i < 4; i++) {
        ok(armi_catalog_get_chunk(kit.catalog, &chunks[i].hash, &out, &err));
        assert_true(armi_slice_equal(armi_buf_slice(&out), chunks[i].bytes));
        ok(armi_catalog_has_chunk(kit.catalog, &chunks[i].hash, &there, &err));
        assert_true(there);
    }
    ok(armi_catalog_list_chunks(kit.catalog, &cursor, page, 2, &count, &err));
    assert_int_equal(count, 2);
    assert_int_equal(page[0].size, 3);
    ok(armi_catalog_list_chunks(kit.catalog, &cursor, page, 2, &count, &err));
    assert_int_equal(count, 1);
    chunks[0].hash.bytes[0] ^= 1;
    fails(ARMI_NOT_FOUND, armi_catalog_get_chunk(kit.catalog, &chunks[0].hash, &out, &err));
    assert_non_null(strstr(err.message, "Chunk not found: "));
    uint8_t *big = calloc(1, ARMI_CHUNK_TINY_MAX);
    chunks[0].bytes = (struct armi_slice){big, ARMI_CHUNK_TINY_MAX};
    fails(ARMI_LIMIT, armi_catalog_put_chunks(kit.catalog, chunks, 1, &err));
    free(big);
    armi_buf_release(&out);
    catalog_kit_close(&kit);
}

static void large_sets_of_nodes_go_in_ahead_of_the_commit(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_node_set nodes;
    struct armi_hash name;
    struct armi_publish_result result;
    struct armi_catalog_stats stats;
    uint8_t *payload = calloc(1, 100000);
    struct armi_ref_change ref = {.action = ARMI_REF_MOVE,
                                  .kind = ARMI_REF_BRANCH,
                                  .name = "main",
                                  .expect = ARMI_REF_UNBORN,
                                  .to_published = true};
    struct armi_commit commit = {0};
    struct armi_publish publish = {
        .commit = &commit, .nodes = &nodes, .refs = &ref, .refs_count = 1};

    catalog_kit_open(&kit, NULL);
    commit.tables.is_inline = true;
    armi_node_set_init(&nodes, NULL);
    for (int i = 0; i < 30; i++) {
        struct armi_buf bytes = {0};
        payload[0] = (uint8_t)i;
        ok(armi_node_wrap(ARMI_NODE_TREE_LEAF, 1, (struct armi_slice){payload, 100000},
                          &bytes, &err));
        ok(armi_node_set_put(&nodes, ARMI_NODE_TREE_LEAF, armi_buf_slice(&bytes), &name,
                             &err));
        armi_buf_release(&bytes);
    }
    ok(armi_catalog_publish(kit.catalog, &publish, &result, &err));
    ok(armi_catalog_stats(kit.catalog, &stats, &err));
    assert_int_equal(stats.nodes, 31);
    assert_true(stats.node_bytes > 3000000 && stats.file_bytes > 3000000);
    struct armi_node_source source = armi_catalog_source(kit.catalog);
    struct armi_buf out = {0};
    for (size_t i = 0; i < nodes.count; i++) {
        ok(armi_node_get(&source, ARMI_NODE_TREE_LEAF, &nodes.entries[i].name, &out, &err));
        assert_true(armi_slice_equal(armi_buf_slice(&out), armi_node_set_bytes(&nodes, i)));
    }
    armi_buf_release(&out);
    armi_node_set_release(&nodes);
    free(payload);
    catalog_kit_close(&kit);
}

static void marks_keep_their_first_time_until_cleared(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_catalog_mark marks[2] = {{.is_node = true, .time_us = 10}, {.time_us = 11}};
    struct armi_catalog_mark *list;
    size_t count;
    bool there;

    catalog_kit_open(&kit, NULL);
    ok(armi_catalog_set_marks(kit.catalog, ARMI_MARK_DOOMED, marks, 2, &err));
    marks[0].time_us = 99;
    ok(armi_catalog_set_marks(kit.catalog, ARMI_MARK_DOOMED, marks, 1, &err));
    ok(armi_catalog_list_marks(kit.catalog, ARMI_MARK_DOOMED, &list, &count, &err));
    assert_int_equal(count, 2);
    assert_true(!list[0].is_node && list[1].is_node && list[1].time_us == 10);
    armi_free(list);
    ok(armi_catalog_has_mark(kit.catalog, ARMI_MARK_DAMAGED, true, &marks[0].name, &there,
                             &err));
    assert_false(there);
    ok(armi_catalog_clear_marks(kit.catalog, ARMI_MARK_DOOMED, marks, 1, &err));
    ok(armi_catalog_has_mark(kit.catalog, ARMI_MARK_DOOMED, true, &marks[0].name, &there,
                             &err));
    assert_false(there);
    ok(armi_catalog_has_mark(kit.catalog, ARMI_MARK_DOOMED, false, &marks[1].name, &there,
                             &err));
    assert_true(there);
    catalog_kit_close(&kit);
}

static int writable_no(const struct armi_os *os, int dir)
{
    (void)os;
    (void)dir;
    return -30; /* EROFS */
}

static void a_read_only_folder_opens_if_it_was_closed_cleanly(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_os os = *armi_os_posix();
    struct armi_catalog_options options = {.os = &os};
    struct armi_catalog *reader;
    struct armi_catalog_ref ref;
    struct armi_hash id;
    struct catalog_kit kit;
    struct stat st;
    char path[TEMP_DIR_SIZE + 32];

    os.writable = writable_no;
    catalog_kit_open(&kit, NULL);
    ok(catalog_kit_commit(kit.catalog, "main", 1, &id, &err));
    fails(ARMI_STORAGE, armi_catalog_open(kit.dir, &options, &reader, &err));
    assert_non_null(strstr(err.message, "not closed cleanly"));
    armi_catalog_close(kit.catalog);
    snprintf(path, sizeof path, "%s/catalog.db-wal", kit.dir);
    assert_int_not_equal(stat(path, &st), 0);

    ok(armi_catalog_open(kit.dir, &options, &reader, &err));
    assert_true(armi_catalog_is_read_only(reader));
    ok(armi_catalog_get_ref(reader, ARMI_REF_BRANCH, "main", &ref, &err));
    assert_memory_equal(&ref.commit, &id, sizeof id);
    assert_int_not_equal(stat(path, &st), 0);
    fails(ARMI_INVALID, catalog_kit_commit(reader, "main", 2, &id, &err));
    armi_catalog_close(reader);
    options = (struct armi_catalog_options){.read_only = true};
    ok(armi_catalog_open(kit.dir, &options, &kit.catalog, &err));
    fails(ARMI_INVALID, catalog_kit_commit(kit.catalog, "main", 2, &id, &err));
    catalog_kit_close(&kit);
}

static void a_writer_that_cannot_have_the_lock_is_busy(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_catalog_options options = {.lock_timeout_ms = 30};
    struct catalog_kit kit;
    struct armi_hash id;
    char path[TEMP_DIR_SIZE + 16];
    sqlite3 *db;

    catalog_kit_open(&kit, &options);
    snprintf(path, sizeof path, "%s/catalog.db", kit.dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    fails(ARMI_BUSY, catalog_kit_commit(kit.catalog, "main", 1, &id, &err));
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    ok(catalog_kit_commit(kit.catalog, "main", 1, &id, &err));
    catalog_kit_close(&kit);
}

static bool always(void *ctx)
{
    ++*(int *)ctx;
    return true;
}

static void waiting_for_the_lock_can_be_interrupted(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    const struct armi_os *os = armi_os_posix();
    struct armi_lock lock = ARMI_LOCK_INIT;
    struct armi_publish_result result;
    struct catalog_kit kit;
    int asked = 0;
    struct armi_ref_change change =
        ref_change(ARMI_REF_CREATE, ARMI_REF_BRANCH, "dev", NULL);
    struct armi_publish publish = {
        .refs = &change, .refs_count = 1, .interrupt = {always, &asked}};

    catalog_kit_open(&kit, NULL);
    int dir = os->open(os, ARMI_OS_CWD, kit.dir, ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0);
    ok(armi_lock_acquire(os, dir, ARMI_LOCK_BYTE_WRITE, ARMI_LOCK_EXCLUSIVE, 0, NULL,
                         "test", &lock, &err));
    fails(ARMI_INTERRUPTED, armi_catalog_publish(kit.catalog, &publish, &result, &err));
    assert_true(asked > 0);
    armi_lock_release(&lock);
    publish.interrupt.interrupted = NULL;
    ok(armi_catalog_publish(kit.catalog, &publish, &result, &err));
    os->close(os, dir);
    catalog_kit_close(&kit);
}

static void every_durability_commits(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    for (int d = ARMI_DURABILITY_DEFAULT; d <= ARMI_DURABILITY_NONE; d++) {
        struct armi_catalog_options options = {.durability = (enum armi_durability)d};
        struct catalog_kit kit;
        struct armi_hash id, found;
        char hex[ARMI_HASH_HEX_SIZE];
        catalog_kit_open(&kit, &options);
        ok(catalog_kit_commit(kit.catalog, "main", 1, &id, &err));
        catalog_kit_reopen(&kit, &options);
        armi_hash_format(&id, hex);
        ok(armi_catalog_find_commit(kit.catalog, hex, 64, &found, &err));
        catalog_kit_close(&kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_catalog_has_main_without_a_commit),
        cmocka_unit_test(a_commit_is_there_after_a_reopen),
        cmocka_unit_test(a_ref_that_moved_changes_nothing_and_says_where_it_is),
        cmocka_unit_test(refs_are_made_moved_and_deleted_and_the_reflog_tells),
        cmocka_unit_test(a_transaction_id_lands_once),
        cmocka_unit_test(time_rises_along_history_whatever_the_clock_does),
        cmocka_unit_test(a_commit_is_found_by_a_prefix_that_fits_one),
        cmocka_unit_test(tiny_chunks_are_kept_once_and_proved),
        cmocka_unit_test(large_sets_of_nodes_go_in_ahead_of_the_commit),
        cmocka_unit_test(marks_keep_their_first_time_until_cleared),
        cmocka_unit_test(a_read_only_folder_opens_if_it_was_closed_cleanly),
        cmocka_unit_test(a_writer_that_cannot_have_the_lock_is_busy),
        cmocka_unit_test(waiting_for_the_lock_can_be_interrupted),
        cmocka_unit_test(every_durability_commits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
