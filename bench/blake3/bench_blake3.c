/*
 * Hashes the same bytes with the library and with the rival in turn, and prints a line a size:
 *
 *   size  ours  rival  ratio  low  high       (GB/s; speed over speed: median, 10th, 90th percentile)
 *
 * Usage: bench_blake3 FEATURES OFFSET SIZE... where FEATURES limits the rung (blake3_kernel.h) and
 * OFFSET is added to an aligned address. A size "many:N" hashes 1,000 inputs of N bytes in one call,
 * and the rival one by one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hash/blake3.h"
#include "hash/blake3_kernel.h"

#define TURNS  41
#define COUNT  1000
#define MARGIN 4096

void rival_hash(const uint8_t *data, size_t size, uint8_t *out);

/* Processor time: one thread, and the machine may be shared. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct armi_hash ours[COUNT], theirs[COUNT];

static void run_ours(const uint8_t *data, size_t size, const struct armi_slice *many)
{
    if (many != NULL)
        armi_blake3_hash_many(many, COUNT, ours);
    else
        armi_blake3_hash(data, size, ours);
    __asm__ volatile("" ::: "memory");
}

static void run_rival(const uint8_t *data, size_t size, const struct armi_slice *many)
{
    if (many == NULL)
        rival_hash(data, size, theirs[0].bytes);
    for (size_t i = 0; many != NULL && i < COUNT; i++)
        rival_hash(many[i].data, size, theirs[i].bytes);
    __asm__ volatile("" ::: "memory");
}

static void measure(const uint8_t *data, const char *what)
{
    struct armi_slice inputs[COUNT];
    const struct armi_slice *many = NULL;
    size_t size = strtoul(what, NULL, 10), total;
    if (strncmp(what, "many:", 5) == 0) {
        size = strtoul(what + 5, NULL, 10);
        for (size_t i = 0; i < COUNT; i++)
            inputs[i] = (struct armi_slice){data + size * i, size};
        many = inputs;
    }
    total = many != NULL ? size * COUNT : size;
    size_t repeats = ((size_t)1 << 20) / total + 1;
    double a[TURNS], b[TURNS], ratio[TURNS];
    for (size_t turn = 0; turn < TURNS; turn++) {
        double start = now();
        for (size_t i = 0; i < repeats; i++)
            run_ours(data, size, many);
        double middle = now();
        for (size_t i = 0; i < repeats; i++)
            run_rival(data, size, many);
        double end = now();
        a[turn] = (double)(total * repeats) / (middle - start) * 1e-9;
        b[turn] = (double)(total * repeats) / (end - middle) * 1e-9;
        ratio[turn] = a[turn] / b[turn];
    }
    if (memcmp(ours, theirs, sizeof *ours * (many != NULL ? COUNT : 1)) != 0) {
        fprintf(stderr, "different hashes at %s\n", what);
        exit(1);
    }
    qsort(a, TURNS, sizeof *a, compare);
    qsort(b, TURNS, sizeof *b, compare);
    qsort(ratio, TURNS, sizeof *ratio, compare);
    printf("%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", what, a[TURNS / 2], b[TURNS / 2],
           ratio[TURNS / 2], ratio[TURNS / 10], ratio[TURNS - 1 - TURNS / 10]);
}

int main(int argc, char **argv)
{
    size_t room = ((size_t)16 << 20) + 2 * MARGIN;
    uint8_t *data;
    if (argc < 4 || posix_memalign((void **)&data, MARGIN, room) != 0)
        return 2;
    armi_blake3_features_limit((unsigned)strtoul(argv[1], NULL, 0));
    for (size_t i = 0; i < room; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 13);
    printf("%s\n", armi_blake3_kernel()->name);
    for (int i = 3; i < argc; i++)
        measure(data + strtoul(argv[2], NULL, 10) % MARGIN, argv[i]);
    free(data);
    return 0;
}
