#include "test.h"

#include <stdlib.h>

#include "parquet/parquet_meta.h"
#include "parquet/thrift_compact.h"

static struct armi_thrift_reader reader(const void *bytes, size_t size)
{
    struct armi_thrift_reader r;
    armi_thrift_reader_init(&r, (struct armi_slice){bytes, size});
    return r;
}

static void numbers_survive_at_their_edges(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static const int64_t values[] = {0,   1,         -1,        63,        64,       -64,
                                     -65, INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct armi_buf buf = {0};
        struct armi_thrift_writer w;
        armi_thrift_writer_init(&w, &buf, &err);
        armi_thrift_write_int(&w, values[i]);
        struct armi_thrift_reader r = reader(buf.data, buf.size);
        assert_true(armi_thrift_read_i64(&r, ARMI_THRIFT_I64) == values[i]);
        assert_null(r.failure);
        assert_ptr_equal(r.pos, r.end);
        r = reader(buf.data, buf.size);
        int32_t small = armi_thrift_read_i32(&r, ARMI_THRIFT_I32);
        bool fits = values[i] >= INT32_MIN && values[i] <= INT32_MAX;
        assert_int_equal(r.failure == NULL, fits);
        assert_true(!fits || small == values[i]);
        armi_buf_release(&buf);
    }
}

static void lengths_beyond_the_end_are_refused(void **state)
{
    (void)state;
    struct armi_thrift_reader r = reader("\x05"
                                         "abcd",
                                         5);
    (void)armi_thrift_read_binary(&r, ARMI_THRIFT_BINARY);
    assert_non_null(r.failure);
    r = reader("\xf5\xff\xff\xff\xff\x0f", 6);
    assert_int_equal(armi_thrift_read_list(&r, ARMI_THRIFT_LIST, ARMI_THRIFT_I32, 1), 0);
    assert_non_null(r.failure);
    r = reader("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
    (void)armi_thrift_read_i64(&r, ARMI_THRIFT_I64);
    assert_non_null(r.failure);
    r = reader("", 0);
    (void)armi_thrift_read_i8(&r, ARMI_THRIFT_BYTE);
    assert_non_null(r.failure);
}

static void an_empty_list_may_have_no_item_type(void **state)
{
    (void)state;
    struct armi_thrift_reader r = reader("\x00", 1);
    assert_int_equal(armi_thrift_read_list(&r, ARMI_THRIFT_LIST, ARMI_THRIFT_STRUCT, 1), 0);
    assert_null(r.failure);
    r = reader("\x15\x02", 2);
    (void)armi_thrift_read_list(&r, ARMI_THRIFT_LIST, ARMI_THRIFT_STRUCT, 1);
    assert_non_null(r.failure);
}

static void unknown_fields_of_every_type_are_skipped(void **state)
{
    (void)state;
    /* A struct: bool true, byte, i16, double, string, list of bool, map string to i32,
     * struct, uuid. */
    static const uint8_t bytes[] = {
        0x11, 0x13, 7, 0x14, 2, 0x17, 1, 2,    3, 4,   5,  6,    7,    8,  0x18, 1,    'a',
        0x19, 0x31, 1, 2,    1, 0x1b, 1, 0x85, 1, 'k', 2,  0x1c, 0x15, 2,  0,    0x1d, 0,
        1,    2,    3, 4,    5, 6,    7, 8,    9, 10,  11, 12,   13,   14, 15,   0};
    struct armi_thrift_reader r = reader(bytes, sizeof bytes);
    armi_thrift_skip(&r, ARMI_THRIFT_STRUCT);
    assert_null(r.failure);
    assert_ptr_equal(r.pos, r.end);
    for (size_t cut = 0; cut < sizeof bytes; cut++) {
        r = reader(bytes, cut);
        armi_thrift_skip(&r, ARMI_THRIFT_STRUCT);
        assert_non_null(r.failure);
    }
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    uint8_t structs[1000], lists[1000];
    memset(structs, 0x1c, sizeof structs);
    memset(lists, 0x19, sizeof lists);
    struct armi_thrift_reader r = reader(structs, sizeof structs);
    armi_thrift_skip(&r, ARMI_THRIFT_STRUCT);
    assert_string_equal(r.failure, "nested too deep");
    r = reader(lists, sizeof lists);
    armi_thrift_skip(&r, ARMI_THRIFT_LIST);
    assert_string_equal(r.failure, "nested too deep");
}

static struct armi_pq_file_meta sample(struct armi_pq_arena *arena)
{
    struct armi_pq_file_meta meta = {.present = 0x5e, .version = 1, .row_count = 7};
    meta.created_by = (struct armi_slice){(const uint8_t *)"me", 2};
    meta.schema.items = armi_pq_arena_alloc(arena, 2, sizeof *meta.schema.items);
    meta.schema.count = 2;
    meta.schema.items[0] = (struct armi_pq_schema_element){
        .present = 0x30, .name = {(const uint8_t *)"schema", 6}, .child_count = 1};
    meta.schema.items[1] = (struct armi_pq_schema_element){
        .present = 0x41a, .type = 0, .repetition = 1, .name = {(const uint8_t *)"x", 1}};
    struct armi_pq_logical *logical = &meta.schema.items[1].logical;
    ARMI_PQ_MARK(logical, ARMI_PQ_LOGICAL_TIMESTAMP);
    logical->time.present = 6;
    logical->time.unit.present = 4;
    logical->time.is_utc = true;
    meta.row_groups.items = armi_pq_arena_alloc(arena, 1, sizeof *meta.row_groups.items);
    meta.row_groups.count = 1;
    meta.row_groups.items[0] =
        (struct armi_pq_row_group){.present = 0x8e, .row_count = 7, .ordinal = -3};
    return meta;
}

static void a_footer_comes_back_as_it_was(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_pq_arena arena = {0};
    struct armi_pq_file_meta meta = sample(&arena), back;
    struct armi_buf buf = {0}, again = {0};
    ok(armi_pq_file_meta_write(&meta, &buf, &err));
    ok(armi_pq_file_meta_read(armi_buf_slice(&buf), &arena, &back, &err));
    assert_int_equal(back.present, meta.present);
    assert_int_equal(back.schema.count, 2);
    assert_true(ARMI_PQ_HAS(&back.schema.items[1].logical, ARMI_PQ_LOGICAL_TIMESTAMP));
    assert_true(back.schema.items[1].logical.time.is_utc);
    assert_int_equal(back.row_groups.items[0].ordinal, -3);
    ok(armi_pq_file_meta_write(&back, &again, &err));
    assert_true(armi_slice_equal(armi_buf_slice(&buf), armi_buf_slice(&again)));
    for (size_t cut = 0; cut < buf.size; cut++)
        fails(ARMI_CORRUPTION, armi_pq_file_meta_read((struct armi_slice){buf.data, cut},
                                                      &arena, &back, &err));
    armi_buf_release(&buf);
    armi_buf_release(&again);
    armi_pq_arena_release(&arena);
}

static void a_footer_with_any_byte_changed_never_breaks_the_reader(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_pq_arena arena = {0};
    struct armi_pq_file_meta meta = sample(&arena), back;
    struct armi_buf buf = {0};
    ok(armi_pq_file_meta_write(&meta, &buf, &err));
    for (size_t i = 0; i < buf.size; i++) {
        uint8_t was = buf.data[i];
        for (unsigned v = 0; v < 256; v++) {
            buf.data[i] = (uint8_t)v;
            enum armi_status status =
                armi_pq_file_meta_read(armi_buf_slice(&buf), &arena, &back, &err);
            assert_true(status == ARMI_OK || status == ARMI_CORRUPTION);
        }
        buf.data[i] = was;
    }
    armi_buf_release(&buf);
    armi_pq_arena_release(&arena);
}

static void twice_the_same_field_and_missing_fields_are_refused(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_pq_page_header header;
    ok(armi_pq_page_header_read(
        (struct armi_slice){(const uint8_t *)"\x15\x00\x15\x02\x15\x02\x00", 7}, &header,
        NULL, &err));
    fails(ARMI_CORRUPTION,
          armi_pq_page_header_read(
              (struct armi_slice){(const uint8_t *)"\x15\x00\x15\x02\x00", 5}, &header,
              NULL, &err));
    static const uint8_t twice[] = {0x15, 0, 0x15, 2, 0x15, 2, 0x05, 2, 2, 0};
    fails(ARMI_CORRUPTION,
          armi_pq_page_header_read((struct armi_slice){twice, sizeof twice}, &header, NULL,
                                   &err));
}

static void padding_of_a_page_header_has_the_size_asked_for(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_pq_page_header header = {
        .present = 0xe, .type = 0, .uncompressed_size = 1000, .compressed_size = 1000};
    struct armi_buf plain = {0};
    ok(armi_pq_page_header_write(&header, 0, &plain, &err));
    for (size_t padding = 4; padding < 70; padding++) {
        struct armi_buf padded = {0};
        struct armi_pq_page_header back;
        size_t size;
        ok(armi_pq_page_header_write(&header, padding, &padded, &err));
        assert_int_equal(padded.size, plain.size + padding);
        ok(armi_pq_page_header_read(armi_buf_slice(&padded), &back, &size, &err));
        assert_int_equal(size, padded.size);
        assert_int_equal(back.compressed_size, 1000);
        armi_buf_release(&padded);
    }
    armi_buf_release(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_survive_at_their_edges),
        cmocka_unit_test(lengths_beyond_the_end_are_refused),
        cmocka_unit_test(an_empty_list_may_have_no_item_type),
        cmocka_unit_test(unknown_fields_of_every_type_are_skipped),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(a_footer_comes_back_as_it_was),
        cmocka_unit_test(a_footer_with_any_byte_changed_never_breaks_the_reader),
        cmocka_unit_test(twice_the_same_field_and_missing_fields_are_refused),
        cmocka_unit_test(padding_of_a_page_header_has_the_size_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
