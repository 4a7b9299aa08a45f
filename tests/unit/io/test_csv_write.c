/*
 * CSV written: what is quoted, and that what is read back is what was written.
 */
#include "test.h"

#include <stdlib.h>

#include "arrow/array_make.h"
#include "arrow/builder.h"
#include "arrow/compare.h"
#include "arrow/schema_text.h"
#include "arrow/stream.h"
#include "arrow_gen.h"
#include "csv_kit.h"
#include "io/csv_read.h"
#include "io/csv_write.h"

/* A batch of one column of text; NULL is null. */
static void text_stream(const char *name, const char *const *values, size_t count,
                        struct ArrowArrayStream *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema, field;
    struct armi_builder *builder;
    struct ArrowArray column, batch;
    ok(armi_field_init_schema(&schema, &err));
    ok(armi_field_init(&field, name, ARMI_TYPE_UTF8, &err));
    ok(armi_field_add_child(&schema, &field, &err));
    ok(armi_builder_new(&schema.children[0], &builder, &err));
    for (size_t i = 0; i < count; i++)
        ok(values[i] != NULL ? armi_builder_append_text(builder, values[i], &err)
                             : armi_builder_append_null(builder, &err));
    ok(armi_builder_finish(builder, &column, &err));
    ok(armi_arrow_array_batch(&schema, (int64_t)count, &column, &batch, &err));
    csv_kit_stream(&schema, &batch, out);
    armi_builder_free(builder);
    armi_field_release(&schema);
}

static void assert_writes(const char *name, const char *const *values, size_t count,
                          const struct armi_csv_write_options *options,
                          const char *expected)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct os_memory *disk = os_memory_new();
    struct ArrowArrayStream stream;
    uint64_t rows = 99;
    text_stream(name, values, count, &stream);
    ok(armi_csv_write_to(os_memory_table(disk), &stream, CSV_KIT_PATH, options, &rows,
                         &err));
    assert_int_equal(rows, count);
    assert_null(stream.release);
    char *text = csv_kit_get(os_memory_table(disk), NULL);
    assert_string_equal(text, expected);
    free(text);
    os_memory_free(disk);
}

static void what_could_be_misread_is_quoted(void **state)
{
    (void)state;
    static const char *const values[] = {"plain", "a,b", "say \"hi\"", "x\ny",  "\r",
                                         " x",    "x ",  "x y",        "",      NULL,
                                         "a;b",   "NA",  "\"",         "x'y\\z"};
    size_t count = sizeof values / sizeof values[0];
    assert_writes(
        "h,1", values, count, NULL,
        "\"h,1\"\nplain\n\"a,b\"\n\"say \"\"hi\"\"\"\n\"x\ny\"\n\"\r\"\n\" x\"\n\"x "
        "\"\nx y\n\"\"\n\na;b\nNA\n\"\"\"\"\nx'y\\z\n");
    struct armi_csv_write_options options = {
        .size = sizeof options, .delimiter = ';', .null_text = "NA", .no_header = true};
    assert_writes("h", values, count, &options,
                  "plain\na,b\n\"say \"\"hi\"\"\"\n\"x\ny\"\n\"\r\"\n\" x\"\n\"x "
                  "\"\nx y\n\"\"\nNA\n\"a;b\"\n\"NA\"\n\"\"\"\"\nx'y\\z\n");
}

static void an_empty_last_row_is_not_lost(void **state)
{
    (void)state;
    static const char *const values[] = {"x", NULL, NULL};
    assert_writes("h", values, 3, NULL, "h\nx\n\n\n\n");
    assert_writes("h", values, 1, NULL, "h\nx\n");
    assert_writes("h", values, 0, NULL, "h\n");
    assert_writes("\xef\xbb\xbfh", values, 1, NULL, "\"\xef\xbb\xbfh\"\nx\n");
    assert_writes("", values, 1, NULL, "\"\"\nx\n");
}

/* ---- there and back ---- */

/* `rows` random values of the type as the only column of a stream; a copy of the column in
 * *out. */
static void random_stream(const char *type, int64_t rows, uint64_t seed,
                          struct armi_field *schema, struct ArrowArray *out,
                          struct ArrowArrayStream *stream)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field = arrow_gen_field(type);
    struct ArrowArray column, batch;
    ok(armi_field_init_schema(schema, &err));
    ok(armi_field_add_child(schema, &field, &err));
    ok(arrow_gen_array(&schema->children[0], rows, 4, seed, out, &err));
    ok(arrow_gen_array(&schema->children[0], rows, 4, seed, &column, &err));
    ok(armi_arrow_array_batch(schema, rows, &column, &batch, &err));
    csv_kit_stream(schema, &batch, stream);
}

static void read_column(const struct armi_os *os, struct armi_field *schema,
                        struct ArrowArray *batch)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream stream;
    ok(armi_csv_read_from(os, CSV_KIT_PATH, NULL, NULL, &stream, &err));
    ok(armi_stream_schema(&stream, schema, &err));
    ok(armi_stream_next(&stream, batch, &err));
    stream.release(&stream);
}

static bool nan_to_nan(const struct armi_array *a, const struct armi_array *b, int64_t i)
{
    return a->field->type == ARMI_TYPE_FLOAT64 &&
           armi_array_double(a, i) != armi_array_double(a, i) &&
           armi_array_double(b, i) != armi_array_double(b, i);
}

/* The types that inference gives, written and read, are the same to the bit (a NaN is a
 * NaN). */
static void flat_types_come_back_as_they_were(void **state)
{
    (void)state;
    static const char *const types[] = {
        "int64", "double", "bool", "date32[day]", "timestamp[us]", "timestamp[us, tz=UTC]"};
    struct armi_error err = ARMI_ERROR_INIT;
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            struct armi_field schema, read_schema;
            struct ArrowArray column, batch;
            struct ArrowArrayStream stream;
            struct armi_array before, after;
            struct os_memory *disk = os_memory_new();
            random_stream(types[t], 1000, seed, &schema, &column, &stream);
            ok(armi_csv_write_to(os_memory_table(disk), &stream, CSV_KIT_PATH, NULL, NULL,
                                 &err));
            read_column(os_memory_table(disk), &read_schema, &batch);
            if (!armi_field_equal(&schema.children[0], &read_schema.children[0], 0))
                fail_msg("%s came back as %s", types[t],
                         armi_type_name(read_schema.children[0].type));
            ok(armi_array_init(&schema.children[0], &column, ARMI_VALIDATE_FULL, &before,
                               &err));
            ok(armi_array_init(&read_schema.children[0], batch.children[0],
                               ARMI_VALIDATE_FULL, &after, &err));
            assert_int_equal(after.length, 1000);
            for (int64_t i = 0; i < 1000; i++)
                if (!armi_compare_same(&before, i, &after, i) &&
                    !nan_to_nan(&before, &after, i))
                    fail_msg("%s, seed %d: row %d differs", types[t], (int)seed, (int)i);
            armi_array_release(&before);
            armi_array_release(&after);
            column.release(&column);
            batch.release(&batch);
            armi_field_release(&schema);
            armi_field_release(&read_schema);
            os_memory_free(disk);
        }
}

/* Whatever the type, the text that is written reads back to the same text, null to null. */
static void every_type_comes_back_as_its_text(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    for (size_t t = 0; t < arrow_gen_type_count; t++) {
        struct armi_field schema;
        struct ArrowArray column;
        struct ArrowArrayStream stream;
        struct os_memory *disk = os_memory_new();
        const struct armi_os *os = os_memory_table(disk);
        random_stream(arrow_gen_types[t], 200, 7, &schema, &column, &stream);
        ok(armi_csv_write_to(os, &stream, CSV_KIT_PATH, NULL, NULL, &err));
        column.release(&column);
        armi_field_release(&schema);
        char *first = csv_kit_get(os, NULL);
        ok(armi_csv_read_from(os, CSV_KIT_PATH, NULL, NULL, &stream, &err));
        ok(armi_csv_write_to(os, &stream, CSV_KIT_PATH, NULL, NULL, &err));
        char *second = csv_kit_get(os, NULL);
        /* Numbers may take another notation, "1" and "1.0": not another type. */
        if (strncmp(arrow_gen_types[t], "decimal", 7) != 0)
            assert_string_equal(first, second);
        ok(armi_csv_read_from(os, CSV_KIT_PATH, NULL, NULL, &stream, &err));
        ok(armi_csv_write_to(os, &stream, CSV_KIT_PATH, NULL, NULL, &err));
        char *third = csv_kit_get(os, NULL);
        assert_string_equal(second, third);
        free(first);
        free(second);
        free(third);
        os_memory_free(disk);
    }
}

/* ---- failures ---- */

static enum armi_status bad_schema_write(const char *const *names, size_t count,
                                         struct armi_error *error)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema, field;
    struct os_memory *disk = os_memory_new();
    struct ArrowArrayStream stream;
    ok(armi_field_init_schema(&schema, &err));
    for (size_t i = 0; i < count; i++) {
        ok(armi_field_init(&field, names[i], ARMI_TYPE_UTF8, &err));
        ok(armi_field_add_child(&schema, &field, &err));
    }
    ok(armi_stream_from_arrays(&schema, NULL, 0, &stream, &err));
    enum armi_status st =
        armi_csv_write_to(os_memory_table(disk), &stream, CSV_KIT_PATH, NULL, NULL, error);
    assert_null(stream.release);
    assert_int_equal(os_memory_open_files(disk), 0);
    armi_field_release(&schema);
    os_memory_free(disk);
    return st;
}

static void what_csv_cannot_carry_is_refused(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static const char *const doubles[] = {"a", "a"};
    fails(ARMI_INVALID, bad_schema_write(doubles, 2, &err));
    fails(ARMI_INVALID, bad_schema_write(NULL, 0, &err));
    assert_string_equal(err.message, "Rows without columns cannot be written as CSV");
}

static enum armi_status broken(void *ctx, struct ArrowArray *out, struct armi_error *err)
{
    (void)ctx;
    (void)out;
    return armi_error_set(err, ARMI_CORRUPTION, "chunk is broken");
}

static void what_was_there_stays_when_writing_fails(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema, field;
    struct armi_stream_callbacks callbacks = {.next = broken};
    struct ArrowArrayStream stream;
    struct os_memory *disk = os_memory_new();
    csv_kit_put(os_memory_table(disk), "old", 3);
    ok(armi_field_init_schema(&schema, &err));
    ok(armi_field_init(&field, "a", ARMI_TYPE_UTF8, &err));
    ok(armi_field_add_child(&schema, &field, &err));
    ok(armi_stream_make(&schema, 0, &callbacks, &stream, &err));
    fails(ARMI_CORRUPTION, armi_csv_write_to(os_memory_table(disk), &stream, CSV_KIT_PATH,
                                             NULL, NULL, &err));
    char *text = csv_kit_get(os_memory_table(disk), NULL);
    assert_string_equal(text, "old");
    free(text);
    armi_field_release(&schema);
    os_memory_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_could_be_misread_is_quoted),
        cmocka_unit_test(an_empty_last_row_is_not_lost),
        cmocka_unit_test(flat_types_come_back_as_they_were),
        cmocka_unit_test(every_type_comes_back_as_its_text),
        cmocka_unit_test(what_csv_cannot_carry_is_refused),
        cmocka_unit_test(what_was_there_stays_when_writing_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
