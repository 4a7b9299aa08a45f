/*
 * BLAKE3 with AVX2: eight inputs side by side, four at an end of up to four.
 */
#include "hash/blake3_kernel.h"
#include "hash/blake3_rounds.h"
#include "hash/blake3_transpose.h"

#include <string.h>

/* clang-format off */
#define LANES             8
#define LANES_FUNCTION    lanes8
#define V                 __m256i
#define STATE             state8
#define REG               "ymm"
#define WIDTH             "32"
#define MOVE              "vmovdqa"
#define OP3(op, b, c, a)  "v" op " " b ", %%ymm" #c ", %%ymm" #a "\n\t"
#define OP2(op, b, a)     "v" op " " b ", %%ymm" #a ", %%ymm" #a "\n\t"
#define SET1(x)           _mm256_set1_epi32((int)(x))
#define LOAD_BLOCKS       blake3_load8
#define STORE_VALUES      blake3_store8
#include "hash/blake3_lanes16reg.h"

#define LANES             4
#define LANES_FUNCTION    lanes4
#define V                 __m128i
#define STATE             state4
#define REG               "xmm"
#define WIDTH             "16"
#define MOVE              "vmovdqa"
#define OP3(op, b, c, a)  "v" op " " b ", %%xmm" #c ", %%xmm" #a "\n\t"
#define OP2(op, b, a)     "v" op " " b ", %%xmm" #a ", %%xmm" #a "\n\t"
#define SET1(x)           _mm_set1_epi32((int)(x))
#define LOAD_BLOCKS       blake3_load4
#define STORE_VALUES      blake3_store4
#include "hash/blake3_lanes16reg.h"
/* clang-format on */

static void hash_lanes(const struct armi_blake3_lanes *job, uint8_t *out)
{
    size_t i = 0;
    for (; job->count - i > 4; i += 8) {
        lanes8(job, i, out + 32 * i);
        if (job->count - i <= 8)
            return;
    }
    if (i < job->count)
        lanes4(job, i, out + 32 * i);
}

const struct armi_blake3_kernel armi_blake3_avx2 = {
    .name = "avx2",
    .compress = armi_blake3_compress,
    .expand = armi_blake3_expand,
    .hash_lanes = hash_lanes,
};
