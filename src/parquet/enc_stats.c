/*
 * Bounds of a page's values in the form in which Parquet stores them, and how such bounds compare.
 * NaN is in no bound; zero is -0.0 as a minimum and +0.0 as a maximum; strings are cut at 64 bytes,
 * the maximum then being the next larger string of its length.
 */
#include "parquet/enc_bytes.h"

#include <string.h>

#include "parquet/parquet_dispatch.h"

enum enc_order enc_order_of(const struct armi_pq_leaf *leaf)
{
    if (!leaf->has_order || leaf->convert == ARMI_PQ_NULL)
        return ENC_ORDER_NONE;
    switch (leaf->physical) {
    case ARMI_PQ_BOOLEAN:
        return ENC_ORDER_BOOL;
    case ARMI_PQ_INT32:
        return leaf->is_unsigned ? ENC_ORDER_U32 : ENC_ORDER_I32;
    case ARMI_PQ_INT64:
        return leaf->is_unsigned ? ENC_ORDER_U64 : ENC_ORDER_I64;
    case ARMI_PQ_FLOAT:
        return ENC_ORDER_F32;
    case ARMI_PQ_DOUBLE:
        return ENC_ORDER_F64;
    case ARMI_PQ_BYTE_ARRAY:
        return ARMI_PQ_HAS(&leaf->logical, ARMI_PQ_LOGICAL_STRING) ||
                       ARMI_PQ_HAS(&leaf->logical, ARMI_PQ_LOGICAL_JSON)
                   ? ENC_ORDER_UTF8
                   : ENC_ORDER_BYTES;
    case ARMI_PQ_FIXED:
        if (ARMI_PQ_HAS(&leaf->logical, ARMI_PQ_LOGICAL_FLOAT16))
            return ENC_ORDER_F16;
        if (ARMI_PQ_HAS(&leaf->logical, ARMI_PQ_LOGICAL_DECIMAL))
            return ENC_ORDER_DECIMAL;
        return leaf->type_length <= ENC_BOUND_BYTES ? ENC_ORDER_FIXED : ENC_ORDER_BYTES;
    default:
        return ENC_ORDER_NONE;
    }
}

bool enc_order_is_float(enum enc_order order)
{
    return order == ENC_ORDER_F16 || order == ENC_ORDER_F32 || order == ENC_ORDER_F64;
}

static void bounds_set(struct enc_stats *s, const void *min, const void *max, size_t size)
{
    memcpy(s->min, min, size);
    memcpy(s->max, max, size);
    s->min_size = s->max_size = (uint8_t)size;
    s->has_min = s->has_max = s->min_exact = s->max_exact = s->has_values = true;
}

/* Unsigned numbers order as signed ones once their highest bit is turned. */
static void bounds_int(const struct enc_values *v, bool is_unsigned, struct enc_stats *s)
{
    if (v->width == 4) {
        uint32_t range[2], turn = is_unsigned ? (uint32_t)1 << 31 : 0;
        armi_pq_kernels()->bounds32(v->fixed, v->count, turn, range);
        bounds_set(s, &range[0], &range[1], 4);
    } else {
        uint64_t range[2], turn = is_unsigned ? (uint64_t)1 << 63 : 0;
        armi_pq_kernels()->bounds64(v->fixed, v->count, turn, range);
        bounds_set(s, &range[0], &range[1], 8);
    }
}

static void bounds_float(const struct enc_values *v, struct enc_stats *s)
{
    float range[2];
    size_t nan = armi_pq_kernels()->bounds_f32(v->fixed, v->count, range);
    s->nan_count = (int64_t)nan;
    if (nan == v->count)
        return;
    range[0] = range[0] == 0 ? -0.0f : range[0];
    range[1] = range[1] == 0 ? 0.0f : range[1];
    bounds_set(s, &range[0], &range[1], sizeof range[0]);
}

static void bounds_double(const struct enc_values *v, struct enc_stats *s)
{
    double range[2];
    size_t nan = armi_pq_kernels()->bounds_f64(v->fixed, v->count, range);
    s->nan_count = (int64_t)nan;
    if (nan == v->count)
        return;
    range[0] = range[0] == 0 ? -0.0 : range[0];
    range[1] = range[1] == 0 ? 0.0 : range[1];
    bounds_set(s, &range[0], &range[1], sizeof range[0]);
}

/* Bits of a half float as a number in the order of its value; -0 and +0 differ by one. */
static int half_key(uint16_t bits)
{
    return bits & 0x8000 ? -(int)(bits & 0x7fff) - 1 : (int)bits;
}

static void bounds_f16(const struct enc_values *v, struct enc_stats *s)
{
    int lo = INT32_MAX, hi = INT32_MIN;
    for (size_t i = 0; i < v->count; i++) {
        uint16_t bits = armi_load16(v->fixed + 2 * i);
        if ((bits & 0x7fff) > 0x7c00) {
            s->nan_count++;
            continue;
        }
        int key = half_key(bits);
        lo = key < lo ? key : lo;
        hi = key > hi ? key : hi;
    }
    if (lo == INT32_MAX)
        return;
    lo = lo == 0 ? -1 : lo; /* +0 as a minimum becomes -0 */
    hi = hi == -1 ? 0 : hi;
    uint16_t min = (uint16_t)(lo < 0 ? 0x8000 | (-lo - 1) : lo);
    uint16_t max = (uint16_t)(hi < 0 ? 0x8000 | (-hi - 1) : hi);
    bounds_set(s, &min, &max, 2);
}

static void bounds_bool(const struct enc_values *v, struct enc_stats *s)
{
    size_t ones = armi_bitmap_count(v->fixed, 0, v->count);
    uint8_t min = ones == v->count, max = ones > 0;
    bounds_set(s, &min, &max, 1);
}

/* The first eight bytes as a number that orders as they do, zeros behind the end. */
static inline uint64_t head_of(const uint8_t *p, size_t size)
{
    if (size >= 8)
        return __builtin_bswap64(armi_load64(p));
    if (size >= 4) {
        uint64_t low = armi_load32(p), high = armi_load32(p + size - 4);
        return __builtin_bswap64(low | high << (8 * (size - 4)));
    }
    if (size == 0)
        return 0;
    return (uint64_t)p[0] << 56 | (uint64_t)p[size / 2] << (56 - 8 * (size / 2)) |
           (uint64_t)p[size - 1] << (56 - 8 * (size - 1));
}

static bool utf8_is_start(uint8_t byte)
{
    return (byte & 0xc0) != 0x80;
}

/* The longest prefix of at most ENC_BOUND_BYTES that ends between characters, if it is text. */
static size_t cut_at(struct armi_slice v, bool is_utf8)
{
    size_t n = ENC_BOUND_BYTES;
    if (is_utf8) {
        while (n > ENC_BOUND_BYTES - 4 && !utf8_is_start(v.data[n]))
            n--;
        if (!utf8_is_start(v.data[n]))
            n = ENC_BOUND_BYTES;
    }
    return n;
}

/* Makes the text of *size bytes larger by its last character; false if nothing can be made larger. */
static bool bump_utf8(uint8_t *bytes, uint8_t *size)
{
    while (*size > 0) {
        size_t from = *size - 1u;
        while (from > 0 && !utf8_is_start(bytes[from]))
            from--;
        size_t n = *size - from;
        if (n == 1 && bytes[from] < 0x7f) {
            bytes[from]++;
            return true;
        }
        /* Within the last byte of a longer character; its first bytes decide less often. */
        if (n > 1 && bytes[from + n - 1] < 0xbf) {
            bytes[from + n - 1]++;
            return true;
        }
        *size = (uint8_t)from;
    }
    return false;
}

static bool bump_bytes(uint8_t *bytes, uint8_t *size)
{
    while (*size > 0) {
        if (bytes[*size - 1] != 0xff) {
            bytes[*size - 1]++;
            return true;
        }
        (*size)--;
    }
    return false;
}

static void bounds_store(struct enc_stats *s, struct armi_slice min, struct armi_slice max,
                         bool is_utf8)
{
    s->has_values = s->has_min = s->has_max = true;
    s->min_exact = min.size <= ENC_BOUND_BYTES;
    s->min_size = (uint8_t)(s->min_exact ? min.size : cut_at(min, is_utf8));
    memcpy(s->min, min.data, s->min_size);
    s->max_exact = max.size <= ENC_BOUND_BYTES;
    s->max_size = (uint8_t)(s->max_exact ? max.size : cut_at(max, is_utf8));
    memcpy(s->max, max.data, s->max_size);
    if (!s->max_exact)
        s->has_max =
            is_utf8 ? bump_utf8(s->max, &s->max_size) : bump_bytes(s->max, &s->max_size);
}

/* Of strings whose heads are equal; of eight bytes and less the head is all but the length. */
static inline bool rest_less(struct armi_slice a, struct armi_slice b)
{
    if (a.size <= 8 && b.size <= 8)
        return a.size < b.size;
    return enc_bytes_less(a, b);
}

static void bounds_strings(const struct enc_values *v, struct enc_stats *s, bool is_utf8)
{
    struct armi_slice lo = v->strings[0], hi = lo;
    uint64_t lo_head = head_of(lo.data, lo.size), hi_head = lo_head;
    for (size_t i = 1; i < v->count; i++) {
        struct armi_slice x = v->strings[i];
        uint64_t head = head_of(x.data, x.size);
        /* The maximum first: keys mostly rise, and what is a new one is no minimum. */
        if (head > hi_head || (head == hi_head && rest_less(hi, x))) {
            hi = x;
            hi_head = head;
        } else if (head < lo_head || (head == lo_head && rest_less(x, lo))) {
            lo = x;
            lo_head = head;
        }
    }
    bounds_store(s, lo, hi, is_utf8);
}

/* Fixed-width bytes; a decimal's sign bit is turned for the comparison. */
static void bounds_fixed(const struct enc_values *v, struct enc_stats *s, uint8_t flip)
{
    size_t w = v->width;
    const uint8_t *lo = v->fixed, *hi = lo;
    for (size_t i = 1; i < v->count; i++) {
        const uint8_t *x = v->fixed + i * w;
        int first_lo = (x[0] ^ flip) - (lo[0] ^ flip);
        int first_hi = (x[0] ^ flip) - (hi[0] ^ flip);
        if (first_lo < 0 || (first_lo == 0 && memcmp(x, lo, w) < 0))
            lo = x;
        if (first_hi > 0 || (first_hi == 0 && memcmp(x, hi, w) > 0))
            hi = x;
    }
    bounds_store(s, (struct armi_slice){lo, w}, (struct armi_slice){hi, w}, false);
}

void enc_stats_values(enum enc_order order, const struct enc_values *values,
                      struct enc_stats *stats)
{
    if (values->count == 0)
        return;
    switch (order) {
    case ENC_ORDER_NONE:
        return;
    case ENC_ORDER_BOOL:
        bounds_bool(values, stats);
        return;
    case ENC_ORDER_I32:
    case ENC_ORDER_I64:
        bounds_int(values, false, stats);
        return;
    case ENC_ORDER_U32:
    case ENC_ORDER_U64:
        bounds_int(values, true, stats);
        return;
    case ENC_ORDER_F16:
        bounds_f16(values, stats);
        return;
    case ENC_ORDER_F32:
        bounds_float(values, stats);
        return;
    case ENC_ORDER_F64:
        bounds_double(values, stats);
        return;
    case ENC_ORDER_DECIMAL:
        bounds_fixed(values, stats, 0x80);
        return;
    case ENC_ORDER_FIXED:
    case ENC_ORDER_BYTES:
    case ENC_ORDER_UTF8:
        if (values->width > 0)
            bounds_fixed(values, stats, 0);
        else
            bounds_strings(values, stats, order == ENC_ORDER_UTF8);
        return;
    }
}

static inline float load_f32(const uint8_t *p)
{
    float v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline double load_f64(const uint8_t *p)
{
    double v;
    memcpy(&v, p, sizeof v);
    return v;
}

#define SIGN(a, b) (((a) > (b)) - ((a) < (b)))

int enc_order_compare(enum enc_order order, const uint8_t *a, size_t a_size,
                      const uint8_t *b, size_t b_size)
{
    switch (order) {
    case ENC_ORDER_BOOL:
        return a[0] - b[0];
    case ENC_ORDER_I32:
        return SIGN((int32_t)armi_load32(a), (int32_t)armi_load32(b));
    case ENC_ORDER_U32:
        return SIGN(armi_load32(a), armi_load32(b));
    case ENC_ORDER_I64:
        return SIGN((int64_t)armi_load64(a), (int64_t)armi_load64(b));
    case ENC_ORDER_U64:
        return SIGN(armi_load64(a), armi_load64(b));
    case ENC_ORDER_F16:
        return SIGN(half_key(armi_load16(a)), half_key(armi_load16(b)));
    case ENC_ORDER_F32:
        return SIGN(load_f32(a), load_f32(b));
    case ENC_ORDER_F64:
        return SIGN(load_f64(a), load_f64(b));
    case ENC_ORDER_DECIMAL:
        if ((a[0] ^ b[0]) & 0x80)
            return a[0] & 0x80 ? -1 : 1;
        return memcmp(a, b, a_size);
    default:
        return armi_slice_compare((struct armi_slice){a, a_size},
                                  (struct armi_slice){b, b_size});
    }
}

static void merge_max(enum enc_order order, struct enc_stats *into,
                      const struct enc_stats *from)
{
    int c = enc_order_compare(order, from->max, from->max_size, into->max, into->max_size);
    if (c > 0) {
        memcpy(into->max, from->max, from->max_size);
        into->max_size = from->max_size;
        into->max_exact = from->max_exact;
    } else if (c == 0) {
        into->max_exact |= from->max_exact;
    }
}

static void merge_min(enum enc_order order, struct enc_stats *into,
                      const struct enc_stats *from)
{
    int c = enc_order_compare(order, from->min, from->min_size, into->min, into->min_size);
    if (c < 0) {
        memcpy(into->min, from->min, from->min_size);
        into->min_size = from->min_size;
        into->min_exact = from->min_exact;
    } else if (c == 0) {
        into->min_exact |= from->min_exact;
    }
}

void enc_stats_merge(enum enc_order order, struct enc_stats *into,
                     const struct enc_stats *from)
{
    int64_t nulls = into->null_count + from->null_count;
    int64_t nans = into->nan_count + from->nan_count;
    if (!into->has_values) {
        *into = *from;
    } else if (from->has_values) {
        if (into->has_min && from->has_min)
            merge_min(order, into, from);
        into->has_min &= from->has_min;
        if (into->has_max && from->has_max)
            merge_max(order, into, from);
        into->has_max &= from->has_max;
    }
    into->null_count = nulls;
    into->nan_count = nans;
}
