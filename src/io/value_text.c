/*
 * Values as text. Every type has one form, which CSV, terminals and the values inside of
 * JSON share; nested values are JSON.
 */
#include "io/value_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/text.h"
#include "io/calendar.h"
#include "io/float_text.h"

#define LIMBS      8   /* 32 bits each, of the widest decimal */
#define DIGITS_MAX 80  /* of 256 bits: 78 */
#define SCALE_MAX  100 /* beyond it an exponent is written, not zeros */

static enum armi_status append_text(struct armi_buf *out, const char *text,
                                    struct armi_error *err)
{
    return armi_buf_append(out, text, strlen(text), err);
}

/* ---- numbers ---- */

static enum armi_status append_int(const struct armi_field *field, int64_t v,
                                   struct armi_buf *out, struct armi_error *err)
{
    char text[24];
    char *at = text + sizeof text;
    uint64_t size = (uint64_t)v;
    bool is_negative = v < 0 && field->type != ARMI_TYPE_UINT64;
    if (is_negative)
        size = 0 - size;
    do {
        *--at = (char)('0' + size % 10);
        size /= 10;
    } while (size != 0);
    if (is_negative)
        *--at = '-';
    return armi_buf_append(out, at, (size_t)(text + sizeof text - at), err);
}

static enum armi_status append_float(const struct armi_array *a, int64_t i,
                                     struct armi_buf *out, struct armi_error *err)
{
    char text[ARMI_FLOAT_TEXT_SIZE];
    enum armi_float_kind kind = a->field->type == ARMI_TYPE_FLOAT64   ? ARMI_FLOAT_DOUBLE
                                : a->field->type == ARMI_TYPE_FLOAT32 ? ARMI_FLOAT_SINGLE
                                                                      : ARMI_FLOAT_HALF;
    size_t size = armi_float_write(armi_array_double(a, i), kind, text);
    return armi_buf_append(out, text, size, err);
}

/* Digits of a two's complement integer of `width` bytes, last first; how many. */
static int decimal_digits(const uint8_t *p, size_t width, bool *is_negative, char *digits)
{
    uint32_t limbs[LIMBS] = {0};
    int count = 0;
    size_t used = width / 4;
    for (size_t k = 0; k < used; k++)
        limbs[k] = armi_load32(p + 4 * k);
    *is_negative = (limbs[used - 1] >> 31) != 0;
    uint64_t carry = 1;
    for (size_t k = 0; *is_negative && k < used; k++) {
        carry += (uint32_t)~limbs[k];
        limbs[k] = (uint32_t)carry;
        carry >>= 32;
    }
    while (used > 0) {
        uint64_t rest = 0;
        for (size_t k = used; k-- > 0;) {
            rest = rest << 32 | limbs[k];
            limbs[k] = (uint32_t)(rest / 10);
            rest %= 10;
        }
        digits[count++] = (char)('0' + rest);
        while (used > 0 && limbs[used - 1] == 0)
            used--;
    }
    return count;
}

static enum armi_status append_decimal(const struct armi_array *a, int64_t i,
                                       struct armi_buf *out, struct armi_error *err)
{
    char digits[DIGITS_MAX + SCALE_MAX], text[DIGITS_MAX + SCALE_MAX + 24];
    bool is_negative;
    int at = 0, scale = a->field->scale;
    int count = decimal_digits(armi_array_at(a, i), (size_t)a->width, &is_negative, digits);
    bool is_plain = scale >= -SCALE_MAX && scale <= SCALE_MAX;
    if (is_negative)
        text[at++] = '-';
    while (is_plain && count <= scale)
        digits[count++] = '0';
    for (int k = count - 1; k >= 0; k--) {
        text[at++] = digits[k];
        if (is_plain && k == scale && scale > 0)
            text[at++] = '.';
    }
    bool is_zero = count == 1 && digits[0] == '0';
    for (int k = scale; is_plain && !is_zero && k < 0; k++)
        text[at++] = '0';
    ARMI_TRY(armi_buf_append(out, text, (size_t)at, err));
    if (is_plain)
        return ARMI_OK;
    snprintf(text, sizeof text, "e%" PRId64, -(int64_t)scale);
    return append_text(out, text, err);
}

/* ---- times ---- */

static enum armi_status append_time(const struct armi_array *a, int64_t i,
                                    struct armi_buf *out, struct armi_error *err)
{
    const struct armi_field *field = a->field;
    char text[ARMI_CALENDAR_TEXT_SIZE];
    int64_t v = armi_array_int(a, i), rest;
    size_t size = 0;
    switch (field->type) {
    case ARMI_TYPE_DATE32:
        size = armi_calendar_write_date(v, text);
        break;
    case ARMI_TYPE_DATE64:
        size = armi_calendar_write_date(armi_calendar_floor(v, 86400000, &rest), text);
        break;
    case ARMI_TYPE_TIMESTAMP:
        size = armi_calendar_write_timestamp(v, field->unit, field->timezone != NULL, text);
        break;
    case ARMI_TYPE_DURATION:
        size = armi_calendar_write_duration(v, field->unit, text);
        break;
    default:
        size = armi_calendar_write_time(v, field->unit, text);
    }
    return armi_buf_append(out, text, size, err);
}

/* ISO 8601, with a sign at each part: months, days and seconds do not convert. */
static enum armi_status append_interval(const struct armi_array *a, int64_t i,
                                        struct armi_buf *out, struct armi_error *err)
{
    const uint8_t *p = armi_array_at(a, i);
    char text[128];
    int32_t first = (int32_t)armi_load32(p);
    if (a->field->type == ARMI_TYPE_INTERVAL_MONTHS) {
        snprintf(text, sizeof text, "P%" PRId32 "M", first);
        return append_text(out, text, err);
    }
    bool has_months = a->field->type == ARMI_TYPE_INTERVAL_MONTH_DAY_NANO;
    int64_t per = has_months ? 1000000000 : 1000, days = first;
    int64_t time = has_months ? (int64_t)armi_load64(p + 8) : (int32_t)armi_load32(p + 4);
    int at = snprintf(text, sizeof text, "P");
    if (has_months) {
        days = (int32_t)armi_load32(p + 4);
        at += snprintf(text + at, sizeof text - (size_t)at, "%" PRId32 "M", first);
    }
    snprintf(text + at, sizeof text - (size_t)at,
             "%" PRId64 "DT%s%" PRId64 ".%0*" PRId64 "S", days, time < 0 ? "-" : "",
             time / per < 0 ? -(time / per) : time / per, has_months ? 9 : 3,
             time % per < 0 ? -(time % per) : time % per);
    return append_text(out, text, err);
}

/* ---- strings ---- */

static enum armi_status append_hex(struct armi_slice bytes, struct armi_buf *out,
                                   struct armi_error *err)
{
    char block[2 * 64 + 1];
    for (size_t at = 0; at < bytes.size; at += 64) {
        size_t n = bytes.size - at < 64 ? bytes.size - at : 64;
        armi_hex_encode(bytes.data + at, n, block);
        ARMI_TRY(armi_buf_append(out, block, 2 * n, err));
    }
    return ARMI_OK;
}

static enum armi_status append_json_text(struct armi_slice text, struct armi_buf *out,
                                         struct armi_error *err)
{
    static const char escapes[] = "btnvfr"; /* of 8 .. 13, 'v' apart */
    size_t from = 0;
    ARMI_TRY(armi_buf_append_u8(out, '"', err));
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        char escape[8];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        ARMI_TRY(armi_buf_append(out, text.data + from, i - from, err));
        from = i + 1;
        if (c == '"' || c == '\\')
            snprintf(escape, sizeof escape, "\\%c", c);
        else if (c >= 8 && c <= 13 && c != 11)
            snprintf(escape, sizeof escape, "\\%c", escapes[c - 8]);
        else
            snprintf(escape, sizeof escape, "\\u%04x", c);
        ARMI_TRY(append_text(out, escape, err));
    }
    if (from < text.size)
        ARMI_TRY(armi_buf_append(out, text.data + from, text.size - from, err));
    return armi_buf_append_u8(out, '"', err);
}

/* ---- all flat types ---- */

static enum armi_status append_flat(const struct armi_array *a, int64_t i,
                                    struct armi_buf *out, struct armi_error *err)
{
    const struct armi_field *field = a->field;
    if (field->type == ARMI_TYPE_BOOL)
        return append_text(out, armi_array_bool(a, i) ? "true" : "false", err);
    if (armi_type_is_integer(field->type))
        return append_int(field, armi_array_int(a, i), out, err);
    if (armi_type_is_float(field->type))
        return append_float(a, i, out, err);
    if (armi_type_is_decimal(field->type))
        return append_decimal(a, i, out, err);
    if (field->type >= ARMI_TYPE_DATE32 && field->type <= ARMI_TYPE_DURATION)
        return append_time(a, i, out, err);
    if (field->type >= ARMI_TYPE_INTERVAL_MONTHS &&
        field->type <= ARMI_TYPE_INTERVAL_MONTH_DAY_NANO)
        return append_interval(a, i, out, err);
    struct armi_slice bytes = armi_array_bytes(a, i);
    if (!armi_type_is_utf8(field->type))
        return append_hex(bytes, out, err);
    return bytes.size > 0 ? armi_buf_append(out, bytes.data, bytes.size, err) : ARMI_OK;
}

/* ---- JSON ---- */

static enum armi_status append_quoted(const struct armi_array *a, int64_t i,
                                      struct armi_buf *out, struct armi_error *err)
{
    if (armi_type_is_utf8(a->field->type))
        return append_json_text(armi_array_bytes(a, i), out, err);
    ARMI_TRY(armi_buf_append_u8(out, '"', err));
    ARMI_TRY(append_flat(a, i, out, err));
    return armi_buf_append_u8(out, '"', err);
}

static enum armi_status append_json_flat(const struct armi_array *a, int64_t i,
                                         struct armi_buf *out, struct armi_error *err)
{
    enum armi_type type = a->field->type;
    bool is_bare =
        type == ARMI_TYPE_BOOL || armi_type_is_integer(type) || armi_type_is_decimal(type);
    if (armi_type_is_float(type)) {
        double v = armi_array_double(a, i);
        is_bare = v - v == 0; /* finite */
    }
    return is_bare ? append_flat(a, i, out, err) : append_quoted(a, i, out, err);
}

/* A key of an object is text, whatever it was. */
static enum armi_status append_json_key(const struct armi_array *keys, int64_t i,
                                        struct armi_buf *out, struct armi_error *err)
{
    if (!armi_array_resolve(&keys, &i) || !armi_array_is_valid_bit(keys, i))
        return append_text(out, "\"\"", err);
    if (!armi_type_is_nested(keys->field->type))
        return append_quoted(keys, i, out, err);
    struct armi_buf text;
    armi_buf_init(&text, 0);
    enum armi_status st = armi_value_append_json(keys, i, &text, err);
    if (st == ARMI_OK)
        st = append_json_text(armi_buf_slice(&text), out, err);
    armi_buf_release(&text);
    return st;
}

static enum armi_status append_json_struct(const struct armi_array *a, int64_t i,
                                           struct armi_buf *out, struct armi_error *err)
{
    for (size_t c = 0; c < a->child_count; c++) {
        const char *name = a->field->children[c].name;
        struct armi_array column = armi_array_column(a, c);
        if (c > 0)
            ARMI_TRY(armi_buf_append_u8(out, ',', err));
        ARMI_TRY(append_json_text((struct armi_slice){(const uint8_t *)name, strlen(name)},
                                  out, err));
        ARMI_TRY(armi_buf_append_u8(out, ':', err));
        ARMI_TRY(armi_value_append_json(&column, i, out, err));
    }
    return ARMI_OK;
}

static enum armi_status append_json_list(const struct armi_array *a, int64_t i,
                                         struct armi_buf *out, struct armi_error *err)
{
    int64_t from, count;
    const struct armi_array *items = &a->children[0];
    armi_array_list(a, i, &from, &count);
    for (int64_t k = from; k < from + count; k++) {
        if (k > from)
            ARMI_TRY(armi_buf_append_u8(out, ',', err));
        if (a->field->type != ARMI_TYPE_MAP) {
            ARMI_TRY(armi_value_append_json(items, k, out, err));
            continue;
        }
        struct armi_array key = armi_array_column(items, 0);
        struct armi_array value = armi_array_column(items, 1);
        ARMI_TRY(append_json_key(&key, k, out, err));
        ARMI_TRY(armi_buf_append_u8(out, ':', err));
        ARMI_TRY(armi_value_append_json(&value, k, out, err));
    }
    return ARMI_OK;
}

enum armi_status armi_value_append_json(const struct armi_array *array, int64_t i,
                                        struct armi_buf *out, struct armi_error *err)
{
    if (!armi_array_resolve(&array, &i) || armi_array_is_null(array, i))
        return append_text(out, "null", err);
    enum armi_type type = array->field->type;
    if (!armi_type_is_nested(type))
        return append_json_flat(array, i, out, err);
    bool is_object = type == ARMI_TYPE_STRUCT || type == ARMI_TYPE_MAP;
    ARMI_TRY(armi_buf_append_u8(out, is_object ? '{' : '[', err));
    if (type == ARMI_TYPE_STRUCT)
        ARMI_TRY(append_json_struct(array, i, out, err));
    else
        ARMI_TRY(append_json_list(array, i, out, err));
    return armi_buf_append_u8(out, is_object ? '}' : ']', err);
}

enum armi_status armi_value_append(const struct armi_array *array, int64_t i,
                                   struct armi_buf *out, struct armi_error *err)
{
    if (!armi_array_resolve(&array, &i) || armi_array_is_null(array, i))
        return ARMI_OK;
    if (armi_type_is_nested(array->field->type))
        return armi_value_append_json(array, i, out, err);
    return append_flat(array, i, out, err);
}

/* ---- the public form ---- */

static enum armi_status format(const struct ArrowSchema *schema,
                               const struct ArrowArray *array, int64_t index,
                               struct armi_buf *out)
{
    struct armi_field field = ARMI_FIELD_INIT;
    struct armi_array view = ARMI_ARRAY_INIT;
    enum armi_status st = armi_field_import(schema, &field, NULL);
    if (st != ARMI_OK)
        goto done;
    st = armi_array_init(&field, array, ARMI_VALIDATE_BOUNDS, &view, NULL);
    if (st != ARMI_OK)
        goto done;
    st = ARMI_INVALID;
    if (index >= 0 && index < view.length)
        st = armi_value_append(&view, index, out, NULL);
done:
    armi_array_release(&view);
    armi_field_release(&field);
    return st;
}

size_t armi_value_format(const struct ArrowSchema *schema, const struct ArrowArray *array,
                         int64_t index, char *text, size_t capacity)
{
    struct armi_buf out;
    armi_buf_init(&out, 0);
    if (format(schema, array, index, &out) != ARMI_OK)
        armi_buf_clear(&out);
    size_t size = out.size;
    if (capacity > 0) {
        size_t n = size < capacity - 1 ? size : capacity - 1;
        if (n > 0)
            memcpy(text, out.data, n);
        text[n] = '\0';
    }
    armi_buf_release(&out);
    return size;
}
