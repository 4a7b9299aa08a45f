/*
<<<<<<< HEAD
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

=======
 * Parquet to Arrow: a file's schema elements, in depth-first order, become a tree of Arrow fields with
 * the nodes and leaves that the decoder works on. The type of a leaf is told by its logical type, else
 * by its converted type, else by its physical type; ARROW:schema may refine it where it fits. What is
 * annotated in a way that is not known, or that makes no sense, falls back on the physical type.
 *
 * Lists and maps come in the shapes that LogicalTypes.md lists: three levels, two levels, a repeated
 * field without any annotation.
 */
#include "parquet/parquet_schema.h"

#include <string.h>

#include "arrow/field.h"
>>>>>>> 3c3c089 (parquet: Parquet schema to Arrow schema, with ARROW:schema as a hint)
#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "parquet/arrow_ipc_schema.h"

<<<<<<< HEAD
#define PATH_MAX_STEPS (2 * ARMI_NESTING_MAX + 2)

struct build {
    const struct armi_pq_file_meta *meta;
    struct armi_pq_schema *schema;
    uint32_t next; /* element */
    struct armi_slice path[PATH_MAX_STEPS];
    uint32_t depth;
    uint32_t level; /* of recursion */
=======
struct types_build {
    struct armi_pq_schema *schema;
    uint32_t next; /* element */
    struct armi_slice path[2 * ARMI_NESTING_MAX + 4];
    uint32_t depth;
>>>>>>> 3c3c089 (parquet: Parquet schema to Arrow schema, with ARROW:schema as a hint)
    uint32_t top;
    struct armi_error *err;
};

<<<<<<< HEAD
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
=======
static enum armi_status corrupt(struct types_build *b, const char *why)
{
    char path[256];
    struct armi_pq_leaf here = {.path = b->path, .path_count = b->depth};
    armi_pq_leaf_path(&here, path, sizeof path);
    return armi_error_set(b->err, ARMI_CORRUPTION, "damaged Parquet schema at \"%s\": %s",
                          path, why);
}

/* ---- leaves: what the file alone says ---- */

static bool logical_is(const struct armi_pq_schema_element *e, int id)
{
    return ARMI_PQ_HAS(e, 10) && ARMI_PQ_HAS(&e->logical, id);
}

static int converted_of(const struct armi_pq_schema_element *e)
{
    return ARMI_PQ_HAS(e, 6) ? e->converted : -1;
}

/* What is known about a leaf, from whichever annotation there is. */
struct leaf_type {
    enum armi_type type;
    enum armi_unit unit;
    bool is_utc;
    bool is_unsigned;
    bool no_order;
    enum armi_pq_convert convert;
    int64_t factor;
    int32_t precision, scale, width;
};

static void int_type(struct leaf_type *t, int bits, bool is_signed, bool is_64)
{
    static const enum armi_type types[2][4] = {
        {ARMI_TYPE_UINT8, ARMI_TYPE_UINT16, ARMI_TYPE_UINT32, ARMI_TYPE_UINT64},
        {ARMI_TYPE_INT8, ARMI_TYPE_INT16, ARMI_TYPE_INT32, ARMI_TYPE_INT64},
    };
    int index = bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : bits == 64 ? 3 : -1;
    if (index < 0 || is_64 != (index == 3))
        return; /* nonsense: the physical type stands */
    t->type = types[is_signed][index];
    t->is_unsigned = !is_signed;
    t->convert = index < 2 ? ARMI_PQ_NARROW : ARMI_PQ_COPY;
}

static void decimal_type(struct leaf_type *t, int32_t precision, int32_t scale,
                         enum armi_pq_convert convert)
{
    if (precision < 1 || precision > 76 || scale < 0 || scale > precision)
        return;
    t->type = precision <= 38 ? ARMI_TYPE_DECIMAL128 : ARMI_TYPE_DECIMAL256;
    t->precision = precision;
    t->scale = scale;
    t->convert = convert;
}

static void decimal_of(const struct armi_pq_schema_element *e, struct leaf_type *t,
                       enum armi_pq_convert convert)
{
    if (logical_is(e, ARMI_PQ_LOGICAL_DECIMAL))
        decimal_type(t, e->logical.decimal.precision, e->logical.decimal.scale, convert);
    else if (converted_of(e) == ARMI_PQ_CONVERTED_DECIMAL)
        decimal_type(t, e->precision, e->scale, convert);
}

static enum armi_unit unit_of(const struct armi_pq_time *time)
{
    return ARMI_PQ_HAS(&time->unit, 3)   ? ARMI_UNIT_NANO
           : ARMI_PQ_HAS(&time->unit, 2) ? ARMI_UNIT_MICRO
                                         : ARMI_UNIT_MILLI;
}

static void int32_type(const struct armi_pq_schema_element *e, struct leaf_type *t)
{
    int converted = converted_of(e);
    t->type = ARMI_TYPE_INT32;
    decimal_of(e, t, ARMI_PQ_DECIMAL_INT);
    if (logical_is(e, ARMI_PQ_LOGICAL_INTEGER)) {
        int_type(t, e->logical.integer.bit_width, e->logical.integer.is_signed, false);
    } else if (logical_is(e, ARMI_PQ_LOGICAL_DATE) || converted == ARMI_PQ_CONVERTED_DATE) {
        t->type = ARMI_TYPE_DATE32;
    } else if (logical_is(e, ARMI_PQ_LOGICAL_TIME) ||
               converted == ARMI_PQ_CONVERTED_TIME_MILLIS) {
        if (ARMI_PQ_HAS(e, 10) && unit_of(&e->logical.time) != ARMI_UNIT_MILLI)
            return;
        t->type = ARMI_TYPE_TIME32;
        t->unit = ARMI_UNIT_MILLI;
    } else if (converted >= ARMI_PQ_CONVERTED_UINT_8 &&
               converted <= ARMI_PQ_CONVERTED_UINT_32) {
        int_type(t, 8 << (converted - ARMI_PQ_CONVERTED_UINT_8), false, false);
    } else if (converted >= ARMI_PQ_CONVERTED_INT_8 &&
               converted <= ARMI_PQ_CONVERTED_INT_32) {
        int_type(t, 8 << (converted - ARMI_PQ_CONVERTED_INT_8), true, false);
    }
}

static void int64_type(const struct armi_pq_schema_element *e, struct leaf_type *t)
{
    int converted = converted_of(e);
    t->type = ARMI_TYPE_INT64;
    decimal_of(e, t, ARMI_PQ_DECIMAL_INT);
    if (logical_is(e, ARMI_PQ_LOGICAL_INTEGER)) {
        int_type(t, e->logical.integer.bit_width, e->logical.integer.is_signed, true);
    } else if (logical_is(e, ARMI_PQ_LOGICAL_TIME)) {
        if (unit_of(&e->logical.time) == ARMI_UNIT_MILLI)
            return;
        t->type = ARMI_TYPE_TIME64;
        t->unit = unit_of(&e->logical.time);
    } else if (logical_is(e, ARMI_PQ_LOGICAL_TIMESTAMP)) {
        t->type = ARMI_TYPE_TIMESTAMP;
        t->unit = unit_of(&e->logical.time);
        t->is_utc = e->logical.time.is_utc;
    } else if (converted == ARMI_PQ_CONVERTED_TIME_MICROS) {
        t->type = ARMI_TYPE_TIME64;
        t->unit = ARMI_UNIT_MICRO;
    } else if (converted == ARMI_PQ_CONVERTED_TIMESTAMP_MILLIS ||
               converted == ARMI_PQ_CONVERTED_TIMESTAMP_MICROS) {
        t->type = ARMI_TYPE_TIMESTAMP;
        t->unit = converted == ARMI_PQ_CONVERTED_TIMESTAMP_MILLIS ? ARMI_UNIT_MILLI
                                                                  : ARMI_UNIT_MICRO;
        t->is_utc = true;
    } else if (converted == ARMI_PQ_CONVERTED_UINT_64) {
        int_type(t, 64, false, true);
    }
}

static void bytes_type(const struct armi_pq_schema_element *e, struct leaf_type *t)
{
    int converted = converted_of(e);
    bool has_logical = ARMI_PQ_HAS(e, 10) && e->logical.present != 0;
    t->type = ARMI_TYPE_BINARY;
    t->convert = ARMI_PQ_BYTES;
    decimal_of(e, t, ARMI_PQ_DECIMAL_BYTES);
    bool text = logical_is(e, ARMI_PQ_LOGICAL_STRING) ||
                logical_is(e, ARMI_PQ_LOGICAL_ENUM) || logical_is(e, ARMI_PQ_LOGICAL_JSON);
    bool old_text = converted == ARMI_PQ_CONVERTED_UTF8 ||
                    converted == ARMI_PQ_CONVERTED_ENUM ||
                    converted == ARMI_PQ_CONVERTED_JSON;
    if (text || (old_text && !has_logical))
        t->type = ARMI_TYPE_UTF8;
}

static void fixed_type(const struct armi_pq_schema_element *e, struct leaf_type *t)
{
    t->type = ARMI_TYPE_FIXED_BINARY;
    t->width = e->type_length;
    decimal_of(e, t, ARMI_PQ_DECIMAL_BYTES);
    if (logical_is(e, ARMI_PQ_LOGICAL_FLOAT16) && e->type_length == 2) {
        t->type = ARMI_TYPE_FLOAT16;
    } else if (converted_of(e) == ARMI_PQ_CONVERTED_INTERVAL) {
        t->convert = ARMI_PQ_INTERVAL;
        t->no_order = true;
    }
}

static bool order_is_unknown(const struct armi_pq_schema_element *e)
{
    return ARMI_PQ_HAS(e, 10) &&
           (e->logical.present == 0 || ARMI_PQ_HAS(&e->logical, ARMI_PQ_LOGICAL_GEOMETRY) ||
            ARMI_PQ_HAS(&e->logical, ARMI_PQ_LOGICAL_GEOGRAPHY));
}

static enum armi_status leaf_type_of(struct types_build *b,
                                     const struct armi_pq_schema_element *e,
                                     struct leaf_type *t)
{
    *t = (struct leaf_type){.convert = ARMI_PQ_COPY, .no_order = order_is_unknown(e)};
    if (e->type == ARMI_PQ_FIXED && e->type_length < 1)
        return corrupt(b, "FIXED_LEN_BYTE_ARRAY without a length");
    switch (e->type) {
    case ARMI_PQ_BOOLEAN:
        t->type = ARMI_TYPE_BOOL;
        t->convert = ARMI_PQ_BOOL;
        break;
    case ARMI_PQ_INT32:
        int32_type(e, t);
        break;
    case ARMI_PQ_INT64:
        int64_type(e, t);
        break;
    case ARMI_PQ_INT96: /* microseconds: nanoseconds do not reach the dates that are written so */
        t->type = ARMI_TYPE_TIMESTAMP;
        t->unit = ARMI_UNIT_MICRO;
        t->convert = ARMI_PQ_CONVERT_INT96;
        t->factor = 1000;
        t->no_order = true;
        break;
    case ARMI_PQ_FLOAT:
        t->type = ARMI_TYPE_FLOAT32;
        break;
    case ARMI_PQ_DOUBLE:
        t->type = ARMI_TYPE_FLOAT64;
        break;
    case ARMI_PQ_BYTE_ARRAY:
        bytes_type(e, t);
        break;
    case ARMI_PQ_FIXED:
        fixed_type(e, t);
        break;
    default:
        return corrupt(b, "an unknown physical type");
    }
    if (logical_is(e, ARMI_PQ_LOGICAL_UNKNOWN)) {
        t->type = ARMI_TYPE_NULL;
        t->convert = ARMI_PQ_NULL;
        t->no_order = true;
    }
    return ARMI_OK;
}

/* ---- leaves: what ARROW:schema may add ---- */

static bool unit_refine(struct leaf_type *t, const struct armi_field *hint)
{
    if (hint->unit == t->unit)
        return true;
    if (hint->unit != ARMI_UNIT_SECOND || t->unit != ARMI_UNIT_MILLI)
        return false;
    t->unit = ARMI_UNIT_SECOND;
    t->convert = ARMI_PQ_SCALE;
    t->factor = 1000;
    return true;
}

/* Whether the hint's value type fits what is stored; if so *t becomes that type. */
static bool leaf_refine(struct leaf_type *t, const struct armi_pq_schema_element *e,
                        const struct armi_field *hint)
{
    struct leaf_type r = *t;
    bool fits = false;
    r.type = hint->type;
    switch (hint->type) {
    case ARMI_TYPE_LARGE_UTF8:
    case ARMI_TYPE_UTF8_VIEW:
        fits = t->type == ARMI_TYPE_UTF8;
        break;
    case ARMI_TYPE_LARGE_BINARY:
    case ARMI_TYPE_BINARY_VIEW:
        fits = t->type == ARMI_TYPE_BINARY;
        break;
    case ARMI_TYPE_FIXED_BINARY:
        fits = t->type == ARMI_TYPE_BINARY && hint->width == 0;
        r.width = 0;
        break;
    case ARMI_TYPE_DECIMAL32:
    case ARMI_TYPE_DECIMAL64:
    case ARMI_TYPE_DECIMAL128:
    case ARMI_TYPE_DECIMAL256:
        fits = armi_type_is_decimal(t->type) && hint->precision == t->precision &&
               hint->scale == t->scale &&
               t->precision <= (hint->type == ARMI_TYPE_DECIMAL32    ? 9
                                : hint->type == ARMI_TYPE_DECIMAL64  ? 18
                                : hint->type == ARMI_TYPE_DECIMAL128 ? 38
                                                                     : 76);
        break;
    case ARMI_TYPE_DURATION:
        fits = t->type == ARMI_TYPE_INT64 && !ARMI_PQ_HAS(e, 10);
        r.unit = hint->unit;
        break;
    case ARMI_TYPE_DATE64:
        fits = t->type == ARMI_TYPE_TIMESTAMP && t->unit == ARMI_UNIT_MILLI && !t->is_utc &&
               t->convert == ARMI_PQ_COPY;
        break;
    case ARMI_TYPE_TIME32:
        fits = t->type == ARMI_TYPE_TIME32 && unit_refine(&r, hint);
        break;
    case ARMI_TYPE_TIMESTAMP:
        fits = t->type == ARMI_TYPE_TIMESTAMP && t->convert == ARMI_PQ_COPY &&
               unit_refine(&r, hint);
        break;
    default:
        fits = hint->type == t->type;
    }
    if (fits)
        *t = r;
    return fits;
}

/* ---- fields ---- */

static enum armi_status name_take(struct types_build *b, struct armi_slice name, char **out)
{
    if (name.size > ARMI_MIB ||
        memchr(name.size > 0 ? (const void *)name.data : "", 0, name.size) != NULL ||
        !armi_utf8_valid(name.data, name.size))
        return corrupt(b, "a name that is not UTF-8");
    *out = armi_strndup(name.size > 0 ? (const char *)name.data : "", name.size);
    return *out != NULL ? ARMI_OK : armi_error_no_memory(b->err);
}

static enum armi_status field_begin(struct types_build *b,
                                    const struct armi_pq_schema_element *e,
                                    enum armi_type type, bool nullable,
                                    struct armi_field *out)
{
    char *name;
    ARMI_TRY(name_take(b, e->name, &name));
    enum armi_status status = armi_field_init(out, name, type, b->err);
    armi_free(name);
    if (status != ARMI_OK)
        return status;
    out->nullable = nullable;
    out->id = ARMI_PQ_HAS(e, 9) ? e->field_id : -1;
    return ARMI_OK;
}

/* Field metadata comes from the hint, whether its type fits or not. */
static enum armi_status metadata_take(struct types_build *b, struct armi_field *field,
                                      const struct armi_field *hint)
{
    if (hint == NULL || hint->metadata.count == 0)
        return ARMI_OK;
    return armi_metadata_copy(&hint->metadata, &field->metadata, b->err);
}

static enum armi_status field_parameters(struct types_build *b, const struct leaf_type *t,
                                         const struct armi_field *hint,
                                         struct armi_field *out)
{
    out->type = t->type;
    out->unit = t->unit;
    out->precision = t->precision;
    out->scale = t->scale;
    out->width = t->type == ARMI_TYPE_FIXED_BINARY ? t->width : 0;
    if (t->type != ARMI_TYPE_TIMESTAMP || !t->is_utc)
        return ARMI_OK;
    bool hinted =
        hint != NULL && hint->type == ARMI_TYPE_TIMESTAMP && hint->timezone != NULL;
    return armi_field_set_timezone(out, hinted ? hint->timezone : "UTC", b->err);
}

/* `out` becomes a dictionary field whose values are of the type it had. */
static enum armi_status dictionary_wrap(struct types_build *b,
                                        const struct armi_field *hint,
                                        struct armi_field *out)
{
    struct armi_field whole = ARMI_FIELD_INIT;
    enum armi_status status =
        armi_field_init(&whole, out->name, ARMI_TYPE_DICTIONARY, b->err);
    if (status == ARMI_OK)
        status = armi_field_alloc_children(&whole, 2, b->err);
    if (status == ARMI_OK)
        status = armi_field_init(&whole.children[0], hint->children[0].name,
                                 hint->children[0].type, b->err);
    if (status == ARMI_OK)
        status = armi_field_set_name(out, hint->children[1].name, b->err);
    if (status != ARMI_OK) {
        armi_field_release(&whole);
        return status;
    }
    whole.nullable = out->nullable;
    whole.ordered = hint->ordered;
    whole.id = out->id;
    whole.children[0].nullable = hint->children[0].nullable;
    out->nullable = hint->children[1].nullable;
    out->id = -1;
    armi_field_move(out, &whole.children[1]);
    armi_field_move(&whole, out);
    return ARMI_OK;
}

static bool dictionary_is_sane(const struct armi_field *hint)
{
    return hint->type == ARMI_TYPE_DICTIONARY && hint->child_count == 2 &&
           armi_type_is_integer(hint->children[0].type) &&
           !armi_type_is_nested(hint->children[1].type) &&
           hint->children[1].type != ARMI_TYPE_DICTIONARY &&
           hint->children[1].type != ARMI_TYPE_RUN_END;
}

/* ---- nodes ---- */

static enum armi_status node_read(struct types_build *b, uint32_t parent, uint16_t def,
                                  uint16_t rep, const struct armi_field *hint, bool as_item,
                                  struct armi_field *field, uint32_t *out);

static const struct armi_pq_schema_element *element_peek(const struct types_build *b)
{
    const struct armi_pq_schema *s = b->schema;
    return b->next < s->element_count ? &s->elements[b->next] : NULL;
}

static bool element_is_leaf(const struct armi_pq_schema_element *e)
{
    return ARMI_PQ_HAS(e, 1) && e->child_count <= 0;
}

static bool element_is_repeated(const struct armi_pq_schema_element *e)
>>>>>>> 3c3c089 (parquet: Parquet schema to Arrow schema, with ARROW:schema as a hint)
{
    return ARMI_PQ_HAS(e, 3) && e->repetition == ARMI_PQ_REPEATED;
}

<<<<<<< HEAD
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
=======
static enum armi_status leaf_read(struct types_build *b, uint32_t index,
                                  const struct armi_pq_schema_element *e,
                                  const struct armi_field *hint, bool nullable,
                                  struct armi_field *field)
{
    struct armi_pq_schema *s = b->schema;
    struct leaf_type t;
    ARMI_TRY(leaf_type_of(b, e, &t));
    /* Run-end encoded columns come back as their values. */
    while (hint != NULL && hint->type == ARMI_TYPE_RUN_END && hint->child_count == 2)
        hint = &hint->children[1];
    bool wrap = hint != NULL && dictionary_is_sane(hint);
    const struct armi_field *value_hint = wrap ? &hint->children[1] : hint;
    bool fits = value_hint != NULL && leaf_refine(&t, e, value_hint);
    ARMI_TRY(field_begin(b, e, t.type, nullable, field));
    ARMI_TRY(field_parameters(b, &t, fits ? value_hint : NULL, field));
    if (wrap && fits && t.type != ARMI_TYPE_NULL)
        ARMI_TRY(dictionary_wrap(b, hint, field));
    ARMI_TRY(metadata_take(b, field, hint));
    const struct armi_pq_node *node = &s->nodes[index];
>>>>>>> 3c3c089 (parquet: Parquet schema to Arrow schema, with ARROW:schema as a hint)
    struct armi_pq_leaf *leaf = &s->leaves[s->leaf_count];
    *leaf = (struct armi_pq_leaf){
        .index = s->leaf_count,
        .node = index,
        .top = b->top,
        .physical = (enum armi_pq_type)e->type,
        .type_length = e->type == ARMI_PQ_FIXED ? e->type_length : 0,
<<<<<<< HEAD
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
=======
        .convert = t.convert,
        .factor = t.factor,
        .arrow_width = (uint32_t)armi_field_byte_width(armi_field_value(field)),
        .max_def = node->def_present,
        .max_rep = node->rep,
        .is_unsigned = t.is_unsigned,
        .has_order = !t.no_order,
        .field_id = ARMI_PQ_HAS(e, 9) ? e->field_id : -1,
        .path_count = b->depth,
        .element = (uint32_t)(e - s->elements),
        .converted = converted_of(e),
        .field = field,
    };
    if (t.convert == ARMI_PQ_BYTES || t.convert == ARMI_PQ_NULL)
        leaf->arrow_width = 0;
    if (ARMI_PQ_HAS(e, 10))
        leaf->logical = e->logical;
>>>>>>> 3c3c089 (parquet: Parquet schema to Arrow schema, with ARROW:schema as a hint)
    leaf->path = armi_pq_arena_alloc(&s->arena, b->depth, sizeof *leaf->path);
    if (leaf->path == NULL)
        return armi_error_no_memory(b->err);
    memcpy(leaf->path, b->path, b->depth * sizeof *leaf->path);
    s->leaf_count++;
    return ARMI_OK;
}

<<<<<<< HEAD
/* ---- nodes with children ---- */

static enum armi_status children_alloc(struct build *b, struct armi_pq_node *node,
                                       struct armi_field *field, size_t count)
{
=======
static enum armi_status children_alloc(struct types_build *b, uint32_t index,
                                       struct armi_field *field, size_t count)
{
    struct armi_pq_node *node = &b->schema->nodes[index];
>>>>>>> 3c3c089 (parquet: Parquet schema to Arrow schema, with ARROW:schema as a hint)
    node->child_count = (uint32_t)count;
    node->children = armi_pq_arena_alloc(&b->schema->arena, count, sizeof *node->children);
    if (node->children == NULL)
        return armi_error_no_memory(b->err);
    return count > 0 ? armi_field_alloc_children(field, count, b->err) : ARMI_OK;
}

<<<<<<< HEAD
/* The next element, which `parent` says there is. */
static enum armi_status peek(struct build *b, const struct armi_pq_schema_element **out)
{
    if (b->next >= b->meta->schema.count)
        return armi_error_set(b->err, ARMI_CORRUPTION,
                              "the schema has fewer elements than it counts");
    *out = &b->meta->schema.items[b->next];
    return ARMI_OK;
}

static const struct armi_field *hint_child(const struct armi_field *hint, const char *name,
                                           size_t i)
{
    if (hint == NULL || hint->type != ARMI_TYPE_STRUCT)
        return NULL;
    if (i < hint->child_count && strcmp(hint->children[i].name, name) == 0)
        return &hint->children[i];
    int64_t found = armi_field_find(hint, name);
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
                              hint_child(hint, name, i), false};
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
=======
/* The members of a group, whose element was just taken. */
static enum armi_status members_read(struct types_build *b, uint32_t index,
                                     const struct armi_pq_schema_element *e,
                                     const struct armi_field *hint,
                                     struct armi_field *field)
{
    struct armi_pq_schema *s = b->schema;
    if (e->child_count <= 0)
        return corrupt(b, "a group without members");
    size_t count = (size_t)e->child_count;
    if (count > s->element_count - b->next)
        return corrupt(b, "more members are announced than there are elements");
    ARMI_TRY(children_alloc(b, index, field, count));
    bool hinted =
        hint != NULL && hint->type == ARMI_TYPE_STRUCT && hint->child_count == count;
    uint16_t def = s->nodes[index].def_present, rep = s->nodes[index].rep;
    for (size_t i = 0; i < count; i++)
        ARMI_TRY(node_read(b, index, def, rep, hinted ? &hint->children[i] : NULL, false,
                           &field->children[i], &s->nodes[index].children[i]));
    return ARMI_OK;
}

static uint32_t node_new(struct types_build *b, uint32_t parent, enum armi_pq_shape shape,
                         bool optional, uint16_t def, uint16_t rep,
                         const struct armi_field *field)
{
    struct armi_pq_schema *s = b->schema;
    s->nodes[s->node_count] = (struct armi_pq_node){
        .shape = shape,
        .is_optional = optional,
        .def_present = def,
        .def_item = (uint16_t)(def + 1),
        .rep = rep,
        .parent = parent,
        .leaf_first = s->leaf_count,
        .field = field,
    };
    return s->node_count++;
}

static void path_push(struct types_build *b, struct armi_slice name)
{
    b->path[b->depth++] = name;
}

/* Which kind of list the hint asks for, if it is a list at all. */
static void list_refine(struct armi_field *field, const struct armi_field *hint)
{
    if (hint == NULL)
        return;
    switch (hint->type) {
    case ARMI_TYPE_LARGE_LIST:
    case ARMI_TYPE_LIST_VIEW:
    case ARMI_TYPE_LARGE_LIST_VIEW:
        field->type = hint->type;
        return;
    case ARMI_TYPE_FIXED_LIST:
        field->type = hint->type;
        field->width = hint->width;
        return;
    default:
        return;
    }
}

static const struct armi_field *list_item_hint(const struct armi_field *hint)
{
    bool is_list =
        hint != NULL &&
        (hint->type == ARMI_TYPE_LIST || hint->type == ARMI_TYPE_LARGE_LIST ||
         hint->type == ARMI_TYPE_LIST_VIEW || hint->type == ARMI_TYPE_LARGE_LIST_VIEW ||
         hint->type == ARMI_TYPE_FIXED_LIST);
    return is_list && hint->child_count == 1 ? &hint->children[0] : NULL;
}

/* The one child of list node `index`: at the repeated element itself, or below it. */
static enum armi_status item_read(struct types_build *b, uint32_t index,
                                  const struct armi_field *hint, bool as_item,
                                  struct armi_field *field)
{
    struct armi_pq_schema *s = b->schema;
    const struct armi_field *item = list_item_hint(hint);
    if (item != NULL)
        list_refine(field, hint);
    ARMI_TRY(children_alloc(b, index, field, 1));
    uint16_t def = s->nodes[index].def_item, rep = (uint16_t)(s->nodes[index].rep + 1);
    ARMI_TRY(node_read(b, index, def, rep, item, as_item, &field->children[0],
                       &s->nodes[index].children[0]));
>>>>>>> 3c3c089 (parquet: Parquet schema to Arrow schema, with ARROW:schema as a hint)
    return item != NULL ? armi_field_set_name(&field->children[0], item->name, b->err)
                        : ARMI_OK;
}

static bool name_is(struct armi_slice name, const char *text)
{
    return name.size == strlen(text) && memcmp(name.data, text, name.size) == 0;
}

<<<<<<< HEAD
static bool name_is_tuple_of(struct armi_slice name, struct armi_slice list)
{
    return name.size == list.size + 6 && memcmp(name.data, list.data, list.size) == 0 &&
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
=======
/* Rules 1 to 4 of LogicalTypes.md: the repeated element is the item, not a step towards it. */
static bool is_two_level(const struct armi_pq_schema_element *list,
                         const struct armi_pq_schema_element *repeated,
                         const struct armi_pq_schema_element *below)
{
    if (element_is_leaf(repeated) || repeated->child_count != 1)
        return true;
    if (below != NULL && element_is_repeated(below))
        return true;
    static const char suffix[] = "_tuple";
    size_t n = list->name.size;
    return name_is(repeated->name, "array") ||
           (repeated->name.size == n + 6 &&
            memcmp(repeated->name.data, list->name.data, n) == 0 &&
            memcmp(repeated->name.data + n, suffix, 6) == 0);
}

static enum armi_status list_read(struct types_build *b, uint32_t index,
                                  const struct armi_pq_schema_element *e,
                                  const struct armi_field *hint, struct armi_field *field)
{
    const struct armi_pq_schema_element *repeated = element_peek(b);
    const struct armi_pq_schema_element *below =
        b->next + 1 < b->schema->element_count ? repeated + 1 : NULL;
    if (is_two_level(e, repeated, below))
        return item_read(b, index, hint, true, field);
    b->next++;
    path_push(b, repeated->name);
    enum armi_status status = item_read(b, index, hint, false, field);
>>>>>>> 3c3c089 (parquet: Parquet schema to Arrow schema, with ARROW:schema as a hint)
    b->depth--;
    return status;
}

<<<<<<< HEAD
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
=======
static enum armi_status map_read(struct types_build *b, uint32_t index,
                                 const struct armi_field *hint, struct armi_field *field)
{
    struct armi_pq_schema *s = b->schema;
    const struct armi_pq_schema_element *entry = element_peek(b);
    b->next++;
    path_push(b, entry->name);
    bool hinted = hint != NULL && hint->type == ARMI_TYPE_MAP && hint->child_count == 1 &&
                  hint->children[0].child_count == 2;
    ARMI_TRY(children_alloc(b, index, field, 1));
    struct armi_field *pair = &field->children[0];
    ARMI_TRY(field_begin(b, entry, ARMI_TYPE_STRUCT, false, pair));
    field->ordered = hinted && hint->ordered;
    uint32_t pair_index =
        node_new(b, index, ARMI_PQ_SHAPE_STRUCT, false, s->nodes[index].def_item,
                 (uint16_t)(s->nodes[index].rep + 1), pair);
    s->nodes[index].children[0] = pair_index;
    ARMI_TRY(members_read(b, pair_index, entry, hinted ? &hint->children[0] : NULL, pair));
    s->nodes[pair_index].leaf_count = s->leaf_count - s->nodes[pair_index].leaf_first;
    if (hinted) {
        ARMI_TRY(armi_field_set_name(pair, hint->children[0].name, b->err));
        for (size_t i = 0; i < 2; i++)
            ARMI_TRY(armi_field_set_name(&pair->children[i],
                                         hint->children[0].children[i].name, b->err));
    }
>>>>>>> 3c3c089 (parquet: Parquet schema to Arrow schema, with ARROW:schema as a hint)
    b->depth--;
    return ARMI_OK;
}

<<<<<<< HEAD
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
    if (++b->level > ARMI_NESTING_MAX)
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
        if (inner || memchr(pair->key.data, 0, pair->key.size) != NULL)
            continue;
        char *key = armi_strndup((const char *)pair->key.data, pair->key.size);
        if (key == NULL)
            return armi_error_no_memory(b->err);
        enum armi_status status =
            armi_metadata_set(&root->metadata, key, pair->value, b->err);
        armi_free(key);
        ARMI_TRY(status);
=======
/* Whether a group is annotated as a list or map and has the one repeated member that one needs. */
static enum armi_pq_shape group_shape(const struct types_build *b,
                                      const struct armi_pq_schema_element *e)
{
    const struct armi_pq_schema_element *child = element_peek(b);
    int converted = converted_of(e);
    bool is_map = logical_is(e, ARMI_PQ_LOGICAL_MAP) ||
                  converted == ARMI_PQ_CONVERTED_MAP ||
                  converted == ARMI_PQ_CONVERTED_MAP_KEY_VALUE;
    bool is_list =
        logical_is(e, ARMI_PQ_LOGICAL_LIST) || converted == ARMI_PQ_CONVERTED_LIST;
    if ((!is_map && !is_list) || e->child_count != 1 || child == NULL ||
        !element_is_repeated(child))
        return ARMI_PQ_SHAPE_STRUCT;
    bool pairs = !element_is_leaf(child) && child->child_count == 2;
    return is_map && pairs ? ARMI_PQ_SHAPE_MAP : ARMI_PQ_SHAPE_LIST;
}

/* A repeated field that no list or map explains is a list of its own. */
static enum armi_status bare_list_read(struct types_build *b, uint32_t parent, uint16_t def,
                                       uint16_t rep, const struct armi_field *hint,
                                       struct armi_field *field, uint32_t *out)
{
    const struct armi_pq_schema_element *e = element_peek(b);
    ARMI_TRY(field_begin(b, e, ARMI_TYPE_LIST, false, field));
    ARMI_TRY(metadata_take(b, field, hint));
    uint32_t index = node_new(b, parent, ARMI_PQ_SHAPE_LIST, false, def, rep, field);
    *out = index;
    ARMI_TRY(item_read(b, index, hint, true, field));
    field->children[0].id = -1; /* the element's number is the list's */
    b->schema->nodes[index].leaf_count =
        b->schema->leaf_count - b->schema->nodes[index].leaf_first;
    return ARMI_OK;
}

static enum armi_status group_read(struct types_build *b, uint32_t index,
                                   const struct armi_pq_schema_element *e,
                                   const struct armi_field *hint, bool nullable,
                                   struct armi_field *field)
{
    static const enum armi_type types[] = {
        [ARMI_PQ_SHAPE_STRUCT] = ARMI_TYPE_STRUCT,
        [ARMI_PQ_SHAPE_LIST] = ARMI_TYPE_LIST,
        [ARMI_PQ_SHAPE_MAP] = ARMI_TYPE_MAP,
    };
    enum armi_pq_shape shape = group_shape(b, e);
    b->schema->nodes[index].shape = shape;
    ARMI_TRY(field_begin(b, e, types[shape], nullable, field));
    ARMI_TRY(metadata_take(b, field, hint));
    if (shape == ARMI_PQ_SHAPE_LIST)
        return list_read(b, index, e, hint, field);
    if (shape == ARMI_PQ_SHAPE_MAP)
        return map_read(b, index, hint, field);
    return members_read(b, index, e, hint, field);
}

/* `as_item`: the element is a list's repeated one, whose levels are counted already. */
static enum armi_status node_read(struct types_build *b, uint32_t parent, uint16_t def,
                                  uint16_t rep, const struct armi_field *hint, bool as_item,
                                  struct armi_field *field, uint32_t *out)
{
    struct armi_pq_schema *s = b->schema;
    const struct armi_pq_schema_element *e = element_peek(b);
    if (e == NULL)
        return corrupt(b, "elements are missing");
    if (b->depth + 3 >= sizeof b->path / sizeof b->path[0])
        return armi_error_set(b->err, ARMI_LIMIT, "Parquet schema: nested deeper than %d",
                              ARMI_NESTING_MAX);
    if (!as_item && element_is_repeated(e))
        return bare_list_read(b, parent, def, rep, hint, field, out);
    if (ARMI_PQ_HAS(e, 3) && (e->repetition < 0 || e->repetition > ARMI_PQ_REPEATED))
        return corrupt(b, "an unknown repetition type");
    bool optional = !as_item && ARMI_PQ_HAS(e, 3) && e->repetition == ARMI_PQ_OPTIONAL;
    b->next++;
    path_push(b, e->name);
    uint32_t index = node_new(b, parent, ARMI_PQ_SHAPE_LEAF, optional,
                              (uint16_t)(def + optional), rep, field);
    *out = index;
    enum armi_status status = element_is_leaf(e)
                                  ? leaf_read(b, index, e, hint, optional, field)
                                  : group_read(b, index, e, hint, optional, field);
    s->nodes[index].leaf_count = s->leaf_count - s->nodes[index].leaf_first;
    b->depth--;
    return status;
}

/* ---- the file ---- */

/* The Arrow schema that the writer had, or false: none, damaged, of other columns. */
static bool hint_read(const struct armi_pq_file_meta *meta, struct armi_field *out)
{
    for (uint32_t i = 0; i < meta->pairs.count; i++) {
        const struct armi_pq_key_value *pair = &meta->pairs.items[i];
        if (!name_is(pair->key, "ARROW:schema"))
            continue;
        size_t size = pair->value.size;
        while (size > 0 && pair->value.data[size - 1] == '=')
            size--;
        size_t bytes_size = size / 4 * 3 + (size % 4 > 1 ? size % 4 - 1 : 0);
        uint8_t *bytes = armi_alloc(bytes_size);
        bool ok =
            bytes != NULL &&
            armi_base64_decode((const char *)pair->value.data, size, bytes, bytes_size) &&
            armi_ipc_schema_decode((struct armi_slice){bytes, bytes_size}, out, NULL) ==
                ARMI_OK;
        armi_free(bytes);
        return ok;
    }
    return false;
}

/* The schema's own metadata: the file's pairs, then what only the hint knows. */
static enum armi_status root_metadata(const struct armi_pq_file_meta *meta,
                                      const struct armi_field *hint,
                                      struct armi_field *root, struct armi_error *err)
{
    for (uint32_t i = 0; i < meta->pairs.count; i++) {
        const struct armi_pq_key_value *pair = &meta->pairs.items[i];
        char key[1024];
        if (name_is(pair->key, "ARROW:schema") || pair->key.size >= sizeof key ||
            (pair->key.size >= 5 && memcmp(pair->key.data, "armi.", 5) == 0) ||
            (pair->key.size > 0 && memchr(pair->key.data, 0, pair->key.size) != NULL))
            continue;
        if (pair->key.size > 0)
            memcpy(key, pair->key.data, pair->key.size);
        key[pair->key.size] = '\0';
        ARMI_TRY(armi_metadata_set(&root->metadata, key, pair->value, err));
    }
    for (size_t i = 0; hint != NULL && i < hint->metadata.count; i++) {
        const struct armi_metadata_pair *pair = &hint->metadata.pairs[i];
        char key[1024];
        if (pair->key.size >= sizeof key)
            continue;
        memcpy(key, pair->key.data, pair->key.size);
        key[pair->key.size] = '\0';
        if (armi_metadata_get(&root->metadata, key) == NULL)
            ARMI_TRY(armi_metadata_set(&root->metadata, key, pair->value, err));
>>>>>>> 3c3c089 (parquet: Parquet schema to Arrow schema, with ARROW:schema as a hint)
    }
    return ARMI_OK;
}

<<<<<<< HEAD
static enum armi_status schema_read(struct build *b, const struct armi_field *hint)
{
    struct armi_pq_schema *s = b->schema;
    size_t count = b->meta->schema.count;
    if (count == 0)
        return armi_error_set(b->err, ARMI_CORRUPTION, "the file has no schema");
=======
static enum armi_status columns_read(struct types_build *b, const struct armi_field *hint)
{
    struct armi_pq_schema *s = b->schema;
    if (s->element_count == 0)
        return corrupt(b, "there is no root");
    const struct armi_pq_schema_element *e = &s->elements[0];
    size_t count = e->child_count > 0 ? (size_t)e->child_count : 0;
    b->next = 1;
    if (count > s->element_count - 1)
        return corrupt(b, "more columns are announced than there are elements");
    node_new(b, 0, ARMI_PQ_SHAPE_STRUCT, false, 0, 0, s->root);
    ARMI_TRY(children_alloc(b, 0, s->root, count));
    for (size_t i = 0; i < count; i++) {
        const struct armi_pq_schema_element *column = element_peek(b);
        const struct armi_field *own =
            hint != NULL && hint->child_count == count ? &hint->children[i] : NULL;
        if (own != NULL && column != NULL && !name_is(column->name, own->name))
            own = NULL;
        b->top = (uint32_t)i;
        ARMI_TRY(node_read(b, 0, 0, 0, own, false, &s->root->children[i],
                           &s->nodes[0].children[i]));
    }
    if (b->next != s->element_count)
        return corrupt(b, "elements that belong to no column");
    s->nodes[0].leaf_count = s->leaf_count;
    return ARMI_OK;
}

static enum armi_status schema_build(struct types_build *b,
                                     const struct armi_pq_file_meta *meta,
                                     const struct armi_field *hint)
{
    struct armi_pq_schema *s = b->schema;
    size_t count = meta->schema.count;
>>>>>>> 3c3c089 (parquet: Parquet schema to Arrow schema, with ARROW:schema as a hint)
    s->root = armi_alloc_zero(1, sizeof *s->root);
    if (s->root == NULL)
        return armi_error_no_memory(b->err);
    s->owns_root = true;
    ARMI_TRY(armi_field_init_schema(s->root, b->err));
<<<<<<< HEAD
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
        char *name = armi_strndup((const char *)child->name.data, child->name.size);
        if (name == NULL)
            return armi_error_no_memory(b->err);
        struct place at = {0, 0, 0, hint_child(hint, name, i), false};
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
=======
    /* An element makes at most two nodes: a list and its item. */
    s->nodes = armi_pq_arena_alloc(&s->arena, 2 * count + 1, sizeof *s->nodes);
    s->leaves = armi_pq_arena_alloc(&s->arena, count + 1, sizeof *s->leaves);
    if (s->nodes == NULL || s->leaves == NULL)
        return armi_error_no_memory(b->err);
    s->elements = meta->schema.items;
    s->element_count = meta->schema.count;
    ARMI_TRY(columns_read(b, hint));
    return root_metadata(meta, hint, s->root, b->err);
}

enum armi_status armi_pq_schema_from_parquet(const struct armi_pq_file_meta *meta,
                                             bool use_hint, struct armi_pq_schema *out,
                                             struct armi_error *err)
{
    struct armi_pq_schema schema = {0};
    struct armi_field hint = ARMI_FIELD_INIT;
    struct types_build build = {.schema = &schema, .err = err};
    bool hinted = use_hint && hint_read(meta, &hint);
    enum armi_status status = schema_build(&build, meta, hinted ? &hint : NULL);
    armi_field_release(&hint);
>>>>>>> 3c3c089 (parquet: Parquet schema to Arrow schema, with ARROW:schema as a hint)
    if (status != ARMI_OK) {
        armi_pq_schema_release(&schema);
        return status;
    }
    *out = schema;
    return ARMI_OK;
}
<<<<<<< HEAD

/* ---- ARROW:schema ---- */

static const struct armi_slice *arrow_schema_pair(const struct armi_pq_file_meta *meta)
{
    for (uint32_t i = 0; i < meta->pairs.count; i++)
        if (name_is(meta->pairs.items[i].key, "ARROW:schema"))
            return &meta->pairs.items[i].value;
    return NULL;
}

/* Base64 of the message, with or without padding. A hint that cannot be read is no hint. */
static enum armi_status hint_read(struct armi_slice text, struct armi_field *out, bool *out_found,
                                  struct armi_error *err)
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
    *out_found = status == ARMI_OK;
    return status == ARMI_NO_MEMORY ? armi_error_no_memory(err) : ARMI_OK;
}

enum armi_status armi_pq_schema_from_parquet(const struct armi_pq_file_meta *meta, bool use_hint,
                                             struct armi_pq_schema *out, struct armi_error *err)
{
    const struct armi_slice *pair = use_hint ? arrow_schema_pair(meta) : NULL;
    struct armi_field hint = ARMI_FIELD_INIT;
    bool found = false;
    if (pair != NULL && pair->data != NULL)
        ARMI_TRY(hint_read(*pair, &hint, &found, err));
    enum armi_status status = armi_pq_schema_from_elements(meta, found ? &hint : NULL, out, err);
    armi_field_release(&hint);
    return status;
}
=======
>>>>>>> 3c3c089 (parquet: Parquet schema to Arrow schema, with ARROW:schema as a hint)
