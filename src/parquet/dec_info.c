/*
 * What the public interface tells of an open file without reading a page.
 */
#include <stdio.h>
#include <string.h>

#include "arrow/field.h"
#include "codec/codec.h"
#include "parquet/dec_file.h"

int64_t armi_parquet_file_rows(const struct armi_parquet_file *file)
{
    return file->rows;
}

int32_t armi_parquet_file_row_groups(const struct armi_parquet_file *file)
{
    return (int32_t)file->meta.row_groups.count;
}

int32_t armi_parquet_file_leaves(const struct armi_parquet_file *file)
{
    return (int32_t)file->schema.leaf_count;
}

const char *armi_parquet_file_created_by(const struct armi_parquet_file *file)
{
    return file->created_by;
}

enum armi_status armi_parquet_file_schema(const struct armi_parquet_file *file,
                                          struct ArrowSchema *out, struct armi_error *err)
{
    return armi_field_export(file->schema.root, ARMI_EXPORT_IDS, out, err);
}

static void chunk_encodings(const struct armi_pq_column_meta *meta, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < meta->encodings.count && at < size; i++) {
        int n = snprintf(out + at, size - at, "%s%s", i > 0 ? ", " : "",
                         armi_pq_encoding_name(meta->encodings.items[i]));
        at += n > 0 ? (size_t)n : 0;
    }
}

enum armi_status armi_parquet_file_chunk(const struct armi_parquet_file *file,
                                         int32_t row_group, int32_t leaf,
                                         struct armi_parquet_chunk_info *out,
                                         struct armi_error *err)
{
    if (row_group < 0 || (uint32_t)row_group >= file->meta.row_groups.count || leaf < 0 ||
        (uint32_t)leaf >= file->schema.leaf_count)
        return armi_error_set(err, ARMI_NOT_FOUND, "no row group %d with a leaf %d",
                              (int)row_group, (int)leaf);
    const struct armi_pq_row_group *group = &file->meta.row_groups.items[row_group];
    const struct armi_pq_leaf *l = &file->schema.leaves[leaf];
    const struct armi_pq_column_chunk *chunk = &group->columns.items[l->index];
    const struct armi_pq_column_meta *meta = &chunk->meta;
    const struct armi_pq_statistics *stats = &meta->statistics;
    struct armi_parquet_chunk_info info = {.size = out->size};
    info.path = file->paths[leaf];
    info.physical_type = armi_pq_type_name(l->physical);
    info.compression = armi_codec_name(meta->codec);
    chunk_encodings(meta, info.encodings, sizeof info.encodings);
    info.rows = group->row_count;
    info.values = meta->value_count;
    info.nulls = ARMI_PQ_HAS(stats, 3) ? stats->null_count : -1;
    info.compressed_bytes = meta->compressed_size;
    info.uncompressed_bytes = meta->uncompressed_size;
    info.has_min_max = (ARMI_PQ_HAS(stats, 5) && ARMI_PQ_HAS(stats, 6)) ||
                       (ARMI_PQ_HAS(stats, 1) && ARMI_PQ_HAS(stats, 2));
    info.has_dictionary = ARMI_PQ_HAS(meta, 11) && meta->dictionary_page_offset > 0;
    info.has_page_index = ARMI_PQ_HAS(chunk, 4) && ARMI_PQ_HAS(chunk, 6);
    info.has_bloom_filter = ARMI_PQ_HAS(meta, 14);
    memcpy(out, &info, out->size < sizeof info ? out->size : sizeof info);
    return ARMI_OK;
}
