/*
 * What the values of a view must not say. BOUNDS looks at the ends of each node, FULL at
 * every value. Values under a null are not looked at: Arrow lets them be anything. Only
 * rows that the view can reach are checked, so that a slice costs what it shows.
 */
#include "arrow/array.h"

#include <string.h>

#include "arrow/array_internal.h"
#include "base/checked.h"
#include "base/limits.h"
#include "base/text.h"

#define PARALLEL_ROWS 16384

static enum armi_status check_node(const struct armi_path *path, const struct armi_array *a,
                                   bool full, struct armi_error *err);

static enum armi_status bad_row(const struct armi_path *path, int64_t i, const char *what,
                                struct armi_error *err)
{
    char row[32];
    return armi_path_error(path, err, ARMI_INVALID, "malformed Arrow data: %s %s",
                           armi_path_row(path, i, row), what);
}

static enum armi_status bad_array(const struct armi_path *path, const char *what,
                                  struct armi_error *err)
{
    return armi_path_error(path, err, ARMI_INVALID, "malformed Arrow data: %s", what);
}

static bool is_valid(const struct armi_array *a, int64_t i)
{
    return armi_array_is_valid_bit(a, i);
}

/* ---- strings ---- */

static enum armi_status too_large(const struct armi_path *path, int64_t i, int64_t size,
                                  struct armi_error *err)
{
    char row[32];
    return armi_path_error(
        path, err, ARMI_LIMIT, "the value of %s has %lld bytes, at most %lld are carried",
        armi_path_row(path, i, row), (long long)size, (long long)ARMI_VALUE_SIZE_MAX);
}

/* Whether no offset is negative, none falls, and no step is above `most`: the sign bit of all that tells.
 * Differences of what is not negative do not overflow. */
#define OFFSETS_SOUND(name, U, load)                                                       \
    static bool name(const uint8_t *offsets, size_t count, U most)                         \
    {                                                                                      \
        U signs = load(offsets);                                                           \
        for (size_t i = 0; i < count; i++) {                                               \
            U at = load(offsets + sizeof(U) * i),                                          \
              next = load(offsets + sizeof(U) * (i + 1));                                  \
            signs |= next | (next - at) | (most - (next - at));                            \
        }                                                                                  \
        return signs >> (8 * sizeof(U) - 1) == 0;                                          \
    }

OFFSETS_SOUND(offsets32_sound, uint32_t, armi_load32)
OFFSETS_SOUND(offsets64_sound, uint64_t, armi_load64)

static bool offsets_sound(const struct armi_array *a, bool is_binary)
{
    size_t from = (size_t)a->offset, count = (size_t)a->length;
    if (armi_layout_is_wide(a->layout))
        return offsets64_sound(a->offsets + 8 * from, count,
                               is_binary ? ARMI_VALUE_SIZE_MAX : INT64_MAX);
    return offsets32_sound(a->offsets + 4 * from, count,
                           is_binary ? ARMI_VALUE_SIZE_MAX : INT32_MAX);
}

/* Offsets rise over all rows, nulls included; every value that is there is within the limit. */
static enum armi_status check_offsets(const struct armi_path *path,
                                      const struct armi_array *a, struct armi_error *err)
{
    bool is_binary = armi_type_is_binary(a->field->type);
    int64_t previous = armi_array_offset_at(a, a->offset);
    if (offsets_sound(a, is_binary))
        return ARMI_OK;
    for (int64_t i = 0; i < a->length; i++) {
        int64_t next = armi_array_offset_at(a, a->offset + i + 1);
        if (next < previous)
            return bad_row(path, i, "has a negative size", err);
        if (is_binary && next - previous > (int64_t)ARMI_VALUE_SIZE_MAX && is_valid(a, i))
            return too_large(path, i, next - previous, err);
        previous = next;
    }
    return ARMI_OK;
}

/* One pass over all bytes, then a look at each first byte: cuts must lie between
 * characters. Only when that fails, row by row, since bytes under a null do not count. */
static enum armi_status check_utf8(const struct armi_path *path, const struct armi_array *a,
                                   struct armi_error *err)
{
    int64_t first = armi_array_offset_at(a, a->offset);
    int64_t last = armi_array_offset_at(a, a->offset + a->length);
    if (armi_is_ascii(a->values + first, (size_t)(last - first)))
        return ARMI_OK; /* no value begins inside a character where each has one byte */
    bool good = armi_utf8_valid(a->values + first, (size_t)(last - first));
    for (int64_t i = 0; good && i < a->length; i++) {
        int64_t at = armi_array_offset_at(a, a->offset + i);
        good = at == last || (a->values[at] & 0xc0) != 0x80;
    }
    for (int64_t i = 0; !good && i < a->length; i++) {
        struct armi_slice bytes = armi_array_bytes(a, i);
        if (bytes.size > 0 && !armi_utf8_valid(bytes.data, bytes.size))
            return bad_row(path, i, "is not valid UTF-8", err);
    }
    return ARMI_OK;
}

static enum armi_status check_binary(const struct armi_path *path,
                                     const struct armi_array *a, bool full,
                                     struct armi_error *err)
{
    int64_t first = armi_array_offset_at(a, a->offset);
    int64_t last = armi_array_offset_at(a, a->offset + a->length);
    if (first < 0 || last < first)
        return bad_array(path, "offsets are negative or fall", err);
    if (!full)
        return ARMI_OK;
    ARMI_TRY(check_offsets(path, a, err));
    return armi_type_is_utf8(a->field->type) ? check_utf8(path, a, err) : ARMI_OK;
}

/* Whether row i is at most 12 bytes of ASCII: the common case, in two loads. Bytes behind
 * the value ought to be zero; where they are not, the long way decides. */
static bool is_short_ascii(const struct armi_array *a, int64_t i)
{
    const uint8_t *p = a->values + 16 * (size_t)(a->offset + i);
    uint64_t bits = armi_load64(p + 4) | armi_load32(p + 12);
    return armi_load32(p) <= ARMI_VIEW_INLINE_MAX && (bits & 0x8080808080808080u) == 0;
}

static enum armi_status check_view(const struct armi_path *path, const struct armi_array *a,
                                   int64_t i, struct armi_error *err)
{
    struct armi_view view = armi_array_view(a, i);
    const uint8_t *bytes = view.inlined;
    if (view.size < 0)
        return bad_row(path, i, "has a negative size", err);
    if (view.size > (int64_t)ARMI_VALUE_SIZE_MAX)
        return too_large(path, i, view.size, err);
    if (view.size > ARMI_VIEW_INLINE_MAX) {
        if (view.buffer < 0 || (size_t)view.buffer >= a->variadic_count ||
            a->variadic[view.buffer] == NULL)
            return bad_row(path, i, "refers to a buffer that is not there", err);
        size_t at = 8 * (size_t)view.buffer;
        int64_t buffer_size = (int64_t)armi_load64(a->variadic_sizes + at);
        if (view.offset < 0 || buffer_size < 0 ||
            !armi_span_fits((uint64_t)view.offset, (uint64_t)view.size,
                            (uint64_t)buffer_size))
            return bad_row(path, i, "lies outside its buffer", err);
        if (memcmp(a->variadic[view.buffer] + view.offset, view.inlined, 4) != 0)
            return bad_row(path, i, "has a prefix that is not its beginning", err);
        bytes = a->variadic[view.buffer] + view.offset;
    }
    if (armi_type_is_utf8(a->field->type) && !armi_utf8_valid(bytes, (size_t)view.size))
        return bad_row(path, i, "is not valid UTF-8", err);
    return ARMI_OK;
}

/* ---- decimals: the magnitude in 64-bit limbs against 10^precision ---- */

struct limbs {
    uint64_t v[4];
};

static struct limbs limbs_power10(int32_t exponent)
{
    struct limbs r = {{1, 0, 0, 0}};
    for (int32_t e = 0; e < exponent; e++) {
        uint64_t carry = 0;
        for (size_t k = 0; k < 4; k++) {
            /* 10 * v + carry, in two halves so that nothing overflows. */
            uint64_t low = (r.v[k] & UINT32_MAX) * 10 + carry;
            uint64_t high = (r.v[k] >> 32) * 10 + (low >> 32);
            r.v[k] = (high << 32) | (low & UINT32_MAX);
            carry = high >> 32;
        }
    }
    return r;
}

static struct limbs limbs_magnitude(const uint8_t *p, int32_t width)
{
    struct limbs r = {{0}};
    memcpy(r.v, p, (size_t)width);
    if ((p[width - 1] & 0x80) == 0)
        return r;
    if (width < 32)
        memset((uint8_t *)r.v + width, 0xff, (size_t)(32 - width));
    uint64_t carry = 1;
    for (size_t k = 0; k < 4; k++) {
        r.v[k] = ~r.v[k] + carry;
        carry = carry && r.v[k] == 0;
    }
    return r;
}

static bool limbs_less(const struct limbs *a, const struct limbs *b)
{
    for (size_t k = 4; k-- > 0;) {
        if (a->v[k] != b->v[k])
            return a->v[k] < b->v[k];
    }
    return false;
}

#define DECIMALS_BLOCK 1024

/* Whether all of a block have magnitudes below `bound` <= 10^18, also what lies under its nulls. */
static bool decimals_are_below(const uint8_t *p, size_t count, size_t width, uint64_t bound)
{
    uint64_t most = bound - 1, outside = 0;
    for (size_t i = 0; i < count; i++, p += width) {
        uint64_t low =
            width == 4 ? (uint64_t)(int64_t)(int32_t)armi_load32(p) : armi_load64(p);
        uint64_t sign = (uint64_t)((int64_t)low >> 63);
        outside |= (uint64_t)(low + most > 2 * most);
        for (size_t k = 8; k < width; k += 8)
            outside |= armi_load64(p + k) ^ sign;
    }
    return outside == 0;
}

static bool block_is_below(const struct armi_array *a, int64_t from, uint64_t bound)
{
    int64_t left = a->length - from;
    size_t n = (size_t)(left < DECIMALS_BLOCK ? left : DECIMALS_BLOCK);
    const uint8_t *p = armi_array_at(a, from);
    switch (a->width) { /* widths that the compiler knows make loops without branches */
    case 4:
        return decimals_are_below(p, n, 4, bound);
    case 8:
        return decimals_are_below(p, n, 8, bound);
    case 16:
        return decimals_are_below(p, n, 16, bound);
    default:
        return decimals_are_below(p, n, 32, bound);
    }
}

static enum armi_status check_decimals(const struct armi_path *path,
                                       const struct armi_array *a, struct armi_error *err)
{
    struct limbs bound = limbs_power10(a->field->precision);
    for (int64_t i = 0; i < a->length; i++) {
        if (i % DECIMALS_BLOCK == 0 && a->field->precision <= 18 &&
            block_is_below(a, i, bound.v[0])) {
            i += DECIMALS_BLOCK - 1;
            continue;
        }
        if (!is_valid(a, i))
            continue;
        struct limbs v = limbs_magnitude(armi_array_at(a, i), a->width);
        if (!limbs_less(&v, &bound))
            return bad_row(path, i, "has more digits than the decimal's precision", err);
    }
    return ARMI_OK;
}

/* ---- nulls that must not be ---- */

static enum armi_status check_not_null(const struct armi_path *path, int64_t first_row,
                                       const struct armi_array *child, int64_t from,
                                       int64_t count, struct armi_error *err)
{
    if (child->field->nullable || count == 0 || !armi_array_may_have_nulls(child))
        return ARMI_OK;
    for (int64_t i = from; i < from + count; i++) {
        if (armi_array_is_null(child, i)) {
            char row[32];
            struct armi_path inner = {path, child->field->name, first_row};
            return armi_path_error(&inner, err, ARMI_CONSTRAINT,
                                   "%s is null, but the column is declared not null",
                                   armi_path_row(&inner, i, row));
        }
    }
    return ARMI_OK;
}

/* Members of a struct count only where the struct itself is not null. */
static enum armi_status check_members_not_null(const struct armi_path *path,
                                               const struct armi_array *a,
                                               struct armi_error *err)
{
    for (size_t c = 0; c < a->child_count; c++) {
        struct armi_array child = armi_array_column(a, c);
        if (child.field->nullable)
            continue;
        if (a->validity == NULL) {
            ARMI_TRY(check_not_null(path, path->first_row, &child, 0, child.length, err));
            continue;
        }
        for (int64_t i = 0; i < a->length; i++) {
            if (is_valid(a, i))
                ARMI_TRY(check_not_null(path, path->first_row, &child, i, 1, err));
        }
    }
    return ARMI_OK;
}

static enum armi_status check_items_not_null(const struct armi_path *path,
                                             const struct armi_array *a,
                                             struct armi_error *err)
{
    const struct armi_array *child = &a->children[0];
    if (child->field->nullable || !armi_array_may_have_nulls(child))
        return ARMI_OK;
    for (int64_t i = 0; i < a->length; i++) {
        int64_t from, count;
        armi_array_list(a, i, &from, &count);
        ARMI_TRY(check_not_null(path, -1, child, from, count, err));
    }
    return ARMI_OK;
}

/* ---- nested ---- */

static enum armi_status check_slice(const struct armi_path *path,
                                    const struct armi_array *child, int64_t from,
                                    int64_t count, bool full, struct armi_error *err)
{
    struct armi_path inner = {path, child->field->name, -1};
    struct armi_array slice = armi_array_slice(child, from, count);
    return check_node(&inner, &slice, full, err);
}

static enum armi_status check_list(const struct armi_path *path, const struct armi_array *a,
                                   bool full, struct armi_error *err)
{
    const struct armi_array *child = &a->children[0];
    int64_t first = armi_array_offset_at(a, a->offset);
    int64_t last = armi_array_offset_at(a, a->offset + a->length);
    if (first < 0 || last < first || last > child->length)
        return bad_array(path, "offsets fall or lie outside the list's items", err);
    if (full) {
        ARMI_TRY(check_offsets(path, a, err));
        ARMI_TRY(check_items_not_null(path, a, err));
    }
    return check_slice(path, child, first, last - first, full, err);
}

static enum armi_status check_list_view(const struct armi_path *path,
                                        const struct armi_array *a, bool full,
                                        struct armi_error *err)
{
    const struct armi_array *child = &a->children[0];
    for (int64_t i = 0; full && i < a->length; i++) {
        int64_t from, count;
        armi_array_list(a, i, &from, &count);
        if (from < 0 || count < 0 ||
            !armi_span_fits((uint64_t)from, (uint64_t)count, (uint64_t)child->length))
            return bad_row(path, i, "lies outside the list's items", err);
    }
    if (full)
        ARMI_TRY(check_items_not_null(path, a, err));
    return check_slice(path, child, 0, child->length, full, err);
}

static enum armi_status check_run_ends(const struct armi_path *path,
                                       const struct armi_array *a, bool full,
                                       struct armi_error *err)
{
    const struct armi_array *ends = &a->children[0];
    const struct armi_array *values = &a->children[1];
    int64_t end = a->length > 0 ? a->offset + a->length : 0;
    if (armi_array_null_count(ends) != 0)
        return bad_array(path, "a run end is null", err);
    if (ends->length > values->length)
        return bad_array(path, "more run ends than values", err);
    if (end > 0 && (ends->length == 0 || armi_array_int(ends, ends->length - 1) < end))
        return bad_array(path, "the last run ends before the last row", err);
    int64_t previous = 0;
    for (int64_t k = 0; full && k < ends->length; k++) {
        int64_t next = armi_array_int(ends, k);
        if (next <= previous)
            return bad_array(path, "run ends do not rise", err);
        previous = next;
    }
    return check_slice(path, values, 0, ends->length, full, err);
}

static enum armi_status check_dictionary(const struct armi_path *path,
                                         const struct armi_array *a, bool full,
                                         struct armi_error *err)
{
    int64_t count = a->dictionary->length;
    for (int64_t i = 0; full && i < a->length; i++) {
        if (!is_valid(a, i))
            continue;
        int64_t index = armi_array_index(a, i);
        if (index < 0 || index >= count)
            return bad_row(path, i, "has an index outside its dictionary", err);
    }
    struct armi_path inner = {path, "dictionary", -1};
    return check_node(&inner, a->dictionary, full, err);
}

static enum armi_status check_struct(const struct armi_path *path,
                                     const struct armi_array *a, bool full,
                                     struct armi_error *err)
{
    for (size_t c = 0; c < a->child_count; c++) {
        struct armi_array child = armi_array_column(a, c);
        struct armi_path inner = {path, child.field->name, path->first_row};
        ARMI_TRY(check_node(&inner, &child, full, err));
    }
    return full ? check_members_not_null(path, a, err) : ARMI_OK;
}

static enum armi_status check_fixed_list(const struct armi_path *path,
                                         const struct armi_array *a, bool full,
                                         struct armi_error *err)
{
    int64_t width = a->field->width;
    int64_t from = a->length > 0 ? a->offset * width : 0;
    if (full)
        ARMI_TRY(check_items_not_null(path, a, err));
    return check_slice(path, &a->children[0], from, a->length * width, full, err);
}

static enum armi_status check_node(const struct armi_path *path, const struct armi_array *a,
                                   bool full, struct armi_error *err)
{
    switch (a->layout) {
    case ARMI_LAYOUT_FIXED:
        return full && armi_type_is_decimal(a->field->type) ? check_decimals(path, a, err)
                                                            : ARMI_OK;
    case ARMI_LAYOUT_BINARY32:
    case ARMI_LAYOUT_BINARY64:
        return check_binary(path, a, full, err);
    case ARMI_LAYOUT_VIEW:
        for (int64_t i = 0; full && i < a->length; i++) {
            if (!is_short_ascii(a, i) && is_valid(a, i))
                ARMI_TRY(check_view(path, a, i, err));
        }
        return ARMI_OK;
    case ARMI_LAYOUT_LIST32:
    case ARMI_LAYOUT_LIST64:
        return check_list(path, a, full, err);
    case ARMI_LAYOUT_LIST_VIEW32:
    case ARMI_LAYOUT_LIST_VIEW64:
        return check_list_view(path, a, full, err);
    case ARMI_LAYOUT_FIXED_LIST:
        return check_fixed_list(path, a, full, err);
    case ARMI_LAYOUT_STRUCT:
        return check_struct(path, a, full, err);
    case ARMI_LAYOUT_DICTIONARY:
        return check_dictionary(path, a, full, err);
    case ARMI_LAYOUT_RUN_END:
        return check_run_ends(path, a, full, err);
    default:
        return ARMI_OK;
    }
}

enum armi_status armi_array_validate(const struct armi_array *array,
                                     enum armi_validation level, struct armi_error *err)
{
    if (level == ARMI_VALIDATE_NONE)
        return ARMI_OK;
    struct armi_path path = {NULL, array->field->name, 0}, none = {NULL, "", 0};
    if (level == ARMI_VALIDATE_FULL)
        ARMI_TRY(check_not_null(&none, 0, array, 0, array->length, err));
    return check_node(&path, array, level == ARMI_VALIDATE_FULL, err);
}

struct columns_job {
    const struct armi_array *batch;
    struct armi_path path;
    bool full;
};

static enum armi_status column_task(void *ctx, size_t index, unsigned worker,
                                    struct armi_error *err)
{
    (void)worker;
    struct columns_job *job = ctx;
    struct armi_array column = armi_array_column(job->batch, index);
    struct armi_path path = {&job->path, column.field->name, job->path.first_row};
    return check_node(&path, &column, job->full, err);
}

enum armi_status armi_array_validate_rows(const struct armi_array *batch,
                                          enum armi_validation level, int64_t first_row,
                                          const struct armi_parallel *parallel,
                                          struct armi_error *err)
{
    struct columns_job job = {
        batch, {NULL, batch->field->name, first_row}, level == ARMI_VALIDATE_FULL};
    if (level == ARMI_VALIDATE_NONE)
        return ARMI_OK;
    /* Few rows are done before another thread is awake. */
    const struct armi_parallel alone = {.threads = 1};
    if (batch->length < PARALLEL_ROWS || !job.full)
        parallel = &alone;
    ARMI_TRY(armi_pool_run(parallel, batch->child_count, column_task, &job, err));
    return job.full ? check_members_not_null(&job.path, batch, err) : ARMI_OK;
}
