/*
 * Byte arrays in their four encodings, into a sink of offsets and data. Each reads one page's values,
 * leaves out the first `skip` and appends the next `count`, packed; the caller has reserved the slots.
 */
#ifndef ARMI_DEC_BYTES_H
#define ARMI_DEC_BYTES_H

#include "parquet/dec_sink.h"

/* Buffers that a worker reuses from page to page. */
struct armi_pq_scratch {
    struct armi_buf page;    /* decompressed bytes */
    struct armi_buf values;  /* values before conversion */
    struct armi_buf lengths; /* u32 lengths or offsets */
    struct armi_buf prefix;  /* u32 prefix lengths */
    struct armi_buf offsets; /* u32 offsets before they are widened */
    struct armi_buf levels;  /* bitmaps and levels of a page read in part */
};

void armi_pq_scratch_release(struct armi_pq_scratch *scratch);
/* At least `size` bytes, contents undefined, with ARMI_PQ_SLACK behind them. */
enum armi_status armi_pq_scratch_need(struct armi_buf *buf, size_t size, uint8_t **out,
                                      struct armi_error *err);

/* The values of one page: their bytes, how many there are, and which are wanted. */
struct armi_pq_span {
    struct armi_slice bytes;
    size_t total; /* values stored in the page, nulls not among them */
    size_t skip;
    size_t count; /* skip + count <= total */
};

enum armi_status armi_pq_bytes_plain(const struct armi_pq_span *span,
                                     struct armi_pq_sink *sink,
                                     struct armi_pq_scratch *scratch,
                                     struct armi_error *err);
enum armi_status armi_pq_bytes_delta_length(const struct armi_pq_span *span,
                                            struct armi_pq_sink *sink,
                                            struct armi_pq_scratch *scratch,
                                            struct armi_error *err);
enum armi_status armi_pq_bytes_delta(const struct armi_pq_span *span,
                                     struct armi_pq_sink *sink,
                                     struct armi_pq_scratch *scratch,
                                     struct armi_error *err);

/* A dictionary of byte arrays. Spans lie in `data`, which has ARMI_PQ_SLACK behind it. */
struct armi_pq_bytes_dictionary {
    const uint8_t *data;
    const uint32_t *offsets; /* count + 1 */
    size_t count;
    uint32_t longest;
};

/* span->bytes: one byte of width, then the runs of indices. */
enum armi_status armi_pq_bytes_gather(const struct armi_pq_span *span,
                                      const struct armi_pq_bytes_dictionary *dictionary,
                                      struct armi_pq_sink *sink,
                                      struct armi_pq_scratch *scratch,
                                      struct armi_error *err);

/* Where the packed u32 offsets of `count` values go (count + 1 of them, the first is the base). */
enum armi_status armi_pq_bytes_begin(struct armi_pq_sink *sink,
                                     struct armi_pq_scratch *scratch, size_t count,
                                     uint64_t size, uint32_t **out_offsets,
                                     struct armi_error *err);
/* They are filled: widens them where the sink has 64-bit offsets; the data has grown by `size`. */
void armi_pq_bytes_end(struct armi_pq_sink *sink, const uint32_t *offsets, size_t count,
                       size_t size);

#endif
