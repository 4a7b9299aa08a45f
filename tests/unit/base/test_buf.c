#include "test.h"

#include <stdlib.h>

#include "base/bits.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/text.h"
#include "fault_alloc.h"

static void a_varint_survives_and_only_in_its_shortest_form(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct armi_buf buf = {0};
        ok(armi_buf_append_varint(&buf, values[i], &err));
        struct armi_reader r = armi_reader_init(armi_buf_slice(&buf));
        uint64_t v;
        assert_true(armi_read_varint(&r, &v));
        assert_true(v == values[i]);
        assert_int_equal(armi_reader_left(&r), 0);
        r = armi_reader_init((struct armi_slice){buf.data, buf.size - 1});
        assert_false(armi_read_varint(&r, &v));
        armi_buf_release(&buf);
    }
    static const uint8_t long_zero[] = {0x80, 0x00};
    static const uint8_t too_big[] = {0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0x02};
    struct armi_reader r = armi_reader_init((struct armi_slice){long_zero, 2});
    uint64_t v;
    assert_false(armi_read_varint(&r, &v));
    r = armi_reader_init((struct armi_slice){too_big, 10});
    assert_false(armi_read_varint(&r, &v));
}

static void a_buffer_refuses_to_grow_beyond_its_maximum(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_buf buf;
    armi_buf_init(&buf, 100);
    uint8_t bytes[101] = {0};
    ok(armi_buf_append(&buf, bytes, 100, &err));
    fails(ARMI_LIMIT, armi_buf_append(&buf, bytes, 1, &err));
    assert_int_equal(buf.size, 100);
    fails(ARMI_LIMIT, armi_buf_reserve(&buf, SIZE_MAX, &err));
    armi_buf_release(&buf);
}

static void bitmap_copy_and_count_equal_bit_by_bit(void **state)
{
    (void)state;
    uint8_t src[40], dst[40];
    srand(7);
    for (size_t i = 0; i < sizeof src; i++)
        src[i] = (uint8_t)rand();
    for (size_t from = 0; from < 70; from++) {
        for (size_t count = 0; from + count <= 8 * sizeof src; count += 13) {
            memset(dst, 0xaa, sizeof dst);
            armi_bitmap_copy(dst, src, from, count);
            size_t ones = 0;
            for (size_t i = 0; i < count; i++) {
                assert_int_equal(armi_bit_get(dst, i), armi_bit_get(src, from + i));
                ones += armi_bit_get(src, from + i);
            }
            for (size_t i = count; i < 8 * armi_bitmap_size(count); i++)
                assert_false(armi_bit_get(dst, i));
            assert_int_equal(armi_bitmap_count(src, from, count), ones);
        }
    }
}

static void a_map_finds_what_was_inserted(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_map map;
    armi_map_init(&map, 42);
    for (uint32_t i = 0; i < 5000; i++) {
        uint64_t *value;
        bool is_new;
        ok(armi_map_insert(&map, (struct armi_slice){(uint8_t *)&i, sizeof i}, &value,
                           &is_new, &err));
        assert_true(is_new);
        *value = i * 3;
    }
    for (uint32_t i = 0; i < 6000; i++) {
        uint64_t *value = armi_map_find(&map, (struct armi_slice){(uint8_t *)&i, sizeof i});
        assert_int_equal(value != NULL, i < 5000);
        assert_true(value == NULL || *value == i * 3);
    }
    armi_map_release(&map);
}

static void a_map_survives_every_failing_allocation(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    for (size_t n = 1;; n++) {
        fault_alloc_begin(n, false);
        struct armi_map map;
        armi_map_init(&map, 0);
        enum armi_status status = ARMI_OK;
        for (uint32_t i = 0; i < 100 && status == ARMI_OK; i++) {
            uint64_t *value;
            status = armi_map_insert(&map, (struct armi_slice){(uint8_t *)&i, sizeof i},
                                     &value, NULL, &err);
        }
        armi_map_release(&map);
        bool fired = fault_alloc_end();
        assert_int_equal(status, fired ? ARMI_NO_MEMORY : ARMI_OK);
        if (!fired)
            break;
    }
}

static void text_forms_are_strict(void **state)
{
    (void)state;
    char text[16];
    uint8_t bytes[8];
    armi_base64_encode((const uint8_t *)"foob", 4, text);
    assert_memory_equal(text, "Zm9vYg", 6);
    assert_true(armi_base64_decode("Zm9vYg", 6, bytes, 4));
    assert_memory_equal(bytes, "foob", 4);
    assert_false(armi_base64_decode("Zm9vYh", 6, bytes, 4)); /* unused bits set */
    assert_false(armi_base64_decode("Zm9v!g", 6, bytes, 4));
    assert_true(armi_hex_decode("00ff", bytes, 2));
    assert_false(armi_hex_decode("00FF", bytes, 2));
    assert_true(armi_utf8_valid(
        (const uint8_t *)"Namibia \xc3\xa9 \xe2\x82\xac \xf0\x9f\x8d\x84", 20));
    assert_false(
        armi_utf8_valid((const uint8_t *)"\xc0\x80", 2)); /* not the shortest form */
    assert_false(armi_utf8_valid((const uint8_t *)"\xed\xa0\x80", 3)); /* a surrogate */
    assert_false(
        armi_utf8_valid((const uint8_t *)"\xf4\x90\x80\x80", 4));     /* over U+10FFFF */
    assert_false(armi_utf8_valid((const uint8_t *)"abc\xe2\x82", 5)); /* cut off */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_varint_survives_and_only_in_its_shortest_form),
        cmocka_unit_test(a_buffer_refuses_to_grow_beyond_its_maximum),
        cmocka_unit_test(bitmap_copy_and_count_equal_bit_by_bit),
        cmocka_unit_test(a_map_finds_what_was_inserted),
        cmocka_unit_test(a_map_survives_every_failing_allocation),
        cmocka_unit_test(text_forms_are_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
