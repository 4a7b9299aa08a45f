/*
 * A hash map from byte strings to 64-bit values: open addressing, keys copied into one buffer.
 * Entries are never removed one by one. Not for chosen collisions: seed it from the outside where
 * keys are hostile.
 */
#ifndef ARMI_BASE_MAP_H
#define ARMI_BASE_MAP_H

#include <stdbool.h>

#include "base/buf.h"

struct armi_map_entry {
    size_t key_offset;
    size_t key_size;
    uint64_t hash;
    uint64_t value;
};

struct armi_map {
    struct armi_map_entry *entries; /* in order of insertion */
    size_t count;
    size_t entries_capacity;
    uint32_t *slots; /* index + 1 into entries, 0 = free; a power of two of them */
    size_t slots_count;
    struct armi_buf keys;
    uint64_t seed;
};

void armi_map_init(struct armi_map *map, uint64_t seed);
void armi_map_release(struct armi_map *map);
/* The value's place, or NULL; valid until the next insert. */
uint64_t *armi_map_find(const struct armi_map *map, struct armi_slice key);
/* Finds or adds. *out_new (nullable) tells which; a new value is 0. */
enum armi_status armi_map_insert(struct armi_map *map, struct armi_slice key,
                                 uint64_t **out, bool *out_new, struct armi_error *err);
struct armi_slice armi_map_key(const struct armi_map *map, size_t index);

/* A fast 64-bit hash of bytes, for tables in memory only: never an identity, never stored. */
uint64_t armi_mix_hash(const void *data, size_t size, uint64_t seed);

#endif
