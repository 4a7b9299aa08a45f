/*
 * A file's schema elements as Arrow. The elements are a tree in depth-first order that counts its
 * children; lists and maps come in the shapes that writers have used over the years:
 *
 *   LIST    group a (LIST) { repeated group list { <item> element } }
 *   2-level group a (LIST) { repeated <item> array }: where the repeated one is no group, or has
 *           several members, or one that is repeated, or is named "array" or "a_tuple", or is a list
 *           or map itself
 *   bare    repeated <item> a
 *   MAP     group a (MAP or MAP_KEY_VALUE) { repeated group { key; value } }; without a value it is
 *           a list of the keys
 */
#include "parquet/parquet_types.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "parquet/arrow_ipc_schema.h"

#define PATH_MAX_STEPS (2 * ARMI_NESTING_MAX + 4)

struct build {
    const struct armi_pq_file_meta *meta;
    struct armi_pq_schema *schema;
    uint32_t next; /* element */
    struct armi_slice path[PATH_MAX_STEPS];
    uint32_t depth;
    uint32_t level; /* of recursion */
    uint32_t top;
    struct armi_error *err;
};

/* Where in the tree of nodes something is made. */
struct place {
    uint32_t parent;
    uint16_t def, rep;
    const struct armi_field *hint; /* nullable */
    bool as_item;                  /* its own repetition is already used up */
};

static enum armi_status element_read(struct build *b, struct place at,
                                     struct armi_field *field, uint32_t *out);

static bool has_annotation(const struct armi_pq_schema_element *e, int logical,
                           int converted)
{
    return (ARMI_PQ_HAS(e, 10) && ARMI_PQ_HAS(&e->logical, logical)) ||
           (ARMI_PQ_HAS(e, 6) && e->converted == converted);
}

static bool is_list(const struct armi_pq_schema_element *e)
{
    return has_annotation(e, ARMI_PQ_LOGICAL_LIST, ARMI_PQ_CONVERTED_LIST);
}

static bool is_map(const struct armi_pq_schema_element *e)
{
    return has_annotation(e, ARMI_PQ_LOGICAL_MAP, ARMI_PQ_CONVERTED_MAP) ||
           (ARMI_PQ_HAS(e, 6) && e->converted == ARMI_PQ_CONVERTED_MAP_KEY_VALUE);
}

static bool is_group(const struct armi_pq_schema_element *e)
{
    return e->child_count > 0 || !ARMI_PQ_HAS(e, 1);
}

static bool is_repeated(const struct armi_pq_schema_element *e)
{
    return ARMI_PQ_HAS(e, 3) && e->repetition == ARMI_PQ_REPEATED;
}

/* ---- names ---- */

static enum armi_status field_init(struct build *b, struct armi_slice name,
                                   enum armi_type type, struct armi_field *out)
{
    if (name.size > 0 &&
        (memchr(name.data, 0, name.size) != NULL || !armi_utf8_valid(name.data, name.size)))
        return armi_error_set(b->err, ARMI_CORRUPTION,
                              "the schema has a name that is not UTF-8 text");
    char *text = armi_strndup(name.size > 0 ? (const char *)name.data : "", name.size);
    if (text == NULL)
        return armi_error_no_memory(b->err);
    enum armi_status status = armi_field_init(out, text, type, b->err);
    armi_free(text);
    return status;
}

/* What the type itself does not say: names inside lists and maps, metadata. */
static enum armi_status take_hint(struct build *b, const struct armi_field *hint,
                                  bool take_name, struct armi_field *field)
{
    if (hint == NULL)
        return ARMI_OK;
    if (take_name)
        ARMI_TRY(armi_field_set_name(field, hint->name, b->err));
    armi_metadata_release(&field->metadata);
    return armi_metadata_copy(&hint->metadata, &field->metadata, b->err);
}

/* ---- leaves: types as Parquet says them ---- */

static enum armi_status int_type(struct build *b, const struct armi_pq_schema_element *e,
                                 enum armi_type *out)
{
    static const struct {
        int converted;
        int8_t bits;
        bool is_signed;
        enum armi_type type;
    } rows[] = {
        {ARMI_PQ_CONVERTED_INT_8, 8, true, ARMI_TYPE_INT8},
        {ARMI_PQ_CONVERTED_INT_16, 16, true, ARMI_TYPE_INT16},
        {ARMI_PQ_CONVERTED_INT_32, 32, true, ARMI_TYPE_INT32},
        {ARMI_PQ_CONVERTED_INT_64, 64, true, ARMI_TYPE_INT64},
        {ARMI_PQ_CONVERTED_UINT_8, 8, false, ARMI_TYPE_UINT8},
        {ARMI_PQ_CONVERTED_UINT_16, 16, false, ARMI_TYPE_UINT16},
        {ARMI_PQ_CONVERTED_UINT_32, 32, false, ARMI_TYPE_UINT32},
        {ARMI_PQ_CONVERTED_UINT_64, 64, false, ARMI_TYPE_UINT64},
    };
    (void)b;
    bool logical = ARMI_PQ_HAS(e, 10) && ARMI_PQ_HAS(&e->logical, ARMI_PQ_LOGICAL_INTEGER);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool hit = logical ? rows[i].bits == e->logical.integer.bit_width &&
                                 rows[i].is_signed == e->logical.integer.is_signed
                           : ARMI_PQ_HAS(e, 6) && e->converted == rows[i].converted;
        if (hit)
            *out = rows[i].type;
    }
    return ARMI_OK;
}

/* A decimal's type and digits; a field that is not one is left alone. */
static void try_decimal(const struct armi_pq_schema_element *e, struct armi_field *field)
{
    bool logical = ARMI_PQ_HAS(e, 10) && ARMI_PQ_HAS(&e->logical, ARMI_PQ_LOGICAL_DECIMAL);
    if (!logical && !(ARMI_PQ_HAS(e, 6) && e->converted == ARMI_PQ_CONVERTED_DECIMAL))
        return;
    int32_t precision = logical ? e->logical.decimal.precision : e->precision;
    int32_t scale = logical ? e->logical.decimal.scale : e->scale;
    if (precision < 1 || precision > 76 || scale < 0 || scale > precision)
        return;
    field->type = precision <= 38 ? ARMI_TYPE_DECIMAL128 : ARMI_TYPE_DECIMAL256;
    field->precision = precision;
    field->scale = scale;
}

static enum armi_unit unit_of(const struct armi_pq_schema_element *e, bool is_milli)
{
    const struct armi_pq_time_unit *unit = &e->logical.time.unit;
    if (!ARMI_PQ_HAS(e, 10) || e->logical.time.unit.present == 0)
        return is_milli ? ARMI_UNIT_MILLI : ARMI_UNIT_MICRO;
    return ARMI_PQ_HAS(unit, 1)   ? ARMI_UNIT_MILLI
           : ARMI_PQ_HAS(unit, 2) ? ARMI_UNIT_MICRO
                                  : ARMI_UNIT_NANO;
}

static enum armi_status try_time(struct build *b, const struct armi_pq_schema_element *e,
                                 struct armi_field *field)
{
    bool is_milli =
        ARMI_PQ_HAS(e, 6) && (e->converted == ARMI_PQ_CONVERTED_TIME_MILLIS ||
                              e->converted == ARMI_PQ_CONVERTED_TIMESTAMP_MILLIS);
    if (has_annotation(e, ARMI_PQ_LOGICAL_TIME, ARMI_PQ_CONVERTED_TIME_MILLIS) ||
        has_annotation(e, ARMI_PQ_LOGICAL_TIME, ARMI_PQ_CONVERTED_TIME_MICROS)) {
        field->unit = unit_of(e, is_milli);
        field->type = field->unit == ARMI_UNIT_MILLI ? ARMI_TYPE_TIME32 : ARMI_TYPE_TIME64;
        return ARMI_OK;
    }
    bool is_timestamp =
        has_annotation(e, ARMI_PQ_LOGICAL_TIMESTAMP, ARMI_PQ_CONVERTED_TIMESTAMP_MILLIS) ||
        has_annotation(e, ARMI_PQ_LOGICAL_TIMESTAMP, ARMI_PQ_CONVERTED_TIMESTAMP_MICROS);
    if (!is_timestamp)
        return ARMI_OK;
    bool logical =
        ARMI_PQ_HAS(e, 10) && ARMI_PQ_HAS(&e->logical, ARMI_PQ_LOGICAL_TIMESTAMP);
    field->type = ARMI_TYPE_TIMESTAMP;
    field->unit = unit_of(e, is_milli);
    if (!logical || e->logical.time.is_utc)
        return armi_field_set_timezone(field, "UTC", b->err);
    return ARMI_OK;
}

static bool is_text(const struct armi_pq_schema_element *e)
{
    return has_annotation(e, ARMI_PQ_LOGICAL_STRING, ARMI_PQ_CONVERTED_UTF8) ||
           has_annotation(e, ARMI_PQ_LOGICAL_ENUM, ARMI_PQ_CONVERTED_ENUM) ||
           has_annotation(e, ARMI_PQ_LOGICAL_JSON, ARMI_PQ_CONVERTED_JSON);
}

static enum armi_status extension_set(struct build *b, struct armi_field *field,
                                      const char *name)
{
    struct armi_slice value = {(const uint8_t *)name, strlen(name)};
    return armi_metadata_set(&field->metadata, "ARROW:extension:name", value, b->err);
}

/* The physical type alone, which is what an annotation that is not known falls back on. */
static enum armi_type physical_default(const struct armi_pq_leaf *leaf)
{
    static const enum armi_type types[] = {
        [ARMI_PQ_BOOLEAN] = ARMI_TYPE_BOOL,      [ARMI_PQ_INT32] = ARMI_TYPE_INT32,
        [ARMI_PQ_INT64] = ARMI_TYPE_INT64,       [ARMI_PQ_INT96] = ARMI_TYPE_TIMESTAMP,
        [ARMI_PQ_FLOAT] = ARMI_TYPE_FLOAT32,     [ARMI_PQ_DOUBLE] = ARMI_TYPE_FLOAT64,
        [ARMI_PQ_BYTE_ARRAY] = ARMI_TYPE_BINARY, [ARMI_PQ_FIXED] = ARMI_TYPE_FIXED_BINARY,
    };
    return types[leaf->physical];
}

static void field_default(const struct armi_pq_leaf *leaf, struct armi_field *field)
{
    field->type = physical_default(leaf);
    field->unit = leaf->physical == ARMI_PQ_INT96 ? ARMI_UNIT_MICRO : ARMI_UNIT_SECOND;
    field->width = leaf->physical == ARMI_PQ_FIXED ? leaf->type_length : 0;
    field->precision = field->scale = 0;
    armi_free(field->timezone);
    field->timezone = NULL;
}

static enum armi_status leaf_type(struct build *b, struct armi_pq_leaf *leaf,
                                  const struct armi_pq_schema_element *e,
                                  struct armi_field *field)
{
    field_default(leaf, field);
    if (has_annotation(e, ARMI_PQ_LOGICAL_UNKNOWN, -1))
        field->type = ARMI_TYPE_NULL;
    else if (has_annotation(e, ARMI_PQ_LOGICAL_DATE, ARMI_PQ_CONVERTED_DATE))
        field->type = ARMI_TYPE_DATE32;
    else if (ARMI_PQ_HAS(e, 10) && ARMI_PQ_HAS(&e->logical, ARMI_PQ_LOGICAL_FLOAT16))
        field->type = ARMI_TYPE_FLOAT16;
    else if (leaf->physical == ARMI_PQ_BYTE_ARRAY && is_text(e))
        field->type = ARMI_TYPE_UTF8;
    ARMI_TRY(int_type(b, e, &field->type));
    try_decimal(e, field);
    ARMI_TRY(try_time(b, e, field));
    if (field->type == ARMI_TYPE_FLOAT16 || armi_type_is_decimal(field->type))
        field->width = 0;
    if (!armi_pq_leaf_bind(leaf, e, field)) { /* the annotation does not go with the type */
        field_default(leaf, field);
        if (!armi_pq_leaf_bind(leaf, e, field))
            return armi_error_set(b->err, ARMI_UNSUPPORTED,
                                  "column \"%s\" has a type unknown here", field->name);
    }
    if (field->type == ARMI_TYPE_FIXED_BINARY && field->width == 16 && ARMI_PQ_HAS(e, 10) &&
        ARMI_PQ_HAS(&e->logical, ARMI_PQ_LOGICAL_UUID))
        return extension_set(b, field, "arrow.uuid");
    if (field->type == ARMI_TYPE_UTF8 &&
        has_annotation(e, ARMI_PQ_LOGICAL_JSON, ARMI_PQ_CONVERTED_JSON))
        return extension_set(b, field, "arrow.json");
    return ARMI_OK;
}

/* The hint's type in place of the default one, where the stored values can be it. */
static enum armi_status leaf_hint(struct build *b, struct armi_pq_leaf *leaf,
                                  const struct armi_pq_schema_element *e, struct place at,
                                  struct armi_field *field)
{
    struct armi_field exact = ARMI_FIELD_INIT;
    if (at.hint == NULL || armi_type_is_nested(armi_field_value(at.hint)->type))
        return ARMI_OK;
    bool was_null = leaf->convert == ARMI_PQ_NULL;
    if (was_null != (armi_field_value(at.hint)->type == ARMI_TYPE_NULL))
        return ARMI_OK;
    if (!armi_pq_leaf_bind(leaf, e, at.hint))
        return ARMI_OK;
    ARMI_TRY(armi_field_copy(at.hint, &exact, b->err));
    enum armi_status status = armi_field_set_name(&exact, field->name, b->err);
    if (status != ARMI_OK) {
        armi_field_release(&exact);
        return status;
    }
    exact.id = field->id;
    if (!was_null)
        exact.nullable = field->nullable;
    armi_field_release(field);
    armi_field_move(&exact, field);
    return ARMI_OK;
}

static enum armi_status leaf_read(struct build *b, const struct armi_pq_schema_element *e,
                                  struct place at, uint32_t index, struct armi_field *field)
{
    struct armi_pq_schema *s = b->schema;
    struct armi_pq_node *node = &s->nodes[index];
    if (e->type < ARMI_PQ_BOOLEAN || e->type > ARMI_PQ_FIXED)
        return armi_error_set(b->err, ARMI_CORRUPTION,
                              "column \"%s\" has the physical type %d", field->name,
                              e->type);
    if (e->type == ARMI_PQ_FIXED && (!ARMI_PQ_HAS(e, 2) || e->type_length < 0))
        return armi_error_set(b->err, ARMI_CORRUPTION,
                              "column \"%s\" has values of %d bytes", field->name,
                              e->type_length);
    struct armi_pq_leaf *leaf = &s->leaves[s->leaf_count];
    *leaf = (struct armi_pq_leaf){
        .index = s->leaf_count,
        .node = index,
        .top = b->top,
        .physical = (enum armi_pq_type)e->type,
        .type_length = e->type == ARMI_PQ_FIXED ? e->type_length : 0,
        .max_def = node->def_present,
        .max_rep = node->rep,
        .has_order = e->type != ARMI_PQ_INT96,
        .field_id = field->id,
        .path_count = b->depth,
        .element = (uint32_t)(e - b->meta->schema.items),
        .logical = e->logical,
        .converted = ARMI_PQ_HAS(e, 6) ? e->converted : -1,
        .field = field,
    };
    ARMI_TRY(leaf_type(b, leaf, e, field));
    ARMI_TRY(leaf_hint(b, leaf, e, at, field));
    const struct armi_field *value = armi_field_value(field);
    leaf->is_unsigned =
        armi_type_is_integer(value->type) && !armi_type_is_signed(value->type);
    leaf->path = armi_pq_arena_alloc(&s->arena, b->depth, sizeof *leaf->path);
    if (leaf->path == NULL)
        return armi_error_no_memory(b->err);
    memcpy(leaf->path, b->path, b->depth * sizeof *leaf->path);
    s->leaf_count++;
    return ARMI_OK;
}

/* ---- nodes with children ---- */

static enum armi_status children_alloc(struct build *b, struct armi_pq_node *node,
                                       struct armi_field *field, size_t count)
{
    node->child_count = (uint32_t)count;
    node->children = armi_pq_arena_alloc(&b->schema->arena, count, sizeof *node->children);
    if (node->children == NULL)
        return armi_error_no_memory(b->err);
    return count > 0 ? armi_field_alloc_children(field, count, b->err) : ARMI_OK;
}

/* The next element, which `parent` says there is. */
static enum armi_status peek(struct build *b, const struct armi_pq_schema_element **out)
{
    if (b->next >= b->meta->schema.count)
        return armi_error_set(b->err, ARMI_CORRUPTION,
                              "the schema has fewer elements than it counts");
    *out = &b->meta->schema.items[b->next];
    return ARMI_OK;
}

/* By id where both have one, since names may have changed; else by name. */
static const struct armi_field *hint_child(const struct armi_field *hint,
                                           const struct armi_pq_schema_element *e,
                                           const char *name, size_t i)
{
    if (hint == NULL || hint->type != ARMI_TYPE_STRUCT)
        return NULL;
    int64_t found = -1;
    if (ARMI_PQ_HAS(e, 9) && e->field_id >= 0)
        found = armi_field_find_id(hint, e->field_id);
    if (found >= 0)
        return &hint->children[found];
    if (i < hint->child_count && strcmp(hint->children[i].name, name) == 0)
        return &hint->children[i];
    found = armi_field_find(hint, name);
    return found >= 0 ? &hint->children[found] : NULL;
}

static enum armi_status struct_read(struct build *b, const struct armi_pq_schema_element *e,
                                    struct place at, uint32_t index,
                                    struct armi_field *field)
{
    struct armi_pq_node *node = &b->schema->nodes[index];
    size_t count = (size_t)e->child_count;
    node->shape = ARMI_PQ_SHAPE_STRUCT;
    field->type = ARMI_TYPE_STRUCT;
    if (e->child_count < 0 || count > b->meta->schema.count - b->next)
        return armi_error_set(b->err, ARMI_CORRUPTION, "column \"%s\" counts %d members",
                              field->name, e->child_count);
    ARMI_TRY(children_alloc(b, node, field, count));
    const struct armi_field *hint =
        at.hint != NULL && at.hint->type == ARMI_TYPE_STRUCT ? at.hint : NULL;
    ARMI_TRY(take_hint(b, hint, false, field));
    for (size_t i = 0; i < count; i++) {
        const struct armi_pq_schema_element *child = NULL;
        ARMI_TRY(peek(b, &child));
        char name[256];
        size_t size = child->name.size < sizeof name ? child->name.size : sizeof name - 1;
        if (size > 0)
            memcpy(name, child->name.data, size);
        name[size] = '\0';
        struct place below = {index, node->def_present, node->rep,
                              hint_child(hint, child, name, i), false};
        ARMI_TRY(element_read(b, below, &field->children[i], &node->children[i]));
    }
    return ARMI_OK;
}

static bool hint_is_list(const struct armi_field *hint)
{
    if (hint == NULL)
        return false;
    switch (hint->type) {
    case ARMI_TYPE_LIST:
    case ARMI_TYPE_LARGE_LIST:
    case ARMI_TYPE_FIXED_LIST:
    case ARMI_TYPE_LIST_VIEW:
    case ARMI_TYPE_LARGE_LIST_VIEW:
        return true;
    default:
        return false;
    }
}

/* A list whose item is the next element, as it stands or with its repetition used up. */
static enum armi_status list_read(struct build *b, struct place at, uint32_t index,
                                  bool as_item, struct armi_field *field)
{
    struct armi_pq_node *node = &b->schema->nodes[index];
    const struct armi_field *hint = hint_is_list(at.hint) ? at.hint : NULL;
    node->shape = ARMI_PQ_SHAPE_LIST;
    node->def_item = (uint16_t)(node->def_present + 1);
    field->type = hint != NULL ? hint->type : ARMI_TYPE_LIST;
    field->width = hint != NULL ? hint->width : 0;
    ARMI_TRY(take_hint(b, hint, false, field));
    ARMI_TRY(children_alloc(b, node, field, 1));
    const struct armi_field *item = hint != NULL ? &hint->children[0] : NULL;
    struct place below = {index, node->def_item, (uint16_t)(node->rep + 1), item, as_item};
    ARMI_TRY(element_read(b, below, &field->children[0], &node->children[0]));
    return item != NULL ? armi_field_set_name(&field->children[0], item->name, b->err)
                        : ARMI_OK;
}

static bool name_is(struct armi_slice name, const char *text)
{
    return name.size == strlen(text) && name.size > 0 &&
           memcmp(name.data, text, name.size) == 0;
}

static bool name_is_tuple_of(struct armi_slice name, struct armi_slice list)
{
    return name.size == list.size + 6 &&
           (list.size == 0 || memcmp(name.data, list.data, list.size) == 0) &&
           memcmp(name.data + list.size, "_tuple", 6) == 0;
}

/* Whether the repeated element of a LIST group is the item itself, by the rules for old writers. */
static bool repeated_is_item(const struct build *b,
                             const struct armi_pq_schema_element *list,
                             const struct armi_pq_schema_element *repeated)
{
    if (!is_group(repeated) || repeated->child_count != 1 || is_list(repeated) ||
        is_map(repeated))
        return true;
    if (name_is(repeated->name, "array") || name_is_tuple_of(repeated->name, list->name))
        return true;
    uint32_t child = b->next + 1;
    return child < b->meta->schema.count && is_repeated(&b->meta->schema.items[child]);
}

static enum armi_status push(struct build *b, struct armi_slice name)
{
    if (b->depth >= PATH_MAX_STEPS)
        return armi_error_set(b->err, ARMI_LIMIT, "the schema is nested too deeply");
    b->path[b->depth++] = name;
    return ARMI_OK;
}

static enum armi_status annotated_list(struct build *b,
                                       const struct armi_pq_schema_element *e,
                                       struct place at, uint32_t index,
                                       struct armi_field *field)
{
    const struct armi_pq_schema_element *repeated = NULL;
    ARMI_TRY(peek(b, &repeated));
    if (repeated_is_item(b, e, repeated))
        return list_read(b, at, index, true, field);
    ARMI_TRY(push(b, repeated->name));
    b->next++;
    enum armi_status status = list_read(b, at, index, false, field);
    b->depth--;
    return status;
}

static enum armi_status map_read(struct build *b, struct place at, uint32_t index,
                                 struct armi_field *field)
{
    struct armi_pq_schema *s = b->schema;
    struct armi_pq_node *node = &s->nodes[index];
    const struct armi_field *hint =
        at.hint != NULL && at.hint->type == ARMI_TYPE_MAP ? at.hint : NULL;
    const struct armi_pq_schema_element *repeated = &b->meta->schema.items[b->next++];
    node->shape = ARMI_PQ_SHAPE_MAP;
    node->def_item = (uint16_t)(node->def_present + 1);
    field->type = ARMI_TYPE_MAP;
    field->ordered = hint != NULL && hint->ordered;
    ARMI_TRY(take_hint(b, hint, false, field));
    ARMI_TRY(children_alloc(b, node, field, 1));
    ARMI_TRY(push(b, repeated->name));
    struct armi_field *entry = &field->children[0];
    const struct armi_field *entry_hint = hint != NULL ? &hint->children[0] : NULL;
    ARMI_TRY(field_init(b, repeated->name, ARMI_TYPE_STRUCT, entry));
    ARMI_TRY(take_hint(b, entry_hint, true, entry));
    entry->nullable = false;
    if (ARMI_PQ_HAS(repeated, 9))
        entry->id = repeated->field_id;
    uint32_t pair_index = s->node_count++;
    struct armi_pq_node *pair = &s->nodes[pair_index];
    *pair = (struct armi_pq_node){.shape = ARMI_PQ_SHAPE_STRUCT,
                                  .def_present = node->def_item,
                                  .rep = (uint16_t)(node->rep + 1),
                                  .parent = index,
                                  .leaf_first = s->leaf_count,
                                  .field = entry};
    node->children[0] = pair_index;
    ARMI_TRY(children_alloc(b, pair, entry, 2));
    for (size_t i = 0; i < 2; i++) {
        const struct armi_field *part =
            entry_hint != NULL ? &entry_hint->children[i] : NULL;
        struct place below = {pair_index, pair->def_present, pair->rep, part, false};
        ARMI_TRY(element_read(b, below, &entry->children[i], &pair->children[i]));
        if (part != NULL)
            ARMI_TRY(armi_field_set_name(&entry->children[i], part->name, b->err));
    }
    entry->children[0].nullable =
        false; /* Arrow's rule; a null key is refused when it is read */
    pair->leaf_count = s->leaf_count - pair->leaf_first;
    b->depth--;
    return ARMI_OK;
}

static enum armi_status group_read(struct build *b, const struct armi_pq_schema_element *e,
                                   struct place at, uint32_t index,
                                   struct armi_field *field)
{
    const struct armi_pq_schema_element *child = NULL;
    if (e->child_count == 1)
        ARMI_TRY(peek(b, &child));
    bool wraps = child != NULL && is_repeated(child);
    if (wraps && is_map(e) && is_group(child) && child->child_count == 2)
        return map_read(b, at, index, field);
    if (wraps && (is_list(e) || (is_map(e) && is_group(child) && child->child_count == 1)))
        return annotated_list(b, e, at, index, field);
    return struct_read(b, e, at, index, field);
}

/* The next element and all below it. */
static enum armi_status element_read(struct build *b, struct place at,
                                     struct armi_field *field, uint32_t *out)
{
    struct armi_pq_schema *s = b->schema;
    const struct armi_pq_schema_element *e = NULL;
    ARMI_TRY(peek(b, &e));
    bool bare_list = !at.as_item && is_repeated(e);
    bool optional = !at.as_item && ARMI_PQ_HAS(e, 3) && e->repetition == ARMI_PQ_OPTIONAL;
    if (ARMI_PQ_HAS(e, 3) &&
        (e->repetition < ARMI_PQ_REQUIRED || e->repetition > ARMI_PQ_REPEATED))
        return armi_error_set(b->err, ARMI_CORRUPTION, "the schema has a repetition of %d",
                              e->repetition);
    if (++b->level > ARMI_NESTING_MAX + 1) /* a leaf under so many groups */
        return armi_error_set(b->err, ARMI_LIMIT,
                              "the schema is nested deeper than %d levels",
                              ARMI_NESTING_MAX);
    ARMI_TRY(field_init(b, e->name, ARMI_TYPE_NULL, field));
    field->nullable = optional;
    if (ARMI_PQ_HAS(e, 9) && !bare_list)
        field->id = e->field_id;
    uint32_t index = s->node_count++;
    struct armi_pq_node *node = &s->nodes[index];
    *node = (struct armi_pq_node){.is_optional = optional,
                                  .def_present = (uint16_t)(at.def + optional),
                                  .rep = at.rep,
                                  .parent = at.parent,
                                  .leaf_first = s->leaf_count,
                                  .field = field};
    *out = index;
    enum armi_status status;
    if (bare_list) {
        status = list_read(b, at, index, true, field);
    } else {
        b->next++;
        ARMI_TRY(push(b, e->name));
        status = is_group(e) ? group_read(b, e, at, index, field)
                             : leaf_read(b, e, at, index, field);
        b->depth--;
    }
    node->leaf_count = s->leaf_count - node->leaf_first;
    b->level--;
    return status;
}

/* ---- the root ---- */

/* The file's own pairs are the schema's metadata; what is ours or Arrow's stays inside. */
static enum armi_status root_metadata(struct build *b, const struct armi_field *hint,
                                      struct armi_field *root)
{
    if (hint != NULL)
        ARMI_TRY(armi_metadata_copy(&hint->metadata, &root->metadata, b->err));
    for (uint32_t i = 0; i < b->meta->pairs.count; i++) {
        const struct armi_pq_key_value *pair = &b->meta->pairs.items[i];
        bool inner = name_is(pair->key, "ARROW:schema") ||
                     (pair->key.size >= 5 && memcmp(pair->key.data, "armi.", 5) == 0);
        if (inner || pair->key.size == 0 ||
            memchr(pair->key.data, 0, pair->key.size) != NULL)
            continue;
        char *key = armi_strndup((const char *)pair->key.data, pair->key.size);
        if (key == NULL)
            return armi_error_no_memory(b->err);
        enum armi_status status =
            armi_metadata_set(&root->metadata, key, pair->value, b->err);
        armi_free(key);
        ARMI_TRY(status);
    }
    return ARMI_OK;
}

static enum armi_status schema_read(struct build *b, const struct armi_field *hint)
{
    struct armi_pq_schema *s = b->schema;
    size_t count = b->meta->schema.count;
    if (count == 0)
        return armi_error_set(b->err, ARMI_CORRUPTION, "the file has no schema");
    s->root = armi_alloc_zero(1, sizeof *s->root);
    if (s->root == NULL)
        return armi_error_no_memory(b->err);
    s->owns_root = true;
    ARMI_TRY(armi_field_init_schema(s->root, b->err));
    s->nodes = armi_pq_arena_alloc(&s->arena, 2 * count + 1, sizeof *s->nodes);
    s->leaves = armi_pq_arena_alloc(&s->arena, count, sizeof *s->leaves);
    if (s->nodes == NULL || s->leaves == NULL)
        return armi_error_no_memory(b->err);
    s->elements = b->meta->schema.items;
    s->element_count = b->meta->schema.count;
    const struct armi_pq_schema_element *e = &b->meta->schema.items[0];
    struct armi_pq_node *node = &s->nodes[0];
    s->node_count = 1;
    b->next = 1;
    *node = (struct armi_pq_node){.shape = ARMI_PQ_SHAPE_STRUCT, .field = s->root};
    if (e->child_count < 0 || (size_t)e->child_count > count - 1)
        return armi_error_set(b->err, ARMI_CORRUPTION, "the schema counts %d columns",
                              e->child_count);
    if (e->child_count > ARMI_COLUMNS_MAX)
        return armi_error_set(b->err, ARMI_LIMIT, "%d columns are more than %d",
                              e->child_count, ARMI_COLUMNS_MAX);
    ARMI_TRY(children_alloc(b, node, s->root, (size_t)e->child_count));
    for (size_t i = 0; i < (size_t)e->child_count; i++) {
        const struct armi_pq_schema_element *child = NULL;
        ARMI_TRY(peek(b, &child));
        char *name = armi_strndup(
            child->name.size > 0 ? (const char *)child->name.data : "", child->name.size);
        if (name == NULL)
            return armi_error_no_memory(b->err);
        struct place at = {0, 0, 0, hint_child(hint, child, name, i), false};
        armi_free(name);
        b->top = (uint32_t)i;
        ARMI_TRY(element_read(b, at, &s->root->children[i], &node->children[i]));
    }
    node->leaf_count = s->leaf_count;
    if (b->next != count)
        return armi_error_set(b->err, ARMI_CORRUPTION,
                              "the schema has %zu elements and counts %u", count, b->next);
    return root_metadata(b, hint, s->root);
}

enum armi_status armi_pq_schema_from_elements(const struct armi_pq_file_meta *meta,
                                              const struct armi_field *hint,
                                              struct armi_pq_schema *out,
                                              struct armi_error *err)
{
    struct armi_pq_schema schema = {0};
    struct build build = {.meta = meta, .schema = &schema, .err = err};
    enum armi_status status = schema_read(&build, hint);
    if (status != ARMI_OK) {
        armi_pq_schema_release(&schema);
        return status;
    }
    *out = schema;
    return ARMI_OK;
}

/* ---- ARROW:schema ---- */

static const struct armi_slice *arrow_schema_pair(const struct armi_pq_file_meta *meta)
{
    for (uint32_t i = 0; i < meta->pairs.count; i++)
        if (name_is(meta->pairs.items[i].key, "ARROW:schema"))
            return &meta->pairs.items[i].value;
    return NULL;
}

/* Whether every type has the children that its users reach for without asking. */
static bool hint_is_sound(const struct armi_field *f)
{
    size_t want = 0;
    if (hint_is_list(f) || f->type == ARMI_TYPE_MAP)
        want = 1;
    else if (f->type == ARMI_TYPE_DICTIONARY || f->type == ARMI_TYPE_RUN_END)
        want = 2;
    else if (f->type == ARMI_TYPE_STRUCT)
        want = f->child_count;
    if (f->child_count != want || f->name == NULL)
        return false;
    if (f->type == ARMI_TYPE_MAP &&
        (f->children[0].type != ARMI_TYPE_STRUCT || f->children[0].child_count != 2))
        return false;
    if ((f->type == ARMI_TYPE_DICTIONARY || f->type == ARMI_TYPE_RUN_END) &&
        !armi_type_is_integer(f->children[0].type))
        return false;
    if (f->type == ARMI_TYPE_FIXED_LIST && f->width < 0)
        return false;
    for (size_t i = 0; i < f->child_count; i++)
        if (!hint_is_sound(&f->children[i]))
            return false;
    return true;
}

/* Base64 of the message, with or without padding. A hint that cannot be read is no hint. */
static enum armi_status hint_read(struct armi_slice text, struct armi_field *out,
                                  bool *out_found, struct armi_error *err)
{
    *out_found = false;
    while (text.size > 0 && text.data[text.size - 1] == '=')
        text.size--;
    size_t size = text.size / 4 * 3 + (text.size % 4 > 1 ? text.size % 4 - 1 : 0);
    uint8_t *bytes = armi_alloc(size + 1);
    if (bytes == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = ARMI_CORRUPTION;
    if (armi_base64_decode((const char *)text.data, text.size, bytes, size))
        status = armi_ipc_schema_decode((struct armi_slice){bytes, size}, out, NULL);
    armi_free(bytes);
    if (status == ARMI_OK && !hint_is_sound(out)) {
        armi_field_release(out);
        status = ARMI_CORRUPTION;
    }
    *out_found = status == ARMI_OK;
    return status == ARMI_NO_MEMORY ? armi_error_no_memory(err) : ARMI_OK;
}

enum armi_status armi_pq_schema_from_parquet(const struct armi_pq_file_meta *meta,
                                             bool use_hint, struct armi_pq_schema *out,
                                             struct armi_error *err)
{
    const struct armi_slice *pair = use_hint ? arrow_schema_pair(meta) : NULL;
    struct armi_field hint = ARMI_FIELD_INIT;
    bool found = false;
    if (pair != NULL && pair->data != NULL)
        ARMI_TRY(hint_read(*pair, &hint, &found, err));
    enum armi_status status =
        armi_pq_schema_from_elements(meta, found ? &hint : NULL, out, err);
    armi_field_release(&hint);
    return status;
}
