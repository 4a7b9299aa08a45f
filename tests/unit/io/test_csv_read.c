/*
 * CSV read: what is a row, what is a type, what is refused.
 */
#include "test.h"

#include <stdlib.h>

#include "csv_kit.h"
#include "io/csv_read.h"

struct reading {
    const char *content;
    const char *expected; /* as csv_kit_read tells it */
};

static void assert_reads_with(const char *content,
                              const struct armi_csv_read_options *options,
                              const struct armi_csv_sizes *sizes, const char *expected)
{
    char *text = csv_kit_read(content, strlen(content), options, sizes);
    assert_string_equal(text, expected);
    free(text);
}

static void assert_reads(const char *content, const char *expected)
{
    assert_reads_with(content, NULL, NULL, expected);
}

static void assert_all(const struct reading *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_reads(cases[i].content, cases[i].expected);
}

#define ASSERT_ALL(cases) assert_all(cases, sizeof cases / sizeof cases[0])

/* ---- rows and fields ---- */

static void line_ends_quotes_and_the_mark_are_not_content(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"a,b\n1,2\n3,4\n", "a:int64,b:int64\n1|2\n3|4\n"},
        {"a,b\n1,2\n3,4", "a:int64,b:int64\n1|2\n3|4\n"},
        {"a,b\r\n1,2\r\n3,4\r\n", "a:int64,b:int64\n1|2\n3|4\n"},
        {"a,b\r\n1,2\n3,x\r\n", "a:int64,b:string\n1|2\n3|x\n"},
        {"\"a\",\"b\"\r\n\"1\",\"2\"\r\n", "a:int64,b:int64\n1|2\n"},
        {"\xef\xbb\xbf"
         "a\n1\n",
         "a:int64\n1\n"},
        {"\"a \"\"x\"\"\",b\n\"1 \"\"2\"\", 3\",\"\"\"\"\n",
         "a \"x\":string,b:string\n1 \"2\", 3|\"\n"},
        {"a,b\n\"x\ny\",\"\r\"\n", "a:string,b:string\nx\\ny|\r\n"},
        {"a,b\n x , y\n", "a:string,b:string\n x | y\n"},
        {"a\n\xc3\xa9\xe2\x82\xac\n", "a:string\n\xc3\xa9\xe2\x82\xac\n"},
    };
    ASSERT_ALL(cases);
}

static void an_unquoted_empty_field_is_null_and_nothing_else_is(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"a,b\n,\"\"\nx,\n", "a:string,b:string\n~|\nx|~\n"},
        {"a,b\n1,NA\n,NULL\n", "a:int64,b:string\n1|NA\n~|NULL\n"},
        {"a,b\n,\n,\n", "a:string,b:string\n~|~\n~|~\n"},
        {"a\n\"\"\n1\n", "a:string\n\n1\n"},
    };
    ASSERT_ALL(cases);
}

static void a_text_for_null_counts_where_it_is_not_quoted(void **state)
{
    (void)state;
    struct armi_csv_read_options options = {.size = sizeof options, .null_text = "NA"};
    assert_reads_with("a,b\nNA,1\n2,\n,NA\n", &options, NULL,
                      "a:int64,b:int64\n~|1\n2|~\n~|~\n");
    assert_reads_with("a\n1\n\"NA\"\n", &options, NULL, "a:string\n1\nNA\n");
    assert_reads_with("a\nNAN\n", &options, NULL, "a:string\nNAN\n");
    options.null_text = "-1";
    assert_reads_with("a,b\n-1,-1.5\n5,-1\n", &options, NULL,
                      "a:int64,b:double\n~|-1.5\n5|~\n");
    options.null_text = "a,b";
    assert_reads_with(
        "a\n1\n", &options, NULL,
        "error invalid: The text of a null cannot hold the delimiter, a quote "
        "or a line end: 'a,b'");
}

static void empty_lines_are_rows_of_one_column_but_for_the_last(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"a\n1\n\n2\n", "a:int64\n1\n~\n2\n"},
        {"a\n1\n\n", "a:int64\n1\n"},
        {"a\n1\n\n\n", "a:int64\n1\n~\n"},
        {"a\r\n1\r\n\r\n\r\n", "a:int64\n1\n~\n"},
        {"a\n", "a:string\n"},
        {"a", "a:string\n"},
        {"\n1\n", "column_1:int64\n1\n"},
        {"a,b\n1,2\n\n\r\n\n", "a:int64,b:int64\n1|2\n"},
        {"a,b\n1,2\n\n\n3,4\n",
         "error invalid: /flights.csv: row 3 is empty, and more rows follow"},
        {"a,b\n", "a:string,b:string\n"},
    };
    ASSERT_ALL(cases);
}

static void headers_name_what_has_no_name_and_refuse_doubles(void **state)
{
    (void)state;
    struct armi_csv_read_options options = {.size = sizeof options, .no_header = true};
    static const struct reading cases[] = {
        {",b,\"\"\n1,2,3\n", "column_1:int64,b:int64,column_3:int64\n1|2|3\n"},
        {"a,A\n1,2\n", "a:int64,A:int64\n1|2\n"},
        {"a,b,a\n1,2,3\n",
         "error invalid: /flights.csv: columns 1 and 3 are both called \"a\""},
        {"column_2,\n1,2\n",
         "error invalid: /flights.csv: columns 1 and 2 are both called \"column_2\""},
    };
    ASSERT_ALL(cases);
    assert_reads_with("1,x\n2,y\n", &options, NULL,
                      "column_1:int64,column_2:string\n1|x\n2|y\n");
    assert_reads_with(
        "1,x\n2,y,z\n", &options, NULL,
        "error invalid: /flights.csv: row 2 has 3 fields, the first row has 2");
}

static void delimiters_are_one_ascii_character(void **state)
{
    (void)state;
    struct armi_csv_read_options options = {.size = sizeof options, .delimiter = ';'};
    assert_reads_with("a;b\n1,5;\"x;y\"\n", &options, NULL, "a:string,b:string\n1,5|x;y\n");
    options.delimiter = '\t';
    assert_reads_with("a\tb\n1\t2\n", &options, NULL, "a:int64,b:int64\n1|2\n");
    const char *refused =
        "error invalid: The delimiter of a CSV file is one ASCII character, "
        "not a quote or a line end";
    options.delimiter = '"';
    assert_reads_with("a\n", &options, NULL, refused);
    options.delimiter = '\n';
    assert_reads_with("a\n", &options, NULL, refused);
    options.delimiter = (char)0xe9;
    assert_reads_with("a\n", &options, NULL, refused);
}

/* ---- types ---- */

static void integers_are_those_that_lose_nothing(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"a\n0\n-1\n12345678\n123456789012345\n",
         "a:int64\n0\n-1\n12345678\n123456789012345\n"},
        {"a\n9223372036854775807\n-9223372036854775808\n",
         "a:int64\n9223372036854775807\n-9223372036854775808\n"},
        {"a\n9223372036854775808\n", "a:string\n9223372036854775808\n"},
        {"a\n-9223372036854775809\n", "a:string\n-9223372036854775809\n"},
        {"a\n1\n99999999999999999999999\n", "a:string\n1\n99999999999999999999999\n"},
        {"zip\n10001\n02139\n", "zip:string\n10001\n02139\n"},
        {"a\n00\n", "a:string\n00\n"},
        {"a\n+1\n", "a:string\n+1\n"},
        {"a\n1 \n", "a:string\n1 \n"},
        {"a\n1_000\n", "a:string\n1_000\n"},
        {"a\n0x10\n", "a:string\n0x10\n"},
        {"a\n-\n", "a:string\n-\n"},
        {"a\n\"7\"\n8\n", "a:int64\n7\n8\n"},
    };
    ASSERT_ALL(cases);
}

static void floats_are_decimals_exponents_and_what_is_no_number(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"a\n1.5\n-0.25\n", "a:double\n1.5\n-0.25\n"},
        {"a\n1\n2.5\n", "a:double\n1.0\n2.5\n"},
        {"a\n2.5\n1\n", "a:double\n2.5\n1.0\n"},
        {"a\n1e5\n1E-3\n1.5e+10\n", "a:double\n100000.0\n0.001\n15000000000.0\n"},
        {"a\nNaN\n1\ninf\n-inf\n", "a:double\nNaN\n1.0\ninf\n-inf\n"},
        {"a\n-0\n0\n", "a:double\n-0.0\n0.0\n"},
        {"a\n.5\n-.5\n5.\n", "a:double\n0.5\n-0.5\n5.0\n"},
        {"a\n9007199254740992\n0.5\n", "a:double\n9007199254740992.0\n0.5\n"},
        {"a\n9007199254740993\n0.5\n", "a:string\n9007199254740993\n0.5\n"},
        {"a\n0.5\n9007199254740993\n", "a:string\n0.5\n9007199254740993\n"},
        {"a\n0.5\n9223372036854775808\n", "a:string\n0.5\n9223372036854775808\n"},
        {"a\n1e999\n", "a:string\n1e999\n"},
        {"a\n1e-999\n", "a:string\n1e-999\n"},
        {"a\n0e999\n", "a:double\n0.0\n"},
        {"a\n01.5\n", "a:string\n01.5\n"},
        {"a\n1e\n", "a:string\n1e\n"},
        {"a\n.\n", "a:string\n.\n"},
        {"a\n1.2.3\n", "a:string\n1.2.3\n"},
        {"a\n2.2250738585072011e-308\n4.9e-324\n1.7976931348623157e308\n",
         "a:double\n2.225073858507201e-308\n5e-324\n1.7976931348623157e308\n"},
        {"a\n0.1000000000000000055511151231257827021181583404541015625\n"
         "123456789012345678901234567890.5\n",
         "a:double\n0.1\n1.2345678901234568e29\n"},
    };
    ASSERT_ALL(cases);
}

static void booleans_dates_and_times_are_recognised(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"a\ntrue\nFALSE\nTrue\n", "a:bool\ntrue\nfalse\ntrue\n"},
        {"a\ntrue\n1\n", "a:string\ntrue\n1\n"},
        {"a\nyes\n", "a:string\nyes\n"},
        {"a\n2013-01-31\n1969-12-31\n2000-02-29\n",
         "a:date32[day]\n2013-01-31\n1969-12-31\n2000-02-29\n"},
        {"a\n2013-02-29\n", "a:string\n2013-02-29\n"},
        {"a\n2013-1-31\n", "a:string\n2013-1-31\n"},
        {"a\n0000-01-01\n9999-12-31\n", "a:date32[day]\n0000-01-01\n9999-12-31\n"},
        {"a\n-0044-03-15\n+12013-01-01\n", "a:date32[day]\n-0044-03-15\n+12013-01-01\n"},
        {"a\n2013-01-01T05:15\n2013-01-01 05:15:30\n2013-01-01T05:15:30.25\n",
         "a:timestamp[us]\n2013-01-01T05:15:00\n2013-01-01T05:15:30\n"
         "2013-01-01T05:15:30.250\n"},
        {"a\n2013-01-01T05:15:00.123456789\n2013-01-01T00:00\n",
         "a:timestamp[ns]\n2013-01-01T05:15:00.123456789\n2013-01-01T00:00:00\n"},
        {"a\n2013-01-01T05:15:00.123456000\n",
         "a:timestamp[us]\n2013-01-01T05:15:00.123456\n"},
        {"a\n2013-01-01T00:00Z\n2013-01-01T02:00:00+01:30\n2013-01-01 00:00-0500\n"
         "2013-01-01 00:00+01\n",
         "a:timestamp[us, tz=UTC]\n2013-01-01T00:00:00Z\n2013-01-01T00:30:00Z\n"
         "2013-01-01T05:00:00Z\n2012-12-31T23:00:00Z\n"},
        {"a\n2013-01-01T00:00Z\n2013-01-01T00:00\n",
         "a:string\n2013-01-01T00:00Z\n2013-01-01T00:00\n"},
        {"a\n2013-01-01\n2013-01-01T05:15\n",
         "a:timestamp[us]\n2013-01-01T00:00:00\n2013-01-01T05:15:00\n"},
        {"a\n2013-01-01\n2013-01-01T05:15Z\n", "a:string\n2013-01-01\n2013-01-01T05:15Z\n"},
        {"a\n1600-01-01T00:00:00.000000001\n", "a:string\n1600-01-01T00:00:00.000000001\n"},
        {"a\n1600-01-01T00:00:00\n", "a:timestamp[us]\n1600-01-01T00:00:00\n"},
        {"a\n2013-01-01T24:00\n", "a:string\n2013-01-01T24:00\n"},
        {"a\n2013-01-01T23:59:60\n", "a:string\n2013-01-01T23:59:60\n"},
        {"a\n2013-01-01T00:00:00.\n", "a:string\n2013-01-01T00:00:00.\n"},
        {"a\n2013-01-01T00:00:00.1234567891\n",
         "a:string\n2013-01-01T00:00:00.1234567891\n"},
        {"a\n+300000-01-01T00:00\n", "a:string\n+300000-01-01T00:00\n"},
        {"a\n5\n2013-01-01\n", "a:string\n5\n2013-01-01\n"},
    };
    ASSERT_ALL(cases);
}

/* ---- refusals ---- */

static void malformed_files_are_refused_with_their_row(void **state)
{
    (void)state;
    static const struct reading cases[] = {
        {"", "error invalid: /flights.csv is empty"},
        {"\xef\xbb\xbf", "error invalid: /flights.csv is empty"},
        {"\xff\xfe"
         "a\n",
         "error invalid: /flights.csv is UTF-16; convert it to UTF-8"},
        {"a,b\n1,2\n3\n",
         "error invalid: /flights.csv: row 3 has 1 field, the header has 2"},
        {"a,b\n1,2\n3,4,5\n",
         "error invalid: /flights.csv: row 3 has 3 fields, the header has 2"},
        {"a\n1\n2,3\n",
         "error invalid: /flights.csv: row 3 has 2 fields, the header has 1"},
        {"a,b\n1,2\n\"3,4\n5,6\n",
         "error invalid: /flights.csv: row 3, column \"a\": a quote "
         "is opened that never closes"},
        {"a,b\n1,\"2\"x\n",
         "error invalid: /flights.csv: row 2, column \"b\": text behind a "
         "closing quote; a quote "
         "inside of a quoted field is written twice"},
        {"a,b\n1,x\"y\"\n",
         "error invalid: /flights.csv: row 2, column \"b\": a quote inside "
         "of a field that is not "
         "quoted; quote the field and write the quote twice"},
        {"a,b\nx, \"y\"\n",
         "error invalid: /flights.csv: row 2, column \"b\": a quote inside "
         "of a field that is not "
         "quoted; quote the field and write the quote twice"},
        {"a,b\n1,caf\xe9\n",
         "error invalid: /flights.csv: row 2, column \"b\": not valid UTF-8"},
        {"a\xe9\n1\n", "error invalid: /flights.csv: row 1, column 1: not valid UTF-8"},
        {"a,b\n1\r2,3\n", "error invalid: /flights.csv: row 2, column \"a\": a carriage "
                          "return without a line "
                          "feed; quote the field, or convert the line ends"},
        {"a,b\n1,2\r\r\n", "error invalid: /flights.csv: row 2, column \"b\": a carriage "
                           "return without a line "
                           "feed; quote the field, or convert the line ends"},
    };
    ASSERT_ALL(cases);
    char *text = csv_kit_read("a,b\n1,x\0y\n", 10, NULL, NULL);
    assert_string_equal(text,
                        "error invalid: /flights.csv: row 2, column \"b\": a zero byte");
    free(text);
}

/* A header and rows of 19 columns; one more in the row with that number. From malloc. */
static char *many_rows(size_t rows, size_t bad_row, size_t *size)
{
    char *content = malloc(rows * 64 + 256), *at = content;
    assert_non_null(content);
    for (size_t row = 1; row <= rows; row++)
        for (int c = 1; c <= 19 + (row == bad_row); c++) {
            if (c > 1)
                *at++ = ',';
            if (row == 1)
                *at++ = (char)('a' + c);
            else
                *at++ = (char)('0' + row % 10);
            if (c == 19 + (row == bad_row))
                *at++ = '\n';
        }
    *size = (size_t)(at - content);
    return content;
}

static void a_field_too_many_in_row_70000_is_found_before_the_first_batch(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    size_t size;
    char *content = many_rows(100000, 70000, &size);
    struct os_memory *disk = os_memory_new();
    struct ArrowArrayStream stream = {.release = NULL};
    csv_kit_put(os_memory_table(disk), content, size);
    fails(ARMI_INVALID, armi_csv_read_from(os_memory_table(disk), CSV_KIT_PATH, NULL, NULL,
                                           &stream, &err));
    assert_string_equal(err.message,
                        "/flights.csv: row 70000 has 20 fields, the header has 19");
    assert_string_equal(err.kind, "file");
    assert_null(stream.release);
    os_memory_free(disk);
    free(content);
}

static void limits_are_kept(void **state)
{
    (void)state;
    struct armi_csv_sizes sizes = {
        .block = 64, .window = 64, .row_max = 1000, .value_max = 100};
    char content[3000];
    memset(content, 'x', sizeof content);
    memcpy(content, "a\n", 2);
    content[102] = '\0';
    char *text = csv_kit_read(content, strlen(content), NULL, &sizes);
    assert_int_equal(strncmp(text, "a:string\nxxx", 12), 0);
    free(text);
    content[102] = 'x';
    content[103] = '\0';
    assert_reads_with(content, NULL, &sizes,
                      "error limit: /flights.csv: row 2, column \"a\": the value is larger "
                      "than 1 GiB");
    content[2] = '"';
    content[103] = 'x';
    text = csv_kit_read(content, sizeof content, NULL, &sizes);
    assert_string_equal(text,
                        "error limit: /flights.csv: row 2 is longer than 1000 bytes; is "
                        "a closing quote missing?");
    free(text);
}

/* ---- blocks, windows, batches ---- */

/* Whatever the sizes, the same rows come out, or the same error. */
static void sizes_of_blocks_and_batches_do_not_matter(void **state)
{
    (void)state;
    static const char *const contents[] = {
        "a,b\n1,\"x\r\n\"\"y\"\"\"\n\"2\",\"\"\r\n3,z\n,\n",
        "name,when,n\n\"a \"\"quoted\"\" name, with a comma\",2013-01-01T00:00:00Z,1\r\n"
        "\"\",2013-01-01T00:00:00.5Z,\r\n,,3.5\r\nlonger than one block of sixteen,,\r\n",
        "a\n\n\n\"x\"\n\n\n",
        "a,b\n1,2\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n",
        "a,b\n1,2\n3,\"4\"5\n",
        "a,b\n1,2\n3,4\n5,\"6\n7,8\n",
        "a,b\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n3\n",
        "\"h\",\"i\"\r\n\"1\",\"2\"\r\n\"3\",\"4\"\r\n\"5\",\"6\"\r\n\"7\",\"8\"\r\n\"9\","
        "\"0\"\r\n",
    };
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        char *expected = csv_kit_read(contents[i], strlen(contents[i]), NULL, NULL);
        for (size_t block = 2; block < 100; block++) {
            struct armi_csv_sizes sizes = armi_csv_sizes_default;
            struct armi_csv_read_options options = {.size = sizeof options};
            sizes.block = block;
            sizes.window = block % 7 * 8;
            options.batch_bytes = block % 5 * 10;
            assert_reads_with(contents[i], &options, &sizes, expected);
        }
        free(expected);
    }
}

static void batches_keep_to_their_size(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_csv_read_options options = {.size = sizeof options, .batch_bytes = 10000};
    size_t size;
    char *content = many_rows(5000, 0, &size);
    struct os_memory *disk = os_memory_new();
    struct ArrowArrayStream stream;
    csv_kit_put(os_memory_table(disk), content, size);
    ok(armi_csv_read_from(os_memory_table(disk), CSV_KIT_PATH, &options, NULL, &stream,
                          &err));
    int64_t rows = 0, batches = 0;
    for (;;) {
        struct ArrowArray array;
        assert_int_equal(stream.get_next(&stream, &array), 0);
        if (array.release == NULL)
            break;
        /* 19 columns of int64 and a bit. */
        assert_in_range(array.length, 1, 10000 / (19 * 8));
        rows += array.length;
        batches++;
        array.release(&array);
    }
    assert_int_equal(rows, 4999);
    assert_in_range(batches, 4999 / 65, 4999 / 60);
    stream.release(&stream);
    os_memory_free(disk);
    free(content);
}

/* ---- callbacks, changes ---- */

static bool always(void *ctx)
{
    (*(int *)ctx)++;
    return true;
}

static void reading_can_be_interrupted(void **state)
{
    (void)state;
    int asked = 0;
    struct armi_csv_read_options options = {
        .size = sizeof options, .callbacks = {.interrupted = always, .ctx = &asked}};
    char *text = csv_kit_read("a\n1\n", 4, &options, NULL);
    assert_int_equal(strncmp(text, "error interrupted", 17), 0);
    assert_int_equal(asked, 1);
    free(text);
}

static void a_file_that_changes_between_the_passes_is_refused(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static const char *const others[] = {"a\n1\n3\n", "a\nx\n2\n", "a,b\n1,2\n", "a\n1\n",
                                         "a\n\"1\n"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct os_memory *disk = os_memory_new();
        const struct armi_os *os = os_memory_table(disk);
        /* Two blocks, of which the second pass has not read the second. */
        struct armi_csv_sizes sizes = armi_csv_sizes_default;
        struct ArrowArrayStream stream;
        char *text;
        sizes.block = 4;
        csv_kit_put(os, "a\n1\n2\n", 6);
        ok(armi_csv_read_from(os, CSV_KIT_PATH, NULL, &sizes, &stream, &err));
        csv_kit_put(os, others[i], strlen(others[i]));
        fails(ARMI_INVALID, csv_kit_dump(&stream, &text, &err));
        os_memory_free(disk);
    }
}

static void a_missing_file_and_a_folder_are_named(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream stream;
    fails(ARMI_NOT_FOUND, armi_csv_read("/nowhere/x.csv", NULL, &stream, &err));
    assert_string_equal(err.message, "File not found: /nowhere/x.csv");
    fails(ARMI_INVALID, armi_csv_read("/", NULL, &stream, &err));
    assert_string_equal(err.message, "/ is a folder, not a file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_ends_quotes_and_the_mark_are_not_content),
        cmocka_unit_test(an_unquoted_empty_field_is_null_and_nothing_else_is),
        cmocka_unit_test(a_text_for_null_counts_where_it_is_not_quoted),
        cmocka_unit_test(empty_lines_are_rows_of_one_column_but_for_the_last),
        cmocka_unit_test(headers_name_what_has_no_name_and_refuse_doubles),
        cmocka_unit_test(delimiters_are_one_ascii_character),
        cmocka_unit_test(integers_are_those_that_lose_nothing),
        cmocka_unit_test(floats_are_decimals_exponents_and_what_is_no_number),
        cmocka_unit_test(booleans_dates_and_times_are_recognised),
        cmocka_unit_test(malformed_files_are_refused_with_their_row),
        cmocka_unit_test(a_field_too_many_in_row_70000_is_found_before_the_first_batch),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(sizes_of_blocks_and_batches_do_not_matter),
        cmocka_unit_test(batches_keep_to_their_size),
        cmocka_unit_test(reading_can_be_interrupted),
        cmocka_unit_test(a_file_that_changes_between_the_passes_is_refused),
        cmocka_unit_test(a_missing_file_and_a_folder_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
