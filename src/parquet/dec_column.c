#include "parquet/dec_column.h"

#include <string.h>

#include "arrow/field.h"
#include "base/alloc.h"
#include "base/bits.h"
#include "base/checked.h"
#include "base/limits.h"
#include "parquet/dec_convert.h"
#include "parquet/dec_levels.h"
#include "parquet/dec_rle.h"
#include "parquet/parquet_dispatch.h"

void armi_pq_leaf_data_release(struct armi_pq_leaf_data *data)
{
    armi_pq_sink_release(&data->sink);
    armi_pq_sink_release(&data->dictionary);
    armi_free(data->levels.def);
    armi_free(data->levels.rep);
    data->levels = (struct armi_pq_levels){0};
}

/* The step whose null fixed-size list makes padding of an entry of that level, or step_count. */
static unsigned pad_step(const struct armi_pq_leaf_shape *shape, uint8_t def)
{
    unsigned k = 0;
    while (k < shape->step_count && def >= shape->steps[k].def_item)
        k++;
    if (k < shape->step_count && shape->steps[k].fixed_width > 0 &&
        def + 1 < shape->steps[k].def_item)
        return k;
    return shape->step_count;
}

/* How many slots a null fixed-size list at step k stands for: it and the fixed lists right in it. */
static uint64_t pad_count(const struct armi_pq_leaf_shape *shape, unsigned k,
                          unsigned *out_deepest)
{
    uint64_t n = 1;
    for (; k < shape->step_count && shape->steps[k].fixed_width > 0 && n < UINT32_MAX; k++)
        n *= (uint64_t)shape->steps[k].fixed_width;
    *out_deepest = k - 1;
    return n;
}

static void shape_exists(struct armi_pq_leaf_shape *shape)
{
    for (unsigned def = 0; def < ARMI_PQ_LEVEL_PAD; def++) {
        unsigned deepest, k = pad_step(shape, (uint8_t)def);
        shape->exists[def] = (uint8_t)def;
        shape->exists[def | ARMI_PQ_LEVEL_PAD] = (uint8_t)def;
        if (k < shape->step_count) {
            pad_count(shape, k, &deepest);
            shape->exists[def | ARMI_PQ_LEVEL_PAD] = shape->steps[deepest].def_item;
        }
    }
}

enum armi_status armi_pq_leaf_shape_init(const struct armi_pq_schema *schema, uint32_t leaf,
                                         struct armi_pq_leaf_shape *out,
                                         struct armi_error *err)
{
    const struct armi_pq_leaf *l = &schema->leaves[leaf];
    memset(out, 0, sizeof *out);
    if (l->max_def >= ARMI_PQ_LEVEL_PAD || l->max_rep > ARMI_NESTING_MAX)
        return armi_error_set(err, ARMI_LIMIT, "lists and structs are nested too deeply");
    out->step_count = (uint8_t)l->max_rep;
    out->keeps_levels = l->max_rep > 0 || l->max_def > 1;
    out->is_dictionary = l->field->type == ARMI_TYPE_DICTIONARY;
    for (uint32_t n = l->node; n != schema->nodes[n].parent; n = schema->nodes[n].parent) {
        const struct armi_pq_node *node = &schema->nodes[n];
        out->keeps_levels |= node->shape != ARMI_PQ_SHAPE_LEAF && node->is_optional;
        if (node->shape != ARMI_PQ_SHAPE_LIST && node->shape != ARMI_PQ_SHAPE_MAP)
            continue;
        struct armi_pq_step *step = &out->steps[node->rep];
        step->def_item = (uint8_t)node->def_item;
        step->fixed_width =
            node->field->type == ARMI_TYPE_FIXED_LIST ? node->field->width : -1;
        out->has_fixed_list |= step->fixed_width >= 0;
        if (node->def_item > out->slot_def)
            out->slot_def = (uint8_t)node->def_item;
    }
    shape_exists(out);
    return ARMI_OK;
}

/* ---- levels that are kept ---- */

/* `expected` entries may follow in all, by the footer: taken at once where that is no leap. */
static enum armi_status levels_reserve(struct armi_pq_leaf_data *data, bool with_rep,
                                       size_t extra, size_t expected,
                                       struct armi_error *err)
{
    struct armi_pq_levels *levels = &data->levels;
    size_t need, want, unit = with_rep ? 2 : 1;
    if (!armi_size_add(levels->count, extra, &need))
        return armi_error_set(err, ARMI_LIMIT, "a column has too many levels");
    if (need <= levels->capacity)
        return ARMI_OK;
    if (!armi_size_add(levels->count, expected, &want) || want < need ||
        (want > ARMI_BATCH_BYTES && want / 16 > levels->count))
        want = levels->count == 0 ? need : need + need / 2;
    ARMI_TRY(armi_pq_budget_take(data->budget, unit * (want - levels->capacity), err));
    uint8_t *def = armi_alloc(want + ARMI_PQ_SLACK);
    uint8_t *rep = with_rep ? armi_alloc(want + ARMI_PQ_SLACK) : NULL;
    if (def == NULL || (with_rep && rep == NULL)) {
        armi_free(def);
        armi_free(rep);
        return armi_error_no_memory(err);
    }
    if (levels->count > 0) {
        memcpy(def, levels->def, levels->count);
        if (with_rep)
            memcpy(rep, levels->rep, levels->count);
    }
    armi_free(levels->def);
    armi_free(levels->rep);
    levels->def = def;
    levels->rep = rep;
    levels->capacity = want;
    return ARMI_OK;
}

/* Repetition level of slot `i` of a run of padding: the innermost list that goes on there. */
static uint8_t pad_rep(const struct armi_pq_leaf_shape *shape, unsigned k, unsigned deepest,
                       uint64_t i)
{
    unsigned level = deepest + 1;
    for (unsigned s = deepest; s > k && i % (uint64_t)shape->steps[s].fixed_width == 0;
         s--) {
        i /= (uint64_t)shape->steps[s].fixed_width;
        level--;
    }
    return (uint8_t)level;
}

/* Appends entries [0, count) to the kept levels; null fixed-size lists get the slots that Arrow
 * wants them to have. */
static enum armi_status levels_append_fixed(const struct armi_pq_leaf_shape *shape,
                                            struct armi_pq_leaf_data *data,
                                            const uint8_t *rep, const uint8_t *def,
                                            size_t count, size_t expected,
                                            struct armi_error *err)
{
    struct armi_pq_levels *levels = &data->levels;
    for (size_t e = 0; e < count; e++) {
        unsigned deepest = 0, k = pad_step(shape, def[e]);
        uint64_t pad = 0;
        if (k < shape->step_count)
            pad = pad_count(shape, k, &deepest);
        if (pad > UINT32_MAX)
            return armi_error_set(err, ARMI_LIMIT, "a null fixed-size list of %llu items",
                                  (unsigned long long)pad);
        ARMI_TRY(levels_reserve(data, true, pad > 0 ? (size_t)pad : 1,
                                expected > e ? expected - e : 1, err));
        if (pad == 0) {
            levels->def[levels->count] = def[e];
            levels->rep[levels->count++] = rep[e];
        }
        for (uint64_t i = 0; i < pad; i++) {
            levels->def[levels->count] = ARMI_PQ_LEVEL_PAD | def[e];
            levels->rep[levels->count++] = i == 0 ? rep[e] : pad_rep(shape, k, deepest, i);
        }
    }
    return ARMI_OK;
}

static enum armi_status levels_append(const struct armi_pq_leaf_shape *shape,
                                      struct armi_pq_leaf_data *data, const uint8_t *rep,
                                      const uint8_t *def, size_t count, size_t expected,
                                      struct armi_error *err)
{
    if (shape->has_fixed_list)
        return levels_append_fixed(shape, data, rep, def, count, expected, err);
    ARMI_TRY(levels_reserve(data, rep != NULL, count, expected, err));
    if (count == 0)
        return ARMI_OK;
    memcpy(data->levels.def + data->levels.count, def, count);
    if (rep != NULL)
        memcpy(data->levels.rep + data->levels.count, rep, count);
    data->levels.count += count;
    return ARMI_OK;
}

/* ---- values into the sink ---- */

struct reader {
    struct armi_pq_chunk *chunk;
    const struct armi_pq_leaf_shape *shape;
    struct armi_pq_worker *worker;
    struct armi_pq_leaf_data *out;
    int64_t row_from, row_end;
    bool zero_copy;
    bool done;
};

/* Appends the chunk's dictionary to the result's, which may hold others' values already. */
static enum armi_status dictionary_append(struct armi_pq_sink *to,
                                          const struct armi_pq_sink *from,
                                          struct armi_error *err)
{
    ARMI_TRY(armi_pq_sink_reserve(to, from->length, from->length, err));
    if (from->kind == ARMI_PQ_SINK_FIXED) {
        if (from->length > 0 && from->width > 0)
            memcpy(to->values + to->length * to->width, from->values,
                   from->length * from->width);
    } else {
        ARMI_TRY(armi_pq_sink_reserve_data(to, from->data_size, from->length, err));
        if (to->kind == ARMI_PQ_SINK_BYTES32 && to->data_size + from->data_size > INT32_MAX)
            return armi_error_set(err, ARMI_LIMIT, "a dictionary of over 2 GiB of text");
        if (from->data_size > 0)
            memcpy(to->data + to->data_size, from->data, from->data_size);
        for (size_t i = 1; i <= from->length; i++) {
            uint64_t at = to->data_size + armi_load32(from->values + 4 * i);
            if (to->kind == ARMI_PQ_SINK_BYTES32)
                armi_store32(to->values + 4 * (to->length + i), (uint32_t)at);
            else
                armi_store64(to->values + 8 * (to->length + i), at);
        }
        to->data_size += from->data_size;
    }
    armi_pq_sink_close_page(to, from->length, from->length);
    return ARMI_OK;
}

/* A dictionary array: indices where the page has them, else its values join the dictionary. */
static enum armi_status put_indices(const struct reader *r, int encoding,
                                    const struct armi_pq_span *span, struct armi_error *err)
{
    struct armi_pq_chunk *chunk = r->chunk;
    struct armi_pq_sink *dictionary = &r->out->dictionary, *sink = &r->out->sink;
    if (encoding == ARMI_PQ_RLE_DICTIONARY || encoding == ARMI_PQ_PLAIN_DICTIONARY) {
        if (span->count > 0 && !chunk->dictionary.is_set)
            return armi_error_set(err, ARMI_CORRUPTION, "indices without a dictionary");
        return armi_pq_indices_read(span, chunk->dictionary.values.length, 0, sink, err);
    }
    size_t base = dictionary->length;
    if (base > UINT32_MAX || span->count > UINT32_MAX - base)
        return armi_error_set(err, ARMI_LIMIT, "a dictionary of over 2^32 values");
    ARMI_TRY(armi_pq_sink_reserve(dictionary, span->count, span->count, err));
    ARMI_TRY(armi_pq_values_read(chunk->leaf, encoding, span, NULL, !chunk->no_utf8_check,
                                 dictionary, &r->worker->scratch, err));
    armi_pq_sink_close_page(dictionary, span->count, span->count);
    r->out->has_repeats |= dictionary->length > 1;
    for (size_t i = 0; i < span->count; i++)
        armi_store32(sink->values + 4 * (sink->length + i), (uint32_t)(base + i));
    return ARMI_OK;
}

static enum armi_status put_values(const struct reader *r, int encoding,
                                   const struct armi_pq_span *span, struct armi_error *err)
{
    if (r->shape->is_dictionary)
        return put_indices(r, encoding, span, err);
    return armi_pq_values_read(r->chunk->leaf, encoding, span, &r->chunk->dictionary,
                               !r->chunk->no_utf8_check, &r->out->sink, &r->worker->scratch,
                               err);
}

/* Of a column with lists, the span's share of the values that the footer says the chunk has. */
static uint64_t span_values(const struct reader *r)
{
    const struct armi_pq_chunk *chunk = r->chunk;
    uint64_t rows = (uint64_t)(r->row_end - r->row_from);
    double values = (double)chunk->meta->meta.value_count, all = (double)chunk->row_count;
    if (chunk->leaf->max_rep == 0 || rows == 0)
        return rows;
    if ((int64_t)rows == chunk->row_count)
        return (uint64_t)chunk->meta->meta.value_count;
    double share = 1.02 * values * ((double)rows / (all > 0 ? all : 1));
    return share < (double)UINT32_MAX ? (uint64_t)share : UINT32_MAX;
}

/* How many may still come, `count` of them now and `done` before: a wish, not a need. */
static size_t expected_more(const struct reader *r, size_t done, size_t count)
{
    uint64_t all = span_values(r), left = all > done ? all - done : 0;
    return left > count && left <= SIZE_MAX ? (size_t)left : count;
}

static size_t expected_slots(const struct reader *r, size_t slots)
{
    return expected_more(r, r->out->sink.length, slots);
}

/* ---- a page without kept levels: at most one optional step, no list ---- */

/* Whether the page's values can be handed out where they lie. */
static bool can_borrow(const struct reader *r, const struct armi_pq_page_parts *parts,
                       const struct armi_slice *bytes, size_t at, size_t count)
{
    const struct armi_pq_chunk *chunk = r->chunk;
    size_t width = r->out->sink.width;
    if (!r->zero_copy || !chunk->is_mapped || parts->encoding != ARMI_PQ_PLAIN ||
        r->out->sink.kind != ARMI_PQ_SINK_FIXED || r->shape->is_dictionary || width == 0 ||
        !armi_pq_convert_is_copy(chunk->leaf) || r->out->sink.length != 0 ||
        (int64_t)count != r->row_end - r->row_from)
        return false;
    const uint8_t *mapped = chunk->bytes.data;
    if (bytes->data < mapped || bytes->data > mapped + chunk->bytes.size)
        return false; /* decompressed into scratch */
    size_t align = width % 8 == 0 ? 8 : width % 4 == 0 ? 4 : width % 2 == 0 ? 2 : 1;
    return (uintptr_t)(parts->values.data + at * width) % align == 0;
}

/*
 * Definition levels of entries [at, at + count) to validity bits behind the sink's last slot.
 * *out_span: which of the page's values they are. Of a page read in part all levels are counted,
 * since only they tell how many values it has; a run of any length costs one step.
 */
static enum armi_status flat_validity(const struct reader *r,
                                      const struct armi_pq_page_parts *parts, size_t at,
                                      size_t count, struct armi_pq_span *out_span,
                                      struct armi_error *err)
{
    struct armi_pq_sink *sink = &r->out->sink;
    struct armi_pq_rle rle;
    ARMI_TRY(armi_pq_rle_init(&rle, parts->def, 1, err));
    ARMI_TRY(armi_pq_rle_next(&rle, err));
    if (!rle.is_packed && rle.value == 1 && rle.left >= parts->count) {
        *out_span = (struct armi_pq_span){parts->values, parts->count, at, count};
        return ARMI_OK;
    }
    ARMI_TRY(armi_pq_sink_need_validity(sink, err));
    if (count == parts->count) {
        ARMI_TRY(armi_pq_rle_read_bits(&rle, sink->validity, sink->length, count,
                                       &out_span->total, err));
        *out_span =
            (struct armi_pq_span){parts->values, out_span->total, 0, out_span->total};
        return ARMI_OK;
    }
    size_t before, within, after;
    ARMI_TRY(armi_pq_rle_read_bits(&rle, NULL, 0, at, &before, err));
    ARMI_TRY(
        armi_pq_rle_read_bits(&rle, sink->validity, sink->length, count, &within, err));
    ARMI_TRY(armi_pq_rle_read_bits(&rle, NULL, 0, parts->count - at - count, &after, err));
    *out_span =
        (struct armi_pq_span){parts->values, before + within + after, before, within};
    return ARMI_OK;
}

/* Whether the levels are one run that says: no nulls. */
static bool is_all_valid(const struct armi_pq_page_parts *parts)
{
    struct armi_pq_rle rle;
    return parts->def_encoding == ARMI_PQ_RLE &&
           armi_pq_rle_init(&rle, parts->def, 1, NULL) == ARMI_OK &&
           armi_pq_rle_next(&rle, NULL) == ARMI_OK && !rle.is_packed && rle.value == 1 &&
           rle.left >= parts->count;
}

static enum armi_status flat_page(const struct reader *r,
                                  const struct armi_pq_page_parts *parts,
                                  const struct armi_slice *bytes, size_t at, size_t count,
                                  struct armi_error *err)
{
    const struct armi_pq_leaf *leaf = r->chunk->leaf;
    struct armi_pq_sink *sink = &r->out->sink;
    struct armi_pq_span span = {parts->values, parts->count, at, count};
    bool bit_packed = parts->def_encoding == ARMI_PQ_BIT_PACKED;
    uint8_t *levels = NULL;
    if (count == 0)
        return ARMI_OK;
    if (sink->kind != ARMI_PQ_SINK_NONE && can_borrow(r, parts, bytes, at, count) &&
        (leaf->max_def == 0 || is_all_valid(parts)) &&
        parts->count <= parts->values.size / sink->width) {
        r->out->borrowed = parts->values.data + at * sink->width;
        sink->length = count;
        return ARMI_OK;
    }
    ARMI_TRY(armi_pq_sink_reserve(sink, count, expected_slots(r, count), err));
    if (leaf->max_def == 1 && !bit_packed) {
        ARMI_TRY(flat_validity(r, parts, at, count, &span, err));
    } else if (leaf->max_def == 1) {
        ARMI_TRY(armi_pq_sink_need_validity(sink, err));
        ARMI_TRY(
            armi_pq_scratch_need(&r->worker->scratch.levels, parts->count, &levels, err));
        ARMI_TRY(armi_pq_levels_read(parts->def, parts->def_encoding, 1, levels,
                                     parts->count, err));
        armi_pq_levels_at_least(levels + at, count, 1, sink->validity, sink->length);
        span.total = armi_pq_levels_count_equal(levels, parts->count, 1);
        span.skip = armi_pq_levels_count_equal(levels, at, 1);
        span.count = armi_pq_levels_count_equal(levels + at, count, 1);
    }
    ARMI_TRY(put_values(r, parts->encoding, &span, err));
    armi_pq_sink_close_page(sink, count, span.count);
    return ARMI_OK;
}

/* ---- a page whose levels are kept ---- */

/* The leaf's slots among kept entries [from, levels.count): their validity, and how many. */
static size_t slot_bits(const struct armi_pq_leaf_data *data,
                        const struct armi_pq_leaf_shape *shape, size_t from,
                        unsigned max_def, uint8_t *bits, size_t at)
{
    const struct armi_pq_kernels *kernels = armi_pq_kernels();
    const uint8_t *def = data->levels.def;
    size_t slots = 0, i = from;
    for (; !shape->has_fixed_list && i + 64 <= data->levels.count; i += 64) {
        uint64_t mask = kernels->at_least64(def + i, shape->slot_def);
        unsigned n = armi_popcount64(mask);
        if (bits != NULL)
            armi_pq_bits_put(
                bits, at + slots,
                kernels->compact64(kernels->at_least64(def + i, max_def), mask), n);
        slots += n;
    }
    for (; i < data->levels.count; i++) {
        if (shape->exists[def[i]] < shape->slot_def)
            continue;
        if (def[i] == max_def && bits != NULL)
            armi_bit_set(bits, at + slots);
        slots++;
    }
    return slots;
}

static enum armi_status nested_values(const struct reader *r,
                                      const struct armi_pq_page_parts *parts,
                                      struct armi_pq_span span, size_t from,
                                      struct armi_error *err)
{
    struct armi_pq_sink *sink = &r->out->sink;
    const struct armi_pq_leaf *leaf = r->chunk->leaf;
    size_t entries = r->out->levels.count - from;
    size_t slots = entries;
    bool all_slots = r->shape->step_count == 0;
    if (!all_slots)
        slots = slot_bits(r->out, r->shape, from, leaf->max_def, NULL, 0);
    ARMI_TRY(armi_pq_sink_reserve(sink, slots, expected_slots(r, slots), err));
    if (span.count != slots) {
        ARMI_TRY(armi_pq_sink_need_validity(sink, err));
        if (all_slots)
            armi_pq_levels_at_least(r->out->levels.def + from, entries, leaf->max_def,
                                    sink->validity, sink->length);
        else
            slot_bits(r->out, r->shape, from, leaf->max_def, sink->validity, sink->length);
    }
    ARMI_TRY(put_values(r, parts->encoding, &span, err));
    armi_pq_sink_close_page(sink, slots, span.count);
    return ARMI_OK;
}

/* Which entries of the page belong to the span: [*out_at, *out_end). */
static enum armi_status nested_range(struct reader *r, const uint8_t *rep, size_t count,
                                     size_t *out_at, size_t *out_end,
                                     struct armi_error *err)
{
    const struct armi_pq_chunk *chunk = r->chunk;
    bool is_first = chunk->rows == 0;
    *out_at = 0;
    if (count > 0 && rep[0] != 0 && is_first)
        return armi_error_set(err, ARMI_CORRUPTION, "the first row begins inside a list");
    if (r->row_from >= chunk->rows)
        *out_at =
            armi_pq_levels_find_zero(rep, count, (uint64_t)(r->row_from - chunk->rows));
    *out_end = armi_pq_levels_find_zero(rep, count, (uint64_t)(r->row_end - chunk->rows));
    return ARMI_OK;
}

static enum armi_status nested_page(struct reader *r,
                                    const struct armi_pq_page_parts *parts,
                                    int64_t *out_rows, bool *out_all,
                                    struct armi_error *err)
{
    const struct armi_pq_leaf *leaf = r->chunk->leaf;
    size_t n = parts->count, at = 0, end = n, from = r->out->levels.count;
    uint8_t *rep, *def;
    if (r->out->budget != NULL && n > r->out->budget->max / 2)
        return armi_error_set(err, ARMI_LIMIT, "a page of %zu values is beyond max_bytes",
                              n);
    ARMI_TRY(armi_pq_scratch_need(&r->worker->scratch.levels, 2 * n, &rep, err));
    def = rep + n;
    if (leaf->max_def > 0)
        ARMI_TRY(armi_pq_levels_read(parts->def, parts->def_encoding, leaf->max_def, def, n,
                                     err));
    else
        memset(def, 0, n);
    if (leaf->max_rep > 0) {
        ARMI_TRY(armi_pq_levels_read(parts->rep, parts->rep_encoding, leaf->max_rep, rep, n,
                                     err));
        *out_rows = (int64_t)armi_pq_levels_count_equal(rep, n, 0);
        ARMI_TRY(nested_range(r, rep, n, &at, &end, err));
    } else {
        *out_rows = (int64_t)n;
        if (r->row_from > r->chunk->rows)
            at = (size_t)(r->row_from - r->chunk->rows);
        if (r->row_end < r->chunk->rows + (int64_t)n)
            end = (size_t)(r->row_end - r->chunk->rows);
    }
    *out_all = end == n;
    if (at >= end)
        return ARMI_OK;
    struct armi_pq_span span = {
        parts->values, armi_pq_levels_count_equal(def, n, leaf->max_def),
        armi_pq_levels_count_equal(def, at, leaf->max_def),
        armi_pq_levels_count_equal(def + at, end - at, leaf->max_def)};
    ARMI_TRY(levels_append(r->shape, r->out, leaf->max_rep > 0 ? rep + at : NULL, def + at,
                           end - at, expected_more(r, from, end - at), err));
    return nested_values(r, parts, span, from, err);
}

/* ---- the loop over pages ---- */

static int32_t page_values(const struct armi_pq_page_header *h)
{
    return h->type == ARMI_PQ_DATA_PAGE_V2 ? h->data_v2.value_count : h->data.value_count;
}

static enum armi_status check_page(const struct reader *r, const struct armi_pq_page *page,
                                   struct armi_error *err)
{
    const struct armi_pq_chunk *chunk = r->chunk;
    bool is_v2 = page->header.type == ARMI_PQ_DATA_PAGE_V2;
    int64_t count = page_values(&page->header);
    if (!ARMI_PQ_HAS(&page->header, is_v2 ? 8 : 5))
        return armi_error_set(err, ARMI_CORRUPTION,
                              "the page's header is not that of its type");
    int64_t left = chunk->values >= 0 ? chunk->meta->meta.value_count - chunk->values
                                      : chunk->meta->meta.value_count;
    if (count < 0 || count > left)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "the page has %lld values where the chunk has %lld left",
                              (long long)count, (long long)left);
    return ARMI_OK;
}

/* A page is taken apart whole, also for one row: so it counts against the limit, if a small limit does
 * not make all pages too large. */
static enum armi_status check_page_size(const struct reader *r,
                                        const struct armi_pq_page *page,
                                        struct armi_error *err)
{
    struct armi_pq_budget *budget = r->out->budget;
    uint64_t size = (uint64_t)page->header.uncompressed_size;
    if (budget == NULL || size <= ARMI_BATCH_BYTES || size <= budget->max)
        return ARMI_OK;
    atomic_store(&budget->was_hit, true);
    return armi_error_set(err, ARMI_LIMIT, "a page of %llu bytes is beyond max_bytes",
                          (unsigned long long)size);
}

/* Flat pages before the span need not be looked into; of V2 the header tells the rows. */
static bool is_before(const struct reader *r, const struct armi_pq_page *page,
                      int64_t *out_rows)
{
    const struct armi_pq_chunk *chunk = r->chunk;
    bool is_v2 = page->header.type == ARMI_PQ_DATA_PAGE_V2;
    if (chunk->leaf->max_rep == 0)
        *out_rows = page_values(&page->header);
    else if (is_v2 && page->header.data_v2.row_count > 0)
        *out_rows = page->header.data_v2.row_count;
    else
        return false;
    return chunk->rows + *out_rows <= r->row_from;
}

static enum armi_status read_page(struct reader *r, const struct armi_pq_page *page,
                                  struct armi_error *err)
{
    struct armi_pq_chunk *chunk = r->chunk;
    struct armi_slice bytes;
    struct armi_pq_page_parts parts;
    int64_t rows = 0;
    bool all = true;
    ARMI_TRY(check_page(r, page, err));
    if (!is_before(r, page, &rows)) {
        ARMI_TRY(check_page_size(r, page, err));
        ARMI_TRY(armi_pq_chunk_inflate(chunk, page, r->worker, &bytes, err));
        ARMI_TRY(armi_pq_page_split(&page->header, chunk->leaf, bytes, &parts, err));
        if (r->shape->keeps_levels) {
            ARMI_TRY(nested_page(r, &parts, &rows, &all, err));
        } else {
            rows = (int64_t)parts.count;
            int64_t at = r->row_from > chunk->rows ? r->row_from - chunk->rows : 0;
            int64_t end = r->row_end - chunk->rows < rows ? r->row_end - chunk->rows : rows;
            all = end == rows;
            ARMI_TRY(flat_page(r, &parts, &bytes, (size_t)at, (size_t)(end - at), err));
        }
    }
    if (!all && r->row_end >= chunk->row_count)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "more rows than the %lld of the row group",
                              (long long)chunk->row_count);
    if (!all) { /* the next span begins in this page */
        r->done = true;
        return ARMI_OK;
    }
    chunk->at = page->next;
    chunk->page++;
    chunk->rows += rows;
    if (chunk->values >= 0)
        chunk->values += page_values(&page->header);
    return ARMI_OK;
}

/* Whether the span is complete. In lists a V1 page may go on with the last page's last row. */
static bool is_complete(const struct reader *r)
{
    const struct armi_pq_chunk *chunk = r->chunk;
    if (r->done)
        return true;
    if (chunk->rows < r->row_end)
        return false;
    return chunk->leaf->max_rep == 0 || chunk->values == chunk->meta->meta.value_count;
}

static enum armi_status read_pages(struct reader *r, struct armi_error *err)
{
    struct armi_pq_chunk *chunk = r->chunk;
    while (!is_complete(r)) {
        struct armi_pq_page page;
        bool found;
        ARMI_TRY(armi_pq_chunk_page(chunk, &page, &found, err));
        if (found) {
            ARMI_TRY(read_page(r, &page, err));
        } else if (chunk->rows >= r->row_end) {
            break; /* pages that the offset index named end with a row */
        } else {
            return armi_error_set(err, ARMI_CORRUPTION,
                                  "the column ends after %lld of %lld rows",
                                  (long long)chunk->rows, (long long)r->row_end);
        }
    }
    if (chunk->rows > chunk->row_count)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "%lld rows where the row group has %lld",
                              (long long)chunk->rows, (long long)chunk->row_count);
    return ARMI_OK;
}

enum armi_status armi_pq_column_read(struct armi_pq_chunk *chunk,
                                     const struct armi_pq_leaf_shape *shape,
                                     int64_t row_from, int64_t row_count, bool is_partial,
                                     bool zero_copy, struct armi_pq_budget *budget,
                                     struct armi_pq_worker *worker,
                                     struct armi_pq_leaf_data *out, struct armi_error *err)
{
    struct reader r = {.chunk = chunk,
                       .shape = shape,
                       .worker = worker,
                       .out = out,
                       .row_from = row_from,
                       .row_end = row_from + row_count,
                       .zero_copy = zero_copy};
    out->budget = budget;
    armi_pq_values_sink(chunk->leaf, budget, &out->sink);
    if (shape->is_dictionary) {
        out->dictionary = out->sink;
        armi_pq_sink_init(&out->sink, ARMI_PQ_SINK_FIXED, 4, budget);
    }
    enum armi_status status =
        armi_pq_chunk_seek(chunk, row_from, row_count, is_partial, budget, worker, err);
    if (status == ARMI_OK && shape->is_dictionary && chunk->dictionary.is_set &&
        row_count > 0)
        status = dictionary_append(&out->dictionary, &chunk->dictionary.values, err);
    if (status == ARMI_OK)
        status = armi_pq_sink_reserve(&out->sink, 0, 0, err);
    if (status == ARMI_OK && row_count > 0)
        status = read_pages(&r, err);
    armi_pq_chunk_drop(chunk);
    if (status != ARMI_OK && chunk->page >= 0 && chunk->is_open)
        status = armi_error_prefix(err, status, "page %lld", (long long)chunk->page);
    return status;
}
