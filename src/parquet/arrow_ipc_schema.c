/*
 * Arrow IPC schema messages (Message.fbs, Schema.fbs) without a FlatBuffers library.
 *
 * A FlatBuffer is a graph of tables: a table begins with the distance back to its vtable, which tells
 * at which offset each field is, if at all. The writer goes forwards: a table first, with holes for
 * what it refers to, then the referred things. The reader follows offsets with a budget, because a
 * hostile buffer may refer to one table from many places.
 */
#include "parquet/arrow_ipc_schema.h"

#include <string.h>

#include "base/bits.h"
#include "base/checked.h"
#include "base/limits.h"
#include "base/text.h"

enum ipc_type {
    IPC_NULL = 1,
    IPC_INT = 2,
    IPC_FLOAT = 3,
    IPC_BINARY = 4,
    IPC_UTF8 = 5,
    IPC_BOOL = 6,
    IPC_DECIMAL = 7,
    IPC_DATE = 8,
    IPC_TIME = 9,
    IPC_TIMESTAMP = 10,
    IPC_INTERVAL = 11,
    IPC_LIST = 12,
    IPC_STRUCT = 13,
    IPC_UNION = 14,
    IPC_FIXED_BINARY = 15,
    IPC_FIXED_LIST = 16,
    IPC_MAP = 17,
    IPC_DURATION = 18,
    IPC_LARGE_BINARY = 19,
    IPC_LARGE_UTF8 = 20,
    IPC_LARGE_LIST = 21,
    IPC_RUN_END = 22,
    IPC_BINARY_VIEW = 23,
    IPC_UTF8_VIEW = 24,
    IPC_LIST_VIEW = 25,
    IPC_LARGE_LIST_VIEW = 26,
};

/* Arrow type to its IPC type and the number its table needs (bits, unit, precision). */
struct ipc_row {
    uint8_t type;
    uint8_t bits;
    bool is_signed;
};

static const struct ipc_row ipc_rows[ARMI_TYPE_COUNT] = {
    [ARMI_TYPE_NULL] = {IPC_NULL, 0, false},
    [ARMI_TYPE_BOOL] = {IPC_BOOL, 0, false},
    [ARMI_TYPE_INT8] = {IPC_INT, 8, true},
    [ARMI_TYPE_INT16] = {IPC_INT, 16, true},
    [ARMI_TYPE_INT32] = {IPC_INT, 32, true},
    [ARMI_TYPE_INT64] = {IPC_INT, 64, true},
    [ARMI_TYPE_UINT8] = {IPC_INT, 8, false},
    [ARMI_TYPE_UINT16] = {IPC_INT, 16, false},
    [ARMI_TYPE_UINT32] = {IPC_INT, 32, false},
    [ARMI_TYPE_UINT64] = {IPC_INT, 64, false},
    [ARMI_TYPE_FLOAT16] = {IPC_FLOAT, 0, false}, /* bits: the precision's number */
    [ARMI_TYPE_FLOAT32] = {IPC_FLOAT, 1, false},
    [ARMI_TYPE_FLOAT64] = {IPC_FLOAT, 2, false},
    [ARMI_TYPE_DECIMAL32] = {IPC_DECIMAL, 32, true},
    [ARMI_TYPE_DECIMAL64] = {IPC_DECIMAL, 64, true},
    [ARMI_TYPE_DECIMAL128] = {IPC_DECIMAL, 128, true},
    [ARMI_TYPE_DECIMAL256] = {IPC_DECIMAL, 0, true}, /* 256 */
    [ARMI_TYPE_DATE32] = {IPC_DATE, 0, false},       /* bits: the unit's number */
    [ARMI_TYPE_DATE64] = {IPC_DATE, 1, false},
    [ARMI_TYPE_TIME32] = {IPC_TIME, 32, false},
    [ARMI_TYPE_TIME64] = {IPC_TIME, 64, false},
    [ARMI_TYPE_TIMESTAMP] = {IPC_TIMESTAMP, 0, false},
    [ARMI_TYPE_DURATION] = {IPC_DURATION, 0, false},
    [ARMI_TYPE_INTERVAL_MONTHS] = {IPC_INTERVAL, 0, false},
    [ARMI_TYPE_INTERVAL_DAY_TIME] = {IPC_INTERVAL, 1, false},
    [ARMI_TYPE_INTERVAL_MONTH_DAY_NANO] = {IPC_INTERVAL, 2, false},
    [ARMI_TYPE_FIXED_BINARY] = {IPC_FIXED_BINARY, 0, false},
    [ARMI_TYPE_BINARY] = {IPC_BINARY, 0, false},
    [ARMI_TYPE_LARGE_BINARY] = {IPC_LARGE_BINARY, 0, false},
    [ARMI_TYPE_BINARY_VIEW] = {IPC_BINARY_VIEW, 0, false},
    [ARMI_TYPE_UTF8] = {IPC_UTF8, 0, false},
    [ARMI_TYPE_LARGE_UTF8] = {IPC_LARGE_UTF8, 0, false},
    [ARMI_TYPE_UTF8_VIEW] = {IPC_UTF8_VIEW, 0, false},
    [ARMI_TYPE_LIST] = {IPC_LIST, 0, false},
    [ARMI_TYPE_LARGE_LIST] = {IPC_LARGE_LIST, 0, false},
    [ARMI_TYPE_FIXED_LIST] = {IPC_FIXED_LIST, 0, false},
    [ARMI_TYPE_LIST_VIEW] = {IPC_LIST_VIEW, 0, false},
    [ARMI_TYPE_LARGE_LIST_VIEW] = {IPC_LARGE_LIST_VIEW, 0, false},
    [ARMI_TYPE_MAP] = {IPC_MAP, 0, false},
    [ARMI_TYPE_STRUCT] = {IPC_STRUCT, 0, false},
    [ARMI_TYPE_RUN_END] = {IPC_RUN_END, 0, false},
};

/* ---- writing ---- */

#define FB_FIELDS_MAX 8

struct fb_writer {
    struct armi_buf *buf;
    size_t base; /* where the FlatBuffer begins in buf */
    struct armi_error *err;
    enum armi_status status;
    int64_t dictionaries;
};

static size_t fb_position(const struct fb_writer *w)
{
    return w->buf->size - w->base;
}

static void fb_bytes(struct fb_writer *w, const void *data, size_t size)
{
    if (w->status == ARMI_OK)
        w->status = armi_buf_append(w->buf, data, size, w->err);
}

static void fb_zeros(struct fb_writer *w, size_t size)
{
    static const uint8_t zeros[64];
    fb_bytes(w, zeros, size);
}

/* Zeros up to where position + ahead is a multiple of `alignment`. */
static void fb_align(struct fb_writer *w, size_t alignment, size_t ahead)
{
    if (w->status == ARMI_OK)
        fb_zeros(w, (alignment - (fb_position(w) + ahead) % alignment) % alignment);
}

static void fb_put(struct fb_writer *w, size_t at, uint64_t v, size_t size)
{
    if (w->status == ARMI_OK)
        memcpy(w->buf->data + w->base + at, &v, size);
}

/* Lets the hole at `at` refer to what is written next. */
static void fb_refer(struct fb_writer *w, size_t at)
{
    fb_put(w, at, fb_position(w) - at, 4);
}

/* A vtable and a zeroed table with fields of those sizes (0: absent); `at`: where each field is. */
static void fb_table(struct fb_writer *w, const uint8_t *sizes, size_t count, size_t *at,
                     size_t hole)
{
    uint16_t vtable[2 + FB_FIELDS_MAX] = {0};
    size_t alignment = 4, end = 4;
    for (size_t size = 8; size > 0; size /= 2) {
        for (size_t i = 0; i < count; i++) {
            if (sizes[i] != size)
                continue;
            if (size == 8)
                alignment = 8;
            end = (end + size - 1) / size * size;
            vtable[2 + i] = (uint16_t)end;
            end += size;
        }
    }
    size_t vtable_size = 4 + 2 * count;
    vtable[0] = (uint16_t)vtable_size;
    vtable[1] = (uint16_t)end;
    fb_align(w, alignment, vtable_size);
    fb_bytes(w, vtable, vtable_size);
    if (hole > 0)
        fb_refer(w, hole - 1);
    size_t table = fb_position(w);
    int32_t back = (int32_t)vtable_size;
    fb_bytes(w, &back, 4);
    fb_zeros(w, end - 4);
    for (size_t i = 0; i < count; i++)
        at[i] = table + vtable[2 + i];
}

/* `hole` is a position + 1, so that 0 means none. */
static size_t hole_at(size_t position)
{
    return position + 1;
}

static void fb_string(struct fb_writer *w, size_t at, struct armi_slice text)
{
    fb_align(w, 4, 0);
    fb_refer(w, at);
    uint32_t size = (uint32_t)text.size;
    fb_bytes(w, &size, 4);
    fb_bytes(w, text.data, text.size);
    fb_zeros(w, 1);
}

/* A vector of `count` holes; the first is at the position returned. */
static size_t fb_vector(struct fb_writer *w, size_t at, size_t count)
{
    fb_align(w, 4, 0);
    fb_refer(w, at);
    uint32_t n = (uint32_t)count;
    fb_bytes(w, &n, 4);
    size_t first = fb_position(w);
    for (size_t i = 0; i < count; i++)
        fb_zeros(w, 4);
    return first;
}

static bool key_is_reserved(struct armi_slice key)
{
    return (key.size >= 5 && memcmp(key.data, "armi.", 5) == 0) ||
           (key.size == 12 && memcmp(key.data, "ARROW:schema", 12) == 0);
}

static size_t metadata_count(const struct armi_metadata *metadata)
{
    size_t count = 0;
    for (size_t i = 0; i < metadata->count; i++)
        count += !key_is_reserved(metadata->pairs[i].key);
    return count;
}

/* The schema's own too, though it stands in the footer as well: Arrow C++ takes it from here alone. */
static void fb_metadata(struct fb_writer *w, size_t at,
                        const struct armi_metadata *metadata)
{
    static const uint8_t sizes[2] = {4, 4};
    size_t hole = fb_vector(w, at, metadata_count(metadata));
    for (size_t i = 0; i < metadata->count; i++) {
        if (key_is_reserved(metadata->pairs[i].key))
            continue;
        size_t fields[2];
        fb_table(w, sizes, 2, fields, hole_at(hole));
        hole += 4;
        fb_string(w, fields[0], metadata->pairs[i].key);
        fb_string(w, fields[1], metadata->pairs[i].value);
    }
}

static void fb_int(struct fb_writer *w, size_t hole, unsigned bits, bool is_signed)
{
    static const uint8_t sizes[2] = {4, 1};
    size_t at[2];
    fb_table(w, sizes, 2, at, hole_at(hole));
    fb_put(w, at[0], bits, 4);
    fb_put(w, at[1], is_signed, 1);
}

static void fb_decimal(struct fb_writer *w, size_t hole, const struct armi_field *f,
                       unsigned bits)
{
    static const uint8_t sizes[3] = {4, 4, 4};
    size_t at[3];
    fb_table(w, sizes, 3, at, hole_at(hole));
    fb_put(w, at[0], (uint32_t)f->precision, 4);
    fb_put(w, at[1], (uint32_t)f->scale, 4);
    fb_put(w, at[2], bits != 0 ? bits : 256, 4);
}

/* A table whose first field is one number. */
static void fb_one(struct fb_writer *w, size_t hole, uint64_t v, uint8_t size)
{
    size_t at[1];
    fb_table(w, &size, 1, at, hole_at(hole));
    fb_put(w, at[0], v, size);
}

static void fb_time(struct fb_writer *w, size_t hole, const struct armi_field *f,
                    unsigned bits)
{
    static const uint8_t sizes[2] = {2, 4};
    size_t at[2];
    fb_table(w, sizes, 2, at, hole_at(hole));
    fb_put(w, at[0], f->unit, 2);
    fb_put(w, at[1], bits, 4);
}

static void fb_timestamp(struct fb_writer *w, size_t hole, const struct armi_field *f)
{
    const uint8_t sizes[2] = {2, f->timezone != NULL ? 4 : 0};
    size_t at[2];
    fb_table(w, sizes, 2, at, hole_at(hole));
    fb_put(w, at[0], f->unit, 2);
    if (f->timezone != NULL)
        fb_string(w, at[1],
                  (struct armi_slice){(const uint8_t *)f->timezone, strlen(f->timezone)});
}

static void fb_type(struct fb_writer *w, size_t hole, const struct armi_field *f)
{
    size_t none[1];
    const struct ipc_row *row = &ipc_rows[f->type];
    switch (row->type) {
    case IPC_INT:
        fb_int(w, hole, row->bits, row->is_signed);
        return;
    case IPC_DECIMAL:
        fb_decimal(w, hole, f, row->bits);
        return;
    case IPC_FLOAT:
    case IPC_DATE:
    case IPC_INTERVAL:
        fb_one(w, hole, row->bits, 2);
        return;
    case IPC_DURATION:
        fb_one(w, hole, f->unit, 2);
        return;
    case IPC_TIME:
        fb_time(w, hole, f, row->bits);
        return;
    case IPC_TIMESTAMP:
        fb_timestamp(w, hole, f);
        return;
    case IPC_FIXED_BINARY:
    case IPC_FIXED_LIST:
        fb_one(w, hole, (uint32_t)f->width, 4);
        return;
    case IPC_MAP:
        fb_one(w, hole, f->ordered, 1);
        return;
    default:
        fb_table(w, NULL, 0, none, hole_at(hole));
    }
}

static void fb_dictionary(struct fb_writer *w, size_t hole, const struct armi_field *f)
{
    static const uint8_t sizes[3] = {8, 4, 1};
    const struct ipc_row *index = &ipc_rows[f->children[0].type];
    size_t at[3];
    fb_table(w, sizes, 3, at, hole_at(hole));
    fb_put(w, at[0], (uint64_t)w->dictionaries++, 8);
    fb_put(w, at[2], f->ordered, 1);
    fb_int(w, at[1], index->bits, index->is_signed);
}

/* A dictionary-encoded field is written as its value's, with the encoding beside; a run-end encoded one
 * as its value's alone: nobody reads it back run-end encoded, and some cannot read such a schema. */
static void fb_field(struct fb_writer *w, size_t hole, const struct armi_field *f)
{
    const struct armi_field *shape = f;
    while (shape->type == ARMI_TYPE_RUN_END)
        shape = &shape->children[1];
    bool is_dictionary = shape->type == ARMI_TYPE_DICTIONARY;
    const struct armi_field *value = is_dictionary ? &shape->children[1] : shape;
    bool has_metadata = metadata_count(&f->metadata) > 0;
    const uint8_t sizes[7] = {4, 1, 1, 4, is_dictionary ? 4 : 0, 4, has_metadata ? 4 : 0};
    size_t at[7];
    fb_table(w, sizes, 7, at, hole_at(hole));
    fb_put(w, at[1], f->nullable, 1);
    fb_put(w, at[2], ipc_rows[value->type].type, 1);
    fb_string(w, at[0], (struct armi_slice){(const uint8_t *)f->name, strlen(f->name)});
    fb_type(w, at[3], value);
    if (is_dictionary)
        fb_dictionary(w, at[4], shape);
    size_t children = fb_vector(w, at[5], value->child_count);
    for (size_t i = 0; i < value->child_count; i++)
        fb_field(w, children + 4 * i, &value->children[i]);
    if (has_metadata)
        fb_metadata(w, at[6], &f->metadata);
}

static void fb_schema(struct fb_writer *w, size_t hole, const struct armi_field *schema)
{
    bool has_metadata = metadata_count(&schema->metadata) > 0;
    const uint8_t sizes[3] = {2, 4, has_metadata ? 4 : 0};
    size_t at[3];
    fb_table(w, sizes, 3, at, hole_at(hole));
    size_t fields = fb_vector(w, at[1], schema->child_count);
    for (size_t i = 0; i < schema->child_count; i++)
        fb_field(w, fields + 4 * i, &schema->children[i]);
    if (has_metadata)
        fb_metadata(w, at[2], &schema->metadata);
}

enum armi_status armi_ipc_schema_encode(const struct armi_field *schema,
                                        struct armi_buf *out, struct armi_error *err)
{
    static const uint8_t sizes[4] = {2, 1, 4,
                                     8}; /* version, header type, header, body length */
    static const uint8_t head[8] = {0xff, 0xff, 0xff, 0xff};
    size_t begin = out->size, at[4];
    ARMI_TRY(armi_buf_append(out, head, sizeof head, err));
    struct fb_writer w = {.buf = out, .base = out->size, .err = err, .status = ARMI_OK};
    fb_zeros(&w, 4);
    fb_table(&w, sizes, 4, at, hole_at(0));
    fb_put(&w, at[0], 4, 2); /* V5 */
    fb_put(&w, at[1], 1, 1); /* Schema */
    fb_schema(&w, at[2], schema);
    fb_align(&w, 8, 0);
    if (w.status != ARMI_OK)
        return w.status;
    armi_store32(out->data + begin + 4, (uint32_t)fb_position(&w));
    return ARMI_OK;
}

/* ---- reading ---- */

struct fb_reader {
    const uint8_t *data;
    size_t size;
    size_t
        budget; /* bytes that may still be decoded, counting what is referred to twice twice */
    unsigned depth;
    struct armi_error *err;
};

/* A table, checked: its fields lie within `data`. */
struct fb_table_view {
    size_t at;
    size_t size;
    size_t vtable;
    size_t vtable_size;
};

static enum armi_status fb_corrupt(struct fb_reader *r)
{
    return armi_error_set(r->err, ARMI_CORRUPTION, "damaged Arrow schema message");
}

static enum armi_status fb_spend(struct fb_reader *r, size_t bytes)
{
    if (bytes > r->budget)
        return fb_corrupt(r);
    r->budget -= bytes;
    return ARMI_OK;
}

static enum armi_status fb_view(struct fb_reader *r, size_t at, struct fb_table_view *out)
{
    if (at > r->size || r->size - at < 4)
        return fb_corrupt(r);
    int64_t vtable = (int64_t)at - (int32_t)armi_load32(r->data + at);
    if (vtable < 0 || (uint64_t)vtable > r->size - 4)
        return fb_corrupt(r);
    size_t vtable_size = armi_load16(r->data + vtable);
    size_t table_size = armi_load16(r->data + vtable + 2);
    if (vtable_size < 4 || vtable_size > r->size - (size_t)vtable || table_size < 4 ||
        table_size > r->size - at)
        return fb_corrupt(r);
    *out = (struct fb_table_view){at, table_size, (size_t)vtable, vtable_size};
    return fb_spend(r, 4);
}

/* Where field `index` of `size` bytes is, or 0 if it is absent. */
static enum armi_status fb_find(struct fb_reader *r, const struct fb_table_view *t,
                                size_t index, size_t size, size_t *at)
{
    *at = 0;
    size_t slot = 4 + 2 * index;
    if (slot + 2 > t->vtable_size)
        return ARMI_OK;
    size_t offset = armi_load16(r->data + t->vtable + slot);
    if (offset == 0)
        return ARMI_OK;
    if (offset < 4 || !armi_span_fits(offset, size, t->size))
        return fb_corrupt(r);
    *at = t->at + offset;
    return ARMI_OK;
}

static enum armi_status fb_number(struct fb_reader *r, const struct fb_table_view *t,
                                  size_t index, size_t size, int64_t absent, int64_t *out)
{
    size_t at;
    ARMI_TRY(fb_find(r, t, index, size, &at));
    *out = absent;
    if (at == 0)
        return ARMI_OK;
    if (size == 1)
        *out = r->data[at];
    else if (size == 2)
        *out = (int16_t)armi_load16(r->data + at);
    else
        *out = (int32_t)armi_load32(r->data + at);
    return ARMI_OK;
}

/* What a field refers to, or 0 if it is absent. */
static enum armi_status fb_target(struct fb_reader *r, const struct fb_table_view *t,
                                  size_t index, size_t *out)
{
    size_t at;
    ARMI_TRY(fb_find(r, t, index, 4, &at));
    *out = 0;
    if (at == 0)
        return ARMI_OK;
    size_t offset = armi_load32(r->data + at);
    if (offset < 4 || offset > r->size - at)
        return fb_corrupt(r);
    *out = at + offset;
    return ARMI_OK;
}

static enum armi_status fb_text(struct fb_reader *r, size_t at, struct armi_slice *out)
{
    if (at > r->size || r->size - at < 4)
        return fb_corrupt(r);
    size_t size = armi_load32(r->data + at);
    if (size >= r->size - at - 4) /* a zero byte follows */
        return fb_corrupt(r);
    *out = (struct armi_slice){r->data + at + 4, size};
    return fb_spend(r, size);
}

/* A string that may become a C string. */
static enum armi_status fb_name(struct fb_reader *r, size_t at, const char **out)
{
    struct armi_slice text = {NULL, 0};
    ARMI_TRY(fb_text(r, at, &text));
    if (text.data[text.size] != 0 || memchr(text.data, 0, text.size) != NULL ||
        !armi_utf8_valid(text.data, text.size))
        return fb_corrupt(r);
    *out = (const char *)text.data;
    return ARMI_OK;
}

static enum armi_status fb_items(struct fb_reader *r, size_t at, size_t *first,
                                 size_t *count)
{
    *first = 0;
    *count = 0;
    if (at == 0)
        return ARMI_OK;
    if (at > r->size || r->size - at < 4)
        return fb_corrupt(r);
    size_t n = armi_load32(r->data + at);
    if (n > (r->size - at - 4) / 4)
        return fb_corrupt(r);
    *first = at + 4;
    *count = n;
    return fb_spend(r, 4 * n);
}

static enum armi_status fb_item(struct fb_reader *r, size_t at, struct fb_table_view *out)
{
    size_t offset = armi_load32(r->data + at);
    if (offset > r->size - at)
        return fb_corrupt(r);
    return fb_view(r, at + offset, out);
}

static enum armi_status metadata_read(struct fb_reader *r, const struct fb_table_view *t,
                                      size_t index, struct armi_metadata *out)
{
    size_t vector, first, count;
    ARMI_TRY(fb_target(r, t, index, &vector));
    ARMI_TRY(fb_items(r, vector, &first, &count));
    for (size_t i = 0; i < count; i++) {
        struct fb_table_view pair;
        size_t key_at, value_at;
        struct armi_slice key = {NULL, 0}, value = {NULL, 0};
        ARMI_TRY(fb_item(r, first + 4 * i, &pair));
        ARMI_TRY(fb_target(r, &pair, 0, &key_at));
        ARMI_TRY(fb_target(r, &pair, 1, &value_at));
        if (key_at == 0)
            continue;
        ARMI_TRY(fb_text(r, key_at, &key));
        if (value_at != 0)
            ARMI_TRY(fb_text(r, value_at, &value));
        char name[256];
        if (key.size >= sizeof name || memchr(key.data, 0, key.size) != NULL ||
            key_is_reserved(key))
            continue;
        memcpy(name, key.data, key.size);
        name[key.size] = '\0';
        ARMI_TRY(armi_metadata_set(out, name, value, r->err));
    }
    return ARMI_OK;
}

/* The Arrow type of a union member whose table tells `bits` (or unit, or precision). */
static bool type_find(int64_t ipc, int64_t bits, bool is_signed, enum armi_type *out)
{
    for (int i = 0; i < ARMI_TYPE_COUNT; i++) {
        const struct ipc_row *row = &ipc_rows[i];
        int64_t wanted = row->type == IPC_DECIMAL && row->bits == 0 ? 256 : row->bits;
        if (row->type != ipc || wanted != bits ||
            (ipc == IPC_INT && row->is_signed != is_signed))
            continue;
        *out = (enum armi_type)i;
        return true;
    }
    return false;
}

/* What the type's table says beside the type itself. */
struct type_parts {
    int64_t bits;
    bool is_signed;
    int64_t unit;
    int64_t width;
    int64_t precision;
    int64_t scale;
    bool ordered;
    const char *timezone;
};

static enum armi_status type_parts_read(struct fb_reader *r, int64_t ipc,
                                        const struct fb_table_view *t, struct type_parts *p)
{
    int64_t flag = 0;
    size_t at = 0;
    switch (ipc) {
    case IPC_INT:
        ARMI_TRY(fb_number(r, t, 0, 4, 0, &p->bits));
        ARMI_TRY(fb_number(r, t, 1, 1, 0, &flag));
        p->is_signed = flag != 0;
        return ARMI_OK;
    case IPC_FLOAT:
    case IPC_INTERVAL:
        return fb_number(r, t, 0, 2, 0, &p->bits);
    case IPC_DATE:
        return fb_number(r, t, 0, 2, 1, &p->bits);
    case IPC_DECIMAL:
        ARMI_TRY(fb_number(r, t, 0, 4, 0, &p->precision));
        ARMI_TRY(fb_number(r, t, 1, 4, 0, &p->scale));
        return fb_number(r, t, 2, 4, 128, &p->bits);
    case IPC_TIME:
        ARMI_TRY(fb_number(r, t, 0, 2, 1, &p->unit));
        return fb_number(r, t, 1, 4, 32, &p->bits);
    case IPC_DURATION:
        return fb_number(r, t, 0, 2, 1, &p->unit);
    case IPC_TIMESTAMP:
        ARMI_TRY(fb_number(r, t, 0, 2, 0, &p->unit));
        ARMI_TRY(fb_target(r, t, 1, &at));
        return at != 0 ? fb_name(r, at, &p->timezone) : ARMI_OK;
    case IPC_FIXED_BINARY:
    case IPC_FIXED_LIST:
        return fb_number(r, t, 0, 4, 0, &p->width);
    case IPC_MAP:
        ARMI_TRY(fb_number(r, t, 0, 1, 0, &flag));
        p->ordered = flag != 0;
        return ARMI_OK;
    default:
        return ARMI_OK;
    }
}

static enum armi_status type_read(struct fb_reader *r, const struct fb_table_view *field,
                                  struct armi_field *out)
{
    int64_t ipc;
    size_t at;
    struct fb_table_view table;
    struct type_parts p = {0};
    ARMI_TRY(fb_number(r, field, 2, 1, 0, &ipc));
    ARMI_TRY(fb_target(r, field, 3, &at));
    if (at == 0)
        return fb_corrupt(r);
    ARMI_TRY(fb_view(r, at, &table));
    ARMI_TRY(type_parts_read(r, ipc, &table, &p));
    if (!type_find(ipc, p.bits, p.is_signed, &out->type))
        return armi_error_set(r->err, ARMI_UNSUPPORTED,
                              "Arrow schema message: type number %d is not known",
                              (int)ipc);
    if (p.unit < 0 || p.unit > 3 || p.width < 0)
        return fb_corrupt(r);
    if (out->type == ARMI_TYPE_TIME32 && p.unit > ARMI_UNIT_MILLI)
        return fb_corrupt(r);
    if (out->type == ARMI_TYPE_TIME64 && p.unit < ARMI_UNIT_MICRO)
        return fb_corrupt(r);
    out->unit = (enum armi_unit)p.unit;
    out->width = (int32_t)p.width;
    out->precision = (int32_t)p.precision;
    out->scale = (int32_t)p.scale;
    out->ordered = p.ordered;
    if (p.timezone != NULL && p.timezone[0] != '\0')
        return armi_field_set_timezone(out, p.timezone, r->err);
    return ARMI_OK;
}

static enum armi_status field_read(struct fb_reader *r, const struct fb_table_view *t,
                                   struct armi_field *out);

static bool child_count_fits(enum armi_type type, size_t count)
{
    switch (type) {
    case ARMI_TYPE_STRUCT:
        return true;
    case ARMI_TYPE_LIST:
    case ARMI_TYPE_LARGE_LIST:
    case ARMI_TYPE_FIXED_LIST:
    case ARMI_TYPE_LIST_VIEW:
    case ARMI_TYPE_LARGE_LIST_VIEW:
    case ARMI_TYPE_MAP:
        return count == 1;
    case ARMI_TYPE_RUN_END:
        return count == 2;
    default:
        return count == 0;
    }
}

static enum armi_status children_read(struct fb_reader *r, const struct fb_table_view *t,
                                      size_t index, struct armi_field *out)
{
    size_t vector, first, count;
    ARMI_TRY(fb_target(r, t, index, &vector));
    ARMI_TRY(fb_items(r, vector, &first, &count));
    if (!child_count_fits(out->type, count) || count > ARMI_COLUMNS_MAX)
        return fb_corrupt(r);
    if (count == 0)
        return ARMI_OK;
    if (r->depth > ARMI_NESTING_MAX)
        return fb_corrupt(r);
    ARMI_TRY(fb_spend(r, 16 * count));
    ARMI_TRY(armi_field_alloc_children(out, count, r->err));
    r->depth++;
    for (size_t i = 0; i < count; i++) {
        struct fb_table_view child;
        ARMI_TRY(fb_item(r, first + 4 * i, &child));
        ARMI_TRY(field_read(r, &child, &out->children[i]));
    }
    r->depth--;
    if (out->type == ARMI_TYPE_MAP &&
        (out->children[0].type != ARMI_TYPE_STRUCT || out->children[0].child_count != 2))
        return fb_corrupt(r);
    return ARMI_OK;
}

/* What was read is the value's field; it becomes the second child of a dictionary field. */
static enum armi_status dictionary_read(struct fb_reader *r, size_t at,
                                        struct armi_field *out)
{
    struct fb_table_view t, index;
    int64_t ordered, bits = 32;
    bool is_signed = true;
    size_t index_at;
    ARMI_TRY(fb_view(r, at, &t));
    ARMI_TRY(fb_target(r, &t, 1, &index_at));
    if (index_at != 0) {
        struct type_parts p = {0};
        ARMI_TRY(fb_view(r, index_at, &index));
        ARMI_TRY(type_parts_read(r, IPC_INT, &index, &p));
        bits = p.bits;
        is_signed = p.is_signed;
    }
    ARMI_TRY(fb_number(r, &t, 2, 1, 0, &ordered));
    enum armi_type index_type;
    if (!type_find(IPC_INT, bits, is_signed, &index_type))
        return fb_corrupt(r);
    struct armi_field whole = ARMI_FIELD_INIT, value = ARMI_FIELD_INIT;
    enum armi_status status =
        armi_field_init(&whole, out->name, ARMI_TYPE_DICTIONARY, r->err);
    if (status == ARMI_OK)
        status = armi_field_alloc_children(&whole, 2, r->err);
    if (status == ARMI_OK)
        status = armi_field_init(&whole.children[0], "", index_type, r->err);
    if (status == ARMI_OK)
        status = armi_field_set_name(out, "", r->err);
    if (status != ARMI_OK) {
        armi_field_release(&whole);
        return status;
    }
    whole.nullable = out->nullable;
    whole.ordered = ordered != 0;
    whole.children[0].nullable = false;
    whole.metadata = out->metadata;
    out->metadata = (struct armi_metadata){0};
    out->nullable = true;
    armi_field_move(out, &value);
    armi_field_move(&value, &whole.children[1]);
    armi_field_move(&whole, out);
    return ARMI_OK;
}

static enum armi_status field_read(struct fb_reader *r, const struct fb_table_view *t,
                                   struct armi_field *out)
{
    size_t name_at, dictionary_at;
    const char *name = "";
    int64_t nullable;
    ARMI_TRY(fb_target(r, t, 0, &name_at));
    if (name_at != 0)
        ARMI_TRY(fb_name(r, name_at, &name));
    ARMI_TRY(fb_number(r, t, 1, 1, 0, &nullable));
    ARMI_TRY(fb_target(r, t, 4, &dictionary_at));
    ARMI_TRY(armi_field_init(out, name, ARMI_TYPE_NULL, r->err));
    ARMI_TRY(type_read(r, t, out));
    out->nullable = nullable != 0;
    ARMI_TRY(children_read(r, t, 5, out));
    ARMI_TRY(metadata_read(r, t, 6, &out->metadata));
    return dictionary_at != 0 ? dictionary_read(r, dictionary_at, out) : ARMI_OK;
}

static enum armi_status schema_read(struct fb_reader *r, struct armi_field *out)
{
    struct fb_table_view message, schema;
    int64_t header_type;
    size_t at;
    if (r->size < 8)
        return fb_corrupt(r);
    ARMI_TRY(fb_view(r, armi_load32(r->data), &message));
    ARMI_TRY(fb_number(r, &message, 1, 1, 0, &header_type));
    ARMI_TRY(fb_target(r, &message, 2, &at));
    if (header_type != 1 || at == 0)
        return fb_corrupt(r);
    ARMI_TRY(fb_view(r, at, &schema));
    ARMI_TRY(armi_field_init_schema(out, r->err));
    ARMI_TRY(children_read(r, &schema, 1, out));
    return metadata_read(r, &schema, 2, &out->metadata);
}

enum armi_status armi_ipc_schema_decode(struct armi_slice bytes, struct armi_field *out,
                                        struct armi_error *err)
{
    struct fb_reader r = {.data = bytes.data, .size = bytes.size, .err = err};
    size_t skip = bytes.size >= 8 && armi_load32(bytes.data) == UINT32_MAX ? 8 : 4;
    if (bytes.size < skip)
        return fb_corrupt(&r);
    size_t claimed = armi_load32(bytes.data + skip - 4);
    r.data += skip;
    r.size -= skip;
    if (claimed > r.size)
        return fb_corrupt(&r);
    if (claimed > 0)
        r.size = claimed;
    r.budget = 16 * r.size;
    struct armi_field schema = ARMI_FIELD_INIT;
    enum armi_status status = schema_read(&r, &schema);
    if (status != ARMI_OK) {
        armi_field_release(&schema);
        return status;
    }
    armi_field_move(&schema, out);
    return ARMI_OK;
}
