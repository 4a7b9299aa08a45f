/*
 * armi schema: columns and types of a table, as pyarrow prints types.
 */
#include "cli.h"
#include "cli_arrow.h"
#include "cli_grid.h"

#include <string.h>

static bool is_key(const struct armi_table_info *info, const char *name)
{
    for (size_t i = 0; i < info->key_count; i++)
        if (strcmp(info->key[i], name) == 0)
            return true;
    return false;
}

static void schema_json(const char *table, const struct armi_table_info *info,
                        const struct ArrowSchema *schema)
{
    struct cli_json json = {.out = stdout};
    struct cli_text type = {NULL, 0, 0};
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "table", table);
    cli_json_uint(&json, "version", info->version);
    cli_json_open(&json, "columns", '[');
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *column = schema->children[i];
        type.size = 0;
        cli_type_print(column, &type);
        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "name", column->name);
        cli_json_sized(&json, "type", type.data, type.size);
        cli_json_bool(&json, "nullable", (column->flags & ARROW_FLAG_NULLABLE) != 0);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    cli_json_open(&json, "key", '[');
    for (size_t i = 0; i < info->key_count; i++)
        cli_json_text(&json, NULL, info->key[i]);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    cli_text_release(&type);
}

static void schema_print(const struct armi_table_info *info,
                         const struct ArrowSchema *schema)
{
    struct cli_grid grid = {0};
    struct cli_text type = {NULL, 0, 0};
    cli_grid_column(&grid, "COLUMN", NULL, CLI_LEFT);
    cli_grid_column(&grid, "TYPE", NULL, CLI_LEFT);
    cli_grid_column(&grid, "", NULL, CLI_LEFT);
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *column = schema->children[i];
        bool nullable = (column->flags & ARROW_FLAG_NULLABLE) != 0;
        bool key = is_key(info, column->name);
        type.size = 0;
        cli_type_print(column, &type);
        cli_grid_cell(&grid, CLI_PLAIN, column->name);
        cli_grid_cell_sized(&grid, CLI_PLAIN, type.data, type.size);
        cli_grid_cell(&grid, CLI_DIM, key ? "not null, key" : nullable ? "" : "not null");
    }
    cli_grid_print(&grid, stdout);
    cli_grid_release(&grid);
    cli_text_release(&type);
}

int cmd_schema(struct cli *cli, const struct cli_args *args)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct cli_target target = cli_parse_target(args->words[0]);
    struct armi_at at;
    struct armi_table_info info = {.size = sizeof info};
    struct ArrowSchema schema = {.release = NULL};
    if (target.table == NULL)
        return cli_usage(args->command, "which table? write TABLE%s", args->words[0]);
    int st = cli_at(cli, args, target.ref, &at);
    if (st == CLI_DONE)
        st = cli_open(cli);
    if (st != CLI_DONE)
        return st;
    if (armi_table_info(cli->repo, target.table, &at, &info, &err) != ARMI_OK)
        return cli_fail(&err);
    if (armi_table_schema(cli->repo, target.table, &at, &schema, &err) != ARMI_OK) {
        st = cli_fail(&err);
    } else {
        if (cli->json)
            schema_json(target.table, &info, &schema);
        else
            schema_print(&info, &schema);
        schema.release(&schema);
    }
    armi_table_info_release(&info);
    return st;
}
