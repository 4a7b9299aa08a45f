/*
 * Memory of a worker: slabs for what goes out, slots for what is used up at once.
 */
#include "parquet/enc_internal.h"

#include <string.h>

#include "base/alloc.h"

#define SLAB_MAX ((size_t)16 << 20)

size_t enc_sink_room(const struct enc_sink *sink)
{
    return sink->slabs != NULL ? sink->slabs->size - sink->used : 0;
}

enum armi_status enc_sink_reserve(struct enc_sink *sink, size_t size, uint8_t **out,
                                  struct armi_error *err)
{
    struct armi_slab *slab = sink->slabs;
    if (slab == NULL || enc_sink_room(sink) < size) {
        size_t more = sink->size / 8 < SLAB_MAX ? sink->size / 8 : SLAB_MAX;
        more -= more % ARMI_SLAB_SIZE;
        ARMI_TRY(armi_slab_take(more > size ? more : size, &slab, err));
        slab->next = sink->slabs;
        sink->slabs = slab;
        sink->used = 0;
        sink->size += slab->size;
    }
    *out = slab->data + sink->used;
    return ARMI_OK;
}

void enc_sink_join(struct enc_sink *sink, struct armi_slab *slab, size_t used)
{
    bool is_newest = sink->slabs == NULL || slab->size - used > enc_sink_room(sink);
    struct armi_slab **at = is_newest ? &sink->slabs : &sink->slabs->next;
    if (is_newest)
        sink->used = used;
    slab->next = *at;
    *at = slab;
    sink->size += slab->size;
}

void enc_sink_commit(struct enc_sink *sink, const uint8_t *reserved, size_t size)
{
    size_t end = (size_t)(reserved - sink->slabs->data) + size;
    end = (end + 63) & ~(size_t)63;
    sink->used = end < sink->slabs->size ? end : sink->slabs->size;
}

void enc_sink_clear(struct enc_sink *sink)
{
    if (sink->slabs == NULL)
        return;
    armi_slab_give(sink->slabs->next);
    sink->slabs->next = NULL;
    sink->used = 0;
    sink->size = sink->slabs->size;
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
    armi_slab_give(worker->out.slabs);
    armi_slab_give(worker->sink.slabs);
    armi_slab_give(worker->entries.slabs);
    armi_codec_context_free(worker->codecs);
    for (size_t i = 0; i < ENC_SLOT_COUNT; i++)
        armi_slab_give(worker->slots[i]);
    *worker = (struct enc_worker){0};
}
