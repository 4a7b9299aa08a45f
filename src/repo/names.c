/*
 * What tables, branches and tags may be called (API.md section 1). One validator each, for
 * names that are made and names that are looked up.
 */
#include <string.h>

#include <armillaria/ref.h>

#include "base/limits.h"
#include "base/text.h"

const char *armi_table_name_problem(const char *name)
{
    size_t size = strlen(name);
    if (size == 0)
        return "it is empty";
    if (size > ARMI_NAME_SIZE_MAX)
        return "it is longer than 255 bytes";
    if (!armi_utf8_valid((const uint8_t *)name, size))
        return "it is not UTF-8";
    if (name[0] == '.' || name[0] == '-')
        return "it starts with \".\" or \"-\"";
    if (name[0] == '_' && name[1] == '_')
        return "names that start with \"__\" are reserved";
    for (const char *c = name; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return "it has a control character";
        if (strchr("/\\@\"", *c) != NULL)
            return "it has one of / \\ @ \"";
    }
    return NULL;
}

static int is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* One path component of a ref name, by git's rules. */
static const char *component_problem(const char *from, size_t size)
{
    if (size == 0)
        return "it has an empty part, or starts or ends with \"/\"";
    if (from[0] == '.')
        return "a part of it starts with \".\"";
    if (size >= 5 && memcmp(from + size - 5, ".lock", 5) == 0)
        return "a part of it ends with \".lock\"";
    return NULL;
}

const char *armi_ref_name_problem(const char *name)
{
    size_t size = strlen(name), hex = 0;
    if (size == 0)
        return "it is empty";
    if (size > ARMI_NAME_SIZE_MAX)
        return "it is longer than 255 bytes";
    if (!armi_utf8_valid((const uint8_t *)name, size))
        return "it is not UTF-8";
    if (name[0] == '-')
        return "it starts with \"-\"";
    if (strcmp(name, "@") == 0 || strstr(name, "@{") != NULL)
        return "it is \"@\" or has \"@{\"";
    if (strstr(name, "..") != NULL)
        return "it has \"..\"";
    if (name[size - 1] == '.')
        return "it ends with \".\"";
    for (const char *c = name; *c != '\0'; c++) {
        if ((unsigned char)*c <= 0x20 || *c == 0x7f)
            return "it has a space or a control character";
        if (strchr("~^:?*[\\", *c) != NULL)
            return "it has one of ~ ^ : ? * [ \\";
        hex += (size_t)is_hex(*c);
    }
    if (hex == size && size >= 8)
        return "it looks like a commit id";
    for (const char *from = name;;) {
        const char *end = strchr(from, '/');
        size_t part = end != NULL ? (size_t)(end - from) : strlen(from);
        const char *problem = component_problem(from, part);
        if (problem != NULL || end == NULL)
            return problem;
        from = end + 1;
    }
}
