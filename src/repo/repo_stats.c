/*
 * How much there is, and how much of it is shared.
 */
#include <armillaria/ref.h>

#include <string.h>

#include "base/alloc.h"
#include "repo/walk.h"

struct tally {
    struct armi_walk *walk;
    struct armi_repository_stats *out;
};

static enum armi_status file_add(void *ctx, const struct armi_hash *hash,
                                 struct armi_error *err)
{
    struct tally *tally = ctx;
    struct armi_file_stat state;
    ARMI_TRY(armi_store_stat(tally->walk->core->store, hash, &state, err));
    tally->out->chunks++;
    tally->out->chunk_bytes += state.size;
    if (armi_map_find(&tally->walk->chunks,
                      (struct armi_slice){hash->bytes, ARMI_HASH_SIZE}) == NULL) {
        tally->out->reclaimable_chunks++;
        tally->out->reclaimable_bytes += state.size;
    }
    return ARMI_OK;
}

static enum armi_status tables_count(struct armi_core *core, const char *ref,
                                     struct armi_repository_stats *out,
                                     struct armi_error *err)
{
    struct armi_place place = {0};
    struct armi_tree_root root;
    struct armi_table_entry *entries = NULL;
    size_t count = 0;
    armi_tree_root_init(&root, true);
    ARMI_TRY(armi_place_resolve(core, ref, &place, NULL, err));
    enum armi_status st =
        armi_tables_open(&core->nodes, place.has_commit ? &place.commit : NULL, &root, err);
    if (st == ARMI_OK)
        st = armi_tables_list(&core->nodes, &root, &entries, &count, err);
    for (size_t i = 0; i < count; i++) {
        if (!entries[i].is_live)
            continue;
        out->tables++;
        out->rows += entries[i].rows;
        out->logical_bytes += entries[i].bytes;
    }
    armi_free(entries);
    armi_tree_root_release(&root);
    armi_place_release(&place);
    return st;
}

static enum armi_status refs_count(struct armi_core *core, unsigned kind, uint64_t *out,
                                   struct armi_error *err)
{
    struct armi_catalog_ref *refs = NULL;
    size_t count;
    ARMI_TRY(armi_catalog_list_refs(core->catalog, (uint8_t)kind, &refs, &count, err));
    armi_free(refs);
    *out = count;
    return ARMI_OK;
}

static void cache_fill(struct armi_core *core, struct armi_cache_stats *out)
{
    struct armi_column_cache_stats stats = {0};
    if (core->cache != NULL)
        armi_column_cache_stats(core->cache, &stats);
    *out = (struct armi_cache_stats){stats.hits,    stats.misses, stats.evictions,
                                     stats.entries, stats.bytes,  stats.capacity};
}

static enum armi_status walk_fill(struct armi_walk *walk, struct armi_repository_stats *out,
                                  struct armi_error *err)
{
    struct tally tally = {walk, out};
    struct armi_catalog_stats catalog;
    ARMI_TRY(armi_walk_refs(walk, err));
    ARMI_TRY(armi_store_list(walk->core->store, file_add, &tally, err));
    ARMI_TRY(armi_catalog_stats(walk->core->catalog, &catalog, err));
    out->commits = walk->commits.count;
    out->versions = walk->versions.count;
    out->version_bytes = walk->version_bytes;
    out->tiny_chunks = catalog.chunks;
    out->tiny_chunk_bytes = catalog.chunk_bytes;
    out->nodes = catalog.nodes;
    out->node_bytes = catalog.node_bytes;
    out->catalog_bytes = catalog.file_bytes;
    out->flushes = catalog.flushes;
    return ARMI_OK;
}

enum armi_status armi_repository_stats(struct armi_repository *repo, const char *ref,
                                       struct armi_repository_stats *out,
                                       struct armi_error *err)
{
    struct armi_repository_stats stats = {.size = out->size};
    struct armi_os_counters counters;
    struct armi_walk walk;
    armi_walk_init(&walk, repo->core);
    enum armi_status st = tables_count(repo->core, ref, &stats, err);
    if (st == ARMI_OK)
        st = refs_count(repo->core, ARMI_REF_BRANCH, &stats.branches, err);
    if (st == ARMI_OK)
        st = refs_count(repo->core, ARMI_REF_TAG, &stats.tags, err);
    if (st == ARMI_OK)
        st = walk_fill(&walk, &stats, err);
    armi_walk_release(&walk);
    ARMI_TRY(st);
    cache_fill(repo->core, &stats.cache);
    armi_os_counters(&counters);
    stats.flushes += counters.fsyncs + counters.fdatasyncs;
    stats.bytes_written = counters.bytes_written;
    *out = stats;
    return ARMI_OK;
}
