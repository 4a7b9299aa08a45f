#include "table/column_reader.h"

#include <pthread.h>
#include <string.h>

#include "arrow/cast.h"
#include "base/alloc.h"
#include "parquet/parquet_decode.h"

/* Files that stay open: footers are small, so this bounds descriptors, not memory. */
#define OPEN_MAX 64

struct open_file {
    struct armi_hash hash;
    struct armi_parquet_file *file;
    uint64_t used; /* clock value of the last use */
};

struct armi_column_reader {
    struct armi_table_io io;
    struct armi_column_cache *cache;
    const struct armi_field *schema;
    pthread_mutex_t lock;
    struct open_file files[OPEN_MAX];
    size_t count;
    uint64_t clock;
};

enum armi_status armi_column_reader_new(const struct armi_table_io *io,
                                        struct armi_column_cache *cache,
                                        const struct armi_field *schema,
                                        struct armi_column_reader **out,
                                        struct armi_error *err)
{
    struct armi_column_reader *reader = armi_alloc_zero(1, sizeof *reader);
    if (reader == NULL)
        return armi_error_no_memory(err);
    reader->io = *io;
    reader->cache = cache;
    reader->schema = schema;
    pthread_mutex_init(&reader->lock, NULL);
    *out = reader;
    return ARMI_OK;
}

void armi_column_reader_free(struct armi_column_reader *reader)
{
    if (reader == NULL)
        return;
    for (size_t i = 0; i < reader->count; i++)
        armi_pq_file_unref(reader->files[i].file);
    pthread_mutex_destroy(&reader->lock);
    armi_free(reader);
}

/* ---- files ---- */

static struct open_file *file_find(struct armi_column_reader *reader,
                                   const struct armi_hash *hash)
{
    for (size_t i = 0; i < reader->count; i++)
        if (memcmp(&reader->files[i].hash, hash, sizeof *hash) == 0)
            return &reader->files[i];
    return NULL;
}

/* Under the lock: a reference for the caller, the place for a new file otherwise. */
static struct open_file *file_place(struct armi_column_reader *reader)
{
    if (reader->count < OPEN_MAX)
        return &reader->files[reader->count++];
    struct open_file *oldest = &reader->files[0];
    for (size_t i = 1; i < OPEN_MAX; i++)
        if (reader->files[i].used < oldest->used)
            oldest = &reader->files[i];
    armi_pq_file_unref(oldest->file);
    return oldest;
}

/* Not found is what a user asks for and is not there; this is damage. */
static enum armi_status chunk_gone(const struct armi_chunk_ref *ref, struct armi_error *err)
{
    char hex[ARMI_HASH_HEX_SIZE];
    armi_hash_format(&ref->hash, hex);
    return armi_error_object(
        err, ARMI_CORRUPTION, "chunk", hex,
        "chunk %s, which a table needs, is gone; writing the same data "
        "again restores it",
        hex);
}

static enum armi_status file_open(struct armi_column_reader *reader,
                                  const struct armi_chunk_ref *ref,
                                  struct armi_parquet_file **out, struct armi_error *err)
{
    struct armi_chunk *chunk;
    struct armi_source source;
    struct armi_pq_open_options options = {
        .footer_size = ref->footer_size,
        .target = reader->schema,
    };
    enum armi_status st = reader->io.open_chunk(reader->io.ctx, ref, &chunk, err);
    if (st == ARMI_NOT_FOUND)
        return chunk_gone(ref, err);
    ARMI_TRY(st);
    armi_chunk_source(chunk, &source);
    st = armi_pq_file_open(&source, &options, out, err);
    armi_chunk_release(chunk);
    return st;
}

/* Two threads may open the same file at once; the second one's is dropped. */
static enum armi_status file_get(struct armi_column_reader *reader,
                                 const struct armi_chunk_ref *ref,
                                 struct armi_parquet_file **out, struct armi_error *err)
{
    pthread_mutex_lock(&reader->lock);
    struct open_file *open = file_find(reader, &ref->hash);
    if (open != NULL) {
        open->used = ++reader->clock;
        *out = armi_pq_file_ref(open->file);
    }
    pthread_mutex_unlock(&reader->lock);
    if (open != NULL)
        return ARMI_OK;
    struct armi_parquet_file *file;
    ARMI_TRY(file_open(reader, ref, &file, err));
    pthread_mutex_lock(&reader->lock);
    if (file_find(reader, &ref->hash) == NULL) {
        struct open_file *place = file_place(reader);
        *place = (struct open_file){ref->hash, armi_pq_file_ref(file), ++reader->clock};
    }
    pthread_mutex_unlock(&reader->lock);
    *out = file;
    return ARMI_OK;
}

/* ---- columns ---- */

/* An array of type null has no buffers: nothing to give back. */
static void nulls_release(struct ArrowArray *array)
{
    array->release = NULL;
}

static enum armi_status nulls_make(const struct armi_field *field, uint64_t rows,
                                   struct ArrowArray *out, struct armi_error *err)
{
    struct armi_field null_field = ARMI_FIELD_INIT;
    struct armi_array view = ARMI_ARRAY_INIT;
    struct ArrowArray nulls = {
        .length = (int64_t)rows, .null_count = (int64_t)rows, .release = nulls_release};
    enum armi_status st = armi_field_init(&null_field, field->name, ARMI_TYPE_NULL, err);
    if (st == ARMI_OK)
        st = armi_array_init(&null_field, &nulls, ARMI_VALIDATE_NONE, &view, err);
    if (st == ARMI_OK)
        st = armi_cast(&view, field, NULL, out, err);
    armi_array_release(&view);
    armi_field_release(&null_field);
    return st;
}

/* What was stored under an older type of the column. */
static enum armi_status to_type(const struct armi_field *stored,
                                const struct armi_field *field, struct ArrowArray *array,
                                struct armi_error *err)
{
    if (armi_cast_possible(stored, field, NULL) == ARMI_CAST_SAME)
        return ARMI_OK;
    struct armi_holder *holder = NULL; /* a cast may share buffers with its source */
    struct armi_array view = ARMI_ARRAY_INIT;
    enum armi_status st = armi_array_hold(array, &holder, err);
    if (st == ARMI_OK)
        st = armi_array_init(stored, armi_holder_array(holder), ARMI_VALIDATE_NONE, &view,
                             err);
    if (st == ARMI_OK)
        st = armi_cast(&view, field, holder, array, err);
    armi_array_release(&view);
    armi_holder_unref(holder);
    return st;
}

static enum armi_status column_decode(struct armi_column_reader *reader,
                                      const struct armi_field *field,
                                      const struct armi_column_run *run,
                                      struct armi_field *stored, struct ArrowArray *out,
                                      struct armi_error *err)
{
    struct armi_parquet_file *file;
    ARMI_TRY(file_get(reader, run->chunk, &file, err));
    const struct armi_field *root = armi_pq_file_root(file);
    int64_t at = armi_field_find_id(root, field->id);
    struct armi_pq_read_options options = {
        .parallel = {.threads = 1},
        .max_bytes = UINT64_MAX,
        .no_checksum = true, /* the bytes are proved already */
        .no_utf8_check = true,
    };
    enum armi_status st = ARMI_OK;
    if (at < 0 || run->rows > (uint64_t)armi_pq_file_rows(file) ||
        run->row > (uint64_t)armi_pq_file_rows(file) - run->rows) {
        char hex[ARMI_HASH_HEX_SIZE];
        armi_hash_format(&run->chunk->hash, hex);
        st = armi_error_object(err, ARMI_CORRUPTION, "chunk", hex,
                               "chunk %s does not hold rows %llu to %llu of column \"%s\"",
                               hex, (unsigned long long)run->row,
                               (unsigned long long)(run->row + run->rows), field->name);
    }
    if (st == ARMI_OK)
        st = armi_field_copy(&root->children[at], stored, err);
    if (st == ARMI_OK) {
        uint32_t column = (uint32_t)at;
        st = armi_pq_file_read(file, 0, (int64_t)run->row, (int64_t)run->rows, &column, 1,
                               &options, out, err);
    }
    armi_pq_file_unref(file);
    return st;
}

enum armi_status armi_column_reader_read(struct armi_column_reader *reader,
                                         const struct armi_field *field,
                                         const struct armi_column_run *run,
                                         struct ArrowArray *out, struct armi_error *err)
{
    if (run->chunk == NULL)
        return nulls_make(field, run->rows, out, err);
    struct armi_column_key key = {run->chunk->hash, field->id, run->row, run->rows};
    struct armi_field stored = ARMI_FIELD_INIT;
    struct ArrowArray array = {0};
    bool found = false;
    enum armi_status st = ARMI_OK;
    if (reader->cache != NULL)
        st = armi_column_cache_get(reader->cache, &key, field, &found, &array, err);
    if (st == ARMI_OK && !found) {
        st = column_decode(reader, field, run, &stored, &array, err);
        if (st == ARMI_OK)
            st = to_type(&stored, field, &array, err);
        if (st == ARMI_OK && reader->cache != NULL)
            st = armi_column_cache_put(reader->cache, &key, field, &array, err);
    }
    armi_field_release(&stored);
    if (st != ARMI_OK) {
        armi_arrow_array_release(&array);
        return st;
    }
    *out = array;
    return ARMI_OK;
}

enum armi_status armi_column_reader_stored(struct armi_column_reader *reader, int32_t id,
                                           const struct armi_column_run *run,
                                           struct armi_field *stored,
                                           struct ArrowArray *out, struct armi_error *err)
{
    struct armi_field type = ARMI_FIELD_INIT;
    struct ArrowArray array = {0};
    char name[] = "";
    const struct armi_field column = {.name = name, .id = id};
    enum armi_status st = column_decode(reader, &column, run, &type, &array, err);
    if (st != ARMI_OK) {
        armi_field_release(&type);
        armi_arrow_array_release(&array);
        return st;
    }
    armi_field_move(&type, stored);
    armi_arrow_array_move(&array, out);
    return ARMI_OK;
}

struct armi_column_run armi_range_run(const struct armi_range *range, int32_t id)
{
    const struct armi_chunk_ref *chunk = armi_range_chunk(range, id);
    if (chunk == NULL)
        return (struct armi_column_run){NULL, 0, range->live};
    return (struct armi_column_run){chunk, chunk->file_row + (range->first - chunk->first),
                                    range->rows};
}
