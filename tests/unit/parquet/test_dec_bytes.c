#include "test.h"

#include <stdlib.h>

#include "base/bits.h"
#include "parquet/dec_bytes.h"
#include "parquet/dec_values.h"

#define COUNT 500

/* Values of odd lengths, some empty, some long, many that share a prefix with the one before. */
struct sample {
    uint8_t data[COUNT * 120];
    uint32_t offsets[COUNT + 1];
};

static void sample_init(struct sample *s, unsigned seed)
{
    srand(seed);
    s->offsets[0] = 0;
    for (size_t i = 0; i < COUNT; i++) {
        uint32_t at = s->offsets[i];
        size_t n = rand() % 5 == 0 ? (size_t)rand() % 120 : (size_t)rand() % 24;
        size_t last = i > 0 ? at - s->offsets[i - 1] : 0;
        size_t shared = rand() % 2 ? (last < n ? last : n) : 0;
        if (shared > 0)
            memcpy(s->data + at, s->data + s->offsets[i - 1], shared);
        for (size_t k = shared; k < n; k++)
            s->data[at + k] = (uint8_t)('a' + rand() % 26);
        s->offsets[i + 1] = at + (uint32_t)n;
    }
}

static void put(struct armi_buf *buf, const void *data, size_t size)
{
    assert_int_equal(armi_buf_append(buf, data, size, NULL), ARMI_OK);
}

static void put_plain(const struct sample *s, struct armi_buf *buf)
{
    for (size_t i = 0; i < COUNT; i++) {
        uint32_t n = s->offsets[i + 1] - s->offsets[i];
        put(buf, &n, 4);
        put(buf, s->data + s->offsets[i], n);
    }
}

/* Deltas of 32 bits a value: simple, legal. */
static void put_lengths(const uint32_t *lengths, struct armi_buf *buf)
{
    static const uint8_t head[] = {0x80, 0x01, 0x01, (COUNT & 0x7f) | 0x80, COUNT >> 7};
    put(buf, head, sizeof head);
    assert_int_equal(armi_buf_append_varint(buf, (uint64_t)lengths[0] << 1, NULL), ARMI_OK);
    for (size_t at = 1; at < COUNT; at += 128) {
        uint8_t width = 32;
        assert_int_equal(armi_buf_append_varint(buf, 0, NULL), ARMI_OK);
        put(buf, &width, 1);
        for (size_t i = at; i < at + 128; i++) {
            uint32_t d = i < COUNT ? lengths[i] - lengths[i - 1] : 0;
            put(buf, &d, 4);
        }
    }
}

static void put_delta_length(const struct sample *s, struct armi_buf *buf)
{
    uint32_t lengths[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        lengths[i] = s->offsets[i + 1] - s->offsets[i];
    put_lengths(lengths, buf);
    put(buf, s->data, s->offsets[COUNT]);
}

static void put_delta(const struct sample *s, struct armi_buf *buf)
{
    uint32_t prefix[COUNT], suffix[COUNT];
    struct armi_buf rest = {0};
    for (size_t i = 0; i < COUNT; i++) {
        const uint8_t *a = s->data + s->offsets[i],
                      *b = i > 0 ? s->data + s->offsets[i - 1] : a;
        uint32_t n = s->offsets[i + 1] - s->offsets[i], p = 0;
        uint32_t m = i > 0 ? s->offsets[i] - s->offsets[i - 1] : 0;
        while (p < n && p < m && a[p] == b[p])
            p++;
        prefix[i] = p;
        suffix[i] = n - p;
        put(&rest, a + p, n - p);
    }
    put_lengths(prefix, buf);
    put_lengths(suffix, buf);
    put(buf, rest.data, rest.size);
    armi_buf_release(&rest);
}

typedef enum armi_status (*read_fn)(const struct armi_pq_span *, struct armi_pq_sink *,
                                    struct armi_pq_scratch *, struct armi_error *);

static const struct {
    void (*put)(const struct sample *, struct armi_buf *);
    read_fn read;
} encodings[] = {{put_plain, armi_pq_bytes_plain},
                 {put_delta_length, armi_pq_bytes_delta_length},
                 {put_delta, armi_pq_bytes_delta}};

static void assert_sink(const struct armi_pq_sink *sink, const struct sample *s,
                        size_t from, size_t at, size_t count)
{
    bool is_64 = sink->kind == ARMI_PQ_SINK_BYTES64;
    for (size_t i = 0; i < count; i++) {
        uint64_t a, b;
        if (is_64) {
            a = armi_load64(sink->values + 8 * (at + i));
            b = armi_load64(sink->values + 8 * (at + i) + 8);
        } else {
            a = armi_load32(sink->values + 4 * (at + i));
            b = armi_load32(sink->values + 4 * (at + i) + 4);
        }
        uint32_t n = s->offsets[from + i + 1] - s->offsets[from + i];
        assert_int_equal(b - a, n);
        assert_memory_equal(sink->data + a, s->data + s->offsets[from + i], n);
    }
}

static void spans_of_every_encoding_equal_the_values(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static struct sample s;
    struct armi_pq_scratch scratch = {0};
    sample_init(&s, 5);
    for (size_t e = 0; e < 3; e++) {
        struct armi_buf buf = {0};
        encodings[e].put(&s, &buf);
        for (int kind = ARMI_PQ_SINK_BYTES32; kind <= ARMI_PQ_SINK_BYTES64; kind++) {
            struct armi_pq_sink sink;
            armi_pq_sink_init(&sink, (enum armi_pq_sink_kind)kind, 0, NULL);
            for (size_t skip = 0; skip < COUNT; skip += 83) {
                for (size_t count = 0; skip + count <= COUNT; count += 139) {
                    struct armi_pq_span span = {armi_buf_slice(&buf), COUNT, skip, count};
                    size_t at = sink.length;
                    ok(armi_pq_sink_reserve(&sink, count, count, &err));
                    ok(encodings[e].read(&span, &sink, &scratch, &err));
                    armi_pq_sink_close_page(&sink, count, count);
                    assert_sink(&sink, &s, skip, at, count);
                }
            }
            armi_pq_sink_release(&sink);
        }
        armi_buf_release(&buf);
    }
    armi_pq_scratch_release(&scratch);
}

/* Cut anywhere, a page gives the right values or an error, and no byte beyond it is read. */
static void a_page_cut_short_is_refused(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static struct sample s;
    struct armi_pq_scratch scratch = {0};
    sample_init(&s, 6);
    for (size_t e = 0; e < 3; e++) {
        struct armi_buf buf = {0};
        encodings[e].put(&s, &buf);
        for (size_t size = 0; size < buf.size; size += size < 300 ? 1 : 37) {
            uint8_t *copy = malloc(size + 1);
            struct armi_pq_sink sink;
            memcpy(copy, buf.data, size);
            armi_pq_sink_init(&sink, ARMI_PQ_SINK_BYTES32, 0, NULL);
            struct armi_pq_span span = {{copy, size}, COUNT, 0, COUNT};
            ok(armi_pq_sink_reserve(&sink, COUNT, COUNT, &err));
            fails(ARMI_CORRUPTION, encodings[e].read(&span, &sink, &scratch, &err));
            armi_pq_sink_release(&sink);
            free(copy);
        }
        armi_buf_release(&buf);
    }
    armi_pq_scratch_release(&scratch);
}

static void a_prefix_longer_than_the_value_before_is_refused(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_pq_scratch scratch = {0};
    struct armi_pq_sink sink;
    /* one value with a prefix of 1, though none comes before it, and a suffix of 1 */
    static const uint8_t bytes[] = {0x80, 0x01, 0x01, 0x01, 0x02, 0x80,
                                    0x01, 0x01, 0x01, 0x02, 'a'};
    struct armi_pq_span span = {{bytes, sizeof bytes}, 1, 0, 1};
    armi_pq_sink_init(&sink, ARMI_PQ_SINK_BYTES32, 0, NULL);
    ok(armi_pq_sink_reserve(&sink, 1, 1, &err));
    fails(ARMI_CORRUPTION, armi_pq_bytes_delta(&span, &sink, &scratch, &err));
    armi_pq_sink_release(&sink);
    armi_pq_scratch_release(&scratch);
}

static void gathered_text_equals_the_dictionary(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static struct sample s;
    struct armi_pq_scratch scratch = {0};
    sample_init(&s, 7);
    uint8_t data[sizeof s.data + ARMI_PQ_SLACK];
    memcpy(data, s.data, sizeof s.data);
    for (uint32_t longest = 16; longest <= 120; longest += 104) {
        uint32_t n = 0;
        for (; n < COUNT && (longest == 120 || s.offsets[n + 1] - s.offsets[n] <= 16); n++)
            ;
        if (n == 0)
            continue;
        struct armi_pq_bytes_dictionary d = {data, s.offsets, n, longest};
        struct armi_buf buf = {0};
        uint32_t indices[1000];
        /* width 16; 124 packed groups of eight, then a run of eight */
        uint8_t packed_head[] = {16, ((124 << 1 | 1) & 0x7f) | 0x80, 124 >> 6};
        put(&buf, packed_head, 3);
        for (size_t i = 0; i < 992; i++) {
            indices[i] = (uint32_t)rand() % n;
            uint16_t v = (uint16_t)indices[i];
            put(&buf, &v, 2);
        }
        uint8_t run[] = {8 << 1, (uint8_t)(n - 1), (uint8_t)((n - 1) >> 8)};
        put(&buf, run, 3);
        for (size_t i = 992; i < 1000; i++)
            indices[i] = n - 1;
        struct armi_pq_sink sink;
        armi_pq_sink_init(&sink, ARMI_PQ_SINK_BYTES32, 0, NULL);
        struct armi_pq_span span = {armi_buf_slice(&buf), 1000, 13, 987};
        ok(armi_pq_sink_reserve(&sink, 987, 987, &err));
        ok(armi_pq_bytes_gather(&span, &d, &sink, &scratch, &err));
        armi_pq_sink_close_page(&sink, 987, 987);
        for (size_t i = 0; i < 987; i++) {
            uint32_t a = armi_load32(sink.values + 4 * i),
                     b = armi_load32(sink.values + 4 * i + 4);
            uint32_t k = indices[13 + i];
            assert_int_equal(b - a, s.offsets[k + 1] - s.offsets[k]);
            assert_memory_equal(sink.data + a, s.data + s.offsets[k], b - a);
        }
        armi_pq_sink_release(&sink);
        d.count = n - 1;
        ok(armi_pq_sink_reserve(&sink, 987, 987, &err));
        fails(ARMI_CORRUPTION, armi_pq_bytes_gather(&span, &d, &sink, &scratch, &err));
        armi_pq_sink_release(&sink);
        armi_buf_release(&buf);
    }
    armi_pq_scratch_release(&scratch);
}

static void packed_values_spread_over_nulls(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    static const uint32_t widths[] = {1, 2, 4, 8, 16, 5, 32};
    srand(11);
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
        for (int density = 0; density <= 10; density += 2) {
            struct armi_pq_sink sink;
            uint8_t want[3000 * 32], bits[3000];
            size_t width = widths[w], total = 0;
            armi_pq_sink_init(&sink, ARMI_PQ_SINK_FIXED, widths[w], NULL);
            for (int page = 0; page < 5; page++) {
                size_t slots = (size_t)rand() % 500, valid = 0;
                ok(armi_pq_sink_reserve(&sink, slots, slots, &err));
                ok(armi_pq_sink_need_validity(&sink, &err));
                for (size_t i = 0; i < slots; i++) {
                    bits[total + i] = rand() % 10 < density;
                    uint8_t *to = want + (total + i) * width;
                    memset(to, 0, width);
                    if (!bits[total + i])
                        continue;
                    armi_bit_set(sink.validity, total + i);
                    for (size_t k = 0; k < width; k++)
                        to[k] = (uint8_t)rand();
                    memcpy(sink.values + (total + valid) * width, to, width);
                    valid++;
                }
                armi_pq_sink_close_page(&sink, slots, valid);
                total += slots;
            }
            assert_int_equal(sink.length, total);
            assert_memory_equal(sink.values, want, total * width);
            for (size_t i = 0; i < total; i++)
                assert_int_equal(armi_bit_get(sink.validity, i), bits[i]);
            armi_pq_sink_release(&sink);
        }
    }
}

static void a_budget_is_kept(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_pq_budget budget = {.max = 1000};
    struct armi_pq_sink sink;
    armi_pq_sink_init(&sink, ARMI_PQ_SINK_FIXED, 8, &budget);
    ok(armi_pq_sink_reserve(&sink, 100, 100, &err));
    fails(ARMI_LIMIT, armi_pq_sink_reserve(&sink, 200, 200, &err));
    fails(ARMI_LIMIT, armi_pq_sink_reserve(&sink, SIZE_MAX / 4, SIZE_MAX / 4, &err));
    ok(armi_pq_sink_reserve_data(&sink, 100, 1, &err));
    fails(ARMI_LIMIT, armi_pq_sink_reserve_data(&sink, 1000, 1, &err));
    assert_true(atomic_load(&budget.was_hit));
    armi_pq_sink_release(&sink);
}

static void text_is_checked_value_by_value(void **state)
{
    (void)state;
    static const uint8_t data[] = "a\xc3\xa9z";
    uint32_t whole[] = {0, 1, 3, 4}, split[] = {0, 2, 3, 4};
    assert_true(armi_pq_utf8_check(data, whole, false, 3));
    assert_false(armi_pq_utf8_check(data, split, false, 3));
    uint64_t wide[] = {0, 1, 3, 4}, wide_split[] = {1, 2, 4};
    assert_true(armi_pq_utf8_check(data, wide, true, 3));
    assert_false(armi_pq_utf8_check(data, wide_split, true, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_of_every_encoding_equal_the_values),
        cmocka_unit_test(a_page_cut_short_is_refused),
        cmocka_unit_test(a_prefix_longer_than_the_value_before_is_refused),
        cmocka_unit_test(gathered_text_equals_the_dictionary),
        cmocka_unit_test(packed_values_spread_over_nulls),
        cmocka_unit_test(a_budget_is_kept),
        cmocka_unit_test(text_is_checked_value_by_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
