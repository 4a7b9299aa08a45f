#include "test.h"

#include <stdlib.h>

#include <armillaria/parquet.h>

#include "arrow/array.h"
#include "arrow/builder.h"
#include "arrow/compare.h"
#include "arrow/stream.h"
#include "fault_alloc.h"
#include "parquet/parquet_decode.h"

#define ROWS 300

/* int64 and bool, some null; utf8 of few values; binary. Nested columns: tests/python. */
static void schema_make(struct armi_field *schema)
{
    struct armi_error err = ARMI_ERROR_INIT;
    static const struct {
        const char *name;
        enum armi_type type;
    } columns[] = {{"id", ARMI_TYPE_INT64},
                   {"word", ARMI_TYPE_UTF8},
                   {"flag", ARMI_TYPE_BOOL},
                   {"blob", ARMI_TYPE_BINARY}};
    ok(armi_field_init_schema(schema, &err));
    for (size_t i = 0; i < 4; i++) {
        struct armi_field column = ARMI_FIELD_INIT;
        ok(armi_field_init(&column, columns[i].name, columns[i].type, &err));
        ok(armi_field_add_child(schema, &column, &err));
    }
}

static void row_add(struct armi_builder *b, int64_t i)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_builder *id = armi_builder_child(b, 0), *word = armi_builder_child(b, 1);
    struct armi_builder *flag = armi_builder_child(b, 2), *blob = armi_builder_child(b, 3);
    if (i % 7 == 3)
        ok(armi_builder_append_null(id, &err));
    else
        ok(armi_builder_append_int(id, i * 1000003, &err));
    ok(armi_builder_append_text(word, i % 3 ? "mushroom" : "spore", &err));
    if (i % 11 == 5)
        ok(armi_builder_append_null(flag, &err));
    else
        ok(armi_builder_append_bool(flag, i % 2, &err));
    ok(armi_builder_append_bytes(blob, "0123456789", (size_t)(i % 10), &err));
    ok(armi_builder_close(b, &err));
}

struct fixture {
    struct armi_field schema;
    struct ArrowArray batch;
    struct armi_bytes file;
};

static void batch_make(const struct armi_field *schema, struct ArrowArray *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_builder *builder;
    ok(armi_builder_new(schema, &builder, &err));
    for (int64_t i = 0; i < ROWS; i++)
        row_add(builder, i);
    ok(armi_builder_finish(builder, out, &err));
    armi_builder_free(builder);
}

static void stream_make(const struct armi_field *schema, struct ArrowArrayStream *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArray moved;
    batch_make(schema, &moved);
    ok(armi_stream_from_arrays(schema, &moved, 1, out, &err));
}

static void fixture_make(struct fixture *f, const char *compression)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream stream;
    schema_make(&f->schema);
    batch_make(&f->schema, &f->batch);
    stream_make(&f->schema, &stream);
    struct armi_parquet_encode_options o = ARMI_PARQUET_ENCODE_OPTIONS_INIT;
    o.compression = compression;
    o.threads = 1;
    ok(armi_parquet_encode(&stream, &o, &f->file, &err));
}

struct place {
    uint8_t *data;
    size_t size;
    int calls;
    bool full;
};

static void *place_take(void *ctx, size_t size)
{
    struct place *place = ctx;
    place->calls++;
    place->size = size;
    place->data = place->full ? NULL : malloc(size);
    return place->data;
}

static void fixture_free(struct fixture *f)
{
    armi_field_release(&f->schema);
    armi_arrow_array_release(&f->batch);
    armi_bytes_release(&f->file);
}

/* Bytes that are freed with the file, in a block of their own size. */
static void copy_free(struct armi_bytes *bytes)
{
    free(bytes->private_data);
}

static struct armi_bytes bytes_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    memcpy(copy, data, size);
    return (struct armi_bytes){copy, size, copy_free, copy};
}

static enum armi_status read_all(struct armi_bytes *bytes,
                                 const struct armi_parquet_decode_options *options,
                                 struct armi_array_list *out, struct armi_error *err)
{
    struct armi_parquet_file *file = NULL;
    struct ArrowArrayStream stream = {0};
    enum armi_status status = armi_parquet_file_open(bytes, &file, err);
    if (status == ARMI_OK)
        status = armi_parquet_file_read(file, options, &stream, err);
    if (status == ARMI_OK)
        status = armi_stream_collect(&stream, out, err);
    armi_stream_release(&stream);
    armi_parquet_file_close(file);
    return status;
}

/* Rows [from, from + count) of the fixture are what the batches hold, and they are sound. */
static void assert_rows(const struct fixture *f, const struct armi_array_list *got,
                        int64_t from, int64_t count)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_array whole;
    ok(armi_array_init_batch(&f->schema, &f->batch, ARMI_VALIDATE_NONE, &whole, &err));
    int64_t row = from;
    for (size_t i = 0; i < got->count; i++) {
        struct armi_array batch;
        ok(armi_array_init_batch(&f->schema, &got->arrays[i], ARMI_VALIDATE_FULL, &batch,
                                 &err));
        for (int64_t k = 0; k < batch.length; k++, row++)
            assert_true(armi_compare_same(&whole, row, &batch, k));
        armi_array_release(&batch);
    }
    assert_int_equal(row, from + count);
    armi_array_release(&whole);
}

static void what_was_encoded_comes_back_whole_and_in_spans(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static const char *const codecs[] = {"auto", "none", "zstd", "snappy"};
    for (size_t c = 0; c < 4; c++) {
        struct fixture f = {0};
        fixture_make(&f, codecs[c]);
        for (int64_t from = 0; from < ROWS; from += 67) {
            for (int64_t batch_rows = 0; batch_rows < 200; batch_rows += 49) {
                struct armi_parquet_decode_options o = ARMI_PARQUET_DECODE_OPTIONS_INIT;
                struct armi_array_list got = ARMI_ARRAY_LIST_INIT;
                struct armi_bytes bytes = bytes_copy(f.file.data, f.file.size);
                o.first_row = from;
                o.row_count = ROWS - from > 150 ? 150 : 0;
                o.batch_rows = batch_rows;
                ok(read_all(&bytes, &o, &got, &err));
                assert_rows(&f, &got, from, o.row_count != 0 ? o.row_count : ROWS - from);
                armi_array_list_release(&got);
            }
        }
        fixture_free(&f);
    }
}

static void columns_come_in_the_order_asked_for(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct fixture f = {0};
    fixture_make(&f, "auto");
    struct armi_parquet_decode_options o = ARMI_PARQUET_DECODE_OPTIONS_INIT;
    struct armi_array_list got = ARMI_ARRAY_LIST_INIT;
    const char *names[] = {"blob", "id"}, *unknown[] = {"ID"};
    o.columns = names;
    o.column_count = 2;
    struct armi_bytes bytes = bytes_copy(f.file.data, f.file.size);
    ok(read_all(&bytes, &o, &got, &err));
    assert_int_equal(got.arrays[0].n_children, 2);
    assert_int_equal(got.arrays[0].children[0]->n_buffers, 3);
    assert_int_equal(got.arrays[0].children[1]->length, ROWS);
    armi_array_list_release(&got);
    o.columns = unknown;
    o.column_count = 1;
    bytes = bytes_copy(f.file.data, f.file.size);
    fails(ARMI_NOT_FOUND, read_all(&bytes, &o, &got, &err));
    assert_string_equal(err.name, "ID");
    assert_non_null(strstr(err.message, "id, word, flag, blob"));
    o.column_count = 0;
    bytes = bytes_copy(f.file.data, f.file.size);
    ok(read_all(&bytes, &o, &got, &err));
    assert_int_equal(got.arrays[0].length, ROWS);
    assert_int_equal(got.arrays[0].n_children, 0);
    armi_array_list_release(&got);
    fixture_free(&f);
}

static void a_predicate_keeps_its_rows_and_reads_no_others(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct fixture f = {0};
    fixture_make(&f, "auto");
    struct armi_parquet_decode_options o = ARMI_PARQUET_DECODE_OPTIONS_INIT;
    struct armi_array_list got = ARMI_ARRAY_LIST_INIT;
    const char *names[] = {"blob", "id", "blob"};
    o.columns = names;
    o.column_count = 3;
    o.batch_rows = 70;
    o.where = "id >= 100000300 and id < 200000600 and flag";
    struct armi_bytes bytes = bytes_copy(f.file.data, f.file.size);
    ok(read_all(&bytes, &o, &got, &err));
    int64_t rows = 0, want = 0;
    for (int64_t i = 100; i < 200; i++)
        want += i % 7 != 3 && i % 11 != 5 && i % 2;
    for (size_t i = 0; i < got.count; i++)
        rows += got.arrays[i].length;
    assert_int_equal(rows, want);
    armi_array_list_release(&got);
    for (int pass = 0; pass < 2; pass++) {
        o.where = pass == 0 ? "id > 400000000" : "colour = 1";
        bytes = bytes_copy(f.file.data, f.file.size);
        if (pass == 0)
            ok(read_all(&bytes, &o, &got, &err));
        else
            fails(ARMI_NOT_FOUND, read_all(&bytes, &o, &got, &err));
        assert_int_equal(got.count, 0);
    }
    armi_array_list_release(&got);
    fixture_free(&f);
}

static void a_result_beyond_max_bytes_is_refused(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct fixture f = {0};
    fixture_make(&f, "auto");
    struct armi_parquet_decode_options o = ARMI_PARQUET_DECODE_OPTIONS_INIT;
    struct armi_array_list got = ARMI_ARRAY_LIST_INIT;
    o.max_bytes = 1000;
    struct armi_bytes bytes = bytes_copy(f.file.data, f.file.size);
    fails(ARMI_LIMIT, read_all(&bytes, &o, &got, &err));
    armi_array_list_release(&got);
    fixture_free(&f);
}

#define LONG_ROWS 196608 /* three pages of 65,536 */

static int64_t long_value(int64_t row)
{
    uint64_t x = (uint64_t)row * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return (int64_t)(x ^ x >> 32); /* so random that it is stored plain */
}

static struct armi_bytes long_file(void)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema = ARMI_FIELD_INIT, column = ARMI_FIELD_INIT;
    struct armi_builder *builder;
    struct ArrowArray batch;
    struct ArrowArrayStream stream;
    struct armi_bytes file;
    ok(armi_field_init_schema(&schema, &err));
    ok(armi_field_init(&column, "n", ARMI_TYPE_INT64, &err));
    ok(armi_field_add_child(&schema, &column, &err));
    ok(armi_builder_new(&schema, &builder, &err));
    for (int64_t i = 0; i < LONG_ROWS; i++) {
        ok(armi_builder_append_int(armi_builder_child(builder, 0), long_value(i), &err));
        ok(armi_builder_close(builder, &err));
    }
    ok(armi_builder_finish(builder, &batch, &err));
    armi_builder_free(builder);
    ok(armi_stream_from_arrays(&schema, &batch, 1, &stream, &err));
    struct armi_parquet_encode_options o = ARMI_PARQUET_ENCODE_OPTIONS_INIT;
    o.compression = "none";
    ok(armi_parquet_encode(&stream, &o, &file, &err));
    armi_field_release(&schema);
    return file;
}

/* Rows of the second page only: what is wrong with the first and the third is not noticed. */
static void a_span_of_rows_reads_its_pages_and_no_others(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_bytes file = long_file();
    size_t sound = 0, refused = 0;
    assert_true(file.size > LONG_ROWS * sizeof(int64_t));
    for (size_t at = 4096; at < LONG_ROWS * sizeof(int64_t); at += 8191) {
        struct armi_parquet_decode_options o = ARMI_PARQUET_DECODE_OPTIONS_INIT;
        struct armi_array_list got = ARMI_ARRAY_LIST_INIT;
        struct armi_bytes bytes = bytes_copy(file.data, file.size);
        ((uint8_t *)bytes.private_data)[at] ^= 0x40;
        o.first_row = 130000;
        o.row_count = 1000;
        enum armi_status status = read_all(&bytes, &o, &got, &err);
        bool is_second = at > 65536 * 8 + 1000 && at < 131072 * 8;
        assert_int_equal(status, is_second ? ARMI_CORRUPTION : ARMI_OK);
        for (size_t i = 0, row = 130000; status == ARMI_OK && i < got.count; i++) {
            const int64_t *values = got.arrays[i].children[0]->buffers[1];
            for (int64_t k = 0; k < got.arrays[i].length; k++, row++)
                assert_int_equal(values[got.arrays[i].children[0]->offset + k],
                                 long_value((int64_t)row));
        }
        sound += status == ARMI_OK;
        refused += status != ARMI_OK;
        armi_array_list_release(&got);
    }
    assert_true(sound > 100);
    assert_true(refused > 50);
    armi_bytes_release(&file);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct fixture f = {0};
    fixture_make(&f, "none");
    for (size_t size = 0; size < f.file.size; size += size < 64 ? 1 : 13) {
        struct armi_array_list got = ARMI_ARRAY_LIST_INIT;
        struct armi_bytes bytes = bytes_copy(f.file.data, size);
        fails(ARMI_CORRUPTION, read_all(&bytes, NULL, &got, &err));
        armi_array_list_release(&got);
    }
    fixture_free(&f);
}

/* With checksums a flipped byte of a page is always seen; without, or in the footer, nothing worse
 * than an error or other sound values may come of it. */
static void a_flipped_byte_never_makes_an_unsound_array(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static const char *const codecs[] = {"none", "zstd"};
    for (size_t c = 0; c < 2; c++) {
        struct fixture f = {0};
        fixture_make(&f, codecs[c]);
        for (size_t at = 0; at < f.file.size; at++) {
            struct armi_parquet_decode_options o = ARMI_PARQUET_DECODE_OPTIONS_INIT;
            struct armi_array_list got = ARMI_ARRAY_LIST_INIT;
            struct armi_bytes bytes = bytes_copy(f.file.data, f.file.size);
            ((uint8_t *)bytes.private_data)[at] ^= (uint8_t)(1u << (at * 7 % 8));
            o.no_checksum = true;
            o.threads = 1;
            o.max_bytes = 64 << 20;
            struct armi_parquet_file *file = NULL;
            struct ArrowArrayStream stream = {0};
            enum armi_status status = armi_parquet_file_open(&bytes, &file, &err);
            struct armi_field schema = ARMI_FIELD_INIT;
            if (status == ARMI_OK)
                ok(armi_field_copy(armi_pq_file_root(file), &schema, &err));
            if (status == ARMI_OK)
                status = armi_parquet_file_read(file, &o, &stream, &err);
            if (status == ARMI_OK)
                status = armi_stream_collect(&stream, &got, &err);
            for (size_t i = 0; i < got.count; i++) {
                struct armi_array batch;
                ok(armi_array_init_batch(&schema, &got.arrays[i], ARMI_VALIDATE_FULL,
                                         &batch, &err));
                armi_array_release(&batch);
            }
            assert_true(status == ARMI_OK || err.message[0] != '\0');
            armi_field_release(&schema);
            armi_stream_release(&stream);
            armi_parquet_file_close(file);
            armi_array_list_release(&got);
        }
        fixture_free(&f);
    }
}

static void reading_survives_every_failing_allocation(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct fixture f = {0};
    fixture_make(&f, "zstd");
    struct armi_parquet_decode_options o = ARMI_PARQUET_DECODE_OPTIONS_INIT;
    o.threads = 1;
    for (size_t n = 1;; n++) {
        o.where = n % 2 ? NULL : "id > 5";
        struct armi_array_list got = ARMI_ARRAY_LIST_INIT;
        struct armi_bytes bytes = bytes_copy(f.file.data, f.file.size);
        fault_alloc_begin(n, false);
        enum armi_status status = read_all(&bytes, &o, &got, &err);
        armi_array_list_release(&got);
        bool fired = fault_alloc_end();
        if (!fired) {
            assert_int_equal(status, ARMI_OK);
            if (o.where != NULL) /* the longer of the two */
                break;
            continue;
        }
        /* Statistics that cannot be looked at rule nothing out; that is no failure. */
        assert_true(status == ARMI_NO_MEMORY || (status == ARMI_OK && o.where != NULL));
    }
    fixture_free(&f);
}

static void arrays_outlive_the_file_and_its_stream(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct fixture f = {0};
    fixture_make(&f, "none");
    struct armi_array_list got = ARMI_ARRAY_LIST_INIT;
    struct armi_bytes bytes = bytes_copy(f.file.data, f.file.size);
    ok(read_all(&bytes, NULL, &got,
                &err)); /* the file is closed, its bytes are freed if nobody holds them */
    assert_rows(&f, &got, 0, ROWS);
    armi_array_list_release(&got);
    fixture_free(&f);
}

static void a_file_goes_where_the_caller_says(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_parquet_encode_options o = ARMI_PARQUET_ENCODE_OPTIONS_INIT;
    struct place place = {0};
    struct armi_bytes bytes = ARMI_BYTES_INIT;
    struct ArrowArrayStream stream;
    struct fixture f;
    fixture_make(&f, "zstd");
    o.compression = "zstd";
    o.threads = 1;
    o.allocate = place_take;
    o.allocate_ctx = &place;
    for (int pass = 0; pass < 2; pass++) {
        place = (struct place){.full = pass == 0};
        stream_make(&f.schema, &stream);
        enum armi_status status = armi_parquet_encode(&stream, &o, &bytes, &err);
        assert_int_equal(status, pass == 0 ? ARMI_NO_MEMORY : ARMI_OK);
        assert_int_equal(place.calls, 1);
    }
    assert_ptr_equal(bytes.data, place.data);
    assert_null(bytes.release);
    assert_int_equal(bytes.size, place.size);
    assert_int_equal(bytes.size, f.file.size);
    assert_memory_equal(bytes.data, f.file.data, bytes.size);
    armi_bytes_release(&bytes);
    free(place.data);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_goes_where_the_caller_says),
        cmocka_unit_test(what_was_encoded_comes_back_whole_and_in_spans),
        cmocka_unit_test(columns_come_in_the_order_asked_for),
        cmocka_unit_test(a_predicate_keeps_its_rows_and_reads_no_others),
        cmocka_unit_test(a_result_beyond_max_bytes_is_refused),
        cmocka_unit_test(a_span_of_rows_reads_its_pages_and_no_others),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(a_flipped_byte_never_makes_an_unsound_array),
        cmocka_unit_test(reading_survives_every_failing_allocation),
        cmocka_unit_test(arrays_outlive_the_file_and_its_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
