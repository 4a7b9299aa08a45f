/*
 * Recursive descent, loosest first:
 *
 *     or        := and { OR and }
 *     and       := not { AND not }
 *     not       := { NOT } condition
 *     condition := value [ op value | [NOT] IN ( value {, value} ) | IS [NOT] NULL
 *                        | [NOT] BETWEEN value AND value | [NOT] LIKE value ]
 *     value     := literal | column | ( or )
 *
 * Only parentheses nest, and they are counted. Arithmetic will stand between condition and
 * value.
 */
#include "predicate/syntax.h"

#include <string.h>

#include "base/limits.h"

struct parser {
    struct armi_lexer *lexer;
    struct armi_token token; /* the next one */
    unsigned depth;
    struct armi_error *err;
};

static enum armi_status parse_or(struct parser *p, struct armi_syntax **out);

/* ---- tools ---- */

static enum armi_status advance(struct parser *p)
{
    return armi_lexer_next(p->lexer, &p->token, p->err);
}

/* "expected <what>, found …" at the next token. */
static enum armi_status expected(struct parser *p, const char *what)
{
    if (p->token.kind == ARMI_TOKEN_END)
        return armi_lexer_error(p->lexer, p->token.at, p->err, ARMI_INVALID,
                                "expected %s, but the text ends", what);
    size_t shown = p->token.source.size;
    bool is_cut = shown > 40;
    for (shown = is_cut ? 40 : shown; is_cut && shown > 0; shown--)
        if ((p->token.source.data[shown] & 0xc0) != 0x80)
            break;
    return armi_lexer_error(p->lexer, p->token.at, p->err, ARMI_INVALID,
                            "expected %s, found %.*s%s", what, (int)shown,
                            (const char *)p->token.source.data, is_cut ? "…" : "");
}

static enum armi_status take(struct parser *p, enum armi_token_kind kind, const char *what)
{
    return p->token.kind == kind ? advance(p) : expected(p, what);
}

static enum armi_status node_new(struct parser *p, enum armi_syntax_kind kind, size_t at,
                                 struct armi_syntax **out)
{
    struct armi_syntax *node = armi_arena_take(p->lexer->arena, 1, sizeof *node);
    if (node == NULL)
        return armi_error_no_memory(p->err);
    node->kind = kind;
    node->at = at;
    *out = node;
    return ARMI_OK;
}

/* Makes a node over one child, the others follow it by `next`. */
static enum armi_status node_over(struct parser *p, enum armi_syntax_kind kind, size_t at,
                                  struct armi_syntax *child, struct armi_syntax **out)
{
    ARMI_TRY(node_new(p, kind, at, out));
    (*out)->children = child;
    (*out)->child_count = 1;
    return ARMI_OK;
}

/* Appends to a list whose last item is *last. */
static void node_append(struct armi_syntax *node, struct armi_syntax **last,
                        struct armi_syntax *child)
{
    (*last)->next = child;
    *last = child;
    node->child_count++;
}

/* ---- values ---- */

/* name { . name }; behind a dot every word is a name. */
static enum armi_status parse_column(struct parser *p, struct armi_syntax *node)
{
    struct armi_syntax_part **end = &node->parts;
    for (;;) {
        bool is_quoted = p->token.kind == ARMI_TOKEN_QUOTED;
        bool is_word = p->token.kind == ARMI_TOKEN_NAME ||
                       (node->parts != NULL && p->token.kind >= ARMI_TOKEN_AND);
        if (!is_quoted && !is_word)
            return expected(p, "a name");
        struct armi_syntax_part *part = armi_arena_take(p->lexer->arena, 1, sizeof *part);
        if (part == NULL)
            return armi_error_no_memory(p->err);
        *part = (struct armi_syntax_part){p->token.value, is_quoted, NULL};
        *end = part;
        end = &part->next;
        node->source.size =
            p->token.at + p->token.source.size - node->at; /* up to its last name */
        ARMI_TRY(advance(p));
        if (p->token.kind != ARMI_TOKEN_DOT)
            return ARMI_OK;
        ARMI_TRY(advance(p));
    }
}

static enum armi_status parse_number(struct parser *p, bool is_negative,
                                     struct armi_syntax *node)
{
    bool too_long;
    if (p->token.kind != ARMI_TOKEN_NUMBER)
        return expected(p, "a number");
    node->kind = ARMI_SYNTAX_NUMBER;
    if (!armi_number_parse(p->token.value, is_negative, p->lexer->arena, &node->number,
                           &too_long)) {
        if (!too_long)
            return armi_error_no_memory(p->err);
        return armi_lexer_error(p->lexer, p->token.at, p->err, ARMI_LIMIT,
                                "a number has at most %d digits", ARMI_NUMBER_DIGITS_MAX);
    }
    node->source.size = p->token.at + p->token.source.size - node->at;
    return advance(p);
}

/* Whether the next token is this word and a text follows it: then it is the token. */
static bool is_temporal_word(struct parser *p, enum armi_temporal *kind)
{
    static const char *const words[] = {"date", "timestamp", "time", "duration"};
    if (p->token.kind != ARMI_TOKEN_NAME)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t k = 0, size = p->token.value.size;
        if (size != strlen(words[i]))
            continue;
        while (k < size && (p->token.value.data[k] | 0x20) == (uint8_t)words[i][k])
            k++;
        if (k == size) {
            *kind = (enum armi_temporal)i;
            return true;
        }
    }
    return false;
}

static enum armi_status parse_temporal(struct parser *p, enum armi_temporal kind,
                                       struct armi_syntax *node)
{
    node->kind = ARMI_SYNTAX_TEMPORAL;
    node->temporal = kind;
    const char *wrong = armi_temporal_parse(kind, p->token.value, &node->nanos);
    if (wrong != NULL)
        return armi_lexer_error(p->lexer, p->token.at, p->err, ARMI_INVALID, "%s", wrong);
    node->source.size = p->token.at + p->token.source.size - node->at;
    return advance(p);
}

/* A word: a column, or date and the like with a text behind it. */
static enum armi_status parse_word(struct parser *p, struct armi_syntax *node)
{
    enum armi_temporal kind;
    if (is_temporal_word(p, &kind)) {
        struct armi_lexer ahead = *p->lexer;
        struct armi_token next;
        ARMI_TRY(armi_lexer_next(&ahead, &next, p->err));
        if (next.kind == ARMI_TOKEN_TEXT) {
            ARMI_TRY(advance(p));
            return parse_temporal(p, kind, node);
        }
    }
    return parse_column(p, node);
}

static enum armi_status parse_parentheses(struct parser *p, struct armi_syntax **out)
{
    if (++p->depth > ARMI_NESTING_MAX)
        return armi_lexer_error(p->lexer, p->token.at, p->err, ARMI_LIMIT,
                                "parentheses nest deeper than %d", ARMI_NESTING_MAX);
    ARMI_TRY(advance(p));
    ARMI_TRY(parse_or(p, out));
    p->depth--;
    return take(p, ARMI_TOKEN_CLOSE, "a closing parenthesis");
}

static enum armi_status parse_value(struct parser *p, struct armi_syntax **out)
{
    struct armi_syntax *node = NULL;
    enum armi_token_kind kind = p->token.kind;
    if (kind == ARMI_TOKEN_OPEN)
        return parse_parentheses(p, out);
    ARMI_TRY(node_new(p, ARMI_SYNTAX_COLUMN, p->token.at, &node));
    node->source = p->token.source;
    node->bytes = p->token.value;
    *out = node;
    switch (kind) {
    case ARMI_TOKEN_NAME:
        return parse_word(p, node);
    case ARMI_TOKEN_QUOTED:
        return parse_column(p, node);
    case ARMI_TOKEN_NUMBER:
        return parse_number(p, false, node);
    case ARMI_TOKEN_PLUS:
    case ARMI_TOKEN_MINUS:
        ARMI_TRY(advance(p));
        return parse_number(p, kind == ARMI_TOKEN_MINUS, node);
    case ARMI_TOKEN_TEXT:
        node->kind = ARMI_SYNTAX_TEXT;
        return advance(p);
    case ARMI_TOKEN_BYTES:
        node->kind = ARMI_SYNTAX_BYTES;
        return advance(p);
    case ARMI_TOKEN_NULL:
        node->kind = ARMI_SYNTAX_NULL;
        return advance(p);
    case ARMI_TOKEN_TRUE:
    case ARMI_TOKEN_FALSE:
        node->kind = ARMI_SYNTAX_BOOL;
        node->is_true = kind == ARMI_TOKEN_TRUE;
        return advance(p);
    default:
        return expected(p, "a column or a value");
    }
}

/* ---- conditions ---- */

static bool is_compare(enum armi_token_kind kind)
{
    return kind >= ARMI_TOKEN_EQ && kind <= ARMI_TOKEN_GE;
}

static enum armi_status parse_compare(struct parser *p, struct armi_syntax *left,
                                      struct armi_syntax **out)
{
    static const enum armi_op ops[] = {ARMI_OP_EQ, ARMI_OP_NE, ARMI_OP_LT,
                                       ARMI_OP_LE, ARMI_OP_GT, ARMI_OP_GE};
    struct armi_syntax *right = NULL;
    ARMI_TRY(node_over(p, ARMI_SYNTAX_COMPARE, p->token.at, left, out));
    (*out)->op = ops[p->token.kind - ARMI_TOKEN_EQ];
    ARMI_TRY(advance(p));
    ARMI_TRY(parse_value(p, &right));
    node_append(*out, &left, right);
    if (is_compare(p->token.kind))
        return armi_lexer_error(p->lexer, p->token.at, p->err, ARMI_INVALID,
                                "comparisons do not chain: write a < b and b < c");
    return ARMI_OK;
}

static enum armi_status parse_in(struct parser *p, struct armi_syntax *left,
                                 struct armi_syntax **out)
{
    struct armi_syntax *item;
    ARMI_TRY(node_over(p, ARMI_SYNTAX_IN, p->token.at, left, out));
    ARMI_TRY(advance(p));
    ARMI_TRY(take(p, ARMI_TOKEN_OPEN, "( and a list behind in"));
    for (;;) {
        ARMI_TRY(parse_value(p, &item));
        node_append(*out, &left, item);
        if (p->token.kind != ARMI_TOKEN_COMMA)
            return take(p, ARMI_TOKEN_CLOSE, "a comma or a closing parenthesis");
        ARMI_TRY(advance(p));
    }
}

static enum armi_status parse_between(struct parser *p, struct armi_syntax *left,
                                      struct armi_syntax **out)
{
    struct armi_syntax *low, *high;
    ARMI_TRY(node_over(p, ARMI_SYNTAX_BETWEEN, p->token.at, left, out));
    ARMI_TRY(advance(p));
    ARMI_TRY(parse_value(p, &low));
    ARMI_TRY(take(p, ARMI_TOKEN_AND, "the and of between"));
    ARMI_TRY(parse_value(p, &high));
    node_append(*out, &left, low);
    node_append(*out, &left, high);
    return ARMI_OK;
}

static enum armi_status parse_like(struct parser *p, struct armi_syntax *left,
                                   struct armi_syntax **out)
{
    struct armi_syntax *pattern;
    ARMI_TRY(node_over(p, ARMI_SYNTAX_LIKE, p->token.at, left, out));
    ARMI_TRY(advance(p));
    ARMI_TRY(parse_value(p, &pattern));
    node_append(*out, &left, pattern);
    return ARMI_OK;
}

static enum armi_status parse_is(struct parser *p, struct armi_syntax *left,
                                 struct armi_syntax **out)
{
    ARMI_TRY(node_over(p, ARMI_SYNTAX_IS_NULL, p->token.at, left, out));
    ARMI_TRY(advance(p));
    if (p->token.kind == ARMI_TOKEN_NOT) {
        (*out)->is_negated = true;
        ARMI_TRY(advance(p));
    }
    return take(p, ARMI_TOKEN_NULL, "null");
}

static enum armi_status parse_condition(struct parser *p, struct armi_syntax **out)
{
    struct armi_syntax *left = NULL, *node = NULL;
    ARMI_TRY(parse_value(p, &left));
    if (is_compare(p->token.kind))
        return parse_compare(p, left, out);
    if (p->token.kind == ARMI_TOKEN_IS)
        return parse_is(p, left, out);
    bool is_negated = p->token.kind == ARMI_TOKEN_NOT;
    if (is_negated)
        ARMI_TRY(advance(p));
    if (p->token.kind == ARMI_TOKEN_IN)
        ARMI_TRY(parse_in(p, left, &node));
    else if (p->token.kind == ARMI_TOKEN_BETWEEN)
        ARMI_TRY(parse_between(p, left, &node));
    else if (p->token.kind == ARMI_TOKEN_LIKE)
        ARMI_TRY(parse_like(p, left, &node));
    else if (is_negated)
        return expected(p, "in, between or like");
    if (node == NULL)
        node = left;
    else
        node->is_negated = is_negated;
    *out = node;
    return ARMI_OK;
}

static enum armi_status parse_not(struct parser *p, struct armi_syntax **out)
{
    size_t at = p->token.at;
    bool is_negated = false;
    while (p->token.kind == ARMI_TOKEN_NOT) {
        is_negated = !is_negated;
        ARMI_TRY(advance(p));
    }
    struct armi_syntax *node = NULL;
    ARMI_TRY(parse_condition(p, &node));
    if (is_negated)
        return node_over(p, ARMI_SYNTAX_NOT, at, node, out);
    *out = node;
    return ARMI_OK;
}

static enum armi_status parse_and(struct parser *p, struct armi_syntax **out)
{
    struct armi_syntax *first, *last, *node = NULL;
    ARMI_TRY(parse_not(p, &first));
    last = first;
    while (p->token.kind == ARMI_TOKEN_AND) {
        struct armi_syntax *next;
        if (node == NULL)
            ARMI_TRY(node_over(p, ARMI_SYNTAX_AND, p->token.at, first, &node));
        ARMI_TRY(advance(p));
        ARMI_TRY(parse_not(p, &next));
        node_append(node, &last, next);
    }
    *out = node != NULL ? node : first;
    return ARMI_OK;
}

static enum armi_status parse_or(struct parser *p, struct armi_syntax **out)
{
    struct armi_syntax *first, *last, *node = NULL;
    ARMI_TRY(parse_and(p, &first));
    last = first;
    while (p->token.kind == ARMI_TOKEN_OR) {
        struct armi_syntax *next;
        if (node == NULL)
            ARMI_TRY(node_over(p, ARMI_SYNTAX_OR, p->token.at, first, &node));
        ARMI_TRY(advance(p));
        ARMI_TRY(parse_and(p, &next));
        node_append(node, &last, next);
    }
    *out = node != NULL ? node : first;
    return ARMI_OK;
}

enum armi_status armi_syntax_parse(struct armi_lexer *lexer, struct armi_syntax **out,
                                   struct armi_error *err)
{
    struct parser p = {.lexer = lexer, .err = err};
    struct armi_syntax *node = NULL;
    ARMI_TRY(advance(&p));
    ARMI_TRY(parse_or(&p, &node));
    if (p.token.kind != ARMI_TOKEN_END)
        return expected(&p, "and, or, or the end");
    *out = node;
    return ARMI_OK;
}
