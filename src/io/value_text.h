/*
 * One value as text: what CSV, terminals and JSON lines show.
 */
#ifndef ARMI_IO_VALUE_TEXT_H
#define ARMI_IO_VALUE_TEXT_H

#include <armillaria/io.h>

#include "arrow/array.h"

/*
 * Appends row i of the array, of any type; of a null nothing. Not quoted for CSV. A nested
 * value comes as JSON.
 */
enum armi_status armi_value_append(const struct armi_array *array, int64_t i,
                                   struct armi_buf *out, struct armi_error *err);

/* The same as a JSON value: null, numbers bare (NaN and infinities quoted), the rest quoted,
 * lists as arrays, structs and maps as objects. */
enum armi_status armi_value_append_json(const struct armi_array *array, int64_t i,
                                        struct armi_buf *out, struct armi_error *err);

#endif
