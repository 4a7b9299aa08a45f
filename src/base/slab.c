/*
 * Slabs of one size (2 MiB, what a huge page holds) are kept in one list under one lock; larger ones
 * in a second list, where the first that fits is taken if it is not more than twice as large as
 * wanted; buffers of 8 KiB to 2 MiB in a list for each size, four to each power of two. The struct stands
 * apart from the memory, so that the memory keeps its alignment.
 */
#include "base/slab.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"

#define KEPT_BYTES_MAX ((size_t)256 << 20)
#define HUGE_PAGE      ((size_t)2 << 20)
#define LOCK_TRIES     1000

#define BUFFER_MIN ((size_t)8 << 10)
#define DOUBLINGS  8
_Static_assert(BUFFER_MIN << DOUBLINGS == ARMI_SLAB_SIZE,
               "a list for each size of buffers");
enum {
    LIST_SLABS,
    LIST_LARGE,
    LIST_BUFFERS,
    LIST_COUNT = LIST_BUFFERS + 4 * DOUBLINGS + 1
};

static struct {
    pthread_mutex_t lock;
    struct kept_list {
        struct armi_slab *newest, *oldest;
    } lists[LIST_COUNT];
    size_t bytes;
    uint64_t given;
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void kept_add(struct armi_slab *slab)
{
    struct kept_list *list = &kept.lists[slab->list];
    slab->next = list->newest;
    slab->newer = NULL;
    slab->given = kept.given++;
    if (list->newest != NULL)
        list->newest->newer = slab;
    else
        list->oldest = slab;
    list->newest = slab;
    kept.bytes += slab->size;
}

static void kept_remove(struct armi_slab *slab)
{
    struct kept_list *list = &kept.lists[slab->list];
    *(slab->newer != NULL ? &slab->newer->next : &list->newest) = slab->next;
    *(slab->next != NULL ? &slab->next->newer : &list->oldest) = slab->newer;
    slab->next = NULL;
    kept.bytes -= slab->size;
}

/* The newest that is large enough and not wastefully so. */
static struct armi_slab *kept_find(unsigned list, size_t size)
{
    struct armi_slab *slab = kept.lists[list].newest;
    while (slab != NULL && (slab->size < size || slab->size / 2 > size))
        slab = slab->next;
    return slab;
}

/* Sizes that nobody asks for any more must not keep those out that are in use. */
static struct armi_slab *kept_oldest(void)
{
    struct armi_slab *oldest = NULL;
    for (size_t i = 0; i < LIST_COUNT; i++) {
        struct armi_slab *slab = kept.lists[i].oldest;
        if (slab != NULL && (oldest == NULL || slab->given < oldest->given))
            oldest = slab;
    }
    return oldest;
}

/* The lock is tried for longer than anybody holds it: in a forked child it may be taken for ever, who finds
 * it so goes without. */
static bool kept_lock(void)
{
    for (int i = 0; i < LOCK_TRIES; i++)
        if (pthread_mutex_trylock(&kept.lock) == 0)
            return true;
    return false;
}

static struct armi_slab *kept_take(unsigned list, size_t size)
{
    if (!kept_lock())
        return NULL;
    struct armi_slab *slab = kept_find(list, size);
    if (slab != NULL)
        kept_remove(slab);
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

static enum armi_status slab_take(unsigned list, size_t size, struct armi_slab **out,
                                  struct armi_error *err)
{
    struct armi_slab *slab = list < LIST_COUNT ? kept_take(list, size) : NULL;
    if (slab == NULL) {
        bool is_huge = list < LIST_BUFFERS;
        slab = armi_alloc_zero(1, sizeof *slab);
        uint8_t *data =
            slab != NULL ? armi_alloc_aligned(size, is_huge ? HUGE_PAGE : 64) : NULL;
        if (data == NULL) {
            armi_free(slab);
            return armi_error_no_memory(err);
        }
        *slab = (struct armi_slab){.data = data, .size = size, .list = list};
        if (is_huge)
            advise_huge(data, size);
    }
    slab->next = NULL;
    *out = slab;
    return ARMI_OK;
}

enum armi_status armi_slab_take(size_t size, struct armi_slab **out, struct armi_error *err)
{
    if (size <= ARMI_SLAB_SIZE)
        return slab_take(LIST_SLABS, ARMI_SLAB_SIZE, out, err);
    return slab_take(LIST_LARGE, size, out, err);
}

enum armi_status armi_slab_take_buffer(size_t size, struct armi_slab **out,
                                       struct armi_error *err)
{
    unsigned list = LIST_BUFFERS;
    size_t room = BUFFER_MIN, step = BUFFER_MIN / 4;
    if (size >= ARMI_SLAB_SIZE)
        return armi_slab_take(size, out, err);
    if (size < ARMI_SLAB_BUFFER_MIN)
        return slab_take(LIST_COUNT, size, out, err);
    for (; room < size; list++) {
        room += step;
        if (room == 8 * step)
            step *= 2;
    }
    /* Nothing is kept where the embedder allocates, so there is no reason to round. */
    return slab_take(list, armi_allocator_is_default() ? room : size, out, err);
}

/* Keeps the slab; what is free now, another or itself, is the caller's, as a list. */
static struct armi_slab *kept_give(struct armi_slab *slab)
{
    struct armi_slab *free_now = NULL;
    slab->next = NULL;
    if (slab->list == LIST_COUNT || slab->size > KEPT_BYTES_MAX ||
        !armi_allocator_is_default() || !kept_lock())
        return slab;
    while (slab->size > KEPT_BYTES_MAX - kept.bytes) {
        struct armi_slab *oldest = kept_oldest();
        kept_remove(oldest);
        oldest->next = free_now;
        free_now = oldest;
    }
    kept_add(slab);
    pthread_mutex_unlock(&kept.lock);
    return free_now;
}

static void slabs_free(struct armi_slab *slab)
{
    while (slab != NULL) {
        struct armi_slab *next = slab->next;
        armi_free(slab->data);
        armi_free(slab);
        slab = next;
    }
}

void armi_slab_give(struct armi_slab *list)
{
    while (list != NULL) {
        struct armi_slab *slab = list;
        list = slab->next;
        slabs_free(kept_give(slab));
    }
}

void armi_slab_trim(void)
{
    struct kept_list lists[LIST_COUNT];
    if (!kept_lock())
        return;
    memcpy(lists, kept.lists, sizeof lists);
    memset(kept.lists, 0, sizeof kept.lists);
    kept.bytes = 0;
    pthread_mutex_unlock(&kept.lock);
    for (size_t i = 0; i < LIST_COUNT; i++)
        slabs_free(lists[i].newest);
}
