/*
 * The dictionary of one column chunk while it is encoded.
 */
#ifndef ARMI_PARQUET_ENC_DICT_H
#define ARMI_PARQUET_ENC_DICT_H

#include <string.h>

#include "parquet/enc_internal.h"

struct enc_dict {
    uint32_t width; /* bytes of an entry; 0: strings */
    uint32_t count;
    uint64_t bytes;     /* of strings, lengths included */
    uint64_t bytes_max; /* beyond it the dictionary is given up */
    bool given_up;
    uint64_t looked; /* values that were looked up */
    uint64_t steps;  /* past slots of others, on the way to theirs */
    uint32_t *table; /* number + 1; 0 is free */
    size_t mask;
    size_t room; /* entries that the table takes before it grows */
    void *entries;
    bool is_direct; /* integers: slot i of the table is for the value base + i */
    uint64_t base;
    double scale; /* of doubles that are such integers once multiplied by it; else 0 */
};

/* Whether the double of these bits is *k / scale, to the last bit; scale is a power of ten. */
static inline bool enc_decimal_is(uint64_t bits, double scale, int64_t *k)
{
    const double whole = 6755399441055744.0; /* 1.5 * 2^52: has no room for a fraction */
    double v, scaled, rounded, back;
    uint64_t scaled_bits, whole_bits, back_bits;
    memcpy(&v, &bits, sizeof v);
    scaled = v * scale;
    rounded = scaled + whole;
    back = (rounded - whole) / scale;
    memcpy(&scaled_bits, &rounded, sizeof scaled_bits);
    memcpy(&whole_bits, &whole, sizeof whole_bits);
    memcpy(&back_bits, &back, sizeof back_bits);
    *k = (int64_t)(scaled_bits - whole_bits);
    return (back_bits == bits) & (scaled < 1e15) & (scaled > -1e15);
}

enum armi_status enc_dict_init(struct enc_column *c, struct enc_dict *d,
                               uint64_t bytes_max);
/* Numbers of the values; unless d->given_up is set, which is no failure. */
enum armi_status enc_dict_add(struct enc_column *c, struct enc_dict *d,
                              const struct enc_values *v, uint32_t *indices);
/* Bytes of the dictionary page. */
uint64_t enc_dict_bytes(const struct enc_dict *d);
/* All entries as values, in a slot that the next page may use again. */
enum armi_status enc_dict_values(struct enc_column *c, const struct enc_dict *d,
                                 struct enc_values *out);
/* Bounds of a page of strings. */
enum armi_status enc_dict_stats(struct enc_column *c, const struct enc_dict *d,
                                const uint32_t *indices, size_t count,
                                struct enc_stats *stats);
/* Whether the column is an ordered dictionary, whose entries come first (enc_ordered.c). */
bool enc_ordered_wanted(const struct enc_column *c);
enum armi_status enc_ordered_add(struct enc_column *c, struct enc_dict *dict);
unsigned enc_dict_width(const struct enc_dict *d);
size_t enc_dict_page_bound(size_t count, unsigned width);
/* Bit width and numbers; returns the size. */
size_t enc_dict_page(const uint32_t *indices, size_t count, unsigned width, uint8_t *out);

#endif
