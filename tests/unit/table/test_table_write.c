/* Tables written again and again after every kind of edit: what is read is what was written, and
 * what it costs follows what was touched. */
#include "table_world.h"

#include "arrow/builder.h"
#include "arrow/cast.h"

#define ROWS 3000

struct bench {
    struct world world;
    struct model model;
    struct armi_table_version version;
    bool has_version;
    uint64_t seed;
    struct armi_table_limits limits;
};

static void bench_init(struct bench *b, uint64_t seed)
{
    *b = (struct bench){.seed = seed};
    world_init(&b->world);
    armi_table_version_init(&b->version);
    b->limits = (struct armi_table_limits){.settle_bytes = 4096, .target_rows = 40};
}

static void bench_release(struct bench *b)
{
    armi_table_version_release(&b->version);
    world_release(&b->world);
    free(b->model.cells);
}

static uint64_t below(struct bench *b, uint64_t n)
{
    return n == 0 ? 0 : arrow_gen_next(&b->seed) % n;
}

static void row_random(struct bench *b, size_t row)
{
    for (size_t c = 0; c < b->model.column_count; c++)
        model_row(&b->model, row)[c] =
            (int64_t)below(b, (uint64_t)b->model.columns[c]->rows);
}

static void rows_insert(struct bench *b, size_t at, size_t count)
{
    model_insert(&b->model, at, count);
    for (size_t i = 0; i < count; i++)
        row_random(b, at + i);
}

/* Writes the model's rows (from `from` on, behind the others, for an append). */
static struct armi_table_written bench_write(struct bench *b, bool append, size_t from,
                                             enum armi_fit_mode fit)
{
    static const uint8_t table_id[ARMI_TABLE_ID_SIZE] = {9};
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream stream;
    struct armi_table_version made;
    struct armi_table_written written;
    const struct armi_table_write how = {
        .name = "t", .append = append, .fit = fit, .limits = b->limits};
    model_stream(&b->model, from, below(b, 4) == 0 ? 0 : 1 + below(b, 700), &b->seed,
                 &stream);
    ok(armi_table_write(&b->world.io, &b->world.sink, b->has_version ? &b->version : NULL,
                        table_id, &stream, &how, &made, &written, &err));
    armi_table_version_release(&b->version);
    b->version = made;
    b->has_version = true;
    return written;
}

/* Rows that a predicate keeps, some left out in front and behind. */
static void check_where(struct bench *b)
{
    struct armi_error err = ARMI_ERROR_INIT;
    const struct universe *first = b->model.columns[0];
    struct model kept = {.column_count = b->model.column_count};
    struct armi_table_version copy;
    struct ArrowArrayStream stream;
    char where[64];
    if (b->model.column_count == 0 || first->field.type != ARMI_TYPE_INT64)
        return;
    int64_t least = armi_array_int(&first->view, (int64_t)below(b, (uint64_t)first->rows));
    if (least < -1000000000 || least > 1000000000)
        least = 3;
    snprintf(where, sizeof where, "%s >= %lld", first->field.name, (long long)least);
    memcpy(kept.columns, b->model.columns, sizeof kept.columns);
    for (size_t i = 0; i < b->model.rows; i++) {
        int64_t cell = model_row(&b->model, i)[0];
        if (armi_array_is_null(&first->view, cell) ||
            armi_array_int(&first->view, cell) < least)
            continue;
        model_resize(&kept, kept.rows + 1);
        memcpy(model_row(&kept, kept.rows - 1), model_row(&b->model, i),
               TABLE_COLUMNS_MAX * sizeof *kept.cells);
    }
    size_t offset = below(b, kept.rows + 2), limit = below(b, kept.rows + 2);
    size_t from = offset < kept.rows ? offset : kept.rows;
    size_t count = kept.rows - from < limit ? kept.rows - from : limit;
    struct armi_table_scan options = {.name = "t",
                                      .where = where,
                                      .offset = offset,
                                      .has_limit = true,
                                      .limit = limit,
                                      .batch_bytes = below(b, 3) == 0 ? 5000 : 0};
    ok(armi_table_version_copy(&b->version, &copy, &err));
    ok(armi_table_scan_open(&b->world.io, &copy, &options, &stream, &err));
    model_expect(&kept, from, count, options.batch_bytes, &stream);
    free(kept.cells);
}

static void bench_check(struct bench *b)
{
    uint64_t limit = below(b, b->model.rows + 2);
    assert_int_equal(b->version.rows, b->model.rows);
    world_check(&b->world, &b->version, b->limits.range_bytes);
    world_expect(&b->world, &b->version, &b->model, 0, 0, NULL);
    world_expect(&b->world, &b->version, &b->model, 1 + below(b, 20000), 0, NULL);
    world_expect(&b->world, &b->version, &b->model, 0, below(b, b->model.rows + 2), &limit);
    check_where(b);
}

/* One random edit of the model. */
static void edit(struct bench *b)
{
    struct model *m = &b->model;
    size_t at = below(b, m->rows + 1), n = 1 + below(b, 200);
    if (n > m->rows - at)
        n = m->rows - at;
    switch (below(b, 8)) {
    case 0:
        rows_insert(b, at, 1 + below(b, 300));
        break;
    case 1:
        model_delete(m, at, n);
        break;
    case 2: /* one column of neighbours */
    case 3:
        for (size_t i = 0, c = below(b, m->column_count); i < n; i++)
            model_row(m, at + i)[c] = (int64_t)below(b, (uint64_t)m->columns[c]->rows);
        break;
    case 4: /* here and there */
        for (size_t i = 0; i < 5 && m->rows != 0; i++)
            row_random(b, below(b, m->rows));
        break;
    case 5:
        rows_insert(b, below(b, 2) != 0 ? 0 : m->rows, 1 + below(b, 60));
        break;
    case 6:
        for (size_t i = 0; i < 4 && m->rows != 0; i++)
            model_delete(m, below(b, m->rows), 1);
        break;
    default: /* a block changes places with its neighbour */
        if (at >= n && n != 0) {
            size_t bytes = n * TABLE_COLUMNS_MAX * sizeof *m->cells;
            void *block = malloc(bytes);
            memcpy(block, model_row(m, at), bytes);
            memmove(model_row(m, at), model_row(m, at - n), bytes);
            memcpy(model_row(m, at - n), block, bytes);
            free(block);
        }
        break;
    }
}

static void limits_random(struct bench *b)
{
    static const uint64_t segments[] = {0, 0, 2000, 20000, 100000};
    static const uint64_t ranges[] = {0, 0, 3000, 400, 1};
    b->limits.segment_bytes = segments[below(b, 5)];
    b->limits.range_bytes = ranges[below(b, 5)];
    b->limits.target_rows = 1 + below(b, 120);
    b->limits.settle_bytes = below(b, 3) == 0 ? 1 : 4096;
}

static void history(struct bench *b, size_t rows, size_t steps)
{
    limits_random(b);
    rows_insert(b, 0, below(b, rows));
    bench_write(b, false, 0, ARMI_FIT_STRICT);
    bench_check(b);
    for (size_t i = 0; i < steps; i++) {
        size_t before = b->model.rows;
        bool append = below(b, 4) == 0;
        uint64_t range_bytes = b->limits.range_bytes;
        if (append)
            rows_insert(b, before, below(b, 200));
        else
            edit(b);
        limits_random(b);
        b->limits.range_bytes = range_bytes; /* what stands stays as it was cut */
        bench_write(b, append, append ? before : 0, ARMI_FIT_STRICT);
        bench_check(b);
        struct armi_table_written again = bench_write(b, false, 0, ARMI_FIT_STRICT);
        assert_false(again.changed);
        assert_int_equal(again.columns_encoded, 0);
        assert_int_equal(again.chunks_written, 0);
    }
}

/* Types that Parquet cannot carry, and seconds beyond what its milliseconds hold, are refused by column, before anything is kept. */
static bool is_refused(struct bench *b)
{
    static const uint8_t table_id[ARMI_TABLE_ID_SIZE] = {9};
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream stream;
    struct armi_table_version made;
    struct armi_table_written written;
    const struct armi_table_write how = {.name = "t"};
    rows_insert(b, 0, 3);
    model_stream(&b->model, 0, 0, &b->seed, &stream);
    enum armi_status st = armi_table_write(&b->world.io, &b->world.sink, NULL, table_id,
                                           &stream, &how, &made, &written, &err);
    model_resize(&b->model, 0);
    if (st == ARMI_OK)
        armi_table_version_release(&made);
    else
        assert_true(st == ARMI_UNSUPPORTED || st == ARMI_INVALID);
    if (st != ARMI_OK)
        assert_non_null(strstr(err.message, "\"x\""));
    return st != ARMI_OK;
}

static void every_type_lives_through_edits(void **state)
{
    (void)state;
    size_t refused = 0;
    for (size_t t = 0; t < arrow_gen_type_count; t++) {
        struct bench b;
        struct universe id, x;
        bench_init(&b, 77 + t);
        universe_init(&id, "id", "int64", ROWS, 0, 1);
        /* 250 values: a dictionary of uint8 may have them all in one range. */
        universe_init(&x, "x", arrow_gen_types[t], 250, t % 2 != 0 ? 5 : 0, t);
        b.model.columns[0] = &id;
        b.model.columns[1] = &x;
        b.model.column_count = 2;
        if (is_refused(&b)) {
            refused++;
            universe_release(&id);
            universe_release(&x);
            bench_release(&b);
            continue;
        }
        history(&b, 500, 3);
        /* The column alone: its own anchor, if it can be one. */
        armi_table_version_release(&b.version);
        b.has_version = false;
        b.model.columns[0] = &x;
        b.model.column_count = 1;
        b.model.rows = 0;
        history(&b, 500, 3);
        universe_release(&id);
        universe_release(&x);
        bench_release(&b);
    }
    assert_int_equal(refused, 8);
}

static void many_columns_live_through_many_edits(void **state)
{
    (void)state;
    const char *seed_text = getenv("ARMI_SEED");
    uint64_t seed = seed_text != NULL ? strtoull(seed_text, NULL, 10) : 20240229;
    print_message("# ARMI_SEED=%llu\n", (unsigned long long)seed);
    for (uint64_t run = 0; run < 6; run++) {
        static const char *const types[] = {
            "int64",
            "string",
            "double",
            "dictionary<values=string, indices=int32, ordered=0>",
            "list<item: int64>",
            "timestamp[us, tz=UTC]",
            ("struct<a: int64, b: string, c: struct<d: bool, e: fixed_size_list<item: "
             "int16>[2]>>"),
            "bool"};
        struct universe u[8];
        struct bench b;
        bench_init(&b, seed + run);
        for (size_t c = 0; c < 8; c++) {
            char name[2] = {(char)('a' + c), '\0'};
            universe_init(&u[c], name, types[c], ROWS, c % 3 == 0 ? 0 : 7, seed + c);
            b.model.columns[c] = &u[c];
        }
        b.model.column_count = 8;
        history(&b, 2000, 12);
        for (size_t c = 0; c < 8; c++)
            universe_release(&u[c]);
        bench_release(&b);
    }
}

/* ---- schema ---- */

static void widened(struct universe *u, const char *type, struct universe *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field = arrow_gen_field(type);
    struct ArrowArray array;
    ok(armi_field_set_name(&field, u->field.name, &err));
    ok(armi_cast(&u->view, &field, NULL, &array, &err));
    universe_adopt(out, &field, &array);
}

/* The rows that a table has keep what they were when columns come, go, move and grow wider. */
static void columns_come_go_move_and_widen(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"int8", "int16"},
                                           {"int16", "int64"},
                                           {"uint8", "uint32"},
                                           {"uint32", "uint64"},
                                           {"float", "double"},
                                           {"halffloat", "double"},
                                           {"decimal32(5, 2)", "decimal128(20, 2)"},
                                           {"decimal64(12, 3)", "decimal64(18, 3)"},
                                           {"null", "string"},
                                           {"null", "list<item: int64>"}};
    for (size_t p = 0; p < sizeof pairs / sizeof pairs[0]; p++) {
        struct universe id, narrow, wide, extra, fresh;
        struct bench b;
        bench_init(&b, p);
        universe_init(&id, "id", "int64", ROWS, 0, 1);
        universe_init(&narrow, "x", pairs[p][0], ROWS, 6, p);
        universe_init(&extra, "extra", "string", ROWS, 0, p);
        bench_init(&b, p);
        b.model.columns[0] = &id;
        b.model.columns[1] = &narrow;
        b.model.column_count = 2;
        rows_insert(&b, 0, 900);
        bench_write(&b, false, 0, ARMI_FIT_STRICT);
        /* Appended in the wider type: the old ranges stay, and are read as it. */
        widened(&narrow, pairs[p][1], &wide);
        universe_init(&fresh, "x", pairs[p][1], ROWS, 3, p + 1);
        size_t before = b.model.rows;
        b.model.columns[1] = &wide;
        rows_insert(&b, before, 100);
        bench_write(&b, true, before, ARMI_FIT_MERGE);
        bench_check(&b);
        /* A further column, by an append: null in what was there. */
        struct armi_error err = ARMI_ERROR_INIT;
        struct model tail = {.column_count = 3, .columns = {&id, &wide, &extra}};
        model_resize(&tail, 30);
        for (size_t i = 0; i < 30; i++)
            for (size_t c = 0; c < 3; c++)
                model_row(&tail, i)[c] = (int64_t)(i * 7 + c);
        struct ArrowArrayStream stream;
        struct armi_table_version made;
        struct armi_table_written written;
        const struct armi_table_write how = {
            .name = "t", .append = true, .fit = ARMI_FIT_MERGE, .limits = b.limits};
        model_stream(&tail, 0, 11, &b.seed, &stream);
        ok(armi_table_write(&b.world.io, &b.world.sink, &b.version, NULL, &stream, &how,
                            &made, &written, &err));
        world_check(&b.world, &made, 0);
        assert_int_equal(made.schema.child_count, 3);
        armi_table_version_release(&made);
        free(tail.cells);
        /* Whole writes: another order, a column less, and back. */
        b.model.columns[0] = &wide;
        b.model.columns[1] = &id;
        for (size_t i = 0; i < b.model.rows; i++) {
            int64_t *row = model_row(&b.model, i), first = row[0];
            row[0] = row[1];
            row[1] = first;
        }
        struct armi_table_written moved = bench_write(&b, false, 0, ARMI_FIT_OVERWRITE);
        assert_true(moved.changed);
        bench_check(&b);
        b.model.columns[0] = &id;
        b.model.column_count = 1;
        for (size_t i = 0; i < b.model.rows; i++)
            model_row(&b.model, i)[0] = model_row(&b.model, i)[1];
        struct armi_table_written dropped = bench_write(&b, false, 0, ARMI_FIT_OVERWRITE);
        assert_true(dropped.changed);
        assert_int_equal(dropped.columns_encoded, 0);
        bench_check(&b);
        universe_release(&id);
        universe_release(&narrow);
        universe_release(&wide);
        universe_release(&extra);
        universe_release(&fresh);
        bench_release(&b);
    }
}

/* ---- cost ---- */

static void the_cost_follows_what_is_touched(void **state)
{
    (void)state;
    struct universe u[3];
    struct bench b;
    bench_init(&b, 5);
    universe_init(&u[0], "id", "int64", 100000, 0, 1);
    universe_init(&u[1], "name", "string", ROWS, 9, 2);
    universe_init(&u[2], "value", "double", ROWS, 0, 3);
    for (size_t c = 0; c < 3; c++)
        b.model.columns[c] = &u[c];
    b.model.column_count = 3;
    b.limits.target_rows = 100;
    rows_insert(&b, 0, 20000);
    struct armi_table_written first = bench_write(&b, false, 0, ARMI_FIT_STRICT);
    assert_true(b.version.ranges > 100);
    assert_int_equal(first.columns_encoded, 3 * b.version.ranges);

    model_row(&b.model, 10000)[2] = (model_row(&b.model, 10000)[2] + 1) % ROWS;
    struct armi_table_written cell = bench_write(&b, false, 0, ARMI_FIT_STRICT);
    assert_true(cell.columns_encoded <= 1);

    static const struct {
        size_t at, insert, delete;
        uint64_t most; /* ranges that are made anew */
    } edits[] = {{10000, 1, 0, 5}, {0, 1, 0, 5},      {20002, 1, 0, 2},  {5000, 0, 1, 5},
                 {0, 0, 1, 5},     {7000, 0, 500, 6}, {300, 500, 0, 12}, {9000, 3, 3, 8}};
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        model_delete(&b.model, edits[i].at, edits[i].delete);
        rows_insert(&b, edits[i].at, edits[i].insert);
        struct armi_table_written e = bench_write(&b, false, 0, ARMI_FIT_STRICT);
        assert_true(e.changed);
        if (e.columns_encoded > 3 * edits[i].most)
            fail_msg("edit %zu made %llu columns anew", i,
                     (unsigned long long)e.columns_encoded);
    }
    bench_check(&b);
    /* In segments, as a long stream comes: no look from the back, the same bounds all the same. */
    b.limits.segment_bytes = 50000;
    rows_insert(&b, 4000, 2);
    struct armi_table_written e = bench_write(&b, false, 0, ARMI_FIT_STRICT);
    assert_true(e.columns_encoded <= 3 * 6);
    bench_check(&b);
    for (size_t c = 0; c < 3; c++)
        universe_release(&u[c]);
    bench_release(&b);
}

/* Edits at many places at once, each far from the others: as many times the cost of one. */
static void scattered_inserts_cost_what_they_touch(void **state)
{
    (void)state;
    struct universe u;
    struct bench b;
    bench_init(&b, 6);
    universe_init(&u, "id", "int64", 100000, 0, 1);
    b.model.columns[0] = &u;
    b.model.column_count = 1;
    b.limits.target_rows = 50;
    rows_insert(&b, 0, 20000);
    bench_write(&b, false, 0, ARMI_FIT_STRICT);
    uint64_t ranges = b.version.ranges;
    for (size_t i = 0; i < 20; i++)
        rows_insert(&b, 500 + i * 900, 1);
    struct armi_table_written e = bench_write(&b, false, 0, ARMI_FIT_STRICT);
    assert_true(e.columns_encoded <= 20 * 4);
    assert_true(e.columns_encoded < ranges / 3);
    bench_check(&b);
    universe_release(&u);
    bench_release(&b);
}

/* Nine rewrites of nine columns: a range never lies in more than eight chunks. */
static void a_range_lies_in_eight_chunks_at_most(void **state)
{
    (void)state;
    struct universe u[8];
    struct bench b;
    bench_init(&b, 8);
    for (size_t c = 0; c < 8; c++) {
        char name[2] = {(char)('a' + c), '\0'};
        universe_init(&u[c], name, "int64", ROWS, 0, c);
        b.model.columns[c] = &u[c];
    }
    b.model.column_count = 8;
    rows_insert(&b, 0, 100);
    bench_write(&b, false, 0, ARMI_FIT_STRICT);
    for (size_t i = 0; i < 40; i++) {
        size_t c = 1 + below(&b, 7);
        model_row(&b.model, 50)[c] = (int64_t)below(&b, ROWS);
        bench_write(&b, false, 0, ARMI_FIT_STRICT);
        bench_check(&b);
    }
    for (size_t c = 0; c < 8; c++)
        universe_release(&u[c]);
    bench_release(&b);
}

/* ---- odd shapes ---- */

static void tables_may_lack_rows_or_columns(void **state)
{
    (void)state;
    struct universe u;
    struct bench b;
    bench_init(&b, 9);
    universe_init(&u, "id", "int64", ROWS, 0, 1);
    b.model.columns[0] = &u;
    b.model.column_count = 1;
    bench_write(&b, false, 0, ARMI_FIT_STRICT); /* no rows */
    bench_check(&b);
    assert_int_equal(b.version.ranges, 0);
    assert_false(bench_write(&b, false, 0, ARMI_FIT_STRICT).changed);
    assert_false(bench_write(&b, true, 0, ARMI_FIT_STRICT).changed);
    rows_insert(&b, 0, 1);
    bench_write(&b, true, 0, ARMI_FIT_STRICT);
    bench_check(&b);
    model_resize(&b.model, 0);
    assert_true(bench_write(&b, false, 0, ARMI_FIT_STRICT).changed);
    bench_check(&b);
    armi_table_version_release(&b.version);
    b.has_version = false;
    b.model.column_count = 0; /* rows that have nothing but their number */
    model_resize(&b.model, 1234);
    bench_write(&b, false, 0, ARMI_FIT_STRICT);
    bench_check(&b);
    assert_false(bench_write(&b, false, 0, ARMI_FIT_STRICT).changed);
    model_resize(&b.model, 1300);
    bench_write(&b, true, 1234, ARMI_FIT_STRICT);
    bench_check(&b);
    universe_release(&u);
    bench_release(&b);
}

static bool interrupt_third(void *ctx)
{
    int *calls = ctx;
    return ++*calls >= 3;
}

static void long_calls_can_be_interrupted(void **state)
{
    (void)state;
    static const uint8_t table_id[ARMI_TABLE_ID_SIZE] = {9};
    struct armi_error err = ARMI_ERROR_INIT;
    struct universe u;
    struct bench b;
    struct ArrowArrayStream stream;
    struct armi_table_version made;
    struct armi_table_written written;
    struct armi_array_list list = ARMI_ARRAY_LIST_INIT;
    int calls = 0;
    bench_init(&b, 4);
    universe_init(&u, "id", "int64", ROWS, 0, 1);
    b.model.columns[0] = &u;
    b.model.column_count = 1;
    rows_insert(&b, 0, 2000);
    struct armi_table_write how = {.name = "t", .limits = b.limits};
    how.callbacks.interrupted = interrupt_third;
    how.callbacks.ctx = &calls;
    model_stream(&b.model, 0, 30, &b.seed, &stream);
    fails(ARMI_INTERRUPTED, armi_table_write(&b.world.io, &b.world.sink, NULL, table_id,
                                             &stream, &how, &made, &written, &err));
    bench_write(&b, false, 0, ARMI_FIT_STRICT);
    struct armi_table_scan options = {.name = "t", .ranges_apart = true, .where = "id > 0"};
    options.callbacks.interrupted = interrupt_third;
    options.callbacks.ctx = &calls;
    ok(armi_table_version_copy(&b.version, &made, &err));
    ok(armi_table_scan_open(&b.world.io, &made, &options, &stream, &err));
    calls = 2;
    fails(ARMI_INTERRUPTED, armi_stream_collect(&stream, &list, &err));
    armi_array_list_release(&list);
    armi_stream_release(&stream);
    universe_release(&u);
    bench_release(&b);
}

/* A table's elements may be promised not to be null: data that promises nothing is held to it. */
static void nulls_are_refused_within_lists_and_structs(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"list<item: int32 not null>", "list<item: int32>"},
        {"struct<a: int32 not null>", "struct<a: int32>"},
        {"list<item: struct<a: int32 not null>>", "list<item: struct<a: int32>>"}};
    for (size_t p = 0; p < 3; p++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct universe strict, loose, sound;
        struct bench b;
        struct ArrowArrayStream stream;
        struct armi_table_version made;
        struct armi_table_written written;
        const struct armi_table_write how = {.name = "t", .append = true};
        bench_init(&b, p);
        universe_init(&strict, "x", pairs[p][0], 50, 0, p);
        universe_init(&sound, "x", pairs[p][1], 50, 0, p);
        universe_init(&loose, "x", pairs[p][1], 50, 2, p);
        b.model.columns[0] = &strict;
        b.model.column_count = 1;
        rows_insert(&b, 0, 50);
        bench_write(&b, false, 0, ARMI_FIT_STRICT);
        struct model more = {.column_count = 1, .columns = {&loose}};
        model_resize(&more, 50);
        for (size_t i = 0; i < 50; i++)
            model_row(&more, i)[0] = (int64_t)i;
        model_stream(&more, 0, 0, &b.seed, &stream);
        fails(ARMI_CONSTRAINT,
              armi_table_write(&b.world.io, &b.world.sink, &b.version, NULL, &stream, &how,
                               &made, &written, &err));
        assert_non_null(strstr(err.message, "x"));
        more.columns[0] = &sound;
        model_stream(&more, 0, 0, &b.seed, &stream);
        ok(armi_table_write(&b.world.io, &b.world.sink, &b.version, NULL, &stream, &how,
                            &made, &written, &err));
        world_check(&b.world, &made, 0);
        armi_table_version_release(&made);
        free(more.cells);
        universe_release(&strict);
        universe_release(&sound);
        universe_release(&loose);
        bench_release(&b);
    }
}

static void a_table_has_two_thousand_columns(void **state)
{
    (void)state;
    enum { COLUMNS = 2000, WIDE_ROWS = 3 };
    static const uint8_t table_id[ARMI_TABLE_ID_SIZE] = {9};
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema = ARMI_FIELD_INIT;
    struct ArrowArray *columns = calloc(COLUMNS, sizeof *columns), batch;
    struct ArrowArrayStream stream;
    struct armi_table_version first, second;
    struct armi_table_written written;
    const struct armi_table_write how = {.name = "t"};
    struct world world;
    world_init(&world);
    ok(armi_field_init_schema(&schema, &err));
    ok(armi_field_alloc_children(&schema, COLUMNS, &err));
    for (size_t c = 0; c < COLUMNS; c++) {
        char name[16];
        snprintf(name, sizeof name, "c%zu", c);
        ok(armi_field_init(&schema.children[c], name, ARMI_TYPE_INT32, &err));
    }
    for (int round = 0; round < 2; round++) {
        for (size_t c = 0; c < COLUMNS; c++)
            ok(arrow_gen_array(&schema.children[c], WIDE_ROWS, 0,
                               c == 1999 ? (uint64_t)round : c, &columns[c], &err));
        ok(armi_arrow_array_batch(&schema, WIDE_ROWS, columns, &batch, &err));
        ok(armi_stream_from_arrays(&schema, &batch, 1, &stream, &err));
        ok(armi_table_write(&world.io, &world.sink, round != 0 ? &first : NULL, table_id,
                            &stream, &how, round != 0 ? &second : &first, &written, &err));
    }
    assert_int_equal(written.columns_encoded, 1);
    assert_int_equal(written.columns_shared, COLUMNS - 1);
    world_check(&world, &first, 0);
    world_check(&world, &second, 0);
    armi_table_version_release(&first);
    armi_table_version_release(&second);
    armi_field_release(&schema);
    free(columns);
    world_release(&world);
}

/* 0, 1, 2 … */
static void numbers(struct universe *u, const char *name, int64_t rows)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field field = arrow_gen_field("int64");
    struct armi_builder *builder;
    struct ArrowArray array;
    ok(armi_field_set_name(&field, name, &err));
    ok(armi_builder_new(&field, &builder, &err));
    for (int64_t i = 0; i < rows; i++)
        ok(armi_builder_append_int(builder, i, &err));
    ok(armi_builder_finish(builder, &array, &err));
    armi_builder_free(builder);
    universe_adopt(u, &field, &array);
}

/* Batches bring dictionaries of their own: a chunk may have more values than its indices can number,
 * a range may not. */
static void dictionaries_with_narrow_indices_differ_by_range(void **state)
{
    (void)state;
    static const uint8_t table_id[ARMI_TABLE_ID_SIZE] = {9};
    struct armi_error err = ARMI_ERROR_INIT;
    struct universe id, plain, u[6];
    struct bench b;
    bench_init(&b, 3);
    universe_init(&id, "id", "int64", ROWS, 0, 1);
    numbers(&plain, "x", ROWS);
    struct armi_field schema = ARMI_FIELD_INIT, column;
    struct armi_array_list list = ARMI_ARRAY_LIST_INIT;
    for (size_t i = 0; i < 6; i++) {
        struct armi_array slice = armi_array_slice(&plain.view, (int64_t)i * 100, 100);
        struct armi_field field =
            arrow_gen_field("dictionary<values=int64, indices=int8, ordered=0>");
        struct ArrowArray array;
        ok(armi_cast(&slice, &field, NULL, &array, &err));
        universe_adopt(&u[i], &field, &array);
    }
    ok(armi_field_init_schema(&schema, &err));
    ok(armi_field_copy(&id.field, &column, &err));
    ok(armi_field_add_child(&schema, &column, &err));
    ok(armi_field_copy(&u[0].field, &column, &err));
    ok(armi_field_add_child(&schema, &column, &err));
    for (size_t i = 0; i < 6; i++) {
        struct ArrowArray columns[2], batch;
        ok(armi_array_export_slice(&id.view, (int64_t)i * 100, 100, NULL, &columns[0],
                                   &err));
        ok(armi_array_export_slice(&u[i].view, 0, 100, NULL, &columns[1], &err));
        ok(armi_arrow_array_batch(&schema, 100, columns, &batch, &err));
        ok(armi_array_list_add(&list, &batch, &err));
    }
    struct ArrowArrayStream stream, again;
    struct armi_table_version version;
    struct armi_table_written written;
    struct armi_table_write how = {.name = "t"};
    how.limits = (struct armi_table_limits){.settle_bytes = 1, .target_rows = 20};
    ok(armi_stream_from_arrays(&schema, list.arrays, list.count, &stream, &err));
    ok(armi_table_write(&b.world.io, &b.world.sink, NULL, table_id, &stream, &how, &version,
                        &written, &err));
    world_check(&b.world, &version, 0);
    struct armi_table_scan options = {.name = "t"};
    ok(armi_table_scan_open(&b.world.io, &version, &options, &again, &err));
    struct armi_array_list read = ARMI_ARRAY_LIST_INIT;
    ok(armi_stream_collect(&again, &read, &err));
    int64_t row = 0;
    for (size_t i = 0; i < read.count; i++) {
        struct armi_array view;
        ok(armi_array_init_batch(&schema, &read.arrays[i], ARMI_VALIDATE_FULL, &view,
                                 &err));
        struct armi_array x = armi_array_column(&view, 1);
        for (int64_t k = 0; k < view.length; k++, row++) {
            assert_true(armi_compare_same(&x, k, &u[row / 100].view, row % 100));
        }
        armi_array_release(&view);
    }
    assert_int_equal(row, 600);
    armi_array_list_release(&read);
    armi_stream_release(&again);
    /* All of it in one range: refused, by name. */
    for (size_t i = 0; i < 6; i++) {
        struct ArrowArray columns[2], batch;
        ok(armi_array_export_slice(&id.view, (int64_t)i * 100, 100, NULL, &columns[0],
                                   &err));
        ok(armi_array_export_slice(&u[i].view, 0, 100, NULL, &columns[1], &err));
        ok(armi_arrow_array_batch(&schema, 100, columns, &batch, &err));
        list.count = i;
        ok(armi_array_list_add(&list, &batch, &err));
    }
    how.limits = (struct armi_table_limits){0};
    ok(armi_stream_from_arrays(&schema, list.arrays, list.count, &stream, &err));
    fails(ARMI_LIMIT, armi_table_write(&b.world.io, &b.world.sink, NULL, table_id, &stream,
                                       &how, &version, &written, &err));
    assert_non_null(strstr(err.message, "\"x\""));
    armi_array_list_release(&list);
    armi_field_release(&schema);
    universe_release(&id);
    universe_release(&plain);
    for (size_t i = 0; i < 6; i++)
        universe_release(&u[i]);
    bench_release(&b);
}

/* Values of 20 MiB: 2.2 GiB in one column of 32-bit offsets, split where it must be. */
static void ranges_of_large_values_are_cut(void **state)
{
    (void)state;
    enum { VALUES = 110 };
    static const uint8_t table_id[ARMI_TABLE_ID_SIZE] = {9};
    const int64_t size = 20 << 20;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema = ARMI_FIELD_INIT, column = ARMI_FIELD_INIT;
    struct armi_array_list list = ARMI_ARRAY_LIST_INIT;
    struct ArrowArrayStream stream;
    struct armi_table_version version;
    struct armi_table_written written;
    const struct armi_table_write how = {.name = "t"};
    struct world world;
    world_init(&world);
    ok(armi_field_init_schema(&schema, &err));
    ok(armi_field_init(&column, "blob", ARMI_TYPE_BINARY, &err));
    ok(armi_field_add_child(&schema, &column, &err));
    char *bytes = calloc(1, (size_t)size + 16); /* zeros: they compress to nothing */
    for (int32_t i = 0; i < VALUES; i++) {
        int32_t *offsets = armi_alloc_array(2, sizeof *offsets);
        offsets[0] = 0;
        offsets[1] = (int32_t)size - i;
        struct armi_part parts[3] = {armi_part_static(NULL, 0), armi_part_owned(offsets, 8),
                                     armi_part_static(bytes, size)};
        struct armi_array_parts whole = {.buffer_count = 3, .buffers = parts};
        struct ArrowArray value = {0}, batch;
        ok(armi_arrow_array_make(&schema.children[0], 1, 0, &whole, &value, &err));
        ok(armi_arrow_array_batch(&schema, 1, &value, &batch, &err));
        ok(armi_array_list_add(&list, &batch, &err));
    }
    ok(armi_stream_from_arrays(&schema, list.arrays, list.count, &stream, &err));
    armi_array_list_release(&list);
    ok(armi_table_write(&world.io, &world.sink, NULL, table_id, &stream, &how, &version,
                        &written, &err));
    assert_int_equal(version.rows, VALUES);
    world_check(&world, &version, ARMI_CHUNK_ARROW_MAX);
    armi_table_version_release(&version);
    armi_field_release(&schema);
    world_release(&world);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_lives_through_edits),
        cmocka_unit_test(many_columns_live_through_many_edits),
        cmocka_unit_test(columns_come_go_move_and_widen),
        cmocka_unit_test(the_cost_follows_what_is_touched),
        cmocka_unit_test(scattered_inserts_cost_what_they_touch),
        cmocka_unit_test(a_range_lies_in_eight_chunks_at_most),
        cmocka_unit_test(tables_may_lack_rows_or_columns),
        cmocka_unit_test(long_calls_can_be_interrupted),
        cmocka_unit_test(nulls_are_refused_within_lists_and_structs),
        cmocka_unit_test(a_table_has_two_thousand_columns),
        cmocka_unit_test(dictionaries_with_narrow_indices_differ_by_range),
        cmocka_unit_test(ranges_of_large_values_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
