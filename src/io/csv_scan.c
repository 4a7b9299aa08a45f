/*
 * Cutting rows. The fast way takes 64 bytes at a time: a mask of quotes gives, by a running
 * exclusive or, which bytes lie inside of quotes; delimiters and line feeds outside are the
 * ends of fields. It stops in front of anything that is not plainly right, and the slow
 * way takes that row byte by byte and says what is wrong with it, or that nothing is.
 */
#include "io/csv_scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/csv_mask.h"

/* ---- blocks ---- */

static enum armi_status data_grow(struct armi_csv_scan *scan, struct armi_error *err)
{
    size_t capacity = scan->capacity == 0 ? scan->sizes.block : scan->capacity * 2;
    if (scan->end > scan->sizes.row_max)
        return armi_error_object(err, ARMI_LIMIT, "file", scan->name,
                                 "%s: row %" PRIu64 " is longer than %" PRIu64
                                 " bytes; is a closing quote missing?",
                                 scan->name, scan->row, scan->sizes.row_max);
    if (capacity > scan->sizes.row_max + scan->sizes.block)
        capacity = (size_t)scan->sizes.row_max + scan->sizes.block;
    uint8_t *data = armi_realloc(scan->data, scan->end, capacity + ARMI_CSV_SLACK);
    if (data == NULL)
        return armi_error_no_memory(err);
    scan->data = data;
    scan->capacity = capacity;
    return ARMI_OK;
}

/* More of the file behind what is still to be cut, which moves to the front. One byte is
 * kept free for the line feed that the last row may lack. */
static enum armi_status fill(struct armi_csv_scan *scan, struct armi_error *err)
{
    ARMI_TRY(armi_interrupt_check(&scan->interrupt, err));
    if (scan->start > 0) {
        memmove(scan->data, scan->data + scan->start, scan->end - scan->start);
        scan->end -= scan->start;
        scan->start = 0;
    }
    while (scan->capacity < scan->end + 2)
        ARMI_TRY(data_grow(scan, err));
    size_t room = scan->capacity - scan->end - 1;
    int64_t n =
        armi_os_read_full(scan->os, scan->fd, scan->data + scan->end, room, scan->offset);
    if (n < 0)
        return armi_error_errno(err, (int)-n, "read %s", scan->name);
    scan->end += (size_t)n;
    scan->offset += (uint64_t)n;
    if ((size_t)n < room) {
        scan->is_final = true;
        if (scan->end > scan->start && scan->data[scan->end - 1] != '\n')
            scan->data[scan->end++] = '\n';
    }
    memset(scan->data + scan->end, 0, ARMI_CSV_SLACK);
    return ARMI_OK;
}

enum armi_status armi_csv_scan_begin(struct armi_csv_scan *scan, struct armi_error *err)
{
    scan->start = scan->end = 0;
    scan->is_final = false;
    scan->offset = 0;
    scan->row = 1;
    scan->blank_row = 0;
    while (!scan->is_final && scan->end < 4)
        ARMI_TRY(fill(scan, err));
    if (scan->end >= 2 &&
        (memcmp(scan->data, "\xff\xfe", 2) == 0 || memcmp(scan->data, "\xfe\xff", 2) == 0))
        return armi_error_object(err, ARMI_INVALID, "file", scan->name,
                                 "%s is UTF-16; convert it to UTF-8", scan->name);
    if (scan->end >= 3 && memcmp(scan->data, "\xef\xbb\xbf", 3) == 0)
        scan->start = 3;
    /* A mark and nothing else got a line feed. */
    if (scan->end == 0 || (scan->start == 3 && scan->end == 4 && scan->offset == 3))
        return armi_error_object(err, ARMI_INVALID, "file", scan->name, "%s is empty",
                                 scan->name);
    return ARMI_OK;
}

void armi_csv_scan_release(struct armi_csv_scan *scan)
{
    armi_free(scan->data);
    armi_free(scan->tokens);
    scan->data = NULL;
    scan->tokens = NULL;
}

static enum armi_status tokens_reserve(struct armi_csv_scan *scan, size_t used,
                                       size_t extra, struct armi_error *err)
{
    if (scan->tokens_capacity - used >= extra)
        return ARMI_OK;
    size_t capacity = used + extra + scan->tokens_capacity;
    uint32_t *tokens =
        armi_realloc(scan->tokens, used * sizeof *tokens, capacity * sizeof *tokens);
    if (tokens == NULL)
        return armi_error_no_memory(err);
    scan->tokens = tokens;
    scan->tokens_capacity = capacity;
    return ARMI_OK;
}

/* ---- the slow way: one row ---- */

enum row_state {
    ROW_WHOLE,
    ROW_CUT, /* it goes on behind what is there */
    ROW_NEVER_CLOSES,
    ROW_TEXT_BEHIND_QUOTE,
    ROW_QUOTE_INSIDE,
    ROW_NO_MEMORY,
};

/* Behind the quoted field at `at`, where a delimiter or a line's end must stand; or its
 * state. */
static enum row_state quoted_end(const struct armi_csv_scan *scan, size_t at, size_t *out)
{
    const uint8_t *data = scan->data;
    for (at++;; at += 2) {
        const uint8_t *quote = memchr(data + at, '"', scan->end - at);
        if (quote == NULL)
            return scan->is_final ? ROW_NEVER_CLOSES : ROW_CUT;
        at = (size_t)(quote - data);
        if (at + 1 == scan->end)
            return ROW_CUT; /* a final block ends with a line feed */
        if (data[at + 1] != '"')
            break;
    }
    at++;
    if (data[at] == '\r') {
        if (at + 1 == scan->end)
            return ROW_CUT;
        at += data[at + 1] == '\n';
    }
    *out = at;
    return data[at] == scan->delimiter || data[at] == '\n' ? ROW_WHOLE
                                                           : ROW_TEXT_BEHIND_QUOTE;
}

static enum row_state plain_end(const struct armi_csv_scan *scan, size_t at, size_t *out)
{
    const uint8_t *data = scan->data;
    for (; at < scan->end; at++) {
        if (data[at] == scan->delimiter || data[at] == '\n') {
            *out = at;
            return ROW_WHOLE;
        }
        if (data[at] == '"')
            return ROW_QUOTE_INSIDE;
    }
    return ROW_CUT;
}

/* Tokens of the row at `start`; *fields = how many it has, or that were whole. */
static enum row_state row_cut(struct armi_csv_scan *scan, size_t *fields,
                              struct armi_error *err)
{
    size_t at = scan->start, n = 0;
    enum row_state state = ROW_CUT;
    while (at < scan->end) {
        if (tokens_reserve(scan, n, 2, err) != ARMI_OK)
            return ROW_NO_MEMORY;
        scan->tokens[n] = (uint32_t)at;
        state =
            scan->data[at] == '"' ? quoted_end(scan, at, &at) : plain_end(scan, at, &at);
        if (state != ROW_WHOLE)
            break;
        at++;
        scan->tokens[++n] = (uint32_t)at;
        if (scan->data[at - 1] == '\n')
            break;
        state = ROW_CUT;
    }
    *fields = n;
    return state;
}

/* By its name if it has one. */
static enum armi_status field_error(const struct armi_csv_scan *scan, enum armi_status st,
                                    uint64_t row, size_t column, const char *text,
                                    struct armi_error *err)
{
    char place[300];
    if (scan->titles != NULL && column < scan->columns)
        snprintf(place, sizeof place, "column \"%.255s\"", scan->titles[column]);
    else
        snprintf(place, sizeof place, "column %zu", column + 1);
    return armi_error_object(err, st, "file", scan->name, "%s: row %" PRIu64 ", %s: %s",
                             scan->name, row, place, text);
}

static enum armi_status row_error(const struct armi_csv_scan *scan, enum row_state state,
                                  size_t column, struct armi_error *err)
{
    static const char *const texts[] = {
        [ROW_NEVER_CLOSES] = "a quote is opened that never closes",
        [ROW_TEXT_BEHIND_QUOTE] = "text behind a closing quote; a quote inside of a quoted "
                                  "field is written twice",
        [ROW_QUOTE_INSIDE] =
            "a quote inside of a field that is not quoted; quote the field "
            "and write the quote twice",
    };
    if (state == ROW_NO_MEMORY)
        return armi_error_no_memory(err);
    return field_error(scan, ARMI_INVALID, scan->row, column, texts[state], err);
}

static enum armi_status count_error(const struct armi_csv_scan *scan, size_t fields,
                                    struct armi_error *err)
{
    return armi_error_object(err, ARMI_INVALID, "file", scan->name,
                             "%s: row %" PRIu64 " has %zu field%s, the %s has %zu",
                             scan->name, scan->row, fields, fields == 1 ? "" : "s",
                             scan->has_header ? "header" : "first row", scan->columns);
}

/* One row, read on until it is whole. *fields = 0 at the end of the file. */
static enum armi_status row_next(struct armi_csv_scan *scan, size_t *fields,
                                 struct armi_error *err)
{
    for (;;) {
        *fields = 0;
        if (scan->start == scan->end && scan->is_final)
            return ARMI_OK;
        enum row_state state = row_cut(scan, fields, err);
        if (state == ROW_WHOLE)
            return ARMI_OK;
        if (state != ROW_CUT)
            return row_error(scan, state, *fields, err);
        ARMI_TRY(fill(scan, err));
    }
}

static bool row_is_blank(const struct armi_csv_scan *scan, size_t fields)
{
    size_t size = scan->tokens[1] - scan->tokens[0];
    return fields == 1 && (size == 1 || (size == 2 && scan->data[scan->start] == '\r'));
}

static void hand_out(struct armi_csv_scan *scan, size_t rows, struct armi_csv_window *out)
{
    *out = (struct armi_csv_window){
        .data = scan->data,
        .tokens = scan->tokens,
        .columns = scan->columns,
        .rows = rows,
        .first_row = scan->row,
    };
    scan->start = scan->tokens[rows * scan->columns];
    scan->row += rows;
}

enum armi_status armi_csv_scan_first(struct armi_csv_scan *scan,
                                     struct armi_csv_window *out, struct armi_error *err)
{
    size_t fields;
    ARMI_TRY(row_next(scan, &fields, err));
    scan->columns = fields;
    hand_out(scan, 1, out);
    return ARMI_OK;
}

/* ---- the fast way: many rows ---- */

struct cut {
    size_t tokens;        /* so far, without the first */
    size_t rows;          /* line feeds among them */
    uint64_t inside;      /* all ones if the last byte was inside of quotes */
    uint64_t field_start; /* bit 0: the next byte begins a field */
    uint64_t closed;      /* bit 0: the last byte was a closing quote */
};

/*
 * Quotes of 64 bytes. An opening one must begin a field or follow a closing one (a doubled
 * quote); a closing one must end its field or be followed by a quote. *structural loses
 * what is inside. False: not plainly right.
 */
static bool quotes_apply(struct cut *cut, const uint8_t *p, uint64_t there, uint64_t quotes,
                         uint64_t *structural)
{
    uint64_t inside = armi_csv_running_xor(quotes) ^ cut->inside;
    uint64_t closing = quotes & ~inside, opening = quotes & inside;
    *structural &= ~inside;
    uint64_t may_open = *structural << 1 | cut->field_start | closing << 1 | cut->closed;
    uint64_t behind = (closing << 1 | cut->closed) & there & ~*structural & ~quotes;
    /* A carriage return may stand there, if the line ends with it. */
    for (; behind != 0; behind &= behind - 1) {
        const uint8_t *at = p + __builtin_ctzll(behind);
        if (at[0] != '\r' || at[1] != '\n')
            return false;
    }
    cut->inside = 0 - (inside >> 63);
    cut->closed = closing >> 63;
    return (opening & ~may_open) == 0;
}

/* The next 64 bytes at `at`, of which `count` are there. */
static bool cut_block(struct armi_csv_scan *scan, struct cut *cut, size_t at, size_t count)
{
    const uint8_t *p = scan->data + at;
    struct armi_csv_masks m = armi_csv_masks_find(p, scan->delimiter);
    uint64_t there = count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX;
    uint64_t structural = m.structural & there, quotes = m.quotes & there;
    if ((quotes | cut->inside | cut->closed) != 0) {
        if (!quotes_apply(cut, p, there, quotes, &structural))
            return false;
    }
    cut->field_start = structural >> 63;
    uint64_t lines = m.lines & structural;
    for (; lines != 0; lines &= lines - 1)
        cut->rows++;
    uint32_t *out = scan->tokens + 1 + cut->tokens;
    for (; structural != 0; structural &= structural - 1)
        *out++ = (uint32_t)(at + 1 + (size_t)__builtin_ctzll(structural));
    cut->tokens = (size_t)(out - scan->tokens) - 1;
    return true;
}

/* How many of the rows from the first on have the right number of fields. */
static size_t rows_right(const struct armi_csv_scan *scan, const struct cut *cut)
{
    size_t columns = scan->columns, rows = 0, i = 1;
    if (cut->rows <= cut->tokens / columns) {
        while (rows < cut->rows &&
               scan->data[scan->tokens[(rows + 1) * columns] - 1] == '\n')
            rows++;
        /* All line feeds stand where rows end, so that none stands elsewhere. */
        if (rows == cut->rows)
            return rows;
    }
    while (i <= cut->tokens &&
           (scan->data[scan->tokens[i] - 1] == '\n') == (i % columns == 0))
        i++;
    return (i - 1) / columns;
}

/* Whole rows from `start` on, about a window; *rows = 0 if the slow way has to look. */
static enum armi_status rows_cut(struct armi_csv_scan *scan, size_t *rows,
                                 struct armi_error *err)
{
    struct cut cut = {.field_start = 1};
    size_t at = scan->start, want = at + scan->sizes.window;
    ARMI_TRY(tokens_reserve(scan, 0, 1, err));
    scan->tokens[0] = (uint32_t)at;
    while (at < scan->end && (at < want || cut.rows == 0)) {
        size_t count = scan->end - at < 64 ? scan->end - at : 64;
        ARMI_TRY(tokens_reserve(scan, 1 + cut.tokens, 64, err));
        if (!cut_block(scan, &cut, at, count))
            break;
        at += count;
    }
    *rows = rows_right(scan, &cut);
    return ARMI_OK;
}

enum armi_status armi_csv_scan_next(struct armi_csv_scan *scan, struct armi_csv_window *out,
                                    struct armi_error *err)
{
    size_t fields, rows = 0;
    *out = (struct armi_csv_window){.rows = 0};
    if (scan->start == scan->end && !scan->is_final)
        ARMI_TRY(fill(scan, err));
    if (scan->blank_row == 0)
        ARMI_TRY(rows_cut(scan, &rows, err));
    while (rows == 0) {
        ARMI_TRY(row_next(scan, &fields, err));
        if (fields == 0)
            return ARMI_OK;
        if (scan->columns > 1 && row_is_blank(scan, fields)) {
            /* Nothing but such rows may follow. */
            scan->blank_row = scan->blank_row == 0 ? scan->row : scan->blank_row;
            scan->start = scan->tokens[1];
            scan->row++;
            continue;
        }
        if (scan->blank_row != 0)
            return armi_error_object(err, ARMI_INVALID, "file", scan->name,
                                     "%s: row %" PRIu64 " is empty, and more rows follow",
                                     scan->name, scan->blank_row);
        if (fields != scan->columns)
            return count_error(scan, fields, err);
        rows = 1;
    }
    hand_out(scan, rows, out);
    return ARMI_OK;
}

/* ---- what may stand in a field ---- */

static const char *field_problem(const struct armi_csv_scan *scan, const uint8_t *p,
                                 size_t size, enum armi_status *st)
{
    *st = ARMI_INVALID;
    if (memchr(p, 0, size) != NULL)
        return "a zero byte";
    if (!armi_utf8_valid(p, size))
        return "not valid UTF-8";
    if (size > 0 && p[0] != '"' && memchr(p, '\r', size) != NULL)
        return "a carriage return without a line feed; quote the field, or convert the "
               "line ends";
    *st = ARMI_LIMIT;
    return size > scan->sizes.value_max ? "the value is larger than 1 GiB" : NULL;
}

static enum armi_status fields_check(const struct armi_csv_scan *scan,
                                     const struct armi_csv_window *w,
                                     struct armi_error *err)
{
    for (size_t r = 0; r < w->rows; r++)
        for (size_t c = 0; c < w->columns; c++) {
            size_t size;
            enum armi_status st;
            const uint8_t *p = armi_csv_field(w, r, c, &size);
            const char *problem = field_problem(scan, p, size, &st);
            if (problem != NULL)
                return field_error(scan, st, w->first_row + r, c, problem, err);
        }
    return ARMI_OK;
}

enum armi_status armi_csv_scan_check(const struct armi_csv_scan *scan,
                                     const struct armi_csv_window *w,
                                     struct armi_error *err)
{
    size_t cells = w->rows * w->columns;
    const uint8_t *p = w->data + w->tokens[0];
    size_t size = w->tokens[cells] - w->tokens[0], line_ends = 0;
    struct armi_csv_bytes seen = armi_csv_bytes_count(p, size);
    if (seen.returns > 0)
        for (size_t r = 1; r <= w->rows; r++) {
            const uint8_t *end = w->data + w->tokens[r * w->columns] - 1;
            line_ends += end > p && end[-1] == '\r';
        }
    if (seen.zeros == 0 && seen.returns == line_ends && size <= scan->sizes.value_max &&
        (!seen.has_high || armi_utf8_valid(p, size)))
        return ARMI_OK;
    return fields_check(scan, w, err);
}
