/*
 * BLAKE3 with NEON: four inputs side by side.
 */
#include "hash/blake3_kernel.h"
#include "hash/blake3_rounds.h"

#include <arm_neon.h>
#include <string.h>

/* Four rows of four words to columns. */
static inline void transpose(uint32x4_t r[4])
{
    uint32x4x2_t a = vtrnq_u32(r[0], r[1]), b = vtrnq_u32(r[2], r[3]);
    r[0] = vcombine_u32(vget_low_u32(a.val[0]), vget_low_u32(b.val[0]));
    r[1] = vcombine_u32(vget_low_u32(a.val[1]), vget_low_u32(b.val[1]));
    r[2] = vcombine_u32(vget_high_u32(a.val[0]), vget_high_u32(b.val[0]));
    r[3] = vcombine_u32(vget_high_u32(a.val[1]), vget_high_u32(b.val[1]));
}

static inline void load4(const uint8_t *const *inputs, size_t offset, uint32x4_t m[16])
{
    for (size_t q = 0; q < 4; q++) {
        for (size_t i = 0; i < 4; i++)
            m[4 * q + i] = vreinterpretq_u32_u8(vld1q_u8(inputs[i] + offset + 16 * q));
        transpose(m + 4 * q);
    }
}

static inline void store4(const uint32x4_t h[8], uint8_t *out)
{
    uint32x4_t low[4] = {h[0], h[1], h[2], h[3]}, high[4] = {h[4], h[5], h[6], h[7]};
    transpose(low);
    transpose(high);
    for (size_t k = 0; k < 4; k++) {
        vst1q_u8(out + 32 * k, vreinterpretq_u8_u32(low[k]));
        vst1q_u8(out + 32 * k + 16, vreinterpretq_u8_u32(high[k]));
    }
}

/* clang-format off */
/* Shift right, then shift left and insert; 16 is a swap of half words. */
#define ROTATE_16(a) a = vreinterpretq_u32_u16(vrev32q_u16(vreinterpretq_u16_u32(a)))
#define ROTATE_12(a) a = vsliq_n_u32(vshrq_n_u32(a, 12), a, 20)
#define ROTATE_8(a)  a = vsliq_n_u32(vshrq_n_u32(a, 8), a, 24)
#define ROTATE_7(a)  a = vsliq_n_u32(vshrq_n_u32(a, 7), a, 25)
/* Keeps compilers from regrouping a + message + b. */
#define KEEP(a) __asm__("" : "+w"(a))

#define LANES             4
#define LANES_FUNCTION    lanes4
#define V                 uint32x4_t
#define SET1(x)           vdupq_n_u32(x)
#define LOAD_BLOCKS       load4
#define STORE_VALUES      store4
#define ADD(a, b)         a = vaddq_u32(a, b)
#define ADD_MESSAGE(a, b) a = vaddq_u32(a, b); KEEP(a)
#define XOR(a, b)         a = veorq_u32(a, b)
#define ROTATE(a, n)      ROTATE_##n(a)
#include "hash/blake3_lanes.h"
/* clang-format on */

static void hash_lanes(const struct armi_blake3_lanes *job, uint8_t *out)
{
    for (size_t i = 0; i < job->count; i += 4)
        lanes4(job, i, out + 32 * i);
}

const struct armi_blake3_kernel armi_blake3_neon = {
    .name = "neon",
    .compress = armi_blake3_compress,
    .expand = armi_blake3_expand,
    .hash_lanes = hash_lanes,
};
