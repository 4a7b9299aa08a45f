/*
 * What the kernel files and the dispatch file of this folder share.
 */
#ifndef ARMI_PQ_KERNELS_INTERNAL_H
#define ARMI_PQ_KERNELS_INTERNAL_H

#include "parquet/parquet_dispatch.h"

/* The portable twins, which other rungs also use for tails and for what they do not better. */
void armi_pq_unpack32_portable(const uint8_t *src, size_t size, unsigned width,
                               uint32_t *out, size_t count);
void armi_pq_unpack64_portable(const uint8_t *src, size_t size, unsigned width,
                               uint64_t *out, size_t count);
void armi_pq_delta32_portable(const uint8_t *src, size_t size, unsigned width,
                              uint32_t least, uint32_t *last, uint32_t *out, size_t count);
void armi_pq_delta64_portable(const uint8_t *src, size_t size, unsigned width,
                              uint64_t least, uint64_t *last, uint64_t *out, size_t count);
void armi_pq_unpack8_portable(const uint8_t *src, size_t size, unsigned width, uint8_t *out,
                              size_t count);
uint8_t armi_pq_max8_portable(const uint8_t *values, size_t count);
size_t armi_pq_count8_portable(const uint8_t *values, size_t count, uint8_t value);
uint64_t armi_pq_at_least64_portable(const uint8_t *bytes, unsigned least);
uint64_t armi_pq_compact64_portable(uint64_t bits, uint64_t mask);
uint32_t armi_pq_max32_portable(const uint32_t *values, size_t count);
void armi_pq_gather32_portable(const uint32_t *dictionary, const uint32_t *indices,
                               uint32_t *out, size_t count);
void armi_pq_gather64_portable(const uint64_t *dictionary, const uint32_t *indices,
                               uint64_t *out, size_t count);
void armi_pq_bounds32_portable(const uint8_t *values, size_t count, uint32_t turn,
                               uint32_t out[2]);
void armi_pq_bounds64_portable(const uint8_t *values, size_t count, uint64_t turn,
                               uint64_t out[2]);
size_t armi_pq_bounds_f32_portable(const uint8_t *values, size_t count, float out[2]);
size_t armi_pq_bounds_f64_portable(const uint8_t *values, size_t count, double out[2]);

#if defined(__x86_64__)
/* The AVX2 ones, which the higher rung uses too. */
void armi_pq_bounds32_avx2(const uint8_t *values, size_t count, uint32_t turn,
                           uint32_t out[2]);
void armi_pq_bounds64_avx2(const uint8_t *values, size_t count, uint64_t turn,
                           uint64_t out[2]);
size_t armi_pq_bounds_f32_avx2(const uint8_t *values, size_t count, float out[2]);
size_t armi_pq_bounds_f64_avx2(const uint8_t *values, size_t count, double out[2]);
extern const struct armi_pq_kernels armi_pq_kernels_avx2;
extern const struct armi_pq_kernels armi_pq_kernels_avx512;
#endif

#endif
