/*
 * armi ls: the tables of a ref.
 */
#include "cli.h"
#include "cli_grid.h"
#include "cli_json.h"

#include <string.h>

static void table_json(const char *name, const struct armi_table_info *info,
                       struct cli_json *json)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "table", name);
    cli_json_uint(json, "version", info->version);
    cli_json_hash(json, "commit", &info->commit);
    cli_json_time(json, "time", info->time_us);
    cli_json_uint(json, "rows", info->rows);
    cli_json_uint(json, "columns", info->column_count);
    cli_json_uint(json, "bytes", info->stored_bytes);
    cli_json_uint(json, "ranges", info->ranges);
    cli_json_close(json, '}');
}

static void table_row(const char *name, const struct armi_table_info *info,
                      struct cli_grid *grid)
{
    struct cli_small small;
    cli_grid_cell(grid, CLI_PLAIN, name);
    cli_grid_cell(grid, CLI_PLAIN, cli_count(info->rows, &small));
    cli_grid_cell(grid, CLI_PLAIN, cli_count(info->column_count, &small));
    cli_grid_cell(grid, CLI_PLAIN, cli_count(info->version, &small));
    cli_grid_cell(grid, CLI_PLAIN, cli_size(info->stored_bytes, &small));
    cli_grid_cell(grid, CLI_DIM, cli_time(info->time_us, &small));
}

static int list_tables(struct cli *cli, const struct armi_at *at,
                       const struct armi_name_list *names, struct cli_grid *grid)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct cli_json json = {.out = stdout};
    if (cli->json)
        cli_json_open(&json, NULL, '[');
    for (size_t i = 0; i < names->count; i++) {
        struct armi_table_info info = {.size = sizeof info};
        if (armi_table_info(cli->repo, names->names[i], at, &info, &err) != ARMI_OK)
            return cli_fail(&err);
        if (cli->json)
            table_json(names->names[i], &info, &json);
        else
            table_row(names->names[i], &info, grid);
        armi_table_info_release(&info);
    }
    if (cli->json)
        cli_json_close(&json, ']');
    else if (names->count > 0)
        cli_grid_print(grid, stdout);
    return CLI_DONE;
}

int cmd_ls(struct cli *cli, const struct cli_args *args)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct cli_target target = {NULL, NULL};
    if (args->word_count > 0)
        target = cli_parse_target(args->words[0]);
    if (target.table != NULL)
        return cli_usage(args->command, "a ref is written @%s", target.table);
    struct armi_at at;
    int st = cli_at(cli, args, target.ref, &at);
    if (st == CLI_DONE)
        st = cli_open(cli);
    if (st != CLI_DONE)
        return st;
    struct armi_name_list names = {.size = sizeof names};
    if (armi_table_list(cli->repo, &at, &names, &err) != ARMI_OK)
        return cli_fail(&err);
    struct cli_grid grid = {0};
    cli_grid_column(&grid, "TABLE", NULL, CLI_LEFT);
    cli_grid_column(&grid, "ROWS", NULL, CLI_RIGHT);
    cli_grid_column(&grid, "COLUMNS", NULL, CLI_RIGHT);
    cli_grid_column(&grid, "VERSION", NULL, CLI_RIGHT);
    cli_grid_column(&grid, "SIZE", NULL, CLI_RIGHT);
    cli_grid_column(&grid, "CHANGED", NULL, CLI_LEFT);
    st = list_tables(cli, &at, &names, &grid);
    cli_grid_release(&grid);
    armi_name_list_release(&names);
    return st;
}
