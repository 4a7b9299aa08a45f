/*
 * Completion for bash, written from the table of commands: `armi help --bash`. Names of
 * commands and options are completed, and files behind them.
 */
#include "cli.h"

static void options_put(const struct cli_option *option, FILE *out)
{
    for (; option != NULL && option->name != NULL; option++)
        fprintf(out, " --%s", option->name);
}

void cli_complete_print(FILE *out)
{
    fputs("# bash completion for armi; written by: armi help --bash\n"
          "_armi()\n"
          "{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} command= options= i\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in\n"
          "        -C | -b | --dir | --branch | --author | --lock-timeout) ((i++)) ;;\n"
          "        -*) ;;\n"
          "        *)\n"
          "            command=${COMP_WORDS[i]}\n"
          "            break\n"
          "            ;;\n"
          "        esac\n"
          "    done\n"
          "    case $command in\n",
          out);
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++) {
        fprintf(out, "    %s) options=\"", c->name);
        options_put(c->options, out);
        fputs("\" ;;\n", out);
    }
    fputs("    esac\n"
          "    if [[ $word == -* ]]; then\n"
          "        options+=\"",
          out);
    options_put(cli_global_options, out);
    fputs("\"\n"
          "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
          "    elif [[ -z $command ]]; then\n"
          "        COMPREPLY=($(compgen -W \"",
          out);
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
        fprintf(out, "%s%s", c == cli_commands ? "" : " ", c->name);
    fputs("\" -- \"$word\"))\n"
          "    elif [[ $command == help ]]; then\n"
          "        COMPREPLY=($(compgen -W \"",
          out);
    for (const struct cli_command *c = cli_commands; c->name != NULL; c++)
        fprintf(out, "%s%s", c == cli_commands ? "" : " ", c->name);
    fputs("\" -- \"$word\"))\n"
          "    else\n"
          "        COMPREPLY=($(compgen -f -- \"${word#*=}\"))\n"
          "    fi\n"
          "}\n"
          "complete -o filenames -F _armi armi\n",
          out);
}
