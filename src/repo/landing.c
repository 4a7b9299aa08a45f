/*
 * Landing a transaction: chunk files durable, then the map edited on the branch's tip, then
 * one publish. When the tip has moved, the tables that the transaction wrote are looked at
 * again, against what the others did:
 *
 *     ours \ theirs on that table   nothing   anything     nothing but we created it, too
 *     appends                       as is     re-append    second appends, if the schemas are equal
 *     blind overwrite               as is     last wins    last wins
 *     anything else                 as is     conflict     conflict
 *
 * Other tables never matter. After three lost races a writer queues, so that none starves.
 */
#include "repo/transaction_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <armillaria/ref.h>

#include "base/alloc.h"
#include "table/table_append.h"

#define RACES_BEFORE_QUEUE 3

/* One attempt: the tip, and the entries to be put into its map. */
struct landing {
    struct armi_transaction *tx;
    struct armi_place tip;
    struct armi_tree_root tables; /* of the tip */
    struct armi_table_entry *entries; /* by write, for those that change something */
    struct armi_commit_op *ops;
    size_t count;
};

static void landing_release(struct landing *l)
{
    armi_place_release(&l->tip);
    armi_tree_root_release(&l->tables);
    armi_free(l->entries);
    armi_free(l->ops);
    l->entries = NULL;
    l->ops = NULL;
}

/* ---- conflicts ---- */

static enum armi_status conflict(const struct landing *l, const char *table,
                                 const char *theirs, struct armi_error *err)
{
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(&l->tip.id, hex);
    enum armi_status st = armi_error_object(
        err, ARMI_CONFLICT, "table", table,
        "conflict on branch %s: table %s was %s by commit %.12s since this transaction began; "
        "nothing was committed",
        l->tx->branch, table, theirs, hex);
    if (err != NULL) {
        snprintf(err->branch, sizeof err->branch, "%s", l->tx->branch);
        err->commit = l->tip.id;
    }
    return st;
}

static enum armi_status expected_moved(const struct armi_transaction *tx,
                                       const struct armi_hash *tip, struct armi_error *err)
{
    char want[ARMI_HASH_HEX_SIZE], have[ARMI_HASH_HEX_SIZE];
    armi_hash_format(&tx->expected, want);
    armi_hash_format(tip, have);
    enum armi_status st = armi_error_object(
        err, ARMI_CONFLICT, "branch", tx->branch,
        "branch %s is at %.12s, not at the expected %.12s; nothing was committed", tx->branch,
        have, want);
    if (err != NULL) {
        snprintf(err->branch, sizeof err->branch, "%s", tx->branch);
        err->commit = *tip;
    }
    return st;
}

/* ---- one table on the tip ---- */

/* Appends again, behind what the others left. */
static enum armi_status rebase_append(struct landing *l, struct tx_write *write,
                                      const struct armi_table_entry *theirs,
                                      struct armi_error *err)
{
    struct armi_transaction *tx = l->tx;
    struct armi_table_version tip, base, merged;
    uint64_t from = 0;
    if (write->has_base) {
        ARMI_TRY(armi_table_version_load(&tx->core->nodes, &write->base.node, &base, err));
        from = base.ranges;
        armi_table_version_release(&base);
    }
    ARMI_TRY(armi_table_version_load(&tx->core->nodes, &theirs->node, &tip, err));
    enum armi_status st = ARMI_OK;
    if (!armi_field_equal(&tip.schema, &write->version.schema, ARMI_EQUAL_ALL))
        st = conflict(l, write->name, "given another schema", err);
    if (st == ARMI_OK)
        st = armi_table_append_ranges(&tx->nodes, &tip, &write->version, from, &merged, err);
    armi_table_version_release(&tip);
    ARMI_TRY(st);
    armi_table_version_release(&write->version);
    write->version = merged;
    write->base = *theirs;
    write->has_base = true;
    write->op = ARMI_OP_APPEND;
    return ARMI_OK;
}

/* Makes the write fit on the tip, or refuses. */
static enum armi_status write_rebase(struct landing *l, struct tx_write *write,
                                     const struct armi_table_entry *theirs, bool is_there,
                                     struct armi_error *err)
{
    bool live = is_there && theirs->is_live;
    bool had = write->has_base || write->has_tombstone;
    if (is_there == had && (!had || armi_table_entry_same(theirs, &write->base)))
        return ARMI_OK;
    if (write->only_appends && !write->dropped && live)
        return rebase_append(l, write, theirs, err);
    if ((write->blind && !write->dropped) || (write->dropped && live && write->blind)) {
        write->has_base = live;
        write->has_tombstone = is_there && !live;
        write->op = live ? write->op == ARMI_OP_CREATE ? ARMI_OP_OVERWRITE : write->op
                         : ARMI_OP_CREATE;
        if (is_there)
            write->base = *theirs;
        return ARMI_OK;
    }
    const char *how = !live ? "dropped" : write->has_base ? "changed" : "created";
    return conflict(l, write->name, how, err);
}

/* The entry and the op of one write on the tip; *same if the tip holds that content already. */
static enum armi_status write_entry(struct landing *l, struct tx_write *write,
                                    struct armi_table_entry *entry, struct armi_commit_op *op,
                                    bool *same, struct armi_error *err)
{
    struct armi_table_entry theirs = {0};
    bool is_there;
    ARMI_TRY(armi_tables_find(&l->tx->core->nodes, &l->tables, write->name, &is_there, &theirs,
                              err));
    ARMI_TRY(write_rebase(l, write, &theirs, is_there, err));
    uint64_t last = write->has_base || write->has_tombstone ? write->base.version : 0;
    *entry = write->has_base || write->has_tombstone ? write->base
                                                     : (struct armi_table_entry){0};
    snprintf(entry->name, sizeof entry->name, "%s", write->name);
    *op = (struct armi_commit_op){
        .kind = (uint8_t)write->op,
        .table = {(const uint8_t *)write->name, strlen(write->name)},
        .old_version = write->has_base ? write->base.version : 0,
        .old_node = write->base.node,
        .old_rows = write->has_base ? write->base.rows : 0,
    };
    entry->is_live = !write->dropped;
    *same = false;
    if (write->dropped)
        return ARMI_OK;
    entry->version = last + 1;
    entry->rows = write->version.rows;
    entry->bytes = write->version.bytes;
    memcpy(entry->table_id, write->version.table_id, sizeof entry->table_id);
    ARMI_TRY(armi_table_version_save(&write->version, &l->tx->nodes, &entry->node, err));
    *same = write->has_base && memcmp(&entry->node, &write->base.node, sizeof entry->node) == 0;
    op->new_version = entry->version;
    op->new_node = entry->node;
    op->new_rows = entry->rows;
    return ARMI_OK;
}

static int op_order(const void *a, const void *b)
{
    const struct armi_commit_op *x = a, *y = b;
    return armi_slice_compare(x->table, y->table);
}

static enum armi_status landing_begin(struct landing *l, struct armi_error *err)
{
    struct armi_transaction *tx = l->tx;
    struct armi_catalog_ref ref;
    ARMI_TRY(armi_catalog_get_ref(tx->core->catalog, ARMI_REF_BRANCH, tx->branch, &ref, err));
    if (tx->has_expected &&
        (!ref.has_commit || memcmp(&ref.commit, &tx->expected, sizeof ref.commit) != 0))
        return expected_moved(tx, &ref.commit, err);
    if (ref.has_commit)
        ARMI_TRY(armi_place_load(tx->core, &ref.commit, &l->tip, err));
    ARMI_TRY(armi_tables_open(&tx->core->nodes, l->tip.has_commit ? &l->tip.commit : NULL,
                              &l->tables, err));
    l->entries = armi_alloc_zero(tx->write_count, sizeof *l->entries);
    l->ops = armi_alloc_zero(tx->write_count, sizeof *l->ops);
    if (l->entries == NULL || l->ops == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < tx->write_count; i++) {
        bool same;
        if (!tx->writes[i].changed)
            continue;
        ARMI_TRY(write_entry(l, &tx->writes[i], &l->entries[l->count], &l->ops[l->count], &same,
                             err));
        if (same)
            tx->writes[i].changed = false;
        else
            l->count++;
    }
    qsort(l->ops, l->count, sizeof *l->ops, op_order);
    return ARMI_OK;
}

/* ---- the commit ---- */

static int pair_order(const void *a, const void *b)
{
    const struct armi_commit_pair *x = a, *y = b;
    return armi_slice_compare(x->key, y->key);
}

/* Metadata in key order; of pairs with one key the last counts. */
static enum armi_status metadata_read(const struct armi_transaction *tx,
                                      struct armi_commit_pair **out, size_t *count,
                                      struct armi_error *err)
{
    struct armi_reader r = armi_reader_init(armi_buf_slice(&tx->metadata));
    struct armi_commit_pair *pairs = armi_alloc_zero(tx->metadata_count, sizeof *pairs);
    size_t n = 0;
    if (pairs == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < tx->metadata_count; i++) {
        struct armi_commit_pair pair;
        bool read = armi_read_bytes(&r, &pair.key) && armi_read_bytes(&r, &pair.value);
        size_t at = 0;
        while (at < n && !armi_slice_equal(pairs[at].key, pair.key))
            at++;
        if (read)
            pairs[at] = pair;
        n += read && at == n;
    }
    qsort(pairs, n, sizeof *pairs, pair_order);
    *out = pairs;
    *count = n;
    return ARMI_OK;
}

static enum armi_status landing_publish(struct landing *l, struct armi_publish_result *result,
                                        struct armi_error *err)
{
    struct armi_transaction *tx = l->tx;
    struct armi_tree_root root;
    struct armi_buf inline_tables = {0};
    struct armi_commit_pair *pairs = NULL;
    struct armi_catalog_chunk *chunks =
        armi_alloc_array(tx->tiny_count, sizeof *chunks);
    struct armi_commit commit = {
        .parents_count = l->tip.has_commit,
        .parents = &l->tip.id,
        .author = {(const uint8_t *)tx->author, strlen(tx->author)},
        .message = {(const uint8_t *)tx->message, strlen(tx->message)},
        .ops_count = l->count,
        .ops = l->ops,
    };
    struct armi_ref_change move = {
        .action = ARMI_REF_MOVE,
        .kind = ARMI_REF_BRANCH,
        .name = tx->branch,
        .expect = l->tip.has_commit ? ARMI_REF_AT : ARMI_REF_UNBORN,
        .expected = l->tip.id,
        .to_published = true,
        .reason = "commit",
    };
    memcpy(commit.txid, tx->txid, sizeof commit.txid);
    armi_tree_root_init(&root, true);
    enum armi_status st = chunks != NULL ? ARMI_OK : armi_error_no_memory(err);
    for (size_t i = 0; i < tx->tiny_count && st == ARMI_OK; i++)
        chunks[i] = (struct armi_catalog_chunk){tx->tiny[i].hash,
                                                armi_buf_slice(&tx->tiny[i].bytes)};
    if (st == ARMI_OK)
        st = armi_tables_edit(&tx->nodes, &l->tables, l->entries, l->count, &root, err);
    if (st == ARMI_OK)
        st = armi_tables_save(&root, &inline_tables, &commit.tables, err);
    if (st == ARMI_OK)
        st = metadata_read(tx, &pairs, &commit.metadata_count, err);
    commit.metadata = pairs;
    const struct armi_publish publish = {
        .commit = &commit,
        .nodes = &tx->nodes,
        .chunks = chunks,
        .chunks_count = tx->tiny_count,
        .refs = &move,
        .refs_count = 1,
        .author = commit.author,
    };
    if (st == ARMI_OK)
        st = armi_catalog_publish(tx->core->catalog, &publish, result, err);
    armi_tree_root_release(&root);
    armi_buf_release(&inline_tables);
    armi_free(pairs);
    armi_free(chunks);
    return st;
}

/* ---- results ---- */

/* What the tip says of each table that was written, changed or not. */
static enum armi_status results_fill(struct armi_transaction *tx,
                                     const struct armi_hash *commit, struct armi_error *err)
{
    struct armi_place place = {0};
    struct armi_tree_root root;
    armi_tree_root_init(&root, true);
    bool has = memcmp(commit, &(struct armi_hash){{0}}, sizeof *commit) != 0;
    enum armi_status st = has ? armi_place_load(tx->core, commit, &place, err) : ARMI_OK;
    if (st == ARMI_OK)
        st = armi_tables_open(&tx->core->nodes, has ? &place.commit : NULL, &root, err);
    for (size_t i = 0; i < tx->write_count && st == ARMI_OK; i++) {
        struct tx_write *write = &tx->writes[i];
        struct armi_table_entry entry;
        bool found;
        st = armi_tables_find(&tx->core->nodes, &root, write->name, &found, &entry, err);
        write->result.commit = *commit;
        write->result.version = st == ARMI_OK && found && entry.is_live ? entry.version : 0;
        write->result.changed = write->changed;
        if (st == ARMI_OK && found && entry.is_live)
            write->result.rows_total = entry.rows;
    }
    armi_tree_root_release(&root);
    armi_place_release(&place);
    return st;
}

/* ---- the loop ---- */

static enum armi_status attempt(struct armi_transaction *tx, bool *done,
                                struct armi_hash *commit, struct armi_error *err)
{
    struct landing l = {.tx = tx};
    struct armi_publish_result result = {0};
    armi_tree_root_init(&l.tables, true);
    enum armi_status st = landing_begin(&l, err);
    *done = st == ARMI_OK && l.count == 0;
    if (*done)
        *commit = l.tip.id;
    else if (st == ARMI_OK)
        st = landing_publish(&l, &result, err);
    if (st == ARMI_OK && !*done) {
        *done = result.outcome == ARMI_PUBLISH_OK || result.outcome == ARMI_PUBLISH_REPEATED;
        *commit = result.commit;
    }
    landing_release(&l);
    return st;
}

static bool changes_anything(const struct armi_transaction *tx)
{
    for (size_t i = 0; i < tx->write_count; i++)
        if (tx->writes[i].changed)
            return true;
    return false;
}

/* A retry that landed before is told so before anything is written. */
static enum armi_status landed_before(struct armi_transaction *tx, bool *landed,
                                      struct armi_hash *commit, struct armi_error *err)
{
    return armi_catalog_find_txid(tx->core->catalog, tx->txid, landed, commit, err);
}

enum armi_status tx_land(struct armi_transaction *tx, struct armi_hash *commit,
                         struct armi_error *err)
{
    struct armi_lock queue = ARMI_LOCK_INIT;
    bool done = false;
    ARMI_TRY(landed_before(tx, &done, commit, err));
    if (!done && !changes_anything(tx) && !tx->has_expected) {
        *commit = tx->snapshot.id;
        done = true;
    }
    enum armi_status st = ARMI_OK;
    if (!done && tx->batch != NULL)
        st = armi_store_batch_sync(tx->batch, err);
    for (unsigned races = 0; st == ARMI_OK && !done; races++) {
        if (races == RACES_BEFORE_QUEUE)
            st = armi_lock_acquire(tx->core->os, tx->core->dir, ARMI_LOCK_BYTE_QUEUE,
                                   ARMI_LOCK_EXCLUSIVE,
                                   (int64_t)tx->core->lock_timeout_ms * 1000000, NULL,
                                   "the queue of writers", &queue, err);
        if (st == ARMI_OK)
            st = attempt(tx, &done, commit, err);
    }
    armi_lock_release(&queue);
    return st == ARMI_OK ? results_fill(tx, commit, err) : st;
}
