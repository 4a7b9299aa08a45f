/*
 * Bytes that a call hands out, whatever they lie in: memory, or a mapped file (no copy
 * was made).
 */
#ifndef ARMILLARIA_BYTES_H
#define ARMILLARIA_BYTES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Owned by whoever holds the struct: release with armi_bytes_release(), from any thread,
 * once. The struct may be moved by copying it. `data` is read-only, aligned to 64 bytes
 * or more, and never NULL while release is set, also when size is 0.
 */
struct armi_bytes {
    const uint8_t *data;
    size_t size;
    void (*release)(struct armi_bytes *self); /* NULL = nothing is held */
    void *private_data;
};

#define ARMI_BYTES_INIT                                                                    \
    {                                                                                      \
        NULL, 0, NULL, NULL                                                                \
    }

static inline void armi_bytes_release(struct armi_bytes *bytes)
{
    if (bytes->release != NULL)
        bytes->release(bytes);
    bytes->data = NULL;
    bytes->size = 0;
    bytes->release = NULL;
    bytes->private_data = NULL;
}

#ifdef __cplusplus
}
#endif

#endif
