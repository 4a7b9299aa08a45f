/*
 * Blocks that double up to a limit; what is larger than a block gets one of its own.
 */
#include "predicate/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"

#define ARENA_ALIGNMENT  16
#define ARENA_BLOCK_MIN  ((size_t)1 << 10)
#define ARENA_BLOCK_MAX  ((size_t)1 << 18)
#define ARENA_BLOCK_HEAD 64 /* of the block, so that what follows is aligned */

struct armi_arena_block {
    struct armi_arena_block *next;
    size_t used; /* with the head */
    size_t size;
};

static struct armi_arena_block *block_new(struct armi_arena *arena, size_t wanted)
{
    size_t size = ARENA_BLOCK_MIN;
    if (arena->blocks != NULL && arena->blocks->size < ARENA_BLOCK_MAX)
        size = 2 * arena->blocks->size;
    else if (arena->blocks != NULL)
        size = ARENA_BLOCK_MAX;
    if (size < wanted)
        size = wanted;
    struct armi_arena_block *block = armi_alloc(size);
    if (block == NULL)
        return NULL;
    *block = (struct armi_arena_block){arena->blocks, ARENA_BLOCK_HEAD, size};
    arena->blocks = block;
    return block;
}

void *armi_arena_take(struct armi_arena *arena, size_t count, size_t size)
{
    size_t bytes, wanted;
    if (!armi_size_mul(count, size, &bytes) ||
        !armi_size_add(bytes, ARENA_ALIGNMENT - 1, &bytes))
        return NULL;
    bytes &= ~(size_t)(ARENA_ALIGNMENT - 1);
    if (!armi_size_add(bytes, ARENA_BLOCK_HEAD, &wanted))
        return NULL;
    struct armi_arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < bytes)
        block = block_new(arena, wanted);
    if (block == NULL)
        return NULL;
    void *out = (uint8_t *)block + block->used;
    block->used += bytes;
    memset(out, 0, bytes);
    return out;
}

void armi_arena_release(struct armi_arena *arena)
{
    while (arena->blocks != NULL) {
        struct armi_arena_block *block = arena->blocks;
        arena->blocks = block->next;
        armi_free(block);
    }
}
