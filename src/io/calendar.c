/*
 * Days to dates by 400-year cycles that begin with March, so that the odd day comes last.
 * Everything stays far inside 64 bits: the largest day number is INT64_MAX / 86400.
 */
#include "io/calendar.h"

#include <string.h>

#define CYCLE_DAYS  146097
#define MARCH_0000  719468 /* days from 0000-03-01 to 1970-01-01 */
#define DAY_SECONDS 86400

int64_t armi_calendar_floor(int64_t a, int64_t b, int64_t *rest)
{
    int64_t q = a / b, r = a % b;
    if (r < 0) {
        r += b;
        q--;
    }
    *rest = r;
    return q;
}

int64_t armi_calendar_per_second(enum armi_unit unit)
{
    static const int64_t per_second[] = {1, 1000, 1000000, 1000000000};
    return per_second[unit];
}

int64_t armi_calendar_days(int64_t year, int month, int day)
{
    int64_t of_cycle;
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t cycle = armi_calendar_floor(y, 400, &of_cycle);
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return cycle * CYCLE_DAYS + of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year -
           MARCH_0000;
}

void armi_calendar_date(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t d;
    int64_t cycle = armi_calendar_floor(days + MARCH_0000, CYCLE_DAYS, &d);
    int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    int64_t of_year = d - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = y + cycle * 400 + (*month <= 2);
}

int armi_calendar_month_days(int64_t year, int month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && is_leap);
}

/* At least `width` digits. */
static char *put_digits(char *at, uint64_t v, int width)
{
    char digits[20];
    int count = 0;
    while (v != 0 || count < width) {
        digits[count++] = (char)('0' + v % 10);
        v /= 10;
    }
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

static char *put_number(char *at, int64_t v)
{
    uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    if (v < 0)
        *at++ = '-';
    return put_digits(at, size, 1);
}

static char *put_date(char *at, int64_t days)
{
    int64_t year;
    int month, day;
    armi_calendar_date(days, &year, &month, &day);
    if (year < 0 || year > 9999)
        *at++ = year < 0 ? '-' : '+';
    at = put_digits(at, (uint64_t)(year < 0 ? -year : year), 4);
    *at++ = '-';
    at = put_digits(at, (uint64_t)month, 2);
    *at++ = '-';
    return put_digits(at, (uint64_t)day, 2);
}

/* `rest` steps of the unit, less than a second: nothing, or 3, 6 or 9 digits. */
static char *put_fraction(char *at, int64_t rest, enum armi_unit unit)
{
    int digits = 3 * (int)unit;
    if (rest == 0)
        return at;
    while (rest % 1000 == 0) {
        rest /= 1000;
        digits -= 3;
    }
    *at++ = '.';
    return put_digits(at, (uint64_t)rest, digits);
}

static char *put_time(char *at, int64_t of_day, enum armi_unit unit)
{
    int64_t rest;
    int64_t seconds = armi_calendar_floor(of_day, armi_calendar_per_second(unit), &rest);
    at = put_digits(at, (uint64_t)(seconds / 3600), 2);
    *at++ = ':';
    at = put_digits(at, (uint64_t)(seconds / 60 % 60), 2);
    *at++ = ':';
    at = put_digits(at, (uint64_t)(seconds % 60), 2);
    return put_fraction(at, rest, unit);
}

size_t armi_calendar_write_date(int64_t days, char *out)
{
    return (size_t)(put_date(out, days) - out);
}

size_t armi_calendar_write_time(int64_t v, enum armi_unit unit, char *out)
{
    bool is_inside = v >= 0 && v < DAY_SECONDS * armi_calendar_per_second(unit);
    return (size_t)((is_inside ? put_time(out, v, unit) : put_number(out, v)) - out);
}

size_t armi_calendar_write_timestamp(int64_t v, enum armi_unit unit, bool is_zoned,
                                     char *out)
{
    int64_t of_day;
    int64_t days =
        armi_calendar_floor(v, DAY_SECONDS * armi_calendar_per_second(unit), &of_day);
    char *at = put_date(out, days);
    *at++ = 'T';
    at = put_time(at, of_day, unit);
    if (is_zoned)
        *at++ = 'Z';
    return (size_t)(at - out);
}

size_t armi_calendar_write_duration(int64_t v, enum armi_unit unit, char *out)
{
    /* The sign apart, without overflow for the lowest value. */
    uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    uint64_t per = (uint64_t)armi_calendar_per_second(unit);
    uint64_t seconds = size / per, rest = size % per;
    const uint64_t parts[] = {seconds / DAY_SECONDS, seconds / 3600 % 24, seconds / 60 % 60,
                              seconds % 60};
    char *at = out;
    if (v < 0)
        *at++ = '-';
    *at++ = 'P';
    if (parts[0] != 0) {
        at = put_digits(at, parts[0], 1);
        *at++ = 'D';
    }
    if (seconds % DAY_SECONDS != 0 || rest != 0 || size == 0)
        *at++ = 'T';
    for (int i = 1; i < 3; i++)
        if (parts[i] != 0) {
            at = put_digits(at, parts[i], 1);
            *at++ = "DHM"[i];
        }
    if (parts[3] != 0 || rest != 0 || size == 0) {
        at = put_digits(at, parts[3], 1);
        at = put_fraction(at, (int64_t)rest, unit);
        *at++ = 'S';
    }
    return (size_t)(at - out);
}
