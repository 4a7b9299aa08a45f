/*
 * What one CSV field is, and its value. All of it is strict and the same in both passes:
 * what was classified as a kind parses as that kind.
 *
 * Fields are read in words: ARMI_CSV_SLACK bytes behind a field must be readable.
 */
#ifndef ARMI_IO_CSV_VALUE_H
#define ARMI_IO_CSV_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"

#define ARMI_CSV_SLACK 64

enum armi_csv_kind {
    ARMI_CSV_NONE, /* nothing but nulls so far */
    ARMI_CSV_INT,
    ARMI_CSV_FLOAT,
    ARMI_CSV_BOOL,
    ARMI_CSV_DATE,
    ARMI_CSV_TIMESTAMP,
    ARMI_CSV_TEXT,
};

/* What else decides a column's type. */
enum armi_csv_trait {
    ARMI_CSV_INEXACT_INT = 1,   /* an integer that no double is */
    ARMI_CSV_ZONED = 2,         /* a time with Z or an offset */
    ARMI_CSV_NAIVE = 4,         /* a time, or a date, without */
    ARMI_CSV_NANOS = 8,         /* finer than a microsecond */
    ARMI_CSV_BEYOND_NANOS = 16, /* not in the range of 64 bits of nanoseconds */
    ARMI_CSV_BEYOND_MICROS = 32,
};

struct armi_csv_type {
    enum armi_csv_kind kind;
    unsigned traits; /* of enum armi_csv_trait */
};

struct armi_csv_time {
    int64_t seconds; /* since 1970, UTC or naive */
    int32_t nanos;
    bool is_zoned;
};

/* The kind of a field that is neither null nor empty. */
struct armi_csv_type armi_csv_classify(const uint8_t *p, size_t size);
/* Makes *type one that holds both. */
void armi_csv_type_join(struct armi_csv_type *type, struct armi_csv_type other);

unsigned armi_csv_time_traits(const struct armi_csv_time *time);
/* Whole steps of which there are `per_second` (a power of ten up to 10^9) since 1970; false
 * if 64 bits do not hold them. */
bool armi_csv_time_count(const struct armi_csv_time *time, int64_t per_second,
                         int64_t *out);

/* A decimal in the common notation, NaN or an infinity; an integer is one, too. */
bool armi_csv_parse_float(const uint8_t *p, size_t size, double *out);
bool armi_csv_parse_bool(const uint8_t *p, size_t size, bool *out);
/* Days since 1970. */
bool armi_csv_parse_date(const uint8_t *p, size_t size, int64_t *out);
bool armi_csv_parse_time(const uint8_t *p, size_t size, struct armi_csv_time *out);

/* ---- integers, eight digits at a time ---- */

/* 1 .. 8 digits as a word whose first byte is the first of eight digits. */
static inline uint64_t armi_csv_digits_load(const uint8_t *p, size_t count)
{
    uint64_t w = armi_load64(p);
    return count == 8 ? w
                      : w << (64 - 8 * count) | UINT64_C(0x3030303030303030) >> (8 * count);
}

static inline bool armi_csv_digits_valid(uint64_t w)
{
    uint64_t high = w & UINT64_C(0xf0f0f0f0f0f0f0f0);
    uint64_t over = (w + UINT64_C(0x0606060606060606)) & UINT64_C(0xf0f0f0f0f0f0f0f0);
    return (high | over >> 4) == UINT64_C(0x3333333333333333);
}

static inline uint64_t armi_csv_digits_value(uint64_t w)
{
    w = (w & UINT64_C(0x0f0f0f0f0f0f0f0f)) * 2561 >> 8;
    w = (w & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
    return (w & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32;
}

/* An int64 as it is written by machines: no plus, no zero in front, no "-0". */
static inline bool armi_csv_parse_int(const uint8_t *p, size_t size, int64_t *out)
{
    bool is_negative = size > 0 && *p == '-';
    p += is_negative;
    size -= is_negative;
    if (size == 0 || size > 19)
        return false;
    if (*p == '0') {
        *out = 0;
        return size == 1 && !is_negative;
    }
    uint64_t v = 0;
    size_t head = size % 8;
    if (head > 0) {
        uint64_t w = armi_csv_digits_load(p, head);
        if (!armi_csv_digits_valid(w))
            return false;
        v = armi_csv_digits_value(w);
    }
    for (size_t i = head; i < size; i += 8) {
        uint64_t w = armi_load64(p + i);
        if (!armi_csv_digits_valid(w))
            return false;
        v = v * 100000000 + armi_csv_digits_value(w);
    }
    if (v > (uint64_t)INT64_MAX + is_negative)
        return false;
    *out = is_negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

#endif
