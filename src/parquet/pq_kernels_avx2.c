/*
 * The AVX2 rung. Unpacking takes eight values a step, which are `width` whole bytes: a byte shuffle
 * brings each value's bytes into its own lane, a variable shift and a mask do the rest. Lanes hold
 * four bytes for widths up to 25 and eight for widths up to 57; wider ones are left to the twin.
 */
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "base/bits.h"
#include "base/text.h"
#include "parquet/pq_kernels_internal.h"

/* How one width's values are found: worked out by arithmetic, since a miniblock has only 32 values. */
struct plan32 {
    __m256i shuffle, shift, mask;
};

static inline __m256i load(const void *p)
{
    return _mm256_loadu_si256(p);
}

static inline void store(void *p, __m256i v)
{
    _mm256_storeu_si256(p, v);
}

/* Eight 32-bit lanes: values 0-3 are found from byte 0, values 4-7 from byte width / 2. */
static inline struct plan32 plan_32(unsigned width)
{
    const __m256i spread =
        _mm256_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12, 0, 0, 0, 0, 4,
                         4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12);
    const int base = (int)(width / 2 * 8);
    __m256i bit = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
                                     _mm256_set1_epi32((int)width));
    bit = _mm256_sub_epi32(bit, _mm256_setr_epi32(0, 0, 0, 0, base, base, base, base));
    __m256i bytes = _mm256_shuffle_epi8(_mm256_srli_epi32(bit, 3), spread);
    struct plan32 plan;
    plan.shuffle = _mm256_add_epi8(bytes, _mm256_set1_epi32(0x03020100));
    plan.shift = _mm256_and_si256(bit, _mm256_set1_epi32(7));
    plan.mask = _mm256_set1_epi32((int)((1u << width) - 1));
    return plan;
}

static inline __m256i take_32(const struct plan32 *plan, const uint8_t *src, unsigned width)
{
    __m128i low = _mm_loadu_si128((const void *)src);
    __m128i high = _mm_loadu_si128((const void *)(src + width / 2));
    __m256i v = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
    v = _mm256_srlv_epi32(_mm256_shuffle_epi8(v, plan->shuffle), plan->shift);
    return _mm256_and_si256(v, plan->mask);
}

static void unpack32_avx2(const uint8_t *src, size_t size, unsigned width, uint32_t *out,
                          size_t count)
{
    if (width == 0 || width > 25 || count < 32) {
        armi_pq_unpack32_portable(src, size, width, out, count);
        return;
    }
    const struct plan32 plan = plan_32(width);
    size_t reach = width / 2 + 16;
    for (; count >= 8 && size >= reach; count -= 8) {
        store(out, take_32(&plan, src, width));
        src += width;
        size -= width;
        out += 8;
    }
    armi_pq_unpack32_portable(src, size, width, out, count);
}

/* Sums within each half, then the lower half's last into the upper one, then what came before. */
static void delta32_avx2(const uint8_t *src, size_t size, unsigned width, uint32_t least,
                         uint32_t *last, uint32_t *out, size_t count)
{
    if (width == 0 || width > 25 || count < 32) {
        armi_pq_delta32_portable(src, size, width, least, last, out, count);
        return;
    }
    const struct plan32 plan = plan_32(width);
    const __m256i leasts = _mm256_set1_epi32((int)least), zero = _mm256_setzero_si256();
    __m256i carry = _mm256_set1_epi32((int)*last);
    size_t reach = width / 2 + 16;
    for (; count >= 8 && size >= reach; count -= 8) {
        __m256i v = _mm256_add_epi32(take_32(&plan, src, width), leasts);
        v = _mm256_add_epi32(v, _mm256_slli_si256(v, 4));
        v = _mm256_add_epi32(v, _mm256_slli_si256(v, 8));
        __m256i low = _mm256_permutevar8x32_epi32(v, _mm256_set1_epi32(3));
        v = _mm256_add_epi32(v, _mm256_blend_epi32(zero, low, 0xf0));
        v = _mm256_add_epi32(v, carry);
        carry = _mm256_permutevar8x32_epi32(v, _mm256_set1_epi32(7));
        store(out, v);
        src += width;
        size -= width;
        out += 8;
    }
    *last = (uint32_t)_mm256_cvtsi256_si32(carry);
    armi_pq_delta32_portable(src, size, width, least, last, out, count);
}

/* Two values a 128-bit lane keep every window within 16 bytes: four lanes, eight values a step. */
struct plan64 {
    __m256i shuffle[2], shift[2], mask;
};

static inline struct plan64 plan_64(unsigned width)
{
    const __m256i spread = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 8, 8, 8, 8, 8, 8, 8, 8,
                                            0, 0, 0, 0, 0, 0, 0, 0, 8, 8, 8, 8, 8, 8, 8, 8);
    const __m256i widths = _mm256_set1_epi32((int)width);
    struct plan64 plan;
    for (int half = 0; half < 2; half++) {
        const int i = 4 * half;
        __m256i bit = _mm256_mullo_epi32(
            _mm256_setr_epi32(i, 0, i + 1, 0, i + 2, 0, i + 3, 0), widths);
        __m256i pair =
            _mm256_mullo_epi32(_mm256_setr_epi32(i, 0, i, 0, i + 2, 0, i + 2, 0), widths);
        bit = _mm256_sub_epi32(bit, _mm256_and_si256(pair, _mm256_set1_epi32(~7)));
        __m256i bytes = _mm256_shuffle_epi8(_mm256_srli_epi32(bit, 3), spread);
        plan.shuffle[half] = _mm256_add_epi8(bytes, _mm256_set1_epi64x(0x0706050403020100));
        plan.shift[half] = _mm256_and_si256(bit, _mm256_set1_epi64x(7));
    }
    plan.mask = _mm256_set1_epi64x((int64_t)(((uint64_t)1 << width) - 1));
    return plan;
}

/* Values 4 * half .. 4 * half + 3. */
static inline __m256i take_64(const struct plan64 *plan, const uint8_t *src, unsigned width,
                              int half)
{
    const uint8_t *first = src + (size_t)half * 4 * width / 8;
    const uint8_t *second = src + ((size_t)half * 4 + 2) * width / 8;
    __m128i a = _mm_loadu_si128((const void *)first);
    __m128i b = _mm_loadu_si128((const void *)second);
    __m256i v = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
    v = _mm256_srlv_epi64(_mm256_shuffle_epi8(v, plan->shuffle[half]), plan->shift[half]);
    return _mm256_and_si256(v, plan->mask);
}

static void unpack64_avx2(const uint8_t *src, size_t size, unsigned width, uint64_t *out,
                          size_t count)
{
    if (width == 0 || width > 56 || count < 32) {
        armi_pq_unpack64_portable(src, size, width, out, count);
        return;
    }
    const struct plan64 plan = plan_64(width);
    size_t reach = 6 * width / 8 + 16;
    for (; count >= 8 && size >= reach; count -= 8) {
        store(out, take_64(&plan, src, width, 0));
        store(out + 4, take_64(&plan, src, width, 1));
        src += width;
        size -= width;
        out += 8;
    }
    armi_pq_unpack64_portable(src, size, width, out, count);
}

static inline __m256i sums_64(__m256i v, __m256i carry)
{
    v = _mm256_add_epi64(v, _mm256_slli_si256(v, 8));
    __m256i low = _mm256_permute4x64_epi64(v, 0x55);
    v = _mm256_add_epi64(v, _mm256_blend_epi32(_mm256_setzero_si256(), low, 0xf0));
    return _mm256_add_epi64(v, carry);
}

static void delta64_avx2(const uint8_t *src, size_t size, unsigned width, uint64_t least,
                         uint64_t *last, uint64_t *out, size_t count)
{
    if (width == 0 || width > 56 || count < 32) {
        armi_pq_delta64_portable(src, size, width, least, last, out, count);
        return;
    }
    const struct plan64 plan = plan_64(width);
    const __m256i leasts = _mm256_set1_epi64x((int64_t)least);
    __m256i carry = _mm256_set1_epi64x((int64_t)*last);
    size_t reach = 6 * width / 8 + 16;
    for (; count >= 8 && size >= reach; count -= 8) {
        for (int half = 0; half < 2; half++) {
            __m256i v = _mm256_add_epi64(take_64(&plan, src, width, half), leasts);
            v = sums_64(v, carry);
            carry = _mm256_permute4x64_epi64(v, 0xff);
            store(out + 4 * half, v);
        }
        src += width;
        size -= width;
        out += 8;
    }
    *last = (uint64_t)_mm256_extract_epi64(carry, 0);
    armi_pq_delta64_portable(src, size, width, least, last, out, count);
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

/* Lanes count down from 0 by the masks of up to 255 vectors, then are added up. */
static size_t count8_avx2(const uint8_t *values, size_t count, uint8_t value)
{
    const __m256i wanted = _mm256_set1_epi8((char)value), zero = _mm256_setzero_si256();
    __m256i total = zero;
    size_t i = 0;
    while (i + 32 <= count) {
        __m256i part = zero;
        for (unsigned k = 0; k < 255 && i + 32 <= count; k++, i += 32)
            part = _mm256_sub_epi8(part, _mm256_cmpeq_epi8(load(values + i), wanted));
        total = _mm256_add_epi64(total, _mm256_sad_epu8(part, zero));
    }
    uint64_t lanes[4];
    store(lanes, total);
    return (size_t)(lanes[0] + lanes[1] + lanes[2] + lanes[3]) +
           armi_pq_count8_portable(values + i, count - i, value);
}

static uint8_t max8_avx2(const uint8_t *values, size_t count)
{
    __m256i max = _mm256_setzero_si256();
    uint8_t lanes[32];
    size_t i = 0;
    for (; i + 32 <= count; i += 32)
        max = _mm256_max_epu8(max, load(values + i));
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
        max = _mm256_max_epu32(max, load(values + i));
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
    return armi_is_ascii(data + i, size - i);
}

/* Two running vectors a bound: one would be a chain of latencies. */
void armi_pq_bounds32_avx2(const uint8_t *values, size_t count, uint32_t turn,
                           uint32_t out[2])
{
    if (count < 16) {
        armi_pq_bounds32_portable(values, count, turn, out);
        return;
    }
    const __m256i turns = _mm256_set1_epi32((int)turn);
    __m256i lo[2], hi[2];
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        for (size_t k = 0; k < 2; k++) {
            const void *p = values + 4 * i + 32 * k;
            __m256i x = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)p), turns);
            lo[k] = i == 0 ? x : _mm256_min_epi32(lo[k], x);
            hi[k] = i == 0 ? x : _mm256_max_epi32(hi[k], x);
        }
    }
    uint32_t lanes[18];
    __m256i *to = (__m256i *)(void *)lanes;
    _mm256_storeu_si256(to, _mm256_xor_si256(_mm256_min_epi32(lo[0], lo[1]), turns));
    _mm256_storeu_si256(to + 1, _mm256_xor_si256(_mm256_max_epi32(hi[0], hi[1]), turns));
    size_t left = count - i;
    if (left > 0)
        armi_pq_bounds32_portable(values + 4 * i, left, turn, lanes + 16);
    armi_pq_bounds32_portable((const uint8_t *)lanes, left > 0 ? 18 : 16, turn, out);
}

void armi_pq_bounds64_avx2(const uint8_t *values, size_t count, uint64_t turn,
                           uint64_t out[2])
{
    if (count < 8) {
        armi_pq_bounds64_portable(values, count, turn, out);
        return;
    }
    const __m256i turns = _mm256_set1_epi64x((int64_t)turn);
    __m256i lo[2], hi[2];
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        for (size_t k = 0; k < 2; k++) {
            const void *p = values + 8 * i + 32 * k;
            __m256i x = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)p), turns);
            if (i == 0)
                lo[k] = hi[k] = x;
            lo[k] = _mm256_blendv_epi8(lo[k], x, _mm256_cmpgt_epi64(lo[k], x));
            hi[k] = _mm256_blendv_epi8(hi[k], x, _mm256_cmpgt_epi64(x, hi[k]));
        }
    }
    uint64_t lanes[18];
    __m256i *to = (__m256i *)(void *)lanes;
    for (size_t k = 0; k < 2; k++) {
        _mm256_storeu_si256(to + k, _mm256_xor_si256(lo[k], turns));
        _mm256_storeu_si256(to + 2 + k, _mm256_xor_si256(hi[k], turns));
    }
    size_t left = count - i;
    if (left > 0)
        armi_pq_bounds64_portable(values + 8 * i, left, turn, lanes + 16);
    armi_pq_bounds64_portable((const uint8_t *)lanes, left > 0 ? 18 : 16, turn, out);
}

/* The instructions give their second operand where one is NaN: the bound so far. */
#define BOUNDS_FLOAT_AVX2(name, twin, T, V, PS, LANES)                                     \
    size_t name(const uint8_t *values, size_t count, T out[2])                             \
    {                                                                                      \
        V lo[2], hi[2];                                                                    \
        T lanes[4 * (LANES) + 2];                                                          \
        size_t i = 0, nan = 0;                                                             \
        for (size_t k = 0; k < 2; k++) {                                                   \
            lo[k] = _mm256_set1_##PS((T)INFINITY);                                         \
            hi[k] = _mm256_set1_##PS(-(T)INFINITY);                                        \
        }                                                                                  \
        for (; i + 2 * (LANES) <= count; i += 2 * (LANES)) {                               \
            for (size_t k = 0; k < 2; k++) {                                               \
                V x = _mm256_loadu_##PS(                                                   \
                    (const T *)(const void *)(values + sizeof(T) * (i + (LANES)*k)));      \
                lo[k] = _mm256_min_##PS(x, lo[k]);                                         \
                hi[k] = _mm256_max_##PS(x, hi[k]);                                         \
                int none = _mm256_movemask_##PS(_mm256_cmp_##PS(x, x, _CMP_UNORD_Q));      \
                nan += (size_t)__builtin_popcount((unsigned)none);                         \
            }                                                                              \
        }                                                                                  \
        for (size_t k = 0; k < 2; k++) {                                                   \
            _mm256_storeu_##PS(lanes + (LANES)*k, lo[k]);                                  \
            _mm256_storeu_##PS(lanes + (LANES) * (2 + k), hi[k]);                          \
        }                                                                                  \
        nan += twin(values + sizeof(T) * i, count - i, out);                               \
        for (size_t k = 0; k < 2 * (LANES); k++) {                                         \
            out[0] = lanes[k] < out[0] ? lanes[k] : out[0];                                \
            out[1] = lanes[k + 2 * (LANES)] > out[1] ? lanes[k + 2 * (LANES)] : out[1];    \
        }                                                                                  \
        return nan;                                                                        \
    }

BOUNDS_FLOAT_AVX2(armi_pq_bounds_f32_avx2, armi_pq_bounds_f32_portable, float, __m256, ps,
                  8)
BOUNDS_FLOAT_AVX2(armi_pq_bounds_f64_avx2, armi_pq_bounds_f64_portable, double, __m256d, pd,
                  4)

const struct armi_pq_kernels armi_pq_kernels_avx2 = {
    .name = "avx2",
    .unpack32 = unpack32_avx2,
    .unpack64 = unpack64_avx2,
    .delta32 = delta32_avx2,
    .delta64 = delta64_avx2,
    .unpack8 = unpack8_avx2,
    .max8 = max8_avx2,
    .count8 = count8_avx2,
    .at_least64 = at_least64_avx2,
    .compact64 = compact64_avx2,
    .max32 = max32_avx2,
    .gather32 = armi_pq_gather32_portable,
    .gather64 = armi_pq_gather64_portable,
    .bounds32 = armi_pq_bounds32_avx2,
    .bounds64 = armi_pq_bounds64_avx2,
    .bounds_f32 = armi_pq_bounds_f32_avx2,
    .bounds_f64 = armi_pq_bounds_f64_avx2,
    .is_ascii = is_ascii_avx2,
};
