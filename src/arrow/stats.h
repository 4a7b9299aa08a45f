/*
 * Statistics of a run of rows of one column, in a form that needs no type to merge or
 * compare: bounds are byte strings of at most 16 bytes whose memcmp order (shorter first)
 * is the order of the values. So tree nodes fold bounds without knowing schemas, and bounds
 * outlive a widening of the column (all ints share one form, all floats, all decimals).
 * docs/format/statistics.md is the specification.
 *
 * A bound is never wrong, it may be loose: lower <= every value <= upper. Bounds leave out
 * nulls and NaN; NaN is a flag, since it sorts above every number.
 */
#ifndef ARMI_ARROW_STATS_H
#define ARMI_ARROW_STATS_H

#include "arrow/array.h"

#define ARMI_STATS_BOUND_MAX 16

/* Stand in tree nodes: pinned. */
enum {
    ARMI_STATS_NONE = 1,         /* no value but nulls and NaN: there is nothing to bound */
    ARMI_STATS_MIN = 2,          /* `min` is a bound; else, unless NONE, unbounded below */
    ARMI_STATS_MAX = 4,          /* `max` is a bound; else, unless NONE, unbounded above */
    ARMI_STATS_MIN_EXACT = 8,    /* a value equal to `min` is there */
    ARMI_STATS_MAX_EXACT = 16,   /* a value equal to `max` is there */
    ARMI_STATS_NULLS_EXACT = 32, /* null_count is exact; else it is an upper bound */
    ARMI_STATS_NAN = 64,         /* NaN may be there; clear: it is certainly not */
};

struct armi_stats {
    uint8_t flags;
    uint8_t min_size;
    uint8_t max_size;
    uint8_t min[ARMI_STATS_BOUND_MAX]; /* bytes past the size are zero */
    uint8_t max[ARMI_STATS_BOUND_MAX];
    uint64_t null_count;
    uint64_t rows;
};

/* Of no rows: the neutral element of merge. */
void armi_stats_init(struct armi_stats *self);

/* Adds rows [from, from + count). Types without an order (nested, intervals) get unbounded
 * statistics with an exact null count. */
void armi_stats_update(struct armi_stats *self, const struct armi_array *array,
                       int64_t from, int64_t count);

/* *self becomes the statistics of both. */
void armi_stats_merge(struct armi_stats *self, const struct armi_stats *other);

/* When rows may have gone or changed: bounds stay bounds, exactness flags are cleared. */
void armi_stats_loosen(struct armi_stats *self);

/* Whether values of the type have bounds. Dictionaries and run-end arrays: as their values.
 */
bool armi_stats_is_ordered(const struct armi_field *field);

/*
 * The bound that stands for one value, for pruning: a literal of the predicate given as an
 * array's row, which must not be null or NaN. `upper` chooses the side on which a value
 * that needs more than 16 bytes is rounded. Returns the size, or -1 for "unbounded on that
 * side"; *exact (nullable) tells whether nothing was rounded.
 */
int armi_stats_bound(const struct armi_array *array, int64_t i, bool upper,
                     uint8_t out[ARMI_STATS_BOUND_MAX], bool *exact);

/* Order of two bounds: <0, 0, >0. */
int armi_stats_compare(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size);

/*
 * Appends the bound as people read it: 42, -0.5, 'text', x'00ff', true, date '2013-01-01',
 * timestamp '2013-01-01 05:00:00Z', with "..." behind a rounded string. ARMI_CORRUPTION
 * when the bytes are no bound of that type; ARMI_NO_MEMORY.
 */
enum armi_status armi_stats_format(const struct armi_field *field, const uint8_t *bound,
                                   size_t size, bool exact, struct armi_buf *out,
                                   struct armi_error *err);

#endif
