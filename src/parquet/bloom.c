/*
 * xxHash64 as its specification describes it, and the split-block filter of Parquet's BloomFilter.md.
 */
#include "parquet/bloom.h"

#include "base/bits.h"

#define P1 UINT64_C(0x9E3779B185EBCA87)
#define P2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define P3 UINT64_C(0x165667B19E3779F9)
#define P4 UINT64_C(0x85EBCA77C2B2AE63)
#define P5 UINT64_C(0x27D4EB2F165667C5)

static uint64_t rotate(uint64_t v, unsigned by)
{
    return v << by | v >> (64 - by);
}

static uint64_t lane(uint64_t acc, uint64_t input)
{
    return rotate(acc + input * P2, 31) * P1;
}

static uint64_t merge(uint64_t acc, uint64_t v)
{
    return (acc ^ lane(0, v)) * P1 + P4;
}

/* Blocks of 32 bytes through four lanes; for inputs of at least that size. */
static uint64_t body(const uint8_t **at, const uint8_t *end)
{
    uint64_t v[4] = {P1 + P2, P2, 0, 0 - P1};
    const uint8_t *p = *at;
    for (; end - p >= 32; p += 32)
        for (size_t i = 0; i < 4; i++)
            v[i] = lane(v[i], armi_load64(p + 8 * i));
    *at = p;
    uint64_t h = rotate(v[0], 1) + rotate(v[1], 7) + rotate(v[2], 12) + rotate(v[3], 18);
    for (size_t i = 0; i < 4; i++)
        h = merge(h, v[i]);
    return h;
}

uint64_t armi_bloom_hash(const void *data, size_t size)
{
    static const uint8_t nothing;
    const uint8_t *p = size > 0 ? data : &nothing, *end = p + size;
    uint64_t h = size >= 32 ? body(&p, end) : P5;
    h += size;
    for (; end - p >= 8; p += 8)
        h = rotate(h ^ lane(0, armi_load64(p)), 27) * P1 + P4;
    if (end - p >= 4) {
        h = rotate(h ^ armi_load32(p) * P1, 23) * P2 + P3;
        p += 4;
    }
    for (; p < end; p++)
        h = rotate(h ^ *p * P5, 11) * P1;
    h = (h ^ h >> 33) * P2;
    h = (h ^ h >> 29) * P3;
    return h ^ h >> 32;
}

size_t armi_bloom_size(uint64_t distinct)
{
    size_t size = ARMI_BLOOM_BLOCK;
    while (size < ARMI_BLOOM_SIZE_MAX && size * 8 / 10 < distinct)
        size *= 2;
    return size;
}

static size_t block_of(size_t size, uint64_t hash)
{
    uint64_t blocks = size / ARMI_BLOOM_BLOCK;
    return (size_t)((hash >> 32) * blocks >> 32) * ARMI_BLOOM_BLOCK;
}

static uint32_t mask_of(size_t word, uint64_t hash)
{
    static const uint32_t salts[8] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                      0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};
    return 1u << ((uint32_t)hash * salts[word] >> 27);
}

void armi_bloom_insert(uint8_t *filter, size_t size, uint64_t hash)
{
    uint8_t *block = filter + block_of(size, hash);
    for (size_t i = 0; i < 8; i++)
        armi_store32(block + 4 * i, armi_load32(block + 4 * i) | mask_of(i, hash));
}

bool armi_bloom_may_contain(const uint8_t *filter, size_t size, uint64_t hash)
{
    const uint8_t *block = filter + block_of(size, hash);
    for (size_t i = 0; i < 8; i++)
        if ((armi_load32(block + 4 * i) & mask_of(i, hash)) == 0)
            return false;
    return true;
}
