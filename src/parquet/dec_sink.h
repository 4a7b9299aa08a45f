/*
 * Where a leaf column's values go: buffers that grow page by page and become an Arrow array at the
 * end. A page is put in three steps: its validity bits behind the last slot, its values packed
 * (without nulls) behind the last slot, then armi_pq_sink_close_page spreads the values over the
 * slots. Nothing is allocated on the word of a header alone: the budget is asked first.
 */
#ifndef ARMI_DEC_SINK_H
#define ARMI_DEC_SINK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/bits.h"
#include "base/buf.h"

struct armi_slab;

/* Bytes that one call may allocate for its result, shared by the threads that decode it. */
struct armi_pq_budget {
    atomic_uint_least64_t used;
    uint64_t max;
    atomic_bool was_hit; /* something was refused for it */
};

/* ARMI_LIMIT when `size` more would be over the maximum. */
enum armi_status armi_pq_budget_take(struct armi_pq_budget *budget, uint64_t size,
                                     struct armi_error *err);

enum armi_pq_sink_kind {
    ARMI_PQ_SINK_NONE,    /* nulls only: slots are counted */
    ARMI_PQ_SINK_BITS,    /* values: a bitmap, zero from `length` on */
    ARMI_PQ_SINK_FIXED,   /* values: `width` bytes each */
    ARMI_PQ_SINK_BYTES32, /* values: length + 1 int32 offsets into data */
    ARMI_PQ_SINK_BYTES64, /* values: length + 1 int64 offsets into data */
};

/* Readable and writable bytes behind every buffer, so that kernels may copy in whole vectors. */
#define ARMI_PQ_SLACK 64

struct armi_pq_sink {
    enum armi_pq_sink_kind kind;
    uint32_t width;
    size_t length;   /* slots */
    size_t capacity; /* slots that fit into values and validity */
    size_t null_count;
    uint8_t *validity; /* NULL until the first null; zero from `length` on */
    uint8_t *values;
    uint8_t *data;
    /* What a large buffer lies in; NULL: memory of armi_alloc. */
    struct armi_slab *validity_slab;
    struct armi_slab *values_slab;
    struct armi_slab *data_slab;
    size_t data_size;
    size_t data_capacity;
    struct armi_pq_budget *budget; /* borrowed */
};

void armi_pq_sink_init(struct armi_pq_sink *sink, enum armi_pq_sink_kind kind,
                       uint32_t width, struct armi_pq_budget *budget);
void armi_pq_sink_release(struct armi_pq_sink *sink);

/* Room for `extra` more slots. `expected` (>= extra) is what may follow in all: taken at once where
 * that is no leap beyond what the file has shown. */
enum armi_status armi_pq_sink_reserve(struct armi_pq_sink *sink, size_t extra,
                                      size_t expected, struct armi_error *err);
/* Room for `extra` more bytes of data, which `slots` more slots take: what the reserved slots beyond
 * them may need is guessed from it. */
enum armi_status armi_pq_sink_reserve_data(struct armi_pq_sink *sink, size_t extra,
                                           size_t slots, struct armi_error *err);
/* Makes the validity bitmap, all ones up to `length`, if there is none yet. */
enum armi_status armi_pq_sink_need_validity(struct armi_pq_sink *sink,
                                            struct armi_error *err);

/*
 * The page is complete: `slots` more slots, of which `valid` have a value. Where they differ the bits
 * stand in validity and the packed values are spread; a null's value becomes zero.
 */
void armi_pq_sink_close_page(struct armi_pq_sink *sink, size_t slots, size_t valid);

/* Bytes [offset, offset + 64 bits) of a bitmap with slack as one word; `count` <= 64. */
uint64_t armi_pq_bits_window(const uint8_t *bits, size_t at, unsigned count);

/* Appends the low `count` bits of a word (the others are 0) to a bitmap that is zero from bit `at` on
 * and has slack. */
static inline void armi_pq_bits_put(uint8_t *bits, size_t at, uint64_t word, unsigned count)
{
    uint8_t *p = bits + (at >> 3);
    unsigned shift = at & 7;
    if (count == 0)
        return;
    armi_store64(p, armi_load64(p) | word << shift);
    if (shift + count > 64)
        p[8] = (uint8_t)(word >> (64 - shift));
}

#endif
