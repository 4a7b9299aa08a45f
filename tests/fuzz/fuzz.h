/*
 * What every fuzz target implements. A target ends the process (assert, sanitizer) when
 * the library misbehaves, and returns 0 whatever the bytes were.
 */
#ifndef ARMI_FUZZ_H
#define ARMI_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Holds in release builds too, unlike assert. */
#define FUZZ_CHECK(condition)                                                              \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

#endif
