/*
 * The seven rounds over whole vectors of states, for every kernel with lanes. The including file says
 * how one step is written for its registers, as a statement or as a line of assembly text:
 *
 *   R_ADD(a, b)      word a += word b         R_ADD_MESSAGE(a, m)  word a += message word m
 *   R_XOR(a, b)      word a ^= word b         R_ROTATE(a, n)       word a rotated right by n
 *   R_ADD_C(c, d)    the same as R_ADD, for words 8 to 11, of which none is needed from here to the
 *                    next R_ADD_C but by the R_XORs that follow
 */
#ifndef ARMI_HASH_BLAKE3_ROUNDS_H
#define ARMI_HASH_BLAKE3_ROUNDS_H

/* Four half quarter-rounds side by side, step by step, so that four chains are in flight. The message
 * comes first: it is known long before, and so stays off the critical path. */
/* clang-format off */
#define R_HALF(b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3, m0, m1, m2, m3, rd, rb)               \
    R_ADD_MESSAGE(0, m0) R_ADD_MESSAGE(1, m1) R_ADD_MESSAGE(2, m2) R_ADD_MESSAGE(3, m3)              \
    R_ADD(0, b0) R_ADD(1, b1) R_ADD(2, b2) R_ADD(3, b3)                                              \
    R_XOR(d0, 0) R_XOR(d1, 1) R_XOR(d2, 2) R_XOR(d3, 3)                                              \
    R_ROTATE(d0, rd) R_ROTATE(d1, rd) R_ROTATE(d2, rd) R_ROTATE(d3, rd)                              \
    R_ADD_C(c0, d0) R_ADD_C(c1, d1) R_ADD_C(c2, d2) R_ADD_C(c3, d3)                                  \
    R_XOR(b0, c0) R_XOR(b1, c1) R_XOR(b2, c2) R_XOR(b3, c3)                                          \
    R_ROTATE(b0, rb) R_ROTATE(b1, rb) R_ROTATE(b2, rb) R_ROTATE(b3, rb)

#define R_ROUND(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, ma, mb, mc, md, me, mf)                      \
    R_HALF(4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, m0, m2, m4, m6, 16, 12)                         \
    R_HALF(4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, m1, m3, m5, m7, 8, 7)                           \
    R_HALF(5, 6, 7, 4, 10, 11, 8, 9, 15, 12, 13, 14, m8, ma, mc, me, 16, 12)                         \
    R_HALF(5, 6, 7, 4, 10, 11, 8, 9, 15, 12, 13, 14, m9, mb, md, mf, 8, 7)
/* clang-format on */

#endif
