/*
 * Numbers: digits to integers, floats and exact orders, against 128-bit arithmetic and known values.
 */
#include "test.h"

#include <math.h>

#include "arrow_gen.h"
#include "predicate/key_set.h"
#include "predicate/number.h"

/* "-12.5e3" */
static struct armi_number number(struct armi_arena *arena, const char *text)
{
    struct armi_number n;
    bool too_long, is_negative = text[0] == '-';
    text += is_negative;
    assert_true(armi_number_parse((struct armi_slice){(const uint8_t *)text, strlen(text)},
                                  is_negative, arena, &n, &too_long));
    return n;
}

static void numbers_compare_by_value(void **state)
{
    (void)state;
    static const char *const rising[] = {"-1e400",
                                         "-123456789012345678901234567890",
                                         "-10.01",
                                         "-10",
                                         "-0.5",
                                         "-5e-400",
                                         "0",
                                         "5e-400",
                                         "0.4999",
                                         "0.5",
                                         "0.50000000000000000000000000001",
                                         "9",
                                         "10",
                                         "11",
                                         "1e2",
                                         "100.1",
                                         "1e400"};
    static const char *const same[][2] = {
        {"0", "-0.000"}, {"1e2", "100"}, {"0.010", "1e-2"}, {"00012", "12"},
        {".5", "0.5"},   {"5.", "5"},    {"0e99", "0"},     {"10e-1", "1"}};
    struct armi_arena arena = {0};
    size_t count = sizeof rising / sizeof rising[0];
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            struct armi_number a = number(&arena, rising[i]), b = number(&arena, rising[k]);
            assert_int_equal(armi_number_compare(&a, &b), i < k ? -1 : i > k);
        }
    }
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct armi_number a = number(&arena, same[i][0]), b = number(&arena, same[i][1]);
        assert_int_equal(armi_number_compare(&a, &b), 0);
    }
    armi_arena_release(&arena);
}

static void floors_are_exact_or_below(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t scale;
        int over;
        int64_t floor;
        bool exact;
    } cases[] = {
        {"0", 0, 0, 0, true},
        {"1.5", 0, 0, 1, false},
        {"-1.5", 0, 0, -2, false},
        {"1.5", 1, 0, 15, true},
        {"-1.5", 1, 0, -15, true},
        {"150", -2, 0, 1, false},
        {"-150", -2, 0, -2, false},
        {"0.001", 0, 0, 0, false},
        {"-0.001", 0, 0, -1, false},
        {"1e-999999", 0, 0, 0, false},
        {"12e3", 0, 0, 12000, true},
        {"-9223372036854775808", 0, 0, INT64_MIN, true},
        {"1e77", 0, 1, 0, true},
        {"-1e99", 0, -1, 0, true},
        {"57896044618658097711785492504343953926634992332820282019728792003956564819968", 0,
         1, 0, true},
    };
    struct armi_arena arena = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct armi_number n = number(&arena, cases[i].text);
        struct armi_wide wide;
        bool exact;
        int over = armi_number_floor(&n, cases[i].scale, &wide, &exact);
        assert_int_equal(over, cases[i].over);
        if (over != 0)
            continue;
        struct armi_wide wanted = armi_wide_of_int(cases[i].floor);
        assert_memory_equal(&wide, &wanted, sizeof wide);
        assert_int_equal(exact, cases[i].exact);
    }
    armi_arena_release(&arena);
}

static void the_nearest_float_is_found(void **state)
{
    (void)state;
    struct armi_arena arena = {0};
    struct armi_number tenth = number(&arena, "0.1"), large = number(&arena, "65519.9");
    struct armi_number over = number(&arena, "65520"),
                       odd = number(&arena, "9007199254740993");
    assert_true(armi_number_nearest(&tenth, 64) == 0.1);
    assert_true(armi_number_nearest(&tenth, 32) == (double)0.1f);
    assert_true(armi_number_nearest(&tenth, 16) == 0.0999755859375);
    assert_true(armi_number_nearest(&large, 16) == 65504);
    assert_true(isinf(armi_number_nearest(&over, 16)));
    assert_true(armi_number_nearest(&odd, 64) == 9007199254740992.0);
    assert_int_equal(armi_number_order_double(&odd, 9007199254740992.0), 1);
    assert_int_equal(armi_number_order_double(&odd, 9007199254740994.0), -1);
    armi_arena_release(&arena);
}

static void wide_numbers_and_doubles_compare_exactly(void **state)
{
    (void)state;
    const struct armi_wide one = armi_wide_of_int(1), ten = armi_wide_of_int(10);
    const struct armi_wide zero = armi_wide_of_int(0), minus = armi_wide_of_int(-1);
    const struct armi_wide least = {{0, 0, 0, UINT64_C(1) << 63}};
    assert_int_equal(armi_wide_order_double(&one, 1, 0.1),
                     -1); /* 0.1 < 0.1000000000000000055 */
    assert_int_equal(armi_wide_order_double(&minus, 1, -0.1), 1);
    assert_int_equal(armi_wide_order_double(&ten, 1, 1.0), 0);
    assert_int_equal(armi_wide_order_double(&ten, -1, 100.0), 0);
    assert_int_equal(armi_wide_order_double(&one, 76, 5e-324), 1);
    assert_int_equal(armi_wide_order_double(&zero, 0, 5e-324), -1);
    assert_int_equal(armi_wide_order_double(&zero, 0, -5e-324), 1);
    assert_int_equal(armi_wide_order_double(&least, 0, -ldexp(1, 255)), 0);
    assert_int_equal(armi_wide_order_double(&least, 0, -1.7e308), 1);
    assert_int_equal(armi_wide_order_double(&one, 0, (double)INFINITY), -1);
    assert_int_equal(armi_wide_order_double(&one, 0, -(double)INFINITY), 1);
    assert_int_equal(armi_wide_order_scaled(&ten, 1, &one, 0), 0);
    assert_int_equal(armi_wide_order_scaled(&ten, 76, &one, -76), -1);
    assert_int_equal(armi_wide_order_scaled(&minus, 76, &one, -76), -1);
    assert_int_equal(armi_wide_order_scaled(&least, -76, &minus, 76), -1);
}

static void random_integers_and_doubles_compare_exactly(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 20000; i++) {
        int64_t v = (int64_t)(arrow_gen_next(&seed) >> (arrow_gen_next(&seed) % 64));
        int64_t near = v + (int64_t)(arrow_gen_next(&seed) % 5) - 2;
        double d = (double)near; /* a whole number: exact in 128 bits */
        struct armi_wide wide = armi_wide_of_int(v);
        int wanted = (__int128_t)v < (__int128_t)d ? -1 : (__int128_t)v > (__int128_t)d;
        assert_int_equal(armi_wide_order_double(&wide, 0, d), wanted);
    }
}

static void keys_rise_with_doubles(void **state)
{
    (void)state;
    const double rising[] = {-(double)INFINITY, -1.5,       -5e-324, 0, 5e-324, 1,
                             (double)INFINITY,  (double)NAN};
    for (size_t i = 0; i + 1 < sizeof rising / sizeof rising[0]; i++)
        assert_true(armi_key_of_double(rising[i]) < armi_key_of_double(rising[i + 1]));
    assert_true(armi_key_of_double(-0.0) == armi_key_of_double(0.0));
    assert_true(armi_key_of_double((double)NAN) == ARMI_KEY_NAN);
    assert_true(armi_key_to_double(armi_key_of_double(-1.5)) == -1.5);
}

static struct armi_key key(uint64_t v)
{
    return armi_key_of_u64(v);
}

static void sets_join_and_turn_round(void **state)
{
    (void)state;
    struct armi_arena arena = {0};
    struct armi_key_range ranges[] = {
        {key(7), key(9)}, {key(1), key(1)}, {key(2), key(2)}, {key(8), key(12)}};
    struct armi_key_range domain = {key(0), key(255)}, between = {key(3), key(6)};
    struct armi_key_set set = {4, ranges}, other, back;
    armi_key_set_normalise(&set);
    assert_int_equal(set.count, 2);
    assert_int_equal(set.ranges[0].high.w[0], 2);
    assert_int_equal(set.ranges[1].high.w[0], 12);
    assert_false(armi_key_set_meets(&set, &between));
    assert_true(armi_key_set_complement(&set, &domain, &arena, &other));
    assert_int_equal(other.count, 3);
    assert_true(armi_key_set_meets(&other, &between));
    assert_true(armi_key_set_complement(&other, &domain, &arena, &back));
    assert_int_equal(back.count, set.count);
    assert_memory_equal(back.ranges, set.ranges, set.count * sizeof *set.ranges);
    for (uint64_t v = 0; v < 256; v++) {
        struct armi_key at = key(v);
        assert_int_equal(armi_key_set_has(&set, &at), !armi_key_set_has(&other, &at));
    }
    struct armi_key_set none = {0, NULL};
    assert_true(armi_key_set_complement(&none, &domain, &arena, &other));
    assert_true(armi_key_set_complement(&other, &domain, &arena, &back));
    assert_int_equal(back.count, 0);
    armi_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_compare_by_value),
        cmocka_unit_test(floors_are_exact_or_below),
        cmocka_unit_test(the_nearest_float_is_found),
        cmocka_unit_test(wide_numbers_and_doubles_compare_exactly),
        cmocka_unit_test(random_integers_and_doubles_compare_exactly),
        cmocka_unit_test(keys_rise_with_doubles),
        cmocka_unit_test(sets_join_and_turn_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
