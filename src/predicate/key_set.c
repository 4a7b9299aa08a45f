/*
 * Ranges of keys: made from a relation, joined, turned round, looked up.
 */
#include "predicate/key_set.h"

#include <stdlib.h>
#include <string.h>

uint64_t armi_key_of_double(double v)
{
    uint64_t bits;
    if (v != v)
        return ARMI_KEY_NAN;
    if (v == 0)
        v = 0; /* -0.0 is 0.0 */
    memcpy(&bits, &v, sizeof bits);
    return bits >> 63 ? ~bits : bits ^ (UINT64_C(1) << 63);
}

double armi_key_to_double(uint64_t key)
{
    uint64_t bits = key >> 63 ? key ^ (UINT64_C(1) << 63) : ~key;
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* key + by, by being 1 or -1; there is room. */
static struct armi_key key_step(struct armi_key key, int by)
{
    for (size_t i = 0; i < 4; i++) {
        uint64_t before = key.w[i];
        key.w[i] += (uint64_t)(int64_t)by;
        if (by > 0 ? key.w[i] != 0 : before != 0)
            break;
    }
    return key;
}

bool armi_key_range_of(enum armi_op op, const struct armi_key_point *point,
                       const struct armi_key_range *domain, struct armi_key_range *out)
{
    int over = point->over;
    struct armi_key_range range = *domain;
    if (over == 0 && armi_key_compare(&point->key, &domain->low) < 0)
        over = -1;
    if (over == 0 && armi_key_compare(&point->key, &domain->high) > 0)
        over = 1;
    /* Above `key` lie the values that are greater, from it on those that are not less if it is
     * exact. */
    bool is_from_key = point->is_exact && (op == ARMI_OP_LT || op == ARMI_OP_GE);
    switch (op) {
    case ARMI_OP_EQ:
        range.low = range.high = point->key;
        *out = range;
        return over == 0 && point->is_exact;
    case ARMI_OP_LT:
    case ARMI_OP_LE:
        if (over == 0) {
            if (is_from_key && armi_key_compare(&point->key, &domain->low) == 0)
                return false;
            range.high = is_from_key ? key_step(point->key, -1) : point->key;
        }
        *out = range;
        return over >= 0;
    default:
        if (over == 0) {
            if (!is_from_key && armi_key_compare(&point->key, &domain->high) == 0)
                return false;
            range.low = is_from_key ? point->key : key_step(point->key, 1);
        }
        *out = range;
        return over <= 0;
    }
}

static int compare_ranges(const void *a, const void *b)
{
    const struct armi_key_range *x = a, *y = b;
    return armi_key_compare(&x->low, &y->low);
}

void armi_key_set_normalise(struct armi_key_set *set)
{
    size_t kept = 0;
    if (set->count == 0)
        return;
    qsort(set->ranges, set->count, sizeof *set->ranges, compare_ranges);
    for (size_t i = 1; i < set->count; i++) {
        struct armi_key_range *last = &set->ranges[kept], *next = &set->ranges[i];
        /* Keys next to each other join too: a list of 1, 2, 3 is one range. */
        struct armi_key before = next->low;
        if (armi_key_compare(&before, &last->high) > 0)
            before = key_step(before, -1);
        if (armi_key_compare(&before, &last->high) > 0)
            set->ranges[++kept] = *next;
        else if (armi_key_compare(&next->high, &last->high) > 0)
            last->high = next->high;
    }
    set->count = kept + 1;
}

bool armi_key_set_complement(const struct armi_key_set *set,
                             const struct armi_key_range *domain, struct armi_arena *arena,
                             struct armi_key_set *out)
{
    struct armi_key_set gaps = {
        0, armi_arena_take(arena, set->count + 1, sizeof *gaps.ranges)};
    if (gaps.ranges == NULL)
        return false;
    struct armi_key low = domain->low;
    bool is_left = true; /* keys from `low` on */
    for (size_t i = 0; i < set->count; i++) {
        const struct armi_key_range *range = &set->ranges[i];
        if (armi_key_compare(&low, &range->low) < 0)
            gaps.ranges[gaps.count++] =
                (struct armi_key_range){low, key_step(range->low, -1)};
        is_left = armi_key_compare(&range->high, &domain->high) < 0;
        if (is_left)
            low = key_step(range->high, 1);
    }
    if (is_left)
        gaps.ranges[gaps.count++] = (struct armi_key_range){low, domain->high};
    *out = gaps;
    return true;
}

/* The first range that does not end below the key. */
static size_t first_reaching(const struct armi_key_set *set, const struct armi_key *key)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (armi_key_compare(&set->ranges[middle].high, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool armi_key_set_has(const struct armi_key_set *set, const struct armi_key *key)
{
    size_t at = first_reaching(set, key);
    return at < set->count && armi_key_compare(&set->ranges[at].low, key) <= 0;
}

bool armi_key_set_meets(const struct armi_key_set *set, const struct armi_key_range *range)
{
    size_t at = first_reaching(set, &range->low);
    return at < set->count && armi_key_compare(&set->ranges[at].low, &range->high) <= 0;
}
