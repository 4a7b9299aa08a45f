/*
 * Dates, times and durations as people write them, in nanoseconds.
 */
#ifndef ARMI_PREDICATE_TEMPORAL_H
#define ARMI_PREDICATE_TEMPORAL_H

#include <stdbool.h>
#include <stdint.h>

#include "arrow/field.h"
#include "base/buf.h"

enum armi_temporal {
    ARMI_TEMPORAL_DATE,      /* '2013-01-01' */
    ARMI_TEMPORAL_TIMESTAMP, /* '2013-01-01 05:15:00.5+02:00' */
    ARMI_TEMPORAL_TIME,      /* '05:15:00.5' */
    ARMI_TEMPORAL_DURATION,  /* '1 h 30 min' */
};

/*
 * *out = nanoseconds: since 1970-01-01 00:00 UTC, since midnight, or of the duration. NULL
 * when it was read, else a static text that says what is wrong.
 */
const char *armi_temporal_parse(enum armi_temporal kind, struct armi_slice text,
                                __int128_t *out);

/* Nanoseconds of one step of a date, time, timestamp or duration column. */
int64_t armi_temporal_step(const struct armi_field *field);

#endif
