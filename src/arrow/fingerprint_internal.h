/*
 * The state behind struct armi_fingerprint: a tree of nodes that follows the type, each with
 * up to three byte streams. fingerprint.c makes the tree and reads it out, fingerprint_update.c
 * feeds it.
 */
#ifndef ARMI_ARROW_FINGERPRINT_INTERNAL_H
#define ARMI_ARROW_FINGERPRINT_INTERNAL_H

#include "arrow/array.h"
#include "arrow/fingerprint_stream_internal.h"
#include "base/map.h"

enum fp_kind {
    FP_NULL,       /* no stream */
    FP_BITS,       /* first = bits */
    FP_FIXED,      /* first = values */
    FP_BINARY,     /* first = lengths, second = bytes */
    FP_LIST,       /* first = lengths; one child; also map */
    FP_FIXED_LIST, /* one child */
    FP_STRUCT,     /* children */
    FP_DICTIONARY, /* first = codes; one child: the entries */
};

struct armi_fingerprint_node {
    enum fp_kind kind;
    int32_t width; /* bytes of a value, elements of a fixed-size list */
    uint64_t rows;
    uint64_t nulls;
    struct armi_fp_stream *validity; /* made at the first null; counts once nulls > 0 */
    struct armi_fp_stream *first;
    struct armi_fp_stream *second;
    size_t child_count;
    struct armi_fingerprint_node *children;
    struct armi_map entries; /* dictionary: value -> code */
    int32_t *codes;          /* dictionary: index -> code, for one update */
    size_t codes_capacity;
    struct armi_buf key;
};

/* Rows of an array whose logical type is the node's. */
enum armi_status armi_fingerprint_node_update(struct armi_fingerprint_node *node,
                                              const struct armi_array *array, int64_t from,
                                              int64_t count, struct armi_error *err);

#endif
