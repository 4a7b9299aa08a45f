/*
 * One page's worth of a column whose leaf is the column itself: rows are values, and the definition
 * levels are the validity bits, never expanded.
 */
#include "parquet/enc_internal.h"

#include <string.h>

/* Appends `count` bits of `src` from `from` on at bit `at` of dst, whose later bits are free. */
static void bits_append(uint8_t *dst, size_t at, const uint8_t *src, size_t from,
                        size_t count)
{
    if ((at & 7) == 0) {
        armi_bitmap_copy(dst + at / 8, src, from, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (((at + i) & 7) == 0)
            dst[(at + i) / 8] = 0;
        armi_bit_put(dst, at + i, armi_bit_get(src, from + i));
    }
}

struct valid_bits {
    uint8_t *bits; /* NULL while every row is valid */
    size_t count;
};

/* Notes validity of `count` more rows; NULL: all valid. */
static enum armi_status valid_add(struct enc_column *c, struct valid_bits *v,
                                  const uint8_t *bits, size_t from, size_t count)
{
    if (v->bits == NULL && bits != NULL) {
        ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_VALID, ENC_PAGE_ROWS / 8 + 64, &v->bits,
                              c->err));
        armi_bitmap_fill(v->bits, 0, v->count, true);
    }
    if (v->bits != NULL) {
        if (bits != NULL)
            bits_append(v->bits, v->count, bits, from, count);
        else
            armi_bitmap_fill(v->bits, v->count, count, true);
    }
    v->count += count;
    return ARMI_OK;
}

static enum armi_status null_refused(struct enc_column *c, int64_t position,
                                     const uint8_t *bits, size_t from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!armi_bit_get(bits, from + i))
            return enc_error(c, ARMI_INVALID, position + (int64_t)i,
                             "a null in a column that is declared not null");
    return ARMI_OK;
}

enum armi_status enc_batch_flat(struct enc_column *c, struct enc_cursor *cursor,
                                int64_t end, size_t rows_max, uint64_t byte_limit,
                                struct enc_batch *out)
{
    struct enc_gather g;
    struct valid_bits valid = {NULL, 0};
    int64_t begin = cursor->position;
    if (end - begin > (int64_t)rows_max)
        end = begin + (int64_t)rows_max;
    ARMI_TRY(enc_gather_begin(&g, c, (size_t)(end - begin)));
    g.row = begin;
    while (cursor->position < end) {
        const struct armi_array *piece = &c->pieces->pieces[cursor->piece];
        int64_t n = piece->length - cursor->row, taken = 0;
        if (n > end - cursor->position)
            n = end - cursor->position;
        const uint8_t *bits;
        size_t from;
        ARMI_TRY(enc_validity(c, piece, cursor->row, n, &bits, &from));
        if (bits != NULL && c->leaf->max_def == 0)
            ARMI_TRY(null_refused(c, cursor->position, bits, from, (size_t)n));
        ARMI_TRY(enc_gather_add(&g, piece, cursor->row, n, bits, from, byte_limit, &taken));
        ARMI_TRY(valid_add(c, &valid, bits, from, (size_t)taken));
        cursor->position += taken;
        cursor->row += taken;
        if (cursor->row == piece->length) {
            cursor->piece++;
            cursor->row = 0;
        }
        if (taken < n)
            break;
    }
    int64_t rows = cursor->position - begin;
    int64_t nulls = 0;
    if (valid.bits != NULL) {
        nulls = rows - (int64_t)armi_bitmap_count(valid.bits, 0, (size_t)rows);
        memset(valid.bits + armi_bitmap_size((size_t)rows), 0, 16);
    }
    *out = (struct enc_batch){
        .values = g.values,
        .rows = rows,
        .value_count = rows,
        .null_count = nulls,
        .valid = nulls > 0 ? valid.bits : NULL,
    };
    return ARMI_OK;
}
