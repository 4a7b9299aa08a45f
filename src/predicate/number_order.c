/*
 * Exact order of numbers of different kinds, by magnitudes of 1,024 bits: room for 256 bits
 * times 10^76 twice over. The slow way, for columns compared with each other; literals
 * have been turned into the column's own type long before.
 */
#include <math.h>
#include <string.h>

#include "predicate/number.h"

#define BIG_WORDS 16

struct big {
    int sign; /* -1, 0, 1 */
    uint64_t w[BIG_WORDS];
};

static struct big big_of_wide(const struct armi_wide *v)
{
    struct big out = {.sign = 1};
    uint64_t flip = (uint64_t)0 - (v->w[3] >> 63), carry = flip & 1, any = 0;
    for (size_t i = 0; i < 4; i++) {
        out.w[i] = (v->w[i] ^ flip) + carry;
        carry = carry && out.w[i] == 0;
        any |= out.w[i];
    }
    out.sign = any == 0 ? 0 : flip != 0 ? -1 : 1;
    return out;
}

/* Powers up to 10^160 are asked for; the product fits. */
static void big_scale(struct big *v, int64_t power)
{
    for (; power > 0; power--) {
        __uint128_t carry = 0;
        for (size_t i = 0; i < BIG_WORDS; i++) {
            carry += (__uint128_t)v->w[i] * 10;
            v->w[i] = (uint64_t)carry;
            carry >>= 64;
        }
    }
}

static int big_bits(const struct big *v)
{
    for (int i = BIG_WORDS - 1; i >= 0; i--)
        if (v->w[i] != 0)
            return 64 * i + 64 - __builtin_clzll(v->w[i]);
    return 0;
}

static void big_shift_left(struct big *v, int by)
{
    int words = by / 64, bits = by % 64;
    for (int i = BIG_WORDS - 1; i >= 0; i--) {
        uint64_t high = i >= words ? v->w[i - words] : 0;
        uint64_t low = i > words ? v->w[i - words - 1] : 0;
        v->w[i] = bits == 0 ? high : high << bits | low >> (64 - bits);
    }
}

/* Whether a bit fell off that was set. */
static bool big_shift_right(struct big *v, int by)
{
    int words = by / 64, bits = by % 64;
    bool lost = false;
    for (int i = 0; i < words && i < BIG_WORDS; i++)
        lost = lost || v->w[i] != 0;
    if (words < BIG_WORDS && bits != 0)
        lost = lost || (v->w[words] & ((UINT64_C(1) << bits) - 1)) != 0;
    for (int i = 0; i < BIG_WORDS; i++) {
        int at = i + words;
        uint64_t low = at < BIG_WORDS ? v->w[at] : 0;
        uint64_t high = at + 1 < BIG_WORDS ? v->w[at + 1] : 0;
        v->w[i] = bits == 0 ? low : low >> bits | high << (64 - bits);
    }
    return lost;
}

static int big_compare(const struct big *a, const struct big *b)
{
    for (int i = BIG_WORDS - 1; i >= 0; i--)
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

int armi_wide_order_scaled(const struct armi_wide *a, int32_t a_scale,
                           const struct armi_wide *b, int32_t b_scale)
{
    if (a_scale == b_scale)
        return armi_wide_compare(a, b);
    struct big x = big_of_wide(a), y = big_of_wide(b);
    if (x.sign != y.sign)
        return x.sign < y.sign ? -1 : 1;
    big_scale(&x, (int64_t)b_scale - a_scale);
    big_scale(&y, (int64_t)a_scale - b_scale);
    return x.sign * big_compare(&x, &y);
}

int armi_wide_order_double(const struct armi_wide *u, int32_t scale, double d)
{
    struct big x = big_of_wide(u), y = {.sign = d > 0 ? 1 : d < 0 ? -1 : 0};
    if (isinf(d))
        return -y.sign;
    if (x.sign != y.sign)
        return x.sign < y.sign ? -1 : 1;
    if (x.sign == 0)
        return 0;
    int exponent;
    y.w[0] = (uint64_t)ldexp(frexp(fabs(d), &exponent), 53);
    exponent -= 53;
    big_scale(&x, -(int64_t)scale);
    big_scale(&y, scale);
    /* |d| * 10^scale = y * 2^exponent */
    bool lost = false;
    if (exponent < 0)
        lost = big_shift_right(&y, -exponent);
    else if (big_bits(&y) + exponent > 64 * BIG_WORDS)
        return -y.sign;
    else
        big_shift_left(&y, exponent);
    int order = big_compare(&x, &y);
    if (order == 0 && lost)
        order = -1;
    return x.sign * order;
}
