/*
 * Runs a fuzz target over its corpus without libFuzzer, as an ordinary test: every file
 * as it is, every prefix of it, and some hundred damaged versions, the same ones each
 * time. Usage: replay DIR
 */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

#define FILE_SIZE_MAX   (1u << 20)
#define PREFIX_SIZE_MAX 4096u
#define DAMAGE_ROUNDS   400u

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* From a block of exactly that size, so that a sanitizer sees a read beyond the end. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(exact != NULL);
    if (size > 0)
        memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

/* A few bytes become others: any value, a neighbour's, all ones, or one bit. */
static void run_damaged(const uint8_t *data, size_t size, uint64_t seed)
{
    uint8_t *copy = malloc(size);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, data, size);
    for (uint64_t n = next_random(&seed) % 4 + 1; n > 0; n--) {
        size_t at = (size_t)(next_random(&seed) % size);
        uint64_t v = next_random(&seed);
        switch (next_random(&seed) % 4) {
        case 0:
            copy[at] = (uint8_t)v;
            break;
        case 1:
            copy[at] = copy[v % size];
            break;
        case 2:
            copy[at] = 0xff;
            break;
        default:
            copy[at] = (uint8_t)(copy[at] ^ (1u << (v % 8)));
        }
    }
    run(copy, size);
    free(copy);
}

static void replay(const uint8_t *data, size_t size)
{
    run(data, size);
    size_t step = size / PREFIX_SIZE_MAX + 1;
    for (size_t prefix = 0; prefix < size; prefix += step)
        run(data, prefix);
    for (uint64_t round = 1; size > 0 && round <= DAMAGE_ROUNDS; round++)
        run_damaged(data, size, round * 0x9e3779b97f4a7c15u);
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    FUZZ_CHECK(argc == 2);
    struct dirent **entries;
    int count = scandir(argv[1], &entries, is_visible, compare_names);
    FUZZ_CHECK(count > 0);
    static uint8_t data[FILE_SIZE_MAX];
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        char path[4096];
        int n = snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
        FUZZ_CHECK(n > 0 && (size_t)n < sizeof path);
        FILE *file = fopen(path, "rb");
        FUZZ_CHECK(file != NULL);
        size_t size = fread(data, 1, sizeof data, file);
        FUZZ_CHECK(!ferror(file) && fgetc(file) == EOF);
        fclose(file);
        replay(data, size);
        printf("ok %d - %s\n", i + 1, entries[i]->d_name);
        fflush(stdout);
        free(entries[i]);
    }
    free(entries);
    return 0;
}
