/*
 * What a call can answer. Values are pinned: they are part of the ABI, new ones are appended.
 */
#ifndef ARMILLARIA_STATUS_H
#define ARMILLARIA_STATUS_H

#include <armillaria/export.h>

#ifdef __cplusplus
extern "C" {
#endif

enum armi_status {
    ARMI_OK = 0,
    ARMI_NO_MEMORY = 1,       /* an allocation failed; nothing changed */
    ARMI_STORAGE = 2,         /* the operating system refused; sys_errno says why */
    ARMI_NOT_FOUND = 3,       /* no such table, version, branch, commit, chunk, column */
    ARMI_ALREADY_EXISTS = 4,  /* the name is taken */
    ARMI_INVALID = 5,         /* an argument or the caller's data is wrong */
    ARMI_SCHEMA_MISMATCH = 6, /* the data does not fit the table's schema */
    ARMI_CONSTRAINT = 7,      /* not null or key violated */
    ARMI_CONFLICT = 8,        /* lost a race for real: reload, decide, try again */
    ARMI_MERGE_CONFLICT = 9,  /* both sides changed the same thing; nothing moved */
    ARMI_COMMIT_UNKNOWN =
        10,                /* the commit may or may not have landed: ask for it by its id */
    ARMI_CORRUPTION = 11,  /* bytes do not match their hash or format */
    ARMI_LIMIT = 12,       /* larger than a stated limit */
    ARMI_UNSUPPORTED = 13, /* well-formed, but this version does not carry it */
    ARMI_INTERRUPTED = 14, /* the caller's interrupted() said so */
    ARMI_BUSY = 15,        /* a lock was not to be had within lock_timeout */
    ARMI_MISUSE = 16, /* called in a state that does not allow it (ended transaction…) */
};

/** The status as a stable lower-case word, "not_found" and the like. Never NULL, static. */
ARMI_API const char *armi_status_name(enum armi_status status);

#ifdef __cplusplus
}
#endif

#endif
