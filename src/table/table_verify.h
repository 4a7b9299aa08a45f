/*
 * What must hold of a table version beside its tree.
 */
#ifndef ARMI_TABLE_TABLE_VERIFY_H
#define ARMI_TABLE_TABLE_VERIFY_H

#include "table/table_io.h"
#include "table/table_version.h"

/* Totals and content id are those of its parts. ARMI_CORRUPTION says which is not. */
enum armi_status armi_table_verify_totals(const struct armi_table_version *version,
                                          struct armi_error *err);
/*
 * Decodes every column of every range and compares fingerprints and statistics. Reads each
 * range's bytes; ARMI_CORRUPTION names the range and the column.
 */
enum armi_status armi_table_verify_deep(const struct armi_table_io *io,
                                        const struct armi_table_version *version,
                                        struct armi_error *err);

#endif
