/*
 * Random Arrow data of any type, from a seed: for tests that must hold for every type and
 * layout.
 */
#ifndef ARMI_ARROW_GEN_H
#define ARMI_ARROW_GEN_H

#include "arrow/array_make.h"

/* Every type that is carried, as the text of armi_type_parse, with nested and wrapped
 * ones. */
extern const char *const arrow_gen_types[];
extern const size_t arrow_gen_type_count;

/* A field of that type, named "x", nullable. Fails the test if the text is not a type. */
struct armi_field arrow_gen_field(const char *type);

/*
 * `rows` random values of the field's type: about one in `null_every` is null (0 = none),
 * strings are short and from a small alphabet with some long ones, numbers have extremes
 * among them. The same arguments give the same values. On failure (of an allocation)
 * nothing is left.
 */
enum armi_status arrow_gen_array(const struct armi_field *field, int64_t rows,
                                 unsigned null_every, uint64_t seed, struct ArrowArray *out,
                                 struct armi_error *err);

/* The next number of the generator (SplitMix64). */
uint64_t arrow_gen_next(uint64_t *seed);

/* Fails the test, naming `what`, unless rows of *a from `from` on are all the rows of *b,
 * in whatever layouts. */
void arrow_gen_same_rows(const char *what, const struct armi_array *a, int64_t from,
                         const struct armi_array *b);

#endif
