/*
 * FORMAT: the small text file that says that a folder is a repository, of which format, and
 * what a program must know to read it and to write it. docs/format/catalog.md has its
 * lines. It is written last when a repository is made, and never changed after.
 */
#ifndef ARMI_CATALOG_FORMAT_FILE_H
#define ARMI_CATALOG_FORMAT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "os/os.h"

#define ARMI_FORMAT_FILE    "FORMAT"
#define ARMI_FORMAT_VERSION 1

/* What this program knows; a bit in FORMAT beyond them refuses reading, or only writing. */
#define ARMI_FEATURES_READ  UINT64_C(0)
#define ARMI_FEATURES_WRITE UINT64_C(0)

struct armi_format {
    uint8_t id[16];          /* the catalog's, so that the two belong together */
    bool durability_none;    /* scratch: made without flushes, and stays so */
    uint64_t features_read;  /* needed to read */
    uint64_t features_write; /* needed to write */
    bool write_unsupported;  /* decode: a write feature is unknown: open read-only */
};

/* Replaces *out with the file's text. */
enum armi_status armi_format_encode(const struct armi_format *format, struct armi_buf *out,
                                    struct armi_error *err);
/*
 * ARMI_INVALID: not a FORMAT file at all; ARMI_CORRUPTION: damaged; ARMI_UNSUPPORTED: "made
 * by a newer version of Armillaria".
 */
enum armi_status armi_format_decode(struct armi_slice text, struct armi_format *out,
                                    struct armi_error *err);

/*
 * Writes the file into an open folder: whole or not at all, durable on return unless durability_none.
 * ARMI_ALREADY_EXISTS: there is one.
 */
enum armi_status armi_format_write(const struct armi_os *os, int dir,
                                   const struct armi_format *format,
                                   struct armi_error *err);
/* ARMI_NOT_FOUND: the folder has none; else as armi_format_decode. `what` names the folder. */
enum armi_status armi_format_read(const struct armi_os *os, int dir, const char *what,
                                  struct armi_format *out, struct armi_error *err);

#endif
