/*
 * Parquet's hybrid of runs and bit-packed groups: dictionary indices, levels, booleans. The cursor
 * hands out whole runs, so that a run costs one look, and never reads past its bytes.
 *
 *   run    := header (varint) + body
 *   header & 1 == 0: header >> 1 times one value of ceil(width / 8) bytes
 *   header & 1 == 1: header >> 1 groups of eight values, `width` bits each, LSB first
 */
#ifndef ARMI_DEC_RLE_H
#define ARMI_DEC_RLE_H

#include "base/buf.h"

struct armi_pq_rle {
    const uint8_t *pos; /* the next run's header */
    const uint8_t *end;
    unsigned width;
    bool is_packed;        /* the current run */
    uint32_t value;        /* of a repeated run */
    size_t left;           /* values of the current run not yet taken */
    const uint8_t *packed; /* first byte of a packed run's body */
    size_t packed_index;   /* values of it already taken */
};

/* `width` over 32 is ARMI_CORRUPTION. */
enum armi_status armi_pq_rle_init(struct armi_pq_rle *rle, struct armi_slice bytes,
                                  unsigned width, struct armi_error *err);

/* Makes rle->left > 0, moving on to the next run that has values. ARMI_CORRUPTION at the end. */
enum armi_status armi_pq_rle_next(struct armi_pq_rle *rle, struct armi_error *err);

/* Unpacks `count` <= rle->left values of a packed current run. */
void armi_pq_rle_unpack(struct armi_pq_rle *rle, uint32_t *out, size_t count);

enum armi_status armi_pq_rle_read(struct armi_pq_rle *rle, uint32_t *out, size_t count,
                                  struct armi_error *err);
/* The same for widths up to 8; a value over `max` is ARMI_CORRUPTION. */
enum armi_status armi_pq_rle_read_levels(struct armi_pq_rle *rle, uint8_t *out,
                                         size_t count, unsigned max,
                                         struct armi_error *err);
enum armi_status armi_pq_rle_skip(struct armi_pq_rle *rle, size_t count,
                                  struct armi_error *err);

/* Width 1 only: `count` bits into the bitmap from bit `at` on (bits from there on must be zero), or
 * past them where `bits` is NULL. *out_ones is how many of them are set. */
enum armi_status armi_pq_rle_read_bits(struct armi_pq_rle *rle, uint8_t *bits, size_t at,
                                       size_t count, size_t *out_ones,
                                       struct armi_error *err);

/* Copies `count` bits of src from bit `from` to dst at bit `at`, whose bits from there on are zero. */
void armi_pq_bits_append(uint8_t *dst, size_t at, const uint8_t *src, size_t from,
                         size_t count);

/* The legacy BIT_PACKED levels: most significant bit first, no header. */
enum armi_status armi_pq_bit_packed_read(struct armi_slice bytes, unsigned width,
                                         unsigned max, uint8_t *out, size_t count,
                                         struct armi_error *err);

#endif
