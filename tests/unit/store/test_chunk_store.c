#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <armillaria/chunk_store.h>

#include "hash/blake3.h"
#include "os/os.h"
#include "temp_dir.h"

struct bench {
    char dir[TEMP_DIR_SIZE];
    char path[TEMP_DIR_SIZE + 8];
    struct armi_chunk_store *store;
};

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    temp_dir_make(b->dir);
    snprintf(b->path, sizeof b->path, "%s/store", b->dir);
    *state = b;
    return armi_chunk_store_open(b->path, NULL, &b->store, NULL) == ARMI_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    armi_chunk_store_close(b->store);
    temp_dir_remove(b->dir);
    free(b);
    return 0;
}

static void reopen(struct bench *b, const struct armi_chunk_store_options *options)
{
    struct armi_error err = ARMI_ERROR_INIT;
    armi_chunk_store_close(b->store);
    b->store = NULL;
    ok(armi_chunk_store_open(b->path, options, &b->store, &err));
}

static struct armi_hash put(struct bench *b, const void *data, size_t size)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash hash, expected;
    ok(armi_chunk_store_put(b->store, data, size, &hash, &err));
    armi_blake3_hash(data, size, &expected);
    assert_memory_equal(&hash, &expected, sizeof hash);
    return hash;
}

static struct armi_hash put_text(struct bench *b, const char *text)
{
    return put(b, text, strlen(text));
}

static uint8_t *pattern(size_t size, uint32_t seed)
{
    uint8_t *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
    return bytes;
}

static void chunk_path(const struct bench *b, const struct armi_hash *hash, char out[512])
{
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(hash, hex);
    snprintf(out, 512, "%s/chunks/%s.parquet", b->path, hex);
}

static void damage(const struct bench *b, const struct armi_hash *hash, long offset)
{
    char path[512], byte;
    chunk_path(b, hash, path);
    int fd = open(path, O_RDONLY);
    assert_int_equal(fchmod(fd, 0644), 0);
    close(fd);
    fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte = (char)(byte ^ 1);
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

static void assert_get(struct bench *b, const struct armi_hash *hash, const void *data,
                       size_t size)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_bytes bytes[3];
    ok(armi_chunk_store_get(b->store, hash, &bytes[0], &err));
    ok(armi_chunk_store_get_verified(b->store, hash, &bytes[1], &err));
    ok(armi_chunk_store_get_mmap(b->store, hash, &bytes[2], &err));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(bytes[i].size, size);
        assert_non_null(bytes[i].data);
        assert_int_equal((uintptr_t)bytes[i].data % 64, 0);
        assert_memory_equal(bytes[i].data, data, size);
        armi_bytes_release(&bytes[i]);
        assert_null(bytes[i].release);
    }
}

static size_t count_names(const char *dir)
{
    size_t n = 0;
    DIR *stream = opendir(dir);
    assert_non_null(stream);
    for (struct dirent *e = readdir(stream); e != NULL; e = readdir(stream))
        n += e->d_name[0] != '.';
    closedir(stream);
    return n;
}

static size_t tmp_folders(const struct bench *b)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tmp", b->path);
    return count_names(path);
}

static void what_is_put_comes_back_under_its_hash(void **state)
{
    struct bench *b = *state;
    static const size_t sizes[] = {
        0,      1,       1023,    1024,          1025,         65536,
        262143, 1 << 20, 1000001, (1 << 20) + 1, (3 << 20) + 5};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *bytes = pattern(sizes[i], (uint32_t)i);
        struct armi_hash hash = put(b, bytes, sizes[i]);
        assert_get(b, &hash, bytes, sizes[i]);
        free(bytes);
    }
    struct armi_hash empty = put(b, NULL, 0);
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(&empty, hex);
    assert_string_equal(hex,
                        "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
}

static void the_folder_looks_as_the_format_page_says(void **state)
{
    struct bench *b = *state;
    char path[512], text[6];
    struct stat st;
    put_text(b, "hello");
    snprintf(path, sizeof path,
             "%s/chunks/"
             "ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f.parquet",
             b->path);
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, text, 6), 5);
    assert_memory_equal(text, "hello", 5);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777 & ~0444, 0);
    close(fd);
    assert_int_equal(count_names(b->path), 3);
    snprintf(path, sizeof path, "%s/lock", b->path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 0);
}

static void a_batch_costs_one_flush_of_the_folder(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_os_counters before, after;
    char text[10][16];
    struct armi_chunk_data items[10];
    struct armi_hash hashes[10], expected;
    for (size_t i = 0; i < 10; i++) {
        int n = snprintf(text[i], sizeof text[i], "chunk %zu", i);
        items[i] = (struct armi_chunk_data){text[i], (size_t)n};
    }
    put_text(b, "so that the folder in tmp/ is there");
    armi_os_counters(&before);
    ok(armi_chunk_store_put_batch(b->store, items, 10, hashes, &err));
    armi_os_counters(&after);
    assert_int_equal(after.fsyncs - before.fsyncs, 11);
    assert_int_equal(after.fdatasyncs - before.fdatasyncs, 0);
    for (size_t i = 0; i < 10; i++) {
        armi_blake3_hash(items[i].data, items[i].size, &expected);
        assert_memory_equal(&hashes[i], &expected, sizeof expected);
    }
}

static void batches_keep_order_and_take_repeats_and_nothing(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_chunk_data items[] = {{"b", 1}, {"a", 1}, {"b", 1}, {"", 0}, {"c", 1}};
    struct armi_hash hashes[5];
    struct armi_bytes out[5];
    ok(armi_chunk_store_put_batch(b->store, items, 5, hashes, &err));
    assert_memory_equal(&hashes[0], &hashes[2], sizeof hashes[0]);
    enum armi_status (*gets[])(struct armi_chunk_store *, const struct armi_hash *, size_t,
                               struct armi_bytes *, struct armi_error *) = {
        armi_chunk_store_get_batch, armi_chunk_store_get_batch_verified,
        armi_chunk_store_get_mmap_batch};
    for (size_t g = 0; g < 3; g++) {
        ok(gets[g](b->store, hashes, 5, out, &err));
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(out[i].size, items[i].size);
            assert_memory_equal(out[i].data, items[i].data, items[i].size);
            armi_bytes_release(&out[i]);
        }
        ok(gets[g](b->store, hashes, 0, NULL, &err));
    }
    ok(armi_chunk_store_put_batch(b->store, NULL, 0, NULL, &err));
}

static void an_absent_chunk_is_named_and_a_batch_names_the_first(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash hashes[3] = {put_text(b, "here"), {{1}}, {{2}}};
    struct armi_bytes out[3];
    memset(out, 0x55, sizeof out);
    struct armi_bytes untouched = out[0];
    fails(ARMI_NOT_FOUND, armi_chunk_store_get(b->store, &hashes[1], out, &err));
    assert_string_equal(err.message,
                        "Chunk not found: "
                        "0100000000000000000000000000000000000000000000000000000000000000");
    assert_string_equal(err.kind, "chunk");
    assert_string_equal(err.name,
                        "0100000000000000000000000000000000000000000000000000000000000000");
    fails(ARMI_NOT_FOUND, armi_chunk_store_get_batch(b->store, hashes, 3, out, &err));
    assert_string_equal(err.name,
                        "0100000000000000000000000000000000000000000000000000000000000000");
    fails(ARMI_NOT_FOUND, armi_chunk_store_get_mmap_batch(b->store, hashes, 3, out, &err));
    assert_memory_equal(&out[0], &untouched, sizeof untouched);
}

static void a_hash_has_one_spelling(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash hash;
    char text[65];
    memset(text, 'a', 64);
    text[64] = '\0';
    ok(armi_chunk_hash_parse(text, 64, &hash, &err));
    fails(ARMI_INVALID, armi_chunk_hash_parse(text, 63, &hash, &err));
    assert_int_equal(strncmp(err.message, "Invalid hash: ", 14), 0);
    text[5] = 'A';
    fails(ARMI_INVALID, armi_chunk_hash_parse(text, 64, &hash, &err));
    assert_int_equal(strncmp(err.message, "Invalid hash: ", 14), 0);
    text[5] = 'g';
    fails(ARMI_INVALID, armi_chunk_hash_parse(text, 64, &hash, &err));
    fails(ARMI_INVALID, armi_chunk_hash_parse("", 0, &hash, &err));
}

static void names_come_and_go(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash hashes[3] = {put_text(b, "1"), put_text(b, "2"), put_text(b, "3")},
                     got;
    struct armi_chunk_iterator *iterator;
    char path[512];
    snprintf(path, sizeof path, "%s/chunks/not a chunk.parquet", b->path);
    close(open(path, O_CREAT | O_WRONLY, 0644));
    bool there;
    uint64_t n;
    ok(armi_chunk_store_exists(b->store, &hashes[1], &there, &err));
    assert_true(there);
    ok(armi_chunk_store_iterate(b->store, &iterator, &err));
    ok(armi_chunk_store_delete(b->store, &hashes[1], &err));
    ok(armi_chunk_store_delete(b->store, &hashes[1], &err));
    ok(armi_chunk_store_exists(b->store, &hashes[1], &there, &err));
    assert_false(there);
    ok(armi_chunk_store_count(b->store, &n, &err));
    assert_int_equal(n, 2);
    struct armi_hash last = {{0}};
    for (n = 0; armi_chunk_iterator_next(iterator, &got); n++) {
        assert_true(memcmp(&last, &got, sizeof got) < 0);
        last = got;
    }
    assert_int_equal(n, 3);
    assert_false(armi_chunk_iterator_next(iterator, &got));
    armi_chunk_iterator_free(iterator);
}

static void a_mapping_outlives_delete_and_handle(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t *bytes = pattern(300000, 9);
    struct armi_hash hash = put(b, bytes, 300000);
    struct armi_bytes mapped;
    ok(armi_chunk_store_get_mmap(b->store, &hash, &mapped, &err));
    ok(armi_chunk_store_delete(b->store, &hash, &err));
    armi_chunk_store_close(b->store);
    b->store = NULL;
    assert_memory_equal(mapped.data, bytes, 300000);
    armi_bytes_release(&mapped);
    free(bytes);
}

static void every_flipped_byte_of_a_chunk_is_noticed_by_every_read(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash hash =
        put_text(b, "a chunk of no great length, each byte of which matters");
    struct armi_bytes out;
    for (long at = 0; at < 54; at++) {
        damage(b, &hash, at);
        fails(ARMI_CORRUPTION, armi_chunk_store_get(b->store, &hash, &out, &err));
        assert_string_equal(err.kind, "chunk");
        assert_non_null(strstr(err.message, err.name));
        fails(ARMI_CORRUPTION, armi_chunk_store_get_verified(b->store, &hash, &out, &err));
        fails(ARMI_CORRUPTION, armi_chunk_store_get_mmap(b->store, &hash, &out, &err));
        damage(b, &hash, at);
        ok(armi_chunk_store_get(b->store, &hash, &out, &err));
        armi_bytes_release(&out);
    }
}

static void damage_after_a_good_read_is_noticed(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    uint8_t *bytes = pattern(2000000, 3);
    struct armi_hash hash = put(b, bytes, 2000000);
    assert_get(b, &hash, bytes, 2000000);
    damage(b, &hash, 1999999);
    struct armi_bytes out;
    fails(ARMI_CORRUPTION, armi_chunk_store_get(b->store, &hash, &out, &err));
    free(bytes);
}

static void a_chunk_that_was_cut_short_is_damaged(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash hash = put_text(b, "0123456789");
    char path[512];
    chunk_path(b, &hash, path);
    assert_int_equal(chmod(path, 0600), 0); /* it is read-only, and not all are root */
    assert_int_equal(truncate(path, 9), 0);
    struct armi_bytes out;
    fails(ARMI_CORRUPTION, armi_chunk_store_get(b->store, &hash, &out, &err));
    assert_int_equal(truncate(path, 0), 0);
    fails(ARMI_CORRUPTION, armi_chunk_store_get_mmap(b->store, &hash, &out, &err));
}

static void putting_a_damaged_chunk_again_repairs_it(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash hash = put_text(b, "precious"), other = put_text(b, "other");
    struct armi_bytes out;
    bool there;
    damage(b, &hash, 3);
    fails(ARMI_CORRUPTION, armi_chunk_store_get(b->store, &hash, &out, &err));
    put_text(b, "precious");
    assert_get(b, &hash, "precious", 8);
    ok(armi_chunk_store_exists(b->store, &hash, &there, &err));
    assert_true(there);
    assert_get(b, &other, "other", 5);
    /* And by a handle that never read it. */
    damage(b, &hash, 3);
    reopen(b, NULL);
    put_text(b, "precious");
    assert_get(b, &hash, "precious", 8);
}

static void links_and_folders_are_no_chunks(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash hash = put_text(b, "target");
    char path[512], elsewhere[512];
    struct armi_bytes out;
    bool there;
    chunk_path(b, &hash, path);
    snprintf(elsewhere, sizeof elsewhere, "%s/moved", b->dir);
    assert_int_equal(rename(path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
    fails(ARMI_CORRUPTION, armi_chunk_store_get(b->store, &hash, &out, &err));
    assert_non_null(strstr(err.message, "symbolic link"));
    fails(ARMI_CORRUPTION, armi_chunk_store_get_mmap(b->store, &hash, &out, &err));
    ok(armi_chunk_store_exists(b->store, &hash, &there, &err));
    assert_false(there);
    put_text(b, "target"); /* takes the link's place, and leaves what it led to alone */
    assert_get(b, &hash, "target", 6);
    assert_int_equal(access(elsewhere, F_OK), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0755), 0);
    fails(ARMI_CORRUPTION, armi_chunk_store_get(b->store, &hash, &out, &err));
    assert_non_null(strstr(err.message, "folder"));
    fails(ARMI_CORRUPTION, armi_chunk_store_put(b->store, "target", 6, &hash, &err));
    assert_int_equal(tmp_folders(b), 1);
}

static void a_folder_is_opened_made_or_refused_for_what_it_holds(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_chunk_store *store;
    struct armi_chunk_store_options no_create = {.size = sizeof no_create,
                                                 .no_create = true};
    char path[512];
    snprintf(path, sizeof path, "%s/none", b->dir);
    fails(ARMI_NOT_FOUND, armi_chunk_store_open(path, &no_create, &store, &err));
    assert_int_equal(mkdir(path, 0755), 0);
    fails(ARMI_NOT_FOUND, armi_chunk_store_open(path, &no_create, &store, &err));
    ok(armi_chunk_store_open(path, NULL, &store, &err));
    assert_string_equal(armi_chunk_store_path(store), path);
    armi_chunk_store_close(store);
    ok(armi_chunk_store_open(path, &no_create, &store, &err));
    armi_chunk_store_close(store);
    snprintf(path, sizeof path, "%s/none/FORMAT", b->dir);
    close(open(path, O_CREAT | O_WRONLY, 0644));
    path[strlen(path) - 7] = '\0';
    fails(ARMI_INVALID, armi_chunk_store_open(path, NULL, &store, &err));
    assert_non_null(strstr(err.message, "repository"));
    fails(ARMI_INVALID, armi_chunk_store_open(b->dir, NULL, &store, &err));
    assert_non_null(strstr(err.message, "it holds"));
    snprintf(path, sizeof path, "%s/none/FORMAT", b->dir);
    fails(ARMI_INVALID, armi_chunk_store_open(path, NULL, &store, &err));
    assert_non_null(strstr(err.message, "not a folder"));
    snprintf(path, sizeof path, "%s/no/such/parent", b->dir);
    fails(ARMI_STORAGE, armi_chunk_store_open(path, NULL, &store, &err));
    assert_int_equal(err.sys_errno, ENOENT);
}

static void durability_none_is_fixed_when_the_store_is_made(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_chunk_store *store;
    struct armi_os_counters before, after;
    struct armi_chunk_store_options none = {.size = sizeof none,
                                            .durability = ARMI_DURABILITY_NONE};
    struct armi_chunk_store_options full = {.size = sizeof full,
                                            .durability = ARMI_DURABILITY_FULL};
    fails(ARMI_INVALID, armi_chunk_store_open(b->path, &none, &store, &err));
    char path[512];
    snprintf(path, sizeof path, "%s/scratch", b->dir);
    armi_os_counters(&before);
    ok(armi_chunk_store_open(path, &none, &store, &err));
    struct armi_hash hash;
    ok(armi_chunk_store_put(store, "x", 1, &hash, &err));
    armi_os_counters(&after);
    assert_int_equal(after.fsyncs, before.fsyncs);
    armi_chunk_store_close(store);
    fails(ARMI_INVALID, armi_chunk_store_open(path, &full, &store, &err));
    ok(armi_chunk_store_open(path, NULL, &store, &err));
    ok(armi_chunk_store_put(store, "y", 1, &hash, &err));
    armi_os_counters(&after);
    assert_int_equal(after.fsyncs, before.fsyncs);
    armi_chunk_store_close(store);
}

static void a_read_only_handle_reads_and_refuses_to_write(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_chunk_store_options options = {.size = sizeof options, .read_only = true};
    struct armi_hash hash = put_text(b, "x");
    reopen(b, &options);
    assert_get(b, &hash, "x", 1);
    fails(ARMI_STORAGE, armi_chunk_store_put(b->store, "y", 1, &hash, &err));
    assert_int_equal(err.sys_errno, EROFS);
    fails(ARMI_STORAGE, armi_chunk_store_delete(b->store, &hash, &err));
}

static void no_verify_trusts_the_file_but_for_get_verified(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_chunk_store_options options = {.size = sizeof options, .no_verify = true};
    struct armi_hash hash = put_text(b, "trusted");
    damage(b, &hash, 0);
    reopen(b, &options);
    struct armi_bytes out;
    ok(armi_chunk_store_get(b->store, &hash, &out, &err));
    assert_memory_equal(out.data, "urusted", 7);
    armi_bytes_release(&out);
    fails(ARMI_CORRUPTION, armi_chunk_store_get_verified(b->store, &hash, &out, &err));
}

static bool stop(void *ctx)
{
    return ++*(int *)ctx > 2;
}

static void a_call_can_be_interrupted(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    int asked = 0;
    struct armi_chunk_store_options options = {.size = sizeof options,
                                               .callbacks = {stop, NULL, &asked}};
    reopen(b, &options);
    struct armi_chunk_data items[50];
    struct armi_hash hashes[50];
    for (size_t i = 0; i < 50; i++)
        items[i] = (struct armi_chunk_data){
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", i + 1};
    fails(ARMI_INTERRUPTED, armi_chunk_store_put_batch(b->store, items, 50, hashes, &err));
    asked = -1000;
    ok(armi_chunk_store_put_batch(b->store, items, 50, hashes, &err));
}

static void what_dead_processes_left_in_tmp_is_swept(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    put_text(b, "keeps a folder in tmp/ alive");
    assert_int_equal(tmp_folders(b), 1);
    pid_t child = fork();
    if (child == 0) {
        struct armi_chunk_store *own;
        struct armi_hash hash;
        if (armi_chunk_store_open(b->path, NULL, &own, NULL) != ARMI_OK ||
            armi_chunk_store_put(own, "from a child", 12, &hash, NULL) != ARMI_OK)
            _exit(1);
        _exit(0); /* without closing: as if killed */
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(tmp_folders(b), 2);
    struct armi_chunk_store *other;
    ok(armi_chunk_store_open(b->path, NULL, &other, &err));
    assert_int_equal(tmp_folders(b), 1);
    armi_chunk_store_close(other);
    assert_int_equal(tmp_folders(b), 1);
    armi_chunk_store_close(b->store);
    b->store = NULL;
    assert_int_equal(tmp_folders(b), 0);
}

static void a_child_uses_an_inherited_handle(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash hash = put_text(b, "parent");
    struct armi_bytes out;
    pid_t child = fork();
    if (child == 0) {
        bool right = armi_chunk_store_get(b->store, &hash, &out, NULL) == ARMI_OK &&
                     armi_chunk_store_put(b->store, "child", 5, &hash, NULL) == ARMI_OK &&
                     tmp_folders(b) == 2;
        armi_chunk_store_close(b->store);
        _exit(right && tmp_folders(b) == 1 ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    armi_blake3_hash("child", 5, &hash);
    ok(armi_chunk_store_get(b->store, &hash, &out, &err));
    armi_bytes_release(&out);
    put_text(b, "the parent goes on");
}

#define WRITERS 4
#define ROUNDS  40

/* The same chunks in another order for each, so that they meet. */
static bool write_many(const char *path, struct armi_chunk_store *store, unsigned who)
{
    struct armi_chunk_store *own = store;
    if (own == NULL && armi_chunk_store_open(path, NULL, &own, NULL) != ARMI_OK)
        return false;
    bool right = true;
    for (unsigned i = 0; i < ROUNDS && right; i++) {
        unsigned n = who % 2 == 0 ? i : ROUNDS - 1 - i;
        uint8_t *bytes = pattern(1000 * n + 10, n);
        struct armi_hash hash;
        struct armi_bytes out = ARMI_BYTES_INIT;
        right = armi_chunk_store_put(own, bytes, 1000 * n + 10, &hash, NULL) == ARMI_OK &&
                armi_chunk_store_get_verified(own, &hash, &out, NULL) == ARMI_OK &&
                out.size == 1000 * n + 10 && memcmp(out.data, bytes, out.size) == 0;
        armi_bytes_release(&out);
        free(bytes);
    }
    if (store == NULL)
        armi_chunk_store_close(own);
    return right;
}

struct writer {
    struct bench *bench;
    unsigned who;
    bool right;
};

static void *writer_main(void *arg)
{
    struct writer *w = arg;
    w->right = write_many(w->bench->path, w->bench->store, w->who);
    return NULL;
}

static void assert_all_sound(struct bench *b, uint64_t expected)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_chunk_iterator *iterator;
    struct armi_hash hash;
    uint64_t n = 0;
    ok(armi_chunk_store_iterate(b->store, &iterator, &err));
    for (; armi_chunk_iterator_next(iterator, &hash); n++) {
        struct armi_bytes out;
        ok(armi_chunk_store_get_verified(b->store, &hash, &out, &err));
        armi_bytes_release(&out);
    }
    armi_chunk_iterator_free(iterator);
    assert_int_equal(n, expected);
}

static void threads_write_the_same_chunks(void **state)
{
    struct bench *b = *state;
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){b, i, false};
        assert_int_equal(pthread_create(&threads[i], NULL, writer_main, &writers[i]), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(writers[i].right);
    }
    assert_all_sound(b, ROUNDS);
}

static void processes_write_the_same_chunks(void **state)
{
    struct bench *b = *state;
    pid_t children[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(write_many(b->path, i % 3 == 2 ? b->store : NULL, i) ? 0 : 1);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_all_sound(b, ROUNDS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_comes_back_under_its_hash),
        TEST(the_folder_looks_as_the_format_page_says),
        TEST(a_batch_costs_one_flush_of_the_folder),
        TEST(batches_keep_order_and_take_repeats_and_nothing),
        TEST(an_absent_chunk_is_named_and_a_batch_names_the_first),
        TEST(a_hash_has_one_spelling),
        TEST(names_come_and_go),
        TEST(a_mapping_outlives_delete_and_handle),
        TEST(every_flipped_byte_of_a_chunk_is_noticed_by_every_read),
        TEST(damage_after_a_good_read_is_noticed),
        TEST(a_chunk_that_was_cut_short_is_damaged),
        TEST(putting_a_damaged_chunk_again_repairs_it),
        TEST(links_and_folders_are_no_chunks),
        TEST(a_folder_is_opened_made_or_refused_for_what_it_holds),
        TEST(durability_none_is_fixed_when_the_store_is_made),
        TEST(a_read_only_handle_reads_and_refuses_to_write),
        TEST(no_verify_trusts_the_file_but_for_get_verified),
        TEST(a_call_can_be_interrupted),
        TEST(what_dead_processes_left_in_tmp_is_swept),
        TEST(a_child_uses_an_inherited_handle),
        TEST(threads_write_the_same_chunks),
        TEST(processes_write_the_same_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
