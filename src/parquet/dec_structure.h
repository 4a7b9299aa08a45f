/*
 * What a leaf's levels say of the lists and structs above it: validity and offsets, folded page by
 * page, so that no levels live longer than their page. All leaves under a node tell the same of it:
 * the first keeps what it says, the others' digests are held against its.
 */
#ifndef ARMI_DEC_STRUCTURE_H
#define ARMI_DEC_STRUCTURE_H

#include "parquet/dec_sink.h"
#include "parquet/parquet_schema.h"

/* A list or struct on the way from a column to a leaf. */
struct armi_pq_step {
    uint32_t node;
    int32_t fixed_width; /* of a fixed-size list; -1: any length */
    uint8_t rep;         /* lists above it */
    uint8_t def_present; /* it is no null from this level on */
    uint8_t def_item;    /* of a list: it has an item from this level on */
    uint8_t slot_def; /* entries from this level on are slots of the array it belongs to */
    bool is_list;
    bool is_optional;
    bool is_wide;     /* of a list: offsets of eight bytes */
    bool is_first;    /* the leaf is the first under it: what it says is kept */
    bool is_compared; /* there are other leaves under it */
};

/* What a leaf's levels mean, worked out once a leaf. */
struct armi_pq_leaf_shape {
    bool is_nested; /* lists or optional structs stand above it: its levels are looked at */
    bool is_dictionary; /* the Arrow array is a dictionary: the sink holds indices */
    bool has_fixed_list;
    uint8_t slot_def; /* entries from this level on are slots of the leaf's array */
    uint8_t max_def;
    uint8_t step_count;         /* 0 where it is not nested */
    uint64_t slots_a_row;       /* where every list above has a fixed size; 0: any number */
    struct armi_pq_step *steps; /* from the column down; owned */
};

enum armi_status armi_pq_leaf_shape_init(const struct armi_pq_schema *schema, uint32_t leaf,
                                         struct armi_pq_leaf_shape *out,
                                         struct armi_error *err);
void armi_pq_leaf_shape_release(struct armi_pq_leaf_shape *shape);

/* Entries of a page's levels. 64 bytes behind each of the arrays can be read. */
struct armi_pq_entries {
    const uint8_t *rep; /* NULL: all are 0 */
    const uint8_t *def;
    const uint8_t *exists; /* up to where an entry's slots exist: def, but in padding */
    size_t count;
};

/*
 * A null fixed-size list has its items in Arrow, but not in Parquet: blocks of a page's entries with
 * those between them. Without such lists the one block is the page's.
 */
#define ARMI_PQ_PADDED 1024
struct armi_pq_padding {
    const struct armi_pq_leaf_shape *shape;
    struct armi_pq_entries page;
    uint64_t slots;   /* that stand for null lists; 0: none */
    uint64_t entries; /* of all blocks */
    size_t at;        /* the page's next entry */
    uint64_t done;    /* slots of that entry that were handed out */
    uint8_t rep[ARMI_PQ_PADDED + ARMI_PQ_SLACK];
    uint8_t def[ARMI_PQ_PADDED + ARMI_PQ_SLACK];
    uint8_t exists[ARMI_PQ_PADDED + ARMI_PQ_SLACK];
};

/* Padding is held against the budget, a byte a slot, since a file need not hold it: ARMI_LIMIT. */
enum armi_status armi_pq_padding_init(const struct armi_pq_leaf_shape *shape,
                                      const struct armi_pq_entries *page,
                                      struct armi_pq_budget *budget,
                                      struct armi_pq_padding *out, struct armi_error *err);
void armi_pq_padding_rewind(struct armi_pq_padding *padding);
bool armi_pq_padding_next(struct armi_pq_padding *padding, struct armi_pq_entries *out);

/* How many of the entries are slots of the leaf's array. Where `bits` is not NULL their validity goes
 * to it from bit `at` on, which is zero. */
size_t armi_pq_leaf_slots(const struct armi_pq_leaf_shape *shape,
                          const struct armi_pq_entries *entries, uint8_t *bits, size_t at);

/* One list or struct. The sink holds what is kept: offsets of lists, unless all have one length. */
struct armi_pq_structure {
    struct armi_pq_sink sink; /* its length and null_count are counted in any case */
    size_t items;
    uint8_t def_present; /* 0: nulls are not asked for */
    uint64_t digest;     /* over validity and offsets */
    uint64_t word;       /* validity that is not digested yet: `word_bits` of it */
    unsigned word_bits;
    bool is_open; /* the last entry has an item, or is in one: the list may go on */
};

struct armi_pq_structures {
    const struct armi_pq_leaf_shape *shape;
    uint32_t top;                 /* steps above this one are not asked for */
    size_t rows;                  /* of the span */
    struct armi_pq_structure *of; /* by step */
};

/* For a span of `rows` rows of `top`, a node of the schema above the leaf or the leaf's own. */
enum armi_status armi_pq_structures_init(const struct armi_pq_leaf_shape *shape,
                                         uint32_t top, size_t rows,
                                         struct armi_pq_budget *budget,
                                         struct armi_pq_structures *out,
                                         struct armi_error *err);
void armi_pq_structures_release(struct armi_pq_structures *structures);

/* Adds entries; for each of them `share` may come in all, from these on: a wish, not a need. */
enum armi_status armi_pq_structures_add(struct armi_pq_structures *structures,
                                        const struct armi_pq_entries *entries, double share,
                                        struct armi_error *err);
/* No entries follow. */
enum armi_status armi_pq_structures_close(struct armi_pq_structures *structures,
                                          struct armi_error *err);

/* What the leaf says of a node; NULL where that is nothing: no nulls, one slot a slot above. */
struct armi_pq_structure *armi_pq_structures_find(struct armi_pq_structures *structures,
                                                  uint32_t node);

#endif
