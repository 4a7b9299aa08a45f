/*
 * Bytes: the worked example of docs/format/tree.md, what is refused, statistics, and the
 * invariants that verify proves.
 */
#include "tree_world.h"

#include "base/text.h"
#include "tree/tree_internal.h"

static const uint8_t logical_1[ARMI_TREE_LOGICAL_SIZE] = {
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
static const uint8_t logical_2[ARMI_TREE_LOGICAL_SIZE] = {
    0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
    0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea};

static const struct armi_tree_stats example_stats[] = {
    {.column = 1,
     .flags = ARMI_TREE_HAS_MIN | ARMI_TREE_HAS_MAX | ARMI_TREE_MIN_EXACT |
              ARMI_TREE_MAX_EXACT | ARMI_TREE_NULLS_EXACT,
     .min_size = 2,
     .max_size = 2,
     .min = {0x80, 0x05},
     .max = {0x80, 0x09}},
    {.column = 4,
     .flags = ARMI_TREE_HAS_MIN | ARMI_TREE_HAS_NAN,
     .min_size = 1,
     .min = {'k'},
     .null_count = 200},
};

static void example_entries(struct armi_tree_entry entries[2])
{
    entries[0] = (struct armi_tree_entry){.payload = {(const uint8_t *)"one", 3},
                                          .rows = 300,
                                          .bytes = 4096,
                                          .anchor = UINT64_C(0x1122334455667788),
                                          .stats = example_stats,
                                          .stats_count = 2};
    memcpy(entries[0].logical, logical_1, sizeof logical_1);
    entries[1] = (struct armi_tree_entry){.payload = {(const uint8_t *)"two", 3},
                                          .rows = 7,
                                          .bytes = 90,
                                          .anchor = UINT64_C(0x99aabbccddeeff00),
                                          .stats = example_stats,
                                          .stats_count = 1};
    memcpy(entries[1].logical, logical_2, sizeof logical_2);
}

static void assert_hex(struct armi_slice bytes, const char *want)
{
    char *hex = malloc(2 * bytes.size + 1);
    assert_non_null(hex);
    armi_hex_encode(bytes.data, bytes.size, hex);
    assert_string_equal(hex, want);
    free(hex);
}

static void the_worked_example_of_the_format_page_is_what_is_written(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct world world;
    struct armi_tree_entry entries[2];
    struct armi_tree_root root = {0}, back = {0};
    struct armi_buf bytes;
    world_init(&world);
    armi_buf_init(&bytes, 0);
    struct armi_tree tree = world_tree(&world, false);
    example_entries(entries);
    ok(armi_tree_build_array(&tree, entries, 2, &root, &err));
    ok(armi_tree_root_encode(&root, &bytes, &err));
    assert_hex(armi_buf_slice(&bytes),
               "00"
               "000002"
               "00ac02802088776655443322110102030405060708090a0b0c0d0e0f1011121314036f6e65"
               "02011f000280050280090221c801016b"
               "00075a00ffeeddccbbaa99f1f2f3f4f5f6f7f8f9fae1e2e3e4e5e6e7e8e9ea0374776f"
               "01011f00028005028009");
    assert_hex((struct armi_slice){root.logical, 20},
               "5d1674409f83743dfe189530cdd0a9206714205e");
    ok(armi_tree_root_decode(armi_buf_slice(&bytes), false, &back, &err));
    assert_same_root(&root, &back);
    armi_buf_release(&bytes);
    armi_tree_root_release(&root);
    armi_tree_root_release(&back);
    world_release(&world);
}

static void a_root_by_node_has_the_bytes_of_the_format_page(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_buf bytes;
    struct armi_tree_root back = {0};
    struct armi_tree_root root = {.keyed = true,
                                  .level = 1,
                                  .rows = 307,
                                  .bytes = 4186,
                                  .entries = 2,
                                  .anchor = UINT64_C(0x99aabbccddeeff00)};
    armi_buf_init(&bytes, 0);
    memcpy(root.logical, logical_1, sizeof logical_1);
    for (size_t i = 0; i < ARMI_HASH_SIZE; i++)
        root.hash.bytes[i] = (uint8_t)(0xa0 + i);
    ok(armi_buf_append(&root.key, "zoo", 3, &err));
    ok(armi_tree_root_encode(&root, &bytes, &err));
    assert_hex(armi_buf_slice(&bytes),
               "0301"
               "00b302da2000ffeeddccbbaa990102030405060708090a0b0c0d0e0f1011121314037a6f6f"
               "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf0200");
    ok(armi_tree_root_decode(armi_buf_slice(&bytes), true, &back, &err));
    assert_same_root(&root, &back);
    fails(ARMI_CORRUPTION,
          armi_tree_root_decode(armi_buf_slice(&bytes), false, &back, &err));
    for (size_t size = 0; size < bytes.size; size++) {
        struct armi_slice cut = {bytes.data, size};
        fails(ARMI_CORRUPTION, armi_tree_root_decode(cut, true, &back, &err));
    }
    bytes.data[0] = 0x07;
    fails(ARMI_UNSUPPORTED,
          armi_tree_root_decode(armi_buf_slice(&bytes), true, &back, &err));
    armi_buf_release(&bytes);
    armi_tree_root_release(&root);
    armi_tree_root_release(&back);
}

static enum armi_status decode_copy(struct armi_slice bytes, unsigned level, bool keyed,
                                    struct tree_node *node, struct armi_error *err)
{
    struct armi_buf copy;
    armi_buf_init(&copy, 0);
    enum armi_status st = armi_buf_append(&copy, bytes.data, bytes.size, err);
    if (st == ARMI_OK)
        st = armi_tree_node_decode(&copy, level, keyed, node, err);
    armi_buf_release(&copy);
    return st;
}

static void encode_node(const struct tree_node *node, struct armi_buf *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_buf items;
    armi_buf_init(&items, 0);
    armi_buf_init(out, 0);
    for (size_t i = 0; i < node->count; i++)
        ok(armi_tree_item_encode(&node->items[i], node->level, node->keyed, &items, &err));
    ok(armi_tree_node_encode(node->level, node->keyed, node->count, armi_buf_slice(&items),
                             out, &err));
    armi_buf_release(&items);
}

/*
 * Cut anywhere it is refused; with a bit changed it is refused, or is a node with just
 * these bytes.
 */
static void check_damage(struct armi_slice bytes, unsigned level, bool keyed)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct tree_node node;
    struct armi_buf again, changed;
    armi_tree_node_init(&node);
    armi_buf_init(&changed, 0);
    for (size_t size = 0; size < bytes.size; size++)
        fails(ARMI_CORRUPTION, decode_copy((struct armi_slice){bytes.data, size}, level,
                                           keyed, &node, &err));
    ok(armi_buf_append(&changed, bytes.data, bytes.size, &err));
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        changed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (decode_copy(armi_buf_slice(&changed), level, keyed, &node, &err) == ARMI_OK) {
            encode_node(&node, &again);
            assert_true(armi_slice_equal(armi_buf_slice(&again), armi_buf_slice(&changed)));
            armi_buf_release(&again);
        }
        changed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    armi_buf_release(&changed);
    armi_tree_node_release(&node);
}

static void damaged_nodes_are_refused_or_are_other_nodes(void **unused)
{
    (void)unused;
    for (unsigned keyed = 0; keyed < 2; keyed++) {
        struct world world;
        uint64_t seeds[60];
        struct armi_tree_root root = {0};
        size_t inner = 0;
        world_init(&world);
        struct armi_tree tree = world_tree(&world, keyed == 1);
        for (size_t i = 0; i < 60; i++)
            seeds[i] = i << 20;
        build_seeds(&tree, seeds, 60, &root);
        for (size_t i = 0; i < world.count; i++) {
            unsigned level = world.nodes[i].data[0];
            inner += level > 0;
            if (world.nodes[i].size < 6000)
                check_damage(armi_buf_slice(&world.nodes[i]), level, keyed == 1);
        }
        assert_int_equal(inner, 1);
        armi_tree_root_release(&root);
        world_release(&world);
    }
}

static void bits_of_a_newer_version_are_unsupported_not_damage(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_tree_entry entries[2];
    struct tree_node node;
    struct armi_buf items, bytes;
    size_t first = 0;
    armi_buf_init(&items, 0);
    armi_buf_init(&bytes, 0);
    armi_tree_node_init(&node);
    example_entries(entries);
    for (size_t i = 0; i < 2; i++) {
        struct tree_item item = {.entry = entries[i], .entries = 1};
        ok(armi_tree_item_encode(&item, 0, false, &items, &err));
        first = i == 0 ? items.size : first;
    }
    ok(armi_tree_node_encode(0, false, 2, armi_buf_slice(&items), &bytes, &err));
    ok(decode_copy(armi_buf_slice(&bytes), 0, false, &node, &err));
    assert_int_equal(node.count, 2);
    assert_same_entry(&node.items[0].entry, &entries[0]);
    assert_same_entry(&node.items[1].entry, &entries[1]);
    /* Of the node, of an entry, of statistics. */
    const size_t places[] = {1, 3, 3 + first, 3 + first - 6};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        bytes.data[places[i]] |= 0x80;
        fails(ARMI_UNSUPPORTED, decode_copy(armi_buf_slice(&bytes), 0, false, &node, &err));
        bytes.data[places[i]] &= 0x7f;
    }
    armi_buf_release(&items);
    armi_buf_release(&bytes);
    armi_tree_node_release(&node);
}

static void entries_that_break_a_rule_are_refused_by_their_place(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct world world;
    struct armi_tree_entry entries[2];
    struct armi_tree_root root = {0};
    struct armi_tree_stats stats[2] = {{.column = 2}, {.column = 2}};
    world_init(&world);
    struct armi_tree tree = world_tree(&world, false), keyed = world_tree(&world, true);
    example_entries(entries);
    fails(ARMI_INVALID, armi_tree_build_array(&keyed, entries, 2, &root, &err));
    entries[1].stats = stats;
    entries[1].stats_count = 2;
    fails(ARMI_INVALID, armi_tree_build_array(&tree, entries, 2, &root, &err));
    assert_non_null(strstr(err.message, "entry 1"));
    entries[1].stats_count = 1;
    stats[0].flags = ARMI_TREE_MIN_EXACT;
    fails(ARMI_INVALID, armi_tree_build_array(&tree, entries, 2, &root, &err));
    stats[0].flags = ARMI_TREE_NO_VALUES | ARMI_TREE_HAS_MAX;
    fails(ARMI_INVALID, armi_tree_build_array(&tree, entries, 2, &root, &err));
    stats[0].flags = ARMI_TREE_HAS_MIN | ARMI_TREE_HAS_MAX;
    stats[0].min_size = 1;
    fails(ARMI_INVALID, armi_tree_build_array(&tree, entries, 2, &root, &err));
    stats[0] = (struct armi_tree_stats){.column = -1};
    fails(ARMI_INVALID, armi_tree_build_array(&tree, entries, 2, &root, &err));
    example_entries(entries);
    entries[1].stats_count = ARMI_TREE_STATS_MAX + 1;
    fails(ARMI_LIMIT, armi_tree_build_array(&tree, entries, 2, &root, &err));
    example_entries(entries);
    entries[1].rows = UINT64_MAX;
    fails(ARMI_LIMIT, armi_tree_build_array(&tree, entries, 2, &root, &err));
    example_entries(entries);
    entries[1].payload.size = ARMI_TREE_PAYLOAD_MAX + 1;
    fails(ARMI_LIMIT, armi_tree_build_array(&tree, entries, 2, &root, &err));
    entries[0].key = entries[1].key = (struct armi_slice){(const uint8_t *)"same", 4};
    entries[1].payload.size = 0;
    fails(ARMI_INVALID, armi_tree_build_array(&keyed, entries, 2, &root, &err));
    assert_int_equal(root.entries, 0);
    world_release(&world);
}

static struct armi_tree_stats bounds(unsigned flags, uint8_t min, uint8_t max,
                                     uint64_t nulls)
{
    struct armi_tree_stats s = {.column = 7, .flags = (uint8_t)flags, .null_count = nulls};
    if (flags & ARMI_TREE_HAS_MIN) {
        s.min_size = 1;
        s.min[0] = min;
    }
    if (flags & ARMI_TREE_HAS_MAX) {
        s.max_size = 1;
        s.max[0] = max;
    }
    return s;
}

static void joined_statistics_claim_only_what_both_sides_prove(void **unused)
{
    (void)unused;
    enum {
        BOTH = ARMI_TREE_HAS_MIN | ARMI_TREE_HAS_MAX,
        EXACT = ARMI_TREE_MIN_EXACT | ARMI_TREE_MAX_EXACT,
        NULLS = ARMI_TREE_NULLS_EXACT,
        NOTHING = ARMI_TREE_NO_VALUES,
        NAN_SEEN = ARMI_TREE_HAS_NAN,
    };
    const struct {
        struct armi_tree_stats a, b, sum;
    } cases[] = {
        {bounds(BOTH | EXACT | NULLS, 3, 9, 1), bounds(BOTH | NULLS, 5, 12, 2),
         bounds(BOTH | ARMI_TREE_MIN_EXACT | NULLS, 3, 12, 3)},
        {bounds(BOTH, 3, 9, 0), bounds(BOTH | EXACT, 3, 9, 0),
         bounds(BOTH | EXACT, 3, 9, 0)},
        {bounds(BOTH | NULLS, 3, 9, 0), bounds(NULLS, 0, 0, 4), bounds(NULLS, 0, 0, 4)},
        {bounds(BOTH | EXACT | NULLS, 3, 9, 0), bounds(NOTHING | NULLS, 0, 0, 4),
         bounds(BOTH | EXACT | NULLS, 3, 9, 4)},
        {bounds(NOTHING | NAN_SEEN, 0, 0, 0), bounds(BOTH | NULLS, 3, 9, 0),
         bounds(BOTH | NAN_SEEN, 3, 9, 0)},
        {bounds(NOTHING | NULLS, 0, 0, 4), bounds(NOTHING | NULLS, 0, 0, 5),
         bounds(NOTHING | NULLS, 0, 0, 9)},
        {bounds(ARMI_TREE_HAS_MIN, 3, 0, 0), bounds(BOTH | EXACT, 2, 9, 0),
         bounds(ARMI_TREE_HAS_MIN | ARMI_TREE_MIN_EXACT, 2, 0, 0)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct armi_tree_stats sum[1], a = cases[i].a;
        size_t count;
        assert_true(armi_tree_stats_union(&cases[i].a, 1, &cases[i].b, 1, sum, &count));
        assert_int_equal(count, 1);
        assert_memory_equal(&sum[0], &cases[i].sum, sizeof sum[0]);
        assert_true(armi_tree_stats_union(&cases[i].b, 1, &cases[i].a, 1, sum, &count));
        assert_memory_equal(&sum[0], &cases[i].sum, sizeof sum[0]);
        assert_true(armi_tree_stats_union(&a, 1, &cases[i].b, 1, &a, &count));
        assert_memory_equal(&a, &cases[i].sum, sizeof a);
        assert_true(armi_tree_stats_valid(sum, 1));
    }
}

static void joining_keeps_the_columns_of_both_and_finds_them(void **unused)
{
    (void)unused;
    struct armi_tree_stats a[3] = {{.column = 1}, {.column = 3}, {.column = 9}};
    struct armi_tree_stats b[3] = {
        {.column = 0}, {.column = 3}, {.column = 9, .null_count = 2}};
    size_t count;
    assert_true(armi_tree_stats_union(a, 3, b, 3, a, &count));
    assert_int_equal(count, 2);
    assert_int_equal(armi_tree_stats_find(a, count, 9)->null_count, 2);
    assert_ptr_equal(armi_tree_stats_find(a, count, 3), &a[0]);
    assert_null(armi_tree_stats_find(a, count, 1));
    assert_null(armi_tree_stats_find(NULL, 0, 1));
    a[0].null_count = UINT64_MAX;
    b[1].null_count = 1;
    assert_false(armi_tree_stats_union(a, 2, b, 3, a, &count));
}

/*
 * A tree with one stored node replaced by what `change` makes of it, found under the old
 * hash.
 */
static void expect_damage(unsigned level, void (*change)(struct tree_node *node),
                          const char *message)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct world world;
    uint64_t seeds[400];
    struct armi_tree_root root = {0};
    struct tree_node node;
    size_t place = 0;
    world_init(&world);
    armi_tree_node_init(&node);
    struct armi_tree tree = world_tree(&world, true);
    for (size_t i = 0; i < 400; i++)
        seeds[i] = i << 20;
    build_seeds(&tree, seeds, 400, &root);
    ok(armi_tree_verify(&tree, &root, NULL, &err));
    while (world.nodes[place].data[0] != level)
        place++;
    ok(decode_copy(armi_buf_slice(&world.nodes[place]), level, true, &node, &err));
    change(&node);
    armi_buf_release(&world.nodes[place]);
    encode_node(&node, &world.nodes[place]);
    fails(ARMI_CORRUPTION, armi_tree_verify(&tree, &root, NULL, &err));
    if (strstr(err.message, message) == NULL)
        fail_msg("wanted \"%s\" in \"%s\"", message, err.message);
    armi_tree_node_release(&node);
    armi_tree_root_release(&root);
    world_release(&world);
}

static void change_logical(struct tree_node *node)
{
    node->items[0].entry.logical[0] ^= 1;
}

static void change_rows(struct tree_node *node)
{
    node->items[0].entry.rows++;
}

static void change_stats(struct tree_node *node)
{
    node->stats[0].null_count++;
}

static void drop_last(struct tree_node *node)
{
    node->items[node->count - 2].entry.rows += node->items[node->count - 1].entry.rows;
    node->items[node->count - 2].entry.bytes += node->items[node->count - 1].entry.bytes;
    node->items[node->count - 2].entries += node->items[node->count - 1].entries;
    node->count--;
}

static void swap_children(struct tree_node *node)
{
    struct armi_hash hash = node->items[0].hash;
    node->items[0].hash = node->items[1].hash;
    node->items[1].hash = hash;
}

static void verify_finds_what_does_not_belong(void **unused)
{
    (void)unused;
    const char *summary = "are not those that its parent tells";
    for (unsigned level = 0; level < 2; level++) {
        expect_damage(level, change_logical, summary);
        expect_damage(level, change_rows, summary);
        expect_damage(level, change_stats, summary);
    }
    expect_damage(0, drop_last, "parent tells");
    expect_damage(1, swap_children, "parent tells");
}

static void verify_finds_nodes_that_end_in_the_wrong_place(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct world world;
    uint64_t seeds[60];
    struct armi_tree_root root = {0};
    struct tree_chunk *chunks[2];
    struct tree_item item;
    struct armi_buf encoded;
    bool cut;
    world_init(&world);
    armi_buf_init(&encoded, 0);
    struct armi_tree tree = world_tree(&world, false);
    for (size_t i = 0; i < 60; i++)
        seeds[i] = i;
    struct made_list list = make_list(seeds, 60, false);
    ok(armi_tree_chunk_new(0, false, &chunks[0], &err));
    ok(armi_tree_chunk_new(1, false, &chunks[1], &err));
    /* Two leaves of eight entries: too few to end. */
    for (size_t i = 0; i < 16; i++) {
        struct tree_item leaf = {.entry = list.entries[i], .entries = 1};
        armi_buf_clear(&encoded);
        ok(armi_tree_item_encode(&leaf, 0, false, &encoded, &err));
        leaf.encoded = armi_buf_slice(&encoded);
        ok(armi_tree_chunk_add(chunks[0], &leaf, &cut, &err));
        if (i % 8 != 7)
            continue;
        ok(armi_tree_chunk_close(chunks[0], &tree, &item, &err));
        armi_buf_clear(&encoded);
        ok(armi_tree_item_encode(&item, 1, false, &encoded, &err));
        item.encoded = armi_buf_slice(&encoded);
        ok(armi_tree_chunk_add(chunks[1], &item, &cut, &err));
    }
    ok(armi_tree_chunk_close(chunks[1], &tree, &item, &err));
    ok(armi_tree_root_from_item(&item, 1, false, &root, &err));
    fails(ARMI_CORRUPTION, armi_tree_verify(&tree, &root, NULL, &err));
    assert_non_null(strstr(err.message, "ends where it must go on"));
    armi_tree_chunk_free(chunks[0]);
    armi_tree_chunk_free(chunks[1]);
    armi_buf_release(&encoded);
    free_list(&list);
    armi_tree_root_release(&root);
    world_release(&world);
}

/* Both items name one leaf; the second tells of an entry more than there is. */
static void a_node_kept_by_a_cursor_is_held_against_each_item_that_names_it(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct world world;
    struct armi_tree_root leaf = {0}, root = {0};
    struct tree_chunk *chunk;
    struct tree_item item;
    struct armi_buf encoded;
    struct armi_tree_cursor *cursor = NULL;
    uint64_t seeds[30] = {0};
    bool cut;
    world_init(&world);
    armi_buf_init(&encoded, 0);
    struct armi_tree tree = world_tree(&world, false);
    for (size_t i = 0; i < 30; i++)
        seeds[i] = 3;
    build_seeds(&tree, seeds, 14, &leaf);
    assert_int_equal(leaf.level, 0);
    assert_false(leaf.is_inline);
    ok(armi_tree_chunk_new(1, false, &chunk, &err));
    for (size_t i = 0; i < 2; i++) {
        armi_tree_root_item(&leaf, &item);
        item.entries += i;
        armi_buf_clear(&encoded);
        ok(armi_tree_item_encode(&item, 1, false, &encoded, &err));
        item.encoded = armi_buf_slice(&encoded);
        ok(armi_tree_chunk_add(chunk, &item, &cut, &err));
    }
    ok(armi_tree_chunk_close(chunk, &tree, &item, &err));
    ok(armi_tree_root_from_item(&item, 1, false, &root, &err));
    ok(armi_tree_cursor_new(&tree, &root, &cursor, &err));
    ok(armi_tree_cursor_seek_ordinal(cursor, 13, &err));
    assert_true(armi_tree_cursor_valid(cursor));
    fails(ARMI_CORRUPTION, armi_tree_cursor_next(cursor, &err));
    assert_false(armi_tree_cursor_valid(cursor));
    armi_tree_cursor_free(cursor);
    armi_tree_chunk_free(chunk);
    armi_buf_release(&encoded);
    armi_tree_root_release(&leaf);
    armi_tree_root_release(&root);
    world_release(&world);
}

struct visits {
    size_t nodes, entries;
    bool descend;
};

static enum armi_status count_node(void *ctx, const struct armi_hash *hash, unsigned type,
                                   bool *descend, struct armi_error *err)
{
    struct visits *visits = ctx;
    (void)hash;
    (void)err;
    assert_true(type == WORLD_LEAF || type == WORLD_INNER);
    *descend = visits->descend;
    visits->nodes++;
    return ARMI_OK;
}

static enum armi_status count_entry(void *ctx, const struct armi_tree_entry *entry,
                                    struct armi_error *err)
{
    struct visits *visits = ctx;
    if (entry->rows == UINT64_MAX)
        return armi_error_set(err, ARMI_CORRUPTION, "stop");
    visits->entries++;
    return ARMI_OK;
}

static void
a_walk_visits_each_node_and_entry_once_and_skips_what_it_is_told_to(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    for (unsigned keyed = 0; keyed < 2; keyed++) {
        struct world world;
        static uint64_t seeds[3000];
        struct armi_tree_root root = {0};
        struct visits visits = {.descend = true};
        struct armi_tree_visitor visitor = {count_node, count_entry, &visits};
        world_init(&world);
        struct armi_tree tree = world_tree(&world, keyed == 1);
        for (size_t i = 0; i < 3000; i++)
            seeds[i] = i << 20;
        build_seeds(&tree, seeds, 3000, &root);
        ok(armi_tree_walk(&tree, &root, &visitor, &err));
        assert_int_equal(visits.nodes, world.count);
        assert_int_equal(visits.entries, 3000);
        visits = (struct visits){.descend = true};
        ok(armi_tree_verify(&tree, &root, &visitor, &err));
        assert_int_equal(visits.nodes, world.count);
        assert_int_equal(visits.entries, 3000);
        /* Leaves are not read where only nodes are wanted. */
        visits = (struct visits){.descend = true};
        visitor.entry = NULL;
        world.gets = 0;
        ok(armi_tree_walk(&tree, &root, &visitor, &err));
        assert_int_equal(visits.nodes, world.count);
        assert_true(world.gets < world.count / 20);
        visits = (struct visits){.descend = false};
        ok(armi_tree_walk(&tree, &root, &visitor, &err));
        assert_int_equal(visits.nodes, 1);
        world.gets = 0;
        ok(armi_tree_verify(&tree, &root, &visitor, &err));
        assert_int_equal(world.gets, keyed == 1 ? root.level + 1u : 1u);
        armi_tree_root_release(&root);
        world_release(&world);
    }
}

static void a_root_known_by_its_node_alone_is_opened_with_its_totals(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    const size_t counts[] = {30, 3000};
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        static uint64_t seeds[3000];
        struct armi_tree_root root = {0}, opened = {0};
        world_init(&world);
        struct armi_tree tree = world_tree(&world, true);
        for (size_t j = 0; j < counts[i]; j++)
            seeds[j] = j << 20;
        build_seeds(&tree, seeds, counts[i], &root);
        assert_false(root.is_inline);
        ok(armi_tree_root_open(&tree, &root.hash, root.level == 0, &opened, &err));
        assert_same_root(&root, &opened);
        fails(ARMI_NOT_FOUND,
              armi_tree_root_open(&tree, &root.hash, root.level != 0, &opened, &err));
        armi_tree_root_release(&root);
        armi_tree_root_release(&opened);
        world_release(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example_of_the_format_page_is_what_is_written),
        cmocka_unit_test(a_root_by_node_has_the_bytes_of_the_format_page),
        cmocka_unit_test(damaged_nodes_are_refused_or_are_other_nodes),
        cmocka_unit_test(bits_of_a_newer_version_are_unsupported_not_damage),
        cmocka_unit_test(entries_that_break_a_rule_are_refused_by_their_place),
        cmocka_unit_test(joined_statistics_claim_only_what_both_sides_prove),
        cmocka_unit_test(joining_keeps_the_columns_of_both_and_finds_them),
        cmocka_unit_test(verify_finds_what_does_not_belong),
        cmocka_unit_test(verify_finds_nodes_that_end_in_the_wrong_place),
        cmocka_unit_test(a_node_kept_by_a_cursor_is_held_against_each_item_that_names_it),
        cmocka_unit_test(
            a_walk_visits_each_node_and_entry_once_and_skips_what_it_is_told_to),
        cmocka_unit_test(a_root_known_by_its_node_alone_is_opened_with_its_totals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
