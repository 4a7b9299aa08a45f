/*
 * The life of a field and the questions that can be asked of it. What depends on the type
 * alone stands in one table, so that a new type is added in one place here.
 */
#include "arrow/field.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"

struct type_info {
    const char *name;
    enum armi_layout layout;
    uint8_t width; /* bytes of a value; 0 where there is none or a parameter says it */
};

static const struct type_info type_infos[ARMI_TYPE_COUNT] = {
    [ARMI_TYPE_NULL] = {"null", ARMI_LAYOUT_NULL, 0},
    [ARMI_TYPE_BOOL] = {"bool", ARMI_LAYOUT_BITS, 0},
    [ARMI_TYPE_INT8] = {"int8", ARMI_LAYOUT_FIXED, 1},
    [ARMI_TYPE_INT16] = {"int16", ARMI_LAYOUT_FIXED, 2},
    [ARMI_TYPE_INT32] = {"int32", ARMI_LAYOUT_FIXED, 4},
    [ARMI_TYPE_INT64] = {"int64", ARMI_LAYOUT_FIXED, 8},
    [ARMI_TYPE_UINT8] = {"uint8", ARMI_LAYOUT_FIXED, 1},
    [ARMI_TYPE_UINT16] = {"uint16", ARMI_LAYOUT_FIXED, 2},
    [ARMI_TYPE_UINT32] = {"uint32", ARMI_LAYOUT_FIXED, 4},
    [ARMI_TYPE_UINT64] = {"uint64", ARMI_LAYOUT_FIXED, 8},
    [ARMI_TYPE_FLOAT16] = {"float16", ARMI_LAYOUT_FIXED, 2},
    [ARMI_TYPE_FLOAT32] = {"float32", ARMI_LAYOUT_FIXED, 4},
    [ARMI_TYPE_FLOAT64] = {"float64", ARMI_LAYOUT_FIXED, 8},
    [ARMI_TYPE_DECIMAL32] = {"decimal32", ARMI_LAYOUT_FIXED, 4},
    [ARMI_TYPE_DECIMAL64] = {"decimal64", ARMI_LAYOUT_FIXED, 8},
    [ARMI_TYPE_DECIMAL128] = {"decimal128", ARMI_LAYOUT_FIXED, 16},
    [ARMI_TYPE_DECIMAL256] = {"decimal256", ARMI_LAYOUT_FIXED, 32},
    [ARMI_TYPE_DATE32] = {"date32", ARMI_LAYOUT_FIXED, 4},
    [ARMI_TYPE_DATE64] = {"date64", ARMI_LAYOUT_FIXED, 8},
    [ARMI_TYPE_TIME32] = {"time32", ARMI_LAYOUT_FIXED, 4},
    [ARMI_TYPE_TIME64] = {"time64", ARMI_LAYOUT_FIXED, 8},
    [ARMI_TYPE_TIMESTAMP] = {"timestamp", ARMI_LAYOUT_FIXED, 8},
    [ARMI_TYPE_DURATION] = {"duration", ARMI_LAYOUT_FIXED, 8},
    [ARMI_TYPE_INTERVAL_MONTHS] = {"interval_months", ARMI_LAYOUT_FIXED, 4},
    [ARMI_TYPE_INTERVAL_DAY_TIME] = {"interval_day_time", ARMI_LAYOUT_FIXED, 8},
    [ARMI_TYPE_INTERVAL_MONTH_DAY_NANO] = {"interval_month_day_nano", ARMI_LAYOUT_FIXED,
                                           16},
    [ARMI_TYPE_FIXED_BINARY] = {"fixed_size_binary", ARMI_LAYOUT_FIXED, 0},
    [ARMI_TYPE_BINARY] = {"binary", ARMI_LAYOUT_BINARY32, 0},
    [ARMI_TYPE_LARGE_BINARY] = {"large_binary", ARMI_LAYOUT_BINARY64, 0},
    [ARMI_TYPE_BINARY_VIEW] = {"binary_view", ARMI_LAYOUT_VIEW, 16},
    [ARMI_TYPE_UTF8] = {"utf8", ARMI_LAYOUT_BINARY32, 0},
    [ARMI_TYPE_LARGE_UTF8] = {"large_utf8", ARMI_LAYOUT_BINARY64, 0},
    [ARMI_TYPE_UTF8_VIEW] = {"utf8_view", ARMI_LAYOUT_VIEW, 16},
    [ARMI_TYPE_LIST] = {"list", ARMI_LAYOUT_LIST32, 0},
    [ARMI_TYPE_LARGE_LIST] = {"large_list", ARMI_LAYOUT_LIST64, 0},
    [ARMI_TYPE_FIXED_LIST] = {"fixed_size_list", ARMI_LAYOUT_FIXED_LIST, 0},
    [ARMI_TYPE_LIST_VIEW] = {"list_view", ARMI_LAYOUT_LIST_VIEW32, 0},
    [ARMI_TYPE_LARGE_LIST_VIEW] = {"large_list_view", ARMI_LAYOUT_LIST_VIEW64, 0},
    [ARMI_TYPE_MAP] = {"map", ARMI_LAYOUT_LIST32, 0},
    [ARMI_TYPE_STRUCT] = {"struct", ARMI_LAYOUT_STRUCT, 0},
    [ARMI_TYPE_DICTIONARY] = {"dictionary", ARMI_LAYOUT_DICTIONARY, 0},
    [ARMI_TYPE_RUN_END] = {"run_end_encoded", ARMI_LAYOUT_RUN_END, 0},
    [ARMI_TYPE_SPARSE_UNION] = {"sparse_union", ARMI_LAYOUT_UNION, 0},
    [ARMI_TYPE_DENSE_UNION] = {"dense_union", ARMI_LAYOUT_UNION, 0},
};

/* ---- life ---- */

enum armi_status armi_field_init(struct armi_field *field, const char *name,
                                 enum armi_type type, struct armi_error *err)
{
    char *copy = armi_strdup(name != NULL ? name : "");
    if (copy == NULL)
        return armi_error_no_memory(err);
    *field = (struct armi_field){.name = copy, .type = type, .nullable = true, .id = -1};
    return ARMI_OK;
}

enum armi_status armi_field_init_schema(struct armi_field *field, struct armi_error *err)
{
    ARMI_TRY(armi_field_init(field, "", ARMI_TYPE_STRUCT, err));
    field->nullable = false;
    return ARMI_OK;
}

void armi_field_release(struct armi_field *field)
{
    for (size_t i = 0; i < field->child_count; i++)
        armi_field_release(&field->children[i]);
    armi_free(field->children);
    armi_free(field->name);
    armi_free(field->timezone);
    armi_metadata_release(&field->metadata);
    *field = (struct armi_field)ARMI_FIELD_INIT;
}

enum armi_status armi_field_copy(const struct armi_field *field, struct armi_field *out,
                                 struct armi_error *err)
{
    enum armi_status status;
    struct armi_field copy;
    ARMI_TRY(armi_field_init(&copy, field->name, field->type, err));
    copy.unit = field->unit;
    copy.nullable = field->nullable;
    copy.ordered = field->ordered;
    copy.width = field->width;
    copy.precision = field->precision;
    copy.scale = field->scale;
    copy.id = field->id;
    status = armi_field_set_timezone(&copy, field->timezone, err);
    if (status == ARMI_OK)
        status = armi_metadata_copy(&field->metadata, &copy.metadata, err);
    if (status == ARMI_OK)
        status = armi_field_alloc_children(&copy, field->child_count, err);
    for (size_t i = 0; status == ARMI_OK && i < field->child_count; i++)
        status = armi_field_copy(&field->children[i], &copy.children[i], err);
    if (status != ARMI_OK) {
        armi_field_release(&copy);
        return status;
    }
    *out = copy;
    return ARMI_OK;
}

void armi_field_move(struct armi_field *field, struct armi_field *out)
{
    *out = *field;
    *field = (struct armi_field)ARMI_FIELD_INIT;
}

static enum armi_status text_replace(char **place, const char *text, struct armi_error *err)
{
    char *copy = NULL;
    if (text != NULL) {
        copy = armi_strdup(text);
        if (copy == NULL)
            return armi_error_no_memory(err);
    }
    armi_free(*place);
    *place = copy;
    return ARMI_OK;
}

enum armi_status armi_field_set_name(struct armi_field *field, const char *name,
                                     struct armi_error *err)
{
    return text_replace(&field->name, name != NULL ? name : "", err);
}

enum armi_status armi_field_set_timezone(struct armi_field *field, const char *timezone,
                                         struct armi_error *err)
{
    if (timezone != NULL && timezone[0] == '\0')
        timezone = NULL;
    return text_replace(&field->timezone, timezone, err);
}

enum armi_status armi_field_alloc_children(struct armi_field *field, size_t count,
                                           struct armi_error *err)
{
    assert(field->child_count == 0);
    if (count == 0)
        return ARMI_OK;
    struct armi_field *children = armi_alloc_array(count, sizeof *children);
    if (children == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < count; i++)
        children[i] = (struct armi_field)ARMI_FIELD_INIT;
    field->children = children;
    field->child_count = count;
    return ARMI_OK;
}

enum armi_status armi_field_add_child(struct armi_field *field, struct armi_field *child,
                                      struct armi_error *err)
{
    size_t size = field->child_count * sizeof *field->children;
    struct armi_field *children =
        armi_realloc(field->children, size, size + sizeof *children);
    if (children == NULL)
        return armi_error_no_memory(err);
    field->children = children;
    armi_field_move(child, &children[field->child_count++]);
    return ARMI_OK;
}

void armi_field_remove_child(struct armi_field *field, size_t i)
{
    assert(i < field->child_count);
    armi_field_release(&field->children[i]);
    field->child_count--;
    memmove(&field->children[i], &field->children[i + 1],
            (field->child_count - i) * sizeof *field->children);
}

enum armi_status armi_field_project(const struct armi_field *schema, const size_t *indices,
                                    size_t count, struct armi_field *out,
                                    struct armi_error *err)
{
    struct armi_field result;
    ARMI_TRY(armi_field_init_schema(&result, err));
    result.nullable = schema->nullable;
    result.id = schema->id;
    enum armi_status status = armi_metadata_copy(&schema->metadata, &result.metadata, err);
    if (status == ARMI_OK)
        status = armi_field_alloc_children(&result, count, err);
    for (size_t i = 0; status == ARMI_OK && i < count; i++) {
        assert(indices[i] < schema->child_count);
        status = armi_field_copy(&schema->children[indices[i]], &result.children[i], err);
    }
    if (status != ARMI_OK) {
        armi_field_release(&result);
        return status;
    }
    *out = result;
    return ARMI_OK;
}

/* ---- questions ---- */

static bool text_equal(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* in_map: the struct under a map, whose members' names are convention only. */
static bool field_equal(const struct armi_field *a, const struct armi_field *b,
                        unsigned flags, bool name_counts, bool in_map)
{
    if (a->type != b->type || a->unit != b->unit || a->ordered != b->ordered ||
        a->width != b->width || a->precision != b->precision || a->scale != b->scale ||
        a->child_count != b->child_count || !text_equal(a->timezone, b->timezone))
        return false;
    if ((name_counts || (flags & ARMI_EQUAL_NAMES)) && !text_equal(a->name, b->name))
        return false;
    if ((flags & ARMI_EQUAL_NULLABLE) && a->nullable != b->nullable)
        return false;
    if ((flags & ARMI_EQUAL_IDS) && a->id != b->id)
        return false;
    if ((flags & ARMI_EQUAL_METADATA) && !armi_metadata_equal(&a->metadata, &b->metadata))
        return false;
    bool names = a->type == ARMI_TYPE_STRUCT && !in_map;
    for (size_t i = 0; i < a->child_count; i++) {
        if (!field_equal(&a->children[i], &b->children[i], flags, names,
                         a->type == ARMI_TYPE_MAP))
            return false;
    }
    return true;
}

bool armi_field_equal(const struct armi_field *a, const struct armi_field *b,
                      unsigned flags)
{
    return field_equal(a, b, flags, false, false);
}

int64_t armi_field_find(const struct armi_field *schema, const char *name)
{
    for (size_t i = 0; i < schema->child_count; i++) {
        if (strcmp(schema->children[i].name, name) == 0)
            return (int64_t)i;
    }
    return -1;
}

int64_t armi_field_find_id(const struct armi_field *schema, int32_t id)
{
    for (size_t i = 0; id >= 0 && i < schema->child_count; i++) {
        if (schema->children[i].id == id)
            return (int64_t)i;
    }
    return -1;
}

static enum armi_status check_carried_type(const struct armi_field *field,
                                           const char *column, struct armi_error *err)
{
    if (armi_type_layout(field->type) == ARMI_LAYOUT_UNION)
        return armi_error_object(err, ARMI_UNSUPPORTED, "column", column,
                                 "column '%s': type %s is not supported", column,
                                 armi_type_name(field->type));
    if (field->type == ARMI_TYPE_FIXED_BINARY && field->width == 0)
        return armi_error_object(
            err, ARMI_UNSUPPORTED, "column", column,
            "column '%s': fixed-size binary of 0 bytes is not supported", column);
    for (size_t i = 0; i < field->child_count; i++)
        ARMI_TRY(check_carried_type(&field->children[i], column, err));
    return ARMI_OK;
}

enum armi_status armi_field_check_carried(const struct armi_field *schema,
                                          struct armi_error *err)
{
    struct armi_map names;
    armi_map_init(&names, (uint64_t)(uintptr_t)schema);
    enum armi_status status = ARMI_OK;
    for (size_t i = 0; status == ARMI_OK && i < schema->child_count; i++) {
        const char *name = schema->children[i].name;
        struct armi_slice key = {(const uint8_t *)name, strlen(name)};
        uint64_t *value;
        bool is_new = true;
        status = armi_map_insert(&names, key, &value, &is_new, err);
        if (status == ARMI_OK && !is_new)
            status =
                armi_error_object(err, ARMI_INVALID, "column", name,
                                  "column '%s' occurs twice: rename one of them", name);
        if (status == ARMI_OK)
            status = check_carried_type(&schema->children[i], name, err);
    }
    armi_map_release(&names);
    return status;
}

const char *armi_type_name(enum armi_type type)
{
    return (unsigned)type < ARMI_TYPE_COUNT ? type_infos[type].name : "unknown";
}

enum armi_layout armi_type_layout(enum armi_type type)
{
    assert((unsigned)type < ARMI_TYPE_COUNT);
    return type_infos[type].layout;
}

int32_t armi_field_byte_width(const struct armi_field *field)
{
    if (field->type == ARMI_TYPE_FIXED_BINARY)
        return field->width;
    if (field->type == ARMI_TYPE_DICTIONARY)
        return armi_field_byte_width(&field->children[0]);
    return type_infos[field->type].width;
}

bool armi_type_is_fixed_width(enum armi_type type)
{
    return armi_type_layout(type) == ARMI_LAYOUT_FIXED;
}

bool armi_type_is_binary(enum armi_type type)
{
    return type >= ARMI_TYPE_BINARY && type <= ARMI_TYPE_UTF8_VIEW;
}

bool armi_type_is_utf8(enum armi_type type)
{
    return type >= ARMI_TYPE_UTF8 && type <= ARMI_TYPE_UTF8_VIEW;
}

bool armi_type_is_nested(enum armi_type type)
{
    return (type >= ARMI_TYPE_LIST && type <= ARMI_TYPE_STRUCT) ||
           type == ARMI_TYPE_SPARSE_UNION || type == ARMI_TYPE_DENSE_UNION;
}

bool armi_type_is_integer(enum armi_type type)
{
    return type >= ARMI_TYPE_INT8 && type <= ARMI_TYPE_UINT64;
}

bool armi_type_is_signed(enum armi_type type)
{
    return type >= ARMI_TYPE_INT8 && type <= ARMI_TYPE_INT64;
}

int64_t armi_type_integer_max(enum armi_type type)
{
    assert(armi_type_is_integer(type));
    int bits = 8 * type_infos[type].width - (armi_type_is_signed(type) ? 1 : 0);
    return bits >= 63 ? INT64_MAX : ((int64_t)1 << bits) - 1;
}

bool armi_type_is_float(enum armi_type type)
{
    return type >= ARMI_TYPE_FLOAT16 && type <= ARMI_TYPE_FLOAT64;
}

bool armi_type_is_decimal(enum armi_type type)
{
    return type >= ARMI_TYPE_DECIMAL32 && type <= ARMI_TYPE_DECIMAL256;
}

bool armi_type_has_unit(enum armi_type type)
{
    return type >= ARMI_TYPE_TIME32 && type <= ARMI_TYPE_DURATION;
}

const struct armi_field *armi_field_value(const struct armi_field *field)
{
    while (field->type == ARMI_TYPE_DICTIONARY || field->type == ARMI_TYPE_RUN_END)
        field = &field->children[1];
    return field;
}
