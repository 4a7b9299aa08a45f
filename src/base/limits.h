/*
 * Every limit in one place. What comes from disk or from a caller is held against these before
 * anything is allocated; docs/limits.md lists them for users.
 */
#ifndef ARMI_BASE_LIMITS_H
#define ARMI_BASE_LIMITS_H

#include <stdint.h>

#define ARMI_KIB ((uint64_t)1 << 10)
#define ARMI_MIB ((uint64_t)1 << 20)
#define ARMI_GIB ((uint64_t)1 << 30)

#define ARMI_NAME_SIZE_MAX     255              /* branch, tag, table names, bytes */
#define ARMI_MESSAGE_SIZE_MAX  (64 * ARMI_KIB)  /* commit message */
#define ARMI_METADATA_SIZE_MAX (64 * ARMI_KIB)  /* commit metadata, all keys and values */
#define ARMI_PARENTS_MAX       16               /* of one commit */
#define ARMI_COLUMNS_MAX       32767            /* top-level columns of a table */
#define ARMI_NESTING_MAX       64               /* levels of lists, structs and maps */
#define ARMI_VALUE_SIZE_MAX    ARMI_GIB         /* one string or binary value */
#define ARMI_CHUNK_ARROW_MAX   (64 * ARMI_MIB)  /* Arrow bytes in one chunk file */
#define ARMI_CHUNK_FILE_MAX    (4 * ARMI_GIB)   /* a chunk file, as a reader accepts it */
#define ARMI_CHUNK_TINY_MAX    (64 * ARMI_KIB)  /* smaller chunks live in the catalog */
#define ARMI_NODE_SIZE_MAX     (64 * ARMI_MIB)  /* one metadata node */
#define ARMI_NODE_PUBLISH_MAX  (256 * ARMI_KIB) /* bytes of nodes that ride in a publish */
#define ARMI_FOOTER_SIZE_MAX   (512 * ARMI_MIB) /* a Parquet footer */
#define ARMI_PAGE_SIZE_MAX     ((uint64_t)INT32_MAX) /* a Parquet page, either form */
#define ARMI_RESULT_BYTES      (4 * ARMI_GIB) /* default of max_bytes: one whole-table result */
#define ARMI_BATCH_BYTES       (64 * ARMI_MIB) /* a batch of a scan */
#define ARMI_LOCK_TIMEOUT_S    60

#endif
