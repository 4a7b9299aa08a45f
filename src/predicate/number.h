/*
 * Numbers as they were written: decimal digits and a power of ten, nothing rounded. From
 * here they go, exactly or to a named side, into whatever a column holds: integers, scaled
 * decimals of up to 256 bits, floats.
 */
#ifndef ARMI_PREDICATE_NUMBER_H
#define ARMI_PREDICATE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "predicate/arena.h"
#include "base/buf.h"

#define ARMI_NUMBER_DIGITS_MAX 1000

/* ± digits × 10^exponent; no zero at either end of the digits, none at all for 0. */
struct armi_number {
    bool is_negative;
    bool is_integer; /* written without point and exponent */
    const char *digits;
    int32_t count;
    int32_t exponent;
};

/* A 256-bit integer, two's complement, w[0] the least. */
struct armi_wide {
    uint64_t w[4];
};

/*
 * Reads "12", "1.5", ".5", "1e-3" (checked by the lexer to be of that form). ARMI_LIMIT for
 * more digits than ARMI_NUMBER_DIGITS_MAX is told by false with *too_long, no memory by
 * false without.
 */
bool armi_number_parse(struct armi_slice text, bool is_negative, struct armi_arena *arena,
                       struct armi_number *out, bool *too_long);

/* Order by value. */
int armi_number_compare(const struct armi_number *a, const struct armi_number *b);

/*
 * The greatest integer that is not above n × 10^scale; *exact tells whether it is equal.
 * Returns 0, or -1 / 1 when it lies below / above all 256-bit integers.
 */
int armi_number_floor(const struct armi_number *n, int32_t scale, struct armi_wide *out,
                      bool *exact);

/* The nearest float of 16, 32 or 64 bits, as a double; infinite beyond the range. */
double armi_number_nearest(const struct armi_number *n, int bits);

/*
 * The order of n, an integer, and d, its nearest double: exact up to 77 digits, beyond
 * that 0.
 */
int armi_number_order_double(const struct armi_number *n, double d);

struct armi_wide armi_wide_of_int(__int128_t v);
/* Little-endian two's complement of 4 to 32 bytes. */
struct armi_wide armi_wide_load(const uint8_t *p, size_t width);
int armi_wide_compare(const struct armi_wide *a, const struct armi_wide *b);
/* Whether it is in the range of __int128_t; then *out is it. */
bool armi_wide_to_int(const struct armi_wide *v, __int128_t *out);

/* Exact order of u × 10^-scale and d, which is not NaN. */
int armi_wide_order_double(const struct armi_wide *u, int32_t scale, double d);
/* Exact order of a × 10^-a_scale and b × 10^-b_scale. */
int armi_wide_order_scaled(const struct armi_wide *a, int32_t a_scale,
                           const struct armi_wide *b, int32_t b_scale);

#endif
