/* What users, disks and other programs may do to a repository: each ends in a clear error that names
 * what is wrong, never in a wrong answer. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arrow/stream.h"
#include "base/limits.h"
#include "catalog/format_file.h"
#include "os_fault.h"
#include "repo/repo_open.h"
#include "repo_kit.h"

#define LARGE 50000

/* ---- files ---- */

static void path_of(const struct repo_kit *kit, const char *name, char *out)
{
    snprintf(out, 2 * TEMP_DIR_SIZE, "%s/%s", kit->path, name);
}

static void file_write(const struct repo_kit *kit, const char *name, const char *text)
{
    char path[2 * TEMP_DIR_SIZE];
    path_of(kit, name, path);
    unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static size_t file_read(const struct repo_kit *kit, const char *name, char *text,
                        size_t room)
{
    char path[2 * TEMP_DIR_SIZE];
    path_of(kit, name, path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, room - 1, file);
    text[size] = '\0';
    fclose(file);
    return size;
}

/* The one chunk file there is, below the repository's folder. */
static void chunk_name(const struct repo_kit *kit, char name[256])
{
    char path[2 * TEMP_DIR_SIZE];
    path_of(kit, "chunks", path);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    name[0] = '\0';
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (strstr(entry->d_name, ".parquet") != NULL)
            snprintf(name, 256, "chunks/%.200s", entry->d_name);
    closedir(dir);
    assert_true(name[0] != '\0');
}

static enum armi_status open_it(struct repo_kit *kit, struct armi_error *err)
{
    struct armi_open_options options = {.size = sizeof options};
    armi_repository_close(kit->repo);
    kit->repo = NULL;
    return armi_repository_open(kit->path, &options, &kit->repo, err);
}

static void write_large(struct repo_kit *kit, const char *table)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream data;
    repo_kit_rows(0, LARGE, -1, 0, &data);
    ok(repo_kit_write(kit, NULL, table, &data, ARMI_WRITE_OVERWRITE, NULL, &err));
}

static enum armi_status write_rows(struct repo_kit *kit, const char *table, int64_t rows,
                                   struct armi_error *err)
{
    struct ArrowArrayStream data;
    repo_kit_rows(0, rows, -1, 0, &data);
    return repo_kit_write(kit, NULL, table, &data, ARMI_WRITE_OVERWRITE, NULL, err);
}

/* All rows; what it fails with. */
static enum armi_status read_all(struct repo_kit *kit, const char *table,
                                 struct armi_error *err)
{
    struct armi_scan_options options = {.size = sizeof options, .table = table};
    struct armi_array_list list = ARMI_ARRAY_LIST_INIT;
    struct ArrowArrayStream stream = {0};
    enum armi_status st = armi_scan_open(kit->repo, &options, &stream, err);
    if (st == ARMI_OK)
        st = armi_stream_collect(&stream, &list, err);
    armi_array_list_release(&list);
    armi_stream_release(&stream);
    return st;
}

/* ---- the folder ---- */

static void a_folder_that_is_something_else_is_left_alone(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct repo_kit kit = {.repo = NULL};
    temp_dir_make(kit.path);
    file_write(&kit, "notes.txt", "mine");
    fails(ARMI_INVALID, open_it(&kit, &err));
    assert_non_null(strstr(err.message, "notes.txt"));
    char text[16], file[2 * TEMP_DIR_SIZE];
    file_read(&kit, "notes.txt", text, sizeof text);
    assert_string_equal(text, "mine");
    path_of(&kit, "notes.txt", file);
    fails(ARMI_INVALID, armi_repository_open(file, NULL, &kit.repo, &err));
    temp_dir_remove(kit.path);
    struct armi_open_options no_create = {.size = sizeof no_create, .no_create = true};
    fails(ARMI_NOT_FOUND, armi_repository_open(kit.path, &no_create, &kit.repo, &err));
}

/* FORMAT as a version that has more features writes it. */
static void format_change(const struct repo_kit *kit, const char *text, uint64_t read,
                          uint64_t write)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_format format;
    struct armi_buf bytes = {0};
    const struct armi_slice slice = {(const uint8_t *)text, strlen(text)};
    ok(armi_format_decode(slice, &format, &err));
    format.features_read |= read;
    format.features_write |= write;
    ok(armi_format_encode(&format, &bytes, &err));
    ok(armi_buf_append_u8(&bytes, '\0', &err));
    file_write(kit, "FORMAT", (const char *)bytes.data);
    armi_buf_release(&bytes);
}

static void a_damaged_or_newer_format_is_told_as_such(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct repo_kit kit;
    char text[4096], other[4200];
    repo_kit_open(&kit);
    ok(write_rows(&kit, "t", 10, &err));
    size_t size = file_read(&kit, "FORMAT", text, sizeof text);
    fails(ARMI_INVALID, (file_write(&kit, "FORMAT", "what?\n"), open_it(&kit, &err)));
    for (size_t cut = 0; cut + 1 < size; cut += 7) {
        snprintf(other, sizeof other, "%.*s", (int)cut, text);
        file_write(&kit, "FORMAT", other);
        enum armi_status st = open_it(&kit, &err);
        assert_true(st == ARMI_CORRUPTION || st == ARMI_INVALID || st == ARMI_UNSUPPORTED);
        assert_non_null(strstr(err.message, kit.path));
    }
    format_change(&kit, text, 4096, 0);
    fails(ARMI_UNSUPPORTED, open_it(&kit, &err));
    assert_non_null(strstr(err.message, "newer"));
    /* What is needed for writing only: it may be read. */
    format_change(&kit, text, 0, 4096);
    ok(open_it(&kit, &err));
    assert_true(armi_repository_is_read_only(kit.repo));
    repo_kit_expect(&kit, "t", NULL, 0, 10, -1);
    fails(ARMI_INVALID, write_rows(&kit, "t", 11, &err));
    assert_non_null(strstr(err.message, "newer"));
    file_write(&kit, "FORMAT", text);
    ok(open_it(&kit, &err));
    ok(write_rows(&kit, "t", 11, &err));
    repo_kit_close(&kit);
}

static void a_foreign_or_absent_catalog_is_told_as_such(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct repo_kit kit, other;
    char from[2 * TEMP_DIR_SIZE], to[2 * TEMP_DIR_SIZE];
    repo_kit_open(&kit);
    repo_kit_open(&other);
    ok(write_rows(&kit, "t", 10, &err));
    armi_repository_close(kit.repo);
    armi_repository_close(other.repo);
    kit.repo = other.repo = NULL;
    path_of(&kit, "catalog.db", to);
    path_of(&other, "catalog.db", from);
    assert_int_equal(rename(from, to), 0);
    fails(ARMI_CORRUPTION, open_it(&kit, &err));
    assert_non_null(strstr(err.message, "another repository"));
    file_write(&kit, "catalog.db",
               "this is no database, however long the text may be made");
    fails(ARMI_CORRUPTION, open_it(&kit, &err));
    unlink(to);
    enum armi_status st = open_it(&kit, &err);
    assert_true(st == ARMI_CORRUPTION || st == ARMI_NOT_FOUND);
    assert_non_null(strstr(err.message, "catalog.db"));
    repo_kit_close(&kit);
    repo_kit_close(&other);
}

/* ---- chunks ---- */

/* Which tables and versions a damaged chunk hurts. */
static void expect_wound(struct repo_kit *kit, const char *chunk, const char *told)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_verify_options options = {.size = sizeof options};
    struct armi_verify_result result = {.size = sizeof result};
    bool found = false;
    ok(armi_repository_verify(kit->repo, &options, &result, &err));
    assert_false(result.ok);
    for (size_t i = 0; i < result.problem_count; i++)
        if (strcmp(result.problems[i].kind, "chunk") == 0) {
            found = true;
            assert_int_equal(
                strncmp(result.problems[i].name, chunk + strlen("chunks/"), 64), 0);
            if (strstr(result.problems[i].message, told) == NULL)
                fail_msg("\"%s\" does not say \"%s\"", result.problems[i].message, told);
        }
    assert_true(found);
    armi_verify_result_release(&result);
}

static void damage(const struct repo_kit *kit, const char *name, int how)
{
    char path[2 * TEMP_DIR_SIZE];
    struct stat st;
    path_of(kit, name, path);
    chmod(path, 0644);
    assert_int_equal(stat(path, &st), 0);
    int fd = open(path, O_RDWR);
    uint8_t byte;
    switch (how) {
    case 0: /* a bit */
        assert_int_equal(pread(fd, &byte, 1, st.st_size / 2), 1);
        byte ^= 4;
        assert_int_equal(pwrite(fd, &byte, 1, st.st_size / 2), 1);
        break;
    case 1:
        assert_int_equal(ftruncate(fd, st.st_size / 3), 0);
        break;
    case 2:
        assert_int_equal(ftruncate(fd, st.st_size + 10), 0);
        break;
    default:
        unlink(path);
        break;
    }
    close(fd);
}

static void a_damaged_chunk_is_named_told_and_repaired(void **state)
{
    (void)state;
    for (int how = 0; how < 4; how++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct ArrowArrayStream data;
        struct repo_kit kit;
        char name[256];
        repo_kit_open(&kit);
        write_large(&kit, "t");
        write_large(&kit, "copy"); /* the same chunk */
        repo_kit_rows(LARGE, 5, -1, 0, &data);
        ok(repo_kit_write(&kit, NULL, "t", &data, ARMI_WRITE_APPEND, NULL, &err));
        ok(write_rows(&kit, "well", 5, &err));
        chunk_name(&kit, name);
        damage(&kit, name, how);
        repo_kit_reopen(&kit);
        enum armi_status st = read_all(&kit, "t", &err);
        fails(ARMI_CORRUPTION, st);
        assert_string_equal(err.kind, "chunk");
        assert_int_equal(strncmp(err.name, name + strlen("chunks/"), 64), 0);
        repo_kit_expect(&kit, "well", NULL, 0, 5, -1);
        expect_wound(&kit, name, "table copy version 1");
        expect_wound(&kit, name, "table t version 2");
        expect_wound(&kit, name, "table t version 1");
        /* The same data again puts it right. */
        write_large(&kit, "again");
        repo_kit_expect(&kit, "copy", NULL, 0, LARGE, -1);
        repo_kit_verify(&kit);
        repo_kit_close(&kit);
    }
}

/* ---- the disk ---- */

static void a_full_disk_leaves_what_was_there(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct repo_kit kit;
    repo_kit_open(&kit);
    ok(write_rows(&kit, "t", 100, &err));
    armi_repository_close(kit.repo);
    struct os_fault *fault = os_fault_new(armi_os_posix());
    struct armi_open_options options = {.size = sizeof options};
    ok(armi_repository_open_os(os_fault_table(fault), kit.path, &options, &kit.repo, &err));
    os_fault_arm(fault, 1, OS_FAULT_WRITE, ENOSPC, true);
    fails(ARMI_STORAGE, write_rows(&kit, "t", LARGE, &err));
    assert_int_equal(err.sys_errno, ENOSPC);
    os_fault_arm(fault, 0, 0, 0, false);
    repo_kit_expect(&kit, "t", NULL, 0, 100, -1);
    ok(write_rows(&kit, "t", LARGE, &err)); /* there is room again */
    repo_kit_expect(&kit, "t", NULL, 0, LARGE, -1);
    armi_repository_close(kit.repo);
    os_fault_free(fault);
    kit.repo = NULL;
    repo_kit_reopen(&kit);
    repo_kit_verify(&kit);
    repo_kit_close(&kit);
}

/* A transaction whose disk was full for one write says so again, and commits nothing of it. */
static void a_transaction_after_a_full_disk_commits_all_or_nothing(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_transaction *tx;
    struct ArrowArrayStream data;
    struct repo_kit kit;
    uint64_t rows;
    repo_kit_open(&kit);
    armi_repository_close(kit.repo);
    struct os_fault *fault = os_fault_new(armi_os_posix());
    struct armi_open_options options = {.size = sizeof options};
    ok(armi_repository_open_os(os_fault_table(fault), kit.path, &options, &kit.repo, &err));
    ok(armi_transaction_begin(kit.repo, NULL, &tx, &err));
    repo_kit_rows(0, LARGE, -1, 0, &data);
    ok(armi_transaction_write(tx, "a", &data, NULL, NULL, &err));
    os_fault_arm(fault, 1, OS_FAULT_WRITE, ENOSPC, false);
    repo_kit_rows(7, LARGE, -1, 0, &data);
    fails(ARMI_STORAGE, armi_transaction_write(tx, "b", &data, NULL, NULL, &err));
    assert_int_equal(err.sys_errno, ENOSPC);
    fails(ARMI_STORAGE, armi_transaction_commit(tx, NULL, &err));
    assert_int_equal(err.sys_errno, ENOSPC);
    fails(ARMI_NOT_FOUND, armi_table_count(kit.repo, "a", NULL, &rows, &err));
    fails(ARMI_NOT_FOUND, armi_table_count(kit.repo, "b", NULL, &rows, &err));
    armi_transaction_free(tx);
    /* The first write of a transaction leaves nothing behind. */
    ok(armi_transaction_begin(kit.repo, NULL, &tx, &err));
    os_fault_arm(fault, 1, OS_FAULT_WRITE, ENOSPC, false);
    repo_kit_rows(7, LARGE, -1, 0, &data);
    fails(ARMI_STORAGE, armi_transaction_write(tx, "b", &data, NULL, NULL, &err));
    repo_kit_rows(0, LARGE, -1, 0, &data);
    ok(armi_transaction_write(tx, "a", &data, NULL, NULL, &err));
    ok(armi_transaction_commit(tx, NULL, &err));
    armi_transaction_free(tx);
    repo_kit_expect(&kit, "a", NULL, 0, LARGE, -1);
    armi_repository_close(kit.repo);
    os_fault_free(fault);
    kit.repo = NULL;
    repo_kit_reopen(&kit);
    repo_kit_verify(&kit);
    repo_kit_close(&kit);
}

static void a_read_only_handle_refuses_to_write(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_open_options options = {.size = sizeof options, .read_only = true};
    struct armi_merge_options merge = {.size = sizeof merge, .from = "dev"};
    struct armi_merge_result result = {.size = sizeof result};
    struct repo_kit kit;
    repo_kit_open(&kit);
    ok(write_rows(&kit, "t", 10, &err));
    ok(armi_branch_create(kit.repo, "dev", NULL, &err));
    armi_repository_close(kit.repo);
    ok(armi_repository_open(kit.path, &options, &kit.repo, &err));
    repo_kit_expect(&kit, "t", NULL, 0, 10, -1);
    fails(ARMI_INVALID, write_rows(&kit, "t", 11, &err));
    fails(ARMI_INVALID, armi_branch_create(kit.repo, "b", NULL, &err));
    fails(ARMI_INVALID, armi_branch_delete(kit.repo, "dev", &err));
    fails(ARMI_INVALID, armi_tag_create(kit.repo, "v1", NULL, &err));
    fails(ARMI_INVALID, armi_merge(kit.repo, &merge, &result, &err));
    repo_kit_verify(&kit);
    repo_kit_close(&kit);
}

/* ---- names and sizes ---- */

static void names_are_held_against_their_rules(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct repo_kit kit;
    char longest[258];
    memset(longest, 'x', sizeof longest);
    longest[256] = '\0';
    static const char *const bad[] = {"",     "a/b",  ".a",  "-a",   "__a",
                                      "a\nb", "a\"b", "a@b", "\xff", "a\\b"};
    repo_kit_open(&kit);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        fails(ARMI_INVALID, write_rows(&kit, bad[i], 1, &err));
    fails(ARMI_INVALID, write_rows(&kit, longest, 1, &err));
    longest[255] = '\0';
    ok(write_rows(&kit, longest, 1, &err));
    repo_kit_expect(&kit, longest, NULL, 0, 1, -1);
    ok(write_rows(&kit, "Tab elle \xf0\x9f\x8d\x84", 1, &err));
    static const char *const bad_refs[] = {"",     "a b", "a..b", "a~1",    ".a",
                                           "a/.b", "a/",  "/a",   "a.lock", "12345678",
                                           "@",    "-x",  "a^"};
    for (size_t i = 0; i < sizeof bad_refs / sizeof bad_refs[0]; i++) {
        fails(ARMI_INVALID, armi_branch_create(kit.repo, bad_refs[i], NULL, &err));
        fails(ARMI_INVALID, armi_tag_create(kit.repo, bad_refs[i], NULL, &err));
    }
    ok(armi_branch_create(kit.repo, longest, NULL, &err));
    fails(ARMI_ALREADY_EXISTS, armi_tag_create(kit.repo, longest, NULL, &err));
    fails(ARMI_INVALID, armi_branch_delete(kit.repo, "main", &err));
    /* A write to what is no branch. */
    ok(armi_tag_create(kit.repo, "v1", NULL, &err));
    struct armi_transaction *tx = NULL;
    fails(ARMI_INVALID, armi_transaction_begin(kit.repo, "v1", &tx, &err));
    fails(ARMI_NOT_FOUND, armi_transaction_begin(kit.repo, "nowhere", &tx, &err));
    assert_null(tx);
    repo_kit_close(&kit);
}

static void messages_and_metadata_have_limits(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_commit_list list = {.size = sizeof list};
    struct armi_transaction *tx;
    struct ArrowArrayStream data;
    struct repo_kit kit;
    size_t size = ARMI_MESSAGE_SIZE_MAX;
    char *text = malloc(size + 2);
    memset(text, 'm', size + 1);
    text[size + 1] = '\0';
    repo_kit_open(&kit);
    ok(armi_transaction_begin(kit.repo, NULL, &tx, &err));
    fails(ARMI_LIMIT, armi_transaction_set_message(tx, text, &err));
    fails(ARMI_LIMIT, armi_transaction_set_author(tx, text, &err));
    fails(ARMI_LIMIT, armi_transaction_set_metadata(tx, "k", text, &err));
    text[size] = '\0';
    ok(armi_transaction_set_message(tx, text, &err));
    ok(armi_transaction_set_metadata(tx, "k", "first", &err));
    ok(armi_transaction_set_metadata(tx, "a", "z", &err));
    ok(armi_transaction_set_metadata(tx, "k", "second", &err));
    repo_kit_rows(0, 1, -1, 0, &data);
    ok(armi_transaction_write(tx, "t", &data, NULL, NULL, &err));
    ok(armi_transaction_commit(tx, NULL, &err));
    fails(ARMI_MISUSE, armi_transaction_set_message(tx, "late", &err));
    armi_transaction_free(tx);
    ok(armi_commit_get(kit.repo, "main", &list, &err));
    assert_string_equal(list.items[0].message, text);
    assert_int_equal(list.items[0].metadata_count, 2);
    assert_string_equal(list.items[0].metadata[0].key, "a");
    assert_string_equal(list.items[0].metadata[1].value, "second");
    armi_commit_list_release(&list);
    text[size] = 'm';
    struct armi_merge_options merge = {
        .size = sizeof merge, .from = "main", .message = text};
    struct armi_merge_result result = {.size = sizeof result};
    fails(ARMI_LIMIT, armi_merge(kit.repo, &merge, &result, &err));
    free(text);
    repo_kit_close(&kit);
}

static void a_compare_and_swap_sees_every_move(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash tip;
    struct armi_transaction *tx;
    struct ArrowArrayStream data;
    struct repo_kit kit;
    repo_kit_open(&kit);
    ok(write_rows(&kit, "t", 1, &err));
    ok(armi_ref_resolve(kit.repo, "main", &tip, NULL, NULL, &err));
    ok(write_rows(&kit, "elsewhere", 1, &err));
    for (int changes = 0; changes < 2;
         changes++) { /* also where there is nothing to land */
        ok(armi_transaction_begin(kit.repo, NULL, &tx, &err));
        ok(armi_transaction_set_expected(tx, &tip, &err));
        repo_kit_rows(0, 1 + changes, -1, 0, &data);
        ok(armi_transaction_write(tx, "t", &data, NULL, NULL, &err));
        fails(ARMI_CONFLICT, armi_transaction_commit(tx, NULL, &err));
        assert_string_equal(err.branch, "main");
        armi_transaction_free(tx);
    }
    ok(armi_ref_resolve(kit.repo, "main", &tip, NULL, NULL, &err));
    ok(armi_transaction_begin(kit.repo, NULL, &tx, &err));
    ok(armi_transaction_set_expected(tx, &tip, &err));
    repo_kit_rows(0, 2, -1, 0, &data);
    ok(armi_transaction_write(tx, "t", &data, NULL, NULL, &err));
    ok(armi_transaction_commit(tx, NULL, &err));
    armi_transaction_free(tx);
    repo_kit_expect(&kit, "t", NULL, 0, 2, -1);
    repo_kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_that_is_something_else_is_left_alone),
        cmocka_unit_test(a_damaged_or_newer_format_is_told_as_such),
        cmocka_unit_test(a_foreign_or_absent_catalog_is_told_as_such),
        cmocka_unit_test(a_damaged_chunk_is_named_told_and_repaired),
        cmocka_unit_test(a_full_disk_leaves_what_was_there),
        cmocka_unit_test(a_transaction_after_a_full_disk_commits_all_or_nothing),
        cmocka_unit_test(a_read_only_handle_refuses_to_write),
        cmocka_unit_test(names_are_held_against_their_rules),
        cmocka_unit_test(messages_and_metadata_have_limits),
        cmocka_unit_test(a_compare_and_swap_sees_every_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
