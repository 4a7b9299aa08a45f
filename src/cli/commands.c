/*
 * The commands: one row each. Help, the man page and the parsing of options all come from
 * here; to add a command, write cmd_<name>.c and a row.
 */
#include "cli.h"

#include <string.h>

#define LIST(...)                                                                          \
    (const char *const[])                                                                  \
    {                                                                                      \
        __VA_ARGS__, NULL                                                                  \
    }
#define OPTIONS(...)                                                                       \
    (const struct cli_option[])                                                            \
    {                                                                                      \
        __VA_ARGS__, HELP_OPTION,                                                          \
        {                                                                                  \
            0, NULL, NULL, NULL                                                            \
        }                                                                                  \
    }
#define HELP_OPTION                                                                        \
    {                                                                                      \
        'h', "help", NULL, NULL                                                            \
    }
#define WORDS_ANY ((size_t)1 << 30)

/* Options that several commands have. */
#define AT_OPTIONS                                                                         \
    {0, "version", "N", "version N of the table"},                                         \
    {                                                                                      \
        0, "as-of", "TIME", "what was newest at TIME, UTC: 2013-01-31 or 2013-01-31T05:15" \
    }
#define MESSAGE_OPTION                                                                     \
    {                                                                                      \
        'm', "message", "MSG", "what the commit says"                                      \
    }
#define COLUMNS_OPTION                                                                     \
    {                                                                                      \
        0, "columns", "A,B", "only these columns, in this order; \"quote\" odd names"      \
    }
#define WHERE_OPTION                                                                       \
    {                                                                                      \
        0, "where", "EXPR", "only rows for which EXPR is true: \"dep_delay > 60\""         \
    }

const struct cli_option cli_global_options[] = {
    {'C', "dir", "DIR", "the repository; default $ARMI_DIR, else the current folder"},
    {'b', "branch", "BRANCH",
     "the branch to read and write; default $ARMI_BRANCH, else main"},
    {0, "json", NULL, "print JSON: one document, or one object a line for rows"},
    {0, "no-progress", NULL, "no progress bar (there is none but on a terminal)"},
    {0, "lock-timeout", "S", "seconds to wait for another writer; default 60"},
    {0, "author", "NAME", "who commits; default $ARMI_AUTHOR, else the login name"},
    {'h', "help", NULL, "help, also behind a command"},
    {0, "version", NULL, "the version of armi, before a command"},
    {0, NULL, NULL, NULL},
};

const struct cli_command cli_commands[] = {
    {
        .name = "init",
        .summary = "make a repository",
        .group = CLI_START,
        .usage = LIST("[DIR]"),
        .about =
            "Makes an empty repository in DIR, which must be absent or empty. A folder "
            "that is a repository already is left as it is.",
        .examples = LIST("armi init mydata"),
        .options = OPTIONS({0, "durability", "D",
                            "full (default), normal, or none for scratch data; none is for "
                            "good"}),
        .words_max = 1,
        .run = cmd_init,
    },
    {
        .name = "import",
        .summary = "bring files into tables, as one commit",
        .group = CLI_START,
        .usage = LIST("TABLE FILE... [-m MSG]", "TABLE=FILE... [-m MSG]"),
        .about =
            "Reads Parquet or CSV, told apart by content; - is standard input. The rows "
            "become the table, which is made if it is not there; history keeps the old "
            "ones. Several files of one table are put behind each other. With TABLE=FILE, "
            "once for each table, many tables go into one commit; give one table several "
            "times for several files.\n\n"
            "What the table holds already is recognised and not written again. The report "
            "says, for each table, how many bytes were new and reused, and how many "
            "columns of ranges (runs of rows) were encoded and shared. An import that "
            "changes nothing makes no commit.\n\n"
            "CSV is read strictly, with types found over the whole file. An empty field "
            "without quotes is null, and nothing else unless --null says so. A bad row is "
            "named, and then nothing is imported.",
        .examples = LIST("armi import flights flights.parquet -m 'January'",
                         "armi import flights=f.parquet airlines=a.csv -m load",
                         "zcat log.csv.gz | armi import log - --append"),
        .options = OPTIONS(
            MESSAGE_OPTION, {0, "append", NULL, "put the rows behind those that are there"},
            {0, "key", "A,B", "columns whose values name a row, for a new table"},
            {0, "schema", "HOW",
             "merge: also add columns and widen types; overwrite: take the new schema"},
            {0, "format", "F", "csv or parquet, whatever the content looks like"},
            {0, "null", "TEXT", "CSV: a field that is exactly TEXT is null too"},
            {0, "delimiter", "C", "CSV: a character, or tab; default comma, for .tsv tab"},
            {0, "no-header", NULL, "CSV: the first row is data"}),
        .words_min = 1,
        .words_max = WORDS_ANY,
        .run = cmd_import,
    },
    {
        .name = "export",
        .summary = "write a table, or part of one, to a file",
        .group = CLI_START,
        .usage = LIST("TABLE[@REF] [FILE] [--version N] [--where EXPR]"),
        .about =
            "Writes Parquet or CSV, by the suffix of FILE or --format. Without FILE, or "
            "with -, it goes to standard output, as CSV unless --format says parquet. "
            "FILE appears when it is complete.",
        .examples = LIST("armi export flights@v1 flights.parquet",
                         "armi export flights --where \"carrier = 'UA'\" --columns "
                         "flight,dep_delay - | head"),
        .options = OPTIONS(
            AT_OPTIONS, COLUMNS_OPTION, WHERE_OPTION, {0, "limit", "N", "at most N rows"},
            {0, "format", "F", "csv or parquet"},
            {0, "compression", "C",
             "Parquet: auto, none, snappy, gzip, brotli, zstd[:level], lz4_raw"},
            {0, "null", "TEXT", "CSV: what null is written as; default nothing"},
            {0, "delimiter", "C", "CSV: a character, or tab; default comma, for .tsv tab"},
            {0, "no-header", NULL, "CSV: no row of names"}),
        .words_min = 1,
        .words_max = 2,
        .run = cmd_export,
    },
    {
        .name = "ls",
        .summary = "list tables: rows, version, size",
        .group = CLI_LOOK,
        .usage = LIST("[@REF]"),
        .about =
            "SIZE is what the table's chunks take on disk; chunks that tables or versions "
            "share are counted for each of them. `armi stats` counts them once.",
        .examples = LIST("armi ls", "armi ls @v1"),
        .options = OPTIONS({0, "as-of", "TIME", "what was newest at TIME, UTC"}),
        .words_max = 1,
        .run = cmd_ls,
    },
    {
        .name = "schema",
        .summary = "columns and types of a table",
        .group = CLI_LOOK,
        .usage = LIST("TABLE[@REF] [--version N]"),
        .about = "Types are named as pyarrow prints them.",
        .examples = LIST("armi schema flights"),
        .options = OPTIONS(AT_OPTIONS),
        .words_min = 1,
        .words_max = 1,
        .run = cmd_schema,
    },
    {
        .name = "head",
        .summary = "the first rows of a table",
        .group = CLI_LOOK,
        .usage = LIST("TABLE[@REF] [-n N] [--where EXPR]"),
        .about =
            "Rows come in the order of the table, aligned. On a terminal, columns that "
            "have no room are left out from the middle, and long values are cut; --json "
            "prints every value whole, one row a line.",
        .examples =
            LIST("armi head flights -n 5", "armi head flights@dev --where 'month = 2'"),
        .options = OPTIONS({'n', "rows", "N", "how many rows; default 10"}, AT_OPTIONS,
                           COLUMNS_OPTION, WHERE_OPTION),
        .words_min = 1,
        .words_max = 1,
        .run = cmd_head,
    },
    {
        .name = "log",
        .summary = "history, newest first",
        .group = CLI_LOOK,
        .usage = LIST("[TABLE[@REF]] [-n N]"),
        .about =
            "Commits along first parents, with the tables that each changed. With TABLE, "
            "only those that changed it.",
        .examples = LIST("armi log -n 3", "armi log flights --oneline", "armi log @v1"),
        .options = OPTIONS({'n', "number", "N", "at most N commits"},
                           {0, "oneline", NULL, "one line for each commit"}),
        .words_max = 1,
        .run = cmd_log,
    },
    {
        .name = "show",
        .summary = "what one commit changed",
        .group = CLI_LOOK,
        .usage = LIST("[COMMIT]"),
        .about = "COMMIT is any ref; default is the newest of the branch. Rows are counted "
                 "against the commit's first parent.",
        .examples = LIST("armi show", "armi show 1f3a9c02", "armi show main~2"),
        .words_max = 1,
        .run = cmd_show,
    },
    {
        .name = "diff",
        .summary = "what turns one state into another",
        .group = CLI_LOOK,
        .usage = LIST("A..B [TABLE] [--stat | --rows]",
                      "TABLE[@REF] --version M..N [--stat | --rows]"),
        .about =
            "A and B are refs, related or not; one that is left out is the branch. Prints, "
            "for each table that differs, the rows added, removed and changed (--stat, the "
            "default), or the rows themselves (--rows): insert, delete, and for a table "
            "with "
            "a key update_preimage and update_postimage.",
        .examples = LIST("armi diff main..dev", "armi diff v1.. flights --rows -n 20",
                         "armi diff flights --version 1..2"),
        .options = OPTIONS({0, "stat", NULL, "a line for each table"},
                           {0, "rows", NULL, "the rows that differ"},
                           {'n', "number", "N", "with --rows, at most N rows of a table"},
                           {0, "key", "A,B", "match rows by these columns"},
                           {0, "version", "M..N", "versions of one table"},
                           {0, "exit-code", NULL, "exit with 1 if anything differs"}),
        .words_min = 1,
        .words_max = 2,
        .run = cmd_diff,
    },
    {
        .name = "branch",
        .summary = "list, make or delete branches",
        .group = CLI_CHANGE,
        .usage = LIST("", "NAME [--at REF]", "-d NAME"),
        .about =
            "A branch is a name for a line of commits and costs a few bytes. There is no "
            "current branch: say -b, or it is main. Deleting takes the name away, not "
            "the commits at once.",
        .examples =
            LIST("armi branch dev", "armi branch fix --at v1", "armi branch -d dev"),
        .options = OPTIONS({0, "at", "REF", "where it begins; default the branch of -b"},
                           {'d', "delete", "NAME", "delete a branch"}),
        .words_max = 1,
        .run = cmd_branch,
    },
    {
        .name = "tag",
        .summary = "list, make or delete tags",
        .group = CLI_CHANGE,
        .usage = LIST("", "NAME [--at REF]", "-d NAME"),
        .about = "A tag is a name for one commit that does not move.",
        .examples = LIST("armi tag v1", "armi tag before-fix --at main~1"),
        .options =
            OPTIONS({0, "at", "REF", "the commit; default the tip of the branch of -b"},
                    {'d', "delete", "NAME", "delete a tag"}),
        .words_max = 1,
        .run = cmd_tag,
    },
    {
        .name = "merge",
        .summary = "merge a ref into a branch",
        .group = CLI_CHANGE,
        .usage = LIST("REF [--into BRANCH] [-m MSG] [--ours | --theirs] [--dry-run]"),
        .about =
            "Three-way, from the best common ancestor. A table that both sides changed is "
            "a conflict: it is printed, no ref moves, and the exit status is 1. --ours "
            "and --theirs decide such tables for one side.",
        .examples = LIST("armi merge dev", "armi merge dev --into release --dry-run"),
        .options = OPTIONS({0, "into", "BRANCH", "the branch to move; default that of -b"},
                           MESSAGE_OPTION,
                           {0, "ours", NULL, "what both changed stays as on BRANCH"},
                           {0, "theirs", NULL, "what both changed becomes as on REF"},
                           {0, "dry-run", NULL, "tell what would happen, move nothing"}),
        .words_min = 1,
        .words_max = 1,
        .run = cmd_merge,
    },
    {
        .name = "drop",
        .summary = "remove tables",
        .group = CLI_CHANGE,
        .usage = LIST("TABLE... [-m MSG]"),
        .about =
            "Removes tables in one commit. Their history stays readable with --version, "
            "--as-of or an older ref.",
        .examples = LIST("armi drop scratch"),
        .options = OPTIONS(MESSAGE_OPTION),
        .words_min = 1,
        .words_max = WORDS_ANY,
        .run = cmd_drop,
    },
    {
        .name = "verify",
        .summary = "prove that everything is intact",
        .group = CLI_CARE,
        .usage = LIST("[--deep]"),
        .about =
            "Hashes every chunk and node that any branch or tag reaches, and checks the "
            "trees, refs and the catalog. What is wrong is printed with the tables that "
            "it hurts, and the exit status is 1.",
        .examples = LIST("armi verify --deep"),
        .options = OPTIONS({0, "deep", NULL, "also decode every value and compare"}),
        .run = cmd_verify,
    },
    {
        .name = "stats",
        .summary = "sizes, and what is shared",
        .group = CLI_CARE,
        .usage = LIST("[TABLE[@REF]]"),
        .about = "Of the repository, or of one table.",
        .examples = LIST("armi stats", "armi stats flights --version 1"),
        .options = OPTIONS(AT_OPTIONS),
        .words_max = 1,
        .run = cmd_stats,
    },
    {
        .name = "help",
        .summary = "help, of a command too",
        .group = CLI_CARE,
        .usage = LIST("[COMMAND]"),
        .about = "`armi COMMAND --help` prints the same.",
        .examples = LIST("armi help import"),
        .options = OPTIONS(
            {0, "man", NULL, "print the man page, armi(1), in roff"},
            {0, "bash", NULL, "print completion for bash: source <(armi help --bash)"}),
        .words_max = 1,
        .run = cmd_help,
    },
    {.name = NULL},
};

const struct cli_command *cli_command_find(const char *name)
{
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}
