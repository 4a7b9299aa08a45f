/*
 * JSON, written as it comes.
 */
#include "cli_json.h"

#include <assert.h>
#include <string.h>

static void put_quoted(FILE *out, const char *text, size_t size)
{
    fputc('"', out);
    for (size_t at = 0; at < size;) {
        int32_t code;
        size_t step = cli_utf8_next(text + at, size - at, &code);
        if (code < 0)
            fputs("\xef\xbf\xbd", out);
        else if (code == '"' || code == '\\')
            fprintf(out, "\\%c", (char)code);
        else if (code < 0x20 || code == 0x7f)
            fprintf(out, "\\u%04x", (unsigned)code);
        else
            fwrite(text + at, 1, step, out);
        at += step;
    }
    fputc('"', out);
}

static void before_value(struct cli_json *json, const char *key)
{
    if (json->has_item[json->depth])
        fputs(", ", json->out);
    json->has_item[json->depth] = true;
    if (key != NULL) {
        put_quoted(json->out, key, strlen(key));
        fputs(": ", json->out);
    }
}

void cli_json_open(struct cli_json *json, const char *key, char bracket)
{
    before_value(json, key);
    fputc(bracket, json->out);
    assert(json->depth + 1 < CLI_JSON_DEPTH_MAX);
    json->has_item[++json->depth] = false;
}

void cli_json_close(struct cli_json *json, char bracket)
{
    fputc(bracket, json->out);
    json->depth--;
    if (json->depth == 0) {
        fputc('\n', json->out);
        json->has_item[0] = false;
    }
}

void cli_json_sized(struct cli_json *json, const char *key, const char *text, size_t size)
{
    before_value(json, key);
    put_quoted(json->out, text, size);
}

void cli_json_text(struct cli_json *json, const char *key, const char *text)
{
    cli_json_sized(json, key, text, strlen(text));
}

void cli_json_uint(struct cli_json *json, const char *key, uint64_t value)
{
    before_value(json, key);
    fprintf(json->out, "%llu", (unsigned long long)value);
}

void cli_json_real(struct cli_json *json, const char *key, double value)
{
    before_value(json, key);
    fprintf(json->out, "%.6f", value);
}

void cli_json_bool(struct cli_json *json, const char *key, bool value)
{
    before_value(json, key);
    fputs(value ? "true" : "false", json->out);
}

void cli_json_null(struct cli_json *json, const char *key)
{
    before_value(json, key);
    fputs("null", json->out);
}

void cli_json_hash(struct cli_json *json, const char *key, const struct armi_hash *hash)
{
    char hex[ARMI_HASH_HEX_SIZE];
    if (cli_hash_is_zero(hash)) {
        cli_json_null(json, key);
        return;
    }
    armi_hash_format(hash, hex);
    cli_json_text(json, key, hex);
}

void cli_json_time(struct cli_json *json, const char *key, int64_t time_us)
{
    struct cli_small small;
    cli_json_text(json, key, cli_time_iso(time_us, &small));
}

void cli_json_version(struct cli_json *json, const char *key, uint64_t version)
{
    if (version == 0)
        cli_json_null(json, key);
    else
        cli_json_uint(json, key, version);
}

void cli_json_raw(struct cli_json *json, const char *key, const char *text, size_t size)
{
    before_value(json, key);
    fwrite(text, 1, size, json->out);
}
