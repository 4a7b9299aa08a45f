/*
 * Syntax to nodes: columns are found, classes held against each other, literals folded, `not` pushed
 * down to the leaves. What is null in SQL's logic is FALSE here, negated or not.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arrow/schema_text.h"
#include "base/alloc.h"
#include "predicate/predicate_internal.h"

static enum armi_status type_condition(struct armi_typer *t, const struct armi_syntax *node,
                                       bool is_negated, struct armi_node **out);

/* ---- messages ---- */

static const char *literal_type(const struct armi_syntax *literal)
{
    static const char *const temporals[] = {"date", "timestamp", "time", "duration"};
    switch (literal->kind) {
    case ARMI_SYNTAX_BOOL:
        return "bool";
    case ARMI_SYNTAX_NUMBER:
        return literal->number.is_integer ? "integer" : "decimal";
    case ARMI_SYNTAX_TEXT:
        return "text";
    case ARMI_SYNTAX_BYTES:
        return "bytes";
    case ARMI_SYNTAX_TEMPORAL:
        return temporals[literal->temporal];
    default:
        return "null";
    }
}

/* A value and its type, to be put into a message: column "x" (int64), 'abc' (text). */
static void describe(struct armi_typer *t, const struct armi_syntax *value, char *out,
                     size_t size)
{
    struct armi_leaf_column column;
    struct armi_typer quiet = {t->predicate, t->lexer, NULL};
    char *type = NULL;
    bool is_long = value->source.size > 60;
    int shown = is_long ? 60 : (int)value->source.size;
    while (is_long && shown > 0 && (value->source.data[shown] & 0xc0) == 0x80)
        shown--;
    if (value->kind != ARMI_SYNTAX_COLUMN) {
        snprintf(out, size, "%.*s%s (%s)", shown, (const char *)value->source.data,
                 is_long ? "…" : "", literal_type(value));
        return;
    }
    if (armi_type_resolve(&quiet, value, &column) == ARMI_OK &&
        armi_type_text(column.field, &type, NULL) != ARMI_OK)
        type = NULL;
    const char *text = (const char *)value->source.data;
    bool is_quoted = shown > 0 && text[0] == '"';
    snprintf(out, size, "column %s%.*s%s%s (%.200s)", is_quoted ? "" : "\"", shown, text,
             is_long ? "…" : "", is_quoted ? "" : "\"", type != NULL ? type : "?");
    armi_free(type);
}

/* The name of the column that a message is about. */
static void object_name(const struct armi_syntax *value, char *out, size_t size)
{
    const struct armi_syntax_part *part = value->parts;
    size_t used = 0;
    out[0] = '\0';
    for (; part != NULL && used < size; part = part->next)
        used += (size_t)snprintf(out + used, size - used, "%s%.*s", used == 0 ? "" : ".",
                                 (int)part->name.size, (const char *)part->name.data);
}

/* What would help. */
static const char *hint(enum armi_class column, const struct armi_syntax *literal)
{
    if (literal->kind == ARMI_SYNTAX_TEXT) {
        if (column == ARMI_CLASS_INSTANT)
            return ": write date '…' or timestamp '…'";
        if (column == ARMI_CLASS_TIME)
            return ": write time '…'";
        if (column == ARMI_CLASS_DURATION)
            return ": write duration '…'";
        if (column == ARMI_CLASS_BYTES)
            return ": write x'…'";
        if (column == ARMI_CLASS_NUMBER)
            return ": write the number without quotes";
        if (column == ARMI_CLASS_BOOL)
            return ": write true or false";
    }
    if (column == ARMI_CLASS_TEXT && literal->kind == ARMI_SYNTAX_NUMBER)
        return ": write the text in quotes";
    return "";
}

static enum armi_status mismatch(struct armi_typer *t, size_t at,
                                 const struct armi_syntax *left,
                                 const struct armi_syntax *right)
{
    char one[400], two[400], name[256];
    const char *help = "";
    struct armi_leaf_column column;
    struct armi_typer quiet = {t->predicate, t->lexer, NULL};
    describe(t, left, one, sizeof one);
    describe(t, right, two, sizeof two);
    const struct armi_syntax *named = left->kind == ARMI_SYNTAX_COLUMN ? left : right;
    const struct armi_syntax *other = named == left ? right : left;
    object_name(named, name, sizeof name);
    if (named->kind == ARMI_SYNTAX_COLUMN &&
        armi_type_resolve(&quiet, named, &column) == ARMI_OK)
        help = hint(armi_class_of_field(column.value), other);
    return armi_error_object(t->err, ARMI_INVALID,
                             named->kind == ARMI_SYNTAX_COLUMN ? "column" : "", name,
                             "%s: column %zu: cannot compare %s with %s%s", t->lexer->what,
                             armi_lexer_place(t->lexer, at), one, two, help);
}

static enum armi_status need_value(struct armi_typer *t, const struct armi_syntax *node,
                                   const char *where)
{
    if (armi_syntax_is_value(node))
        return ARMI_OK;
    return armi_lexer_error(t->lexer, node->at, t->err, ARMI_INVALID,
                            "a condition cannot stand %s, only a column or a value", where);
}

/* ---- and, or ---- */

static enum armi_status type_junction(struct armi_typer *t, const struct armi_syntax *node,
                                      bool is_negated, struct armi_node **out)
{
    struct armi_node_list list = {0};
    bool is_and = (node->kind == ARMI_SYNTAX_AND) != is_negated;
    for (const struct armi_syntax *child = node->children; child != NULL;
         child = child->next) {
        struct armi_node *typed;
        ARMI_TRY(type_condition(t, child, is_negated, &typed));
        ARMI_TRY(armi_nodes_splice(t, &list, is_and, typed));
    }
    return armi_nodes_join(t, &list, is_and, out);
}

/* ---- comparisons ---- */

static enum armi_status constant(struct armi_typer *t, bool is_true, struct armi_node **out)
{
    return armi_node_new(t, is_true ? ARMI_NODE_TRUE : ARMI_NODE_FALSE, out);
}

static enum armi_status compare_literals(struct armi_typer *t, size_t at,
                                         const struct armi_syntax *left, enum armi_op op,
                                         const struct armi_syntax *right,
                                         struct armi_node **out)
{
    if (left->kind == ARMI_SYNTAX_NULL || right->kind == ARMI_SYNTAX_NULL)
        return constant(t, false, out);
    if (armi_class_of_literal(left) != armi_class_of_literal(right))
        return mismatch(t, at, left, right);
    return constant(t, armi_op_holds(op, armi_literal_compare(left, right)), out);
}

static enum armi_status type_compare(struct armi_typer *t, size_t at,
                                     const struct armi_syntax *left, enum armi_op op,
                                     const struct armi_syntax *right,
                                     struct armi_node **out)
{
    struct armi_leaf_column column, other;
    ARMI_TRY(need_value(t, left, "in a comparison"));
    ARMI_TRY(need_value(t, right, "in a comparison"));
    if (left->kind != ARMI_SYNTAX_COLUMN && right->kind != ARMI_SYNTAX_COLUMN)
        return compare_literals(t, at, left, op, right, out);
    if (left->kind != ARMI_SYNTAX_COLUMN) {
        const struct armi_syntax *literal = left;
        left = right;
        right = literal;
        op = armi_op_swap(op);
    }
    ARMI_TRY(armi_type_resolve(t, left, &column));
    enum armi_class class = armi_class_of_field(column.value), other_class;
    if (right->kind == ARMI_SYNTAX_COLUMN) {
        ARMI_TRY(armi_type_resolve(t, right, &other));
        other_class = armi_class_of_field(other.value);
    } else {
        other_class = armi_class_of_literal(right);
    }
    if (class == ARMI_CLASS_NULL || other_class == ARMI_CLASS_NULL)
        return constant(t, false, out);
    if (class != other_class || class == ARMI_CLASS_OTHER)
        return mismatch(t, at, left, right);
    if (right->kind == ARMI_SYNTAX_COLUMN)
        return armi_leaf_columns(t, &column, op, &other, out);
    return armi_leaf_compare(t, &column, op, right, out);
}

/* Literals of the list that can stand in a set: of the column's class, not null. */
static enum armi_status collect_literals(struct armi_typer *t,
                                         const struct armi_syntax *node,
                                         const struct armi_leaf_column *column,
                                         const struct armi_syntax ***out, size_t *count)
{
    enum armi_class class = armi_class_of_field(column->value);
    const struct armi_syntax **literals = armi_arena_take(
        &t->predicate->arena, node->child_count, sizeof(const struct armi_syntax *));
    if (literals == NULL)
        return armi_error_no_memory(t->err);
    *count = 0;
    for (const struct armi_syntax *item = node->children->next; item != NULL;
         item = item->next) {
        if (!armi_syntax_is_value(item) || item->kind == ARMI_SYNTAX_COLUMN ||
            item->kind == ARMI_SYNTAX_NULL)
            continue;
        if (class == ARMI_CLASS_OTHER ||
            (class != ARMI_CLASS_NULL && armi_class_of_literal(item) != class))
            return mismatch(t, item->at, node->children, item);
        literals[(*count)++] = item;
    }
    *out = literals;
    return ARMI_OK;
}

/* x in (a, b) is x = a or x = b, x not in (a, b) is x <> a and x <> b; literals make one set. */
static enum armi_status type_in(struct armi_typer *t, const struct armi_syntax *node,
                                bool is_negated, struct armi_node **out)
{
    const struct armi_syntax *value = node->children;
    struct armi_leaf_column column;
    struct armi_node_list list = {0};
    struct armi_node *typed;
    bool is_column = value->kind == ARMI_SYNTAX_COLUMN;
    is_negated = is_negated != node->is_negated;
    ARMI_TRY(need_value(t, value, "before in"));
    if (is_column) {
        const struct armi_syntax **literals = NULL;
        size_t count = 0;
        ARMI_TRY(armi_type_resolve(t, value, &column));
        ARMI_TRY(collect_literals(t, node, &column, &literals, &count));
        if (armi_class_of_field(column.value) == ARMI_CLASS_NULL)
            return constant(t, false, out);
        if (count != 0) {
            ARMI_TRY(armi_leaf_in(t, &column, literals, count, is_negated, &typed));
            ARMI_TRY(armi_nodes_add(t, &list, typed));
        }
    }
    for (const struct armi_syntax *item = value->next; item != NULL; item = item->next) {
        if (is_column && armi_syntax_is_value(item) && item->kind != ARMI_SYNTAX_COLUMN &&
            item->kind != ARMI_SYNTAX_NULL)
            continue;
        ARMI_TRY(type_compare(t, item->at, value, is_negated ? ARMI_OP_NE : ARMI_OP_EQ,
                              item, &typed));
        ARMI_TRY(armi_nodes_add(t, &list, typed));
    }
    return armi_nodes_join(t, &list, is_negated, out);
}

static enum armi_status type_between(struct armi_typer *t, const struct armi_syntax *node,
                                     bool is_negated, struct armi_node **out)
{
    const struct armi_syntax *value = node->children, *low = value->next, *high = low->next;
    struct armi_node_list list = {0};
    struct armi_node *typed;
    is_negated = is_negated != node->is_negated;
    ARMI_TRY(
        type_compare(t, low->at, value, is_negated ? ARMI_OP_LT : ARMI_OP_GE, low, &typed));
    ARMI_TRY(armi_nodes_splice(t, &list, !is_negated, typed));
    ARMI_TRY(type_compare(t, high->at, value, is_negated ? ARMI_OP_GT : ARMI_OP_LE, high,
                          &typed));
    ARMI_TRY(armi_nodes_splice(t, &list, !is_negated, typed));
    return armi_nodes_join(t, &list, !is_negated, out);
}

static enum armi_status type_like(struct armi_typer *t, const struct armi_syntax *node,
                                  bool is_negated, struct armi_node **out)
{
    const struct armi_syntax *value = node->children, *pattern = value->next;
    struct armi_leaf_column column;
    enum armi_class class;
    char text[400], name[256];
    is_negated = is_negated != node->is_negated;
    ARMI_TRY(need_value(t, value, "before like"));
    if (pattern->kind != ARMI_SYNTAX_TEXT && pattern->kind != ARMI_SYNTAX_NULL)
        return armi_lexer_error(t->lexer, pattern->at, t->err, ARMI_INVALID,
                                "the pattern of like is a text in quotes");
    if (value->kind == ARMI_SYNTAX_COLUMN) {
        ARMI_TRY(armi_type_resolve(t, value, &column));
        class = armi_class_of_field(column.value);
    } else {
        class = armi_class_of_literal(value);
    }
    if (class != ARMI_CLASS_TEXT && class != ARMI_CLASS_NULL) {
        describe(t, value, text, sizeof text);
        object_name(value, name, sizeof name);
        return armi_error_object(
            t->err, ARMI_INVALID, value->kind == ARMI_SYNTAX_COLUMN ? "column" : "", name,
            "%s: column %zu: like takes text (string), not %s", t->lexer->what,
            armi_lexer_place(t->lexer, value->at), text);
    }
    if (class == ARMI_CLASS_NULL || pattern->kind == ARMI_SYNTAX_NULL)
        return constant(t, false, out);
    if (value->kind == ARMI_SYNTAX_COLUMN)
        return armi_leaf_like(t, &column, pattern->bytes, is_negated, out);
    struct armi_like like;
    armi_like_prepare(pattern->bytes, &like);
    return constant(t, armi_like_match(&like, value->bytes) != is_negated, out);
}

static enum armi_status type_is_null(struct armi_typer *t, const struct armi_syntax *node,
                                     bool is_negated, struct armi_node **out)
{
    const struct armi_syntax *value = node->children;
    struct armi_leaf_column column;
    bool is_null = is_negated == node->is_negated;
    ARMI_TRY(need_value(t, value, "before is null"));
    if (value->kind != ARMI_SYNTAX_COLUMN)
        return constant(t, (value->kind == ARMI_SYNTAX_NULL) == is_null, out);
    ARMI_TRY(armi_type_resolve(t, value, &column));
    return armi_leaf_nullness(t, &column, is_null, out);
}

/* A column that is a condition by itself. */
static enum armi_status type_bare_column(struct armi_typer *t,
                                         const struct armi_syntax *node, bool is_negated,
                                         struct armi_node **out)
{
    static const struct armi_syntax is_true = {.kind = ARMI_SYNTAX_BOOL, .is_true = true};
    struct armi_leaf_column column;
    char text[400], name[256];
    ARMI_TRY(armi_type_resolve(t, node, &column));
    enum armi_class class = armi_class_of_field(column.value);
    if (class == ARMI_CLASS_NULL)
        return constant(t, false, out);
    if (class == ARMI_CLASS_BOOL)
        return armi_leaf_compare(t, &column, is_negated ? ARMI_OP_NE : ARMI_OP_EQ, &is_true,
                                 out);
    describe(t, node, text, sizeof text);
    object_name(node, name, sizeof name);
    return armi_error_object(t->err, ARMI_INVALID, "column", name,
                             "%s: column %zu: %s is not bool: compare it with something",
                             t->lexer->what, armi_lexer_place(t->lexer, node->at), text);
}

static enum armi_status type_condition(struct armi_typer *t, const struct armi_syntax *node,
                                       bool is_negated, struct armi_node **out)
{
    switch (node->kind) {
    case ARMI_SYNTAX_AND:
    case ARMI_SYNTAX_OR:
        return type_junction(t, node, is_negated, out);
    case ARMI_SYNTAX_NOT:
        return type_condition(t, node->children, !is_negated, out);
    case ARMI_SYNTAX_COMPARE:
        return type_compare(t, node->at, node->children,
                            is_negated ? armi_op_negate(node->op) : node->op,
                            node->children->next, out);
    case ARMI_SYNTAX_IN:
        return type_in(t, node, is_negated, out);
    case ARMI_SYNTAX_BETWEEN:
        return type_between(t, node, is_negated, out);
    case ARMI_SYNTAX_LIKE:
        return type_like(t, node, is_negated, out);
    case ARMI_SYNTAX_IS_NULL:
        return type_is_null(t, node, is_negated, out);
    case ARMI_SYNTAX_COLUMN:
        return type_bare_column(t, node, is_negated, out);
    case ARMI_SYNTAX_BOOL:
        return constant(t, node->is_true != is_negated, out);
    case ARMI_SYNTAX_NULL:
        return constant(t, false, out);
    default:
        return armi_lexer_error(t->lexer, node->at, t->err, ARMI_INVALID,
                                "a value (%s) is not a condition", literal_type(node));
    }
}

/* ---- the whole ---- */

static void use_column(struct armi_typer *t, size_t column, uint8_t *used)
{
    t->predicate->column_count += !armi_bit_get(used, column);
    armi_bit_set(used, column);
}

/* Numbers the leaves, prepares them, notes their columns and how deep ors lie. */
static enum armi_status finish(struct armi_typer *t, struct armi_node *node,
                               size_t or_depth, uint8_t *used)
{
    struct armi_predicate *predicate = t->predicate;
    if (node->kind == ARMI_NODE_LEAF) {
        struct armi_leaf *leaf = node->leaf;
        leaf->index = predicate->leaf_count++;
        if (leaf->kind == ARMI_LEAF_RANGES &&
            !armi_ranges_prepare(&predicate->arena, leaf->column.value, &leaf->ranges))
            return armi_error_no_memory(t->err);
        if (leaf->kind == ARMI_LEAF_COLUMNS)
            use_column(t, leaf->other.column, used);
        use_column(t, leaf->column.column, used);
        return ARMI_OK;
    }
    or_depth += node->kind == ARMI_NODE_OR;
    if (predicate->or_depth < or_depth)
        predicate->or_depth = or_depth;
    for (size_t i = 0; i < node->count; i++)
        ARMI_TRY(finish(t, node->children[i], or_depth, used));
    return ARMI_OK;
}

enum armi_status armi_type_predicate(struct armi_typer *typer,
                                     const struct armi_syntax *syntax)
{
    struct armi_predicate *predicate = typer->predicate;
    struct armi_node *root;
    size_t columns = predicate->schema->child_count, at = 0;
    ARMI_TRY(type_condition(typer, syntax, false, &root));
    uint8_t *used = armi_arena_take(&predicate->arena, armi_bitmap_size(columns), 1);
    if (used == NULL)
        return armi_error_no_memory(typer->err);
    ARMI_TRY(finish(typer, root, 0, used));
    predicate->columns = armi_arena_take(&predicate->arena, predicate->column_count,
                                         sizeof *predicate->columns);
    if (predicate->columns == NULL)
        return armi_error_no_memory(typer->err);
    for (size_t i = 0; i < columns; i++)
        if (armi_bit_get(used, i))
            predicate->columns[at++] = i;
    predicate->root = root;
    return ARMI_OK;
}
