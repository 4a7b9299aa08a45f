/*
 * Memory of results: everything in one of them is freed at once.
 */
#include "repo/repo_internal.h"

#include <string.h>

#include <armillaria/commit.h>
#include <armillaria/diff.h>
#include <armillaria/merge.h>
#include <armillaria/ref.h>

#include "base/alloc.h"
#include "base/checked.h"

#define BLOCK_SIZE 8192

struct block {
    struct block *next;
    size_t used, size;
    /* bytes follow, aligned to 64 */
};

struct armi_arena {
    struct block *head;
};

enum armi_status armi_arena_new(struct armi_arena **out, struct armi_error *err)
{
    *out = armi_alloc_zero(1, sizeof **out);
    return *out != NULL ? ARMI_OK : armi_error_no_memory(err);
}

void armi_arena_free(struct armi_arena *arena)
{
    if (arena == NULL)
        return;
    for (struct block *block = arena->head, *next; block != NULL; block = next) {
        next = block->next;
        armi_free(block);
    }
    armi_free(arena);
}

void *armi_arena_alloc(struct armi_arena *arena, size_t count, size_t size)
{
    size_t total, need;
    if (!armi_size_mul(count, size, &total) || !armi_size_add(total, 15, &total))
        return NULL;
    total &= ~(size_t)15;
    if (arena->head == NULL || arena->head->size - arena->head->used < total) {
        size_t room = total > BLOCK_SIZE ? total : BLOCK_SIZE;
        if (!armi_size_add(room, ARMI_ALIGNMENT, &need))
            return NULL;
        struct block *block = armi_alloc(need);
        if (block == NULL)
            return NULL;
        *block = (struct block){arena->head, 0, room};
        arena->head = block;
    }
    uint8_t *at = (uint8_t *)arena->head + ARMI_ALIGNMENT + arena->head->used;
    arena->head->used += total;
    memset(at, 0, total);
    return at;
}

const char *armi_arena_text(struct armi_arena *arena, const void *text, size_t size)
{
    char *copy = armi_arena_alloc(arena, size + 1, 1);
    if (copy != NULL && size != 0)
        memcpy(copy, text, size);
    return copy;
}

const char *armi_arena_string(struct armi_arena *arena, const char *text)
{
    return armi_arena_text(arena, text, strlen(text));
}

/* Each result frees its arena and is zero afterwards, but for its size. */
#define RESULT_RELEASE(function, type)                                                     \
    void function(struct type *result)                                                     \
    {                                                                                      \
        size_t size = result->size;                                                        \
        armi_arena_free(result->private_data);                                             \
        memset(result, 0, sizeof *result);                                                 \
        result->size = size;                                                               \
    }

RESULT_RELEASE(armi_name_list_release, armi_name_list)
RESULT_RELEASE(armi_table_info_release, armi_table_info)
RESULT_RELEASE(armi_table_version_list_release, armi_table_version_list)
RESULT_RELEASE(armi_ref_list_release, armi_ref_list)
RESULT_RELEASE(armi_commit_list_release, armi_commit_list)
RESULT_RELEASE(armi_diff_release, armi_diff)
RESULT_RELEASE(armi_merge_result_release, armi_merge_result)
RESULT_RELEASE(armi_verify_result_release, armi_verify_result)
