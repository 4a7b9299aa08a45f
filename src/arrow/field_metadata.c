/*
 * Key/value metadata of a field, and the keys that mean something to us: "armi.*" is
 * reserved, "PARQUET:field_id" carries the permanent id, "ARROW:extension:name" names an
 * extension type.
 */
#include "arrow/field.h"

#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"

static void pair_release(struct armi_metadata_pair *pair)
{
    /* key and value share one block, which starts with the key. */
    armi_free((void *)(uintptr_t)pair->key.data);
}

static enum armi_status pair_init(struct armi_metadata_pair *pair, struct armi_slice key,
                                  struct armi_slice value, struct armi_error *err)
{
    size_t size;
    uint8_t *block = armi_size_add(key.size, value.size, &size) ? armi_alloc(size) : NULL;
    if (block == NULL)
        return armi_error_no_memory(err);
    if (key.size > 0)
        memcpy(block, key.data, key.size);
    if (value.size > 0)
        memcpy(block + key.size, value.data, value.size);
    pair->key = (struct armi_slice){block, key.size};
    pair->value = (struct armi_slice){block + key.size, value.size};
    return ARMI_OK;
}

static struct armi_slice text_slice(const char *text)
{
    return (struct armi_slice){(const uint8_t *)text, strlen(text)};
}

static struct armi_metadata_pair *pair_find(const struct armi_metadata *metadata,
                                            const char *key)
{
    for (size_t i = 0; i < metadata->count; i++) {
        if (armi_slice_equal(metadata->pairs[i].key, text_slice(key)))
            return &metadata->pairs[i];
    }
    return NULL;
}

const struct armi_slice *armi_metadata_get(const struct armi_metadata *metadata,
                                           const char *key)
{
    struct armi_metadata_pair *pair = pair_find(metadata, key);
    return pair != NULL ? &pair->value : NULL;
}

enum armi_status armi_metadata_append(struct armi_metadata *metadata, struct armi_slice key,
                                      struct armi_slice value, struct armi_error *err)
{
    size_t count = metadata->count;
    /* Full at every power of two: the capacity need not be stored. */
    if ((count & (count - 1)) == 0) {
        size_t capacity = count == 0 ? 1 : 2 * count, size;
        struct armi_metadata_pair *pairs =
            armi_size_mul(capacity, sizeof *pairs, &size)
                ? armi_realloc(metadata->pairs, count * sizeof *pairs, size)
                : NULL;
        if (pairs == NULL)
            return armi_error_no_memory(err);
        metadata->pairs = pairs;
    }
    ARMI_TRY(pair_init(&metadata->pairs[count], key, value, err));
    metadata->count++;
    return ARMI_OK;
}

enum armi_status armi_metadata_set(struct armi_metadata *metadata, const char *key,
                                   struct armi_slice value, struct armi_error *err)
{
    struct armi_metadata_pair *found = pair_find(metadata, key);
    if (found == NULL)
        return armi_metadata_append(metadata, text_slice(key), value, err);
    struct armi_metadata_pair pair;
    ARMI_TRY(pair_init(&pair, text_slice(key), value, err));
    pair_release(found);
    *found = pair;
    return ARMI_OK;
}

/* Keeps the pairs for which drop() is false, in order. armi_metadata_append reallocates
 * at a power of two, so a block that is larger than needed does no harm; one that is too
 * small cannot be. */
static bool metadata_filter(struct armi_metadata *metadata,
                            bool (*drop)(struct armi_slice key, const char *arg),
                            const char *arg)
{
    size_t kept = 0;
    for (size_t i = 0; i < metadata->count; i++) {
        if (drop(metadata->pairs[i].key, arg))
            pair_release(&metadata->pairs[i]);
        else
            metadata->pairs[kept++] = metadata->pairs[i];
    }
    bool any = kept != metadata->count;
    metadata->count = kept;
    if (kept == 0) {
        armi_free(metadata->pairs);
        metadata->pairs = NULL;
    }
    return any;
}

static bool key_equals(struct armi_slice key, const char *arg)
{
    return armi_slice_equal(key, text_slice(arg));
}

static bool key_starts_with(struct armi_slice key, const char *arg)
{
    size_t size = strlen(arg);
    return key.size >= size && memcmp(key.data, arg, size) == 0;
}

bool armi_metadata_remove(struct armi_metadata *metadata, const char *key)
{
    return metadata_filter(metadata, key_equals, key);
}

enum armi_status armi_metadata_copy(const struct armi_metadata *metadata,
                                    struct armi_metadata *out, struct armi_error *err)
{
    struct armi_metadata copy = {0};
    for (size_t i = 0; i < metadata->count; i++) {
        enum armi_status status = armi_metadata_append(&copy, metadata->pairs[i].key,
                                                       metadata->pairs[i].value, err);
        if (status != ARMI_OK) {
            armi_metadata_release(&copy);
            return status;
        }
    }
    *out = copy;
    return ARMI_OK;
}

void armi_metadata_release(struct armi_metadata *metadata)
{
    for (size_t i = 0; i < metadata->count; i++)
        pair_release(&metadata->pairs[i]);
    armi_free(metadata->pairs);
    *metadata = (struct armi_metadata){0};
}

bool armi_metadata_equal(const struct armi_metadata *a, const struct armi_metadata *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!armi_slice_equal(a->pairs[i].key, b->pairs[i].key) ||
            !armi_slice_equal(a->pairs[i].value, b->pairs[i].value))
            return false;
    }
    return true;
}

/* ---- keys that mean something ---- */

void armi_field_strip_reserved(struct armi_field *field)
{
    metadata_filter(&field->metadata, key_starts_with, "armi.");
    for (size_t i = 0; i < field->child_count; i++)
        armi_field_strip_reserved(&field->children[i]);
}

/* -1 when it is no number in 0 .. INT32_MAX. */
static int32_t id_parse(struct armi_slice text)
{
    int64_t id = 0;
    if (text.size == 0 || text.size > 10)
        return -1;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        id = 10 * id + (text.data[i] - '0');
    }
    return id <= INT32_MAX ? (int32_t)id : -1;
}

void armi_field_take_ids(struct armi_field *field)
{
    const struct armi_slice *text = armi_metadata_get(&field->metadata, "PARQUET:field_id");
    if (text != NULL) {
        int32_t id = id_parse(*text);
        if (id >= 0)
            field->id = id;
        armi_metadata_remove(&field->metadata, "PARQUET:field_id");
    }
    for (size_t i = 0; i < field->child_count; i++)
        armi_field_take_ids(&field->children[i]);
}

const struct armi_slice *armi_field_extension(const struct armi_field *field)
{
    return armi_metadata_get(&field->metadata, "ARROW:extension:name");
}
