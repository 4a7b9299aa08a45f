/*
 * The grammar of fields. Where a text could be more than one thing it is the most special
 * one, and only in forms that lose nothing: a zip code with a zero in front, an integer
 * over 64 bits, a date that does not exist stay text.
 */
#include "io/csv_value.h"

#include <math.h>
#include <string.h>

#include "io/calendar.h"
#include "io/float_text.h"

#define NUMBER_SIZE_MAX  1100 /* no double needs more */
#define EXPONENT_MAX     100000
#define MANTISSA_FULL    UINT64_C(1000000000000000000) /* one more digit still fits */
#define EXACT_INT_DIGITS 15
#define FITS_SECONDS     INT64_C(9000000000) /* so many of them in nanoseconds, certainly */

static bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') < 10;
}

static bool equals(const uint8_t *p, size_t size, const char *text)
{
    return strlen(text) == size && memcmp(p, text, size) == 0;
}

/* ---- floats ---- */

static void take_digit(struct armi_decimal_text *d, uint8_t c, bool is_fraction)
{
    if (d->mantissa < MANTISSA_FULL) {
        d->mantissa = d->mantissa * 10 + (uint64_t)(c - '0');
        d->exponent -= is_fraction;
    } else {
        d->is_cut = d->is_cut || c != '0';
        d->exponent += !is_fraction;
    }
}

/* Digits from *at on; how many. */
static size_t take_digits(const uint8_t *p, size_t size, size_t *at, bool is_fraction,
                          struct armi_decimal_text *d)
{
    size_t from = *at, i = from;
    while (i < size && is_digit(p[i]))
        take_digit(d, p[i++], is_fraction);
    *at = i;
    return i - from;
}

/* e±digits from *at on, if there is one; false if it is malformed. */
static bool take_exponent(const uint8_t *p, size_t size, size_t *at,
                          struct armi_decimal_text *d)
{
    size_t i = *at;
    if (i == size || (p[i] | 0x20) != 'e')
        return true;
    i++;
    bool is_negative = i < size && p[i] == '-';
    if (i < size && (p[i] == '-' || p[i] == '+'))
        i++;
    size_t from = i;
    int64_t e = 0;
    for (; i < size && is_digit(p[i]); i++)
        e = e < EXPONENT_MAX ? e * 10 + (p[i] - '0') : e;
    d->exponent += is_negative ? -e : e;
    *at = i;
    return i > from;
}

static bool parse_decimal(const uint8_t *p, size_t size, struct armi_decimal_text *out)
{
    struct armi_decimal_text d = {0, 0, false, false};
    size_t i = 0, digits;
    if (size > NUMBER_SIZE_MAX)
        return false;
    if (size > 0 && p[0] == '-') {
        d.is_negative = true;
        i++;
    }
    if (i + 1 < size && p[i] == '0' && is_digit(p[i + 1]))
        return false;
    digits = take_digits(p, size, &i, false, &d);
    if (i < size && p[i] == '.') {
        i++;
        digits += take_digits(p, size, &i, true, &d);
    }
    if (digits == 0 || !take_exponent(p, size, &i, &d) || i != size)
        return false;
    *out = d;
    return true;
}

/* The same for what most decimals are: digits, a point, digits, 19 in all. False: the long
 * way will tell. */
static bool parse_plain(const uint8_t *p, size_t size, struct armi_decimal_text *out)
{
    bool is_negative = size > 0 && p[0] == '-';
    size_t from = is_negative, i = from;
    uint64_t m = 0;
    if (size > 20 + from || size <= from || (p[from] == '0' && p[from + 1] != '.'))
        return false;
    while (i < size && is_digit(p[i]))
        m = m * 10 + (uint64_t)(p[i++] - '0');
    if (i == from || i + 1 >= size || p[i] != '.')
        return false;
    size_t count = size - ++i, head = count % 8;
    if (head > 0) {
        static const uint64_t powers[] = {1,     10,     100,     1000,
                                          10000, 100000, 1000000, 10000000};
        uint64_t w = armi_csv_digits_load(p + i, head);
        if (!armi_csv_digits_valid(w))
            return false;
        m = m * powers[head] + armi_csv_digits_value(w);
    }
    for (i += head; i < size; i += 8) {
        uint64_t w = armi_load64(p + i);
        if (!armi_csv_digits_valid(w))
            return false;
        m = m * 100000000 + armi_csv_digits_value(w);
    }
    *out = (struct armi_decimal_text){m, -(int64_t)count, is_negative, false};
    return true;
}

static bool parse_special(const uint8_t *p, size_t size, double *out)
{
    bool is_negative = size > 0 && p[0] == '-';
    if (equals(p, size, "NaN") || equals(p, size, "nan")) {
        *out = NAN;
        return true;
    }
    p += is_negative;
    size -= is_negative;
    if (!equals(p, size, "inf") && !equals(p, size, "Inf") && !equals(p, size, "Infinity"))
        return false;
    *out = is_negative ? -INFINITY : INFINITY;
    return true;
}

bool armi_csv_parse_float(const uint8_t *p, size_t size, double *out)
{
    struct armi_decimal_text d;
    if (parse_plain(p, size, &d) || parse_decimal(p, size, &d))
        return armi_float_nearest(&d, p, size, out);
    return parse_special(p, size, out);
}

/* ---- booleans ---- */

bool armi_csv_parse_bool(const uint8_t *p, size_t size, bool *out)
{
    if (equals(p, size, "true") || equals(p, size, "True") || equals(p, size, "TRUE"))
        *out = true;
    else if (equals(p, size, "false") || equals(p, size, "False") ||
             equals(p, size, "FALSE"))
        *out = false;
    else
        return false;
    return true;
}

/* ---- dates and times ---- */

/* Two digits, or a number over 99. */
static int two_digits(const uint8_t *p)
{
    return is_digit(p[0]) && is_digit(p[1]) ? (p[0] - '0') * 10 + (p[1] - '0') : 100;
}

/* The year's digits; *at behind them. Four, or with a sign as many as it takes. */
static bool parse_year(const uint8_t *p, size_t size, size_t *at, int64_t *out)
{
    bool is_signed = size > 0 && (p[0] == '-' || p[0] == '+');
    size_t i = is_signed, from = i;
    int64_t year = 0;
    for (; i < size && is_digit(p[i]) && i - from < 12; i++)
        year = year * 10 + (p[i] - '0');
    size_t count = i - from;
    if (count < 4 || (!is_signed && count > 4) || (count > 4 && p[from] == '0'))
        return false;
    /* Only what cannot be written in four digits has a sign. */
    if (is_signed && ((p[0] == '+' && year <= 9999) || (p[0] == '-' && year == 0)))
        return false;
    *at = i;
    *out = is_signed && p[0] == '-' ? -year : year;
    return true;
}

/* YYYY-MM-DD without a sign: the first eight bytes as one number, YYYY0MM0. */
static bool parse_plain_day(const uint8_t *p, int64_t *out)
{
    const uint64_t dashes = UINT64_C(0x2d) << 32 | UINT64_C(0x2d) << 56;
    const uint64_t mask = UINT64_C(0xff) << 32 | UINT64_C(0xff) << 56;
    const uint64_t to_zero = UINT64_C(0x1d) << 32 | UINT64_C(0x1d) << 56; /* '-' ^ '0' */
    uint64_t w = armi_load64(p);
    if ((w & mask) != dashes || !armi_csv_digits_valid(w ^ to_zero))
        return false;
    uint32_t v = (uint32_t)armi_csv_digits_value(w ^ to_zero);
    int64_t year = v / 10000;
    int month = (int)(v % 10000 / 10), day = two_digits(p + 8);
    if (month < 1 || month > 12 || day < 1 ||
        (day > 28 && day > armi_calendar_month_days(year, month)))
        return false;
    *out = armi_calendar_days(year, month, day);
    return true;
}

/* YYYY-MM-DD; *at behind it. */
static bool parse_day(const uint8_t *p, size_t size, size_t *at, int64_t *out)
{
    int64_t year;
    size_t i = 0;
    if (size >= 10 && parse_plain_day(p, out)) {
        *at = 10;
        return true;
    }
    if (!parse_year(p, size, &i, &year) || size - i < 6 || p[i] != '-' || p[i + 3] != '-')
        return false;
    int month = two_digits(p + i + 1), day = two_digits(p + i + 4);
    if (month < 1 || month > 12 || day < 1 || day > armi_calendar_month_days(year, month))
        return false;
    *at = i + 6;
    *out = armi_calendar_days(year, month, day);
    return true;
}

bool armi_csv_parse_date(const uint8_t *p, size_t size, int64_t *out)
{
    int64_t days;
    size_t at;
    if (!parse_day(p, size, &at, &days) || at != size || days < INT32_MIN ||
        days > INT32_MAX)
        return false;
    *out = days;
    return true;
}

/* HH:MM[:SS[.fraction]] from *at on. */
static bool parse_clock(const uint8_t *p, size_t size, size_t *at, int64_t *out_seconds,
                        int32_t *out_nanos)
{
    size_t i = *at;
    if (size - i < 5 || p[i + 2] != ':')
        return false;
    int hours = two_digits(p + i), minutes = two_digits(p + i + 3), seconds = 0;
    int32_t nanos = 0, unit = 100000000;
    i += 5;
    if (size - i >= 3 && p[i] == ':') {
        seconds = two_digits(p + i + 1);
        i += 3;
        if (size - i >= 2 && p[i] == '.' && is_digit(p[i + 1])) {
            for (i++; i < size && is_digit(p[i]) && unit > 0; i++, unit /= 10)
                nanos += unit * (p[i] - '0');
        }
    }
    if (hours > 23 || minutes > 59 || seconds > 59)
        return false;
    *at = i;
    *out_seconds = hours * 3600 + minutes * 60 + seconds;
    *out_nanos = nanos;
    return true;
}

/* Z, +HH, +HHMM or +HH:MM to the end, or nothing; seconds that it is ahead of UTC. */
static bool parse_zone(const uint8_t *p, size_t size, bool *is_zoned, int64_t *out)
{
    *is_zoned = size > 0;
    *out = 0;
    if (size == 0 || (size == 1 && p[0] == 'Z'))
        return true;
    if ((p[0] != '+' && p[0] != '-') || (size != 3 && size != 5 && size != 6) ||
        (size == 6 && p[3] != ':'))
        return false;
    int hours = two_digits(p + 1), minutes = size > 3 ? two_digits(p + size - 2) : 0;
    if (hours > 23 || minutes > 59)
        return false;
    *out = (hours * 3600 + minutes * 60) * (p[0] == '-' ? -1 : 1);
    return true;
}

bool armi_csv_time_count(const struct armi_csv_time *time, int64_t per_second, int64_t *out)
{
    int64_t part = time->nanos / (1000000000 / per_second);
    if (time->seconds >= -FITS_SECONDS && time->seconds <= FITS_SECONDS) {
        *out = time->seconds * per_second + part;
        return true;
    }
    /* The sum may fit where the product does not. */
    __int128_t count = (__int128_t)time->seconds * per_second + part;
    if (count < INT64_MIN || count > INT64_MAX)
        return false;
    *out = (int64_t)count;
    return true;
}

bool armi_csv_parse_time(const uint8_t *p, size_t size, struct armi_csv_time *out)
{
    int64_t days, of_day, ahead;
    struct armi_csv_time time;
    size_t at;
    if (!parse_day(p, size, &at, &days) || at == size || (p[at] != 'T' && p[at] != ' '))
        return false;
    at++;
    if (!parse_clock(p, size, &at, &of_day, &time.nanos) ||
        !parse_zone(p + at, size - at, &time.is_zoned, &ahead))
        return false;
    time.seconds = days * 86400 + of_day - ahead;
    int64_t count;
    /* What does not fit in microseconds is text. */
    if (!armi_csv_time_count(&time, 1000000, &count))
        return false;
    *out = time;
    return true;
}

/* ---- kinds ---- */

static struct armi_csv_type kind_of_int(int64_t v, size_t size)
{
    /* Up to 2^53 every integer is a double, beyond it some are. */
    bool is_exact =
        size <= EXACT_INT_DIGITS ||
        (v >= -(INT64_C(1) << 62) && v <= INT64_C(1) << 62 && (int64_t)(double)v == v);
    return (struct armi_csv_type){ARMI_CSV_INT, is_exact ? 0 : ARMI_CSV_INEXACT_INT};
}

unsigned armi_csv_time_traits(const struct armi_csv_time *time)
{
    int64_t count;
    unsigned traits = time->is_zoned ? ARMI_CSV_ZONED : ARMI_CSV_NAIVE;
    if (time->nanos % 1000 != 0)
        traits |= ARMI_CSV_NANOS;
    if (!armi_csv_time_count(time, 1000000000, &count))
        traits |= ARMI_CSV_BEYOND_NANOS;
    if (!armi_csv_time_count(time, 1000000, &count))
        traits |= ARMI_CSV_BEYOND_MICROS;
    return traits;
}

static struct armi_csv_type classify_number(const uint8_t *p, size_t size)
{
    static const struct armi_csv_type text = {ARMI_CSV_TEXT, 0};
    struct armi_decimal_text d;
    int64_t v;
    double f;
    if (armi_csv_parse_int(p, size, &v))
        return kind_of_int(v, size);
    if (!parse_decimal(p, size, &d))
        return text;
    /* An integer that int64 cannot hold would lose digits as a double. */
    size_t i = d.is_negative;
    while (i < size && is_digit(p[i]))
        i++;
    if ((i == size && !(d.mantissa == 0 && size == 2)) ||
        !armi_float_nearest(&d, p, size, &f))
        return text;
    return (struct armi_csv_type){ARMI_CSV_FLOAT, 0};
}

static struct armi_csv_type classify_time(const uint8_t *p, size_t size)
{
    struct armi_csv_time time;
    int64_t days;
    if (armi_csv_parse_date(p, size, &days)) {
        time = (struct armi_csv_time){days * 86400, 0, false};
        return (struct armi_csv_type){ARMI_CSV_DATE, armi_csv_time_traits(&time)};
    }
    if (!armi_csv_parse_time(p, size, &time))
        return (struct armi_csv_type){ARMI_CSV_TEXT, 0};
    return (struct armi_csv_type){ARMI_CSV_TIMESTAMP, armi_csv_time_traits(&time)};
}

struct armi_csv_type armi_csv_classify(const uint8_t *p, size_t size)
{
    struct armi_csv_type type = {ARMI_CSV_TEXT, 0};
    double f;
    bool b;
    if (is_digit(p[0]) || p[0] == '-' || p[0] == '+' || p[0] == '.') {
        type = classify_number(p, size);
        if (type.kind == ARMI_CSV_TEXT && p[0] != '.')
            type = classify_time(p, size);
    }
    if (type.kind == ARMI_CSV_TEXT && size <= 9) {
        if (armi_csv_parse_bool(p, size, &b))
            type.kind = ARMI_CSV_BOOL;
        else if (parse_special(p, size, &f))
            type.kind = ARMI_CSV_FLOAT;
    }
    return type;
}

void armi_csv_type_join(struct armi_csv_type *type, struct armi_csv_type other)
{
    enum armi_csv_kind a = type->kind, b = other.kind;
    if (b == ARMI_CSV_NONE)
        return;
    type->traits |= other.traits;
    if (a == ARMI_CSV_NONE || a == b)
        type->kind = b;
    else if (a <= ARMI_CSV_FLOAT && b <= ARMI_CSV_FLOAT)
        type->kind = ARMI_CSV_FLOAT;
    else if ((a == ARMI_CSV_DATE && b == ARMI_CSV_TIMESTAMP) ||
             (a == ARMI_CSV_TIMESTAMP && b == ARMI_CSV_DATE))
        type->kind = ARMI_CSV_TIMESTAMP;
    else
        type->kind = ARMI_CSV_TEXT;
    unsigned t = type->traits;
    if (type->kind == ARMI_CSV_FLOAT && (t & ARMI_CSV_INEXACT_INT))
        type->kind = ARMI_CSV_TEXT;
    if (type->kind == ARMI_CSV_TIMESTAMP &&
        (((t & ARMI_CSV_ZONED) && (t & ARMI_CSV_NAIVE)) ||
         ((t & ARMI_CSV_NANOS) && (t & ARMI_CSV_BEYOND_NANOS)) ||
         (t & ARMI_CSV_BEYOND_MICROS)))
        type->kind = ARMI_CSV_TEXT;
}
