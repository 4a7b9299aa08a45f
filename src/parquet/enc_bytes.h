/*
 * What the encoder does with strings one by one, inline, since a call a string costs more than the
 * work. Copies of 16 bytes at once want to know up to where memory may be read: `until` of the values
 * (NULL: it is not known, and only the strings themselves are read).
 */
#ifndef ARMI_PARQUET_ENC_BYTES_H
#define ARMI_PARQUET_ENC_BYTES_H

#include "parquet/enc_internal.h"

/* Whether 16 bytes can be read at p. `p` lies before `until` unless that is NULL. */
static inline bool enc_bytes_readable(const uint8_t *p, const uint8_t *until)
{
    return until != NULL && until - p >= 16;
}

/* Copies to `out`, where 16 bytes more than `size` may be written. */
static inline uint8_t *enc_bytes_copy(uint8_t *out, const uint8_t *data, size_t size,
                                      const uint8_t *until)
{
    if (size <= 16 && enc_bytes_readable(data, until)) {
        memcpy(out, data, 16);
    } else if (size >= 8 && size <= 16) {
        uint64_t head = armi_load64(data), tail = armi_load64(data + size - 8);
        armi_store64(out, head);
        armi_store64(out + size - 8, tail);
    } else if (size <= 32 && size > 16) {
        uint8_t ends[32];
        memcpy(ends, data, 16);
        memcpy(ends + 16, data + size - 16, 16);
        memcpy(out, ends, 16);
        memcpy(out + size - 16, ends + 16, 16);
    } else if (size > 0) {
        memcpy(out, data, size);
    }
    return out + size;
}

/* Bytes that two strings have in common from their beginning on. */
static inline size_t enc_bytes_shared(struct armi_slice a, struct armi_slice b)
{
    size_t max = a.size < b.size ? a.size : b.size, n = 0;
    uint64_t diff;
    for (; n + 8 <= max; n += 8) {
        diff = armi_load64(a.data + n) ^ armi_load64(b.data + n);
        if (diff != 0)
            return n + (size_t)__builtin_ctzll(diff) / 8;
    }
    if (n == max)
        return max;
    if (max >= 8) {
        /* The last eight bytes once more, of which the first were found equal. */
        diff = armi_load64(a.data + max - 8) ^ armi_load64(b.data + max - 8);
        return diff != 0 ? max - 8 + (size_t)__builtin_ctzll(diff) / 8 : max;
    }
    while (n < max && a.data[n] == b.data[n])
        n++;
    return n;
}

/* Whether a comes before b in the order of unsigned bytes. */
static inline bool enc_bytes_less(struct armi_slice a, struct armi_slice b)
{
    size_t n = enc_bytes_shared(a, b);
    if (n == a.size || n == b.size)
        return a.size < b.size;
    return a.data[n] < b.data[n];
}

#endif
