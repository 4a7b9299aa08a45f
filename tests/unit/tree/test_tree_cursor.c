/*
 * Seeks and filtered walks against the plain list of entries.
 */
#include "tree_world.h"

struct list_tree {
    struct world world;
    struct armi_tree tree;
    struct armi_tree_root root;
    struct made_list list;
    uint64_t *seeds;
};

static void list_tree_init(struct list_tree *t, size_t count, bool keyed)
{
    struct armi_error err = ARMI_ERROR_INIT;
    *t = (struct list_tree){.seeds = calloc(count + 1, sizeof(uint64_t))};
    assert_non_null(t->seeds);
    for (size_t i = 0; i < count; i++)
        t->seeds[i] = (2 * i + 1) << 20 | i; /* odd keys only */
    world_init(&t->world);
    t->tree = world_tree(&t->world, keyed);
    t->list = make_list(t->seeds, count, keyed);
    ok(armi_tree_build_array(&t->tree, t->list.entries, count, &t->root, &err));
}

static void list_tree_release(struct list_tree *t)
{
    free(t->seeds);
    free_list(&t->list);
    armi_tree_root_release(&t->root);
    world_release(&t->world);
}

static void check_at(const struct list_tree *t, const struct armi_tree_cursor *cursor,
                     size_t want)
{
    assert_int_equal(armi_tree_cursor_valid(cursor), want < t->list.count);
    if (want >= t->list.count)
        return;
    uint64_t rows = 0;
    for (size_t i = 0; i < want; i++)
        rows += t->list.entries[i].rows;
    assert_int_equal(armi_tree_cursor_ordinal(cursor), want);
    assert_int_equal(armi_tree_cursor_row(cursor), rows);
    assert_same_entry(armi_tree_cursor_entry(cursor), &t->list.entries[want]);
}

static const size_t sizes[] = {0, 1, 3, 40, 500, 4000};

static void seeking_by_place_or_row_finds_what_the_list_has_there(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    uint64_t state = 1;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct list_tree t;
        struct armi_tree_cursor *cursor = NULL;
        list_tree_init(&t, sizes[s], false);
        ok(armi_tree_cursor_new(&t.tree, &t.root, &cursor, &err));
        assert_false(armi_tree_cursor_valid(cursor));
        for (size_t round = 0; round < 100; round++) {
            uint64_t place = draw_below(&state, sizes[s] + 3), row = 0, before = 0;
            ok(armi_tree_cursor_seek_ordinal(cursor, place, &err));
            check_at(&t, cursor, place);
            row = draw_below(&state, t.root.rows + 3);
            size_t want = 0;
            for (; want < sizes[s] && row - before >= t.list.entries[want].rows; want++)
                before += t.list.entries[want].rows;
            ok(armi_tree_cursor_seek_row(cursor, row, &err));
            check_at(&t, cursor, want);
        }
        ok(armi_tree_cursor_seek_ordinal(cursor, UINT64_MAX, &err));
        assert_false(armi_tree_cursor_valid(cursor));
        ok(armi_tree_cursor_next(cursor, &err));
        fails(ARMI_INVALID,
              armi_tree_cursor_seek_key(cursor, t.list.entries[0].key, NULL, &err));
        armi_tree_cursor_free(cursor);
        list_tree_release(&t);
    }
}

static void seeking_by_key_finds_the_key_or_the_next_one(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct list_tree t;
        struct armi_tree_cursor *cursor = NULL;
        list_tree_init(&t, sizes[s], true);
        ok(armi_tree_cursor_new(&t.tree, &t.root, &cursor, &err));
        for (size_t number = 0; number < 2 * sizes[s] + 2; number++) {
            struct made wanted = {0};
            bool found;
            make_key(number, &wanted);
            ok(armi_tree_cursor_seek_key(cursor, wanted.entry.key, &found, &err));
            assert_int_equal(found, number % 2 == 1 && number < 2 * sizes[s]);
            if (number % 61 < 2)
                check_at(&t, cursor, number / 2);
        }
        armi_tree_cursor_free(cursor);
        list_tree_release(&t);
    }
}

static void walking_shows_every_entry_once_in_order(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct list_tree t;
    struct armi_tree_cursor *cursor = NULL;
    size_t count = 0;
    list_tree_init(&t, 4000, false);
    ok(armi_tree_cursor_new(&t.tree, &t.root, &cursor, &err));
    ok(armi_tree_cursor_seek_first(cursor, &err));
    for (; armi_tree_cursor_valid(cursor); count++) {
        assert_int_equal(armi_tree_cursor_ordinal(cursor), count);
        assert_same_entry(armi_tree_cursor_entry(cursor), &t.list.entries[count]);
        ok(armi_tree_cursor_next(cursor, &err));
    }
    assert_int_equal(count, 4000);
    assert_int_equal(armi_tree_cursor_nodes_read(cursor), t.world.count);
    armi_tree_cursor_free(cursor);
    list_tree_release(&t);
}

/* Column 1 is at least the number: as the planner would ask. */
struct at_least {
    uint8_t bound[8];
    uint64_t asked;
};

static bool may_reach(void *ctx, const struct armi_tree_stats *stats, size_t count,
                      uint64_t rows)
{
    struct at_least *want = ctx;
    const struct armi_tree_stats *s = armi_tree_stats_find(stats, count, 1);
    (void)rows;
    want->asked++;
    if (s == NULL || !(s->flags & ARMI_TREE_HAS_MAX))
        return true;
    return memcmp(s->max, want->bound, 8) >= 0;
}

/* Values rise along the list, as time does: then a filter leaves out whole subtrees. */
static void order_values(struct made_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct armi_tree_stats *s = &list->made[i].stats[0];
        for (unsigned b = 0; b < 8; b++)
            s->min[b] = s->max[b] = (uint8_t)((uint64_t)i >> (56 - 8 * b));
    }
}

static void a_filter_shows_what_it_lets_through_and_reads_little_else(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct list_tree t;
    struct armi_tree_cursor *cursor = NULL;
    struct at_least want = {{0, 0, 0, 0, 0, 0, 0x0f, 0x96}, 0}; /* 3990 */
    struct armi_tree_filter filter = {may_reach, &want};
    size_t place = 3990;
    list_tree_init(&t, 4000, false);
    order_values(&t.list);
    ok(armi_tree_build_array(&t.tree, t.list.entries, 4000, &t.root, &err));
    ok(armi_tree_cursor_new(&t.tree, &t.root, &cursor, &err));
    armi_tree_cursor_set_filter(cursor, &filter);
    ok(armi_tree_cursor_seek_first(cursor, &err));
    for (; armi_tree_cursor_valid(cursor); place++) {
        check_at(&t, cursor, place);
        ok(armi_tree_cursor_next(cursor, &err));
    }
    assert_int_equal(place, 4000);
    assert_true(armi_tree_cursor_nodes_read(cursor) <= t.root.level + 2u);
    ok(armi_tree_cursor_seek_ordinal(cursor, 100, &err));
    check_at(&t, cursor, 3990);
    ok(armi_tree_cursor_seek_ordinal(cursor, 3995, &err));
    check_at(&t, cursor, 3995);
    armi_tree_cursor_set_filter(cursor, NULL);
    ok(armi_tree_cursor_seek_ordinal(cursor, 100, &err));
    check_at(&t, cursor, 100);
    armi_tree_cursor_free(cursor);
    list_tree_release(&t);
}

static void a_filter_that_refuses_some_gives_the_same_as_a_plain_walk(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct list_tree t;
    struct armi_tree_cursor *cursor = NULL;
    struct at_least want = {{0, 0, 0, 0, 0, 0, 0x06, 0x40},
                            0}; /* 1600, of values up to 2000 */
    struct armi_tree_filter filter = {may_reach, &want};
    list_tree_init(&t, 3000, false);
    ok(armi_tree_cursor_new(&t.tree, &t.root, &cursor, &err));
    armi_tree_cursor_set_filter(cursor, &filter);
    ok(armi_tree_cursor_seek_first(cursor, &err));
    size_t shown = 0;
    for (size_t i = 0; i < 3000; i++) {
        const struct armi_tree_entry *entry = &t.list.entries[i];
        if (!may_reach(&want, entry->stats, entry->stats_count, entry->rows))
            continue;
        assert_true(armi_tree_cursor_valid(cursor));
        assert_int_equal(armi_tree_cursor_ordinal(cursor), i);
        ok(armi_tree_cursor_next(cursor, &err));
        shown++;
    }
    assert_false(armi_tree_cursor_valid(cursor));
    assert_in_range(shown, 1, 2999);
    armi_tree_cursor_free(cursor);
    list_tree_release(&t);
}

static void a_cursor_that_lost_a_node_fails_and_can_be_sought_again(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct list_tree t;
    struct armi_tree_cursor *cursor = NULL;
    list_tree_init(&t, 4000, false);
    ok(armi_tree_cursor_new(&t.tree, &t.root, &cursor, &err));
    ok(armi_tree_cursor_seek_first(cursor, &err));
    struct armi_map whole = t.world.index;
    armi_map_init(&t.world.index, 0);
    enum armi_status st = ARMI_OK;
    while (st == ARMI_OK && armi_tree_cursor_valid(cursor))
        st = armi_tree_cursor_next(cursor, &err);
    assert_int_equal(st, ARMI_NOT_FOUND);
    assert_false(armi_tree_cursor_valid(cursor));
    t.world.index = whole;
    ok(armi_tree_cursor_seek_ordinal(cursor, 3000, &err));
    check_at(&t, cursor, 3000);
    armi_tree_cursor_free(cursor);
    list_tree_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeking_by_place_or_row_finds_what_the_list_has_there),
        cmocka_unit_test(seeking_by_key_finds_the_key_or_the_next_one),
        cmocka_unit_test(walking_shows_every_entry_once_in_order),
        cmocka_unit_test(a_filter_shows_what_it_lets_through_and_reads_little_else),
        cmocka_unit_test(a_filter_that_refuses_some_gives_the_same_as_a_plain_walk),
        cmocka_unit_test(a_cursor_that_lost_a_node_fails_and_can_be_sought_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
