/*
 * BLAKE3's compression function in plain C: the twin that every other rung is tested against, and
 * what a machine without a known vector unit runs.
 */
#include "hash/blake3_kernel.h"

#include <string.h>

#include "base/bits.h"

static inline uint32_t rotate(uint32_t v, unsigned by)
{
    return v >> by | v << (32 - by);
}

/* Keeps compilers from regrouping a + message + b: the message is there long before b is, and would
 * come onto the critical path. */
#define KEEP(v) __asm__("" : "+r"(v))

/* The quarter-round on four words of the state. */
/* clang-format off */
#define MIX(a, b, c, d, x, y)                                                                        \
    do {                                                                                             \
        v##a += (x);                                                                                 \
        KEEP(v##a);                                                                                  \
        v##a += v##b;                                                                                \
        v##d = rotate(v##d ^ v##a, 16);                                                              \
        v##c += v##d;                                                                                \
        v##b = rotate(v##b ^ v##c, 12);                                                              \
        v##a += (y);                                                                                 \
        KEEP(v##a);                                                                                  \
        v##a += v##b;                                                                                \
        v##d = rotate(v##d ^ v##a, 8);                                                               \
        v##c += v##d;                                                                                \
        v##b = rotate(v##b ^ v##c, 7);                                                               \
    } while (0);

#define ROUND(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, ma, mb, mc, md, me, mf)                     \
    MIX(0, 4, 8, 12, m[m0], m[m1])                                                                   \
    MIX(1, 5, 9, 13, m[m2], m[m3])                                                                   \
    MIX(2, 6, 10, 14, m[m4], m[m5])                                                                  \
    MIX(3, 7, 11, 15, m[m6], m[m7])                                                                  \
    MIX(0, 5, 10, 15, m[m8], m[m9])                                                                  \
    MIX(1, 6, 11, 12, m[ma], m[mb])                                                                  \
    MIX(2, 7, 8, 13, m[mc], m[md])                                                                   \
    MIX(3, 4, 9, 14, m[me], m[mf])
/* clang-format on */

/* The sixteen words after seven rounds, before the feed-forward. */
static inline void rounds(const uint32_t cv[8], const uint8_t *block, uint32_t size,
                          uint64_t counter, uint32_t flags, uint32_t v[16])
{
    static const uint32_t iv[8] = BLAKE3_IV;
    uint32_t m[16];
    memcpy(m, block, sizeof m);
    uint32_t v0 = cv[0], v1 = cv[1], v2 = cv[2], v3 = cv[3];
    uint32_t v4 = cv[4], v5 = cv[5], v6 = cv[6], v7 = cv[7];
    uint32_t v8 = iv[0], v9 = iv[1], v10 = iv[2], v11 = iv[3];
    uint32_t v12 = (uint32_t)counter, v13 = (uint32_t)(counter >> 32), v14 = size,
             v15 = flags;
    BLAKE3_ROUNDS(ROUND)
    v[0] = v0, v[1] = v1, v[2] = v2, v[3] = v3, v[4] = v4, v[5] = v5, v[6] = v6, v[7] = v7;
    v[8] = v8, v[9] = v9, v[10] = v10, v[11] = v11;
    v[12] = v12, v[13] = v13, v[14] = v14, v[15] = v15;
}

void armi_blake3_compress(uint32_t cv[8], const uint8_t *block, uint32_t size,
                          uint64_t counter, uint32_t flags)
{
    uint32_t v[16];
    rounds(cv, block, size, counter, flags, v);
    for (int i = 0; i < 8; i++)
        cv[i] = v[i] ^ v[i + 8];
}

void armi_blake3_expand(const uint32_t cv[8], const uint8_t *block, uint32_t size,
                        uint64_t counter, uint32_t flags, uint8_t *out)
{
    uint32_t v[16];
    rounds(cv, block, size, counter, flags, v);
    for (int i = 0; i < 8; i++) {
        armi_store32(out + 4 * i, v[i] ^ v[i + 8]);
        armi_store32(out + 32 + 4 * i, v[i + 8] ^ cv[i]);
    }
}

static void hash_lanes(const struct armi_blake3_lanes *job, uint8_t *out)
{
    for (size_t i = 0; i < job->count; i++) {
        uint32_t cv[8];
        uint64_t counter = job->counter + (job->counts ? i : 0);
        memcpy(cv, job->key, sizeof cv);
        for (size_t b = 0; b < job->blocks; b++)
            armi_blake3_compress(
                cv, job->inputs[i] + 64 * b,
                job->last_sizes != NULL && b + 1 == job->blocks ? job->last_sizes[i] : 64,
                counter, armi_blake3_lanes_flags(job, b));
        memcpy(out + 32 * i, cv, sizeof cv);
    }
}

const struct armi_blake3_kernel armi_blake3_portable = {
    .name = "portable",
    .compress = armi_blake3_compress,
    .expand = armi_blake3_expand,
    .hash_lanes = hash_lanes,
};
