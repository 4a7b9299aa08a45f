/*
 * Commits: what happened, when, by whom.
 */
#ifndef ARMILLARIA_COMMIT_H
#define ARMILLARIA_COMMIT_H

#include <armillaria/repository.h>

#ifdef __cplusplus
extern "C" {
#endif

enum armi_op {
    ARMI_OP_CREATE = 0,
    ARMI_OP_APPEND = 1,
    ARMI_OP_DELETE = 2,
    ARMI_OP_UPDATE = 3,
    ARMI_OP_UPSERT = 4,
    ARMI_OP_OVERWRITE = 5,
    ARMI_OP_REPLACE = 6,
    ARMI_OP_ALTER = 7,
    ARMI_OP_DROP = 8,
    ARMI_OP_RENAME = 9,
    ARMI_OP_RESTORE = 10,
    ARMI_OP_REVERT = 11,
    ARMI_OP_MERGE = 12,
};

/* "create", "append"…; static. */
ARMI_API const char *armi_op_name(enum armi_op op);

/* What one commit did to one table. */
struct armi_table_change {
    const char *table;
    enum armi_op op;
    uint64_t old_version; /* 0 = the table was not there */
    uint64_t new_version; /* 0 = it is gone */
    uint64_t old_rows, new_rows;
};

struct armi_pair {
    const char *key;
    const char *value;
};

struct armi_commit_info {
    struct armi_hash commit;
    size_t parent_count;
    const struct armi_hash *parents;
    const char *author;
    int64_t time_us;  /* strictly increasing along first parents */
    int64_t clock_us; /* what the clock said */
    const char *message;
    size_t metadata_count;
    const struct armi_pair *metadata;
    size_t table_count;
    const struct armi_table_change *tables; /* against the first parent, in name order */
    bool layout_only;                       /* a compaction: it changed no content */
};

struct armi_commit_list {
    size_t size;
    size_t count;
    struct armi_commit_info *items; /* everything in them belongs to the list */
    void *private_data;
};

struct armi_log_options {
    size_t size;
    const char *ref;   /* NULL = main */
    const char *table; /* only commits that changed this table; NULL = all */
    uint64_t limit;    /* 0 = no limit */
};

/*
 * Commits along first parents, newest first. An empty list for a branch without commits.
 * *out is owned: armi_commit_list_release(). A `table` that the history never had is
 * ARMI_NOT_FOUND.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_commit_log(struct armi_repository *repo, const struct armi_log_options *options,
                struct armi_commit_list *out, struct armi_error *err);

/* The one commit that `ref` names (any form that armi_ref_resolve takes), as a list of one.
 */
ARMI_API ARMI_MUST_USE enum armi_status armi_commit_get(struct armi_repository *repo,
                                                        const char *ref,
                                                        struct armi_commit_list *out,
                                                        struct armi_error *err);
ARMI_API void armi_commit_list_release(struct armi_commit_list *list);

#ifdef __cplusplus
}
#endif

#endif
