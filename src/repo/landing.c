/*
 * Landing a transaction: chunk files durable, then the map edited on the branch's tip, then
 * one publish. When the tip has moved, the tables that the transaction wrote are looked at
 * again, against what the others did:
 *
 *     ours \ theirs on that table   nothing   anything     dropped it    created it, as we did
 *     appends                       as is     re-append    conflict      second appends, if the schemas are equal
 *     blind overwrite               as is     last wins    creates it    last wins
 *     blind drop                    as is     last wins    nothing left to do
 *     anything else                 as is     conflict     conflict      conflict
 *
 * Appends fit under whatever columns were added or widened meanwhile, and add their own if nobody else
 * did.
 * Other tables never matter. After three lost races a writer queues, so that none starves.
 */
#include "repo/transaction_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <armillaria/ref.h>

#include "arrow/cast.h"
#include "base/alloc.h"
#include "table/row_diff.h"
#include "table/table_append.h"

#define RACES_BEFORE_QUEUE 3

/* What a write will have come to, known before it is published: nothing may fail behind that. */
struct outcome {
    bool changed;
    uint64_t version, rows;
};

/* One attempt: the tip, and the entries to be put into its map. */
struct landing {
    struct armi_transaction *tx;
    struct armi_place tip;
    struct armi_tree_root tables;     /* of the tip */
    struct armi_table_entry *entries; /* by write, for those that change something */
    struct armi_commit_op *ops;
    size_t count;
    struct outcome *outcomes; /* by write */
};

static void landing_release(struct landing *l)
{
    armi_place_release(&l->tip);
    armi_tree_root_release(&l->tables);
    armi_free(l->entries);
    armi_free(l->ops);
    armi_free(l->outcomes);
}

/* ---- conflicts ---- */

static enum armi_status conflict(const struct landing *l, const char *table,
                                 const char *theirs, struct armi_error *err)
{
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(&l->tip.id, hex);
    enum armi_status st = armi_error_object(err, ARMI_CONFLICT, "table", table,
                                            "conflict on branch %s: table %s was %s by "
                                            "commit %.12s since this transaction began; "
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
        "branch %s is at %.12s, not at the expected %.12s; nothing was committed",
        tx->branch, have, want);
    if (err != NULL) {
        snprintf(err->branch, sizeof err->branch, "%s", tx->branch);
        err->commit = *tip;
    }
    return st;
}

/* ---- one table on the tip ---- */

/* Whether rows of schema `ours` can stand in a table of schema `theirs`, which came of it by
 * columns added, widened or put into another order. */
static bool schema_takes(const struct armi_field *theirs, const struct armi_field *ours)
{
    for (size_t c = 0; c < theirs->child_count; c++) {
        const struct armi_field *to = &theirs->children[c];
        int64_t at = armi_field_find_id(ours, to->id);
        if (at < 0 ? !to->nullable : ours->children[at].nullable && !to->nullable)
            return false;
        enum armi_cast_kind cast =
            at < 0 ? ARMI_CAST_SAME : armi_cast_possible(&ours->children[at], to, NULL);
        if (cast != ARMI_CAST_SAME && cast != ARMI_CAST_WIDEN)
            return false;
    }
    for (size_t c = 0; c < ours->child_count; c++)
        if (armi_field_find_id(theirs, ours->children[c].id) < 0)
            return false;
    return true;
}

/* The tip gets the schema that it has after our append; false if there is none. */
static enum armi_status schema_rebase(const struct armi_table_version *base,
                                      const struct armi_table_version *ours,
                                      struct armi_table_version *tip, bool *fits,
                                      struct armi_error *err)
{
    *fits = armi_field_equal(&tip->schema, &ours->schema, ARMI_EQUAL_ALL);
    if (*fits || memcmp(tip->table_id, ours->table_id, sizeof tip->table_id) != 0)
        return ARMI_OK;
    if (armi_field_equal(&base->schema, &ours->schema, ARMI_EQUAL_ALL)) {
        *fits = schema_takes(&tip->schema, &ours->schema);
        return ARMI_OK;
    }
    if (!armi_field_equal(&base->schema, &tip->schema, ARMI_EQUAL_ALL) ||
        base->settings.next_id != tip->settings.next_id)
        return ARMI_OK;
    struct armi_field schema = ARMI_FIELD_INIT;
    ARMI_TRY(armi_field_copy(&ours->schema, &schema, err));
    armi_field_release(&tip->schema);
    armi_field_move(&schema, &tip->schema);
    tip->settings.next_id = ours->settings.next_id;
    *fits = true;
    return ARMI_OK;
}

/* Appends again, behind what the others left. */
static enum armi_status rebase_append(struct landing *l, struct tx_write *write,
                                      const struct armi_table_entry *theirs,
                                      struct armi_error *err)
{
    struct armi_transaction *tx = l->tx;
    struct armi_table_version tip, base, merged;
    bool fits = false;
    armi_table_version_init(&base);
    armi_table_version_init(&tip);
    enum armi_status st = ARMI_OK;
    if (write->has_base)
        st = armi_table_version_load(&tx->core->nodes, &write->base.node, &base, err);
    if (st == ARMI_OK)
        st = armi_table_version_load(&tx->core->nodes, &theirs->node, &tip, err);
    if (st == ARMI_OK)
        st = schema_rebase(&base, &write->version, &tip, &fits, err);
    if (st == ARMI_OK && !fits)
        st = conflict(l, write->name, "given another schema", err);
    if (st == ARMI_OK)
        st = armi_table_append_ranges(&tx->nodes, &tip, &write->version, base.ranges,
                                      &merged, err);
    armi_table_version_release(&base);
    armi_table_version_release(&tip);
    ARMI_TRY(st);
    armi_table_version_release(&write->version);
    write->version = merged;
    write->base = *theirs;
    write->has_base = true;
    write->op = ARMI_OP_APPEND;
    return ARMI_OK;
}

/*
 * The last one wins. Column ids that others gave since the snapshot are not given again; if we gave
 * some too, what they mean is no longer one thing, and the table counts as a new one under the name.
 */
static enum armi_status rebase_blind(struct landing *l, struct tx_write *write,
                                     const struct armi_table_entry *theirs, bool is_there,
                                     bool *same, struct armi_error *err)
{
    struct armi_transaction *tx = l->tx;
    bool live = is_there && theirs->is_live;
    *same = false;
    if (is_there && !write->dropped) {
        struct armi_table_version tip, base;
        int32_t given = 1;
        armi_table_version_init(&base);
        ARMI_TRY(armi_table_version_load(&tx->core->nodes, &theirs->node, &tip, err));
        enum armi_status st = ARMI_OK;
        if (write->has_base)
            st = armi_table_version_load(&tx->core->nodes, &write->base.node, &base, err);
        given = base.settings.next_id;
        armi_table_version_release(&base);
        int32_t next = tip.settings.next_id;
        bool is_one =
            memcmp(tip.table_id, write->version.table_id, sizeof tip.table_id) == 0;
        const struct armi_table_io io = armi_transaction_io(tx);
        if (st == ARMI_OK && live)
            st = armi_table_same(&io, &tip, &write->version, tx->core->cache, same, err);
        armi_table_version_release(&tip);
        ARMI_TRY(st);
        if (is_one && next > given && write->version.settings.next_id > given &&
            tx->core->os->random(tx->core->os, write->version.table_id,
                                 ARMI_TABLE_ID_SIZE) < 0)
            return armi_error_set(err, ARMI_STORAGE, "the system gives no random numbers");
        if (is_one && write->version.settings.next_id < next)
            write->version.settings.next_id = next;
    }
    write->has_base = live;
    write->has_tombstone = is_there && !live;
    if (!write->dropped)
        write->op = live ? ARMI_OP_OVERWRITE : ARMI_OP_CREATE;
    if (is_there)
        write->base = *theirs;
    return ARMI_OK;
}

/* Makes the write fit on the tip, or refuses. *same: the tip is already what it would make of it. */
static enum armi_status write_rebase(struct landing *l, struct tx_write *write,
                                     const struct armi_table_entry *theirs, bool is_there,
                                     bool *same, struct armi_error *err)
{
    bool live = is_there && theirs->is_live;
    bool had = write->has_base || write->has_tombstone;
    *same = !write->changed;
    if (is_there == had && (!had || armi_table_entry_same(theirs, &write->base)))
        return ARMI_OK;
    /* What it meant to do is done, or was nothing from the start. */
    if (write->dropped ? !live || !write->changed : !write->changed && !write->blind) {
        *same = true;
        return ARMI_OK;
    }
    if (write->blind)
        return rebase_blind(l, write, theirs, is_there, same, err);
    if (write->only_appends && !write->dropped && live)
        return rebase_append(l, write, theirs, err);
    const char *how = !live ? "dropped" : write->has_base ? "changed" : "created";
    return conflict(l, write->name, how, err);
}

/* The entry and the op of one write that changes something on the tip. */
static enum armi_status write_entry(struct landing *l, const struct tx_write *write,
                                    struct armi_table_entry *entry,
                                    struct armi_commit_op *op, struct armi_error *err)
{
    bool had = write->has_base || write->has_tombstone;
    *entry = had ? write->base : (struct armi_table_entry){0};
    snprintf(entry->name, sizeof entry->name, "%s", write->name);
    *op = (struct armi_commit_op){
        .kind = (uint8_t)write->op,
        .table = {(const uint8_t *)write->name, strlen(write->name)},
    };
    if (write->has_base) {
        op->old_version = write->base.version;
        op->old_node = write->base.node;
        op->old_rows = write->base.rows;
    }
    entry->is_live = !write->dropped;
    if (write->dropped)
        return ARMI_OK;
    entry->version = (had ? write->base.version : 0) + 1;
    entry->rows = write->version.rows;
    entry->bytes = write->version.bytes;
    memcpy(entry->table_id, write->version.table_id, sizeof entry->table_id);
    ARMI_TRY(armi_table_version_save(&write->version, &l->tx->nodes, &entry->node, err));
    op->new_version = entry->version;
    op->new_node = entry->node;
    op->new_rows = entry->rows;
    return ARMI_OK;
}

/* One write on the tip: what it comes to, and what is to be put into the map. */
static enum armi_status write_land(struct landing *l, struct tx_write *write,
                                   struct outcome *outcome, struct armi_error *err)
{
    struct armi_table_entry theirs = {0};
    bool is_there, same;
    ARMI_TRY(armi_tables_find(&l->tx->core->nodes, &l->tables, write->name, &is_there,
                              &theirs, err));
    ARMI_TRY(write_rebase(l, write, &theirs, is_there, &same, err));
    if (!same) {
        ARMI_TRY(write_entry(l, write, &l->entries[l->count], &l->ops[l->count], err));
        theirs = l->entries[l->count++];
        is_there = true;
    }
    *outcome = (struct outcome){.changed = !same};
    if (is_there && theirs.is_live) {
        outcome->version = theirs.version;
        outcome->rows = theirs.rows;
    }
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
    ARMI_TRY(
        armi_catalog_get_ref(tx->core->catalog, ARMI_REF_BRANCH, tx->branch, &ref, err));
    if (tx->has_expected &&
        (!ref.has_commit || memcmp(&ref.commit, &tx->expected, sizeof ref.commit) != 0))
        return expected_moved(tx, &ref.commit, err);
    if (ref.has_commit)
        ARMI_TRY(armi_place_load(tx->core, &ref.commit, &l->tip, err));
    ARMI_TRY(armi_tables_open(&tx->core->nodes, l->tip.has_commit ? &l->tip.commit : NULL,
                              &l->tables, err));
    l->entries = armi_alloc_zero(tx->write_count, sizeof *l->entries);
    l->ops = armi_alloc_zero(tx->write_count, sizeof *l->ops);
    l->outcomes = armi_alloc_zero(tx->write_count, sizeof *l->outcomes);
    if (l->entries == NULL || l->ops == NULL || l->outcomes == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < tx->write_count; i++)
        ARMI_TRY(write_land(l, &tx->writes[i], &l->outcomes[i], err));
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

static enum armi_status landing_publish(struct landing *l,
                                        struct armi_publish_result *result,
                                        struct armi_error *err)
{
    struct armi_transaction *tx = l->tx;
    struct armi_tree_root root;
    struct armi_buf inline_tables = {0};
    struct armi_commit_pair *pairs = NULL;
    struct armi_catalog_chunk *chunks = armi_alloc_array(tx->tiny_count, sizeof *chunks);
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
        .interrupt = {tx->callbacks.interrupted, tx->callbacks.ctx},
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

static void results_fill(struct landing *l, const struct armi_hash *commit)
{
    for (size_t i = 0; i < l->tx->write_count; i++) {
        struct armi_write_result *result = &l->tx->writes[i].result;
        result->commit = *commit;
        result->version = l->outcomes[i].version;
        result->changed = l->outcomes[i].changed;
        result->rows_total = l->outcomes[i].rows;
    }
}

/* The transaction id landed before, as `commit`: what that did is the result. */
static enum armi_status results_repeat(struct armi_transaction *tx,
                                       const struct armi_hash *commit,
                                       struct armi_error *err)
{
    struct armi_place place = {0};
    ARMI_TRY(armi_place_load(tx->core, commit, &place, err));
    for (size_t i = 0; i < tx->write_count; i++) {
        struct armi_write_result *result = &tx->writes[i].result;
        const struct armi_slice name = {(const uint8_t *)tx->writes[i].name,
                                        strlen(tx->writes[i].name)};
        result->commit = *commit;
        result->version = result->rows_total = 0;
        result->changed = false;
        for (size_t k = 0; k < place.commit.ops_count; k++) {
            const struct armi_commit_op *op = &place.commit.ops[k];
            if (!armi_slice_equal(op->table, name))
                continue;
            result->changed = true;
            result->version = op->new_version;
            result->rows_total = op->new_rows;
        }
    }
    armi_place_release(&place);
    return ARMI_OK;
}

/* ---- the loop ---- */

static enum armi_status attempt(struct armi_transaction *tx, bool *done,
                                struct armi_hash *commit, struct armi_error *err)
{
    struct landing l = {.tx = tx};
    struct armi_publish_result result = {.outcome = ARMI_PUBLISH_OK};
    armi_tree_root_init(&l.tables, true);
    enum armi_status st = landing_begin(&l, err);
    if (st == ARMI_OK && l.count == 0)
        result.commit = l.tip.id; /* all zero on a branch without commits */
    else if (st == ARMI_OK)
        st = landing_publish(&l, &result, err);
    *done = st == ARMI_OK && result.outcome != ARMI_PUBLISH_MOVED;
    if (*done) {
        *commit = result.commit;
        if (result.outcome == ARMI_PUBLISH_REPEATED)
            st = results_repeat(tx, commit, err);
        else
            results_fill(&l, commit);
    }
    landing_release(&l);
    return st;
}

enum armi_status tx_landed_before(struct armi_transaction *tx, bool *landed,
                                  struct armi_hash *commit, struct armi_error *err)
{
    return armi_catalog_find_txid(tx->core->catalog, tx->txid, landed, commit, err);
}

enum armi_status tx_land(struct armi_transaction *tx, struct armi_hash *commit,
                         struct armi_error *err)
{
    struct armi_lock queue = ARMI_LOCK_INIT;
    const struct armi_interrupt interrupt = {tx->callbacks.interrupted, tx->callbacks.ctx};
    bool done = false;
    enum armi_status st = ARMI_OK;
    for (unsigned races = 0; st == ARMI_OK && !done; races++) {
        /* A retry that landed before, or is landing in another process now, is told so before its
         * own success can look like a conflict. */
        st = tx_landed_before(tx, &done, commit, err);
        if (st == ARMI_OK && done) {
            st = results_repeat(tx, commit, err);
            break;
        }
        if (st == ARMI_OK)
            st = tx_check_batch(tx, err);
        if (st == ARMI_OK && races == 0 && tx->batch != NULL)
            st = armi_store_batch_sync(tx->batch, err);
        if (st == ARMI_OK && races == RACES_BEFORE_QUEUE)
            st = armi_lock_acquire(tx->core->os, tx->core->dir, ARMI_LOCK_BYTE_QUEUE,
                                   ARMI_LOCK_EXCLUSIVE,
                                   (int64_t)tx->core->lock_timeout_ms * 1000000, &interrupt,
                                   "the queue of writers", &queue, err);
        if (st == ARMI_OK)
            st = attempt(tx, &done, commit, err);
    }
    armi_lock_release(&queue);
    return st;
}
