/*
 * What long calls show and ask: a bar on standard error, on a terminal only, redrawn at
 * most ten times a second; and whether Ctrl-C was typed. The first Ctrl-C ends the call in
 * order, with nothing changed; a second one ends the program at once.
 */
#include "cli.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli_text.h"

#define BAR_WIDTH 24

static volatile sig_atomic_t interrupts;

static struct {
    const char *doing;
    const char *unit; /* NULL = rows */
    double began, drawn;
    uint64_t total;
    bool shown;
} bar;

static void on_interrupt(int number)
{
    interrupts = number;
}

void cli_interrupt_install(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_interrupt;
    action.sa_flags = SA_RESETHAND | SA_RESTART;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int cli_interrupted(void)
{
    return interrupts;
}

static bool answer_interrupted(void *ctx)
{
    (void)ctx;
    return interrupts != 0;
}

double cli_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void draw(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    double now = cli_clock();
    if (now - bar.drawn < 0.1 || now - bar.began < 0.3)
        return;
    struct cli_small some, all;
    char line[BAR_WIDTH + 1], rate[32] = "";
    total = bar.total > 0 ? bar.total : total;
    bar.drawn = now;
    bar.shown = true;
    cli_count(done, &some);
    if (bar.unit == NULL)
        snprintf(rate, sizeof rate, "  %.1f M rows/s",
                 (double)done / (now - bar.began) / 1e6);
    const char *unit = bar.unit != NULL ? bar.unit : "rows";
    if (total == 0) {
        fprintf(stderr, "\r%s  %s %s%s\033[K", bar.doing, some.text, unit, rate);
        return;
    }
    double share = done < total ? (double)done / (double)total : 1.0;
    memset(line, '-', BAR_WIDTH);
    memset(line, '#', (size_t)(share * BAR_WIDTH));
    line[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r%s  [%s] %3.0f %%  %s of %s %s%s\033[K", bar.doing, line,
            share * 100, some.text, cli_count(total, &all), unit, rate);
}

void cli_progress_unit(const char *unit)
{
    bar.unit = unit;
}

void cli_progress_total(uint64_t rows)
{
    bar.total = rows;
}

void cli_progress_clear(void)
{
    if (bar.shown)
        fputs("\r\033[K", stderr);
    bar.shown = false;
}

struct armi_callbacks cli_callbacks(const struct cli *cli, const char *doing)
{
    struct armi_callbacks callbacks = {.interrupted = answer_interrupted};
    if (doing == NULL || cli->no_progress || !isatty(STDERR_FILENO))
        return callbacks;
    cli_progress_clear();
    bar.doing = cli_escaped(doing);
    bar.began = cli_clock();
    bar.drawn = 0;
    bar.total = 0;
    bar.unit = NULL;
    callbacks.progress = draw;
    return callbacks;
}
