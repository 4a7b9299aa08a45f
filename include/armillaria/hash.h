/*
 * A BLAKE3-256 hash: the name of a chunk, a node or a commit.
 */
#ifndef ARMILLARIA_HASH_H
#define ARMILLARIA_HASH_H

#include <stddef.h>
#include <stdint.h>

#include <armillaria/export.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ARMI_HASH_SIZE     32
#define ARMI_HASH_HEX_SIZE 65 /* 64 digits and the terminating zero */

struct armi_hash {
    uint8_t bytes[ARMI_HASH_SIZE];
};

/** Writes 64 lower-case hex digits and a zero byte. */
ARMI_API void armi_hash_format(const struct armi_hash *hash, char out[ARMI_HASH_HEX_SIZE]);

/**
 * Reads 64 lower-case hex digits. Returns 1, or 0 (out untouched) when the text, of `length`
 * bytes, is anything else: upper case is refused, so that one hash has one spelling.
 */
ARMI_API int armi_hash_parse(const char *text, size_t length, struct armi_hash *out);

#ifdef __cplusplus
}
#endif

#endif
