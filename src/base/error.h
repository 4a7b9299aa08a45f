/*
 * How a failure is told: set at the place that knows, passed upwards unchanged, prefixed at most
 * once at a layer's border. Each setter returns its status, so that a failure is one line:
 *
 *     return armi_error_set(err, ARMI_CORRUPTION, "chunk %s: page %d overlaps the footer", hex, i);
 */
#ifndef ARMI_BASE_ERROR_H
#define ARMI_BASE_ERROR_H

#include <armillaria/error.h>

ARMI_PRINTF(3, 4)
enum armi_status armi_error_set(struct armi_error *err, enum armi_status status,
                                const char *format, ...);

/* ARMI_STORAGE (ARMI_NO_MEMORY for ENOMEM) with ": <strerror>" behind the text. errnum > 0. */
ARMI_PRINTF(3, 4)
enum armi_status armi_error_errno(struct armi_error *err, int errnum, const char *format,
                                  ...);

/* The same, naming the object for programs: err->kind and err->name. */
ARMI_PRINTF(5, 6)
enum armi_status armi_error_object(struct armi_error *err, enum armi_status status,
                                   const char *kind, const char *name, const char *format,
                                   ...);

enum armi_status armi_error_no_memory(struct armi_error *err);

/* Puts "<text>: " before the message. Returns err's status (`status` where err is NULL). */
ARMI_PRINTF(3, 4)
enum armi_status armi_error_prefix(struct armi_error *err, enum armi_status status,
                                   const char *format, ...);

/* The only control-flow macro: for functions that own nothing yet. */
#define ARMI_TRY(expr)                                                                     \
    do {                                                                                   \
        enum armi_status try_status_ = (expr);                                             \
        if (try_status_ != ARMI_OK)                                                        \
            return try_status_;                                                            \
    } while (0)

#endif
