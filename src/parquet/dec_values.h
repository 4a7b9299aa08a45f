/*
 * A page's values of any physical type and encoding, converted to what the Arrow type holds. One
 * entry: armi_pq_values_read; the table behind it says which encodings a physical type may have.
 */
#ifndef ARMI_DEC_VALUES_H
#define ARMI_DEC_VALUES_H

#include "parquet/dec_bytes.h"
#include "parquet/parquet_schema.h"

/* A column chunk's dictionary, already in Arrow form. */
struct armi_pq_dictionary {
    bool is_set;
    struct armi_pq_sink values; /* FIXED or BYTES32; no nulls */
    uint32_t longest;           /* of byte arrays */
};

/* The kind of sink that this leaf's values go into. Dictionary arrays: of their values. */
void armi_pq_values_sink(const struct armi_pq_leaf *leaf, struct armi_pq_budget *budget,
                         struct armi_pq_sink *sink);

/*
 * Appends span->count packed values; the caller has reserved the slots and closes the page.
 * `check_utf8`: text that is not UTF-8 is ARMI_CORRUPTION.
 */
enum armi_status armi_pq_values_read(const struct armi_pq_leaf *leaf, int encoding,
                                     const struct armi_pq_span *span,
                                     const struct armi_pq_dictionary *dictionary,
                                     bool check_utf8, struct armi_pq_sink *sink,
                                     struct armi_pq_scratch *scratch,
                                     struct armi_error *err);

/* The dictionary page's values: PLAIN, `count` of them. */
enum armi_status armi_pq_dictionary_read(const struct armi_pq_leaf *leaf,
                                         struct armi_slice bytes, size_t count,
                                         bool check_utf8, struct armi_pq_budget *budget,
                                         struct armi_pq_dictionary *out,
                                         struct armi_pq_scratch *scratch,
                                         struct armi_error *err);
void armi_pq_dictionary_release(struct armi_pq_dictionary *dictionary);

/* span->bytes: indices into a dictionary of `limit` values, appended as int32 plus `base`. */
enum armi_status armi_pq_indices_read(const struct armi_pq_span *span, size_t limit,
                                      uint32_t base, struct armi_pq_sink *sink,
                                      struct armi_error *err);

/* Whether the values that offsets[0 .. count] cut out of `data` are UTF-8 each. */
bool armi_pq_utf8_check(const uint8_t *data, const void *offsets, bool is_64, size_t count);

#endif
