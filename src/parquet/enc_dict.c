/*
 * The dictionary of a column chunk: values get numbers in the order in which they first occur. One
 * table of numbers with open addressing, entries beside it; a value is hashed once and its number is
 * kept, so that no page is looked up twice.
 *
 * Values are looked up in batches. The first look decides nothing: the entry that the table names for
 * a value is its number, right or wrong, and what was wrong is noted without a branch. Only those are
 * then probed for, one by one and in order, and are mostly new. A large table is asked for its lines
 * before.
 *
 * Integers that lie close together need no hash: their distance from a base is their place. So do
 * doubles that are such integers, or a few decimals of them (prices, counts that had nulls).
 *
 * Numbers and strings differ in what an entry is. A string of at most 16 bytes is wholly told by its
 * length and two words, so its bytes are never looked at again. Collisions that somebody chose make
 * probes long; a probe of more than PROBES_MAX steps, or many that are long, give the dictionary up,
 * which costs size and nothing else.
 */
#include "parquet/enc_dict.h"

#include <string.h>

#include "parquet/enc_bytes.h"

#define TABLE_MIN  4096
#define PROBES_MAX 256
#define STEPS_FREE                                                                         \
    ((uint64_t)1 << 16) /* and four a value: tables are a quarter full at most */
#define BATCH  64
#define SHORT  16 /* bytes of a string that its key holds */
#define MEDIUM 32 /* bytes of a string that four words hold */
#define TABLE_LARGE                                                                        \
    ((size_t)1 << 16) /* slots from which on a look is worth asking ahead for */

struct string_entry {
    uint64_t head, tail; /* see key_load */
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

/* The first eight bytes and the next eight, zeros behind the end; of more than 16 the last eight. */
static inline void key_load(const uint8_t *p, size_t n, uint64_t *head, uint64_t *tail)
{
    *tail = 0;
    if (n > 16) {
        *head = armi_load64(p);
        *tail = armi_load64(p + n - 8);
    } else if (n > 8) {
        *head = armi_load64(p);
        *tail = armi_load64(p + n - 8) >> (8 * (16 - n));
    } else if (n == 8) {
        *head = armi_load64(p);
    } else if (n >= 4) {
        *head = armi_load32(p) | (uint64_t)armi_load32(p + n - 4) << (8 * (n - 4));
    } else {
        *head = 0;
        if (n > 0)
            *head = p[0] | (uint64_t)p[n / 2] << (8 * (n / 2)) |
                    (uint64_t)p[n - 1] << (8 * (n - 1));
    }
}

/* Masks of the first n bytes of sixteen, in two words. */
static const uint64_t head_masks[17] = {
    0,          0xff,         0xffff,           0xffffff,
    0xffffffff, 0xffffffffff, (1ull << 48) - 1, (1ull << 56) - 1,
    UINT64_MAX, UINT64_MAX,   UINT64_MAX,       UINT64_MAX,
    UINT64_MAX, UINT64_MAX,   UINT64_MAX,       UINT64_MAX,
    UINT64_MAX,
};
static const uint64_t tail_masks[17] = {
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0xff,
    0xffff,
    0xffffff,
    0xffffffff,
    0xffffffffff,
    (1ull << 48) - 1,
    (1ull << 56) - 1,
    UINT64_MAX,
};

/* Of what lies between the ends of a string of more than 16 bytes. */
static inline uint64_t between_hash(uint64_t a, uint64_t b)
{
    return a * UINT64_C(0xa0761d6478bd642f) ^ b * UINT64_C(0xe7037ed1a0b428db);
}

static inline uint32_t string_hash(const uint8_t *p, size_t n, uint64_t head, uint64_t tail)
{
    uint64_t h = mix(head + n, tail);
    if (n > MEDIUM)
        for (size_t i = 8; i + 8 < n; i += 8)
            h = mix(h, armi_load64(p + i));
    else if (n > SHORT)
        h ^= between_hash(armi_load64(p + 8), armi_load64(p + n - 16));
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

/* Entry `number` is the value of that number plus one; entry 0 stands for a free slot. */
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
    for (uint32_t i = 1; i <= d->count && !d->given_up; i++) {
        uint32_t hash =
            is_string(d) ? string_entries(d)[i].hash : number_hash(number_entries(d)[i]);
        size_t at = hash & d->mask, probes = 0;
        for (; d->table[at] != 0; at = (at + 1) & d->mask)
            probes++;
        d->table[at] = i;
        d->steps += probes;
        d->given_up = probes > PROBES_MAX; /* a table by distance may hold any collisions */
    }
}

/* Small tables are kept emptier, so that the first look finds nearly all. */
static size_t table_room(size_t slots)
{
    return slots / 4;
}

static enum armi_status table_resize(struct enc_column *c, struct enc_dict *d, size_t slots)
{
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_DICT, slots * sizeof *d->table, &d->table,
                          c->err));
    size_t keep = d->count > 0 ? (d->count + 1) * entry_size(d) : 0;
    ARMI_TRY(enc_slot_grow(c->worker, ENC_SLOT_ENTRIES, keep,
                           (table_room(slots) + 1) * entry_size(d), &d->entries, c->err));
    if (is_string(d)) /* no string has this size, so that a free slot's entry is none */
        string_entries(d)[0] = (struct string_entry){.size = UINT32_MAX};
    else
        number_entries(d)[0] = 0;
    d->mask = slots - 1;
    d->room = table_room(slots);
    table_fill(d);
    return ARMI_OK;
}

/* Slots in which so many entries have room, and as many more. */
static size_t table_for(uint32_t count)
{
    size_t slots = TABLE_MIN;
    while (table_room(slots) < 2 * (size_t)count)
        slots *= 2;
    return slots;
}

/* A table by distance where the sample lay within one; what it missed finds room on both sides. */
static enum armi_status direct_begin(struct enc_column *c, struct enc_dict *d)
{
    size_t slots = TABLE_MIN;
    while (slots <= c->sample_range)
        slots *= 2;
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_DICT, (slots + 1) * sizeof *d->table,
                          &d->table, c->err));
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_ENTRIES, (slots + 1) * entry_size(d),
                          &d->entries, c->err));
    memset(d->table, 0, (slots + 1) * sizeof *d->table);
    d->mask = slots - 1;
    d->base = c->sample_min - (slots - 1 - c->sample_range) / 2;
    d->scale = c->sample_scale;
    d->is_direct = true;
    return ARMI_OK;
}

enum armi_status enc_dict_init(struct enc_column *c, struct enc_dict *d, uint64_t bytes_max)
{
    *d = (struct enc_dict){.bytes_max = bytes_max};
    c->map_of = NULL;
    bool is_small =
        c->leaf->physical == ARMI_PQ_INT32 || c->leaf->physical == ARMI_PQ_FLOAT;
    if (c->leaf->physical == ARMI_PQ_FIXED)
        d->width = (uint32_t)c->leaf->type_length;
    else if (c->leaf->physical != ARMI_PQ_BYTE_ARRAY)
        d->width = is_small ? 4 : 8;
    return c->has_sample_range ? direct_begin(c, d) : table_resize(c, d, TABLE_MIN);
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

/* The slot of a value in a table by distance; none of it where the value is too far away. */
static inline uint64_t direct_slot(const struct enc_dict *d, const uint8_t *p,
                                   uint32_t width, bool is_real)
{
    if (is_real) {
        int64_t k;
        uint64_t far = (uint64_t)enc_decimal_is(armi_load64(p), d->scale, &k) - 1;
        return ((uint64_t)k - d->base) | far;
    }
    uint64_t v = width == 4 ? (uint64_t)(int64_t)(int32_t)armi_load32(p) : armi_load64(p);
    return v - d->base;
}

/* The number of v, entered if it is new; 0: there is no room for it, or the probe got long. */
static inline uint32_t number_probe(struct enc_dict *d, uint64_t v, uint32_t hash)
{
    uint64_t *entries = number_entries(d);
    size_t at = hash & d->mask, probes = 0;
    for (; d->table[at] != 0; at = (at + 1) & d->mask) {
        if (entries[d->table[at]] == v)
            return d->table[at];
        d->steps++;
        if (++probes > PROBES_MAX) {
            d->given_up = true;
            return 0;
        }
    }
    if (d->count >= d->room)
        return 0;
    entries[++d->count] = v;
    d->table[at] = d->count;
    return d->count;
}

/* What was missed, value by value. All the loops stop where the table must grow; the caller grows it
 * and goes on. */
static inline size_t numbers_probe(struct enc_dict *d, const uint8_t *in, uint32_t width,
                                   const uint32_t *missed, uint32_t count, uint32_t *out)
{
    for (uint32_t k = 0; k < count; k++) {
        uint64_t v = number_load(in + missed[k] * width, width);
        uint32_t number = number_probe(d, v, number_hash(v));
        if (number == 0)
            return missed[k];
        out[missed[k]] = number - 1;
    }
    return BATCH;
}

static inline size_t numbers_add(struct enc_dict *d, const uint8_t *in, uint32_t width,
                                 size_t count, uint32_t *out)
{
    const uint64_t *entries = number_entries(d);
    const uint32_t *table = d->table;
    size_t mask = d->mask;
    for (size_t base = 0; base < count; base += BATCH) {
        uint32_t missed[BATCH], n = 0;
        size_t batch = count - base < BATCH ? count - base : BATCH;
        const uint8_t *p = in + base * width;
        uint32_t *to = out + base;
        if (mask >= TABLE_LARGE) {
            size_t ahead = count - base - batch < BATCH ? count - base - batch : BATCH;
            const uint8_t *q = p + batch * width;
            for (size_t i = 0; i < ahead; i++)
                __builtin_prefetch(
                    &table[number_hash(number_load(q + i * width, width)) & mask]);
            for (uint32_t i = 0; i < batch; i++) {
                uint32_t hash = number_hash(number_load(p + i * width, width));
                __builtin_prefetch(&entries[table[hash & mask]]);
            }
        }
        for (uint32_t i = 0; i < batch; i++) {
            uint64_t v = number_load(p + i * width, width);
            uint32_t number = table[number_hash(v) & mask];
            bool is_it = (entries[number] == v) & (number != 0);
            to[i] = number - 1;
            missed[n] = i;
            n += !is_it;
        }
        size_t got = numbers_probe(d, p, width, missed, n, to);
        if (got < BATCH)
            return base + got;
    }
    return count;
}

/* By distance from the base. Stops also at a value that is too far away, and is_direct is over. */
static inline size_t numbers_add_direct(struct enc_dict *d, const uint8_t *in,
                                        uint32_t width, bool is_real, size_t count,
                                        uint32_t *out)
{
    uint64_t *entries = number_entries(d), slots = d->mask + 1;
    uint32_t *table = d->table; /* one slot more, which is always free */
    for (size_t base = 0; base < count; base += BATCH) {
        uint32_t missed[BATCH], n = 0;
        size_t batch = count - base < BATCH ? count - base : BATCH;
        const uint8_t *p = in + base * width;
        uint32_t *to = out + base;
        for (uint32_t i = 0; i < batch; i++) {
            uint64_t at = direct_slot(d, p + i * width, width, is_real);
            uint32_t number = table[at < slots ? at : slots];
            to[i] = number - 1;
            missed[n] = i;
            n += number == 0;
        }
        for (uint32_t k = 0; k < n; k++) {
            uint32_t i = missed[k];
            uint64_t at = direct_slot(d, p + i * width, width, is_real);
            if (at >= slots) {
                d->is_direct = false;
                return base + i;
            }
            if (table[at] == 0) {
                entries[++d->count] = number_load(p + i * width, width);
                table[at] = d->count;
            }
            to[i] = table[at] - 1;
        }
    }
    return count;
}

static inline bool string_is(const struct string_entry *e, size_t size, uint64_t head,
                             uint64_t tail)
{
    return ((e->head ^ head) | (e->tail ^ tail) | (e->size ^ size)) == 0;
}

static inline bool middle_is(const struct string_entry *e, struct armi_slice v)
{
    return v.size <= 16 || memcmp(e->data + 8, v.data + 8, v.size - 16) == 0;
}

static uint32_t string_probe(struct enc_dict *d, struct armi_slice v)
{
    struct string_entry *entries = string_entries(d);
    uint64_t head, tail;
    key_load(v.data, v.size, &head, &tail);
    uint32_t hash = string_hash(v.data, v.size, head, tail);
    size_t at = hash & d->mask, probes = 0;
    for (; d->table[at] != 0; at = (at + 1) & d->mask) {
        const struct string_entry *e = &entries[d->table[at]];
        if (string_is(e, v.size, head, tail) && middle_is(e, v))
            return d->table[at];
        d->steps++;
        if (++probes > PROBES_MAX) {
            d->given_up = true;
            return 0;
        }
    }
    if (d->count >= d->room)
        return 0;
    entries[++d->count] = (struct string_entry){head, tail, v.data, (uint32_t)v.size, hash};
    d->bytes += v.size + 4;
    d->table[at] = d->count;
    return d->count;
}

/* Of at most 16 bytes each, with 16 that may be read. Return how many were missed. */
static uint32_t short_look(const struct enc_dict *d, const struct armi_slice *in,
                           size_t count, uint32_t *out, uint32_t *missed)
{
    const struct string_entry *entries = string_entries(d);
    const uint32_t *table = d->table;
    size_t mask = d->mask;
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        size_t size = in[i].size;
        uint64_t head = armi_load64(in[i].data) & head_masks[size];
        uint64_t tail = armi_load64(in[i].data + 8) & tail_masks[size];
        uint32_t number = table[(mix(head + size, tail) >> 32) & mask];
        out[i] = number - 1;
        missed[n] = i;
        n += !string_is(&entries[number], size, head, tail);
    }
    return n;
}

static uint32_t string_look(const struct enc_dict *d, const struct armi_slice *in,
                            size_t count, uint32_t *out, uint32_t *missed)
{
    const struct string_entry *entries = string_entries(d);
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t head, tail;
        key_load(in[i].data, in[i].size, &head, &tail);
        uint32_t hash = string_hash(in[i].data, in[i].size, head, tail);
        uint32_t number = d->table[hash & d->mask];
        const struct string_entry *e = &entries[number];
        out[i] = number - 1;
        missed[n] = i;
        n += !(string_is(e, in[i].size, head, tail) && middle_is(e, in[i]));
    }
    return n;
}

/* One or the other, without a branch. */
static inline const uint8_t *pick(bool first, const uint8_t *a, const uint8_t *b)
{
    uintptr_t mask = (uintptr_t)0 - first;
    return (const uint8_t *)(((uintptr_t)a & mask) | ((uintptr_t)b & ~mask));
}

/* The same of at most 32 bytes, with 16 that may be read: what is between the ends of a longer one is
 * two words that may overlap; for a shorter one both are looked for in `none`. */
static uint32_t medium_look(const struct enc_dict *d, const struct armi_slice *in,
                            size_t count, uint32_t *out, uint32_t *missed)
{
    static const uint8_t none[32] = {0};
    const struct string_entry *entries = string_entries(d);
    const uint32_t *table = d->table;
    size_t mask = d->mask;
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *p = in[i].data;
        size_t size = in[i].size;
        bool is_long = size > SHORT;
        size_t last = (size - SHORT) & ((size_t)0 - is_long), capped = size - last;
        uint64_t head = armi_load64(p) & head_masks[capped];
        uint64_t tail = armi_load64(p + 8 + last) & tail_masks[capped];
        const uint8_t *q = pick(is_long, p, none);
        uint64_t first = armi_load64(q + 8), second = armi_load64(q + last);
        uint64_t hash = mix(head + size, tail) ^ between_hash(first, second);
        uint32_t number = table[(hash >> 32) & mask];
        const struct string_entry *e = &entries[number];
        const uint8_t *f = pick(is_long & (e->size == size), e->data, none);
        uint64_t differs = (first ^ armi_load64(f + 8)) | (second ^ armi_load64(f + last)) |
                           (e->head ^ head) | (e->tail ^ tail) | (e->size ^ size);
        out[i] = number - 1;
        missed[n] = i;
        n += differs != 0;
    }
    return n;
}

/* The largest size of the batch; UINT64_MAX where one of them ends less than 16 bytes before `until`. */
static uint64_t sizes_look(const struct armi_slice *in, size_t count, const uint8_t *until)
{
    uint64_t most = until != NULL ? 0 : UINT64_MAX;
    bool inside = true;
    for (size_t i = 0; i < count && until != NULL; i++) {
        most = in[i].size > most ? in[i].size : most;
        inside &= until - in[i].data >= 16;
    }
    return inside ? most : UINT64_MAX;
}

static size_t strings_add(struct enc_dict *d, const struct armi_slice *in,
                          const uint8_t *until, size_t count, uint32_t *out)
{
    for (size_t base = 0; base < count; base += BATCH) {
        uint32_t missed[BATCH];
        size_t batch = count - base < BATCH ? count - base : BATCH;
        const struct armi_slice *p = in + base;
        uint32_t *to = out + base;
        uint64_t most = sizes_look(p, batch, until);
        uint32_t n = most <= SHORT    ? short_look(d, p, batch, to, missed)
                     : most <= MEDIUM ? medium_look(d, p, batch, to, missed)
                                      : string_look(d, p, batch, to, missed);
        for (uint32_t k = 0; k < n; k++) {
            uint32_t number = string_probe(d, p[missed[k]]);
            if (number == 0)
                return base + missed[k];
            to[missed[k]] = number - 1;
        }
    }
    return count;
}

/* Buffer by buffer, since it matters how far each may be read. */
static size_t texts_add(struct enc_dict *d, const struct enc_values *v, size_t from,
                        size_t count, uint32_t *out)
{
    size_t done = 0;
    for (size_t i = 0; i < v->text_count; i++) {
        size_t end = i + 1 < v->text_count ? v->texts[i + 1].first : v->count;
        if (end <= from + done)
            continue;
        size_t n = end - from - done < count - done ? end - from - done : count - done;
        size_t taken =
            strings_add(d, v->strings + from + done, v->texts[i].until, n, out + done);
        done += taken;
        if (taken < n)
            return done;
    }
    return done + strings_add(d, v->strings + from + done, NULL, count - done, out + done);
}

/* Fixed-width values of more than eight bytes are strings of one size, kept in memory of their own where
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
        size_t taken = strings_add(d, some, NULL, n, out + done);
        done += taken;
        if (taken < n)
            break;
    }
    return done;
}

/* Each entry of the Arrow dictionary is looked up when it is first met; `map`: number + 1 by index. */
static size_t codes_add(struct enc_dict *d, const struct enc_values *v, size_t from,
                        size_t count, uint32_t *out, uint32_t *map)
{
    const uint32_t *codes = v->codes + from;
    for (size_t i = 0; i < count; i++) {
        if (map[codes[i]] == 0) {
            uint32_t number = string_probe(d, v->strings[from + i]);
            if (number == 0)
                return i;
            map[codes[i]] = number;
        }
        out[i] = map[codes[i]] - 1;
    }
    return count;
}

static enum armi_status map_get(struct enc_column *c, const struct armi_array *words,
                                uint32_t **out)
{
    size_t size = (size_t)words->length * sizeof **out;
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_MAP, size, out, c->err));
    if (c->map_of != words)
        memset(*out, 0, size);
    c->map_of = words;
    return ARMI_OK;
}

static size_t some_add(struct enc_dict *d, const struct enc_values *v, size_t from,
                       size_t count, uint32_t *out)
{
    if (v->strings != NULL)
        return texts_add(d, v, from, count, out);
    const uint8_t *in = v->fixed + from * v->width;
    if (d->is_direct)
        return d->scale != 0   ? numbers_add_direct(d, in, 8, true, count, out)
               : v->width == 4 ? numbers_add_direct(d, in, 4, false, count, out)
                               : numbers_add_direct(d, in, 8, false, count, out);
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
    ARMI_TRY(enc_sink_reserve(&c->worker->entries, size, &at, c->err));
    enc_sink_commit(&c->worker->entries, at, size);
    for (uint32_t i = from + 1; i <= d->count; i++, at += d->width) {
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
    uint32_t before = d->count, *map = NULL;
    if (v->codes != NULL)
        ARMI_TRY(map_get(c, v->codes_of, &map));
    for (size_t done = 0; done < v->count && !d->given_up;) {
        bool was_direct = d->is_direct;
        size_t left = v->count - done, from = done;
        done += map != NULL ? codes_add(d, v, done, left, indices + done, map)
                            : some_add(d, v, done, left, indices + done);
        d->looked += done - from;
        if (enc_dict_bytes(d) > d->bytes_max || d->steps > STEPS_FREE + 4 * d->looked)
            d->given_up = true;
        else if (done < v->count && !d->given_up)
            ARMI_TRY(
                table_resize(c, d, was_direct ? table_for(d->count) : 2 * (d->mask + 1)));
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
            const struct string_entry *e = &string_entries(d)[i + 1];
            slices[i] = (struct armi_slice){e->data, e->size};
            out->bytes += slices[i].size;
        }
        out->strings = slices;
        return ARMI_OK;
    }
    uint8_t *fixed;
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_FLAT, (size_t)d->count * d->width + 64,
                          &fixed, c->err));
    for (uint32_t i = 0; i < d->count; i++) {
        const void *from = d->width > 8 ? (const void *)string_entries(d)[i + 1].data
                                        : (const void *)&number_entries(d)[i + 1];
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
            slices[used.count++] = (struct armi_slice){string_entries(d)[i + 1].data,
                                                       string_entries(d)[i + 1].size};
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
