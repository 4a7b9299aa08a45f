#include "table/table_verify.h"

#include <string.h>

#include "arrow/cast.h"
#include "arrow/fingerprint.h"
#include "arrow/stats.h"
#include "base/alloc.h"
#include "table/column_reader.h"

enum armi_status armi_table_verify_totals(const struct armi_table_version *version,
                                          struct armi_error *err)
{
    struct armi_table_version copy;
    ARMI_TRY(armi_table_version_copy(version, &copy, err));
    enum armi_status st = armi_table_version_total(&copy, err);
    if (st == ARMI_OK && (copy.rows != version->rows || copy.ranges != version->ranges))
        st = armi_error_set(
            err, ARMI_CORRUPTION,
            "a table version counts %llu rows in %llu ranges, its parts have "
            "%llu in %llu",
            (unsigned long long)version->rows, (unsigned long long)version->ranges,
            (unsigned long long)copy.rows, (unsigned long long)copy.ranges);
    if (st == ARMI_OK && memcmp(copy.content, version->content, sizeof copy.content) != 0)
        st = armi_error_set(err, ARMI_CORRUPTION,
                            "a table version's content id is not that of its parts");
    armi_table_version_release(&copy);
    return st;
}

/* A value outside its bounds would be pruned away: a wrong answer. */
static enum armi_status stats_check(const struct armi_range *range, size_t ordinal,
                                    const struct armi_field *field,
                                    const struct armi_array *view, struct armi_error *err)
{
    const struct armi_tree_stats *kept =
        armi_tree_stats_find(range->stats, range->stats_count, field->id);
    struct armi_stats found;
    if (kept == NULL)
        return ARMI_OK;
    armi_stats_init(&found);
    armi_stats_update(&found, view, 0, view->length);
    bool low = (kept->flags & ARMI_TREE_HAS_MIN) && (found.flags & ARMI_STATS_MIN) &&
               armi_stats_compare(found.min, found.min_size, kept->min, kept->min_size) < 0;
    bool high =
        (kept->flags & ARMI_TREE_HAS_MAX) && (found.flags & ARMI_STATS_MAX) &&
        armi_stats_compare(found.max, found.max_size, kept->max, kept->max_size) > 0;
    bool nulls =
        (kept->flags & ARMI_TREE_NULLS_EXACT) && kept->null_count != found.null_count;
    if (!low && !high && !nulls)
        return ARMI_OK;
    return armi_error_set(
        err, ARMI_CORRUPTION,
        "range %zu: the statistics of column \"%s\" do not cover its values", ordinal,
        field->name);
}

struct deep_job {
    struct armi_column_reader *reader; /* into the version's types */
    struct armi_column_reader *stored; /* as the chunks tell */
    const struct armi_table_version *version;
    const struct armi_range *ranges;
};

static enum armi_status is_fingerprint(const struct armi_field *field,
                                       const struct ArrowArray *array,
                                       const uint8_t want[ARMI_FINGERPRINT_SIZE],
                                       enum armi_validation level, bool *same,
                                       struct armi_error *err)
{
    struct armi_array view = ARMI_ARRAY_INIT;
    uint8_t have[ARMI_FINGERPRINT_SIZE] = {0};
    enum armi_status st = armi_array_init(field, array, level, &view, err);
    if (st == ARMI_OK)
        st = armi_fingerprint_pieces(field, &view, 1, have, err);
    armi_array_release(&view);
    *same = st == ARMI_OK && memcmp(have, want, sizeof have) == 0;
    return st;
}

/* Decimals of a few digits may be told in any width: a tiny chunk knows the digits only. */
static enum armi_status is_decimal_of(const struct armi_field *stored,
                                      const struct ArrowArray *array,
                                      const uint8_t want[ARMI_FINGERPRINT_SIZE], bool *same,
                                      struct armi_error *err)
{
    static const int32_t digits[] = {9, 18, 38, 76}; /* that the types hold, at most */
    enum armi_status st = ARMI_OK;
    for (enum armi_type type = ARMI_TYPE_DECIMAL32;
         type <= ARMI_TYPE_DECIMAL256 && !*same && st == ARMI_OK; type++) {
        struct armi_field field = *stored; /* a decimal owns nothing but its name */
        struct armi_array view = ARMI_ARRAY_INIT;
        struct ArrowArray cast = {0};
        field.type = type;
        if (field.precision > digits[type - ARMI_TYPE_DECIMAL32] ||
            armi_cast_possible(stored, &field, NULL) == ARMI_CAST_NONE)
            continue;
        st = armi_array_init(stored, array, ARMI_VALIDATE_NONE, &view, err);
        if (st == ARMI_OK)
            st = armi_cast(&view, &field, NULL, &cast, err);
        if (st == ARMI_OK)
            st = is_fingerprint(&field, &cast, want, ARMI_VALIDATE_NONE, same, err);
        armi_arrow_array_release(&cast);
        armi_array_release(&view);
    }
    return st;
}

/* The rows were written before the column was widened: they are what they were then. */
static enum armi_status was_narrower(const struct deep_job *job,
                                     const struct armi_field *field,
                                     const struct armi_column_run *run,
                                     const uint8_t want[ARMI_FINGERPRINT_SIZE], bool *same,
                                     struct armi_error *err)
{
    struct armi_field stored = ARMI_FIELD_INIT;
    struct ArrowArray array = {0};
    *same = false;
    ARMI_TRY(armi_column_reader_stored(job->stored, field->id, run, &stored, &array, err));
    enum armi_status st = ARMI_OK;
    if (armi_cast_possible(&stored, field, NULL) == ARMI_CAST_WIDEN)
        st = is_fingerprint(&stored, &array, want, ARMI_VALIDATE_FULL, same, err);
    if (st == ARMI_OK && !*same && armi_type_is_decimal(stored.type))
        st = is_decimal_of(&stored, &array, want, same, err);
    armi_arrow_array_release(&array);
    armi_field_release(&stored);
    return st;
}

static enum armi_status deep_task(void *ctx, size_t index, unsigned worker,
                                  struct armi_error *err)
{
    struct deep_job *job = ctx;
    (void)worker;
    size_t columns = job->version->schema.child_count, ordinal = index / columns;
    const struct armi_range *range = &job->ranges[ordinal];
    const struct armi_field *field = &job->version->schema.children[index % columns];
    const struct armi_range_column *column = armi_range_find(range, field->id);
    struct armi_column_run run = armi_range_run(range, field->id);
    struct ArrowArray array = {0};
    struct armi_array view = ARMI_ARRAY_INIT;
    bool same = false;
    if (column == NULL)
        return ARMI_OK;
    if (run.chunk == NULL)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "range %zu: no chunk serves column \"%s\"", ordinal,
                              field->name);
    ARMI_TRY(armi_column_reader_read(job->reader, field, &run, &array, err));
    enum armi_status st =
        is_fingerprint(field, &array, column->fingerprint, ARMI_VALIDATE_FULL, &same, err);
    if (st == ARMI_OK)
        st = armi_array_init(field, &array, ARMI_VALIDATE_NONE, &view, err);
    if (st == ARMI_OK && !same)
        st = was_narrower(job, field, &run, column->fingerprint, &same, err);
    if (st == ARMI_OK && !same)
        st = armi_error_set(err, ARMI_CORRUPTION,
                            "range %zu: column \"%s\" does not have its fingerprint",
                            ordinal, field->name);
    if (st == ARMI_OK)
        st = stats_check(range, ordinal, field, &view, err);
    armi_array_release(&view);
    armi_arrow_array_release(&array);
    return st;
}

enum armi_status armi_table_verify_deep(const struct armi_table_io *io,
                                        const struct armi_table_version *version,
                                        struct armi_error *err)
{
    struct deep_job job = {.version = version};
    struct armi_range *ranges = NULL;
    size_t count = 0;
    ARMI_TRY(armi_table_version_ranges(&io->nodes, version, &ranges, &count, err));
    job.ranges = ranges;
    enum armi_status st =
        armi_column_reader_new(io, NULL, &version->schema, &job.reader, err);
    if (st == ARMI_OK)
        st = armi_column_reader_new(io, NULL, NULL, &job.stored, err);
    if (st == ARMI_OK)
        st = armi_pool_run(&io->parallel, count * version->schema.child_count, deep_task,
                           &job, err);
    armi_column_reader_free(job.reader);
    armi_column_reader_free(job.stored);
    armi_range_array_release(ranges, count);
    return st;
}
