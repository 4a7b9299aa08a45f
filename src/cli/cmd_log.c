/*
 * armi log and armi show: history, and what one commit changed.
 */
#include "cli.h"
#include "cli_commit.h"
#include "cli_diff.h"

#include <string.h>

#include "cli_memory.h"

static void oneline_print(const struct armi_commit_info *info)
{
    struct cli_small id, time;
    struct cli_text line = {NULL, 0, 0};
    cli_text_add_escaped(&line, info->message, strcspn(info->message, "\n"));
    printf("%s%s%s  %s  %s  %s\n", cli_style_on(CLI_YELLOW),
           cli_short_id(&info->commit, &id), cli_style_off(CLI_YELLOW),
           cli_time(info->time_us, &time), cli_escaped(info->author), line.data);
    cli_text_release(&line);
}

static int log_print(struct cli *cli, const struct armi_commit_list *list, bool oneline)
{
    struct cli_marks marks;
    int st = cli_marks_load(cli, &marks);
    for (size_t i = 0; st == CLI_DONE && i < list->count; i++) {
        if (oneline) {
            oneline_print(&list->items[i]);
            continue;
        }
        if (i > 0)
            fputc('\n', stdout);
        cli_commit_print(&list->items[i], &marks);
        cli_commit_tables_print(&list->items[i]);
    }
    cli_marks_release(&marks);
    return st;
}

static void log_json(const struct armi_commit_list *list)
{
    struct cli_json json = {.out = stdout};
    cli_json_open(&json, NULL, '[');
    for (size_t i = 0; i < list->count; i++) {
        cli_json_open(&json, NULL, '{');
        cli_commit_json(&list->items[i], &json);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
}

int cmd_log(struct cli *cli, const struct cli_args *args)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct cli_target target = {NULL, NULL};
    struct armi_log_options options = {.size = sizeof options};
    const char *limit = cli_args_value(args, "number");
    int st = CLI_DONE;
    if (args->word_count > 0)
        target = cli_parse_target(args->words[0]);
    if (limit != NULL) {
        st = cli_parse_count("-n", limit, &options.limit);
        if (st == CLI_DONE && options.limit == 0)
            st = cli_failf("-n counts from 1");
    }
    if (st == CLI_DONE)
        st = cli_open(cli);
    if (st != CLI_DONE)
        return st;
    options.ref = cli_ref(cli, target.ref);
    options.table = target.table;
    struct armi_commit_list list = {.size = sizeof list};
    if (armi_commit_log(cli->repo, &options, &list, &err) != ARMI_OK)
        return cli_fail(&err);
    if (cli->json)
        log_json(&list);
    else
        st = log_print(cli, &list, cli_args_has(args, "oneline"));
    armi_commit_list_release(&list);
    return st;
}

/* Against the first parent. */
static int parent_diff(struct cli *cli, const struct armi_commit_info *info,
                       struct armi_diff *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    char from[ARMI_HASH_HEX_SIZE], to[ARMI_HASH_HEX_SIZE];
    armi_hash_format(&info->parents[0], from);
    armi_hash_format(&info->commit, to);
    struct armi_diff_options options = {
        .size = sizeof options,
        .from = from,
        .to = to,
        .callbacks = cli_callbacks(cli, "comparing"),
    };
    if (armi_diff_open(cli->repo, &options, out, &err) != ARMI_OK)
        return cli_fail(&err);
    return CLI_DONE;
}

/* What a commit without a parent has is all added. */
static struct armi_diff first_diff(const struct armi_commit_info *info)
{
    struct armi_diff diff = {.size = sizeof diff, .count = info->table_count};
    diff.items = cli_keep(info->table_count, sizeof *diff.items);
    for (size_t i = 0; i < info->table_count; i++)
        diff.items[i] = (struct armi_table_diff){
            .table = info->tables[i].table,
            .old_table = info->tables[i].table,
            .kind = ARMI_DIFF_ADDED,
            .new_version = info->tables[i].new_version,
            .rows_added = info->tables[i].new_rows,
        };
    return diff;
}

static void show_print(const struct cli *cli, const struct armi_commit_info *info,
                       const struct armi_diff *diff)
{
    struct cli_json json = {.out = stdout};
    if (!cli->json) {
        cli_commit_print(info, NULL);
        if (diff->count > 0)
            fputc('\n', stdout);
        cli_diff_print(diff);
        return;
    }
    cli_json_open(&json, NULL, '{');
    cli_commit_json(info, &json);
    cli_json_open(&json, "diff", '[');
    cli_diff_json(diff, &json);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
}

static int show_one(struct cli *cli, const struct armi_commit_info *info)
{
    struct armi_diff diff = {.size = sizeof diff};
    if (info->parent_count == 0) {
        diff = first_diff(info);
        show_print(cli, info, &diff);
        return CLI_DONE;
    }
    int st = parent_diff(cli, info, &diff);
    if (st != CLI_DONE)
        return st;
    show_print(cli, info, &diff);
    armi_diff_release(&diff);
    return CLI_DONE;
}

int cmd_show(struct cli *cli, const struct cli_args *args)
{
    struct armi_error err = ARMI_ERROR_INIT;
    const char *ref = cli_ref(cli, cli_args_word(args, 0));
    int st = cli_open(cli);
    if (st != CLI_DONE)
        return st;
    struct armi_commit_list list = {.size = sizeof list};
    if (armi_commit_get(cli->repo, ref[0] == '@' ? ref + 1 : ref, &list, &err) != ARMI_OK)
        return cli_fail(&err);
    st = show_one(cli, &list.items[0]);
    armi_commit_list_release(&list);
    return st;
}
