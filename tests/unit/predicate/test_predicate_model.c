/*
 * Random predicates over random columns of every ordered type and layout, held against a plain
 * evaluator that takes SQL's three values at their word, and against statistics of the same rows.
 * Literals are values of the columns written as text, so the order of a value and a literal is known
 * from arrow/compare.h alone.
 */
#include "test.h"

#include <stdlib.h>

#include "arrow/compare.h"
#include "arrow_gen.h"
#include "base/alloc.h"
#include "base/text.h"
#include "predicate/predicate.h"

#define COLUMNS    5
#define ROWS       300
#define DEPTH_MAX  4
#define LIST_MAX   12
#define ROUNDS     400
#define PREDICATES 40

static const char *const types[] = {
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "halffloat",
    "float",
    "double",
    "decimal32(9, 2)",
    "decimal64(18, 3)",
    "decimal128(38, 10)",
    "decimal128(5, -2)",
    "decimal256(76, 20)",
    "date32[day]",
    "date64[ms]",
    "time32[s]",
    "time64[ns]",
    "timestamp[s]",
    "timestamp[us, tz=UTC]",
    "timestamp[ns, tz=+02:00]",
    "duration[ms]",
    "fixed_size_binary[5]",
    "binary",
    "large_binary",
    "binary_view",
    "string",
    "large_string",
    "string_view",
    "dictionary<values=string, indices=int32, ordered=0>",
    "dictionary<values=int64, indices=uint8, ordered=1>",
    "run_end_encoded<run_ends: int32, values: string>",
    "run_end_encoded<run_ends: int16, values: dictionary<values=double, indices=int8>>",
    "struct<v: int32>",
    "struct<v: dictionary<values=string, indices=int16, ordered=0>>",
};

/* ---- the columns ---- */

struct table {
    struct armi_field schema;
    struct ArrowArray arrays[COLUMNS];
    struct armi_array views[COLUMNS];
    struct armi_array slices[COLUMNS]; /* what is asked about */
    int64_t rows;
};

static void table_init(struct table *table, uint64_t *seed)
{
    struct armi_error err = ARMI_ERROR_INIT;
    *table = (struct table){0};
    ok(armi_field_init_schema(&table->schema, &err));
    ok(armi_field_alloc_children(&table->schema, COLUMNS, &err));
    int64_t from = (int64_t)(arrow_gen_next(seed) % 70);
    table->rows = (int64_t)(arrow_gen_next(seed) % (ROWS - 70));
    for (size_t c = 0; c < COLUMNS; c++) {
        const char *type = types[arrow_gen_next(seed) % (sizeof types / sizeof types[0])];
        struct armi_field field = arrow_gen_field(type);
        char name[8];
        snprintf(name, sizeof name, "c%zu", c);
        ok(armi_field_set_name(&field, name, &err));
        armi_field_move(&field, &table->schema.children[c]);
        unsigned null_every = (unsigned)(arrow_gen_next(seed) % 3 * 3);
        ok(arrow_gen_array(&table->schema.children[c], ROWS, null_every,
                           arrow_gen_next(seed), &table->arrays[c], &err));
        ok(armi_array_init(&table->schema.children[c], &table->arrays[c],
                           ARMI_VALIDATE_FULL, &table->views[c], &err));
        table->slices[c] = armi_array_slice(&table->views[c], from, table->rows);
    }
}

static void table_release(struct table *table)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        armi_array_release(&table->views[c]);
        table->arrays[c].release(&table->arrays[c]);
    }
    armi_field_release(&table->schema);
}

static bool is_struct(const struct table *table, size_t c)
{
    return table->schema.children[c].type == ARMI_TYPE_STRUCT;
}

/* The array in which column c's values are; of a struct the member v. */
static struct armi_array column_values(const struct table *table, size_t c)
{
    return is_struct(table, c) ? armi_array_column(&table->slices[c], 0) : table->slices[c];
}

static bool column_null(const struct table *table, size_t c, int64_t row)
{
    struct armi_array values = column_values(table, c);
    return (is_struct(table, c) && armi_array_is_null(&table->slices[c], row)) ||
           armi_array_is_null(&values, row);
}

static const struct armi_field *column_field(const struct table *table, size_t c)
{
    const struct armi_field *field = &table->schema.children[c];
    return armi_field_value(is_struct(table, c) ? &field->children[0] : field);
}

/* ---- texts ---- */

static void add_text(struct armi_buf *out, const char *text)
{
    struct armi_error err = ARMI_ERROR_INIT;
    ok(armi_buf_append(out, text, strlen(text), &err));
}

static void add_column(const struct table *table, size_t c, struct armi_buf *out)
{
    char name[16];
    snprintf(name, sizeof name, "c%zu%s", c, is_struct(table, c) ? ".v" : "");
    add_text(out, name);
}

static void add_bytes(struct armi_slice bytes, bool is_text, struct armi_buf *out)
{
    add_text(out, is_text ? "'" : "x'");
    for (size_t i = 0; i < bytes.size; i++) {
        char part[3] = {(char)bytes.data[i], '\0', '\0'};
        if (!is_text)
            armi_hex_encode(bytes.data + i, 1, part);
        else if (bytes.data[i] == '\'')
            part[1] = '\'';
        add_text(out, part);
    }
    add_text(out, "'");
}

/* Whether the value can be written; then it is appended. */
static bool add_literal(const struct table *table, size_t c, int64_t row,
                        struct armi_buf *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_array values = column_values(table, c);
    const struct armi_array *array = &values;
    const struct armi_field *field = column_field(table, c);
    uint8_t bound[ARMI_STATS_BOUND_MAX];
    bool exact;
    if (column_null(table, c, row) || !armi_array_resolve(&array, &row))
        return false;
    if (armi_type_is_utf8(field->type) || armi_type_is_binary(field->type)) {
        add_bytes(armi_array_bytes(array, row), armi_type_is_utf8(field->type), out);
        return true;
    }
    if (armi_type_is_float(field->type)) {
        double v = armi_array_double(array, row);
        if (v != v || v - v != 0)
            return false;
    }
    if (field->type == ARMI_TYPE_DATE64 && armi_array_int(array, row) % 86400000 != 0)
        return false;
    int size = armi_stats_bound(array, row, false, bound, &exact);
    if (size < 0 || !exact)
        return false;
    size_t before = out->size;
    bool is_duration = field->type == ARMI_TYPE_DURATION;
    if (is_duration)
        add_text(out, "duration '");
    ok(armi_stats_format(field, bound, (size_t)size, true, out, &err));
    if (is_duration)
        add_text(out, "'");
    if ((field->type == ARMI_TYPE_TIME32 || field->type == ARMI_TYPE_TIME64) &&
        out->data[before] != 't') {
        out->size = before; /* no time of day */
        return false;
    }
    return true;
}

/* ---- predicates ---- */

enum { NO, UNKNOWN, YES };

enum kind { AND, OR, NOT, COMPARE, IN, BETWEEN, LIKE, IS_NULL, PAIR };

struct node {
    enum kind kind;
    size_t op;
    bool is_negated;
    bool has_null; /* IN */
    size_t column;
    size_t other;
    int64_t rows[LIST_MAX]; /* whose values the literals are */
    size_t count;
    const char *pattern;
    struct node *left, *right;
};

static const char *const ops[] = {"=", "<>", "<", "<=", ">", ">="};

static struct node *node_new(enum kind kind)
{
    struct node *node = calloc(1, sizeof *node);
    assert_non_null(node);
    node->kind = kind;
    return node;
}

static void node_free(struct node *node)
{
    if (node == NULL)
        return;
    node_free(node->left);
    node_free(node->right);
    free(node);
}

/* A literal of the column; false if no value of a few tries can be written. */
static bool pick_literal(const struct table *table, struct node *node, uint64_t *seed)
{
    struct armi_buf text;
    armi_buf_init(&text, 0);
    bool found = false;
    for (int i = 0; i < 8 && !found && table->rows > 0; i++) {
        int64_t row = (int64_t)(arrow_gen_next(seed) % (uint64_t)table->rows);
        found = add_literal(table, node->column, row, &text);
        if (found)
            node->rows[node->count++] = row;
    }
    armi_buf_release(&text);
    return found;
}

static struct node *random_leaf(const struct table *table, uint64_t *seed)
{
    static const char *const patterns[] = {"a%", "%b", "%a%", "_",     "a_c",  "%",  "",
                                           "ab", "%_", "__%", "%n%v%", "_ a%", "l%s"};
    struct node *node = node_new(IS_NULL);
    node->column = arrow_gen_next(seed) % COLUMNS;
    node->op = arrow_gen_next(seed) % 6;
    node->is_negated = arrow_gen_next(seed) % 2;
    enum kind kind = COMPARE + arrow_gen_next(seed) % 6;
    if (kind == LIKE) {
        if (!armi_type_is_utf8(column_field(table, node->column)->type))
            return node;
        node->pattern = patterns[arrow_gen_next(seed) % 13];
    } else if (kind == PAIR) {
        node->other = arrow_gen_next(seed) % COLUMNS;
        if (!armi_field_equal(column_field(table, node->column),
                              column_field(table, node->other), 0))
            node->other = node->column;
    } else if (kind != IS_NULL) {
        size_t wanted = kind == COMPARE   ? 1
                        : kind == BETWEEN ? 2
                                          : 1 + arrow_gen_next(seed) % (LIST_MAX - 1);
        while (node->count < wanted)
            if (!pick_literal(table, node, seed))
                return node;
        node->has_null = arrow_gen_next(seed) % 5 == 0;
    }
    node->kind = kind;
    return node;
}

static struct node *random_node(const struct table *table, unsigned depth, uint64_t *seed)
{
    uint64_t kind = arrow_gen_next(seed) % 5;
    if (depth == 0 || kind > NOT)
        return random_leaf(table, seed);
    struct node *node = node_new((enum kind)kind);
    node->left = random_node(table, depth - 1, seed);
    if (kind != NOT)
        node->right = random_node(table, depth - 1, seed);
    return node;
}

static void write_node(const struct table *table, const struct node *node,
                       struct armi_buf *out)
{
    if (node->kind <= NOT) {
        add_text(out, node->kind == NOT ? "not (" : "(");
        write_node(table, node->left, out);
        if (node->kind != NOT) {
            add_text(out, node->kind == AND ? " and " : " or ");
            write_node(table, node->right, out);
        }
        add_text(out, ")");
        return;
    }
    add_column(table, node->column, out);
    add_text(out, " ");
    if (node->kind == IS_NULL) {
        add_text(out, node->is_negated ? "is not null" : "is null");
        return;
    }
    if (node->kind == COMPARE || node->kind == PAIR)
        add_text(out, ops[node->op]);
    else if (node->is_negated)
        add_text(out, "not ");
    add_text(out, node->kind == IN        ? "in ("
                  : node->kind == BETWEEN ? "between"
                  : node->kind == LIKE    ? "like"
                                          : "");
    add_text(out, " ");
    if (node->kind == PAIR)
        add_column(table, node->other, out);
    if (node->kind == LIKE)
        add_bytes(
            (struct armi_slice){(const uint8_t *)node->pattern, strlen(node->pattern)},
            true, out);
    for (size_t i = 0; i < node->count; i++) {
        if (i != 0)
            add_text(out, node->kind == BETWEEN ? " and " : ", ");
        assert_true(add_literal(table, node->column, node->rows[i], out));
    }
    if (node->kind == IN)
        add_text(out, node->has_null ? ", null)" : ")");
}

/* ---- the plain evaluator ---- */

static int order(const struct table *table, size_t c, int64_t row, size_t other,
                 int64_t other_row)
{
    struct armi_array a = column_values(table, c), b = column_values(table, other);
    return armi_compare_order(&a, row, &b, other_row, 0);
}

static bool holds(size_t op, int order)
{
    const bool table[6] = {order == 0, order != 0, order<0, order <= 0, order> 0,
                           order >= 0};
    return table[op];
}

static bool like_matches(const char *pattern, struct armi_slice text)
{
    if (*pattern == '\0')
        return text.size == 0;
    if (*pattern == '%') {
        for (size_t i = 0; i <= text.size; i++)
            if (like_matches(pattern + 1,
                             (struct armi_slice){text.data + i, text.size - i}))
                return true;
        return false;
    }
    if (text.size == 0)
        return false;
    size_t size = 1;
    if (*pattern == '_')
        while (size < text.size && (text.data[size] & 0xc0) == 0x80)
            size++;
    else if ((uint8_t)*pattern != text.data[0])
        return false;
    return like_matches(pattern + 1,
                        (struct armi_slice){text.data + size, text.size - size});
}

static int negate(int value, bool is_negated)
{
    return is_negated ? YES - value : value;
}

static int evaluate_leaf(const struct table *table, const struct node *node, int64_t row)
{
    size_t c = node->column;
    bool is_null = column_null(table, c, row);
    int value = NO;
    if (node->kind == IS_NULL)
        return negate(is_null ? YES : NO, node->is_negated);
    if (is_null || (node->kind == PAIR && column_null(table, node->other, row)))
        return UNKNOWN;
    struct armi_array values = column_values(table, c);
    switch (node->kind) {
    case COMPARE:
        return holds(node->op, order(table, c, row, c, node->rows[0])) ? YES : NO;
    case PAIR:
        return holds(node->op, order(table, c, row, node->other, row)) ? YES : NO;
    case BETWEEN:
        value = order(table, c, row, c, node->rows[0]) >= 0 &&
                        order(table, c, row, c, node->rows[1]) <= 0
                    ? YES
                    : NO;
        break;
    case LIKE:
        value = like_matches(node->pattern, armi_array_bytes(&values, row)) ? YES : NO;
        break;
    default:
        value = node->has_null ? UNKNOWN : NO;
        for (size_t i = 0; i < node->count; i++)
            if (order(table, c, row, c, node->rows[i]) == 0)
                value = YES;
    }
    return negate(value, node->is_negated);
}

static int evaluate(const struct table *table, const struct node *node, int64_t row)
{
    int left, right;
    if (node->kind > NOT)
        return evaluate_leaf(table, node, row);
    left = evaluate(table, node->left, row);
    if (node->kind == NOT)
        return YES - left;
    right = evaluate(table, node->right, row);
    if (node->kind == AND)
        return left < right ? left : right;
    return left > right ? left : right;
}

/* ---- statistics ---- */

struct known {
    struct armi_stats stats[COLUMNS];
    bool is_known[COLUMNS];
    const struct table *table;
};

static bool known_stats(void *ctx, size_t column, struct armi_stats *out)
{
    const struct known *known = ctx;
    *out = known->stats[column];
    return known->is_known[column];
}

static bool known_values(void *ctx, size_t column, struct armi_array *out)
{
    const struct known *known = ctx;
    *out = known->table->slices[column];
    return true;
}

static void known_init(struct known *known, const struct table *table, uint64_t *seed)
{
    known->table = table;
    for (size_t c = 0; c < COLUMNS; c++) {
        armi_stats_init(&known->stats[c]);
        armi_stats_update(&known->stats[c], &table->slices[c], 0, table->rows);
        known->is_known[c] = arrow_gen_next(seed) % 4 != 0;
        if (arrow_gen_next(seed) % 3 == 0)
            armi_stats_loosen(&known->stats[c]);
    }
}

/* ---- the test ---- */

static unsigned pruned, pruned_by_values;

static void check(const struct table *table, const char *text, const struct node *node,
                  const struct known *known)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_predicate *predicate = NULL;
    uint8_t keep[ROWS / 8 + 1];
    struct known ctx = *known;
    const struct armi_predicate_bounds bounds = {known_stats, &ctx, (uint64_t)table->rows};
    const struct armi_predicate_values values = {known_values, &ctx, NULL};
    bool any = false;
    if (armi_predicate_compile(text, &table->schema, &predicate, &err) != ARMI_OK)
        fail_msg("%s\n%s", text, err.message);
    memset(keep, 0xaa, sizeof keep);
    ok(armi_predicate_match(predicate, table->slices, table->rows, keep, &err));
    for (int64_t i = 0; i < table->rows; i++) {
        int wanted = evaluate(table, node, i);
        any = any || wanted == YES;
        if (armi_bit_get(keep, (size_t)i) != (wanted == YES))
            fail_msg("row %d of %d: wanted %d: %s", (int)i, (int)table->rows, wanted, text);
    }
    for (int64_t i = table->rows; i % 8 != 0; i++)
        assert_false(armi_bit_get(keep, (size_t)i));
    assert_int_equal(keep[(table->rows + 7) / 8], 0xaa);
    bool may = armi_predicate_may_match(predicate, &bounds);
    bool may_values = armi_predicate_may_match_values(predicate, &bounds, &values);
    pruned += !may;
    pruned_by_values += may && !may_values;
    if (any && (!may || !may_values))
        fail_msg("pruned, but rows match: %s", text);
    armi_predicate_free(predicate);
}

static void random_predicates_agree_with_the_plain_evaluator(void **state)
{
    (void)state;
    const char *given = getenv("ARMI_SEED");
    uint64_t first = given != NULL ? strtoull(given, NULL, 0) : 1;
    for (uint64_t round = first; round < first + ROUNDS; round++) {
        uint64_t seed = round;
        struct table table;
        struct known known;
        table_init(&table, &seed);
        known_init(&known, &table, &seed);
        for (int i = 0; i < PREDICATES; i++) {
            struct armi_buf text;
            armi_buf_init(&text, 0);
            struct node *node =
                random_node(&table, (unsigned)(arrow_gen_next(&seed) % DEPTH_MAX), &seed);
            write_node(&table, node, &text);
            assert_int_equal(armi_buf_append_u8(&text, 0, NULL), ARMI_OK);
            check(&table, (const char *)text.data, node, &known);
            armi_buf_release(&text);
            node_free(node);
        }
        table_release(&table);
    }
    /* Statistics that never prune would pass as well. */
    assert_true(pruned > ROUNDS * PREDICATES / 50);
    assert_true(pruned_by_values > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_predicates_agree_with_the_plain_evaluator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
