/*
 * Walks compared with naive ones over the same commits, kept as plain arrays.
 */
#include "test.h"

#include <stdlib.h>

#include "catalog/history.h"
#include "catalog_kit.h"

#define COMMITS 600

struct model {
    struct armi_hash ids[COMMITS];
    int parents[COMMITS][2]; /* -1 = none */
    int64_t times[COMMITS];
    size_t count;
};

static uint32_t random_state;

static uint32_t next_random(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

static void add(struct model *m, struct armi_catalog *catalog, int a, int b)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash parents[2];
    struct armi_publish_result result;
    struct armi_commit commit = {.parents = parents};
    struct armi_publish publish = {.commit = &commit};

    if (a >= 0)
        parents[commit.parents_count++] = m->ids[a];
    if (b >= 0)
        parents[commit.parents_count++] = m->ids[b];
    commit.tables.is_inline = true;
    ok(armi_catalog_publish(catalog, &publish, &result, &err));
    m->ids[m->count] = result.commit;
    m->times[m->count] = commit.time_us;
    m->parents[m->count][0] = a;
    m->parents[m->count][1] = b;
    m->count++;
}

static void mark_ancestors(const struct model *m, int of, bool *marks)
{
    memset(marks, 0, COMMITS * sizeof *marks);
    marks[of] = true;
    for (int i = of; i >= 0; i--)
        for (int k = 0; k < 2 && marks[i]; k++)
            if (m->parents[i][k] >= 0)
                marks[m->parents[i][k]] = true;
}

static int depth_of(const struct model *m, int i)
{
    int depth = 0;
    while (m->parents[i][0] >= 0) {
        i = m->parents[i][0];
        depth++;
    }
    return depth;
}

struct depth_search {
    uint64_t depth;
    uint64_t asked;
};

static enum armi_status not_deeper(void *ctx, const struct armi_hash *id,
                                   const struct armi_commit *commit, bool *answer,
                                   struct armi_error *err)
{
    struct depth_search *search = ctx;
    (void)id;
    (void)err;
    search->asked++;
    *answer = commit->depth <= search->depth;
    return ARMI_OK;
}

static void a_search_finds_what_a_walk_finds_in_few_reads(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_catalog_options options = {.durability = ARMI_DURABILITY_NONE};
    struct catalog_kit kit;
    static struct model m;

    memset(&m, 0, sizeof m);
    catalog_kit_open(&kit, &options);
    for (int i = 0; i < COMMITS; i++)
        add(&m, kit.catalog, i - 1, -1);
    for (int start = 0; start < COMMITS; start += 37) {
        for (int target = 0; target <= start; target += 1 + start / 40) {
            struct depth_search search = {.depth = (uint64_t)target};
            struct armi_hash id;
            struct armi_commit commit;
            bool found;
            ok(armi_history_find(kit.catalog, &m.ids[start], not_deeper, &search, &found,
                                 &id, &commit, &err));
            assert_true(found);
            assert_memory_equal(&id, &m.ids[target], sizeof id);
            assert_true(commit.depth == (uint64_t)target);
            armi_commit_release(&commit);
            assert_true(search.asked <= 45); /* 4 log2(600) + a few */
            ok(armi_history_nth(kit.catalog, &m.ids[start], (uint64_t)(start - target), &id,
                                &err));
            assert_memory_equal(&id, &m.ids[target], sizeof id);
            ok(armi_history_at_time(kit.catalog, &m.ids[start], m.times[target], &id,
                                    &err));
            assert_memory_equal(&id, &m.ids[target], sizeof id);
        }
        struct armi_hash id;
        fails(ARMI_NOT_FOUND,
              armi_history_nth(kit.catalog, &m.ids[start], (uint64_t)start + 1, &id, &err));
    }
    catalog_kit_close(&kit);
}

static void check_pair(struct armi_catalog *catalog, const struct model *m, int a, int b)
{
    struct armi_error err = ARMI_ERROR_INIT;
    static bool of_a[COMMITS], of_b[COMMITS], below[COMMITS];
    struct armi_merge_bases bases;
    bool answer;
    size_t count = 0;

    mark_ancestors(m, a, of_a);
    mark_ancestors(m, b, of_b);
    ok(armi_history_is_ancestor(catalog, &m->ids[b], &m->ids[a], &answer, &err));
    assert_true(answer == of_a[b]);
    ok(armi_history_merge_bases(catalog, &m->ids[a], &m->ids[b], &bases, &err));
    /* Newest first; a common ancestor is a base if it is none of another's. */
    bool hidden[COMMITS] = {false};
    for (int i = COMMITS - 1; i >= 0; i--) {
        if (i >= (int)m->count || !of_a[i] || !of_b[i] || hidden[i])
            continue;
        assert_true(count < bases.count);
        if (count < ARMI_MERGE_BASES_MAX)
            assert_memory_equal(&bases.ids[count], &m->ids[i], sizeof m->ids[i]);
        count++;
        mark_ancestors(m, i, below);
        for (int k = 0; k < i; k++)
            hidden[k] |= below[k];
    }
    assert_int_equal(count, bases.count);
}

static void bases_and_ancestry_equal_the_naive_ones_on_random_graphs(void **state)
{
    (void)state;
    struct armi_catalog_options options = {.durability = ARMI_DURABILITY_NONE};
    for (uint32_t seed = 1; seed <= 4; seed++) {
        struct catalog_kit kit;
        static struct model m;

        memset(&m, 0, sizeof m);
        random_state = seed;
        catalog_kit_open(&kit, &options);
        for (int i = 0; i < 60; i++) {
            uint32_t span = i < 8 ? (uint32_t)i : 8;
            int a = i == 0 || next_random(20) == 0 ? -1 : i - 1 - (int)next_random(span);
            int b = a < 0 || next_random(3) != 0 ? -1 : i - 1 - (int)next_random(span);
            add(&m, kit.catalog, a, b == a ? -1 : b);
        }
        for (int k = 0; k < 300; k++)
            check_pair(kit.catalog, &m, (int)next_random(60), (int)next_random(60));
        struct armi_error err = ARMI_ERROR_INIT;
        for (int i = 0; i < 60; i++) {
            struct armi_history_iter it;
            int at = i;
            bool has;
            armi_history_begin(&it, kit.catalog, &m.ids[i]);
            for (;;) {
                ok(armi_history_next(&it, &has, &err));
                assert_true(has == (at >= 0));
                if (!has)
                    break;
                assert_memory_equal(&it.id, &m.ids[at], sizeof it.id);
                assert_int_equal(it.commit.depth, depth_of(&m, at));
                at = m.parents[at][0];
            }
            armi_history_end(&it);
        }
        catalog_kit_close(&kit);
    }
}

static void first_parents_alone_are_on_the_chain(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_catalog_options options = {.durability = ARMI_DURABILITY_NONE};
    struct catalog_kit kit;
    static struct model m;
    bool answer;

    memset(&m, 0, sizeof m);
    catalog_kit_open(&kit, &options);
    add(&m, kit.catalog, -1, -1); /* 0 */
    add(&m, kit.catalog, 0, -1);  /* 1 */
    add(&m, kit.catalog, 0, -1);  /* 2 */
    add(&m, kit.catalog, 1, 2);   /* 3 merges 2 into 1 */
    ok(armi_history_is_first_parent(kit.catalog, &m.ids[1], &m.ids[3], &answer, &err));
    assert_true(answer);
    ok(armi_history_is_first_parent(kit.catalog, &m.ids[2], &m.ids[3], &answer, &err));
    assert_false(answer);
    ok(armi_history_is_ancestor(kit.catalog, &m.ids[2], &m.ids[3], &answer, &err));
    assert_true(answer);
    ok(armi_history_is_first_parent(kit.catalog, &m.ids[3], &m.ids[1], &answer, &err));
    assert_false(answer);
    catalog_kit_close(&kit);
}

static void a_branch_without_commits_has_an_empty_history(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_history_iter it;
    bool has = true;
    armi_history_begin(&it, NULL, NULL);
    ok(armi_history_next(&it, &has, &err));
    assert_false(has);
    armi_history_end(&it);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_finds_what_a_walk_finds_in_few_reads),
        cmocka_unit_test(bases_and_ancestry_equal_the_naive_ones_on_random_graphs),
        cmocka_unit_test(first_parents_alone_are_on_the_chain),
        cmocka_unit_test(a_branch_without_commits_has_an_empty_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
