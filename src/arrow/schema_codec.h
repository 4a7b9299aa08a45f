/*
 * A schema as canonical bytes, for the schema node: equal schemas give equal bytes, and any
 * bytes that decode are the only encoding of what they decode to. docs/format/schema.md is
 * the specification.
 */
#ifndef ARMI_ARROW_SCHEMA_CODEC_H
#define ARMI_ARROW_SCHEMA_CODEC_H

#include "arrow/field.h"

/* Appends the field, with all its children, metadata and ids, to *out. */
enum armi_status armi_schema_encode(const struct armi_field *field, struct armi_buf *out,
                                    struct armi_error *err);
/* Untrusted bytes, which must be used up entirely. ARMI_CORRUPTION for what is no encoding,
 * ARMI_UNSUPPORTED for a type or version that is newer than this library. */
enum armi_status armi_schema_decode(struct armi_slice bytes, struct armi_field *out,
                                    struct armi_error *err);

#endif
