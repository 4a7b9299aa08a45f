#include "test.h"

#include <stdlib.h>

#include "arrow/fingerprint.h"
#include "arrow/schema_text.h"
#include "arrow_model.h"
#include "base/text.h"
#include "fault_alloc.h"

static void hex_of(const struct model_column *column, char out[41])
{
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t fingerprint[ARMI_FINGERPRINT_SIZE];
    ok(armi_fingerprint_pieces(&column->field, &column->view, 1, fingerprint, &err));
    armi_hex_encode(fingerprint, sizeof fingerprint, out);
}

/* Slices, offsets, garbage under nulls, dictionaries in another order: same rows, same value. */
static void the_layout_of_rows_does_not_matter(void **state)
{
    (void)state;
    struct model_random random = {1};
    for (const char *const *type = model_types; *type != NULL; type++) {
        for (unsigned round = 0; round < 24; round++) {
            struct model model = {NULL};
            struct armi_error err = ARMI_ERROR_INIT;
            struct armi_field field;
            struct model_column a, b;
            char a_hex[41], b_hex[41];
            size_t count = model_below(&random, round < 20 ? 70 : 3000);
            unsigned nulls = (unsigned)(round % 4) * 3;
            ok(armi_type_parse(*type, &field, &err));
            if (strstr(*type, "int8, ordered") != NULL && count > 50)
                count = 50;
            struct model_value *rows =
                model_random_rows(&model, &field, &random, count, nulls);
            model_column_init(&a, &model, *type, rows, count, MODEL_PLAIN, &random);
            model_column_init(&b, &model, *type, rows, count, MODEL_NOISE, &random);
            model_assert(&model, &b.view, 0, rows, count, *type);
            hex_of(&a, a_hex);
            hex_of(&b, b_hex);
            if (strcmp(a_hex, b_hex) != 0)
                fail_msg("%s, round %u: %s is not %s", *type, round, b_hex, a_hex);
            model_column_release(&a);
            model_column_release(&b);
            armi_field_release(&field);
            model_release(&model);
        }
    }
}

static void pieces_may_be_cut_anywhere(void **state)
{
    (void)state;
    struct model_random random = {2};
    for (const char *const *type = model_types; *type != NULL; type++) {
        for (unsigned round = 0; round < 12; round++) {
            struct model model = {NULL};
            struct armi_error err = ARMI_ERROR_INIT;
            struct armi_field field;
            struct model_column whole, piece;
            struct armi_fingerprint fp;
            uint8_t one[ARMI_FINGERPRINT_SIZE], cut[ARMI_FINGERPRINT_SIZE];
            ok(armi_type_parse(*type, &field, &err));
            size_t count =
                strstr(*type, "int8") != NULL ? 50 : 1 + model_below(&random, 400);
            struct model_value *rows = model_random_rows(&model, &field, &random, count,
                                                         (unsigned)(round % 3) * 4);
            model_column_init(&whole, &model, *type, rows, count, MODEL_PLAIN, &random);
            ok(armi_fingerprint_pieces(&whole.field, &whole.view, 1, one, &err));
            ok(armi_fingerprint_init(&fp, &whole.field, &err));
            for (size_t at = 0; at < count;) {
                size_t take = 1 + model_below(&random, round % 2 == 0 ? 9 : count - at);
                take = take < count - at ? take : count - at;
                /* Every second piece is an array of its own, with a dictionary of its own. */
                if (model_below(&random, 2) == 0) {
                    ok(armi_fingerprint_update(&fp, &whole.view, (int64_t)at, (int64_t)take,
                                               &err));
                } else {
                    model_column_init(&piece, &model, *type, rows + at, take, MODEL_NOISE,
                                      &random);
                    ok(armi_fingerprint_update(&fp, &piece.view, 0, (int64_t)take, &err));
                    model_column_release(&piece);
                }
                at += take;
            }
            armi_fingerprint_finish(&fp, cut);
            if (memcmp(one, cut, sizeof one) != 0)
                fail_msg("%s, round %u: cut in pieces it is another", *type, round);
            /* finish starts afresh. */
            ok(armi_fingerprint_update(&fp, &whole.view, 0, (int64_t)count, &err));
            armi_fingerprint_finish(&fp, cut);
            assert_memory_equal(one, cut, sizeof one);
            armi_fingerprint_release(&fp);
            model_column_release(&whole);
            armi_field_release(&field);
            model_release(&model);
        }
    }
}

static void a_change_of_any_row_is_seen(void **state)
{
    (void)state;
    struct model_random random = {3};
    for (const char *const *type = model_types; *type != NULL; type++) {
        struct model model = {NULL};
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_field field;
        struct model_column a, b;
        char a_hex[41], b_hex[41];
        ok(armi_type_parse(*type, &field, &err));
        size_t count = 40;
        struct model_value *rows = model_random_rows(&model, &field, &random, count, 4);
        model_column_init(&a, &model, *type, rows, count, MODEL_PLAIN, &random);
        hex_of(&a, a_hex);
        for (unsigned round = 0; round < 30 && strcmp(*type, "null") != 0; round++) {
            size_t i = model_below(&random, count);
            struct model_value old = rows[i];
            rows[i] = model_random_value(&model, &field, &random, 4);
            bool same = model_equal(&field, &old, &rows[i]);
            model_column_init(&b, &model, *type, rows, count, MODEL_NOISE, &random);
            hex_of(&b, b_hex);
            assert_int_equal(strcmp(a_hex, b_hex) == 0, same);
            model_column_release(&b);
            rows[i] = old;
        }
        model_column_init(&b, &model, *type, rows, count - 1, MODEL_PLAIN, &random);
        hex_of(&b, b_hex);
        assert_string_not_equal(a_hex, b_hex);
        model_column_release(&b);
        model_column_release(&a);
        armi_field_release(&field);
        model_release(&model);
    }
}

/* The same rows under two types: only their layout is left out of the type. */
static void the_type_counts_but_not_its_layout(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } pairs[] = {
        {"string", "large_string", true},
        {"string", "string_view", true},
        {"binary", "large_binary", true},
        {"string", "binary", false},
        {"string", "run_end_encoded<run_ends: int32, values: large_string>", true},
        {"list<item: string>", "large_list<other: large_string>", true},
        {"list<item: string>", "list_view<item: string>", true},
        {"dictionary<values=string, indices=int8, ordered=0>",
         "dictionary<values=large_string, indices=uint32, ordered=1>", true},
        {"dictionary<values=string, indices=int8, ordered=0>", "string", false},
        {"int64", "timestamp[us]", false},
        {"timestamp[us]", "timestamp[ns]", false},
        {"timestamp[us]", "timestamp[us, tz=UTC]", false},
        {"int32", "date32[day]", false},
        {"decimal128(20, 4)", "decimal128(20, 3)", false},
        {"fixed_size_binary[8]", "int64", false},
        {"struct<a: int32>", "struct<b: int32>", false},
    };
    struct model_random random = {4};
    for (size_t p = 0; p < sizeof pairs / sizeof pairs[0]; p++) {
        struct model model = {NULL};
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_field field;
        struct model_column a, b;
        char a_hex[41], b_hex[41];
        ok(armi_type_parse(pairs[p].a, &field, &err));
        struct model_value *rows = model_random_rows(&model, &field, &random, 40, 3);
        model_column_init(&a, &model, pairs[p].a, rows, 40, MODEL_NOISE, &random);
        model_column_init(&b, &model, pairs[p].b, rows, 40, MODEL_NOISE, &random);
        hex_of(&a, a_hex);
        hex_of(&b, b_hex);
        if ((strcmp(a_hex, b_hex) == 0) != pairs[p].same)
            fail_msg("%s and %s", pairs[p].a, pairs[p].b);
        model_column_release(&a);
        model_column_release(&b);
        armi_field_release(&field);
        model_release(&model);
    }
}

static void a_piece_of_another_type_is_refused(void **state)
{
    (void)state;
    struct model model = {NULL};
    struct model_random random = {5};
    struct armi_error err = ARMI_ERROR_INIT;
    struct model_column ints, texts;
    struct armi_fingerprint fp;
    model_column_init(&ints, &model, "int32", NULL, 0, MODEL_PLAIN, &random);
    model_column_init(&texts, &model, "string", NULL, 0, MODEL_PLAIN, &random);
    ok(armi_fingerprint_init(&fp, &ints.field, &err));
    fails(ARMI_SCHEMA_MISMATCH, armi_fingerprint_update(&fp, &texts.view, 0, 0, &err));
    armi_fingerprint_release(&fp);
    model_column_release(&ints);
    model_column_release(&texts);
    model_release(&model);
}

static void golden(const char *type, const struct model_value *rows, size_t count,
                   const char *expected)
{
    struct model model = {NULL};
    struct model_random random = {6};
    struct model_column column;
    char hex[41];
    model_column_init(&column, &model, type, rows, count, MODEL_NOISE, &random);
    hex_of(&column, hex);
    assert_string_equal(hex, expected);
    model_column_release(&column);
    model_release(&model);
}

/* docs/format/fingerprint.md, worked out there with another implementation of BLAKE3. */
static void the_examples_of_the_format_page_hold(void **state)
{
    (void)state;
    uint8_t one[] = {1, 0, 0, 0}, minus[] = {0xfe, 0xff, 0xff, 0xff},
            seven[] = {7, 0, 0, 0};
    uint8_t alpha[] = "alpha", empty[] = "", beta[] = "beta";
    struct model_value ints[] = {
        {.size = 4, .bytes = one}, {.is_null = true}, {.size = 4, .bytes = minus}};
    struct model_value plain[] = {{.size = 4, .bytes = one}, {.size = 4, .bytes = seven}};
    struct model_value texts[] = {{.size = 5, .bytes = alpha},
                                  {.is_null = true},
                                  {.size = 0, .bytes = empty},
                                  {.size = 4, .bytes = beta},
                                  {.size = 5, .bytes = alpha}};
    struct model_value lists[] = {
        {.count = 2, .parts = plain}, {.is_null = true}, {.count = 0}};
    golden("int32", ints, 3, "b0d2933dd11a9f546bd4f5108c9ced062b44a95b");
    golden("string", texts, 5, "02795f95f69a97fc4ba37452cff1cde8b935a61e");
    golden("dictionary<values=string, indices=int8, ordered=0>", texts, 5,
           "110d35fb33eb7f8e98b81965ba7e6d96038b4cd8");
    golden("list<item: int32>", lists, 3, "50b2219da1740652b5cdcd3cba0036a59de90d20");
    golden("timestamp[us, tz=UTC]", NULL, 0, "b6bf375b6da76d9ea4726737daa300ed536bcb41");
}

/* More than the streams' buffers hold, and a hash tree of many levels. */
static void many_rows_hash_as_the_format_page_says(void **state)
{
    (void)state;
    enum { ROWS = 100000 };
    uint64_t *values = test_calloc(ROWS, sizeof *values);
    struct model_value *rows = test_calloc(ROWS, sizeof *rows);
    char(*texts)[16] = test_calloc(ROWS, sizeof *texts);
    for (uint64_t i = 0; i < ROWS; i++) {
        values[i] = i * i * UINT64_C(2654435761);
        rows[i] = (struct model_value){.size = 8, .bytes = (uint8_t *)&values[i]};
    }
    golden("int64", rows, ROWS, "4412a6b40f2801eac53a791fecc35012c0283aeb");
    for (size_t i = 0; i < ROWS; i++)
        rows[i].is_null = i % 7 == 3;
    golden("int64", rows, ROWS, "d6ecfb751f703fc3197dd60ed308cdf921da6cac");
    for (size_t i = 0; i < ROWS; i++) {
        rows[i].size = (size_t)snprintf(texts[i], sizeof texts[i], "row %zu", i);
        rows[i].bytes = (uint8_t *)texts[i];
    }
    golden("string", rows, ROWS, "53a9393fe302c383b0933ec39cb1744fe516f608");
    golden("string_view", rows, ROWS, "53a9393fe302c383b0933ec39cb1744fe516f608");
    test_free(texts);
    test_free(rows);
    test_free(values);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    static const char *const types[] = {
        "string", "dictionary<values=string, indices=int16, ordered=0>",
        "struct<a: int32, b: list<item: string>>",
        "run_end_encoded<run_ends: int32, values: string>"};
    struct model_random random = {7};
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        struct model model = {NULL};
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_field field;
        struct model_column column;
        ok(armi_type_parse(types[t], &field, &err));
        struct model_value *rows = model_random_rows(&model, &field, &random, 60, 4);
        model_column_init(&column, &model, types[t], rows, 60, MODEL_NOISE, &random);
        for (size_t n = 1;; n++) {
            uint8_t out[ARMI_FINGERPRINT_SIZE];
            fault_alloc_begin(n, false);
            enum armi_status status =
                armi_fingerprint_pieces(&column.field, &column.view, 1, out, &err);
            bool fired = fault_alloc_end();
            assert_int_equal(status, fired ? ARMI_NO_MEMORY : ARMI_OK);
            if (!fired)
                break;
        }
        model_column_release(&column);
        armi_field_release(&field);
        model_release(&model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layout_of_rows_does_not_matter),
        cmocka_unit_test(pieces_may_be_cut_anywhere),
        cmocka_unit_test(a_change_of_any_row_is_seen),
        cmocka_unit_test(the_type_counts_but_not_its_layout),
        cmocka_unit_test(a_piece_of_another_type_is_refused),
        cmocka_unit_test(the_examples_of_the_format_page_hold),
        cmocka_unit_test(many_rows_hash_as_the_format_page_says),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
