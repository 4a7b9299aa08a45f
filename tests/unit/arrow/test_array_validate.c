#include "test.h"

#include "arrow/array.h"
#include "arrow/array_make.h"
#include "arrow_gen.h"
#include "base/limits.h"

/* ---- arrays made by hand, as another producer might ---- */

static void no_release(struct ArrowArray *array)
{
    array->release = NULL;
}

static enum armi_status see(const char *type, struct ArrowArray *array,
                            enum armi_validation level)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field = arrow_gen_field(type);
    struct armi_array view;
    array->release = no_release;
    enum armi_status status = armi_array_init(&field, array, level, &view, &err);
    if (status == ARMI_OK)
        armi_array_release(&view);
    else
        assert_non_null(strstr(err.message, "'x"));
    armi_field_release(&field);
    return status;
}

#define BUFFERS(...)                                                                       \
    .buffers = (const void *[]){__VA_ARGS__},                                              \
    .n_buffers = sizeof((const void *[]){__VA_ARGS__}) / sizeof(const void *)

static const int32_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};

static void null_buffers_of_empty_arrays_are_fine(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    for (size_t t = 0; t < arrow_gen_type_count; t++) {
        struct armi_field field = arrow_gen_field(arrow_gen_types[t]);
        struct ArrowArray array;
        struct armi_array view;
        ok(armi_arrow_array_empty(&field, &array, &err));
        for (int64_t i = 0; i < array.n_buffers; i++)
            array.buffers[i] = NULL;
        array.offset = 100;
        ok(armi_array_init(&field, &array, ARMI_VALIDATE_FULL, &view, &err));
        assert_int_equal(armi_array_data_size(&view) -
                             (view.dictionary ? armi_array_data_size(view.dictionary) : 0),
                         0);
        if (view.offsets != NULL)
            assert_int_equal(armi_array_offset_at(&view, view.offset), 0);
        armi_array_release(&view);
        array.release(&array);
        armi_field_release(&field);
    }
}

static void a_shape_that_does_not_fit_the_type_is_refused(void **state)
{
    (void)state;
    struct ArrowArray good = {.length = 4, BUFFERS(NULL, numbers)};
    assert_int_equal(see("int32", &good, ARMI_VALIDATE_NONE), ARMI_OK);
    struct ArrowArray child = {.length = 3, BUFFERS(NULL, numbers), .release = no_release};
    struct ArrowArray *children[] = {&child};
    struct ArrowArray bad[] = {
        {.length = -1, BUFFERS(NULL, numbers)},
        {.length = 4, .offset = -1, BUFFERS(NULL, numbers)},
        {.length = INT64_MAX, .offset = 1, BUFFERS(NULL, numbers)},
        {.length = INT64_MAX / 8, BUFFERS(NULL, numbers)},
        {.length = 4, .null_count = -2, BUFFERS(NULL, numbers)},
        {.length = 4, .null_count = 5, BUFFERS(numbers, numbers)},
        {.length = 4, .null_count = 1, BUFFERS(NULL, numbers)},
        {.length = 4, BUFFERS(NULL)},
        {.length = 4, BUFFERS(NULL, numbers, numbers)},
        {.length = 4, .n_buffers = 2},
        {.length = 4, BUFFERS(NULL, NULL)},
        {.length = 3, BUFFERS(NULL, numbers), .n_children = 1, .children = children},
        {.length = 3, BUFFERS(NULL, numbers), .dictionary = &child},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(see("int32", &bad[i], ARMI_VALIDATE_NONE), ARMI_INVALID);

    struct ArrowArray nested[] = {
        {.length = 4, BUFFERS(NULL), .n_children = 1, .children = children},
        {.length = 1, .offset = 3, BUFFERS(NULL), .n_children = 1, .children = children},
        {.length = 3, BUFFERS(NULL), .n_children = 1},
        {.length = 3, BUFFERS(NULL)},
    };
    for (size_t i = 0; i < sizeof nested / sizeof nested[0]; i++)
        assert_int_equal(see("struct<a: int32>", &nested[i], ARMI_VALIDATE_NONE),
                         ARMI_INVALID);
    struct ArrowArray fits = {
        .length = 2, .offset = 1, BUFFERS(NULL), .n_children = 1, .children = children};
    assert_int_equal(see("struct<a: int32>", &fits, ARMI_VALIDATE_FULL), ARMI_OK);
    struct ArrowArray pairs = {
        .length = 2, BUFFERS(NULL), .n_children = 1, .children = children};
    assert_int_equal(see("fixed_size_list<a: int32>[2]", &pairs, ARMI_VALIDATE_NONE),
                     ARMI_INVALID);
    struct ArrowArray no_dictionary = {.length = 3, BUFFERS(NULL, numbers)};
    assert_int_equal(
        see("dictionary<values=int32, indices=int32>", &no_dictionary, ARMI_VALIDATE_NONE),
        ARMI_INVALID);
}

static void null_count_is_believed_or_proved(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field = arrow_gen_field("int32");
    static const uint8_t bits[] = {0x2a};
    struct ArrowArray array = {.length = 4,
                               .offset = 1,
                               .null_count = -1,
                               BUFFERS(bits, numbers),
                               .release = no_release};
    struct armi_array view;
    ok(armi_array_init(&field, &array, ARMI_VALIDATE_FULL, &view, &err));
    assert_int_equal(view.null_count, -1);
    assert_int_equal(armi_array_null_count(&view), 2);
    assert_false(armi_array_is_null(&view, 0));
    assert_true(armi_array_is_null(&view, 1));
    struct armi_array slice = armi_array_slice(&view, 1, 1);
    assert_int_equal(armi_array_null_count(&slice), 1);
    array.null_count = 0;
    ok(armi_array_init(&field, &array, ARMI_VALIDATE_BOUNDS, &view, &err));
    assert_null(view.validity);
    fails(ARMI_INVALID, armi_array_init(&field, &array, ARMI_VALIDATE_FULL, &view, &err));
    field.nullable = false;
    array.null_count = 2;
    fails(ARMI_CONSTRAINT,
          armi_array_init(&field, &array, ARMI_VALIDATE_FULL, &view, &err));
    assert_string_equal(err.message,
                        "column 'x': row 2 is null, but the column is declared not null");
    armi_field_release(&field);
}

static void a_null_of_a_struct_excuses_its_members(void **state)
{
    (void)state;
    struct ArrowArray child = {
        .length = 2, .null_count = 1, BUFFERS("\x01", numbers), .release = no_release};
    struct ArrowArray *children[] = {&child};
    struct ArrowArray array = {.length = 2,
                               .null_count = 1,
                               BUFFERS("\x01"),
                               .n_children = 1,
                               .children = children};
    assert_int_equal(see("struct<a: int32 not null>", &array, ARMI_VALIDATE_FULL), ARMI_OK);
    array.buffers[0] = "\x02";
    assert_int_equal(see("struct<a: int32 not null>", &array, ARMI_VALIDATE_FULL),
                     ARMI_CONSTRAINT);
    struct ArrowArray list = {.length = 1,
                              .n_children = 1,
                              .children = children,
                              BUFFERS(NULL, ((int32_t[]){0, 1}))};
    assert_int_equal(see("list<item: int32 not null>", &list, ARMI_VALIDATE_FULL), ARMI_OK);
    list.buffers[1] = (int32_t[]){1, 2};
    assert_int_equal(see("list<item: int32 not null>", &list, ARMI_VALIDATE_FULL),
                     ARMI_CONSTRAINT);
}

static void a_batch_must_not_be_null_as_a_whole(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema = arrow_gen_field("struct<>");
    struct ArrowArray array = {
        .length = 2, .null_count = -1, BUFFERS("\x01"), .release = no_release};
    struct armi_array view;
    fails(ARMI_INVALID,
          armi_array_init_batch(&schema, &array, ARMI_VALIDATE_FULL, &view, &err));
    array.buffers[0] = "\x03";
    ok(armi_array_init_batch(&schema, &array, ARMI_VALIDATE_FULL, &view, &err));
    assert_int_equal(view.length, 2);
    assert_null(view.validity);
    armi_array_release(&view);
    armi_field_release(&schema);
}

static void bad_strings_are_refused(void **state)
{
    (void)state;
    static const struct {
        enum armi_status bounds, full;
        int32_t offsets[4];
        const char *bytes;
        const char *validity;
    } cases[] = {
        {ARMI_OK, ARMI_OK, {0, 1, 3, 3}, "abc", NULL},
        {ARMI_OK, ARMI_OK, {1, 1, 3, 3}, "\xff\xc3\xa4", NULL},
        {ARMI_OK, ARMI_INVALID, {0, 2, 1, 3}, "abc", NULL},
        {ARMI_INVALID, ARMI_INVALID, {0, 1, 3, -1}, "abc", NULL},
        {ARMI_INVALID, ARMI_INVALID, {-1, 1, 2, 3}, "abc", NULL},
        {ARMI_INVALID, ARMI_INVALID, {0, 1, 2, 3}, NULL, NULL},
        {ARMI_OK, ARMI_INVALID, {0, 1, 2, 3}, "a\xff!", NULL},
        {ARMI_OK,
         ARMI_INVALID,
         {0, 1, 2, 3},
         "\xc3\xa4.",
         NULL},                                             /* cut within a character */
        {ARMI_OK, ARMI_OK, {0, 1, 2, 3}, "a\xff!", "\x05"}, /* under a null */
        {ARMI_OK, ARMI_LIMIT, {0, 0, 0, INT32_MAX}, "", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ArrowArray array = {
            .length = 3,
            .null_count = -1,
            BUFFERS(cases[i].validity, cases[i].offsets, cases[i].bytes)};
        assert_int_equal(see("string", &array, ARMI_VALIDATE_BOUNDS), cases[i].bounds);
        assert_int_equal(see("string", &array, ARMI_VALIDATE_FULL), cases[i].full);
    }
}

static void bad_views_are_refused(void **state)
{
    (void)state;
    static const char data[] = "0123456789abcdef";
    static const int64_t sizes[] = {16};
    static const struct {
        enum armi_status status;
        int32_t size, buffer, offset;
        const char prefix[5];
    } cases[] = {
        {ARMI_OK, 13, 0, 3, "3456"},           {ARMI_INVALID, 13, 0, 4, "4567"},
        {ARMI_INVALID, 13, 1, 0, "0123"},      {ARMI_INVALID, 13, -1, 0, "0123"},
        {ARMI_INVALID, 13, 0, -1, "0123"},     {ARMI_INVALID, -1, 0, 0, "0123"},
        {ARMI_INVALID, 13, 0, 0, "0120"},      {ARMI_INVALID, 4, 0, 0, "\xff..."},
        {ARMI_LIMIT, INT32_MAX, 0, 0, "0123"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t view[16];
        armi_store32(view, (uint32_t)cases[i].size);
        memcpy(view + 4, cases[i].prefix, 4);
        armi_store32(view + 8, (uint32_t)cases[i].buffer);
        armi_store32(view + 12, (uint32_t)cases[i].offset);
        struct ArrowArray array = {.length = 1, BUFFERS(NULL, view, data, sizes)};
        assert_int_equal(see("string_view", &array, ARMI_VALIDATE_BOUNDS), ARMI_OK);
        assert_int_equal(see("string_view", &array, ARMI_VALIDATE_FULL), cases[i].status);
    }
    struct ArrowArray array = {.length = 1, BUFFERS(NULL, numbers)};
    assert_int_equal(see("string_view", &array, ARMI_VALIDATE_NONE), ARMI_INVALID);
}

static void bad_lists_are_refused(void **state)
{
    (void)state;
    struct ArrowArray child = {.length = 3, BUFFERS(NULL, numbers), .release = no_release};
    struct ArrowArray *children[] = {&child};
    static const struct {
        enum armi_status bounds, full;
        int32_t offsets[3];
    } cases[] = {
        {ARMI_OK, ARMI_OK, {0, 1, 3}},
        {ARMI_INVALID, ARMI_INVALID, {0, 1, 4}},
        {ARMI_OK, ARMI_INVALID, {0, 4, 3}},
        {ARMI_INVALID, ARMI_INVALID, {-1, 1, 3}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ArrowArray array = {.length = 2,
                                   .n_children = 1,
                                   .children = children,
                                   BUFFERS(NULL, cases[i].offsets)};
        assert_int_equal(see("list<item: int32>", &array, ARMI_VALIDATE_BOUNDS),
                         cases[i].bounds);
        assert_int_equal(see("list<item: int32>", &array, ARMI_VALIDATE_FULL),
                         cases[i].full);
    }
    static const struct {
        enum armi_status full;
        int32_t offsets[2], sizes[2];
    } views[] = {
        {ARMI_OK, {2, 0}, {1, 3}},
        {ARMI_INVALID, {2, 0}, {2, 3}},
        {ARMI_INVALID, {-1, 0}, {2, 3}},
        {ARMI_INVALID, {0, 0}, {-1, 3}},
    };
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        struct ArrowArray array = {.length = 2,
                                   .n_children = 1,
                                   .children = children,
                                   BUFFERS(NULL, views[i].offsets, views[i].sizes)};
        assert_int_equal(see("list_view<item: int32>", &array, ARMI_VALIDATE_FULL),
                         views[i].full);
    }
}

static void bad_dictionaries_and_runs_are_refused(void **state)
{
    (void)state;
    struct ArrowArray values = {.length = 3, BUFFERS(NULL, numbers), .release = no_release};
    static const struct {
        enum armi_status status;
        int8_t indices[4];
        const char *validity;
    } cases[] = {
        {ARMI_OK, {0, 1, 2, 0}, NULL},
        {ARMI_INVALID, {0, 1, 3, 0}, NULL},
        {ARMI_INVALID, {0, -1, 2, 0}, NULL},
        {ARMI_OK, {0, 99, 2, 0}, "\x0d"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ArrowArray array = {.length = 4,
                                   .null_count = -1,
                                   .dictionary = &values,
                                   BUFFERS(cases[i].validity, cases[i].indices)};
        assert_int_equal(
            see("dictionary<values=int32, indices=int8>", &array, ARMI_VALIDATE_FULL),
            cases[i].status);
    }
    static const struct {
        enum armi_status bounds, full;
        int32_t ends[3];
    } runs[] = {
        {ARMI_OK, ARMI_OK, {1, 4, 9}},           {ARMI_OK, ARMI_OK, {1, 4, 7}},
        {ARMI_INVALID, ARMI_INVALID, {1, 4, 6}}, {ARMI_OK, ARMI_INVALID, {4, 4, 7}},
        {ARMI_OK, ARMI_INVALID, {0, 4, 7}},
    };
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        struct ArrowArray ends = {
            .length = 3, BUFFERS(NULL, runs[i].ends), .release = no_release};
        struct ArrowArray *children[] = {&ends, &values};
        struct ArrowArray array = {
            .length = 5, .offset = 2, .n_children = 2, .children = children};
        static const char type[] = "run_end_encoded<run_ends: int32, values: int32>";
        assert_int_equal(see(type, &array, ARMI_VALIDATE_BOUNDS), runs[i].bounds);
        assert_int_equal(see(type, &array, ARMI_VALIDATE_FULL), runs[i].full);
    }
}

static void runs_are_found_at_any_offset(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field =
        arrow_gen_field("run_end_encoded<run_ends: int32, values: int32>");
    struct ArrowArray ends = {
        .length = 3, BUFFERS(NULL, ((int32_t[]){1, 4, 9})), .release = no_release};
    struct ArrowArray values = {
        .length = 3, .null_count = 1, BUFFERS("\x05", numbers), .release = no_release};
    struct ArrowArray *children[] = {&ends, &values};
    struct ArrowArray array = {.length = 7,
                               .offset = 2,
                               .n_children = 2,
                               .children = children,
                               .release = no_release};
    struct armi_array view;
    ok(armi_array_init(&field, &array, ARMI_VALIDATE_FULL, &view, &err));
    static const int64_t runs[] = {1, 1, 2, 2, 2, 2, 2};
    for (int64_t i = 0; i < 7; i++) {
        assert_int_equal(armi_array_run(&view, i), runs[i]);
        assert_int_equal(armi_array_is_null(&view, i), runs[i] == 1);
    }
    assert_int_equal(armi_array_null_count(&view), 2);
    armi_array_release(&view);
    armi_field_release(&field);
}

static void decimals_beyond_their_precision_are_refused(void **state)
{
    (void)state;
    int32_t small[] = {999, -999};
    struct ArrowArray array = {.length = 2, BUFFERS(NULL, small)};
    assert_int_equal(see("decimal32(3, 1)", &array, ARMI_VALIDATE_FULL), ARMI_OK);
    small[1] = -1000;
    assert_int_equal(see("decimal32(3, 1)", &array, ARMI_VALIDATE_FULL), ARMI_INVALID);
    small[1] = INT32_MIN;
    assert_int_equal(see("decimal32(9, 1)", &array, ARMI_VALIDATE_FULL), ARMI_INVALID);
    /* 10^20 - 1 and 10^20, either sign, in 16 bytes. */
    uint64_t wide[] = {7766279631452241919u, 5, 7766279631452241920u, 5};
    array = (struct ArrowArray){.length = 1, BUFFERS(NULL, wide)};
    assert_int_equal(see("decimal128(20, 0)", &array, ARMI_VALIDATE_FULL), ARMI_OK);
    array.offset = 1;
    assert_int_equal(see("decimal128(20, 0)", &array, ARMI_VALIDATE_FULL), ARMI_INVALID);
    assert_int_equal(see("decimal128(21, 0)", &array, ARMI_VALIDATE_FULL), ARMI_OK);
    uint64_t negative[] = {0 - 7766279631452241920u, ~(uint64_t)5};
    array = (struct ArrowArray){.length = 1, BUFFERS(NULL, negative)};
    assert_int_equal(see("decimal128(20, 0)", &array, ARMI_VALIDATE_FULL), ARMI_INVALID);
    assert_int_equal(see("decimal128(21, 0)", &array, ARMI_VALIDATE_FULL), ARMI_OK);
    uint64_t lowest[] = {0, 0, 0, (uint64_t)1 << 63};
    array = (struct ArrowArray){.length = 1, BUFFERS(NULL, lowest)};
    assert_int_equal(see("decimal256(76, 0)", &array, ARMI_VALIDATE_FULL), ARMI_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_buffers_of_empty_arrays_are_fine),
        cmocka_unit_test(a_shape_that_does_not_fit_the_type_is_refused),
        cmocka_unit_test(null_count_is_believed_or_proved),
        cmocka_unit_test(a_null_of_a_struct_excuses_its_members),
        cmocka_unit_test(a_batch_must_not_be_null_as_a_whole),
        cmocka_unit_test(bad_strings_are_refused),
        cmocka_unit_test(bad_views_are_refused),
        cmocka_unit_test(bad_lists_are_refused),
        cmocka_unit_test(bad_dictionaries_and_runs_are_refused),
        cmocka_unit_test(runs_are_found_at_any_offset),
        cmocka_unit_test(decimals_beyond_their_precision_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
