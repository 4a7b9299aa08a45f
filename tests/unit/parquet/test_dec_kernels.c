#include "test.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "parquet/parquet_dispatch.h"

static uint64_t random_state = 88172645463325252u;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint64_t naive_unpack(const uint8_t *src, unsigned width, size_t index)
{
    uint64_t v = 0;
    for (unsigned k = 0; k < width; k++)
        v |= (uint64_t)armi_bit_get(src, index * width + k) << k;
    return v;
}

/* The input's block ends with its last byte, so that a sanitizer sees a read beyond it. */
static void every_rung_unpacks_every_width_as_bit_by_bit(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 7, 8, 31, 32, 33, 64, 100, 257};
    const struct armi_pq_kernels *rung;
    for (size_t r = 0; (rung = armi_pq_kernels_rung(r)) != NULL; r++) {
        for (unsigned width = 0; width <= 64; width++) {
            for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
                size_t count = counts[c], size = (count * width + 7) / 8;
                uint8_t *src = malloc(size + 1);
                uint32_t *out32 = malloc(4 * count + 1);
                uint64_t *out64 = malloc(8 * count + 1);
                for (size_t i = 0; i < size; i++)
                    src[i + 1] = (uint8_t)random_next();
                rung->unpack64(src + 1, size, width, out64, count);
                if (width <= 32)
                    rung->unpack32(src + 1, size, width, out32, count);
                for (size_t i = 0; i < count; i++) {
                    uint64_t v = naive_unpack(src + 1, width, i);
                    assert_true(out64[i] == v);
                    assert_true(width > 32 || out32[i] == v);
                }
                free(src);
                free(out32);
                free(out64);
            }
        }
    }
}

static void every_rung_sums_deltas_one_after_the_other(void **state)
{
    (void)state;
    enum { MOST = 300 };
    static const size_t counts[] = {0, 1, 31, 32, 40, 64, 100, 257, MOST};
    uint8_t src[MOST * 8];
    uint64_t out64[MOST];
    uint32_t out32[MOST];
    const struct armi_pq_kernels *rung;
    for (size_t i = 0; i < sizeof src; i++)
        src[i] = (uint8_t)random_next();
    for (size_t r = 0; (rung = armi_pq_kernels_rung(r)) != NULL; r++) {
        for (unsigned width = 0; width <= 64; width++) {
            for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
                size_t count = counts[c], size = (count * width + 7) / 8;
                uint64_t least = random_next(), last64 = random_next(), v = last64;
                uint32_t last32 = (uint32_t)last64;
                uint8_t *end = src + sizeof src - size; /* nothing may be read behind it */
                rung->delta64(end, size, width, least, &last64, out64, count);
                if (width <= 32)
                    rung->delta32(end, size, width, (uint32_t)least, &last32, out32, count);
                for (size_t i = 0; i < count; i++) {
                    v += naive_unpack(end, width, i) + least;
                    assert_true(out64[i] == v);
                    assert_true(width > 32 || out32[i] == (uint32_t)v);
                }
                assert_true(last64 == v);
                assert_true(width > 32 || last32 == (uint32_t)v);
            }
        }
    }
}

static void every_rung_finds_the_maximum_and_gathers(void **state)
{
    (void)state;
    enum { DICTIONARY = 50, COUNT = 123 };
    uint32_t dictionary32[DICTIONARY], indices[COUNT], out32[COUNT];
    uint64_t dictionary64[DICTIONARY], out64[COUNT];
    const struct armi_pq_kernels *rung;
    for (size_t i = 0; i < DICTIONARY; i++)
        dictionary32[i] = (uint32_t)(dictionary64[i] = random_next());
    for (size_t r = 0; (rung = armi_pq_kernels_rung(r)) != NULL; r++) {
        for (size_t count = 0; count <= COUNT; count++) {
            uint32_t max = 0;
            for (size_t i = 0; i < count; i++) {
                indices[i] = (uint32_t)(random_next() % DICTIONARY);
                max = indices[i] > max ? indices[i] : max;
            }
            assert_int_equal(rung->max32(indices, count), max);
            rung->gather32(dictionary32, indices, out32, count);
            rung->gather64(dictionary64, indices, out64, count);
            for (size_t i = 0; i < count; i++) {
                assert_true(out32[i] == dictionary32[indices[i]]);
                assert_true(out64[i] == dictionary64[indices[i]]);
            }
        }
        uint32_t top[20] = {0};
        top[17] = UINT32_MAX;
        assert_true(rung->max32(top, 20) == UINT32_MAX);
    }
}

static void every_rung_counts_equal_bytes(void **state)
{
    (void)state;
    static uint8_t bytes[32 * 600 + 7];
    const struct armi_pq_kernels *rung;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(random_next() % 3);
    for (size_t r = 0; (rung = armi_pq_kernels_rung(r)) != NULL; r++) {
        for (size_t size = 0; size <= sizeof bytes; size += 1 + size / 2) {
            size_t found = 0;
            for (size_t i = 0; i < size; i++)
                found += bytes[i] == 2;
            assert_int_equal(rung->count8(bytes, size, 2), found);
            assert_int_equal(rung->count8(bytes, size, 9), 0);
        }
        assert_int_equal(rung->count8((const uint8_t[300]){0}, 300, 0), 300);
    }
}

static void every_rung_sees_a_byte_that_is_not_ascii(void **state)
{
    (void)state;
    uint8_t bytes[300];
    const struct armi_pq_kernels *rung;
    memset(bytes, 0x7f, sizeof bytes);
    for (size_t r = 0; (rung = armi_pq_kernels_rung(r)) != NULL; r++) {
        for (size_t size = 0; size <= sizeof bytes; size += 7)
            assert_true(rung->is_ascii(bytes, size));
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = 0x80;
            assert_false(rung->is_ascii(bytes, sizeof bytes));
            assert_true(rung->is_ascii(bytes, i));
            bytes[i] = 0x7f;
        }
    }
}

static void every_rung_unpacks_and_compares_levels_one_by_one(void **state)
{
    (void)state;
    const struct armi_pq_kernels *rung;
    for (size_t r = 0; (rung = armi_pq_kernels_rung(r)) != NULL; r++) {
        for (unsigned width = 0; width <= 8; width++) {
            for (size_t count = 0; count < 200; count += 1 + count / 3) {
                size_t size = (count * width + 7) / 8;
                uint8_t *src = malloc(size + 1), *out = malloc(count + 1), max = 0;
                for (size_t i = 0; i < size; i++)
                    src[i] = (uint8_t)random_next();
                rung->unpack8(src, size, width, out, count);
                for (size_t i = 0; i < count; i++) {
                    assert_int_equal(out[i], naive_unpack(src, width, i));
                    max = out[i] > max ? out[i] : max;
                }
                assert_int_equal(rung->max8(out, count), max);
                free(src);
                free(out);
            }
        }
        uint8_t levels[64];
        for (unsigned least = 0; least < 0x80; least++) {
            for (size_t i = 0; i < 64; i++)
                levels[i] = (uint8_t)(random_next() % 4 == 0 ? random_next() : least);
            uint64_t bits = rung->at_least64(levels, least),
                     mask = random_next() | random_next();
            uint64_t packed = rung->compact64(bits, mask);
            unsigned at = 0;
            for (size_t i = 0; i < 64; i++) {
                assert_int_equal(bits >> i & 1, (levels[i] & 0x7fu) >= least);
                if (mask >> i & 1)
                    assert_int_equal(packed >> at++ & 1, bits >> i & 1);
            }
            assert_true(at == 64 || packed >> at == 0);
            assert_true(rung->compact64(bits, UINT64_MAX) == bits);
        }
    }
}

static void a_forced_rung_is_the_one_in_use(void **state)
{
    (void)state;
    armi_pq_kernels_force(armi_pq_kernels_rung(0));
    assert_string_equal(armi_pq_kernels()->name, "portable");
    armi_pq_kernels_force(NULL);
    assert_non_null(armi_pq_kernels());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rung_unpacks_every_width_as_bit_by_bit),
        cmocka_unit_test(every_rung_sums_deltas_one_after_the_other),
        cmocka_unit_test(every_rung_finds_the_maximum_and_gathers),
        cmocka_unit_test(every_rung_counts_equal_bytes),
        cmocka_unit_test(every_rung_sees_a_byte_that_is_not_ascii),
        cmocka_unit_test(every_rung_unpacks_and_compares_levels_one_by_one),
        cmocka_unit_test(a_forced_rung_is_the_one_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
