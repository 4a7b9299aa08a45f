/*
 * Floats to text and back, exactly: what is written is the shortest text that reads as the
 * same value (a power of two below 10^-9 or above 10^40 may get a digit more), what is read
 * is the nearest value. No locale has a say.
 */
#ifndef ARMI_IO_FLOAT_TEXT_H
#define ARMI_IO_FLOAT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARMI_FLOAT_TEXT_SIZE 32

/* Which float the shortest text must find again. */
enum armi_float_kind {
    ARMI_FLOAT_DOUBLE,
    ARMI_FLOAT_SINGLE,
    ARMI_FLOAT_HALF,
};

/*
 * "0.1", "-0.0", "5.0", "1e22", "2.5e-7", "NaN", "inf", "-inf": always recognisable as a
 * float. Without a zero byte; returns the length. `v` is a value of that kind.
 */
size_t armi_float_write(double v, enum armi_float_kind kind, char *out);

/* A decimal as it stands in text: mantissa × 10^exponent. */
struct armi_decimal_text {
    uint64_t mantissa; /* the first 19 digits that count */
    int64_t exponent;
    bool is_negative;
    bool is_cut; /* there were more digits, and not only zeros */
};

/*
 * The double nearest to the decimal; `text` (as strtod takes it, without NaN and inf) is
 * what it was read from. False if it is beyond the range: infinite, or zero though its
 * digits are not; or longer than any double needs.
 */
bool armi_float_nearest(const struct armi_decimal_text *decimal, const uint8_t *text,
                        size_t size, double *out);

#endif
