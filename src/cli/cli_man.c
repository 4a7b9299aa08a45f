/*
 * armi(1), written by the program itself: `armi help --man`. docs/man/armi.1 is this
 * output, and a test holds the two together, so that the page cannot tell of options that
 * are not there.
 */
#include "cli.h"

#include <string.h>

/* Roff reads "-" as a hyphen and a leading "." or "'" as a request. */
static void put(const char *text, FILE *out)
{
    bool line_start = true;
    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\'')
            fputs("\\(aq", out);
        else if (*text == '`')
            fputs("\\(ga", out);
        else if (*text == '~')
            fputs("\\(ti", out);
        else if (*text == '^')
            fputs("\\(ha", out);
        else
            fputc(*text, out);
        line_start = *text == '\n';
    }
}

static void paragraphs(const char *text, FILE *out)
{
    while (*text != '\0') {
        const char *end = strstr(text, "\n\n");
        size_t size = end != NULL ? (size_t)(end - text) : strlen(text);
        char block[1024];
        snprintf(block, sizeof block, "%.*s", (int)size, text);
        put(block, out);
        fputc('\n', out);
        text += size;
        if (*text != '\0')
            fputs(".PP\n", out);
        text += strspn(text, "\n");
    }
}

static void options(const struct cli_option *option, FILE *out)
{
    for (; option != NULL && option->name != NULL; option++) {
        if (option->help == NULL)
            continue;
        fputs(".TP\n\\fB", out);
        if (option->letter != 0)
            fprintf(out, "\\-%c\\fR, \\fB", option->letter);
        put("--", out);
        put(option->name, out);
        fputs("\\fR", out);
        if (option->value != NULL) {
            fputs(" \\fI", out);
            put(option->value, out);
            fputs("\\fR", out);
        }
        fputc('\n', out);
        put(option->help, out);
        fputs(".\n", out);
    }
}

static void example_lines(const char *const *lines, FILE *out)
{
    fputs(".PP\n.nf\n.RS 4\n", out);
    for (; *lines != NULL; lines++) {
        put(*lines, out);
        fputc('\n', out);
    }
    fputs(".RE\n.fi\n", out);
}

static void command(const struct cli_command *c, FILE *out)
{
    fputs(".SS \"armi ", out);
    put(c->name, out);
    fputs("\"\n.nf\n", out);
    for (const char *const *usage = c->usage; *usage != NULL; usage++) {
        fprintf(out, "\\fBarmi %s\\fR%s", c->name, **usage != '\0' ? " " : "");
        put(*usage, out);
        fputc('\n', out);
    }
    fputs(".fi\n.PP\n", out);
    paragraphs(c->about, out);
    options(c->options, out);
    example_lines(c->examples, out);
}

struct section {
    const char *title;
    const char *text;
};

static const struct section before_commands[] = {
    {"DESCRIPTION",
     "armi keeps tables as git keeps files: every version of a table stays readable, "
     "branches cost bytes instead of copies, and many tables change in one commit or not "
     "at "
     "all. A repository is a folder. Tables are stored as ordinary Parquet files named by "
     "the BLAKE3 hash of their bytes, so that equal data is stored once and every byte "
     "read "
     "can be proved.\n\n"
     "Results go to standard output; errors are one line on standard error. Times are "
     "UTC."},
    {NULL, NULL},
};

static const struct section after_commands[] = {
    {"REFS",
     "A REF is the name of a branch, of a tag, or at least 8 digits of a commit id; they "
     "are "
     "tried in this order. Behind it, ~N goes N commits back along first parents: main~2. "
     "TABLE@REF is a table as it is there. There is no current branch: commands use -b, "
     "else "
     "$ARMI_BRANCH, else main.\n\n"
     "The versions of a table count the commits that changed it along the history of the "
     "ref: "
     "1, 2, 3. --version and --as-of look along that history."},
    {"WHERE",
     "EXPR of --where is made of: or, and, not, parentheses; = == != <> < <= > >=; [not] "
     "in "
     "(...), [not] between ... and ..., is [not] null, [not] like 'a%_'; columns, bare or "
     "\"quoted\", nested as a.b; literals: 12, -3, 1.5, 1e-3, 'text', true, false, null, "
     "date "
     "'2013-01-01', timestamp '2013-01-01 05:15:00', x'00ff'. A row is kept where EXPR is "
     "true, by SQL's logic of three values. NaN sorts above every number and equals "
     "itself. "
     "Comparing what cannot be compared is an error."},
    {"JSON",
     "With --json, standard output is one JSON document; for rows (head, diff --rows) it "
     "is one "
     "object a line. Keys are the attribute names of the Python package. Versions that are "
     "not there are null, commits are 64 hex digits, times are ISO 8601 in UTC. Values of "
     "types that JSON does not have, decimals and NaN among them, are strings."},
    {"PROGRAMS", "A command X that armi does not have is run as the program armi-X, looked "
                 "for beside armi "
                 "and then in PATH. Its environment has ARMI_DIR, ARMI_BRANCH and "
                 "ARMI_AUTHOR as -C, -b "
                 "and --author said. armi sql comes with the Python package."},
    {NULL, NULL},
};

struct term {
    const char *name;
    const char *text;
};

static const struct term exit_statuses[] = {
    {"0", "Done."},
    {"1", "The answer is no: a conflict, differences with --exit-code, damage found by "
          "verify."},
    {"2", "The command line cannot be parsed."},
    {"3",
     "It failed: a bad name, value or file, or the system refused. Nothing was changed."},
    {NULL, NULL},
};

static const struct term environment[] = {
    {"ARMI_DIR", "The repository, where -C does not say it."},
    {"ARMI_BRANCH", "The branch, where -b does not say it."},
    {"ARMI_AUTHOR", "Who commits, where --author does not say it."},
    {"NO_COLOR", "No colour, also on a terminal, if it is set and not empty."},
    {"COLUMNS", "How wide lines may be."},
    {"TMPDIR", "Where standard input is kept while it is read; default /tmp."},
    {NULL, NULL},
};

static void sections(const struct section *section, FILE *out)
{
    for (; section->title != NULL; section++) {
        fprintf(out, ".SH %s\n", section->title);
        paragraphs(section->text, out);
    }
}

static void terms(const char *title, const struct term *term, FILE *out)
{
    fprintf(out, ".SH \"%s\"\n", title);
    for (; term->name != NULL; term++) {
        fprintf(out, ".TP\n\\fB%s\\fR\n", term->name);
        put(term->text, out);
        fputc('\n', out);
    }
}

void cli_man_print(FILE *out)
{
    fprintf(out, ".TH ARMI 1 \"\" \"armillaria %s\" \"Armillaria\"\n", armi_version());
    fputs(".SH NAME\narmi \\- git for tables\n.SH SYNOPSIS\n"
          ".nf\n"
          "\\fBarmi\\fR [\\fB\\-C\\fR \\fIDIR\\fR] [\\fB\\-b\\fR \\fIBRANCH\\fR] "
          "[\\fB\\-\\-json\\fR] [\\fB\\-\\-no\\-progress\\fR] \\fICOMMAND\\fR ...\n"
          ".fi\n",
          out);
    sections(before_commands, out);
    fputs(".SH OPTIONS\nThese are understood before and behind every command.\n", out);
    options(cli_global_options, out);
    fputs(".SH COMMANDS\n", out);
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
        command(c, out);
    sections(after_commands, out);
    terms("EXIT STATUS", exit_statuses, out);
    terms("ENVIRONMENT", environment, out);
}
