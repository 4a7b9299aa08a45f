#include "temp_dir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "test.h"

void temp_dir_make(char path[TEMP_DIR_SIZE])
{
    const char *base = getenv("TMPDIR");
    int n =
        snprintf(path, TEMP_DIR_SIZE, "%s/armi-test-XXXXXX", base != NULL ? base : "/tmp");
    if (n < 0 || n >= TEMP_DIR_SIZE || mkdtemp(path) == NULL)
        fail_msg("cannot make a folder for the test");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void temp_dir_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
