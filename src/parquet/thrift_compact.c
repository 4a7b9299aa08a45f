/*
 * Thrift compact protocol. A field is a byte (id delta << 4 | type), with the id as a
 * zigzag varint behind it where the delta is not 1 to 15; integers are zigzag varints; a
 * bool field's value is its type; a list is a byte (count << 4 | item type), with the count
 * as a varint behind it from 15 on.
 */
#include "parquet/thrift_compact.h"

#include <string.h>

/* ---- reading ---- */

void armi_thrift_reader_init(struct armi_thrift_reader *r, struct armi_slice bytes)
{
    static const uint8_t nothing;
    const uint8_t *begin = bytes.data != NULL ? bytes.data : &nothing;
    *r = (struct armi_thrift_reader){
        .begin = begin, .pos = begin, .end = begin + bytes.size};
}

void armi_thrift_fail(struct armi_thrift_reader *r, const char *why)
{
    if (r->failure == NULL)
        r->failure = why;
}

static size_t reader_left(const struct armi_thrift_reader *r)
{
    return (size_t)(r->end - r->pos);
}

static uint8_t read_byte(struct armi_thrift_reader *r)
{
    if (r->failure != NULL || r->pos == r->end) {
        armi_thrift_fail(r, "cut off");
        return 0;
    }
    return *r->pos++;
}

/* At most 10 bytes, of which the last may add no bit above 63. */
static uint64_t read_varint(struct armi_thrift_reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = read_byte(r);
        if (shift == 63 && byte > 1)
            break;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return r->failure == NULL ? v : 0;
    }
    armi_thrift_fail(r, "a number longer than 64 bits");
    return 0;
}

static int64_t read_int(struct armi_thrift_reader *r, int64_t min, int64_t max)
{
    uint64_t raw = read_varint(r);
    int64_t v = (int64_t)((raw >> 1) ^ (0 - (raw & 1)));
    if (v < min || v > max) {
        armi_thrift_fail(r, "a number too large for its type");
        return 0;
    }
    return v;
}

static void expect(struct armi_thrift_reader *r, uint8_t type, uint8_t wanted)
{
    if (type != wanted)
        armi_thrift_fail(r, "a value of another type than expected");
}

int16_t armi_thrift_read_struct(struct armi_thrift_reader *r)
{
    int16_t enclosing = r->last_id;
    r->last_id = 0;
    if (++r->depth > ARMI_THRIFT_DEPTH_MAX)
        armi_thrift_fail(r, "nested too deep");
    return enclosing;
}

void armi_thrift_read_struct_end(struct armi_thrift_reader *r, int16_t enclosing)
{
    r->last_id = enclosing;
    r->depth--;
}

bool armi_thrift_read_field(struct armi_thrift_reader *r, struct armi_thrift_field *out)
{
    uint8_t head = read_byte(r);
    uint8_t type = head & 0x0f;
    if (r->failure != NULL || type == ARMI_THRIFT_STOP) {
        if (head >> 4 != 0)
            armi_thrift_fail(r, "a malformed end of a struct");
        return false;
    }
    int32_t id = r->last_id + (head >> 4);
    if (head >> 4 == 0)
        id = (int32_t)read_int(r, INT16_MIN, INT16_MAX);
    if (type > ARMI_THRIFT_UUID || id > INT16_MAX) {
        armi_thrift_fail(r, "a malformed field");
        return false;
    }
    r->last_id = (int16_t)id;
    *out = (struct armi_thrift_field){(int16_t)id, type};
    return r->failure == NULL;
}

bool armi_thrift_read_bool(struct armi_thrift_reader *r, uint8_t type)
{
    if (type != ARMI_THRIFT_TRUE)
        expect(r, type, ARMI_THRIFT_FALSE);
    return type == ARMI_THRIFT_TRUE;
}

bool armi_thrift_read_bool_item(struct armi_thrift_reader *r)
{
    uint8_t v =
        read_byte(r); /* 1 and 2 by the specification; 0 is written for false as well */
    if (v > 2)
        armi_thrift_fail(r, "a malformed bool");
    return v == 1;
}

int8_t armi_thrift_read_i8(struct armi_thrift_reader *r, uint8_t type)
{
    expect(r, type, ARMI_THRIFT_BYTE);
    uint8_t byte = read_byte(r);
    int8_t v;
    memcpy(&v, &byte, 1);
    return v;
}

int16_t armi_thrift_read_i16(struct armi_thrift_reader *r, uint8_t type)
{
    expect(r, type, ARMI_THRIFT_I16);
    return (int16_t)read_int(r, INT16_MIN, INT16_MAX);
}

int32_t armi_thrift_read_i32(struct armi_thrift_reader *r, uint8_t type)
{
    expect(r, type, ARMI_THRIFT_I32);
    return (int32_t)read_int(r, INT32_MIN, INT32_MAX);
}

int64_t armi_thrift_read_i64(struct armi_thrift_reader *r, uint8_t type)
{
    expect(r, type, ARMI_THRIFT_I64);
    return read_int(r, INT64_MIN, INT64_MAX);
}

struct armi_slice armi_thrift_read_binary(struct armi_thrift_reader *r, uint8_t type)
{
    expect(r, type, ARMI_THRIFT_BINARY);
    uint64_t size = read_varint(r);
    if (r->failure == NULL && size > reader_left(r))
        armi_thrift_fail(r, "a string longer than what is left");
    if (r->failure != NULL)
        return (struct armi_slice){NULL, 0};
    struct armi_slice v = {r->pos, (size_t)size};
    r->pos += size;
    return v;
}

/* Of lists and sets: the item type and a count that the bytes left can hold. */
static uint32_t read_list_head(struct armi_thrift_reader *r, uint8_t *type, size_t item_min)
{
    uint8_t head = read_byte(r);
    uint64_t count = head >> 4;
    *type = head & 0x0f;
    if (count == 15)
        count = read_varint(r);
    if (count > UINT32_MAX || count > reader_left(r) / item_min)
        armi_thrift_fail(r, "a list longer than what is left");
    return r->failure == NULL ? (uint32_t)count : 0;
}

uint32_t armi_thrift_read_list(struct armi_thrift_reader *r, uint8_t type, uint8_t wanted,
                               size_t item_min)
{
    expect(r, type, ARMI_THRIFT_LIST);
    uint8_t items = ARMI_THRIFT_STOP;
    uint32_t count = read_list_head(r, &items, item_min);
    bool both_bool = wanted == ARMI_THRIFT_TRUE && items == ARMI_THRIFT_FALSE;
    if (count > 0 && !both_bool)
        expect(r, items, wanted);
    return r->failure == NULL ? count : 0;
}

static void skip_struct(struct armi_thrift_reader *r)
{
    int16_t enclosing = armi_thrift_read_struct(r);
    struct armi_thrift_field field;
    while (armi_thrift_read_field(r, &field))
        armi_thrift_skip(r, field.type);
    armi_thrift_read_struct_end(r, enclosing);
}

static void skip_bytes(struct armi_thrift_reader *r, size_t size)
{
    if (size > reader_left(r))
        armi_thrift_fail(r, "cut off");
    else
        r->pos += size;
}

/* In a list a bool is a byte; as a field it is in the head. */
static void skip_item(struct armi_thrift_reader *r, uint8_t type)
{
    if (type == ARMI_THRIFT_TRUE || type == ARMI_THRIFT_FALSE)
        (void)read_byte(r);
    else
        armi_thrift_skip(r, type);
}

static void skip_items(struct armi_thrift_reader *r, uint8_t type)
{
    if (++r->depth > ARMI_THRIFT_DEPTH_MAX)
        armi_thrift_fail(r, "nested too deep");
    uint8_t key = ARMI_THRIFT_STOP, value = ARMI_THRIFT_STOP;
    uint64_t count;
    if (type == ARMI_THRIFT_MAP) {
        count = read_varint(r);
        uint8_t types = count != 0 ? read_byte(r) : 0;
        key = types >> 4;
        value = types & 0x0f;
        if (count > reader_left(r) / 2)
            armi_thrift_fail(r, "a map longer than what is left");
    } else {
        count = read_list_head(r, &value, 1);
    }
    for (uint64_t i = 0; i < count && r->failure == NULL; i++) {
        if (type == ARMI_THRIFT_MAP)
            skip_item(r, key);
        skip_item(r, value);
    }
    r->depth--;
}

void armi_thrift_skip(struct armi_thrift_reader *r, uint8_t type)
{
    if (r->failure != NULL)
        return;
    switch (type) {
    case ARMI_THRIFT_TRUE:
    case ARMI_THRIFT_FALSE:
        return;
    case ARMI_THRIFT_BYTE:
        (void)read_byte(r);
        return;
    case ARMI_THRIFT_I16:
    case ARMI_THRIFT_I32:
    case ARMI_THRIFT_I64:
        (void)read_varint(r);
        return;
    case ARMI_THRIFT_DOUBLE:
        skip_bytes(r, 8);
        return;
    case ARMI_THRIFT_UUID:
        skip_bytes(r, 16);
        return;
    case ARMI_THRIFT_BINARY:
        (void)armi_thrift_read_binary(r, type);
        return;
    case ARMI_THRIFT_LIST:
    case ARMI_THRIFT_SET:
    case ARMI_THRIFT_MAP:
        skip_items(r, type);
        return;
    case ARMI_THRIFT_STRUCT:
        skip_struct(r);
        return;
    default:
        armi_thrift_fail(r, "a value of no known type");
    }
}

/* ---- writing ---- */

void armi_thrift_writer_init(struct armi_thrift_writer *w, struct armi_buf *buf,
                             struct armi_error *err)
{
    *w = (struct armi_thrift_writer){.buf = buf, .err = err, .status = ARMI_OK};
}

static void write_byte(struct armi_thrift_writer *w, uint8_t v)
{
    if (w->status == ARMI_OK)
        w->status = armi_buf_append_u8(w->buf, v, w->err);
}

static void write_varint(struct armi_thrift_writer *w, uint64_t v)
{
    uint8_t bytes[10];
    size_t size = 0;
    for (; v >= 0x80; v >>= 7)
        bytes[size++] = (uint8_t)(v | 0x80);
    bytes[size++] = (uint8_t)v;
    if (w->status == ARMI_OK)
        w->status = armi_buf_append(w->buf, bytes, size, w->err);
}

void armi_thrift_write_int(struct armi_thrift_writer *w, int64_t v)
{
    write_varint(w, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}

void armi_thrift_write_field(struct armi_thrift_writer *w, int16_t id, uint8_t type)
{
    int delta = id - w->last_id;
    if (delta > 0 && delta <= 15) {
        write_byte(w, (uint8_t)((unsigned)delta << 4 | type));
    } else {
        write_byte(w, type);
        armi_thrift_write_int(w, id);
    }
    w->last_id = id;
}

void armi_thrift_write_bool(struct armi_thrift_writer *w, int16_t id, bool v)
{
    armi_thrift_write_field(w, id, v ? ARMI_THRIFT_TRUE : ARMI_THRIFT_FALSE);
}

void armi_thrift_write_bool_item(struct armi_thrift_writer *w, bool v)
{
    write_byte(w, v ? 1 : 2);
}

void armi_thrift_write_i8(struct armi_thrift_writer *w, int8_t v)
{
    write_byte(w, (uint8_t)v);
}

void armi_thrift_write_binary(struct armi_thrift_writer *w, struct armi_slice v)
{
    write_varint(w, v.size);
    if (w->status == ARMI_OK)
        w->status = armi_buf_append(w->buf, v.data, v.size, w->err);
}

void armi_thrift_write_list(struct armi_thrift_writer *w, uint8_t type, size_t count)
{
    if (count < 15) {
        write_byte(w, (uint8_t)(count << 4 | type));
    } else {
        write_byte(w, (uint8_t)(0xf0 | type));
        write_varint(w, count);
    }
}

int16_t armi_thrift_write_struct(struct armi_thrift_writer *w)
{
    int16_t enclosing = w->last_id;
    w->last_id = 0;
    return enclosing;
}

void armi_thrift_write_struct_end(struct armi_thrift_writer *w, int16_t enclosing)
{
    write_byte(w, ARMI_THRIFT_STOP);
    w->last_id = enclosing;
}
