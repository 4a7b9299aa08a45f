#include "test.h"

#include <stdlib.h>

#include "base/bits.h"
#include "parquet/dec_delta.h"

static void put_varint(struct armi_buf *buf, uint64_t v)
{
    assert_int_equal(armi_buf_append_varint(buf, v, NULL), ARMI_OK);
}

static uint64_t zigzag(uint64_t v)
{
    return v << 1 ^ (0 - (v >> 63));
}

/* A naive writer of any block shape. `extra` widens every miniblock, `wide` takes 64-bit deltas. */
static void encode(const uint64_t *values, size_t count, size_t block, size_t miniblocks,
                   unsigned extra, struct armi_buf *out)
{
    size_t mini = block / miniblocks;
    put_varint(out, block);
    put_varint(out, miniblocks);
    put_varint(out, count);
    put_varint(out, zigzag(count > 0 ? values[0] : 0));
    for (size_t at = 1; at < count; at += block) {
        size_t n = count - at < block ? count - at : block;
        int64_t least = INT64_MAX;
        for (size_t i = 0; i < n; i++) {
            int64_t d = (int64_t)(values[at + i] - values[at + i - 1]);
            least = d < least ? d : least;
        }
        put_varint(out, zigzag((uint64_t)least));
        uint8_t widths[64];
        for (size_t m = 0; m < miniblocks; m++) {
            uint64_t any = 0;
            for (size_t i = m * mini; i < (m + 1) * mini && i < n; i++)
                any |= values[at + i] - values[at + i - 1] - (uint64_t)least;
            widths[m] = (uint8_t)(armi_bit_width(any) + extra);
            if (widths[m] > 64)
                widths[m] = 64;
            if (m * mini >= n)
                widths[m] = 0xee; /* of a miniblock without values: anything */
        }
        assert_int_equal(armi_buf_append(out, widths, miniblocks, NULL), ARMI_OK);
        for (size_t m = 0; m < miniblocks && m * mini < n; m++) {
            uint8_t *bits;
            size_t size = mini * widths[m] / 8;
            assert_int_equal(armi_buf_extend(out, size, &bits, NULL), ARMI_OK);
            memset(bits, 0, size);
            for (size_t i = m * mini; i < (m + 1) * mini && i < n; i++) {
                uint64_t d = values[at + i] - values[at + i - 1] - (uint64_t)least;
                for (unsigned k = 0; k < widths[m]; k++)
                    if (d >> k & 1)
                        armi_bit_set(bits, (i - m * mini) * widths[m] + k);
            }
        }
    }
}

static const size_t shapes[][2] = {{128, 4}, {256, 4}, {2048, 8},
                                   {128, 1}, {32, 1},  {64, 8}};
#define SHAPES (sizeof shapes / sizeof shapes[0])

static uint64_t random64(void)
{
    return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
}

static void fill(uint64_t *values, size_t count, int kind, bool is_32)
{
    uint64_t v = 0;
    for (size_t i = 0; i < count; i++) {
        v = kind == 0 ? v + 3 : kind == 1 ? v + (uint64_t)(rand() % 1000) : random64();
        values[i] = is_32 ? (uint64_t)(int64_t)(int32_t)v : v;
    }
}

static void values_of_any_block_shape_come_back(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static const size_t counts[] = {0, 1, 2, 33, 128, 129, 1000, 5000};
    static uint64_t values[5000], out64[5000];
    static uint32_t out32[5000];
    for (size_t s = 0; s < SHAPES; s++) {
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            for (int kind = 0; kind < 6; kind++) {
                struct armi_buf buf = {0};
                size_t used, count = counts[c];
                fill(values, count, kind % 3, kind >= 3);
                encode(values, count, shapes[s][0], shapes[s][1], (unsigned)kind, &buf);
                ok(armi_pq_delta_read64(armi_buf_slice(&buf), out64, count, &used, &err));
                assert_int_equal(used, buf.size);
                assert_true(count == 0 || memcmp(out64, values, 8 * count) == 0);
                /* 33-bit deltas of full-range int32 are what some writers do not wrap. */
                ok(armi_pq_delta_read32(armi_buf_slice(&buf), out32, count, &used, &err));
                for (size_t i = 0; i < count; i++)
                    assert_true(out32[i] == (uint32_t)values[i]);
                armi_buf_release(&buf);
            }
        }
    }
}

static void a_cut_tail_is_refused_unless_it_is_padding(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    uint64_t values[40], out[40];
    struct armi_buf buf = {0};
    fill(values, 40, 1, false);
    encode(values, 40, 128, 4, 0, &buf);
    size_t refused = 0;
    for (size_t size = 0; size < buf.size; size++) {
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, buf.data, size);
        enum armi_status status =
            armi_pq_delta_read64((struct armi_slice){copy, size}, out, 40, NULL, &err);
        if (status != ARMI_OK)
            refused++;
        else
            assert_memory_equal(out, values, sizeof values);
        free(copy);
    }
    assert_in_range(refused, 40, buf.size - 1);
    fails(ARMI_CORRUPTION, armi_pq_delta_read64(armi_buf_slice(&buf), out, 39, NULL, &err));
    armi_buf_release(&buf);
}

static void a_header_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static const uint64_t heads[][2] = {{0, 4},           {128, 0}, {128, 3},
                                        {4, 1},           {12, 1},  {UINT64_C(1) << 40, 1},
                                        {128, UINT64_MAX}};
    uint32_t out[2];
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct armi_buf buf = {0};
        put_varint(&buf, heads[i][0]);
        put_varint(&buf, heads[i][1]);
        put_varint(&buf, 2);
        put_varint(&buf, 0);
        put_varint(&buf, 0);
        fails(ARMI_CORRUPTION,
              armi_pq_delta_read32(armi_buf_slice(&buf), out, 2, NULL, &err));
        armi_buf_release(&buf);
    }
    static const uint8_t wide[] = {0x80, 0x01, 0x01, 0x02, 0x00, 0x00, 65, 0,
                                   0,    0,    0,    0,    0,    0,    0,  0};
    fails(ARMI_CORRUPTION,
          armi_pq_delta_read32((struct armi_slice){wide, sizeof wide}, out, 2, NULL, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_any_block_shape_come_back),
        cmocka_unit_test(a_cut_tail_is_refused_unless_it_is_padding),
        cmocka_unit_test(a_header_that_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
