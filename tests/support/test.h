/*
 * cmocka's four includes in their order, and assertions that print the library's own message.
 */
#ifndef ARMI_TEST_H
#define ARMI_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <armillaria/error.h>

/* In a test: struct armi_error err = ARMI_ERROR_INIT; ok(armi_x(…, &err)); fails(ARMI_INVALID, …); */
#define ok(expr)                                                                           \
    do {                                                                                   \
        enum armi_status ok_status_ = (expr);                                              \
        if (ok_status_ != ARMI_OK)                                                         \
            fail_msg("%s: %s: %s", #expr, armi_status_name(ok_status_), err.message);      \
    } while (0)

#define fails(expected, expr)                                                              \
    do {                                                                                   \
        enum armi_status fails_status_ = (expr);                                           \
        if (fails_status_ != (expected))                                                   \
            fail_msg("%s: wanted %s, got %s (%s)", #expr, armi_status_name(expected),      \
                     armi_status_name(fails_status_), fails_status_ ? err.message : "");   \
    } while (0)

#endif
