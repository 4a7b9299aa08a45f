/*
 * Large blocks of memory that are used again: a fresh page of memory costs more than most work that
 * is done on it (zeroing, faults), so codecs take slabs and give them back. Slabs ask for huge pages.
 * What is given back is kept for the next taker, up to a limit beyond which the oldest goes, unless an allocator of the embedder's
 * is set: then every slab comes from there and goes back at once.
 */
#ifndef ARMI_BASE_SLAB_H
#define ARMI_BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ARMI_SLAB_SIZE ((size_t)2 << 20)
/* Smaller buffers are better asked from malloc: what it gives back to the system of many larger ones, when a
 * result of many columns is freed, took longer to get again than to fill. */
#define ARMI_SLAB_BUFFER_MIN ((size_t)4 << 10)

struct armi_slab {
    struct armi_slab *next; /* for lists of whoever holds it */
    uint8_t *data;          /* 64-byte aligned, not initialised */
    size_t size;            /* at least what was asked for */
    /* While it is kept, which and where, and when it was given back. */
    unsigned list;
    struct armi_slab *newer;
    uint64_t given;
};

/* A slab of at least `size` bytes and at least ARMI_SLAB_SIZE, owned by the caller. */
enum armi_status armi_slab_take(size_t size, struct armi_slab **out,
                                struct armi_error *err);
/* The same for one buffer of any size: below ARMI_SLAB_SIZE of small pages, so that what is not touched of
 * it is no memory either; small ones are not kept. */
enum armi_status armi_slab_take_buffer(size_t size, struct armi_slab **out,
                                       struct armi_error *err);
/* Gives back the whole list that begins here; NULL is allowed. */
void armi_slab_give(struct armi_slab *list);
/* Frees all that is kept. */
void armi_slab_trim(void);

#endif
