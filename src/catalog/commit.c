/*
 * The encoding of commits. Canonical: one commit has one encoding, and the decoder refuses every other
 * spelling, so that equal ids and equal commits are the same thing. docs/format/commit.md tells every
 * byte; both directions stand here side by side and follow the same order:
 *
 *     flags, depth, parents, [skip], time, clock, txid, author, message, metadata, tables, ops
 */
#include "catalog/commit.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

#define COMMIT_VERSION 1
#define COMMIT_FLAGS   ((uint32_t)ARMI_COMMIT_LAYOUT_ONLY)

enum { TABLES_INLINE = 0, TABLES_ROOT_LEAF = 1, TABLES_ROOT_INNER = 2 };
enum { OP_HAS_OLD = 1, OP_HAS_NEW = 2, OP_HAS_OLD_NAME = 4 };

/* The shortest pair and the shortest operation: counts from disk are held against them. */
#define PAIR_SIZE_MIN 2
#define OP_SIZE_MIN   7

struct commit_owned {
    struct armi_commit_pair *pairs;
    struct armi_commit_op *ops;
    uint8_t bytes[];
};

/*
 * The greedy skew-binary form of depth is a sum of terms 2^k - 1, largest first; the pointer jumps over
 * the last, smallest term. Two jumps then cover what one longer would, and any distance is O(log n).
 */
uint64_t armi_commit_skip_depth(uint64_t depth)
{
    uint64_t rest = depth, term = 0;
    while (rest != 0) {
        term = UINT64_MAX >> __builtin_clzll(rest); /* 2^k - 1 >= rest */
        if (term > rest)
            term >>= 1;
        rest -= term;
    }
    return depth - term;
}

static bool skip_is_stored(uint64_t depth)
{
    return depth > 0 && armi_commit_skip_depth(depth) != depth - 1;
}

static uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t v)
{
    uint64_t u = (v >> 1) ^ (0 - (v & 1));
    int64_t out;
    memcpy(&out, &u, sizeof out);
    return out;
}

static enum armi_status invalid(struct armi_error *err, const char *what)
{
    return armi_error_set(err, ARMI_INVALID, "commit: %s", what);
}

static enum armi_status op_check(const struct armi_commit_op *op, struct armi_error *err)
{
    if (op->table.size == 0 || op->table.size > ARMI_NAME_SIZE_MAX ||
        op->old_name.size > ARMI_NAME_SIZE_MAX)
        return invalid(err, "a table name is empty or longer than 255 bytes");
    if (op->old_version == 0 && op->new_version == 0)
        return invalid(err, "an operation on a table that is neither before nor after it");
    return ARMI_OK;
}

static enum armi_status commit_check(const struct armi_commit *c, struct armi_error *err)
{
    size_t metadata_size = 0;

    if ((c->flags & ~COMMIT_FLAGS) != 0)
        return invalid(err, "unknown flags");
    if (c->parents_count > ARMI_PARENTS_MAX)
        return armi_error_set(err, ARMI_LIMIT, "commit: %zu parents, the limit is %d",
                              c->parents_count, ARMI_PARENTS_MAX);
    if ((c->parents_count == 0) != (c->depth == 0))
        return invalid(err, "its depth does not fit its parents");
    if (c->author.size > ARMI_NAME_SIZE_MAX)
        return armi_error_set(err, ARMI_LIMIT, "author of %zu bytes: the limit is %d",
                              c->author.size, ARMI_NAME_SIZE_MAX);
    if (c->message.size > ARMI_MESSAGE_SIZE_MAX)
        return armi_error_set(err, ARMI_LIMIT, "message of %zu bytes: the limit is 64 KiB",
                              c->message.size);
    for (size_t i = 0; i < c->metadata_count; i++) {
        const struct armi_commit_pair *p = &c->metadata[i];
        if (p->key.size > ARMI_METADATA_SIZE_MAX || p->value.size > ARMI_METADATA_SIZE_MAX)
            metadata_size = ARMI_METADATA_SIZE_MAX + 1;
        else
            metadata_size += p->key.size + p->value.size;
        if (metadata_size > ARMI_METADATA_SIZE_MAX)
            return armi_error_set(err, ARMI_LIMIT,
                                  "metadata of a commit: the limit is 64 KiB");
        if (i > 0 && armi_slice_compare(p[-1].key, p->key) >= 0)
            return invalid(err, "metadata keys are not ascending");
    }
    if (c->tables.is_inline && c->tables.bytes.size > ARMI_TABLES_INLINE_MAX)
        return invalid(err, "a tables map of more than 512 bytes is inline");
    for (size_t i = 0; i < c->ops_count; i++) {
        ARMI_TRY(op_check(&c->ops[i], err));
        if (i > 0 && armi_slice_compare(c->ops[i - 1].table, c->ops[i].table) >= 0)
            return invalid(err, "operations are not ascending by table name");
    }
    return ARMI_OK;
}

static enum armi_status put_slice(struct armi_buf *out, struct armi_slice s,
                                  struct armi_error *err)
{
    return armi_buf_append_bytes(out, s.data, s.size, err);
}

static enum armi_status put_hash(struct armi_buf *out, const struct armi_hash *h,
                                 struct armi_error *err)
{
    return armi_buf_append(out, h->bytes, sizeof h->bytes, err);
}

static enum armi_status put_head(const struct armi_commit *c, struct armi_buf *out,
                                 struct armi_error *err)
{
    ARMI_TRY(armi_buf_append_varint(out, c->flags, err));
    ARMI_TRY(armi_buf_append_varint(out, c->depth, err));
    ARMI_TRY(armi_buf_append_varint(out, c->parents_count, err));
    for (size_t i = 0; i < c->parents_count; i++)
        ARMI_TRY(put_hash(out, &c->parents[i], err));
    if (skip_is_stored(c->depth))
        ARMI_TRY(put_hash(out, &c->skip, err));
    int64_t ahead = (int64_t)((uint64_t)c->time_us - (uint64_t)c->clock_us);
    ARMI_TRY(armi_buf_append_u64(out, (uint64_t)c->time_us, err));
    ARMI_TRY(armi_buf_append_varint(out, zigzag(ahead), err));
    ARMI_TRY(armi_buf_append(out, c->txid, sizeof c->txid, err));
    ARMI_TRY(put_slice(out, c->author, err));
    ARMI_TRY(put_slice(out, c->message, err));
    ARMI_TRY(armi_buf_append_varint(out, c->metadata_count, err));
    for (size_t i = 0; i < c->metadata_count; i++) {
        ARMI_TRY(put_slice(out, c->metadata[i].key, err));
        ARMI_TRY(put_slice(out, c->metadata[i].value, err));
    }
    return ARMI_OK;
}

static enum armi_status put_tables(const struct armi_commit_tables *t, struct armi_buf *out,
                                   struct armi_error *err)
{
    uint8_t form = t->is_inline ? TABLES_INLINE
                                : (t->root_is_leaf ? TABLES_ROOT_LEAF : TABLES_ROOT_INNER);
    ARMI_TRY(armi_buf_append_u8(out, form, err));
    return t->is_inline ? put_slice(out, t->bytes, err) : put_hash(out, &t->root, err);
}

static enum armi_status put_op_side(uint64_t version, const struct armi_hash *node,
                                    uint64_t rows, struct armi_buf *out,
                                    struct armi_error *err)
{
    if (version == 0)
        return ARMI_OK;
    ARMI_TRY(armi_buf_append_varint(out, version, err));
    ARMI_TRY(put_hash(out, node, err));
    return armi_buf_append_varint(out, rows, err);
}

static enum armi_status put_op(const struct armi_commit_op *op, struct armi_buf *out,
                               struct armi_error *err)
{
    uint8_t has = (uint8_t)((op->old_version != 0 ? OP_HAS_OLD : 0) |
                            (op->new_version != 0 ? OP_HAS_NEW : 0) |
                            (op->old_name.size != 0 ? OP_HAS_OLD_NAME : 0));
    ARMI_TRY(armi_buf_append_u8(out, op->kind, err));
    ARMI_TRY(armi_buf_append_u8(out, has, err));
    ARMI_TRY(put_slice(out, op->table, err));
    if (op->old_name.size != 0)
        ARMI_TRY(put_slice(out, op->old_name, err));
    ARMI_TRY(put_op_side(op->old_version, &op->old_node, op->old_rows, out, err));
    ARMI_TRY(put_op_side(op->new_version, &op->new_node, op->new_rows, out, err));
    ARMI_TRY(armi_buf_append_varint(out, op->rows_added, err));
    ARMI_TRY(armi_buf_append_varint(out, op->rows_removed, err));
    return armi_buf_append_varint(out, op->rows_changed, err);
}

enum armi_status armi_commit_encode(const struct armi_commit *commit, struct armi_buf *out,
                                    struct armi_error *err)
{
    struct armi_buf bytes;
    enum armi_status status;

    ARMI_TRY(commit_check(commit, err));
    armi_buf_init(&bytes, ARMI_NODE_SIZE_MAX);
    status = armi_node_begin(ARMI_NODE_COMMIT, COMMIT_VERSION, &bytes, err);
    if (status == ARMI_OK)
        status = put_head(commit, &bytes, err);
    if (status == ARMI_OK)
        status = put_tables(&commit->tables, &bytes, err);
    if (status == ARMI_OK)
        status = armi_buf_append_varint(&bytes, commit->ops_count, err);
    for (size_t i = 0; i < commit->ops_count && status == ARMI_OK; i++)
        status = put_op(&commit->ops[i], &bytes, err);
    if (status == ARMI_OK)
        armi_buf_swap(out, &bytes);
    armi_buf_release(&bytes);
    return status;
}

/* Decoding: each helper returns false where bytes are missing or not the canonical spelling. */

static bool read_hash(struct armi_reader *r, struct armi_hash *out)
{
    const uint8_t *p;
    if (!armi_read_span(r, sizeof out->bytes, &p))
        return false;
    memcpy(out->bytes, p, sizeof out->bytes);
    return true;
}

static bool read_count(struct armi_reader *r, size_t size_min, size_t *out)
{
    uint64_t n;
    if (!armi_read_varint(r, &n) || n > armi_reader_left(r) / size_min)
        return false;
    *out = (size_t)n;
    return true;
}

static bool read_head(struct armi_reader *r, struct armi_commit *c)
{
    uint64_t flags, parents, time, ahead;
    const uint8_t *p;

    if (!armi_read_varint(r, &flags) || !armi_read_varint(r, &c->depth) ||
        !armi_read_varint(r, &parents) || (flags & ~(uint64_t)COMMIT_FLAGS) != 0 ||
        parents > ARMI_PARENTS_MAX || (parents == 0) != (c->depth == 0))
        return false;
    c->flags = (uint32_t)flags;
    c->parents_count = (size_t)parents;
    if (!armi_read_span(r, c->parents_count * sizeof *c->parents, &p))
        return false;
    c->parents =
        (const struct armi_hash *)(const void *)p; /* an array of bytes: any alignment */
    if (skip_is_stored(c->depth)) {
        if (!read_hash(r, &c->skip))
            return false;
    } else if (c->depth > 0) {
        c->skip = c->parents[0];
    }
    if (!armi_read_u64(r, &time) || !armi_read_varint(r, &ahead) ||
        !armi_read_span(r, sizeof c->txid, &p))
        return false;
    memcpy(c->txid, p, sizeof c->txid);
    memcpy(&c->time_us, &time, sizeof time);
    time -= (uint64_t)unzigzag(ahead);
    memcpy(&c->clock_us, &time, sizeof time);
    return armi_read_bytes(r, &c->author) && armi_read_bytes(r, &c->message);
}

static bool read_tables(struct armi_reader *r, struct armi_commit_tables *t)
{
    uint8_t form;
    if (!armi_read_u8(r, &form) || form > TABLES_ROOT_INNER)
        return false;
    t->is_inline = form == TABLES_INLINE;
    t->root_is_leaf = form == TABLES_ROOT_LEAF;
    return t->is_inline ? armi_read_bytes(r, &t->bytes) : read_hash(r, &t->root);
}

static bool read_op_side(struct armi_reader *r, uint64_t *version, struct armi_hash *node,
                         uint64_t *rows)
{
    return armi_read_varint(r, version) && *version != 0 && read_hash(r, node) &&
           armi_read_varint(r, rows);
}

static bool read_op(struct armi_reader *r, struct armi_commit_op *op)
{
    uint8_t has;
    memset(op, 0, sizeof *op);
    if (!armi_read_u8(r, &op->kind) || !armi_read_u8(r, &has) ||
        (has & ~(OP_HAS_OLD | OP_HAS_NEW | OP_HAS_OLD_NAME)) != 0 ||
        !armi_read_bytes(r, &op->table))
        return false;
    if ((has & OP_HAS_OLD_NAME) &&
        (!armi_read_bytes(r, &op->old_name) || op->old_name.size == 0))
        return false;
    if ((has & OP_HAS_OLD) &&
        !read_op_side(r, &op->old_version, &op->old_node, &op->old_rows))
        return false;
    if ((has & OP_HAS_NEW) &&
        !read_op_side(r, &op->new_version, &op->new_node, &op->new_rows))
        return false;
    return armi_read_varint(r, &op->rows_added) && armi_read_varint(r, &op->rows_removed) &&
           armi_read_varint(r, &op->rows_changed);
}

/* *well_formed says whether the bytes were right; the status, whether memory was there. */
static enum armi_status read_lists(struct armi_reader *r, struct armi_commit *c,
                                   struct commit_owned *owned, bool *well_formed,
                                   struct armi_error *err)
{
    *well_formed = false;
    if (!read_count(r, PAIR_SIZE_MIN, &c->metadata_count))
        return ARMI_OK;
    owned->pairs = armi_alloc_zero(c->metadata_count, sizeof *owned->pairs);
    if (owned->pairs == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < c->metadata_count; i++)
        if (!armi_read_bytes(r, &owned->pairs[i].key) ||
            !armi_read_bytes(r, &owned->pairs[i].value))
            return ARMI_OK;
    c->metadata = owned->pairs;
    if (!read_tables(r, &c->tables) || !read_count(r, OP_SIZE_MIN, &c->ops_count))
        return ARMI_OK;
    owned->ops = armi_alloc_zero(c->ops_count, sizeof *owned->ops);
    if (owned->ops == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < c->ops_count; i++)
        if (!read_op(r, &owned->ops[i]))
            return ARMI_OK;
    c->ops = owned->ops;
    *well_formed = armi_reader_left(r) == 0;
    return ARMI_OK;
}

enum armi_status armi_commit_decode(const struct armi_hash *name, struct armi_slice bytes,
                                    struct armi_commit *out, struct armi_error *err)
{
    struct armi_slice payload;
    struct armi_commit c = {0};
    bool well_formed = false;

    ARMI_TRY(armi_node_unwrap(name, ARMI_NODE_COMMIT, COMMIT_VERSION, bytes, &payload, NULL,
                              err));
    struct commit_owned *owned = armi_alloc(sizeof *owned + payload.size);
    if (owned == NULL)
        return armi_error_no_memory(err);
    owned->pairs = NULL;
    owned->ops = NULL;
    memcpy(owned->bytes, payload.data, payload.size);
    c.owned = owned;

    struct armi_reader r =
        armi_reader_init((struct armi_slice){owned->bytes, payload.size});
    enum armi_status status = ARMI_OK;
    if (read_head(&r, &c))
        status = read_lists(&r, &c, owned, &well_formed, err);
    if (status == ARMI_OK && (!well_formed || commit_check(&c, NULL) != ARMI_OK)) {
        char hex[ARMI_HASH_HEX_SIZE];
        armi_hash_format(name, hex);
        status = armi_error_object(err, ARMI_CORRUPTION, "commit", hex,
                                   "commit %s: its bytes are not a commit", hex);
    }
    if (status != ARMI_OK) {
        armi_commit_release(&c);
        return status;
    }
    *out = c;
    return ARMI_OK;
}

void armi_commit_release(struct armi_commit *commit)
{
    struct commit_owned *owned = commit->owned;
    if (owned != NULL) {
        armi_free(owned->pairs);
        armi_free(owned->ops);
        armi_free(owned);
    }
    memset(commit, 0, sizeof *commit);
}
