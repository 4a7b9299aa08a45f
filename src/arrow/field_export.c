/*
 * Field to ArrowSchema. Every node owns one private block with what it points to, so that
 * a consumer may move a child out and release it later, alone.
 */
#include "arrow/field.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"

struct schema_private {
    char *format;
    char *name;
    uint8_t *metadata;
    struct ArrowSchema *nodes; /* children, then the dictionary if there is one */
    struct ArrowSchema **pointers;
    size_t node_count;
};

static void schema_release(struct ArrowSchema *schema)
{
    struct schema_private *p = schema->private_data;
    for (size_t i = 0; i < p->node_count; i++) {
        /* A consumer that moved a child out has set its release to NULL. */
        if (p->nodes[i].release != NULL)
            p->nodes[i].release(&p->nodes[i]);
    }
    armi_free(p->format);
    armi_free(p->name);
    armi_free(p->metadata);
    armi_free(p->nodes);
    armi_free(p->pointers);
    armi_free(p);
    schema->release = NULL;
}

/* ---- format ---- */

/* By type; NULL where a parameter has its part in it. */
static const char *const plain_formats[ARMI_TYPE_COUNT] = {
    [ARMI_TYPE_NULL] = "n",
    [ARMI_TYPE_BOOL] = "b",
    [ARMI_TYPE_INT8] = "c",
    [ARMI_TYPE_INT16] = "s",
    [ARMI_TYPE_INT32] = "i",
    [ARMI_TYPE_INT64] = "l",
    [ARMI_TYPE_UINT8] = "C",
    [ARMI_TYPE_UINT16] = "S",
    [ARMI_TYPE_UINT32] = "I",
    [ARMI_TYPE_UINT64] = "L",
    [ARMI_TYPE_FLOAT16] = "e",
    [ARMI_TYPE_FLOAT32] = "f",
    [ARMI_TYPE_FLOAT64] = "g",
    [ARMI_TYPE_DATE32] = "tdD",
    [ARMI_TYPE_DATE64] = "tdm",
    [ARMI_TYPE_INTERVAL_MONTHS] = "tiM",
    [ARMI_TYPE_INTERVAL_DAY_TIME] = "tiD",
    [ARMI_TYPE_INTERVAL_MONTH_DAY_NANO] = "tin",
    [ARMI_TYPE_BINARY] = "z",
    [ARMI_TYPE_LARGE_BINARY] = "Z",
    [ARMI_TYPE_BINARY_VIEW] = "vz",
    [ARMI_TYPE_UTF8] = "u",
    [ARMI_TYPE_LARGE_UTF8] = "U",
    [ARMI_TYPE_UTF8_VIEW] = "vu",
    [ARMI_TYPE_LIST] = "+l",
    [ARMI_TYPE_LARGE_LIST] = "+L",
    [ARMI_TYPE_LIST_VIEW] = "+vl",
    [ARMI_TYPE_LARGE_LIST_VIEW] = "+vL",
    [ARMI_TYPE_MAP] = "+m",
    [ARMI_TYPE_STRUCT] = "+s",
    [ARMI_TYPE_RUN_END] = "+r",
};

/* An allocated string, or NULL without memory. */
static char *format_text(const struct armi_field *field)
{
    static const char units[] = "smun";
    char text[64];
    char unit = units[field->unit & 3];
    switch (field->type) {
    case ARMI_TYPE_DICTIONARY:
        return format_text(&field->children[0]);
    case ARMI_TYPE_DECIMAL32:
    case ARMI_TYPE_DECIMAL64:
    case ARMI_TYPE_DECIMAL256:
        snprintf(text, sizeof text, "d:%" PRId32 ",%" PRId32 ",%d", field->precision,
                 field->scale, 8 * armi_field_byte_width(field));
        break;
    case ARMI_TYPE_DECIMAL128:
        snprintf(text, sizeof text, "d:%" PRId32 ",%" PRId32, field->precision,
                 field->scale);
        break;
    case ARMI_TYPE_TIME32:
    case ARMI_TYPE_TIME64:
        snprintf(text, sizeof text, "tt%c", unit);
        break;
    case ARMI_TYPE_DURATION:
        snprintf(text, sizeof text, "tD%c", unit);
        break;
    case ARMI_TYPE_FIXED_BINARY:
        snprintf(text, sizeof text, "w:%" PRId32, field->width);
        break;
    case ARMI_TYPE_FIXED_LIST:
        snprintf(text, sizeof text, "+w:%" PRId32, field->width);
        break;
    case ARMI_TYPE_TIMESTAMP: {
        const char *zone = field->timezone != NULL ? field->timezone : "";
        size_t size = strlen(zone) + sizeof "tsX:";
        char *format = armi_alloc(size);
        if (format != NULL)
            snprintf(format, size, "ts%c:%s", unit, zone);
        return format;
    }
    default:
        return armi_strdup(plain_formats[field->type]);
    }
    return armi_strdup(text);
}

/* ---- metadata ---- */

static uint8_t *put_span(uint8_t *pos, struct armi_slice bytes)
{
    int32_t size = (int32_t)bytes.size;
    memcpy(pos, &size, 4);
    if (bytes.size > 0)
        memcpy(pos + 4, bytes.data, bytes.size);
    return pos + 4 + bytes.size;
}

static enum armi_status export_pairs(const struct armi_metadata *metadata, uint8_t **out,
                                     struct armi_error *err)
{
    size_t size = 4;
    for (size_t i = 0; i < metadata->count; i++) {
        const struct armi_metadata_pair *pair = &metadata->pairs[i];
        if (!armi_size_add(size, pair->key.size, &size) ||
            !armi_size_add(size, pair->value.size, &size) ||
            !armi_size_add(size, 8, &size) || size > INT32_MAX)
            return armi_error_set(err, ARMI_LIMIT, "metadata of a column is over 2 GiB");
    }
    uint8_t *bytes = armi_alloc(size);
    if (bytes == NULL)
        return armi_error_no_memory(err);
    int32_t count = (int32_t)metadata->count;
    memcpy(bytes, &count, 4);
    uint8_t *pos = bytes + 4;
    for (size_t i = 0; i < metadata->count; i++)
        pos = put_span(put_span(pos, metadata->pairs[i].key), metadata->pairs[i].value);
    *out = bytes;
    return ARMI_OK;
}

static enum armi_status export_metadata(const struct armi_field *field, unsigned flags,
                                        uint8_t **out, struct armi_error *err)
{
    bool with_id = (flags & ARMI_EXPORT_IDS) && field->id >= 0;
    if (!with_id)
        return field->metadata.count == 0 ? ARMI_OK
                                          : export_pairs(&field->metadata, out, err);
    struct armi_metadata all;
    ARMI_TRY(armi_metadata_copy(&field->metadata, &all, err));
    char text[16];
    int size = snprintf(text, sizeof text, "%" PRId32, field->id);
    struct armi_slice value = {(const uint8_t *)text, (size_t)size};
    enum armi_status status = armi_metadata_set(&all, "PARQUET:field_id", value, err);
    if (status == ARMI_OK)
        status = export_pairs(&all, out, err);
    armi_metadata_release(&all);
    return status;
}

/* ---- fields ---- */

static int64_t export_flags(const struct armi_field *field)
{
    int64_t flags = field->nullable ? ARROW_FLAG_NULLABLE : 0;
    if (field->ordered)
        flags |= field->type == ARMI_TYPE_MAP ? ARROW_FLAG_MAP_KEYS_SORTED
                                              : ARROW_FLAG_DICTIONARY_ORDERED;
    return flags;
}

static enum armi_status export_nodes(const struct armi_field *field, unsigned flags,
                                     struct schema_private *p, struct ArrowSchema *schema,
                                     struct armi_error *err)
{
    bool is_dictionary = field->type == ARMI_TYPE_DICTIONARY;
    const struct armi_field *first = is_dictionary ? &field->children[1] : field->children;
    size_t count = is_dictionary ? 1 : field->child_count;
    if (count == 0)
        return ARMI_OK;
    p->nodes = armi_alloc_zero(count, sizeof *p->nodes);
    p->pointers = armi_alloc_array(count, sizeof *p->pointers);
    if (p->nodes == NULL || p->pointers == NULL)
        return armi_error_no_memory(err);
    p->node_count = count;
    for (size_t i = 0; i < count; i++) {
        p->pointers[i] = &p->nodes[i];
        ARMI_TRY(armi_field_export(&first[i], flags, &p->nodes[i], err));
    }
    if (is_dictionary) {
        schema->dictionary = &p->nodes[0];
    } else {
        schema->n_children = (int64_t)count;
        schema->children = p->pointers;
    }
    return ARMI_OK;
}

enum armi_status armi_field_export(const struct armi_field *field, unsigned flags,
                                   struct ArrowSchema *out, struct armi_error *err)
{
    if (armi_type_layout(field->type) == ARMI_LAYOUT_UNION)
        return armi_error_object(err, ARMI_UNSUPPORTED, "column", field->name,
                                 "column '%s': type %s is not supported", field->name,
                                 armi_type_name(field->type));
    struct schema_private *p = armi_alloc_zero(1, sizeof *p);
    if (p == NULL)
        return armi_error_no_memory(err);
    struct ArrowSchema schema = {.private_data = p, .release = schema_release};
    p->format = format_text(field);
    p->name = armi_strdup(field->name);
    enum armi_status status = ARMI_OK;
    if (p->format == NULL || p->name == NULL)
        status = armi_error_no_memory(err);
    if (status == ARMI_OK)
        status = export_metadata(field, flags, &p->metadata, err);
    if (status == ARMI_OK)
        status = export_nodes(field, flags, p, &schema, err);
    if (status != ARMI_OK) {
        schema_release(&schema);
        return status;
    }
    schema.format = p->format;
    schema.name = p->name;
    schema.metadata = (const char *)p->metadata;
    schema.flags = export_flags(field);
    *out = schema;
    return ARMI_OK;
}
