/*
 * BLAKE3 against the official vectors and against itself, on every rung that this machine has.
 */
#include "test.h"

#include <stdlib.h>

#include "base/text.h"
#include "hash/blake3.h"
#include "hash/blake3_kernel.h"

#include "../../golden/blake3/blake3_vectors.h"

#define VECTORS    (sizeof blake3_vectors / sizeof blake3_vectors[0])
#define INPUT_SIZE ((size_t)1 << 21)

static uint8_t *input; /* byte i is i mod 251 */

/* Runs a test on the portable code, then on each rung above it. */
static void on_every_rung(void (*fn)(void))
{
    static const unsigned rungs[] = {
        0,
        ARMI_BLAKE3_SSE41,
        ARMI_BLAKE3_SSE41 | ARMI_BLAKE3_AVX2,
        ARMI_BLAKE3_SSE41 | ARMI_BLAKE3_AVX2 | ARMI_BLAKE3_AVX512,
        ARMI_BLAKE3_NEON,
    };
    for (size_t i = 0; i < sizeof rungs / sizeof rungs[0]; i++) {
        armi_blake3_features_limit(rungs[i]);
        if (armi_blake3_features() == rungs[i])
            fn();
    }
    armi_blake3_features_limit(~0u);
}

static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void assert_vector(const struct armi_blake3 *self, const char *hex)
{
    uint8_t want[BLAKE3_VECTOR_SIZE], got[BLAKE3_VECTOR_SIZE];
    struct armi_hash hash;
    assert_true(armi_hex_decode(hex, want, sizeof want));
    armi_blake3_finalize_seek(self, 0, got, sizeof got);
    assert_memory_equal(got, want, sizeof want);
    armi_blake3_finalize(self, &hash);
    assert_memory_equal(hash.bytes, want, 32);
    for (size_t from = 0; from < sizeof want; from += 7) {
        memset(got, 0, sizeof got);
        armi_blake3_finalize_seek(self, from, got, sizeof want - from);
        assert_memory_equal(got, want + from, sizeof want - from);
    }
}

static void vectors(void)
{
    for (size_t i = 0; i < VECTORS; i++) {
        size_t size = blake3_vectors[i].input_size;
        struct armi_blake3 self;
        armi_blake3_init(&self);
        armi_blake3_update(&self, input, size);
        assert_vector(&self, blake3_vectors[i].hash);
        armi_blake3_init_keyed(&self, (const uint8_t *)BLAKE3_VECTOR_KEY);
        armi_blake3_update(&self, input, size);
        assert_vector(&self, blake3_vectors[i].keyed);
        armi_blake3_init_derive_key(&self, BLAKE3_VECTOR_CONTEXT);
        armi_blake3_update(&self, input, size);
        assert_vector(&self, blake3_vectors[i].derived);

        struct armi_hash one, two;
        armi_blake3_derive(BLAKE3_VECTOR_CONTEXT, input, size, &one);
        armi_blake3_finalize(&self, &two);
        assert_memory_equal(&one, &two, sizeof one);
    }
}

static void official_vectors_hold_on_every_rung(void **state)
{
    (void)state;
    on_every_rung(vectors);
}

/* The paper's recursive definition, over the portable compression function alone. */
static void model_cv(const uint8_t *data, size_t size, uint64_t leaf, uint32_t root,
                     uint8_t *out)
{
    uint32_t cv[8] = BLAKE3_IV;
    if (size <= ARMI_BLAKE3_LEAF_SIZE) {
        size_t at = 0;
        do {
            uint8_t block[64] = {0};
            size_t take = size - at < 64 ? size - at : 64;
            bool last = at + take == size;
            memcpy(block, data + at, take);
            armi_blake3_portable.compress(cv, block, (uint32_t)take, leaf,
                                          (at == 0 ? BLAKE3_LEAF_START : 0u) |
                                              (last ? BLAKE3_LEAF_END | root : 0u));
            at += take;
        } while (at < size);
    } else {
        size_t left = ARMI_BLAKE3_LEAF_SIZE;
        while (2 * left < size)
            left *= 2;
        uint8_t pair[64];
        model_cv(data, left, leaf, 0, pair);
        model_cv(data + left, size - left, leaf + left / ARMI_BLAKE3_LEAF_SIZE, 0,
                 pair + 32);
        armi_blake3_portable.compress(cv, pair, 64, 0, BLAKE3_PARENT | root);
    }
    memcpy(out, cv, 32);
}

#define SIZES 8400

static struct armi_hash *model; /* of the first SIZES sizes */

static void every_size(void)
{
    for (size_t size = 0; size < SIZES; size++) {
        struct armi_hash hash;
        armi_blake3_hash(input, size, &hash);
        assert_memory_equal(&hash, &model[size], sizeof hash);
    }
    for (size_t leaves = 8; leaves < 700; leaves += 1 + leaves / 40) {
        static const int around[] = {-1, 0, 1, 64, 1000};
        for (size_t i = 0; i < sizeof around / sizeof around[0]; i++) {
            size_t size = (size_t)((long)leaves * 1024 + around[i]);
            struct armi_hash hash, want;
            model_cv(input, size, 0, BLAKE3_ROOT, want.bytes);
            armi_blake3_hash(input, size, &hash);
            assert_memory_equal(&hash, &want, sizeof hash);
        }
    }
}

static void every_size_equals_the_definition(void **state)
{
    (void)state;
    on_every_rung(every_size);
}

static void random_splits(void)
{
    random_state = 88172645463325252u;
    for (int turn = 0; turn < 300; turn++) {
        size_t size = (size_t)(random_next() % (turn % 10 ? 20000 : INPUT_SIZE / 2));
        size_t from = (size_t)(random_next() % 100), at = 0;
        size_t step_max = (size_t)1 << (random_next() % 18);
        struct armi_hash want, got;
        struct armi_blake3 self, copy;
        struct armi_slice pieces[64];
        armi_blake3_hash(input + from, size, &want);
        armi_blake3_init(&self);
        while (at < size) {
            bool gather = random_next() % 2;
            size_t count = gather ? (size_t)(random_next() % 64) : 1, start = at;
            for (size_t i = 0; i < count; i++) {
                size_t step = (size_t)(random_next() % (step_max + 1));
                step = step < size - at ? step : size - at;
                pieces[i] = (struct armi_slice){input + from + at, step};
                at += step;
            }
            if (gather)
                armi_blake3_update_pieces(&self, pieces, count);
            else
                armi_blake3_update(&self, input + from + start, at - start);
            copy = self;
            armi_blake3_finalize(&copy, &got); /* asking in between changes nothing */
        }
        armi_blake3_finalize(&self, &got);
        assert_memory_equal(&got, &want, sizeof got);
    }
}

static void random_splits_equal_one_call(void **state)
{
    (void)state;
    on_every_rung(random_splits);
}

static void subtrees(void)
{
    for (size_t log2 = 14; log2 <= 18; log2++) {
        size_t part = (size_t)1 << log2;
        for (size_t size = part + 1; size < 7 * part && size < INPUT_SIZE;
             size += part / 3 + 17) {
            struct armi_hash values[8], root, want, cv;
            size_t count = 0;
            for (size_t at = 0; at < size; at += part) {
                struct armi_blake3 self;
                size_t take = size - at < part ? size - at : part;
                armi_blake3_subtree_init(&self, at / 1024);
                armi_blake3_update(&self, input + at, take);
                armi_blake3_subtree_finalize(&self, &values[count]);
                model_cv(input + at, take, at / 1024, 0, cv.bytes);
                assert_memory_equal(&cv, &values[count], sizeof cv);
                count++;
            }
            armi_blake3_hash(input, size, &want);
            if (count == 2) {
                armi_blake3_parent(&values[0], &values[1], true, &root);
                assert_memory_equal(&root, &want, sizeof root);
            }
            armi_blake3_combine(values, count, &root);
            assert_memory_equal(&root, &want, sizeof root);
        }
    }
}

static void subtree_values_combine_to_the_hash(void **state)
{
    (void)state;
    on_every_rung(subtrees);
}

static void parallel_equals_serial(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    for (unsigned threads = 0; threads <= 3; threads++) {
        struct armi_parallel options = {.threads = threads};
        for (size_t size = 0; size <= INPUT_SIZE; size += 99991) {
            struct armi_hash want, got;
            armi_blake3_hash(input, size, &want);
            ok(armi_blake3_hash_parallel(&options, input, size, &got, &err));
            assert_memory_equal(&got, &want, sizeof got);
        }
    }
}

static void many(void)
{
    enum { COUNT = 500 };
    struct armi_slice inputs[COUNT];
    struct armi_hash got[COUNT], want;
    random_state = 1234567;
    for (int turn = 0; turn < 40; turn++) {
        size_t size_max = turn % 4 == 0 ? 5000 : (size_t)1 << (turn % 11);
        size_t count = turn < 20 ? COUNT : (size_t)turn;
        for (size_t i = 0; i < count; i++)
            inputs[i] = (struct armi_slice){input + random_next() % 1000,
                                            (size_t)(random_next() % (size_max + 1))};
        armi_blake3_hash_many(inputs, count, got);
        for (size_t i = 0; i < count; i++) {
            armi_blake3_hash(inputs[i].data, inputs[i].size, &want);
            assert_memory_equal(&got[i], &want, sizeof want);
        }
    }
}

static void many_small_inputs_equal_one_by_one(void **state)
{
    (void)state;
    on_every_rung(many);
}

/* The kernel alone against its portable twin: also what the tree never asks for, and a counter whose
 * low half overflows between the lanes. */
static void kernel_jobs(void)
{
    static const uint64_t counters[] = {0, 77, 0xfffffff0, 0xffffffffe0, UINT64_MAX - 100};
    enum { COUNT = 80 };
    const uint8_t *inputs[COUNT];
    uint32_t key[8], sizes[COUNT];
    uint8_t got[32 * COUNT + 1], want[32 * COUNT];
    random_state = 42;
    for (int turn = 0; turn < 1000; turn++) {
        struct armi_blake3_lanes job = {
            .inputs = inputs,
            .count = (size_t)(random_next() % (COUNT + 1)),
            .blocks = 1 + (size_t)(random_next() % 16),
            .key = key,
            .counter = counters[random_next() % 5],
            .counts = random_next() % 2,
            .flags = (uint32_t)(random_next() % 128),
            .flags_first = BLAKE3_LEAF_START,
            .flags_last = BLAKE3_LEAF_END,
            .last_sizes = random_next() % 2 ? sizes : NULL,
        };
        for (size_t i = 0; i < COUNT; i++) {
            inputs[i] = input + random_next() % 100000;
            sizes[i] = (uint32_t)(random_next() % 65);
        }
        for (size_t i = 0; i < 8; i++)
            key[i] = (uint32_t)random_next();
        got[32 * job.count] = 99;
        armi_blake3_kernel()->hash_lanes(&job, got);
        armi_blake3_portable.hash_lanes(&job, want);
        assert_memory_equal(got, want, 32 * job.count);
        assert_int_equal(got[32 * job.count], 99);
    }
}

static void kernels_equal_their_portable_twin(void **state)
{
    (void)state;
    on_every_rung(kernel_jobs);
}

static int prepare(void **state)
{
    (void)state;
    input = malloc(INPUT_SIZE);
    model = malloc(SIZES * sizeof *model);
    for (size_t i = 0; i < INPUT_SIZE; i++)
        input[i] = (uint8_t)(i % 251);
    for (size_t size = 0; size < SIZES; size++)
        model_cv(input, size, 0, BLAKE3_ROOT, model[size].bytes);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    free(input);
    free(model);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(official_vectors_hold_on_every_rung),
        cmocka_unit_test(every_size_equals_the_definition),
        cmocka_unit_test(random_splits_equal_one_call),
        cmocka_unit_test(subtree_values_combine_to_the_hash),
        cmocka_unit_test(parallel_equals_serial),
        cmocka_unit_test(many_small_inputs_equal_one_by_one),
        cmocka_unit_test(kernels_equal_their_portable_twin),
    };
    return cmocka_run_group_tests(tests, prepare, clean);
}
