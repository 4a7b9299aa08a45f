#include "table/plan.h"

#include <string.h>

#include "arrow/row_hash.h"
#include "base/alloc.h"
#include "base/bits.h"

/* Ranges whose fingerprints are computed together: enough to keep the cores busy, few enough
 * that little is wasted when the first of them does not fit. */
#define BLOCK_RANGES 32

enum armi_status armi_plan_init(struct armi_plan *plan,
                                const struct armi_plan_options *options,
                                struct armi_error *err)
{
    *plan = (struct armi_plan){.options = *options};
    plan->hashes = armi_alloc_array(ARMI_BOUNDARY_WINDOW, sizeof *plan->hashes);
    return plan->hashes != NULL ? ARMI_OK : armi_error_no_memory(err);
}

static void planned_clear(struct armi_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        armi_free(plan->ranges[i].stats);
    plan->count = 0;
}

void armi_plan_release(struct armi_plan *plan)
{
    planned_clear(plan);
    armi_free(plan->ranges);
    armi_free(plan->hashes);
    armi_free(plan->twin_next);
    armi_map_release(&plan->twins);
    *plan = (struct armi_plan){0};
}

/* ---- candidates and their fingerprints ---- */

static enum armi_status candidate_init(const struct armi_plan *plan, uint64_t row,
                                       uint64_t rows, size_t twin, struct armi_planned *out,
                                       struct armi_error *err)
{
    size_t columns = plan->options.schema->child_count;
    struct armi_stats *stats =
        armi_alloc_zero(columns + 1, sizeof *stats + ARMI_FINGERPRINT_SIZE + sizeof(bool));
    if (stats == NULL)
        return armi_error_no_memory(err);
    uint8_t *fingerprints = (uint8_t *)(stats + columns);
    *out = (struct armi_planned){
        .row = row,
        .rows = rows,
        .twin = twin,
        .stats = stats,
        .fingerprints = fingerprints,
        .dirty = (bool *)(fingerprints + columns * ARMI_FINGERPRINT_SIZE),
    };
    return ARMI_OK;
}

static const uint8_t *fingerprint_of(const struct armi_planned *range, size_t c)
{
    return range->fingerprints + c * ARMI_FINGERPRINT_SIZE;
}

static bool column_equal(const struct armi_plan *plan, const struct armi_planned *range,
                         const struct armi_range *twin, size_t c)
{
    const struct armi_range_column *column =
        armi_range_find(twin, plan->options.schema->children[c].id);
    return column != NULL && memcmp(column->fingerprint, fingerprint_of(range, c),
                                    ARMI_FINGERPRINT_SIZE) == 0;
}

struct fingerprint_job {
    const struct armi_plan *plan;
    const struct armi_rowset *set;
    struct armi_planned *ranges;
    size_t count;
    size_t columns;
    uint64_t *bytes; /* by (range, column) */
};

/* What the twin does not tell: the column is new, or differs. */
static void stats_compute(const struct armi_plan *plan, struct armi_planned *range,
                          size_t c, const struct armi_array *pieces, size_t count)
{
    bool is_twins = range->twin != ARMI_TWIN_NONE &&
                    column_equal(plan, range, &plan->options.parents[range->twin], c);
    if (!plan->options.wants_stats[c] || is_twins)
        return;
    armi_stats_init(&range->stats[c]);
    for (size_t i = 0; i < count; i++)
        armi_stats_update(&range->stats[c], &pieces[i], 0, pieces[i].length);
}

/* One column of one range: all passes over it while it is in cache. */
static enum armi_status fingerprint_task(void *ctx, size_t index, unsigned worker,
                                         struct armi_error *err)
{
    struct fingerprint_job *job = ctx;
    (void)worker;
    size_t r = index / job->columns, c = index % job->columns;
    struct armi_planned *range = &job->ranges[r];
    size_t count = armi_rowset_piece_count(job->set, range->row, range->rows);
    struct armi_array fixed[8];
    struct armi_array *pieces = fixed;
    if (count > 8)
        pieces = armi_alloc_array(count, sizeof *pieces);
    if (pieces == NULL)
        return armi_error_no_memory(err);
    armi_rowset_pieces(job->set, c, range->row, range->rows, pieces);
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += (uint64_t)armi_array_rows_size(&pieces[i]);
    job->bytes[index] = bytes;
    enum armi_status st =
        armi_fingerprint_pieces(&job->set->schema->children[c], pieces, count,
                                range->fingerprints + c * ARMI_FINGERPRINT_SIZE, err);
    if (st == ARMI_OK)
        stats_compute(job->plan, range, c, pieces, count);
    if (pieces != fixed)
        armi_free(pieces);
    return st;
}

static enum armi_status fingerprint_ranges(const struct armi_plan *plan,
                                           const struct armi_rowset *set,
                                           struct armi_planned *ranges, size_t count,
                                           struct armi_error *err)
{
    size_t columns = plan->options.schema->child_count;
    struct fingerprint_job job = {plan, set, ranges, count, columns, NULL};
    job.bytes = armi_alloc_zero(count * columns, sizeof *job.bytes);
    if (job.bytes == NULL)
        return armi_error_no_memory(err);
    enum armi_status st = armi_pool_run(&plan->options.parallel, count * columns,
                                        fingerprint_task, &job, err);
    for (size_t r = 0; r < count; r++)
        for (size_t c = 0; c < columns; c++)
            ranges[r].bytes += job.bytes[r * columns + c];
    armi_free(job.bytes);
    return st;
}

/* Whether the anchors are the twin's; with no anchors chosen, whether most columns are. */
static bool anchors_equal(const struct armi_plan *plan, const struct armi_planned *range,
                          const struct armi_range *twin)
{
    const struct armi_field *schema = plan->options.schema;
    if (plan->options.anchor_count == 0) {
        size_t equal = 0;
        for (size_t c = 0; c < schema->child_count; c++)
            equal += column_equal(plan, range, twin, c);
        return 2 * equal >= schema->child_count;
    }
    for (size_t i = 0; i < plan->options.anchor_count; i++) {
        int64_t c = armi_field_find_id(schema, plan->options.anchors[i]);
        if (c < 0 || !column_equal(plan, range, twin, (size_t)c))
            return false;
    }
    return true;
}

/* ---- taking candidates ---- */

/*
 * What is dirty: the columns that differ from the twin. A range may lie in eight chunks; if
 * the new one would be the ninth, the columns of the smallest old one move into it.
 */
static void mark_dirty(const struct armi_plan *plan, struct armi_planned *range)
{
    const struct armi_field *schema = plan->options.schema;
    const struct armi_range *twin =
        range->twin != ARMI_TWIN_NONE ? &plan->options.parents[range->twin] : NULL;
    range->dirty_count = 0;
    for (size_t c = 0; c < schema->child_count; c++) {
        range->dirty[c] = twin == NULL || !column_equal(plan, range, twin, c);
        range->dirty_count += range->dirty[c];
    }
    if (twin == NULL || range->dirty_count == 0)
        return;
    size_t serving = 0, smallest = SIZE_MAX;
    for (size_t k = 0; k < twin->chunk_count; k++) {
        size_t kept = 0;
        for (size_t i = 0; i < twin->chunks[k].column_count; i++) {
            int64_t c = armi_field_find_id(schema, twin->chunks[k].columns[i]);
            kept += c >= 0 && !range->dirty[c];
        }
        if (kept == 0)
            continue;
        serving++;
        if (smallest == SIZE_MAX ||
            twin->chunks[k].column_count < twin->chunks[smallest].column_count)
            smallest = k;
    }
    if (serving < ARMI_RANGE_CHUNKS_MAX)
        return;
    for (size_t i = 0; i < twin->chunks[smallest].column_count; i++) {
        int64_t c = armi_field_find_id(schema, twin->chunks[smallest].columns[i]);
        if (c >= 0 && !range->dirty[c]) {
            range->dirty[c] = true;
            range->dirty_count++;
        }
    }
}

static enum armi_status planned_add(struct armi_plan *plan, struct armi_planned *range,
                                    struct armi_error *err)
{
    if (plan->count == plan->capacity) {
        size_t capacity = plan->capacity != 0 ? plan->capacity * 2 : 64;
        void *ranges = armi_realloc(plan->ranges, plan->count * sizeof *plan->ranges,
                                    capacity * sizeof *plan->ranges);
        if (ranges == NULL)
            return armi_error_no_memory(err);
        plan->ranges = ranges;
        plan->capacity = capacity;
    }
    mark_dirty(plan, range);
    plan->ranges[plan->count++] = *range;
    range->stats = NULL; /* moved */
    return ARMI_OK;
}

static void candidates_release(struct armi_planned *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        armi_free(ranges[i].stats);
}

/* ---- ALIGNED ---- */

/* The parent's next ranges over the rows from `row` on, as many as fit before `end`. */
static enum armi_status block_forward(const struct armi_plan *plan, uint64_t row,
                                      uint64_t end, struct armi_planned *block,
                                      size_t *count, struct armi_error *err)
{
    *count = 0;
    for (size_t p = plan->next_parent; p < plan->options.parent_count; p++) {
        uint64_t rows = plan->options.parents[p].live;
        if (*count == BLOCK_RANGES || rows > end - row)
            break;
        ARMI_TRY(candidate_init(plan, row, rows, p, &block[*count], err));
        ++*count;
        row += rows;
    }
    return ARMI_OK;
}

/*
 * How many of the block belong where they are. One with other anchors does if a later one of
 * the block is aligned (an edit in place), or if the input has as many rows as the parent
 * and at least half of the columns agree.
 */
static size_t block_aligned(const struct armi_plan *plan, const struct armi_planned *block,
                            size_t count, bool same_rows)
{
    size_t good = 0;
    for (size_t i = 0; i < count; i++) {
        const struct armi_range *twin = &plan->options.parents[block[i].twin];
        size_t equal = 0, columns = plan->options.schema->child_count;
        for (size_t c = 0; c < columns; c++)
            equal += column_equal(plan, &block[i], twin, c);
        /* Content that is there already stays as it is. */
        if (equal != columns && block[i].rows > 1 &&
            block[i].bytes > plan->options.range_bytes)
            break;
        if (anchors_equal(plan, &block[i], twin) || (same_rows && 2 * equal >= columns))
            good = i + 1;
    }
    return good;
}

/* Takes twins from *row on while they fit; *row moves on. */
static enum armi_status align_forward(struct armi_plan *plan, const struct armi_rowset *set,
                                      uint64_t end, bool same_rows, uint64_t *row,
                                      struct armi_error *err)
{
    for (;;) {
        struct armi_planned block[BLOCK_RANGES];
        size_t count = 0, good = 0, taken = 0;
        enum armi_status st = block_forward(plan, *row, end, block, &count, err);
        if (st == ARMI_OK && count != 0)
            st = fingerprint_ranges(plan, set, block, count, err);
        if (st == ARMI_OK)
            good = block_aligned(plan, block, count, same_rows);
        for (; st == ARMI_OK && taken < good; taken++) {
            *row += block[taken].rows;
            st = planned_add(plan, &block[taken], err);
            plan->next_parent++;
        }
        candidates_release(block, count);
        if (st != ARMI_OK || good < count || count == 0)
            return st;
    }
}

/* ---- BACKWARD ---- */

/*
 * Twins from the end of the input and of the parent, down to `row` and next_parent. They are
 * collected in `tail`, last range first, and given their place when the middle is planned.
 */
static enum armi_status align_backward(struct armi_plan *plan,
                                       const struct armi_rowset *set, uint64_t row,
                                       struct armi_planned **tail, size_t *tail_count,
                                       struct armi_error *err)
{
    size_t room = plan->options.parent_count - plan->next_parent;
    uint64_t end = set->rows;
    *tail_count = 0;
    *tail = armi_alloc_array(room, sizeof **tail);
    if (*tail == NULL)
        return armi_error_no_memory(err);
    for (;;) {
        size_t before = *tail_count, count = 0;
        uint64_t at = end;
        for (; count < BLOCK_RANGES && before + count < room; count++) {
            size_t p = plan->options.parent_count - 1 - before - count;
            uint64_t rows = plan->options.parents[p].live;
            if (rows > at - row)
                break;
            at -= rows;
            ARMI_TRY(candidate_init(plan, at, rows, p, &(*tail)[before + count], err));
            *tail_count = before + count + 1;
        }
        struct armi_planned *block = *tail + before;
        if (count != 0)
            ARMI_TRY(fingerprint_ranges(plan, set, block, count, err));
        size_t good = block_aligned(plan, block, count, false);
        candidates_release(block + good, count - good);
        *tail_count = before + good;
        if (good < count || count == 0)
            return ARMI_OK;
        end = at;
    }
}

/* ---- CUT ---- */

static enum armi_status rows_hash(const struct armi_plan *plan,
                                  const struct armi_rowset *set, uint64_t from,
                                  uint64_t count, uint64_t *out, struct armi_error *err)
{
    size_t pieces = armi_rowset_piece_count(set, from, count);
    size_t anchors = plan->options.anchor_count;
    struct armi_array *views = armi_alloc_array(pieces * anchors, sizeof *views);
    if (views == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < anchors; i++) {
        int64_t c = armi_field_find_id(plan->options.schema, plan->options.anchors[i]);
        armi_rowset_pieces(set, (size_t)c, from, count, views + i * pieces);
    }
    enum armi_status st = ARMI_OK;
    for (size_t p = 0; p < pieces && st == ARMI_OK; p++) {
        struct armi_array columns[2];
        for (size_t i = 0; i < anchors; i++)
            columns[i] = views[i * pieces + p];
        st = armi_row_hash(columns, anchors, 0, columns[0].length, out, err);
        out += columns[0].length;
    }
    armi_free(views);
    return st;
}

/* The hashes of up to 32 rows before `row`, into `out`; how many. */
static enum armi_status hashes_before(const struct armi_plan *plan,
                                      const struct armi_rowset *set, uint64_t row,
                                      uint64_t *out, size_t *count, struct armi_error *err)
{
    uint64_t here = row < ARMI_BOUNDARY_WINDOW ? row : ARMI_BOUNDARY_WINDOW;
    size_t old = ARMI_BOUNDARY_WINDOW - (size_t)here;
    if (old > plan->hash_count)
        old = plan->hash_count;
    if (old != 0)
        memcpy(out, plan->hashes + plan->hash_count - old, old * sizeof *out);
    *count = old + (size_t)here;
    return here != 0 ? rows_hash(plan, set, row - here, here, out + old, err) : ARMI_OK;
}

/* Where the range that begins at `row` ends, before `end`; 0 = not before `end`. */
static enum armi_status boundary_find(const struct armi_plan *plan,
                                      const struct armi_rowset *set, uint64_t row,
                                      uint64_t end, uint64_t target, uint64_t *rows,
                                      struct armi_error *err)
{
    *rows = 0;
    if (target == 0 || plan->options.anchor_count == 0)
        return ARMI_OK; /* small, or of nothing but nulls */
    struct armi_boundary boundary;
    uint64_t before[ARMI_BOUNDARY_WINDOW], hashes[1024];
    size_t count, used;
    ARMI_TRY(hashes_before(plan, set, row, before, &count, err));
    armi_boundary_init(&boundary, target);
    armi_boundary_begin(&boundary, before, count);
    for (uint64_t at = row; at < end && *rows == 0; at += used) {
        uint64_t n = end - at < 1024 ? end - at : 1024;
        ARMI_TRY(rows_hash(plan, set, at, n, hashes, err));
        *rows = armi_boundary_feed(&boundary, hashes, (size_t)n, &used);
    }
    return ARMI_OK;
}

static uint64_t rows_size(const struct armi_rowset *set, uint64_t row, uint64_t rows)
{
    uint64_t bytes = 0;
    for (uint64_t at = row, end = row + rows; at < end;) {
        uint64_t n = armi_rowset_piece_rows(set, at, end - at);
        for (size_t c = 0; c < set->schema->child_count; c++) {
            struct armi_array piece;
            armi_rowset_pieces(set, c, at, n, &piece);
            bytes += (uint64_t)armi_array_rows_size(&piece);
        }
        at += n;
    }
    return bytes;
}

/*
 * A range of `rows` rows that would be too large is cut shorter: to the longest front that is not,
 * and of that to where a boundary with half its rows as target falls. It follows from the rows
 * alone, wherever segments end.
 */
static enum armi_status cut_limit(const struct armi_plan *plan,
                                  const struct armi_rowset *set, uint64_t row,
                                  uint64_t *rows, struct armi_error *err)
{
    uint64_t limit = plan->options.range_bytes, fits = 1, over = *rows;
    if (*rows <= 1 || set->bytes <= limit || rows_size(set, row, *rows) <= limit)
        return ARMI_OK;
    while (over - fits > 1) {
        uint64_t mid = fits + (over - fits) / 2;
        if (rows_size(set, row, mid) <= limit)
            fits = mid;
        else
            over = mid;
    }
    *rows = fits;
    if (fits == 1 || plan->options.anchor_count == 0)
        return ARMI_OK;
    uint64_t cut = 0;
    ARMI_TRY(boundary_find(plan, set, row, row + fits, fits / 2, &cut, err));
    *rows = cut != 0 ? cut : fits;
    return ARMI_OK;
}

/* The range that begins at `row`; 0 = more rows may yet belong to it. */
static enum armi_status cut_find(const struct armi_plan *plan,
                                 const struct armi_rowset *set, uint64_t row, uint64_t end,
                                 bool is_last, uint64_t *rows, struct armi_error *err)
{
    uint64_t left = end - row;
    ARMI_TRY(boundary_find(plan, set, row, end, plan->options.target_rows, rows, err));
    if (*rows != 0)
        return cut_limit(plan, set, row, rows, err);
    *rows = left;
    ARMI_TRY(cut_limit(plan, set, row, rows, err));
    if (*rows == left && !is_last)
        *rows = 0;
    return ARMI_OK;
}

/* What twins have in common: the rows, and the anchors' fingerprints. */
static size_t twin_key(const struct armi_plan *plan, uint64_t rows,
                       const struct armi_range *twin, const struct armi_planned *range,
                       uint8_t out[8 + ARMI_ANCHORS_MAX * ARMI_FINGERPRINT_SIZE])
{
    size_t size = 8;
    armi_store64(out, rows);
    for (size_t i = 0; i < plan->options.anchor_count; i++) {
        int32_t id = plan->options.anchors[i];
        const uint8_t *fingerprint;
        if (twin != NULL) {
            const struct armi_range_column *column = armi_range_find(twin, id);
            if (column == NULL)
                return 0;
            fingerprint = column->fingerprint;
        } else {
            int64_t c = armi_field_find_id(plan->options.schema, id);
            fingerprint = fingerprint_of(range, (size_t)c);
        }
        memcpy(out + size, fingerprint, ARMI_FINGERPRINT_SIZE);
        size += ARMI_FINGERPRINT_SIZE;
    }
    return size;
}

/* The parents by twin key; those that share one are chained in order. */
static enum armi_status twins_index(struct armi_plan *plan, struct armi_error *err)
{
    size_t count = plan->options.parent_count;
    if (plan->twin_next != NULL || count == 0)
        return ARMI_OK;
    plan->twin_next = armi_alloc_array(count, sizeof *plan->twin_next);
    if (plan->twin_next == NULL)
        return armi_error_no_memory(err);
    for (size_t p = count; p-- > 0;) {
        uint8_t key[8 + ARMI_ANCHORS_MAX * ARMI_FINGERPRINT_SIZE];
        const struct armi_range *twin = &plan->options.parents[p];
        size_t size = twin_key(plan, twin->live, twin, NULL, key);
        uint64_t *first;
        bool is_new;
        plan->twin_next[p] = ARMI_TWIN_NONE;
        if (size == 0)
            continue;
        ARMI_TRY(armi_map_insert(&plan->twins, (struct armi_slice){key, size}, &first,
                                 &is_new, err));
        if (!is_new)
            plan->twin_next[p] = (size_t)*first;
        *first = p;
    }
    return ARMI_OK;
}

/* The first range of the parent from next_parent on whose rows and anchors are the candidate's. */
static size_t twin_find(const struct armi_plan *plan, const struct armi_planned *range,
                        size_t parents_end)
{
    uint8_t key[8 + ARMI_ANCHORS_MAX * ARMI_FINGERPRINT_SIZE];
    if (plan->options.anchor_count == 0)
        return ARMI_TWIN_NONE;
    size_t size = twin_key(plan, range->rows, NULL, range, key);
    uint64_t *first = armi_map_find(&plan->twins, (struct armi_slice){key, size});
    if (first == NULL)
        return ARMI_TWIN_NONE;
    /* Those that are behind us stay behind us: leave them out of later searches. */
    while (*first != ARMI_TWIN_NONE && *first < plan->next_parent)
        *first = plan->twin_next[*first];
    return *first < parents_end ? (size_t)*first : ARMI_TWIN_NONE;
}

/*
 * Cuts until a twin is found, the rows are used up, or (not `is_last`) the next cut is not
 * known yet. *row moves on; *stuck in the last case.
 */
static enum armi_status cut_rows(struct armi_plan *plan, const struct armi_rowset *set,
                                 uint64_t end, size_t parents_end, bool is_last,
                                 uint64_t *row, bool *stuck, struct armi_error *err)
{
    *stuck = false;
    ARMI_TRY(twins_index(plan, err));
    while (*row < end) {
        struct armi_planned block[BLOCK_RANGES];
        size_t count = 0, taken = 0;
        uint64_t at = *row;
        enum armi_status st = ARMI_OK;
        while (st == ARMI_OK && count < BLOCK_RANGES && at < end) {
            uint64_t rows = 0;
            st = cut_find(plan, set, at, end, is_last, &rows, err);
            if (st != ARMI_OK || rows == 0)
                break;
            st = candidate_init(plan, at, rows, ARMI_TWIN_NONE, &block[count], err);
            count += st == ARMI_OK;
            at += rows;
        }
        if (st == ARMI_OK && count != 0)
            st = fingerprint_ranges(plan, set, block, count, err);
        bool twinned = false;
        for (; st == ARMI_OK && taken < count && !twinned; taken++) {
            size_t twin = twin_find(plan, &block[taken], parents_end);
            block[taken].twin = twin;
            twinned = twin != ARMI_TWIN_NONE;
            if (twinned)
                plan->next_parent = twin + 1;
            *row += block[taken].rows;
            st = planned_add(plan, &block[taken], err);
        }
        candidates_release(block, count);
        if (st != ARMI_OK || twinned)
            return st;
        *stuck = count == 0;
        if (*stuck)
            return ARMI_OK;
    }
    return ARMI_OK;
}

/* ---- the segment ---- */

/* ALIGNED and CUT in turn over rows [*row, end), against the parents before parents_end. */
static enum armi_status plan_span(struct armi_plan *plan, const struct armi_rowset *set,
                                  uint64_t end, size_t parents_end, bool is_last,
                                  bool same_rows, uint64_t *row, struct armi_error *err)
{
    bool stuck = false;
    size_t all = plan->options.parent_count;
    plan->options.parent_count = parents_end;
    enum armi_status st = ARMI_OK;
    while (st == ARMI_OK && *row < end && !stuck) {
        st = align_forward(plan, set, end, same_rows, row, err);
        /* More rows may yet complete the parent's next range. */
        if (!is_last && plan->next_parent < parents_end &&
            plan->options.parents[plan->next_parent].live > end - *row)
            break;
        if (st == ARMI_OK && *row < end)
            st = cut_rows(plan, set, end, parents_end, is_last, row, &stuck, err);
    }
    plan->options.parent_count = all;
    return st;
}

/* The whole input at hand: front, back, then what is between. */
static enum armi_status plan_whole(struct armi_plan *plan, const struct armi_rowset *set,
                                   uint64_t *row, struct armi_error *err)
{
    uint64_t parent_rows = 0;
    for (size_t p = 0; p < plan->options.parent_count; p++)
        parent_rows += plan->options.parents[p].live;
    ARMI_TRY(align_forward(plan, set, set->rows, parent_rows == set->rows, row, err));
    struct armi_planned *tail = NULL;
    size_t tail_count = 0;
    enum armi_status st = ARMI_OK;
    if (*row < set->rows && plan->next_parent < plan->options.parent_count)
        st = align_backward(plan, set, *row, &tail, &tail_count, err);
    if (st == ARMI_OK) {
        uint64_t end = tail_count != 0 ? tail[tail_count - 1].row : set->rows;
        st = plan_span(plan, set, end, plan->options.parent_count - tail_count, true, false,
                       row, err);
    }
    size_t left = tail_count;
    for (; st == ARMI_OK && left > 0; left--) {
        *row += tail[left - 1].rows;
        st = planned_add(plan, &tail[left - 1], err);
    }
    candidates_release(tail, left);
    armi_free(tail);
    plan->next_parent = plan->options.parent_count;
    return st;
}

enum armi_status armi_plan_segment(struct armi_plan *plan, const struct armi_rowset *set,
                                   bool is_only, bool is_last, uint64_t *planned,
                                   struct armi_error *err)
{
    uint64_t row = 0;
    planned_clear(plan);
    if (is_only && is_last)
        ARMI_TRY(plan_whole(plan, set, &row, err));
    else
        ARMI_TRY(plan_span(plan, set, set->rows, plan->options.parent_count, is_last, false,
                           &row, err));
    if (!is_last && plan->options.anchor_count != 0) {
        uint64_t hashes[ARMI_BOUNDARY_WINDOW];
        size_t count;
        ARMI_TRY(hashes_before(plan, set, row, hashes, &count, err));
        memcpy(plan->hashes, hashes, count * sizeof *hashes);
        plan->hash_count = count;
    }
    *planned = row;
    return ARMI_OK;
}

/* ---- anchors ---- */

#define SAMPLE_WINDOWS 8
#define SAMPLE_ROWS    256

/* Distinct values among the sampled rows of a column. */
static enum armi_status sample_distinct(const struct armi_rowset *set, size_t c,
                                        size_t *distinct, struct armi_error *err)
{
    struct armi_map seen;
    enum armi_status st = ARMI_OK;
    armi_map_init(&seen, 0);
    for (size_t w = 0; w < SAMPLE_WINDOWS && st == ARMI_OK; w++) {
        uint64_t from = set->rows / SAMPLE_WINDOWS * w;
        uint64_t count = set->rows / SAMPLE_WINDOWS;
        if (count > SAMPLE_ROWS)
            count = SAMPLE_ROWS;
        for (uint64_t i = 0; i < count && st == ARMI_OK; i++) {
            struct armi_array piece;
            uint64_t hash, *value;
            armi_rowset_pieces(set, c, from + i, 1, &piece);
            st = armi_row_hash(&piece, 1, 0, 1, &hash, err);
            if (st == ARMI_OK)
                st = armi_map_insert(
                    &seen, (struct armi_slice){(const uint8_t *)&hash, sizeof hash}, &value,
                    NULL, err);
        }
    }
    *distinct = seen.count;
    armi_map_release(&seen);
    return st;
}

/* Nested columns hash slowly: they are anchors of tables only that have nothing else. */
static bool is_flat(const struct armi_field *field)
{
    return !armi_type_is_nested(field->type) && field->type != ARMI_TYPE_NULL;
}

enum armi_status armi_plan_choose_anchors(const struct armi_rowset *set,
                                          int32_t anchors[ARMI_ANCHORS_MAX], size_t *count,
                                          struct armi_error *err)
{
    size_t best[2] = {0, 0}, flat = 0;
    *count = 0;
    for (size_t c = 0; c < set->schema->child_count; c++)
        flat += is_flat(&set->schema->children[c]);
    for (size_t c = 0; c < set->schema->child_count; c++) {
        const struct armi_field *field = &set->schema->children[c];
        size_t distinct;
        if (flat != 0 ? !is_flat(field) : field->type == ARMI_TYPE_NULL)
            continue;
        ARMI_TRY(sample_distinct(set, c, &distinct, err));
        /* Twice the distinct values, and one more for what is no float: exact ties, and
         * only they, are decided against floats, which are what edits mostly change. */
        size_t score = 2 * distinct + !armi_type_is_float(field->type);
        size_t at = score > best[0] ? 0 : score > best[1] ? 1 : 2;
        if (at == 0) {
            best[1] = best[0];
            anchors[1] = anchors[0];
        }
        if (at < 2) {
            best[at] = score;
            anchors[at] = field->id;
            *count = *count < 2 ? *count + 1 : 2;
        }
    }
    /* One column that tells nine of ten rows apart is enough; a second would only be one
     * more whose edits move boundaries. */
    size_t sampled = set->rows < SAMPLE_WINDOWS * SAMPLE_ROWS
                         ? (size_t)set->rows
                         : SAMPLE_WINDOWS * SAMPLE_ROWS;
    if (*count == 2 && best[0] / 2 * 10 >= sampled * 9)
        *count = 1;
    return ARMI_OK;
}
