/*
 * The armi program: what its files share.
 *
 * A command is one file cmd_<name>.c and one row in commands.c: a struct cli_command that
 * says its usage, options and help. The option parser (cli_args.c), the help texts and the
 * man page (cli_help.c) are driven by that row, so that they cannot disagree.
 *
 * Everything goes through the public headers: the program can do nothing that a C program
 * of somebody else could not.
 */
#ifndef ARMI_CLI_CLI_H
#define ARMI_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <armillaria/armillaria.h>

/* Exit statuses: a contract with scripts. */
enum cli_exit {
    CLI_DONE = 0,
    CLI_NO = 1,     /* the answer is no: conflict, differences, corruption found */
    CLI_USAGE = 2,  /* the command line cannot be parsed */
    CLI_FAILED = 3, /* a bad name, value or file; storage; anything else */
};

struct cli;
struct cli_args;

struct cli_option {
    char letter;       /* 0 = none */
    const char *name;  /* NULL ends a list */
    const char *value; /* what it takes, "N"; NULL = a switch */
    const char *help;
};

enum cli_group { CLI_START, CLI_LOOK, CLI_CHANGE, CLI_CARE, CLI_GROUPS };

struct cli_command {
    const char *name;
    const char *summary; /* half a line, lower case, no full stop */
    enum cli_group group;
    const char *const *usage; /* what follows "armi NAME "; NULL ends the list */
    const char *about;        /* paragraphs for `armi help NAME` and the man page */
    const char *const *examples;
    const struct cli_option *options; /* NULL = none of its own */
    size_t words_min, words_max;      /* arguments that are no options */
    int (*run)(struct cli *cli, const struct cli_args *args);
};

/* In the order of help; a NULL name ends it. */
extern const struct cli_command cli_commands[];
extern const struct cli_option cli_global_options[];
const struct cli_command *cli_command_find(const char *name);

struct cli {
    const char *dir;
    const char *branch;
    const char *author; /* NULL = the library's default */
    bool json;
    bool no_progress;
    uint64_t lock_timeout_ms;          /* 0 = the library's default */
    const struct cli_command *command; /* NULL before one is known */
    struct armi_repository *repo;      /* opened by cli_open() */
};

/* ---- arguments (cli_args.c) ---- */

struct cli_args {
    const struct cli_command *command;
    const char *const *words; /* what is no option, in order */
    size_t word_count;
    const struct cli_option **options; /* those given, in order… */
    const char **values;               /* …and their values */
    size_t option_count;
};

/*
 * Reads options and words of `command` (NULL: global options up to the first word). Global
 * options are accepted anywhere and set in *cli. *used gets how many of argv were read.
 */
int cli_args_parse(struct cli *cli, const struct cli_command *command, int argc,
                   char **argv, struct cli_args *out, int *used);
/* The value of the last one given, or NULL. */
const char *cli_args_value(const struct cli_args *args, const char *name);
bool cli_args_has(const struct cli_args *args, const char *name);
const char *cli_args_word(const struct cli_args *args, size_t index); /* or NULL */

/* Values. Each prints what is wrong and returns CLI_FAILED; CLI_DONE with *out set. */
int cli_parse_count(const char *option, const char *text, uint64_t *out);
int cli_parse_time(const char *option, const char *text, int64_t *out_us);
/* "M..N", version numbers. */
int cli_parse_span(const char *text, uint64_t *out_from, uint64_t *out_to);

/* "a,b,\"c,d\"": kept until the program ends. */
struct cli_names {
    const char **items;
    size_t count;
};
int cli_parse_names(const char *option, const char *text, struct cli_names *out);

/* TABLE[@REF]; ref NULL where none is said. Either part may be empty (NULL). */
struct cli_target {
    const char *table;
    const char *ref;
};
struct cli_target cli_parse_target(const char *text);

/* ---- failures (cli_fail.c): one line on standard error ---- */

int cli_fail(const struct armi_error *err); /* CLI_NO for a conflict, else CLI_FAILED */
/* The same, told of a file or table that the message may not name. */
int cli_fail_about(const char *what, const struct armi_error *err);
int cli_failf(const char *format, ...) ARMI_PRINTF(1, 2);
int cli_usage(const struct cli_command *command, const char *format, ...) ARMI_PRINTF(2, 3);
void cli_warnf(const char *format, ...) ARMI_PRINTF(1, 2);

/* ---- the repository (cli_repo.c) ---- */

int cli_open(struct cli *cli); /* never creates */
/* Where `ref` (NULL: --branch), --version and --as-of of the command say. */
int cli_at(struct cli *cli, const struct cli_args *args, const char *ref,
           struct armi_at *out);
const char *cli_ref(const struct cli *cli, const char *ref); /* NULL: the branch */

/* ---- long work (cli_progress.c) ---- */

/* Callbacks that answer Ctrl-C and, on a terminal, draw a bar on standard error. */
struct armi_callbacks cli_callbacks(const struct cli *cli, const char *doing);
/* What the bar counts up to, where the library cannot know; 0 = as it says. */
void cli_progress_total(uint64_t rows);
void cli_progress_unit(const char *unit); /* what is counted, where it is not rows */
void cli_progress_clear(void);
double cli_clock(void); /* seconds, monotonic */
void cli_interrupt_install(void);
int cli_interrupted(void); /* the signal's number, or 0 */

/* ---- help (cli_help.c) ---- */

/* The whole of `armi help`, of `armi help NAME`, and of armi(1). */
void cli_help_print(FILE *out);
void cli_help_command(const struct cli_command *command, FILE *out);
void cli_man_print(FILE *out);
void cli_complete_print(FILE *out); /* completion for bash */

/* Runs armi-NAME as git does; returns only if there is none. */
int cli_external_run(const struct cli *cli, const char *name, int argc, char **argv);

/* ---- the commands (cmd_*.c) ---- */

int cmd_branch(struct cli *cli, const struct cli_args *args);
int cmd_diff(struct cli *cli, const struct cli_args *args);
int cmd_drop(struct cli *cli, const struct cli_args *args);
int cmd_export(struct cli *cli, const struct cli_args *args);
int cmd_head(struct cli *cli, const struct cli_args *args);
int cmd_help(struct cli *cli, const struct cli_args *args);
int cmd_import(struct cli *cli, const struct cli_args *args);
int cmd_init(struct cli *cli, const struct cli_args *args);
int cmd_log(struct cli *cli, const struct cli_args *args);
int cmd_ls(struct cli *cli, const struct cli_args *args);
int cmd_merge(struct cli *cli, const struct cli_args *args);
int cmd_schema(struct cli *cli, const struct cli_args *args);
int cmd_show(struct cli *cli, const struct cli_args *args);
int cmd_stats(struct cli *cli, const struct cli_args *args);
int cmd_tag(struct cli *cli, const struct cli_args *args);
int cmd_verify(struct cli *cli, const struct cli_args *args);

#endif
