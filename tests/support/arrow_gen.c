#include "arrow_gen.h"

#include <string.h>

#include "arrow/builder.h"
#include "arrow/schema_text.h"
#include "test.h"

const char *const arrow_gen_types[] = {
    "null",
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "halffloat",
    "float",
    "double",
    "decimal32(9, 2)",
    "decimal64(18, 3)",
    "decimal128(38, 10)",
    "decimal128(5, -2)",
    "decimal256(76, 20)",
    "date32[day]",
    "date64[ms]",
    "time32[s]",
    "time32[ms]",
    "time64[us]",
    "time64[ns]",
    "timestamp[s]",
    "timestamp[us, tz=UTC]",
    "timestamp[ns, tz=+02:00]",
    "duration[ms]",
    "month_interval",
    "day_time_interval",
    "month_day_nano_interval",
    "fixed_size_binary[5]",
    "binary",
    "large_binary",
    "binary_view",
    "string",
    "large_string",
    "string_view",
    "list<item: int64>",
    "list<item: int32 not null>",
    "large_list<item: string>",
    "fixed_size_list<item: double>[3]",
    "list_view<item: string_view>",
    "large_list_view<item: int8>",
    "map<string, int64>",
    "map<int32, list<item: string>, keys_sorted>",
    "struct<>",
    "struct<a: int64, b: string, c: struct<d: bool, e: fixed_size_list<item: int16>[2]>>",
    "dictionary<values=string, indices=int32, ordered=0>",
    "dictionary<values=int64, indices=uint8, ordered=1>",
    "dictionary<values=struct<a: int8>, indices=int16, ordered=0>",
    "run_end_encoded<run_ends: int32, values: string>",
    "run_end_encoded<run_ends: int16, values: dictionary<values=double, indices=int8, "
    "ordered=0>>",
    "list<item: list<item: list<item: dictionary<values=large_string, indices=int64, "
    "ordered=0>>>>",
};
const size_t arrow_gen_type_count = sizeof arrow_gen_types / sizeof arrow_gen_types[0];

uint64_t arrow_gen_next(uint64_t *seed)
{
    uint64_t v = (*seed += 0x9e3779b97f4a7c15u);
    v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9u;
    v = (v ^ (v >> 27)) * 0x94d049bb133111ebu;
    return v ^ (v >> 31);
}

struct armi_field arrow_gen_field(const char *type)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field = ARMI_FIELD_INIT;
    ok(armi_type_parse(type, &field, &err));
    ok(armi_field_set_name(&field, "x", &err));
    return field;
}

static enum armi_status gen_value(struct armi_builder *b, const struct armi_field *field,
                                  unsigned null_every, uint64_t *seed,
                                  struct armi_error *err);

static enum armi_status gen_string(struct armi_builder *b, uint64_t *seed,
                                   struct armi_error *err)
{
    static const char *const texts[] = {"",
                                        "a",
                                        "ab",
                                        "b",
                                        "\xc3\xa4",
                                        "longer than a view holds",
                                        "\xf0\x9f\x8d\x84 armillaria",
                                        "abc"};
    return armi_builder_append_text(b, texts[arrow_gen_next(seed) % 8], err);
}

/* Decimals small enough for any precision of that width, in bytes of `width`. */
static enum armi_status gen_decimal(struct armi_builder *b, const struct armi_field *field,
                                    uint64_t *seed, struct armi_error *err)
{
    int64_t bound = 1;
    for (int32_t i = 0; i < field->precision && i < 18; i++)
        bound *= 10;
    int64_t v = (int64_t)(arrow_gen_next(seed) % (uint64_t)bound);
    return armi_builder_append_int(b, arrow_gen_next(seed) % 2 ? v : -v, err);
}

/* Few distinct values, so that dictionaries repeat, and the extremes. */
static enum armi_status gen_bytes(struct armi_builder *b, const struct armi_field *field,
                                  uint64_t *seed, struct armi_error *err)
{
    uint8_t bytes[32] = {0};
    uint64_t kind = arrow_gen_next(seed) % 8;
    size_t width = (size_t)armi_field_byte_width(field);
    if (kind == 0)
        memset(bytes, 0xff, sizeof bytes);
    else
        bytes[0] = (uint8_t)(arrow_gen_next(seed) % 16);
    if (kind == 1 && width > 0)
        bytes[width - 1] = 0x7f;
    if (kind == 2 && width > 0)
        bytes[width - 1] = 0x80;
    return armi_builder_append_bytes(b, bytes, width, err);
}

static enum armi_status gen_list(struct armi_builder *b, const struct armi_field *field,
                                 unsigned null_every, uint64_t *seed,
                                 struct armi_error *err)
{
    const struct armi_field *child = &field->children[0];
    uint64_t count = field->type == ARMI_TYPE_FIXED_LIST ? (uint64_t)field->width
                                                         : arrow_gen_next(seed) % 4;
    for (uint64_t i = 0; i < count; i++)
        ARMI_TRY(gen_value(armi_builder_child(b, 0), child,
                           child->nullable ? null_every : 0, seed, err));
    return armi_builder_close(b, err);
}

static enum armi_status gen_struct(struct armi_builder *b, const struct armi_field *field,
                                   unsigned null_every, uint64_t *seed,
                                   struct armi_error *err)
{
    for (size_t c = 0; c < field->child_count; c++) {
        const struct armi_field *child = &field->children[c];
        ARMI_TRY(gen_value(armi_builder_child(b, c), child,
                           child->nullable ? null_every : 0, seed, err));
    }
    return armi_builder_close(b, err);
}

/* A dictionary or run-end array of nested values, through an array of one such value. */
static enum armi_status gen_wrapped(struct armi_builder *b, const struct armi_field *value,
                                    unsigned null_every, uint64_t *seed,
                                    struct armi_error *err)
{
    struct ArrowArray array;
    ARMI_TRY(arrow_gen_array(value, 1, null_every, arrow_gen_next(seed), &array, err));
    struct armi_array view;
    enum armi_status status =
        armi_array_init(value, &array, ARMI_VALIDATE_FULL, &view, err);
    if (status == ARMI_OK) {
        status = armi_builder_append_value(b, &view, 0, err);
        armi_array_release(&view);
    }
    armi_arrow_array_release(&array);
    return status;
}

static enum armi_status gen_value(struct armi_builder *b, const struct armi_field *field,
                                  unsigned null_every, uint64_t *seed,
                                  struct armi_error *err)
{
    const struct armi_field *value = armi_field_value(field);
    if (value->type == ARMI_TYPE_NULL ||
        (null_every != 0 && arrow_gen_next(seed) % null_every == 0))
        return armi_builder_append_null(b, err);
    if (armi_type_is_nested(value->type) && value != field)
        return gen_wrapped(b, value, null_every, seed, err);
    if (value->type == ARMI_TYPE_STRUCT)
        return gen_struct(b, value, null_every, seed, err);
    if (armi_type_is_nested(value->type))
        return gen_list(b, value, null_every, seed, err);
    if (value->type == ARMI_TYPE_BOOL)
        return armi_builder_append_bool(b, arrow_gen_next(seed) % 2, err);
    if (armi_type_is_decimal(value->type))
        return gen_decimal(b, value, seed, err);
    if (armi_type_is_binary(value->type))
        return gen_string(b, seed, err);
    return gen_bytes(b, value, seed, err);
}

enum armi_status arrow_gen_array(const struct armi_field *field, int64_t rows,
                                 unsigned null_every, uint64_t seed, struct ArrowArray *out,
                                 struct armi_error *err)
{
    struct armi_builder *b = NULL;
    ARMI_TRY(armi_builder_new(field, &b, err));
    enum armi_status status = ARMI_OK;
    for (int64_t i = 0; status == ARMI_OK && i < rows; i++)
        status = gen_value(b, field, null_every, &seed, err);
    if (status == ARMI_OK)
        status = armi_builder_finish(b, out, err);
    armi_builder_free(b);
    return status;
}

/* Values as bytes, the slow way: the same in every layout. */
static void dump_value(const struct armi_array *a, int64_t i, struct armi_buf *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    if (!armi_array_resolve(&a, &i) || armi_array_is_null(a, i)) {
        ok(armi_buf_append(out, "~", 1, &err));
        return;
    }
    if (a->layout == ARMI_LAYOUT_STRUCT) {
        ok(armi_buf_append(out, "{", 1, &err));
        for (size_t c = 0; c < a->child_count; c++)
            dump_value(&a->children[c], a->offset + i, out);
        ok(armi_buf_append(out, "}", 1, &err));
    } else if (armi_type_is_nested(a->field->type)) {
        int64_t from, count;
        armi_array_list(a, i, &from, &count);
        ok(armi_buf_append(out, "[", 1, &err));
        for (int64_t k = from; k < from + count; k++)
            dump_value(&a->children[0], k, out);
        ok(armi_buf_append(out, "]", 1, &err));
    } else {
        struct armi_slice bytes = armi_array_bytes(a, i);
        ok(armi_buf_append_bytes(out, bytes.data, bytes.size, &err));
    }
}

void arrow_gen_same_rows(const char *what, const struct armi_array *a, int64_t from,
                         const struct armi_array *b)
{
    struct armi_buf x, y;
    armi_buf_init(&x, 0);
    armi_buf_init(&y, 0);
    for (int64_t i = 0; i < b->length; i++) {
        dump_value(a, from + i, &x);
        dump_value(b, i, &y);
        if (!armi_slice_equal(armi_buf_slice(&x), armi_buf_slice(&y)))
            fail_msg("%s: row %lld differs", what, (long long)(from + i));
        armi_buf_clear(&x);
        armi_buf_clear(&y);
    }
    armi_buf_release(&x);
    armi_buf_release(&y);
}
