/*
 * The AVX-512 rung (with VBMI): one byte permutation over a whole 64-byte register finds the bytes of
 * sixteen 32-bit or eight 64-bit values, a variable shift and a mask finish them. What does not gain
 * from wider registers is taken from the AVX2 rung.
 */
#include <immintrin.h>
#include <string.h>

#include "base/bits.h"
#include "parquet/pq_kernels_internal.h"

static void unpack32_avx512(const uint8_t *src, size_t size, unsigned width, uint32_t *out,
                            size_t count)
{
    if (width == 0 || width > 25 || count < 32) {
        armi_pq_unpack32_portable(src, size, width, out, count);
        return;
    }
    uint8_t pick[64];
    uint32_t shift[16];
    for (unsigned i = 0; i < 16; i++) {
        for (unsigned k = 0; k < 4; k++)
            pick[4 * i + k] = (uint8_t)(i * width / 8 + k);
        shift[i] = i * width % 8;
    }
    const __m512i picks = _mm512_loadu_si512(pick);
    const __m512i shifts = _mm512_loadu_si512(shift);
    const __m512i mask = _mm512_set1_epi32((int)((1u << width) - 1));
    for (; count >= 16 && size >= 64; count -= 16) {
        __m512i v = _mm512_permutexvar_epi8(picks, _mm512_loadu_si512(src));
        v = _mm512_and_si512(_mm512_srlv_epi32(v, shifts), mask);
        _mm512_storeu_si512(out, v);
        src += 2 * width;
        size -= 2 * width;
        out += 16;
    }
    armi_pq_unpack32_portable(src, size, width, out, count);
}

static void unpack64_avx512(const uint8_t *src, size_t size, unsigned width, uint64_t *out,
                            size_t count)
{
    if (width == 0 || width > 57 || count < 32) {
        armi_pq_unpack64_portable(src, size, width, out, count);
        return;
    }
    uint8_t pick[64];
    uint64_t shift[8];
    for (unsigned i = 0; i < 8; i++) {
        for (unsigned k = 0; k < 8; k++)
            pick[8 * i + k] = (uint8_t)(i * width / 8 + k);
        shift[i] = i * width % 8;
    }
    const __m512i picks = _mm512_loadu_si512(pick);
    const __m512i shifts = _mm512_loadu_si512(shift);
    const __m512i mask = _mm512_set1_epi64((int64_t)(((uint64_t)1 << width) - 1));
    for (; count >= 8 && size >= 64; count -= 8) {
        __m512i v = _mm512_permutexvar_epi8(picks, _mm512_loadu_si512(src));
        v = _mm512_and_si512(_mm512_srlv_epi64(v, shifts), mask);
        _mm512_storeu_si512(out, v);
        src += width;
        size -= width;
        out += 8;
    }
    armi_pq_unpack64_portable(src, size, width, out, count);
}

static uint32_t max32_avx512(const uint32_t *values, size_t count)
{
    __m512i max = _mm512_setzero_si512();
    size_t i = 0;
    for (; i + 16 <= count; i += 16)
        max = _mm512_max_epu32(max, _mm512_loadu_si512(values + i));
    uint32_t top = _mm512_reduce_max_epu32(max);
    uint32_t rest = armi_pq_max32_portable(values + i, count - i);
    return top > rest ? top : rest;
}

/* The AVX2 rung's, called through its table: this file has no copy of them. */
static void unpack8_avx512(const uint8_t *src, size_t size, unsigned width, uint8_t *out,
                           size_t count)
{
    armi_pq_kernels_avx2.unpack8(src, size, width, out, count);
}

static uint8_t max8_avx512(const uint8_t *values, size_t count)
{
    return armi_pq_kernels_avx2.max8(values, count);
}

static uint64_t at_least64_avx512(const uint8_t *bytes, unsigned least)
{
    __m512i v = _mm512_and_si512(_mm512_loadu_si512(bytes), _mm512_set1_epi8(0x7f));
    return _mm512_cmp_epu8_mask(v, _mm512_set1_epi8((char)least), _MM_CMPINT_NLT);
}

static uint64_t compact64_avx512(uint64_t bits, uint64_t mask)
{
    return _pext_u64(bits, mask);
}

static bool is_ascii_avx512(const uint8_t *data, size_t size)
{
    return armi_pq_kernels_avx2.is_ascii(data, size);
}

const struct armi_pq_kernels armi_pq_kernels_avx512 = {
    .name = "avx512",
    .unpack32 = unpack32_avx512,
    .unpack64 = unpack64_avx512,
    .unpack8 = unpack8_avx512,
    .max8 = max8_avx512,
    .at_least64 = at_least64_avx512,
    .compact64 = compact64_avx512,
    .max32 = max32_avx512,
    .gather32 = armi_pq_gather32_portable,
    .gather64 = armi_pq_gather64_portable,
    .is_ascii = is_ascii_avx512,
};
