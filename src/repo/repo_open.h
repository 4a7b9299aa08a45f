/*
 * Opening a repository over another table of system calls: for tests that make them fail.
 */
#ifndef ARMI_REPO_REPO_OPEN_H
#define ARMI_REPO_REPO_OPEN_H

#include <armillaria/repository.h>

#include "os/os.h"

/* As armi_repository_open(); `os` outlives the handle and all that came from it. */
enum armi_status armi_repository_open_os(const struct armi_os *os, const char *path,
                                         const struct armi_open_options *options,
                                         struct armi_repository **out,
                                         struct armi_error *err);

#endif
