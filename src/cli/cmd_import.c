/*
 * armi import: files into tables, as one commit.
 *
 *     words -> items (a table and its files) -> each file opened and looked at
 *           -> one transaction: a write for each table -> commit -> what it cost
 *
 * All files are opened, and their names checked, before anything is written. Files of one
 * schema become one stream and one write; where schemas differ the first file is written
 * and the others are appended, so that the library casts what it can and names what it
 * cannot.
 */
#include "cli.h"
#include "cli_files.h"
#include "cli_grid.h"
#include "cli_json.h"

#include <string.h>

#include "cli_memory.h"

struct item {
    const char *table;
    struct cli_source *sources;
    size_t count;
};

struct import {
    struct cli *cli;
    const struct cli_args *args;
    struct item *items;
    size_t item_count;
    struct armi_write_options write;
    struct cli_names key;
    const char *message;
};

/* ---- what is to be imported ---- */

static bool all_are_pairs(const struct cli_args *args)
{
    for (size_t i = 0; i < args->word_count; i++) {
        const char *equals = strchr(args->words[i], '=');
        if (equals == NULL || equals == args->words[i] || equals[1] == '\0')
            return false;
    }
    return true;
}

static void item_add(struct import *import, const char *table, const char *path)
{
    struct item *item = NULL;
    for (size_t i = 0; i < import->item_count; i++)
        if (strcmp(import->items[i].table, table) == 0)
            item = &import->items[i];
    if (item == NULL) {
        item = &import->items[import->item_count++];
        item->table = table;
        item->sources = cli_keep(import->args->word_count, sizeof *item->sources);
    }
    item->sources[item->count++].path = path;
}

static int items_read(struct import *import)
{
    const struct cli_args *args = import->args;
    bool pairs = all_are_pairs(args);
    if (!pairs && args->word_count < 2)
        return cli_usage(args->command, "which file? write TABLE FILE, or TABLE -");
    import->items = cli_keep(args->word_count, sizeof *import->items);
    for (size_t i = pairs ? 0 : 1; i < args->word_count; i++) {
        const char *equals = strchr(args->words[i], '=');
        if (pairs)
            item_add(import,
                     cli_keep_text(args->words[i], (size_t)(equals - args->words[i])),
                     equals + 1);
        else
            item_add(import, args->words[0], args->words[i]);
    }
    for (size_t i = 0; i < import->item_count; i++) {
        const char *problem = armi_table_name_problem(import->items[i].table);
        if (problem != NULL)
            return cli_failf("Invalid table name: \"%s\": %s", import->items[i].table,
                             problem);
    }
    return CLI_DONE;
}

static int options_read(struct import *import)
{
    const struct cli_args *args = import->args;
    const char *schema = cli_args_value(args, "schema");
    const char *key = cli_args_value(args, "key");
    import->write = (struct armi_write_options){.size = sizeof import->write};
    import->write.blind = true; /* nobody looked at what was there before */
    if (cli_args_has(args, "append")) {
        import->write.mode = ARMI_WRITE_APPEND;
        import->write.blind = false;
    }
    if (schema != NULL && strcmp(schema, "merge") == 0)
        import->write.schema_mode = ARMI_SCHEMA_MERGE;
    else if (schema != NULL && strcmp(schema, "overwrite") == 0)
        import->write.schema_mode = ARMI_SCHEMA_OVERWRITE;
    else if (schema != NULL)
        return cli_failf("--schema is merge or overwrite, not '%s'", schema);
    if (key != NULL) {
        int st = cli_parse_names("--key", key, &import->key);
        if (st != CLI_DONE)
            return st;
        import->write.key = import->key.items;
        import->write.key_count = import->key.count;
    }
    return CLI_DONE;
}

/* "import a, b from x.csv, y.csv", cut short where it would be long. */
static const char *message_make(const struct import *import)
{
    struct cli_text text = {NULL, 0, 0};
    const char *given = cli_args_value(import->args, "message");
    if (given != NULL)
        return given;
    cli_text_addf(&text, "%s ",
                  import->write.mode == ARMI_WRITE_APPEND ? "append to" : "import");
    for (size_t i = 0; i < import->item_count && i < 8; i++)
        cli_text_addf(&text, "%s%s", i > 0 ? ", " : "", import->items[i].table);
    if (import->item_count > 8)
        cli_text_addf(&text, " and %zu more", import->item_count - 8);
    if (import->item_count == 1 && import->items[0].count == 1) {
        const char *name = import->items[0].sources[0].name;
        const char *slash = strrchr(name, '/');
        cli_text_addf(&text, " from %s", slash != NULL ? slash + 1 : name);
    }
    const char *kept = cli_keep_text(text.data, text.size);
    cli_text_release(&text);
    return kept;
}

/* The schema of the table that is there; *has is false where none is, or it is to go. */
static int table_schema(struct import *import, const char *table, struct ArrowSchema *out,
                        bool *has)
{
    struct armi_error err = ARMI_ERROR_INIT;
    const struct armi_at at = {.size = sizeof at, .ref = import->cli->branch};
    *has = import->write.schema_mode != ARMI_SCHEMA_OVERWRITE;
    if (!*has)
        return CLI_DONE;
    enum armi_status st = armi_table_schema(import->cli->repo, table, &at, out, &err);
    *has = st == ARMI_OK;
    return st == ARMI_OK || st == ARMI_NOT_FOUND ? CLI_DONE : cli_fail(&err);
}

static int item_open(struct import *import, struct item *item)
{
    struct ArrowSchema schema;
    bool has;
    int st = table_schema(import, item->table, &schema, &has);
    for (size_t j = 0; j < item->count && st == CLI_DONE; j++)
        st = cli_source_open(import->cli, import->args, item->sources[j].path,
                             has ? &schema : NULL, &item->sources[j]);
    if (has)
        schema.release(&schema);
    return st;
}

static int sources_open(struct import *import)
{
    int st = CLI_DONE;
    for (size_t i = 0; i < import->item_count && st == CLI_DONE; i++)
        st = item_open(import, &import->items[i]);
    return st;
}

static void sources_close(struct import *import)
{
    for (size_t i = 0; i < import->item_count; i++)
        for (size_t j = 0; j < import->items[i].count; j++)
            cli_source_close(&import->items[i].sources[j]);
}

/* ---- writing ---- */

/* The library names its options as Python writes them; here they have another spelling. */
static void speak_of_options(struct armi_error *err)
{
    static const char *const spellings[][2] = {
        {"schema_mode=\"overwrite\"", "--schema overwrite"},
        {"schema_mode=\"merge\"", "--schema merge"},
    };
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        const char *theirs = spellings[i][0], *ours = spellings[i][1];
        char *at = strstr(err->message, theirs);
        if (at == NULL)
            continue;
        size_t size = strlen(ours), skip = strlen(theirs);
        memcpy(at, ours, size); /* never longer than what it replaces */
        memmove(at + size, at + skip, strlen(at + skip) + 1);
    }
}

static int stream_write(struct import *import, struct armi_transaction *tx,
                        const struct item *item, const struct cli_source *named,
                        struct ArrowArrayStream *stream, bool append, uint64_t rows)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_write_options options = import->write;
    if (append) {
        options.mode = ARMI_WRITE_APPEND;
        options.blind = false;
        if (options.schema_mode == ARMI_SCHEMA_OVERWRITE)
            options.schema_mode = ARMI_SCHEMA_STRICT;
    }
    options.callbacks = cli_callbacks(import->cli, item->table);
    cli_progress_total(rows);
    if (armi_transaction_write(tx, item->table, stream, &options, NULL, &err) == ARMI_OK)
        return CLI_DONE;
    speak_of_options(&err);
    bool is_data = err.status == ARMI_CORRUPTION || err.status == ARMI_INVALID ||
                   err.status == ARMI_SCHEMA_MISMATCH || err.status == ARMI_UNSUPPORTED ||
                   err.status == ARMI_CONSTRAINT || err.status == ARMI_LIMIT;
    return is_data && named != NULL ? cli_source_fail(named, &err) : cli_fail(&err);
}

static int item_write(struct import *import, struct armi_transaction *tx, struct item *item)
{
    struct ArrowArrayStream stream;
    uint64_t rows = 0;
    bool rows_known = true;
    for (size_t i = 0; i < item->count; i++) {
        rows += item->sources[i].rows;
        rows_known &= item->sources[i].format == ARMI_FORMAT_PARQUET;
    }
    if (cli_sources_alike(item->sources, item->count)) {
        const struct cli_source *named = item->count == 1 ? &item->sources[0] : NULL;
        cli_sources_chain(item->sources, item->count, &stream);
        return stream_write(import, tx, item, named, &stream, false, rows_known ? rows : 0);
    }
    int st = CLI_DONE;
    for (size_t i = 0; st == CLI_DONE && i < item->count; i++) {
        struct cli_source *source = &item->sources[i];
        cli_sources_chain(source, 1, &stream);
        st = stream_write(import, tx, item, source, &stream, i > 0, source->rows);
    }
    return st;
}

/* ---- telling ---- */

static void result_json(const struct armi_write_result *r, struct cli_json *json)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "table", r->table);
    cli_json_version(json, "version", r->version);
    cli_json_hash(json, "commit", &r->commit);
    cli_json_bool(json, "changed", r->changed);
    cli_json_uint(json, "rows", r->rows);
    cli_json_uint(json, "rows_total", r->rows_total);
    cli_json_uint(json, "ranges", r->ranges);
    cli_json_uint(json, "chunks_written", r->chunks_written);
    cli_json_uint(json, "chunks_reused", r->chunks_reused);
    cli_json_uint(json, "bytes_written", r->bytes_written);
    cli_json_uint(json, "bytes_reused", r->bytes_reused);
    cli_json_uint(json, "columns_encoded", r->columns_encoded);
    cli_json_uint(json, "columns_shared", r->columns_shared);
    cli_json_real(json, "seconds", r->seconds);
    cli_json_close(json, '}');
}

static void result_row(const struct armi_write_result *r, struct cli_grid *grid)
{
    struct cli_small small;
    cli_grid_cell(grid, CLI_PLAIN, r->table);
    cli_grid_cell(grid, CLI_PLAIN, cli_count(r->version, &small));
    cli_grid_cell(grid, CLI_PLAIN, cli_count(r->rows, &small));
    cli_grid_cell(grid, CLI_PLAIN, cli_count(r->ranges, &small));
    cli_grid_cell(grid, CLI_PLAIN, cli_size(r->bytes_written, &small));
    cli_grid_cell(grid, CLI_PLAIN, cli_size(r->bytes_reused, &small));
    cli_grid_cell(grid, CLI_PLAIN, cli_count(r->columns_encoded, &small));
    cli_grid_cell(grid, CLI_PLAIN, cli_count(r->columns_shared, &small));
    cli_grid_cell(grid, CLI_DIM, r->changed ? "" : "unchanged");
}

struct outcome {
    const struct armi_transaction *tx;
    struct armi_hash commit;
    double seconds;
    bool changed;
};

static void outcome_grid(struct cli_grid *grid)
{
    cli_grid_column(grid, "TABLE", NULL, CLI_LEFT);
    cli_grid_column(grid, "VERSION", NULL, CLI_RIGHT);
    cli_grid_column(grid, "ROWS", NULL, CLI_RIGHT);
    cli_grid_column(grid, "RANGES", NULL, CLI_RIGHT);
    cli_grid_column(grid, "NEW", NULL, CLI_RIGHT);
    cli_grid_column(grid, "REUSED", NULL, CLI_RIGHT);
    cli_grid_column(grid, "ENCODED", NULL, CLI_RIGHT);
    cli_grid_column(grid, "SHARED", NULL, CLI_RIGHT);
    cli_grid_column(grid, "", NULL, CLI_LEFT);
}

static void outcome_print(const struct import *import, const struct outcome *outcome)
{
    struct cli_grid grid = {0};
    struct cli_small id, seconds;
    outcome_grid(&grid);
    for (size_t i = 0; i < armi_transaction_result_count(outcome->tx); i++) {
        struct armi_write_result result = {.size = sizeof result};
        if (armi_transaction_result(outcome->tx, i, &result, NULL) == ARMI_OK)
            result_row(&result, &grid);
    }
    cli_grid_print(&grid, stdout);
    cli_grid_release(&grid);
    const char *branch = cli_escaped(import->cli->branch);
    if (outcome->changed)
        printf("commit %s%s%s on %s, %s\n", cli_style_on(CLI_YELLOW),
               cli_short_id(&outcome->commit, &id), cli_style_off(CLI_YELLOW), branch,
               cli_seconds(outcome->seconds, &seconds));
    else
        printf("nothing changed: %s stays at %s, %s\n", branch,
               cli_hash_is_zero(&outcome->commit) ? "its beginning"
                                                  : cli_short_id(&outcome->commit, &id),
               cli_seconds(outcome->seconds, &seconds));
}

static void outcome_json(const struct import *import, const struct outcome *outcome)
{
    struct cli_json json = {.out = stdout};
    cli_json_open(&json, NULL, '{');
    cli_json_hash(&json, "commit", &outcome->commit);
    cli_json_text(&json, "branch", import->cli->branch);
    cli_json_bool(&json, "changed", outcome->changed);
    cli_json_real(&json, "seconds", outcome->seconds);
    cli_json_open(&json, "tables", '[');
    for (size_t i = 0; i < armi_transaction_result_count(outcome->tx); i++) {
        struct armi_write_result result = {.size = sizeof result};
        if (armi_transaction_result(outcome->tx, i, &result, NULL) == ARMI_OK)
            result_json(&result, &json);
    }
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
}

/* ---- the command ---- */

static int import_write(struct import *import, struct armi_transaction *tx, double began)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct outcome outcome = {.tx = tx};
    struct armi_hash before = armi_transaction_snapshot(tx);
    if (armi_transaction_set_message(tx, import->message, &err) != ARMI_OK)
        return cli_fail(&err);
    for (size_t i = 0; i < import->item_count; i++) {
        int st = item_write(import, tx, &import->items[i]);
        if (st != CLI_DONE)
            return st;
    }
    if (armi_transaction_commit(tx, &outcome.commit, &err) != ARMI_OK)
        return cli_fail(&err);
    cli_progress_clear();
    outcome.changed = memcmp(&before, &outcome.commit, sizeof before) != 0;
    outcome.seconds = cli_clock() - began;
    if (import->cli->json)
        outcome_json(import, &outcome);
    else
        outcome_print(import, &outcome);
    return CLI_DONE;
}

int cmd_import(struct cli *cli, const struct cli_args *args)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct import import = {.cli = cli, .args = args};
    struct armi_transaction *tx = NULL;
    double began = cli_clock();
    int st = items_read(&import);
    if (st == CLI_DONE)
        st = options_read(&import);
    if (st == CLI_DONE)
        st = cli_open(cli);
    if (st == CLI_DONE)
        st = sources_open(&import);
    if (st == CLI_DONE) {
        import.message = message_make(&import);
        if (armi_transaction_begin(cli->repo, cli->branch, &tx, &err) != ARMI_OK)
            st = cli_fail(&err);
    }
    if (st == CLI_DONE)
        st = import_write(&import, tx, began);
    armi_transaction_free(tx);
    sources_close(&import);
    return st;
}
