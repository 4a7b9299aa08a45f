/*
 * armi init: makes a repository.
 */
#include "cli.h"
#include "cli_json.h"

#include <string.h>

static int durability_read(const char *text, enum armi_durability *out)
{
    static const char *const names[] = {"full", "normal", "none"};
    *out = ARMI_DURABILITY_DEFAULT;
    if (text == NULL)
        return CLI_DONE;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum armi_durability)(ARMI_DURABILITY_FULL + i);
            return CLI_DONE;
        }
    return cli_failf("--durability is full, normal or none, not '%s'", text);
}

int cmd_init(struct cli *cli, const struct cli_args *args)
{
    struct armi_error err = ARMI_ERROR_INIT;
    const char *dir = args->word_count > 0 ? args->words[0] : cli->dir;
    struct armi_open_options options = {.size = sizeof options, .no_create = true};
    int st = durability_read(cli_args_value(args, "durability"), &options.durability);
    if (st != CLI_DONE)
        return st;
    bool made = false;
    enum armi_status status = armi_repository_open(dir, &options, &cli->repo, &err);
    if (status == ARMI_NOT_FOUND) {
        options.no_create = false;
        made = true;
        status = armi_repository_open(dir, &options, &cli->repo, &err);
    }
    if (status != ARMI_OK)
        return cli_fail_about(dir, &err);
    if (cli->json) {
        struct cli_json json = {.out = stdout};
        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "path", dir);
        cli_json_bool(&json, "created", made);
        cli_json_close(&json, '}');
        return CLI_DONE;
    }
    printf(made ? "Made a repository in %s\n"
                : "%s is a repository already: left as it is\n",
           cli_escaped(dir));
    return CLI_DONE;
}
