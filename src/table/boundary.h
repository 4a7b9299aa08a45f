/*
 * Where a range ends: content-defined, so that an insert or a delete moves only the
 * boundaries near it.
 *
 * A gear hash rolls over the hashes of the anchor columns' rows: it depends on the last 32
 * rows and on nothing else. A range ends behind a row whose mixed gear value is below a
 * threshold, once it has min = target / 2 rows; if none comes until max = 2 * target, it
 * ends behind the row with the smallest value since min ("regression": the next best cut
 * that both sides of an edit will choose alike). Frozen: the cuts are part of what versions
 * share. docs/format/range.md, section "Boundaries".
 */
#ifndef ARMI_TABLE_BOUNDARY_H
#define ARMI_TABLE_BOUNDARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows that the gear hash sees. */
#define ARMI_BOUNDARY_WINDOW 32

struct armi_boundary {
    uint64_t target; /* rows, >= 1 */
    uint64_t gear;   /* over the last rows */
    uint64_t rows;   /* in the range so far */
    uint64_t best;   /* smallest mixed value since min */
    uint64_t best_rows;
};

/* `target` rows on average; clamped to 1 … 512 Ki. */
void armi_boundary_init(struct armi_boundary *boundary, uint64_t target);

/* Begins a range in mid-table: the gear is primed with the hashes of up to
 * ARMI_BOUNDARY_WINDOW rows before it (`count` of them, in order). */
void armi_boundary_begin(struct armi_boundary *boundary, const uint64_t *before,
                         size_t count);

/*
 * Feeds row hashes. Returns the rows of the range that was completed, counted from where it
 * began, or 0 if all `count` were taken and none was. *used: how many of `hashes` were
 * looked at. After a cut the caller calls armi_boundary_begin at the cut's place, which may
 * lie before the last row that was looked at.
 */
uint64_t armi_boundary_feed(struct armi_boundary *boundary, const uint64_t *hashes,
                            size_t count, size_t *used);

/*
 * Rows in a range, on average, for a table of that many rows and Arrow bytes: bytes / 256
 * clamped to 1 … 16 MiB, in rows clamped to 1 … 512 Ki.
 */
uint64_t armi_boundary_target(uint64_t rows, uint64_t bytes);

#endif
