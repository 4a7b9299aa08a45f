/*
 * Byte compression behind one narrow interface: bound, compress, decompress. The numbers
 * are those of Parquet's CompressionCodec, so that no table translates them. Contexts hold
 * what a codec wants to keep between calls (zstd's tables, libdeflate's): one a worker,
 * never shared by two threads at once. Adding a codec is one file codec_<name>.c and one
 * row in codec.c.
 */
#ifndef ARMI_CODEC_CODEC_H
#define ARMI_CODEC_CODEC_H

#include <stdbool.h>

#include "base/buf.h"

enum armi_codec_id {
    ARMI_CODEC_NONE = 0,
    ARMI_CODEC_SNAPPY = 1,
    ARMI_CODEC_GZIP = 2,
    ARMI_CODEC_LZO = 3, /* refused by name: no free library carries it */
    ARMI_CODEC_BROTLI = 4,
    ARMI_CODEC_LZ4 =
        5, /* read only: Hadoop's framing, or what others wrote under this number */
    ARMI_CODEC_ZSTD = 6,
    ARMI_CODEC_LZ4_RAW = 7,
};
#define ARMI_CODEC_COUNT 8

/* A codec and how hard it tries. Level 0 is the codec's default, which is its fast one. */
struct armi_codec {
    enum armi_codec_id id;
    int level;
};

struct armi_codec_context;

enum armi_status armi_codec_context_new(struct armi_codec_context **out,
                                        struct armi_error *err);
void armi_codec_context_free(struct armi_codec_context *context);

/* "snappy" and the like; "unknown" for a number that names no codec. Static. */
const char *armi_codec_name(int id);

/* "none" (also "uncompressed"), "snappy", "gzip", "brotli", "zstd", "lz4_raw" (also "lz4"),
 * with an optional ":level" where the codec has levels. ARMI_INVALID names the known ones.
 */
enum armi_status armi_codec_parse(const char *text, struct armi_codec *out,
                                  struct armi_error *err);

/* Bytes that the result of compressing `size` bytes may need at most. */
size_t armi_codec_bound(struct armi_codec codec, size_t size);

/*
 * Compresses `in` into out[0 .. capacity). *out_size is the result's size, or 0 when it
 * does not fit into `capacity` (the way to ask for "only if it gets smaller"); an empty
 * input is 0 as well.
 */
enum armi_status armi_codec_compress(struct armi_codec_context *context,
                                     struct armi_codec codec, struct armi_slice in,
                                     uint8_t *out, size_t capacity, size_t *out_size,
                                     struct armi_error *err);

/* No more than so many bytes can come of `size` compressed ones, whoever made them. */
uint64_t armi_codec_most(int id, size_t size);

/*
 * Fills out[0 .. out_size) exactly. Anything else, more or fewer bytes included, is
 * ARMI_CORRUPTION; a codec that is not carried is ARMI_UNSUPPORTED. Safe on hostile input:
 * no byte outside the two spans is touched, and no memory that grows with what the input
 * claims.
 */
enum armi_status armi_codec_decompress(struct armi_codec_context *context, int id,
                                       struct armi_slice in, uint8_t *out, size_t out_size,
                                       struct armi_error *err);

#endif
