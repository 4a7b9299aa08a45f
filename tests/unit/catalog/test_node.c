#include "test.h"

#include "base/text.h"
#include "catalog/node.h"
#include "fault_alloc.h"

static struct armi_slice text(const char *s)
{
    return (struct armi_slice){(const uint8_t *)s, strlen(s)};
}

static void the_worked_example_has_this_name(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_buf bytes = {0};
    struct armi_hash name;
    struct armi_slice payload;
    unsigned version;
    char hex[ARMI_HASH_HEX_SIZE];

    ok(armi_node_wrap(ARMI_NODE_SETTINGS, 1, text("hello"), &bytes, &err));
    assert_int_equal(bytes.size, 9);
    assert_memory_equal(bytes.data, "AN\x04\x01hello", 9);
    armi_node_name(ARMI_NODE_SETTINGS, armi_buf_slice(&bytes), &name);
    armi_hash_format(&name, hex);
    assert_string_equal(hex,
                        "e9cbcde9f3a74ec3ea18b06987ce5277bf2f9e5061fd7b83848d96448c3bfc00");
    ok(armi_node_unwrap(&name, ARMI_NODE_SETTINGS, 1, armi_buf_slice(&bytes), &payload,
                        &version, &err));
    assert_int_equal(version, 1);
    assert_true(armi_slice_equal(payload, text("hello")));
    armi_buf_release(&bytes);
}

static void the_same_bytes_have_another_name_as_another_type(void **state)
{
    (void)state;
    struct armi_hash names[ARMI_NODE_TYPE_MAX + 1];
    for (int i = 1; i <= ARMI_NODE_TYPE_MAX; i++) {
        assert_non_null(armi_node_type_name((enum armi_node_type)i));
        armi_node_name((enum armi_node_type)i, text("AN same"), &names[i]);
        for (int j = 1; j < i; j++)
            assert_memory_not_equal(&names[i], &names[j], sizeof names[i]);
    }
    assert_null(armi_node_type_name((enum armi_node_type)0));
    assert_null(armi_node_type_name((enum armi_node_type)(ARMI_NODE_TYPE_MAX + 1)));
}

static void a_node_is_proved_before_it_is_opened(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_buf bytes = {0};
    struct armi_hash name;
    struct armi_slice payload;
    enum armi_node_type type;

    ok(armi_node_wrap(ARMI_NODE_SCHEMA, 3, text("payload"), &bytes, &err));
    armi_node_name(ARMI_NODE_SCHEMA, armi_buf_slice(&bytes), &name);
    for (size_t i = 0; i < bytes.size; i++) {
        bytes.data[i] ^= 0x10;
        fails(ARMI_CORRUPTION,
              armi_node_unwrap(&name, ARMI_NODE_SCHEMA, 3, armi_buf_slice(&bytes), &payload,
                               NULL, &err));
        bytes.data[i] ^= 0x10;
    }
    assert_string_equal(err.kind, "node");
    assert_int_equal(strlen(err.name), 64);
    fails(ARMI_CORRUPTION, armi_node_unwrap(&name, ARMI_NODE_COMMIT, 3,
                                            armi_buf_slice(&bytes), &payload, NULL, &err));
    fails(ARMI_UNSUPPORTED, armi_node_unwrap(&name, ARMI_NODE_SCHEMA, 2,
                                             armi_buf_slice(&bytes), &payload, NULL, &err));
    assert_non_null(strstr(err.message, "newer version"));
    ok(armi_node_peek(armi_buf_slice(&bytes), &type, &err));
    assert_int_equal(type, ARMI_NODE_SCHEMA);
    fails(ARMI_CORRUPTION, armi_node_peek(text("AN"), &type, &err));
    fails(ARMI_UNSUPPORTED, armi_node_peek(text("ANz\x01"), &type, &err));
    armi_buf_release(&bytes);
}

/* A header that lies, under a name that is right for the bytes. */
static void a_header_of_another_type_is_refused(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash name;
    struct armi_slice payload, bytes = text("AN\x03\x01payload");

    armi_node_name(ARMI_NODE_COMMIT, bytes, &name);
    fails(ARMI_CORRUPTION,
          armi_node_unwrap(&name, ARMI_NODE_COMMIT, 9, bytes, &payload, NULL, &err));
    bytes.size = 3;
    armi_node_name(ARMI_NODE_SCHEMA, bytes, &name);
    fails(ARMI_CORRUPTION,
          armi_node_unwrap(&name, ARMI_NODE_SCHEMA, 9, bytes, &payload, NULL, &err));
}

static enum armi_status put_number(struct armi_node_set *set, uint32_t v,
                                   struct armi_hash *name, struct armi_error *err)
{
    struct armi_buf bytes = {0};
    struct armi_slice payload = {(const uint8_t *)&v, sizeof v};
    enum armi_status status = armi_node_wrap(ARMI_NODE_PENDING, 1, payload, &bytes, err);
    if (status == ARMI_OK)
        status =
            armi_node_set_put(set, ARMI_NODE_PENDING, armi_buf_slice(&bytes), name, err);
    armi_buf_release(&bytes);
    return status;
}

static void a_set_keeps_each_node_once_and_reads_through(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_node_set below, set;
    struct armi_hash names[100], again;
    struct armi_buf out = {0};

    armi_node_set_init(&below, NULL);
    struct armi_node_source under = armi_node_set_source(&below);
    armi_node_set_init(&set, &under);
    struct armi_node_source source = armi_node_set_source(&set);
    for (uint32_t i = 0; i < 100; i++)
        ok(put_number(i < 10 ? &below : &set, i, &names[i], &err));
    ok(put_number(&set, 50, &again, &err));
    assert_memory_equal(&again, &names[50], sizeof again);
    assert_int_equal(set.count, 90);
    for (uint32_t i = 0; i < 100; i++) {
        ok(armi_node_get(&source, ARMI_NODE_PENDING, &names[i], &out, &err));
        assert_int_equal(out.size, 8);
        assert_memory_equal(out.data + 4, &i, 4);
    }
    fails(ARMI_NOT_FOUND, armi_node_get(&source, ARMI_NODE_SCHEMA, &names[50], &out, &err));

    ok(armi_node_set_truncate(&set, 20, &err));
    ok(armi_node_get(&source, ARMI_NODE_PENDING, &names[29], &out, &err));
    fails(ARMI_NOT_FOUND,
          armi_node_get(&source, ARMI_NODE_PENDING, &names[30], &out, &err));
    ok(put_number(&set, 99, &again, &err));
    assert_int_equal(set.count, 21);
    ok(armi_node_get(&source, ARMI_NODE_PENDING, &names[99], &out, &err));
    armi_buf_release(&out);
    armi_node_set_release(&set);
    armi_node_set_release(&below);
}

static void a_set_survives_every_failing_allocation(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    for (size_t n = 1;; n++) {
        struct armi_node_set set;
        struct armi_hash name;
        struct armi_buf out = {0};
        enum armi_status status = ARMI_OK;

        fault_alloc_begin(n, false);
        armi_node_set_init(&set, NULL);
        for (uint32_t i = 0; i < 40 && status == ARMI_OK; i++)
            status = put_number(&set, i, &name, &err);
        if (status == ARMI_OK)
            status = armi_node_set_truncate(&set, 30, &err);
        struct armi_node_source source = armi_node_set_source(&set);
        for (size_t i = 0; i < set.count; i++)
            if (status == ARMI_OK)
                status = armi_node_get(&source, ARMI_NODE_PENDING, &set.entries[i].name,
                                       &out, &err);
        armi_buf_release(&out);
        armi_node_set_release(&set);
        bool fired = fault_alloc_end();
        assert_int_equal(status, fired ? ARMI_NO_MEMORY : ARMI_OK);
        if (!fired)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example_has_this_name),
        cmocka_unit_test(the_same_bytes_have_another_name_as_another_type),
        cmocka_unit_test(a_node_is_proved_before_it_is_opened),
        cmocka_unit_test(a_header_of_another_type_is_refused),
        cmocka_unit_test(a_set_keeps_each_node_once_and_reads_through),
        cmocka_unit_test(a_set_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
