/*
 * A CSV file cut into fields: blocks of the file come in, windows of some hundred whole
 * rows go out, each with the places of its fields. What a field means is not asked here;
 * that rows are well-formed and have all the same number of fields is.
 */
#ifndef ARMI_IO_CSV_SCAN_H
#define ARMI_IO_CSV_SCAN_H

#include "base/pool.h"
#include "io/csv_value.h"
#include "os/os.h"

/* Sizes that tests make small. */
struct armi_csv_sizes {
    size_t block;     /* read at once */
    size_t window;    /* bytes of rows handed out at once, about */
    uint64_t row_max; /* bytes of a row; below 2 GiB, for places are of 32 bits */
    uint64_t value_max;
};

struct armi_csv_scan {
    /* Set by the caller. */
    const struct armi_os *os;
    int fd;
    const char *name; /* of the file, for messages; borrowed */
    uint8_t delimiter;
    struct armi_csv_sizes sizes;
    struct armi_interrupt interrupt;
    size_t columns;            /* fields of a row; 0 until the first row was read */
    bool has_header;           /* for messages */
    const char *const *titles; /* of the columns, for messages; borrowed, NULL = none */

    /* Its own. */
    uint8_t *data; /* `capacity` bytes and ARMI_CSV_SLACK more */
    size_t capacity;
    size_t start, end;  /* what is still to be cut */
    bool is_final;      /* nothing comes behind `end` */
    uint64_t offset;    /* in the file, of what is read next */
    uint64_t row;       /* number of the row at `start`, from 1 */
    uint64_t blank_row; /* an empty row that is one too few or the end; 0 = none */
    uint32_t *tokens;
    size_t tokens_capacity;
};

/*
 * Rows in place: row r's field c lies at data[tokens[i]] .. data[tokens[i + 1] - 1), with
 * i = r * columns + c; behind it stands the delimiter or line feed. The last field of a row
 * may have a carriage return at its end, which is not its own.
 */
struct armi_csv_window {
    const uint8_t *data;
    const uint32_t *tokens;
    size_t columns;
    size_t rows;        /* 0 = the end */
    uint64_t first_row; /* its number */
};

/* A field as it lies in the file, with its quotes. */
static inline const uint8_t *armi_csv_field(const struct armi_csv_window *w, size_t row,
                                            size_t column, size_t *size)
{
    const uint32_t *at = w->tokens + row * w->columns + column;
    size_t n = at[1] - 1 - at[0];
    const uint8_t *p = w->data + at[0];
    if (column + 1 == w->columns && n > 0 && p[n - 1] == '\r')
        n--;
    *size = n;
    return p;
}

/* Begins (again) at the front of the file, behind a byte order mark. ARMI_INVALID for
 * UTF-16 and for an empty file. */
enum armi_status armi_csv_scan_begin(struct armi_csv_scan *scan, struct armi_error *err);
/* The next row alone, however many fields it has; they become `columns`. */
enum armi_status armi_csv_scan_first(struct armi_csv_scan *scan,
                                     struct armi_csv_window *out, struct armi_error *err);
/* The next rows; borrowed until the next call. */
enum armi_status armi_csv_scan_next(struct armi_csv_scan *scan, struct armi_csv_window *out,
                                    struct armi_error *err);
void armi_csv_scan_release(struct armi_csv_scan *scan);

/* The bytes of the window: UTF-8, no zero byte, no lone carriage return, no value over the
 * limit. ARMI_INVALID and ARMI_LIMIT name row and column. */
enum armi_status armi_csv_scan_check(const struct armi_csv_scan *scan,
                                     const struct armi_csv_window *window,
                                     struct armi_error *err);

#endif
