#include "table/table_append.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "tree/tree_store.h"

static enum armi_status pending_add(struct armi_table_version *version,
                                    const struct armi_range *ranges, size_t count,
                                    struct armi_error *err)
{
    size_t before = version->pending_count;
    for (size_t i = 0; i < count; i++) {
        enum armi_status st =
            armi_range_copy(&ranges[i], &version->pending[before + i], err);
        if (st != ARMI_OK) {
            while (version->pending_count > before)
                armi_range_release(&version->pending[--version->pending_count]);
            return st;
        }
        version->pending_count++;
    }
    return ARMI_OK;
}

/* All pending ranges and the new ones, in order, as the last entries of the tree. */
static enum armi_status tree_add(struct armi_node_set *set,
                                 struct armi_table_version *version,
                                 const struct armi_range *ranges, size_t count,
                                 struct armi_error *err)
{
    struct armi_tree_store store;
    armi_tree_store_init_set(&store, set);
    struct armi_tree tree = armi_tree_store_ranges(&store);
    size_t total = version->pending_count + count;
    struct armi_buf *payloads = armi_alloc_zero(total, sizeof *payloads);
    struct armi_tree_entry *entries = armi_alloc_array(total, sizeof *entries);
    enum armi_status st = ARMI_OK;
    if (payloads == NULL || entries == NULL)
        st = armi_error_no_memory(err);
    for (size_t i = 0; i < total && st == ARMI_OK; i++) {
        const struct armi_range *range = i < version->pending_count
                                             ? &version->pending[i]
                                             : &ranges[i - version->pending_count];
        st = armi_range_entry(range, version->settings.anchors,
                              version->settings.anchor_count, &payloads[i], &entries[i],
                              err);
    }
    if (st == ARMI_OK) {
        struct armi_tree_splice splice = {version->root.entries, version->root.entries,
                                          entries, total};
        st = armi_tree_edit(&tree, &version->root, &splice, 1, &version->root, err);
    }
    while (st == ARMI_OK && version->pending_count > 0)
        armi_range_release(&version->pending[--version->pending_count]);
    for (size_t i = 0; payloads != NULL && i < total; i++)
        armi_buf_release(&payloads[i]);
    armi_free(payloads);
    armi_free(entries);
    return st;
}

enum armi_status armi_table_append(struct armi_node_set *set,
                                   struct armi_table_version *version,
                                   const struct armi_range *ranges, size_t count,
                                   struct armi_error *err)
{
    bool small = version->pending_count + count <= ARMI_PENDING_MAX;
    for (size_t i = 0; i < count && small; i++)
        small = ranges[i].bytes < ARMI_CHUNK_TINY_MAX;
    return small ? pending_add(version, ranges, count, err)
                 : tree_add(set, version, ranges, count, err);
}

enum armi_status armi_table_append_ranges(struct armi_node_set *set,
                                          const struct armi_table_version *onto,
                                          const struct armi_table_version *from,
                                          uint64_t first, struct armi_table_version *out,
                                          struct armi_error *err)
{
    const struct armi_node_source source = armi_node_set_source(set);
    struct armi_table_version merged;
    struct armi_range *ranges;
    size_t count;
    ARMI_TRY(armi_table_version_ranges(&source, from, &ranges, &count, err));
    enum armi_status st = armi_table_version_copy(onto, &merged, err);
    if (st != ARMI_OK) {
        armi_range_array_release(ranges, count);
        return st;
    }
    if (first < count)
        st = armi_table_append(set, &merged, ranges + first, count - (size_t)first, err);
    if (st == ARMI_OK)
        st = armi_table_version_total(&merged, err);
    armi_range_array_release(ranges, count);
    if (st != ARMI_OK) {
        armi_table_version_release(&merged);
        return st;
    }
    *out = merged;
    return ARMI_OK;
}
