/*
 * What a file is, by its first bytes. Text is taken for CSV; what is wrong inside of it,
 * the reader says better, with its place.
 */
#include <armillaria/io.h>

#include <errno.h>
#include <string.h>

#include "io/io_file.h"

#define PROBE_SIZE 4096

static bool begins_with(const uint8_t *data, size_t size, const char *magic, size_t length)
{
    return size >= length && memcmp(data, magic, length) == 0;
}

/* No bytes that text does not have. Not whether it is UTF-8: see above. */
static bool is_text(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] < 0x20 && (data[i] < '\t' || data[i] > '\r') && data[i] != 0x1b)
            return false;
    return true;
}

static enum armi_file_format format_of(const uint8_t *data, size_t size)
{
    if (size == 0)
        return ARMI_FORMAT_EMPTY;
    if (begins_with(data, size, "PAR1", 4) || begins_with(data, size, "PARE", 4))
        return ARMI_FORMAT_PARQUET;
    /* A file, and a stream (a continuation mark, then the size of the schema). */
    if (begins_with(data, size, "ARROW1", 6) ||
        (begins_with(data, size, "\xff\xff\xff\xff", 4) && size >= 8 && data[7] == 0))
        return ARMI_FORMAT_ARROW;
    /* UTF-16: text, which the reader refuses by that name. */
    if (begins_with(data, size, "\xff\xfe", 2) || begins_with(data, size, "\xfe\xff", 2))
        return ARMI_FORMAT_CSV;
    return is_text(data, size) ? ARMI_FORMAT_CSV : ARMI_FORMAT_BINARY;
}

enum armi_status armi_file_probe(const char *path, enum armi_file_format *out,
                                 struct armi_error *err)
{
    const struct armi_os *os = armi_os_posix();
    uint8_t head[PROBE_SIZE];
    struct armi_file_stat stat;
    int fd = -1;
    if (strcmp(path, "-") == 0)
        return armi_error_set(err, ARMI_INVALID,
                              "Standard input cannot be looked at "
                              "before it is read; name the format");
    ARMI_TRY(armi_io_open(os, path, &fd, &stat, err));
    enum armi_status st = ARMI_OK;
    int64_t n = 0;
    if (stat.kind != ARMI_ENTRY_REGULAR)
        st = armi_error_set(err, ARMI_INVALID,
                            "%s is not a regular file: it cannot be "
                            "looked at before it is read; name the format",
                            path);
    else
        n = armi_os_read_full(os, fd, head, sizeof head, 0);
    if (n < 0)
        st = armi_error_errno(err, (int)-n, "read %s", path);
    os->close(os, fd);
    if (st == ARMI_OK)
        *out = format_of(head, (size_t)n);
    return st;
}
