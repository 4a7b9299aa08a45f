/*
 * Nodes: the small immutable metadata objects (commits, table versions, tree nodes…). This
 * file gives them their frame and their name, and says where nodes come from and go to;
 * what is inside each type belongs to the layer that makes it. docs/format/node.md has the
 * bytes.
 *
 *     bytes = "AN", type, version, payload          name = BLAKE3-derive(context of the
 * type, bytes)
 *
 * The type is the context of the hash, so that no chunk, and no node of another type, can
 * pose as a node. Whoever has a name and the bytes can prove both: armi_node_unwrap() does,
 * on every read (I4).
 */
#ifndef ARMI_CATALOG_NODE_H
#define ARMI_CATALOG_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <armillaria/hash.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"

/* Values are on disk: append only. */
enum armi_node_type {
    ARMI_NODE_COMMIT = 1,        /* catalog/commit.h */
    ARMI_NODE_TABLE_VERSION = 2, /* what a tables map points to */
    ARMI_NODE_SCHEMA = 3,
    ARMI_NODE_SETTINGS = 4,
    ARMI_NODE_TREE_LEAF = 5, /* of the tree of ranges */
    ARMI_NODE_TREE_INNER = 6,
    ARMI_NODE_PENDING = 7,     /* a young tail entry that waits outside the tree */
    ARMI_NODE_DEAD_ROWS = 8,   /* reserved: bitmaps of deleted rows */
    ARMI_NODE_TABLES_LEAF = 9, /* of the tables map, keyed by name */
    ARMI_NODE_TABLES_INNER = 10,
};
#define ARMI_NODE_TYPE_MAX 10

#define ARMI_NODE_HEADER_SIZE 4

/* "commit", "tree leaf"…; static; "node of type N" is for the caller to print where this is
 * NULL. */
const char *armi_node_type_name(enum armi_node_type type);

/*
 * Appends the header of a node to an empty `out`; the caller appends the payload, then
 * names it. `version` (1..255) is that of the payload's encoding.
 */
enum armi_status armi_node_begin(enum armi_node_type type, unsigned version,
                                 struct armi_buf *out, struct armi_error *err);
/* Header and payload in one; `out` is replaced. */
enum armi_status armi_node_wrap(enum armi_node_type type, unsigned version,
                                struct armi_slice payload, struct armi_buf *out,
                                struct armi_error *err);
/* The name of framed bytes (header included). */
void armi_node_name(enum armi_node_type type, struct armi_slice bytes,
                    struct armi_hash *out);

/*
 * Proves framed bytes against the name they were asked for by, then takes the frame off:
 * *payload is borrowed from `bytes`. ARMI_CORRUPTION: hash, magic or type differ;
 * ARMI_UNSUPPORTED: the payload's version is above `version_max` ("made by a newer
 * version"). *version may be NULL.
 */
enum armi_status armi_node_unwrap(const struct armi_hash *name, enum armi_node_type type,
                                  unsigned version_max, struct armi_slice bytes,
                                  struct armi_slice *payload, unsigned *version,
                                  struct armi_error *err);
/* The type in a header; ARMI_CORRUPTION if the bytes are no node, ARMI_UNSUPPORTED if it is
 * unknown. */
enum armi_status armi_node_peek(struct armi_slice bytes, enum armi_node_type *type,
                                struct armi_error *err);

/*
 * Where nodes come from. `get` replaces *out (owned by the caller) with framed bytes that
 * were proved against the name; ARMI_NOT_FOUND names the node. Safe from many threads if
 * its maker says so; the catalog's is.
 */
struct armi_node_source {
    enum armi_status (*get)(void *ctx, enum armi_node_type type,
                            const struct armi_hash *name, struct armi_buf *out,
                            struct armi_error *err);
    void *ctx;
};

static inline enum armi_status armi_node_get(const struct armi_node_source *source,
                                             enum armi_node_type type,
                                             const struct armi_hash *name,
                                             struct armi_buf *out, struct armi_error *err)
{
    return source->get(source->ctx, type, name, out, err);
}

/*
 * Nodes that wait to be published: each once, in order of first put (so that a parent put
 * after its children stays behind them). Reads fall through to `below`, so that a
 * transaction sees what it made and what was there with one source. One thread at a time.
 */
struct armi_node_set_entry {
    struct armi_hash name;
    enum armi_node_type type;
    size_t offset; /* of the framed bytes, in bytes */
    size_t size;
};

struct armi_node_set {
    struct armi_buf bytes;
    struct armi_node_set_entry *entries;
    size_t count;
    size_t capacity;
    struct armi_map index;         /* name -> entry */
    struct armi_node_source below; /* .get may be NULL: nothing below */
};

/* `below` may be NULL; it is copied. */
void armi_node_set_init(struct armi_node_set *set, const struct armi_node_source *below);
void armi_node_set_release(struct armi_node_set *set);
/* Forgets what was put from entry `count` on: back to an earlier set->count. */
enum armi_status armi_node_set_truncate(struct armi_node_set *set, size_t count,
                                        struct armi_error *err);
/* Names the framed bytes (copied) and keeps them; a node that is there already is kept
 * once. */
enum armi_status armi_node_set_put(struct armi_node_set *set, enum armi_node_type type,
                                   struct armi_slice bytes, struct armi_hash *name,
                                   struct armi_error *err);
/* Framed bytes of entry i, borrowed until the next put. */
struct armi_slice armi_node_set_bytes(const struct armi_node_set *set, size_t index);
/* Reads the set, then what is below it. Borrows the set. */
struct armi_node_source armi_node_set_source(struct armi_node_set *set);

#endif
