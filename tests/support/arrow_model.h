/*
 * Arrow data as a test sees it: rows as trees of values, built into arrays as differently as the
 * Arrow specification allows for the same rows, and read back. What must not depend on layout is
 * tested by building one model twice.
 */
#ifndef ARMI_ARROW_MODEL_H
#define ARMI_ARROW_MODEL_H

#include <stdbool.h>

#include "arrow/array_make.h"

struct model_random {
    uint64_t state;
};

/* A value: null; or bytes (fixed width: little-endian; bool: one byte; strings); or parts (elements,
 * members). Dictionaries and run-end arrays have their value's model. */
struct model_value {
    bool is_null;
    size_t size;
    uint8_t *bytes;
    size_t count;
    struct model_value *parts;
};

/* Owns all values that were made with it. */
struct model {
    struct model_block *blocks;
};

enum {
    MODEL_PLAIN = 0,
    MODEL_NOISE =
        1, /* offsets, garbage under nulls, slack, shuffled and repeated dictionaries */
};

uint64_t model_next(struct model_random *random);
/* 0 .. below - 1 */
size_t model_below(struct model_random *random, size_t below);

void model_release(struct model *model);
/* A null with probability nulls/16, also within. */
struct model_value model_random_value(struct model *model, const struct armi_field *field,
                                      struct model_random *random, unsigned nulls);
struct model_value *model_random_rows(struct model *model, const struct armi_field *field,
                                      struct model_random *random, size_t count,
                                      unsigned nulls);
bool model_equal(const struct armi_field *field, const struct model_value *a,
                 const struct model_value *b);

/* The rows as an array of the type; fails the test if that cannot be. */
void model_build(struct model *model, const struct armi_field *field,
                 const struct model_value *rows, size_t count, unsigned flags,
                 struct model_random *random, struct ArrowArray *out);
/* Row i as a value, by the accessors of array.h alone. */
struct model_value model_read(struct model *model, const struct armi_array *array,
                              int64_t i);
/* Fails the test unless row from + i of the array is rows[i], for all of count. */
void model_assert(struct model *model, const struct armi_array *array, int64_t from,
                  const struct model_value *rows, size_t count, const char *what);

/* Types to try everything with, as texts for armi_type_parse; NULL ends the list. */
extern const char *const model_types[];

/* An array of the model together with its field and view. */
struct model_column {
    struct armi_field field;
    struct ArrowArray array;
    struct armi_array view;
};
void model_column_init(struct model_column *self, struct model *model, const char *type,
                       const struct model_value *rows, size_t count, unsigned flags,
                       struct model_random *random);
void model_column_release(struct model_column *self);
/* Of an array that was made elsewhere (moved), fully validated. */
void model_column_adopt(struct model_column *self, const struct armi_field *field,
                        struct ArrowArray *array);

#endif
