/* Boundaries: frozen cuts, sizes within their bounds, and edits that move only what is near. */
#include "test.h"

#include <stdlib.h>

#include "arrow_gen.h"
#include "base/limits.h"
#include "table/boundary.h"

#define ROWS 20000

/* The ends of all ranges of the rows; how many. The last one ends where the rows do. */
static size_t cut(const uint64_t *hashes, size_t rows, uint64_t target, size_t feed,
                  size_t *ends)
{
    size_t count = 0, row = 0;
    struct armi_boundary b;
    armi_boundary_init(&b, target);
    while (row < rows) {
        size_t window = row < ARMI_BOUNDARY_WINDOW ? row : ARMI_BOUNDARY_WINDOW, at = row,
               used;
        uint64_t length = 0;
        armi_boundary_begin(&b, hashes + row - window, window);
        while (length == 0 && at < rows) {
            size_t n = rows - at < feed ? rows - at : feed;
            length = armi_boundary_feed(&b, hashes + at, n, &used);
            at += used;
        }
        row = length != 0 ? row + (size_t)length : rows;
        ends[count++] = row;
    }
    return count;
}

static void hashes_make(uint64_t *hashes, size_t rows, uint64_t seed)
{
    for (size_t i = 0; i < rows; i++)
        hashes[i] = arrow_gen_next(&seed);
}

static void cuts_are_frozen(void **state)
{
    (void)state;
    static const size_t want[] = {29,  48,  80,  118, 141, 156, 176, 201, 218, 229,
                                  240, 250, 269, 283, 322, 342, 358, 398, 400};
    uint64_t hashes[400];
    size_t ends[400];
    hashes_make(hashes, 400, 42);
    size_t count = cut(hashes, 400, 20, 400, ends);
    assert_int_equal(count, sizeof want / sizeof want[0]);
    assert_memory_equal(ends, want, sizeof want);
}

static void ranges_keep_to_half_and_twice_the_target(void **state)
{
    (void)state;
    uint64_t *hashes = malloc(ROWS * sizeof *hashes);
    size_t *ends = malloc(ROWS * sizeof *ends);
    static const uint64_t targets[] = {1, 2, 3, 10, 100, 1000};
    hashes_make(hashes, ROWS, 7);
    for (size_t t = 0; t < sizeof targets / sizeof targets[0]; t++) {
        uint64_t target = targets[t];
        size_t count = cut(hashes, ROWS, target, ROWS, ends);
        for (size_t i = 0; i < count; i++) {
            size_t rows = ends[i] - (i > 0 ? ends[i - 1] : 0);
            if (i + 1 < count)
                assert_true(rows >= (target > 1 ? target / 2 : 1));
            assert_true(rows <= 2 * target);
        }
        assert_int_equal(ends[count - 1], ROWS);
        /* The target is the mean, within a quarter. */
        assert_true(target < 10 ||
                    (count * target * 4 > ROWS * 3 && count * target * 4 < ROWS * 5));
    }
    free(hashes);
    free(ends);
}

static void cuts_do_not_depend_on_portions(void **state)
{
    (void)state;
    uint64_t *hashes = malloc(ROWS * sizeof *hashes);
    size_t *a = malloc(ROWS * sizeof *a), *b = malloc(ROWS * sizeof *b);
    hashes_make(hashes, ROWS, 8);
    size_t count = cut(hashes, ROWS, 50, ROWS, a);
    static const size_t feeds[] = {1, 2, 7, 100, 1024};
    for (size_t i = 0; i < sizeof feeds / sizeof feeds[0]; i++) {
        assert_int_equal(cut(hashes, ROWS, 50, feeds[i], b), count);
        assert_memory_equal(a, b, count * sizeof *a);
    }
    free(hashes);
    free(a);
    free(b);
}

/* How many of the ends of b, moved by `shift` from row `at` on, are no ends of a. */
static size_t strangers(const size_t *a, size_t a_count, const size_t *b, size_t b_count,
                        size_t at, int shift)
{
    size_t count = 0;
    for (size_t i = 0; i < b_count; i++) {
        size_t end = b[i] > at ? (size_t)((long)b[i] - shift) : b[i];
        bool found = false;
        for (size_t k = 0; k < a_count && !found; k++)
            found = a[k] == end;
        count += !found;
    }
    return count;
}

static void an_edit_moves_only_the_cuts_near_it(void **state)
{
    (void)state;
    uint64_t *hashes = malloc((ROWS + 1) * sizeof *hashes);
    uint64_t *edited = malloc((ROWS + 1) * sizeof *edited);
    size_t *a = malloc(ROWS * sizeof *a), *b = malloc(ROWS * sizeof *b);
    uint64_t seed = 9;
    size_t total = 0, worst = 0;
    hashes_make(hashes, ROWS, 10);
    size_t count = cut(hashes, ROWS, 50, ROWS, a);
    for (size_t i = 0; i < 200; i++) {
        size_t at = arrow_gen_next(&seed) % ROWS;
        memcpy(edited, hashes, at * sizeof *edited);
        edited[at] = arrow_gen_next(&seed);
        memcpy(edited + at + 1, hashes + at, (ROWS - at) * sizeof *edited);
        size_t moved = strangers(a, count, b, cut(edited, ROWS + 1, 50, ROWS, b), at, 1);
        total += moved;
        worst = moved > worst ? moved : worst;
        memmove(edited + at, hashes + at + 1, (ROWS - at - 1) * sizeof *edited);
        moved = strangers(a, count, b, cut(edited, ROWS - 1, 50, ROWS, b), at, -1);
        total += moved;
        worst = moved > worst ? moved : worst;
    }
    assert_true(worst <= 12);
    assert_true(total <= 400 * 2); /* two cuts an edit, on average */
    free(hashes);
    free(edited);
    free(a);
    free(b);
}

/* The same value in every row, or two in turn: ranges all the same. */
static void degenerate_rows_are_cut_evenly(void **state)
{
    (void)state;
    static uint64_t hashes[5000];
    static size_t ends[5000];
    for (int kind = 0; kind < 3; kind++) {
        for (size_t i = 0; i < 5000; i++)
            hashes[i] = kind == 0 ? 0 : kind == 1 ? 0x1234567890abcdef : i % 2;
        size_t count = cut(hashes, 5000, 100, 5000, ends);
        assert_true(count >= 25 && count <= 100);
    }
}

static void targets_follow_the_size_of_the_table(void **state)
{
    (void)state;
    assert_int_equal(armi_boundary_target(0, 0), 1);
    assert_int_equal(armi_boundary_target(1000000, 100000000), ARMI_MIB / 100);
    assert_int_equal(armi_boundary_target(10, 1000000000), 1);
    assert_int_equal(armi_boundary_target(1000000000, 1000000000), (uint64_t)512 << 10);
    /* A table of 64 GiB: 16 MiB a range, and no more. */
    assert_int_equal(armi_boundary_target(1u << 30, 64 * ARMI_GIB), 16 * ARMI_MIB / 64);
    assert_int_equal(armi_boundary_target(1u << 20, 64 * ARMI_GIB), 16 * ARMI_MIB / 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_are_frozen),
        cmocka_unit_test(ranges_keep_to_half_and_twice_the_target),
        cmocka_unit_test(cuts_do_not_depend_on_portions),
        cmocka_unit_test(an_edit_moves_only_the_cuts_near_it),
        cmocka_unit_test(degenerate_rows_are_cut_evenly),
        cmocka_unit_test(targets_follow_the_size_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
