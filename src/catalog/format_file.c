/*
 * FORMAT: lines of "key value", the first "armillaria <version>", the last a check value over all that
 * stands before it. Unknown keys are ignored: what must not be ignored has a feature bit.
 */
#include "catalog/format_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "hash/blake3.h"

#define FORMAT_CONTEXT    "armillaria 1 format file"
#define FORMAT_SIZE_MAX   4096
#define CHECK_SIZE        16
#define CHECK_LINE_PREFIX "check "
#define CHECK_LINE_SIZE   (sizeof CHECK_LINE_PREFIX - 1 + 2 * CHECK_SIZE + 1)

static void check_value(const void *text, size_t size, char hex[2 * CHECK_SIZE + 1])
{
    struct armi_hash hash;
    armi_blake3_derive(FORMAT_CONTEXT, text, size, &hash);
    armi_hex_encode(hash.bytes, CHECK_SIZE, hex);
}

enum armi_status armi_format_encode(const struct armi_format *format, struct armi_buf *out,
                                    struct armi_error *err)
{
    char text[512], id[2 * sizeof format->id + 1], check[2 * CHECK_SIZE + 1];
    struct armi_buf bytes = {0};

    armi_hex_encode(format->id, sizeof format->id, id);
    int n = snprintf(text, sizeof text,
                     "armillaria %d\n"
                     "id %s\n"
                     "hash blake3\n"
                     "transform none\n"
                     "durability %s\n"
                     "features-read %llu\n"
                     "features-write %llu\n",
                     ARMI_FORMAT_VERSION, id, format->durability_none ? "none" : "any",
                     (unsigned long long)format->features_read,
                     (unsigned long long)format->features_write);
    check_value(text, (size_t)n, check);
    n += snprintf(text + n, sizeof text - (size_t)n, CHECK_LINE_PREFIX "%s\n", check);
    ARMI_TRY(armi_buf_append(&bytes, text, (size_t)n, err));
    armi_buf_swap(out, &bytes);
    armi_buf_release(&bytes);
    return ARMI_OK;
}

/* A decimal number of one line, in its shortest form. */
static bool parse_number(struct armi_slice text, uint64_t *out)
{
    uint64_t v = 0;
    if (text.size == 0 || text.size > 20 || (text.size > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)text.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, digit, &v))
            return false;
    }
    *out = v;
    return true;
}

static bool slice_is(struct armi_slice s, const char *text)
{
    return s.size == strlen(text) && memcmp(s.data, text, s.size) == 0;
}

/* The next line as key and value; false at the end or at a line that is none. */
static bool next_line(struct armi_slice *text, struct armi_slice *key,
                      struct armi_slice *value)
{
    const uint8_t *end = text->size != 0 ? memchr(text->data, '\n', text->size) : NULL;
    if (end == NULL)
        return false;
    size_t size = (size_t)(end - text->data);
    const uint8_t *space = size != 0 ? memchr(text->data, ' ', size) : NULL;
    if (space == NULL)
        return false;
    size_t key_size = (size_t)(space - text->data);
    *key = (struct armi_slice){text->data, key_size};
    *value = (struct armi_slice){space + 1, size - key_size - 1};
    text->data += size + 1;
    text->size -= size + 1;
    return true;
}

static enum armi_status newer(struct armi_error *err, const char *key,
                              struct armi_slice value)
{
    int size = value.size < 64 ? (int)value.size : 64;
    return armi_error_set(err, ARMI_UNSUPPORTED,
                          "made by a newer version of Armillaria (%s %.*s in FORMAT)", key,
                          size, (const char *)value.data);
}

enum { SEEN_ID = 1, SEEN_HASH = 2, SEEN_DURABILITY = 4, SEEN_READ = 8, SEEN_WRITE = 16 };
#define SEEN_ALL (SEEN_ID | SEEN_HASH | SEEN_DURABILITY | SEEN_READ | SEEN_WRITE)

static enum armi_status take_line(struct armi_slice key, struct armi_slice value,
                                  struct armi_format *f, unsigned *seen,
                                  struct armi_error *err)
{
    bool good = true;

    if (slice_is(key, "id")) {
        char hex[2 * sizeof f->id + 1];
        good = value.size == sizeof hex - 1;
        if (good) {
            memcpy(hex, value.data, value.size);
            hex[sizeof hex - 1] = '\0';
            good = armi_hex_decode(hex, f->id, sizeof f->id);
        }
        *seen |= SEEN_ID;
    } else if (slice_is(key, "hash")) {
        if (!slice_is(value, "blake3"))
            return newer(err, "hash", value);
        *seen |= SEEN_HASH;
    } else if (slice_is(key, "transform")) {
        if (!slice_is(value, "none"))
            return newer(err, "transform", value);
    } else if (slice_is(key, "durability")) {
        f->durability_none = slice_is(value, "none");
        good = f->durability_none || slice_is(value, "any");
        *seen |= SEEN_DURABILITY;
    } else if (slice_is(key, "features-read")) {
        good = parse_number(value, &f->features_read);
        *seen |= SEEN_READ;
        if (good && (f->features_read & ~ARMI_FEATURES_READ) != 0)
            return newer(err, "features-read", value);
    } else if (slice_is(key, "features-write")) {
        good = parse_number(value, &f->features_write);
        *seen |= SEEN_WRITE;
        f->write_unsupported = (f->features_write & ~ARMI_FEATURES_WRITE) != 0;
    }
    return good ? ARMI_OK : armi_error_set(err, ARMI_CORRUPTION, "FORMAT is damaged");
}

enum armi_status armi_format_decode(struct armi_slice text, struct armi_format *out,
                                    struct armi_error *err)
{
    struct armi_format f = {0};
    struct armi_slice rest = text, key, value;
    char check[2 * CHECK_SIZE + 1];
    uint64_t version;
    unsigned seen = 0;

    /* The first line is never changed by any version: it says how to read the rest. */
    if (text.size > FORMAT_SIZE_MAX || !next_line(&rest, &key, &value) ||
        !slice_is(key, "armillaria") || !parse_number(value, &version) || version == 0)
        return armi_error_set(err, ARMI_INVALID,
                              "FORMAT is not that of an Armillaria repository");
    if (version > ARMI_FORMAT_VERSION)
        return armi_error_set(
            err, ARMI_UNSUPPORTED,
            "made by a newer version of Armillaria (format %llu, this program "
            "knows %d)",
            (unsigned long long)version, ARMI_FORMAT_VERSION);
    if (text.size < CHECK_LINE_SIZE)
        return armi_error_set(err, ARMI_CORRUPTION, "FORMAT is damaged");
    size_t body = text.size - CHECK_LINE_SIZE;
    check_value(text.data, body, check);
    if (memcmp(text.data + body, CHECK_LINE_PREFIX, sizeof CHECK_LINE_PREFIX - 1) != 0 ||
        memcmp(text.data + text.size - 1 - 2 * CHECK_SIZE, check, 2 * CHECK_SIZE) != 0 ||
        text.data[text.size - 1] != '\n')
        return armi_error_set(err, ARMI_CORRUPTION, "FORMAT is damaged");
    rest.size -= CHECK_LINE_SIZE;
    while (rest.size != 0) {
        if (!next_line(&rest, &key, &value))
            return armi_error_set(err, ARMI_CORRUPTION, "FORMAT is damaged");
        ARMI_TRY(take_line(key, value, &f, &seen, err));
    }
    if (seen != SEEN_ALL)
        return armi_error_set(err, ARMI_CORRUPTION, "FORMAT lacks a line");
    *out = f;
    return ARMI_OK;
}

/* The bytes get their name when they are durable (I1); two makers at once have a name each. */
static int write_named(const struct armi_os *os, int dir, const char *temp,
                       struct armi_slice text, bool flush)
{
    int fd =
        os->open(os, dir, temp, ARMI_OPEN_WRITE | ARMI_OPEN_CREATE | ARMI_OPEN_EXCLUSIVE,
                 ARMI_OS_MODE_FILE);
    if (fd < 0)
        return fd;
    int rc = armi_os_write_full(os, fd, text.data, text.size, 0);
    if (rc == 0 && flush)
        rc = os->fsync(os, fd);
    int closed = os->close(os, fd);
    if (rc == 0)
        rc = closed;
    if (rc == 0)
        rc = os->rename_new(os, dir, temp, dir, ARMI_FORMAT_FILE);
    if (rc != 0)
        os->unlink(os, dir, temp);
    else if (flush)
        rc = os->fsync(os, dir);
    return rc;
}

enum armi_status armi_format_write(const struct armi_os *os, int dir,
                                   const struct armi_format *format, struct armi_error *err)
{
    struct armi_buf text = {0};
    uint8_t random[8];
    char temp[sizeof ARMI_FORMAT_FILE + 2 * sizeof random + 1] = ARMI_FORMAT_FILE ".";

    int rc = os->random(os, random, sizeof random);
    if (rc < 0)
        return armi_error_errno(err, -rc, "cannot get random bytes");
    armi_hex_encode(random, sizeof random, temp + sizeof ARMI_FORMAT_FILE);
    ARMI_TRY(armi_format_encode(format, &text, err));
    rc = write_named(os, dir, temp, armi_buf_slice(&text), !format->durability_none);
    armi_buf_release(&text);
    if (rc == -EEXIST)
        return armi_error_set(err, ARMI_ALREADY_EXISTS,
                              "the folder is a repository already");
    return rc == 0 ? ARMI_OK : armi_error_errno(err, -rc, "cannot write FORMAT");
}

enum armi_status armi_format_read(const struct armi_os *os, int dir, const char *what,
                                  struct armi_format *out, struct armi_error *err)
{
    struct armi_buf text;

    armi_buf_init(&text, FORMAT_SIZE_MAX);
    enum armi_status status =
        armi_os_read_file(os, dir, ARMI_FORMAT_FILE, "FORMAT", &text, err);
    if (status == ARMI_LIMIT)
        status = armi_error_set(err, ARMI_INVALID,
                                "FORMAT is not that of an Armillaria repository");
    if (status == ARMI_OK)
        status = armi_format_decode(armi_buf_slice(&text), out, err);
    armi_buf_release(&text);
    return status == ARMI_OK ? ARMI_OK : armi_error_prefix(err, status, "%s", what);
}
