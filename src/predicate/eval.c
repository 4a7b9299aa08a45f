/*
 * Rows through the nodes, a block at a time. Each node narrows the block's bitmap; `and` passes it
 * on from child to child, `or` asks each child only for rows that no child before it had.
 *
 * A leaf over a dictionary is asked once for each entry, and rows then look up their entry's bit; over
 * a run-end array once for each run.
 */
#include <string.h>

#include "base/alloc.h"
#include "predicate/predicate_internal.h"

/* ---- layouts ---- */

static void clear_nulls(const struct armi_array *array, int64_t from, int64_t count,
                        uint64_t *bits)
{
    size_t at = (size_t)(array->offset + from), end = at + (size_t)count;
    if (array->layout == ARMI_LAYOUT_NULL) {
        memset(bits, 0, armi_words(count) * sizeof *bits);
        return;
    }
    if (array->validity == NULL)
        return;
    for (; at < end; at += 64, bits++)
        *bits &= armi_word_at(array->validity, at, end);
}

static void fill_ones(uint64_t *bits, int64_t count)
{
    size_t words = armi_words(count);
    memset(bits, 0xff, words * sizeof *bits);
    if (count % 64 != 0)
        bits[words - 1] = (UINT64_C(1) << (count % 64)) - 1;
}

static uint64_t index_at(const uint8_t *values, size_t p, int32_t width)
{
    switch (width) {
    case 1:
        return values[p];
    case 2:
        return armi_load16(values + 2 * p);
    case 4:
        return armi_load32(values + 4 * p);
    default:
        return armi_load64(values + 8 * p);
    }
}

/* Each row gets its entry's bit. What is no index, as under a null, gets none. */
static void gather(const struct armi_array *array, int64_t from, int64_t count,
                   const uint64_t *entries, uint64_t *bits)
{
    uint64_t length = (uint64_t)array->dictionary->length;
    for (int64_t done = 0; done < count; done += 64, bits++) {
        uint64_t hits = 0;
        size_t p = (size_t)(array->offset + from + done);
        for (uint64_t asked = *bits; asked != 0; asked &= asked - 1) {
            int i = __builtin_ctzll(asked);
            uint64_t index = index_at(array->values, p + (size_t)i, array->width);
            if (index < length)
                hits |= (entries[index / 64] >> (index % 64) & 1) << i;
        }
        *bits &= hits;
    }
}

static enum armi_status eval_dictionary(const struct armi_leaf *leaf,
                                        const struct armi_array *array, int64_t from,
                                        int64_t count, uint64_t *bits, uint64_t **entries,
                                        struct armi_error *err)
{
    const struct armi_array *values = array->dictionary;
    clear_nulls(array, from, count, bits);
    if (leaf->kind == ARMI_LEAF_VALID && !armi_array_may_have_nulls(values))
        return ARMI_OK;
    if (*entries == NULL) {
        uint64_t *inner = NULL;
        uint64_t *made = armi_alloc_array(armi_words(values->length), sizeof *made);
        if (made == NULL)
            return armi_error_no_memory(err);
        fill_ones(made, values->length);
        enum armi_status st = ARMI_OK;
        for (int64_t at = 0; at < values->length && st == ARMI_OK; at += ARMI_EVAL_BLOCK) {
            int64_t left = values->length - at;
            st = armi_eval_leaf(leaf, values, at,
                                left < ARMI_EVAL_BLOCK ? left : ARMI_EVAL_BLOCK,
                                made + at / 64, &inner, err);
        }
        armi_free(inner);
        if (st != ARMI_OK) {
            armi_free(made);
            return st;
        }
        *entries = made;
    }
    gather(array, from, count, *entries, bits);
    return ARMI_OK;
}

/* At most a block of rows, so at most a block of runs. */
static enum armi_status eval_runs(const struct armi_leaf *leaf,
                                  const struct armi_array *array, int64_t from,
                                  int64_t count, uint64_t *bits, uint64_t **entries,
                                  struct armi_error *err)
{
    uint64_t runs[ARMI_EVAL_WORDS], row_bits[ARMI_EVAL_WORDS] = {0};
    const struct armi_array *ends = &array->children[0];
    int64_t first = armi_array_run(array, from);
    int64_t last = armi_array_run(array, from + count - 1);
    fill_ones(runs, last - first + 1);
    ARMI_TRY(armi_eval_leaf(leaf, &array->children[1], first, last - first + 1, runs,
                            entries, err));
    int64_t at = 0;
    for (int64_t run = first; run <= last; run++) {
        int64_t end = armi_array_int(ends, run) - array->offset - from;
        if (end > count)
            end = count;
        bool is_true = (runs[(run - first) / 64] >> ((run - first) % 64) & 1) != 0;
        for (; at < end; at++)
            row_bits[at / 64] |= (uint64_t)is_true << (at % 64);
    }
    for (size_t w = 0; w < armi_words(count); w++)
        bits[w] &= row_bits[w];
    return ARMI_OK;
}

enum armi_status armi_eval_leaf(const struct armi_leaf *leaf,
                                const struct armi_array *array, int64_t from, int64_t count,
                                uint64_t *bits, uint64_t **entries, struct armi_error *err)
{
    if (count == 0)
        return ARMI_OK;
    if (array->layout == ARMI_LAYOUT_DICTIONARY)
        return eval_dictionary(leaf, array, from, count, bits, entries, err);
    if (array->layout == ARMI_LAYOUT_RUN_END)
        return eval_runs(leaf, array, from, count, bits, entries, err);
    clear_nulls(array, from, count, bits);
    if (array->layout == ARMI_LAYOUT_NULL)
        return ARMI_OK;
    if (leaf->kind == ARMI_LEAF_RANGES)
        armi_eval_ranges(&leaf->ranges, array, from, count, bits);
    else if (leaf->kind != ARMI_LEAF_VALID)
        armi_eval_bytes(leaf, array, from, count, bits);
    return ARMI_OK;
}

/* ---- nodes ---- */

struct eval {
    const struct armi_array *columns;
    uint64_t **entries; /* of each leaf */
    uint64_t *scratch;  /* two blocks for each or that is under way */
    struct armi_error *err;
};

/* The array of a column or member; nulls of the structs around it are cleared. */
static struct armi_array descend(const struct eval *e,
                                 const struct armi_leaf_column *column, int64_t from,
                                 int64_t count, uint64_t *bits)
{
    struct armi_array array = e->columns[column->column];
    for (size_t i = 0; i < column->depth; i++) {
        clear_nulls(&array, from, count, bits);
        array = armi_array_column(&array, column->path[i]);
    }
    return array;
}

/* Rows that are valid: `null` is what is left. */
static enum armi_status eval_null(const struct eval *e, const struct armi_leaf *leaf,
                                  int64_t from, int64_t count, uint64_t *bits)
{
    uint64_t valid[ARMI_EVAL_WORDS];
    struct armi_leaf as_valid = {.kind = ARMI_LEAF_VALID};
    memcpy(valid, bits, armi_words(count) * sizeof *bits);
    struct armi_array array = descend(e, &leaf->column, from, count, valid);
    ARMI_TRY(armi_eval_leaf(&as_valid, &array, from, count, valid, &e->entries[leaf->index],
                            e->err));
    for (size_t w = 0; w < armi_words(count); w++)
        bits[w] &= ~valid[w];
    return ARMI_OK;
}

static enum armi_status eval_leaf(const struct eval *e, const struct armi_leaf *leaf,
                                  int64_t from, int64_t count, uint64_t *bits)
{
    if (leaf->kind == ARMI_LEAF_NULL)
        return eval_null(e, leaf, from, count, bits);
    struct armi_array array = descend(e, &leaf->column, from, count, bits);
    if (leaf->kind != ARMI_LEAF_COLUMNS)
        return armi_eval_leaf(leaf, &array, from, count, bits, &e->entries[leaf->index],
                              e->err);
    struct armi_array other = descend(e, &leaf->other, from, count, bits);
    clear_nulls(&array, from, count, bits);
    clear_nulls(&other, from, count, bits);
    armi_eval_columns(leaf, &array, &other, from, count, bits);
    return ARMI_OK;
}

static bool is_empty(const uint64_t *bits, size_t words)
{
    uint64_t any = 0;
    for (size_t w = 0; w < words; w++)
        any |= bits[w];
    return any == 0;
}

static enum armi_status eval_node(const struct eval *e, const struct armi_node *node,
                                  size_t or_depth, int64_t from, int64_t count,
                                  uint64_t *bits);

/* bits = rows where a child is true; asked = rows that none was true for yet. */
static enum armi_status eval_or(const struct eval *e, const struct armi_node *node,
                                size_t or_depth, int64_t from, int64_t count,
                                uint64_t *bits)
{
    size_t words = armi_words(count);
    uint64_t *asked = e->scratch + 2 * or_depth * ARMI_EVAL_WORDS;
    uint64_t *hits = asked + ARMI_EVAL_WORDS;
    memcpy(asked, bits, words * sizeof *bits);
    memset(bits, 0, words * sizeof *bits);
    for (size_t i = 0; i < node->count; i++) {
        memcpy(hits, asked, words * sizeof *bits);
        ARMI_TRY(eval_node(e, node->children[i], or_depth + 1, from, count, hits));
        for (size_t w = 0; w < words; w++) {
            bits[w] |= hits[w];
            asked[w] &= ~hits[w];
        }
        if (is_empty(asked, words))
            break;
    }
    return ARMI_OK;
}

static enum armi_status eval_node(const struct eval *e, const struct armi_node *node,
                                  size_t or_depth, int64_t from, int64_t count,
                                  uint64_t *bits)
{
    switch (node->kind) {
    case ARMI_NODE_FALSE:
        memset(bits, 0, armi_words(count) * sizeof *bits);
        return ARMI_OK;
    case ARMI_NODE_TRUE:
        return ARMI_OK;
    case ARMI_NODE_LEAF:
        return eval_leaf(e, node->leaf, from, count, bits);
    case ARMI_NODE_OR:
        return eval_or(e, node, or_depth, from, count, bits);
    default:
        break;
    }
    for (size_t i = 0; i < node->count; i++) {
        ARMI_TRY(eval_node(e, node->children[i], or_depth, from, count, bits));
        if (is_empty(bits, armi_words(count)))
            break;
    }
    return ARMI_OK;
}

/* ---- the whole ---- */

/* Words to the caller's bytes, LSB first on every machine. */
static void store_block(uint8_t *keep, const uint64_t *bits, int64_t count)
{
    size_t bytes = armi_bitmap_size((size_t)count), at = 0;
    for (; at + 8 <= bytes; at += 8)
        armi_store64(keep + at, bits[at / 8]);
    for (; at < bytes; at++)
        keep[at] = (uint8_t)(bits[at / 8] >> (8 * (at % 8)));
}

enum armi_status armi_predicate_match(const struct armi_predicate *predicate,
                                      const struct armi_array *columns, int64_t rows,
                                      uint8_t *keep, struct armi_error *err)
{
    struct eval e = {.columns = columns, .err = err};
    uint64_t bits[ARMI_EVAL_WORDS];
    enum armi_status st = ARMI_OK;
    e.entries = armi_alloc_zero(predicate->leaf_count, sizeof *e.entries);
    e.scratch = armi_alloc_array(2 * predicate->or_depth * ARMI_EVAL_WORDS, sizeof *bits);
    if (e.entries == NULL || e.scratch == NULL) {
        st = armi_error_no_memory(err);
        goto done;
    }
    for (int64_t from = 0; from < rows; from += ARMI_EVAL_BLOCK) {
        int64_t count = rows - from < ARMI_EVAL_BLOCK ? rows - from : ARMI_EVAL_BLOCK;
        fill_ones(bits, count);
        st = eval_node(&e, predicate->root, 0, from, count, bits);
        if (st != ARMI_OK)
            goto done;
        store_block(keep + from / 8, bits, count);
    }
done:
    for (size_t i = 0; e.entries != NULL && i < predicate->leaf_count; i++)
        armi_free(e.entries[i]);
    armi_free(e.entries);
    armi_free(e.scratch);
    return st;
}
