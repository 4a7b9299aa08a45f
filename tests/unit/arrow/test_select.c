#include "test.h"

#include "arrow/concat.h"
#include "arrow/schema_text.h"
#include "arrow/select.h"
#include "arrow_model.h"
#include "base/alloc.h"
#include "fault_alloc.h"

struct source {
    struct model model;
    struct armi_field field;
    struct model_value *rows;
    size_t count;
    struct model_column column;
};

static void source_init(struct source *s, const char *type, size_t count, unsigned nulls,
                        struct model_random *random)
{
    struct armi_error err = ARMI_ERROR_INIT;
    memset(s, 0, sizeof *s);
    s->count = strstr(type, "int8") != NULL && count > 50 ? 50 : count;
    ok(armi_type_parse(type, &s->field, &err));
    s->rows = model_random_rows(&s->model, &s->field, random, s->count, nulls);
    model_column_init(&s->column, &s->model, type, s->rows, s->count, MODEL_NOISE, random);
}

static void source_release(struct source *s)
{
    model_column_release(&s->column);
    armi_field_release(&s->field);
    model_release(&s->model);
}

/* *array (moved) holds the rows, and passes every validation. */
static void check(struct source *s, struct ArrowArray *array,
                  const struct model_value *rows, size_t count, const char *type)
{
    struct model_column result;
    model_column_adopt(&result, &s->column.field, array);
    assert_int_equal(result.view.length, count);
    assert_int_equal(result.view.offset, 0);
    model_assert(&s->model, &result.view, 0, rows, count, type);
    model_column_release(&result);
}

static void filter_keeps_the_rows_whose_bit_is_set(void **state)
{
    (void)state;
    struct model_random random = {1};
    for (const char *const *type = model_types; *type != NULL; type++) {
        for (unsigned round = 0; round < 8; round++) {
            struct source s;
            struct armi_error err = ARMI_ERROR_INIT;
            struct ArrowArray out;
            struct model_value kept[300];
            uint8_t bits[64];
            size_t shift = model_below(&random, 9), count = 0, run = round < 4 ? 2 : 60;
            source_init(&s, *type, model_below(&random, 300), (round % 4) * 3, &random);
            bool bit = false;
            for (size_t i = 0; i < s.count; i++) {
                if (model_below(&random, run) == 0)
                    bit = !bit;
                armi_bit_put(bits, shift + i, bit);
                if (bit)
                    kept[count++] = s.rows[i];
            }
            ok(armi_select_filter(&s.column.view, bits, shift, &out, &err));
            check(&s, &out, kept, count, *type);
            source_release(&s);
        }
    }
}

static void take_gives_the_rows_asked_for_and_nulls(void **state)
{
    (void)state;
    struct model_random random = {2};
    for (const char *const *type = model_types; *type != NULL; type++) {
        for (unsigned round = 0; round < 8; round++) {
            struct source s;
            struct armi_error err = ARMI_ERROR_INIT;
            struct ArrowArray out;
            struct model_value taken[200];
            int64_t indices[200];
            source_init(&s, *type, 1 + model_below(&random, 100), (round % 4) * 3, &random);
            size_t count = model_below(&random, 200);
            for (size_t i = 0; i < count; i++) {
                indices[i] = (int64_t)model_below(&random, s.count);
                if (round % 2 == 0 && model_below(&random, 5) == 0)
                    indices[i] = -1;
                taken[i] = (struct model_value){.is_null = true};
                if (indices[i] >= 0)
                    taken[i] = s.rows[indices[i]];
            }
            ok(armi_select_take(&s.column.view, indices, (int64_t)count, &out, &err));
            check(&s, &out, taken, count, *type);
            source_release(&s);
        }
    }
}

static void ranges_may_overlap_and_go_backwards(void **state)
{
    (void)state;
    struct model_random random = {3};
    for (const char *const *type = model_types; *type != NULL; type++) {
        for (unsigned round = 0; round < 6; round++) {
            struct source s;
            struct armi_error err = ARMI_ERROR_INIT;
            struct ArrowArray out;
            struct armi_rows ranges[6];
            struct model_value taken[6 * 60];
            size_t count = 0;
            source_init(&s, *type, 60, (round % 3) * 5, &random);
            for (size_t r = 0; r < 6; r++) {
                size_t from = model_below(&random, s.count);
                size_t rows = model_below(&random, s.count - from + 1);
                ranges[r] = (struct armi_rows){(int64_t)from, (int64_t)rows};
                for (size_t i = from; i < from + rows; i++)
                    taken[count++] = s.rows[i];
            }
            ok(armi_select_ranges(&s.column.view, ranges, 6, &out, &err));
            check(&s, &out, taken, count, *type);
            ok(armi_select_ranges(&s.column.view, NULL, 0, &out, &err));
            check(&s, &out, NULL, 0, *type);
            source_release(&s);
        }
    }
}

static void concat_puts_pieces_behind_each_other(void **state)
{
    (void)state;
    struct model_random random = {4};
    for (const char *const *type = model_types; *type != NULL; type++) {
        for (unsigned round = 0; round < 8; round++) {
            struct source s;
            struct armi_error err = ARMI_ERROR_INIT;
            struct ArrowArray out;
            struct model_column pieces[10];
            struct armi_array views[10];
            size_t count = 0, at = 0;
            source_init(&s, *type, model_below(&random, 150), (round % 4) * 3, &random);
            while (at < s.count && count < 9) {
                size_t take = 1 + model_below(&random, s.count - at);
                if (count == 8 || s.count - at < take)
                    take = s.count - at;
                /* Some pieces share an array, and its dictionary; others have their own. */
                if (model_below(&random, 2) == 0) {
                    views[count] =
                        armi_array_slice(&s.column.view, (int64_t)at, (int64_t)take);
                    memset(&pieces[count], 0, sizeof pieces[count]);
                } else {
                    model_column_init(&pieces[count], &s.model, *type, s.rows + at, take,
                                      MODEL_NOISE, &random);
                    views[count] = pieces[count].view;
                }
                at += take;
                count++;
            }
            ok(armi_concat(&s.column.field, views, count, &out, &err));
            check(&s, &out, s.rows, s.count, *type);
            for (size_t i = 0; i < count; i++)
                model_column_release(&pieces[i]);
            source_release(&s);
        }
    }
}

/* A long dictionary of which little is selected does not come along. */
static void a_selection_does_not_drag_a_large_dictionary(void **state)
{
    (void)state;
    struct model_random random = {5};
    struct source s;
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArray out;
    source_init(&s, "dictionary<values=string, indices=int16, ordered=0>", 2000, 0,
                &random);
    int64_t indices[] = {7, 7, 9};
    struct model_value rows[] = {s.rows[7], s.rows[7], s.rows[9]};
    ok(armi_select_take(&s.column.view, indices, 3, &out, &err));
    assert_true(out.dictionary->length <= 2);
    check(&s, &out, rows, 3, "dictionary");
    source_release(&s);
}

static void more_than_two_gibibytes_of_strings_are_refused_by_name(void **state)
{
    (void)state;
    struct model model = {NULL};
    struct model_random random = {6};
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArray out = {.release = NULL};
    struct model_column column;
    size_t size = 1 << 20;
    uint8_t *bytes = armi_alloc_zero(size, 1);
    struct model_value row = {.size = size, .bytes = bytes};
    model_column_init(&column, &model, "string", &row, 1, MODEL_PLAIN, &random);
    struct armi_rows ranges[2049];
    int64_t indices[2049] = {0};
    struct armi_array pieces[2049];
    for (size_t i = 0; i < 2049; i++) {
        ranges[i] = (struct armi_rows){0, 1};
        pieces[i] = column.view;
    }
    fails(ARMI_LIMIT, armi_select_ranges(&column.view, ranges, 2049, &out, &err));
    assert_string_equal(err.name, "c");
    assert_non_null(strstr(err.message, "column \"c\""));
    fails(ARMI_LIMIT, armi_select_take(&column.view, indices, 2049, &out, &err));
    fails(ARMI_LIMIT, armi_concat(&column.field, pieces, 2049, &out, &err));
    assert_null(out.release);
    model_column_release(&column);
    armi_free(bytes);
    model_release(&model);
}

static void too_many_entries_for_the_index_type_are_refused(void **state)
{
    (void)state;
    const char *type = "dictionary<values=int64, indices=int8, ordered=0>";
    struct model model = {NULL};
    struct model_random random = {7};
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArray out = {.release = NULL};
    int64_t values[160];
    struct model_value rows[160];
    struct model_column a, b;
    for (int64_t i = 0; i < 160; i++) {
        values[i] = i;
        rows[i] = (struct model_value){.size = 8, .bytes = (uint8_t *)&values[i]};
    }
    model_column_init(&a, &model, type, rows, 80, MODEL_PLAIN, &random);
    model_column_init(&b, &model, type, rows + 80, 80, MODEL_PLAIN, &random);
    struct armi_array pieces[] = {a.view, b.view};
    fails(ARMI_LIMIT, armi_concat(&a.field, pieces, 2, &out, &err));
    assert_string_equal(err.name, "c");
    pieces[1].length = 48;
    ok(armi_concat(&a.field, pieces, 2, &out, &err));
    armi_arrow_array_release(&out);
    model_column_release(&a);
    model_column_release(&b);
    model_release(&model);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    struct model_random random = {8};
    for (const char *const *type = model_types; *type != NULL; type++) {
        struct source s, other;
        struct armi_error err = ARMI_ERROR_INIT;
        static const uint8_t bits[] = {0x5a, 0xc3, 0xff, 0x81};
        int64_t indices[] = {3, -1, 3, 9, 0, 1, 2};
        source_init(&s, *type, 32, 4, &random);
        source_init(&other, *type, 32, 4, &random);
        struct armi_array pieces[] = {s.column.view, other.column.view};
        for (int what = 0; what < 3; what++) {
            for (size_t n = 1;; n++) {
                struct ArrowArray out = {.release = NULL};
                fault_alloc_begin(n, false);
                enum armi_status status =
                    what == 0   ? armi_select_filter(&s.column.view, bits, 0, &out, &err)
                    : what == 1 ? armi_select_take(&s.column.view, indices, 7, &out, &err)
                                : armi_concat(&s.column.field, pieces, 2, &out, &err);
                if (status == ARMI_OK)
                    armi_arrow_array_release(&out);
                bool fired = fault_alloc_end();
                assert_int_equal(status, fired ? ARMI_NO_MEMORY : ARMI_OK);
                assert_null(out.release);
                if (!fired)
                    break;
            }
        }
        source_release(&s);
        source_release(&other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_keeps_the_rows_whose_bit_is_set),
        cmocka_unit_test(take_gives_the_rows_asked_for_and_nulls),
        cmocka_unit_test(ranges_may_overlap_and_go_backwards),
        cmocka_unit_test(concat_puts_pieces_behind_each_other),
        cmocka_unit_test(a_selection_does_not_drag_a_large_dictionary),
        cmocka_unit_test(more_than_two_gibibytes_of_strings_are_refused_by_name),
        cmocka_unit_test(too_many_entries_for_the_index_type_are_refused),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
