/*
 * The user's own files: named by paths that may be links, pipes or "-".
 */
#ifndef ARMI_IO_IO_FILE_H
#define ARMI_IO_IO_FILE_H

#include "os/os.h"

/* Longest path that a temporary file's name is put behind. */
#define ARMI_IO_PATH_SIZE 4096

/* Opens for reading. ARMI_NOT_FOUND, ARMI_INVALID for a folder, ARMI_STORAGE. */
enum armi_status armi_io_open(const struct armi_os *os, const char *path, int *out_fd,
                              struct armi_file_stat *out_stat, struct armi_error *err);

/*
 * A descriptor whose bytes can be read at any place and any number of times: `path` itself,
 * or, of a pipe or "-", a copy in a file that has no name any more.
 */
enum armi_status armi_io_open_twice(const struct armi_os *os, const char *path,
                                    const struct armi_interrupt *interrupt, int *out_fd,
                                    struct armi_file_stat *out_stat,
                                    struct armi_error *err);

/*
 * A file that is written in one go. A regular file gets its name when it is complete;
 * before, a temporary one stands beside it. "-" (standard output), pipes, devices and
 * links are written in place.
 */
struct armi_io_output {
    const struct armi_os *os;
    const char *path; /* borrowed */
    int fd;
    bool is_ours; /* fd is closed by us */
    bool is_stream;
    bool replaces; /* a file of that name is there */
    uint64_t offset;
    char temporary[ARMI_IO_PATH_SIZE]; /* "" = written in place */
};

#define ARMI_IO_OUTPUT_INIT                                                                \
    {                                                                                      \
        .fd = -1                                                                           \
    }

enum armi_status armi_io_output_open(struct armi_io_output *output,
                                     const struct armi_os *os, const char *path,
                                     struct armi_error *err);
enum armi_status armi_io_output_write(struct armi_io_output *output, const void *data,
                                      size_t size, struct armi_error *err);
/* Gives the file its name. */
enum armi_status armi_io_output_commit(struct armi_io_output *output,
                                       struct armi_error *err);
/* Closes; removes what was not committed. */
void armi_io_output_release(struct armi_io_output *output);

/* What messages call it. */
const char *armi_io_name(const char *path);

#endif
