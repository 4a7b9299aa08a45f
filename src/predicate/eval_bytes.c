/*
 * Texts and bytes held against one value, a list or a pattern. Each layout has its own loop, so that
 * finding a value is a few loads.
 */
#include "predicate/predicate_internal.h"

#include <string.h>

/* ---- like ---- */

static size_t character_size(struct armi_slice text, size_t at)
{
    size_t size = 1;
    while (at + size < text.size && (text.data[at + size] & 0xc0) == 0x80)
        size++;
    return size;
}

/* By the last %: when a later piece does not fit, that % takes one character more. */
static bool match_general(struct armi_slice pattern, struct armi_slice text)
{
    size_t p = 0, t = 0, resume_p = SIZE_MAX, resume_t = 0;
    while (t < text.size) {
        if (p < pattern.size && pattern.data[p] == '%') {
            resume_p = ++p;
            resume_t = t;
        } else if (p < pattern.size && pattern.data[p] == '_') {
            t += character_size(text, t);
            p++;
        } else if (p < pattern.size && pattern.data[p] == text.data[t]) {
            t++;
            p++;
        } else if (resume_p != SIZE_MAX) {
            p = resume_p;
            resume_t += character_size(text, resume_t);
            t = resume_t;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '%')
        p++;
    return p == pattern.size;
}

static bool starts_with(struct armi_slice text, struct armi_slice start)
{
    return text.size >= start.size &&
           (start.size == 0 || memcmp(text.data, start.data, start.size) == 0);
}

bool armi_like_match(const struct armi_like *like, struct armi_slice text)
{
    struct armi_slice wanted = like->text;
    switch (like->kind) {
    case ARMI_LIKE_EQUAL:
        return armi_slice_equal(text, wanted);
    case ARMI_LIKE_PREFIX:
        return starts_with(text, wanted);
    case ARMI_LIKE_SUFFIX:
        return text.size >= wanted.size &&
               (wanted.size == 0 ||
                memcmp(text.data + text.size - wanted.size, wanted.data, wanted.size) == 0);
    case ARMI_LIKE_CONTAINS:
        return wanted.size == 0 ||
               (text.size >= wanted.size &&
                memmem(text.data, text.size, wanted.data, wanted.size) != NULL);
    default:
        return starts_with(text, like->prefix) && match_general(like->pattern, text);
    }
}

void armi_like_prepare(struct armi_slice pattern, struct armi_like *out)
{
    size_t from = 0, to = pattern.size;
    struct armi_like like = {.pattern = pattern, .kind = ARMI_LIKE_GENERAL};
    while (like.prefix.size < pattern.size && pattern.data[like.prefix.size] != '%' &&
           pattern.data[like.prefix.size] != '_')
        like.prefix.size++;
    like.prefix.data = pattern.data;
    while (from < to && pattern.data[from] == '%')
        from++;
    while (to > from && pattern.data[to - 1] == '%')
        to--;
    bool is_plain = true;
    for (size_t i = from; i < to; i++)
        is_plain = is_plain && pattern.data[i] != '%' && pattern.data[i] != '_';
    if (is_plain) {
        bool is_free_start = from > 0, is_free_end = to < pattern.size;
        like.text = (struct armi_slice){pattern.data + from, to - from};
        if (pattern.size == 0)
            like.text.data = pattern.data;
        like.kind = is_free_start && (is_free_end || from == to) ? ARMI_LIKE_CONTAINS
                    : is_free_start                              ? ARMI_LIKE_SUFFIX
                    : is_free_end                                ? ARMI_LIKE_PREFIX
                                                                 : ARMI_LIKE_EQUAL;
    }
    *out = like;
}

/* ---- values ---- */

/* Row i, which is valid. With a constant layout this is a few instructions. */
__attribute__((always_inline)) static inline struct armi_slice
value_at(const struct armi_array *a, int64_t i, enum armi_layout layout)
{
    size_t p = (size_t)(a->offset + i);
    if (layout == ARMI_LAYOUT_BINARY32) {
        uint32_t from = armi_load32(a->offsets + 4 * p);
        return (struct armi_slice){a->values + from,
                                   armi_load32(a->offsets + 4 * p + 4) - from};
    }
    if (layout == ARMI_LAYOUT_BINARY64) {
        uint64_t from = armi_load64(a->offsets + 8 * p);
        return (struct armi_slice){a->values + from,
                                   (size_t)(armi_load64(a->offsets + 8 * p + 8) - from)};
    }
    if (layout == ARMI_LAYOUT_VIEW) {
        const uint8_t *view = a->values + 16 * p;
        uint32_t size = armi_load32(view);
        if (size <= 12)
            return (struct armi_slice){view + 4, size};
        return (struct armi_slice){
            a->variadic[armi_load32(view + 8)] + armi_load32(view + 12), size};
    }
    return (struct armi_slice){a->values + p * (size_t)a->width, (size_t)a->width};
}

enum mode {
    MODE_EQUAL,
    MODE_ORDER,
    MODE_LIST,
    MODE_LIKE,
};

__attribute__((always_inline)) static inline bool
value_fits(const struct armi_leaf *leaf, struct armi_slice v, enum mode mode)
{
    struct armi_slice wanted = leaf->bytes;
    if (mode == MODE_EQUAL)
        return v.size == wanted.size &&
               (v.size == 0 || memcmp(v.data, wanted.data, v.size) == 0);
    if (mode == MODE_LIST)
        return armi_map_find(leaf->map, v) != NULL;
    if (mode == MODE_LIKE)
        return armi_like_match(&leaf->like, v);
    size_t both = v.size < wanted.size ? v.size : wanted.size;
    int order = both == 0 ? 0 : memcmp(v.data, wanted.data, both);
    if (order == 0)
        order = v.size < wanted.size ? -1 : v.size > wanted.size;
    return armi_op_holds(leaf->op, order);
}

__attribute__((always_inline)) static inline void
narrow(const struct armi_leaf *leaf, const struct armi_array *array, int64_t from,
       int64_t count, uint64_t *bits, enum armi_layout layout, enum mode mode)
{
    bool is_turned = mode == MODE_EQUAL ? leaf->op == ARMI_OP_NE : leaf->is_negated;
    uint64_t turn = mode != MODE_ORDER && is_turned ? UINT64_MAX : 0;
    for (int64_t done = 0; done < count; done += 64, bits++) {
        uint64_t hits = 0;
        for (uint64_t asked = *bits; asked != 0; asked &= asked - 1) {
            int i = __builtin_ctzll(asked);
            struct armi_slice v = value_at(array, from + done + i, layout);
            hits |= (uint64_t)value_fits(leaf, v, mode) << i;
        }
        *bits &= hits ^ turn;
    }
}

#define NARROW(name, layout)                                                               \
    static void name(const struct armi_leaf *leaf, const struct armi_array *array,         \
                     int64_t from, int64_t count, uint64_t *bits)                          \
    {                                                                                      \
        if (leaf->kind == ARMI_LEAF_LIST)                                                  \
            narrow(leaf, array, from, count, bits, layout, MODE_LIST);                     \
        else if (leaf->kind == ARMI_LEAF_LIKE)                                             \
            narrow(leaf, array, from, count, bits, layout, MODE_LIKE);                     \
        else if (leaf->op == ARMI_OP_EQ || leaf->op == ARMI_OP_NE)                         \
            narrow(leaf, array, from, count, bits, layout, MODE_EQUAL);                    \
        else                                                                               \
            narrow(leaf, array, from, count, bits, layout, MODE_ORDER);                    \
    }
NARROW(narrow_binary32, ARMI_LAYOUT_BINARY32)
NARROW(narrow_binary64, ARMI_LAYOUT_BINARY64)
NARROW(narrow_view, ARMI_LAYOUT_VIEW)
NARROW(narrow_fixed, ARMI_LAYOUT_FIXED)

void armi_eval_bytes(const struct armi_leaf *leaf, const struct armi_array *array,
                     int64_t from, int64_t count, uint64_t *bits)
{
    if (array->layout == ARMI_LAYOUT_BINARY32)
        narrow_binary32(leaf, array, from, count, bits);
    else if (array->layout == ARMI_LAYOUT_BINARY64)
        narrow_binary64(leaf, array, from, count, bits);
    else if (array->layout == ARMI_LAYOUT_VIEW)
        narrow_view(leaf, array, from, count, bits);
    else
        narrow_fixed(leaf, array, from, count, bits);
}
