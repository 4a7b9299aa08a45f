/*
 * Any bytes as a CSV file: refused, or the same table whatever the blocks it is read in,
 * and the same again after it was written and read. The first byte chooses the options.
 */
#include "fuzz.h"

#include <string.h>

#include "csv_kit.h"
#include "io/csv_read.h"
#include "io/csv_write.h"

enum {
    NO_HEADER = 1,
    SEMICOLON = 2,
    NULL_TEXT = 4,
};

static enum armi_status read_as_text(const struct armi_os *os, uint8_t how,
                                     const struct armi_csv_sizes *sizes, char **out)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream stream;
    struct armi_csv_read_options options = {
        .size = sizeof options,
        .delimiter = how & SEMICOLON ? ';' : '\0',
        .null_text = how & NULL_TEXT ? "1" : NULL,
        .no_header = (how & NO_HEADER) != 0,
        .batch_bytes = sizes != NULL ? 64 : 0,
    };
    enum armi_status st =
        armi_csv_read_from(os, CSV_KIT_PATH, &options, sizes, &stream, &err);
    if (st != ARMI_OK) {
        FUZZ_CHECK(err.message[0] != '\0' && st == ARMI_INVALID);
        *out = strdup(err.message);
        return st;
    }
    /* Everything that is wrong is found before the first batch. */
    FUZZ_CHECK(csv_kit_dump(&stream, out, &err) == ARMI_OK);
    return ARMI_OK;
}

static void write_again(const struct armi_os *os, uint8_t how)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct ArrowArrayStream stream;
    struct armi_csv_read_options options = {
        .size = sizeof options,
        .delimiter = how & SEMICOLON ? ';' : '\0',
        .null_text = how & NULL_TEXT ? "1" : NULL,
        .no_header = (how & NO_HEADER) != 0,
    };
    struct armi_csv_write_options to = {
        .size = sizeof to,
        .delimiter = options.delimiter,
        .null_text = options.null_text,
        .no_header = options.no_header,
    };
    FUZZ_CHECK(armi_csv_read_from(os, CSV_KIT_PATH, &options, NULL, &stream, &err) ==
               ARMI_OK);
    FUZZ_CHECK(armi_csv_write_to(os, &stream, CSV_KIT_PATH, &to, NULL, &err) == ARMI_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    uint8_t how = data[0];
    struct armi_csv_sizes small = armi_csv_sizes_default;
    small.block = 2 + (how >> 3) * 3;
    small.window = (how >> 3) % 4 * 32;
    struct os_memory *disk = os_memory_new();
    const struct armi_os *os = os_memory_table(disk);
    char *whole = NULL, *parts = NULL, *again = NULL;
    csv_kit_put(os, data + 1, size - 1);
    enum armi_status st = read_as_text(os, how, NULL, &whole);
    FUZZ_CHECK(read_as_text(os, how, &small, &parts) == st);
    FUZZ_CHECK(strcmp(whole, parts) == 0);
    /* Without a header and rows there is nothing left of it. */
    const char *line = strchr(whole, '\n');
    if (st == ARMI_OK && !((how & NO_HEADER) && line != NULL && line[1] == '\0')) {
        write_again(os, how);
        FUZZ_CHECK(read_as_text(os, how, NULL, &again) == ARMI_OK);
        FUZZ_CHECK(strcmp(whole, again) == 0);
    }
    FUZZ_CHECK(os_memory_open_files(disk) == 0);
    os_memory_free(disk);
    free(whole);
    free(parts);
    free(again);
    return 0;
}
