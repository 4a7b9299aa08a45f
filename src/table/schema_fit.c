#include "table/schema_fit.h"

#include <string.h>

#include "arrow/cast.h"
#include "arrow/schema_text.h"
#include "base/alloc.h"

void armi_fit_release(struct armi_fit *fit)
{
    armi_field_release(&fit->schema);
    armi_free(fit->from);
    *fit = (struct armi_fit){.schema = ARMI_FIELD_INIT};
}

/* ---- ids ---- */

/* Nested fields have ids too: other readers ask for them on list items and map keys. */
static enum armi_status ids_give(struct armi_field *field, int32_t *next_id,
                                 struct armi_error *err)
{
    if (*next_id == INT32_MAX)
        return armi_error_set(err, ARMI_LIMIT, "the table has used up its column ids");
    field->id = (*next_id)++;
    if (!armi_type_is_nested(field->type))
        return ARMI_OK;
    for (size_t i = 0; i < field->child_count; i++)
        ARMI_TRY(ids_give(&field->children[i], next_id, err));
    return ARMI_OK;
}

static void ids_copy(struct armi_field *field, const struct armi_field *from)
{
    field->id = from->id;
    for (size_t i = 0; i < field->child_count && i < from->child_count; i++)
        ids_copy(&field->children[i], &from->children[i]);
}

/* ---- messages ---- */

static enum armi_status mismatch(struct armi_error *err, const char *table,
                                 const struct armi_field *have,
                                 const struct armi_field *get, const char *why)
{
    char *old_type = NULL, *new_type = NULL;
    enum armi_status st = ARMI_NO_MEMORY;
    if (armi_type_text(have, &old_type, err) == ARMI_OK &&
        armi_type_text(get, &new_type, err) == ARMI_OK)
        st = armi_error_object(
            err, ARMI_SCHEMA_MISMATCH, "column", have->name,
            "column \"%s\" of table \"%s\" is %s, the data brings %s (%s); "
            "schema_mode=\"overwrite\" takes the new schema",
            have->name, table, old_type, new_type, why);
    armi_free(old_type);
    armi_free(new_type);
    return st;
}

/* ---- one column ---- */

static bool is_widening(const struct armi_field *from, const struct armi_field *to)
{
    bool ints = armi_type_is_integer(from->type) && armi_type_is_integer(to->type) &&
                armi_type_is_signed(from->type) == armi_type_is_signed(to->type);
    bool floats = armi_type_is_float(from->type) && armi_type_is_float(to->type);
    bool decimals = armi_type_is_decimal(from->type) && armi_type_is_decimal(to->type);
    return (ints || floats || decimals || from->type == ARMI_TYPE_NULL) &&
           armi_cast_possible(from, to, NULL) == ARMI_CAST_WIDEN;
}

/* Makes the column of the table's schema take in what comes; the type may become wider. */
static enum armi_status column_fit(const char *table, struct armi_field *column,
                                   const struct armi_field *get, enum armi_fit_mode mode,
                                   bool *changed, struct armi_error *err)
{
    const char *why = "a cast could lose values";
    if (armi_cast_possible(get, column, &why) != ARMI_CAST_NONE)
        return ARMI_OK;
    if (mode != ARMI_FIT_MERGE || !is_widening(column, get))
        return mismatch(err, table, column, get, why);
    struct armi_field wider = ARMI_FIELD_INIT;
    ARMI_TRY(armi_field_copy(get, &wider, err));
    ids_copy(&wider, column);
    wider.nullable = column->nullable;
    armi_field_release(column);
    armi_field_move(&wider, column);
    *changed = true;
    return ARMI_OK;
}

/* ---- the schema ---- */

static enum armi_status map_alloc(struct armi_fit *fit, size_t count,
                                  struct armi_error *err)
{
    fit->from = armi_alloc_array(count, sizeof *fit->from);
    if (fit->from == NULL)
        return armi_error_no_memory(err);
    for (size_t c = 0; c < count; c++)
        fit->from[c] = -1;
    return ARMI_OK;
}

/* The data's schema, with the ids of columns that are there under the same name and type. */
static enum armi_status fit_overwrite(const struct armi_field *schema,
                                      const struct armi_field *incoming,
                                      struct armi_fit *fit, struct armi_error *err)
{
    ARMI_TRY(armi_field_copy(incoming, &fit->schema, err));
    ARMI_TRY(map_alloc(fit, incoming->child_count, err));
    for (size_t c = 0; c < incoming->child_count; c++) {
        struct armi_field *column = &fit->schema.children[c];
        int64_t old = schema != NULL ? armi_field_find(schema, column->name) : -1;
        fit->from[c] = (int64_t)c;
        if (old >= 0 && armi_field_equal(&schema->children[old], column, 0))
            ids_copy(column, &schema->children[old]);
        else
            ARMI_TRY(ids_give(column, &fit->next_id, err));
    }
    fit->changed =
        schema == NULL || !armi_field_equal(schema, &fit->schema, ARMI_EQUAL_ALL);
    return ARMI_OK;
}

static enum armi_status fit_columns(const char *table, const struct armi_field *incoming,
                                    enum armi_fit_mode mode, struct armi_fit *fit,
                                    struct armi_error *err)
{
    for (size_t c = 0; c < fit->schema.child_count; c++) {
        struct armi_field *column = &fit->schema.children[c];
        fit->from[c] = armi_field_find(incoming, column->name);
        if (fit->from[c] >= 0)
            ARMI_TRY(column_fit(table, column, &incoming->children[fit->from[c]], mode,
                                &fit->changed, err));
        else if (!column->nullable)
            return armi_error_object(err, ARMI_SCHEMA_MISMATCH, "column", column->name,
                                     "the data lacks column \"%s\" of table \"%s\", which "
                                     "is not nullable",
                                     column->name, table);
    }
    return ARMI_OK;
}

/* Columns that the table lacks: refused, or added at the end. */
static enum armi_status fit_extra(const char *table, const struct armi_field *incoming,
                                  enum armi_fit_mode mode, struct armi_fit *fit,
                                  struct armi_error *err)
{
    size_t known = fit->schema.child_count;
    for (size_t i = 0; i < incoming->child_count; i++) {
        const struct armi_field *extra = &incoming->children[i];
        if (armi_field_find(&fit->schema, extra->name) >= 0)
            continue;
        if (mode == ARMI_FIT_STRICT)
            return armi_error_object(
                err, ARMI_SCHEMA_MISMATCH, "column", extra->name,
                "table \"%s\" has no column \"%s\"; schema_mode=\"merge\" adds it, "
                "schema_mode=\"overwrite\" takes the new schema",
                table, extra->name);
        struct armi_field column = ARMI_FIELD_INIT;
        ARMI_TRY(armi_field_copy(extra, &column, err));
        column.nullable = true;
        enum armi_status st = ids_give(&column, &fit->next_id, err);
        if (st == ARMI_OK)
            st = armi_field_add_child(&fit->schema, &column, err);
        armi_field_release(&column);
        ARMI_TRY(st);
        fit->changed = true;
    }
    if (fit->schema.child_count == known)
        return ARMI_OK;
    armi_free(fit->from);
    fit->from = NULL;
    ARMI_TRY(map_alloc(fit, fit->schema.child_count, err));
    for (size_t c = 0; c < fit->schema.child_count; c++)
        fit->from[c] = armi_field_find(incoming, fit->schema.children[c].name);
    return ARMI_OK;
}

static enum armi_status fit_existing(const char *table, const struct armi_field *schema,
                                     const struct armi_field *incoming,
                                     enum armi_fit_mode mode, bool takes_metadata,
                                     struct armi_fit *fit, struct armi_error *err)
{
    ARMI_TRY(armi_field_copy(schema, &fit->schema, err));
    ARMI_TRY(map_alloc(fit, schema->child_count, err));
    ARMI_TRY(fit_columns(table, incoming, mode, fit, err));
    ARMI_TRY(fit_extra(table, incoming, mode, fit, err));
    if (!takes_metadata || incoming->metadata.count == 0 ||
        armi_metadata_equal(&schema->metadata, &incoming->metadata))
        return ARMI_OK;
    fit->changed = true;
    armi_metadata_release(&fit->schema.metadata);
    return armi_metadata_copy(&incoming->metadata, &fit->schema.metadata, err);
}

enum armi_status armi_fit_schema(const char *table, const struct armi_field *schema,
                                 int32_t next_id, const struct armi_field *incoming,
                                 enum armi_fit_mode mode, bool takes_metadata,
                                 struct armi_fit *out, struct armi_error *err)
{
    struct armi_fit fit = {.schema = ARMI_FIELD_INIT, .next_id = next_id};
    enum armi_status st =
        schema == NULL || mode == ARMI_FIT_OVERWRITE
            ? fit_overwrite(schema, incoming, &fit, err)
            : fit_existing(table, schema, incoming, mode, takes_metadata, &fit, err);
    if (st != ARMI_OK) {
        armi_fit_release(&fit);
        return st;
    }
    *out = fit;
    return ARMI_OK;
}
