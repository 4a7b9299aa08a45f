/*
 * Numbers into a builder, whatever numeric type it has: checked to fit, laid out as bytes
 * and appended as these, which also takes them through dictionaries and run ends.
 */
#include "arrow/builder.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static enum armi_status does_not_fit(const struct armi_builder *b, const char *what,
                                     struct armi_error *err)
{
    const struct armi_field *field = armi_builder_field(b);
    return armi_error_object(err, ARMI_INVALID, "column", field->name,
                             "column '%s': %s does not fit its type %s", field->name, what,
                             armi_type_name(field->type));
}

/* Nearest half, ties to even. */
static uint16_t half_from_double(double v)
{
    uint16_t sign = signbit(v) ? 0x8000 : 0;
    double a = fabs(v);
    if (isnan(v))
        return sign | 0x7e00;
    if (a >= 65520.0) /* halfway between the largest half and the next power of two */
        return sign | 0x7c00;
    if (a < 0x1p-14)
        return (uint16_t)(sign | (uint16_t)nearbyint(ldexp(a, 24)));
    int exponent;
    double fraction = frexp(a, &exponent); /* 0.5 <= fraction < 1 */
    /* A fraction that rounds up to 2048 carries into the exponent, as it should. */
    int mantissa = (int)nearbyint(ldexp(fraction, 11)) - 1024;
    return (uint16_t)(sign | (uint16_t)(((exponent + 14) << 10) + mantissa));
}

static size_t double_bytes(enum armi_type type, double v, uint8_t out[8])
{
    if (type == ARMI_TYPE_FLOAT16) {
        armi_store16(out, half_from_double(v));
        return 2;
    }
    if (type == ARMI_TYPE_FLOAT32) {
        float f = (float)v;
        memcpy(out, &f, sizeof f);
        return sizeof f;
    }
    memcpy(out, &v, sizeof v);
    return sizeof v;
}

enum armi_status armi_builder_append_double(struct armi_builder *builder, double v,
                                            struct armi_error *err)
{
    uint8_t bytes[8];
    enum armi_type type = armi_field_value(armi_builder_field(builder))->type;
    if (!armi_type_is_float(type))
        return does_not_fit(builder, "a floating-point number", err);
    size_t size = double_bytes(type, v, bytes);
    return armi_builder_append_bytes(builder, bytes, size, err);
}

/* Whether v, read as signed or not, is among the values of the type. */
static bool integer_fits(const struct armi_field *type, uint64_t v, bool negative)
{
    if (armi_type_is_decimal(type->type)) {
        uint64_t magnitude = negative ? 0 - v : v, bound = 1;
        for (int32_t i = 0; i < type->precision && i < 19; i++)
            bound *= 10;
        return type->precision >= 20 || magnitude < bound;
    }
    if (type->type == ARMI_TYPE_BOOL)
        return v <= 1;
    if (type->type >= ARMI_TYPE_UINT8 && type->type <= ARMI_TYPE_UINT64) {
        if (negative)
            return false;
        return type->type == ARMI_TYPE_UINT64 ||
               v <= (uint64_t)armi_type_integer_max(type->type);
    }
    int32_t width = armi_field_byte_width(type);
    uint64_t max = UINT64_MAX >> (65 - 8 * width);
    return negative ? ~v <= max : v <= max;
}

static enum armi_status append_integer(struct armi_builder *b, uint64_t v, bool negative,
                                       struct armi_error *err)
{
    const struct armi_field *type = armi_field_value(armi_builder_field(b));
    if (armi_type_is_float(type->type))
        return armi_builder_append_double(b, negative ? (double)(int64_t)v : (double)v,
                                          err);
    bool is_number =
        type->type == ARMI_TYPE_BOOL || armi_type_is_integer(type->type) ||
        armi_type_is_decimal(type->type) ||
        (type->type >= ARMI_TYPE_DATE32 && type->type <= ARMI_TYPE_INTERVAL_MONTHS);
    if (!is_number || !integer_fits(type, v, negative)) {
        char text[48];
        snprintf(text, sizeof text, "%s%" PRIu64, negative ? "-" : "",
                 negative ? 0 - v : v);
        return does_not_fit(b, text, err);
    }
    uint8_t bytes[32];
    memset(bytes, negative ? 0xff : 0, sizeof bytes);
    armi_store64(bytes, v);
    size_t width = type->type == ARMI_TYPE_BOOL ? 1 : (size_t)armi_field_byte_width(type);
    return armi_builder_append_bytes(b, bytes, width, err);
}

enum armi_status armi_builder_append_int(struct armi_builder *builder, int64_t v,
                                         struct armi_error *err)
{
    return append_integer(builder, (uint64_t)v, v < 0, err);
}

enum armi_status armi_builder_append_uint(struct armi_builder *builder, uint64_t v,
                                          struct armi_error *err)
{
    return append_integer(builder, v, false, err);
}

enum armi_status armi_builder_append_bool(struct armi_builder *builder, bool v,
                                          struct armi_error *err)
{
    if (armi_field_value(armi_builder_field(builder))->type != ARMI_TYPE_BOOL)
        return does_not_fit(builder, v ? "true" : "false", err);
    uint8_t byte = v;
    return armi_builder_append_bytes(builder, &byte, 1, err);
}
