/*
 * The tree of nodes behind a fingerprint, made after the type, and the record that it is read out
 * as. Rows come in through fingerprint_update.c. docs/format/fingerprint.md is the specification:
 * nothing here or there may change a fingerprint without another context string.
 */
#include "arrow/fingerprint.h"

#include "arrow/column_internal.h"
#include "arrow/fingerprint_internal.h"
#include "base/alloc.h"

#define FINGERPRINT_CONTEXT "armillaria column fingerprint 1"

/* ---- the type's bytes ---- */

static enum armi_status tag_append_text(struct armi_buf *tag, const char *text,
                                        struct armi_error *err)
{
    return armi_buf_append_bytes(tag, text, text == NULL ? 0 : strlen(text), err);
}

static enum armi_status tag_append(struct armi_buf *tag, const struct armi_field *field,
                                   struct armi_error *err);

/* A map's key and value go without names: producers call them as they like. */
static enum armi_status tag_append_children(struct armi_buf *tag,
                                            const struct armi_field *field,
                                            struct armi_error *err)
{
    bool is_struct = field->type == ARMI_TYPE_STRUCT;
    if (field->type == ARMI_TYPE_MAP)
        field = &field->children[0];
    else if (is_struct)
        ARMI_TRY(armi_buf_append_varint(tag, field->child_count, err));
    size_t first = field->type == ARMI_TYPE_DICTIONARY ? 1 : 0;
    for (size_t c = first; c < field->child_count; c++) {
        if (is_struct)
            ARMI_TRY(tag_append_text(tag, field->children[c].name, err));
        ARMI_TRY(tag_append(tag, &field->children[c], err));
    }
    return ARMI_OK;
}

static enum armi_status tag_append(struct armi_buf *tag, const struct armi_field *field,
                                   struct armi_error *err)
{
    field = armi_field_logical(field);
    enum armi_type type = armi_type_logical(field->type);
    ARMI_TRY(armi_buf_append_u8(tag, (uint8_t)type, err));
    if (armi_type_is_decimal(type)) {
        ARMI_TRY(armi_buf_append_u32(tag, (uint32_t)field->precision, err));
        ARMI_TRY(armi_buf_append_u32(tag, (uint32_t)field->scale, err));
    }
    if (armi_type_has_unit(type))
        ARMI_TRY(armi_buf_append_u8(tag, (uint8_t)field->unit, err));
    if (type == ARMI_TYPE_TIMESTAMP)
        ARMI_TRY(tag_append_text(tag, field->timezone, err));
    if (type == ARMI_TYPE_FIXED_BINARY || type == ARMI_TYPE_FIXED_LIST)
        ARMI_TRY(armi_buf_append_u32(tag, (uint32_t)field->width, err));
    return tag_append_children(tag, field, err);
}

/* ---- the tree of nodes ---- */

static void node_release(struct armi_fingerprint_node *node)
{
    for (size_t c = 0; c < node->child_count; c++)
        node_release(&node->children[c]);
    armi_free(node->children);
    armi_free(node->validity);
    armi_free(node->first);
    armi_free(node->second);
    armi_free(node->codes);
    armi_map_release(&node->entries);
    armi_buf_release(&node->key);
}

static bool node_kind(const struct armi_field *field, enum fp_kind *out)
{
    switch (armi_type_layout(field->type)) {
    case ARMI_LAYOUT_NULL:
        *out = FP_NULL;
        return true;
    case ARMI_LAYOUT_BITS:
        *out = FP_BITS;
        return true;
    case ARMI_LAYOUT_FIXED:
        *out = FP_FIXED;
        return true;
    case ARMI_LAYOUT_BINARY32:
    case ARMI_LAYOUT_BINARY64:
    case ARMI_LAYOUT_VIEW:
        *out = FP_BINARY;
        return true;
    case ARMI_LAYOUT_LIST32:
    case ARMI_LAYOUT_LIST64:
    case ARMI_LAYOUT_LIST_VIEW32:
    case ARMI_LAYOUT_LIST_VIEW64:
        *out = FP_LIST;
        return true;
    case ARMI_LAYOUT_FIXED_LIST:
        *out = FP_FIXED_LIST;
        return true;
    case ARMI_LAYOUT_STRUCT:
        *out = FP_STRUCT;
        return true;
    case ARMI_LAYOUT_DICTIONARY:
        *out = FP_DICTIONARY;
        return true;
    case ARMI_LAYOUT_RUN_END: /* armi_field_logical has looked through it */
    case ARMI_LAYOUT_UNION:
        break;
    }
    return false;
}

static enum armi_status stream_new(struct armi_fp_stream **out, struct armi_error *err)
{
    *out = armi_alloc(sizeof **out);
    if (*out == NULL)
        return armi_error_no_memory(err);
    armi_fp_stream_reset(*out);
    return ARMI_OK;
}

/* On failure the node may be half made: node_release is due in any case. */
static enum armi_status node_init(struct armi_fingerprint_node *node,
                                  const struct armi_field *field, struct armi_error *err)
{
    field = armi_field_logical(field);
    if (!node_kind(field, &node->kind))
        return armi_column_unsupported(field, err);
    armi_map_init(&node->entries, 0);
    node->width = node->kind == FP_FIXED ? armi_field_byte_width(field) : field->width;
    bool has_first =
        node->kind != FP_NULL && node->kind != FP_STRUCT && node->kind != FP_FIXED_LIST;
    if (has_first)
        ARMI_TRY(stream_new(&node->first, err));
    if (node->kind == FP_BINARY)
        ARMI_TRY(stream_new(&node->second, err));
    size_t skip = node->kind == FP_DICTIONARY ? 1 : 0; /* the index type */
    size_t count = field->child_count - skip;
    if (count == 0)
        return ARMI_OK;
    node->children = armi_alloc_zero(count, sizeof *node->children);
    if (node->children == NULL)
        return armi_error_no_memory(err);
    node->child_count = count;
    for (size_t c = 0; c < count; c++)
        ARMI_TRY(node_init(&node->children[c], &field->children[c + skip], err));
    return ARMI_OK;
}

static void node_reset(struct armi_fingerprint_node *node)
{
    node->rows = 0;
    node->nulls = 0;
    if (node->validity != NULL)
        armi_fp_stream_reset(node->validity);
    if (node->first != NULL)
        armi_fp_stream_reset(node->first);
    if (node->second != NULL)
        armi_fp_stream_reset(node->second);
    if (node->entries.count != 0)
        armi_map_release(&node->entries);
    for (size_t c = 0; c < node->child_count; c++)
        node_reset(&node->children[c]);
}

/*
 * The record of a node, its children's behind it (docs/format/fingerprint.md):
 *
 *   SIZE  DESCRIPTION
 *   8     rows
 *   8     nulls
 *   32    hash of the validity bits, only if nulls > 0
 *   32    hash of the first stream, if the kind has one
 *   32    hash of the second stream, if the kind has one
 */
static void node_record(struct armi_fingerprint_node *node, struct armi_blake3 *hash)
{
    uint8_t counts[16];
    struct armi_hash part;
    armi_store64(counts, node->rows);
    armi_store64(counts + 8, node->nulls);
    armi_blake3_update(hash, counts, sizeof counts);
    struct armi_fp_stream *streams[] = {node->nulls > 0 ? node->validity : NULL,
                                        node->first, node->second};
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        if (streams[i] == NULL)
            continue;
        armi_fp_stream_finish(streams[i], &part);
        armi_blake3_update(hash, part.bytes, sizeof part.bytes);
    }
    for (size_t c = 0; c < node->child_count; c++)
        node_record(&node->children[c], hash);
}

/* ---- the interface ---- */

enum armi_status armi_fingerprint_init(struct armi_fingerprint *self,
                                       const struct armi_field *field,
                                       struct armi_error *err)
{
    struct armi_fingerprint fp = ARMI_FINGERPRINT_INIT;
    enum armi_status status;
    fp.root = armi_alloc_zero(1, sizeof *fp.root);
    if (fp.root == NULL)
        return armi_error_no_memory(err);
    status = node_init(fp.root, field, err);
    if (status != ARMI_OK)
        goto done;
    status = tag_append(&fp.tag, field, err);
    if (status != ARMI_OK)
        goto done;
    *self = fp;
    fp = (struct armi_fingerprint)ARMI_FINGERPRINT_INIT;
done:
    armi_fingerprint_release(&fp);
    return status;
}

void armi_fingerprint_release(struct armi_fingerprint *self)
{
    if (self->root != NULL) {
        node_release(self->root);
        armi_free(self->root);
        self->root = NULL;
    }
    armi_buf_release(&self->tag);
}

/* Whether the array has the type that init was given. */
static enum armi_status check_type(struct armi_fingerprint *self,
                                   const struct armi_field *field, struct armi_error *err)
{
    struct armi_buf tag = {0};
    enum armi_status status = tag_append(&tag, field, err);
    if (status == ARMI_OK &&
        !armi_slice_equal(armi_buf_slice(&tag), armi_buf_slice(&self->tag)))
        status = armi_error_object(err, ARMI_SCHEMA_MISMATCH, "column", field->name,
                                   "column \"%s\": a piece has another type than the first",
                                   field->name);
    armi_buf_release(&tag);
    return status;
}

enum armi_status armi_fingerprint_update(struct armi_fingerprint *self,
                                         const struct armi_array *array, int64_t from,
                                         int64_t count, struct armi_error *err)
{
    assert(from >= 0 && count >= 0 && count <= array->length - from);
    ARMI_TRY(check_type(self, array->field, err));
    return armi_fingerprint_node_update(self->root, array, from, count, err);
}

void armi_fingerprint_finish(struct armi_fingerprint *self,
                             uint8_t out[ARMI_FINGERPRINT_SIZE])
{
    struct armi_blake3 hash;
    struct armi_hash whole;
    armi_blake3_init_derive_key(&hash, FINGERPRINT_CONTEXT);
    armi_blake3_update(&hash, self->tag.data, self->tag.size);
    node_record(self->root, &hash);
    armi_blake3_finalize(&hash, &whole);
    memcpy(out, whole.bytes, ARMI_FINGERPRINT_SIZE);
    node_reset(self->root);
}

void armi_fingerprint_reset(struct armi_fingerprint *self)
{
    node_reset(self->root);
}

enum armi_status armi_fingerprint_pieces(const struct armi_field *field,
                                         const struct armi_array *pieces, size_t count,
                                         uint8_t out[ARMI_FINGERPRINT_SIZE],
                                         struct armi_error *err)
{
    struct armi_fingerprint fp;
    ARMI_TRY(armi_fingerprint_init(&fp, field, err));
    enum armi_status status = ARMI_OK;
    for (size_t i = 0; i < count && status == ARMI_OK; i++)
        status = armi_fingerprint_update(&fp, &pieces[i], 0, pieces[i].length, err);
    if (status == ARMI_OK)
        armi_fingerprint_finish(&fp, out);
    armi_fingerprint_release(&fp);
    return status;
}
