/*
 * Files of the user's, on the real system: what they are, and pipes, links and devices in
 * their place.
 */
#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "csv_kit.h"
#include "io/io_file.h"
#include "temp_dir.h"

static char dir[TEMP_DIR_SIZE];

static void path_of(const char *name, char path[512])
{
    snprintf(path, 512, "%s/%s", dir, name);
}

static void put(const char *name, const void *data, size_t size)
{
    char path[512];
    path_of(name, path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

static void assert_holds(const char *name, const char *expected)
{
    char path[512], text[512];
    path_of(name, path);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static void assert_probes(const void *data, size_t size, enum armi_file_format expected)
{
    struct armi_error err = ARMI_ERROR_INIT;
    enum armi_file_format format;
    char path[512];
    put("probe", data, size);
    path_of("probe", path);
    ok(armi_file_probe(path, &format, &err));
    assert_int_equal(format, expected);
}

static void a_file_is_what_its_content_is(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    enum armi_file_format format = ARMI_FORMAT_BINARY;
    assert_probes("", 0, ARMI_FORMAT_EMPTY);
    assert_probes("a,b\n1,2\n", 8, ARMI_FORMAT_CSV);
    assert_probes("caf\xe9\n", 5, ARMI_FORMAT_CSV);
    assert_probes("\xff\xfe\x61\x00", 4, ARMI_FORMAT_CSV);
    assert_probes("PAR1\x15\x04", 6, ARMI_FORMAT_PARQUET);
    assert_probes("PARE\x15\x04", 6, ARMI_FORMAT_PARQUET);
    assert_probes("ARROW1\0\0", 8, ARMI_FORMAT_ARROW);
    assert_probes("\xff\xff\xff\xff\x10\x01\0\0", 8, ARMI_FORMAT_ARROW);
    assert_probes("\x1f\x8b\x08\0", 4, ARMI_FORMAT_BINARY);
    assert_probes("a,b\n1,\0\n", 8, ARMI_FORMAT_BINARY);
    fails(ARMI_NOT_FOUND, armi_file_probe("/nowhere/at/all", &format, &err));
    fails(ARMI_INVALID, armi_file_probe("-", &format, &err));
    fails(ARMI_INVALID, armi_file_probe(dir, &format, &err));
    fails(ARMI_INVALID, armi_file_probe("/dev/null", &format, &err));
    assert_int_equal(format, ARMI_FORMAT_BINARY);
}

/* Standard input becomes the pipe's end while it is read. */
static void a_pipe_is_read_as_a_file_is(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream stream;
    int ends[2], before = dup(0);
    char *text;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "a,b\n1,x\n", 8), 8);
    close(ends[1]);
    assert_int_equal(dup2(ends[0], 0), 0);
    enum armi_status st = armi_csv_read("-", NULL, &stream, &err);
    dup2(before, 0);
    close(before);
    close(ends[0]);
    ok(st);
    ok(csv_kit_dump(&stream, &text, &err));
    assert_string_equal(text, "a:int64,b:string\n1|x\n");
    free(text);
}

static void messages_about_a_pipe_call_it_standard_input(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream stream;
    int ends[2], before = dup(0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "a,b\n1\n", 6), 6);
    close(ends[1]);
    assert_int_equal(dup2(ends[0], 0), 0);
    fails(ARMI_INVALID, armi_csv_read("-", NULL, &stream, &err));
    dup2(before, 0);
    close(before);
    close(ends[0]);
    assert_string_equal(err.message, "standard input: row 2 has 1 field, the header has 2");
}

static void output(const char *name, const char *text)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_io_output out;
    char path[512];
    path_of(name, path);
    ok(armi_io_output_open(&out, armi_os_posix(), path, &err));
    ok(armi_io_output_write(&out, text, strlen(text), &err));
    ok(armi_io_output_commit(&out, &err));
    armi_io_output_release(&out);
}

static void a_regular_file_is_replaced_and_a_link_is_written_through(void **state)
{
    (void)state;
    char path[512], target[512];
    struct stat st;
    output("new", "one");
    assert_holds("new", "one");
    output("new", "two");
    assert_holds("new", "two");
    path_of("new", target);
    path_of("link", path);
    assert_int_equal(symlink(target, path), 0);
    output("link", "3");
    assert_holds("new", "3");
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void a_device_is_written_in_place(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_io_output out;
    struct stat st;
    ok(armi_io_output_open(&out, armi_os_posix(), "/dev/null", &err));
    ok(armi_io_output_write(&out, "x", 1, &err));
    ok(armi_io_output_commit(&out, &err));
    armi_io_output_release(&out);
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    fails(ARMI_INVALID, armi_io_output_open(&out, armi_os_posix(), dir, &err));
}

static void what_is_not_committed_was_never_there(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_io_output out;
    char path[512];
    output("kept", "old");
    path_of("kept", path);
    ok(armi_io_output_open(&out, armi_os_posix(), path, &err));
    ok(armi_io_output_write(&out, "new", 3, &err));
    assert_int_equal(access(out.temporary, F_OK), 0);
    char temporary[ARMI_IO_PATH_SIZE];
    memcpy(temporary, out.temporary, sizeof temporary);
    armi_io_output_release(&out);
    assert_int_equal(access(temporary, F_OK), -1);
    assert_holds("kept", "old");
}

static void a_reader_that_went_away_is_an_error_not_a_signal(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_io_output out;
    int ends[2], before = dup(1);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    fflush(stdout);
    assert_int_equal(dup2(ends[1], 1), 1);
    close(ends[1]);
    enum armi_status st = armi_io_output_open(&out, armi_os_posix(), "-", &err);
    if (st == ARMI_OK)
        st = armi_io_output_write(&out, "x", 1, &err);
    armi_io_output_release(&out);
    dup2(before, 1);
    close(before);
    assert_int_equal(st, ARMI_STORAGE);
    assert_int_equal(err.sys_errno, EPIPE);
    /* And the signal is not waiting for later either. */
    sigset_t pending;
    assert_int_equal(sigpending(&pending), 0);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
}

static int make_dir(void **state)
{
    (void)state;
    temp_dir_make(dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    temp_dir_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_what_its_content_is),
        cmocka_unit_test(a_pipe_is_read_as_a_file_is),
        cmocka_unit_test(messages_about_a_pipe_call_it_standard_input),
        cmocka_unit_test(a_regular_file_is_replaced_and_a_link_is_written_through),
        cmocka_unit_test(a_device_is_written_in_place),
        cmocka_unit_test(what_is_not_committed_was_never_there),
        cmocka_unit_test(a_reader_that_went_away_is_an_error_not_a_signal),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
