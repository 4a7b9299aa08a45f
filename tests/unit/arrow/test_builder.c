#include "test.h"

#include <math.h>

#include "arrow/builder.h"
#include "arrow_gen.h"

static void generated(const struct armi_field *field, int64_t rows, unsigned null_every,
                      struct ArrowArray *array, struct armi_array *view)
{
    struct armi_error err = ARMI_ERROR_INIT;
    ok(arrow_gen_array(field, rows, null_every, 42 + (uint64_t)rows, array, &err));
    ok(armi_array_init(field, array, ARMI_VALIDATE_FULL, view, &err));
    assert_int_equal(view->length, rows);
}

static void a_value_survives_any_change_of_layout(void **state)
{
    (void)state;
    static const char *const groups[][6] = {
        {"string", "large_string", "string_view",
         "dictionary<values=string_view, indices=int8, ordered=0>",
         "run_end_encoded<run_ends: int32, values: large_string>",
         "dictionary<values=dictionary<values=string, indices=uint8, ordered=0>, "
         "indices=int64, "
         "ordered=0>"},
        {"int64", "dictionary<values=int64, indices=uint16, ordered=0>",
         "run_end_encoded<run_ends: int16, values: int64>", "int64", "int64", "int64"},
        {"list<item: string>", "large_list<item: string_view>",
         "list_view<item: large_string>", "large_list_view<item: string>",
         "run_end_encoded<run_ends: int64, values: list<item: string>>",
         "list<item: dictionary<values=string, indices=int32, ordered=0>>"},
    };
    for (size_t g = 0; g < 3; g++) {
        for (size_t pair = 0; pair < 36; pair++) {
            struct armi_error err = ARMI_ERROR_INIT;
            struct armi_field from = arrow_gen_field(groups[g][pair / 6]);
            struct armi_field to = arrow_gen_field(groups[g][pair % 6]);
            struct ArrowArray array, copy;
            struct armi_array view, copy_view;
            generated(&from, 50, 4, &array, &view);
            struct armi_builder *b;
            ok(armi_builder_new(&to, &b, &err));
            ok(armi_builder_reserve(b, view.length, &err));
            for (int64_t i = 0; i < view.length; i++)
                ok(armi_builder_append_value(b, &view, i, &err));
            ok(armi_builder_finish(b, &copy, &err));
            armi_builder_free(b);
            ok(armi_array_init(&to, &copy, ARMI_VALIDATE_FULL, &copy_view, &err));
            assert_int_equal(copy_view.length, view.length);
            arrow_gen_same_rows(groups[g][pair % 6], &view, 0, &copy_view);
            armi_array_release(&copy_view);
            armi_array_release(&view);
            copy.release(&copy);
            array.release(&array);
            armi_field_release(&from);
            armi_field_release(&to);
        }
    }
}

static void numbers_come_back_as_they_went_in(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int64_t min;
        uint64_t max;
    } cases[] = {
        {"int8", INT8_MIN, INT8_MAX},
        {"int16", INT16_MIN, INT16_MAX},
        {"int32", INT32_MIN, INT32_MAX},
        {"int64", INT64_MIN, INT64_MAX},
        {"uint8", 0, UINT8_MAX},
        {"uint16", 0, UINT16_MAX},
        {"uint32", 0, UINT32_MAX},
        {"uint64", 0, UINT64_MAX},
        {"bool", 0, 1},
        {"decimal32(4, 1)", -9999, 9999},
        {"decimal64(18, 1)", -999999999999999999, 999999999999999999},
        {"date32[day]", INT32_MIN, INT32_MAX},
        {"timestamp[ns]", INT64_MIN, INT64_MAX},
        {"month_interval", INT32_MIN, INT32_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_field field = arrow_gen_field(cases[i].type);
        struct armi_builder *b;
        ok(armi_builder_new(&field, &b, &err));
        ok(armi_builder_append_int(b, cases[i].min, &err));
        ok(armi_builder_append_uint(b, cases[i].max, &err));
        if (cases[i].min > INT64_MIN)
            fails(ARMI_INVALID, armi_builder_append_int(b, cases[i].min - 1, &err));
        if (cases[i].max < UINT64_MAX)
            fails(ARMI_INVALID, armi_builder_append_uint(b, cases[i].max + 1, &err));
        struct ArrowArray array;
        struct armi_array view;
        ok(armi_builder_finish(b, &array, &err));
        armi_builder_free(b);
        ok(armi_array_init(&field, &array, ARMI_VALIDATE_FULL, &view, &err));
        assert_int_equal(view.length, 2);
        assert_true(armi_array_int(&view, 0) == cases[i].min);
        assert_true((uint64_t)armi_array_int(&view, 1) == cases[i].max);
        assert_true(armi_array_double(&view, 1) == (double)cases[i].max);
        armi_array_release(&view);
        array.release(&array);
        armi_field_release(&field);
    }
}

static void halves_are_rounded_to_nearest_even(void **state)
{
    (void)state;
    static const struct {
        double in;
        uint16_t half;
        double out;
    } cases[] = {
        {0.0, 0, 0.0},
        {-0.0, 0x8000, -0.0},
        {1.0, 0x3c00, 1.0},
        {-2.5, 0xc100, -2.5},
        {65504, 0x7bff, 65504},
        {65519.9, 0x7bff, 65504},
        {65520, 0x7c00, (double)INFINITY},
        {-1e300, 0xfc00, -(double)INFINITY},
        {0x1p-24, 1, 0x1p-24},
        {0x1p-25, 0, 0},         /* tie, to even */
        {0x1.8p-24, 2, 0x1p-23}, /* tie, to even */
        {0x1.ff8p-15, 0x3ff, 0x1.ff8p-15},
        {0x1.fffp-15, 0x400, 0x1p-14}, /* rounds up out of the subnormals */
        {2049, 0x6800, 2048},
        {2051, 0x6802, 2052},
        {4095.5, 0x6c00, 4096},
    };
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field = arrow_gen_field("halffloat");
    struct armi_builder *b;
    ok(armi_builder_new(&field, &b, &err));
    size_t count = sizeof cases / sizeof cases[0];
    for (size_t i = 0; i < count; i++)
        ok(armi_builder_append_double(b, cases[i].in, &err));
    ok(armi_builder_append_double(b, (double)NAN, &err));
    struct ArrowArray array;
    struct armi_array view;
    ok(armi_builder_finish(b, &array, &err));
    armi_builder_free(b);
    ok(armi_array_init(&field, &array, ARMI_VALIDATE_FULL, &view, &err));
    for (size_t i = 0; i < count; i++) {
        if (armi_load16(armi_array_at(&view, (int64_t)i)) != cases[i].half)
            fail_msg("%a: %x", cases[i].in, armi_load16(armi_array_at(&view, (int64_t)i)));
        assert_true(armi_array_double(&view, (int64_t)i) == cases[i].out);
    }
    assert_true(isnan(armi_array_double(&view, (int64_t)count)));
    armi_array_release(&view);
    array.release(&array);
    armi_field_release(&field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_survives_any_change_of_layout),
        cmocka_unit_test(numbers_come_back_as_they_went_in),
        cmocka_unit_test(halves_are_rounded_to_nearest_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
