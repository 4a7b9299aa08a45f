#include "parquet/dec_sink.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/checked.h"
#include "base/limits.h"
#include "base/slab.h"

enum armi_status armi_pq_budget_take(struct armi_pq_budget *budget, uint64_t size,
                                     struct armi_error *err)
{
    if (budget == NULL)
        return ARMI_OK;
    uint64_t before = atomic_fetch_add(&budget->used, size);
    if (size <= budget->max && before <= budget->max - size)
        return ARMI_OK;
    atomic_fetch_sub(&budget->used, size);
    atomic_store(&budget->was_hit, true);
    return armi_error_set(err, ARMI_LIMIT,
                          "the result would be larger than %llu bytes (max_bytes)",
                          (unsigned long long)budget->max);
}

static void budget_give(struct armi_pq_budget *budget, uint64_t size)
{
    if (budget != NULL)
        atomic_fetch_sub(&budget->used, size);
}

void armi_pq_sink_init(struct armi_pq_sink *sink, enum armi_pq_sink_kind kind,
                       uint32_t width, struct armi_pq_budget *budget)
{
    *sink = (struct armi_pq_sink){.kind = kind, .width = width, .budget = budget};
}

static void block_free(uint8_t *data, struct armi_slab *slab)
{
    if (slab != NULL)
        armi_slab_give(slab);
    else
        armi_free(data);
}

void armi_pq_sink_release(struct armi_pq_sink *sink)
{
    block_free(sink->validity, sink->validity_slab);
    block_free(sink->values, sink->values_slab);
    block_free(sink->data, sink->data_slab);
    armi_pq_sink_init(sink, sink->kind, sink->width, sink->budget);
}

/* All but small buffers come out of slabs, whose memory is used again without a fault a page. */
static enum armi_status block_take(size_t size, uint8_t **out, struct armi_slab **out_slab,
                                   struct armi_error *err)
{
    *out_slab = NULL;
    if (size >= ARMI_SLAB_BUFFER_MIN) {
        ARMI_TRY(armi_slab_take_buffer(size, out_slab, err));
        *out = (*out_slab)->data;
        return ARMI_OK;
    }
    *out = armi_alloc(size);
    return *out != NULL ? ARMI_OK : armi_error_no_memory(err);
}

/* Bytes of the values buffer for `slots`; false where it is beyond size_t. */
static bool values_size(const struct armi_pq_sink *sink, size_t slots, size_t *out)
{
    switch (sink->kind) {
    case ARMI_PQ_SINK_BITS:
        *out = armi_bitmap_size(slots);
        return true;
    case ARMI_PQ_SINK_FIXED:
        return armi_size_mul(slots, sink->width, out);
    case ARMI_PQ_SINK_BYTES32:
        return armi_size_add(slots, 1, out) && armi_size_mul(*out, 4, out);
    case ARMI_PQ_SINK_BYTES64:
        return armi_size_add(slots, 1, out) && armi_size_mul(*out, 8, out);
    default:
        *out = 0;
        return true;
    }
}

/* Moves a buffer to a larger one within the budget. `zero_from` on is zeroed where `zero`. */
static enum armi_status regrow(struct armi_pq_sink *sink, uint8_t **data,
                               struct armi_slab **slab, size_t used, size_t old_size,
                               size_t new_size, bool zero, struct armi_error *err)
{
    if (new_size > SIZE_MAX / 2)
        return armi_error_set(err, ARMI_LIMIT, "a column of %zu bytes is too large",
                              new_size);
    uint64_t old_cost = *data != NULL ? old_size : 0;
    if (new_size > old_cost)
        ARMI_TRY(armi_pq_budget_take(sink->budget, new_size - old_cost, err));
    uint8_t *fresh = NULL;
    struct armi_slab *fresh_slab = NULL;
    enum armi_status status =
        block_take(new_size + ARMI_PQ_SLACK, &fresh, &fresh_slab, err);
    if (status != ARMI_OK) {
        if (new_size > old_cost)
            budget_give(sink->budget, new_size - old_cost);
        return status;
    }
    if (*data != NULL)
        memcpy(fresh, *data, used);
    else
        used = 0;
    if (zero)
        memset(fresh + used, 0, new_size + ARMI_PQ_SLACK - used);
    else
        memset(fresh + new_size, 0, ARMI_PQ_SLACK);
    block_free(*data, *slab);
    *data = fresh;
    *slab = fresh_slab;
    return ARMI_OK;
}

/* Whether `slots` at once is modest, or no leap from what there is. */
static bool is_modest(const struct armi_pq_sink *sink, size_t slots)
{
    size_t size;
    return values_size(sink, slots, &size) &&
           ((size <= ARMI_BATCH_BYTES && slots <= ARMI_BATCH_BYTES) ||
            slots / 16 <= sink->length);
}

enum armi_status armi_pq_sink_reserve(struct armi_pq_sink *sink, size_t extra,
                                      size_t expected, struct armi_error *err)
{
    size_t need, want, used, old_size, new_size;
    if (!armi_size_add(sink->length, extra, &need))
        return armi_error_set(err, ARMI_LIMIT, "a column has too many values");
    if (need <= sink->capacity && sink->values != NULL)
        return ARMI_OK;
    if (!armi_size_add(sink->length, expected, &want) || want < need ||
        !is_modest(sink, want)) {
        want = need + need / 2;
        if (want < need)
            want = need;
    }
    if (!values_size(sink, want, &new_size) ||
        !values_size(sink, sink->capacity, &old_size) ||
        !values_size(sink, sink->length, &used))
        return armi_error_set(err, ARMI_LIMIT, "a column of %zu values is too large", need);
    bool first = sink->values == NULL;
    ARMI_TRY(regrow(sink, &sink->values, &sink->values_slab, used, old_size, new_size,
                    sink->kind == ARMI_PQ_SINK_BITS, err));
    if (first)
        memset(sink->values, 0, new_size < 8 ? new_size : 8); /* the first offset */
    if (sink->validity != NULL)
        ARMI_TRY(regrow(sink, &sink->validity, &sink->validity_slab,
                        armi_bitmap_size(sink->length), armi_bitmap_size(sink->capacity),
                        armi_bitmap_size(want), true, err));
    sink->capacity = want;
    return ARMI_OK;
}

/* What all reserved slots will need if they are like those so far; `need` where that is a leap. */
static size_t data_guess(const struct armi_pq_sink *sink, size_t need, size_t slots)
{
    double known = (double)sink->length + (double)slots;
    double guess = (double)need * 1.02 * ((double)sink->capacity / (known > 0 ? known : 1));
    double half = 1.5 * (double)need;
    if (sink->data_size > 0 && guess < half)
        guess = guess * 1.05 < half && guess > (double)need ? guess * 1.05 : half;
    if (guess > (double)ARMI_BATCH_BYTES && guess > 16 * (double)need)
        guess = half;
    if (guess < (double)need || guess > (double)(SIZE_MAX / 4))
        return need;
    size_t want = (size_t)guess;
    /* A guess is a wish; only what is needed counts against the limit. */
    if (sink->budget != NULL &&
        want - sink->data_capacity > sink->budget->max - atomic_load(&sink->budget->used))
        return need;
    return want;
}

enum armi_status armi_pq_sink_reserve_data(struct armi_pq_sink *sink, size_t extra,
                                           size_t slots, struct armi_error *err)
{
    size_t need;
    if (!armi_size_add(sink->data_size, extra, &need))
        return armi_error_set(err, ARMI_LIMIT, "a column has too many bytes");
    if (need <= sink->data_capacity && sink->data != NULL)
        return ARMI_OK;
    size_t want = data_guess(sink, need, slots);
    ARMI_TRY(regrow(sink, &sink->data, &sink->data_slab, sink->data_size,
                    sink->data_capacity, want, false, err));
    sink->data_capacity = want;
    return ARMI_OK;
}

enum armi_status armi_pq_sink_need_validity(struct armi_pq_sink *sink,
                                            struct armi_error *err)
{
    if (sink->validity != NULL)
        return ARMI_OK;
    ARMI_TRY(regrow(sink, &sink->validity, &sink->validity_slab, 0, 0,
                    armi_bitmap_size(sink->capacity), true, err));
    armi_bitmap_fill(sink->validity, 0, sink->length, true);
    return ARMI_OK;
}

uint64_t armi_pq_bits_window(const uint8_t *bits, size_t at, unsigned count)
{
    if (count == 0)
        return 0;
    const uint8_t *p = bits + (at >> 3);
    unsigned shift = at & 7;
    uint64_t v = armi_load64(p) >> shift;
    if (shift != 0)
        v |= (uint64_t)p[8] << (64 - shift);
    return v & (UINT64_MAX >> (64 - count));
}

/*
 * Spreads `valid` packed values over `slots` slots, from the back so that it works in place. All-valid
 * and all-null words are moved whole; mixed ones go without a branch a value: the value at `k` is
 * taken where the bit is set, else masked away.
 */
#define SPREAD(NAME, TYPE, ZERO_UNLESS)                                                    \
    static void NAME(TYPE *values, const uint8_t *bits, size_t at, size_t slots, size_t k) \
    {                                                                                      \
        size_t i = slots;                                                                  \
        while (k < i) {                                                                    \
            unsigned m = i < 64 ? (unsigned)i : 64;                                        \
            uint64_t word = armi_pq_bits_window(bits, at + i - m, m);                      \
            unsigned ones = armi_popcount64(word);                                         \
            i -= m;                                                                        \
            if (ones == m) {                                                               \
                k -= m;                                                                    \
                memmove(values + i, values + k, m * sizeof *values);                       \
            } else if (ones == 0) {                                                        \
                memset(values + i, 0, m * sizeof *values);                                 \
            } else {                                                                       \
                for (unsigned j = m; j-- > 0;) {                                           \
                    unsigned bit = (word >> j) & 1;                                        \
                    k -= bit;                                                              \
                    TYPE v = values[k];                                                    \
                    ZERO_UNLESS;                                                           \
                    values[i + j] = v;                                                     \
                }                                                                          \
            }                                                                              \
        }                                                                                  \
    }

struct wide {
    uint64_t lo, hi;
};
SPREAD(spread8, uint8_t, v = (uint8_t)(v & (0u - bit)))
SPREAD(spread16, uint16_t, v = (uint16_t)(v & (0u - bit)))
SPREAD(spread32, uint32_t, v &= 0u - bit)
SPREAD(spread64, uint64_t, v &= (uint64_t)0 - bit)
SPREAD(spread128, struct wide, (v.lo &= (uint64_t)0 - bit, v.hi &= (uint64_t)0 - bit))

static void spread_any(uint8_t *values, size_t width, const uint8_t *bits, size_t at,
                       size_t slots, size_t k)
{
    for (size_t i = slots; k < i;) {
        i--;
        if (armi_bit_get(bits, at + i)) {
            k--;
            memmove(values + i * width, values + k * width, width);
        } else {
            memset(values + i * width, 0, width);
        }
    }
}

/* Slot i's end is the packed end of the values up to it: off[i + 1] = off[rank(i + 1)]. */
#define SPREAD_OFFSETS(NAME, TYPE)                                                         \
    static void NAME(TYPE *off, const uint8_t *bits, size_t at, size_t slots, size_t k)    \
    {                                                                                      \
        size_t i = slots;                                                                  \
        while (k < i) {                                                                    \
            unsigned m = i < 64 ? (unsigned)i : 64;                                        \
            uint64_t word = armi_pq_bits_window(bits, at + i - m, m);                      \
            i -= m;                                                                        \
            for (unsigned j = m; j-- > 0;) {                                               \
                off[i + j + 1] = off[k];                                                   \
                k -= (word >> j) & 1;                                                      \
            }                                                                              \
        }                                                                                  \
    }
SPREAD_OFFSETS(spread_offsets32, uint32_t)
SPREAD_OFFSETS(spread_offsets64, uint64_t)

static void spread_bits(uint8_t *values, const uint8_t *bits, size_t at, size_t slots,
                        size_t k)
{
    for (size_t i = slots; k < i;) {
        i--;
        bool v = false;
        if (armi_bit_get(bits, at + i)) {
            k--;
            v = armi_bit_get(values, at + k);
        }
        armi_bit_put(values, at + i, v);
    }
}

static void spread_fixed(struct armi_pq_sink *sink, size_t slots, size_t valid)
{
    void *values = sink->values + sink->length * sink->width;
    const uint8_t *bits = sink->validity;
    size_t at = sink->length;
    switch (sink->width) {
    case 1:
        spread8(values, bits, at, slots, valid);
        return;
    case 2:
        spread16(values, bits, at, slots, valid);
        return;
    case 4:
        spread32(values, bits, at, slots, valid);
        return;
    case 8:
        spread64(values, bits, at, slots, valid);
        return;
    case 16:
        spread128(values, bits, at, slots, valid);
        return;
    default:
        spread_any(values, sink->width, bits, at, slots, valid);
    }
}

void armi_pq_sink_close_page(struct armi_pq_sink *sink, size_t slots, size_t valid)
{
    void *values = sink->values;
    if (valid == slots) {
        if (sink->validity != NULL)
            armi_bitmap_fill(sink->validity, sink->length, slots, true);
    } else if (sink->kind == ARMI_PQ_SINK_FIXED) {
        spread_fixed(sink, slots, valid);
    } else if (sink->kind == ARMI_PQ_SINK_BYTES32) {
        spread_offsets32((uint32_t *)values + sink->length, sink->validity, sink->length,
                         slots, valid);
    } else if (sink->kind == ARMI_PQ_SINK_BYTES64) {
        spread_offsets64((uint64_t *)values + sink->length, sink->validity, sink->length,
                         slots, valid);
    } else if (sink->kind == ARMI_PQ_SINK_BITS) {
        spread_bits(sink->values, sink->validity, sink->length, slots, valid);
    }
    sink->null_count += slots - valid;
    sink->length += slots;
}
