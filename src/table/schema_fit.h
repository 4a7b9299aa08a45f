/*
 * Data that comes in against the schema that is there: by name, in any order, casting only
 * what loses nothing (MEANING.md, "Schema").
 */
#ifndef ARMI_TABLE_SCHEMA_FIT_H
#define ARMI_TABLE_SCHEMA_FIT_H

#include "arrow/field.h"

enum armi_fit_mode {
    ARMI_FIT_STRICT,    /* lossless casts, missing nullable columns */
    ARMI_FIT_MERGE,     /* also new nullable columns at the end, and widening */
    ARMI_FIT_OVERWRITE, /* the data's schema; ids stay where name and type fit */
};

struct armi_fit {
    struct armi_field schema; /* what the table's becomes; owned */
    int64_t *from; /* by its column: the column that comes in, or -1 for nulls; owned */
    int32_t next_id;
    bool changed; /* against the schema that was there */
};

/*
 * `table` names it in messages. `schema` NULL: there is no table yet, every column gets a new
 * id. Metadata of the schema itself is taken from the data when `takes_metadata` (whole
 * writes) and it brings any.
 *
 * ARMI_SCHEMA_MISMATCH naming the column and both types. *out is owned: armi_fit_release().
 */
enum armi_status armi_fit_schema(const char *table, const struct armi_field *schema,
                                 int32_t next_id, const struct armi_field *incoming,
                                 enum armi_fit_mode mode, bool takes_metadata,
                                 struct armi_fit *out, struct armi_error *err);
void armi_fit_release(struct armi_fit *fit);

#endif
