/*
 * The tree over the catalog's node set: the frame goes on and comes off, types do not mix.
 */
#include "tree_world.h"

#include "tree/tree_store.h"

static void a_tree_lives_in_a_set_of_nodes_and_is_read_back(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_node_set set;
    struct armi_tree_store writing, reading;
    struct armi_node_source source;
    static uint64_t seeds[1000];
    armi_node_set_init(&set, NULL);
    armi_tree_store_init_set(&writing, &set);
    source = armi_node_set_source(&set);
    armi_tree_store_init(&reading, &source);
    for (size_t i = 0; i < 1000; i++)
        seeds[i] = i << 20;
    for (unsigned keyed = 0; keyed < 2; keyed++) {
        struct armi_tree_root root = {0};
        struct armi_tree write =
            keyed ? armi_tree_store_tables(&writing) : armi_tree_store_ranges(&writing);
        struct armi_tree read =
            keyed ? armi_tree_store_tables(&reading) : armi_tree_store_ranges(&reading);
        size_t before = set.count;
        build_seeds(&write, seeds, 1000, &root);
        assert_true(set.count > before + 10);
        assert_int_equal(set.entries[set.count - 1].type,
                         keyed ? ARMI_NODE_TABLES_INNER : ARMI_NODE_TREE_INNER);
        assert_memory_equal(&set.entries[set.count - 1].name, &root.hash, sizeof root.hash);
        ok(armi_tree_verify(&read, &root, NULL, &err));
        armi_tree_root_release(&root);
    }
    armi_node_set_release(&set);
}

static void a_tree_for_reading_takes_no_nodes(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_node_set set;
    struct armi_tree_store reading;
    struct armi_tree_root root = {0};
    uint64_t seeds[60] = {0};
    armi_node_set_init(&set, NULL);
    struct armi_node_source source = armi_node_set_source(&set);
    armi_tree_store_init(&reading, &source);
    struct armi_tree tree = armi_tree_store_ranges(&reading);
    struct made_list list = make_list(seeds, 60, false);
    fails(ARMI_MISUSE, armi_tree_build_array(&tree, list.entries, 60, &root, &err));
    free_list(&list);
    armi_node_set_release(&set);
}

/* A source that hands out what it likes, as if proved. */
static enum armi_status get_fixed(void *ctx, enum armi_node_type type,
                                  const struct armi_hash *name, struct armi_buf *out,
                                  struct armi_error *err)
{
    struct armi_slice *bytes = ctx;
    (void)type;
    (void)name;
    armi_buf_clear(out);
    return armi_buf_append(out, bytes->data, bytes->size, err);
}

static void a_frame_of_another_kind_or_a_newer_version_is_refused(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    static const uint8_t other[] = {'A', 'N', ARMI_NODE_COMMIT, 1, 0, 0},
                         newer[] = {'A', 'N', ARMI_NODE_TREE_LEAF, 2, 0, 0},
                         no_node[] = {'A', 'N', ARMI_NODE_TREE_LEAF};
    const struct {
        struct armi_slice bytes;
        enum armi_status want;
    } cases[] = {
        {{other, sizeof other}, ARMI_CORRUPTION},
        {{newer, sizeof newer}, ARMI_UNSUPPORTED},
        {{no_node, sizeof no_node}, ARMI_CORRUPTION},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct armi_slice bytes = cases[i].bytes;
        struct armi_node_source source = {get_fixed, &bytes};
        struct armi_tree_store store;
        struct armi_tree_root root = {0};
        struct armi_hash hash = {{0}};
        armi_tree_store_init(&store, &source);
        struct armi_tree tree = armi_tree_store_ranges(&store);
        fails(cases[i].want, armi_tree_root_open(&tree, &hash, true, &root, &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_lives_in_a_set_of_nodes_and_is_read_back),
        cmocka_unit_test(a_tree_for_reading_takes_no_nodes),
        cmocka_unit_test(a_frame_of_another_kind_or_a_newer_version_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
