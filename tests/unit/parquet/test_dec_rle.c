#include "test.h"

#include <stdlib.h>

#include "base/bits.h"
#include "parquet/dec_levels.h"
#include "parquet/dec_rle.h"

#define COUNT 3000

/* A naive writer: runs of random kinds, values kept beside. */
struct sample {
    struct armi_buf bytes;
    uint32_t values[COUNT];
};

static void put_varint(struct armi_buf *buf, uint64_t v)
{
    assert_int_equal(armi_buf_append_varint(buf, v, NULL), ARMI_OK);
}

static void put_packed(struct sample *s, size_t at, size_t groups, unsigned width)
{
    put_varint(&s->bytes, groups << 1 | 1);
    uint8_t *out;
    assert_int_equal(armi_buf_extend(&s->bytes, groups * width, &out, NULL), ARMI_OK);
    memset(out, 0, groups * width);
    for (size_t i = 0; i < groups * 8 && at + i < COUNT; i++)
        for (unsigned k = 0; k < width; k++)
            if (s->values[at + i] >> k & 1)
                armi_bit_set(out, i * width + k);
}

static void put_repeated(struct sample *s, uint32_t value, size_t count, unsigned width)
{
    put_varint(&s->bytes, count << 1);
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};
    assert_int_equal(armi_buf_append(&s->bytes, bytes, (width + 7) / 8, NULL), ARMI_OK);
}

static void sample_init(struct sample *s, unsigned width, unsigned seed)
{
    srand(seed);
    memset(s, 0, sizeof *s);
    uint32_t mask = width == 0 ? 0 : UINT32_MAX >> (32 - width);
    for (size_t at = 0; at < COUNT;) {
        size_t n = (size_t)rand() % 70 + 1;
        if (rand() % 3 == 0) {
            uint32_t v = (uint32_t)rand() * 7919u & mask;
            put_repeated(s, v, n, width);
            for (size_t i = 0; i < n && at < COUNT; i++)
                s->values[at++] = v;
        } else {
            size_t groups = n / 8 + 1;
            for (size_t i = 0; i < groups * 8 && at + i < COUNT; i++)
                s->values[at + i] = (uint32_t)rand() * 7919u & mask;
            put_packed(s, at, groups, width);
            at += groups * 8;
        }
        if (rand() % 8 == 0)
            put_varint(&s->bytes, 1); /* a packed run of no groups */
    }
}

static void runs_come_back_at_every_width_and_from_every_place(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    for (unsigned width = 0; width <= 32; width++) {
        struct sample s;
        sample_init(&s, width, width + 1);
        for (size_t skip = 0; skip < COUNT; skip += 211) {
            struct armi_pq_rle rle;
            uint32_t out[COUNT];
            ok(armi_pq_rle_init(&rle, armi_buf_slice(&s.bytes), width, &err));
            ok(armi_pq_rle_skip(&rle, skip, &err));
            for (size_t at = skip; at < COUNT;) {
                size_t n = (size_t)rand() % 100;
                n = n < COUNT - at ? n : COUNT - at;
                ok(armi_pq_rle_read(&rle, out, n, &err));
                assert_memory_equal(out, s.values + at, n * sizeof *out);
                at += n;
            }
        }
        armi_buf_release(&s.bytes);
    }
}

static void bits_and_levels_equal_the_values(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct sample s;
    sample_init(&s, 1, 99);
    for (size_t at = 0; at < 20; at++) {
        uint8_t bits[COUNT / 8 + 16] = {0}, levels[COUNT];
        struct armi_pq_rle rle;
        size_t ones, want = 0;
        ok(armi_pq_rle_init(&rle, armi_buf_slice(&s.bytes), 1, &err));
        ok(armi_pq_rle_skip(&rle, at, &err));
        ok(armi_pq_rle_read_bits(&rle, bits, at, COUNT - at, &ones, &err));
        for (size_t i = at; i < COUNT; i++) {
            want += s.values[i];
            assert_int_equal(armi_bit_get(bits, i), s.values[i]);
        }
        assert_int_equal(ones, want);
        for (size_t i = 0; i < at; i++)
            assert_false(armi_bit_get(bits, i));
        ok(armi_pq_levels_read(armi_buf_slice(&s.bytes), ARMI_PQ_RLE, 1, levels, COUNT,
                               &err));
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(levels[i], s.values[i]);
    }
    armi_buf_release(&s.bytes);
}

static void what_is_cut_off_or_too_large_is_refused(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_pq_rle rle;
    uint32_t out[64];
    uint8_t levels[64];
    size_t ones;
    static const uint8_t packed[] = {0x03, 0xff}; /* one group of width 1 */
    static const uint8_t cut[] = {0x05, 0xff};    /* two, one is there */
    static const uint8_t endless[] = {0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff}; /* no end of a varint */
    static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0x7f, 0x01};
    static const uint8_t two[] = {0x10, 0x02}; /* eight times 2, at width 1 */
    fails(ARMI_CORRUPTION,
          armi_pq_rle_init(&rle, (struct armi_slice){packed, 2}, 33, &err));
    ok(armi_pq_rle_init(&rle, (struct armi_slice){packed, 2}, 1, &err));
    ok(armi_pq_rle_read(&rle, out, 8, &err));
    fails(ARMI_CORRUPTION, armi_pq_rle_read(&rle, out, 1, &err));
    ok(armi_pq_rle_init(&rle, (struct armi_slice){cut, 2}, 1, &err));
    ok(armi_pq_rle_read(&rle, out, 8, &err));
    fails(ARMI_CORRUPTION, armi_pq_rle_read(&rle, out, 1, &err));
    ok(armi_pq_rle_init(&rle, (struct armi_slice){endless, 6}, 1, &err));
    fails(ARMI_CORRUPTION, armi_pq_rle_read(&rle, out, 1, &err));
    ok(armi_pq_rle_init(&rle, (struct armi_slice){huge, sizeof huge}, 8, &err));
    ok(armi_pq_rle_read(&rle, out, 1, &err)); /* the one byte that is there */
    fails(ARMI_CORRUPTION, armi_pq_rle_read(&rle, out, 1, &err));
    ok(armi_pq_rle_init(&rle, (struct armi_slice){two, 2}, 1, &err));
    fails(ARMI_CORRUPTION, armi_pq_rle_read_bits(&rle, levels, 0, 8, &ones, &err));
    fails(ARMI_CORRUPTION, armi_pq_levels_read((struct armi_slice){two, 2}, ARMI_PQ_RLE, 1,
                                               levels, 8, &err));
    ok(armi_pq_rle_init(&rle, (struct armi_slice){NULL, 0}, 1, &err));
    fails(ARMI_CORRUPTION, armi_pq_rle_read(&rle, out, 1, &err));
}

static void legacy_bit_packed_levels_are_read_from_the_top_bit(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static const uint8_t bytes[] = {0x1b, 0xe4}; /* 0 1 2 3, 3 2 1 0 */
    static const uint8_t want[] = {0, 1, 2, 3, 3, 2, 1, 0};
    uint8_t out[9];
    ok(armi_pq_levels_read((struct armi_slice){bytes, 2}, ARMI_PQ_BIT_PACKED, 3, out, 8,
                           &err));
    assert_memory_equal(out, want, 8);
    fails(ARMI_CORRUPTION, armi_pq_levels_read((struct armi_slice){bytes, 2},
                                               ARMI_PQ_BIT_PACKED, 3, out, 9, &err));
    fails(ARMI_CORRUPTION, armi_pq_levels_read((struct armi_slice){bytes, 2},
                                               ARMI_PQ_BIT_PACKED, 2, out, 8, &err));
}

static void levels_are_compared_counted_and_found_as_one_by_one(void **state)
{
    (void)state;
    uint8_t levels[1000], bits[200];
    srand(3);
    for (size_t i = 0; i < sizeof levels; i++)
        levels[i] = (uint8_t)(rand() % 4);
    for (size_t at = 0; at < 19; at += 3) {
        for (unsigned least = 0; least < 5; least++) {
            memset(bits, 0, sizeof bits);
            armi_pq_levels_at_least(levels, sizeof levels, least, bits, at);
            for (size_t i = 0; i < sizeof levels; i++)
                assert_int_equal(armi_bit_get(bits, at + i), levels[i] >= least);
        }
    }
    size_t zeros = 0;
    for (size_t i = 0; i < sizeof levels; i++) {
        if (levels[i] == 0)
            assert_int_equal(armi_pq_levels_find_zero(levels, sizeof levels, zeros++), i);
        assert_int_equal(armi_pq_levels_count_equal(levels, i + 1, 0), zeros);
    }
    assert_int_equal(armi_pq_levels_find_zero(levels, sizeof levels, zeros), sizeof levels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_come_back_at_every_width_and_from_every_place),
        cmocka_unit_test(bits_and_levels_equal_the_values),
        cmocka_unit_test(what_is_cut_off_or_too_large_is_refused),
        cmocka_unit_test(legacy_bit_packed_levels_are_read_from_the_top_bit),
        cmocka_unit_test(levels_are_compared_counted_and_found_as_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
