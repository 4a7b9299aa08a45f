/*
 * Days and dates of the proleptic Gregorian calendar, and times as text. All of it holds
 * for every day, millisecond or nanosecond count of 64 bits: years may be negative (year
 * 0 is 1 BC, as in ISO 8601) and longer than four digits.
 */
#ifndef ARMI_IO_CALENDAR_H
#define ARMI_IO_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arrow/field.h"

/* Room for any text that is written here. */
#define ARMI_CALENDAR_TEXT_SIZE 64

/* A year beyond this is no day that can be counted in any unit. */
#define ARMI_CALENDAR_YEAR_MAX INT64_C(300000000000)

/* Days since 1970-01-01. |year| <= ARMI_CALENDAR_YEAR_MAX, a day that exists. */
int64_t armi_calendar_days(int64_t year, int month, int day);
/* The inverse, for |days| <= INT64_MAX / 86400. */
void armi_calendar_date(int64_t days, int64_t *year, int *month, int *day);
int armi_calendar_month_days(int64_t year, int month);

/* Steps of the unit in a second. */
int64_t armi_calendar_per_second(enum armi_unit unit);
/* a / b rounded down, and what is left (0 .. b - 1). b > 0. */
int64_t armi_calendar_floor(int64_t a, int64_t b, int64_t *rest);

/*
 * Each writes text without a zero byte to `out` (ARMI_CALENDAR_TEXT_SIZE) and returns its
 * length. Dates are "2013-01-31"; years outside 0 .. 9999 carry a sign and at least four
 * digits, "+12013-01-31". Fractions of a second have 0, 3, 6 or 9 digits, as few as the
 * value needs. A time outside of a day is written as the number that it is.
 */
size_t armi_calendar_write_date(int64_t days, char *out);
size_t armi_calendar_write_time(int64_t v, enum armi_unit unit, char *out);
size_t armi_calendar_write_timestamp(int64_t v, enum armi_unit unit, bool is_zoned,
                                     char *out);
/* ISO 8601: "P1DT2H30M", "-PT0.5S", "PT0S". */
size_t armi_calendar_write_duration(int64_t v, enum armi_unit unit, char *out);

#endif
