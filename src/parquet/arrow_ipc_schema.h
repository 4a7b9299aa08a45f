/*
 * The Arrow IPC schema message, a FlatBuffer: what the key ARROW:schema of a Parquet file holds (in
 * base64), and what restores the types that Parquet cannot say. The reader treats it as untrusted:
 * every offset is held against the message before it is followed.
 */
#ifndef ARMI_PARQUET_ARROW_IPC_SCHEMA_H
#define ARMI_PARQUET_ARROW_IPC_SCHEMA_H

#include "arrow/field.h"
#include "base/buf.h"

/*
 * Appends the encapsulated message (0xffffffff, size, FlatBuffer padded to 8). Deterministic. Keys
 * "armi.*" are left out everywhere, and at the schema itself those pairs that are text and so stand
 * in the file's own key/value metadata.
 */
enum armi_status armi_ipc_schema_encode(const struct armi_field *schema,
                                        struct armi_buf *out, struct armi_error *err);

/*
 * Reads one; the message may lack the leading marker, as old writers left it out. ARMI_CORRUPTION:
 * malformed; ARMI_UNSUPPORTED: a type that is not known here. *out is owned by the caller.
 */
enum armi_status armi_ipc_schema_decode(struct armi_slice bytes, struct armi_field *out,
                                        struct armi_error *err);

#endif
