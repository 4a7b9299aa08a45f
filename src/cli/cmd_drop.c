/*
 * armi drop: removes tables; their history stays readable.
 */
#include "cli.h"
#include "cli_json.h"

#include <string.h>

#include "cli_memory.h"

static const char *message_make(const struct cli_args *args)
{
    const char *given = cli_args_value(args, "message");
    struct cli_text text = {NULL, 0, 0};
    if (given != NULL)
        return given;
    cli_text_addf(&text, "drop ");
    for (size_t i = 0; i < args->word_count; i++)
        cli_text_addf(&text, "%s%s", i > 0 ? ", " : "", args->words[i]);
    const char *kept = cli_keep_text(text.data, text.size);
    cli_text_release(&text);
    return kept;
}

static enum armi_status drop_all(struct armi_transaction *tx, const struct cli_args *args,
                                 struct armi_hash *commit, struct armi_error *err)
{
    enum armi_status st = armi_transaction_set_message(tx, message_make(args), err);
    for (size_t i = 0; st == ARMI_OK && i < args->word_count; i++)
        st = armi_transaction_drop(tx, args->words[i], err);
    return st == ARMI_OK ? armi_transaction_commit(tx, commit, err) : st;
}

static void tell(struct cli *cli, const struct cli_args *args,
                 const struct armi_hash *commit)
{
    struct cli_small id;
    if (cli->json) {
        struct cli_json json = {.out = stdout};
        cli_json_open(&json, NULL, '{');
        cli_json_hash(&json, "commit", commit);
        cli_json_text(&json, "branch", cli->branch);
        cli_json_open(&json, "tables", '[');
        for (size_t i = 0; i < args->word_count; i++)
            cli_json_text(&json, NULL, args->words[i]);
        cli_json_close(&json, ']');
        cli_json_close(&json, '}');
        return;
    }
    for (size_t i = 0; i < args->word_count; i++)
        printf("%s dropped from %s\n", cli_escaped(args->words[i]),
               cli_escaped(cli->branch));
    printf("commit %s%s%s\n", cli_style_on(CLI_YELLOW), cli_short_id(commit, &id),
           cli_style_off(CLI_YELLOW));
}

int cmd_drop(struct cli *cli, const struct cli_args *args)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_transaction *tx = NULL;
    struct armi_hash commit;
    int st = cli_open(cli);
    if (st != CLI_DONE)
        return st;
    enum armi_status status = armi_transaction_begin(cli->repo, cli->branch, &tx, &err);
    if (status == ARMI_OK)
        status = drop_all(tx, args, &commit, &err);
    if (status == ARMI_OK)
        tell(cli, args, &commit);
    else
        st = cli_fail(&err);
    armi_transaction_free(tx);
    return st;
}
