/*
 * Random access to immutable bytes, whatever they lie in: a buffer, a file, a verified
 * chunk, later a bucket. The Parquet decoder reads through it. All functions may be
 * called from many threads.
 */
#ifndef ARMI_BASE_SOURCE_H
#define ARMI_BASE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct armi_source {
    uint64_t size;
    void *ctx;

    /*
     * Fills out with bytes [offset, offset + size), which lie within the source (else
     * ARMI_INVALID: the caller has checked). What the source promises (verified or not)
     * holds for the very bytes in `out`.
     */
    enum armi_status (*read)(void *ctx, uint64_t offset, size_t size, uint8_t *out,
                             struct armi_error *err);

    /*
     * Optional (NULL = none). The same bytes in place, borrowed until the source is
     * released: *out is set to NULL, with ARMI_OK, where the source cannot or would
     * rather not; read then. The bytes carry the same promise; ARMI_CORRUPTION and the
     * like as in read.
     */
    enum armi_status (*map)(void *ctx, uint64_t offset, size_t size, const uint8_t **out,
                            struct armi_error *err);

    /* Optional: one more, or one less, owner of what `ctx` points to; zero-copy results
     * hold one. */
    void (*retain)(void *ctx);
    void (*release)(void *ctx);
};

/* A source over bytes in memory, borrowed: the slice, where it stands, and its bytes
 * outlive it. */
void armi_source_from_memory(struct armi_slice *bytes, struct armi_source *out);

#endif
