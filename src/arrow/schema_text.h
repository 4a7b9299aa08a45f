/*
 * Types as text, exactly as pyarrow prints them: "timestamp[us, tz=UTC]", "decimal128(10,
 * 2)", "list<item: int64>", "dictionary<values=string, indices=int32, ordered=0>".
 */
#ifndef ARMI_ARROW_SCHEMA_TEXT_H
#define ARMI_ARROW_SCHEMA_TEXT_H

#include "arrow/field.h"

/* Appends the text of the field's type (not its name) to *out, without a zero byte. */
enum armi_status armi_type_format(const struct armi_field *field, struct armi_buf *out,
                                  struct armi_error *err);
/* The same as a zero-terminated string, owned by the caller (armi_free). */
enum armi_status armi_type_text(const struct armi_field *field, char **out,
                                struct armi_error *err);

/*
 * The inverse: a nullable field with an empty name and that type. Besides everything that
 * armi_type_format writes it takes the usual short names (str, utf8, float32, float64,
 * bytes, decimal(p, s), timestamp[us, UTC]). ARMI_INVALID names the place where the text
 * stops being a type.
 */
enum armi_status armi_type_parse(const char *text, struct armi_field *out,
                                 struct armi_error *err);

#endif
