/*
 * Parquet's metadata: the structs of parquet.thrift as C structs, read and written by
 * tables (one row a field, parquet_meta.c). Names and numbers are the specification's.
 * Presence of field number n is bit n of `present`, the first member of every struct; what
 * is absent is zero.
 *
 * What is read borrows its strings from the bytes that were read, and its lists from an
 * arena. Enumerations are kept as they came: whoever uses one checks it.
 */
#ifndef ARMI_PARQUET_META_H
#define ARMI_PARQUET_META_H

#include <stdbool.h>

#include "base/buf.h"

enum armi_pq_type {
    ARMI_PQ_BOOLEAN = 0,
    ARMI_PQ_INT32 = 1,
    ARMI_PQ_INT64 = 2,
    ARMI_PQ_INT96 = 3,
    ARMI_PQ_FLOAT = 4,
    ARMI_PQ_DOUBLE = 5,
    ARMI_PQ_BYTE_ARRAY = 6,
    ARMI_PQ_FIXED = 7, /* FIXED_LEN_BYTE_ARRAY */
};

enum armi_pq_converted {
    ARMI_PQ_CONVERTED_UTF8 = 0,
    ARMI_PQ_CONVERTED_MAP = 1,
    ARMI_PQ_CONVERTED_MAP_KEY_VALUE = 2,
    ARMI_PQ_CONVERTED_LIST = 3,
    ARMI_PQ_CONVERTED_ENUM = 4,
    ARMI_PQ_CONVERTED_DECIMAL = 5,
    ARMI_PQ_CONVERTED_DATE = 6,
    ARMI_PQ_CONVERTED_TIME_MILLIS = 7,
    ARMI_PQ_CONVERTED_TIME_MICROS = 8,
    ARMI_PQ_CONVERTED_TIMESTAMP_MILLIS = 9,
    ARMI_PQ_CONVERTED_TIMESTAMP_MICROS = 10,
    ARMI_PQ_CONVERTED_UINT_8 = 11,
    ARMI_PQ_CONVERTED_UINT_16 = 12,
    ARMI_PQ_CONVERTED_UINT_32 = 13,
    ARMI_PQ_CONVERTED_UINT_64 = 14,
    ARMI_PQ_CONVERTED_INT_8 = 15,
    ARMI_PQ_CONVERTED_INT_16 = 16,
    ARMI_PQ_CONVERTED_INT_32 = 17,
    ARMI_PQ_CONVERTED_INT_64 = 18,
    ARMI_PQ_CONVERTED_JSON = 19,
    ARMI_PQ_CONVERTED_BSON = 20,
    ARMI_PQ_CONVERTED_INTERVAL = 21,
};

enum armi_pq_repetition {
    ARMI_PQ_REQUIRED = 0,
    ARMI_PQ_OPTIONAL = 1,
    ARMI_PQ_REPEATED = 2,
};

enum armi_pq_encoding {
    ARMI_PQ_PLAIN = 0,
    ARMI_PQ_PLAIN_DICTIONARY = 2,
    ARMI_PQ_RLE = 3,
    ARMI_PQ_BIT_PACKED = 4,
    ARMI_PQ_DELTA_BINARY_PACKED = 5,
    ARMI_PQ_DELTA_LENGTH_BYTE_ARRAY = 6,
    ARMI_PQ_DELTA_BYTE_ARRAY = 7,
    ARMI_PQ_RLE_DICTIONARY = 8,
    ARMI_PQ_BYTE_STREAM_SPLIT = 9,
    ARMI_PQ_ALP = 10,
};
#define ARMI_PQ_ENCODING_COUNT 11

enum armi_pq_page_type {
    ARMI_PQ_DATA_PAGE = 0,
    ARMI_PQ_INDEX_PAGE = 1,
    ARMI_PQ_DICTIONARY_PAGE = 2,
    ARMI_PQ_DATA_PAGE_V2 = 3,
};

enum armi_pq_boundary_order {
    ARMI_PQ_UNORDERED = 0,
    ARMI_PQ_ASCENDING = 1,
    ARMI_PQ_DESCENDING = 2,
};

/* The members of the union LogicalType: bit numbers of armi_pq_logical.present. */
enum armi_pq_logical_id {
    ARMI_PQ_LOGICAL_STRING = 1,
    ARMI_PQ_LOGICAL_MAP = 2,
    ARMI_PQ_LOGICAL_LIST = 3,
    ARMI_PQ_LOGICAL_ENUM = 4,
    ARMI_PQ_LOGICAL_DECIMAL = 5,
    ARMI_PQ_LOGICAL_DATE = 6,
    ARMI_PQ_LOGICAL_TIME = 7,
    ARMI_PQ_LOGICAL_TIMESTAMP = 8,
    ARMI_PQ_LOGICAL_INTEGER = 10,
    ARMI_PQ_LOGICAL_UNKNOWN = 11,
    ARMI_PQ_LOGICAL_JSON = 12,
    ARMI_PQ_LOGICAL_BSON = 13,
    ARMI_PQ_LOGICAL_UUID = 14,
    ARMI_PQ_LOGICAL_FLOAT16 = 15,
    ARMI_PQ_LOGICAL_VARIANT = 16,
    ARMI_PQ_LOGICAL_GEOMETRY = 17,
    ARMI_PQ_LOGICAL_GEOGRAPHY = 18,
};

/* Whether field number `id` was there / is to be written. */
#define ARMI_PQ_HAS(s, id)  (((s)->present >> (id)) & 1)
#define ARMI_PQ_MARK(s, id) ((s)->present |= (uint32_t)1 << (id))

struct armi_pq_i64_list {
    int64_t *items;
    uint32_t count;
};

struct armi_pq_i32_list {
    int32_t *items;
    uint32_t count;
};

struct armi_pq_bool_list {
    bool *items;
    uint32_t count;
};

struct armi_pq_binary_list {
    struct armi_slice *items;
    uint32_t count;
};

struct armi_pq_statistics {
    uint32_t present;
    struct armi_slice max;       /* 1, deprecated: signed order only */
    struct armi_slice min;       /* 2, deprecated */
    int64_t null_count;          /* 3 */
    int64_t distinct_count;      /* 4 */
    struct armi_slice max_value; /* 5 */
    struct armi_slice min_value; /* 6 */
    bool is_max_value_exact;     /* 7 */
    bool is_min_value_exact;     /* 8 */
    int64_t nan_count;           /* 9 */
};

struct armi_pq_size_statistics {
    uint32_t present;
    int64_t unencoded_bytes;            /* 1, of BYTE_ARRAY only */
    struct armi_pq_i64_list rep_levels; /* 2 */
    struct armi_pq_i64_list def_levels; /* 3 */
};

struct armi_pq_decimal {
    uint32_t present;
    int32_t scale;     /* 1 */
    int32_t precision; /* 2 */
};

/* The union TimeUnit: bit 1 milliseconds, 2 microseconds, 3 nanoseconds. */
struct armi_pq_time_unit {
    uint32_t present;
};

struct armi_pq_time {
    uint32_t present;
    bool is_utc;                   /* 1 */
    struct armi_pq_time_unit unit; /* 2 */
};

struct armi_pq_integer {
    uint32_t present;
    int8_t bit_width; /* 1 */
    bool is_signed;   /* 2 */
};

/* A union: one bit of armi_pq_logical_id. None set: a kind newer than this reader. */
struct armi_pq_logical {
    uint32_t present;
    struct armi_pq_decimal decimal;
    struct armi_pq_time time; /* of TIME and TIMESTAMP */
    struct armi_pq_integer integer;
};

struct armi_pq_schema_element {
    uint32_t present;
    int32_t type;                   /* 1, leaves only */
    int32_t type_length;            /* 2 */
    int32_t repetition;             /* 3 */
    struct armi_slice name;         /* 4 */
    int32_t child_count;            /* 5 */
    int32_t converted;              /* 6 */
    int32_t scale;                  /* 7 */
    int32_t precision;              /* 8 */
    int32_t field_id;               /* 9 */
    struct armi_pq_logical logical; /* 10 */
};

struct armi_pq_key_value {
    uint32_t present;
    struct armi_slice key;   /* 1 */
    struct armi_slice value; /* 2 */
};

struct armi_pq_key_value_list {
    struct armi_pq_key_value *items;
    uint32_t count;
};

struct armi_pq_sorting_column {
    uint32_t present;
    int32_t column;   /* 1 */
    bool descending;  /* 2 */
    bool nulls_first; /* 3 */
};

struct armi_pq_encoding_stats {
    uint32_t present;
    int32_t page_type; /* 1 */
    int32_t encoding;  /* 2 */
    int32_t count;     /* 3 */
};

struct armi_pq_column_meta {
    uint32_t present;
    int32_t type;                         /* 1 */
    struct armi_pq_i32_list encodings;    /* 2 */
    struct armi_pq_binary_list path;      /* 3 */
    int32_t codec;                        /* 4 */
    int64_t value_count;                  /* 5, nulls included */
    int64_t uncompressed_size;            /* 6, page headers included */
    int64_t compressed_size;              /* 7, page headers included */
    struct armi_pq_key_value_list pairs;  /* 8 */
    int64_t data_page_offset;             /* 9 */
    int64_t index_page_offset;            /* 10 */
    int64_t dictionary_page_offset;       /* 11 */
    struct armi_pq_statistics statistics; /* 12 */
    struct {
        struct armi_pq_encoding_stats *items;
        uint32_t count;
    } encoding_stats;                     /* 13 */
    int64_t bloom_filter_offset;          /* 14 */
    int32_t bloom_filter_length;          /* 15 */
    struct armi_pq_size_statistics sizes; /* 16 */
};

struct armi_pq_column_chunk {
    uint32_t present;                /* bits 8 and 9: the column is encrypted */
    struct armi_slice file_path;     /* 1 */
    int64_t file_offset;             /* 2 */
    struct armi_pq_column_meta meta; /* 3 */
    int64_t offset_index_offset;     /* 4 */
    int32_t offset_index_length;     /* 5 */
    int64_t column_index_offset;     /* 6 */
    int32_t column_index_length;     /* 7 */
};

struct armi_pq_row_group {
    uint32_t present;
    struct {
        struct armi_pq_column_chunk *items;
        uint32_t count;
    } columns;               /* 1 */
    int64_t total_byte_size; /* 2, uncompressed */
    int64_t row_count;       /* 3 */
    struct {
        struct armi_pq_sorting_column *items;
        uint32_t count;
    } sorting_columns;       /* 4 */
    int64_t file_offset;     /* 5 */
    int64_t compressed_size; /* 6 */
    int16_t ordinal;         /* 7 */
};

/* The union ColumnOrder: bit 1 TYPE_ORDER, bit 2 IEEE_754_TOTAL_ORDER. */
struct armi_pq_column_order {
    uint32_t present;
};

struct armi_pq_file_meta {
    uint32_t present; /* bit 8: the columns are encrypted, this footer is not */
    int32_t version;  /* 1 */
    struct {
        struct armi_pq_schema_element *items;
        uint32_t count;
    } schema;          /* 2, depth first, the root first */
    int64_t row_count; /* 3 */
    struct {
        struct armi_pq_row_group *items;
        uint32_t count;
    } row_groups;                        /* 4 */
    struct armi_pq_key_value_list pairs; /* 5 */
    struct armi_slice created_by;        /* 6 */
    struct {
        struct armi_pq_column_order *items;
        uint32_t count;
    } column_orders; /* 7 */
};

struct armi_pq_data_page_header {
    uint32_t present;
    int32_t value_count;                  /* 1, nulls included */
    int32_t encoding;                     /* 2 */
    int32_t def_encoding;                 /* 3 */
    int32_t rep_encoding;                 /* 4 */
    struct armi_pq_statistics statistics; /* 5 */
};

struct armi_pq_dictionary_page_header {
    uint32_t present;
    int32_t value_count; /* 1 */
    int32_t encoding;    /* 2 */
    bool is_sorted;      /* 3 */
};

struct armi_pq_data_page_header_v2 {
    uint32_t present;
    int32_t value_count;                  /* 1, nulls included */
    int32_t null_count;                   /* 2 */
    int32_t row_count;                    /* 3 */
    int32_t encoding;                     /* 4 */
    int32_t def_size;                     /* 5, bytes of definition levels */
    int32_t rep_size;                     /* 6 */
    bool is_compressed;                   /* 7, true where absent (set by the reader) */
    struct armi_pq_statistics statistics; /* 8 */
};

/* The field by which a page header is padded so that the payload behind it is aligned to 64
 * bytes: binary, no meaning, skipped by every reader. */
#define ARMI_PQ_PADDING_ID 100

struct armi_pq_page_header {
    uint32_t present;
    int32_t type;                                     /* 1 */
    int32_t uncompressed_size;                        /* 2 */
    int32_t compressed_size;                          /* 3 */
    int32_t crc;                                      /* 4 */
    struct armi_pq_data_page_header data;             /* 5 */
    struct armi_pq_dictionary_page_header dictionary; /* 7 */
    struct armi_pq_data_page_header_v2 data_v2;       /* 8 */
};

struct armi_pq_page_location {
    uint32_t present;
    int64_t offset;    /* 1, of the page's header in the file */
    int32_t size;      /* 2, header included */
    int64_t first_row; /* 3, within the row group */
};

struct armi_pq_offset_index {
    uint32_t present;
    struct {
        struct armi_pq_page_location *items;
        uint32_t count;
    } pages;                                 /* 1 */
    struct armi_pq_i64_list unencoded_bytes; /* 2 */
};

struct armi_pq_column_index {
    uint32_t present;
    struct armi_pq_bool_list null_pages;   /* 1 */
    struct armi_pq_binary_list min_values; /* 2 */
    struct armi_pq_binary_list max_values; /* 3 */
    int32_t boundary_order;                /* 4 */
    struct armi_pq_i64_list null_counts;   /* 5 */
    struct armi_pq_i64_list rep_levels;    /* 6 */
    struct armi_pq_i64_list def_levels;    /* 7 */
    struct armi_pq_i64_list nan_counts;    /* 8 */
};

struct armi_pq_bloom_header {
    uint32_t present;
    int32_t size;       /* 1, bytes of the bit set behind the header */
    uint32_t algorithm; /* 2, a union: bit 1 split block */
    uint32_t hash;      /* 3, a union: bit 1 xxHash64 */
    uint32_t codec;     /* 4, a union: bit 1 uncompressed */
};

/* Where lists of what was read live: freed together. Zero is an empty arena. */
struct armi_pq_arena {
    struct armi_pq_arena_block *head;
    size_t used;
};

/* NULL when there is no memory. 8-byte aligned, zeroed. */
void *armi_pq_arena_alloc(struct armi_pq_arena *arena, size_t count, size_t size);
void armi_pq_arena_release(struct armi_pq_arena *arena);

/*
 * Each reads one struct from the front of `bytes` into *out. *out_size (nullable) is what
 * it took. ARMI_CORRUPTION: malformed, cut off, a required field is missing; the message
 * says at which byte. Unknown fields are skipped. Strings of *out are borrowed from
 * `bytes`, lists from the arena.
 */
enum armi_status armi_pq_file_meta_read(struct armi_slice bytes,
                                        struct armi_pq_arena *arena,
                                        struct armi_pq_file_meta *out,
                                        struct armi_error *err);
enum armi_status armi_pq_page_header_read(struct armi_slice bytes,
                                          struct armi_pq_page_header *out, size_t *out_size,
                                          struct armi_error *err);
enum armi_status armi_pq_offset_index_read(struct armi_slice bytes,
                                           struct armi_pq_arena *arena,
                                           struct armi_pq_offset_index *out,
                                           struct armi_error *err);
enum armi_status armi_pq_column_index_read(struct armi_slice bytes,
                                           struct armi_pq_arena *arena,
                                           struct armi_pq_column_index *out,
                                           struct armi_error *err);
enum armi_status armi_pq_bloom_header_read(struct armi_slice bytes,
                                           struct armi_pq_bloom_header *out,
                                           size_t *out_size, struct armi_error *err);

/* Each appends one struct to `buf`: exactly the fields whose bit is set in `present`. */
enum armi_status armi_pq_file_meta_write(const struct armi_pq_file_meta *meta,
                                         struct armi_buf *buf, struct armi_error *err);
/* `padding` > 0 adds a field of that many bytes in all (at least 4), see
 * ARMI_PQ_PADDING_ID. */
enum armi_status armi_pq_page_header_write(const struct armi_pq_page_header *header,
                                           size_t padding, struct armi_buf *buf,
                                           struct armi_error *err);
enum armi_status armi_pq_offset_index_write(const struct armi_pq_offset_index *index,
                                            struct armi_buf *buf, struct armi_error *err);
enum armi_status armi_pq_column_index_write(const struct armi_pq_column_index *index,
                                            struct armi_buf *buf, struct armi_error *err);
enum armi_status armi_pq_bloom_header_write(const struct armi_pq_bloom_header *header,
                                            struct armi_buf *buf, struct armi_error *err);

#endif
