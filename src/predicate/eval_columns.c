/*
 * Two columns held against each other, row by row: exactly, whatever their types are.
 */
#include "predicate/predicate_internal.h"

/* ---- plain columns of numbers, 64 rows at a time ---- */

/* Rows as int64: what PAIR_INT64 compares. The rows beyond `count` are left alone. */
static void load_ints(const struct armi_array *array, int64_t from, int64_t count,
                      int64_t out[64])
{
    const uint8_t *p =
        array->values + (size_t)(array->offset + from) * (size_t)array->width;
    enum armi_type type = array->field->type;
    if (type == ARMI_TYPE_INT64 || array->width == 8) {
        memcpy(out, p, (size_t)count * 8);
    } else if (array->width == 4 && type != ARMI_TYPE_UINT32) {
        for (int64_t i = 0; i < count; i++)
            out[i] = (int32_t)armi_load32(p + 4 * i);
    } else {
        for (int64_t i = 0; i < count; i++)
            out[i] = armi_array_int(array, from + i);
    }
}

static void load_double_keys(const struct armi_array *array, int64_t from, int64_t count,
                             int64_t out[64])
{
    for (int64_t i = 0; i < count; i++)
        out[i] = (int64_t)(armi_key_of_double(armi_array_double(array, from + i)) ^
                           (UINT64_C(1) << 63));
}

static uint64_t relate(enum armi_op op, const int64_t a[64], const int64_t b[64])
{
    uint64_t less = 0, equal = 0;
    for (size_t i = 0; i < 64; i++) {
        less |= (uint64_t)(a[i] < b[i]) << i;
        equal |= (uint64_t)(a[i] == b[i]) << i;
    }
    uint64_t hits = op == ARMI_OP_EQ || op == ARMI_OP_NE   ? equal
                    : op == ARMI_OP_LT || op == ARMI_OP_GE ? less
                                                           : less | equal;
    bool is_turned = op == ARMI_OP_NE || op == ARMI_OP_GE || op == ARMI_OP_GT;
    return is_turned ? ~hits : hits;
}

static void eval_blocks(const struct armi_leaf *leaf, const struct armi_array *left,
                        const struct armi_array *right, int64_t from, int64_t count,
                        uint64_t *bits)
{
    int64_t a[64] = {0}, b[64] = {0};
    for (int64_t done = 0; done < count; done += 64, bits++) {
        int64_t rows = count - done < 64 ? count - done : 64;
        if (*bits == 0)
            continue;
        if (leaf->pair == ARMI_PAIR_DOUBLE) {
            load_double_keys(left, from + done, rows, a);
            load_double_keys(right, from + done, rows, b);
        } else {
            load_ints(left, from + done, rows, a);
            load_ints(right, from + done, rows, b);
        }
        *bits &= relate(leaf->op, a, b);
    }
}

/* ---- one row ---- */

static __int128_t int_of(const struct armi_array *array, int64_t i)
{
    int64_t v = armi_array_int(array, i);
    return array->field->type == ARMI_TYPE_UINT64 ? (__int128_t)(uint64_t)v : (__int128_t)v;
}

/* An integer or decimal: *scale is where its point is. */
static struct armi_wide wide_of(const struct armi_array *array, int64_t i, int32_t *scale)
{
    bool is_decimal = armi_type_is_decimal(array->field->type);
    *scale = is_decimal ? array->field->scale : 0;
    if (is_decimal)
        return armi_wide_load(armi_array_at(array, i), (size_t)array->width);
    return armi_wide_of_int(int_of(array, i));
}

static int order_numbers(const struct armi_array *a, int64_t i, const struct armi_array *b,
                         int64_t k)
{
    int32_t scale, other_scale;
    struct armi_wide wide, other;
    double v;
    if (armi_type_is_float(a->field->type) && armi_type_is_float(b->field->type)) {
        uint64_t x = armi_key_of_double(armi_array_double(a, i));
        uint64_t y = armi_key_of_double(armi_array_double(b, k));
        return x < y ? -1 : x > y;
    }
    if (armi_type_is_float(a->field->type)) {
        v = armi_array_double(a, i);
        wide = wide_of(b, k, &scale);
        return v != v ? 1 : -armi_wide_order_double(&wide, scale, v);
    }
    wide = wide_of(a, i, &scale);
    if (armi_type_is_float(b->field->type)) {
        v = armi_array_double(b, k);
        return v != v ? -1 : armi_wide_order_double(&wide, scale, v);
    }
    other = wide_of(b, k, &other_scale);
    return armi_wide_order_scaled(&wide, scale, &other, other_scale);
}

/* Both values are there. */
static int order_values(const struct armi_leaf *leaf, const struct armi_array *a, int64_t i,
                        const struct armi_array *b, int64_t k)
{
    __int128_t x, y;
    switch (leaf->pair) {
    case ARMI_PAIR_BYTES:
        return armi_slice_compare(armi_array_bytes(a, i), armi_array_bytes(b, k));
    case ARMI_PAIR_INT64:
    case ARMI_PAIR_INT128:
        x = int_of(a, i) * leaf->step;
        y = int_of(b, k) * leaf->other_step;
        return x < y ? -1 : x > y;
    default:
        return order_numbers(a, i, b, k);
    }
}

static bool row_holds(const struct armi_leaf *leaf, const struct armi_array *left,
                      const struct armi_array *right, int64_t row)
{
    int64_t i = row, k = row;
    if (!armi_array_resolve(&left, &i) || !armi_array_resolve(&right, &k) ||
        armi_array_is_null(left, i) || armi_array_is_null(right, k))
        return false;
    return armi_op_holds(leaf->op, order_values(leaf, left, i, right, k));
}

void armi_eval_columns(const struct armi_leaf *leaf, const struct armi_array *left,
                       const struct armi_array *right, int64_t from, int64_t count,
                       uint64_t *bits)
{
    bool is_number = leaf->pair == ARMI_PAIR_INT64 || leaf->pair == ARMI_PAIR_DOUBLE;
    if (is_number && left->layout == ARMI_LAYOUT_FIXED &&
        right->layout == ARMI_LAYOUT_FIXED) {
        eval_blocks(leaf, left, right, from, count, bits);
        return;
    }
    for (int64_t done = 0; done < count; done += 64, bits++) {
        uint64_t hits = 0;
        for (uint64_t asked = *bits; asked != 0; asked &= asked - 1) {
            int i = __builtin_ctzll(asked);
            hits |= (uint64_t)row_holds(leaf, left, right, from + done + i) << i;
        }
        *bits &= hits;
    }
}
