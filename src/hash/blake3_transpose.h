/*
 * Blocks of four or eight inputs into vectors of words, and chaining values back: what the x86 rungs
 * share.
 */
#ifndef ARMI_HASH_BLAKE3_TRANSPOSE_H
#define ARMI_HASH_BLAKE3_TRANSPOSE_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

/* Four rows of four words to columns. */
static inline void blake3_transpose4(__m128i r[4])
{
    __m128i a = _mm_unpacklo_epi32(r[0], r[1]), b = _mm_unpackhi_epi32(r[0], r[1]);
    __m128i c = _mm_unpacklo_epi32(r[2], r[3]), d = _mm_unpackhi_epi32(r[2], r[3]);
    r[0] = _mm_unpacklo_epi64(a, c);
    r[1] = _mm_unpackhi_epi64(a, c);
    r[2] = _mm_unpacklo_epi64(b, d);
    r[3] = _mm_unpackhi_epi64(b, d);
}

/* Word w of the block at `offset` in each of four inputs becomes m[w]. */
static inline void blake3_load4(const uint8_t *const *inputs, size_t offset, __m128i m[16])
{
    for (size_t q = 0; q < 4; q++) {
        for (size_t i = 0; i < 4; i++)
            m[4 * q + i] = _mm_loadu_si128(
                (const __m128i *)(const void *)(inputs[i] + offset + 16 * q));
        blake3_transpose4(m + 4 * q);
    }
}

/* Chaining values of four lanes, 32 bytes each. */
static inline void blake3_store4(const __m128i h[8], uint8_t *out)
{
    __m128i low[4] = {h[0], h[1], h[2], h[3]}, high[4] = {h[4], h[5], h[6], h[7]};
    blake3_transpose4(low);
    blake3_transpose4(high);
    for (size_t k = 0; k < 4; k++) {
        _mm_storeu_si128((__m128i *)(void *)(out + 32 * k), low[k]);
        _mm_storeu_si128((__m128i *)(void *)(out + 32 * k + 16), high[k]);
    }
}

#ifdef __AVX2__

/* Rows to columns within 128-bit halves: r[k] gets words k and 4 + k of four rows each. */
static inline void blake3_transpose4x2(__m256i r[4])
{
    __m256i a = _mm256_unpacklo_epi32(r[0], r[1]), b = _mm256_unpackhi_epi32(r[0], r[1]);
    __m256i c = _mm256_unpacklo_epi32(r[2], r[3]), d = _mm256_unpackhi_epi32(r[2], r[3]);
    r[0] = _mm256_unpacklo_epi64(a, c);
    r[1] = _mm256_unpackhi_epi64(a, c);
    r[2] = _mm256_unpacklo_epi64(b, d);
    r[3] = _mm256_unpackhi_epi64(b, d);
}

/* 16 bytes at the same offset of inputs i and 4 + i: the halves are put together on the way in. */
static inline __m256i blake3_load_pair(const uint8_t *low, const uint8_t *high)
{
    __m128i first = _mm_loadu_si128((const __m128i *)(const void *)low);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(first),
                                   _mm_loadu_si128((const __m128i *)(const void *)high), 1);
}

/* Word w of the block at `offset` in each of eight inputs becomes m[w]. */
static inline void blake3_load8(const uint8_t *const *inputs, size_t offset, __m256i m[16])
{
    for (size_t q = 0; q < 4; q++) {
        for (size_t i = 0; i < 4; i++)
            m[4 * q + i] = blake3_load_pair(inputs[i] + offset + 16 * q,
                                            inputs[4 + i] + offset + 16 * q);
        blake3_transpose4x2(m + 4 * q);
    }
}

/* Chaining values of eight lanes, 32 bytes each. */
static inline void blake3_store8(const __m256i h[8], uint8_t *out)
{
    __m256i low[4] = {h[0], h[1], h[2], h[3]}, high[4] = {h[4], h[5], h[6], h[7]};
    blake3_transpose4x2(low);
    blake3_transpose4x2(high);
    for (size_t k = 0; k < 4; k++) {
        __m256i first = _mm256_permute2x128_si256(low[k], high[k], 0x20);
        __m256i second = _mm256_permute2x128_si256(low[k], high[k], 0x31);
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * k), first);
        _mm256_storeu_si256((__m256i *)(void *)(out + 32 * (4 + k)), second);
    }
}

#endif

#endif
