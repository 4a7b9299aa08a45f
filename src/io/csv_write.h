/*
 * Writing CSV over any table of system calls: what armi_csv_write is made of, and what
 * tests call.
 */
#ifndef ARMI_IO_CSV_WRITE_H
#define ARMI_IO_CSV_WRITE_H

#include <armillaria/io.h>

#include "os/os.h"

/* As armi_csv_write. */
enum armi_status armi_csv_write_to(const struct armi_os *os, struct ArrowArrayStream *data,
                                   const char *path,
                                   const struct armi_csv_write_options *options,
                                   uint64_t *out_rows, struct armi_error *err);

#endif
