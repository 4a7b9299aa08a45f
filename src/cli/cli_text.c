/*
 * Text for people. Widths come from a small table of our own: the C library's depend on the
 * locale, and the program's output must not.
 */
#include "cli_text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli_memory.h"

/* ---- buffers ---- */

void cli_text_add(struct cli_text *text, const char *data, size_t size)
{
    text->data = cli_grow(text->data, &text->capacity, text->size + size + 1, 1);
    if (size > 0)
        memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void cli_text_addf(struct cli_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0)
        return;
    text->data = cli_grow(text->data, &text->capacity, text->size + (size_t)size + 1, 1);
    va_start(args, format);
    vsnprintf(text->data + text->size, (size_t)size + 1, format, args);
    va_end(args);
    text->size += (size_t)size;
}

void cli_text_release(struct cli_text *text)
{
    cli_free(text->data);
    *text = (struct cli_text){NULL, 0, 0};
}

/* ---- UTF-8 ---- */

size_t cli_utf8_next(const char *text, size_t size, int32_t *out)
{
    static const int32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (size == 0)
        return 0;
    const unsigned char *byte = (const unsigned char *)text;
    *out = byte[0];
    if (byte[0] < 0x80)
        return 1;
    size_t length = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
    *out = -1;
    if (byte[0] < 0xc2 || byte[0] > 0xf4 || length > size)
        return 1;
    int32_t code = byte[0] & (0x7f >> length);
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xc0) != 0x80)
            return 1;
        code = code << 6 | (byte[i] & 0x3f);
    }
    if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 1;
    *out = code;
    return length;
}

struct span {
    int32_t first, last;
};

static bool in_spans(int32_t code, const struct span *spans, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= spans[i].first && code <= spans[i].last)
            return true;
    return false;
}

static size_t code_width(int32_t code)
{
    static const struct span none[] = {
        {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd},   {0x0610, 0x061a},
        {0x064b, 0x065f}, {0x0900, 0x0902}, {0x093c, 0x093c},   {0x0941, 0x0948},
        {0x094d, 0x094d}, {0x0e31, 0x0e31}, {0x0e34, 0x0e3a},   {0x0e47, 0x0e4e},
        {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200d},   {0x20d0, 0x20ff},
        {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
    };
    static const struct span wide[] = {
        {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},
        {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},
        {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
        {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
    };
    if (code < 0x300)
        return 1;
    if (in_spans(code, none, sizeof none / sizeof none[0]))
        return 0;
    return in_spans(code, wide, sizeof wide / sizeof wide[0]) ? 2 : 1;
}

size_t cli_width_cut(const char *text, size_t size, size_t width)
{
    size_t at = 0, used = 0;
    while (at < size) {
        int32_t code;
        size_t step = cli_utf8_next(text + at, size - at, &code);
        used += code_width(code);
        if (used > width)
            break;
        at += step;
    }
    return at;
}

size_t cli_width(const char *text, size_t size)
{
    size_t width = 0;
    for (size_t at = 0; at < size;) {
        int32_t code;
        at += cli_utf8_next(text + at, size - at, &code);
        width += code_width(code);
    }
    return width;
}

/* ---- escaping ---- */

static bool is_harmful(int32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c ||
           code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

void cli_text_add_escaped(struct cli_text *text, const char *data, size_t size)
{
    cli_text_add(text, "", 0);
    for (size_t at = 0; at < size;) {
        int32_t code;
        size_t step = cli_utf8_next(data + at, size - at, &code);
        if (code < 0)
            cli_text_addf(text, "\\x%02x", (unsigned)(unsigned char)data[at]);
        else if (code == '\n' || code == '\t' || code == '\r')
            cli_text_addf(text, "\\%c", code == '\n' ? 'n' : code == '\t' ? 't' : 'r');
        else if (is_harmful(code))
            cli_text_addf(text, code < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)code);
        else
            cli_text_add(text, data + at, step);
        at += step;
    }
}

const char *cli_escaped(const char *plain)
{
    struct cli_text text = {NULL, 0, 0};
    cli_text_add_escaped(&text, plain, strlen(plain));
    const char *copy = cli_keep_text(text.data, text.size);
    cli_text_release(&text);
    return copy;
}

/* ---- numbers ---- */

const char *cli_count(uint64_t value, struct cli_small *out)
{
    char digits[24];
    size_t size =
        (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    size_t at = 0;
    for (size_t i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            out->text[at++] = ',';
        out->text[at++] = digits[i];
    }
    out->text[at] = '\0';
    return out->text;
}

const char *cli_size(uint64_t bytes, struct cli_small *out)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;
    /* What would be printed as 1024 of a unit is 1.0 of the next. */
    while (value >= 1023.95 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1024;
        unit++;
    }
    snprintf(out->text, sizeof out->text, unit == 0 ? "%.0f %s" : "%.1f %s", value,
             units[unit]);
    return out->text;
}

const char *cli_seconds(double seconds, struct cli_small *out)
{
    if (seconds < 0.0995)
        snprintf(out->text, sizeof out->text, "%.1f ms", seconds * 1e3);
    else
        snprintf(out->text, sizeof out->text, seconds < 9.995 ? "%.2f s" : "%.1f s",
                 seconds);
    return out->text;
}

const char *cli_short_id(const struct armi_hash *commit, struct cli_small *out)
{
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(commit, hex);
    snprintf(out->text, sizeof out->text, "%.12s", hex);
    return out->text;
}

bool cli_hash_is_zero(const struct armi_hash *hash)
{
    static const struct armi_hash zero;
    return memcmp(hash, &zero, sizeof zero) == 0;
}

/* ---- times ---- */

struct civil {
    long long year;
    int month, day, hour, minute, second;
    long micro;
};

/* Days to a date of the proleptic Gregorian calendar, by eras of 400 years from March. */
static struct civil civil_from(int64_t time_us)
{
    struct civil c;
    int64_t seconds = time_us / 1000000, micro = time_us % 1000000;
    if (micro < 0) {
        micro += 1000000;
        seconds--;
    }
    int64_t days = seconds / 86400, second = seconds % 86400;
    if (second < 0) {
        second += 86400;
        days--;
    }
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    c.day = (int)(of_year - (153 * month + 2) / 5 + 1);
    c.month = (int)(month < 10 ? month + 3 : month - 9);
    c.year = year + era * 400 + (c.month <= 2);
    c.hour = (int)(second / 3600);
    c.minute = (int)(second / 60 % 60);
    c.second = (int)(second % 60);
    c.micro = (long)micro;
    return c;
}

const char *cli_time(int64_t time_us, struct cli_small *out)
{
    struct civil c = civil_from(time_us);
    snprintf(out->text, sizeof out->text, "%04lld-%02d-%02d %02d:%02d:%02d UTC", c.year,
             c.month, c.day, c.hour, c.minute, c.second);
    return out->text;
}

const char *cli_time_iso(int64_t time_us, struct cli_small *out)
{
    struct civil c = civil_from(time_us);
    snprintf(out->text, sizeof out->text, "%04lld-%02d-%02dT%02d:%02d:%02d.%06ldZ", c.year,
             c.month, c.day, c.hour, c.minute, c.second, c.micro);
    return out->text;
}

/* ---- the terminal ---- */

static bool has_colour(void)
{
    static int known = -1;
    if (known < 0) {
        const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
        known = isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0') &&
                (term == NULL || strcmp(term, "dumb") != 0);
    }
    return known;
}

const char *cli_style_on(enum cli_style style)
{
    static const char *const codes[] = {"",         "\033[1m",  "\033[2m",
                                        "\033[31m", "\033[32m", "\033[33m"};
    return has_colour() ? codes[style] : "";
}

const char *cli_style_off(enum cli_style style)
{
    return style != CLI_PLAIN && has_colour() ? "\033[0m" : "";
}

size_t cli_terminal_width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    if (columns != NULL) {
        long wanted = strtol(columns, NULL, 10);
        if (wanted >= 20 && wanted <= 10000)
            return (size_t)wanted;
    }
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
        size.ws_col > 0)
        return size.ws_col;
    return 0;
}
