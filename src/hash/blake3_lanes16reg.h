/*
 * A kernel of LANES lanes for x86 with sixteen vector registers, its rounds in assembly. The registers
 * hold the sixteen words of the state, but for word 8, which lives in memory: its register is free for
 * the rotations that have to be put together from two shifts. Compilers spill half of the state
 * instead (docs/design/blake3.md). Included by a kernel's file, which has defined:
 *
 *   LANES, LANES_FUNCTION   how many, and the name of the function made here
 *   V, STATE                vector type, and a name for the struct made here
 *   REG, WIDTH              "xmm" or "ymm", and its bytes as a literal
 *   MOVE                    the instruction that moves an aligned vector
 *   OP3(op, b, c, a)        register a = register c op b, where b is the text of an operand, not a
 *   OP2(op, b, a)           register a = register a op b
 *   SET1, LOAD_BLOCKS, STORE_VALUES   as in blake3_lanes.h
 *
 * Undefines them all, so that a file may make several.
 */

/* Everything that the rounds touch. The first sixteen are the words of the state in their order. */
struct STATE {
    V h[8]; /* chaining values, in and out */
    V iv[4];
    V low, high; /* of the counters */
    V size, flags;
    V word8;
    V rotate16, rotate8; /* byte shuffles */
    V m[16];
};

/* clang-format off */
#define MEMBER(offset)      offset "*" WIDTH "(%[s])"
#define R_ADD(a, b)         OP2("paddd", "%%" REG #b, a)
#define R_ADD_MESSAGE(a, w) OP2("paddd", MEMBER("(19+" #w ")"), a)
#define R_XOR(a, b)         OP2("pxor", "%%" REG #b, a)
/* Word 8 goes from memory to memory, and stays in its register until the next rotation. */
#define R_ADD_C(c, d)  ADD_C_##c(d)
#define ADD_C_8(d)     OP3("paddd", MEMBER("16"), d, 8) MOVE " %%" REG "8, " MEMBER("16") "\n\t"
#define ADD_C_9(d)     R_ADD(9, d)
#define ADD_C_10(d)    R_ADD(10, d)
#define ADD_C_11(d)    R_ADD(11, d)
#define R_ROTATE(a, n) ROTATE_##n(a)
#define ROTATE_16(a)   OP2("pshufb", MEMBER("17"), a)
#define ROTATE_8(a)    OP2("pshufb", MEMBER("18"), a)
#define ROTATE_12(a)   SHIFTS(a, "$12", "$20")
#define ROTATE_7(a)    SHIFTS(a, "$7", "$25")
#define SHIFTS(a, right, left)                                                                       \
    OP3("psrld", right, a, 8) OP2("pslld", left, a) OP2("por", "%%" REG "8", a)

#define BEGIN(i)  MOVE " " MEMBER(#i) ", %%" REG #i "\n\t"
#define END(i, v) R_XOR(i, v) MOVE " %%" REG #i ", " MEMBER(#i) "\n\t"
/* clang-format on */

static void LANES_FUNCTION(const struct armi_blake3_lanes *job, size_t at, uint8_t *out)
{
    static const uint32_t iv[8] = BLAKE3_IV;
    struct STATE s;
    const uint8_t *inputs[LANES];
    size_t left = job->count - at < LANES ? job->count - at : LANES;
    for (size_t i = 0; i < LANES; i++) /* idle lanes repeat the last input */
        inputs[i] = job->inputs[at + (i < left ? i : left - 1)];
    if (job->counts) {
        uint32_t low[LANES], high[LANES];
        armi_blake3_lanes_counters(job, at, LANES, low, high);
        memcpy(&s.low, low, sizeof low);
        memcpy(&s.high, high, sizeof high);
    } else {
        s.low = SET1((uint32_t)job->counter);
        s.high = SET1((uint32_t)(job->counter >> 32));
    }
    for (int i = 0; i < 8; i++)
        s.h[i] = SET1(job->key[i]);
    for (int i = 0; i < 4; i++)
        s.iv[i] = SET1(iv[i]);
    s.size = SET1(64);
    for (uint32_t i = 0; i < LANES;
         i++) { /* where each byte of word i of a vector comes from */
        uint32_t first = 0x03020100u + 0x04040404u * (i % 4);
        ((uint32_t *)&s.rotate16)[i] = first >> 16 | first << 16;
        ((uint32_t *)&s.rotate8)[i] = first >> 8 | first << 24;
    }
    for (size_t b = 0; b < job->blocks; b++) {
        s.flags = SET1(armi_blake3_lanes_flags(job, b));
        s.word8 = s.iv[0];
        if (job->last_sizes != NULL && b + 1 == job->blocks) {
            uint32_t sizes[LANES];
            armi_blake3_lanes_sizes(job, at, LANES, sizes);
            memcpy(&s.size, sizes, sizeof sizes);
        }
        LOAD_BLOCKS(inputs, 64 * b, s.m);
        /* clang-format off */
        __asm__ volatile(
            BEGIN(0) BEGIN(1) BEGIN(2) BEGIN(3) BEGIN(4) BEGIN(5) BEGIN(6) BEGIN(7) BEGIN(9)
            BEGIN(10) BEGIN(11) BEGIN(12) BEGIN(13) BEGIN(14) BEGIN(15)
            BLAKE3_ROUNDS(R_ROUND)
            OP2("pxor", MEMBER("16"), 0) MOVE " %%" REG "0, (%[s])\n\t"
            END(1, 9) END(2, 10) END(3, 11) END(4, 12) END(5, 13) END(6, 14) END(7, 15)
            :
            : [s] "r"(&s)
            : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
              "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
        /* clang-format on */
    }
    if (left == LANES) {
        STORE_VALUES(s.h, out);
    } else {
        uint8_t all[32 * LANES];
        STORE_VALUES(s.h, all);
        memcpy(out, all, 32 * left);
    }
}

#undef LANES
#undef LANES_FUNCTION
#undef V
#undef STATE
#undef REG
#undef WIDTH
#undef MOVE
#undef OP3
#undef OP2
#undef SET1
#undef LOAD_BLOCKS
#undef STORE_VALUES
#undef MEMBER
#undef R_ADD
#undef R_ADD_MESSAGE
#undef R_XOR
#undef R_ADD_C
#undef ADD_C_8
#undef ADD_C_9
#undef ADD_C_10
#undef ADD_C_11
#undef R_ROTATE
#undef ROTATE_16
#undef ROTATE_8
#undef ROTATE_12
#undef ROTATE_7
#undef SHIFTS
#undef BEGIN
#undef END
