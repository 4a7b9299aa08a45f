/*
 * Numbers held against ranges, 64 at a time: first 64 bytes of 0 and 1, which compilers turn into
 * vector comparisons, then the bytes into bits.
 */
#include "predicate/predicate_internal.h"

/* More ranges than this are searched, value by value. */
#define RANGES_LINEAR_MAX 4

/* ---- kernels ---- */

/* 64 bytes of 0 or 1 as bits: the product collects eight of them in its top byte. */
static inline uint64_t pack(const uint8_t hit[64])
{
    uint64_t bits = 0;
    for (size_t i = 0; i < 8; i++)
        bits |= (armi_load64(hit + 8 * i) * UINT64_C(0x0102040810204080) >> 56) << (8 * i);
    return bits;
}

#define INT_KERNEL(name, type)                                                             \
    static uint64_t name(const uint8_t *p, const struct armi_int_range *range)             \
    {                                                                                      \
        type low = (type)range->low, span = (type)range->span;                             \
        uint8_t hit[64];                                                                   \
        for (size_t i = 0; i < 64; i++) {                                                  \
            type v;                                                                        \
            memcpy(&v, p + i * sizeof v, sizeof v);                                        \
            hit[i] = (type)(v - low) <= span;                                              \
        }                                                                                  \
        return pack(hit);                                                                  \
    }
INT_KERNEL(in_range8, uint8_t)
INT_KERNEL(in_range16, uint16_t)
INT_KERNEL(in_range32, uint32_t)
INT_KERNEL(in_range64, uint64_t)

/* NaN is in no range. */
#define FLOAT_KERNEL(name, type)                                                           \
    static uint64_t name(const uint8_t *p, const struct armi_double_range *range)          \
    {                                                                                      \
        type low = (type)range->low, high = (type)range->high;                             \
        uint8_t hit[64];                                                                   \
        for (size_t i = 0; i < 64; i++) {                                                  \
            type v;                                                                        \
            memcpy(&v, p + i * sizeof v, sizeof v);                                        \
            hit[i] = (v >= low) & (v <= high);                                             \
        }                                                                                  \
        return pack(hit);                                                                  \
    }
FLOAT_KERNEL(in_range_float, float)
FLOAT_KERNEL(in_range_double, double)

/* ---- one value among many ranges ---- */

static bool find_int(const struct armi_ranges *ranges, uint64_t v)
{
    uint64_t key = v ^ ranges->flip;
    size_t low = 0, count = ranges->count;
    /* The last range that does not begin above the key. */
    while (count > 1) {
        size_t half = count / 2;
        low = (ranges->ints[low + half].low ^ ranges->flip) <= key ? low + half : low;
        count -= half;
    }
    return ranges->count != 0 && v - ranges->ints[low].low <= ranges->ints[low].span;
}

static bool find_double(const struct armi_ranges *ranges, double v)
{
    size_t low = 0, count = ranges->count;
    while (count > 1) {
        size_t half = count / 2;
        low = ranges->doubles[low + half].low <= v ? low + half : low;
        count -= half;
    }
    return ranges->count != 0 && v >= ranges->doubles[low].low &&
           v <= ranges->doubles[low].high;
}

static bool find_int128(const struct armi_ranges *ranges, __int128_t v)
{
    size_t low = 0, count = ranges->count;
    while (count > 1) {
        size_t half = count / 2;
        low = ranges->int128s[low + half].low <= v ? low + half : low;
        count -= half;
    }
    return ranges->count != 0 && v >= ranges->int128s[low].low &&
           v <= ranges->int128s[low].high;
}

static uint64_t int_at(const uint8_t *p, int32_t width, bool is_signed)
{
    switch (width) {
    case 1:
        return is_signed ? (uint64_t)(int64_t)(int8_t)*p : *p;
    case 2:
        return is_signed ? (uint64_t)(int64_t)(int16_t)armi_load16(p) : armi_load16(p);
    case 4:
        return is_signed ? (uint64_t)(int64_t)(int32_t)armi_load32(p) : armi_load32(p);
    default:
        return armi_load64(p);
    }
}

static bool find_value(const struct armi_ranges *ranges, const struct armi_array *array,
                       int64_t i)
{
    const uint8_t *p = armi_array_at(array, i);
    __int128_t v;
    switch (ranges->native) {
    case ARMI_NATIVE_INT:
        return find_int(ranges, int_at(p, array->width, ranges->flip != 0));
    case ARMI_NATIVE_INT128:
        memcpy(&v, p, sizeof v);
        return find_int128(ranges, v);
    case ARMI_NATIVE_WIDE: {
        struct armi_wide wide = armi_wide_load(p, (size_t)array->width);
        struct armi_key key = armi_key_of_wide(&wide);
        return armi_key_set_has(&ranges->set, &key);
    }
    default:
        return find_double(ranges, armi_array_double(array, i));
    }
}

/* ---- arrays ---- */

static uint64_t in_ranges(const struct armi_ranges *ranges, const uint8_t *p, int32_t width)
{
    static uint64_t (*const ints[])(const uint8_t *, const struct armi_int_range *) = {
        in_range8, in_range16, in_range32, in_range64};
    uint64_t bits = 0;
    for (size_t k = 0; k < ranges->count; k++) {
        if (ranges->native == ARMI_NATIVE_INT)
            bits |= ints[__builtin_ctz((unsigned)width)](p, &ranges->ints[k]);
        else if (ranges->native == ARMI_NATIVE_FLOAT)
            bits |= in_range_float(p, &ranges->doubles[k]);
        else
            bits |= in_range_double(p, &ranges->doubles[k]);
    }
    return bits;
}

static uint64_t find_values(const struct armi_ranges *ranges,
                            const struct armi_array *array, int64_t from, uint64_t asked)
{
    uint64_t bits = 0;
    for (; asked != 0; asked &= asked - 1) {
        int i = __builtin_ctzll(asked);
        bits |= (uint64_t)find_value(ranges, array, from + i) << i;
    }
    return bits;
}

static void eval_bits(const struct armi_ranges *ranges, const struct armi_array *array,
                      int64_t from, int64_t count, uint64_t *bits)
{
    static const struct armi_key keys[2] = {{{0}}, {{1}}};
    uint64_t if_false = armi_key_set_has(&ranges->set, &keys[0]) ? UINT64_MAX : 0;
    uint64_t if_true = armi_key_set_has(&ranges->set, &keys[1]) ? UINT64_MAX : 0;
    size_t at = (size_t)(array->offset + from), end = at + (size_t)count;
    for (size_t w = 0; at < end; w++, at += 64) {
        uint64_t v = armi_word_at(array->values, at, end);
        bits[w] &= (v & if_true) | (~v & if_false);
    }
}

void armi_eval_ranges(const struct armi_ranges *ranges, const struct armi_array *array,
                      int64_t from, int64_t count, uint64_t *bits)
{
    if (ranges->native == ARMI_NATIVE_BIT) {
        eval_bits(ranges, array, from, count, bits);
        return;
    }
    bool is_linear =
        ranges->count <= RANGES_LINEAR_MAX &&
        (ranges->native == ARMI_NATIVE_INT || ranges->native == ARMI_NATIVE_FLOAT ||
         ranges->native == ARMI_NATIVE_DOUBLE);
    uint64_t turn = ranges->is_complement ? UINT64_MAX : 0;
    for (int64_t done = 0; done < count; done += 64, bits++) {
        if (*bits == 0)
            continue;
        uint64_t hits;
        if (!is_linear) {
            hits = find_values(ranges, array, from + done, *bits);
        } else if (count - done >= 64) {
            hits = in_ranges(ranges, armi_array_at(array, from + done), array->width);
        } else {
            uint8_t tail[64 * 8] = {0};
            memcpy(tail, armi_array_at(array, from + done),
                   (size_t)(count - done) * (size_t)array->width);
            hits = in_ranges(ranges, tail, array->width);
        }
        *bits &= hits ^ turn;
    }
}
