/*
 * One token a call; no look-ahead is kept.
 */
#include "predicate/lexer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

/* Lists of keys made by programs are long; a text longer than that is a mistake. */
#define LEXER_TEXT_MAX (64 * ARMI_MIB)

size_t armi_lexer_place(const struct armi_lexer *lexer, size_t at)
{
    size_t count = 1;
    for (size_t i = 0; i < at; i++)
        count += ((unsigned char)lexer->text[i] & 0xc0) != 0x80;
    return count;
}

enum armi_status armi_lexer_error(const struct armi_lexer *lexer, size_t at,
                                  struct armi_error *err, enum armi_status status,
                                  const char *format, ...)
{
    char message[800];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return armi_error_set(err, status, "%s: column %zu: %s", lexer->what,
                          armi_lexer_place(lexer, at), message);
}

enum armi_status armi_lexer_init(struct armi_lexer *lexer, const char *what,
                                 const char *text, struct armi_arena *arena,
                                 struct armi_error *err)
{
    size_t size = strlen(text);
    if (size > LEXER_TEXT_MAX)
        return armi_error_set(err, ARMI_LIMIT, "%s: %zu bytes of text are too many (%zu)",
                              what, size, (size_t)LEXER_TEXT_MAX);
    if (!armi_utf8_valid((const uint8_t *)text, size))
        return armi_error_set(err, ARMI_INVALID, "%s: the text is not UTF-8", what);
    *lexer = (struct armi_lexer){what, text, size, 0, arena};
    return ARMI_OK;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Letters of any script: what is beyond ASCII counts as one. */
static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* The text ends with a zero byte, so looking at it is allowed. */
static char peek(const struct armi_lexer *lexer, size_t ahead)
{
    size_t at = lexer->pos + ahead;
    return at < lexer->size ? lexer->text[at] : '\0';
}

static struct armi_slice source_to(const struct armi_lexer *lexer, size_t from)
{
    return (struct armi_slice){(const uint8_t *)lexer->text + from, lexer->pos - from};
}

/* ---- words ---- */

static enum armi_token_kind word_kind(struct armi_slice word)
{
    static const struct {
        const char *word;
        enum armi_token_kind kind;
    } words[] = {
        {"and", ARMI_TOKEN_AND},         {"or", ARMI_TOKEN_OR},
        {"not", ARMI_TOKEN_NOT},         {"in", ARMI_TOKEN_IN},
        {"between", ARMI_TOKEN_BETWEEN}, {"is", ARMI_TOKEN_IS},
        {"null", ARMI_TOKEN_NULL},       {"like", ARMI_TOKEN_LIKE},
        {"true", ARMI_TOKEN_TRUE},       {"false", ARMI_TOKEN_FALSE},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t k = 0;
        while (k < word.size && words[i].word[k] != '\0' &&
               (word.data[k] | 0x20) == (uint8_t)words[i].word[k])
            k++;
        if (k == word.size && words[i].word[k] == '\0')
            return words[i].kind;
    }
    return ARMI_TOKEN_NAME;
}

static void lex_word(struct armi_lexer *lexer, struct armi_token *out)
{
    while (is_name_start(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
        lexer->pos++;
    out->value = source_to(lexer, out->at);
    out->kind = word_kind(out->value);
}

/* ---- quotes ---- */

/* From the opening quote; a doubled quote stands for one. */
static enum armi_status lex_quoted(struct armi_lexer *lexer, struct armi_token *out,
                                   struct armi_error *err)
{
    char quote = peek(lexer, 0);
    size_t from = ++lexer->pos, doubled = 0;
    for (;; lexer->pos++) {
        if (lexer->pos == lexer->size)
            return armi_lexer_error(lexer, out->at, err, ARMI_INVALID,
                                    "this quote is never closed");
        if (peek(lexer, 0) != quote)
            continue;
        if (peek(lexer, 1) != quote)
            break;
        doubled++;
        lexer->pos++;
    }
    out->value = source_to(lexer, from);
    lexer->pos++;
    if (doubled == 0)
        return ARMI_OK;
    uint8_t *copy = armi_arena_take(lexer->arena, 1, out->value.size);
    if (copy == NULL)
        return armi_error_no_memory(err);
    size_t size = 0;
    for (size_t i = 0; i < out->value.size; i++) {
        copy[size++] = out->value.data[i];
        i += out->value.data[i] == (uint8_t)quote;
    }
    out->value = (struct armi_slice){copy, size};
    return ARMI_OK;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* x'00ff', digits of either case. */
static enum armi_status lex_bytes(struct armi_lexer *lexer, struct armi_token *out,
                                  struct armi_error *err)
{
    lexer->pos++;
    ARMI_TRY(lex_quoted(lexer, out, err));
    struct armi_slice hex = out->value;
    if (hex.size % 2 != 0)
        return armi_lexer_error(lexer, out->at, err, ARMI_INVALID,
                                "x'…' takes two hex digits a byte");
    uint8_t *bytes = armi_arena_take(lexer->arena, 1, hex.size / 2);
    if (bytes == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < hex.size; i += 2) {
        int high = hex_digit(hex.data[i]), low = hex_digit(hex.data[i + 1]);
        if (high < 0 || low < 0)
            return armi_lexer_error(lexer, out->at, err, ARMI_INVALID,
                                    "x'…' takes hex digits only");
        bytes[i / 2] = (uint8_t)(high * 16 + low);
    }
    out->kind = ARMI_TOKEN_BYTES;
    out->value = (struct armi_slice){bytes, hex.size / 2};
    return ARMI_OK;
}

/* ---- numbers ---- */

static enum armi_status lex_number(struct armi_lexer *lexer, struct armi_token *out,
                                   struct armi_error *err)
{
    while (is_digit(peek(lexer, 0)))
        lexer->pos++;
    if (peek(lexer, 0) == '.') {
        lexer->pos++;
        while (is_digit(peek(lexer, 0)))
            lexer->pos++;
    }
    if ((peek(lexer, 0) | 0x20) == 'e') {
        size_t sign = peek(lexer, 1) == '-' || peek(lexer, 1) == '+';
        if (is_digit(peek(lexer, 1 + sign))) {
            lexer->pos += 1 + sign;
            while (is_digit(peek(lexer, 0)))
                lexer->pos++;
        }
    }
    if (is_name_start(peek(lexer, 0)) || peek(lexer, 0) == '.')
        return armi_lexer_error(lexer, out->at, err, ARMI_INVALID,
                                "this is neither a number nor a name (names that start "
                                "with a digit are written \"in quotes\")");
    out->kind = ARMI_TOKEN_NUMBER;
    out->value = source_to(lexer, out->at);
    return ARMI_OK;
}

/* ---- signs ---- */

static enum armi_status lex_sign(struct armi_lexer *lexer, struct armi_token *out,
                                 struct armi_error *err)
{
    static const struct {
        char sign[3];
        enum armi_token_kind kind;
    } signs[] = {
        {"==", ARMI_TOKEN_EQ},  {"!=", ARMI_TOKEN_NE},   {"<>", ARMI_TOKEN_NE},
        {"<=", ARMI_TOKEN_LE},  {">=", ARMI_TOKEN_GE},   {"||", ARMI_TOKEN_CONCAT},
        {"=", ARMI_TOKEN_EQ},   {"<", ARMI_TOKEN_LT},    {">", ARMI_TOKEN_GT},
        {"(", ARMI_TOKEN_OPEN}, {")", ARMI_TOKEN_CLOSE}, {",", ARMI_TOKEN_COMMA},
        {".", ARMI_TOKEN_DOT},  {"+", ARMI_TOKEN_PLUS},  {"-", ARMI_TOKEN_MINUS},
        {"*", ARMI_TOKEN_STAR}, {"/", ARMI_TOKEN_SLASH}, {"%", ARMI_TOKEN_PERCENT},
    };
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        size_t size = strlen(signs[i].sign);
        if (lexer->size - lexer->pos >= size &&
            memcmp(lexer->text + lexer->pos, signs[i].sign, size) == 0) {
            lexer->pos += size;
            out->kind = signs[i].kind;
            return ARMI_OK;
        }
    }
    char c = peek(lexer, 0);
    if (c == '!' || c == '&' || c == '|')
        return armi_lexer_error(lexer, lexer->pos, err, ARMI_INVALID,
                                "'%c' means nothing here: write and, or, not", c);
    if ((unsigned char)c < 0x20 || c == 0x7f)
        return armi_lexer_error(lexer, lexer->pos, err, ARMI_INVALID,
                                "a control character (0x%02x)", (unsigned)c);
    return armi_lexer_error(lexer, lexer->pos, err, ARMI_INVALID, "'%c' means nothing here",
                            c);
}

enum armi_status armi_lexer_next(struct armi_lexer *lexer, struct armi_token *out,
                                 struct armi_error *err)
{
    while (lexer->pos < lexer->size && strchr(" \t\r\n", lexer->text[lexer->pos]) != NULL)
        lexer->pos++;
    struct armi_token token = {.kind = ARMI_TOKEN_END, .at = lexer->pos};
    char c = peek(lexer, 0);
    if (lexer->pos == lexer->size) {
        token.kind = ARMI_TOKEN_END;
    } else if ((c | 0x20) == 'x' && peek(lexer, 1) == '\'') {
        ARMI_TRY(lex_bytes(lexer, &token, err));
    } else if (is_name_start(c)) {
        lex_word(lexer, &token);
    } else if (c == '\'' || c == '"') {
        token.kind = c == '"' ? ARMI_TOKEN_QUOTED : ARMI_TOKEN_TEXT;
        ARMI_TRY(lex_quoted(lexer, &token, err));
    } else if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)))) {
        ARMI_TRY(lex_number(lexer, &token, err));
    } else {
        ARMI_TRY(lex_sign(lexer, &token, err));
    }
    token.source = source_to(lexer, token.at);
    *out = token;
    return ARMI_OK;
}
