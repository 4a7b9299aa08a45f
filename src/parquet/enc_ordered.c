/*
 * Ordered dictionaries. The order of an Arrow dictionary whose order means something has no other
 * place in Parquet than the dictionary page: so all entries, used or not, go there first, in their
 * order, and the column is dictionary-coded whatever that costs. Readers take their dictionary from
 * the page.
 */
#include <string.h>

#include "base/limits.h"
#include "parquet/enc_dict.h"

#define ENTRIES_MAX ((int64_t)1 << 20)
#define BYTES_MAX   ((uint64_t)16 << 20) /* larger ones are like any other dictionary */

/* The array that holds the leaf's values, in a piece of the top-level column. */
static const struct armi_array *leaf_array(const struct enc_column *c,
                                           const struct armi_array *a)
{
    const struct armi_pq_node *nodes = c->schema->nodes;
    uint32_t chain[ARMI_NESTING_MAX * 2 + 2];
    size_t n = 0;
    for (uint32_t at = c->leaf->node; at != 0; at = nodes[at].parent)
        chain[n++] = at;
    for (size_t i = n; i-- > 1;) {
        const struct armi_pq_node *node = &nodes[chain[i]];
        uint32_t child = 0;
        if (node->shape == ARMI_PQ_SHAPE_STRUCT)
            while (node->children[child] != chain[i - 1])
                child++;
        a = &a->children[child];
    }
    return a;
}

/* The entries behind the piece, unless they are those behind the one before it. */
static const struct armi_array *entries_of(const struct enc_column *c, size_t piece)
{
    const struct armi_array *before = NULL, *at = NULL;
    if (piece > 0)
        before = leaf_array(c, &c->pieces->pieces[piece - 1])->dictionary;
    at = leaf_array(c, &c->pieces->pieces[piece])->dictionary;
    bool is_same = before != NULL && before->values == at->values &&
                   before->offsets == at->offsets && before->offset == at->offset &&
                   before->length == at->length;
    return is_same ? NULL : at;
}

static uint64_t entries_bytes(const struct armi_array *entries)
{
    uint64_t bytes = 0;
    for (int64_t i = 0; i < entries->length; i++)
        bytes += armi_array_bytes(entries, i).size;
    return bytes;
}

bool enc_ordered_wanted(const struct enc_column *c)
{
    const struct armi_field *field = c->leaf->field;
    if (field->type != ARMI_TYPE_DICTIONARY || !field->ordered ||
        c->settings->no_dictionary || c->leaf->physical == ARMI_PQ_BOOLEAN ||
        c->leaf->convert == ARMI_PQ_NULL)
        return false;
    int64_t count = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i < c->pieces->count; i++) {
        const struct armi_array *entries = entries_of(c, i);
        if (entries == NULL)
            continue;
        if (entries->layout == ARMI_LAYOUT_DICTIONARY ||
            entries->layout == ARMI_LAYOUT_RUN_END)
            return false;
        count += entries->length;
        if (c->leaf->convert == ARMI_PQ_BYTES && count <= ENTRIES_MAX)
            bytes += entries_bytes(entries);
        if (count > ENTRIES_MAX || bytes > BYTES_MAX)
            return false;
    }
    return count > 0;
}

enum armi_status enc_ordered_add(struct enc_column *c, struct enc_dict *dict)
{
    for (size_t i = 0; i < c->pieces->count && !dict->given_up; i++) {
        const struct armi_array *entries = entries_of(c, i);
        if (entries == NULL || entries->length == 0)
            continue;
        struct enc_gather g;
        const uint8_t *bits;
        size_t bit_from;
        int64_t taken;
        uint32_t *numbers;
        ARMI_TRY(enc_gather_begin(&g, c, (size_t)entries->length));
        ARMI_TRY(enc_validity(c, entries, 0, entries->length, &bits, &bit_from));
        ARMI_TRY(enc_gather_add(&g, entries, 0, entries->length, bits, bit_from, UINT64_MAX,
                                &taken));
        ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_INDICES,
                              (g.values.count + 1) * sizeof *numbers, &numbers, c->err));
        ARMI_TRY(enc_dict_add(c, dict, &g.values, numbers));
    }
    return ARMI_OK;
}
