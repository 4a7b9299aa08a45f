/*
 * armi stats: sizes, and what is shared.
 */
#include "cli.h"
#include "cli_grid.h"
#include "cli_json.h"

/* ---- lines of "what  how much" ---- */

static void line(const char *label, const char *value)
{
    printf("%s%-22s%s%s\n", cli_style_on(CLI_DIM), label, cli_style_off(CLI_DIM), value);
}

static void count_line(const char *label, uint64_t value)
{
    struct cli_small small;
    line(label, cli_count(value, &small));
}

static void size_line(const char *label, uint64_t bytes, uint64_t items, const char *what)
{
    struct cli_small size, count;
    char text[128];
    cli_size(bytes, &size);
    if (what == NULL)
        line(label, size.text);
    else {
        snprintf(text, sizeof text, "%s in %s %s%s", size.text, cli_count(items, &count),
                 what, items == 1 ? "" : "s");
        line(label, text);
    }
}

/* ---- the repository ---- */

static void cache_json(const struct armi_cache_stats *cache, struct cli_json *json)
{
    cli_json_open(json, "cache", '{');
    cli_json_uint(json, "hits", cache->hits);
    cli_json_uint(json, "misses", cache->misses);
    cli_json_uint(json, "evictions", cache->evictions);
    cli_json_uint(json, "entries", cache->entries);
    cli_json_uint(json, "bytes", cache->bytes);
    cli_json_uint(json, "capacity", cache->capacity);
    cli_json_close(json, '}');
}

static void repository_json(const struct armi_repository_stats *s)
{
    const struct {
        const char *key;
        uint64_t value;
    } members[] = {
        {"tables", s->tables},
        {"branches", s->branches},
        {"tags", s->tags},
        {"commits", s->commits},
        {"versions", s->versions},
        {"rows", s->rows},
        {"logical_bytes", s->logical_bytes},
        {"version_bytes", s->version_bytes},
        {"chunks", s->chunks},
        {"chunk_bytes", s->chunk_bytes},
        {"tiny_chunks", s->tiny_chunks},
        {"tiny_chunk_bytes", s->tiny_chunk_bytes},
        {"nodes", s->nodes},
        {"node_bytes", s->node_bytes},
        {"catalog_bytes", s->catalog_bytes},
        {"reclaimable_chunks", s->reclaimable_chunks},
        {"reclaimable_bytes", s->reclaimable_bytes},
        {"flushes", s->flushes},
        {"bytes_written", s->bytes_written},
    };
    struct cli_json json = {.out = stdout};
    cli_json_open(&json, NULL, '{');
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        cli_json_uint(&json, members[i].key, members[i].value);
    cache_json(&s->cache, &json);
    cli_json_close(&json, '}');
}

static void repository_print(const struct cli *cli, const struct armi_repository_stats *s)
{
    uint64_t stored = s->chunk_bytes + s->tiny_chunk_bytes;
    char text[160];
    snprintf(text, sizeof text, "tables on %.80s", cli_escaped(cli->branch));
    count_line(text, s->tables);
    count_line("rows in them", s->rows);
    size_line("  in Arrow memory", s->logical_bytes, 0, NULL);
    count_line("branches", s->branches);
    count_line("tags", s->tags);
    count_line("commits", s->commits);
    count_line("table versions", s->versions);
    size_line("  each with a copy", s->version_bytes, 0, NULL);
    size_line("  as stored", stored, s->chunks + s->tiny_chunks, "chunk");
    if (stored > 0 && s->version_bytes > 0) {
        snprintf(text, sizeof text, "%.2f times",
                 (double)s->version_bytes / (double)stored);
        line("  saved by sharing", text);
    }
    size_line("chunk files", s->chunk_bytes, s->chunks, "file");
    size_line("chunks in catalog.db", s->tiny_chunk_bytes, s->tiny_chunks, "row");
    size_line("metadata", s->node_bytes, s->nodes, "node");
    size_line("catalog.db", s->catalog_bytes, 0, NULL);
    size_line("not reached any more", s->reclaimable_bytes, s->reclaimable_chunks, "chunk");
}

static int repository_stats(struct cli *cli)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_repository_stats stats = {.size = sizeof stats};
    if (armi_repository_stats(cli->repo, cli->branch, &stats, &err) != ARMI_OK)
        return cli_fail(&err);
    if (cli->json)
        repository_json(&stats);
    else
        repository_print(cli, &stats);
    return CLI_DONE;
}

/* ---- one table ---- */

static void table_json(const char *table, const struct armi_table_info *info)
{
    struct cli_json json = {.out = stdout};
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "table", table);
    cli_json_uint(&json, "version", info->version);
    cli_json_hash(&json, "commit", &info->commit);
    cli_json_time(&json, "time", info->time_us);
    cli_json_uint(&json, "rows", info->rows);
    cli_json_uint(&json, "columns", info->column_count);
    cli_json_uint(&json, "logical_bytes", info->logical_bytes);
    cli_json_uint(&json, "bytes", info->stored_bytes);
    cli_json_uint(&json, "ranges", info->ranges);
    cli_json_uint(&json, "chunks", info->chunk_count);
    cli_json_hash(&json, "root", &info->root);
    cli_json_open(&json, "key", '[');
    for (size_t i = 0; i < info->key_count; i++)
        cli_json_text(&json, NULL, info->key[i]);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
}

static void table_print(const char *table, const struct armi_table_info *info)
{
    struct cli_small small;
    char hex[ARMI_HASH_HEX_SIZE];
    line("table", cli_escaped(table));
    count_line("version", info->version);
    line("  of", cli_time(info->time_us, &small));
    line("  commit", cli_short_id(&info->commit, &small));
    count_line("rows", info->rows);
    count_line("columns", info->column_count);
    size_line("in Arrow memory", info->logical_bytes, 0, NULL);
    size_line("stored", info->stored_bytes, info->chunk_count, "chunk");
    count_line("ranges", info->ranges);
    armi_hash_format(&info->root, hex);
    line("root", hex);
}

static int table_stats(struct cli *cli, const struct cli_args *args,
                       const struct cli_target *target)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_table_info info = {.size = sizeof info};
    struct armi_at at;
    int st = cli_at(cli, args, target->ref, &at);
    if (st != CLI_DONE)
        return st;
    if (armi_table_info(cli->repo, target->table, &at, &info, &err) != ARMI_OK)
        return cli_fail(&err);
    if (cli->json)
        table_json(target->table, &info);
    else
        table_print(target->table, &info);
    armi_table_info_release(&info);
    return CLI_DONE;
}

int cmd_stats(struct cli *cli, const struct cli_args *args)
{
    struct cli_target target = {NULL, NULL};
    if (args->word_count > 0)
        target = cli_parse_target(args->words[0]);
    int st = cli_open(cli);
    if (st != CLI_DONE)
        return st;
    if (target.ref != NULL && target.table == NULL)
        cli->branch = target.ref;
    return target.table != NULL ? table_stats(cli, args, &target) : repository_stats(cli);
}
