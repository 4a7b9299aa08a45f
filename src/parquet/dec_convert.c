#include "parquet/dec_convert.h"

#include <string.h>

#include "arrow/field.h"
#include "base/bits.h"

size_t armi_pq_physical_width(const struct armi_pq_leaf *leaf)
{
    switch (leaf->physical) {
    case ARMI_PQ_INT32:
    case ARMI_PQ_FLOAT:
        return 4;
    case ARMI_PQ_INT64:
    case ARMI_PQ_DOUBLE:
        return 8;
    case ARMI_PQ_INT96:
        return 12;
    case ARMI_PQ_FIXED:
        return (size_t)leaf->type_length;
    default:
        return 0;
    }
}

bool armi_pq_convert_is_copy(const struct armi_pq_leaf *leaf)
{
    return leaf->convert == ARMI_PQ_COPY || leaf->convert == ARMI_PQ_INTERVAL;
}

static enum armi_status does_not_fit(const struct armi_pq_leaf *leaf, size_t index,
                                     struct armi_error *err)
{
    return armi_error_set(err, ARMI_CORRUPTION,
                          "value %zu of the page does not fit type %s", index,
                          armi_type_name(armi_field_value(leaf->field)->type));
}

/* INT32 holding 8 or 16 bits. What does not fit is told by the bits that would be lost. */
static enum armi_status narrow(const struct armi_pq_leaf *leaf, const uint8_t *src,
                               size_t count, uint8_t *dst, struct armi_error *err)
{
    bool is_signed = armi_type_is_signed(armi_field_value(leaf->field)->type);
    unsigned bits = 8 * leaf->arrow_width;
    int32_t bias = is_signed ? (int32_t)1 << (bits - 1) : 0;
    uint32_t lost = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t v = armi_load32(src + 4 * i);
        lost |= (v + (uint32_t)bias) >> bits;
        if (bits == 8)
            dst[i] = (uint8_t)v;
        else
            armi_store16(dst + 2 * i, (uint16_t)v);
    }
    for (size_t i = 0; lost != 0 && i < count; i++)
        if (((armi_load32(src + 4 * i) + (uint32_t)bias) >> bits) != 0)
            return does_not_fit(leaf, i, err);
    return ARMI_OK;
}

static int64_t load_int(const uint8_t *src, size_t width)
{
    return width == 4 ? (int32_t)armi_load32(src) : (int64_t)armi_load64(src);
}

static bool store_int(uint8_t *dst, size_t width, int64_t v)
{
    if (width == 8) {
        armi_store64(dst, (uint64_t)v);
        return true;
    }
    armi_store32(dst, (uint32_t)(int32_t)v);
    return v >= INT32_MIN && v <= INT32_MAX;
}

static enum armi_status scale(const struct armi_pq_leaf *leaf, const uint8_t *src,
                              size_t count, uint8_t *dst, struct armi_error *err)
{
    size_t from = armi_pq_physical_width(leaf), to = leaf->arrow_width;
    for (size_t i = 0; i < count; i++) {
        int64_t v = load_int(src + i * from, from);
        bool fits = true;
        if (leaf->factor > 1) {
            fits = v % leaf->factor == 0;
            v /= leaf->factor;
        } else if (leaf->factor < 0) {
            fits = !__builtin_mul_overflow(v, -leaf->factor, &v);
        }
        if (!fits || !store_int(dst + i * to, to, v))
            return does_not_fit(leaf, i, err);
    }
    return ARMI_OK;
}

/* ---- decimals ---- */

/* 10^digits as a little-endian number of four limbs. */
static void power_of_ten(int32_t digits, uint64_t limbs[4])
{
    memset(limbs, 0, 4 * sizeof *limbs);
    limbs[0] = 1;
    for (int32_t d = 0; d < digits; d++) {
        __uint128_t carry = 0;
        for (int i = 0; i < 4; i++) {
            carry += (__uint128_t)limbs[i] * 10;
            limbs[i] = (uint64_t)carry;
            carry >>= 64;
        }
    }
}

/* Whether |v| < limit, v being `width` bytes of two's complement, at most the limbs'. */
static bool is_below(const uint8_t *v, size_t width, const uint64_t limit[4])
{
    uint64_t limbs[4];
    uint8_t bytes[32];
    bool negative = (v[width - 1] & 0x80) != 0;
    memset(bytes, negative ? 0xff : 0, sizeof bytes);
    memcpy(bytes, v, width);
    memcpy(limbs, bytes, sizeof limbs);
    unsigned carry = negative;
    for (int i = 0; negative && i < 4; i++) {
        limbs[i] = ~limbs[i] + carry;
        carry = carry != 0 && limbs[i] == 0;
    }
    for (int i = 3; i >= 0; i--)
        if (limbs[i] != limit[i])
            return limbs[i] < limit[i];
    return false;
}

/* No value has more digits than the type. 16 bytes, the common case, go without limbs. */
enum armi_status armi_pq_check_digits(const struct armi_pq_leaf *leaf,
                                      const uint8_t *values, size_t count,
                                      struct armi_error *err)
{
    const struct armi_field *field = armi_field_value(leaf->field);
    size_t width = leaf->arrow_width, bad = count;
    uint64_t limit[4];
    power_of_ten(field->precision, limit);
    if (width <= 16 && limit[2] == 0) {
        __uint128_t top = (__uint128_t)limit[1] << 64 | limit[0];
        for (size_t i = 0; i < count && bad == count; i++) {
            const uint8_t *at = values + i * width;
            uint64_t lo =
                width == 4 ? (uint64_t)(int64_t)(int32_t)armi_load32(at) : armi_load64(at);
            uint64_t hi = width == 16 ? armi_load64(at + 8) : (lo >> 63 ? UINT64_MAX : 0);
            __uint128_t v = (__uint128_t)hi << 64 | lo;
            if (hi >> 63)
                v = 0 - v;
            if (v >= top)
                bad = i;
        }
    } else {
        for (size_t i = 0; i < count && bad == count; i++)
            if (!is_below(values + i * width, width, limit))
                bad = i;
    }
    if (bad == count)
        return ARMI_OK;
    return armi_error_set(err, ARMI_CORRUPTION,
                          "value %zu of the page has more digits than decimal(%d, %d)", bad,
                          (int)field->precision, (int)field->scale);
}

/* Sign extension; a narrower target refuses what it would cut. */
static enum armi_status decimal_int(const struct armi_pq_leaf *leaf, const uint8_t *src,
                                    size_t count, uint8_t *dst, struct armi_error *err)
{
    size_t from = armi_pq_physical_width(leaf), to = leaf->arrow_width;
    for (size_t i = 0; i < count; i++, dst += to) {
        int64_t v = load_int(src + i * from, from);
        if (to <= 8) {
            if (!store_int(dst, to, v))
                return does_not_fit(leaf, i, err);
            continue;
        }
        armi_store64(dst, (uint64_t)v);
        memset(dst + 8, v < 0 ? 0xff : 0, to - 8);
    }
    return ARMI_OK;
}

bool armi_pq_decimal_from_bytes(const uint8_t *src, size_t size, uint8_t *dst, size_t width)
{
    uint8_t fill = size > 0 && (src[0] & 0x80) ? 0xff : 0;
    for (; size > width; size--, src++)
        if (*src != fill)
            return false;
    for (size_t i = 0; i < size; i++)
        dst[i] = src[size - 1 - i];
    memset(dst + size, fill, width - size);
    /* What was cut off must have been nothing but the sign. */
    return size == 0 || size < width || ((dst[width - 1] & 0x80) != 0) == (fill != 0);
}

static enum armi_status decimal_fixed(const struct armi_pq_leaf *leaf, const uint8_t *src,
                                      size_t count, uint8_t *dst, struct armi_error *err)
{
    size_t from = (size_t)leaf->type_length, to = leaf->arrow_width;
    if (from == 16 && to == 16) {
        for (size_t i = 0; i < count; i++) {
            armi_store64(dst + 16 * i, __builtin_bswap64(armi_load64(src + 16 * i + 8)));
            armi_store64(dst + 16 * i + 8, __builtin_bswap64(armi_load64(src + 16 * i)));
        }
        return ARMI_OK;
    }
    for (size_t i = 0; i < count; i++)
        if (!armi_pq_decimal_from_bytes(src + i * from, from, dst + i * to, to))
            return does_not_fit(leaf, i, err);
    return ARMI_OK;
}

#define JULIAN_UNIX_EPOCH 2440588
#define DAY_NS            86400000000000

/*
 * Nanoseconds of the day, then the Julian day; days times units can be beyond int64. Spark, which
 * counts microseconds, wraps them for far dates while it adds the epoch: that shows as a negative day
 * with negative nanoseconds, and is undone by wrapping back.
 */
static bool int96_value(int64_t ns, int32_t julian, int64_t unit_ns, int64_t *out)
{
    int64_t day = (int64_t)julian - JULIAN_UNIX_EPOCH, per_day = DAY_NS / unit_ns, v;
    if (ns % unit_ns != 0)
        return false;
    if (ns < 0 && ns > -DAY_NS && julian < 0 && unit_ns == 1000) {
        *out = (int64_t)((uint64_t)day * (uint64_t)per_day + (uint64_t)(ns / unit_ns));
        return true;
    }
    return !__builtin_mul_overflow(day, per_day, &v) &&
           !__builtin_add_overflow(v, ns / unit_ns, out);
}

static enum armi_status int96(const struct armi_pq_leaf *leaf, const uint8_t *src,
                              size_t count, uint8_t *dst, struct armi_error *err)
{
    for (size_t i = 0; i < count; i++) {
        int64_t ns = (int64_t)armi_load64(src + 12 * i), v = 0;
        if (!int96_value(ns, (int32_t)armi_load32(src + 12 * i + 8), leaf->factor, &v))
            return armi_error_set(
                err, ARMI_CORRUPTION,
                "value %zu of the page, an INT96, does not fit a timestamp of %lld ns", i,
                (long long)leaf->factor);
        armi_store64(dst + 8 * i, (uint64_t)v);
    }
    return ARMI_OK;
}

enum armi_status armi_pq_convert_fixed(const struct armi_pq_leaf *leaf, const uint8_t *src,
                                       size_t count, uint8_t *dst, struct armi_error *err)
{
    switch (leaf->convert) {
    case ARMI_PQ_COPY:
    case ARMI_PQ_INTERVAL:
        if (armi_pq_physical_width(leaf) != leaf->arrow_width)
            break;
        if (count > 0)
            memcpy(dst, src, count * leaf->arrow_width);
        return ARMI_OK;
    case ARMI_PQ_NARROW:
        return narrow(leaf, src, count, dst, err);
    case ARMI_PQ_SCALE:
        return scale(leaf, src, count, dst, err);
    case ARMI_PQ_DECIMAL_INT:
        ARMI_TRY(decimal_int(leaf, src, count, dst, err));
        return armi_pq_check_digits(leaf, dst, count, err);
    case ARMI_PQ_DECIMAL_BYTES:
        ARMI_TRY(decimal_fixed(leaf, src, count, dst, err));
        return armi_pq_check_digits(leaf, dst, count, err);
    case ARMI_PQ_CONVERT_INT96:
        return int96(leaf, src, count, dst, err);
    default:
        break;
    }
    return armi_error_set(err, ARMI_UNSUPPORTED, "%s is not read as %s",
                          armi_pq_type_name(leaf->physical),
                          armi_type_name(armi_field_value(leaf->field)->type));
}
