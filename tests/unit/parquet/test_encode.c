#include "test.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "fault_alloc.h"
#include "parquet/arrow_ipc_schema.h"
#include "parquet/bloom.h"
#include "parquet/dec_rle.h"
#include "parquet/enc_internal.h"
#include "parquet/parquet_encode.h"

/* One column of int64 and one of strings, `rows` each, every fifth null. */
struct table {
    struct armi_field schema;
    int64_t *numbers;
    int32_t *offsets;
    char *text;
    uint8_t *valid;
    int64_t rows;
    struct armi_array columns[2];
};

static void table_make(struct table *t, int64_t rows, bool nullable)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field f = ARMI_FIELD_INIT;
    *t = (struct table){.rows = rows};
    ok(armi_field_init_schema(&t->schema, &err));
    ok(armi_field_init(&f, "n", ARMI_TYPE_INT64, &err));
    f.nullable = nullable;
    f.id = 1;
    ok(armi_field_add_child(&t->schema, &f, &err));
    ok(armi_field_init(&f, "s", ARMI_TYPE_UTF8, &err));
    f.nullable = nullable;
    f.id = 2;
    ok(armi_field_add_child(&t->schema, &f, &err));
    t->numbers = calloc((size_t)rows + 1, sizeof *t->numbers);
    t->offsets = calloc((size_t)rows + 1, sizeof *t->offsets);
    t->text = calloc((size_t)rows + 1, 8);
    t->valid = calloc((size_t)rows / 8 + 9, 1);
    for (int64_t i = 0; i < rows; i++) {
        t->numbers[i] = i * i % 1000003;
        t->offsets[i + 1] =
            t->offsets[i] + snprintf(t->text + t->offsets[i], 8, "k%d", (int)(i % 9973));
        armi_bit_put(t->valid, (size_t)i, i % 5 != 4);
    }
    for (size_t c = 0; c < 2; c++)
        t->columns[c] = (struct armi_array){
            .field = &t->schema.children[c],
            .layout = c == 0 ? ARMI_LAYOUT_FIXED : ARMI_LAYOUT_BINARY32,
            .width = c == 0 ? 8 : 0,
            .length = rows,
            .null_count = -1,
            .validity = nullable ? t->valid : NULL,
            .values = c == 0 ? (const uint8_t *)t->numbers : (const uint8_t *)t->text,
            .offsets = c == 0 ? NULL : (const uint8_t *)t->offsets,
        };
}

static void table_release(struct table *t)
{
    free(t->numbers);
    free(t->offsets);
    free(t->text);
    free(t->valid);
    armi_field_release(&t->schema);
}

/* The file of the whole table, its columns cut into pieces at `cut` (0: not cut). */
static enum armi_status encode(const struct table *t,
                               const struct armi_pq_encode_settings *s, int64_t cut,
                               struct armi_pq_output *out, struct armi_error *err)
{
    struct armi_array parts[2][2];
    struct armi_pq_column_pieces columns[2];
    for (size_t c = 0; c < 2; c++) {
        parts[c][0] = armi_array_slice(&t->columns[c], 0, cut);
        parts[c][1] = armi_array_slice(&t->columns[c], cut, t->rows - cut);
        columns[c] =
            (struct armi_pq_column_pieces){parts[c] + (cut == 0), cut == 0 ? 1 : 2};
    }
    return armi_pq_encode_chunk(s, &t->schema, columns, t->rows, out, err);
}

static uint8_t *bytes_of(const struct armi_pq_output *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t *bytes = malloc(out->size + 1);
    ok(armi_pq_output_copy(out, NULL, bytes, &err));
    return bytes;
}

static struct armi_pq_encode_settings settings(const char *codec)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_pq_encode_settings s;
    struct armi_parquet_encode_options options = ARMI_PARQUET_ENCODE_OPTIONS_INIT;
    options.compression = codec;
    ok(armi_pq_encode_settings_from(&options, &s, &err));
    return s;
}

static void the_name_is_the_hash_and_the_footer_is_where_it_is_said(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct table t;
    table_make(&t, 200000, true);
    struct armi_pq_encode_settings s = settings("none");
    struct armi_pq_output out = {0};
    ok(encode(&t, &s, 0, &out, &err));
    uint8_t *bytes = bytes_of(&out);
    struct armi_hash name;
    armi_blake3_hash(bytes, out.size, &name);
    assert_memory_equal(&name, &out.name, sizeof name);
    assert_memory_equal(bytes, "PAR1", 4);
    assert_memory_equal(bytes + out.size - 4, "PAR1", 4);
    assert_int_equal(armi_load32(bytes + out.size - 8), out.footer_size);
    struct armi_pq_arena arena = {0};
    struct armi_pq_file_meta meta;
    ok(armi_pq_file_meta_read(
        (struct armi_slice){bytes + out.size - 8 - out.footer_size, out.footer_size},
        &arena, &meta, &err));
    assert_int_equal(meta.row_count, 200000);
    struct armi_slice last = meta.pairs.items[meta.pairs.count - 1].key;
    assert_int_equal(last.size, 11);
    assert_memory_equal(last.data, "armi.blake3", 11);
    assert_int_equal(meta.schema.items[1].field_id, 1);
    armi_pq_arena_release(&arena);
    free(bytes);
    armi_pq_output_release(&out);
    table_release(&t);
}

static void
equal_data_gives_equal_bytes_however_it_is_cut_and_on_any_number_of_threads(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct table t;
    table_make(&t, 150000, true);
    struct armi_pq_encode_settings s = settings("auto");
    s.parallel.threads = 1;
    struct armi_pq_output first = {0};
    ok(encode(&t, &s, 0, &first, &err));
    static const int64_t cuts[] = {1, 7, 64, 65536, 99999};
    for (size_t i = 0; i < 5; i++) {
        struct armi_pq_output out = {0};
        s.parallel.threads = 1 + (unsigned)i % 3;
        ok(encode(&t, &s, cuts[i], &out, &err));
        assert_int_equal(out.size, first.size);
        assert_memory_equal(&out.name, &first.name, sizeof out.name);
        armi_pq_output_release(&out);
    }
    armi_pq_output_release(&first);
    table_release(&t);
}

static void pages_are_cut_at_range_ends(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct table t;
    table_make(&t, 100000, false);
    static const int64_t ends[] = {10, 1000, 70000, 100000};
    struct armi_pq_encode_settings s = settings("none");
    s.range_ends = ends;
    s.range_count = 4;
    struct armi_pq_output out = {0};
    ok(encode(&t, &s, 333, &out, &err));
    uint8_t *bytes = bytes_of(&out);
    struct armi_pq_arena arena = {0};
    struct armi_pq_file_meta meta;
    ok(armi_pq_file_meta_read(
        (struct armi_slice){bytes + out.size - 8 - out.footer_size, out.footer_size},
        &arena, &meta, &err));
    static const int64_t firsts[] = {0, 10, 1000, 1000 + 65536, 70000};
    for (size_t c = 0; c < 2; c++) {
        const struct armi_pq_column_chunk *chunk =
            &meta.row_groups.items[0].columns.items[c];
        struct armi_pq_offset_index index;
        ok(armi_pq_offset_index_read(
            (struct armi_slice){bytes + chunk->offset_index_offset,
                                (size_t)chunk->offset_index_length},
            &arena, &index, &err));
        assert_int_equal(index.pages.count, 5);
        for (size_t i = 0; i < 5; i++)
            assert_int_equal(index.pages.items[i].first_row, firsts[i]);
    }
    armi_pq_arena_release(&arena);
    free(bytes);
    armi_pq_output_release(&out);
    table_release(&t);
}

static void plain_values_begin_at_multiples_of_64(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema = ARMI_FIELD_INIT, f = ARMI_FIELD_INIT;
    ok(armi_field_init_schema(&schema, &err));
    ok(armi_field_init(&f, "x", ARMI_TYPE_FLOAT64, &err));
    ok(armi_field_add_child(&schema, &f, &err));
    size_t rows = 200000;
    double *values = malloc(rows * sizeof *values);
    srand(9);
    for (size_t i = 0; i < rows; i++)
        values[i] = (double)rand() * 1.7e-3 + (double)rand();
    struct armi_array a = {.field = &schema.children[0],
                           .layout = ARMI_LAYOUT_FIXED,
                           .width = 8,
                           .length = (int64_t)rows,
                           .values = (const uint8_t *)values};
    struct armi_pq_column_pieces column = {&a, 1};
    struct armi_pq_encode_settings s = settings("none");
    struct armi_pq_output out = {0};
    ok(armi_pq_encode_chunk(&s, &schema, &column, (int64_t)rows, &out, &err));
    uint64_t at = 0;
    size_t mapped = 0;
    for (size_t i = 0; i < out.count; i++) {
        const uint8_t *p = out.slices[i].data;
        if (p >= (const uint8_t *)values && p < (const uint8_t *)(values + rows)) {
            assert_int_equal(at % 64, 0);
            mapped += out.slices[i].size; /* handed out without a copy */
        }
        at += out.slices[i].size;
    }
    assert_int_equal(mapped, rows * sizeof *values);
    armi_pq_output_release(&out);
    free(values);
    armi_field_release(&schema);
}

static void a_null_in_a_column_without_nulls_is_refused_with_its_row(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct table t;
    table_make(&t, 5000, true);
    t.schema.children[0].nullable = false;
    t.columns[0].validity = NULL;
    t.schema.children[1].nullable = false;
    memset(t.valid, 0xff, 5000 / 8 + 1);
    armi_bit_clear(t.valid, 4321);
    struct armi_pq_encode_settings s = settings("auto");
    struct armi_pq_output out = {0};
    fails(ARMI_INVALID, encode(&t, &s, 100, &out, &err));
    assert_non_null(strstr(err.message, "\"s\", row 4322:"));
    table_release(&t);
}

static void types_that_parquet_lacks_are_refused_by_name(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static const enum armi_type types[] = {
        ARMI_TYPE_INTERVAL_MONTHS, ARMI_TYPE_INTERVAL_DAY_TIME,
        ARMI_TYPE_INTERVAL_MONTH_DAY_NANO, ARMI_TYPE_STRUCT};
    for (size_t i = 0; i < 4; i++) {
        struct armi_field schema = ARMI_FIELD_INIT, f = ARMI_FIELD_INIT;
        struct armi_pq_schema out;
        ok(armi_field_init_schema(&schema, &err));
        ok(armi_field_init(&f, "odd one", types[i], &err));
        ok(armi_field_add_child(&schema, &f, &err));
        fails(ARMI_UNSUPPORTED, armi_pq_schema_from_arrow(&schema, &out, &err));
        assert_non_null(strstr(err.message, "odd one"));
        armi_field_release(&schema);
    }
}

static void every_failing_allocation_leaves_nothing_behind(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct table t;
    table_make(&t, 3000, true);
    static const char *const codecs[] = {"none", "snappy"};
    for (size_t k = 0; k < 2; k++) {
        struct armi_pq_encode_settings s = settings(codecs[k]);
        s.parallel.threads = 1;
        for (size_t n = 1;; n++) {
            struct armi_pq_output out = {0};
            fault_alloc_begin(n, false);
            enum armi_status status = encode(&t, &s, 1000, &out, &err);
            armi_pq_output_release(&out);
            bool fired = fault_alloc_end();
            assert_int_equal(status, fired ? ARMI_NO_MEMORY : ARMI_OK);
            if (!fired)
                break;
        }
    }
    table_release(&t);
}

/* ---- parts ---- */

static void packed_numbers_are_what_shifting_gives(void **state)
{
    (void)state;
    srand(4);
    for (unsigned width = 0; width <= 64; width++) {
        uint64_t values[100];
        uint32_t small[100];
        uint8_t out[800], again[800];
        for (size_t i = 0; i < 100; i++) {
            values[i] =
                ((uint64_t)rand() << 33 ^ (uint64_t)rand() << 11 ^ (uint64_t)rand());
            values[i] = width == 0    ? 0
                        : width == 64 ? values[i]
                                      : values[i] & ((UINT64_C(1) << width) - 1);
            small[i] = (uint32_t)values[i];
        }
        for (size_t count = 0; count <= 100; count += 9) {
            memset(out, 0xee, sizeof out);
            enc_pack64(values, count, width, out);
            for (size_t bit = 0; bit < count * width; bit++)
                assert_int_equal(armi_bit_get(out, bit),
                                 (values[bit / width] >> bit % width) & 1);
            assert_int_equal(out[enc_pack_size(count, width)], 0xee);
            if (width <= 32) {
                memset(again, 0xee, sizeof again);
                enc_pack32(small, count, width, again);
                assert_memory_equal(out, again, sizeof out);
            }
        }
    }
}

/* Of every width that levels have, in runs and without, and of every length of the last group. */
static void levels_come_back_as_they_were(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    srand(5);
    for (unsigned width = 1; width <= 7; width++) {
        for (size_t count = 1; count <= 150; count++) {
            uint8_t levels[150], back[150], out[1024];
            unsigned most = (1u << width) - 1;
            for (size_t i = 0; i < count; i++)
                levels[i] = count % 3 == 0 && i > 0 && i % 40 != 0
                                ? levels[i - 1]
                                : (uint8_t)((unsigned)rand() & most);
            uint8_t *end = enc_rle_bytes(levels, count, width, out);
            struct armi_slice runs = {out, (size_t)(end - out)};
            struct armi_pq_rle rle;
            ok(armi_pq_rle_init(&rle, runs, width, &err));
            ok(armi_pq_rle_read_levels(&rle, back, count, most, &err));
            assert_memory_equal(levels, back, count);
        }
    }
}

static void a_run_takes_from_the_packed_stretch_before_it(void **state)
{
    (void)state;
    uint32_t values[103];
    uint8_t out[512];
    for (size_t i = 0; i < 103; i++)
        values[i] = i < 3 ? (uint32_t)i : 5;
    uint8_t *end = enc_rle_indices(values, 103, 3, out);
    /* One group of eight (0 1 2 5 5 5 5 5), then a run of 95 fives. */
    static const uint8_t wanted[] = {0x03, 0x88, 0xda, 0xb6, 0xbe, 0x01, 0x05};
    assert_int_equal(end - out, sizeof wanted);
    assert_memory_equal(out, wanted, sizeof wanted);
}

static void levels_are_packed_as_numbers_are(void **state)
{
    (void)state;
    srand(6);
    for (unsigned width = 1; width <= 7; width++) {
        for (size_t count = 1; count <= 200; count += 13) {
            uint8_t levels[200], out[2048], wanted[2048];
            uint32_t numbers[200];
            for (size_t i = 0; i < count; i++)
                numbers[i] = levels[i] =
                    (uint8_t)(i > 60 && i < 110 ? 1 : rand() & ((1 << width) - 1));
            size_t size = (size_t)(enc_rle_bytes(levels, count, width, out) - out);
            assert_int_equal(enc_rle_indices(numbers, count, width, wanted) - wanted, size);
            assert_memory_equal(out, wanted, size);
        }
    }
}

static void split_bytes_lie_in_as_many_stretches_as_a_value_has(void **state)
{
    (void)state;
    static const uint32_t widths[] = {2, 4, 8, 16};
    struct armi_error err = ARMI_ERROR_INIT;
    for (size_t w = 0; w < 4; w++) {
        for (size_t count = 0; count <= 40; count++) {
            size_t width = widths[w], size;
            uint8_t in[640], out[640 + 64];
            for (size_t i = 0; i < count * width; i++)
                in[i] = (uint8_t)(i * 167 + i / 256);
            struct enc_values v = {.count = count, .width = widths[w], .fixed = in};
            ok(enc_byte_split.encode(NULL, &v, out, &size));
            assert_int_equal(size, count * width);
            for (size_t i = 0; i < count; i++)
                for (size_t k = 0; k < width; k++)
                    assert_int_equal(out[k * count + i], in[i * width + k]);
        }
    }
}

static void xxhash64_gives_its_published_values(void **state)
{
    (void)state;
    assert_true(armi_bloom_hash("", 0) == UINT64_C(0xEF46DB3751D8E999));
    assert_true(armi_bloom_hash("a", 1) == UINT64_C(0xD24EC4F1A98C6E5B));
    assert_true(armi_bloom_hash("abc", 3) == UINT64_C(0x44BC2CF5AD770999));
    assert_true(armi_bloom_hash("Nobody inspects the spammish repetition", 39) ==
                UINT64_C(0xFBCEA83C8A378BF1));
}

static void a_bloom_filter_forgets_nothing(void **state)
{
    (void)state;
    size_t size = armi_bloom_size(1000), wrong = 0;
    uint8_t *filter = calloc(size, 1);
    for (uint64_t i = 0; i < 1000; i++)
        armi_bloom_insert(filter, size, armi_bloom_hash(&i, 8));
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(armi_bloom_may_contain(filter, size, armi_bloom_hash(&i, 8)));
    for (uint64_t i = 1000; i < 11000; i++)
        wrong += armi_bloom_may_contain(filter, size, armi_bloom_hash(&i, 8));
    assert_true(wrong < 300);
    free(filter);
}

static void an_arrow_schema_message_comes_back_whole(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema = ARMI_FIELD_INIT, back = ARMI_FIELD_INIT, f = ARMI_FIELD_INIT;
    ok(armi_field_init_schema(&schema, &err));
    ok(armi_field_init(&f, "when", ARMI_TYPE_TIMESTAMP, &err));
    f.unit = ARMI_UNIT_SECOND;
    ok(armi_field_set_timezone(&f, "Europe/Berlin", &err));
    ok(armi_metadata_set(&f.metadata, "unit", (struct armi_slice){(const uint8_t *)"s", 1},
                         &err));
    ok(armi_field_add_child(&schema, &f, &err));
    ok(armi_field_init(&f, "kind", ARMI_TYPE_DICTIONARY, &err));
    f.ordered = true;
    ok(armi_field_alloc_children(&f, 2, &err));
    ok(armi_field_init(&f.children[0], "", ARMI_TYPE_UINT16, &err));
    f.children[0].nullable = false;
    ok(armi_field_init(&f.children[1], "", ARMI_TYPE_LARGE_UTF8, &err));
    ok(armi_field_add_child(&schema, &f, &err));
    ok(armi_field_init(&f, "price", ARMI_TYPE_DECIMAL256, &err));
    f.precision = 50;
    f.scale = 3;
    ok(armi_field_add_child(&schema, &f, &err));
    struct armi_buf message = {0};
    ok(armi_ipc_schema_encode(&schema, &message, &err));
    ok(armi_ipc_schema_decode(armi_buf_slice(&message), &back, &err));
    assert_true(armi_field_equal(
        &schema, &back, ARMI_EQUAL_NAMES | ARMI_EQUAL_NULLABLE | ARMI_EQUAL_METADATA));
    armi_field_release(&back);
    for (size_t i = 0; i < message.size; i++) {
        uint8_t was = message.data[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            message.data[i] = (uint8_t)(was ^ 1u << bit);
            if (armi_ipc_schema_decode(armi_buf_slice(&message), &back, &err) == ARMI_OK)
                armi_field_release(&back);
        }
        message.data[i] = was;
    }
    for (size_t cut = 0; cut < message.size; cut++)
        if (armi_ipc_schema_decode((struct armi_slice){message.data, cut}, &back, &err) ==
            ARMI_OK)
            armi_field_release(&back);
    armi_buf_release(&message);
    armi_field_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_is_the_hash_and_the_footer_is_where_it_is_said),
        cmocka_unit_test(
            equal_data_gives_equal_bytes_however_it_is_cut_and_on_any_number_of_threads),
        cmocka_unit_test(pages_are_cut_at_range_ends),
        cmocka_unit_test(plain_values_begin_at_multiples_of_64),
        cmocka_unit_test(a_null_in_a_column_without_nulls_is_refused_with_its_row),
        cmocka_unit_test(types_that_parquet_lacks_are_refused_by_name),
        cmocka_unit_test(every_failing_allocation_leaves_nothing_behind),
        cmocka_unit_test(packed_numbers_are_what_shifting_gives),
        cmocka_unit_test(levels_come_back_as_they_were),
        cmocka_unit_test(a_run_takes_from_the_packed_stretch_before_it),
        cmocka_unit_test(levels_are_packed_as_numbers_are),
        cmocka_unit_test(split_bytes_lie_in_as_many_stretches_as_a_value_has),
        cmocka_unit_test(xxhash64_gives_its_published_values),
        cmocka_unit_test(a_bloom_filter_forgets_nothing),
        cmocka_unit_test(an_arrow_schema_message_comes_back_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
