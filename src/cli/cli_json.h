/*
 * JSON, written as it comes: one document, or one a line. Keys are the attribute names of
 * the Python package. Text that is no UTF-8 gets U+FFFD for its bad bytes, so that every
 * reader takes it.
 */
#ifndef ARMI_CLI_CLI_JSON_H
#define ARMI_CLI_CLI_JSON_H

#include "cli_text.h"

#define CLI_JSON_DEPTH_MAX 16

struct cli_json {
    FILE *out;
    size_t depth;
    bool has_item[CLI_JSON_DEPTH_MAX];
};

/* `key` is NULL in a list and for the whole document. */
void cli_json_open(struct cli_json *json, const char *key, char bracket); /* '{' or '[' */
void cli_json_close(struct cli_json *json, char bracket);                 /* '}' or ']' */
void cli_json_text(struct cli_json *json, const char *key, const char *text);
void cli_json_sized(struct cli_json *json, const char *key, const char *text, size_t size);
void cli_json_uint(struct cli_json *json, const char *key, uint64_t value);
void cli_json_real(struct cli_json *json, const char *key, double value);
void cli_json_bool(struct cli_json *json, const char *key, bool value);
void cli_json_null(struct cli_json *json, const char *key);
void cli_json_hash(struct cli_json *json, const char *key, const struct armi_hash *hash);
void cli_json_time(struct cli_json *json, const char *key, int64_t time_us);
/* A version number, null for 0. */
void cli_json_version(struct cli_json *json, const char *key, uint64_t version);
/* What is JSON already. */
void cli_json_raw(struct cli_json *json, const char *key, const char *text, size_t size);

#endif
