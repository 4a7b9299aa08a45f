/*
 * Floats as text, against the C library's conversions, which are exact.
 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "arrow_gen.h"
#include "io/float_text.h"

static void write_text(double v, enum armi_float_kind kind, char *out)
{
    out[armi_float_write(v, kind, out)] = '\0';
}

static void assert_text(double v, enum armi_float_kind kind, const char *expected)
{
    char text[ARMI_FLOAT_TEXT_SIZE + 1];
    write_text(v, kind, text);
    assert_string_equal(text, expected);
}

static void floats_are_written_as_short_as_can_be(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0.1, "0.1"},
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-5, "-5.0"},
        {100, "100.0"},
        {123456789012345680.0, "1.2345678901234568e17"},
        {1e15, "1000000000000000.0"},
        {1e16, "1e16"},
        {1e22, "1e22"},
        {1e23, "1e23"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {5e-324, "5e-324"},
        {0.00001, "0.00001"},
        {0.000001, "1e-6"},
        {0.30000000000000004, "0.30000000000000004"},
        {3.141592653589793, "3.141592653589793"},
        {9007199254740993.0, "9007199254740992.0"},
        {0.000012345, "0.000012345"},
        {5.960464477539063e-8, "5.960464477539063e-8"}, /* 2^-24: closer below than above */
        {12.5, "12.5"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "NaN"},
        {-NAN, "NaN"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_text(cases[i].v, ARMI_FLOAT_DOUBLE, cases[i].text);
    assert_text(0.1f, ARMI_FLOAT_SINGLE, "0.1");
    assert_text(16777216.0f, ARMI_FLOAT_SINGLE, "16777216.0");
    assert_text(3.4028235e38f, ARMI_FLOAT_SINGLE, "3.4028235e38");
    assert_text(1e-45f, ARMI_FLOAT_SINGLE, "1e-45");
    assert_text(1.17549435e-38f, ARMI_FLOAT_SINGLE, "1.1754944e-38");
    assert_text(0.0999755859375, ARMI_FLOAT_HALF, "0.1");
    assert_text(65504, ARMI_FLOAT_HALF, "65500.0");
}

/* The mantissa's digits before and behind the point, without zeros at the end. */
static int digits_of(const char *text)
{
    int count = 0, zeros = 0;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (count == 0 && *text == '0'))
            continue;
        count++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    return count - zeros;
}

static double random_double(uint64_t *seed)
{
    uint64_t bits = arrow_gen_next(seed), how = arrow_gen_next(seed) % 5;
    double v;
    memcpy(&v, &bits, sizeof v);
    if (how == 1) /* money, measures */
        v = (double)(int64_t)(bits % 100000000) / 100;
    else if (how == 2)
        v = ldexp((double)(bits >> 11), (int)(bits % 120) - 100);
    else if (how == 3)
        v = ldexp(1, (int)(bits % 2000) - 1000);
    else if (how == 4)
        v = (double)(bits >> 11) / 9007199254740992.0;
    return isfinite(v) ? v : 1;
}

/* No text with fewer digits reads as v. */
static void assert_shortest(double v, const char *text)
{
    char shorter[64];
    int digits = digits_of(text);
    if (digits <= 1)
        return;
    snprintf(shorter, sizeof shorter, "%.*e", digits - 2, v);
    assert_true(strtod(shorter, NULL) != v);
}

static void doubles_read_back_to_the_bit(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 200000; i++) {
        char text[ARMI_FLOAT_TEXT_SIZE + 1];
        double v = random_double(&seed);
        write_text(v, ARMI_FLOAT_DOUBLE, text);
        double back = strtod(text, NULL);
        if (memcmp(&back, &v, sizeof v) != 0)
            fail_msg("%.17g was written as %s", v, text);
        assert_shortest(v, text);
    }
}

static void singles_read_back_to_the_bit(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int i = 0; i < 100000; i++) {
        char text[ARMI_FLOAT_TEXT_SIZE + 1];
        uint32_t bits = (uint32_t)arrow_gen_next(&seed);
        float v;
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        write_text((double)v, ARMI_FLOAT_SINGLE, text);
        float back = strtof(text, NULL);
        if (memcmp(&back, &v, sizeof v) != 0)
            fail_msg("%.9g was written as %s", (double)v, text);
    }
}

static void decimals_are_read_as_the_nearest_double(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 200000; i++) {
        char text[64];
        uint64_t m = arrow_gen_next(&seed) >> (arrow_gen_next(&seed) % 64);
        int e = (int)(arrow_gen_next(&seed) % 80) - 40;
        int n = snprintf(text, sizeof text, "%llue%d", (unsigned long long)m, e);
        struct armi_decimal_text decimal = {.mantissa = m, .exponent = e};
        double v;
        assert_true(armi_float_nearest(&decimal, (const uint8_t *)text, (size_t)n, &v));
        double expected = strtod(text, NULL);
        if (memcmp(&v, &expected, sizeof v) != 0)
            fail_msg("%s was read as %.17g", text, v);
    }
}

static void what_no_double_can_hold_is_refused(void **state)
{
    (void)state;
    double v = 7;
    struct armi_decimal_text large = {.mantissa = 1, .exponent = 999};
    struct armi_decimal_text small = {.mantissa = 1, .exponent = -999};
    struct armi_decimal_text zero = {.mantissa = 0, .exponent = 999};
    assert_false(armi_float_nearest(&large, (const uint8_t *)"1e999", 5, &v));
    assert_false(armi_float_nearest(&small, (const uint8_t *)"1e-999", 6, &v));
    assert_true(v == 7);
    assert_true(armi_float_nearest(&zero, (const uint8_t *)"0e999", 5, &v));
    assert_true(v == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_written_as_short_as_can_be),
        cmocka_unit_test(doubles_read_back_to_the_bit),
        cmocka_unit_test(singles_read_back_to_the_bit),
        cmocka_unit_test(decimals_are_read_as_the_nearest_double),
        cmocka_unit_test(what_no_double_can_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
