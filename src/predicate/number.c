/*
 * Decimal digits into integers and floats.
 */
#include "predicate/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"

/* Beyond it no float and no decimal has a digit. */
#define EXPONENT_MAX 1000000

/* Digits that surely fit 256 bits. */
#define WIDE_DIGITS 77

/* ---- text ---- */

/* "e-12": saturated. */
static int32_t exponent_of(const char *p, const char *end)
{
    bool is_negative = p < end && *p == '-';
    int32_t v = 0;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (; p < end; p++)
        if (v < EXPONENT_MAX)
            v = v * 10 + (*p - '0');
    if (v > EXPONENT_MAX)
        v = EXPONENT_MAX;
    return is_negative ? -v : v;
}

bool armi_number_parse(struct armi_slice text, bool is_negative, struct armi_arena *arena,
                       struct armi_number *out, bool *too_long)
{
    const char *p = (const char *)text.data, *end = p + text.size;
    struct armi_number n = {.is_negative = is_negative, .is_integer = true};
    int32_t behind_point = 0;
    *too_long = false;
    char *digits = armi_arena_take(arena, 1, text.size);
    if (digits == NULL)
        return false;
    for (; p < end; p++) {
        if (*p == '.') {
            n.is_integer = false;
        } else if (*p == 'e' || *p == 'E') {
            n.is_integer = false;
            n.exponent = exponent_of(p + 1, end);
            break;
        } else {
            behind_point += !n.is_integer;
            if (n.count != 0 || *p != '0')
                digits[n.count++] = *p;
            if (n.count > ARMI_NUMBER_DIGITS_MAX || behind_point > EXPONENT_MAX) {
                *too_long = true;
                return false;
            }
        }
    }
    n.exponent -= behind_point;
    while (n.count > 0 && digits[n.count - 1] == '0') {
        n.count--;
        n.exponent++;
    }
    if (n.count == 0) {
        n.exponent = 0;
        n.is_negative = false;
    }
    n.digits = digits;
    *out = n;
    return true;
}

int armi_number_compare(const struct armi_number *a, const struct armi_number *b)
{
    int a_sign = a->count == 0 ? 0 : a->is_negative ? -1 : 1;
    int b_sign = b->count == 0 ? 0 : b->is_negative ? -1 : 1;
    if (a_sign != b_sign)
        return a_sign < b_sign ? -1 : 1;
    if (a_sign == 0)
        return 0;
    int32_t a_top = a->count + a->exponent, b_top = b->count + b->exponent;
    if (a_top != b_top)
        return a_top < b_top ? -a_sign : a_sign;
    int32_t both = a->count < b->count ? a->count : b->count;
    int order = memcmp(a->digits, b->digits, (size_t)both);
    if (order == 0)
        order = a->count - b->count; /* the longer one goes on, and not with zeros */
    return order < 0 ? -a_sign : order > 0 ? a_sign : 0;
}

/* ---- integers ---- */

/* v = v * 10 + digit, which fits. */
static void wide_push(struct armi_wide *v, unsigned digit)
{
    __uint128_t carry = digit;
    for (size_t i = 0; i < 4; i++) {
        carry += (__uint128_t)v->w[i] * 10;
        v->w[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

static void wide_add_one(struct armi_wide *v)
{
    for (size_t i = 0; i < 4 && ++v->w[i] == 0; i++)
        ;
}

static void wide_negate(struct armi_wide *v)
{
    for (size_t i = 0; i < 4; i++)
        v->w[i] = ~v->w[i];
    wide_add_one(v);
}

int armi_number_floor(const struct armi_number *n, int32_t scale, struct armi_wide *out,
                      bool *exact)
{
    int64_t exponent = (int64_t)n->exponent + scale, whole = n->count + exponent;
    struct armi_wide v = {{0}};
    *exact = exponent >= 0 || n->count == 0;
    if (n->count != 0 && whole > WIDE_DIGITS)
        return n->is_negative ? -1 : 1;
    for (int64_t i = 0; n->count != 0 && i < whole; i++)
        wide_push(&v, i < n->count ? (unsigned)(n->digits[i] - '0') : 0);
    if (n->is_negative && !*exact)
        wide_add_one(&v);
    if (v.w[3] >> 63)
        return n->is_negative ? -1 : 1;
    if (n->is_negative)
        wide_negate(&v);
    *out = v;
    return 0;
}

struct armi_wide armi_wide_of_int(__int128_t v)
{
    uint64_t sign = v < 0 ? UINT64_MAX : 0;
    return (struct armi_wide){
        {(uint64_t)(__uint128_t)v, (uint64_t)((__uint128_t)v >> 64), sign, sign}};
}

struct armi_wide armi_wide_load(const uint8_t *p, size_t width)
{
    struct armi_wide v;
    if (width == 4)
        return armi_wide_of_int((int32_t)armi_load32(p));
    for (size_t i = 0; i < 4; i++)
        v.w[i] = 8 * i < width ? armi_load64(p + 8 * i) : (uint64_t)0 - (v.w[i - 1] >> 63);
    return v;
}

int armi_wide_compare(const struct armi_wide *a, const struct armi_wide *b)
{
    int64_t a_top = (int64_t)a->w[3], b_top = (int64_t)b->w[3];
    if (a_top != b_top)
        return a_top < b_top ? -1 : 1;
    for (int i = 2; i >= 0; i--)
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

bool armi_wide_to_int(const struct armi_wide *v, __int128_t *out)
{
    uint64_t sign = (uint64_t)0 - (v->w[1] >> 63);
    if (v->w[2] != sign || v->w[3] != sign)
        return false;
    *out = (__int128_t)((__uint128_t)v->w[1] << 64 | v->w[0]);
    return true;
}

/* ---- floats ---- */

/* Rounds to the nearest half, ties to even. */
static double nearest_half(double v)
{
    int exponent;
    if (v == 0 || isinf(v))
        return v;
    frexp(v, &exponent); /* v = m * 2^exponent, 0.5 <= m < 1 */
    int step = exponent - 11 < -24 ? -24 : exponent - 11;
    v = ldexp(nearbyint(ldexp(v, -step)), step);
    return fabs(v) > 65504 ? copysign((double)INFINITY, v) : v;
}

double armi_number_nearest(const struct armi_number *n, int bits)
{
    /* Without a point, so that no locale changes what it means. */
    char text[ARMI_NUMBER_DIGITS_MAX + 32];
    if (n->count == 0)
        return 0;
    snprintf(text, sizeof text, "%s%.*se%d", n->is_negative ? "-" : "", (int)n->count,
             n->digits, (int)n->exponent);
    if (bits == 32)
        return (double)strtof(text, NULL);
    double v = strtod(text, NULL);
    return bits == 16 ? nearest_half(v) : v;
}

int armi_number_order_double(const struct armi_number *n, double d)
{
    struct armi_wide v;
    bool exact;
    if (armi_number_floor(n, 0, &v, &exact) != 0 || !exact)
        return 0;
    return armi_wide_order_double(&v, 0, d);
}
