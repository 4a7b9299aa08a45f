/*
 * Levels of a page as bytes, and what is computed from them.
 */
#ifndef ARMI_DEC_LEVELS_H
#define ARMI_DEC_LEVELS_H

#include "parquet/parquet_meta.h"
#include "parquet/parquet_schema.h"

/* Where a page's levels and values stand. */
struct armi_pq_page_parts {
    struct armi_slice rep, def, values;
    int rep_encoding, def_encoding, encoding;
    size_t count; /* entries */
};

/* Takes a page apart. `bytes` is the page without compression. */
enum armi_status armi_pq_page_split(const struct armi_pq_page_header *header,
                                    const struct armi_pq_leaf *leaf,
                                    struct armi_slice bytes, struct armi_pq_page_parts *out,
                                    struct armi_error *err);

/* `count` levels of at most `max` as bytes. */
enum armi_status armi_pq_levels_read(struct armi_slice bytes, int encoding, unsigned max,
                                     uint8_t *out, size_t count, struct armi_error *err);

/* Bit at + i = (def[i] & 0x7f) >= least (below 0x80). Bits from `at` on are zero before. */
void armi_pq_levels_at_least(const uint8_t *def, size_t count, unsigned least,
                             uint8_t *bits, size_t at);
size_t armi_pq_levels_count_equal(const uint8_t *levels, size_t count, unsigned value);

/* Index of the n-th (from 0) level that is 0, or `count`. */
size_t armi_pq_levels_find_zero(const uint8_t *levels, size_t count, uint64_t n);

#endif
