/*
 * The oracle: however a tree came about, it is the tree that a build from its entries
 * makes.
 */
#include "tree_world.h"

struct model {
    uint64_t seeds[20000];
    size_t count;
};

static void model_splice(struct model *model, size_t from, size_t to, const uint64_t *seeds,
                         size_t count)
{
    memmove(model->seeds + from + count, model->seeds + to,
            (model->count - to) * sizeof *model->seeds);
    memcpy(model->seeds + from, seeds, count * sizeof *seeds);
    model->count = model->count - (to - from) + count;
}

/* A few splices of mixed sizes, at places that like the ends. */
#define SPLICES_MAX 5
#define NEW_MAX     60

struct plan {
    struct armi_tree_splice splices[SPLICES_MAX];
    struct made_list lists[SPLICES_MAX];
    uint64_t seeds[SPLICES_MAX][NEW_MAX];
    size_t count;
};

static size_t draw_place(uint64_t *state, size_t low, size_t high)
{
    switch (draw_below(state, 8)) {
    case 0:
        return low;
    case 1:
        return high;
    default:
        return low + draw_below(state, high - low + 1);
    }
}

static void plan_make(struct plan *plan, const struct model *model, uint64_t *state,
                      bool grows)
{
    size_t least = 0;
    plan->count = 1 + draw_below(state, SPLICES_MAX);
    for (size_t i = 0; i < plan->count; i++) {
        struct armi_tree_splice *splice = &plan->splices[i];
        size_t from = draw_place(state, least, model->count);
        size_t cut_max = draw_below(state, 10) == 0 ? model->count : (grows ? 3 : 80);
        size_t to = from + draw_below(state, cut_max + 1);
        if (to > model->count)
            to = model->count;
        size_t count = draw_below(state, grows ? NEW_MAX : 10);
        for (size_t j = 0; j < count; j++)
            plan->seeds[i][j] = draw(state) % 1000000;
        plan->lists[i] = make_list(plan->seeds[i], count, false);
        *splice = (struct armi_tree_splice){from, to, plan->lists[i].entries, count};
        least = to;
    }
}

static void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        free_list(&plan->lists[i]);
}

static void apply_to_model(struct model *model, const struct plan *plan)
{
    for (size_t i = plan->count; i-- > 0;) {
        const struct armi_tree_splice *splice = &plan->splices[i];
        model_splice(model, splice->from, splice->to, plan->seeds[i], splice->count);
    }
}

static void run_history(uint64_t seed, size_t start, size_t steps)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct world world;
    static struct model model;
    struct armi_tree_root root = {0}, built = {0};
    uint64_t state = seed;
    world_init(&world);
    struct armi_tree tree = world_tree(&world, false);
    model.count = start;
    for (size_t i = 0; i < start; i++)
        model.seeds[i] = draw(&state) % 1000000;
    build_seeds(&tree, model.seeds, start, &root);
    assert_true(start == 0 || root.level == 2);
    for (size_t step = 0; step < steps; step++) {
        struct plan plan;
        plan_make(&plan, &model, &state, model.count < 3000 && (step / 20) % 3 != 2);
        ok(armi_tree_edit(&tree, &root, plan.splices, plan.count, &root, &err));
        apply_to_model(&model, &plan);
        plan_free(&plan);
        build_seeds(&tree, model.seeds, model.count, &built);
        assert_int_equal(root.entries, model.count);
        assert_same_root(&root, &built);
        if (step % 10 == 0)
            ok(armi_tree_verify(&tree, &root, NULL, &err));
    }
    armi_tree_root_release(&root);
    armi_tree_root_release(&built);
    world_release(&world);
}

static void a_tree_after_any_edits_is_the_tree_built_from_its_entries(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++)
        run_history(seed, 0, 120);
    for (uint64_t seed = 1; seed <= 4; seed++)
        run_history(seed, 12000, 40);
}

/* All anchors equal: nodes end by count alone, or after every item. */
static void equal_anchors_still_give_one_tree_for_one_list(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct world world;
    world_init(&world);
    struct armi_tree tree = world_tree(&world, false);
    for (uint64_t anchor = 0; anchor < 40; anchor++) {
        struct armi_tree_entry entries[1200] = {0}, more = {.rows = 1, .anchor = anchor};
        struct armi_tree_root a = {0}, b = {0};
        for (size_t i = 0; i < 1200; i++)
            entries[i] = more;
        ok(armi_tree_build_array(&tree, entries, 1000, &a, &err));
        struct armi_tree_splice splices[2] = {{500, 500, entries, 150},
                                              {700, 700, entries, 50}};
        ok(armi_tree_edit(&tree, &a, splices, 2, &a, &err));
        ok(armi_tree_build_array(&tree, entries, 1200, &b, &err));
        assert_same_root(&a, &b);
        ok(armi_tree_verify(&tree, &a, NULL, &err));
        assert_true(a.level <= 5);
        armi_tree_root_release(&a);
        armi_tree_root_release(&b);
    }
    world_release(&world);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* In a keyed tree a seed is key << 20 | content. */
struct change_plan {
    struct armi_tree_change changes[40];
    uint64_t seeds[40];
    struct made_list list;
    size_t count;
};

static void change_plan_make(struct change_plan *plan, uint64_t *state, uint64_t keys,
                             bool grows)
{
    uint64_t picked[40];
    size_t count = 1 + draw_below(state, 39), distinct = 0;
    for (size_t i = 0; i < count; i++)
        picked[i] = draw_below(state, keys);
    qsort(picked, count, sizeof *picked, by_value);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || picked[i] != picked[i - 1])
            plan->seeds[distinct++] = picked[i] << 20 | draw_below(state, 1 << 20);
    }
    plan->count = distinct;
    plan->list = make_list(plan->seeds, distinct, true);
    for (size_t i = 0; i < distinct; i++) {
        bool deletes = draw_below(state, 10) < (grows ? 2u : 8u);
        plan->changes[i] = (struct armi_tree_change){
            plan->list.entries[i].key, deletes ? NULL : &plan->list.entries[i]};
    }
}

static void change_model(struct model *model, const struct change_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        size_t at = 0;
        while (at < model->count && model->seeds[at] >> 20 < plan->seeds[i] >> 20)
            at++;
        bool found = at < model->count && model->seeds[at] >> 20 == plan->seeds[i] >> 20;
        model_splice(model, at, at + found, &plan->seeds[i],
                     plan->changes[i].entry != NULL);
    }
}

static void a_keyed_tree_after_any_changes_is_the_tree_built_from_its_entries(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct world world;
        static struct model model;
        struct armi_tree_root root = {0}, built = {0};
        uint64_t state = seed;
        world_init(&world);
        struct armi_tree tree = world_tree(&world, true);
        model.count = 0;
        for (size_t step = 0; step < 120; step++) {
            struct change_plan plan;
            change_plan_make(&plan, &state, 1500, (step / 30) % 2 == 0);
            ok(armi_tree_edit_keys(&tree, &root, plan.changes, plan.count, &root, &err));
            change_model(&model, &plan);
            free_list(&plan.list);
            build_seeds(&tree, model.seeds, model.count, &built);
            assert_same_root(&root, &built);
            if (step % 10 == 0)
                ok(armi_tree_verify(&tree, &root, NULL, &err));
        }
        armi_tree_root_release(&root);
        armi_tree_root_release(&built);
        world_release(&world);
    }
}

static void one_update_in_ten_thousand_entries_writes_one_node_a_level(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct world world;
    static uint64_t seeds[10000];
    uint64_t fresh = 77;
    struct armi_tree_root root = {0}, edited = {0};
    world_init(&world);
    struct armi_tree tree = world_tree(&world, false);
    for (size_t i = 0; i < 10000; i++)
        seeds[i] = i * 7 + 1;
    build_seeds(&tree, seeds, 10000, &root);
    /* The anchor stays, as for an edit of other columns: no boundary moves. */
    struct made_list before = make_list(&seeds[5000], 1, false),
                     after = make_list(&fresh, 1, false);
    after.entries[0].anchor = before.entries[0].anchor;
    after.entries[0].payload = before.entries[0].payload;
    world.puts = world.gets = 0;
    struct armi_tree_splice splice = {5000, 5001, after.entries, 1};
    ok(armi_tree_edit(&tree, &root, &splice, 1, &edited, &err));
    assert_int_equal(world.puts, root.level + 1);
    assert_true(world.gets <= root.level + 2u);
    free_list(&before);
    free_list(&after);
    armi_tree_root_release(&root);
    armi_tree_root_release(&edited);
    world_release(&world);
}

static void an_edit_with_bad_arguments_is_refused_and_changes_nothing(void **unused)
{
    (void)unused;
    struct armi_error err = ARMI_ERROR_INIT;
    struct world world;
    uint64_t seeds[100];
    struct armi_tree_root root = {0}, copy = {0}, keyed_root = {0};
    world_init(&world);
    struct armi_tree tree = world_tree(&world, false), keyed = world_tree(&world, true);
    for (size_t i = 0; i < 100; i++)
        seeds[i] = (i << 20) + i;
    build_seeds(&tree, seeds, 100, &root);
    build_seeds(&keyed, seeds, 100, &keyed_root);
    ok(armi_tree_root_copy(&root, &copy, &err));
    struct armi_tree_splice bad[][2] = {
        {{50, 49, NULL, 0}, {60, 60, NULL, 0}},
        {{50, 60, NULL, 0}, {59, 60, NULL, 0}},
        {{0, 0, NULL, 0}, {99, 101, NULL, 0}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        fails(ARMI_INVALID, armi_tree_edit(&tree, &root, bad[i], 2, &root, &err));
    struct made_list list = make_list(seeds, 2, true);
    struct armi_tree_splice with_key = {0, 0, list.entries, 1};
    fails(ARMI_INVALID, armi_tree_edit(&tree, &root, &with_key, 1, &root, &err));
    assert_non_null(strstr(err.message, "splice 0"));
    fails(ARMI_INVALID,
          armi_tree_edit(&keyed, &keyed_root, &with_key, 1, &keyed_root, &err));
    struct armi_tree_change changes[2] = {{list.entries[1].key, NULL},
                                          {list.entries[0].key, NULL}};
    fails(ARMI_INVALID,
          armi_tree_edit_keys(&keyed, &keyed_root, changes, 2, &keyed_root, &err));
    fails(ARMI_INVALID, armi_tree_edit_keys(&tree, &root, changes, 1, &root, &err));
    changes[0].entry = &list.entries[0];
    fails(ARMI_INVALID,
          armi_tree_edit_keys(&keyed, &keyed_root, changes, 1, &keyed_root, &err));
    assert_same_root(&root, &copy);
    free_list(&list);
    armi_tree_root_release(&root);
    armi_tree_root_release(&copy);
    armi_tree_root_release(&keyed_root);
    world_release(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_after_any_edits_is_the_tree_built_from_its_entries),
        cmocka_unit_test(equal_anchors_still_give_one_tree_for_one_list),
        cmocka_unit_test(a_keyed_tree_after_any_changes_is_the_tree_built_from_its_entries),
        cmocka_unit_test(one_update_in_ten_thousand_entries_writes_one_node_a_level),
        cmocka_unit_test(an_edit_with_bad_arguments_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
