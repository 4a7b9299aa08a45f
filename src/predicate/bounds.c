/*
 * The predicate held against statistics. `not` lies in the leaves, so the rule is short: an `and`
 * may match if all its children may, an `or` if one may, and a leaf if a value that the bounds
 * allow satisfies it. Nulls satisfy nothing but `is null`.
 */
#include <string.h>

#include "base/alloc.h"
#include "predicate/predicate_internal.h"

struct pruning {
    const struct armi_predicate_bounds *bounds;
    const struct armi_predicate_values *values; /* NULL: none are known */
};

static bool has(const struct armi_stats *stats, unsigned flag)
{
    return (stats->flags & flag) != 0;
}

static struct armi_slice min_of(const struct armi_stats *stats)
{
    return (struct armi_slice){stats->min, stats->min_size};
}

static struct armi_slice max_of(const struct armi_stats *stats)
{
    return (struct armi_slice){stats->max, stats->max_size};
}

/* Whether there is certainly no value: nulls at most. */
static bool is_all_null(const struct armi_stats *stats, uint64_t rows)
{
    if (has(stats, ARMI_STATS_NONE) && !has(stats, ARMI_STATS_NAN))
        return true;
    return has(stats, ARMI_STATS_NULLS_EXACT) && rows != 0 && stats->null_count >= rows;
}

/* ---- numbers ---- */

/* A bound as a key; false if its size is not that of the type. */
static bool key_of_bound(const struct armi_field *value, struct armi_slice bound,
                         struct armi_key *out)
{
    uint8_t bytes[ARMI_STATS_BOUND_MAX];
    if (bound.size > sizeof bytes)
        return false;
    memcpy(bytes, bound.data, bound.size);
    if (value->type == ARMI_TYPE_BOOL) {
        *out = armi_key_of_u64(bytes[0]);
        return bound.size == 1;
    }
    if (!armi_type_is_decimal(value->type)) {
        *out = armi_key_of_u64(__builtin_bswap64(armi_load64(bytes)));
        return bound.size == 8;
    }
    uint64_t high = __builtin_bswap64(armi_load64(bytes)) ^ (UINT64_C(1) << 63);
    uint64_t low = __builtin_bswap64(armi_load64(bytes + 8));
    struct armi_wide wide = armi_wide_of_int((__int128_t)((__uint128_t)high << 64 | low));
    *out = armi_key_of_wide(&wide);
    return bound.size == 16;
}

/* Where values that are not NaN lie; false if that cannot be told. */
static bool key_range_of_stats(const struct armi_field *value,
                               const struct armi_stats *stats,
                               const struct armi_key_range *domain,
                               struct armi_key_range *out)
{
    *out = *domain;
    if (has(stats, ARMI_STATS_MIN) && !key_of_bound(value, min_of(stats), &out->low))
        return false;
    if (has(stats, ARMI_STATS_MAX) && !key_of_bound(value, max_of(stats), &out->high))
        return false;
    return armi_key_compare(&out->low, &out->high) <= 0;
}

static bool ranges_may(const struct armi_leaf *leaf, const struct armi_stats *stats)
{
    static const struct armi_key nan = {{ARMI_KEY_NAN, 0, 0, 0}};
    const struct armi_field *value = leaf->column.value;
    struct armi_key_range range;
    if (armi_type_is_float(value->type) && has(stats, ARMI_STATS_NAN) &&
        armi_key_set_has(&leaf->ranges.set, &nan))
        return true;
    if (has(stats, ARMI_STATS_NONE))
        return false;
    return !key_range_of_stats(value, stats, &leaf->ranges.domain, &range) ||
           armi_key_set_meets(&leaf->ranges.set, &range);
}

/* ---- texts ---- */

/* An order against a bound that may be missing: then as if it were far away. */
static int order_to_min(const struct armi_stats *stats, struct armi_slice text)
{
    return has(stats, ARMI_STATS_MIN) ? armi_slice_compare(text, min_of(stats)) : 1;
}

static int order_to_max(const struct armi_stats *stats, struct armi_slice text)
{
    return has(stats, ARMI_STATS_MAX) ? armi_slice_compare(text, max_of(stats)) : -1;
}

static bool bytes_may(const struct armi_leaf *leaf, const struct armi_stats *stats)
{
    int to_min = order_to_min(stats, leaf->bytes),
        to_max = order_to_max(stats, leaf->bytes);
    switch (leaf->op) {
    case ARMI_OP_EQ:
        return to_min >= 0 && to_max <= 0;
    case ARMI_OP_NE:
        return to_min != 0 || to_max != 0;
    case ARMI_OP_LT:
        return to_min > 0;
    case ARMI_OP_LE:
        return to_min >= 0;
    case ARMI_OP_GT:
        return to_max < 0;
    default:
        return to_max <= 0;
    }
}

static bool list_may(const struct armi_leaf *leaf, const struct armi_stats *stats)
{
    if (leaf->is_negated)
        return !has(stats, ARMI_STATS_MIN) || !has(stats, ARMI_STATS_MAX) ||
               armi_slice_compare(min_of(stats), max_of(stats)) != 0 ||
               armi_map_find(leaf->map, min_of(stats)) == NULL;
    /* The first item that is not below the lower bound. */
    size_t low = 0, high = leaf->item_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order_to_min(stats, leaf->items[middle]) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < leaf->item_count && order_to_max(stats, leaf->items[low]) <= 0;
}

static bool starts_with(struct armi_slice text, struct armi_slice start)
{
    return text.size >= start.size &&
           (start.size == 0 || memcmp(text.data, start.data, start.size) == 0);
}

static bool like_may(const struct armi_leaf *leaf, const struct armi_stats *stats)
{
    struct armi_slice prefix = leaf->like.prefix;
    if (leaf->is_negated)
        /* Between two texts with the prefix all have it. */
        return leaf->like.kind != ARMI_LIKE_PREFIX || !has(stats, ARMI_STATS_MIN) ||
               !has(stats, ARMI_STATS_MAX) || !starts_with(min_of(stats), prefix) ||
               !starts_with(max_of(stats), prefix);
    if (order_to_max(stats, prefix) > 0)
        return false;
    return order_to_min(stats, prefix) >= 0 || starts_with(min_of(stats), prefix);
}

/* ---- two columns ---- */

/* Bounds of the one can be held against bounds of the other. */
static bool have_same_form(const struct armi_field *a, const struct armi_field *b,
                           enum armi_pair pair)
{
    if (pair == ARMI_PAIR_BYTES || pair == ARMI_PAIR_DOUBLE)
        return true;
    if (pair != ARMI_PAIR_INT64)
        return false;
    bool a_unsigned = armi_type_is_integer(a->type) && !armi_type_is_signed(a->type);
    bool b_unsigned = armi_type_is_integer(b->type) && !armi_type_is_signed(b->type);
    return a_unsigned == b_unsigned;
}

static bool columns_may(const struct armi_leaf *leaf, const struct armi_stats *a,
                        const struct armi_stats *b)
{
    unsigned both = ARMI_STATS_MIN | ARMI_STATS_MAX;
    if (!have_same_form(leaf->column.value, leaf->other.value, leaf->pair) ||
        has(a, ARMI_STATS_NAN) || has(b, ARMI_STATS_NAN) || (a->flags & both) != both ||
        (b->flags & both) != both)
        return true;
    int low = armi_slice_compare(min_of(a), max_of(b));  /* least a against greatest b */
    int high = armi_slice_compare(max_of(a), min_of(b)); /* greatest a against least b */
    switch (leaf->op) {
    case ARMI_OP_EQ:
        return low <= 0 && high >= 0;
    case ARMI_OP_NE:
        return low != 0 || high != 0 || armi_slice_compare(min_of(a), max_of(a)) != 0;
    case ARMI_OP_LT:
        return low < 0;
    case ARMI_OP_LE:
        return low <= 0;
    case ARMI_OP_GT:
        return high > 0;
    default:
        return high >= 0;
    }
}

/* ---- values ---- */

/* Whether the leaf is true for one of the values; true also when that cannot be found out. */
static bool values_may(const struct armi_leaf *leaf, const struct armi_array *values)
{
    uint64_t bits[ARMI_EVAL_WORDS], *entries = NULL;
    bool may = false;
    for (int64_t at = 0; at < values->length && !may; at += ARMI_EVAL_BLOCK) {
        int64_t count = values->length - at;
        if (count > ARMI_EVAL_BLOCK)
            count = ARMI_EVAL_BLOCK;
        for (size_t w = 0; w < armi_words(count); w++)
            bits[w] = UINT64_MAX;
        if (count % 64 != 0)
            bits[count / 64] = (UINT64_C(1) << (count % 64)) - 1;
        may = armi_eval_leaf(leaf, values, at, count, bits, &entries, NULL) != ARMI_OK;
        for (size_t w = 0; w < armi_words(count); w++)
            may = may || bits[w] != 0;
    }
    armi_free(entries);
    return may;
}

/* ---- values asked for one by one ---- */

#define POINTS_MOST 256 /* values that are worth asking for */

static bool is_plain_int(const struct armi_field *value)
{
    return value->type != ARMI_TYPE_BOOL && !armi_type_is_float(value->type) &&
           !armi_type_is_decimal(value->type);
}

/* Of a set of single numbers: whether one of them may be there. */
static bool numbers_may(const struct armi_predicate_values *v, const struct armi_leaf *leaf)
{
    const struct armi_key_set *set = &leaf->ranges.set;
    const struct armi_field *value = leaf->column.value;
    bool is_unsigned =
        armi_type_is_integer(value->type) && !armi_type_is_signed(value->type);
    if (!is_plain_int(value) || set->count > POINTS_MOST)
        return true;
    for (size_t i = 0; i < set->count; i++)
        if (armi_key_compare(&set->ranges[i].low, &set->ranges[i].high) != 0)
            return true;
    for (size_t i = 0; i < set->count; i++) {
        uint8_t bytes[8];
        uint64_t key = set->ranges[i].low.w[0];
        armi_store64(bytes, is_unsigned ? key : key ^ UINT64_C(1) << 63);
        struct armi_slice slice = {bytes, sizeof bytes};
        if (v->may_hold(v->ctx, leaf->column.column, slice, true))
            return true;
    }
    return false;
}

/* Whether a value that the leaf is true for may be there, as far as that can be asked. */
static bool points_may(const struct armi_predicate_values *v, const struct armi_leaf *leaf)
{
    size_t column = leaf->column.column;
    if (leaf->kind == ARMI_LEAF_RANGES)
        return numbers_may(v, leaf);
    if (leaf->kind == ARMI_LEAF_BYTES && leaf->op == ARMI_OP_EQ)
        return v->may_hold(v->ctx, column, leaf->bytes, false);
    if (leaf->kind != ARMI_LEAF_LIST || leaf->is_negated || leaf->item_count > POINTS_MOST)
        return true;
    for (size_t i = 0; i < leaf->item_count; i++)
        if (v->may_hold(v->ctx, column, leaf->items[i], false))
            return true;
    return false;
}

/* ---- nodes ---- */

static bool stats_may(const struct armi_leaf *leaf, const struct armi_stats *stats,
                      uint64_t rows)
{
    if (leaf->kind == ARMI_LEAF_NULL)
        return leaf->column.depth > 0 || stats->null_count != 0;
    if (is_all_null(stats, rows))
        return false;
    if (leaf->column.depth > 0 || leaf->kind == ARMI_LEAF_VALID)
        return true;
    if (leaf->kind == ARMI_LEAF_RANGES)
        return ranges_may(leaf, stats);
    if (has(stats, ARMI_STATS_NONE))
        return false;
    if (leaf->kind == ARMI_LEAF_BYTES)
        return bytes_may(leaf, stats);
    if (leaf->kind == ARMI_LEAF_LIST)
        return list_may(leaf, stats);
    return leaf->kind != ARMI_LEAF_LIKE || like_may(leaf, stats);
}

static bool leaf_may(const struct pruning *p, const struct armi_leaf *leaf)
{
    const struct armi_predicate_bounds *bounds = p->bounds;
    struct armi_stats stats, other;
    struct armi_array values;
    bool is_known = bounds->get(bounds->ctx, leaf->column.column, &stats);
    if (leaf->kind == ARMI_LEAF_COLUMNS) {
        bool is_other_known = bounds->get(bounds->ctx, leaf->other.column, &other);
        if ((is_known && is_all_null(&stats, bounds->rows)) ||
            (is_other_known && is_all_null(&other, bounds->rows)))
            return false;
        return !is_known || !is_other_known || leaf->column.depth > 0 ||
               leaf->other.depth > 0 || columns_may(leaf, &stats, &other);
    }
    if (is_known && !stats_may(leaf, &stats, bounds->rows))
        return false;
    bool is_asked = p->values != NULL && leaf->column.depth == 0 &&
                    leaf->kind != ARMI_LEAF_NULL && leaf->kind != ARMI_LEAF_VALID;
    if (is_asked && p->values->may_hold != NULL && !points_may(p->values, leaf))
        return false;
    return !is_asked || !p->values->get(p->values->ctx, leaf->column.column, &values) ||
           values_may(leaf, &values);
}

static bool node_may(const struct pruning *p, const struct armi_node *node)
{
    switch (node->kind) {
    case ARMI_NODE_FALSE:
        return false;
    case ARMI_NODE_TRUE:
        return true;
    case ARMI_NODE_LEAF:
        return leaf_may(p, node->leaf);
    default:
        break;
    }
    bool is_and = node->kind == ARMI_NODE_AND;
    for (size_t i = 0; i < node->count; i++)
        if (node_may(p, node->children[i]) != is_and)
            return !is_and;
    return is_and;
}

bool armi_predicate_may_match(const struct armi_predicate *predicate,
                              const struct armi_predicate_bounds *bounds)
{
    struct pruning p = {bounds, NULL};
    return node_may(&p, predicate->root);
}

bool armi_predicate_may_match_values(const struct armi_predicate *predicate,
                                     const struct armi_predicate_bounds *bounds,
                                     const struct armi_predicate_values *values)
{
    struct pruning p = {bounds, values};
    return node_may(&p, predicate->root);
}
