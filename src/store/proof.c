/*
 * The memory of what was proved, per state of a file: (device, inode, size, mtime,
 * ctime). Bounded: the longest unused go first, and cost a second hashing at worst.
 *
 * A state tells nothing while it is young: a file that changes twice within one tick of
 * the clock looks the same after both. So what is learnt about a state whose ctime is
 * that near is not remembered.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "store/store_internal.h"

#define PROOF_BYTES_MAX (64 * ARMI_MIB)
#define SETTLE_NS       20000000 /* two ticks of the slowest clock that stamps files */

static size_t bucket_of(const struct armi_hash *hash)
{
    return (size_t)(hash->bytes[0] | hash->bytes[1] << 8) % ARMI_PROOF_BUCKETS;
}

static size_t proof_bytes(const struct armi_proof *proof)
{
    size_t bytes = sizeof *proof;
    if (atomic_load(&proof->has_values))
        bytes += proof->values.count * sizeof(struct armi_hash) + proof->values.count / 8;
    return bytes;
}

void armi_proof_retain(struct armi_proof *proof)
{
    atomic_fetch_add(&proof->refs, 1);
}

void armi_proof_release(struct armi_proof *proof)
{
    if (proof == NULL || atomic_fetch_sub(&proof->refs, 1) != 1)
        return;
    armi_block_values_release(&proof->values);
    armi_free(proof->blocks);
    armi_free(proof);
}

static void unlink_used(struct armi_proof_table *t, struct armi_proof *p)
{
    *(p->newer != NULL ? &p->newer->older : &t->newest) = p->older;
    *(p->older != NULL ? &p->older->newer : &t->oldest) = p->newer;
    p->newer = p->older = NULL;
}

static void link_newest(struct armi_proof_table *t, struct armi_proof *p)
{
    p->older = t->newest;
    p->newer = NULL;
    *(t->newest != NULL ? &t->newest->newer : &t->oldest) = p;
    t->newest = p;
}

/* Under the lock. The table's share of it goes; users keep theirs. */
static void table_drop(struct armi_proof_table *t, struct armi_proof *p)
{
    struct armi_proof **at = &t->buckets[bucket_of(&p->hash)];
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    unlink_used(t, p);
    t->bytes -= proof_bytes(p);
    p->is_listed = false;
    armi_proof_release(p);
}

void armi_proof_table_release(struct armi_proof_table *table)
{
    while (table->oldest != NULL)
        table_drop(table, table->oldest);
}

/* Under the lock. A proof of another state of the same chunk is of no more use. */
static struct armi_proof *table_find(struct armi_proof_table *t,
                                     const struct armi_hash *hash,
                                     const struct armi_file_stat *state)
{
    struct armi_proof *p = t->buckets[bucket_of(hash)];
    while (p != NULL && memcmp(&p->hash, hash, sizeof *hash) != 0)
        p = p->next;
    if (p == NULL)
        return NULL;
    if (!armi_file_same(&p->state, state)) {
        table_drop(t, p);
        return NULL;
    }
    unlink_used(t, p);
    link_newest(t, p);
    armi_proof_retain(p);
    return p;
}

/* Under the lock. The newest always stays. */
static void table_shrink(struct armi_proof_table *t)
{
    while (t->bytes > PROOF_BYTES_MAX && t->oldest != t->newest)
        table_drop(t, t->oldest);
}

static void table_add(struct armi_proof_table *t, struct armi_proof *p)
{
    struct armi_proof **bucket = &t->buckets[bucket_of(&p->hash)];
    p->next = *bucket;
    *bucket = p;
    link_newest(t, p);
    armi_proof_retain(p);
    p->is_listed = true;
    t->bytes += proof_bytes(p);
    table_shrink(t);
}

static bool is_settled(const struct armi_os *os, const struct armi_file_stat *state)
{
    return os->realtime_us(os) * 1000 - state->ctime_ns > SETTLE_NS;
}

struct armi_proof *armi_proof_find(struct armi_store *store, const struct armi_hash *hash,
                                   const struct armi_file_stat *state)
{
    armi_store_lock();
    struct armi_proof *p = table_find(&store->proofs, hash, state);
    armi_store_unlock();
    return p;
}

static struct armi_proof *proof_new(const struct armi_hash *hash,
                                    const struct armi_file_stat *state)
{
    struct armi_proof *fresh = armi_alloc_zero(1, sizeof *fresh);
    if (fresh != NULL) {
        fresh->hash = *hash;
        fresh->state = *state;
        fresh->refs = 1;
    }
    return fresh;
}

static struct armi_proof *find_or_add(struct armi_store *store,
                                      const struct armi_hash *hash,
                                      const struct armi_file_stat *state)
{
    struct armi_proof *found = armi_proof_find(store, hash, state);
    struct armi_proof *fresh = found == NULL ? proof_new(hash, state) : NULL;
    if (fresh == NULL)
        return found;
    armi_store_lock();
    found = table_find(&store->proofs, hash, state); /* another thread was faster */
    if (found == NULL)
        table_add(&store->proofs, fresh);
    armi_store_unlock();
    if (found == NULL)
        return fresh;
    armi_proof_release(fresh);
    return found;
}

struct armi_proof *armi_proof_get(struct armi_store *store, const struct armi_hash *hash,
                                  const struct armi_file_stat *state)
{
    return is_settled(store->os, state) ? find_or_add(store, hash, state)
                                        : proof_new(hash, state);
}

/* Whatever becomes of the bytes, the name leads to this inode: so it may be young. */
void armi_proof_note_name(struct armi_store *store, const struct armi_hash *hash,
                          const struct armi_file_stat *state)
{
    struct armi_proof *proof = find_or_add(store, hash, state);
    if (proof != NULL)
        atomic_store(&proof->name_durable, true);
    armi_proof_release(proof);
}

bool armi_proof_set_values(struct armi_store *store, struct armi_proof *proof,
                           struct armi_block_values *values)
{
    _Atomic uint8_t *blocks = armi_alloc_zero(values->count / 8 + 1, 1);
    if (blocks == NULL)
        return false;
    armi_store_lock();
    bool is_first = !atomic_load(&proof->has_values);
    if (is_first) {
        store->proofs.bytes -= proof->is_listed ? proof_bytes(proof) : 0;
        proof->values = *values;
        proof->blocks = blocks;
        *values = (struct armi_block_values){0};
        atomic_store(&proof->has_values, true);
        store->proofs.bytes += proof->is_listed ? proof_bytes(proof) : 0;
        table_shrink(&store->proofs);
    }
    armi_store_unlock();
    if (!is_first)
        armi_free(blocks);
    return true;
}

bool armi_proof_block_get(const struct armi_proof *proof, size_t block)
{
    return (atomic_load(&proof->blocks[block / 8]) >> (block % 8) & 1) != 0;
}

void armi_proof_block_set(struct armi_proof *proof, size_t block)
{
    atomic_fetch_or(&proof->blocks[block / 8], (uint8_t)(1u << (block % 8)));
}
