#include "table/prune.h"

#include <string.h>

static const uint8_t flag_pairs[][2] = {
    {ARMI_STATS_MIN, ARMI_TREE_HAS_MIN},
    {ARMI_STATS_MAX, ARMI_TREE_HAS_MAX},
    {ARMI_STATS_MIN_EXACT, ARMI_TREE_MIN_EXACT},
    {ARMI_STATS_MAX_EXACT, ARMI_TREE_MAX_EXACT},
    {ARMI_STATS_NULLS_EXACT, ARMI_TREE_NULLS_EXACT},
    {ARMI_STATS_NAN, ARMI_TREE_HAS_NAN},
    {ARMI_STATS_NONE, ARMI_TREE_NO_VALUES},
};

#define FLAG_PAIRS (sizeof flag_pairs / sizeof flag_pairs[0])

struct armi_tree_stats armi_stats_to_tree(int32_t column, const struct armi_stats *stats)
{
    struct armi_tree_stats out = {
        .column = column,
        .min_size = stats->min_size,
        .max_size = stats->max_size,
        .null_count = stats->null_count,
    };
    for (size_t i = 0; i < FLAG_PAIRS; i++)
        if (stats->flags & flag_pairs[i][0])
            out.flags |= flag_pairs[i][1];
    memcpy(out.min, stats->min, sizeof out.min);
    memcpy(out.max, stats->max, sizeof out.max);
    return out;
}

struct armi_stats armi_stats_from_tree(const struct armi_tree_stats *stats, uint64_t rows)
{
    struct armi_stats out = {
        .min_size = stats->min_size,
        .max_size = stats->max_size,
        .null_count = stats->null_count,
        .rows = rows,
    };
    for (size_t i = 0; i < FLAG_PAIRS; i++)
        if (stats->flags & flag_pairs[i][1])
            out.flags |= flag_pairs[i][0];
    memcpy(out.min, stats->min, sizeof out.min);
    memcpy(out.max, stats->max, sizeof out.max);
    return out;
}

struct lookup {
    const struct armi_field *schema;
    const struct armi_tree_stats *stats;
    size_t count;
    uint64_t rows;
};

static bool column_bounds(void *ctx, size_t column, struct armi_stats *out)
{
    const struct lookup *lookup = ctx;
    const struct armi_tree_stats *stats = armi_tree_stats_find(
        lookup->stats, lookup->count, lookup->schema->children[column].id);
    if (stats == NULL)
        return false;
    *out = armi_stats_from_tree(stats, lookup->rows);
    return true;
}

bool armi_prune_may_match(const struct armi_predicate *where,
                          const struct armi_field *schema,
                          const struct armi_tree_stats *stats, size_t count, uint64_t rows)
{
    struct lookup lookup = {schema, stats, count, rows};
    const struct armi_predicate_bounds bounds = {column_bounds, &lookup, rows};
    return armi_predicate_may_match(where, &bounds);
}
