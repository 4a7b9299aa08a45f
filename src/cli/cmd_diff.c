/*
 * armi diff: what turns one state into another, by table or by row.
 */
#include "cli.h"
#include "cli_arrow.h"
#include "cli_commit.h"
#include "cli_diff.h"
#include "cli_grid.h"

#include <string.h>

#include "cli_memory.h"

#define CELL_WIDTH_MAX 48
#define ROWS_AT_A_TIME 1000

/* ---- by table ---- */

static void signed_cell(struct cli_grid *grid, char sign, uint64_t rows,
                        enum cli_style style)
{
    struct cli_small count;
    char text[64] = "0";
    if (rows > 0)
        snprintf(text, sizeof text, "%c%s", sign, cli_count(rows, &count));
    cli_grid_cell(grid, rows > 0 ? style : CLI_DIM, text);
}

static void notes_cell(struct cli_grid *grid, const struct armi_table_diff *item)
{
    struct cli_text notes = {NULL, 0, 0};
    cli_text_add(&notes, "", 0);
    if (item->kind == ARMI_DIFF_RENAMED)
        cli_text_addf(&notes, "was %s", item->old_table);
    if (item->schema_changed)
        cli_text_addf(&notes, "%sschema changed", notes.size > 0 ? ", " : "");
    if (item->reordered)
        cli_text_addf(&notes, "%sreordered", notes.size > 0 ? ", " : "");
    cli_grid_cell_sized(grid, CLI_PLAIN, notes.data, notes.size);
    cli_text_release(&notes);
}

void cli_diff_print(const struct armi_diff *diff)
{
    struct cli_grid grid = {0};
    struct cli_small small;
    if (diff->count == 0)
        return;
    cli_grid_column(&grid, "TABLE", NULL, CLI_LEFT);
    cli_grid_column(&grid, "KIND", NULL, CLI_LEFT);
    cli_grid_column(&grid, "VERSION", NULL, CLI_RIGHT);
    cli_grid_column(&grid, "ADDED", NULL, CLI_RIGHT);
    cli_grid_column(&grid, "REMOVED", NULL, CLI_RIGHT);
    cli_grid_column(&grid, "CHANGED", NULL, CLI_RIGHT);
    cli_grid_column(&grid, "", NULL, CLI_LEFT);
    for (size_t i = 0; i < diff->count; i++) {
        const struct armi_table_diff *item = &diff->items[i];
        cli_grid_cell(&grid, CLI_PLAIN, item->table);
        cli_grid_cell(&grid, CLI_PLAIN, armi_diff_kind_name(item->kind));
        cli_grid_cell(&grid, CLI_PLAIN,
                      cli_versions(item->old_version, item->new_version, &small));
        signed_cell(&grid, '+', item->rows_added, CLI_GREEN);
        signed_cell(&grid, '-', item->rows_removed, CLI_RED);
        signed_cell(&grid, '~', item->rows_changed, CLI_YELLOW);
        notes_cell(&grid, item);
    }
    cli_grid_print(&grid, stdout);
    cli_grid_release(&grid);
}

void cli_diff_json(const struct armi_diff *diff, struct cli_json *json)
{
    for (size_t i = 0; i < diff->count; i++) {
        const struct armi_table_diff *item = &diff->items[i];
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "table", item->table);
        cli_json_text(json, "old_table", item->old_table);
        cli_json_text(json, "kind", armi_diff_kind_name(item->kind));
        cli_json_version(json, "old_version", item->old_version);
        cli_json_version(json, "new_version", item->new_version);
        cli_json_uint(json, "rows_added", item->rows_added);
        cli_json_uint(json, "rows_removed", item->rows_removed);
        cli_json_uint(json, "rows_changed", item->rows_changed);
        cli_json_bool(json, "schema_changed", item->schema_changed);
        cli_json_bool(json, "reordered", item->reordered);
        cli_json_close(json, '}');
    }
}

/* ---- by row ---- */

static enum cli_style change_style(const char *change, size_t size)
{
    if (size == 0)
        return CLI_PLAIN;
    bool is_old = change[0] == 'd' || strncmp(change, "update_pre", 10) == 0;
    return is_old ? CLI_RED : CLI_GREEN;
}

static void row_cells(const struct cli_rows *rows, struct cli_grid *grid,
                      struct cli_text *text)
{
    enum cli_style style = CLI_PLAIN;
    for (size_t i = 0; i < (size_t)rows->schema.n_children; i++) {
        if (cli_rows_is_null(rows, i)) {
            cli_grid_cell(grid, CLI_DIM, "null");
            continue;
        }
        cli_rows_text(rows, i, text);
        if (i == 0)
            style = change_style(text->data, text->size);
        cli_grid_cell_sized(grid, style, text->data, text->size);
    }
}

static int rows_print(struct cli_rows *rows, uint64_t limit)
{
    struct cli_grid grid = {.cell_width_max = CELL_WIDTH_MAX,
                            .line_width_max = cli_terminal_width()};
    struct cli_text text = {NULL, 0, 0};
    for (int64_t i = 0; i < rows->schema.n_children; i++)
        cli_grid_column(&grid, rows->schema.children[i]->name, NULL,
                        cli_type_is_number(rows->schema.children[i]) ? CLI_RIGHT
                                                                     : CLI_LEFT);
    bool has = true;
    int st = CLI_DONE;
    while (rows->rows < limit) {
        st = cli_rows_next(rows, &has);
        if (st != CLI_DONE || !has)
            break;
        row_cells(rows, &grid, &text);
        if (rows->rows % ROWS_AT_A_TIME == 0)
            cli_grid_print(&grid, stdout);
    }
    if (st == CLI_DONE)
        cli_grid_print(&grid, stdout);
    cli_grid_release(&grid);
    cli_text_release(&text);
    return st;
}

static int rows_json(struct cli_rows *rows, const char *table, uint64_t limit)
{
    struct cli_json json = {.out = stdout};
    struct cli_text change = {NULL, 0, 0};
    bool has = true;
    int st = CLI_DONE;
    while (rows->rows < limit) {
        st = cli_rows_next(rows, &has);
        if (st != CLI_DONE || !has)
            break;
        cli_rows_text(rows, 0, &change);
        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "table", table);
        cli_json_sized(&json, "_change_type", change.data, change.size);
        cli_json_open(&json, "row", '{');
        cli_rows_json(rows, 1, &json);
        cli_json_close(&json, '}');
        cli_json_close(&json, '}');
    }
    cli_text_release(&change);
    return st;
}

static int table_rows(struct cli *cli, const struct armi_diff_options *base,
                      const char *table, uint64_t limit)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_diff_options options = *base;
    struct ArrowArrayStream stream = {.release = NULL};
    struct cli_rows rows;
    options.table = table;
    if (armi_diff_rows(cli->repo, &options, &stream, &err) != ARMI_OK)
        return cli_fail(&err);
    int st = cli_rows_open(&rows, &stream);
    if (st == CLI_DONE)
        st = cli->json ? rows_json(&rows, table, limit) : rows_print(&rows, limit);
    cli_rows_close(&rows);
    return st;
}

/* ---- the command ---- */

/* "A..B"; either side may be left out and is then the branch. */
static void refs_read(const struct cli *cli, const char *text,
                      struct armi_diff_options *options)
{
    const char *dots = strstr(text, "..");
    size_t size = (size_t)(dots - text);
    options->from = size > 0 ? cli_keep_text(text, size) : cli->branch;
    options->to = dots[2] != '\0' ? dots + 2 : cli->branch;
}

static int words_read(struct cli *cli, const struct cli_args *args,
                      struct armi_diff_options *options)
{
    const char *versions = cli_args_value(args, "version");
    const char *first = args->words[0];
    if (versions != NULL) {
        struct cli_target target = cli_parse_target(first);
        if (args->word_count > 1)
            return cli_usage(args->command,
                             "--version compares one table: TABLE --version M..N");
        if (target.table == NULL)
            return cli_usage(args->command, "which table? write TABLE%s", first);
        options->table = target.table;
        options->to = cli_ref(cli, target.ref);
        return cli_parse_span(versions, &options->old_version, &options->new_version);
    }
    if (strstr(first, "..") == NULL)
        return cli_usage(args->command, "say A..B, or TABLE --version M..N");
    refs_read(cli, first, options);
    options->table = cli_args_word(args, 1);
    return CLI_DONE;
}

static int diff_rows(struct cli *cli, const struct armi_diff_options *options,
                     const struct armi_diff *diff, uint64_t limit)
{
    int st = CLI_DONE;
    for (size_t i = 0; st == CLI_DONE && i < diff->count; i++) {
        const char *table = diff->items[i].table;
        if (diff->items[i].kind == ARMI_DIFF_UNCHANGED)
            continue;
        if (!cli->json && options->table == NULL)
            printf("%s%s%s%s\n", i > 0 ? "\n" : "", cli_style_on(CLI_BOLD),
                   cli_escaped(table), cli_style_off(CLI_BOLD));
        st = table_rows(cli, options, table, limit);
    }
    return st;
}

static bool has_changes(const struct armi_diff *diff)
{
    for (size_t i = 0; i < diff->count; i++)
        if (diff->items[i].kind != ARMI_DIFF_UNCHANGED)
            return true;
    return false;
}

int cmd_diff(struct cli *cli, const struct cli_args *args)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_diff_options options = {.size = sizeof options};
    struct armi_diff diff = {.size = sizeof diff};
    struct cli_names key = {NULL, 0};
    const char *names = cli_args_value(args, "key");
    const char *number = cli_args_value(args, "number");
    uint64_t limit = UINT64_MAX;
    bool by_row = cli_args_has(args, "rows");
    if (by_row && cli_args_has(args, "stat"))
        return cli_usage(args->command, "--stat and --rows exclude each other");
    int st = words_read(cli, args, &options);
    if (st == CLI_DONE && number != NULL)
        st = cli_parse_count("-n", number, &limit);
    if (st == CLI_DONE && names != NULL)
        st = cli_parse_names("--key", names, &key);
    if (st == CLI_DONE)
        st = cli_open(cli);
    if (st != CLI_DONE)
        return st;
    options.key = key.items;
    options.key_count = key.count;
    options.no_counts = by_row;
    options.callbacks = cli_callbacks(cli, "comparing");
    if (armi_diff_open(cli->repo, &options, &diff, &err) != ARMI_OK)
        return cli_fail(&err);
    if (by_row) {
        st = diff_rows(cli, &options, &diff, limit);
    } else if (cli->json) {
        struct cli_json json = {.out = stdout};
        cli_json_open(&json, NULL, '[');
        cli_diff_json(&diff, &json);
        cli_json_close(&json, ']');
    } else {
        cli_diff_print(&diff);
    }
    if (st == CLI_DONE && cli_args_has(args, "exit-code") && has_changes(&diff))
        st = CLI_NO;
    armi_diff_release(&diff);
    return st;
}
