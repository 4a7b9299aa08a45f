/*
 * A text of the language as a tree, before anything is known of columns and types. The
 * parser knows no schema and the typing (type.c) no text, so other uses of the language
 * (expressions of updates) share the one and bring their own of the other.
 */
#ifndef ARMI_PREDICATE_SYNTAX_H
#define ARMI_PREDICATE_SYNTAX_H

#include "predicate/lexer.h"
#include "predicate/number.h"
#include "predicate/temporal.h"

enum armi_syntax_kind {
    /* values */
    ARMI_SYNTAX_COLUMN, /* parts */
    ARMI_SYNTAX_NULL,
    ARMI_SYNTAX_BOOL,     /* is_true */
    ARMI_SYNTAX_NUMBER,   /* number */
    ARMI_SYNTAX_TEXT,     /* bytes */
    ARMI_SYNTAX_BYTES,    /* bytes */
    ARMI_SYNTAX_TEMPORAL, /* temporal, nanos */
    /* conditions, over their children */
    ARMI_SYNTAX_AND, /* two or more */
    ARMI_SYNTAX_OR,
    ARMI_SYNTAX_NOT,
    ARMI_SYNTAX_COMPARE, /* op; left, right */
    ARMI_SYNTAX_IN,      /* the value, then the list */
    ARMI_SYNTAX_BETWEEN, /* the value, low, high */
    ARMI_SYNTAX_LIKE,    /* the value, the pattern */
    ARMI_SYNTAX_IS_NULL, /* the value */
};

/* `a op b` is `b armi_op_swap(op) a`, and not `a op b` is `a armi_op_negate(op) b`. */
enum armi_op {
    ARMI_OP_EQ,
    ARMI_OP_NE,
    ARMI_OP_LT,
    ARMI_OP_GE,
    ARMI_OP_LE,
    ARMI_OP_GT,
};

static inline enum armi_op armi_op_negate(enum armi_op op)
{
    return (enum armi_op)((unsigned)op ^ 1u);
}

static inline enum armi_op armi_op_swap(enum armi_op op)
{
    static const enum armi_op swapped[] = {ARMI_OP_EQ, ARMI_OP_NE, ARMI_OP_GT,
                                           ARMI_OP_LE, ARMI_OP_GE, ARMI_OP_LT};
    return swapped[op];
}

/* Whether two values in that order (<0, 0, >0) stand in the relation. */
static inline bool armi_op_holds(enum armi_op op, int order)
{
    switch (op) {
    case ARMI_OP_EQ:
        return order == 0;
    case ARMI_OP_NE:
        return order != 0;
    case ARMI_OP_LT:
        return order < 0;
    case ARMI_OP_GE:
        return order >= 0;
    case ARMI_OP_LE:
        return order <= 0;
    default:
        return order > 0;
    }
}

/* One name of a.b.c. */
struct armi_syntax_part {
    struct armi_slice name;
    bool is_quoted;
    struct armi_syntax_part *next;
};

struct armi_syntax {
    enum armi_syntax_kind kind;
    enum armi_op op;
    bool is_negated; /* not in, not between, not like, is not null */
    bool is_true;
    size_t at;                /* byte of the text, for messages */
    struct armi_slice source; /* of values: as it was written */
    struct armi_slice bytes;
    struct armi_number number;
    enum armi_temporal temporal;
    __int128_t nanos;
    struct armi_syntax_part *parts;
    size_t child_count;
    struct armi_syntax *children; /* the first of them */
    struct armi_syntax *next;     /* the next child of the same parent */
};

static inline bool armi_syntax_is_value(const struct armi_syntax *node)
{
    return node->kind <= ARMI_SYNTAX_TEMPORAL;
}

/* The condition that the lexer's text is, all of it. *out lives in the lexer's arena. */
enum armi_status armi_syntax_parse(struct armi_lexer *lexer, struct armi_syntax **out,
                                   struct armi_error *err);

#endif
