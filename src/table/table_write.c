/*
 * The write path: stream -> rowset -> plan -> chunks -> ranges -> tree -> version.
 *
 * Input is taken in segments, so that a stream of any length passes in bounded memory; what
 * is in memory already (most input is) usually is one segment, held without a copy.
 */
#include "table/table_write.h"

#include <string.h>

#include "arrow/stats.h"
#include "arrow/stream.h"
#include "base/alloc.h"
#include "base/bits.h"
#include "base/limits.h"
#include "hash/blake3.h"
#include "table/chunk_group.h"
#include "table/plan.h"
#include "table/prune.h"
#include "table/table_append.h"
#include "tree/tree_store.h"

/* The input's own memory is what a segment holds on to. Below SETTLE_BYTES a table is one range. */
#define SEGMENT_BYTES (512 * ARMI_MIB)
#define SETTLE_BYTES  ARMI_MIB
/* Columns with statistics, beside the key and the anchors. */
#define STATS_COLUMNS 32

struct writer {
    const struct armi_table_io *io;
    struct armi_table_sink *sink;
    const struct armi_table_write *options;
    const struct armi_table_version *parent; /* NULL: a new table */
    struct armi_table_version *version;      /* what is being made */
    struct armi_table_written *written;
    struct armi_fit fit;
    struct armi_range *parents; /* the parent's ranges; none for an append */
    size_t parent_count;
    struct armi_range *ranges; /* of the new version, or the appended ones */
    size_t *twins;             /* by range: index into parents, or ARMI_TWIN_NONE */
    size_t count, capacity;
    size_t *by_id;     /* columns of the schema by rising id */
    bool *wants_stats; /* by column */
    struct armi_table_limits limits;
    struct armi_plan plan;
    struct armi_chunk_groups groups;
};

/* ---- ranges ---- */

static void range_id_make(struct writer *w, uint8_t id[ARMI_RANGE_ID_SIZE])
{
    struct armi_hash hash;
    uint8_t seed[16 + ARMI_TABLE_ID_SIZE + 8];
    memcpy(seed, w->sink->txid, 16);
    memcpy(seed + 16, w->version->table_id, ARMI_TABLE_ID_SIZE);
    armi_store64(seed + 16 + ARMI_TABLE_ID_SIZE, w->sink->ranges_made++);
    armi_blake3_derive("armillaria 1 range id", seed, sizeof seed, &hash);
    memcpy(id, hash.bytes, ARMI_RANGE_ID_SIZE);
}

/* Key, anchors, and the first columns. */
static bool wants_stats(const struct writer *w, size_t c)
{
    const struct armi_table_settings *settings = &w->version->settings;
    const struct armi_field *field = &w->fit.schema.children[c];
    if (!armi_stats_is_ordered(field))
        return false;
    for (size_t i = 0; i < settings->key_count; i++)
        if (settings->key[i] == field->id)
            return true;
    for (size_t i = 0; i < settings->anchor_count; i++)
        if (settings->anchors[i] == field->id)
            return true;
    return c < STATS_COLUMNS;
}

/* Fingerprints and statistics of a planned range, columns by rising id. */
static void range_describe(const struct writer *w, const struct armi_planned *planned,
                           const struct armi_range *twin, struct armi_range *range)
{
    const struct armi_field *schema = &w->fit.schema;
    range->column_count = schema->child_count;
    range->stats_count = 0;
    for (size_t n = 0; n < schema->child_count; n++) {
        size_t c = w->by_id[n];
        int32_t id = schema->children[c].id;
        const struct armi_tree_stats *known =
            twin != NULL ? armi_tree_stats_find(twin->stats, twin->stats_count, id) : NULL;
        range->columns[n].id = id;
        memcpy(range->columns[n].fingerprint,
               planned->fingerprints + c * ARMI_FINGERPRINT_SIZE, ARMI_FINGERPRINT_SIZE);
        if (range->stats_count == ARMI_TREE_STATS_MAX)
            continue;
        if (planned->stats[c].rows != 0)
            range->stats[range->stats_count++] = armi_stats_to_tree(id, &planned->stats[c]);
        else if (known != NULL && w->wants_stats[c])
            range->stats[range->stats_count++] = *known;
    }
}

/* The chunks of the twin go on serving the columns that are clean. */
static enum armi_status range_inherit(const struct writer *w,
                                      const struct armi_planned *planned,
                                      const struct armi_range *twin,
                                      struct armi_range *range, struct armi_error *err)
{
    memcpy(range->id, twin->id, sizeof range->id);
    for (size_t k = 0; k < twin->chunk_count; k++)
        ARMI_TRY(armi_range_add_chunk(range, &twin->chunks[k], twin->chunks[k].columns,
                                      twin->chunks[k].column_count, err));
    for (size_t i = 0; i < twin->column_count; i++) {
        int64_t c = armi_field_find_id(&w->fit.schema, twin->columns[i].id);
        if (c < 0 || planned->dirty[c])
            armi_range_drop_column(range, twin->columns[i].id);
    }
    return ARMI_OK;
}

static enum armi_status range_make(struct writer *w, const struct armi_planned *planned,
                                   struct armi_range *out, struct armi_error *err)
{
    struct armi_range range = ARMI_RANGE_INIT;
    const struct armi_range *twin =
        planned->twin != ARMI_TWIN_NONE ? &w->parents[planned->twin] : NULL;
    ARMI_TRY(armi_range_alloc(&range, w->fit.schema.child_count, err));
    range.rows = range.live = planned->rows;
    /* Of the same rows cut otherwise the sum may be another by a byte. */
    bool is_twin = twin != NULL && planned->dirty_count == 0;
    range.bytes = is_twin ? twin->bytes : planned->bytes;
    range_describe(w, planned, twin, &range);
    enum armi_status st = ARMI_OK;
    if (twin != NULL)
        st = range_inherit(w, planned, twin, &range, err);
    else
        range_id_make(w, range.id);
    if (st != ARMI_OK) {
        armi_range_release(&range);
        return st;
    }
    *out = range;
    return ARMI_OK;
}

static enum armi_status ranges_grow(struct writer *w, struct armi_error *err)
{
    if (w->count < w->capacity)
        return ARMI_OK;
    size_t capacity = w->capacity != 0 ? w->capacity * 2 : 64;
    void *ranges =
        armi_realloc(w->ranges, w->count * sizeof *w->ranges, capacity * sizeof *w->ranges);
    if (ranges == NULL)
        return armi_error_no_memory(err);
    w->ranges = ranges;
    void *twins =
        armi_realloc(w->twins, w->count * sizeof *w->twins, capacity * sizeof *w->twins);
    if (twins == NULL)
        return armi_error_no_memory(err);
    w->twins = twins;
    w->capacity = capacity;
    return ARMI_OK;
}

/* ---- segments ---- */

/* Boundaries are chosen when the table is large enough to have some, and then kept. */
static enum armi_status settle(struct writer *w, const struct armi_rowset *set,
                               struct armi_error *err)
{
    struct armi_table_settings *settings = &w->version->settings;
    uint64_t rows = set->rows, bytes = set->bytes;
    if (w->options->append && w->parent != NULL) {
        rows += w->parent->rows;
        bytes += w->parent->bytes;
    }
    for (size_t i = 0; i < settings->anchor_count; i++)
        if (armi_field_find_id(&w->fit.schema, settings->anchors[i]) < 0)
            settings->target_rows = settings->anchor_count = 0;
    if (settings->target_rows != 0 || bytes < w->limits.settle_bytes)
        return ARMI_OK;
    settings->target_rows = w->limits.target_rows != 0 ? w->limits.target_rows
                                                       : armi_boundary_target(rows, bytes);
    if (settings->key_count == 0)
        return armi_plan_choose_anchors(set, settings->anchors, &settings->anchor_count,
                                        err);
    settings->anchor_count =
        settings->key_count < ARMI_ANCHORS_MAX ? settings->key_count : ARMI_ANCHORS_MAX;
    memcpy(settings->anchors, settings->key,
           settings->anchor_count * sizeof *settings->anchors);
    return ARMI_OK;
}

static enum armi_status plan_begin(struct writer *w, const struct armi_rowset *set,
                                   struct armi_error *err)
{
    ARMI_TRY(settle(w, set, err));
    for (size_t c = 0; c < w->fit.schema.child_count; c++)
        w->wants_stats[c] = wants_stats(w, c);
    struct armi_plan_options options = {
        .schema = &w->fit.schema,
        .wants_stats = w->wants_stats,
        .anchors = w->version->settings.anchors,
        .anchor_count = w->version->settings.anchor_count,
        .target_rows = w->version->settings.target_rows,
        .range_bytes = w->limits.range_bytes,
        .parents = w->parents,
        .parent_count = w->parent_count,
        .parallel = w->sink->parallel,
    };
    return armi_plan_init(&w->plan, &options, err);
}

static enum armi_status segment_write(struct writer *w, struct armi_rowset *set,
                                      bool is_first, bool is_last, struct armi_error *err)
{
    uint64_t planned = 0;
    if (is_first)
        ARMI_TRY(plan_begin(w, set, err));
    ARMI_TRY(armi_plan_segment(&w->plan, set, is_first, is_last, &planned, err));
    for (size_t i = 0; i < w->plan.count; i++) {
        const struct armi_planned *range = &w->plan.ranges[i];
        ARMI_TRY(ranges_grow(w, err));
        ARMI_TRY(range_make(w, range, &w->ranges[w->count], err));
        w->twins[w->count++] = range->twin;
        w->written->columns_shared += w->fit.schema.child_count - range->dirty_count;
        if (range->dirty_count != 0)
            ARMI_TRY(armi_chunk_groups_add(&w->groups, set, range, w->count - 1, w->ranges,
                                           err));
    }
    ARMI_TRY(armi_chunk_groups_flush(&w->groups, set, w->ranges, err));
    armi_rowset_drop(set, planned);
    return ARMI_OK;
}

static enum armi_status segments_write(struct writer *w, struct ArrowArrayStream *data,
                                       const struct armi_field *incoming,
                                       struct armi_error *err)
{
    struct armi_rowset set;
    bool is_first = true, is_last = false;
    enum armi_status st = ARMI_OK;
    const struct armi_callbacks *callbacks = &w->options->callbacks;
    const struct armi_interrupt interrupt = {callbacks->interrupted, callbacks->ctx};
    armi_rowset_init(&set, &w->fit.schema, incoming, w->fit.from);
    while (st == ARMI_OK && !is_last) {
        struct ArrowArray batch = {0};
        st = armi_interrupt_check(&interrupt, err);
        if (st == ARMI_OK)
            st = armi_stream_next(data, &batch, err);
        is_last = st == ARMI_OK && batch.release == NULL;
        if (st == ARMI_OK && !is_last) {
            w->written->rows += (uint64_t)batch.length;
            st = armi_rowset_add(&set, &batch, &w->sink->parallel, err);
        }
        if (st != ARMI_OK || (!is_last && set.bytes < w->limits.segment_bytes))
            continue;
        if (set.rows != 0)
            st = segment_write(w, &set, is_first, is_last, err);
        is_first = false;
        if (callbacks->progress != NULL)
            callbacks->progress(callbacks->ctx, w->written->rows, 0);
    }
    armi_rowset_release(&set);
    return st;
}

/* ---- the tree ---- */

/* A range as it will stand in the tree, with the bytes that its entry borrows. */
struct entry_slot {
    struct armi_tree_entry entry;
    struct armi_buf payload;
};

static bool is_unchanged(const struct writer *w, size_t i)
{
    const struct armi_range *twin =
        w->twins[i] != ARMI_TWIN_NONE ? &w->parents[w->twins[i]] : NULL;
    uint8_t a[20], b[20];
    if (twin == NULL)
        return false;
    armi_range_logical(twin, a);
    armi_range_logical(&w->ranges[i], b);
    return memcmp(a, b, sizeof a) == 0 && twin->chunk_count == w->ranges[i].chunk_count;
}

static enum armi_status entries_make(const struct writer *w, size_t from,
                                     struct entry_slot *slots, struct armi_error *err)
{
    const struct armi_table_settings *s = &w->version->settings;
    for (size_t i = from; i < w->count; i++)
        ARMI_TRY(armi_range_entry(&w->ranges[i], s->anchors, s->anchor_count,
                                  &slots[i].payload, &slots[i].entry, err));
    return ARMI_OK;
}

static void slots_free(struct entry_slot *slots, size_t count)
{
    for (size_t i = 0; slots != NULL && i < count; i++)
        armi_buf_release(&slots[i].payload);
    armi_free(slots);
}

/* Where the new list of ranges departs from the parent's tree. */
static size_t splices_find(const struct writer *w, const struct armi_tree_entry *entries,
                           size_t tree_entries, struct armi_tree_splice *splices)
{
    size_t count = 0, old = 0, i = 0;
    while (i < w->count || old < tree_entries) {
        if (i < w->count && old < tree_entries && w->twins[i] == old &&
            is_unchanged(w, i)) {
            i++;
            old++;
            continue;
        }
        struct armi_tree_splice *splice = &splices[count++];
        *splice = (struct armi_tree_splice){.from = old, .entries = entries + i};
        size_t first = i;
        while (i < w->count &&
               !(w->twins[i] < tree_entries && w->twins[i] >= old && is_unchanged(w, i)))
            i++;
        splice->count = i - first;
        splice->to = i < w->count ? w->twins[i] : tree_entries;
        old = splice->to;
    }
    return count;
}

/* A whole write: the ranges become the tree, and what is unchanged keeps its nodes. */
static enum armi_status tree_replace(struct writer *w, struct armi_error *err)
{
    struct armi_tree_store store;
    armi_tree_store_init_set(&store, w->sink->nodes);
    struct armi_tree tree = armi_tree_store_ranges(&store);
    struct armi_tree_root none;
    size_t tree_entries = w->parent != NULL ? w->parent->root.entries : 0;
    struct entry_slot *slots = armi_alloc_zero(w->count, sizeof *slots);
    struct armi_tree_entry *entries = armi_alloc_array(w->count, sizeof *entries);
    struct armi_tree_splice *splices =
        armi_alloc_array(w->count + tree_entries + 1, sizeof *splices);
    enum armi_status st = ARMI_OK;
    armi_tree_root_init(&none, false);
    if (slots == NULL || entries == NULL || splices == NULL)
        st = armi_error_no_memory(err);
    if (st == ARMI_OK)
        st = entries_make(w, 0, slots, err);
    if (st == ARMI_OK) {
        for (size_t i = 0; i < w->count; i++)
            entries[i] = slots[i].entry;
        size_t count = splices_find(w, entries, tree_entries, splices);
        st = armi_tree_edit(&tree, w->parent != NULL ? &w->parent->root : &none, splices,
                            count, &w->version->root, err);
    }
    slots_free(slots, slots != NULL ? w->count : 0);
    armi_free(entries);
    armi_free(splices);
    return st;
}

/* ---- the whole ---- */

/* Columns by rising id, as indices into the schema. */
static enum armi_status columns_order(struct writer *w, struct armi_error *err)
{
    size_t count = w->fit.schema.child_count;
    w->by_id = armi_alloc_array(count, sizeof *w->by_id);
    w->wants_stats = armi_alloc_zero(count, sizeof *w->wants_stats);
    if (w->by_id == NULL || w->wants_stats == NULL)
        return armi_error_no_memory(err);
    for (size_t c = 0; c < count; c++) {
        size_t at = c;
        int32_t id = w->fit.schema.children[c].id;
        for (; at > 0 && w->fit.schema.children[w->by_id[at - 1]].id > id; at--)
            w->by_id[at] = w->by_id[at - 1];
        w->by_id[at] = c;
    }
    return ARMI_OK;
}

/* The version that is being made, before its ranges: the parent's, or a new table's. */
static enum armi_status version_begin(struct writer *w,
                                      const uint8_t table_id[ARMI_TABLE_ID_SIZE],
                                      struct ArrowArrayStream *data,
                                      struct armi_field *incoming, struct armi_error *err)
{
    if (w->parent != NULL)
        ARMI_TRY(armi_table_version_copy(w->parent, w->version, err));
    else
        memcpy(w->version->table_id, table_id, ARMI_TABLE_ID_SIZE);
    ARMI_TRY(armi_stream_schema(data, incoming, err));
    armi_field_strip_reserved(incoming);
    armi_field_take_ids(incoming);
    ARMI_TRY(armi_field_check_carried(incoming, err));
    ARMI_TRY(armi_fit_schema(w->options->name,
                             w->parent != NULL ? &w->parent->schema : NULL,
                             w->version->settings.next_id, incoming, w->options->fit,
                             !w->options->append, &w->fit, err));
    w->version->settings.next_id = w->fit.next_id;
    ARMI_TRY(columns_order(w, err));
    if (w->parent == NULL || w->options->append)
        return ARMI_OK;
    return armi_table_version_ranges(&w->io->nodes, w->parent, &w->parents,
                                     &w->parent_count, err);
}

/* Chunks that the new version refers to through twins, each once. */
static enum armi_status count_reused(struct writer *w, struct armi_error *err)
{
    struct armi_map seen;
    enum armi_status st = ARMI_OK;
    armi_map_init(&seen, 0);
    for (size_t i = 0; i < w->count && st == ARMI_OK; i++) {
        if (w->twins[i] == ARMI_TWIN_NONE)
            continue;
        const struct armi_range *twin = &w->parents[w->twins[i]];
        for (size_t k = 0; k < w->ranges[i].chunk_count && st == ARMI_OK; k++) {
            const struct armi_chunk_ref *chunk = &w->ranges[i].chunks[k];
            uint64_t *value;
            bool is_new = false, is_twins = false;
            for (size_t t = 0; t < twin->chunk_count && !is_twins; t++)
                is_twins = memcmp(&twin->chunks[t].hash, &chunk->hash, ARMI_HASH_SIZE) == 0;
            if (!is_twins)
                continue;
            st = armi_map_insert(&seen,
                                 (struct armi_slice){chunk->hash.bytes, ARMI_HASH_SIZE},
                                 &value, &is_new, err);
            w->written->chunks_reused += is_new;
            w->written->bytes_reused += is_new ? chunk->file_size : 0;
        }
    }
    armi_map_release(&seen);
    return st;
}

static enum armi_status version_finish(struct writer *w, struct armi_error *err)
{
    struct armi_table_version *v = w->version;
    bool same = w->parent != NULL && !w->fit.changed;
    if (w->options->append)
        same = same && w->count == 0;
    else
        same = same && w->count == w->parent_count;
    for (size_t i = 0; i < w->count && same; i++)
        same = w->twins[i] == i && is_unchanged(w, i);
    w->written->changed = !same;
    ARMI_TRY(count_reused(w, err));
    if (same)
        return ARMI_OK;
    struct armi_field schema = ARMI_FIELD_INIT;
    ARMI_TRY(armi_field_copy(&w->fit.schema, &schema, err));
    armi_field_release(&v->schema);
    armi_field_move(&schema, &v->schema);
    if (w->options->append) {
        ARMI_TRY(armi_table_append(w->sink->nodes, v, w->ranges, w->count, err));
    } else {
        for (; v->pending_count > 0; v->pending_count--)
            armi_range_release(&v->pending[v->pending_count - 1]);
        ARMI_TRY(tree_replace(w, err));
    }
    return armi_table_version_total(v, err);
}

static void limits_default(struct armi_table_limits *limits,
                           const struct armi_table_limits *given)
{
    *limits = *given;
    if (limits->segment_bytes == 0)
        limits->segment_bytes = SEGMENT_BYTES;
    if (limits->settle_bytes == 0)
        limits->settle_bytes = SETTLE_BYTES;
    if (limits->range_bytes == 0)
        limits->range_bytes = ARMI_CHUNK_ARROW_MAX;
}

static void writer_release(struct writer *w)
{
    armi_chunk_groups_release(&w->groups);
    armi_plan_release(&w->plan);
    armi_range_array_release(w->ranges, w->count);
    armi_range_array_release(w->parents, w->parent_count);
    armi_free(w->twins);
    armi_free(w->by_id);
    armi_free(w->wants_stats);
    armi_fit_release(&w->fit);
}

enum armi_status
armi_table_write(const struct armi_table_io *io, struct armi_table_sink *sink,
                 const struct armi_table_version *parent,
                 const uint8_t table_id[ARMI_TABLE_ID_SIZE], struct ArrowArrayStream *data,
                 const struct armi_table_write *options, struct armi_table_version *out,
                 struct armi_table_written *written, struct armi_error *err)
{
    struct armi_table_version version;
    struct armi_table_written counts = {0};
    struct armi_field incoming = ARMI_FIELD_INIT;
    struct writer w = {
        .io = io,
        .sink = sink,
        .options = options,
        .parent = parent,
        .version = &version,
        .written = &counts,
        .fit = {.schema = ARMI_FIELD_INIT},
    };
    armi_table_version_init(&version);
    limits_default(&w.limits, &options->limits);
    enum armi_status st = version_begin(&w, table_id, data, &incoming, err);
    if (st == ARMI_OK) {
        armi_chunk_groups_init(&w.groups, &w.fit.schema, sink, options->chunk_rows,
                               &counts);
        st = segments_write(&w, data, &incoming, err);
    }
    if (st == ARMI_OK)
        st = version_finish(&w, err);
    writer_release(&w);
    armi_field_release(&incoming);
    armi_stream_release(data);
    if (st != ARMI_OK) {
        armi_table_version_release(&version);
        return st;
    }
    *out = version;
    *written = counts;
    return ARMI_OK;
}
