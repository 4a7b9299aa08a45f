/*
 * Columns of a CSV file as the types of a table that they are meant for. Text says less than a
 * type does: 8 may be a double, 00501 is a text even if every other code is a number, and a
 * column without a value may be anything.
 */
#ifndef ARMI_IO_CSV_FIT_H
#define ARMI_IO_CSV_FIT_H

#include "arrow/array_make.h"
#include "io/csv_value.h"

/* Turns what was inferred towards `want` where every value allows it: the column is then
 * decoded as that. */
void armi_csv_fit_type(struct armi_csv_type *type, const struct armi_field *want);

/* Whether decoded values of type `have` are to be turned into `want`, value by value: integers
 * into narrower ones, times into coarser ones, nothing but nulls into anything. */
bool armi_csv_fit_converts(const struct armi_csv_type *type, const struct armi_field *have,
                           const struct armi_field *want);

/*
 * *array (moved, replaced by one of type `want`) holds rows from `row` of the file on. A value
 * that does not fit is ARMI_INVALID, "FILE: row 7: 300 does not fit column "n" (int8)".
 */
enum armi_status armi_csv_fit_array(const char *file, uint64_t row,
                                    const struct armi_field *have,
                                    const struct armi_field *want, struct ArrowArray *array,
                                    struct armi_error *err);

#endif
