/* The tables map of a commit: the worked example of docs/format/tables_map.md, edits, and damage. */
#include "test.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/text.h"
#include "repo/repo_internal.h"
#include "tree/tree_store.h"

/* docs/format/tables_map.md */
static const char payload_hex[] =
    "01007a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7acccccccccccccccccccccccccccccccccccccccc"
    "ccccccccccccccccccccccccac02";
static const char logical_hex[] = "5fcccf6f084f5bf69c49ac107635024e463d4e50";

static void expect_hex(const char *what, const uint8_t *bytes, size_t size,
                       const char *want)
{
    char *hex = malloc(2 * size + 1);
    armi_hex_encode(bytes, size, hex);
    if (strcmp(hex, want) != 0)
        fail_msg("%s is %s", what, hex);
    free(hex);
}

static struct armi_table_entry entry_make(const char *name, uint64_t version)
{
    struct armi_table_entry entry = {
        .is_live = true, .version = version, .rows = 100 * version, .bytes = 1000};
    snprintf(entry.name, sizeof entry.name, "%s", name);
    memset(entry.table_id, 0x7a, sizeof entry.table_id);
    memset(entry.node.bytes, 0xcc, sizeof entry.node.bytes);
    return entry;
}

static void an_entry_has_the_bytes_of_its_page(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_node_set set;
    struct armi_tree_root empty, root;
    struct armi_tree_store store;
    struct armi_tree_cursor *cursor;
    const struct armi_table_entry entry = entry_make("flights", 300);
    armi_node_set_init(&set, NULL);
    armi_tree_root_init(&empty, true);
    armi_tree_root_init(&root, true);
    ok(armi_tables_edit(&set, &empty, &entry, 1, &root, &err));
    armi_tree_store_init_set(&store, &set);
    struct armi_tree tree = armi_tree_store_tables(&store);
    ok(armi_tree_cursor_new(&tree, &root, &cursor, &err));
    ok(armi_tree_cursor_seek_first(cursor, &err));
    const struct armi_tree_entry *e = armi_tree_cursor_entry(cursor);
    expect_hex("the payload", e->payload.data, e->payload.size, payload_hex);
    expect_hex("the logical hash", e->logical, sizeof e->logical, logical_hex);
    armi_tree_cursor_free(cursor);
    armi_tree_root_release(&root);
    armi_node_set_release(&set);
}

/* Many names, in any order, edited one by one: found, listed and compared. */
static void a_map_of_many_names_is_edited_and_compared(void **state)
{
    (void)state;
    enum { NAMES = 500 };
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_node_set set;
    struct armi_tree_root empty, root, next;
    struct armi_table_entry *entries = calloc(NAMES, sizeof *entries), *list, found;
    struct armi_table_pair *pairs;
    size_t count;
    bool is_there;
    armi_node_set_init(&set, NULL);
    armi_tree_root_init(&empty, true);
    armi_tree_root_init(&root, true);
    armi_tree_root_init(&next, true);
    const struct armi_node_source source = armi_node_set_source(&set);
    for (size_t i = 0; i < NAMES; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%zu", i * 7919 % NAMES);
        entries[i] = entry_make(name, i + 1);
    }
    ok(armi_tables_edit(&set, &empty, entries, NAMES, &root, &err));
    ok(armi_tables_list(&source, &root, &list, &count, &err));
    assert_int_equal(count, NAMES);
    for (size_t i = 1; i < count; i++)
        assert_true(strcmp(list[i - 1].name, list[i].name) < 0);
    armi_free(list);
    /* One changes, one becomes a tombstone, one is new. */
    struct armi_table_entry edits[3] = {entry_make("t42", 9000), entry_make("t7", 1),
                                        entry_make("zzz", 1)};
    edits[1].is_live = false;
    ok(armi_tables_edit(&set, &root, edits, 3, &next, &err));
    ok(armi_tables_find(&source, &next, "t42", &is_there, &found, &err));
    assert_true(is_there && found.version == 9000);
    ok(armi_tables_find(&source, &next, "t7", &is_there, &found, &err));
    assert_true(is_there && !found.is_live);
    ok(armi_tables_find(&source, &root, "zzz", &is_there, &found, &err));
    assert_false(is_there);
    ok(armi_tables_compare(&source, &root, &next, &pairs, &count, &err));
    assert_int_equal(count, 3);
    assert_string_equal(pairs[0].new_entry.name, "t42");
    assert_true(pairs[1].has_old && pairs[1].old_entry.is_live);
    assert_false(pairs[1].new_entry.is_live);
    assert_false(pairs[2].has_old);
    armi_free(pairs);
    free(entries);
    armi_tree_root_release(&next);
    armi_tree_root_release(&root);
    armi_node_set_release(&set);
}

/* Every bit of an inline map: another map, or refused. */
static void a_damaged_map_is_refused_or_another(void **state)
{
    (void)state;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_node_set set;
    struct armi_tree_root empty, root, back;
    struct armi_buf bytes = {0};
    struct armi_commit commit = {.parents_count = 0};
    const struct armi_table_entry entries[2] = {entry_make("a", 1), entry_make("b", 2)};
    armi_node_set_init(&set, NULL);
    const struct armi_node_source source = armi_node_set_source(&set);
    armi_tree_root_init(&empty, true);
    armi_tree_root_init(&root, true);
    ok(armi_tables_edit(&set, &empty, entries, 2, &root, &err));
    ok(armi_tables_save(&root, &bytes, &commit.tables, &err));
    assert_true(commit.tables.is_inline);
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        struct armi_table_entry *list;
        size_t count;
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum armi_status st = armi_tables_open(&source, &commit, &back, &err);
        if (st == ARMI_OK) {
            st = armi_tables_list(&source, &back, &list, &count, &err);
            if (st == ARMI_OK)
                armi_free(list);
            armi_tree_root_release(&back);
        }
        assert_true(st == ARMI_OK || st == ARMI_CORRUPTION || st == ARMI_UNSUPPORTED ||
                    st == ARMI_NOT_FOUND);
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    armi_buf_release(&bytes);
    armi_tree_root_release(&root);
    armi_node_set_release(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_has_the_bytes_of_its_page),
        cmocka_unit_test(a_map_of_many_names_is_edited_and_compared),
        cmocka_unit_test(a_damaged_map_is_refused_or_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
