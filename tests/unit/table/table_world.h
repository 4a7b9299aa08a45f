/*
 * What the tests of this layer share: nodes and chunks in memory, and tables as lists of rows.
 *
 * The model: each column has a *universe*, an array of random values of its type; a row is one
 * index into the universe for each column. So any edit is an edit of small numbers, and what a
 * table must hold is taken from the universes.
 */
#ifndef ARMI_TABLE_WORLD_H
#define ARMI_TABLE_WORLD_H

#include <stdlib.h>

#include "arrow/compare.h"
#include "arrow/concat.h"
#include "arrow/select.h"
#include "arrow/stream.h"
#include "arrow_gen.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "table/table_scan.h"
#include "table/table_verify.h"
#include "table/table_write.h"
#include "test.h"

/* ---- nodes and chunks ---- */

struct world {
    struct armi_node_set nodes;
    struct armi_map index;
    struct armi_buf *chunks;
    size_t count, capacity;
    struct armi_table_io io;
    struct armi_table_sink sink;
};

static enum armi_status world_open(void *ctx, const struct armi_chunk_ref *ref,
                                   struct armi_chunk **out, struct armi_error *err)
{
    struct world *world = ctx;
    const struct armi_chunk_options options = {.file_size = ref->file_size,
                                               .footer_size = ref->footer_size};
    const struct armi_slice key = {ref->hash.bytes, ARMI_HASH_SIZE};
    uint64_t *at = armi_map_find(&world->index, key);
    struct armi_buf copy = {0};
    struct armi_bytes bytes = {0};
    if (at == NULL)
        return armi_error_set(err, ARMI_NOT_FOUND, "no such chunk");
    const struct armi_buf *chunk = &world->chunks[*at];
    ARMI_TRY(armi_buf_append(&copy, chunk->data, chunk->size, err));
    armi_buf_to_bytes(&copy, &bytes);
    return armi_chunk_from_bytes(&ref->hash, &bytes, &options, out, err);
}

static enum armi_status world_put(void *ctx, const struct armi_hash *hash,
                                  const struct armi_slice *parts, size_t count,
                                  enum armi_chunk_kind *kind, bool *reused,
                                  struct armi_error *err)
{
    struct world *world = ctx;
    struct armi_buf bytes = {0};
    uint64_t *at;
    enum armi_status st = ARMI_OK;
    for (size_t i = 0; i < count && st == ARMI_OK; i++)
        st = armi_buf_append(&bytes, parts[i].data, parts[i].size, err);
    const struct armi_slice key = {hash->bytes, ARMI_HASH_SIZE};
    *kind = bytes.size < ARMI_CHUNK_TINY_MAX ? ARMI_CHUNK_CATALOG : ARMI_CHUNK_FILE;
    *reused = armi_map_find(&world->index, key) != NULL;
    if (st == ARMI_OK && !*reused && world->count == world->capacity) {
        size_t capacity = 2 * world->capacity + 16;
        void *chunks = armi_realloc(world->chunks, world->count * sizeof *world->chunks,
                                    capacity * sizeof *world->chunks);
        if (chunks == NULL) {
            st = armi_error_no_memory(err);
        } else {
            world->chunks = chunks;
            world->capacity = capacity;
        }
    }
    if (st == ARMI_OK && !*reused)
        st = armi_map_insert(&world->index, key, &at, NULL, err);
    if (st != ARMI_OK || *reused) {
        armi_buf_release(&bytes);
        return st;
    }
    *at = world->count;
    world->chunks[world->count++] = bytes;
    return ARMI_OK;
}

static void world_keep(void *ctx)
{
    (void)ctx;
}

static inline void world_init(struct world *world)
{
    *world = (struct world){0};
    armi_node_set_init(&world->nodes, NULL);
    armi_map_init(&world->index, 7);
    world->io = (struct armi_table_io){
        .nodes = armi_node_set_source(&world->nodes),
        .open_chunk = world_open,
        .retain = world_keep,
        .release = world_keep,
        .ctx = world,
        .parallel = {.threads = 2},
    };
    world->sink = (struct armi_table_sink){
        .nodes = &world->nodes,
        .put_chunk = world_put,
        .ctx = world,
        .txid = {1, 2, 3},
        .parallel = {.threads = 2},
    };
}

static inline void world_release(struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        armi_buf_release(&world->chunks[i]);
    armi_free(world->chunks);
    armi_map_release(&world->index);
    armi_node_set_release(&world->nodes);
}

/* ---- universes ---- */

struct universe {
    struct armi_field field;
    struct ArrowArray array;
    struct armi_array view;
    int64_t rows;
};

static inline void universe_adopt(struct universe *u, struct armi_field *field,
                                  struct ArrowArray *array)
{
    struct armi_error err = ARMI_ERROR_INIT;
    u->field = *field;
    u->array = *array;
    u->rows = array->length;
    ok(armi_array_init(&u->field, &u->array, ARMI_VALIDATE_FULL, &u->view, &err));
}

static inline void universe_init(struct universe *u, const char *name, const char *type,
                                 int64_t rows, unsigned null_every, uint64_t seed)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field = arrow_gen_field(type);
    struct ArrowArray array;
    ok(armi_field_set_name(&field, name, &err));
    ok(arrow_gen_array(&field, rows, null_every, seed, &array, &err));
    universe_adopt(u, &field, &array);
}

static inline void universe_release(struct universe *u)
{
    armi_array_release(&u->view);
    armi_arrow_array_release(&u->array);
    armi_field_release(&u->field);
}

/* ---- tables as lists of rows ---- */

#define TABLE_COLUMNS_MAX 8

struct model {
    struct universe *columns[TABLE_COLUMNS_MAX]; /* borrowed */
    size_t column_count;
    int64_t *cells; /* TABLE_COLUMNS_MAX to a row */
    size_t rows, capacity;
};

static inline int64_t *model_row(const struct model *m, size_t row)
{
    return m->cells + row * TABLE_COLUMNS_MAX;
}

static inline void model_resize(struct model *m, size_t rows)
{
    if (rows > m->capacity) {
        m->capacity = 2 * rows;
        m->cells = realloc(m->cells, m->capacity * TABLE_COLUMNS_MAX * sizeof *m->cells);
        assert_non_null(m->cells);
    }
    m->rows = rows;
}

/* Room for `count` rows before row `at`, to be filled. */
static inline void model_insert(struct model *m, size_t at, size_t count)
{
    size_t behind = m->rows - at;
    model_resize(m, m->rows + count);
    memmove(model_row(m, at + count), model_row(m, at),
            behind * TABLE_COLUMNS_MAX * sizeof *m->cells);
}

static inline void model_delete(struct model *m, size_t at, size_t count)
{
    memmove(model_row(m, at), model_row(m, at + count),
            (m->rows - at - count) * TABLE_COLUMNS_MAX * sizeof *m->cells);
    m->rows -= count;
}

static inline void model_schema(const struct model *m, struct armi_field *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    ok(armi_field_init_schema(out, &err));
    for (size_t c = 0; c < m->column_count; c++) {
        struct armi_field column = ARMI_FIELD_INIT;
        ok(armi_field_copy(&m->columns[c]->field, &column, &err));
        ok(armi_field_add_child(out, &column, &err));
    }
}

/* Rows [from, from + count) as a batch. */
static inline void model_batch(const struct model *m, const struct armi_field *schema,
                               size_t from, size_t count, struct ArrowArray *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArray columns[TABLE_COLUMNS_MAX] = {{0}};
    int64_t *indices = calloc(count + 1, sizeof *indices);
    for (size_t c = 0; c < m->column_count; c++) {
        for (size_t i = 0; i < count; i++)
            indices[i] = model_row(m, from + i)[c];
        ok(armi_select_take(&m->columns[c]->view, indices, (int64_t)count, &columns[c],
                            &err));
    }
    free(indices);
    ok(armi_arrow_array_batch(schema, (int64_t)count, columns, out, &err));
}

/* Rows from `from` on, in batches of random sizes up to `batch_rows` (0: in one). */
static inline void model_stream(const struct model *m, size_t from, size_t batch_rows,
                                uint64_t *seed, struct ArrowArrayStream *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema;
    struct armi_array_list list = ARMI_ARRAY_LIST_INIT;
    model_schema(m, &schema);
    for (size_t at = from; at < m->rows;) {
        size_t n = batch_rows == 0 ? m->rows : 1 + arrow_gen_next(seed) % batch_rows;
        struct ArrowArray batch;
        if (n > m->rows - at)
            n = m->rows - at;
        model_batch(m, &schema, at, n, &batch);
        ok(armi_array_list_add(&list, &batch, &err));
        at += n;
    }
    ok(armi_stream_from_arrays(&schema, list.arrays, list.count, out, &err));
    armi_array_list_release(&list);
    armi_field_release(&schema);
}

/* Fails the test unless the stream, which is released, gives the model's rows [from, from + count). */
static inline void model_expect(const struct model *m, size_t from, size_t count,
                                uint64_t batch_bytes, struct ArrowArrayStream *stream)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema = ARMI_FIELD_INIT, wanted;
    size_t row = from;
    ok(armi_stream_schema(stream, &schema, &err));
    model_schema(m, &wanted);
    assert_true(armi_field_equal(&schema, &wanted, ARMI_EQUAL_NAMES));
    for (;;) {
        struct ArrowArray batch = {0}, want;
        struct armi_array have_view, want_view;
        ok(armi_stream_next(stream, &batch, &err));
        if (batch.release == NULL)
            break;
        assert_true((size_t)batch.length <= from + count - row);
        ok(armi_array_init_batch(&schema, &batch, ARMI_VALIDATE_FULL, &have_view, &err));
        uint64_t bytes = 0;
        model_batch(m, &wanted, row, (size_t)batch.length, &want);
        ok(armi_array_init_batch(&wanted, &want, ARMI_VALIDATE_NONE, &want_view, &err));
        for (size_t c = 0; c < m->column_count; c++) {
            struct armi_array a = armi_array_column(&have_view, c);
            struct armi_array b = armi_array_column(&want_view, c);
            bytes += (uint64_t)armi_array_rows_size(&a);
            int64_t same = armi_compare_same_run(&a, 0, &b, 0, batch.length);
            if (same != batch.length)
                fail_msg("row %zu of column \"%s\" is another", row + (size_t)same,
                         m->columns[c]->field.name);
        }
        if (batch.length > 1 && batch_bytes != 0 && bytes > batch_bytes)
            fail_msg("a batch of %llu bytes, not %llu", (unsigned long long)bytes,
                     (unsigned long long)batch_bytes);
        row += (size_t)batch.length;
        armi_array_release(&have_view);
        armi_array_release(&want_view);
        armi_arrow_array_release(&batch);
        armi_arrow_array_release(&want);
    }
    assert_int_equal(row, from + count);
    armi_field_release(&schema);
    armi_field_release(&wanted);
    armi_stream_release(stream);
}

/* ---- both together ---- */

/* Scans the version (which stays the caller's) and holds it against the model. */
static inline void world_expect(struct world *world,
                                const struct armi_table_version *version,
                                const struct model *m, uint64_t batch_bytes,
                                uint64_t offset, const uint64_t *limit)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_table_version copy;
    struct ArrowArrayStream stream;
    struct armi_table_scan options = {
        .name = "t",
        .batch_bytes = batch_bytes,
        .offset = offset,
        .has_limit = limit != NULL,
        .limit = limit != NULL ? *limit : 0,
    };
    size_t from = offset < m->rows ? (size_t)offset : m->rows, count = m->rows - from;
    if (limit != NULL && *limit < count)
        count = (size_t)*limit;
    ok(armi_table_version_copy(version, &copy, &err));
    ok(armi_table_scan_open(&world->io, &copy, &options, &stream, &err));
    model_expect(m, from, count, batch_bytes, &stream);
}

/* Every invariant of a version, and that its nodes say all of it. */
static inline void world_check(struct world *world,
                               const struct armi_table_version *version,
                               uint64_t range_bytes)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash name, again;
    struct armi_table_version loaded;
    struct armi_range *ranges;
    size_t count;
    uint64_t rows = 0;
    ok(armi_table_version_save(version, &world->nodes, &name, &err));
    ok(armi_table_version_load(&world->io.nodes, &name, &loaded, &err));
    ok(armi_table_version_save(&loaded, &world->nodes, &again, &err));
    assert_memory_equal(&name, &again, sizeof name);
    ok(armi_table_verify_totals(&loaded, &err));
    ok(armi_table_verify_deep(&world->io, &loaded, &err));
    ok(armi_table_version_ranges(&world->io.nodes, &loaded, &ranges, &count, &err));
    assert_int_equal(count, version->ranges);
    for (size_t i = 0; i < count; i++) {
        rows += ranges[i].live;
        assert_true(ranges[i].live > 0);
        assert_true(ranges[i].chunk_count <= ARMI_RANGE_CHUNKS_MAX);
        if (ranges[i].live > 1 && range_bytes != 0 && ranges[i].bytes > range_bytes)
            fail_msg("a range of %llu rows has %llu bytes, not %llu",
                     (unsigned long long)ranges[i].live,
                     (unsigned long long)ranges[i].bytes, (unsigned long long)range_bytes);
    }
    assert_int_equal(rows, version->rows);
    armi_range_array_release(ranges, count);
    armi_table_version_release(&loaded);
}

#endif
