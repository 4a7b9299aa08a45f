/*
 * The inside of a transaction, for transaction.c (operations) and landing.c.
 */
#ifndef ARMI_REPO_TRANSACTION_INTERNAL_H
#define ARMI_REPO_TRANSACTION_INTERNAL_H

#include <armillaria/commit.h>
#include <armillaria/transaction.h>

#include "os/lockfile.h"
#include "repo/repo_internal.h"
#include "table/table_write.h"

/* What the transaction did to one table, in all. */
struct tx_write {
    char name[ARMI_NAME_SIZE_MAX + 1];
    bool has_base; /* the table was there at the snapshot, as: */
    struct armi_table_entry base;
    bool has_tombstone; /* it was not, but the name was used before (in base) */
    bool dropped;
    bool only_appends; /* every operation was an append: it can be rebased over anything */
    bool blind;        /* …or a drop or an overwrite for which the last one wins */
    enum armi_op op;
    struct armi_table_version version; /* unless dropped */
    struct armi_write_result result;
    bool changed; /* against the snapshot */
};

struct tx_tiny_chunk {
    struct armi_hash hash;
    struct armi_buf bytes;
};

enum tx_state {
    TX_ACTIVE,
    TX_COMMITTED,
    TX_OVER,
};

struct armi_transaction {
    atomic_size_t owners; /* the caller, and scans that read through it */
    struct armi_core *core;
    struct armi_repository *repo;
    char branch[ARMI_NAME_SIZE_MAX + 1];
    enum tx_state state;
    struct armi_place snapshot;
    struct armi_tree_root tables;   /* of the snapshot */
    struct armi_node_set nodes;     /* made by the transaction, over the catalog's */
    struct armi_store_batch *batch; /* NULL until the first chunk */
    enum armi_status failed; /* not OK: the batch took a chunk no more, for this reason: */
    struct armi_error failure;
    struct armi_lock gc_lock; /* shared, from the first chunk to the end (I6) */
    struct tx_tiny_chunk *tiny;
    size_t tiny_count, tiny_capacity;
    struct armi_table_sink sink;
    struct tx_write *writes;
    size_t write_count, write_capacity;
    char *message, *author;
    struct armi_buf metadata; /* pairs: varint length and bytes, key then value */
    size_t metadata_count;
    uint8_t txid[ARMI_TXID_SIZE];
    bool has_expected;
    struct armi_hash expected;
    struct armi_callbacks callbacks;
    uint64_t generation; /* of the process: see os/handles.h */
};

/* Lands the transaction; *commit is the tip that holds its content. In landing.c. */
enum armi_status tx_land(struct armi_transaction *tx, struct armi_hash *commit,
                         struct armi_error *err);

/* Whether a commit with the transaction's id is there already. */
enum armi_status tx_landed_before(struct armi_transaction *tx, bool *landed,
                                  struct armi_hash *commit, struct armi_error *err);

/* ARMI_OK, or why chunks of earlier writes cannot be made durable any more. */
enum armi_status tx_check_batch(const struct armi_transaction *tx, struct armi_error *err);

/* The record of a table, NULL if the transaction did not touch it. */
struct tx_write *tx_find(const struct armi_transaction *tx, const char *table);

#endif
