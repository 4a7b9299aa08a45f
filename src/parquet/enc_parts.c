/*
 * The columns of a row group over several threads. A long column without a dictionary is encoded in parts,
 * so that one costly column (texts under a codec) does not keep all but one thread waiting. Parts are cut
 * by rows alone, where pages end anyway, so that the bytes are the same for any number of threads.
 *
 * A part is a column that begins later. V1 pages have one codec a chunk: where the parts come to
 * different answers, it is used in all.
 */
#include "parquet/enc_internal.h"

#include <stdlib.h>

#include "base/alloc.h"

struct parts_job {
    struct enc_column **parts; /* costly ones first */
    size_t count;
    struct enc_column
        *more;         /* parts behind the first of a column, which is the column itself */
    uint32_t *more_of; /* their columns, rising */
    size_t more_count;
    struct enc_worker *workers;
    bool is_begun; /* encodings are chosen */
};

static enum armi_status part_attach(struct parts_job *job, struct enc_column *c,
                                    unsigned worker, struct armi_error *err)
{
    struct enc_worker *w = &job->workers[worker];
    if (w->codecs == NULL)
        ARMI_TRY(armi_codec_context_new(&w->codecs, err));
    c->worker = w;
    c->words_of = c->map_of = NULL; /* they were in slots of another worker */
    c->err = err;
    return ARMI_OK;
}

static enum armi_status begin_task(void *ctx, size_t index, unsigned worker,
                                   struct armi_error *err)
{
    struct parts_job *job = ctx;
    ARMI_TRY(part_attach(job, job->parts[index], worker, err));
    return enc_column_begin(job->parts[index]);
}

static enum armi_status encode_task(void *ctx, size_t index, unsigned worker,
                                    struct armi_error *err)
{
    struct parts_job *job = ctx;
    ARMI_TRY(part_attach(job, job->parts[index], worker, err));
    if (!job->is_begun)
        ARMI_TRY(enc_column_begin(job->parts[index]));
    return enc_column_encode(job->parts[index]);
}

static enum armi_status codec_task(void *ctx, size_t index, unsigned worker,
                                   struct armi_error *err)
{
    struct parts_job *job = ctx;
    ARMI_TRY(part_attach(job, job->parts[index], worker, err));
    ARMI_TRY(enc_codec_turn_on(job->parts[index]));
    return enc_column_settle(job->parts[index]);
}

/* ---- cutting ---- */

/* Where the part that begins at `from` ends: after so many rows, and at the end of a range if the rows
 * have any, since all columns end a page there. */
static int64_t part_end(const struct enc_column *c, int64_t from)
{
    const struct armi_pq_encode_settings *s = c->settings;
    int64_t end = from + c->part_rows;
    for (size_t i = 0; i < s->range_count; i++)
        if (s->range_ends[i] >= end)
            return s->range_ends[i] < c->rows ? s->range_ends[i] : c->rows;
    return end < c->rows && s->range_count == 0 ? end : c->rows;
}

static enum armi_status parts_cut(struct parts_job *job, struct enc_column *columns,
                                  uint32_t count, struct armi_error *err)
{
    size_t most = 0;
    for (uint32_t i = 0; i < count; i++)
        most += enc_column_is_cut(&columns[i])
                    ? (size_t)(columns[i].rows / columns[i].part_rows)
                    : 0;
    job->more = armi_alloc_zero(most + 1, sizeof *job->more);
    job->more_of = armi_alloc_array(most + 1, sizeof *job->more_of);
    if (job->more == NULL || job->more_of == NULL)
        return armi_error_no_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        struct enc_column *c = &columns[i];
        if (!enc_column_is_cut(c))
            continue;
        for (int64_t from = part_end(c, 0); from < c->rows;) {
            struct enc_column *part = &job->more[job->more_count];
            *part = *c;
            part->from = from;
            part->to = from = part_end(c, from);
            c->to = c->to == c->rows ? part->from : c->to;
            job->more_of[job->more_count++] = i;
        }
    }
    return ARMI_OK;
}

static double part_cost(const struct enc_column *c)
{
    return c->row_cost * (double)(c->to - c->from);
}

static int part_compare(const void *a, const void *b)
{
    const struct enc_column *x = *(struct enc_column *const *)a;
    const struct enc_column *y = *(struct enc_column *const *)b;
    if (part_cost(x) != part_cost(y))
        return part_cost(x) > part_cost(y) ? -1 : 1;
    if (x->leaf != y->leaf)
        return x->leaf < y->leaf ? -1 : 1;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* Costly ones first, so that no thread is left with one at the end. */
static enum armi_status parts_order(struct parts_job *job, struct enc_column *columns,
                                    uint32_t count, struct armi_error *err)
{
    armi_free(job->parts);
    job->count = 0;
    job->parts = armi_alloc_array(count + job->more_count, sizeof *job->parts);
    if (job->parts == NULL)
        return armi_error_no_memory(err);
    for (size_t i = 0; i < job->more_count; i++)
        job->parts[job->count++] = &job->more[i];
    for (uint32_t i = 0; i < count; i++)
        job->parts[job->count++] = &columns[i];
    qsort(job->parts, job->count, sizeof *job->parts, part_compare);
    return ARMI_OK;
}

/* ---- putting together ---- */

static bool codec_is_on(const struct enc_column *c)
{
    return c->codec_state == ENC_CODEC_ON;
}

/* Leaves in job->parts those parts that lack a codec which another part of their column has. */
static void codecs_compare(struct parts_job *job, struct enc_column *columns)
{
    job->count = 0;
    for (size_t i = 0, end; i < job->more_count; i = end) {
        struct enc_column *first = &columns[job->more_of[i]];
        bool any = codec_is_on(first);
        for (end = i; end < job->more_count && job->more_of[end] == job->more_of[i]; end++)
            any |= codec_is_on(&job->more[end]);
        if (any && !codec_is_on(first))
            job->parts[job->count++] = first;
        for (size_t k = i; any && k < end; k++)
            if (!codec_is_on(&job->more[k]))
                job->parts[job->count++] = &job->more[k];
    }
}

static enum armi_status part_join(struct enc_column *c, const struct enc_column *part,
                                  struct armi_error *err)
{
    ARMI_TRY(armi_buf_append(&c->pages, part->pages.data, part->pages.size, err));
    enc_stats_merge(c->order, &c->stats, &part->stats);
    c->value_count += part->value_count;
    c->unencoded_bytes += part->unencoded_bytes;
    for (size_t i = 0; i < 512; i++)
        c->def_histogram[i] += part->def_histogram[i];
    c->to = part->to;
    return ARMI_OK;
}

static enum armi_status parts_run(struct parts_job *job, struct enc_column *columns,
                                  uint32_t count, const struct armi_parallel *parallel,
                                  struct armi_error *err)
{
    ARMI_TRY(parts_order(job, columns, count, err));
    if (count > 0 && columns[0].rows > ENC_CUT_FROM) {
        ARMI_TRY(armi_pool_run(parallel, job->count, begin_task, job, err));
        job->is_begun = true;
        ARMI_TRY(parts_cut(job, columns, count, err));
        ARMI_TRY(parts_order(job, columns, count, err));
    }
    ARMI_TRY(armi_pool_run(parallel, job->count, encode_task, job, err));
    codecs_compare(job, columns);
    ARMI_TRY(armi_pool_run(parallel, job->count, codec_task, job, err));
    for (size_t i = 0; i < job->more_count; i++)
        ARMI_TRY(part_join(&columns[job->more_of[i]], &job->more[i], err));
    return ARMI_OK;
}

enum armi_status enc_columns_encode(struct enc_column *columns, uint32_t count,
                                    const struct armi_parallel *parallel,
                                    struct enc_worker *workers, struct armi_error *err)
{
    struct parts_job job = {.workers = workers};
    enum armi_status status = parts_run(&job, columns, count, parallel, err);
    for (size_t i = 0; i < job.more_count; i++)
        enc_column_release(&job.more[i]);
    armi_free(job.more);
    armi_free(job.more_of);
    armi_free(job.parts);
    return status;
}
