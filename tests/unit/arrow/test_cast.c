#include "test.h"

#include <math.h>

#include "arrow/cast.h"
#include "arrow/schema_text.h"
#include "arrow_model.h"
#include "base/alloc.h"
#include "fault_alloc.h"

static struct armi_field type_of(const char *text)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field;
    ok(armi_type_parse(text, &field, &err));
    ok(armi_field_set_name(&field, "c", &err));
    return field;
}

/* Casts whose values are the same bytes: the model is the expectation. */
static const struct {
    const char *from, *to;
    enum armi_cast_kind kind;
} same_values[] = {
    {"string", "large_string", ARMI_CAST_LAYOUT},
    {"large_string", "string", ARMI_CAST_LAYOUT},
    {"string", "string_view", ARMI_CAST_LAYOUT},
    {"string_view", "string", ARMI_CAST_LAYOUT},
    {"large_binary", "binary_view", ARMI_CAST_LAYOUT},
    {"binary_view", "large_binary", ARMI_CAST_LAYOUT},
    {"string", "string", ARMI_CAST_SAME},
    {"double", "double", ARMI_CAST_SAME},
    {"list<item: int32>", "large_list<item: int32>", ARMI_CAST_LAYOUT},
    {"large_list<item: string>", "list<item: string_view>", ARMI_CAST_LAYOUT},
    {"list_view<item: string>", "list<item: string>", ARMI_CAST_LAYOUT},
    {"list<item: string>", "large_list_view<item: string>", ARMI_CAST_LAYOUT},
    {"fixed_size_list<item: string>[2]", "fixed_size_list<item: large_string>[2]",
     ARMI_CAST_LAYOUT},
    {"map<string, int32>", "map<large_string, int32>", ARMI_CAST_LAYOUT},
    {"struct<a: int32, b: string>", "struct<a: int32, b: large_string>", ARMI_CAST_LAYOUT},
    {"dictionary<values=string, indices=int16, ordered=0>", "string", ARMI_CAST_LAYOUT},
    {"dictionary<values=string, indices=int16, ordered=0>", "string_view",
     ARMI_CAST_LAYOUT},
    {"dictionary<values=double, indices=uint8, ordered=0>", "double", ARMI_CAST_LAYOUT},
    {"string", "dictionary<values=large_string, indices=int32, ordered=0>",
     ARMI_CAST_CHECKED},
    {"int64", "dictionary<values=int64, indices=uint16, ordered=0>", ARMI_CAST_CHECKED},
    {"dictionary<values=string, indices=int16, ordered=0>",
     "dictionary<values=string_view, indices=int64, ordered=0>", ARMI_CAST_LAYOUT},
    {"dictionary<values=string, indices=int32, ordered=0>",
     "dictionary<values=string, indices=int16, ordered=0>", ARMI_CAST_CHECKED},
    {"run_end_encoded<run_ends: int32, values: string>", "string", ARMI_CAST_LAYOUT},
    {"run_end_encoded<run_ends: int32, values: string>", "large_string", ARMI_CAST_LAYOUT},
    {"string", "run_end_encoded<run_ends: int32, values: string>", ARMI_CAST_CHECKED},
    {"double", "run_end_encoded<run_ends: int64, values: double>", ARMI_CAST_LAYOUT},
    {"dictionary<values=string, indices=int16, ordered=0>",
     "run_end_encoded<run_ends: int64, values: string>", ARMI_CAST_LAYOUT},
    {"run_end_encoded<run_ends: int16, values: string>",
     "dictionary<values=string, indices=int32, ordered=0>", ARMI_CAST_CHECKED},
};

static void layouts_change_and_values_stay(void **state)
{
    (void)state;
    struct model_random random = {1};
    for (size_t p = 0; p < sizeof same_values / sizeof same_values[0]; p++) {
        struct armi_field from = type_of(same_values[p].from),
                          to = type_of(same_values[p].to);
        assert_int_equal(armi_cast_possible(&from, &to, NULL), same_values[p].kind);
        for (unsigned round = 0; round < 12; round++) {
            struct model model = {NULL};
            struct armi_error err = ARMI_ERROR_INIT;
            struct model_column column, result;
            struct ArrowArray out, copy;
            struct armi_holder *holder;
            size_t count = model_below(&random, 90);
            struct model_value *rows =
                model_random_rows(&model, &from, &random, count, (round % 3) * 5);
            model_column_init(&column, &model, same_values[p].from, rows, count,
                              MODEL_NOISE, &random);
            ok(armi_cast(&column.view, &to, NULL, &out, &err));
            model_column_adopt(&result, &to, &out);
            assert_int_equal(result.view.length, count);
            model_assert(&model, &result.view, 0, rows, count, same_values[p].to);
            model_column_release(&result);
            /* With a holder the result outlives the array it came from. */
            model_build(&model, &from, rows, count, MODEL_NOISE, &random, &copy);
            ok(armi_array_hold(&copy, &holder, &err));
            struct armi_array view;
            ok(armi_array_init(&from, armi_holder_array(holder), ARMI_VALIDATE_FULL, &view,
                               &err));
            ok(armi_cast(&view, &to, holder, &out, &err));
            armi_array_release(&view);
            armi_holder_unref(holder);
            model_column_adopt(&result, &to, &out);
            model_assert(&model, &result.view, 0, rows, count, same_values[p].to);
            model_column_release(&result);
            model_column_release(&column);
            model_release(&model);
        }
        armi_field_release(&from);
        armi_field_release(&to);
    }
}

static void null_becomes_anything(void **state)
{
    (void)state;
    struct model model = {NULL};
    struct model_random random = {2};
    struct armi_error err = ARMI_ERROR_INIT;
    struct model_value rows[5] = {{.is_null = true},
                                  {.is_null = true},
                                  {.is_null = true},
                                  {.is_null = true},
                                  {.is_null = true}};
    struct model_column nulls;
    model_column_init(&nulls, &model, "null", rows, 5, MODEL_NOISE, &random);
    for (const char *const *type = model_types; *type != NULL; type++) {
        struct armi_field to = type_of(*type);
        struct ArrowArray out;
        struct model_column result;
        ok(armi_cast(&nulls.view, &to, NULL, &out, &err));
        model_column_adopt(&result, &to, &out);
        model_assert(&model, &result.view, 0, rows, 5, *type);
        model_column_release(&result);
        armi_field_release(&to);
    }
    model_column_release(&nulls);
    model_release(&model);
}

/* One value, cast; the result's bytes. */
static void one(const char *from, const void *bytes, size_t size, const char *to,
                const void *expected, size_t expected_size)
{
    struct model model = {NULL};
    struct model_random random = {3};
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field to_field = type_of(to);
    struct model_column column, result;
    struct ArrowArray out;
    uint8_t copy[64];
    memcpy(copy, bytes, size);
    struct model_value rows[] = {{.is_null = true}, {.size = size, .bytes = copy}};
    model_column_init(&column, &model, from, rows, 2, MODEL_NOISE, &random);
    enum armi_cast_kind kind = armi_cast_possible(&column.field, &to_field, NULL);
    assert_true(kind == ARMI_CAST_WIDEN || kind == ARMI_CAST_CHECKED);
    ok(armi_cast(&column.view, &to_field, NULL, &out, &err));
    model_column_adopt(&result, &to_field, &out);
    struct armi_slice value = armi_array_bytes(&result.view, 1);
    assert_true(armi_array_is_null(&result.view, 0));
    assert_int_equal(value.size, expected_size);
    if (memcmp(value.data, expected, expected_size) != 0)
        fail_msg("%s to %s", from, to);
    model_column_release(&result);
    model_column_release(&column);
    armi_field_release(&to_field);
    model_release(&model);
}

static void integers_and_floats_widen(void **state)
{
    (void)state;
    static const uint8_t ones[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const char *const ints[] = {"int8", "int16", "int32", "int64"};
    static const char *const uints[] = {"uint8", "uint16", "uint32", "uint64"};
    for (size_t a = 0; a < 4; a++) {
        for (size_t b = a + 1; b < 4; b++) {
            uint8_t zero_extended[8] = {0};
            memset(zero_extended, 0xff, (size_t)1 << a);
            one(ints[a], ones, (size_t)1 << a, ints[b], ones, (size_t)1 << b);
            one(uints[a], ones, (size_t)1 << a, uints[b], zero_extended, (size_t)1 << b);
            one(uints[a], ones, (size_t)1 << a, ints[b], zero_extended, (size_t)1 << b);
        }
    }
    float f = -1.5f, tiny = 0x1p-24f;
    double d = -1.5, tiny_d = 0x1p-24, one_d = 1.0;
    one("float", &f, 4, "double", &d, 8);
    one("halffloat", "\x00\x3c", 2, "double", &one_d, 8);
    one("halffloat", "\x01\x00", 2, "float", &tiny, 4);
    one("halffloat", "\x01\x00", 2, "double", &tiny_d, 8);
    one("halffloat", "\x00\x80", 2, "float", "\x00\x00\x00\x80", 4);
    one("halffloat", "\x00\xfc", 2, "double", "\x00\x00\x00\x00\x00\x00\xf0\xff", 8);
    /* A signalling NaN keeps its payload. */
    one("float", "\x01\x00\x80\xff", 4, "double", "\x00\x00\x00\x20\x00\x00\xf0\xff", 8);
    one("halffloat", "\x01\x7c", 2, "float", "\x00\x20\x80\x7f", 4);
}

static void decimals_gain_digits(void **state)
{
    (void)state;
    int32_t v = -1234;
    uint8_t same[32], shifted[32], big[32];
    int64_t expected = -1234, times = -123400;
    memset(same, 0xff, 32);
    memset(shifted, 0xff, 32);
    memcpy(same, &expected, 8);
    memcpy(shifted, &times, 8);
    one("decimal32(5, 2)", &v, 4, "decimal64(7, 2)", same, 8);
    one("decimal32(5, 2)", &v, 4, "decimal128(20, 2)", same, 16);
    one("decimal32(5, 2)", &v, 4, "decimal256(50, 4)", shifted, 32);
    one("decimal32(5, 2)", &v, 4, "decimal32(7, 4)", shifted, 4);
    /* 10^17 * 10^21 = 10^38: carries through the words. */
    uint64_t e17 = UINT64_C(100000000000000000);
    memset(big, 0, 32);
    armi_store64(big, UINT64_C(0x098a224000000000));
    armi_store64(big + 8, UINT64_C(0x4b3b4ca85a86c47a));
    one("decimal64(18, 0)", &e17, 8, "decimal256(60, 21)", big, 32);
}

static void finer_units_are_checked(void **state)
{
    (void)state;
    int64_t seconds = -1357034400, nanos = -1357034400000000000, max = INT64_MAX / 1000;
    int32_t time = 86399, millis = 86399000;
    int64_t top = max * 1000;
    one("timestamp[s]", &seconds, 8, "timestamp[ns]", &nanos, 8);
    one("timestamp[us, tz=UTC]", &max, 8, "timestamp[ns, tz=UTC]", &top, 8);
    one("duration[s]", &seconds, 8, "duration[ns]", &nanos, 8);
    one("time32[s]", &time, 4, "time32[ms]", &millis, 4);
    int64_t time_nanos = INT64_C(86399000000000);
    one("time32[ms]", &millis, 4, "time64[ns]", &time_nanos, 8);
    struct model model = {NULL};
    struct model_random random = {4};
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field to = type_of("timestamp[ns]");
    struct ArrowArray out = {.release = NULL};
    struct model_column column;
    int64_t small = 7, large = max + 1;
    struct model_value rows[] = {{.size = 8, .bytes = (uint8_t *)&small},
                                 {.is_null = true},
                                 {.size = 8, .bytes = (uint8_t *)&large}};
    model_column_init(&column, &model, "timestamp[us]", rows, 3, MODEL_NOISE, &random);
    fails(ARMI_INVALID, armi_cast(&column.view, &to, NULL, &out, &err));
    assert_string_equal(err.message,
                        "column \"c\": row 2: timestamp 9223372036854776 us does not "
                        "fit into timestamp[ns]");
    assert_string_equal(err.name, "c");
    assert_null(out.release);
    model_column_release(&column);
    armi_field_release(&to);
    model_release(&model);
}

static void what_could_lose_anything_is_refused(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"int64", "int32"},
        {"int32", "uint64"},
        {"uint32", "int32"},
        {"int64", "double"},
        {"int32", "string"},
        {"double", "float"},
        {"string", "binary"},
        {"binary", "string"},
        {"bool", "int8"},
        {"int32", "date32[day]"},
        {"date32[day]", "timestamp[us]"},
        {"timestamp[ns]", "timestamp[us]"},
        {"timestamp[us]", "timestamp[us, tz=UTC]"},
        {"timestamp[us, tz=UTC]", "timestamp[us]"},
        {"timestamp[us, tz=UTC]", "timestamp[ns, tz=Europe/Berlin]"},
        {"decimal128(10, 2)", "decimal128(10, 3)"},
        {"decimal128(10, 2)", "decimal128(11, 1)"},
        {"decimal128(10, 2)", "decimal128(9, 2)"},
        {"fixed_size_binary[4]", "fixed_size_binary[5]"},
        {"fixed_size_list<item: int8>[2]", "fixed_size_list<item: int8>[3]"},
        {"list<item: int64>", "list<item: int32>"},
        {"struct<a: int32>", "struct<b: int32>"},
        {"struct<a: int32>", "struct<a: int32, b: int32>"},
        {"dictionary<values=int64, indices=int8, ordered=0>", "int32"},
        {"string", "dictionary<values=binary, indices=int8, ordered=0>"},
        {"string", "null"},
    };
    for (size_t p = 0; p < sizeof pairs / sizeof pairs[0]; p++) {
        struct armi_field from = type_of(pairs[p][0]), to = type_of(pairs[p][1]);
        const char *reason = NULL;
        if (armi_cast_possible(&from, &to, &reason) != ARMI_CAST_NONE || reason == NULL)
            fail_msg("%s to %s is allowed", pairs[p][0], pairs[p][1]);
        armi_field_release(&from);
        armi_field_release(&to);
    }
    struct model model = {NULL};
    struct model_random random = {5};
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field to = type_of("int32");
    struct ArrowArray out = {.release = NULL};
    struct model_column column;
    model_column_init(&column, &model, "int64", NULL, 0, MODEL_PLAIN, &random);
    fails(ARMI_SCHEMA_MISMATCH, armi_cast(&column.view, &to, NULL, &out, &err));
    assert_string_equal(err.message,
                        "column \"c\": cannot cast int64 to int32: it is narrower");
    assert_string_equal(err.kind, "column");
    assert_null(out.release);
    model_column_release(&column);
    armi_field_release(&to);
    model_release(&model);
}

static void too_many_entries_are_refused(void **state)
{
    (void)state;
    struct model model = {NULL};
    struct model_random random = {6};
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field to = type_of("dictionary<values=int64, indices=int8, ordered=0>");
    struct ArrowArray out = {.release = NULL};
    int64_t values[129];
    struct model_value rows[129];
    struct model_column column;
    for (int64_t i = 0; i < 129; i++) {
        values[i] = i;
        rows[i] = (struct model_value){.size = 8, .bytes = (uint8_t *)&values[i]};
    }
    model_column_init(&column, &model, "int64", rows, 129, MODEL_PLAIN, &random);
    fails(ARMI_LIMIT, armi_cast(&column.view, &to, NULL, &out, &err));
    column.view.length = 128;
    ok(armi_cast(&column.view, &to, NULL, &out, &err));
    armi_arrow_array_release(&out);
    model_column_release(&column);
    armi_field_release(&to);
    model_release(&model);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    struct model_random random = {7};
    for (size_t p = 0; p < sizeof same_values / sizeof same_values[0]; p++) {
        struct model model = {NULL};
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_field from = type_of(same_values[p].from),
                          to = type_of(same_values[p].to);
        struct model_column column;
        struct model_value *rows = model_random_rows(&model, &from, &random, 20, 4);
        model_column_init(&column, &model, same_values[p].from, rows, 20, MODEL_NOISE,
                          &random);
        for (size_t n = 1;; n++) {
            struct ArrowArray out = {.release = NULL};
            fault_alloc_begin(n, false);
            enum armi_status status = armi_cast(&column.view, &to, NULL, &out, &err);
            armi_arrow_array_release(&out);
            bool fired = fault_alloc_end();
            assert_int_equal(status, fired ? ARMI_NO_MEMORY : ARMI_OK);
            if (!fired)
                break;
        }
        model_column_release(&column);
        armi_field_release(&from);
        armi_field_release(&to);
        model_release(&model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_change_and_values_stay),
        cmocka_unit_test(null_becomes_anything),
        cmocka_unit_test(integers_and_floats_widen),
        cmocka_unit_test(decimals_gain_digits),
        cmocka_unit_test(finer_units_are_checked),
        cmocka_unit_test(what_could_lose_anything_is_refused),
        cmocka_unit_test(too_many_entries_are_refused),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
