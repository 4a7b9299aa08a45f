/*
 * Statistics of columns: joined, and as bytes.
 *
 *     DESCRIPTION, of each column      SIZE
 *     column id - the one before - 1   varint (the first: the id)
 *     flags                            1
 *     null count                       varint
 *     min, if HAS_MIN                  1 + size
 *     max, if HAS_MAX                  1 + size
 */
#include "tree/tree_internal.h"

#include <string.h>

#define FLAGS_KNOWN 0x7f
#define BOUND_FLAGS                                                                        \
    (ARMI_TREE_HAS_MIN | ARMI_TREE_HAS_MAX | ARMI_TREE_MIN_EXACT | ARMI_TREE_MAX_EXACT)

static struct armi_slice min_of(const struct armi_tree_stats *stats)
{
    return (struct armi_slice){stats->min, stats->min_size};
}

static struct armi_slice max_of(const struct armi_tree_stats *stats)
{
    return (struct armi_slice){stats->max, stats->max_size};
}

static bool column_valid(const struct armi_tree_stats *stats)
{
    unsigned flags = stats->flags;
    if ((flags & ~(unsigned)FLAGS_KNOWN) != 0 || stats->column < 0)
        return false;
    if (stats->min_size > ARMI_TREE_BOUND_MAX || stats->max_size > ARMI_TREE_BOUND_MAX)
        return false;
    if (!(flags & ARMI_TREE_HAS_MIN) &&
        ((flags & ARMI_TREE_MIN_EXACT) || stats->min_size > 0))
        return false;
    if (!(flags & ARMI_TREE_HAS_MAX) &&
        ((flags & ARMI_TREE_MAX_EXACT) || stats->max_size > 0))
        return false;
    if ((flags & ARMI_TREE_NO_VALUES) && (flags & BOUND_FLAGS))
        return false;
    if ((flags & ARMI_TREE_HAS_MIN) && (flags & ARMI_TREE_HAS_MAX))
        return armi_slice_compare(min_of(stats), max_of(stats)) <= 0;
    return true;
}

bool armi_tree_stats_valid(const struct armi_tree_stats *stats, size_t count)
{
    if (count > ARMI_TREE_STATS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!column_valid(&stats[i]) || (i > 0 && stats[i].column <= stats[i - 1].column))
            return false;
    }
    return true;
}

static void take_min(struct armi_tree_stats *out, const struct armi_tree_stats *from)
{
    out->flags =
        (uint8_t)(out->flags | (from->flags & (ARMI_TREE_HAS_MIN | ARMI_TREE_MIN_EXACT)));
    out->min_size = from->min_size;
    memcpy(out->min, from->min, sizeof out->min);
}

static void take_max(struct armi_tree_stats *out, const struct armi_tree_stats *from)
{
    out->flags =
        (uint8_t)(out->flags | (from->flags & (ARMI_TREE_HAS_MAX | ARMI_TREE_MAX_EXACT)));
    out->max_size = from->max_size;
    memcpy(out->max, from->max, sizeof out->max);
}

/* Where both bounds are equal, one that is a value makes the bound of both a value. */
static void join_bounds(struct armi_tree_stats *out, const struct armi_tree_stats *a,
                        const struct armi_tree_stats *b)
{
    unsigned both = a->flags & b->flags;
    if (both & ARMI_TREE_HAS_MIN) {
        int order = armi_slice_compare(min_of(a), min_of(b));
        if (order <= 0)
            take_min(out, a);
        if (order >= 0)
            take_min(out, b);
    }
    if (both & ARMI_TREE_HAS_MAX) {
        int order = armi_slice_compare(max_of(a), max_of(b));
        if (order >= 0)
            take_max(out, a);
        if (order <= 0)
            take_max(out, b);
    }
}

static bool join_column(const struct armi_tree_stats *a, const struct armi_tree_stats *b,
                        struct armi_tree_stats *out)
{
    struct armi_tree_stats sum = {.column = a->column};
    unsigned both = a->flags & b->flags, either = a->flags | b->flags;
    sum.flags = (uint8_t)((both & (ARMI_TREE_NULLS_EXACT | ARMI_TREE_NO_VALUES)) |
                          (either & ARMI_TREE_HAS_NAN));
    if (__builtin_add_overflow(a->null_count, b->null_count, &sum.null_count))
        return false;
    if (both & ARMI_TREE_NO_VALUES) {
        /* Nothing to bound on either side. */
    } else if (a->flags & ARMI_TREE_NO_VALUES) {
        take_min(&sum, b);
        take_max(&sum, b);
    } else if (b->flags & ARMI_TREE_NO_VALUES) {
        take_min(&sum, a);
        take_max(&sum, a);
    } else {
        join_bounds(&sum, a, b);
    }
    *out = sum;
    return true;
}

/* In place over `a` is safe: the place written is never beyond the one read. */
bool armi_tree_stats_union(const struct armi_tree_stats *a, size_t a_count,
                           const struct armi_tree_stats *b, size_t b_count,
                           struct armi_tree_stats *sum, size_t *sum_count)
{
    size_t i = 0, j = 0, n = 0;
    while (i < a_count && j < b_count) {
        if (a[i].column < b[j].column) {
            i++;
        } else if (a[i].column > b[j].column) {
            j++;
        } else {
            if (!join_column(&a[i], &b[j], &sum[n]))
                return false;
            i++;
            j++;
            n++;
        }
    }
    *sum_count = n;
    return true;
}

const struct armi_tree_stats *armi_tree_stats_find(const struct armi_tree_stats *stats,
                                                   size_t count, int32_t column)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stats[middle].column < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && stats[low].column == column ? &stats[low] : NULL;
}

static enum armi_status encode_bound(const uint8_t *bound, uint8_t size,
                                     struct armi_buf *out, struct armi_error *err)
{
    ARMI_TRY(armi_buf_append_u8(out, size, err));
    return armi_buf_append(out, bound, size, err);
}

enum armi_status armi_tree_stats_encode(const struct armi_tree_stats *stats, size_t count,
                                        struct armi_buf *out, struct armi_error *err)
{
    int64_t before = -1;
    ARMI_TRY(armi_buf_append_varint(out, count, err));
    for (size_t i = 0; i < count; i++) {
        const struct armi_tree_stats *s = &stats[i];
        ARMI_TRY(armi_buf_append_varint(out, (uint64_t)(s->column - before - 1), err));
        ARMI_TRY(armi_buf_append_u8(out, s->flags, err));
        ARMI_TRY(armi_buf_append_varint(out, s->null_count, err));
        if (s->flags & ARMI_TREE_HAS_MIN)
            ARMI_TRY(encode_bound(s->min, s->min_size, out, err));
        if (s->flags & ARMI_TREE_HAS_MAX)
            ARMI_TRY(encode_bound(s->max, s->max_size, out, err));
        before = s->column;
    }
    return ARMI_OK;
}

static bool decode_bound(struct armi_reader *reader, uint8_t *bound, uint8_t *size)
{
    const uint8_t *bytes;
    if (!armi_read_u8(reader, size) || *size > ARMI_TREE_BOUND_MAX ||
        !armi_read_span(reader, *size, &bytes))
        return false;
    if (*size > 0)
        memcpy(bound, bytes, *size);
    return true;
}

static bool decode_column(struct armi_reader *reader, int64_t before,
                          struct armi_tree_stats *out)
{
    uint64_t step;
    *out = (struct armi_tree_stats){0};
    if (!armi_read_varint(reader, &step) || step > INT32_MAX ||
        before + 1 + (int64_t)step > INT32_MAX)
        return false;
    out->column = (int32_t)(before + 1 + (int64_t)step);
    if (!armi_read_u8(reader, &out->flags) || !armi_read_varint(reader, &out->null_count))
        return false;
    if ((out->flags & ARMI_TREE_HAS_MIN) && !decode_bound(reader, out->min, &out->min_size))
        return false;
    return !(out->flags & ARMI_TREE_HAS_MAX) ||
           decode_bound(reader, out->max, &out->max_size);
}

enum armi_status armi_tree_stats_decode(struct armi_reader *reader,
                                        struct armi_tree_stats *stats, size_t *count,
                                        struct armi_error *err)
{
    uint64_t n;
    int64_t before = -1;
    if (!armi_read_varint(reader, &n) || n > ARMI_TREE_STATS_MAX)
        return armi_error_set(err, ARMI_CORRUPTION, "the number of statistics is damaged");
    for (size_t i = 0; i < n; i++) {
        if (!decode_column(reader, before, &stats[i]))
            return armi_error_set(err, ARMI_CORRUPTION, "statistics %zu are damaged", i);
        if (stats[i].flags & ~(unsigned)FLAGS_KNOWN)
            return armi_error_set(err, ARMI_UNSUPPORTED,
                                  "statistics of column %d have a flag of a newer version",
                                  stats[i].column);
        if (!column_valid(&stats[i]))
            return armi_error_set(err, ARMI_CORRUPTION,
                                  "statistics of column %d contradict themselves",
                                  stats[i].column);
        before = stats[i].column;
    }
    *count = (size_t)n;
    return ARMI_OK;
}
