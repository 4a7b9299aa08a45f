/*
 * The AVX2 rung. Unpacking takes eight values a step, which are `width` whole bytes: a byte shuffle
 * brings each value's bytes into its own lane, a variable shift and a mask do the rest. Lanes hold
 * four bytes for widths up to 25 and eight for widths up to 57; wider ones are left to the twin.
 */
#include <immintrin.h>
#include <string.h>

#include "base/bits.h"
#include "parquet/pq_kernels_internal.h"

/* Eight 32-bit lanes: values 0-3 are found from byte 0, values 4-7 from byte width / 2. */
static void unpack32_avx2(const uint8_t *src, size_t size, unsigned width, uint32_t *out,
                          size_t count)
{
    if (width == 0 || width > 25 || count < 32) {
        armi_pq_unpack32_portable(src, size, width, out, count);
        return;
    }
    uint8_t shuffle[32];
    uint32_t shift[8];
    for (unsigned i = 0; i < 8; i++) {
        unsigned bit = i * width - (i < 4 ? 0 : width / 2 * 8);
        for (unsigned k = 0; k < 4; k++)
            shuffle[4 * i + k] = (uint8_t)(bit / 8 + k);
        shift[i] = bit % 8;
    }
    const __m256i shuffles = _mm256_loadu_si256((const __m256i *)(const void *)shuffle);
    const __m256i shifts = _mm256_loadu_si256((const __m256i *)(const void *)shift);
    const __m256i mask = _mm256_set1_epi32((int)((1u << width) - 1));
    size_t reach = width / 2 + 16;
    for (; count >= 8 && size >= reach; count -= 8) {
        __m128i low = _mm_loadu_si128((const __m128i *)(const void *)src);
        __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(src + width / 2));
        __m256i v = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
        v = _mm256_srlv_epi32(_mm256_shuffle_epi8(v, shuffles), shifts);
        _mm256_storeu_si256((__m256i *)(void *)out, _mm256_and_si256(v, mask));
        src += width;
        size -= width;
        out += 8;
    }
    armi_pq_unpack32_portable(src, size, width, out, count);
}

/* Four vectors of two pairs would do; two values a 128-bit lane keep every window within 16 bytes. */
static void unpack64_avx2(const uint8_t *src, size_t size, unsigned width, uint64_t *out,
                          size_t count)
{
    if (width == 0 || width > 56 || count < 32) {
        armi_pq_unpack64_portable(src, size, width, out, count);
        return;
    }
    uint8_t shuffle[64];
    uint64_t shift[8];
    for (unsigned i = 0; i < 8; i++) {
        unsigned bit = i * width - i / 2 * 2 * width / 8 * 8;
        for (unsigned k = 0; k < 8; k++)
            shuffle[8 * i + k] = (uint8_t)(bit / 8 + k);
        shift[i] = bit % 8;
    }
    const __m256i shuffle0 = _mm256_loadu_si256((const __m256i *)(const void *)shuffle);
    const __m256i shuffle1 =
        _mm256_loadu_si256((const __m256i *)(const void *)(shuffle + 32));
    const __m256i shift0 = _mm256_loadu_si256((const __m256i *)(const void *)shift);
    const __m256i shift1 = _mm256_loadu_si256((const __m256i *)(const void *)(shift + 4));
    const __m256i mask = _mm256_set1_epi64x((int64_t)(((uint64_t)1 << width) - 1));
    size_t reach = 6 * width / 8 + 16;
    for (; count >= 8 && size >= reach; count -= 8) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)src);
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(src + 2 * width / 8));
        __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(src + 4 * width / 8));
        __m128i d = _mm_loadu_si128((const __m128i *)(const void *)(src + 6 * width / 8));
        __m256i v = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
        __m256i w = _mm256_inserti128_si256(_mm256_castsi128_si256(c), d, 1);
        v = _mm256_srlv_epi64(_mm256_shuffle_epi8(v, shuffle0), shift0);
        w = _mm256_srlv_epi64(_mm256_shuffle_epi8(w, shuffle1), shift1);
        _mm256_storeu_si256((__m256i *)(void *)out, _mm256_and_si256(v, mask));
        _mm256_storeu_si256((__m256i *)(void *)(out + 4), _mm256_and_si256(w, mask));
        src += width;
        size -= width;
        out += 8;
    }
    armi_pq_unpack64_portable(src, size, width, out, count);
}

/* Eight values a step: the bits of `width` bytes are dealt out to eight bytes. */
static void unpack8_avx2(const uint8_t *src, size_t size, unsigned width, uint8_t *out,
                         size_t count)
{
    const uint64_t deal = 0x0101010101010101u * ((1u << width) - 1);
    for (; count >= 8 && size >= 8; count -= 8, src += width, size -= width, out += 8)
        armi_store64(out, _pdep_u64(armi_load64(src), deal));
    armi_pq_unpack8_portable(src, size, width, out, count);
}

static uint8_t max8_avx2(const uint8_t *values, size_t count)
{
    __m256i max = _mm256_setzero_si256();
    uint8_t lanes[32];
    size_t i = 0;
    for (; i + 32 <= count; i += 32)
        max = _mm256_max_epu8(
            max, _mm256_loadu_si256((const __m256i *)(const void *)(values + i)));
    _mm256_storeu_si256((__m256i *)(void *)lanes, max);
    uint8_t a = armi_pq_max8_portable(lanes, 32),
            b = armi_pq_max8_portable(values + i, count - i);
    return a > b ? a : b;
}

static uint64_t at_least64_avx2(const uint8_t *bytes, unsigned least)
{
    const __m256i below = _mm256_set1_epi8((char)(least - 1)), low = _mm256_set1_epi8(0x7f);
    const __m256i *p = (const __m256i *)(const void *)bytes;
    __m256i a = _mm256_and_si256(_mm256_loadu_si256(p), low);
    __m256i b = _mm256_and_si256(_mm256_loadu_si256(p + 1), low);
    uint32_t lo = (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(a, below));
    uint32_t hi = (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(b, below));
    return (uint64_t)hi << 32 | lo;
}

static uint64_t compact64_avx2(uint64_t bits, uint64_t mask)
{
    return _pext_u64(bits, mask);
}

static uint32_t max32_avx2(const uint32_t *values, size_t count)
{
    __m256i max = _mm256_setzero_si256();
    size_t i = 0;
    for (; i + 8 <= count; i += 8)
        max = _mm256_max_epu32(
            max, _mm256_loadu_si256((const __m256i *)(const void *)(values + i)));
    uint32_t lanes[8];
    _mm256_storeu_si256((__m256i *)(void *)lanes, max);
    uint32_t result = armi_pq_max32_portable(values + i, count - i);
    for (size_t k = 0; k < 8; k++)
        result = lanes[k] > result ? lanes[k] : result;
    return result;
}

static bool is_ascii_avx2(const uint8_t *data, size_t size)
{
    size_t i = 0;
    for (; i + 128 <= size; i += 128) {
        const __m256i *p = (const __m256i *)(const void *)(data + i);
        __m256i a = _mm256_or_si256(_mm256_loadu_si256(p), _mm256_loadu_si256(p + 1));
        __m256i b = _mm256_or_si256(_mm256_loadu_si256(p + 2), _mm256_loadu_si256(p + 3));
        if (_mm256_movemask_epi8(_mm256_or_si256(a, b)) != 0)
            return false;
    }
    return armi_pq_is_ascii_portable(data + i, size - i);
}

const struct armi_pq_kernels armi_pq_kernels_avx2 = {
    .name = "avx2",
    .unpack32 = unpack32_avx2,
    .unpack64 = unpack64_avx2,
    .unpack8 = unpack8_avx2,
    .max8 = max8_avx2,
    .at_least64 = at_least64_avx2,
    .compact64 = compact64_avx2,
    .max32 = max32_avx2,
    .gather32 = armi_pq_gather32_portable,
    .gather64 = armi_pq_gather64_portable,
    .is_ascii = is_ascii_avx2,
};
