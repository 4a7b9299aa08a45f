#include "test.h"

#include "arrow/array_make.h"
#include "arrow/field.h"
#include "arrow/schema_text.h"
#include "arrow_gen.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "fault_alloc.h"

static struct armi_slice slice(const char *text)
{
    return (struct armi_slice){(const uint8_t *)text, strlen(text)};
}

static void set_metadata(struct armi_field *field, const char *key, const char *value)
{
    struct armi_error err = ARMI_ERROR_INIT;
    ok(armi_metadata_set(&field->metadata, key, slice(value), &err));
}

static void every_type_survives_export_and_import(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    for (size_t i = 0; i < arrow_gen_type_count; i++) {
        struct armi_field field = arrow_gen_field(arrow_gen_types[i]), back;
        field.nullable = i % 2;
        field.id = (int32_t)i;
        set_metadata(&field, "ARROW:extension:name", "armi.test");
        set_metadata(&field, "", "");
        struct ArrowSchema schema;
        ok(armi_field_export(&field, ARMI_EXPORT_IDS, &schema, &err));
        ok(armi_field_import(&schema, &back, &err));
        schema.release(&schema);
        assert_null(schema.release);
        assert_int_equal(back.id, -1);
        armi_field_take_ids(&back);
        if (!armi_field_equal(&field, &back, ARMI_EQUAL_ALL))
            fail_msg("%s", arrow_gen_types[i]);
        assert_true(armi_slice_equal(*armi_field_extension(&back), slice("armi.test")));
        armi_field_release(&field);
        armi_field_release(&back);
    }
}

static void every_type_survives_being_text(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    for (size_t i = 0; i < arrow_gen_type_count; i++) {
        struct armi_field field = arrow_gen_field(arrow_gen_types[i]);
        char *text;
        ok(armi_type_text(&field, &text, &err));
        assert_string_equal(text, arrow_gen_types[i]);
        armi_free(text);
        armi_field_release(&field);
    }
}

static void other_names_of_types_are_understood(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {" str ", "string"},
        {"float32", "float"},
        {"decimal(10,2)", "decimal128(10, 2)"},
        {"decimal128(7)", "decimal128(7, 0)"},
        {"timestamp[ms,Europe/Berlin]", "timestamp[ms, tz=Europe/Berlin]"},
        {"list<element: str>", "list<element: string>"},
        {"map<string ('k'), int8 ('v'), keys_sorted ('e')>",
         "map<string ('k'), int8 ('v'), keys_sorted ('e')>"},
        {"dictionary<values=string, indices=int8>",
         "dictionary<values=string, indices=int8, ordered=0>"},
        {"struct<a b: int64, c,d: bool not null>",
         "struct<a b: int64, c,d: bool not null>"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_field field = arrow_gen_field(pairs[i][0]);
        char *text;
        ok(armi_type_text(&field, &text, &err));
        assert_string_equal(text, pairs[i][1]);
        armi_free(text);
        armi_field_release(&field);
    }
}

static void what_is_no_type_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "int",
        "int65",
        "int64 x",
        "int64_t",
        "time32[us]",
        "timestamp",
        "timestamp[xs]",
        "timestamp[us, tz=]",
        "decimal128(39, 0)",
        "decimal128(0, 0)",
        "decimal32(10, 2)",
        "decimal128(99999999999, 2)",
        "fixed_size_binary[-1]",
        "fixed_size_list<item: int8>",
        "list<int64>",
        "list<item: int64",
        "struct<a: int8,>",
        "map<string>",
        "map<string, int8 ('v>",
        "dictionary<values=string, indices=string, ordered=0>",
        "run_end_encoded<run_ends: int8, values: int8>",
        "int8\xff",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_field field;
        fails(ARMI_INVALID, armi_type_parse(texts[i], &field, &err));
        assert_true(strlen(err.message) > 0);
    }
    char deep[10 * 200 + 1];
    for (size_t i = 0; i < 200; i++)
        memcpy(deep + 9 * i, "list<a:  ", 9);
    deep[9 * 200] = '\0';
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field;
    fails(ARMI_LIMIT, armi_type_parse(deep, &field, &err));
}

/* ---- hostile ArrowSchemas ---- */

static void no_release(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void malformed_format_strings_are_refused(void **state)
{
    (void)state;
    static const char *const formats[] = {
        "",
        "x",
        "nn",
        "d:",
        "d:10",
        "d:10,",
        "d:39,2",
        "d:0,0",
        "d:10,2,",
        "d:10,2,9",
        "d:-1,2",
        "d:1,2,3",
        "d: 1,2",
        "w:",
        "w:-1",
        "w:1x",
        "tss",
        "tsx:",
        "ts",
        "tts:",
        "tdx",
        "+",
        "+w",
        "+w:",
        "+w:x",
        "+x",
        "+vx",
        "vx",
        "w:99999999999",
        "d:4294967297,2",
        "tsu:\xff",
    };
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_field field;
        struct ArrowSchema schema = {
            .format = formats[i], .name = "c", .release = no_release};
        fails(ARMI_INVALID, armi_field_import(&schema, &field, &err));
        assert_string_equal(err.name, "c");
    }
}

static void missing_and_superfluous_parts_are_refused(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field;
    struct ArrowSchema leaf = {.format = "i", .release = no_release};
    struct ArrowSchema dead = {.format = "i"};
    struct ArrowSchema *two[] = {&leaf, &leaf}, *one_dead[] = {&dead}, *one_null[] = {NULL};
    const struct ArrowSchema bad[] = {
        {.format = NULL, .release = no_release},
        {.format = "i", .release = NULL},
        {.format = "i", .n_children = 1, .children = two, .release = no_release},
        {.format = "+l", .release = no_release},
        {.format = "+l", .n_children = 1, .release = no_release},
        {.format = "+l", .n_children = 2, .children = two, .release = no_release},
        {.format = "+l", .n_children = 1, .children = one_dead, .release = no_release},
        {.format = "+l", .n_children = 1, .children = one_null, .release = no_release},
        {.format = "+s", .n_children = -1, .children = two, .release = no_release},
        {.format = "+m", .n_children = 1, .children = two, .release = no_release},
        {.format = "+r", .n_children = 1, .children = two, .release = no_release},
        {.format = "u", .dictionary = &leaf, .release = no_release},
        {.format = "i", .dictionary = &dead, .release = no_release},
        {.format = "i", .name = "\xff", .release = no_release},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        fails(ARMI_INVALID, armi_field_import(&bad[i], &field, &err));
    fails(ARMI_INVALID, armi_field_import(NULL, &field, &err));
    fails(ARMI_INVALID, armi_field_import_schema(&leaf, &field, &err));
}

static void nesting_and_cycles_end(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field;
    enum { DEPTH = 100 };
    struct ArrowSchema nodes[DEPTH];
    struct ArrowSchema *pointers[DEPTH];
    for (size_t i = 0; i < DEPTH; i++) {
        pointers[i] = &nodes[i];
        nodes[i] = (struct ArrowSchema){.format = "+l",
                                        .n_children = 1,
                                        .children = &pointers[i] + 1,
                                        .release = no_release};
    }
    nodes[DEPTH - 1].format = "i";
    nodes[DEPTH - 1].n_children = 0;
    fails(ARMI_LIMIT, armi_field_import(&nodes[0], &field, &err));
    /* Exactly the limit: that many lists around a value. */
    ok(armi_field_import(&nodes[DEPTH - 1 - ARMI_NESTING_MAX], &field, &err));
    armi_field_release(&field);
    fails(ARMI_LIMIT,
          armi_field_import(&nodes[DEPTH - 2 - ARMI_NESTING_MAX], &field, &err));

    struct ArrowSchema *self[2];
    struct ArrowSchema cycle = {
        .format = "+s", .n_children = 2, .children = self, .release = no_release};
    self[0] = self[1] = &cycle;
    fails(ARMI_LIMIT, armi_field_import(&cycle, &field, &err));

    /* Not a cycle, but each level names the next twice: 2^60 fields. */
    struct ArrowSchema *twice[60][2];
    struct ArrowSchema levels[60];
    for (size_t i = 0; i < 60; i++) {
        twice[i][0] = twice[i][1] = &levels[i + 1 < 60 ? i + 1 : i];
        levels[i] = (struct ArrowSchema){
            .format = "+s", .n_children = 2, .children = twice[i], .release = no_release};
    }
    levels[59] = (struct ArrowSchema){.format = "i", .release = no_release};
    fails(ARMI_LIMIT, armi_field_import(&levels[0], &field, &err));
}

static void malformed_metadata_is_refused(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field;
    static const int32_t negative_key[] = {1, -1};
    static const int32_t negative_value[] = {1, 0, -5};
    static const int32_t none[] = {0};
    struct ArrowSchema schema = {.format = "i", .release = no_release};
    schema.metadata = (const char *)negative_key;
    fails(ARMI_LIMIT, armi_field_import(&schema, &field, &err));
    schema.metadata = (const char *)negative_value;
    fails(ARMI_LIMIT, armi_field_import(&schema, &field, &err));
    schema.metadata = (const char *)none;
    ok(armi_field_import(&schema, &field, &err));
    assert_int_equal(field.metadata.count, 0);
    armi_field_release(&field);
}

static void unions_are_recognised_and_refused_by_name(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowSchema leaf = {.format = "+ud:0,1", .name = "u", .release = no_release};
    struct ArrowSchema *children[] = {&leaf};
    struct ArrowSchema schema = {
        .format = "+s", .n_children = 1, .children = children, .release = no_release};
    struct armi_field field;
    ok(armi_field_import_schema(&schema, &field, &err));
    assert_int_equal(field.children[0].type, ARMI_TYPE_DENSE_UNION);
    fails(ARMI_UNSUPPORTED, armi_field_check_carried(&field, &err));
    assert_string_equal(err.message, "column 'u': type dense_union is not supported");
    armi_field_release(&field);
}

/* ---- the rest ---- */

static struct armi_field two_columns(const char *a, const char *b)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema, column;
    ok(armi_field_init_schema(&schema, &err));
    ok(armi_field_init(&column, a, ARMI_TYPE_INT32, &err));
    ok(armi_field_add_child(&schema, &column, &err));
    ok(armi_field_init(&column, b, ARMI_TYPE_UTF8, &err));
    column.id = 7;
    ok(armi_field_add_child(&schema, &column, &err));
    return schema;
}

static void columns_are_found_projected_and_removed(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema = two_columns("a", "b"), projected;
    assert_int_equal(armi_field_find(&schema, "b"), 1);
    assert_int_equal(armi_field_find(&schema, "B"), -1);
    assert_int_equal(armi_field_find_id(&schema, 7), 1);
    assert_int_equal(armi_field_find_id(&schema, -1), -1);
    ok(armi_field_check_carried(&schema, &err));
    static const size_t order[] = {1, 0, 1};
    ok(armi_field_project(&schema, order, 3, &projected, &err));
    assert_string_equal(projected.children[2].name, "b");
    fails(ARMI_INVALID, armi_field_check_carried(&projected, &err));
    assert_string_equal(err.name, "b");
    armi_field_remove_child(&projected, 0);
    assert_int_equal(projected.child_count, 2);
    assert_string_equal(projected.children[0].name, "a");
    armi_field_release(&projected);
    armi_field_release(&schema);
}

static void equality_looks_at_what_it_is_told(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field a = arrow_gen_field("list<item: int64>");
    struct armi_field b = arrow_gen_field("list<element: int64>");
    assert_true(armi_field_equal(&a, &b, 0));
    assert_false(armi_field_equal(&a, &b, ARMI_EQUAL_NAMES));
    b.children[0].nullable = false;
    assert_true(armi_field_equal(&a, &b, 0));
    assert_false(armi_field_equal(&a, &b, ARMI_EQUAL_NULLABLE));
    b.children[0].id = 3;
    assert_false(armi_field_equal(&a, &b, ARMI_EQUAL_IDS));
    set_metadata(&a, "k", "v");
    assert_true(armi_field_equal(&a, &b, 0));
    assert_false(armi_field_equal(&a, &b, ARMI_EQUAL_METADATA));
    armi_field_release(&a);
    armi_field_release(&b);
    a = arrow_gen_field("struct<a: int64>");
    b = arrow_gen_field("struct<b: int64>");
    assert_false(armi_field_equal(&a, &b, 0));
    ok(armi_field_set_name(&b.children[0], "a", &err));
    assert_true(armi_field_equal(&a, &b, 0));
    armi_field_release(&a);
    armi_field_release(&b);
}

static void metadata_keeps_order_and_replaces_in_place(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field = arrow_gen_field("struct<a: int8>");
    char key[16];
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof key, i % 3 == 0 ? "armi.%d" : "key%d", i);
        set_metadata(&field, key, "v");
    }
    set_metadata(&field, "key1", "w");
    ok(armi_metadata_append(&field.metadata, slice("key1"), slice("x"), &err));
    set_metadata(&field.children[0], "armi.x", "y");
    assert_int_equal(field.metadata.count, 21);
    armi_field_strip_reserved(&field);
    assert_int_equal(field.metadata.count, 14);
    assert_int_equal(field.children[0].metadata.count, 0);
    assert_true(armi_slice_equal(field.metadata.pairs[0].key, slice("key1")));
    assert_true(armi_slice_equal(*armi_metadata_get(&field.metadata, "key1"), slice("w")));
    for (int i = 0; i < 20; i++)
        ok(armi_metadata_append(&field.metadata, slice("again"), slice(""), &err));
    assert_true(armi_metadata_remove(&field.metadata, "key1"));
    assert_false(armi_metadata_remove(&field.metadata, "key1"));
    assert_true(armi_metadata_remove(&field.metadata, "again"));
    assert_int_equal(field.metadata.count, 12);
    armi_field_release(&field);
}

static void ids_move_out_of_metadata(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t id;
    } cases[] = {
        {"0", 0},   {"2147483647", INT32_MAX}, {"2147483648", -1}, {"-1", -1}, {"", -1},
        {"1x", -1}, {"99999999999", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct armi_field field = arrow_gen_field("list<item: int8>");
        set_metadata(&field.children[0], "PARQUET:field_id", cases[i].text);
        armi_field_take_ids(&field);
        assert_int_equal(field.children[0].id, cases[i].id);
        assert_int_equal(field.children[0].metadata.count, 0);
        armi_field_release(&field);
    }
}

static void a_child_may_be_moved_out_of_an_exported_schema(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field = arrow_gen_field("struct<a: int64, b: string>"), back;
    struct ArrowSchema schema;
    ok(armi_field_export(&field, 0, &schema, &err));
    struct ArrowSchema child = *schema.children[1];
    schema.children[1]->release = NULL;
    schema.release(&schema);
    ok(armi_field_import(&child, &back, &err));
    assert_string_equal(back.name, "b");
    child.release(&child);
    armi_field_release(&back);
    armi_field_release(&field);
}

static void layouts_and_widths_agree_with_the_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < arrow_gen_type_count; i++) {
        struct armi_field field = arrow_gen_field(arrow_gen_types[i]);
        int32_t width = armi_field_byte_width(&field);
        enum armi_layout layout = armi_type_layout(field.type);
        bool wide = layout == ARMI_LAYOUT_FIXED || layout == ARMI_LAYOUT_DICTIONARY ||
                    layout == ARMI_LAYOUT_VIEW;
        assert_int_equal(width > 0, wide);
        assert_int_equal(armi_type_is_fixed_width(field.type), layout == ARMI_LAYOUT_FIXED);
        assert_false(armi_type_is_nested(armi_field_value(&field)->type) &&
                     armi_type_is_fixed_width(armi_field_value(&field)->type));
        assert_string_not_equal(armi_type_name(field.type), "unknown");
        armi_field_release(&field);
    }
    assert_string_equal(armi_type_name(ARMI_TYPE_COUNT), "unknown");
}

/* ---- memory ---- */

static enum armi_status everything(const char *type, struct armi_error *err)
{
    struct armi_field field = ARMI_FIELD_INIT, copy = ARMI_FIELD_INIT,
                      back = ARMI_FIELD_INIT;
    struct ArrowSchema schema = {0};
    char *text = NULL;
    enum armi_status status = armi_type_parse(type, &field, err);
    if (status == ARMI_OK)
        status = armi_metadata_set(&field.metadata, "k", slice("v"), err);
    if (status == ARMI_OK)
        status = armi_metadata_set(&field.metadata, "k", slice("w"), err);
    field.id = 4;
    if (status == ARMI_OK)
        status = armi_field_copy(&field, &copy, err);
    if (status == ARMI_OK)
        status = armi_field_export(&copy, ARMI_EXPORT_IDS, &schema, err);
    if (status == ARMI_OK)
        status = armi_field_import(&schema, &back, err);
    if (status == ARMI_OK)
        status = armi_type_text(&back, &text, err);
    armi_free(text);
    armi_arrow_schema_release(&schema);
    armi_field_release(&field);
    armi_field_release(&copy);
    armi_field_release(&back);
    return status;
}

static void no_failed_allocation_leaks(void **state)
{
    (void)state;
    static const char *const types[] = {
        "map<string, timestamp[us, tz=UTC]>",
        "struct<a: int64, b: dictionary<values=string, indices=int32, ordered=0>>",
        "run_end_encoded<run_ends: int32, values: list<item: decimal128(4, 2)>>",
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        for (size_t n = 1;; n++) {
            struct armi_error err = ARMI_ERROR_INIT;
            fault_alloc_begin(n, n % 2);
            enum armi_status status = everything(types[i], &err);
            if (!fault_alloc_end()) {
                assert_int_equal(status, ARMI_OK);
                break;
            }
            assert_int_equal(status, ARMI_NO_MEMORY);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_survives_export_and_import),
        cmocka_unit_test(every_type_survives_being_text),
        cmocka_unit_test(other_names_of_types_are_understood),
        cmocka_unit_test(what_is_no_type_is_refused),
        cmocka_unit_test(malformed_format_strings_are_refused),
        cmocka_unit_test(missing_and_superfluous_parts_are_refused),
        cmocka_unit_test(nesting_and_cycles_end),
        cmocka_unit_test(malformed_metadata_is_refused),
        cmocka_unit_test(unions_are_recognised_and_refused_by_name),
        cmocka_unit_test(columns_are_found_projected_and_removed),
        cmocka_unit_test(equality_looks_at_what_it_is_told),
        cmocka_unit_test(metadata_keeps_order_and_replaces_in_place),
        cmocka_unit_test(ids_move_out_of_metadata),
        cmocka_unit_test(a_child_may_be_moved_out_of_an_exported_schema),
        cmocka_unit_test(layouts_and_widths_agree_with_the_types),
        cmocka_unit_test(no_failed_allocation_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
