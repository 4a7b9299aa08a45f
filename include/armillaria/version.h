/*
 * The library's version. The ABI follows semantic versioning; the format on disk has a
 * number of its own.
 */
#ifndef ARMILLARIA_VERSION_H
#define ARMILLARIA_VERSION_H

#include <armillaria/export.h>

#define ARMI_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/* Of the library that is running, "0.1.0". Static. */
ARMI_API const char *armi_version(void);

#ifdef __cplusplus
}
#endif

#endif
