/*
 * Inference and decoding, a loop a type. The first tests in each loop are those that
 * practically every field of a column of that type passes; all else goes the long way.
 */
#include "io/csv_column.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

/* Everything of a field but its quotes. */
struct field {
    const uint8_t *p;
    size_t size;
    bool is_quoted;
};

static inline struct field field_get(const struct armi_csv_window *w, size_t r, size_t c)
{
    struct field f;
    f.p = armi_csv_field(w, r, c, &f.size);
    f.is_quoted = f.size > 0 && f.p[0] == '"';
    if (f.is_quoted) {
        f.p++;
        f.size -= 2;
    }
    return f;
}

static inline bool field_is_null(const struct field *f, const struct armi_csv_nulls *nulls)
{
    if (f->is_quoted)
        return false;
    return f->size == 0 || (f->size == nulls->size && nulls->size > 0 &&
                            memcmp(f->p, nulls->text, f->size) == 0);
}

/* ---- inference ---- */

static struct armi_csv_type field_classify(const struct field *f,
                                           const struct armi_csv_nulls *nulls)
{
    if (field_is_null(f, nulls))
        return (struct armi_csv_type){ARMI_CSV_NONE, 0};
    if (f->size == 0)
        return (struct armi_csv_type){ARMI_CSV_TEXT, 0};
    return armi_csv_classify(f->p, f->size);
}

/* An integer of at most 15 digits, certainly. */
static inline bool is_small_int(const uint8_t *p, size_t size)
{
    size_t is_negative = size > 0 && p[0] == '-';
    p += is_negative;
    size -= is_negative;
    if (size - 1 >= 8 || (p[0] == '0' && size + is_negative > 1))
        return false;
    return armi_csv_digits_valid(armi_csv_digits_load(p, size));
}

/* Digits, a point, digits, certainly: short, without an exponent, no zero in front. */
static inline bool is_plain_decimal(const uint8_t *p, size_t size)
{
    size_t i = size > 0 && p[0] == '-', from = i;
    if (size > 100 || (size > i + 1 && p[i] == '0' && p[i + 1] != '.'))
        return false;
    while (i < size && (uint8_t)(p[i] - '0') < 10)
        i++;
    if (i == from || i + 1 >= size || p[i] != '.')
        return false;
    size_t head = (size - ++i) % 8;
    if (head > 0 && !armi_csv_digits_valid(armi_csv_digits_load(p + i, head)))
        return false;
    for (i += head; i < size; i += 8)
        if (!armi_csv_digits_valid(armi_load64(p + i)))
            return false;
    return true;
}

/* A time that adds nothing to what is known of the column's. */
static bool is_same_time(const struct field *f, unsigned traits)
{
    struct armi_csv_time time;
    if (!armi_csv_parse_time(f->p, f->size, &time))
        return false;
    return ((armi_csv_time_traits(&time) & ~traits) == 0);
}

void armi_csv_column_infer(struct armi_csv_column *column, const struct armi_csv_window *w,
                           size_t c, const struct armi_csv_nulls *nulls)
{
    struct armi_csv_type type = column->type;
    for (size_t r = 0; r < w->rows && type.kind != ARMI_CSV_TEXT; r++) {
        struct field f = field_get(w, r, c);
        if (f.size == 0 && !f.is_quoted)
            continue;
        if (type.kind == ARMI_CSV_INT && is_small_int(f.p, f.size))
            if (nulls->size == 0 || f.is_quoted)
                continue;
        if (type.kind == ARMI_CSV_FLOAT && is_plain_decimal(f.p, f.size))
            if (nulls->size == 0 || f.is_quoted)
                continue;
        if (type.kind == ARMI_CSV_TIMESTAMP && is_same_time(&f, type.traits))
            if (nulls->size == 0 || f.is_quoted)
                continue;
        armi_csv_type_join(&type, field_classify(&f, nulls));
    }
    column->type = type;
}

/* ---- types ---- */

static bool has_nanos(const struct armi_csv_column *column)
{
    return (column->type.traits & ARMI_CSV_NANOS) != 0;
}

enum armi_status armi_csv_column_field(const struct armi_csv_column *column,
                                       const char *name, struct armi_field *field,
                                       struct armi_error *err)
{
    static const enum armi_type types[] = {
        [ARMI_CSV_NONE] = ARMI_TYPE_UTF8,     [ARMI_CSV_INT] = ARMI_TYPE_INT64,
        [ARMI_CSV_FLOAT] = ARMI_TYPE_FLOAT64, [ARMI_CSV_BOOL] = ARMI_TYPE_BOOL,
        [ARMI_CSV_DATE] = ARMI_TYPE_DATE32,   [ARMI_CSV_TIMESTAMP] = ARMI_TYPE_TIMESTAMP,
        [ARMI_CSV_TEXT] = ARMI_TYPE_UTF8,
    };
    struct armi_field made;
    ARMI_TRY(armi_field_init(&made, name, types[column->type.kind], err));
    enum armi_status st = ARMI_OK;
    if (made.type == ARMI_TYPE_TIMESTAMP) {
        made.unit = has_nanos(column) ? ARMI_UNIT_NANO : ARMI_UNIT_MICRO;
        if (column->type.traits & ARMI_CSV_ZONED)
            st = armi_field_set_timezone(&made, "UTC", err);
    }
    if (st == ARMI_OK)
        armi_field_move(&made, field);
    else
        armi_field_release(&made);
    return st;
}

/* Bits of a value; of text those of its offset. */
static size_t value_bits(const struct armi_csv_column *column)
{
    static const uint8_t bits[] = {
        [ARMI_CSV_NONE] = 32, [ARMI_CSV_INT] = 64,  [ARMI_CSV_FLOAT] = 64,
        [ARMI_CSV_BOOL] = 1,  [ARMI_CSV_DATE] = 32, [ARMI_CSV_TIMESTAMP] = 64,
        [ARMI_CSV_TEXT] = 32,
    };
    return bits[column->type.kind];
}

size_t armi_csv_column_row_bits(const struct armi_csv_column *column)
{
    return value_bits(column) + 1;
}

static bool is_text(const struct armi_csv_column *column)
{
    return column->type.kind == ARMI_CSV_TEXT || column->type.kind == ARMI_CSV_NONE;
}

/* ---- decoding ---- */

enum armi_status armi_csv_column_begin(struct armi_csv_column *column, size_t rows,
                                       struct armi_error *err)
{
    /* Text has an offset more than rows; all have a little to spare. */
    size_t size = armi_bitmap_size((rows + 1) * value_bits(column)) + 8;
    size_t bits = armi_bitmap_size(rows) + 8;
    assert(column->values == NULL && column->validity == NULL);
    column->values = armi_alloc(size);
    column->validity = armi_alloc(bits);
    if (column->values == NULL || column->validity == NULL)
        return armi_error_no_memory(err);
    memset(column->validity, 0xff, bits);
    memset(column->values, 0, column->type.kind == ARMI_CSV_BOOL ? size : 8);
    column->null_count = 0;
    return ARMI_OK;
}

static inline void put_null(struct armi_csv_column *column, size_t at)
{
    armi_bit_clear(column->validity, at);
    column->null_count++;
}

static bool time_value(const struct armi_csv_column *column, const struct field *f,
                       int64_t *out)
{
    struct armi_csv_time time = {0, 0, false};
    int64_t days;
    if (!armi_csv_parse_time(f->p, f->size, &time)) {
        if (!armi_csv_parse_date(f->p, f->size, &days))
            return false;
        time.seconds = days * 86400;
    }
    return armi_csv_time_count(&time, has_nanos(column) ? 1000000000 : 1000000, out);
}

/* Row `at` of the batch = the field, which is not null. */
static bool value_put(struct armi_csv_column *column, const struct field *f, size_t at)
{
    int64_t i;
    double d;
    bool b;
    switch (column->type.kind) {
    case ARMI_CSV_INT:
        if (!armi_csv_parse_int(f->p, f->size, &i))
            return false;
        armi_store64(column->values + 8 * at, (uint64_t)i);
        return true;
    case ARMI_CSV_FLOAT:
        if (!armi_csv_parse_float(f->p, f->size, &d))
            return false;
        memcpy(column->values + 8 * at, &d, 8);
        return true;
    case ARMI_CSV_BOOL:
        if (!armi_csv_parse_bool(f->p, f->size, &b))
            return false;
        armi_bit_put(column->values, at, b);
        return true;
    case ARMI_CSV_DATE:
        if (!armi_csv_parse_date(f->p, f->size, &i))
            return false;
        armi_store32(column->values + 4 * at, (uint32_t)i);
        return true;
    case ARMI_CSV_TIMESTAMP:
        if (!time_value(column, f, &i))
            return false;
        armi_store64(column->values + 8 * at, (uint64_t)i);
        return true;
    default:
        return false;
    }
}

/* What a null has for a value. */
static void value_zero(struct armi_csv_column *column, size_t at)
{
    if (value_bits(column) == 64)
        armi_store64(column->values + 8 * at, 0);
    else if (value_bits(column) == 32)
        armi_store32(column->values + 4 * at, 0);
}

static bool decode_values(struct armi_csv_column *column, const struct armi_csv_window *w,
                          size_t c, const struct armi_csv_nulls *nulls, size_t from,
                          size_t count, size_t at)
{
    for (size_t r = from; r < from + count; r++, at++) {
        struct field f = field_get(w, r, c);
        if (field_is_null(&f, nulls)) {
            put_null(column, at);
            value_zero(column, at);
        } else if (!value_put(column, &f, at)) {
            return false;
        }
    }
    return true;
}

static bool decode_ints(struct armi_csv_column *column, const struct armi_csv_window *w,
                        size_t c, const struct armi_csv_nulls *nulls, size_t from,
                        size_t count, size_t at)
{
    for (size_t r = from; r < from + count; r++, at++) {
        int64_t v = 0;
        struct field f = field_get(w, r, c);
        if (field_is_null(&f, nulls))
            put_null(column, at);
        else if (!armi_csv_parse_int(f.p, f.size, &v))
            return false;
        armi_store64(column->values + 8 * at, (uint64_t)v);
    }
    return true;
}

/* Bytes of w that are quotes; what lies above the lowest may be wrong. */
static inline uint64_t quotes_in(uint64_t w)
{
    w ^= UINT64_C(0x2222222222222222);
    return (w - UINT64_C(0x0101010101010101)) & ~w & UINT64_C(0x8080808080808080);
}

/* Whether there is a quote among the `size` < 16 bytes at p. */
static inline bool has_quote(const uint8_t *p, size_t size)
{
    uint64_t low = quotes_in(armi_load64(p)), high = quotes_in(armi_load64(p + 8));
    size_t at = low != 0 ? (size_t)__builtin_ctzll(low) / 8
                         : 8 + (high != 0 ? (size_t)__builtin_ctzll(high) / 8 : 8);
    return at < size;
}

/* Doubled quotes become one. The room is there. */
static uint8_t *text_unquote(uint8_t *out, const uint8_t *p, size_t size)
{
    const uint8_t *end = p + size, *quote;
    while (p < end && (quote = memchr(p, '"', (size_t)(end - p))) != NULL) {
        size_t n = (size_t)(quote - p) + 1;
        memcpy(out, p, n);
        out += n;
        p = quote + 2;
    }
    if (p < end) {
        memcpy(out, p, (size_t)(end - p));
        out += end - p;
    }
    return out;
}

static enum armi_status decode_text(struct armi_csv_column *column,
                                    const struct armi_csv_window *w, size_t c,
                                    const struct armi_csv_nulls *nulls, size_t from,
                                    size_t count, size_t at, struct armi_error *err)
{
    /* At most what the rows are long, and a copy of 16 bytes may go over. */
    size_t span = w->tokens[(from + count) * w->columns] - w->tokens[from * w->columns];
    ARMI_TRY(armi_buf_reserve(&column->text, span + ARMI_CSV_SLACK, err));
    uint8_t *begin = column->text.data, *out = begin + column->text.size;
    for (size_t r = from; r < from + count; r++, at++) {
        struct field f = field_get(w, r, c);
        if (field_is_null(&f, nulls)) {
            put_null(column, at);
        } else if (f.size <= 15 && (!f.is_quoted || !has_quote(f.p, f.size))) {
            memcpy(out, f.p, 16);
            out += f.size;
        } else if (f.is_quoted) {
            out = text_unquote(out, f.p, f.size);
        } else {
            memcpy(out, f.p, f.size);
            out += f.size;
        }
        armi_store32(column->values + 4 * (at + 1), (uint32_t)(out - begin));
    }
    column->text.size = (size_t)(out - begin);
    return ARMI_OK;
}

enum armi_status armi_csv_column_decode(struct armi_csv_column *column,
                                        const struct armi_csv_window *w, size_t c,
                                        const struct armi_csv_nulls *nulls, size_t from,
                                        size_t count, size_t at, struct armi_error *err)
{
    bool good;
    if (is_text(column))
        return decode_text(column, w, c, nulls, from, count, at, err);
    if (column->type.kind == ARMI_CSV_INT)
        good = decode_ints(column, w, c, nulls, from, count, at);
    else
        good = decode_values(column, w, c, nulls, from, count, at);
    return good ? ARMI_OK : ARMI_INVALID;
}

enum armi_status armi_csv_column_finish(struct armi_csv_column *column,
                                        const struct armi_field *field, int64_t rows,
                                        struct ArrowArray *out, struct armi_error *err)
{
    struct armi_part buffers[3];
    size_t n = 0, size = armi_bitmap_size((size_t)rows * value_bits(column));
    size_t bits = armi_bitmap_size((size_t)rows);
    if (column->null_count == 0) {
        armi_free(column->validity);
        column->validity = NULL;
    } else if (rows % 8 != 0) {
        column->validity[bits - 1] &= (uint8_t)((1u << (rows % 8)) - 1);
    }
    buffers[n++] = column->validity != NULL
                       ? armi_part_owned(column->validity, (int64_t)bits)
                       : armi_part_static(NULL, 0);
    buffers[n++] =
        armi_part_owned(column->values, (int64_t)(size + (is_text(column) ? 4 : 0)));
    column->validity = column->values = NULL;
    if (is_text(column))
        buffers[n++] = armi_part_buf(&column->text);
    struct armi_array_parts parts = {.buffer_count = n, .buffers = buffers};
    enum armi_status st =
        armi_arrow_array_make(field, rows, column->null_count, &parts, out, err);
    armi_array_parts_release(&parts);
    return st;
}

void armi_csv_column_release(struct armi_csv_column *column)
{
    armi_free(column->values);
    armi_free(column->validity);
    armi_buf_release(&column->text);
    column->values = column->validity = NULL;
}
