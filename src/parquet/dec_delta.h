/*
 * DELTA_BINARY_PACKED: block size, miniblocks a block, total count, first value; then blocks of a
 * least delta, one bit width a miniblock, and the miniblocks. Sums wrap, as the format says: INT32
 * modulo 2^32, INT64 modulo 2^64. Any legal block shape is taken; a last miniblock may be cut off
 * behind the values that are needed, and widths of miniblocks without values may be anything.
 */
#ifndef ARMI_DEC_DELTA_H
#define ARMI_DEC_DELTA_H

#include "base/buf.h"

struct armi_pq_delta {
    struct armi_reader in;
    uint64_t block_size;
    uint64_t miniblocks;     /* a block */
    uint64_t miniblock_size; /* values */
    uint64_t total;          /* values in all, the first included */
    uint64_t left;           /* values not yet taken */
    uint64_t last;           /* running value */
    bool is_first;           /* the first value is still to be handed out */
    const uint8_t *widths;   /* of the current block */
    uint64_t miniblock;      /* index of the next miniblock in the block */
    uint64_t least;          /* least delta of the block */
};

/* Reads the header. */
enum armi_status armi_pq_delta_init(struct armi_pq_delta *delta, struct armi_slice bytes,
                                    struct armi_error *err);

/*
 * All values in one go, which must be `count`; *out_used (nullable) is how many bytes they took. No
 * memory is asked for: `count` is the caller's, who has room for it.
 */
enum armi_status armi_pq_delta_read32(struct armi_slice bytes, uint32_t *out, size_t count,
                                      size_t *out_used, struct armi_error *err);
enum armi_status armi_pq_delta_read64(struct armi_slice bytes, uint64_t *out, size_t count,
                                      size_t *out_used, struct armi_error *err);

#endif
