/*
 * The narrow waist between the tree (blake3.c) and the instruction sets: what a kernel is given, and
 * the constants of the compression function. Only files of this layer, its tests and its benchmark
 * include this.
 */
#ifndef ARMI_HASH_BLAKE3_KERNEL_H
#define ARMI_HASH_BLAKE3_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Domain flags, section 2 of the BLAKE3 paper. */
enum {
    BLAKE3_LEAF_START = 1 << 0,
    BLAKE3_LEAF_END = 1 << 1,
    BLAKE3_PARENT = 1 << 2,
    BLAKE3_ROOT = 1 << 3,
    BLAKE3_KEYED = 1 << 4,
    BLAKE3_CONTEXT = 1 << 5,
    BLAKE3_MATERIAL = 1 << 6,
};

/* clang-format off */
#define BLAKE3_IV                                                                                    \
    {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19}
/* clang-format on */

/* clang-format off */
/* f applied to the sixteen message words in the order in which each round takes them. */
#define BLAKE3_ROUNDS(f) BLAKE3_ROUNDS_0_TO_3(f) BLAKE3_ROUNDS_4_TO_6(f)
#define BLAKE3_ROUNDS_0_TO_3(f)                                                                      \
    f(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)                                          \
    f(2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)                                          \
    f(3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1)                                          \
    f(10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6)
#define BLAKE3_ROUNDS_4_TO_6(f)                                                                      \
    f(12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4)                                          \
    f(9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7)                                          \
    f(11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13)
/* clang-format on */

/* Inputs of the same number of whole blocks, each hashed on its own, side by side. */
struct armi_blake3_lanes {
    const uint8_t *const *inputs;
    size_t count;
    size_t blocks; /* of each input, >= 1 */
    const uint32_t *key;
    uint64_t counter; /* of the first input */
    bool counts;      /* whether each input's counter is one more than the one before */
    uint32_t flags;   /* of every block */
    uint32_t flags_first, flags_last; /* added on the first and the last block */
    const uint32_t *last_sizes; /* bytes of each input's last block; NULL = all are full */
};

/* Counters of the inputs from `at` on, low and high halves. */
static inline void armi_blake3_lanes_counters(const struct armi_blake3_lanes *job,
                                              size_t at, size_t count, uint32_t *low,
                                              uint32_t *high)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t counter = job->counter + (job->counts ? at + i : 0);
        low[i] = (uint32_t)counter;
        high[i] = (uint32_t)(counter >> 32);
    }
}

/* Sizes of the last blocks of the inputs from `at` on. Idle lanes repeat the last input. */
static inline void armi_blake3_lanes_sizes(const struct armi_blake3_lanes *job, size_t at,
                                           size_t count, uint32_t *sizes)
{
    for (size_t i = 0; i < count; i++)
        sizes[i] = job->last_sizes[at + i < job->count ? at + i : job->count - 1];
}

static inline uint32_t armi_blake3_lanes_flags(const struct armi_blake3_lanes *job,
                                               size_t block)
{
    return job->flags | (block == 0 ? job->flags_first : 0) |
           (block + 1 == job->blocks ? job->flags_last : 0);
}

struct armi_blake3_kernel {
    const char *name;
    /* The first half of the output, in place of the chaining value. */
    void (*compress)(uint32_t cv[8], const uint8_t *block, uint32_t size, uint64_t counter,
                     uint32_t flags);
    /* All 64 bytes. */
    void (*expand)(const uint32_t cv[8], const uint8_t *block, uint32_t size,
                   uint64_t counter, uint32_t flags, uint8_t *out);
    /*
     * 32 bytes an input. `out` may be where the inputs are, if input i lies at or behind out + 64 * i
     * and blocks is 1: results are written after the blocks of the same turn are read.
     */
    void (*hash_lanes)(const struct armi_blake3_lanes *job, uint8_t *out);
};

/* Instruction sets, bits of the feature word. */
enum {
    ARMI_BLAKE3_SSE41 = 1 << 0,
    ARMI_BLAKE3_AVX2 = 1 << 1,
    ARMI_BLAKE3_AVX512 = 1 << 2, /* F and VL */
    ARMI_BLAKE3_NEON = 1 << 3,
};

/* What this machine and its operating system can do, of what was compiled in. */
unsigned armi_blake3_features(void);
/* For tests and benchmarks: pretend that only these are there. Bits the machine lacks are ignored. */
void armi_blake3_features_limit(unsigned features);
/* The best rung for the feature word. */
const struct armi_blake3_kernel *armi_blake3_kernel(void);

/* Single blocks in plain C, which no vector unit does faster: see docs/design/blake3.md. */
void armi_blake3_compress(uint32_t cv[8], const uint8_t *block, uint32_t size,
                          uint64_t counter, uint32_t flags);
void armi_blake3_expand(const uint32_t cv[8], const uint8_t *block, uint32_t size,
                        uint64_t counter, uint32_t flags, uint8_t *out);

extern const struct armi_blake3_kernel armi_blake3_portable;
extern const struct armi_blake3_kernel armi_blake3_sse41;
extern const struct armi_blake3_kernel armi_blake3_avx2;
extern const struct armi_blake3_kernel armi_blake3_avx512;
extern const struct armi_blake3_kernel armi_blake3_neon;

#endif
