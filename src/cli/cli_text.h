/*
 * Text for people: growing buffers, control characters made harmless, widths on a terminal,
 * sizes, numbers and times. What a repository holds is data: a table name or a message is
 * printed so that it cannot move the cursor, change the title or hide a part of a line.
 */
#ifndef ARMI_CLI_CLI_TEXT_H
#define ARMI_CLI_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <armillaria/armillaria.h>

struct cli_text {
    char *data; /* ends with a zero byte once something was added */
    size_t size;
    size_t capacity;
};

void cli_text_add(struct cli_text *text, const char *data, size_t size);
void cli_text_addf(struct cli_text *text, const char *format, ...) ARMI_PRINTF(2, 3);
/* Control characters, directional overrides and bytes that are no UTF-8 become \n, \x1b… */
void cli_text_add_escaped(struct cli_text *text, const char *data, size_t size);
void cli_text_release(struct cli_text *text);

/* `text` escaped, kept until the program ends. */
const char *cli_escaped(const char *text);

/* Columns that UTF-8 text takes on a terminal. */
size_t cli_width(const char *text, size_t size);
/* The longest prefix, in bytes, that takes at most `width` columns. */
size_t cli_width_cut(const char *text, size_t size, size_t width);
/* Decodes one code point: its bytes, 0 at the end, or 1 with *out = -1 for a bad byte. */
size_t cli_utf8_next(const char *text, size_t size, int32_t *out);

/* Formatting into a caller's buffer, which is returned. */
struct cli_small {
    char text[80];
};
const char *cli_count(uint64_t value, struct cli_small *out); /* 336,776 */
const char *cli_size(uint64_t bytes, struct cli_small *out);  /* 4.1 MiB */
const char *cli_time(int64_t time_us, struct cli_small *out); /* 2013-01-01 05:15:00 UTC */
const char *cli_time_iso(int64_t time_us, struct cli_small *out); /* …T05:15:00.000000Z */
const char *cli_seconds(double seconds, struct cli_small *out);   /* 0.42 s */
/* 12 digits of a commit id, as long as they are needed to be told apart by people. */
const char *cli_short_id(const struct armi_hash *commit, struct cli_small *out);
bool cli_hash_is_zero(const struct armi_hash *hash);

/* Colour, only on a terminal and where NO_COLOR is unset; "" elsewhere. */
enum cli_style { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_RED, CLI_GREEN, CLI_YELLOW };
const char *cli_style_on(enum cli_style style);
const char *cli_style_off(enum cli_style style);
/* Columns of the terminal on standard output, $COLUMNS, or 0 = no limit. */
size_t cli_terminal_width(void);

#endif
