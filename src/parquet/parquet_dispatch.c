/*
 * Chooses the rung. The choice is made once and kept in one pointer; a race between first callers
 * stores the same value twice.
 */
#include "parquet/parquet_dispatch.h"

#include <stdatomic.h>

#include "base/text.h"
#include "parquet/pq_kernels_internal.h"

static const struct armi_pq_kernels portable = {
    .name = "portable",
    .unpack32 = armi_pq_unpack32_portable,
    .unpack64 = armi_pq_unpack64_portable,
    .delta32 = armi_pq_delta32_portable,
    .delta64 = armi_pq_delta64_portable,
    .unpack8 = armi_pq_unpack8_portable,
    .max8 = armi_pq_max8_portable,
    .count8 = armi_pq_count8_portable,
    .at_least64 = armi_pq_at_least64_portable,
    .compact64 = armi_pq_compact64_portable,
    .max32 = armi_pq_max32_portable,
    .gather32 = armi_pq_gather32_portable,
    .gather64 = armi_pq_gather64_portable,
    .bounds32 = armi_pq_bounds32_portable,
    .bounds64 = armi_pq_bounds64_portable,
    .bounds_f32 = armi_pq_bounds_f32_portable,
    .bounds_f64 = armi_pq_bounds_f64_portable,
    .is_ascii = armi_is_ascii,
};

static _Atomic(const struct armi_pq_kernels *) chosen;

const struct armi_pq_kernels *armi_pq_kernels_rung(size_t index)
{
    const struct armi_pq_kernels *rungs[3] = {&portable, NULL, NULL};
#if defined(__x86_64__)
    size_t count = 1;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
        rungs[count++] = &armi_pq_kernels_avx2;
    if (count == 2 && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vbmi"))
        rungs[count++] = &armi_pq_kernels_avx512;
#endif
    return index < sizeof rungs / sizeof rungs[0] ? rungs[index] : NULL;
}

const struct armi_pq_kernels *armi_pq_kernels(void)
{
    const struct armi_pq_kernels *rung =
        atomic_load_explicit(&chosen, memory_order_relaxed);
    if (rung != NULL)
        return rung;
    rung = &portable;
    for (size_t i = 1; armi_pq_kernels_rung(i) != NULL; i++)
        rung = armi_pq_kernels_rung(i);
    atomic_store_explicit(&chosen, rung, memory_order_relaxed);
    return rung;
}

void armi_pq_kernels_force(const struct armi_pq_kernels *rung)
{
    atomic_store_explicit(&chosen, rung, memory_order_relaxed);
}
