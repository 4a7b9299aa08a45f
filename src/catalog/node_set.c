/*
 * Nodes on their way to a publish: framed bytes one behind the other, found by name.
 */
#include "catalog/node.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

static struct armi_slice name_slice(const struct armi_hash *name)
{
    return (struct armi_slice){name->bytes, sizeof name->bytes};
}

void armi_node_set_init(struct armi_node_set *set, const struct armi_node_source *below)
{
    memset(set, 0, sizeof *set);
    armi_buf_init(&set->bytes, 0);
    armi_map_init(&set->index, 0);
    if (below != NULL)
        set->below = *below;
}

void armi_node_set_release(struct armi_node_set *set)
{
    armi_buf_release(&set->bytes);
    armi_map_release(&set->index);
    armi_free(set->entries);
    set->entries = NULL;
    set->count = set->capacity = 0;
}

static enum armi_status entries_reserve(struct armi_node_set *set, struct armi_error *err)
{
    if (set->count < set->capacity)
        return ARMI_OK;
    size_t capacity = set->capacity != 0 ? 2 * set->capacity : 16;
    struct armi_node_set_entry *entries = armi_realloc(
        set->entries, set->count * sizeof *entries, capacity * sizeof *entries);
    if (entries == NULL)
        return armi_error_no_memory(err);
    set->entries = entries;
    set->capacity = capacity;
    return ARMI_OK;
}

enum armi_status armi_node_set_put(struct armi_node_set *set, enum armi_node_type type,
                                   struct armi_slice bytes, struct armi_hash *name,
                                   struct armi_error *err)
{
    struct armi_hash hash;
    uint64_t *value;

    assert(bytes.size >= ARMI_NODE_HEADER_SIZE);
    if (bytes.size > ARMI_NODE_SIZE_MAX)
        return armi_error_set(err, ARMI_LIMIT, "%s node of %zu bytes: the limit is %llu",
                              armi_node_type_name(type), bytes.size,
                              (unsigned long long)ARMI_NODE_SIZE_MAX);
    armi_node_name(type, bytes, &hash);
    if (armi_map_find(&set->index, name_slice(&hash)) == NULL) {
        /* Everything that can fail comes before the index learns the name. */
        ARMI_TRY(entries_reserve(set, err));
        ARMI_TRY(armi_buf_reserve(&set->bytes, bytes.size, err));
        ARMI_TRY(armi_map_insert(&set->index, name_slice(&hash), &value, NULL, err));
        *value = set->count;
        set->entries[set->count++] =
            (struct armi_node_set_entry){hash, type, set->bytes.size, bytes.size};
        memcpy(set->bytes.data + set->bytes.size, bytes.data, bytes.size);
        set->bytes.size += bytes.size;
    }
    *name = hash;
    return ARMI_OK;
}

enum armi_status armi_node_set_truncate(struct armi_node_set *set, size_t count,
                                        struct armi_error *err)
{
    struct armi_map index;
    enum armi_status status = ARMI_OK;

    if (count >= set->count)
        return ARMI_OK;
    armi_map_init(&index, 0);
    for (size_t i = 0; i < count && status == ARMI_OK; i++) {
        uint64_t *value;
        status =
            armi_map_insert(&index, name_slice(&set->entries[i].name), &value, NULL, err);
        if (status == ARMI_OK)
            *value = i;
    }
    if (status == ARMI_OK) {
        struct armi_map old = set->index;
        set->index = index;
        index = old;
        set->bytes.size = set->entries[count].offset;
        set->count = count;
    }
    armi_map_release(&index);
    return status;
}

struct armi_slice armi_node_set_bytes(const struct armi_node_set *set, size_t index)
{
    const struct armi_node_set_entry *e = &set->entries[index];
    return (struct armi_slice){set->bytes.data + e->offset, e->size};
}

static enum armi_status set_get(void *ctx, enum armi_node_type type,
                                const struct armi_hash *name, struct armi_buf *out,
                                struct armi_error *err)
{
    struct armi_node_set *set = ctx;
    const uint64_t *value = armi_map_find(&set->index, name_slice(name));

    if (value != NULL && set->entries[*value].type == type) {
        struct armi_slice bytes = armi_node_set_bytes(set, *value);
        struct armi_buf copy = {0};
        ARMI_TRY(armi_buf_append(&copy, bytes.data, bytes.size, err));
        armi_buf_swap(out, &copy);
        armi_buf_release(&copy);
        return ARMI_OK;
    }
    if (set->below.get != NULL)
        return set->below.get(set->below.ctx, type, name, out, err);
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(name, hex);
    return armi_error_object(err, ARMI_NOT_FOUND, "node", hex, "%s node not found: %s",
                             armi_node_type_name(type), hex);
}

struct armi_node_source armi_node_set_source(struct armi_node_set *set)
{
    return (struct armi_node_source){set_get, set};
}
