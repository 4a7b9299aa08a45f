#include "test.h"

#include "arrow/array.h"
#include "arrow/array_make.h"
#include "arrow/builder.h"
#include "arrow/schema_text.h"
#include "arrow_gen.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "fault_alloc.h"

static void generated(const struct armi_field *field, int64_t rows, unsigned null_every,
                      struct ArrowArray *array, struct armi_array *view)
{
    struct armi_error err = ARMI_ERROR_INIT;
    ok(arrow_gen_array(field, rows, null_every, 42 + (uint64_t)rows, array, &err));
    ok(armi_array_init(field, array, ARMI_VALIDATE_FULL, view, &err));
    assert_int_equal(view->length, rows);
}

static void every_type_is_built_and_seen(void **state)
{
    (void)state;
    static const int64_t lengths[] = {0, 1, 8, 100};
    for (size_t t = 0; t < arrow_gen_type_count; t++) {
        for (size_t k = 0; k < 4; k++) {
            struct armi_field field = arrow_gen_field(arrow_gen_types[t]);
            struct ArrowArray array;
            struct armi_array view;
            generated(&field, lengths[k], 5, &array, &view);
            int64_t nulls = 0;
            for (int64_t i = 0; i < view.length; i++)
                nulls += armi_array_is_null(&view, i);
            assert_int_equal(armi_array_null_count(&view), nulls);
            assert_true(nulls == 0 || armi_array_may_have_nulls(&view));
            assert_true(armi_array_data_size(&view) >= 0);
            armi_array_release(&view);
            array.release(&array);
            armi_field_release(&field);
        }
    }
}

static void slices_show_and_export_the_same_rows_without_copies(void **state)
{
    (void)state;
    static const int64_t spans[][2] = {{0, 60}, {0, 0}, {7, 30}, {8, 52}, {59, 1}, {60, 0}};
    for (size_t t = 0; t < arrow_gen_type_count; t++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_field field = arrow_gen_field(arrow_gen_types[t]);
        struct ArrowArray array;
        struct armi_array view;
        generated(&field, 60, t % 2 ? 3 : 0, &array, &view);
        struct armi_holder *holder;
        ok(armi_array_hold(&array, &holder, &err));
        assert_null(array.release);
        struct ArrowArray exported[6];
        for (size_t s = 0; s < 6; s++) {
            struct armi_array slice = armi_array_slice(&view, spans[s][0], spans[s][1]);
            ok(armi_array_validate(&slice, ARMI_VALIDATE_FULL, &err));
            arrow_gen_same_rows(arrow_gen_types[t], &view, spans[s][0], &slice);
            ok(armi_array_export_slice(&view, spans[s][0], spans[s][1], holder,
                                       &exported[s], &err));
        }
        /* From here on only the exported arrays keep the data alive. */
        struct ArrowArray copy;
        ok(arrow_gen_array(&field, 60, t % 2 ? 3 : 0, 42 + 60, &copy, &err));
        armi_array_release(&view);
        ok(armi_array_init(&field, &copy, ARMI_VALIDATE_FULL, &view, &err));
        armi_holder_unref(holder);
        for (size_t s = 0; s < 6; s++) {
            struct armi_array seen;
            ok(armi_array_init(&field, &exported[s], ARMI_VALIDATE_FULL, &seen, &err));
            assert_int_equal(seen.length, spans[s][1]);
            arrow_gen_same_rows(arrow_gen_types[t], &view, spans[s][0], &seen);
            /* Again, of the slice: offsets add up. */
            struct ArrowArray again;
            int64_t from = spans[s][1] / 3;
            struct armi_array seen_again;
            ok(armi_array_export_slice(&seen, from, spans[s][1] - from, NULL, &again,
                                       &err));
            ok(armi_array_init(&field, &again, ARMI_VALIDATE_FULL, &seen_again, &err));
            arrow_gen_same_rows(arrow_gen_types[t], &seen, from, &seen_again);
            armi_array_release(&seen_again);
            again.release(&again);
            armi_array_release(&seen);
            exported[s].release(&exported[s]);
        }
        armi_array_release(&view);
        copy.release(&copy);
        armi_field_release(&field);
    }
}

static void a_batch_is_exported_without_an_offset(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema = arrow_gen_field("struct<a: int64, b: list<item: string>>");
    struct ArrowArray array, out;
    struct armi_array view;
    generated(&schema, 40, 0, &array, &view);
    ok(armi_array_export_slice(&view, 11, 20, NULL, &out, &err));
    assert_int_equal(out.offset, 0);
    assert_int_equal(out.children[0]->offset, 11);
    assert_int_equal(out.children[0]->length, 20);
    struct armi_array column = armi_array_column(&view, 1);
    assert_int_equal(column.length, 40);
    /* A child moved out lives on alone. */
    struct ArrowArray child;
    armi_arrow_array_move(out.children[1], &child);
    out.release(&out);
    struct armi_array seen;
    ok(armi_array_init(&schema.children[1], &child, ARMI_VALIDATE_FULL, &seen, &err));
    arrow_gen_same_rows("b", &column, 11, &seen);
    armi_array_release(&seen);
    child.release(&child);
    armi_array_release(&view);
    array.release(&array);
    armi_field_release(&schema);
}

static void data_size_counts_the_rows_only(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field =
        arrow_gen_field("struct<a: int64, s: string, l: list<item: int16>>");
    struct armi_builder *b;
    ok(armi_builder_new(&field, &b, &err));
    for (int64_t i = 0; i < 10; i++) {
        ok(armi_builder_append_int(armi_builder_child(b, 0), i, &err));
        ok(armi_builder_append_bytes(armi_builder_child(b, 1), "abcdefghij", (size_t)i,
                                     &err));
        struct armi_builder *list = armi_builder_child(b, 2);
        for (int64_t k = 0; k < i; k++)
            ok(armi_builder_append_int(armi_builder_child(list, 0), k, &err));
        ok(armi_builder_close(list, &err));
        ok(armi_builder_close(b, &err));
    }
    struct ArrowArray array;
    struct armi_array view;
    ok(armi_builder_finish(b, &array, &err));
    armi_builder_free(b);
    ok(armi_array_init(&field, &array, ARMI_VALIDATE_FULL, &view, &err));
    struct armi_array slice =
        armi_array_slice(&view, 4, 3); /* of 4 + 5 + 6 letters and items */
    assert_int_equal(armi_array_data_size(&slice), 3 * 8 + (3 * 4 + 15) + (3 * 4 + 30));
    armi_array_release(&view);
    array.release(&array);
    armi_field_release(&field);
}

/* ---- memory ---- */

static enum armi_status build_and_cut(const struct armi_field *field,
                                      struct armi_error *err)
{
    struct ArrowArray array, out = {0};
    struct armi_array view = ARMI_ARRAY_INIT;
    struct armi_holder *holder = NULL;
    ARMI_TRY(arrow_gen_array(field, 12, 4, 1, &array, err));
    enum armi_status status =
        armi_array_init(field, &array, ARMI_VALIDATE_FULL, &view, err);
    if (status == ARMI_OK)
        status = armi_array_hold(&array, &holder, err);
    if (status == ARMI_OK)
        status = armi_array_export_slice(&view, 3, 5, holder, &out, err);
    armi_array_release(&view);
    armi_holder_unref(holder);
    armi_arrow_array_release(&array);
    armi_arrow_array_release(&out);
    if (status == ARMI_OK)
        status = armi_arrow_array_empty(field, &out, err);
    armi_arrow_array_release(&out);
    return status;
}

static void no_failed_allocation_leaks(void **state)
{
    (void)state;
    for (size_t t = 0; t < arrow_gen_type_count; t++) {
        struct armi_field field = arrow_gen_field(arrow_gen_types[t]);
        for (size_t n = 1;; n++) {
            struct armi_error err = ARMI_ERROR_INIT;
            fault_alloc_begin(n, n % 2);
            enum armi_status status = build_and_cut(&field, &err);
            if (!fault_alloc_end()) {
                assert_int_equal(status, ARMI_OK);
                break;
            }
            assert_int_equal(status, ARMI_NO_MEMORY);
        }
        armi_field_release(&field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_built_and_seen),
        cmocka_unit_test(slices_show_and_export_the_same_rows_without_copies),
        cmocka_unit_test(a_batch_is_exported_without_an_offset),
        cmocka_unit_test(data_size_counts_the_rows_only),
        cmocka_unit_test(no_failed_allocation_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
