/*
 * The n-th allocation fails, for every n: what is encoded and decoded through the public functions,
 * of every kind of column, gives an error, leaks nothing and leaves nothing half done.
 */
#include "test.h"

#include <stdlib.h>

#include <armillaria/parquet.h>

#include "arrow/schema_text.h"
#include "arrow/stream.h"
#include "arrow_model.h"
#include "fault_alloc.h"

#define ROWS 90

static struct armi_error err = ARMI_ERROR_INIT;

static const char *const types[] = {
    "int64",
    "string_view",
    "fixed_size_binary[40]",
    "decimal256(50, 10)",
    "timestamp[ns, tz=Europe/Berlin]",
    "list<item: struct<x: bool, y: string>>",
    "large_list_view<item: int8>",
    "fixed_size_list<item: string>[2]",
    "map<string, list<item: int32>>",
    "struct<a: list<item: double>, b: dictionary<values=string, indices=int8, ordered=0>>",
    "dictionary<values=large_string, indices=int16, ordered=0>",
    "run_end_encoded<run_ends: int32, values: string>",
};

#define TYPES (sizeof types / sizeof types[0])

static void stream_make(const char *type, struct ArrowArrayStream *out)
{
    struct armi_field schema, column;
    struct ArrowArray array = {0}, batches[2];
    struct model model = {0};
    struct model_random random = {5};
    ok(armi_field_init_schema(&schema, &err));
    ok(armi_type_parse(type, &column, &err));
    ok(armi_field_set_name(&column, "c", &err));
    ok(armi_field_add_child(&schema, &column, &err));
    for (size_t i = 0; i < 2; i++) {
        struct model_value *rows =
            model_random_rows(&model, &schema.children[0], &random, ROWS, 3);
        model_build(&model, &schema.children[0], rows, ROWS, MODEL_NOISE, &random, &array);
        ok(armi_arrow_array_batch(&schema, ROWS, &array, &batches[i], &err));
    }
    ok(armi_stream_from_arrays(&schema, batches, 2, out, &err));
    model_release(&model);
    armi_field_release(&schema);
}

static enum armi_status encode(struct ArrowArrayStream *stream, struct armi_bytes *out)
{
    static const char *const bloom[] = {"c"};
    struct armi_parquet_encode_options o = ARMI_PARQUET_ENCODE_OPTIONS_INIT;
    o.threads = 1;
    o.row_group_rows = 100;
    o.compression = "snappy"; /* zstd's and others' memory is not the library's */
    o.bloom_columns = bloom;
    o.bloom_column_count = 1;
    return armi_parquet_encode(stream, &o, out, &err);
}

static void encoding_survives_every_failing_allocation(void **state)
{
    (void)state;
    for (size_t t = 0; t < TYPES; t++) {
        for (size_t n = 1, fired = 1; fired; n++) {
            struct ArrowArrayStream stream;
            struct armi_bytes bytes = ARMI_BYTES_INIT;
            fault_alloc_begin(0, false);
            stream_make(types[t], &stream);
            fault_alloc_arm(n);
            enum armi_status status = encode(&stream, &bytes);
            fault_alloc_arm(0);
            armi_bytes_release(&bytes);
            fired = fault_alloc_end();
            if (status != (fired ? ARMI_NO_MEMORY : ARMI_OK))
                fail_msg("%s, allocation %zu: %s", types[t], n, armi_status_name(status));
        }
    }
}

static void nothing_to_free(struct armi_bytes *bytes)
{
    (void)bytes;
}

static enum armi_status decode(const struct armi_bytes *data, const char *where,
                               int64_t *out_rows)
{
    struct armi_parquet_decode_options o = ARMI_PARQUET_DECODE_OPTIONS_INIT;
    struct armi_bytes bytes = {data->data, data->size, nothing_to_free, NULL};
    struct armi_parquet_file *file = NULL;
    struct ArrowArrayStream stream = {0};
    struct armi_array_list got = ARMI_ARRAY_LIST_INIT;
    o.threads = 1;
    o.where = where;
    o.first_row = 7;
    o.batch_rows = 50;
    enum armi_status status = armi_parquet_file_open(&bytes, &file, &err);
    if (status == ARMI_OK)
        status = armi_parquet_file_read(file, &o, &stream, &err);
    if (status == ARMI_OK)
        status = armi_stream_collect(&stream, &got, &err);
    *out_rows = 0;
    for (size_t i = 0; i < got.count; i++)
        *out_rows += got.arrays[i].length;
    armi_array_list_release(&got);
    armi_stream_release(&stream);
    armi_parquet_file_close(file);
    return status;
}

/* What cannot be looked at to rule rows out rules none out: that is no failure, and no other rows. */
static void decoding_survives_every_failing_allocation(void **state)
{
    (void)state;
    static const char *const wheres[] = {NULL, "c is not null"};
    for (size_t t = 0; t < TYPES; t++) {
        struct ArrowArrayStream stream;
        struct armi_bytes bytes = ARMI_BYTES_INIT;
        stream_make(types[t], &stream);
        ok(encode(&stream, &bytes));
        for (size_t w = 0; w < 2; w++) {
            int64_t all, rows;
            ok(decode(&bytes, wheres[w], &all));
            for (size_t n = 1, fired = 1; fired; n++) {
                fault_alloc_begin(n, false);
                enum armi_status status = decode(&bytes, wheres[w], &rows);
                fired = fault_alloc_end();
                if (status != ARMI_NO_MEMORY && status != ARMI_OK)
                    fail_msg("%s, allocation %zu: %s: %s", types[t], n,
                             armi_status_name(status), err.message);
                assert_true(status == ARMI_OK || fired);
                if (status == ARMI_OK)
                    assert_int_equal(rows, all);
            }
        }
        armi_bytes_release(&bytes);
    }
}

/* A dictionary and a Bloom filter that are asked before rows are read. */
static void pruning_survives_every_failing_allocation(void **state)
{
    (void)state;
    struct ArrowArrayStream stream;
    struct armi_bytes bytes = ARMI_BYTES_INIT;
    stream_make("string", &stream);
    ok(encode(&stream, &bytes));
    int64_t rows, all;
    ok(decode(&bytes, "c = 'abc' or c = 'nowhere'", &all));
    for (size_t n = 1, fired = 1; fired; n++) {
        fault_alloc_begin(n, false);
        enum armi_status status = decode(&bytes, "c = 'abc' or c = 'nowhere'", &rows);
        fired = fault_alloc_end();
        assert_true(status == ARMI_OK || (status == ARMI_NO_MEMORY && fired));
        if (status == ARMI_OK)
            assert_int_equal(rows, all);
    }
    armi_bytes_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoding_survives_every_failing_allocation),
        cmocka_unit_test(decoding_survives_every_failing_allocation),
        cmocka_unit_test(pruning_survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
