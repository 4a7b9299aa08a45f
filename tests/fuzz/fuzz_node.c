/*
 * Any bytes as the payload of a metadata object, chosen by byte 0: a commit, a range, a table
 * version with the nodes that it names, a tables map, FORMAT, a name. Refused or decoded, never
 * wrong in memory; what decodes is the only encoding of what it decodes to.
 */
#include "fuzz.h"

#include <string.h>

#include <armillaria/ref.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "catalog/commit.h"
#include "catalog/format_file.h"
#include "repo/repo_internal.h"
#include "table/range.h"
#include "table/table_version.h"

static void commit_run(struct armi_slice payload)
{
    struct armi_buf bytes = {0}, again = {0};
    struct armi_hash name;
    struct armi_commit commit;
    if (armi_node_wrap(ARMI_NODE_COMMIT, 1, payload, &bytes, NULL) == ARMI_OK) {
        armi_node_name(ARMI_NODE_COMMIT, armi_buf_slice(&bytes), &name);
        if (armi_commit_decode(&name, armi_buf_slice(&bytes), &commit, NULL) == ARMI_OK) {
            FUZZ_CHECK(armi_commit_encode(&commit, &again, NULL) == ARMI_OK);
            FUZZ_CHECK(armi_slice_equal(armi_buf_slice(&bytes), armi_buf_slice(&again)));
            armi_commit_release(&commit);
        }
    }
    armi_buf_release(&bytes);
    armi_buf_release(&again);
}

/* The first four bytes are the rows that the tree says it has. */
static void range_run(struct armi_slice payload)
{
    struct armi_range range;
    struct armi_tree_entry entry, again;
    struct armi_buf bytes = {0};
    if (payload.size < 4)
        return;
    entry = (struct armi_tree_entry){.payload = {payload.data + 4, payload.size - 4},
                                     .rows = armi_load32(payload.data)};
    if (armi_range_decode(&entry, &range, NULL) != ARMI_OK)
        return;
    for (size_t i = 0; i < range.column_count; i++)
        (void)armi_range_chunk(&range, range.columns[i].id);
    FUZZ_CHECK(armi_range_entry(&range, NULL, 0, &bytes, &again, NULL) == ARMI_OK);
    armi_range_release(&range);
    armi_buf_release(&bytes);
}

static struct armi_slice piece_take(struct armi_reader *r)
{
    const uint8_t *length, *bytes;
    if (!armi_read_span(r, 2, &length))
        return (struct armi_slice){NULL, 0};
    size_t want = armi_load16(length), left = armi_reader_left(r);
    want = want < left ? want : left;
    return armi_read_span(r, want, &bytes) ? (struct armi_slice){bytes, want}
                                           : (struct armi_slice){NULL, 0};
}

static void node_put(struct armi_node_set *set, enum armi_node_type type,
                     struct armi_slice payload, struct armi_hash *name)
{
    struct armi_buf bytes = {0};
    FUZZ_CHECK(armi_node_wrap(type, 1, payload, &bytes, NULL) == ARMI_OK);
    FUZZ_CHECK(armi_node_set_put(set, type, armi_buf_slice(&bytes), name, NULL) == ARMI_OK);
    armi_buf_release(&bytes);
}

/* Pieces: schema, settings, one pending range; what is left is the version behind its hashes. */
static void version_run(struct armi_slice payload)
{
    struct armi_reader r = armi_reader_init(payload);
    struct armi_node_set set;
    struct armi_hash schema, settings, pending, name;
    struct armi_buf bytes = {0};
    struct armi_table_version version;
    armi_node_set_init(&set, NULL);
    node_put(&set, ARMI_NODE_SCHEMA, piece_take(&r), &schema);
    node_put(&set, ARMI_NODE_SETTINGS, piece_take(&r), &settings);
    node_put(&set, ARMI_NODE_PENDING, piece_take(&r), &pending);
    FUZZ_CHECK(armi_buf_append(&bytes, "0123456789abcdef", 16, NULL) == ARMI_OK);
    FUZZ_CHECK(armi_buf_append(&bytes, schema.bytes, ARMI_HASH_SIZE, NULL) == ARMI_OK);
    FUZZ_CHECK(armi_buf_append(&bytes, settings.bytes, ARMI_HASH_SIZE, NULL) == ARMI_OK);
    FUZZ_CHECK(armi_buf_append(&bytes, r.pos, armi_reader_left(&r), NULL) == ARMI_OK);
    /* A pending range's name cannot be guessed: a marker in the bytes stands for it. */
    for (size_t i = 0; i + ARMI_HASH_SIZE <= bytes.size; i++)
        if (memcmp(bytes.data + i, "PENDINGPENDING", 14) == 0)
            memcpy(bytes.data + i, pending.bytes, ARMI_HASH_SIZE);
    node_put(&set, ARMI_NODE_TABLE_VERSION, armi_buf_slice(&bytes), &name);
    struct armi_node_source source = armi_node_set_source(&set);
    if (armi_table_version_load(&source, &name, &version, NULL) == ARMI_OK) {
        struct armi_range *ranges;
        size_t count;
        if (version.root.entries < 1000 &&
            armi_table_version_ranges(&source, &version, &ranges, &count, NULL) == ARMI_OK)
            armi_range_array_release(ranges, count);
        struct armi_hash again;
        FUZZ_CHECK(armi_table_version_save(&version, &set, &again, NULL) == ARMI_OK);
        armi_table_version_release(&version);
    }
    armi_buf_release(&bytes);
    armi_node_set_release(&set);
}

static void tables_run(struct armi_slice payload)
{
    const struct armi_commit commit = {.tables = {.is_inline = true, .bytes = payload}};
    struct armi_node_set set;
    struct armi_tree_root root;
    struct armi_table_entry *entries;
    size_t count;
    armi_node_set_init(&set, NULL);
    struct armi_node_source source = armi_node_set_source(&set);
    if (payload.size <= ARMI_TABLES_INLINE_MAX &&
        armi_tables_open(&source, &commit, &root, NULL) == ARMI_OK) {
        if (root.is_inline &&
            armi_tables_list(&source, &root, &entries, &count, NULL) == ARMI_OK)
            armi_free(entries);
        armi_tree_root_release(&root);
    }
    armi_node_set_release(&set);
}

static void format_run(struct armi_slice payload)
{
    struct armi_format format;
    (void)armi_format_decode(payload, &format, NULL);
}

static void name_run(struct armi_slice payload)
{
    char name[600];
    size_t size = payload.size < sizeof name - 1 ? payload.size : sizeof name - 1;
    if (size != 0)
        memcpy(name, payload.data, size);
    name[size] = '\0';
    if (armi_table_name_problem(name) == NULL)
        FUZZ_CHECK(strlen(name) <= 255 && strpbrk(name, "/\\@\"\n") == NULL);
    if (armi_ref_name_problem(name) == NULL)
        FUZZ_CHECK(strlen(name) <= 255 && strstr(name, "..") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const runs[])(struct armi_slice) = {commit_run, range_run,  version_run,
                                                      tables_run, format_run, name_run};
    if (size > 0)
        runs[data[0] % (sizeof runs / sizeof runs[0])](
            (struct armi_slice){data + 1, size - 1});
    return 0;
}
