/*
 * Names to columns. Names are exact. a.b is the member b of the struct a, or a column whose name
 * is "a.b"; where both are there, quotes say which.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "predicate/predicate_internal.h"

#define LISTED_MAX 600 /* bytes of names in a message */

/* How many children have the name; *out is the first. */
static size_t find_child(const struct armi_field *parent, struct armi_slice name,
                         size_t *out)
{
    size_t found = 0;
    for (size_t i = 0; i < parent->child_count; i++) {
        const char *other = parent->children[i].name;
        if (strlen(other) != name.size ||
            (name.size != 0 && memcmp(other, name.data, name.size) != 0))
            continue;
        if (found++ == 0)
            *out = i;
    }
    return found;
}

/* The children's names, as many as fit. */
static void list_children(const struct armi_field *parent, char out[LISTED_MAX])
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < parent->child_count; i++) {
        const char *name = parent->children[i].name;
        size_t size = strlen(name);
        if (used + size + 8 >= LISTED_MAX) {
            snprintf(out + used, LISTED_MAX - used, "%s…", i == 0 ? "" : ", ");
            return;
        }
        used += (size_t)snprintf(out + used, LISTED_MAX - used, "%s%s", i == 0 ? "" : ", ",
                                 name);
    }
}

/* a.b.c without quotes, cut to what fits. */
static void join_parts(const struct armi_syntax_part *part,
                       const struct armi_syntax_part *last, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (; part != NULL && used < size; part = part == last ? NULL : part->next)
        used += (size_t)snprintf(out + used, size - used, "%s%.*s", used == 0 ? "" : ".",
                                 (int)part->name.size, (const char *)part->name.data);
}

ARMI_PRINTF(4, 5)
static enum armi_status column_error(struct armi_typer *typer,
                                     const struct armi_syntax *node,
                                     enum armi_status status, const char *format, ...)
{
    char message[800], name[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    join_parts(node->parts, NULL, name, sizeof name);
    if (status == ARMI_NOT_FOUND)
        return armi_error_object(typer->err, status, "column", name, "%s", message);
    return armi_error_object(typer->err, status, "column", name, "%s: column %zu: %s",
                             typer->lexer->what, armi_lexer_place(typer->lexer, node->at),
                             message);
}

static enum armi_status part_missing(struct armi_typer *typer,
                                     const struct armi_syntax *node,
                                     const struct armi_syntax_part *part,
                                     const struct armi_field *parent)
{
    char listed[LISTED_MAX], path[256];
    list_children(parent, listed);
    join_parts(node->parts, part, path, sizeof path);
    if (part == node->parts)
        return column_error(typer, node, ARMI_NOT_FOUND, "No column \"%s\" (columns: %s)",
                            path, listed);
    return column_error(typer, node, ARMI_NOT_FOUND,
                        "No column \"%s\" (members of \"%s\": %s)", path, parent->name,
                        listed);
}

/* Walks the path; *found tells whether it is there, else the error says why. */
static enum armi_status walk(struct armi_typer *typer, const struct armi_syntax *node,
                             struct armi_leaf_column *out)
{
    struct armi_leaf_column column = {0};
    const struct armi_field *parent = typer->predicate->schema;
    size_t depth = 0, at = 0;
    for (const struct armi_syntax_part *part = node->parts; part != NULL; part = part->next)
        depth++;
    size_t *path = armi_arena_take(&typer->predicate->arena, depth, sizeof *path);
    if (path == NULL)
        return armi_error_no_memory(typer->err);
    for (const struct armi_syntax_part *part = node->parts; part != NULL;
         part = part->next) {
        if (parent->type != ARMI_TYPE_STRUCT)
            return column_error(typer, node, ARMI_NOT_FOUND,
                                "No column \"%.*s\" in \"%s\": it is %s, not a struct",
                                (int)part->name.size, (const char *)part->name.data,
                                parent->name, armi_type_name(parent->type));
        size_t found = find_child(parent, part->name, &at);
        if (found == 0)
            return part_missing(typer, node, part, parent);
        if (found > 1)
            return column_error(typer, node, ARMI_INVALID,
                                "the name \"%.*s\" is ambiguous: %zu columns have it",
                                (int)part->name.size, (const char *)part->name.data, found);
        if (part == node->parts)
            column.column = at;
        else
            path[column.depth++] = at;
        parent = &parent->children[at];
    }
    column.path = path;
    column.field = parent;
    *out = column;
    return ARMI_OK;
}

/* A top-level column that is named with dots, written without quotes: how many there are. */
static enum armi_status find_dotted(struct armi_typer *typer,
                                    const struct armi_syntax *node, size_t *found,
                                    size_t *out)
{
    struct armi_buf name;
    armi_buf_init(&name, 0);
    enum armi_status st = ARMI_OK;
    *found = 0;
    for (const struct armi_syntax_part *part = node->parts; part != NULL && st == ARMI_OK;
         part = part->next) {
        if (part->is_quoted)
            goto done;
        if (part != node->parts)
            st = armi_buf_append_u8(&name, '.', typer->err);
        if (st == ARMI_OK)
            st = armi_buf_append(&name, part->name.data, part->name.size, typer->err);
    }
    if (st == ARMI_OK)
        *found = find_child(typer->predicate->schema, armi_buf_slice(&name), out);
done:
    armi_buf_release(&name);
    return st;
}

enum armi_status armi_type_resolve(struct armi_typer *typer, const struct armi_syntax *node,
                                   struct armi_leaf_column *out)
{
    const struct armi_field *schema = typer->predicate->schema;
    struct armi_leaf_column column = {0};
    size_t dotted = 0, at = 0, first;
    if (node->parts->next != NULL)
        ARMI_TRY(find_dotted(typer, node, &dotted, &at));
    if (dotted == 0 ||
        (dotted == 1 && find_child(schema, node->parts->name, &first) != 0)) {
        struct armi_error *err = typer->err;
        if (dotted != 0)
            typer->err = NULL;
        enum armi_status st = walk(typer, node, &column);
        typer->err = err;
        if (dotted != 0 && st == ARMI_OK)
            return column_error(typer, node, ARMI_INVALID,
                                "this is ambiguous: there is a column of that name with "
                                "dots and a member; write \"a.b\" or \"a\".\"b\"");
        if (dotted == 0 || st == ARMI_NO_MEMORY)
            ARMI_TRY(st);
    }
    if (dotted > 1)
        return column_error(typer, node, ARMI_INVALID,
                            "the name is ambiguous: %zu columns have it", dotted);
    if (dotted == 1)
        column = (struct armi_leaf_column){.column = at, .field = &schema->children[at]};
    column.value = armi_field_value(column.field);
    if (column.value->type == ARMI_TYPE_SPARSE_UNION ||
        column.value->type == ARMI_TYPE_DENSE_UNION)
        return column_error(typer, node, ARMI_UNSUPPORTED, "the column is a union");
    *out = column;
    return ARMI_OK;
}

bool armi_leaf_same_column(const struct armi_leaf_column *a,
                           const struct armi_leaf_column *b)
{
    return a->column == b->column && a->field == b->field;
}
