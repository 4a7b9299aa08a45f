/*
 * What the files of this folder share: the open repository, its tables maps, and how a place
 * in history is found.
 */
#ifndef ARMI_REPO_REPO_INTERNAL_H
#define ARMI_REPO_REPO_INTERNAL_H

#include <stdatomic.h>

#include <armillaria/repository.h>
#include <armillaria/table.h>

#include "catalog/catalog.h"
#include "catalog/format_file.h"
#include "catalog/history.h"
#include "os/os.h"
#include "store/batch.h"
#include "store/store.h"
#include "table/column_cache.h"
#include "table/table_io.h"
#include "table/table_version.h"
#include "tree/tree_cursor.h"
#include "tree/tree_diff.h"

/* ---- the open repository ---- */

/* What scans keep alive after the handle was closed. */
struct armi_core {
    atomic_size_t owners;
    const struct armi_os *os;
    int dir; /* the folder, open */
    char *path;
    struct armi_format format;
    struct armi_store *store;
    struct armi_catalog *catalog;
    struct armi_node_source nodes;   /* of the catalog */
    struct armi_column_cache *cache; /* NULL = none */
    enum armi_durability durability;
    bool no_verify;
    bool read_only;
    uint32_t lock_timeout_ms;
    unsigned threads;
};

struct armi_repository {
    struct armi_core *core;
    struct armi_chunk_store *chunks;
    char *author;
    struct armi_callbacks callbacks;
};

struct armi_core *armi_core_ref(struct armi_core *core);
void armi_core_unref(struct armi_core *core);
/* Reading through the catalog and the store; `no_verify` for this reader alone. */
struct armi_table_io armi_core_io(struct armi_core *core);
/* The handle's callbacks where a call brings none. */
struct armi_callbacks armi_repo_callbacks(const struct armi_repository *repo,
                                          const struct armi_callbacks *own);
/* ARMI_INVALID on a read-only handle. */
enum armi_status armi_core_check_writable(const struct armi_core *core,
                                          struct armi_error *err);
/* Bytes of a chunk that lies in the catalog, as an open chunk. */
enum armi_status armi_core_open_tiny(struct armi_core *core, const struct armi_hash *hash,
                                     struct armi_chunk **out, struct armi_error *err);

/* The chunks as the public sees them (chunks.c); *out is owned, and borrows the core. */
enum armi_status armi_core_chunks(struct armi_core *core, struct armi_chunk_store **out,
                                  struct armi_error *err);

/* ---- tables maps (tables_map.c; docs/format/commit.md) ---- */

/* What a commit knows of one name. */
struct armi_table_entry {
    char name[ARMI_NAME_SIZE_MAX + 1];
    bool is_live; /* false: a tombstone, which keeps the number */
    uint8_t table_id[ARMI_TABLE_ID_SIZE];
    uint64_t version;
    struct armi_hash node; /* of the table version; of the last one, for a tombstone */
    uint64_t rows, bytes;
};

bool armi_table_entry_same(const struct armi_table_entry *a,
                           const struct armi_table_entry *b);

/* The map of a commit (NULL: a branch without commits). *out is owned: armi_tree_root_release. */
enum armi_status armi_tables_open(const struct armi_node_source *source,
                                  const struct armi_commit *commit,
                                  struct armi_tree_root *out, struct armi_error *err);
/* As a commit keeps it; `bytes` is what an inline map borrows. */
enum armi_status armi_tables_save(const struct armi_tree_root *root, struct armi_buf *bytes,
                                  struct armi_commit_tables *out, struct armi_error *err);
enum armi_status armi_tables_find(const struct armi_node_source *source,
                                  const struct armi_tree_root *root, const char *name,
                                  bool *found, struct armi_table_entry *out,
                                  struct armi_error *err);
/* All entries in name order, tombstones too; *out is owned: armi_free. */
enum armi_status armi_tables_list(const struct armi_node_source *source,
                                  const struct armi_tree_root *root,
                                  struct armi_table_entry **out, size_t *count,
                                  struct armi_error *err);
/* Puts entries (any order, no two of one name) into the map. *out (initialised) is replaced. */
enum armi_status armi_tables_edit(struct armi_node_set *set,
                                  const struct armi_tree_root *root,
                                  const struct armi_table_entry *entries, size_t count,
                                  struct armi_tree_root *out, struct armi_error *err);
/* Names that differ between two maps, with what is on either side. */
struct armi_table_pair {
    bool has_old, has_new;
    struct armi_table_entry old_entry, new_entry;
};
enum armi_status armi_tables_compare(const struct armi_node_source *source,
                                     const struct armi_tree_root *a,
                                     const struct armi_tree_root *b,
                                     struct armi_table_pair **out, size_t *count,
                                     struct armi_error *err);

/* ---- places in history (resolve.c) ---- */

/* A commit, decoded, or a branch that has none. Released with armi_place_release. */
struct armi_place {
    bool has_commit;
    struct armi_hash id;
    struct armi_commit commit;
};

void armi_place_release(struct armi_place *place);
/* `ref` NULL = main. *kind may be NULL. */
enum armi_status armi_place_resolve(struct armi_core *core, const char *ref,
                                    struct armi_place *out, unsigned *kind,
                                    struct armi_error *err);
enum armi_status armi_place_load(struct armi_core *core, const struct armi_hash *id,
                                 struct armi_place *out, struct armi_error *err);
/* "Table not found: t" and so on, with what was asked for. */
enum armi_status armi_table_not_found(const char *table, uint64_t version,
                                      struct armi_error *err);
/*
 * The table at a place. Without version and time: at the place's commit. Transactions are not
 * looked at here. *at_commit (nullable) is the commit where it was found.
 */
enum armi_status armi_place_table(struct armi_core *core, const struct armi_place *place,
                                  const char *table, const struct armi_at *at,
                                  struct armi_table_entry *out, struct armi_hash *at_commit,
                                  struct armi_error *err);
/* The commit on the chain of `place` that gave the table the version it has there. */
enum armi_status armi_place_made(struct armi_core *core, const struct armi_hash *start,
                                 const char *table, uint64_t version,
                                 struct armi_place *out, struct armi_error *err);

/*
 * Table and version that `at` shows, own writes of a transaction included; and what to read
 * it through. *version is owned. `entry` (nullable): all that is known of it; zero version
 * and commit for a transaction's own write. `commit` (nullable): where it was found.
 */
enum armi_status armi_table_at(struct armi_repository *repo, const char *table,
                               const struct armi_at *at, struct armi_table_version *version,
                               struct armi_table_io *io, struct armi_table_entry *entry,
                               struct armi_hash *commit, struct armi_error *err);

/* ---- transactions, seen by readers (transaction.c) ---- */

struct armi_transaction;
enum armi_status armi_transaction_check(const struct armi_transaction *tx,
                                        struct armi_error *err);
/* Own write of the table, or nothing (*own false: read the snapshot). */
enum armi_status armi_transaction_table(struct armi_transaction *tx, const char *table,
                                        bool *own, bool *dropped,
                                        struct armi_table_version *version,
                                        struct armi_error *err);
struct armi_table_io armi_transaction_io(struct armi_transaction *tx);
const struct armi_place *armi_transaction_place(const struct armi_transaction *tx);
/* Names of tables as the transaction sees them; *out is owned. */
enum armi_status armi_transaction_tables(struct armi_transaction *tx,
                                         struct armi_name_list *out,
                                         struct armi_error *err);

/* ---- lists that are handed out (lists.c) ---- */

/* Strings and arrays that live and die together, behind a result's private_data. */
struct armi_arena;
enum armi_status armi_arena_new(struct armi_arena **out, struct armi_error *err);
void armi_arena_free(struct armi_arena *arena);
/* NULL: no memory. Zeroed. */
void *armi_arena_alloc(struct armi_arena *arena, size_t count, size_t size);
const char *armi_arena_text(struct armi_arena *arena, const void *text, size_t size);
const char *armi_arena_string(struct armi_arena *arena, const char *text);

#endif
