/*
 * Leaves: a relation between a column and literals, in the column's own terms. A literal is placed
 * exactly among the values that the column's type has (a point), the relation becomes a set of them.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "predicate/predicate_internal.h"

/* ---- classes ---- */

enum armi_class armi_class_of_field(const struct armi_field *value)
{
    switch (value->type) {
    case ARMI_TYPE_NULL:
        return ARMI_CLASS_NULL;
    case ARMI_TYPE_BOOL:
        return ARMI_CLASS_BOOL;
    case ARMI_TYPE_DATE32:
    case ARMI_TYPE_DATE64:
    case ARMI_TYPE_TIMESTAMP:
        return ARMI_CLASS_INSTANT;
    case ARMI_TYPE_TIME32:
    case ARMI_TYPE_TIME64:
        return ARMI_CLASS_TIME;
    case ARMI_TYPE_DURATION:
        return ARMI_CLASS_DURATION;
    case ARMI_TYPE_FIXED_BINARY:
        return ARMI_CLASS_BYTES;
    default:
        break;
    }
    if (armi_type_is_integer(value->type) || armi_type_is_float(value->type) ||
        armi_type_is_decimal(value->type))
        return ARMI_CLASS_NUMBER;
    if (armi_type_is_utf8(value->type))
        return ARMI_CLASS_TEXT;
    return armi_type_is_binary(value->type) ? ARMI_CLASS_BYTES : ARMI_CLASS_OTHER;
}

enum armi_class armi_class_of_literal(const struct armi_syntax *literal)
{
    static const enum armi_class temporals[] = {ARMI_CLASS_INSTANT, ARMI_CLASS_INSTANT,
                                                ARMI_CLASS_TIME, ARMI_CLASS_DURATION};
    switch (literal->kind) {
    case ARMI_SYNTAX_NULL:
        return ARMI_CLASS_NULL;
    case ARMI_SYNTAX_BOOL:
        return ARMI_CLASS_BOOL;
    case ARMI_SYNTAX_NUMBER:
        return ARMI_CLASS_NUMBER;
    case ARMI_SYNTAX_TEXT:
        return ARMI_CLASS_TEXT;
    case ARMI_SYNTAX_BYTES:
        return ARMI_CLASS_BYTES;
    case ARMI_SYNTAX_TEMPORAL:
        return temporals[literal->temporal];
    default:
        return ARMI_CLASS_OTHER;
    }
}

int armi_literal_compare(const struct armi_syntax *a, const struct armi_syntax *b)
{
    switch (armi_class_of_literal(a)) {
    case ARMI_CLASS_BOOL:
        return (int)a->is_true - (int)b->is_true;
    case ARMI_CLASS_NUMBER:
        return armi_number_compare(&a->number, &b->number);
    case ARMI_CLASS_TEXT:
    case ARMI_CLASS_BYTES:
        return armi_slice_compare(a->bytes, b->bytes);
    default:
        return a->nanos < b->nanos ? -1 : a->nanos > b->nanos;
    }
}

/* ---- points ---- */

#define SIGN_BIT (UINT64_C(1) << 63)

static struct armi_key key_of_int(__int128_t v)
{
    return armi_key_of_u64((uint64_t)(int64_t)v ^ SIGN_BIT);
}

/* Least and greatest value of what is stored as an integer. */
static void int_domain(const struct armi_field *value, __int128_t *low, __int128_t *high)
{
    int bits = 8 * armi_field_byte_width(value);
    bool is_unsigned =
        armi_type_is_integer(value->type) && !armi_type_is_signed(value->type);
    if (value->type == ARMI_TYPE_BOOL) {
        *low = 0;
        *high = 1;
    } else if (is_unsigned) {
        *low = 0;
        *high = ((__int128_t)1 << bits) - 1;
    } else {
        *low = -((__int128_t)1 << (bits - 1));
        *high = ((__int128_t)1 << (bits - 1)) - 1;
    }
}

static struct armi_key key_of_stored(const struct armi_field *value, __int128_t v)
{
    bool is_plain = value->type == ARMI_TYPE_BOOL || (armi_type_is_integer(value->type) &&
                                                      !armi_type_is_signed(value->type));
    return is_plain ? armi_key_of_u64((uint64_t)v) : key_of_int(v);
}

static struct armi_key_range domain_of(const struct armi_field *value)
{
    struct armi_key_range domain;
    __int128_t low, high;
    if (armi_type_is_float(value->type)) {
        domain.low = armi_key_of_u64(0);
        domain.high = armi_key_of_u64(ARMI_KEY_NAN);
    } else if (armi_type_is_decimal(value->type)) {
        memset(&domain.low, 0, sizeof domain.low);
        memset(&domain.high, 0xff, sizeof domain.high);
    } else {
        int_domain(value, &low, &high);
        domain.low = key_of_stored(value, low);
        domain.high = key_of_stored(value, high);
    }
    return domain;
}

/* v, rounded down, among what is stored as an integer. */
static struct armi_key_point point_of_int(const struct armi_field *value, __int128_t v,
                                          bool is_exact)
{
    struct armi_key_point point = {0, {{0}}, is_exact};
    __int128_t low, high;
    int_domain(value, &low, &high);
    if (v < low || v > high)
        point.over = v < low ? -1 : 1;
    else
        point.key = key_of_stored(value, v);
    return point;
}

/*
 * A number with a point or an exponent means the float next to it, as a program would read it: 0.1
 * finds what was stored as 0.1. An integer is itself, also where no float is equal to it.
 */
static struct armi_key_point point_of_float(const struct armi_field *value,
                                            const struct armi_number *n)
{
    static const double greatest[] = {65504, (double)FLT_MAX, DBL_MAX};
    int size = value->type - ARMI_TYPE_FLOAT16, order = 0;
    double v = armi_number_nearest(n, n->is_integer ? 64 : 16 << size);
    if (isinf(v)) {
        order = v > 0 ? 1 : -1;
        v = order * (n->is_integer ? DBL_MAX : greatest[size]);
    } else if (n->is_integer) {
        order = armi_number_order_double(n, v);
    }
    return (struct armi_key_point){0, armi_key_of_u64(armi_key_of_double(v) - (order < 0)),
                                   order == 0};
}

static struct armi_key_point point_of_number(const struct armi_field *value,
                                             const struct armi_number *n)
{
    struct armi_key_point point = {0};
    struct armi_wide wide;
    __int128_t v;
    if (armi_type_is_float(value->type))
        return point_of_float(value, n);
    int32_t scale = armi_type_is_decimal(value->type) ? value->scale : 0;
    point.over = armi_number_floor(n, scale, &wide, &point.is_exact);
    if (point.over != 0)
        return point;
    if (armi_type_is_decimal(value->type))
        point.key = armi_key_of_wide(&wide);
    else if (armi_wide_to_int(&wide, &v))
        return point_of_int(value, v, point.is_exact);
    else
        point.over = wide.w[3] >> 63 ? -1 : 1;
    return point;
}

static struct armi_key_point point_of(const struct armi_field *value,
                                      const struct armi_syntax *literal)
{
    if (literal->kind == ARMI_SYNTAX_BOOL)
        return point_of_int(value, literal->is_true, true);
    if (literal->kind == ARMI_SYNTAX_NUMBER)
        return point_of_number(value, &literal->number);
    __int128_t step = armi_temporal_step(value);
    __int128_t v = literal->nanos / step, rest = literal->nanos % step;
    return point_of_int(value, v - (rest < 0), rest == 0);
}

/* ---- leaves ---- */

enum armi_status armi_node_new(struct armi_typer *typer, enum armi_node_kind kind,
                               struct armi_node **out)
{
    struct armi_node *node = armi_arena_take(&typer->predicate->arena, 1, sizeof *node);
    if (node == NULL)
        return armi_error_no_memory(typer->err);
    node->kind = kind;
    *out = node;
    return ARMI_OK;
}

static enum armi_status leaf_new(struct armi_typer *typer, enum armi_leaf_kind kind,
                                 const struct armi_leaf_column *column,
                                 struct armi_node **out)
{
    ARMI_TRY(armi_node_new(typer, ARMI_NODE_LEAF, out));
    struct armi_leaf *leaf = armi_arena_take(&typer->predicate->arena, 1, sizeof *leaf);
    if (leaf == NULL)
        return armi_error_no_memory(typer->err);
    leaf->kind = kind;
    leaf->column = *column;
    (*out)->leaf = leaf;
    return ARMI_OK;
}

static bool is_bytes(const struct armi_leaf_column *column)
{
    enum armi_class class = armi_class_of_field(column->value);
    return class == ARMI_CLASS_TEXT || class == ARMI_CLASS_BYTES;
}

void armi_leaf_simplify(struct armi_node *node)
{
    const struct armi_ranges *ranges = &node->leaf->ranges;
    if (ranges->set.count == 0)
        node->kind = ARMI_NODE_FALSE;
    else if (armi_key_compare(&ranges->set.ranges[0].low, &ranges->domain.low) == 0 &&
             armi_key_compare(&ranges->set.ranges[0].high, &ranges->domain.high) == 0)
        node->leaf->kind = ARMI_LEAF_VALID;
}

/* A RANGES leaf over a set that is true, or false if `is_negated`. */
static enum armi_status leaf_ranges(struct armi_typer *typer,
                                    const struct armi_leaf_column *column,
                                    struct armi_key_set *set, bool is_negated,
                                    struct armi_node **out)
{
    ARMI_TRY(leaf_new(typer, ARMI_LEAF_RANGES, column, out));
    struct armi_ranges *ranges = &(*out)->leaf->ranges;
    ranges->domain = domain_of(column->value);
    armi_key_set_normalise(set);
    ranges->set = *set;
    if (is_negated && !armi_key_set_complement(set, &ranges->domain,
                                               &typer->predicate->arena, &ranges->set))
        return armi_error_no_memory(typer->err);
    armi_leaf_simplify(*out);
    return ARMI_OK;
}

static enum armi_status leaf_bytes(struct armi_typer *typer,
                                   const struct armi_leaf_column *column, enum armi_op op,
                                   struct armi_slice bytes, struct armi_node **out)
{
    ARMI_TRY(leaf_new(typer, ARMI_LEAF_BYTES, column, out));
    (*out)->leaf->op = op;
    (*out)->leaf->bytes = bytes;
    return ARMI_OK;
}

enum armi_status armi_leaf_compare(struct armi_typer *typer,
                                   const struct armi_leaf_column *column, enum armi_op op,
                                   const struct armi_syntax *literal,
                                   struct armi_node **out)
{
    if (is_bytes(column))
        return leaf_bytes(typer, column, op, literal->bytes, out);
    struct armi_key_set set = {
        0, armi_arena_take(&typer->predicate->arena, 1, sizeof *set.ranges)};
    if (set.ranges == NULL)
        return armi_error_no_memory(typer->err);
    struct armi_key_point point = point_of(column->value, literal);
    struct armi_key_range domain = domain_of(column->value);
    bool is_negated = op == ARMI_OP_NE;
    if (armi_key_range_of(is_negated ? ARMI_OP_EQ : op, &point, &domain, set.ranges))
        set.count = 1;
    return leaf_ranges(typer, column, &set, is_negated, out);
}

static int compare_slices(const void *a, const void *b)
{
    const struct armi_slice *x = a, *y = b;
    return armi_slice_compare(*x, *y);
}

static enum armi_status leaf_list(struct armi_typer *typer,
                                  const struct armi_leaf_column *column,
                                  const struct armi_syntax *const *literals, size_t count,
                                  bool is_negated, struct armi_node **out)
{
    struct armi_predicate *predicate = typer->predicate;
    struct armi_slice *items = armi_arena_take(&predicate->arena, count, sizeof *items);
    struct armi_map_link *link = armi_arena_take(&predicate->arena, 1, sizeof *link);
    if (items == NULL || link == NULL)
        return armi_error_no_memory(typer->err);
    armi_map_init(&link->map, 0);
    link->next = predicate->maps;
    predicate->maps = link;
    for (size_t i = 0; i < count; i++) {
        uint64_t *value;
        items[i] = literals[i]->bytes;
        ARMI_TRY(armi_map_insert(&link->map, items[i], &value, NULL, typer->err));
    }
    qsort(items, count, sizeof *items, compare_slices);
    ARMI_TRY(leaf_new(typer, ARMI_LEAF_LIST, column, out));
    struct armi_leaf *leaf = (*out)->leaf;
    leaf->is_negated = is_negated;
    leaf->map = &link->map;
    leaf->items = items;
    leaf->item_count = count;
    return ARMI_OK;
}

enum armi_status armi_leaf_in(struct armi_typer *typer,
                              const struct armi_leaf_column *column,
                              const struct armi_syntax *const *literals, size_t count,
                              bool is_negated, struct armi_node **out)
{
    if (count == 1)
        return armi_leaf_compare(typer, column, is_negated ? ARMI_OP_NE : ARMI_OP_EQ,
                                 literals[0], out);
    if (is_bytes(column))
        return leaf_list(typer, column, literals, count, is_negated, out);
    struct armi_key_set set = {
        0, armi_arena_take(&typer->predicate->arena, count, sizeof *set.ranges)};
    if (set.ranges == NULL)
        return armi_error_no_memory(typer->err);
    struct armi_key_range domain = domain_of(column->value);
    for (size_t i = 0; i < count; i++) {
        struct armi_key_point point = point_of(column->value, literals[i]);
        set.count += armi_key_range_of(ARMI_OP_EQ, &point, &domain, &set.ranges[set.count]);
    }
    return leaf_ranges(typer, column, &set, is_negated, out);
}

enum armi_status armi_leaf_like(struct armi_typer *typer,
                                const struct armi_leaf_column *column,
                                struct armi_slice pattern, bool is_negated,
                                struct armi_node **out)
{
    struct armi_like like;
    armi_like_prepare(pattern, &like);
    if (like.kind == ARMI_LIKE_EQUAL)
        return leaf_bytes(typer, column, is_negated ? ARMI_OP_NE : ARMI_OP_EQ, like.text,
                          out);
    if (like.kind != ARMI_LIKE_GENERAL && like.text.size == 0) {
        if (is_negated)
            return armi_node_new(typer, ARMI_NODE_FALSE, out);
        return armi_leaf_nullness(typer, column, false, out);
    }
    ARMI_TRY(leaf_new(typer, ARMI_LEAF_LIKE, column, out));
    (*out)->leaf->like = like;
    (*out)->leaf->is_negated = is_negated;
    return ARMI_OK;
}

enum armi_status armi_leaf_nullness(struct armi_typer *typer,
                                    const struct armi_leaf_column *column, bool is_null,
                                    struct armi_node **out)
{
    return leaf_new(typer, is_null ? ARMI_LEAF_NULL : ARMI_LEAF_VALID, column, out);
}

/* How values of the two types are best compared; both of one class. */
static enum armi_pair pair_of(const struct armi_field *a, const struct armi_field *b)
{
    switch (armi_class_of_field(a)) {
    case ARMI_CLASS_BOOL:
        return ARMI_PAIR_INT64;
    case ARMI_CLASS_TEXT:
    case ARMI_CLASS_BYTES:
        return ARMI_PAIR_BYTES;
    case ARMI_CLASS_NUMBER:
        break;
    default:
        return armi_temporal_step(a) == armi_temporal_step(b) ? ARMI_PAIR_INT64
                                                              : ARMI_PAIR_INT128;
    }
    if (armi_type_is_float(a->type) && armi_type_is_float(b->type))
        return ARMI_PAIR_DOUBLE;
    if (!armi_type_is_integer(a->type) || !armi_type_is_integer(b->type))
        return ARMI_PAIR_NUMBER;
    return a->type == ARMI_TYPE_UINT64 || b->type == ARMI_TYPE_UINT64 ? ARMI_PAIR_INT128
                                                                      : ARMI_PAIR_INT64;
}

enum armi_status armi_leaf_columns(struct armi_typer *typer,
                                   const struct armi_leaf_column *left, enum armi_op op,
                                   const struct armi_leaf_column *right,
                                   struct armi_node **out)
{
    ARMI_TRY(leaf_new(typer, ARMI_LEAF_COLUMNS, left, out));
    struct armi_leaf *leaf = (*out)->leaf;
    leaf->op = op;
    leaf->other = *right;
    leaf->pair = pair_of(left->value, right->value);
    leaf->step = leaf->other_step = 1;
    if (leaf->pair == ARMI_PAIR_INT128 &&
        armi_class_of_field(left->value) != ARMI_CLASS_NUMBER) {
        leaf->step = armi_temporal_step(left->value);
        leaf->other_step = armi_temporal_step(right->value);
    }
    return ARMI_OK;
}
