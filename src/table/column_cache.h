/*
 * Decoded columns of ranges, by what they were decoded from and into: (chunk, column, rows) and
 * the type that was asked for, since a tiny chunk does not say whether its int64 is a duration,
 * and a column may be read before and after it was widened. Chunks never change, so there is nothing to invalidate, and what one version, branch or table
 * decoded serves all others that share the chunk. Least recently used goes first.
 *
 * May be used from many threads.
 */
#ifndef ARMI_TABLE_COLUMN_CACHE_H
#define ARMI_TABLE_COLUMN_CACHE_H

#include <armillaria/hash.h>

#include "arrow/array_make.h"

struct armi_column_cache;

struct armi_column_key {
    struct armi_hash chunk;
    int32_t column;     /* id */
    uint64_t row, rows; /* of the file */
};

struct armi_column_cache_stats {
    uint64_t hits, misses, evictions, entries, bytes, capacity;
};

/* `capacity` in bytes of Arrow data. *out is owned: armi_column_cache_free(). */
enum armi_status armi_column_cache_new(uint64_t capacity, struct armi_column_cache **out,
                                       struct armi_error *err);
void armi_column_cache_free(struct armi_column_cache *cache);

/* *found: an array of the field's type that shares what is kept, owned by the caller. */
enum armi_status armi_column_cache_get(struct armi_column_cache *cache,
                                       const struct armi_column_key *key,
                                       const struct armi_field *field, bool *found,
                                       struct ArrowArray *out, struct armi_error *err);
/*
 * Keeps *array, which goes on belonging to the caller: it is replaced by one that shares the
 * data. Arrays larger than a quarter of the capacity are not kept.
 */
enum armi_status armi_column_cache_put(struct armi_column_cache *cache,
                                       const struct armi_column_key *key,
                                       const struct armi_field *field,
                                       struct ArrowArray *array, struct armi_error *err);
void armi_column_cache_stats(struct armi_column_cache *cache,
                             struct armi_column_cache_stats *out);

#endif
