#include "table/boundary.h"

#include "base/limits.h"

#define TARGET_ROWS_MAX ((uint64_t)512 << 10)

void armi_boundary_init(struct armi_boundary *boundary, uint64_t target)
{
    if (target < 1)
        target = 1;
    if (target > TARGET_ROWS_MAX)
        target = TARGET_ROWS_MAX;
    *boundary = (struct armi_boundary){.target = target};
    armi_boundary_begin(boundary, NULL, 0);
}

/* Two bits a row: after 32 rows nothing of a row is left in the 64 bits. */
static inline uint64_t gear_step(uint64_t gear, uint64_t hash)
{
    return (gear << 2) + hash;
}

/* The gear's low bits know only the latest rows; the multiplication spreads all of them
 * upwards, and the fold brings the high half down, so that a comparison sees the window. */
static inline uint64_t gear_mix(uint64_t gear)
{
    gear ^= gear >> 32;
    gear *= 0x9e3779b97f4a7c15u;
    return gear ^ (gear >> 29);
}

void armi_boundary_begin(struct armi_boundary *boundary, const uint64_t *before,
                         size_t count)
{
    boundary->gear = 0;
    for (size_t i = 0; i < count; i++)
        boundary->gear = gear_step(boundary->gear, before[i]);
    boundary->rows = 0;
    boundary->best = UINT64_MAX;
    boundary->best_rows = 0;
}

uint64_t armi_boundary_feed(struct armi_boundary *boundary, const uint64_t *hashes,
                            size_t count, size_t *used)
{
    const uint64_t min = boundary->target > 1 ? boundary->target / 2 : 1;
    const uint64_t max = boundary->target * 2;
    /* One cut in 0.6 * target testable rows: with min in front, target on average. */
    const uint64_t threshold = UINT64_MAX / (boundary->target * 6 / 10 + 1);
    for (size_t i = 0; i < count; i++) {
        boundary->gear = gear_step(boundary->gear, hashes[i]);
        if (++boundary->rows < min)
            continue;
        uint64_t value = gear_mix(boundary->gear);
        if (value < boundary->best) {
            boundary->best = value;
            boundary->best_rows = boundary->rows;
        }
        if (value < threshold || boundary->rows == max) {
            *used = i + 1;
            return value < threshold ? boundary->rows : boundary->best_rows;
        }
    }
    *used = count;
    return 0;
}

uint64_t armi_boundary_target(uint64_t rows, uint64_t bytes)
{
    if (rows == 0)
        return 1;
    uint64_t size = bytes / 256;
    if (size < ARMI_MIB)
        size = ARMI_MIB;
    if (size > 16 * ARMI_MIB)
        size = 16 * ARMI_MIB;
    uint64_t row_bytes = bytes / rows;
    uint64_t target = size / (row_bytes != 0 ? row_bytes : 1);
    if (target < 1)
        return 1;
    return target > TARGET_ROWS_MAX ? TARGET_ROWS_MAX : target;
}
