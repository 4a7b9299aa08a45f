#include "parquet/dec_structure.h"

#include <string.h>

#include "arrow/array.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "parquet/parquet_dispatch.h"

#define LEVEL_MAX 0x7f /* what the kernels compare */

/* ---- the shape of a leaf ---- */

static bool node_is_list(const struct armi_pq_node *node)
{
    return node->shape == ARMI_PQ_SHAPE_LIST || node->shape == ARMI_PQ_SHAPE_MAP;
}

static uint32_t steps_count(const struct armi_pq_schema *schema, uint32_t leaf_node)
{
    uint32_t count = 0;
    for (uint32_t n = schema->nodes[leaf_node].parent; n != schema->nodes[n].parent;
         n = schema->nodes[n].parent)
        count++;
    return count;
}

static void step_fill(const struct armi_pq_schema *schema, uint32_t leaf, uint32_t node,
                      struct armi_pq_step *step)
{
    const struct armi_pq_node *n = &schema->nodes[node];
    *step = (struct armi_pq_step){
        .node = node,
        .fixed_width = n->field->type == ARMI_TYPE_FIXED_LIST ? n->field->width : -1,
        .rep = (uint8_t)n->rep,
        .def_present = (uint8_t)n->def_present,
        .def_item = (uint8_t)n->def_item,
        .is_list = node_is_list(n),
        .is_optional = n->is_optional,
        .is_wide = armi_layout_is_wide(armi_type_layout(n->field->type)),
        .is_first = n->leaf_first == leaf,
        .is_compared = n->leaf_count > 1,
    };
}

static enum armi_status steps_make(const struct armi_pq_schema *schema, uint32_t leaf,
                                   struct armi_pq_leaf_shape *out, struct armi_error *err)
{
    const struct armi_pq_leaf *l = &schema->leaves[leaf];
    uint32_t count = steps_count(schema, l->node);
    if (count > UINT8_MAX)
        return armi_error_set(err, ARMI_LIMIT, "lists and structs are nested too deeply");
    out->steps = armi_alloc_zero((size_t)count + 1, sizeof *out->steps);
    if (out->steps == NULL)
        return armi_error_no_memory(err);
    out->step_count = (uint8_t)count;
    for (uint32_t n = schema->nodes[l->node].parent; count > 0; n = schema->nodes[n].parent)
        step_fill(schema, leaf, n, &out->steps[--count]);
    for (uint32_t k = 0; k < out->step_count; k++) {
        out->steps[k].slot_def = out->slot_def;
        if (!out->steps[k].is_list)
            continue;
        out->slot_def = out->steps[k].def_item;
        out->has_fixed_list |= out->steps[k].fixed_width >= 0;
        if (out->steps[k].fixed_width < 0 || out->slots_a_row > UINT32_MAX)
            out->slots_a_row = 0;
        out->slots_a_row *= (uint64_t)out->steps[k].fixed_width;
    }
    return ARMI_OK;
}

enum armi_status armi_pq_leaf_shape_init(const struct armi_pq_schema *schema, uint32_t leaf,
                                         struct armi_pq_leaf_shape *out,
                                         struct armi_error *err)
{
    const struct armi_pq_leaf *l = &schema->leaves[leaf];
    memset(out, 0, sizeof *out);
    if (l->max_def > LEVEL_MAX || l->max_rep > ARMI_NESTING_MAX)
        return armi_error_set(err, ARMI_LIMIT, "lists and structs are nested too deeply");
    out->max_def = (uint8_t)l->max_def;
    out->is_dictionary = l->field->type == ARMI_TYPE_DICTIONARY;
    out->slots_a_row = 1;
    out->is_nested = l->max_rep > 0 || l->max_def > 1;
    for (uint32_t n = schema->nodes[l->node].parent; n != schema->nodes[n].parent;
         n = schema->nodes[n].parent)
        out->is_nested |= schema->nodes[n].is_optional;
    return out->is_nested ? steps_make(schema, leaf, out, err) : ARMI_OK;
}

void armi_pq_leaf_shape_release(struct armi_pq_leaf_shape *shape)
{
    armi_free(shape->steps);
    shape->steps = NULL;
    shape->step_count = 0;
}

/* ---- null fixed-size lists ---- */

static unsigned next_list(const struct armi_pq_leaf_shape *shape, unsigned k)
{
    while (k < shape->step_count && !shape->steps[k].is_list)
        k++;
    return k;
}

/* The step whose null fixed-size list makes padding of an entry of that level, or step_count. */
static unsigned pad_step(const struct armi_pq_leaf_shape *shape, unsigned def)
{
    unsigned k = next_list(shape, 0);
    while (k < shape->step_count && def >= shape->steps[k].def_item)
        k = next_list(shape, k + 1);
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
    for (; k < shape->step_count && shape->steps[k].fixed_width > 0 && n <= UINT32_MAX;
         k = next_list(shape, k + 1)) {
        n *= (uint64_t)shape->steps[k].fixed_width;
        *out_deepest = k;
    }
    return n;
}

/* Repetition level of slot `i` of a run of padding: the innermost list that goes on there. */
static uint8_t pad_rep(const struct armi_pq_leaf_shape *shape, unsigned k, unsigned deepest,
                       uint64_t i)
{
    unsigned level = shape->steps[deepest].rep + 1u;
    for (unsigned s = deepest; s > k; s--) {
        if (!shape->steps[s].is_list)
            continue;
        if (i % (uint64_t)shape->steps[s].fixed_width != 0)
            break;
        i /= (uint64_t)shape->steps[s].fixed_width;
        level--;
    }
    return (uint8_t)level;
}

enum armi_status armi_pq_padding_init(const struct armi_pq_leaf_shape *shape,
                                      const struct armi_pq_entries *page,
                                      struct armi_pq_budget *budget,
                                      struct armi_pq_padding *out, struct armi_error *err)
{
    out->shape = shape;
    out->page = *page;
    out->slots = 0;
    out->entries = page->count;
    armi_pq_padding_rewind(out);
    for (unsigned def = 0; shape->has_fixed_list && def < shape->max_def; def++) {
        unsigned deepest, k = pad_step(shape, def);
        if (k == shape->step_count)
            continue;
        uint64_t lists = armi_pq_kernels()->count8(page->def, page->count, (uint8_t)def);
        uint64_t slots = lists > 0 ? pad_count(shape, k, &deepest) : 0;
        if (lists > UINT32_MAX || slots > UINT32_MAX)
            return armi_error_set(err, ARMI_LIMIT, "a null fixed-size list of %llu items",
                                  (unsigned long long)slots);
        out->slots += lists * slots;
        out->entries += lists * (slots > 0 ? slots - 1 : 0);
    }
    return out->slots > 0 ? armi_pq_budget_take(budget, out->slots, err) : ARMI_OK;
}

void armi_pq_padding_rewind(struct armi_pq_padding *padding)
{
    padding->at = 0;
    padding->done = 0;
}

/* Slots of the null list at the page's next entry, as many as fit behind `n`. Returns the new `n`. */
static size_t put_padding(struct armi_pq_padding *p, unsigned k, size_t n)
{
    unsigned deepest = k;
    uint64_t slots = pad_count(p->shape, k, &deepest), left = slots - p->done;
    size_t count = left < ARMI_PQ_PADDED - n ? (size_t)left : ARMI_PQ_PADDED - n;
    memset(p->rep + n, p->shape->steps[deepest].rep + 1, count);
    memset(p->def + n, p->page.def[p->at], count);
    memset(p->exists + n, p->shape->steps[deepest].def_item, count);
    for (size_t i = 0; deepest > k && i < count; i++)
        p->rep[n + i] = pad_rep(p->shape, k, deepest, p->done + i);
    if (p->done == 0)
        p->rep[n] = p->page.rep[p->at];
    p->done += count;
    n += count;
    if (p->done == slots) {
        p->done = 0;
        p->at++;
    }
    return n;
}

bool armi_pq_padding_next(struct armi_pq_padding *p, struct armi_pq_entries *out)
{
    size_t n = 0;
    if (p->at == p->page.count)
        return false;
    if (p->slots == 0) {
        *out = p->page;
        p->at = p->page.count;
        return true;
    }
    while (n < ARMI_PQ_PADDED && p->at < p->page.count) {
        unsigned k = pad_step(p->shape, p->page.def[p->at]);
        if (k < p->shape->step_count) {
            n = put_padding(p, k, n);
            continue;
        }
        p->rep[n] = p->page.rep[p->at];
        p->def[n] = p->exists[n] = p->page.def[p->at++];
        n++;
    }
    *out = (struct armi_pq_entries){p->rep, p->def, p->exists, n};
    return true;
}

/* ---- slots ---- */

/* Which of the (up to) 64 entries from i on are there. */
static uint64_t entries_mask(const struct armi_pq_entries *e, size_t i)
{
    return e->count - i < 64 ? (UINT64_C(1) << (e->count - i)) - 1 : UINT64_MAX;
}

/* Those of them that add to a list with `rep` lists above it, or to one further in. */
static uint64_t going_on_mask(const struct armi_pq_entries *e, size_t i, unsigned rep)
{
    return e->rep == NULL
               ? 0
               : armi_pq_kernels()->at_least64(e->rep + i, rep + 1) & entries_mask(e, i);
}

/* Those of them that are slots of an array with `rep` lists above it. */
static uint64_t slots_mask(const struct armi_pq_entries *e, size_t i, unsigned slot_def,
                           unsigned rep)
{
    return armi_pq_kernels()->at_least64(e->exists + i, slot_def) & entries_mask(e, i) &
           ~going_on_mask(e, i, rep);
}

size_t armi_pq_leaf_slots(const struct armi_pq_leaf_shape *shape,
                          const struct armi_pq_entries *entries, uint8_t *bits, size_t at)
{
    const struct armi_pq_kernels *kernels = armi_pq_kernels();
    size_t slots = 0;
    if (shape->slot_def == 0 && bits == NULL)
        return entries->count;
    for (size_t i = 0; i < entries->count; i += 64) {
        uint64_t mask = kernels->at_least64(entries->exists + i, shape->slot_def) &
                        entries_mask(entries, i);
        unsigned n = armi_popcount64(mask);
        if (bits != NULL)
            armi_pq_bits_put(
                bits, at + slots,
                kernels->compact64(kernels->at_least64(entries->def + i, shape->max_def),
                                   mask),
                n);
        slots += n;
    }
    return slots;
}

/* ---- one list or struct ---- */

/* Bits that depend on all of `value` and on its place; sums of them stand for a sequence. */
static uint64_t digest_of(uint64_t place, uint64_t value)
{
    uint64_t x =
        (value ^ place * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
    return (x ^ x >> 32) * UINT64_C(0x94d049bb133111eb);
}

static void digest_validity(struct armi_pq_structure *s, uint64_t valid, unsigned count)
{
    unsigned at = s->word_bits;
    s->word |= valid << at;
    s->word_bits += count;
    if (s->word_bits < 64)
        return;
    s->digest += digest_of(s->sink.length >> 6, ~s->word);
    s->word_bits -= 64;
    s->word = at > 0 ? valid >> (64 - at) : 0;
}

static enum armi_status put_validity(struct armi_pq_structure *s,
                                     const struct armi_pq_step *step, uint64_t valid,
                                     unsigned count, struct armi_error *err)
{
    unsigned nulls = count - armi_popcount64(valid);
    s->sink.null_count += nulls;
    if (step->is_compared && count > 0)
        digest_validity(s, valid, count);
    if (!step->is_first || (nulls == 0 && s->sink.validity == NULL))
        return ARMI_OK;
    ARMI_TRY(armi_pq_sink_need_validity(&s->sink, err));
    armi_pq_bits_put(s->sink.validity, s->sink.length, valid, count);
    return ARMI_OK;
}

/* How many items stand before the first of the slots. */
static uint64_t items_before(uint64_t items, uint64_t slots)
{
    return armi_popcount64(items & ((slots & (0 - slots)) - 1));
}

static void store_offsets(struct armi_pq_structure *s, uint64_t slots, uint64_t items)
{
    size_t at = s->sink.length;
    for (; slots != 0; slots &= slots - 1, at++) {
        uint64_t offset = s->items + items_before(items, slots);
        if (s->sink.kind == ARMI_PQ_SINK_BYTES64)
            armi_store64(s->sink.values + 8 * at, offset);
        else
            armi_store32(s->sink.values + 4 * at, (uint32_t)offset);
    }
}

static void digest_offsets(struct armi_pq_structure *s, uint64_t slots, uint64_t items)
{
    uint64_t at = ~(uint64_t)s->sink.length; /* other places than those of validity */
    for (; slots != 0; slots &= slots - 1, at--)
        s->digest += digest_of(at, s->items + items_before(items, slots));
}

static enum armi_status wrong_width(const struct armi_pq_step *step, struct armi_error *err)
{
    return armi_error_set(err, ARMI_CORRUPTION,
                          "a list of another length where all have %d items",
                          (int)step->fixed_width);
}

static enum armi_status check_width(const struct armi_pq_structure *s,
                                    const struct armi_pq_step *step, uint64_t slots,
                                    uint64_t items, struct armi_error *err)
{
    uint64_t at = s->sink.length, width = (uint64_t)step->fixed_width;
    for (; slots != 0; slots &= slots - 1, at++)
        if (s->items + items_before(items, slots) != at * width)
            return wrong_width(step, err);
    return ARMI_OK;
}

static enum armi_status put_items(struct armi_pq_structure *s,
                                  const struct armi_pq_step *step, uint64_t slots,
                                  uint64_t items, struct armi_error *err)
{
    if (step->fixed_width >= 0)
        ARMI_TRY(check_width(s, step, slots, items, err));
    else if (step->is_compared)
        digest_offsets(s, slots, items);
    if (step->fixed_width < 0 && step->is_first)
        store_offsets(s, slots, items);
    s->items += armi_popcount64(items);
    if (s->items > INT32_MAX && !step->is_wide && step->fixed_width < 0)
        return armi_error_set(
            err, ARMI_LIMIT,
            "over 2^31 list items in one array: read fewer rows at a time");
    return ARMI_OK;
}

/* A list goes on only behind an item, and with one. `there`: entries with an item, or in one. */
static enum armi_status check_order(struct armi_pq_structure *s, uint64_t there,
                                    uint64_t going_on, unsigned count,
                                    struct armi_error *err)
{
    uint64_t open = there << 1 | (s->is_open ? 1 : 0);
    s->is_open = there >> (count - 1) & 1;
    if ((going_on & ~(there & open)) == 0)
        return ARMI_OK;
    return armi_error_set(err, ARMI_CORRUPTION, "a list goes on where it is null or empty");
}

/* 64 entries a step: which are slots, which of these are valid, which are items. */
static enum armi_status structure_add(struct armi_pq_structure *s,
                                      const struct armi_pq_step *step,
                                      const struct armi_pq_entries *e,
                                      struct armi_error *err)
{
    const struct armi_pq_kernels *kernels = armi_pq_kernels();
    for (size_t i = 0; i < e->count; i += 64) {
        uint64_t all = entries_mask(e, i), going_on = going_on_mask(e, i, step->rep);
        uint64_t slots =
            kernels->at_least64(e->exists + i, step->slot_def) & all & ~going_on;
        uint64_t valid = kernels->at_least64(e->def + i, s->def_present);
        unsigned n = armi_popcount64(slots);
        ARMI_TRY(put_validity(s, step, kernels->compact64(valid, slots), n, err));
        if (step->is_list) {
            uint64_t there = kernels->at_least64(e->exists + i, step->def_item) & all;
            ARMI_TRY(check_order(s, there, going_on, armi_popcount64(all), err));
            ARMI_TRY(put_items(s, step, slots, there & ~going_on_mask(e, i, step->rep + 1u),
                               err));
        }
        s->sink.length += n;
    }
    return ARMI_OK;
}

/* Room for the slots of the entries, with those that may come after them. */
static enum armi_status structure_reserve(struct armi_pq_structure *s,
                                          const struct armi_pq_step *step, size_t rows,
                                          const struct armi_pq_entries *e, double share,
                                          struct armi_error *err)
{
    size_t slots = 0, expected;
    for (size_t i = 0; i < e->count; i += 64)
        slots += armi_popcount64(slots_mask(e, i, step->slot_def, step->rep));
    expected = slots;
    if (step->rep == 0 && rows > s->sink.length && rows - s->sink.length > slots)
        expected = rows - s->sink.length;
    else if (step->rep > 0 && share > 1 && (double)slots * share < (double)UINT32_MAX)
        expected = (size_t)((double)slots * share);
    return armi_pq_sink_reserve(&s->sink, slots, expected, err);
}

/* ---- all of a leaf's ---- */

/* The first step from k on, which is asked for, that can say something that the one above it does not. */
static unsigned next_told(const struct armi_pq_structures *structures, unsigned k)
{
    const struct armi_pq_step *steps = structures->shape->steps;
    while (k < structures->shape->step_count && !steps[k].is_list &&
           !steps[k].is_optional && (k > structures->top || steps[k].def_present == 0))
        k++;
    return k;
}

enum armi_status armi_pq_structures_init(const struct armi_pq_leaf_shape *shape,
                                         uint32_t top, size_t rows,
                                         struct armi_pq_budget *budget,
                                         struct armi_pq_structures *out,
                                         struct armi_error *err)
{
    *out = (struct armi_pq_structures){.shape = shape, .rows = rows};
    while (out->top < shape->step_count && shape->steps[out->top].node != top)
        out->top++;
    out->of = armi_alloc_zero((size_t)shape->step_count + 1, sizeof *out->of);
    if (out->of == NULL)
        return armi_error_no_memory(err);
    for (unsigned k = 0; k < shape->step_count; k++) {
        const struct armi_pq_step *step = &shape->steps[k];
        enum armi_pq_sink_kind kind = ARMI_PQ_SINK_NONE;
        if (step->is_list && step->fixed_width < 0)
            kind = step->is_wide ? ARMI_PQ_SINK_BYTES64 : ARMI_PQ_SINK_BYTES32;
        armi_pq_sink_init(&out->of[k].sink, kind, 0, budget);
        if (step->is_optional || k == out->top)
            out->of[k].def_present = step->def_present;
    }
    return ARMI_OK;
}

void armi_pq_structures_release(struct armi_pq_structures *structures)
{
    for (unsigned k = 0; structures->of != NULL && k < structures->shape->step_count; k++)
        armi_pq_sink_release(&structures->of[k].sink);
    armi_free(structures->of);
    structures->of = NULL;
}

enum armi_status armi_pq_structures_add(struct armi_pq_structures *structures,
                                        const struct armi_pq_entries *entries, double share,
                                        struct armi_error *err)
{
    for (unsigned k = next_told(structures, structures->top);
         k < structures->shape->step_count; k = next_told(structures, k + 1)) {
        const struct armi_pq_step *step = &structures->shape->steps[k];
        struct armi_pq_structure *s = &structures->of[k];
        if (step->is_first)
            ARMI_TRY(structure_reserve(s, step, structures->rows, entries, share, err));
        ARMI_TRY(structure_add(s, step, entries, err));
    }
    return ARMI_OK;
}

enum armi_status armi_pq_structures_close(struct armi_pq_structures *structures,
                                          struct armi_error *err)
{
    for (unsigned k = next_told(structures, structures->top);
         k < structures->shape->step_count; k = next_told(structures, k + 1)) {
        const struct armi_pq_step *step = &structures->shape->steps[k];
        struct armi_pq_structure *s = &structures->of[k];
        s->digest += digest_of(s->sink.length >> 6, ~s->word);
        if (step->fixed_width >= 0 &&
            s->items != (uint64_t)s->sink.length * (uint64_t)step->fixed_width)
            return wrong_width(step, err);
        if (!step->is_first)
            continue;
        ARMI_TRY(armi_pq_sink_reserve(&s->sink, 0, 0, err));
        if (s->sink.kind == ARMI_PQ_SINK_BYTES64)
            armi_store64(s->sink.values + 8 * s->sink.length, s->items);
        else if (s->sink.kind == ARMI_PQ_SINK_BYTES32)
            armi_store32(s->sink.values + 4 * s->sink.length, (uint32_t)s->items);
    }
    return ARMI_OK;
}

struct armi_pq_structure *armi_pq_structures_find(struct armi_pq_structures *structures,
                                                  uint32_t node)
{
    if (structures->of == NULL)
        return NULL;
    for (unsigned k = next_told(structures, structures->top);
         k < structures->shape->step_count; k = next_told(structures, k + 1))
        if (structures->shape->steps[k].node == node)
            return &structures->of[k];
    return NULL;
}
