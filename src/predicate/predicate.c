/*
 * Compiling, and the public functions over it.
 */
#include "predicate/predicate.h"

#include <string.h>

#include "base/alloc.h"
#include "predicate/predicate_internal.h"

enum armi_status armi_predicate_compile(const char *where, const struct armi_field *schema,
                                        struct armi_predicate **out, struct armi_error *err)
{
    struct armi_predicate *predicate = armi_alloc_zero(1, sizeof *predicate);
    struct armi_lexer lexer;
    struct armi_syntax *syntax = NULL;
    enum armi_status st;
    if (predicate == NULL)
        return armi_error_no_memory(err);
    predicate->schema = schema;
    /* Literals point into the text, so the predicate has its own. */
    predicate->text = armi_strdup(where);
    if (predicate->text == NULL) {
        st = armi_error_no_memory(err);
        goto done;
    }
    st = armi_lexer_init(&lexer, "where", predicate->text, &predicate->arena, err);
    if (st == ARMI_OK)
        st = armi_syntax_parse(&lexer, &syntax, err);
    if (st == ARMI_OK) {
        struct armi_typer typer = {predicate, &lexer, err};
        st = armi_type_predicate(&typer, syntax);
    }
    if (st == ARMI_OK) {
        *out = predicate;
        predicate = NULL;
    }
done:
    armi_predicate_free(predicate);
    return st;
}

void armi_predicate_free(struct armi_predicate *predicate)
{
    if (predicate == NULL)
        return;
    for (struct armi_map_link *link = predicate->maps; link != NULL; link = link->next)
        armi_map_release(&link->map);
    armi_arena_release(&predicate->arena);
    armi_free(predicate->text);
    armi_free(predicate);
}

const size_t *armi_predicate_columns(const struct armi_predicate *predicate, size_t *count)
{
    *count = predicate->column_count;
    return predicate->columns;
}

/* ---- public ---- */

enum armi_status armi_predicate_check(const char *where, const struct ArrowSchema *schema,
                                      struct armi_error *err)
{
    struct armi_field field = ARMI_FIELD_INIT;
    struct armi_predicate *predicate = NULL;
    enum armi_status st = armi_field_import_schema(schema, &field, err);
    if (st == ARMI_OK)
        st = armi_predicate_compile(where, &field, &predicate, err);
    armi_predicate_free(predicate);
    armi_field_release(&field);
    return st;
}

/* Only what is read is validated: the rest may be what it likes. */
static enum armi_status validate_used(const struct armi_predicate *predicate,
                                      const struct armi_array *batch,
                                      struct armi_error *err)
{
    for (size_t i = 0; i < predicate->column_count; i++)
        ARMI_TRY(armi_array_validate(&batch->children[predicate->columns[i]],
                                     ARMI_VALIDATE_FULL, err));
    return ARMI_OK;
}

enum armi_status armi_predicate_evaluate(const char *where,
                                         const struct ArrowSchema *schema,
                                         const struct ArrowArray *array,
                                         unsigned char *bitmap, struct armi_error *err)
{
    struct armi_field field = ARMI_FIELD_INIT;
    struct armi_predicate *predicate = NULL;
    struct armi_array batch = ARMI_ARRAY_INIT, *columns = NULL;
    enum armi_status st = armi_field_import_schema(schema, &field, err);
    if (st == ARMI_OK)
        st = armi_predicate_compile(where, &field, &predicate, err);
    if (st == ARMI_OK)
        st = armi_array_init_batch(&field, array, ARMI_VALIDATE_BOUNDS, &batch, err);
    if (st == ARMI_OK)
        st = validate_used(predicate, &batch, err);
    if (st != ARMI_OK)
        goto done;
    columns = armi_alloc_zero(batch.child_count, sizeof *columns);
    if (columns == NULL) {
        st = armi_error_no_memory(err);
        goto done;
    }
    for (size_t i = 0; i < predicate->column_count; i++) {
        size_t column = predicate->columns[i];
        columns[column] = armi_array_column(&batch, column);
    }
    st = armi_predicate_match(predicate, columns, batch.length, bitmap, err);
done:
    armi_free(columns);
    armi_array_release(&batch);
    armi_predicate_free(predicate);
    armi_field_release(&field);
    return st;
}
