/*
 * The table of codecs and the context that keeps their state. Everything that is the same
 * for all of them is done here: empty inputs, limits, error texts.
 */
#include "codec/codec_internal.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"

static const struct armi_codec_ops *const codecs[ARMI_CODEC_COUNT] = {
    [ARMI_CODEC_SNAPPY] = &armi_codec_snappy, [ARMI_CODEC_GZIP] = &armi_codec_gzip,
    [ARMI_CODEC_BROTLI] = &armi_codec_brotli, [ARMI_CODEC_LZ4] = &armi_codec_lz4_hadoop,
    [ARMI_CODEC_ZSTD] = &armi_codec_zstd,     [ARMI_CODEC_LZ4_RAW] = &armi_codec_lz4_raw,
};

struct armi_codec_context {
    struct armi_codec_context *next; /* while it is kept */
    void *states[ARMI_CODEC_COUNT];
};

/*
 * A few contexts are kept for the next taker: for a small chunk, making zstd's costs more than the
 * compression. The lock is only tried, so that a forked child can never wait for a thread it lacks.
 */
#define KEPT_MAX 16

static struct {
    pthread_mutex_t lock;
    struct armi_codec_context *head;
    size_t count;
} kept = {PTHREAD_MUTEX_INITIALIZER, NULL, 0};

static struct armi_codec_context *kept_take(void)
{
    if (!armi_allocator_is_default() || pthread_mutex_trylock(&kept.lock) != 0)
        return NULL;
    struct armi_codec_context *context = kept.head;
    if (context != NULL) {
        kept.head = context->next;
        kept.count--;
    }
    pthread_mutex_unlock(&kept.lock);
    return context;
}

static bool kept_give(struct armi_codec_context *context)
{
    if (!armi_allocator_is_default() || pthread_mutex_trylock(&kept.lock) != 0)
        return false;
    bool keep = kept.count < KEPT_MAX;
    if (keep) {
        context->next = kept.head;
        kept.head = context;
        kept.count++;
    }
    pthread_mutex_unlock(&kept.lock);
    return keep;
}

enum armi_status armi_codec_context_new(struct armi_codec_context **out,
                                        struct armi_error *err)
{
    struct armi_codec_context *context = kept_take();
    if (context == NULL)
        context = armi_alloc_zero(1, sizeof *context);
    if (context == NULL)
        return armi_error_no_memory(err);
    *out = context;
    return ARMI_OK;
}

void armi_codec_context_free(struct armi_codec_context *context)
{
    if (context == NULL || kept_give(context))
        return;
    for (size_t i = 0; i < ARMI_CODEC_COUNT; i++)
        if (context->states[i] != NULL)
            codecs[i]->state_free(context->states[i]);
    armi_free(context);
}

static const struct armi_codec_ops *codec_find(int id)
{
    return id >= 0 && id < ARMI_CODEC_COUNT ? codecs[id] : NULL;
}

const char *armi_codec_name(int id)
{
    if (id == ARMI_CODEC_NONE)
        return "none";
    if (id == ARMI_CODEC_LZO)
        return "lzo";
    const struct armi_codec_ops *ops = codec_find(id);
    return ops != NULL ? ops->name : "unknown";
}

static bool name_equal(const char *text, size_t size, const char *name)
{
    return strlen(name) == size && memcmp(text, name, size) == 0;
}

static bool id_parse(const char *text, size_t size, enum armi_codec_id *out)
{
    static const struct {
        const char *name;
        enum armi_codec_id id;
    } names[] = {
        {"none", ARMI_CODEC_NONE},       {"uncompressed", ARMI_CODEC_NONE},
        {"snappy", ARMI_CODEC_SNAPPY},   {"gzip", ARMI_CODEC_GZIP},
        {"brotli", ARMI_CODEC_BROTLI},   {"zstd", ARMI_CODEC_ZSTD},
        {"lz4_raw", ARMI_CODEC_LZ4_RAW}, {"lz4", ARMI_CODEC_LZ4_RAW},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (name_equal(text, size, names[i].name)) {
            *out = names[i].id;
            return true;
        }
    }
    return false;
}

enum armi_status armi_codec_parse(const char *text, struct armi_codec *out,
                                  struct armi_error *err)
{
    size_t size = strcspn(text, ":");
    struct armi_codec codec = {ARMI_CODEC_NONE, 0};
    if (!id_parse(text, size, &codec.id))
        return armi_error_object(
            err, ARMI_INVALID, "compression", text,
            "Unknown compression: %.64s (known: auto, none, snappy, gzip, "
            "brotli, zstd, lz4_raw; a level as in zstd:3)",
            text);
    if (text[size] == ':') {
        const char *digits = text + size + 1;
        size_t count = strspn(digits, "0123456789");
        const struct armi_codec_ops *ops = codec_find(codec.id);
        int level = 0;
        for (size_t i = 0; i < count && level < 1000; i++)
            level = level * 10 + (digits[i] - '0');
        bool has_levels = ops != NULL && ops->level_max > 0;
        if (!has_levels || count == 0 || digits[count] != '\0' || level < ops->level_min ||
            level > ops->level_max)
            return armi_error_object(
                err, ARMI_INVALID, "compression", text,
                "Invalid compression level: %.64s (gzip 1 to 12, brotli 1 to "
                "11, zstd 1 to 22)",
                text);
        codec.level = level;
    }
    *out = codec;
    return ARMI_OK;
}

size_t armi_codec_bound(struct armi_codec codec, size_t size)
{
    const struct armi_codec_ops *ops = codec_find(codec.id);
    return ops != NULL && ops->bound != NULL ? ops->bound(size) : size;
}

enum armi_status armi_codec_compress(struct armi_codec_context *context,
                                     struct armi_codec codec, struct armi_slice in,
                                     uint8_t *out, size_t capacity, size_t *out_size,
                                     struct armi_error *err)
{
    *out_size = 0;
    if (in.size == 0)
        return ARMI_OK;
    if (codec.id == ARMI_CODEC_NONE) {
        if (in.size <= capacity) {
            memcpy(out, in.data, in.size);
            *out_size = in.size;
        }
        return ARMI_OK;
    }
    const struct armi_codec_ops *ops = codec_find(codec.id);
    assert(ops != NULL && ops->compress != NULL);
    int level = codec.level != 0 ? codec.level : ops->level_default;
    return ops->compress(&context->states[codec.id], level, in, out, capacity, out_size,
                         err);
}

uint64_t armi_codec_most(int id, size_t size)
{
    const struct armi_codec_ops *ops = codec_find(id);
    uint64_t most;
    if (ops == NULL)
        return size;
    return __builtin_mul_overflow((uint64_t)size, ops->ratio_max, &most) ? UINT64_MAX
                                                                         : most;
}

enum armi_status armi_codec_decompress(struct armi_codec_context *context, int id,
                                       struct armi_slice in, uint8_t *out, size_t out_size,
                                       struct armi_error *err)
{
    bool ok = false;
    if (id == ARMI_CODEC_NONE) {
        ok = in.size == out_size;
        if (ok && out_size > 0)
            memcpy(out, in.data, out_size);
    } else {
        const struct armi_codec_ops *ops = codec_find(id);
        if (ops == NULL)
            return armi_error_set(err, ARMI_UNSUPPORTED,
                                  "compression %s (number %d) is not carried",
                                  armi_codec_name(id), id);
        if (in.size == 0)
            ok = out_size == 0;
        else
            ARMI_TRY(ops->decompress(&context->states[id], in, out, out_size, &ok, err));
    }
    if (!ok)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "damaged %s data: %zu bytes do not become %zu bytes",
                              armi_codec_name(id), in.size, out_size);
    return ARMI_OK;
}
