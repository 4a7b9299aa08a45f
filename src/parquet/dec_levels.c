#include "parquet/dec_levels.h"

#include <string.h>

#include "base/bits.h"
#include "parquet/dec_rle.h"
#include "parquet/parquet_dispatch.h"

/* A V1 page's levels: four bytes of length and the runs, or legacy packed bits without a length. */
static enum armi_status split_v1_levels(struct armi_reader *in, int encoding, unsigned max,
                                        size_t count, struct armi_slice *out,
                                        struct armi_error *err)
{
    uint32_t size;
    const uint8_t *data;
    if (max == 0)
        return ARMI_OK;
    if (encoding == ARMI_PQ_BIT_PACKED) {
        uint64_t bits = (uint64_t)count * armi_bit_width(max);
        size =
            (uint32_t)((bits + 7) / 8); /* counts are below 2^31, widths below 8: checked */
        if ((bits + 7) / 8 > UINT32_MAX)
            size = UINT32_MAX;
    } else if (!armi_read_u32(in, &size)) {
        return armi_error_set(err, ARMI_CORRUPTION, "the levels are cut off");
    }
    size_t left = armi_reader_left(in);
    if (!armi_read_span(in, size, &data))
        return armi_error_set(err, ARMI_CORRUPTION, "levels of %u bytes where %zu are left",
                              size, left);
    *out = (struct armi_slice){data, size};
    return ARMI_OK;
}

static enum armi_status split_v1(const struct armi_pq_page_header *header,
                                 const struct armi_pq_leaf *leaf, struct armi_slice bytes,
                                 struct armi_pq_page_parts *out, struct armi_error *err)
{
    const struct armi_pq_data_page_header *h = &header->data;
    struct armi_reader in = armi_reader_init(bytes);
    out->count = (size_t)h->value_count;
    out->encoding = h->encoding;
    out->rep_encoding = h->rep_encoding;
    out->def_encoding = h->def_encoding;
    ARMI_TRY(
        split_v1_levels(&in, h->rep_encoding, leaf->max_rep, out->count, &out->rep, err));
    ARMI_TRY(
        split_v1_levels(&in, h->def_encoding, leaf->max_def, out->count, &out->def, err));
    out->values = (struct armi_slice){in.pos, armi_reader_left(&in)};
    return ARMI_OK;
}

static void split_v2(const struct armi_pq_page_header *header, struct armi_slice bytes,
                     struct armi_pq_page_parts *out)
{
    const struct armi_pq_data_page_header_v2 *h = &header->data_v2;
    size_t rep = (size_t)h->rep_size, def = (size_t)h->def_size; /* checked when inflated */
    out->count = (size_t)h->value_count;
    out->encoding = h->encoding;
    out->rep_encoding = ARMI_PQ_RLE;
    out->def_encoding = ARMI_PQ_RLE;
    out->rep = (struct armi_slice){bytes.data, rep};
    out->def = (struct armi_slice){bytes.data + rep, def};
    out->values = (struct armi_slice){bytes.data + rep + def, bytes.size - rep - def};
}

enum armi_status armi_pq_page_split(const struct armi_pq_page_header *header,
                                    const struct armi_pq_leaf *leaf,
                                    struct armi_slice bytes, struct armi_pq_page_parts *out,
                                    struct armi_error *err)
{
    memset(out, 0, sizeof *out);
    if (header->type == ARMI_PQ_DATA_PAGE)
        return split_v1(header, leaf, bytes, out, err);
    split_v2(header, bytes, out);
    return ARMI_OK;
}

enum armi_status armi_pq_levels_read(struct armi_slice bytes, int encoding, unsigned max,
                                     uint8_t *out, size_t count, struct armi_error *err)
{
    struct armi_pq_rle rle;
    unsigned width = armi_bit_width(max);
    if (encoding == ARMI_PQ_BIT_PACKED)
        return armi_pq_bit_packed_read(bytes, width, max, out, count, err);
    if (encoding != ARMI_PQ_RLE)
        return armi_error_set(err, ARMI_CORRUPTION, "levels in encoding %d", encoding);
    ARMI_TRY(armi_pq_rle_init(&rle, bytes, width, err));
    return armi_pq_rle_read_levels(&rle, out, count, max, err);
}

void armi_pq_levels_at_least(const uint8_t *def, size_t count, unsigned least,
                             uint8_t *bits, size_t at)
{
    size_t i = 0;
    for (; i < count && ((at + i) & 7); i++)
        if ((def[i] & 0x7fu) >= least)
            armi_bit_set(bits, at + i);
    for (; i + 64 <= count; i += 64)
        armi_store64(bits + ((at + i) >> 3), armi_pq_kernels()->at_least64(def + i, least));
    for (; i < count; i++)
        if ((def[i] & 0x7fu) >= least)
            armi_bit_set(bits, at + i);
}

size_t armi_pq_levels_count_equal(const uint8_t *levels, size_t count, unsigned value)
{
    return value > UINT8_MAX ? 0 : armi_pq_kernels()->count8(levels, count, (uint8_t)value);
}

size_t armi_pq_levels_find_zero(const uint8_t *levels, size_t count, uint64_t n)
{
    size_t i = 0;
    for (; i + 256 <= count; i += 256) {
        size_t zeros = armi_pq_levels_count_equal(levels + i, 256, 0);
        if (zeros > n)
            break;
        n -= zeros;
    }
    for (; i < count; i++)
        if (levels[i] == 0 && n-- == 0)
            return i;
    return count;
}
