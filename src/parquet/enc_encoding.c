/*
 * The encodings of data pages but the dictionary's: to add one, a file enc_<name>.c and a row here;
 * when it is chosen stands in enc_policy.c.
 */
#include "parquet/enc_internal.h"

static const struct enc_encoding *const encodings[] = {
    &enc_plain,       &enc_delta_binary, &enc_delta_length,
    &enc_delta_bytes, &enc_byte_split,   &enc_bool_rle,
};

const struct enc_encoding *enc_encoding_find(enum armi_pq_encoding id)
{
    for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++)
        if (encodings[i]->id == id)
            return encodings[i];
    return NULL;
}
