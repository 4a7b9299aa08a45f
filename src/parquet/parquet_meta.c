/*
 * The tables of parquet.thrift and the two functions, one to read and one to write, that
 * work for every struct by its table. To carry one more field: a member in parquet_meta.h
 * and a row here.
 *
 * Rows stand in the order of their numbers; what has no row is skipped. A field that occurs
 * twice is an error, so that no two readers can disagree about which one counts.
 */
#include "parquet/parquet_meta.h"

#include <string.h>

#include "base/alloc.h"
#include "base/checked.h"
#include "base/limits.h"
#include "parquet/thrift_compact.h"

enum meta_kind {
    META_BOOL,
    META_I8,
    META_I16,
    META_I32,
    META_I64,
    META_BINARY,
    META_STRUCT,
    META_FLAG, /* an empty struct, the member of a union: only its bit in `present` counts
                */
    META_LIST_BOOL,
    META_LIST_I32,
    META_LIST_I64,
    META_LIST_BINARY,
    META_LIST_STRUCT,
};

struct meta_type;

struct meta_field {
    uint8_t id;
    uint8_t kind;
    bool required; /* without it the struct is corrupt */
    uint16_t offset;
    const struct meta_type *type;
};

struct meta_type {
    const char *name;
    const struct meta_field *fields;
    size_t count;
    size_t size;     /* of the C struct */
    size_t wire_min; /* bytes that one takes at least: bounds allocations */
};

/* Every list struct has this shape. */
struct meta_list {
    void *items;
    uint32_t count;
};

#define ROW(id, kind, member)                                                              \
    {                                                                                      \
        id, kind, false, offsetof(struct THIS, member), NULL                               \
    }
#define MUST(id, kind, member)                                                             \
    {                                                                                      \
        id, kind, true, offsetof(struct THIS, member), NULL                                \
    }
#define SUB(id, kind, member, type)                                                        \
    {                                                                                      \
        id, kind, false, offsetof(struct THIS, member), &(type)                            \
    }
#define MUST_SUB(id, kind, member, type)                                                   \
    {                                                                                      \
        id, kind, true, offsetof(struct THIS, member), &(type)                             \
    }
#define FLAG(id)                                                                           \
    {                                                                                      \
        id, META_FLAG, false, 0, NULL                                                      \
    }
#define TYPE(variable, text, table, wire)                                                  \
    static const struct meta_type variable = {                                             \
        text, table, sizeof(table) / sizeof((table)[0]), sizeof(struct THIS), wire}

#define THIS armi_pq_statistics
static const struct meta_field statistics_fields[] = {
    ROW(1, META_BINARY, max),
    ROW(2, META_BINARY, min),
    ROW(3, META_I64, null_count),
    ROW(4, META_I64, distinct_count),
    ROW(5, META_BINARY, max_value),
    ROW(6, META_BINARY, min_value),
    ROW(7, META_BOOL, is_max_value_exact),
    ROW(8, META_BOOL, is_min_value_exact),
    ROW(9, META_I64, nan_count),
};
TYPE(statistics_type, "Statistics", statistics_fields, 1);
#undef THIS

#define THIS armi_pq_size_statistics
static const struct meta_field sizes_fields[] = {
    ROW(1, META_I64, unencoded_bytes),
    ROW(2, META_LIST_I64, rep_levels),
    ROW(3, META_LIST_I64, def_levels),
};
TYPE(sizes_type, "SizeStatistics", sizes_fields, 1);
#undef THIS

#define THIS armi_pq_decimal
static const struct meta_field decimal_fields[] = {
    MUST(1, META_I32, scale),
    MUST(2, META_I32, precision),
};
TYPE(decimal_type, "DecimalType", decimal_fields, 5);
#undef THIS

#define THIS armi_pq_time_unit
static const struct meta_field time_unit_fields[] = {FLAG(1), FLAG(2), FLAG(3)};
TYPE(time_unit_type, "TimeUnit", time_unit_fields, 1);
#undef THIS

#define THIS armi_pq_time
static const struct meta_field time_fields[] = {
    MUST(1, META_BOOL, is_utc),
    MUST_SUB(2, META_STRUCT, unit, time_unit_type),
};
TYPE(time_type, "TimeType", time_fields, 4);
#undef THIS

#define THIS armi_pq_integer
static const struct meta_field integer_fields[] = {
    MUST(1, META_I8, bit_width),
    MUST(2, META_BOOL, is_signed),
};
TYPE(integer_type, "IntType", integer_fields, 4);
#undef THIS

/* VARIANT, GEOMETRY and GEOGRAPHY are known by their bit; their parameters are skipped. */
#define THIS armi_pq_logical
static const struct meta_field logical_fields[] = {
    FLAG(1),
    FLAG(2),
    FLAG(3),
    FLAG(4),
    SUB(5, META_STRUCT, decimal, decimal_type),
    FLAG(6),
    SUB(7, META_STRUCT, time, time_type),
    SUB(8, META_STRUCT, time, time_type),
    SUB(10, META_STRUCT, integer, integer_type),
    FLAG(11),
    FLAG(12),
    FLAG(13),
    FLAG(14),
    FLAG(15),
    FLAG(16),
    FLAG(17),
    FLAG(18),
};
TYPE(logical_type, "LogicalType", logical_fields, 1);
#undef THIS

#define THIS armi_pq_schema_element
static const struct meta_field element_fields[] = {
    ROW(1, META_I32, type),        ROW(2, META_I32, type_length),
    ROW(3, META_I32, repetition),  MUST(4, META_BINARY, name),
    ROW(5, META_I32, child_count), ROW(6, META_I32, converted),
    ROW(7, META_I32, scale),       ROW(8, META_I32, precision),
    ROW(9, META_I32, field_id),    SUB(10, META_STRUCT, logical, logical_type),
};
TYPE(element_type, "SchemaElement", element_fields, 3);
#undef THIS

#define THIS armi_pq_key_value
static const struct meta_field key_value_fields[] = {
    MUST(1, META_BINARY, key),
    ROW(2, META_BINARY, value),
};
TYPE(key_value_type, "KeyValue", key_value_fields, 3);
#undef THIS

#define THIS armi_pq_sorting_column
static const struct meta_field sorting_fields[] = {
    MUST(1, META_I32, column),
    MUST(2, META_BOOL, descending),
    MUST(3, META_BOOL, nulls_first),
};
TYPE(sorting_type, "SortingColumn", sorting_fields, 5);
#undef THIS

#define THIS armi_pq_encoding_stats
static const struct meta_field encoding_stats_fields[] = {
    MUST(1, META_I32, page_type),
    MUST(2, META_I32, encoding),
    MUST(3, META_I32, count),
};
TYPE(encoding_stats_type, "PageEncodingStats", encoding_stats_fields, 7);
#undef THIS

/* The path may be left out by writers to come: the order of the chunks is what counts. */
#define THIS armi_pq_column_meta
static const struct meta_field column_meta_fields[] = {
    MUST(1, META_I32, type),
    ROW(2, META_LIST_I32, encodings),
    ROW(3, META_LIST_BINARY, path),
    MUST(4, META_I32, codec),
    MUST(5, META_I64, value_count),
    MUST(6, META_I64, uncompressed_size),
    MUST(7, META_I64, compressed_size),
    SUB(8, META_LIST_STRUCT, pairs, key_value_type),
    MUST(9, META_I64, data_page_offset),
    ROW(10, META_I64, index_page_offset),
    ROW(11, META_I64, dictionary_page_offset),
    SUB(12, META_STRUCT, statistics, statistics_type),
    SUB(13, META_LIST_STRUCT, encoding_stats, encoding_stats_type),
    ROW(14, META_I64, bloom_filter_offset),
    ROW(15, META_I32, bloom_filter_length),
    SUB(16, META_STRUCT, sizes, sizes_type),
};
TYPE(column_meta_type, "ColumnMetaData", column_meta_fields, 13);
#undef THIS

/* Fields 8 and 9 are encryption: known by their bit, refused by name where the chunk is
 * read. */
#define THIS armi_pq_column_chunk
static const struct meta_field chunk_fields[] = {
    ROW(1, META_BINARY, file_path),
    ROW(2, META_I64, file_offset),
    SUB(3, META_STRUCT, meta, column_meta_type),
    ROW(4, META_I64, offset_index_offset),
    ROW(5, META_I32, offset_index_length),
    ROW(6, META_I64, column_index_offset),
    ROW(7, META_I32, column_index_length),
    FLAG(8),
    FLAG(9),
};
TYPE(chunk_type, "ColumnChunk", chunk_fields, 16);
#undef THIS

#define THIS armi_pq_row_group
static const struct meta_field row_group_fields[] = {
    MUST_SUB(1, META_LIST_STRUCT, columns, chunk_type),
    ROW(2, META_I64, total_byte_size),
    MUST(3, META_I64, row_count),
    SUB(4, META_LIST_STRUCT, sorting_columns, sorting_type),
    ROW(5, META_I64, file_offset),
    ROW(6, META_I64, compressed_size),
    ROW(7, META_I16, ordinal),
};
TYPE(row_group_type, "RowGroup", row_group_fields, 5);
#undef THIS

#define THIS armi_pq_column_order
static const struct meta_field column_order_fields[] = {FLAG(1), FLAG(2)};
TYPE(column_order_type, "ColumnOrder", column_order_fields, 1);
#undef THIS

#define THIS armi_pq_file_meta
static const struct meta_field file_meta_fields[] = {
    ROW(1, META_I32, version),
    MUST_SUB(2, META_LIST_STRUCT, schema, element_type),
    MUST(3, META_I64, row_count),
    MUST_SUB(4, META_LIST_STRUCT, row_groups, row_group_type),
    SUB(5, META_LIST_STRUCT, pairs, key_value_type),
    ROW(6, META_BINARY, created_by),
    SUB(7, META_LIST_STRUCT, column_orders, column_order_type),
    FLAG(8),
};
TYPE(file_meta_type, "FileMetaData", file_meta_fields, 8);
#undef THIS

#define THIS armi_pq_data_page_header
static const struct meta_field data_page_fields[] = {
    MUST(1, META_I32, value_count),
    MUST(2, META_I32, encoding),
    MUST(3, META_I32, def_encoding),
    MUST(4, META_I32, rep_encoding),
    SUB(5, META_STRUCT, statistics, statistics_type),
};
TYPE(data_page_type, "DataPageHeader", data_page_fields, 9);
#undef THIS

#define THIS armi_pq_dictionary_page_header
static const struct meta_field dictionary_page_fields[] = {
    MUST(1, META_I32, value_count),
    MUST(2, META_I32, encoding),
    ROW(3, META_BOOL, is_sorted),
};
TYPE(dictionary_page_type, "DictionaryPageHeader", dictionary_page_fields, 5);
#undef THIS

#define THIS armi_pq_data_page_header_v2
static const struct meta_field data_page_v2_fields[] = {
    MUST(1, META_I32, value_count),   MUST(2, META_I32, null_count),
    MUST(3, META_I32, row_count),     MUST(4, META_I32, encoding),
    MUST(5, META_I32, def_size),      MUST(6, META_I32, rep_size),
    ROW(7, META_BOOL, is_compressed), SUB(8, META_STRUCT, statistics, statistics_type),
};
TYPE(data_page_v2_type, "DataPageHeaderV2", data_page_v2_fields, 13);
#undef THIS

#define THIS armi_pq_page_header
static const struct meta_field page_header_fields[] = {
    MUST(1, META_I32, type),
    MUST(2, META_I32, uncompressed_size),
    MUST(3, META_I32, compressed_size),
    ROW(4, META_I32, crc),
    SUB(5, META_STRUCT, data, data_page_type),
    SUB(7, META_STRUCT, dictionary, dictionary_page_type),
    SUB(8, META_STRUCT, data_v2, data_page_v2_type),
};
TYPE(page_header_type, "PageHeader", page_header_fields, 7);
#undef THIS

#define THIS armi_pq_page_location
static const struct meta_field page_location_fields[] = {
    MUST(1, META_I64, offset),
    MUST(2, META_I32, size),
    MUST(3, META_I64, first_row),
};
TYPE(page_location_type, "PageLocation", page_location_fields, 7);
#undef THIS

#define THIS armi_pq_offset_index
static const struct meta_field offset_index_fields[] = {
    MUST_SUB(1, META_LIST_STRUCT, pages, page_location_type),
    ROW(2, META_LIST_I64, unencoded_bytes),
};
TYPE(offset_index_type, "OffsetIndex", offset_index_fields, 3);
#undef THIS

#define THIS armi_pq_column_index
static const struct meta_field column_index_fields[] = {
    MUST(1, META_LIST_BOOL, null_pages),   MUST(2, META_LIST_BINARY, min_values),
    MUST(3, META_LIST_BINARY, max_values), MUST(4, META_I32, boundary_order),
    ROW(5, META_LIST_I64, null_counts),    ROW(6, META_LIST_I64, rep_levels),
    ROW(7, META_LIST_I64, def_levels),     ROW(8, META_LIST_I64, nan_counts),
};
TYPE(column_index_type, "ColumnIndex", column_index_fields, 9);
#undef THIS

/* The unions of the Bloom header: one member each. */
#define THIS armi_pq_column_order
static const struct meta_field one_flag_fields[] = {FLAG(1)};
TYPE(one_flag_type, "union", one_flag_fields, 1);
#undef THIS

#define THIS armi_pq_bloom_header
static const struct meta_field bloom_fields[] = {
    MUST(1, META_I32, size),
    MUST_SUB(2, META_STRUCT, algorithm, one_flag_type),
    MUST_SUB(3, META_STRUCT, hash, one_flag_type),
    MUST_SUB(4, META_STRUCT, codec, one_flag_type),
};
TYPE(bloom_type, "BloomFilterHeader", bloom_fields, 9);
#undef THIS

/* ---- arena ---- */

#define ARENA_BLOCK_SIZE 16384

struct armi_pq_arena_block {
    struct armi_pq_arena_block *next;
    size_t size;
    size_t used;
    size_t reserved; /* keeps the payload 8-byte aligned on every target */
};

void *armi_pq_arena_alloc(struct armi_pq_arena *arena, size_t count, size_t size)
{
    size_t bytes, rounded, block_size;
    if (!armi_size_mul(count, size, &bytes) || !armi_size_add(bytes, 7, &rounded))
        return NULL;
    rounded &= ~(size_t)7;
    struct armi_pq_arena_block *block = arena->head;
    if (block == NULL || block->size - block->used < rounded) {
        size_t payload = rounded > ARENA_BLOCK_SIZE ? rounded : ARENA_BLOCK_SIZE;
        if (!armi_size_add(payload, sizeof *block, &block_size))
            return NULL;
        block = armi_alloc(block_size);
        if (block == NULL)
            return NULL;
        *block = (struct armi_pq_arena_block){arena->head, payload, 0, 0};
        arena->head = block;
    }
    uint8_t *at = (uint8_t *)(block + 1) + block->used;
    block->used += rounded;
    arena->used += rounded;
    memset(at, 0, rounded);
    return at;
}

void armi_pq_arena_release(struct armi_pq_arena *arena)
{
    while (arena->head != NULL) {
        struct armi_pq_arena_block *next = arena->head->next;
        armi_free(arena->head);
        arena->head = next;
    }
    arena->used = 0;
}

/* ---- reading ---- */

struct meta_reader {
    struct armi_thrift_reader thrift;
    struct armi_pq_arena *arena; /* NULL: structs without lists */
    bool no_memory;
};

static void read_struct(struct meta_reader *r, const struct meta_type *type, void *out);

static void *list_alloc(struct meta_reader *r, void *at, uint32_t count, size_t item_size)
{
    struct meta_list list = {NULL, count};
    if (count > 0) {
        list.items =
            r->arena != NULL ? armi_pq_arena_alloc(r->arena, count, item_size) : NULL;
        if (list.items == NULL) {
            r->no_memory = true;
            armi_thrift_fail(&r->thrift, "out of memory");
            return NULL;
        }
    }
    memcpy(at, &list.items, sizeof list.items);
    memcpy((uint8_t *)at + offsetof(struct meta_list, count), &list.count,
           sizeof list.count);
    return list.items;
}

static void read_list(struct meta_reader *r, const struct meta_field *field, uint8_t wire,
                      void *at)
{
    static const struct {
        uint8_t wire;
        uint8_t size;
    } items[] = {
        [META_LIST_BOOL] = {ARMI_THRIFT_TRUE, sizeof(bool)},
        [META_LIST_I32] = {ARMI_THRIFT_I32, sizeof(int32_t)},
        [META_LIST_I64] = {ARMI_THRIFT_I64, sizeof(int64_t)},
        [META_LIST_BINARY] = {ARMI_THRIFT_BINARY, sizeof(struct armi_slice)},
        [META_LIST_STRUCT] = {ARMI_THRIFT_STRUCT, 0},
    };
    struct armi_thrift_reader *t = &r->thrift;
    size_t item_size = field->type != NULL ? field->type->size : items[field->kind].size;
    size_t item_min = field->type != NULL ? field->type->wire_min : 1;
    uint32_t count = armi_thrift_read_list(t, wire, items[field->kind].wire, item_min);
    uint8_t *item = list_alloc(r, at, count, item_size);
    if (item == NULL)
        return;
    for (uint32_t i = 0; i < count && t->failure == NULL; i++, item += item_size) {
        if (field->kind == META_LIST_STRUCT) {
            read_struct(r, field->type, item);
        } else if (field->kind == META_LIST_BINARY) {
            struct armi_slice v = armi_thrift_read_binary(t, ARMI_THRIFT_BINARY);
            memcpy(item, &v, sizeof v);
        } else if (field->kind == META_LIST_I64) {
            int64_t v = armi_thrift_read_i64(t, ARMI_THRIFT_I64);
            memcpy(item, &v, sizeof v);
        } else if (field->kind == META_LIST_I32) {
            int32_t v = armi_thrift_read_i32(t, ARMI_THRIFT_I32);
            memcpy(item, &v, sizeof v);
        } else {
            bool v = armi_thrift_read_bool_item(t);
            memcpy(item, &v, sizeof v);
        }
    }
}

static void read_value(struct meta_reader *r, const struct meta_field *field, uint8_t wire,
                       void *at)
{
    struct armi_thrift_reader *t = &r->thrift;
    switch (field->kind) {
    case META_BOOL:
        *(bool *)at = armi_thrift_read_bool(t, wire);
        return;
    case META_I8:
        *(int8_t *)at = armi_thrift_read_i8(t, wire);
        return;
    case META_I16:
        *(int16_t *)at = armi_thrift_read_i16(t, wire);
        return;
    case META_I32:
        *(int32_t *)at = armi_thrift_read_i32(t, wire);
        return;
    case META_I64:
        *(int64_t *)at = armi_thrift_read_i64(t, wire);
        return;
    case META_BINARY:
        *(struct armi_slice *)at = armi_thrift_read_binary(t, wire);
        return;
    case META_FLAG:
        armi_thrift_skip(t, wire);
        return;
    case META_STRUCT:
        if (wire != ARMI_THRIFT_STRUCT)
            armi_thrift_fail(t, "a value of another type than expected");
        else
            read_struct(r, field->type, at);
        return;
    default:
        read_list(r, field, wire, at);
    }
}

static const struct meta_field *type_find(const struct meta_type *type, int16_t id,
                                          size_t *hint)
{
    /* Fields come in order nearly always, so the search goes on from the last hit. */
    for (size_t n = 0; n < type->count; n++) {
        size_t i = *hint + n < type->count ? *hint + n : *hint + n - type->count;
        if (type->fields[i].id == id) {
            *hint = i;
            return &type->fields[i];
        }
    }
    return NULL;
}

/* A field of another type than the specification's is somebody's own use of the number. */
static bool wire_fits(const struct meta_field *field, uint8_t wire)
{
    switch (field->kind) {
    case META_BOOL:
        return wire == ARMI_THRIFT_TRUE || wire == ARMI_THRIFT_FALSE;
    case META_I8:
        return wire == ARMI_THRIFT_BYTE;
    case META_I16:
        return wire == ARMI_THRIFT_I16;
    case META_I32:
        return wire == ARMI_THRIFT_I32;
    case META_I64:
        return wire == ARMI_THRIFT_I64;
    case META_BINARY:
        return wire == ARMI_THRIFT_BINARY;
    case META_FLAG:
    case META_STRUCT:
        return wire == ARMI_THRIFT_STRUCT;
    default:
        return wire == ARMI_THRIFT_LIST;
    }
}

/* `out` is zeroed by the caller. */
static void read_struct(struct meta_reader *r, const struct meta_type *type, void *out)
{
    struct armi_thrift_reader *t = &r->thrift;
    int16_t enclosing = armi_thrift_read_struct(t);
    struct armi_thrift_field wire;
    size_t hint = 0;
    uint32_t present = 0;
    while (armi_thrift_read_field(t, &wire)) {
        const struct meta_field *field = type_find(type, wire.id, &hint);
        if (field == NULL || !wire_fits(field, wire.type)) {
            armi_thrift_skip(t, wire.type);
            continue;
        }
        uint32_t bit = (uint32_t)1 << field->id;
        if (present & bit) {
            armi_thrift_fail(t, "a field that occurs twice");
            break;
        }
        present |= bit;
        read_value(r, field, wire.type, (uint8_t *)out + field->offset);
    }
    armi_thrift_read_struct_end(t, enclosing);
    memcpy(out, &present, sizeof present);
    for (size_t i = 0; i < type->count; i++)
        if (type->fields[i].required && !((present >> type->fields[i].id) & 1))
            armi_thrift_fail(t, "a required field is missing");
}

static enum armi_status meta_read(struct armi_slice bytes, const struct meta_type *type,
                                  struct armi_pq_arena *arena, void *out, size_t *out_size,
                                  struct armi_error *err)
{
    struct meta_reader r = {.arena = arena};
    armi_thrift_reader_init(&r.thrift, bytes);
    read_struct(&r, type, out);
    if (r.no_memory)
        return armi_error_no_memory(err);
    if (r.thrift.failure != NULL)
        return armi_error_set(
            err, ARMI_CORRUPTION, "damaged Parquet metadata: %s in %s at byte %zu",
            r.thrift.failure, type->name, armi_thrift_read_size(&r.thrift));
    if (out_size != NULL)
        *out_size = armi_thrift_read_size(&r.thrift);
    return ARMI_OK;
}

enum armi_status armi_pq_file_meta_read(struct armi_slice bytes,
                                        struct armi_pq_arena *arena,
                                        struct armi_pq_file_meta *out,
                                        struct armi_error *err)
{
    struct armi_pq_file_meta meta = {0};
    ARMI_TRY(meta_read(bytes, &file_meta_type, arena, &meta, NULL, err));
    *out = meta;
    return ARMI_OK;
}

enum armi_status armi_pq_page_header_read(struct armi_slice bytes,
                                          struct armi_pq_page_header *out, size_t *out_size,
                                          struct armi_error *err)
{
    struct armi_pq_page_header header = {0};
    ARMI_TRY(meta_read(bytes, &page_header_type, NULL, &header, out_size, err));
    if (ARMI_PQ_HAS(&header, 8) && !ARMI_PQ_HAS(&header.data_v2, 7))
        header.data_v2.is_compressed = true;
    *out = header;
    return ARMI_OK;
}

enum armi_status armi_pq_offset_index_read(struct armi_slice bytes,
                                           struct armi_pq_arena *arena,
                                           struct armi_pq_offset_index *out,
                                           struct armi_error *err)
{
    struct armi_pq_offset_index index = {0};
    ARMI_TRY(meta_read(bytes, &offset_index_type, arena, &index, NULL, err));
    *out = index;
    return ARMI_OK;
}

enum armi_status armi_pq_column_index_read(struct armi_slice bytes,
                                           struct armi_pq_arena *arena,
                                           struct armi_pq_column_index *out,
                                           struct armi_error *err)
{
    struct armi_pq_column_index index = {0};
    ARMI_TRY(meta_read(bytes, &column_index_type, arena, &index, NULL, err));
    *out = index;
    return ARMI_OK;
}

enum armi_status armi_pq_bloom_header_read(struct armi_slice bytes,
                                           struct armi_pq_bloom_header *out,
                                           size_t *out_size, struct armi_error *err)
{
    struct armi_pq_bloom_header header = {0};
    ARMI_TRY(meta_read(bytes, &bloom_type, NULL, &header, out_size, err));
    *out = header;
    return ARMI_OK;
}

/* ---- writing ---- */

static void write_struct(struct armi_thrift_writer *w, const struct meta_type *type,
                         const void *in);

static void write_list(struct armi_thrift_writer *w, const struct meta_field *field,
                       const void *at)
{
    struct meta_list list;
    memcpy(&list.items, at, sizeof list.items);
    memcpy(&list.count, (const uint8_t *)at + offsetof(struct meta_list, count),
           sizeof list.count);
    static const uint8_t wire[] = {
        [META_LIST_BOOL] = ARMI_THRIFT_TRUE,     [META_LIST_I32] = ARMI_THRIFT_I32,
        [META_LIST_I64] = ARMI_THRIFT_I64,       [META_LIST_BINARY] = ARMI_THRIFT_BINARY,
        [META_LIST_STRUCT] = ARMI_THRIFT_STRUCT,
    };
    armi_thrift_write_list(w, wire[field->kind], list.count);
    for (uint32_t i = 0; i < list.count; i++) {
        switch (field->kind) {
        case META_LIST_STRUCT:
            write_struct(w, field->type,
                         (const uint8_t *)list.items + i * field->type->size);
            break;
        case META_LIST_BINARY:
            armi_thrift_write_binary(w, ((const struct armi_slice *)list.items)[i]);
            break;
        case META_LIST_I64:
            armi_thrift_write_int(w, ((const int64_t *)list.items)[i]);
            break;
        case META_LIST_I32:
            armi_thrift_write_int(w, ((const int32_t *)list.items)[i]);
            break;
        default:
            armi_thrift_write_bool_item(w, ((const bool *)list.items)[i]);
        }
    }
}

static void write_value(struct armi_thrift_writer *w, const struct meta_field *field,
                        const void *at)
{
    static const uint8_t wire[] = {
        [META_I8] = ARMI_THRIFT_BYTE,          [META_I16] = ARMI_THRIFT_I16,
        [META_I32] = ARMI_THRIFT_I32,          [META_I64] = ARMI_THRIFT_I64,
        [META_BINARY] = ARMI_THRIFT_BINARY,    [META_STRUCT] = ARMI_THRIFT_STRUCT,
        [META_FLAG] = ARMI_THRIFT_STRUCT,      [META_LIST_BOOL] = ARMI_THRIFT_LIST,
        [META_LIST_I32] = ARMI_THRIFT_LIST,    [META_LIST_I64] = ARMI_THRIFT_LIST,
        [META_LIST_BINARY] = ARMI_THRIFT_LIST, [META_LIST_STRUCT] = ARMI_THRIFT_LIST,
    };
    if (field->kind == META_BOOL) {
        armi_thrift_write_bool(w, field->id, *(const bool *)at);
        return;
    }
    armi_thrift_write_field(w, field->id, wire[field->kind]);
    switch (field->kind) {
    case META_I8:
        armi_thrift_write_i8(w, *(const int8_t *)at);
        return;
    case META_I16:
        armi_thrift_write_int(w, *(const int16_t *)at);
        return;
    case META_I32:
        armi_thrift_write_int(w, *(const int32_t *)at);
        return;
    case META_I64:
        armi_thrift_write_int(w, *(const int64_t *)at);
        return;
    case META_BINARY:
        armi_thrift_write_binary(w, *(const struct armi_slice *)at);
        return;
    case META_STRUCT:
        write_struct(w, field->type, at);
        return;
    case META_FLAG:
        armi_thrift_write_struct_end(w, armi_thrift_write_struct(w));
        return;
    default:
        write_list(w, field, at);
    }
}

static void write_fields(struct armi_thrift_writer *w, const struct meta_type *type,
                         const void *in)
{
    uint32_t present;
    memcpy(&present, in, sizeof present);
    for (size_t i = 0; i < type->count; i++)
        if ((present >> type->fields[i].id) & 1)
            write_value(w, &type->fields[i], (const uint8_t *)in + type->fields[i].offset);
}

static void write_struct(struct armi_thrift_writer *w, const struct meta_type *type,
                         const void *in)
{
    int16_t enclosing = armi_thrift_write_struct(w);
    write_fields(w, type, in);
    armi_thrift_write_struct_end(w, enclosing);
}

static enum armi_status meta_write(const struct meta_type *type, const void *in,
                                   struct armi_buf *buf, struct armi_error *err)
{
    struct armi_thrift_writer w;
    armi_thrift_writer_init(&w, buf, err);
    write_struct(&w, type, in);
    return w.status;
}

enum armi_status armi_pq_file_meta_write(const struct armi_pq_file_meta *meta,
                                         struct armi_buf *buf, struct armi_error *err)
{
    return meta_write(&file_meta_type, meta, buf, err);
}

/* The padding field costs a head of three bytes (type, id 100 as a varint of two) and a
 * length. */
enum armi_status armi_pq_page_header_write(const struct armi_pq_page_header *header,
                                           size_t padding, struct armi_buf *buf,
                                           struct armi_error *err)
{
    static const uint8_t zeros[128];
    struct armi_thrift_writer w;
    armi_thrift_writer_init(&w, buf, err);
    int16_t enclosing = armi_thrift_write_struct(&w);
    write_fields(&w, &page_header_type, header);
    if (padding >= 4) {
        armi_thrift_write_field(&w, ARMI_PQ_PADDING_ID, ARMI_THRIFT_BINARY);
        armi_thrift_write_binary(&w, (struct armi_slice){zeros, padding - 4});
    }
    armi_thrift_write_struct_end(&w, enclosing);
    return w.status;
}

enum armi_status armi_pq_offset_index_write(const struct armi_pq_offset_index *index,
                                            struct armi_buf *buf, struct armi_error *err)
{
    return meta_write(&offset_index_type, index, buf, err);
}

enum armi_status armi_pq_column_index_write(const struct armi_pq_column_index *index,
                                            struct armi_buf *buf, struct armi_error *err)
{
    return meta_write(&column_index_type, index, buf, err);
}

enum armi_status armi_pq_bloom_header_write(const struct armi_pq_bloom_header *header,
                                            struct armi_buf *buf, struct armi_error *err)
{
    return meta_write(&bloom_type, header, buf, err);
}
