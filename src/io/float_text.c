/*
 * Both directions by exact integer arithmetic of 128 bits wherever powers of five up to
 * 5^27 suffice, which is practically all data; the C library's correctly rounded
 * conversions, under the C locale, do the rest.
 *
 * Writing: a double that has a text of at most 15 digits has it as its rounding to 15
 * digits without the zeros at the end. Else 16 digits are tried, then 17.
 */
#include "io/float_text.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POWER_MAX 27
#define TEXT_MAX  1200 /* no double has more than 1077 digits */

static const uint64_t five[POWER_MAX + 1] = {
    1u,
    5u,
    25u,
    125u,
    625u,
    3125u,
    15625u,
    78125u,
    390625u,
    1953125u,
    9765625u,
    48828125u,
    244140625u,
    1220703125u,
    6103515625u,
    30517578125u,
    152587890625u,
    762939453125u,
    3814697265625u,
    19073486328125u,
    95367431640625u,
    476837158203125u,
    2384185791015625u,
    11920928955078125u,
    59604644775390625u,
    298023223876953125u,
    1490116119384765625u,
    7450580596923828125u,
};

static const uint64_t ten[20] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
    10000000000000000000u,
};

/* The same object at every call, made by the C library without memory. */
static locale_t c_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static double power_of_two(int e)
{
    uint64_t bits = (uint64_t)(e + 1023) << 52;
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* v × 2^e, and a little more if `more`, rounded to `bits` bits, half to even. No result of
 * a caller is subnormal. */
static double round_to(__uint128_t v, bool more, int e, int bits)
{
    uint64_t high = (uint64_t)(v >> 64);
    int width = high != 0 ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll((uint64_t)v);
    if (width > bits) {
        int shift = width - bits;
        __uint128_t rest = v & (((__uint128_t)1 << shift) - 1);
        __uint128_t half = (__uint128_t)1 << (shift - 1);
        v >>= shift;
        e += shift;
        v += rest > half || (rest == half && (more || (v & 1) != 0));
    }
    return (double)(uint64_t)v * power_of_two(e);
}

/* mantissa × 10^exponent rounded to `bits` bits; |exponent| <= POWER_MAX. */
static double scale(uint64_t mantissa, int exponent, int bits)
{
    if (mantissa == 0)
        return 0;
    if (exponent >= 0)
        return round_to((__uint128_t)mantissa * five[exponent], false, exponent, bits);
    int lift = __builtin_clzll(mantissa), lift_five = __builtin_clzll(five[-exponent]);
    __uint128_t n = (__uint128_t)(mantissa << lift) << 63;
    uint64_t d = five[-exponent] << lift_five;
    return round_to(n / d, n % d != 0, lift_five - lift - 63 + exponent, bits);
}

/* ---- reading ---- */

static bool nearest_slow(const uint8_t *text, size_t size, double *out)
{
    char copy[TEXT_MAX];
    if (size >= sizeof copy)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    *out = strtod_l(copy, NULL, c_locale());
    return isfinite(*out);
}

bool armi_float_nearest(const struct armi_decimal_text *decimal, const uint8_t *text,
                        size_t size, double *out)
{
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    uint64_t m = decimal->mantissa;
    int64_t e = decimal->exponent;
    double v;
    if (m == 0 && !decimal->is_cut) {
        *out = decimal->is_negative ? -0.0 : 0.0;
        return true;
    }
    if (decimal->is_cut || e < -POWER_MAX || e > POWER_MAX) {
        if (!nearest_slow(text, size, &v) || v == 0)
            return false;
        *out = v;
        return true;
    }
    /* Both exact, so that one operation rounds once. */
    if (m <= UINT64_C(1) << 53 && e >= -22 && e <= 22)
        v = e < 0 ? (double)m / exact[-e] : (double)m * exact[e];
    else
        v = scale(m, (int)e, 53);
    *out = decimal->is_negative ? -v : v;
    return true;
}

/* ---- writing ---- */

struct kind_of {
    int bits; /* of the mantissa */
    int digits_min, digits_max;
    int power_max;    /* of ten, that leaves all steps exact */
    int exponent_min; /* of two; below, values are subnormal */
};

static const struct kind_of kinds[] = {
    [ARMI_FLOAT_DOUBLE] = {53, 15, 17, 40, -1022},
    [ARMI_FLOAT_SINGLE] = {24, 6, 9, 31, -126},
    [ARMI_FLOAT_HALF] = {11, 3, 5, 28, -14},
};

#define DIGITS    18 /* that are computed, exactly, before they are rounded to fewer */
#define POWER_MIN (-9)

/* `count` digits with a point behind the first, × 10^exponent. */
struct shortest {
    uint64_t digits;
    int count;
    int exponent;
};

/* floor(m × 2^e × 10^k), and whether something was left. Fits: the caller chose k so. */
static uint64_t scaled_floor(uint64_t m, int e, int k, bool *more)
{
    int shift = e + k;
    *more = false;
    if (k < 0) {
        __uint128_t v = (__uint128_t)m << shift;
        *more = v % five[-k] != 0;
        return (uint64_t)(v / five[-k]);
    }
    __uint128_t v = (__uint128_t)m * five[k];
    if (shift >= 0)
        return (uint64_t)(v << shift);
    *more = (v & (((__uint128_t)1 << -shift) - 1)) != 0;
    return (uint64_t)(v >> -shift);
}

/* Whether the rounding to `count` digits is v again. Below a power of two floats lie closer
 * than above, so that there the next text up can be v where the nearest is not. */
static bool try_digits(double v, bool is_power, const struct kind_of *kind,
                       const struct shortest *all, bool more, int count,
                       struct shortest *out)
{
    uint64_t unit = ten[DIGITS - count], rest = all->digits % unit;
    *out = (struct shortest){all->digits / unit, count, all->exponent};
    if (rest > unit / 2 || (rest == unit / 2 && (more || (out->digits & 1))))
        out->digits++;
    int power = out->exponent - count + 1;
    bool found = scale(out->digits, power, kind->bits) == v;
    if (!found && is_power)
        found = scale(++out->digits, power, kind->bits) == v;
    if (out->digits == ten[count]) {
        out->digits /= 10;
        out->exponent++;
    }
    return found;
}

/* v > 0 and within the powers of ten that are exact here, else false. */
static bool shortest_exact(double v, const struct kind_of *kind, struct shortest *out)
{
    int e;
    uint64_t m = (uint64_t)ldexp(frexp(v, &e), 53);
    e -= 53;
    /* log10(2) = 0.30103. At most one too low. */
    int power = (e + 52) * 30103 / 100000 - (e + 52 < 0);
    if (e + 52 < kind->exponent_min || power < POWER_MIN || power > kind->power_max)
        return false;
    bool more;
    struct shortest all = {scaled_floor(m, e, DIGITS - 1 - power, &more), DIGITS, power};
    if (all.digits >= ten[DIGITS]) {
        all.exponent++;
        all.digits = scaled_floor(m, e, DIGITS - 2 - power, &more);
    }
    bool is_power = (m & (m - 1)) == 0;
    for (int n = kind->digits_min; n <= kind->digits_max; n++)
        if (try_digits(v, is_power, kind, &all, more, n, out))
            return true;
    return false;
}

/* By the C library; what is asked for is the shortest that strtod finds again. */
static void shortest_slow(double v, enum armi_float_kind kind, struct shortest *out)
{
    char text[ARMI_FLOAT_TEXT_SIZE];
    locale_t before = uselocale(c_locale());
    for (int n = 1; n <= 17; n++) {
        snprintf(text, sizeof text, "%.*e", n - 1, v);
        bool is_same = kind == ARMI_FLOAT_DOUBLE ? strtod(text, NULL) == v
                                                 : strtof(text, NULL) == (float)v;
        if (!is_same)
            continue;
        char *mark = strchr(text, 'e');
        *out = (struct shortest){0, n, (int)strtol(mark + 1, NULL, 10)};
        for (char *p = text; p < mark; p++)
            if (*p != '.')
                out->digits = out->digits * 10 + (uint64_t)(*p - '0');
        break;
    }
    uselocale(before);
}

static char *put(char *at, const char *text, size_t size)
{
    memcpy(at, text, size);
    return at + size;
}

static char *put_zeros(char *at, int count)
{
    while (count-- > 0)
        *at++ = '0';
    return at;
}

/* Plain from 0.00001 to below 10^16, else with an exponent. */
static char *put_shortest(char *at, struct shortest s)
{
    char digits[24];
    while (s.count > 1 && s.digits % 10 == 0) {
        s.digits /= 10;
        s.count--;
    }
    for (int i = s.count - 1; i >= 0; i--) {
        digits[i] = (char)('0' + s.digits % 10);
        s.digits /= 10;
    }
    if (s.exponent >= -5 && s.exponent < 0) {
        at = put(at, "0.", 2);
        at = put_zeros(at, -s.exponent - 1);
        return put(at, digits, (size_t)s.count);
    }
    bool is_plain = s.exponent >= 0 && s.exponent < 16;
    int before = is_plain ? s.exponent + 1 : 1;
    int given = before < s.count ? before : s.count;
    at = put(at, digits, (size_t)given);
    at = put_zeros(at, before - given);
    if (s.count > before) {
        *at++ = '.';
        at = put(at, digits + before, (size_t)(s.count - before));
    } else if (is_plain) {
        at = put(at, ".0", 2);
    }
    if (is_plain)
        return at;
    return at + snprintf(at, 8, "e%d", s.exponent);
}

size_t armi_float_write(double v, enum armi_float_kind kind, char *out)
{
    char *at = out;
    struct shortest s = {0, 1, 0};
    if (isnan(v))
        return (size_t)(put(at, "NaN", 3) - out);
    if (signbit(v)) {
        *at++ = '-';
        v = -v;
    }
    if (isinf(v))
        return (size_t)(put(at, "inf", 3) - out);
    if (v > 0 && !shortest_exact(v, &kinds[kind], &s))
        shortest_slow(v, kind, &s);
    return (size_t)(put_shortest(at, s) - out);
}
