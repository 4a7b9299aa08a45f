/*
 * ArrowArrayStreams of ours, and pulling from anyone's. The stream's private block keeps
 * the whole armi_error, so that status and object survive when the stream comes back to
 * this library.
 */
#include "arrow/stream.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"

/* ---- ours, for others ---- */

struct stream_private {
    struct armi_field schema;
    unsigned export_flags;
    struct armi_stream_callbacks callbacks;
    bool ended;
    struct armi_error last; /* status ARMI_OK: no error */
};

/* The C Stream Interface speaks errno. */
static int status_errno(const struct armi_error *err)
{
    switch (err->status) {
    case ARMI_OK:
        return 0;
    case ARMI_NO_MEMORY:
        return ENOMEM;
    case ARMI_INTERRUPTED:
        return EINTR;
    case ARMI_STORAGE:
    case ARMI_CORRUPTION:
        return err->sys_errno > 0 ? err->sys_errno : EIO;
    case ARMI_UNSUPPORTED:
        return ENOTSUP;
    default:
        return EINVAL;
    }
}

static int stream_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    struct stream_private *p = stream->private_data;
    struct armi_error err = ARMI_ERROR_INIT;
    err.status = armi_field_export(&p->schema, p->export_flags, out, &err);
    if (err.status != ARMI_OK)
        p->last = err;
    return status_errno(&err);
}

static int stream_get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct stream_private *p = stream->private_data;
    memset(out, 0, sizeof *out);
    if (p->ended)
        return status_errno(&p->last);
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArray array = {0};
    err.status = p->callbacks.next(p->callbacks.ctx, &array, &err);
    if (err.status != ARMI_OK) {
        p->ended = true;
        p->last = err;
        return status_errno(&err);
    }
    p->ended = array.release == NULL;
    *out = array;
    return 0;
}

static const char *stream_get_last_error(struct ArrowArrayStream *stream)
{
    struct stream_private *p = stream->private_data;
    return p->last.status != ARMI_OK ? p->last.message : NULL;
}

enum armi_status armi_stream_last_error(struct ArrowArrayStream *stream,
                                        struct armi_error *out)
{
    if (stream->get_next != stream_get_next)
        return armi_error_set(out, ARMI_INVALID, "the stream is not one of this library's");
    const struct stream_private *p = stream->private_data;
    size_t size = out->size;
    *out = p->last;
    out->size = size;
    return ARMI_OK;
}

static void stream_release(struct ArrowArrayStream *stream)
{
    struct stream_private *p = stream->private_data;
    if (p->callbacks.free != NULL)
        p->callbacks.free(p->callbacks.ctx);
    armi_field_release(&p->schema);
    armi_free(p);
    stream->release = NULL;
}

enum armi_status armi_stream_make(const struct armi_field *schema, unsigned export_flags,
                                  const struct armi_stream_callbacks *callbacks,
                                  struct ArrowArrayStream *out, struct armi_error *err)
{
    struct stream_private *p = armi_alloc_zero(1, sizeof *p);
    if (p == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = armi_field_copy(schema, &p->schema, err);
    if (status != ARMI_OK) {
        armi_free(p);
        return status;
    }
    p->export_flags = export_flags;
    p->callbacks = *callbacks;
    p->last = (struct armi_error)ARMI_ERROR_INIT;
    *out = (struct ArrowArrayStream){stream_get_schema, stream_get_next,
                                     stream_get_last_error, stream_release, p};
    return ARMI_OK;
}

struct array_source {
    size_t next;
    struct armi_array_list list;
};

static enum armi_status source_next(void *ctx, struct ArrowArray *out,
                                    struct armi_error *err)
{
    struct array_source *source = ctx;
    (void)err;
    if (source->next < source->list.count)
        armi_arrow_array_move(&source->list.arrays[source->next++], out);
    return ARMI_OK;
}

static void source_free(void *ctx)
{
    struct array_source *source = ctx;
    armi_array_list_release(&source->list);
    armi_free(source);
}

enum armi_status armi_stream_from_arrays(const struct armi_field *schema,
                                         struct ArrowArray *arrays, size_t count,
                                         struct ArrowArrayStream *out,
                                         struct armi_error *err)
{
    struct array_source *source = armi_alloc_zero(1, sizeof *source);
    struct ArrowArray *copy = armi_alloc_array(count, sizeof *copy);
    enum armi_status status = ARMI_OK;
    if (source == NULL || copy == NULL)
        status = armi_error_no_memory(err);
    struct armi_stream_callbacks callbacks = {source_next, source_free, source};
    if (status == ARMI_OK)
        status = armi_stream_make(schema, 0, &callbacks, out, err);
    if (status != ARMI_OK) {
        armi_free(copy);
        armi_free(source);
        return status;
    }
    for (size_t i = 0; i < count; i++)
        armi_arrow_array_move(&arrays[i], &copy[i]);
    source->list = (struct armi_array_list){count, count, copy};
    return ARMI_OK;
}

/* ---- anyone's, for us ---- */

static enum armi_status stream_failed(struct ArrowArrayStream *stream, int errnum,
                                      struct armi_error *err)
{
    if (stream->get_next == stream_get_next) {
        const struct armi_error *last =
            &((struct stream_private *)stream->private_data)->last;
        if (err != NULL) {
            size_t size = err->size;
            *err = *last;
            err->size = size;
        }
        return last->status;
    }
    const char *text =
        stream->get_last_error != NULL ? stream->get_last_error(stream) : NULL;
    enum armi_status status = ARMI_INVALID;
    if (errnum == ENOMEM)
        status = ARMI_NO_MEMORY;
    else if (errnum == EINTR)
        status = ARMI_INTERRUPTED;
    else if (errnum == EIO)
        status = ARMI_STORAGE;
    if (text == NULL || text[0] == '\0')
        text = strerror(errnum);
    armi_error_set(err, status, "the input stream failed: %s", text);
    if (err != NULL && status == ARMI_STORAGE)
        err->sys_errno = errnum;
    return status;
}

static enum armi_status check_live(const struct ArrowArrayStream *stream,
                                   struct armi_error *err)
{
    if (stream->release != NULL)
        return ARMI_OK;
    return armi_error_set(err, ARMI_INVALID,
                          "the input stream was already used up or released");
}

enum armi_status armi_stream_schema(struct ArrowArrayStream *stream, struct armi_field *out,
                                    struct armi_error *err)
{
    ARMI_TRY(check_live(stream, err));
    struct ArrowSchema schema = {0};
    int errnum = stream->get_schema(stream, &schema);
    if (errnum != 0)
        return stream_failed(stream, errnum, err);
    enum armi_status status = armi_field_import_schema(&schema, out, err);
    armi_arrow_schema_release(&schema);
    return status;
}

enum armi_status armi_stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out,
                                  struct armi_error *err)
{
    ARMI_TRY(check_live(stream, err));
    struct ArrowArray array = {0};
    int errnum = stream->get_next(stream, &array);
    if (errnum != 0)
        return stream_failed(stream, errnum, err);
    *out = array;
    return ARMI_OK;
}

void armi_stream_release(struct ArrowArrayStream *stream)
{
    if (stream->release != NULL)
        stream->release(stream);
}

/* ---- lists ---- */

enum armi_status armi_array_list_add(struct armi_array_list *list, struct ArrowArray *array,
                                     struct armi_error *err)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 8 : 2 * list->capacity, size;
        struct ArrowArray *arrays =
            armi_size_mul(capacity, sizeof *arrays, &size)
                ? armi_realloc(list->arrays, list->count * sizeof *arrays, size)
                : NULL;
        if (arrays == NULL)
            return armi_error_no_memory(err);
        list->arrays = arrays;
        list->capacity = capacity;
    }
    armi_arrow_array_move(array, &list->arrays[list->count++]);
    return ARMI_OK;
}

void armi_array_list_release(struct armi_array_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        armi_arrow_array_release(&list->arrays[i]);
    armi_free(list->arrays);
    *list = (struct armi_array_list)ARMI_ARRAY_LIST_INIT;
}

enum armi_status armi_stream_collect(struct ArrowArrayStream *stream,
                                     struct armi_array_list *list, struct armi_error *err)
{
    for (;;) {
        struct ArrowArray array;
        ARMI_TRY(armi_stream_next(stream, &array, err));
        if (array.release == NULL)
            return ARMI_OK;
        enum armi_status status = ARMI_OK;
        if (array.length > 0)
            status = armi_array_list_add(list, &array, err);
        armi_arrow_array_release(&array);
        if (status != ARMI_OK)
            return status;
    }
}
