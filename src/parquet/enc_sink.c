/*
 * Memory of a worker: slabs for what goes out, slots for what is used up at once.
 */
#include "parquet/enc_internal.h"

#include <string.h>

#include "base/alloc.h"

enum armi_status enc_sink_reserve(struct enc_sink *sink, size_t size, uint8_t **out,
                                  struct armi_error *err)
{
    struct armi_slab *slab = sink->slabs;
    if (slab == NULL || slab->size - sink->used < size) {
        ARMI_TRY(armi_slab_take(size, &slab, err));
        slab->next = sink->slabs;
        sink->slabs = slab;
        sink->used = 0;
    }
    *out = slab->data + sink->used;
    return ARMI_OK;
}

void enc_sink_commit(struct enc_sink *sink, const uint8_t *reserved, size_t size)
{
    size_t end = (size_t)(reserved - sink->slabs->data) + size;
    end = (end + 63) & ~(size_t)63;
    sink->used = end < sink->slabs->size ? end : sink->slabs->size;
}

enum armi_status enc_slot_grow(struct enc_worker *worker, enum enc_slot slot, size_t keep,
                               size_t size, void *out, struct armi_error *err)
{
    struct armi_slab *old = worker->slots[slot];
    if (old == NULL || old->size < size) {
        size_t wanted = old != NULL && old->size * 2 > size ? old->size * 2 : size;
        struct armi_slab *slab;
        ARMI_TRY(armi_slab_take(wanted, &slab, err));
        if (keep > 0)
            memcpy(slab->data, old->data, keep);
        armi_slab_give(old);
        worker->slots[slot] = slab;
    }
    void *data = worker->slots[slot]->data;
    memcpy(out, &data, sizeof data);
    return ARMI_OK;
}

enum armi_status enc_slot_get(struct enc_worker *worker, enum enc_slot slot, size_t size,
                              void *out, struct armi_error *err)
{
    return enc_slot_grow(worker, slot, 0, size, out, err);
}

void enc_worker_release(struct enc_worker *worker)
{
    armi_slab_give(worker->sink.slabs);
    armi_codec_context_free(worker->codecs);
    for (size_t i = 0; i < ENC_SLOT_COUNT; i++)
        armi_slab_give(worker->slots[i]);
    *worker = (struct enc_worker){0};
}
