#include "base/buf.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/checked.h"

void armi_buf_release(struct armi_buf *buf)
{
    armi_free(buf->data);
    *buf = (struct armi_buf){NULL, 0, 0, buf->size_max};
}

enum armi_status armi_buf_reserve(struct armi_buf *buf, size_t extra,
                                  struct armi_error *err)
{
    size_t max = buf->size_max != 0 ? buf->size_max : SIZE_MAX / 2;
    size_t need;
    if (!armi_size_add(buf->size, extra, &need) || need > max)
        return armi_error_set(err, ARMI_LIMIT,
                              "a buffer would grow beyond its limit of %zu bytes", max);
    if (need <= buf->capacity)
        return ARMI_OK;
    size_t capacity = buf->capacity + buf->capacity / 2;
    if (capacity < need)
        capacity = need;
    if (capacity < 64)
        capacity = 64;
    uint8_t *data = armi_realloc(buf->data, buf->size, capacity);
    if (data == NULL)
        return armi_error_no_memory(err);
    buf->data = data;
    buf->capacity = capacity;
    return ARMI_OK;
}

enum armi_status armi_buf_extend(struct armi_buf *buf, size_t size, uint8_t **out,
                                 struct armi_error *err)
{
    ARMI_TRY(armi_buf_reserve(buf, size, err));
    *out = buf->data + buf->size;
    buf->size += size;
    return ARMI_OK;
}

enum armi_status armi_buf_append(struct armi_buf *buf, const void *data, size_t size,
                                 struct armi_error *err)
{
    if (size == 0)
        return ARMI_OK;
    ARMI_TRY(armi_buf_reserve(buf, size, err));
    memcpy(buf->data + buf->size, data, size);
    buf->size += size;
    return ARMI_OK;
}

enum armi_status armi_buf_append_u8(struct armi_buf *buf, uint8_t v, struct armi_error *err)
{
    return armi_buf_append(buf, &v, sizeof v, err);
}

enum armi_status armi_buf_append_u32(struct armi_buf *buf, uint32_t v,
                                     struct armi_error *err)
{
    return armi_buf_append(buf, &v, sizeof v, err);
}

enum armi_status armi_buf_append_u64(struct armi_buf *buf, uint64_t v,
                                     struct armi_error *err)
{
    return armi_buf_append(buf, &v, sizeof v, err);
}

enum armi_status armi_buf_append_varint(struct armi_buf *buf, uint64_t v,
                                        struct armi_error *err)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        bytes[n++] = (uint8_t)(v | 0x80);
    bytes[n++] = (uint8_t)v;
    return armi_buf_append(buf, bytes, n, err);
}

enum armi_status armi_buf_append_bytes(struct armi_buf *buf, const void *data, size_t size,
                                       struct armi_error *err)
{
    ARMI_TRY(armi_buf_append_varint(buf, size, err));
    return armi_buf_append(buf, data, size, err);
}

void armi_buf_swap(struct armi_buf *a, struct armi_buf *b)
{
    struct armi_buf t = *a;
    *a = *b;
    *b = t;
}

static void bytes_free(struct armi_bytes *bytes)
{
    armi_free(bytes->private_data);
}

void armi_buf_to_bytes(struct armi_buf *buf, struct armi_bytes *out)
{
    static const uint8_t nothing[ARMI_ALIGNMENT] __attribute__((aligned(ARMI_ALIGNMENT)));
    *out = (struct armi_bytes){
        .data = buf->data != NULL ? buf->data : nothing,
        .size = buf->size,
        .release = bytes_free,
        .private_data = buf->data,
    };
    *buf = (struct armi_buf){NULL, 0, 0, buf->size_max};
}

bool armi_slice_equal(struct armi_slice a, struct armi_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int armi_slice_compare(struct armi_slice a, struct armi_slice b)
{
    size_t n = a.size < b.size ? a.size : b.size;
    int order = n != 0 ? memcmp(a.data, b.data, n) : 0;
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

bool armi_read_span(struct armi_reader *r, size_t size, const uint8_t **out)
{
    if (armi_reader_left(r) < size)
        return false;
    *out = r->pos;
    r->pos += size;
    return true;
}

bool armi_read_u8(struct armi_reader *r, uint8_t *out)
{
    if (r->pos == r->end)
        return false;
    *out = *r->pos++;
    return true;
}

bool armi_read_u32(struct armi_reader *r, uint32_t *out)
{
    const uint8_t *p;
    if (!armi_read_span(r, sizeof *out, &p))
        return false;
    *out = armi_load32(p);
    return true;
}

bool armi_read_u64(struct armi_reader *r, uint64_t *out)
{
    const uint8_t *p;
    if (!armi_read_span(r, sizeof *out, &p))
        return false;
    *out = armi_load64(p);
    return true;
}

bool armi_read_varint(struct armi_reader *r, uint64_t *out)
{
    uint64_t v = 0;
    const uint8_t *p = r->pos;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (p == r->end)
            return false;
        uint8_t byte = *p++;
        if (shift == 63 && byte > 1)
            return false;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            if (byte == 0 && shift != 0)
                return false;
            *out = v;
            r->pos = p;
            return true;
        }
    }
    return false;
}

bool armi_read_bytes(struct armi_reader *r, struct armi_slice *out)
{
    struct armi_reader probe = *r;
    uint64_t size;
    const uint8_t *data;
    if (!armi_read_varint(&probe, &size) || size > armi_reader_left(&probe) ||
        !armi_read_span(&probe, (size_t)size, &data))
        return false;
    *out = (struct armi_slice){data, (size_t)size};
    *r = probe;
    return true;
}
