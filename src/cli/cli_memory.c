/*
 * The one file of the program that asks the C library for memory.
 */
#include "cli_memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct kept {
    struct kept *next;
    max_align_t memory[];
};

static struct kept *kept;

static void out_of_memory(void)
{
    fputs("armi: out of memory\n", stderr);
    exit(CLI_FAILED);
}

static size_t checked_size(size_t count, size_t size, size_t extra)
{
    if (size != 0 && count > (SIZE_MAX - extra) / size)
        out_of_memory();
    return count * size + extra;
}

void *cli_keep(size_t count, size_t size)
{
    struct kept *block = calloc(1, checked_size(count, size, sizeof *block));
    if (block == NULL)
        out_of_memory();
    block->next = kept;
    kept = block;
    return block->memory;
}

char *cli_keep_text(const char *text, size_t size)
{
    char *copy = cli_keep(checked_size(size, 1, 1), 1);
    if (size > 0)
        memcpy(copy, text, size);
    return copy;
}

void cli_memory_release(void)
{
    while (kept != NULL) {
        struct kept *next = kept->next;
        free(kept);
        kept = next;
    }
}

void *cli_grow(void *items, size_t *capacity, size_t need, size_t item_size)
{
    if (need <= *capacity)
        return items;
    size_t wanted = *capacity < 16 ? 16 : *capacity;
    while (wanted < need)
        wanted = wanted > SIZE_MAX / 2 ? need : wanted * 2;
    void *moved = realloc(items, checked_size(wanted, item_size, 0));
    if (moved == NULL)
        out_of_memory();
    *capacity = wanted;
    return moved;
}

void cli_free(void *memory)
{
    free(memory);
}
