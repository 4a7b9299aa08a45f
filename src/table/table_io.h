/*
 * What the table layer reads from and writes to, so that it knows neither the catalog's
 * database nor the store's folder: the repository fills these in.
 */
#ifndef ARMI_TABLE_TABLE_IO_H
#define ARMI_TABLE_TABLE_IO_H

#include "base/pool.h"
#include "catalog/node.h"
#include "store/chunk.h"
#include "table/range.h"

struct armi_table_io {
    struct armi_node_source nodes;
    /* Opens a chunk wherever it lies. *out is owned by the caller. From many threads. */
    enum armi_status (*open_chunk)(void *ctx, const struct armi_chunk_ref *ref,
                                   struct armi_chunk **out, struct armi_error *err);
    /* One more, or one less, owner of ctx: a scan may outlive the handle it came from. */
    void (*retain)(void *ctx);
    void (*release)(void *ctx);
    void *ctx;
    struct armi_parallel parallel;
};

struct armi_table_sink {
    struct armi_node_set *nodes; /* reads fall through to what is there */
    /*
     * Takes a chunk: `parts` in order are its bytes, `hash` their BLAKE3. *kind says where
     * it lies, *reused that it was there already.
     */
    enum armi_status (*put_chunk)(void *ctx, const struct armi_hash *hash,
                                  const struct armi_slice *parts, size_t count,
                                  enum armi_chunk_kind *kind, bool *reused,
                                  struct armi_error *err);
    void *ctx;
    /* Makes range ids: hashed with the table id and `ranges_made`, which counts on. */
    uint8_t txid[16];
    uint64_t ranges_made;
    struct armi_parallel parallel;
};

#endif
