/*
 * The encoder as the layers above use it: columns given as pieces of Arrow arrays, a file handed out
 * as slices in order, its name and the values of its blocks computed in the same pass.
 *
 * Nothing is copied on the way in, and plain pages without a codec are not copied on the way out
 * either: their slices point into the input's buffers. So the input must live as long as the output.
 */
#ifndef ARMI_PARQUET_ENCODE_H
#define ARMI_PARQUET_ENCODE_H

#include <armillaria/parquet.h>

#include "arrow/array.h"
#include "base/pool.h"
#include "codec/codec.h"

struct armi_slab;

#define ARMI_PARQUET_CREATED_BY "armillaria version 1.0.2"

struct armi_pq_encode_settings {
    struct armi_parallel parallel;
    enum armi_parquet_profile profile;
    struct armi_codec codec; /* where `is_auto`, what is used if it pays */
    bool is_auto;            /* zstd where a sample says so */
    bool slim;               /* tiny chunks: no ARROW:schema, page index or dictionary */
    bool no_page_index;
    bool no_dictionary;
    bool no_checksum;
    bool no_arrow_schema;
    bool no_borrow;       /* nothing of the output points into the input */
    bool no_block_values; /* no armi.blake3 key and no name: for what is no chunk */
    bool align;           /* plain payloads begin at multiples of 64 bytes of the file */
    const int64_t
        *range_ends; /* rows at which pages are cut, rising; the last may be left out */
    size_t range_count;
    const uint32_t *bloom_columns; /* numbers of top-level columns, rising */
    size_t bloom_count;
};

/* The defaults: standard, auto, all cores, aligned. */
void armi_pq_encode_settings_init(struct armi_pq_encode_settings *settings);
/* From the public options (NULL: defaults), except for the Bloom filters, which need the schema. */
enum armi_status
armi_pq_encode_settings_from(const struct armi_parquet_encode_options *options,
                             struct armi_pq_encode_settings *out, struct armi_error *err);

/* One top-level column: views whose lengths add up to the rows. Borrowed until the output's release. */
struct armi_pq_column_pieces {
    const struct armi_array *pieces;
    size_t count;
};

/* A file in memory, in order of its bytes. Zero is an empty one. */
struct armi_pq_output {
    struct armi_slice *slices;
    size_t count;
    uint64_t size;
    uint32_t
        footer_size; /* of the Thrift footer: 8 bytes less than what lies behind the indexes */
    struct armi_hash name; /* BLAKE3 of the file */
    struct armi_slab *slabs;
    uint32_t leaf_count;
    uint64_t *leaf_bytes; /* stored bytes of each leaf's column chunk */
};

void armi_pq_output_release(struct armi_pq_output *output);
/* The bytes one after the other, by several threads; `out` has room for output->size. Only fails when
 * interrupted. */
enum armi_status armi_pq_output_copy(const struct armi_pq_output *output,
                                     const struct armi_parallel *parallel, uint8_t *out,
                                     struct armi_error *err);

/*
 * Encodes one file of one row group (of none if `rows` is 0 and so the file has no data).
 *
 * `schema` is a struct field, its children are the columns; ids >= 0 become field ids. Metadata keys
 * "armi.*" are left out. `columns` has one entry a child.
 * ARMI_UNSUPPORTED names the column whose type Parquet cannot carry; ARMI_INVALID the column and row
 * of a value that does not fit its type or of a null in a column that has none by its schema;
 * ARMI_LIMIT the column and row of a value above ARMI_VALUE_SIZE_MAX.
 */
enum armi_status armi_pq_encode_chunk(const struct armi_pq_encode_settings *settings,
                                      const struct armi_field *schema,
                                      const struct armi_pq_column_pieces *columns,
                                      int64_t rows, struct armi_pq_output *out,
                                      struct armi_error *err);

/*
 * The same in steps, for files of several row groups. What is added must stay alive until the output
 * of finish is released, or until the sink has seen it: with a sink, the bytes of each row group are
 * handed to it and forgotten, and so is the footer; `out` of finish then holds no slices.
 */
struct armi_pq_encoder;

struct armi_pq_sink {
    enum armi_status (*write)(void *ctx, const struct armi_slice *slices, size_t count,
                              struct armi_error *err);
    void *ctx;
};

enum armi_status armi_pq_encoder_new(const struct armi_pq_encode_settings *settings,
                                     const struct armi_field *schema,
                                     const struct armi_pq_sink *sink,
                                     struct armi_pq_encoder **out, struct armi_error *err);
/* From the next row group on the input need not live longer than the call of add. */
void armi_pq_encoder_set_no_borrow(struct armi_pq_encoder *encoder);
enum armi_status armi_pq_encoder_add(struct armi_pq_encoder *encoder,
                                     const struct armi_pq_column_pieces *columns,
                                     int64_t rows, struct armi_error *err);
/* Once. The encoder may only be freed afterwards. */
enum armi_status armi_pq_encoder_finish(struct armi_pq_encoder *encoder,
                                        struct armi_pq_output *out, struct armi_error *err);
void armi_pq_encoder_free(struct armi_pq_encoder *encoder);

#endif
