#include "test.h"

#include <math.h>

#include "arrow/compare.h"
#include "arrow/schema_text.h"
#include "arrow/stats.h"
#include "arrow_model.h"
#include "base/text.h"

static bool is_nan(const struct armi_array *array, int64_t i)
{
    const struct armi_array *a = array;
    return armi_array_resolve(&a, &i) && armi_type_is_float(a->field->type) &&
           isnan(armi_array_double(a, i));
}

/* What the statistics claim, held against every row. */
static void check_claims(const struct armi_array *array, const struct armi_stats *s,
                         const char *what)
{
    uint64_t nulls = 0, values = 0, at_min = 0, at_max = 0;
    bool has_nan = false, is_ordered = armi_stats_is_ordered(array->field);
    for (int64_t i = 0; i < array->length; i++) {
        uint8_t low[16], high[16];
        if (armi_array_is_null(array, i)) {
            nulls++;
            continue;
        }
        if (is_nan(array, i)) {
            has_nan = true;
            continue;
        }
        values++;
        if (!is_ordered)
            continue;
        bool low_exact, high_exact;
        int low_size = armi_stats_bound(array, i, false, low, &low_exact);
        int high_size = armi_stats_bound(array, i, true, high, &high_exact);
        if (s->flags & ARMI_STATS_MIN) {
            assert_true(low_size >= 0);
            int order = armi_stats_compare(s->min, s->min_size, low, (size_t)low_size);
            assert_true(order <= 0);
            at_min += order == 0 && low_exact;
        }
        if (s->flags & ARMI_STATS_MAX) {
            assert_true(high_size >= 0);
            int order = armi_stats_compare(s->max, s->max_size, high, (size_t)high_size);
            assert_true(order >= 0);
            at_max += order == 0 && high_exact;
        }
    }
    if (s->null_count != nulls || s->rows != (uint64_t)array->length)
        fail_msg("%s: wrong counts", what);
    assert_true((s->flags & ARMI_STATS_NULLS_EXACT) != 0);
    assert_int_equal((s->flags & ARMI_STATS_NONE) != 0, values == 0);
    if (is_ordered)
        assert_int_equal((s->flags & ARMI_STATS_NAN) != 0, has_nan);
    if (values != 0 && is_ordered && strstr(what, "256") == NULL &&
        strstr(what, "binary") == NULL)
        assert_true((s->flags & ARMI_STATS_MIN) != 0 && (s->flags & ARMI_STATS_MAX) != 0);
    assert_int_equal((s->flags & ARMI_STATS_MIN_EXACT) != 0, at_min != 0);
    assert_int_equal((s->flags & ARMI_STATS_MAX_EXACT) != 0, at_max != 0);
}

static void bounds_hold_for_every_row_of_every_type(void **state)
{
    (void)state;
    struct model_random random = {1};
    for (const char *const *type = model_types; *type != NULL; type++) {
        for (unsigned round = 0; round < 20; round++) {
            struct model model = {NULL};
            struct armi_error err = ARMI_ERROR_INIT;
            struct armi_field field;
            struct model_column column;
            struct armi_stats whole, parts, part;
            ok(armi_type_parse(*type, &field, &err));
            size_t count = strstr(*type, "int8") != NULL ? 50 : model_below(&random, 200);
            struct model_value *rows =
                model_random_rows(&model, &field, &random, count, (round % 4) * 5);
            model_column_init(&column, &model, *type, rows, count, MODEL_NOISE, &random);
            armi_stats_init(&whole);
            armi_stats_update(&whole, &column.view, 0, (int64_t)count);
            check_claims(&column.view, &whole, *type);
            /* Merged from parts, or added piece by piece, they are the same. */
            armi_stats_init(&parts);
            for (size_t at = 0; at < count;) {
                size_t take = 1 + model_below(&random, count - at);
                armi_stats_init(&part);
                armi_stats_update(&part, &column.view, (int64_t)at, (int64_t)take);
                armi_stats_merge(&parts, &part);
                at += take;
            }
            if (memcmp(&parts, &whole, sizeof whole) != 0)
                fail_msg("%s: merging parts gives something else", *type);
            model_column_release(&column);
            armi_field_release(&field);
            model_release(&model);
        }
    }
}

/* memcmp of bounds is the order of values. */
static void bounds_sort_as_values_do(void **state)
{
    (void)state;
    struct model_random random = {2};
    for (const char *const *type = model_types; *type != NULL; type++) {
        struct model model = {NULL};
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_field field;
        struct model_column column;
        ok(armi_type_parse(*type, &field, &err));
        if (armi_stats_is_ordered(&field)) {
            struct model_value *rows = model_random_rows(&model, &field, &random, 50, 0);
            model_column_init(&column, &model, *type, rows, 50, MODEL_NOISE, &random);
            for (int64_t i = 0; i < 50; i++) {
                for (int64_t k = 0; k < 50; k++) {
                    uint8_t a[16], b[16];
                    bool a_exact, b_exact;
                    if (is_nan(&column.view, i) || is_nan(&column.view, k))
                        continue;
                    int a_size = armi_stats_bound(&column.view, i, false, a, &a_exact);
                    int b_size = armi_stats_bound(&column.view, k, false, b, &b_exact);
                    if (!a_exact || !b_exact)
                        continue;
                    int order = armi_stats_compare(a, (size_t)a_size, b, (size_t)b_size);
                    int wanted = armi_compare_order(&column.view, i, &column.view, k, 0);
                    assert_int_equal((order > 0) - (order < 0),
                                     (wanted > 0) - (wanted < 0));
                }
            }
            model_column_release(&column);
        }
        armi_field_release(&field);
        model_release(&model);
    }
}

static void bound_of_text(const char *bytes, size_t size, bool upper, const char *hex,
                          bool exact)
{
    struct model model = {NULL};
    struct model_random random = {3};
    struct model_column column;
    struct model_value row = {.size = size};
    uint8_t copy[32], out[16];
    char text[33];
    bool is_exact;
    memcpy(copy, bytes, size);
    row.bytes = copy;
    model_column_init(&column, &model, "binary", &row, 1, MODEL_PLAIN, &random);
    int bound = armi_stats_bound(&column.view, 0, upper, out, &is_exact);
    if (hex == NULL) {
        assert_int_equal(bound, -1);
    } else {
        armi_hex_encode(out, (size_t)bound, text);
        assert_string_equal(text, hex);
    }
    assert_int_equal(is_exact, exact);
    model_column_release(&column);
    model_release(&model);
}

static void long_strings_are_rounded_to_the_right_side(void **state)
{
    (void)state;
    bound_of_text("0123456789abcdef", 16, true, "30313233343536373839616263646566", true);
    bound_of_text("0123456789abcdefg", 17, false, "30313233343536373839616263646566",
                  false);
    bound_of_text("0123456789abcdefg", 17, true, "30313233343536373839616263646567", false);
    bound_of_text("0123456789abcd\xff\xffg", 17, true, "3031323334353637383961626365",
                  false);
    bound_of_text("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                  17, true, NULL, false);
    bound_of_text("", 0, true, "", true);
}

/* An int column that was widened keeps its old bounds. */
static void bounds_survive_a_widening(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"int8", "int64"},
                                           {"uint16", "uint64"},
                                           {"float", "double"},
                                           {"decimal32(5, 2)", "decimal256(50, 2)"}};
    static const size_t widths[][2] = {{1, 8}, {2, 8}, {4, 8}, {4, 32}};
    for (size_t p = 0; p < 4; p++) {
        struct model model = {NULL};
        struct model_random random = {4};
        uint8_t narrow[32] = {0xf0, 0xff, 0xff, 0xff}, wide[32];
        memset(wide, p == 1 ? 0 : 0xff, sizeof wide);
        memcpy(wide, narrow, widths[p][0]);
        if (p == 2) {
            float f = -1.25f;
            double d = -1.25;
            memcpy(narrow, &f, 4);
            memcpy(wide, &d, 8);
        }
        struct model_value a = {.size = widths[p][0], .bytes = narrow};
        struct model_value b = {.size = widths[p][1], .bytes = wide};
        struct model_column from, to;
        struct armi_stats x, y;
        model_column_init(&from, &model, pairs[p][0], &a, 1, MODEL_PLAIN, &random);
        model_column_init(&to, &model, pairs[p][1], &b, 1, MODEL_PLAIN, &random);
        armi_stats_init(&x);
        armi_stats_init(&y);
        armi_stats_update(&x, &from.view, 0, 1);
        armi_stats_update(&y, &to.view, 0, 1);
        assert_memory_equal(&x, &y, sizeof x);
        model_column_release(&from);
        model_column_release(&to);
        model_release(&model);
    }
}

/* docs/format/statistics.md: the table of forms, and what people see. */
static void golden(const char *type, const char *bound, const char *text, bool exact)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field;
    struct armi_buf out = {0};
    uint8_t bytes[16];
    size_t size = strlen(bound) / 2;
    assert_true(armi_hex_decode(bound, bytes, size));
    ok(armi_type_parse(type, &field, &err));
    ok(armi_stats_format(&field, bytes, size, exact, &out, &err));
    ok(armi_buf_append_u8(&out, 0, &err));
    assert_string_equal((char *)out.data, text);
    fails(ARMI_CORRUPTION, armi_stats_format(&field, bytes, 17, exact, &out, &err));
    armi_buf_release(&out);
    armi_field_release(&field);
}

static void bounds_read_back_as_literals(void **state)
{
    (void)state;
    golden("bool", "01", "true", true);
    golden("int32", "800000000000002a", "42", true);
    golden("int8", "7fffffffffffffff", "-1", true);
    golden("uint64", "ffffffffffffffff", "18446744073709551615", true);
    golden("double", "bff8000000000000", "1.5", true);
    golden("double", "4007ffffffffffff", "-1.5", true);
    golden("float", "8000000000000000", "0", true);
    golden("double", "bfb999999999999a", "0.1", true);
    golden("decimal128(10, 2)", "8000000000000000000000000000007b", "1.23", true);
    golden("decimal128(10, 2)", "7fffffffffffffffffffffffffffffff", "-0.01", true);
    golden("decimal64(10, 0)", "80000000000000000000000000000007", "7", true);
    golden("date32[day]", "8000000000003d5a", "date '2013-01-01'", true);
    golden("date32[day]", "7fffffffffffffff", "date '1969-12-31'", true);
    golden("time64[us]", "800000000010c8e1", "time '00:00:01.100001'", true);
    golden("timestamp[us]", "8004d237315c2800", "timestamp '2013-01-01 10:00:00'", true);
    golden("timestamp[s, tz=UTC]", "8000000050e2b2a1", "timestamp '2013-01-01 09:55:45Z'",
           true);
    golden("duration[ms]", "80000000000005dc", "1500 ms", true);
    golden("string", "6974277320", "'it''s '", true);
    golden("string", "c3a9c3", "'\xc3\xa9'...", false);
    golden("binary", "00ff", "x'00ff'", true);
    golden("dictionary<values=string, indices=int8, ordered=0>", "41", "'A'", true);
}

static void stats_of(const char *type, const struct model_value *rows, size_t count,
                     struct armi_stats *out)
{
    struct model model = {NULL};
    struct model_random random = {5};
    struct model_column column;
    model_column_init(&column, &model, type, rows, count, MODEL_NOISE, &random);
    armi_stats_init(out);
    armi_stats_update(out, &column.view, 0, (int64_t)count);
    model_column_release(&column);
    model_release(&model);
}

static void nan_and_minus_zero_have_their_places(void **state)
{
    (void)state;
    double values[] = {NAN, -0.0, 0.0};
    struct model_value rows[] = {{.size = 8, .bytes = (uint8_t *)&values[0]},
                                 {.size = 8, .bytes = (uint8_t *)&values[1]},
                                 {.size = 8, .bytes = (uint8_t *)&values[2]},
                                 {.is_null = true}};
    static const uint8_t zero[8] = {0x80};
    struct armi_stats s;
    stats_of("double", rows, 4, &s);
    assert_memory_equal(s.min, zero, 8);
    assert_memory_equal(s.max, zero, 8);
    assert_int_equal(s.flags, ARMI_STATS_MIN | ARMI_STATS_MAX | ARMI_STATS_MIN_EXACT |
                                  ARMI_STATS_MAX_EXACT | ARMI_STATS_NULLS_EXACT |
                                  ARMI_STATS_NAN);
    stats_of("double", rows, 1, &s);
    assert_int_equal(s.flags, ARMI_STATS_NONE | ARMI_STATS_NULLS_EXACT | ARMI_STATS_NAN);
    stats_of("double", rows + 3, 1, &s);
    assert_int_equal(s.flags, ARMI_STATS_NONE | ARMI_STATS_NULLS_EXACT);
}

/* An unbounded side stays unbounded; nothing at all changes nothing. */
static void merging_keeps_what_is_unknown_unknown(void **state)
{
    (void)state;
    struct armi_stats unbounded, bounded, nothing;
    armi_stats_init(&unbounded);
    unbounded.flags = ARMI_STATS_NULLS_EXACT;
    unbounded.rows = 3;
    armi_stats_init(&nothing);
    nothing.null_count = nothing.rows = 2;
    armi_stats_init(&bounded);
    bounded.flags = ARMI_STATS_MIN | ARMI_STATS_MAX | ARMI_STATS_MIN_EXACT;
    bounded.min_size = bounded.max_size = 1;
    bounded.max[0] = 7;
    struct armi_stats s = bounded;
    armi_stats_merge(&s, &nothing);
    assert_int_equal(s.flags, bounded.flags);
    assert_memory_equal(s.max, bounded.max, sizeof s.max);
    s = nothing;
    armi_stats_merge(&s, &bounded);
    assert_int_equal(s.flags, bounded.flags);
    assert_int_equal(s.rows, 2);
    armi_stats_merge(&s, &unbounded);
    assert_int_equal(s.flags, 0);
    armi_stats_merge(&s, &bounded);
    assert_int_equal(s.flags, 0);
    s = unbounded;
    armi_stats_merge(&s, &bounded);
    assert_int_equal(s.flags, 0);
    s = bounded;
    armi_stats_loosen(&s);
    assert_int_equal(s.flags, ARMI_STATS_MIN | ARMI_STATS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_hold_for_every_row_of_every_type),
        cmocka_unit_test(bounds_sort_as_values_do),
        cmocka_unit_test(long_strings_are_rounded_to_the_right_side),
        cmocka_unit_test(bounds_survive_a_widening),
        cmocka_unit_test(bounds_read_back_as_literals),
        cmocka_unit_test(nan_and_minus_zero_have_their_places),
        cmocka_unit_test(merging_keeps_what_is_unknown_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
