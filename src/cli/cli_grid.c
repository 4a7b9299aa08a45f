/*
 * Aligned columns on a terminal or in a file.
 */
#include "cli_grid.h"

#include <string.h>

#include "cli_memory.h"

#define GAP      2 /* spaces between columns */
#define ELLIPSIS "\xe2\x80\xa6"

static size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

void cli_grid_column(struct cli_grid *grid, const char *title, const char *subtitle,
                     enum cli_align align)
{
    grid->columns = cli_grow(grid->columns, &grid->column_capacity, grid->column_count + 1,
                             sizeof *grid->columns);
    struct cli_grid_column *column = &grid->columns[grid->column_count++];
    *column = (struct cli_grid_column){.title = cli_escaped(title), .align = align};
    column->width = cli_width(column->title, strlen(column->title));
    if (subtitle != NULL) {
        column->subtitle = cli_escaped(subtitle);
        size_t width = cli_width(column->subtitle, strlen(column->subtitle));
        if (width > column->width)
            column->width = width;
    }
    if (grid->cell_width_max > 0)
        column->width = size_min(column->width, grid->cell_width_max);
}

void cli_grid_cell_sized(struct cli_grid *grid, enum cli_style style, const char *text,
                         size_t size)
{
    size_t from = grid->text.size;
    cli_text_add_escaped(&grid->text, text, size);
    size_t width = cli_width(grid->text.data + from, grid->text.size - from);
    if (grid->cell_width_max > 0 && width > grid->cell_width_max) {
        size_t cut = cli_width_cut(grid->text.data + from, grid->text.size - from,
                                   grid->cell_width_max - 1);
        grid->text.size = from + cut;
        cli_text_add(&grid->text, ELLIPSIS, strlen(ELLIPSIS));
        width = grid->cell_width_max;
    }
    grid->ends =
        cli_grow(grid->ends, &grid->end_capacity, grid->cell_count + 1, sizeof *grid->ends);
    grid->styles = cli_grow(grid->styles, &grid->style_capacity, grid->cell_count + 1,
                            sizeof *grid->styles);
    grid->ends[grid->cell_count] = grid->text.size;
    grid->styles[grid->cell_count] = (unsigned char)style;
    struct cli_grid_column *column = &grid->columns[grid->cell_count % grid->column_count];
    if (width > column->width)
        column->width = width;
    grid->cell_count++;
}

void cli_grid_cell(struct cli_grid *grid, enum cli_style style, const char *text)
{
    cli_grid_cell_sized(grid, style, text, strlen(text));
}

/* Keeps columns from both ends, the left one first, as long as the line has room. */
static void fit_line(struct cli_grid *grid)
{
    size_t total = 0, count = grid->column_count;
    for (size_t i = 0; i < count; i++)
        total += grid->columns[i].width + GAP;
    if (grid->line_width_max == 0 || total <= grid->line_width_max + GAP || count < 3)
        return;
    size_t used = 1 + GAP, left = 0, right = count;
    while (left < right) {
        bool from_left = left <= count - right;
        size_t next = from_left ? left : right - 1;
        if (used + grid->columns[next].width > grid->line_width_max && left > 0)
            break;
        used += grid->columns[next].width + GAP;
        left += from_left;
        right -= !from_left;
    }
    for (size_t i = left; i < right; i++)
        grid->columns[i].hidden = true;
    grid->has_gap = left < right;
}

/* A line on its way out. Spaces are held back until something follows them. */
struct line {
    const struct cli_grid *grid;
    FILE *out;
    size_t spaces;
    size_t printed;
    bool gap_done;
};

static void line_put(struct line *line, const char *text, size_t size, const char *end,
                     enum cli_style style)
{
    if (size == 0)
        return;
    fprintf(line->out, "%*s%s%.*s%s%s", (int)line->spaces, "", cli_style_on(style),
            (int)size, text, end, cli_style_off(style));
    line->spaces = 0;
}

static void line_cell(struct line *line, const struct cli_grid_column *column,
                      const char *text, size_t size, enum cli_style style)
{
    size_t width = cli_width(text, size);
    const char *end = "";
    if (width > column->width) { /* a title longer than cells may be */
        size = cli_width_cut(text, size, column->width - 1);
        width = cli_width(text, size) + 1;
        end = ELLIPSIS;
    }
    size_t pad = column->width - size_min(width, column->width);
    if (column->align == CLI_RIGHT)
        line->spaces += pad;
    line_put(line, text, size, end, style);
    if (column->align == CLI_LEFT)
        line->spaces += pad;
}

static void line_add(struct line *line, size_t index, const char *text, size_t size,
                     enum cli_style style)
{
    const struct cli_grid_column *column = &line->grid->columns[index];
    if (column->hidden && line->gap_done)
        return;
    if (line->printed++ > 0)
        line->spaces += GAP;
    if (column->hidden) {
        line->gap_done = true;
        line_put(line, ELLIPSIS, strlen(ELLIPSIS), "", CLI_DIM);
        return;
    }
    line_cell(line, column, text, size, style);
}

static void print_header(struct cli_grid *grid, FILE *out)
{
    bool has_subtitles = false;
    struct line titles = {grid, out, grid->indent, 0, false},
                subtitles = {grid, out, grid->indent, 0, false};
    for (size_t i = 0; i < grid->column_count; i++) {
        const char *title = grid->columns[i].title;
        line_add(&titles, i, title, strlen(title), CLI_BOLD);
        has_subtitles |= grid->columns[i].subtitle != NULL;
    }
    fputc('\n', out);
    for (size_t i = 0; has_subtitles && i < grid->column_count; i++) {
        const char *subtitle = grid->columns[i].subtitle;
        subtitle = subtitle != NULL ? subtitle : "";
        line_add(&subtitles, i, subtitle, strlen(subtitle), CLI_DIM);
    }
    if (has_subtitles)
        fputc('\n', out);
}

void cli_grid_print(struct cli_grid *grid, FILE *out)
{
    if (!grid->header_printed) {
        fit_line(grid);
        if (!grid->no_header)
            print_header(grid, out);
        grid->header_printed = true;
    }
    size_t from = 0;
    struct line line = {grid, out, grid->indent, 0, false};
    for (size_t i = 0; i < grid->cell_count; i++) {
        size_t index = i % grid->column_count;
        if (index == 0)
            line = (struct line){grid, out, grid->indent, 0, false};
        line_add(&line, index, grid->text.data + from, grid->ends[i] - from,
                 (enum cli_style)grid->styles[i]);
        from = grid->ends[i];
        if (index + 1 == grid->column_count)
            fputc('\n', out);
    }
    grid->cell_count = 0;
    grid->text.size = 0;
}

size_t cli_grid_hidden(const struct cli_grid *grid)
{
    size_t count = 0;
    for (size_t i = 0; i < grid->column_count; i++)
        count += grid->columns[i].hidden;
    return count;
}

void cli_grid_release(struct cli_grid *grid)
{
    cli_free(grid->columns);
    cli_free(grid->ends);
    cli_free(grid->styles);
    cli_text_release(&grid->text);
    *grid = (struct cli_grid){0};
}
