/*
 * The allocator hook. default_alloc below is the only place that asks the C library for memory.
 */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/slab.h"

static void *default_alloc(void *ctx, size_t size, size_t alignment)
{
    (void)ctx;
    void *ptr = NULL;
    if (alignment <=
        ARMI_RECORD_ALIGNMENT) /* a third of the time, and no holes beside it */
        return malloc(size);
    return posix_memalign(&ptr, alignment, size) == 0 ? ptr : NULL;
}

static void default_free(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}

static const struct armi_allocator default_allocator = {default_alloc, default_free, NULL};
static struct armi_allocator current = {default_alloc, default_free, NULL};

void armi_allocator_set(const struct armi_allocator *allocator)
{
    armi_slab_trim(); /* no block may go back to another allocator than it came from */
    current = allocator != NULL ? *allocator : default_allocator;
}

bool armi_allocator_is_default(void)
{
    return current.alloc == default_alloc;
}

void *armi_alloc_aligned(size_t size, size_t alignment)
{
    return current.alloc(current.ctx, size != 0 ? size : 1, alignment);
}

void *armi_alloc(size_t size)
{
    return armi_alloc_aligned(size, ARMI_ALIGNMENT);
}

void *armi_alloc_array(size_t count, size_t size)
{
    size_t total;
    return armi_size_mul(count, size, &total) ? armi_alloc(total) : NULL;
}

void *armi_alloc_zero(size_t count, size_t size)
{
    size_t total;
    if (!armi_size_mul(count, size, &total))
        return NULL;
    void *ptr = armi_alloc_aligned(total, ARMI_RECORD_ALIGNMENT);
    if (ptr != NULL)
        memset(ptr, 0, total);
    return ptr;
}

void *armi_realloc(void *ptr, size_t old_size, size_t new_size)
{
    void *fresh = armi_alloc(new_size);
    if (fresh == NULL)
        return NULL;
    if (ptr != NULL) {
        memcpy(fresh, ptr, old_size < new_size ? old_size : new_size);
        armi_free(ptr);
    }
    return fresh;
}

void armi_free(void *ptr)
{
    if (ptr != NULL)
        current.free(current.ctx, ptr);
}

char *armi_strndup(const char *text, size_t size)
{
    char *copy = armi_alloc_aligned(size + 1, ARMI_RECORD_ALIGNMENT);
    if (copy != NULL) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

char *armi_strdup(const char *text)
{
    return armi_strndup(text, strlen(text));
}
