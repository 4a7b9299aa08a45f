#include "test.h"

#include <math.h>

#include "arrow/compare.h"
#include "arrow/schema_text.h"
#include "arrow_model.h"

/* Two arrays of related rows: about half of them the same. */
struct pair {
    struct model model;
    struct armi_field field;
    struct model_value *a_rows, *b_rows;
    size_t count;
    struct model_column a, b;
};

static void pair_init(struct pair *p, const char *type, size_t count, unsigned nulls,
                      struct model_random *random)
{
    struct armi_error err = ARMI_ERROR_INIT;
    memset(p, 0, sizeof *p);
    p->count = strstr(type, "int8") != NULL && count > 50 ? 50 : count;
    ok(armi_type_parse(type, &p->field, &err));
    p->a_rows = model_random_rows(&p->model, &p->field, random, p->count, nulls);
    p->b_rows = model_random_rows(&p->model, &p->field, random, p->count, nulls);
    for (size_t i = 0; i < p->count; i++) {
        if (model_below(random, 2) == 0)
            p->b_rows[i] = p->a_rows[i];
    }
    model_column_init(&p->a, &p->model, type, p->a_rows, p->count, MODEL_NOISE, random);
    model_column_init(&p->b, &p->model, type, p->b_rows, p->count, MODEL_NOISE, random);
}

static void pair_release(struct pair *p)
{
    model_column_release(&p->a);
    model_column_release(&p->b);
    armi_field_release(&p->field);
    model_release(&p->model);
}

static void rows_are_the_same_exactly_if_their_values_are(void **state)
{
    (void)state;
    struct model_random random = {1};
    for (const char *const *type = model_types; *type != NULL; type++) {
        for (unsigned round = 0; round < 8; round++) {
            struct pair p;
            uint8_t bits[64];
            pair_init(&p, *type, 1 + model_below(&random, 300), (round % 4) * 4, &random);
            size_t from = model_below(&random, p.count), count = p.count - from;
            int64_t same = 0, run = -1;
            armi_compare_same_bits(&p.a.view, (int64_t)from, &p.b.view, (int64_t)from,
                                   (int64_t)count, bits);
            for (size_t i = 0; i < count; i++) {
                bool wanted =
                    model_equal(&p.field, &p.a_rows[from + i], &p.b_rows[from + i]);
                bool got = armi_compare_same(&p.a.view, (int64_t)(from + i), &p.b.view,
                                             (int64_t)(from + i));
                if (got != wanted || armi_bit_get(bits, i) != wanted)
                    fail_msg("%s: row %zu", *type, i);
                same += wanted;
                if (!wanted && run < 0)
                    run = (int64_t)i;
            }
            for (size_t i = count; i < 8 * armi_bitmap_size(count); i++)
                assert_false(armi_bit_get(bits, i));
            assert_int_equal(armi_compare_same_bits(&p.a.view, (int64_t)from, &p.b.view,
                                                    (int64_t)from, (int64_t)count, bits),
                             same);
            assert_int_equal(armi_compare_same_run(&p.a.view, (int64_t)from, &p.b.view,
                                                   (int64_t)from, (int64_t)count),
                             run < 0 ? (int64_t)count : run);
            pair_release(&p);
        }
    }
}

static void keys_are_equal_exactly_if_rows_are(void **state)
{
    (void)state;
    struct model_random random = {2};
    for (const char *const *type = model_types; *type != NULL; type++) {
        struct pair p;
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_buf a = {0}, b = {0}, one = {0};
        size_t a_ends[40], b_ends[40];
        pair_init(&p, *type, 40, 4, &random);
        ok(armi_buf_append(&a, "before", 6, &err));
        ok(armi_compare_keys(&p.a.view, 1, 0, 40, &a, a_ends, &err));
        ok(armi_compare_keys(&p.b.view, 1, 0, 40, &b, b_ends, &err));
        assert_int_equal(a_ends[39], a.size);
        for (size_t i = 0; i < 40; i++) {
            size_t a_from = i == 0 ? 6 : a_ends[i - 1];
            struct armi_slice x = {a.data + a_from, a_ends[i] - a_from};
            armi_buf_clear(&one);
            ok(armi_compare_key(&p.a.view, 1, (int64_t)i, &one, &err));
            assert_true(armi_slice_equal(x, armi_buf_slice(&one)));
            for (size_t k = 0; k < 40; k++) {
                size_t b_from = k == 0 ? 0 : b_ends[k - 1];
                struct armi_slice y = {b.data + b_from, b_ends[k] - b_from};
                bool same = model_equal(&p.field, &p.a_rows[i], &p.b_rows[k]);
                assert_int_equal(armi_slice_equal(x, y), same);
                /* Prefix-free: no key begins another. */
                size_t size = x.size < y.size ? x.size : y.size;
                if (!same)
                    assert_true(memcmp(x.data, y.data, size) != 0);
            }
        }
        armi_buf_release(&a);
        armi_buf_release(&b);
        armi_buf_release(&one);
        pair_release(&p);
    }
}

static void several_columns_make_one_key(void **state)
{
    (void)state;
    struct model_random random = {3};
    static const char *const types[] = {
        "int64", "string", "int16", "dictionary<values=string, indices=int8, ordered=0>"};
    struct armi_error err = ARMI_ERROR_INIT;
    struct pair p[4];
    struct armi_array columns[4];
    for (size_t c = 0; c < 4; c++) {
        pair_init(&p[c], types[c], 30, 3, &random);
        columns[c] = p[c].a.view;
    }
    for (size_t count = 2; count <= 4; count++) { /* all flat, then one that is not */
        struct armi_buf keys = {0}, one = {0};
        size_t ends[20];
        ok(armi_compare_keys(columns, count, 10, 20, &keys, ends, &err));
        for (int64_t i = 0; i < 20; i++)
            ok(armi_compare_key(columns, count, 10 + i, &one, &err));
        assert_true(armi_slice_equal(armi_buf_slice(&keys), armi_buf_slice(&one)));
        armi_buf_release(&keys);
        armi_buf_release(&one);
    }
    for (size_t c = 0; c < 4; c++)
        pair_release(&p[c]);
}

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

static void order_is_total(void **state)
{
    (void)state;
    struct model_random random = {4};
    for (const char *const *type = model_types; *type != NULL; type++) {
        struct pair p;
        pair_init(&p, *type, 24, 3, &random);
        const struct armi_array *a = &p.a.view, *b = &p.b.view;
        for (int64_t i = 0; i < 24; i++) {
            assert_int_equal(armi_compare_order(a, i, a, i, 0), 0);
            for (int64_t k = 0; k < 24; k++) {
                int order = sign(armi_compare_order(a, i, b, k, 0));
                assert_int_equal(sign(armi_compare_order(b, k, a, i, 0)), -order);
                if (armi_compare_same(a, i, b, k))
                    assert_int_equal(order, 0);
                bool nulls = p.a_rows[i].is_null || p.b_rows[k].is_null;
                unsigned down = ARMI_COMPARE_DESCENDING, first = ARMI_COMPARE_NULLS_FIRST;
                assert_int_equal(sign(armi_compare_order(a, i, b, k, down)),
                                 nulls ? order : -order);
                if (nulls)
                    assert_int_equal(sign(armi_compare_order(a, i, b, k, first)), -order);
                for (int64_t m = 0; m < 24; m++) {
                    if (order <= 0 && armi_compare_order(b, k, a, m, 0) <= 0)
                        assert_true(armi_compare_order(a, i, a, m, 0) <= 0);
                }
            }
        }
        pair_release(&p);
    }
}

/* The order that the rows are given in, ascending, equal neighbours marked by `equal`. */
static void check_order(const char *type, const struct model_value *rows, size_t count,
                        size_t equal)
{
    struct model model = {NULL};
    struct model_random random = {5};
    struct model_column column;
    model_column_init(&column, &model, type, rows, count, MODEL_NOISE, &random);
    for (size_t i = 0; i + 1 < count; i++) {
        int order =
            armi_compare_order(&column.view, (int64_t)i, &column.view, (int64_t)i + 1, 0);
        if (sign(order) != (i == equal ? 0 : -1))
            fail_msg("%s: row %zu is not before the next", type, i);
    }
    model_column_release(&column);
    model_release(&model);
}

static void values_stand_where_people_expect_them(void **state)
{
    (void)state;
    double doubles[] = {-INFINITY, -1.5, -0.0, 0.0, 2, INFINITY, NAN};
    int32_t ints[] = {INT32_MIN, -1, 0, 7, INT32_MAX};
    uint64_t uints[] = {0, 1, INT64_MAX, UINT64_MAX};
    uint8_t decimals[4][32] = {{0}, {0}, {0}, {0}};
    const char *texts[] = {"", "Z", "a", "a\x01", "aa", "b", "\x7f"};
    struct model_value rows[8];
    memset(decimals[0], 0xff, 32);
    decimals[0][16] = 0; /* far below zero */
    memset(decimals[1], 0xff, 32);
    decimals[3][17] = 1;
    for (size_t i = 0; i < 7; i++)
        rows[i] = (struct model_value){.size = 8, .bytes = (uint8_t *)&doubles[i]};
    rows[7] = (struct model_value){.is_null = true};
    check_order("double", rows, 8, 2);
    for (size_t i = 0; i < 5; i++)
        rows[i] = (struct model_value){.size = 4, .bytes = (uint8_t *)&ints[i]};
    check_order("int32", rows, 5, 99);
    check_order("date32[day]", rows, 5, 99);
    for (size_t i = 0; i < 4; i++)
        rows[i] = (struct model_value){.size = 8, .bytes = (uint8_t *)&uints[i]};
    check_order("uint64", rows, 4, 99);
    for (size_t i = 0; i < 4; i++)
        rows[i] = (struct model_value){.size = 32, .bytes = decimals[i]};
    check_order("decimal256(76, 0)", rows, 4, 99);
    for (size_t i = 0; i < 7; i++) {
        uint8_t *bytes = (uint8_t *)(uintptr_t)texts[i];
        rows[i] = (struct model_value){.size = strlen(texts[i]), .bytes = bytes};
    }
    check_order("string", rows, 7, 99);
    check_order("string_view", rows, 7, 99);
    check_order("dictionary<values=string, indices=int8, ordered=0>", rows, 7, 99);
}

static void bits_tell_zeros_and_nans_apart(void **state)
{
    (void)state;
    struct model model = {NULL};
    struct model_random random = {6};
    struct model_column column;
    double doubles[] = {0.0, -0.0, NAN, NAN};
    struct model_value rows[4];
    doubles[3] = -doubles[3];
    for (size_t i = 0; i < 4; i++)
        rows[i] = (struct model_value){.size = 8, .bytes = (uint8_t *)&doubles[i]};
    model_column_init(&column, &model, "double", rows, 4, MODEL_NOISE, &random);
    assert_false(armi_compare_same(&column.view, 0, &column.view, 1));
    assert_false(armi_compare_same(&column.view, 2, &column.view, 3));
    assert_true(armi_compare_same(&column.view, 2, &column.view, 2));
    assert_int_equal(armi_compare_order(&column.view, 0, &column.view, 1, 0), 0);
    assert_int_equal(armi_compare_order(&column.view, 2, &column.view, 3, 0), 0);
    model_column_release(&column);
    model_release(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_the_same_exactly_if_their_values_are),
        cmocka_unit_test(keys_are_equal_exactly_if_rows_are),
        cmocka_unit_test(several_columns_make_one_key),
        cmocka_unit_test(order_is_total),
        cmocka_unit_test(values_stand_where_people_expect_them),
        cmocka_unit_test(bits_tell_zeros_and_nans_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
