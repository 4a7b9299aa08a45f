/*
 * DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes. DELTA_BYTE_ARRAY: how much each string shares
 * with the one before it, then what is left, in the former encoding. The first of a page shares
 * nothing, so that pages stand alone.
 */
#include "parquet/enc_bytes.h"

#include <string.h>

/* Strings that lie behind each other are copied at once: what a plain Arrow array is. */
static uint8_t *all_copy(const struct enc_values *v, uint8_t *out)
{
    for (size_t i = 0; i < v->count;) {
        const uint8_t *begin = v->strings[i].data, *end = begin + v->strings[i].size;
        size_t k = i + 1;
        while (k < v->count && v->strings[k].data == end)
            end += v->strings[k++].size;
        out = enc_bytes_copy(out, begin, (size_t)(end - begin), NULL);
        i = k;
    }
    return out;
}

static size_t length_bound(const struct enc_values *v)
{
    return enc_delta_bound(v->count, 4) + (size_t)v->bytes;
}

static enum armi_status length_encode(struct enc_column *c, const struct enc_values *v,
                                      uint8_t *out, size_t *size)
{
    int32_t *lengths;
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_LENGTHS, v->count * sizeof *lengths, &lengths,
                          c->err));
    for (size_t i = 0; i < v->count; i++)
        lengths[i] = (int32_t)v->strings[i].size;
    uint8_t *end = enc_delta_i32(lengths, v->count, out);
    end = all_copy(v, end);
    *size = (size_t)(end - out);
    return ARMI_OK;
}

static size_t prefix_bound(const struct enc_values *v)
{
    return 2 * enc_delta_bound(v->count, 4) + (size_t)v->bytes;
}

static enum armi_status prefix_encode(struct enc_column *c, const struct enc_values *v,
                                      uint8_t *out, size_t *size)
{
    int32_t *prefixes;
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_LENGTHS, 2 * v->count * sizeof *prefixes,
                          &prefixes, c->err));
    int32_t *suffixes = prefixes + v->count;
    struct armi_slice last = {NULL, 0};
    for (size_t i = 0; i < v->count; i++) {
        size_t shared = enc_bytes_shared(last, v->strings[i]);
        prefixes[i] = (int32_t)shared;
        suffixes[i] = (int32_t)(v->strings[i].size - shared);
        last = v->strings[i];
    }
    uint8_t *end = enc_delta_i32(prefixes, v->count, out);
    end = enc_delta_i32(suffixes, v->count, end);
    for (size_t i = 0; i < v->count; i++)
        end = enc_bytes_copy(end, v->strings[i].data + prefixes[i], (size_t)suffixes[i],
                             enc_values_until(v));
    *size = (size_t)(end - out);
    return ARMI_OK;
}

const struct enc_encoding enc_delta_length = {ARMI_PQ_DELTA_LENGTH_BYTE_ARRAY, length_bound,
                                              length_encode};
const struct enc_encoding enc_delta_bytes = {ARMI_PQ_DELTA_BYTE_ARRAY, prefix_bound,
                                             prefix_encode};
