/*
 * A compiled predicate, as the files of this folder see it.
 *
 * Three-valued logic is settled when it is compiled. `not` is pushed down to the leaves, which
 * turn round (< becomes >=, in becomes not in); null stays null under it. What is left is and, or
 * and leaves, all of them monotone in "is true": whether a row is kept depends only on where the
 * leaves are true, and a null is simply not true. So one bit a row is enough, and there are no
 * bitmaps of unknowns.
 *
 * A leaf narrows a bitmap: of the rows that are still asked for it leaves those where it is true.
 */
#ifndef ARMI_PREDICATE_PREDICATE_INTERNAL_H
#define ARMI_PREDICATE_PREDICATE_INTERNAL_H

#include "predicate/key_set.h"
#include "predicate/predicate.h"

#include "base/map.h"

/* ---- leaves ---- */

/* A column, or a part of one: children by index, from the top. */
struct armi_leaf_column {
    size_t column;
    size_t depth;
    const size_t *path;             /* `depth` child indices */
    const struct armi_field *field; /* as it stands in the schema */
    const struct armi_field *value; /* behind dictionaries and run ends */
};

enum armi_leaf_kind {
    ARMI_LEAF_NULL,    /* is null */
    ARMI_LEAF_VALID,   /* is not null */
    ARMI_LEAF_RANGES,  /* a number, date, bool … in a set of keys */
    ARMI_LEAF_BYTES,   /* op with a text or bytes */
    ARMI_LEAF_LIST,    /* [not] in a list of them */
    ARMI_LEAF_LIKE,    /* [not] like */
    ARMI_LEAF_COLUMNS, /* op with another column */
};

/* The set of a RANGES leaf in the column's own type, for the kernels. */
enum armi_native {
    ARMI_NATIVE_BIT,
    ARMI_NATIVE_INT, /* 1, 2, 4, 8 bytes: ints, dates, small decimals… */
    ARMI_NATIVE_HALF,
    ARMI_NATIVE_FLOAT,
    ARMI_NATIVE_DOUBLE,
    ARMI_NATIVE_INT128,
    ARMI_NATIVE_WIDE, /* 32 bytes: looked up in the set itself */
};

/* x is in it exactly if (x - low) as unsigned <= span. */
struct armi_int_range {
    uint64_t low;
    uint64_t span;
};

struct armi_double_range {
    double low;
    double high;
};

struct armi_int128_range {
    __int128_t low;
    __int128_t high;
};

struct armi_ranges {
    struct armi_key_set set; /* where the leaf is true */
    struct armi_key_range domain;
    enum armi_native native;
    uint64_t flip; /* INT: exclusive-or that makes a value its key */
    /* The ranges below are where the leaf is false: whichever side has fewer, and for
     * floats the one without NaN. */
    bool is_complement;
    size_t count;
    const struct armi_int_range *ints; /* by rising key */
    const struct armi_double_range *doubles;
    const struct armi_int128_range *int128s;
};

/* A pattern cut at its %: pieces in order, the first and last tied to the ends unless free. */
struct armi_like {
    struct armi_slice pattern;
    enum {
        ARMI_LIKE_EQUAL,    /* no wildcard */
        ARMI_LIKE_PREFIX,   /* text% */
        ARMI_LIKE_SUFFIX,   /* %text */
        ARMI_LIKE_CONTAINS, /* %text% */
        ARMI_LIKE_GENERAL,
    } kind;
    struct armi_slice text;   /* of the first four */
    struct armi_slice prefix; /* what every match starts with */
};

/* How two columns are compared. */
enum armi_pair {
    ARMI_PAIR_INT64,  /* both as int64, in the same unit */
    ARMI_PAIR_INT128, /* each times its step: uint64, times of different units */
    ARMI_PAIR_DOUBLE,
    ARMI_PAIR_NUMBER, /* anything else that is a number */
    ARMI_PAIR_BYTES,
};

struct armi_leaf {
    enum armi_leaf_kind kind;
    enum armi_op op;
    bool is_negated; /* LIST, LIKE */
    size_t index;    /* among the predicate's leaves */
    struct armi_leaf_column column;
    struct armi_ranges ranges;
    struct armi_slice bytes;
    struct armi_map *map; /* LIST: to find a text */
    size_t item_count;    /* LIST: the texts, rising */
    const struct armi_slice *items;
    struct armi_like like;
    enum armi_pair pair;
    struct armi_leaf_column other;
    int64_t step, other_step; /* INT128 */
};

/* ---- nodes ---- */

enum armi_node_kind {
    ARMI_NODE_FALSE,
    ARMI_NODE_TRUE,
    ARMI_NODE_AND,
    ARMI_NODE_OR,
    ARMI_NODE_LEAF,
};

struct armi_node {
    enum armi_node_kind kind;
    struct armi_leaf *leaf;
    size_t count;
    struct armi_node **children; /* the cheap ones first */
};

/* Maps of LIST leaves: the arena has the structs, but not what they hold. */
struct armi_map_link {
    struct armi_map map;
    struct armi_map_link *next;
};

struct armi_predicate {
    struct armi_arena arena;
    const struct armi_field *schema;
    char *text;
    const struct armi_node *root;
    size_t or_depth; /* ors within ors */
    size_t leaf_count;
    size_t column_count;
    size_t *columns;
    struct armi_map_link *maps;
};

/* ---- typing (type*.c) ---- */

struct armi_typer {
    struct armi_predicate *predicate;
    const struct armi_lexer *lexer; /* for messages */
    struct armi_error *err;
};

/* The predicate's nodes out of its syntax, and the columns they use. */
enum armi_status armi_type_predicate(struct armi_typer *typer,
                                     const struct armi_syntax *syntax);

/* Finds the column that a syntax node names. */
enum armi_status armi_type_resolve(struct armi_typer *typer, const struct armi_syntax *node,
                                   struct armi_leaf_column *out);

/* What can be compared with what. */
enum armi_class {
    ARMI_CLASS_NULL,
    ARMI_CLASS_BOOL,
    ARMI_CLASS_NUMBER,
    ARMI_CLASS_TEXT,
    ARMI_CLASS_BYTES,
    ARMI_CLASS_INSTANT, /* dates and timestamps */
    ARMI_CLASS_TIME,
    ARMI_CLASS_DURATION,
    ARMI_CLASS_OTHER, /* only with null */
};
enum armi_class armi_class_of_field(const struct armi_field *value);
enum armi_class armi_class_of_literal(const struct armi_syntax *literal);

/* Order of two literals of one class. */
int armi_literal_compare(const struct armi_syntax *a, const struct armi_syntax *b);

/* RANGES whose set is nothing or everything become FALSE or VALID. */
void armi_leaf_simplify(struct armi_node *node);

/*
 * Makes the leaf of column op literal, or column [not] in literals, both of one class and none of
 * them null. *out is a LEAF, or FALSE, or VALID for what every value satisfies. ARMI_NO_MEMORY.
 */
enum armi_status armi_leaf_compare(struct armi_typer *typer,
                                   const struct armi_leaf_column *column, enum armi_op op,
                                   const struct armi_syntax *literal,
                                   struct armi_node **out);
enum armi_status armi_leaf_in(struct armi_typer *typer,
                              const struct armi_leaf_column *column,
                              const struct armi_syntax *const *literals, size_t count,
                              bool is_negated, struct armi_node **out);
enum armi_status armi_leaf_like(struct armi_typer *typer,
                                const struct armi_leaf_column *column,
                                struct armi_slice pattern, bool is_negated,
                                struct armi_node **out);
enum armi_status armi_leaf_nullness(struct armi_typer *typer,
                                    const struct armi_leaf_column *column, bool is_null,
                                    struct armi_node **out);
enum armi_status armi_leaf_columns(struct armi_typer *typer,
                                   const struct armi_leaf_column *left, enum armi_op op,
                                   const struct armi_leaf_column *right,
                                   struct armi_node **out);

/* A node without children. */
enum armi_status armi_node_new(struct armi_typer *typer, enum armi_node_kind kind,
                               struct armi_node **out);

/* Nodes on their way to be joined by and, or. */
struct armi_node_list {
    size_t count;
    size_t capacity;
    struct armi_node **nodes; /* in the arena */
};
enum armi_status armi_nodes_add(struct armi_typer *typer, struct armi_node_list *list,
                                struct armi_node *node);
/* Adds the node, or its children if it is of the kind that is being joined. */
enum armi_status armi_nodes_splice(struct armi_typer *typer, struct armi_node_list *list,
                                   bool is_and, struct armi_node *node);
/* *out is true where all (any) of the nodes are. The list is used up. */
enum armi_status armi_nodes_join(struct armi_typer *typer, struct armi_node_list *list,
                                 bool is_and, struct armi_node **out);

/* The same place in a column for both? */
bool armi_leaf_same_column(const struct armi_leaf_column *a,
                           const struct armi_leaf_column *b);

/* The set in the column's own type. False: no memory. */
bool armi_ranges_prepare(struct armi_arena *arena, const struct armi_field *value,
                         struct armi_ranges *ranges);

/* ---- evaluation ---- */

/* Rows are taken a block at a time, so that bitmaps stay in the first cache. */
#define ARMI_EVAL_BLOCK 16384
#define ARMI_EVAL_WORDS (ARMI_EVAL_BLOCK / 64)

static inline size_t armi_words(int64_t rows)
{
    return ((size_t)rows + 63) / 64;
}

/* 64 bits from bit `at` on; bits from `end` on are zero and their bytes are not touched. */
static inline uint64_t armi_word_at(const uint8_t *bits, size_t at, size_t end)
{
    size_t left = end - at, shift = at & 7;
    const uint8_t *p = bits + (at >> 3);
    if (left >= 64) {
        uint64_t v = armi_load64(p) >> shift;
        return shift == 0 ? v : v | ((uint64_t)p[8] << (64 - shift));
    }
    uint64_t v = 0;
    size_t bytes = armi_bitmap_size(left + shift);
    for (size_t i = 0; i < bytes && i < 8; i++)
        v |= (uint64_t)p[i] << (8 * i);
    v >>= shift;
    if (bytes == 9)
        v |= (uint64_t)p[8] << (64 - shift);
    return v & (((uint64_t)1 << left) - 1);
}

/*
 * Kernels: of rows [from, from + count) of a plain array (no dictionary, not run-end) bit i of
 * `bits` stands for row from + i; bits that are set and where the leaf is not true are cleared.
 * Nulls have been cleared before.
 */
void armi_eval_ranges(const struct armi_ranges *ranges, const struct armi_array *array,
                      int64_t from, int64_t count, uint64_t *bits);
void armi_eval_bytes(const struct armi_leaf *leaf, const struct armi_array *array,
                     int64_t from, int64_t count, uint64_t *bits);
/* Arrays of any layout. */
void armi_eval_columns(const struct armi_leaf *leaf, const struct armi_array *left,
                       const struct armi_array *right, int64_t from, int64_t count,
                       uint64_t *bits);

/* Whether the text fits the pattern. */
bool armi_like_match(const struct armi_like *like, struct armi_slice text);
void armi_like_prepare(struct armi_slice pattern, struct armi_like *out);

/*
 * Narrows `bits` to the rows of a column (any layout) where the leaf, of one column, is true.
 * *entries (nullable pointee) is the leaf's memory of a dictionary's entries over several calls
 * with the same array: armi_free it. ARMI_NO_MEMORY.
 */
enum armi_status armi_eval_leaf(const struct armi_leaf *leaf,
                                const struct armi_array *array, int64_t from, int64_t count,
                                uint64_t *bits, uint64_t **entries, struct armi_error *err);

#endif
