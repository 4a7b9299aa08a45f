/*
 * Differences as diff, show and merge print them.
 */
#ifndef ARMI_CLI_CLI_DIFF_H
#define ARMI_CLI_CLI_DIFF_H

#include "cli.h"
#include "cli_json.h"

/* One line a table: what happened, versions, rows added, removed, changed. */
void cli_diff_print(const struct armi_diff *diff);
/* Members of a JSON list. */
void cli_diff_json(const struct armi_diff *diff, struct cli_json *json);

#endif
