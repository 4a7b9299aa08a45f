/*
 * Minimum, maximum, nulls and NaN of rows. Kernels find the extremes in the type's own form, over
 * runs of valid rows; only two values a call are then turned into bounds and folded in.
 */
#include <math.h>

#include "arrow/column_internal.h"
#include "arrow/stats_internal.h"

/* ---- extremes of runs of valid rows ---- */

struct extremes {
    enum bound_kind kind;
    bool is_found;
    bool has_nan;
    int64_t low, high;               /* int, bool */
    uint64_t low_u, high_u;          /* uint */
    double low_d, high_d;            /* float */
    struct armi_slice low_s, high_s; /* bytes, decimal: the value as it lies */
};

/* Eight lanes, so that the comparisons run side by side. */
#define EXTREMES(name, type, wide, low_member, high_member)                                \
    static void name(struct extremes *x, const uint8_t *p, size_t count)                   \
    {                                                                                      \
        type low[8], high[8], v;                                                           \
        memcpy(&v, p, sizeof v);                                                           \
        for (size_t k = 0; k < 8; k++)                                                     \
            low[k] = high[k] = v;                                                          \
        size_t i = 0;                                                                      \
        for (; i + 8 <= count; i += 8) {                                                   \
            for (size_t k = 0; k < 8; k++) {                                               \
                memcpy(&v, p + (i + k) * sizeof v, sizeof v);                              \
                low[k] = v < low[k] ? v : low[k];                                          \
                high[k] = v > high[k] ? v : high[k];                                       \
            }                                                                              \
        }                                                                                  \
        for (; i < count; i++) {                                                           \
            memcpy(&v, p + i * sizeof v, sizeof v);                                        \
            low[0] = v < low[0] ? v : low[0];                                              \
            high[0] = v > high[0] ? v : high[0];                                           \
        }                                                                                  \
        for (size_t k = 0; k < 8; k++) {                                                   \
            if (!x->is_found || (wide)low[k] < x->low_member)                              \
                x->low_member = (wide)low[k];                                              \
            if (!x->is_found || (wide)high[k] > x->high_member)                            \
                x->high_member = (wide)high[k];                                            \
            x->is_found = true;                                                            \
        }                                                                                  \
    }
EXTREMES(extremes_i8, int8_t, int64_t, low, high)
EXTREMES(extremes_i16, int16_t, int64_t, low, high)
EXTREMES(extremes_i32, int32_t, int64_t, low, high)
EXTREMES(extremes_i64, int64_t, int64_t, low, high)
EXTREMES(extremes_u8, uint8_t, uint64_t, low_u, high_u)
EXTREMES(extremes_u16, uint16_t, uint64_t, low_u, high_u)
EXTREMES(extremes_u32, uint32_t, uint64_t, low_u, high_u)
EXTREMES(extremes_u64, uint64_t, uint64_t, low_u, high_u)

/* Comparisons with NaN are false, so NaN never becomes an extreme; infinities stand for "none". */
#define EXTREMES_FLOAT(name, type)                                                         \
    static void name(struct extremes *x, const uint8_t *p, size_t count)                   \
    {                                                                                      \
        type low[8], high[8], v;                                                           \
        unsigned nan[8] = {0};                                                             \
        for (size_t k = 0; k < 8; k++) {                                                   \
            low[k] = (type)INFINITY;                                                       \
            high[k] = -(type)INFINITY;                                                     \
        }                                                                                  \
        size_t i = 0;                                                                      \
        for (; i + 8 <= count; i += 8) {                                                   \
            for (size_t k = 0; k < 8; k++) {                                               \
                memcpy(&v, p + (i + k) * sizeof v, sizeof v);                              \
                low[k] = v < low[k] ? v : low[k];                                          \
                high[k] = v > high[k] ? v : high[k];                                       \
                nan[k] |= v != v;                                                          \
            }                                                                              \
        }                                                                                  \
        for (; i < count; i++) {                                                           \
            memcpy(&v, p + i * sizeof v, sizeof v);                                        \
            low[0] = v < low[0] ? v : low[0];                                              \
            high[0] = v > high[0] ? v : high[0];                                           \
            nan[0] |= v != v;                                                              \
        }                                                                                  \
        for (size_t k = 0; k < 8; k++) {                                                   \
            x->has_nan = x->has_nan || nan[k] != 0;                                        \
            x->low_d = (double)low[k] < x->low_d ? (double)low[k] : x->low_d;              \
            x->high_d = (double)high[k] > x->high_d ? (double)high[k] : x->high_d;         \
        }                                                                                  \
    }
EXTREMES_FLOAT(extremes_f32, float)
EXTREMES_FLOAT(extremes_f64, double)

static void extremes_half(struct extremes *x, const struct armi_array *array, int64_t from,
                          int64_t count)
{
    for (int64_t i = from; i < from + count; i++) {
        double v = armi_array_double(array, i);
        x->has_nan = x->has_nan || v != v;
        x->low_d = v < x->low_d ? v : x->low_d;
        x->high_d = v > x->high_d ? v : x->high_d;
    }
}

static void extremes_bool(struct extremes *x, const struct armi_array *array, int64_t from,
                          int64_t count)
{
    int64_t ones = (int64_t)armi_bitmap_count(array->values, (size_t)(array->offset + from),
                                              (size_t)count);
    int64_t low = ones == count, high = ones > 0;
    x->low = x->is_found && x->low < low ? x->low : low;
    x->high = x->is_found && x->high > high ? x->high : high;
    x->is_found = true;
}

/* The first eight bytes as a number whose order is that of the bytes, as far as it goes. */
static uint64_t prefix_of(struct armi_slice s)
{
    uint64_t v = 0;
    if (s.size >= 8)
        return __builtin_bswap64(armi_load64(s.data));
    if (s.size >= 4) {
        uint64_t low = armi_load32(s.data), high = armi_load32(s.data + s.size - 4);
        return __builtin_bswap64(low | high << (8 * (s.size - 4)));
    }
    for (size_t i = 0; i < s.size; i++)
        v |= (uint64_t)s.data[i] << (56 - 8 * i);
    return v;
}

/* Of strings whose first eight bytes are equal, so that up to there only the length tells. */
static bool rest_less(struct armi_slice a, struct armi_slice b)
{
    return a.size <= 8 && b.size <= 8 ? a.size < b.size : armi_slice_compare(a, b) < 0;
}

static void extremes_bytes(struct extremes *x, const struct armi_array *array, int64_t from,
                           int64_t count)
{
    uint64_t low = 0, high = 0;
    if (x->is_found) {
        low = prefix_of(x->low_s);
        high = prefix_of(x->high_s);
    }
    for (int64_t i = from; i < from + count; i++) {
        struct armi_slice s = {array->values, 0};
        if (array->layout != ARMI_LAYOUT_FIXED)
            s = binary_at(array, i);
        else if (array->width != 0)
            s = (struct armi_slice){armi_array_at(array, i), (size_t)array->width};
        uint64_t prefix = prefix_of(s);
        if (!x->is_found || prefix < low || (prefix == low && rest_less(s, x->low_s))) {
            x->low_s = s;
            low = prefix;
        }
        if (!x->is_found || prefix > high || (prefix == high && rest_less(x->high_s, s))) {
            x->high_s = s;
            high = prefix;
        }
        x->is_found = true;
    }
}

static void extremes_decimal(struct extremes *x, const struct armi_array *array,
                             int64_t from, int64_t count)
{
    size_t width = (size_t)array->width;
    for (int64_t i = from; i < from + count; i++) {
        const uint8_t *p = armi_array_at(array, i);
        if (!x->is_found || decimal_order(p, x->low_s.data, width) < 0)
            x->low_s = (struct armi_slice){p, width};
        if (!x->is_found || decimal_order(p, x->high_s.data, width) > 0)
            x->high_s = (struct armi_slice){p, width};
        x->is_found = true;
    }
}

typedef void (*extremes_fn)(struct extremes *x, const uint8_t *p, size_t count);

/* A run of rows without nulls. */
static void extremes_run(struct extremes *x, const struct armi_array *array, int64_t from,
                         int64_t count)
{
    static const extremes_fn ints[] = {extremes_i8, extremes_i16, extremes_i32,
                                       extremes_i64};
    static const extremes_fn uints[] = {extremes_u8, extremes_u16, extremes_u32,
                                        extremes_u64};
    if (x->kind == BOUND_BOOL) {
        extremes_bool(x, array, from, count);
    } else if (x->kind == BOUND_BYTES) {
        extremes_bytes(x, array, from, count);
    } else if (x->kind == BOUND_DECIMAL) {
        extremes_decimal(x, array, from, count);
    } else if (array->width == 2 && x->kind == BOUND_FLOAT) {
        extremes_half(x, array, from, count);
    } else {
        const uint8_t *p = armi_array_at(array, from);
        int at = __builtin_ctz((unsigned)array->width);
        if (x->kind == BOUND_INT)
            ints[at](x, p, (size_t)count);
        else if (x->kind == BOUND_UINT)
            uints[at](x, p, (size_t)count);
        else if (array->width == 4)
            extremes_f32(x, p, (size_t)count);
        else
            extremes_f64(x, p, (size_t)count);
    }
}

/* Valid values moved together, since runs between scattered nulls are too short for the lanes:
 * returns how many of the 64 or fewer were valid. */
#define PACK_VALUES(name, type)                                                            \
    static size_t name(uint8_t *out, const uint8_t *p, uint64_t valid, size_t count)       \
    {                                                                                      \
        size_t n = 0;                                                                      \
        for (size_t i = 0; i < count; i++) {                                               \
            memcpy(out + n * sizeof(type), p + i * sizeof(type), sizeof(type));            \
            n += (valid >> i) & 1;                                                         \
        }                                                                                  \
        return n;                                                                          \
    }
PACK_VALUES(pack_values8, uint8_t)
PACK_VALUES(pack_values16, uint16_t)
PACK_VALUES(pack_values32, uint32_t)
PACK_VALUES(pack_values64, uint64_t)

/* Numbers of 1 to 8 bytes with nulls among them. */
static void extremes_packed(struct extremes *x, const struct armi_array *array,
                            int64_t from, int64_t count)
{
    static size_t (*const pack[])(uint8_t *, const uint8_t *, uint64_t, size_t) = {
        pack_values8, pack_values16, pack_values32, pack_values64};
    uint8_t block[(COLUMN_BLOCK + 1) * 8];
    struct armi_array values = {.field = array->field,
                                .layout = ARMI_LAYOUT_FIXED,
                                .width = array->width,
                                .values = block,
                                .length = COLUMN_BLOCK};
    size_t width = (size_t)array->width, fill = 0;
    int at_pack = __builtin_ctz((unsigned)width);
    size_t at = (size_t)(array->offset + from), end = at + (size_t)count;
    for (; at < end; at += 64) {
        size_t take = end - at < 64 ? end - at : 64;
        uint64_t valid = bits_load64(array->validity, at, end);
        fill +=
            pack[at_pack](block + fill * width, array->values + at * width, valid, take);
        if (fill > COLUMN_BLOCK - 64 || at + 64 >= end) {
            if (fill != 0)
                extremes_run(x, &values, 0, (int64_t)fill);
            fill = 0;
        }
    }
}

/* What was found, as statistics. */
static void extremes_bounds(const struct extremes *x, size_t width, struct armi_stats *out)
{
    struct armi_bound low, high;
    bool is_found = x->kind == BOUND_FLOAT ? x->low_d <= x->high_d : x->is_found;
    if (x->has_nan)
        out->flags |= ARMI_STATS_NAN;
    if (!is_found)
        return;
    switch (x->kind) {
    case BOUND_BOOL:
        low = armi_bound_bool(x->low != 0);
        high = armi_bound_bool(x->high != 0);
        break;
    case BOUND_INT:
        low = armi_bound_int(x->low);
        high = armi_bound_int(x->high);
        break;
    case BOUND_UINT:
        low = armi_bound_uint(x->low_u);
        high = armi_bound_uint(x->high_u);
        break;
    case BOUND_FLOAT:
        low = armi_bound_double(x->low_d);
        high = armi_bound_double(x->high_d);
        break;
    case BOUND_DECIMAL:
        low = armi_bound_decimal(x->low_s.data, width, false);
        high = armi_bound_decimal(x->high_s.data, width, true);
        break;
    default:
        low = armi_bound_bytes(x->low_s, false);
        high = armi_bound_bytes(x->high_s, true);
        break;
    }
    out->flags &= (uint8_t)~ARMI_STATS_NONE;
    if (low.size >= 0) {
        out->flags |= ARMI_STATS_MIN | (low.is_exact ? ARMI_STATS_MIN_EXACT : 0);
        out->min_size = (uint8_t)low.size;
        memcpy(out->min, low.bytes, sizeof out->min);
    }
    if (high.size >= 0) {
        out->flags |= ARMI_STATS_MAX | (high.is_exact ? ARMI_STATS_MAX_EXACT : 0);
        out->max_size = (uint8_t)high.size;
        memcpy(out->max, high.bytes, sizeof out->max);
    }
}

/* ---- update ---- */

/* Rows of an array that is no dictionary and not run-end. */
static void update_plain(struct armi_stats *out, const struct armi_array *array,
                         int64_t from, int64_t count)
{
    struct extremes x = {
        .kind = armi_bound_kind(array->field), .low_d = INFINITY, .high_d = -INFINITY};
    int64_t nulls =
        array->layout == ARMI_LAYOUT_NULL ? count : validity_nulls(array, from, count);
    out->rows = (uint64_t)count;
    out->null_count = (uint64_t)nulls;
    if (nulls == count)
        return;
    if (x.kind == BOUND_NONE) {
        out->flags = ARMI_STATS_NULLS_EXACT | ARMI_STATS_NAN;
        return;
    }
    if (nulls == 0) {
        extremes_run(&x, array, from, count);
    } else if (x.kind == BOUND_INT || x.kind == BOUND_UINT || x.kind == BOUND_FLOAT) {
        extremes_packed(&x, array, from, count);
    } else {
        size_t at = (size_t)(array->offset + from), end = at + (size_t)count, run = 0;
        for (; bits_next_run(array->validity, true, end, &at, &run); at += run)
            extremes_run(&x, array, (int64_t)at - array->offset, (int64_t)run);
    }
    extremes_bounds(&x, (size_t)array->width, out);
}

/* Up to so many entries a dictionary's rows are marked first, and each used entry is taken once. */
#define USED_MAX 8192

static void update_entries(struct armi_stats *self, const struct armi_array *values,
                           const uint8_t *used, size_t entries)
{
    size_t at = 0, run = 0;
    uint64_t rows = self->rows, nulls = self->null_count;
    for (; bits_next_run(used, true, entries, &at, &run); at += run)
        armi_stats_update(self, values, (int64_t)at, (int64_t)run);
    self->rows = rows; /* entries are not rows */
    self->null_count = nulls;
}

static void update_dictionary(struct armi_stats *self, const struct armi_array *array,
                              int64_t from, int64_t count)
{
    const struct armi_array *values = array->dictionary;
    uint8_t used[USED_MAX / 8] = {0}, valid[COLUMN_BLOCK / 8];
    int64_t indices[COLUMN_BLOCK];
    bool is_small = values->length <= USED_MAX;
    for (int64_t done = 0; done < count;) {
        int64_t take = rows_min(count - done, COLUMN_BLOCK);
        armi_column_indices(array, from + done, take, indices);
        int64_t nulls = armi_column_logical_validity(array, from + done, take, valid);
        self->rows += (uint64_t)take;
        self->null_count += (uint64_t)nulls;
        for (int64_t i = 0; i < take; i++) {
            if (nulls != 0 && !armi_bit_get(valid, (size_t)i))
                continue;
            if (is_small) {
                armi_bit_set(used, (size_t)indices[i]);
            } else {
                uint64_t rows = self->rows, null_count = self->null_count;
                armi_stats_update(self, values, indices[i], 1);
                self->rows = rows;
                self->null_count = null_count;
            }
        }
        done += take;
    }
    if (is_small)
        update_entries(self, values, used, (size_t)values->length);
}

static void update_run_end(struct armi_stats *self, const struct armi_array *array,
                           int64_t from, int64_t count)
{
    for (int64_t i = from; i < from + count;) {
        int64_t run = armi_array_run(array, i), next = i + 1;
        while (next < from + count && armi_array_run(array, next) == run)
            next++;
        struct armi_stats one;
        armi_stats_init(&one);
        armi_stats_update(&one, &array->children[1], run, 1);
        one.rows = (uint64_t)(next - i);
        one.null_count *= one.rows;
        armi_stats_merge(self, &one);
        i = next;
    }
}

void armi_stats_update(struct armi_stats *self, const struct armi_array *array,
                       int64_t from, int64_t count)
{
    assert(from >= 0 && count >= 0 && count <= array->length - from);
    if (count == 0)
        return;
    if (array->layout == ARMI_LAYOUT_DICTIONARY) {
        update_dictionary(self, array, from, count);
    } else if (array->layout == ARMI_LAYOUT_RUN_END) {
        update_run_end(self, array, from, count);
    } else {
        struct armi_stats rows;
        armi_stats_init(&rows);
        update_plain(&rows, array, from, count);
        armi_stats_merge(self, &rows);
    }
}
