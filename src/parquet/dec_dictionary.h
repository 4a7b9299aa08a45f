/*
 * The dictionary of a column that is read as an Arrow dictionary array, made fit to hand out. Pages that
 * are not dictionary-coded add their values one by one, and a chunk's dictionary may tell more than
 * the rows that were read need.
 */
#ifndef ARMI_DEC_DICTIONARY_H
#define ARMI_DEC_DICTIONARY_H

#include "parquet/dec_column.h"

/* Each value once, only those that a slot refers to, in their old order; indices follow. The sinks'
 * buffers stay in place. ARMI_NO_MEMORY leaves both as they were. */
enum armi_status armi_pq_dictionary_compact(struct armi_pq_leaf_data *data,
                                            struct armi_error *err);

#endif
