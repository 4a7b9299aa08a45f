/* Ranges and table versions as bytes: the worked examples of docs/format, every bit of them flipped,
 * every end cut off, every allocation failed. */
#include "test.h"

#include <stdlib.h>

#include "arrow/schema_text.h"
#include "base/alloc.h"
#include "base/text.h"
#include "fault_alloc.h"
#include "table/table_append.h"
#include "table/table_version.h"

/* docs/format/range.md */
static const char range_hex[] =
    "011d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d00ac02ac020301f1f1f1f1f1f1f1f1f1f1f1f1f1f1"
    "f1f1f1f1f1f101f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f201f3f3f3f3f3f3f3f3f3f3"
    "f3f3f3f3f3f3f3f3f3f3020000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaa00a08d06bc05f40300ac020201020100bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb008407ac020000ac02010200";
static const char range_logical_hex[] = "18c1f473a126f662c32b63099105b54fbfb7d3c5";
/* docs/format/table_version.md */
static const char settings_hex[] = "414e040104b0ea01010100";
static const char pending_hex[] =
    "414e0701ac02d83601010000001f08088000000000000000800000000000000902011d1d1d1d"
    "1d1d1d1d1d1d1d1d1d1d1d1d00ac02ac020301f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1"
    "f101f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f201f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3"
    "f3f3f3f3f3020000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaa00a08d06bc05f40300ac020201020100bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    "bbbbbbbbbbbbbbbbbbbbbbbb008407ac020000ac02010200";
static const char version_hex[] =
    "414e02017a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a19ec235a065d486726b39d30d192fbf9acbd"
    "cc86b5de4eae3d50e32a04ed0a53b62a70f126bf0565c310f0beb9e5a534ecb518251220f542"
    "3eddbae0f151746cb131b4f9120ae62edc53438391aa0976564b903df0df853c0920c14a6a82"
    "ecaaac02d83601010001cae638e2aa02e0e6cd92425b1084e16ab2c57f020192f38eec966f7c"
    "d094599b00";

static void expect_hex(const char *what, const uint8_t *bytes, size_t size,
                       const char *want)
{
    char *hex = malloc(2 * size + 1);
    armi_hex_encode(bytes, size, hex);
    if (strcmp(hex, want) != 0)
        fail_msg("%s is %s", what, hex);
    free(hex);
}

/* ---- the example ---- */

static void example_range(struct armi_range *range)
{
    static const int32_t first[] = {1, 3}, second[] = {2};
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_chunk_ref file = {.kind = ARMI_CHUNK_FILE,
                                  .file_size = 100000,
                                  .footer_size = 700,
                                  .file_row = 500,
                                  .rows = 300};
    struct armi_chunk_ref tiny = {
        .kind = ARMI_CHUNK_CATALOG, .file_size = 900, .footer_size = 300, .rows = 300};
    *range = (struct armi_range)ARMI_RANGE_INIT;
    ok(armi_range_alloc(range, 3, &err));
    memset(range->id, 0x1d, sizeof range->id);
    range->rows = range->live = 300;
    range->bytes = 7000;
    for (size_t c = 0; c < 3; c++) {
        range->columns[c].id = (int32_t)c + 1;
        memset(range->columns[c].fingerprint, 0xf1 + (int)c, ARMI_FINGERPRINT_SIZE);
    }
    memset(file.hash.bytes, 0xaa, ARMI_HASH_SIZE);
    memset(tiny.hash.bytes, 0xbb, ARMI_HASH_SIZE);
    ok(armi_range_add_chunk(range, &file, first, 2, &err));
    ok(armi_range_add_chunk(range, &tiny, second, 1, &err));
    range->stats_count = 1;
    range->stats[0] = (struct armi_tree_stats){
        .column = 1,
        .flags = ARMI_TREE_HAS_MIN | ARMI_TREE_HAS_MAX | ARMI_TREE_MIN_EXACT |
                 ARMI_TREE_MAX_EXACT | ARMI_TREE_NULLS_EXACT,
        .min_size = 8,
        .max_size = 8,
        .null_count = 2,
    };
    range->stats[0].min[0] = range->stats[0].max[0] = 0x80;
    range->stats[0].max[7] = 9;
}

static void expect_same(const struct armi_range *a, const struct armi_range *b)
{
    assert_memory_equal(a->id, b->id, sizeof a->id);
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->live, b->live);
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->column_count, b->column_count);
    assert_memory_equal(a->columns, b->columns, a->column_count * sizeof *a->columns);
    assert_int_equal(a->chunk_count, b->chunk_count);
    for (size_t k = 0; k < a->chunk_count; k++) {
        const struct armi_chunk_ref *x = &a->chunks[k], *y = &b->chunks[k];
        assert_int_equal(x->kind, y->kind);
        assert_memory_equal(&x->hash, &y->hash, sizeof x->hash);
        assert_int_equal(x->file_size, y->file_size);
        assert_int_equal(x->footer_size, y->footer_size);
        assert_int_equal(x->file_row, y->file_row);
        assert_int_equal(x->rows, y->rows);
        assert_int_equal(x->column_count, y->column_count);
        assert_memory_equal(x->columns, y->columns, x->column_count * sizeof *x->columns);
    }
    assert_int_equal(a->stats_count, b->stats_count);
}

static void a_range_has_the_bytes_of_its_page(void **state)
{
    (void)state;
    static const int32_t anchors[] = {1};
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_range range, back;
    struct armi_buf payload = {0};
    struct armi_tree_entry entry;
    example_range(&range);
    ok(armi_range_entry(&range, anchors, 1, &payload, &entry, &err));
    expect_hex("the payload", payload.data, payload.size, range_hex);
    expect_hex("the logical hash", entry.logical, 20, range_logical_hex);
    assert_int_equal(entry.rows, 300);
    ok(armi_range_decode(&entry, &back, &err));
    expect_same(&range, &back);
    assert_int_equal(armi_range_chunk(&back, 3)->file_size, 100000);
    assert_null(armi_range_chunk(&back, 4));
    /* A column goes; a reference that serves none goes with it. */
    armi_range_drop_column(&back, 2);
    assert_int_equal(back.chunk_count, 1);
    armi_range_drop_column(&back, 3);
    assert_int_equal(back.chunks[0].column_count, 1);
    armi_range_release(&back);
    armi_range_release(&range);
    armi_buf_release(&payload);
}

/* Whatever is changed: a clear status, or a range that says something else; never a crash. */
static void a_changed_range_is_refused_or_another(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_range range, back;
    struct armi_buf payload = {0};
    struct armi_tree_entry entry;
    size_t unsupported = 0;
    example_range(&range);
    ok(armi_range_entry(&range, NULL, 0, &payload, &entry, &err));
    for (size_t size = 0; size < payload.size; size++) {
        uint8_t *cut = malloc(size + 1); /* its own block: reading behind it shows */
        memcpy(cut, payload.data, size);
        entry.payload = (struct armi_slice){cut, size};
        fails(ARMI_CORRUPTION, armi_range_decode(&entry, &back, &err));
        free(cut);
    }
    entry.payload = armi_buf_slice(&payload);
    for (size_t bit = 0; bit < 8 * payload.size; bit++) {
        payload.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum armi_status st = armi_range_decode(&entry, &back, &err);
        if (st == ARMI_OK)
            armi_range_release(&back);
        else
            assert_true(st == ARMI_CORRUPTION || st == ARMI_UNSUPPORTED);
        unsupported += st == ARMI_UNSUPPORTED;
        payload.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(unsupported >= 8 + 2 * 14); /* the format, each chunk's kind and flags */
    entry.rows++;
    fails(ARMI_CORRUPTION, armi_range_decode(&entry, &back, &err));
    armi_range_release(&range);
    armi_buf_release(&payload);
}

static void a_section_that_must_be_understood_refuses(void **state)
{
    (void)state;
    static const uint8_t skipped[] = {1, 9, 0, 2, 'x', 'y'}, needed[] = {1, 9, 1, 0};
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_range range, back;
    struct armi_buf payload = {0};
    struct armi_tree_entry entry;
    example_range(&range);
    ok(armi_range_entry(&range, NULL, 0, &payload, &entry, &err));
    payload.size--; /* the count of sections, which is the last byte */
    size_t size = payload.size;
    ok(armi_buf_append(&payload, skipped, sizeof skipped, &err));
    entry.payload = armi_buf_slice(&payload);
    ok(armi_range_decode(&entry, &back, &err));
    expect_same(&range, &back);
    armi_range_release(&back);
    payload.size = size;
    ok(armi_buf_append(&payload, needed, sizeof needed, &err));
    entry.payload = armi_buf_slice(&payload);
    fails(ARMI_UNSUPPORTED, armi_range_decode(&entry, &back, &err));
    armi_range_release(&range);
    armi_buf_release(&payload);
}

/* ---- versions ---- */

static void example_version(struct armi_node_set *set, struct armi_table_version *version)
{
    static const char *const names[] = {"id", "name", "value"};
    static const char *const types[] = {"int64", "string", "double"};
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_range range;
    armi_table_version_init(version);
    memset(version->table_id, 0x7a, sizeof version->table_id);
    ok(armi_field_init_schema(&version->schema, &err));
    for (size_t c = 0; c < 3; c++) {
        struct armi_field column = ARMI_FIELD_INIT;
        ok(armi_type_parse(types[c], &column, &err));
        ok(armi_field_set_name(&column, names[c], &err));
        column.id = (int32_t)c + 1;
        ok(armi_field_add_child(&version->schema, &column, &err));
    }
    version->settings.next_id = 4;
    version->settings.target_rows = 30000;
    version->settings.anchor_count = 1;
    version->settings.anchors[0] = 1;
    example_range(&range);
    ok(armi_table_append(set, version, &range, 1, &err));
    ok(armi_table_version_total(version, &err));
    armi_range_release(&range);
}

/* The framed node of a type that was put last. */
static struct armi_slice node_of(const struct armi_node_set *set, enum armi_node_type type)
{
    for (size_t i = set->count; i > 0; i--)
        if (set->entries[i - 1].type == type)
            return armi_node_set_bytes(set, i - 1);
    fail_msg("no node of type %d", (int)type);
    return (struct armi_slice){NULL, 0};
}

static void a_version_has_the_bytes_of_its_page(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_node_set set;
    struct armi_table_version version, back;
    struct armi_hash name;
    armi_node_set_init(&set, NULL);
    example_version(&set, &version);
    ok(armi_table_version_save(&version, &set, &name, &err));
    struct armi_slice settings = node_of(&set, ARMI_NODE_SETTINGS);
    struct armi_slice pending = node_of(&set, ARMI_NODE_PENDING);
    struct armi_slice node = node_of(&set, ARMI_NODE_TABLE_VERSION);
    expect_hex("the settings", settings.data, settings.size, settings_hex);
    expect_hex("the pending range", pending.data, pending.size, pending_hex);
    expect_hex("the version", node.data, node.size, version_hex);
    const struct armi_node_source source = armi_node_set_source(&set);
    ok(armi_table_version_load(&source, &name, &back, &err));
    assert_int_equal(back.rows, 300);
    assert_int_equal(back.pending_count, 1);
    expect_same(&back.pending[0], &version.pending[0]);
    assert_memory_equal(back.content, version.content, sizeof back.content);
    assert_true(armi_field_equal(&back.schema, &version.schema, ARMI_EQUAL_ALL));
    armi_table_version_release(&back);
    armi_table_version_release(&version);
    armi_node_set_release(&set);
}

/* Nodes under a name that says nothing of their bytes: as if BLAKE3 had been broken. */
struct forged {
    struct armi_node_source below;
    enum armi_node_type type;
    struct armi_slice bytes;
    struct armi_hash name;
};

static enum armi_status forged_get(void *ctx, enum armi_node_type type,
                                   const struct armi_hash *name, struct armi_buf *out,
                                   struct armi_error *err)
{
    struct forged *f = ctx;
    if (memcmp(name, &f->name, sizeof *name) != 0)
        return armi_node_get(&f->below, type, name, out, err);
    armi_buf_clear(out);
    return armi_buf_append(out, f->bytes.data, f->bytes.size, err);
}

static void a_changed_version_is_refused_or_another(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_node_set set;
    struct armi_table_version version, back;
    struct armi_hash name;
    armi_node_set_init(&set, NULL);
    example_version(&set, &version);
    ok(armi_table_version_save(&version, &set, &name, &err));
    struct forged forged = {.below = armi_node_set_source(&set)};
    const struct armi_node_source source = {forged_get, &forged};
    struct armi_slice node = node_of(&set, ARMI_NODE_TABLE_VERSION);
    struct armi_buf copy = {0};
    ok(armi_buf_append(&copy, node.data, node.size, &err));
    for (size_t bit = 0; bit < 8 * copy.size; bit++) {
        copy.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        forged.bytes = armi_buf_slice(&copy);
        armi_node_name(ARMI_NODE_TABLE_VERSION, forged.bytes, &forged.name);
        enum armi_status st = armi_table_version_load(&source, &forged.name, &back, &err);
        if (st == ARMI_OK)
            armi_table_version_release(&back);
        else
            assert_true(st == ARMI_CORRUPTION || st == ARMI_UNSUPPORTED ||
                        st == ARMI_NOT_FOUND);
        copy.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < node.size; size++) {
        forged.bytes = (struct armi_slice){node.data, size};
        armi_node_name(ARMI_NODE_TABLE_VERSION, forged.bytes, &forged.name);
        fails(ARMI_CORRUPTION, armi_table_version_load(&source, &forged.name, &back, &err));
    }
    armi_buf_release(&copy);
    armi_table_version_release(&version);
    armi_node_set_release(&set);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_node_set set;
        struct armi_table_version version, copy;
        struct armi_hash name;
        fault_alloc_begin(0, false);
        armi_node_set_init(&set, NULL);
        example_version(&set, &version);
        fault_alloc_arm(n);
        enum armi_status st = armi_table_version_save(&version, &set, &name, &err);
        const struct armi_node_source source = armi_node_set_source(&set);
        if (st == ARMI_OK)
            st = armi_table_version_load(&source, &name, &copy, &err);
        if (st == ARMI_OK) {
            struct armi_table_version merged;
            st = armi_table_append_ranges(&set, &copy, &version, 0, &merged, &err);
            if (st == ARMI_OK)
                armi_table_version_release(&merged);
            armi_table_version_release(&copy);
        }
        armi_table_version_release(&version);
        armi_node_set_release(&set);
        bool fired = fault_alloc_end();
        assert_int_equal(st, fired ? ARMI_NO_MEMORY : ARMI_OK);
        if (!fired)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_has_the_bytes_of_its_page),
        cmocka_unit_test(a_changed_range_is_refused_or_another),
        cmocka_unit_test(a_section_that_must_be_understood_refuses),
        cmocka_unit_test(a_version_has_the_bytes_of_its_page),
        cmocka_unit_test(a_changed_version_is_refused_or_another),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
