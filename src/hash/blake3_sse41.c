/*
 * BLAKE3 with SSE4.1: four inputs side by side.
 */
#include "hash/blake3_kernel.h"
#include "hash/blake3_rounds.h"
#include "hash/blake3_transpose.h"

#include <string.h>

static inline __m128i rotate(__m128i v, int n)
{
    const __m128i by16 = _mm_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
    const __m128i by8 = _mm_setr_epi8(1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
    if (n == 16)
        return _mm_shuffle_epi8(v, by16);
    if (n == 8)
        return _mm_shuffle_epi8(v, by8);
    return _mm_or_si128(_mm_srli_epi32(v, n), _mm_slli_epi32(v, 32 - n));
}

/* Keeps compilers from regrouping a + message + b. */
#define KEEP(a) __asm__("" : "+x"(a))

#define LANES             4
#define LANES_FUNCTION    lanes4
#define V                 __m128i
#define SET1(x)           _mm_set1_epi32((int)(x))
#define LOAD_BLOCKS       blake3_load4
#define STORE_VALUES      blake3_store4
#define ADD(a, b)         a = _mm_add_epi32(a, b)
#define ADD_MESSAGE(a, b) a = _mm_add_epi32(a, b); KEEP(a)
#define XOR(a, b)         a = _mm_xor_si128(a, b)
#define ROTATE(a, n)      a = rotate(a, n)
#include "hash/blake3_lanes.h"

static void hash_lanes(const struct armi_blake3_lanes *job, uint8_t *out)
{
    for (size_t i = 0; i < job->count; i += 4)
        lanes4(job, i, out + 32 * i);
}

const struct armi_blake3_kernel armi_blake3_sse41 = {
    .name = "sse41",
    .compress = armi_blake3_compress,
    .expand = armi_blake3_expand,
    .hash_lanes = hash_lanes,
};
