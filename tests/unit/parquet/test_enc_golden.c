#include "test.h"

#include <stdlib.h>

#include "../../golden/parquet/chunk_bytes.h"
#include "base/text.h"
#include "parquet/parquet_encode.h"
#include "parquet/parquet_meta.h"

/* The tables of docs/format/chunk.md. */

static void column_add(struct armi_field *schema, const char *name, enum armi_type type,
                       int32_t id, bool nullable)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field f = ARMI_FIELD_INIT;
    ok(armi_field_init(&f, name, type, &err));
    f.id = id;
    f.nullable = nullable;
    ok(armi_field_add_child(schema, &f, &err));
}

static void encode(const struct armi_field *schema, const struct armi_array *columns,
                   bool slim, struct armi_pq_output *out, uint8_t **bytes)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_pq_encode_settings settings;
    struct armi_pq_column_pieces pieces[2];
    armi_pq_encode_settings_init(&settings);
    settings.slim = slim;
    for (uint32_t i = 0; i < schema->child_count; i++)
        pieces[i] = (struct armi_pq_column_pieces){&columns[i], 1};
    *out = (struct armi_pq_output){0};
    ok(armi_pq_encode_chunk(&settings, schema, pieces, columns[0].length, out, &err));
    *bytes = malloc(out->size + 1);
    ok(armi_pq_output_copy(out, NULL, *bytes, &err));
}

/* The value of the file's last key, which is armi.blake3, against what it should be. */
static void key_check(const struct armi_pq_output *out, const uint8_t *bytes,
                      const char *golden)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_pq_arena arena = {0};
    struct armi_pq_file_meta meta;
    const uint8_t *footer = bytes + out->size - 8 - out->footer_size;
    ok(armi_pq_file_meta_read((struct armi_slice){footer, out->footer_size}, &arena, &meta,
                              &err));
    struct armi_slice key = meta.pairs.items[meta.pairs.count - 1].key;
    struct armi_slice value = meta.pairs.items[meta.pairs.count - 1].value;
    assert_int_equal(key.size, strlen("armi.blake3"));
    assert_memory_equal(key.data, "armi.blake3", key.size);
    assert_int_equal(value.size, strlen(golden));
    assert_memory_equal(value.data, golden, value.size);
    armi_pq_arena_release(&arena);
}

/* The first `size` bytes against their golden hexadecimal digits. */
static void bytes_check(const uint8_t *bytes, size_t size, const char *golden)
{
    assert_true(strlen(golden) >= 2 * size);
    for (size_t i = 0; i < size; i++) {
        char digits[3];
        snprintf(digits, sizeof digits, "%02x", bytes[i]);
        if (memcmp(digits, golden + 2 * i, 2) != 0)
            fail_msg("byte %zu is %s, and not %.2s", i, digits, golden + 2 * i);
    }
}

static void two_columns(bool slim, const char *golden)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema;
    ok(armi_field_init_schema(&schema, &err));
    column_add(&schema, "id", ARMI_TYPE_INT64, 1, false);
    column_add(&schema, "name", ARMI_TYPE_UTF8, 2, true);
    static const int64_t ids[] = {1, 2, 3};
    static const int32_t offsets[] = {0, 3, 3, 6};
    static const uint8_t valid[] = {5};
    const struct armi_array columns[2] = {
        {.field = &schema.children[0],
         .layout = ARMI_LAYOUT_FIXED,
         .width = 8,
         .length = 3,
         .values = (const uint8_t *)ids},
        {.field = &schema.children[1],
         .layout = ARMI_LAYOUT_BINARY32,
         .length = 3,
         .null_count = 1,
         .validity = valid,
         .values = (const uint8_t *)"onetwo",
         .offsets = (const uint8_t *)offsets},
    };
    struct armi_pq_output out;
    uint8_t *bytes;
    encode(&schema, columns, slim, &out, &bytes);
    bytes_check(bytes, out.size, golden);
    assert_int_equal(2 * out.size, strlen(golden));
    free(bytes);
    armi_pq_output_release(&out);
    armi_field_release(&schema);
}

static void a_tiny_chunk_is_written_in_the_slim_form(void **state)
{
    (void)state;
    two_columns(true, chunk_slim);
}

static void a_chunk_has_indexes_and_the_arrow_schema(void **state)
{
    (void)state;
    two_columns(false, chunk_standard);
}

static void plain_values_begin_at_byte_64_and_blocks_have_values(void **state)
{
    (void)state;
    enum { ROWS = 20000 };
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema;
    ok(armi_field_init_schema(&schema, &err));
    column_add(&schema, "x", ARMI_TYPE_FLOAT64, 1, false);
    static uint64_t values[ROWS];
    uint64_t v = 1;
    for (size_t i = 0; i < ROWS; i++) {
        v = v * UINT64_C(6364136223846793005) + 1442695040888963407;
        values[i] = v >> 12 | UINT64_C(0x3ff0000000000000);
    }
    const struct armi_array column = {.field = &schema.children[0],
                                      .layout = ARMI_LAYOUT_FIXED,
                                      .width = 8,
                                      .length = ROWS,
                                      .values = (const uint8_t *)values};
    struct armi_pq_output out;
    uint8_t *bytes;
    encode(&schema, &column, false, &out, &bytes);
    key_check(&out, bytes, chunk_aligned_key);
    bytes_check(bytes, 64, chunk_aligned_header);
    assert_memory_equal(bytes + 64, values, sizeof values);
    bytes_check(out.name.bytes, sizeof out.name.bytes, chunk_aligned_name);
    free(bytes);
    armi_pq_output_release(&out);
    armi_field_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tiny_chunk_is_written_in_the_slim_form),
        cmocka_unit_test(a_chunk_has_indexes_and_the_arrow_schema),
        cmocka_unit_test(plain_values_begin_at_byte_64_and_blocks_have_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
