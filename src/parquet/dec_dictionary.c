#include "parquet/dec_dictionary.h"

#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

#define UNUSED UINT32_MAX

static uint64_t offset_of(const struct armi_pq_sink *sink, size_t i)
{
    return sink->kind == ARMI_PQ_SINK_BYTES32 ? armi_load32(sink->values + 4 * i)
                                              : armi_load64(sink->values + 8 * i);
}

static void offset_put(struct armi_pq_sink *sink, size_t i, uint64_t at)
{
    if (sink->kind == ARMI_PQ_SINK_BYTES32)
        armi_store32(sink->values + 4 * i, (uint32_t)at);
    else
        armi_store64(sink->values + 8 * i, at);
}

static bool is_bytes(const struct armi_pq_sink *sink)
{
    return sink->kind == ARMI_PQ_SINK_BYTES32 || sink->kind == ARMI_PQ_SINK_BYTES64;
}

/* Entry i as bytes; `bit` is room for the one of a bitmap. */
static struct armi_slice entry_of(const struct armi_pq_sink *sink, size_t i, uint8_t *bit)
{
    if (is_bytes(sink)) {
        uint64_t from = offset_of(sink, i);
        size_t size = (size_t)(offset_of(sink, i + 1) - from);
        return (struct armi_slice){size > 0 ? sink->data + from : bit, size};
    }
    if (sink->kind == ARMI_PQ_SINK_FIXED)
        return (struct armi_slice){sink->values + i * sink->width, sink->width};
    *bit = sink->kind == ARMI_PQ_SINK_BITS && armi_bit_get(sink->values, i);
    return (struct armi_slice){bit, 1};
}

/* Entry `from` moves to place `to`, which is not behind it; text goes to `at`. */
static void entry_move(struct armi_pq_sink *sink, size_t from, size_t to, uint64_t at)
{
    if (is_bytes(sink)) {
        uint64_t begin = offset_of(sink, from), end = offset_of(sink, from + 1);
        if (end > begin)
            memmove(sink->data + at, sink->data + begin, (size_t)(end - begin));
        offset_put(sink, to, at);
    } else if (sink->kind == ARMI_PQ_SINK_FIXED) {
        if (from != to)
            memcpy(sink->values + to * sink->width, sink->values + from * sink->width,
                   sink->width);
    } else if (sink->kind == ARMI_PQ_SINK_BITS) {
        armi_bit_put(sink->values, to, armi_bit_get(sink->values, from));
    }
}

static bool slot_is_valid(const struct armi_pq_sink *sink, size_t i)
{
    return sink->validity == NULL || armi_bit_get(sink->validity, i);
}

/* By entry: the number it will have, or UNUSED. Equal entries get one. */
static enum armi_status numbers_make(const struct armi_pq_leaf_data *data,
                                     uint32_t *numbers, struct armi_error *err)
{
    const struct armi_pq_sink *sink = &data->sink, *dictionary = &data->dictionary;
    struct armi_map map;
    uint8_t bit = 0;
    uint32_t count = 0;
    enum armi_status status = ARMI_OK;
    for (size_t i = 0; i < dictionary->length; i++)
        numbers[i] = UNUSED;
    for (size_t i = 0; i < sink->length; i++)
        if (slot_is_valid(sink, i))
            numbers[armi_load32(sink->values + 4 * i)] = 0;
    armi_map_init(&map, (uint64_t)(uintptr_t)numbers);
    for (size_t i = 0; i < dictionary->length && status == ARMI_OK; i++) {
        uint64_t *number;
        bool is_new;
        if (numbers[i] == UNUSED)
            continue;
        status =
            armi_map_insert(&map, entry_of(dictionary, i, &bit), &number, &is_new, err);
        if (status != ARMI_OK)
            break;
        if (is_new)
            *number = count++;
        numbers[i] = (uint32_t)*number;
    }
    armi_map_release(&map);
    return status;
}

/* Equal entries were numbered in order, so each new number is one more than the last. */
static void entries_move(struct armi_pq_sink *dictionary, const uint32_t *numbers)
{
    size_t count = 0;
    uint64_t at = 0;
    for (size_t i = 0; i < dictionary->length; i++) {
        if (numbers[i] != count)
            continue;
        uint64_t size = is_bytes(dictionary)
                            ? offset_of(dictionary, i + 1) - offset_of(dictionary, i)
                            : 0;
        entry_move(dictionary, i, count, at);
        at += size;
        count++;
    }
    if (is_bytes(dictionary)) {
        if (dictionary->values != NULL)
            offset_put(dictionary, count, at);
        dictionary->data_size = (size_t)at;
    }
    for (size_t i = count; dictionary->kind == ARMI_PQ_SINK_BITS && i < dictionary->length;
         i++)
        armi_bit_put(dictionary->values, i, false);
    dictionary->length = count;
}

enum armi_status armi_pq_dictionary_compact(struct armi_pq_leaf_data *data,
                                            struct armi_error *err)
{
    struct armi_pq_sink *sink = &data->sink;
    uint32_t *numbers = armi_alloc_array(data->dictionary.length + 1, sizeof *numbers);
    if (numbers == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = numbers_make(data, numbers, err);
    if (status == ARMI_OK) {
        entries_move(&data->dictionary, numbers);
        for (size_t i = 0; i < sink->length; i++) {
            uint32_t index = armi_load32(sink->values + 4 * i);
            armi_store32(sink->values + 4 * i, slot_is_valid(sink, i) ? numbers[index] : 0);
        }
    }
    armi_free(numbers);
    return status;
}
