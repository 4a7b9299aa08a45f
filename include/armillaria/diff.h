/*
 * What turns one state into another.
 */
#ifndef ARMILLARIA_DIFF_H
#define ARMILLARIA_DIFF_H

#include <armillaria/table.h>

#ifdef __cplusplus
extern "C" {
#endif

enum armi_diff_kind {
    ARMI_DIFF_UNCHANGED = 0, /* only when one table was asked for */
    ARMI_DIFF_ADDED = 1,
    ARMI_DIFF_DROPPED = 2,
    ARMI_DIFF_CHANGED = 3,
    ARMI_DIFF_RENAMED = 4,
};

ARMI_API const char *armi_diff_kind_name(enum armi_diff_kind kind);

struct armi_table_diff {
    const char *table;
    const char *old_table; /* another name when renamed, else the same */
    enum armi_diff_kind kind;
    uint64_t old_version, new_version; /* 0 = not there */
    uint64_t rows_added, rows_removed, rows_changed;
    bool schema_changed;
    bool reordered; /* the same rows in another order */
};

struct armi_diff_options {
    size_t size;
    const char *from; /* refs; NULL = main. Related or not. */
    const char *to;
    const char *table; /* one table only; NULL = all that differ */
    uint64_t
        old_version; /* with `table`: versions of it along `to` instead of from and to; one of
                        them may be 0 = no table on that side */
    uint64_t new_version;
    const char *const
        *key; /* compare by these columns; NULL = the declared key, else whole rows */
    size_t key_count;
    bool no_counts; /* leave the row counts 0: nothing is decoded then */
    struct armi_callbacks callbacks;
};

struct armi_diff {
    size_t size;
    size_t count;
    struct armi_table_diff *items; /* in name order */
    void *private_data;
};

/*
 * Summaries by table. Cost follows what differs: equal ranges are never read. *out is
 * owned: armi_diff_release(). With `table` the list has exactly one entry, also when
 * nothing changed; ARMI_NOT_FOUND when neither side has the table.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_diff_open(struct armi_repository *repo, const struct armi_diff_options *options,
               struct armi_diff *out, struct armi_error *err);
ARMI_API void armi_diff_release(struct armi_diff *diff);

/*
 * The rows of one table's difference (options->table is needed): `_change_type` (utf8:
 * insert, delete, update_preimage, update_postimage) and then the columns of the newer
 * schema. The stream is owned by the caller, with the rules of armi_scan_open().
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_diff_rows(struct armi_repository *repo, const struct armi_diff_options *options,
               struct ArrowArrayStream *out, struct armi_error *err);

#ifdef __cplusplus
}
#endif

#endif
