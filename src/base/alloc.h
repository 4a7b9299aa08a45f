/*
 * All memory of the library comes from here, so that tests can make the n-th allocation fail and
 * embedders can bring their own allocator. Third-party codecs keep their own malloc.
 */
#ifndef ARMI_BASE_ALLOC_H
#define ARMI_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* Values are aligned to 64 bytes, as Arrow asks; records and texts as malloc aligns them. */
#define ARMI_ALIGNMENT        64
#define ARMI_RECORD_ALIGNMENT 16

/* `alignment` is ARMI_RECORD_ALIGNMENT or more, a power of two; NULL: there is no memory. From any thread. */
struct armi_allocator {
    void *(*alloc)(void *ctx, size_t size, size_t alignment);
    void (*free)(void *ctx, void *ptr);
    void *ctx;
};

/* Replaces the allocator, or restores the default for NULL. Before any other call, or in a test. */
void armi_allocator_set(const struct armi_allocator *allocator);
/* Whether memory comes from the C library. */
bool armi_allocator_is_default(void);

/* NULL when there is no memory. A size of 0 gives a block that may be freed. */
void *armi_alloc(size_t size);
/* `alignment` is a power of two of at least ARMI_RECORD_ALIGNMENT. */
void *armi_alloc_aligned(size_t size, size_t alignment);
/* For records, not for values that are handed out: aligned to ARMI_RECORD_ALIGNMENT. */
void *armi_alloc_zero(size_t count, size_t size);
void *armi_alloc_array(size_t count, size_t size);
/* The old block stays valid on failure. `old_size` bytes are kept. */
void *armi_realloc(void *ptr, size_t old_size, size_t new_size);
void armi_free(void *ptr);
char *armi_strdup(const char *text);
char *armi_strndup(const char *text, size_t size);

#endif
