#include "test.h"

#include "arrow/schema_codec.h"
#include "arrow_gen.h"
#include "base/limits.h"
#include "base/text.h"
#include "fault_alloc.h"

/*
 * The worked example of docs/format/schema.md: id int64 not null (id 1), tag dictionary of strings
 * (id 2, metadata k=v), at timestamp[us, tz=UTC] (id 3), price decimal128(10, 2) (id 4).
 */
static const uint8_t example[] = {
    0x01,                                          /* version */
    0x27, 0x00, 0x00, 0x04,                        /* struct, not null, "", 4 columns */
    0x05, 0x04, 0x02, 'i',  'd', 0x01,             /* int64, id */
    0x28, 0x0d, 0x03, 't',  'a', 'g',  0x02,       /* dictionary, nullable, id, metadata */
    0x01, 0x01, 'k',  0x01, 'v',                   /* one pair */
    0x04, 0x01, 0x00,                              /* int32 index */
    0x1e, 0x01, 0x00,                              /* utf8 values */
    0x15, 0x05, 0x02, 'a',  't', 0x03, 0x02, 0x03, /* timestamp, id 3, us */
    'U',  'T',  'C',                               /* */
    0x0f, 0x05, 0x05, 'p',  'r', 'i',  'c',  'e',  /* decimal128 */
    0x04, 0x0a, 0x04,                              /* id 4, precision 10, scale 2 */
};

static void add(struct armi_field *schema, const char *name, const char *type,
                bool nullable)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field column = arrow_gen_field(type);
    ok(armi_field_set_name(&column, name, &err));
    column.nullable = nullable;
    column.id = (int32_t)schema->child_count + 1;
    ok(armi_field_add_child(schema, &column, &err));
}

static struct armi_field example_schema(void)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema;
    ok(armi_field_init_schema(&schema, &err));
    add(&schema, "id", "int64", false);
    add(&schema, "tag", "dictionary<values=string, indices=int32, ordered=0>", true);
    ok(armi_metadata_set(&schema.children[1].metadata, "k",
                         (struct armi_slice){(const uint8_t *)"v", 1}, &err));
    add(&schema, "at", "timestamp[us, tz=UTC]", true);
    add(&schema, "price", "decimal128(10, 2)", true);
    return schema;
}

static void the_worked_example_is_what_the_specification_says(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema = example_schema(), back;
    struct armi_buf buf;
    armi_buf_init(&buf, 0);
    ok(armi_schema_encode(&schema, &buf, &err));
    assert_int_equal(buf.size, sizeof example);
    assert_memory_equal(buf.data, example, sizeof example);
    ok(armi_schema_decode((struct armi_slice){example, sizeof example}, &back, &err));
    assert_true(armi_field_equal(&schema, &back, ARMI_EQUAL_ALL));
    armi_buf_release(&buf);
    armi_field_release(&schema);
    armi_field_release(&back);
}

static void every_type_survives(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    for (size_t i = 0; i < arrow_gen_type_count; i++) {
        struct armi_field field = arrow_gen_field(arrow_gen_types[i]), back;
        struct armi_buf buf;
        armi_buf_init(&buf, 0);
        ok(armi_schema_encode(&field, &buf, &err));
        ok(armi_schema_decode(armi_buf_slice(&buf), &back, &err));
        if (!armi_field_equal(&field, &back, ARMI_EQUAL_ALL))
            fail_msg("%s", arrow_gen_types[i]);
        armi_buf_release(&buf);
        armi_field_release(&field);
        armi_field_release(&back);
    }
}

/* Whatever decodes encodes to the same bytes: one schema, one encoding. */
static void check_canonical(const uint8_t *bytes, size_t size)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field;
    struct armi_buf buf;
    enum armi_status status =
        armi_schema_decode((struct armi_slice){bytes, size}, &field, &err);
    if (status != ARMI_OK) {
        assert_true(status == ARMI_CORRUPTION || status == ARMI_UNSUPPORTED);
        return;
    }
    armi_buf_init(&buf, 0);
    ok(armi_schema_encode(&field, &buf, &err));
    assert_int_equal(buf.size, size);
    assert_memory_equal(buf.data, bytes, size);
    armi_buf_release(&buf);
    armi_field_release(&field);
}

static void damaged_bytes_are_refused_or_canonical(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field;
    uint8_t bytes[sizeof example + 1];
    memcpy(bytes, example, sizeof example);
    bytes[sizeof example] = 0;
    fails(ARMI_CORRUPTION,
          armi_schema_decode((struct armi_slice){bytes, sizeof bytes}, &field, &err));
    for (size_t size = 0; size < sizeof example; size++)
        fails(ARMI_CORRUPTION,
              armi_schema_decode((struct armi_slice){bytes, size}, &field, &err));
    for (size_t i = 0; i < sizeof example; i++) {
        for (unsigned v = 0; v < 256; v++) {
            bytes[i] = (uint8_t)v;
            check_canonical(bytes, sizeof example);
        }
        bytes[i] = example[i];
    }
}

static void impossible_parts_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum armi_status status;
    } cases[] = {
        {"0105010161", ARMI_OK},                 /* int64 "a" */
        {"0205010161", ARMI_UNSUPPORTED},        /* version */
        {"012c010161", ARMI_UNSUPPORTED},        /* type */
        {"012a010161", ARMI_UNSUPPORTED},        /* union */
        {"0105110161", ARMI_CORRUPTION},         /* unknown flag */
        {"0105030161", ARMI_CORRUPTION},         /* an ordered integer */
        {"01050102c328", ARMI_CORRUPTION},       /* UTF-8 */
        {"0105010100", ARMI_CORRUPTION},         /* a zero byte in a name */
        {"010501810061", ARMI_CORRUPTION},       /* a longer varint than needed */
        {"01050500ffffffff07", ARMI_OK},         /* id 2^31 - 1 */
        {"010505008080808008", ARMI_CORRUPTION}, /* id 2^31 */
        {"0105090000", ARMI_CORRUPTION},         /* metadata of no pairs */
        {"01050900ffffffff0f", ARMI_CORRUPTION}, /* metadata of too many pairs */
        {"0113010000", ARMI_OK},                 /* time32[s] */
        {"0113010002", ARMI_CORRUPTION},         /* time32[us] */
        {"0114010001", ARMI_CORRUPTION},         /* time64[ms] */
        {"0115010004", ARMI_CORRUPTION},         /* timestamp unit 4 */
        {"0115010002"
         "02c328",
         ARMI_CORRUPTION},                           /* a zone that is not UTF-8 */
        {"010d01000900", ARMI_OK},                   /* decimal32(9, 0) */
        {"010d01000a00", ARMI_CORRUPTION},           /* decimal32(10, 0) */
        {"010f01000000", ARMI_CORRUPTION},           /* decimal128(0, 0) */
        {"010f01000affffffff0f", ARMI_OK},           /* scale -2^31 */
        {"010f01000a8080808010", ARMI_CORRUPTION},   /* scale of 33 bits */
        {"011a01008080808008", ARMI_CORRUPTION},     /* width 2^31 */
        {"01270100ffff01", ARMI_CORRUPTION},         /* more columns than bytes */
        {"0128010004010004010004", ARMI_CORRUPTION}, /* something behind a dictionary */
        {"01280100040100040100", ARMI_OK},
        {"012801001e0100040100", ARMI_CORRUPTION}, /* an index of strings */
        {"01290100020100040100", ARMI_CORRUPTION}, /* run ends of int8 */
        {"01290100040100040100", ARMI_OK},
        {"01260100040100", ARMI_CORRUPTION},         /* a map of no struct */
        {"0126010027010001040100", ARMI_CORRUPTION}, /* a map of one member */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_field field;
        uint8_t bytes[64];
        size_t size = strlen(cases[i].hex) / 2;
        assert_true(armi_hex_decode(cases[i].hex, bytes, size));
        enum armi_status status =
            armi_schema_decode((struct armi_slice){bytes, size}, &field, &err);
        if (status != cases[i].status)
            fail_msg("%s: %s (%s)", cases[i].hex, armi_status_name(status), err.message);
        if (status == ARMI_OK)
            armi_field_release(&field);
        check_canonical(bytes, size);
    }
}

static void nesting_is_limited_both_ways(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_buf buf;
    armi_buf_init(&buf, 0);
    ok(armi_buf_append_u8(&buf, 1, &err));
    for (int i = 0; i < 100; i++)
        ok(armi_buf_append(&buf, "\x21\x01\x00", 3, &err));
    ok(armi_buf_append(&buf, "\x05\x01\x00", 3, &err));
    struct armi_field field;
    fails(ARMI_CORRUPTION, armi_schema_decode(armi_buf_slice(&buf), &field, &err));
    /* The deepest that is carried: the root and that many lists above the value. */
    size_t deep = 1 + 3 * (ARMI_NESTING_MAX + 1);
    memcpy(buf.data + deep, "\x05\x01\x00", 3);
    ok(armi_schema_decode((struct armi_slice){buf.data, deep + 3}, &field, &err));
    struct armi_field deeper;
    ok(armi_field_init_schema(&deeper, &err));
    ok(armi_field_add_child(&deeper, &field, &err));
    buf.size = 0;
    fails(ARMI_LIMIT, armi_schema_encode(&deeper, &buf, &err));
    assert_int_equal(buf.size, 0);
    armi_field_release(&deeper);
    armi_buf_release(&buf);
}

static enum armi_status there_and_back(const struct armi_field *schema,
                                       struct armi_error *err)
{
    struct armi_buf buf;
    armi_buf_init(&buf, 0);
    struct armi_field back = ARMI_FIELD_INIT;
    enum armi_status status = armi_schema_encode(schema, &buf, err);
    if (status == ARMI_OK)
        status = armi_schema_decode(armi_buf_slice(&buf), &back, err);
    armi_buf_release(&buf);
    armi_field_release(&back);
    return status;
}

static void no_failed_allocation_leaks(void **state)
{
    (void)state;
    struct armi_field schema = example_schema();
    for (size_t n = 1;; n++) {
        struct armi_error err = ARMI_ERROR_INIT;
        fault_alloc_begin(n, n % 2);
        enum armi_status status = there_and_back(&schema, &err);
        if (!fault_alloc_end()) {
            assert_int_equal(status, ARMI_OK);
            break;
        }
        assert_int_equal(status, ARMI_NO_MEMORY);
    }
    armi_field_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example_is_what_the_specification_says),
        cmocka_unit_test(every_type_survives),
        cmocka_unit_test(damaged_bytes_are_refused_or_canonical),
        cmocka_unit_test(impossible_parts_are_refused),
        cmocka_unit_test(nesting_is_limited_both_ways),
        cmocka_unit_test(no_failed_allocation_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
