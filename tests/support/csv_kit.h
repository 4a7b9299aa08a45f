/*
 * CSV files in a file system in memory, and what is read from them as one text that a test
 * can compare.
 */
#ifndef ARMI_CSV_KIT_H
#define ARMI_CSV_KIT_H

#include <armillaria/io.h>

#include "io/csv_scan.h"
#include "os_memory.h"

/* The name of the file that all of these use. */
#define CSV_KIT_PATH "/flights.csv"

void csv_kit_put(const struct armi_os *os, const void *data, size_t size);
/* The file's bytes and a zero byte, from malloc. */
char *csv_kit_get(const struct armi_os *os, size_t *size);

/*
 * Reads the stream to its end and releases it: a line with names and types
 * ("a:int64,b:string"), then a line a row with "|" between values as armi_value_append gives
 * them and "~" for nulls; line feeds within values become "\n". *out is malloc's.
 */
enum armi_status csv_kit_dump(struct ArrowArrayStream *stream, char **out,
                              struct armi_error *err);

/* Puts, reads and dumps; "error <status>: <message>" where that fails. From malloc. */
char *csv_kit_read(const void *data, size_t size,
                   const struct armi_csv_read_options *options,
                   const struct armi_csv_sizes *sizes);

/* A stream of `array` (moved), a record batch of `schema`. Fails the test if it cannot. */
struct armi_field;
void csv_kit_stream(const struct armi_field *schema, struct ArrowArray *array,
                    struct ArrowArrayStream *out);

#endif
