/*
 * Bytes: a view (slice), a growing buffer with a stated maximum, and a cursor that never reads past
 * the end. Multi-byte integers are little-endian; varint is LEB128, 1 to 10 bytes, shortest form.
 */
#ifndef ARMI_BASE_BUF_H
#define ARMI_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <armillaria/bytes.h>

#include "base/error.h"

/* Takes no responsibility for the lifetime of what it points to. */
struct armi_slice {
    const uint8_t *data;
    size_t size;
};

struct armi_buf {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t size_max; /* growing beyond it is ARMI_LIMIT; 0 means SIZE_MAX / 2 */
};

static inline void armi_buf_init(struct armi_buf *buf, size_t size_max)
{
    *buf = (struct armi_buf){NULL, 0, 0, size_max};
}

void armi_buf_release(struct armi_buf *buf);
/* Size 0, memory kept. */
static inline void armi_buf_clear(struct armi_buf *buf)
{
    buf->size = 0;
}
/* Room for `extra` more bytes behind size. */
enum armi_status armi_buf_reserve(struct armi_buf *buf, size_t extra,
                                  struct armi_error *err);
enum armi_status armi_buf_append(struct armi_buf *buf, const void *data, size_t size,
                                 struct armi_error *err);
/* Appends `size` bytes that are not initialised and tells where they are. */
enum armi_status armi_buf_extend(struct armi_buf *buf, size_t size, uint8_t **out,
                                 struct armi_error *err);
enum armi_status armi_buf_append_u8(struct armi_buf *buf, uint8_t v,
                                    struct armi_error *err);
enum armi_status armi_buf_append_u32(struct armi_buf *buf, uint32_t v,
                                     struct armi_error *err);
enum armi_status armi_buf_append_u64(struct armi_buf *buf, uint64_t v,
                                     struct armi_error *err);
enum armi_status armi_buf_append_varint(struct armi_buf *buf, uint64_t v,
                                        struct armi_error *err);
/* varint length, then the bytes. */
enum armi_status armi_buf_append_bytes(struct armi_buf *buf, const void *data, size_t size,
                                       struct armi_error *err);
void armi_buf_swap(struct armi_buf *a, struct armi_buf *b);
/* The buffer's bytes (moved: it becomes empty) with an owner of their own. */
void armi_buf_to_bytes(struct armi_buf *buf, struct armi_bytes *out);

static inline struct armi_slice armi_buf_slice(const struct armi_buf *buf)
{
    return (struct armi_slice){buf->data, buf->size};
}

bool armi_slice_equal(struct armi_slice a, struct armi_slice b);
/* memcmp order, the shorter first: <0, 0, >0. */
int armi_slice_compare(struct armi_slice a, struct armi_slice b);

/* A cursor over untrusted bytes. Each read returns false, and moves nothing, when bytes are missing
 * or malformed; the caller says what was being read. */
struct armi_reader {
    const uint8_t *pos;
    const uint8_t *end;
};

static inline struct armi_reader armi_reader_init(struct armi_slice bytes)
{
    return (struct armi_reader){bytes.data,
                                bytes.data != NULL ? bytes.data + bytes.size : NULL};
}

static inline size_t armi_reader_left(const struct armi_reader *r)
{
    return (size_t)(r->end - r->pos);
}

bool armi_read_u8(struct armi_reader *r, uint8_t *out);
bool armi_read_u32(struct armi_reader *r, uint32_t *out);
bool armi_read_u64(struct armi_reader *r, uint64_t *out);
/* Refuses a longer form than needed, so that one value has one encoding. */
bool armi_read_varint(struct armi_reader *r, uint64_t *out);
/* `size` bytes, borrowed from the cursor's bytes. */
bool armi_read_span(struct armi_reader *r, size_t size, const uint8_t **out);
/* varint length, then the bytes. */
bool armi_read_bytes(struct armi_reader *r, struct armi_slice *out);

#endif
