#include "repo_kit.h"

#include <stdlib.h>

#include "arrow/builder.h"
#include "arrow/compare.h"
#include "arrow/concat.h"
#include "arrow/stream.h"
#include "test.h"

void repo_kit_open(struct repo_kit *kit)
{
    temp_dir_make(kit->path);
    kit->repo = NULL;
    repo_kit_reopen(kit);
}

void repo_kit_close(struct repo_kit *kit)
{
    armi_repository_close(kit->repo);
    temp_dir_remove(kit->path);
}

void repo_kit_reopen(struct repo_kit *kit)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_open_options options = {.size = sizeof options};
    armi_repository_close(kit->repo);
    kit->repo = NULL;
    ok(armi_repository_open(kit->path, &options, &kit->repo, &err));
}

/* ---- rows ---- */

static void schema_make(struct armi_field *schema)
{
    struct armi_error err = ARMI_ERROR_INIT;
    static const struct {
        const char *name;
        enum armi_type type;
    } columns[] = {
        {"id", ARMI_TYPE_INT64}, {"name", ARMI_TYPE_UTF8}, {"value", ARMI_TYPE_FLOAT64}};
    ok(armi_field_init_schema(schema, &err));
    for (size_t i = 0; i < 3; i++) {
        struct armi_field column = ARMI_FIELD_INIT;
        ok(armi_field_init(&column, columns[i].name, columns[i].type, &err));
        ok(armi_field_add_child(schema, &column, &err));
    }
}

static double value_of(int64_t id, int64_t changed)
{
    return id == changed ? -1.5 : (double)(id * 7919 % 100003) / 100;
}

static void batch_make(const struct armi_field *schema, int64_t from, int64_t rows,
                       int64_t changed, struct ArrowArray *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_part parts[8] = {{0}};
    struct ArrowArray columns[3] = {{0}};
    struct armi_buf ids = {0}, values = {0}, offsets = {0}, text = {0}, bits = {0};
    uint8_t *valid;
    ok(armi_buf_extend(&bits, armi_bitmap_size((size_t)rows) + 1, &valid, &err));
    memset(valid, 0, armi_bitmap_size((size_t)rows) + 1);
    ok(armi_buf_append_u32(&offsets, 0, &err));
    int64_t nulls = 0;
    for (int64_t i = 0; i < rows; i++) {
        int64_t id = from + i;
        double value = value_of(id, changed);
        char name[32];
        ok(armi_buf_append(&ids, &id, sizeof id, &err));
        ok(armi_buf_append(&values, &value, sizeof value, &err));
        nulls += id % 7 == 0;
        if (id % 7 != 0) {
            armi_bit_set(valid, (size_t)i);
            int n = snprintf(name, sizeof name, "user-%lld", (long long)id);
            ok(armi_buf_append(&text, name, (size_t)n, &err));
        }
        ok(armi_buf_append_u32(&offsets, (uint32_t)text.size, &err));
    }
    parts[1] = armi_part_buf(&ids);
    struct armi_array_parts p = {.buffer_count = 2, .buffers = parts};
    ok(armi_arrow_array_make(&schema->children[0], rows, 0, &p, &columns[0], &err));
    parts[0] = armi_part_buf(&bits);
    parts[1] = armi_part_buf(&offsets);
    parts[2] = armi_part_buf(&text);
    p = (struct armi_array_parts){.buffer_count = 3, .buffers = parts};
    ok(armi_arrow_array_make(&schema->children[1], rows, nulls, &p, &columns[1], &err));
    parts[0] = armi_part_static(NULL, 0);
    parts[1] = armi_part_buf(&values);
    p = (struct armi_array_parts){.buffer_count = 2, .buffers = parts};
    ok(armi_arrow_array_make(&schema->children[2], rows, 0, &p, &columns[2], &err));
    ok(armi_arrow_array_batch(schema, rows, columns, out, &err));
}

void repo_kit_rows(int64_t from, int64_t rows, int64_t changed, int64_t batch_rows,
                   struct ArrowArrayStream *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_field schema = ARMI_FIELD_INIT;
    struct armi_array_list list = ARMI_ARRAY_LIST_INIT;
    schema_make(&schema);
    for (int64_t at = 0; at < rows;) {
        int64_t n = batch_rows != 0 && rows - at > batch_rows ? batch_rows : rows - at;
        struct ArrowArray batch;
        batch_make(&schema, from + at, n, changed, &batch);
        ok(armi_array_list_add(&list, &batch, &err));
        at += n;
    }
    ok(armi_stream_from_arrays(&schema, list.arrays, list.count, out, &err));
    armi_array_list_release(&list);
    armi_field_release(&schema);
}

/* ---- writing and looking ---- */

enum armi_status repo_kit_write(struct repo_kit *kit, const char *branch, const char *table,
                                struct ArrowArrayStream *data, enum armi_write_mode mode,
                                struct armi_write_result *out, struct armi_error *err)
{
    struct armi_transaction *tx = NULL;
    struct armi_write_options options = {
        .size = sizeof options, .mode = mode, .blind = mode == ARMI_WRITE_OVERWRITE};
    enum armi_status st = armi_transaction_begin(kit->repo, branch, &tx, err);
    if (st == ARMI_OK)
        st = armi_transaction_write(tx, table, data, &options, NULL, err);
    else
        armi_stream_release(data);
    if (st == ARMI_OK)
        st = armi_transaction_commit(tx, NULL, err);
    if (st == ARMI_OK && out != NULL)
        st = armi_transaction_result(tx, 0, out, err);
    armi_transaction_free(tx);
    return st;
}

static void collect(struct ArrowArrayStream *stream, struct armi_field *schema,
                    struct ArrowArray *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_array_list list = ARMI_ARRAY_LIST_INIT;
    ok(armi_stream_schema(stream, schema, &err));
    ok(armi_stream_collect(stream, &list, &err));
    struct armi_array *views = calloc(list.count + 1, sizeof *views);
    for (size_t i = 0; i < list.count; i++)
        ok(armi_array_init(schema, &list.arrays[i], ARMI_VALIDATE_FULL, &views[i], &err));
    ok(armi_concat(schema, views, list.count, out, &err));
    for (size_t i = 0; i < list.count; i++)
        armi_array_release(&views[i]);
    free(views);
    armi_array_list_release(&list);
    armi_stream_release(stream);
}

void repo_kit_expect(struct repo_kit *kit, const char *table, const struct armi_at *at,
                     int64_t from, int64_t rows, int64_t changed)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream have, want;
    struct armi_field have_schema = ARMI_FIELD_INIT, want_schema = ARMI_FIELD_INIT;
    struct ArrowArray have_array, want_array;
    struct armi_array a, b;
    struct armi_scan_options options = {.size = sizeof options, .table = table};
    if (at != NULL)
        options.at = *at;
    ok(armi_scan_open(kit->repo, &options, &have, &err));
    repo_kit_rows(from, rows, changed, 0, &want);
    collect(&have, &have_schema, &have_array);
    collect(&want, &want_schema, &want_array);
    assert_int_equal(have_array.length, rows);
    assert_true(armi_field_equal(&have_schema, &want_schema,
                                 ARMI_EQUAL_NAMES | ARMI_EQUAL_NULLABLE));
    ok(armi_array_init(&have_schema, &have_array, ARMI_VALIDATE_FULL, &a, &err));
    ok(armi_array_init(&want_schema, &want_array, ARMI_VALIDATE_FULL, &b, &err));
    assert_int_equal(armi_compare_same_run(&a, 0, &b, 0, rows), rows);
    armi_array_release(&a);
    armi_array_release(&b);
    armi_arrow_array_release(&have_array);
    armi_arrow_array_release(&want_array);
    armi_field_release(&have_schema);
    armi_field_release(&want_schema);
}

void repo_kit_verify(struct repo_kit *kit)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_verify_options options = {.size = sizeof options, .deep = true};
    struct armi_verify_result result = {.size = sizeof result};
    ok(armi_repository_verify(kit->repo, &options, &result, &err));
    for (size_t i = 0; i < result.problem_count; i++)
        print_error("%s %s: %s\n", result.problems[i].kind, result.problems[i].name,
                    result.problems[i].message);
    assert_true(result.ok);
    armi_verify_result_release(&result);
}
