/*
 * What the tests of the tree share: a node store in memory that counts, and entries made
 * from a seed, so that a list of seeds is the model of a tree.
 */
#ifndef ARMI_TREE_WORLD_H
#define ARMI_TREE_WORLD_H

#include "test.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/map.h"
#include "hash/blake3.h"
#include "tree/tree.h"
#include "tree/tree_cursor.h"
#include "tree/tree_diff.h"

#define WORLD_LEAF  5
#define WORLD_INNER 6

struct world {
    struct armi_map index; /* type + hash -> place in nodes */
    struct armi_buf *nodes;
    size_t count, capacity;
    uint64_t puts, bytes_put; /* of nodes that were not there */
    uint64_t gets;
};

static inline struct armi_slice world_key(unsigned type, const struct armi_hash *hash,
                                          uint8_t *out)
{
    out[0] = (uint8_t)type;
    memcpy(out + 1, hash->bytes, sizeof hash->bytes);
    return (struct armi_slice){out, 33};
}

static inline enum armi_status world_get(void *ctx, unsigned type,
                                         const struct armi_hash *hash, struct armi_buf *out,
                                         struct armi_error *err)
{
    struct world *world = ctx;
    uint8_t key[33];
    uint64_t *place = armi_map_find(&world->index, world_key(type, hash, key));
    world->gets++;
    if (place == NULL)
        return armi_error_set(err, ARMI_NOT_FOUND, "no such node");
    armi_buf_clear(out);
    return armi_buf_append(out, world->nodes[*place].data, world->nodes[*place].size, err);
}

static inline enum armi_status world_put(void *ctx, unsigned type, struct armi_slice bytes,
                                         struct armi_hash *hash, struct armi_error *err)
{
    struct world *world = ctx;
    uint8_t key[33];
    uint64_t *place;
    bool is_new;
    armi_blake3_hash(bytes.data, bytes.size, hash);
    if (armi_map_find(&world->index, world_key(type, hash, key)) != NULL)
        return ARMI_OK;
    if (world->count == world->capacity) {
        size_t capacity = 2 * world->capacity + 16;
        struct armi_buf *nodes = armi_realloc(world->nodes, world->count * sizeof *nodes,
                                              capacity * sizeof *nodes);
        if (nodes == NULL)
            return armi_error_no_memory(err);
        world->nodes = nodes;
        world->capacity = capacity;
    }
    struct armi_buf *node = &world->nodes[world->count];
    armi_buf_init(node, 0);
    ARMI_TRY(armi_buf_append(node, bytes.data, bytes.size, err));
    enum armi_status st =
        armi_map_insert(&world->index, world_key(type, hash, key), &place, &is_new, err);
    if (st != ARMI_OK) {
        armi_buf_release(node);
        return st;
    }
    *place = world->count++;
    world->puts++;
    world->bytes_put += bytes.size;
    return ARMI_OK;
}

static inline void world_init(struct world *world)
{
    *world = (struct world){0};
    armi_map_init(&world->index, 0);
}

static inline void world_release(struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        armi_buf_release(&world->nodes[i]);
    armi_free(world->nodes);
    armi_map_release(&world->index);
}

static inline struct armi_tree world_tree(struct world *world, bool keyed)
{
    return (struct armi_tree){.store = {world_get, world_put, world},
                              .leaf_type = WORLD_LEAF,
                              .inner_type = WORLD_INNER,
                              .keyed = keyed};
}

/* A small generator: the same numbers everywhere. */
static inline uint64_t draw(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline uint64_t draw_below(uint64_t *state, uint64_t limit)
{
    return draw(state) % limit;
}

#define MADE_PAYLOAD_MAX 20000
#define MADE_STATS_MAX   4

/* An entry with its memory. */
struct made {
    struct armi_tree_entry entry;
    struct armi_tree_stats stats[MADE_STATS_MAX];
    uint8_t key[16];
    uint8_t *payload;
};

static inline void make_stats(struct made *made, uint64_t *state, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        struct armi_tree_stats *s = &made->stats[i];
        *s = (struct armi_tree_stats){.column = (int32_t)(i + 1)};
        s->flags = ARMI_TREE_HAS_MIN | ARMI_TREE_HAS_MAX | ARMI_TREE_NULLS_EXACT;
        uint64_t low = draw_below(state, 1000), high = low + draw_below(state, 1000);
        s->min_size = s->max_size = 8;
        for (unsigned b = 0; b < 8; b++) {
            s->min[b] = (uint8_t)(low >> (56 - 8 * b));
            s->max[b] = (uint8_t)(high >> (56 - 8 * b));
        }
        s->null_count = draw_below(state, 5);
    }
    made->entry.stats = made->stats;
    made->entry.stats_count = columns;
}

/* `seed` fixes all but the key; a payload of about 60 bytes, now and then a large one. */
static inline void make_entry(uint64_t seed, struct made *made)
{
    uint64_t state = seed;
    size_t size = 40 + draw_below(&state, 40);
    if (draw_below(&state, 100) == 0)
        size = draw_below(&state, MADE_PAYLOAD_MAX);
    *made = (struct made){0};
    made->payload = calloc(1, size + 1);
    assert_non_null(made->payload);
    for (size_t i = 0; i < size; i++)
        made->payload[i] = (uint8_t)draw(&state);
    made->entry.payload = (struct armi_slice){made->payload, size};
    made->entry.rows = draw_below(&state, 50); /* sometimes none */
    made->entry.bytes = 100 * made->entry.rows;
    for (size_t i = 0; i < ARMI_TREE_LOGICAL_SIZE; i++)
        made->entry.logical[i] = (uint8_t)draw(&state);
    made->entry.anchor = draw(&state);
    make_stats(made, &state, MADE_STATS_MAX - (seed % 7 == 0));
}

static inline void make_key(uint64_t number, struct made *made)
{
    int size = snprintf((char *)made->key, sizeof made->key, "table%06llu",
                        (unsigned long long)number);
    made->entry.key = (struct armi_slice){made->key, (size_t)size};
}

/* A list of entries from seeds; keys (where keyed) are the seeds too. */
struct made_list {
    struct made *made;
    struct armi_tree_entry *entries;
    size_t count;
};

static inline struct made_list make_list(const uint64_t *seeds, size_t count, bool keyed)
{
    struct made_list list = {calloc(count + 1, sizeof(struct made)),
                             calloc(count + 1, sizeof(struct armi_tree_entry)), count};
    assert_non_null(list.made);
    assert_non_null(list.entries);
    for (size_t i = 0; i < count; i++) {
        make_entry(seeds[i], &list.made[i]);
        if (keyed)
            make_key(seeds[i] >> 20, &list.made[i]);
        list.entries[i] = list.made[i].entry;
        list.entries[i].stats = list.made[i].stats;
        if (keyed)
            list.entries[i].key.data = list.made[i].key;
    }
    return list;
}

static inline void free_list(struct made_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->made[i].payload);
    free(list->made);
    free(list->entries);
}

static inline void build_seeds(const struct armi_tree *tree, const uint64_t *seeds,
                               size_t count, struct armi_tree_root *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct made_list list = make_list(seeds, count, tree->keyed);
    ok(armi_tree_build_array(tree, list.entries, count, out, &err));
    free_list(&list);
}

static inline void assert_same_root(const struct armi_tree_root *a,
                                    const struct armi_tree_root *b)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_buf left, right;
    armi_buf_init(&left, 0);
    armi_buf_init(&right, 0);
    ok(armi_tree_root_encode(a, &left, &err));
    ok(armi_tree_root_encode(b, &right, &err));
    assert_int_equal(left.size, right.size);
    assert_memory_equal(left.data, right.data, left.size);
    assert_true(armi_tree_root_equal(a, b));
    armi_buf_release(&left);
    armi_buf_release(&right);
}

static inline void assert_same_entry(const struct armi_tree_entry *a,
                                     const struct armi_tree_entry *b)
{
    assert_true(armi_slice_equal(a->key, b->key));
    assert_true(armi_slice_equal(a->payload, b->payload));
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->anchor, b->anchor);
    assert_memory_equal(a->logical, b->logical, ARMI_TREE_LOGICAL_SIZE);
    assert_int_equal(a->stats_count, b->stats_count);
    if (a->stats_count > 0)
        assert_memory_equal(a->stats, b->stats, a->stats_count * sizeof *a->stats);
}

#endif
