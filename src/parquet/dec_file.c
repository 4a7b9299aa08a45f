/*
 * Opening: the tail, the footer, the schema, and every number in it that later code leans on.
 *
 *   OFFSET      SIZE  DESCRIPTION
 *   size - 8    4     length of the metadata, little-endian
 *   size - 4    4     "PAR1"; "PARE": the metadata is encrypted
 */
#include "parquet/dec_file.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bits.h"
#include "base/checked.h"
#include "base/limits.h"
#include "parquet/parquet_types.h"

#define ROWS_MAX      (INT64_MAX >> 8) /* of a file without columns nothing else bounds it */
#define TAIL_SIZE     8
#define FILE_SIZE_MIN 12
#define FOOTER_GUESS                                                                       \
    ((uint64_t)64 << 10) /* read at once, in the hope that the footer is in it */

static enum armi_status tail_check(const struct armi_source *source, const uint8_t *tail,
                                   uint64_t *out_size, struct armi_error *err)
{
    if (memcmp(tail + 4, "PARE", 4) == 0)
        return armi_error_set(err, ARMI_UNSUPPORTED,
                              "the Parquet file's footer is encrypted: decrypt it first");
    if (memcmp(tail + 4, "PAR1", 4) != 0)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "not a Parquet file: it does not end with PAR1");
    uint64_t size = armi_load32(tail);
    if (size > source->size - FILE_SIZE_MIN)
        return armi_error_set(err, ARMI_CORRUPTION,
                              "a footer of %llu bytes in a Parquet file of %llu bytes",
                              (unsigned long long)size, (unsigned long long)source->size);
    if (size > ARMI_FOOTER_SIZE_MAX)
        return armi_error_set(err, ARMI_LIMIT, "a footer of %llu bytes is larger than %llu",
                              (unsigned long long)size,
                              (unsigned long long)ARMI_FOOTER_SIZE_MAX);
    *out_size = size;
    return ARMI_OK;
}

/* The last `size` bytes of the source. */
static enum armi_status read_end(const struct armi_source *source, uint64_t size,
                                 uint8_t **out, struct armi_error *err)
{
    uint8_t *data = armi_alloc((size_t)size);
    if (data == NULL)
        return armi_error_no_memory(err);
    enum armi_status status =
        source->read(source->ctx, source->size - size, (size_t)size, data, err);
    if (status != ARMI_OK) {
        armi_free(data);
        return status;
    }
    *out = data;
    return ARMI_OK;
}

/* *out_footer is the block that holds the metadata, owned by the caller; *out is the metadata. */
static enum armi_status read_footer(const struct armi_source *source, uint32_t known,
                                    uint8_t **out_footer, struct armi_slice *out,
                                    struct armi_error *err)
{
    uint8_t *data = NULL;
    uint64_t have = known != 0 ? (uint64_t)known + TAIL_SIZE : FOOTER_GUESS, size = 0;
    if (source->size < FILE_SIZE_MIN)
        return armi_error_set(err, ARMI_CORRUPTION, "not a Parquet file: it has %llu bytes",
                              (unsigned long long)source->size);
    if (have > source->size)
        have = source->size;
    ARMI_TRY(read_end(source, have, &data, err));
    enum armi_status status = tail_check(source, data + have - TAIL_SIZE, &size, err);
    if (status == ARMI_OK && size + TAIL_SIZE > have) {
        armi_free(data);
        data = NULL;
        have = size + TAIL_SIZE;
        status = read_end(source, have, &data, err);
    }
    if (status != ARMI_OK) {
        armi_free(data);
        return status;
    }
    *out_footer = data;
    *out = (struct armi_slice){data + have - TAIL_SIZE - size, (size_t)size};
    return ARMI_OK;
}

static enum armi_status check_row_groups(struct armi_parquet_file *file,
                                         struct armi_error *err)
{
    for (uint32_t g = 0; g < file->meta.row_groups.count; g++) {
        const struct armi_pq_row_group *group = &file->meta.row_groups.items[g];
        if (group->columns.count != file->schema.leaf_count)
            return armi_error_set(err, ARMI_CORRUPTION,
                                  "row group %u has %u columns where the schema has %u", g,
                                  group->columns.count, file->schema.leaf_count);
        if (group->row_count < 0 || group->row_count > ROWS_MAX ||
            !armi_i64_add(file->rows, group->row_count, &file->rows))
            return armi_error_set(err, ARMI_CORRUPTION, "row group %u has %lld rows", g,
                                  (long long)group->row_count);
        for (uint32_t c = 0; c < group->columns.count; c++)
            if (!ARMI_PQ_HAS(&group->columns.items[c], 3) &&
                (group->columns.items[c].present >> 8 & 3) == 0)
                return armi_error_set(err, ARMI_CORRUPTION,
                                      "row group %u, column %u has no metadata", g, c);
    }
    return ARMI_OK;
}

static enum armi_status open_schema(struct armi_parquet_file *file,
                                    const struct armi_pq_open_options *options,
                                    struct armi_error *err)
{
    bool use_hint = options == NULL || !options->no_arrow_schema;
    if (options != NULL && options->target != NULL)
        ARMI_TRY(
            armi_pq_schema_from_elements(&file->meta, options->target, &file->schema, err));
    else
        ARMI_TRY(armi_pq_schema_from_parquet(&file->meta, use_hint, &file->schema, err));
    file->shapes =
        armi_alloc_zero((size_t)file->schema.leaf_count + 1, sizeof *file->shapes);
    if (file->shapes == NULL)
        return armi_error_no_memory(err);
    file->paths = armi_alloc_zero((size_t)file->schema.leaf_count + 1, sizeof *file->paths);
    if (file->paths == NULL)
        return armi_error_no_memory(err);
    for (uint32_t i = 0; i < file->schema.leaf_count; i++) {
        char path[512];
        ARMI_TRY(armi_pq_leaf_shape_init(&file->schema, i, &file->shapes[i], err));
        armi_pq_leaf_path(&file->schema.leaves[i], path, sizeof path);
        size_t length = strlen(path) + 1;
        char *copy = armi_pq_arena_alloc(&file->arena, length, 1);
        if (copy == NULL)
            return armi_error_no_memory(err);
        memcpy(copy, path, length);
        file->paths[i] = copy;
    }
    return ARMI_OK;
}

static enum armi_status open_into(struct armi_parquet_file *file,
                                  const struct armi_pq_open_options *options,
                                  struct armi_error *err)
{
    struct armi_slice footer;
    uint32_t known = options != NULL ? options->footer_size : 0;
    ARMI_TRY(read_footer(&file->source, known, &file->footer, &footer, err));
    enum armi_status status =
        armi_pq_file_meta_read(footer, &file->arena, &file->meta, err);
    if (status != ARMI_OK)
        return armi_error_prefix(err, status, "the Parquet footer");
    if (ARMI_PQ_HAS(&file->meta, 8))
        return armi_error_set(
            err, ARMI_UNSUPPORTED,
            "columns of the Parquet file are encrypted: decrypt it first");
    const struct armi_slice *by = &file->meta.created_by;
    file->created_by = armi_strndup(by->size > 0 ? (const char *)by->data : "", by->size);
    if (file->created_by == NULL)
        return armi_error_no_memory(err);
    ARMI_TRY(open_schema(file, options, err));
    return check_row_groups(file, err);
}

enum armi_status armi_pq_file_open(const struct armi_source *source,
                                   const struct armi_pq_open_options *options,
                                   struct armi_parquet_file **out, struct armi_error *err)
{
    struct armi_parquet_file *file = armi_alloc_zero(1, sizeof *file);
    if (file == NULL)
        return armi_error_no_memory(err);
    atomic_init(&file->references, 1);
    file->source = *source;
    if (source->retain != NULL)
        source->retain(source->ctx);
    enum armi_status status = open_into(file, options, err);
    if (status != ARMI_OK) {
        armi_pq_file_unref(file);
        return status;
    }
    *out = file;
    return ARMI_OK;
}

struct armi_parquet_file *armi_pq_file_ref(struct armi_parquet_file *file)
{
    atomic_fetch_add(&file->references, 1);
    return file;
}

void armi_pq_file_unref(struct armi_parquet_file *file)
{
    if (file == NULL || atomic_fetch_sub(&file->references, 1) != 1)
        return;
    armi_free(file->paths);
    for (uint32_t i = 0; file->shapes != NULL && i < file->schema.leaf_count; i++)
        armi_pq_leaf_shape_release(&file->shapes[i]);
    armi_pq_schema_release(&file->schema);
    armi_pq_arena_release(&file->arena);
    armi_free(file->shapes);
    armi_free(file->footer);
    armi_free(file->created_by);
    if (file->source.release != NULL)
        file->source.release(file->source.ctx);
    armi_free(file);
}

const struct armi_field *armi_pq_file_root(const struct armi_parquet_file *file)
{
    return file->schema.root;
}

const struct armi_pq_schema *armi_pq_file_schema(const struct armi_parquet_file *file)
{
    return &file->schema;
}

const struct armi_pq_file_meta *armi_pq_file_meta(const struct armi_parquet_file *file)
{
    return &file->meta;
}

int64_t armi_pq_file_rows(const struct armi_parquet_file *file)
{
    return file->rows;
}
