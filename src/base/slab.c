/*
 * Slabs of one size (2 MiB, what a huge page holds) are kept in one list under one lock; larger ones
 * in a second list, where the first that fits is taken if it is not more than twice as large as
 * wanted. The struct stands apart from the memory, so that the memory keeps its alignment.
 */
#include "base/slab.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "base/alloc.h"

#define KEPT_BYTES_MAX ((size_t)256 << 20)
#define HUGE_PAGE      ((size_t)2 << 20)

static struct {
    pthread_mutex_t lock;
    struct armi_slab *small;
    struct armi_slab *large;
    size_t bytes;
} kept = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL, 0};

static void slab_free(struct armi_slab *slab)
{
    armi_free(slab->data);
    armi_free(slab);
}

/* The first of the list that is large enough and not wastefully so. */
static struct armi_slab *list_take(struct armi_slab **at, size_t size)
{
    while (*at != NULL && ((*at)->size < size || (*at)->size / 2 > size))
        at = &(*at)->next;
    struct armi_slab *slab = *at;
    if (slab != NULL)
        *at = slab->next;
    return slab;
}

/* The lock is only tried: whoever finds it taken, also for ever in a forked child, goes without. */
static struct armi_slab *kept_take(size_t size)
{
    if (pthread_mutex_trylock(&kept.lock) != 0)
        return NULL;
    struct armi_slab *slab = size <= ARMI_SLAB_SIZE ? list_take(&kept.small, ARMI_SLAB_SIZE)
                                                    : list_take(&kept.large, size);
    if (slab != NULL)
        kept.bytes -= slab->size;
    pthread_mutex_unlock(&kept.lock);
    return slab;
}

/* Advice only: where it is refused, the memory is as good, and slower to get. */
static void advise_huge(uint8_t *data, size_t size)
{
#ifdef MADV_HUGEPAGE
    if (armi_allocator_is_default())
        (void)madvise(data, size & ~(HUGE_PAGE - 1), MADV_HUGEPAGE);
#else
    (void)data;
    (void)size;
#endif
}

enum armi_status armi_slab_take(size_t size, struct armi_slab **out, struct armi_error *err)
{
    if (size < ARMI_SLAB_SIZE)
        size = ARMI_SLAB_SIZE;
    struct armi_slab *slab = kept_take(size);
    if (slab == NULL) {
        slab = armi_alloc(sizeof *slab);
        uint8_t *data = slab != NULL ? armi_alloc_aligned(size, HUGE_PAGE) : NULL;
        if (data == NULL) {
            armi_free(slab);
            return armi_error_no_memory(err);
        }
        *slab = (struct armi_slab){NULL, data, size};
        advise_huge(data, size);
    }
    slab->next = NULL;
    *out = slab;
    return ARMI_OK;
}

static bool kept_give(struct armi_slab *slab)
{
    if (!armi_allocator_is_default() || pthread_mutex_trylock(&kept.lock) != 0)
        return false;
    bool keep = slab->size <= KEPT_BYTES_MAX - kept.bytes;
    if (keep) {
        struct armi_slab **head = slab->size == ARMI_SLAB_SIZE ? &kept.small : &kept.large;
        slab->next = *head;
        *head = slab;
        kept.bytes += slab->size;
    }
    pthread_mutex_unlock(&kept.lock);
    return keep;
}

void armi_slab_give(struct armi_slab *list)
{
    while (list != NULL) {
        struct armi_slab *slab = list;
        list = slab->next;
        if (!kept_give(slab))
            slab_free(slab);
    }
}

void armi_slab_trim(void)
{
    if (pthread_mutex_trylock(&kept.lock) != 0)
        return;
    struct armi_slab *lists[2] = {kept.small, kept.large};
    kept.small = NULL;
    kept.large = NULL;
    kept.bytes = 0;
    pthread_mutex_unlock(&kept.lock);
    for (size_t i = 0; i < 2; i++) {
        while (lists[i] != NULL) {
            struct armi_slab *next = lists[i]->next;
            slab_free(lists[i]);
            lists[i] = next;
        }
    }
}
