/*
 * Commits as log and show print them.
 */
#ifndef ARMI_CLI_CLI_COMMIT_H
#define ARMI_CLI_CLI_COMMIT_H

#include "cli.h"
#include "cli_json.h"

/* Keeps the names of refs that stand at a commit: "main, tag: v1". */
struct cli_marks {
    struct armi_ref_list branches, tags;
};

int cli_marks_load(struct cli *cli, struct cli_marks *out);
void cli_marks_release(struct cli_marks *marks);

/* Id, author, date, message. */
void cli_commit_print(const struct armi_commit_info *info, const struct cli_marks *marks);
/* "1 -> 2", or the one of them that is there. */
const char *cli_versions(uint64_t from, uint64_t to, struct cli_small *out);
/* The tables it changed. */
void cli_commit_tables_print(const struct armi_commit_info *info);
/* The members of a commit; its object is opened and closed by the caller. */
void cli_commit_json(const struct armi_commit_info *info, struct cli_json *json);
void cli_change_json(const struct armi_table_change *change, struct cli_json *json);

#endif
