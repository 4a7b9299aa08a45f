/*
 * Every allocation fails once, and from then on; every read and write of a node too. What
 * was there before stays, nothing leaks.
 */
#include "fault_alloc.h"
#include "tree_world.h"

#define ENTRIES 700

/* Made before memory may fail. */
static struct made_list old_list, new_list, keyed_list;
static struct armi_tree_change changes[20];

static int make_lists(void **unused)
{
    (void)unused;
    static uint64_t seeds[ENTRIES];
    for (size_t i = 0; i < ENTRIES; i++)
        seeds[i] = (i << 20) + i % 3;
    old_list = make_list(seeds, ENTRIES, false);
    keyed_list = make_list(seeds, ENTRIES, true);
    for (size_t i = 0; i < 40; i++)
        seeds[i] = 5 * i + 17;
    new_list = make_list(seeds, 40, false);
    for (size_t i = 0; i < 20; i++)
        changes[i] =
            (struct armi_tree_change){keyed_list.entries[i * 33].key,
                                      i % 2 == 0 ? NULL : &keyed_list.entries[i * 33]};
    return 0;
}

static int free_lists(void **unused)
{
    (void)unused;
    free_list(&old_list);
    free_list(&new_list);
    free_list(&keyed_list);
    return 0;
}

static enum armi_status walk_all(const struct armi_tree *tree,
                                 const struct armi_tree_root *root, struct armi_error *err)
{
    struct armi_tree_cursor *cursor = NULL;
    ARMI_TRY(armi_tree_cursor_new(tree, root, &cursor, err));
    enum armi_status st = armi_tree_cursor_seek_first(cursor, err);
    while (st == ARMI_OK && armi_tree_cursor_valid(cursor))
        st = armi_tree_cursor_next(cursor, err);
    armi_tree_cursor_free(cursor);
    return st;
}

static enum armi_status diff_all(const struct armi_tree *tree,
                                 const struct armi_tree_root *a,
                                 const struct armi_tree_root *b, struct armi_error *err)
{
    struct armi_tree_diff *diff = NULL;
    struct armi_tree_run run;
    bool has = true;
    ARMI_TRY(armi_tree_diff_new(tree, a, b, ARMI_TREE_DIFF_LOGICAL, &diff, err));
    enum armi_status st = ARMI_OK;
    while (st == ARMI_OK && has)
        st = armi_tree_diff_next(diff, &run, &has, err);
    armi_tree_diff_free(diff);
    return st;
}

static enum armi_status code_root(const struct armi_tree_root *root, struct armi_error *err)
{
    struct armi_buf bytes;
    struct armi_tree_root back = {0};
    armi_buf_init(&bytes, 0);
    enum armi_status st = armi_tree_root_encode(root, &bytes, err);
    if (st == ARMI_OK)
        st = armi_tree_root_decode(armi_buf_slice(&bytes), root->keyed, &back, err);
    armi_tree_root_release(&back);
    armi_buf_release(&bytes);
    return st;
}

/* All that a row-ordered tree can do. */
static enum armi_status do_all(struct world *world, struct armi_error *err)
{
    struct armi_tree tree = world_tree(world, false);
    struct armi_tree_root a = {0}, b = {0}, small = {0};
    struct armi_tree_splice splices[3] = {{10, 12, new_list.entries, 30},
                                          {300, 420, NULL, 0},
                                          {ENTRIES, ENTRIES, new_list.entries + 30, 10}};
    struct armi_tree_splice most = {3, ENTRIES, NULL, 0};
    enum armi_status st = armi_tree_build_array(&tree, old_list.entries, ENTRIES, &a, err);
    if (st == ARMI_OK)
        st = armi_tree_edit(&tree, &a, splices, 3, &b, err);
    if (st == ARMI_OK)
        st = armi_tree_edit(&tree, &a, &most, 1, &small, err);
    if (st == ARMI_OK)
        st = walk_all(&tree, &b, err);
    if (st == ARMI_OK)
        st = diff_all(&tree, &a, &b, err);
    if (st == ARMI_OK)
        st = armi_tree_verify(&tree, &b, NULL, err);
    if (st == ARMI_OK)
        st = code_root(&small, err);
    if (st == ARMI_OK)
        st = code_root(&b, err);
    if (st == ARMI_OK)
        st = armi_tree_root_open(&tree, &b.hash, false, &a, err);
    armi_tree_root_release(&a);
    armi_tree_root_release(&b);
    armi_tree_root_release(&small);
    return st;
}

static enum armi_status do_keyed(struct world *world, struct armi_error *err)
{
    struct armi_tree tree = world_tree(world, true);
    struct armi_tree_root a = {0}, b = {0};
    enum armi_status st =
        armi_tree_build_array(&tree, keyed_list.entries, ENTRIES, &a, err);
    if (st == ARMI_OK)
        st = armi_tree_edit_keys(&tree, &a, changes, 20, &b, err);
    if (st == ARMI_OK)
        st = diff_all(&tree, &a, &b, err);
    armi_tree_root_release(&a);
    armi_tree_root_release(&b);
    return st;
}

static void fail_every_allocation(enum armi_status (*work)(struct world *,
                                                           struct armi_error *))
{
    for (unsigned persistent = 0; persistent < 2; persistent++) {
        bool fired = true;
        size_t step = 1;
        for (size_t n = 1; fired; n += step) {
            struct armi_error err = ARMI_ERROR_INIT;
            struct world world;
            fault_alloc_begin(n, persistent == 1);
            world_init(&world);
            enum armi_status st = work(&world, &err);
            world_release(&world);
            fired = fault_alloc_end();
            assert_int_equal(st, fired ? ARMI_NO_MEMORY : ARMI_OK);
            /*
             * All of the first ones, then ever fewer: the later ones are the same lines
             * again.
             */
            step = 1 + n / 400;
        }
    }
}

static void every_failed_allocation_is_told_and_leaks_nothing(void **unused)
{
    (void)unused;
    fail_every_allocation(do_all);
    fail_every_allocation(do_keyed);
}

/* The n-th call of the store fails. */
struct faulty {
    struct world *world;
    size_t calls, fail_at;
};

static enum armi_status faulty_get(void *ctx, unsigned type, const struct armi_hash *hash,
                                   struct armi_buf *out, struct armi_error *err)
{
    struct faulty *faulty = ctx;
    if (++faulty->calls == faulty->fail_at)
        return armi_error_set(err, ARMI_STORAGE, "no");
    return world_get(faulty->world, type, hash, out, err);
}

static enum armi_status faulty_put(void *ctx, unsigned type, struct armi_slice bytes,
                                   struct armi_hash *hash, struct armi_error *err)
{
    struct faulty *faulty = ctx;
    if (++faulty->calls == faulty->fail_at)
        return armi_error_set(err, ARMI_STORAGE, "no");
    return world_put(faulty->world, type, bytes, hash, err);
}

static void a_store_that_fails_anywhere_in_an_edit_leaves_the_root_as_it_was(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct world world;
    struct armi_tree_root root = {0}, before = {0};
    struct armi_tree_splice splice = {350, 360, new_list.entries, 40};
    enum armi_status st = ARMI_STORAGE;
    size_t n = 0;
    world_init(&world);
    struct armi_tree tree = world_tree(&world, false);
    ok(armi_tree_build_array(&tree, old_list.entries, ENTRIES, &root, &err));
    ok(armi_tree_root_copy(&root, &before, &err));
    while (st != ARMI_OK) {
        struct faulty faulty = {&world, 0, ++n};
        tree.store = (struct armi_node_store){faulty_get, faulty_put, &faulty};
        st = armi_tree_edit(&tree, &root, &splice, 1, &root, &err);
        if (st != ARMI_OK) {
            assert_int_equal(st, ARMI_STORAGE);
            assert_same_root(&root, &before);
        }
    }
    assert_true(n > 4);
    assert_int_equal(root.entries, ENTRIES + 30);
    armi_tree_root_release(&root);
    armi_tree_root_release(&before);
    world_release(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failed_allocation_is_told_and_leaks_nothing),
        cmocka_unit_test(a_store_that_fails_anywhere_in_an_edit_leaves_the_root_as_it_was),
    };
    return cmocka_run_group_tests(tests, make_lists, free_lists);
}
