/*
 * Parquet files in memory and on disk, as Arrow streams: an encoder and a decoder that
 * stand alone.
 *
 * What is written is plain standard Parquet, the same bytes for the same data, settings and
 * library versions. Every Arrow type that Parquet can carry survives exactly. What is read
 * may come from any writer; a file that is damaged, cut off or hostile gives
 * ARMI_CORRUPTION and never a wrong answer.
 *
 * Streams are pulled, and callbacks called, on the calling thread only. Every function may
 * be called from many threads at once on different objects; an armi_parquet_file may be
 * shared by threads.
 */
#ifndef ARMILLARIA_PARQUET_H
#define ARMILLARIA_PARQUET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <armillaria/arrow_abi.h>
#include <armillaria/bytes.h>
#include <armillaria/call.h>
#include <armillaria/error.h>
#include <armillaria/export.h>
#include <armillaria/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Which readers the file is for. */
enum armi_parquet_profile {
    ARMI_PARQUET_STANDARD =
        0, /**< any reader of the last years: also the DELTA encodings */
    ARMI_PARQUET_PORTABLE = 1, /**< the oldest readers: PLAIN and dictionary only */
    ARMI_PARQUET_DENSE = 2,    /**< smallest: also BYTE_STREAM_SPLIT and a slower zstd */
};

struct armi_parquet_encode_options {
    size_t size; /**< sizeof(struct armi_parquet_encode_options) */
    /**
     * "auto" (also NULL), "none", "snappy", "gzip", "brotli", "zstd", "lz4_raw", each of
     * gzip, brotli and zstd with an optional ":level". A named codec is used for every page
     * that it makes smaller; "auto" uses zstd where a sample says that it pays.
     */
    const char *compression;
    enum armi_parquet_profile profile;
    unsigned threads;        /**< 0: all cores */
    int64_t row_group_rows;  /**< 0: 1,048,576 */
    int64_t row_group_bytes; /**< 0: 128 MiB, measured in Arrow memory */
    bool no_page_index;      /**< leave out column index and offset index */
    bool no_dictionary;      /**< never use a dictionary */
    bool no_checksum;        /**< leave out the pages' CRC-32 */
    bool no_arrow_schema; /**< leave out ARROW:schema: types come back as Parquet says them
                           */
    /** Names of top-level columns that get Bloom filters; count 0: none. */
    const char *const *bloom_columns;
    size_t bloom_column_count;
    struct armi_callbacks callbacks;
    /**
     * Where armi_parquet_encode puts the file: asked once, with its size, on the calling
     * thread, when all is encoded. NULL as an answer ends the call with ARMI_NO_MEMORY.
     * Saves those a copy who keep bytes in objects of their own. Not set: the library's
     * memory.
     */
    void *(*allocate)(void *ctx, size_t size);
    void *allocate_ctx;
};

#define ARMI_PARQUET_ENCODE_OPTIONS_INIT                                                   \
    {                                                                                      \
        .size = sizeof(struct armi_parquet_encode_options)                                 \
    }

/**
 * Encodes a whole stream as one Parquet file.
 *
 * @param data    moved: released by the call, also on failure. Its type must be a struct (a
 * table).
 * @param options borrowed for the call; NULL: defaults.
 * @param out     on ARMI_OK the file, owned by the caller (bytes.release); else untouched.
 *                With options.allocate it lies in that memory, and nothing is to be released.
 *
 * Takes memory for the encoded file twice at the end, and 64 MiB a thread on the way.
 *
 * ARMI_UNSUPPORTED names a column whose type Parquet cannot carry, before anything is
 * encoded. ARMI_INVALID: the stream failed, or its arrays break the rules of Arrow.
 * ARMI_LIMIT: a value above 2^30 bytes, naming column and row. ARMI_INTERRUPTED,
 * ARMI_NO_MEMORY.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_parquet_encode(struct ArrowArrayStream *data,
                    const struct armi_parquet_encode_options *options,
                    struct armi_bytes *out, struct armi_error *err);

/** What armi_parquet_write tells. */
struct armi_parquet_write_result {
    size_t size; /**< sizeof(struct armi_parquet_write_result) */
    int64_t rows;
    int64_t row_groups;
    int64_t bytes;
};

/**
 * The same into a file, one row group after the other, so that memory stays at about one
 * row group. The file appears under `path` when it is complete (written beside it, then
 * renamed over it); its bytes are not flushed to the medium. `result` may be NULL.
 * ARMI_STORAGE: the system refused.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_parquet_write(struct ArrowArrayStream *data, const char *path,
                   const struct armi_parquet_encode_options *options,
                   struct armi_parquet_write_result *result, struct armi_error *err);

struct armi_parquet_decode_options {
    size_t size; /**< sizeof(struct armi_parquet_decode_options) */
    /** Columns by name, in the order wanted ("a.b" is field b of the struct a, unless a
     * column has that very name), or by number where `columns` is NULL. Both NULL: all. A
     * count of 0 with a pointer set gives no column, but the rows are counted. */
    const char *const *columns;
    const int32_t *column_indexes;
    size_t column_count;
    const char *where;  /**< a row predicate, NULL: all rows */
    int64_t first_row;  /**< skip so many rows of the file… */
    int64_t row_count;  /**< …and read so many; 0: all that follow */
    int64_t batch_rows; /**< rows in one array of the stream; 0: chosen by size, at most 64
                           MiB */
    uint64_t max_bytes; /**< ARMI_LIMIT before a result grows beyond it; 0: 4 GiB;
                           UINT64_MAX: none */
    unsigned threads;   /**< 0: all cores */
    bool no_checksum;   /**< do not compare the pages' CRC-32 */
    bool no_arrow_schema; /**< ignore ARROW:schema: types as Parquet says them */
    struct armi_callbacks callbacks;
};

#define ARMI_PARQUET_DECODE_OPTIONS_INIT                                                   \
    {                                                                                      \
        .size = sizeof(struct armi_parquet_decode_options)                                 \
    }

/** An open Parquet file: its footer is read and checked. Immutable; free of thread rules.
 */
struct armi_parquet_file;

/**
 * Opens a file that lies in memory.
 *
 * @param bytes moved: the file keeps them alive while it, or a stream or an array read from
 * it, lives (columns that are stored plain are handed out without a copy). On failure as
 * well.
 *
 * ARMI_CORRUPTION: not a Parquet file, or a damaged one. ARMI_UNSUPPORTED: encrypted.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_parquet_file_open(struct armi_bytes *bytes, struct armi_parquet_file **out,
                       struct armi_error *err);

/** Opens a file on disk. ARMI_NOT_FOUND: there is none. ARMI_STORAGE: the system refused.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_parquet_file_open_path(const char *path, struct armi_parquet_file **out,
                            struct armi_error *err);

/** NULL is allowed. Streams that were read from it stay valid. */
ARMI_API void armi_parquet_file_close(struct armi_parquet_file *file);

ARMI_API int64_t armi_parquet_file_rows(const struct armi_parquet_file *file);
ARMI_API int32_t armi_parquet_file_row_groups(const struct armi_parquet_file *file);
/** Leaf columns: what is stored, one chunk of each in every row group. */
ARMI_API int32_t armi_parquet_file_leaves(const struct armi_parquet_file *file);
/** Who wrote it, or "". Borrowed from the file. */
ARMI_API const char *armi_parquet_file_created_by(const struct armi_parquet_file *file);

/** The Arrow schema that a read of all columns gives; owned by the caller (out->release).
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_parquet_file_schema(const struct armi_parquet_file *file, struct ArrowSchema *out,
                         struct armi_error *err);

/** One column chunk as the footer describes it. Strings are borrowed from the file. */
struct armi_parquet_chunk_info {
    size_t size; /**< sizeof(struct armi_parquet_chunk_info) */
    const char *path;
    const char *physical_type;
    const char *compression;
    char encodings[128]; /**< names, separated by ", " */
    int64_t rows;
    int64_t values;
    int64_t nulls; /**< -1: not known */
    int64_t compressed_bytes;
    int64_t uncompressed_bytes;
    bool has_min_max;
    bool has_dictionary;
    bool has_page_index;
    bool has_bloom_filter;
};

/** ARMI_NOT_FOUND: no such row group or leaf. */
ARMI_API ARMI_MUST_USE enum armi_status
armi_parquet_file_chunk(const struct armi_parquet_file *file, int32_t row_group,
                        int32_t leaf, struct armi_parquet_chunk_info *out,
                        struct armi_error *err);

/**
 * Reads as a stream: columns and predicate are resolved, and refused, here; pages are read
 * while the stream is pulled, in bounded memory.
 *
 * @param out on ARMI_OK a stream owned by the caller (out->release), independent of `file`.
 *
 * ARMI_NOT_FOUND: no such column, naming those that exist. ARMI_INVALID: the predicate.
 * While pulling, get_next answers with errno (EIO for damage) and get_last_error with the
 * message.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_parquet_file_read(struct armi_parquet_file *file,
                       const struct armi_parquet_decode_options *options,
                       struct ArrowArrayStream *out, struct armi_error *err);

/**
 * How many row groups the predicate needs: by statistics, dictionaries and Bloom filters,
 * without reading a row. total = pruned + kept.
 */
ARMI_API ARMI_MUST_USE enum armi_status
armi_parquet_file_prune(const struct armi_parquet_file *file, const char *where,
                        int64_t *total, int64_t *pruned, int64_t *kept,
                        struct armi_error *err);

#ifdef __cplusplus
}
#endif

#endif
