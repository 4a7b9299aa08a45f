/*
 * The encoder as a whole: columns in parallel, then the file in order. Workers fill memory of their
 * own; when a row group is done its pages are put in their places, hashed, and handed on.
 */
#include "parquet/parquet_encode.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "parquet/enc_internal.h"

struct armi_pq_encoder {
    struct armi_pq_encode_settings settings;
    const struct armi_field *root;
    struct armi_pq_schema schema;
    struct armi_pq_sink sink; /* .write NULL: keep everything */
    struct enc_out out;
    struct armi_buf groups; /* of struct enc_group */
    struct armi_buf places; /* of struct enc_place * */
    struct armi_pq_arena arena;
    unsigned worker_count;
    struct enc_worker *workers; /* their output: pages that are not handed on yet */
};

void armi_pq_encode_settings_init(struct armi_pq_encode_settings *settings)
{
    *settings = (struct armi_pq_encode_settings){
        .codec = {ARMI_CODEC_ZSTD, 1},
        .is_auto = true,
        .align = true,
    };
}

enum armi_status
armi_pq_encode_settings_from(const struct armi_parquet_encode_options *options,
                             struct armi_pq_encode_settings *out, struct armi_error *err)
{
    struct armi_pq_encode_settings s;
    armi_pq_encode_settings_init(&s);
    if (options != NULL) {
        if (options->compression != NULL && strcmp(options->compression, "auto") != 0) {
            ARMI_TRY(armi_codec_parse(options->compression, &s.codec, err));
            s.is_auto = false;
        } else if (options->profile == ARMI_PARQUET_DENSE) {
            s.codec.level = 3;
        }
        if ((unsigned)options->profile > ARMI_PARQUET_DENSE)
            return armi_error_set(err, ARMI_INVALID, "Invalid profile: %d",
                                  (int)options->profile);
        s.profile = options->profile;
        s.no_page_index = options->no_page_index;
        s.no_dictionary = options->no_dictionary;
        s.no_checksum = options->no_checksum;
        s.no_arrow_schema = options->no_arrow_schema;
        s.parallel.threads = options->threads;
        s.parallel.interrupt.interrupted = options->callbacks.interrupted;
        s.parallel.interrupt.ctx = options->callbacks.ctx;
    }
    *out = s;
    return ARMI_OK;
}

void armi_pq_output_release(struct armi_pq_output *output)
{
    armi_free(output->slices);
    armi_free(output->leaf_bytes);
    armi_slab_give(output->slabs);
    *output = (struct armi_pq_output){0};
}

#define COPY_BYTES ((uint64_t)1 << 20)

struct copy_job {
    const struct armi_pq_output *output;
    uint8_t *out;
};

/* Bytes [from, to) of the file, of which slice after slice holds a part. */
static void range_copy(const struct armi_pq_output *output, uint64_t from, uint64_t to,
                       uint8_t *out)
{
    uint64_t at = 0;
    for (size_t i = 0; i < output->count && at < to; i++) {
        const struct armi_slice *s = &output->slices[i];
        uint64_t end = at + s->size;
        uint64_t first = at < from ? from : at, last = end < to ? end : to;
        if (first < last)
            memcpy(out + first, s->data + (first - at), (size_t)(last - first));
        at = end;
    }
}

static enum armi_status copy_task(void *ctx, size_t index, unsigned worker,
                                  struct armi_error *err)
{
    (void)worker;
    (void)err;
    const struct copy_job *job = ctx;
    uint64_t from = index * COPY_BYTES, left = job->output->size - from;
    range_copy(job->output, from, from + (left < COPY_BYTES ? left : COPY_BYTES), job->out);
    return ARMI_OK;
}

enum armi_status armi_pq_output_copy(const struct armi_pq_output *output,
                                     const struct armi_parallel *parallel, uint8_t *out,
                                     struct armi_error *err)
{
    struct copy_job job = {output, out};
    size_t tasks = (size_t)(output->size / COPY_BYTES + (output->size % COPY_BYTES != 0));
    return armi_pool_run(parallel, tasks, copy_task, &job, err);
}

/* ---- life ---- */

static struct enc_group *encoder_groups(const struct armi_pq_encoder *e, size_t *count)
{
    *count = e->groups.size / sizeof(struct enc_group);
    return (struct enc_group *)(void *)e->groups.data;
}

static void group_release(struct enc_group *group)
{
    for (uint32_t i = 0; i < group->column_count; i++)
        enc_column_release(&group->columns[i]);
    armi_free(group->columns);
}

void armi_pq_encoder_free(struct armi_pq_encoder *e)
{
    if (e == NULL)
        return;
    size_t count;
    struct enc_group *groups = encoder_groups(e, &count);
    for (size_t i = 0; i < count; i++)
        group_release(&groups[i]);
    armi_buf_release(&e->groups);
    armi_buf_release(&e->places);
    armi_buf_release(&e->out.slices);
    armi_block_hasher_release(&e->out.hasher);
    armi_slab_give(e->out.memory.slabs);
    for (unsigned i = 0; i < e->worker_count; i++)
        enc_worker_release(&e->workers[i]);
    armi_free(e->workers);
    armi_pq_arena_release(&e->arena);
    armi_pq_schema_release(&e->schema);
    armi_free(e);
}

static const uint8_t magic[4] = {'P', 'A', 'R', '1'};

enum armi_status armi_pq_encoder_new(const struct armi_pq_encode_settings *settings,
                                     const struct armi_field *schema,
                                     const struct armi_pq_sink *sink,
                                     struct armi_pq_encoder **out, struct armi_error *err)
{
    struct armi_pq_encoder *e = armi_alloc_zero(1, sizeof *e);
    if (e == NULL)
        return armi_error_no_memory(err);
    e->settings = *settings;
    e->root = schema;
    if (sink != NULL)
        e->sink = *sink;
    armi_block_hasher_init(&e->out.hasher);
    e->out.is_hashed = !settings->no_block_values;
    e->worker_count = armi_pool_width(&settings->parallel);
    e->workers = armi_alloc_zero(e->worker_count, sizeof *e->workers);
    enum armi_status status = ARMI_OK;
    if (e->workers == NULL) {
        e->worker_count = 0;
        status = armi_error_no_memory(err);
    }
    if (status == ARMI_OK)
        status = armi_pq_schema_from_arrow(schema, &e->schema, err);
    if (status == ARMI_OK)
        status = enc_out_add(&e->out, (struct armi_slice){magic, sizeof magic}, err);
    if (status != ARMI_OK) {
        armi_pq_encoder_free(e);
        return status;
    }
    *out = e;
    return ARMI_OK;
}

/* ---- a row group ---- */

static void columns_prepare(const struct armi_pq_encoder *e,
                            const struct armi_pq_column_pieces *pieces, int64_t rows,
                            struct enc_column *columns)
{
    size_t count;
    const struct enc_group *groups = encoder_groups(e, &count);
    int64_t first_row = 0;
    for (size_t i = 0; i < count; i++)
        first_row += groups[i].rows;
    for (uint32_t i = 0; i < e->schema.leaf_count; i++) {
        const struct armi_pq_leaf *leaf = &e->schema.leaves[i];
        columns[i] = (struct enc_column){
            .settings = &e->settings,
            .schema = &e->schema,
            .leaf = leaf,
            .pieces = &pieces[leaf->top],
            .rows = rows,
            .to = rows,
            .first_row = first_row,
            .order = enc_order_of(leaf),
        };
    }
}

static enum armi_status pieces_check(const struct armi_pq_encoder *e,
                                     const struct armi_pq_column_pieces *columns,
                                     int64_t rows, struct armi_error *err)
{
    for (size_t i = 0; i < e->root->child_count; i++) {
        int64_t sum = 0;
        for (size_t k = 0; k < columns[i].count; k++)
            sum += columns[i].pieces[k].length;
        if (sum != rows)
            return armi_error_object(err, ARMI_INVALID, "column", e->root->children[i].name,
                                     "column \"%s\": has %lld rows, not %lld",
                                     e->root->children[i].name, (long long)sum,
                                     (long long)rows);
    }
    return ARMI_OK;
}

/* What is in order is hashed, and with a sink handed on and forgotten. */
static enum armi_status out_flush(struct armi_pq_encoder *e, size_t *hashed, bool last,
                                  struct armi_error *err)
{
    const struct armi_slice *slices =
        (const struct armi_slice *)(const void *)e->out.slices.data;
    size_t count = e->out.slices.size / sizeof *slices;
    if (e->out.is_hashed && count > *hashed)
        ARMI_TRY(armi_block_hasher_update_parallel(&e->out.hasher, &e->settings.parallel,
                                                   slices + *hashed, count - *hashed, err));
    *hashed = count;
    if (e->sink.write == NULL || (count == 0 && !last))
        return ARMI_OK;
    ARMI_TRY(e->sink.write(e->sink.ctx, slices, count, err));
    armi_buf_clear(&e->out.slices);
    for (unsigned i = 0; i < e->worker_count; i++)
        enc_sink_clear(&e->workers[i].out);
    enc_sink_clear(&e->out.memory);
    *hashed = 0;
    return ARMI_OK;
}

/* Bloom filters are written at the end, after the pages' memory is gone. */
static enum armi_status blooms_keep(struct armi_pq_encoder *e, struct enc_group *group,
                                    struct armi_error *err)
{
    for (uint32_t i = 0; i < group->column_count; i++) {
        struct armi_slice *bloom = &group->columns[i].bloom;
        if (bloom->size == 0)
            continue;
        uint8_t *copy = armi_pq_arena_alloc(&e->arena, bloom->size, 1);
        if (copy == NULL)
            return armi_error_no_memory(err);
        memcpy(copy, bloom->data, bloom->size);
        bloom->data = copy;
    }
    return ARMI_OK;
}

void armi_pq_encoder_set_no_borrow(struct armi_pq_encoder *e)
{
    e->settings.no_borrow = true;
}

enum armi_status armi_pq_encoder_add(struct armi_pq_encoder *e,
                                     const struct armi_pq_column_pieces *columns,
                                     int64_t rows, struct armi_error *err)
{
    if (rows == 0)
        return ARMI_OK;
    ARMI_TRY(pieces_check(e, columns, rows, err));
    uint32_t count = e->schema.leaf_count;
    struct enc_group group = {.column_count = count, .rows = rows};
    group.columns = armi_alloc_zero(count, sizeof *group.columns);
    struct enc_place *places = armi_pq_arena_alloc(&e->arena, count, sizeof *places);
    enum armi_status status = ARMI_OK;
    if (group.columns == NULL || (places == NULL && count > 0)) {
        group.column_count = 0;
        status = armi_error_no_memory(err);
        goto done;
    }
    columns_prepare(e, columns, rows, group.columns);
    status =
        enc_columns_encode(group.columns, count, &e->settings.parallel, e->workers, err);
    if (status == ARMI_OK)
        status = enc_group_place(&group, &e->settings, &e->out, places, &e->arena, err);
    if (status == ARMI_OK && e->sink.write != NULL)
        status = blooms_keep(e, &group, err);
    if (status == ARMI_OK)
        status = armi_buf_append(&e->places, &places, sizeof places, err);
    if (status == ARMI_OK)
        status = armi_buf_append(&e->groups, &group, sizeof group, err);
    if (status == ARMI_OK && e->sink.write != NULL) {
        size_t hashed = 0;
        return out_flush(e, &hashed, false, err);
    }
done:
    if (status != ARMI_OK)
        group_release(&group);
    return status;
}

/* ---- the end ---- */

static enum armi_status footer_add(struct armi_pq_encoder *e, struct enc_footer_input *in,
                                   uint32_t *footer_size, struct armi_error *err)
{
    struct armi_buf footer = {0};
    enum armi_status status = enc_footer_write(in, &footer, err);
    if (status == ARMI_OK && footer.size > UINT32_MAX / 2)
        status =
            armi_error_set(err, ARMI_LIMIT, "a Parquet footer of %zu bytes", footer.size);
    *footer_size = (uint32_t)footer.size;
    if (status == ARMI_OK)
        status = armi_buf_append_u32(&footer, *footer_size, err);
    if (status == ARMI_OK)
        status = armi_buf_append(&footer, magic, sizeof magic, err);
    if (status == ARMI_OK)
        status = enc_out_copy(&e->out, armi_buf_slice(&footer), err);
    armi_buf_release(&footer);
    return status;
}

/* The slabs go in front of the list. */
static void sink_move(struct enc_sink *sink, struct armi_slab **list)
{
    while (sink->slabs != NULL) {
        struct armi_slab *slab = sink->slabs;
        sink->slabs = slab->next;
        slab->next = *list;
        *list = slab;
    }
    *sink = (struct enc_sink){0};
}

/* Moves what the output owns; cannot fail. */
static void output_fill(struct armi_pq_encoder *e, uint64_t *leaf_bytes,
                        uint32_t footer_size, struct armi_pq_output *out)
{
    *out = (struct armi_pq_output){
        .slices = (struct armi_slice *)(void *)e->out.slices.data,
        .count = e->out.slices.size / sizeof(struct armi_slice),
        .size = e->out.size,
        .footer_size = footer_size,
        .leaf_count = e->schema.leaf_count,
        .leaf_bytes = leaf_bytes,
    };
    armi_buf_init(&e->out.slices, 0);
    if (e->out.is_hashed)
        armi_block_hasher_finalize(&e->out.hasher, &out->name);
    sink_move(&e->out.memory, &out->slabs);
    for (unsigned i = 0; i < e->worker_count; i++)
        sink_move(&e->workers[i].out, &out->slabs);
}

static void leaf_bytes_fill(struct enc_place *const *places, size_t group_count,
                            uint32_t leaf_count, uint64_t *out)
{
    for (size_t g = 0; g < group_count; g++)
        for (uint32_t i = 0; i < leaf_count; i++)
            out[i] += places[g][i].compressed;
}

enum armi_status armi_pq_encoder_finish(struct armi_pq_encoder *e,
                                        struct armi_pq_output *out, struct armi_error *err)
{
    struct enc_footer_input in = {
        .settings = &e->settings, .schema = &e->schema, .root = e->root};
    in.groups = encoder_groups(e, &in.group_count);
    in.places = (struct enc_place *const *)(void *)e->places.data;
    struct armi_buf text = {0};
    uint32_t footer_size = 0;
    size_t hashed = 0;
    uint64_t *leaf_bytes = armi_alloc_zero(e->schema.leaf_count, sizeof *leaf_bytes);
    if (leaf_bytes == NULL)
        return armi_error_no_memory(err);
    enum armi_status status = enc_indexes_write(&in, &e->out, err);
    if (status == ARMI_OK)
        status = out_flush(e, &hashed, false, err);
    if (status == ARMI_OK && e->out.is_hashed)
        status = armi_block_hasher_text(&e->out.hasher, &text, err);
    in.block_text = armi_buf_slice(&text);
    if (status == ARMI_OK)
        status = footer_add(e, &in, &footer_size, err);
    if (status == ARMI_OK)
        status = out_flush(e, &hashed, true, err);
    armi_buf_release(&text);
    if (status != ARMI_OK) {
        armi_free(leaf_bytes);
        return status;
    }
    leaf_bytes_fill(in.places, in.group_count, e->schema.leaf_count, leaf_bytes);
    output_fill(e, leaf_bytes, footer_size, out);
    return ARMI_OK;
}

enum armi_status armi_pq_encode_chunk(const struct armi_pq_encode_settings *settings,
                                      const struct armi_field *schema,
                                      const struct armi_pq_column_pieces *columns,
                                      int64_t rows, struct armi_pq_output *out,
                                      struct armi_error *err)
{
    struct armi_pq_encoder *encoder = NULL;
    ARMI_TRY(armi_pq_encoder_new(settings, schema, NULL, &encoder, err));
    enum armi_status status = armi_pq_encoder_add(encoder, columns, rows, err);
    if (status == ARMI_OK)
        status = armi_pq_encoder_finish(encoder, out, err);
    armi_pq_encoder_free(encoder);
    return status;
}
