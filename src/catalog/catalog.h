/*
 * The catalog: nodes, refs, reflog, transaction ids and tiny chunks of one repository, and
 * the one way to change them: publish. Nothing above knows a row or an offset;
 * docs/format/catalog.md describes the SQLite database behind it.
 *
 * A handle may be used from many threads. It survives fork(): before the fork every idle
 * SQLite connection is closed, after it parent and child open fresh ones at their next call
 * (I9). No read waits for a write, nor a write for a read (I8). Every node is proved
 * against its hash and every other row against its check value when it is read (I4, I7).
 */
#ifndef ARMI_CATALOG_CATALOG_H
#define ARMI_CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <armillaria/chunk_store.h>
#include <armillaria/hash.h>
#include <armillaria/ref.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/pool.h"
#include "catalog/commit.h"
#include "catalog/node.h"
#include "os/os.h"

#define ARMI_CATALOG_FILE   "catalog.db"
#define ARMI_REPO_ID_SIZE   16
#define ARMI_PREFIX_HEX_MIN 8

struct armi_catalog;

/*
 * Each publish takes the write lock in the folder's lock file (os/lockfile.h) before SQLite's own,
 * whose back-off wastes it.
 */
struct armi_catalog_options {
    const struct armi_os *os; /* NULL = the system's; SQLite's own file calls pass by it */
    enum armi_durability durability; /* 0 = full */
    bool read_only; /* every write is ARMI_INVALID; implied on a read-only mount */
    uint32_t lock_timeout_ms; /* 0 = 60 s */
};

/*
 * Makes the database in the folder `dir`, or completes one that a crash left half made;
 * harmless where it is whole. The branch "main" stands in it, without a commit. The caller
 * flushes the folder. *id tells the repository's identity, made at random.
 */
enum armi_status armi_catalog_create(const char *dir,
                                     const struct armi_catalog_options *options,
                                     uint8_t id[ARMI_REPO_ID_SIZE], struct armi_error *err);
/*
 * Opens it; O(1) in history. `options` is copied. ARMI_NOT_FOUND: no catalog.db;
 * ARMI_CORRUPTION: it is not ours (says why: no SQLite database, a strange table or
 * trigger) or damaged; ARMI_UNSUPPORTED: made by a newer version.
 */
enum armi_status armi_catalog_open(const char *dir,
                                   const struct armi_catalog_options *options,
                                   struct armi_catalog **out, struct armi_error *err);
void armi_catalog_close(struct armi_catalog *catalog);
bool armi_catalog_is_read_only(const struct armi_catalog *catalog);
enum armi_status armi_catalog_id(struct armi_catalog *catalog,
                                 uint8_t id[ARMI_REPO_ID_SIZE], struct armi_error *err);

/* Nodes and tiny chunks. */

/* Replaces *out with framed, proved bytes. ARMI_NOT_FOUND, ARMI_CORRUPTION name the node.
 */
enum armi_status armi_catalog_get_node(struct armi_catalog *catalog,
                                       enum armi_node_type type,
                                       const struct armi_hash *name, struct armi_buf *out,
                                       struct armi_error *err);
/* The same as a source; borrows the catalog, safe from many threads. */
struct armi_node_source armi_catalog_source(struct armi_catalog *catalog);
/* A commit, proved and decoded; *out is owned: armi_commit_release(). */
enum armi_status armi_catalog_get_commit(struct armi_catalog *catalog,
                                         const struct armi_hash *id,
                                         struct armi_commit *out, struct armi_error *err);
/* There, by name; the bytes are not looked at. */
enum armi_status armi_catalog_has_node(struct armi_catalog *catalog,
                                       const struct armi_hash *name, bool *out,
                                       struct armi_error *err);
/*
 * Puts nodes that nothing refers to yet, in transactions of up to 1 MiB: for sets too large
 * to ride in a publish (which calls this by itself). The caller holds the shared side of
 * the gc lock.
 */
enum armi_status armi_catalog_put_nodes(struct armi_catalog *catalog,
                                        const struct armi_node_set *nodes,
                                        struct armi_error *err);
/*
 * The commit whose id starts with `digits` lower-case hex digits (8..64). ARMI_NOT_FOUND;
 * ARMI_INVALID if there are several (names two) or the text is no such prefix.
 */
enum armi_status armi_catalog_find_commit(struct armi_catalog *catalog, const char *digits,
                                          size_t digits_size, struct armi_hash *out,
                                          struct armi_error *err);

/* A chunk below ARMI_CHUNK_TINY_MAX; proved on get. ARMI_NOT_FOUND: "Chunk not found: …".
 */
enum armi_status armi_catalog_get_chunk(struct armi_catalog *catalog,
                                        const struct armi_hash *hash, struct armi_buf *out,
                                        struct armi_error *err);
enum armi_status armi_catalog_has_chunk(struct armi_catalog *catalog,
                                        const struct armi_hash *hash, bool *out,
                                        struct armi_error *err);
struct armi_catalog_chunk {
    struct armi_hash hash;
    struct armi_slice bytes;
};
/* Puts chunks outside of a publish; durable on return. The same content twice is kept once.
 */
enum armi_status armi_catalog_put_chunks(struct armi_catalog *catalog,
                                         const struct armi_catalog_chunk *chunks,
                                         size_t count, struct armi_error *err);

/*
 * Lists in pages, so that no read transaction stays open: start with *cursor = 0; *count <
 * max ends. Bytes are not proved here; sizes are of the bytes.
 */
struct armi_catalog_entry {
    struct armi_hash name;
    unsigned type; /* enum armi_node_type; 0 for a chunk */
    uint64_t size;
};
enum armi_status armi_catalog_list_nodes(struct armi_catalog *catalog, uint64_t *cursor,
                                         struct armi_catalog_entry *out, size_t max,
                                         size_t *count, struct armi_error *err);
enum armi_status armi_catalog_list_chunks(struct armi_catalog *catalog, uint64_t *cursor,
                                          struct armi_catalog_entry *out, size_t max,
                                          size_t *count, struct armi_error *err);

/* Refs, reflog, transaction ids. */

struct armi_catalog_ref {
    enum armi_ref_kind kind; /* a branch or a tag */
    char name[ARMI_NAME_SIZE_MAX + 1];
    bool has_commit; /* false: a branch without commits */
    struct armi_hash commit;
    uint64_t moves;  /* counts the ref's changes since it was made */
    int64_t time_us; /* of the last one */
};
/* ARMI_NOT_FOUND: "Branch not found: x", kind "branch" (or "tag"). */
enum armi_status armi_catalog_get_ref(struct armi_catalog *catalog, enum armi_ref_kind kind,
                                      const char *name, struct armi_catalog_ref *out,
                                      struct armi_error *err);
/* All of a kind in name order (memcmp); *out is owned: armi_free(). */
enum armi_status armi_catalog_list_refs(struct armi_catalog *catalog,
                                        enum armi_ref_kind kind,
                                        struct armi_catalog_ref **out, size_t *count,
                                        struct armi_error *err);

struct armi_catalog_reflog {
    uint64_t id; /* rises with time */
    enum armi_ref_kind kind;
    char name[ARMI_NAME_SIZE_MAX + 1];
    bool has_old, has_new; /* false: the ref was not there, or had no commit */
    struct armi_hash old_commit, new_commit;
    int64_t time_us;
    char author[ARMI_NAME_SIZE_MAX + 1];
    char reason[ARMI_NAME_SIZE_MAX + 1]; /* "commit", "branch", "reset"… */
};
/*
 * Newest first, of one ref (`name` NULL: of all), entries with id < before (0: from the
 * newest on), at most `max` into caller's memory.
 */
enum armi_status armi_catalog_list_reflog(struct armi_catalog *catalog,
                                          enum armi_ref_kind kind, const char *name,
                                          uint64_t before, struct armi_catalog_reflog *out,
                                          size_t max, size_t *count,
                                          struct armi_error *err);
/* The commit that a transaction id landed as; *found false if it did not (or expired). */
enum armi_status armi_catalog_find_txid(struct armi_catalog *catalog,
                                        const uint8_t txid[ARMI_TXID_SIZE], bool *found,
                                        struct armi_hash *commit, struct armi_error *err);

/* Publish. */

enum armi_ref_action {
    ARMI_REF_CREATE = 1, /* must not be there (nor one of the other kind with the name) */
    ARMI_REF_MOVE = 2,
    ARMI_REF_DELETE = 3,
};
/* What the ref must be when the write lock is held. A ref that is not as expected is
 * "moved". */
enum armi_ref_expect {
    ARMI_REF_ANY = 0,    /* whatever it is (it must exist, unless created) */
    ARMI_REF_UNBORN = 1, /* there, without a commit */
    ARMI_REF_AT = 2,     /* at `expected` */
};
struct armi_ref_change {
    enum armi_ref_action action;
    enum armi_ref_kind kind;
    const char *name;
    enum armi_ref_expect expect;
    struct armi_hash expected;
    bool to_published; /* create, move: to the commit of this publish, else: */
    bool has_target;   /* false: a branch without a commit */
    struct armi_hash target;
    const char *reason; /* for the reflog, up to 255 bytes */
};

/*
 * One atomic change: everything in it lands, or nothing. Publish sets depth, skip, time_us
 * and clock_us of `commit`, encodes it under the write lock and inserts it with the nodes
 * and chunks, moves the refs, notes the reflog and the transaction id: one SQLite
 * transaction, after which it is durable (I3). Chunk files that it refers to must be
 * durable before (I2). Nodes beyond 256 KiB go in ahead of it. Threads that wait for the
 * lock land in one transaction and share its flush (I8).
 */
struct armi_publish {
    struct armi_commit *commit; /* NULL: refs only; borrowed, its four fields are set */
    const struct armi_node_set *nodes; /* NULL = none */
    const struct armi_catalog_chunk *chunks;
    size_t chunks_count;
    const struct armi_ref_change *refs;
    size_t refs_count;
    struct armi_slice author; /* for the reflog; cut at 255 bytes */
    struct armi_interrupt
        interrupt; /* asked while waiting for the lock: ARMI_INTERRUPTED */
};

enum armi_publish_outcome {
    ARMI_PUBLISH_OK = 0,
    ARMI_PUBLISH_MOVED =
        1, /* a ref was not as expected: `ref` says what it is; nothing changed */
    ARMI_PUBLISH_REPEATED =
        2, /* the transaction id landed before, as `commit`; nothing changed */
    ARMI_PUBLISH_UNKNOWN = 3, /* returned with ARMI_COMMIT_UNKNOWN */
};

struct armi_publish_result {
    enum armi_publish_outcome outcome;
    struct armi_hash commit; /* ok, repeated, unknown: its id */
    size_t moved_index;      /* moved: which of publish.refs… */
    bool moved_exists;       /* …and what it is now, if it is there at all */
    struct armi_catalog_ref moved;
};

/*
 * ARMI_OK: see result.outcome. ARMI_COMMIT_UNKNOWN (err->commit, outcome unknown): the
 * system failed while the transaction was being made durable; ask armi_catalog_has_node()
 * or find_txid() after a reopen; the handle publishes no more (I5). ARMI_ALREADY_EXISTS: a
 * ref to be created is there. ARMI_NOT_FOUND: a ref, parent or target is not there.
 * ARMI_BUSY: the lock was not to be had. ARMI_STORAGE, ARMI_NO_MEMORY, ARMI_INVALID,
 * ARMI_CORRUPTION: nothing changed.
 */
enum armi_status armi_catalog_publish(struct armi_catalog *catalog,
                                      const struct armi_publish *publish,
                                      struct armi_publish_result *result,
                                      struct armi_error *err);

/* Upkeep. */

/* Objects that gc found dead, and objects that verify found damaged: marks by kind and
 * name. */
enum armi_mark {
    ARMI_MARK_DOOMED = 1,
    ARMI_MARK_DAMAGED = 2,
};
struct armi_catalog_mark {
    bool is_node; /* false: a chunk */
    struct armi_hash name;
    int64_t time_us; /* when it was marked */
};
/* Sets marks (a mark that is there keeps its time), or removes them. */
enum armi_status armi_catalog_set_marks(struct armi_catalog *catalog, enum armi_mark mark,
                                        const struct armi_catalog_mark *marks, size_t count,
                                        struct armi_error *err);
enum armi_status armi_catalog_clear_marks(struct armi_catalog *catalog, enum armi_mark mark,
                                          const struct armi_catalog_mark *marks,
                                          size_t count, struct armi_error *err);
enum armi_status armi_catalog_has_mark(struct armi_catalog *catalog, enum armi_mark mark,
                                       bool is_node, const struct armi_hash *name,
                                       bool *out, struct armi_error *err);
/* All of them by kind and name; *out is owned: armi_free(). */
enum armi_status armi_catalog_list_marks(struct armi_catalog *catalog, enum armi_mark mark,
                                         struct armi_catalog_mark **out, size_t *count,
                                         struct armi_error *err);
/* SQLite's own integrity check, then every row's check value; problems go to fn, one line
 * each. */
typedef enum armi_status (*armi_catalog_problem_fn)(void *ctx, const char *kind,
                                                    const char *name, const char *message,
                                                    struct armi_error *err);
enum armi_status armi_catalog_verify(struct armi_catalog *catalog,
                                     armi_catalog_problem_fn fn, void *ctx,
                                     struct armi_error *err);
/* Sizes for stats. */
struct armi_catalog_stats {
    uint64_t nodes, node_bytes;
    uint64_t chunks, chunk_bytes;
    uint64_t file_bytes; /* catalog.db and its WAL */
    uint64_t
        flushes; /* of both, that this handle asked for: one a transaction, two a checkpoint */
};
enum armi_status armi_catalog_stats(struct armi_catalog *catalog,
                                    struct armi_catalog_stats *out, struct armi_error *err);

#endif
