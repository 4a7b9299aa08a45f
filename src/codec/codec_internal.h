/*
 * What a codec file offers to codec.c. Functions return the bytes produced, or 0 for "no":
 * did not fit, is corrupt. `state` points at the context's slot for this codec, made on
 * first use.
 */
#ifndef ARMI_CODEC_INTERNAL_H
#define ARMI_CODEC_INTERNAL_H

#include "codec/codec.h"

struct armi_codec_ops {
    const char *name;
    int level_default; /* what level 0 stands for */
    int level_min, level_max;
    uint64_t ratio_max; /* bytes out of one byte in, at most */
    size_t (*bound)(size_t size);
    /* *out_size 0: did not fit. Only memory can fail. */
    enum armi_status (*compress)(void **state, int level, struct armi_slice in,
                                 uint8_t *out, size_t capacity, size_t *out_size,
                                 struct armi_error *err);
    /* *out_ok: exactly `size` bytes came out of all of `in`. Only memory can fail. */
    enum armi_status (*decompress)(void **state, struct armi_slice in, uint8_t *out,
                                   size_t size, bool *out_ok, struct armi_error *err);
    void (*state_free)(void *state);
};

extern const struct armi_codec_ops armi_codec_snappy;
extern const struct armi_codec_ops armi_codec_gzip;
extern const struct armi_codec_ops armi_codec_brotli;
extern const struct armi_codec_ops armi_codec_zstd;
extern const struct armi_codec_ops armi_codec_lz4_raw;
extern const struct armi_codec_ops armi_codec_lz4_hadoop;

#endif
