/*
 * Reading CSV over any table of system calls and with any block sizes: what armi_csv_read
 * is made of, and what tests call.
 */
#ifndef ARMI_IO_CSV_READ_H
#define ARMI_IO_CSV_READ_H

#include <armillaria/io.h>

#include "io/csv_scan.h"

extern const struct armi_csv_sizes armi_csv_sizes_default;

/* As armi_csv_read; `sizes` NULL = the defaults. */
enum armi_status armi_csv_read_from(const struct armi_os *os, const char *path,
                                    const struct armi_csv_read_options *options,
                                    const struct armi_csv_sizes *sizes,
                                    struct ArrowArrayStream *out, struct armi_error *err);

/* What the two directions take for a delimiter (0 = comma) and for a null's text. */
enum armi_status armi_csv_delimiter_check(char delimiter, uint8_t *out,
                                          struct armi_error *err);
enum armi_status armi_csv_null_check(const char *text, uint8_t delimiter,
                                     struct armi_error *err);

#endif
