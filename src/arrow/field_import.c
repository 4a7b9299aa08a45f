/*
 * ArrowSchema to field. The struct comes from another library of the same process, or
 * from a careless one: nothing is believed but that its pointers are readable. Recursion
 * is bounded, and so is the number of fields in all, because children that point at each
 * other would make a small struct endless.
 */
#include "arrow/field.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/limits.h"
#include "base/text.h"

#define FIELDS_MAX (1u << 20)

struct importer {
    size_t fields;
    struct armi_error *err;
    const char *column; /* the name of the column that is being imported; borrowed */
};

/* ---- format strings ---- */

struct format_entry {
    const char *format;
    enum armi_type type;
    enum armi_unit unit;
};

static const struct format_entry plain_formats[] = {
    {"n", ARMI_TYPE_NULL, 0},
    {"b", ARMI_TYPE_BOOL, 0},
    {"c", ARMI_TYPE_INT8, 0},
    {"C", ARMI_TYPE_UINT8, 0},
    {"s", ARMI_TYPE_INT16, 0},
    {"S", ARMI_TYPE_UINT16, 0},
    {"i", ARMI_TYPE_INT32, 0},
    {"I", ARMI_TYPE_UINT32, 0},
    {"l", ARMI_TYPE_INT64, 0},
    {"L", ARMI_TYPE_UINT64, 0},
    {"e", ARMI_TYPE_FLOAT16, 0},
    {"f", ARMI_TYPE_FLOAT32, 0},
    {"g", ARMI_TYPE_FLOAT64, 0},
    {"z", ARMI_TYPE_BINARY, 0},
    {"Z", ARMI_TYPE_LARGE_BINARY, 0},
    {"vz", ARMI_TYPE_BINARY_VIEW, 0},
    {"u", ARMI_TYPE_UTF8, 0},
    {"U", ARMI_TYPE_LARGE_UTF8, 0},
    {"vu", ARMI_TYPE_UTF8_VIEW, 0},
    {"tdD", ARMI_TYPE_DATE32, 0},
    {"tdm", ARMI_TYPE_DATE64, 0},
    {"tts", ARMI_TYPE_TIME32, ARMI_UNIT_SECOND},
    {"ttm", ARMI_TYPE_TIME32, ARMI_UNIT_MILLI},
    {"ttu", ARMI_TYPE_TIME64, ARMI_UNIT_MICRO},
    {"ttn", ARMI_TYPE_TIME64, ARMI_UNIT_NANO},
    {"tDs", ARMI_TYPE_DURATION, ARMI_UNIT_SECOND},
    {"tDm", ARMI_TYPE_DURATION, ARMI_UNIT_MILLI},
    {"tDu", ARMI_TYPE_DURATION, ARMI_UNIT_MICRO},
    {"tDn", ARMI_TYPE_DURATION, ARMI_UNIT_NANO},
    {"tiM", ARMI_TYPE_INTERVAL_MONTHS, 0},
    {"tiD", ARMI_TYPE_INTERVAL_DAY_TIME, 0},
    {"tin", ARMI_TYPE_INTERVAL_MONTH_DAY_NANO, 0},
    {"+l", ARMI_TYPE_LIST, 0},
    {"+L", ARMI_TYPE_LARGE_LIST, 0},
    {"+vl", ARMI_TYPE_LIST_VIEW, 0},
    {"+vL", ARMI_TYPE_LARGE_LIST_VIEW, 0},
    {"+s", ARMI_TYPE_STRUCT, 0},
    {"+m", ARMI_TYPE_MAP, 0},
    {"+r", ARMI_TYPE_RUN_END, 0},
};

/* Decimal digits, a sign only before what may be negative, up to `end` or the end of the
 * text. */
static bool parse_int32(const char **pos, bool is_signed, int32_t *out)
{
    const char *p = *pos;
    bool negative = is_signed && *p == '-';
    if (negative)
        p++;
    int64_t v = 0;
    const char *start = p;
    for (; *p >= '0' && *p <= '9'; p++) {
        v = 10 * v + (*p - '0');
        if (v > (int64_t)INT32_MAX + negative)
            return false;
    }
    if (p == start)
        return false;
    *out = (int32_t)(negative ? -v : v);
    *pos = p;
    return true;
}

/* "d:precision,scale" or "d:precision,scale,bits". */
static bool parse_decimal(const char *p, struct armi_field *out)
{
    static const struct {
        int32_t bits, precision_max;
        enum armi_type type;
    } kinds[] = {
        {32, 9, ARMI_TYPE_DECIMAL32},
        {64, 18, ARMI_TYPE_DECIMAL64},
        {128, 38, ARMI_TYPE_DECIMAL128},
        {256, 76, ARMI_TYPE_DECIMAL256},
    };
    int32_t bits = 128;
    if (!parse_int32(&p, false, &out->precision) || *p++ != ',' ||
        !parse_int32(&p, true, &out->scale))
        return false;
    if (*p == ',') {
        p++;
        if (!parse_int32(&p, false, &bits))
            return false;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].bits == bits && *p == '\0') {
            out->type = kinds[i].type;
            return out->precision >= 1 && out->precision <= kinds[i].precision_max;
        }
    }
    return false;
}

/* "ts" unit ":" timezone. */
static bool parse_timestamp(const char *p, struct armi_field *out, const char **timezone)
{
    static const char units[] = "smun";
    const char *unit = *p != '\0' ? strchr(units, *p) : NULL;
    if (unit == NULL || p[1] != ':')
        return false;
    out->type = ARMI_TYPE_TIMESTAMP;
    out->unit = (enum armi_unit)(unit - units);
    *timezone = p + 2;
    return armi_utf8_valid((const uint8_t *)p + 2, strlen(p + 2));
}

/* Sets type and parameters but the timezone, which is borrowed from the format. */
static bool parse_format(const char *format, struct armi_field *out, const char **timezone)
{
    for (size_t i = 0; i < sizeof plain_formats / sizeof plain_formats[0]; i++) {
        if (strcmp(format, plain_formats[i].format) == 0) {
            out->type = plain_formats[i].type;
            out->unit = plain_formats[i].unit;
            return true;
        }
    }
    if (strncmp(format, "d:", 2) == 0)
        return parse_decimal(format + 2, out);
    if (strncmp(format, "ts", 2) == 0)
        return parse_timestamp(format + 2, out, timezone);
    bool is_list = strncmp(format, "+w:", 3) == 0;
    if (is_list || strncmp(format, "w:", 2) == 0) {
        const char *p = format + (is_list ? 3 : 2);
        out->type = is_list ? ARMI_TYPE_FIXED_LIST : ARMI_TYPE_FIXED_BINARY;
        return parse_int32(&p, false, &out->width) && *p == '\0';
    }
    if (strncmp(format, "+us:", 4) == 0 || strncmp(format, "+ud:", 4) == 0) {
        out->type = format[2] == 's' ? ARMI_TYPE_SPARSE_UNION : ARMI_TYPE_DENSE_UNION;
        return true;
    }
    return false;
}

/* ---- metadata: int32 pairs, then for each int32 length and bytes of key and value ---- */

static bool metadata_span(const uint8_t **pos, size_t *total, struct armi_slice *out)
{
    int32_t size = (int32_t)armi_load32(*pos);
    if (size < 0 || (uint64_t)size > ARMI_NODE_SIZE_MAX - *total)
        return false;
    *out = (struct armi_slice){*pos + 4, (size_t)size};
    *pos += 4 + (size_t)size;
    *total += (size_t)size;
    return true;
}

static enum armi_status import_metadata(struct importer *importer, const char *metadata,
                                        const char *name, struct armi_metadata *out)
{
    if (metadata == NULL)
        return ARMI_OK;
    const uint8_t *pos = (const uint8_t *)metadata;
    int32_t count = (int32_t)armi_load32(pos);
    size_t total = 0;
    pos += 4;
    for (int32_t i = 0; i < count; i++) {
        struct armi_slice key, value;
        if (!metadata_span(&pos, &total, &key) || !metadata_span(&pos, &total, &value))
            return armi_error_set(importer->err, ARMI_LIMIT,
                                  "column '%s': its metadata is malformed or over 64 MiB",
                                  name);
        ARMI_TRY(armi_metadata_append(out, key, value, importer->err));
    }
    return ARMI_OK;
}

/* ---- fields ---- */

static enum armi_status import_field(struct importer *importer,
                                     const struct ArrowSchema *schema, unsigned depth,
                                     struct armi_field *out);

static enum armi_status malformed(struct importer *importer, const struct armi_field *field,
                                  const char *what)
{
    return armi_error_object(importer->err, ARMI_INVALID, "column", field->name,
                             "column '%s': malformed Arrow schema: %s", field->name, what);
}

/* How many children the type wants; -1 = any number, -2 = not looked at. */
static int64_t wanted_children(enum armi_type type)
{
    switch (type) {
    case ARMI_TYPE_LIST:
    case ARMI_TYPE_LARGE_LIST:
    case ARMI_TYPE_FIXED_LIST:
    case ARMI_TYPE_LIST_VIEW:
    case ARMI_TYPE_LARGE_LIST_VIEW:
    case ARMI_TYPE_MAP:
        return 1;
    case ARMI_TYPE_RUN_END:
        return 2;
    case ARMI_TYPE_STRUCT:
        return -1;
    case ARMI_TYPE_SPARSE_UNION:
    case ARMI_TYPE_DENSE_UNION:
        return -2;
    default:
        return 0;
    }
}

static enum armi_status check_children(struct importer *importer,
                                       const struct armi_field *field)
{
    if (field->type == ARMI_TYPE_MAP && (field->children[0].type != ARMI_TYPE_STRUCT ||
                                         field->children[0].child_count != 2))
        return malformed(importer, field, "a map's child is not a struct of key and value");
    if (field->type == ARMI_TYPE_RUN_END) {
        enum armi_type ends = field->children[0].type;
        if (ends != ARMI_TYPE_INT16 && ends != ARMI_TYPE_INT32 && ends != ARMI_TYPE_INT64)
            return malformed(importer, field, "run ends are not int16, int32 or int64");
    }
    return ARMI_OK;
}

static enum armi_status import_children(struct importer *importer,
                                        const struct ArrowSchema *schema, unsigned depth,
                                        struct armi_field *field)
{
    int64_t wanted = wanted_children(field->type);
    if (wanted == -2)
        return ARMI_OK;
    if (schema->n_children < 0 || (wanted >= 0 && schema->n_children != wanted))
        return malformed(importer, field, "wrong number of children for its type");
    if (schema->n_children > ARMI_COLUMNS_MAX)
        return armi_error_object(importer->err, ARMI_LIMIT, "column", field->name,
                                 "%lld columns, at most %d are carried",
                                 (long long)schema->n_children, ARMI_COLUMNS_MAX);
    if (schema->n_children > 0 && schema->children == NULL)
        return malformed(importer, field, "children are missing");
    ARMI_TRY(armi_field_alloc_children(field, (size_t)schema->n_children, importer->err));
    for (size_t i = 0; i < field->child_count; i++)
        ARMI_TRY(
            import_field(importer, schema->children[i], depth + 1, &field->children[i]));
    return check_children(importer, field);
}

/* The plain field that was read is the index type; the field becomes the dictionary
 * around it. */
static enum armi_status import_dictionary(struct importer *importer,
                                          const struct ArrowSchema *schema, unsigned depth,
                                          struct armi_field *field)
{
    enum armi_type index = field->type;
    if (!armi_type_is_integer(index))
        return malformed(importer, field, "a dictionary's index type is not an integer");
    field->type = ARMI_TYPE_DICTIONARY;
    field->ordered = (schema->flags & ARROW_FLAG_DICTIONARY_ORDERED) != 0;
    ARMI_TRY(armi_field_alloc_children(field, 2, importer->err));
    ARMI_TRY(armi_field_init(&field->children[0], "", index, importer->err));
    struct armi_field *value = &field->children[1];
    ARMI_TRY(import_field(importer, schema->dictionary, depth + 1, value));
    /* Neither has a meaning here, and producers differ: one form keeps equal schemas
     * equal. */
    value->nullable = true;
    return armi_field_set_name(value, "", importer->err);
}

/* On failure *out may be partly filled: the outermost caller releases. */
static enum armi_status import_field(struct importer *importer,
                                     const struct ArrowSchema *schema, unsigned depth,
                                     struct armi_field *out)
{
    struct armi_error *err = importer->err;
    if (schema == NULL || schema->release == NULL || schema->format == NULL)
        return armi_error_set(err, ARMI_INVALID,
                              "malformed Arrow schema: a field is missing or released");
    const char *name = schema->name != NULL ? schema->name : "";
    if (!armi_utf8_valid((const uint8_t *)name, strlen(name)))
        return armi_error_set(err, ARMI_INVALID, "a column's name is not valid UTF-8");
    if (depth == 1)
        importer->column = name;
    if (depth > ARMI_NESTING_MAX + 1)
        return armi_error_object(err, ARMI_LIMIT, "column", importer->column,
                                 "column '%s': nested deeper than %d levels",
                                 importer->column, ARMI_NESTING_MAX);
    if (++importer->fields > FIELDS_MAX)
        return armi_error_set(err, ARMI_LIMIT, "an Arrow schema of more than %u fields",
                              FIELDS_MAX);
    ARMI_TRY(armi_field_init(out, name, ARMI_TYPE_NULL, err));
    const char *timezone = NULL;
    if (!parse_format(schema->format, out, &timezone))
        return armi_error_object(err, ARMI_INVALID, "column", name,
                                 "column '%s': '%.64s' is no Arrow format string", name,
                                 schema->format);
    out->nullable = (schema->flags & ARROW_FLAG_NULLABLE) != 0;
    out->ordered =
        out->type == ARMI_TYPE_MAP && (schema->flags & ARROW_FLAG_MAP_KEYS_SORTED) != 0;
    ARMI_TRY(armi_field_set_timezone(out, timezone, err));
    ARMI_TRY(import_metadata(importer, schema->metadata, name, &out->metadata));
    if (schema->dictionary != NULL)
        return import_dictionary(importer, schema, depth, out);
    return import_children(importer, schema, depth, out);
}

static enum armi_status import_root(const struct ArrowSchema *schema, unsigned depth,
                                    struct armi_field *out, struct armi_error *err)
{
    struct importer importer = {0, err, ""};
    struct armi_field field = ARMI_FIELD_INIT;
    enum armi_status status = import_field(&importer, schema, depth, &field);
    if (status != ARMI_OK) {
        armi_field_release(&field);
        return status;
    }
    *out = field;
    return ARMI_OK;
}

/* A schema is level 0, so that a column is level 1 whichever way it comes. */
enum armi_status armi_field_import(const struct ArrowSchema *schema, struct armi_field *out,
                                   struct armi_error *err)
{
    return import_root(schema, 1, out, err);
}

enum armi_status armi_field_import_schema(const struct ArrowSchema *schema,
                                          struct armi_field *out, struct armi_error *err)
{
    struct armi_field field;
    ARMI_TRY(import_root(schema, 0, &field, err));
    enum armi_status status = ARMI_OK;
    if (field.type != ARMI_TYPE_STRUCT)
        status =
            armi_error_set(err, ARMI_INVALID,
                           "the data is a column of type %s, not a table: its Arrow schema "
                           "must be a struct of columns",
                           armi_type_name(field.type));
    if (status == ARMI_OK)
        status = armi_field_set_name(&field, "", err);
    if (status != ARMI_OK) {
        armi_field_release(&field);
        return status;
    }
    field.nullable = false;
    *out = field;
    return ARMI_OK;
}
