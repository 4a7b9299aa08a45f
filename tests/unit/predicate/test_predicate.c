/*
 * The language: what each construct keeps of four rows, and what is said of what is wrong.
 */
#include "test.h"

#include <stdlib.h>

#include "arrow/builder.h"
#include "arrow/schema_text.h"
#include "base/alloc.h"
#include "fault_alloc.h"
#include "predicate/predicate.h"

/* ---- four rows ---- */

#define ROWS 4

struct column {
    const char *name;
    const char *type;
    const char *cells[ROWS]; /* NULL is null; decimals and times as stored */
};

static const struct column columns[] = {
    {"i", "int32", {"1", "2", NULL, "-5"}},
    {"j", "int64", {"9007199254740993", "2", "3", "-9223372036854775808"}},
    {"u", "uint64", {"18446744073709551615", "0", NULL, "5"}},
    {"f", "double", {"0.1", "nan", NULL, "-0.0"}},
    {"g", "float", {"0.1", "16777216", NULL, "inf"}},
    {"h", "halffloat", {"0.1", "65504", NULL, "-inf"}},
    {"d", "decimal128(10, 2)", {"150", NULL, "-1", "200"}},
    {"e", "decimal256(40, -2)", {"1", "2", NULL, "90071992547410"}},
    {"s", "string", {"a", "it's", NULL, "z\xc3\xa4h"}},
    {"v", "string_view", {"a", "longer than sixteen", NULL, ""}},
    {"k", "dictionary<values=string, indices=int8, ordered=0>", {"a", "b", NULL, "a"}},
    {"y", "binary", {"a", "ab", NULL, ""}},
    {"b", "bool", {"1", "0", NULL, "1"}},
    {"day", "date32[day]", {"0", "1", NULL, "15706"}},
    {"t", "timestamp[us]", {"0", "1500000", NULL, "86400000000"}},
    {"tz", "timestamp[ms, tz=Europe/Berlin]", {"0", "1500", NULL, "86400000"}},
    {"tod", "time32[s]", {"0", "3600", NULL, "86399"}},
    {"dur", "duration[s]", {"0", "5400", NULL, "-60"}},
    {"none", "null", {NULL, NULL, NULL, NULL}},
    {"l", "list<item: int8>", {NULL, NULL, NULL, NULL}},
    {"m", "month_interval", {"1", NULL, "3", "4"}},
    {"a.b", "int8", {"1", "2", "3", "4"}},
    {"x.y", "int8", {"1", "2", "3", "4"}},
    {"In \"quotes\"", "int8", {"1", "2", "3", "4"}},
    {"date", "int8", {"1", "2", "3", "4"}},
};
#define PLAIN (sizeof columns / sizeof columns[0])
#define ALL   (PLAIN + 2)

struct batch {
    struct armi_field schema;
    struct ArrowArray arrays[ALL];
    struct armi_array views[ALL];
};

static void append_cell(struct armi_builder *builder, const char *cell)
{
    struct armi_error err = ARMI_ERROR_INIT;
    const struct armi_field *field = armi_field_value(armi_builder_field(builder));
    if (cell == NULL)
        ok(armi_builder_append_null(builder, &err));
    else if (armi_type_is_utf8(field->type) || armi_type_is_binary(field->type))
        ok(armi_builder_append_text(builder, cell, &err));
    else if (armi_type_is_float(field->type))
        ok(armi_builder_append_double(builder, strtod(cell, NULL), &err));
    else if (field->type == ARMI_TYPE_UINT64)
        ok(armi_builder_append_uint(builder, strtoull(cell, NULL, 10), &err));
    else
        ok(armi_builder_append_int(builder, strtoll(cell, NULL, 10), &err));
}

/* n = {v: 1, w: {v: 'q'}}, null, {v: null, w: null}, {v: 7, w: {v: 'z'}}; x has a member y. */
static void append_nested(struct armi_builder *builder, int row)
{
    struct armi_error err = ARMI_ERROR_INIT;
    static const char *const v[] = {"1", NULL, NULL, "7"}, *const w[] = {"q", "", "", "z"};
    if (row == 1) {
        ok(armi_builder_append_null(builder, &err));
        return;
    }
    append_cell(armi_builder_child(builder, 0), v[row]);
    struct armi_builder *inner = armi_builder_child(builder, 1);
    if (row == 2) {
        ok(armi_builder_append_null(inner, &err));
    } else {
        append_cell(armi_builder_child(inner, 0), w[row]);
        ok(armi_builder_close(inner, &err));
    }
    ok(armi_builder_close(builder, &err));
}

static void batch_column(struct batch *batch, size_t c)
{
    struct armi_error err = ARMI_ERROR_INIT;
    static const char *const nested[] = {"struct<v: int32, w: struct<v: string>>",
                                         "struct<y: int8, w: struct<v: string>>"};
    struct armi_field *field = &batch->schema.children[c];
    struct armi_builder *builder = NULL;
    ok(armi_type_parse(c < PLAIN ? columns[c].type : nested[c - PLAIN], field, &err));
    ok(armi_field_set_name(field,
                           c < PLAIN    ? columns[c].name
                           : c == PLAIN ? "n"
                                        : "x",
                           &err));
    ok(armi_builder_new(field, &builder, &err));
    for (int row = 0; row < ROWS; row++) {
        if (c < PLAIN)
            append_cell(builder, columns[c].cells[row]);
        else
            append_nested(builder, row);
    }
    ok(armi_builder_finish(builder, &batch->arrays[c], &err));
    armi_builder_free(builder);
    ok(armi_array_init(field, &batch->arrays[c], ARMI_VALIDATE_FULL, &batch->views[c],
                       &err));
}

static int batch_make(void **state)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct batch *batch = calloc(1, sizeof *batch);
    assert_non_null(batch);
    ok(armi_field_init_schema(&batch->schema, &err));
    ok(armi_field_alloc_children(&batch->schema, ALL, &err));
    for (size_t c = 0; c < ALL; c++)
        batch_column(batch, c);
    *state = batch;
    return 0;
}

static int batch_free(void **state)
{
    struct batch *batch = *state;
    for (size_t c = 0; c < ALL; c++) {
        armi_array_release(&batch->views[c]);
        batch->arrays[c].release(&batch->arrays[c]);
    }
    armi_field_release(&batch->schema);
    free(batch);
    return 0;
}

/* ---- what is kept ---- */

struct kept {
    const char *where;
    const char *rows; /* "1010" */
};

static void check_kept(const struct batch *batch, const struct kept *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_predicate *predicate = NULL;
        uint8_t keep = 0xff;
        char rows[ROWS + 1] = "";
        if (armi_predicate_compile(cases[i].where, &batch->schema, &predicate, &err) !=
            ARMI_OK)
            fail_msg("%s: %s", cases[i].where, err.message);
        ok(armi_predicate_match(predicate, batch->views, ROWS, &keep, &err));
        for (int row = 0; row < ROWS; row++)
            rows[row] = (keep >> row) & 1 ? '1' : '0';
        if (strcmp(rows, cases[i].rows) != 0 || keep >> ROWS != 0)
            fail_msg("%s: wanted %s, got %s", cases[i].where, cases[i].rows, rows);
        armi_predicate_free(predicate);
    }
}
#define CHECK_KEPT(cases) check_kept(*state, cases, sizeof(cases) / sizeof(cases)[0])

static void comparisons_keep_the_rows_they_are_true_for(void **state)
{
    static const struct kept cases[] = {
        {"i = 1", "1000"},
        {"i == 1", "1000"},
        {"i != 1", "0101"},
        {"i <> 1", "0101"},
        {"i < 1", "0001"},
        {"i <= 1", "1001"},
        {"i > 1", "0100"},
        {"i >= 1", "1100"},
        {"1 < i", "0100"},
        {"1 >= i", "1001"},
        {"i=-5", "0001"},
        {"i = - 5", "0001"},
        {"i = +1", "1000"},
        {"s = 'it''s'", "0100"},
        {"s > 'a'", "0101"},
        {"s < 'it'", "1000"},
        {"v = ''", "0001"},
        {"v >= 'a'", "1100"},
        {"k = 'a'", "1001"},
        {"k <> 'a'", "0100"},
        {"y = x'6162'", "0100"},
        {"y < X'61'", "0001"},
        {"y = x''", "0001"},
        {"b", "1001"},
        {"b = false", "0100"},
        {"b < true", "0100"},
        {"b <> true", "0100"},
        {"i in (1, 2)", "1100"},
        {"1 in (i, j)", "1000"},
        {"i in (j, 1)", "1100"},
        {"s in ('a')", "1000"},
        {"k in ('b', 'c')", "0100"},
        {"y in (x'', x'61')", "1001"},
    };
    CHECK_KEPT(cases);
}

static void logic_has_three_values(void **state)
{
    static const struct kept cases[] = {
        {"i = null", "0000"},
        {"i <> null", "0000"},
        {"not (i = null)", "0000"},
        {"null", "0000"},
        {"not null", "0000"},
        {"null or i = 1", "1000"},
        {"null and true", "0000"},
        {"not (null and false)", "1111"},
        {"not (i = 1)", "0101"},
        {"not not i = 1", "1000"},
        {"i is null", "0010"},
        {"not i is null", "1101"},
        {"i is not null", "1101"},
        {"null is null", "1111"},
        {"1 is null", "0000"},
        {"i in (1, null)", "1000"},
        {"i not in (1, null)", "0000"},
        {"not i in (1, null)", "0000"},
        {"i not in (1, 7)", "0101"},
        {"null in (1)", "0000"},
        {"i between null and 1", "0000"},
        {"i not between null and 1", "0100"},
        {"i between 1 and 2", "1100"},
        {"i not between 1 and 2", "0001"},
        {"i between 2 and 1", "0000"},
        {"i not between 2 and 1", "1101"},
        {"not b", "0100"},
        {"b is null", "0010"},
        {"none = 1", "0000"},
        {"none is null", "1111"},
        {"none", "0000"},
        {"none like 'a'", "0000"},
        {"l is null", "1111"},
        {"m is not null", "1011"},
        {"m = null", "0000"},
        {"s like null", "0000"},
        {"k is null", "0010"},
        {"true", "1111"},
        {"false", "0000"},
        {"not false", "1111"},
    };
    CHECK_KEPT(cases);
}

static void and_binds_before_or_and_not_before_both(void **state)
{
    static const struct kept cases[] = {
        {"i = 1 or i = 2 and j = 3", "1000"},
        {"(i = 1 or i = 2) and j = 2", "0100"},
        {"not i = 1 and j = 2", "0100"},
        {"not (i = 1 or j = 2)", "0001"},
        {"i between 0 and 5 and j = 2", "0100"},
        {"i = 1 OR i iN (2) Or not TRUE", "1100"},
        {"i>0 and(j>2)", "1000"},
        {"\n\ti = 1\r\n or\ti = 2 ", "1100"},
        {"((((i = 1))))", "1000"},
        {"(i) = (1)", "1000"},
        {"i > 0 and i < 2 and i <> 7", "1000"},
        {"i < 0 or i > 1 or i = 1", "1101"},
    };
    CHECK_KEPT(cases);
}

static void numbers_compare_by_value_across_types(void **state)
{
    static const struct kept cases[] = {
        {"i < 1.5", "1001"},
        {"i = 1.0", "1000"},
        {"i = 1e0", "1000"},
        {"i > 99999999999999999999999", "0000"},
        {"i > -99999999999999999999999", "1101"},
        {"i <> 99999999999999999999999", "1101"},
        {"i <> 0.5", "1101"},
        {"j = 9007199254740993", "1000"},
        {"j = 9007199254740992", "0000"},
        {"j > 9007199254740992.5", "1000"},
        {"u = 18446744073709551615", "1000"},
        {"u > -1", "1101"},
        {"u < -1", "0000"},
        {"u > j", "1001"},
        {"u = i", "0000"},
        {"d = 1.5", "1000"},
        {"d = 1.505", "0000"},
        {"d < 1.505", "1010"},
        {"d > i", "1001"},
        {"e = 100", "1000"},
        {"e = 150", "0000"},
        {"e > 100.1", "0101"},
        {"e > j", "0101"},
        {"e = 9007199254741000", "0001"},
        {"d = 2e0 and d = e", "0000"},
        {"j >= f", "1000"},
        {"f < j", "1000"},
    };
    CHECK_KEPT(cases);
}

static void floats_take_the_nearest_of_a_decimal_and_integers_as_they_are(void **state)
{
    static const struct kept cases[] = {
        {"f = 0.1", "1000"},      {"f = 1e-1", "1000"},     {"g = 0.1", "1000"},
        {"h = 0.1", "1000"},      {"g = 16777216", "0100"}, {"g = 16777217", "0000"},
        {"g < 16777217", "1100"}, {"f < 1e400", "1001"},    {"f > 1e400", "0100"},
        {"g < 1e39", "1100"},     {"g > 1e39", "0001"},     {"h >= -1e5", "1100"},
        {"f > g", "0100"},
    };
    CHECK_KEPT(cases);
}

static void nan_is_above_all_and_zeros_are_equal(void **state)
{
    static const struct kept cases[] = {
        {"f > 1e308", "0100"},
        {"f = f", "1101"},
        {"f <> f", "0000"},
        {"f >= 0", "1101"},
        {"f < 0", "0000"},
        {"f = 0", "0001"},
        {"f = -0.0", "0001"},
        {"f not in (0)", "1100"},
        {"f > -1", "1101"},
        {"f not between -1 and 1", "0100"},
        {"f between -1 and 1", "1001"},
        {"f > u", "0100"},
        {"d < f", "0000"},
        {"i < f", "0101"},
    };
    CHECK_KEPT(cases);
}

static void times_compare_as_instants(void **state)
{
    static const struct kept cases[] = {
        {"day = date '1970-01-01'", "1000"},
        {"day > date '2013-01-01'", "0000"},
        {"day = date '2013-01-01'", "0001"},
        {"day < timestamp '1970-01-02 00:00:01'", "1100"},
        {"t = date '1970-01-02'", "0001"},
        {"t >= timestamp '1970-01-01 00:00:01.5'", "0101"},
        {"t > timestamp '1970-01-01 00:00:01.500000001'", "0001"},
        {"t = timestamp '1970-01-01 01:00+01:00'", "1000"},
        {"t = timestamp '1970-01-01T00:00:00Z'", "1000"},
        {"tz = timestamp '1970-01-01 00:00:00'", "1000"},
        {"tz = timestamp '1969-12-31 22:00:00 -0200'", "1000"},
        {"tz = t", "1101"},
        {"day = t", "1000"},
        {"day <> tz", "0101"},
        {"TIMESTAMP '1970-01-01' = t", "1000"},
        {"t < timestamp '-0001-01-01 00:00:00'", "0000"},
        {"tod = time '01:00'", "0100"},
        {"tod > time '23:59:58.5'", "0001"},
        {"dur = duration '1 h 30 min'", "0100"},
        {"dur = duration '-1 min'", "0001"},
        {"dur >= duration '0.5 s'", "0100"},
        {"date = 2", "0100"},
        {"\"date\" = 2", "0100"},
    };
    CHECK_KEPT(cases);
}

static void like_knows_percent_and_underscore_and_no_escape(void **state)
{
    static const struct kept cases[] = {
        {"s like 'a'", "1000"},         {"s like '%'", "1101"},
        {"s like '_'", "1000"},         {"s like 'z_h'", "0001"},
        {"s like '___'", "0001"},       {"s like '%''s'", "0100"},
        {"s like 'i%s'", "0100"},       {"s not like '%a%'", "0101"},
        {"s like ''", "0000"},          {"v like ''", "0001"},
        {"v like '%n%n%'", "0100"},     {"v like 'longer%'", "0100"},
        {"k like '_'", "1101"},         {"not k like 'a'", "0100"},
        {"s like 'A'", "0000"},         {"'a\\b' like 'a\\_'", "1111"},
        {"'ab' not like 'a%'", "0000"}, {"s like '%%'", "1101"},
        {"s not like '%'", "0000"},     {"s like 'z%_h'", "0001"},
    };
    CHECK_KEPT(cases);
}

static void names_reach_into_structs_and_quotes_keep_dots(void **state)
{
    static const struct kept cases[] = {
        {"n.v = 1", "1000"},
        {"n.w.v > 'a'", "1001"},
        {"n.w.v is null", "0110"},
        {"n.v is null", "0110"},
        {"n is null", "0100"},
        {"n.w is not null", "1001"},
        {"\"n\".\"v\" = 7", "0001"},
        {"n . v = 7", "0001"},
        {"a.b = 2", "0100"},
        {"\"a.b\" = 2", "0100"},
        {"\"x.y\" = 2", "0100"},
        {"x.\"y\" = 7", "0001"},
        {"\"In \"\"quotes\"\"\" = 3", "0010"},
    };
    CHECK_KEPT(cases);
}

static void constants_fold(void **state)
{
    static const struct kept cases[] = {
        {"1 = 1.0", "1111"},
        {"1 < 1.0000000000000000000000000000000001", "1111"},
        {"'a' < 'b'", "1111"},
        {"x'00' = x'01'", "0000"},
        {"date '2013-01-01' = timestamp '2013-01-01 00:00:00'", "1111"},
        {"1 in (2, 1)", "1111"},
        {"1 between 0 and 2", "1111"},
        {"true = false", "0000"},
        {"-1e10 > -1e11", "1111"},
        {"0.0 = -0", "1111"},
    };
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_predicate *predicate = NULL;
    struct batch *batch = *state;
    size_t count = 99;
    CHECK_KEPT(cases);
    ok(armi_predicate_compile("i = 1 or 1 = 1", &batch->schema, &predicate, &err));
    armi_predicate_columns(predicate, &count);
    assert_int_equal(count, 0);
    armi_predicate_free(predicate);
}

static void columns_that_are_read_are_told(void **state)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_predicate *predicate = NULL;
    struct batch *batch = *state;
    size_t count = 0;
    ok(armi_predicate_compile("u = j or n.v = 1 and i in (1, u) or i is null",
                              &batch->schema, &predicate, &err));
    const size_t *used = armi_predicate_columns(predicate, &count);
    const size_t wanted[] = {0, 1, 2, PLAIN};
    assert_int_equal(count, 4);
    assert_memory_equal(used, wanted, sizeof wanted);
    armi_predicate_free(predicate);
}

/* ---- what is wrong ---- */

struct wrong {
    const char *where;
    const char *message; /* its beginning */
};

static void check_wrong(const struct batch *batch, enum armi_status status,
                        const struct wrong *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_predicate *predicate = NULL;
        enum armi_status got =
            armi_predicate_compile(cases[i].where, &batch->schema, &predicate, &err);
        if (got != status ||
            strncmp(err.message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("%s: got %s: %s", cases[i].where, armi_status_name(got), err.message);
        assert_null(predicate);
    }
}

static void what_cannot_be_read_is_told_with_its_place(void **state)
{
    static const struct wrong cases[] = {
        {"", "where: column 1: expected a column or a value, but the text ends"},
        {"i = ", "where: column 5: expected a column or a value, but the text ends"},
        {"i = 1 and", "where: column 10: expected a column"},
        {"i = 1 j", "where: column 7: expected and, or, or the end, found j"},
        {"(i = 1", "where: column 7: expected a closing parenthesis"},
        {"i in ()", "where: column 7: expected a column or a value, found )"},
        {"i in 1", "where: column 6: expected ( and a list behind in, found 1"},
        {"i between 1", "where: column 12: expected the and of between"},
        {"i is 5", "where: column 6: expected null, found 5"},
        {"i not 5", "where: column 7: expected in, between or like, found 5"},
        {"1 < i < 3", "where: column 7: comparisons do not chain"},
        {"s = 'abc", "where: column 5: this quote is never closed"},
        {"\"s = 1", "where: column 1: this quote is never closed"},
        {"y = x'0'", "where: column 5: x'\xe2\x80\xa6' takes two hex digits"},
        {"y = x'0g'", "where: column 5: x'\xe2\x80\xa6' takes hex digits only"},
        {"i && 1", "where: column 3: '&' means nothing here: write and, or, not"},
        {"!b", "where: column 1: '!' means nothing here"},
        {"i = @", "where: column 5: '@' means nothing here"},
        {"i = 12abc", "where: column 5: this is neither a number nor a name"},
        {"i = 1.2.3", "where: column 5: this is neither a number nor a name"},
        {"i = 1e", "where: column 5: this is neither a number nor a name"},
        {"i + 1 = 2", "where: column 3: expected and, or, or the end, found +"},
        {"i = -j", "where: column 6: expected a number, found j"},
        {"n. = 1", "where: column 4: expected a name, found ="},
        {"s = 'z\xc3\xa4h' i", "where: column 11: expected and"},
        {"s = '\xff'", "where: the text is not UTF-8"},
        {"day = date '2013-02-29'", "where: column 12: there is no such day"},
        {"day = date '13-02-29'", "where: column 12: a date is written"},
        {"t = timestamp '2013-02-28 25:00'", "where: column 15: there is no such time"},
        {"t = timestamp '2013-02-28 05:00 Europe/Berlin'", "where: column 15: a zone is"},
        {"t = timestamp '2013-02-28 05:00:00.1234567890'",
         "where: column 15: a fraction of a second has 1 to 9 digits"},
        {"dur = duration '1 month'", "where: column 16: a duration is written"},
        {"dur = duration '0.5 ns'", "where: column 16: a duration has no parts"},
        {"5", "where: column 1: a value (integer) is not a condition"},
        {"i", "where: column 1: column \"i\" (int32) is not bool"},
        {"(i = 1) = true", "where: column 4: a condition cannot stand in a comparison"},
        {"(i = 1) is null", "where: column 4: a condition cannot stand before is null"},
        {"x.y = 1", "where: column 1: this is ambiguous"},
    };
    check_wrong(*state, ARMI_INVALID, cases, sizeof cases / sizeof cases[0]);
}

static void what_cannot_be_compared_names_the_column_and_both_types(void **state)
{
    static const struct wrong cases[] = {
        {"i = 'a'", "where: column 3: cannot compare column \"i\" (int32) with 'a' (text): "
                    "write the number without quotes"},
        {"'a' = i", "where: column 5: cannot compare column \"i\" (int32) with 'a' (text)"},
        {"s = 5", "where: column 3: cannot compare column \"s\" (string) with 5 (integer)"},
        {"s > 1.5",
         "where: column 3: cannot compare column \"s\" (string) with 1.5 (decimal)"},
        {"t = '2013-01-01'", "where: column 3: cannot compare column \"t\" (timestamp[us]) "
                             "with '2013-01-01' (text): write date"},
        {"t = 5", "where: column 3: cannot compare column \"t\" (timestamp[us]) with 5"},
        {"t = f",
         "where: column 3: cannot compare column \"t\" (timestamp[us]) with column "
         "\"f\" (double)"},
        {"y = s", "where: column 3: cannot compare column \"y\" (binary) with column \"s\" "
                  "(string)"},
        {"y = 'a'",
         "where: column 3: cannot compare column \"y\" (binary) with 'a' (text)"},
        {"s = x'61'",
         "where: column 3: cannot compare column \"s\" (string) with x'61' (bytes)"},
        {"l = 1", "where: column 3: cannot compare column \"l\" (list<item: int8>) with 1"},
        {"l = l", "where: column 3: cannot compare column \"l\""},
        {"m < m", "where: column 3: cannot compare column \"m\" (month_interval)"},
        {"n = 1", "where: column 3: cannot compare column \"n\" (struct<"},
        {"b = 1", "where: column 3: cannot compare column \"b\" (bool) with 1 (integer)"},
        {"i in (1, 'a')", "where: column 10: cannot compare column \"i\" (int32) with 'a'"},
        {"i between 1 and 'a'", "where: column 17: cannot compare column \"i\" (int32)"},
        {"tod = time '00:00' and tod = t", "where: column 28: cannot compare"},
        {"i like 'a'",
         "where: column 1: like takes text (string), not column \"i\" (int32)"},
        {"s like s", "where: column 8: the pattern of like is a text in quotes"},
        {"1 = 'a'", "where: column 3: cannot compare 1 (integer) with 'a' (text)"},
    };
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_predicate *predicate = NULL;
    struct batch *batch = *state;
    check_wrong(batch, ARMI_INVALID, cases, sizeof cases / sizeof cases[0]);
    fails(ARMI_INVALID,
          armi_predicate_compile("n.v = 'a'", &batch->schema, &predicate, &err));
    assert_string_equal(err.kind, "column");
    assert_string_equal(err.name, "n.v");
}

static void a_column_that_is_not_there_is_not_found(void **state)
{
    static const struct wrong cases[] = {
        {"q = 1", "No column \"q\" (columns: i, j, u, f"},
        {"I = 1", "No column \"I\" (columns: i"},
        {"\"\" = 1", "No column \"\" (columns: "},
        {"n.q = 1", "No column \"n.q\" (members of \"n\": v, w)"},
        {"i.q = 1", "No column \"q\" in \"i\": it is int32, not a struct"},
        {"l.item = 1", "No column \"item\" in \"l\": it is list, not a struct"},
        {"\"n.v\" = 1", "No column \"n.v\""},
    };
    check_wrong(*state, ARMI_NOT_FOUND, cases, sizeof cases / sizeof cases[0]);
}

static char *repeat(const char *part, size_t count, const char *end)
{
    size_t size = strlen(part);
    char *text = malloc(size * count + strlen(end) + 1);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * size, part, size);
    memcpy(text + size * count, end, strlen(end) + 1);
    return text;
}

static void nesting_and_digits_have_limits_and_length_has_none(void **state)
{
    static const struct {
        const char *part;
        size_t count;
        const char *end;
        enum armi_status status;
    } cases[] = {
        {"(", 65, "i = 1", ARMI_LIMIT},
        {"(", 100000, "i = 1", ARMI_LIMIT},
        {"(", 64, "i = 1", ARMI_INVALID}, /* never closed */
        {"not ", 100001, "i = 1", ARMI_OK},
        {"i = 1 or ", 50000, "i = 2", ARMI_OK},
        {"s = 'a' and j > i or ", 50000, "i = 2", ARMI_OK},
        {"1", 1000, " > i", ARMI_OK},
        {"1", 1001, " > i", ARMI_LIMIT},
    };
    struct batch *batch = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_predicate *predicate = NULL;
        uint8_t keep;
        char *text = repeat(cases[i].part, cases[i].count, cases[i].end);
        fails(cases[i].status,
              armi_predicate_compile(text, &batch->schema, &predicate, &err));
        if (predicate != NULL)
            ok(armi_predicate_match(predicate, batch->views, ROWS, &keep, &err));
        armi_predicate_free(predicate);
        free(text);
    }
}

/* ---- memory, and the public functions ---- */

static const char everything[] = "(i in (1, 2.5, 3, u) or s not in ('a', 'b') and k like "
                                 "'%a%_') and not (n.w.v is null or "
                                 "d between 1 and 2 or \"In \"\"quotes\"\"\" = 3) or t >= "
                                 "timestamp '2013-01-01' or y = x'00'";

static void every_allocation_may_fail(void **state)
{
    struct batch *batch = *state;
    for (size_t n = 1;; n++) {
        struct armi_error err = ARMI_ERROR_INIT;
        struct armi_predicate *predicate = NULL;
        uint8_t keep;
        fault_alloc_begin(n, false);
        enum armi_status status =
            armi_predicate_compile(everything, &batch->schema, &predicate, &err);
        if (status == ARMI_OK)
            status = armi_predicate_match(predicate, batch->views, ROWS, &keep, &err);
        armi_predicate_free(predicate);
        bool fired = fault_alloc_end();
        assert_int_equal(status, fired ? ARMI_NO_MEMORY : ARMI_OK);
        if (!fired)
            break;
    }
}

static void the_public_functions_check_and_evaluate(void **state)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct batch *batch = *state;
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct armi_array_parts parts = {
        .buffer_count = 1, .buffers = &(struct armi_part){0}, .child_count = 0};
    unsigned char bitmap[2] = {0xaa, 0xaa};
    ok(armi_field_export(&batch->schema, 0, &schema, &err));
    struct ArrowArray children[ALL];
    memcpy(children, batch->arrays, sizeof children);
    for (size_t c = 0; c < ALL; c++)
        ok(armi_array_export_slice(&batch->views[c], 0, ROWS, NULL, &children[c], &err));
    parts.child_count = ALL;
    parts.children = children;
    ok(armi_arrow_array_make(&batch->schema, ROWS, 0, &parts, &array, &err));
    ok(armi_predicate_check("i = 1", &schema, &err));
    fails(ARMI_INVALID, armi_predicate_check("i = 'a'", &schema, &err));
    fails(ARMI_NOT_FOUND, armi_predicate_check("q = 1", &schema, &err));
    ok(armi_predicate_evaluate("i >= 1", &schema, &array, bitmap, &err));
    assert_int_equal(bitmap[0], 0x03);
    assert_int_equal(bitmap[1], 0xaa);
    fails(ARMI_INVALID, armi_predicate_evaluate("i >=", &schema, &array, bitmap, &err));
    assert_int_equal(bitmap[0], 0x03);
    array.release(&array);
    schema.release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_keep_the_rows_they_are_true_for),
        cmocka_unit_test(logic_has_three_values),
        cmocka_unit_test(and_binds_before_or_and_not_before_both),
        cmocka_unit_test(numbers_compare_by_value_across_types),
        cmocka_unit_test(floats_take_the_nearest_of_a_decimal_and_integers_as_they_are),
        cmocka_unit_test(nan_is_above_all_and_zeros_are_equal),
        cmocka_unit_test(times_compare_as_instants),
        cmocka_unit_test(like_knows_percent_and_underscore_and_no_escape),
        cmocka_unit_test(names_reach_into_structs_and_quotes_keep_dots),
        cmocka_unit_test(constants_fold),
        cmocka_unit_test(columns_that_are_read_are_told),
        cmocka_unit_test(what_cannot_be_read_is_told_with_its_place),
        cmocka_unit_test(what_cannot_be_compared_names_the_column_and_both_types),
        cmocka_unit_test(a_column_that_is_not_there_is_not_found),
        cmocka_unit_test(nesting_and_digits_have_limits_and_length_has_none),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(the_public_functions_check_and_evaluate),
    };
    return cmocka_run_group_tests(tests, batch_make, batch_free);
}
