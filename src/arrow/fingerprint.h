/*
 * What a run of rows of one column says, in 20 bytes: BLAKE3 over a canonical form, so that
 * a writer knows what the parent version already has before it encodes anything (DESIGN.md,
 * "Fingerprint before encode"). docs/format/fingerprint.md is the specification.
 *
 * Equal for: any slicing, offset or cut into pieces; validity absent or all ones; anything
 * under nulls; 32-bit, 64-bit and view layouts of strings, binary and lists; run-end or
 * plain; dictionaries with other index widths, unused, repeated or reordered entries.
 * Different for: another logical type (unit, zone, precision, width, members' names); null
 * and empty; 0.0 and -0.0, NaN payloads; dictionary and plain. Not part of it: the column's
 * name, nullability, metadata and extension name, which the schema holds.
 *
 *     init -> (update... -> finish)... -> release
 */
#ifndef ARMI_ARROW_FINGERPRINT_H
#define ARMI_ARROW_FINGERPRINT_H

#include "arrow/array.h"

#define ARMI_FINGERPRINT_SIZE 20

struct armi_fingerprint_node;

/* The hasher; the caller's. For one thread at a time. */
struct armi_fingerprint {
    struct armi_fingerprint_node *root;
    struct armi_buf tag; /* the type's bytes */
};

#define ARMI_FINGERPRINT_INIT                                                              \
    {                                                                                      \
        0                                                                                  \
    }

/* `field` is not kept. ARMI_NO_MEMORY; ARMI_UNSUPPORTED for a union. */
enum armi_status armi_fingerprint_init(struct armi_fingerprint *self,
                                       const struct armi_field *field,
                                       struct armi_error *err);
void armi_fingerprint_release(struct armi_fingerprint *self);

/*
 * Adds rows [from, from + count) of *array, whose logical type is that of `field` (layouts
 * may differ, also from update to update); borrowed for the call only. The array must have
 * been validated. Calls need not be cut at any particular row. On failure only release or
 * reset are left. ARMI_NO_MEMORY; ARMI_LIMIT: a value or list of 2^32 bytes or elements;
 * ARMI_SCHEMA_MISMATCH: another logical type.
 */
enum armi_status armi_fingerprint_update(struct armi_fingerprint *self,
                                         const struct armi_array *array, int64_t from,
                                         int64_t count, struct armi_error *err);

/* The fingerprint of the rows added since init or the last finish, and a fresh start. */
void armi_fingerprint_finish(struct armi_fingerprint *self,
                             uint8_t out[ARMI_FINGERPRINT_SIZE]);
/* Forgets the rows added. */
void armi_fingerprint_reset(struct armi_fingerprint *self);

/* All rows of `count` pieces in one call. */
enum armi_status armi_fingerprint_pieces(const struct armi_field *field,
                                         const struct armi_array *pieces, size_t count,
                                         uint8_t out[ARMI_FINGERPRINT_SIZE],
                                         struct armi_error *err);

#endif
