/*
 * One column of a CSV file: first the type that all its fields fit, then its values.
 * Both go through a window column by column, so that each loop knows its type.
 */
#ifndef ARMI_IO_CSV_COLUMN_H
#define ARMI_IO_CSV_COLUMN_H

#include "arrow/array_make.h"
#include "io/csv_scan.h"

struct armi_csv_column {
    struct armi_csv_type type;

    /* The batch that is being filled; owned. */
    uint8_t *values;   /* fixed width, bits, or int32 offsets */
    uint8_t *validity; /* all ones but where null */
    struct armi_buf text;
    int64_t null_count;
};

/* What is null besides the unquoted empty field; size 0 = nothing. Borrowed. */
struct armi_csv_nulls {
    const uint8_t *text;
    size_t size;
};

/* Joins the fields of column `c` of the window into the column's type. */
void armi_csv_column_infer(struct armi_csv_column *column, const struct armi_csv_window *w,
                           size_t c, const struct armi_csv_nulls *nulls);

/* The type as Arrow's; *field gets the name `name`. */
enum armi_status armi_csv_column_field(const struct armi_csv_column *column,
                                       const char *name, struct armi_field *field,
                                       struct armi_error *err);
/* Bits that a row takes, without text. */
size_t armi_csv_column_row_bits(const struct armi_csv_column *column);

/* Room for a batch of `rows` rows. */
enum armi_status armi_csv_column_begin(struct armi_csv_column *column, size_t rows,
                                       struct armi_error *err);
/* Rows [from, from + count) of the window become rows `at`… of the batch. ARMI_INVALID
 * without a message if a field is not of the column's type: the file has changed. */
enum armi_status armi_csv_column_decode(struct armi_csv_column *column,
                                        const struct armi_csv_window *w, size_t c,
                                        const struct armi_csv_nulls *nulls, size_t from,
                                        size_t count, size_t at, struct armi_error *err);
/* Moves the batch out. */
enum armi_status armi_csv_column_finish(struct armi_csv_column *column,
                                        const struct armi_field *field, int64_t rows,
                                        struct ArrowArray *out, struct armi_error *err);
void armi_csv_column_release(struct armi_csv_column *column);

#endif
