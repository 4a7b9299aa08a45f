/*
 * armi verify: proves the repository, or says what is wrong with it.
 */
#include "cli.h"
#include "cli_json.h"
#include "cli_text.h"

static void verify_json(const struct armi_verify_result *result)
{
    struct cli_json json = {.out = stdout};
    cli_json_open(&json, NULL, '{');
    cli_json_bool(&json, "ok", result->ok);
    cli_json_open(&json, "problems", '[');
    for (size_t i = 0; i < result->problem_count; i++) {
        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "kind", result->problems[i].kind);
        cli_json_text(&json, "name", result->problems[i].name);
        cli_json_text(&json, "message", result->problems[i].message);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    cli_json_uint(&json, "objects", result->objects);
    cli_json_uint(&json, "bytes", result->bytes);
    cli_json_close(&json, '}');
}

static void verify_print(const struct armi_verify_result *result, double seconds, bool deep)
{
    struct cli_small objects, bytes, time;
    for (size_t i = 0; i < result->problem_count; i++) {
        const struct armi_problem *problem = &result->problems[i];
        printf("%s%s %s%s: %s\n", cli_style_on(CLI_RED), cli_escaped(problem->kind),
               cli_escaped(problem->name), cli_style_off(CLI_RED),
               cli_escaped(problem->message));
    }
    printf("%s: %s objects, %s, %s%s\n", result->ok ? "all is well" : "damage found",
           cli_count(result->objects, &objects), cli_size(result->bytes, &bytes),
           cli_seconds(seconds, &time), deep ? ", every value decoded" : "");
}

int cmd_verify(struct cli *cli, const struct cli_args *args)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_verify_result result = {.size = sizeof result};
    struct armi_verify_options options = {
        .size = sizeof options,
        .deep = cli_args_has(args, "deep"),
    };
    double began = cli_clock();
    int st = cli_open(cli);
    if (st != CLI_DONE)
        return st;
    options.callbacks = cli_callbacks(cli, "verifying");
    cli_progress_unit("chunks");
    if (armi_repository_verify(cli->repo, &options, &result, &err) != ARMI_OK)
        return cli_fail(&err);
    cli_progress_clear();
    if (cli->json)
        verify_json(&result);
    else
        verify_print(&result, cli_clock() - began, options.deep);
    st = result.ok ? CLI_DONE : CLI_NO;
    armi_verify_result_release(&result);
    return st;
}
