/*
 * armi branch and armi tag: list, make, delete.
 */
#include "cli.h"
#include "cli_grid.h"
#include "cli_json.h"

#include <string.h>

struct ref_kind {
    const char *word; /* "Branch" */
    enum armi_status (*list)(struct armi_repository *, struct armi_ref_list *,
                             struct armi_error *);
    enum armi_status (*create)(struct armi_repository *, const char *, const char *,
                               struct armi_error *);
    enum armi_status (*remove)(struct armi_repository *, const char *, struct armi_error *);
};

static const struct ref_kind branches = {"Branch", armi_branch_list, armi_branch_create,
                                         armi_branch_delete};
static const struct ref_kind tags = {"Tag", armi_tag_list, armi_tag_create,
                                     armi_tag_delete};

/* ---- listing ---- */

static int commit_cells(struct cli *cli, const struct armi_ref *ref, struct cli_grid *grid)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_commit_list list = {.size = sizeof list};
    struct cli_small small;
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(&ref->commit, hex);
    if (armi_commit_get(cli->repo, hex, &list, &err) != ARMI_OK)
        return cli_fail(&err);
    const struct armi_commit_info *info = &list.items[0];
    cli_grid_cell(grid, CLI_YELLOW, cli_short_id(&ref->commit, &small));
    cli_grid_cell(grid, CLI_DIM, cli_time(info->time_us, &small));
    cli_grid_cell_sized(grid, CLI_PLAIN, info->message, strcspn(info->message, "\n"));
    armi_commit_list_release(&list);
    return CLI_DONE;
}

static int refs_print(struct cli *cli, const struct armi_ref_list *refs)
{
    struct cli_grid grid = {.cell_width_max = 60};
    int st = CLI_DONE;
    cli_grid_column(&grid, "NAME", NULL, CLI_LEFT);
    cli_grid_column(&grid, "COMMIT", NULL, CLI_LEFT);
    cli_grid_column(&grid, "TIME", NULL, CLI_LEFT);
    cli_grid_column(&grid, "MESSAGE", NULL, CLI_LEFT);
    for (size_t i = 0; st == CLI_DONE && i < refs->count; i++) {
        cli_grid_cell(&grid, CLI_GREEN, refs->items[i].name);
        if (refs->items[i].has_commit) {
            st = commit_cells(cli, &refs->items[i], &grid);
            continue;
        }
        cli_grid_cell(&grid, CLI_DIM, "no commit yet");
        cli_grid_cell(&grid, CLI_PLAIN, "");
        cli_grid_cell(&grid, CLI_PLAIN, "");
    }
    if (st == CLI_DONE && refs->count > 0)
        cli_grid_print(&grid, stdout);
    cli_grid_release(&grid);
    return st;
}

static void refs_json(const struct armi_ref_list *refs)
{
    struct cli_json json = {.out = stdout};
    cli_json_open(&json, NULL, '{');
    for (size_t i = 0; i < refs->count; i++)
        if (refs->items[i].has_commit)
            cli_json_hash(&json, refs->items[i].name, &refs->items[i].commit);
        else
            cli_json_null(&json, refs->items[i].name);
    cli_json_close(&json, '}');
}

static int refs_list(struct cli *cli, const struct ref_kind *kind)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_ref_list refs = {.size = sizeof refs};
    int st = CLI_DONE;
    if (kind->list(cli->repo, &refs, &err) != ARMI_OK)
        return cli_fail(&err);
    if (cli->json)
        refs_json(&refs);
    else
        st = refs_print(cli, &refs);
    armi_ref_list_release(&refs);
    return st;
}

/* ---- making and deleting ---- */

static void tell(struct cli *cli, const struct ref_kind *kind, const char *name,
                 const struct armi_hash *commit, bool has_commit)
{
    struct cli_small id;
    if (cli->json) {
        struct cli_json json = {.out = stdout};
        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "name", name);
        if (has_commit)
            cli_json_hash(&json, "commit", commit);
        else
            cli_json_null(&json, "commit");
        cli_json_close(&json, '}');
    } else {
        printf("%s %s at %s\n", kind->word, cli_escaped(name),
               has_commit ? cli_short_id(commit, &id) : "no commit yet");
    }
}

static int ref_create(struct cli *cli, const struct ref_kind *kind, const char *name,
                      const char *at)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_hash commit;
    bool has_commit = false;
    if (kind->create(cli->repo, name, at, &err) != ARMI_OK ||
        armi_ref_resolve(cli->repo, name, &commit, NULL, &has_commit, &err) != ARMI_OK)
        return cli_fail(&err);
    tell(cli, kind, name, &commit, has_commit);
    return CLI_DONE;
}

static int ref_delete(struct cli *cli, const struct ref_kind *kind, const char *name)
{
    struct armi_error err = ARMI_ERROR_INIT;
    if (kind->remove(cli->repo, name, &err) != ARMI_OK)
        return cli_fail(&err);
    if (cli->json) {
        struct cli_json json = {.out = stdout};
        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "deleted", name);
        cli_json_close(&json, '}');
    } else {
        printf("%s %s deleted\n", kind->word, cli_escaped(name));
    }
    return CLI_DONE;
}

static int refs_run(struct cli *cli, const struct cli_args *args,
                    const struct ref_kind *kind)
{
    const char *name = cli_args_word(args, 0);
    const char *at = cli_args_value(args, "at");
    const char *gone = cli_args_value(args, "delete");
    if (gone != NULL && (name != NULL || at != NULL))
        return cli_usage(args->command, "-d takes one name and nothing else");
    if (name == NULL && at != NULL)
        return cli_usage(args->command, "--at needs the name to make");
    int st = cli_open(cli);
    if (st != CLI_DONE)
        return st;
    if (gone != NULL)
        return ref_delete(cli, kind, gone);
    if (name != NULL)
        return ref_create(cli, kind, name, cli_ref(cli, at));
    return refs_list(cli, kind);
}

int cmd_branch(struct cli *cli, const struct cli_args *args)
{
    return refs_run(cli, args, &branches);
}

int cmd_tag(struct cli *cli, const struct cli_args *args)
{
    return refs_run(cli, args, &tags);
}
