#include "test.h"

#include "arrow/row_hash.h"
#include "arrow/schema_text.h"
#include "arrow_model.h"
#include "fault_alloc.h"

static void the_layout_of_rows_does_not_matter(void **state)
{
    (void)state;
    struct model_random random = {1};
    for (const char *const *type = model_types; *type != NULL; type++) {
        for (unsigned round = 0; round < 8; round++) {
            struct model model = {NULL};
            struct armi_error err = ARMI_ERROR_INIT;
            struct armi_field field;
            struct model_column a, b;
            ok(armi_type_parse(*type, &field, &err));
            size_t count = round < 6 || strstr(*type, "int8") != NULL ? 40 : 3000;
            struct model_value *rows =
                model_random_rows(&model, &field, &random, count, (round % 3) * 4);
            uint64_t *x = test_malloc((count + 1) * 8), *y = test_malloc((count + 1) * 8);
            model_column_init(&a, &model, *type, rows, count, MODEL_PLAIN, &random);
            model_column_init(&b, &model, *type, rows, count, MODEL_NOISE, &random);
            ok(armi_row_hash(&a.view, 1, 0, (int64_t)count, x, &err));
            size_t cut = model_below(&random, count + 1);
            ok(armi_row_hash(&b.view, 1, 0, (int64_t)cut, y, &err));
            ok(armi_row_hash(&b.view, 1, (int64_t)cut, (int64_t)(count - cut), y + cut,
                             &err));
            for (size_t i = 0; i < count; i++) {
                if (x[i] != y[i])
                    fail_msg("%s: row %zu", *type, i);
                for (size_t k = 0; k < i && i < 40; k++)
                    assert_int_equal(x[i] == x[k], model_equal(&field, &rows[i], &rows[k]));
            }
            test_free(x);
            test_free(y);
            model_column_release(&a);
            model_column_release(&b);
            armi_field_release(&field);
            model_release(&model);
        }
    }
}

static uint64_t hash_of(const char *type, const struct model_value *row)
{
    struct model model = {NULL};
    struct model_random random = {2};
    struct armi_error err = ARMI_ERROR_INIT;
    struct model_column column;
    uint64_t hash;
    model_column_init(&column, &model, type, row, 1, MODEL_NOISE, &random);
    ok(armi_row_hash(&column.view, 1, 0, 1, &hash, &err));
    model_column_release(&column);
    model_release(&model);
    return hash;
}

static uint64_t hash_of_bytes(const char *type, const void *bytes, size_t size)
{
    uint8_t copy[64] = {0};
    memcpy(copy, bytes, size);
    struct model_value row = {.size = size, .bytes = copy};
    return hash_of(type, &row);
}

/* docs/format/row_hash.md, computed there by another implementation. */
static void the_examples_of_the_format_page_hold(void **state)
{
    (void)state;
    const int64_t five = 5, minus_three = -3;
    const double minus_zero = -0.0;
    const struct model_value null = {.is_null = true};
    uint8_t three[16], big[32] = {[16] = 4}, one[4] = {1}, seven[4] = {7}, letter[] = "x";
    memset(three, 0xff, sizeof three);
    memcpy(three, &minus_three, 8);
    assert_true(hash_of_bytes("int64", &five, 8) == UINT64_C(0x007b1acc87ca86eb));
    assert_true(hash_of_bytes("int8", "\xff", 1) == UINT64_C(0x70a713d8281d5784));
    assert_true(hash_of_bytes("int64", "\xff\xff\xff\xff\xff\xff\xff\xff", 8) ==
                UINT64_C(0x70a713d8281d5784));
    assert_true(hash_of("string", &null) == UINT64_C(0xbe8cab644efdda51));
    assert_true(hash_of("null", &null) == UINT64_C(0xbe8cab644efdda51));
    assert_true(hash_of_bytes("bool", "\1", 1) == UINT64_C(0xa67b9f193dde6946));
    assert_true(hash_of_bytes("double", &minus_zero, 8) == UINT64_C(0xa39ad327186b60ef));
    assert_true(hash_of_bytes("decimal128(20, 4)", three, 16) ==
                UINT64_C(0x100aa990aa023150));
    assert_true(hash_of_bytes("decimal64(9, 4)", three, 8) == UINT64_C(0x100aa990aa023150));
    assert_true(hash_of_bytes("decimal256(50, 10)", big, 32) ==
                UINT64_C(0x4bdf36bd5642b68c));
    assert_true(hash_of_bytes("string", "", 0) == UINT64_C(0x957b5e64dddc7b57));
    assert_true(hash_of_bytes("large_string", "ab", 2) == UINT64_C(0x0dace8630119d12d));
    assert_true(hash_of_bytes("string_view", "abcde", 5) == UINT64_C(0x6a1dcd7e05c3a7c8));
    assert_true(hash_of_bytes("dictionary<values=string, indices=int8, ordered=0>",
                              "abcdefghij", 10) == UINT64_C(0x8dd96c74b693c583));
    assert_true(hash_of_bytes("string", "the quick brown fox jumps over it", 33) ==
                UINT64_C(0x42f5c3f29f9686ee));
    struct model_value items[] = {{.size = 4, .bytes = one}, {.is_null = true}};
    struct model_value list = {.count = 2, .parts = items};
    assert_true(hash_of("list<item: int32>", &list) == UINT64_C(0x74288132d1df3ccf));
    struct model_value members[] = {{.size = 4, .bytes = seven},
                                    {.size = 1, .bytes = letter}};
    struct model_value record = {.count = 2, .parts = members};
    assert_true(hash_of("struct<a: int32, b: string>", &record) ==
                UINT64_C(0x8bf7c664187d3488));
}

static void columns_are_folded_in_order(void **state)
{
    (void)state;
    struct model model = {NULL};
    struct model_random random = {3};
    struct armi_error err = ARMI_ERROR_INIT;
    int64_t five = 5;
    uint8_t ab[] = "ab";
    struct model_value a = {.size = 8, .bytes = (uint8_t *)&five},
                       b = {.size = 2, .bytes = ab};
    struct model_column ints, texts;
    uint64_t hash;
    model_column_init(&ints, &model, "int64", &a, 1, MODEL_PLAIN, &random);
    model_column_init(&texts, &model, "string", &b, 1, MODEL_PLAIN, &random);
    struct armi_array both[] = {ints.view, texts.view}, turned[] = {texts.view, ints.view};
    ok(armi_row_hash(both, 2, 0, 1, &hash, &err));
    assert_true(hash == UINT64_C(0x37ae379070a53450));
    ok(armi_row_hash(turned, 2, 0, 1, &hash, &err));
    assert_true(hash != UINT64_C(0x37ae379070a53450));
    model_column_release(&ints);
    model_column_release(&texts);
    model_release(&model);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    struct model model = {NULL};
    struct model_random random = {4};
    struct armi_error err = ARMI_ERROR_INIT;
    const char *type =
        "list<item: dictionary<values=large_string, indices=int64, ordered=0>>";
    struct armi_field field;
    struct model_column column;
    uint64_t hashes[30];
    ok(armi_type_parse(type, &field, &err));
    struct model_value *rows = model_random_rows(&model, &field, &random, 30, 2);
    model_column_init(&column, &model, type, rows, 30, MODEL_NOISE, &random);
    for (size_t n = 1;; n++) {
        fault_alloc_begin(n, false);
        enum armi_status status = armi_row_hash(&column.view, 1, 0, 30, hashes, &err);
        bool fired = fault_alloc_end();
        assert_int_equal(status, fired ? ARMI_NO_MEMORY : ARMI_OK);
        if (!fired)
            break;
    }
    model_column_release(&column);
    armi_field_release(&field);
    model_release(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layout_of_rows_does_not_matter),
        cmocka_unit_test(the_examples_of_the_format_page_hold),
        cmocka_unit_test(columns_are_folded_in_order),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
