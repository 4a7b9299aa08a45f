#include "table/table_version.h"

#include <string.h>

#include "arrow/schema_codec.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "hash/blake3.h"
#include "base/bits.h"
#include "tree/tree_cursor.h"
#include "tree/tree_store.h"

#define VERSION_FORMAT  1
#define SETTINGS_FORMAT 1
#define SCHEMA_FORMAT   1
#define PENDING_FORMAT  1

/* ---- life ---- */

void armi_table_version_init(struct armi_table_version *version)
{
    memset(version, 0, sizeof *version);
    version->schema = (struct armi_field)ARMI_FIELD_INIT;
    version->settings.next_id = 1;
    armi_tree_root_init(&version->root, false);
}

void armi_table_version_release(struct armi_table_version *version)
{
    armi_field_release(&version->schema);
    armi_free(version->settings.key);
    armi_tree_root_release(&version->root);
    for (size_t i = 0; i < version->pending_count; i++)
        armi_range_release(&version->pending[i]);
    armi_table_version_init(version);
}

static enum armi_status settings_copy(const struct armi_table_settings *settings,
                                      struct armi_table_settings *out,
                                      struct armi_error *err)
{
    *out = *settings;
    out->key = NULL;
    if (settings->key_count == 0)
        return ARMI_OK;
    out->key = armi_alloc_array(settings->key_count, sizeof *out->key);
    if (out->key == NULL)
        return armi_error_no_memory(err);
    memcpy(out->key, settings->key, settings->key_count * sizeof *out->key);
    return ARMI_OK;
}

enum armi_status armi_table_version_copy(const struct armi_table_version *version,
                                         struct armi_table_version *out,
                                         struct armi_error *err)
{
    struct armi_table_version copy;
    armi_table_version_init(&copy);
    memcpy(copy.table_id, version->table_id, sizeof copy.table_id);
    memcpy(copy.content, version->content, sizeof copy.content);
    copy.rows = version->rows;
    copy.bytes = version->bytes;
    copy.ranges = version->ranges;
    enum armi_status st = armi_field_copy(&version->schema, &copy.schema, err);
    if (st == ARMI_OK)
        st = settings_copy(&version->settings, &copy.settings, err);
    if (st == ARMI_OK)
        st = armi_tree_root_copy(&version->root, &copy.root, err);
    for (size_t i = 0; i < version->pending_count && st == ARMI_OK; i++) {
        st = armi_range_copy(&version->pending[i], &copy.pending[i], err);
        if (st == ARMI_OK)
            copy.pending_count = i + 1;
    }
    if (st != ARMI_OK) {
        armi_table_version_release(&copy);
        return st;
    }
    *out = copy;
    return ARMI_OK;
}

const struct armi_field *armi_table_column(const struct armi_table_version *version,
                                           int32_t id)
{
    int64_t i = armi_field_find_id(&version->schema, id);
    return i < 0 ? NULL : &version->schema.children[i];
}

/* ---- settings ---- */

static enum armi_status settings_encode(const struct armi_table_settings *s,
                                        struct armi_buf *out, struct armi_error *err)
{
    ARMI_TRY(armi_buf_append_varint(out, (uint64_t)s->next_id, err));
    ARMI_TRY(armi_buf_append_varint(out, s->target_rows, err));
    ARMI_TRY(armi_buf_append_varint(out, s->anchor_count, err));
    for (size_t i = 0; i < s->anchor_count; i++)
        ARMI_TRY(armi_buf_append_varint(out, (uint64_t)s->anchors[i], err));
    ARMI_TRY(armi_buf_append_varint(out, s->key_count, err));
    for (size_t i = 0; i < s->key_count; i++)
        ARMI_TRY(armi_buf_append_varint(out, (uint64_t)s->key[i], err));
    return ARMI_OK;
}

static bool id_decode(struct armi_reader *r, int32_t *out)
{
    uint64_t v;
    if (!armi_read_varint(r, &v) || v > INT32_MAX)
        return false;
    *out = (int32_t)v;
    return true;
}

static enum armi_status settings_corrupt(struct armi_error *err)
{
    return armi_error_set(err, ARMI_CORRUPTION, "a table's settings are malformed");
}

static enum armi_status settings_decode(struct armi_slice bytes,
                                        struct armi_table_settings *out,
                                        struct armi_error *err)
{
    struct armi_reader r = armi_reader_init(bytes);
    struct armi_table_settings s = {0};
    uint64_t anchors, keys;
    if (!id_decode(&r, &s.next_id) || !armi_read_varint(&r, &s.target_rows) ||
        !armi_read_varint(&r, &anchors) || anchors > ARMI_ANCHORS_MAX)
        return settings_corrupt(err);
    s.anchor_count = anchors;
    for (size_t i = 0; i < anchors; i++)
        if (!id_decode(&r, &s.anchors[i]))
            return settings_corrupt(err);
    if (!armi_read_varint(&r, &keys) || keys > armi_reader_left(&r))
        return settings_corrupt(err);
    s.key = keys != 0 ? armi_alloc_array(keys, sizeof *s.key) : NULL;
    if (keys != 0 && s.key == NULL)
        return armi_error_no_memory(err);
    s.key_count = keys;
    bool whole = true;
    for (size_t i = 0; i < keys && whole; i++)
        whole = id_decode(&r, &s.key[i]);
    if (!whole || armi_reader_left(&r) != 0) {
        armi_free(s.key);
        return settings_corrupt(err);
    }
    *out = s;
    return ARMI_OK;
}

/* ---- a range as a node of its own: pending ---- */

/* What a tree entry keeps beside its payload, in front of it. */
static enum armi_status pending_encode(const struct armi_range *range,
                                       const struct armi_table_settings *settings,
                                       struct armi_buf *out, struct armi_error *err)
{
    struct armi_buf payload = {0};
    struct armi_tree_entry entry;
    enum armi_status st = armi_range_entry(range, settings->anchors, settings->anchor_count,
                                           &payload, &entry, err);
    if (st == ARMI_OK)
        st = armi_buf_append_varint(out, entry.rows, err);
    if (st == ARMI_OK)
        st = armi_buf_append_varint(out, entry.bytes, err);
    if (st == ARMI_OK)
        st = armi_buf_append_varint(out, entry.stats_count, err);
    for (size_t i = 0; i < entry.stats_count && st == ARMI_OK; i++) {
        const struct armi_tree_stats *s = &entry.stats[i];
        uint8_t head[7];
        armi_store32(head, (uint32_t)s->column);
        head[4] = s->flags;
        head[5] = s->min_size;
        head[6] = s->max_size;
        st = armi_buf_append(out, head, sizeof head, err);
        if (st == ARMI_OK)
            st = armi_buf_append(out, s->min, s->min_size, err);
        if (st == ARMI_OK)
            st = armi_buf_append(out, s->max, s->max_size, err);
        if (st == ARMI_OK)
            st = armi_buf_append_varint(out, s->null_count, err);
    }
    if (st == ARMI_OK)
        st = armi_buf_append(out, payload.data, payload.size, err);
    armi_buf_release(&payload);
    return st;
}

static bool stats_decode(struct armi_reader *r, struct armi_tree_stats *out)
{
    const uint8_t *head, *min, *max;
    if (!armi_read_span(r, 7, &head) || head[5] > ARMI_TREE_BOUND_MAX ||
        head[6] > ARMI_TREE_BOUND_MAX || armi_load32(head) > INT32_MAX ||
        !armi_read_span(r, head[5], &min) || !armi_read_span(r, head[6], &max) ||
        !armi_read_varint(r, &out->null_count))
        return false;
    out->column = (int32_t)armi_load32(head);
    out->flags = head[4];
    out->min_size = head[5];
    out->max_size = head[6];
    memcpy(out->min, min, head[5]);
    memcpy(out->max, max, head[6]);
    return true;
}

static enum armi_status pending_corrupt(struct armi_error *err)
{
    return armi_error_set(err, ARMI_CORRUPTION, "a pending range is malformed");
}

static enum armi_status pending_decode(struct armi_slice bytes, struct armi_range *out,
                                       struct armi_error *err)
{
    struct armi_reader r = armi_reader_init(bytes);
    struct armi_tree_stats stats[ARMI_TREE_STATS_MAX] = {0};
    struct armi_tree_entry entry = {.stats = stats};
    uint64_t count;
    if (!armi_read_varint(&r, &entry.rows) || !armi_read_varint(&r, &entry.bytes) ||
        !armi_read_varint(&r, &count) || count > ARMI_TREE_STATS_MAX)
        return pending_corrupt(err);
    for (size_t i = 0; i < count; i++)
        if (!stats_decode(&r, &stats[i]))
            return pending_corrupt(err);
    entry.stats_count = count;
    entry.payload = (struct armi_slice){r.pos, armi_reader_left(&r)};
    return armi_range_decode(&entry, out, err);
}

/* ---- the version node ---- */

static enum armi_status put_node(struct armi_node_set *set, enum armi_node_type type,
                                 unsigned format, struct armi_slice payload,
                                 struct armi_hash *name, struct armi_error *err)
{
    struct armi_buf framed = {0};
    enum armi_status st = armi_node_wrap(type, format, payload, &framed, err);
    if (st == ARMI_OK)
        st = armi_node_set_put(set, type, armi_buf_slice(&framed), name, err);
    armi_buf_release(&framed);
    return st;
}

static enum armi_status version_encode(const struct armi_table_version *version,
                                       const struct armi_table_version_nodes *nodes,
                                       struct armi_buf *out, struct armi_error *err)
{
    struct armi_buf root = {0};
    ARMI_TRY(armi_buf_append(out, version->table_id, ARMI_TABLE_ID_SIZE, err));
    ARMI_TRY(armi_buf_append(out, nodes->schema.bytes, ARMI_HASH_SIZE, err));
    ARMI_TRY(armi_buf_append(out, nodes->settings.bytes, ARMI_HASH_SIZE, err));
    ARMI_TRY(armi_buf_append(out, version->content, sizeof version->content, err));
    ARMI_TRY(armi_buf_append_varint(out, version->rows, err));
    ARMI_TRY(armi_buf_append_varint(out, version->bytes, err));
    ARMI_TRY(armi_buf_append_varint(out, version->ranges, err));
    enum armi_status st = armi_tree_root_encode(&version->root, &root, err);
    if (st == ARMI_OK)
        st = armi_buf_append_bytes(out, root.data, root.size, err);
    armi_buf_release(&root);
    ARMI_TRY(st);
    ARMI_TRY(armi_buf_append_varint(out, nodes->pending_count, err));
    for (size_t i = 0; i < nodes->pending_count; i++)
        ARMI_TRY(armi_buf_append(out, nodes->pending[i].bytes, ARMI_HASH_SIZE, err));
    return armi_buf_append_varint(out, 0, err); /* sections */
}

enum armi_status armi_table_version_save(const struct armi_table_version *version,
                                         struct armi_node_set *set, struct armi_hash *name,
                                         struct armi_error *err)
{
    struct armi_table_version_nodes nodes = {.pending_count = version->pending_count};
    struct armi_buf bytes = {0};
    enum armi_status st = armi_schema_encode(&version->schema, &bytes, err);
    if (st == ARMI_OK)
        st = put_node(set, ARMI_NODE_SCHEMA, SCHEMA_FORMAT, armi_buf_slice(&bytes),
                      &nodes.schema, err);
    armi_buf_clear(&bytes);
    if (st == ARMI_OK)
        st = settings_encode(&version->settings, &bytes, err);
    if (st == ARMI_OK)
        st = put_node(set, ARMI_NODE_SETTINGS, SETTINGS_FORMAT, armi_buf_slice(&bytes),
                      &nodes.settings, err);
    for (size_t i = 0; i < version->pending_count && st == ARMI_OK; i++) {
        armi_buf_clear(&bytes);
        st = pending_encode(&version->pending[i], &version->settings, &bytes, err);
        if (st == ARMI_OK)
            st = put_node(set, ARMI_NODE_PENDING, PENDING_FORMAT, armi_buf_slice(&bytes),
                          &nodes.pending[i], err);
    }
    armi_buf_clear(&bytes);
    if (st == ARMI_OK)
        st = version_encode(version, &nodes, &bytes, err);
    if (st == ARMI_OK)
        st = put_node(set, ARMI_NODE_TABLE_VERSION, VERSION_FORMAT, armi_buf_slice(&bytes),
                      name, err);
    armi_buf_release(&bytes);
    return st;
}

static bool hash_read(struct armi_reader *r, struct armi_hash *out)
{
    const uint8_t *p;
    if (!armi_read_span(r, ARMI_HASH_SIZE, &p))
        return false;
    memcpy(out->bytes, p, ARMI_HASH_SIZE);
    return true;
}

static enum armi_status corrupt(struct armi_error *err, const char *what)
{
    return armi_error_set(err, ARMI_CORRUPTION, "a table version is malformed: %s", what);
}

static enum armi_status version_sections(struct armi_reader *r, struct armi_error *err)
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
                                  "a table version's section %llu needs a newer version",
                                  (unsigned long long)tag);
    }
    return armi_reader_left(r) == 0 ? ARMI_OK : corrupt(err, "bytes behind its end");
}

/* Everything but the nodes that it names; `out` was initialised and is the caller's to release. */
static enum armi_status version_decode(struct armi_slice bytes,
                                       struct armi_table_version *out,
                                       struct armi_table_version_nodes *nodes,
                                       struct armi_error *err)
{
    struct armi_reader r = armi_reader_init(bytes);
    const uint8_t *id, *content;
    struct armi_slice root;
    uint64_t pending;
    if (!armi_read_span(&r, ARMI_TABLE_ID_SIZE, &id) || !hash_read(&r, &nodes->schema) ||
        !hash_read(&r, &nodes->settings) || !armi_read_span(&r, 32, &content) ||
        !armi_read_varint(&r, &out->rows) || !armi_read_varint(&r, &out->bytes) ||
        !armi_read_varint(&r, &out->ranges) || !armi_read_bytes(&r, &root) ||
        !armi_read_varint(&r, &pending) || pending > ARMI_PENDING_MAX)
        return corrupt(err, "head");
    memcpy(out->table_id, id, ARMI_TABLE_ID_SIZE);
    memcpy(out->content, content, sizeof out->content);
    nodes->pending_count = pending;
    for (size_t i = 0; i < pending; i++)
        if (!hash_read(&r, &nodes->pending[i]))
            return corrupt(err, "pending ranges");
    ARMI_TRY(version_sections(&r, err));
    return armi_tree_root_decode(root, false, &out->root, err);
}

static enum armi_status get_payload(const struct armi_node_source *source,
                                    enum armi_node_type type, unsigned format,
                                    const struct armi_hash *name, struct armi_buf *bytes,
                                    struct armi_slice *payload, struct armi_error *err)
{
    ARMI_TRY(armi_node_get(source, type, name, bytes, err));
    return armi_node_unwrap(name, type, format, armi_buf_slice(bytes), payload, NULL, err);
}

static enum armi_status version_load_parts(const struct armi_node_source *source,
                                           const struct armi_table_version_nodes *nodes,
                                           struct armi_buf *bytes,
                                           struct armi_table_version *version,
                                           struct armi_error *err)
{
    struct armi_slice payload;
    ARMI_TRY(get_payload(source, ARMI_NODE_SCHEMA, SCHEMA_FORMAT, &nodes->schema, bytes,
                         &payload, err));
    ARMI_TRY(armi_schema_decode(payload, &version->schema, err));
    if (version->schema.type != ARMI_TYPE_STRUCT)
        return corrupt(err, "its schema is no struct");
    ARMI_TRY(get_payload(source, ARMI_NODE_SETTINGS, SETTINGS_FORMAT, &nodes->settings,
                         bytes, &payload, err));
    ARMI_TRY(settings_decode(payload, &version->settings, err));
    for (size_t i = 0; i < nodes->pending_count; i++) {
        ARMI_TRY(get_payload(source, ARMI_NODE_PENDING, PENDING_FORMAT, &nodes->pending[i],
                             bytes, &payload, err));
        ARMI_TRY(pending_decode(payload, &version->pending[i], err));
        version->pending_count = i + 1;
    }
    return ARMI_OK;
}

enum armi_status armi_table_version_load(const struct armi_node_source *source,
                                         const struct armi_hash *name,
                                         struct armi_table_version *out,
                                         struct armi_error *err)
{
    struct armi_table_version version;
    struct armi_table_version_nodes nodes = {0};
    struct armi_buf bytes = {0};
    struct armi_slice payload;
    armi_table_version_init(&version);
    enum armi_status st = get_payload(source, ARMI_NODE_TABLE_VERSION, VERSION_FORMAT, name,
                                      &bytes, &payload, err);
    if (st == ARMI_OK)
        st = version_decode(payload, &version, &nodes, err);
    if (st == ARMI_OK)
        st = version_load_parts(source, &nodes, &bytes, &version, err);
    armi_buf_release(&bytes);
    if (st != ARMI_OK) {
        armi_table_version_release(&version);
        return st;
    }
    *out = version;
    return ARMI_OK;
}

enum armi_status armi_table_version_nodes(const struct armi_node_source *source,
                                          const struct armi_hash *name,
                                          struct armi_table_version_nodes *out,
                                          struct armi_error *err)
{
    struct armi_table_version version;
    struct armi_buf bytes = {0};
    struct armi_slice payload;
    armi_table_version_init(&version);
    enum armi_status st = get_payload(source, ARMI_NODE_TABLE_VERSION, VERSION_FORMAT, name,
                                      &bytes, &payload, err);
    if (st == ARMI_OK)
        st = version_decode(payload, &version, out, err);
    armi_buf_release(&bytes);
    armi_table_version_release(&version);
    return st;
}

/* ---- totals and lists ---- */

enum armi_status armi_table_version_total(struct armi_table_version *version,
                                          struct armi_error *err)
{
    struct armi_blake3 hasher;
    struct armi_hash hash;
    struct armi_buf schema = {0};
    ARMI_TRY(armi_schema_encode(&version->schema, &schema, err));
    armi_blake3_init_derive_key(&hasher, "armillaria 1 table content");
    uint8_t size[8];
    armi_store64(size, schema.size);
    armi_blake3_update(&hasher, size, sizeof size);
    armi_blake3_update(&hasher, schema.data, schema.size);
    armi_buf_release(&schema);
    armi_blake3_update(&hasher, version->root.logical, ARMI_TREE_LOGICAL_SIZE);
    version->rows = version->root.rows;
    version->bytes = version->root.bytes;
    version->ranges = version->root.entries + version->pending_count;
    for (size_t i = 0; i < version->pending_count; i++) {
        uint8_t logical[20];
        armi_range_logical(&version->pending[i], logical);
        armi_blake3_update(&hasher, logical, sizeof logical);
        version->rows += version->pending[i].live;
        version->bytes += version->pending[i].bytes;
    }
    armi_blake3_finalize(&hasher, &hash);
    memcpy(version->content, hash.bytes, sizeof version->content);
    return ARMI_OK;
}

void armi_range_array_release(struct armi_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        armi_range_release(&ranges[i]);
    armi_free(ranges);
}

enum armi_status armi_table_version_ranges(const struct armi_node_source *source,
                                           const struct armi_table_version *version,
                                           struct armi_range **out, size_t *count,
                                           struct armi_error *err)
{
    struct armi_tree_store store;
    struct armi_tree_cursor *cursor = NULL;
    armi_tree_store_init(&store, source);
    struct armi_tree tree = armi_tree_store_ranges(&store);
    size_t total = version->root.entries + version->pending_count, n = 0;
    struct armi_range *ranges = armi_alloc_zero(total, sizeof *ranges);
    if (ranges == NULL)
        return armi_error_no_memory(err);
    enum armi_status st = armi_tree_cursor_new(&tree, &version->root, &cursor, err);
    if (st == ARMI_OK)
        st = armi_tree_cursor_seek_first(cursor, err);
    while (st == ARMI_OK && armi_tree_cursor_valid(cursor) && n < total) {
        st = armi_range_decode(armi_tree_cursor_entry(cursor), &ranges[n], err);
        if (st == ARMI_OK) {
            n++;
            st = armi_tree_cursor_next(cursor, err);
        }
    }
    for (size_t i = 0; i < version->pending_count && st == ARMI_OK; i++) {
        st = armi_range_copy(&version->pending[i], &ranges[n], err);
        if (st == ARMI_OK)
            n++;
    }
    armi_tree_cursor_free(cursor);
    if (st != ARMI_OK) {
        armi_range_array_release(ranges, n);
        return st;
    }
    *out = ranges;
    *count = n;
    return ARMI_OK;
}
