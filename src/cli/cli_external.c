/*
 * Commands that are programs of their own: `armi X` runs armi-X, looked for beside this
 * executable, then in PATH. Global options that came before the name go with it: folder,
 * branch and author in the environment, the others as arguments.
 */
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_memory.h"
#include "cli_text.h"

static bool is_program(const char *path)
{
    return access(path, X_OK) == 0;
}

static const char *beside_self(const char *name)
{
    char self[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size <= 0)
        return NULL;
    self[size] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL)
        return NULL;
    struct cli_text path = {NULL, 0, 0};
    cli_text_addf(&path, "%.*s/armi-%s", (int)(slash - self), self, name);
    const char *kept = cli_keep_text(path.data, path.size);
    cli_text_release(&path);
    return is_program(kept) ? kept : NULL;
}

static const char *in_path(const char *name)
{
    const char *folders = getenv("PATH");
    while (folders != NULL && *folders != '\0') {
        size_t size = strcspn(folders, ":");
        struct cli_text path = {NULL, 0, 0};
        cli_text_addf(&path, "%.*s/armi-%s", size > 0 ? (int)size : 1,
                      size > 0 ? folders : ".", name);
        const char *kept = cli_keep_text(path.data, path.size);
        cli_text_release(&path);
        if (is_program(kept))
            return kept;
        folders += size + (folders[size] == ':');
    }
    return NULL;
}

static bool is_plain_name(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if (!(*c == '-' || *c == '_' || (*c >= '0' && *c <= '9') ||
              (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')))
            return false;
    return name[0] != '\0' && name[0] != '-';
}

int cli_external_run(const struct cli *cli, const char *name, int argc, char **argv)
{
    if (!is_plain_name(name))
        return CLI_USAGE;
    const char *path = beside_self(name);
    path = path != NULL ? path : in_path(name);
    if (path == NULL)
        return CLI_USAGE;
    char **args = cli_keep((size_t)argc + 6, sizeof *args);
    size_t count = 0;
    args[count++] = cli_keep_text(path, strlen(path));
    if (cli->json)
        args[count++] = cli_keep_text("--json", 6);
    if (cli->no_progress)
        args[count++] = cli_keep_text("--no-progress", 13);
    if (cli->lock_timeout_ms != 0) {
        char text[64];
        int size = snprintf(text, sizeof text, "--lock-timeout=%.3f",
                            (double)cli->lock_timeout_ms / 1000);
        args[count++] = cli_keep_text(text, (size_t)size);
    }
    for (int i = 0; i < argc; i++)
        args[count++] = argv[i];
    setenv("ARMI_DIR", cli->dir, 1);
    setenv("ARMI_BRANCH", cli->branch, 1);
    if (cli->author != NULL)
        setenv("ARMI_AUTHOR", cli->author, 1);
    fflush(stdout);
    execv(path, args);
    return cli_failf("%s: %s", path, strerror(errno));
}
