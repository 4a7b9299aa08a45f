/*
 * The option parser, driven by the tables of commands.c, and the values that options take.
 *
 *     --name VALUE   --name=VALUE   -n VALUE   -nVALUE   --switch   -s   --
 *
 * Options may stand before and after words; "--" ends them; "-" is a word (standard input
 * or output). What cannot be parsed is CLI_USAGE; a value that makes no sense is
 * CLI_FAILED.
 */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli_memory.h"
#include "cli_text.h"

struct parser {
    struct cli *cli;
    const struct cli_command *command;
    int argc;
    char **argv;
    int at;
};

static const struct cli_option *option_find(const struct cli_option *options, char letter,
                                            const char *name, size_t size)
{
    for (; options != NULL && options->name != NULL; options++) {
        if (letter != 0 && options->letter == letter)
            return options;
        if (letter == 0 && strlen(options->name) == size &&
            memcmp(options->name, name, size) == 0)
            return options;
    }
    return NULL;
}

static int global_set(struct cli *cli, const struct cli_option *option, const char *value)
{
    if (strcmp(option->name, "dir") == 0)
        cli->dir = value;
    else if (strcmp(option->name, "branch") == 0)
        cli->branch = value;
    else if (strcmp(option->name, "author") == 0)
        cli->author = value;
    else if (strcmp(option->name, "json") == 0)
        cli->json = true;
    else if (strcmp(option->name, "no-progress") == 0)
        cli->no_progress = true;
    else if (strcmp(option->name, "lock-timeout") == 0) {
        char *end;
        double seconds = strtod(value, &end);
        if (end == value || *end != '\0' || !(seconds >= 0 && seconds <= 4e6))
            return cli_failf("--lock-timeout takes seconds, not '%s'", value);
        cli->lock_timeout_ms = (uint64_t)(seconds * 1000 + 0.5);
        cli->lock_timeout_ms += cli->lock_timeout_ms == 0; /* 0 would be the default */
    }
    return CLI_DONE;
}

static int option_take(struct parser *p, const struct cli_option *option, bool is_global,
                       const char *value, struct cli_args *out)
{
    bool is_question =
        strcmp(option->name, "help") == 0 || strcmp(option->name, "version") == 0;
    if (is_global && is_question && p->command != NULL && option->letter == 0)
        return cli_usage(p->command, "unknown option '--%s'", option->name);
    if (is_global && !is_question)
        return global_set(p->cli, option, value);
    out->options[out->option_count] = option;
    out->values[out->option_count++] = value;
    return CLI_DONE;
}

static const struct cli_option *either_find(const struct parser *p, char letter,
                                            const char *name, size_t size, bool *is_global)
{
    const struct cli_option *own = p->command != NULL ? p->command->options : NULL;
    const struct cli_option *found = option_find(own, letter, name, size);
    *is_global = found == NULL;
    return found != NULL ? found : option_find(cli_global_options, letter, name, size);
}

static int long_option(struct parser *p, const char *text, struct cli_args *out)
{
    const char *equals = strchr(text, '=');
    size_t size = equals != NULL ? (size_t)(equals - text) : strlen(text);
    bool is_global;
    const struct cli_option *option = either_find(p, 0, text, size, &is_global);
    if (option == NULL)
        return cli_usage(p->command, "unknown option '--%.*s'", (int)size, text);
    if (option->value == NULL && equals != NULL)
        return cli_usage(p->command, "option '--%s' takes no value", option->name);
    const char *value = equals != NULL ? equals + 1 : NULL;
    if (option->value != NULL && value == NULL) {
        if (p->at + 1 >= p->argc)
            return cli_usage(p->command, "option '--%s' needs a value", option->name);
        value = p->argv[++p->at];
    }
    return option_take(p, option, is_global, value, out);
}

static int short_options(struct parser *p, const char *text, struct cli_args *out)
{
    for (; *text != '\0'; text++) {
        bool is_global;
        const struct cli_option *option = either_find(p, *text, NULL, 0, &is_global);
        if (option == NULL)
            return cli_usage(p->command, "unknown option '-%c'", *text);
        if (option->value == NULL) {
            int st = option_take(p, option, is_global, NULL, out);
            if (st != CLI_DONE)
                return st;
            continue;
        }
        const char *value = text + 1;
        if (*value == '\0') {
            if (p->at + 1 >= p->argc)
                return cli_usage(p->command, "option '-%c' needs a value", *text);
            value = p->argv[++p->at];
        }
        return option_take(p, option, is_global, value, out);
    }
    return CLI_DONE;
}

static int check_words(const struct cli_command *command, const struct cli_args *args)
{
    if (args->word_count < command->words_min)
        return cli_usage(command, "too few arguments");
    if (args->word_count > command->words_max)
        return cli_usage(command, "unexpected argument '%s'",
                         args->words[command->words_max]);
    return CLI_DONE;
}

int cli_args_parse(struct cli *cli, const struct cli_command *command, int argc,
                   char **argv, struct cli_args *out, int *used)
{
    struct parser p = {cli, command, argc, argv, 0};
    const char **words = cli_keep((size_t)argc + 1, sizeof *words);
    bool ended = false;
    *out = (struct cli_args){.command = command, .words = words};
    out->options = cli_keep((size_t)argc + 1, sizeof *out->options);
    out->values = cli_keep((size_t)argc + 1, sizeof *out->values);
    for (; p.at < argc; p.at++) {
        const char *text = argv[p.at];
        int st = CLI_DONE;
        if (ended || text[0] != '-' || text[1] == '\0') {
            if (command == NULL)
                break;
            words[out->word_count++] = text;
        } else if (strcmp(text, "--") == 0) {
            ended = true;
        } else {
            st = text[1] == '-' ? long_option(&p, text + 2, out)
                                : short_options(&p, text + 1, out);
        }
        if (st != CLI_DONE)
            return st;
    }
    if (used != NULL)
        *used = p.at;
    if (command != NULL && !cli_args_has(out, "help"))
        return check_words(command, out);
    return CLI_DONE;
}

const char *cli_args_value(const struct cli_args *args, const char *name)
{
    for (size_t i = args->option_count; i-- > 0;)
        if (strcmp(args->options[i]->name, name) == 0)
            return args->values[i];
    return NULL;
}

bool cli_args_has(const struct cli_args *args, const char *name)
{
    for (size_t i = 0; i < args->option_count; i++)
        if (strcmp(args->options[i]->name, name) == 0)
            return true;
    return false;
}

const char *cli_args_word(const struct cli_args *args, size_t index)
{
    return index < args->word_count ? args->words[index] : NULL;
}

/* ---- values ---- */

/* Decimal digits and nothing else. */
static bool count_read(const char *text, size_t size, uint64_t *out)
{
    uint64_t value = 0;
    if (size == 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

int cli_parse_count(const char *option, const char *text, uint64_t *out)
{
    if (!count_read(text, strlen(text), out))
        return cli_failf("%s takes a whole number, not '%s'", option, text);
    return CLI_DONE;
}

int cli_parse_span(const char *text, uint64_t *out_from, uint64_t *out_to)
{
    const char *dots = strstr(text, "..");
    if (dots == NULL || !count_read(text, (size_t)(dots - text), out_from) ||
        !count_read(dots + 2, strlen(dots + 2), out_to) || *out_from == 0 || *out_to == 0)
        return cli_failf("--version takes two version numbers, M..N, not '%s'", text);
    return CLI_DONE;
}

/* One name up to a comma, quoted or not; false for a quote that is not closed right. */
static bool name_read(const char **from, char *out)
{
    const char *text = *from;
    if (*text != '"') {
        while (*text != '\0' && *text != ',')
            *out++ = *text++;
        *out = '\0';
        *from = text;
        return true;
    }
    for (text++;; text++) {
        if (*text == '\0')
            return false;
        if (*text == '"' && *++text != '"')
            break;
        *out++ = *text;
    }
    *out = '\0';
    *from = text;
    return *text == '\0' || *text == ',';
}

int cli_parse_names(const char *option, const char *text, struct cli_names *out)
{
    size_t size = strlen(text);
    out->count = 0;
    out->items = cli_keep(size / 2 + 2, sizeof *out->items);
    for (const char *at = text;; at++) {
        char *name = cli_keep(size + 1, 1);
        if (!name_read(&at, name))
            return cli_failf("%s: a quote in '%s' is not closed", option, text);
        if (name[0] == '\0')
            return cli_failf("%s takes names with commas between them, not '%s'", option,
                             text);
        out->items[out->count++] = name;
        if (*at == '\0')
            return CLI_DONE;
    }
}

struct cli_target cli_parse_target(const char *text)
{
    const char *at = strchr(text, '@');
    size_t size = at != NULL ? (size_t)(at - text) : strlen(text);
    struct cli_target target = {NULL, NULL};
    if (size > 0 || at == NULL)
        target.table = cli_keep_text(text, size);
    if (at != NULL && at[1] != '\0')
        target.ref = at + 1;
    return target;
}

/* ---- times ---- */

/* `count` digits at *text as a number; false if they are not all there. */
static bool digits_read(const char **text, int count, int low, int high, int *out)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        value = value * 10 + (**text - '0');
    }
    *out = value;
    return value >= low && value <= high;
}

static bool char_read(const char **text, char wanted)
{
    bool is = **text == wanted;
    *text += is;
    return is;
}

static bool date_read(const char **text, int64_t *out_days)
{
    static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!digits_read(text, 4, 1, 9999, &year) || !char_read(text, '-') ||
        !digits_read(text, 2, 1, 12, &month) || !char_read(text, '-') ||
        !digits_read(text, 2, 1, 31, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > lengths[month - 1] + (month == 2 && leap))
        return false;
    int64_t y = year - (month <= 2), m = month > 2 ? month - 3 : month + 9;
    *out_days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
    return true;
}

/* ":SS[.ffffff]", all of it optional. */
static bool second_read(const char **text, int64_t *out_us)
{
    int second = 0;
    int64_t micro = 0, unit = 100000;
    if (char_read(text, ':') && !digits_read(text, 2, 0, 59, &second))
        return false;
    if (char_read(text, '.')) {
        const char *from = *text;
        for (; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
            micro += unit * (**text - '0');
        if (*text == from)
            return false;
    }
    *out_us = second * INT64_C(1000000) + micro;
    return true;
}

/* "Z", " UTC", "+01:00", or nothing for UTC. */
static bool zone_read(const char **text, int64_t *out_minutes)
{
    int hour, minute;
    *out_minutes = 0;
    char_read(text, ' ');
    if (strcmp(*text, "UTC") == 0)
        *text += 3;
    if (char_read(text, 'Z') || **text == '\0')
        return true;
    int sign = **text == '-' ? -1 : 1;
    if (!char_read(text, '+') && !char_read(text, '-'))
        return false;
    if (!digits_read(text, 2, 0, 23, &hour))
        return false;
    char_read(text, ':');
    if (!digits_read(text, 2, 0, 59, &minute))
        return false;
    *out_minutes = sign * (hour * INT64_C(60) + minute);
    return true;
}

static bool time_read(const char *text, int64_t *out_us)
{
    int64_t days, second_us = 0, zone = 0;
    int hour = 0, minute = 0;
    if (!date_read(&text, &days))
        return false;
    if (*text != '\0') {
        if ((!char_read(&text, 'T') && !char_read(&text, ' ')) ||
            !digits_read(&text, 2, 0, 23, &hour) || !char_read(&text, ':') ||
            !digits_read(&text, 2, 0, 59, &minute) || !second_read(&text, &second_us) ||
            !zone_read(&text, &zone) || *text != '\0')
            return false;
    }
    *out_us =
        (days * 1440 + hour * INT64_C(60) + minute - zone) * INT64_C(60000000) + second_us;
    return true;
}

int cli_parse_time(const char *option, const char *text, int64_t *out_us)
{
    if (!time_read(text, out_us))
        return cli_failf("%s takes a time such as 2013-01-31 or 2013-01-31T05:15:00Z, "
                         "not '%s'",
                         option, text);
    return CLI_DONE;
}
