/*
 * A catalog in a temporary folder, and commits of one node and one line for tests that care about
 * neither.
 */
#ifndef ARMI_CATALOG_KIT_H
#define ARMI_CATALOG_KIT_H

#include "catalog/catalog.h"
#include "temp_dir.h"

struct catalog_kit {
    char dir[TEMP_DIR_SIZE];
    struct armi_catalog *catalog;
};

/* Makes the folder and the catalog, and opens it. `options` may be NULL. */
void catalog_kit_open(struct catalog_kit *kit, const struct armi_catalog_options *options);
/* Closes and opens again. */
void catalog_kit_reopen(struct catalog_kit *kit,
                        const struct armi_catalog_options *options);
/* Closes and removes. */
void catalog_kit_close(struct catalog_kit *kit);

/* Publishes a commit with these parents on a branch that must be at the first of them. */
enum armi_status catalog_kit_publish(struct armi_catalog *catalog, const char *branch,
                                     const struct armi_hash *parents, size_t parents_count,
                                     uint64_t number, struct armi_publish_result *result,
                                     struct armi_error *err);
/*
 * One more commit on a branch, tried again while others are quicker. *out (nullable) is its id. The node
 * of `number` says what was committed: catalog_kit_node().
 */
enum armi_status catalog_kit_commit(struct armi_catalog *catalog, const char *branch,
                                    uint64_t number, struct armi_hash *out,
                                    struct armi_error *err);
/* Framed bytes and name of the node that commit `number` carries. */
enum armi_status catalog_kit_node(uint64_t number, struct armi_buf *bytes,
                                  struct armi_hash *name, struct armi_error *err);

#endif
