/*
 * What the files behind array.h share.
 */
#ifndef ARMI_ARROW_ARRAY_INTERNAL_H
#define ARMI_ARROW_ARRAY_INTERNAL_H

#include "arrow/array.h"

/* Stands in for a buffer that is NULL because nothing is in it: zeros, as an offset 0 is
 * needed. */
#define ARMI_NOTHING_SIZE 64
extern const uint8_t armi_array_nothing[ARMI_NOTHING_SIZE];

/* Where in a nested column something is, told from the inside out. */
struct armi_path {
    const struct armi_path *parent;
    const char *name;
    int64_t first_row; /* how many rows came before; -1: items of a list, not rows */
};

/* ARMI_INVALID and the like, "column 'a.item': <message>". */
ARMI_PRINTF(4, 5)
enum armi_status armi_path_error(const struct armi_path *path, struct armi_error *err,
                                 enum armi_status status, const char *format, ...);

/* "row 17", told from 1 on, or "item 3" where no row is known. Returns `out`. */
const char *armi_path_row(const struct armi_path *path, int64_t i, char out[32]);

/* armi_array_validate of a batch where `first_row` rows came before, its columns side by side. */
enum armi_status armi_array_validate_rows(const struct armi_array *batch,
                                          enum armi_validation level, int64_t first_row,
                                          const struct armi_parallel *parallel,
                                          struct armi_error *err);

/* Size of row i of a list view. */
static inline int64_t armi_array_list_view_size(const struct armi_array *a, int64_t i)
{
    size_t p = (size_t)(a->offset + i);
    if (a->layout == ARMI_LAYOUT_LIST_VIEW64)
        return (int64_t)armi_load64(a->sizes + 8 * p);
    return (int32_t)armi_load32(a->sizes + 4 * p);
}

/* A 16-byte view of a string. */
struct armi_view {
    int32_t size;
    int32_t buffer; /* these two mean something when size > 12 */
    int32_t offset;
    const uint8_t *inlined; /* the bytes when size <= 12, else the first four */
};

static inline struct armi_view armi_array_view(const struct armi_array *a, int64_t i)
{
    const uint8_t *p = a->values + 16 * (size_t)(a->offset + i);
    return (struct armi_view){(int32_t)armi_load32(p), (int32_t)armi_load32(p + 8),
                              (int32_t)armi_load32(p + 12), p + 4};
}

#define ARMI_VIEW_INLINE_MAX 12

#endif
