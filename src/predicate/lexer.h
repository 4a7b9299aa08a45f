/*
 * A text cut into words and signs, for `where` and whatever else speaks its language. The
 * text is UTF-8 and ends with its zero byte; places are told in characters from 1.
 */
#ifndef ARMI_PREDICATE_LEXER_H
#define ARMI_PREDICATE_LEXER_H

#include <stdbool.h>
#include <stdint.h>

#include "predicate/arena.h"
#include "base/buf.h"

enum armi_token_kind {
    ARMI_TOKEN_END,
    ARMI_TOKEN_NAME,   /* bare */
    ARMI_TOKEN_QUOTED, /* "name" */
    ARMI_TOKEN_TEXT,   /* 'text' */
    ARMI_TOKEN_BYTES,  /* x'00ff' */
    ARMI_TOKEN_NUMBER, /* without a sign */
    ARMI_TOKEN_EQ,
    ARMI_TOKEN_NE,
    ARMI_TOKEN_LT,
    ARMI_TOKEN_LE,
    ARMI_TOKEN_GT,
    ARMI_TOKEN_GE,
    ARMI_TOKEN_OPEN,
    ARMI_TOKEN_CLOSE,
    ARMI_TOKEN_COMMA,
    ARMI_TOKEN_DOT,
    ARMI_TOKEN_PLUS,
    ARMI_TOKEN_MINUS,
    ARMI_TOKEN_STAR,
    ARMI_TOKEN_SLASH,
    ARMI_TOKEN_PERCENT,
    ARMI_TOKEN_CONCAT, /* || */
    /* Words that cannot be bare names; any case. */
    ARMI_TOKEN_AND,
    ARMI_TOKEN_OR,
    ARMI_TOKEN_NOT,
    ARMI_TOKEN_IN,
    ARMI_TOKEN_BETWEEN,
    ARMI_TOKEN_IS,
    ARMI_TOKEN_NULL,
    ARMI_TOKEN_LIKE,
    ARMI_TOKEN_TRUE,
    ARMI_TOKEN_FALSE,
};

struct armi_token {
    enum armi_token_kind kind;
    size_t at;                /* byte where it starts */
    struct armi_slice source; /* as it stands in the text */
    struct armi_slice value;  /* of quoted names, texts and bytes: what is meant */
};

struct armi_lexer {
    const char *what; /* "where": begins each message */
    const char *text;
    size_t size;
    size_t pos;
    struct armi_arena *arena; /* holds values that the text does not */
};

/* `text` is borrowed. ARMI_LIMIT for one that is too long, ARMI_INVALID when not UTF-8. */
enum armi_status armi_lexer_init(struct armi_lexer *lexer, const char *what,
                                 const char *text, struct armi_arena *arena,
                                 struct armi_error *err);
enum armi_status armi_lexer_next(struct armi_lexer *lexer, struct armi_token *out,
                                 struct armi_error *err);

/* The place of a byte as people count, in characters from 1. */
size_t armi_lexer_place(const struct armi_lexer *lexer, size_t at);

/* ARMI_INVALID and the like, "where: column 14: …". */
ARMI_PRINTF(5, 6)
enum armi_status armi_lexer_error(const struct armi_lexer *lexer, size_t at,
                                  struct armi_error *err, enum armi_status status,
                                  const char *format, ...);

#endif
