/*
 * Strings behind an Arrow dictionary: where its entries lie is worked out once, and rows are looked up
 * by their index. The indices are kept beside the strings, so that our own dictionary has to look at
 * each entry once and not at each row.
 */
#include <string.h>

#include "parquet/enc_internal.h"

static const uint8_t no_bytes[16];

bool enc_words_apply(const struct enc_column *c, const struct armi_array *a, size_t count)
{
    if (a->layout != ARMI_LAYOUT_DICTIONARY)
        return false;
    const struct armi_array *words = a->dictionary;
    bool is_plain = words->layout == ARMI_LAYOUT_BINARY32 ||
                    words->layout == ARMI_LAYOUT_BINARY64 ||
                    words->layout == ARMI_LAYOUT_VIEW;
    return is_plain && (c->words_of == words || (size_t)words->length / 2 <= count);
}

static enum armi_status words_get(struct enc_column *c, const struct armi_array *words,
                                  struct armi_slice **out)
{
    size_t count = (size_t)words->length;
    ARMI_TRY(
        enc_slot_get(c->worker, ENC_SLOT_WORDS, (count + 1) * sizeof **out, out, c->err));
    if (c->words_of == words)
        return ARMI_OK;
    for (size_t i = 0; i < count; i++) {
        (*out)[i] = armi_array_bytes(words, (int64_t)i);
        if ((*out)[i].data == NULL)
            (*out)[i].data = no_bytes;
    }
    c->words_of = words;
    return ARMI_OK;
}

#define WORDS_LOOP(name, LOAD, WIDTH)                                                      \
    static size_t name(const uint8_t *indices, const struct armi_slice *words,             \
                       size_t count, const uint8_t *bits, size_t bit_from,                 \
                       struct enc_string_span *s, uint32_t *codes)                         \
    {                                                                                      \
        size_t k = 0, i = 0;                                                               \
        for (; i < count; i++) {                                                           \
            if (bits != NULL && !armi_bit_get(bits, bit_from + i))                         \
                continue;                                                                  \
            size_t code = (size_t)LOAD(indices + (WIDTH)*i);                               \
            struct armi_slice v = words[code];                                             \
            if (s->bytes + v.size > s->limit && s->filled + k > 0)                         \
                break;                                                                     \
            s->bytes += v.size;                                                            \
            s->largest = v.size > s->largest ? v.size : s->largest;                        \
            s->out[k] = v;                                                                 \
            codes[k++] = (uint32_t)code;                                                   \
        }                                                                                  \
        s->filled += k;                                                                    \
        s->out += k;                                                                       \
        return i;                                                                          \
    }

static inline uint8_t load8(const uint8_t *p)
{
    return *p;
}

WORDS_LOOP(words8, load8, 1)
WORDS_LOOP(words16, armi_load16, 2)
WORDS_LOOP(words32, armi_load32, 4)
WORDS_LOOP(words64, armi_load64, 8)

enum armi_status enc_words_add(struct enc_gather *g, const struct armi_array *a,
                               size_t from, size_t count, const uint8_t *bits,
                               size_t bit_from, struct enc_string_span *s,
                               size_t *out_taken)
{
    struct armi_slice *words;
    uint32_t *codes;
    size_t before = g->values.count;
    ARMI_TRY(words_get(g->c, a->dictionary, &words));
    /* Strings that came another way have no indices, and then nor has the page. */
    bool is_one = before == 0 || g->values.codes_of == a->dictionary;
    ARMI_TRY(enc_slot_grow(g->c->worker, ENC_SLOT_CODES,
                           is_one ? before * sizeof *codes : 0,
                           (before + count) * sizeof *codes, &codes, g->c->err));
    const uint8_t *indices = a->values + from * (size_t)a->width;
    size_t (*const loop)(const uint8_t *, const struct armi_slice *, size_t,
                         const uint8_t *, size_t, struct enc_string_span *, uint32_t *) =
        a->width == 1   ? words8
        : a->width == 2 ? words16
        : a->width == 4 ? words32
                        : words64;
    *out_taken = loop(indices, words, count, bits, bit_from, s, codes + before);
    g->values.codes_of = is_one ? a->dictionary : NULL;
    g->values.codes = is_one ? codes : NULL;
    return ARMI_OK;
}
