/*
 * Schemas as canonical bytes; docs/format/schema.md is the specification.
 *
 *   schema   = version (1 byte, 1) field
 *   field    = type (1) flags (1) name [id] parameters [metadata] [child count] children
 *   name     = varint size, bytes
 *   id       = varint                       flag 4
 *   unit     = 1 byte                       time32, time64, timestamp, duration
 *   timezone = varint size, bytes           timestamp; size 0 = none
 *   width    = varint                       fixed-size binary and list
 *   decimal  = precision (1), scale (zigzag varint)
 *   metadata = varint count, count * (varint size, bytes, varint size, bytes)   flag 8
 *
 * Every choice that a writer could have is refused by the reader, so that a schema has
 * one encoding.
 */
#include "arrow/schema_codec.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

#define CODEC_VERSION  1
#define FLAG_NULLABLE  1
#define FLAG_ORDERED   2
#define FLAG_ID        4
#define FLAG_METADATA  8
#define FLAGS_KNOWN    15
#define FIELD_SIZE_MIN 3 /* type, flags, empty name */
#define DEPTH_MAX      (ARMI_NESTING_MAX + 1)

/* Children that a type must have; -1: a count is stored. */
static int fixed_child_count(enum armi_type type)
{
    if (type == ARMI_TYPE_STRUCT)
        return -1;
    if (type == ARMI_TYPE_DICTIONARY || type == ARMI_TYPE_RUN_END)
        return 2;
    return armi_type_is_nested(type) ? 1 : 0;
}

static bool has_width(enum armi_type type)
{
    return type == ARMI_TYPE_FIXED_BINARY || type == ARMI_TYPE_FIXED_LIST;
}

static bool has_order(enum armi_type type)
{
    return type == ARMI_TYPE_DICTIONARY || type == ARMI_TYPE_MAP;
}

/* ---- encode ---- */

static enum armi_status encode_text(struct armi_buf *out, const char *text,
                                    struct armi_error *err)
{
    return armi_buf_append_bytes(out, text, strlen(text), err);
}

static enum armi_status encode_parameters(const struct armi_field *field,
                                          struct armi_buf *out, struct armi_error *err)
{
    if (armi_type_has_unit(field->type))
        ARMI_TRY(armi_buf_append_u8(out, (uint8_t)field->unit, err));
    if (field->type == ARMI_TYPE_TIMESTAMP)
        ARMI_TRY(encode_text(out, field->timezone != NULL ? field->timezone : "", err));
    if (has_width(field->type))
        ARMI_TRY(armi_buf_append_varint(out, (uint64_t)field->width, err));
    if (armi_type_is_decimal(field->type)) {
        uint32_t scale = (uint32_t)field->scale;
        uint32_t zigzag = (scale << 1) ^ (field->scale < 0 ? UINT32_MAX : 0);
        ARMI_TRY(armi_buf_append_u8(out, (uint8_t)field->precision, err));
        ARMI_TRY(armi_buf_append_varint(out, zigzag, err));
    }
    return ARMI_OK;
}

static enum armi_status encode_metadata(const struct armi_metadata *metadata,
                                        struct armi_buf *out, struct armi_error *err)
{
    ARMI_TRY(armi_buf_append_varint(out, metadata->count, err));
    for (size_t i = 0; i < metadata->count; i++) {
        const struct armi_metadata_pair *pair = &metadata->pairs[i];
        ARMI_TRY(armi_buf_append_bytes(out, pair->key.data, pair->key.size, err));
        ARMI_TRY(armi_buf_append_bytes(out, pair->value.data, pair->value.size, err));
    }
    return ARMI_OK;
}

static enum armi_status encode_field(const struct armi_field *field, unsigned depth,
                                     struct armi_buf *out, struct armi_error *err)
{
    if (armi_type_layout(field->type) == ARMI_LAYOUT_UNION)
        return armi_error_object(err, ARMI_UNSUPPORTED, "column", field->name,
                                 "column '%s': type %s is not supported", field->name,
                                 armi_type_name(field->type));
    if (depth > DEPTH_MAX)
        return armi_error_set(err, ARMI_LIMIT, "column '%s': nested deeper than %d levels",
                              field->name, ARMI_NESTING_MAX);
    unsigned flags = (field->nullable ? FLAG_NULLABLE : 0) |
                     (field->ordered && has_order(field->type) ? FLAG_ORDERED : 0) |
                     (field->id >= 0 ? FLAG_ID : 0) |
                     (field->metadata.count > 0 ? FLAG_METADATA : 0);
    ARMI_TRY(armi_buf_append_u8(out, (uint8_t)field->type, err));
    ARMI_TRY(armi_buf_append_u8(out, (uint8_t)flags, err));
    ARMI_TRY(encode_text(out, field->name, err));
    if (flags & FLAG_ID)
        ARMI_TRY(armi_buf_append_varint(out, (uint64_t)field->id, err));
    ARMI_TRY(encode_parameters(field, out, err));
    if (flags & FLAG_METADATA)
        ARMI_TRY(encode_metadata(&field->metadata, out, err));
    if (fixed_child_count(field->type) < 0)
        ARMI_TRY(armi_buf_append_varint(out, field->child_count, err));
    for (size_t i = 0; i < field->child_count; i++)
        ARMI_TRY(encode_field(&field->children[i], depth + 1, out, err));
    return ARMI_OK;
}

enum armi_status armi_schema_encode(const struct armi_field *field, struct armi_buf *out,
                                    struct armi_error *err)
{
    size_t start = out->size;
    enum armi_status status = armi_buf_append_u8(out, CODEC_VERSION, err);
    if (status == ARMI_OK)
        status = encode_field(field, 0, out, err);
    if (status != ARMI_OK)
        out->size = start;
    return status;
}

/* ---- decode ---- */

static enum armi_status corrupt(struct armi_error *err, const char *what)
{
    return armi_error_set(err, ARMI_CORRUPTION, "a stored schema is damaged: %s", what);
}

/* Text that C can hold: UTF-8 without a zero byte. */
static enum armi_status decode_text(struct armi_reader *r, char **out,
                                    struct armi_error *err)
{
    struct armi_slice bytes;
    if (!armi_read_bytes(r, &bytes))
        return corrupt(err, "a text is cut off");
    if (!armi_utf8_valid(bytes.data, bytes.size) ||
        (bytes.size > 0 && memchr(bytes.data, 0, bytes.size) != NULL))
        return corrupt(err, "a text is not UTF-8");
    char *text = armi_strndup((const char *)bytes.data, bytes.size);
    if (text == NULL)
        return armi_error_no_memory(err);
    armi_free(*out);
    *out = text;
    return ARMI_OK;
}

static enum armi_status decode_int32(struct armi_reader *r, int32_t *out,
                                     struct armi_error *err)
{
    uint64_t v;
    if (!armi_read_varint(r, &v) || v > INT32_MAX)
        return corrupt(err, "a number is cut off or too large");
    *out = (int32_t)v;
    return ARMI_OK;
}

static bool unit_fits(enum armi_type type, unsigned unit)
{
    if (type == ARMI_TYPE_TIME32)
        return unit <= ARMI_UNIT_MILLI;
    if (type == ARMI_TYPE_TIME64)
        return unit == ARMI_UNIT_MICRO || unit == ARMI_UNIT_NANO;
    return unit <= ARMI_UNIT_NANO;
}

static enum armi_status decode_decimal(struct armi_reader *r, struct armi_field *out,
                                       struct armi_error *err)
{
    static const uint8_t precision_max[] = {9, 18, 38, 76};
    uint8_t precision;
    uint64_t scale;
    if (!armi_read_u8(r, &precision) || !armi_read_varint(r, &scale) ||
        scale > UINT32_MAX || precision < 1 ||
        precision > precision_max[out->type - ARMI_TYPE_DECIMAL32])
        return corrupt(err, "a decimal's precision or scale is impossible");
    uint32_t zigzag = (uint32_t)scale;
    out->precision = precision;
    out->scale = (int32_t)((zigzag >> 1) ^ (zigzag & 1 ? UINT32_MAX : 0));
    return ARMI_OK;
}

static enum armi_status decode_parameters(struct armi_reader *r, struct armi_field *out,
                                          struct armi_error *err)
{
    if (armi_type_has_unit(out->type)) {
        uint8_t unit;
        if (!armi_read_u8(r, &unit) || !unit_fits(out->type, unit))
            return corrupt(err, "a unit is impossible");
        out->unit = (enum armi_unit)unit;
    }
    if (out->type == ARMI_TYPE_TIMESTAMP) {
        ARMI_TRY(decode_text(r, &out->timezone, err));
        if (out->timezone[0] == '\0')
            ARMI_TRY(armi_field_set_timezone(out, NULL, err));
    }
    if (has_width(out->type))
        ARMI_TRY(decode_int32(r, &out->width, err));
    if (armi_type_is_decimal(out->type))
        ARMI_TRY(decode_decimal(r, out, err));
    return ARMI_OK;
}

static enum armi_status decode_metadata(struct armi_reader *r, struct armi_metadata *out,
                                        struct armi_error *err)
{
    uint64_t count;
    if (!armi_read_varint(r, &count) || count == 0 || count > armi_reader_left(r) / 2)
        return corrupt(err, "a count of metadata is impossible");
    for (uint64_t i = 0; i < count; i++) {
        struct armi_slice key, value;
        if (!armi_read_bytes(r, &key) || !armi_read_bytes(r, &value))
            return corrupt(err, "metadata is cut off");
        ARMI_TRY(armi_metadata_append(out, key, value, err));
    }
    return ARMI_OK;
}

static enum armi_status check_children(const struct armi_field *field,
                                       struct armi_error *err)
{
    const struct armi_field *child = field->children;
    if (field->type == ARMI_TYPE_MAP &&
        (child->type != ARMI_TYPE_STRUCT || child->child_count != 2))
        return corrupt(err, "a map is not of keys and values");
    if (field->type == ARMI_TYPE_DICTIONARY && !armi_type_is_integer(child->type))
        return corrupt(err, "a dictionary's index is not an integer");
    if (field->type == ARMI_TYPE_RUN_END &&
        (!armi_type_is_signed(child->type) || child->type == ARMI_TYPE_INT8))
        return corrupt(err, "run ends are of an impossible type");
    return ARMI_OK;
}

static enum armi_status decode_field(struct armi_reader *r, unsigned depth,
                                     struct armi_field *out, struct armi_error *err);

static enum armi_status decode_children(struct armi_reader *r, unsigned depth,
                                        struct armi_field *out, struct armi_error *err)
{
    int fixed = fixed_child_count(out->type);
    uint64_t count = (uint64_t)(fixed < 0 ? 0 : fixed);
    if (fixed < 0 && !armi_read_varint(r, &count))
        return corrupt(err, "a count of columns is cut off");
    if (count > ARMI_COLUMNS_MAX || count > armi_reader_left(r) / FIELD_SIZE_MIN)
        return corrupt(err, "a count of columns is impossible");
    ARMI_TRY(armi_field_alloc_children(out, (size_t)count, err));
    for (size_t i = 0; i < out->child_count; i++)
        ARMI_TRY(decode_field(r, depth + 1, &out->children[i], err));
    return check_children(out, err);
}

/* On failure *out may be partly filled: the outermost caller releases. */
static enum armi_status decode_field(struct armi_reader *r, unsigned depth,
                                     struct armi_field *out, struct armi_error *err)
{
    uint8_t type, flags;
    if (!armi_read_u8(r, &type) || !armi_read_u8(r, &flags))
        return corrupt(err, "a column is cut off");
    if (depth > DEPTH_MAX)
        return corrupt(err, "nested too deeply");
    if (type >= ARMI_TYPE_COUNT ||
        armi_type_layout((enum armi_type)type) == ARMI_LAYOUT_UNION)
        return armi_error_set(
            err, ARMI_UNSUPPORTED,
            "a stored schema has the column type %u, which this version of "
            "Armillaria does not know",
            type);
    if ((flags & ~FLAGS_KNOWN) ||
        ((flags & FLAG_ORDERED) && !has_order((enum armi_type)type)))
        return corrupt(err, "a column's flags are impossible");
    out->type = (enum armi_type)type;
    out->nullable = (flags & FLAG_NULLABLE) != 0;
    out->ordered = (flags & FLAG_ORDERED) != 0;
    ARMI_TRY(decode_text(r, &out->name, err));
    if (flags & FLAG_ID)
        ARMI_TRY(decode_int32(r, &out->id, err));
    ARMI_TRY(decode_parameters(r, out, err));
    if (flags & FLAG_METADATA)
        ARMI_TRY(decode_metadata(r, &out->metadata, err));
    return decode_children(r, depth, out, err);
}

enum armi_status armi_schema_decode(struct armi_slice bytes, struct armi_field *out,
                                    struct armi_error *err)
{
    struct armi_reader r = armi_reader_init(bytes);
    uint8_t version;
    if (!armi_read_u8(&r, &version))
        return corrupt(err, "it is empty");
    if (version != CODEC_VERSION)
        return armi_error_set(err, ARMI_UNSUPPORTED,
                              "a stored schema has encoding version %u, this version of "
                              "Armillaria reads %u",
                              version, CODEC_VERSION);
    struct armi_field field = ARMI_FIELD_INIT;
    enum armi_status status = decode_field(&r, 0, &field, err);
    if (status == ARMI_OK && armi_reader_left(&r) != 0)
        status = corrupt(err, "bytes are left over");
    if (status != ARMI_OK) {
        armi_field_release(&field);
        return status;
    }
    *out = field;
    return ARMI_OK;
}
