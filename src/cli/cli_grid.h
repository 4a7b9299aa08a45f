/*
 * Aligned columns. Cells are added row by row, each is escaped; a grid may be printed in
 * pieces, so that long streams take bounded memory: the header is printed once, and columns
 * only grow.
 */
#ifndef ARMI_CLI_CLI_GRID_H
#define ARMI_CLI_CLI_GRID_H

#include "cli_text.h"

enum cli_align { CLI_LEFT, CLI_RIGHT };

struct cli_grid_column {
    const char *title;    /* escaped, kept */
    const char *subtitle; /* a second, dim header row; NULL where no column has one */
    enum cli_align align;
    size_t width;
    bool hidden; /* left out because the line is too narrow */
};

struct cli_grid {
    struct cli_grid_column *columns;
    size_t column_count, column_capacity;
    size_t *ends; /* of each cell in `text` */
    unsigned char *styles;
    size_t cell_count, end_capacity, style_capacity;
    struct cli_text text;
    size_t cell_width_max; /* longer cells are cut, with an ellipsis; 0 = no limit */
    size_t line_width_max; /* columns in the middle are left out; 0 = no limit */
    size_t indent;         /* spaces before every line */
    bool no_header;
    bool header_printed;
    bool has_gap; /* some column is hidden */
};

void cli_grid_column(struct cli_grid *grid, const char *title, const char *subtitle,
                     enum cli_align align);
void cli_grid_cell(struct cli_grid *grid, enum cli_style style, const char *text);
void cli_grid_cell_sized(struct cli_grid *grid, enum cli_style style, const char *text,
                         size_t size);
/* Prints what was added since the last time. */
void cli_grid_print(struct cli_grid *grid, FILE *out);
size_t cli_grid_hidden(const struct cli_grid *grid);
void cli_grid_release(struct cli_grid *grid);

#endif
