/*
 * The dictionary of a column chunk: values get numbers in the order in which they first occur. One
 * table of numbers with open addressing, entries beside it; a value is hashed once and its number is
 * kept, so that no page is looked up twice.
 *
 * Numbers and strings differ in what an entry is. A string of at most 16 bytes is wholly told by its
 * length and two loads, so its bytes are never looked at again. Collisions that somebody chose make
 * probes long; a probe of more than PROBES_MAX gives the dictionary up, which costs size and nothing
 * else.
 */
#include "parquet/enc_dict.h"

#include <string.h>

#define TABLE_MIN  4096
#define PROBES_MAX 256

struct string_entry {
    uint64_t head, tail; /* the first and last eight bytes, see key_load */
    const uint8_t *data;
    uint32_t size;
    uint32_t hash;
};

__extension__ typedef unsigned __int128 u128;

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    u128 product =
        (u128)(a ^ UINT64_C(0x9e3779b97f4a7c15)) * (b ^ UINT64_C(0xd1b54a32d192ed03));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline void key_load(const uint8_t *p, size_t n, uint64_t *head, uint64_t *tail)
{
    if (n >= 8) {
        *head = armi_load64(p);
        *tail = armi_load64(p + n - 8);
        return;
    }
    *tail = 0;
    if (n >= 4)
        *head = armi_load32(p) | (uint64_t)armi_load32(p + n - 4) << 32;
    else
        *head = n == 0 ? 0 : p[0] | (uint64_t)p[n / 2] << 8 | (uint64_t)p[n - 1] << 16;
}

static inline uint32_t string_hash(const uint8_t *p, size_t n, uint64_t head, uint64_t tail)
{
    uint64_t h = mix(head + n, tail);
    for (size_t i = 8; i + 8 < n; i += 8)
        h = mix(h, armi_load64(p + i));
    return (uint32_t)(h >> 32);
}

static inline uint32_t number_hash(uint64_t v)
{
    return (uint32_t)(mix(v, 0) >> 32);
}

/* ---- growing ---- */

static bool is_string(const struct enc_dict *d)
{
    return d->width == 0 || d->width > 8;
}

static size_t entry_size(const struct enc_dict *d)
{
    return is_string(d) ? sizeof(struct string_entry) : sizeof(uint64_t);
}

static inline struct string_entry *string_entries(const struct enc_dict *d)
{
    return d->entries;
}

static inline uint64_t *number_entries(const struct enc_dict *d)
{
    return d->entries;
}

static void table_fill(struct enc_dict *d)
{
    memset(d->table, 0, (d->mask + 1) * sizeof *d->table);
    for (uint32_t i = 0; i < d->count; i++) {
        uint32_t hash =
            is_string(d) ? string_entries(d)[i].hash : number_hash(number_entries(d)[i]);
        size_t at = hash & d->mask;
        while (d->table[at] != 0)
            at = (at + 1) & d->mask;
        d->table[at] = i + 1;
    }
}

static enum armi_status table_resize(struct enc_column *c, struct enc_dict *d, size_t slots)
{
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_DICT, slots * sizeof *d->table, &d->table,
                          c->err));
    ARMI_TRY(enc_slot_grow(c->worker, ENC_SLOT_ENTRIES, d->count * entry_size(d),
                           (slots / 2 + 1) * entry_size(d), &d->entries, c->err));
    d->mask = slots - 1;
    table_fill(d);
    return ARMI_OK;
}

enum armi_status enc_dict_init(struct enc_column *c, struct enc_dict *d, uint64_t bytes_max)
{
    *d = (struct enc_dict){.bytes_max = bytes_max};
    bool strings = c->leaf->physical == ARMI_PQ_BYTE_ARRAY;
    d->width =
        strings ? 0
        : c->leaf->physical == ARMI_PQ_FIXED
            ? (uint32_t)c->leaf->type_length
            : (c->leaf->physical == ARMI_PQ_INT32 || c->leaf->physical == ARMI_PQ_FLOAT
                   ? 4
                   : 8);
    return table_resize(c, d, TABLE_MIN);
}

/* ---- adding ---- */

static inline uint64_t number_load(const uint8_t *p, uint32_t width)
{
    if (width == 8)
        return armi_load64(p);
    if (width == 4)
        return armi_load32(p);
    uint64_t v = 0;
    memcpy(&v, p, width);
    return v;
}

/* Both loops stop where the table must grow; the caller grows it and goes on. */
static inline size_t numbers_add(struct enc_dict *d, const uint8_t *in, uint32_t width,
                                 size_t count, uint32_t *out)
{
    uint64_t *entries = number_entries(d), last = 0;
    uint32_t *table = d->table, n = d->count, last_index = UINT32_MAX;
    size_t mask = d->mask, room = mask / 2, i = 0;
    for (; i < count; i++) {
        uint64_t v = number_load(in + i * width, width);
        if (v == last && last_index != UINT32_MAX) {
            out[i] = last_index;
            continue;
        }
        size_t at = number_hash(v) & mask, probes = 0;
        while (table[at] != 0 && entries[table[at] - 1] != v) {
            at = (at + 1) & mask;
            if (++probes > PROBES_MAX)
                goto stop;
        }
        if (table[at] == 0) {
            if (n >= room)
                break;
            entries[n] = v;
            table[at] = ++n;
        }
        last = v;
        last_index = out[i] = table[at] - 1;
    }
    d->count = n;
    return i;
stop:
    d->count = n;
    d->given_up = true;
    return i;
}

static size_t strings_add(struct enc_dict *d, const struct armi_slice *in, size_t count,
                          uint32_t *out)
{
    struct string_entry *entries = string_entries(d);
    uint32_t *table = d->table, n = d->count;
    size_t mask = d->mask, room = mask / 2, i = 0;
    for (; i < count; i++) {
        const uint8_t *p = in[i].data;
        size_t size = in[i].size, probes = 0;
        uint64_t head, tail;
        key_load(p, size, &head, &tail);
        uint32_t hash = string_hash(p, size, head, tail);
        size_t at = hash & mask;
        for (; table[at] != 0; at = (at + 1) & mask) {
            const struct string_entry *e = &entries[table[at] - 1];
            if (e->head == head && e->tail == tail && e->size == size &&
                (size <= 16 || memcmp(e->data + 8, p + 8, size - 16) == 0))
                break;
            if (++probes > PROBES_MAX) {
                d->given_up = true;
                goto done;
            }
        }
        if (table[at] == 0) {
            if (n >= room)
                break;
            entries[n] = (struct string_entry){head, tail, p, (uint32_t)size, hash};
            d->bytes += size + 4;
            table[at] = ++n;
        }
        out[i] = table[at] - 1;
    }
done:
    d->count = n;
    return i;
}

/* Fixed-width values of more than eight bytes are strings of one size, kept in the sink's memory where
 * they do not lie in the input. */
static size_t wide_add(struct enc_dict *d, const struct enc_values *v, size_t from,
                       size_t count, uint32_t *out)
{
    struct armi_slice some[256];
    size_t done = 0;
    while (done < count) {
        size_t n = count - done < 256 ? count - done : 256;
        for (size_t i = 0; i < n; i++)
            some[i] =
                (struct armi_slice){v->fixed + (from + done + i) * v->width, v->width};
        size_t taken = strings_add(d, some, n, out + done);
        done += taken;
        if (taken < n)
            break;
    }
    return done;
}

static size_t some_add(struct enc_dict *d, const struct enc_values *v, size_t from,
                       size_t count, uint32_t *out)
{
    if (v->strings != NULL)
        return strings_add(d, v->strings + from, count, out);
    const uint8_t *in = v->fixed + from * v->width;
    switch (v->width) {
    case 4:
        return numbers_add(d, in, 4, count, out);
    case 8:
        return numbers_add(d, in, 8, count, out);
    default:
        return v->width < 8 ? numbers_add(d, in, v->width, count, out)
                            : wide_add(d, v, from, count, out);
    }
}

/* New entries of wide values point into memory of the page: they move to memory that stays. */
static enum armi_status entries_keep(struct enc_column *c, struct enc_dict *d,
                                     uint32_t from)
{
    if (d->width <= 8 || d->count == from)
        return ARMI_OK;
    uint8_t *at;
    size_t size = (size_t)(d->count - from) * d->width;
    ARMI_TRY(enc_sink_reserve(&c->worker->sink, size, &at, c->err));
    enc_sink_commit(&c->worker->sink, at, size);
    for (uint32_t i = from; i < d->count; i++, at += d->width) {
        memcpy(at, string_entries(d)[i].data, d->width);
        string_entries(d)[i].data = at;
    }
    return ARMI_OK;
}

uint64_t enc_dict_bytes(const struct enc_dict *d)
{
    return d->width > 0 ? (uint64_t)d->count * d->width : d->bytes;
}

enum armi_status enc_dict_add(struct enc_column *c, struct enc_dict *d,
                              const struct enc_values *v, uint32_t *indices)
{
    uint32_t before = d->count;
    for (size_t done = 0; done < v->count && !d->given_up;) {
        done += some_add(d, v, done, v->count - done, indices + done);
        if (enc_dict_bytes(d) > d->bytes_max)
            d->given_up = true;
        else if (done < v->count && !d->given_up)
            ARMI_TRY(table_resize(c, d, 2 * (d->mask + 1)));
    }
    return entries_keep(c, d, before);
}

/* ---- what comes out ---- */

enum armi_status enc_dict_values(struct enc_column *c, const struct enc_dict *d,
                                 struct enc_values *out)
{
    *out = (struct enc_values){.count = d->count, .width = d->width};
    if (d->width == 0) {
        struct armi_slice *slices;
        ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_FLAT, (d->count + 1) * sizeof *slices,
                              &slices, c->err));
        for (uint32_t i = 0; i < d->count; i++) {
            slices[i] =
                (struct armi_slice){string_entries(d)[i].data, string_entries(d)[i].size};
            out->bytes += slices[i].size;
        }
        out->strings = slices;
        return ARMI_OK;
    }
    uint8_t *fixed;
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_FLAT, (size_t)d->count * d->width + 64,
                          &fixed, c->err));
    for (uint32_t i = 0; i < d->count; i++) {
        const void *from = d->width > 8 ? (const void *)string_entries(d)[i].data
                                        : (const void *)&number_entries(d)[i];
        memcpy(fixed + (size_t)i * d->width, from, d->width);
    }
    out->fixed = fixed;
    return ARMI_OK;
}

/* Bounds of a page by the entries that it uses: each is compared once. */
enum armi_status enc_dict_stats(struct enc_column *c, const struct enc_dict *d,
                                const uint32_t *indices, size_t count,
                                struct enc_stats *stats)
{
    uint8_t *seen;
    struct armi_slice *slices;
    ARMI_TRY(
        enc_slot_get(c->worker, ENC_SLOT_LENGTHS, (size_t)d->count + 1, &seen, c->err));
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_FLAT, (d->count + 1) * sizeof *slices,
                          &slices, c->err));
    memset(seen, 0, d->count);
    for (size_t i = 0; i < count; i++)
        seen[indices[i]] = 1;
    struct enc_values used = {.strings = slices};
    for (uint32_t i = 0; i < d->count; i++)
        if (seen[i])
            slices[used.count++] =
                (struct armi_slice){string_entries(d)[i].data, string_entries(d)[i].size};
    enc_stats_values(c->order, &used, stats);
    return ARMI_OK;
}

unsigned enc_dict_width(const struct enc_dict *d)
{
    unsigned width = d->count > 1 ? armi_bit_width(d->count - 1u) : 1;
    return width; /* 1 for a single entry: some readers know no width of 0 */
}

size_t enc_dict_page_bound(size_t count, unsigned width)
{
    return 1 + enc_rle_bound(count, width);
}

size_t enc_dict_page(const uint32_t *indices, size_t count, unsigned width, uint8_t *out)
{
    *out = (uint8_t)width;
    return (size_t)(enc_rle_indices(indices, count, width, out + 1) - out);
}
