/*
 * Three rows into a table, and out again.
 *
 *     cc -o hello hello.c $(pkg-config --cflags --libs armillaria)
 *     ./hello mydata
 *
 * Rows cross as a struct ArrowArrayStream, the C ABI that Arrow specifies: here one is made by
 * hand from static arrays. Programs that have an Arrow library export theirs instead.
 */
#include <armillaria/armillaria.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- the rows: id int64, city string; all of it static, so releasing frees nothing ---- */

static const int64_t ids[] = {1, 2, 3};
static const char text[] = "HaarlemLeidenDelft";
static const int32_t offsets[] = {0, 7, 13, 18};
static const char *const names[] = {"id", "city"};
static const char *const formats[] = {"l", "u"};

static void schema_release(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static void array_release(struct ArrowArray *array)
{
    array->release = NULL;
}

static int rows_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    static struct ArrowSchema columns[2];
    static struct ArrowSchema *children[] = {&columns[0], &columns[1]};
    (void)stream;
    for (int i = 0; i < 2; i++)
        columns[i] = (struct ArrowSchema){
            .format = formats[i], .name = names[i], .release = schema_release};
    *out = (struct ArrowSchema){.format = "+s",
                                .name = "",
                                .n_children = 2,
                                .children = children,
                                .release = schema_release};
    return 0;
}

/* One batch, then the end: an array without a release function. */
static int rows_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    static const void *id_buffers[] = {NULL, ids};
    static const void *city_buffers[] = {NULL, offsets, text};
    static const void *row_buffers[] = {NULL};
    static struct ArrowArray columns[2];
    static struct ArrowArray *children[] = {&columns[0], &columns[1]};
    bool *is_done = stream->private_data;
    if (*is_done) {
        *out = (struct ArrowArray){.release = NULL};
        return 0;
    }
    *is_done = true;
    columns[0] = (struct ArrowArray){
        .length = 3, .n_buffers = 2, .buffers = id_buffers, .release = array_release};
    columns[1] = (struct ArrowArray){
        .length = 3, .n_buffers = 3, .buffers = city_buffers, .release = array_release};
    *out = (struct ArrowArray){.length = 3,
                               .n_buffers = 1,
                               .buffers = row_buffers,
                               .n_children = 2,
                               .children = children,
                               .release = array_release};
    return 0;
}

static const char *rows_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return NULL;
}

static void rows_release(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

/* ---- writing and reading ---- */

static enum armi_status write_rows(struct armi_repository *repo, struct armi_error *err)
{
    bool is_done = false;
    struct ArrowArrayStream rows = {rows_schema, rows_next, rows_error, rows_release,
                                    &is_done};
    struct armi_transaction *tx = NULL;
    struct armi_hash commit;
    char hex[ARMI_HASH_HEX_SIZE];
    enum armi_status status = armi_transaction_begin(repo, "main", &tx, err);
    if (status == ARMI_OK)
        status = armi_transaction_set_message(tx, "three cities", err);
    if (status == ARMI_OK)
        status = armi_transaction_write(tx, "cities", &rows, NULL, NULL, err);
    if (status == ARMI_OK)
        status = armi_transaction_commit(tx, &commit, err);
    armi_transaction_free(tx);
    if (status != ARMI_OK)
        return status;
    armi_hash_format(&commit, hex);
    printf("commit %.12s\n", hex);
    return ARMI_OK;
}

static void print_batch(const struct ArrowSchema *schema, const struct ArrowArray *batch)
{
    char value[64];
    for (int64_t row = 0; row < batch->length; row++) {
        for (int64_t i = 0; i < batch->n_children; i++) {
            armi_value_format(schema->children[i], batch->children[i], row, value,
                              sizeof value);
            printf("%s%s", i == 0 ? "" : "  ", value);
        }
        printf("\n");
    }
}

/* Prints the rows that `where` keeps. A scan's stream tells its own errors at length. */
static enum armi_status print_rows(struct armi_repository *repo, const char *where,
                                   struct armi_error *err)
{
    struct armi_scan_options options = {
        .size = sizeof options, .table = "cities", .where = where};
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    enum armi_status status = armi_scan_open(repo, &options, &stream, err);
    if (status != ARMI_OK)
        return status;
    if (stream.get_schema(&stream, &schema) != 0) {
        status = armi_scan_last_error(&stream, err);
        stream.release(&stream);
        return status;
    }
    int failed = 0;
    while ((failed = stream.get_next(&stream, &batch)) == 0 && batch.release != NULL) {
        print_batch(&schema, &batch);
        batch.release(&batch);
    }
    if (failed) {
        armi_scan_last_error(&stream, err);
        status = err->status;
    }
    schema.release(&schema);
    stream.release(&stream);
    return status;
}

int main(int argc, char **argv)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_repository *repo = NULL;
    if (argc != 2) {
        fprintf(stderr, "usage: hello FOLDER\n");
        return 2;
    }
    enum armi_status status = armi_repository_open(argv[1], NULL, &repo, &err);
    if (status == ARMI_OK)
        status = write_rows(repo, &err);
    if (status == ARMI_OK)
        status = print_rows(repo, "city like '%l%'", &err);
    armi_repository_close(repo);
    if (status != ARMI_OK) {
        fprintf(stderr, "hello: %s\n", err.message);
        return 3;
    }
    return 0;
}
