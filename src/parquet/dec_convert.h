/*
 * From Parquet's physical values to Arrow's, packed array to packed array.
 */
#ifndef ARMI_DEC_CONVERT_H
#define ARMI_DEC_CONVERT_H

#include "parquet/parquet_schema.h"

/* Bytes of a physical value: 4, 8, 12 or the type's length; 0 for BOOLEAN and BYTE_ARRAY. */
size_t armi_pq_physical_width(const struct armi_pq_leaf *leaf);

/* Whether stored values are Arrow's values, bit for bit. */
bool armi_pq_convert_is_copy(const struct armi_pq_leaf *leaf);

/* `count` values of fixed physical width from `src` to `dst` (leaf->arrow_width bytes each). A value
 * that the Arrow type cannot hold is ARMI_CORRUPTION. */
enum armi_status armi_pq_convert_fixed(const struct armi_pq_leaf *leaf, const uint8_t *src,
                                       size_t count, uint8_t *dst, struct armi_error *err);

/* Big-endian two's complement of any length to a little-endian decimal of `width` bytes. */
bool armi_pq_decimal_from_bytes(const uint8_t *src, size_t size, uint8_t *dst,
                                size_t width);

/* ARMI_CORRUPTION where one of the decimals has more digits than its type. */
enum armi_status armi_pq_check_digits(const struct armi_pq_leaf *leaf,
                                      const uint8_t *values, size_t count,
                                      struct armi_error *err);

#endif
