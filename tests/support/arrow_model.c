#include "arrow_model.h"

#include "arrow/schema_text.h"
#include "base/alloc.h"
#include "test.h"

struct model_block {
    struct model_block *next;
    uint64_t bytes[];
};

const char *const model_types[] = {
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
    "decimal32(5, 2)",
    "decimal64(12, 3)",
    "decimal128(20, 4)",
    "decimal256(50, 10)",
    "date32[day]",
    "date64[ms]",
    "time32[ms]",
    "time64[ns]",
    "timestamp[us]",
    "timestamp[ns, tz=Europe/Berlin]",
    "duration[s]",
    "month_day_nano_interval",
    "fixed_size_binary[5]",
    "fixed_size_binary[40]",
    "string",
    "large_string",
    "string_view",
    "binary",
    "large_binary",
    "binary_view",
    "list<item: int32>",
    "large_list<item: string>",
    "list_view<item: string_view>",
    "large_list_view<item: int8>",
    "fixed_size_list<item: int16>[3]",
    "fixed_size_list<item: string>[2]",
    "map<string, int32>",
    "struct<a: int32, b: string>",
    "struct<a: list<item: struct<x: bool, y: double>>, b: dictionary<values=string, "
    "indices=int8, "
    "ordered=0>>",
    "dictionary<values=string, indices=int16, ordered=0>",
    "dictionary<values=string_view, indices=uint8, ordered=0>",
    "dictionary<values=int64, indices=int32, ordered=0>",
    "list<item: dictionary<values=large_string, indices=int64, ordered=0>>",
    "run_end_encoded<run_ends: int32, values: string>",
    "run_end_encoded<run_ends: int16, values: double>",
    "run_end_encoded<run_ends: int64, values: dictionary<values=double, indices=int8, "
    "ordered=0>>",
    "dictionary<values=struct<a: int32, b: string>, indices=int16, ordered=1>",
    "dictionary<values=list<item: string_view>, indices=int16, ordered=0>",
    "decimal128(5, -2)",
    "month_interval",
    "day_time_interval",
    "struct<>",
    "list<item: int32 not null>",
    "map<int32, list<item: string>, keys_sorted>",
    "list<item: list<item: run_end_encoded<run_ends: int32, values: string>>>",
    NULL,
};

/* ---- random ---- */

uint64_t model_next(struct model_random *random)
{
    uint64_t z = (random->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

size_t model_below(struct model_random *random, size_t below)
{
    return (size_t)(model_next(random) % below);
}

/* ---- memory ---- */

static void *model_alloc(struct model *model, size_t size)
{
    struct model_block *block = armi_alloc_zero(1, sizeof *block + size + 8);
    assert_non_null(block);
    block->next = model->blocks;
    model->blocks = block;
    return block->bytes;
}

void model_release(struct model *model)
{
    while (model->blocks != NULL) {
        struct model_block *next = model->blocks->next;
        armi_free(model->blocks);
        model->blocks = next;
    }
}

/* ---- random values ---- */

/* Few distinct values, the special ones among them, so that repeats and dictionaries occur. */
static void random_fixed(const struct armi_field *field, struct model_random *random,
                         uint8_t *out, size_t width)
{
    static const double doubles[] = {0.0, -0.0, 1.5, -1.5, 1e300, -1e300, 3.25};
    memset(out, 0, width);
    if (field->type == ARMI_TYPE_FLOAT64 && model_below(random, 4) != 0) {
        uint64_t nan = UINT64_C(0x7ff8000000000001) + model_below(random, 2);
        size_t pick = model_below(random, 8);
        memcpy(out, pick < 7 ? (const void *)&doubles[pick] : &nan, 8);
        return;
    }
    if (field->type == ARMI_TYPE_DATE64) {
        armi_store64(out, (model_below(random, 40) - 20) * UINT64_C(86400000));
        return;
    }
    if (armi_type_is_decimal(field->type)) {
        int64_t v = (int64_t)model_below(random, 19999) - 9999;
        memset(out, v < 0 ? 0xff : 0, width);
        memcpy(out, &v, width < 8 ? width : 8);
        return;
    }
    bool is_time = field->type == ARMI_TYPE_TIME32 || field->type == ARMI_TYPE_TIME64;
    if (is_time || model_below(random, 2) == 0) {
        out[0] = (uint8_t)model_below(random, 20);
        return;
    }
    for (size_t i = 0; i < width; i++)
        out[i] = (uint8_t)model_next(random);
}

static void random_bytes(struct model *model, const struct armi_field *field,
                         struct model_random *random, struct model_value *out)
{
    static const size_t sizes[] = {0, 1, 2, 3, 5, 8, 12, 13, 16, 17, 33, 70};
    bool is_utf8 = armi_type_is_utf8(field->type);
    out->size = sizes[model_below(random, sizeof sizes / sizeof sizes[0])];
    out->bytes = model_alloc(model, out->size);
    bool is_common = model_below(random, 2) == 0;
    for (size_t i = 0; i < out->size; i++) {
        uint8_t byte = is_common ? (uint8_t)('a' + i % 3) : (uint8_t)model_next(random);
        out->bytes[i] = is_utf8 ? (uint8_t)(byte & 0x7f) : byte;
    }
}

static size_t random_count(const struct armi_field *field, struct model_random *random)
{
    if (field->type == ARMI_TYPE_STRUCT)
        return field->child_count;
    if (field->type == ARMI_TYPE_FIXED_LIST)
        return (size_t)field->width;
    return model_below(random, 4);
}

struct model_value model_random_value(struct model *model, const struct armi_field *field,
                                      struct model_random *random, unsigned nulls)
{
    struct model_value value = {0};
    field = armi_field_value(field);
    value.is_null = field->type == ARMI_TYPE_NULL ||
                    (field->nullable && model_below(random, 16) < nulls);
    if (value.is_null)
        return value;
    if (armi_type_is_nested(field->type)) {
        value.count = random_count(field, random);
        value.parts = model_alloc(model, value.count * sizeof *value.parts);
        for (size_t i = 0; i < value.count; i++) {
            size_t c = field->type == ARMI_TYPE_STRUCT ? i : 0;
            value.parts[i] = model_random_value(model, &field->children[c], random, nulls);
        }
    } else if (armi_type_is_binary(field->type)) {
        random_bytes(model, field, random, &value);
    } else {
        bool is_bool = field->type == ARMI_TYPE_BOOL;
        value.size = is_bool ? 1 : (size_t)armi_field_byte_width(field);
        value.bytes = model_alloc(model, value.size);
        if (is_bool)
            value.bytes[0] = (uint8_t)model_below(random, 2);
        else
            random_fixed(field, random, value.bytes, value.size);
    }
    return value;
}

struct model_value *model_random_rows(struct model *model, const struct armi_field *field,
                                      struct model_random *random, size_t count,
                                      unsigned nulls)
{
    struct model_value *rows = model_alloc(model, count * sizeof *rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = model_random_value(model, field, random, nulls);
    return rows;
}

bool model_equal(const struct armi_field *field, const struct model_value *a,
                 const struct model_value *b)
{
    field = armi_field_value(field);
    if (a->is_null || b->is_null)
        return a->is_null && b->is_null;
    if (a->size != b->size || a->count != b->count)
        return false;
    if (a->size != 0 && memcmp(a->bytes, b->bytes, a->size) != 0)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        size_t c = field->type == ARMI_TYPE_STRUCT ? i : 0;
        if (!model_equal(&field->children[c], &a->parts[i], &b->parts[i]))
            return false;
    }
    return true;
}

/* ---- building ---- */

struct build {
    struct model *model;
    unsigned flags;
    struct model_random *random;
};

static bool noise(const struct build *b)
{
    return (b->flags & MODEL_NOISE) != 0;
}

static size_t slack(const struct build *b, size_t below)
{
    return noise(b) ? model_below(b->random, below) : 0;
}

static struct model_value junk(const struct build *b, const struct armi_field *field)
{
    return model_random_value(b->model, field, b->random, 4);
}

static void build_array(const struct build *b, const struct armi_field *field,
                        const struct model_value *rows, size_t count,
                        struct ArrowArray *out);

static struct armi_part owned(void *data, size_t size)
{
    assert_non_null(data);
    return armi_part_owned(data, (int64_t)size);
}

static struct armi_part build_validity(const struct build *b,
                                       const struct model_value *rows, size_t count,
                                       int64_t *nulls)
{
    struct armi_part absent = {NULL, 0, NULL, NULL};
    size_t size = armi_bitmap_size(count) + 1;
    *nulls = 0;
    for (size_t i = 0; i < count; i++)
        *nulls += rows[i].is_null;
    if (*nulls == 0 && (!noise(b) || model_below(b->random, 2) == 0))
        return absent;
    uint8_t *bits = armi_alloc_zero(size, 1);
    assert_non_null(bits);
    for (size_t i = 0; i < size; i++)
        bits[i] = noise(b) ? (uint8_t)model_next(b->random) : 0;
    for (size_t i = 0; i < count; i++)
        armi_bit_put(bits, i, !rows[i].is_null);
    return owned(bits, size);
}

static struct armi_part build_fixed(const struct build *b, const struct armi_field *field,
                                    const struct model_value *rows, size_t count)
{
    bool is_bool = field->type == ARMI_TYPE_BOOL;
    size_t width = is_bool ? 1 : (size_t)armi_field_byte_width(field);
    uint8_t *data = armi_alloc_zero(count * width + 1, 1);
    assert_non_null(data);
    for (size_t i = 0; i < count; i++) {
        uint8_t garbage[64];
        for (size_t k = 0; k < width; k++)
            garbage[k] = noise(b) ? (uint8_t)model_next(b->random) : 0;
        const uint8_t *value = rows[i].is_null ? garbage : rows[i].bytes;
        if (is_bool)
            armi_bit_put(data, i, value[0] & 1);
        else
            memcpy(data + i * width, value, width);
    }
    return owned(data, count * width);
}

static void put_int(uint8_t *buffer, size_t i, size_t width, uint64_t v)
{
    memcpy(buffer + i * width, &v, width);
}

static void build_binary(const struct build *b, const struct armi_field *field,
                         const struct model_value *rows, size_t count,
                         struct armi_part *parts)
{
    size_t width = armi_type_layout(field->type) == ARMI_LAYOUT_BINARY64 ? 8 : 4;
    struct armi_buf bytes = {0};
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t *offsets = armi_alloc_zero(count + 1, width);
    assert_non_null(offsets);
    ok(armi_buf_append(&bytes, "slack that nobody sees", slack(b, 20), &err));
    put_int(offsets, 0, width, bytes.size);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].is_null)
            ok(armi_buf_append(&bytes, "garbage under null", slack(b, 10), &err));
        else
            ok(armi_buf_append(&bytes, rows[i].bytes, rows[i].size, &err));
        put_int(offsets, i + 1, width, bytes.size);
    }
    ok(armi_buf_append_u8(&bytes, 0, &err));
    parts[1] = owned(offsets, (count + 1) * width);
    parts[2] = armi_part_buf(&bytes);
}

static void build_views(const struct build *b, const struct model_value *rows, size_t count,
                        struct armi_part *parts)
{
    struct armi_buf data[2] = {{0}, {0}};
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t *views = armi_alloc_zero(count + 1, 16);
    assert_non_null(views);
    for (size_t k = 0; k < 2; k++)
        ok(armi_buf_append(&data[k], "slack that nobody sees", 1 + slack(b, 20), &err));
    for (size_t i = 0; i < count; i++) {
        uint8_t *view = views + 16 * i;
        size_t size = rows[i].size, k = slack(b, 2);
        if (rows[i].is_null) {
            for (size_t j = 0; j < 16 && noise(b); j++)
                view[j] = (uint8_t)model_next(b->random);
            continue;
        }
        armi_store32(view, (uint32_t)size);
        if (size <= 12) {
            if (size != 0)
                memcpy(view + 4, rows[i].bytes, size);
            continue;
        }
        memcpy(view + 4, rows[i].bytes, 4);
        armi_store32(view + 8, (uint32_t)k);
        armi_store32(view + 12, (uint32_t)data[k].size);
        ok(armi_buf_append(&data[k], rows[i].bytes, size, &err));
    }
    parts[1] = owned(views, 16 * count);
    parts[2] = armi_part_buf(&data[0]);
    parts[3] = armi_part_buf(&data[1]);
}

/* All elements behind each other, in `order` of rows; positions of each row are told. */
static struct model_value *gather(const struct build *b, const struct armi_field *item,
                                  const struct model_value *rows, size_t count,
                                  bool is_free, size_t *from, size_t *sizes,
                                  size_t *out_total)
{
    size_t total = 8;
    for (size_t i = 0; i < count; i++)
        total += rows[i].count + 8;
    struct model_value *items = model_alloc(b->model, total * sizeof *items);
    size_t at = 0;
    for (size_t k = slack(b, 4); k > 0; k--)
        items[at++] = junk(b, item);
    bool backwards = is_free && noise(b);
    for (size_t n = 0; n < count; n++) {
        size_t i = backwards ? count - 1 - n : n;
        from[i] = at;
        sizes[i] = rows[i].is_null ? slack(b, 3) : rows[i].count;
        for (size_t k = 0; k < sizes[i]; k++)
            items[at++] = rows[i].is_null ? junk(b, item) : rows[i].parts[k];
        for (size_t k = is_free ? slack(b, 3) : 0; k > 0; k--)
            items[at++] = junk(b, item);
    }
    *out_total = at;
    return items;
}

static void build_list(const struct build *b, const struct armi_field *field,
                       const struct model_value *rows, size_t count,
                       struct armi_part *parts, struct ArrowArray *child)
{
    enum armi_layout layout = armi_type_layout(field->type);
    bool is_view = layout == ARMI_LAYOUT_LIST_VIEW32 || layout == ARMI_LAYOUT_LIST_VIEW64;
    bool is_wide = layout == ARMI_LAYOUT_LIST_VIEW64 || layout == ARMI_LAYOUT_LIST64;
    size_t width = is_wide ? 8 : 4, total;
    size_t *from = model_alloc(b->model, (count + 1) * sizeof *from);
    size_t *sizes = model_alloc(b->model, (count + 1) * sizeof *sizes);
    struct model_value *items =
        gather(b, &field->children[0], rows, count, is_view, from, sizes, &total);
    uint8_t *offsets = armi_alloc_zero(count + 1, width);
    uint8_t *lengths = armi_alloc_zero(count + 1, width);
    from[count] = total;
    for (size_t i = 0; i < count + (is_view ? 0 : 1); i++)
        put_int(offsets, i, width, from[i]);
    for (size_t i = 0; i < count; i++)
        put_int(lengths, i, width, sizes[i]);
    parts[1] = owned(offsets, (count + 1) * width);
    if (is_view)
        parts[2] = owned(lengths, count * width);
    else
        armi_free(lengths);
    build_array(b, &field->children[0], items, total, child);
}

static void build_members(const struct build *b, const struct armi_field *field,
                          const struct model_value *rows, size_t count,
                          struct ArrowArray *children)
{
    bool is_struct = field->type == ARMI_TYPE_STRUCT;
    size_t step = is_struct ? 1 : (size_t)field->width;
    for (size_t c = 0; c < field->child_count; c++) {
        size_t total = count * step;
        struct model_value *items = model_alloc(b->model, (total + 1) * sizeof *items);
        for (size_t i = 0; i < total; i++) {
            const struct model_value *row = &rows[i / step];
            if (row->is_null)
                items[i] = junk(b, &field->children[c]);
            else
                items[i] = row->parts[is_struct ? c : i % step];
        }
        build_array(b, &field->children[c], items, total, &children[c]);
    }
}

static void build_dictionary(const struct build *b, const struct armi_field *field,
                             const struct model_value *rows, size_t count,
                             struct ArrowArray *out)
{
    const struct armi_field *value = &field->children[1];
    size_t width = (size_t)armi_field_byte_width(field), entry_count = 0;
    size_t max = width == 1 ? 60 : 10000; /* with as many rows of other kinds: below 128 */
    struct model_value *entries = model_alloc(b->model, (count + 40) * sizeof *entries);
    struct armi_part parts[2];
    struct ArrowArray dictionary = {.release = NULL};
    struct armi_array_parts all = {2, parts, 0, NULL, &dictionary};
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t *indices = armi_alloc_zero(count + 1, width);
    struct model_value *keys = model_alloc(b->model, (count + 1) * sizeof *keys);
    for (size_t k = slack(b, 8); k > 0; k--)
        entries[entry_count++] = junk(b, value);
    for (size_t i = 0; i < count; i++) {
        /* A null row: by validity, or by an entry that is null. */
        bool by_entry = rows[i].is_null && slack(b, 2) == 1 && value->nullable;
        keys[i].is_null = rows[i].is_null && !by_entry;
        if (keys[i].is_null) {
            put_int(indices, i, width, slack(b, 2) == 1 ? 0x77 : 0);
            continue;
        }
        size_t e = 0;
        while (e < entry_count && !model_equal(value, &entries[e], &rows[i]))
            e++;
        if (e == entry_count || (slack(b, 10) == 1 && entry_count < max))
            entries[e = entry_count++] = rows[i];
        put_int(indices, i, width, e);
        assert_true(entry_count <= (width == 1 ? 128u : 32767u));
    }
    int64_t nulls;
    parts[0] = build_validity(b, keys, count, &nulls);
    parts[1] = owned(indices, count * width);
    build_array(b, value, entries, entry_count, &dictionary);
    ok(armi_arrow_array_make(field, (int64_t)count, nulls, &all, out, &err));
}

static void build_run_end(const struct build *b, const struct armi_field *field,
                          const struct model_value *rows, size_t count,
                          struct ArrowArray *out)
{
    const struct armi_field *value = &field->children[1];
    size_t width = (size_t)armi_field_byte_width(&field->children[0]), runs = 0;
    struct model_value *values = model_alloc(b->model, (count + 1) * sizeof *values);
    uint8_t *ends = armi_alloc_zero(count + 1, width);
    struct ArrowArray children[2] = {{.release = NULL}, {.release = NULL}};
    struct armi_part end_parts[2] = {{NULL, 0, NULL, NULL}, {NULL, 0, NULL, NULL}};
    struct armi_array_parts end_all = {2, end_parts, 0, NULL, NULL};
    struct armi_array_parts all = {0, NULL, 2, children, NULL};
    struct armi_error err = ARMI_ERROR_INIT;
    for (size_t i = 0; i < count; i++) {
        bool split = runs == 0 || slack(b, 4) == 1;
        if (split || !model_equal(value, &values[runs - 1], &rows[i]))
            values[runs++] = rows[i];
        put_int(ends, runs - 1, width, i + 1);
    }
    end_parts[1] = owned(ends, runs * width);
    ok(armi_arrow_array_make(&field->children[0], (int64_t)runs, 0, &end_all, &children[0],
                             &err));
    build_array(b, value, values, runs, &children[1]);
    ok(armi_arrow_array_make(field, (int64_t)count, 0, &all, out, &err));
}

/* The rows exactly, without an offset. */
static void build_rows(const struct build *b, const struct armi_field *field,
                       const struct model_value *rows, size_t count, struct ArrowArray *out)
{
    struct armi_part parts[4] = {{NULL, 0, NULL, NULL}};
    struct ArrowArray children[8] = {{.release = NULL}};
    struct armi_array_parts all = {1, parts, field->child_count, children, NULL};
    struct armi_error err = ARMI_ERROR_INIT;
    int64_t nulls;
    parts[0] = build_validity(b, rows, count, &nulls);
    switch (armi_type_layout(field->type)) {
    case ARMI_LAYOUT_NULL:
        armi_array_parts_release(&all);
        all.buffer_count = 0;
        break;
    case ARMI_LAYOUT_BITS:
    case ARMI_LAYOUT_FIXED:
        all.buffer_count = 2;
        parts[1] = build_fixed(b, field, rows, count);
        break;
    case ARMI_LAYOUT_BINARY32:
    case ARMI_LAYOUT_BINARY64:
        all.buffer_count = 3;
        build_binary(b, field, rows, count, parts);
        break;
    case ARMI_LAYOUT_VIEW:
        all.buffer_count = 4;
        build_views(b, rows, count, parts);
        break;
    case ARMI_LAYOUT_LIST32:
    case ARMI_LAYOUT_LIST64:
        all.buffer_count = 2;
        build_list(b, field, rows, count, parts, children);
        break;
    case ARMI_LAYOUT_LIST_VIEW32:
    case ARMI_LAYOUT_LIST_VIEW64:
        all.buffer_count = 3;
        build_list(b, field, rows, count, parts, children);
        break;
    case ARMI_LAYOUT_FIXED_LIST:
    case ARMI_LAYOUT_STRUCT:
        build_members(b, field, rows, count, children);
        break;
    default:
        fail_msg("no such layout");
    }
    ok(armi_arrow_array_make(field, (int64_t)count, nulls, &all, out, &err));
}

static void build_array(const struct build *b, const struct armi_field *field,
                        const struct model_value *rows, size_t count,
                        struct ArrowArray *out)
{
    size_t before = slack(b, 11), after = slack(b, 5), total = before + count + after;
    struct model_value *all = model_alloc(b->model, total * sizeof *all);
    for (size_t i = 0; i < total; i++) {
        bool is_row = i >= before && i < before + count;
        all[i] = is_row ? rows[i - before] : junk(b, field);
    }
    if (field->type == ARMI_TYPE_DICTIONARY)
        build_dictionary(b, field, all, total, out);
    else if (field->type == ARMI_TYPE_RUN_END)
        build_run_end(b, field, all, total, out);
    else
        build_rows(b, field, all, total, out);
    out->offset = (int64_t)before;
    out->length = (int64_t)count;
    if (noise(b) && field->type != ARMI_TYPE_RUN_END)
        out->null_count = field->type == ARMI_TYPE_NULL ? (int64_t)count : -1;
}

void model_build(struct model *model, const struct armi_field *field,
                 const struct model_value *rows, size_t count, unsigned flags,
                 struct model_random *random, struct ArrowArray *out)
{
    struct build b = {model, flags, random};
    build_array(&b, field, rows, count, out);
}

/* ---- reading ---- */

struct model_value model_read(struct model *model, const struct armi_array *array,
                              int64_t i)
{
    struct model_value value = {0};
    if (!armi_array_resolve(&array, &i) || armi_array_is_null(array, i)) {
        value.is_null = true;
        return value;
    }
    const struct armi_field *field = array->field;
    if (!armi_type_is_nested(field->type)) {
        struct armi_slice bytes = {NULL, 1};
        uint8_t bit = 0;
        if (field->type == ARMI_TYPE_BOOL) {
            bit = armi_array_bool(array, i);
            bytes.data = &bit;
        } else {
            bytes = armi_array_bytes(array, i);
        }
        value.size = bytes.size;
        value.bytes = model_alloc(model, bytes.size);
        if (bytes.size != 0)
            memcpy(value.bytes, bytes.data, bytes.size);
        return value;
    }
    int64_t from = (array->offset + i) * field->width, count = field->width;
    if (field->type == ARMI_TYPE_STRUCT)
        count = (int64_t)field->child_count;
    else if (field->type != ARMI_TYPE_FIXED_LIST)
        armi_array_list(array, i, &from, &count);
    value.count = (size_t)count;
    value.parts = model_alloc(model, value.count * sizeof *value.parts);
    for (int64_t k = 0; k < count; k++) {
        if (field->type == ARMI_TYPE_STRUCT)
            value.parts[k] = model_read(model, &array->children[k], array->offset + i);
        else
            value.parts[k] = model_read(model, &array->children[0], from + k);
    }
    return value;
}

void model_assert(struct model *model, const struct armi_array *array, int64_t from,
                  const struct model_value *rows, size_t count, const char *what)
{
    assert_true(array->length - from >= (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        struct model_value value = model_read(model, array, from + (int64_t)i);
        if (!model_equal(array->field, &value, &rows[i]))
            fail_msg("%s: row %zu is not what it was", what, i);
    }
}

/* ---- columns ---- */

void model_column_init(struct model_column *self, struct model *model, const char *type,
                       const struct model_value *rows, size_t count, unsigned flags,
                       struct model_random *random)
{
    struct armi_error err = ARMI_ERROR_INIT;
    ok(armi_type_parse(type, &self->field, &err));
    ok(armi_field_set_name(&self->field, "c", &err));
    model_build(model, &self->field, rows, count, flags, random, &self->array);
    ok(armi_array_init(&self->field, &self->array, ARMI_VALIDATE_FULL, &self->view, &err));
}

void model_column_adopt(struct model_column *self, const struct armi_field *field,
                        struct ArrowArray *array)
{
    struct armi_error err = ARMI_ERROR_INIT;
    ok(armi_field_copy(field, &self->field, &err));
    armi_arrow_array_move(array, &self->array);
    ok(armi_array_init(&self->field, &self->array, ARMI_VALIDATE_FULL, &self->view, &err));
}

void model_column_release(struct model_column *self)
{
    armi_array_release(&self->view);
    armi_arrow_array_release(&self->array);
    armi_field_release(&self->field);
}
