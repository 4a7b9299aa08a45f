/*
 * ArrowArrayStreams: ours for others, made from callbacks or a list of batches; and others'
 * for us, pulled with their error text brought into an armi_error. A stream is used by one
 * thread at a time.
 */
#ifndef ARMI_ARROW_STREAM_H
#define ARMI_ARROW_STREAM_H

#include "arrow/array_make.h"

struct armi_stream_callbacks {
    /* The next batch into *out, which arrives zeroed; leaving out->release NULL ends the
     * stream. */
    enum armi_status (*next)(void *ctx, struct ArrowArray *out, struct armi_error *err);
    /* Called once, at the stream's release, also if it was never read. May be NULL. */
    void (*free)(void *ctx);
    void *ctx;
};

/*
 * A stream with that schema (copied). ctx is moved on ARMI_OK only. After an error or the
 * end the stream stays there: `next` is not called again. `export_flags` as for
 * armi_field_export.
 */
enum armi_status armi_stream_make(const struct armi_field *schema, unsigned export_flags,
                                  const struct armi_stream_callbacks *callbacks,
                                  struct ArrowArrayStream *out, struct armi_error *err);
/* A stream of the `count` batches, moved on ARMI_OK only (their release becomes NULL). */
enum armi_status armi_stream_from_arrays(const struct armi_field *schema,
                                         struct ArrowArray *arrays, size_t count,
                                         struct ArrowArrayStream *out,
                                         struct armi_error *err);

/*
 * Pulling, from our own streams or foreign ones. An error of one of our streams comes
 * through whole (status, object, message); a foreign one's errno becomes ARMI_NO_MEMORY
 * (ENOMEM), ARMI_INTERRUPTED (EINTR), ARMI_STORAGE (EIO) or ARMI_INVALID, with its text.
 */
enum armi_status armi_stream_schema(struct ArrowArrayStream *stream, struct armi_field *out,
                                    struct armi_error *err);
/* The next batch, owned by the caller; at the end out->release is NULL. */
enum armi_status armi_stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out,
                                  struct armi_error *err);
/* The whole error behind the last failed call on a stream of ours; ARMI_INVALID for another's. */
enum armi_status armi_stream_last_error(struct ArrowArrayStream *stream,
                                        struct armi_error *out);
/* Calls release if there is one. */
void armi_stream_release(struct ArrowArrayStream *stream);

/* Batches that were collected. */
struct armi_array_list {
    size_t count;
    size_t capacity;
    struct ArrowArray *arrays; /* owned */
};

#define ARMI_ARRAY_LIST_INIT                                                               \
    {                                                                                      \
        0                                                                                  \
    }

/* Appends *array (moved on ARMI_OK only). */
enum armi_status armi_array_list_add(struct armi_array_list *list, struct ArrowArray *array,
                                     struct armi_error *err);
void armi_array_list_release(struct armi_array_list *list);
/* Pulls all that is left, appending to *list; what came before an error stays in it.
 * Batches without rows are dropped. */
enum armi_status armi_stream_collect(struct ArrowArrayStream *stream,
                                     struct armi_array_list *list, struct armi_error *err);

#endif
