/*
 * BLAKE3 with AVX-512 (F and VL): up to sixteen inputs side by side in vectors of the least width that
 * holds them. From 32 inputs on two sets of sixteen lanes run interleaved, because one set is bound by
 * the latency of its own chain, not by the width of the machine (docs/design/blake3.md).
 */
#include "hash/blake3_kernel.h"
#include "hash/blake3_rounds.h"
#include "hash/blake3_transpose.h"

#include <immintrin.h>
#include <string.h>

static inline void transpose16(__m512i r[16])
{
    __m512i t[16];
    for (int g = 0; g < 4; g++) {
        __m512i a = _mm512_unpacklo_epi32(r[4 * g], r[4 * g + 1]);
        __m512i b = _mm512_unpackhi_epi32(r[4 * g], r[4 * g + 1]);
        __m512i c = _mm512_unpacklo_epi32(r[4 * g + 2], r[4 * g + 3]);
        __m512i d = _mm512_unpackhi_epi32(r[4 * g + 2], r[4 * g + 3]);
        t[4 * g] = _mm512_unpacklo_epi64(a, c);
        t[4 * g + 1] = _mm512_unpackhi_epi64(a, c);
        t[4 * g + 2] = _mm512_unpacklo_epi64(b, d);
        t[4 * g + 3] = _mm512_unpackhi_epi64(b, d);
    }
    for (int k = 0; k < 4; k++) {
        __m512i a = _mm512_shuffle_i32x4(t[k], t[4 + k], 0x88);
        __m512i b = _mm512_shuffle_i32x4(t[k], t[4 + k], 0xdd);
        __m512i c = _mm512_shuffle_i32x4(t[8 + k], t[12 + k], 0x88);
        __m512i d = _mm512_shuffle_i32x4(t[8 + k], t[12 + k], 0xdd);
        r[k] = _mm512_shuffle_i32x4(a, c, 0x88);
        r[4 + k] = _mm512_shuffle_i32x4(b, d, 0x88);
        r[8 + k] = _mm512_shuffle_i32x4(a, c, 0xdd);
        r[12 + k] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
}

/* Word w of the block at `offset` in sixteen inputs becomes m[w]. */
static inline void load16(const uint8_t *const *inputs, size_t offset, __m512i m[16])
{
    __m512i r[16];
    for (int i = 0; i < 16; i++)
        r[i] = _mm512_loadu_si512(inputs[i] + offset);
    transpose16(r);
    for (int i = 0; i < 16; i++)
        m[i] = r[i];
}

/* 32 bytes an input. */
static inline void store16(const __m512i h[8], uint8_t *out)
{
    const __m512i low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    __m512i t[8];
    for (int g = 0; g < 2; g++) {
        __m512i a = _mm512_unpacklo_epi32(h[4 * g], h[4 * g + 1]);
        __m512i b = _mm512_unpackhi_epi32(h[4 * g], h[4 * g + 1]);
        __m512i c = _mm512_unpacklo_epi32(h[4 * g + 2], h[4 * g + 3]);
        __m512i d = _mm512_unpackhi_epi32(h[4 * g + 2], h[4 * g + 3]);
        t[4 * g] = _mm512_unpacklo_epi64(a, c);
        t[4 * g + 1] = _mm512_unpackhi_epi64(a, c);
        t[4 * g + 2] = _mm512_unpacklo_epi64(b, d);
        t[4 * g + 3] = _mm512_unpackhi_epi64(b, d);
    }
    for (int k = 0; k < 4; k++) {
        __m512i p = _mm512_permutex2var_epi64(t[k], low, t[4 + k]);
        __m512i q = _mm512_permutex2var_epi64(t[k], high, t[4 + k]);
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * k), _mm512_castsi512_si256(p));
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * (4 + k)),
                            _mm512_extracti64x4_epi64(p, 1));
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * (8 + k)),
                            _mm512_castsi512_si256(q));
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * (12 + k)),
                            _mm512_extracti64x4_epi64(q, 1));
    }
}

static inline __m512i set1(uint32_t x)
{
    return _mm512_set1_epi32((int)x);
}

/* The empty asm keeps compilers from regrouping a + message + b, which would put the message onto the
 * critical path. */
#define KEEP(a) __asm__("" : "+v"(a))

/* clang-format off */
#define LANES             16
#define LANES_FUNCTION    lanes16
#define V                 __m512i
#define SET1(x)           _mm512_set1_epi32((int)(x))
#define LOAD_BLOCKS       load16
#define STORE_VALUES      store16
#define ADD(a, b)         a = _mm512_add_epi32(a, b)
#define ADD_MESSAGE(a, b) a = _mm512_add_epi32(a, b); KEEP(a)
#define XOR(a, b)         a = _mm512_xor_si512(a, b)
#define ROTATE(a, n)      a = _mm512_ror_epi32(a, n)
#include "hash/blake3_lanes.h"

#define LANES             8
#define LANES_FUNCTION    lanes8
#define V                 __m256i
#define SET1(x)           _mm256_set1_epi32((int)(x))
#define LOAD_BLOCKS       blake3_load8
#define STORE_VALUES      blake3_store8
#define ADD(a, b)         a = _mm256_add_epi32(a, b)
#define ADD_MESSAGE(a, b) a = _mm256_add_epi32(a, b); KEEP(a)
#define XOR(a, b)         a = _mm256_xor_si256(a, b)
#define ROTATE(a, n)      a = _mm256_ror_epi32(a, n)
#include "hash/blake3_lanes.h"

#define LANES             4
#define LANES_FUNCTION    lanes4
#define V                 __m128i
#define SET1(x)           _mm_set1_epi32((int)(x))
#define LOAD_BLOCKS       blake3_load4
#define STORE_VALUES      blake3_store4
#define ADD(a, b)         a = _mm_add_epi32(a, b)
#define ADD_MESSAGE(a, b) a = _mm_add_epi32(a, b); KEEP(a)
#define XOR(a, b)         a = _mm_xor_si128(a, b)
#define ROTATE(a, n)      a = _mm_ror_epi32(a, n)
#include "hash/blake3_lanes.h"

/* clang-format on */

/* Everything that the rounds over two sets of sixteen lanes touch. */
struct state32 {
    __m512i h[2][8]; /* chaining values, in and out */
    __m512i m[2][16];
    __m512i iv[4];
    __m512i low[2], high[2]; /* of the counters */
    __m512i size[2], flags;
};

/* Word i of the first set is zmm<i>, of the second zmm<16 + i>: no register is left over. */
#define SECOND0  "16"
#define SECOND1  "17"
#define SECOND2  "18"
#define SECOND3  "19"
#define SECOND4  "20"
#define SECOND5  "21"
#define SECOND6  "22"
#define SECOND7  "23"
#define SECOND8  "24"
#define SECOND9  "25"
#define SECOND10 "26"
#define SECOND11 "27"
#define SECOND12 "28"
#define SECOND13 "29"
#define SECOND14 "30"
#define SECOND15 "31"

/* clang-format off */
#define BINARY(op, a, b) op " %%zmm" b ", %%zmm" a ", %%zmm" a "\n\t"
#define R_ADD(a, b)      BINARY("vpaddd", #a, #b) BINARY("vpaddd", SECOND##a, SECOND##b)
#define R_ADD_C          R_ADD
#define R_XOR(a, b)      BINARY("vpxord", #a, #b) BINARY("vpxord", SECOND##a, SECOND##b)
#define R_ADD_MESSAGE(a, m)                                                                          \
    "vpaddd " #m "*64(%[m]), %%zmm" #a ", %%zmm" #a "\n\t"                                           \
    "vpaddd " #m "*64+1024(%[m]), %%zmm" SECOND##a ", %%zmm" SECOND##a "\n\t"
#define R_ROTATE(a, n)                                                                               \
    "vprord $" #n ", %%zmm" #a ", %%zmm" #a "\n\t"                                                   \
    "vprord $" #n ", %%zmm" SECOND##a ", %%zmm" SECOND##a "\n\t"

#define LOAD(a, from) "vmovdqa64 " from ", %%zmm" a "\n\t"
#define BEGIN_H(i)    LOAD(#i, #i "*64(%[h])") LOAD(SECOND##i, #i "*64+512(%[h])")
#define BEGIN_IV(i, v) LOAD(#v, #i "*64(%[iv])") LOAD(SECOND##v, #i "*64(%[iv])")
#define END_H(i, v)                                                                                  \
    BINARY("vpxord", #i, #v) BINARY("vpxord", SECOND##i, SECOND##v)                                  \
    "vmovdqa64 %%zmm" #i ", " #i "*64(%[h])\n\t"                                                     \
    "vmovdqa64 %%zmm" SECOND##i ", " #i "*64+512(%[h])\n\t"

static inline void rounds32(struct state32 *s)
{
    __asm__ volatile(
        BEGIN_H(0) BEGIN_H(1) BEGIN_H(2) BEGIN_H(3) BEGIN_H(4) BEGIN_H(5) BEGIN_H(6) BEGIN_H(7)
        BEGIN_IV(0, 8) BEGIN_IV(1, 9) BEGIN_IV(2, 10) BEGIN_IV(3, 11)
        LOAD("12", "256(%[iv])") LOAD("28", "320(%[iv])") LOAD("13", "384(%[iv])")
        LOAD("29", "448(%[iv])") LOAD("14", "512(%[iv])") LOAD("30", "576(%[iv])")
        LOAD("15", "640(%[iv])") LOAD("31", "640(%[iv])")
        BLAKE3_ROUNDS(R_ROUND)
        END_H(0, 8) END_H(1, 9) END_H(2, 10) END_H(3, 11) END_H(4, 12) END_H(5, 13) END_H(6, 14)
        END_H(7, 15)
        :
        : [h] "r"(s->h), [m] "r"(s->m), [iv] "r"(s->iv)
        : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
          "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19",
          "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29",
          "xmm30", "xmm31");
}
/* clang-format on */

#define AHEAD 4 /* blocks */

/* Asks for what the lanes will read AHEAD blocks from now, in these inputs or in the next ones: the
 * strides are too many for the hardware to follow. */
static inline void prefetch32(const struct armi_blake3_lanes *job, size_t at, size_t b)
{
    size_t offset = 64 * (b + AHEAD);
    if (b + AHEAD >= job->blocks) {
        if (job->count - at < 64)
            return;
        at += 32;
        offset -= 64 * job->blocks;
    }
    for (size_t i = 0; i < 32; i++)
        _mm_prefetch((const char *)job->inputs[at + i] + offset, _MM_HINT_T0);
}

static void lanes32(const struct armi_blake3_lanes *job, size_t at, uint8_t *out)
{
    const uint8_t *const *inputs = job->inputs + at;
    struct state32 s;
    static const uint32_t iv[8] = BLAKE3_IV;
    for (int i = 0; i < 8; i++)
        s.h[0][i] = s.h[1][i] = set1(job->key[i]);
    for (int i = 0; i < 4; i++)
        s.iv[i] = set1(iv[i]);
    s.size[0] = s.size[1] = set1(64);
    if (job->counts) {
        uint32_t low[32], high[32];
        armi_blake3_lanes_counters(job, at, 32, low, high);
        memcpy(s.low, low, sizeof low);
        memcpy(s.high, high, sizeof high);
    } else {
        s.low[0] = s.low[1] = set1((uint32_t)job->counter);
        s.high[0] = s.high[1] = set1((uint32_t)(job->counter >> 32));
    }
    for (size_t b = 0; b < job->blocks; b++) {
        s.flags = set1(armi_blake3_lanes_flags(job, b));
        if (job->last_sizes != NULL && b + 1 == job->blocks)
            memcpy(s.size, job->last_sizes + at, sizeof s.size);
        prefetch32(job, at, b);
        load16(inputs, 64 * b, s.m[0]);
        load16(inputs + 16, 64 * b, s.m[1]);
        rounds32(&s);
    }
    store16(s.h[0], out);
    store16(s.h[1], out + 512);
}

static void hash_lanes(const struct armi_blake3_lanes *job, uint8_t *out)
{
    size_t i = 0;
    for (; job->count - i >= 32; i += 32)
        lanes32(job, i, out + 32 * i);
    for (; job->count - i > 8; i += 16) {
        lanes16(job, i, out + 32 * i);
        if (job->count - i <= 16)
            return;
    }
    if (job->count - i > 4)
        lanes8(job, i, out + 32 * i);
    else if (job->count > i)
        lanes4(job, i, out + 32 * i);
}

const struct armi_blake3_kernel armi_blake3_avx512 = {
    .name = "avx512",
    .compress = armi_blake3_compress,
    .expand = armi_blake3_expand,
    .hash_lanes = hash_lanes,
};
