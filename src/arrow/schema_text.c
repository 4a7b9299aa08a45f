/*
 * Types to text and back. The format is pyarrow's; where a text has two readings (a
 * struct member whose name holds ": "), the first ": " ends the name.
 */
#include "arrow/schema_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

/* Words that are a whole type. The first entry of a type is what is printed. */
static const struct word {
    const char *text;
    enum armi_type type;
    enum armi_unit unit;
} words[] = {
    {"null", ARMI_TYPE_NULL, 0},
    {"bool", ARMI_TYPE_BOOL, 0},
    {"int8", ARMI_TYPE_INT8, 0},
    {"int16", ARMI_TYPE_INT16, 0},
    {"int32", ARMI_TYPE_INT32, 0},
    {"int64", ARMI_TYPE_INT64, 0},
    {"uint8", ARMI_TYPE_UINT8, 0},
    {"uint16", ARMI_TYPE_UINT16, 0},
    {"uint32", ARMI_TYPE_UINT32, 0},
    {"uint64", ARMI_TYPE_UINT64, 0},
    {"halffloat", ARMI_TYPE_FLOAT16, 0},
    {"float", ARMI_TYPE_FLOAT32, 0},
    {"double", ARMI_TYPE_FLOAT64, 0},
    {"date32[day]", ARMI_TYPE_DATE32, 0},
    {"date64[ms]", ARMI_TYPE_DATE64, 0},
    {"time32[s]", ARMI_TYPE_TIME32, ARMI_UNIT_SECOND},
    {"time32[ms]", ARMI_TYPE_TIME32, ARMI_UNIT_MILLI},
    {"time64[us]", ARMI_TYPE_TIME64, ARMI_UNIT_MICRO},
    {"time64[ns]", ARMI_TYPE_TIME64, ARMI_UNIT_NANO},
    {"duration[s]", ARMI_TYPE_DURATION, ARMI_UNIT_SECOND},
    {"duration[ms]", ARMI_TYPE_DURATION, ARMI_UNIT_MILLI},
    {"duration[us]", ARMI_TYPE_DURATION, ARMI_UNIT_MICRO},
    {"duration[ns]", ARMI_TYPE_DURATION, ARMI_UNIT_NANO},
    {"month_interval", ARMI_TYPE_INTERVAL_MONTHS, 0},
    {"day_time_interval", ARMI_TYPE_INTERVAL_DAY_TIME, 0},
    {"month_day_nano_interval", ARMI_TYPE_INTERVAL_MONTH_DAY_NANO, 0},
    {"binary", ARMI_TYPE_BINARY, 0},
    {"large_binary", ARMI_TYPE_LARGE_BINARY, 0},
    {"binary_view", ARMI_TYPE_BINARY_VIEW, 0},
    {"string", ARMI_TYPE_UTF8, 0},
    {"large_string", ARMI_TYPE_LARGE_UTF8, 0},
    {"string_view", ARMI_TYPE_UTF8_VIEW, 0},
    {"sparse_union", ARMI_TYPE_SPARSE_UNION, 0},
    {"dense_union", ARMI_TYPE_DENSE_UNION, 0},
    /* Other names people write, for parsing only. */
    {"bool_", ARMI_TYPE_BOOL, 0},
    {"boolean", ARMI_TYPE_BOOL, 0},
    {"float16", ARMI_TYPE_FLOAT16, 0},
    {"float32", ARMI_TYPE_FLOAT32, 0},
    {"float64", ARMI_TYPE_FLOAT64, 0},
    {"date32", ARMI_TYPE_DATE32, 0},
    {"date64", ARMI_TYPE_DATE64, 0},
    {"str", ARMI_TYPE_UTF8, 0},
    {"utf8", ARMI_TYPE_UTF8, 0},
    {"large_utf8", ARMI_TYPE_LARGE_UTF8, 0},
    {"utf8_view", ARMI_TYPE_UTF8_VIEW, 0},
    {"bytes", ARMI_TYPE_BINARY, 0},
};

static const char *const unit_names[] = {"s", "ms", "us", "ns"};

#define WORD_COUNT (sizeof words / sizeof words[0])

/* ---- format ---- */

static enum armi_status put(struct armi_buf *out, struct armi_error *err,
                            const char *format, ...) ARMI_PRINTF(3, 4);

static enum armi_status put(struct armi_buf *out, struct armi_error *err,
                            const char *format, ...)
{
    char text[128];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(size >= 0 && (size_t)size < sizeof text);
    return armi_buf_append(out, text, (size_t)size, err);
}

static enum armi_status put_text(struct armi_buf *out, const char *text,
                                 struct armi_error *err)
{
    return armi_buf_append(out, text, strlen(text), err);
}

/* "name: type", and " not null" where it is. */
static enum armi_status format_member(const struct armi_field *field, struct armi_buf *out,
                                      struct armi_error *err)
{
    ARMI_TRY(put_text(out, field->name, err));
    ARMI_TRY(put_text(out, ": ", err));
    ARMI_TRY(armi_type_format(field, out, err));
    return field->nullable ? ARMI_OK : put_text(out, " not null", err);
}

static enum armi_status format_list(const char *word, const struct armi_field *field,
                                    struct armi_buf *out, struct armi_error *err)
{
    ARMI_TRY(put(out, err, "%s<", word));
    for (size_t i = 0; i < field->child_count; i++) {
        if (i > 0)
            ARMI_TRY(put_text(out, ", ", err));
        ARMI_TRY(format_member(&field->children[i], out, err));
    }
    return put_text(out, ">", err);
}

/* A name other than the customary one is shown behind the type: string ('k'). */
static enum armi_status format_odd_name(const struct armi_field *field, const char *usual,
                                        struct armi_buf *out, struct armi_error *err)
{
    if (strcmp(field->name, usual) == 0)
        return ARMI_OK;
    ARMI_TRY(put_text(out, " ('", err));
    ARMI_TRY(put_text(out, field->name, err));
    return put_text(out, "')", err);
}

static enum armi_status format_map(const struct armi_field *field, struct armi_buf *out,
                                   struct armi_error *err)
{
    const struct armi_field *entries = &field->children[0];
    ARMI_TRY(put_text(out, "map<", err));
    ARMI_TRY(armi_type_format(&entries->children[0], out, err));
    ARMI_TRY(format_odd_name(&entries->children[0], "key", out, err));
    ARMI_TRY(put_text(out, ", ", err));
    ARMI_TRY(armi_type_format(&entries->children[1], out, err));
    ARMI_TRY(format_odd_name(&entries->children[1], "value", out, err));
    if (field->ordered)
        ARMI_TRY(put_text(out, ", keys_sorted", err));
    ARMI_TRY(format_odd_name(entries, "entries", out, err));
    return put_text(out, ">", err);
}

static enum armi_status format_dictionary(const struct armi_field *field,
                                          struct armi_buf *out, struct armi_error *err)
{
    ARMI_TRY(put_text(out, "dictionary<values=", err));
    ARMI_TRY(armi_type_format(&field->children[1], out, err));
    ARMI_TRY(put_text(out, ", indices=", err));
    ARMI_TRY(armi_type_format(&field->children[0], out, err));
    return put(out, err, ", ordered=%d>", field->ordered);
}

/* With the names that the specification gives, and no nullability. */
static enum armi_status format_run_end(const struct armi_field *field, struct armi_buf *out,
                                       struct armi_error *err)
{
    ARMI_TRY(put_text(out, "run_end_encoded<run_ends: ", err));
    ARMI_TRY(armi_type_format(&field->children[0], out, err));
    ARMI_TRY(put_text(out, ", values: ", err));
    ARMI_TRY(armi_type_format(&field->children[1], out, err));
    return put_text(out, ">", err);
}

static enum armi_status format_word(const struct armi_field *field, struct armi_buf *out,
                                    struct armi_error *err)
{
    for (size_t i = 0; i < WORD_COUNT; i++) {
        if (words[i].type == field->type &&
            (!armi_type_has_unit(field->type) || words[i].unit == field->unit))
            return put_text(out, words[i].text, err);
    }
    /* A unit that the type does not have: import and decode refuse it. */
    return armi_error_set(err, ARMI_INVALID, "type %s with an impossible unit",
                          armi_type_name(field->type));
}

enum armi_status armi_type_format(const struct armi_field *field, struct armi_buf *out,
                                  struct armi_error *err)
{
    switch (field->type) {
    case ARMI_TYPE_DECIMAL32:
    case ARMI_TYPE_DECIMAL64:
    case ARMI_TYPE_DECIMAL128:
    case ARMI_TYPE_DECIMAL256:
        return put(out, err, "%s(%" PRId32 ", %" PRId32 ")", armi_type_name(field->type),
                   field->precision, field->scale);
    case ARMI_TYPE_TIMESTAMP:
        ARMI_TRY(put(out, err, "timestamp[%s", unit_names[field->unit]));
        if (field->timezone != NULL) {
            ARMI_TRY(put_text(out, ", tz=", err));
            ARMI_TRY(put_text(out, field->timezone, err));
        }
        return put_text(out, "]", err);
    case ARMI_TYPE_FIXED_BINARY:
        return put(out, err, "fixed_size_binary[%" PRId32 "]", field->width);
    case ARMI_TYPE_LIST:
    case ARMI_TYPE_LARGE_LIST:
    case ARMI_TYPE_LIST_VIEW:
    case ARMI_TYPE_LARGE_LIST_VIEW:
    case ARMI_TYPE_STRUCT:
        return format_list(armi_type_name(field->type), field, out, err);
    case ARMI_TYPE_FIXED_LIST:
        ARMI_TRY(format_list("fixed_size_list", field, out, err));
        return put(out, err, "[%" PRId32 "]", field->width);
    case ARMI_TYPE_MAP:
        return format_map(field, out, err);
    case ARMI_TYPE_DICTIONARY:
        return format_dictionary(field, out, err);
    case ARMI_TYPE_RUN_END:
        return format_run_end(field, out, err);
    default:
        return format_word(field, out, err);
    }
}

enum armi_status armi_type_text(const struct armi_field *field, char **out,
                                struct armi_error *err)
{
    struct armi_buf buf;
    armi_buf_init(&buf, 0);
    enum armi_status status = armi_type_format(field, &buf, err);
    if (status == ARMI_OK)
        status = armi_buf_append_u8(&buf, 0, err);
    if (status != ARMI_OK) {
        armi_buf_release(&buf);
        return status;
    }
    *out = (char *)buf.data;
    return ARMI_OK;
}

/* ---- parse ---- */

struct parser {
    const char *text; /* all of it, for the message */
    const char *pos;
    unsigned depth;
    size_t fields;
    struct armi_error *err;
};

static enum armi_status parse_type(struct parser *p, struct armi_field *out);

static enum armi_status unexpected(struct parser *p, const char *wanted)
{
    return armi_error_set(p->err, ARMI_INVALID,
                          "'%.200s' is not a type: expected %s at '%.40s'", p->text, wanted,
                          *p->pos != '\0' ? p->pos : "the end");
}

static void skip_spaces(struct parser *p)
{
    while (*p->pos == ' ')
        p->pos++;
}

static bool accept(struct parser *p, const char *token)
{
    skip_spaces(p);
    size_t size = strlen(token);
    if (strncmp(p->pos, token, size) != 0)
        return false;
    p->pos += size;
    return true;
}

static enum armi_status expect(struct parser *p, const char *token)
{
    if (accept(p, token))
        return ARMI_OK;
    char wanted[32];
    snprintf(wanted, sizeof wanted, "'%s'", token);
    return unexpected(p, wanted);
}

static enum armi_status parse_int(struct parser *p, int32_t min, int32_t max, int32_t *out)
{
    skip_spaces(p);
    const char *start = p->pos;
    const char *pos = start;
    bool negative = *pos == '-';
    if (negative)
        pos++;
    const char *digits = pos;
    int64_t v = 0;
    while (*pos >= '0' && *pos <= '9' && pos - digits < 10)
        v = 10 * v + (*pos++ - '0');
    v = negative ? -v : v;
    if (pos == digits || v < min || v > max) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "a number from %" PRId32 " to %" PRId32, min, max);
        return unexpected(p, wanted);
    }
    p->pos = pos;
    *out = (int32_t)v;
    return ARMI_OK;
}

/* A word ends where no letter, digit or underscore follows. */
static bool word_at(const char *pos, const char *word)
{
    size_t size = strlen(word);
    char last = word[size - 1];
    char next = strncmp(pos, word, size) == 0 ? pos[size] : 'x';
    bool goes_on = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') ||
                   (next >= '0' && next <= '9') || next == '_';
    return strncmp(pos, word, size) == 0 && (last == ']' || !goes_on);
}

static bool accept_word(struct parser *p, const char *word)
{
    skip_spaces(p);
    if (!word_at(p->pos, word))
        return false;
    p->pos += strlen(word);
    return true;
}

static enum armi_status parse_decimal(struct parser *p, enum armi_type type,
                                      int32_t precision_max, struct armi_field *out)
{
    out->type = type;
    ARMI_TRY(expect(p, "("));
    ARMI_TRY(parse_int(p, 1, precision_max, &out->precision));
    if (accept(p, ","))
        ARMI_TRY(parse_int(p, INT32_MIN, INT32_MAX, &out->scale));
    return expect(p, ")");
}

static enum armi_status parse_timestamp(struct parser *p, struct armi_field *out)
{
    out->type = ARMI_TYPE_TIMESTAMP;
    ARMI_TRY(expect(p, "["));
    unsigned unit = 0;
    while (unit < 4 && !accept_word(p, unit_names[unit]))
        unit++;
    if (unit == 4)
        return unexpected(p, "s, ms, us or ns");
    out->unit = (enum armi_unit)unit;
    if (accept(p, ",")) {
        accept(p, "tz=");
        skip_spaces(p);
        size_t size = strcspn(p->pos, "]");
        if (size == 0)
            return unexpected(p, "a time zone");
        char *zone = armi_strndup(p->pos, size);
        if (zone == NULL)
            return armi_error_no_memory(p->err);
        armi_free(out->timezone);
        out->timezone = zone;
        p->pos += size;
    }
    return expect(p, "]");
}

/* Takes the size bytes at pos as the field's name. */
static enum armi_status take_name(struct parser *p, size_t size, struct armi_field *out)
{
    char *name = armi_strndup(p->pos, size);
    if (name == NULL)
        return armi_error_no_memory(p->err);
    armi_free(out->name);
    out->name = name;
    p->pos += size;
    return ARMI_OK;
}

/* "name: type [not null]" */
static enum armi_status parse_member(struct parser *p, struct armi_field *out)
{
    skip_spaces(p);
    const char *colon = strstr(p->pos, ": ");
    if (colon == NULL)
        return unexpected(p, "'name: type'");
    const char *name = p->pos;
    size_t name_size = (size_t)(colon - name);
    p->pos = colon + 2;
    ARMI_TRY(parse_type(p, out));
    const char *after = p->pos;
    p->pos = name;
    ARMI_TRY(take_name(p, name_size, out));
    p->pos = after;
    out->nullable = !accept_word(p, "not null");
    return ARMI_OK;
}

static enum armi_status parse_list(struct parser *p, enum armi_type type,
                                   struct armi_field *out)
{
    out->type = type;
    ARMI_TRY(expect(p, "<"));
    ARMI_TRY(armi_field_alloc_children(out, 1, p->err));
    ARMI_TRY(parse_member(p, &out->children[0]));
    ARMI_TRY(expect(p, ">"));
    if (type != ARMI_TYPE_FIXED_LIST)
        return ARMI_OK;
    ARMI_TRY(expect(p, "["));
    ARMI_TRY(parse_int(p, 0, INT32_MAX, &out->width));
    return expect(p, "]");
}

static enum armi_status parse_struct(struct parser *p, struct armi_field *out)
{
    out->type = ARMI_TYPE_STRUCT;
    ARMI_TRY(expect(p, "<"));
    if (accept(p, ">"))
        return ARMI_OK;
    do {
        struct armi_field child = ARMI_FIELD_INIT;
        enum armi_status status = parse_member(p, &child);
        if (status == ARMI_OK)
            status = armi_field_add_child(out, &child, p->err);
        armi_field_release(&child);
        if (status != ARMI_OK)
            return status;
    } while (accept(p, ","));
    return expect(p, ">");
}

/* The optional " ('name')" behind a map's parts. */
static enum armi_status parse_odd_name(struct parser *p, const char *usual,
                                       struct armi_field *out)
{
    if (!accept(p, "('"))
        return armi_field_set_name(out, usual, p->err);
    const char *end = strstr(p->pos, "')");
    if (end == NULL)
        return unexpected(p, "a name and ')");
    ARMI_TRY(take_name(p, (size_t)(end - p->pos), out));
    return expect(p, "')");
}

static enum armi_status parse_map(struct parser *p, struct armi_field *out)
{
    out->type = ARMI_TYPE_MAP;
    ARMI_TRY(expect(p, "<"));
    ARMI_TRY(armi_field_alloc_children(out, 1, p->err));
    struct armi_field *entries = &out->children[0];
    ARMI_TRY(armi_field_init(entries, "entries", ARMI_TYPE_STRUCT, p->err));
    entries->nullable = false;
    ARMI_TRY(armi_field_alloc_children(entries, 2, p->err));
    ARMI_TRY(parse_type(p, &entries->children[0]));
    ARMI_TRY(parse_odd_name(p, "key", &entries->children[0]));
    entries->children[0].nullable = false;
    ARMI_TRY(expect(p, ","));
    ARMI_TRY(parse_type(p, &entries->children[1]));
    ARMI_TRY(parse_odd_name(p, "value", &entries->children[1]));
    if (accept(p, ",")) {
        ARMI_TRY(expect(p, "keys_sorted"));
        out->ordered = true;
    }
    ARMI_TRY(parse_odd_name(p, "entries", entries));
    return expect(p, ">");
}

static enum armi_status parse_dictionary(struct parser *p, struct armi_field *out)
{
    out->type = ARMI_TYPE_DICTIONARY;
    ARMI_TRY(expect(p, "<"));
    ARMI_TRY(armi_field_alloc_children(out, 2, p->err));
    ARMI_TRY(expect(p, "values="));
    ARMI_TRY(parse_type(p, &out->children[1]));
    ARMI_TRY(expect(p, ","));
    ARMI_TRY(expect(p, "indices="));
    ARMI_TRY(parse_type(p, &out->children[0]));
    if (!armi_type_is_integer(out->children[0].type))
        return unexpected(p, "an integer type for the indices");
    if (accept(p, ",")) {
        int32_t ordered;
        ARMI_TRY(expect(p, "ordered="));
        ARMI_TRY(parse_int(p, 0, 1, &ordered));
        out->ordered = ordered != 0;
    }
    return expect(p, ">");
}

static enum armi_status parse_run_end(struct parser *p, struct armi_field *out)
{
    out->type = ARMI_TYPE_RUN_END;
    ARMI_TRY(expect(p, "<"));
    ARMI_TRY(armi_field_alloc_children(out, 2, p->err));
    struct armi_field *ends = &out->children[0];
    ARMI_TRY(expect(p, "run_ends:"));
    ARMI_TRY(parse_type(p, ends));
    if (ends->type != ARMI_TYPE_INT16 && ends->type != ARMI_TYPE_INT32 &&
        ends->type != ARMI_TYPE_INT64)
        return unexpected(p, "int16, int32 or int64 for the run ends");
    ends->nullable = false;
    ARMI_TRY(armi_field_set_name(ends, "run_ends", p->err));
    ARMI_TRY(expect(p, ","));
    ARMI_TRY(expect(p, "values:"));
    ARMI_TRY(parse_type(p, &out->children[1]));
    ARMI_TRY(armi_field_set_name(&out->children[1], "values", p->err));
    return expect(p, ">");
}

static enum armi_status parse_fixed_binary(struct parser *p, struct armi_field *out)
{
    out->type = ARMI_TYPE_FIXED_BINARY;
    ARMI_TRY(expect(p, "["));
    ARMI_TRY(parse_int(p, 0, INT32_MAX, &out->width));
    return expect(p, "]");
}

/* Types with parameters, by their word. */
static enum armi_status parse_parameters(struct parser *p, struct armi_field *out)
{
    if (accept_word(p, "decimal") || accept_word(p, "decimal128"))
        return parse_decimal(p, ARMI_TYPE_DECIMAL128, 38, out);
    if (accept_word(p, "decimal32"))
        return parse_decimal(p, ARMI_TYPE_DECIMAL32, 9, out);
    if (accept_word(p, "decimal64"))
        return parse_decimal(p, ARMI_TYPE_DECIMAL64, 18, out);
    if (accept_word(p, "decimal256"))
        return parse_decimal(p, ARMI_TYPE_DECIMAL256, 76, out);
    if (accept_word(p, "timestamp"))
        return parse_timestamp(p, out);
    if (accept_word(p, "fixed_size_binary"))
        return parse_fixed_binary(p, out);
    static const enum armi_type lists[] = {ARMI_TYPE_LIST, ARMI_TYPE_LARGE_LIST,
                                           ARMI_TYPE_FIXED_LIST, ARMI_TYPE_LIST_VIEW,
                                           ARMI_TYPE_LARGE_LIST_VIEW};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (accept_word(p, armi_type_name(lists[i])))
            return parse_list(p, lists[i], out);
    }
    if (accept_word(p, "struct"))
        return parse_struct(p, out);
    if (accept_word(p, "map"))
        return parse_map(p, out);
    if (accept_word(p, "dictionary"))
        return parse_dictionary(p, out);
    if (accept_word(p, "run_end_encoded"))
        return parse_run_end(p, out);
    return unexpected(p, "a type");
}

/* On failure *out may be partly filled: the outermost caller releases. */
static enum armi_status parse_type(struct parser *p, struct armi_field *out)
{
    if (p->depth > ARMI_NESTING_MAX || ++p->fields > ARMI_COLUMNS_MAX)
        return armi_error_set(p->err, ARMI_LIMIT,
                              "a type nested deeper than %d levels or of "
                              "more than %d fields",
                              ARMI_NESTING_MAX, ARMI_COLUMNS_MAX);
    ARMI_TRY(armi_field_init(out, "", ARMI_TYPE_NULL, p->err));
    skip_spaces(p);
    for (size_t i = 0; i < WORD_COUNT; i++) {
        if (accept_word(p, words[i].text)) {
            out->type = words[i].type;
            out->unit = words[i].unit;
            return ARMI_OK;
        }
    }
    p->depth++;
    enum armi_status status = parse_parameters(p, out);
    p->depth--;
    return status;
}

enum armi_status armi_type_parse(const char *text, struct armi_field *out,
                                 struct armi_error *err)
{
    if (!armi_utf8_valid((const uint8_t *)text, strlen(text)))
        return armi_error_set(err, ARMI_INVALID, "the text of a type is not valid UTF-8");
    struct parser p = {.text = text, .pos = text, .err = err};
    struct armi_field field = ARMI_FIELD_INIT;
    enum armi_status status = parse_type(&p, &field);
    skip_spaces(&p);
    if (status == ARMI_OK && *p.pos != '\0')
        status = unexpected(&p, "nothing more");
    if (status != ARMI_OK) {
        armi_field_release(&field);
        return status;
    }
    *out = field;
    return ARMI_OK;
}
