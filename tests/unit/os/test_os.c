#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pool.h"
#include "os/handles.h"
#include "os/lockfile.h"
#include "os/os.h"
#include "os_fault.h"
#include "os_memory.h"
#include "temp_dir.h"

/* Each contract test runs over the real table and over the one in memory. */
struct bench {
    struct os_memory *disk; /* NULL: the real one */
    const struct armi_os *os;
    char path[TEMP_DIR_SIZE];
    int root;
};

static int bench_open(struct bench *b)
{
    b->root = b->os->open(b->os, ARMI_OS_CWD, b->path,
                          ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY | ARMI_OPEN_FOLLOW, 0);
    return b->root >= 0 ? 0 : -1;
}

static int setup_posix(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    temp_dir_make(b->path);
    b->os = armi_os_posix();
    *state = b;
    return bench_open(b);
}

static int setup_memory(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    b->disk = os_memory_new();
    b->os = os_memory_table(b->disk);
    snprintf(b->path, sizeof b->path, "/");
    *state = b;
    return bench_open(b);
}

static int teardown(void **state)
{
    struct bench *b = *state;
    b->os->close(b->os, b->root);
    if (b->disk != NULL) {
        size_t left = os_memory_open_files(b->disk);
        os_memory_free(b->disk);
        free(b);
        return left == 0 ? 0 : -1;
    }
    temp_dir_remove(b->path);
    free(b);
    return 0;
}

static int make_file(const struct bench *b, const char *name, const char *text)
{
    const struct armi_os *os = b->os;
    int fd = os->open(os, b->root, name,
                      ARMI_OPEN_WRITE | ARMI_OPEN_CREATE | ARMI_OPEN_EXCLUSIVE,
                      ARMI_OS_MODE_FILE);
    assert_true(fd >= 0);
    assert_int_equal(armi_os_write_full(os, fd, text, strlen(text), 0), 0);
    return fd;
}

static void put_file(const struct bench *b, const char *name, const char *text)
{
    assert_int_equal(b->os->close(b->os, make_file(b, name, text)), 0);
}

static void assert_file(const struct bench *b, const char *name, const char *text)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_buf bytes = {0};
    ok(armi_os_read_file(b->os, b->root, name, name, &bytes, &err));
    assert_int_equal(bytes.size, strlen(text));
    assert_memory_equal(bytes.data, text, bytes.size);
    armi_buf_release(&bytes);
}

static void a_file_reads_back_and_short_at_its_end(void **state)
{
    struct bench *b = *state;
    const struct armi_os *os = b->os;
    put_file(b, "a", "hello, world");
    assert_file(b, "a", "hello, world");
    int fd = os->open(os, b->root, "a", ARMI_OPEN_READ, 0);
    char text[16];
    assert_int_equal(armi_os_read_full(os, fd, text, 16, 7), 5);
    assert_memory_equal(text, "world", 5);
    assert_int_equal(armi_os_read_full(os, fd, text, 16, 100), 0);
    uint8_t one[3], two[4];
    struct armi_slice parts[] = {{one, 3}, {NULL, 0}, {two, 4}};
    assert_int_equal(armi_os_readv_full(os, fd, parts, 3, 1), 7);
    assert_memory_equal(one, "ell", 3);
    assert_memory_equal(two, "o, w", 4);
    assert_int_equal(os->pwrite(os, fd, "x", 1, 0), -EBADF);
    os->close(os, fd);
}

static void pieces_are_written_as_one_run(void **state)
{
    struct bench *b = *state;
    const struct armi_os *os = b->os;
    struct os_fault *fault = os_fault_new(os);
    struct armi_slice parts[200];
    uint8_t bytes[200 * 3], back[sizeof bytes];
    size_t size = 0;
    for (size_t i = 0; i < 200; i++) {
        size_t n = i % 4;
        parts[i] = (struct armi_slice){bytes + size, n};
        for (size_t j = 0; j < n; j++)
            bytes[size++] = (uint8_t)i;
    }
    for (size_t limit = 0; limit < 4; limit++) {
        os_fault_limit_io(fault, limit);
        const struct armi_os *limited = os_fault_table(fault);
        int fd = os->open(os, b->root, "p",
                          ARMI_OPEN_READ | ARMI_OPEN_WRITE | ARMI_OPEN_CREATE |
                              ARMI_OPEN_TRUNCATE,
                          ARMI_OS_MODE_FILE);
        assert_int_equal(armi_os_writev_full(limited, fd, parts, 200, 0), 0);
        assert_int_equal(armi_os_read_full(limited, fd, back, sizeof back, 0), size);
        assert_memory_equal(back, bytes, size);
        memset(back, 0, sizeof back);
        struct armi_slice into[] = {{back, 5}, {back + 5, size - 5}};
        assert_int_equal(armi_os_readv_full(limited, fd, into, 2, 0), size);
        assert_memory_equal(back, bytes, size);
        os->close(os, fd);
    }
    os_fault_free(fault);
}

static void rename_new_never_replaces_and_rename_does(void **state)
{
    struct bench *b = *state;
    const struct armi_os *os = b->os;
    put_file(b, "a", "A");
    put_file(b, "b", "B");
    assert_int_equal(os->rename_new(os, b->root, "a", b->root, "b"), -EEXIST);
    assert_file(b, "a", "A");
    assert_file(b, "b", "B");
    assert_int_equal(os->rename_new(os, b->root, "a", b->root, "c"), 0);
    assert_file(b, "c", "A");
    assert_int_equal(os->rename(os, b->root, "c", b->root, "b"), 0);
    assert_file(b, "b", "A");
    assert_int_equal(os->rename(os, b->root, "c", b->root, "b"), -ENOENT);
}

static int count_name(void *ctx, const char *name, enum armi_entry_kind kind)
{
    (void)kind;
    size_t *seen = ctx;
    assert_true(name[0] == 'a' || name[0] == 'd');
    seen[name[0] == 'd']++;
    return 0;
}

static int stop_at_once(void *ctx, const char *name, enum armi_entry_kind kind)
{
    (void)ctx, (void)name, (void)kind;
    return 42;
}

static void folders_list_each_name_once(void **state)
{
    struct bench *b = *state;
    const struct armi_os *os = b->os;
    put_file(b, "a", "A");
    assert_int_equal(os->mkdir(os, b->root, "d"), 0);
    assert_int_equal(os->mkdir(os, b->root, "d"), -EEXIST);
    size_t seen[2] = {0, 0};
    assert_int_equal(os->list(os, b->root, count_name, seen), 0);
    assert_int_equal(seen[0], 1);
    assert_int_equal(seen[1], 1);
    assert_int_equal(os->list(os, b->root, stop_at_once, NULL), 42);
    int dir = os->open(os, b->root, "d", ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0);
    put_file(&(struct bench){.os = os, .root = dir}, "inner", "x");
    assert_int_equal(os->close(os, dir), 0);
    assert_int_equal(os->rmdir(os, b->root, "d"), -ENOTEMPTY);
    assert_int_equal(os->unlink(os, b->root, "d/inner"), 0);
    assert_int_equal(os->rmdir(os, b->root, "d"), 0);
    assert_int_equal(os->unlink(os, b->root, "d"), -ENOENT);
    assert_int_equal(os->open(os, b->root, "a", ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0),
                     -ENOTDIR);
}

static void a_stat_tells_one_state_of_a_file_from_another(void **state)
{
    struct bench *b = *state;
    const struct armi_os *os = b->os;
    put_file(b, "a", "A");
    struct armi_file_stat first, second;
    assert_int_equal(os->stat_at(os, b->root, "a", &first), 0);
    assert_int_equal(first.size, 1);
    assert_int_equal(first.kind, ARMI_ENTRY_REGULAR);
    int fd = os->open(os, b->root, "a", ARMI_OPEN_READ | ARMI_OPEN_WRITE, 0);
    assert_int_equal(os->fstat(os, fd, &second), 0);
    assert_true(armi_file_same(&first, &second));
    assert_int_equal(os->ftruncate(os, fd, 100), 0);
    assert_int_equal(os->fstat(os, fd, &second), 0);
    assert_false(armi_file_same(&first, &second));
    os->close(os, fd);
    assert_int_equal(os->stat_at(os, b->root, "none", &first), -ENOENT);
}

static void locks_of_two_opens_exclude_each_other(void **state)
{
    struct bench *b = *state;
    const struct armi_os *os = b->os;
    unsigned flags = ARMI_OPEN_READ | ARMI_OPEN_WRITE | ARMI_OPEN_LOCKS;
    put_file(b, "l", "");
    int one = os->open(os, b->root, "l", flags, 0),
        two = os->open(os, b->root, "l", flags, 0);
    uint64_t far = ARMI_LOCK_PIN_BASE + 12345;
    assert_int_equal(os->lock(os, one, far, 1, ARMI_LOCK_SHARED), 0);
    assert_int_equal(os->lock(os, two, far, 1, ARMI_LOCK_SHARED), 0);
    assert_int_equal(os->lock_probe(os, two, far, 1, ARMI_LOCK_EXCLUSIVE), 1);
    assert_int_equal(os->lock(os, two, far, 1, ARMI_LOCK_EXCLUSIVE), -EAGAIN);
    assert_int_equal(os->unlock(os, one, far, 1), 0);
    assert_int_equal(os->lock(os, two, far, 1, ARMI_LOCK_EXCLUSIVE), 0);
    assert_int_equal(os->lock_probe(os, one, far, 1, ARMI_LOCK_SHARED), 1);
    assert_int_equal(os->lock_probe(os, one, far + 1, 1, ARMI_LOCK_EXCLUSIVE), 0);
    os->close(os, two);
    assert_int_equal(os->lock_probe(os, one, far, 1, ARMI_LOCK_SHARED), 0);
    os->close(os, one);
}

static bool say_stop(void *ctx)
{
    return ++*(int *)ctx > 3;
}

static void waiting_for_a_lock_ends_by_time_or_by_the_callback(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    ok(armi_lockfile_create(b->os, b->root, &err));
    struct armi_lock held = ARMI_LOCK_INIT, other = ARMI_LOCK_INIT;
    ok(armi_lock_acquire(b->os, b->root, ARMI_LOCK_BYTE_WRITE, ARMI_LOCK_EXCLUSIVE, 0, NULL,
                         "the write lock", &held, &err));
    assert_true(armi_lock_is_held(&held));
    fails(ARMI_BUSY,
          armi_lock_acquire(b->os, b->root, ARMI_LOCK_BYTE_WRITE, ARMI_LOCK_EXCLUSIVE,
                            1000000, NULL, "the write lock", &other, &err));
    assert_non_null(strstr(err.message, "the write lock"));
    int asked = 0;
    struct armi_interrupt interrupt = {say_stop, &asked};
    fails(ARMI_INTERRUPTED, armi_lock_acquire(b->os, b->root, ARMI_LOCK_BYTE_WRITE,
                                              ARMI_LOCK_EXCLUSIVE, INT64_C(60000000000),
                                              &interrupt, "the write lock", &other, &err));
    assert_false(armi_lock_is_held(&other));
    ok(armi_lock_acquire(b->os, b->root, ARMI_LOCK_BYTE_GC, ARMI_LOCK_SHARED, 0, NULL,
                         "the gc lock", &other, &err));
    armi_lock_release(&held);
    ok(armi_lock_acquire(b->os, b->root, ARMI_LOCK_BYTE_WRITE, ARMI_LOCK_EXCLUSIVE, 0, NULL,
                         "the write lock", &held, &err));
    armi_lock_release(&held);
    armi_lock_release(&other);
    armi_lock_release(&other);
}

static void a_map_shows_the_file(void **state)
{
    struct bench *b = *state;
    const struct armi_os *os = b->os;
    put_file(b, "a", "mapped");
    int fd = os->open(os, b->root, "a", ARMI_OPEN_READ, 0);
    void *at;
    assert_int_equal(os->map(os, fd, 0, 6, &at), 0);
    assert_memory_equal(at, "mapped", 6);
    os->close(os, fd);
    assert_int_equal(os->unlink(os, b->root, "a"), 0);
    assert_memory_equal(at, "mapped", 6);
    assert_int_equal(os->unmap(os, at, 6), 0);
}

static void links_are_not_followed_and_a_pipe_does_not_block(void **state)
{
    struct bench *b = *state;
    const struct armi_os *os = b->os;
    struct armi_error err = ARMI_ERROR_INIT;
    put_file(b, "a", "A");
    assert_int_equal(symlinkat("a", b->root, "link"), 0);
    assert_int_equal(os->open(os, b->root, "link", ARMI_OPEN_READ, 0), -ELOOP);
    struct armi_file_stat st;
    assert_int_equal(os->stat_at(os, b->root, "link", &st), 0);
    assert_int_equal(st.kind, ARMI_ENTRY_SYMLINK);
    struct armi_buf bytes = {0};
    fails(ARMI_CORRUPTION, armi_os_read_file(os, b->root, "link", "link", &bytes, &err));
    assert_int_equal(mkfifoat(b->root, "pipe", 0600), 0);
    fails(ARMI_CORRUPTION, armi_os_read_file(os, b->root, "pipe", "pipe", &bytes, &err));
    fails(ARMI_NOT_FOUND, armi_os_read_file(os, b->root, "none", "none", &bytes, &err));
    int fd = os->open(os, b->root, "link", ARMI_OPEN_READ | ARMI_OPEN_FOLLOW, 0);
    assert_true(fd >= 0);
    os->close(os, fd);
}

static void a_child_lets_go_of_inherited_locks_and_the_parent_keeps_its_own(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    ok(armi_lockfile_create(b->os, b->root, &err));
    struct armi_lock held = ARMI_LOCK_INIT, again = ARMI_LOCK_INIT;
    ok(armi_lock_acquire(b->os, b->root, 0, ARMI_LOCK_EXCLUSIVE, 0, NULL, "it", &held,
                         &err));
    int ready[2], go[2];
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        bool right = !armi_lock_is_held(&held) && armi_handles_generation() == 1 &&
                     write(ready[1], "x", 1) == 1;
        char c;
        right = right && read(go[0], &c, 1) == 1;
        armi_lock_release(&held); /* void here: must not close what the number means now */
        _exit(right ? 0 : 1);
    }
    char c;
    assert_int_equal(read(ready[0], &c, 1), 1);
    fails(ARMI_BUSY, armi_lock_acquire(b->os, b->root, 0, ARMI_LOCK_EXCLUSIVE, 0, NULL,
                                       "it", &again, &err));
    armi_lock_release(&held);
    /* The child lives on, and holds nothing. */
    ok(armi_lock_acquire(b->os, b->root, 0, ARMI_LOCK_EXCLUSIVE, 0, NULL, "it", &again,
                         &err));
    assert_int_equal(write(go[1], "x", 1), 1);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    armi_lock_release(&again);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
    }
}

static void a_pin_lies_where_the_format_page_says(void **state)
{
    (void)state;
    struct armi_hash commit = {{0xc0, 0, 0, 0x01}};
    assert_true(armi_lock_pin_offset(&commit) == UINT64_C(5100273664));
    memset(&commit, 0xff, sizeof commit);
    assert_true(armi_lock_pin_offset(&commit) == ((UINT64_C(1) << 32) + (1 << 30) - 1));
}

static void flushes_and_bytes_are_counted(void **state)
{
    struct bench *b = *state;
    struct armi_os_counters before, after;
    armi_os_counters(&before);
    int fd = make_file(b, "a", "12345");
    assert_int_equal(b->os->fsync(b->os, fd), 0);
    assert_int_equal(b->os->fdatasync(b->os, fd), 0);
    assert_int_equal(b->os->fsync(b->os, b->root), 0);
    b->os->close(b->os, fd);
    armi_os_counters(&after);
    assert_int_equal(after.fsyncs - before.fsyncs, 2);
    assert_int_equal(after.fdatasyncs - before.fdatasyncs, 1);
    assert_int_equal(after.bytes_written - before.bytes_written, 5);
    assert_int_equal(after.opens - before.opens, 1);
}

static void what_was_not_synced_is_lost_with_the_power(void **state)
{
    struct bench *b = *state;
    const struct armi_os *os = b->os;
    put_file(b, "unsynced", "gone");
    int fd = make_file(b, "synced", "stays");
    assert_int_equal(os->fsync(os, fd), 0);
    assert_int_equal(os->fsync(os, b->root), 0);
    assert_int_equal(armi_os_write_full(os, fd, "STAYS", 5, 0), 0);
    assert_int_equal(os->rename_new(os, b->root, "synced", b->root, "renamed"), 0);
    os_memory_crash(b->disk, OS_CRASH_DROP, 0);
    assert_int_equal(os->close(os, fd), -EBADF);
    assert_int_equal(bench_open(b), 0);
    assert_file(b, "synced", "stays");
    assert_file(b, "unsynced",
                ""); /* its name was synced with the folder, its bytes were not */
    struct armi_file_stat st;
    assert_int_equal(os->stat_at(os, b->root, "renamed", &st), -ENOENT);
}

static void a_random_crash_can_tear_lose_and_keep(void **state)
{
    (void)state;
    bool torn = false, zeros = false, whole = false, empty = false, absent = false;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct bench b = {.disk = os_memory_new(), .path = "/"};
        b.os = os_memory_table(b.disk);
        bench_open(&b);
        char text[4097];
        memset(text, 'x', 4096);
        text[4096] = '\0';
        int fd = make_file(&b, "f", text);
        assert_int_equal(fd >= 0, 1);
        struct os_memory *other = os_memory_clone(b.disk);
        os_memory_crash(other, OS_CRASH_RANDOM, seed);
        struct bench c = {.disk = other, .os = os_memory_table(other), .path = "/"};
        bench_open(&c);
        struct armi_buf bytes = {0};
        if (armi_os_read_file(c.os, c.root, "f", "f", &bytes, NULL) == ARMI_NOT_FOUND) {
            absent = true;
        } else {
            size_t x = 0;
            for (size_t i = 0; i < bytes.size; i++)
                x += bytes.data[i] == 'x';
            whole = whole || x == 4096;
            empty = empty || bytes.size == 0;
            zeros = zeros || (bytes.size == 4096 && x == 0);
            torn = torn || (x > 0 && x < 4096);
        }
        armi_buf_release(&bytes);
        os_memory_free(other);
        assert_file(&b, "f", text);
        os_memory_free(b.disk);
    }
    assert_true(torn && zeros && whole && empty && absent);
}

static void the_nth_call_fails_once_or_for_good(void **state)
{
    struct bench *b = *state;
    struct os_fault *fault = os_fault_new(b->os);
    const struct armi_os *os = os_fault_table(fault);
    os_fault_arm(fault, 2, OS_FAULT_NAMES, EIO, false);
    assert_int_equal(os->mkdir(os, b->root, "a"), 0);
    assert_int_equal(os->mkdir(os, b->root, "b"), -EIO);
    assert_int_equal(os->mkdir(os, b->root, "b"), 0);
    assert_true(os_fault_fired(fault));
    assert_int_equal(os_fault_calls(fault), 3);
    os_fault_arm(fault, 1, OS_FAULT_NAMES, ENOSPC, true);
    struct armi_file_stat st;
    assert_int_equal(os->stat_at(os, b->root, "a", &st), 0);
    assert_int_equal(os->rmdir(os, b->root, "a"), -ENOSPC);
    assert_int_equal(os->stat_at(os, b->root, "a", &st), -ENOSPC);
    os_fault_free(fault);
}

static void reading_and_writing_in_place_move_on(void **state)
{
    struct bench *b = *state;
    const struct armi_os *os = b->os;
    char text[8] = "";
    int fd =
        os->open(os, b->root, "x", ARMI_OPEN_WRITE | ARMI_OPEN_CREATE | ARMI_OPEN_EXCLUSIVE,
                 ARMI_OS_MODE_FILE);
    assert_true(fd >= 0);
    assert_int_equal(os->write(os, fd, "abc", 3), 3);
    assert_int_equal(os->write(os, fd, "de", 2), 2);
    assert_int_equal(os->close(os, fd), 0);
    assert_file(b, "x", "abcde");
    fd = os->open(os, b->root, "x", ARMI_OPEN_READ, 0);
    assert_int_equal(os->read(os, fd, text, 4), 4);
    assert_int_equal(os->read(os, fd, text + 4, 4), 1);
    assert_int_equal(os->read(os, fd, text, 4), 0);
    assert_string_equal(text, "abcde");
    assert_int_equal(os->close(os, fd), 0);
}

static void a_full_disk_writes_short_and_then_refuses(void **state)
{
    struct bench *b = *state;
    os_memory_set_capacity(b->disk, 10);
    int fd = make_file(b, "a", "123456");
    assert_int_equal(b->os->pwrite(b->os, fd, "789abc", 6, 6), 4);
    assert_int_equal(armi_os_write_full(b->os, fd, "bc", 2, 10), -ENOSPC);
    assert_int_equal(b->os->close(b->os, fd), 0);
    assert_file(b, "a", "123456789a");
}

#define BOTH(f)                                                                            \
    {#f " (posix)", f, setup_posix, teardown, NULL},                                       \
    {                                                                                      \
#f " (memory)", f, setup_memory, teardown, NULL                                    \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_file_reads_back_and_short_at_its_end),
        BOTH(pieces_are_written_as_one_run),
        BOTH(reading_and_writing_in_place_move_on),
        BOTH(rename_new_never_replaces_and_rename_does),
        BOTH(folders_list_each_name_once),
        BOTH(a_stat_tells_one_state_of_a_file_from_another),
        BOTH(locks_of_two_opens_exclude_each_other),
        BOTH(waiting_for_a_lock_ends_by_time_or_by_the_callback),
        BOTH(a_map_shows_the_file),
        BOTH(the_nth_call_fails_once_or_for_good),
        cmocka_unit_test_setup_teardown(links_are_not_followed_and_a_pipe_does_not_block,
                                        setup_posix, teardown),
        cmocka_unit_test_setup_teardown(
            a_child_lets_go_of_inherited_locks_and_the_parent_keeps_its_own, setup_posix,
            teardown),
        cmocka_unit_test_setup_teardown(flushes_and_bytes_are_counted, setup_posix,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_was_not_synced_is_lost_with_the_power,
                                        setup_memory, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_writes_short_and_then_refuses,
                                        setup_memory, teardown),
        cmocka_unit_test(a_pin_lies_where_the_format_page_says),
        cmocka_unit_test(a_random_crash_can_tear_lose_and_keep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
