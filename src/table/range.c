/*
 * A range as bytes, and back. docs/format/range.md has the table of the payload.
 */
#include "table/range.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/limits.h"
#include "hash/blake3.h"

#define RANGE_VERSION 1

/* ---- life ---- */

enum armi_status armi_range_alloc(struct armi_range *range, size_t column_count,
                                  struct armi_error *err)
{
    struct armi_range_column *columns = armi_alloc_zero(column_count, sizeof *columns);
    struct armi_tree_stats *stats = armi_alloc_zero(column_count, sizeof *stats);
    if (columns == NULL || stats == NULL) {
        armi_free(columns);
        armi_free(stats);
        return armi_error_no_memory(err);
    }
    range->columns = columns;
    range->column_count = column_count;
    range->stats = stats;
    range->stats_count = 0;
    return ARMI_OK;
}

void armi_range_release(struct armi_range *range)
{
    for (size_t i = 0; i < range->chunk_count; i++)
        armi_free(range->chunks[i].columns);
    armi_free(range->columns);
    armi_free(range->stats);
    *range = (struct armi_range)ARMI_RANGE_INIT;
}

enum armi_status armi_range_copy(const struct armi_range *range, struct armi_range *out,
                                 struct armi_error *err)
{
    struct armi_range copy = ARMI_RANGE_INIT;
    size_t room =
        range->column_count > range->stats_count ? range->column_count : range->stats_count;
    ARMI_TRY(armi_range_alloc(&copy, room, err));
    memcpy(copy.id, range->id, sizeof copy.id);
    copy.first = range->first;
    copy.rows = range->rows;
    copy.live = range->live;
    copy.bytes = range->bytes;
    copy.column_count = range->column_count;
    copy.stats_count = range->stats_count;
    if (range->column_count != 0)
        memcpy(copy.columns, range->columns, range->column_count * sizeof *copy.columns);
    if (range->stats_count != 0)
        memcpy(copy.stats, range->stats, range->stats_count * sizeof *copy.stats);
    for (size_t i = 0; i < range->chunk_count; i++) {
        const struct armi_chunk_ref *chunk = &range->chunks[i];
        enum armi_status st =
            armi_range_add_chunk(&copy, chunk, chunk->columns, chunk->column_count, err);
        if (st != ARMI_OK) {
            armi_range_release(&copy);
            return st;
        }
    }
    *out = copy;
    return ARMI_OK;
}

/* ---- columns and chunks ---- */

const struct armi_range_column *armi_range_find(const struct armi_range *range, int32_t id)
{
    size_t low = 0, high = range->column_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (range->columns[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    bool found = low < range->column_count && range->columns[low].id == id;
    return found ? &range->columns[low] : NULL;
}

static size_t chunk_find(const struct armi_chunk_ref *chunk, int32_t id)
{
    for (size_t i = 0; i < chunk->column_count; i++)
        if (chunk->columns[i] == id)
            return i;
    return SIZE_MAX;
}

const struct armi_chunk_ref *armi_range_chunk(const struct armi_range *range, int32_t id)
{
    for (size_t i = 0; i < range->chunk_count; i++)
        if (chunk_find(&range->chunks[i], id) != SIZE_MAX)
            return &range->chunks[i];
    return NULL;
}

void armi_range_drop_column(struct armi_range *range, int32_t id)
{
    for (size_t i = 0; i < range->chunk_count; i++) {
        struct armi_chunk_ref *chunk = &range->chunks[i];
        size_t at = chunk_find(chunk, id);
        if (at == SIZE_MAX)
            continue;
        memmove(chunk->columns + at, chunk->columns + at + 1,
                (chunk->column_count - at - 1) * sizeof *chunk->columns);
        if (--chunk->column_count == 0) {
            armi_free(chunk->columns);
            memmove(chunk, chunk + 1, (range->chunk_count - i - 1) * sizeof *chunk);
            range->chunk_count--;
        }
        return;
    }
}

enum armi_status armi_range_add_chunk(struct armi_range *range,
                                      const struct armi_chunk_ref *chunk,
                                      const int32_t *columns, size_t column_count,
                                      struct armi_error *err)
{
    if (range->chunk_count == ARMI_RANGE_CHUNKS_MAX)
        return armi_error_set(err, ARMI_LIMIT, "a range would lie in more than %d chunks",
                              ARMI_RANGE_CHUNKS_MAX);
    int32_t *copy = armi_alloc_array(column_count, sizeof *copy);
    if (copy == NULL)
        return armi_error_no_memory(err);
    if (column_count != 0)
        memcpy(copy, columns, column_count * sizeof *copy);
    struct armi_chunk_ref *slot = &range->chunks[range->chunk_count++];
    *slot = *chunk;
    slot->columns = copy;
    slot->column_count = column_count;
    return ARMI_OK;
}

/* ---- logical hash ---- */

/*
 * Over a tagged list, so that a window or a digest of dead rows can join later without
 * changing the hash of a range that has neither.
 */
void armi_range_logical(const struct armi_range *range, uint8_t out[20])
{
    struct armi_blake3 hasher;
    struct armi_hash hash;
    uint8_t head[9] = {'R'};
    armi_blake3_init_derive_key(&hasher, "armillaria 1 range logical");
    armi_store64(head + 1, range->live);
    armi_blake3_update(&hasher, head, sizeof head);
    for (size_t i = 0; i < range->column_count; i++) {
        uint8_t tagged[5 + ARMI_FINGERPRINT_SIZE] = {'C'};
        armi_store32(tagged + 1, (uint32_t)range->columns[i].id);
        memcpy(tagged + 5, range->columns[i].fingerprint, ARMI_FINGERPRINT_SIZE);
        armi_blake3_update(&hasher, tagged, sizeof tagged);
    }
    armi_blake3_finalize(&hasher, &hash);
    memcpy(out, hash.bytes, 20);
}

/* Decides node boundaries: of the anchor columns only, so that an edit of another column
 * does not re-cut nodes. */
static uint64_t range_anchor(const struct armi_range *range, const int32_t *ids,
                             size_t count)
{
    uint64_t anchor = 0x9ddfea08eb382d69u * (range->live + 1);
    for (size_t i = 0; i < count; i++) {
        const struct armi_range_column *column = armi_range_find(range, ids[i]);
        if (column != NULL)
            anchor = (anchor ^ armi_load64(column->fingerprint)) * 0x9e3779b97f4a7c15u;
    }
    return anchor ^ (anchor >> 31);
}

/* ---- bytes ---- */

/* Ids rise, so each is its distance from the one before: one byte, mostly. */
static enum armi_status ids_encode(struct armi_buf *out, const int32_t *ids, size_t count,
                                   struct armi_error *err)
{
    int32_t before = 0;
    ARMI_TRY(armi_buf_append_varint(out, count, err));
    for (size_t i = 0; i < count; i++) {
        ARMI_TRY(armi_buf_append_varint(out, (uint64_t)(ids[i] - before), err));
        before = ids[i];
    }
    return ARMI_OK;
}

static enum armi_status chunk_encode(struct armi_buf *out, const struct armi_chunk_ref *c,
                                     struct armi_error *err)
{
    ARMI_TRY(armi_buf_append_u8(out, (uint8_t)c->kind, err));
    ARMI_TRY(armi_buf_append_u8(out, 0, err)); /* flags */
    ARMI_TRY(armi_buf_append(out, c->hash.bytes, ARMI_HASH_SIZE, err));
    ARMI_TRY(armi_buf_append_varint(out, 0, err)); /* generation: 0 on a local disk */
    ARMI_TRY(armi_buf_append_varint(out, c->file_size, err));
    ARMI_TRY(armi_buf_append_varint(out, c->footer_size, err));
    ARMI_TRY(armi_buf_append_varint(out, c->file_row, err));
    ARMI_TRY(armi_buf_append_varint(out, c->first, err));
    ARMI_TRY(armi_buf_append_varint(out, c->rows, err));
    return ids_encode(out, c->columns, c->column_count, err);
}

enum armi_status armi_range_entry(const struct armi_range *range, const int32_t *anchor_ids,
                                  size_t anchor_count, struct armi_buf *payload,
                                  struct armi_tree_entry *out, struct armi_error *err)
{
    armi_buf_clear(payload);
    ARMI_TRY(armi_buf_append_u8(payload, RANGE_VERSION, err));
    ARMI_TRY(armi_buf_append(payload, range->id, sizeof range->id, err));
    ARMI_TRY(armi_buf_append_varint(payload, range->first, err));
    ARMI_TRY(armi_buf_append_varint(payload, range->rows, err));
    ARMI_TRY(armi_buf_append_varint(payload, range->live, err));
    ARMI_TRY(armi_buf_append_varint(payload, range->column_count, err));
    int32_t before = 0;
    for (size_t i = 0; i < range->column_count; i++) {
        const struct armi_range_column *column = &range->columns[i];
        ARMI_TRY(armi_buf_append_varint(payload, (uint64_t)(column->id - before), err));
        ARMI_TRY(armi_buf_append(payload, column->fingerprint, ARMI_FINGERPRINT_SIZE, err));
        before = column->id;
    }
    ARMI_TRY(armi_buf_append_varint(payload, range->chunk_count, err));
    for (size_t i = 0; i < range->chunk_count; i++)
        ARMI_TRY(chunk_encode(payload, &range->chunks[i], err));
    ARMI_TRY(armi_buf_append_varint(payload, 0, err)); /* sections */
    *out = (struct armi_tree_entry){
        .payload = armi_buf_slice(payload),
        .rows = range->live,
        .bytes = range->bytes,
        .anchor = range_anchor(range, anchor_ids, anchor_count),
        .stats = range->stats,
        .stats_count = range->stats_count,
    };
    armi_range_logical(range, out->logical);
    return ARMI_OK;
}

/* One more id in a rising list; false when it does not rise or leaves int32. */
static bool id_next(struct armi_reader *r, bool is_first, int32_t *id)
{
    uint64_t step;
    if (!armi_read_varint(r, &step) || step > INT32_MAX || (!is_first && step == 0))
        return false;
    int64_t next = (is_first ? 0 : (int64_t)*id) + (int64_t)step;
    if (next > INT32_MAX)
        return false;
    *id = (int32_t)next;
    return true;
}

static bool columns_decode(struct armi_reader *r, struct armi_range *range)
{
    for (size_t i = 0; i < range->column_count; i++) {
        const uint8_t *fingerprint;
        int32_t id = i != 0 ? range->columns[i - 1].id : 0;
        if (!id_next(r, i == 0, &id) ||
            !armi_read_span(r, ARMI_FINGERPRINT_SIZE, &fingerprint))
            return false;
        range->columns[i].id = id;
        memcpy(range->columns[i].fingerprint, fingerprint, ARMI_FINGERPRINT_SIZE);
    }
    return true;
}

static enum armi_status corrupt(struct armi_error *err, const char *what)
{
    return armi_error_set(err, ARMI_CORRUPTION, "a range entry is malformed: %s", what);
}

static enum armi_status chunk_decode(struct armi_reader *r, const struct armi_range *range,
                                     struct armi_chunk_ref *out, struct armi_error *err)
{
    uint8_t kind, flags;
    const uint8_t *hash;
    uint64_t generation, footer_size, count;
    if (!armi_read_u8(r, &kind) || !armi_read_u8(r, &flags))
        return corrupt(err, "chunk reference");
    if (kind > ARMI_CHUNK_CATALOG || flags != 0)
        return armi_error_set(err, ARMI_UNSUPPORTED,
                              "a chunk of kind %u with flags %u needs a newer version",
                              kind, flags);
    if (!armi_read_span(r, ARMI_HASH_SIZE, &hash) || !armi_read_varint(r, &generation) ||
        !armi_read_varint(r, &out->file_size) || !armi_read_varint(r, &footer_size) ||
        !armi_read_varint(r, &out->file_row) || !armi_read_varint(r, &out->first) ||
        !armi_read_varint(r, &out->rows) || !armi_read_varint(r, &count))
        return corrupt(err, "chunk reference");
    if (out->file_size > ARMI_CHUNK_FILE_MAX || footer_size > ARMI_FOOTER_SIZE_MAX ||
        out->file_row > INT64_MAX / 2 || out->rows > INT64_MAX / 2 ||
        out->first > range->first || out->rows < range->rows ||
        range->first - out->first > out->rows - range->rows || count > range->column_count)
        return corrupt(err, "a chunk does not cover its range");
    out->kind = (enum armi_chunk_kind)kind;
    out->footer_size = (uint32_t)footer_size;
    memcpy(out->hash.bytes, hash, ARMI_HASH_SIZE);
    out->columns = armi_alloc_array(count, sizeof *out->columns);
    if (out->columns == NULL)
        return armi_error_no_memory(err);
    out->column_count = count;
    int32_t id = 0;
    for (size_t i = 0; i < count; i++) {
        if (!id_next(r, i == 0, &id) || armi_range_find(range, id) == NULL)
            return corrupt(err, "a chunk serves a column that the range lacks");
        out->columns[i] = id;
    }
    return ARMI_OK;
}

static enum armi_status sections_decode(struct armi_reader *r, struct armi_error *err)
{
    uint64_t count, tag;
    uint8_t must;
    struct armi_slice bytes;
    if (!armi_read_varint(r, &count))
        return corrupt(err, "sections");
    for (uint64_t i = 0; i < count; i++) {
        if (!armi_read_varint(r, &tag) || !armi_read_u8(r, &must) ||
            !armi_read_bytes(r, &bytes))
            return corrupt(err, "section");
        if (must != 0)
            return armi_error_set(err, ARMI_UNSUPPORTED,
                                  "a range section with tag %llu needs a newer version",
                                  (unsigned long long)tag);
    }
    return armi_reader_left(r) == 0 ? ARMI_OK : corrupt(err, "bytes behind its end");
}

static enum armi_status head_decode(struct armi_reader *r, struct armi_range *range,
                                    uint64_t *column_count, struct armi_error *err)
{
    uint8_t version;
    const uint8_t *id;
    if (!armi_read_u8(r, &version))
        return corrupt(err, "it is empty");
    if (version != RANGE_VERSION)
        return armi_error_set(err, ARMI_UNSUPPORTED,
                              "a range of format %u needs a newer version", version);
    if (!armi_read_span(r, ARMI_RANGE_ID_SIZE, &id) ||
        !armi_read_varint(r, &range->first) || !armi_read_varint(r, &range->rows) ||
        !armi_read_varint(r, &range->live) || !armi_read_varint(r, column_count))
        return corrupt(err, "head");
    if (range->first > INT64_MAX / 2 || range->rows > INT64_MAX / 2 ||
        range->live != range->rows ||
        *column_count > armi_reader_left(r) / (1 + ARMI_FINGERPRINT_SIZE))
        return corrupt(err, "counts");
    memcpy(range->id, id, ARMI_RANGE_ID_SIZE);
    return ARMI_OK;
}

enum armi_status armi_range_decode(const struct armi_tree_entry *entry,
                                   struct armi_range *out, struct armi_error *err)
{
    struct armi_reader r = armi_reader_init(entry->payload);
    struct armi_range range = ARMI_RANGE_INIT;
    uint64_t column_count = 0, chunk_count = 0;
    enum armi_status st = head_decode(&r, &range, &column_count, err);
    if (st != ARMI_OK)
        goto done;
    size_t room = column_count > entry->stats_count ? column_count : entry->stats_count;
    st = armi_range_alloc(&range, room, err);
    if (st != ARMI_OK)
        goto done;
    range.column_count = column_count;
    if (!columns_decode(&r, &range) || !armi_read_varint(&r, &chunk_count) ||
        chunk_count > ARMI_RANGE_CHUNKS_MAX) {
        st = corrupt(err, "columns");
        goto done;
    }
    for (size_t i = 0; i < chunk_count && st == ARMI_OK; i++) {
        range.chunk_count = i + 1;
        st = chunk_decode(&r, &range, &range.chunks[i], err);
    }
    if (st == ARMI_OK)
        st = sections_decode(&r, err);
    if (st != ARMI_OK)
        goto done;
    if (range.live != entry->rows) {
        st = corrupt(err, "its rows differ from the tree's");
        goto done;
    }
    range.bytes = entry->bytes;
    range.stats_count = entry->stats_count;
    if (entry->stats_count != 0)
        memcpy(range.stats, entry->stats, entry->stats_count * sizeof *range.stats);
    *out = range;
    return ARMI_OK;
done:
    armi_range_release(&range);
    return st;
}
