#include "table/chunk_group.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "parquet/parquet_encode.h"

void armi_chunk_groups_init(struct armi_chunk_groups *groups,
                            const struct armi_field *schema, struct armi_table_sink *sink,
                            uint64_t chunk_rows, struct armi_table_written *written)
{
    *groups = (struct armi_chunk_groups){
        .schema = schema,
        .sink = sink,
        .written = written,
        .rows_max = chunk_rows != 0 ? chunk_rows : UINT64_MAX,
    };
}

void armi_chunk_groups_release(struct armi_chunk_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        armi_free(groups->groups[i].dirty);
        armi_free(groups->groups[i].members);
    }
    armi_free(groups->groups);
    groups->groups = NULL;
    groups->count = groups->capacity = 0;
}

/* ---- one chunk ---- */

/* Everything that an encode call needs of a group. */
struct chunk_input {
    struct armi_field schema;
    int32_t *ids; /* of the columns, ascending as the references want them */
    struct armi_array *pieces;
    struct armi_pq_column_pieces *columns;
    int64_t *range_ends;
};

static void input_release(struct chunk_input *input)
{
    armi_field_release(&input->schema);
    armi_free(input->ids);
    armi_free(input->pieces);
    armi_free(input->columns);
    armi_free(input->range_ends);
}

/* The group's columns by id, ascending, as indices into the schema. */
static void columns_by_id(const struct armi_chunk_group *group,
                          const struct armi_field *schema, size_t *columns)
{
    size_t n = 0;
    for (size_t c = 0; c < schema->child_count; c++) {
        if (!group->dirty[c])
            continue;
        size_t at = n++;
        for (; at > 0 && schema->children[columns[at - 1]].id > schema->children[c].id;
             at--)
            columns[at] = columns[at - 1];
        columns[at] = c;
    }
}

static enum armi_status input_pieces(const struct armi_chunk_group *group,
                                     const struct armi_rowset *set, const size_t *columns,
                                     struct chunk_input *input, struct armi_error *err)
{
    size_t total = 0;
    for (size_t m = 0; m < group->count; m++)
        total +=
            armi_rowset_piece_count(set, group->members[m].row, group->members[m].rows);
    input->pieces = armi_alloc_array(total * group->dirty_count, sizeof *input->pieces);
    input->columns = armi_alloc_array(group->dirty_count, sizeof *input->columns);
    input->range_ends = armi_alloc_array(group->count, sizeof *input->range_ends);
    if (input->pieces == NULL || input->columns == NULL || input->range_ends == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < group->dirty_count; i++) {
        struct armi_array *out = input->pieces + i * total;
        int64_t rows = 0;
        input->columns[i] = (struct armi_pq_column_pieces){out, total};
        for (size_t m = 0; m < group->count; m++) {
            const struct armi_group_member *member = &group->members[m];
            armi_rowset_pieces(set, columns[i], member->row, member->rows, out);
            out += armi_rowset_piece_count(set, member->row, member->rows);
            rows += (int64_t)member->rows;
            input->range_ends[m] = rows;
        }
    }
    return ARMI_OK;
}

static enum armi_status input_init(const struct armi_chunk_group *group,
                                   const struct armi_rowset *set,
                                   const struct armi_field *schema,
                                   struct chunk_input *input, struct armi_error *err)
{
    *input = (struct chunk_input){.schema = ARMI_FIELD_INIT};
    size_t *columns = armi_alloc_array(group->dirty_count, sizeof *columns);
    input->ids = armi_alloc_array(group->dirty_count, sizeof *input->ids);
    enum armi_status st = ARMI_OK;
    if (columns == NULL || input->ids == NULL)
        st = armi_error_no_memory(err);
    if (st == ARMI_OK) {
        columns_by_id(group, schema, columns);
        for (size_t i = 0; i < group->dirty_count; i++)
            input->ids[i] = schema->children[columns[i]].id;
        st = armi_field_project(schema, columns, group->dirty_count, &input->schema, err);
    }
    if (st == ARMI_OK) {
        /* A chunk knows its columns and nothing of the table. */
        armi_metadata_release(&input->schema.metadata);
        st = input_pieces(group, set, columns, input, err);
    }
    armi_free(columns);
    return st;
}

/* Gives every member its reference to the chunk. */
static enum armi_status references_add(const struct armi_chunk_group *group,
                                       const struct armi_pq_output *file,
                                       enum armi_chunk_kind kind, const int32_t *ids,
                                       struct armi_range *ranges, struct armi_error *err)
{
    struct armi_chunk_ref ref = {
        .kind = kind,
        .hash = file->name,
        .file_size = file->size,
        .footer_size = file->footer_size,
    };
    for (size_t m = 0; m < group->count; m++) {
        struct armi_range *range = &ranges[group->members[m].range];
        ref.first = range->first;
        ref.rows = range->rows;
        ARMI_TRY(armi_range_add_chunk(range, &ref, ids, group->dirty_count, err));
        ref.file_row += range->rows;
    }
    return ARMI_OK;
}

static enum armi_status group_write(struct armi_chunk_groups *groups,
                                    struct armi_chunk_group *group,
                                    const struct armi_rowset *set,
                                    struct armi_range *ranges, struct armi_error *err)
{
    struct chunk_input input;
    struct armi_pq_output file = {0};
    struct armi_pq_encode_settings settings;
    enum armi_chunk_kind kind = ARMI_CHUNK_FILE;
    bool reused = false;
    armi_pq_encode_settings_init(&settings);
    settings.parallel = groups->sink->parallel;
    settings.slim = group->bytes < ARMI_CHUNK_TINY_MAX;
    enum armi_status st = input_init(group, set, groups->schema, &input, err);
    settings.range_ends = input.range_ends;
    settings.range_count = group->count;
    if (st == ARMI_OK)
        st = armi_pq_encode_chunk(&settings, &input.schema, input.columns,
                                  (int64_t)group->rows, &file, err);
    if (st == ARMI_OK)
        st = groups->sink->put_chunk(groups->sink->ctx, &file.name, file.slices, file.count,
                                     &kind, &reused, err);
    if (st == ARMI_OK)
        st = references_add(group, &file, kind, input.ids, ranges, err);
    if (st == ARMI_OK) {
        groups->written->chunks_written += !reused;
        groups->written->chunks_reused += reused; /* the store had it, if not this table */
        *(reused ? &groups->written->bytes_reused : &groups->written->bytes_written) +=
            file.size;
        groups->written->columns_encoded += group->count * group->dirty_count;
    }
    armi_pq_output_release(&file);
    input_release(&input);
    group->count = 0;
    group->rows = group->bytes = 0;
    return st;
}

/* ---- groups ---- */

static enum armi_status group_for(struct armi_chunk_groups *groups,
                                  const struct armi_planned *planned,
                                  struct armi_chunk_group **out, struct armi_error *err)
{
    size_t columns = groups->schema->child_count;
    for (size_t i = 0; i < groups->count; i++) {
        if (memcmp(groups->groups[i].dirty, planned->dirty, columns * sizeof(bool)) == 0) {
            *out = &groups->groups[i];
            return ARMI_OK;
        }
    }
    if (groups->count == groups->capacity) {
        size_t capacity = groups->capacity != 0 ? groups->capacity * 2 : 8;
        void *grown = armi_realloc(groups->groups, groups->count * sizeof *groups->groups,
                                   capacity * sizeof *groups->groups);
        if (grown == NULL)
            return armi_error_no_memory(err);
        groups->groups = grown;
        groups->capacity = capacity;
    }
    struct armi_chunk_group group = {.dirty_count = planned->dirty_count};
    group.dirty = armi_alloc_array(columns, sizeof *group.dirty);
    if (group.dirty == NULL)
        return armi_error_no_memory(err);
    memcpy(group.dirty, planned->dirty, columns * sizeof *group.dirty);
    groups->groups[groups->count] = group;
    *out = &groups->groups[groups->count++];
    return ARMI_OK;
}

static enum armi_status member_add(struct armi_chunk_group *group,
                                   const struct armi_planned *planned, size_t range,
                                   struct armi_error *err)
{
    if (group->count == group->capacity) {
        size_t capacity = group->capacity != 0 ? group->capacity * 2 : 16;
        void *grown = armi_realloc(group->members, group->count * sizeof *group->members,
                                   capacity * sizeof *group->members);
        if (grown == NULL)
            return armi_error_no_memory(err);
        group->members = grown;
        group->capacity = capacity;
    }
    group->members[group->count++] =
        (struct armi_group_member){planned->row, planned->rows, range};
    group->rows += planned->rows;
    return ARMI_OK;
}

/* Arrow bytes of the dirty columns. */
static uint64_t dirty_bytes(const struct armi_rowset *set,
                            const struct armi_planned *planned, size_t columns)
{
    uint64_t bytes = 0;
    if (planned->dirty_count == columns)
        return planned->bytes;
    for (size_t c = 0; c < columns; c++) {
        if (!planned->dirty[c])
            continue;
        for (uint64_t at = planned->row, end = at + planned->rows; at < end;) {
            struct armi_array piece[1];
            uint64_t n = armi_rowset_piece_rows(set, at, end - at);
            armi_rowset_pieces(set, c, at, n, piece);
            bytes += (uint64_t)armi_array_rows_size(piece);
            at += n;
        }
    }
    return bytes;
}

enum armi_status armi_chunk_groups_add(struct armi_chunk_groups *groups,
                                       const struct armi_rowset *set,
                                       const struct armi_planned *planned, size_t range,
                                       struct armi_range *ranges, struct armi_error *err)
{
    struct armi_chunk_group *group = NULL;
    uint64_t bytes = dirty_bytes(set, planned, groups->schema->child_count);
    ARMI_TRY(group_for(groups, planned, &group, err));
    if (group->count != 0 &&
        (bytes > ARMI_CHUNK_ARROW_MAX - group->bytes ||
         group->bytes > ARMI_CHUNK_ARROW_MAX || group->rows > groups->rows_max ||
         planned->rows > groups->rows_max - group->rows))
        ARMI_TRY(group_write(groups, group, set, ranges, err));
    ARMI_TRY(member_add(group, planned, range, err));
    group->bytes += bytes;
    return ARMI_OK;
}

enum armi_status armi_chunk_groups_flush(struct armi_chunk_groups *groups,
                                         const struct armi_rowset *set,
                                         struct armi_range *ranges, struct armi_error *err)
{
    for (size_t i = 0; i < groups->count; i++)
        if (groups->groups[i].count != 0)
            ARMI_TRY(group_write(groups, &groups->groups[i], set, ranges, err));
    return ARMI_OK;
}
