/*
 * Memory of the program. A command runs once and ends, so what it needs is kept until the
 * end and freed there in one place; only what grows with the data is freed on the way.
 * Running out of memory ends the program with a message.
 */
#ifndef ARMI_CLI_CLI_MEMORY_H
#define ARMI_CLI_CLI_MEMORY_H

#include <stddef.h>

/* Zeroed, until cli_memory_release(). */
void *cli_keep(size_t count, size_t size);
char *cli_keep_text(const char *text, size_t size);
void cli_memory_release(void);

/* Room for `need` items in a growing array: moves it and doubles *capacity as needed. */
void *cli_grow(void *items, size_t *capacity, size_t need, size_t item_size);
void cli_free(void *memory);

#endif
