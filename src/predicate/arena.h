/*
 * Memory of one compiled predicate: taken piece by piece while a text is parsed and typed,
 * freed all at once. Nothing is given back in between.
 */
#ifndef ARMI_PREDICATE_ARENA_H
#define ARMI_PREDICATE_ARENA_H

#include <stddef.h>

#include "base/error.h"

struct armi_arena_block;

struct armi_arena {
    struct armi_arena_block *blocks;
};

/* `count` zeroed items of `size` bytes, aligned for any type, owned by the arena; NULL when
 * there is no memory. */
void *armi_arena_take(struct armi_arena *arena, size_t count, size_t size);
void armi_arena_release(struct armi_arena *arena);

#endif
