/*
 * A repository in a folder of its own, and small tables to put into it: id int64 (0, 1, 2…), name
 * utf8 ("user-<id>", every seventh null), value float64.
 */
#ifndef ARMI_REPO_KIT_H
#define ARMI_REPO_KIT_H

#include <armillaria/armillaria.h>

#include "temp_dir.h"

struct repo_kit {
    char path[TEMP_DIR_SIZE];
    struct armi_repository *repo;
};

void repo_kit_open(struct repo_kit *kit);
void repo_kit_close(struct repo_kit *kit);
/* Closes and opens again: what a new process would see. */
void repo_kit_reopen(struct repo_kit *kit);

/*
 * Rows with ids [from, from + rows). `changed` (an id, or -1) gets another value. In batches of
 * `batch_rows` (0 = one).
 */
void repo_kit_rows(int64_t from, int64_t rows, int64_t changed, int64_t batch_rows,
                   struct ArrowArrayStream *out);

/* One write in a transaction of its own on `branch` (NULL = main). */
enum armi_status repo_kit_write(struct repo_kit *kit, const char *branch, const char *table,
                                struct ArrowArrayStream *data, enum armi_write_mode mode,
                                struct armi_write_result *out, struct armi_error *err);

/* Fails the test unless the table at `at` (NULL = newest) has exactly those rows. */
void repo_kit_expect(struct repo_kit *kit, const char *table, const struct armi_at *at,
                     int64_t from, int64_t rows, int64_t changed);
/* Fails the test unless verify, deep, finds nothing. */
void repo_kit_verify(struct repo_kit *kit);

#endif
