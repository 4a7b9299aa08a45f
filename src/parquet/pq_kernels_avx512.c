/*
 * The AVX-512 rung (with VBMI): one byte permutation over a whole 64-byte register finds the bytes of
 * sixteen 32-bit or eight 64-bit values, a variable shift and a mask finish them. What does not gain
 * from wider registers is taken from the AVX2 rung.
 */
#include <immintrin.h>
#include <string.h>

#include "base/bits.h"
#include "parquet/pq_kernels_internal.h"

/* How one width's values are found: worked out by arithmetic, since a miniblock has only 32 values. */
struct plan {
    __m512i pick, shift, mask;
};

static inline struct plan plan_32(unsigned width)
{
    const __m512i index =
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i spread = _mm512_set4_epi32(0x0c0c0c0c, 0x08080808, 0x04040404, 0);
    __m512i bit = _mm512_mullo_epi32(index, _mm512_set1_epi32((int)width));
    __m512i bytes = _mm512_shuffle_epi8(_mm512_srli_epi32(bit, 3), spread);
    struct plan plan;
    plan.pick = _mm512_add_epi8(bytes, _mm512_set1_epi32(0x03020100));
    plan.shift = _mm512_and_si512(bit, _mm512_set1_epi32(7));
    plan.mask = _mm512_set1_epi32((int)((1u << width) - 1));
    return plan;
}

static inline __m512i take_32(const struct plan *plan, const uint8_t *src)
{
    __m512i v = _mm512_permutexvar_epi8(plan->pick, _mm512_loadu_si512(src));
    return _mm512_and_si512(_mm512_srlv_epi32(v, plan->shift), plan->mask);
}

static void unpack32_avx512(const uint8_t *src, size_t size, unsigned width, uint32_t *out,
                            size_t count)
{
    if (width == 0 || width > 25 || count < 32) {
        armi_pq_unpack32_portable(src, size, width, out, count);
        return;
    }
    const struct plan plan = plan_32(width);
    for (; count >= 16 && size >= 64; count -= 16) {
        _mm512_storeu_si512(out, take_32(&plan, src));
        src += 2 * width;
        size -= 2 * width;
        out += 16;
    }
    armi_pq_unpack32_portable(src, size, width, out, count);
}

/* Each lane gets the sum of all before it in four doublings, then what came before the vector. */
static void delta32_avx512(const uint8_t *src, size_t size, unsigned width, uint32_t least,
                           uint32_t *last, uint32_t *out, size_t count)
{
    if (width == 0 || width > 25 || count < 32) {
        armi_pq_delta32_portable(src, size, width, least, last, out, count);
        return;
    }
    const struct plan plan = plan_32(width);
    const __m512i leasts = _mm512_set1_epi32((int)least), zero = _mm512_setzero_si512();
    const __m512i top = _mm512_set1_epi32(15);
    __m512i carry = _mm512_set1_epi32((int)*last);
    for (; count >= 16 && size >= 64; count -= 16) {
        __m512i v = _mm512_add_epi32(take_32(&plan, src), leasts);
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 15));
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 14));
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 12));
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 8));
        v = _mm512_add_epi32(v, carry);
        carry = _mm512_permutexvar_epi32(top, v);
        _mm512_storeu_si512(out, v);
        src += 2 * width;
        size -= 2 * width;
        out += 16;
    }
    *last = (uint32_t)_mm_cvtsi128_si32(_mm512_castsi512_si128(carry));
    armi_pq_delta32_portable(src, size, width, least, last, out, count);
}

static inline struct plan plan_64(unsigned width)
{
    const __m512i index = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    const __m512i spread = _mm512_set4_epi32(0x08080808, 0x08080808, 0, 0);
    __m512i bit = _mm512_mullo_epi32(index, _mm512_set1_epi32((int)width));
    __m512i bytes = _mm512_shuffle_epi8(_mm512_srli_epi64(bit, 3), spread);
    struct plan plan;
    plan.pick = _mm512_add_epi8(bytes, _mm512_set1_epi64(0x0706050403020100));
    plan.shift = _mm512_and_si512(bit, _mm512_set1_epi64(7));
    plan.mask = _mm512_set1_epi64((int64_t)(((uint64_t)1 << width) - 1));
    return plan;
}

static inline __m512i take_64(const struct plan *plan, const uint8_t *src)
{
    __m512i v = _mm512_permutexvar_epi8(plan->pick, _mm512_loadu_si512(src));
    return _mm512_and_si512(_mm512_srlv_epi64(v, plan->shift), plan->mask);
}

static void unpack64_avx512(const uint8_t *src, size_t size, unsigned width, uint64_t *out,
                            size_t count)
{
    if (width == 0 || width > 57 || count < 32) {
        armi_pq_unpack64_portable(src, size, width, out, count);
        return;
    }
    const struct plan plan = plan_64(width);
    for (; count >= 8 && size >= 64; count -= 8) {
        _mm512_storeu_si512(out, take_64(&plan, src));
        src += width;
        size -= width;
        out += 8;
    }
    armi_pq_unpack64_portable(src, size, width, out, count);
}

static void delta64_avx512(const uint8_t *src, size_t size, unsigned width, uint64_t least,
                           uint64_t *last, uint64_t *out, size_t count)
{
    if (width == 0 || width > 57 || count < 32) {
        armi_pq_delta64_portable(src, size, width, least, last, out, count);
        return;
    }
    const struct plan plan = plan_64(width);
    const __m512i leasts = _mm512_set1_epi64((int64_t)least), zero = _mm512_setzero_si512();
    const __m512i top = _mm512_set1_epi64(7);
    __m512i carry = _mm512_set1_epi64((int64_t)*last);
    for (; count >= 8 && size >= 64; count -= 8) {
        __m512i v = _mm512_add_epi64(take_64(&plan, src), leasts);
        v = _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 7));
        v = _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 6));
        v = _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 4));
        v = _mm512_add_epi64(v, carry);
        carry = _mm512_permutexvar_epi64(top, v);
        _mm512_storeu_si512(out, v);
        src += width;
        size -= width;
        out += 8;
    }
    *last = (uint64_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(carry));
    armi_pq_delta64_portable(src, size, width, least, last, out, count);
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

static size_t count8_avx512(const uint8_t *values, size_t count, uint8_t value)
{
    return armi_pq_kernels_avx2.count8(values, count, value);
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
    .delta32 = delta32_avx512,
    .delta64 = delta64_avx512,
    .unpack8 = unpack8_avx512,
    .max8 = max8_avx512,
    .count8 = count8_avx512,
    .at_least64 = at_least64_avx512,
    .compact64 = compact64_avx512,
    .max32 = max32_avx512,
    .gather32 = armi_pq_gather32_portable,
    .gather64 = armi_pq_gather64_portable,
    .bounds32 = armi_pq_bounds32_avx2,
    .bounds64 = armi_pq_bounds64_avx2,
    .bounds_f32 = armi_pq_bounds_f32_avx2,
    .bounds_f64 = armi_pq_bounds_f64_avx2,
    .is_ascii = is_ascii_avx512,
};
