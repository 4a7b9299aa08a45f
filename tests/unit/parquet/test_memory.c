/*
 * Memory at its height, exactly: an allocator that counts. Encoding takes the file and 64 MiB a
 * thread, once more the file where it becomes bytes; decoding 1.3 times the result, and the page and
 * the window of a file that each thread has in hand.
 */
#include "test.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <armillaria/parquet.h>

#include "arrow/array.h"
#include "arrow/array_make.h"
#include "arrow/builder.h"
#include "arrow/schema_text.h"
#include "arrow/stream.h"
#include "base/alloc.h"
#include "temp_dir.h"

#define MIB ((size_t)1 << 20)

static struct armi_error err = ARMI_ERROR_INIT;

/* ---- counting ---- */

static atomic_size_t live, peak;

/* The size stands before the block, in as many bytes as keep its alignment. */
static void *counted_alloc(void *ctx, size_t size, size_t alignment)
{
    (void)ctx;
    void *ptr = NULL;
    if (posix_memalign(&ptr, alignment, size + alignment) != 0)
        return NULL;
    size_t *head = (size_t *)(void *)((uint8_t *)ptr + alignment);
    head[-1] = size;
    head[-2] = alignment;
    size_t now = atomic_fetch_add(&live, size) + size, most = atomic_load(&peak);
    while (now > most && !atomic_compare_exchange_weak(&peak, &most, now))
        ;
    return head;
}

static void counted_free(void *ctx, void *ptr)
{
    (void)ctx;
    if (ptr == NULL)
        return;
    size_t *head = ptr;
    atomic_fetch_sub(&live, head[-1]);
    free((uint8_t *)ptr - head[-2]);
}

static size_t count_from_here(void)
{
    size_t now = atomic_load(&live);
    atomic_store(&peak, now);
    return now;
}

static int counting_begin(void **state)
{
    static const struct armi_allocator allocator = {counted_alloc, counted_free, NULL};
    (void)state;
    armi_allocator_set(&allocator);
    return 0;
}

static int counting_end(void **state)
{
    (void)state;
    armi_allocator_set(NULL);
    assert_int_equal(atomic_load(&live), 0);
    return 0;
}

/* ---- tables ---- */

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void number_add(struct armi_builder *b, uint64_t r)
{
    ok(armi_builder_append_int(b, (int64_t)(r >> 2), &err));
}

static void low_add(struct armi_builder *b, uint64_t r)
{
    if (r % 5 == 0)
        ok(armi_builder_append_null(b, &err));
    else
        ok(armi_builder_append_int(b, (int64_t)(r % 1000), &err));
}

static void text_add(struct armi_builder *b, uint64_t r)
{
    char text[40];
    int n = snprintf(text, sizeof text, "user-%016llx", (unsigned long long)r);
    ok(armi_builder_append_bytes(b, text, (size_t)n, &err));
}

static void word_add(struct armi_builder *b, uint64_t r)
{
    char text[40];
    int n = snprintf(text, sizeof text, "category-%03u", (unsigned)(r % 200));
    ok(armi_builder_append_bytes(b, text, (size_t)n, &err));
}

/* Dictionaries that are a quarter of the result, and get far smaller, of many columns at once. */
static void name_add(struct armi_builder *b, uint64_t r)
{
    char text[40];
    int n = snprintf(text, sizeof text, "user number %07u", (unsigned)(r % 40000));
    ok(armi_builder_append_bytes(b, text, (size_t)n, &err));
}

static void list_add(struct armi_builder *b, uint64_t r)
{
    if (r % 16 == 0) {
        ok(armi_builder_append_null(b, &err));
        return;
    }
    for (uint64_t i = 0; i < r % 8; i++)
        ok(armi_builder_append_int(armi_builder_child(b, 0), (int64_t)(r >> i), &err));
    ok(armi_builder_close(b, &err));
}

/* Items so narrow that levels, if they were kept, would weigh as much. */
static void narrow_add(struct armi_builder *b, uint64_t r)
{
    for (uint64_t i = 0; i < r % 64; i++)
        ok(armi_builder_append_int(armi_builder_child(b, 0), (int64_t)(r >> i & 1), &err));
    ok(armi_builder_close(b, &err));
}

static void bits_add(struct armi_builder *b, uint64_t r)
{
    for (uint64_t i = 0; i < r % 64; i++)
        ok(armi_builder_append_bool(armi_builder_child(b, 0), r >> i & 1, &err));
    ok(armi_builder_close(b, &err));
}

static void pairs_add(struct armi_builder *b, uint64_t r)
{
    struct armi_builder *item = armi_builder_child(b, 0);
    for (uint64_t i = 0; i < r % 3; i++) {
        ok(armi_builder_append_int(armi_builder_child(item, 0), (int64_t)(r >> i & 63),
                                   &err));
        ok(armi_builder_append_int(armi_builder_child(item, 1), (int64_t)(r >> i & 15),
                                   &err));
        ok(armi_builder_close(item, &err));
    }
    ok(armi_builder_close(b, &err));
}

/* Null lists of fixed size have items in Arrow, but no entries in Parquet. */
static void fixed_add(struct armi_builder *b, uint64_t r)
{
    if (r % 2 == 0) {
        ok(armi_builder_append_null(b, &err));
        return;
    }
    for (uint64_t i = 0; i < 64; i++)
        ok(armi_builder_append_int(armi_builder_child(b, 0), (int64_t)(r >> i & 63), &err));
    ok(armi_builder_close(b, &err));
}

static void structs_add(struct armi_builder *b, uint64_t r)
{
    struct armi_builder *item = armi_builder_child(b, 0);
    for (uint64_t i = 0; i < r % 6; i++) {
        number_add(armi_builder_child(item, 0), r * (i + 1));
        word_add(armi_builder_child(item, 1), r >> i);
        ok(armi_builder_close(item, &err));
    }
    ok(armi_builder_close(b, &err));
}

static const struct shape {
    const char *type;
    size_t rows;
    void (*add)(struct armi_builder *b, uint64_t r);
    uint32_t columns;
} shapes[] = {
    {"int64", 2000000, number_add, 1},
    {"int32", 4000000, low_add, 1},
    {"string", 1000000, text_add, 1},
    {"string", 1500000, word_add, 1},
    {"int64", 150000, number_add, 16},
    {"string", 120000, name_add, 40},
    {"list<item: int64>", 800000, list_add, 1},
    {"list<item: struct<n: int64, w: string>>", 400000, structs_add, 1},
    {"list<item: int8>", 400000, narrow_add, 1},
    {"list<item: bool>", 800000, bits_add, 1},
    {"list<item: struct<a: int8, b: int8>>", 1000000, pairs_add, 1},
    {"fixed_size_list<item: int8>[64]", 200000, fixed_add, 1},
};

#define SHAPES (sizeof shapes / sizeof shapes[0])

static void schema_make(const struct shape *shape, struct armi_field *schema)
{
    ok(armi_field_init_schema(schema, &err));
    for (uint32_t i = 0; i < shape->columns; i++) {
        struct armi_field column = ARMI_FIELD_INIT;
        char name[16];
        snprintf(name, sizeof name, "c%u", i);
        ok(armi_type_parse(shape->type, &column, &err));
        ok(armi_field_set_name(&column, name, &err));
        ok(armi_field_add_child(schema, &column, &err));
    }
}

static void batch_make(const struct shape *shape, const struct armi_field *schema,
                       size_t rows, uint64_t *seed, struct ArrowArray *out)
{
    struct armi_builder *builder;
    ok(armi_builder_new(schema, &builder, &err));
    for (size_t i = 0; i < rows; i++) {
        for (uint32_t c = 0; c < shape->columns; c++)
            shape->add(armi_builder_child(builder, c), next_random(seed));
        ok(armi_builder_close(builder, &err));
    }
    ok(armi_builder_finish(builder, out, &err));
    armi_builder_free(builder);
}

static void stream_make(const struct shape *shape, struct ArrowArrayStream *out)
{
    struct armi_field schema;
    struct ArrowArray batch;
    uint64_t seed = 88172645463325252u;
    schema_make(shape, &schema);
    batch_make(shape, &schema, shape->rows, &seed, &batch);
    ok(armi_stream_from_arrays(&schema, &batch, 1, out, &err));
    armi_field_release(&schema);
}

static size_t above(size_t base)
{
    size_t most = atomic_load(&peak);
    return most > base ? most - base : 0;
}

static void at_most(size_t used, double allowed, const char *what, const char *type)
{
    if ((double)used > allowed)
        fail_msg("%s of %s took %zu KiB; %.0f KiB are allowed", what, type, used / 1024,
                 allowed / 1024);
}

/* ---- tests ---- */

static size_t result_size(const struct armi_field *schema,
                          const struct armi_array_list *got)
{
    size_t size = 0;
    for (size_t i = 0; i < got->count; i++) {
        struct armi_array view;
        ok(armi_array_init_batch(schema, &got->arrays[i], ARMI_VALIDATE_NONE, &view, &err));
        size += (size_t)armi_array_data_size(&view);
        armi_array_release(&view);
    }
    return size;
}

static const char from_bytes[] = "decoding bytes", from_file[] = "decoding a file";

static void decode(struct armi_parquet_file *file, const struct shape *shape,
                   unsigned threads, const char *what)
{
    struct armi_parquet_decode_options o = ARMI_PARQUET_DECODE_OPTIONS_INIT;
    struct ArrowArrayStream stream = {0};
    struct armi_array_list got = ARMI_ARRAY_LIST_INIT;
    struct armi_field schema;
    o.threads = threads;
    size_t base = count_from_here();
    ok(armi_parquet_file_read(file, &o, &stream, &err));
    ok(armi_stream_collect(&stream, &got, &err));
    size_t used = above(base);
    schema_make(shape, &schema);
    size_t in_hand = (what == from_file ? 4 : 2) * MIB * threads;
    at_most(used, 1.3 * (double)result_size(&schema, &got) + (double)in_hand, what,
            shape->type);
    armi_array_list_release(&got);
    armi_stream_release(&stream);
    armi_field_release(&schema);
}

static void encode_and_decode(const struct shape *shape, unsigned threads, const char *path)
{
    struct armi_parquet_encode_options o = ARMI_PARQUET_ENCODE_OPTIONS_INIT;
    struct armi_parquet_write_result written = {.size = sizeof written};
    struct armi_bytes bytes = ARMI_BYTES_INIT;
    struct armi_parquet_file *file = NULL;
    struct ArrowArrayStream stream;
    double threads_allow = (double)(64 * MIB) * threads;
    o.threads = threads;

    stream_make(shape, &stream);
    size_t base = count_from_here();
    ok(armi_parquet_encode(&stream, &o, &bytes, &err));
    at_most(above(base), 2 * (double)bytes.size + threads_allow, "encoding to bytes",
            shape->type);
    ok(armi_parquet_file_open(&bytes, &file, &err));
    decode(file, shape, threads, from_bytes);
    armi_parquet_file_close(file);

    stream_make(shape, &stream);
    base = count_from_here();
    ok(armi_parquet_write(&stream, path, &o, &written, &err));
    at_most(above(base), (double)written.bytes + threads_allow, "encoding to a file",
            shape->type);
    ok(armi_parquet_file_open_path(path, &file, &err));
    decode(file, shape, threads, from_file);
    armi_parquet_file_close(file);
}

static void encoding_and_decoding_stay_within_their_memory(void **state)
{
    (void)state;
    char folder[TEMP_DIR_SIZE], path[TEMP_DIR_SIZE + 16];
    temp_dir_make(folder);
    snprintf(path, sizeof path, "%s/x.parquet", folder);
    for (size_t i = 0; i < SHAPES; i++)
        for (unsigned threads = 1; threads <= 2; threads++)
            encode_and_decode(&shapes[i], threads, path);
    unlink(path);
    temp_dir_remove(folder);
}

/* ---- input that comes as it is asked for ---- */

#define BATCHES 20

struct source {
    const struct shape *shape;
    struct armi_field schema;
    size_t left;
    uint64_t seed;
};

static enum armi_status source_next(void *ctx, struct ArrowArray *out,
                                    struct armi_error *error)
{
    struct source *s = ctx;
    (void)error;
    if (s->left == 0)
        return ARMI_OK;
    s->left--;
    batch_make(s->shape, &s->schema, s->shape->rows, &s->seed, out);
    return ARMI_OK;
}

static void source_free(void *ctx)
{
    armi_field_release(&((struct source *)ctx)->schema);
}

/* 160 MiB of plain numbers, whose pages lie in the batches as long as these are kept. */
static void input_that_is_done_with_is_let_go(void **state)
{
    (void)state;
    static const struct shape shape = {"int64", 1 << 20, number_add, 1};
    struct source source = {.shape = &shape, .left = BATCHES, .seed = 7};
    struct armi_parquet_encode_options o = ARMI_PARQUET_ENCODE_OPTIONS_INIT;
    struct armi_bytes bytes = ARMI_BYTES_INIT, again = ARMI_BYTES_INIT;
    struct ArrowArrayStream stream;
    schema_make(&shape, &source.schema);
    struct armi_stream_callbacks callbacks = {source_next, source_free, &source};
    ok(armi_stream_make(&source.schema, 0, &callbacks, &stream, &err));
    o.threads = 1;
    size_t base = count_from_here();
    ok(armi_parquet_encode(&stream, &o, &bytes, &err));
    assert_true(bytes.size > 155 * MIB);
    /* 64 MiB that pages may point into, in arrays with room for more, and a thread's own. */
    at_most(above(base), 2 * (double)bytes.size + 128 * MIB, "encoding a stream",
            shape.type);

    /* Whether pages point into their input does not show in the bytes. */
    struct ArrowArray *batches = calloc(BATCHES, sizeof *batches);
    struct armi_field schema;
    uint64_t seed = 7;
    schema_make(&shape, &schema);
    for (size_t i = 0; i < BATCHES; i++)
        batch_make(&shape, &schema, shape.rows, &seed, &batches[i]);
    ok(armi_stream_from_arrays(&schema, batches, BATCHES, &stream, &err));
    o.threads = 2;
    ok(armi_parquet_encode(&stream, &o, &again, &err));
    assert_int_equal(bytes.size, again.size);
    assert_memory_equal(bytes.data, again.data, bytes.size);
    free(batches);
    armi_field_release(&schema);
    armi_bytes_release(&bytes);
    armi_bytes_release(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(encoding_and_decoding_stay_within_their_memory,
                                        counting_begin, counting_end),
        cmocka_unit_test_setup_teardown(input_that_is_done_with_is_let_go, counting_begin,
                                        counting_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
