/*
 * The armi program: global options, the command, and how it ends.
 *
 *     main -> cli_args_parse (global) -> command by name -> cli_args_parse (its own)
 *          -> command->run -> repository closed, output flushed, exit status
 *
 * A word that names no command is looked for as a program armi-<word> (cli_external.c).
 */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli_memory.h"

static const char *environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : otherwise;
}

/* How many single-letter edits turn a into b, at most `limit`. */
static size_t edits(const char *a, const char *b, size_t limit)
{
    if (*a == '\0' || *b == '\0')
        return strlen(a) + strlen(b);
    if (*a == *b)
        return edits(a + 1, b + 1, limit);
    if (limit == 0)
        return 1;
    size_t best = edits(a + 1, b + 1, limit - 1);
    size_t skip_a = edits(a + 1, b, limit - 1), skip_b = edits(a, b + 1, limit - 1);
    best = skip_a < best ? skip_a : best;
    best = skip_b < best ? skip_b : best;
    if (a[1] == b[0] && a[0] == b[1] && a[1] != '\0') {
        size_t swapped = edits(a + 2, b + 2, limit - 1);
        best = swapped < best ? swapped : best;
    }
    return best + 1;
}

static int unknown_command(const char *name)
{
    if (strcmp(name, "sql") == 0) {
        cli_failf(
            "unknown command 'sql'; see armi help (sql comes with the Python package: "
            "pip install 'armillaria[sql]')");
        return CLI_USAGE;
    }
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
        if (edits(name, c->name, 2) <= (strlen(name) > 4 ? 2 : 1) && strlen(name) > 2) {
            cli_failf("unknown command '%s'; see armi help (did you mean '%s'?)", name,
                      c->name);
            return CLI_USAGE;
        }
    cli_failf("unknown command '%s'; see armi help", name);
    return CLI_USAGE;
}

static int run_command(struct cli *cli, int argc, char **argv)
{
    struct cli_args args;
    cli->command = cli_command_find(argv[0]);
    if (cli->command == NULL) {
        int st = cli_external_run(cli, argv[0], argc - 1, argv + 1);
        return st == CLI_USAGE ? unknown_command(argv[0]) : st;
    }
    int st = cli_args_parse(cli, cli->command, argc - 1, argv + 1, &args, NULL);
    if (st != CLI_DONE)
        return st;
    if (cli_args_has(&args, "help")) {
        cli_help_command(cli->command, stdout);
        return CLI_DONE;
    }
    st = cli->command->run(cli, &args);
    armi_repository_close(cli->repo);
    cli_progress_clear();
    return st;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct cli_args args;
    int used;
    int st = cli_args_parse(cli, NULL, argc - 1, argv + 1, &args, &used);
    if (st != CLI_DONE)
        return st;
    if (cli_args_has(&args, "version")) {
        printf("armi %s\n", armi_version());
        return CLI_DONE;
    }
    if (cli_args_has(&args, "help")) {
        cli_help_print(stdout);
        return CLI_DONE;
    }
    if (used == argc - 1) {
        cli_help_print(stderr);
        return CLI_USAGE;
    }
    return run_command(cli, argc - 1 - used, argv + 1 + used);
}

int main(int argc, char **argv)
{
    struct cli cli = {
        .dir = environment("ARMI_DIR", "."),
        .branch = environment("ARMI_BRANCH", "main"),
    };
    cli_interrupt_install();
    int st = run(&cli, argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout))
        st = cli_failf("standard output: %s", strerror(errno));
    cli_memory_release();
    if (st != CLI_DONE && cli_interrupted() != 0) {
        signal(cli_interrupted(), SIG_DFL);
        raise(cli_interrupted()); /* so that a shell sees what ended it */
    }
    return st;
}
