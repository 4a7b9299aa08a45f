/*
 * From Arrow values to Parquet's physical values, nulls left out. One loop a pair of source and target
 * type; with no nulls and the same bits on both sides nothing is copied at all.
 *
 * Nulls are dropped without branches: every value is stored, and the place moves on by its validity
 * bit. Words of 64 valid rows take the loop without bits.
 */
#include "parquet/enc_internal.h"

#include <stdio.h>
#include <stdarg.h>
#include <string.h>

#include "base/limits.h"

enum armi_status enc_error(const struct enc_column *c, enum armi_status status, int64_t row,
                           const char *format, ...)
{
    char path[256], text[512];
    /* People count from one, as with CSV and keys. */
    long long number = (long long)(c->first_row + row + 1);
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    armi_pq_leaf_path(c->leaf, path, sizeof path);
    if (row < 0)
        return armi_error_object(c->err, status, "column", path, "column \"%s\": %s", path,
                                 text);
    return armi_error_object(c->err, status, "column", path, "column \"%s\", row %lld: %s",
                             path, number, text);
}

/* ---- loops ---- */

/* What a conversion needs beside the values. */
struct convert {
    int64_t factor;
    uint32_t in_width;
    uint32_t out_width;
    bool bad; /* a value does not fit */
};

typedef size_t gather_fn(const uint8_t *src, size_t count, const uint8_t *bits,
                         size_t bit_from, uint8_t *dst, struct convert *cv);

static inline uint64_t bits_word(const uint8_t *bits, size_t from, size_t count)
{
    uint64_t word = 0;
    uint8_t bytes[9] = {0};
    size_t shift = from & 7;
    memcpy(bytes, bits + (from >> 3), armi_bitmap_size(shift + count));
    word = armi_load64(bytes) >> shift;
    if (shift > 0)
        word |= (uint64_t)bytes[8] << (64 - shift);
    return count == 64 ? word : word & (((uint64_t)1 << count) - 1);
}

/* `ONE(i, k)` converts source value i to place k; it may set bits in `lost`. */
#define GATHER(name, ONE)                                                                  \
    static size_t name(const uint8_t *src, size_t count, const uint8_t *bits,              \
                       size_t bit_from, uint8_t *dst, struct convert *cv)                  \
    {                                                                                      \
        uint64_t lost = 0;                                                                 \
        size_t k = 0;                                                                      \
        if (bits == NULL) {                                                                \
            for (size_t i = 0; i < count; i++)                                             \
                ONE(i, i);                                                                 \
            cv->bad |= lost != 0;                                                          \
            return count;                                                                  \
        }                                                                                  \
        for (size_t base = 0; base < count; base += 64) {                                  \
            size_t n = count - base < 64 ? count - base : 64;                              \
            uint64_t word = bits_word(bits, bit_from + base, n);                           \
            if (word == UINT64_MAX) {                                                      \
                for (size_t i = 0; i < 64; i++)                                            \
                    ONE(base + i, k + i);                                                  \
                k += 64;                                                                   \
            } else if (word != 0) {                                                        \
                for (size_t i = 0; i < n; i++) {                                           \
                    ONE(base + i, k);                                                      \
                    k += (word >> i) & 1;                                                  \
                }                                                                          \
            }                                                                              \
        }                                                                                  \
        cv->bad |= lost != 0;                                                              \
        return k;                                                                          \
    }

#define COPY_ONE(size) memcpy(dst + (size) * (K), src + (size) * (I), size)
#define COPY2(I, K)    memcpy(dst + 2 * (K), src + 2 * (I), 2)
#define COPY4(I, K)    memcpy(dst + 4 * (K), src + 4 * (I), 4)
#define COPY8(I, K)    memcpy(dst + 8 * (K), src + 8 * (I), 8)
#define COPY16(I, K)   memcpy(dst + 16 * (K), src + 16 * (I), 16)
#define COPYN(I, K)                                                                        \
    memcpy(dst + (size_t)cv->in_width * (K), src + (size_t)cv->in_width * (I), cv->in_width)
GATHER(gather_copy2, COPY2)
GATHER(gather_copy4, COPY4)
GATHER(gather_copy8, COPY8)
GATHER(gather_copy16, COPY16)
GATHER(gather_copyn, COPYN)
#undef COPY_ONE

#define WIDEN_I8(I, K) armi_store32(dst + 4 * (K), (uint32_t)(int32_t)(int8_t)src[I])
#define WIDEN_U8(I, K) armi_store32(dst + 4 * (K), src[I])
#define WIDEN_I16(I, K)                                                                    \
    armi_store32(dst + 4 * (K), (uint32_t)(int32_t)(int16_t)armi_load16(src + 2 * (I)))
#define WIDEN_U16(I, K) armi_store32(dst + 4 * (K), armi_load16(src + 2 * (I)))
GATHER(gather_i8, WIDEN_I8)
GATHER(gather_u8, WIDEN_U8)
GATHER(gather_i16, WIDEN_I16)
GATHER(gather_u16, WIDEN_U16)

/* Only values that stay may be judged: what lies under a null is garbage. The callers of these three
 * therefore look for the culprit among the values that were kept, and `bad` is but a hint. */
static inline void scale4(const uint8_t *src, uint8_t *dst, struct convert *cv)
{
    int64_t v = (int64_t)(int32_t)armi_load32(src) * cv->factor;
    cv->bad |= v < INT32_MIN || v > INT32_MAX;
    armi_store32(dst, (uint32_t)v);
}

static inline void scale8(const uint8_t *src, uint8_t *dst, struct convert *cv)
{
    int64_t v;
    if (__builtin_mul_overflow((int64_t)armi_load64(src), cv->factor, &v)) {
        cv->bad = true;
        v = 0;
    }
    armi_store64(dst, (uint64_t)v);
}

/* Two's complement of `in` bytes to the `out` lowest of them, 4 or 8. Returns zero if nothing is lost. */
static inline uint64_t narrow_int(const uint8_t *src, size_t in, uint8_t *dst, size_t out)
{
    uint64_t low = armi_load64(src), lost = 0;
    for (size_t i = 8; i < in; i += 8)
        lost |= armi_load64(src + i) ^ (uint64_t)((int64_t)low >> 63);
    if (out == 8) {
        armi_store64(dst, low);
        return lost;
    }
    armi_store32(dst, (uint32_t)low);
    return lost | (low ^ (uint64_t)(int64_t)(int32_t)(uint32_t)low);
}

/* Little-endian two's complement of in_width bytes to big-endian of out_width: narrower or wider. */
static inline void resize_big(const uint8_t *src, uint8_t *dst, struct convert *cv)
{
    uint32_t in = cv->in_width, out = cv->out_width;
    uint8_t sign = src[in - 1] & 0x80 ? 0xff : 0;
    for (uint32_t i = 0; i < out; i++)
        dst[out - 1 - i] = i < in ? src[i] : sign;
    for (uint32_t i = out; i < in; i++)
        cv->bad |= src[i] != sign;
    cv->bad |= out < in && ((dst[0] & 0x80) != 0) != (sign != 0);
}

#define SCALE4(I, K) scale4(src + 4 * (I), dst + 4 * (K), cv)
#define SCALE8(I, K) scale8(src + 8 * (I), dst + 8 * (K), cv)
#define NARROW(in, out, I, K)                                                              \
    lost |= narrow_int(src + (in) * (I), in, dst + (out) * (K), out)
#define NARROW_8_4(I, K)  NARROW(8, 4, I, K)
#define NARROW_16_4(I, K) NARROW(16, 4, I, K)
#define NARROW_16_8(I, K) NARROW(16, 8, I, K)
#define NARROW_32_4(I, K) NARROW(32, 4, I, K)
#define NARROW_32_8(I, K) NARROW(32, 8, I, K)
#define RESIZE_BIG(I, K)                                                                   \
    resize_big(src + (size_t)cv->in_width * (I), dst + (size_t)cv->out_width * (K), cv)
GATHER(gather_scale4, SCALE4)
GATHER(gather_scale8, SCALE8)
GATHER(gather_narrow_8_4, NARROW_8_4)
GATHER(gather_narrow_16_4, NARROW_16_4)
GATHER(gather_narrow_16_8, NARROW_16_8)
GATHER(gather_narrow_32_4, NARROW_32_4)
GATHER(gather_narrow_32_8, NARROW_32_8)
GATHER(gather_resize_big, RESIZE_BIG)

/* A decimal's own width is never less than what its digits need. */
static gather_fn *narrow_pick(const struct convert *cv)
{
    switch (cv->in_width) {
    case 8:
        return gather_narrow_8_4;
    case 16:
        return cv->out_width == 4 ? gather_narrow_16_4 : gather_narrow_16_8;
    default:
        return cv->out_width == 4 ? gather_narrow_32_4 : gather_narrow_32_8;
    }
}

static gather_fn *gather_pick(const struct armi_pq_leaf *leaf, const struct convert *cv)
{
    const struct armi_field *value = armi_field_value(leaf->field);
    switch (leaf->convert) {
    case ARMI_PQ_NARROW:
        return value->type == ARMI_TYPE_INT8    ? gather_i8
               : value->type == ARMI_TYPE_UINT8 ? gather_u8
               : value->type == ARMI_TYPE_INT16 ? gather_i16
                                                : gather_u16;
    case ARMI_PQ_SCALE:
        return cv->in_width == 4 ? gather_scale4 : gather_scale8;
    case ARMI_PQ_DECIMAL_INT:
        if (cv->in_width != cv->out_width)
            return narrow_pick(cv);
        break;
    case ARMI_PQ_DECIMAL_BYTES:
        return gather_resize_big;
    default:
        break;
    }
    switch (cv->in_width) {
    case 2:
        return gather_copy2;
    case 4:
        return gather_copy4;
    case 8:
        return gather_copy8;
    case 16:
        return gather_copy16;
    default:
        return gather_copyn;
    }
}

static uint32_t stored_width(const struct armi_pq_leaf *leaf)
{
    switch (leaf->physical) {
    case ARMI_PQ_INT32:
    case ARMI_PQ_FLOAT:
        return 4;
    case ARMI_PQ_INT64:
    case ARMI_PQ_DOUBLE:
        return 8;
    case ARMI_PQ_FIXED:
        return (uint32_t)leaf->type_length;
    default:
        return 0;
    }
}

/* ---- one page ---- */

enum armi_status enc_gather_begin(struct enc_gather *g, struct enc_column *c,
                                  size_t capacity)
{
    *g = (struct enc_gather){.c = c, .capacity = capacity};
    g->values.width = stored_width(c->leaf);
    if (c->leaf->physical == ARMI_PQ_BYTE_ARRAY) {
        ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_STRINGS, capacity * sizeof *g->strings,
                              &g->strings, c->err));
        g->values.strings = g->strings;
    }
    return ARMI_OK;
}

static size_t fixed_size(const struct enc_gather *g, size_t count)
{
    return g->values.width > 0 ? count * g->values.width : armi_bitmap_size(count);
}

/* Room for `extra` more values, where it is not known before how many a page will have. */
static enum armi_status gather_reserve(struct enc_gather *g, size_t extra)
{
    if (g->capacity - g->values.count >= extra)
        return ARMI_OK;
    size_t wanted = g->values.count + extra;
    wanted = wanted > 2 * g->capacity ? wanted : 2 * g->capacity;
    if (g->strings != NULL) {
        ARMI_TRY(enc_slot_grow(g->c->worker, ENC_SLOT_STRINGS,
                               g->values.count * sizeof *g->strings,
                               wanted * sizeof *g->strings, &g->strings, g->c->err));
        g->values.strings = g->strings;
    }
    if (g->fixed != NULL) {
        ARMI_TRY(enc_slot_grow(g->c->worker, ENC_SLOT_FIXED, fixed_size(g, g->values.count),
                               fixed_size(g, wanted) + 64, &g->fixed, g->c->err));
        g->values.fixed = g->fixed;
    }
    g->capacity = wanted;
    return ARMI_OK;
}

/* From here on the values are collected in the slot. */
static enum armi_status fixed_own(struct enc_gather *g)
{
    if (g->fixed != NULL)
        return ARMI_OK;
    ARMI_TRY(enc_slot_get(g->c->worker, ENC_SLOT_FIXED, fixed_size(g, g->capacity) + 64,
                          &g->fixed, g->c->err));
    if (g->values.fixed != NULL)
        memcpy(g->fixed, g->values.fixed, fixed_size(g, g->values.count));
    g->values.fixed = g->fixed;
    g->values.is_borrowed = false;
    return ARMI_OK;
}

static enum armi_status does_not_fit(const struct enc_column *c, int64_t row)
{
    const struct armi_field *value = armi_field_value(c->leaf->field);
    if (c->leaf->convert != ARMI_PQ_SCALE)
        return enc_error(c, ARMI_INVALID, row,
                         "a value has more digits than the %d of its type, %s",
                         value->precision, armi_type_name(value->type));
    return enc_error(c, ARMI_INVALID, row,
                     "a value is out of range: %s is stored in milliseconds, of which it "
                     "would be more than a %d-bit number holds",
                     armi_type_name(value->type),
                     c->leaf->physical == ARMI_PQ_INT32 ? 32 : 64);
}

/* Which row's value does not fit, now that one is known to be suspicious. */
static enum armi_status culprit(struct enc_gather *g, gather_fn *fn, struct convert *cv,
                                const uint8_t *src, size_t count, const uint8_t *bits,
                                size_t bit_from)
{
    uint8_t out[32];
    for (size_t i = 0; i < count; i++) {
        if (bits != NULL && !armi_bit_get(bits, bit_from + i))
            continue;
        cv->bad = false;
        fn(src + i * cv->in_width, 1, NULL, 0, out, cv);
        if (cv->bad)
            return does_not_fit(g->c, g->row + (int64_t)i);
    }
    return ARMI_OK;
}

static enum armi_status fixed_add(struct enc_gather *g, const uint8_t *src,
                                  uint32_t src_width, size_t count, const uint8_t *bits,
                                  size_t bit_from, bool lasting)
{
    const struct armi_pq_leaf *leaf = g->c->leaf;
    uint32_t width = g->values.width;
    struct convert cv = {.factor = leaf->factor, .in_width = src_width, .out_width = width};
    bool same = leaf->convert == ARMI_PQ_COPY ||
                (leaf->convert == ARMI_PQ_DECIMAL_INT && src_width == width);
    if (bits == NULL && same) {
        if (lasting && g->values.count == 0 && g->fixed == NULL) {
            g->values.fixed = src;
            g->values.count = count;
            g->values.is_borrowed = true;
            return ARMI_OK;
        }
        ARMI_TRY(fixed_own(g));
        memcpy(g->fixed + g->values.count * width, src, count * width);
        g->values.count += count;
        return ARMI_OK;
    }
    ARMI_TRY(fixed_own(g));
    gather_fn *fn = gather_pick(leaf, &cv);
    g->values.count +=
        fn(src, count, bits, bit_from, g->fixed + g->values.count * width, &cv);
    return cv.bad ? culprit(g, fn, &cv, src, count, bits, bit_from) : ARMI_OK;
}

static enum armi_status bits_add(struct enc_gather *g, const uint8_t *src, size_t src_from,
                                 size_t count, const uint8_t *bits, size_t bit_from)
{
    ARMI_TRY(fixed_own(g));
    uint8_t *out = g->fixed;
    size_t k = g->values.count;
    if (bits == NULL && (k & 7) == 0) {
        armi_bitmap_copy(out + k / 8, src, src_from, count);
        g->values.count += count;
        return ARMI_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (bits != NULL && !armi_bit_get(bits, bit_from + i))
            continue;
        if ((k & 7) == 0)
            out[k / 8] = 0;
        out[k / 8] |= (uint8_t)(armi_bit_get(src, src_from + i) << (k & 7));
        k++;
    }
    g->values.count = k;
    return ARMI_OK;
}

/* ---- strings ---- */

#define STRING_LOOP(name, PREPARE, ONE)                                                    \
    static size_t name(const struct armi_array *a, size_t from, size_t count,              \
                       const uint8_t *bits, size_t bit_from, struct enc_string_span *s)    \
    {                                                                                      \
        PREPARE                                                                            \
        struct armi_slice *out = s->out;                                                   \
        uint64_t bytes = s->bytes;                                                         \
        size_t i = 0, largest = 0;                                                         \
        for (; i < count; i++) {                                                           \
            if (bits != NULL && !armi_bit_get(bits, bit_from + i))                         \
                continue;                                                                  \
            struct armi_slice v;                                                           \
            ONE if (bytes + v.size > s->limit &&                                           \
                    s->filled + (size_t)(out - s->out) > 0) break;                         \
            bytes += v.size;                                                               \
            largest = v.size > largest ? v.size : largest;                                 \
            *out++ = v;                                                                    \
        }                                                                                  \
        s->filled += (size_t)(out - s->out);                                               \
        s->out = out;                                                                      \
        s->bytes = bytes;                                                                  \
        s->largest = largest > s->largest ? largest : s->largest;                          \
        return i;                                                                          \
    }

static const uint8_t no_bytes[16];

STRING_LOOP(strings_some32, const uint8_t *offsets = a->offsets + 4 * from;
            const uint8_t *data = a->values != NULL ? a->values : no_bytes;
            , uint32_t begin = armi_load32(offsets + 4 * i); v.data = data + begin;
            v.size = armi_load32(offsets + 4 * i + 4) - begin;)

STRING_LOOP(strings_some64, const uint8_t *offsets = a->offsets + 8 * from;
            const uint8_t *data = a->values != NULL ? a->values : no_bytes;
            , uint64_t begin = armi_load64(offsets + 8 * i); v.data = data + begin;
            v.size = (size_t)(armi_load64(offsets + 8 * i + 8) - begin);)

/* A view: size, then 12 bytes inline or a prefix, buffer number and offset. */
STRING_LOOP(strings_view, const uint8_t *views = a->values + 16 * from;
            , const uint8_t *view = views + 16 * i; v.size = armi_load32(view);
            v.data = v.size <= 12
                         ? view + 4
                         : a->variadic[armi_load32(view + 8)] + armi_load32(view + 12);)

/* Of a fixed-size binary of width 0, and whatever else the accessor knows. */
STRING_LOOP(strings_any, , v = armi_array_bytes(a, (int64_t)(from + i) - a->offset);
            if (v.data == NULL) v.data = no_bytes;)

/*
 * Strings that are known to fit, between offsets of type T. As with numbers, every slice is stored and
 * the place moves on by the validity bit. Returns how many were valid; adds their sizes to *bytes.
 */
#define STRINGS_ALL(name, T, LOAD)                                                         \
    static size_t name(const uint8_t *offsets, const uint8_t *data, size_t count,          \
                       const uint8_t *bits, size_t bit_from, struct armi_slice *out,       \
                       uint64_t *bytes)                                                    \
    {                                                                                      \
        size_t k = 0;                                                                      \
        uint64_t sum = 0;                                                                  \
        for (size_t base = 0; base < count; base += 64) {                                  \
            size_t n = count - base < 64 ? count - base : 64;                              \
            const uint8_t *p = offsets + base * sizeof(T);                                 \
            uint64_t word =                                                                \
                bits != NULL ? bits_word(bits, bit_from + base, n) : UINT64_MAX;           \
            T begin = (T)LOAD(p);                                                          \
            if (word == UINT64_MAX) {                                                      \
                sum += (T)LOAD(p + n * sizeof(T)) - begin;                                 \
                for (size_t i = 0; i < n; i++) {                                           \
                    T end = (T)LOAD(p + (i + 1) * sizeof(T));                              \
                    out[k++] = (struct armi_slice){data + begin, (size_t)(end - begin)};   \
                    begin = end;                                                           \
                }                                                                          \
            } else if (word != 0) {                                                        \
                for (size_t i = 0; i < n; i++) {                                           \
                    T end = (T)LOAD(p + (i + 1) * sizeof(T));                              \
                    uint64_t valid = (word >> i) & 1;                                      \
                    out[k] = (struct armi_slice){data + begin, (size_t)(end - begin)};     \
                    sum += (end - begin) & (0 - valid);                                    \
                    k += valid;                                                            \
                    begin = end;                                                           \
                }                                                                          \
            }                                                                              \
        }                                                                                  \
        *bytes += sum;                                                                     \
        return k;                                                                          \
    }

STRINGS_ALL(strings_all32, uint32_t, armi_load32)
STRINGS_ALL(strings_all64, uint64_t, armi_load64)

static uint64_t string_offset(const struct armi_array *a, size_t at)
{
    return a->layout == ARMI_LAYOUT_BINARY32 ? armi_load32(a->offsets + 4 * at)
                                             : armi_load64(a->offsets + 8 * at);
}

/* Of `count` strings from `from` on, how many have `room` bytes together at most. */
static size_t strings_fitting(const struct armi_array *a, size_t from, size_t count,
                              uint64_t room)
{
    uint64_t begin = string_offset(a, from);
    size_t low = 0, high = count; /* low fit */
    while (low < high) {
        size_t middle = high - (high - low) / 2;
        if (string_offset(a, from + middle) - begin <= room)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static size_t strings_offsets(const struct armi_array *a, size_t from, size_t count,
                              const uint8_t *bits, size_t bit_from,
                              struct enc_string_span *s)
{
    bool is_wide = a->layout == ARMI_LAYOUT_BINARY64;
    uint64_t room = s->bytes <= s->limit ? s->limit - s->bytes : 0;
    size_t fit = bits == NULL ? strings_fitting(a, from, count, room) : count;
    uint64_t size = string_offset(a, from + fit) - string_offset(a, from);
    /* Where that does not settle it, one by one. */
    if (fit == 0 || s->bytes > s->limit || size > room || size > ARMI_VALUE_SIZE_MAX)
        return is_wide ? strings_some64(a, from, count, bits, bit_from, s)
                       : strings_some32(a, from, count, bits, bit_from, s);
    const uint8_t *offsets = a->offsets + from * (is_wide ? 8 : 4);
    const uint8_t *data = a->values != NULL ? a->values : no_bytes;
    size_t n = is_wide
                   ? strings_all64(offsets, data, fit, bits, bit_from, s->out, &s->bytes)
                   : strings_all32(offsets, data, fit, bits, bit_from, s->out, &s->bytes);
    s->filled += n;
    s->out += n;
    return fit;
}

static size_t strings_some(const struct armi_array *a, size_t from, size_t count,
                           const uint8_t *bits, size_t bit_from, struct enc_string_span *s)
{
    switch (a->layout) {
    case ARMI_LAYOUT_BINARY32:
    case ARMI_LAYOUT_BINARY64:
        return strings_offsets(a, from, count, bits, bit_from, s);
    case ARMI_LAYOUT_VIEW:
        return strings_view(a, from, count, bits, bit_from, s);
    default:
        return strings_any(a, from, count, bits, bit_from, s);
    }
}

/* Notes in which buffer the strings that come next lie. */
static void text_note(struct enc_gather *g, const struct armi_array *a)
{
    bool is_one = a->layout == ARMI_LAYOUT_BINARY32 || a->layout == ARMI_LAYOUT_BINARY64;
    const uint8_t *data = is_one ? a->values : NULL;
    const uint8_t *until =
        is_one ? data + string_offset(a, (size_t)(a->offset + a->length)) : NULL;
    struct enc_text *last = g->values.texts + g->values.text_count - 1;
    if (g->values.text_count > 0 && data != NULL && data == g->text) {
        last->until = until > last->until ? until : last->until;
    } else if (g->values.text_count < ENC_TEXTS) {
        g->values.texts[g->values.text_count++] = (struct enc_text){g->values.count, until};
        g->text = data;
    } else {
        last->until = NULL;
        g->text = NULL;
    }
}

static enum armi_status strings_add(struct enc_gather *g, const struct armi_array *a,
                                    int64_t from, size_t count, const uint8_t *bits,
                                    size_t bit_from, uint64_t limit, int64_t *out_count)
{
    text_note(g, a);
    struct enc_string_span s = {
        .out = g->strings + g->values.count,
        .bytes = g->values.bytes,
        .limit = limit,
        .filled = g->values.count,
    };
    size_t at = (size_t)(a->offset + from), taken;
    if (enc_words_apply(g->c, a, count)) {
        ARMI_TRY(enc_words_add(g, a, at, count, bits, bit_from, &s, &taken));
    } else {
        taken = strings_some(a, at, count, bits, bit_from, &s);
        g->values.codes = NULL;
        g->values.codes_of = NULL;
    }
    if (s.largest > ARMI_VALUE_SIZE_MAX) {
        for (size_t i = 0, k = g->values.count; i < taken; i++) {
            if (bits != NULL && !armi_bit_get(bits, bit_from + i))
                continue;
            if (g->strings[k++].size > ARMI_VALUE_SIZE_MAX)
                return enc_error(g->c, ARMI_LIMIT, g->row + (int64_t)i,
                                 "a value of %zu bytes; at most 2^30 are carried",
                                 g->strings[k - 1].size);
        }
    }
    g->values.count = s.filled;
    g->values.bytes = s.bytes;
    *out_count = (int64_t)taken;
    return ARMI_OK;
}

/* ---- dictionaries and run ends ---- */

static bool is_indirect(const struct armi_array *a)
{
    return a->layout == ARMI_LAYOUT_DICTIONARY || a->layout == ARMI_LAYOUT_RUN_END;
}

enum armi_status enc_validity(struct enc_column *c, const struct armi_array *leaf,
                              int64_t from, int64_t count, const uint8_t **bits,
                              size_t *bit_from)
{
    *bits = NULL;
    *bit_from = 0;
    if (count == 0 || !armi_array_may_have_nulls(leaf))
        return ARMI_OK;
    if (!is_indirect(leaf) && leaf->layout != ARMI_LAYOUT_NULL) {
        *bits = leaf->validity;
        *bit_from = (size_t)(leaf->offset + from);
        return ARMI_OK;
    }
    uint8_t *out;
    size_t size = armi_bitmap_size((size_t)count);
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_BITS, size + 8, &out, c->err));
    memset(out, 0, size);
    if (leaf->layout != ARMI_LAYOUT_NULL)
        for (int64_t i = 0; i < count; i++)
            if (!armi_array_is_null(leaf, from + i))
                armi_bit_set(out, (size_t)i);
    *bits = out;
    return ARMI_OK;
}

/* Fixed-width or bool values behind a dictionary or run ends, made plain in a slot. */
static enum armi_status flatten(struct enc_gather *g, const struct armi_array *a,
                                int64_t from, size_t count, const uint8_t *bits,
                                size_t bit_from, const uint8_t **src, uint32_t *src_width)
{
    const struct armi_field *value = armi_field_value(a->field);
    bool is_bool = value->type == ARMI_TYPE_BOOL;
    uint32_t width = is_bool ? 0 : (uint32_t)armi_field_byte_width(value);
    size_t size = is_bool ? armi_bitmap_size(count) : count * width;
    uint8_t *out;
    ARMI_TRY(enc_slot_get(g->c->worker, ENC_SLOT_FLAT, size + 64, &out, g->c->err));
    memset(out, 0, size);
    for (size_t i = 0; i < count; i++) {
        if (bits != NULL && !armi_bit_get(bits, bit_from + i))
            continue;
        const struct armi_array *at = a;
        int64_t row = from + (int64_t)i;
        if (!armi_array_resolve(&at, &row))
            continue;
        if (is_bool)
            armi_bit_put(out, i, armi_array_bool(at, row));
        else
            memcpy(out + i * width, armi_array_at(at, row), width);
    }
    *src = out;
    *src_width = width;
    return ARMI_OK;
}

enum armi_status enc_gather_add(struct enc_gather *g, const struct armi_array *leaf,
                                int64_t from, int64_t count, const uint8_t *bits,
                                size_t bit_from, uint64_t byte_limit, int64_t *out_count)
{
    *out_count = count;
    size_t n = (size_t)count;
    enum armi_status status = ARMI_OK;
    if (count == 0 || g->c->leaf->convert == ARMI_PQ_NULL)
        return ARMI_OK;
    ARMI_TRY(gather_reserve(g, n));
    if (g->c->leaf->convert == ARMI_PQ_BYTES) {
        status = strings_add(g, leaf, from, n, bits, bit_from, byte_limit, out_count);
    } else {
        const uint8_t *src = leaf->values;
        uint32_t src_width = (uint32_t)leaf->width;
        size_t at = (size_t)(leaf->offset + from);
        bool indirect = is_indirect(leaf);
        if (indirect) {
            ARMI_TRY(flatten(g, leaf, from, n, bits, bit_from, &src, &src_width));
            at = 0;
        }
        if (g->c->leaf->convert == ARMI_PQ_BOOL)
            status = bits_add(g, src, at, n, bits, bit_from);
        else
            status =
                fixed_add(g, src + at * src_width, src_width, n, bits, bit_from, !indirect);
    }
    g->row += *out_count;
    return status;
}
