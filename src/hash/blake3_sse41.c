/*
 * BLAKE3 with SSE4.1: four inputs side by side.
 */
#include "hash/blake3_kernel.h"
#include "hash/blake3_rounds.h"
#include "hash/blake3_transpose.h"

#include <string.h>

/* clang-format off */
#define LANES             4
#define LANES_FUNCTION    lanes4
#define V                 __m128i
#define STATE             state4
#define REG               "xmm"
#define WIDTH             "16"
#define MOVE              "movdqa"
#define OP3(op, b, c, a)  "movdqa %%xmm" #c ", %%xmm" #a "\n\t" op " " b ", %%xmm" #a "\n\t"
#define OP2(op, b, a)     op " " b ", %%xmm" #a "\n\t"
#define SET1(x)           _mm_set1_epi32((int)(x))
#define LOAD_BLOCKS       blake3_load4
#define STORE_VALUES      blake3_store4
#include "hash/blake3_lanes16reg.h"
/* clang-format on */

static void hash_lanes(const struct armi_blake3_lanes *job, uint8_t *out)
{
    for (size_t i = 0; i < job->count; i += 4)
        lanes4(job, i, out + 32 * i);
}

const struct armi_blake3_kernel armi_blake3_sse41 = {
    .name = "sse41",
    .compress = armi_blake3_compress,
    .expand = armi_blake3_expand,
    .hash_lanes = hash_lanes,
};
