/*
 * Arrow streams, as the program prints them.
 */
#include "cli_arrow.h"

#include <stdlib.h>
#include <string.h>

#include "cli_memory.h"

/* ---- types ---- */

struct type_name {
    const char *format;
    const char *name;
};

static const struct type_name plain_names[] = {
    {"n", "null"},
    {"b", "bool"},
    {"c", "int8"},
    {"C", "uint8"},
    {"s", "int16"},
    {"S", "uint16"},
    {"i", "int32"},
    {"I", "uint32"},
    {"l", "int64"},
    {"L", "uint64"},
    {"e", "halffloat"},
    {"f", "float"},
    {"g", "double"},
    {"z", "binary"},
    {"Z", "large_binary"},
    {"vz", "binary_view"},
    {"u", "string"},
    {"U", "large_string"},
    {"vu", "string_view"},
    {"tdD", "date32[day]"},
    {"tdm", "date64[ms]"},
    {"tts", "time32[s]"},
    {"ttm", "time32[ms]"},
    {"ttu", "time64[us]"},
    {"ttn", "time64[ns]"},
    {"tDs", "duration[s]"},
    {"tDm", "duration[ms]"},
    {"tDu", "duration[us]"},
    {"tDn", "duration[ns]"},
    {"tiM", "month_interval"},
    {"tiD", "day_time_interval"},
    {"tin", "month_day_nano_interval"},
};

static void fields_print(const struct ArrowSchema *schema, bool named, struct cli_text *out)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *child = schema->children[i];
        const char *name = child->name != NULL ? child->name : "";
        cli_text_addf(out, i > 0 ? ", " : "");
        if (named)
            cli_text_addf(out, "%s: ", name);
        cli_type_print(child, out);
        if (named && (child->flags & ARROW_FLAG_NULLABLE) == 0)
            cli_text_addf(out, " not null");
    }
}

static void nested_print(const struct ArrowSchema *schema, struct cli_text *out)
{
    const char *format = schema->format + 1;
    const char *name = strcmp(format, "l") == 0    ? "list"
                       : strcmp(format, "L") == 0  ? "large_list"
                       : strcmp(format, "vl") == 0 ? "list_view"
                       : strcmp(format, "vL") == 0 ? "large_list_view"
                       : strcmp(format, "s") == 0  ? "struct"
                       : strcmp(format, "m") == 0  ? "map"
                       : strcmp(format, "r") == 0  ? "run_end_encoded"
                       : format[0] == 'w'          ? "fixed_size_list"
                                                   : "union";
    cli_text_addf(out, "%s<", name);
    if (format[0] == 'm' && schema->n_children == 1)
        fields_print(schema->children[0], false, out);
    else
        fields_print(schema, true, out);
    cli_text_addf(out, ">");
    if (format[0] == 'w' && format[1] == ':')
        cli_text_addf(out, "[%s]", format + 2);
}

static void decimal_print(const char *arguments, struct cli_text *out)
{
    int precision = 0, scale = 0, bits = 128;
    sscanf(arguments, "%d,%d,%d", &precision, &scale, &bits);
    cli_text_addf(out, "decimal%d(%d, %d)", bits, precision, scale);
}

void cli_type_print(const struct ArrowSchema *schema, struct cli_text *out)
{
    const char *format = schema->format;
    if (schema->dictionary != NULL) {
        struct ArrowSchema indices = *schema;
        indices.dictionary = NULL;
        cli_text_addf(out, "dictionary<values=");
        cli_type_print(schema->dictionary, out);
        cli_text_addf(out, ", indices=");
        cli_type_print(&indices, out);
        cli_text_addf(out, ", ordered=%d>",
                      (schema->flags & ARROW_FLAG_DICTIONARY_ORDERED) != 0);
        return;
    }
    for (size_t i = 0; i < sizeof plain_names / sizeof plain_names[0]; i++)
        if (strcmp(format, plain_names[i].format) == 0) {
            cli_text_addf(out, "%s", plain_names[i].name);
            return;
        }
    if (format[0] == '+')
        nested_print(schema, out);
    else if (format[0] == 'd' && format[1] == ':')
        decimal_print(format + 2, out);
    else if (format[0] == 'w' && format[1] == ':')
        cli_text_addf(out, "fixed_size_binary[%s]", format + 2);
    else if (strncmp(format, "ts", 2) == 0 && strlen(format) >= 4)
        cli_text_addf(out, "timestamp[%c%s%s%s]", format[2], format[2] == 's' ? "" : "s",
                      format[4] != '\0' ? ", tz=" : "", format + 4);
    else
        cli_text_addf(out, "%s", format);
}

bool cli_type_is_number(const struct ArrowSchema *schema)
{
    return schema->dictionary == NULL &&
           ((schema->format[1] == '\0' &&
             strchr("cCsSiIlLefg", schema->format[0]) != NULL) ||
            schema->format[0] == 'd');
}

/* ---- rows ---- */

int cli_stream_fail(struct ArrowArrayStream *stream, int code)
{
    struct armi_error err = ARMI_ERROR_INIT;
    if (armi_scan_last_error(stream, &err) == ARMI_OK)
        return cli_fail(&err);
    const char *text = stream->get_last_error(stream);
    return cli_failf("%s", text != NULL ? text : strerror(code));
}

int cli_rows_open(struct cli_rows *rows, struct ArrowArrayStream *stream)
{
    *rows = (struct cli_rows){.stream = *stream, .at = -1};
    stream->release = NULL;
    int code = rows->stream.get_schema(&rows->stream, &rows->schema);
    return code == 0 ? CLI_DONE : cli_stream_fail(&rows->stream, code);
}

int cli_rows_next(struct cli_rows *rows, bool *has)
{
    rows->at++;
    while (rows->batch.release == NULL || rows->at >= rows->batch.length) {
        if (rows->batch.release != NULL)
            rows->batch.release(&rows->batch);
        rows->batch.release = NULL;
        rows->at = 0;
        int code = rows->stream.get_next(&rows->stream, &rows->batch);
        if (code != 0)
            return cli_stream_fail(&rows->stream, code);
        if (rows->batch.release == NULL) {
            *has = false;
            return CLI_DONE;
        }
    }
    rows->rows++;
    *has = true;
    return CLI_DONE;
}

void cli_rows_close(struct cli_rows *rows)
{
    if (rows->batch.release != NULL)
        rows->batch.release(&rows->batch);
    if (rows->schema.release != NULL)
        rows->schema.release(&rows->schema);
    if (rows->stream.release != NULL)
        rows->stream.release(&rows->stream);
    *rows = (struct cli_rows){.at = 0};
}

bool cli_rows_is_null(const struct cli_rows *rows, size_t column)
{
    const struct ArrowArray *array = rows->batch.children[column];
    const char *format = rows->schema.children[column]->format;
    if (strcmp(format, "n") == 0)
        return true;
    if (array->null_count == 0 || array->n_buffers == 0 || array->buffers[0] == NULL ||
        strncmp(format, "+u", 2) == 0 || strcmp(format, "+r") == 0)
        return false;
    const unsigned char *bits = array->buffers[0];
    uint64_t index = (uint64_t)(rows->at + rows->batch.offset + array->offset);
    return (bits[index / 8] >> (index % 8) & 1) == 0;
}

void cli_rows_text(const struct cli_rows *rows, size_t column, struct cli_text *out)
{
    const struct ArrowSchema *schema = rows->schema.children[column];
    const struct ArrowArray *array = rows->batch.children[column];
    int64_t index = rows->at + rows->batch.offset;
    out->data = cli_grow(out->data, &out->capacity, 64, 1);
    size_t size = armi_value_format(schema, array, index, out->data, out->capacity);
    if (size >= out->capacity) {
        out->data = cli_grow(out->data, &out->capacity, size + 1, 1);
        size = armi_value_format(schema, array, index, out->data, out->capacity);
    }
    out->size = size;
}

/*
 * Numbers that JSON can carry exactly, booleans and nested values as they are; else text.
 */
static bool is_json_already(const struct ArrowSchema *schema, const struct cli_text *text)
{
    const char *format = schema->format;
    if (schema->dictionary != NULL || text->size == 0)
        return false;
    if (strchr("efg", format[0]) != NULL && format[1] == '\0') {
        char last = text->data[text->size - 1];
        return last >= '0' && last <= '9';
    }
    return format[0] == '+' ||
           (format[1] == '\0' && strchr("bcCsSiIlL", format[0]) != NULL);
}

void cli_rows_json(const struct cli_rows *rows, size_t first, struct cli_json *json)
{
    struct cli_text text = {NULL, 0, 0};
    for (size_t i = first; i < (size_t)rows->schema.n_children; i++) {
        const struct ArrowSchema *schema = rows->schema.children[i];
        if (cli_rows_is_null(rows, i)) {
            cli_json_null(json, schema->name);
            continue;
        }
        cli_rows_text(rows, i, &text);
        if (is_json_already(schema, &text))
            cli_json_raw(json, schema->name, text.data, text.size);
        else
            cli_json_sized(json, schema->name, text.data, text.size);
    }
    cli_text_release(&text);
}
