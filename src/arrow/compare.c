/*
 * Rows compared, one by one through the type, and many at once by words of 64 rows: flat values and
 * strings have loops of their own, the rest asks row by row. Recursion follows the type, whose
 * depth the import has bounded.
 */
#include "arrow/compare.h"

#include "arrow/column_internal.h"
#include "base/buf.h"

/* ---- one row, to the bit ---- */

static bool same_lists(const struct armi_array *a, int64_t i, const struct armi_array *b,
                       int64_t k)
{
    int64_t a_from, a_count, b_from, b_count;
    armi_array_list(a, i, &a_from, &a_count);
    armi_array_list(b, k, &b_from, &b_count);
    return a_count == b_count &&
           armi_compare_same_run(&a->children[0], a_from, &b->children[0], b_from,
                                 a_count) == a_count;
}

/* Both rows valid, neither array a dictionary or run-end. */
static bool same_values(const struct armi_array *a, int64_t i, const struct armi_array *b,
                        int64_t k)
{
    if (layout_is_binary(a->layout))
        return armi_slice_equal(binary_at(a, i), binary_at(b, k));
    if (layout_is_list(a->layout))
        return same_lists(a, i, b, k);
    switch (a->layout) {
    case ARMI_LAYOUT_BITS:
        return armi_array_bool(a, i) == armi_array_bool(b, k);
    case ARMI_LAYOUT_FIXED:
        assert(a->width == b->width);
        return memcmp(armi_array_at(a, i), armi_array_at(b, k), (size_t)a->width) == 0;
    case ARMI_LAYOUT_FIXED_LIST: {
        int64_t width = a->field->width;
        return armi_compare_same_run(&a->children[0], (a->offset + i) * width,
                                     &b->children[0], (b->offset + k) * width,
                                     width) == width;
    }
    case ARMI_LAYOUT_STRUCT:
        for (size_t c = 0; c < a->child_count; c++) {
            if (!armi_compare_same(&a->children[c], a->offset + i, &b->children[c],
                                   b->offset + k))
                return false;
        }
        return true;
    default:
        return true; /* null */
    }
}

static bool is_null_here(const struct armi_array *a, int64_t i)
{
    return a->layout == ARMI_LAYOUT_NULL || !armi_array_is_valid_bit(a, i);
}

bool armi_compare_same(const struct armi_array *a, int64_t i, const struct armi_array *b,
                       int64_t k)
{
    bool a_null = !armi_array_resolve(&a, &i) || is_null_here(a, i);
    bool b_null = !armi_array_resolve(&b, &k) || is_null_here(b, k);
    if (a_null || b_null)
        return a_null && b_null;
    return same_values(a, i, b, k);
}

/* ---- many rows, to the bit ---- */

#define SAME_WORD(name, load, width)                                                       \
    static uint64_t name(const uint8_t *a, const uint8_t *b, size_t count)                 \
    {                                                                                      \
        uint64_t bits = 0;                                                                 \
        for (size_t i = 0; i < count; i++)                                                 \
            bits |= (uint64_t)(load(a + (width)*i) == load(b + (width)*i)) << i;           \
        return bits;                                                                       \
    }
#define LOAD8(p) (*(p))
SAME_WORD(same_word8, LOAD8, 1)
SAME_WORD(same_word16, armi_load16, 2)
SAME_WORD(same_word32, armi_load32, 4)
SAME_WORD(same_word64, armi_load64, 8)

/* Equality of up to 64 values, nulls not looked at. */
static uint64_t same_word(const struct armi_array *a, int64_t i, const struct armi_array *b,
                          int64_t k, size_t count)
{
    uint64_t bits = 0;
    if (a->layout == ARMI_LAYOUT_BITS) {
        uint64_t x = bits_load64(a->values, (size_t)(a->offset + i),
                                 (size_t)(a->offset + i) + count);
        uint64_t y = bits_load64(b->values, (size_t)(b->offset + k),
                                 (size_t)(b->offset + k) + count);
        return ~(x ^ y);
    }
    const uint8_t *x = armi_array_at(a, i), *y = armi_array_at(b, k);
    size_t width = (size_t)a->width;
    if (memcmp(x, y, count * width) == 0)
        return UINT64_MAX;
    switch (width) {
    case 1:
        return same_word8(x, y, count);
    case 2:
        return same_word16(x, y, count);
    case 4:
        return same_word32(x, y, count);
    case 8:
        return same_word64(x, y, count);
    default:
        for (size_t r = 0; r < count; r++)
            bits |= (uint64_t)(memcmp(x + r * width, y + r * width, width) == 0) << r;
        return bits;
    }
}

static uint64_t valid_word(const struct armi_array *a, int64_t i, size_t count)
{
    if (a->validity == NULL)
        return UINT64_MAX;
    size_t at = (size_t)(a->offset + i);
    return bits_load64(a->validity, at, at + count);
}

static uint64_t low_bits(size_t count)
{
    return count == 64 ? UINT64_MAX : ((uint64_t)1 << count) - 1;
}

/* Strings of the rows in `both`, which are valid on both sides: elsewhere views point nowhere. */
static uint64_t same_strings(const struct armi_array *a, int64_t i,
                             const struct armi_array *b, int64_t k, uint64_t both)
{
    uint64_t bits = 0;
    for (; both != 0; both &= both - 1) {
        int r = __builtin_ctzll(both);
        struct armi_slice x = binary_at(a, i + r), y = binary_at(b, k + r);
        bool same =
            x.size == y.size && (x.size == 0 || memcmp(x.data, y.data, x.size) == 0);
        bits |= (uint64_t)same << r;
    }
    return bits;
}

static bool is_flat(const struct armi_array *a)
{
    return a->layout == ARMI_LAYOUT_BITS ||
           (a->layout == ARMI_LAYOUT_FIXED && a->width != 0);
}

/* Bits of up to 64 rows. */
static uint64_t same_rows(const struct armi_array *a, int64_t i, const struct armi_array *b,
                          int64_t k, size_t count)
{
    bool is_values = is_flat(a) && is_flat(b);
    uint64_t bits = 0;
    if (is_values || (layout_is_binary(a->layout) && layout_is_binary(b->layout))) {
        assert(!is_values || (a->layout == b->layout && a->width == b->width));
        uint64_t x = valid_word(a, i, count), y = valid_word(b, k, count);
        if (is_values)
            bits = same_word(a, i, b, k, count) & x & y;
        else
            bits = same_strings(a, i, b, k, x & y & low_bits(count));
        bits |= ~(x | y);
    } else {
        for (size_t r = 0; r < count; r++) {
            int64_t ai = i + (int64_t)r, bk = k + (int64_t)r;
            bits |= (uint64_t)armi_compare_same(a, ai, b, bk) << r;
        }
    }
    return bits & low_bits(count);
}

int64_t armi_compare_same_bits(const struct armi_array *a, int64_t a_from,
                               const struct armi_array *b, int64_t b_from, int64_t count,
                               uint8_t *bits)
{
    assert(count <= a->length - a_from && count <= b->length - b_from);
    int64_t same = 0;
    for (int64_t done = 0; done < count; done += 64) {
        size_t take = (size_t)rows_min(count - done, 64);
        uint64_t word = same_rows(a, a_from + done, b, b_from + done, take);
        same += __builtin_popcountll(word);
        memcpy(bits + done / 8, &word, armi_bitmap_size(take));
    }
    return same;
}

int64_t armi_compare_same_run(const struct armi_array *a, int64_t a_from,
                              const struct armi_array *b, int64_t b_from, int64_t count)
{
    for (int64_t done = 0; done < count; done += 64) {
        size_t take = (size_t)rows_min(count - done, 64);
        uint64_t word =
            ~same_rows(a, a_from + done, b, b_from + done, take) & low_bits(take);
        if (word != 0)
            return done + __builtin_ctzll(word);
    }
    return count;
}

/* ---- order ---- */

static int sign_of(bool less, bool greater)
{
    return (int)greater - (int)less;
}

static int order_doubles(double x, double y)
{
    if (x != x || y != y)
        return sign_of(x == x && y != y, x != x && y == y); /* NaN last */
    return sign_of(x<y, x> y);
}

static int order_lists(const struct armi_array *a, int64_t i, const struct armi_array *b,
                       int64_t k, unsigned flags)
{
    int64_t a_from = (a->offset + i) * a->field->width, a_count = a->field->width;
    int64_t b_from = (b->offset + k) * b->field->width, b_count = b->field->width;
    if (a->layout != ARMI_LAYOUT_FIXED_LIST) {
        armi_array_list(a, i, &a_from, &a_count);
        armi_array_list(b, k, &b_from, &b_count);
    }
    for (int64_t e = 0; e < a_count && e < b_count; e++) {
        int order = armi_compare_order(&a->children[0], a_from + e, &b->children[0],
                                       b_from + e, flags);
        if (order != 0)
            return order;
    }
    return sign_of(a_count<b_count, a_count> b_count);
}

/* Both rows valid; ascending. */
static int order_values(const struct armi_array *a, int64_t i, const struct armi_array *b,
                        int64_t k, unsigned flags)
{
    enum armi_type type = a->field->type;
    if (layout_is_binary(a->layout))
        return armi_slice_compare(binary_at(a, i), binary_at(b, k));
    if (layout_is_list(a->layout) || a->layout == ARMI_LAYOUT_FIXED_LIST)
        return order_lists(a, i, b, k, flags);
    if (a->layout == ARMI_LAYOUT_STRUCT) {
        for (size_t c = 0; c < a->child_count; c++) {
            int order = armi_compare_order(&a->children[c], a->offset + i, &b->children[c],
                                           b->offset + k, flags);
            if (order != 0)
                return order;
        }
        return 0;
    }
    if (armi_type_is_float(type))
        return order_doubles(armi_array_double(a, i), armi_array_double(b, k));
    if (armi_type_is_decimal(type))
        return decimal_order(armi_array_at(a, i), armi_array_at(b, k), (size_t)a->width);
    if (type == ARMI_TYPE_UINT64) {
        uint64_t x = armi_load64(armi_array_at(a, i)), y = armi_load64(armi_array_at(b, k));
        return sign_of(x<y, x> y);
    }
    if (type == ARMI_TYPE_FIXED_BINARY || type == ARMI_TYPE_INTERVAL_DAY_TIME ||
        type == ARMI_TYPE_INTERVAL_MONTH_DAY_NANO) {
        size_t width = (size_t)a->width;
        return memcmp(armi_array_at(a, i), armi_array_at(b, k), width);
    }
    int64_t x = armi_array_int(a, i), y = armi_array_int(b, k);
    return sign_of(x<y, x> y);
}

int armi_compare_order(const struct armi_array *a, int64_t i, const struct armi_array *b,
                       int64_t k, unsigned flags)
{
    bool a_null = !armi_array_resolve(&a, &i) || is_null_here(a, i);
    bool b_null = !armi_array_resolve(&b, &k) || is_null_here(b, k);
    if (a_null || b_null) {
        int order = sign_of(!a_null && b_null, a_null && !b_null); /* nulls last */
        return (flags & ARMI_COMPARE_NULLS_FIRST) != 0 ? -order : order;
    }
    int order = order_values(a, i, b, k, flags & ~(unsigned)ARMI_COMPARE_DESCENDING);
    return (flags & ARMI_COMPARE_DESCENDING) != 0 ? -order : order;
}

/* ---- keys ---- */

/*
 * The key of a value: 0 for null; else 1 and
 *   fixed width   its bytes (bool: one)
 *   binary, utf8  32-bit length, bytes
 *   list          32-bit length, keys of the elements
 *   struct        keys of the members
 */
static enum armi_status key_append(const struct armi_array *a, int64_t i,
                                   struct armi_buf *out, struct armi_error *err)
{
    if (!armi_array_resolve(&a, &i) || is_null_here(a, i))
        return armi_buf_append_u8(out, 0, err);
    ARMI_TRY(armi_buf_append_u8(out, 1, err));
    if (layout_is_binary(a->layout)) {
        struct armi_slice bytes = binary_at(a, i);
        ARMI_TRY(armi_buf_append_u32(out, (uint32_t)bytes.size, err));
        return armi_buf_append(out, bytes.data, bytes.size, err);
    }
    int64_t from = (a->offset + i) * a->field->width, count = a->field->width;
    switch (a->layout) {
    case ARMI_LAYOUT_BITS:
        return armi_buf_append_u8(out, armi_array_bool(a, i), err);
    case ARMI_LAYOUT_FIXED:
        return armi_buf_append(out, armi_array_at(a, i), (size_t)a->width, err);
    case ARMI_LAYOUT_STRUCT:
        for (size_t c = 0; c < a->child_count; c++)
            ARMI_TRY(key_append(&a->children[c], a->offset + i, out, err));
        return ARMI_OK;
    case ARMI_LAYOUT_LIST32:
    case ARMI_LAYOUT_LIST64:
    case ARMI_LAYOUT_LIST_VIEW32:
    case ARMI_LAYOUT_LIST_VIEW64:
        armi_array_list(a, i, &from, &count);
        ARMI_TRY(armi_buf_append_u32(out, (uint32_t)count, err));
        break;
    case ARMI_LAYOUT_FIXED_LIST:
        break;
    default:
        return armi_column_unsupported(a->field, err);
    }
    for (int64_t e = 0; e < count; e++)
        ARMI_TRY(key_append(&a->children[0], from + e, out, err));
    return ARMI_OK;
}

enum armi_status armi_compare_key(const struct armi_array *columns, size_t column_count,
                                  int64_t row, struct armi_buf *out, struct armi_error *err)
{
    for (size_t c = 0; c < column_count; c++)
        ARMI_TRY(key_append(&columns[c], row, out, err));
    return ARMI_OK;
}

/* Columns whose keys are written by a loop over the column: no recursion, no resolving. */
static bool key_is_flat(const struct armi_array *a)
{
    return a->layout == ARMI_LAYOUT_FIXED || layout_is_binary(a->layout);
}

static void key_sizes(const struct armi_array *a, int64_t from, int64_t count,
                      size_t *sizes)
{
    for (int64_t r = 0; r < count; r++) {
        if (!armi_array_is_valid_bit(a, from + r))
            sizes[r] += 1;
        else if (a->layout == ARMI_LAYOUT_FIXED)
            sizes[r] += 1 + (size_t)a->width;
        else
            sizes[r] += 5 + binary_at(a, from + r).size;
    }
}

/* Writes the column's part of each key at bytes + at[r], and moves at[r] behind it. */
static void key_fill(const struct armi_array *a, int64_t from, int64_t count,
                     uint8_t *bytes, size_t *at)
{
    size_t width = (size_t)a->width;
    for (int64_t r = 0; r < count; r++) {
        uint8_t *p = bytes + at[r];
        if (!armi_array_is_valid_bit(a, from + r)) {
            *p = 0;
            at[r] += 1;
            continue;
        }
        *p++ = 1;
        if (a->layout == ARMI_LAYOUT_FIXED) {
            const uint8_t *value = armi_array_at(a, from + r);
            if (width == 8)
                memcpy(p, value, 8);
            else if (width == 4)
                memcpy(p, value, 4);
            else
                memcpy(p, value, width);
            at[r] += 1 + width;
            continue;
        }
        struct armi_slice value = binary_at(a, from + r);
        armi_store32(p, (uint32_t)value.size);
        if (value.size != 0)
            memcpy(p + 4, value.data, value.size);
        at[r] += 5 + value.size;
    }
}

enum armi_status armi_compare_keys(const struct armi_array *columns, size_t column_count,
                                   int64_t from, int64_t count, struct armi_buf *out,
                                   size_t *ends, struct armi_error *err)
{
    bool is_flat = true;
    for (size_t c = 0; c < column_count; c++)
        is_flat = is_flat && key_is_flat(&columns[c]);
    size_t start = out->size;
    if (!is_flat) {
        enum armi_status status = ARMI_OK;
        for (int64_t r = 0; r < count && status == ARMI_OK; r++) {
            status = armi_compare_key(columns, column_count, from + r, out, err);
            ends[r] = out->size;
        }
        if (status != ARMI_OK)
            out->size = start;
        return status;
    }
    memset(ends, 0, (size_t)count * sizeof *ends);
    for (size_t c = 0; c < column_count; c++)
        key_sizes(&columns[c], from, count, ends);
    size_t total = start;
    for (int64_t r = 0; r < count; r++) {
        size_t size = ends[r];
        ends[r] = total;
        total += size;
    }
    uint8_t *bytes;
    ARMI_TRY(armi_buf_extend(out, total - start, &bytes, err));
    for (size_t c = 0; c < column_count; c++)
        key_fill(&columns[c], from, count, out->data, ends);
    return ARMI_OK;
}
