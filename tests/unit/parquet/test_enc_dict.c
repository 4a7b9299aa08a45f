#include "test.h"

#include <math.h>

#include <stdlib.h>

#include "parquet/enc_bytes.h"
#include "parquet/enc_dict.h"

static struct armi_error err = ARMI_ERROR_INIT;

/* A column of one physical type, as far as a dictionary looks at it. */
struct fixture {
    struct armi_field field;
    struct armi_pq_leaf leaf;
    struct enc_worker worker;
    struct enc_column column;
    struct enc_dict dict;
};

static void fixture_begin(struct fixture *f, int32_t physical)
{
    *f = (struct fixture){.field = ARMI_FIELD_INIT};
    f->leaf = (struct armi_pq_leaf){.field = &f->field, .physical = physical};
    f->column = (struct enc_column){.leaf = &f->leaf, .worker = &f->worker, .err = &err};
}

static void fixture_end(struct fixture *f)
{
    enc_worker_release(&f->worker);
}

/* Numbers in the order of first occurrence, found the slow way. */
static uint32_t number_slowly(const struct armi_slice *values, size_t i,
                              struct armi_slice *kinds, uint32_t *count)
{
    for (uint32_t k = 0; k < *count; k++)
        if (kinds[k].size == values[i].size &&
            (kinds[k].size == 0 ||
             memcmp(kinds[k].data, values[i].data, values[i].size) == 0))
            return k;
    kinds[*count] = values[i];
    return (*count)++;
}

#define STRINGS 6000

/* Of 0 to 40 bytes that are mostly zero, so that only the length or the middle tells many apart. */
static void strings_make(uint8_t *text, struct armi_slice *values)
{
    size_t at = 0;
    srand(7);
    for (size_t i = 0; i < STRINGS; i++) {
        size_t size = (size_t)rand() % 41;
        memset(text + at, 0, size);
        if (size > 0)
            text[at + (size_t)rand() % size] = (uint8_t)(rand() % 5);
        values[i] = (struct armi_slice){text + at, size};
        at += size;
    }
}

static void strings_get_numbers_in_the_order_in_which_they_first_occur(void **state)
{
    (void)state;
    uint8_t *text = malloc((size_t)STRINGS * 41);
    struct armi_slice *values = malloc(STRINGS * sizeof *values);
    struct armi_slice *kinds = malloc(STRINGS * sizeof *kinds);
    uint32_t *numbers = malloc(STRINGS * sizeof *numbers);
    strings_make(text, values);
    const uint8_t *end = values[STRINGS - 1].data + values[STRINGS - 1].size;
    for (int pass = 0; pass < 2; pass++) {
        struct fixture f;
        fixture_begin(&f, ARMI_PQ_BYTE_ARRAY);
        ok(enc_dict_init(&f.column, &f.dict, UINT64_MAX));
        struct enc_values v = {
            .count = STRINGS, .strings = values, .texts = {{0, end}}, .text_count = pass};
        ok(enc_dict_add(&f.column, &f.dict, &v, numbers));
        uint32_t count = 0;
        for (size_t i = 0; i < STRINGS; i++)
            assert_int_equal(numbers[i], number_slowly(values, i, kinds, &count));
        assert_int_equal(f.dict.count, count);
        struct enc_values entries;
        ok(enc_dict_values(&f.column, &f.dict, &entries));
        for (uint32_t k = 0; k < count; k++)
            assert_ptr_equal(entries.strings[k].data, kinds[k].data);
        fixture_end(&f);
    }
    free(numbers);
    free(kinds);
    free(values);
    free(text);
}

#define NUMBERS 40000

/* `width` 4 or 8; every value is below `kinds` times `step`, in order of first occurrence. */
static void numbers_check(struct fixture *f, uint32_t width, const int64_t *values,
                          size_t count)
{
    uint8_t *bytes = malloc(count * width);
    uint32_t *numbers = malloc(count * sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        memcpy(bytes + i * width, &values[i], width);
    struct enc_values v = {.count = count, .width = width, .fixed = bytes};
    ok(enc_dict_init(&f->column, &f->dict, UINT64_MAX));
    ok(enc_dict_add(&f->column, &f->dict, &v, numbers));
    struct enc_values entries;
    ok(enc_dict_values(&f->column, &f->dict, &entries));
    uint32_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(numbers[i] <= seen && numbers[i] < f->dict.count);
        seen += numbers[i] == seen;
        assert_memory_equal(entries.fixed + numbers[i] * width, bytes + i * width, width);
    }
    assert_int_equal(seen, f->dict.count);
    free(numbers);
    free(bytes);
}

static void numbers_grow_the_table_and_keep_their_numbers(void **state)
{
    (void)state;
    int64_t *values = malloc(NUMBERS * sizeof *values);
    for (size_t i = 0; i < NUMBERS; i++)
        values[i] = (int64_t)(i * i % 30011) * 123456789 - 5;
    struct fixture f;
    fixture_begin(&f, ARMI_PQ_DOUBLE);
    numbers_check(&f, 8, values, NUMBERS);
    assert_int_equal(f.dict.count, 15006);
    fixture_end(&f);
    for (size_t i = 0; i < NUMBERS; i++)
        values[i] = (int64_t)(i * i % 251);
    fixture_begin(&f, ARMI_PQ_INT32);
    numbers_check(&f, 4, values, NUMBERS);
    assert_int_equal(f.dict.count, 126);
    fixture_end(&f);
    free(values);
}

/* What the sample did not show is looked up by hash from then on. */
static void a_table_by_distance_is_left_at_a_value_too_far_away(void **state)
{
    (void)state;
    int64_t *values = malloc(NUMBERS * sizeof *values);
    static const int64_t far[] = {0, 70000, INT32_MIN, INT32_MAX, -1};
    for (size_t k = 0; k < 5; k++) {
        for (uint32_t width = 4; width <= 8; width += 4) {
            for (size_t i = 0; i < NUMBERS; i++)
                values[i] = (int64_t)(i * 7919 % 1000) - 500;
            values[NUMBERS / 2] = far[k];
            struct fixture f;
            fixture_begin(&f, width == 4 ? ARMI_PQ_INT32 : ARMI_PQ_INT64);
            f.column.has_sample_range = true;
            f.column.sample_min = (uint64_t)-500;
            f.column.sample_range = 999;
            numbers_check(&f, width, values, NUMBERS);
            assert_int_equal(f.dict.is_direct, far[k] == 0 || far[k] == -1);
            assert_int_equal(f.dict.count, f.dict.is_direct ? 1000 : 1001);
            fixture_end(&f);
        }
    }
    free(values);
}

/* Prices: whole cents, until a double comes that is none, or whose bits are not those of its cents. */
static void prices_have_a_table_by_distance(void **state)
{
    (void)state;
    static const double others[] = {0.07, -4.99,    12.345, -0.0,
                                    NAN,  INFINITY, 1e300,  99999.99};
    int64_t *bits = malloc(NUMBERS * sizeof *bits);
    for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
        for (size_t i = 0; i < NUMBERS; i++) {
            double price = (double)(i * 7919 % 30000) / 100;
            memcpy(&bits[i], i == NUMBERS - 1 ? &others[k] : &price, sizeof price);
        }
        struct fixture f;
        fixture_begin(&f, ARMI_PQ_DOUBLE);
        f.column.has_sample_range = true;
        f.column.sample_scale = 100;
        f.column.sample_range = 29999;
        numbers_check(&f, 8, bits, NUMBERS);
        assert_int_equal(f.dict.is_direct, k < 2);
        assert_int_equal(f.dict.count, k == 0 ? 30000 : 30001);
        fixture_end(&f);
    }
    free(bits);
}

/* The ends of the range: distances wrap. */
static void a_table_by_distance_holds_the_extremes_of_its_type(void **state)
{
    (void)state;
    int64_t values[600];
    for (size_t i = 0; i < 600; i++)
        values[i] = i < 300 ? INT64_MIN + (int64_t)i : INT64_MAX - (int64_t)i;
    struct fixture f;
    fixture_begin(&f, ARMI_PQ_INT64);
    f.column.has_sample_range = true;
    f.column.sample_min = (uint64_t)INT64_MIN;
    f.column.sample_range = 299;
    numbers_check(&f, 8, values, 600);
    assert_int_equal(f.dict.count, 600);
    fixture_end(&f);
}

static void a_dictionary_that_is_too_large_is_given_up(void **state)
{
    (void)state;
    uint64_t *values = malloc(NUMBERS * sizeof *values);
    uint32_t *numbers = malloc(NUMBERS * sizeof *numbers);
    for (size_t i = 0; i < NUMBERS; i++)
        values[i] = i * i;
    struct fixture f;
    fixture_begin(&f, ARMI_PQ_INT64);
    ok(enc_dict_init(&f.column, &f.dict, 8 * NUMBERS - 8));
    struct enc_values v = {.count = NUMBERS, .width = 8, .fixed = (const uint8_t *)values};
    ok(enc_dict_add(&f.column, &f.dict, &v, numbers));
    assert_true(f.dict.given_up);
    fixture_end(&f);
    free(numbers);
    free(values);
}

/* ---- chosen collisions ---- */

#define COLLIDING 20000

/* What enc_dict.c hashes numbers and short strings with. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product =
        (wide)(a ^ UINT64_C(0x9e3779b97f4a7c15)) * (b ^ UINT64_C(0xd1b54a32d192ed03));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Given up, and with work that grows with the values and not with their square. */
static void assert_given_up(struct fixture *f, const struct enc_values *v)
{
    uint32_t *numbers = malloc(v->count * sizeof *numbers);
    ok(enc_dict_add(&f->column, &f->dict, v, numbers));
    assert_true(f->dict.given_up);
    assert_true(f->dict.steps < (UINT64_C(1) << 17) + 8 * (uint64_t)v->count);
    free(numbers);
}

static void numbers_that_collide_give_the_dictionary_up(void **state)
{
    (void)state;
    static const int32_t types[] = {ARMI_PQ_INT64, ARMI_PQ_INT32};
    for (size_t t = 0; t < 2; t++) {
        struct fixture f;
        uint32_t width = t == 0 ? 8 : 4;
        uint64_t *values = malloc(COLLIDING * sizeof *values);
        uint32_t *small = malloc(COLLIDING * sizeof *small);
        size_t n = 0;
        /* In the low twelve bits of the hash, which is what the first table looks at. */
        for (uint64_t v = 1; n < 600; v++)
            if ((mix(v, 0) >> 32 & 0xfff) == 0) {
                values[n] = v;
                small[n++] = (uint32_t)v;
            }
        fixture_begin(&f, types[t]);
        ok(enc_dict_init(&f.column, &f.dict, UINT64_MAX));
        assert_given_up(&f,
                        &(struct enc_values){.count = n,
                                             .width = width,
                                             .fixed = width == 8 ? (const uint8_t *)values
                                                                 : (const uint8_t *)small});
        assert_true(f.dict.count < 300);
        fixture_end(&f);
        free(values);
        free(small);
    }
}

/* Below the longest probe, and so never given up by it, but long for each value that comes again. */
static void numbers_that_nearly_collide_are_looked_up_for_a_while_only(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t *values = malloc(COLLIDING * sizeof *values);
    size_t n = 0;
    for (uint64_t v = 1; n < 250; v++)
        if ((mix(v, 0) >> 32 & 0xfff) == 0)
            values[n++] = v;
    for (; n < COLLIDING; n++)
        values[n] = values[200 + n % 50];
    fixture_begin(&f, ARMI_PQ_INT64);
    ok(enc_dict_init(&f.column, &f.dict, UINT64_MAX));
    for (size_t at = 0; at < COLLIDING && !f.dict.given_up; at += 500) {
        uint32_t numbers[500];
        ok(enc_dict_add(&f.column, &f.dict,
                        &(struct enc_values){.count = 500,
                                             .width = 8,
                                             .fixed = (const uint8_t *)(values + at)},
                        numbers));
    }
    assert_true(f.dict.given_up);
    assert_true(f.dict.steps < 300000); /* where all of them would be four millions */
    fixture_end(&f);
    free(values);
}

/* A table by distance asks for no hash; when it is left, what it holds may all collide. */
static void numbers_that_collide_behind_a_table_by_distance_give_it_up(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t *values = malloc(COLLIDING * sizeof *values);
    size_t n = 0;
    uint64_t range = UINT64_C(1) << 20;
    for (uint64_t v = 0; v < range && n < 8000; v++)
        if ((mix(v, 0) >> 32 & 0xffff) < 0x400)
            values[n++] = v;
    values[n++] = UINT64_C(1) << 60; /* too far away */
    fixture_begin(&f, ARMI_PQ_INT64);
    f.column.has_sample_range = true;
    f.column.sample_min = 0;
    f.column.sample_range = range - 1;
    ok(enc_dict_init(&f.column, &f.dict, UINT64_MAX));
    assert_given_up(
        &f, &(struct enc_values){.count = n, .width = 8, .fixed = (const uint8_t *)values});
    fixture_end(&f);
    free(values);
}

/* The hash multiplies, and one of its factors can be made zero. */
static void strings_that_collide_give_the_dictionary_up(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t *text = malloc(COLLIDING * 32);
    struct armi_slice *values = malloc(COLLIDING * sizeof *values);
    for (unsigned size = 16; size <= 24; size += 8) {
        for (size_t i = 0; i < COLLIDING; i++) {
            uint8_t *p = text + 32 * i;
            armi_store64(p, i * UINT64_C(0x9e3779b97f4a7c15));
            armi_store64(p + 8, i);
            armi_store64(p + size - 8, UINT64_C(0xd1b54a32d192ed03));
            values[i] = (struct armi_slice){p, size};
        }
        if (size == 24) /* the middle is mixed in once more */
            for (size_t i = 0; i < COLLIDING; i++)
                armi_store64(text + 32 * i + 8, UINT64_C(0xd1b54a32d192ed03));
        fixture_begin(&f, ARMI_PQ_BYTE_ARRAY);
        ok(enc_dict_init(&f.column, &f.dict, UINT64_MAX));
        assert_given_up(&f, &(struct enc_values){.count = COLLIDING, .strings = values});
        assert_true(f.dict.count < 300);
        fixture_end(&f);
    }
    free(values);
    free(text);
}

/* ---- strings one by one ---- */

static void strings_compare_as_their_bytes_do(void **state)
{
    (void)state;
    uint8_t a[40] = {0}, b[40] = {0};
    for (size_t m = 0; m <= 40; m++) {
        for (size_t n = 0; n <= 40; n++) {
            size_t least = m < n ? m : n;
            struct armi_slice x = {a, m}, y = {b, n};
            assert_int_equal(enc_bytes_shared(x, y), least);
            assert_int_equal(enc_bytes_less(x, y), m < n);
            for (size_t at = 0; at < least; at++) {
                b[at] = 0x80;
                assert_int_equal(enc_bytes_shared(x, y), at);
                assert_true(enc_bytes_less(x, y));
                assert_false(enc_bytes_less(y, x));
                b[at] = 0;
            }
        }
    }
}

static void copies_reach_no_further_than_they_may(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 40; size++) {
        uint8_t *from = malloc(size + 1), out[80];
        memset(from, 'x', size);
        memset(out, 0, sizeof out);
        assert_ptr_equal(enc_bytes_copy(out, from, size, from + size), out + size);
        for (size_t i = 0; i < sizeof out; i++)
            assert_int_equal(out[i], i < size ? 'x' : 0);
        free(from);
    }
}

/* ---- Arrow dictionaries ---- */

#define WORDS 90
#define ROWS  30000
#define FIRST 5

/* Words of 0 to 29 bytes, `turn` of them moved to the end; every third word occurs twice. */
static void words_make(struct armi_array *words, const struct armi_field *field,
                       int32_t *offsets, uint8_t *text, size_t turn)
{
    for (size_t i = 0; i < WORDS; i++) {
        size_t word = (i + turn) % WORDS / 3 * 3 + (i + turn) % WORDS % 3 % 2;
        memset(text + offsets[i], (int)('!' + word), word / 3);
        offsets[i + 1] = offsets[i] + (int32_t)(word / 3);
    }
    *words = (struct armi_array){.field = field,
                                 .layout = ARMI_LAYOUT_BINARY32,
                                 .length = WORDS,
                                 .null_count = 0,
                                 .values = text,
                                 .offsets = (const uint8_t *)offsets};
}

static void schema_make(struct armi_field *schema)
{
    struct armi_field column = ARMI_FIELD_INIT, index = ARMI_FIELD_INIT,
                      value = ARMI_FIELD_INIT;
    ok(armi_field_init_schema(schema, &err));
    ok(armi_field_init(&column, "word", ARMI_TYPE_DICTIONARY, &err));
    ok(armi_field_init(&index, "index", ARMI_TYPE_UINT8, &err));
    ok(armi_field_init(&value, "value", ARMI_TYPE_UTF8, &err));
    ok(armi_field_add_child(&column, &index, &err));
    ok(armi_field_add_child(&column, &value, &err));
    ok(armi_field_add_child(schema, &column, &err));
}

/* Row i is word i * i: pieces of `cut` rows, the first of FIRST, take turns between two dictionaries.
 * Of the first there are so few that its dictionary is not worth a table. */
static void dictionary_encode(const struct armi_field *schema, struct armi_array words[2],
                              const size_t turns[2], size_t cut, bool no_dictionary,
                              struct armi_hash *name)
{
    size_t count = 1 + (ROWS - FIRST + cut - 1) / cut;
    uint8_t *indices = calloc(ROWS, 1), *valid = calloc(ROWS / 8 + 9, 1);
    struct armi_array *pieces = calloc(count, sizeof *pieces);
    for (size_t i = 0; i < ROWS; i++) {
        size_t turn = turns[i < FIRST ? 0 : (1 + (i - FIRST) / cut) % 2];
        indices[i] = (uint8_t)((i * i % WORDS + WORDS - turn) % WORDS);
        armi_bit_put(valid, i, i % 7 != 0);
        if (i % 7 == 0)
            indices[i] = 255; /* what lies under a null is not looked at */
    }
    for (size_t k = 0, from = 0; k < count; k++) {
        size_t rows = k == 0 ? FIRST : ROWS - from < cut ? ROWS - from : cut;
        pieces[k] = (struct armi_array){
            .field = &schema->children[0],
            .layout = ARMI_LAYOUT_DICTIONARY,
            .width = 1,
            .offset = (int64_t)from,
            .length = (int64_t)rows,
            .null_count = -1,
            .validity = valid,
            .values = indices,
            .dictionary = &words[k % 2],
        };
        from += rows;
    }
    struct armi_pq_column_pieces columns = {pieces, count};
    struct armi_pq_encode_settings settings;
    struct armi_pq_output out = {0};
    armi_pq_encode_settings_init(&settings);
    settings.no_dictionary = no_dictionary;
    ok(armi_pq_encode_chunk(&settings, schema, &columns, ROWS, &out, &err));
    *name = out.name;
    armi_pq_output_release(&out);
    free(pieces);
    free(valid);
    free(indices);
}

static void arrow_dictionaries_may_differ_from_piece_to_piece(void **state)
{
    (void)state;
    static const size_t turns[2] = {0, 17};
    static const size_t cuts[] = {20, 1000, 12345};
    struct armi_field schema;
    struct armi_array words[2];
    int32_t offsets[2][WORDS + 1] = {{0}};
    uint8_t text[2][WORDS * 30];
    schema_make(&schema);
    for (size_t k = 0; k < 2; k++)
        words_make(&words[k], &schema.children[0].children[1], offsets[k], text[k],
                   turns[k]);
    for (int plain = 0; plain < 2; plain++) {
        struct armi_hash whole, cut;
        dictionary_encode(&schema, words, turns, ROWS, plain, &whole);
        for (size_t i = 0; i < 3; i++) {
            dictionary_encode(&schema, words, turns, cuts[i], plain, &cut);
            assert_memory_equal(&cut, &whole, sizeof whole);
        }
    }
    armi_field_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_get_numbers_in_the_order_in_which_they_first_occur),
        cmocka_unit_test(numbers_grow_the_table_and_keep_their_numbers),
        cmocka_unit_test(a_table_by_distance_is_left_at_a_value_too_far_away),
        cmocka_unit_test(prices_have_a_table_by_distance),
        cmocka_unit_test(a_table_by_distance_holds_the_extremes_of_its_type),
        cmocka_unit_test(a_dictionary_that_is_too_large_is_given_up),
        cmocka_unit_test(numbers_that_collide_give_the_dictionary_up),
        cmocka_unit_test(numbers_that_nearly_collide_are_looked_up_for_a_while_only),
        cmocka_unit_test(numbers_that_collide_behind_a_table_by_distance_give_it_up),
        cmocka_unit_test(strings_that_collide_give_the_dictionary_up),
        cmocka_unit_test(arrow_dictionaries_may_differ_from_piece_to_piece),
        cmocka_unit_test(strings_compare_as_their_bytes_do),
        cmocka_unit_test(copies_reach_no_further_than_they_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
