/*
 * Thrift's compact protocol, as far as Parquet uses it: a writer that cannot be held
 * wrongly and a reader for hostile bytes. Both are sticky: after the first failure nothing
 * is written or read any more, every read gives zero and every loop ends, so that callers
 * check once, at the end.
 *
 * Reader rules: every length and count is held against the bytes that are left before it is
 * used; integers must fit their type; a value must have the type that is asked for; nesting
 * is bounded; skipping needs no recursion deeper than that bound.
 */
#ifndef ARMI_PARQUET_THRIFT_COMPACT_H
#define ARMI_PARQUET_THRIFT_COMPACT_H

#include <stdbool.h>

#include "base/buf.h"

#define ARMI_THRIFT_DEPTH_MAX 16 /* Parquet's metadata nests 7 deep */

enum armi_thrift_type {
    ARMI_THRIFT_STOP = 0,
    ARMI_THRIFT_TRUE = 1, /* as element type of a list: bool */
    ARMI_THRIFT_FALSE = 2,
    ARMI_THRIFT_BYTE = 3,
    ARMI_THRIFT_I16 = 4,
    ARMI_THRIFT_I32 = 5,
    ARMI_THRIFT_I64 = 6,
    ARMI_THRIFT_DOUBLE = 7,
    ARMI_THRIFT_BINARY = 8,
    ARMI_THRIFT_LIST = 9,
    ARMI_THRIFT_SET = 10,
    ARMI_THRIFT_MAP = 11,
    ARMI_THRIFT_STRUCT = 12,
    ARMI_THRIFT_UUID = 13,
};

/* Reading. */

struct armi_thrift_reader {
    const uint8_t *begin;
    const uint8_t *pos;
    const uint8_t *end;
    const char *failure; /* NULL, or what is wrong with the byte at `pos`; static text */
    int16_t last_id;
    unsigned depth;
};

struct armi_thrift_field {
    int16_t id;
    uint8_t type; /* enum armi_thrift_type; TRUE or FALSE hold the value of a bool */
};

void armi_thrift_reader_init(struct armi_thrift_reader *r, struct armi_slice bytes);
/* Fails the reader; the first reason stays. */
void armi_thrift_fail(struct armi_thrift_reader *r, const char *why);

/* Enters a struct: gives the enclosing struct's field id, to be handed back at the end. */
int16_t armi_thrift_read_struct(struct armi_thrift_reader *r);
/* The next field; false at the end of the struct or after a failure. */
bool armi_thrift_read_field(struct armi_thrift_reader *r, struct armi_thrift_field *out);
void armi_thrift_read_struct_end(struct armi_thrift_reader *r, int16_t enclosing);

/* Values. `type` is what the field or list header said; another than wanted fails the
 * reader. */
bool armi_thrift_read_bool(struct armi_thrift_reader *r, uint8_t type); /* of a field */
bool armi_thrift_read_bool_item(struct armi_thrift_reader *r);          /* of a list */
int8_t armi_thrift_read_i8(struct armi_thrift_reader *r, uint8_t type);
int16_t armi_thrift_read_i16(struct armi_thrift_reader *r, uint8_t type);
int32_t armi_thrift_read_i32(struct armi_thrift_reader *r, uint8_t type);
int64_t armi_thrift_read_i64(struct armi_thrift_reader *r, uint8_t type);
/* Borrowed from the reader's bytes. */
struct armi_slice armi_thrift_read_binary(struct armi_thrift_reader *r, uint8_t type);
/* Items of a list of `wanted` items, each of at least `item_min` bytes. An empty list may
 * have any item type, as some writers give it none. */
uint32_t armi_thrift_read_list(struct armi_thrift_reader *r, uint8_t type, uint8_t wanted,
                               size_t item_min);
void armi_thrift_skip(struct armi_thrift_reader *r, uint8_t type);

/* Bytes read so far. */
static inline size_t armi_thrift_read_size(const struct armi_thrift_reader *r)
{
    return (size_t)(r->pos - r->begin);
}

/* Writing. */

struct armi_thrift_writer {
    struct armi_buf *buf; /* borrowed */
    struct armi_error *err;
    enum armi_status status;
    int16_t last_id;
};

void armi_thrift_writer_init(struct armi_thrift_writer *w, struct armi_buf *buf,
                             struct armi_error *err);
/* Of a field: id and type, then the value by one of the functions below. */
void armi_thrift_write_field(struct armi_thrift_writer *w, int16_t id, uint8_t type);
void armi_thrift_write_bool(struct armi_thrift_writer *w, int16_t id, bool v);
void armi_thrift_write_i8(struct armi_thrift_writer *w, int8_t v);
/* 16, 32 and 64 bits alike: zigzag varint. */
void armi_thrift_write_int(struct armi_thrift_writer *w, int64_t v);
void armi_thrift_write_binary(struct armi_thrift_writer *w, struct armi_slice v);
void armi_thrift_write_list(struct armi_thrift_writer *w, uint8_t type, size_t count);
void armi_thrift_write_bool_item(struct armi_thrift_writer *w, bool v);
int16_t armi_thrift_write_struct(struct armi_thrift_writer *w);
void armi_thrift_write_struct_end(struct armi_thrift_writer *w, int16_t enclosing);

#endif
