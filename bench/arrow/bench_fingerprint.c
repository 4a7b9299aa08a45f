/*
 * Speed of fingerprints and row hashes on one core, in GB/s of Arrow data and ns a row: the best of
 * several runs over 4 million rows. Usage: bench_fingerprint [RANGE_ROWS]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arrow/array_make.h"
#include "arrow/fingerprint.h"
#include "arrow/row_hash.h"
#include "arrow/schema_text.h"
#include "arrow/stats.h"
#include "base/alloc.h"

#define ROWS ((size_t)4 << 20)
#define RUNS 7

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t next_random(void)
{
    static uint64_t x = 88172645463325252u;
    x ^= x << 13;
    x ^= x >> 7;
    return x ^= x << 17;
}

static void *need(void *p)
{
    if (p == NULL)
        exit(1);
    return p;
}

static void need_ok(enum armi_status status, const struct armi_error *err)
{
    if (status != ARMI_OK) {
        fprintf(stderr, "%s\n", err->message);
        exit(1);
    }
}

struct column {
    struct armi_field field;
    struct ArrowArray array;
    struct armi_array view;
};

static void column_init(struct column *c, const char *type, size_t rows,
                        struct armi_part *parts, size_t part_count,
                        struct ArrowArray *dictionary)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_array_parts all = {part_count, parts, 0, NULL, dictionary};
    need_ok(armi_type_parse(type, &c->field, &err), &err);
    need_ok(armi_arrow_array_make(&c->field, (int64_t)rows, -1, &all, &c->array, &err),
            &err);
    need_ok(armi_array_init(&c->field, &c->array, ARMI_VALIDATE_BOUNDS, &c->view, &err),
            &err);
}

static struct armi_part random_part(size_t size, uint64_t mask)
{
    uint64_t *p = need(armi_alloc(size));
    for (size_t i = 0; i < size / 8; i++)
        p[i] = next_random() & mask;
    return armi_part_owned(p, (int64_t)size);
}

/* A quarter of the rows is null. */
static struct armi_part random_validity(void)
{
    uint64_t *p = need(armi_alloc(ROWS / 8));
    for (size_t i = 0; i < ROWS / 64; i++)
        p[i] = next_random() | next_random();
    return armi_part_owned(p, ROWS / 8);
}

static void strings_init(struct column *c, const char *type, size_t rows, size_t distinct)
{
    size_t fill = 0, capacity = rows * 20;
    uint32_t *offsets = need(armi_alloc((rows + 1) * 4));
    char *bytes = need(armi_alloc(capacity));
    offsets[0] = 0;
    for (size_t i = 0; i < rows; i++) {
        uint64_t v = next_random() % distinct;
        fill += (size_t)snprintf(bytes + fill, capacity - fill, "user-%" PRIu64, v);
        offsets[i + 1] = (uint32_t)fill;
    }
    struct armi_part parts[] = {{NULL, 0, NULL, NULL},
                                armi_part_owned(offsets, (int64_t)(rows + 1) * 4),
                                armi_part_owned(bytes, (int64_t)fill)};
    column_init(c, type, rows, parts, 3, NULL);
}

static void report(const char *name, const char *what, double bytes, double seconds)
{
    printf("%-22s %-12s %7.2f GB/s %7.2f ns/row\n", name, what, bytes / seconds * 1e-9,
           seconds * 1e9 / (double)ROWS);
}

static void measure(const char *name, const struct column *c, int64_t range)
{
    struct armi_error err = ARMI_ERROR_INIT;
    struct armi_fingerprint fp;
    uint8_t out[ARMI_FINGERPRINT_SIZE];
    uint64_t *hashes = need(armi_alloc_array(ROWS, sizeof *hashes));
    double bytes = (double)armi_array_data_size(&c->view), best[3] = {1e9, 1e9, 1e9};
    need_ok(armi_fingerprint_init(&fp, &c->field, &err), &err);
    for (int run = 0; run < RUNS; run++) {
        double start = now();
        for (int64_t at = 0; at < (int64_t)ROWS; at += range) {
            int64_t take = (int64_t)ROWS - at < range ? (int64_t)ROWS - at : range;
            need_ok(armi_fingerprint_update(&fp, &c->view, at, take, &err), &err);
            armi_fingerprint_finish(&fp, out);
        }
        double t1 = now();
        need_ok(armi_row_hash(&c->view, 1, 0, (int64_t)ROWS, hashes, &err), &err);
        double t2 = now();
        struct armi_stats stats;
        armi_stats_init(&stats);
        armi_stats_update(&stats, &c->view, 0, (int64_t)ROWS);
        double t3 = now(), took[3] = {t1 - start, t2 - t1, t3 - t2};
        for (int i = 0; i < 3; i++)
            best[i] = took[i] < best[i] ? took[i] : best[i];
    }
    report(name, "fingerprint", bytes, best[0]);
    report(name, "row hash", bytes, best[1]);
    report(name, "statistics", bytes, best[2]);
    armi_fingerprint_release(&fp);
    armi_free(hashes);
}

int main(int argc, char **argv)
{
    int64_t range = argc > 1 ? strtoll(argv[1], NULL, 10) : (int64_t)ROWS;
    struct armi_part none = {NULL, 0, NULL, NULL};
    struct column ints, floats, texts, entries, codes;
    column_init(&ints, "int64", ROWS,
                (struct armi_part[]){none, random_part(ROWS * 8, UINT64_MAX)}, 2, NULL);
    column_init(
        &floats, "double", ROWS,
        (struct armi_part[]){random_validity(), random_part(ROWS * 8, UINT64_MAX >> 2)}, 2,
        NULL);
    strings_init(&texts, "string", ROWS, 10000000);
    strings_init(&entries, "string", 1000, 1000000);
    uint32_t *indices = need(armi_alloc(ROWS * 4));
    for (size_t i = 0; i < ROWS; i++)
        indices[i] = (uint32_t)(next_random() % 1000);
    column_init(&codes, "dictionary<values=string, indices=int32, ordered=0>", ROWS,
                (struct armi_part[]){none, armi_part_owned(indices, ROWS * 4)}, 2,
                &entries.array);
    measure("int64", &ints, range);
    measure("double, 25 % null", &floats, range);
    measure("string, 12 bytes", &texts, range);
    measure("dictionary of 1000", &codes, range);
    return 0;
}
