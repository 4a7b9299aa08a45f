#include "sqlite_shim.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "base/alloc.h"
#include "test.h"

#define FILES_MAX 8
#define NAME_SIZE 64

struct shim_file {
    sqlite3_file base;
    int log_file; /* in the log; -1 = a file without a name */
    sqlite3_file *real;
};

struct shim_event {
    enum shim_kind kind;
    int file;
    int64_t offset; /* of a write; the new size of a truncate */
    size_t size;
    uint8_t *data;
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs shim_vfs;
static atomic_uint_fast64_t calls, syncs;
static uint64_t fail_at;
static unsigned fail_kinds;
static bool fail_on;
static enum shim_failure failure;
static atomic_bool fired;

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static bool recording;
static char log_names[FILES_MAX][NAME_SIZE];
static int log_files;
static struct shim_event *events;
static size_t events_count, events_capacity;

static bool fails_now(enum shim_kind kind)
{
    if (fail_at == 0 || (fail_kinds & kind) == 0)
        return false;
    uint64_t n = atomic_fetch_add(&calls, 1) + 1;
    if (n != fail_at && !(fail_on && n > fail_at))
        return false;
    atomic_store(&fired, true);
    return true;
}

static int log_file_of(const char *path)
{
    if (path == NULL)
        return -1;
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    for (int i = 0; i < log_files; i++)
        if (strcmp(log_names[i], name) == 0)
            return i;
    assert_true(log_files < FILES_MAX && strlen(name) < NAME_SIZE);
    memcpy(log_names[log_files], name, strlen(name) + 1);
    return log_files++;
}

static void record(enum shim_kind kind, int file, const void *data, size_t size,
                   int64_t offset)
{
    if (!recording || file < 0)
        return;
    pthread_mutex_lock(&log_mutex);
    if (events_count == events_capacity) {
        events_capacity = events_capacity != 0 ? 2 * events_capacity : 1024;
        events = realloc(events, events_capacity * sizeof *events);
        assert_non_null(events);
    }
    struct shim_event *e = &events[events_count++];
    *e = (struct shim_event){kind, file, offset, size, NULL};
    if (size != 0) {
        e->data = malloc(size);
        assert_non_null(e->data);
        memcpy(e->data, data, size);
    }
    pthread_mutex_unlock(&log_mutex);
}

static struct shim_file *shim_of(sqlite3_file *file)
{
    return (struct shim_file *)(void *)file;
}

static int shim_close(sqlite3_file *file)
{
    struct shim_file *f = shim_of(file);
    return f->real->pMethods != NULL ? f->real->pMethods->xClose(f->real) : SQLITE_OK;
}

static int shim_read(sqlite3_file *file, void *out, int size, sqlite3_int64 offset)
{
    struct shim_file *f = shim_of(file);
    if (fails_now(SHIM_READ))
        return SQLITE_IOERR_READ;
    return f->real->pMethods->xRead(f->real, out, size, offset);
}

static int shim_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    struct shim_file *f = shim_of(file);
    bool fail = fails_now(SHIM_WRITE);
    if (fail && (failure == SHIM_FAIL_IO || failure == SHIM_FAIL_FULL))
        return failure == SHIM_FAIL_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    if (fail && failure == SHIM_FAIL_TORN)
        size /= 2;
    record(SHIM_WRITE, f->log_file, data, (size_t)size, offset);
    int rc = f->real->pMethods->xWrite(f->real, data, size, offset);
    return fail ? SQLITE_IOERR_WRITE : rc;
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct shim_file *f = shim_of(file);
    if (fails_now(SHIM_TRUNCATE))
        return SQLITE_IOERR_TRUNCATE;
    record(SHIM_TRUNCATE, f->log_file, NULL, 0, size);
    return f->real->pMethods->xTruncate(f->real, size);
}

static int shim_sync(sqlite3_file *file, int flags)
{
    struct shim_file *f = shim_of(file);
    atomic_fetch_add(&syncs, 1);
    if (fails_now(SHIM_SYNC))
        return SQLITE_IOERR_FSYNC;
    (void)
        flags; /* the disk below is the kernel's memory: nothing here survives a real power cut */
    record(SHIM_SYNC, f->log_file, NULL, 0, 0);
    return SQLITE_OK;
}

static int shim_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct shim_file *f = shim_of(file);
    return f->real->pMethods->xFileSize(f->real, size);
}

static int shim_lock(sqlite3_file *file, int level)
{
    struct shim_file *f = shim_of(file);
    return f->real->pMethods->xLock(f->real, level);
}

static int shim_unlock(sqlite3_file *file, int level)
{
    struct shim_file *f = shim_of(file);
    return f->real->pMethods->xUnlock(f->real, level);
}

static int shim_check_reserved(sqlite3_file *file, int *out)
{
    struct shim_file *f = shim_of(file);
    return f->real->pMethods->xCheckReservedLock(f->real, out);
}

static int shim_control(sqlite3_file *file, int op, void *arg)
{
    struct shim_file *f = shim_of(file);
    return f->real->pMethods->xFileControl(f->real, op, arg);
}

static int shim_sector_size(sqlite3_file *file)
{
    struct shim_file *f = shim_of(file);
    return f->real->pMethods->xSectorSize(f->real);
}

static int shim_characteristics(sqlite3_file *file)
{
    (void)file;
    return 0; /* a plain disk: no write is atomic, and neighbours of a torn one may be torn */
}

static int shim_shm_map(sqlite3_file *file, int page, int size, int extend,
                        void volatile **out)
{
    struct shim_file *f = shim_of(file);
    return f->real->pMethods->xShmMap(f->real, page, size, extend, out);
}

static int shim_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    struct shim_file *f = shim_of(file);
    return f->real->pMethods->xShmLock(f->real, offset, n, flags);
}

static void shim_shm_barrier(sqlite3_file *file)
{
    struct shim_file *f = shim_of(file);
    f->real->pMethods->xShmBarrier(f->real);
}

static int shim_shm_unmap(sqlite3_file *file, int delete_it)
{
    struct shim_file *f = shim_of(file);
    return f->real->pMethods->xShmUnmap(f->real, delete_it);
}

static const sqlite3_io_methods shim_methods = {
    2,
    shim_close,
    shim_read,
    shim_write,
    shim_truncate,
    shim_sync,
    shim_file_size,
    shim_lock,
    shim_unlock,
    shim_check_reserved,
    shim_control,
    shim_sector_size,
    shim_characteristics,
    shim_shm_map,
    shim_shm_lock,
    shim_shm_barrier,
    shim_shm_unmap,
    NULL,
    NULL,
};

static int shim_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                     int *out)
{
    struct shim_file *f = shim_of(file);
    (void)vfs;
    memset(f, 0, sizeof *f);
    f->real = (sqlite3_file *)(void *)(f + 1);
    if (fails_now(SHIM_OPEN))
        return SQLITE_CANTOPEN;
    int rc = real_vfs->xOpen(real_vfs, path, f->real, flags, out);
    if (rc != SQLITE_OK)
        return rc;
    pthread_mutex_lock(&log_mutex);
    f->log_file = log_file_of(path);
    pthread_mutex_unlock(&log_mutex);
    f->base.pMethods = &shim_methods;
    return SQLITE_OK;
}

static int shim_delete(sqlite3_vfs *vfs, const char *path, int sync_dir)
{
    (void)vfs;
    if (fails_now(SHIM_DELETE))
        return SQLITE_IOERR_DELETE;
    pthread_mutex_lock(&log_mutex);
    int file = log_file_of(path);
    pthread_mutex_unlock(&log_mutex);
    record(SHIM_DELETE, file, NULL, 0, 0);
    return real_vfs->xDelete(real_vfs, path, sync_dir);
}

/* The size stands in front of each block, since SQLite asks for it. */
#define MEM_HEADER 16

static int mem_size(void *ptr)
{
    int size;
    if (ptr == NULL)
        return 0;
    memcpy(&size, (char *)ptr - MEM_HEADER, sizeof size);
    return size;
}

static void *mem_alloc(int size)
{
    char *block = armi_alloc((size_t)size + MEM_HEADER);
    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof size);
    return block + MEM_HEADER;
}

static void mem_free(void *ptr)
{
    if (ptr != NULL)
        armi_free((char *)ptr - MEM_HEADER);
}

static void *mem_realloc(void *ptr, int size)
{
    void *fresh = mem_alloc(size);
    if (fresh == NULL)
        return NULL;
    int old = mem_size(ptr);
    memcpy(fresh, ptr, (size_t)(old < size ? old : size));
    mem_free(ptr);
    return fresh;
}

static int mem_roundup(int size)
{
    return (size + 7) & ~7;
}

static int mem_init(void *ctx)
{
    (void)ctx;
    return SQLITE_OK;
}

static void mem_shutdown(void *ctx)
{
    (void)ctx;
}

void sqlite_shim_install(void)
{
    static const sqlite3_mem_methods memory = {mem_alloc,    mem_free,    mem_realloc,
                                               mem_size,     mem_roundup, mem_init,
                                               mem_shutdown, NULL};
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &memory), SQLITE_OK);
    assert_int_equal(sqlite3_initialize(), SQLITE_OK);
    real_vfs = sqlite3_vfs_find(NULL);
    shim_vfs = *real_vfs;
    shim_vfs.zName = "armi-shim";
    shim_vfs.szOsFile += (int)sizeof(struct shim_file);
    shim_vfs.xOpen = shim_open;
    shim_vfs.xDelete = shim_delete;
    assert_int_equal(sqlite3_vfs_register(&shim_vfs, 1), SQLITE_OK);
}

void sqlite_shim_arm(uint64_t n, unsigned kinds, bool persistent)
{
    atomic_store(&calls, 0);
    atomic_store(&fired, false);
    fail_at = n;
    fail_kinds = kinds;
    fail_on = persistent;
}

void sqlite_shim_set_failure(enum shim_failure how)
{
    failure = how;
}

bool sqlite_shim_disarm(void)
{
    fail_at = 0;
    return atomic_load(&fired);
}

uint64_t sqlite_shim_syncs(void)
{
    return atomic_load(&syncs);
}

void sqlite_shim_record_begin(void)
{
    sqlite_shim_record_free();
    recording = true;
}

size_t sqlite_shim_record_events(void)
{
    return events_count;
}

void sqlite_shim_record_end(void)
{
    recording = false;
}

void sqlite_shim_record_free(void)
{
    recording = false;
    for (size_t i = 0; i < events_count; i++)
        free(events[i].data);
    free(events);
    events = NULL;
    events_count = events_capacity = 0;
}

/* What a file holds: what is durable, and where the log of the rest begins. */
struct image {
    uint8_t *data;
    size_t size;
    bool exists;
};

static void image_resize(struct image *image, size_t size)
{
    if (size > image->size) {
        image->data = realloc(image->data, size);
        assert_non_null(image->data);
        memset(image->data + image->size, 0, size - image->size);
    }
    image->size = size;
}

static void image_apply(struct image *image, const struct shim_event *e, size_t size)
{
    image->exists = true;
    if (e->kind == SHIM_TRUNCATE) {
        image_resize(image, (size_t)e->offset);
    } else if (e->kind == SHIM_DELETE) {
        image_resize(image, 0);
        image->exists = false;
    } else if (e->kind == SHIM_WRITE) {
        size_t end = (size_t)e->offset + size;
        if (end > image->size)
            image_resize(image, end);
        memcpy(image->data + e->offset, e->data, size);
    }
}

static uint64_t mix_seed(uint64_t x)
{
    x ^= x >> 31;
    x *= UINT64_C(0x9e3779b97f4a7c15);
    x ^= x >> 29;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ x >> 32;
}

static bool is_synced(size_t index, size_t count)
{
    for (size_t i = index + 1; i < count; i++)
        if (events[i].kind == SHIM_SYNC && events[i].file == events[index].file)
            return true;
    return false;
}

void sqlite_shim_replay(size_t count, uint64_t seed, const char *dir)
{
    struct image images[FILES_MAX] = {{0}};
    char path[1024];

    assert_true(count <= events_count);
    for (size_t i = 0; i < count; i++) {
        const struct shim_event *e = &events[i];
        size_t size = e->size;
        uint64_t dice = mix_seed(seed * 1000003 + i);
        if (e->kind == SHIM_SYNC)
            continue;
        /* Seed 0: everything reached the disk. Seed 1: nothing that was not synced did. */
        if (seed != 0 && e->kind != SHIM_DELETE && !is_synced(i, count)) {
            if (seed == 1 || dice % 3 == 0)
                continue;
            if (dice % 3 == 1 && e->kind == SHIM_WRITE)
                size = size > 512 ? 512 * (dice / 3 % (size / 512 + 1)) : size / 2;
        }
        image_apply(&images[e->file], e, size);
    }
    for (int i = 0; i < log_files; i++) {
        const char *name = log_names[i];
        size_t length = strlen(name);
        snprintf(path, sizeof path, "%s/%s", dir, name);
        remove(path);
        if (images[i].exists && (length < 4 || strcmp(name + length - 4, "-shm") != 0)) {
            FILE *out = fopen(path, "wb");
            assert_non_null(out);
            assert_int_equal(fwrite(images[i].data, 1, images[i].size, out),
                             images[i].size);
            assert_int_equal(fclose(out), 0);
        }
        free(images[i].data);
    }
}
