/*
 * Tables, seen from one place in history.
 *
 * Where to look is said by a struct armi_at: a ref (branch, tag, commit prefix of at least
 * 8 digits, each with an optional ~N), then at most one of a version number and a time.
 * Zero-initialised it means "the newest on main".
 */
#ifndef ARMILLARIA_TABLE_H
#define ARMILLARIA_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <armillaria/arrow_abi.h>
#include <armillaria/error.h>
#include <armillaria/export.h>
#include <armillaria/repository.h>

#ifdef __cplusplus
extern "C" {
#endif

struct armi_transaction;

struct armi_at {
    size_t size;
    const char *ref;  /* NULL = main */
    uint64_t version; /* 0 = not given */
    bool has_as_of;
    int64_t as_of_us; /* microseconds since 1970-01-01 UTC */
    struct armi_transaction
        *transaction; /* look through this open transaction: its snapshot and its
                         own writes; excludes ref, version and as_of */
};

#define ARMI_AT_INIT                                                                       \
    {                                                                                      \
        .size = sizeof(struct armi_at)                                                     \
    }

/* A list of names in byte order. Owned: armi_name_list_release(). */
struct armi_name_list {
    size_t size;
    size_t count;
    const char **names;
    void *private_data;
};

ARMI_API void armi_name_list_release(struct armi_name_list *list);

/* Names of the tables at `at` (no version). A repository without commits has none. `at` may
 * be NULL. */
ARMI_API ARMI_MUST_USE enum armi_status armi_table_list(struct armi_repository *repo,
                                                        const struct armi_at *at,
                                                        struct armi_name_list *out,
                                                        struct armi_error *err);

struct armi_table_info {
    size_t size;
    uint64_t version;
    struct armi_hash
        commit; /* that made this version; all zero inside a transaction's own writes */
    int64_t time_us; /* of that commit */
    uint64_t rows;
    uint64_t logical_bytes; /* Arrow bytes */
    uint64_t stored_bytes;  /* chunk bytes this version refers to, each chunk once */
    uint64_t ranges;
    size_t column_count;
    struct armi_hash root; /* logical root: equal roots mean equal content */
    size_t key_count;
    const char **key; /* names of the key's columns, or NULL */
    size_t chunk_count;
    struct armi_hash *chunks; /* in row order, without repeats */
    void *private_data;
};

/*
 * What one table version is. *out is filled, and owned: armi_table_info_release().
 *
 * Errors: ARMI_NOT_FOUND ("Table not found: t", "Version not found: t version 9", "Branch
 * not found: b", a time before the first commit names that commit's time) · ARMI_INVALID
 * (both version and time).
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_table_info(struct armi_repository *repo, const char *table, const struct armi_at *at,
                struct armi_table_info *out, struct armi_error *err);
ARMI_API void armi_table_info_release(struct armi_table_info *info);

/* The schema as it is handed out by scans: the caller owns *out (out->release). */
ARMI_API ARMI_MUST_USE enum armi_status
armi_table_schema(struct armi_repository *repo, const char *table, const struct armi_at *at,
                  struct ArrowSchema *out, struct armi_error *err);

/* Rows, from the metadata alone. */
ARMI_API ARMI_MUST_USE enum armi_status
armi_table_count(struct armi_repository *repo, const char *table, const struct armi_at *at,
                 uint64_t *out, struct armi_error *err);

struct armi_table_version_item {
    uint64_t version;
    struct armi_hash commit;
    int64_t time_us;
    const char *author;
    const char *message;
    uint64_t rows;
    uint64_t stored_bytes;
};

struct armi_table_version_list {
    size_t size;
    size_t count;
    struct armi_table_version_item *items;
    void *private_data;
};

/* All versions of a table along the first parents of `ref` (NULL = main), oldest first. */
ARMI_API ARMI_MUST_USE enum armi_status
armi_table_versions(struct armi_repository *repo, const char *table, const char *ref,
                    struct armi_table_version_list *out, struct armi_error *err);
ARMI_API void armi_table_version_list_release(struct armi_table_version_list *list);

#ifdef __cplusplus
}
#endif

#endif
