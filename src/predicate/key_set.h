/*
 * Sets of numbers as closed ranges of keys. A key is a 256-bit integer whose unsigned
 * order is the order of a column's values, NaN above all:
 *
 *   int, date, time, timestamp, duration   the value as int64, its sign bit flipped
 *   uint, bool                             the value
 *   float                                  the value as float64, -0.0 as 0.0; its bits, all
 *                                          flipped if negative, else the sign bit flipped;
 *                                          NaN is 2^64 - 1
 *   decimal                                the unscaled value as int256, its sign bit flipped
 *
 * The first three are what a bound of statistics is (docs/format/statistics.md), so one set
 * serves rows and pruning. Every comparison with a literal is such a set, `not` is its
 * complement, and a list is a union.
 */
#ifndef ARMI_PREDICATE_KEY_SET_H
#define ARMI_PREDICATE_KEY_SET_H

#include "predicate/number.h"
#include "predicate/syntax.h"

struct armi_key {
    uint64_t w[4]; /* w[3] the most significant */
};

struct armi_key_range {
    struct armi_key low;
    struct armi_key high; /* inclusive */
};

struct armi_key_set {
    size_t count;
    struct armi_key_range *ranges; /* rising, apart; in an arena */
};

#define ARMI_KEY_NAN UINT64_MAX

static inline struct armi_key armi_key_of_u64(uint64_t v)
{
    return (struct armi_key){{v, 0, 0, 0}};
}

static inline struct armi_key armi_key_of_wide(const struct armi_wide *v)
{
    return (struct armi_key){{v->w[0], v->w[1], v->w[2], v->w[3] ^ (UINT64_C(1) << 63)}};
}

static inline int armi_key_compare(const struct armi_key *a, const struct armi_key *b)
{
    for (int i = 3; i >= 0; i--)
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

uint64_t armi_key_of_double(double v);
/* Of a key that is not NaN's; the key just below 0.0 is taken for -0.0's. */
double armi_key_to_double(uint64_t key);

/* Where a literal lies among the keys of a type. */
struct armi_key_point {
    int over;            /* -1 / 1: below / above every key of the type, 0: at… */
    struct armi_key key; /* …the greatest key that is not above it */
    bool is_exact;       /* equal to it */
};

/* The keys of a type that stand in the relation to the literal: a range, or none (false). */
bool armi_key_range_of(enum armi_op op, const struct armi_key_point *point,
                       const struct armi_key_range *domain, struct armi_key_range *out);

/* Sorts and joins ranges in place. */
void armi_key_set_normalise(struct armi_key_set *set);
/* What of the domain is not in the set. ARMI_NO_MEMORY by false. */
bool armi_key_set_complement(const struct armi_key_set *set,
                             const struct armi_key_range *domain, struct armi_arena *arena,
                             struct armi_key_set *out);
bool armi_key_set_has(const struct armi_key_set *set, const struct armi_key *key);
/* Whether a key of the set lies within. */
bool armi_key_set_meets(const struct armi_key_set *set, const struct armi_key_range *range);

#endif
