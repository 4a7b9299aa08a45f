/*
 * And, or: what decides nothing is dropped, one that decides all is all that is left, ranges of one
 * column become one leaf, and what is cheap comes first.
 */
#include <string.h>

#include "predicate/predicate_internal.h"

enum armi_status armi_nodes_add(struct armi_typer *t, struct armi_node_list *list,
                                struct armi_node *node)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 4 : 2 * list->capacity;
        struct armi_node **nodes =
            armi_arena_take(&t->predicate->arena, capacity, sizeof(struct armi_node *));
        if (nodes == NULL)
            return armi_error_no_memory(t->err);
        if (list->count != 0)
            memcpy(nodes, list->nodes, list->count * sizeof(struct armi_node *));
        list->nodes = nodes;
        list->capacity = capacity;
    }
    list->nodes[list->count++] = node;
    return ARMI_OK;
}

static bool is_ranges(const struct armi_node *node)
{
    return node->kind == ARMI_NODE_LEAF && node->leaf->kind == ARMI_LEAF_RANGES;
}

/* One leaf for all ranges of one column: what is in any of them, or for `and` in all. */
static enum armi_status fuse_group(struct armi_typer *t, struct armi_node_list *list,
                                   size_t first, bool is_and)
{
    struct armi_arena *arena = &t->predicate->arena;
    struct armi_leaf *leaf = list->nodes[first]->leaf;
    struct armi_key_set set = {0};
    size_t total = 0, kept = first + 1;
    for (size_t i = first; i < list->count; i++)
        if (is_ranges(list->nodes[i]))
            total += list->nodes[i]->leaf->ranges.set.count + 1;
    set.ranges = armi_arena_take(arena, total, sizeof *set.ranges);
    if (set.ranges == NULL)
        return armi_error_no_memory(t->err);
    for (size_t i = first; i < list->count; i++) {
        struct armi_node *node = list->nodes[i];
        if (!is_ranges(node) ||
            !armi_leaf_same_column(&node->leaf->column, &leaf->column)) {
            list->nodes[kept++] = node;
            continue;
        }
        struct armi_key_set part = node->leaf->ranges.set;
        if (is_and && !armi_key_set_complement(&part, &leaf->ranges.domain, arena, &part))
            return armi_error_no_memory(t->err);
        memcpy(set.ranges + set.count, part.ranges, part.count * sizeof *part.ranges);
        set.count += part.count;
    }
    list->count = kept;
    armi_key_set_normalise(&set);
    if (is_and && !armi_key_set_complement(&set, &leaf->ranges.domain, arena, &set))
        return armi_error_no_memory(t->err);
    leaf->ranges.set = set;
    armi_leaf_simplify(list->nodes[first]);
    return ARMI_OK;
}

static enum armi_status fuse(struct armi_typer *t, struct armi_node_list *list, bool is_and)
{
    for (size_t i = 0; i < list->count; i++) {
        bool has_other = false;
        if (!is_ranges(list->nodes[i]))
            continue;
        for (size_t k = i + 1; k < list->count && !has_other; k++)
            has_other = is_ranges(list->nodes[k]) &&
                        armi_leaf_same_column(&list->nodes[i]->leaf->column,
                                              &list->nodes[k]->leaf->column);
        if (has_other)
            ARMI_TRY(fuse_group(t, list, i, is_and));
    }
    return ARMI_OK;
}

static unsigned node_cost(const struct armi_node *node)
{
    static const uint8_t costs[] = {
        [ARMI_LEAF_NULL] = 1,   [ARMI_LEAF_VALID] = 1, [ARMI_LEAF_RANGES] = 2,
        [ARMI_LEAF_BYTES] = 4,  [ARMI_LEAF_LIST] = 8,  [ARMI_LEAF_LIKE] = 10,
        [ARMI_LEAF_COLUMNS] = 6};
    return node->kind == ARMI_NODE_LEAF ? costs[node->leaf->kind] : 12;
}

/* The cheap ones first, so that the dear ones have fewer rows to look at. */
static enum armi_status sort_by_cost(struct armi_typer *t, struct armi_node_list *list)
{
    struct armi_node **sorted =
        armi_arena_take(&t->predicate->arena, list->count, sizeof(struct armi_node *));
    size_t at = 0;
    if (sorted == NULL)
        return armi_error_no_memory(t->err);
    for (unsigned cost = 0; at < list->count; cost++)
        for (size_t i = 0; i < list->count; i++)
            if (node_cost(list->nodes[i]) == cost)
                sorted[at++] = list->nodes[i];
    list->nodes = sorted;
    return ARMI_OK;
}

/* Drops what decides nothing; whether one decides all. */
static bool list_prune(struct armi_node_list *list, enum armi_node_kind decisive)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        enum armi_node_kind kind = list->nodes[i]->kind;
        if (kind == decisive)
            return true;
        if (kind != ARMI_NODE_TRUE && kind != ARMI_NODE_FALSE)
            list->nodes[kept++] = list->nodes[i];
    }
    list->count = kept;
    return false;
}

enum armi_status armi_nodes_join(struct armi_typer *t, struct armi_node_list *list,
                                 bool is_and, struct armi_node **out)
{
    enum armi_node_kind decisive = is_and ? ARMI_NODE_FALSE : ARMI_NODE_TRUE;
    if (list_prune(list, decisive))
        return armi_node_new(t, decisive, out);
    ARMI_TRY(fuse(t, list, is_and));
    if (list_prune(list, decisive))
        return armi_node_new(t, decisive, out);
    if (list->count == 0)
        return armi_node_new(t, is_and ? ARMI_NODE_TRUE : ARMI_NODE_FALSE, out);
    if (list->count == 1) {
        *out = list->nodes[0];
        return ARMI_OK;
    }
    ARMI_TRY(sort_by_cost(t, list));
    ARMI_TRY(armi_node_new(t, is_and ? ARMI_NODE_AND : ARMI_NODE_OR, out));
    (*out)->count = list->count;
    (*out)->children = list->nodes;
    return ARMI_OK;
}

enum armi_status armi_nodes_splice(struct armi_typer *t, struct armi_node_list *list,
                                   bool is_and, struct armi_node *node)
{
    if (node->kind != (is_and ? ARMI_NODE_AND : ARMI_NODE_OR))
        return armi_nodes_add(t, list, node);
    for (size_t i = 0; i < node->count; i++)
        ARMI_TRY(armi_nodes_add(t, list, node->children[i]));
    return ARMI_OK;
}
