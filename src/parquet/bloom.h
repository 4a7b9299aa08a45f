/*
 * Parquet's split-block Bloom filter: blocks of 256 bits; a value sets one bit in each of the eight
 * words of one block. Hashes are xxHash64 with seed 0 over the value's plain bytes (without the length
 * of a BYTE_ARRAY). The filter's bytes are the blocks, words little-endian.
 */
#ifndef ARMI_PARQUET_BLOOM_H
#define ARMI_PARQUET_BLOOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARMI_BLOOM_BLOCK    32
#define ARMI_BLOOM_SIZE_MAX ((size_t)8 << 20)

uint64_t armi_bloom_hash(const void *data, size_t size);
/* Bytes for so many different values at about one false answer in a hundred; a power of two. */
size_t armi_bloom_size(uint64_t distinct);
/* `size` is a multiple of ARMI_BLOOM_BLOCK, at least one. */
void armi_bloom_insert(uint8_t *filter, size_t size, uint64_t hash);
/* false: certainly not there. */
bool armi_bloom_may_contain(const uint8_t *filter, size_t size, uint64_t hash);

#endif
