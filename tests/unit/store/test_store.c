#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/buf.h"
#include "base/text.h"
#include "hash/block_values.h"
#include "os_fault.h"
#include "os_memory.h"
#include "store/batch.h"
#include "store/front.h"
#include "store/store.h"

/* The store over a disk in memory, whose clock moves with each call: every file state is
 * told from every other, without waiting. */
struct bench {
    struct os_memory *disk;
    struct os_fault *fault; /* only counts */
    const struct armi_os *os;
    struct armi_store *store;
};

static void open_store(struct bench *b, const struct armi_store_options *given)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_store_options options =
        given != NULL ? *given : (struct armi_store_options){0};
    options.os = b->os;
    unsigned flags = ARMI_OPEN_READ | ARMI_OPEN_DIRECTORY;
    int root = b->os->open(b->os, ARMI_OS_CWD, "/", flags, 0);
    ok(armi_store_create(b->os, root, 0, &err));
    ok(armi_store_open(root, "disk", &options, &b->store, &err));
    b->os->close(b->os, root);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    b->disk = os_memory_new();
    b->fault = os_fault_new(os_memory_table(b->disk));
    b->os = os_fault_table(b->fault);
    open_store(b, NULL);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    armi_store_release(b->store);
    size_t left = os_memory_open_files(b->disk);
    os_fault_free(b->fault);
    os_memory_free(b->disk);
    free(b);
    return left == 0 ? 0 : -1;
}

static uint8_t *pattern(size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i % 251);
    return bytes;
}

static enum armi_chunk_put put(struct bench *b, const void *data, size_t size,
                               struct armi_hash *hash)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_store_batch *batch;
    enum armi_chunk_put what;
    struct armi_slice bytes = {data, size};
    armi_blake3_hash(data, size, hash);
    ok(armi_store_batch_begin(b->store, &batch, &err));
    ok(armi_store_batch_add(batch, hash, &bytes, 1, &what, &err));
    ok(armi_store_batch_sync(batch, &err));
    armi_store_batch_free(batch);
    return what;
}

/*
 * A file of the shape that the encoder writes: data, then a footer that is only the key
 * with the values (as in the worked example of the format page). Returns its bytes.
 */
static struct armi_buf projected_file(size_t data_size, size_t padding,
                                      struct armi_hash *name)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_block_hasher hasher;
    struct armi_buf file = {0}, text = {0};
    uint8_t *data = pattern(data_size);
    ok(armi_buf_append(&file, data, data_size, &err));
    free(data);
    armi_block_hasher_init(&hasher);
    struct armi_slice whole = armi_buf_slice(&file);
    ok(armi_block_hasher_update(&hasher, &whole, 1, &err));
    ok(armi_block_hasher_text(&hasher, &text, &err));
    size_t start = file.size;
    for (size_t i = 0; i < padding; i++)
        ok(armi_buf_append_u8(&file, 0x2a, &err));
    if (text.size != 0) {
        ok(armi_buf_append(&file, "\x18\x0b" ARMI_BLOCK_KEY "\x18", 14, &err));
        ok(armi_buf_append_varint(&file, text.size, &err));
        ok(armi_buf_append(&file, text.data, text.size, &err));
        ok(armi_buf_append_u8(&file, 0, &err));
    }
    ok(armi_buf_append_u32(&file, (uint32_t)(file.size - start), &err));
    ok(armi_buf_append(&file, "PAR1", 4, &err));
    struct armi_slice footer = {file.data + start, file.size - start};
    ok(armi_block_hasher_update(&hasher, &footer, 1, &err));
    armi_block_hasher_finalize(&hasher, name);
    struct armi_hash expected;
    armi_blake3_hash(file.data, file.size, &expected);
    assert_memory_equal(name, &expected, sizeof expected);
    armi_block_hasher_release(&hasher);
    armi_buf_release(&text);
    return file;
}

static void path_of(const struct armi_hash *hash, char path[128])
{
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(hash, hex);
    snprintf(path, 128, "/chunks/%s.parquet", hex);
}

/* Behind everybody's back (times stay), or as a program would (times move). */
static void damage(struct bench *b, const struct armi_hash *hash, uint64_t offset,
                   bool times)
{
    char path[128];
    path_of(hash, path);
    assert_int_equal(os_memory_damage(b->disk, path, offset, 0x10), 0);
    if (times) {
        uint8_t byte;
        int fd = b->os->open(b->os, ARMI_OS_CWD, path, ARMI_OPEN_READ | ARMI_OPEN_WRITE, 0);
        assert_int_equal(b->os->pread(b->os, fd, &byte, 1, offset), 1);
        assert_int_equal(b->os->pwrite(b->os, fd, &byte, 1, offset), 1);
        b->os->close(b->os, fd);
    }
}

static void the_golden_file_of_the_format_page_opens_by_its_values(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash name;
    struct armi_buf file = projected_file(267144, 0, &name);
    char hex[ARMI_HASH_HEX_SIZE];
    assert_int_equal(file.size, 267260);
    armi_hash_format(&name, hex);
    assert_string_equal(hex,
                        "d058743208c70f5adbb5227410fc3210bb33ec3674d3432339f3895b4fea3c05");
    put(b, file.data, file.size, &name);
    struct armi_chunk *chunk;
    struct armi_chunk_options options = {.file_size = 267260, .footer_size = 108};
    os_fault_arm(b->fault, 0, OS_FAULT_READ, 0, false);
    ok(armi_chunk_open(b->store, &name, &options, &chunk, &err));
    assert_int_equal(os_fault_calls(b->fault), 1); /* the tail, in one read */
    uint8_t piece[100];
    ok(armi_chunk_read(chunk, 266000, 100, piece, &err));
    assert_int_equal(os_fault_calls(b->fault), 1); /* lies in the tail */
    assert_memory_equal(piece, file.data + 266000, 100);
    ok(armi_chunk_read(chunk, 1000, 100, piece, &err));
    assert_memory_equal(piece, file.data + 1000, 100);
    assert_int_equal(os_fault_calls(b->fault), 2);
    armi_chunk_release(chunk);
    /* Another handle finds the file proved, and the tail not in memory. */
    ok(armi_chunk_open(b->store, &name, NULL, &chunk, &err));
    assert_int_equal(os_fault_calls(b->fault), 2);
    ok(armi_chunk_read(chunk, 267160, 100, piece, &err));
    assert_memory_equal(piece, file.data + 267160, 100);
    armi_chunk_release(chunk);
    armi_buf_release(&file);
}

static void any_piece_of_a_chunk_equals_the_file(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    static const size_t sizes[] = {100, 131072, 131073, 262144, 600000, 786432};
    static const size_t paddings[] = {0, 1, 5000, 140000};
    srand(5);
    for (size_t s = 0; s < 6; s++) {
        for (size_t p = 0; p < 4; p++) {
            struct armi_hash name;
            struct armi_buf file = projected_file(sizes[s], paddings[p], &name);
            uint8_t *out = malloc(file.size);
            struct armi_chunk *chunk;
            put(b, file.data, file.size, &name);
            ok(armi_chunk_open(b->store, &name, NULL, &chunk, &err));
            assert_int_equal(armi_chunk_size(chunk), file.size);
            for (int i = 0; i < 60; i++) {
                size_t offset = (size_t)rand() % (file.size + 1);
                size_t size = (size_t)rand() % (file.size - offset + 1);
                size = i % 3 == 0 ? size : size % 3000;
                const uint8_t *at;
                memset(out, 0, size);
                ok(armi_chunk_read(chunk, offset, size, out, &err));
                assert_memory_equal(out, file.data + offset, size);
                ok(armi_chunk_map(chunk, offset, size, &at, &err));
                assert_memory_equal(at, file.data + offset, size);
            }
            fails(ARMI_INVALID, armi_chunk_read(chunk, file.size, 1, out, &err));
            fails(ARMI_INVALID, armi_chunk_read(chunk, UINT64_MAX, 2, out, &err));
            armi_chunk_release(chunk);
            free(out);
            armi_buf_release(&file);
        }
    }
}

static void reading_a_piece_reads_its_blocks_and_no_more(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash name;
    struct armi_buf file = projected_file(20 * 131072, 0, &name);
    put(b, file.data, file.size, &name);
    /* A damaged block troubles only those who touch it. */
    damage(b, &name, 7 * 131072 + 5, false);
    struct armi_chunk *chunk;
    uint8_t *out = malloc(file.size);
    const uint8_t *at;
    ok(armi_chunk_open(b->store, &name, NULL, &chunk, &err));
    ok(armi_chunk_read(chunk, 0, 7 * 131072, out, &err));
    ok(armi_chunk_read(chunk, 8 * 131072, 1000, out, &err));
    ok(armi_chunk_map(chunk, 8 * 131072, 131072, &at, &err));
    fails(ARMI_CORRUPTION, armi_chunk_read(chunk, 8 * 131072 - 1, 2, out, &err));
    assert_non_null(strstr(err.message, "block 7"));
    fails(ARMI_CORRUPTION, armi_chunk_map(chunk, 7 * 131072 + 100, 1, &at, &err));
    fails(ARMI_CORRUPTION, armi_chunk_read(chunk, 0, file.size, out, &err));
    bool there;
    ok(armi_store_exists(b->store, &name, &there, &err));
    assert_false(there);
    armi_chunk_release(chunk);
    assert_int_equal(put(b, file.data, file.size, &name), ARMI_CHUNK_REPAIRED);
    ok(armi_store_exists(b->store, &name, &there, &err));
    assert_true(there);
    ok(armi_chunk_open(b->store, &name, NULL, &chunk, &err));
    ok(armi_chunk_read(chunk, 0, file.size, out, &err));
    assert_memory_equal(out, file.data, file.size);
    armi_chunk_release(chunk);
    free(out);
    armi_buf_release(&file);
}

static void every_flipped_byte_is_noticed_when_it_is_touched(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash name;
    struct armi_buf file = projected_file(131072 + 700, 20, &name);
    put(b, file.data, file.size, &name);
    uint8_t *out = malloc(file.size);
    for (size_t at = 0; at < file.size; at += at < 131072 - 50 ? 997 : 1) {
        struct armi_chunk *chunk = NULL;
        damage(b, &name, at, true);
        enum armi_status status = armi_chunk_open(b->store, &name, NULL, &chunk, &err);
        if (status == ARMI_OK)
            status = armi_chunk_read(chunk, 0, file.size, out, &err);
        armi_chunk_release(chunk);
        assert_int_equal(status, ARMI_CORRUPTION);
        damage(b, &name, at, true);
        ok(armi_chunk_open(b->store, &name, NULL, &chunk, &err));
        ok(armi_chunk_read(chunk, 0, file.size, out, &err));
        armi_chunk_release(chunk);
    }
    free(out);
    armi_buf_release(&file);
}

static void an_open_chunk_that_changes_is_proved_anew(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash name, plain;
    struct armi_buf file = projected_file(5 * 131072, 0, &name);
    uint8_t *other = pattern(300000), *out = malloc(file.size);
    put(b, file.data, file.size, &name);
    put(b, other, 300000, &plain);
    struct armi_chunk *chunk, *without_values;
    ok(armi_chunk_open(b->store, &name, NULL, &chunk, &err));
    ok(armi_chunk_open(b->store, &plain, NULL, &without_values, &err));
    ok(armi_chunk_read(chunk, 0, file.size, out, &err));
    ok(armi_chunk_read(without_values, 0, 300000, out, &err));
    damage(b, &name, 131072, true);
    damage(b, &plain, 131072, true);
    fails(ARMI_CORRUPTION, armi_chunk_read(chunk, 131072, 10, out, &err));
    ok(armi_chunk_read(chunk, 0, 10, out, &err));
    fails(ARMI_CORRUPTION, armi_chunk_read(without_values, 0, 10, out, &err));
    armi_chunk_release(chunk);
    armi_chunk_release(without_values);
    free(other);
    free(out);
    armi_buf_release(&file);
}

static void a_reference_with_another_size_is_refused(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash name;
    struct armi_chunk *chunk;
    struct armi_chunk_options options = {.file_size = 6};
    put(b, "hello", 5, &name);
    fails(ARMI_CORRUPTION, armi_chunk_open(b->store, &name, &options, &chunk, &err));
    options.file_size = 5;
    options.footer_size = UINT64_MAX;
    ok(armi_chunk_open(b->store, &name, &options, &chunk, &err));
    armi_chunk_release(chunk);
    fails(ARMI_NOT_FOUND,
          armi_chunk_open(b->store, &(struct armi_hash){{9}}, NULL, &chunk, &err));
}

static void release_nothing(struct armi_bytes *bytes)
{
    (void)bytes;
}

static void a_chunk_of_bytes_is_a_chunk(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash name;
    struct armi_chunk *chunk;
    armi_blake3_hash("hello", 5, &name);
    struct armi_bytes bytes = {(const uint8_t *)"hello", 5, release_nothing, NULL};
    ok(armi_chunk_from_bytes(&name, &bytes, NULL, &chunk, &err));
    assert_null(bytes.release);
    struct armi_source source;
    uint8_t out[5];
    const uint8_t *at;
    armi_chunk_source(chunk, &source);
    source.retain(source.ctx);
    armi_chunk_release(chunk);
    ok(source.read(source.ctx, 1, 3, out, &err));
    assert_memory_equal(out, "ell", 3);
    ok(source.map(source.ctx, 0, 5, &at, &err));
    assert_memory_equal(at, "hello", 5);
    fails(ARMI_INVALID, source.read(source.ctx, 3, 3, out, &err));
    source.release(source.ctx);
    bytes = (struct armi_bytes){(const uint8_t *)"hellO", 5, release_nothing, NULL};
    fails(ARMI_CORRUPTION, armi_chunk_from_bytes(&name, &bytes, NULL, &chunk, &err));
}

static void a_present_chunk_is_hashed_once_and_its_name_synced_once(void **state)
{
    struct bench *b = *state;
    struct armi_hash name;
    uint8_t *bytes = pattern(50000);
    assert_int_equal(put(b, bytes, 50000, &name), ARMI_CHUNK_NEW);
    uint64_t syncs = os_memory_syncs(b->disk);
    os_fault_arm(b->fault, 0, OS_FAULT_READ | OS_FAULT_WRITE, 0, false);
    assert_int_equal(put(b, bytes, 50000, &name), ARMI_CHUNK_PRESENT);
    assert_int_equal(os_fault_calls(b->fault), 1);
    assert_int_equal(os_memory_syncs(b->disk),
                     syncs); /* this handle named it, and synced that */
    assert_int_equal(put(b, bytes, 50000, &name), ARMI_CHUNK_PRESENT);
    assert_int_equal(os_fault_calls(b->fault), 1);
    /* Another handle has not seen the name synced (I2), and the file not hashed. */
    armi_store_release(b->store);
    open_store(b, NULL);
    syncs = os_memory_syncs(b->disk);
    os_fault_arm(b->fault, 0, OS_FAULT_READ | OS_FAULT_WRITE, 0, false);
    assert_int_equal(put(b, bytes, 50000, &name), ARMI_CHUNK_PRESENT);
    assert_int_equal(os_fault_calls(b->fault), 1);
    assert_int_equal(os_memory_syncs(b->disk), syncs + 1);
    assert_int_equal(put(b, bytes, 50000, &name), ARMI_CHUNK_PRESENT);
    assert_int_equal(os_fault_calls(b->fault), 1);
    assert_int_equal(os_memory_syncs(b->disk), syncs + 1);
    free(bytes);
}

static void a_get_hashes_once_for_each_state_of_the_file(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash name;
    struct armi_bytes out;
    put(b, "some bytes", 10, &name);
    ok(armi_store_get(b->store, &name, ARMI_VERIFY_ONCE, NULL, &out, &err));
    armi_bytes_release(&out);
    damage(b, &name, 4, false); /* what nobody can see without hashing */
    ok(armi_store_get(b->store, &name, ARMI_VERIFY_ONCE, NULL, &out, &err));
    armi_bytes_release(&out);
    fails(ARMI_CORRUPTION,
          armi_store_get(b->store, &name, ARMI_VERIFY_ALWAYS, NULL, &out, &err));
    fails(ARMI_CORRUPTION, armi_store_verify(b->store, &name, NULL, &err));
    damage(b, &name, 5, true);
    fails(ARMI_CORRUPTION,
          armi_store_get(b->store, &name, ARMI_VERIFY_ONCE, NULL, &out, &err));
}

static void a_marked_chunk_counts_as_absent_until_it_hashes_right(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash name;
    bool there;
    put(b, "marked", 6, &name);
    damage(b, &name, 0, true);
    ok(armi_store_exists(b->store, &name, &there, &err));
    assert_true(there); /* nobody has looked */
    ok(armi_store_mark_damaged(b->store, &name, true, &err));
    ok(armi_store_exists(b->store, &name, &there, &err));
    assert_false(there);
    struct armi_store_batch *batch;
    ok(armi_store_batch_begin(b->store, &batch, &err));
    ok(armi_store_batch_adopt(batch, &name, &there, &err));
    assert_false(there);
    armi_store_batch_free(batch);
    assert_int_equal(put(b, "marked", 6, &name), ARMI_CHUNK_REPAIRED);
    ok(armi_store_exists(b->store, &name, &there, &err));
    assert_true(there);
}

static void a_batch_reads_its_own_and_drops_what_was_not_synced(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_store_batch *batch;
    struct armi_hash names[2];
    struct armi_slice parts[] = {
        {(const uint8_t *)"in ", 3}, {NULL, 0}, {(const uint8_t *)"pieces", 6}};
    struct armi_store_batch_stats stats;
    struct armi_chunk *chunk;
    uint8_t out[9];
    bool there;
    armi_blake3_hash("in pieces", 9, &names[0]);
    armi_blake3_hash("pieces", 6, &names[1]);
    ok(armi_store_batch_begin(b->store, &batch, &err));
    ok(armi_store_batch_add(batch, &names[0], parts, 3, NULL, &err));
    ok(armi_store_exists(b->store, &names[0], &there, &err));
    assert_false(there);
    ok(armi_store_batch_open_chunk(batch, &names[0], NULL, &chunk, &err));
    ok(armi_chunk_read(chunk, 0, 9, out, &err));
    assert_memory_equal(out, "in pieces", 9);
    ok(armi_store_batch_sync(batch, &err));
    ok(armi_chunk_read(chunk, 0, 9, out, &err)); /* the rename made it another state */
    armi_chunk_release(chunk);
    ok(armi_store_batch_open_chunk(batch, &names[0], NULL, &chunk, &err));
    armi_chunk_release(chunk);
    ok(armi_store_batch_adopt(batch, &names[0], &there, &err));
    assert_true(there);
    ok(armi_store_batch_adopt(batch, &names[1], &there, &err));
    assert_false(there);
    ok(armi_store_batch_add(batch, &names[1], &parts[2], 1, NULL, &err));
    ok(armi_store_batch_add(batch, &names[1], &parts[2], 1, NULL, &err));
    armi_store_batch_stats(batch, &stats);
    assert_int_equal(stats.chunks_written, 2);
    assert_int_equal(stats.bytes_written, 15);
    assert_int_equal(stats.chunks_reused, 1);
    armi_store_batch_free(batch);
    ok(armi_store_exists(b->store, &names[0], &there, &err));
    assert_true(there);
    ok(armi_store_exists(b->store, &names[1], &there, &err));
    assert_false(there);
}

static void two_writers_of_one_chunk_both_succeed(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    for (int damaged = 0; damaged < 2; damaged++) {
        struct armi_store_batch *batches[2];
        char text[16];
        int n = snprintf(text, sizeof text, "raced %d", damaged);
        struct armi_slice bytes = {(const uint8_t *)text, (size_t)n};
        struct armi_hash name;
        armi_blake3_hash(text, (size_t)n, &name);
        for (int i = 0; i < 2; i++) {
            ok(armi_store_batch_begin(b->store, &batches[i], &err));
            ok(armi_store_batch_add(batches[i], &name, &bytes, 1, NULL, &err));
        }
        ok(armi_store_batch_sync(batches[0], &err));
        if (damaged)
            damage(b, &name, 1, true);
        ok(armi_store_batch_sync(batches[1], &err)); /* finds the name taken */
        armi_store_batch_free(batches[0]);
        armi_store_batch_free(batches[1]);
        ok(armi_store_verify(b->store, &name, NULL, &err));
    }
}

static void a_batch_does_not_survive_fork(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_store_batch *batch;
    struct armi_hash name;
    struct armi_slice bytes = {(const uint8_t *)"forked", 6};
    int status;
    armi_blake3_hash("forked", 6, &name);
    ok(armi_store_batch_begin(b->store, &batch, &err));
    ok(armi_store_batch_add(batch, &name, &bytes, 1, NULL, &err));
    pid_t child = fork();
    if (child == 0) {
        bool right =
            armi_store_batch_add(batch, &name, &bytes, 1, NULL, &err) == ARMI_MISUSE &&
            armi_store_batch_sync(batch, &err) == ARMI_MISUSE;
        armi_store_batch_free(batch);
        _exit(right ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    ok(armi_store_batch_sync(batch, &err));
    armi_store_batch_free(batch);
    ok(armi_store_verify(b->store, &name, NULL, &err));
}

struct reader {
    struct armi_chunk *chunk;
    const struct armi_buf *file;
    unsigned seed;
    bool right;
};

static void *reader_main(void *arg)
{
    struct reader *r = arg;
    uint8_t *out = malloc(r->file->size);
    r->right = true;
    for (int i = 0; i < 50 && r->right; i++) {
        size_t offset = (size_t)rand_r(&r->seed) % r->file->size;
        size_t size = (size_t)rand_r(&r->seed) % (r->file->size - offset);
        const uint8_t *at = NULL;
        r->right = armi_chunk_read(r->chunk, offset, size, out, NULL) == ARMI_OK &&
                   memcmp(out, r->file->data + offset, size) == 0 &&
                   armi_chunk_map(r->chunk, offset, size, &at, NULL) == ARMI_OK &&
                   memcmp(at, r->file->data + offset, size) == 0;
    }
    free(out);
    return NULL;
}

static void threads_share_an_open_chunk(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash name;
    struct armi_buf file = projected_file(12 * 131072 + 77, 300, &name);
    struct reader readers[4];
    pthread_t threads[4];
    struct armi_chunk *chunk;
    put(b, file.data, file.size, &name);
    ok(armi_chunk_open(b->store, &name, NULL, &chunk, &err));
    for (unsigned i = 0; i < 4; i++) {
        readers[i] = (struct reader){chunk, &file, i, false};
        assert_int_equal(pthread_create(&threads[i], NULL, reader_main, &readers[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(readers[i].right);
    }
    armi_chunk_release(chunk);
    armi_buf_release(&file);
}

static void many_chunks_need_few_descriptors(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_store_batch *batch;
    ok(armi_store_batch_begin(b->store, &batch, &err));
    for (uint32_t i = 0; i < 500; i++) {
        struct armi_hash name;
        struct armi_slice bytes = {(const uint8_t *)&i, sizeof i};
        armi_blake3_hash(&i, sizeof i, &name);
        ok(armi_store_batch_add(batch, &name, &bytes, 1, NULL, &err));
        assert_true(os_memory_open_files(b->disk) < 80);
    }
    uint64_t syncs = os_memory_syncs(b->disk);
    assert_true(syncs > 400);
    ok(armi_store_batch_sync(batch, &err));
    armi_store_batch_free(batch);
    for (uint32_t i = 0; i < 500; i++) {
        struct armi_hash name;
        armi_blake3_hash(&i, sizeof i, &name);
        ok(armi_store_verify(b->store, &name, NULL, &err));
    }
}

static void a_spill_file_has_no_name(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    int one, two;
    char text[4];
    ok(armi_store_spill_open(b->store, &one, &err));
    ok(armi_store_spill_open(b->store, &two, &err));
    assert_int_equal(armi_os_write_full(b->os, one, "one", 3, 0), 0);
    assert_int_equal(armi_os_read_full(b->os, two, text, 4, 0), 0);
    assert_int_equal(armi_os_read_full(b->os, one, text, 4, 0), 3);
    b->os->close(b->os, one);
    b->os->close(b->os, two);
}

static enum armi_status catalog_find(void *ctx, const struct armi_hash *hash, bool *found,
                                     struct armi_bytes *out, struct armi_error *err)
{
    (void)err;
    *found = memcmp(ctx, hash, sizeof *hash) == 0;
    if (*found)
        *out = (struct armi_bytes){(const uint8_t *)"tiny", 4, release_nothing, NULL};
    return ARMI_OK;
}

static enum armi_status catalog_has(void *ctx, const struct armi_hash *hash, bool *found,
                                    struct armi_error *err)
{
    (void)err;
    *found = memcmp(ctx, hash, sizeof *hash) == 0;
    return ARMI_OK;
}

static enum armi_status catalog_list(void *ctx, armi_store_list_fn fn, void *fn_ctx,
                                     struct armi_error *err)
{
    ARMI_TRY(fn(fn_ctx, ctx, err));
    return fn(fn_ctx, ctx, err);
}

static void a_front_shows_the_chunks_of_a_catalog_too(void **state)
{
    struct bench *b = *state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash tiny, file;
    struct armi_chunk_store *front;
    armi_blake3_hash("tiny", 4, &tiny);
    put(b, "file", 4, &file);
    struct armi_chunk_extra extra = {.ctx = &tiny,
                                     .find = catalog_find,
                                     .has = catalog_has,
                                     .list = catalog_list,
                                     .refuse_delete =
                                         "chunks of a repository are freed by gc"};
    ok(armi_chunk_store_wrap(b->store, "disk", &extra, NULL, &front, &err));
    struct armi_hash both[2] = {tiny, file};
    struct armi_bytes out[2];
    ok(armi_chunk_store_get_mmap_batch(front, both, 2, out, &err));
    assert_memory_equal(out[0].data, "tiny", 4);
    assert_memory_equal(out[1].data, "file", 4);
    armi_bytes_release(&out[0]);
    armi_bytes_release(&out[1]);
    fails(ARMI_NOT_FOUND,
          armi_chunk_store_get(front, &(struct armi_hash){{3}}, &out[0], &err));
    bool there;
    ok(armi_chunk_store_exists(front, &tiny, &there, &err));
    assert_true(there);
    uint64_t n;
    ok(armi_chunk_store_count(front, &n, &err));
    assert_int_equal(n, 2);
    fails(ARMI_MISUSE, armi_chunk_store_delete(front, &file, &err));
    armi_chunk_store_close(front);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_golden_file_of_the_format_page_opens_by_its_values),
        TEST(any_piece_of_a_chunk_equals_the_file),
        TEST(reading_a_piece_reads_its_blocks_and_no_more),
        TEST(every_flipped_byte_is_noticed_when_it_is_touched),
        TEST(an_open_chunk_that_changes_is_proved_anew),
        TEST(a_reference_with_another_size_is_refused),
        TEST(a_chunk_of_bytes_is_a_chunk),
        TEST(a_present_chunk_is_hashed_once_and_its_name_synced_once),
        TEST(a_get_hashes_once_for_each_state_of_the_file),
        TEST(a_marked_chunk_counts_as_absent_until_it_hashes_right),
        TEST(a_batch_reads_its_own_and_drops_what_was_not_synced),
        TEST(two_writers_of_one_chunk_both_succeed),
        TEST(a_batch_does_not_survive_fork),
        TEST(threads_share_an_open_chunk),
        TEST(many_chunks_need_few_descriptors),
        TEST(a_spill_file_has_no_name),
        TEST(a_front_shows_the_chunks_of_a_catalog_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
