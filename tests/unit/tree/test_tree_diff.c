/*
 * Diff against the plain lists: runs turn one into the other, what is between them is
 * equal, and the cost follows the change.
 */
#include "tree_world.h"

#define LIST_MAX 20000

struct pair {
    struct world world;
    struct armi_tree tree;
    struct armi_tree_root roots[2];
    uint64_t *seeds[2];
    size_t counts[2];
};

static void pair_init(struct pair *pair, bool keyed)
{
    *pair = (struct pair){0};
    world_init(&pair->world);
    pair->tree = world_tree(&pair->world, keyed);
    for (size_t i = 0; i < 2; i++) {
        pair->seeds[i] = calloc(LIST_MAX, sizeof(uint64_t));
        assert_non_null(pair->seeds[i]);
    }
}

static void pair_build(struct pair *pair)
{
    for (size_t i = 0; i < 2; i++)
        build_seeds(&pair->tree, pair->seeds[i], pair->counts[i], &pair->roots[i]);
}

static void pair_release(struct pair *pair)
{
    for (size_t i = 0; i < 2; i++) {
        armi_tree_root_release(&pair->roots[i]);
        free(pair->seeds[i]);
    }
    world_release(&pair->world);
}

static uint64_t rows_before(const uint64_t *seeds, size_t count)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < count; i++) {
        struct made made;
        make_entry(seeds[i], &made);
        rows += made.entry.rows;
        free(made.payload);
    }
    return rows;
}

/* Entries in runs, both sides together. */
static size_t check_runs(struct pair *pair, enum armi_tree_diff_kind kind, size_t *runs)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_tree_diff *diff = NULL;
    struct armi_tree_run run;
    uint64_t a = 0, b = 0;
    size_t covered = 0;
    bool has;
    *runs = 0;
    ok(armi_tree_diff_new(&pair->tree, &pair->roots[0], &pair->roots[1], kind, &diff,
                          &err));
    for (;;) {
        ok(armi_tree_diff_next(diff, &run, &has, &err));
        uint64_t a_to = has ? run.a_from : pair->counts[0],
                 b_to = has ? run.b_from : pair->counts[1];
        assert_int_equal(a_to - a, b_to - b);
        if (a_to > a)
            assert_memory_equal(pair->seeds[0] + a, pair->seeds[1] + b,
                                (a_to - a) * sizeof(uint64_t));
        if (!has)
            break;
        assert_true(*runs == 0 || run.a_from > a || run.b_from > b);
        assert_true(run.a_to > run.a_from || run.b_to > run.b_from);
        if (*runs < 3) {
            assert_int_equal(run.a_row_from, rows_before(pair->seeds[0], run.a_from));
            assert_int_equal(run.a_row_to, rows_before(pair->seeds[0], run.a_to));
            assert_int_equal(run.b_row_from, rows_before(pair->seeds[1], run.b_from));
            assert_int_equal(run.b_row_to, rows_before(pair->seeds[1], run.b_to));
        }
        covered += run.a_to - run.a_from + run.b_to - run.b_from;
        a = run.a_to;
        b = run.b_to;
        (*runs)++;
    }
    armi_tree_diff_free(diff);
    return covered;
}

/* Distinct seeds, so that the smallest difference is known. */
static void fill(uint64_t *seeds, size_t count, uint64_t *state)
{
    for (size_t i = 0; i < count; i++)
        seeds[i] = draw(state) >> 8;
}

static void runs_make_the_new_list_of_the_old(void **unused)
{
    (void)unused;
    uint64_t state = 5;
    for (size_t round = 0; round < 60; round++) {
        struct pair pair;
        size_t runs, touched = 0, count = draw_below(&state, round % 4 == 0 ? 6000 : 300);
        pair_init(&pair, false);
        fill(pair.seeds[0], count, &state);
        pair.counts[0] = count;
        /* B: some entries left out, some new ones put in, some changed. */
        for (size_t i = 0; i < count; i++) {
            uint64_t dice = draw_below(&state, 60);
            if (dice == 0) {
                touched += 1;
                continue;
            }
            pair.seeds[1][pair.counts[1]++] =
                dice == 1 ? draw(&state) >> 8 : pair.seeds[0][i];
            touched += dice == 1 ? 2 : 0;
            if (dice == 2) {
                pair.seeds[1][pair.counts[1]++] = draw(&state) >> 8;
                touched += 1;
            }
        }
        pair_build(&pair);
        assert_int_equal(check_runs(&pair, ARMI_TREE_DIFF_LOGICAL, &runs), touched);
        assert_int_equal(check_runs(&pair, ARMI_TREE_DIFF_PHYSICAL, &runs), touched);
        pair_release(&pair);
    }
}

static void lists_that_repeat_and_move_still_give_runs_that_hold(void **unused)
{
    (void)unused;
    uint64_t state = 9;
    for (size_t round = 0; round < 60; round++) {
        struct pair pair;
        size_t runs;
        pair_init(&pair, false);
        for (size_t side = 0; side < 2; side++) {
            pair.counts[side] = draw_below(&state, 700);
            for (size_t i = 0; i < pair.counts[side]; i++)
                pair.seeds[side][i] = draw_below(&state, 1 + round);
        }
        pair_build(&pair);
        size_t covered = check_runs(&pair, ARMI_TREE_DIFF_LOGICAL, &runs);
        bool same =
            pair.counts[0] == pair.counts[1] &&
            memcmp(pair.seeds[0], pair.seeds[1], pair.counts[0] * sizeof(uint64_t)) == 0;
        assert_true((covered == 0) == same);
        pair_release(&pair);
    }
}

static void an_empty_side_gives_one_run_and_reads_nothing(void **unused)
{
    (void)unused;
    struct pair pair;
    uint64_t state = 3;
    size_t runs;
    for (size_t side = 0; side < 2; side++) {
        pair_init(&pair, false);
        fill(pair.seeds[side], 5000, &state);
        pair.counts[side] = 5000;
        pair_build(&pair);
        pair.world.gets = 0;
        assert_int_equal(check_runs(&pair, ARMI_TREE_DIFF_LOGICAL, &runs), 5000);
        assert_int_equal(runs, 1);
        assert_int_equal(pair.world.gets, 0);
        pair_release(&pair);
    }
}

static void the_cost_of_a_diff_follows_the_change_also_after_an_insert(void **unused)
{
    (void)unused;
    struct pair pair;
    uint64_t state = 4;
    size_t runs;
    pair_init(&pair, false);
    fill(pair.seeds[0], 15000, &state);
    memcpy(pair.seeds[1], pair.seeds[0], 5000 * sizeof(uint64_t));
    pair.seeds[1][5000] = 42;
    memcpy(pair.seeds[1] + 5001, pair.seeds[0] + 5000, 10000 * sizeof(uint64_t));
    pair.counts[0] = 15000;
    pair.counts[1] = 15001;
    pair_build(&pair);
    pair.world.gets = 0;
    assert_int_equal(check_runs(&pair, ARMI_TREE_DIFF_LOGICAL, &runs), 1);
    /* Three levels, two trees, a neighbour or two where the insert moved a boundary. */
    assert_int_equal(pair.roots[0].level, 2);
    assert_in_range(pair.world.gets, 4, 14);
    pair_release(&pair);
}

static void a_new_layout_is_invisible_to_the_logical_diff_only(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct pair pair;
    uint64_t state = 6;
    size_t runs;
    pair_init(&pair, false);
    for (size_t side = 0; side < 2; side++) {
        uint64_t again = state;
        fill(pair.seeds[side], 2000, &again);
        pair.counts[side] = 2000;
    }
    pair_build(&pair);
    struct made_list list = make_list(pair.seeds[0], 2000, false);
    for (size_t i = 0; i < 2000; i++)
        list.made[i].payload[0] ^= 1;
    ok(armi_tree_build_array(&pair.tree, list.entries, 2000, &pair.roots[1], &err));
    free_list(&list);
    pair.world.gets = 0;
    assert_int_equal(check_runs(&pair, ARMI_TREE_DIFF_LOGICAL, &runs), 0);
    assert_int_equal(pair.world.gets, 0);
    assert_int_equal(check_runs(&pair, ARMI_TREE_DIFF_PHYSICAL, &runs), 4000);
    pair_release(&pair);
}

/* Seeds are key << 20 | content, in order of keys. */
static void fill_keys(uint64_t *seeds, size_t *count, uint64_t keys, uint64_t contents,
                      uint64_t *state)
{
    *count = 0;
    for (uint64_t key = 0; key < keys; key++) {
        if (draw_below(state, 4) != 0)
            seeds[(*count)++] = key << 20 | draw_below(state, contents);
    }
}

static void check_keys(struct pair *pair)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_tree_diff *diff = NULL;
    struct armi_tree_run run;
    bool has;
    size_t i = 0, j = 0;
    const uint64_t *a = pair->seeds[0], *b = pair->seeds[1];
    ok(armi_tree_diff_new(&pair->tree, &pair->roots[0], &pair->roots[1],
                          ARMI_TREE_DIFF_LOGICAL, &diff, &err));
    while (i < pair->counts[0] || j < pair->counts[1]) {
        bool in_a =
            i < pair->counts[0] && (j == pair->counts[1] || a[i] >> 20 <= b[j] >> 20);
        bool in_b =
            j < pair->counts[1] && (i == pair->counts[0] || b[j] >> 20 <= a[i] >> 20);
        if (!in_a || !in_b || a[i] != b[j]) {
            ok(armi_tree_diff_next(diff, &run, &has, &err));
            assert_true(has);
            assert_int_equal(run.a_from, i);
            assert_int_equal(run.a_to, i + in_a);
            assert_int_equal(run.b_from, j);
            assert_int_equal(run.b_to, j + in_b);
        }
        i += in_a;
        j += in_b;
    }
    ok(armi_tree_diff_next(diff, &run, &has, &err));
    assert_false(has);
    armi_tree_diff_free(diff);
}

static void keyed_trees_differ_by_exactly_the_keys_that_differ(void **unused)
{
    (void)unused;
    uint64_t state = 8;
    for (size_t round = 0; round < 40; round++) {
        struct pair pair;
        pair_init(&pair, true);
        uint64_t keys = draw_below(&state, round % 4 == 0 ? 4000 : 100);
        fill_keys(pair.seeds[0], &pair.counts[0], keys, 3, &state);
        if (round % 3 != 0) {
            fill_keys(pair.seeds[1], &pair.counts[1], keys, 3, &state);
        } else {
            memcpy(pair.seeds[1], pair.seeds[0], pair.counts[0] * sizeof(uint64_t));
            pair.counts[1] = pair.counts[0];
            if (pair.counts[1] > 0)
                pair.seeds[1][pair.counts[1] / 2] ^= 1;
        }
        pair_build(&pair);
        check_keys(&pair);
        pair_release(&pair);
    }
}

static void a_missing_node_ends_the_diff(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct pair pair;
    uint64_t state = 4;
    struct armi_tree_diff *diff = NULL;
    struct armi_tree_run run;
    struct world nothing;
    bool has;
    pair_init(&pair, false);
    for (size_t side = 0; side < 2; side++) {
        fill(pair.seeds[side], 500, &state);
        pair.counts[side] = 500;
    }
    pair_build(&pair);
    world_init(&nothing);
    pair.tree.store.ctx = &nothing;
    ok(armi_tree_diff_new(&pair.tree, &pair.roots[0], &pair.roots[1],
                          ARMI_TREE_DIFF_LOGICAL, &diff, &err));
    fails(ARMI_NOT_FOUND, armi_tree_diff_next(diff, &run, &has, &err));
    armi_tree_diff_free(diff);
    world_release(&nothing);
    pair_release(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_make_the_new_list_of_the_old),
        cmocka_unit_test(lists_that_repeat_and_move_still_give_runs_that_hold),
        cmocka_unit_test(an_empty_side_gives_one_run_and_reads_nothing),
        cmocka_unit_test(the_cost_of_a_diff_follows_the_change_also_after_an_insert),
        cmocka_unit_test(a_new_layout_is_invisible_to_the_logical_diff_only),
        cmocka_unit_test(keyed_trees_differ_by_exactly_the_keys_that_differ),
        cmocka_unit_test(a_missing_node_ends_the_diff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
