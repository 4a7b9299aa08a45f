/*
 * Statistics as values: bounds out of single values, comparison and merging. stats_update.c makes
 * them of rows.
 */
#include "arrow/stats.h"

#include "arrow/column_internal.h"
#include "arrow/stats_internal.h"

/* ---- values as bounds ---- */

enum bound_kind armi_bound_kind(const struct armi_field *field)
{
    switch (field->type) {
    case ARMI_TYPE_NULL:
        return BOUND_NULL;
    case ARMI_TYPE_BOOL:
        return BOUND_BOOL;
    case ARMI_TYPE_INT8:
    case ARMI_TYPE_INT16:
    case ARMI_TYPE_INT32:
    case ARMI_TYPE_INT64:
    case ARMI_TYPE_DATE32:
    case ARMI_TYPE_DATE64:
    case ARMI_TYPE_TIME32:
    case ARMI_TYPE_TIME64:
    case ARMI_TYPE_TIMESTAMP:
    case ARMI_TYPE_DURATION:
        return BOUND_INT;
    case ARMI_TYPE_UINT8:
    case ARMI_TYPE_UINT16:
    case ARMI_TYPE_UINT32:
    case ARMI_TYPE_UINT64:
        return BOUND_UINT;
    case ARMI_TYPE_FLOAT16:
    case ARMI_TYPE_FLOAT32:
    case ARMI_TYPE_FLOAT64:
        return BOUND_FLOAT;
    case ARMI_TYPE_DECIMAL32:
    case ARMI_TYPE_DECIMAL64:
    case ARMI_TYPE_DECIMAL128:
    case ARMI_TYPE_DECIMAL256:
        return BOUND_DECIMAL;
    case ARMI_TYPE_FIXED_BINARY:
        return BOUND_BYTES;
    default:
        return armi_type_is_binary(field->type) ? BOUND_BYTES : BOUND_NONE;
    }
}

static void store_big_endian(uint8_t *out, uint64_t v)
{
    armi_store64(out, __builtin_bswap64(v));
}

struct armi_bound armi_bound_uint(uint64_t v)
{
    struct armi_bound bound = {8, true, {0}};
    store_big_endian(bound.bytes, v);
    return bound;
}

struct armi_bound armi_bound_int(int64_t v)
{
    return armi_bound_uint((uint64_t)v ^ (UINT64_C(1) << 63));
}

struct armi_bound armi_bound_double(double v)
{
    uint64_t bits;
    if (v == 0)
        v = 0; /* -0.0 is 0.0 */
    memcpy(&bits, &v, sizeof bits);
    return armi_bound_uint(bits >> 63 ? ~bits : bits ^ (UINT64_C(1) << 63));
}

struct armi_bound armi_bound_bool(bool v)
{
    return (struct armi_bound){1, true, {v}};
}

struct armi_bound armi_bound_decimal(const uint8_t *value, size_t width, bool upper)
{
    uint64_t w[4];
    for (size_t i = 0; i < 4; i++) {
        if (8 * i + 8 <= width)
            w[i] = armi_load64(value + 8 * i);
        else if (i == 0)
            w[i] = (uint64_t)(int64_t)(int32_t)armi_load32(value);
        else
            w[i] = (uint64_t)0 - (w[i - 1] >> 63);
    }
    struct armi_bound bound = {16, true, {0}};
    uint64_t sign = (uint64_t)0 - (w[3] >> 63), fits = (uint64_t)0 - (w[1] >> 63);
    if (w[2] != sign || w[3] != sign || fits != sign) {
        /* Beyond 128 bits: the end of their range is a bound on one side, there is none on the
         * other. */
        if (upper == (sign == 0))
            return (struct armi_bound){-1, false, {0}};
        bound.is_exact = false;
        memset(bound.bytes, sign == 0 ? 0xff : 0, sizeof bound.bytes);
        return bound;
    }
    store_big_endian(bound.bytes, w[1] ^ (UINT64_C(1) << 63));
    store_big_endian(bound.bytes + 8, w[0]);
    return bound;
}

struct armi_bound armi_bound_bytes(struct armi_slice value, bool upper)
{
    struct armi_bound bound = {(int)value.size, true, {0}};
    if (value.size <= ARMI_STATS_BOUND_MAX) {
        if (value.size != 0)
            memcpy(bound.bytes, value.data, value.size);
        return bound;
    }
    bound = (struct armi_bound){ARMI_STATS_BOUND_MAX, false, {0}};
    memcpy(bound.bytes, value.data, ARMI_STATS_BOUND_MAX);
    if (!upper)
        return bound;
    /* The least string above all that start so: drop 0xff at the end, add one to what is last. */
    while (bound.size > 0 && bound.bytes[bound.size - 1] == 0xff)
        bound.bytes[--bound.size] = 0;
    if (bound.size == 0)
        return (struct armi_bound){-1, false, {0}};
    bound.bytes[bound.size - 1]++;
    return bound;
}

/* Of a valid row, not NaN, of an array that is no dictionary and not run-end. */
static struct armi_bound bound_of(const struct armi_array *array, int64_t i, bool upper)
{
    switch (armi_bound_kind(array->field)) {
    case BOUND_BOOL:
        return armi_bound_bool(armi_array_bool(array, i));
    case BOUND_INT:
        return armi_bound_int(armi_array_int(array, i));
    case BOUND_UINT:
        return armi_bound_uint((uint64_t)armi_array_int(array, i));
    case BOUND_FLOAT:
        return armi_bound_double(armi_array_double(array, i));
    case BOUND_DECIMAL:
        return armi_bound_decimal(armi_array_at(array, i), (size_t)array->width, upper);
    case BOUND_BYTES:
        if (array->layout == ARMI_LAYOUT_FIXED)
            return armi_bound_bytes(
                (struct armi_slice){array->width == 0 ? NULL : armi_array_at(array, i),
                                    (size_t)array->width},
                upper);
        return armi_bound_bytes(binary_at(array, i), upper);
    default:
        return (struct armi_bound){-1, false, {0}};
    }
}

int armi_stats_bound(const struct armi_array *array, int64_t i, bool upper,
                     uint8_t out[ARMI_STATS_BOUND_MAX], bool *exact)
{
    bool is_valid = armi_array_resolve(&array, &i);
    assert(is_valid && !armi_array_is_null(array, i));
    (void)is_valid;
    struct armi_bound bound = bound_of(array, i, upper);
    memcpy(out, bound.bytes, sizeof bound.bytes);
    if (exact != NULL)
        *exact = bound.is_exact;
    return bound.size;
}

int armi_stats_compare(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    return armi_slice_compare((struct armi_slice){a, a_size},
                              (struct armi_slice){b, b_size});
}

bool armi_stats_is_ordered(const struct armi_field *field)
{
    enum bound_kind kind = armi_bound_kind(armi_field_value(field));
    return kind != BOUND_NONE && kind != BOUND_NULL;
}

/* ---- statistics as a value ---- */

void armi_stats_init(struct armi_stats *self)
{
    *self = (struct armi_stats){.flags = ARMI_STATS_NONE | ARMI_STATS_NULLS_EXACT};
}

void armi_stats_loosen(struct armi_stats *self)
{
    self->flags &=
        (uint8_t) ~(ARMI_STATS_MIN_EXACT | ARMI_STATS_MAX_EXACT | ARMI_STATS_NULLS_EXACT);
}

static void merge_min(struct armi_stats *self, const struct armi_stats *other)
{
    const unsigned both = ARMI_STATS_MIN | ARMI_STATS_MIN_EXACT;
    unsigned flags = self->flags & both;
    int order = -1; /* ours stays */
    if ((self->flags & ARMI_STATS_NONE) != 0)
        order = 1;
    else if (((self->flags & other->flags) & ARMI_STATS_MIN) == 0)
        flags = 0;
    else
        order = armi_stats_compare(self->min, self->min_size, other->min, other->min_size);
    if (order > 0) {
        flags = other->flags & both;
        self->min_size = other->min_size;
        memcpy(self->min, other->min, sizeof self->min);
    } else if (order == 0) {
        flags |= other->flags & both;
    }
    self->flags = (uint8_t)((self->flags & ~both) | flags);
    if (flags == 0) {
        self->min_size = 0;
        memset(self->min, 0, sizeof self->min);
    }
}

static void merge_max(struct armi_stats *self, const struct armi_stats *other)
{
    const unsigned both = ARMI_STATS_MAX | ARMI_STATS_MAX_EXACT;
    unsigned flags = self->flags & both;
    int order = 1; /* ours stays */
    if ((self->flags & ARMI_STATS_NONE) != 0)
        order = -1;
    else if (((self->flags & other->flags) & ARMI_STATS_MAX) == 0)
        flags = 0;
    else
        order = armi_stats_compare(self->max, self->max_size, other->max, other->max_size);
    if (order < 0) {
        flags = other->flags & both;
        self->max_size = other->max_size;
        memcpy(self->max, other->max, sizeof self->max);
    } else if (order == 0) {
        flags |= other->flags & both;
    }
    self->flags = (uint8_t)((self->flags & ~both) | flags);
    if (flags == 0) {
        self->max_size = 0;
        memset(self->max, 0, sizeof self->max);
    }
}

void armi_stats_merge(struct armi_stats *self, const struct armi_stats *other)
{
    if ((other->flags & ARMI_STATS_NONE) == 0) {
        merge_min(self, other);
        merge_max(self, other);
        self->flags &= (uint8_t)~ARMI_STATS_NONE;
    }
    self->flags |= other->flags & ARMI_STATS_NAN;
    if ((other->flags & ARMI_STATS_NULLS_EXACT) == 0)
        self->flags &= (uint8_t)~ARMI_STATS_NULLS_EXACT;
    self->null_count += other->null_count;
    self->rows += other->rows;
}
