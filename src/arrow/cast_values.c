/*
 * Numbers to wider numbers: one loop a pair of widths. What lies under nulls is converted like the
 * rest where that cannot fail, and ignored where it could.
 */
#include <inttypes.h>
#include <stdio.h>

#include "arrow/cast_internal.h"
#include "arrow/column_internal.h"
#include "arrow/schema_text.h"
#include "base/alloc.h"
#include "base/checked.h"

static enum armi_status refuse_value(const struct casting *casting,
                                     const struct armi_array *array, int64_t row,
                                     const char *value, const struct armi_field *to,
                                     struct armi_error *err)
{
    char *text = NULL, where[48] = "";
    ARMI_TRY(armi_type_text(to, &text, err));
    if (array == casting->top)
        snprintf(where, sizeof where, " row %" PRId64 ":", row);
    enum armi_status status = armi_error_object(
        err, ARMI_INVALID, "column", casting->column,
        "column \"%s\":%s %s does not fit into %s", casting->column, where, value, text);
    armi_free(text);
    return status;
}

/* ---- integers ---- */

#define WIDEN(name, narrow, wide)                                                          \
    static void name(uint8_t *out, const uint8_t *values, int64_t count)                   \
    {                                                                                      \
        for (int64_t i = 0; i < count; i++) {                                              \
            narrow v;                                                                      \
            memcpy(&v, values + (size_t)i * sizeof v, sizeof v);                           \
            wide w = (wide)v;                                                              \
            memcpy(out + (size_t)i * sizeof w, &w, sizeof w);                              \
        }                                                                                  \
    }
WIDEN(widen_i8_i16, int8_t, int16_t)
WIDEN(widen_i8_i32, int8_t, int32_t)
WIDEN(widen_i8_i64, int8_t, int64_t)
WIDEN(widen_i16_i32, int16_t, int32_t)
WIDEN(widen_i16_i64, int16_t, int64_t)
WIDEN(widen_i32_i64, int32_t, int64_t)
WIDEN(widen_u8_u16, uint8_t, uint16_t)
WIDEN(widen_u8_u32, uint8_t, uint32_t)
WIDEN(widen_u8_u64, uint8_t, uint64_t)
WIDEN(widen_u16_u32, uint16_t, uint32_t)
WIDEN(widen_u16_u64, uint16_t, uint64_t)
WIDEN(widen_u32_u64, uint32_t, uint64_t)

typedef void (*widen_fn)(uint8_t *out, const uint8_t *values, int64_t count);

/* A wider type takes an unsigned value as it is, whether signed or not. */
static widen_fn widen_integers(bool is_signed, int32_t from_width, int32_t to_width)
{
    static const widen_fn with_sign[4][4] = {
        {NULL, widen_i8_i16, widen_i8_i32, widen_i8_i64},
        {NULL, NULL, widen_i16_i32, widen_i16_i64},
        {NULL, NULL, NULL, widen_i32_i64},
    };
    static const widen_fn without[4][4] = {
        {NULL, widen_u8_u16, widen_u8_u32, widen_u8_u64},
        {NULL, NULL, widen_u16_u32, widen_u16_u64},
        {NULL, NULL, NULL, widen_u32_u64},
    };
    int from = __builtin_ctz((unsigned)from_width), to = __builtin_ctz((unsigned)to_width);
    return is_signed ? with_sign[from][to] : without[from][to];
}

/* ---- floats: NaN payloads are moved by hand, since converting a signalling NaN quiets it ---- */

static void widen_f32_f64(uint8_t *out, const uint8_t *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits = armi_load32(values + 4 * i);
        float f;
        memcpy(&f, &bits, sizeof f);
        double d = (double)f;
        if (f != f) {
            uint64_t wide = (uint64_t)(bits >> 31) << 63 | UINT64_C(0x7ff) << 52 |
                            (uint64_t)(bits & 0x7fffff) << 29;
            memcpy(&d, &wide, sizeof d);
        }
        memcpy(out + 8 * i, &d, sizeof d);
    }
}

static void widen_f16_f32(uint8_t *out, const uint8_t *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t half = armi_load16(values + 2 * i), exponent = half >> 10 & 31;
        uint32_t sign = half >> 15 << 31, fraction = half & 0x3ff, bits;
        if (exponent == 31) {
            bits = 0xffu << 23 | fraction << 13;
        } else if (exponent != 0) {
            bits = (exponent + 112) << 23 | fraction << 13;
        } else {
            float f = (float)fraction * 0x1p-24f; /* subnormal or zero: exact */
            memcpy(&bits, &f, sizeof bits);
        }
        armi_store32(out + 4 * i, bits | sign);
    }
}

static void widen_f16_f64(uint8_t *out, const uint8_t *values, int64_t count)
{
    uint8_t block[4 * 64];
    for (int64_t done = 0; done < count; done += 64) {
        int64_t take = rows_min(count - done, 64);
        widen_f16_f32(block, values + 2 * done, take);
        widen_f32_f64(out + 8 * done, block, take);
    }
}

/* ---- units ---- */

static int64_t unit_factor(const struct armi_field *from, const struct armi_field *to)
{
    static const int64_t per_second[] = {1, 1000, 1000000, 1000000000};
    return per_second[to->unit] / per_second[from->unit];
}

static enum armi_status scale_units(const struct casting *casting,
                                    const struct armi_array *array,
                                    const struct armi_field *to, uint8_t *out,
                                    struct armi_error *err)
{
    int64_t factor = unit_factor(array->field, to);
    int32_t width = armi_field_byte_width(to);
    for (int64_t i = 0; i < array->length; i++) {
        int64_t v = 0, scaled = 0;
        if (armi_array_is_valid_bit(array, i)) {
            const uint8_t *p = armi_array_at(array, i);
            v = array->width == 4 ? (int32_t)armi_load32(p) : (int64_t)armi_load64(p);
            if (!armi_i64_mul(v, factor, &scaled) ||
                (width == 4 && scaled != (int32_t)scaled)) {
                char text[64];
                static const char *const units[] = {"s", "ms", "us", "ns"};
                snprintf(text, sizeof text, "%s %" PRId64 " %s",
                         armi_type_name(array->field->type), v, units[array->field->unit]);
                return refuse_value(casting, array, i, text, to, err);
            }
        }
        memcpy(out + (size_t)i * (size_t)width, &scaled, (size_t)width);
    }
    return ARMI_OK;
}

/* ---- decimals ---- */

struct wide {
    uint64_t w[4]; /* little-endian two's complement */
};

static struct wide wide_load(const uint8_t *p, size_t width)
{
    struct wide v;
    for (size_t i = 0; i < 4; i++) {
        if (8 * i + 8 <= width)
            v.w[i] = armi_load64(p + 8 * i);
        else if (i == 0)
            v.w[i] = (uint64_t)(int64_t)(int32_t)armi_load32(p);
        else
            v.w[i] = (uint64_t)0 - (v.w[i - 1] >> 63);
    }
    return v;
}

static void wide_negate(struct wide *v)
{
    uint64_t carry = 1;
    for (size_t i = 0; i < 4; i++) {
        v->w[i] = ~v->w[i] + carry;
        carry = carry && v->w[i] == 0;
    }
}

/* Whether the product of a magnitude still is one: below 2^255. */
static bool wide_times_ten(struct wide *v)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < 4; i++) {
        __uint128_t m = (__uint128_t)v->w[i] * 10 + carry;
        v->w[i] = (uint64_t)m;
        carry = (uint64_t)(m >> 64);
    }
    return carry == 0 && v->w[3] >> 63 == 0;
}

static bool wide_fits(const struct wide *v, size_t width)
{
    uint8_t bytes[32];
    memcpy(bytes, v->w, sizeof bytes);
    uint8_t sign = bytes[width - 1] >> 7 ? 0xff : 0;
    for (size_t i = width; i < sizeof bytes; i++) {
        if (bytes[i] != sign)
            return false;
    }
    return true;
}

static enum armi_status scale_decimals(const struct casting *casting,
                                       const struct armi_array *array,
                                       const struct armi_field *to, uint8_t *out,
                                       struct armi_error *err)
{
    size_t width = (size_t)armi_field_byte_width(to);
    int32_t zeros = to->scale - array->field->scale;
    for (int64_t i = 0; i < array->length; i++) {
        struct wide v = {{0}};
        bool fits = true;
        if (armi_array_is_valid_bit(array, i)) {
            v = wide_load(armi_array_at(array, i), (size_t)array->width);
            bool is_negative = v.w[3] >> 63 != 0;
            if (is_negative && zeros != 0)
                wide_negate(&v);
            for (int32_t z = 0; z < zeros && fits; z++)
                fits = wide_times_ten(&v);
            if (is_negative && zeros != 0)
                wide_negate(&v);
        }
        if (!fits || !wide_fits(&v, width))
            return refuse_value(casting, array, i, "a value beyond its own precision", to,
                                err);
        memcpy(out + (size_t)i * width, v.w, width);
    }
    return ARMI_OK;
}

/* ---- all ---- */

static enum armi_status convert(const struct casting *casting,
                                const struct armi_array *array, const struct armi_field *to,
                                uint8_t *out, struct armi_error *err)
{
    enum armi_type from = array->field->type;
    if (armi_type_is_decimal(from))
        return scale_decimals(casting, array, to, out, err);
    if (armi_type_has_unit(from))
        return scale_units(casting, array, to, out, err);
    const uint8_t *values = array->values + (size_t)array->offset * (size_t)array->width;
    widen_fn widen;
    if (from == ARMI_TYPE_FLOAT32)
        widen = widen_f32_f64;
    else if (from == ARMI_TYPE_FLOAT16)
        widen = to->type == ARMI_TYPE_FLOAT32 ? widen_f16_f32 : widen_f16_f64;
    else
        widen = widen_integers(armi_type_is_signed(from), array->width,
                               armi_field_byte_width(to));
    if (array->length != 0)
        widen(out, values, array->length);
    return ARMI_OK;
}

enum armi_status armi_cast_numbers(const struct casting *casting,
                                   const struct armi_array *array,
                                   const struct armi_field *to, struct ArrowArray *out,
                                   struct armi_error *err)
{
    struct armi_part buffers[2] = {{NULL, 0, NULL, NULL}, {NULL, 0, NULL, NULL}};
    struct armi_array_parts parts = {2, buffers, 0, NULL, NULL};
    int64_t null_count = 0;
    size_t size = (size_t)array->length * (size_t)armi_field_byte_width(to);
    enum armi_status status = armi_cast_validity(array, &buffers[0], &null_count, err);
    uint8_t *data = NULL;
    if (status == ARMI_OK) {
        data = armi_alloc(size == 0 ? 1 : size);
        status = data == NULL ? armi_error_no_memory(err) : ARMI_OK;
    }
    if (status == ARMI_OK) {
        buffers[1] = armi_part_owned(data, (int64_t)size);
        status = convert(casting, array, to, data, err);
    }
    if (status == ARMI_OK)
        status = armi_arrow_array_make(to, array->length, null_count, &parts, out, err);
    armi_array_parts_release(&parts);
    return status;
}
