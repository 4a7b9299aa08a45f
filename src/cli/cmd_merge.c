/*
 * armi merge: a ref into a branch. A conflict is an answer: it is printed as a table, moves
 * nothing, and ends with status 1.
 */
#include "cli.h"
#include "cli_grid.h"
#include "cli_json.h"

#include <string.h>

static void names_json(const char *key, const char *const *names, size_t count,
                       struct cli_json *json)
{
    cli_json_open(json, key, '[');
    for (size_t i = 0; i < count; i++)
        cli_json_text(json, NULL, names[i]);
    cli_json_close(json, ']');
}

static void merge_json(const struct armi_merge_result *result)
{
    struct cli_json json = {.out = stdout};
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "kind", armi_merge_kind_name(result->kind));
    cli_json_hash(&json, "commit", &result->commit);
    if (result->has_base)
        cli_json_hash(&json, "base", &result->base);
    else
        cli_json_null(&json, "base");
    names_json("tables", result->tables, result->table_count, &json);
    names_json("conflicts", result->conflicts, result->conflict_count, &json);
    cli_json_close(&json, '}');
}

static void conflicts_print(const struct armi_merge_options *options,
                            const struct armi_merge_result *result)
{
    struct cli_grid grid = {0};
    struct cli_text both = {NULL, 0, 0};
    cli_text_addf(&both, "changed on %s and on %s", options->into, options->from);
    cli_grid_column(&grid, "TABLE", NULL, CLI_LEFT);
    cli_grid_column(&grid, "CONFLICT", NULL, CLI_LEFT);
    for (size_t i = 0; i < result->conflict_count; i++) {
        cli_grid_cell(&grid, CLI_RED, result->conflicts[i]);
        cli_grid_cell(&grid, CLI_PLAIN, both.data);
    }
    cli_grid_print(&grid, stdout);
    cli_grid_release(&grid);
    cli_text_release(&both);
}

static void merge_print(const struct armi_merge_options *options,
                        const struct armi_merge_result *result)
{
    struct cli_small id;
    const char *from = cli_escaped(options->from), *into = cli_escaped(options->into);
    const char *would = options->dry_run ? "would be " : "";
    cli_short_id(&result->commit, &id);
    if (result->kind == ARMI_MERGE_UP_TO_DATE)
        printf("%s has all of %s already\n", into, from);
    else if (result->kind == ARMI_MERGE_FAST_FORWARD)
        printf("%s %sforwarded to %s, at %s\n", into, would, from, id.text);
    else if (options->dry_run)
        printf("%s would be merged into %s\n", from, into);
    else
        printf("%s merged into %s as %s\n", from, into, id.text);
    for (size_t i = 0; i < result->table_count; i++)
        printf("    %s\n", cli_escaped(result->tables[i]));
}

int cmd_merge(struct cli *cli, const struct cli_args *args)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_merge_result result = {.size = sizeof result};
    bool ours = cli_args_has(args, "ours"), theirs = cli_args_has(args, "theirs");
    const char *into = cli_args_value(args, "into");
    struct armi_merge_options options = {
        .size = sizeof options,
        .from = args->words[0],
        .into = cli_ref(cli, into),
        .message = cli_args_value(args, "message"),
        .author = cli->author,
        .prefer = ours     ? ARMI_PREFER_OURS
                  : theirs ? ARMI_PREFER_THEIRS
                           : ARMI_PREFER_NONE,
        .dry_run = cli_args_has(args, "dry-run"),
        .callbacks = cli_callbacks(cli, "merging"),
    };
    if (ours && theirs)
        return cli_usage(args->command, "--ours and --theirs exclude each other");
    int st = cli_open(cli);
    if (st != CLI_DONE)
        return st;
    enum armi_status status = armi_merge(cli->repo, &options, &result, &err);
    if (status != ARMI_OK && status != ARMI_MERGE_CONFLICT)
        return cli_fail(&err);
    if (cli->json)
        merge_json(&result);
    else if (result.conflict_count > 0)
        conflicts_print(&options, &result);
    else
        merge_print(&options, &result);
    if (status == ARMI_MERGE_CONFLICT)
        st = cli_fail(&err);
    else if (result.conflict_count > 0)
        st = CLI_NO;
    armi_merge_result_release(&result);
    return st;
}
