#include "tree/tree_align.h"

#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

void armi_tree_side_release(struct tree_side *side)
{
    armi_free(side->spots);
    armi_buf_release(&side->keys);
    *side = (struct tree_side){0};
}

void armi_tree_side_clear(struct tree_side *side)
{
    side->count = 0;
    armi_buf_clear(&side->keys);
}

void armi_tree_side_swap(struct tree_side *a, struct tree_side *b)
{
    struct tree_side t = *a;
    *a = *b;
    *b = t;
}

enum armi_status armi_tree_side_add(struct tree_side *side, const struct tree_spot *spot,
                                    struct armi_slice key, struct armi_error *err)
{
    if (side->count == side->capacity) {
        size_t capacity = 2 * side->capacity + 64;
        struct tree_spot *spots = armi_realloc(side->spots, side->count * sizeof *spots,
                                               capacity * sizeof *spots);
        if (spots == NULL)
            return armi_error_no_memory(err);
        side->spots = spots;
        side->capacity = capacity;
    }
    struct tree_spot *added = &side->spots[side->count];
    *added = *spot;
    added->key_offset = side->keys.size;
    added->key_size = key.size;
    ARMI_TRY(armi_buf_append(&side->keys, key.data, key.size, err));
    side->count++;
    return ARMI_OK;
}

void armi_tree_gaps_release(struct tree_gaps *gaps)
{
    armi_free(gaps->list);
    *gaps = (struct tree_gaps){0};
}

static enum armi_status gaps_add(struct tree_gaps *gaps, struct tree_gap gap,
                                 struct armi_error *err)
{
    if (gaps->count == gaps->capacity) {
        size_t capacity = 2 * gaps->capacity + 16;
        struct tree_gap *list =
            armi_realloc(gaps->list, gaps->count * sizeof *list, capacity * sizeof *list);
        if (list == NULL)
            return armi_error_no_memory(err);
        gaps->list = list;
        gaps->capacity = capacity;
    }
    gaps->list[gaps->count++] = gap;
    return ARMI_OK;
}

static bool same(const struct tree_side *a, size_t i, const struct tree_side *b, size_t j)
{
    return memcmp(a->spots[i].id, b->spots[j].id, ARMI_TREE_ID_SIZE) == 0;
}

/* Takes equal items off both ends. */
static void strip(const struct tree_side *a, const struct tree_side *b,
                  struct tree_gap *gap)
{
    while (gap->from[0] < gap->to[0] && gap->from[1] < gap->to[1] &&
           same(a, gap->from[0], b, gap->from[1])) {
        gap->from[0]++;
        gap->from[1]++;
    }
    while (gap->from[0] < gap->to[0] && gap->from[1] < gap->to[1] &&
           same(a, gap->to[0] - 1, b, gap->to[1] - 1)) {
        gap->to[0]--;
        gap->to[1]--;
    }
}

static enum armi_status add_stripped(const struct tree_side *a, const struct tree_side *b,
                                     struct tree_gap gap, struct tree_gaps *gaps,
                                     struct armi_error *err)
{
    strip(a, b, &gap);
    if (gap.from[0] == gap.to[0] && gap.from[1] == gap.to[1])
        return ARMI_OK;
    return gaps_add(gaps, gap, err);
}

/* How often an id occurs on each side, and where. */
struct twin {
    size_t count[2];
    size_t place[2];
};

struct match {
    size_t place[2];
    size_t before; /* in the longest chain that ends here; SIZE_MAX: none */
};

static enum armi_status count_ids(const struct tree_side *side, size_t which,
                                  const struct tree_gap *gap, struct armi_map *map,
                                  struct twin *twins, struct armi_error *err)
{
    for (size_t i = gap->from[which]; i < gap->to[which]; i++) {
        struct armi_slice id = {side->spots[i].id, ARMI_TREE_ID_SIZE};
        uint64_t *value;
        bool is_new;
        ARMI_TRY(armi_map_insert(map, id, &value, &is_new, err));
        if (is_new) {
            *value = map->count - 1;
            twins[*value] = (struct twin){0};
        }
        twins[*value].count[which]++;
        twins[*value].place[which] = i;
    }
    return ARMI_OK;
}

/* Ids that occur once on each side, in A's order: the map keeps the order of insertion. */
static size_t find_matches(const struct armi_map *map, const struct twin *twins,
                           struct match *out)
{
    size_t count = 0;
    for (size_t i = 0; i < map->count; i++) {
        if (twins[i].count[0] == 1 && twins[i].count[1] == 1)
            out[count++] = (struct match){{twins[i].place[0], twins[i].place[1]}, SIZE_MAX};
    }
    return count;
}

/*
 * Longest chain of matches whose places rise on both sides, by patience: tops[k] is the
 * match with the least place that ends a chain of k + 1. Returns the last match of the
 * chain, SIZE_MAX for none.
 */
static size_t find_chain(struct match *matches, size_t count, size_t *tops)
{
    size_t piles = 0;
    for (size_t i = 0; i < count; i++) {
        size_t low = 0, high = piles;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (matches[tops[middle]].place[1] < matches[i].place[1])
                low = middle + 1;
            else
                high = middle;
        }
        matches[i].before = low > 0 ? tops[low - 1] : SIZE_MAX;
        tops[low] = i;
        if (low == piles)
            piles++;
    }
    return piles > 0 ? tops[piles - 1] : SIZE_MAX;
}

/* Gaps between the matches of the chain, in order: `order` gets the chain turned around. */
static enum armi_status add_between(const struct tree_side *a, const struct tree_side *b,
                                    struct tree_gap whole, const struct match *matches,
                                    size_t last, size_t *order, struct tree_gaps *gaps,
                                    struct armi_error *err)
{
    size_t count = 0;
    for (size_t i = last; i != SIZE_MAX; i = matches[i].before)
        order[count++] = i;
    struct tree_gap gap = whole;
    while (count-- > 0) {
        const struct match *match = &matches[order[count]];
        gap.to[0] = match->place[0];
        gap.to[1] = match->place[1];
        ARMI_TRY(add_stripped(a, b, gap, gaps, err));
        gap.from[0] = match->place[0] + 1;
        gap.from[1] = match->place[1] + 1;
    }
    gap.to[0] = whole.to[0];
    gap.to[1] = whole.to[1];
    return add_stripped(a, b, gap, gaps, err);
}

static enum armi_status align_middle(const struct tree_side *a, const struct tree_side *b,
                                     struct tree_gap gap, struct tree_gaps *gaps,
                                     struct armi_error *err)
{
    size_t a_count = gap.to[0] - gap.from[0], b_count = gap.to[1] - gap.from[1];
    struct armi_map map;
    armi_map_init(&map, 0);
    struct twin *twins = armi_alloc_array(a_count + b_count, sizeof *twins);
    struct match *matches = armi_alloc_array(a_count, sizeof *matches);
    size_t *order = armi_alloc_array(a_count, sizeof *order);
    enum armi_status st = ARMI_OK;
    if (twins == NULL || matches == NULL || order == NULL)
        st = armi_error_no_memory(err);
    if (st == ARMI_OK)
        st = count_ids(a, 0, &gap, &map, twins, err);
    if (st == ARMI_OK)
        st = count_ids(b, 1, &gap, &map, twins, err);
    if (st == ARMI_OK) {
        size_t count = find_matches(&map, twins, matches);
        size_t last = find_chain(matches, count, order);
        st = add_between(a, b, gap, matches, last, order, gaps, err);
    }
    armi_free(order);
    armi_free(matches);
    armi_free(twins);
    armi_map_release(&map);
    return st;
}

enum armi_status armi_tree_align(const struct tree_side *a, const struct tree_side *b,
                                 struct tree_gaps *gaps, struct armi_error *err)
{
    struct tree_gap whole = {{0, 0}, {a->count, b->count}};
    gaps->count = 0;
    strip(a, b, &whole);
    if (whole.from[0] == whole.to[0] || whole.from[1] == whole.to[1])
        return add_stripped(a, b, whole, gaps, err);
    return align_middle(a, b, whole, gaps, err);
}

static struct armi_slice key_of(const struct tree_side *side, size_t i)
{
    const struct tree_spot *spot = &side->spots[i];
    return (struct armi_slice){side->keys.data + spot->key_offset, spot->key_size};
}

enum armi_status armi_tree_align_keys(const struct tree_side *a, const struct tree_side *b,
                                      struct tree_gaps *gaps, struct armi_error *err)
{
    size_t i = 0, j = 0;
    gaps->count = 0;
    while (i < a->count || j < b->count) {
        int order = 0;
        if (i == a->count)
            order = 1;
        else if (j == b->count)
            order = -1;
        else
            order = armi_slice_compare(key_of(a, i), key_of(b, j));
        size_t a_step = order <= 0, b_step = order >= 0;
        if (order != 0 || !same(a, i, b, j))
            ARMI_TRY(
                gaps_add(gaps, (struct tree_gap){{i, j}, {i + a_step, j + b_step}}, err));
        i += a_step;
        j += b_step;
    }
    return ARMI_OK;
}
