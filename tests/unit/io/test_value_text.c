/*
 * Values of all types as text, and days as dates.
 */
#include "test.h"

#include <stdlib.h>

#include "arrow/array_make.h"
#include "arrow/builder.h"
#include "arrow/schema_text.h"
#include "arrow_gen.h"
#include "base/bits.h"
#include "io/calendar.h"
#include "io/value_text.h"

struct column {
    struct armi_field field;
    struct armi_builder *builder;
};

static struct column column_begin(const char *type)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct column c = {.field = ARMI_FIELD_INIT};
    ok(armi_type_parse(type, &c.field, &err));
    return c;
}

/* The one row that was appended, by the public function, has this text. */
static void column_expect(struct column *c, const char *expected)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArray array;
    struct ArrowSchema schema;
    char text[256];
    ok(armi_builder_finish(c->builder, &array, &err));
    ok(armi_field_export(&c->field, 0, &schema, &err));
    size_t size = armi_value_format(&schema, &array, 0, text, sizeof text);
    assert_string_equal(text, expected);
    assert_int_equal(size, strlen(expected));
    array.release(&array);
    schema.release(&schema);
    armi_builder_free(c->builder);
    armi_field_release(&c->field);
}

static void expect_int(const char *type, int64_t v, const char *expected)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct column c = column_begin(type);
    ok(armi_builder_new(&c.field, &c.builder, &err));
    ok(armi_builder_append_int(c.builder, v, &err));
    column_expect(&c, expected);
}

static void expect_double(const char *type, double v, const char *expected)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct column c = column_begin(type);
    ok(armi_builder_new(&c.field, &c.builder, &err));
    ok(armi_builder_append_double(c.builder, v, &err));
    column_expect(&c, expected);
}

static void expect_bytes(const char *type, const void *data, size_t size,
                         const char *expected)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct column c = column_begin(type);
    ok(armi_builder_new(&c.field, &c.builder, &err));
    ok(armi_builder_append_bytes(c.builder, data, size, &err));
    column_expect(&c, expected);
}

static void numbers_are_exact(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    expect_int("int64", INT64_MIN, "-9223372036854775808");
    expect_int("int8", -128, "-128");
    expect_int("int64", 0, "0");
    struct column c = column_begin("uint64");
    ok(armi_builder_new(&c.field, &c.builder, &err));
    ok(armi_builder_append_uint(c.builder, UINT64_MAX, &err));
    column_expect(&c, "18446744073709551615");
    expect_double("double", 0.1, "0.1");
    expect_double("float", 0.1f, "0.1");
    expect_double("halffloat", 0.1, "0.1");
    expect_int("bool", 1, "true");
    expect_int("bool", 0, "false");
}

static void decimals_have_all_their_digits(void **state)
{
    (void)state;
    expect_int("decimal128(10, 2)", 150, "1.50");
    expect_int("decimal128(10, 2)", -5, "-0.05");
    expect_int("decimal128(10, 2)", 0, "0.00");
    expect_int("decimal128(10, 0)", -7, "-7");
    expect_int("decimal128(10, -3)", 12, "12000");
    expect_int("decimal128(10, -3)", 0, "0");
    uint8_t wide[32];
    memset(wide, 0xff, sizeof wide);
    expect_bytes("decimal256(76, 5)", wide, 32, "-0.00001");
    memset(wide, 0, sizeof wide);
    wide[16] = 1; /* 2^128 */
    expect_bytes("decimal256(76, 10)", wide, 32,
                 "34028236692093846346337460743.1768211456");
    memset(wide, 0, sizeof wide);
    wide[15] = 0x80; /* -2^127 */
    expect_bytes("decimal128(38, 0)", wide, 16, "-170141183460469231731687303715884105728");
}

static void times_are_iso_8601(void **state)
{
    (void)state;
    expect_int("date32[day]", 0, "1970-01-01");
    expect_int("date32[day]", -1, "1969-12-31");
    expect_int("date32[day]", INT32_MAX, "+5881580-07-11");
    expect_int("date32[day]", INT32_MIN, "-5877641-06-23");
    expect_int("date64[ms]", INT64_MAX, "+292278994-08-17");
    expect_int("date64[ms]", INT64_MIN, "-292275055-05-16");
    expect_int("timestamp[s]", 1, "1970-01-01T00:00:01");
    expect_int("timestamp[s]", INT64_MAX, "+292277026596-12-04T15:30:07");
    expect_int("timestamp[s]", INT64_MIN, "-292277022657-01-27T08:29:52");
    expect_int("timestamp[ms]", -1, "1969-12-31T23:59:59.999");
    expect_int("timestamp[us, tz=Europe/Berlin]", 1500000, "1970-01-01T00:00:01.500Z");
    expect_int("timestamp[ns]", INT64_MIN, "1677-09-21T00:12:43.145224192");
    expect_int("timestamp[ns, tz=UTC]", 1, "1970-01-01T00:00:00.000000001Z");
    expect_int("time32[s]", 86399, "23:59:59");
    expect_int("time32[ms]", -1, "-1");
    expect_int("time64[ns]", 86400000000000, "86400000000000");
    expect_int("time64[us]", 3600000001, "01:00:00.000001");
    expect_int("duration[s]", 0, "PT0S");
    expect_int("duration[ms]", 90061500, "P1DT1H1M1.500S");
    expect_int("duration[us]", -1, "-PT0.000001S");
    expect_int("duration[s]", 86400, "P1D");
    expect_int("duration[ns]", INT64_MIN, "-P106751DT23H47M16.854775808S");
}

static void strings_are_themselves_and_bytes_are_hex(void **state)
{
    (void)state;
    expect_bytes("string", "a \"b\"\n", 6, "a \"b\"\n");
    expect_bytes("string_view", "", 0, "");
    expect_bytes("binary", "\x00\xff", 2, "00ff");
    expect_bytes("fixed_size_binary[3]", "abc", 3, "616263");
    expect_bytes("dictionary<values=string, indices=int32, ordered=0>", "x", 1, "x");
}

static void nested_values_are_json(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct column c = column_begin("struct<a: list<item: int32>, b: string, c: double>");
    ok(armi_builder_new(&c.field, &c.builder, &err));
    struct armi_builder *list = armi_builder_child(c.builder, 0);
    ok(armi_builder_append_int(armi_builder_child(list, 0), 1, &err));
    ok(armi_builder_append_null(armi_builder_child(list, 0), &err));
    ok(armi_builder_close(list, &err));
    ok(armi_builder_append_text(armi_builder_child(c.builder, 1), "x\"\n\x01\\", &err));
    ok(armi_builder_append_double(armi_builder_child(c.builder, 2), 1.0 / 0.0, &err));
    ok(armi_builder_close(c.builder, &err));
    column_expect(&c, "{\"a\":[1,null],\"b\":\"x\\\"\\n\\u0001\\\\\",\"c\":\"inf\"}");
    c = column_begin("map<int32, date32[day]>");
    ok(armi_builder_new(&c.field, &c.builder, &err));
    struct armi_builder *entry = armi_builder_child(c.builder, 0);
    ok(armi_builder_append_int(armi_builder_child(entry, 0), 7, &err));
    ok(armi_builder_append_int(armi_builder_child(entry, 1), 0, &err));
    ok(armi_builder_close(entry, &err));
    ok(armi_builder_close(c.builder, &err));
    column_expect(&c, "{\"7\":\"1970-01-01\"}");
}

static void a_short_buffer_gets_what_fits(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field = arrow_gen_field("string");
    struct armi_builder *builder;
    struct ArrowArray array;
    struct ArrowSchema schema;
    char text[8] = "zzzzzzz";
    ok(armi_builder_new(&field, &builder, &err));
    ok(armi_builder_append_text(builder, "abcdefgh", &err));
    ok(armi_builder_append_null(builder, &err));
    ok(armi_builder_finish(builder, &array, &err));
    ok(armi_field_export(&field, 0, &schema, &err));
    assert_int_equal(armi_value_format(&schema, &array, 0, text, 4), 8);
    assert_string_equal(text, "abc");
    assert_int_equal(text[4], 'z');
    assert_int_equal(armi_value_format(&schema, &array, 0, NULL, 0), 8);
    assert_int_equal(armi_value_format(&schema, &array, 1, text, sizeof text), 0);
    assert_string_equal(text, "");
    assert_int_equal(armi_value_format(&schema, &array, 2, text, sizeof text), 0);
    array.release(&array);
    schema.release(&schema);
    armi_builder_free(builder);
    armi_field_release(&field);
}

static void days_and_dates_are_inverse(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int i = 0; i < 200000; i++) {
        int64_t days = (int64_t)arrow_gen_next(&seed) / 86400 >> (i % 40), year;
        int month, day;
        armi_calendar_date(days, &year, &month, &day);
        assert_in_range(month, 1, 12);
        assert_in_range(day, 1, armi_calendar_month_days(year, month));
        assert_true(armi_calendar_days(year, month, day) == days);
    }
    assert_int_equal(armi_calendar_days(2000, 3, 1), 11017);
    assert_int_equal(armi_calendar_month_days(1900, 2), 28);
    assert_int_equal(armi_calendar_month_days(2000, 2), 29);
    assert_int_equal(armi_calendar_month_days(-4, 2), 29);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(decimals_have_all_their_digits),
        cmocka_unit_test(times_are_iso_8601),
        cmocka_unit_test(strings_are_themselves_and_bytes_are_hex),
        cmocka_unit_test(nested_values_are_json),
        cmocka_unit_test(a_short_buffer_gets_what_fits),
        cmocka_unit_test(days_and_dates_are_inverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
