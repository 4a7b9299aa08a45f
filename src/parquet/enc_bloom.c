/*
 * Bloom filters of column chunks: of a dictionary its entries are hashed, else every value, and the
 * filter is made when it is known how many there are.
 */
#include "parquet/enc_internal.h"

#include <string.h>

#include "parquet/bloom.h"

bool enc_bloom_wanted(const struct enc_column *c)
{
    if (c->leaf->physical == ARMI_PQ_BOOLEAN || c->leaf->convert == ARMI_PQ_NULL)
        return false;
    for (size_t i = 0; i < c->settings->bloom_count; i++)
        if (c->settings->bloom_columns[i] == c->leaf->top)
            return true;
    return false;
}

enum armi_status enc_bloom_add(struct enc_column *c, const struct enc_values *v)
{
    uint64_t *hashes;
    ARMI_TRY(enc_slot_grow(c->worker, ENC_SLOT_BLOOM, c->bloom_count * sizeof *hashes,
                           (c->bloom_count + v->count) * sizeof *hashes, &hashes, c->err));
    hashes += c->bloom_count;
    for (size_t i = 0; i < v->count; i++)
        hashes[i] = v->strings != NULL
                        ? armi_bloom_hash(v->strings[i].data, v->strings[i].size)
                        : armi_bloom_hash(v->fixed + i * v->width, v->width);
    c->bloom_count += v->count;
    return ARMI_OK;
}

/* Header and blocks, in the worker's output. */
enum armi_status enc_bloom_finish(struct enc_column *c)
{
    if (c->bloom_count == 0)
        return ARMI_OK;
    size_t size = armi_bloom_size(c->bloom_count);
    struct armi_pq_bloom_header header = {0x1e, (int32_t)size, 1u << 1, 1u << 1, 1u << 1};
    struct armi_buf head = {0};
    uint64_t *hashes;
    uint8_t *at = NULL;
    enum armi_status status = armi_pq_bloom_header_write(&header, &head, c->err);
    if (status == ARMI_OK)
        status = enc_slot_grow(c->worker, ENC_SLOT_BLOOM, c->bloom_count * sizeof *hashes,
                               c->bloom_count * sizeof *hashes, &hashes, c->err);
    if (status == ARMI_OK)
        status = enc_sink_reserve(&c->worker->out, head.size + size, &at, c->err);
    if (status == ARMI_OK) {
        memcpy(at, head.data, head.size);
        memset(at + head.size, 0, size);
        for (size_t i = 0; i < c->bloom_count; i++)
            armi_bloom_insert(at + head.size, size, hashes[i]);
        enc_sink_commit(&c->worker->out, at, head.size + size);
        c->bloom = (struct armi_slice){at, head.size + size};
    }
    armi_buf_release(&head);
    return status;
}
