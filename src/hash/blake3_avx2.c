/*
 * BLAKE3 with AVX2: eight inputs side by side. The sixteen registers hold the sixteen words of the
 * state, but for word 8, which lives in memory: its register is free for the rotations that AVX2 has
 * to put together from two shifts. The rounds are assembly because compilers spill half of the state
 * instead (docs/design/blake3.md). Single blocks go the way of SSE4.1.
 */
#include "hash/blake3_kernel.h"
#include "hash/blake3_rounds.h"
#include "hash/blake3_transpose.h"

#include <string.h>

#define LANES 8

/* Everything that the rounds touch. */
struct state8 {
    __m256i h[8]; /* chaining values, in and out */
    __m256i iv[4];
    __m256i low, high; /* of the counters */
    __m256i size, flags;
    __m256i word8;
    __m256i rotate16, rotate8; /* byte shuffles */
    __m256i m[16];
};

#define TERNARY(op, b, c, a) op " " b ", %%ymm" c ", %%ymm" a "\n\t"

#define R_ADD(a, b)         TERNARY("vpaddd", "%%ymm" #b, #a, #a)
#define R_ADD_MESSAGE(a, w) TERNARY("vpaddd", #w "*32+%c[m](%[s])", #a, #a)
#define R_XOR(a, b)         TERNARY("vpxor", "%%ymm" #b, #a, #a)
/* Word 8: from memory and back, and in its register until the next rotation. */
#define R_ADD_C(c, d) ADD_C_##c(d)
#define ADD_C_8(d)                                                                                   \
    TERNARY("vpaddd", "%c[word8](%[s])", #d, "8") "vmovdqa %%ymm8, %c[word8](%[s])\n\t"
#define ADD_C_9(d)     R_ADD(9, d)
#define ADD_C_10(d)    R_ADD(10, d)
#define ADD_C_11(d)    R_ADD(11, d)
#define R_ROTATE(a, n) ROTATE_##n(a)
#define ROTATE_16(a)   TERNARY("vpshufb", "%c[rotate16](%[s])", #a, #a)
#define ROTATE_8(a)    TERNARY("vpshufb", "%c[rotate8](%[s])", #a, #a)
#define SHIFTS(a, right, left)                                                                       \
    TERNARY("vpsrld", "$" #right, #a, "8")                                                           \
    TERNARY("vpslld", "$" #left, #a, #a)                                                             \
    TERNARY("vpor", "%%ymm8", #a, #a)
#define ROTATE_12(a) SHIFTS(a, 12, 20)
#define ROTATE_7(a)  SHIFTS(a, 7, 25)

#define BEGIN(i) "vmovdqa " #i "*32(%[s]), %%ymm" #i "\n\t"
#define END(i, v)                                                                                    \
    R_XOR(i, v) "vmovdqa %%ymm" #i ", " #i "*32(%[s])\n\t"

/* h, iv, low, high, size and flags are the sixteen words in their order. */
static inline void rounds8(struct state8 *s)
{
    s->word8 = s->iv[0];
    __asm__ volatile(
        BEGIN(0) BEGIN(1) BEGIN(2) BEGIN(3) BEGIN(4) BEGIN(5) BEGIN(6) BEGIN(7) BEGIN(9) BEGIN(10)
        BEGIN(11) BEGIN(12) BEGIN(13) BEGIN(14) BEGIN(15)
        BLAKE3_ROUNDS(R_ROUND)
        TERNARY("vpxor", "%c[word8](%[s])", "0", "0") "vmovdqa %%ymm0, (%[s])\n\t"
        END(1, 9) END(2, 10) END(3, 11) END(4, 12) END(5, 13) END(6, 14) END(7, 15)
        :
        : [s] "r"(s), [m] "i"(offsetof(struct state8, m)),
          [word8] "i"(offsetof(struct state8, word8)),
          [rotate16] "i"(offsetof(struct state8, rotate16)),
          [rotate8] "i"(offsetof(struct state8, rotate8))
        : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
          "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

static inline __m256i set1(uint32_t x)
{
    return _mm256_set1_epi32((int)x);
}

static void lanes8(const struct armi_blake3_lanes *job, size_t at, uint8_t *out)
{
    static const uint32_t iv[8] = BLAKE3_IV;
    struct state8 s;
    const uint8_t *inputs[LANES];
    size_t left = job->count - at < LANES ? job->count - at : LANES;
    for (size_t i = 0; i < LANES; i++) /* idle lanes repeat the last input */
        inputs[i] = job->inputs[at + (i < left ? i : left - 1)];
    if (job->counts) {
        uint32_t low[LANES], high[LANES];
        armi_blake3_lanes_counters(job, at, LANES, low, high);
        memcpy(&s.low, low, sizeof low);
        memcpy(&s.high, high, sizeof high);
    } else {
        s.low = set1((uint32_t)job->counter);
        s.high = set1((uint32_t)(job->counter >> 32));
    }
    for (int i = 0; i < 8; i++)
        s.h[i] = set1(job->key[i]);
    for (int i = 0; i < 4; i++)
        s.iv[i] = set1(iv[i]);
    s.size = set1(64);
    s.rotate16 = _mm256_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13, 2, 3, 0, 1, 6,
                                  7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
    s.rotate8 = _mm256_setr_epi8(1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12, 1, 2, 3, 0, 5,
                                 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
    for (size_t b = 0; b < job->blocks; b++) {
        s.flags = set1(armi_blake3_lanes_flags(job, b));
        blake3_load8(inputs, 64 * b, s.m);
        rounds8(&s);
    }
    if (left == LANES) {
        blake3_store8(s.h, out);
    } else {
        uint8_t all[32 * LANES];
        blake3_store8(s.h, all);
        memcpy(out, all, 32 * left);
    }
}

static void hash_lanes(const struct armi_blake3_lanes *job, uint8_t *out)
{
    for (size_t i = 0; i < job->count; i += LANES)
        lanes8(job, i, out + 32 * i);
}

const struct armi_blake3_kernel armi_blake3_avx2 = {
    .name = "avx2",
    .compress = armi_blake3_compress,
    .expand = armi_blake3_expand,
    .hash_lanes = hash_lanes,
};
