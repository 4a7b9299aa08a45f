#include "test.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"
#include "catalog/commit.h"
#include "fault_alloc.h"

static struct armi_slice text(const char *s)
{
    return (struct armi_slice){(const uint8_t *)s, strlen(s)};
}

static struct armi_hash filled(uint8_t byte)
{
    struct armi_hash h;
    memset(h.bytes, byte, sizeof h.bytes);
    return h;
}

/* The commit of the worked example in docs/format/commit.md. */
struct example {
    struct armi_commit commit;
    struct armi_hash parents[1];
    struct armi_commit_pair pairs[1];
    struct armi_commit_op ops[1];
};

static void example_init(struct example *e)
{
    memset(e, 0, sizeof *e);
    e->parents[0] = filled(0x11);
    e->pairs[0] = (struct armi_commit_pair){text("job"), text("nightly")};
    e->ops[0] = (struct armi_commit_op){
        .kind = 1,
        .table = text("flights"),
        .old_version = 2,
        .old_node = filled(0x33),
        .old_rows = 336776,
        .new_version = 3,
        .new_node = filled(0x44),
        .new_rows = 336786,
        .rows_added = 10,
    };
    e->commit = (struct armi_commit){
        .parents_count = 1,
        .parents = e->parents,
        .depth = 6, /* its skip pointer leads to depth 3 */
        .skip = filled(0x22),
        .time_us = 1800000000000001,
        .clock_us = 1800000000000000,
        .author = text("ada"),
        .message = text("ten more"),
        .metadata_count = 1,
        .metadata = e->pairs,
        .tables = {.is_inline = true, .bytes = text("map")},
        .ops_count = 1,
        .ops = e->ops,
    };
    memset(e->commit.txid, 0x55, sizeof e->commit.txid);
}

static const char example_hex[] =
    "414e0101"
    "0006"
    "01"
    "1111111111111111111111111111111111111111111111111111111111111111"
    "2222222222222222222222222222222222222222222222222222222222222222"
    "0180982817650600"
    "02"
    "55555555555555555555555555555555"
    "03616461"
    "0874656e206d6f7265"
    "01"
    "036a6f62"
    "076e696768746c79"
    "00"
    "036d6170"
    "01"
    "0103"
    "07666c6967687473"
    "02"
    "3333333333333333333333333333333333333333333333333333333333333333"
    "88c714"
    "03"
    "4444444444444444444444444444444444444444444444444444444444444444"
    "92c714"
    "0a0000";
static const char example_name[] =
    "72e15d452276e02990e1a5c2851d2c11b5556d2378acc8606eeb8aad4bcc2133";

static void same_commit(const struct armi_commit *a, const struct armi_commit *b)
{
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->parents_count, b->parents_count);
    for (size_t i = 0; i < a->parents_count; i++)
        assert_memory_equal(&a->parents[i], &b->parents[i], sizeof a->parents[i]);
    assert_true(a->depth == b->depth);
    if (a->depth != 0)
        assert_memory_equal(&a->skip, &b->skip, sizeof a->skip);
    assert_true(a->time_us == b->time_us && a->clock_us == b->clock_us);
    assert_memory_equal(a->txid, b->txid, sizeof a->txid);
    assert_true(armi_slice_equal(a->author, b->author));
    assert_true(armi_slice_equal(a->message, b->message));
    assert_int_equal(a->metadata_count, b->metadata_count);
    for (size_t i = 0; i < a->metadata_count; i++)
        assert_true(armi_slice_equal(a->metadata[i].key, b->metadata[i].key) &&
                    armi_slice_equal(a->metadata[i].value, b->metadata[i].value));
    assert_true(a->tables.is_inline == b->tables.is_inline);
    assert_true(a->tables.root_is_leaf == b->tables.root_is_leaf);
    assert_true(armi_slice_equal(a->tables.bytes, b->tables.bytes));
    assert_memory_equal(&a->tables.root, &b->tables.root, sizeof a->tables.root);
    assert_int_equal(a->ops_count, b->ops_count);
    for (size_t i = 0; i < a->ops_count; i++) {
        const struct armi_commit_op *x = &a->ops[i], *y = &b->ops[i];
        assert_int_equal(x->kind, y->kind);
        assert_true(armi_slice_equal(x->table, y->table));
        assert_true(armi_slice_equal(x->old_name, y->old_name));
        assert_true(x->old_version == y->old_version && x->new_version == y->new_version);
        assert_memory_equal(&x->old_node, &y->old_node, sizeof x->old_node);
        assert_memory_equal(&x->new_node, &y->new_node, sizeof x->new_node);
        assert_true(x->old_rows == y->old_rows && x->new_rows == y->new_rows);
        assert_true(x->rows_added == y->rows_added && x->rows_removed == y->rows_removed);
        assert_true(x->rows_changed == y->rows_changed);
    }
}

static void the_worked_example_has_these_bytes(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct example e;
    struct armi_buf bytes = {0};
    struct armi_hash name;
    struct armi_commit back;
    char hex[2048], name_hex[ARMI_HASH_HEX_SIZE];

    example_init(&e);
    ok(armi_commit_encode(&e.commit, &bytes, &err));
    armi_hex_encode(bytes.data, bytes.size, hex);
    assert_string_equal(hex, example_hex);
    armi_node_name(ARMI_NODE_COMMIT, armi_buf_slice(&bytes), &name);
    armi_hash_format(&name, name_hex);
    assert_string_equal(name_hex, example_name);
    ok(armi_commit_decode(&name, armi_buf_slice(&bytes), &back, &err));
    same_commit(&e.commit, &back);
    armi_commit_release(&back);
    armi_buf_release(&bytes);
}

/* Decodes bytes under their own right name: what a forger or a bug could produce. */
static enum armi_status decode_any(const uint8_t *data, size_t size, struct armi_buf *again,
                                   struct armi_error *err)
{
    struct armi_hash name;
    struct armi_commit commit;
    struct armi_slice bytes = {data, size};
    struct armi_error mine = ARMI_ERROR_INIT;

    armi_node_name(ARMI_NODE_COMMIT, bytes, &name);
    enum armi_status status = armi_commit_decode(&name, bytes, &commit, err);
    if (status != ARMI_OK)
        return status;
    status = armi_commit_encode(&commit, again, &mine);
    assert_int_equal(status, ARMI_OK);
    armi_commit_release(&commit);
    return ARMI_OK;
}

static void what_decodes_at_all_encodes_to_the_same_bytes(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct example e;
    struct armi_buf bytes = {0}, again = {0};
    size_t decoded = 0, refused = 0;

    example_init(&e);
    ok(armi_commit_encode(&e.commit, &bytes, &err));
    for (size_t i = 0; i < bytes.size; i++) {
        assert_int_not_equal(decode_any(bytes.data, i, &again, &err), ARMI_OK);
        for (int bit = 0; bit < 8; bit++) {
            bytes.data[i] ^= (uint8_t)(1 << bit);
            enum armi_status status = decode_any(bytes.data, bytes.size, &again, &err);
            if (status == ARMI_OK) {
                decoded++;
                assert_int_equal(again.size, bytes.size);
                assert_memory_equal(again.data, bytes.data, bytes.size);
            } else {
                refused++;
                assert_true(status == ARMI_CORRUPTION || status == ARMI_UNSUPPORTED);
            }
            bytes.data[i] ^= (uint8_t)(1 << bit);
        }
    }
    assert_true(decoded > 0 && refused > 0);
    armi_buf_release(&bytes);
    armi_buf_release(&again);
}

static void a_wrong_name_is_corruption_and_says_which(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct example e;
    struct armi_buf bytes = {0};
    struct armi_hash name = filled(0xab);
    struct armi_commit commit;

    example_init(&e);
    ok(armi_commit_encode(&e.commit, &bytes, &err));
    fails(ARMI_CORRUPTION,
          armi_commit_decode(&name, armi_buf_slice(&bytes), &commit, &err));
    assert_non_null(strstr(err.message, "abababab"));
    armi_buf_release(&bytes);
}

static void a_newer_encoding_is_refused_as_newer(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct example e;
    struct armi_buf bytes = {0}, again = {0};

    example_init(&e);
    ok(armi_commit_encode(&e.commit, &bytes, &err));
    bytes.data[3] = 2;
    fails(ARMI_UNSUPPORTED, decode_any(bytes.data, bytes.size, &again, &err));
    assert_non_null(strstr(err.message, "newer version"));
    armi_buf_release(&bytes);
}

static void what_breaks_a_rule_is_not_encoded(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_buf out = {0};
    struct example e;
    struct armi_commit_pair pairs[2] = {{text("b"), text("")}, {text("a"), text("")}};
    char *big = calloc(1, ARMI_MESSAGE_SIZE_MAX + 2);

    example_init(&e);
    e.commit.depth = 0;
    fails(ARMI_INVALID, armi_commit_encode(&e.commit, &out, &err));
    example_init(&e);
    e.commit.metadata_count = 2;
    e.commit.metadata = pairs;
    fails(ARMI_INVALID, armi_commit_encode(&e.commit, &out, &err));
    example_init(&e);
    e.commit.message = (struct armi_slice){(uint8_t *)big, ARMI_MESSAGE_SIZE_MAX + 1};
    fails(ARMI_LIMIT, armi_commit_encode(&e.commit, &out, &err));
    example_init(&e);
    e.commit.tables.bytes = (struct armi_slice){(uint8_t *)big, ARMI_TABLES_INLINE_MAX + 1};
    fails(ARMI_INVALID, armi_commit_encode(&e.commit, &out, &err));
    example_init(&e);
    e.ops[0].table.size = 0;
    fails(ARMI_INVALID, armi_commit_encode(&e.commit, &out, &err));
    example_init(&e);
    e.ops[0].old_version = e.ops[0].new_version = 0;
    fails(ARMI_INVALID, armi_commit_encode(&e.commit, &out, &err));
    assert_int_equal(out.size, 0);
    free(big);
}

static void a_first_commit_and_a_big_one_survive(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_buf bytes = {0};
    struct armi_hash name;
    struct armi_commit back;
    struct armi_commit first = {.time_us = INT64_MIN, .clock_us = INT64_MAX};

    first.tables.is_inline = true;
    ok(armi_commit_encode(&first, &bytes, &err));
    assert_true(bytes.size < 64);
    armi_node_name(ARMI_NODE_COMMIT, armi_buf_slice(&bytes), &name);
    ok(armi_commit_decode(&name, armi_buf_slice(&bytes), &back, &err));
    same_commit(&first, &back);
    armi_commit_release(&back);

    struct armi_hash parents[ARMI_PARENTS_MAX];
    struct armi_commit_op ops[3] = {
        {.kind = 8, .table = text("a"), .old_version = UINT64_MAX, .old_node = filled(1)},
        {.kind = 9,
         .table = text("b"),
         .old_name = text("c"),
         .old_version = 1,
         .new_version = 2},
        {.kind = 0, .table = text("ba"), .new_version = 1, .new_rows = UINT64_MAX},
    };
    memset(parents, 7, sizeof parents);
    struct armi_commit big = {
        .flags = ARMI_COMMIT_LAYOUT_ONLY,
        .parents = parents,
        .parents_count = ARMI_PARENTS_MAX,
        .depth = UINT64_MAX,
        .skip = filled(7),
        .tables = {.root = filled(9), .root_is_leaf = true},
        .ops = ops,
        .ops_count = 3,
    };
    if (armi_commit_skip_depth(big.depth) != big.depth - 1)
        big.skip = filled(8);
    ok(armi_commit_encode(&big, &bytes, &err));
    armi_node_name(ARMI_NODE_COMMIT, armi_buf_slice(&bytes), &name);
    ok(armi_commit_decode(&name, armi_buf_slice(&bytes), &back, &err));
    same_commit(&big, &back);
    armi_commit_release(&back);
    armi_buf_release(&bytes);
}

static void every_failing_allocation_is_told_and_leaks_nothing(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    for (size_t n = 1;; n++) {
        struct example e;
        struct armi_buf bytes = {0};
        struct armi_hash name;
        struct armi_commit back = {0};
        example_init(&e);
        fault_alloc_begin(n, false);
        enum armi_status status = armi_commit_encode(&e.commit, &bytes, &err);
        if (status == ARMI_OK) {
            armi_node_name(ARMI_NODE_COMMIT, armi_buf_slice(&bytes), &name);
            status = armi_commit_decode(&name, armi_buf_slice(&bytes), &back, &err);
        }
        armi_commit_release(&back);
        armi_buf_release(&bytes);
        bool fired = fault_alloc_end();
        assert_int_equal(status, fired ? ARMI_NO_MEMORY : ARMI_OK);
        if (!fired)
            break;
    }
}

static void skip_depths_follow_the_jump_pointer_rule(void **state)
{
    (void)state;
    enum { N = 5000 };
    static uint64_t jump[N];
    for (uint64_t d = 1; d < N; d++) {
        uint64_t p = d - 1;
        jump[d] = p - jump[p] == jump[p] - jump[jump[p]] ? jump[jump[p]] : p;
        assert_true(armi_commit_skip_depth(d) == jump[d]);
    }
    assert_true(armi_commit_skip_depth(UINT64_MAX) == 0);
    assert_true(armi_commit_skip_depth(UINT64_MAX - 1) == UINT64_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example_has_these_bytes),
        cmocka_unit_test(what_decodes_at_all_encodes_to_the_same_bytes),
        cmocka_unit_test(a_wrong_name_is_corruption_and_says_which),
        cmocka_unit_test(a_newer_encoding_is_refused_as_newer),
        cmocka_unit_test(what_breaks_a_rule_is_not_encoded),
        cmocka_unit_test(a_first_commit_and_a_big_one_survive),
        cmocka_unit_test(every_failing_allocation_is_told_and_leaks_nothing),
        cmocka_unit_test(skip_depths_follow_the_jump_pointer_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
