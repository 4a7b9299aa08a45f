/*
 * Nested columns: definition and repetition levels of one leaf, and which values of its array are
 * there. The path from the column to the leaf is walked once for a run of consecutive slots at a time:
 * structs without nulls and leaves are handled in whole runs, lists slot by slot.
 *
 * What lies under a null is never looked at: a null struct's children, a null list's items.
 */
#include "parquet/enc_internal.h"

#include <string.h>

#include "base/limits.h"
#include "parquet/parquet_dispatch.h"

struct span {
    const struct armi_array *leaf;
    int64_t from;
    int64_t count;
};

struct shred {
    struct enc_column *c;
    const struct armi_pq_node *path[ARMI_NESTING_MAX * 2 + 2]; /* column, …, leaf */
    uint32_t child[ARMI_NESTING_MAX * 2 + 2]; /* which child the next step is */
    size_t path_count;
    uint8_t *def, *rep;
    size_t count, capacity; /* levels */
    struct span *spans;
    size_t span_count, span_capacity;
    int64_t row; /* for messages */
    enum armi_status status;
};

static void path_find(struct shred *s)
{
    const struct armi_pq_schema *schema = s->c->schema;
    uint32_t chain[ARMI_NESTING_MAX * 2 + 2];
    size_t n = 0;
    for (uint32_t at = s->c->leaf->node; at != 0; at = schema->nodes[at].parent)
        chain[n++] = at;
    s->path_count = n;
    for (size_t i = 0; i < n; i++) {
        const struct armi_pq_node *node = &schema->nodes[chain[n - 1 - i]];
        s->path[i] = node;
        s->child[i] = 0;
        for (uint32_t k = 0; i + 1 < n && k < node->child_count; k++)
            if (node->children[k] == chain[n - 2 - i])
                s->child[i] = k;
    }
}

/* Room for `extra` levels. */
static bool levels_reserve(struct shred *s, size_t extra)
{
    if (s->capacity - s->count >= extra)
        return true;
    size_t wanted = s->count + extra > 2 * s->capacity ? s->count + extra : 2 * s->capacity;
    wanted = wanted < ARMI_SLAB_SIZE - 64 ? ARMI_SLAB_SIZE - 64 : wanted;
    struct enc_worker *w = s->c->worker;
    s->status = enc_slot_grow(w, ENC_SLOT_DEF, s->count, wanted + 64, &s->def, s->c->err);
    if (s->status == ARMI_OK)
        s->status =
            enc_slot_grow(w, ENC_SLOT_REP, s->count, wanted + 64, &s->rep, s->c->err);
    if (s->status == ARMI_OK)
        s->capacity = wanted;
    return s->status == ARMI_OK;
}

/* `count` slots of one definition level; the first has its own repetition level. */
static bool levels_fill(struct shred *s, size_t count, unsigned def, unsigned first_rep,
                        unsigned rep)
{
    if (!levels_reserve(s, count))
        return false;
    memset(s->def + s->count, (int)def, count);
    memset(s->rep + s->count, (int)rep, count);
    if (count > 0)
        s->rep[s->count] = (uint8_t)first_rep;
    s->count += count;
    return true;
}

static bool span_add(struct shred *s, const struct armi_array *leaf, int64_t from,
                     int64_t count)
{
    if (s->span_count > 0) {
        struct span *last = &s->spans[s->span_count - 1];
        if (last->leaf == leaf && last->from + last->count == from) {
            last->count += count;
            return true;
        }
    }
    if (s->span_count == s->span_capacity) {
        size_t wanted = s->span_capacity > 0 ? 2 * s->span_capacity : 16384;
        s->status =
            enc_slot_grow(s->c->worker, ENC_SLOT_SPANS, s->span_count * sizeof *s->spans,
                          wanted * sizeof *s->spans, &s->spans, s->c->err);
        if (s->status != ARMI_OK)
            return false;
        s->span_capacity = wanted;
    }
    s->spans[s->span_count++] = (struct span){leaf, from, count};
    return true;
}

static bool null_refused(struct shred *s)
{
    s->status = enc_error(s->c, ARMI_CONSTRAINT, s->row,
                          "a null where the type says that there is none");
    return false;
}

/* ---- a run of slots whose parents are all there ---- */

static bool run_add(struct shred *s, size_t step, const struct armi_array *a, int64_t from,
                    int64_t count, unsigned first_rep, unsigned rep);

static bool leaf_add(struct shred *s, const struct armi_pq_node *node,
                     const struct armi_array *a, int64_t from, int64_t count,
                     unsigned first_rep, unsigned rep)
{
    const uint8_t *bits;
    size_t bit_from, begin = s->count;
    s->status = enc_validity(s->c, a, from, count, &bits, &bit_from);
    if (s->status != ARMI_OK ||
        !levels_fill(s, (size_t)count, node->def_present, first_rep, rep))
        return false;
    for (int64_t i = 0; bits != NULL && i < count; i++) {
        if (armi_bit_get(bits, bit_from + (size_t)i))
            continue;
        if (!node->is_optional)
            return null_refused(s);
        s->def[begin + (size_t)i]--;
    }
    return span_add(s, a, from, count);
}

/* The leaf that lies below a list with nothing between that could be null, and which of its slots is
 * the list's item 0; NULL if something is between. */
static const struct armi_array *list_leaf(const struct shred *s, size_t step,
                                          const struct armi_array *list, int64_t *shift)
{
    const struct armi_array *a = &list->children[0];
    if (armi_layout_is_list_view(list->layout))
        return NULL;
    *shift = 0;
    for (step++; s->path[step]->shape == ARMI_PQ_SHAPE_STRUCT; step++) {
        if (a->validity != NULL)
            return NULL;
        *shift += a->offset;
        a = &a->children[s->child[step]];
    }
    return s->path[step]->shape == ARMI_PQ_SHAPE_LEAF ? a : NULL;
}

/* Levels of the items of slots [from, from + count); returns how many are null. */
static size_t slots_fill(struct shred *s, const struct armi_pq_node *list,
                         const struct armi_pq_node *leaf, const struct armi_array *a,
                         int64_t from, int64_t count, unsigned slot_rep,
                         const uint8_t *bits, size_t bit_from)
{
    uint8_t *def = s->def + s->count, *rep = s->rep + s->count;
    size_t at = 0, nulls = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t item, items;
        armi_array_list(a, from + i, &item, &items);
        rep[at] = (uint8_t)slot_rep;
        if (items == 0)
            def[at++] = list->def_present;
        for (int64_t k = 0; bits != NULL && k < items; k++) {
            bool is_null = !armi_bit_get(bits, bit_from++);
            def[at + (size_t)k] = (uint8_t)(leaf->def_present - is_null);
            nulls += is_null;
        }
        at += (size_t)items;
    }
    s->count += at;
    return nulls;
}

/* Items that are leaves lie one behind the other, so that all slots are written in one go. */
static bool list_leaf_add(struct shred *s, size_t step, const struct armi_array *a,
                          const struct armi_array *leaf, int64_t shift, int64_t from,
                          int64_t count, unsigned first_rep, unsigned rep)
{
    const struct armi_pq_node *list = s->path[step], *node = s->path[s->path_count - 1];
    const uint8_t *bits;
    size_t bit_from, begin = s->count;
    int64_t first, last, items;
    armi_array_list(a, from, &first, &items);
    armi_array_list(a, from + count - 1, &last, &items);
    int64_t total = last + items - first;
    s->status = enc_validity(s->c, leaf, first + shift, total, &bits, &bit_from);
    if (s->status != ARMI_OK || !levels_reserve(s, (size_t)total + (size_t)count))
        return false;
    memset(s->def + begin, node->def_present, (size_t)total + (size_t)count);
    memset(s->rep + begin, list->rep + 1, (size_t)total + (size_t)count);
    if (slots_fill(s, list, node, a, from, count, rep, bits, bit_from) > 0 &&
        !node->is_optional)
        return null_refused(s);
    s->rep[begin] = (uint8_t)first_rep;
    return total == 0 || span_add(s, leaf, first + shift, total);
}

/* Items of the present slots [from, from + count) of a list, one slot at a time. */
static bool list_add(struct shred *s, size_t step, const struct armi_array *a, int64_t from,
                     int64_t count, unsigned first_rep, unsigned rep)
{
    const struct armi_pq_node *node = s->path[step];
    int64_t shift;
    const struct armi_array *leaf = list_leaf(s, step, a, &shift);
    if (leaf != NULL && count > 0)
        return list_leaf_add(s, step, a, leaf, shift, from, count, first_rep, rep);
    for (int64_t i = 0; i < count; i++) {
        int64_t item, items;
        armi_array_list(a, from + i, &item, &items);
        unsigned own_rep = i == 0 ? first_rep : rep;
        bool ok = items == 0 ? levels_fill(s, 1, node->def_present, own_rep, own_rep)
                             : run_add(s, step + 1, &a->children[0], item, items, own_rep,
                                       node->rep + 1u);
        if (!ok)
            return false;
    }
    return true;
}

static bool present_add(struct shred *s, size_t step, const struct armi_array *a,
                        int64_t from, int64_t count, unsigned first_rep, unsigned rep)
{
    if (s->path[step]->shape == ARMI_PQ_SHAPE_STRUCT)
        return run_add(s, step + 1, &a->children[s->child[step]], a->offset + from, count,
                       first_rep, rep);
    return list_add(s, step, a, from, count, first_rep, rep);
}

static bool run_add(struct shred *s, size_t step, const struct armi_array *a, int64_t from,
                    int64_t count, unsigned first_rep, unsigned rep)
{
    const struct armi_pq_node *node = s->path[step];
    if (node->shape == ARMI_PQ_SHAPE_LEAF)
        return leaf_add(s, node, a, from, count, first_rep, rep);
    if (a->validity == NULL)
        return present_add(s, step, a, from, count, first_rep, rep);
    for (int64_t i = 0; i < count;) {
        size_t bit = (size_t)(a->offset + from + i);
        bool valid = armi_bit_get(a->validity, bit);
        int64_t n = (int64_t)armi_bitmap_run(a->validity, bit, (size_t)(count - i));
        unsigned head = i == 0 ? first_rep : rep;
        if (!valid && !node->is_optional)
            return null_refused(s);
        bool ok = valid ? present_add(s, step, a, from + i, n, head, rep)
                        : levels_fill(s, (size_t)n, node->def_present - 1u, head, rep);
        if (!ok)
            return false;
        i += n;
    }
    return true;
}

/* ---- pages ---- */

static enum armi_status spans_gather(struct shred *s, struct enc_gather *g)
{
    for (size_t i = 0; i < s->span_count; i++) {
        const struct span *span = &s->spans[i];
        const uint8_t *bits;
        size_t bit_from;
        int64_t taken;
        ARMI_TRY(enc_validity(s->c, span->leaf, span->from, span->count, &bits, &bit_from));
        ARMI_TRY(enc_gather_add(g, span->leaf, span->from, span->count, bits, bit_from,
                                UINT64_MAX, &taken));
    }
    return ARMI_OK;
}

/* How many more rows may come, judged by those so far. */
static int64_t rows_next(const struct shred *s, const struct enc_gather *g, int64_t rows,
                         size_t slots_max, uint64_t byte_limit)
{
    if (rows == 0)
        return s->c->leaf->max_rep > 0 || s->c->leaf->convert == ARMI_PQ_BYTES
                   ? 16
                   : (int64_t)slots_max;
    if (s->count >= slots_max || g->values.bytes >= byte_limit)
        return 0;
    double by_slots = (double)(slots_max - s->count) * (double)rows / (double)s->count;
    double by_bytes = g->values.bytes == 0 ? by_slots
                                           : (double)(byte_limit - g->values.bytes) *
                                                 (double)rows / (double)g->values.bytes;
    double n = by_slots < by_bytes ? by_slots : by_bytes;
    double twice = 2 * (double)rows; /* so that one odd row does not decide */
    n = n < twice ? n : twice;
    return n < 1 ? 1 : (int64_t)n;
}

static int64_t nulls_count(const struct shred *s)
{
    size_t present =
        armi_pq_kernels()->count8(s->def, s->count, (uint8_t)s->c->leaf->max_def);
    return (int64_t)(s->count - present);
}

enum armi_status enc_batch_nested(struct enc_column *c, struct enc_cursor *cursor,
                                  int64_t end, size_t rows_max, uint64_t byte_limit,
                                  struct enc_batch *out)
{
    struct shred s = {.c = c, .status = ARMI_OK};
    struct enc_gather g;
    int64_t begin = cursor->position;
    path_find(&s);
    ARMI_TRY(enc_gather_begin(&g, c, ENC_PAGE_ROWS));
    /* What is estimated is taken whole, over as many pieces as it takes, before the next estimate: a page's
     * end must not tell how the input is cut. */
    for (int64_t left = 0; cursor->position < end;) {
        const struct armi_array *piece = &c->pieces->pieces[cursor->piece];
        if (left == 0)
            left = rows_next(&s, &g, cursor->position - begin, rows_max, byte_limit);
        if (left == 0)
            break;
        left = left < end - cursor->position ? left : end - cursor->position;
        int64_t n = left < piece->length - cursor->row ? left : piece->length - cursor->row;
        s.span_count = 0; /* the spans of earlier steps are gathered */
        s.row = g.row = cursor->position;
        if (n > 0 && !run_add(&s, 0, piece, cursor->row, n, 0, 0))
            return s.status;
        ARMI_TRY(spans_gather(&s, &g));
        left -= n;
        cursor->position += n;
        cursor->row += n;
        if (cursor->row == piece->length) {
            cursor->piece++;
            cursor->row = 0;
        }
    }
    *out = (struct enc_batch){
        .values = g.values,
        .rows = cursor->position - begin,
        .value_count = (int64_t)s.count,
        .null_count = nulls_count(&s),
        .def = s.def,
        .rep = s.rep,
    };
    return ARMI_OK;
}
