/*
 * The public chunk store over a store: what `ChunkStore` and `db.chunks` are. A
 * repository adds to it the chunks that lie in its catalog, and its own rules for
 * writing, by a table of functions.
 */
#ifndef ARMI_STORE_FRONT_H
#define ARMI_STORE_FRONT_H

#include <armillaria/chunk_store.h>

#include "store/batch.h"
#include "store/store.h"

struct armi_chunk_extra {
    void *ctx; /* borrowed for the life of the front */

    /* The chunk's bytes, proved, owned; *found is false where it is not there. */
    enum armi_status (*find)(void *ctx, const struct armi_hash *hash, bool *found,
                             struct armi_bytes *out, struct armi_error *err);
    enum armi_status (*has)(void *ctx, const struct armi_hash *hash, bool *found,
                            struct armi_error *err);
    /* All of them; those that lie in files too may be among them. */
    enum armi_status (*list)(void *ctx, armi_store_list_fn fn, void *fn_ctx,
                             struct armi_error *err);
    /*
     * Around a put: takes the shared side of the gc lock, and clears recorded damage.
     * `begin` may be NULL; `end` is called only after a begin that answered ARMI_OK.
     * *token is theirs.
     */
    enum armi_status (*begin)(void *ctx, void **token, struct armi_error *err);
    void (*end)(void *ctx, void *token, const struct armi_hash *hashes, size_t count);
    const char *refuse_delete; /* why delete is refused, or NULL */
};

/*
 * *out is owned: armi_chunk_store_close(). It retains the store. `extra` may be NULL, and
 * is copied. Of the options threads and callbacks count here, and no_verify is the
 * store's own.
 */
enum armi_status armi_chunk_store_wrap(struct armi_store *store, const char *path,
                                       const struct armi_chunk_extra *extra,
                                       const struct armi_chunk_store_options *options,
                                       struct armi_chunk_store **out,
                                       struct armi_error *err);

/* armi_chunk_store_open over another table, for tests. */
enum armi_status armi_chunk_store_open_os(const struct armi_os *os, const char *path,
                                          const struct armi_chunk_store_options *options,
                                          struct armi_chunk_store **out,
                                          struct armi_error *err);

/* The store behind a front, borrowed. */
struct armi_store *armi_chunk_store_inner(struct armi_chunk_store *front);

#endif
