/*
 * Which encoding a column chunk gets: a sample of eight windows at fixed places tells how many bytes a
 * value would take in each, and the least wins, with a handicap for what is slower. The places and all
 * that follows are functions of the data alone, so that equal data gives equal bytes.
 */
#include "parquet/enc_bytes.h"
#include "parquet/enc_dict.h"

#include <math.h>
#include <string.h>

#define WINDOWS     8
#define WINDOW_ROWS 256
#define SAMPLE_MAX  (WINDOWS * WINDOW_ROWS)
#define DIRECT_RANGE                                                                       \
    131072 /* numbers that lie within so many are told apart without a hash */
#define DECIMALS_MIN 8192 /* fewer are told apart faster by hash than by division */
#define SCALE_MAX    1e4  /* and a double may have as many decimals */
#define SEEN_SLOTS   8192 /* a power of two, four times the sample */
#define LONG_TEXT    (ENC_PAGE_BYTES / 64) /* counts as no more where parts are cut */

struct sample {
    size_t count;      /* values, nulls left out */
    double rows_share; /* values a row */
    double nulls;
    double plain;     /* bytes a value */
    double delta;     /* bytes a value in DELTA_BINARY_PACKED; strings: of their lengths */
    double shared;    /* strings: bytes that a value shares with the one before it */
    double runs;      /* share of values that differ from the one before */
    double distinct;  /* estimate for the whole chunk */
    double length;    /* strings: mean bytes */
    double row_bytes; /* strings: mean bytes a row, none counted with more than LONG_TEXT */
    int64_t low, high; /* numbers of four or eight bytes, as signed integers */
    double scale;      /* doubles: the power of ten that makes all of them integers, or 0 */
    double low_real, high_real;
    size_t pairs;
};

/* How often hashes occur: those seen once and twice tell how many were never seen. */
struct seen {
    uint64_t keys[SEEN_SLOTS];
    uint16_t counts[SEEN_SLOTS];
};

__extension__ typedef unsigned __int128 u128;

static uint64_t mix(uint64_t a, uint64_t b)
{
    u128 product =
        (u128)(a ^ UINT64_C(0x9e3779b97f4a7c15)) * (b ^ UINT64_C(0xd1b54a32d192ed03));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t bytes_hash(const uint8_t *p, size_t n)
{
    uint64_t h = n;
    for (; n >= 8; n -= 8, p += 8)
        h = mix(h, armi_load64(p));
    uint64_t last = 0;
    if (n > 0)
        memcpy(&last, p, n);
    return mix(h, last);
}

static void seen_add(struct seen *seen, uint64_t hash)
{
    hash |= 1; /* 0 is a free slot */
    size_t at = (size_t)(hash >> 40) & (SEEN_SLOTS - 1);
    while (seen->keys[at] != 0 && seen->keys[at] != hash)
        at = (at + 1) & (SEEN_SLOTS - 1);
    seen->keys[at] = hash;
    seen->counts[at]++;
}

/* Chao's estimate of all kinds from those seen once (f1) and twice (f2). */
static double distinct_estimate(const struct seen *seen, double population)
{
    double kinds = 0, f1 = 0, f2 = 0;
    for (size_t i = 0; i < SEEN_SLOTS; i++) {
        kinds += seen->counts[i] > 0;
        f1 += seen->counts[i] == 1;
        f2 += seen->counts[i] == 2;
    }
    double unseen = f2 > 0 ? f1 * f1 / (2 * f2) : f1 * (f1 - 1) / 2;
    double all = kinds + unseen;
    return all < population ? all : population;
}

/* ---- looking at one window ---- */

static uint64_t number_at(const struct enc_values *v, size_t i)
{
    return v->width == 4 ? (uint64_t)(int64_t)(int32_t)armi_load32(v->fixed + 4 * i)
                         : armi_load64(v->fixed + 8 * i);
}

/* Bits that a difference takes in blocks of 32, as DELTA_BINARY_PACKED would pack them. */
static double delta_bits(const struct enc_values *v, const int32_t *lengths)
{
    double bits = 0;
    for (size_t at = 1; at < v->count; at += 32) {
        int64_t least = INT64_MAX;
        uint64_t d[32], all = 0;
        size_t n = v->count - at < 32 ? v->count - at : 32;
        for (size_t i = 0; i < n; i++) {
            d[i] = lengths != NULL
                       ? (uint64_t)(int64_t)(lengths[at + i] - lengths[at + i - 1])
                       : number_at(v, at + i) - number_at(v, at + i - 1);
            if (v->width == 4)
                d[i] = (uint64_t)(int64_t)(int32_t)(uint32_t)d[i];
            least = (int64_t)d[i] < least ? (int64_t)d[i] : least;
        }
        for (size_t i = 0; i < n; i++)
            all |= d[i] - (uint64_t)least;
        unsigned width = armi_bit_width(all);
        bits += (double)(v->width == 4 && width > 32 ? 32 : width) * (double)n;
    }
    return bits;
}

/* Doubles: raises the scale until the value is an integer by it, or lets go of it for all. */
static void decimal_look(uint64_t bits, struct sample *s)
{
    double v;
    int64_t k;
    memcpy(&v, &bits, sizeof v);
    while (s->scale != 0 && !enc_decimal_is(bits, s->scale, &k))
        s->scale = s->scale < SCALE_MAX ? 10 * s->scale : 0;
    s->low_real = v < s->low_real ? v : s->low_real;
    s->high_real = v > s->high_real ? v : s->high_real;
}

static void numbers_look(const struct enc_values *v, struct sample *s, struct seen *seen)
{
    for (size_t i = 0; i < v->count; i++) {
        if (v->width == 4 || v->width == 8) {
            uint64_t x = number_at(v, i);
            seen_add(seen, mix(x, 0));
            s->low = (int64_t)x < s->low ? (int64_t)x : s->low;
            s->high = (int64_t)x > s->high ? (int64_t)x : s->high;
            s->runs += i == 0 || x != number_at(v, i - 1);
            if (s->scale != 0)
                decimal_look(x, s);
        } else {
            const uint8_t *p = v->fixed + i * v->width;
            seen_add(seen, bytes_hash(p, v->width));
            s->runs += i == 0 || memcmp(p, p - v->width, v->width) != 0;
        }
    }
    s->plain += (double)v->count * v->width;
    if (v->width == 4 || v->width == 8)
        s->delta += delta_bits(v, NULL);
}

static void strings_look(const struct enc_values *v, struct sample *s, struct seen *seen)
{
    int32_t lengths[SAMPLE_MAX];
    size_t n = v->count < SAMPLE_MAX ? v->count : SAMPLE_MAX;
    for (size_t i = 0; i < n; i++) {
        struct armi_slice x = v->strings[i];
        lengths[i] = (int32_t)x.size;
        /* Long values: their ends and length tell enough. */
        seen_add(seen, x.size <= 256
                           ? bytes_hash(x.data, x.size)
                           : mix(bytes_hash(x.data, 128),
                                 bytes_hash(x.data + x.size - 128, 128) + x.size));
        size_t shared = i > 0 ? enc_bytes_shared(v->strings[i - 1], x) : 0;
        s->shared += (double)shared;
        s->runs += i == 0 || shared != x.size || v->strings[i - 1].size != x.size;
        s->length += (double)x.size;
        s->row_bytes += (double)(x.size < LONG_TEXT ? x.size : LONG_TEXT);
        s->plain += (double)x.size + 4;
    }
    struct enc_values some = {.count = n};
    s->delta += delta_bits(&some, lengths);
}

static void bools_look(const struct enc_values *v, struct sample *s)
{
    for (size_t i = 1; i < v->count; i++)
        s->runs += armi_bit_get(v->fixed, i) != armi_bit_get(v->fixed, i - 1);
}

/* `most`: values that may be looked at, so that long lists do not overfill the table. */
static void window_look(const struct enc_column *c, const struct enc_batch *b, size_t most,
                        struct sample *s, struct seen *seen)
{
    struct enc_values v = b->values;
    if (v.count > most)
        v.count = most;
    s->nulls += (double)b->null_count;
    s->count += v.count;
    s->rows_share += (double)b->values.count / (double)b->rows;
    s->pairs += v.count > 0 ? v.count - 1 : 0;
    if (v.count == 0)
        return;
    if (c->leaf->physical == ARMI_PQ_BOOLEAN)
        bools_look(&v, s);
    else if (v.strings != NULL)
        strings_look(&v, s, seen);
    else
        numbers_look(&v, s, seen);
}

static enum armi_status sample_take(struct enc_column *c, struct sample *s,
                                    struct seen *seen)
{
    struct enc_cursor cursor = {0, 0, 0};
    int64_t windows = c->rows <= SAMPLE_MAX ? 1 : WINDOWS;
    int64_t rows = c->rows <= SAMPLE_MAX ? c->rows : WINDOW_ROWS;
    int64_t taken = 0;
    for (int64_t w = 0; w < windows; w++) {
        int64_t from = windows == 1 ? 0 : w * ((c->rows - rows) / (WINDOWS - 1));
        struct enc_batch b;
        enc_cursor_seek(c, from, &cursor);
        ARMI_TRY(enc_column_batch(c, &cursor, from + rows, &b));
        window_look(c, &b, (size_t)(SAMPLE_MAX / windows), s, seen);
        taken++;
    }
    double n = s->count > 0 ? (double)s->count : 1;
    s->plain /= n;
    s->delta = s->pairs > 0 ? s->delta / (double)s->pairs / 8 + 0.12 : 0.12;
    s->shared /= n;
    s->runs /= n;
    s->length /= n;
    s->rows_share /= (double)taken;
    s->row_bytes *= s->rows_share / n;
    s->distinct = distinct_estimate(seen, (double)c->rows * s->rows_share);
    return ARMI_OK;
}

/* ---- choosing ---- */

/* Bytes a value by dictionary: its number, and its share of the entries. */
static double dictionary_cost(const struct sample *s, double values)
{
    double d = s->distinct < 2 ? 2 : s->distinct;
    double bits = armi_bit_width((uint64_t)d - 1);
    double packed = bits / 8;
    double as_runs = s->runs * (1 + (double)((unsigned)(bits + 7) / 8)) * 1.2;
    return (as_runs < packed ? as_runs : packed) + d * s->plain / values;
}

static void dictionary_take(struct enc_column *c, double values, double otherwise,
                            double cost_index)
{
    c->encoding = ARMI_PQ_RLE_DICTIONARY;
    double room = (otherwise - cost_index) * values;
    double limit = (double)((uint64_t)2 << 20);
    c->dict_bytes_max = (uint64_t)(room < 4096 ? 4096 : room < limit ? room : limit);
}

static bool may_use_dictionary(const struct enc_column *c, const struct sample *s)
{
    return !c->settings->slim && !c->settings->no_dictionary && s->count > 1 &&
           s->distinct * s->plain < 2.0 * 1048576;
}

/* Where the sample lies close together, in integers. */
static void sample_range_set(struct enc_column *c, const struct sample *s, bool integer)
{
    uint64_t low = (uint64_t)s->low, high = (uint64_t)s->high;
    if (!integer && (s->scale == 0 || s->distinct < DECIMALS_MIN))
        return;
    if (!integer) {
        if ((s->high_real - s->low_real) * s->scale > DIRECT_RANGE)
            return;
        low = (uint64_t)(int64_t)(s->low_real * s->scale);
        high = (uint64_t)(int64_t)(s->high_real * s->scale);
        c->sample_scale = s->scale;
    }
    c->sample_min = low;
    c->sample_range = high - low;
    c->has_sample_range = c->sample_range < DIRECT_RANGE;
}

static void choose_number(struct enc_column *c, const struct sample *s, double values)
{
    bool integer = c->leaf->physical == ARMI_PQ_INT32 || c->leaf->physical == ARMI_PQ_INT64;
    bool delta = integer && c->settings->profile != ARMI_PARQUET_PORTABLE &&
                 s->delta <= 0.9 * s->plain;
    bool split =
        !integer && c->settings->profile == ARMI_PARQUET_DENSE &&
        (c->leaf->physical == ARMI_PQ_FLOAT || c->leaf->physical == ARMI_PQ_DOUBLE);
    double best = delta ? s->delta : s->plain;
    c->fallback = delta   ? ARMI_PQ_DELTA_BINARY_PACKED
                  : split ? ARMI_PQ_BYTE_STREAM_SPLIT
                          : ARMI_PQ_PLAIN;
    c->encoding = c->fallback;
    if (!may_use_dictionary(c, s))
        return;
    double cost = dictionary_cost(s, values);
    double handicap = integer ? 0.9 : 0.6;
    if (cost > handicap * best)
        return;
    dictionary_take(c, values, handicap * best, cost - s->distinct * s->plain / values);
    sample_range_set(c, s, integer);
}

static void choose_strings(struct enc_column *c, const struct sample *s, double values)
{
    /* Arrow C++ reads no DELTA encoding into an Arrow dictionary. */
    bool portable = c->settings->profile == ARMI_PARQUET_PORTABLE ||
                    c->leaf->field->type == ARMI_TYPE_DICTIONARY;
    bool shared = s->length > 0 && s->shared >= 0.2 * s->length;
    c->fallback = portable ? ARMI_PQ_PLAIN
                  : shared ? ARMI_PQ_DELTA_BYTE_ARRAY
                           : ARMI_PQ_DELTA_LENGTH_BYTE_ARRAY;
    c->encoding = c->fallback;
    if (!may_use_dictionary(c, s))
        return;
    double cost = dictionary_cost(s, values), best = s->plain;
    if (cost <= 0.6 * best)
        dictionary_take(c, values, 0.6 * best, cost - s->distinct * s->plain / values);
}

/*
 * Rows to a part of a column without a dictionary (enc_parts.c): about one page of texts, whose encoding and
 * codec are costly, four of numbers, which have more to lose by looking for a codec in each part. A
 * multiple of 64, so that bitmaps of each begin with a word.
 */
static int64_t part_rows(const struct enc_column *c, const struct sample *s)
{
    bool is_text = c->leaf->physical == ARMI_PQ_BYTE_ARRAY;
    double rows = (double)enc_page_rows_max(c) * (is_text ? 1 : 4);
    double by_bytes = (double)ENC_PART_TEXT / (s->row_bytes + 1);
    rows /= s->rows_share > 1 ? s->rows_share : 1;
    if (is_text && by_bytes < rows)
        rows = by_bytes;
    int64_t even = (int64_t)rows & ~(int64_t)63;
    return even < 64 ? 64 : even;
}

/* In bytes; those of a dictionary are looked for in it, those of other texts all go through a codec. */
static double row_cost(const struct enc_column *c, const struct sample *s)
{
    bool is_text = c->leaf->physical == ARMI_PQ_BYTE_ARRAY;
    int times = c->encoding == ARMI_PQ_RLE_DICTIONARY ? 2 : is_text ? 4 : 1;
    return s->plain * s->rows_share * times;
}

static void codec_choose(struct enc_column *c)
{
    c->codec = c->settings->codec;
    c->codec_state = c->codec.id == ARMI_CODEC_NONE ? ENC_CODEC_OFF
                     : c->settings->is_auto         ? ENC_CODEC_PROBING
                                                    : ENC_CODEC_TRYING;
}

enum armi_status enc_policy_choose(struct enc_column *c)
{
    struct sample s = {.low = INT64_MAX,
                       .high = INT64_MIN,
                       .scale = c->leaf->physical == ARMI_PQ_DOUBLE,
                       .low_real = HUGE_VAL,
                       .high_real = -HUGE_VAL};
    struct seen *seen;
    c->encoding = c->fallback = ARMI_PQ_PLAIN;
    codec_choose(c);
    if (c->leaf->convert == ARMI_PQ_NULL)
        return ARMI_OK;
    ARMI_TRY(enc_slot_get(c->worker, ENC_SLOT_DICT, sizeof *seen, &seen, c->err));
    memset(seen, 0, sizeof *seen);
    ARMI_TRY(sample_take(c, &s, seen));
    if (s.count == 0)
        return ARMI_OK;
    double values = (double)c->rows * s.rows_share;
    c->part_rows = part_rows(c, &s);
    if (c->leaf->physical == ARMI_PQ_BOOLEAN) {
        if (c->settings->profile != ARMI_PARQUET_PORTABLE && s.runs < 1.0 / 16 &&
            s.count > 256)
            c->encoding = c->fallback = ARMI_PQ_RLE;
    } else if (c->leaf->physical == ARMI_PQ_BYTE_ARRAY) {
        choose_strings(c, &s, values);
    } else {
        choose_number(c, &s, values);
    }
    c->row_cost = row_cost(c, &s);
    return ARMI_OK;
}
