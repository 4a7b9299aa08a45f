/*
 * ISO 8601 as SQL writes it. A date means midnight, no offset means UTC.
 */
#include "predicate/temporal.h"

#include <string.h>

#define NANO   INT64_C(1000000000)
#define MINUTE (60 * NANO)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Above every int64 of seconds, far below what would overflow. */
#define DURATION_MAX ((__int128_t)DAY * INT64_C(1000000000000000000))

struct cursor {
    const char *p;
    const char *end;
};

static bool take(struct cursor *c, char wanted)
{
    if (c->p == c->end || *c->p != wanted)
        return false;
    c->p++;
    return true;
}

/* Digits, `least` to `most` of them; returns how many, 0 if there are too few. */
static int take_digits(struct cursor *c, int least, int most, int64_t *out)
{
    int count = 0;
    int64_t v = 0;
    while (count < most && c->p + count < c->end && c->p[count] >= '0' &&
           c->p[count] <= '9') {
        v = v * 10 + (c->p[count] - '0');
        count++;
    }
    if (count < least)
        return 0;
    c->p += count;
    *out = v;
    return count;
}

/* 1 to 19 digits: every int64 without its sign. */
static bool take_whole(struct cursor *c, __int128_t *out)
{
    int64_t head = 0, tail = 0;
    int digits = take_digits(c, 1, 10, &head);
    *out = head;
    if (digits == 10 && c->p < c->end && *c->p >= '0' && *c->p <= '9') {
        digits = take_digits(c, 1, 9, &tail);
        for (int i = 0; i < digits; i++)
            *out *= 10;
        *out += tail;
    }
    return digits != 0;
}

static void skip_spaces(struct cursor *c)
{
    while (take(c, ' '))
        ;
}

/* Days since 1970-01-01 of a date that exists, counting years from March on. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static const char *take_date(struct cursor *c, __int128_t *out)
{
    static const int8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year, month, day;
    bool is_negative = take(c, '-');
    if (take_digits(c, 4, 12, &year) == 0 || !take(c, '-') ||
        take_digits(c, 2, 2, &month) == 0 || !take(c, '-') ||
        take_digits(c, 2, 2, &day) == 0)
        return "a date is written '2013-01-31'";
    if (is_negative)
        year = -year;
    if (month < 1 || month > 12)
        return "there is no such month";
    if (day < 1 || day > lengths[month - 1] + (month == 2 && is_leap(year)))
        return "there is no such day";
    *out = (__int128_t)days_from_civil(year, month, day) * DAY;
    return NULL;
}

/* HH:MM[:SS[.fraction]] */
static const char *take_time(struct cursor *c, __int128_t *out)
{
    int64_t hour, minute, second = 0, fraction = 0;
    if (take_digits(c, 2, 2, &hour) == 0 || !take(c, ':') ||
        take_digits(c, 2, 2, &minute) == 0)
        return "a time is written '05:15:00'";
    if (take(c, ':')) {
        if (take_digits(c, 2, 2, &second) == 0)
            return "a time is written '05:15:00'";
        if (take(c, '.')) {
            int digits = take_digits(c, 1, 9, &fraction);
            if (digits == 0 || (c->p < c->end && *c->p >= '0' && *c->p <= '9'))
                return "a fraction of a second has 1 to 9 digits";
            for (; digits < 9; digits++)
                fraction *= 10;
        }
    }
    if (hour > 23 || minute > 59 || second > 59)
        return "there is no such time of day";
    *out = hour * HOUR + minute * MINUTE + second * NANO + fraction;
    return NULL;
}

/* Z, UTC, +HH, +HH:MM, +HHMM, or nothing. *out is what must be taken off. */
static const char *take_zone(struct cursor *c, __int128_t *out)
{
    int64_t hour, minute = 0;
    *out = 0;
    skip_spaces(c);
    if (c->p == c->end || take(c, 'Z') || take(c, 'z'))
        return NULL;
    if (c->end - c->p == 3 && memcmp(c->p, "UTC", 3) == 0) {
        c->p += 3;
        return NULL;
    }
    bool is_west = *c->p == '-';
    if (!take(c, '+') && !take(c, '-'))
        return "a zone is Z or an offset such as +02:00";
    if (take_digits(c, 2, 2, &hour) == 0)
        return "a zone is Z or an offset such as +02:00";
    bool has_colon = take(c, ':');
    if (take_digits(c, 2, 2, &minute) == 0 && has_colon)
        return "a zone is Z or an offset such as +02:00";
    if (hour > 23 || minute > 59)
        return "there is no such offset";
    *out = hour * HOUR + minute * MINUTE;
    if (is_west)
        *out = -*out;
    return NULL;
}

static const char *take_timestamp(struct cursor *c, __int128_t *out)
{
    __int128_t time = 0, zone = 0;
    const char *wrong = take_date(c, out);
    if (wrong == NULL && c->p != c->end) {
        if (!take(c, 'T') && !take(c, 't') && !take(c, ' '))
            return "between date and time there is a space or a T";
        wrong = take_time(c, &time);
        if (wrong == NULL)
            wrong = take_zone(c, &zone);
    }
    *out += time - zone;
    return wrong;
}

/* The step of a unit's name, 0 for none. Moves past it. */
static int64_t take_unit(struct cursor *c)
{
    static const struct {
        const char *name;
        int64_t step;
    } units[] = {
        {"ns", 1},          {"us", 1000},        {"ms", 1000000},   {"s", NANO},
        {"sec", NANO},      {"second", NANO},    {"seconds", NANO}, {"min", MINUTE},
        {"minute", MINUTE}, {"minutes", MINUTE}, {"h", HOUR},       {"hour", HOUR},
        {"hours", HOUR},    {"d", DAY},          {"day", DAY},      {"days", DAY},
    };
    size_t size = 0;
    while (c->p + size < c->end && c->p[size] >= 'a' && c->p[size] <= 'z')
        size++;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strlen(units[i].name) == size && memcmp(units[i].name, c->p, size) == 0) {
            c->p += size;
            return units[i].step;
        }
    }
    return 0;
}

/* [-] number unit [number unit …] */
static const char *take_duration(struct cursor *c, __int128_t *out)
{
    static const char wrong[] = "a duration is written '1 h 30 min' (ns us ms s min h d)";
    bool is_negative = take(c, '-');
    __int128_t total = 0;
    do {
        __int128_t whole;
        int64_t fraction = 0, divisor = 1;
        skip_spaces(c);
        if (!take_whole(c, &whole))
            return wrong;
        if (take(c, '.')) {
            int digits = take_digits(c, 1, 9, &fraction);
            if (digits == 0)
                return wrong;
            for (; digits > 0; digits--)
                divisor *= 10;
        }
        skip_spaces(c);
        int64_t step = take_unit(c);
        if (step == 0)
            return wrong;
        __int128_t part = (__int128_t)fraction * step;
        if (part % divisor != 0)
            return "a duration has no parts of a nanosecond";
        total += whole * step + part / divisor;
        if (total > DURATION_MAX)
            return "no column holds so long a duration";
        skip_spaces(c);
    } while (c->p != c->end);
    *out = is_negative ? -total : total;
    return NULL;
}

const char *armi_temporal_parse(enum armi_temporal kind, struct armi_slice text,
                                __int128_t *out)
{
    if (text.size == 0)
        return "there is nothing between the quotes";
    struct cursor c = {(const char *)text.data, (const char *)text.data + text.size};
    __int128_t v = 0;
    const char *wrong;
    if (kind == ARMI_TEMPORAL_DATE)
        wrong = take_date(&c, &v);
    else if (kind == ARMI_TEMPORAL_TIMESTAMP)
        wrong = take_timestamp(&c, &v);
    else if (kind == ARMI_TEMPORAL_TIME)
        wrong = take_time(&c, &v);
    else
        wrong = take_duration(&c, &v);
    if (wrong == NULL && c.p != c.end)
        wrong = "there is something behind its end";
    if (wrong == NULL)
        *out = v;
    return wrong;
}

int64_t armi_temporal_step(const struct armi_field *field)
{
    static const int64_t steps[] = {NANO, 1000000, 1000, 1};
    if (field->type == ARMI_TYPE_DATE32)
        return DAY;
    if (field->type == ARMI_TYPE_DATE64)
        return 1000000;
    return steps[field->unit];
}
