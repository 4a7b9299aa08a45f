/*
 * What the encoder's files share. One column chunk is encoded by one worker, page by page:
 *
 *   pieces --gather/shred--> levels + values --encoding--> page bytes --codec, CRC--> enc_page
 *
 * `enc_values` is what every encoding takes: the values that are not null, already in Parquet's
 * physical form. Pages lie in slabs of the worker's sink, or, plain and unchanged, in the Arrow
 * buffers; headers are made at the end, when each page's place in the file is known.
 */
#ifndef ARMI_PARQUET_ENC_INTERNAL_H
#define ARMI_PARQUET_ENC_INTERNAL_H

#include "arrow/array.h"
#include "base/bits.h"
#include "base/slab.h"
#include "codec/codec.h"
#include "hash/block_values.h"
#include "parquet/parquet_encode.h"
#include "parquet/parquet_schema.h"

#define ENC_PAGE_ROWS   65536
#define ENC_PAGE_BYTES  ((size_t)1 << 20)
#define ENC_BOUND_BYTES 64  /* bounds in statistics are cut at so many bytes */
#define ENC_PAGE_SLACK  128 /* that encodings and levels may write behind a page's bytes */

/* A part of texts (enc_parts.c), so that one with a few more still is one page; and what is encoded of them
 * beforehand. */
#define ENC_PART_TEXT   (ENC_PAGE_BYTES / 10 * 9)
#define ENC_PROBE_BYTES ((size_t)64 << 10)
#define ENC_CUT_FROM    4096 /* rows; smaller row groups are done before threads have met */

/* ---- memory ---- */

/* Memory that grows by slabs, larger ones where there are many, so that little is left over at their
 * ends. */
struct enc_sink {
    struct armi_slab *slabs; /* the newest first; owned */
    size_t used;             /* of the newest */
    size_t size;             /* of all */
};

/* `size` bytes that are not initialised, 64-byte aligned. They count once committed. */
enum armi_status enc_sink_reserve(struct enc_sink *sink, size_t size, uint8_t **out,
                                  struct armi_error *err);
/* Takes the first `size` bytes of what was reserved last. */
void enc_sink_commit(struct enc_sink *sink, const uint8_t *reserved, size_t size);
/* Bytes that are left of the newest slab. */
size_t enc_sink_room(const struct enc_sink *sink);
/* A slab of which `used` bytes are taken joins: as the newest where more is left of it. */
void enc_sink_join(struct enc_sink *sink, struct armi_slab *slab, size_t used);
/* As if nothing had been taken: all but the newest slab are given back. */
void enc_sink_clear(struct enc_sink *sink);

enum enc_slot {
    ENC_SLOT_FIXED,   /* gathered fixed-width values */
    ENC_SLOT_STRINGS, /* gathered slices */
    ENC_SLOT_VALID,   /* validity of a page's rows */
    ENC_SLOT_FLAT,    /* dictionary and run-end input, made plain */
    ENC_SLOT_BITS,    /* its validity */
    ENC_SLOT_INDICES, /* dictionary indices of a page */
    ENC_SLOT_LENGTHS, /* lengths, prefixes for the byte array encodings */
    ENC_SLOT_PAGE,    /* a page before its codec */
    ENC_SLOT_PROBE,   /* what a codec makes of some of it */
    ENC_SLOT_DEF,     /* levels of nested columns */
    ENC_SLOT_REP,
    ENC_SLOT_SPANS,   /* what of the leaf array is there */
    ENC_SLOT_DICT,    /* the dictionary's table */
    ENC_SLOT_ENTRIES, /* the dictionary's entries */
    ENC_SLOT_BLOOM,   /* hashes for a Bloom filter */
    ENC_SLOT_WORDS,   /* strings of an Arrow dictionary */
    ENC_SLOT_CODES,   /* a page's indices in it */
    ENC_SLOT_MAP,     /* from them to the numbers of ours */
    ENC_SLOT_COUNT,
};

/*
 * Memory and contexts of one thread, used again for every column it encodes. A column's pages come into
 * being in `sink` and go to `out` when it is done, so that what it came to without (pages before their
 * codec, a dictionary given up) is not kept beside them.
 */
struct enc_worker {
    struct enc_sink out;     /* pages of columns that are done; they stay where they are */
    struct enc_sink sink;    /* the column at work */
    struct enc_sink entries; /* its dictionary's entries, where these are bytes of a page */
    struct armi_codec_context *codecs;
    struct armi_slab *slots[ENC_SLOT_COUNT];
};

/* At least `size` bytes in the slot; what was in it is lost if it has to grow. */
enum armi_status enc_slot_get(struct enc_worker *worker, enum enc_slot slot, size_t size,
                              void *out, struct armi_error *err);
/* The same, keeping the first `keep` bytes. */
enum armi_status enc_slot_grow(struct enc_worker *worker, enum enc_slot slot, size_t keep,
                               size_t size, void *out, struct armi_error *err);
void enc_worker_release(struct enc_worker *worker);

/* ---- values ---- */

/* Strings from number `first` on that lie in one buffer, and how far it may be read; NULL: not known. */
struct enc_text {
    size_t first;
    const uint8_t *until;
};

#define ENC_TEXTS                                                                          \
    16 /* as many buffers are told apart in a page; of the last nothing is known then */

struct enc_values {
    size_t count;
    uint32_t width;                   /* bytes of a fixed-width value; else 0 */
    const uint8_t *fixed;             /* count * width bytes; BOOLEAN: bits from bit 0 on */
    const struct armi_slice *strings; /* BYTE_ARRAY */
    struct enc_text texts[ENC_TEXTS];
    size_t text_count; /* 0: nothing is known of any */
    uint64_t bytes;    /* sum of the strings' sizes */
    /* Strings that are all entries of one Arrow dictionary: their indices in it. */
    const uint32_t *codes;
    const struct armi_array *codes_of;
    bool is_borrowed; /* `fixed` lies in the input and may be handed out */
};

/* How far the memory of all strings may be read; NULL if that is not one buffer's. */
static inline const uint8_t *enc_values_until(const struct enc_values *v)
{
    return v->text_count == 1 ? v->texts[0].until : NULL;
}

/* ---- statistics (enc_stats.c) ---- */

enum enc_order {
    ENC_ORDER_NONE,
    ENC_ORDER_BOOL,
    ENC_ORDER_I32,
    ENC_ORDER_U32,
    ENC_ORDER_I64,
    ENC_ORDER_U64,
    ENC_ORDER_F16,
    ENC_ORDER_F32,
    ENC_ORDER_F64,
    ENC_ORDER_BYTES,   /* unsigned bytes, the shorter first */
    ENC_ORDER_UTF8,    /* the same; cut between characters */
    ENC_ORDER_FIXED,   /* unsigned bytes of one width */
    ENC_ORDER_DECIMAL, /* big-endian two's complement of one width */
};

struct enc_stats {
    bool has_min, has_max; /* a bound is known */
    bool min_exact, max_exact;
    bool has_values; /* a value that is neither null nor NaN was seen */
    uint8_t min_size, max_size;
    uint8_t min[ENC_BOUND_BYTES], max[ENC_BOUND_BYTES]; /* as Parquet stores them */
    int64_t null_count;
    int64_t nan_count;
};

enum enc_order enc_order_of(const struct armi_pq_leaf *leaf);
bool enc_order_is_float(enum enc_order order);
/* Bounds of `values` into *stats, which was zero; counts of nulls are the caller's. */
void enc_stats_values(enum enc_order order, const struct enc_values *values,
                      struct enc_stats *stats);
void enc_stats_merge(enum enc_order order, struct enc_stats *into,
                     const struct enc_stats *from);
/* memcmp-like comparison of two stored bounds. */
int enc_order_compare(enum enc_order order, const uint8_t *a, size_t a_size,
                      const uint8_t *b, size_t b_size);

/* ---- pages ---- */

struct enc_page {
    struct armi_slice parts[2]; /* payload: levels and values, or the second one empty */
    uint32_t part_count;
    int32_t uncompressed_size;
    int32_t compressed_size;
    uint32_t crc;
    int32_t value_count; /* nulls included; of a dictionary page its entries */
    int32_t encoding;
    bool is_dictionary;
    bool align;           /* values may be mapped: let them begin at 64 bytes */
    uint32_t levels_size; /* bytes before the values */
    int64_t first_row;
    int64_t row_count;
    int64_t unencoded_bytes; /* of BYTE_ARRAY */
    struct enc_stats stats;
};

/* ---- a column chunk ---- */

enum enc_codec_state {
    ENC_CODEC_OFF,
    ENC_CODEC_PROBING, /* ours to choose: pages are looked at now and then */
    ENC_CODEC_TRYING, /* asked for, but no page has got smaller yet: all are stored as they are */
    ENC_CODEC_ON,
};

struct enc_dict;

struct enc_column {
    const struct armi_pq_encode_settings *settings;
    const struct armi_pq_schema *schema;
    const struct armi_pq_leaf *leaf;
    const struct armi_pq_column_pieces *pieces; /* of its top-level column */
    int64_t rows;
    int64_t from, to;  /* those of them that are encoded: all, or a part (enc_parts.c) */
    int64_t part_rows; /* that a part has; 0: it is not cut */
    double row_cost;   /* of encoding, against other columns */
    int64_t first_row; /* rows of the row groups before, for messages */
    enum enc_order order;
    struct enc_worker *worker;
    struct armi_error *err;

    /* What was chosen. */
    enum armi_pq_encoding encoding; /* RLE_DICTIONARY or what data pages get */
    enum armi_pq_encoding fallback; /* where the dictionary is given up */
    struct armi_codec codec;
    enum enc_codec_state codec_state;
    size_t probe_next;       /* PROBING: the page at which to look next */
    uint64_t dict_bytes_max; /* a larger dictionary is no gain */
    bool is_ordered; /* the dictionary begins with all entries of Arrow's (enc_ordered.c) */
    bool has_sample_range; /* numbers close together: what the sample lay in, as integers */
    double sample_scale;   /* reals: what makes them integers; 0 of integers */
    uint64_t sample_min;   /* wraps, as the range does */
    uint64_t sample_range; /* largest less smallest */

    /* Arrow dictionaries that slots are filled from; NULL: none. */
    const struct armi_array *words_of;
    const struct armi_array *map_of;

    /* What came out. */
    struct armi_buf pages; /* of struct enc_page; a dictionary's page is the first */
    struct enc_stats stats;
    int64_t value_count;
    int64_t unencoded_bytes;
    int64_t *def_histogram; /* counts of levels; owned, with the next */
    int64_t *rep_histogram;
    uint64_t distinct;  /* of a dictionary that holds all values, else 0 */
    size_t bloom_count; /* hashes in the slot */
    struct armi_slice bloom;
};

static inline struct enc_page *enc_column_pages(const struct enc_column *c)
{
    return (struct enc_page *)(void *)c->pages.data;
}

static inline size_t enc_column_page_count(const struct enc_column *c)
{
    return c->pages.size / sizeof(struct enc_page);
}

/* Chooses the encoding, and of texts in parts the codec. */
enum armi_status enc_column_begin(struct enc_column *c);
/* Whether it is encoded in parts of part_rows; by then the encoding is chosen. */
bool enc_column_is_cut(const struct enc_column *c);
/* Encodes rows [from, to); c->pages and the counts hold the result (enc_column.c). */
enum armi_status enc_column_encode(struct enc_column *c);
void enc_column_release(struct enc_column *c);

/* Turns the codec on where it pays for values from the middle of the column, encoded as pages will be: for
 * texts in parts, of which each would have to look for itself. */
enum armi_status enc_codec_sample(struct enc_column *c);
/* The codec pays after all: the pages so far get it too, and lie in the worker's sink alone. */
enum armi_status enc_codec_turn_on(struct enc_column *c);
/* The column is done: what lies in the worker's sink goes to its output. */
enum armi_status enc_column_settle(struct enc_column *c);

/*
 * All columns of a row group, over the threads that the settings allow (enc_parts.c). What `workers` hold
 * is the caller's, one for each thread.
 */
enum armi_status enc_columns_encode(struct enc_column *columns, uint32_t count,
                                    const struct armi_parallel *parallel,
                                    struct enc_worker *workers, struct armi_error *err);

/* Whether the leaf is the column itself. */
bool enc_column_is_flat(const struct enc_column *c);
/* Rows that a page may have at most, by the width of a value. */
size_t enc_page_rows_max(const struct enc_column *c);

/* Errors that name the column, and the row where one is known (>= 0; told from 1 on). */
ARMI_PRINTF(4, 5)
enum armi_status enc_error(const struct enc_column *c, enum armi_status status, int64_t row,
                           const char *format, ...);

/* ---- from Arrow to levels and values (enc_gather.c, enc_shred.c) ---- */

/* Collects the values of one page. */
struct enc_gather {
    struct enc_column *c;
    struct enc_values values;
    uint8_t *fixed; /* slot, or NULL while `values.fixed` points into the input */
    struct armi_slice *strings; /* slot */
    const uint8_t *text;        /* the buffer that all strings so far lie in, or NULL */
    size_t capacity;            /* values that the slots hold */
    int64_t row;                /* of the column, for messages: that of the next value */
};

enum armi_status enc_gather_begin(struct enc_gather *g, struct enc_column *c,
                                  size_t capacity);
/*
 * Adds rows [from, from + count) of a leaf array, leaving out nulls. `bits`, `bit_from`: validity as
 * enc_validity gives it. *out_count: rows taken, fewer only where strings reached `byte_limit`.
 */
enum armi_status enc_gather_add(struct enc_gather *g, const struct armi_array *leaf,
                                int64_t from, int64_t count, const uint8_t *bits,
                                size_t bit_from, uint64_t byte_limit, int64_t *out_count);

/* Strings that go to `out`, up to `limit` bytes with those before. */
struct enc_string_span {
    struct armi_slice *out;
    uint64_t bytes;
    uint64_t limit;
    size_t filled;
    size_t largest;
};

/* Whether enc_words_add is the way to take `count` rows (enc_words.c). */
bool enc_words_apply(const struct enc_column *c, const struct armi_array *a, size_t count);
/* Rows from a->values[from] on of a dictionary array of strings; nulls are left out. */
enum armi_status enc_words_add(struct enc_gather *g, const struct armi_array *a,
                               size_t from, size_t count, const uint8_t *bits,
                               size_t bit_from, struct enc_string_span *s,
                               size_t *out_taken);

/* Validity of rows of any leaf array: NULL: no nulls; else bit *bit_from + i tells of row from + i. */
enum armi_status enc_validity(struct enc_column *c, const struct armi_array *leaf,
                              int64_t from, int64_t count, const uint8_t **bits,
                              size_t *bit_from);

/* Where in the pieces the next row is. */
struct enc_cursor {
    size_t piece;
    int64_t row;      /* within the piece */
    int64_t position; /* within the column */
};

/* One page's worth of a column: levels and values, up to row `end`. */
struct enc_batch {
    struct enc_values values;
    int64_t rows;
    int64_t value_count; /* nulls included */
    int64_t null_count;
    const uint8_t *valid; /* flat columns: bits of the rows from bit 0 on; NULL: no nulls */
    const uint8_t *def;   /* nested columns: a byte a level */
    const uint8_t *rep;
};

/* Moves on to `row`, which is not behind. */
void enc_cursor_seek(const struct enc_column *c, int64_t row, struct enc_cursor *cursor);

enum armi_status enc_batch_flat(struct enc_column *c, struct enc_cursor *cursor,
                                int64_t end, size_t rows_max, uint64_t byte_limit,
                                struct enc_batch *out);
enum armi_status enc_batch_nested(struct enc_column *c, struct enc_cursor *cursor,
                                  int64_t end, size_t rows_max, uint64_t byte_limit,
                                  struct enc_batch *out);

/* The next page's worth, whichever kind of column it is. */
enum armi_status enc_column_batch(struct enc_column *c, struct enc_cursor *cursor,
                                  int64_t end, struct enc_batch *out);

/* ---- pages (enc_page.c) ---- */

/* `indices` NULL: by page->encoding; else numbers of `width` bits. */
enum armi_status enc_page_data(struct enc_column *c, const struct enc_batch *b,
                               const uint32_t *indices, unsigned width,
                               struct enc_page *page);
/* Puts the dictionary page before all others. */
enum armi_status enc_page_dictionary(struct enc_column *c,
                                     const struct enc_values *entries);

/* ---- runs and bits (enc_rle.c, enc_pack.c) ---- */

/* `count` values of `width` bits, least significant first; room for enc_pack_size(count, width). The
 * values' higher bits must be zero. */
static inline size_t enc_pack_size(size_t count, unsigned width)
{
    return (count * width + 7) / 8;
}
void enc_pack32(const uint32_t *values, size_t count, unsigned width, uint8_t *out);
void enc_pack64(const uint64_t *values, size_t count, unsigned width, uint8_t *out);

/* RLE / bit-packed hybrid, without a length or width before it. Return the end of what was written. */
size_t enc_rle_bound(size_t count, unsigned width);
uint8_t *enc_rle_indices(const uint32_t *values, size_t count, unsigned width,
                         uint8_t *out);
uint8_t *enc_rle_bytes(const uint8_t *values, size_t count, unsigned width, uint8_t *out);
/* Of one bit each, from bit 0 of `bits` on, which has 8 readable bytes behind its end. */
uint8_t *enc_rle_bits(const uint8_t *bits, size_t count, uint8_t *out);
uint8_t *enc_rle_run(uint32_t value, size_t count, unsigned width, uint8_t *out);
uint8_t *enc_varint(uint8_t *out, uint64_t v);

/* ---- encodings: one row each in enc_encoding.c ---- */

struct enc_encoding {
    enum armi_pq_encoding id;
    /* Bytes that the values may need at most. */
    size_t (*bound)(const struct enc_values *values);
    /* Writes the values; `size` <= bound. `out` may be written up to the bound and 64 bytes more. */
    enum armi_status (*encode)(struct enc_column *c, const struct enc_values *values,
                               uint8_t *out, size_t *size);
};

extern const struct enc_encoding enc_plain;
extern const struct enc_encoding enc_bool_rle;
extern const struct enc_encoding enc_delta_binary;
extern const struct enc_encoding enc_delta_length;
extern const struct enc_encoding enc_delta_bytes;
extern const struct enc_encoding enc_byte_split;

const struct enc_encoding *enc_encoding_find(enum armi_pq_encoding id);

/* DELTA_BINARY_PACKED of lengths, for the byte array encodings. */
size_t enc_delta_bound(size_t count, unsigned width);
uint8_t *enc_delta_i32(const int32_t *values, size_t count, uint8_t *out);

/* ---- Bloom filters (enc_bloom.c) ---- */

bool enc_bloom_wanted(const struct enc_column *c);
enum armi_status enc_bloom_add(struct enc_column *c, const struct enc_values *v);
enum armi_status enc_bloom_finish(struct enc_column *c);

/* ---- policy (enc_policy.c) ---- */

enum armi_status enc_policy_choose(struct enc_column *c);

/* ---- the file (enc_file.c, enc_footer.c) ---- */

struct enc_group {
    struct enc_column *columns; /* one a leaf; pages' bytes may be gone already */
    uint32_t column_count;
    int64_t rows;
    uint64_t offset; /* of its first byte in the file */
    uint64_t size;
    uint64_t uncompressed;
};

/* Where a column chunk and its indexes came to lie. */
struct enc_place {
    uint64_t dictionary_offset; /* 0: none */
    uint64_t data_offset;
    uint64_t compressed;
    uint64_t uncompressed;
    uint64_t bloom_offset, column_index_offset, offset_index_offset;
    uint32_t bloom_size, column_index_size, offset_index_size;
    uint64_t *page_offsets; /* of the pages' headers */
    uint32_t *page_sizes;   /* headers included */
};

/* Bytes that go out in order. */
struct enc_out {
    struct armi_buf slices; /* of struct armi_slice, not yet handed to the sink */
    uint64_t size;          /* all bytes so far */
    struct enc_sink memory; /* headers, indexes, the footer */
    struct armi_block_hasher hasher;
    bool is_hashed;
};

enum armi_status enc_out_add(struct enc_out *out, struct armi_slice bytes,
                             struct armi_error *err);
/* Copies the bytes first. */
enum armi_status enc_out_copy(struct enc_out *out, struct armi_slice bytes,
                              struct armi_error *err);

struct enc_footer_input {
    const struct armi_pq_encode_settings *settings;
    const struct armi_pq_schema *schema;
    const struct armi_field *root;
    const struct enc_group *groups;
    struct enc_place *const *places; /* one array a group */
    size_t group_count;
    struct armi_slice block_text; /* armi.blake3, or empty */
};

/* Appends the pages of a group; fills `places`, whose page arrays come from `arena`. */
enum armi_status enc_group_place(struct enc_group *group,
                                 const struct armi_pq_encode_settings *settings,
                                 struct enc_out *out, struct enc_place *places,
                                 struct armi_pq_arena *arena, struct armi_error *err);
/* Bloom filters, column indexes, offset indexes of all groups. */
enum armi_status enc_indexes_write(const struct enc_footer_input *in, struct enc_out *out,
                                   struct armi_error *err);
/* The Thrift footer alone. */
enum armi_status enc_footer_write(const struct enc_footer_input *in, struct armi_buf *buf,
                                  struct armi_error *err);

#endif
