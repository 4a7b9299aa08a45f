#include "repo/walk.h"

#include <string.h>

#include <armillaria/ref.h>

#include "base/alloc.h"
#include "tree/tree_store.h"

void armi_walk_init(struct armi_walk *walk, struct armi_core *core)
{
    *walk = (struct armi_walk){.core = core};
    armi_map_init(&walk->commits, 1);
    armi_map_init(&walk->versions, 2);
    armi_map_init(&walk->nodes, 3);
    armi_map_init(&walk->chunks, 4);
}

void armi_walk_release(struct armi_walk *walk)
{
    armi_map_release(&walk->commits);
    armi_map_release(&walk->versions);
    armi_map_release(&walk->nodes);
    armi_map_release(&walk->chunks);
}

static enum armi_status add(struct armi_map *map, const struct armi_hash *hash,
                            uint64_t value, bool *is_new, struct armi_error *err)
{
    uint64_t *slot;
    ARMI_TRY(armi_map_insert(map, (struct armi_slice){hash->bytes, ARMI_HASH_SIZE}, &slot,
                             is_new, err));
    if (*is_new)
        *slot = value;
    return ARMI_OK;
}

/* Hands a failure to the walk's owner, who may let the walk go on. */
static enum armi_status judge(struct armi_walk *walk, enum armi_status st, const char *kind,
                              const char *name, const struct armi_error *what,
                              struct armi_error *err)
{
    if (st == ARMI_OK)
        return ARMI_OK;
    bool ends = walk->problem == NULL || st == ARMI_NO_MEMORY || st == ARMI_INTERRUPTED;
    if (!ends)
        return walk->problem(walk->ctx, kind, name, what, err);
    if (err != NULL) {
        size_t size = err->size;
        *err = *what;
        err->size = size;
    }
    return st;
}

/* ---- a table version ---- */

static enum armi_status chunk_refs(struct armi_walk *walk, const struct armi_range *ranges,
                                   size_t count, struct armi_error *err)
{
    struct armi_map own; /* of this version alone */
    enum armi_status st = ARMI_OK;
    armi_map_init(&own, 5);
    for (size_t r = 0; r < count && st == ARMI_OK; r++) {
        for (size_t k = 0; k < ranges[r].chunk_count && st == ARMI_OK; k++) {
            const struct armi_chunk_ref *chunk = &ranges[r].chunks[k];
            uint64_t value = chunk->file_size * 2 + (chunk->kind == ARMI_CHUNK_CATALOG);
            bool is_new = false, any;
            st = add(&own, &chunk->hash, 1, &is_new, err);
            if (st == ARMI_OK && is_new) {
                walk->version_bytes += chunk->file_size;
                st = add(&walk->chunks, &chunk->hash, value, &any, err);
            }
        }
    }
    armi_map_release(&own);
    return st;
}

static enum armi_status tree_node(void *ctx, const struct armi_hash *hash, unsigned type,
                                  bool *descend, struct armi_error *err)
{
    struct armi_walk *walk = ctx;
    return add(&walk->nodes, hash, type, descend, err);
}

static enum armi_status version_nodes(struct armi_walk *walk, const struct armi_hash *node,
                                      const struct armi_table_version *version,
                                      struct armi_error *err)
{
    struct armi_table_version_nodes nodes;
    struct armi_tree_store store;
    const struct armi_tree_visitor visitor = {.node = tree_node, .ctx = walk};
    bool is_new;
    ARMI_TRY(armi_table_version_nodes(&walk->core->nodes, node, &nodes, err));
    ARMI_TRY(add(&walk->nodes, &nodes.schema, ARMI_NODE_SCHEMA, &is_new, err));
    ARMI_TRY(add(&walk->nodes, &nodes.settings, ARMI_NODE_SETTINGS, &is_new, err));
    for (size_t i = 0; i < nodes.pending_count; i++)
        ARMI_TRY(add(&walk->nodes, &nodes.pending[i], ARMI_NODE_PENDING, &is_new, err));
    armi_tree_store_init(&store, &walk->core->nodes);
    struct armi_tree tree = armi_tree_store_ranges(&store);
    return armi_tree_walk(&tree, &version->root, &visitor, err);
}

static enum armi_status version_walk(struct armi_walk *walk,
                                     const struct armi_table_entry *entry,
                                     struct armi_error *err)
{
    struct armi_table_version version;
    struct armi_range *ranges = NULL;
    size_t count = 0;
    armi_table_version_init(&version);
    enum armi_status st =
        armi_table_version_load(&walk->core->nodes, &entry->node, &version, err);
    if (st == ARMI_OK)
        st = version_nodes(walk, &entry->node, &version, err);
    if (st == ARMI_OK)
        st = armi_table_version_ranges(&walk->core->nodes, &version, &ranges, &count, err);
    if (st == ARMI_OK)
        st = chunk_refs(walk, ranges, count, err);
    if (st == ARMI_OK && walk->version != NULL)
        st = walk->version(walk->ctx, entry, &version, err);
    armi_range_array_release(ranges, count);
    armi_table_version_release(&version);
    return st;
}

/* ---- commits ---- */

static enum armi_status tables_walk(struct armi_walk *walk,
                                    const struct armi_commit *commit,
                                    struct armi_error *err)
{
    struct armi_tree_root root;
    struct armi_table_entry *entries = NULL;
    struct armi_tree_store store;
    const struct armi_tree_visitor visitor = {.node = tree_node, .ctx = walk};
    size_t count = 0;
    ARMI_TRY(armi_tables_open(&walk->core->nodes, commit, &root, err));
    armi_tree_store_init(&store, &walk->core->nodes);
    struct armi_tree tree = armi_tree_store_tables(&store);
    enum armi_status st = armi_tree_walk(&tree, &root, &visitor, err);
    if (st == ARMI_OK)
        st = armi_tables_list(&walk->core->nodes, &root, &entries, &count, err);
    for (size_t i = 0; i < count && st == ARMI_OK; i++) {
        struct armi_error what = ARMI_ERROR_INIT;
        bool is_new;
        if (!entries[i].is_live)
            continue;
        st = armi_interrupt_check(&walk->interrupt, err);
        if (st == ARMI_OK)
            st = add(&walk->versions, &entries[i].node, 1, &is_new, err);
        if (st != ARMI_OK || !is_new)
            continue;
        st = add(&walk->nodes, &entries[i].node, ARMI_NODE_TABLE_VERSION, &is_new, err);
        if (st == ARMI_OK)
            st = judge(walk, version_walk(walk, &entries[i], &what), "table",
                       entries[i].name, &what, err);
    }
    armi_free(entries);
    armi_tree_root_release(&root);
    return st;
}

/* Commits that wait to be looked at: the map's own order of insertion is the queue. */
static enum armi_status commit_walk(struct armi_walk *walk, const struct armi_hash *id,
                                    struct armi_error *err)
{
    struct armi_place place = {0};
    bool is_new;
    ARMI_TRY(add(&walk->nodes, id, ARMI_NODE_COMMIT, &is_new, err));
    ARMI_TRY(armi_place_load(walk->core, id, &place, err));
    enum armi_status st = ARMI_OK;
    for (size_t i = 0; i < place.commit.parents_count && st == ARMI_OK; i++)
        st = add(&walk->commits, &place.commit.parents[i], 1, &is_new, err);
    if (st == ARMI_OK)
        st = tables_walk(walk, &place.commit, err);
    armi_place_release(&place);
    return st;
}

static enum armi_status tips_add(struct armi_walk *walk, unsigned kind,
                                 struct armi_error *err)
{
    struct armi_catalog_ref *refs = NULL;
    size_t count = 0;
    bool is_new;
    ARMI_TRY(
        armi_catalog_list_refs(walk->core->catalog, (uint8_t)kind, &refs, &count, err));
    enum armi_status st = ARMI_OK;
    for (size_t i = 0; i < count && st == ARMI_OK; i++)
        if (refs[i].has_commit)
            st = add(&walk->commits, &refs[i].commit, 1, &is_new, err);
    armi_free(refs);
    return st;
}

enum armi_status armi_walk_refs(struct armi_walk *walk, struct armi_error *err)
{
    ARMI_TRY(tips_add(walk, ARMI_REF_BRANCH, err));
    ARMI_TRY(tips_add(walk, ARMI_REF_TAG, err));
    for (size_t i = 0; i < walk->commits.count; i++) {
        struct armi_error what = ARMI_ERROR_INIT;
        struct armi_hash id;
        char hex[ARMI_HASH_HEX_SIZE];
        memcpy(id.bytes, armi_map_key(&walk->commits, i).data, ARMI_HASH_SIZE);
        armi_hash_format(&id, hex);
        ARMI_TRY(armi_interrupt_check(&walk->interrupt, err));
        ARMI_TRY(judge(walk, commit_walk(walk, &id, &what), "commit", hex, &what, err));
    }
    return ARMI_OK;
}
