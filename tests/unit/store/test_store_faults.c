#include "test.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "fault_alloc.h"
#include "hash/blake3.h"
#include "os_fault.h"
#include "os_memory.h"
#include "store/front.h"

/*
 * One workload, cut off at every call and every allocation. Chunk i has content of its
 * own and a length that no sector divides.
 */
#define CHUNKS 8

static uint8_t contents[CHUNKS][3000];
static struct armi_chunk_data chunks[CHUNKS];
static struct armi_hash names[CHUNKS];

static int make_chunks(void **state)
{
    (void)state;
    for (size_t i = 0; i < CHUNKS; i++) {
        for (size_t j = 0; j < sizeof contents[i]; j++)
            contents[i][j] = (uint8_t)(j * (i + 3) >> (i % 5));
        contents[i][0] = (uint8_t)i;
        chunks[i] = (struct armi_chunk_data){contents[i], 700 + 300 * i};
        armi_blake3_hash(chunks[i].data, chunks[i].size, &names[i]);
    }
    return 0;
}

/* What a caller was told. */
struct told {
    bool durable[CHUNKS];
    enum armi_status first_failure;
};

static struct armi_chunk_store_options one_thread(enum armi_durability durability)
{
    return (struct armi_chunk_store_options){.size =
                                                 sizeof(struct armi_chunk_store_options),
                                             .threads = 1,
                                             .durability = durability};
}

static void note(struct told *told, enum armi_status status, size_t first, size_t count)
{
    for (size_t i = first; status == ARMI_OK && i < first + count; i++)
        told->durable[i] = true;
    if (status != ARMI_OK && told->first_failure == ARMI_OK)
        told->first_failure = status;
}

/* Makes a store, puts in several ways, reads. Goes on after a failure, as a program
 * might. */
static struct told workload(const struct armi_os *os, enum armi_durability durability)
{
    struct told told = {.first_failure = ARMI_OK};
    struct armi_chunk_store_options options = one_thread(durability);
    struct armi_chunk_store *store = NULL;
    struct armi_hash out[CHUNKS];
    struct armi_bytes bytes = ARMI_BYTES_INIT;
    note(&told, armi_chunk_store_open_os(os, "/", &options, &store, NULL), 0, 0);
    if (store == NULL)
        return told;
    note(&told, armi_chunk_store_put(store, chunks[0].data, chunks[0].size, out, NULL), 0,
         1);
    note(&told, armi_chunk_store_put_batch(store, chunks, 4, out, NULL), 0, 4);
    note(&told, armi_chunk_store_put_batch(store, chunks + 3, 5, out, NULL), 3, 5);
    note(&told, armi_chunk_store_put(store, chunks[1].data, chunks[1].size, out, NULL), 1,
         1);
    enum armi_status status = armi_chunk_store_get(store, &names[2], &bytes, NULL);
    if (status == ARMI_OK)
        assert_memory_equal(bytes.data, chunks[2].data, chunks[2].size);
    armi_bytes_release(&bytes);
    armi_chunk_store_close(store);
    return told;
}

/* What is wrong with the store on this disk: torn files under names, told chunks that are
 * gone. */
struct wrong {
    uint64_t torn, lost, unopenable;
};

static void look(const struct armi_os *os, const struct told *told, struct wrong *wrong)
{
    struct armi_chunk_store_options options = one_thread(ARMI_DURABILITY_DEFAULT);
    struct armi_chunk_store *store;
    struct armi_chunk_iterator *iterator;
    struct armi_hash hash;
    struct armi_error err = ARMI_ERROR_INIT;
    if (armi_chunk_store_open_os(os, "/", &options, &store, &err) != ARMI_OK) {
        wrong->unopenable++;
        return;
    }
    ok(armi_chunk_store_iterate(store, &iterator, &err));
    while (armi_chunk_iterator_next(iterator, &hash)) {
        struct armi_bytes bytes = ARMI_BYTES_INIT;
        wrong->torn += armi_chunk_store_get_verified(store, &hash, &bytes, &err) != ARMI_OK;
        armi_bytes_release(&bytes);
    }
    armi_chunk_iterator_free(iterator);
    for (size_t i = 0; i < CHUNKS; i++) {
        bool there;
        ok(armi_chunk_store_exists(store, &names[i], &there, &err));
        wrong->lost += told->durable[i] && !there;
    }
    armi_chunk_store_close(store);
}

static void tmp_is_empty(const struct armi_os *os)
{
    int fd = os->open(os, ARMI_OS_CWD, "/tmp", ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0);
    assert_true(fd >= 0);
    os->close(os, fd);
    assert_int_equal(os->rmdir(os, ARMI_OS_CWD, "/tmp"), 0); /* -ENOTEMPTY if it is not */
}

static void crash_everywhere_lying(enum armi_durability durability, bool skip_files,
                                   bool skip_folders, struct wrong *wrong, uint64_t *points)
{
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        struct os_memory *disk = os_memory_new();
        struct os_fault *fault = os_fault_new(os_memory_table(disk));
        os_fault_skip_syncs(fault, skip_files, skip_folders);
        os_fault_arm(fault, n, OS_FAULT_CHANGES, EIO, true);
        struct told told = workload(os_fault_table(fault), durability);
        fired = os_fault_fired(fault);
        os_fault_free(fault);
        for (uint64_t seed = 0; seed < os_crash_seeds(10); seed++) {
            struct os_memory *after = os_memory_clone(disk);
            enum os_crash how = seed == 0   ? OS_CRASH_DROP
                                : seed == 1 ? OS_CRASH_KEEP
                                            : OS_CRASH_RANDOM;
            os_memory_crash(after, how, n * 1000 + seed);
            look(os_memory_table(after), &told, wrong);
            if (seed == 1)
                tmp_is_empty(os_memory_table(after));
            os_memory_free(after);
            ++*points;
        }
        os_memory_free(disk);
    }
}

static void no_crash_leaves_a_torn_chunk_or_takes_a_durable_one(void **state)
{
    (void)state;
    struct wrong wrong = {0, 0, 0};
    uint64_t points = 0;
    crash_everywhere_lying(ARMI_DURABILITY_FULL, false, false, &wrong, &points);
    assert_true(points > 500);
    assert_int_equal(wrong.torn, 0);
    assert_int_equal(wrong.lost, 0);
    assert_int_equal(wrong.unopenable, 0);
}

static void the_same_crashes_find_a_missing_sync(void **state)
{
    (void)state;
    uint64_t points = 0;
    struct wrong no_files = {0, 0, 0}, no_folders = {0, 0, 0}, none = {0, 0, 0};
    crash_everywhere_lying(ARMI_DURABILITY_FULL, true, false, &no_files, &points);
    assert_true(no_files.torn > 0);
    crash_everywhere_lying(ARMI_DURABILITY_FULL, false, true, &no_folders, &points);
    assert_true(no_folders.lost > 0);
    assert_int_equal(no_folders.torn, 0);
    crash_everywhere_lying(ARMI_DURABILITY_NONE, false, false, &none, &points);
    assert_true(none.torn > 0 && none.lost > 0);
}

static void who_finds_a_name_makes_it_durable(void **state) /* I2 */
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct os_memory *disk = os_memory_new();
    struct os_fault *lying = os_fault_new(os_memory_table(disk));
    struct armi_chunk_store *first, *second;
    struct armi_hash out;
    struct told told = {.durable = {true}};
    struct wrong wrong = {0, 0, 0};
    ok(armi_chunk_store_open_os(os_fault_table(lying), "/", NULL, &first, &err));
    os_fault_skip_syncs(lying, false, true); /* as if it were killed before its last step */
    ok(armi_chunk_store_put(first, chunks[0].data, chunks[0].size, &out, &err));
    ok(armi_chunk_store_open_os(os_memory_table(disk), "/", NULL, &second, &err));
    ok(armi_chunk_store_put(second, chunks[0].data, chunks[0].size, &out, &err));
    os_memory_crash(disk, OS_CRASH_DROP, 0);
    look(os_memory_table(disk), &told, &wrong);
    assert_true(wrong.torn == 0 && wrong.lost == 0 && wrong.unopenable == 0);
    armi_chunk_store_close(first);
    armi_chunk_store_close(second);
    os_fault_free(lying);
    os_memory_free(disk);
}

/* A disk with a store that holds all chunks, and chunk 0 damaged. */
static struct os_memory *damaged_disk(void)
{
    struct os_memory *disk = os_memory_new();
    char path[128], hex[ARMI_HASH_HEX_SIZE];
    workload(os_memory_table(disk), ARMI_DURABILITY_FULL);
    armi_hash_format(&names[0], hex);
    snprintf(path, sizeof path, "/chunks/%s.parquet", hex);
    assert_int_equal(os_memory_damage(disk, path, 100, 1), 0);
    return disk;
}

static void a_crash_during_a_repair_leaves_the_old_file_or_the_new(void **state)
{
    (void)state;
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        struct os_memory *disk = damaged_disk();
        struct os_fault *fault = os_fault_new(os_memory_table(disk));
        struct armi_chunk_store *store = NULL;
        struct told told = {.first_failure = ARMI_OK};
        struct armi_hash out;
        os_fault_arm(fault, n, OS_FAULT_CHANGES, EIO, true);
        note(&told,
             armi_chunk_store_open_os(os_fault_table(fault), "/", NULL, &store, NULL), 0,
             0);
        if (store != NULL)
            note(&told,
                 armi_chunk_store_put(store, chunks[0].data, chunks[0].size, &out, NULL), 0,
                 1);
        armi_chunk_store_close(store);
        fired = os_fault_fired(fault);
        os_fault_free(fault);
        for (uint64_t seed = 0; seed < 10; seed++) {
            struct os_memory *after = os_memory_clone(disk);
            struct wrong wrong = {0, 0, 0};
            os_memory_crash(after, seed == 0 ? OS_CRASH_DROP : OS_CRASH_RANDOM,
                            n * 100 + seed);
            look(os_memory_table(after), &told, &wrong);
            assert_true(wrong.torn <= !told.durable[0] && wrong.lost == 0 &&
                        wrong.unopenable == 0);
            os_memory_free(after);
        }
        os_memory_free(disk);
    }
}

/* One call fails; the machine lives on. */
static void fail_everywhere(unsigned kinds, int errnum)
{
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        struct os_memory *disk = os_memory_new();
        struct os_fault *fault = os_fault_new(os_memory_table(disk));
        os_fault_arm(fault, n, kinds, errnum, false);
        struct told told = workload(os_fault_table(fault), ARMI_DURABILITY_FULL);
        fired = os_fault_fired(fault);
        os_fault_free(fault);
        assert_true(told.first_failure == ARMI_OK ||
                    (fired && (told.first_failure == ARMI_STORAGE ||
                               told.first_failure == ARMI_NO_MEMORY)));
        assert_int_equal(os_memory_open_files(disk), 0);
        struct wrong wrong = {0, 0, 0};
        look(os_memory_table(disk), &told, &wrong);
        assert_true(wrong.torn == 0 && wrong.lost == 0 && wrong.unopenable == 0);
        tmp_is_empty(os_memory_table(disk));
        os_memory_free(disk);
    }
}

static void a_failing_call_is_told_and_hurts_nothing(void **state)
{
    (void)state;
    fail_everywhere(OS_FAULT_ANY, EIO);
    fail_everywhere(OS_FAULT_WRITE | OS_FAULT_OPEN | OS_FAULT_NAMES, ENOSPC);
    fail_everywhere(OS_FAULT_ANY, ENOMEM);
}

static void a_failed_sync_is_final(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct os_memory *disk = os_memory_new();
    struct os_fault *fault = os_fault_new(os_memory_table(disk));
    struct armi_chunk_store_options options = one_thread(ARMI_DURABILITY_FULL);
    struct armi_chunk_store *store;
    struct armi_hash out[CHUNKS];
    bool there;
    ok(armi_chunk_store_open_os(os_fault_table(fault), "/", &options, &store, &err));
    /* Of a file (I5): it is dropped; writing it anew is a new file, and may succeed. */
    os_fault_arm(fault, 1, OS_FAULT_SYNC, EIO, false);
    fails(ARMI_STORAGE,
          armi_chunk_store_put(store, chunks[0].data, chunks[0].size, out, &err));
    assert_int_equal(err.sys_errno, EIO);
    ok(armi_chunk_store_exists(store, &names[0], &there, &err));
    assert_false(there);
    ok(armi_chunk_store_put(store, chunks[0].data, chunks[0].size, out, &err));
    /* Of the folder: the handle does not write again, and reads on. */
    os_fault_arm(fault, 2, OS_FAULT_SYNC, EIO, false);
    fails(ARMI_STORAGE,
          armi_chunk_store_put(store, chunks[1].data, chunks[1].size, out, &err));
    fails(ARMI_STORAGE,
          armi_chunk_store_put(store, chunks[2].data, chunks[2].size, out, &err));
    assert_non_null(strstr(err.message, "open it anew"));
    struct armi_bytes bytes;
    ok(armi_chunk_store_get(store, &names[0], &bytes, &err));
    armi_bytes_release(&bytes);
    armi_chunk_store_close(store);
    ok(armi_chunk_store_open_os(os_fault_table(fault), "/", &options, &store, &err));
    ok(armi_chunk_store_put(store, chunks[1].data, chunks[1].size, out, &err));
    armi_chunk_store_close(store);
    os_fault_free(fault);
    os_memory_free(disk);
}

static void a_full_disk_is_told_and_leaves_nothing_behind(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct os_memory *disk = os_memory_new();
    struct armi_chunk_store_options options = one_thread(ARMI_DURABILITY_FULL);
    struct armi_chunk_store *store;
    struct armi_hash out[CHUNKS];
    uint64_t n;
    ok(armi_chunk_store_open_os(os_memory_table(disk), "/", &options, &store, &err));
    os_memory_set_capacity(disk, 3000);
    fails(ARMI_STORAGE, armi_chunk_store_put_batch(store, chunks, CHUNKS, out, &err));
    assert_int_equal(err.sys_errno, ENOSPC);
    ok(armi_chunk_store_count(store, &n, &err));
    assert_int_equal(n, 0);
    ok(armi_chunk_store_put_batch(store, chunks, 2, out,
                                  &err)); /* nothing takes up the room */
    armi_chunk_store_close(store);
    os_memory_free(disk);
}

static void a_disk_that_became_read_only_is_told(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct os_memory *disk = os_memory_new();
    struct armi_chunk_store *store;
    struct armi_hash out;
    struct armi_bytes bytes;
    ok(armi_chunk_store_open_os(os_memory_table(disk), "/", NULL, &store, &err));
    ok(armi_chunk_store_put(store, chunks[0].data, chunks[0].size, &out, &err));
    os_memory_set_read_only(disk, true);
    fails(ARMI_STORAGE,
          armi_chunk_store_put(store, chunks[1].data, chunks[1].size, &out, &err));
    assert_int_equal(err.sys_errno, EROFS);
    armi_chunk_store_close(store);
    ok(armi_chunk_store_open_os(os_memory_table(disk), "/", NULL, &store, &err));
    ok(armi_chunk_store_get(store, &names[0], &bytes, &err));
    armi_bytes_release(&bytes);
    fails(ARMI_STORAGE,
          armi_chunk_store_put(store, chunks[1].data, chunks[1].size, &out, &err));
    assert_int_equal(err.sys_errno, EROFS);
    armi_chunk_store_close(store);
    os_memory_free(disk);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    bool fired = true;
    for (size_t n = 1; fired; n++) {
        struct os_memory *disk = os_memory_new();
        fault_alloc_begin(n, false);
        struct told told = workload(os_memory_table(disk), ARMI_DURABILITY_FULL);
        fired = fault_alloc_end();
        assert_true(told.first_failure == ARMI_OK ||
                    (fired && told.first_failure == ARMI_NO_MEMORY));
        assert_int_equal(os_memory_open_files(disk), 0);
        struct wrong wrong = {0, 0, 0};
        look(os_memory_table(disk), &told, &wrong);
        assert_true(wrong.torn == 0 && wrong.lost == 0 && wrong.unopenable == 0);
        os_memory_free(disk);
    }
}

static void reading_pieces_survives_every_failing_call_and_allocation(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct os_memory *disk = os_memory_new();
    struct os_fault *fault = os_fault_new(os_memory_table(disk));
    const struct armi_os *os = os_fault_table(fault);
    size_t size = 400000;
    uint8_t *bytes = malloc(size), *out = malloc(size);
    memset(bytes, 7, size);
    memcpy(bytes + size - 8, "\0\1\0\0PAR1", 8); /* a footer without values: hashed whole */
    struct armi_chunk_store *store;
    struct armi_hash name;
    ok(armi_chunk_store_open_os(os, "/", NULL, &store, &err));
    ok(armi_chunk_store_put(store, bytes, size, &name, &err));
    armi_chunk_store_close(store);
    for (size_t n = 1, done = 0; done < 2; n++) {
        bool by_call = done == 0;
        if (by_call)
            os_fault_arm(fault, n, OS_FAULT_ANY, EIO, false);
        else
            fault_alloc_begin(n, false);
        int root = os->open(os, ARMI_OS_CWD, "/", ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY, 0);
        struct armi_store_options options = {.os = os, .read_only = true};
        struct armi_store *inner = NULL;
        struct armi_chunk *chunk = NULL;
        const uint8_t *at = NULL;
        enum armi_status status =
            root < 0 ? ARMI_STORAGE : armi_store_open(root, "/", &options, &inner, &err);
        if (status == ARMI_OK)
            status = armi_chunk_open(inner, &name, NULL, &chunk, &err);
        if (status == ARMI_OK)
            status = armi_chunk_read(chunk, 1000, 300000, out, &err);
        if (status == ARMI_OK)
            assert_memory_equal(out, bytes + 1000, 300000);
        if (status == ARMI_OK)
            status = armi_chunk_map(chunk, 0, 5000, &at, &err);
        if (status == ARMI_OK && at != NULL)
            assert_memory_equal(at, bytes, 5000);
        armi_chunk_release(chunk);
        armi_store_release(inner);
        if (root >= 0)
            os->close(os, root);
        bool fired = by_call ? os_fault_fired(fault) : fault_alloc_end();
        enum armi_status expected = by_call ? ARMI_STORAGE : ARMI_NO_MEMORY;
        assert_true(status == ARMI_OK || (fired && status == expected));
        assert_int_equal(os_memory_open_files(disk), 0);
        if (!fired) {
            os_fault_arm(fault, 0, 0, 0, false);
            done++;
            n = 0;
        }
    }
    free(bytes);
    free(out);
    os_fault_free(fault);
    os_memory_free(disk);
}

/* Random operations against a model that is an array of what each chunk should be. */
enum model { ABSENT, SOUND, DAMAGED };

struct world {
    struct os_memory *disk;
    const struct armi_os *os;
    struct armi_chunk_store *store;
    enum model model[CHUNKS];
    uint32_t random;
};

static uint32_t next(struct world *w)
{
    w->random = w->random * 1664525u + 1013904223u;
    return w->random >> 8;
}

static void model_open(struct world *w)
{
    struct armi_error err = ARMI_ERROR_INIT;
    ok(armi_chunk_store_open_os(w->os, "/", NULL, &w->store, &err));
}

static void model_put(struct world *w)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_chunk_data items[6];
    struct armi_hash out[6];
    size_t index[6], count = next(w) % 7;
    for (size_t i = 0; i < count; i++) {
        index[i] = next(w) % CHUNKS;
        items[i] = chunks[index[i]];
    }
    ok(armi_chunk_store_put_batch(w->store, items, count, out, &err));
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(&out[i], &names[index[i]], sizeof out[i]);
        w->model[index[i]] = SOUND;
    }
}

static void model_damage(struct world *w, size_t i)
{
    char path[128], hex[ARMI_HASH_HEX_SIZE];
    uint8_t byte;
    armi_hash_format(&names[i], hex);
    snprintf(path, sizeof path, "/chunks/%s.parquet", hex);
    if (w->model[i] != SOUND)
        return;
    uint64_t offset = next(w) % chunks[i].size;
    int fd = w->os->open(w->os, ARMI_OS_CWD, path, ARMI_OPEN_READ | ARMI_OPEN_WRITE, 0);
    assert_true(fd >= 0);
    assert_int_equal(w->os->pread(w->os, fd, &byte, 1, offset), 1);
    byte ^= 0x80;
    assert_int_equal(w->os->pwrite(w->os, fd, &byte, 1, offset), 1);
    w->os->close(w->os, fd);
    w->model[i] = DAMAGED;
}

static void model_check(struct world *w, size_t i)
{
    struct armi_error err = ARMI_ERROR_INIT;
    static const enum armi_status expected[] = {ARMI_NOT_FOUND, ARMI_OK, ARMI_CORRUPTION};
    struct armi_bytes bytes = ARMI_BYTES_INIT;
    enum armi_status status =
        next(w) % 2 == 0 ? armi_chunk_store_get(w->store, &names[i], &bytes, &err)
                         : armi_chunk_store_get_mmap(w->store, &names[i], &bytes, &err);
    assert_int_equal(status, expected[w->model[i]]);
    if (status == ARMI_OK)
        assert_memory_equal(bytes.data, chunks[i].data, chunks[i].size);
    armi_bytes_release(&bytes);
    bool there;
    ok(armi_chunk_store_exists(w->store, &names[i], &there, &err));
    assert_int_equal(there, w->model[i] == SOUND);
}

static void model_count(struct world *w)
{
    struct armi_error err = ARMI_ERROR_INIT;
    uint64_t n, expected = 0;
    for (size_t i = 0; i < CHUNKS; i++)
        expected += w->model[i] != ABSENT;
    ok(armi_chunk_store_count(w->store, &n, &err));
    assert_int_equal(n, expected);
}

static void random_operations_agree_with_a_model(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct world w = {.disk = os_memory_new(), .random = seed};
        w.os = os_memory_table(w.disk);
        model_open(&w);
        for (int step = 0; step < 300; step++) {
            size_t i = next(&w) % CHUNKS;
            switch (next(&w) % 8) {
            case 0:
            case 1:
                model_put(&w);
                break;
            case 2:
                ok(armi_chunk_store_delete(w.store, &names[i], &err));
                w.model[i] = ABSENT;
                break;
            case 3:
                model_damage(&w, i);
                break;
            case 4:
                if (next(&w) % 4 == 0) {
                    armi_chunk_store_close(w.store);
                    os_memory_crash(w.disk, OS_CRASH_KEEP, 0);
                    model_open(&w);
                }
                break;
            default:
                model_check(&w, i);
                model_count(&w);
            }
        }
        armi_chunk_store_close(w.store);
        assert_int_equal(os_memory_open_files(w.disk), 0);
        os_memory_free(w.disk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_crash_leaves_a_torn_chunk_or_takes_a_durable_one),
        cmocka_unit_test(the_same_crashes_find_a_missing_sync),
        cmocka_unit_test(who_finds_a_name_makes_it_durable),
        cmocka_unit_test(a_crash_during_a_repair_leaves_the_old_file_or_the_new),
        cmocka_unit_test(a_failing_call_is_told_and_hurts_nothing),
        cmocka_unit_test(a_failed_sync_is_final),
        cmocka_unit_test(a_full_disk_is_told_and_leaves_nothing_behind),
        cmocka_unit_test(a_disk_that_became_read_only_is_told),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(reading_pieces_survives_every_failing_call_and_allocation),
        cmocka_unit_test(random_operations_agree_with_a_model),
    };
    return cmocka_run_group_tests(tests, make_chunks, NULL);
}
