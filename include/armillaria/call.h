/*
 * What long calls have in common: they can be interrupted, and they tell how far they are.
 */
#ifndef ARMILLARIA_CALL_H
#define ARMILLARIA_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Both callbacks run on the calling thread only, at least ten times a second while a call
 * lasts, and may be NULL. They must not call back into the handle that the call is using.
 */
struct armi_callbacks {
    bool (*interrupted)(void *ctx); /* true ends the call with ARMI_INTERRUPTED */
    void (*progress)(void *ctx, uint64_t rows_done,
                     uint64_t rows_total); /* total 0 = not known */
    void *ctx;
};

#endif
