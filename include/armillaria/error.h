/*
 * What went wrong, told once, where it was known.
 *
 * The caller owns the struct and may pass NULL wherever one is taken. The returned status decides;
 * the struct explains. It is written only on failure and means nothing after a success. There is no
 * "last error" in the library.
 */
#ifndef ARMILLARIA_ERROR_H
#define ARMILLARIA_ERROR_H

#include <stddef.h>

#include <armillaria/export.h>
#include <armillaria/hash.h>
#include <armillaria/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct armi_error {
    size_t size;             /* sizeof(struct armi_error), set by the caller */
    enum armi_status status; /* what the call returned */
    int sys_errno;           /* errno where status is ARMI_STORAGE, else 0 */
    char kind[24];    /* of what object: "table", "branch", "chunk", "column"…, or "" */
    char name[256];   /* which one, cut at 255 bytes, or "" */
    char branch[256]; /* ARMI_CONFLICT, ARMI_MERGE_CONFLICT: the branch, else "" */
    struct armi_hash
        commit; /* ARMI_CONFLICT: the other commit; ARMI_COMMIT_UNKNOWN: ours; else 0 */
    char message[1024]; /* one line, no newline, no trailing full stop */
};

#define ARMI_ERROR_INIT                                                                    \
    {                                                                                      \
        .size = sizeof(struct armi_error)                                                  \
    }

#ifdef __cplusplus
}
#endif

#endif
