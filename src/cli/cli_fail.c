/*
 * Failures: one line on standard error, "armi: " and what, which object, and where it helps
 * what to do.
 */
#include "cli.h"

#include <stdarg.h>
#include <string.h>

#include "cli_text.h"

static void say(const char *prefix, const char *text)
{
    struct cli_text line = {NULL, 0, 0};
    cli_text_add_escaped(&line, text, strlen(text));
    cli_progress_clear();
    fflush(stdout);
    fprintf(stderr, "armi: %s%s\n", prefix, line.data);
    cli_text_release(&line);
}

ARMI_PRINTF(2, 0)
static void say_list(const char *prefix, const char *format, va_list args)
{
    char text[2048];
    vsnprintf(text, sizeof text, format, args);
    say(prefix, text);
}

int cli_fail(const struct armi_error *err)
{
    return cli_fail_about(NULL, err);
}

int cli_fail_about(const char *what, const struct armi_error *err)
{
    bool is_named = what == NULL || strstr(err->message, what) != NULL;
    if (err->status == ARMI_INTERRUPTED)
        say("", "interrupted");
    else if (is_named)
        say("", err->message);
    else {
        char text[2048];
        snprintf(text, sizeof text, "%s: %s", what, err->message);
        say("", text);
    }
    bool is_no = err->status == ARMI_CONFLICT || err->status == ARMI_MERGE_CONFLICT;
    return is_no ? CLI_NO : CLI_FAILED;
}

int cli_failf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_list("", format, args);
    va_end(args);
    return CLI_FAILED;
}

void cli_warnf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_list("warning: ", format, args);
    va_end(args);
}

int cli_usage(const struct cli_command *command, const char *format, ...)
{
    char text[1024], whole[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (command != NULL)
        snprintf(whole, sizeof whole, "%s: %s; see armi help %s", command->name, text,
                 command->name);
    else
        snprintf(whole, sizeof whole, "%s; see armi help", text);
    say("", whole);
    return CLI_USAGE;
}
