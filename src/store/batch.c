/*
 * The write protocol (I1, I2, I5).
 *
 *     WRITING   nothing stands under the name, or something damaged
 *     WRITTEN   in tmp/, on its way to the disk         armi_store_batch_add
 *     SYNCED    its bytes are durable                   entry_sync
 *     NAMED     it has its name                         entry_name
 *     PRESENT   a sound file was there already          armi_store_batch_add, entry_name
 *
 * and when the folder was synced too, all that is NAMED or PRESENT is durable.
 *
 * Files are synced in the order in which they were written, one after the other: by then
 * most of the work was done by the writeback that was started with each, and parallel
 * fsyncs are slower on some file systems. A descriptor stays open from the first write to
 * the fsync, since another one might miss an error in between; so that many chunks do not
 * need as many descriptors, the oldest are synced as soon as too many are open.
 */
#include "store/batch.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/limits.h"
#include "os/handles.h"
#include "store/store_internal.h"

#define OPEN_FILES_MAX 64

enum entry_state {
    ENTRY_WRITING, /* one thread is at work on it */
    ENTRY_WRITTEN,
    ENTRY_SYNCING, /* one thread is at work on it */
    ENTRY_SYNCED,
    ENTRY_NAMED,
    ENTRY_PRESENT,
};

struct entry {
    struct armi_hash hash;
    uint64_t size;
    uint64_t temp; /* number of its name in tmp/ */
    int fd;        /* open while WRITTEN, else -1 */
    enum entry_state state;
    bool has_temp;
    bool replaces; /* a damaged file */
};

struct armi_store_batch {
    struct armi_store *store;
    pthread_mutex_t lock;
    pthread_cond_t written; /* an entry left WRITING, or the batch failed */
    uint64_t generation;
    _Atomic int tmp;       /* folder, borrowed from the store; -1 before the first write */
    struct armi_map index; /* hash -> number in entries */
    struct entry *
        *entries; /* each on its own, so that it stays where it is as the list grows */
    size_t entries_capacity;
    size_t synced_to; /* entries before it are SYNCED or later */
    size_t named_to;  /* entries before it are NAMED or PRESENT */
    size_t open_files;
    bool needs_names_sync;
    bool has_failed;
    const struct armi_interrupt *interrupt;
    struct armi_store_batch_stats stats;
};

enum armi_status armi_store_batch_begin(struct armi_store *store,
                                        struct armi_store_batch **out,
                                        struct armi_error *err)
{
    ARMI_TRY(armi_store_check_writable(store, err));
    struct armi_store_batch *batch = armi_alloc_zero(1, sizeof *batch);
    if (batch == NULL)
        return armi_error_no_memory(err);
    armi_store_retain(store);
    batch->store = store;
    batch->generation = armi_handles_generation();
    batch->tmp = -1;
    pthread_mutex_init(&batch->lock, NULL);
    pthread_cond_init(&batch->written, NULL);
    armi_map_init(&batch->index, 0);
    *out = batch;
    return ARMI_OK;
}

static bool is_inherited(const struct armi_store_batch *batch)
{
    return batch->generation != armi_handles_generation();
}

static void temp_unlink(struct armi_store_batch *batch, struct entry *entry)
{
    char name[ARMI_TMP_NAME_SIZE];
    armi_store_temp_name(entry->temp, name);
    batch->store->os->unlink(batch->store->os, batch->tmp, name);
}

void armi_store_batch_free(struct armi_store_batch *batch)
{
    if (batch == NULL)
        return;
    const struct armi_os *os = batch->store->os;
    for (size_t i = 0; i < batch->index.count; i++) {
        struct entry *entry = batch->entries[i];
        if (entry->fd >= 0)
            os->close(os, entry->fd);
        if (entry->has_temp && !is_inherited(batch)) /* else it is the parent's */
            temp_unlink(batch, entry);
        armi_free(entry);
    }
    armi_free(batch->entries);
    armi_map_release(&batch->index);
    pthread_cond_destroy(&batch->written);
    pthread_mutex_destroy(&batch->lock);
    armi_store_release(batch->store);
    armi_free(batch);
}

static enum armi_status batch_check(struct armi_store_batch *batch, struct armi_error *err)
{
    if (is_inherited(batch))
        return armi_error_set(err, ARMI_MISUSE,
                              "a write that was begun before fork() was used "
                              "in the child");
    pthread_mutex_lock(&batch->lock);
    bool failed = batch->has_failed;
    pthread_mutex_unlock(&batch->lock);
    return failed ? armi_error_set(err, ARMI_MISUSE, "the write has failed before")
                  : ARMI_OK;
}

static enum armi_status fail(struct armi_store_batch *batch, enum armi_status status)
{
    pthread_mutex_lock(&batch->lock);
    batch->has_failed = true;
    pthread_cond_broadcast(&batch->written);
    pthread_mutex_unlock(&batch->lock);
    return status;
}

static enum armi_status entries_grow(struct armi_store_batch *batch, struct armi_error *err)
{
    size_t capacity = batch->entries_capacity != 0 ? 2 * batch->entries_capacity : 16;
    size_t size = batch->entries_capacity * sizeof *batch->entries;
    struct entry **entries = armi_realloc(batch->entries, size, capacity * sizeof *entries);
    if (entries == NULL)
        return armi_error_no_memory(err);
    batch->entries = entries;
    batch->entries_capacity = capacity;
    return ARMI_OK;
}

/* Under the lock. *entry is NULL where the batch has this chunk already. */
static enum armi_status entry_add(struct armi_store_batch *batch,
                                  const struct armi_hash *hash, struct entry **entry,
                                  struct armi_error *err)
{
    struct armi_slice key = {hash->bytes, sizeof hash->bytes};
    uint64_t *index;
    bool is_new;
    *entry = NULL;
    if (armi_map_find(&batch->index, key) != NULL)
        return ARMI_OK;
    if (batch->index.count == batch->entries_capacity)
        ARMI_TRY(entries_grow(batch, err));
    struct entry *fresh = armi_alloc_zero(1, sizeof *fresh);
    if (fresh == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = armi_map_insert(&batch->index, key, &index, &is_new, err);
    if (status != ARMI_OK) {
        armi_free(fresh);
        return status;
    }
    *index = batch->index.count - 1;
    fresh->hash = *hash;
    fresh->fd = -1;
    batch->entries[*index] = fresh;
    *entry = fresh;
    return ARMI_OK;
}

static enum armi_status batch_tmp(struct armi_store_batch *batch, struct armi_error *err)
{
    int dir;
    uint64_t generation;
    ARMI_TRY(armi_store_tmp(batch->store, &dir, &generation, err));
    atomic_store(&batch->tmp, dir); /* the same from every thread */
    return ARMI_OK;
}

/* Fills entry->fd with a file in tmp/ that holds the bytes, on their way to the disk. */
static enum armi_status entry_write(struct armi_store_batch *batch, struct entry *entry,
                                    const struct armi_slice *parts, size_t count,
                                    struct armi_error *err)
{
    struct armi_store *store = batch->store;
    const struct armi_os *os = store->os;
    char name[ARMI_TMP_NAME_SIZE];
    ARMI_TRY(batch_tmp(batch, err));
    entry->temp = atomic_fetch_add(&store->next_temp, 1);
    armi_store_temp_name(entry->temp, name);
    unsigned flags =
        ARMI_OPEN_READ | ARMI_OPEN_WRITE | ARMI_OPEN_CREATE | ARMI_OPEN_EXCLUSIVE;
    int fd = os->open(os, batch->tmp, name, flags, ARMI_OS_MODE_CHUNK);
    if (fd < 0)
        return armi_error_errno(err, -fd, "cannot make a file in '%s/tmp'", store->path);
    entry->fd = fd;
    entry->has_temp = true; /* nobody else looks before it is WRITTEN */
    int error = armi_os_writev_full(os, fd, parts, count, 0);
    if (error < 0)
        return armi_error_errno(err, -error, "cannot write %llu bytes to '%s/tmp'",
                                (unsigned long long)entry->size, store->path);
    if (store->durability != ARMI_DURABILITY_NONE)
        os->start_writeback(os, fd, 0,
                            entry->size); /* a hint: its failure shows in the fsync */
    return ARMI_OK;
}

/* The caller has made the entry SYNCING, so that nobody else touches it. */
static enum armi_status entry_sync(struct armi_store_batch *batch, struct entry *entry,
                                   struct armi_error *err)
{
    struct armi_store *store = batch->store;
    const struct armi_os *os = store->os;
    int error = store->durability != ARMI_DURABILITY_NONE ? os->fsync(os, entry->fd) : 0;
    int closed = os->close(os, entry->fd);
    entry->fd = -1;
    error = error < 0 ? error : closed;
    if (error < 0)
        return armi_error_errno(err, -error, "cannot sync a new chunk in '%s/tmp'",
                                store->path);
    return ARMI_OK;
}

/* Under the lock. The oldest WRITTEN entry, made SYNCING; NULL where there is none. */
static struct entry *oldest_written(struct armi_store_batch *batch)
{
    while (batch->synced_to < batch->index.count &&
           batch->entries[batch->synced_to]->state >= ENTRY_SYNCING)
        batch->synced_to++;
    for (size_t i = batch->synced_to; i < batch->index.count; i++) {
        if (batch->entries[i]->state == ENTRY_WRITTEN) {
            batch->entries[i]->state = ENTRY_SYNCING;
            return batch->entries[i];
        }
    }
    return NULL;
}

/* The end of writing, of syncing, or of naming, when nothing is left in tmp/. */
static void entry_advance(struct armi_store_batch *batch, struct entry *entry,
                          enum entry_state state)
{
    pthread_mutex_lock(&batch->lock);
    entry->state = state;
    entry->has_temp = state < ENTRY_NAMED;
    batch->open_files += state == ENTRY_WRITTEN;
    pthread_cond_broadcast(&batch->written);
    pthread_mutex_unlock(&batch->lock);
}

/* Syncs the oldest files until at most `keep` are open. */
static enum armi_status sync_down_to(struct armi_store_batch *batch, size_t keep,
                                     const struct armi_interrupt *interrupt,
                                     struct armi_error *err)
{
    for (;;) {
        ARMI_TRY(armi_interrupt_check(interrupt, err));
        pthread_mutex_lock(&batch->lock);
        struct entry *entry = batch->open_files > keep ? oldest_written(batch) : NULL;
        batch->open_files -= entry != NULL;
        pthread_mutex_unlock(&batch->lock);
        if (entry == NULL)
            return ARMI_OK;
        ARMI_TRY(entry_sync(batch, entry, err));
        entry_advance(batch, entry, ENTRY_SYNCED);
    }
}

static void entry_is_present(struct armi_store_batch *batch, struct entry *entry,
                             bool durable)
{
    entry_advance(batch, entry, ENTRY_PRESENT);
    pthread_mutex_lock(&batch->lock);
    batch->needs_names_sync = batch->needs_names_sync || !durable; /* I2 */
    batch->stats.chunks_reused++;
    batch->stats.bytes_reused += entry->size;
    pthread_mutex_unlock(&batch->lock);
}

static enum armi_status add_entry(struct armi_store_batch *batch, struct entry *entry,
                                  const struct armi_slice *parts, size_t count,
                                  enum armi_chunk_put *what, struct armi_error *err)
{
    enum armi_present present;
    bool durable;
    ARMI_TRY(armi_store_check_present(batch->store, &entry->hash, entry->size, &present,
                                      &durable, err));
    if (present == ARMI_PRESENT_SOUND) {
        entry_is_present(batch, entry, durable);
        *what = ARMI_CHUNK_PRESENT;
        return ARMI_OK;
    }
    entry->replaces = present == ARMI_PRESENT_DAMAGED;
    ARMI_TRY(entry_write(batch, entry, parts, count, err));
    entry_advance(batch, entry, ENTRY_WRITTEN);
    pthread_mutex_lock(&batch->lock);
    batch->stats.chunks_written++;
    batch->stats.bytes_written += entry->size;
    pthread_mutex_unlock(&batch->lock);
    *what = entry->replaces ? ARMI_CHUNK_REPAIRED : ARMI_CHUNK_NEW;
    return sync_down_to(batch, OPEN_FILES_MAX, NULL, err);
}

static bool parts_size(const struct armi_slice *parts, size_t count, uint64_t *out)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        if (!armi_size_add(total, parts[i].size, &total))
            return false;
    *out = total;
    return total <= ARMI_CHUNK_FILE_MAX;
}

enum armi_status armi_store_batch_add(struct armi_store_batch *batch,
                                      const struct armi_hash *hash,
                                      const struct armi_slice *parts, size_t count,
                                      enum armi_chunk_put *what, struct armi_error *err)
{
    uint64_t size;
    struct entry *entry;
    enum armi_chunk_put done = ARMI_CHUNK_PRESENT;
    ARMI_TRY(batch_check(batch, err));
    if (!parts_size(parts, count, &size))
        return armi_error_set(err, ARMI_LIMIT, "a chunk holds at most %llu bytes",
                              (unsigned long long)ARMI_CHUNK_FILE_MAX);
    pthread_mutex_lock(&batch->lock);
    enum armi_status status = entry_add(batch, hash, &entry, err);
    if (entry != NULL) {
        entry->size = size;
    } else if (status == ARMI_OK) {
        batch->stats.chunks_reused++;
        batch->stats.bytes_reused += size;
    }
    pthread_mutex_unlock(&batch->lock);
    if (entry != NULL)
        status = add_entry(batch, entry, parts, count, &done, err);
    if (status != ARMI_OK)
        return fail(batch, status);
    if (what != NULL)
        *what = done;
    return ARMI_OK;
}

enum armi_status armi_store_batch_adopt(struct armi_store_batch *batch,
                                        const struct armi_hash *hash, bool *present,
                                        struct armi_error *err)
{
    enum armi_present found;
    bool durable;
    ARMI_TRY(batch_check(batch, err));
    pthread_mutex_lock(&batch->lock);
    bool added =
        armi_map_find(&batch->index,
                      (struct armi_slice){hash->bytes, sizeof hash->bytes}) != NULL;
    pthread_mutex_unlock(&batch->lock);
    if (!added) {
        ARMI_TRY(armi_store_check_present(batch->store, hash, UINT64_MAX, &found, &durable,
                                          err));
        pthread_mutex_lock(&batch->lock);
        added = found == ARMI_PRESENT_SOUND;
        batch->needs_names_sync = batch->needs_names_sync || (added && !durable); /* I2 */
        pthread_mutex_unlock(&batch->lock);
    }
    *present = added;
    return ARMI_OK;
}

/* Where a file stands under the name by now: another writer's, perhaps damaged. */
static enum armi_status name_over(struct armi_store_batch *batch, struct entry *entry,
                                  const char *temp, const char *name,
                                  struct armi_error *err)
{
    struct armi_store *store = batch->store;
    const struct armi_os *os = store->os;
    enum armi_present present = ARMI_PRESENT_DAMAGED;
    if (!entry->replaces)
        ARMI_TRY(armi_store_check_present(store, &entry->hash, entry->size, &present, NULL,
                                          err));
    if (present == ARMI_PRESENT_SOUND) {
        temp_unlink(batch, entry);
        entry_advance(batch, entry, ENTRY_PRESENT);
        return ARMI_OK;
    }
    int error = os->rename(os, batch->tmp, temp, store->chunks, name);
    if (error == -EISDIR || error == -ENOTEMPTY || error == -EEXIST)
        return armi_chunk_damaged(
            &entry->hash, err,
            "a folder stands in the place of its file: remove '%s/chunks/%s'", store->path,
            name);
    if (error < 0)
        return armi_error_errno(err, -error, "cannot replace '%s/chunks/%s'", store->path,
                                name);
    entry_advance(batch, entry, ENTRY_NAMED);
    return armi_store_mark_damaged(store, &entry->hash, false, err);
}

static enum armi_status entry_name(struct armi_store_batch *batch, struct entry *entry,
                                   struct armi_error *err)
{
    struct armi_store *store = batch->store;
    const struct armi_os *os = store->os;
    char temp[ARMI_TMP_NAME_SIZE], name[ARMI_CHUNK_NAME_SIZE];
    armi_store_temp_name(entry->temp, temp);
    armi_chunk_name(&entry->hash, name);
    if (entry->replaces)
        return name_over(batch, entry, temp, name, err);
    int error = os->rename_new(os, batch->tmp, temp, store->chunks, name);
    if (error == -EEXIST)
        return name_over(batch, entry, temp, name, err);
    if (error < 0)
        return armi_error_errno(err, -error, "cannot name a chunk in '%s/chunks'",
                                store->path);
    entry_advance(batch, entry, ENTRY_NAMED);
    return ARMI_OK;
}

/* So that who puts the chunk again has nothing to sync. Forgetting it costs a flush, no
 * more. */
static void remember_durable(struct armi_store *store, const struct entry *entry)
{
    struct armi_file_stat state;
    if (armi_store_stat(store, &entry->hash, &state, NULL) == ARMI_OK)
        armi_proof_note_name(store, &entry->hash, &state);
}

static enum armi_status batch_sync(struct armi_store_batch *batch, struct armi_error *err)
{
    ARMI_TRY(armi_store_check_writable(batch->store, err));
    ARMI_TRY(sync_down_to(batch, 0, batch->interrupt, err));
    size_t first = batch->named_to;
    for (; batch->named_to < batch->index.count; batch->named_to++) {
        struct entry *entry = batch->entries[batch->named_to];
        if (entry->state == ENTRY_SYNCED) {
            ARMI_TRY(entry_name(batch, entry, err));
            batch->needs_names_sync = true;
        }
    }
    if (!batch->needs_names_sync)
        return ARMI_OK;
    ARMI_TRY(armi_store_sync_names(batch->store, err));
    batch->needs_names_sync = false;
    bool durable = batch->store->durability != ARMI_DURABILITY_NONE;
    for (size_t i = first; durable && i < batch->index.count; i++)
        remember_durable(batch->store, batch->entries[i]);
    return ARMI_OK;
}

enum armi_status armi_store_batch_sync(struct armi_store_batch *batch,
                                       struct armi_error *err)
{
    ARMI_TRY(batch_check(batch, err));
    enum armi_status status = batch_sync(batch, err);
    return status == ARMI_OK ? ARMI_OK : fail(batch, status);
}

enum armi_status armi_store_batch_open_chunk(struct armi_store_batch *batch,
                                             const struct armi_hash *hash,
                                             const struct armi_chunk_options *options,
                                             struct armi_chunk **out,
                                             struct armi_error *err)
{
    struct armi_store *store = batch->store;
    struct armi_file_stat state;
    char name[ARMI_TMP_NAME_SIZE];
    ARMI_TRY(batch_check(batch, err));
    pthread_mutex_lock(&batch->lock);
    const uint64_t *index =
        armi_map_find(&batch->index, (struct armi_slice){hash->bytes, sizeof hash->bytes});
    const struct entry *entry = index != NULL ? batch->entries[*index] : NULL;
    while (entry != NULL && entry->state == ENTRY_WRITING && !batch->has_failed)
        pthread_cond_wait(&batch->written, &batch->lock);
    int fd = -1;
    if (entry != NULL && entry->state != ENTRY_WRITING && entry->has_temp) {
        armi_store_temp_name(entry->temp, name);
        fd = store->os->open(store->os, batch->tmp, name, ARMI_OPEN_READ, 0);
    }
    pthread_mutex_unlock(&batch->lock);
    if (fd < 0)
        return armi_chunk_open(store, hash, options, out, err);
    int error = store->os->fstat(store->os, fd, &state);
    if (error == 0)
        return armi_chunk_open_file(store, hash, fd, &state, options, out, err);
    store->os->close(store->os, fd);
    return armi_error_errno(err, -error, "cannot look at a new chunk in '%s/tmp'",
                            store->path);
}

void armi_store_batch_set_interrupt(struct armi_store_batch *batch,
                                    const struct armi_interrupt *interrupt)
{
    batch->interrupt = interrupt;
}

void armi_store_batch_stats(struct armi_store_batch *batch,
                            struct armi_store_batch_stats *out)
{
    pthread_mutex_lock(&batch->lock);
    *out = batch->stats;
    pthread_mutex_unlock(&batch->lock);
}
