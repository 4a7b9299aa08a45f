/*
 * armi head: the first rows of a table, aligned.
 */
#include "cli.h"
#include "cli_arrow.h"
#include "cli_grid.h"

#include <string.h>

#define CELL_WIDTH_MAX 48

static int head_print(struct cli_rows *rows)
{
    struct cli_grid grid = {.cell_width_max = CELL_WIDTH_MAX,
                            .line_width_max = cli_terminal_width()};
    struct cli_text text = {NULL, 0, 0};
    size_t count = (size_t)rows->schema.n_children;
    for (size_t i = 0; i < count; i++) {
        const struct ArrowSchema *column = rows->schema.children[i];
        text.size = 0;
        cli_type_print(column, &text);
        cli_grid_column(&grid, column->name, text.data,
                        cli_type_is_number(column) ? CLI_RIGHT : CLI_LEFT);
    }
    bool has = false;
    int st = cli_rows_next(rows, &has);
    for (; st == CLI_DONE && has; st = cli_rows_next(rows, &has))
        for (size_t i = 0; i < count; i++) {
            if (cli_rows_is_null(rows, i)) {
                cli_grid_cell(&grid, CLI_DIM, "null");
                continue;
            }
            cli_rows_text(rows, i, &text);
            cli_grid_cell_sized(&grid, CLI_PLAIN, text.data, text.size);
        }
    if (st == CLI_DONE && count > 0)
        cli_grid_print(&grid, stdout);
    size_t hidden = cli_grid_hidden(&grid);
    if (hidden > 0)
        printf("%s(%zu of %zu columns; --columns A,B chooses)%s\n", cli_style_on(CLI_DIM),
               count - hidden, count, cli_style_off(CLI_DIM));
    cli_grid_release(&grid);
    cli_text_release(&text);
    return st;
}

static int head_json(struct cli_rows *rows)
{
    struct cli_json json = {.out = stdout};
    bool has = false;
    int st = cli_rows_next(rows, &has);
    for (; st == CLI_DONE && has; st = cli_rows_next(rows, &has)) {
        cli_json_open(&json, NULL, '{');
        cli_rows_json(rows, 0, &json);
        cli_json_close(&json, '}');
    }
    return st;
}

static void head_count(struct cli *cli, const struct armi_scan_options *options,
                       uint64_t shown)
{
    struct cli_small some, all;
    uint64_t rows;
    if (options->where != NULL ||
        armi_table_count(cli->repo, options->table, &options->at, &rows, NULL) != ARMI_OK)
        return;
    printf("%s%s of %s row%s%s\n", cli_style_on(CLI_DIM), cli_count(shown, &some),
           cli_count(rows, &all), rows == 1 ? "" : "s", cli_style_off(CLI_DIM));
}

int cmd_head(struct cli *cli, const struct cli_args *args)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct cli_target target = cli_parse_target(args->words[0]);
    struct cli_names columns = {NULL, 0};
    struct armi_scan_options options = {.size = sizeof options, .limit = 10};
    const char *limit = cli_args_value(args, "rows");
    const char *names = cli_args_value(args, "columns");
    if (target.table == NULL)
        return cli_usage(args->command, "which table? write TABLE%s", args->words[0]);
    int st = cli_at(cli, args, target.ref, &options.at);
    if (st == CLI_DONE && limit != NULL)
        st = cli_parse_count("-n", limit, &options.limit);
    if (st == CLI_DONE && names != NULL)
        st = cli_parse_names("--columns", names, &columns);
    if (st == CLI_DONE)
        st = cli_open(cli);
    if (st != CLI_DONE)
        return st;
    options.table = target.table;
    options.has_limit = true;
    options.columns = columns.items;
    options.column_count = columns.count;
    options.where = cli_args_value(args, "where");
    struct ArrowArrayStream stream = {.release = NULL};
    if (armi_scan_open(cli->repo, &options, &stream, &err) != ARMI_OK)
        return cli_fail(&err);
    struct cli_rows rows;
    st = cli_rows_open(&rows, &stream);
    if (st == CLI_DONE)
        st = cli->json ? head_json(&rows) : head_print(&rows);
    if (st == CLI_DONE && !cli->json)
        head_count(cli, &options, rows.rows);
    cli_rows_close(&rows);
    return st;
}
