/*
 * `armi help`: from the table of commands.
 */
#include "cli.h"

#include <string.h>

#include "cli_text.h"

#define HELP_WIDTH 80

static const char *const group_titles[CLI_GROUPS] = {
    "data in and out",
    "look",
    "change",
    "care",
};

/* Words of `text` behind `indent` spaces; paragraphs are apart by an empty line. */
static void wrap(const char *text, size_t indent, size_t at, FILE *out)
{
    while (*text != '\0') {
        if (text[0] == '\n') {
            fputs("\n\n", out);
            text += strspn(text, "\n");
            at = 0;
            continue;
        }
        size_t size = strcspn(text, " \n");
        if (at + 1 + size > HELP_WIDTH && at > indent) {
            fputc('\n', out);
            at = 0;
        }
        if (at < indent) {
            fprintf(out, "%*s", (int)(indent - at), "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", (int)size, text);
        at += size;
        text += size;
        text += *text == ' ';
    }
    fputc('\n', out);
}

static void option_print(const struct cli_option *option, FILE *out)
{
    char left[64];
    int size =
        option->letter != 0
            ? snprintf(left, sizeof left, "  -%c, --%s", option->letter, option->name)
            : snprintf(left, sizeof left, "      --%s", option->name);
    if (option->value != NULL)
        size += snprintf(left + size, sizeof left - (size_t)size, " %s", option->value);
    fputs(left, out);
    size_t at = (size_t)size;
    if (at > 26) {
        fputc('\n', out);
        at = 0;
    }
    fprintf(out, "%*s", (int)(28 - at), "");
    wrap(option->help, 28, 28, out);
}

static void options_print(const struct cli_option *options, FILE *out)
{
    for (; options != NULL && options->name != NULL; options++)
        if (options->help != NULL)
            option_print(options, out);
}

void cli_help_print(FILE *out)
{
    fprintf(out,
            "armi %s: git for tables\n\n"
            "usage: armi [-C DIR] [-b BRANCH] [--json] [--no-progress] COMMAND ...\n",
            armi_version());
    for (int group = 0; group < CLI_GROUPS; group++) {
        fprintf(out, "\n%s\n", group_titles[group]);
        for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
            if ((int)c->group == group)
                fprintf(out, "  %-9s %s\n", c->name, c->summary);
    }
    fputs("\noptions\n", out);
    options_print(cli_global_options, out);
    fputs(
        "\nA REF is a branch, a tag, or 8 or more digits of a commit id, each with ~N for\n"
        "the N-th commit before. Any other word X runs the program armi-X.\n"
        "`armi help COMMAND` tells more; `man armi` tells everything.\n",
        out);
}

void cli_help_command(const struct cli_command *command, FILE *out)
{
    fprintf(out, "armi %s: %s\n\n", command->name, command->summary);
    for (const char *const *usage = command->usage; *usage != NULL; usage++)
        fprintf(out, "%s armi %s%s%s\n", usage == command->usage ? "usage:" : "      ",
                command->name, **usage != '\0' ? " " : "", *usage);
    fputc('\n', out);
    wrap(command->about, 0, 0, out);
    if (command->options != NULL && command->options[0].help != NULL) {
        fputs("\noptions\n", out);
        options_print(command->options, out);
    }
    fputs("\nexamples\n", out);
    for (const char *const *example = command->examples; *example != NULL; example++)
        fprintf(out, "  %s\n", *example);
    fputs("\nOptions of every command (-C, -b, --json and others): armi help\n", out);
}

int cmd_help(struct cli *cli, const struct cli_args *args)
{
    const char *name = cli_args_word(args, 0);
    if (cli_args_has(args, "man")) {
        cli_man_print(stdout);
        return CLI_DONE;
    }
    if (cli_args_has(args, "bash")) {
        cli_complete_print(stdout);
        return CLI_DONE;
    }
    if (name == NULL) {
        cli_help_print(stdout);
        return CLI_DONE;
    }
    const struct cli_command *command = cli_command_find(name);
    if (command != NULL) {
        cli_help_command(command, stdout);
        return CLI_DONE;
    }
    char option[] = "--help";
    char *arguments[] = {option};
    struct cli plain = *cli;
    plain.json = plain.no_progress = false;
    plain.lock_timeout_ms = 0;
    int st = cli_external_run(&plain, name, 1, arguments);
    if (st != CLI_USAGE)
        return st;
    cli_failf("unknown command '%s'; see armi help", name);
    return CLI_USAGE;
}
