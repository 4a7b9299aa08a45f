/*
 * Any text as a predicate over a small batch of many types: refused with a message, or evaluated,
 * the same in slices as in whole, and never pruned where rows match.
 */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "arrow/builder.h"
#include "arrow/schema_text.h"
#include "base/alloc.h"
#include "predicate/predicate.h"

#define ROWS 70 /* more than a word */

static const char *const names[] = {"i", "u", "f", "g", "d",   "s",   "y", "b", "day",
                                    "t", "k", "r", "n", "tod", "dur", "e", "l"};
static const char *const types[] = {
    "int32",
    "uint64",
    "double",
    "halffloat",
    "decimal128(10, 2)",
    "string",
    "binary_view",
    "bool",
    "date32[day]",
    "timestamp[us, tz=UTC]",
    "dictionary<values=string, indices=int8, ordered=0>",
    "run_end_encoded<run_ends: int32, values: int64>",
    "struct<a: int8, b: struct<c: string>>",
    "time64[us]",
    "duration[ms]",
    "decimal256(76, -3)",
    "list<item: int8>",
};
#define COLUMNS (sizeof types / sizeof types[0])

static struct armi_field schema;
static struct ArrowArray arrays[COLUMNS];
static struct armi_array views[COLUMNS];
static struct armi_stats stats[COLUMNS];

static void append(struct armi_builder *b, const struct armi_field *field, int row)
{
    static const char *const texts[] = {"", "a", "ab", "\xc3\xa4",
                                        "a text longer than a bound"};
    const struct armi_field *value = armi_field_value(field);
    enum armi_status st = ARMI_OK;
    if (row % 7 == 3) {
        st = armi_builder_append_null(b, NULL);
    } else if (value->type == ARMI_TYPE_STRUCT) {
        for (size_t c = 0; c < value->child_count; c++)
            append(armi_builder_child(b, c), &value->children[c], row * 3 + 1);
        st = armi_builder_close(b, NULL);
    } else if (value->type == ARMI_TYPE_LIST) {
        st = armi_builder_close(b, NULL);
    } else if (armi_type_is_utf8(value->type) || armi_type_is_binary(value->type)) {
        st = armi_builder_append_text(b, texts[row % 5], NULL);
    } else if (armi_type_is_float(value->type)) {
        st = armi_builder_append_double(b, row % 11 == 0 ? (double)NAN : row / 4.0, NULL);
    } else if (value->type == ARMI_TYPE_BOOL) {
        st = armi_builder_append_bool(b, row % 2, NULL);
    } else {
        int sign = value->type == ARMI_TYPE_UINT64 ? 1 : row % 2 * 2 - 1;
        st = armi_builder_append_int(b, sign * (row % 100), NULL);
    }
    FUZZ_CHECK(st == ARMI_OK);
}

static void make_batch(void)
{
    FUZZ_CHECK(armi_field_init_schema(&schema, NULL) == ARMI_OK);
    FUZZ_CHECK(armi_field_alloc_children(&schema, COLUMNS, NULL) == ARMI_OK);
    for (size_t c = 0; c < COLUMNS; c++) {
        struct armi_field *field = &schema.children[c];
        struct armi_builder *b = NULL;
        FUZZ_CHECK(armi_type_parse(types[c], field, NULL) == ARMI_OK);
        FUZZ_CHECK(armi_field_set_name(field, names[c], NULL) == ARMI_OK);
        FUZZ_CHECK(armi_builder_new(field, &b, NULL) == ARMI_OK);
        for (int row = 0; row < ROWS; row++)
            append(b, field, row);
        FUZZ_CHECK(armi_builder_finish(b, &arrays[c], NULL) == ARMI_OK);
        armi_builder_free(b);
        FUZZ_CHECK(armi_array_init(field, &arrays[c], ARMI_VALIDATE_FULL, &views[c],
                                   NULL) == ARMI_OK);
        armi_stats_init(&stats[c]);
        armi_stats_update(&stats[c], &views[c], 0, ROWS);
    }
}

static bool get_stats(void *ctx, size_t column, struct armi_stats *out)
{
    (void)ctx;
    *out = stats[column];
    return true;
}

static bool get_values(void *ctx, size_t column, struct armi_array *out)
{
    (void)ctx;
    *out = views[column];
    return true;
}

static void check_slice(const struct armi_predicate *predicate, const uint8_t *keep)
{
    struct armi_array slices[COLUMNS];
    uint8_t part[ROWS / 8 + 1];
    for (size_t c = 0; c < COLUMNS; c++)
        slices[c] = armi_array_slice(&views[c], 3, ROWS - 5);
    FUZZ_CHECK(armi_predicate_match(predicate, slices, ROWS - 5, part, NULL) == ARMI_OK);
    for (size_t i = 0; i < ROWS - 5; i++)
        FUZZ_CHECK(armi_bit_get(part, i) == armi_bit_get(keep, i + 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_made;
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_predicate *predicate = NULL;
    uint8_t keep[ROWS / 8 + 1];
    const struct armi_predicate_bounds bounds = {get_stats, NULL, ROWS};
    const struct armi_predicate_values values = {get_values, NULL, NULL};
    if (!is_made)
        make_batch();
    is_made = true;
    char *text = armi_strndup((const char *)data, size);
    FUZZ_CHECK(text != NULL);
    enum armi_status st = armi_predicate_compile(text, &schema, &predicate, &err);
    armi_free(text);
    if (st != ARMI_OK) {
        FUZZ_CHECK(err.message[0] != '\0' && predicate == NULL);
        return 0;
    }
    FUZZ_CHECK(armi_predicate_match(predicate, views, ROWS, keep, &err) == ARMI_OK);
    if (armi_bitmap_count(keep, 0, ROWS) != 0) {
        FUZZ_CHECK(armi_predicate_may_match(predicate, &bounds));
        FUZZ_CHECK(armi_predicate_may_match_values(predicate, &bounds, &values));
    }
    check_slice(predicate, keep);
    armi_predicate_free(predicate);
    return 0;
}
