#include "test.h"

#include <math.h>

#include "parquet/parquet_dispatch.h"

#define MOST 70

static uint64_t state_ = 1;

static uint64_t random_next(void)
{
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
}

static void every_rung_finds_the_smallest_and_the_largest_integer(void **state)
{
    (void)state;
    const struct armi_pq_kernels *rung;
    uint8_t bytes[8 * MOST];
    for (size_t r = 0; (rung = armi_pq_kernels_rung(r)) != NULL; r++) {
        for (size_t count = 1; count <= MOST; count++) {
            uint64_t low = UINT64_MAX, high = 0, out[2];
            int64_t slow = INT64_MAX, shigh = INT64_MIN;
            uint32_t low32 = UINT32_MAX, high32 = 0, out32[2];
            int32_t slow32 = INT32_MAX, shigh32 = INT32_MIN;
            for (size_t i = 0; i < count; i++) {
                uint64_t v = random_next();
                uint32_t half = (uint32_t)v;
                memcpy(bytes + sizeof bytes - 8 * (count - i), &v, 8);
                low = v < low ? v : low;
                high = v > high ? v : high;
                slow = (int64_t)v < slow ? (int64_t)v : slow;
                shigh = (int64_t)v > shigh ? (int64_t)v : shigh;
                low32 = half < low32 ? half : low32;
                high32 = half > high32 ? half : high32;
                slow32 = (int32_t)half < slow32 ? (int32_t)half : slow32;
                shigh32 = (int32_t)half > shigh32 ? (int32_t)half : shigh32;
            }
            const uint8_t *p = bytes + sizeof bytes - 8 * count;
            rung->bounds64(p, count, 0, out);
            assert_true((int64_t)out[0] == slow && (int64_t)out[1] == shigh);
            rung->bounds64(p, count, (uint64_t)1 << 63, out);
            assert_true(out[0] == low && out[1] == high);
            uint32_t halves[MOST];
            for (size_t i = 0; i < count; i++)
                memcpy(&halves[MOST - count + i], p + 8 * i, 4);
            const uint8_t *q = (const uint8_t *)(halves + MOST - count);
            rung->bounds32(q, count, 0, out32);
            assert_true((int32_t)out32[0] == slow32 && (int32_t)out32[1] == shigh32);
            rung->bounds32(q, count, (uint32_t)1 << 31, out32);
            assert_true(out32[0] == low32 && out32[1] == high32);
        }
    }
}

static void every_rung_leaves_nan_out_of_the_bounds_and_counts_it(void **state)
{
    (void)state;
    const struct armi_pq_kernels *rung;
    double all[MOST];
    float halves[MOST];
    for (size_t r = 0; (rung = armi_pq_kernels_rung(r)) != NULL; r++) {
        for (size_t count = 1; count <= MOST; count++) {
            for (unsigned nan_in = 1; nan_in <= 4; nan_in++) {
                double low = INFINITY, high = -INFINITY, out[2];
                float out32[2];
                size_t nan = 0;
                for (size_t i = MOST - count; i < MOST; i++) {
                    all[i] = (double)(int32_t)random_next() / 256 / 65536;
                    if (random_next() % nan_in == 0)
                        all[i] = random_next() % 2 ? (double)NAN : -(double)NAN;
                    else if (random_next() % 16 == 0)
                        all[i] = random_next() % 2 ? INFINITY : -INFINITY;
                    all[i] = (double)(float)all[i];
                    halves[i] = (float)all[i];
                    nan += all[i] != all[i];
                    low = all[i] < low ? all[i] : low;
                    high = all[i] > high ? all[i] : high;
                }
                const uint8_t *p = (const uint8_t *)(all + MOST - count);
                assert_int_equal(rung->bounds_f64(p, count, out), nan);
                assert_true(nan == count || (out[0] == low && out[1] == high));
                p = (const uint8_t *)(halves + MOST - count);
                assert_int_equal(rung->bounds_f32(p, count, out32), nan);
                assert_true(nan == count ||
                            ((double)out32[0] == low && (double)out32[1] == high));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rung_finds_the_smallest_and_the_largest_integer),
        cmocka_unit_test(every_rung_leaves_nan_out_of_the_bounds_and_counts_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
