/*
 * Any bytes as a Parquet file: refused with a message, or read as sound Arrow arrays, whole and in
 * spans. Checksums are not compared, so that what lies behind them is reached.
 */
#include "fuzz.h"

#include <armillaria/parquet.h>

#include "arrow/array.h"
#include "arrow/stream.h"
#include "parquet/parquet_decode.h"

static void nothing_to_free(struct armi_bytes *bytes)
{
    (void)bytes;
}

static void check_batch(const struct armi_field *schema, const struct ArrowArray *array)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_array view;
    enum armi_status status =
        armi_array_init_batch(schema, array, ARMI_VALIDATE_FULL, &view, &err);
    if (status != ARMI_OK)
        fprintf(stderr, "unsound: %s\n", err.message);
    FUZZ_CHECK(status == ARMI_OK);
    armi_array_release(&view);
}

static void read_some(struct armi_parquet_file *file, int64_t first, int64_t batch_rows)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_parquet_decode_options o = ARMI_PARQUET_DECODE_OPTIONS_INIT;
    struct ArrowArrayStream stream = {0};
    o.no_checksum = true;
    o.threads = 1;
    o.max_bytes = 8 << 20;
    o.first_row = first;
    o.batch_rows = batch_rows;
    if (armi_parquet_file_read(file, &o, &stream, &err) != ARMI_OK)
        return;
    for (int i = 0; i < 20; i++) {
        struct ArrowArray batch = {0};
        enum armi_status status = armi_stream_next(&stream, &batch, &err);
        FUZZ_CHECK(status == ARMI_OK || err.message[0] != '\0');
        if (status != ARMI_OK || batch.release == NULL)
            break;
        check_batch(armi_pq_file_root(file), &batch);
        batch.release(&batch);
    }
    armi_stream_release(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_bytes bytes = {data, size, nothing_to_free, NULL};
    struct armi_parquet_file *file;
    enum armi_status status = armi_parquet_file_open(&bytes, &file, &err);
    FUZZ_CHECK(status == ARMI_OK || err.message[0] != '\0');
    if (status != ARMI_OK)
        return 0;
    read_some(file, 0, 0);
    read_some(file, 3, 7);
    armi_parquet_file_close(file);
    return 0;
}
