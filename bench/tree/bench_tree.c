/*
 * What a change costs in nodes: written, read, bytes, time; and what it costs to find it
 * again by a diff. Entries are like those of a table of ten columns: a payload of 300
 * bytes, statistics with bounds of eight bytes. Nodes live in memory, uncompressed. Counts
 * are means over places, times medians.
 *
 * Usage: bench_tree [ENTRIES …]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/map.h"
#include "hash/blake3.h"
#include "tree/tree.h"
#include "tree/tree_cursor.h"
#include "tree/tree_diff.h"

#define COLUMNS      10
#define PAYLOAD_SIZE 300
#define ROUNDS       50

struct memory {
    struct armi_map index;
    struct armi_slice *nodes;
    size_t count, capacity;
    uint64_t puts, put_bytes, gets;
};

static void check(enum armi_status st, const struct armi_error *err)
{
    if (st == ARMI_OK)
        return;
    fprintf(stderr, "bench_tree: %s\n", err->message);
    exit(1);
}

static enum armi_status get(void *ctx, unsigned type, const struct armi_hash *hash,
                            struct armi_buf *out, struct armi_error *err)
{
    struct memory *memory = ctx;
    uint64_t *place = armi_map_find(&memory->index, (struct armi_slice){hash->bytes, 32});
    (void)type;
    if (place == NULL)
        return armi_error_set(err, ARMI_NOT_FOUND, "no such node");
    memory->gets++;
    armi_buf_clear(out);
    return armi_buf_append(out, memory->nodes[*place].data, memory->nodes[*place].size,
                           err);
}

static enum armi_status put(void *ctx, unsigned type, struct armi_slice bytes,
                            struct armi_hash *hash, struct armi_error *err)
{
    struct memory *memory = ctx;
    uint64_t *place;
    bool is_new;
    (void)type;
    armi_blake3_hash(bytes.data, bytes.size, hash);
    ARMI_TRY(armi_map_insert(&memory->index, (struct armi_slice){hash->bytes, 32}, &place,
                             &is_new, err));
    if (!is_new)
        return ARMI_OK;
    if (memory->count == memory->capacity) {
        size_t capacity = 2 * memory->capacity + 1024;
        memory->nodes = armi_realloc(memory->nodes, memory->count * sizeof *memory->nodes,
                                     capacity * sizeof *memory->nodes);
        memory->capacity = capacity;
    }
    uint8_t *copy = armi_alloc(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    memory->nodes[memory->count] = (struct armi_slice){copy, bytes.size};
    *place = memory->count++;
    memory->puts++;
    memory->put_bytes += bytes.size;
    return ARMI_OK;
}

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

struct made {
    struct armi_tree_entry entry;
    struct armi_tree_stats stats[COLUMNS];
    uint8_t payload[PAYLOAD_SIZE];
};

/* `place` fixes the anchor, `version` the rest. */
static const struct armi_tree_entry *make(uint64_t place, uint64_t version,
                                          struct made *made)
{
    uint64_t seed = mix(place * 1000 + version);
    for (size_t i = 0; i + 8 <= PAYLOAD_SIZE; i += 8) {
        uint64_t x = mix(seed + i);
        memcpy(made->payload + i, &x, 8);
    }
    made->entry = (struct armi_tree_entry){.payload = {made->payload, PAYLOAD_SIZE},
                                           .rows = 10000 + seed % 5000,
                                           .bytes = 1000000 + seed % 500000,
                                           .anchor = mix(place),
                                           .stats = made->stats,
                                           .stats_count = COLUMNS};
    memcpy(made->entry.logical, made->payload, ARMI_TREE_LOGICAL_SIZE);
    for (size_t i = 0; i < COLUMNS; i++) {
        struct armi_tree_stats *s = &made->stats[i];
        *s = (struct armi_tree_stats){
            .column = (int32_t)(i + 1), .flags = 0x1f, .min_size = 8, .max_size = 8};
        for (size_t b = 0; b < 8; b++) {
            s->min[b] = (uint8_t)(mix(seed + i) >> (8 * b)) / 2;
            s->max[b] = (uint8_t)(s->min[b] + 100);
        }
    }
    return &made->entry;
}

struct source {
    uint64_t next, count;
    struct made made;
};

static enum armi_status next_entry(void *ctx, struct armi_tree_entry *out, bool *end,
                                   struct armi_error *err)
{
    struct source *source = ctx;
    (void)err;
    *end = source->next == source->count;
    if (!*end)
        *out = *make(source->next++, 0, &source->made);
    return ARMI_OK;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct bench {
    struct memory memory;
    struct armi_tree tree;
    struct armi_tree_root root;
    uint64_t count;
    uint64_t round;
    struct made made[1000];
    struct armi_tree_entry entries[1000];
    struct armi_tree_splice splices[1000];
};

/* Each plans the splices of a round and says how many there are. */
static size_t plan_update(struct bench *b)
{
    uint64_t at = mix(b->round) % b->count;
    b->entries[0] = *make(at, b->round + 1, &b->made[0]);
    b->splices[0] = (struct armi_tree_splice){at, at + 1, b->entries, 1};
    return 1;
}

static int by_from(const void *a, const void *b)
{
    const struct armi_tree_splice *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

static size_t plan_updates(struct bench *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < 100; i++) {
        uint64_t at = mix(b->round * 1000 + i) % b->count;
        b->entries[i] = *make(at, b->round + 1, &b->made[i]);
        b->splices[i] = (struct armi_tree_splice){at, at + 1, &b->entries[i], 1};
    }
    qsort(b->splices, 100, sizeof *b->splices, by_from);
    for (size_t i = 0; i < 100; i++) {
        if (i == 0 || b->splices[i].from > b->splices[kept - 1].from)
            b->splices[kept++] = b->splices[i];
    }
    return kept;
}

static size_t plan_insert(struct bench *b)
{
    uint64_t at = mix(b->round) % b->count;
    b->entries[0] = *make(b->count + b->round, 0, &b->made[0]);
    b->splices[0] = (struct armi_tree_splice){at, at, b->entries, 1};
    return 1;
}

static size_t plan_append(struct bench *b)
{
    for (size_t i = 0; i < 10; i++)
        b->entries[i] = *make(b->count + b->round * 10 + i, 0, &b->made[i]);
    b->splices[0] = (struct armi_tree_splice){b->count, b->count, b->entries, 10};
    return 1;
}

static size_t plan_delete(struct bench *b)
{
    uint64_t size = b->count / 100, at = mix(b->round) % (b->count - size);
    b->splices[0] = (struct armi_tree_splice){at, at + size, NULL, 0};
    return 1;
}

static uint64_t diff_nodes(struct bench *b, const struct armi_tree_root *after)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_tree_diff *diff = NULL;
    struct armi_tree_run run;
    bool has = true;
    check(
        armi_tree_diff_new(&b->tree, &b->root, after, ARMI_TREE_DIFF_LOGICAL, &diff, &err),
        &err);
    while (has)
        check(armi_tree_diff_next(diff, &run, &has, &err), &err);
    uint64_t nodes = armi_tree_diff_nodes_read(diff);
    armi_tree_diff_free(diff);
    return nodes;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* In microseconds. */
static double median(double *seconds)
{
    qsort(seconds, ROUNDS, sizeof *seconds, by_size);
    return seconds[ROUNDS / 2] * 1e6;
}

static void measure(struct bench *b, const char *name, size_t (*plan)(struct bench *))
{
    struct armi_error err = ARMI_ERROR_INIT;
    uint64_t puts = 0, bytes = 0, gets = 0, seen = 0;
    double seconds[ROUNDS], diff_seconds[ROUNDS];
    for (b->round = 0; b->round < ROUNDS; b->round++) {
        struct armi_tree_root after = {0};
        size_t count = plan(b);
        uint64_t puts_before = b->memory.puts, bytes_before = b->memory.put_bytes;
        uint64_t gets_before = b->memory.gets;
        double start = now();
        check(armi_tree_edit(&b->tree, &b->root, b->splices, count, &after, &err), &err);
        seconds[b->round] = now() - start;
        puts += b->memory.puts - puts_before;
        bytes += b->memory.put_bytes - bytes_before;
        gets += b->memory.gets - gets_before;
        start = now();
        seen += diff_nodes(b, &after);
        diff_seconds[b->round] = now() - start;
        armi_tree_root_release(&after);
    }
    printf("| %s | %.1f | %.1f | %.1f | %.0f | %.1f | %.0f |\n", name,
           (double)puts / ROUNDS, (double)bytes / ROUNDS / 1024, (double)gets / ROUNDS,
           median(seconds), (double)seen / ROUNDS, median(diff_seconds));
}

static void run(uint64_t count)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct bench *b = armi_alloc_zero(1, sizeof *b);
    struct source source = {.count = count};
    if (b == NULL)
        exit(1);
    armi_map_init(&b->memory.index, 0);
    b->count = count;
    b->tree = (struct armi_tree){
        .store = {get, put, &b->memory}, .leaf_type = 1, .inner_type = 2};
    double start = now();
    check(armi_tree_build(&b->tree, (struct armi_tree_source){next_entry, &source},
                          &b->root, &err),
          &err);
    printf("\n%llu entries: %d levels, %llu nodes, %.1f MiB, built in %.0f ms\n\n",
           (unsigned long long)count, b->root.level + 1, (unsigned long long)b->memory.puts,
           (double)b->memory.put_bytes / 1048576, (now() - start) * 1e3);
    printf("| change | nodes written | KiB written | nodes read | us | diff: nodes read | "
           "us |\n");
    printf("|---|---|---|---|---|---|---|\n");
    measure(b, "update 1", plan_update);
    measure(b, "update 100 at random", plan_updates);
    measure(b, "insert 1 in the middle", plan_insert);
    measure(b, "append 10", plan_append);
    measure(b, "delete 1 % in a row", plan_delete);
    for (size_t i = 0; i < b->memory.count; i++)
        armi_free((void *)(uintptr_t)b->memory.nodes[i].data);
    armi_free(b->memory.nodes);
    armi_map_release(&b->memory.index);
    armi_tree_root_release(&b->root);
    armi_free(b);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        run(10000);
        run(100000);
    }
    for (int i = 1; i < argc; i++)
        run(strtoull(argv[i], NULL, 10));
    return 0;
}
