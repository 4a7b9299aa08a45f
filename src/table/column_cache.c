#include "table/column_cache.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/map.h"

struct entry {
    struct armi_column_key key;
    struct entry *hash_next;
    struct entry *newer, *older;
    struct armi_field field;
    struct armi_holder *holder;
    struct armi_array view; /* of the held array */
    uint64_t bytes;
};

struct armi_column_cache {
    uint64_t capacity;
    struct entry **slots; /* a power of two of them */
    size_t slot_count;
    struct entry *newest, *oldest;
    struct armi_column_cache_stats stats;
};

#define SLOTS 4096

/*
 * One lock for all caches, held for a few hundred instructions: so that a fork can take it, and a
 * child never finds a list that a thread which it does not have was changing.
 */
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void fork_prepare(void)
{
    pthread_mutex_lock(&cache_lock);
}

static void fork_done(void)
{
    pthread_mutex_unlock(&cache_lock);
}

static void fork_hook(void)
{
    pthread_atfork(fork_prepare, fork_done, fork_done);
}

enum armi_status armi_column_cache_new(uint64_t capacity, struct armi_column_cache **out,
                                       struct armi_error *err)
{
    struct armi_column_cache *cache = armi_alloc_zero(1, sizeof *cache);
    struct entry **slots = armi_alloc_zero(SLOTS, sizeof *slots);
    if (cache == NULL || slots == NULL) {
        armi_free(cache);
        armi_free(slots);
        return armi_error_no_memory(err);
    }
    pthread_once(&fork_once, fork_hook);
    cache->capacity = cache->stats.capacity = capacity;
    cache->slots = slots;
    cache->slot_count = SLOTS;
    *out = cache;
    return ARMI_OK;
}

static void entry_free(struct entry *entry)
{
    armi_array_release(&entry->view);
    armi_holder_unref(entry->holder);
    armi_field_release(&entry->field);
    armi_free(entry);
}

void armi_column_cache_free(struct armi_column_cache *cache)
{
    if (cache == NULL)
        return;
    for (struct entry *entry = cache->oldest, *next; entry != NULL; entry = next) {
        next = entry->newer;
        entry_free(entry);
    }
    armi_free(cache->slots);
    armi_free(cache);
}

/* ---- under the lock ---- */

/* A chunk's name is a hash already: its first bytes spread well. */
static struct entry **slot_of(struct armi_column_cache *cache,
                              const struct armi_column_key *key)
{
    uint64_t h = armi_load64(key->chunk.bytes);
    h = (h ^ (uint64_t)(uint32_t)key->column * 0x9e3779b97f4a7c15u ^ key->row) *
        0xd1b54a32d192ed03u;
    return &cache->slots[(h >> 40) & (cache->slot_count - 1)];
}

static bool key_equal(const struct armi_column_key *a, const struct armi_column_key *b)
{
    return a->column == b->column && a->row == b->row && a->rows == b->rows &&
           memcmp(&a->chunk, &b->chunk, sizeof a->chunk) == 0;
}

static struct entry *find(struct armi_column_cache *cache,
                          const struct armi_column_key *key, const struct armi_field *field)
{
    struct entry *entry = *slot_of(cache, key);
    while (entry != NULL &&
           (!key_equal(&entry->key, key) || !armi_field_equal(&entry->field, field, 0)))
        entry = entry->hash_next;
    return entry;
}

static void list_remove(struct armi_column_cache *cache, struct entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void list_add(struct armi_column_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void evict(struct armi_column_cache *cache, struct entry *entry)
{
    struct entry **at = slot_of(cache, &entry->key);
    while (*at != entry)
        at = &(*at)->hash_next;
    *at = entry->hash_next;
    list_remove(cache, entry);
    cache->stats.bytes -= entry->bytes;
    cache->stats.entries--;
    cache->stats.evictions++;
    entry_free(entry);
}

static enum armi_status entry_export(const struct entry *entry, struct ArrowArray *out,
                                     struct armi_error *err)
{
    return armi_array_export_slice(&entry->view, 0, entry->view.length, entry->holder, out,
                                   err);
}

/* ---- the interface ---- */

enum armi_status armi_column_cache_get(struct armi_column_cache *cache,
                                       const struct armi_column_key *key,
                                       const struct armi_field *field, bool *found,
                                       struct ArrowArray *out, struct armi_error *err)
{
    enum armi_status st = ARMI_OK;
    pthread_mutex_lock(&cache_lock);
    struct entry *entry = find(cache, key, field);
    *found = entry != NULL;
    if (entry != NULL) {
        cache->stats.hits++;
        list_remove(cache, entry);
        list_add(cache, entry);
        st = entry_export(entry, out, err);
    } else {
        cache->stats.misses++;
    }
    pthread_mutex_unlock(&cache_lock);
    return st;
}

static enum armi_status entry_new(const struct armi_column_key *key,
                                  const struct armi_field *field, struct ArrowArray *array,
                                  struct entry **out, struct armi_error *err)
{
    struct entry *entry = armi_alloc_zero(1, sizeof *entry);
    if (entry == NULL)
        return armi_error_no_memory(err);
    entry->key = *key;
    entry->field = (struct armi_field)ARMI_FIELD_INIT;
    enum armi_status st = armi_field_copy(field, &entry->field, err);
    if (st == ARMI_OK)
        st = armi_array_hold(array, &entry->holder, err);
    if (st == ARMI_OK)
        st = armi_array_init(&entry->field, armi_holder_array(entry->holder),
                             ARMI_VALIDATE_NONE, &entry->view, err);
    if (st == ARMI_OK)
        st = entry_export(entry, array, err);
    if (st != ARMI_OK) {
        entry_free(entry);
        return st;
    }
    entry->bytes = (uint64_t)armi_array_data_size(&entry->view);
    *out = entry;
    return ARMI_OK;
}

enum armi_status armi_column_cache_put(struct armi_column_cache *cache,
                                       const struct armi_column_key *key,
                                       const struct armi_field *field,
                                       struct ArrowArray *array, struct armi_error *err)
{
    struct armi_array view = ARMI_ARRAY_INIT;
    ARMI_TRY(armi_array_init(field, array, ARMI_VALIDATE_NONE, &view, err));
    uint64_t bytes = (uint64_t)armi_array_data_size(&view);
    armi_array_release(&view);
    if (bytes > cache->capacity / 4)
        return ARMI_OK;
    struct entry *entry = NULL;
    ARMI_TRY(entry_new(key, field, array, &entry, err));
    pthread_mutex_lock(&cache_lock);
    if (find(cache, key, field) != NULL) {
        pthread_mutex_unlock(&cache_lock);
        entry_free(entry); /* another thread was faster */
        return ARMI_OK;
    }
    while (cache->oldest != NULL && cache->stats.bytes + bytes > cache->capacity)
        evict(cache, cache->oldest);
    struct entry **slot = slot_of(cache, key);
    entry->hash_next = *slot;
    *slot = entry;
    list_add(cache, entry);
    cache->stats.bytes += bytes;
    cache->stats.entries++;
    pthread_mutex_unlock(&cache_lock);
    return ARMI_OK;
}

void armi_column_cache_stats(struct armi_column_cache *cache,
                             struct armi_column_cache_stats *out)
{
    pthread_mutex_lock(&cache_lock);
    *out = cache->stats;
    pthread_mutex_unlock(&cache_lock);
}
