/*
 * Every system call and every allocation of a read and of a write fails once: the right
 * status, a message, nothing left open, nothing leaked, and what was there before stays.
 */
#include "test.h"

#include <errno.h>
#include <stdlib.h>

#include "csv_kit.h"
#include "fault_alloc.h"
#include "io/csv_read.h"
#include "io/csv_write.h"
#include "os_fault.h"

static const char content[] = "name,n,x,when,is\n"
                              "\"a \"\"b\"\"\",1,1.5,2013-01-01T00:00:00Z,true\n"
                              ",,,,\n"
                              "c,2,1e22,2013-01-02T00:00:00.5Z,false\n"
                              "longer than sixteen bytes,3,2,2013-01-03 00:00Z,true\n";

static struct armi_csv_sizes small_sizes(void)
{
    struct armi_csv_sizes sizes = armi_csv_sizes_default;
    sizes.block = 16;
    sizes.window = 64;
    return sizes;
}

/* Reads the file in small steps and writes it as it was read. */
static enum armi_status copy(const struct armi_os *os, struct armi_error *err)
{
    struct armi_csv_sizes sizes = small_sizes();
    struct armi_csv_read_options options = {.size = sizeof options, .batch_bytes = 64};
    struct ArrowArrayStream stream;
    enum armi_status st =
        armi_csv_read_from(os, CSV_KIT_PATH, &options, &sizes, &stream, err);
    return st == ARMI_OK ? armi_csv_write_to(os, &stream, CSV_KIT_PATH, NULL, NULL, err)
                         : st;
}

static int count_names(void *ctx, const char *name, enum armi_entry_kind kind)
{
    (void)name;
    (void)kind;
    (*(int *)ctx)++;
    return 0;
}

static int names_in_root(const struct armi_os *os)
{
    int count = 0;
    int dir = os->open(os, ARMI_OS_CWD, "/", ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0);
    assert_true(dir >= 0);
    assert_int_equal(os->list(os, dir, count_names, &count), 0);
    os->close(os, dir);
    return count;
}

/* The file is as it was, or the whole copy; *expected is the copy. */
static bool is_old(const struct armi_os *os, const char *expected)
{
    char *text = csv_kit_get(os, NULL);
    bool old = strcmp(text, content) == 0;
    if (!old)
        assert_string_equal(text, expected);
    free(text);
    return old;
}

static char *copied(void)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct os_memory *disk = os_memory_new();
    csv_kit_put(os_memory_table(disk), content, strlen(content));
    ok(copy(os_memory_table(disk), &err));
    char *text = csv_kit_get(os_memory_table(disk), NULL);
    os_memory_free(disk);
    return text;
}

static void every_failing_call_leaves_the_old_file_or_the_new(void **state)
{
    (void)state;
    char *expected = copied();
    size_t failures = 0;
    for (uint64_t n = 1;; n++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct os_memory *disk = os_memory_new();
        const struct armi_os *under = os_memory_table(disk);
        struct os_fault *fault = os_fault_new(under);
        csv_kit_put(under, content, strlen(content));
        os_fault_arm(fault, n, OS_FAULT_ANY & ~(unsigned)OS_FAULT_CLOSE, EIO, false);
        enum armi_status st = copy(os_fault_table(fault), &err);
        bool fired = os_fault_fired(fault);
        os_fault_free(fault);
        assert_int_equal(os_memory_open_files(disk), 0);
        if (fired) {
            assert_int_equal(st, ARMI_STORAGE);
            assert_int_equal(err.sys_errno, EIO);
            assert_true(err.message[0] != '\0');
            assert_true(is_old(under, expected));
            failures++;
        } else {
            ok(st);
            assert_false(is_old(under, expected));
        }
        assert_int_equal(names_in_root(under), 1);
        os_memory_free(disk);
        if (!fired)
            break;
    }
    assert_true(failures > 20);
    free(expected);
}

static void short_reads_and_writes_change_nothing(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    char *expected = copied();
    struct os_memory *disk = os_memory_new();
    struct os_fault *fault = os_fault_new(os_memory_table(disk));
    csv_kit_put(os_memory_table(disk), content, strlen(content));
    os_fault_limit_io(fault, 3);
    ok(copy(os_fault_table(fault), &err));
    assert_false(is_old(os_memory_table(disk), expected));
    os_fault_free(fault);
    os_memory_free(disk);
    free(expected);
}

static void every_failing_allocation_is_told_and_leaks_nothing(void **state)
{
    (void)state;
    char *expected = copied();
    size_t failures = 0;
    for (size_t n = 1;; n++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct os_memory *disk = os_memory_new();
        const struct armi_os *os = os_memory_table(disk);
        csv_kit_put(os, content, strlen(content));
        fault_alloc_begin(n, false);
        enum armi_status st = copy(os, &err);
        bool fired = fault_alloc_end();
        assert_int_equal(os_memory_open_files(disk), 0);
        assert_int_equal(st, fired ? ARMI_NO_MEMORY : ARMI_OK);
        assert_true(is_old(os, expected) == fired);
        assert_int_equal(names_in_root(os), 1);
        os_memory_free(disk);
        failures += fired;
        if (!fired)
            break;
    }
    assert_true(failures > 20);
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failing_call_leaves_the_old_file_or_the_new),
        cmocka_unit_test(short_reads_and_writes_change_nothing),
        cmocka_unit_test(every_failing_allocation_is_told_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
