/*
 * Commits as log and show print them.
 */
#include "cli_commit.h"

#include <string.h>

#include "cli_grid.h"

int cli_marks_load(struct cli *cli, struct cli_marks *out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    *out = (struct cli_marks){.branches = {.size = sizeof out->branches},
                              .tags = {.size = sizeof out->tags}};
    if (armi_branch_list(cli->repo, &out->branches, &err) != ARMI_OK)
        return cli_fail(&err);
    if (armi_tag_list(cli->repo, &out->tags, &err) != ARMI_OK)
        return cli_fail(&err);
    return CLI_DONE;
}

void cli_marks_release(struct cli_marks *marks)
{
    armi_ref_list_release(&marks->branches);
    armi_ref_list_release(&marks->tags);
}

static void marks_print(const struct armi_ref_list *refs, const struct armi_hash *commit,
                        const char *kind, size_t *printed)
{
    for (size_t i = 0; i < refs->count; i++) {
        if (!refs->items[i].has_commit ||
            memcmp(&refs->items[i].commit, commit, sizeof *commit) != 0)
            continue;
        printf("%s%s%s%s%s", (*printed)++ == 0 ? "  (" : ", ", kind,
               cli_style_on(CLI_GREEN), cli_escaped(refs->items[i].name),
               cli_style_off(CLI_GREEN));
    }
}

/* Lines of the message, each behind four spaces. */
static void message_print(const char *message)
{
    while (*message != '\0') {
        size_t size = strcspn(message, "\n");
        struct cli_text line = {NULL, 0, 0};
        cli_text_add_escaped(&line, message, size);
        printf(size > 0 ? "    %s\n" : "%s\n", line.data);
        cli_text_release(&line);
        message += size + (message[size] == '\n');
    }
}

void cli_commit_print(const struct armi_commit_info *info, const struct cli_marks *marks)
{
    char hex[ARMI_HASH_HEX_SIZE];
    struct cli_small small;
    size_t printed = 0;
    armi_hash_format(&info->commit, hex);
    printf("%scommit %s%s", cli_style_on(CLI_YELLOW), hex, cli_style_off(CLI_YELLOW));
    if (marks != NULL) {
        marks_print(&marks->branches, &info->commit, "", &printed);
        marks_print(&marks->tags, &info->commit, "tag: ", &printed);
        if (printed > 0)
            fputc(')', stdout);
    }
    fputc('\n', stdout);
    if (info->parent_count > 1) {
        fputs("Merge: ", stdout);
        for (size_t i = 0; i < info->parent_count; i++)
            printf(" %s", cli_short_id(&info->parents[i], &small));
        fputc('\n', stdout);
    }
    printf("Author: %s\n", cli_escaped(info->author));
    printf("Date:   %s\n", cli_time(info->time_us, &small));
    for (size_t i = 0; i < info->metadata_count; i++)
        printf("Meta:   %s = %s\n", cli_escaped(info->metadata[i].key),
               cli_escaped(info->metadata[i].value));
    if (info->message[0] != '\0') {
        fputc('\n', stdout);
        message_print(info->message);
    }
}

const char *cli_versions(uint64_t from, uint64_t to, struct cli_small *out)
{
    if (from == 0 || to == 0 || from == to)
        snprintf(out->text, sizeof out->text, "%llu",
                 (unsigned long long)(from == 0 ? to : from));
    else
        snprintf(out->text, sizeof out->text, "%llu -> %llu", (unsigned long long)from,
                 (unsigned long long)to);
    return out->text;
}

/* "336,776 rows", and by how much that is more or less than before. */
static const char *rows_text(const struct armi_table_change *change, struct cli_small *out)
{
    struct cli_small rows, more;
    uint64_t from = change->old_rows, to = change->new_rows;
    uint64_t shown = change->new_version == 0 ? from : to;
    const char *word = shown == 1 ? "row" : "rows";
    cli_count(shown, &rows);
    if (change->old_version == 0 || change->new_version == 0 || from == to)
        snprintf(out->text, sizeof out->text, "%.30s %s", rows.text, word);
    else
        snprintf(out->text, sizeof out->text, "%.30s %s (%c%.30s)", rows.text, word,
                 to > from ? '+' : '-',
                 cli_count(to > from ? to - from : from - to, &more));
    return out->text;
}

void cli_commit_tables_print(const struct armi_commit_info *info)
{
    struct cli_grid grid = {.indent = 4, .no_header = true};
    for (size_t i = 0; i < 4; i++)
        cli_grid_column(&grid, "", NULL, CLI_LEFT);
    for (size_t i = 0; i < info->table_count; i++) {
        const struct armi_table_change *change = &info->tables[i];
        struct cli_small text, versions;
        snprintf(text.text, sizeof text.text, "version %.60s",
                 cli_versions(change->old_version, change->new_version, &versions));
        cli_grid_cell(&grid, CLI_PLAIN, change->table);
        cli_grid_cell(&grid, CLI_PLAIN, armi_op_name(change->op));
        cli_grid_cell(&grid, CLI_PLAIN, text.text);
        cli_grid_cell(&grid, CLI_PLAIN, rows_text(change, &text));
    }
    if (info->table_count > 0) {
        fputc('\n', stdout);
        cli_grid_print(&grid, stdout);
    }
    cli_grid_release(&grid);
}

void cli_change_json(const struct armi_table_change *change, struct cli_json *json)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "table", change->table);
    cli_json_text(json, "op", armi_op_name(change->op));
    cli_json_version(json, "old_version", change->old_version);
    cli_json_version(json, "new_version", change->new_version);
    cli_json_uint(json, "old_rows", change->old_rows);
    cli_json_uint(json, "new_rows", change->new_rows);
    cli_json_close(json, '}');
}

/* The members of a commit; its object is opened and closed by the caller. */
void cli_commit_json(const struct armi_commit_info *info, struct cli_json *json)
{
    cli_json_hash(json, "commit", &info->commit);
    cli_json_open(json, "parents", '[');
    for (size_t i = 0; i < info->parent_count; i++)
        cli_json_hash(json, NULL, &info->parents[i]);
    cli_json_close(json, ']');
    cli_json_text(json, "author", info->author);
    cli_json_time(json, "time", info->time_us);
    cli_json_text(json, "message", info->message);
    cli_json_open(json, "metadata", '{');
    for (size_t i = 0; i < info->metadata_count; i++)
        cli_json_text(json, info->metadata[i].key, info->metadata[i].value);
    cli_json_close(json, '}');
    cli_json_open(json, "tables", '[');
    for (size_t i = 0; i < info->table_count; i++)
        cli_change_json(&info->tables[i], json);
    cli_json_close(json, ']');
}
