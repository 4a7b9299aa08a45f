/*
 * Opening the repository, and saying where in its history a command looks.
 */
#include "cli.h"

int cli_open(struct cli *cli)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_open_options options = {
        .size = sizeof options,
        .no_create = true,
        .lock_timeout_ms =
            cli->lock_timeout_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)cli->lock_timeout_ms,
        .author = cli->author,
        .callbacks = cli_callbacks(cli, NULL),
    };
    if (armi_repository_open(cli->dir, &options, &cli->repo, &err) == ARMI_OK)
        return CLI_DONE;
    return cli_fail_about(cli->dir, &err);
}

const char *cli_ref(const struct cli *cli, const char *ref)
{
    return ref != NULL ? ref : cli->branch;
}

int cli_at(struct cli *cli, const struct cli_args *args, const char *ref,
           struct armi_at *out)
{
    const char *version = cli_args_value(args, "version");
    const char *as_of = cli_args_value(args, "as-of");
    struct armi_at at = ARMI_AT_INIT;
    at.ref = cli_ref(cli, ref);
    if (version != NULL && as_of != NULL)
        return cli_usage(args->command, "--version and --as-of exclude each other");
    if (version != NULL) {
        int st = cli_parse_count("--version", version, &at.version);
        if (st != CLI_DONE)
            return st;
        if (at.version == 0)
            return cli_failf("--version counts from 1");
    }
    if (as_of != NULL) {
        int st = cli_parse_time("--as-of", as_of, &at.as_of_us);
        if (st != CLI_DONE)
            return st;
        at.has_as_of = true;
    }
    *out = at;
    return CLI_DONE;
}
