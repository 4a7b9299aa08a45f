/*
 * Values as bounds: the byte forms of docs/format/statistics.md. stats.c makes and merges
 * them, stats_update.c finds them in columns, stats_text.c prints them.
 */
#ifndef ARMI_ARROW_STATS_INTERNAL_H
#define ARMI_ARROW_STATS_INTERNAL_H

#include "arrow/stats.h"

enum bound_kind {
    BOUND_NONE, /* the type has no order */
    BOUND_NULL, /* type null: nothing to bound */
    BOUND_BOOL,
    BOUND_INT,
    BOUND_UINT,
    BOUND_FLOAT,
    BOUND_DECIMAL,
    BOUND_BYTES,
};

/* Of a field that is no dictionary and not run-end. */
enum bound_kind armi_bound_kind(const struct armi_field *field);

struct armi_bound {
    int size; /* -1: none on this side */
    bool is_exact;
    uint8_t bytes[ARMI_STATS_BOUND_MAX];
};

struct armi_bound armi_bound_bool(bool v);
struct armi_bound armi_bound_int(int64_t v);
struct armi_bound armi_bound_uint(uint64_t v);
/* Not NaN. */
struct armi_bound armi_bound_double(double v);
/* Little-endian two's complement of 4 to 32 bytes. */
struct armi_bound armi_bound_decimal(const uint8_t *value, size_t width, bool upper);
struct armi_bound armi_bound_bytes(struct armi_slice value, bool upper);

#endif
