/*
 * What of the rows that come in is there already?
 *
 * The plan cuts the rows of a rowset into ranges and gives each, where it can, a *twin*: the
 * range of the parent version that it takes the place of. Columns with equal fingerprints
 * are the twin's; only the others are encoded.
 *
 *     ALIGNED   the parent's own boundaries, from where the last twin ended. A range belongs
 *               there if its anchor columns say so, or if the ranges around it do (then
 *               its anchors were edited in place).
 *     BACKWARD  once, when the whole input is at hand and ALIGNED stopped: the same from the
 *               end, so that one insert or delete anywhere costs what it touches.
 *     CUT       content-defined boundaries over what is between; a range whose anchors equal
 *               those of a range of the parent that is still to come gets it as a twin, and
 *               ALIGNED goes on behind it.
 *
 * No range of more than one row is larger than range_bytes: the parent's boundaries are not taken
 * where rows have grown beyond that, and a range that CUT makes is cut again (docs/format/range.md).
 *
 * Input may come in several rowsets (segments): then each call plans what it can be sure of
 * and the rest is planned with the next.
 */
#ifndef ARMI_TABLE_PLAN_H
#define ARMI_TABLE_PLAN_H

#include "arrow/stats.h"
#include "base/map.h"
#include "base/pool.h"
#include "table/boundary.h"
#include "table/range.h"
#include "table/rowset.h"
#include "table/table_version.h"

#define ARMI_TWIN_NONE SIZE_MAX

struct armi_planned {
    uint64_t row, rows; /* in the rowset */
    size_t twin;        /* index among the parent's ranges, or ARMI_TWIN_NONE */
    uint64_t bytes;     /* of Arrow */
    /* By column of the schema, in one block of memory that `stats` begins: */
    struct armi_stats *stats; /* rows = 0: not computed, since the twin's hold */
    uint8_t *fingerprints;    /* ARMI_FINGERPRINT_SIZE each */
    bool *dirty;              /* to be encoded */
    size_t dirty_count;
};

struct armi_plan_options {
    const struct armi_field *schema; /* of the new version */
    const bool *wants_stats;         /* by column */
    const int32_t *anchors;          /* column ids; 0 of them for a table still small */
    size_t anchor_count;
    uint64_t target_rows; /* 0: do not cut (a table still small) */
    uint64_t range_bytes; /* Arrow bytes of a range of more than one row, at most */
    const struct armi_range *parents;
    size_t parent_count;
    struct armi_parallel parallel;
};

struct armi_plan {
    struct armi_plan_options options;
    size_t next_parent; /* parents before it are used up */
    uint64_t *hashes;   /* of the last rows of the segment before: primes the gear */
    size_t hash_count;
    struct armi_map twins;       /* (rows, anchors) -> first parent that has them */
    size_t *twin_next;           /* by parent: the next with the same */
    struct armi_planned *ranges; /* of the current segment, in row order */
    size_t count, capacity;
};

/* Borrows what `options` points to. */
enum armi_status armi_plan_init(struct armi_plan *plan,
                                const struct armi_plan_options *options,
                                struct armi_error *err);
void armi_plan_release(struct armi_plan *plan);

/*
 * Plans rows from the front of `set`. plan->ranges then describe rows [0, *planned); with
 * `is_last` that is all of them. `is_only`: the set is the whole input. The caller drops the
 * planned rows before the next call.
 */
enum armi_status armi_plan_segment(struct armi_plan *plan, const struct armi_rowset *set,
                                   bool is_only, bool is_last, uint64_t *planned,
                                   struct armi_error *err);

/*
 * One or two columns that tell rows apart best, from a sample at fixed places: most distinct
 * values first, columns that are no floats before floats, then by id. Used once for a table.
 */
enum armi_status armi_plan_choose_anchors(const struct armi_rowset *set,
                                          int32_t anchors[ARMI_ANCHORS_MAX], size_t *count,
                                          struct armi_error *err);

#endif
