/*
 * A set of keys turned into ranges of the column's own type, once, so that rows are compared as
 * they lie. Whichever of the set and its complement has fewer ranges is kept.
 */
#include <float.h>
#include <math.h>

#include "predicate/predicate_internal.h"

#define SIGN_BIT (UINT64_C(1) << 63)

static enum armi_native native_of(const struct armi_field *value)
{
    switch (value->type) {
    case ARMI_TYPE_BOOL:
        return ARMI_NATIVE_BIT;
    case ARMI_TYPE_FLOAT16:
        return ARMI_NATIVE_HALF;
    case ARMI_TYPE_FLOAT32:
        return ARMI_NATIVE_FLOAT;
    case ARMI_TYPE_FLOAT64:
        return ARMI_NATIVE_DOUBLE;
    case ARMI_TYPE_DECIMAL128:
        return ARMI_NATIVE_INT128;
    case ARMI_TYPE_DECIMAL256:
        return ARMI_NATIVE_WIDE;
    default:
        return ARMI_NATIVE_INT;
    }
}

/* ---- integers ---- */

/* The key of a decimal as a signed integer, cut to what `bits` bits hold. */
static __int128_t decimal_cut(const struct armi_key *key, int bits)
{
    struct armi_wide wide = {{key->w[0], key->w[1], key->w[2], key->w[3] ^ SIGN_BIT}};
    __int128_t v, high = (__int128_t)(((__uint128_t)1 << (bits - 1)) - 1), low = -high - 1;
    if (!armi_wide_to_int(&wide, &v))
        return wide.w[3] >> 63 ? low : high;
    return v < low ? low : v > high ? high : v;
}

/* Whether the range, cut to so many bits, still has a value. */
static bool decimal_range(const struct armi_key_range *range, int bits,
                          struct armi_int128_range *out)
{
    struct armi_wide low = armi_wide_of_int(decimal_cut(&range->low, bits));
    struct armi_wide high = armi_wide_of_int(decimal_cut(&range->high, bits));
    struct armi_key low_key = armi_key_of_wide(&low), high_key = armi_key_of_wide(&high);
    out->low = decimal_cut(&range->low, bits);
    out->high = decimal_cut(&range->high, bits);
    /* Cut from outside to the edge, a range beyond it has nothing in it. */
    return armi_key_compare(&low_key, &range->high) <= 0 &&
           armi_key_compare(&high_key, &range->low) >= 0;
}

static bool prepare_ints(struct armi_arena *arena, const struct armi_field *value,
                         const struct armi_key_set *set, struct armi_ranges *ranges)
{
    bool is_decimal = armi_type_is_decimal(value->type);
    bool is_unsigned =
        armi_type_is_integer(value->type) && !armi_type_is_signed(value->type);
    struct armi_int_range *ints = armi_arena_take(arena, set->count, sizeof *ints);
    if (ints == NULL)
        return false;
    ranges->flip = is_unsigned ? 0 : SIGN_BIT;
    ranges->ints = ints;
    for (size_t i = 0; i < set->count; i++) {
        uint64_t low = set->ranges[i].low.w[0] ^ ranges->flip;
        uint64_t high = set->ranges[i].high.w[0] ^ ranges->flip;
        if (is_decimal) {
            struct armi_int128_range cut;
            if (!decimal_range(&set->ranges[i], 8 * armi_field_byte_width(value), &cut))
                continue;
            low = (uint64_t)(int64_t)cut.low;
            high = (uint64_t)(int64_t)cut.high;
        }
        ints[ranges->count++] = (struct armi_int_range){low, high - low};
    }
    return true;
}

static bool prepare_int128s(struct armi_arena *arena, const struct armi_key_set *set,
                            struct armi_ranges *ranges)
{
    struct armi_int128_range *out = armi_arena_take(arena, set->count, sizeof *out);
    if (out == NULL)
        return false;
    ranges->int128s = out;
    for (size_t i = 0; i < set->count; i++)
        ranges->count += decimal_range(&set->ranges[i], 128, &out[ranges->count]);
    return true;
}

/* ---- floats ---- */

/* The ends of a range of keys as doubles; false if no number lies within. The key between those
 * of 0.0 and the next number below belongs to none (-0.0 has the key of 0.0). */
static bool double_range(const struct armi_key_range *range, struct armi_double_range *out)
{
    const uint64_t zero = SIGN_BIT;
    uint64_t low = range->low.w[0], high = range->high.w[0];
    uint64_t least = armi_key_of_double(-(double)INFINITY);
    uint64_t greatest = armi_key_of_double((double)INFINITY);
    low = low < least ? least : low == zero - 1 ? zero : low;
    high = high > greatest ? greatest : high == zero - 1 ? zero - 2 : high;
    if (low > high)
        return false;
    out->low = armi_key_to_double(low);
    out->high = armi_key_to_double(high);
    return true;
}

/* Moves the ends inwards to the floats that there are. */
static void narrow_to_float(struct armi_double_range *range)
{
    float low = (float)range->low, high = (float)range->high;
    if ((double)low < range->low)
        low = nextafterf(low, (float)INFINITY);
    if ((double)high > range->high)
        high = nextafterf(high, -(float)INFINITY);
    range->low = (double)low;
    range->high = (double)high;
}

static bool prepare_doubles(struct armi_arena *arena, const struct armi_key_set *set,
                            struct armi_ranges *ranges)
{
    struct armi_double_range *out = armi_arena_take(arena, set->count, sizeof *out);
    if (out == NULL)
        return false;
    ranges->doubles = out;
    for (size_t i = 0; i < set->count; i++) {
        if (!double_range(&set->ranges[i], &out[ranges->count]))
            continue;
        if (ranges->native == ARMI_NATIVE_FLOAT)
            narrow_to_float(&out[ranges->count]);
        ranges->count += out[ranges->count].low <= out[ranges->count].high;
    }
    return true;
}

bool armi_ranges_prepare(struct armi_arena *arena, const struct armi_field *value,
                         struct armi_ranges *ranges)
{
    static const struct armi_key nan = {{ARMI_KEY_NAN, 0, 0, 0}};
    struct armi_key_set other, set = ranges->set;
    ranges->native = native_of(value);
    ranges->count = 0;
    if (ranges->native == ARMI_NATIVE_BIT || ranges->native == ARMI_NATIVE_WIDE)
        return true;
    if (!armi_key_set_complement(&set, &ranges->domain, arena, &other))
        return false;
    ranges->is_complement = armi_type_is_float(value->type) ? armi_key_set_has(&set, &nan)
                                                            : other.count < set.count;
    if (ranges->is_complement)
        set = other;
    if (ranges->native == ARMI_NATIVE_INT)
        return prepare_ints(arena, value, &set, ranges);
    if (ranges->native == ARMI_NATIVE_INT128)
        return prepare_int128s(arena, &set, ranges);
    return prepare_doubles(arena, &set, ranges);
}
