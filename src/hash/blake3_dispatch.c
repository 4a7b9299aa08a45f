/*
 * Which kernel runs here: the only file that asks the processor. The answer is kept in one atomic
 * word, so that the first calls of many threads at once are harmless.
 */
#include "hash/blake3_kernel.h"

#include <stdatomic.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define FEATURES_KNOWN (1u << 31) /* set once the word is filled */

static atomic_uint feature_word;

#if defined(__x86_64__)
static uint64_t enabled_state(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static unsigned detect(void)
{
    unsigned a, b, c, d, found = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d))
        return 0;
    if (c & bit_SSE4_1)
        found |= ARMI_BLAKE3_SSE41;
    /* The wide registers count only if the operating system saves them. */
    uint64_t state = c & bit_OSXSAVE ? enabled_state() : 0;
    if ((state & 0x6) != 0x6 || !(c & bit_AVX) || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return found;
    if (b & bit_AVX2)
        found |= ARMI_BLAKE3_AVX2;
    if ((state & 0xe0) == 0xe0 && (b & bit_AVX512F) && (b & bit_AVX512VL))
        found |= ARMI_BLAKE3_AVX512;
    return found;
}
#elif defined(__aarch64__)
static unsigned detect(void)
{
    return ARMI_BLAKE3_NEON; /* part of the base instruction set */
}
#else
static unsigned detect(void)
{
    return 0;
}
#endif

static unsigned feature_word_get(void)
{
    unsigned word = atomic_load_explicit(&feature_word, memory_order_relaxed);
    if (__builtin_expect(word == 0, 0)) {
        word = FEATURES_KNOWN | detect();
        atomic_store_explicit(&feature_word, word, memory_order_relaxed);
    }
    return word;
}

unsigned armi_blake3_features(void)
{
    return feature_word_get() & ~FEATURES_KNOWN;
}

void armi_blake3_features_limit(unsigned features)
{
    atomic_store_explicit(&feature_word, FEATURES_KNOWN | (detect() & features),
                          memory_order_relaxed);
}

const struct armi_blake3_kernel *armi_blake3_kernel(void)
{
    unsigned word = feature_word_get();
    (void)word;
#if defined(__x86_64__)
    if (word & ARMI_BLAKE3_AVX512)
        return &armi_blake3_avx512;
    if (word & ARMI_BLAKE3_AVX2)
        return &armi_blake3_avx2;
    if (word & ARMI_BLAKE3_SSE41)
        return &armi_blake3_sse41;
#elif defined(__aarch64__)
    if (word & ARMI_BLAKE3_NEON)
        return &armi_blake3_neon;
#endif
    return &armi_blake3_portable;
}
