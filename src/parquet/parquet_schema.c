/*
 * Arrow to Parquet: one table says what each Arrow type becomes. A column's tree is walked once, and
 * elements, nodes and leaves come out in the same depth-first order.
 */
#include "parquet/parquet_schema.h"

#include <stdio.h>
#include <string.h>

#include "arrow/field.h"
#include "base/alloc.h"
#include "base/limits.h"

/* What an Arrow type becomes. `logical` 0: none; `converted` -1: none. */
struct type_row {
    bool carried;
    enum armi_pq_type physical;
    enum armi_pq_convert convert;
    uint8_t logical;
    int8_t converted;
    uint8_t bits; /* integers: width told by the logical type */
    bool is_unsigned;
};

#define INT(bits, physical, convert, converted)                                            \
    {                                                                                      \
        true, physical, convert, ARMI_PQ_LOGICAL_INTEGER, converted, bits, false           \
    }
#define UINT(bits, physical, convert, converted)                                           \
    {                                                                                      \
        true, physical, convert, ARMI_PQ_LOGICAL_INTEGER, converted, bits, true            \
    }
#define PLAIN(physical, convert, logical, converted)                                       \
    {                                                                                      \
        true, physical, convert, logical, converted, 0, false                              \
    }

static const struct type_row type_rows[ARMI_TYPE_COUNT] = {
    [ARMI_TYPE_NULL] = PLAIN(ARMI_PQ_INT32, ARMI_PQ_NULL, ARMI_PQ_LOGICAL_UNKNOWN, -1),
    [ARMI_TYPE_BOOL] = PLAIN(ARMI_PQ_BOOLEAN, ARMI_PQ_BOOL, 0, -1),
    [ARMI_TYPE_INT8] = INT(8, ARMI_PQ_INT32, ARMI_PQ_NARROW, ARMI_PQ_CONVERTED_INT_8),
    [ARMI_TYPE_INT16] = INT(16, ARMI_PQ_INT32, ARMI_PQ_NARROW, ARMI_PQ_CONVERTED_INT_16),
    [ARMI_TYPE_INT32] = PLAIN(ARMI_PQ_INT32, ARMI_PQ_COPY, 0, -1),
    [ARMI_TYPE_INT64] = PLAIN(ARMI_PQ_INT64, ARMI_PQ_COPY, 0, -1),
    [ARMI_TYPE_UINT8] = UINT(8, ARMI_PQ_INT32, ARMI_PQ_NARROW, ARMI_PQ_CONVERTED_UINT_8),
    [ARMI_TYPE_UINT16] = UINT(16, ARMI_PQ_INT32, ARMI_PQ_NARROW, ARMI_PQ_CONVERTED_UINT_16),
    [ARMI_TYPE_UINT32] = UINT(32, ARMI_PQ_INT32, ARMI_PQ_COPY, ARMI_PQ_CONVERTED_UINT_32),
    [ARMI_TYPE_UINT64] = UINT(64, ARMI_PQ_INT64, ARMI_PQ_COPY, ARMI_PQ_CONVERTED_UINT_64),
    [ARMI_TYPE_FLOAT16] = PLAIN(ARMI_PQ_FIXED, ARMI_PQ_COPY, ARMI_PQ_LOGICAL_FLOAT16, -1),
    [ARMI_TYPE_FLOAT32] = PLAIN(ARMI_PQ_FLOAT, ARMI_PQ_COPY, 0, -1),
    [ARMI_TYPE_FLOAT64] = PLAIN(ARMI_PQ_DOUBLE, ARMI_PQ_COPY, 0, -1),
    /* Decimals: the physical type follows the precision, see leaf_decimal. */
    [ARMI_TYPE_DECIMAL32] = PLAIN(ARMI_PQ_INT32, ARMI_PQ_DECIMAL_INT,
                                  ARMI_PQ_LOGICAL_DECIMAL, ARMI_PQ_CONVERTED_DECIMAL),
    [ARMI_TYPE_DECIMAL64] = PLAIN(ARMI_PQ_INT64, ARMI_PQ_DECIMAL_INT,
                                  ARMI_PQ_LOGICAL_DECIMAL, ARMI_PQ_CONVERTED_DECIMAL),
    [ARMI_TYPE_DECIMAL128] = PLAIN(ARMI_PQ_FIXED, ARMI_PQ_DECIMAL_BYTES,
                                   ARMI_PQ_LOGICAL_DECIMAL, ARMI_PQ_CONVERTED_DECIMAL),
    [ARMI_TYPE_DECIMAL256] = PLAIN(ARMI_PQ_FIXED, ARMI_PQ_DECIMAL_BYTES,
                                   ARMI_PQ_LOGICAL_DECIMAL, ARMI_PQ_CONVERTED_DECIMAL),
    [ARMI_TYPE_DATE32] =
        PLAIN(ARMI_PQ_INT32, ARMI_PQ_COPY, ARMI_PQ_LOGICAL_DATE, ARMI_PQ_CONVERTED_DATE),
    /* As a timestamp, so that no value is lost: nothing forces date64 to whole days. */
    [ARMI_TYPE_DATE64] = PLAIN(ARMI_PQ_INT64, ARMI_PQ_COPY, ARMI_PQ_LOGICAL_TIMESTAMP, -1),
    [ARMI_TYPE_TIME32] = PLAIN(ARMI_PQ_INT32, ARMI_PQ_COPY, ARMI_PQ_LOGICAL_TIME, -1),
    [ARMI_TYPE_TIME64] = PLAIN(ARMI_PQ_INT64, ARMI_PQ_COPY, ARMI_PQ_LOGICAL_TIME, -1),
    [ARMI_TYPE_TIMESTAMP] =
        PLAIN(ARMI_PQ_INT64, ARMI_PQ_COPY, ARMI_PQ_LOGICAL_TIMESTAMP, -1),
    [ARMI_TYPE_DURATION] = PLAIN(ARMI_PQ_INT64, ARMI_PQ_COPY, 0, -1),
    [ARMI_TYPE_FIXED_BINARY] = PLAIN(ARMI_PQ_FIXED, ARMI_PQ_COPY, 0, -1),
    [ARMI_TYPE_BINARY] = PLAIN(ARMI_PQ_BYTE_ARRAY, ARMI_PQ_BYTES, 0, -1),
    [ARMI_TYPE_LARGE_BINARY] = PLAIN(ARMI_PQ_BYTE_ARRAY, ARMI_PQ_BYTES, 0, -1),
    [ARMI_TYPE_BINARY_VIEW] = PLAIN(ARMI_PQ_BYTE_ARRAY, ARMI_PQ_BYTES, 0, -1),
    [ARMI_TYPE_UTF8] = PLAIN(ARMI_PQ_BYTE_ARRAY, ARMI_PQ_BYTES, ARMI_PQ_LOGICAL_STRING,
                             ARMI_PQ_CONVERTED_UTF8),
    [ARMI_TYPE_LARGE_UTF8] = PLAIN(ARMI_PQ_BYTE_ARRAY, ARMI_PQ_BYTES,
                                   ARMI_PQ_LOGICAL_STRING, ARMI_PQ_CONVERTED_UTF8),
    [ARMI_TYPE_UTF8_VIEW] = PLAIN(ARMI_PQ_BYTE_ARRAY, ARMI_PQ_BYTES, ARMI_PQ_LOGICAL_STRING,
                                  ARMI_PQ_CONVERTED_UTF8),
};

struct schema_build {
    struct armi_pq_schema *schema;
    struct armi_slice path[2 * ARMI_NESTING_MAX + 4]; /* names down to here */
    uint32_t depth;
    uint32_t top;
    struct armi_error *err;
};

static struct armi_slice text_slice(const char *text)
{
    return (struct armi_slice){(const uint8_t *)text, strlen(text)};
}

static enum armi_status refuse(struct schema_build *b, const char *why)
{
    char path[256];
    struct armi_pq_leaf here = {.path = b->path, .path_count = b->depth};
    armi_pq_leaf_path(&here, path, sizeof path);
    return armi_error_object(b->err, ARMI_UNSUPPORTED, "column", path,
                             "column \"%s\": Parquet does not carry %s", path, why);
}

/* Levels are read as seven bits: 63 lists of nullable items, or any 64 other groups. */
#define DEF_LEVEL_MAX 127

static enum armi_status refuse_depth(struct schema_build *b)
{
    const char *top = b->schema->nodes[0].field->children[b->top].name;
    return armi_error_object(b->err, ARMI_LIMIT, "column", top,
                             "column \"%s\": lists and structs are nested too deeply", top);
}

/* ---- elements ---- */

static struct armi_pq_schema_element *
element_add(struct schema_build *b, struct armi_slice name, int32_t repetition, int32_t id)
{
    struct armi_pq_schema_element *e = &b->schema->elements[b->schema->element_count++];
    e->name = name;
    ARMI_PQ_MARK(e, 4);
    if (repetition >= 0) {
        e->repetition = repetition;
        ARMI_PQ_MARK(e, 3);
    }
    if (id >= 0) {
        e->field_id = id;
        ARMI_PQ_MARK(e, 9);
    }
    return e;
}

static void element_children(struct armi_pq_schema_element *e, size_t count)
{
    e->child_count = (int32_t)count;
    ARMI_PQ_MARK(e, 5);
}

static void element_annotate(struct armi_pq_schema_element *e, int logical, int converted)
{
    if (logical > 0) {
        ARMI_PQ_MARK(e, 10);
        ARMI_PQ_MARK(&e->logical, logical);
    }
    if (converted >= 0) {
        e->converted = converted;
        ARMI_PQ_MARK(e, 6);
    }
}

static void time_annotate(struct armi_pq_schema_element *e, enum armi_unit unit,
                          bool is_utc, bool is_timestamp)
{
    struct armi_pq_time *time = &e->logical.time;
    time->present = 1u << 1 | 1u << 2;
    time->is_utc = is_utc;
    time->unit.present = unit == ARMI_UNIT_MICRO  ? 1u << 2
                         : unit == ARMI_UNIT_NANO ? 1u << 3
                                                  : 1u << 1;
    /* The old annotation means UTC, so it is only given where that is so. */
    if (is_utc && unit != ARMI_UNIT_NANO) {
        bool micro = unit == ARMI_UNIT_MICRO;
        int milli_id = is_timestamp ? ARMI_PQ_CONVERTED_TIMESTAMP_MILLIS
                                    : ARMI_PQ_CONVERTED_TIME_MILLIS;
        element_annotate(e, 0, milli_id + (micro ? 1 : 0));
    }
}

/* ---- leaves ---- */

/* Bytes that a decimal of that many digits needs in two's complement. */
static int32_t decimal_bytes(int32_t precision)
{
    /* digits that fit into so many bytes: floor(log10(2^(8n-1) - 1)) */
    static const uint8_t digits[33] = {0,  2,  4,  6,  9,  11, 14, 16, 18, 21, 23,
                                       26, 28, 31, 33, 35, 38, 40, 43, 45, 47, 50,
                                       52, 55, 57, 59, 62, 64, 67, 69, 71, 74, 76};
    int32_t bytes = 1;
    while (bytes < 32 && digits[bytes] < precision)
        bytes++;
    return bytes;
}

static enum armi_status leaf_decimal(struct schema_build *b, struct armi_pq_leaf *leaf,
                                     struct armi_pq_schema_element *e,
                                     const struct armi_field *value)
{
    if (value->precision < 1 || value->precision > 76 || value->scale < 0 ||
        value->scale > value->precision)
        return refuse(b, "a decimal whose scale is negative or above its precision");
    bool small = value->precision <= 9, medium = value->precision <= 18;
    leaf->physical = small ? ARMI_PQ_INT32 : medium ? ARMI_PQ_INT64 : ARMI_PQ_FIXED;
    leaf->convert = medium ? ARMI_PQ_DECIMAL_INT : ARMI_PQ_DECIMAL_BYTES;
    if (!medium)
        leaf->type_length = decimal_bytes(value->precision);
    e->scale = value->scale;
    e->precision = value->precision;
    ARMI_PQ_MARK(e, 7);
    ARMI_PQ_MARK(e, 8);
    e->logical.decimal =
        (struct armi_pq_decimal){1u << 1 | 1u << 2, value->scale, value->precision};
    return ARMI_OK;
}

static bool extension_is(const struct armi_field *field, const char *name)
{
    const struct armi_slice *extension = armi_field_extension(field);
    return extension != NULL && armi_slice_equal(*extension, text_slice(name));
}

static void leaf_parameters(struct armi_pq_leaf *leaf, struct armi_pq_schema_element *e,
                            const struct armi_field *field, const struct armi_field *value)
{
    switch (value->type) {
    case ARMI_TYPE_TIMESTAMP:
        time_annotate(e, value->unit, value->timezone != NULL, true);
        break;
    case ARMI_TYPE_DATE64:
        time_annotate(e, ARMI_UNIT_MILLI, false, true);
        return;
    case ARMI_TYPE_TIME32:
    case ARMI_TYPE_TIME64:
        time_annotate(e, value->unit, false, false);
        break;
    case ARMI_TYPE_FLOAT16:
        leaf->type_length = 2;
        return;
    case ARMI_TYPE_FIXED_BINARY:
        leaf->type_length = value->width;
        if (value->width == 0) { /* Parquet has no FIXED of no length */
            leaf->physical = ARMI_PQ_BYTE_ARRAY;
            leaf->convert = ARMI_PQ_BYTES;
        } else if (value->width == 16 && extension_is(field, "arrow.uuid")) {
            element_annotate(e, ARMI_PQ_LOGICAL_UUID, -1);
        }
        return;
    case ARMI_TYPE_UTF8:
    case ARMI_TYPE_LARGE_UTF8:
    case ARMI_TYPE_UTF8_VIEW:
        if (extension_is(field, "arrow.json")) {
            e->logical.present = 0;
            element_annotate(e, ARMI_PQ_LOGICAL_JSON, ARMI_PQ_CONVERTED_JSON);
        }
        return;
    default:
        return;
    }
    if (value->unit == ARMI_UNIT_SECOND) { /* Parquet's coarsest unit is the millisecond */
        leaf->convert = ARMI_PQ_SCALE;
        leaf->factor = 1000;
    }
}

static uint32_t physical_width(const struct armi_pq_leaf *leaf)
{
    switch (leaf->physical) {
    case ARMI_PQ_INT32:
    case ARMI_PQ_FLOAT:
        return 4;
    case ARMI_PQ_INT64:
    case ARMI_PQ_DOUBLE:
        return 8;
    case ARMI_PQ_INT96:
        return 12;
    case ARMI_PQ_FIXED:
        return (uint32_t)leaf->type_length;
    default:
        return 0;
    }
}

static enum armi_status leaf_add(struct schema_build *b, uint32_t node_index,
                                 const struct armi_field *field,
                                 struct armi_pq_schema_element *e)
{
    struct armi_pq_schema *s = b->schema;
    struct armi_pq_node *node = &s->nodes[node_index];
    const struct armi_field *value = armi_field_value(field);
    const struct type_row *row = &type_rows[value->type];
    if (!row->carried && value != field) {
        char what[80];
        snprintf(what, sizeof what, "a %s of %s", armi_type_name(field->type),
                 armi_type_name(value->type));
        return refuse(b, what);
    }
    if (!row->carried)
        return refuse(b, armi_type_name(value->type));
    if (node->def_present > DEF_LEVEL_MAX)
        return refuse_depth(b);
    struct armi_pq_leaf *leaf = &s->leaves[s->leaf_count];
    *leaf = (struct armi_pq_leaf){
        .index = s->leaf_count,
        .node = node_index,
        .top = b->top,
        .physical = row->physical,
        .convert = row->convert,
        .arrow_width = (uint32_t)armi_field_byte_width(value),
        .max_def = node->def_present,
        .max_rep = node->rep,
        .is_unsigned = row->is_unsigned,
        .has_order = true,
        .field_id = field->id,
        .path_count = b->depth,
        .element = (uint32_t)(e - s->elements),
        .converted = row->converted,
        .field = field,
    };
    leaf->path = armi_pq_arena_alloc(&s->arena, b->depth, sizeof *leaf->path);
    if (leaf->path == NULL)
        return armi_error_no_memory(b->err);
    memcpy(leaf->path, b->path, b->depth * sizeof *leaf->path);
    element_annotate(e, row->logical, row->converted);
    if (row->logical == ARMI_PQ_LOGICAL_INTEGER)
        e->logical.integer = (struct armi_pq_integer){1u << 1 | 1u << 2, (int8_t)row->bits,
                                                      !row->is_unsigned};
    if (armi_type_is_decimal(value->type))
        ARMI_TRY(leaf_decimal(b, leaf, e, value));
    leaf_parameters(leaf, e, field, value);
    if (leaf->convert != ARMI_PQ_BYTES && leaf->convert != ARMI_PQ_BOOL &&
        leaf->arrow_width == 0)
        leaf->arrow_width = physical_width(leaf);
    e->type = (int32_t)leaf->physical;
    ARMI_PQ_MARK(e, 1);
    if (leaf->physical == ARMI_PQ_FIXED) {
        e->type_length = leaf->type_length;
        ARMI_PQ_MARK(e, 2);
    }
    leaf->logical = e->logical;
    s->leaf_count++;
    return ARMI_OK;
}

/* ---- nodes ---- */

static enum armi_status node_add(struct schema_build *b, uint32_t parent, uint16_t def,
                                 uint16_t rep, const struct armi_field *field,
                                 struct armi_slice name, bool nullable, uint32_t *out);

static enum armi_pq_shape field_shape(const struct armi_field *value)
{
    switch (value->type) {
    case ARMI_TYPE_STRUCT:
        return ARMI_PQ_SHAPE_STRUCT;
    case ARMI_TYPE_MAP:
        return ARMI_PQ_SHAPE_MAP;
    case ARMI_TYPE_LIST:
    case ARMI_TYPE_LARGE_LIST:
    case ARMI_TYPE_FIXED_LIST:
    case ARMI_TYPE_LIST_VIEW:
    case ARMI_TYPE_LARGE_LIST_VIEW:
        return ARMI_PQ_SHAPE_LIST;
    default:
        return ARMI_PQ_SHAPE_LEAF;
    }
}

static enum armi_status children_alloc(struct schema_build *b, struct armi_pq_node *node,
                                       size_t count)
{
    node->child_count = (uint32_t)count;
    node->children = armi_pq_arena_alloc(&b->schema->arena, count, sizeof *node->children);
    return node->children != NULL ? ARMI_OK : armi_error_no_memory(b->err);
}

static enum armi_status struct_add(struct schema_build *b, uint32_t index,
                                   const struct armi_field *field,
                                   struct armi_pq_schema_element *e)
{
    struct armi_pq_node *node = &b->schema->nodes[index];
    if (field->child_count == 0)
        return refuse(b, "a struct without members");
    element_children(e, field->child_count);
    ARMI_TRY(children_alloc(b, node, field->child_count));
    for (size_t i = 0; i < field->child_count; i++) {
        const struct armi_field *child = &field->children[i];
        ARMI_TRY(node_add(b, index, node->def_present, node->rep, child,
                          text_slice(child->name), child->nullable, &node->children[i]));
    }
    return ARMI_OK;
}

/* optional group <name> (LIST) { repeated group list { <item> element } } */
static enum armi_status list_add(struct schema_build *b, uint32_t index,
                                 const struct armi_field *field,
                                 struct armi_pq_schema_element *e)
{
    struct armi_pq_node *node = &b->schema->nodes[index];
    element_annotate(e, ARMI_PQ_LOGICAL_LIST, ARMI_PQ_CONVERTED_LIST);
    element_children(e, 1);
    element_children(element_add(b, text_slice("list"), ARMI_PQ_REPEATED, -1), 1);
    b->path[b->depth++] = text_slice("list");
    node->def_item = (uint16_t)(node->def_present + 1);
    ARMI_TRY(children_alloc(b, node, 1));
    const struct armi_field *item = &field->children[0];
    enum armi_status status =
        node_add(b, index, node->def_item, (uint16_t)(node->rep + 1), item,
                 text_slice("element"), item->nullable, &node->children[0]);
    b->depth--;
    return status;
}

/* optional group <name> (MAP) { repeated group key_value { required key; <item> value } } */
static enum armi_status map_add(struct schema_build *b, uint32_t index,
                                const struct armi_field *field,
                                struct armi_pq_schema_element *e)
{
    struct armi_pq_schema *s = b->schema;
    struct armi_pq_node *node = &s->nodes[index];
    const struct armi_field *entry = &field->children[0];
    element_annotate(e, ARMI_PQ_LOGICAL_MAP, ARMI_PQ_CONVERTED_MAP);
    element_children(e, 1);
    element_children(element_add(b, text_slice("key_value"), ARMI_PQ_REPEATED, entry->id),
                     2);
    b->path[b->depth++] = text_slice("key_value");
    node->def_item = (uint16_t)(node->def_present + 1);
    ARMI_TRY(children_alloc(b, node, 1));
    uint32_t entry_index = s->node_count++;
    struct armi_pq_node *pair = &s->nodes[entry_index];
    *pair = (struct armi_pq_node){
        .shape = ARMI_PQ_SHAPE_STRUCT,
        .def_present = node->def_item,
        .rep = (uint16_t)(node->rep + 1),
        .parent = index,
        .leaf_first = s->leaf_count,
        .field = entry,
    };
    node->children[0] = entry_index;
    ARMI_TRY(children_alloc(b, pair, 2));
    for (size_t i = 0; i < 2; i++) {
        const struct armi_field *part = &entry->children[i];
        ARMI_TRY(node_add(b, entry_index, pair->def_present, pair->rep, part,
                          text_slice(i == 0 ? "key" : "value"), i == 1 && part->nullable,
                          &pair->children[i]));
    }
    pair->leaf_count = s->leaf_count - pair->leaf_first;
    b->depth--;
    return ARMI_OK;
}

static enum armi_status node_add(struct schema_build *b, uint32_t parent, uint16_t def,
                                 uint16_t rep, const struct armi_field *field,
                                 struct armi_slice name, bool nullable, uint32_t *out)
{
    struct armi_pq_schema *s = b->schema;
    if (b->depth + 2 >= sizeof b->path / sizeof b->path[0])
        return refuse_depth(b);
    b->path[b->depth++] = name;
    uint32_t index = s->node_count++;
    struct armi_pq_node *node = &s->nodes[index];
    /* A column of type null holds nothing else, whatever its flag says. */
    bool optional = nullable || field->type == ARMI_TYPE_NULL;
    *node = (struct armi_pq_node){
        .shape = field_shape(field),
        .is_optional = optional,
        .def_present = (uint16_t)(def + optional),
        .rep = rep,
        .parent = parent,
        .leaf_first = s->leaf_count,
        .field = field,
    };
    struct armi_pq_schema_element *e =
        element_add(b, name, optional ? ARMI_PQ_OPTIONAL : ARMI_PQ_REQUIRED, field->id);
    enum armi_status status;
    if (node->shape == ARMI_PQ_SHAPE_STRUCT)
        status = struct_add(b, index, field, e);
    else if (node->shape == ARMI_PQ_SHAPE_LIST)
        status = list_add(b, index, field, e);
    else if (node->shape == ARMI_PQ_SHAPE_MAP)
        status = map_add(b, index, field, e);
    else
        status = leaf_add(b, index, field, e);
    node->leaf_count = s->leaf_count - node->leaf_first;
    b->depth--;
    *out = index;
    return status;
}

static size_t field_count(const struct armi_field *field)
{
    size_t count = 1;
    for (size_t i = 0; i < field->child_count; i++)
        count += field_count(&field->children[i]);
    return count;
}

static enum armi_status schema_fill(struct schema_build *b, const struct armi_field *root)
{
    struct armi_pq_schema *s = b->schema;
    size_t count = field_count(root);
    s->nodes = armi_pq_arena_alloc(&s->arena, count, sizeof *s->nodes);
    s->leaves = armi_pq_arena_alloc(&s->arena, count, sizeof *s->leaves);
    s->elements = armi_pq_arena_alloc(&s->arena, 2 * count, sizeof *s->elements);
    if (s->nodes == NULL || s->leaves == NULL || s->elements == NULL)
        return armi_error_no_memory(b->err);
    element_children(element_add(b, text_slice("schema"), -1, -1), root->child_count);
    s->node_count = 1;
    struct armi_pq_node *node = &s->nodes[0];
    *node = (struct armi_pq_node){.shape = ARMI_PQ_SHAPE_STRUCT, .field = root};
    ARMI_TRY(children_alloc(b, node, root->child_count));
    for (size_t i = 0; i < root->child_count; i++) {
        const struct armi_field *column = &root->children[i];
        b->top = (uint32_t)i;
        ARMI_TRY(node_add(b, 0, 0, 0, column, text_slice(column->name), column->nullable,
                          &node->children[i]));
    }
    node->leaf_count = s->leaf_count;
    return ARMI_OK;
}

enum armi_status armi_pq_schema_from_arrow(const struct armi_field *root,
                                           struct armi_pq_schema *out,
                                           struct armi_error *err)
{
    struct armi_pq_schema schema = {0};
    struct schema_build build = {.schema = &schema, .err = err};
    enum armi_status status = schema_fill(&build, root);
    if (status != ARMI_OK) {
        armi_pq_schema_release(&schema);
        return status;
    }
    /* Borrowed and never written to: the cast is undone by owns_root. */
    memcpy(&schema.root, &root, sizeof root);
    *out = schema;
    return ARMI_OK;
}

void armi_pq_schema_release(struct armi_pq_schema *schema)
{
    if (schema->owns_root && schema->root != NULL) {
        armi_field_release(schema->root);
        armi_free(schema->root);
    }
    armi_pq_arena_release(&schema->arena);
    *schema = (struct armi_pq_schema){0};
}

const char *armi_pq_leaf_path(const struct armi_pq_leaf *leaf, char *out, size_t size)
{
    size_t used = 0;
    for (uint32_t i = 0; i < leaf->path_count && used + 1 < size; i++) {
        size_t left = size - 1 - used, part = leaf->path[i].size;
        if (i > 0) {
            out[used++] = '.';
            left--;
        }
        part = part < left ? part : left;
        if (part > 0)
            memcpy(out + used, leaf->path[i].data, part);
        used += part;
    }
    out[used] = '\0';
    return out;
}

const char *armi_pq_type_name(int type)
{
    static const char *const names[] = {
        "BOOLEAN", "INT32",  "INT64",      "INT96",
        "FLOAT",   "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY",
    };
    return type >= 0 && (size_t)type < sizeof names / sizeof names[0] ? names[type]
                                                                      : "unknown";
}

const char *armi_pq_encoding_name(int encoding)
{
    static const char *const names[ARMI_PQ_ENCODING_COUNT] = {
        [ARMI_PQ_PLAIN] = "PLAIN",
        [ARMI_PQ_PLAIN_DICTIONARY] = "PLAIN_DICTIONARY",
        [ARMI_PQ_RLE] = "RLE",
        [ARMI_PQ_BIT_PACKED] = "BIT_PACKED",
        [ARMI_PQ_DELTA_BINARY_PACKED] = "DELTA_BINARY_PACKED",
        [ARMI_PQ_DELTA_LENGTH_BYTE_ARRAY] = "DELTA_LENGTH_BYTE_ARRAY",
        [ARMI_PQ_DELTA_BYTE_ARRAY] = "DELTA_BYTE_ARRAY",
        [ARMI_PQ_RLE_DICTIONARY] = "RLE_DICTIONARY",
        [ARMI_PQ_BYTE_STREAM_SPLIT] = "BYTE_STREAM_SPLIT",
        [ARMI_PQ_ALP] = "ALP",
    };
    bool known =
        encoding >= 0 && encoding < ARMI_PQ_ENCODING_COUNT && names[encoding] != NULL;
    return known ? names[encoding] : "unknown";
}
