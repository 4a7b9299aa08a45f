/*
 * A catalog.db that is not ours, or was ours and is damaged: refused or told, by name, never believed.
 */
#include "test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/alloc.h"
#include "catalog/history.h"
#include "catalog_kit.h"
#include "hash/blake3.h"

/* What is tested here does not hang on flushes: only a power cut does. */
static const struct armi_catalog_options scratch = {.durability = ARMI_DURABILITY_NONE};

static void path_of(const struct catalog_kit *kit, char path[TEMP_DIR_SIZE + 16])
{
    snprintf(path, TEMP_DIR_SIZE + 16, "%s/catalog.db", kit->dir);
}

/* Runs SQL on the closed catalog, as any program could. */
static void tamper(const struct catalog_kit *kit, const char *sql)
{
    char path[TEMP_DIR_SIZE + 16], *message = NULL;
    sqlite3 *db;
    path_of(kit, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

static void write_file(const char *path, const void *data, size_t size)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

/* Without the truncation that makes some file systems flush. */
static void overwrite_file(const char *path, const void *data, size_t size)
{
    FILE *out = fopen(path, "r+b");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

static void closed_kit(struct catalog_kit *kit, struct armi_hash *first,
                       struct armi_hash *second)
{
    struct armi_error err = ARMI_ERROR_INIT;
    catalog_kit_open(kit, &scratch);
    ok(catalog_kit_commit(kit->catalog, "main", 1, first, &err));
    ok(catalog_kit_commit(kit->catalog, "main", 2, second, &err));
    armi_catalog_close(kit->catalog);
    kit->catalog = NULL;
}

static void a_foreign_schema_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *word;
        enum armi_status status;
    } cases[] = {
        {"CREATE TRIGGER evil AFTER INSERT ON ref BEGIN DELETE FROM node; END",
         "trigger evil", ARMI_CORRUPTION},
        {"CREATE VIEW spy AS SELECT * FROM ref", "view spy", ARMI_CORRUPTION},
        {"CREATE TABLE extra (x)", "table extra", ARMI_CORRUPTION},
        {"CREATE INDEX slow ON node (length(bytes))", "index slow", ARMI_CORRUPTION},
        {"DROP TABLE txid", "lacks txid", ARMI_CORRUPTION},
        {"DROP INDEX node_name", "lacks node_name", ARMI_CORRUPTION},
        {"ALTER TABLE mark ADD COLUMN note TEXT", "definition of mark", ARMI_CORRUPTION},
        {"PRAGMA application_id = 7", "not an Armillaria catalog", ARMI_CORRUPTION},
        {"PRAGMA user_version = 2", "newer version", ARMI_UNSUPPORTED},
        {"PRAGMA user_version = 0", "not an Armillaria catalog", ARMI_CORRUPTION},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct catalog_kit kit;
        struct armi_hash a, b;
        closed_kit(&kit, &a, &b);
        tamper(&kit, cases[i].sql);
        fails(cases[i].status, armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
        if (strstr(err.message, cases[i].word) == NULL)
            fail_msg("%s: %s", cases[i].sql, err.message);
        catalog_kit_close(&kit);
    }
}

static void
a_schema_change_under_an_open_handle_is_seen_by_its_next_connection(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash a, b;

    closed_kit(&kit, &a, &b);
    ok(armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
    tamper(&kit, "CREATE TRIGGER evil AFTER INSERT ON ref BEGIN DELETE FROM node; END");
    fails(ARMI_CORRUPTION, catalog_kit_commit(kit.catalog, "main", 3, NULL, &err));
    catalog_kit_close(&kit);
}

static void a_foreign_database_is_not_touched_by_a_creation(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit = {.catalog = NULL};
    uint8_t id[ARMI_REPO_ID_SIZE];
    char path[TEMP_DIR_SIZE + 16];
    static uint8_t before[1 << 16], after[1 << 16];

    temp_dir_make(kit.dir);
    tamper(&kit, "CREATE TABLE mine (x); INSERT INTO mine VALUES (1)");
    path_of(&kit, path);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(before, 1, sizeof before, file);
    fclose(file);
    fails(ARMI_CORRUPTION, armi_catalog_create(kit.dir, NULL, id, &err));
    file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(after, 1, sizeof after, file), size);
    fclose(file);
    assert_memory_equal(before, after, size);
    catalog_kit_close(&kit);
}

static void a_catalog_out_of_wal_mode_is_brought_back(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash a, b;
    struct stat st;
    char wal[TEMP_DIR_SIZE + 32];

    closed_kit(&kit, &a, &b);
    tamper(&kit, "PRAGMA journal_mode = DELETE");
    ok(armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
    ok(catalog_kit_commit(kit.catalog, "main", 3, NULL, &err));
    snprintf(wal, sizeof wal, "%s/catalog.db-wal", kit.dir);
    assert_int_equal(stat(wal, &st), 0);
    catalog_kit_close(&kit);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    char path[TEMP_DIR_SIZE + 16], other[TEMP_DIR_SIZE + 32];
    struct armi_hash a, b;

    closed_kit(&kit, &a, &b);
    path_of(&kit, path);
    write_file(path, "PAR1 and so on, nothing of SQLite", 33);
    fails(ARMI_CORRUPTION, armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
    assert_non_null(strstr(err.message, "catalog.db"));
    write_file(path, "", 0);
    fails(ARMI_CORRUPTION, armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
    remove(path);
    fails(ARMI_NOT_FOUND, armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
    assert_int_equal(mkdir(path, 0700), 0);
    fails(ARMI_CORRUPTION, armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
    assert_int_equal(rmdir(path), 0);
    snprintf(other, sizeof other, "%s/elsewhere.db", kit.dir);
    write_file(other, "", 0);
    assert_int_equal(symlink(other, path), 0);
    fails(ARMI_CORRUPTION, armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
    fails(ARMI_STORAGE, armi_catalog_open("/nowhere/at/all", NULL, &kit.catalog, &err));
    catalog_kit_close(&kit);
}

static enum armi_status remember(void *ctx, const char *kind, const char *name,
                                 const char *message, struct armi_error *err)
{
    (void)err;
    snprintf(ctx, 400, "%s|%s|%s", kind, name, message);
    return ARMI_OK;
}

/* Verify must find it, and say what. */
static void verify_finds(struct armi_catalog *catalog, const char *kind, const char *name)
{
    struct armi_error err = ARMI_ERROR_INIT;
    char found[400] = "", want[400];
    ok(armi_catalog_verify(catalog, remember, found, &err));
    snprintf(want, sizeof want, "%s|%s|", kind, name);
    if (strncmp(found, want, strlen(want)) != 0)
        fail_msg("wanted %s, verify said \"%s\"", want, found);
}

static void a_flipped_byte_in_a_node_is_corruption_naming_it(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash a, b;
    struct armi_commit commit;
    char hex[ARMI_HASH_HEX_SIZE];

    closed_kit(&kit, &a, &b);
    armi_hash_format(&b, hex);
    tamper(&kit,
           "UPDATE node SET bytes = substr(bytes, 1, 40) || x'ff' || substr(bytes, 42) "
           "WHERE name = (SELECT target FROM ref WHERE name = 'main')");
    ok(armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
    fails(ARMI_CORRUPTION, armi_catalog_get_commit(kit.catalog, &b, &commit, &err));
    assert_string_equal(err.name, hex);
    assert_non_null(strstr(err.message, hex));
    verify_finds(kit.catalog, "node", hex);
    fails(ARMI_CORRUPTION, catalog_kit_commit(kit.catalog, "main", 3, NULL, &err));
    catalog_kit_close(&kit);
}

static void a_node_under_another_nodes_name_is_not_believed(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash a, b;
    struct armi_commit commit;

    closed_kit(&kit, &a, &b);
    tamper(&kit, "UPDATE node SET bytes = (SELECT bytes FROM node WHERE type = 1 ORDER BY "
                 "id LIMIT 1) "
                 "WHERE name = (SELECT target FROM ref WHERE name = 'main')");
    ok(armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
    fails(ARMI_CORRUPTION, armi_catalog_get_commit(kit.catalog, &b, &commit, &err));
    ok(armi_catalog_get_commit(kit.catalog, &a, &commit, &err));
    armi_commit_release(&commit);
    catalog_kit_close(&kit);
}

static void every_changed_column_of_a_row_is_corruption(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *kind;
    } cases[] = {
        {"UPDATE ref SET target = (SELECT name FROM node WHERE type = 1 ORDER BY id LIMIT "
         "1)",
         "branch"},
        {"UPDATE ref SET target = NULL", "branch"},
        {"UPDATE ref SET target = x'00'", "branch"},
        {"UPDATE ref SET target = 'text'", "branch"},
        {"UPDATE ref SET moves = moves + 1", "branch"},
        {"UPDATE ref SET time_us = 0", "branch"},
        {"UPDATE ref SET check_value = x''", "branch"},
        {"UPDATE ref SET name = 'other'", "branch"},
        {"UPDATE ref SET name = x'ff'", "branch"},
        {"UPDATE ref SET name = printf('%.300c', 'x')", "branch"},
        {"UPDATE ref SET kind = 1", "tag"},
        {"UPDATE reflog SET reason = 'lies' WHERE id = 1", "reflog"},
        {"UPDATE reflog SET id = 77 WHERE id = 1", "reflog"},
        {"UPDATE reflog SET new_target = NULL", "reflog"},
        {"UPDATE txid SET target = zeroblob(32)", "catalog"},
        {"UPDATE txid SET id = zeroblob(3) WHERE id = (SELECT max(id) FROM txid)",
         "catalog"},
        {"UPDATE meta SET value = zeroblob(16) WHERE key = 'id'", ""},
        {"UPDATE meta SET value = zeroblob(7) WHERE key = 'settled'", "catalog"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct catalog_kit kit;
        struct armi_hash a, b;
        char found[400] = "";
        closed_kit(&kit, &a, &b);
        tamper(&kit, cases[i].sql);
        enum armi_status status = armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err);
        if (cases[i].kind[0] == '\0') {
            assert_int_equal(status, ARMI_CORRUPTION);
        } else {
            ok(status);
            ok(armi_catalog_verify(kit.catalog, remember, found, &err));
            if (strncmp(found, cases[i].kind, strlen(cases[i].kind)) != 0)
                fail_msg("%s: verify said \"%s\"", cases[i].sql, found);
        }
        catalog_kit_close(&kit);
    }
}

/* The check value of docs/format/catalog.md, in a row put there by hand: it is believed. */
static void the_worked_example_of_a_check_value_holds(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash a, b;
    struct armi_catalog_ref ref;

    closed_kit(&kit, &a, &b);
    tamper(&kit,
           "UPDATE ref SET target = x'1111111111111111111111111111111111111111111111111111"
           "111111111111', moves = 3, time_us = 1800000000000001, "
           "check_value = x'1da438951721546afd7703774b1c624b'");
    ok(armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
    ok(armi_catalog_get_ref(kit.catalog, ARMI_REF_BRANCH, "main", &ref, &err));
    assert_true(ref.has_commit && ref.commit.bytes[31] == 0x11);
    assert_int_equal(ref.moves, 3);
    catalog_kit_close(&kit);
}

static void a_damaged_ref_row_stops_reading_and_writing_it(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash a, b;
    struct armi_catalog_ref ref;
    struct armi_publish_result result;

    closed_kit(&kit, &a, &b);
    tamper(&kit, "UPDATE ref SET target = (SELECT name FROM node WHERE type = 1 ORDER BY "
                 "id LIMIT 1)");
    ok(armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
    fails(ARMI_CORRUPTION,
          armi_catalog_get_ref(kit.catalog, ARMI_REF_BRANCH, "main", &ref, &err));
    assert_string_equal(err.message, "catalog.db: the row of branch \"main\" is damaged");
    fails(ARMI_CORRUPTION,
          catalog_kit_publish(kit.catalog, "main", &a, 1, 9, &result, &err));
    catalog_kit_close(&kit);
}

static void a_damaged_chunk_is_told_and_repaired_by_a_put(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash a, b;
    struct armi_catalog_chunk chunk = {.bytes = {(const uint8_t *)"precious", 8}};
    struct armi_buf out = {0};
    char hex[ARMI_HASH_HEX_SIZE];

    closed_kit(&kit, &a, &b);
    armi_blake3_hash(chunk.bytes.data, chunk.bytes.size, &chunk.hash);
    armi_hash_format(&chunk.hash, hex);
    ok(armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
    ok(armi_catalog_put_chunks(kit.catalog, &chunk, 1, &err));
    armi_catalog_close(kit.catalog);
    tamper(&kit, "UPDATE chunk SET bytes = x'00'");
    ok(armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err));
    fails(ARMI_CORRUPTION, armi_catalog_get_chunk(kit.catalog, &chunk.hash, &out, &err));
    assert_string_equal(err.kind, "chunk");
    verify_finds(kit.catalog, "chunk", hex);
    ok(armi_catalog_put_chunks(kit.catalog, &chunk, 1, &err));
    ok(armi_catalog_get_chunk(kit.catalog, &chunk.hash, &out, &err));
    armi_buf_release(&out);
    catalog_kit_close(&kit);
}

/* Whatever byte of the file is changed: nothing crashes, and no wrong commit is handed out. */
static void no_flipped_byte_of_the_file_is_believed(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct catalog_kit kit;
    struct armi_hash a, b;
    char path[TEMP_DIR_SIZE + 16];
    size_t opened = 0, refused = 0;

    closed_kit(&kit, &a, &b);
    path_of(&kit, path);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    static uint8_t bytes[1 << 20];
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t at = 0; at < size; at += at < 4096 ? 7 : 61) {
        struct armi_catalog_ref ref;
        struct armi_commit commit;
        bytes[at] ^= 0x5a;
        overwrite_file(path, bytes, size);
        bytes[at] ^= 0x5a;
        enum armi_status status = armi_catalog_open(kit.dir, &scratch, &kit.catalog, &err);
        if (status != ARMI_OK) {
            refused++;
            assert_true(err.message[0] != '\0');
            continue;
        }
        opened++;
        status = armi_catalog_get_ref(kit.catalog, ARMI_REF_BRANCH, "main", &ref, &err);
        if (status == ARMI_OK)
            assert_memory_equal(&ref.commit, &b, sizeof b);
        status = armi_catalog_get_commit(kit.catalog, &b, &commit, &err);
        if (status == ARMI_OK) {
            assert_int_equal(commit.depth, 1);
            armi_commit_release(&commit);
        }
        armi_catalog_close(kit.catalog);
        kit.catalog = NULL;
        char wal[TEMP_DIR_SIZE + 32];
        snprintf(wal, sizeof wal, "%s-wal", path);
        remove(wal);
        snprintf(wal, sizeof wal, "%s-shm", path);
        remove(wal);
    }
    assert_true(opened > 0 && refused > 0);
    catalog_kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_foreign_schema_is_refused_by_name),
        cmocka_unit_test(
            a_schema_change_under_an_open_handle_is_seen_by_its_next_connection),
        cmocka_unit_test(a_foreign_database_is_not_touched_by_a_creation),
        cmocka_unit_test(a_catalog_out_of_wal_mode_is_brought_back),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(a_flipped_byte_in_a_node_is_corruption_naming_it),
        cmocka_unit_test(a_node_under_another_nodes_name_is_not_believed),
        cmocka_unit_test(every_changed_column_of_a_row_is_corruption),
        cmocka_unit_test(the_worked_example_of_a_check_value_holds),
        cmocka_unit_test(a_damaged_ref_row_stops_reading_and_writing_it),
        cmocka_unit_test(a_damaged_chunk_is_told_and_repaired_by_a_put),
        cmocka_unit_test(no_flipped_byte_of_the_file_is_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
