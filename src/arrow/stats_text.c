/*
 * Bounds back into text, for people: `armi stats` and error messages. A bound comes from disk, so
 * its size is checked against the type.
 */
#include <inttypes.h>
#include <stdio.h>

#include "arrow/stats_internal.h"
#include "base/bits.h"
#include "base/text.h"

static enum armi_status append_text(struct armi_buf *out, const char *text,
                                    struct armi_error *err)
{
    return armi_buf_append(out, text, strlen(text), err);
}

static uint64_t load_big_endian(const uint8_t *p)
{
    return __builtin_bswap64(armi_load64(p));
}

/* ---- dates and times ---- */

/* Year, month, day of a day number since 1970-01-01, by 400-year cycles from March 0000 on. */
static void civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = y + era * 400 + (*month <= 2);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static const int64_t unit_per_second[] = {1, 1000, 1000000, 1000000000};
static const int unit_digits[] = {0, 3, 6, 9};

static void format_time(int64_t v, enum armi_unit unit, char *out, size_t size)
{
    int64_t per = unit_per_second[unit], seconds = v / per, rest = v % per;
    int used = snprintf(out, size, "%02d:%02d:%02d", (int)(seconds / 3600),
                        (int)(seconds / 60 % 60), (int)(seconds % 60));
    if (rest != 0)
        snprintf(out + used, size - (size_t)used, ".%0*" PRId64, unit_digits[unit], rest);
}

static void format_date(int64_t days, char *out, size_t size)
{
    int64_t year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    snprintf(out, size, "%04" PRId64 "-%02d-%02d", year, month, day);
}

static void format_int(const struct armi_field *field, int64_t v, char *out, size_t size)
{
    static const char *const unit_names[] = {"s", "ms", "us", "ns"};
    char date[40], time[40];
    int64_t per_day;
    switch (field->type) {
    case ARMI_TYPE_DATE32:
    case ARMI_TYPE_DATE64:
        format_date(field->type == ARMI_TYPE_DATE32 ? v : floor_div(v, 86400000), date,
                    sizeof date);
        snprintf(out, size, "date '%s'", date);
        return;
    case ARMI_TYPE_TIME32:
    case ARMI_TYPE_TIME64:
        if (v < 0 || v / unit_per_second[field->unit] >= 86400)
            break;
        format_time(v, field->unit, time, sizeof time);
        snprintf(out, size, "time '%s'", time);
        return;
    case ARMI_TYPE_TIMESTAMP:
        per_day = 86400 * unit_per_second[field->unit];
        format_date(floor_div(v, per_day), date, sizeof date);
        format_time(v - floor_div(v, per_day) * per_day, field->unit, time, sizeof time);
        snprintf(out, size, "timestamp '%s %s%s'", date, time,
                 field->timezone != NULL ? "Z" : "");
        return;
    case ARMI_TYPE_DURATION:
        snprintf(out, size, "%" PRId64 " %s", v, unit_names[field->unit]);
        return;
    default:
        break;
    }
    snprintf(out, size, "%" PRId64, v);
}

/* ---- numbers ---- */

static void format_double(uint64_t bound, char *out, size_t size)
{
    uint64_t bits = bound >> 63 ? bound ^ (UINT64_C(1) << 63) : ~bound;
    double v;
    memcpy(&v, &bits, sizeof v);
    /* The shortest text that reads back the same. */
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, v);
        double back;
        if (sscanf(out, "%lf", &back) == 1 && back == v)
            return;
    }
}

static enum armi_status append_decimal(const struct armi_field *field, const uint8_t *bound,
                                       struct armi_buf *out, struct armi_error *err)
{
    __uint128_t v = load_big_endian(bound) ^ (UINT64_C(1) << 63);
    v = v << 64 | load_big_endian(bound + 8);
    bool is_negative = (v >> 127) != 0;
    if (is_negative)
        v = 0 - v;
    char digits[48], text[160];
    int count = 0, scale = field->scale, at = 0;
    do {
        digits[count++] = (char)('0' + (int)(v % 10));
        v /= 10;
    } while (v != 0);
    while (count <= scale && count < (int)sizeof digits)
        digits[count++] = '0';
    if (is_negative)
        text[at++] = '-';
    for (int i = count - 1; i >= 0; i--) {
        text[at++] = digits[i];
        if (i == scale && scale > 0)
            text[at++] = '.';
    }
    ARMI_TRY(armi_buf_append(out, text, (size_t)at, err));
    if (scale >= 0 && scale < (int)sizeof digits)
        return ARMI_OK;
    snprintf(text, sizeof text, "e%d", -scale); /* beyond what digits can show */
    return append_text(out, text, err);
}

/* ---- strings ---- */

static enum armi_status append_quoted(const uint8_t *bytes, size_t size,
                                      struct armi_buf *out, struct armi_error *err)
{
    ARMI_TRY(armi_buf_append_u8(out, '\'', err));
    for (size_t i = 0; i < size; i++) {
        char hex[8];
        if (bytes[i] < 0x20 || bytes[i] == 0x7f) {
            snprintf(hex, sizeof hex, "\\x%02x", bytes[i]);
            ARMI_TRY(append_text(out, hex, err));
            continue;
        }
        if (bytes[i] == '\'')
            ARMI_TRY(armi_buf_append_u8(out, '\'', err));
        ARMI_TRY(armi_buf_append_u8(out, bytes[i], err));
    }
    return armi_buf_append_u8(out, '\'', err);
}

/* Text where it is text, else hex. A bound may end within a character, or, rounded up, hold
 * bytes that no text has: what is whole in front is shown. */
static enum armi_status append_bytes(const struct armi_field *field, const uint8_t *bytes,
                                     size_t size, bool exact, struct armi_buf *out,
                                     struct armi_error *err)
{
    char hex[2 * ARMI_STATS_BOUND_MAX + 1];
    size_t whole = size;
    if (armi_type_is_utf8(field->type)) {
        while (whole > 0 && size - whole < 4 && !armi_utf8_valid(bytes, whole))
            whole--;
        if (armi_utf8_valid(bytes, whole)) {
            ARMI_TRY(append_quoted(bytes, whole, out, err));
            return exact ? ARMI_OK : append_text(out, "...", err);
        }
    }
    armi_hex_encode(bytes, size, hex);
    ARMI_TRY(append_text(out, "x'", err));
    ARMI_TRY(append_text(out, hex, err));
    return append_text(out, exact ? "'" : "'...", err);
}

enum armi_status armi_stats_format(const struct armi_field *field, const uint8_t *bound,
                                   size_t size, bool exact, struct armi_buf *out,
                                   struct armi_error *err)
{
    static const int sizes[] = {
        [BOUND_BOOL] = 1,  [BOUND_INT] = 8,      [BOUND_UINT] = 8,
        [BOUND_FLOAT] = 8, [BOUND_DECIMAL] = 16, [BOUND_BYTES] = -1};
    char text[128];
    field = armi_field_value(field);
    enum bound_kind kind = armi_bound_kind(field);
    bool fits = size <= ARMI_STATS_BOUND_MAX && kind >= BOUND_BOOL &&
                (sizes[kind] < 0 || (size_t)sizes[kind] == size) &&
                (kind != BOUND_BOOL || bound[0] <= 1);
    if (!fits)
        return armi_error_object(err, ARMI_CORRUPTION, "column", field->name,
                                 "column \"%s\": %zu bytes are no bound of type %s",
                                 field->name, size, armi_type_name(field->type));
    switch (kind) {
    case BOUND_BOOL:
        return append_text(out, bound[0] != 0 ? "true" : "false", err);
    case BOUND_INT:
        format_int(field, (int64_t)(load_big_endian(bound) ^ (UINT64_C(1) << 63)), text,
                   sizeof text);
        return append_text(out, text, err);
    case BOUND_UINT:
        snprintf(text, sizeof text, "%" PRIu64, load_big_endian(bound));
        return append_text(out, text, err);
    case BOUND_FLOAT:
        format_double(load_big_endian(bound), text, sizeof text);
        return append_text(out, text, err);
    case BOUND_DECIMAL:
        return append_decimal(field, bound, out, err);
    default:
        return append_bytes(field, bound, size, exact, out, err);
    }
}
