/*
 * The simplest source: bytes in memory.
 */
#include "base/source.h"

#include <string.h>

#include "base/buf.h"
#include "base/checked.h"

static enum armi_status memory_map(void *ctx, uint64_t offset, size_t size,
                                   const uint8_t **out, struct armi_error *err)
{
    const struct armi_slice *bytes = ctx;
    if (!armi_span_fits(offset, size, bytes->size))
        return armi_error_set(err, ARMI_INVALID, "a read beyond the end of a buffer");
    *out = bytes->data != NULL ? bytes->data + offset : (const uint8_t *)"";
    return ARMI_OK;
}

static enum armi_status memory_read(void *ctx, uint64_t offset, size_t size, uint8_t *out,
                                    struct armi_error *err)
{
    const uint8_t *at = NULL;
    ARMI_TRY(memory_map(ctx, offset, size, &at, err));
    if (size != 0)
        memcpy(out, at, size);
    return ARMI_OK;
}

void armi_source_from_memory(struct armi_slice *bytes, struct armi_source *out)
{
    *out = (struct armi_source){
        .size = bytes->size,
        .ctx = bytes,
        .read = memory_read,
        .map = memory_map,
    };
}
