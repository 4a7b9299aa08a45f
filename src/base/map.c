#include "base/map.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Multiply-and-fold over 16 bytes a step, in the manner of wyhash: good spread, few instructions. */
uint64_t armi_mix_hash(const void *data, size_t size, uint64_t seed)
{
    const uint64_t k0 = 0x9e3779b97f4a7c15u, k1 = 0xd1b54a32d192ed03u;
    const uint8_t *p = data;
    uint64_t h = seed ^ mix(size ^ k0, k1);
    for (; size >= 16; size -= 16, p += 16)
        h = mix(armi_load64(p) ^ k0 ^ h, armi_load64(p + 8) ^ k1);
    uint64_t a = 0, b = 0;
    if (size >= 8) {
        a = armi_load64(p);
        b = armi_load64(p + size - 8);
    } else if (size >= 4) {
        a = armi_load32(p);
        b = armi_load32(p + size - 4);
    } else if (size > 0) {
        a = ((uint64_t)p[0] << 16) | ((uint64_t)p[size / 2] << 8) | p[size - 1];
    }
    h = mix(a ^ k0 ^ h, b ^ k1);
    return mix(h ^ k1, k0);
}

void armi_map_init(struct armi_map *map, uint64_t seed)
{
    memset(map, 0, sizeof *map);
    map->seed = seed;
}

void armi_map_release(struct armi_map *map)
{
    armi_free(map->entries);
    armi_free(map->slots);
    armi_buf_release(&map->keys);
    armi_map_init(map, map->seed);
}

struct armi_slice armi_map_key(const struct armi_map *map, size_t index)
{
    const struct armi_map_entry *e = &map->entries[index];
    return (struct armi_slice){map->keys.data + e->key_offset, e->key_size};
}

/* The slot that holds the key, or the free one where it belongs. */
static uint32_t *slot_of(const struct armi_map *map, struct armi_slice key, uint64_t hash)
{
    size_t mask = map->slots_count - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &map->slots[i];
        if (*slot == 0)
            return slot;
        const struct armi_map_entry *e = &map->entries[*slot - 1];
        if (e->hash == hash && armi_slice_equal(armi_map_key(map, *slot - 1), key))
            return slot;
    }
}

uint64_t *armi_map_find(const struct armi_map *map, struct armi_slice key)
{
    if (map->count == 0)
        return NULL;
    uint32_t *slot = slot_of(map, key, armi_mix_hash(key.data, key.size, map->seed));
    return *slot != 0 ? &map->entries[*slot - 1].value : NULL;
}

static enum armi_status map_grow(struct armi_map *map, struct armi_error *err)
{
    size_t capacity = map->entries_capacity != 0 ? map->entries_capacity * 2 : 16;
    if (capacity > UINT32_MAX / 2)
        return armi_error_set(err, ARMI_LIMIT, "a map would grow beyond %u entries",
                              UINT32_MAX / 2);
    uint32_t *slots = armi_alloc_zero(capacity * 2, sizeof *slots);
    struct armi_map_entry *entries = armi_alloc_array(capacity, sizeof *entries);
    if (slots == NULL || entries == NULL) {
        armi_free(slots);
        armi_free(entries);
        return armi_error_no_memory(err);
    }
    if (map->count != 0)
        memcpy(entries, map->entries, map->count * sizeof *entries);
    armi_free(map->entries);
    armi_free(map->slots);
    map->entries = entries;
    map->entries_capacity = capacity;
    map->slots = slots;
    map->slots_count = capacity * 2;
    for (size_t i = 0; i < map->count; i++)
        *slot_of(map, armi_map_key(map, i), entries[i].hash) = (uint32_t)(i + 1);
    return ARMI_OK;
}

enum armi_status armi_map_insert(struct armi_map *map, struct armi_slice key,
                                 uint64_t **out, bool *out_new, struct armi_error *err)
{
    if (map->count == map->entries_capacity)
        ARMI_TRY(map_grow(map, err));
    uint64_t hash = armi_mix_hash(key.data, key.size, map->seed);
    uint32_t *slot = slot_of(map, key, hash);
    if (out_new != NULL)
        *out_new = *slot == 0;
    if (*slot == 0) {
        size_t offset = map->keys.size;
        ARMI_TRY(armi_buf_append(&map->keys, key.data, key.size, err));
        map->entries[map->count] = (struct armi_map_entry){offset, key.size, hash, 0};
        *slot = (uint32_t)++map->count;
    }
    *out = &map->entries[*slot - 1].value;
    return ARMI_OK;
}
