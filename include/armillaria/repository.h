/*
 * A repository: the folder that holds everything.
 *
 * A handle may be used from many threads. Each call sees every commit, of any process, that
 * returned before the call began. A handle does not survive fork(): a child that uses an
 * inherited one gets a fresh one opened for it in place, silently; what it inherited of an
 * open scan fails with ARMI_MISUSE.
 */
#ifndef ARMILLARIA_REPOSITORY_H
#define ARMILLARIA_REPOSITORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <armillaria/call.h>
#include <armillaria/chunk_store.h>
#include <armillaria/error.h>
#include <armillaria/export.h>

#ifdef __cplusplus
extern "C" {
#endif

struct armi_repository;

struct armi_open_options {
    size_t size;                     /* sizeof(struct armi_open_options) */
    enum armi_durability durability; /* 0 = full, or what the repository was made with */
    bool no_create; /* a folder that is absent or empty is ARMI_NOT_FOUND */
    bool no_verify; /* trust chunk bytes without hashing them (nodes are always checked) */
    bool read_only; /* refuse every write; implied on a read-only mount */
    bool unsafe_network; /* write on a network file system, against advice */
    unsigned threads;    /* 0 = all cores */
    uint64_t
        memory_bytes; /* budget of native work; 0 = a quarter of RAM, at least 256 MiB */
    uint64_t cache_bytes;     /* decoded columns kept; 0 = 256 MiB; UINT64_MAX = no cache */
    uint32_t lock_timeout_ms; /* 0 = 60,000 */
    const char *author;       /* NULL = $ARMI_AUTHOR, else the login name; copied */
    struct armi_callbacks
        callbacks; /* for every call on the handle that does not bring its own */
};

/*
 * Opens the repository at `path`, and makes it when the folder is absent or empty.
 *
 * *out is owned by the caller: armi_repository_close(). `options` may be NULL. Opening
 * sweeps what dead processes left in tmp/, and costs the same whatever the history holds.
 *
 * Errors: ARMI_NOT_FOUND (no_create and nothing there) · ARMI_INVALID (the folder holds
 * something else: the message says what) · ARMI_UNSUPPORTED (made by a newer version) ·
 * ARMI_CORRUPTION (FORMAT or catalog.db damaged, or catalog.db not ours) · ARMI_STORAGE ·
 * ARMI_NO_MEMORY.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_repository_open(const char *path, const struct armi_open_options *options,
                     struct armi_repository **out, struct armi_error *err);

/* Frees the handle. Scans and streams that came from it go on working. NULL is allowed. */
ARMI_API void armi_repository_close(struct armi_repository *repo);

/* The path as it was given. Borrowed until the handle is closed. */
ARMI_API const char *armi_repository_path(const struct armi_repository *repo);
ARMI_API bool armi_repository_is_read_only(const struct armi_repository *repo);

/*
 * The repository's chunks as a chunk store, those in the catalog included. Borrowed until
 * the handle is closed. armi_chunk_store_delete() on it is refused: gc frees chunks.
 */
ARMI_API struct armi_chunk_store *armi_repository_chunks(struct armi_repository *repo);

/* One thing that verify found wrong. */
struct armi_problem {
    const char *kind; /* "chunk", "node", "ref", "catalog", "tree", "table" */
    const char *name; /* its hash or name */
    const char
        *message; /* one line; says which tables and versions it hurts, where known */
};

struct armi_verify_options {
    size_t size;
    bool deep; /* also decode everything and compare fingerprints and statistics */
    struct armi_callbacks callbacks;
};

struct armi_verify_result {
    size_t size;
    bool ok;
    uint64_t objects; /* chunks and nodes looked at */
    uint64_t bytes;   /* of them */
    size_t problem_count;
    struct armi_problem *problems; /* owned: armi_verify_result_release() */
    void *private_data;
};

/*
 * Proves the repository: names and hashes of all chunks and nodes that any ref reaches, the
 * trees' invariants, refs, and the catalog's own integrity check. What it finds is in the
 * result; the call fails only when it could not look.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_repository_verify(struct armi_repository *repo,
                       const struct armi_verify_options *options,
                       struct armi_verify_result *out, struct armi_error *err);
ARMI_API void armi_verify_result_release(struct armi_verify_result *result);

struct armi_cache_stats {
    uint64_t hits, misses, evictions, entries, bytes, capacity;
};

struct armi_repository_stats {
    size_t size;
    uint64_t tables;         /* on `ref` */
    uint64_t branches, tags; /* in all */
    uint64_t commits;        /* that any ref reaches */
    uint64_t versions;       /* table versions in them */
    uint64_t rows;           /* in the tables of `ref` */
    uint64_t logical_bytes;  /* Arrow bytes of the tables of `ref` */
    uint64_t version_bytes; /* chunk bytes if every version that is kept had its own copy */
    uint64_t chunks, chunk_bytes;                   /* files in chunks/ */
    uint64_t tiny_chunks, tiny_chunk_bytes;         /* chunks that live in the catalog */
    uint64_t nodes, node_bytes;                     /* metadata objects */
    uint64_t catalog_bytes;                         /* catalog.db and its WAL */
    uint64_t reclaimable_chunks, reclaimable_bytes; /* in the store, reached by no ref */
    struct armi_cache_stats cache;                  /* of this handle */
    uint64_t flushes;       /* since the process started; of the catalog: by this handle */
    uint64_t bytes_written; /* to chunks and FORMAT, since the process started */
};

/* `ref` NULL = main. Walks all history: its cost grows with it. */
ARMI_API ARMI_MUST_USE enum armi_status
armi_repository_stats(struct armi_repository *repo, const char *ref,
                      struct armi_repository_stats *out, struct armi_error *err);

#ifdef __cplusplus
}
#endif

#endif
