/*
 * Which casts lose nothing, and the way from an array to the function that does the work. Both
 * follow the type down, whose depth the import has bounded.
 */
#include "arrow/cast.h"

#include "arrow/assemble_internal.h"
#include "arrow/cast_internal.h"
#include "arrow/column_internal.h"
#include "arrow/schema_text.h"
#include "base/alloc.h"

/* ---- what is possible ---- */

static enum armi_cast_kind refuse(const char **reason, const char *text)
{
    if (reason != NULL)
        *reason = text;
    return ARMI_CAST_NONE;
}

static enum armi_cast_kind cast_integers(const struct armi_field *from,
                                         const struct armi_field *to, const char **reason)
{
    int32_t from_width = armi_field_byte_width(from), to_width = armi_field_byte_width(to);
    bool from_signed = armi_type_is_signed(from->type),
         to_signed = armi_type_is_signed(to->type);
    if (from_signed && !to_signed)
        return refuse(reason, "negative values would be lost");
    if (from_width > to_width)
        return refuse(reason, "it is narrower");
    if (from_width == to_width && from_signed != to_signed)
        return refuse(reason, "large values would be lost");
    return ARMI_CAST_WIDEN;
}

static enum armi_cast_kind cast_decimals(const struct armi_field *from,
                                         const struct armi_field *to, const char **reason)
{
    if (to->scale < from->scale)
        return refuse(reason, "digits behind the point would be lost");
    if ((int64_t)to->precision - to->scale < (int64_t)from->precision - from->scale)
        return refuse(reason, "digits before the point would be lost");
    return ARMI_CAST_WIDEN;
}

/* Times with a unit: type and zone are the same. */
static enum armi_cast_kind cast_units(const struct armi_field *from,
                                      const struct armi_field *to, const char **reason)
{
    if (to->unit < from->unit)
        return refuse(reason, "its unit is coarser");
    if ((from->timezone == NULL) != (to->timezone == NULL))
        return refuse(reason, "only one of them has a time zone");
    if (from->timezone != NULL && strcmp(from->timezone, to->timezone) != 0)
        return refuse(reason, "the time zones differ");
    /* A time of day is below 86,400 s in any unit; others may overflow. */
    bool is_time = from->type == ARMI_TYPE_TIME32 || from->type == ARMI_TYPE_TIME64;
    return is_time ? ARMI_CAST_WIDEN : ARMI_CAST_CHECKED;
}

static enum armi_cast_kind cast_children(const struct armi_field *from,
                                         const struct armi_field *to, const char **reason)
{
    bool is_struct = to->type == ARMI_TYPE_STRUCT;
    if (to->type == ARMI_TYPE_MAP) { /* key and value, whatever they are called */
        from = &from->children[0];
        to = &to->children[0];
    }
    if (from->child_count != to->child_count)
        return refuse(reason, "the number of members differs");
    enum armi_cast_kind all = ARMI_CAST_LAYOUT;
    for (size_t c = 0; c < to->child_count; c++) {
        const struct armi_field *a = &from->children[c], *b = &to->children[c];
        if (is_struct && strcmp(a->name, b->name) != 0)
            return refuse(reason, "the members' names or their order differ");
        enum armi_cast_kind kind = armi_cast_possible(a, b, reason);
        if (kind == ARMI_CAST_NONE)
            return kind;
        all = kind > all ? kind : all;
    }
    return all;
}

static bool is_wrapped(const struct armi_field *field)
{
    return field->type == ARMI_TYPE_DICTIONARY || field->type == ARMI_TYPE_RUN_END;
}

/* Dictionaries and run ends on either side: what happens to the values decides, and whether the
 * entries can be numbered. */
static enum armi_cast_kind cast_wrapped(const struct armi_field *from,
                                        const struct armi_field *to, const char **reason)
{
    enum armi_cast_kind kind =
        armi_cast_possible(armi_field_value(from), armi_field_value(to), reason);
    if (kind == ARMI_CAST_SAME)
        kind = ARMI_CAST_LAYOUT;
    bool fits = to->type != ARMI_TYPE_DICTIONARY ||
                (from->type == ARMI_TYPE_DICTIONARY &&
                 armi_field_byte_width(from) <= armi_field_byte_width(to));
    bool counts = to->type != ARMI_TYPE_RUN_END || to->children[0].type == ARMI_TYPE_INT64;
    return kind == ARMI_CAST_NONE || (fits && counts) ? kind : ARMI_CAST_CHECKED;
}

static bool is_float_cast(enum armi_type from, enum armi_type to)
{
    return armi_type_is_float(from) && armi_type_is_float(to);
}

enum armi_cast_kind armi_cast_possible(const struct armi_field *from,
                                       const struct armi_field *to, const char **reason)
{
    if (armi_field_equal(from, to, 0))
        return ARMI_CAST_SAME;
    if (from->type == ARMI_TYPE_NULL)
        return ARMI_CAST_WIDEN;
    if (is_wrapped(from) || is_wrapped(to))
        return cast_wrapped(from, to, reason);
    enum armi_type a = armi_type_logical(from->type), b = armi_type_logical(to->type);
    bool is_times = (a == ARMI_TYPE_TIME32 || a == ARMI_TYPE_TIME64) &&
                    (b == ARMI_TYPE_TIME32 || b == ARMI_TYPE_TIME64);
    if (armi_type_is_integer(a) && armi_type_is_integer(b))
        return cast_integers(from, to, reason);
    if (is_float_cast(a, b))
        return a < b ? ARMI_CAST_WIDEN : refuse(reason, "it is narrower");
    if (armi_type_is_decimal(a) && armi_type_is_decimal(b))
        return cast_decimals(from, to, reason);
    if (is_times || (a == b && armi_type_has_unit(a)))
        return cast_units(from, to, reason);
    if (a == b && (a == ARMI_TYPE_UTF8 || a == ARMI_TYPE_BINARY))
        return ARMI_CAST_LAYOUT;
    if (a == ARMI_TYPE_FIXED_BINARY && b == a)
        return refuse(reason, "the widths differ");
    if (a == ARMI_TYPE_FIXED_LIST && b == a && from->width != to->width)
        return refuse(reason, "the sizes differ");
    if (a == b && armi_type_is_nested(a) && armi_type_layout(a) != ARMI_LAYOUT_UNION)
        return cast_children(from, to, reason);
    return refuse(reason, "there is no lossless cast between them");
}

/* ---- doing it ---- */

enum armi_status armi_cast_validity(const struct armi_array *array, struct armi_part *out,
                                    int64_t *null_count, struct armi_error *err)
{
    size_t size = armi_bitmap_size((size_t)array->length);
    *null_count = validity_nulls(array, 0, array->length);
    if (*null_count == 0)
        return ARMI_OK;
    uint8_t *bits = armi_alloc(size);
    if (bits == NULL)
        return armi_error_no_memory(err);
    armi_bitmap_copy(bits, array->validity, (size_t)array->offset, (size_t)array->length);
    *out = armi_part_owned(bits, (int64_t)size);
    return ARMI_OK;
}

static enum armi_status cast_run_end(const struct casting *casting,
                                     const struct armi_array *array,
                                     const struct armi_field *to, struct ArrowArray *out,
                                     struct armi_error *err)
{
    struct armi_plain plain;
    const struct armi_field *value = &array->field->children[1];
    ARMI_TRY(armi_plain_init(array, 0, array->length, &plain, err));
    armi_array_release(&plain.view);
    return armi_cast_owned(casting, value, &plain.array, to, out, err);
}

enum armi_status armi_cast_owned(const struct casting *casting,
                                 const struct armi_field *from, struct ArrowArray *array,
                                 const struct armi_field *to, struct ArrowArray *out,
                                 struct armi_error *err)
{
    struct armi_holder *holder = NULL;
    struct armi_array view = ARMI_ARRAY_INIT;
    if (armi_field_equal(from, to, 0)) {
        armi_arrow_array_move(array, out);
        return ARMI_OK;
    }
    enum armi_status status = armi_array_hold(array, &holder, err);
    if (status != ARMI_OK)
        goto done;
    status =
        armi_array_init(from, armi_holder_array(holder), ARMI_VALIDATE_NONE, &view, err);
    if (status != ARMI_OK)
        goto done;
    status = armi_cast_array(casting, &view, to, holder, out, err);
done:
    armi_array_release(&view);
    armi_holder_unref(holder);
    armi_arrow_array_release(array);
    return status;
}

enum armi_status armi_cast_array(const struct casting *casting,
                                 const struct armi_array *array,
                                 const struct armi_field *to, struct armi_holder *holder,
                                 struct ArrowArray *out, struct armi_error *err)
{
    if (armi_field_equal(array->field, to, 0))
        return armi_array_export_slice(array, 0, array->length, holder, out, err);
    if (array->layout == ARMI_LAYOUT_NULL) {
        struct armi_run nulls = {NULL, 0, array->length};
        return armi_assemble_runs(to, &nulls, 1, casting->column, out, err);
    }
    if (array->layout == ARMI_LAYOUT_RUN_END)
        return cast_run_end(casting, array, to, out, err);
    if (to->type == ARMI_TYPE_RUN_END)
        return armi_cast_run_ends(casting, array, to, holder, out, err);
    if (to->type == ARMI_TYPE_DICTIONARY)
        return armi_cast_encode(casting, array, to, holder, out, err);
    if (array->layout == ARMI_LAYOUT_DICTIONARY)
        return armi_cast_decode(casting, array, to, holder, out, err);
    if (layout_is_binary(array->layout))
        return armi_cast_binary(casting, array, to, holder, out, err);
    if (layout_is_list(array->layout))
        return armi_cast_list(casting, array, to, holder, out, err);
    if (array->layout == ARMI_LAYOUT_STRUCT || array->layout == ARMI_LAYOUT_FIXED_LIST)
        return armi_cast_members(casting, array, to, holder, out, err);
    return armi_cast_numbers(casting, array, to, out, err);
}

static enum armi_status refuse_cast(const struct armi_field *from,
                                    const struct armi_field *to, const char *reason,
                                    struct armi_error *err)
{
    char *from_text = NULL, *to_text = NULL;
    enum armi_status status = armi_type_text(from, &from_text, err);
    if (status == ARMI_OK)
        status = armi_type_text(to, &to_text, err);
    if (status == ARMI_OK)
        status = armi_error_object(err, ARMI_SCHEMA_MISMATCH, "column", from->name,
                                   "column \"%s\": cannot cast %s to %s: %s", from->name,
                                   from_text, to_text, reason);
    armi_free(from_text);
    armi_free(to_text);
    return status;
}

enum armi_status armi_cast(const struct armi_array *array, const struct armi_field *to,
                           struct armi_holder *holder, struct ArrowArray *out,
                           struct armi_error *err)
{
    const char *reason = "";
    struct casting casting = {array->field->name, array};
    if (armi_cast_possible(array->field, to, &reason) == ARMI_CAST_NONE)
        return refuse_cast(array->field, to, reason, err);
    return armi_cast_array(&casting, array, to, holder, out, err);
}
