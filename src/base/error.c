#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *armi_status_name(enum armi_status status)
{
    static const char *const names[] = {
        "ok",
        "no_memory",
        "storage",
        "not_found",
        "already_exists",
        "invalid",
        "schema_mismatch",
        "constraint",
        "conflict",
        "merge_conflict",
        "commit_unknown",
        "corruption",
        "limit",
        "unsupported",
        "interrupted",
        "busy",
        "misuse",
    };
    return (size_t)status < sizeof names / sizeof names[0] ? names[status] : "unknown";
}

/* A message is one line: whatever a name or a file brought in must not break a terminal or a log. */
static void make_one_line(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

ARMI_PRINTF(4, 0)
static void error_fill(struct armi_error *err, enum armi_status status, int errnum,
                       const char *format, va_list args)
{
    if (err == NULL)
        return;
    memset((char *)err + sizeof err->size, 0, sizeof *err - sizeof err->size);
    err->status = status;
    err->sys_errno = errnum;
    int n = vsnprintf(err->message, sizeof err->message, format, args);
    if (errnum != 0 && n >= 0 && (size_t)n < sizeof err->message)
        snprintf(err->message + n, sizeof err->message - (size_t)n, ": %s",
                 strerror(errnum));
    make_one_line(err->message);
}

enum armi_status armi_error_set(struct armi_error *err, enum armi_status status,
                                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_fill(err, status, 0, format, args);
    va_end(args);
    return status;
}

enum armi_status armi_error_errno(struct armi_error *err, int errnum, const char *format,
                                  ...)
{
    enum armi_status status = errnum == ENOMEM ? ARMI_NO_MEMORY : ARMI_STORAGE;
    va_list args;
    va_start(args, format);
    error_fill(err, status, errnum, format, args);
    va_end(args);
    return status;
}

enum armi_status armi_error_object(struct armi_error *err, enum armi_status status,
                                   const char *kind, const char *name, const char *format,
                                   ...)
{
    va_list args;
    va_start(args, format);
    error_fill(err, status, 0, format, args);
    va_end(args);
    if (err != NULL) {
        snprintf(err->kind, sizeof err->kind, "%s", kind);
        snprintf(err->name, sizeof err->name, "%s", name);
    }
    return status;
}

enum armi_status armi_error_no_memory(struct armi_error *err)
{
    return armi_error_set(err, ARMI_NO_MEMORY, "out of memory");
}

enum armi_status armi_error_prefix(struct armi_error *err, enum armi_status status,
                                   const char *format, ...)
{
    if (err == NULL)
        return status;
    char old[sizeof err->message];
    memcpy(old, err->message, sizeof old);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof err->message)
        snprintf(err->message + n, sizeof err->message - (size_t)n, ": %s", old);
    make_one_line(err->message);
    return status;
}
