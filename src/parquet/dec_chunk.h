/*
 * One column chunk being read: its bytes, where its pages stand, its dictionary, and the place that
 * the last read came to. Pages are found by walking from header to header, or by the offset index
 * when only some of them are wanted.
 */
#ifndef ARMI_DEC_CHUNK_H
#define ARMI_DEC_CHUNK_H

#include "base/source.h"
#include "codec/codec.h"
#include "parquet/dec_values.h"

/* What a worker has to itself. */
struct armi_pq_worker {
    struct armi_pq_scratch scratch;
    struct armi_codec_context *codec; /* made at first use */
    uint8_t
        *window; /* bytes of the chunk that it reads just now, where they are not mapped */
    size_t window_size;
};

void armi_pq_worker_release(struct armi_pq_worker *worker);

struct armi_pq_page {
    struct armi_pq_page_header header;
    struct armi_slice stored; /* the bytes behind the header */
    size_t next;              /* where the page after it begins, in the chunk's data */
};

struct armi_pq_chunk {
    const struct armi_source *source;
    const struct armi_pq_leaf *leaf;
    const struct armi_pq_column_chunk *meta;
    int64_t row_count; /* of the row group */
    bool no_checksum;
    bool no_utf8_check;

    bool is_open;
    uint64_t start, end; /* of the chunk in the file, made plausible */
    /* Bytes that are here: [base, base + size) of the file. Mapped; else in the worker's window,
     * which moves on towards `stop` as pages are taken, and holds whole pages. */
    uint64_t base;
    struct armi_slice bytes;
    uint64_t stop;
    struct armi_pq_worker *worker; /* between seek and drop */
    uint8_t
        *held; /* the window itself, after drop in the middle of a page larger than most */
    size_t held_size;
    bool is_mapped;
    bool is_whole; /* from the chunk's first page on to its end */

    bool has_index; /* the offset index was looked for */
    struct armi_pq_arena arena;
    struct armi_pq_offset_index index; /* no pages: there is none to be trusted */

    struct armi_pq_dictionary dictionary;

    /* The page that the next read begins with, and what came before it. */
    size_t at;
    int64_t page;   /* its number, for messages; -1: not known */
    int64_t rows;   /* rows that begin before it */
    int64_t values; /* values (levels) before it; -1: not known */
};

/* Nothing is read yet. All pointers are borrowed. */
void armi_pq_chunk_init(struct armi_pq_chunk *chunk, const struct armi_source *source,
                        const struct armi_pq_leaf *leaf,
                        const struct armi_pq_column_chunk *meta, int64_t row_count);
void armi_pq_chunk_release(struct armi_pq_chunk *chunk);

/*
 * Makes the chunk ready to read rows from `row_from` on: bytes are there (all, or those of the pages
 * that hold the rows, where `is_partial` and the file has an offset index), the dictionary is read,
 * and chunk->at is a page that begins at or before row_from.
 */
enum armi_status armi_pq_chunk_seek(struct armi_pq_chunk *chunk, int64_t row_from,
                                    int64_t row_count, bool is_partial,
                                    struct armi_pq_budget *budget,
                                    struct armi_pq_worker *worker, struct armi_error *err);

/* The next data page at chunk->at, which stays there; others are passed over. False in *out_found
 * at the end of the bytes. The page before it is gone. */
enum armi_status armi_pq_chunk_page(struct armi_pq_chunk *chunk, struct armi_pq_page *out,
                                    bool *out_found, struct armi_error *err);

/* After seek, and before the worker reads another chunk: lets go of its window, unless so large a
 * page lies there that the next span should not read it again. */
void armi_pq_chunk_drop(struct armi_pq_chunk *chunk);

/* A page's bytes as they were before compression: borrowed from the chunk or the worker's scratch.
 * Of a V2 page the levels stand in front, as stored. */
enum armi_status armi_pq_chunk_inflate(struct armi_pq_chunk *chunk,
                                       const struct armi_pq_page *page,
                                       struct armi_pq_worker *worker,
                                       struct armi_slice *out, struct armi_error *err);

#endif
